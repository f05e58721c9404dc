"""Addresses split into road, number and room, without the region parts in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from audit.matching.brackets import pairs
from audit.matching.characters import (
    LETTERS_FROM,
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
from audit.matching.latin import canonical, words
from audit.matching.numerals import with_digits
from audit.matching.regions import prefix

_DASH = np.uint32(ord("-"))
_HAN = 0x2E80
_CLASSES, _BITS = classes(
    digit="0123456789",
    way="路街巷弄",
    big="大国省县环通",
    division="区县镇乡村市",
    unit="号室栋幢楼层房铺之",
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
    keep |= (text.codes == _DASH) & _are(text.before(), "digit") & _are(text.after(), "digit")
    opened, closed = pairs(text)
    if len(opened):
        depth = np.zeros(len(keep) + 1, dtype=np.int64)
        np.add.at(depth, opened, 1)
        np.add.at(depth, closed, -1)
        keep &= np.cumsum(depth[:-1]) == 0
    return text.only(keep)


def _road_ends(text: Text) -> Ints:
    """Return the position of the first sign of a road (路, 街, 大道 …), -1 of none."""
    codes, before = text.codes, text.before()
    roads = _are(codes, "way") | ((codes == _WAY) & _are(before, "big"))
    # 街道 is a township, not a street; a record does not begin with the sign.
    roads &= ~((codes == _STREET) & (text.after() == _WAY)) & (before != 0)
    return text.first(roads)


def _division_ends(text: Text, before: Ints) -> Ints:
    """Return the position behind the last 区, 镇, 村 … well before a road, else the start."""
    signs = _are(text.codes, "division")
    signs |= (text.codes == _WAY) & (text.before() == _STREET)
    limit = np.maximum(before - 1, text.starts)
    last = Text(text.codes, text.starts, limit).first(signs, last=True)
    return np.where(last >= 0, last + 1, text.starts)


def _run(text: Text, starts: Ints, *, last: bool = False) -> tuple[Ints, Ints]:
    """Return the first (or last) run of digits and dashes between `starts` and the end."""
    codes = text.codes
    held = _are(codes, "digit") | (codes == _DASH)
    later = Text(codes, np.minimum(starts, text.ends), text.ends)
    begin = later.first(held, last=last)
    # Runs are bounded by characters of other kinds or by the record.
    change = np.flatnonzero(~held)
    if last:
        stop = begin + 1
        at = np.searchsorted(change, begin) - 1
        edge = np.where(at >= 0, change[np.maximum(at, 0)] + 1, 0) if len(change) else 0 * begin
        return np.where(begin >= 0, np.maximum(edge, later.starts), 0), np.where(
            begin >= 0, stop, 0
        )
    at = np.searchsorted(change, begin)
    edge = np.append(change, len(codes))[at]
    return np.where(begin >= 0, begin, 0), np.where(begin >= 0, np.minimum(edge, text.ends), 0)


def _local(text: Text, gazetteer: Gazetteer) -> Text:
    """Return addresses without the region parts in front, numerals as digits."""
    region = prefix(text, Hashes(text), text.ends, gazetteer, deepest=VILLAGE)
    change = np.zeros(len(text.codes) + 1, dtype=np.int64)
    np.add.at(change, text.starts, 1)
    np.add.at(change, region.end, -1)
    return with_digits(text.only(np.cumsum(change[:-1]) == 0))


def _bare(text: Text) -> Text:
    """Return addresses without signs of units behind a digit: 35号301室 and 35号301."""
    return text.only(~(_are(text.codes, "unit") & _are(text.before(), "digit")))


def parse_addresses(column: pl.Series, gazetteer: Gazetteer) -> Addresses:
    """Return the hashes of addresses.

    Where there is no road, `road` is the village or building in front of the first number.
    """
    written = folded(column)
    text = _local(_kept(written), gazetteer)
    hashes = Hashes(text)
    way = _road_ends(text)
    number, number_end = _run(text, np.where(way >= 0, way + 1, text.starts))
    no_way = way < 0
    stop = np.where(no_way, np.where(number_end > 0, number, text.ends), way + 1)
    start = _division_ends(text, np.where(no_way, stop, way))
    start = np.where(no_way & (stop - start < 2), text.starts, start)
    near = (number_end > 0) & (number - stop <= 3)
    road = np.where(stop - start >= 2, hashes.of(start, stop), np.uint64(0))
    house = np.where(near, hashes.of(number, number_end), np.uint64(0))
    room, room_end = _run(text, np.where(near, number_end, text.starts), last=True)
    rooms = np.where(near & (room_end > 0), hashes.of(room, room_end), np.uint64(0))
    road, house = _with_latin(written, text, road, house)
    bare = _bare(text)
    both = (road != 0) & (house != 0)
    return Addresses(
        road=road, road_no=np.where(both, joined(road, house), np.uint64(0)), room=rooms,
        address=Hashes(bare).of(bare.starts, bare.ends),
        address_bag=bags(bare, bare.starts, bare.ends),
    )  # fmt: skip


def _with_latin(written: Text, text: Text, road: U64, house: U64) -> tuple[U64, U64]:
    """Return road and number with those of addresses in Latin letters: 12 High Street, Leeds."""
    letters = (written.codes >= ord("A")) & (written.codes <= ord("Z"))
    latin = np.flatnonzero(
        (written.first(letters) >= 0) & (written.first(written.codes >= _HAN) < 0)
    )
    if not len(latin):
        return road, house
    mine = Text(written.codes, written.starts[latin], written.ends[latin])
    number, number_end = _run(mine, mine.starts)
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
