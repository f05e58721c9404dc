"""What the link stage leaves behind: the tables `linkage.*`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.matching.records import Matched
from audit.normalise import name_key
from pipelines.context import LOG
from pipelines.decisions import SAME, Decision, frame

DONE, OFF, FAILED = "done", "off", "failed"
TABLES = ("link", "cluster", "large_block", "quality", "decision")
MOST_EVIDENCE = 100_000
"""Non-links kept as evidence a matcher; links and possible links are all kept."""

# What a decision was about: the name without its ways of writing, and the code.
_IDENTITY = "md5(COALESCE(name_key, '') || '|' || COALESCE(credit_code, ''))"
IDENTITIES = " UNION ALL ".join(
    f"SELECT '{table}' AS table_name, {key} AS record_id, {_IDENTITY} AS identity "
    f"FROM census.{table}"
    for table, key in (
        ("legal_entity", "unit_id"),
        ("establishment", "unit_id"),
        ("self_employed", "unit_id"),
        ("frame_unit", "frame_id"),
        ("register_unit", "record_id"),
    )
)
"""SELECT of table_name, record_id and the digest of the values that identify a record."""


def identity_of(name: str, credit_code: str) -> str:
    """Return the digest that IDENTITIES has of a record with this name and code."""
    key = pl.select(name_key(pl.lit(name, pl.String))).item() or ""
    return hashlib.md5(f"{key}|{credit_code}".encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Found:
    """Results of the matchers of one night, by matcher."""

    parts: dict[str, Matched] = field(default_factory=dict)


def clear(engine: DuckDBEngine) -> None:
    """Empty the tables, so that the stage can run again."""
    for name in TABLES:
        engine.execute(f"DELETE FROM linkage.{name}")


def _append(engine: DuckDBEngine, table: str, rows: pl.DataFrame) -> None:
    columns = [name for name in CONTRACT.outputs[table].by_name if name in rows.columns]
    engine.register("incoming", rows.select(columns).to_arrow())
    engine.append(table, "SELECT * FROM incoming")
    engine.unregister("incoming")


def write_state(engine: DuckDBEngine, state: str) -> None:
    """Record whether units were matched tonight: `done`, `off` or `failed`."""
    row = {"matcher": ["unit@1"], "metric": ["state"], "value": [None], "text": [state]}
    schema = {
        "matcher": pl.String(), "metric": pl.String(), "value": pl.Float64(), "text": pl.String()
    }  # fmt: skip
    _append(engine, "linkage.quality", pl.DataFrame(row, schema=schema))


def state_of(engine: DuckDBEngine) -> str:
    """Return what `write_state` recorded; empty where the stage did not run."""
    rows = engine.rows("SELECT text FROM linkage.quality WHERE metric = 'state'")
    return str(rows[0][0]) if rows else ""


def _kept(matcher: str, links: pl.DataFrame) -> pl.DataFrame:
    evidence = links.filter(pl.col("decision") == "non_link")
    if evidence.height <= MOST_EVIDENCE:
        return links
    LOG.warning("%s: %d non-links, %d kept", matcher, evidence.height, MOST_EVIDENCE)
    best = evidence.sort("probability", "left_id", "right_id", descending=[True, False, False])
    return pl.concat([links.filter(pl.col("decision") != "non_link"), best.head(MOST_EVIDENCE)])


def _links(matcher: str, links: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Return the links as published: plain frame ids, and who decided."""
    plain = [
        pl.when(pl.col(f"{side}_table") == "frame_unit")
        .then(pl.col(f"{side}_id").str.strip_prefix("frame|"))
        .otherwise(pl.col(f"{side}_id"))
        .alias(f"{side}_id")
        for side in ("left", "right")
    ]
    low, high = pl.min_horizontal("left_id", "right_id"), pl.max_horizontal("left_id", "right_id")
    known = decided.select(low=low, high=high, by=pl.lit("person")).unique()
    found = _kept(matcher, links).with_columns(plain)
    if known.is_empty():
        return found.with_columns(decided_by=pl.lit("matcher"), matcher=pl.lit(matcher)).sort(
            "left_id", "right_id"
        )
    return (
        found.with_columns(low=low, high=high)
        .join(known, on=["low", "high"], how="left")
        .with_columns(decided_by=pl.col("by").fill_null("matcher"), matcher=pl.lit(matcher))
        .sort("left_id", "right_id")
    )


def _blocks(matcher: str, blocks: pl.DataFrame) -> pl.DataFrame:
    digest = pl.col("block_key").str.split(":").list.last()
    return (
        blocks.group_by("block_key", "kind")
        .agg(pl.max("n_records"), pl.max("n_counties"))
        .with_columns(matcher=pl.lit(matcher), digest=digest)
        .sort("block_key")
    )


def write(engine: DuckDBEngine, found: Found, decisions: Sequence[Decision]) -> None:
    """Write what the matchers found, and the decisions that bound them."""
    decided = frame(decisions)
    for matcher, part in found.parts.items():
        _append(engine, "linkage.link", _links(matcher, part.links, decided))
        clusters = part.clusters.rename({"record_id": "unit_id"})
        _append(engine, "linkage.cluster", clusters)
        _append(engine, "linkage.large_block", _blocks(matcher, part.large_blocks))
        _append(engine, "linkage.quality", part.quality.with_columns(matcher=pl.lit(matcher)))


def write_decisions(engine: DuckDBEngine, decisions: Sequence[Decision]) -> None:
    """Write the decisions, saying of each whether its records are still what they were."""
    if not decisions:
        return
    rows = frame(decisions).with_columns(
        decision=pl.when(pl.col("answer") == SAME)
        .then(pl.lit("link"))
        .otherwise(pl.lit("non_link"))
    )
    engine.register("incoming", rows.to_arrow())
    engine.append(
        "linkage.decision",
        f"""
WITH identity AS ({IDENTITIES})
SELECT d.left_id, d.right_id, d.left_table, d.right_table, d.decision, d.person,
  TRY_CAST(d.decided_on AS DATE) AS decided_on, d.basis, d.note, d.run_id,
  CASE WHEN l.record_id IS NULL OR r.record_id IS NULL THEN 'unit_gone'
    WHEN l.identity <> d.left_identity OR r.identity <> d.right_identity THEN 'values_changed'
    ELSE 'in_force' END AS state
FROM incoming AS d
LEFT JOIN identity AS l ON l.table_name = d.left_table AND l.record_id = d.left_id
LEFT JOIN identity AS r ON r.table_name = d.right_table AND r.record_id = d.right_id
ORDER BY d.left_id, d.right_id""",
    )
    engine.unregister("incoming")
