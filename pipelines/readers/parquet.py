"""Parquet files to batches of delivered text: each column in the form the contract writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pac
import pyarrow.parquet as pq

from audit.contracts import Column
from pipelines.readers.headers import match_header
from pipelines.readers.lists import columns_of
from pipelines.readers.model import (
    BATCH_ROWS,
    LINE,
    ROW,
    Batch,
    Header,
    Reading,
    RefusedFileError,
    position,
)
from pipelines.readers.parquet_pages import has_checksums
from pipelines.readers.values import EXACT, cell_text, is_region

ZONE = "Asia/Shanghai"


def _unreadable(detail_zh: str = "", detail_en: str = "") -> RefusedFileError:
    return RefusedFileError(
        "unreadable_file",
        f"Parquet 文件无法读取：文件不完整或已损坏{detail_zh}。请重新导出后报送。",
        f"The Parquet file cannot be read: it is cut short or damaged{detail_en}. Export it again.",
    )


def _numbers(values: pl.Series) -> pl.Series:
    """Shortest decimal text; a number that needs an exponent is written out."""
    if values.dtype.is_integer():
        return values.cast(pl.String)
    known = values.fill_nan(None)
    whole = (known == known.round()) & (known.abs() < EXACT)
    text = pl.select(
        pl.when(whole)
        .then(known.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(known.cast(pl.String))
    ).to_series()
    if text.str.contains("e", literal=True).any():
        # Only the few numbers that need an exponent go one by one.
        odd = text.str.contains("e", literal=True)
        written = [cell_text(value, None) for value in known.filter(odd)]
        text = text.scatter(odd.arg_true(), written)
    return text


def _code_numbers(values: pl.Series, column: Column) -> pl.Series:
    """Digits of whole numbers of the right length; else a form that is refused as damaged."""
    text = _numbers(values)
    lengths = text.str.len_chars()
    allowed = {column.length} if column.length else set(lengths.unique().drop_nulls())
    allowed |= {2, 4, 6, 9} if is_region(column) else set()
    right = lengths.is_in(sorted(allowed)) & text.str.contains(r"^\d{1,15}$")
    return pl.select(
        pl.when(right | text.str.contains(".", literal=True)).then(text).otherwise(text + ".0")
    ).to_series()


def _moments(array: pa.Array, column: Column | None) -> pl.Series:
    if pa.types.is_timestamp(array.type) and array.type.tz:
        array = pac.local_timestamp(array.cast(pa.timestamp(array.type.unit, tz=ZONE)))
    values = pl.Series(pl.from_arrow(array))
    kind = column.type if column else ""
    if kind == "month":
        return values.dt.strftime("%Y-%m")
    if values.dtype == pl.Date:
        return values.dt.strftime("%Y-%m-%d 00:00:00" if kind == "timestamp" else "%Y-%m-%d")
    text = values.dt.strftime("%Y-%m-%d %H:%M:%S%.f")
    if kind == "date":
        return text.str.replace(r" 00:00:00(\.0*)?$", "")
    return text


def column_text(array: pa.Array, column: Column | None) -> pl.Series:
    """Return an Arrow column as delivered text; pa.ArrowException where its type has none."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return _moments(array, column)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        values = pl.Series(pl.from_arrow(array))
        is_code = column is not None and column.type == "code"
        return _code_numbers(values, column) if is_code and column else _numbers(values)
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return _marked(array)
    text = array.cast(pa.large_string())
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return _marked(text.cast(pa.large_binary()))
    return pl.Series(pl.from_arrow(text), dtype=pl.String)


def _marked(array: pa.Array) -> pl.Series:
    """Decode bytes that need not be text; those that are none are marked, as in text files."""
    values = [
        None if raw is None else raw.decode(errors="census-mark") for raw in array.to_pylist()
    ]
    return pl.Series(values, dtype=pl.String)


def _batch(record: pa.RecordBatch, header: Header, table: str, row_no: int) -> Batch:
    by_name = columns_of(table)
    columns: dict[str, pl.Series] = {}
    for index, name in enumerate(header.columns):
        try:
            columns[position(index)] = column_text(record.column(index), by_name.get(name))
        except (pa.ArrowException, pl.exceptions.PolarsError, ValueError) as error:
            label = header.labels[index]
            raise _unreadable(
                f"，或“{label}”列的类型不是文字、数字、日期", f" ({label})"
            ) from error
    numbers = pl.int_range(row_no + 1, row_no + record.num_rows + 1, eager=True)
    frame = pl.DataFrame({**columns, ROW: numbers, LINE: numbers + 1})
    return Batch(header=header, frame=frame, damaged=True)


def _batches(file: pq.ParquetFile, header: Header, table: str) -> Iterator[Batch]:
    row_no = 0
    with file:
        records = file.iter_batches(batch_size=BATCH_ROWS)
        while True:
            try:
                record = next(records, None)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise _unreadable() from error
            if record is None:
                return
            yield _batch(record, header, table, row_no)
            row_no += record.num_rows


def open_parquet(path: Path, table: str) -> Reading:
    """Open a Parquet file of `table`; RefusedFileError where it cannot be read."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        names = file.schema_arrow.names
        checksums = has_checksums(path, file.metadata)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable() from error
    header = match_header(names, table)
    return Reading(
        format="parquet",
        encoding="",
        header=header,
        batches=_batches(file, header, table),
        checksums=checksums,
    )
