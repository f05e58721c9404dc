"""What must be right in every finding of every rule: the values beside the item, the sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audit.contracts import CONTRACT
from audit.model import Rule
from audit.wording import NUMBERS, code_names
from pipelines.rule_cases import Case

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_BARE = re.compile(r"(?<![\d.,—-])\d{4,}(\.\d+)? ?(千元|人|thousand yuan|employees)")


_PERSONS = ("legal_rep", "person_in_charge", "operator")


def _kinds(variable: str) -> set[str]:
    """Return the types of a delivered item in its tables; none for what the program computes."""
    return {
        column.type
        for table in CONTRACT.delivered
        for column in table.columns
        if column.name == variable
    }


def _same(shown: str, value: str) -> bool:
    if _NUMBER.fullmatch(shown) and _NUMBER.fullmatch(value):
        return float(shown) == float(value)
    return value in shown or shown in value


def _columns(variable: str) -> tuple[str, ...]:
    """Return what an item is called in the forms and in the table of all units."""
    return (variable, "person") if variable in _PERSONS else (variable,)


def _values(case: Case, variable: str) -> list[str]:
    """Return the values of an item in a case, and its sums by unit."""
    found = [
        (row.get("unit_id", ""), row[name])
        for rows in case.given.values()
        for row in rows
        for name in _columns(variable)
        if row.get(name)
    ]
    sums: dict[str, float] = {}
    for unit, value in found:
        if _NUMBER.fullmatch(value):
            sums[unit] = sums.get(unit, 0.0) + float(value)
    return [value for _, value in found] + [str(total) for total in sums.values()]


def _elsewhere(case: Case, variable: str) -> set[str]:
    """Return the values of all other items of a case."""
    return {
        value
        for rows in case.given.values()
        for row in rows
        for name, value in row.items()
        if name not in _columns(variable) and value
    }


def another_items_value(finding: Mapping[str, Any], case: Case) -> str:
    """Return what is wrong where the value shown beside an item is that of another one; else "".

    A sentence is no value: only a bare number, or a text that stands in another column, is taken
    for one. What a number is compared with must be a number or a sentence, of a code a code.
    """
    variable, shown, against = (finding[name] for name in ("variable", "observed", "expected"))
    kinds = _kinds(variable or "")
    if not kinds:
        return ""
    own = _values(case, variable)
    if shown and not any(_same(shown, value) for value in own):
        if _NUMBER.fullmatch(shown) and (kinds <= set(NUMBERS) or variable in code_names()):
            return f"{variable} shows {shown}, which is none of its values"
        if shown in _elsewhere(case, variable):
            return f"{variable} shows {shown}, the value of another item"
    names = code_names().get(variable)
    if names and against and _NUMBER.fullmatch(against) and against not in names:
        return f"{variable} is compared with {against}, which is no code of its list"
    return ""


def badly_told(finding: Mapping[str, Any], rule: Rule) -> str:
    """Return an amount without separators or a code without its name in the sentences; else ""."""
    for text in (finding["message_zh"], finding["message_en"]):
        if bare := _BARE.search(text):
            return bare[0]
    names = code_names().get(finding["variable"] or "", {})
    for name in ("observed", "expected"):
        value, field = finding[name], "{" + name + "}"
        if value not in names:
            continue
        for text, sentence, label in (
            (rule.message.zh, finding["message_zh"], names[value].zh),
            (rule.message.en, finding["message_en"], names[value].en),
        ):
            if field in text and f"{value} {label}" not in sentence:
                return f"{value} without its name"
    return ""
