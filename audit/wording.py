"""How the values of a finding read in a sentence: codes with their names, amounts with separators.

Cells and columns keep the bare values; only the messages are worded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

import pyarrow as pa

from audit.arrow_tables import of_columns
from audit.contracts import CONTRACT
from audit.model import Label
from audit.reference import load_reference

NUMBERS = ("integer", "money", "decimal")
"""Types of the contract whose values are amounts or counts."""

# Rules write money with two decimals; a whole number may be a code, unless its item is a number.
_WHOLE, _BROKEN = re.compile(r"-?\d+"), re.compile(r"-?\d+\.\d+")
_MONEY = re.compile(r"(?<![\d.,])(\d{4,}(?:\.\d+)?)(?= 千元)")
# How a rule joins several codes: either of them, or all of them.
_JOINTS = re.compile(r"( 或 | )")
_WORDS = {" 或 ": Label(" 或 ", " or "), " ": Label("、", " and ")}


@cache
def code_names() -> Mapping[str, Mapping[str, Label]]:
    """Return the names of codes by column; a column of which tables disagree is left out.

    Regions are not among them: their list is delivered.
    """
    lists: dict[str, set[str]] = {}
    for table in CONTRACT.tables.values():
        for column in table.all_columns:
            lists.setdefault(column.name, set()).add(column.code_list)
    known = {**CONTRACT.code_lists, "industry": _industries()}
    # Units come first: what a rule names as their item is meant.
    lists["status"] = {"status"}
    return {
        name: known[next(iter(found))]
        for name, found in lists.items()
        if len(found) == 1 and next(iter(found)) in known
    }


def _industries() -> dict[str, Label]:
    """Return the names of industries; where a class has none in English, that of what it is in."""
    table = load_reference()["industry"]
    rows = {row["code"]: row for row in table.to_pylist()}

    def english(code: str) -> str:
        row = rows[code]
        return str(row["name_en"] or (english(row["parent"]) if row["parent"] else code))

    return {code: Label(row["name_zh"], english(code)) for code, row in rows.items()}


@cache
def _numeric() -> frozenset[str]:
    kinds: dict[str, set[str]] = {}
    for table in CONTRACT.tables.values():
        for column in table.all_columns:
            kinds.setdefault(column.name, set()).add(column.type)
    return frozenset(name for name, found in kinds.items() if found <= set(NUMBERS))


def grouped(number: str) -> str:
    """Return the text of a number with thousands separators, without an empty fraction."""
    whole, _, fraction = number.partition(".")
    sign = "-" if whole.startswith("-") else ""
    tail = f".{fraction}" if fraction.strip("0") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{tail}"


def _named(value: str, names: Mapping[str, Label]) -> Label | None:
    """Return a code, or codes that a rule joined, with their names; None for anything else."""
    parts = _JOINTS.split(value)
    if not all(code in names for code in parts[::2]):
        return None
    told = [
        _WORDS[part] if place % 2 else Label(f"{part} {names[part].zh}", f"{part} {names[part].en}")
        for place, part in enumerate(parts)
    ]
    return Label("".join(one.zh for one in told), "".join(one.en for one in told))


def word(variable: str, value: str) -> Label | None:
    """Return how a value reads in a sentence where that is not as it stands."""
    if (names := code_names().get(variable)) and (named := _named(value, names)):
        return named
    amount = _BROKEN.fullmatch(value) or (variable in _numeric() and _WHOLE.fullmatch(value))
    text = grouped(value) if amount else _MONEY.sub(lambda match: grouped(match[1]), value)
    return None if text == value else Label(text, text)


def worded(values: Iterable[tuple[str, str]]) -> pa.Table:
    """Return variable, value, zh, en of the values that read otherwise than they stand."""
    told = [(variable, value, word(variable, value)) for variable, value in values]
    known = [(variable, value, label) for variable, value, label in told if label]
    return of_columns(
        {
            "variable": [variable for variable, _, _ in known],
            "value": [value for _, value, _ in known],
            "zh": [label.zh for _, _, label in known],
            "en": [label.en for _, _, label in known],
        }
    )
