"""Addresses split into road, number and room, without the region parts in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from audit.matching.brackets import pairs
from audit.matching.characters import (
    LETTERS_FROM,
    U8,
    U32,
    U64,
    Flags,
    Hashes,
    Ints,
    Text,
    bags,
    classes,
    folded,
    joined,
)
from audit.matching.gazetteer import VILLAGE, Gazetteer
from audit.matching.latin import canonical, is_latin, words
from audit.matching.numerals import with_digits
from audit.matching.regions import prefix

_DASH = np.uint32(ord("-"))
_CLASSES, _BITS = classes(
    digit="0123456789",
    way="路街巷弄",
    big="大国省县环通",
    division="区县镇乡村市",
    unit="号室栋幢楼层房铺之",
    tao="道",
    dash="-",
)
_WAY, _STREET = np.uint32(ord("道")), np.uint32(ord("街"))
_STREET_KINDS = [
    "STREET",
    "ST",
    "ROAD",
    "RD",
    "AVENUE",
    "AVE",
    "LANE",
    "LN",
    "DRIVE",
    "DR",
    "CLOSE",
    "CL",
    "COURT",
    "CT",
    "PLACE",
    "PL",
    "SQUARE",
    "SQ",
    "WAY",
    "TERRACE",
]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Hashes of n addresses as in `Features`."""

    road: U64
    road_no: U64
    room: U64
    address: U64
    address_bag: U64


def _are(codes: U32, group: str) -> Flags:
    answer: Flags = (_CLASSES[codes] & _BITS[group]) > 0
    return answer


def _kept(text: Text) -> Text:
    """Return letters, and the dashes between two digits, outside of brackets."""
    keep = text.codes >= LETTERS_FROM
    dashes = np.flatnonzero(text.codes == _DASH)
    before, after = text.beside(dashes, -1, 1)
    keep[dashes] = _are(before, "digit") & _are(after, "digit")
    opened, closed = pairs(text)
    keep[Text(text.codes, opened, closed).places()] = False
    return text.only(keep)


def _road_ends(text: Text, signs: Signs) -> Ints:
    """Return the position of the first sign of a road (路, 街, 大道 …), -1 of none."""
    spots, codes = signs.of("way", "tao")
    before, after = text.beside(spots, -1, 1)
    roads = (codes != _WAY) | _are(before, "big")
    # 街道 is a township, not a street; a record does not begin with the sign.
    roads &= ~((codes == _STREET) & (after == _WAY)) & (before != 0)
    return text.first_of(spots[roads])


def _division_ends(text: Text, signs: Signs, before: Ints) -> Ints:
    """Return the position behind the last 区, 镇, 村 … well before a road, else the start."""
    spots, codes = signs.of("division", "tao")
    (leading,) = text.beside(spots, -1)
    held = (codes != _WAY) | (leading == _STREET)
    limit = np.maximum(before - 1, text.starts)
    last = Text(text.codes, text.starts, limit).first_of(spots[held], last=True)
    return np.where(last >= 0, last + 1, text.starts)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of digits and dashes in a text, over the bounds of its records."""

    text: Text
    spots: Ints
    begins: Ints
    ends: Ints

    @classmethod
    def of(cls, text: Text, spots: Ints) -> _Runs:
        """Return the runs of these positions: where that of each begins and ends."""
        apart = np.flatnonzero(np.diff(spots, prepend=-2) > 1)
        sizes = np.diff(apart, append=len(spots))
        begins = spots[apart]
        return cls(text, spots, np.repeat(begins, sizes), np.repeat(begins + sizes, sizes))

    def first(self, starts: Ints) -> tuple[Ints, Ints]:
        """Return what is left of the first run between `starts` and the record's end, or 0, 0."""
        at = np.searchsorted(self.spots, np.minimum(starts, self.text.ends))
        begin = np.append(self.spots, np.iinfo(np.int64).max)[at]
        end = np.minimum(np.append(self.ends, 0)[at], self.text.ends)
        none = begin >= self.text.ends
        begin[none] = end[none] = 0
        return begin, end

    def last(self, starts: Ints) -> tuple[Ints, Ints]:
        """Return the last run between `starts` and the record's end, or 0, 0."""
        starts = np.minimum(starts, self.text.ends)
        at = np.searchsorted(self.spots, self.text.ends)
        end = np.concatenate([[-1], self.spots])[at] + 1
        begin = np.maximum(np.concatenate([[0], self.begins])[at], starts)
        none = end <= starts
        begin[none] = end[none] = 0
        return begin, end


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a text that tell something: where they are, and their groups' bits."""

    spots: Ints
    codes: U32
    bits: U8

    @classmethod
    def in_text(cls, text: Text) -> Signs:
        """Return the signs of a text."""
        bits = _CLASSES.take(text.codes)
        spots = np.flatnonzero(bits != 0)
        return cls(spots, text.codes[spots], bits[spots])

    def of(self, *groups: str) -> tuple[Ints, U32]:
        """Return places and characters of those in any of these groups."""
        held = np.flatnonzero(self.bits & np.bitwise_or.reduce([_BITS[g] for g in groups]))
        return self.spots[held], self.codes[held]


def _local(text: Text, gazetteer: Gazetteer) -> Text:
    """Return addresses without the region parts in front, numerals as digits."""
    region = prefix(text, Hashes(text), text.ends, gazetteer, deepest=VILLAGE)
    return with_digits(text.behind(region.end))


def _bare(text: Text, signs: Signs) -> Text:
    """Return addresses without signs of units behind a digit: 35号301室 and 35号301."""
    spots, _ = signs.of("unit")
    keep = np.ones(len(text.codes), dtype=np.bool_)
    (before,) = text.beside(spots, -1)
    keep[spots[_are(before, "digit")]] = False
    return text.only(keep)


def parse_addresses(column: pl.Series, gazetteer: Gazetteer) -> Addresses:
    """Return the hashes of addresses.

    Where there is no road, `road` is the village or building in front of the first number. Hashes
    have 64 bits: that any two of 100 million different addresses share one is 1 to 3,700.
    """
    written = folded(column)
    text = _local(_kept(written), gazetteer)
    hashes, signs = Hashes(text), Signs.in_text(text)
    way, runs = _road_ends(text, signs), _Runs.of(text, signs.of("digit", "dash")[0])
    number, number_end = runs.first(np.where(way >= 0, way + 1, text.starts))
    no_way = way < 0
    stop = np.where(no_way, np.where(number_end > 0, number, text.ends), way + 1)
    start = _division_ends(text, signs, np.where(no_way, stop, way))
    start = np.where(no_way & (stop - start < 2), text.starts, start)
    near = (number_end > 0) & (number - stop <= 3)
    road = np.where(stop - start >= 2, hashes.of(start, stop), np.uint64(0))
    house = np.where(near, hashes.of(number, number_end), np.uint64(0))
    room, room_end = runs.last(np.where(near, number_end, text.starts))
    rooms = np.where(near & (room_end > 0), hashes.of(room, room_end), np.uint64(0))
    road, house = _with_latin(written, road, house)
    bare = _bare(text, signs)
    both = (road != 0) & (house != 0)
    return Addresses(
        road=road, road_no=np.where(both, joined(road, house), np.uint64(0)), room=rooms,
        address=Hashes(bare).of(bare.starts, bare.ends),
        address_bag=bags(bare, bare.starts, bare.ends),
    )  # fmt: skip


def _with_latin(written: Text, road: U64, house: U64) -> tuple[U64, U64]:
    """Return road and number with those of addresses in Latin letters: 12 High Street, Leeds."""
    latin = np.flatnonzero(is_latin(written))
    if not len(latin):
        return road, house
    mine = written.some(latin)
    digits = np.flatnonzero(_are(mine.codes, "digit") | _are(mine.codes, "dash"))
    number, number_end = _Runs.of(mine, digits).first(mine.starts)
    comma = Text(mine.codes, np.maximum(number_end, mine.starts), mine.ends).first(
        mine.codes == np.uint32(ord(","))
    )
    stop = np.where(comma >= 0, comma, mine.ends)
    begin = np.where(number_end > 0, number_end, mine.starts)
    names = Text(mine.codes, begin, stop)
    road, house = road.copy(), house.copy()
    road[latin] = _street_names(names)
    house[latin] = Hashes(mine).of(number, number_end)
    return road, house


def _street_names(text: Text) -> U64:
    """Return the hashes of streets' letters without their kind."""
    tokens = words(text)
    kinds = np.isin(tokens.hashes, canonical(_STREET_KINDS))
    alone = np.bincount(tokens.rows[~kinds], minlength=len(text)) == 0
    return tokens.sequence(~kinds | alone[tokens.rows])
