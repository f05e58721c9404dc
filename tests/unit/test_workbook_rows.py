"""Rows written at once: the file is the one that the writer makes cell by cell."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reports import workbook_rows
from reports.workbook_book import WorkbookInfo, open_book
from reports.workbook_cells import Cell
from reports.workbook_rows import CellColumn, Runs, write_rows

INFO = WorkbookInfo(run_id="r", created=datetime.fromisoformat("2018-12-31"), rulebook_digest="d")
HEIGHTS = (15.0, 19.0, 34.5)
TEXTS = (
    None, "", "甲", "=1+1", "a&b<c>\"d\"", " a", "a\n", "\u00a0a", "<r><t>x</t></r>", "_x0041_",
    "http://a.b/c", "0123", "a\tb\nc", "\x01\x1f\ufffe\uffff", "长" * 40_000, "𠀀" * 20_000,
)  # fmt: skip
NUMBERS = (1.0, -0.5, 1e20, 1e-7, 1 / 3, 123456789012345.0, 0.0)


@contextmanager
def sheet_of(path: Path) -> Iterator[tuple[Any, list[Any]]]:
    """A sheet with a head, and three formats."""
    with open_book(path, INFO, path.parent, "t") as book:
        looks = [book.add_format({"bold": True}), *(
            book.add_format({"num_format": form}) for form in ("@", "0.0")
        )]  # fmt: skip
        sheet = book.add_worksheet("表")
        sheet.set_row(0, 30)
        sheet.write_string(0, 0, "头", looks[0])
        yield sheet, looks


def one_by_one(sheet: Any, columns: list[CellColumn]) -> None:
    """Write cells as the writer's own ways do."""
    for place, values in enumerate(zip(*(c.values for c in columns), strict=True)):
        row = 1 + place
        sheet.set_row(row, HEIGHTS[place % 3])
        for at, (value, column) in enumerate(zip(values, columns, strict=True)):
            look = column.looks[place] if isinstance(column.looks, list) else column.looks
            if value is None:
                sheet.write_blank(row, at, None, look)
            elif isinstance(value, str):
                sheet.write_string(row, at, value, look)
            else:
                sheet.write_number(row, at, value, look)


def at_once(sheet: Any, columns: list[CellColumn]) -> None:
    n = len(columns[0].values)
    write_rows(sheet, 1, [HEIGHTS[place % 3] for place in range(n)], columns)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(
    path: Path, way: Callable[[Any, list[CellColumn]], None], values: list[list[Cell]]
) -> dict[str, bytes]:
    with sheet_of(path) as (sheet, looks):
        columns = [CellColumn(column, looks[1]) for column in values]
        # The style that the first row needs last must not get the first number.
        mixed = [looks[2 if isinstance(value, float) else 1] for value in values[0]]
        way(sheet, [columns[0], *columns[1:], CellColumn(values[0], mixed)])
    return contents(path)


@pytest.mark.parametrize("batch", [2_000, 7])
def test_the_file_is_the_writers_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(workbook_rows, "BATCH", batch)
    mixed: list[Cell] = [v for pair in zip(NUMBERS, TEXTS, strict=False) for v in pair]
    texts: list[Cell] = [*TEXTS[: len(mixed)]]
    numbers: list[Cell] = [*NUMBERS, *NUMBERS]
    # A cell with `<r>…</r>` is markup to the writer, and never one here.
    plain: list[Cell] = [v for v in texts if v != TEXTS[8]][:12]
    values = [mixed[:12], plain, numbers[:12], [None] * 12]

    assert written(tmp_path / "a.xlsx", one_by_one, values) == written(
        tmp_path / "b.xlsx", at_once, values
    )


@pytest.mark.parametrize("text", TEXTS[2:])
def test_each_text_is_written_as_the_writer_does(tmp_path: Path, text: str) -> None:
    slow = [[text.replace("<r>", "<s>")], [1.0]]
    values: list[list[Cell]] = [[*column] for column in slow]

    assert written(tmp_path / "a.xlsx", one_by_one, values) == written(
        tmp_path / "b.xlsx", at_once, values
    )


def test_a_text_that_looks_like_markup_stays_text(tmp_path: Path) -> None:
    with sheet_of(tmp_path / "a.xlsx") as (sheet, looks):
        write_rows(sheet, 1, [19.0], [CellColumn(["<r><t>x</t></r>"], looks[1])])

    found = openpyxl.load_workbook(tmp_path / "a.xlsx", rich_text=True)["表"]["A2"].value
    assert "<r><t>x</t></r>" == found


@pytest.mark.parametrize(
    "pieces",
    [
        [("甲", True), (" 乙&<", False)],
        [("甲", False), ("乙", True), ("丙 ", False), ("丁\n", True)],
    ],
)
def test_pieces_in_a_font_of_their_own_are_the_writers_own(
    tmp_path: Path, pieces: list[tuple[str, bool]]
) -> None:
    with sheet_of(tmp_path / "a.xlsx") as (sheet, looks):
        sheet.set_row(1, 19)
        parts = [part for text, own in pieces for part in ([looks[0], text] if own else [text])]
        sheet.write_rich_string(1, 0, *parts, looks[1])
    with sheet_of(tmp_path / "b.xlsx") as (sheet, looks):
        markup = Runs(sheet, looks[0]).markup(pieces)
        write_rows(sheet, 1, [19.0], [CellColumn(["甲"], looks[1], [markup])])

    assert contents(tmp_path / "a.xlsx") == contents(tmp_path / "b.xlsx")


def test_what_is_written_below_stays_below(tmp_path: Path) -> None:
    with sheet_of(tmp_path / "a.xlsx") as (sheet, looks):
        last = write_rows(sheet, 1, [19.0, 19.0], [CellColumn(["a", "b"], looks[1])])
        write_rows(sheet, last + 1, [], [CellColumn([], looks[1])])
        sheet.write_string(last + 1, 0, "c", looks[1])

    rows = openpyxl.load_workbook(tmp_path / "a.xlsx")["表"].iter_rows(values_only=True)
    assert ["头", "a", "b", "c"] == [row[0] for row in rows]
