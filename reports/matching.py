"""What the report says of the night's matching."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Counts of the link stage. `state`: done, off or failed.

    `n_units`: links of two units; `n_registers`: links of a unit to a register record or a frame
    line; `n_possible`: pairs that wait for a person; `n_decided`: decisions of people, of which
    `n_changed` are on records that have changed or are gone. `precision` and `recall` are what the
    matcher of units estimates of itself, as shares; None where there is nothing to estimate from.
    """

    state: str
    n_units: int = 0
    n_registers: int = 0
    n_possible: int = 0
    n_clusters: int = 0
    n_large_blocks: int = 0
    n_decided: int = 0
    n_changed: int = 0
    precision: float | None = None
    recall: float | None = None
