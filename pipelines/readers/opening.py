"""One way to open a delivered file, whatever its format: what it is shows in its first bytes."""

from __future__ import annotations

from pathlib import Path

from pipelines.readers.model import Reading, RefusedFileError, Source
from pipelines.readers.parquet import open_parquet
from pipelines.readers.spreadsheet import open_spreadsheet
from pipelines.readers.text import empty_file, open_text

ZIP, OLE, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
SPREADSHEETS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".et": "et", ".xlsb": "xlsb"}


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(4)
    except OSError as error:
        raise RefusedFileError(
            "unreadable_file",
            "文件无法打开。请检查读取权限和磁盘后重新报送。",
            "The file cannot be opened. Check that it may be read and that the disk is sound.",
        ) from error


def format_of(path: Path) -> str:
    """Return `xlsx`, `xls`, `et`, `xlsb`, `parquet` or `text`.

    RefusedFileError where the file is empty.
    """
    first = _first_bytes(path)
    if not first:
        raise empty_file()
    if first == PARQUET:
        return "parquet"
    if first in (ZIP, OLE):
        return SPREADSHEETS.get(path.suffix.lower(), "xlsx" if first == ZIP else "xls")
    if path.suffix.lower() in (".xlsx", ".parquet"):
        # Cut at the front, or another file under this name: reading it as text would be a guess.
        return "parquet" if path.suffix.lower() == ".parquet" else "xlsx"
    return "text"


def open_source(source: Source) -> Reading:
    """Open a delivered file that belongs to a table; RefusedFileError says why it cannot be."""
    kind = format_of(source.path)
    if kind == "text":
        return open_text(source.path, source.table)
    if kind == "parquet":
        return open_parquet(source.path, source.table)
    return open_spreadsheet(source.path, source.table, kind)
