"""Verification workbooks: one .xlsx a county for its field team, and an index of them.

A county gives its units to visit and its findings to answer; a county without either gets a
workbook that says so. What is not about a unit (a lead) stays in the index, at the city office.
Nothing delivered ever becomes a formula or a link; the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reports.workbook_book import Formats, WorkbookInfo, open_book
from reports.workbook_cells import Cell, clean_text, column_cells, safe_name
from reports.workbook_guide import write_codes, write_guide, write_meta, write_summary
from reports.workbook_index import IndexData, write_index
from reports.workbook_sheets import CODES_SHEET, Part, write_findings, write_units
from reports.workbook_texts import say

META_SHEET = "_meta"
INDEX_FILE = "目录.xlsx"
FILE_PLACE = -2
"""Where a line of the index has the name of its file."""
MAX_FINDINGS = 3000
"""A county with more findings than this is split by township (validation study, 5.1)."""

FINDING_FIELDS = (
    "finding_key",
    "place_key",
    "rule_id",
    "severity",
    "clause",
    "message_zh",
    "message_en",
    "township_code",
    "township",
    "place_id",
    "credit_code",
    "name",
    "related_zh",
    "related_en",
    "same_zh",
    "same_en",
    "state",
    "first_run",
    "item_zh",
    "item_en",
    "observed",
    "observed_number",
    "expected",
    "expected_number",
    "difference",
)
UNIT_FIELDS = (
    "place_key",
    "place_id",
    "credit_code",
    "name",
    "kind_zh",
    "kind_en",
    "township_code",
    "township",
    "address",
    "phone",
    "contact",
    "enumerator",
    "n_findings",
    "n_fatal",
    "reason_zh",
    "reason_en",
    "due_on",
)
TOWNSHIP_FIELDS = (
    "township_code",
    "township",
    "n_units",
    "n_visit",
    "n_flagged",
    "n_random",
    "n_fatal",
    "n_query",
    "n_info",
    "n_findings",
)
RULE_FIELDS = (
    "rule_id",
    "severity",
    "clause",
    "title_zh",
    "title_en",
    "verify_zh",
    "verify_en",
    "false_positives_zh",
    "false_positives_en",
)
BESIDE_FIELDS = ("severity", "rule_id", "message_zh", "message_en", "subject", "code", "place")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyData:
    """One county. `code` has 6 digits; the tables have the columns of the `*_FIELDS`.

    Tables are in the order they are shown: units and findings by township, then unit.
    `place_key` ties findings to their unit.
    """

    code: str
    name: str
    townships: pa.Table
    units: pa.Table
    findings: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookSource:
    """All that the workbooks show. `rules` have the columns of `RULE_FIELDS`.

    `leads` and `conclusions`, which no county answers, have those of `BESIDE_FIELDS`; `draws` those
    of `audit.task_draw`.
    """

    counties: Iterable[CountyData]
    rules: pa.Table
    leads: pa.Table
    conclusions: pa.Table
    draws: pa.Table


def _fill(book: Any, part: Part) -> None:
    book.set_custom_property("export_id", part.export_id)
    book.set_custom_property("rulebook_digest", part.rulebook_digest)
    formats = Formats(book, part.lang)
    names = [say(f"sheet_{key}", part.lang) for key in ("guide", "summary", "units", "findings")]
    guide, summary, units, findings, codes, meta = (
        book.add_worksheet(name) for name in (*names, CODES_SHEET, META_SHEET)
    )
    write_guide(guide, part, formats)
    write_summary(summary, part, formats)
    write_units(units, part, formats)
    write_findings(findings, part, formats)
    write_codes(codes, part)
    write_meta(meta, part)


def _of_township(table: pa.Table, code: str) -> pa.Table:
    return table.filter(pc.equal(pc.fill_null(table["township_code"], ""), code))


@dataclass(frozen=True, slots=True)
class _Piece:
    code: str
    place: str
    county: CountyData


def _pieces(county: CountyData) -> Iterator[_Piece]:
    """Yield the county, or its townships where it has too many findings for one file."""
    name = clean_text(county.name)
    if county.findings.num_rows <= MAX_FINDINGS:
        yield _Piece(county.code, name, county)
        return
    codes = column_cells(county.townships, "township_code")
    names = column_cells(county.townships, "township")
    for code, township in zip(codes, names, strict=True):
        key = str(code or "")
        part = CountyData(
            code=county.code,
            name=county.name,
            townships=_of_township(county.townships, key),
            units=_of_township(county.units, key),
            findings=_of_township(county.findings, key),
        )
        yield _Piece(key[:9] or county.code, f"{name}{township or key}", part)


def _issued(run_id: str) -> str:
    """Return the day of a run from its id; `created` is no clock."""
    day = re.match(r"(\d{4})(\d{2})(\d{2})-", run_id)
    return "-".join(day.groups()) if day else run_id


def _part(piece: _Piece, info: WorkbookInfo, rules: pa.Table) -> Part:
    keys = sorted(str(key) for key in column_cells(piece.county.findings, "finding_key"))
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return Part(
        code=piece.code,
        place=piece.place,
        export_id=f"{info.run_id}-{piece.code}-{digest[:8]}",
        run_id=info.run_id,
        issued=_issued(info.run_id),
        rulebook_digest=info.rulebook_digest,
        keys_digest=digest,
        lang=info.lang,
        townships=piece.county.townships,
        units=piece.county.units,
        findings=piece.county.findings,
        rules=rules,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSet:
    """What the county workbooks of one export share; `rules` have the columns `RULE_FIELDS`."""

    folder: Path
    info: WorkbookInfo
    rules: pa.Table


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Give the writer's scratch folder: it holds unit data, so not in the shared /tmp."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
        yield Path(scratch)


def write_county(county: CountyData, shared: BookSet) -> list[list[Cell]]:
    """Write the workbook of a county, or one a township; return the lines of the index for them.

    Raises OSError when the disk is full.
    """
    info, rows = shared.info, []
    with _scratch(shared.folder) as scratch:
        for piece in _pieces(county):
            part = _part(piece, info, shared.rules)
            name = f"{piece.code}_{safe_name(piece.place)}_{safe_name(info.run_id)}.xlsx"
            path = shared.folder / name
            title = say("title_guide", part.lang, place=part.place)
            with open_book(path, info, scratch, title) as book:
                _fill(book, part)
            rows.append(_index_row(part, path))
    return rows


def write_index_book(shared: BookSet, data: IndexData) -> list[Path]:
    """Write the index of written workbooks; return the paths of all, the index last."""
    index = shared.folder / INDEX_FILE
    title = say("sheet_index", shared.info.lang)
    with (
        _scratch(shared.folder) as scratch,
        open_book(index, shared.info, scratch, title) as book,
    ):
        write_index(book, data, shared.info)
    return [*(shared.folder / str(row[FILE_PLACE]) for row in data.rows), index]


def index_of(source: WorkbookSource, rows: Sequence[Sequence[Cell]]) -> IndexData:
    """Return what the index shows, from the lines that `write_county` returned."""
    return IndexData(
        rows=rows, leads=source.leads, conclusions=source.conclusions, draws=source.draws
    )


def _index_row(part: Part, path: Path) -> list[Cell]:
    counts = [
        float(pc.sum(part.townships[name]).as_py() or 0) if part.townships.num_rows else 0.0
        for name in TOWNSHIP_FIELDS[2:]
    ]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [part.code, part.place, *counts, path.name, digest]
