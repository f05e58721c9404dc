"""The levels on which two records are compared: one small integer a field, in words.

Level 0 of every field is "not given on one side"; a higher level is not always a better one.
Fields are packed into one integer, `PATTERN`, in the order of FIELDS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audit.matching.chunks import each_chunk
from audit.matching.features import U32, U64
from audit.matching.sorting import distinct, in_order, run_starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its id and words, and the words of each level as (id, zh, en)."""

    id: str
    zh: str
    en: str
    levels: tuple[tuple[str, str, str], ...]

    @property
    def bits(self) -> int:
        """Bits that the level takes in a pattern."""
        return max(1, (len(self.levels) - 1).bit_length())


MISSING = ("missing", "一方未填", "not given on one side")

NAME = Field(
    id="name",
    zh="名称",
    en="name",
    levels=(
        MISSING,
        ("differs", "不同", "differs"),
        ("similar", "部分字相同", "some characters shared"),
        ("trade_head", "字号开头相同", "trade names begin alike"),
        ("trade_near", "字号错一字、行业不同", "trade name one slip off, industry word differs"),
        (
            "trade_near_industry",
            "字号错一字、行业同",
            "trade name one slip off, same industry word",
        ),
        (
            "trade_cut",
            "字号多一字或少一字、行业不同",
            "trade name one character longer, industry word differs",
        ),
        (
            "trade_cut_industry",
            "字号多一字或少一字、行业同",
            "trade name one character longer, same industry word",
        ),
        (
            "trade_slip",
            "字号错一形近字或两字颠倒、行业不同",
            "trade name with a look-alike or two characters swapped, industry word differs",
        ),
        (
            "trade_slip_industry",
            "字号错一形近字或两字颠倒、行业同",
            "trade name with a look-alike or two characters swapped, same industry word",
        ),
        ("trade", "字号同、行业不同", "same trade name, industry word differs"),
        ("trade_similar", "字号同、行业相近", "same trade name, similar industry word"),
        ("trade_alone", "字号同、一方无行业", "same trade name, industry word on one side only"),
        (
            "trade_sound",
            "字号同音、行业不同",
            "trade name sounds the same, industry word differs",
        ),
        (
            "trade_sound_similar",
            "字号同音、行业相近",
            "trade name sounds the same, similar industry word",
        ),
        ("core_branch", "主体同、分支不同", "same name of another branch"),
        ("core_sound", "主体同音", "sounds the same"),
        ("core", "主体相同", "same but for region or legal form"),
        ("name", "全称相同", "the same"),
    ),
)
RARITY = Field(
    id="rarity",
    zh="名称多见程度",
    en="how common the name is",
    levels=(
        ("none", "不论", "not counted"),
        ("rare", "罕见", "rare"),
        ("some", "少见", "uncommon"),
        ("common", "常见", "common"),
        ("generic", "通用名称", "generic name"),
    ),
)
OWNER = Field(
    id="owner",
    zh="负责人",
    en="person in charge",
    levels=(
        MISSING,
        ("differs", "不同", "differs"),
        ("near", "差一字", "one character off"),
        ("sound", "同音", "sounds the same"),
        ("common", "相同(常见)", "the same, a common name"),
        ("rare", "相同(少见)", "the same, an uncommon name"),
    ),
)
PHONE = Field(
    id="phone",
    zh="电话",
    en="telephone",
    levels=(
        MISSING,
        ("differs", "不同", "differs"),
        ("digit", "差一位", "one digit off"),
        ("agency", "相同(多家共用)", "the same, used by many"),
        ("shared", "相同(几家共用)", "the same, used by several"),
        ("own", "相同(独用)", "the same, used by no others"),
    ),
)
ADDRESS = Field(
    id="address",
    zh="地址",
    en="address",
    levels=(
        MISSING,
        ("differs", "不同", "differs"),
        ("similar", "部分相同", "partly the same"),
        ("road", "同路不同号", "same road, another number"),
        ("other_room", "同楼不同室", "same building, another room"),
        ("crowded", "路号同(多家聚集)", "same number, many units there"),
        ("number", "路号同", "same road and number"),
        ("full_crowded", "全同(多家聚集)", "the same, many units there"),
        ("full", "全同", "the same"),
    ),
)
REGION = Field(
    id="region",
    zh="区划",
    en="region",
    levels=(
        ("missing", "未填或未到村", "not given, or not down to the village"),
        ("other_city", "不同市", "another city"),
        ("city", "同市不同县", "same city, another county"),
        ("county", "同县", "same county"),
        ("township", "同乡", "same township"),
        ("village", "同村", "same village"),
        ("crowded", "同村(单位数百)", "same village, hundreds of units there"),
        ("thronged", "同村(单位数千)", "same village, thousands of units there"),
    ),
)
INDUSTRY = Field(
    id="industry",
    zh="行业",
    en="industry",
    levels=(
        MISSING,
        ("differs", "不同", "differs"),
        ("division", "同大类", "same division"),
        ("group", "同中类", "same group"),
        ("class", "同小类", "same class"),
    ),
)
FORM = Field(
    id="form",
    zh="组织形式",
    en="legal form",
    levels=(MISSING, ("differs", "不同", "differs"), ("same", "相同", "the same")),
)
BRANCH = Field(
    id="branch",
    zh="分支机构",
    en="branch",
    levels=(
        ("none", "均非分支", "neither is a branch"),
        ("one", "一方为分支", "one is a branch"),
        ("same", "同一分支", "the same branch"),
        ("other", "不同分支", "other branches"),
    ),
)
KIND = Field(
    id="kind",
    zh="单位类别",
    en="kind of unit",
    levels=(
        ("same", "同类", "the same kind"),
        ("legal_establishment", "法人与产业活动单位", "legal entity and establishment"),
        ("household", "单位与个体户", "unit and self-employed"),
        ("list", "名录与报表", "list and form"),
    ),
)
CODE = Field(
    id="code",
    zh="代码",
    en="code",
    levels=(
        MISSING,
        ("valid_differ", "均有效且不同", "both valid and different"),
        ("differs", "不同(有误码)", "different, one is not valid"),
        ("near", "差一两位", "one or two characters off"),
        ("org", "组织机构代码同", "same organisation code"),
        ("same", "均有效且相同", "both valid and the same"),
        ("other_kind", "单位与个体户各有代码", "a unit's and a household's own"),
    ),
)
FIELDS = (NAME, RARITY, OWNER, PHONE, ADDRESS, REGION, INDUSTRY, FORM, BRANCH, KIND, CODE)
INDEX = {field.id: i for i, field in enumerate(FIELDS)}
SHIFTS = tuple(sum(f.bits for f in FIELDS[:i]) for i in range(len(FIELDS)))
PATTERN_BITS = sum(field.bits for field in FIELDS)
CHUNK = 1 << 16
"""Pairs that are counted at once."""


def level_of(patterns: U64, field: Field) -> NDArray[np.uint8]:
    """Return the level of one field in each pattern."""
    shifted = patterns >> np.uint64(SHIFTS[INDEX[field.id]])
    return (shifted & np.uint64((1 << field.bits) - 1)).astype(np.uint8)


def number_of(field: Field, level_id: str) -> int:
    """Return the number of a level; raises ValueError for a word that is none."""
    return [level[0] for level in field.levels].index(level_id)


def numbers(field: Field) -> dict[str, int]:
    """Return the number of each level of a field by its word."""
    return {level[0]: number for number, level in enumerate(field.levels)}


CODE_VALID_DIFFER = number_of(CODE, "valid_differ")
CODE_SAME = number_of(CODE, "same")
CODE_OTHER_KIND = number_of(CODE, "other_kind")
# Name levels from NAME_NEAR on mean a trade name one slip off, from NAME_TRADE on the same trade
# name, and from NAME_CORE on the same core, apart from spelling.
NAME_SIMILAR = number_of(NAME, "similar")
NAME_NEAR = number_of(NAME, "trade_near")
NAME_TRADE = number_of(NAME, "trade")
NAME_BRANCH = number_of(NAME, "core_branch")
NAME_CORE = number_of(NAME, "core_sound")
NAME_WHOLE = number_of(NAME, "name")
GENERIC = number_of(RARITY, "generic")
OWNER_DIFFERS = number_of(OWNER, "differs")
OWNER_SOUND = number_of(OWNER, "sound")
OWNER_SAME = number_of(OWNER, "common")
PHONE_DIGIT = number_of(PHONE, "digit")
ADDRESS_NUMBER = number_of(ADDRESS, "other_room")
REGION_VAGUE, REGION_COUNTY = number_of(REGION, "missing"), number_of(REGION, "county")
REGION_VILLAGE = number_of(REGION, "village")
REGION_CROWDED, REGION_THRONGED = number_of(REGION, "crowded"), number_of(REGION, "thronged")


def pattern_counts(patterns: U64) -> tuple[U64, U32, NDArray[np.int64]]:
    """Return distinct patterns in order, the place of each pair among them, and their counts."""
    found = each_chunk(len(patterns), CHUNK, lambda at: _counted(patterns[at]))
    patterns_of = [np.empty(0, np.uint64), *(one.distinct for one in found)]
    known = distinct(np.concatenate(patterns_of))
    which = np.empty(len(patterns), np.uint32)

    def place(at: slice) -> NDArray[np.int64]:
        one = found[at.start // CHUNK]
        places: NDArray[np.int64] = np.searchsorted(known, one.distinct)
        which[at] = places.astype(np.uint32)[one.which]
        return places

    places = each_chunk(len(patterns), CHUNK, place)
    counts = np.zeros(len(known), np.int64)
    for one, at in zip(found, places, strict=True):
        counts[at] += one.counts
    return known, which, counts


class _Counted(NamedTuple):
    """The distinct patterns of a chunk, the place of each pair among them, and their counts."""

    distinct: U64
    which: U32
    counts: NDArray[np.int64]


def _counted(patterns: U64) -> _Counted:
    """Count a chunk by one sort of pattern and place, packed in 64 bits."""
    n = len(patterns)
    shift = np.uint64(64 - PATTERN_BITS)
    low = (np.uint64(1) << shift) - np.uint64(1)
    packed = in_order(patterns << shift | np.arange(n, dtype=np.uint64))
    start = np.flatnonzero(run_starts(packed, low))
    counts = np.diff(start, append=n)
    which = np.empty(n, np.uint32)
    which[packed & low] = np.repeat(np.arange(len(start), dtype=np.uint32), counts)
    return _Counted(packed[start] >> shift, which, counts)
