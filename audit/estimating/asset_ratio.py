"""Assets over revenue, and the bounds between which all but one in 500 comparable units lie.

The 0.1 % and 99.9 % points of a small sample are its extremes, so that whoever is largest would be
queried each night, and an error would be its own bound. They are told from the tenth and ninetieth
percentiles instead, on the logarithm and each side for itself (the ratio is near lognormal, its
sides differ). Where a cell is so large that the sample holds such points, the wider bound counts.
"""

from __future__ import annotations

import polars as pl

from audit.estimating.cells import industry_levels, place, summaries
from audit.estimating.model import Estimate, Frames

FEWEST = 50
"""Units of which a tenth percentile can be told."""
LARGE = 1_000
"""Units from which a sample has a 0.1 % point inside."""
TAIL = 0.001
_STRETCH = 3.0902 / 1.2816
"""Normal quantiles: 99.9 % by 90 %."""

UNITS = """
SELECT l.unit_id, l.industry_code, p.section, p.specialty,
  l.assets_kyuan / NULLIF(l.revenue_kyuan, 0) AS ratio
FROM legal_entity AS l
LEFT JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
WHERE l.assets_kyuan > 0 AND l.revenue_kyuan > 0 AND COALESCE(l.status, '1') = '1'"""


def asset_ratio(frames: Frames) -> Frames:
    """Return each unit's ratio of assets to revenue, and the bounds of its cell.

    `units`: unit_id, industry_code, section, specialty, ratio (above zero).
    """
    levels = industry_levels()
    placed = place(frames["units"].with_columns(log=pl.col("ratio").log()), levels, FEWEST)
    log, median = pl.col("log"), pl.col("log").median()
    low, high = (log.quantile(share, "linear") for share in (0.1, 0.9))
    far_low, far_high = (log.quantile(share, "linear") for share in (TAIL, 1 - TAIL))
    large = pl.len() >= LARGE
    bound_low, bound_high = median - _STRETCH * (median - low), median + _STRETCH * (high - median)
    figures = summaries(
        placed,
        levels,
        pl.len().cast(pl.Int64).alias("n_cell"),
        median.exp().alias("ratio_median"),
        pl.when(large).then(pl.min_horizontal(bound_low, far_low)).otherwise(bound_low).exp()
        .alias("ratio_low"),
        pl.when(large).then(pl.max_horizontal(bound_high, far_high)).otherwise(bound_high).exp()
        .alias("ratio_high"),
    )  # fmt: skip
    found = placed.join(figures, on="cell", how="left")
    columns = (
        "unit_id", "ratio", "cell", "cell_level", "n_cell", "ratio_median", "ratio_low",
        "ratio_high",
    )  # fmt: skip
    return {"asset_ratio": found.select(columns)}


ESTIMATE = Estimate(
    makes=("asset_ratio",),
    needs=("legal_entity",),
    selects={"units": UNITS},
    make=asset_ratio,
)
