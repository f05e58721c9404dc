"""Tails are those of SciPy, which nights do not import."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.estimating.tails import binomial_tail, discovery_rates

SHARES = st.floats(0, 1, allow_subnormal=False)


@given(st.integers(0, 60), st.integers(0, 50), SHARES)
def test_binomial_tail_is_that_of_scipy(n_found: int, n_tried: int, share: float) -> None:
    expected = stats.binom.sf(n_found - 1, n_tried, share)

    assert float(binomial_tail(n_found, n_tried, share)) == pytest.approx(expected, rel=1e-9)


def test_what_has_no_p_value_has_no_rate() -> None:
    rates = discovery_rates(pl.Series([0.01, None, float("nan"), 0.2]))

    assert [0.02, None, None, 0.2] == rates.to_list()


@given(st.lists(SHARES, max_size=30))
def test_discovery_rates_are_those_of_scipy(p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values) if p_values else np.empty(0)

    rates = discovery_rates(pl.Series(p_values, dtype=pl.Float64))

    assert rates.to_list() == pytest.approx(expected.tolist())
