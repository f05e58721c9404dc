"""One way to open a delivered file, whatever its format: what it is shows in its first bytes."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from audit.model import Label
from pipelines.readers.encodings import open_bytes
from pipelines.readers.model import Reading, RefusedFileError, Source
from pipelines.readers.parquet import open_parquet
from pipelines.readers.sheet_xml import damaged, protected
from pipelines.readers.spreadsheet import open_spreadsheet
from pipelines.readers.text import empty_file, open_text

ZIP, OLE, PARQUET, GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x1f\x8b"
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
HEAD = 1024
MARKUP = (b"<!do", b"<htm", b"<hea", b"<met", b"<tab", b"<?xm", b"<wor", b"mime")
FOREIGN = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"BZh9": "bzip2",
    b"\xfd7zX": "xz",
    b"(\xb5/\xfd": "zstd",
    b"%PDF": "PDF",
    b"{\\rt": "RTF",
    b"\x09\x00\x04\x00": "Excel 2.0",
    b"\x09\x02\x06\x00": "Excel 3.0",
    b"\x09\x04\x06\x00": "Excel 4.0",
}


def _refusal(what: Label, todo: Label) -> RefusedFileError:
    return RefusedFileError(
        "unreadable_file", f"{what.zh}。{todo.zh}。", f"The file {what.en}. {todo.en}."
    )


AS_SHEET = Label("请另存为 XLSX 或 CSV 后重新报送", "Save it as XLSX or CSV and deliver it again")
UNPACKED = Label("请解压后逐个报送其中的文件", "Unpack it and deliver the files inside")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise RefusedFileError(
            "unreadable_file",
            "文件无法打开。请检查读取权限和磁盘后重新报送。",
            "The file cannot be opened. Check that it may be read and that the disk is sound.",
        ) from error


def _inside(path: Path) -> bytes:
    """Return the first bytes inside a gzipped file; empty where it is damaged there already."""
    try:
        with open_bytes(path) as stream:
            return stream.read(HEAD)
    except (EOFError, OSError, zlib.error):
        return b""


def _refuse_foreign(first: bytes) -> None:
    """Refuse what is neither text nor a spreadsheet, whatever its name says."""
    if name := FOREIGN.get(first[:4]):
        raise _refusal(Label(f"文件是 {name} 格式，不能读取", f"is of the format {name}"), AS_SHEET)
    text = first
    for mark in BOMS:
        text = text.removeprefix(mark)
    if text.replace(b"\0", b"").lstrip()[:4].lower() in MARKUP:
        what = Label(
            "文件其实是网页（HTML）或 XML 表格，不是文本或电子表格，尽管文件名像是",
            "is a web page (HTML) or XML sheet under another name",
        )
        raise _refusal(what, AS_SHEET)


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as book:
            names = set(book.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise damaged() from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise _refusal(Label("文件是 XLSB 二进制工作簿", "is a binary workbook (XLSB)"), AS_SHEET)
    if "content.xml" in names:
        raise _refusal(Label("文件是 ODS 表格", "is an OpenDocument sheet (ODS)"), AS_SHEET)
    raise _refusal(
        Label("文件是 ZIP 压缩包，不是工作簿", "is a ZIP archive, no workbook"), UNPACKED
    )


def _ole_kind(path: Path) -> str:
    size = 1 << 20
    with path.open("rb") as stream:
        head = stream.read(size)
        stream.seek(max(0, path.stat().st_size - size))
        parts = head + stream.read(size)
    if "EncryptedPackage".encode("utf-16-le") in parts:
        raise protected()
    if "WordDocument".encode("utf-16-le") in parts:
        raise _refusal(Label("文件是 Word 文档", "is a Word document"), AS_SHEET)
    return "et" if path.suffix.lower() == ".et" else "xls"


def format_of(path: Path) -> str:
    """Return `xlsx`, `xls`, `et`, `parquet` or `text`, by the content and not by the name.

    RefusedFileError where the file is empty or of a format that is not read.
    """
    first = _first_bytes(path)
    if not first:
        raise empty_file()
    if first[:2] == GZIP:
        first = _inside(path)
        if first[:4] in (ZIP, OLE, PARQUET):
            what = Label(
                "压缩文件里是电子表格或 Parquet 文件", "is a compressed spreadsheet or Parquet"
            )
            raise _refusal(what, UNPACKED)
        _refuse_foreign(first)
        return "text"
    if first[:4] == PARQUET:
        return "parquet"
    if first[:4] == ZIP:
        return _zip_kind(path)
    if first[:4] == OLE:
        return _ole_kind(path)
    _refuse_foreign(first)
    if path.suffix.lower() in (".xlsx", ".parquet"):
        # Cut at the front, or another file under this name: reading it as text would be a guess.
        return "parquet" if path.suffix.lower() == ".parquet" else "xlsx"
    return "text"


def open_source(source: Source) -> Reading:
    """Open a delivered file that belongs to a table; RefusedFileError says why it cannot be."""
    kind = format_of(source.path)
    if kind == "text":
        return open_text(source.path, source.table, source.encoding)
    if kind == "parquet":
        return open_parquet(source.path, source.table)
    return open_spreadsheet(source.path, source.table, kind, source.sheet)
