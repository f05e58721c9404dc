"""Pay per head beside that of comparable units."""

from __future__ import annotations

import polars as pl

from audit.estimating.cells import head_band, industry_levels, place, summaries
from audit.estimating.model import Estimate, Frames

FEWEST = 10
"""Units of which a median can be told; pay differs far less between units than revenue does."""

UNITS = """
SELECT e.unit_id, l.industry_code, p.section, p.specialty,
  e.employees_average AS heads, e.wages_kyuan
FROM employment AS e
JOIN legal_entity AS l ON l.unit_id = e.unit_id
LEFT JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
WHERE e.form = '602' AND e.employees_average > 0 AND e.wages_kyuan > 0"""


def pay_per_head(frames: Frames) -> Frames:
    """Return each unit's yearly wages per average employee and the median of its cell.

    `units`: unit_id, industry_code, section, specialty, heads (average of the year),
    wages_kyuan (thousand yuan a year), both above zero.
    """
    levels = industry_levels("head_band")
    units = frames["units"].with_columns(
        ratio=pl.col("wages_kyuan") / pl.col("heads"), head_band=head_band(pl.col("heads"))
    )
    placed = place(units, levels, FEWEST)
    figures = summaries(
        placed,
        levels,
        pl.len().cast(pl.Int64).alias("n_cell"),
        pl.col("ratio").median().alias("ratio_median"),
    )
    found = placed.join(figures, on="cell", how="left")
    columns = ("unit_id", "ratio", "cell", "cell_level", "n_cell", "ratio_median")
    return {"pay_per_head": found.select(columns)}


ESTIMATE = Estimate(
    makes=("pay_per_head",),
    needs=("legal_entity", "employment"),
    selects={"units": UNITS},
    make=pay_per_head,
)
