"""The scorecard: which combinations of levels earn points.

Every pattern has exactly one active cell a term, so the design matrix is a matrix of cell numbers
and a score is a sum of look-ups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.features import U64

Floats = NDArray[np.float64]
Cells = NDArray[np.int32]

# Coarser views of a field, one number a level, for combinations of several fields.
_VIEWS: dict[str, tuple[str, tuple[int, ...]]] = {
    "stem": ("name", (0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3)),
    "person": ("owner", (0, 1, 1, 2, 2, 2)),
    "line": ("phone", (0, 1, 2, 3, 3, 2)),
    "place": ("address", (0, 1, 1, 1, 2, 3, 2, 3, 2)),
}
# How many of owner, telephone and address agree, and how many contradict.
_COUNTS: dict[str, dict[str, tuple[int, ...]]] = {
    "agree": {"owner": (3, 4, 5), "phone": (5,), "address": (6, 8)},
    "contradict": {"owner": (1,), "phone": (1,), "address": (1, 3)},
}
TERMS: tuple[tuple[str, ...], ...] = (
    *(("name",), ("owner",), ("phone",), ("address",), ("region",), ("industry",), ("form",)),
    *(("branch",), ("kind",), ("name", "rarity"), ("name", "agree"), ("name", "contradict")),
    *(("name", "region"), ("name", "industry"), ("name", "owner"), ("owner", "phone")),
    *(("owner", "address"), ("phone", "address"), ("branch", "name"), ("agree", "contradict")),
    ("stem", "person", "line", "place"),
)
EVIDENCE_PARTS = ("agree", "contradict", "place")
"""A term that ends in one of these speaks of the evidence together, not of one field."""


def part_size(part: str) -> int:
    """Return how many levels a field, view or count has."""
    if part in _COUNTS:
        return 1 + len(_COUNTS[part])
    if part in _VIEWS:
        return 1 + max(_VIEWS[part][1])
    return len(lv.FIELDS[lv.INDEX[part]].levels)


SIZES = tuple(int(np.prod([part_size(part) for part in term])) for term in TERMS)
OFFSETS = tuple(int(x) for x in np.cumsum((0, *SIZES))[:-1])
N_CELLS = sum(SIZES)


def level_parts(patterns: U64) -> dict[str, NDArray[np.int32]]:
    """Return the level of every field, view and count in each pattern."""
    levels = {f.id: lv.level_of(patterns, f).astype(np.int32) for f in lv.FIELDS}
    for part, (field, view) in _VIEWS.items():
        levels[part] = np.array(view, np.int32)[levels[field]]
    for part, wanted in _COUNTS.items():
        hits = [np.isin(levels[field], values) for field, values in wanted.items()]
        levels[part] = np.sum(hits, axis=0, dtype=np.int32)
    return levels


def cells(patterns: U64) -> Cells:
    """Return the active cell of each term: patterns x TERMS."""
    levels = level_parts(patterns)
    result = np.empty((len(patterns), len(TERMS)), np.int32)
    for column, (term, offset) in enumerate(zip(TERMS, OFFSETS, strict=True)):
        cell = np.zeros(len(patterns), np.int32)
        for part in term:
            cell = cell * part_size(part) + levels[part]
        result[:, column] = offset + cell
    return result


def cell_names() -> list[str]:
    """Return the name of every cell, such as `name=core*rarity=rare`."""
    names: list[str] = []
    for term in TERMS:
        heads = [""]
        for part in term:
            words = (
                [level[0] for level in lv.FIELDS[lv.INDEX[part]].levels]
                if part in lv.INDEX
                else [str(i) for i in range(part_size(part))]
            )
            heads = [f"{h}*{part}={w}" if h else f"{part}={w}" for h in heads for w in words]
        names += heads
    return names


def score(points: Floats, intercept: float, at: Cells) -> Floats:
    """Return the log odds of patterns, before their codes are looked at."""
    result = np.full(len(at), intercept)
    for column in range(at.shape[1]):
        result += points[at[:, column]]
    return result
