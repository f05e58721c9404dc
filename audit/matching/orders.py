"""Where names are the same, agreeing more may never lower a weight.

Relatives share person, telephone and address exactly, second enumerations share them damaged; so a
fit, left alone, learns that full agreement speaks against one unit. That is sound where the names
differ and absurd where they are one. Fits are therefore held to the order of these patterns.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product

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
    found = [_pair(step, others) for step in _steps() for others in _others(step[0])]
    worse, better = zip(*found, strict=True)
    return np.array(worse, np.uint64), np.array(better, np.uint64)


def _steps() -> list[tuple[str, str, str]]:
    """Return (field, worse level, better level)."""
    return [
        (field, worse, better)
        for field, chains in _CHAINS.items()
        for chain in chains
        for worse, better in pairwise(chain)
    ]


def _others(field: str) -> list[dict[str, str]]:
    """Return the levels of the other fields with which a step of one field is looked at."""
    choices = {
        other: _NAMES if other == "name" else [level[0] for level in _levels(other)]
        for other in _CROSSED
        if other != field
    }
    if field not in _CROSSED:
        choices = {"name": _NAMES}
    return [
        _USUAL | dict(zip(choices, chosen, strict=True)) for chosen in product(*choices.values())
    ]


def _levels(field: str) -> tuple[tuple[str, str, str], ...]:
    return lv.FIELDS[lv.INDEX[field]].levels


def _pair(step: tuple[str, str, str], others: dict[str, str]) -> tuple[int, int]:
    field, worse, better = step
    return _packed(others | {field: worse}), _packed(others | {field: better})


def _packed(levels: dict[str, str]) -> int:
    return sum(
        lv.number_of(field, levels[field.id]) << shift
        for field, shift in zip(lv.FIELDS, lv.SHIFTS, strict=True)
        if field.id in levels
    )
