"""Any list of units with a free header: which column is which, by the names that offices use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from audit.contracts import CONTRACT, Column

LIST = "list"
"""What readers call a file that belongs to no table of the contract."""

_AS_IN = {
    "id": "unit_id",
    "name": "name",
    "credit_code": "credit_code",
    "org_code": "org_code",
    "owner": "legal_rep",
    "phone_fixed": "phone_fixed",
    "phone_mobile": "phone_mobile",
    "address": "address",
    "region_code": "region_code",
    "industry_code": "industry_code",
}

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "填报单位标识", "单位标识", "底册唯一标识码", "部门记录号", "记录号", "单位编号", "编号",
        "unit_id", "frame_id", "register_id", "record_id", "id",
    ),
    "name": (
        "单位详细名称", "单位名称", "企业名称", "机构名称", "公司名称", "市场主体名称",
        "经营主体名称", "纳税人名称", "被举报单位", "户名", "字号名称", "商户名称", "店名", "名称",
        "name", "unit_name", "company_name", "company", "enterprise_name", "enterprise",
    ),
    "credit_code": (
        "统一社会信用代码", "社会信用代码", "统一信用代码", "信用代码", "统一代码", "纳税人识别号",
        "税号", "credit_code", "social_credit_code", "uscc", "usci",
    ),
    "org_code": ("组织机构代码", "机构代码", "org_code", "organisation_code", "organization_code"),
    "owner": (
        "法定代表人", "法定代表人姓名", "法人代表", "法人", "单位负责人", "负责人", "经营者",
        "经营者姓名", "业主", "法定代表人或经营者", "legal_rep", "legal_representative", "owner",
        "operator", "person_in_charge",
    ),
    "phone_fixed": ("固定电话", "座机", "单位电话", "phone_fixed", "landline"),
    "phone_mobile": (
        "移动电话", "手机", "手机号", "手机号码", "联系电话", "电话", "电话号码", "联系方式",
        "phone_mobile", "mobile", "phone", "telephone", "tel",
    ),
    "address": (
        "单位所在地", "生产经营地址", "实际经营地址", "经营地址", "单位地址", "详细地址",
        "经营场所", "住所", "地址", "注册地址", "单位注册地",
        "通讯地址", "address", "business_address", "registered_address",
    ),
    "region_code": (
        "单位所在地区划代码", "经营地区划代码", "统计用区划代码", "行政区划代码", "区划代码",
        "行政区划", "区划", "region_code", "region", "area_code",
    ),
    "industry_code": ("行业代码", "行业", "industry_code", "industry"),
}  # fmt: skip
"""Names of each column, the likeliest first: where a list has two of them, the first counts."""

_NUMBER_IN_FRONT = re.compile(r"^\d{3}(?:-\d+)?")
_BRACKETED = re.compile(r"[(（\[].*?[)）\]]")
_BLANK = re.compile(r"[\s_:：*]+")


def plain(folded: str) -> str:
    """Return a folded header cell without item number, brackets and marks."""
    return _BLANK.sub("", _BRACKETED.sub("", _NUMBER_IN_FRONT.sub("", folded)))


_PLACES = {
    plain(alias.casefold()): (column, rank)
    for column, aliases in ALIASES.items()
    for rank, alias in enumerate(aliases)
}


def is_known(folded: str) -> bool:
    """Tell whether a folded header cell names a column of a list."""
    return plain(folded) in _PLACES


def list_columns(folded: Sequence[str]) -> tuple[str, ...]:
    """Return the column that each folded header cell names, "" for none.

    Where several name one column, the likeliest name counts; of equal names the first.
    """
    best: dict[str, tuple[int, int]] = {}
    for index, cell in enumerate(folded):
        column, rank = _PLACES.get(plain(cell), ("", 0))
        if column and (column not in best or (rank, index) < best[column]):
            best[column] = (rank, index)
    chosen = {index: column for column, (_, index) in best.items()}
    return tuple(chosen.get(index, "") for index in range(len(folded)))


def columns_of(table: str) -> Mapping[str, Column]:
    """Return the contract's columns of a table, or those that a list is read by."""
    if table != LIST:
        return CONTRACT.tables[table].by_name
    units = CONTRACT.tables["legal_entity"].by_name
    return {name: units[source] for name, source in _AS_IN.items()}
