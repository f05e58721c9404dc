"""Delimited text, in any encoding of the contract, to batches of delivered text."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc

from pipelines.readers import encodings, headers, records
from pipelines.readers.ahead import ahead
from pipelines.readers.big5 import is_big5, looks_like_big5
from pipelines.readers.model import (
    LINE,
    ROW,
    Batch,
    BrokenRow,
    Header,
    Reading,
    RefusedFileError,
    position,
)

DELIMITERS = (",", "\t", ";", "|")
NAMES = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
HEAD = 64 << 10


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text file is laid out: its delimiter, its header, and the lines down to it."""

    delimiter: str
    header: Header
    lines: int
    named: int

    @property
    def width(self) -> int:
        """Cells of a whole row."""
        return len(self.header.columns)


@dataclass(slots=True)
class _Rows:
    """Whole and broken rows of one piece, before they are numbered."""

    frame: pl.DataFrame
    whole: records.Ints
    lines: records.Ints
    broken: dict[int, BrokenRow] = field(default_factory=dict)


def find_layout(head: str, table: str) -> Layout:
    """Find delimiter and header in the first lines of a file, by the columns they name."""
    best: tuple[int, str, records.Record] | None = None
    for delimiter in DELIMITERS:
        found = records.exact_records(head, delimiter, most=headers.HEADER_ROWS)[0]
        index, named = headers.find_header([record.cells for record in found], table)
        if found and (best is None or named > best[0]):
            best = (named, delimiter, found[index])
    if best is None:
        raise empty_file()
    named, delimiter, record = best
    header = headers.match_header(record.cells, table)
    return Layout(delimiter, header, record.line + record.height, named)


def empty_file() -> RefusedFileError:
    """Return the refusal of a file with nothing in it."""
    return RefusedFileError(
        "unreadable_file",
        "文件是空的，没有表头。请确认导出是否成功，重新报送。",
        "The file is empty and has no header. Check the export and deliver it again.",
    )


def _arrow_rows(piece: bytes, layout: Layout) -> tuple[pl.DataFrame, list[int]] | None:
    """Parse a piece with Arrow: the whole rows, and which rows are broken; None where it fails."""
    names = [position(index) for index in range(layout.width)]
    invalid: list[int] = []

    def skip(row: pc.InvalidRow) -> str:
        invalid.append(row.number - 1)
        return "skip"

    parse = pc.ParseOptions(
        delimiter=layout.delimiter, newlines_in_values=b'"' in piece, invalid_row_handler=skip
    )
    try:
        table = pc.read_csv(
            BytesIO(piece),
            pc.ReadOptions(column_names=names, use_threads=False, block_size=len(piece) + 64),
            parse,
            # It was made UTF-8 just now.
            pc.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    frame = pl.from_arrow(table)
    return (frame, invalid) if isinstance(frame, pl.DataFrame) else None


def _parse_regular(piece: bytes, layout: Layout) -> _Rows | None:
    """Parse a regular piece; None where Arrow sees other records than its lines and quotes tell."""
    count = records.plain_rows(piece)
    spans = (
        None
        if count is not None
        else records.regular_records(piece, layout.delimiter, layout.width)
    )
    if count is None and (spans is None or not len(spans.starts)):
        return None
    parsed = _arrow_rows(piece, layout)
    if parsed is None:
        return None
    frame, invalid = parsed
    if frame.height + len(invalid) != (len(spans.starts) if spans else count):
        return None
    if not invalid and spans is None:
        every = np.arange(frame.height)
        return _Rows(frame, every, every)
    spans = spans or records.regular_records(piece, layout.delimiter, layout.width)
    return _with_broken(piece, spans, parsed, layout) if spans else None


def _with_broken(
    piece: bytes, spans: records.Spans, parsed: tuple[pl.DataFrame, list[int]], layout: Layout
) -> _Rows | None:
    frame, invalid = parsed
    broken = {}
    for index in invalid:
        text = piece[spans.starts[index] : spans.ends[index]].decode()
        if "\n" in text:
            return None
        found, _ = records.exact_records(text, layout.delimiter)
        broken[index] = _broken(int(spans.lines[index]), found[0].cells, layout)
    whole = np.delete(np.arange(len(spans.starts)), invalid)
    return _Rows(frame, whole, spans.lines, broken)


def _no_rows(layout: Layout) -> _Rows:
    """Return what a piece of blank lines holds: millions of them must not go one by one."""
    none = np.array([], dtype=np.int64)
    names = [position(index) for index in range(layout.width)]
    return _Rows(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), none, none)


def _broken(line: int, cells: list[str], layout: Layout, *, sound: bool = True) -> BrokenRow:
    reason = "too_many_fields" if len(cells) > layout.width else "too_few_fields"
    return BrokenRow(row_no=0, line_no=line, reason=reason, cells=tuple(cells), quotes=not sound)


def _parse_exact(text: str, layout: Layout, *, final: bool) -> tuple[_Rows, int]:
    found, used = records.exact_records(text, layout.delimiter, layout.width, final=final)
    is_whole = [record.sound and len(record.cells) == layout.width for record in found]
    rows = [record.cells for record, whole in zip(found, is_whole, strict=True) if whole]
    columns = zip(*rows, strict=True) if rows else [()] * layout.width
    frame = pl.DataFrame(
        {position(index): pl.Series(cells, dtype=pl.String) for index, cells in enumerate(columns)}
    )
    broken = {
        index: _broken(record.line, record.cells, layout, sound=record.sound)
        for index, record in enumerate(found)
        if not is_whole[index]
    }
    lines = np.array([record.line for record in found], dtype=np.int64)
    return _Rows(frame, np.flatnonzero(is_whole), lines, broken), used


def _blank(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows have nothing in any cell: what a spreadsheet leaves below its data."""
    first = frame.to_series(0).str.strip_chars() == ""
    if not first.any():
        return first
    return frame.select(
        pl.all_horizontal(pl.all().str.strip_chars() == "").alias("blank")
    ).to_series()


@dataclass(slots=True)
class TextReader:
    """Reads one text file, piece by piece, with rows and lines numbered as delivered."""

    path: Path
    encoding: encodings.Encoding
    layout: Layout
    row: int = 0
    line: int = 0

    def batches(self) -> Iterator[Batch]:
        """Give the rows below the header."""
        with encodings.open_bytes(self.path) as stream, whole_file():
            rest, skip = b"", self.layout.lines
            for piece in ahead(encodings.utf8_pieces(stream, self.encoding)):
                buffer = rest + piece
                if skip:
                    buffer = _after_lines(buffer, skip)
                    self.line, skip = skip, 0
                end = records.whole_records(buffer)
                if end == 0 and len(buffer) <= records.MAX_RECORD:
                    rest = buffer
                    continue
                end = len(buffer) if len(buffer) - end > records.MAX_RECORD else end
                batch, used = self._batch(buffer[:end], final=False)
                rest = buffer[used:]
                yield batch
            if rest:
                yield self._batch(rest, final=True)[0]

    def _batch(self, piece: bytes, *, final: bool) -> tuple[Batch, int]:
        blank = not piece.strip(b"\r\n")
        rows = _no_rows(self.layout) if blank else _parse_regular(piece, self.layout)
        if rows is not None:
            used = len(piece)
            height = piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
        else:
            text = piece.decode()
            rows, height = _parse_exact(text, self.layout, final=final)
            used = len("".join(records.split_lines(text)[:height]).encode())
        batch = self._numbered(rows, damaged=encodings.has_marks(piece))
        self.line += height
        return batch, used

    def _numbered(self, rows: _Rows, *, damaged: bool) -> Batch:
        """Number the rows that hold anything."""
        blank = np.zeros(len(rows.lines), dtype=np.bool_)
        blank_whole = _blank(rows.frame).to_numpy()
        blank[rows.whole[blank_whole]] = True
        for index, row in rows.broken.items():
            blank[index] = not "".join(row.cells).strip()
        numbers = self.row + np.cumsum(~blank)
        lines = self.line + rows.lines + 1
        frame = rows.frame.with_columns(
            pl.Series(ROW, numbers[rows.whole], dtype=pl.Int64),
            pl.Series(LINE, lines[rows.whole], dtype=pl.Int64),
        ).filter(pl.Series(~blank_whole))
        broken = tuple(
            BrokenRow(
                row_no=int(numbers[index]),
                line_no=int(lines[index]),
                reason=row.reason,
                cells=row.cells,
                quotes=row.quotes,
            )
            for index, row in rows.broken.items()
            if not blank[index]
        )
        self.row = int(numbers[-1]) if len(numbers) else self.row
        return Batch(
            header=self.layout.header,
            frame=frame,
            broken=broken,
            damaged=damaged,
            blank=int(blank.sum()),
        )


@contextmanager
def whole_file() -> Iterator[None]:
    """Turn what a damaged archive or disk raises into the refusal of the file."""
    try:
        yield
    except (EOFError, zlib.error, OSError) as error:
        raise RefusedFileError(
            "unreadable_file",
            "文件无法读完，可能在传输中被截断、压缩包已损坏，或没有读取权限。请重新压缩、重新报送。",
            "The file cannot be read to its end: it was cut short in transfer, its compression is "
            "damaged, or it may not be read. Compress and deliver it again.",
        ) from error


def _after_lines(buffer: bytes, count: int) -> bytes:
    """Return what follows the first `count` lines."""
    head = records.split_lines(buffer[: 4 * HEAD].decode(errors="ignore"))[:count]
    return buffer[len("".join(head).encode()) :]


def _head(path: Path, encoding: encodings.Encoding) -> str:
    with encodings.open_bytes(path) as stream:
        # Only the head: a wrong guess would mark every byte of a whole piece.
        start = io.BytesIO(stream.read(2 * HEAD))
    first = next(encodings.utf8_pieces(start, encoding), b"")
    cut = first[:HEAD]
    whole = cut if len(first) <= HEAD else cut[: cut.rfind(b"\n") + 1] or cut
    return whole.decode(errors="ignore")


def _choose(path: Path, table: str) -> tuple[Layout, encodings.Encoding]:
    """Return the encoding in which the header names the most columns, the likeliest first."""
    best: tuple[Layout, encodings.Encoding] | None = None
    likely = False
    for encoding, share in encodings.candidates(path):
        likely |= share >= 0.5
        layout = find_layout(_head(path, encoding), table)
        if best is None or layout.named > best[0].named:
            best = (layout, encoding)
    if best is None or not (likely or best[0].named):
        raise encodings.no_text()
    if best[1] is encodings.GB18030 and looks_like_big5(encodings.sample(path), table):
        raise is_big5()
    return best


def open_text(path: Path, table: str, codec: str = "") -> Reading:
    """Open a text file of `table`; RefusedFileError where it cannot be read at all.

    `codec`: the encoding where it is known; a byte order mark still counts before it.
    """
    with whole_file():
        if codec:
            encoding = encodings.known(path, codec)
            layout = find_layout(_head(path, encoding), table)
        else:
            layout, encoding = _choose(path, table)
        with path.open("rb") as stream:
            zipped = stream.read(2) == b"\x1f\x8b"
    reader = TextReader(path, encoding, layout)
    return Reading(
        format=NAMES[layout.delimiter] + (".gz" if zipped else ""),
        encoding=encoding.name,
        header=layout.header,
        batches=reader.batches(),
    )
