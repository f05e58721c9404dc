"""Planted differences between census, frame and registers: family REG."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.identifiers import mobiles, persons
from sample_data.names import trade_names
from sample_data.places import VINTAGE
from sample_data.plot import Plot, split

CLOSED_ON = dt.date(2018, 5, 16)


def record_ids(records: pl.DataFrame) -> pl.Series:
    """Return `source|register_id` of register records."""
    return join_text(records["source"], "|", records["register_id"])


def _home_records(plot: Plot, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the market regulator's record of each row, in the order of the rows."""
    market = plot["register_unit"].filter(pl.col("source") == "1")
    codes = rows.select("unit_id", "credit_code")
    return codes.join(market, on="credit_code", maintain_order="left")


def _alter(plot: Plot, records: pl.DataFrame, column: str, values: pl.Series) -> None:
    """Change a column of market records, which their register id tells apart."""
    plot.assign("register_unit", column, records["register_id"], values, key="register_id")


def _market_firms(plot: Plot) -> pl.DataFrame:
    market = plot["register_unit"].filter((pl.col("source") == "1") & (pl.col("status") == "1"))
    return plot.firms().join(market, on="credit_code", how="semi", maintain_order="left")


def _unseen(plot: Plot, k: int) -> pl.DataFrame:
    """Add k active firms to the market register that no form answers; return their records."""
    villages = plot["region"].filter((pl.col("level") == "5") & (pl.col("vintage") == VINTAGE))
    used = villages.join(plot["legal_entity"], on="region_code", how="semi", maintain_order="left")
    homes = used[plot.draw.index(used.height, k)]
    market = plot["register_unit"].filter(pl.col("source") == "1")
    last = int(str(market["register_id"].str.slice(2).max()))
    records = pl.DataFrame(
        {
            "source": pl.Series(["1"] * k),
            "register_id": join_text("R1", digits(np.arange(last + 1, last + k + 1), 8)),
            "credit_code": plot.fresh_codes("91", homes["region_code"].str.slice(0, 6)),
            "name": join_text("衡阳", trade_names(plot.draw, k, 1.0), "经贸发展有限公司"),
            "legal_rep": persons(plot.draw, k),
            "phone": mobiles(plot.draw, k),
            "region_code": homes["region_code"],
            "address": join_text("衡阳市", homes["name"]),
            "industry_code": pl.Series(["5199"] * k),
            "registration_type": pl.Series(["173"] * k),
            "institution_type": pl.Series(["10"] * k),
            "status": pl.Series(["1"] * k),
            "opened_on": pl.Series([dt.date(2014, 4, 8)] * k),
            "as_of": pl.Series([dt.date(2018, 12, 31)] * k),
        }
    )
    plot.append("register_unit", records)
    return records


def reg001(plot: Plot) -> None:
    """Active in the register and no form: the frame says not found, or does not know it."""
    lines = _unseen(plot, plot.per_legal)
    frame_ids = plot.next_frame_ids(lines["region_code"], "1")
    known = lines.select("credit_code", "name", "legal_rep", "phone", "region_code", "address")
    outcome = {"sources": "1", "outcome": "5", "outcome_note": "上门未找到", "unit_kind": "1"}
    constant = [pl.lit(value).alias(column) for column, value in outcome.items()]
    plot.append("frame_unit", known.with_columns(constant, frame_id=frame_ids))
    plot.note(frame_ids, record_ids(lines), note="active in the register, not found")
    plot.also(record_ids(lines), "possible", ("REG001",))
    unframed = _unseen(plot, plot.per_legal)
    plot.note(record_ids(unframed), note="active in the register, not on the frame")


def reg002(plot: Plot) -> None:
    """Enumerated, and no department knows it."""
    rows = plot.take(plot.firms(), plot.per_legal)
    codes = rows["credit_code"].to_list()
    known = pl.col("credit_code").is_in(codes).fill_null(value=False)
    plot.tables["register_unit"] = plot["register_unit"].filter(~known)
    plot.assign("frame_unit", "sources", rows["unit_id"], None)
    plot.note(rows["unit_id"])


def reg003(plot: Plot) -> None:
    """Deregistered in May 2018 and enumerated as operating."""
    rows = plot.take(_market_firms(plot), plot.per_legal)
    records = _home_records(plot, rows)
    k = records.height
    _alter(plot, records, "status", pl.Series(["3", "2"]).gather(np.arange(k) % 2))
    _alter(plot, records, "closed_on", pl.Series([CLOSED_ON] * k))
    plot.note(records["unit_id"], record_ids(records))


def reg006(plot: Plot) -> None:
    """Invoiced sales far from the census revenue, by no power of ten."""
    taxed = (
        plot["register_unit"].filter(pl.col("source") == "2").select("credit_code", "register_id")
    )
    pool = plot.firms().filter(pl.col("revenue_kyuan") >= 300)
    rows = plot.take(pool.join(taxed, on="credit_code", maintain_order="left"), plot.per_legal)
    high = pl.Series(np.arange(rows.height) % 2 == 0)
    more, less = (rows["revenue_kyuan"] * 3.6).round(), (rows["revenue_kyuan"] / 3.6).round()
    _alter(plot, rows, "sales_kyuan", choose_numbers(high, more, less))
    plot.note(rows["unit_id"], join_text("2|", rows["register_id"]))


def choose_numbers(flag: pl.Series, then: pl.Series, other: pl.Series) -> pl.Series:
    """Return `then` where the flag holds and `other` elsewhere."""
    return pl.Series(np.where(flag.to_numpy(), then.to_numpy(), other.to_numpy()))


def reg008(plot: Plot) -> None:
    """The same code with another name, or another legal representative, in the register."""
    named, led = split(plot.take(_market_firms(plot), plot.per_legal))
    records = _home_records(plot, named)
    other = join_text("衡阳", trade_names(plot.draw, records.height, 1.0), "实业有限公司")
    _alter(plot, records, "name", other)
    plot.note(records["unit_id"], record_ids(records), note="other name in the register")
    records = _home_records(plot, led)
    _alter(
        plot,
        records,
        "legal_rep",
        join_text("欧阳", persons(plot.draw, records.height).str.slice(1)),
    )
    plot.note(records["unit_id"], record_ids(records), note="other legal representative")


def reg011(plot: Plot) -> None:
    """A frame line without an outcome."""
    pool = plot["frame_unit"].filter((pl.col("outcome") == "3") & (pl.col("unit_kind") == "1"))
    rows = plot.take(pool, plot.per_legal, key="frame_id")
    for column in ("outcome", "outcome_note"):
        plot.assign("frame_unit", column, rows["frame_id"], None, key="frame_id")
    plot.note(rows["frame_id"], note="no outcome")
    plot.also(rows["frame_id"], "possible", ("REG001",))


PLANTERS = {
    "REG001": reg001, "REG002": reg002, "REG003": reg003, "REG006": reg006, "REG008": reg008,
    "REG011": reg011,
}  # fmt: skip
