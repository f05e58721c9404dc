"""All estimates of a night, in the order they are made."""

from __future__ import annotations

from audit.estimating import (
    enumerator_risk,
    head_revenue,
    photo_reuse,
    visit_legs,
    visit_places,
    visit_volumes,
)
from audit.estimating.model import Estimate

ESTIMATES: tuple[Estimate, ...] = (
    head_revenue.ESTIMATE,
    visit_places.ESTIMATE,
    visit_legs.ESTIMATE,
    visit_volumes.ESTIMATE,
    photo_reuse.ESTIMATE,
    enumerator_risk.ESTIMATE,
)  # fmt: skip


def making(tables: frozenset[str]) -> tuple[Estimate, ...]:
    """Return the estimates that make any of `tables`."""
    return tuple(estimate for estimate in ESTIMATES if tables & set(estimate.makes))
