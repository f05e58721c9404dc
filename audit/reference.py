"""The shipped reference lists: industries, specialties, thresholds, size classes, code prefixes.

The lists are CSV files in `rules/reference`; working groups and rule families are YAML files in
`rules`. Lists that change by year carry a `vintage`; `industry_profile` resolves those of this
census for every class, so that a rule needs one join by `industry_code`.

Sources: GB/T 4754-2017; 国统字〔2017〕213号 (size classes); the 2018 and 2019 thresholds of the
"four above" panels (四上); GB 32100-2015 (credit code); the minimum wages of Hunan (2017-07-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from audit.arrow_tables import of_rows
from audit.contracts import read_yaml
from audit.model import Label

RULES_DIR = Path(__file__).resolve().parents[1] / "rules"
REFERENCE_DIR = RULES_DIR / "reference"
THRESHOLD_VINTAGE = "2018"
SIZE_VINTAGE = "2017"

_THRESHOLDS = ("main_revenue_min_kyuan", "revenue_min_kyuan", "employees_min")
_BOUNDS = tuple(
    f"{indicator}_{size}{unit}"
    for indicator, unit in (("employees", ""), ("revenue", "_kyuan"), ("assets", "_kyuan"))
    for size in ("large", "medium", "small")
)
_COLUMNS: dict[str, tuple[str, ...]] = {
    "industry": ("code", "level", "parent", "name_zh", "name_en"),
    "specialty_of_industry": ("prefix", "specialty", "note_zh", "vintage"),
    "threshold": (
        *("vintage", "industry_prefix", "specialty", "basis"),
        *_THRESHOLDS,
        "note_zh",
    ),
    "size_class": ("vintage", "industry_prefix", "industry_zh", *_BOUNDS),
    "credit_code_prefix": ("prefix", "body_zh", "body_en", "institution_types", "in_scope"),
    "licence_type": ("licence_type", "registration_types", "note_zh"),
    "activity_word": ("word", "divisions", "note_zh"),
    "minimum_wage": ("vintage", "region_prefix", "month_yuan", "note_zh"),
}
_TYPES = {name: pa.int64() for name in (*_THRESHOLDS, *_BOUNDS, "month_yuan")} | {
    "in_scope": pa.bool_()
}
_PROFILE_THRESHOLDS = {
    "threshold_basis": "basis",
    "threshold_main_revenue_kyuan": "main_revenue_min_kyuan",
    "threshold_revenue_kyuan": "revenue_min_kyuan",
    "threshold_employees": "employees_min",
}
PROFILE_SCHEMA = pa.schema(
    [
        ("industry_code", pa.string()),
        ("division", pa.string()),
        ("section", pa.string()),
        ("in_scope", pa.bool_()),
        ("specialty", pa.string()),
        *((to, _TYPES.get(name, pa.string())) for to, name in _PROFILE_THRESHOLDS.items()),
        ("size_covered", pa.bool_()),
        *((f"size_{name}", pa.int64()) for name in _BOUNDS),
    ]
)
"""Columns of `industry_profile`; money in thousand yuan (千元), NULL where it is not used."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A working group (工作组) and the codes of item 114 that it answers for."""

    id: str
    label: Label
    specialties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of rules: its id prefix, its folder, and the clause of the plan it serves."""

    id: str
    folder: str
    label: Label
    clause: str


def _read_list(path: Path, columns: tuple[str, ...]) -> pa.Table:
    options = pacsv.ConvertOptions(
        column_types={name: _TYPES.get(name, pa.string()) for name in columns},
        strings_can_be_null=True,
        null_values=[""],
        true_values=["yes"],
        false_values=["no"],
    )
    table = pacsv.read_csv(path, convert_options=options)
    if tuple(table.column_names) != columns:
        raise ValueError(f"{path.name}: columns are {table.column_names}, not {list(columns)}")
    return table


def _by_prefix(table: pa.Table, key: str, vintage: str) -> dict[str, dict[str, Any]]:
    rows = [row for row in table.to_pylist() if row["vintage"] == vintage]
    found = {row[key]: row for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"{key}: a prefix stands twice in vintage {vintage}")
    return found


def _longest(code: str, rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return next((rows[code[:n]] for n in (4, 3, 2) if code[:n] in rows), {})


def _in_scope(division: str) -> bool:
    # Domain of the census: 农林牧渔专业及辅助性活动 and sections B to S.
    return "05" <= division <= "96"


def _profile(lists: Mapping[str, pa.Table]) -> pa.Table:
    specialties = _by_prefix(lists["specialty_of_industry"], "prefix", SIZE_VINTAGE)
    thresholds = _by_prefix(lists["threshold"], "industry_prefix", THRESHOLD_VINTAGE)
    sizes = _by_prefix(lists["size_class"], "industry_prefix", SIZE_VINTAGE)
    industry = lists["industry"].to_pylist()
    section = {row["code"]: row["parent"] for row in industry if row["level"] == "2"}
    rows = []
    for code in (row["code"] for row in industry if row["level"] == "4"):
        threshold, size = _longest(code, thresholds), _longest(code, sizes)
        rows.append(
            {
                "industry_code": code,
                "division": code[:2],
                "section": section[code[:2]],
                "in_scope": _in_scope(code[:2]),
                "specialty": _longest(code, specialties).get("specialty"),
                "size_covered": bool(size),
            }
            | {to: threshold.get(name) for to, name in _PROFILE_THRESHOLDS.items()}
            | {f"size_{name}": size.get(name) for name in _BOUNDS}
        )
    return of_rows(rows, PROFILE_SCHEMA)


@cache
def _load(folder: Path) -> dict[str, pa.Table]:
    lists = {name: _read_list(folder / f"{name}.csv", cols) for name, cols in _COLUMNS.items()}
    return lists | {"industry_profile": _profile(lists)}


def load_reference(folder: Path = REFERENCE_DIR) -> dict[str, pa.Table]:
    """Return the reference lists by name, and `industry_profile` computed from them.

    `industry`: code, level ("1" section, "2" division, "3" group, "4" class), parent, name_zh,
    name_en (sections and divisions only).
    `specialty_of_industry`: prefix, specialty (item 114), note_zh, vintage; longest prefix wins.
    `threshold`: vintage, industry_prefix, specialty, basis, main_revenue_min_kyuan,
    revenue_min_kyuan, employees_min, note_zh. With basis `minimum` a unit is above if it reaches
    any given minimum; `qualified`: if it holds a construction qualification; `all`: always.
    `size_class`: vintage, industry_prefix, industry_zh, and the lower bounds of large, medium and
    small for employees, revenue and assets. A unit has the highest class of which it reaches all
    given bounds; below small it is micro.
    `credit_code_prefix`: prefix (characters 1 and 2), body_zh, body_en, institution_types (codes
    of item 211 joined by `|`, NULL where not fixed), in_scope (FALSE: no legal entity or
    establishment of this census has such a code).
    `licence_type`: licence_type of the market regulator, registration_types (codes of item 205
    joined by `|`), note_zh. `activity_word`: a word in the text of a main activity, the divisions
    of GB/T 4754-2017 that it points to joined by `|`, note_zh.
    `minimum_wage`: vintage (year), region_prefix (digits of the region code; the longest wins),
    month_yuan (yuan a month, int64), note_zh.
    `industry_profile`: one row a class, columns of `PROFILE_SCHEMA`; thresholds of 2018, size
    bounds of 2017.

    Money is thousand yuan (千元), int64; `in_scope` and `size_covered` are boolean; the rest is
    text. An empty cell is NULL. Raises ValueError where a file has other columns or a prefix
    stands twice.
    """
    return dict(_load(folder))


def _entries(path: Path, keys: set[str]) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = read_yaml(path)
    for name, entry in entries.items():
        if set(entry) != keys:
            raise ValueError(f"{path.name} {name}: keys are {sorted(entry)}, not {sorted(keys)}")
    return entries


@cache
def load_owners(path: Path = RULES_DIR / "owners.yaml") -> tuple[Owner, ...]:
    """Return the 14 working groups in the plan's order; ValueError names a wrong entry."""
    entries = _entries(path, {"zh", "en", "specialties"})
    return tuple(
        Owner(name, Label(entry["zh"], entry["en"]), tuple(entry["specialties"]))
        for name, entry in entries.items()
    )


@cache
def load_families(path: Path = RULES_DIR / "families.yaml") -> tuple[Family, ...]:
    """Return the families of rules in catalogue order; ValueError names a wrong entry."""
    entries = _entries(path, {"folder", "zh", "en", "clause"})
    return tuple(
        Family(name, entry["folder"], Label(entry["zh"], entry["en"]), entry["clause"])
        for name, entry in entries.items()
    )
