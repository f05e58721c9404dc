"""Cells of an XLSX file that hold an error (#N/A, #REF!), which its reader gives as empty."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from pathlib import Path

_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]+)"[^>]*\bt="e"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)
_SHEET = re.compile(r"<sheet\b[^>]*>")
_RELATION = re.compile(r"<Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')

Errors = dict[tuple[int, int], str]


def _tags(pattern: re.Pattern[str], text: str) -> list[dict[str, str]]:
    return [dict(_ATTRIBUTE.findall(tag)) for tag in pattern.findall(text)]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _parts(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the file of each sheet inside the archive, by the sheet's name."""
    relations = _tags(_RELATION, book.read("xl/_rels/workbook.xml.rels").decode())
    targets = {relation.get("Id", ""): relation.get("Target", "") for relation in relations}
    parts = {}
    for sheet in _tags(_SHEET, book.read("xl/workbook.xml").decode()):
        target = targets.get(sheet.get("r:id", ""), "")
        path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        parts[html.unescape(sheet.get("name", ""))] = path
    return parts


def cell_errors(path: Path) -> dict[str, Errors]:
    """Return the errors of each sheet by (row, column) from 0; empty where the file has none."""
    found: dict[str, Errors] = {}
    try:
        with zipfile.ZipFile(path) as book:
            for name, part in _parts(book).items():
                data = book.read(part) if part in book.namelist() else b""
                if b't="e"' in data:
                    found[name] = {
                        (int(row) - 1, _column(letters.decode())): text.decode()
                        for letters, row, text in _CELL.findall(data)
                    }
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, zlib.error, NotImplementedError):
        # Another layout of the archive; what can be read of it, the reader has read.
        return {}
    return found
