"""Region parts at the front of names and addresses, by gazetteer and by pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.matching.characters import U64, Flags, Hashes, Ints, Text, classes
from audit.matching.gazetteer import COUNTY, TOWN, Gazetteer

MAX_PARTS = 5
_BITS_OF, _BITS = classes(county="县区旗", town="镇乡", street="街", not_a_place="路街巷道桥站")
_WAY, _CITY_WALL = (np.uint32(ord(c)) for c in "道城")


@dataclass(slots=True)
class Prefix:
    """Where the region parts end: `upper` behind province, city and county, `end` behind all.

    `place_start`, `place_key`: start and hash of the last part down to the county (short name).
    """

    upper: Ints
    end: Ints
    place_start: Ints
    place_key: U64


def _pattern(
    text: Text, hashes: Hashes, at: Ints, ends: Ints, level: Ints
) -> tuple[Ints, Ints, U64]:
    """Return length, level and key of a county or town in its usual shape, where one follows.

    Two or three characters and the sign, only behind a province, city or county.
    """
    lengths = np.zeros(len(at), dtype=np.int64)
    levels = np.zeros(len(at), dtype=np.int64)
    for extra in (3, 2):
        sign = _BITS_OF.take(text.at(at + extra))
        inside = (lengths == 0) & (at + extra + 2 < ends) & (level > 0) & (sign > 0)
        county = inside & ((sign & _BITS["county"]) > 0) & (level < COUNTY)
        lower = inside & (level < TOWN)
        town = lower & ((sign & _BITS["town"]) > 0) & (text.at(at + extra - 1) != _CITY_WALL)
        street = lower & ((sign & _BITS["street"]) > 0) & (text.at(at + extra + 1) == _WAY)
        found = county | town | street
        lengths[found] = extra + 1
        lengths[street] = extra + 2
        levels[found] = np.where(county[found], COUNTY, TOWN)
    # The key is of the name without its sign, as the gazetteer's is.
    keys = np.zeros(len(at), dtype=np.uint64)
    hit = np.flatnonzero(lengths > 0)
    keys[hit] = hashes.of(at[hit], at[hit] + lengths[hit] - 1)
    return lengths, levels, keys


def prefix(
    text: Text, hashes: Hashes, ends: Ints, gazetteer: Gazetteer, *, deepest: int = TOWN
) -> Prefix:
    """Return the region parts at the start of each record, up to `ends`, none below `deepest`."""
    starts, n = text.starts, len(text)
    found = Prefix(starts.copy(), starts.copy(), starts.copy(), np.zeros(n, np.uint64))
    live, at, level = np.arange(n), starts, np.zeros(n, np.int64)
    for _ in range(MAX_PARTS):
        stop = ends.take(live)
        lengths, numbers = gazetteer.phrases.longest(hashes, at, stop)
        levels, keys = gazetteer.levels.take(numbers), gazetteer.keys.take(numbers)
        short = np.flatnonzero(gazetteer.bare.take(numbers))
        behind, left = (at + lengths)[short], (stop - at - lengths)[short]
        # A sign behind the part's end is not its own, but then less than two characters are left.
        follows = (_BITS_OF.take(text.at(behind)) & _BITS["not_a_place"]) > 0
        lengths[short[(left < 2) | follows]] = 0
        lengths[(levels > deepest) | (levels <= level)] = 0
        some = np.flatnonzero((lengths == 0) & (level > 0) & (level < TOWN))
        if len(some):
            more = _pattern(text, hashes, at[some], stop[some], level[some])
            lengths[some], levels[some], keys[some] = more
        hit = np.flatnonzero(lengths > 0)
        live, at, level = live.take(hit), at.take(hit), levels.take(hit)
        end = at + lengths.take(hit)
        _note(found, live, (at, end), level <= COUNTY, keys.take(hit))
        deeper = np.flatnonzero(level < deepest)
        if not len(deeper):
            break
        live, at, level = live.take(deeper), end.take(deeper), level.take(deeper)
    return found


def _note(found: Prefix, rows: Ints, bounds: tuple[Ints, Ints], upper: Flags, keys: U64) -> None:
    """Write parts and their bounds into these records."""
    at, end = bounds
    found.end[rows] = end
    of_upper = np.flatnonzero(upper)
    high = rows[of_upper]
    found.upper[high] = end[of_upper]
    found.place_start[high] = at[of_upper]
    found.place_key[high] = keys[of_upper]


def is_region(hashes: Hashes, starts: Ints, ends: Ints, gazetteer: Gazetteer) -> Flags:
    """Return whether whole parts are one or two names of places."""
    first, _ = gazetteer.phrases.longest(hashes, starts, ends)
    second, _ = gazetteer.phrases.longest(hashes, starts + first, ends)
    answer: Flags = (first > 0) & (starts + first + second == ends)
    return answer
