"""Bytes of a text file to valid UTF-8, in pieces that end at a line end.

Bytes that are no text are marked, not dropped: each becomes one private character (U+10F800 plus
the byte), so that only the rows which hold them are refused and show them as `\\xNN`.
"""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

from pipelines.readers import iconv
from pipelines.readers.model import RefusedFileError

CHUNK = 4 << 20
MAX_LINE = 16 << 20
SAMPLE = 256 << 10
MARK = 0x10F800
CELL_MARK = chr(MARK - 1)
"""In front of a cell of a spreadsheet that holds an error or a formula without its value."""
MARKED = f"[{CELL_MARK}-{chr(MARK + 0xFF)}]"
_MARKED_RE = re.compile(MARKED)
_MARK_BYTES = chr(MARK).encode()[:2]
_BETWEEN = re.compile(rb"[,\t\r\n;\"|]+")

# Python's gb18030 is the edition of 2000; these points were private then and have characters now.
_POINTS_OF_2000 = (
    "E78D:FE10 E78E:FE12 E78F:FE11 E790:FE13 E791:FE14 E792:FE15 E793:FE16 E794:FE17 E795:FE18 "
    "E796:FE19 E7C7:1E3F E816:20087 E817:20089 E818:200CC E81E:9FB4 E826:9FB5 E82B:9FB6 E82C:9FB7 "
    "E831:215D7 E832:9FB8 E83B:2298F E843:9FB9 E854:9FBA E855:241FE E864:9FBB"
)
GB18030_PRIVATE = {
    chr(int(old, 16)).encode(): chr(int(new, 16)).encode()
    for old, new in (pair.split(":") for pair in _POINTS_OF_2000.split())
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text encoding: its codec, the name shown to people, the length of its mark (BOM)."""

    codec: str
    name: str
    bom: int = 0


UTF8 = Encoding("utf-8", "utf-8")
GB18030 = Encoding("gb18030", "gb18030")
MARKS = {
    codecs.BOM_UTF8: Encoding("utf-8", "utf-8-sig", 3),
    codecs.BOM_UTF16_LE: Encoding("utf-16-le", "utf-16", 2),
    codecs.BOM_UTF16_BE: Encoding("utf-16-be", "utf-16", 2),
}


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # One byte at a time: what a codec calls one error may reach over a delimiter or a line end.
    end = error.end if error.encoding.startswith("utf-16") else error.start + 1
    return "".join(chr(MARK + byte) for byte in error.object[error.start : end]), end


codecs.register_error("census-mark", _mark_bytes)


def show_marks(text: str) -> str:
    """Return text with each marked byte written as `\\xNN`."""
    text = text.replace(CELL_MARK, "")
    return _MARKED_RE.sub(lambda match: f"\\x{ord(match[0]) - MARK:02x}", text)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file that may be gzipped."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")


def _share(fields: list[bytes], codec: str) -> float:
    def decodes(field: bytes) -> bool:
        try:
            field.decode(codec)
        except UnicodeDecodeError:
            return False
        return True

    return sum(map(decodes, fields)) / len(fields)


def _sample(path: Path) -> tuple[bytes, bytes]:
    """Return the first bytes of a file, and the first piece of it that is not plain ASCII."""
    with open_bytes(path) as stream:
        first = piece = stream.read(SAMPLE)
        while piece.isascii() and (more := stream.read(SAMPLE)):
            piece = more
    return first, piece


def sample(path: Path) -> bytes:
    """Return the first piece of a text file that is not plain ASCII."""
    return _sample(path)[1]


def known(path: Path, codec: str) -> Encoding:
    """Return the encoding that someone named for a file, its byte order mark taken into account."""
    first, _ = _sample(path)
    for mark, encoding in MARKS.items():
        if first.startswith(mark):
            return encoding
    return Encoding(codec, codec)


def candidates(path: Path) -> list[tuple[Encoding, float]]:
    """Return the encodings that a text file may have, the likeliest first.

    With each comes the share of the first cells beyond ASCII that it decodes strictly. A byte order
    mark leaves no choice.
    """
    first, piece = _sample(path)
    for mark, encoding in MARKS.items():
        if first.startswith(mark):
            return [(encoding, 1.0)]
    fields = [field for field in _BETWEEN.split(piece) if not field.isascii()]
    # The sample may cut its last character.
    fields = fields[:-1] if len(piece) >= SAMPLE else fields
    if not fields:
        return [(UTF8, 1.0)]
    shares = [(encoding, _share(fields, encoding.codec)) for encoding in (UTF8, GB18030)]
    # Much UTF-8 is GB18030 by accident, and hardly any GB18030 is UTF-8.
    return shares if shares[0][1] >= 0.5 else sorted(shares, key=lambda pair: -pair[1])


def no_text() -> RefusedFileError:
    """Return the refusal of a file in none of the encodings."""
    return RefusedFileError(
        "bad_bytes",
        "文件的字节既不是 UTF-8 也不是 GB18030 文字，可能已损坏或经过加密。"
        "请在原系统中重新导出为 UTF-8 或 GB18030 的 CSV 文件。",
        "The bytes of the file are neither UTF-8 nor GB18030 text; it may be damaged or "
        "encrypted. Export it again as CSV in UTF-8 or GB18030.",
    )


def _cut(buffer: bytes) -> int:
    """Return where the last complete line of `buffer` ends."""
    end = buffer.rfind(b"\n") + 1
    # A file of old Macs ends its lines with CR alone; a last CR may be half of CR LF.
    return end or buffer.rfind(b"\r", 0, len(buffer) - 1) + 1


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(CHUNK):
        buffer = rest + chunk
        end = _cut(buffer)
        rest = buffer[end:]
        if len(rest) > MAX_LINE:
            raise too_long()
        if end:
            yield buffer[:end]
    if rest:
        yield rest


def too_long() -> RefusedFileError:
    """Return the refusal of a file without line ends."""
    return RefusedFileError(
        "unreadable_file",
        f"文件中有超过 {MAX_LINE >> 20} MB 的一行，不像是表格文件。请重新导出为 CSV。",
        f"The file has a line of more than {MAX_LINE >> 20} MB and does not look like a table. "
        "Export it again as CSV.",
    )


def _utf16(stream: BinaryIO, encoding: Encoding) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding.codec)("census-mark")
    rest = b""
    while chunk := stream.read(CHUNK):
        # A lone surrogate that was delivered was marked by the decoder.
        buffer = rest + decoder.decode(chunk).encode()
        end = _cut(buffer)
        rest = buffer[end:]
        if len(rest) > MAX_LINE:
            raise too_long()
        if end:
            yield buffer[:end]
    if rest := rest + decoder.decode(b"", final=True).encode():
        yield rest


def exact_utf8(piece: bytes, encoding: Encoding) -> bytes:
    """Return a piece as UTF-8 by Python's codec, bad bytes marked."""
    try:
        text = piece.decode(encoding.codec)
        if encoding.codec == "utf-8":
            return piece
    except UnicodeDecodeError:
        text = piece.decode(encoding.codec, "census-mark")
    data = text.encode()
    if encoding.codec == "gb18030" and b"\xee" in data:
        for old, new in GB18030_PRIVATE.items():
            data = data.replace(old, new)
    return data


@cache
def _converter() -> iconv.Converter | None:
    moved = (character.decode() for pair in GB18030_PRIVATE.items() for character in pair)
    return iconv.converter(lambda data: exact_utf8(data, GB18030), moved)


def as_utf8(piece: bytes, encoding: Encoding) -> bytes:
    """Return a piece as UTF-8, bad bytes marked, the quick way where it is as exact."""
    if piece.isascii():
        return piece
    convert = _converter() if encoding.codec == "gb18030" else None
    data = convert(piece) if convert else None
    return exact_utf8(piece, encoding) if data is None else data


def utf8_pieces(stream: BinaryIO, encoding: Encoding) -> Iterator[bytes]:
    """Give the text of `stream` as valid UTF-8, each piece ending at a line end or the file's."""
    stream.read(encoding.bom)
    wide = encoding.codec.startswith("utf-16")
    pieces = _utf16(stream, encoding) if wide else _pieces(stream)
    for piece in pieces:
        data = piece if wide else as_utf8(piece, encoding)
        # NUL is no text either, and readers of C strings stop at it.
        yield data.replace(b"\0", chr(MARK).encode()) if b"\0" in data else data


def has_marks(data: bytes) -> bool:
    """Return whether UTF-8 holds marked bytes (or other characters of that corner)."""
    return _MARK_BYTES in data
