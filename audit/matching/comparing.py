"""Comparing: the level of each field for each pair, packed in one integer.

The columns of a record that the comparison needs are put side by side in 128 bytes (two cache
lines), because pairs gather records at random. Hashes are cut to 32 bits here; equality is verified
on the texts for every pair that is output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.blocking import VILLAGE_UNIT
from audit.matching.chunks import each_chunk
from audit.matching.distances import bag_similarity, one_digit_apart, symbols_apart, within_one
from audit.matching.features import KINDS, U8, U16, U32, U64, Features
from audit.matching.settings import MatchSettings
from audit.matching.trade_names import near_levels

_HASHED = (
    *("credit", "org", "name", "core", "core_sound", "trade", "trade_sound", "industry", "branch"),
    *("owner", "owner_sound", "road", "road_no", "room", "address", "township", "village"),
)
_HOLDERS = ("core", "trade", "owner", "phone", "road_no", "address", "village")
_FLAGS = ("credit_ok", "org_ok", "is_branch", "is_generic")
_COPIED = (
    *("county", "name_bag", "address_bag", "phone_a", "phone_b", "industry_code", "form", "kind"),
    *_FLAGS,
)
ROW = np.dtype(
    [(f, np.uint32) for f in _HASHED]
    + [("county", np.uint32)]
    + [(f, np.uint64) for f in ("name_bag", "address_bag", "owner_bag", "phone_a", "phone_b")]
    + [("industry_code", np.uint16), ("form", np.uint8), ("kind", np.uint8)]
    + [(f"n_{f}", np.uint8) for f in _HOLDERS]
    + [(f, np.bool_) for f in _FLAGS]
    + [("fill", np.uint8)]
)
_PLACES: dict[str, tuple[np.dtype[Any], int]] = {
    name: (ROW[name], ROW.fields[name][1]) for name in ROW.names or () if ROW.fields
}
_RARE, _SOME = 3, 30
_OWNER_RARE = 5
_PHONE_OWN, _PHONE_SHARED = 3, 12
_CROWDED = 10
_CROWDED_VILLAGE, _THRONGED_VILLAGE = 250 // VILLAGE_UNIT, 2_500 // VILLAGE_UNIT
_BAG_NEAR, _BAG_SIMILAR = 0.25, 0.5
_NEAR_SYMBOLS = 2
_SHARED_BITS = 5
"""Three characters and their neighbours."""
_PACKED = 1 << 13
"""Rows that are packed at once: they fit a processor's cache."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

_NAME, _RARITY, _OWNER = lv.numbers(lv.NAME), lv.numbers(lv.RARITY), lv.numbers(lv.OWNER)
_PHONE, _ADDRESS, _REGION = lv.numbers(lv.PHONE), lv.numbers(lv.ADDRESS), lv.numbers(lv.REGION)
_INDUSTRY, _BRANCH, _KIND = lv.numbers(lv.INDUSTRY), lv.numbers(lv.BRANCH), lv.numbers(lv.KIND)
_CODE, _FORM_SAME = lv.numbers(lv.CODE), lv.number_of(lv.FORM, "same")

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Compared pairs: rows and the packed levels of each."""

    left: U32
    right: U32
    patterns: U64


def pack_rows(features: Features, holders: dict[str, U8]) -> Rows:
    """Return the records as rows of 128 bytes."""
    rows = np.zeros(len(features), ROW)

    def pack(at: slice) -> None:
        for field in _HASHED:
            rows[field][at] = _cut(getattr(features, field)[at])
        for field in _COPIED:
            rows[field][at] = getattr(features, field)[at]
        for field in _HOLDERS:
            rows[f"n_{field}"][at] = holders[field][at]
        rows["owner_bag"][at] = _bags(features.owner_chars[at])

    each_chunk(len(features), _PACKED, pack)
    return rows


def _cut(column: U64) -> U32:
    """Return hashes in 32 bits, 0 for none only."""
    cut = (column ^ (column >> np.uint64(32))).astype(np.uint32)
    cut[(cut == 0) & (column != 0)] = 1
    return cut


def _bags(chars: U16) -> U64:
    """Return a 64-bit mask of the characters of each row."""
    found = np.zeros(len(chars), np.uint64)
    for column in np.ascontiguousarray(chars.T):
        bit = np.uint64(1) << (column * _SPREAD >> np.uint64(58))
        bit[column == 0] = 0
        found |= bit
    return found


def compare(features: Features, rows: Rows, pairs: tuple[U32, U32], settings: MatchSettings) -> U64:
    """Return the pattern of each pair: the level of every field of `levels.FIELDS`, packed."""
    left, right = pairs
    patterns = np.empty(len(left), np.uint64)

    def one(at: slice) -> None:
        patterns[at] = _compare_chunk(features, rows, left[at], right[at])

    each_chunk(len(left), settings.chunk, one, settings.threads)
    return patterns


def _compare_chunk(features: Features, rows: Rows, left: U32, right: U32) -> U64:
    a, b = Columns(rows, left), Columns(rows, right)
    name = _name(features, (a, b), left, right)
    found = {
        "name": name,
        "rarity": _rarity(a, b, name),
        "owner": _owner(features, (a, b), left, right),
        "phone": _phone(a, b),
        "address": _address(a, b),
        "region": _region(a, b),
        "industry": _industry(a, b),
        "form": _form(a, b),
        "branch": _branch(a, b),
        "kind": _kind(a, b),
        "code": _code(features, (a, b), left, right),
    }
    patterns = np.zeros(len(left), np.uint64)
    for field, shift in zip(lv.FIELDS, lv.SHIFTS, strict=True):
        patterns |= found[field.id].astype(np.uint64) << np.uint64(shift)
    return patterns


class Columns:
    """Some rows of 128 bytes, turned so that each word of all rows lies together."""

    def __init__(self, rows: Rows, at: U32) -> None:
        words = rows.view(np.uint64).reshape(len(rows), -1)
        # Whole words are copied: gathering the structures themselves is many times slower.
        self._words = np.ascontiguousarray(np.take(words, at, axis=0).T)

    def __len__(self) -> int:
        return int(self._words.shape[1])

    def __getitem__(self, field: str) -> NDArray[Any]:
        kind, offset = _PLACES[field]
        word: NDArray[Any] = self._words[offset // 8].view(kind)
        return word[offset % 8 // kind.itemsize :: 8 // kind.itemsize]


def _same(a: Columns, b: Columns, field: str) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (a[field] == b[field]) & (a[field] != 0)
    return result


def _either(a: Columns, b: Columns, field: str) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (a[field] != 0) | (b[field] != 0)
    return result


def _both(a: Columns, b: Columns, field: str) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (a[field] != 0) & (b[field] != 0)
    return result


def _name(features: Features, ab: tuple[Columns, Columns], left: U32, right: U32) -> U8:
    a, b = ab
    bag = bag_similarity(a["name_bag"], b["name_bag"])
    written, spoken = _same(a, b, "trade"), _same(a, b, "trade_sound")
    trade = written | spoken
    industry = _same(a, b, "industry")
    alone = (a["industry"] == 0) | (b["industry"] == 0)
    branch_equal = a["branch"] == b["branch"]
    core, sound = _same(a, b, "core"), _same(a, b, "core_sound")
    level = np.where(bag >= _BAG_SIMILAR, _NAME["similar"], _NAME["differs"]).astype(np.uint8)
    level[~_both(a, b, "name")] = 0
    possible = np.flatnonzero(~trade & (bag >= _BAG_NEAR) & _both(a, b, "trade"))
    close = near_levels(features, left[possible], right[possible])
    level[possible] = np.where(close > 0, close, level[possible])
    level[(level >= lv.NAME_NEAR) & industry] += 1  # the same with the same industry word
    level[(level == _NAME["similar"]) & _one_shorter(a, b)] = _NAME["trade_cut_industry"]
    similar = industry | (bag >= _BAG_SIMILAR)
    level[trade] = _NAME["trade"]
    level[trade & similar] = _NAME["trade_similar"]
    level[trade & alone & ~(core | sound)] = _NAME["trade_alone"]
    heard = spoken & ~written
    level[heard] = _NAME["trade_sound"]
    level[heard & (similar | alone)] = _NAME["trade_sound_similar"]
    level[(core | sound) & ~branch_equal] = lv.NAME_BRANCH
    level[sound & branch_equal] = lv.NAME_CORE
    level[core & branch_equal] = _NAME["core"]
    level[_same(a, b, "name")] = lv.NAME_WHOLE
    return level


def _one_shorter(a: Columns, b: Columns) -> NDArray[np.bool_]:
    """Say which names lack one character of the other, however they were split (bags of both).

    鸿湘莲农机 of 善鸿湘莲农机: the first takes 湘莲 for its 字号. A character at the edge takes one
    pair of neighbours with it, one inside two, and makes one.
    """
    x, y = a["name_bag"], b["name_bag"]
    more, less = np.bitwise_count(x & ~y), np.bitwise_count(y & ~x)
    low, high = np.minimum(more, less), np.maximum(more, less)
    result: NDArray[np.bool_] = (low == 0) & ((high == 1) | (high == 2))
    result |= (low == 1) & (high == 3)
    result &= (np.bitwise_count(x & y) >= _SHARED_BITS) & _both(a, b, "trade")
    return result


def _rarity(a: Columns, b: Columns, name: U8) -> U8:
    """Return how many hold the name that both share: its core, or its trade name."""
    by_core = name >= lv.NAME_BRANCH
    holders = np.where(
        by_core, np.maximum(a["n_core"], b["n_core"]), np.maximum(a["n_trade"], b["n_trade"])
    )
    level = np.full(len(a), _RARITY["common"], np.uint8)
    level[holders <= _SOME] = _RARITY["some"]
    level[holders <= _RARE] = _RARITY["rare"]
    level[a["is_generic"] | b["is_generic"]] = lv.GENERIC
    level[name < lv.NAME_NEAR] = _RARITY["none"]
    return level


def _owner(features: Features, ab: tuple[Columns, Columns], left: U32, right: U32) -> U8:
    a, b = ab
    both = _both(a, b, "owner")
    same = _same(a, b, "owner")
    level: U8 = both.astype(np.uint8)
    # One edit exchanges a character for another at most.
    few = np.bitwise_count(a["owner_bag"] ^ b["owner_bag"]) <= 2
    other = np.flatnonzero(both & ~same & few)
    x, y = features.owner_chars[left[other]], features.owner_chars[right[other]]
    level[other[within_one(x.T, y.T)]] = _OWNER["near"]
    level[both & _same(a, b, "owner_sound")] = lv.OWNER_SOUND
    level[same] = lv.OWNER_SAME
    level[same & (np.maximum(a["n_owner"], b["n_owner"]) <= _OWNER_RARE)] = _OWNER["rare"]
    return level


def _phone(a: Columns, b: Columns) -> U8:
    firsts = ("phone_a", "phone_b")
    both = ((a["phone_a"] | a["phone_b"]) != 0) & ((b["phone_a"] | b["phone_b"]) != 0)
    same = np.zeros(len(a), bool)
    for x in firsts:
        for y in firsts:
            same |= (a[x] != 0) & (a[x] == b[y])
    level: U8 = both.astype(np.uint8)
    for x in firsts:
        at = np.flatnonzero(both & ~same & (a[x] != 0) & (b[x] != 0))
        level[at[one_digit_apart(a[x][at], b[x][at])]] = lv.PHONE_DIGIT
    holders = np.minimum(a["n_phone"], b["n_phone"])
    level[same] = _PHONE["agency"]
    level[same & (holders <= _PHONE_SHARED)] = _PHONE["shared"]
    level[same & (holders <= _PHONE_OWN)] = _PHONE["own"]
    return level


def _address(a: Columns, b: Columns) -> U8:
    both = _both(a, b, "address")
    near = (a["county"] == b["county"]) | (a["county"] == 0) | (b["county"] == 0)
    bag = bag_similarity(a["address_bag"], b["address_bag"])
    number, full = _same(a, b, "road_no"), _same(a, b, "address")
    rooms_differ = _both(a, b, "room") & (a["room"] != b["room"])
    crowded = np.maximum(a["n_road_no"], b["n_road_no"]) > _CROWDED
    level: U8 = both.astype(np.uint8)
    level[both & (bag >= _BAG_SIMILAR)] = _ADDRESS["similar"]
    level[_same(a, b, "road") & near] = _ADDRESS["road"]
    level[number] = _ADDRESS["number"]
    level[number & crowded] = _ADDRESS["crowded"]
    level[number & rooms_differ] = _ADDRESS["other_room"]
    level[full] = _ADDRESS["full"]
    full &= np.maximum(a["n_address"], b["n_address"]) > _CROWDED
    level[full] = _ADDRESS["full_crowded"]
    return level


def _region(a: Columns, b: Columns) -> U8:
    level = _both(a, b, "county").astype(np.uint8)
    level[(a["county"] // 100 == b["county"] // 100) & (level > 0)] = _REGION["city"]
    county = _same(a, b, "county")
    level[county] = lv.REGION_COUNTY
    township = county & _same(a, b, "township")
    level[township] = _REGION["township"]
    # Codes that do not reach the village do not say that the villages differ.
    vague = county & ~_either(a, b, "township") | township & ~_either(a, b, "village")
    level[vague] = lv.REGION_VAGUE
    village = county & _same(a, b, "village")
    level[village] = lv.REGION_VILLAGE
    level[village & (a["n_village"] > _CROWDED_VILLAGE)] = lv.REGION_CROWDED
    level[village & (a["n_village"] > _THRONGED_VILLAGE)] = lv.REGION_THRONGED
    return level


def _industry(a: Columns, b: Columns) -> U8:
    x, y = a["industry_code"], b["industry_code"]
    level = _both(a, b, "industry_code").astype(np.uint8)
    given = level > 0
    level[given & (x // 100 == y // 100)] = _INDUSTRY["division"]
    level[given & (x // 10 == y // 10)] = _INDUSTRY["group"]
    level[given & (x == y)] = _INDUSTRY["class"]
    return level


def _form(a: Columns, b: Columns) -> U8:
    level = _both(a, b, "form").astype(np.uint8)
    level[_same(a, b, "form")] = _FORM_SAME
    return level


def _branch(a: Columns, b: Columns) -> U8:
    either, both = a["is_branch"] | b["is_branch"], a["is_branch"] & b["is_branch"]
    level: U8 = either.astype(np.uint8)
    level[both] = _BRANCH["other"]
    level[both & (a["branch"] == b["branch"])] = _BRANCH["same"]
    return level


def _kind(a: Columns, b: Columns) -> U8:
    low, high = np.minimum(a["kind"], b["kind"]), np.maximum(a["kind"], b["kind"])
    level = np.zeros(len(a), np.uint8)
    unlike = low != high
    level[unlike & (high == KINDS["establishment"])] = _KIND["legal_establishment"]
    level[unlike & (high == KINDS["self_employed"])] = _KIND["household"]
    level[unlike & (high > KINDS["self_employed"])] = _KIND["list"]
    return level


def _code(features: Features, ab: tuple[Columns, Columns], left: U32, right: U32) -> U8:
    """Return the level of the codes; an organisation code is compared where it stands alone."""
    a, b = ab
    given = _both(a, b, "credit") | _both(a, b, "org")
    valid = (a["credit_ok"] | a["org_ok"]) & (b["credit_ok"] | b["org_ok"])
    full_valid = a["credit_ok"] & b["credit_ok"]
    org = _same(a, b, "org") & (a["org_ok"] & b["org_ok"])
    level = np.zeros(len(a), np.uint8)
    level[given] = _CODE["differs"]
    unlike = np.flatnonzero(given & ~full_valid & ~org)
    apart = symbols_apart(features.code_symbols[left[unlike]], features.code_symbols[right[unlike]])
    level[unlike[apart <= _NEAR_SYMBOLS]] = _CODE["near"]
    level[given & full_valid] = lv.CODE_VALID_DIFFER
    level[given & valid & ~org & (level != _CODE["near"])] = lv.CODE_VALID_DIFFER
    level[org] = _CODE["org"]
    level[_same(a, b, "credit")] = _CODE["org"]
    level[_same(a, b, "credit") & full_valid] = lv.CODE_SAME
    # A household's code is of its own kind: that it differs from a unit's says nothing.
    household = KINDS["self_employed"]
    mixed = (np.maximum(a["kind"], b["kind"]) == household) & (a["kind"] != b["kind"])
    level[(level == lv.CODE_VALID_DIFFER) & mixed] = lv.CODE_OTHER_KIND
    return level


def labels(patterns: U64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which patterns carry a label (both codes valid), and which of them are the same."""
    code = lv.level_of(patterns, lv.CODE)
    same = code == lv.CODE_SAME
    return same | (code == lv.CODE_VALID_DIFFER), same
