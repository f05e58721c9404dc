"""Size classes of 2017 and panel thresholds of 2018, as the sample applies them (domain 2.7, 2.8).

Written from the published tables, apart from the rules' own reference lists.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Bools, Floats

NONE = -np.inf
# Lower bounds large/medium/small: persons, revenue (10 000 yuan), assets (10 000 yuan).
SIZE_BOUNDS: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    "farm": ((NONE,) * 3, (20000, 500, 50), (NONE,) * 3),
    "industry": ((1000, 300, 20), (40000, 2000, 300), (NONE,) * 3),
    "building": ((NONE,) * 3, (80000, 6000, 300), (80000, 5000, 300)),
    "wholesale": ((200, 20, 5), (40000, 5000, 1000), (NONE,) * 3),
    "retail": ((300, 50, 10), (20000, 500, 100), (NONE,) * 3),
    "transport": ((1000, 300, 20), (30000, 3000, 200), (NONE,) * 3),
    "storage": ((200, 100, 20), (30000, 1000, 100), (NONE,) * 3),
    "post": ((1000, 300, 20), (30000, 2000, 100), (NONE,) * 3),
    "hotel": ((300, 100, 10), (10000, 2000, 100), (NONE,) * 3),
    "network": ((2000, 100, 10), (100000, 1000, 100), (NONE,) * 3),
    "software": ((300, 100, 10), (10000, 1000, 50), (NONE,) * 3),
    "estate": ((NONE,) * 3, (200000, 1000, 100), (10000, 5000, 2000)),
    "property": ((1000, 300, 100), (5000, 1000, 500), (NONE,) * 3),
    "leasing": ((300, 100, 10), (NONE,) * 3, (120000, 8000, 100)),
    "other": ((300, 100, 10), (NONE,) * 3, (NONE,) * 3),
}
DIVISION_GROUPS = {
    **{f"{d:02}": "farm" for d in range(1, 6)},
    **{f"{d:02}": "industry" for d in range(6, 47)},
    **{str(d): "building" for d in range(47, 51)},
    "51": "wholesale", "52": "retail", "54": "transport", "55": "transport", "56": "transport",
    "57": "transport", "58": "transport", "59": "storage", "60": "post", "61": "hotel",
    "62": "hotel", "63": "network", "64": "network", "65": "software", "71": "leasing",
    "72": "leasing",
}  # fmt: skip
CLASS_GROUPS = {"7010": "estate", "7020": "property"}

PANEL_REVENUE = {
    **{f"{d:02}": 2000.0 for d in range(6, 47)},
    "51": 2000.0, "52": 500.0, "61": 200.0, "62": 200.0,
    **{str(d): 1000.0 for d in (*range(53, 61), 63, 64, 65, 70, *range(71, 80), 83, 84, 85)},
    **{str(d): 500.0 for d in (80, 81, 82, *range(86, 91))},
}  # fmt: skip
"""Lower bound of revenue by division, 10 000 yuan."""
PANEL_PERSONS = 50


def size_class(industry: pl.Series, persons: Floats, revenue: Floats, assets: Floats) -> pl.Series:
    """Return 1 large to 4 micro; money in thousand yuan. All bounds of a class must be met."""
    by_division = industry.str.slice(0, 2).replace_strict(DIVISION_GROUPS, default="other")
    group = industry.replace_strict(CLASS_GROUPS, default=by_division)
    names = list(SIZE_BOUNDS)
    row = np.array(group.replace_strict(names, list(range(len(names)))), dtype=np.int64)
    bounds = np.array([SIZE_BOUNDS[name] for name in names])[row]
    values = np.stack([persons, revenue / 10.0, assets / 10.0], axis=1)
    met = (values[:, :, None] >= bounds).all(axis=1)
    return pl.Series(4 - met.sum(axis=1)).cast(pl.String)


def panel_revenue(industry: pl.Series) -> Floats:
    """Return the revenue (thousand yuan) from which a firm is in the panel; infinite where none."""
    bound = industry.str.slice(0, 2).replace_strict(PANEL_REVENUE, default=np.inf)
    return np.where(industry.to_numpy() == "7010", np.inf, bound.to_numpy() * 10.0)


def counts_persons(industry: pl.Series) -> Bools:
    """Return whether 50 persons are enough: services only, neither estate development nor farms."""
    division = industry.str.slice(0, 2).cast(pl.Int64).to_numpy()
    bounded: Bools = np.isfinite(panel_revenue(industry))
    serves: Bools = bounded & (division >= 53) & (division != 61) & (division != 62)
    return serves


def above_threshold(industry: pl.Series, revenue: Floats, persons: Floats) -> Bools:
    """Return whether a firm meets the panel's threshold by size."""
    by_persons = counts_persons(industry) & (persons >= PANEL_PERSONS)
    return (revenue >= panel_revenue(industry)) | by_persons
