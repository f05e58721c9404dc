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


def _road_ends(signs: Signs) -> Ints:
    """Return the position of the first sign of a road (路, 街, 大道 …), -1 of none."""
    ways = signs.of("way", "tao")
    before, after = ways.beside(-1, 1)
    roads = (ways.codes != _WAY) | _are(before, "big")
    # 街道 is a township, not a street; a record does not begin with the sign.
    roads &= ~((ways.codes == _STREET) & (after == _WAY)) & (before != 0)
    return signs.text.first_of(ways.spots[roads], rows=ways.rows[roads])


def _division_ends(signs: Signs, before: Ints) -> Ints:
    """Return the position behind the last 区, 镇, 村 … well before a road, else the start."""
    text, divisions = signs.text, signs.of("division", "tao")
    (leading,) = divisions.beside(-1)
    held = (divisions.codes != _WAY) | (leading == _STREET)
    early = Text(text.codes, text.starts, np.maximum(before - 1, text.starts))
    last = early.first_of(divisions.spots[held], last=True, rows=divisions.rows[held])
    return np.where(last >= 0, last + 1, text.starts)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of digits and dashes in `n` records: the record of each and its bounds."""

    n: int
    rows: Ints
    begins: Ints
    ends: Ints

    @classmethod
    def of(cls, n: int, spots: Ints, rows: Ints) -> _Runs:
        """Return the runs of these positions, whose records are `rows`."""
        apart = (np.diff(spots, prepend=-2) > 1) | (np.diff(rows, prepend=-1) != 0)
        first = np.flatnonzero(apart)
        begins = spots[first]
        return cls(n, rows[first], begins, begins + np.diff(first, append=len(spots)))

    def first(self, starts: Ints) -> tuple[Ints, Ints]:
        """Return what is left of each record's first run behind `starts`, or 0, 0."""
        behind = np.flatnonzero(self.ends > starts[self.rows])
        return self._one_each(behind[::-1], starts)

    def last(self, starts: Ints) -> tuple[Ints, Ints]:
        """Return what is left of each record's last run behind `starts`, or 0, 0."""
        return self._one_each(np.flatnonzero(self.ends > starts[self.rows]), starts)

    def _one_each(self, runs: Ints, starts: Ints) -> tuple[Ints, Ints]:
        """Return the bounds of the last of these runs in each record."""
        begins, ends = np.zeros((2, self.n), dtype=np.int64)
        rows = self.rows[runs]
        begins[rows], ends[rows] = np.maximum(self.begins[runs], starts[rows]), self.ends[runs]
        return begins, ends


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a text that tell something: where they are, and their groups' bits."""

    text: Text
    rows: Ints
    spots: Ints
    codes: U32
    bits: U8

    @classmethod
    def in_text(cls, text: Text) -> Signs:
        """Return the signs of a text whose records touch each other."""
        bits = _CLASSES.take(text.codes)
        spots = np.flatnonzero(bits != 0)
        return cls(text, text.rows()[spots], spots, text.codes[spots], bits[spots])

    def of(self, *groups: str) -> Signs:
        """Return those in any of these groups."""
        wanted = np.bitwise_or.reduce([_BITS[g] for g in groups])
        held = np.flatnonzero((self.bits & wanted) != 0)
        return Signs(
            self.text, self.rows[held], self.spots[held], self.codes[held], self.bits[held]
        )

    def beside(self, *steps: int) -> list[U32]:
        """Return the characters so many places from each sign, as `Text.beside` does."""
        return self.text.beside(self.spots, *steps, rows=self.rows)


def _local(text: Text, gazetteer: Gazetteer) -> Text:
    """Return addresses without the region parts in front, numerals as digits."""
    region = prefix(text, Hashes(text), text.ends, gazetteer, deepest=VILLAGE)
    return with_digits(Text(text.codes, region.end, text.ends).together())


def _bare(signs: Signs) -> Text:
    """Return addresses without signs of units behind a digit: 35号301室 and 35号301."""
    units = signs.of("unit")
    keep = np.ones(len(signs.text.codes), dtype=np.bool_)
    (before,) = units.beside(-1)
    keep[units.spots[_are(before, "digit")]] = False
    return signs.text.only(keep)


def parse_addresses(column: pl.Series, gazetteer: Gazetteer) -> Addresses:
    """Return the hashes of addresses.

    Where there is no road, `road` is the village or building in front of the first number. Hashes
    have 64 bits: that any two of 100 million different addresses share one is 1 to 3,700.
    """
    written = folded(column)
    text = _local(_kept(written), gazetteer)
    hashes, signs = Hashes(text), Signs.in_text(text)
    way, digits = _road_ends(signs), signs.of("digit", "dash")
    runs = _Runs.of(len(text), digits.spots, digits.rows)
    number, number_end = runs.first(np.where(way >= 0, way + 1, text.starts))
    no_way = way < 0
    stop = np.where(no_way, np.where(number_end > 0, number, text.ends), way + 1)
    start = _division_ends(signs, np.where(no_way, stop, way))
    start = np.where(no_way & (stop - start < 2), text.starts, start)
    near = (number_end > 0) & (number - stop <= 3)
    road = np.where(stop - start >= 2, hashes.of(start, stop), np.uint64(0))
    house = np.where(near, hashes.of(number, number_end), np.uint64(0))
    room, room_end = runs.last(np.where(near, number_end, text.starts))
    rooms = np.where(near & (room_end > 0), hashes.of(room, room_end), np.uint64(0))
    road, house = _with_latin(written, road, house)
    bare = _bare(signs)
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
    number, number_end = _Runs.of(len(mine), digits, mine.row_of(digits)).first(mine.starts)
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
