"""Planted errors that only a comparison of whole records finds: near duplicates, shared places,
registers that disagree about business, persons and outcomes.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.identifiers import mobiles, persons
from sample_data.inject_duplicates import last_branches, pairs, second_forms, small_firms
from sample_data.inject_registers import record_ids
from sample_data.names import trade_names
from sample_data.places import VINTAGE
from sample_data.plot import Plot
from sample_data.thresholds import size_class

SPOKEN = "鑫兴隆盛达宏顺昌恒丰裕和祥瑞华金银宝通亨利旺庆福嘉美博诚智明阳湘江海林云"
HEARD = "新星龙晟大鸿舜长衡峰玉禾翔锐骅锦寅保童恒立望磬富佳镁伯城志名洋香姜亥霖芸"
SOUNDS = dict(zip(SPOKEN, HEARD, strict=True))
"""A character and another one of the same sound, as a clerk writes down what is said."""


def dup007(plot: Plot) -> None:
    """One firm once more, by ear or without its place, with no code or a wrong digit in it."""
    pool = small_firms(plot).filter(pl.col("name").str.contains_any(list(SOUNDS)))
    rows = plot.take(pool, max(2, plot.per_legal // 2))
    copies = second_forms(plot, rows, 1.07)
    heard = rows["name"]
    for character in SOUNDS:
        changed = heard.str.replace(character, SOUNDS[character], literal=True)
        heard = pl.Series(np.where((heard == rows["name"]).to_numpy(), changed, heard))
    for table in ("legal_entity", "frame_unit"):
        plot.assign(table, "name", copies, heard)
    bare = copies.gather_every(2)
    code = rows["credit_code"].gather_every(2)
    for table in ("legal_entity", "frame_unit"):
        plot.assign(table, "credit_code", bare, None)
    plot.assign("legal_entity", "org_code", bare, code.str.slice(8, 9))
    slipped, right = copies.gather_every(2, 1), rows["credit_code"].gather_every(2, 1)
    wrong = right.str.slice(0, 17) + right.str.slice(17).replace_strict(
        list("0123456789ABCDEFGHJKLMNPQRTUWXY"), list("123456789ABCDEFGHJKLMNPQRTUWXY0")
    )
    for table in ("legal_entity", "frame_unit"):
        plot.assign(table, "credit_code", slipped, wrong)
    plot.also(slipped, "consequence", ("COD002",))
    plot.note(rows["unit_id"], copies, note="written by ear")
    plot.note(copies, rows["unit_id"], note="written by ear")
    for ids in (rows["unit_id"], copies):
        plot.also(ids, "possible", ("DUP005", "DUP006", "DUP009", "REG002", "REG006", "REG008"))


def dup009(plot: Plot) -> None:
    """Two firms of a census block under one person in one building."""
    first, second = pairs(
        plot, plot.firms(), ["region_code", "block_code"], max(1, plot.per_legal // 2)
    )
    ids = second["unit_id"]
    plot.assign("legal_entity", "building_code", ids, first["building_code"])
    for table in ("legal_entity", "frame_unit"):
        plot.assign(table, "legal_rep", ids, first["legal_rep"])
    plot.assign(
        "register_unit", "legal_rep", second["credit_code"], first["legal_rep"], key="credit_code"
    )
    plot.note(first["unit_id"], ids, note="one person, one building")
    plot.note(ids, first["unit_id"], note="one person, one building")


def dup010(plot: Plot) -> None:
    """A firm that a household form describes once more."""
    firms = plot.firms().with_columns(place=pl.col("region_code") + pl.col("block_code"))
    homes = plot.households().with_columns(place=pl.col("region_code") + pl.col("block_code"))
    shared = firms.filter(pl.col("place").is_in(homes["place"].to_list())).unique(
        "place", keep="first", maintain_order=True
    )
    rows = plot.take(shared, plot.per_legal)
    house = rows.select("place").join(
        homes.unique("place", keep="first", maintain_order=True), on="place", maintain_order="left"
    )
    ids = house["unit_id"]
    plot.used.update(ids.to_list())
    plot.assign("self_employed", "building_code", ids, rows["building_code"])
    for column, source in (("name", "name"), ("operator", "legal_rep"), ("phone", "phone_mobile")):
        plot.assign("self_employed", column, ids, rows[source])
        frame_column = {"operator": "legal_rep"}.get(column, column)
        plot.assign("frame_unit", frame_column, ids, rows[source])
        plot.assign("register_unit", frame_column, house["credit_code"], rows[source],
                    key="credit_code")  # fmt: skip
    plot.note(rows["unit_id"], ids, note="unit and household")
    plot.also(ids, "possible", ("DUP010",))


def lnk005(plot: Plot) -> None:
    """The parent's code with another firm's name."""
    rows = plot.take(plot.parents(), plot.per_legal)
    branches = last_branches(plot, rows).sort("parent_credit_code")
    other = join_text("衡阳市", trade_names(plot.draw, branches.height, 1.0), "实业有限公司")
    plot.assign("establishment", "parent_name", branches["unit_id"], other)
    plot.note(branches["unit_id"], rows.sort("credit_code")["unit_id"])


def _with_record(plot: Plot, source: str) -> pl.DataFrame:
    """Return untouched firms with their record of a register, in `register_id`."""
    records = plot["register_unit"].filter(pl.col("source") == source)
    single = records.filter(pl.col("credit_code").is_unique())
    values = single.select("credit_code", "register_id", "sales_kyuan", "insured_persons")
    return plot.firms().join(values, on="credit_code", maintain_order="left")


def reg004(plot: Plot) -> None:
    """Zero declared, revenue reported."""
    rows = plot.take(_with_record(plot, "2").filter(pl.col("revenue_kyuan") >= 300), plot.per_legal)
    nothing = pl.Series([0] * rows.height)
    for column in ("sales_kyuan", "tax_paid_kyuan"):
        plot.assign("register_unit", column, rows["register_id"], nothing, key="register_id")
    plot.note(rows["unit_id"], join_text("2|", rows["register_id"]))


def reg005(plot: Plot) -> None:
    """Sales declared, the census says stopped and without revenue."""
    pool = small_firms(plot).join(
        _with_record(plot, "2").select("unit_id", "register_id", "sales_kyuan"),
        on="unit_id",
        maintain_order="left",
    )
    rows = plot.take(pool.filter(pl.col("sales_kyuan") > 100), plot.per_legal)
    ids, nothing = rows["unit_id"], pl.Series([0] * rows.height)
    plot.assign("legal_entity", "status", ids, "2")
    for table in ("legal_entity", "finance"):
        for column in ("revenue_kyuan", "main_revenue_kyuan"):
            plot.assign(table, column, ids, nothing)
    values = [rows[c].to_numpy().astype(float) for c in ("employees", "assets_kyuan")]
    sizes = size_class(rows["industry_code"], values[0], np.zeros(rows.height), values[1])
    plot.assign("legal_entity", "size_class", ids, sizes)
    plot.note(ids, join_text("2|", rows["register_id"]), note="taxed, the census says stopped")


def reg007(plot: Plot) -> None:
    """Twice as many insured as employed."""
    rows = plot.take(_with_record(plot, "5"), plot.per_legal)
    many = rows["employees"] * 2 + 5
    plot.assign("register_unit", "insured_persons", rows["register_id"], many, key="register_id")
    plot.note(rows["unit_id"], join_text("5|", rows["register_id"]))


def _strangers(plot: Plot, k: int, source: str, prefix: str) -> pl.DataFrame:
    """Add k records of a register that no form answers, with a frame line each; return them."""
    villages = plot["region"].filter((pl.col("level") == "5") & (pl.col("vintage") == VINTAGE))
    used = villages.join(plot["legal_entity"], on="region_code", how="semi", maintain_order="left")
    homes = used[plot.draw.index(used.height, k)]
    own = plot["register_unit"].filter(pl.col("source") == source)
    last = int(str(own["register_id"].str.slice(2).max()))
    records = pl.DataFrame(
        {
            "source": pl.Series([source] * k),
            "register_id": join_text(f"R{source}", digits(np.arange(last + 1, last + k + 1), 8)),
            "credit_code": plot.fresh_codes(prefix, homes["region_code"].str.slice(0, 6)),
            "legal_rep": persons(plot.draw, k),
            "phone": mobiles(plot.draw, k),
            "region_code": homes["region_code"],
            "address": join_text("衡阳市", homes["name"]),
            "status": pl.Series(["1"] * k),
            "opened_on": pl.Series([dt.date(2013, 3, 18)] * k),
            "as_of": pl.Series([dt.date(2018, 12, 31)] * k),
        }
    )
    ending = {"2": "物流有限公司", "3": "镇初级中学"}[source]
    return records.with_columns(
        name=join_text("衡阳", trade_names(plot.draw, k, 1.0), ending),
        frame_id=plot.next_frame_ids(records["region_code"], "1"),
    )


def _list_them(plot: Plot, records: pl.DataFrame, outcome: str | None) -> None:
    known = ("frame_id", "credit_code", "name", "legal_rep", "phone", "region_code", "address")
    line = records.select(*known, pl.col("source").alias("sources")).with_columns(
        outcome=pl.lit(outcome, pl.String), unit_kind=pl.lit("1")
    )
    plot.append("frame_unit", line)


def reg009(plot: Plot) -> None:
    """Not found by the field, and sales declared for the year."""
    records = _strangers(plot, plot.per_legal, "2", "91")
    sales = pl.Series(plot.draw.rng.integers(200, 3000, records.height))
    plot.append("register_unit", records.with_columns(sales_kyuan=sales))
    _list_them(plot, records, "5")
    plot.note(records["frame_id"], record_ids(records), note="not found, files tax")
    plot.also(records["frame_id"], "consequence", ("REG001",))


def reg010(plot: Plot) -> None:
    """A school on the staffing register with neither a form nor an outcome."""
    records = _strangers(plot, plot.per_legal, "3", "12")
    plot.append("register_unit", records)
    _list_them(plot, records, None)
    plot.note(records["frame_id"], record_ids(records), note="neither form nor outcome")
    plot.also(records["frame_id"], "consequence", ("REG011",))
    plot.also(records["frame_id"], "possible", ("REG001",))


PLANTERS = {
    "DUP007": dup007, "DUP009": dup009, "DUP010": dup010, "LNK005": lnk005, "REG004": reg004,
    "REG005": reg005, "REG007": reg007, "REG009": reg009, "REG010": reg010,
}  # fmt: skip
