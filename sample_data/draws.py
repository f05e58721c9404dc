"""Seeded random draws, vectorised: each purpose has a stream of its own.

A stream depends on the seed and on its name only, so a change in one table leaves the others alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


class Draw:
    """One stream of random draws."""

    def __init__(self, seed: int, name: str) -> None:
        self.rng = np.random.default_rng([seed, zlib.crc32(name.encode())])

    def index(self, size: int, n: int, weights: Sequence[float] | Floats | None = None) -> Ints:
        """Return n positions below `size`, with the given weights."""
        if weights is None:
            return self.rng.integers(0, size, n)
        cumulated = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = self.rng.random(n) * cumulated[-1]
        found: Ints = np.searchsorted(cumulated, drawn, side="right").astype(np.int64)
        return found.clip(max=size - 1)

    def pick(
        self, values: Sequence[str] | pl.Series, n: int, weights: Sequence[float] | None = None
    ) -> pl.Series:
        """Return n of the values, with replacement."""
        return pl.Series(values).gather(self.index(len(values), n, weights))

    def chance(self, n: int, share: float) -> Bools:
        """Return n booleans, true with the given share."""
        return self.rng.random(n) < share

    def whole(self, low: int, high: int, n: int) -> Ints:
        """Return n whole numbers from low to high, both included."""
        return self.rng.integers(low, high + 1, n)

    def spread(self, low: float, high: float, n: int) -> Floats:
        """Return n numbers, uniform on the logarithm between low and high."""
        return np.exp(self.rng.uniform(np.log(low), np.log(high), n))

    def lognormal(self, median: float | Floats, sigma: float, n: int) -> Floats:
        """Return n log-normal numbers around the median (one, or one each)."""
        return median * np.exp(self.rng.normal(0.0, sigma, n))


def digits(values: Ints, width: int) -> pl.Series:
    """Return the numbers as text of `width` digits, zeros in front."""
    return pl.Series(values).cast(pl.String).str.zfill(width)


def choose(
    condition: Bools | pl.Series, then: pl.Series | str, other: pl.Series | str
) -> pl.Series:
    """Return `then` where the condition holds and `other` elsewhere."""
    flag = pl.Series("flag", condition)
    left = pl.lit(then) if isinstance(then, str) else pl.lit(then.alias("then"))
    right = pl.lit(other) if isinstance(other, str) else pl.lit(other.alias("other"))
    return pl.select(pl.when(pl.lit(flag)).then(left).otherwise(right)).to_series()


def mask(values: pl.Series, keep: Bools | pl.Series) -> pl.Series:
    """Return the values where `keep` holds and NULL elsewhere."""
    flag = pl.Series("flag", keep)
    kept = pl.select(pl.when(pl.lit(flag)).then(pl.lit(values.alias("value")))).to_series()
    return kept.alias(values.name)


def join_text(*parts: pl.Series | str) -> pl.Series:
    """Return the parts put together row by row."""
    exprs = [
        pl.lit(p) if isinstance(p, str) else pl.lit(p.alias(f"p{i}")) for i, p in enumerate(parts)
    ]
    return pl.select(pl.concat_str(exprs)).to_series()
