"""Excess mass just above the above-scale threshold (四上), by county and specialty.

Saez (2010) and Kleven and Waseem (2013) read manipulation off a bunching at a notch: units in the
window above it against the count that a smooth density gives there. Here the density is a Poisson
regression on the log distance to the threshold, quadratic, fitted over all counties of a specialty
without the window and the bin below it (which bunching hollows out), and scaled to the units of the
county outside. The count of a county is uncertain as well: the counterfactual is negative binomial
(Gamma posterior of the county's mass, Poisson in the window).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from audit.estimating.model import Estimate, Frames

WINDOW = 1.05
"""The window is [T, 1.05 T)."""
_WIDTH = float(np.log(WINDOW))
REACH = 28
"""Bins on either side: from about a quarter to about four times the threshold."""
_RIDGE = np.diag([1e-6, 1.0, 1.0])

Floats = npt.NDArray[np.float64]

UNITS = """
SELECT l.county_code, p.specialty,
  CASE WHEN p.threshold_main_revenue_kyuan IS NOT NULL
    THEN COALESCE(l.main_revenue_kyuan, l.revenue_kyuan) / p.threshold_main_revenue_kyuan
    ELSE l.revenue_kyuan / p.threshold_revenue_kyuan END AS ratio
FROM legal_entity AS l
JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
WHERE p.threshold_basis = 'minimum' AND l.county_code IS NOT NULL"""


def _density(counts: Floats, places: Floats) -> Floats:
    """Return the fitted expected count at every place; `counts` is NaN where a bin is left out."""
    kept = ~np.isnan(counts)
    scaled = places / REACH
    design = np.column_stack([np.ones_like(scaled), scaled, scaled**2])
    x, y = design[kept], counts[kept]
    beta = np.array([np.log(max(float(y.mean()), 1e-3)), 0.0, 0.0])
    for _ in range(30):
        mean = np.exp(np.clip(x @ beta, -12.0, 20.0))
        slope = x.T @ (y - mean) - _RIDGE @ beta
        step = np.linalg.solve(x.T @ (x * mean[:, None]) + _RIDGE, slope)
        beta = beta + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-8:
            break
    return np.asarray(np.exp(np.clip(design @ beta, -12.0, 20.0)))


def _shares(binned: pl.DataFrame) -> pl.DataFrame:
    """Return by specialty how much of the mass outside the window a smooth density has in it."""
    places = np.arange(-REACH, REACH, dtype=np.float64)
    names, shares = [], []
    for (specialty,), part in binned.group_by("specialty", maintain_order=True):
        counts = np.zeros(len(places))
        np.add.at(counts, part["bin"].to_numpy() + REACH, part["n"].to_numpy())
        counts[[REACH - 1, REACH]] = np.nan
        fitted = _density(counts, places)
        names.append(specialty)
        shares.append(float(fitted[REACH] / fitted[~np.isnan(counts)].sum()))
    return pl.DataFrame(
        {"specialty": names, "share": shares}, {"specialty": pl.String, "share": pl.Float64}
    )


def bunching(frames: Frames) -> Frames:
    """Return for each county and specialty the units in the window and what is usual there.

    `units`: county_code, specialty, ratio of revenue to the threshold of its industry.
    """
    near = (
        frames["units"]
        .filter(pl.col("ratio") > 0)
        # A ratio of exactly 1 belongs to the window, whatever its logarithm rounds to.
        .with_columns(bin=((pl.col("ratio").log() / _WIDTH) + 1e-9).floor().cast(pl.Int64))
        .filter(pl.col("bin").is_between(-REACH, REACH - 1))
    )
    by = ["county_code", "specialty"]
    binned = near.group_by(*by, "bin").agg(pl.len().cast(pl.Int64).alias("n")).sort(*by, "bin")
    inside, below = pl.col("bin") == 0, pl.col("bin") == -1
    found = (
        binned.group_by(by)
        .agg(
            pl.col("n").filter(inside).sum().alias("n_window"),
            pl.col("n").filter(~inside & ~below).sum().alias("n_outside"),
            pl.col("n").sum().alias("n_units"),
        )
        .join(_shares(binned), on="specialty", how="left")
    )
    n, mass, share = (found[c].to_numpy() for c in ("n_window", "n_outside", "share"))
    from scipy import stats  # half a second, in nights that make these figures only

    usual = stats.nbinom(mass + 1.0, 1.0 / (1.0 + share))
    return {
        "bunching": found.drop("n_outside", "share").with_columns(
            expected=pl.Series((mass + 1.0) * share),
            excess_low=pl.Series(n - usual.ppf(0.975)),
            excess_high=pl.Series(n - usual.ppf(0.025)),
            p_value=pl.Series(usual.sf(n - 1)),
        )
    }


ESTIMATE = Estimate(
    makes=("bunching",),
    needs=("legal_entity",),
    selects={"units": UNITS},
    make=bunching,
)
