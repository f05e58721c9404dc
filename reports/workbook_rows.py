"""The rows of a table as text for the writer, many times quicker than cell by cell.

XlsxWriter with constant memory keeps finished rows as text beside the workbook. What it would write
there is made here for a whole table at once, byte for byte the same; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import polars as pl
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.xmlwriter import XMLwriter

from reports.workbook_cells import Cell

BATCH = 2_000
"""Rows that are text in memory at once."""
_LONGEST = 32_767
"""UTF-16 units that a cell holds."""
_ESCAPED = "_x[0-9a-fA-F]{4}_|[\\x00-\\x08\\x0B-\\x1F\\x{FFFE}\\x{FFFF}]"
_INLINE = ' t="inlineStr"><is>'


@dataclass(frozen=True, slots=True)
class CellColumn:
    """One column of cells: texts, numbers, or None for blank ones.

    `looks` is a format for each cell, or one for all. Where `rich` has a text it is markup, made by
    `Runs`, and is written instead of the value.
    """

    values: Sequence[Cell]
    looks: Any
    rich: Sequence[str | None] = ()


class Runs:
    """Makes texts of which pieces have a font of their own."""

    def __init__(self, sheet: Any, look: Any) -> None:
        self._fonts = {True: _font(sheet, look), False: _font(sheet, Format())}

    def markup(self, pieces: Sequence[tuple[str, bool]]) -> str:
        """Return the markup of a text in pieces, each with whether the font is its own."""
        parts = []
        for number, (text, own) in enumerate(pieces):
            font = self._fonts[own] if own or number else ""
            space = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
            safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            safe = XMLwriter._escape_control_characters(safe)
            parts.append(f"<r>{font}<t{space}>{safe}</t></r>")
        return "".join(parts)


def _font(sheet: Any, look: Any) -> str:
    """Return a font as the writer puts it in front of a piece of text."""
    sheet.rstring = XMLwriter()
    sheet.rstring._set_filehandle(StringIO())
    sheet._write_font(look)
    return str(sheet.rstring.fh.getvalue())


def _cut(text: str) -> str:
    return text.encode("utf-16-le")[: _LONGEST * 2].decode("utf-16-le", "ignore")


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some rows of a column: what is text in it, what is number, what is markup; or nothing."""

    texts: Sequence[str | None] = ()
    numbers: Sequence[str | None] = ()
    rich: Sequence[str | None] = ()

    @classmethod
    def of(cls, column: CellColumn, part: slice) -> _Cells:
        """Tell apart what a column holds."""
        values = column.values[part]
        kinds = set(map(type, values)) - {type(None)}
        numbers = (
            [None if v is None or isinstance(v, str) else f"{v:.16G}" for v in values]
            if kinds - {str}
            else ()
        )
        texts = [v if isinstance(v, str) else None for v in values] if str in kinds else ()
        return cls(texts, numbers, column.rich[part])

    def series(self, place: int) -> dict[str, pl.Series]:
        """Return what there is, by the names that `expression` uses."""
        named = {"text": self.texts, "number": self.numbers, "rich": self.rich}
        return {
            f"{name}{place}": pl.Series(values, dtype=pl.String)
            for name, values in named.items()
            if values
        }

    def expression(self, place: int) -> pl.Expr:
        """Return what stands behind the style of each cell, to its end."""
        choices = []
        if self.rich:
            choices.append(pl.format(f'"{_INLINE}{{}}</is></c>', f"rich{place}"))
        if self.texts:
            text = pl.col(f"text{place}")
            for plain, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
                text = text.str.replace_all(plain, safe, literal=True)
            keep = pl.col(f"text{place}").str.contains(r"^\s|\s$")
            space = pl.when(keep).then(pl.lit(' xml:space="preserve"')).otherwise(pl.lit(""))
            choices.append(pl.format(f'"{_INLINE}<t{{}}>{{}}</t></is></c>', space, text))
        if self.numbers:
            choices.append(pl.format('"><v>{}</v></c>', f"number{place}"))
        return pl.coalesce(*choices, pl.lit('"/>'))


def _safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Escape what XML cannot hold, and cut what a cell cannot hold; both are rare."""
    texts = [name for name in frame.columns if name.startswith("text")]
    if not texts:
        return frame
    told = frame.select(
        pl.any_horizontal(pl.col(texts).str.contains(_ESCAPED).any()).alias("escaped"),
        pl.max_horizontal(pl.col(texts).str.len_bytes().max()).alias("longest"),
    ).row(0)
    for needed, change in (
        ((told[1] or 0) > _LONGEST, _cut),
        (told[0], XMLwriter._escape_control_characters),
    ):
        if needed:
            frame = frame.with_columns(
                frame[name].map_elements(change, return_dtype=pl.String) for name in texts
            )
    return frame


def _styles(columns: Sequence[CellColumn], part: slice) -> list[pl.Series | pl.Expr]:
    """Return the number of each cell's style; the writer gives them out row by row."""
    uses = []
    for place, column in enumerate(columns):
        looks = column.looks[part] if isinstance(column.looks, list) else [column.looks]
        uses += [(looks.index(look), place, look) for look in dict.fromkeys(looks)]
    numbers = {
        look: str(look._get_xf_index()) for _, _, look in sorted(uses, key=lambda use: use[:2])
    }
    return [
        pl.Series([numbers[look] for look in column.looks[part]], dtype=pl.String)
        if isinstance(column.looks, list)
        else pl.lit(numbers[column.looks])
        for column in columns
    ]


def _row_tag(sheet: Any, height: float) -> str:
    """Return what follows a row's number; heights are kept in whole pixels."""
    pixels = int(height * 4 / 3 + 0.5)
    if pixels == sheet.original_row_height:
        return '">'
    return f'" ht="{pixels * 0.75:.16g}" customHeight="1">'


def _row_texts(
    tags: Sequence[str], first: int, cells: Sequence[_Cells], styles: Sequence[pl.Series | pl.Expr]
) -> list[str]:
    """Return the text of each row from row `first` on, with what follows its number."""
    named = [c.series(place) for place, c in enumerate(cells)]
    frame = pl.DataFrame(
        {
            "row": [str(row + 1) for row in range(first, first + len(tags))],
            "tag": list(tags),
            **{name: values for column in named for name, values in column.items()},
        }
    )
    pieces: list[Any] = [pl.lit('<row r="'), "row", "tag"]
    for place, style in enumerate(styles):
        head = pl.lit(f'<c r="{xl_col_to_name(place)}')
        pieces += [head, "row", pl.lit('" s="'), style, cells[place].expression(place)]
    return _safe(frame).select(pl.concat_str([*pieces, pl.lit("</row>")])).to_series().to_list()


def write_rows(
    sheet: Any, first: int, heights: Sequence[float], columns: Sequence[CellColumn]
) -> int:
    """Write rows of `heights` points from row `first` on; return the last row, counted from 0.

    `columns` stand side by side from the first one on. What is written after must be below.
    """
    n = len(heights)
    if n:
        sheet._check_dimensions(first, 0)
        sheet._check_dimensions(first + n - 1, len(columns) - 1)
    tags = {height: _row_tag(sheet, height) for height in set(heights)}
    for start in range(0, n, BATCH):
        part = slice(start, min(start + BATCH, n))
        # The row that waits goes first, for the order of rows and of styles.
        sheet._write_single_row(first + part.stop)
        cells = [_Cells.of(column, part) for column in columns]
        of_rows = [tags[height] for height in heights[part]]
        texts = _row_texts(of_rows, first + part.start, cells, _styles(columns, part))
        sheet.row_data_fh.write("".join(texts))
    return first + n - 1
