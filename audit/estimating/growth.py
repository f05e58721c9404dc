"""Units of one town whose revenue grew by the same rate.

A town that was told which growth to show leaves many equal ratios of census to previous revenue.
For each town the narrow window of growth is sought that holds the most units beyond what is usual:
beyond the share of all other towns' units in the same window, and beyond the density of the town's
own units around it (a town that grows evenly is no town that was told to). The tail probability is
binomial, times the number of windows that were tried (Bonferroni).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from audit.estimating.model import Estimate, Frames
from audit.estimating.tails import binomial_tail

WIDTH = 0.002
"""Half the width of a window of growth ratios: 0.2 % either way."""
AROUND = 0.05
"""Half the width of the surroundings that tell a town's own density."""
_GAP = 1_000.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PAIRS = """
SELECT l.township_code, p.period, l.revenue_kyuan / NULLIF(p.revenue_kyuan, 0) AS ratio
FROM legal_entity AS l
JOIN prior_value AS p ON p.credit_code = l.credit_code
WHERE l.revenue_kyuan > 0 AND p.revenue_kyuan > 0 AND l.township_code IS NOT NULL"""


def _within(keys: Floats, centres: Floats, width: float) -> Ints:
    """Return how many sorted keys lie within `width` of each centre."""
    high = np.searchsorted(keys, centres + width + 1e-12, side="right")
    return (high - np.searchsorted(keys, centres - width - 1e-12)).astype(np.int64)


def _windows(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each unit of one period: the window around its growth.

    `pairs`: township_code, ratio (above zero). Adds n_units, n_equal, expected and p_value.
    """
    ordered = pairs.with_columns(
        place=pl.col("township_code").rank("dense").cast(pl.Float64), growth=pl.col("ratio").log()
    ).sort("place", "growth")
    growth, place = ordered["growth"].to_numpy(), ordered["place"].to_numpy()
    # Towns lie so far apart on one axis that no window reaches from one into the next.
    keys, city = growth + place * _GAP, np.sort(growth)
    n_units = ordered.select(pl.len().over("place")).to_series().to_numpy().astype(np.int64)
    n_equal = _within(keys, keys, WIDTH)
    n_out = len(keys) - n_units
    elsewhere = (_within(city, growth, WIDTH) - n_equal + 0.5) / (n_out + 1.0)
    ring = (_within(keys, keys, AROUND) - n_equal) * WIDTH / (AROUND - WIDTH) / n_units
    share = np.clip(np.maximum(elsewhere, ring), 0.0, 1.0)
    tail = binomial_tail(n_equal, n_units, share)
    return ordered.select("township_code", "ratio").with_columns(
        n_units=pl.Series(n_units),
        n_equal=pl.Series(n_equal),
        expected=pl.Series(share * n_units),
        p_value=pl.Series(np.minimum(tail * n_units, 1.0)),
    )


def equal_growth(frames: Frames) -> Frames:
    """Return for each town and period the most remarkable window of growth.

    `pairs`: township_code, period, ratio of census to previous revenue.
    """
    parts = [
        _windows(part).with_columns(period=pl.lit(part["period"].first(), pl.String))
        for part in frames["pairs"].partition_by("period") or [frames["pairs"]]
    ]
    best = (
        pl.concat(parts)
        .sort("p_value", "ratio")
        .group_by("township_code", "period", maintain_order=True)
        .first()
    )
    return {"equal_growth": best}


ESTIMATE = Estimate(
    makes=("equal_growth",),
    needs=("legal_entity", "prior_value"),
    selects={"pairs": PAIRS},
    make=equal_growth,
)
