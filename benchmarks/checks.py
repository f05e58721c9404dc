"""The twenty single-table checks that the audit and Great Expectations both run.

Each is written twice: as the SQL of a rule (`holds`) and as the name and arguments of an
expectation. Columns are those of the view `unit` of a package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CREDIT = r"^[0-9A-HJ-NPQRTUWXY]{18}$"


@dataclass(frozen=True, slots=True)
class TwinCheck:
    """One check: its scope and verdict in SQL, and its expectation."""

    id: str
    holds: str
    expectation: str
    arguments: dict[str, Any]
    scope: str = "TRUE"


def _filled(number: int, column: str) -> TwinCheck:
    return TwinCheck(
        f"FRM{900 + number}",
        f"u.{column} IS NOT NULL",
        "expect_column_values_to_not_be_null",
        {"column": column},
    )


def _listed(number: int, column: str, codes: list[str]) -> TwinCheck:
    items = ", ".join(f"'{code}'" for code in codes)
    return TwinCheck(
        f"FRM{900 + number}",
        f"u.{column} IN ({items})",
        "expect_column_values_to_be_in_set",
        {"column": column, "value_set": codes},
        f"u.{column} IS NOT NULL",
    )


def _long(number: int, column: str, length: int) -> TwinCheck:
    return TwinCheck(
        f"FRM{900 + number}",
        f"LENGTH(u.{column}) = {length}",
        "expect_column_value_lengths_to_equal",
        {"column": column, "value": length},
        f"u.{column} IS NOT NULL",
    )


def _between(number: int, column: str, low: int, high: int) -> TwinCheck:
    return TwinCheck(
        f"FRM{900 + number}",
        f"u.{column} BETWEEN {low} AND {high}",
        "expect_column_values_to_be_between",
        {"column": column, "min_value": low, "max_value": high},
        f"u.{column} IS NOT NULL",
    )


STATUS = [str(n) for n in range(1, 10)]
SPECIALTY = list("ABCESXFHILJ")
CHECKS = (
    _filled(1, "name"),
    _filled(2, "industry_code"),
    _filled(3, "block_code"),
    _filled(4, "person"),
    _filled(5, "employees"),
    _filled(6, "activity"),
    _listed(7, "status", STATUS),
    _listed(8, "specialty", SPECIALTY),
    _listed(9, "unit_kind", ["1", "2", "3"]),
    _listed(10, "filing_mode", ["1", "2", "3"]),
    _long(11, "region_code", 12),
    _long(12, "block_code", 3),
    _long(13, "industry_code", 4),
    _between(14, "employees", 0, 50_000),
    _between(15, "employees_female", 0, 50_000),
    _between(16, "revenue_kyuan", 0, 100_000_000),
    TwinCheck(
        "FRM917",
        "u.employees_female <= u.employees",
        "expect_column_pair_values_a_to_be_greater_than_b",
        {
            "column_A": "employees",
            "column_B": "employees_female",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
    ),
    TwinCheck(
        "FRM918",
        "u.credit_code_shape_ok",
        "expect_column_values_to_match_regex",
        {"column": "credit_code", "regex": CREDIT},
        "u.credit_code IS NOT NULL",
    ),
    TwinCheck(
        "FRM919",
        "LEFT(u.region_code, 4) = '4304'",
        "expect_column_values_to_match_regex",
        {"column": "region_code", "regex": "^4304"},
        "u.region_code IS NOT NULL",
    ),
    TwinCheck(
        "FRM920",
        "LENGTH(u.name) BETWEEN 2 AND 60",
        "expect_column_value_lengths_to_be_between",
        {"column": "name", "min_value": 2, "max_value": 60},
        "u.name IS NOT NULL",
    ),
)
COLUMNS = sorted(
    {
        str(value)
        for check in CHECKS
        for key, value in check.arguments.items()
        if key.startswith("column")
    }
    | {"unit_id"}
)
