"""How values get into cells: cleaned text, numbers, the hash of a row."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

Cell = str | float | None
"""What one cell holds; dates are text here."""

MAX_TEXT = 32_000
MAX_LINES = 12
_FORBIDDEN = "[\\x00-\\x08\\x0B-\\x1F\\x7F\\x{FFFE}\\x{FFFF}]"
_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|^<r>", re.MULTILINE)
_VISIBLE = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)}
_VISIBLE |= {0x7F: "␡", 0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def clean_texts(values: pl.Series) -> pl.Series:
    """Return texts that a cell can hold and show.

    Characters that XML forbids become their visible pictures (U+2400 …); overlong texts are cut
    with `…`. A text that looks like rich-string markup gets a blank behind, because the writer
    would copy it into the file as it stands. Order and nulls are kept.
    """
    texts = values.cast(pl.String)
    # Nearly all are clean. One look at all of them costs less than one engine call.
    there = [text for text in texts.to_list() if text]
    if not _SUSPECT.search("\n".join(there)) and max(map(len, there), default=0) <= MAX_TEXT:
        return texts
    texts = texts.str.replace_all("\r\n", "\n", literal=True)
    if texts.str.contains(_FORBIDDEN).any():
        texts = texts.map_elements(lambda text: text.translate(_VISIBLE), return_dtype=pl.String)
    markup = texts.str.starts_with("<r>") & texts.str.ends_with("</r>")
    long = texts.str.len_chars() > MAX_TEXT
    if markup.any() or long.any():
        frame = pl.DataFrame({"t": texts, "m": markup, "l": long})
        text = pl.col("t")
        texts = frame.select(
            pl.when("l")
            .then(text.str.slice(0, MAX_TEXT) + "…")
            .when("m")
            .then(text + " ")
            .otherwise(text)
        ).to_series()
    return texts


def clean_text(text: str) -> str:
    """Return one text as `clean_texts` does."""
    if len(text) <= MAX_TEXT and not _SUSPECT.search(text):
        return text
    return str(clean_texts(pl.Series([text]))[0])


def column_cells(table: pa.Table, name: str) -> list[Cell]:
    """Return one column of an Arrow table as cell values; a column that is missing is empty."""
    if name not in table.column_names:
        return [None] * table.num_rows
    series = pl.Series(name, table[name])
    if series.dtype == pl.String:
        return clean_texts(series).to_list()
    if series.dtype.is_numeric():
        numbers = series.cast(pl.Float64).to_list()
        return [n if n is not None and math.isfinite(n) else None for n in numbers]
    return clean_texts(series.cast(pl.String)).to_list()


def line_counts(columns: Sequence[tuple[Sequence[Cell], float]]) -> list[int]:
    """Return for each row the lines its longest wrapped text takes, from 1 to `MAX_LINES`.

    `columns` are cells and the width of their column in Latin characters; a Chinese character,
    three bytes of UTF-8, takes two of them. Numbers never wrap.
    """
    frame = pl.DataFrame(
        {
            str(number): pl.Series(
                [v if isinstance(v, str) else "" for v in values], dtype=pl.String
            )
            for number, (values, _) in enumerate(columns)
        }
    )
    counts = [
        (
            (pl.col(str(number)).str.len_bytes() + pl.col(str(number)).str.len_chars())
            / (2 * (width - 1))
        ).ceil()
        + pl.col(str(number)).str.count_matches("\n", literal=True)
        for number, (_, width) in enumerate(columns)
    ]
    lines = pl.max_horizontal(counts).clip(1, MAX_LINES).cast(pl.Int64)
    return frame.select(lines).to_series().to_list()


def cell_text(cell: Cell) -> str:
    """Return a cell as the text that the row hash is made of; numbers with 15 digits."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else f"{cell:.15g}"


def row_hash(cells: Sequence[Cell]) -> str:
    """Return the hash of the locked cells of a row, in sheet order.

    The first 16 hexadecimal digits of SHA-256 over `cell_text` of each, joined by U+001F.
    """
    return hashlib.sha256("\x1f".join(map(cell_text, cells)).encode()).hexdigest()[:16]


def safe_name(text: str) -> str:
    """Return a text that can stand in a file name on every system."""
    return re.sub(r'[\\/:*?"<>|\x00-\x20.]+', "", text)[:40]
