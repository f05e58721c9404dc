"""Shares and their bounds under a stratified sample of whole blocks.

A sample of the quality check takes blocks, in counties, and rechecks what stands in them: units of
one block are alike, so that n units tell less than n drawn singly. Method note:
`docs/method/quality-check.md`. Sources:

- Cochran (1977), Sampling Techniques, 3rd ed., 6.11 (combined ratio) and 5A.12 (collapsed strata).
- Brown, Cai and DasGupta (2001), Interval estimation for a binomial proportion, Statistical
  Science 16(2), 101-133: the Jeffreys interval.
- Korn and Graubard (1998), Confidence intervals for proportions with small expected number of
  positive counts estimated from survey data, Survey Methodology 24(2), 193-201: the effective
  sample size and its correction for few blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

Floats = npt.NDArray[np.float64]

PLANNED_DESIGN_EFFECT = 2.0
"""Taken where the sample cannot tell: a single block, or no error at all."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of units, `low` and `high` each with the confidence it was asked for.

    `error`: standard error, None where the sample cannot tell it. `effect`: design effect used.
    """

    rate: float
    low: float
    high: float
    error: float | None
    effect: float


def jeffreys(hits: Floats, size: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the lower and upper Jeffreys bounds of shares, each one-sided.

    `hits` and `size` may be fractions, as effective sizes are. The lower bound of no hit is 0, the
    upper one of nothing but hits is 1.
    """
    a, b = hits + 0.5, size - hits + 0.5
    low = np.where(hits > 0, special.betaincinv(a, b, 1 - confidence), 0.0)
    high = np.where(hits < size, special.betaincinv(a, b, confidence), 1.0)
    return low, high


def _variance(blocks: pl.DataFrame, residual: Floats) -> tuple[float, int] | None:
    """Return the variance of the summed residuals and its degrees of freedom; None for one block.

    Counties with one block of the sample are put together into one stratum, which overstates the
    variance and never understates it on purpose.
    """
    frame = blocks.select("stratum", "weight", "fraction").with_columns(z=pl.Series(residual))
    alone = pl.len().over("stratum") == 1
    strata = (
        frame.with_columns(
            stratum=pl.when(alone).then(pl.lit("")).otherwise(pl.col("stratum")),
            fraction=pl.when(alone).then(0.0).otherwise(pl.col("fraction")),
        )
        .group_by("stratum", maintain_order=True)
        .agg(
            n=pl.len().cast(pl.Int64),
            fraction=pl.col("fraction").first(),
            spread=((pl.col("z") - pl.col("z").mean()) ** 2).sum(),
        )
        .filter(pl.col("n") > 1)
    )
    if strata.is_empty():
        return None
    n = pl.col("n")
    total = strata.select((n / (n - 1) * (1 - pl.col("fraction")) * pl.col("spread")).sum()).item()
    return float(total), int((strata["n"] - 1).sum())


def share(blocks: pl.DataFrame, confidence: float) -> Share | None:
    """Return the share of `hits` among `size`; None where nothing was looked at.

    `blocks`: stratum (county), weight (blocks of the county by blocks of it in the sample),
    fraction (the sampled part of them), hits, size; one row a block of the sample.
    """
    weight, hits, size = (
        blocks[name].cast(pl.Float64).to_numpy() for name in ("weight", "hits", "size")
    )
    n, expanded = float(size.sum()), float((weight * size).sum())
    if n == 0:
        return None
    rate = float((weight * hits).sum()) / expanded
    found = _variance(blocks, weight * (hits - rate * size))
    error = None if found is None or rate == 0 else float(np.sqrt(found[0])) / expanded
    effect, effective = PLANNED_DESIGN_EFFECT, n / PLANNED_DESIGN_EFFECT
    if found is not None and error is not None and rate < 1:
        effect = max(1.0, error**2 / (rate * (1 - rate) / n))
        few = special.stdtrit(n - 1, confidence) / special.stdtrit(found[1], confidence)
        effective = n / effect * float(few) ** 2 if n > 1 else n
    low, high = jeffreys(np.array([rate * effective]), np.array([effective]), confidence)
    return Share(rate, float(low[0]), float(high[0]), error, effect)
