"""Explaining: why a pair got its weight, in words and points, as JSON.

Everything that depends on the levels is written once a pattern; a pair adds only the keys that
proposed it.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from audit.matching import levels as lv
from audit.matching.blocking import KINDS
from audit.matching.features import U64
from audit.matching.scorecard import TERMS, Floats, cells
from audit.matching.weighing import Weights

EVIDENCE = "evidence"
_COLUMNS = (*(f.id for f in lv.FIELDS), EVIDENCE)
_WORDS = {f.id: f for f in lv.FIELDS}


def points_by_field(patterns: U64, weights: Weights) -> Floats:
    """Return the points of each field (and of the evidence taken together): patterns x fields.

    A combination counts for its later field; `name` x agreeing or contradicting evidence counts
    as evidence. With the intercept they add up to the weight.
    """
    at = cells(patterns)
    result = np.zeros((len(patterns), len(_COLUMNS)))
    for column, term in enumerate(TERMS):
        owner = EVIDENCE if term[-1] in ("agree", "contradict") else term[-1]
        result[:, _COLUMNS.index(owner)] += weights.points[at[:, column]]
    code = lv.level_of(patterns, lv.CODE)
    result[:, _COLUMNS.index("code")] += np.asarray(weights.shifts)[code]
    return result


def comparisons(patterns: U64, keys: U64, weights: Weights, matcher: str) -> pl.Series:
    """Return the explanation of each pair as JSON text.

    `zh` and `en` say the levels in words; `levels` and `points` give them a field; `base` is the
    intercept; `keys` the blocking keys that proposed the pair (none: it was compared because both
    belong to one group); `matcher` and `weights` the versions.
    """
    distinct, which = np.unique(patterns, return_inverse=True)
    masks, mask_of = np.unique(keys, return_inverse=True)
    heads = pl.Series(_pattern_texts(distinct, weights), dtype=pl.String)
    tail = json.dumps({"matcher": matcher, "weights": weights.version})[1:]
    tails = pl.Series(
        [f'"keys": {json.dumps(key_names(mask))}, {tail}' for mask in masks.tolist()],
        dtype=pl.String,
    )
    return heads.gather(which) + tails.gather(mask_of)


def key_names(mask: int) -> list[str]:
    """Return the names of the keys in a bit mask of `Candidates.keys`."""
    return [kind for bit, kind in enumerate(KINDS) if mask >> bit & 1]


def _pattern_texts(patterns: U64, weights: Weights) -> list[str]:
    points = np.round(points_by_field(patterns, weights), 2)
    levels = np.column_stack([lv.level_of(patterns, f) for f in lv.FIELDS])
    return [
        _pattern_text(row, point, weights.intercept)
        for row, point in zip(levels.tolist(), points.tolist(), strict=True)
    ]


def _pattern_text(levels: list[int], points: list[float], base: float) -> str:
    """Return the JSON object of one pattern, left open for the keys of the pair."""
    said = [
        (field, field.levels[level], point)
        for field, level, point in zip(lv.FIELDS, levels, points[:-1], strict=True)
        if not (field.id in ("branch", "kind", "rarity") and level == 0)
    ]
    zh = "；".join(f"{f.zh}{w[1]}({p:+.1f})" for f, w, p in said)
    en = "; ".join(f"{f.en}: {w[2]} ({p:+.1f})" for f, w, p in said)
    body = {
        "zh": f"{zh}；旁证({points[-1]:+.1f})；基准({base:+.1f})",
        "en": f"{en}; evidence together ({points[-1]:+.1f}); base ({base:+.1f})",
        "levels": {f.id: w[0] for f, w, _ in said},
        "points": {**{f.id: p for f, _, p in said}, EVIDENCE: points[-1]},
        "base": round(base, 2),
    }
    return json.dumps(body, ensure_ascii=False)[:-1] + ", "
