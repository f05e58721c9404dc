"""Workbooks that this program issued, known again by their hidden sheet wherever they turn up."""

from __future__ import annotations

import zipfile
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from audit.model import Label
from pipelines.readers.model import RefusedFileError
from reports.review import META_SHEET

VERIFICATION, REVIEW = "verification", "review"
VERIFICATION_BOOK = Label(
    "是核查册，程序不读入其中的答复。请按原文件名报回下发的普查机构；"
    "更正的值由报送单位改入报送文件，重新报送。",
    "is a verification workbook, whose answers the program does not read. Return it, same name, to "
    "the office that sent it; corrected values go into the delivered file, which is delivered "
    "again.",
)
_REVIEW_BOOK = Label(
    "是待人工判定的工作簿，不是报送数据。请用 census-audit decide 交回。",
    "is a review workbook, no data. Hand it in with census-audit decide.",
)


def meta_of(book: CalamineWorkbook) -> dict[str, str]:
    """Return what the hidden sheet of an issued workbook says; ValueError where it has none."""
    rows = book.get_sheet_by_name(META_SHEET).to_python(skip_empty_area=False)
    return {str(row[0]): str(row[1]) for row in rows if len(row) > 1}


def kind_of(meta: dict[str, str]) -> str:
    """Return which workbook a hidden sheet belongs to; "" where it is none of this program."""
    if meta.get("schema", "").startswith("review/"):
        return REVIEW
    return VERIFICATION if {"export_id", "findings", "units"} <= set(meta) else ""


def _names_meta(path: Path) -> bool:
    """Tell by the list of sheets alone, which is quick also where a workbook is large."""
    try:
        with zipfile.ZipFile(path) as book:
            return f'name="{META_SHEET}"'.encode() in book.read("xl/workbook.xml")
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError, RuntimeError):
        return False


def own_book(path: Path) -> RefusedFileError | None:
    """Return the refusal of a delivered file that is a workbook of this program; else None."""
    if not _names_meta(path):
        return None
    try:
        with path.open("rb") as stream:
            kind = kind_of(meta_of(CalamineWorkbook.from_filelike(stream)))
    except (CalamineError, OSError, ValueError):
        return None
    if not kind:
        return None
    what = VERIFICATION_BOOK if kind == VERIFICATION else _REVIEW_BOOK
    return RefusedFileError(
        "unknown_table",
        f"这{what.zh}请把它移出送达文件夹。",
        f"This {what.en} Take it out of the delivery.",
    )
