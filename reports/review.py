"""Review workbooks: pairs that may be one unit, side by side, for people to decide.

Nothing delivered ever becomes a formula or a link; the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from rapidfuzz.distance import Levenshtein

from reports.review_texts import ANSWERS
from reports.workbook_book import Formats, WorkbookInfo, open_book
from reports.workbook_cells import Cell, column_cells, line_counts, row_hash, safe_name
from reports.workbook_layout import (
    A3,
    FIRST_ROW,
    TABLE_FONT,
    TABLE_LINE,
    YELLOW,
    SheetColumn,
    cells_of,
    finish_table,
    list_rule,
    page,
    position,
    write_head,
)
from reports.workbook_rows import CellColumn, Runs, write_rows
from reports.workbook_texts import EVIDENCE, choices, say

MAX_PAIRS = 1000
"""With more pairs than this there is a workbook for each county of the left record."""

SCHEMA_VERSION = "review/2"
META_SHEET, CODES_SHEET = "_meta", "_代码"
RED = "#C00000"

PAIR_FIELDS = (
    "left_id",
    "right_id",
    "left_table",
    "right_table",
    "county_code",
    "county",
    "probability",
    *(
        f"{side}_{key}"
        for key in ("name", "credit_code", "owner", "phone", "address")
        for side in ("left", "right")
    ),
    "left_record_zh",
    "left_record_en",
    "right_record_zh",
    "right_record_en",
    "relation_zh",
    "relation_en",
    "comparison_zh",
    "comparison_en",
    "linked_zh",
    "linked_en",
)
"""Columns of the table of pairs, which is in the order of the queue."""

_COMPARED = (
    ("name", 26, "band_name"),
    ("credit_code", 20.5, "band_code"),
    ("owner", 10, "band_person"),
    ("phone", 14, "band_phone"),
    ("address", 26, "band_address"),
    ("record", 16, "band_record"),
)
PAIR_COLUMNS = (
    SheetColumn("pair_no", 5, "number", "band_pair"),
    *(
        SheetColumn(f"{side}_{key}", width, "text", band)
        for key, width, band in _COMPARED
        for side in ("left", "right")
    ),
    SheetColumn("probability", 8, "number", "band_matcher"),
    SheetColumn("relation", 12, "text", "band_matcher"),
    SheetColumn("comparison", 40, "text", "band_matcher"),
    SheetColumn("linked", 24, "text", "band_matcher"),
    SheetColumn("answer", 11, "answer", "band_decision"),
    SheetColumn("answer_basis", 10, "answer", "band_decision"),
    SheetColumn("answer_note", 18, "answer", "band_decision"),
    SheetColumn("answer_person", 9, "answer", "band_decision"),
    SheetColumn("answer_date", 11, "date", "band_decision"),
    SheetColumn("left_table", 12, "hidden", "band_decision"),
    SheetColumn("left_id", 12, "hidden", "band_decision"),
    SheetColumn("right_table", 12, "hidden", "band_decision"),
    SheetColumn("right_id", 12, "hidden", "band_decision"),
    SheetColumn("pair_hash", 18, "hidden", "band_decision"),
)
ISSUED_COLUMNS = {
    "review/1": tuple(column for column in PAIR_COLUMNS if column.key != "linked"),
    SCHEMA_VERSION: PAIR_COLUMNS,
}
"""The columns of every layout that was ever issued: answers come back for months."""


def locked_places(columns: Sequence[SheetColumn]) -> tuple[int, ...]:
    """Return the cells that the row hash covers: all but the number, the answers, the hash."""
    return tuple(
        place
        for place, column in enumerate(columns)
        if not column.is_answer and column.key not in ("pair_hash", "pair_no")
    )


Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewInfo:
    """What identifies a set of review workbooks. `how` is `decide` or `match`: who takes them."""

    book: WorkbookInfo
    place: str
    how: str = "decide"


def differing(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces, each with whether it has no counterpart in the other text."""
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for step in Levenshtein.opcodes(left, right):
        differs = step.tag != "equal"
        spans = (left[step.src_start : step.src_end], right[step.dest_start : step.dest_end])
        for side, text in zip(pieces, spans, strict=True):
            if text:
                side.append((text, differs))
    return pieces


def _cells(pairs: pa.Table, lang: str) -> list[list[Cell]]:
    """Return the cells of the sheet, one list a column, row hashes included."""
    numbers: list[Cell] = [float(n) for n in range(1, pairs.num_rows + 1)]
    cells: list[list[Cell]] = []
    for column in PAIR_COLUMNS:
        by_lang = f"{column.key}_{lang}"
        if column.key == "pair_no":
            cells.append(numbers)
        elif column.is_answer or column.key == "pair_hash":
            cells.append([None] * pairs.num_rows)
        else:
            name = by_lang if by_lang in pairs.column_names else column.key
            cells.append(column_cells(pairs, name))
    shares = cells[position(PAIR_COLUMNS, "probability")]
    cells[position(PAIR_COLUMNS, "probability")] = [
        None if p is None else round(float(p), 3) for p in shares
    ]
    locked = [cells[i] for i in locked_places(PAIR_COLUMNS)]
    cells[position(PAIR_COLUMNS, "pair_hash")] = [row_hash(r) for r in zip(*locked, strict=True)]
    return cells


@dataclass(frozen=True, slots=True)
class _Looks:
    text: Any
    number: Any
    answer: Any
    date: Any
    red: Any
    red_text: Any


def _looks(formats: Formats) -> _Looks:
    size: dict[str, Any] = {"font_size": TABLE_FONT}
    free: dict[str, Any] = {"bg_color": YELLOW, "locked": False, **size}
    return _Looks(
        text=formats.text(align="left", **size),
        number=formats.get(border=1, num_format="0.###", align="center", **size),
        answer=formats.text(**free),
        date=formats.text(**(free | {"num_format": "yyyy-mm-dd"})),
        red=formats.get(font_color=RED, bold=True, **size),
        red_text=formats.text(align="left", font_color=RED, bold=True, **size),
    )


def _compared(known: Mapping[str, Sequence[Cell]], key: str) -> Iterator[list[list[Piece]]]:
    """Yield for each pair the pieces of both sides of one item."""
    for left, right in zip(known[f"left_{key}"], known[f"right_{key}"], strict=True):
        texts = str(left or ""), str(right or "")
        # Where one side is empty nothing differs: it is not known.
        yield list(differing(*texts)) if all(texts) else [[(text, False)] for text in texts]


def _marked(pieces: Sequence[list[Piece]], looks: _Looks, runs: Runs) -> CellColumn:
    """Return cells whose differing pieces are red; what differs altogether is a red cell."""
    values = ["".join(text for text, _ in parts) for parts in pieces]
    whole = [len({differs for _, differs in parts}) < 2 for parts in pieces]
    return CellColumn(
        values,
        [
            looks.red_text if same and parts and parts[0][1] else looks.text
            for same, parts in zip(whole, pieces, strict=True)
        ],
        [None if same else runs.markup(parts) for same, parts in zip(whole, pieces, strict=True)],
    )


def _plain(column: SheetColumn, values: Sequence[Cell], looks: _Looks) -> CellColumn:
    if column.is_answer:
        return CellColumn(values, looks.date if column.kind == "date" else looks.answer)
    if column.kind == "number":
        known = ["" if value is None else value for value in values]
        return CellColumn(known, [looks.text if v == "" else looks.number for v in known])
    return CellColumn([value or "" for value in values], looks.text)


def _write_rows(sheet: Any, formats: Formats, cells: list[list[Cell]]) -> int:
    looks = _looks(formats)
    wrapped = [
        (values, column.width * 0.95)
        for column, values in zip(PAIR_COLUMNS, cells, strict=True)
        if column.kind == "text"
    ]
    known = dict(zip((c.key for c in PAIR_COLUMNS), cells, strict=True))
    columns = {c.key: _plain(c, known[c.key], looks) for c in PAIR_COLUMNS}
    runs = Runs(sheet, looks.red)
    for key, _, _ in _COMPARED[:-1]:
        sides = zip(*_compared(known, key), strict=True)
        for side, pieces in zip(("left", "right"), sides, strict=False):
            columns[f"{side}_{key}"] = _marked(list(pieces), looks, runs)
    heights = [TABLE_LINE * n_lines + 4 for n_lines in line_counts(wrapped)]
    return write_rows(sheet, FIRST_ROW, heights, list(columns.values()))


def _rules(sheet: Any, lang: str, last: int) -> None:
    answers = [label.zh if lang == "zh" else label.en for label in ANSWERS.values()]
    lists = (("answer", answers, 0), ("answer_basis", choices(EVIDENCE, lang), 1))
    for key, entries, column in lists:
        place = position(PAIR_COLUMNS, key)
        where = f"='{CODES_SHEET}'!{cells_of(column, 0, len(entries) - 1)}"
        sheet.data_validation(FIRST_ROW, place, last, place, list_rule(entries, lang, where))
    person = position(PAIR_COLUMNS, "answer_person")
    sheet.data_validation(
        FIRST_ROW,
        person,
        last,
        person,
        {
            "validate": "any",
            "input_title": say("review_person_title", lang),
            "input_message": say("review_person_text", lang),
        },
    )


def _write_guide(sheet: Any, formats: Formats, info: ReviewInfo, facts: dict[str, str]) -> None:
    lang = info.book.lang
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 90)
    big = formats.get(font_size=16, bold=True, text_wrap=True)
    sheet.set_row(0, 26)
    sheet.merge_range(0, 0, 0, 1, say("title_review", lang, place=facts["place"]), big)
    for row, key in enumerate(("guide_run", "guide_export"), 2):
        sheet.write_string(row, 0, say(key, lang), formats.get(bold=True))
        sheet.write_string(row, 1, facts["run_id" if row == 2 else "export_id"], formats.get())
    sheet.write_string(4, 1, say("review_rows", lang, n=facts["rows"]), formats.get())
    last = "review_how_4" if info.how == "decide" else "review_how_4_match"
    for row, key in enumerate(("review_how_1", "review_how_2", "review_how_3", last), 6):
        sheet.write_string(row, 1, say(key, lang), formats.get(text_wrap=True, font_size=11))
        sheet.set_row(row, 34)
    page(sheet, lang, f"{facts['place']}  {facts['export_id']}", sign="review_sign")


def _fill(book: Any, pairs: pa.Table, info: ReviewInfo, facts: dict[str, str]) -> None:
    lang = info.book.lang
    formats = Formats(book, lang)
    names = say("sheet_guide", lang), say("sheet_review", lang), CODES_SHEET, META_SHEET
    guide, sheet, codes, meta = (book.add_worksheet(name) for name in names)
    _write_guide(guide, formats, info, facts)
    write_head(sheet, PAIR_COLUMNS, formats, say("title_review", lang, place=facts["place"]), lang)
    last = _write_rows(sheet, formats, _cells(pairs, lang))
    _rules(sheet, lang, last)
    finish_table(sheet, PAIR_COLUMNS, last)
    page(sheet, lang, f"{facts['place']}  {facts['export_id']}", A3, sign="review_sign")
    sheet.activate()
    answers = [label.zh if lang == "zh" else label.en for label in ANSWERS.values()]
    for row, entry in enumerate(zip_longest_texts(answers, choices(EVIDENCE, lang))):
        for column, text in enumerate(entry):
            codes.write_string(row, column, text)
    for row, (key, value) in enumerate(facts.items()):
        meta.write_string(row, 0, key)
        meta.write_string(row, 1, value)
    for hidden in (codes, meta):
        hidden.very_hidden()


def zip_longest_texts(left: list[str], right: list[str]) -> Iterator[tuple[str, str]]:
    """Pair two lists, the shorter one filled up with empty texts."""
    size = max(len(left), len(right))
    padded = [texts + [""] * (size - len(texts)) for texts in (left, right)]
    return zip(*padded, strict=True)


def _parts(pairs: pa.Table, place: str) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield code, place and pairs of each workbook."""
    if pairs.num_rows <= MAX_PAIRS:
        if pairs.num_rows:
            yield "", place, pairs
        return
    # Not by the kernels of Arrow: any value given to them loads pandas, where it is installed.
    rows = pl.DataFrame(pairs)
    codes = rows.get_column("county_code").fill_null("")
    for code in codes.unique().sort():
        part = rows.filter(codes == code).to_arrow()
        yield code[:6], str(part["county"][0].as_py() or code[:6] or place), part


def write_review(pairs: pa.Table, folder: Path, info: ReviewInfo) -> list[Path]:
    """Write the workbooks of pairs to decide (columns PAIR_FIELDS) and return their paths.

    One file, or one a county of the left record above `MAX_PAIRS` pairs; none without pairs.
    Raises OSError when the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    # The writer's scratch files hold unit data: beside the result, not in the shared /tmp.
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
        for code, place, part in _parts(pairs, info.place):
            keys = "\n".join(
                f"{left}\t{right}"
                for left, right in zip(
                    part["left_id"].to_pylist(), part["right_id"].to_pylist(), strict=True
                )
            )
            digest = hashlib.sha256(keys.encode()).hexdigest()
            facts = {
                "schema": SCHEMA_VERSION,
                "run_id": info.book.run_id,
                "export_id": f"{info.book.run_id}-{code or 'all'}-{digest[:8]}",
                "place": place,
                "rows": str(part.num_rows),
                "keys_digest": digest,
                "lang": info.book.lang,
            }
            word = say("sheet_review", info.book.lang)
            names = [name for name in (code, safe_name(place)) if name]
            path = folder / f"{'_'.join([*names, word, safe_name(info.book.run_id)])}.xlsx"
            with open_book(path, info.book, Path(scratch), word) as book:
                book.set_custom_property("export_id", facts["export_id"])
                _fill(book, part, info, facts)
            paths.append(path)
    return paths
