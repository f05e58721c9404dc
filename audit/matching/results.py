"""From decided pairs to the frames of `Matched`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.comparing import labels
from audit.matching.em import agreement
from audit.matching.explaining import comparisons
from audit.matching.features import U64, Features, Flags
from audit.matching.pairs import Compared, Scored
from audit.matching.records import LINK_SCHEMA, Matched
from audit.matching.relations import Related, relations
from audit.matching.scorecard import Floats
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Weighed, Weights, log_odds

NON_LINK, POSSIBLE, LINK = 0, 1, 2
DECISIONS = np.array(["non_link", "possible_link", "link"])
CLUSTER_SCHEMA = {
    "cluster_id": pl.String(),
    "record_id": pl.String(),
    "table_name": pl.String(),
}
BLOCK_SCHEMA = {
    "block_key": pl.String(),
    "kind": pl.String(),
    "n_records": pl.Int64(),
    "n_counties": pl.Int64(),
    "record_ids": pl.List(pl.String()),
}
QUALITY_SCHEMA = {"metric": pl.String(), "value": pl.Float64(), "text": pl.String()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Pairs (rows of the records, by rank), the decision and whether it goes against the weight.

    `output` says which are reported; `expected_same` the expected number of same pairs among all
    candidates; `cluster` the cluster of each record, in rank order, or None for registers.
    """

    scored: Scored
    decision: NDArray[np.int8]
    output: Flags
    conflict: Flags
    expected_same: float
    cluster: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What came before the decisions: `quality` of blocking, and the labelled pairs let go."""

    quality: dict[str, float]
    let_go: int = 0


def empty_result() -> Matched:
    """Return the result of a set without pairs."""
    return Matched(
        links=pl.DataFrame(schema=LINK_SCHEMA),
        clusters=pl.DataFrame(schema=CLUSTER_SCHEMA),
        large_blocks=pl.DataFrame(schema=BLOCK_SCHEMA),
        quality=pl.DataFrame(schema=QUALITY_SCHEMA),
    )


def evidence(patterns: U64, weight: Floats, weights: Weights, settings: MatchSettings) -> Flags:
    """Say which non-links are evidence: two valid codes that differ, and all else says the same.

    That is the same name, and a weight without the codes that would ask for review.
    """
    name, code = (lv.level_of(patterns, f) for f in (lv.NAME, lv.CODE))
    bare = weight - np.asarray(weights.shifts)[code]
    result: Flags = (
        (name >= lv.NAME_CORE)
        & (code == lv.CODE_VALID_DIFFER)
        & (bare >= log_odds(settings.possible_at))
    )
    return result


def matched(
    records: pl.DataFrame,
    features: Features,
    found: tuple[list[Compared], Proposed, Decided, Weighed],
    settings: MatchSettings,
) -> Matched:
    """Return the frames of a result; `records` and `features` row by row."""
    compared, proposed, decided, weighed = found
    return Matched(
        links=links_of_pairs(
            records,
            features,
            (
                decided.scored.where(decided.output),
                decided.decision[decided.output],
                decided.conflict[decided.output],
            ),
            (weighed.weights, settings),
        ),
        clusters=_clusters(records, compared[0], decided),
        large_blocks=_large_blocks(records, compared),
        quality=_quality(compared, proposed, decided, weighed),
    )


def links_of_pairs(
    records: pl.DataFrame,
    features: Features,
    pairs: tuple[Scored, NDArray[np.int8], Flags],
    known: tuple[Weights, MatchSettings],
) -> pl.DataFrame:
    """Return the frame of links (LINK_SCHEMA): pairs, their decisions, and which go against."""
    scored, decision, conflict = pairs
    weights, settings = known
    relation = relations(
        features,
        Related(
            left=scored.left,
            right=scored.right,
            patterns=scored.patterns,
            linked=decision == LINK,
            conflict=conflict,
        ),
    )
    ids, tables = records["record_id"], records["table_name"]
    return pl.DataFrame(
        {
            "left_id": ids.gather(scored.left),
            "right_id": ids.gather(scored.right),
            "left_table": tables.gather(scored.left),
            "right_table": tables.gather(scored.right),
            "matcher": pl.repeat(settings.matcher, len(decision), eager=True),
            "weight": scored.weight,
            "probability": scored.probability,
            "decision": pl.Series(DECISIONS[decision], dtype=pl.String),
            "relation": pl.Series(relation, dtype=pl.String),
            "comparison": comparisons(scored, weights, settings.matcher),
        },
        schema=LINK_SCHEMA,
    ).sort("left_id", "right_id")


def _clusters(records: pl.DataFrame, compared: Compared, decided: Decided) -> pl.DataFrame:
    if decided.cluster is None:
        return pl.DataFrame(schema=CLUSTER_SCHEMA)
    size = np.bincount(decided.cluster, minlength=len(decided.cluster))
    ranks = np.flatnonzero(size[decided.cluster] > 1)
    rows = compared.rows.row_of_rank
    return pl.DataFrame(
        {
            "cluster_id": records["record_id"].gather(rows[decided.cluster[ranks]]),
            "record_id": records["record_id"].gather(rows[ranks]),
            "table_name": records["table_name"].gather(rows[ranks]),
        },
        schema=CLUSTER_SCHEMA,
    ).sort("cluster_id", "record_id")


def _large_blocks(records: pl.DataFrame, compared: list[Compared]) -> pl.DataFrame:
    ids = records["record_id"]
    return pl.DataFrame(
        [
            {
                "block_key": f"{block.kind}:{block.digest:010x}",
                "kind": block.kind,
                "n_records": block.n_records,
                "n_counties": block.n_counties,
                "record_ids": ids.gather(one.origin[block.rows]).to_list(),
            }
            for one in compared
            for block in one.found.large
        ],
        schema=BLOCK_SCHEMA,
    )


def _quality(
    compared: list[Compared], proposed: Proposed, decided: Decided, weighed: Weighed
) -> pl.DataFrame:
    """Return what the matcher says of itself; estimates come from calibrated probabilities."""
    blocking = proposed.quality
    link = decided.decision == LINK
    expected = decided.scored.probability
    found = float(expected[link].sum())
    n_links = int(link.sum())
    precision = found / n_links if n_links else 1.0
    recall = found / decided.expected_same if decided.expected_same > 0 else 1.0
    labelled = int(labels(decided.scored.patterns)[0].sum()) + proposed.let_go
    values = {
        "records": float(sum(len(c.features) for c in compared)),
        "links": float(n_links),
        "possible_links": float((decided.decision[decided.output] == POSSIBLE).sum()),
        "estimated_precision": min(precision, 1.0),
        "estimated_recall": min(recall, 1.0) * blocking["blocking_recall"],
        "labelled_pairs": float(labelled),
        "labels_same": float(weighed.labels_same),
        "labels_other": float(weighed.labels_other),
        "weights_updated": float(weighed.updated),
        **agreement(weighed.counted, weighed.weights),
        **blocking,
    }
    texts = {"weights": weighed.weights.version}
    return pl.DataFrame(
        {
            "metric": [*values, *texts],
            "value": [*(round(v, 6) for v in values.values()), *(None for _ in texts)],
            "text": [*(None for _ in values), *texts.values()],
        },
        schema=QUALITY_SCHEMA,
    )
