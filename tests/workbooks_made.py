"""Workbooks of a county with few units, as the tests of workbooks open them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa

from reports.workbook import (
    BESIDE_FIELDS,
    FINDING_FIELDS,
    TOWNSHIP_FIELDS,
    UNIT_FIELDS,
    BookSet,
    CountyData,
    WorkbookSource,
    index_of,
    write_county,
    write_index_book,
)
from reports.workbook_book import WorkbookInfo
from reports.workbook_layout import position

INFO = WorkbookInfo(
    run_id="20190520-013000",
    created=datetime.fromisoformat("2019-05-20T01:30:00"),
    rulebook_digest="ab12" * 16,
)
FIRST = 4
NUMBERS = {
    "n_findings",
    "n_fatal",
    "n_units",
    "n_visit",
    "n_flagged",
    "n_random",
    "n_query",
    "n_info",
    "observed_number",
    "expected_number",
    "difference",
    "n_people",
    "n_wanted",
    "n_drawn",
}


def a_table(fields: tuple[str, ...], rows: list[dict[str, Any]]) -> pa.Table:
    types = {f: pa.float64() if f in NUMBERS else pa.string() for f in fields}
    types |= {"due_on": pa.date32()} if "due_on" in fields else {}
    columns = {f: pa.array([row.get(f) for row in rows], types[f]) for f in fields}
    return pa.table(columns)


def a_finding(key: str, **values: Any) -> dict[str, Any]:
    return {
        "finding_key": key,
        "place_key": "u|L1",
        "rule_id": "FRM002",
        "severity": "fatal",
        "clause": "三(三)1",
        "message_zh": "女性人数 9 大于期末人数 5",
        "message_en": "9 women among 5 employees",
        "township_code": "430405001000",
        "township": "东阳渡街道",
        "place_id": "L1",
        "credit_code": "014304000000000018",
        "name": "衡阳市甲公司",
        "state": "new",
        "first_run": "20190519-013000",
        "item_zh": "其中：女性",
        "item_en": "of which women",
        "observed": "9",
        "observed_number": 9.0,
        "expected": "5",
        "expected_number": 5.0,
        "difference": 4.0,
        **values,
    }


def a_unit(key: str = "u|L1", **values: Any) -> dict[str, Any]:
    return {
        "place_key": key,
        "place_id": key[2:],
        "credit_code": "014304000000000018",
        "name": "衡阳市甲公司",
        "kind_zh": "法人单位",
        "kind_en": "legal entity",
        "township_code": "430405001000",
        "township": "东阳渡街道",
        "address": "东阳渡街道1号",
        "phone": "0734-8110000",
        "contact": "张三",
        "enumerator": "李四（P05）",
        "n_findings": 1.0,
        "n_fatal": 1.0,
        "reason_zh": "女性人数不大于期末人数",
        "reason_en": "Women at most employees",
        "due_on": date(2019, 5, 27),
        **values,
    }


def a_township(code: str = "430405001000", **values: Any) -> dict[str, Any]:
    return {
        "township_code": code,
        "township": "东阳渡街道",
        "n_units": 40.0,
        "n_visit": 3.0,
        "n_flagged": 1.0,
        "n_random": 2.0,
        "n_fatal": 1.0,
        "n_query": 0.0,
        "n_info": 0.0,
        "n_findings": 1.0,
        **values,
    }


def a_county(
    findings: list[dict[str, Any]] | None = None,
    units: list[dict[str, Any]] | None = None,
    townships: list[dict[str, Any]] | None = None,
    name: str = "珠晖区",
) -> CountyData:
    return CountyData(
        code="430405",
        name=name,
        townships=a_table(TOWNSHIP_FIELDS, [a_township()] if townships is None else townships),
        units=a_table(UNIT_FIELDS, [a_unit()] if units is None else units),
        findings=a_table(FINDING_FIELDS, [a_finding("k1")] if findings is None else findings),
    )


def a_source(
    *counties: CountyData,
    leads: list[dict[str, Any]] | None = None,
    conclusions: list[dict[str, Any]] | None = None,
    draws: list[dict[str, Any]] | None = None,
) -> WorkbookSource:
    rules = pa.table(
        {
            "rule_id": ["FRM002", "REG006"],
            "severity": ["fatal", "query"],
            "clause": ["三(三)1", "三(一)3"],
            "title_zh": ["女性人数不大于期末人数", "营业收入与税务差异"],
            "title_en": ["Women at most employees", "Revenue against tax"],
            "verify_zh": ["看工资表", "看利润表"],
            "verify_en": ["See the payroll", "See the accounts"],
            "false_positives_zh": ["两栏口径不同", "税款跨期"],
            "false_positives_en": ["Two definitions", "Tax of another year"],
        }
    )
    return WorkbookSource(
        counties=counties,
        rules=rules,
        leads=a_table(BESIDE_FIELDS, leads or []),
        conclusions=a_table(BESIDE_FIELDS, conclusions or []),
        draws=a_table(("draw", "n_people", "n_wanted", "n_drawn"), draws or []),
    )


def write_workbooks(source: WorkbookSource, folder: Path, info: WorkbookInfo) -> list[Path]:
    """Write the workbooks and their index as a night without helpers does; the index is last."""
    shared = BookSet(folder=folder, info=info, rules=source.rules)
    rows = [row for county in source.counties for row in write_county(county, shared)]
    return write_index_book(shared, index_of(source, rows))


def write_book(folder: Path, *counties: CountyData, info: WorkbookInfo = INFO) -> Any:
    paths = write_workbooks(a_source(*counties), folder, info)
    return openpyxl.load_workbook(paths[0])


def cell_of(sheet: Any, columns: Any, key: str, row: int = FIRST) -> Any:
    return sheet.cell(row, position(columns, key) + 1)
