"""One workbook file: how it is opened and closed, and its cell formats."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from reports.workbook_texts import LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookInfo:
    """What identifies the export. `created` goes into the file instead of the clock."""

    run_id: str
    created: datetime
    rulebook_digest: str
    lang: str = "zh"

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise ValueError(f"unknown language: {self.lang}")


@contextmanager
def open_book(path: Path, info: WorkbookInfo, scratch: Path, title: str) -> Iterator[Any]:
    """Open a workbook that keeps one row in memory and makes nothing out of texts.

    Rows wait in `scratch`. The file is written when the block ends well; OSError when it cannot be.
    """
    content = BytesIO()
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(content, options)
    book.set_properties({"title": title, "author": "census-audit", "created": info.created})
    try:
        yield book
        _close(book)
    finally:
        _let_go(book)
    path.write_bytes(content.getbuffer())


def _close(book: Any) -> None:
    """Finish a workbook; the writer's own error hides the OSError that callers know."""
    try:
        book.close()
    except FileCreateError as error:
        cause = error.args[0] if error.args else None
        raise cause if isinstance(cause, OSError) else OSError(errno.EIO, str(error)) from error


def _let_go(book: Any) -> None:
    """Close the scratch files that the writer leaves open when the disk is full."""
    for sheet in book.worksheets():
        for handle in (sheet.row_data_fh, sheet.fh):
            with suppress(OSError):
                handle.close()


@dataclass(slots=True)
class Formats:
    """The cell formats of one workbook, made once each."""

    book: Any
    lang: str
    _made: dict[tuple[tuple[str, object], ...], Any] = field(default_factory=dict)

    def get(self, **properties: object) -> Any:
        """Return the format with these properties on top of the house style."""
        body = "宋体" if self.lang == "zh" else "Calibri"
        base: dict[str, object] = {"font_name": body, "font_size": 10, "valign": "vcenter"}
        merged = base | properties
        key = tuple(sorted(merged.items()))
        if key not in self._made:
            self._made[key] = self.book.add_format(merged)
        return self._made[key]

    def heading(self, colour: str, **properties: object) -> Any:
        """Return the format of a heading cell on a coloured ground."""
        face = "黑体" if self.lang == "zh" else "Calibri"
        return self.get(
            **{
                "font_name": face,
                "bold": True,
                "border": 1,
                "bg_color": colour,
                "align": "center",
                "text_wrap": True,
                **properties,
            }
        )

    def text(self, **properties: object) -> Any:
        """Return the format of a bordered text cell; codes stay text (`@`)."""
        return self.get(**{"border": 1, "text_wrap": True, "num_format": "@", **properties})

    def number(self, *, whole: bool = True, **properties: object) -> Any:
        """Return the format of a bordered number cell."""
        form = "#,##0" if whole else "#,##0.00"
        return self.get(**{"border": 1, "num_format": form, **properties})
