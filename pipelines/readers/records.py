"""Where the records of delimited text begin and end.

Two ways that agree on sound text: a vectorised one for pieces whose quotes are regular, and an
exact one, line by line, that takes up again at the next line after a bad quote.

A quoted cell may hold separators and line ends. Where it would hold whole rows, two stray quotes
are likelier than such a cell: then the quotes do not count, and no row disappears in another.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_RECORD = 1 << 20
FEWEST_FIELDS = 3
"""Lines of fewer fields are no sign of rows: any text may have none or one separator."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CR, _LF, _QUOTE = 13, 10, 34

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Records of a piece that are not blank: first byte, end of content, line from 0."""

    starts: Ints
    ends: Ints
    lines: Ints


@dataclass(frozen=True, slots=True)
class Record:
    """One record of `height` lines; `sound` is false where its quotes do not match."""

    line: int
    cells: list[str]
    height: int = 1
    sound: bool = True


def _positions(data: npt.NDArray[np.uint8], byte: int) -> Ints:
    return np.flatnonzero(data == byte)


def _regular_quotes(data: npt.NDArray[np.uint8], quotes: Ints, delimiter: int) -> bool:
    """Tell whether quotes only open after a delimiter and close before one, or are doubled."""
    if len(quotes) % 2:
        return False
    edges = np.zeros(256, dtype=np.bool_)
    edges[[delimiter, _CR, _LF, _QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = edges[data[np.maximum(opening - 1, 0)]] | (opening == 0)
    after = edges[data[np.minimum(closing + 1, len(data) - 1)]] | (closing == len(data) - 1)
    # A quote beside an opening one must be the closing half of a doubled quote, and vice versa.
    return bool(before.all() and after.all())


def _swallows_rows(lines: Sequence[tuple[int, int]], width: int) -> bool:
    """Tell whether a record of these lines, each with its fields and quotes, is rather rows."""
    return width >= FEWEST_FIELDS and (
        (lines[0][0] == width and lines[-1][0] == width) or (width, 0) in lines[1:-1]
    )


def _rows_in_quotes(
    data: npt.NDArray[np.uint8], quotes: Ints, ends: Ints, delimiter: int, width: int
) -> bool:
    """Tell whether a record of more than one line holds rows."""
    stops = np.append(_positions(data[:-1], _LF), len(data))
    if len(ends) == len(stops):
        return False
    fields = np.diff(np.searchsorted(_positions(data, delimiter), stops), prepend=0) + 1
    quoted = np.diff(np.searchsorted(quotes, stops), prepend=0)
    last = np.searchsorted(stops, ends)
    first = np.concatenate(([0], last[:-1] + 1))
    several = last > first
    lines = np.column_stack((fields, quoted))
    return any(
        _swallows_rows([(int(f), int(q)) for f, q in lines[start : end + 1]], width)
        for start, end in zip(first[several], last[several], strict=True)
    )


def plain_rows(piece: bytes) -> int | None:
    """Count the records of a piece of whole lines where each line is one; None where that is open.

    That is, without quotes, blank lines and line ends other than LF and CR LF.
    """
    if not piece or b'"' in piece or piece[:1] in b"\r\n" or b"\n\n" in piece:
        return None
    if b"\r" in piece and (b"\n\r" in piece or piece.count(b"\r") != piece.count(b"\r\n")):
        return None
    return piece.count(b"\n") + (not piece.endswith(b"\n"))


def regular_records(piece: bytes, delimiter: str, width: int) -> Spans | None:
    """Return the records of a piece of whole lines, or None where only the exact way is safe."""
    if not piece or piece.count(b"\r") != piece.count(b"\r\n"):
        return None
    data = np.frombuffer(piece, dtype=np.uint8)
    breaks = _positions(data, _LF)
    ends, quotes = breaks, breaks[:0]
    if b'"' in piece:
        quotes = _positions(data, _QUOTE)
        if not _regular_quotes(data, quotes, ord(delimiter)):
            return None
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    if not piece.endswith(b"\n"):
        ends = np.append(ends, len(piece))
    if len(quotes) and _rows_in_quotes(data, quotes, ends, ord(delimiter), width):
        return None
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    last = np.maximum(ends - 1, 0)
    content = np.where((data[last] == _CR) & (ends > starts), ends - 1, ends)
    filled = content > starts
    lines = np.searchsorted(breaks, starts)
    return Spans(starts[filled], content[filled], lines[filled])


def whole_records(piece: bytes) -> int:
    """Return where the last record of `piece` ends, so that no quoted line break is cut."""
    if piece.count(b'"') % 2 == 0:
        return len(piece)
    return piece.rfind(b"\n", 0, piece.rfind(b'"')) + 1


def split_lines(text: str) -> list[str]:
    """Split text at CR, LF and CR LF only, keeping them."""
    return _LINE.findall(text)


def _ahead(lines: list[str], start: int) -> Iterator[str]:
    size = 0
    for index in range(start, min(start + 1000, len(lines))):
        yield lines[index]
        size += len(lines[index])
        if size > MAX_RECORD:
            return


def _quoted(
    lines: list[str], start: int, delimiter: str, width: int
) -> tuple[list[str] | None, int, bool]:
    """Parse the record at `start`: its cells or None, lines it takes, whether a quote is open."""
    csv.field_size_limit(MAX_RECORD * 16)
    reader = csv.reader(_ahead(lines, start), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        return None, 1, "unexpected end" in str(error)
    if reader.line_num > 1:
        taken = lines[start : start + reader.line_num]
        inside = [(line.count(delimiter) + 1, line.count('"')) for line in taken]
        right = width or len(cells)
        if len(cells) != right or _swallows_rows(inside, right):
            return None, 1, False
    return cells, reader.line_num, False


def exact_records(
    text: str, delimiter: str, width: int = 0, *, final: bool = True, most: int = 0
) -> tuple[list[Record], int]:
    """Return the records of `text` and the number of lines used.

    A record whose quotes do not match is one line, not sound; the next line starts afresh. Quoted
    line breaks count where the record then has `width` cells and holds no whole rows. A quote still
    open at the end is left unused for the next piece, unless `final` or longer than MAX_RECORD.
    With `most`, only the first so many.
    """
    lines = split_lines(text)
    records: list[Record] = []
    index, left = 0, len(text)
    while index < len(lines) and not (most and len(records) >= most):
        body = lines[index].rstrip("\r\n")
        cells: list[str] | None = body.split(delimiter)
        used = 1
        if '"' in body:
            cells, used, is_open = _quoted(lines, index, delimiter, width)
            if is_open and not final and left <= MAX_RECORD:
                return records, index
        if cells is None:
            records.append(Record(index, body.split(delimiter), sound=False))
        elif body:
            records.append(Record(index, cells, used))
        left -= sum(map(len, lines[index : index + used]))
        index += used
    return records, index
