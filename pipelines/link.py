"""Stage link: candidate pairs and clusters of units that are one.

The tables stand empty until the matcher fills them; rules over links are then not decided by
them, and duplicates by equal code or equal normalised name are found by rules alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.context import RunContext


@dataclass(frozen=True, slots=True)
class LinkSummary:
    """Counts of the link stage."""

    n_links: int
    n_clusters: int


def run(ctx: RunContext) -> LinkSummary:
    """Count what the matchers wrote."""
    counts = [
        int(str(ctx.engine.scalar(f"SELECT COUNT(*) FROM linkage.{name}")))
        for name in ("link", "cluster")
    ]
    return LinkSummary(*counts)
