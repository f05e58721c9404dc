"""Weighing: from levels to a calibrated probability, learnt from the codes.

A credit code has check characters, so it labels pairs free of charge: two valid equal codes are
one unit, two valid different codes are two. Within the candidates that some other key proposed,
these labels teach the points of all other fields - including how alike the relatives of a unit
look, which neither random pairs nor EM can tell. Pairs without two valid codes get the base rate
of their own group by EM on one number; equal or different valid codes then decide by weight.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.features import U8, U64
from audit.matching.fitting import Labelled, fit
from audit.matching.scorecard import (
    N_CELLS,
    Cells,
    Floats,
    cell_names,
    cells,
    score,
)
from audit.matching.settings import MatchSettings

_FIXED = {lv.CODE_SAME: 9.0, lv.CODE_VALID_DIFFER: -9.0}
_PRIOR_PAIRS = 50.0
_SHIFT_STEPS = 200
_MOST_SHIFT = 1.5
_RISE_WITHOUT_CODES = 0.5
"""How far EM may leave the shift it was given, and how far upwards where no record has a code."""
_FLOOR = 1e-9
_LOST, _COPIES = 0.35, 0.05
_MOST = -2.5
"""Log odds that pairs reach at most for which nothing but the place speaks."""
_CHANCE = -3.0
"""The same for pairs that are only alike where chance makes many such pairs: not asked."""
_SPEAKING = (lv.NAME, lv.RARITY, lv.OWNER, lv.PHONE, lv.ADDRESS, lv.REGION, lv.CODE)
_CODE_SILENT = (0, lv.CODE_VALID_DIFFER, lv.number_of(lv.CODE, "differs"), lv.CODE_OTHER_KIND)
_NAME_DIFFERS = lv.number_of(lv.NAME, "differs")
_PHONE_DIFFERS = lv.number_of(lv.PHONE, "differs")
_ROUND = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Points of the scorecard: one a cell, the intercept, the shift of each code level.

    `base_rate` is the share of same units among the labelled pairs they were learnt from; `latin`
    the shift of pairs without two codes where names are in Latin script, which have no relatives
    of the same core name.
    """

    version: str
    points: Floats
    intercept: float
    base_rate: float
    shifts: tuple[float, ...]
    latin: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Distinct patterns, how many pairs show each, and how many of these a label may be drawn from.

    `learnable` counts pairs that a key other than a code proposed, of units of one kind;
    `coverage` is the share of records with a valid code, `latin` whether most names are in Latin
    script.
    """

    patterns: U64
    pairs: NDArray[np.int64]
    learnable: NDArray[np.int64]
    coverage: float
    latin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Log odds and probability of each pattern, and how they were found."""

    counted: Counted
    weight: Floats
    probability: Floats
    weights: Weights
    labels_same: int
    labels_other: int
    updated: bool


@cache
def shipped() -> Weights:
    """Return the starting weights that the package carries."""
    text = files("audit.matching").joinpath("weights.json").read_text(encoding="utf-8")
    return from_dict(json.loads(text))


def from_dict(data: dict[str, Any]) -> Weights:
    """Return weights from their plain form; cells that it does not name have no points."""
    numbers = {name: i for i, name in enumerate(cell_names())}
    points = np.zeros(N_CELLS)
    for name, value in data["points"].items():
        points[numbers[name]] = value
    return Weights(
        version=data["version"],
        points=points,
        intercept=data["intercept"],
        base_rate=data["base_rate"],
        shifts=tuple(data["shifts"][level[0]] for level in lv.CODE.levels),
        latin=data["latin"],
    )


def to_dict(weights: Weights) -> dict[str, Any]:
    """Return the plain form of weights, for a file."""
    names = cell_names()
    return {
        "version": weights.version,
        "intercept": weights.intercept,
        "base_rate": weights.base_rate,
        "latin": weights.latin,
        "shifts": {lv.CODE.levels[i][0]: x for i, x in enumerate(weights.shifts)},
        "points": {names[i]: float(weights.points[i]) for i in np.flatnonzero(weights.points)},
    }


def weigh(counted: Counted, start: Weights, settings: MatchSettings) -> Weighed:
    """Return the weight and probability of each pattern.

    With `min_labels` labelled positives the points are fitted anew, drawn towards those of
    `start`; with fewer `start` stands. The shift of each code level is always the file's own.
    """
    at = cells(counted.patterns)
    code = lv.level_of(counted.patterns, lv.CODE)
    labelled = _labelled(at, code, counted.learnable)
    n_same, n_other = int(labelled.same.sum()), int(labelled.other.sum())
    weights, updated = start, n_same >= settings.min_labels and n_other >= settings.min_labels
    if updated:
        found = fit(labelled, start.points, start.intercept, settings.prior_strength)
        weights = replace(
            start,
            version=f"{start.version}+{n_same}/{n_other}",
            points=found.points,
            intercept=found.intercept,
            base_rate=n_same / (n_same + n_other),
        )
    raw = Raw(score(weights.points, weights.intercept, at), _most(counted.patterns))
    given = replace(weights, shifts=expected_shifts(weights, counted))
    # How Latin names differ was learnt from few worlds; EM would follow those of Chinese names.
    found_shifts = given.shifts if counted.latin else _shifts(raw, code, counted, given)
    weights = replace(weights, shifts=found_shifts)
    weight = weights_of(counted.patterns, weights)
    return Weighed(
        counted=counted,
        weight=weight,
        probability=probability(weight),
        weights=weights,
        labels_same=n_same,
        labels_other=n_other,
        updated=updated,
    )


def weights_of(patterns: U64, weights: Weights) -> Floats:
    """Return the log odds of patterns under given weights."""
    code = lv.level_of(patterns, lv.CODE)
    raw = score(weights.points, weights.intercept, cells(patterns))
    result = np.minimum(raw + np.asarray(weights.shifts)[code], _most(patterns))
    rounded: Floats = np.round(result, _ROUND)
    return rounded


def _most(patterns: U64) -> Floats:
    """Return the log odds that each pattern may reach, whatever its points."""
    level = {f.id: lv.level_of(patterns, f) for f in _SPEAKING}
    silent = np.isin(level["code"], _CODE_SILENT)
    alike, region = _only_alike(level), level["region"]
    contradicted = (level["owner"] == lv.OWNER_DIFFERS) & (level["phone"] == _PHONE_DIFFERS)
    contradicted &= level["address"] > 0
    many = np.isin(region, (lv.REGION_VAGUE, lv.REGION_CROWDED))
    asked = alike & (many | (contradicted & (region != lv.REGION_VILLAGE)))
    asked |= _unsupported(level)
    most = np.where(silent & asked, _MOST, np.inf)
    chance = silent & alike & (region == lv.REGION_THRONGED)
    result: Floats = np.where(chance, _CHANCE, most)
    return result


def _only_alike(level: dict[str, U8]) -> NDArray[np.bool_]:
    """Say which pairs are alike and nothing more.

    No name, person, telephone or house number is the same; at most one of name and person sounds
    the same (a bare name is its person's). Among n neighbours chance makes some n² such pairs.
    """
    name, owner = level["name"], level["owner"]
    same = (name > lv.NAME_CORE) | (owner >= lv.OWNER_SAME) | (level["phone"] > lv.PHONE_DIGIT)
    same |= level["address"] >= lv.ADDRESS_NUMBER
    both = (name == lv.NAME_CORE) & (owner == lv.OWNER_SOUND) & (level["rarity"] != lv.GENERIC)
    result: NDArray[np.bool_] = ~same & ~both
    return result


def _unsupported(level: dict[str, U8]) -> NDArray[np.bool_]:
    """Say which pairs only a place, a common word or a person's name speaks for.

    Neighbours in a market, shops named by their trade: neither person nor telephone agrees, and
    the name differs (or it is a bare name, or another trade name, and both contradict). Namesakes:
    telephone and address are others, and the name is another one or not given.
    """
    name, owner, phone = level["name"], level["owner"], level["phone"]
    alone = (owner <= lv.OWNER_DIFFERS) & (phone <= lv.PHONE_DIGIT)
    bare = (name < lv.NAME_CORE) | (level["rarity"] == lv.GENERIC)
    elsewhere = (level["address"] > 0) & (level["address"] < lv.ADDRESS_NUMBER)
    result: NDArray[np.bool_] = alone & (
        (name <= lv.NAME_SIMILAR) | (bare & (owner == lv.OWNER_DIFFERS) & (phone > 0))
    )
    result |= (name <= _NAME_DIFFERS) & (phone == _PHONE_DIFFERS) & elsewhere
    return result


def expected_shifts(weights: Weights, counted: Counted) -> tuple[float, ...]:
    """Return the shifts with that of pairs without two codes as the coverage lets expect.

    Where all carry a code, a record without one is likely a second enumeration, which loses it
    in `_LOST` of all cases; where few carry one, its absence says little.
    """
    if counted.latin:
        return (weights.latin, *weights.shifts[1:])
    coverage = counted.coverage
    both = coverage * coverage
    same = (1 - both * (1 - _LOST)) / (1 - _LOST)
    other = max(1 - (coverage * (1 - _LOST * _COPIES)) ** 2, _FLOOR)
    return (float(np.log(same / other)), *weights.shifts[1:])


def log_odds(share: float) -> float:
    """Return the log odds of a probability."""
    return float(np.log(share / (1 - share)))


def probability(weight: Floats) -> Floats:
    """Return the probability of log odds, to six digits."""
    return np.round(1 / (1 + np.exp(-np.clip(weight, -60, 60))), _ROUND)


def _labelled(at: Cells, code: NDArray[np.uint8], learnable: NDArray[np.int64]) -> Labelled:
    same, other = code == lv.CODE_SAME, code == lv.CODE_VALID_DIFFER
    wanted = (same | other) & (learnable > 0)
    count = learnable[wanted].astype(np.float64)
    return Labelled(
        cells=at[wanted],
        same=np.where(same[wanted], count, 0.0),
        other=np.where(other[wanted], count, 0.0),
    )


@dataclass(frozen=True, slots=True)
class Raw:
    """Log odds of patterns before their codes are looked at, and what they may reach."""

    points: Floats
    most: Floats

    def where(self, wanted: NDArray[np.bool_]) -> Raw:
        """Return some of the patterns."""
        return Raw(self.points[wanted], self.most[wanted])


def _shifts(
    raw: Raw, code: NDArray[np.uint8], counted: Counted, weights: Weights
) -> tuple[float, ...]:
    """Return the shift of the log odds of each code level: fixed for labels, else by EM.

    Without codes relatives are among these pairs as well, and EM takes the nearest for one unit.
    """
    rise = _RISE_WITHOUT_CODES + (_MOST_SHIFT - _RISE_WITHOUT_CODES) * counted.coverage**2
    shifts = []
    for level, given in enumerate(weights.shifts):
        inside = code == level
        if level in _FIXED or not inside.any():
            shifts.append(_FIXED.get(level, given))
            continue
        prior = Prior(base_rate=weights.base_rate, shift=given, rise=rise)
        shifts.append(group_shift(raw.where(inside), counted.pairs[inside], prior))
    return tuple(shifts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Base rate of the labelled pairs, the shift a group is given, and how far it may rise."""

    base_rate: float
    shift: float
    rise: float = _MOST_SHIFT


def group_shift(raw: Raw, pairs: NDArray[np.int64], given: Prior) -> float:
    """Return by how much the log odds of a group differ from those of the labelled pairs.

    EM on one number, the group's share of same units (Saerens et al. 2002), with a prior worth
    50 pairs at the shift that was `given`, and kept within `_MOST_SHIFT` (upwards `rise`) of it:
    where other units look unlike those that the points were learnt from, EM drifts to nothing. No
    pair counts for more than it may reach.
    """
    base = log_odds(given.base_rate)
    prior = 1 / (1 + np.exp(-(base + given.shift)))
    shift, total = given.shift, float(pairs.sum()) + _PRIOR_PAIRS
    for _ in range(_SHIFT_STEPS):
        p = 1 / (1 + np.exp(-np.clip(np.minimum(raw.points + shift, raw.most), -60, 60)))
        share = (float(p @ pairs) + _PRIOR_PAIRS * prior) / total
        share = min(max(share, _FLOOR), 1 - _FLOOR)
        new = float(np.log(share / (1 - share))) - base
        new = min(max(new, given.shift - _MOST_SHIFT), given.shift + given.rise)
        if abs(new - shift) < 1e-7:
            break
        shift = new
    return round(shift, _ROUND)
