"""What the workbooks call things: kinds of places, code lists, items of the forms, rules."""

from __future__ import annotations

import pyarrow as pa

from audit.arrow_tables import of_columns
from audit.contracts import CONTRACT
from audit.model import Label
from audit.wording import NUMBERS
from pipelines.context import RunContext


def rules(ctx: RunContext) -> pa.Table:
    """Return what the workbooks tell of the rules, columns RULE_FIELDS."""
    return ctx.engine.fetch(
        "SELECT rule_id, severity, clause, title_zh, title_en, verify_zh, verify_en, "
        "false_positives_zh, false_positives_en FROM audit.rule ORDER BY rule_id"
    )


def kinds() -> pa.Table:
    """Return the kinds of places by code, with their names in both languages."""
    names = {
        **CONTRACT.code_lists["unit_kind"],
        "frame": Label("清查底册单位", "frame line"),
        **{
            f"register{code}": Label(f"部门名录单位（{label.zh}）", f"register record ({label.en})")
            for code, label in CONTRACT.code_lists["register_source"].items()
        },
    }
    return of_columns(
        {
            "kind": list(names),
            "kind_zh": [label.zh for label in names.values()],
            "kind_en": [label.en for label in names.values()],
        }
    )


def labels() -> pa.Table:
    """Return the code lists that the texts about a related unit name: list, code, zh, en."""
    lists = ("register_source", "specialty")
    rows = [(name, code, v) for name in lists for code, v in CONTRACT.code_lists[name].items()]
    return of_columns(
        {
            "list": [name for name, _, _ in rows],
            "code": [code for _, code, _ in rows],
            "zh": [label.zh for _, _, label in rows],
            "en": [label.en for _, _, label in rows],
        }
    )


_HEADCOUNTS = frozenset(
    (
        "employees",
        "employees_female",
        "employees_average",
        "part_time",
        "on_post",
        "dispatched",
        "other_staff",
        "managers",
        "professionals",
        "clerks",
        "service_workers",
        "production_workers",
        "rd_staff",
        "rd_staff_female",
        "staff",
        "insured_persons",
    )
)
"""Items that count persons; their labels do not say so, those of amounts do."""

_ITEM_GROUPS = {
    "mandatory_items": Label("必填项", "Mandatory items"),
    "outside_m": Label("离普查小区的距离(米)", "Distance from the census block (m)"),
    "revenue_per_head": Label("人均营业收入(千元)", "Revenue per head (thousand yuan)"),
    "pay_per_head": Label("人均工资(千元)", "Pay per head (thousand yuan)"),
    "asset_ratio": Label("资产总计为营业收入的倍数", "Assets by revenue"),
    "n_headquarters": Label("本部个数", "Headquarters"),
}
"""What a rule may name that is no single delivered column."""

_FIGURES = frozenset(_ITEM_GROUPS) - {"mandatory_items"}
"""Those of them that are numbers."""


def _item(variable: str) -> tuple[str, str, bool]:
    """Return item number and name in both languages, and whether its values are numbers.

    A rule may name several columns joined by `|`; the number of an item is shown where all forms
    agree on it.
    """
    names_zh, names_en, numeric = [], [], []
    for part in variable.split("|"):
        columns = [t.by_name[part] for t in CONTRACT.tables.values() if part in t.by_name]
        items = {column.item for column in columns if column.item}
        number = f"{items.pop()} " if len(items) == 1 else ""
        label = CONTRACT.items.get(part) or _ITEM_GROUPS.get(part, Label(part, part))
        persons = part in _HEADCOUNTS
        names_zh.append(number + label.zh + ("(人)" if persons else ""))
        names_en.append(number + label.en + (" (persons)" if persons else ""))
        kinds = {column.type for column in columns}
        numeric.append(part in _FIGURES or (bool(kinds) and kinds <= set(NUMBERS)))
    return "、".join(names_zh), ", ".join(names_en), all(numeric)


def items(variables: list[str]) -> pa.Table:
    """Return the names of items in both languages, and whether their values are numbers."""
    told = [_item(variable) for variable in variables]
    return of_columns(
        {
            "variable": variables,
            "item_zh": [item[0] for item in told],
            "item_en": [item[1] for item in told],
            "is_number": [item[2] for item in told],
        },
        is_number=pa.bool_(),
    )
