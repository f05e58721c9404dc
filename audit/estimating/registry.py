"""All estimates of a night, in the order they are made."""

from __future__ import annotations

from audit.estimating import head_revenue, recheck
from audit.estimating.model import Estimate

ESTIMATES: tuple[Estimate, ...] = (
    head_revenue.ESTIMATE,
    recheck.ESTIMATE,
)  # fmt: skip


def making(tables: frozenset[str]) -> tuple[Estimate, ...]:
    """Return the estimates that make any of `tables`."""
    return tuple(estimate for estimate in ESTIMATES if tables & set(estimate.makes))
