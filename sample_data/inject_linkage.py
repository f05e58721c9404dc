"""Planted errors between legal entities and their establishments: family LNK."""

from __future__ import annotations

import polars as pl

from sample_data.draws import join_text
from sample_data.inject_duplicates import last_branches
from sample_data.plot import Plot, cycle


def lnk001(plot: Plot) -> None:
    """Item 214 says yes and no list was filed."""
    rows = plot.take(plot.firms(), plot.per_legal)
    plot.assign("legal_entity", "has_establishments", rows["unit_id"], "1")
    plot.assign("legal_entity", "n_establishments", rows["unit_id"], pl.Series([2] * rows.height))
    plot.note(rows["unit_id"], note="flag 1, no list")
    plot.also(rows["unit_id"], "consequence", ("LNK006",))
    plot.also(rows["unit_id"], "possible", ("LNK003", "LNK008"))


def lnk002(plot: Plot) -> None:
    """Item 214 says no and establishments were enumerated."""
    rows = plot.take(plot.parents(), plot.per_legal)
    last_branches(plot, rows)
    plot.assign("legal_entity", "has_establishments", rows["unit_id"], "2")
    plot.assign("legal_entity", "n_establishments", rows["unit_id"], pl.Series([1] * rows.height))
    plot.note(rows["unit_id"])


def lnk003(plot: Plot) -> None:
    """Listed and never received; received and not listed."""
    half = max(1, plot.per_legal // 2)
    missing = plot.take(plot.parents(), half)
    last_branches(plot, missing)
    n_lines = missing["n_establishments"]
    line = missing.select(
        pl.col("unit_id").alias("legal_unit_id"), "region_code", "industry_code",
        line_no=pl.col("n_establishments") + 1,
        credit_code=plot.fresh_codes("91", missing["region_code"].str.slice(0, 6)),
        name=pl.col("name") + "城南分公司",
        is_headquarters=pl.lit("2"), employees=pl.lit(0), revenue_kyuan=pl.lit(0),
    )  # fmt: skip
    plot.append("establishment_list", line)
    plot.assign("legal_entity", "n_establishments", missing["unit_id"], n_lines + 1)
    plot.note(missing["unit_id"], note="listed, never received")

    unlisted = plot.take(plot.parents().filter(pl.col("listed") >= 3), half)
    branches = last_branches(plot, unlisted)
    gone = branches["credit_code"].to_list()
    lists = plot["establishment_list"]
    dropped = pl.col("credit_code").is_in(gone).fill_null(value=False)
    plot.tables["establishment_list"] = lists.filter(~dropped)
    plot.assign(
        "legal_entity", "n_establishments", unlisted["unit_id"], unlisted["n_establishments"] - 1
    )
    first = branches.sort("parent_credit_code")["unit_id"]
    owners = unlisted.sort("credit_code")["unit_id"]
    plot.note(owners, first, note="received, not listed")
    plot.also(first, "possible", ("LNK003",))
    plot.also(owners, "possible", ("LNK008",))


def lnk004(plot: Plot) -> None:
    """A parent that is said to stand in the city and is known nowhere."""
    rows = plot.take(plot.visitors(), plot.per_establishment)
    seat = cycle(("430405", "430406", "430407", "430408", "430481", "430482"), rows.height)
    plot.assign(
        "establishment", "parent_credit_code", rows["unit_id"], plot.fresh_codes("91", seat)
    )
    plot.assign("establishment", "parent_region_code", rows["unit_id"], seat)
    local = join_text("衡阳", rows["parent_name"])
    plot.assign("establishment", "parent_name", rows["unit_id"], local)
    plot.note(rows["unit_id"], note="parent said to be in the city, unknown")


def lnk006(plot: Plot) -> None:
    """Two headquarters."""
    rows = plot.take(plot.parents(), plot.per_legal)
    branches = last_branches(plot, rows).sort("parent_credit_code")
    plot.assign("establishment", "is_headquarters", branches["unit_id"], "1")
    plot.assign(
        "establishment_list", "is_headquarters", branches["credit_code"], "1", key="credit_code"
    )
    plot.note(rows.sort("credit_code")["unit_id"], branches["unit_id"], note="two headquarters")


def lnk008(plot: Plot) -> None:
    """The persons of the establishments do not add up to those of the legal entity."""
    rows = plot.take(plot.parents().filter(pl.col("employees") >= 10), plot.per_legal)
    branches = last_branches(plot, rows).sort("parent_credit_code")
    owners = rows.sort("credit_code")
    more = branches["employees"] + (owners["employees"] // 5).clip(6)
    plot.assign("establishment", "employees", branches["unit_id"], more)
    plot.note(owners["unit_id"], branches["unit_id"])


def lnk010(plot: Plot) -> None:
    """The legal entity closed in the year, its establishments carry on."""
    pool = plot.parents().filter((pl.col("form") == "611") & (pl.col("listed") <= 4))
    rows = plot.take(pool, plot.per_legal)
    last_branches(plot, rows)
    plot.assign("legal_entity", "status", rows["unit_id"], cycle(("4", "6"), rows.height))
    kids = plot["establishment"].filter(
        pl.col("parent_credit_code").is_in(rows["credit_code"].to_list())
    )
    owner = kids["parent_credit_code"].replace_strict(rows["credit_code"], rows["unit_id"])
    plot.note(kids["unit_id"], owner)


PLANTERS = {
    "LNK001": lnk001, "LNK002": lnk002, "LNK003": lnk003, "LNK004": lnk004, "LNK006": lnk006,
    "LNK008": lnk008, "LNK010": lnk010,
}  # fmt: skip
