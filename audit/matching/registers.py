"""The matcher of units against registers: each register is assigned one to one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.blocking import candidates
from audit.matching.comparing import compare, pack_rows
from audit.matching.deciding import one_to_one
from audit.matching.features import KINDS, U32, Features, Flags
from audit.matching.human import Human, decided, human_pairs
from audit.matching.matcher import with_human
from audit.matching.pairs import (
    Compared,
    Scored,
    blocking_quality,
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
    Proposed,
    empty_result,
    evidence,
    matched,
)
from audit.matching.scorecard import Floats
from audit.matching.settings import MatchSettings
from audit.matching.settling import Counts, Ints, Settled, holders, may_pair, rows_of, settle
from audit.matching.weighing import Weighed, Weights, log_odds, probability, shipped

REGISTER_SETTINGS = MatchSettings(matcher="register@1")
_FEW_LABELS = 50
_DEFAULT_GAIN = 2.0
_MOST_GAIN = 4.0
_SAMPLE = 20_000
"""Register records that the points are learnt from."""
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side: records (RECORD_SCHEMA) and their features, row by row.

    `counts` counts the tokens of these records; where they were chosen from more, of them all, and
    `counted` gives the place of each among these.
    """

    records: pl.DataFrame
    features: Features
    counts: Counts | None = None
    counted: Ints | None = None


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
    if not len(left.features) or not len(right.features):
        return empty_result()
    known = _Known.of(left, right, decisions, settings)
    learnt, sample = _learn(known, weights or shipped())
    passes = [sample]
    parts: list[Decided] = []
    rest = [known.rest(number) for number in range(len(known.sources))]
    weighed, placed = weigh_compared(rest, learnt.weights, replace(settings, min_labels=_NEVER))
    for one in placed:
        human = _local(known.human, one.compared.origin)
        names = known.records["name"].gather(one.compared.origin)
        known_here = human, weighed.weights, names
        parts.append(_assign(one.compared, one.scored(weighed), known_here, settings))
    weighed = replace(
        weighed,
        labels_same=learnt.labels_same,
        labels_other=learnt.labels_other,
        updated=learnt.updated,
    )
    together = _with_settled(_together(rest, parts), known.settled, weighed.weights)
    compared = passes + rest
    proposed = Proposed(quality=blocking_quality(compared))
    result = compared, proposed, together, weighed
    found = matched(known.records, known.features, result, settings)
    # Rows that are nearly in order are sorted several times as fast.
    rank = ranked(left.records["record_id"]).rank
    in_order = known.settled.where(np.argsort(rank[known.settled.left], kind="stable"))
    settled = in_order.links(known.records, weighed.weights, settings.matcher)
    return replace(found, links=pl.concat([found.links, settled]).sort("left_id", "right_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Both sides as one set of rows, units first, and what is settled among them.

    `source` is the number of each row's register in `sources`, -1 for units.
    """

    records: pl.DataFrame
    features: Features
    n_left: int
    source: NDArray[np.int16]
    sources: list[str]
    human: Human
    settled: Settled
    field: Features
    units: Counts
    counted: Ints
    settings: MatchSettings

    @classmethod
    def of(
        cls, left: Side, right: Side, decisions: Decisions | None, settings: MatchSettings
    ) -> _Known:
        records = pl.concat([left.records, right.records])
        features = concatenate(left.features, right.features)
        n_left = len(left.features)
        names = right.records["record_id"].str.extract(r"^([^|]*)\|", 1).fill_null("")
        sources = names.unique().sort().to_list()
        numbers = {name: number for number, name in enumerate(sources)}
        source = np.full(len(features), -1, np.int16)
        source[n_left:] = names.replace_strict(numbers, return_dtype=pl.Int16).to_numpy()
        human = human_pairs(records["record_id"], decisions)
        asked = rows_of((human.left, human.right), len(features))
        return cls(
            records=records,
            features=features,
            n_left=n_left,
            source=source,
            sources=sources,
            human=human,
            settled=settle(features, source, asked).verified(features, records["name"]),
            field=left.features,
            units=left.counts or Counts.over(left.features),
            counted=np.arange(n_left) if left.counted is None else left.counted,
            settings=settings,
        )

    def rest(self, number: int) -> Compared:
        """Compare what is not settled of one register with the units that are free for it."""
        listed = np.flatnonzero(self.source == number)
        own = self.source[self.settled.right] == number
        done = rows_of((self.settled.left[own], self.settled.right[own]), len(self.features))
        records = listed[~done[listed]]
        asked = rows_of((self.human.left, self.human.right), len(self.features))[: self.n_left]
        wanted = may_pair(self.field, take(self.features, records)) | asked
        units = np.flatnonzero(wanted & ~done[: self.n_left])
        lists = Counts.over(self.features, listed), np.flatnonzero(~done[listed])
        return self.compared(units, records, lists)

    def compared(self, units: Ints, records: Ints, lists: tuple[Counts, Ints]) -> Compared:
        """Compare some units with some register records.

        `lists` counts the tokens of all records that these are of, with their places among them.
        """
        origin = np.concatenate([units, records])
        part = take(self.features, origin)
        side = (origin >= self.n_left).astype(np.uint8)
        rows = ranked(self.records["record_id"].gather(origin), side)
        found = candidates(part, rows, self.settings)
        packed = pack_rows(part, holders(part, (self.units, self.counted[units]), lists))
        compared = Compared(
            features=part,
            origin=origin,
            packed=packed,
            rows=rows,
            found=found,
            patterns=compare(part, packed, (found.left, found.right), self.settings),
        )
        return _left_first(compared, side)


def _learn(known: _Known, start: Weights) -> tuple[Weighed, Compared]:
    """Learn the points from a sample of register records, settled or not, and all units near them.

    What is left after settling would teach that equal names are other units. One record a code
    keeps the number of holders what it is with one register.
    """
    by_id = known.records["record_id"][known.n_left :].arg_sort().to_numpy().astype(np.int64)
    right = by_id + known.n_left
    credit = known.features.credit[right]
    first: Flags = pl.Series(credit).is_first_distinct().to_numpy()
    once = np.flatnonzero(first | (credit == 0))
    chosen = right[once[:: -(-len(once) // _SAMPLE)]]
    chosen = np.sort(chosen)
    wanted = may_pair(known.field, take(known.features, chosen))
    lists = Counts.over(known.features, chosen), np.arange(len(chosen))
    sample = known.compared(np.flatnonzero(wanted), chosen, lists)
    weighed, _ = weigh_compared([sample], start, known.settings)
    return weighed, sample


def _with_settled(found: Decided, settled: Settled, weights: Weights) -> Decided:
    """Count the settled pairs among the links; their rows of output are written apart."""
    n = len(settled.left)
    scored = settled.scored(weights)
    none = np.zeros(n, bool)
    return replace(
        found,
        scored=joined([found.scored, scored]),
        decision=np.concatenate([found.decision, np.full(n, LINK, np.int8)]),
        output=np.concatenate([found.output, none]),
        conflict=np.concatenate([found.conflict, none]),
        expected_same=found.expected_same + float(scored.probability.sum()),
    )


def _left_first(compared: Compared, side: NDArray[np.uint8]) -> Compared:
    """Turn pairs so that the unit stands left and the register record right."""
    found = compared.found
    turn = side[found.left] == 1
    left = np.where(turn, found.right, found.left)
    right = np.where(turn, found.left, found.right)
    return replace(compared, found=replace(found, left=left, right=right))


def _local(human: Human, origin: NDArray[np.int64]) -> Human:
    """Return the decided pairs of one pass, in its rows."""
    place = np.full(int(origin.max(initial=-1)) + 1, -1, np.int64)
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
    known: tuple[Human, Weights, pl.Series],
    settings: MatchSettings,
) -> Decided:
    human, weights, names = known
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
    eligible = (scored.weight > settings.register_weight) & verified(
        compared.features, scored, names
    )
    eligible = (eligible & (said == 0)) | (said > 0)
    taken = _greedy(compared, scored, (merit(scored), said), eligible)
    is_evidence = evidence(scored.patterns, scored.weight, weights, settings)
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
