"""Planted contradictions inside and between returns: more of the families FRM and XSP."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.inject_duplicates import small_firms
from sample_data.inject_forms import add, values_of
from sample_data.plot import Plot, split

DUPLICATES = "HN2019-08"
"""The list of duplicates across cities that the province hands down."""


def _panel(plot: Plot, table: str, condition: pl.Expr | None = None) -> pl.DataFrame:
    """Return untouched panel firms with a row in `table` that meets the condition."""
    rows = plot[table] if condition is None else plot[table].filter(condition)
    return plot.firms("601").join(rows, on="unit_id", how="semi", maintain_order="left")


def _institutions(plot: Plot, form: str, condition: pl.Expr) -> pl.DataFrame:
    filed = plot["institution_finance"].filter((pl.col("form") == form) & condition)
    return plot.singles().join(filed, on="unit_id", how="semi", maintain_order="left")


def frm005(plot: Plot) -> None:
    """An average wage that does not follow from wages and staff."""
    rows = plot.take(_panel(plot, "employment"), plot.per_legal)
    add(plot, "employment", rows["unit_id"], "average_wage_yuan", 5200)
    plot.note(rows["unit_id"])


def frm008(plot: Plot) -> None:
    """Buildings worth more than all fixed assets, on a financial form and on form 611-5."""
    rows = plot.take(_panel(plot, "finance"), plot.per_legal)
    fixed = values_of(plot, "finance", rows["unit_id"], "fixed_assets_kyuan")
    plot.assign("finance", "buildings_kyuan", rows["unit_id"], fixed + 40)
    bodies = plot.take(_institutions(plot, "611-5", pl.lit(value=True)), plot.per_legal)
    fixed = values_of(plot, "institution_finance", bodies["unit_id"], "fixed_assets_kyuan")
    plot.assign("institution_finance", "land_buildings_kyuan", bodies["unit_id"], fixed + 40)
    for ids in (rows["unit_id"], bodies["unit_id"]):
        plot.note(ids)


def frm009(plot: Plot) -> None:
    """Net assets that are not assets less liabilities."""
    rows = plot.take(_institutions(plot, "611-5", pl.lit(value=True)), plot.per_legal)
    add(plot, "institution_finance", rows["unit_id"], "net_assets_kyuan", 120)
    plot.note(rows["unit_id"])


def frm010(plot: Plot) -> None:
    """Income less than its parts; pensions more than all transfers."""
    first, second = split(
        plot.take(_institutions(plot, "611-5", pl.lit(value=True)), max(2, plot.per_legal))
    )
    for ids, part, total in (
        (first["unit_id"], "fiscal_income_kyuan", "income_kyuan"),
        (second["unit_id"], "pensions_kyuan", "transfers_kyuan"),
    ):
        whole = values_of(plot, "institution_finance", ids, total)
        plot.assign("institution_finance", part, ids, whole + 90)
        plot.note(ids, note=f"{part} over {total}")


def frm012(plot: Plot) -> None:
    """An operating profit that its items do not give; total profit follows it."""
    rows = plot.take(_panel(plot, "finance"), plot.per_legal)
    for column in ("operating_profit_kyuan", "total_profit_kyuan"):
        add(plot, "finance", rows["unit_id"], column, 730)
    plot.note(rows["unit_id"])


def frm013(plot: Plot) -> None:
    """A total profit that forgets the non-operating items."""
    rows = plot.take(_panel(plot, "finance"), plot.per_legal)
    add(plot, "finance", rows["unit_id"], "total_profit_kyuan", 260)
    plot.note(rows["unit_id"])


def frm014(plot: Plot) -> None:
    """Kinds of capital that exceed the paid-in capital."""
    rows = plot.take(_panel(plot, "finance"), plot.per_legal)
    add(plot, "finance", rows["unit_id"], "capital_personal_kyuan", 150)
    plot.note(rows["unit_id"])


def frm015(plot: Plot) -> None:
    """More depreciation in the year than in all years."""
    rows = plot.take(_panel(plot, "finance"), plot.per_legal)
    total = values_of(plot, "finance", rows["unit_id"], "depreciation_total_kyuan")
    plot.assign("finance", "depreciation_year_kyuan", rows["unit_id"], total + 55)
    plot.note(rows["unit_id"])


def frm016(plot: Plot) -> None:
    """A project that ended before the reference year."""
    pool = _panel(plot, "research_project")
    # XSP010 needs some of the few units with research as well.
    rows = plot.take(pool, max(1, min(plot.per_legal, pool.height // 2)))
    for column, month in (("start_ym", "201603"), ("end_ym", "201709")):
        plot.assign("research_project", column, rows["unit_id"], month)
    plot.note(rows["unit_id"])


def frm017(plot: Plot) -> None:
    """Being set up, with revenue."""
    rows = plot.take(small_firms(plot).filter(pl.col("revenue_kyuan") > 0), plot.per_legal)
    plot.assign("legal_entity", "status", rows["unit_id"], "3")
    plot.note(rows["unit_id"], note="being set up, has revenue")
    plot.also(rows["unit_id"], "possible", ("REG005",))


def frm019(plot: Plot) -> None:
    """Form 611-6 of a body that owes 611-5."""
    pool = _institutions(plot, "611-5", pl.lit(value=True))
    rows = plot.take(pool.filter(pl.col("institution_type") == "30"), plot.per_legal)
    plot.assign("institution_finance", "form", rows["unit_id"], "611-6")
    plot.note(rows["unit_id"])


def xsp004(plot: Plot) -> None:
    """A builder with a qualification that filed form 611."""
    pool = plot.firms().filter(pl.col("specialty") == "C")
    rows = plot.take(pool, plot.per_legal)
    plot.assign("legal_entity", "construction_qualified", rows["unit_id"], "1")
    plot.note(rows["unit_id"])
    plot.also(rows["unit_id"], "possible", ("XSP002",))


def xsp005(plot: Plot) -> None:
    """A developer under services."""
    pool = plot.firms("601").filter(pl.col("industry_code") == "7010")
    rows = plot.take(pool, plot.per_legal)
    plot.assign("legal_entity", "specialty", rows["unit_id"], "F")
    plot.note(rows["unit_id"])
    plot.also(rows["unit_id"], "consequence", ("XSP001",))
    plot.also(rows["unit_id"], "possible", ("XSP003", "XSP012"))


def xsp007(plot: Plot) -> None:
    """Compensation payable of half the wages."""
    rows = plot.take(_panel(plot, "employment", pl.col("wages_kyuan") > 100), plot.per_legal)
    wages = values_of(plot, "employment", rows["unit_id"], "wages_kyuan")
    plot.assign("finance", "pay_kyuan", rows["unit_id"], (wages // 2))
    plot.note(rows["unit_id"])


def xsp008(plot: Plot) -> None:
    """Sales of output, or of goods, six times the revenue."""
    trade = pl.col("specialty").is_in(["B", "E"])
    rows = plot.take(_panel(plot, "production", trade), plot.per_legal)
    sales = values_of(plot, "production", rows["unit_id"], "sales_kyuan")
    plot.assign("production", "sales_kyuan", rows["unit_id"], sales * 6)
    plot.note(rows["unit_id"])


def xsp009(plot: Plot) -> None:
    """Output without energy."""
    rows = plot.take(_panel(plot, "energy"), plot.per_legal)
    for column in ("consumed", "consumed_tce"):
        none = pl.Series([0.0] * rows.height)
        plot.assign("energy", column, rows["unit_id"], none)
    plot.note(rows["unit_id"])


def xsp010(plot: Plot) -> None:
    """Research on one form only; more research staff than employees."""
    # The standard for small enterprises (2) has no item for the expense to contradict.
    booked = plot["finance"].filter(
        (pl.col("accounting_system") != "2") & (pl.col("research_expenses_kyuan") > 0)
    )
    pool = _panel(plot, "research").join(booked, on="unit_id", how="semi", maintain_order="left")
    first, second = split(plot.take(pool, max(2, plot.per_legal)))
    for column in ("rd_expense_kyuan", "rd_pay_kyuan"):
        plot.assign("research", column, first["unit_id"], pl.Series([0] * first.height))
    plot.assign("research", "rd_staff", second["unit_id"], second["employees"] + 9)
    plot.note(first["unit_id"], note="expense on 603, none on 607")
    plot.note(second["unit_id"], note="R&D staff over employees")


def xsp011(plot: Plot) -> None:
    """A shop that says it makes clothes."""
    pool = plot.firms().filter(pl.col("industry_code").str.starts_with("52"))
    rows = plot.take(pool, plot.per_legal)
    plot.assign("legal_entity", "activity", rows["unit_id"], "服装加工制造")
    plot.note(rows["unit_id"])


def _last(numbers: pl.Series) -> int:
    """Return the largest number given so far; 0 for none."""
    return max(numbers.cast(pl.Int64).drop_nulls().to_list(), default=0)


def dup012(plot: Plot) -> None:
    """A firm that the financial authorities count as well."""
    rows = plot.take(plot.firms(), plot.per_legal)
    counted = plot["register_unit"].filter(pl.col("source") == "8")["register_id"]
    first = 1 + _last(counted.str.slice(2).cast(pl.Int64, strict=False))
    serial = digits(np.arange(first, first + rows.height), 8)
    records = rows.select("credit_code", "name", "region_code").with_columns(
        source=pl.lit("8"), register_id=join_text("R8", serial), status=pl.lit("1")
    )
    plot.append("register_unit", records)
    plot.note(rows["unit_id"], join_text("8|", records["register_id"]))


def dup013(plot: Plot) -> None:
    """A firm on a list of duplicates across cities that the province handed down."""
    rows = plot.take(plot.firms(), plot.per_legal)
    lines = rows.select("credit_code", "region_code", pl.col("name").alias("unit_name"))
    listed = plot["external_finding"].filter(pl.col("list_id") == DUPLICATES)["line_no"]
    first = 1 + _last(listed)
    plot.append(
        "external_finding",
        lines.with_columns(
            list_id=pl.lit(DUPLICATES),
            line_no=pl.int_range(first, first + pl.len()),
            issuer=pl.lit("湖南省第四次全国经济普查领导小组办公室"),
            rule_ref=pl.lit("跨市重码"),
            description=pl.lit("请与对方地区核实"),
        ),
    )
    plot.note(rows["unit_id"])


PLANTERS = {
    "FRM005": frm005, "FRM008": frm008, "FRM009": frm009, "FRM010": frm010, "FRM012": frm012,
    "FRM013": frm013, "FRM014": frm014, "FRM015": frm015, "FRM016": frm016, "FRM017": frm017,
    "FRM019": frm019, "XSP004": xsp004, "XSP005": xsp005, "XSP007": xsp007, "XSP008": xsp008,
    "XSP009": xsp009, "XSP010": xsp010, "XSP011": xsp011, "DUP012": dup012, "DUP013": dup013,
}  # fmt: skip
