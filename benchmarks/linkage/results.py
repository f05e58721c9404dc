"""Figures of one run of each system, scored against the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from audit.matching.deciding import Edges, clusters
from benchmarks.firms.make import true_pairs
from benchmarks.linkage import scoring
from benchmarks.linkage.scoring import PAIR

LINK_AT = 0.5
"""The matcher's threshold, fixed beforehand."""
GRID = (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 18.0)
"""Weights around Splink's best pair threshold that its clusters are tried at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Records, true pairs, hard true pairs, and the damage of each copy."""

    records: pl.DataFrame
    pairs: pl.DataFrame
    hard: pl.DataFrame
    damage: pl.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """Read records and truth of a folder."""
        records = pl.read_parquet(folder / "records.parquet")
        truth = pl.read_parquet(folder / "truth.parquet")
        pairs = true_pairs(truth)
        return cls(
            records=records,
            pairs=pairs,
            hard=scoring.hard(pairs, records),
            damage=truth.select("record_id", "damage"),
        )

    def quality(self, pairs: pl.DataFrame) -> dict[str, float]:
        """Return the quality of pairs."""
        return scoring.quality(pairs, self.pairs).as_dict()

    def hard_quality(self, pairs: pl.DataFrame) -> dict[str, float]:
        """Return the quality on pairs without one and the same code."""
        return scoring.quality(scoring.hard(pairs, self.records), self.hard).as_dict()


def spent(path: Path) -> dict[str, Any]:
    """Return what a process noted of its time and memory."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def ours(truth: Truth, out: Path) -> dict[str, Any]:
    """Return the figures of our matcher."""
    links = pl.read_parquet(out / "links.parquet", columns=[*PAIR, "probability", "decision"])
    groups = pl.read_parquet(out / "clusters.parquet")
    scored = pl.read_parquet(out / "candidates.parquet")
    stated = pl.read_parquet(out / "quality.parquet")
    said = dict(stated.select("metric", "value").iter_rows())
    pairs = scored.filter(pl.col("probability") >= LINK_AT)
    linked = links.filter(pl.col("decision") == "link")
    found = truth.quality(linked)
    return {
        "spent": spent(out / "spent.json"),
        "pairs_per_record": scored.height / truth.records.height,
        "candidate_recall": scoring.quality(scored, truth.pairs).recall,
        "pairs": truth.quality(pairs),
        "pairs_hindsight": scoring.best_threshold(scored, truth.pairs, "probability")[1].as_dict(),
        "links": found,
        "clusters": truth.quality(scoring.cluster_pairs(groups)),
        "hard": truth.hard_quality(pairs),
        "hard_links": truth.hard_quality(linked),
        "calibration_error": scoring.calibration_error(scored, truth.pairs),
        "calibration_error_unsure": scoring.calibration_error(
            scored.filter(pl.col("probability").is_between(0.01, 0.99)), truth.pairs
        ),
        "stated_precision": said["estimated_precision"],
        "stated_recall": said["estimated_recall"],
        "review_pairs": said["possible_links"],
        "labels_same": said["labels_same"],
        "by_damage": scoring.by_damage(linked, truth.pairs, truth.damage),
    }


def numbered(pairs: pl.DataFrame) -> tuple[pl.Series, Any, Any]:
    """Return the sorted ids in pairs, and the position of each left and right id among them."""
    ids = pl.concat([pairs["left_id"], pairs["right_id"]]).unique().sort()
    left, right = (ids.search_sorted(pairs[c]).to_numpy() for c in PAIR)
    return ids, left.astype(np.uint32), right.astype(np.uint32)


def components(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return connected components: cluster_id, record_id."""
    ids, left, right = numbered(pairs)
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(ids),) * 2)
    return pl.DataFrame(
        {"cluster_id": connected_components(graph, directed=False)[1], "record_id": ids}
    )


def constrained(scored: pl.DataFrame, threshold: float, codes: pl.DataFrame) -> pl.DataFrame:
    """Return clusters of Splink's weights by our merging: valid different codes never meet."""
    near = scored.filter(pl.col("match_weight") >= threshold - 15)
    ids, left, right = numbered(near)
    valid = pl.DataFrame({"unique_id": ids}).join(
        codes, on="unique_id", how="left", maintain_order="left"
    )
    weight = (near["match_weight"].to_numpy() - threshold) * np.log(2)
    code = valid["label"].fill_null(0).cast(pl.UInt64).to_numpy()
    edges = Edges(
        n=len(ids), left=left, right=right, weight=weight,
        decided=np.zeros(len(left), np.int8),
        # One kind of code: the households' own kind is not told apart here.
        codes=np.column_stack((code, np.zeros_like(code))),
    )  # fmt: skip
    return pl.DataFrame({"cluster_id": clusters(edges, 0.0), "record_id": ids})


def splink(truth: Truth, out: Path) -> dict[str, Any]:
    """Return the figures of Splink, with and without pairs of two valid different codes."""
    scored = scoring.ordered(pl.read_parquet(out / "scored.parquet"))
    veto = scored.filter(~pl.col("apart"))
    _, plain = scoring.best_threshold(scored, truth.pairs, "match_weight")
    threshold, best = scoring.best_threshold(veto, truth.pairs, "match_weight")
    linked = veto.filter(pl.col("match_weight") >= threshold)
    codes = pl.read_parquet(out / "parsed.parquet", columns=["unique_id", "label"])
    tried = [
        truth.quality(
            scoring.cluster_pairs(components(veto.filter(pl.col("match_weight") >= threshold + t)))
        )
        for t in GRID
    ]
    merged = [
        truth.quality(scoring.cluster_pairs(constrained(veto, threshold + t, codes)))
        for t in GRID[1:6]
    ]
    likely = veto.filter(pl.col("probability") >= LINK_AT)
    return {
        "spent": spent(out / "splink.json"),
        "normalise": spent(out / "normalise.json"),
        "pairs_per_record": scored.height / truth.records.height,
        "candidate_recall": scoring.quality(scored, truth.pairs).recall,
        "pairs_without_veto": plain.as_dict(),
        "pairs": best.as_dict(),
        "threshold": threshold,
        "hard": truth.hard_quality(linked),
        "clusters": max(tried, key=lambda q: q["f1"]),
        "clusters_merged": max(merged, key=lambda q: q["f1"]),
        "calibration_error": scoring.calibration_error(scored, truth.pairs),
        "stated_precision": float(likely["probability"].mean() or 0.0),
        "precision_there": truth.quality(likely)["precision"],
        "by_damage": scoring.by_damage(linked, truth.pairs, truth.damage),
    }


def ratios(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Return how many times Splink's errors, seconds and memory are ours."""
    time = other["spent"]["wall"] + other["normalise"]["wall"]
    cpu = other["spent"]["cpu"] + other["normalise"]["cpu"]
    memory = max(other["spent"]["peak_gb"], other["normalise"]["peak_gb"])
    return {
        "pair_error": _times(other["pairs"], mine["pairs"]),
        "link_error": _times(other["pairs"], mine["links"]),
        "cluster_error": _times(other["clusters"], mine["clusters"]),
        "cluster_error_merged": _times(other["clusters_merged"], mine["clusters"]),
        "wall": time / mine["spent"]["wall"],
        "cpu": cpu / mine["spent"]["cpu"],
        "memory": memory / mine["spent"]["peak_gb"],
    }


def _times(other: dict[str, float], mine: dict[str, float]) -> float:
    return (1 - other["f1"]) / max(1 - mine["f1"], 1e-9)
