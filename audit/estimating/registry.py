"""All estimates of a night, in the order they are made."""

from __future__ import annotations

from collections.abc import Iterable

from audit.estimating import (
    asset_ratio,
    bunching,
    growth,
    head_revenue,
    heaping,
    pay,
    recheck,
    unit_error,
)
from audit.estimating.model import Estimate

ESTIMATES: tuple[Estimate, ...] = (
    head_revenue.ESTIMATE,
    pay.ESTIMATE,
    unit_error.ESTIMATE,
    asset_ratio.ESTIMATE,
    bunching.ESTIMATE,
    growth.ESTIMATE,
    heaping.ESTIMATE,
    recheck.ESTIMATE,
)  # fmt: skip


def making(tables: frozenset[str]) -> tuple[Estimate, ...]:
    """Return the estimates that make any of `tables`."""
    return tuple(estimate for estimate in ESTIMATES if tables & set(estimate.makes))


def inputs(tables: Iterable[str]) -> tuple[str, ...]:
    """Return the tables behind the estimates among `tables`, each once."""
    behind = [(*e.needs, *e.uses) for e in making(frozenset(tables))]
    return tuple(dict.fromkeys(table for names in behind for table in names))
