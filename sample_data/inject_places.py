"""Planted errors in codes, places and the ties to a parent: more of the families COD and LNK."""

from __future__ import annotations

import polars as pl

from audit.reference import load_reference
from sample_data.draws import choose, join_text
from sample_data.inject_duplicates import last_branches
from sample_data.inject_registers import record_ids
from sample_data.plot import ExhaustedError, Plot, cycle

OTHER_VINTAGE = "2023-06-30"
RENAMED = "430476001"
COD007_SHARE = 0.014


def cod007(plot: Plot) -> None:
    """A county where more than one unit in a hundred has no credit code."""
    firms = plot.firms().with_columns(county=pl.col("region_code").str.slice(0, 6))
    units = pl.concat([plot[t].select("region_code") for t in ("legal_entity", "establishment")])
    sizes = units.group_by(pl.col("region_code").str.slice(0, 6).alias("county")).len("n_units")
    room = firms.group_by("county").len("n_firms").join(sizes, on="county").sort("n_units")
    room = room.with_columns(k=(pl.col("n_units") * COD007_SHARE).ceil().cast(pl.Int64) + 3)
    county, k = room.filter(pl.col("n_firms") >= pl.col("k"))["county", "k"].row(0)
    rows = plot.take(firms.filter(pl.col("county") == county), k)
    plot.assign("legal_entity", "org_code", rows["unit_id"], rows["credit_code"].str.slice(8, 9))
    for table in ("legal_entity", "frame_unit", "register_unit"):
        plot.assign(table, "credit_code", rows["credit_code"], None, key="credit_code")
    plot.note(pl.Series([f"{county}000000"]), note="over 1 % without credit code")


def cod009(plot: Plot) -> None:
    """An address in another county than the region code."""
    rows = plot.take(plot.firms(), plot.per_legal)
    in_leiyang = rows["region_code"].str.starts_with("430481").to_numpy()
    address = choose(
        in_leiyang, "湖南省衡阳市祁东县洪桥街道迎宾路35号", "湖南省衡阳市耒阳市蔡子池街道五一路54号"
    )
    plot.assign("legal_entity", "address", rows["unit_id"], address)
    plot.note(rows["unit_id"])


def cod012(plot: Plot) -> None:
    """A private company that the market register lists as wholly state-owned."""
    pool = plot.firms().filter(pl.col("registration_type") == "173")
    known = plot["register_unit"].filter((pl.col("source") == "1") & (pl.col("status") == "1"))
    ids = known.select("credit_code", "source", "register_id")
    rows = plot.take(pool.join(ids, on="credit_code", maintain_order="left"), plot.per_legal)
    for column, value in (("registration_type", "151"), ("licence_type", "1110")):
        plot.assign("register_unit", column, rows["register_id"], value, key="register_id")
    plot.note(rows["unit_id"], record_ids(rows), note="register 151, form 173")


def cod013(plot: Plot) -> None:
    """A body or a committee under a company's registration type."""
    pool = plot.singles().filter(pl.col("institution_type").is_in(["20", "30", "53", "54"]))
    rows = plot.take(pool, plot.per_legal)
    plot.assign("legal_entity", "registration_type", rows["unit_id"], "159")
    plot.note(rows["unit_id"])


def cod014(plot: Plot) -> None:
    """A private company under state control."""
    rows = plot.take(plot.firms().filter(pl.col("registration_type") == "173"), plot.per_legal)
    plot.assign("legal_entity", "holding", rows["unit_id"], "1")
    plot.note(rows["unit_id"])


def cod015(plot: Plot) -> None:
    """A region code of a later list."""
    rows = plot.take(plot.firms(), plot.per_legal)
    codes = cycle([f"{RENAMED}{village:03d}" for village in (1, 4, 202)], rows.height)
    later = plot["region"].filter(vintage=OTHER_VINTAGE).select("region_code")
    listed = pl.DataFrame({"region_code": codes.unique(maintain_order=True)})
    listed = listed.join(later, on="region_code", how="anti", maintain_order="left")
    plot.append(
        "region",
        listed.with_columns(
            vintage=pl.lit(OTHER_VINTAGE),
            name=join_text("高新社区", listed["region_code"].str.slice(9)),
            level=pl.lit("5"),
        ),
    )
    plot.assign("legal_entity", "region_code", rows["unit_id"], codes)
    plot.note(rows["unit_id"], note="code of a later list")
    plot.also(rows["unit_id"], "consequence", ("COD008",))
    plot.also(rows["unit_id"], "possible", ("COD009",))


def lnk007(plot: Plot) -> None:
    """A headquarters under another firm's code."""
    rows = plot.take(plot.parents(), plot.per_legal)
    last_branches(plot, rows)
    heads = plot["establishment"].filter(
        pl.col("parent_credit_code").is_in(rows["credit_code"].to_list())
        & (pl.col("is_headquarters") == "1")
    )
    strange = plot.fresh_codes("91", heads["region_code"].str.slice(0, 6)).str.slice(8, 8)
    plot.assign("establishment", "org_code", heads["unit_id"], strange + "B")
    plot.note(heads["unit_id"])


def lnk009(plot: Plot) -> None:
    """A branch that reports the legal entity's revenue once more."""
    rows = plot.take(plot.parents().filter(pl.col("revenue_kyuan") > 100), plot.per_legal)
    branches = last_branches(plot, rows).select(
        credit_code="parent_credit_code", branch="unit_id", own="revenue_kyuan"
    )
    both = rows.join(branches, on="credit_code", maintain_order="left").sort("credit_code")
    if both.is_empty():
        raise ExhaustedError(f"{plot.rule}: no legal entity with a branch is left")
    more = both["own"].fill_null(0) + both["revenue_kyuan"]
    plot.assign("establishment", "revenue_kyuan", both["branch"], more)
    plot.note(both["unit_id"], both["branch"])


def _sisters() -> dict[str, str]:
    """Return for each class another one of its group, where there is one."""
    frame = pl.DataFrame(pl.from_arrow(load_reference()["industry"]))
    classes = frame.filter(pl.col("level") == "4").select("code", "parent").sort("code")
    after = classes.with_columns(next=pl.col("code").shift(-1).over("parent"))
    after = after.with_columns(first=pl.col("code").first().over("parent"))
    after = after.with_columns(sister=pl.col("next").fill_null(pl.col("first")))
    both = after.filter(pl.col("sister") != pl.col("code"))
    return dict(both.select("code", "sister").iter_rows())


def lnk011(plot: Plot) -> None:
    """Establishments all of another class than their legal entity."""
    sisters = _sisters()
    pool = plot.parents().filter(
        pl.col("industry_code").is_in(list(sisters))
        & ~pl.col("industry_code").str.slice(0, 3).is_in(["701", "591"])
    )
    rows = plot.take(pool, plot.per_legal)
    last_branches(plot, rows)
    kids = plot["establishment"].filter(
        pl.col("parent_credit_code").is_in(rows["credit_code"].to_list())
    )
    owner = pl.DataFrame({"code": kids["parent_credit_code"]}).join(
        rows.select(pl.col("credit_code").alias("code"), "industry_code"), on="code", how="left",
        maintain_order="left",
    )  # fmt: skip
    other = owner["industry_code"].replace_strict(sisters)
    plot.assign("establishment", "industry_code", kids["unit_id"], other)
    plot.note(rows["unit_id"])
    plot.also(kids["unit_id"], "possible", ("XSP011",))


def lnk012(plot: Plot) -> None:
    """A branch older than its legal entity."""
    rows = plot.take(plot.parents().filter(pl.col("opened_ym") > "200001"), plot.per_legal)
    branches = last_branches(plot, rows).sort("parent_credit_code")
    plot.assign("establishment", "opened_ym", branches["unit_id"], "199803")
    plot.note(branches["unit_id"], rows.sort("credit_code")["unit_id"])


def lnk013(plot: Plot) -> None:
    """Deemed a legal entity, with its parent in the same county."""
    firms = plot.firms().with_columns(county=pl.col("region_code").str.slice(0, 6))
    shared = firms.filter(pl.len().over("county") >= 2)
    rows = plot.take(shared, plot.per_legal)
    heads = firms.filter(~pl.col("unit_id").is_in(rows["unit_id"].to_list()))
    parent = rows.select("county").join(
        heads.unique("county", keep="first", maintain_order=True).select("county", "credit_code"),
        on="county", how="left", maintain_order="left",
    )  # fmt: skip
    plot.assign("legal_entity", "deemed_legal", rows["unit_id"], "1")
    plot.assign("legal_entity", "parent_credit_code", rows["unit_id"], parent["credit_code"])
    kept = rows["unit_id"].filter(parent["credit_code"].is_not_null())
    plot.note(kept)


def lnk014(plot: Plot) -> None:
    """Accounts kept by another body, and a return of its own."""
    filed = plot["institution_finance"].filter(pl.col("form") == "611-5").select("unit_id")
    pool = plot.singles().join(filed, on="unit_id", how="semi", maintain_order="left")
    rows = plot.take(pool.filter(pl.col("credit_code").is_not_null()), max(2, plot.per_legal))
    keeper = plot.unused("legal_entity").filter(
        (pl.col("institution_type") == "30") & pl.col("credit_code").is_not_null()
    )["credit_code"][0]
    plot.assign("legal_entity", "finance_unit_code", rows["unit_id"], str(keeper))
    plot.note(rows["unit_id"], note="shared accounts and own return filled")


PLANTERS = {
    "COD007": cod007, "COD009": cod009, "COD012": cod012, "COD013": cod013, "COD014": cod014,
    "COD015": cod015, "LNK007": lnk007, "LNK009": lnk009, "LNK011": lnk011, "LNK012": lnk012,
    "LNK013": lnk013, "LNK014": lnk014,
}  # fmt: skip
