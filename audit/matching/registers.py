"""The matcher of units against registers: each register is assigned one to one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.deciding import one_to_one
from audit.matching.features import KINDS, U32, Features, Flags
from audit.matching.human import Human, decided, human_pairs
from audit.matching.matcher import with_human
from audit.matching.pairs import (
    Compared,
    Scored,
    compare_candidates,
    concatenate,
    joined,
    merit,
    ranked,
    take,
    verified,
    weigh_compared,
)
from audit.matching.records import Decisions, Matched
from audit.matching.results import (
    LINK,
    NON_LINK,
    POSSIBLE,
    Decided,
    empty_result,
    evidence,
    matched,
)
from audit.matching.scorecard import Floats
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Weights, log_odds, probability, shipped

REGISTER_SETTINGS = MatchSettings(matcher="register@1")
_FEW_LABELS = 50
_DEFAULT_GAIN = 2.0
_MOST_GAIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side: records (RECORD_SCHEMA) and their features, row by row."""

    records: pl.DataFrame
    features: Features


def match_registers(
    left: Side,
    right: Side,
    settings: MatchSettings | None = None,
    decisions: Decisions | None = None,
    weights: Weights | None = None,
) -> Matched:
    """Return which register record (right) belongs to which unit (left).

    Each register (what stands before `|` in the right `record_id`) is assigned one to one by
    itself; the points are learnt from all of them together. Only the large blocks of the pass
    over each register are reported, no clusters.
    """
    settings = settings or REGISTER_SETTINGS
    n_left = len(left.features)
    if not n_left or not len(right.features):
        return empty_result()
    records = pl.concat([left.records, right.records])
    features = concatenate(left.features, right.features)
    passes = _passes(records, features, n_left, settings)
    weighed, scored = weigh_compared(passes, weights or shipped(), settings)
    human = human_pairs(records["record_id"], decisions)
    parts = [
        _assign(one, pairs, (_local(human, one.origin), weighed.weights), settings)
        for one, pairs in zip(passes, scored, strict=True)
    ]
    return matched(records, features, (passes, _together(passes, parts), weighed), settings)


def _passes(
    records: pl.DataFrame, features: Features, n_left: int, settings: MatchSettings
) -> list[Compared]:
    """Compare the left records with each register by itself."""
    right_ids = records["record_id"][n_left:]
    source = right_ids.str.extract(r"^([^|]*)\|", 1).fill_null("")
    passes = []
    for name in source.unique().sort().to_list():
        chosen = np.flatnonzero((source == name).to_numpy()) + n_left
        origin = np.concatenate([np.arange(n_left), chosen])
        part = features if len(origin) == len(features) else take(features, origin)
        side = (origin >= n_left).astype(np.uint8)
        rows = ranked(records["record_id"].gather(origin), side)
        found = compare_candidates(part, rows, settings)
        passes.append(replace(_left_first(found, side), origin=origin))
    return passes


def _left_first(compared: Compared, side: NDArray[np.uint8]) -> Compared:
    """Turn pairs so that the unit stands left and the register record right."""
    found = compared.found
    turn = side[found.left] == 1
    left = np.where(turn, found.right, found.left)
    right = np.where(turn, found.left, found.right)
    return replace(compared, found=replace(found, left=left, right=right))


def _local(human: Human, origin: NDArray[np.int64]) -> Human:
    """Return the decided pairs of one pass, in its rows."""
    place = np.full(int(origin.max()) + 1, -1, np.int64)
    place[origin] = np.arange(len(origin))

    def find(rows: U32) -> NDArray[np.int64]:
        inside = rows < len(place)
        return np.where(inside, place[np.where(inside, rows, 0)], -1)

    left, right = find(human.left), find(human.right)
    both = (left >= 0) & (right >= 0)
    return Human(
        left=left[both].astype(np.uint32),
        right=right[both].astype(np.uint32),
        same=human.same[both],
    )


def _assign(
    compared: Compared,
    scored: Scored,
    known: tuple[Human, Weights],
    settings: MatchSettings,
) -> Decided:
    human, weights = known
    side = compared.rows.side
    if side is None:
        raise ValueError("a register pass has two sides")
    expected = float(scored.probability.sum())
    scored = with_human(compared, scored, human, weights, settings)
    turn = side[scored.left] == 1
    scored = replace(
        scored,
        left=np.where(turn, scored.right, scored.left),
        right=np.where(turn, scored.left, scored.right),
    )
    across = side[scored.left] != side[scored.right]
    scored = scored.where(across)
    said = decided(scored.left, scored.right, human)
    eligible = (scored.weight > settings.register_weight) & verified(compared.features, scored)
    eligible = (eligible & (said == 0)) | (said > 0)
    taken = _greedy(compared, scored, (merit(scored), said), eligible)
    is_evidence = evidence(scored, weights, settings)
    gain = _gain(compared, scored, weights, settings)
    return _decisions(scored, (taken, eligible, said, is_evidence), (gain, expected), settings)


def _decisions(
    scored: Scored,
    flags: tuple[Flags, Flags, NDArray[np.int8], Flags],
    numbers: tuple[float, float],
    settings: MatchSettings,
) -> Decided:
    taken, eligible, said, is_evidence = flags
    gain, expected = numbers
    gains = np.where(taken, gain, 0.0)
    weight = np.round(scored.weight + gains, 6)
    scored = replace(scored, weight=weight, gain=gains, probability=probability(weight))
    decision = np.full(len(taken), NON_LINK, np.int8)
    free = np.ones(int(scored.left.max(initial=0)) + 1, bool)
    link = taken & ((weight >= log_odds(settings.link_at)) | (said > 0))
    free[scored.left[link]] = False
    rival = eligible & ~taken & free[scored.left] & (scored.probability >= settings.link_at)
    unsure = taken & (scored.probability >= settings.possible_at)
    decision[(unsure | rival) & ~is_evidence] = POSSIBLE
    decision[link] = LINK
    return Decided(
        scored=scored,
        decision=decision,
        output=(decision > NON_LINK) | (is_evidence & free[scored.left]) | (said != 0),
        conflict=rival,
        expected_same=max(expected, 1e-9),
    )


def _greedy(
    compared: Compared, scored: Scored, value: tuple[Floats, NDArray[np.int8]], eligible: Flags
) -> Flags:
    """Assign greedily by human word, weight, kind of unit (legal entities first) and rank."""
    weight, said = value
    at = np.flatnonzero(eligible)
    left, right = scored.left[at], scored.right[at]
    rank, kind = compared.rows.rank, compared.features.kind
    local = compared.features.is_headquarters[left] | (kind[left] == KINDS["establishment"])
    sorting = np.lexsort((rank[right], rank[left], local, -weight[at], said[at] <= 0))
    order = np.empty(len(at), np.int64)
    order[sorting] = np.arange(len(at))
    taken = np.zeros(len(eligible), bool)
    taken[at[one_to_one(left, right, order)]] = True
    return taken


def _gain(compared: Compared, scored: Scored, weights: Weights, settings: MatchSettings) -> float:
    """Return what it adds to the log odds that assignment took a pair.

    Same units are nearly always taken, different ones seldom: how seldom, the pairs with two
    valid different codes tell, when assignment is tried without looking at the codes.
    """
    code = lv.level_of(scored.patterns, lv.CODE)
    bare = scored.weight - np.asarray(weights.shifts)[code]
    eligible = bare > settings.register_weight
    taken = _greedy(compared, scored, (bare, np.zeros(len(bare), np.int8)), eligible)
    other = eligible & (code == lv.CODE_VALID_DIFFER)
    if other.sum() < _FEW_LABELS:
        return _DEFAULT_GAIN
    share = (float((taken & other).sum()) + 1) / (float(other.sum()) + 2)
    return min(max(-float(np.log(share)), 0.0), _MOST_GAIN)


def _together(passes: list[Compared], parts: list[Decided]) -> Decided:
    """Return the decisions of all passes over the rows of all records."""
    scored = [
        replace(
            part.scored,
            left=one.origin[part.scored.left].astype(np.uint32),
            right=one.origin[part.scored.right].astype(np.uint32),
        )
        for one, part in zip(passes, parts, strict=True)
    ]
    return Decided(
        scored=joined(scored),
        decision=np.concatenate([p.decision for p in parts]),
        output=np.concatenate([p.output for p in parts]),
        conflict=np.concatenate([p.conflict for p in parts]),
        expected_same=sum(p.expected_same for p in parts),
    )
