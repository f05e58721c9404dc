"""Header cells to columns of the contract: Chinese name, item number and name, or English name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

from audit.contracts import CONTRACT
from audit.matching.characters import tables
from pipelines.readers.lists import LIST, is_known, list_columns
from pipelines.readers.model import Header, RefusedFileError

HEADER_ROWS = 10
_IDEOGRAPHS = 0x3400
_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]+")


_ITEM = re.compile(r"^\(?(\d[\d-]*)\)?[.、:_]?(?=\D)")


@cache
def _simplified() -> dict[int, int]:
    """Return the simplified character of each traditional one, both by their code points."""
    folds = tables()[0]
    # The table folds marks and case too; a header keeps those.
    codes = np.flatnonzero((folds >= _IDEOGRAPHS) & (folds < len(folds)))
    return dict(zip(codes.tolist(), folds[codes].tolist(), strict=True))


def fold(cell: str) -> str:
    """Return a header cell without widths, blanks, line breaks and case, in simplified script.

    `109.`, `109、`, `(109)` in front of a name are the same as `109`.
    """
    text = _BLANKS.sub("", unicodedata.normalize("NFKC", cell)).casefold()
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        text = text.translate(_simplified())
    return _ITEM.sub(r"\1", text)


@lru_cache(maxsize=64)
def known_headers(table: str) -> dict[str, str]:
    """Return the column of each header that `table` knows, folded.

    A Chinese name that two columns share stands for neither: only its item number tells.
    """
    columns = CONTRACT.tables[table].columns
    shared = Counter(fold(column.label.zh) for column in columns)
    known: dict[str, str] = {}
    for column in columns:
        name = fold(column.label.zh)
        if shared[name] == 1:
            known[name] = column.name
        if column.item:
            known[fold(column.item) + name] = column.name
    return known | {fold(column.name): column.name for column in columns}


def recognised(cells: Sequence[str], table: str) -> int:
    """Return how many header cells are columns of `table`."""
    if table == LIST:
        return sum(is_known(fold(cell)) for cell in cells)
    known = known_headers(table)
    return sum(fold(cell) in known for cell in cells)


def find_header(rows: Sequence[Sequence[str]], table: str) -> tuple[int, int]:
    """Return the index of the header among the first rows, and how many columns it names.

    Title rows above the header are passed over; the first row stands where none names a column.
    """
    counts = [recognised(cells, table) for cells in rows[:HEADER_ROWS]]
    best = max(counts, default=0)
    return (counts.index(best), best) if counts else (0, 0)


def _unique(cells: Sequence[str]) -> tuple[str, ...]:
    labels: list[str] = []
    for index, cell in enumerate(cells):
        label = _BLANKS.sub(" ", cell).strip() or f"列{index + 1}"
        while label in labels:
            label += f"#{index + 1}"
        labels.append(label)
    return tuple(labels)


def _list_header(cells: Sequence[str]) -> Header:
    labels = _unique(cells)
    columns = list_columns([fold(cell) for cell in cells])
    unknown = tuple(label for label, name in zip(labels, columns, strict=True) if not name)
    return Header(labels=labels, columns=columns, unknown=unknown, missing=())


def match_header(cells: Sequence[str], table: str) -> Header:
    """Match header cells to the columns of `table`.

    RefusedFileError where two cells name the same column: which one counts cannot be told.
    """
    if table == LIST:
        return _list_header(cells)
    known = known_headers(table)
    contract = CONTRACT.tables[table]
    columns = tuple(known.get(fold(cell), "") for cell in cells)
    twice = [name for name, count in Counter(filter(None, columns)).items() if count > 1]
    if twice:
        label = contract.by_name[twice[0]].label
        raise RefusedFileError(
            "unreadable_file",
            f"表头中“{label.zh}”（{twice[0]}）出现了两次，无法判断以哪一列为准。请只保留一列后重新报送。",
            f"The header names the column {twice[0]} twice, so which one counts cannot be told. "
            "Keep one of them and deliver the file again.",
            twice[0],
        )
    labels = _unique(cells)
    return Header(
        labels=labels,
        columns=columns,
        unknown=tuple(label for label, name in zip(labels, columns, strict=True) if not name),
        missing=tuple(c.name for c in contract.columns if c.required and c.name not in columns),
    )
