"""Planted figures that no comparable unit has, and figures that somebody made up."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Ints
from sample_data.inject_duplicates import small_firms
from sample_data.inject_forms import MONEY, resize, set_sales, values_of
from sample_data.plot import ExhaustedError, Plot
from sample_data.thresholds import panel_revenue

PAY_PARTS = ("wages_dispatched_kyuan", "wages_other_kyuan")
BUNCH = 4
"""Shops just above the threshold of which the rule speaks."""
MADE_UP = 0.6
"""Share of one enumerator's households that got a round revenue."""


def _whole(values: pl.Series) -> pl.Series:
    return values.round().cast(pl.Int64)


def _swell(plot: Plot, rows: pl.DataFrame, factor: pl.Series) -> None:
    """Multiply all money of firms; tax sales and previous values follow, so that they agree."""
    ids, codes = rows["unit_id"], rows["credit_code"]
    for column in ("revenue_kyuan", "assets_kyuan"):
        near = _whole(rows[column] * factor * 0.93)
        plot.assign("prior_value", column, codes, near, key="credit_code")
    set_sales(plot, codes, _whole(rows["revenue_kyuan"] * factor * 1.02))
    for column in MONEY:
        plot.assign("legal_entity", column, ids, _whole(rows[column] * factor))
    for column in [c for c in plot["finance"].columns if c.endswith("_kyuan")]:
        plot.assign(
            "finance", column, ids, _whole(values_of(plot, "finance", ids, column) * factor)
        )
    resize(plot, ids)


def pla002(plot: Plot) -> None:
    """Revenue of fifty for one; tax sales and the previous value agree."""
    pool = small_firms(plot).filter(
        (pl.col("specialty") == "E") & (pl.col("revenue_kyuan") >= 200) & (pl.col("employees") < 8)
    )
    rows = plot.take(pool, plot.per_legal)
    _swell(plot, rows, pl.Series(plot.draw.rng.uniform(40, 60, rows.height)))
    plot.note(rows["unit_id"], note="revenue x 40-60, registers agree")
    plot.also(rows["unit_id"], "possible", ("XSP002",))


def pla003(plot: Plot) -> None:
    """Wages, and the pay of the finance return, of a fifteenth: below half the minimum wage."""
    filed = plot["employment"].filter(
        (pl.col("form") == "602") & (pl.col("wages_kyuan") < 80 * pl.col("employees_average"))
    )
    pool = plot.firms("601").join(filed, on="unit_id", how="semi", maintain_order="left")
    rows = plot.take(pool, plot.per_legal)
    ids = rows["unit_id"]
    total, staff = (
        values_of(plot, "employment", ids, c) for c in ("wages_kyuan", "employees_average")
    )
    wages = _whole(total / 15)
    rest = wages
    for column in PAY_PARTS:
        part = _whole(values_of(plot, "employment", ids, column) / 15)
        plot.assign("employment", column, ids, part)
        rest = rest - part
    plot.assign("employment", "wages_kyuan", ids, wages)
    plot.assign("employment", "wages_on_post_kyuan", ids, rest)
    plot.assign("employment", "average_wage_yuan", ids, _whole(wages * 1000 / staff))
    plot.assign("finance", "pay_kyuan", ids, _whole(wages * 1.2))
    plot.note(ids, note="wages / 15")


def pla005(plot: Plot) -> None:
    """Shops of one county whose revenue lies just above the panel's threshold."""
    shops = pl.col("industry_code").str.starts_with("52") & (pl.col("revenue_kyuan") >= 200)
    pool = small_firms(plot).filter(shops)
    county = pl.col("region_code").str.slice(0, 6)
    counties = pool.group_by(county.alias("county")).len().sort("len", "county")
    if counties.is_empty() or counties["len"][-1] < BUNCH:
        raise ExhaustedError(f"{plot.rule}: no county has {BUNCH} shops left; take more units")
    largest = counties["county"][-1]
    rows = plot.take(pool.filter(county == largest), BUNCH)
    target = panel_revenue(rows["industry_code"]) * plot.draw.rng.uniform(1.002, 1.04, rows.height)
    _swell(plot, rows, pl.Series(target) / rows["main_revenue_kyuan"])
    plot.note(
        pl.Series([f"{largest}000000"]), pl.Series(["E"]), note="retail just above the threshold"
    )
    plot.also(rows["unit_id"], "possible", ("XSP002", "PLA002", "PLA008"))


def pla006(plot: Plot) -> None:
    """Assets of 170 for one, on the basic form and on the finance return."""
    rows = plot.take(plot.firms().filter(pl.col("revenue_kyuan") >= 200), plot.per_legal)
    ids = rows["unit_id"]
    plot.assign("legal_entity", "assets_kyuan", ids, rows["assets_kyuan"] * 170)
    for column in ("assets_kyuan", "liabilities_kyuan", "equity_kyuan"):
        values = values_of(plot, "finance", ids, column)
        plot.assign("finance", column, ids, _whole(values * 170))
    resize(plot, ids)
    plot.note(ids, note="assets x 170")


def pla007(plot: Plot) -> None:
    """An enumerator who writes the revenue of households in round hundreds."""
    pool = plot.households().filter(
        pl.col("enumerator_id").is_not_null() & (pl.col("revenue_kyuan") >= 40)
    )
    busiest = pool.group_by("enumerator_id").len().sort("len", "enumerator_id")
    if busiest.is_empty() or busiest["len"][-1] < 30:
        raise ExhaustedError(f"{plot.rule}: no enumerator has enough households; take more units")
    person = busiest["enumerator_id"][-1]
    his = pool.filter(pl.col("enumerator_id") == person)
    rows = plot.take(his, round(MADE_UP * his.height))
    hundreds: Ints = np.ceil(rows["revenue_kyuan"].to_numpy() / 100).astype(np.int64) * 100
    plot.assign("self_employed", "revenue_kyuan", rows["unit_id"], pl.Series(hundreds))
    plot.note(pl.Series([person]), note="round revenues")


def pla008(plot: Plot) -> None:
    """Firms of one town that all grew by 8.5 %."""
    pool = plot.firms().filter(pl.col("revenue_kyuan") >= 500)
    pool = pool.join(plot["prior_value"], on="credit_code", how="semi", maintain_order="left")
    town = pl.col("region_code").str.slice(0, 9)
    towns = pool.group_by(town.alias("town")).len().sort("len", "town")
    if towns.is_empty() or towns["len"][-1] < 6:
        raise ExhaustedError(f"{plot.rule}: no town has enough firms; take more units")
    largest = towns["town"][-1]
    rows = plot.take(pool.filter(town == largest), 8)
    before = _whole(rows["revenue_kyuan"] / 1.085)
    plot.assign("prior_value", "revenue_kyuan", rows["credit_code"], before, key="credit_code")
    plot.note(pl.Series([f"{largest}000"]), note="all grew by 8.5 %")
    plot.also(rows["unit_id"], "possible", ("PLA008",))


PLANTERS = {
    "PLA003": pla003, "PLA008": pla008, "PLA005": pla005, "PLA002": pla002, "PLA006": pla006,
    "PLA007": pla007,
}  # fmt: skip
