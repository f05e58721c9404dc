"""Derived columns: literal values, unknowns, and the view of all units against them."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from audit.contracts import CONTRACT
from audit.derive import EXPRESSIONS, POLARS_TYPES, DeriveLists, derive
from audit.engines.duckdb import DuckDBEngine
from audit.night import create_unit_view
from audit.views import UNIT_SOURCES

LISTS = DeriveLists(
    pl.DataFrame(
        {
            "industry_code": ["1310", "0111", "9700"],
            "in_scope": [True, False, False],
            "specialty": ["B", None, None],
            "division": ["13", "01", "97"],
        }
    )
)
GOOD = "9144030071526726XG"


def _frame(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    columns = CONTRACT.tables[table].columns
    return pl.DataFrame(
        {c.name: [row.get(c.name) for row in rows] for c in columns},
        schema={c.name: POLARS_TYPES[c.type] for c in columns},
    )


def _derived(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    return derive(table, _frame(table, *rows), LISTS)


def test_every_derived_column_of_the_contract_has_an_expression() -> None:
    wanted = {column.name for table in CONTRACT.tables.values() for column in table.derived}

    assert wanted == set(EXPRESSIONS)


@pytest.mark.parametrize(
    ("region", "county", "township"),
    [
        ("430422101003", "430422000000", "430422101000"),
        ("430422101", "430422000000", "430422101000"),
        ("43042210", "430422000000", None),
        ("430422", "430422000000", None),
        ("43042", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_county_and_township(region: str | None, county: str | None, township: str | None) -> None:
    frame = _derived("legal_entity", {"region_code": region})

    assert frame.select("county_code", "township_code").rows() == [(county, township)]


def test_names() -> None:
    frame = _derived(
        "establishment",
        {"name": "衡阳（市） 甲有限责任公司本部", "parent_name": "衡阳(市)甲有限公司"},
        {"name": "（）", "parent_name": None},
    )

    assert frame.select("name_key", "parent_name_key").rows() == [
        ("衡阳市甲有限公司", "衡阳市甲有限公司"),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("code", "shape", "check", "org"),
    [
        (GOOD, True, True, True),
        ("9144030071526726XH", True, False, True),
        ("9144030071526727XG", True, False, False),
        ("9144030071526726XI", False, None, None),  # I is not of the alphabet
        ("9144030071526726X", False, None, None),
        (None, None, None, None),
    ],
)
def test_credit_codes(
    code: str | None, shape: bool | None, check: bool | None, org: bool | None
) -> None:
    frame = _derived("legal_entity", {"credit_code": code})

    verdicts = frame.select("credit_code_shape_ok", "credit_code_check_ok", "credit_code_org_ok")
    assert verdicts.rows() == [(shape, check, org)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [("71526726X", True), ("715267260", False), ("7152672", False), (None, None)],
)
def test_organisation_codes(code: str | None, expected: bool | None) -> None:
    assert _derived("legal_entity", {"org_code": code})["org_code_check_ok"].to_list() == [expected]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1310", ("13", True, True, "B")),
        ("0111", ("01", True, False, None)),
        ("1399", ("13", False, None, None)),
        ("131", ("13", False, None, None)),
        (None, (None, None, None, None)),
    ],
)
def test_industries(code: str | None, expected: tuple[object, ...]) -> None:
    frame = _derived("legal_entity", {"industry_code": code})

    columns = ("industry_division", "industry_known", "industry_in_scope", "industry_specialty")
    assert frame.select(columns).rows() == [expected]


def test_register_days_and_record_id() -> None:
    frame = _derived(
        "register_unit",
        {
            "source": "tax", "register_id": "007",
            "opened_on": date(1970, 1, 1), "closed_on": date(1969, 12, 31),
        },
        {"source": "tax", "opened_on": date(2018, 12, 31)},
    )  # fmt: skip

    assert frame.select("record_id", "opened_day", "closed_day").rows() == [
        ("tax|007", 0, -1),
        (None, 17896, None),
    ]
    assert frame.schema["opened_day"] == pl.Int64()


def test_rows_keep_their_order_and_number() -> None:
    codes = ["9999", "1310", None, "0111", "1310"]
    rows = [{"unit_id": f"L{n}", "industry_code": code} for n, code in enumerate(codes)]

    frame = _derived("legal_entity", *rows)

    assert frame.select("unit_id", "industry_code").rows() == [
        ("L0", "9999"), ("L1", "1310"), ("L2", None), ("L3", "0111"), ("L4", "1310"),
    ]  # fmt: skip


@pytest.mark.parametrize("table", sorted(CONTRACT.tables))
def test_columns_are_the_contracts_then_the_provenance(table: str) -> None:
    provenance = pl.DataFrame(schema={"file_no": pl.Int32(), "row_no": pl.Int64()})

    frame = derive(table, pl.concat([provenance, _frame(table)], how="horizontal"), LISTS)

    expected = {c.name: POLARS_TYPES[c.type] for c in CONTRACT.tables[table].all_columns}
    assert list(frame.schema.items()) == [
        *expected.items(), ("file_no", pl.Int32()), ("row_no", pl.Int64()),
    ]  # fmt: skip


def test_derived_column_that_is_given_is_kept() -> None:
    given = _frame("legal_entity", {"name": "甲", "industry_code": "1310"}).with_columns(
        name_key=pl.lit("乙"), industry_specialty=pl.lit("F")
    )

    frame = derive("legal_entity", given, LISTS)

    wanted = ("name_key", "industry_specialty", "industry_known")
    assert frame.select(wanted).rows() == [("乙", "F", True)]


def _world() -> dict[str, list[dict[str, Any]]]:
    return {
        "legal_entity": [
            {
                "unit_id": "L1", "form": "611", "credit_code": GOOD, "org_code": "71526726X",
                "name": "甲（本部）", "legal_rep": "赵", "phone_fixed": "1", "phone_mobile": "2",
                "industry_code": "1310", "specialty": "F", "region_code": "430422101003",
                "employees": 5, "revenue_kyuan": 1.5, "filing_mode": "1", "explanation": "说",
                "parent_credit_code": "P", "registration_type": "110",
            },
            {"unit_id": "L2"},
        ],
        "establishment": [
            {
                "unit_id": "E1", "form": "611", "credit_code": "bad", "org_code": "715267260",
                "name": "乙", "person_in_charge": "钱", "phone_mobile": "3", "specialty": "B",
                "is_headquarters": "1", "industry_code": "0111", "region_code": "430422101",
            },
        ],
        "self_employed": [
            {
                "unit_id": "S1", "name": "丙店", "operator": "孙", "phone": "4",
                "industry_code": "1310", "region_code": "430422", "employees": 1,
            },
        ],
    }  # fmt: skip


EXPECTED_UNITS: list[dict[str, Any]] = [
    {
        "unit_id": "L1", "unit_kind": "1", "form": "611", "credit_code": GOOD,
        "org_code": "71526726X", "name": "甲（本部）", "person": "赵", "phone_fixed": "1",
        "phone_mobile": "2", "industry_code": "1310", "specialty": "F",
        "region_code": "430422101003", "employees": 5, "revenue_kyuan": 1.5, "filing_mode": "1",
        "explanation": "说", "parent_credit_code": "P", "registration_type": "110",
    },
    {"unit_id": "L2", "unit_kind": "1"},
    {
        "unit_id": "E1", "unit_kind": "2", "form": "611", "credit_code": "bad",
        "org_code": "715267260", "name": "乙", "person": "钱", "phone_mobile": "3",
        "specialty": "B", "is_headquarters": "1", "industry_code": "0111",
        "region_code": "430422101",
    },
    {
        "unit_id": "S1", "unit_kind": "3", "form": "个体", "name": "丙店", "person": "孙",
        "phone_mobile": "4", "specialty": "B", "industry_code": "1310", "region_code": "430422",
        "employees": 1,
    },
]  # fmt: skip


def test_unit_view_is_what_derive_makes_of_all_units() -> None:
    expected = _derived("unit", *EXPECTED_UNITS)

    with DuckDBEngine() as engine:
        for table, rows in _world().items():
            engine.register("incoming", _derived(table, *rows).to_arrow())
            engine.materialise(f"census.{table}", "SELECT * FROM incoming")
        create_unit_view(engine)
        actual = pl.from_arrow(engine.fetch("SELECT * FROM unit ORDER BY unit_kind, unit_id"))

    assert isinstance(actual, pl.DataFrame)
    assert expected.schema == actual.schema
    assert expected.rows(named=True) == actual.rows(named=True)


def test_unit_view_needs_the_three_tables() -> None:
    with DuckDBEngine() as engine:
        engine.materialise("census.legal_entity", "SELECT 1 AS unit_id")

        with pytest.raises(ValueError, match="missing: \\['establishment', 'self_employed'\\]"):
            create_unit_view(engine)
    assert list(UNIT_SOURCES) == ["legal_entity", "establishment", "self_employed"]
