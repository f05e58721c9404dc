"""Explaining: why a pair got its weight, in words and points, as JSON.

Everything that depends on the levels is written once a pattern; a pair adds only the keys that
proposed it.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from audit.matching import levels as lv
from audit.matching.features import U64
from audit.matching.keys import KINDS
from audit.matching.pairs import Scored
from audit.matching.scorecard import EVIDENCE_PARTS, TERMS, Floats, cells
from audit.matching.weighing import Weights, weights_of

EVIDENCE = "evidence"
_COLUMNS = (*(f.id for f in lv.FIELDS), EVIDENCE)


def points_by_field(patterns: U64, weights: Weights) -> Floats:
    """Return the points of each field (and of the evidence taken together): patterns x fields.

    A combination counts for its later field; those of EVIDENCE_PARTS count as
    evidence. With the intercept they add up to the weight.
    """
    at = cells(patterns)
    result = np.zeros((len(patterns), len(_COLUMNS)))
    for column, term in enumerate(TERMS):
        owner = EVIDENCE if term[-1] in EVIDENCE_PARTS else term[-1]
        result[:, _COLUMNS.index(owner)] += weights.points[at[:, column]]
    code = lv.level_of(patterns, lv.CODE)
    result[:, _COLUMNS.index("code")] += np.asarray(weights.shifts)[code]
    left = weights_of(patterns, weights) - weights.intercept - result.sum(axis=1)
    result[:, _COLUMNS.index(EVIDENCE)] += left
    return result


def comparisons(scored: Scored, weights: Weights, matcher: str) -> pl.Series:
    """Return the explanation of each pair as JSON text.

    `zh` and `en` say the levels in words; `levels` and `points` give them a field; `base` is the
    intercept; `rivals` what it adds that both records have no better pair elsewhere; `keys` the
    blocking keys that proposed the pair (none: it was compared because both belong to one group);
    `matcher` and `weights` the versions.
    """
    distinct, which = np.unique(scored.patterns, return_inverse=True)
    masks, mask_of = np.unique(scored.keys, return_inverse=True)
    gains, gain_of = np.unique(np.round(scored.gain, 2) + 0.0, return_inverse=True)
    heads = _pattern_texts(distinct, weights)
    tail = json.dumps({"matcher": matcher, "weights": weights.version})[1:]
    tails = pl.Series(
        [f'"keys": {json.dumps(key_names(mask))}, {tail}' for mask in masks.tolist()],
        dtype=pl.String,
    )
    rivals = pl.Series([f'"rivals": {gain}, ' for gain in gains.tolist()], dtype=pl.String)
    parts = heads.gather(which), rivals.gather(gain_of), tails.gather(mask_of)
    return pl.select(pl.concat_str(*parts)).to_series()


def key_names(mask: int) -> list[str]:
    """Return the names of the keys in a bit mask of `Candidates.keys`."""
    return [kind for bit, kind in enumerate(KINDS) if mask >> bit & 1]


def _pattern_texts(patterns: U64, weights: Weights) -> pl.Series:
    """Return the JSON object of each pattern, left open for the keys of the pair.

    Put together from ready pieces, column by column: there may be tens of thousands.
    """
    points = np.round(points_by_field(patterns, weights), 2) + 0.0
    levels = [lv.level_of(patterns, f) for f in lv.FIELDS]
    zh, en, said = (
        [pl.Series(f"{place}{field.id}", words[place], pl.String).gather(level)
         for field, words, level in zip(lv.FIELDS, _PIECES, levels, strict=True)]
        for place in range(3)
    )  # fmt: skip
    earned = [_earned(name, column) for name, column in zip(_COLUMNS, points.T, strict=True)]
    base = round(weights.intercept, 2)
    frame = pl.DataFrame([*zh, *en, *said, *earned])
    pieces = ('{"zh": "', "；", zh), ('", "en": "', "; ", en), ('", "levels": {', ", ", said)
    text: list[pl.Expr] = []
    for head, separator, part in (*pieces, ('}, "points": {', ", ", earned)):
        names = [one.name for one in part]
        text += [pl.lit(head), pl.concat_str(names, separator=separator, ignore_nulls=True)]
    return frame.select(pl.concat_str(*text, pl.lit(f'}}, "base": {base}, '))).to_series()


def _earned(name: str, points: Floats) -> pl.Series:
    """Return the points that a field earns as a member of a JSON object, NULL of none."""
    distinct, which = np.unique(points, return_inverse=True)
    texts = [f'"{name}": {p}' if p else None for p in distinct.tolist()]
    return pl.Series(f"earned_{name}", texts, dtype=pl.String).gather(which)


def _pieces(field: lv.Field) -> tuple[list[str | None], list[str | None], list[str | None]]:
    """Return the words of each level: Chinese, English, JSON; none where nothing is to say."""
    silent = field.id in ("branch", "kind", "rarity")
    said = field.levels[1:] if silent else field.levels
    none: list[str | None] = [None] if silent else []
    return (
        none + [f"{field.zh}{zh}" for _, zh, _ in said],
        none + [f"{field.en}: {en}" for *_, en in said],
        [f'"{field.id}": "{level}"' for level, *_ in field.levels],
    )


_PIECES = [_pieces(field) for field in lv.FIELDS]
