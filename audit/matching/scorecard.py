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

# Coarser views of a field for combinations of several fields: the levels of 1, of 2 and so on;
# 0 stands for all others.
_VIEWS: dict[str, tuple[lv.Field, tuple[tuple[str, ...], ...]]] = {
    "stem": (
        lv.NAME,
        (
            (
                *("trade_head", "trade_near", "trade_near_industry", "trade_cut"),
                "trade_cut_industry",
            ),
            (
                *("trade_slip", "trade_slip_industry", "trade", "trade_similar", "trade_alone"),
                *("trade_sound", "trade_sound_similar", "core_branch"),
            ),
            ("core_sound", "core", "name"),
        ),
    ),
    "person": (lv.OWNER, (("differs", "near"), ("sound", "common", "rare"))),
    "line": (lv.PHONE, (("differs",), ("digit", "own"), ("agency", "shared"))),
    "place": (
        lv.ADDRESS,
        (
            ("differs", "similar", "road"),
            ("other_room", "number", "full"),
            ("crowded", "full_crowded"),
        ),
    ),
}
# How many of owner, telephone and address agree, and how many contradict.
_COUNTS: dict[str, tuple[tuple[lv.Field, tuple[str, ...]], ...]] = {
    "agree": (
        (lv.OWNER, ("sound", "common", "rare")),
        (lv.PHONE, ("own",)),
        (lv.ADDRESS, ("number", "full")),
    ),
    "contradict": (
        (lv.OWNER, ("differs",)),
        (lv.PHONE, ("differs",)),
        (lv.ADDRESS, ("differs", "road")),
    ),
}
TERMS: tuple[tuple[str, ...], ...] = (
    *(("name",), ("owner",), ("phone",), ("address",), ("region",), ("industry",), ("form",)),
    *(("branch",), ("kind",), ("name", "rarity"), ("name", "agree"), ("name", "contradict")),
    *(("name", "region"), ("name", "industry"), ("name", "owner"), ("name", "phone")),
    *(("name", "address"), ("owner", "phone")),
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
        return 1 + len(_VIEWS[part][1])
    return len(lv.FIELDS[lv.INDEX[part]].levels)


SIZES = tuple(int(np.prod([part_size(part) for part in term])) for term in TERMS)
OFFSETS = tuple(int(x) for x in np.cumsum((0, *SIZES))[:-1])
N_CELLS = sum(SIZES)


def level_parts(patterns: U64) -> dict[str, NDArray[np.int32]]:
    """Return the level of every field, view and count in each pattern."""
    levels = {f.id: lv.level_of(patterns, f).astype(np.int32) for f in lv.FIELDS}
    for part, (field, groups) in _VIEWS.items():
        table = np.zeros(len(field.levels), np.int32)
        for number, words in enumerate(groups, start=1):
            table[[lv.number_of(field, word) for word in words]] = number
        levels[part] = table[levels[field.id]]
    for part, wanted in _COUNTS.items():
        hits = [
            np.isin(levels[field.id], [lv.number_of(field, word) for word in words])
            for field, words in wanted
        ]
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
