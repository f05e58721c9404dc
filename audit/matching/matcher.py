"""The matcher of units within one set; `registers.py` has that of units against registers.

Pure: same records, same result, in whatever order the rows come and however many threads work.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.chunks import each_chunk
from audit.matching.comparing import labels
from audit.matching.deciding import Edges, clusters, components, missing_pairs
from audit.matching.features import KINDS, U64, Features, Flags
from audit.matching.human import Human, decided, human_pairs, not_in, pair_keys
from audit.matching.pairs import (
    SURE,
    Compared,
    Placed,
    Scored,
    add_pairs,
    blocking_quality,
    compare_candidates,
    emptied,
    merit,
    ranked,
    verified,
    weigh_compared,
)
from audit.matching.records import Decisions, Matched
from audit.matching.relations import headquarters
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
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Weighed, Weights, log_odds, probability, shipped

_GAIN, _TOLD = 1.6, 4.5
"""By how much merging may lower the threshold, and what merged pairs gain, where all have codes."""
_REFUSED = -2.0
"""All from made-up firms of other seeds than the benchmark's; of the pairs that merging refused
for a better home, about one in eight was one unit."""


def match_units(
    records: pl.DataFrame,
    features: Features,
    settings: MatchSettings | None = None,
    decisions: Decisions | None = None,
    weights: Weights | None = None,
) -> Matched:
    """Return the pairs and clusters of `records` (RECORD_SCHEMA) that are one unit.

    `features` are those of `records`, row by row; of `records` themselves only `record_id`,
    `table_name` and `name` are read. `decisions` of people bind; `weights` are the
    starting weights (the shipped ones if not given).
    """
    settings = settings or MatchSettings()
    if len(features) < 2:
        return empty_result()
    compared = compare_candidates(features, ranked(records["record_id"]), settings)
    weighed, (placed,) = weigh_compared([compared], weights or shipped(), settings)
    human = human_pairs(records["record_id"], decisions)
    expected = float((weighed.counted.pairs * weighed.probability).sum())
    near = _within_reach(placed, weighed, human, settings)
    labelled = labels(weighed.counted.patterns)[0][placed.which]
    let_go = int(labelled.sum()) - int(labels(near.patterns)[0].sum())
    scored = with_human(compared, near, human, weighed.weights, settings)
    scored = _completed(compared, scored, weighed.weights, settings)
    proposed = Proposed(quality=blocking_quality([compared]), let_go=let_go)
    compared = emptied(compared)
    is_evidence = evidence(scored.patterns, scored.weight, weighed.weights, settings)
    known = human, expected, is_evidence, records["name"]
    result = _decide(compared, scored, known, settings)
    return matched(records, features, ([compared], proposed, result, weighed), settings)


def with_human(
    compared: Compared, scored: Scored, human: Human, weights: Weights, settings: MatchSettings
) -> Scored:
    """Return the pairs with those added that people decided and no key proposed."""
    new = not_in(human.left, human.right, pair_keys(scored.left, scored.right))
    pairs = human.left[new], human.right[new]
    return add_pairs(compared, scored, pairs, weights, settings) if new.any() else scored


def _within_reach(
    placed: Placed, weighed: Weighed, human: Human, settings: MatchSettings
) -> Scored:
    """Return the pairs that may be decided on or reported, and those within their groups.

    Most candidates are clearly two units and in no group with a pair that links: they are let go.
    """
    compared, weights = placed.compared, weighed.weights
    left, right = compared.found.left, compared.found.right
    least = min(log_odds(settings.link_at) - _rival_gain(valid_codes(compared.features)), SURE)
    links = weighed.weight >= least
    linking = np.flatnonzero(links[placed.which])
    group = components(
        len(compared.features),
        np.concatenate([left[linking], human.left]),
        np.concatenate([right[linking], human.right]),
    )
    kept = links | (weighed.probability >= settings.possible_at)
    kept |= evidence(weighed.counted.patterns, weighed.weight, weights, settings)
    reached = np.empty(len(left), np.bool_)

    def reach(at: slice) -> None:
        reached[at] = kept[placed.which[at]] | (group[left[at]] == group[right[at]])

    each_chunk(len(left), settings.chunk, reach, settings.threads)
    reached[placed.by_right] = True
    return placed.scored(weighed, np.flatnonzero(reached))


def _completed(
    compared: Compared, scored: Scored, weights: Weights, settings: MatchSettings
) -> Scored:
    """Return the pairs with those added that a cluster needs to be judged as a whole."""
    by_right = headquarters(compared.features, scored.left, scored.right)
    threshold = log_odds(settings.link_at) - _rival_gain(valid_codes(compared.features))
    linking = (scored.weight >= threshold) & ~by_right
    new = missing_pairs(len(compared.features), scored.left, scored.right, linking)
    return add_pairs(compared, scored, new, weights, settings) if len(new[0]) else scored


def _decide(
    compared: Compared,
    scored: Scored,
    known: tuple[Human, float, Flags, pl.Series],
    settings: MatchSettings,
) -> Decided:
    human, expected, is_evidence, names = known
    features, rank = compared.features, compared.rows.rank
    said = decided(scored.left, scored.right, human)
    by_right = headquarters(features, scored.left, scored.right) & (said == 0)
    apart = by_right | ~verified(features, scored, names)
    codes = valid_codes(features)
    link_weight = log_odds(settings.link_at) - _rival_gain(codes)
    cluster = clusters(
        Edges(
            n=len(features),
            left=rank[scored.left],
            right=rank[scored.right],
            weight=np.where(apart, -np.inf, merit(scored)),
            decided=said,
            codes=codes[compared.rows.row_of_rank],
        ),
        link_weight,
    )
    together = cluster[rank[scored.left]] == cluster[rank[scored.right]]
    conflict = ~together & (scored.weight >= link_weight) & ~apart & (said == 0)
    scored = _gained(scored, together & ~by_right, conflict, _told_gain(codes))
    possible = (scored.probability >= settings.possible_at) & ~apart & (said == 0)
    decision = np.full(len(together), NON_LINK, np.int8)
    decision[possible & ~is_evidence] = POSSIBLE
    decision[together & ~by_right] = LINK
    output = (decision > NON_LINK) | is_evidence | by_right | (said != 0)
    return Decided(
        scored=scored,
        decision=decision,
        output=output,
        conflict=conflict,
        expected_same=expected,
        cluster=cluster,
    )


def _rival_gain(codes: U64) -> float:
    """Return by how much the log odds of a pair may fall short for best-first merging to join it.

    Merging has then found no better home for either record. That says much where nearly all
    records carry a valid code, as relatives are kept apart by theirs, and nothing without codes.
    """
    return round(_GAIN * _both_coded(codes), 2)


def _told_gain(codes: U64) -> float:
    """Return what it adds to the log odds of a pair that merging joined it.

    On average over all joined pairs, and so more than of those at the threshold: the stated
    precision is that of links, not of pairs before merging.
    """
    return round(_TOLD * _both_coded(codes), 2)


def _both_coded(codes: U64) -> float:
    return float((codes != 0).any(axis=1).mean()) ** 2


def _gained(scored: Scored, merged: Flags, refused: Flags, gain: float) -> Scored:
    code = lv.level_of(scored.patterns, lv.CODE)
    gains = np.where(merged & (code != lv.CODE_SAME), gain, 0.0)
    gains = np.where(refused, np.minimum(_REFUSED - scored.weight, 0.0), gains)
    weight = np.round(scored.weight + gains, 6)
    return replace(scored, weight=weight, gain=gains, probability=probability(weight))


def valid_codes(features: Features) -> U64:
    """Return the valid organisation code of records as a unit and as a household, n x 2."""
    valid = features.credit_ok | features.org_ok
    code = np.where(features.org != 0, features.org, features.credit)
    household = features.kind == KINDS["self_employed"]
    result: NDArray[np.uint64] = np.zeros((len(code), 2), np.uint64)
    result[:, 0] = np.where(valid & ~household, code, np.uint64(0))
    result[:, 1] = np.where(valid & household, code, np.uint64(0))
    return result
