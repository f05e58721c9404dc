"""Planted errors in figures and between returns: families FRM, PLA and XSP."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import choose, join_text
from sample_data.plot import Plot, cycle
from sample_data.thresholds import above_threshold, panel_revenue, size_class
from sample_data.units import OFF_PANEL_NOTE

MONEY = ("revenue_kyuan", "main_revenue_kyuan", "assets_kyuan")
PARTS = ("revenue_kyuan", "main_revenue_kyuan", "cost_kyuan", "taxes_surcharges_kyuan",
         "selling_expenses_kyuan", "admin_expenses_kyuan", "research_expenses_kyuan",
         "financial_expenses_kyuan", "impairment_kyuan", "fair_value_gain_kyuan",
         "disposal_gain_kyuan", "investment_income_kyuan", "other_income_kyuan",
         "nonoperating_income_kyuan", "nonoperating_expense_kyuan")  # fmt: skip
GAINS = ("revenue_kyuan", "fair_value_gain_kyuan", "disposal_gain_kyuan",
         "investment_income_kyuan", "other_income_kyuan")  # fmt: skip
COSTS = ("cost_kyuan", "taxes_surcharges_kyuan", "selling_expenses_kyuan", "admin_expenses_kyuan",
         "research_expenses_kyuan", "financial_expenses_kyuan", "impairment_kyuan")  # fmt: skip


def values_of(plot: Plot, table: str, ids: pl.Series, column: str) -> pl.Series:
    """Return the column for each id, in the order of the ids."""
    frame = (
        plot[table].filter(pl.col("unit_id").is_in(ids.to_list())).unique("unit_id", keep="first")
    )
    joined = pl.DataFrame({"unit_id": ids}).join(
        frame, on="unit_id", how="left", maintain_order="left"
    )
    return joined[column]


def add(plot: Plot, table: str, ids: pl.Series, column: str, more: int | pl.Series) -> None:
    """Raise the column by `more` for each id."""
    plot.assign(table, column, ids, values_of(plot, table, ids, column) + more)


def frm001(plot: Plot) -> None:
    """An item that the form owes is empty."""
    for table, pool, k, columns in (
        ("legal_entity", plot.singles(), plot.per_legal, ("legal_rep", "opened_ym", "activity")),
        (
            "establishment",
            plot.visitors(),
            plot.per_establishment,
            ("person_in_charge", "activity"),
        ),
        ("self_employed", plot.households(), plot.per_household, ("operator", "activity")),
    ):
        rows = plot.take(pool, k)
        empty = cycle(columns, rows.height)
        for column in columns:
            plot.assign(table, column, rows["unit_id"].filter(empty == column), None)
        plot.note(rows["unit_id"], note=join_text(empty, " empty"))


def frm002(plot: Plot) -> None:
    """More women than employees."""
    for table, pool, k in (
        ("legal_entity", plot.singles(), plot.per_legal),
        ("establishment", plot.visitors(), plot.per_establishment),
        ("self_employed", plot.households(), plot.per_household),
    ):
        rows = plot.take(pool, k)
        women = rows["employees"] + pl.Series(plot.draw.whole(1, 4, rows.height))
        plot.assign(table, "employees_female", rows["unit_id"], women)
        if table == "legal_entity":
            plot.assign("employment", "employees_female", rows["unit_id"], women)
        plot.note(rows["unit_id"])


def frm003(plot: Plot) -> None:
    """Staff on post, dispatched and other do not add up."""
    rows = plot.take(plot.firms("601"), plot.per_legal)
    add(plot, "employment", rows["unit_id"], "on_post", 7)
    plot.note(rows["unit_id"])


def frm004(plot: Plot) -> None:
    """The wages of the groups do not add up."""
    rows = plot.take(plot.firms("601"), plot.per_legal)
    add(plot, "employment", rows["unit_id"], "wages_on_post_kyuan", 83)
    plot.note(rows["unit_id"])


def frm006(plot: Plot) -> None:
    """Assets are not liabilities and equity."""
    rows = plot.take(plot.firms("601"), plot.per_legal)
    add(plot, "finance", rows["unit_id"], "equity_kyuan", 137)
    plot.note(rows["unit_id"])


def frm007(plot: Plot) -> None:
    """More inventory than current assets, in the finance of institutions and of panel firms."""
    half = max(1, plot.per_legal // 2)
    bodies = plot.singles().filter(~pl.col("institution_type").is_in(["10", "55"]))
    for table, pool in (("institution_finance", bodies), ("finance", plot.firms("601"))):
        rows = plot.take(pool, half)
        current = values_of(plot, table, rows["unit_id"], "current_assets_kyuan")
        plot.assign(table, "inventory_kyuan", rows["unit_id"], current + 60)
        plot.note(rows["unit_id"])


def frm011(plot: Plot) -> None:
    """Main revenue above revenue; neither size class nor threshold turns on it."""
    pool = plot.firms().filter(pl.col("revenue_kyuan") >= 100)
    main = (pool["revenue_kyuan"] * 1.15).round()
    figures = [pool[c].to_numpy().astype(float) for c in ("employees", "assets_kyuan")]
    same = (
        size_class(pool["industry_code"], figures[0], main.to_numpy(), figures[1])
        == pool["size_class"]
    )
    far = ~pl.Series(above_threshold(pool["industry_code"], main.to_numpy() * 1.1, figures[0]))
    rows = plot.take(pool.filter(same & far), plot.per_legal)
    wrong = (rows["revenue_kyuan"] * 1.15).round()
    for table in ("legal_entity", "finance"):
        plot.assign(table, "main_revenue_kyuan", rows["unit_id"], wrong)
    plot.note(rows["unit_id"])


def frm018(plot: Plot) -> None:
    """Opened after the reference date."""
    late = ("201901", "201902", "201903")
    for table, pool, k in (
        ("legal_entity", plot.firms(), plot.per_legal),
        ("establishment", plot.visitors(), plot.per_establishment),
    ):
        rows = plot.take(pool, k)
        plot.assign(table, "opened_ym", rows["unit_id"], cycle(late, rows.height))
        plot.note(rows["unit_id"])


def resize(plot: Plot, ids: pl.Series) -> None:
    """Work out the size class again from the figures as they now stand."""
    names = ("industry_code", "employees", "main_revenue_kyuan", "assets_kyuan")
    industry, *figures = (values_of(plot, "legal_entity", ids, c) for c in names)
    persons, revenue, assets = (f.to_numpy().astype(float) for f in figures)
    plot.assign("legal_entity", "size_class", ids, size_class(industry, persons, revenue, assets))


def _known_firms(plot: Plot, form: str, columns: pl.DataFrame) -> pl.DataFrame:
    pool = plot.firms(form).filter(pl.col("revenue_kyuan") >= 400)
    return pool.join(columns, on="credit_code", how="semi", maintain_order="left")


def _taxed(plot: Plot) -> pl.DataFrame:
    return plot["register_unit"].filter(pl.col("source") == "2").select("credit_code")


def set_sales(plot: Plot, codes: pl.Series, values: pl.Series) -> None:
    """Set the sales that the tax register has of these codes (thousand yuan)."""
    mapped = pl.col("credit_code").replace_strict(codes, values, default=pl.col("sales_kyuan"))
    plot.tables["register_unit"] = plot["register_unit"].with_columns(
        sales_kyuan=pl.when(pl.col("source") == "2").then(mapped).otherwise("sales_kyuan")
    )


def pla001(plot: Plot) -> None:
    """Money in yuan or in ten thousand yuan instead of thousand."""
    pool = _known_firms(plot, "611", plot["prior_value"]).join(
        _taxed(plot), on="credit_code", how="semi", maintain_order="left"
    )
    rows = plot.take(pool, plot.per_legal)
    ids, k = rows["unit_id"], rows.height
    factor = cycle(("1000", "0.1", "10"), k).cast(pl.Float64)
    for column in ("revenue_kyuan", "assets_kyuan"):
        near = (rows[column] * 1.03).round().cast(pl.Int64)
        plot.assign("prior_value", column, rows["credit_code"], near, key="credit_code")
    set_sales(plot, rows["credit_code"], (rows["revenue_kyuan"] * 1.02).round().cast(pl.Int64))
    for column in MONEY:
        plot.assign("legal_entity", column, ids, (rows[column] * factor).round().cast(pl.Int64))
    for column in [c for c in plot["finance"].columns if c.endswith("_kyuan")]:
        values = (values_of(plot, "finance", ids, column) * factor).round().cast(pl.Int64)
        plot.assign("finance", column, ids, values)
    resize(plot, ids)
    plot.note(ids, note=join_text("money x ", factor.cast(pl.String)))
    plot.also(ids, "consequence", ("REG006",))
    plot.also(ids, "possible", ("XSP002", "PLA002"))


def pla004(plot: Plot) -> None:
    """A size class that the figures do not give."""
    rows = plot.take(plot.firms(), plot.per_legal)
    plot.assign(
        "legal_entity", "size_class", rows["unit_id"], choose(rows["size_class"] == "4", "3", "4")
    )
    plot.note(rows["unit_id"])


def xsp001(plot: Plot) -> None:
    """A specialty that the industry does not belong to."""
    small = plot.firms().filter(
        (pl.col("revenue_kyuan") < 1200) & (pl.col("employees") < 20)
        & pl.col("specialty").is_in(["E", "S", "F"])
    )  # fmt: skip
    rows = plot.take(small, plot.per_legal)
    branches = plot.take(plot.visitors(), plot.per_establishment)
    for table, taken in (("legal_entity", rows), ("finance", rows), ("establishment", branches)):
        other = taken["specialty"].replace_strict({"E": "S", "S": "F", "F": "E"})
        plot.assign(table, "specialty", taken["unit_id"], other)
    plot.note(rows["unit_id"])
    plot.note(branches["unit_id"])


def xsp002(plot: Plot) -> None:
    """Above the panel's threshold, off the panel, and no word about it."""
    pool = plot.unused("legal_entity").filter(
        (pl.col("explanation") == OFF_PANEL_NOTE) & (pl.col("has_establishments") == "2")
        & (pl.col("status") == "1")
    )  # fmt: skip
    rows = plot.take(pool, min(plot.per_legal, max(2, pool.height // 2)))
    plot.assign("legal_entity", "explanation", rows["unit_id"], None)
    plot.note(rows["unit_id"], note="off the panel; a query, never an error")


def xsp003(plot: Plot) -> None:
    """In the panel and below its threshold; returns, registers and last year agree."""
    pool = plot.firms("601").filter(pl.col("specialty").is_in(["B", "E", "S"]))
    rows = plot.take(pool, plot.per_legal)
    ids, k = rows["unit_id"], rows.height
    target = np.round(panel_revenue(rows["industry_code"]) * plot.draw.rng.uniform(0.4, 0.75, k))
    factor = pl.Series(target) / rows["revenue_kyuan"]
    for column in ("revenue_kyuan", "main_revenue_kyuan"):
        plot.assign("legal_entity", column, ids, pl.Series(target).cast(pl.Int64))
    for column in PARTS:
        scaled = (values_of(plot, "finance", ids, column) * factor).round().cast(pl.Int64)
        plot.assign("finance", column, ids, scaled)
    plot.assign("finance", "main_revenue_kyuan", ids, pl.Series(target))
    _close_profits(plot, ids)
    for column in ("gross_output_kyuan", "sales_kyuan", "turnover_kyuan"):
        scaled = (values_of(plot, "production", ids, column) * factor).round().cast(pl.Int64)
        plot.assign("production", column, ids, scaled)
    set_sales(plot, rows["credit_code"], pl.Series(target).cast(pl.Int64))
    before = pl.Series(target * 1.04).round()
    plot.assign("prior_value", "revenue_kyuan", rows["credit_code"], before, key="credit_code")
    resize(plot, ids)
    plot.note(ids)


def _close_profits(plot: Plot, ids: pl.Series) -> None:
    """Make operating and total profit what the items before them say."""
    operating = sum(pl.col(c) for c in GAINS) - sum(pl.col(c) for c in COSTS)
    total = operating + pl.col("nonoperating_income_kyuan") - pl.col("nonoperating_expense_kyuan")
    here = pl.col("unit_id").is_in(ids.to_list())
    plot.tables["finance"] = plot["finance"].with_columns(
        operating_profit_kyuan=pl.when(here).then(operating).otherwise("operating_profit_kyuan"),
        total_profit_kyuan=pl.when(here).then(total).otherwise("total_profit_kyuan"),
    )


def xsp006(plot: Plot) -> None:
    """Another number of employees on the employment return than on the basic form."""
    half = max(1, plot.per_legal // 2)
    for form in ("601", "611"):
        rows = plot.take(plot.firms(form), half)
        added = ("employees", "on_post", "service_workers") if form == "601" else ("employees",)
        for column in added:
            add(plot, "employment", rows["unit_id"], column, 6)
        plot.note(rows["unit_id"], note=form)


def xsp012(plot: Plot) -> None:
    """One firm with returns for two specialties."""
    filed = plot["production"].filter(form="S604").select("unit_id")
    pool = plot.firms("601").filter(pl.col("specialty") == "E")
    pool = pool.join(filed, on="unit_id", how="anti", maintain_order="left")
    rows = plot.take(pool, plot.per_legal)
    turnover = (rows["revenue_kyuan"] * 0.9).round()
    second = rows.select("unit_id", form=pl.lit("S604"), specialty=pl.lit("S")).with_columns(
        turnover_kyuan=turnover
    )
    plot.append("production", second)
    plot.note(rows["unit_id"], note="returns for E and S")


# The panel is small: what fits fewest of its firms comes first.
PLANTERS = {
    "XSP012": xsp012, "XSP003": xsp003, "XSP002": xsp002, "FRM001": frm001, "FRM002": frm002,
    "FRM003": frm003, "FRM004": frm004, "FRM006": frm006, "FRM007": frm007, "FRM011": frm011,
    "FRM018": frm018, "PLA001": pla001, "PLA004": pla004, "XSP001": xsp001, "XSP006": xsp006,
}  # fmt: skip
