"""The mathematics of shrinkage: priors, posteriors, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from audit.shrinkage import (
    STRENGTH_RANGE,
    TAIL,
    BetaPrior,
    fit_prior,
    fit_tree,
    level_strength,
    negative_log_posterior,
    own_low,
    posterior,
    root_prior,
)

ABOVE = BetaPrior(1.0, 49.0)


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("failed", "units"),
    [
        ([0, 0, 0, 0], [10, 20, 5, 400]),
        ([2, 4, 8], [100, 200, 400]),
        ([12, 20, 5], [12, 20, 5]),
        ([0, 0, 400], [300, 300, 400]),
        ([3_000_000, 1_000_000, 2_500_000], [90_000_000, 40_000_000, 80_000_000]),
        ([1, 0, 0], [1, 1, 1]),
    ],
)
def test_prior_stays_finite_and_in_range(failed, units):
    prior = fit_prior(counts(*failed), counts(*units), ABOVE)
    low, high = STRENGTH_RANGE
    assert 0 < prior.a < high
    assert 0 < prior.b < high
    assert low * 0.999 <= prior.strength <= high * 1.001


def test_prior_is_the_mode_of_the_marginal_posterior():
    failed, units = counts(1, 0, 5, 2, 9), counts(40, 30, 60, 80, 70)
    prior = fit_prior(failed, units, ABOVE)
    x, n = failed.astype(float), units.astype(float)
    logits, logs = np.linspace(-7, 2, 181), np.log(np.geomspace(2, 1000, 181))
    grid = np.array(
        [
            [negative_log_posterior(np.array([u, v]), (x, n), ABOVE, 50.0)[0] for v in logs]
            for u in logits
        ]
    )
    at = np.unravel_index(grid.argmin(), grid.shape)
    assert abs(special.logit(prior.mean) - logits[at[0]]) <= 0.05
    assert abs(np.log(prior.strength) - logs[at[1]]) <= 0.04


def test_gradient_agrees_with_differences():
    x, n = np.array([1.0, 0.0, 5.0]), np.array([40.0, 30.0, 60.0])
    point, step = np.array([-2.5, 3.0]), 1e-6
    numeric = [
        (
            negative_log_posterior(point + d, (x, n), ABOVE, 80.0)[0]
            - negative_log_posterior(point - d, (x, n), ABOVE, 80.0)[0]
        )
        / (2 * step)
        for d in (np.array([step, 0.0]), np.array([0.0, step]))
    ]
    assert np.allclose(negative_log_posterior(point, (x, n), ABOVE, 80.0)[1], numeric, atol=1e-5)


def test_prior_of_fewer_than_three_siblings_is_the_one_above():
    assert fit_prior(counts(5, 0, 0), counts(50, 40, 0), ABOVE) == ABOVE


def test_prior_does_not_depend_on_the_order_of_siblings():
    failed, units = counts(1, 0, 5, 2, 9), counts(40, 30, 60, 80, 70)
    order = [3, 0, 4, 1, 2]
    assert fit_prior(failed, units, ABOVE) == fit_prior(failed[order], units[order], ABOVE)


def test_scattered_siblings_give_a_weaker_prior_than_equal_ones():
    units = counts(*[100] * 12)
    equal = fit_prior(counts(*[5] * 12), units, ABOVE)
    scattered = fit_prior(counts(*[0, 0, 0, 0, 0, 0, 30, 0, 0, 30, 0, 0]), units, ABOVE)
    assert scattered.strength < 20 < 50 < equal.strength


def test_tree_uses_each_parents_children_and_falls_back_one_level():
    parents = counts(-1, 0, 0, 0, 1, 1, 2, 2, 2)
    units = counts(900, 300, 300, 300, 150, 150, 100, 100, 100)
    failed = counts(42, 6, 30, 6, 3, 3, 10, 10, 10)
    root = root_prior(42, 900, 0.03)
    a, b = fit_tree(parents, failed, units, root)
    pooled = (42 + root.a) / (900 + root.strength)
    usual = level_strength(failed[1:4], units[1:4], np.full(3, pooled))
    towns = fit_prior(failed[1:4], units[1:4], root, usual)
    assert (root.a, root.b) == (a[0], b[0])
    assert [towns.a] * 3 == a[1:4].tolist()
    assert [towns.a] * 2 == a[4:6].tolist()  # two siblings: the prior of the townships
    pooled = (30 + towns.a) / (300 + towns.strength)
    usual = level_strength(failed[6:], units[6:], np.full(3, pooled))
    villages = fit_prior(failed[6:], units[6:], towns, usual)
    assert [villages.b] * 3 == b[6:].tolist()


def test_all_regions_of_a_level_tell_its_strength():
    random = np.random.default_rng(2018)
    units, means = np.full(2000, 40), np.full(2000, 0.05)
    equal = random.binomial(units, 0.05)
    scattered = random.binomial(units, random.beta(1, 19, size=2000))
    assert level_strength(equal, units, means) > 500
    assert 14 < level_strength(scattered, units, means) < 28
    order = random.permutation(2000)
    shuffled = level_strength(scattered[order], units[order], means[order])
    assert level_strength(scattered, units, means) == shuffled


def test_siblings_without_evidence_stay_at_the_mean_above():
    clean = fit_prior(counts(0, 0, 0), counts(2, 2, 2), BetaPrior(20.0, 380.0))
    assert abs(clean.mean - 0.05) < 0.005
    many = fit_prior(counts(0, 0, 0), counts(2000, 2000, 2000), BetaPrior(2.0, 38.0))
    assert many.mean < 0.01


def test_root_prior_without_units_is_the_limit():
    assert pytest.approx(0.03) == root_prior(0, 0, 0.03).mean


def test_posterior_lies_between_own_rate_and_prior():
    failed, units = counts(6, 60), counts(20, 200)
    prior = (np.array([2.0, 2.0]), np.array([98.0, 98.0]))
    known = posterior(failed, units, prior, 0.03)
    assert [pytest.approx(8 / 120), pytest.approx(62 / 300)] == known.mean.tolist()
    assert (known.low < known.mean).all()
    assert (known.mean < known.high).all()
    assert 0.3 - known.mean[0] > 0.3 - known.mean[1]  # the small one is pulled further


def test_probability_over_limit_is_the_tail_of_the_posterior():
    known = posterior(counts(3), counts(10), (np.array([1.0]), np.array([1.0])), 0.5)
    assert pytest.approx(1 - special.betainc(4, 8, 0.5)) == known.over[0]


def test_own_bound_is_exact_and_zero_without_failures():
    low = own_low(counts(0, 2, 12), counts(12, 12, 12), TAIL)
    assert low[0] == 0.0
    tail = sum(special.comb(12, k) * low[1] ** k * (1 - low[1]) ** (12 - k) for k in range(2, 13))
    assert pytest.approx(0.025) == tail
    assert pytest.approx(0.025 ** (1 / 12)) == low[2]


def test_intervals_cover_the_truth():
    random = np.random.default_rng(2018)
    covered: list[np.ndarray] = []
    for _ in range(40):
        rates = random.beta(2, 48, size=40)
        units = random.integers(10, 300, size=40)
        failed = random.binomial(units, rates)
        prior = fit_prior(failed, units, ABOVE)
        both = (np.full(40, prior.a), np.full(40, prior.b))
        known = posterior(failed, units, both, 0.03)
        covered.append((known.low <= rates) & (rates <= known.high))
    assert 0.93 <= np.concatenate(covered).mean() <= 0.975
