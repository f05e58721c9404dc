"""What the report of a night says of regions and tasks: flags, ranks, what changed since."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from audit.quoting import quoted
from audit.scoring import city_prefix
from pipelines.context import RunContext
from pipelines.publish import CURRENT
from reports.html import FlagChanges, Tasks

VILLAGES_SHOWN = 200


def in_city(ctx: RunContext, column: str) -> str:
    """Return the condition that a region code lies in the audited city."""
    return f"{column} LIKE {quoted(city_prefix(ctx.config.city) + '%')}"


def worth_listing(ctx: RunContext, table: str = "s") -> str:
    """Leave out regions of other cities, which a longer region list brings along."""
    return f"({in_city(ctx, f'{table}.region_code')} OR {table}.n_units > 0)"


def levels(ctx: RunContext) -> pa.Table:
    """Count the regions of each level, and the flagged ones."""
    return ctx.engine.fetch(f"""
SELECT region_level, COUNT(*) AS n_regions, COUNT(*) FILTER (WHERE flagged) AS n_flagged
FROM audit.region_score AS s
WHERE {worth_listing(ctx)} AND region_level IN ('3', '4', '5')
GROUP BY region_level ORDER BY region_level""")


def regions(ctx: RunContext) -> pa.Table:
    """Return counties and townships in full, villages only the first by rank."""
    return ctx.engine.fetch(f"""
SELECT s.*, p.region_name AS parent_name
FROM audit.region_score AS s
LEFT JOIN audit.region_score AS p ON p.region_code = s.parent_code
WHERE {worth_listing(ctx)} AND (s.region_level IN ('3', '4')
  OR (s.region_level = '5' AND s.rank_in_level <= {VILLAGES_SHOWN}))
ORDER BY s.region_level, s.rank_in_level, s.region_code""")


def flagged(ctx: RunContext) -> pa.Table:
    """Return the flagged places; one that holds all units of a flagged place above is told there.

    A place and its child have the same units where they have as many.
    """
    return ctx.engine.fetch(f"""
WITH score AS (
  SELECT * FROM audit.region_score AS s
  WHERE {worth_listing(ctx)} AND region_level IN ('3', '4', '5') AND n_units > 0
), same AS (
  SELECT p.region_code AS above, c.region_code AS below, c.region_name
  FROM score AS p JOIN score AS c ON c.parent_code = p.region_code AND c.n_units = p.n_units
)
SELECT s.*, p.region_name AS parent_name, concat_ws(' · ', m.region_name, n.region_name)
    AS only_child
FROM score AS s
LEFT JOIN audit.region_score AS p ON p.region_code = s.parent_code
LEFT JOIN same AS m ON m.above = s.region_code
LEFT JOIN same AS n ON n.above = m.below
WHERE s.flagged AND NOT EXISTS (
  SELECT 1 FROM same AS o JOIN score AS a ON a.region_code = o.above
  WHERE o.below = s.region_code AND a.flagged)
ORDER BY s.rank, s.region_code""")


def tasks(ctx: RunContext) -> Tasks:
    """Count the verification tasks by arm, and tell how the random ones were drawn."""
    row = ctx.engine.fetch("""
SELECT COUNT(*) FILTER (WHERE arm = 'priority') AS n_priority,
  COUNT(*) FILTER (WHERE arm = 'random') AS n_random,
  COALESCE(STRFTIME(MAX(due_on), '%Y-%m-%d'), '') AS due_on
FROM audit.verification_task""").to_pylist()[0]
    draws = ctx.engine.fetch("SELECT * FROM audit.task_draw").to_pylist()
    return Tasks(**row, draws=tuple(draws))


def flag_changes(ctx: RunContext) -> FlagChanges | None:
    """Compare the flags with those of the last published package, where it can be read.

    A night of some rules or one region judges no region: before or after it nothing is compared.
    A region that was not judged in one of the two is neither new nor gone.
    """
    current = ctx.state_dir.parent / CURRENT
    path = current / "parquet" / "audit.region_score.parquet"
    if current.resolve().name == ctx.info.run_id or not path.exists():
        return None
    names = ["region_code", "region_name", "region_level", "flagged", "rate", "n_units"]
    try:
        with pq.ParquetFile(path) as file:
            before = file.read(columns=names)
    except (OSError, pa.ArrowException):
        return None
    tonight = ctx.engine.scalar("SELECT COUNT(rate) FROM audit.region_score")
    if not tonight or before["rate"].null_count == before.num_rows:
        return None
    ctx.engine.register("score_before", before)
    try:
        rows = ctx.engine.rows(f"""
SELECT COALESCE(s.region_name, b.region_name, region_code), COALESCE(s.flagged, FALSE)
FROM (SELECT * FROM audit.region_score WHERE region_level IN ('3', '4', '5')) AS s
FULL JOIN (SELECT * FROM score_before
  WHERE region_level IN ('3', '4', '5') AND {in_city(ctx, "region_code")}) AS b
  USING (region_code)
WHERE COALESCE(s.flagged, FALSE) <> COALESCE(b.flagged, FALSE)
  AND (s.rate IS NOT NULL OR COALESCE(s.n_units, 0) = 0)
  AND (b.rate IS NOT NULL OR COALESCE(b.n_units, 0) = 0)
ORDER BY region_code""")
    finally:
        ctx.engine.unregister("score_before")
    return FlagChanges(
        became=tuple(str(name) for name, now in rows if now),
        ceased=tuple(str(name) for name, now in rows if not now),
    )
