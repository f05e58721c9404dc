"""Planted errors in duplicates: family DUP."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Ints, join_text
from sample_data.identifiers import mobiles
from sample_data.plot import ExhaustedError, Plot
from sample_data.thresholds import above_threshold, size_class

MONEY = ("revenue_kyuan", "main_revenue_kyuan", "assets_kyuan")
FAR_BELOW = 0.75


def second_forms(plot: Plot, rows: pl.DataFrame, factor: float) -> pl.Series:
    """File each legal entity once more as form 611 with figures that differ; return the new ids."""
    ids = plot.next_ids("legal_entity", "L", rows.height)
    old = rows["unit_id"]
    frame_ids = plot.next_frame_ids(rows["region_code"], "1")
    grown = [(pl.col(c) * factor + 3).round().cast(pl.Int64) for c in MONEY]
    marks = {"unit_id": old, "new": ids, "line": frame_ids, "walker": _walkers(plot, rows)}
    copy = plot["legal_entity"].join(pl.DataFrame(marks), on="unit_id", maintain_order="right")
    copy = copy.with_columns(grown, form=pl.lit("611"), unit_id="new", frame_id="line",
                             filing_mode=pl.lit("2"), enumerator_id="walker",
                             building_code=pl.lit("061"))  # fmt: skip
    values = [copy[c].to_numpy().astype(float) for c in ("employees", *MONEY)]
    copy = copy.with_columns(
        size_class=size_class(copy["industry_code"], values[0], values[1], values[3])
    )
    lines = plot["frame_unit"].join(
        pl.DataFrame({"unit_id": old, "new": ids, "line": frame_ids}),
        on="unit_id",
        maintain_order="right",
    )
    _second_returns(plot, old, ids, copy, factor)
    plot.append("frame_unit", lines.with_columns(unit_id="new", frame_id="line"))
    plot.append("legal_entity", copy)
    plot.used.update(ids.to_list())
    return ids


def _walkers(plot: Plot, rows: pl.DataFrame) -> pl.Series:
    """Return an enumerator of the same village for each row, or else the city's first one."""
    staff = (
        plot["self_employed"]
        .select("region_code", walker="enumerator_id")
        .unique("region_code", keep="first", maintain_order=True)
    )
    found = rows.select("region_code").join(
        staff, on="region_code", how="left", maintain_order="left"
    )
    return found["walker"].fill_null(str(plot["enumerator"]["enumerator_id"][0]))


def _second_returns(
    plot: Plot, old: pl.Series, new: pl.Series, copy: pl.DataFrame, factor: float
) -> None:
    """Add employment and finance returns of the second forms: the short forms 611-2 and 611-3."""
    names = pl.DataFrame({"unit_id": old, "new": new})
    money = plot["finance"].join(names, on="unit_id", maintain_order="right")
    short = plot["finance"].filter(pl.col("form") == "611-3")
    asked = [
        c for c in short.columns if c.endswith("_kyuan") and short[c].null_count() < short.height
    ]
    taken = copy.select(pl.col(c) for c in MONEY)
    money = money.with_columns([(pl.col(c) * factor + 2).round().cast(pl.Int64) for c in asked])
    money = money.with_columns(taken).select(
        pl.col("new").alias("unit_id"), pl.lit("611-3").alias("form"), "specialty",
        "accounting_system", *asked,
    )  # fmt: skip
    plot.append("finance", money)
    staff = copy.select("unit_id", "employees", "employees_female", form=pl.lit("611-2"))
    plot.append("employment", staff)


def _below(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep firms whose revenue is far below the panel's threshold, even when it grows a little."""
    revenue = rows["revenue_kyuan"].to_numpy() / FAR_BELOW
    over = above_threshold(rows["industry_code"], revenue, rows["employees"].to_numpy() * 1.0)
    return rows.filter(~pl.Series(over))


def small_firms(plot: Plot) -> pl.DataFrame:
    """Return untouched firms far below the panel's threshold."""
    return _below(plot.firms())


def dup001(plot: Plot) -> None:
    """One legal entity enumerated twice: same code and name, two forms 611."""
    rows = plot.take(small_firms(plot), max(1, plot.per_legal // 2))
    twins = second_forms(plot, rows, 1.06)
    plot.note(rows["unit_id"], twins, note="enumerated twice")
    plot.note(twins, rows["unit_id"], note="enumerated twice")
    for ids in (rows["unit_id"], twins):
        plot.also(ids, "possible", ("DUP006", "REG006"))


def dup004(plot: Plot) -> None:
    """One firm in the panel (601) and enumerated on form 611 as well."""
    rows = plot.take(plot.firms("601"), max(1, plot.per_legal // 2))
    twins = second_forms(plot, rows, 0.93)
    for ids, others in ((rows["unit_id"], twins), (twins, rows["unit_id"])):
        plot.note(ids, others, note="601 and 611")
        plot.note(ids, others, rule="DUP001", kind="consequence")
        plot.also(ids, "possible", ("XSP006", "XSP012", "REG006", "DUP006"))
    plot.also(twins, "possible", ("XSP002", "XSP004"))


def dup002(plot: Plot) -> None:
    """One branch enumerated twice in its county."""
    rows = plot.take(plot.visitors(), max(1, plot.per_establishment // 2))
    k = rows.height
    ids = plot.next_ids("establishment", "E", k)
    frame_ids = plot.next_frame_ids(rows["region_code"], "2")
    old = rows["unit_id"]
    more = (pl.col("revenue_kyuan") * 1.08 + 5).round().cast(pl.Int64)
    copies = rows.with_columns(
        unit_id=ids, frame_id=frame_ids, revenue_kyuan=more,
        employees=pl.col("employees") + 1, building_code=pl.lit("061"),
    )  # fmt: skip
    lines = plot["frame_unit"].join(
        pl.DataFrame({"unit_id": old, "new": ids, "line": frame_ids}),
        on="unit_id",
        maintain_order="right",
    )
    plot.append("frame_unit", lines.with_columns(unit_id="new", frame_id="line"))
    plot.append("establishment", copies)
    plot.used.update(ids.to_list())
    plot.note(old, ids, note="branch enumerated twice")
    plot.note(ids, old, note="branch enumerated twice")


def dup003(plot: Plot) -> None:
    """A branch that carries its parent's code, on its form and in the list."""
    pool = plot.parents()
    parents = plot.take(pool, plot.per_legal)
    branches = last_branches(plot, parents)
    old, new = branches["credit_code"], branches["parent_credit_code"]
    plot.assign("establishment", "credit_code", branches["unit_id"], new)
    plot.assign("establishment_list", "credit_code", old, new, key="credit_code")
    owner = _by_code(parents, new)
    plot.note(branches["unit_id"], owner, note="branch carries its parent's code")
    plot.also(owner, "possible", ("DUP003", "LNK003", "REG008"))
    plot.also(branches["unit_id"], "possible", ("LNK003", "REG008"))
    plot.also(branches["frame_id"], "possible", ("REG001", "REG008"))


def last_branches(plot: Plot, parents: pl.DataFrame) -> pl.DataFrame:
    """Return one branch with a form for each parent, and mark all its children used."""
    kids = plot["establishment"].filter(
        pl.col("parent_credit_code").is_in(parents["credit_code"].to_list())
    )
    plot.used.update(kids["unit_id"].to_list())
    branches = kids.filter(pl.col("is_headquarters") == "2")
    return branches.unique("parent_credit_code", keep="last", maintain_order=True)


def _by_code(parents: pl.DataFrame, codes: pl.Series) -> pl.Series:
    return codes.replace_strict(parents["credit_code"], parents["unit_id"], return_dtype=pl.String)


def pairs(
    plot: Plot, pool: pl.DataFrame, group: list[str], k: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take k pairs whose members agree on the group columns, in random order."""
    mixed = pool[plot.draw.rng.permutation(pool.height)]
    ranked = mixed.with_columns(place=pl.int_range(pl.len()).over(group))
    ranked = ranked.with_columns(pair=pl.col("place") // 2, side=pl.col("place") % 2)
    left, right = ranked.filter(pl.col("side") == 0), ranked.filter(pl.col("side") == 1)
    both = left.join(right, on=[*group, "pair"], maintain_order="left").head(k)
    if both.height == 0:
        raise ExhaustedError(f"{plot.rule}: no pair left to plant an error in; take more units")
    first, second = both["unit_id"], both["unit_id_right"]
    plot.used.update([*first.to_list(), *second.to_list()])
    index = pl.DataFrame({"unit_id": first}), pl.DataFrame({"unit_id": second})
    return (
        index[0].join(pool, on="unit_id", maintain_order="left"),
        index[1].join(pool, on="unit_id", maintain_order="left"),
    )


def _share_name(plot: Plot, first: pl.DataFrame, second: pl.DataFrame) -> None:
    plot.assign("legal_entity", "name", second["unit_id"], first["name"])
    plot.assign("frame_unit", "name", second["unit_id"], first["name"])
    for table in ("register_unit", "prior_value"):
        plot.assign(table, "name", second["credit_code"], first["name"], key="credit_code")
    plot.note(first["unit_id"], second["unit_id"])
    plot.note(second["unit_id"], first["unit_id"])


def dup005(plot: Plot) -> None:
    """Two firms of a county and a specialty with one name and two codes."""
    pool = plot.firms().with_columns(county=pl.col("region_code").str.slice(0, 6))
    _share_name(plot, *pairs(plot, pool, ["county", "specialty"], max(1, plot.per_legal // 2)))


def dup006(plot: Plot) -> None:
    """Two firms of one specialty and different counties with one name."""
    pool = plot.firms().with_columns(county=pl.col("region_code").str.slice(0, 6))
    k = max(1, plot.per_legal // 2)
    west, east = (
        pool.filter(pl.col("county") < "430424"),
        pool.filter(pl.col("county") >= "430424"),
    )
    _share_name(plot, *_across(plot, west, east, k))


def _across(
    plot: Plot, left: pl.DataFrame, right: pl.DataFrame, k: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take k pairs of one specialty, one member from each frame."""
    sides = [
        f[plot.draw.rng.permutation(f.height)].with_columns(
            place=pl.int_range(pl.len()).over("specialty")
        )
        for f in (left, right)
    ]
    keys = sides[0].join(sides[1], on=["specialty", "place"], maintain_order="left").head(k)
    if keys.height == 0:
        raise ExhaustedError(f"{plot.rule}: no pair left to plant an error in; take more units")
    first, second = keys["unit_id"], keys["unit_id_right"]
    plot.used.update([*first.to_list(), *second.to_list()])
    return (
        pl.DataFrame({"unit_id": first}).join(left, on="unit_id", maintain_order="left"),
        pl.DataFrame({"unit_id": second}).join(right, on="unit_id", maintain_order="left"),
    )


def dup008(plot: Plot) -> None:
    """Six units and one telephone that no agency lists."""
    groups = max(1, plot.per_legal // 3)
    rows = plot.take(plot.firms(), 6 * groups)
    rows = rows[plot.draw.rng.permutation(rows.height)]
    at = np.arange(rows.height) // 6
    plot.assign(
        "legal_entity", "phone_mobile", rows["unit_id"], mobiles(plot.draw, groups).gather(at)
    )
    plot.note(rows["unit_id"], rows["unit_id"].gather(at * 6), note=_group(at))


def _group(at: Ints) -> pl.Series:
    """Return the note that names the group of each member."""
    return join_text("group ", pl.Series(at).cast(pl.String))


def dup011(plot: Plot) -> None:
    """Three firms of one industry with the same figures throughout."""
    groups = max(1, plot.per_legal // 3)
    pool = plot.firms().filter(pl.col("revenue_kyuan") > 200)
    trade = (
        pool.group_by("industry_code").len().filter(pl.col("len") >= 3).sort("len", "industry_code")
    )
    code = trade.tail(1)["industry_code"][0]
    rows = plot.take(_below(pool.filter(pl.col("industry_code") == code)), 3 * groups)
    at = np.arange(rows.height) // 3 * 3
    model = rows["unit_id"].gather(at)
    for table in ("legal_entity", "finance", "employment"):
        _copy_figures(plot, table, rows["unit_id"], model)
    values = rows[at]
    for column in ("employees", "revenue_kyuan", "assets_kyuan"):
        plot.assign("prior_value", column, rows["credit_code"], values[column], key="credit_code")
    sales = plot["register_unit"].with_columns(
        sales_kyuan=pl.when(pl.col("sales_kyuan").is_not_null()).then(
            pl.col("credit_code").replace_strict(
                rows["credit_code"], values["revenue_kyuan"], default=pl.col("sales_kyuan")
            )
        )
    )
    plot.tables["register_unit"] = sales
    plot.note(rows["unit_id"], model, note=_group(at // 3))
    plot.also(rows["unit_id"], "possible", ("REG007",))


def _copy_figures(plot: Plot, table: str, ids: pl.Series, model: pl.Series) -> None:
    frame = plot[table]
    figures = [c for c, t in frame.schema.items() if t in (pl.Int64, pl.Float64)]
    kept = {"n_establishments"}
    for column in [c for c in figures if c not in kept] + (
        ["size_class"] if "size_class" in frame.columns else []
    ):
        known = dict(
            frame.filter(pl.col("unit_id").is_in(model.to_list()))
            .select("unit_id", column)
            .iter_rows()
        )
        values = pl.Series([known.get(m) for m in model.to_list()], dtype=frame.schema[column])
        plot.assign(table, column, ids, values)


PLANTERS = {
    "DUP001": dup001, "DUP002": dup002, "DUP003": dup003, "DUP004": dup004, "DUP005": dup005,
    "DUP006": dup006, "DUP008": dup008, "DUP011": dup011,
}  # fmt: skip
