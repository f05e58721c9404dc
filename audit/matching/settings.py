"""Settings of the matcher: caps of the blocks and the two thresholds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """How pairs are proposed and decided.

    A token with at most `single_cap` holders (c1) proposes its pairs alone; otherwise it is joined
    with another frequent token and proposes them up to `joint_cap` holders (c2). `link_at` and
    `possible_at` are probabilities: at `link_at` a link costs as much as it saves in F1 when
    probabilities are calibrated. `register_weight` is the smallest weight (log odds) that
    one-to-one assignment looks at. Blocks of `large_at` holders and more are listed, at most
    `large_blocks` a kind with `large_members` members each. `threads` propose keys and compare,
    `chunk` pairs at once; sorting and packing take two or those of polars.
    """

    single_cap: int = 5
    joint_cap: int = 10
    link_at: float = 0.5
    possible_at: float = 0.05
    register_weight: float = -4.0
    min_labels: int = 500
    prior_strength: float = 1.0
    large_at: int = 50
    large_blocks: int = 200
    large_members: int = 100
    threads: int = 2
    chunk: int = 1 << 15
    matcher: str = "unit@1"
