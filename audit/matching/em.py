"""Fellegi-Sunter with EM, kept beside the scorecard as a diagnostic.

It knows no codes and takes fields as independent given the truth. Where it and the scorecard
part, the file has many relatives (families, branches, shared telephones) or few duplicates.
Fellegi and Sunter 1969; Winkler 2000.
"""

from __future__ import annotations

import numpy as np

from audit.matching import levels as lv
from audit.matching.features import U64
from audit.matching.scorecard import Floats
from audit.matching.weighing import Counted, Weights, weights_of

_FIELDS = (lv.NAME, lv.OWNER, lv.PHONE, lv.ADDRESS, lv.REGION, lv.INDUSTRY, lv.FORM)
_HIGH = {
    "name": lv.number_of(lv.NAME, "trade_alone"),
    "owner": lv.OWNER_SOUND,
    "phone": lv.number_of(lv.PHONE, "agency"),
    "address": lv.ADDRESS_NUMBER,
    "region": lv.number_of(lv.REGION, "township"),
    "industry": lv.number_of(lv.INDUSTRY, "group"),
    "form": lv.number_of(lv.FORM, "same"),
}
_STEPS = 50
_SMOOTH = 1e-3


def em_probability(patterns: U64, counts: Floats) -> Floats:
    """Return the posterior of each pattern by EM, started from how many fields agree well."""
    levels = [lv.level_of(patterns, field).astype(np.int64) for field in _FIELDS]
    agreeing = np.sum([x >= _HIGH[f.id] for f, x in zip(_FIELDS, levels, strict=True)], axis=0)
    posterior: Floats = 1 / (1 + np.exp(4.5 - agreeing * 1.0))
    total = counts.sum()
    for _ in range(_STEPS):
        same, other = counts * posterior, counts * (1 - posterior)
        share = np.clip(same.sum() / total, 1e-9, 1 - 1e-9)
        odds = np.full(len(patterns), np.log(share / (1 - share)))
        for field, level in zip(_FIELDS, levels, strict=True):
            size = len(field.levels)
            m = np.bincount(level, same, size) + _SMOOTH
            u = np.bincount(level, other, size) + _SMOOTH
            odds += np.log(m / m.sum() / (u / u.sum()))[level] * (level > 0)
        posterior = 1 / (1 + np.exp(-np.clip(odds, -60, 60)))
    return posterior


def agreement(counted: Counted, weights: Weights) -> dict[str, float]:
    """Return on which share of pairs EM and the scorecard decide alike, and how many EM links."""
    if not counted.pairs.sum():
        return {"em_agreement": 1.0, "em_links": 0.0}
    codeless = counted.patterns & ~np.uint64(
        ((1 << lv.CODE.bits) - 1) << lv.SHIFTS[lv.INDEX[lv.CODE.id]]
    )
    distinct, which = np.unique(codeless, return_inverse=True)
    weight = np.bincount(which, counted.pairs, len(distinct)).astype(np.float64)
    em = em_probability(distinct, weight) >= 0.5
    ours = weights_of(distinct, weights) >= 0
    return {
        "em_agreement": round(float(weight[em == ours].sum() / weight.sum()), 6),
        "em_links": float(weight[em].sum()),
    }
