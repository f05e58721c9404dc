"""Planted filings for others, late ones and hasty ones: family DIR."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from sample_data.plot import ExhaustedError, Plot
from sample_data.process import RANGES

SHARING, IN_A_ROW = 3, 6
OFFICE = RANGES[0][0].removesuffix("0/24") + "10"
"""An address in the network of a park office."""
SHARED_DAY, ROW_DAY, LATE_DAY = dt.date(2019, 2, 20), dt.date(2019, 2, 26), dt.date(2019, 3, 20)


def _panel(plot: Plot, k: int) -> pl.DataFrame:
    """Return k panel firms with their account; ExhaustedError where fewer are left."""
    pool = plot.firms("601")
    if pool.height < k:
        raise ExhaustedError(f"{plot.rule}: {k} panel firms are needed; take more units")
    accounts = plot["submission"].select("unit_id", "account").unique("unit_id")
    rows = plot.take(pool, k).join(accounts, on="unit_id", how="left", maintain_order="left")
    return rows.select("unit_id", "account", number=pl.int_range(pl.len()))


def _filings(plot: Plot, firms: pl.DataFrame, form: str = "") -> pl.DataFrame:
    """Return the submissions of the firms (of one form), with the numbers of firm and form."""
    filed = plot["submission"].join(
        firms.select("unit_id", "number"), on="unit_id", maintain_order="left"
    )
    chosen = filed.filter(pl.col("form") == form) if form else filed
    return chosen.with_columns(turn=pl.int_range(pl.len()).over("unit_id"))


def _set(plot: Plot, filings: pl.DataFrame, column: str, values: pl.Series | str | None) -> None:
    plot.assign("submission", column, filings["submission_id"], values, key="submission_id")


def _times(plot: Plot, filings: pl.DataFrame, begins: pl.Expr, seconds: int) -> None:
    times = filings.select(begin=begins, end=begins + pl.duration(seconds=seconds))
    _set(plot, filings, "started_at", times["begin"])
    _set(plot, filings, "submitted_at", times["end"])


def _after(day: dt.date, hour: int, seconds: pl.Expr) -> pl.Expr:
    return pl.lit(day).cast(pl.Datetime("us")) + pl.duration(hours=hour, seconds=seconds)


def dir001(plot: Plot) -> None:
    """Three accounts file on one day from one device and address that nobody declared."""
    firms = _panel(plot, SHARING)
    filings = _filings(plot, firms)
    _set(plot, filings, "client_ip", "113.240.77.20")
    _set(plot, filings, "device_id", "DEV-SHARED")
    slot = pl.col("number") * 9000 + pl.col("turn") * 1800
    _times(plot, filings, _after(SHARED_DAY, 9, slot), 600)
    plot.note(firms["account"], firms["unit_id"], note="one device and address, undeclared")


def dir002(plot: Plot) -> None:
    """A form filed from the network of a park office."""
    firms = _panel(plot, 2)
    _set(plot, _filings(plot, firms, "602"), "client_ip", OFFICE)
    plot.note(firms["account"], firms["unit_id"], note="filed from a park office")


def dir003(plot: Plot) -> None:
    """Six accounts, one after the other, from one device."""
    firms = _panel(plot, IN_A_ROW)
    filings = _filings(plot, firms, "601")
    _set(plot, filings, "device_id", "DEV-IN-A-ROW")
    _times(plot, filings, _after(ROW_DAY, 14, pl.col("number") * 170), 150)
    plot.note(firms["account"], firms["unit_id"], note="one after the other")
    plot.note(firms["account"], firms["unit_id"], rule="DIR001", kind="consequence")


def dir004(plot: Plot) -> None:
    """Revenue of a panel firm that tax, insurance and electricity know as idle."""
    records = plot["register_unit"].filter(pl.col("source").is_in(["2", "5"]))
    known = records.group_by("credit_code").agg(pl.col("source").n_unique()).filter(source=2)
    pool = plot.firms("601").filter(pl.col("revenue_kyuan") > 1000)
    rows = plot.take(pool.join(known, on="credit_code", how="semi", maintain_order="left"), 2)
    idle = pl.col("credit_code").is_in(rows["credit_code"].to_list()).fill_null(value=False)
    figures = ("sales_kyuan", "tax_paid_kyuan", "insured_persons", "electricity_kwh")
    plot.tables["register_unit"] = plot["register_unit"].with_columns(
        pl.when(idle & pl.col(name).is_not_null()).then(0).otherwise(pl.col(name))
        .cast(plot["register_unit"].schema[name]).alias(name)
        for name in figures
    )  # fmt: skip
    plot.note(rows["unit_id"], note="idle in tax and insurance, revenue in the census")
    plot.note(rows["unit_id"], rule="REG004", kind="consequence")
    plot.also(rows["unit_id"], "possible", ("REG005", "REG006", "REG007"))


def dir005(plot: Plot) -> None:
    """A form filed after the window, without a permit."""
    firms = _panel(plot, 2)
    filings = _filings(plot, firms, "602")
    _times(plot, filings, _after(LATE_DAY, 10, pl.col("number") * 3600), 1500)
    _set(plot, filings, "late_permit", None)
    plot.note(firms["unit_id"], filings["submission_id"], note="late, no permit")


def dir006(plot: Plot) -> None:
    """Sixty cells in 80 seconds, never saved."""
    firms = _panel(plot, 2)
    filings = _filings(plot, firms, "602")
    _times(plot, filings, pl.col("started_at"), 80)
    n = filings.height
    _set(plot, filings, "cells", pl.Series(np.full(n, 60)))
    _set(plot, filings, "saves", pl.Series(np.zeros(n, dtype=np.int64)))
    plot.note(firms["unit_id"], filings["submission_id"], note="sixty cells in 80 seconds")


PLANTERS = {
    "DIR001": dir001, "DIR002": dir002, "DIR003": dir003, "DIR004": dir004, "DIR005": dir005,
    "DIR006": dir006,
}  # fmt: skip
