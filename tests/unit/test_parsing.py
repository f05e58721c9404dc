"""Delivered text to typed values, by the contract's forms only."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from audit.contracts import CONTRACT, Column, Table
from audit.model import Label
from pipelines.parsing import (
    normalise_text,
    parse,
    parse_code,
    parse_date,
    parse_month,
    parse_number,
    parse_time,
)

LABEL = Label("列", "column")


def column(kind: str, name: str = "x", **more: object) -> Column:
    return Column(name=name, label=LABEL, type=kind, **more)  # type: ignore[arg-type]


def texts(*values: str | None) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


def bad_codes(column: Column, *values: str) -> list[str]:
    """The kind of damage of each code, "" for a sound one."""
    _, faults = parse_code(texts(*values), column)
    return [
        next((kind for kind, rows in faults if rows[index]), "") for index in range(len(values))
    ]


def test_text_is_folded_and_trimmed_and_nothing_left_is_null() -> None:
    frame = pl.DataFrame({"a": ["\u3000１２３（Ａ） ", " \u200b", None], "b": [" x\t", "", "y"]})

    result = normalise_text(frame)

    assert {"a": ["123(A)", None, None], "b": ["x", None, "y"]} == result.to_dict(as_series=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.304E+11", "exponent"),
        ("4.30421e13", "exponent"),
        ("9E+17", "exponent"),
        ("430422100.0", "decimal"),
        ("43040500201", "short"),
        ("4304050020011", ""),
        ("4304050020AB", ""),
        ("1E5", ""),
    ],
)
def test_codes_that_a_spreadsheet_damaged(text: str, expected: str) -> None:
    assert [expected] == bad_codes(column("code", length=12), text)


def test_frame_codes_have_no_length_but_no_exponent_either() -> None:
    assert ["exponent", ""] == bad_codes(column("code"), "4.30421E+13", "43")


def test_short_region_codes_are_padded_behind() -> None:
    region = column("code", length=12, code_list="region")

    values, _ = parse_code(texts("43", "4304", "430405", "430405001", "43040", None), region)

    assert [
        "430000000000",
        "430400000000",
        "430405000000",
        "430405001000",
        "43040",
        None,
    ] == values.to_list()
    assert ["", "short"] == bad_codes(region, "430405", "43040")


def test_credit_and_organisation_codes_of_wrong_length_are_left_to_the_rules() -> None:
    assert [""] == bad_codes(column("code", length=18), "91430400123")
    assert [""] == bad_codes(column("code", length=9), "12345678")
    assert ["exponent"] == bad_codes(column("code", length=18), "9.14304E+17")


@pytest.mark.parametrize("empty", ["-", "—", "——", "NULL", "null", "无"])
def test_marks_of_an_empty_number(empty: str) -> None:
    value, bad = parse_number(texts(empty, "1"), column("integer"))

    assert ([None, 1], [False, False]) == (value.to_list(), bad.to_list())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,387", 1387),
        ("+5", 5),
        ("-5", -5),
        ("−5", -5),
        ("12.0", 12),
        ("12.5", None),
        ("1,38,7", None),
        ("12人", None),
        ("约200", None),
        ("5O", None),
        ("1E5", None),
        ("12%", None),
        ("99999999999999999999", None),
    ],
)
def test_integers(text: str, expected: int | None) -> None:
    value, bad = parse_number(texts(text), column("integer"))

    assert (expected, expected is None) == (value[0], bad[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234,567.25", 1234567.25),
        (".5", 0.5),
        ("5.", 5.0),
        ("inf", None),
        ("nan", None),
        ("9" * 400, None),
        ("3千万", None),
    ],
)
def test_money(text: str, expected: float | None) -> None:
    value, bad = parse_number(texts(text), column("money"))

    assert (expected, expected is None) == (value[0], bad[0])


def test_months() -> None:
    delivered = ("201801", "2018-12", "201813", "2018年13月", "2018/01", "000001", None)

    value, bad = parse_month(texts(*delivered))

    assert ["201801", "201812", None, None, None, None, None] == value.to_list()
    assert [False, False, True, True, True, True, False] == bad.to_list()


def test_dates_of_the_calendar() -> None:
    value, bad = parse_date(
        texts("2018-02-28", "2018/02/28", "20180228", "2018-02-30", "2018-2-3", None)
    )

    assert [date(2018, 2, 28)] * 3 + [None] * 3 == value.to_list()
    assert [False, False, False, True, True, False] == bad.to_list()


def test_times_are_local() -> None:
    value, bad = parse_time(
        texts(
            "2019-04-25 09:30:00",
            "2019-04-25T09:30",
            "2019-04-25T01:30:00Z",
            "2019-04-25T09:30:00.000+08:00",
            "2019-13-45 10:00:00",
            "2019-04-25 24:00:00",
            None,
        )
    )

    assert [datetime(2019, 4, 25, 9, 30)] * 4 + [None] * 3 == value.to_list()  # noqa: DTZ001
    assert [False] * 4 + [True, True, False] == bad.to_list()


TABLE = Table(
    name="t",
    title=LABEL,
    key=("id",),
    columns=(
        column("text", "id", required=True),
        column("integer", "n", required=True),
        column("date", "d"),
    ),
)


def test_faults_come_by_column_and_a_required_empty_number_is_missing() -> None:
    frame = pl.DataFrame({"id": ["a", None, "c"], "n": ["-", "x", "3"], "d": [None, "y", None]})

    parsed = parse(TABLE, frame)

    found = [(f.column, f.reason, f.rows.to_list()) for f in parsed.faults]
    assert [
        ("id", "missing_required", [False, True, False]),
        ("n", "missing_required", [True, False, False]),
        ("n", "bad_number", [False, True, False]),
        ("d", "bad_date", [False, True, False]),
    ] == found
    assert [None, None, 3] == parsed.values["n"].to_list()


def test_types_are_those_of_the_contract_also_for_columns_without_a_value() -> None:
    table = CONTRACT.tables["edit_event"]
    frame = pl.DataFrame({c.name: [None] for c in table.columns}, schema_overrides=None).cast(
        pl.String
    )

    parsed = parse(table, frame)

    assert pl.Int64 == parsed.values.schema["event_id"]
    assert pl.Datetime("us") == parsed.values.schema["edited_at"]
