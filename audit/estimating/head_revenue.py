"""Revenue per head against its cell, after Hidiroglou and Berthelot.

Hidiroglou, M. A. and Berthelot, J.-M. (1986): Statistical editing and imputation for periodic
business surveys. Survey Methodology 12(1), 73-83. There the ratio is that of two periods; here it
is revenue by employees. With r the ratio and m its median in the cell, s = 1 - m / r below the
median and r / m - 1 above, so that a tenth and tenfold are as far; the effect s * revenue ** U lets
a small departure of a large unit weigh as much as a large one of a small unit.
"""

from __future__ import annotations

import polars as pl

from audit.estimating.cells import head_band, industry_levels, place, summaries
from audit.estimating.model import Estimate, Frames

U = 0.5
FEWEST = 30
"""Units below which quartiles of a cell say little; the cell is then widened."""

UNITS = """
SELECT l.unit_id, l.industry_code, p.section, p.specialty, l.employees, l.revenue_kyuan
FROM legal_entity AS l
LEFT JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
WHERE l.employees > 0 AND l.revenue_kyuan > 0 AND COALESCE(l.status, '1') = '1'"""


def _effect(ratio: pl.Expr, median: pl.Expr, size: pl.Expr) -> pl.Expr:
    centred = pl.when(ratio < median).then(1 - median / ratio).otherwise(ratio / median - 1)
    return centred * size**U


def revenue_per_head(frames: Frames) -> Frames:
    """Return each unit's ratio, its effect and the quartiles of the effects of its cell.

    `units`: unit_id, industry_code, section, specialty, employees, revenue_kyuan (thousand yuan),
    both above zero.
    """
    levels = industry_levels("head_band")
    units = frames["units"].with_columns(
        ratio=pl.col("revenue_kyuan") / pl.col("employees"),
        head_band=head_band(pl.col("employees")),
    )
    placed = place(units, levels, FEWEST)
    ratio, size = pl.col("ratio"), pl.col("revenue_kyuan")
    effects = _effect(ratio, ratio.median(), size)
    figures = summaries(
        placed,
        levels,
        pl.len().cast(pl.Int64).alias("n_cell"),
        ratio.median().alias("ratio_median"),
        effects.quantile(0.25, "linear").alias("effect_q1"),
        effects.median().alias("effect_median"),
        effects.quantile(0.75, "linear").alias("effect_q3"),
    )
    found = placed.join(figures, on="cell", how="left").with_columns(
        effect=_effect(ratio, pl.col("ratio_median"), size)
    )
    columns = (
        "unit_id", "ratio", "cell", "cell_level", "n_cell", "ratio_median", "effect", "effect_q1",
        "effect_median", "effect_q3",
    )  # fmt: skip
    return {"revenue_per_head": found.select(columns)}


ESTIMATE = Estimate(
    makes=("revenue_per_head",),
    needs=("legal_entity",),
    selects={"units": UNITS},
    make=revenue_per_head,
)
