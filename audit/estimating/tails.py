"""Tails of distributions, and false-discovery control over many of them at once.

As `scipy.stats` gives them; that module takes half a second to import, in every night.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def binomial_tail(n_found: ArrayLike, n_tried: ArrayLike, share: ArrayLike) -> Floats:
    """Return P(X >= n_found) where X is binomial over `n_tried` with chance `share`, float64."""
    k, n = np.asarray(n_found, np.float64), np.asarray(n_tried, np.float64)
    # By the incomplete beta function: `bdtrc` loses small tails.
    inside = special.betainc(np.maximum(k, 1.0), np.maximum(n - k + 1.0, 1.0), share)
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, inside))


def discovery_rates(p_values: pl.Series) -> pl.Series:
    """Return the false-discovery rate at which each hypothesis would be rejected, float64.

    Benjamini and Hochberg (1995), over the hypotheses that have a p-value; NULL for the others.
    """
    known = p_values.is_not_null() & p_values.is_not_nan()
    found = p_values.filter(known).to_numpy()
    order = np.argsort(found)
    ranked = found[order] * len(found) / np.arange(1, len(found) + 1)
    rates = np.empty(len(found))
    # A hypothesis is rejected wherever one with a greater p-value is.
    rates[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    result = pl.Series([None] * len(p_values), dtype=pl.Float64)
    return result.scatter(known.arg_true(), pl.Series(rates, dtype=pl.Float64))
