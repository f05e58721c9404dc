"""Features of names: hashes, sounds and masks of the parts that `names` and `latin` find."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import latin
from audit.matching.characters import (
    Hashes,
    Text,
    bags,
    folded,
    joined,
    matrix,
)
from audit.matching.features import TRADE_CHARS
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.names import NameParts, split_names
from audit.matching.people import placeholders

Arrays = dict[str, NDArray[Any]]
_NOTHING = np.uint64(0)
_OF_THE_NAME = (
    *("name", "core", "core_sound", "trade", "trade_sound", "trade_chars", "trade_sounds"),
    *("trade_head", "trade_tail", "industry", "form", "branch", "is_branch", "name_bag"),
)
"""Fields that are missing with the name."""


def parse_names(column: pl.Series, gazetteer: Gazetteer, lexicon: Lexicon) -> Arrays:
    """Return the fields of `Features` that come from names alone."""
    text = folded(column)
    parts = split_names(text, gazetteer, lexicon.phrases)
    fields = _chinese(parts)
    rows = np.flatnonzero(latin.is_latin(text))
    if len(rows):
        _put_latin(fields, text, rows)
    return fields


def _chinese(parts: NameParts) -> Arrays:
    line, of, region = parts.line, parts.hashes.of, parts.region
    heard = Hashes(line.sounding())
    trade, industry = of(*parts.trade), of(*parts.industry)
    core_at = parts.trade[0], parts.industry[1]
    core, core_sound, trade_sound = of(*core_at), heard.of(*core_at), heard.of(*parts.trade)
    # A place's name is where it is and what kind it is: 衡阳 第八 中学.
    own, place = np.flatnonzero(parts.own_place), np.flatnonzero(parts.is_place)
    for part in (trade, trade_sound, core, core_sound):
        part[own] = joined(parts.place_key[own], part[own])
    kind = joined(industry[place], parts.form[place].astype(np.uint64))
    core[place] = joined(trade[place], kind)
    core_sound[place] = joined(trade_sound[place], kind)
    begin = np.where(parts.own_place, region.place_start, parts.trade[0])
    span = begin, parts.trade[1]
    two = np.minimum(span[0] + 2, span[1]), np.maximum(span[1] - 2, span[0])
    bare = parts.trade[0] == parts.trade[1]
    return {
        "name": parts.whole, "core": core, "core_sound": core_sound,
        "trade": trade, "trade_sound": trade_sound,
        "trade_chars": matrix(parts.hashes, *span, TRADE_CHARS),
        "trade_sounds": matrix(heard, *span, TRADE_CHARS),
        "trade_head": of(span[0], two[0]), "trade_tail": of(two[1], span[1]),
        "industry": industry, "form": parts.form.astype(np.uint8),
        "branch": of(*parts.branch), "is_branch": parts.branch[0] < parts.branch[1],
        "is_headquarters": parts.headquarters,
        "is_generic": bare & ~(parts.own_place & parts.is_place),
        "name_bag": bags(line, begin, parts.industry[1]),
    }  # fmt: skip


def _put_latin(fields: Arrays, text: Text, rows: NDArray[np.int64]) -> None:
    """Write the fields of names in Latin letters over those of these records."""
    mine = Text(text.codes, text.starts[rows], text.ends[rows])
    parts = latin.split_latin(mine)

    letters, core = parts.letters, parts.core_letters
    rough, rough_core = latin.sounding(letters), latin.sounding(core)
    heard = Hashes(rough)
    put: Arrays = {
        "name": parts.name, "core": parts.core,
        "core_sound": Hashes(rough_core).of(*_bounds(rough_core)),
        "trade": parts.trade, "trade_sound": heard.of(*_bounds(rough)),
        "trade_chars": matrix(Hashes(letters), *_bounds(letters), TRADE_CHARS),
        "trade_sounds": matrix(heard, *_bounds(rough), TRADE_CHARS),
        "trade_head": parts.head, "trade_tail": parts.tail, "industry": parts.industry,
        "form": parts.form.astype(np.uint8), "branch": parts.branch, "is_branch": parts.branch != 0,
        "is_headquarters": np.zeros(len(rows), np.bool_), "is_generic": parts.trade == 0,
        "name_bag": bags(core, *_bounds(core), singles=False),
    }  # fmt: skip

    for name, values in put.items():
        fields[name][rows] = values


def _bounds(text: Text) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return text.starts, text.ends


def name_by_owner(fields: Arrays, owners: Arrays) -> None:
    """Give units without a sign their owner's name, and mark them as generic; in place.

    `owners` has the fields of `people.Owners`.
    """
    name, owner = fields["name"], owners["owner"]
    own = (name != 0) & (name == owner)
    lacks = np.isin(name, placeholders()) | (name == 0)
    fields["is_generic"] |= lacks | own
    none, known = np.flatnonzero(lacks), np.flatnonzero(lacks & (owner != 0))
    for field in _OF_THE_NAME:
        fields[field][none] = 0
    for field in ("core", "trade"):
        fields[field][known] = owner[known]
    for field in ("core_sound", "trade_sound"):
        fields[field][known] = owners["owner_sound"][known]
    chars = owners["owner_chars"]
    fields["trade_chars"][known, : chars.shape[1]] = chars[known]
    fields["trade_head"] = np.where(fields["trade"] == 0, _NOTHING, fields["trade_head"])
