"""Shares under a sample of blocks, against published values and simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from audit.estimating.design import PLANNED_DESIGN_EFFECT, jeffreys, share
from audit.estimating.dual_system import chapman
from audit.estimating.recheck import blocks, rates, regions
from audit.rulebook import load_rulebook


def _blocks(rows: list[tuple[str, float, int, int]], fraction: float = 0.0) -> pl.DataFrame:
    names = ["stratum", "weight", "hits", "size"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(fraction=pl.lit(fraction))


def test_jeffreys_bounds_are_those_of_the_beta_quantiles() -> None:
    # Brown, Cai and DasGupta (2001): two hits in ten, 95 % on both sides, 0.044 to 0.503.
    low, high = jeffreys(np.array([2.0]), np.array([10.0]), 0.975)

    assert low[0].round(3) == 0.044
    assert high[0].round(3) == 0.503


def test_jeffreys_bounds_reach_the_ends() -> None:
    low, high = jeffreys(np.array([0.0, 5.0]), np.array([5.0, 5.0]), 0.95)

    assert low[0] == 0
    assert high[1] == 1


def test_no_error_in_600_units_shows_less_than_half_a_percent() -> None:
    # The rule of three, a little milder with Jeffreys; blocks of equal units need twice as many.
    found = share(_blocks([("A", 1.0, 0, 1200)]), 0.95)

    assert found is not None
    assert found.high < 0.005
    assert found.effect == PLANNED_DESIGN_EFFECT


def test_a_stratified_ratio_weighs_counties_by_their_blocks() -> None:
    rows = [("A", 10.0, 1, 10), ("A", 10.0, 1, 10), ("B", 1.0, 0, 10), ("B", 1.0, 0, 10)]

    found = share(_blocks(rows), 0.95)

    assert found is not None
    assert found.rate == pytest.approx(20 / 220)


def test_the_standard_error_is_that_of_cochran() -> None:
    # One stratum, four blocks of N = 40: R = 6 / 40; e = 1.5, -0.5, -1.5, 0.5; s2 = 5 / 3.
    rows = [("A", 10.0, 3, 10), ("A", 10.0, 1, 10), ("A", 10.0, 0, 10), ("A", 10.0, 2, 10)]
    expected = np.sqrt((1 - 0.1) / 4 * (5 / 3)) / 10

    found = share(_blocks(rows, fraction=0.1), 0.95)

    assert found is not None
    assert found.error == pytest.approx(expected)


def test_errors_heaped_in_one_block_say_less_than_errors_spread_out() -> None:
    heaped = share(_blocks([("A", 1.0, 6, 20), *[("A", 1.0, 0, 20)] * 5]), 0.95)
    spread = share(_blocks([("A", 1.0, 1, 20)] * 6), 0.95)

    assert heaped is not None
    assert spread is not None
    assert heaped.rate == spread.rate
    assert heaped.low < spread.low < spread.rate < spread.high < heaped.high


def test_counties_with_one_block_are_compared_with_each_other() -> None:
    alone = share(_blocks([("A", 1.0, 4, 20), ("B", 1.0, 0, 20), ("C", 1.0, 0, 20)]), 0.95)

    assert alone is not None
    assert alone.error is not None
    assert alone.effect > 1


def test_nothing_looked_at_has_no_share() -> None:
    assert share(_blocks([("A", 1.0, 0, 0)]), 0.95) is None


def test_bounds_cover_the_rate_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    rates_of_blocks = rng.beta(0.9, 29.1, size=(300, 20))
    hits = rng.binomial(25, rates_of_blocks)
    found = [share(_blocks([("A", 1.0, int(x), 25) for x in row]), 0.95) for row in hits]

    below = np.mean([s is not None and s.low <= 0.03 for s in found])
    above = np.mean([s is not None and s.high >= 0.03 for s in found])

    assert below >= 0.93
    assert above >= 0.88


def test_chapman_is_unbiased_where_the_lists_are_independent() -> None:
    rng = np.random.default_rng(3)
    both = rng.hypergeometric(160, 40, 120, size=4000)
    found = np.array([chapman(160, 120, int(m))[0] for m in both])

    assert found.mean() == pytest.approx(200, rel=0.005)
    assert chapman(160, 120, 96)[1] == pytest.approx(found.std(), rel=0.1)


def test_a_whole_block_has_no_doubt_and_a_part_has() -> None:
    columns = ["block_id", "kind", "n_checked", "n_missed", "n_surplus"]
    tally = pl.DataFrame([("B1", "units", 10, 1, 0), ("B2", "units", 10, 1, 0)], schema=columns,
                         orient="row")  # fmt: skip
    listed = pl.DataFrame({"block_id": ["B1", "B2"], "kind": ["units"] * 2, "n_census": [9, 90]})

    whole, part = blocks(tally, listed).to_dicts()

    assert (whole["omission_low"], whole["omission_high"]) == (0.1, 0.1)
    assert part["omission_low"] < 0.1 < part["omission_high"]
    assert part["n_unchecked"] == 81


def _tally(rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["block_id", "n_checked", "n_missed"], orient="row").select(
        "block_id", "n_checked", "n_missed", kind=pl.lit("units"), n_surplus=pl.lit(0)
    )


def test_rates_are_told_of_the_city_and_of_counties() -> None:
    tally = _tally([("430405001001001", 50, 5), ("430406001001001", 50, 0)])
    items = pl.DataFrame({"block_id": ["430405001001001"], "n_items": [20], "n_wrong": [2]})
    frame = pl.DataFrame({"county": ["430405", "430406"], "n_blocks": [30, 10]})

    found = rates(tally, items, frame).select("region_code", "measure", "rate").rows()

    assert found == [
        ("430405000000", "item", 0.1),
        ("430405000000", "unit", 0.1),
        ("430406000000", "item", None),
        ("430406000000", "unit", 0.0),
        ("430400000000", "item", 0.1),
        ("430400000000", "unit", pytest.approx(0.075)),
    ]


def test_a_region_is_shrunk_towards_the_regions_beside_it() -> None:
    sound = [(f"43040500100{i}001", 60, 0) for i in range(1, 7)]
    tally = _tally([*sound, ("430405001009001", 10, 1)])
    revenue = pl.DataFrame({"region_code": ["430405001009", "430406001001"],
                            "revenue_kyuan": [300.0, 700.0]})  # fmt: skip

    found = regions(tally, revenue)
    village = found.row(by_predicate=pl.col("region_code") == "430405001009", named=True)

    assert village["rate_low"] < village["rate"] < 0.1
    assert village["revenue_share"] == 0.3
    assert found.height == 10


def test_dual_system_rule_says_what_its_rate_is_a_share_of() -> None:
    message = load_rulebook().get("PES004").message

    assert "占普查登记数的比重" in message.zh
    assert "share of the units that the census has" in message.en
