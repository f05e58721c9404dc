"""Where names are the same, agreeing more may never lower a weight.

Relatives share person, telephone and address exactly, second enumerations share them damaged; so a
fit, left alone, learns that full agreement speaks against one unit. That is sound where the names
differ and absurd where they are one. Fits are therefore held to the order of these patterns.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from audit.matching import levels as lv
from audit.matching.features import U64

_NAMES = ("core_sound", "core", "name")
# Levels, worse before better; what no chain joins is not compared.
_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "name": (_NAMES,),
    "owner": (("differs", "near", "sound", "common", "rare"), ("differs", "missing", "common")),
    "phone": (
        ("differs", "digit", "shared", "own"),
        ("differs", "agency", "shared"),
        ("differs", "missing", "shared"),
    ),
    "address": (
        ("differs", "similar", "number", "full"),
        ("differs", "road", "number"),
        ("differs", "other_room", "number"),
        ("differs", "missing", "number"),
        ("crowded", "number"),
        ("crowded", "full_crowded", "full"),
    ),
    "region": (("other_city", "city", "county", "township", "village"),),
    "industry": (("differs", "division", "group", "class"), ("differs", "missing", "class")),
    "form": (("differs", "missing", "same"),),
}
_CROSSED = ("name", "owner", "phone", "address")
"""Fields whose combinations earn points; the others only go with the name."""
_USUAL = {"rarity": "rare", "region": "county", "industry": "class", "form": "same"}


@cache
def ordered_patterns() -> tuple[U64, U64]:
    """Return patterns and, to each, a better one whose weight must not be lower."""
    worse, better = [], []
    for field, low, high in _steps():
        others = _others(field)
        worse.append(others | _bits(field, low))
        better.append(others | _bits(field, high))
    return np.concatenate(worse), np.concatenate(better)


def _steps() -> list[tuple[str, str, str]]:
    """Return (field, worse level, better level)."""
    return [
        (field, worse, better)
        for field, chains in _CHAINS.items()
        for chain in chains
        for worse, better in pairwise(chain)
    ]


def _others(field: str) -> U64:
    """Return the levels of the other fields with which a step of one field is looked at, packed."""
    crossed = [other for other in _CROSSED if other != field] if field in _CROSSED else ["name"]
    found = np.zeros(1, np.uint64)
    for other in crossed:
        levels = _NAMES if other == "name" else [level[0] for level in _levels(other)]
        found = (found[:, None] | [_bits(other, level) for level in levels]).ravel()
    for other, level in _USUAL.items():
        if other not in (field, *crossed):
            found = found | _bits(other, level)
    return found


def _levels(field: str) -> tuple[tuple[str, str, str], ...]:
    return lv.FIELDS[lv.INDEX[field]].levels


def _bits(field: str, level: str) -> np.uint64:
    """Return the level of one field at its place in a pattern."""
    number = lv.INDEX[field]
    return np.uint64(lv.number_of(lv.FIELDS[number], level) << lv.SHIFTS[number])
