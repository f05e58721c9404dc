"""Workbooks: what is delivered gets into cells as it is, and nothing else comes of it."""

from __future__ import annotations

import hashlib
import os
import resource
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from workbooks_made import (
    FIRST,
    INFO,
    a_county,
    a_finding,
    a_source,
    a_unit,
    cell_of,
    write_book,
    write_workbooks,
)

from reports.workbook_cells import clean_texts, line_counts, row_hash, safe_name
from reports.workbook_layout import FINDING_COLUMNS, UNIT_COLUMNS, list_rule


def test_codes_stay_text_and_values_are_numbers(tmp_path: Path) -> None:
    sheet = write_book(tmp_path, a_county())["核查差错一览表"]
    code = cell_of(sheet, FINDING_COLUMNS, "credit_code")
    observed = cell_of(sheet, FINDING_COLUMNS, "observed")

    assert (code.value, code.data_type, code.number_format) == ("014304000000000018", "s", "@")
    assert (observed.value, observed.data_type, observed.number_format) == (9, "n", "#,##0")


def test_a_value_that_is_no_number_stays_text(tmp_path: Path) -> None:
    finding = a_finding("k1", observed="007", observed_number=None, difference=None)
    sheet = write_book(tmp_path, a_county([finding]))["核查差错一览表"]

    assert cell_of(sheet, FINDING_COLUMNS, "observed").value == "007"
    assert cell_of(sheet, FINDING_COLUMNS, "difference").value is None


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "{=1+1}",
        "http://example.com/a",
        "mailto:a@b.cn",
        "internal:_meta!A1",
        "0123",
        "1E5",
        "<r><t>x</t></r> ",
    ],
)
def test_hostile_names_stay_what_they_are(tmp_path: Path, name: str) -> None:
    county = a_county(
        [a_finding("k1", name=name, message_zh=name)], [a_unit(name=name, address=name)]
    )
    book = write_book(tmp_path, county)
    shown = [
        cell_of(book["核查差错一览表"], FINDING_COLUMNS, "name"),
        cell_of(book["核查差错一览表"], FINDING_COLUMNS, "message"),
        cell_of(book["单位核查表"], UNIT_COLUMNS, "address"),
    ]

    assert [(c.data_type, c.value, c.hyperlink) for c in shown] == [("s", name, None)] * 3
    formulas = [
        c.value
        for sheet in book.worksheets
        if sheet.title != "核查情况汇总表"
        for row in sheet.iter_rows()
        for c in row
        if c.data_type == "f"
    ]
    assert formulas == []


def test_markup_in_a_name_cannot_break_the_file(tmp_path: Path) -> None:
    name = "<r><t>甲</t></r>"
    sheet = write_book(tmp_path, a_county([a_finding("k1", name=name)]))["核查差错一览表"]

    assert cell_of(sheet, FINDING_COLUMNS, "name").value == name + " "


def test_a_name_that_looks_like_an_escape_is_escaped(tmp_path: Path) -> None:
    write_book(tmp_path, a_county([a_finding("k1", name="_x0041_")]))
    with zipfile.ZipFile(next(tmp_path.glob("430405*"))) as archive:
        text = archive.read("xl/worksheets/sheet4.xml").decode()

    assert "<t>_x005F_x0041_</t>" in text


def test_characters_that_xml_forbids_are_shown() -> None:
    texts = pl.Series(["甲\x01乙", "a\tb\r\nc", "\ufffe", None, "丙"])

    assert ["甲␁乙", "a\tb\nc", "\ufffd", None, "丙"] == clean_texts(texts).to_list()


def test_texts_too_long_for_a_cell_are_cut_visibly() -> None:
    text = clean_texts(pl.Series(["长" * 40_000]))[0]

    assert (len(text), text[-1]) == (32_001, "…")


def test_rows_carry_key_and_hash_and_meta_tells_the_export(tmp_path: Path) -> None:
    book = write_book(tmp_path, a_county([a_finding("k2"), a_finding("k1", severity="query")]))
    sheet = book["核查差错一览表"]
    meta = {row[0].value: row[1].value for row in book["_meta"].iter_rows()}
    key = cell_of(sheet, FINDING_COLUMNS, "finding_key")
    locked = [
        None if cell.value is None else cell.value
        for cell, column in zip(sheet[FIRST], FINDING_COLUMNS, strict=True)
        if column.kind in ("text", "number")
    ]
    digest = hashlib.sha256(b"k1\nk2").hexdigest()

    assert key.value == "k2"
    assert sheet.column_dimensions[key.column_letter].hidden
    assert cell_of(sheet, FINDING_COLUMNS, "row_hash").value == row_hash(locked)
    assert meta["keys_digest"] == digest
    assert meta["export_id"] == f"20190520-013000-430405-{digest[:8]}"
    assert (meta["rulebook_digest"], meta["findings"]) == ("ab12" * 16, "2")
    assert {p.name: p.value for p in book.custom_doc_props.props}["export_id"] == meta["export_id"]


def test_row_hash_takes_numbers_as_they_are_shown() -> None:
    assert row_hash(["甲", 9.0, None]) == row_hash(["甲", "9", ""])
    assert row_hash(["甲", 9.0, None]) != row_hash(["甲", 8.0, None])
    assert len(row_hash([])) == 16


def test_a_code_among_the_values_does_not_break(tmp_path: Path) -> None:
    values = {"observed": "91430405568242774C", "observed_number": None, "expected": "甲乙 丙"}
    finding = a_finding("k1", **values, expected_number=None)
    sheet = write_book(tmp_path, a_county([finding]))["核查差错一览表"]
    looks = [cell_of(sheet, FINDING_COLUMNS, key).alignment for key in ("observed", "expected")]

    assert [bool(look.wrap_text) for look in looks] == [False, True]
    assert sheet.column_dimensions["P"].width >= 20


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_workbooks(a_source(a_county()), tmp_path / "a", INFO)
    mask = os.umask(0o077)
    second = write_workbooks(a_source(a_county()), tmp_path / "b", INFO)
    os.umask(mask)

    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_place_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    paths = write_workbooks(a_source(a_county(name="../..\\甲:乙 & 丙")), tmp_path, INFO)

    assert paths[0].name == "430405_甲乙&丙_20190520-013000.xlsx"
    assert safe_name("a/b\x00c") == "abc"
    sheet: Any = openpyxl.load_workbook(paths[0])["单位核查表"]
    assert "&&" in sheet.oddFooter.left.text


def test_rows_are_as_high_as_their_longest_text() -> None:
    columns: list[Any] = [(["甲" * 10, "a", None], 11.0), ([7.0, "a\nb\nc", "b"], 11.0)]

    assert line_counts(columns) == [2, 3, 1]


@pytest.mark.parametrize("limit", [2_000, 8_000])
def test_a_full_disk_is_an_os_error_and_leaves_no_scratch(tmp_path: Path, limit: int) -> None:
    findings = [a_finding(f"k{n}") for n in range(60)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_workbooks(a_source(a_county(findings)), tmp_path, INFO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".scratch")] == []


def test_long_lists_come_from_the_hidden_sheet() -> None:
    where = "='_代码'!$A$2:$A$9"

    assert list_rule(["甲" * 200, "乙" * 60], "zh", where)["source"] == where
    assert list_rule(["a, b", "c"], "en", where)["source"] == where
    assert list_rule(["甲", "乙"], "zh", where)["source"] == ["甲", "乙"]
