"""Region parts at the front of names and addresses, by gazetteer and by pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.matching.characters import U64, Flags, Hashes, Ints, Text
from audit.matching.gazetteer import COUNTY, TOWN, VILLAGE, Gazetteer

MAX_PARTS = 5
_COUNTY_SIGNS = np.array([ord(c) for c in "县区旗"], dtype=np.uint32)
_TOWN_SIGNS = np.array([ord(c) for c in "镇乡"], dtype=np.uint32)
_STREET, _WAY, _CITY_WALL = (np.uint32(ord(c)) for c in "街道城")
_NOT_A_PLACE = np.array([ord(c) for c in "路街巷道桥站"], dtype=np.uint32)


@dataclass(slots=True)
class Prefix:
    """Where the region parts end: `upper` behind province, city and county, `end` behind all.

    `place_start`, `place_key`: start and hash of the last part down to the county (short name).
    """

    upper: Ints
    end: Ints
    place_start: Ints
    place_key: U64
    level: Ints


def _pattern(
    text: Text, hashes: Hashes, at: Ints, ends: Ints, level: Ints
) -> tuple[Ints, Ints, U64]:
    """Return length, level and key of a county or town in its usual shape, where one follows.

    Two or three characters and the sign, only behind a province, city or county.
    """
    lengths = np.zeros(len(at), dtype=np.int64)
    levels = np.zeros(len(at), dtype=np.int64)
    for extra in (3, 2):
        sign, before, after = (text.at(at + extra + d) for d in (0, -1, 1))
        inside = (lengths == 0) & (at + extra + 2 < ends) & (level > 0)
        county = inside & np.isin(sign, _COUNTY_SIGNS) & (level < COUNTY)
        town = inside & np.isin(sign, _TOWN_SIGNS) & (level < TOWN) & (before != _CITY_WALL)
        street = inside & (sign == _STREET) & (after == _WAY) & (level < TOWN)
        found = county | town | street
        lengths[found] = extra + 1
        lengths[street] = extra + 2
        levels[found] = np.where(county[found], COUNTY, TOWN)
    # The key is of the name without its sign, as the gazetteer's is.
    keys = hashes.of(at, np.maximum(at + lengths - 1, at))
    return lengths, levels, keys


def prefix(
    text: Text, hashes: Hashes, ends: Ints, gazetteer: Gazetteer, *, deepest: int = TOWN
) -> Prefix:
    """Return the region parts at the start of each record, up to `ends`, none below `deepest`."""
    starts = text.starts.copy()
    n = len(starts)
    found = Prefix(
        starts.copy(), starts.copy(), starts.copy(), np.zeros(n, np.uint64), np.zeros(n, np.int64)
    )
    live = np.arange(n)
    for _ in range(MAX_PARTS):
        at, stop, level = found.end[live], ends[live], found.level[live]
        lengths, numbers = gazetteer.phrases.longest(hashes, at, stop)
        levels, keys = gazetteer.levels[numbers], gazetteer.keys[numbers]
        follows = text.at(np.where(at + lengths < stop, at + lengths, -1))
        lone = gazetteer.bare[numbers] & (
            (stop - at - lengths < 2) | np.isin(follows, _NOT_A_PLACE)
        )
        lengths[lone | (levels > deepest) | (levels <= level)] = 0
        shaped = lengths == 0
        if shaped.any():
            some = np.flatnonzero(shaped & (level > 0))
            more = _pattern(text, hashes, at[some], stop[some], level[some])
            lengths[some], levels[some], keys[some] = more
        live = _advance(found, live, lengths, levels, keys)
        if not len(live):
            break
    return found


def _advance(found: Prefix, live: Ints, lengths: Ints, levels: Ints, keys: U64) -> Ints:
    """Note the parts found and return the records that may have another."""
    hit = lengths > 0
    rows = live[hit]
    begun = found.end[rows]
    found.end[rows] = begun + lengths[hit]
    found.level[rows] = levels[hit]
    upper = levels[hit] <= COUNTY
    high = rows[upper]
    found.upper[high] = found.end[high]
    found.place_start[high] = begun[upper]
    found.place_key[high] = keys[hit][upper]
    return rows[found.level[rows] < VILLAGE]


def is_region(hashes: Hashes, starts: Ints, ends: Ints, gazetteer: Gazetteer) -> Flags:
    """Return whether whole parts are one or two names of places."""
    first, _ = gazetteer.phrases.longest(hashes, starts, ends)
    second, _ = gazetteer.phrases.longest(hashes, starts + first, ends)
    answer: Flags = (first > 0) & (starts + first + second == ends)
    return answer
