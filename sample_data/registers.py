"""Departmental registers, the listing frame with its outcomes, previous values, aggregates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sample_data.draws import Bools, Draw, Ints, choose, digits, join_text, mask
from sample_data.identifiers import credit_codes, mobiles, persons, registration_numbers
from sample_data.names import trade_names, written_otherwise
from sample_data.places import addresses, settle
from sample_data.units import City

AS_OF = "2018-12-31"
HOME = {"91": "1", "92": "1", "93": "1", "11": "3", "12": "3"}
"""Registering department by the first two characters of a code; civil affairs (4) for the rest."""
LICENCE = {"173": "1130", "159": "1190", "151": "1110", "174": "1212", "160": "1219"}
GONE = (("2", "已迁往外地，迁入地已登记", "4", 0.2), ("3", "已注销，登记机关可查", "3", 0.42),
        ("4", "与底册内另一条重复", "3", 0.06), ("5", "三次上门未找到，电话停机", "5", 0.26),
        ("6", "不属普查对象", "3", 0.06))  # fmt: skip
"""Outcome, note and register status of frame lines without a form, with their share."""
EXTRA_LEGAL, EXTRA_HOUSEHOLDS = 0.07, 0.015
COMMON = ("unit_id", "unit_kind", "credit_code", "registration_no", "name", "legal_rep", "phone",
          "region_code", "address", "industry_code", "registration_type", "institution_type",
          "parent_credit_code", "status", "opened_on", "closed_on")  # fmt: skip


@dataclass(frozen=True)
class Registers:
    """Register records and frame lines."""

    register_unit: pl.DataFrame
    frame_unit: pl.DataFrame


def _days(first: str, spread: int, draw: Draw, n: int) -> pl.Series:
    start = np.datetime64(first)
    return pl.Series((start + draw.whole(0, spread, n)).astype("datetime64[D]")).cast(pl.Date)


def _opened(months: pl.Series, draw: Draw) -> pl.Series:
    day = digits(draw.whole(1, 28, len(months)), 2)
    return join_text(months, day).str.to_date("%Y%m%d")


def legal_holders(legal: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return legal entities as their registering department knows them."""
    n = legal.height
    status = legal["status"]
    ended = status.is_in(["4", "6"])
    # A licence that ended after the reference date is no contradiction to a unit that was open.
    later = (status == "1") & pl.Series(draw.chance(n, 0.008)) & (legal["form"] == "611")
    closed = choose_dates(
        ended, _days("2018-02-01", 300, draw, n), later, _days("2019-01-05", 70, draw, n)
    )
    state = choose(ended | later, "3", choose(status == "7", "2", "1"))
    body = digits(draw.whole(0, 5_999_999, n), 8)
    number = registration_numbers(legal["region_code"].str.slice(0, 6), body)
    nameless = legal["credit_code"].is_null() & (legal["institution_type"] == "10")
    moved = legal["register_region_code"] != legal["region_code"]
    short = pl.Series(draw.chance(n, 0.5)) & ~moved
    region = choose(short, legal["region_code"].str.slice(0, 6), legal["register_region_code"])
    return legal.select("unit_id", "credit_code", "name", "legal_rep").with_columns(
        unit_kind=pl.lit("1"),
        registration_no=mask(number, nameless),
        phone=legal["phone_mobile"],
        region_code=region,
        address=legal["register_address"],
        industry_code=legal["industry_code"],
        registration_type=legal["registration_type"],
        institution_type=legal["institution_type"],
        parent_credit_code=pl.lit(None, pl.String),
        status=state,
        opened_on=_opened(legal["opened_ym"], draw),
        closed_on=closed,
    )


def choose_dates(
    first: pl.Series, then: pl.Series, second: pl.Series, other: pl.Series
) -> pl.Series:
    """Return `then` where `first`, `other` where `second`, NULL elsewhere."""
    a, b = pl.lit(first.alias("a")), pl.lit(second.alias("b"))
    dated = pl.when(a).then(pl.lit(then.alias("t"))).when(b).then(pl.lit(other.alias("o")))
    return pl.select(dated).to_series()


def branch_holders(establishments: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return branches with a code of their own; a headquarters has none."""
    own = establishments.filter(pl.col("credit_code").is_not_null())
    ended = own["status"] != "1"
    return own.select(
        "unit_id", "credit_code", "name", "region_code", "address", "industry_code"
    ).with_columns(
        unit_kind=pl.lit("2"),
        registration_no=pl.lit(None, pl.String),
        legal_rep=own["person_in_charge"],
        phone=own["phone_mobile"],
        registration_type=pl.lit(None, pl.String),
        institution_type=pl.lit(None, pl.String),
        parent_credit_code=own["parent_credit_code"],
        status=choose(ended, "3", "1"),
        opened_on=_opened(own["opened_ym"], draw),
        closed_on=mask(_days("2018-02-01", 300, draw, own.height), ended),
    )


def household_holders(households: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return licensed households."""
    own = households.filter(
        pl.col("credit_code").is_not_null() | pl.col("licence_no").is_not_null()
    )
    n = own.height
    months = pl.Series(draw.whole(2000, 2017, n) * 100 + draw.whole(1, 12, n)).cast(pl.String)
    return own.select(
        "unit_id", "credit_code", "name", "region_code", "address", "industry_code"
    ).with_columns(
        unit_kind=pl.lit("3"),
        registration_no=own["licence_no"],
        legal_rep=own["operator"],
        phone=own["phone"],
        registration_type=pl.lit("410"),
        institution_type=pl.lit(None, pl.String),
        parent_credit_code=pl.lit(None, pl.String),
        status=pl.lit("1"),
        opened_on=_opened(months, draw),
        closed_on=pl.lit(None, pl.Date),
    )


def gone_holders(city: City, n: int, kind: str, draw: Draw) -> pl.DataFrame:
    """Return units that the frame lists and the census did not enumerate, with outcome and note."""
    village = settle(city.places, n, draw)
    homes = city.places.villages[village]
    at = draw.index(len(GONE), n, [share for *_, share in GONE])
    prefix, word = ("91", "经贸行") if kind == "1" else ("92", "代销店")
    ended = pl.Series(at).is_in([i for i, row in enumerate(GONE) if row[2] == "3"])
    months = pl.Series(draw.whole(2001, 2016, n) * 100 + draw.whole(1, 12, n)).cast(pl.String)
    number = pl.Series(np.arange(1, n + 1)).cast(pl.String)
    return pl.DataFrame(
        {
            "unit_id": pl.Series([None] * n, dtype=pl.String),
            "unit_kind": pl.Series([kind] * n),
            "credit_code": credit_codes(prefix, homes["county_code"], city.pool.take(n)),
            "registration_no": pl.Series([None] * n, dtype=pl.String),
            "name": join_text(homes["short"], trade_names(draw, n, 1.0), number, "号", word),
            "legal_rep": persons(draw, n),
            "phone": mobiles(draw, n),
            "region_code": homes["region_code"],
            "address": addresses(city.places, village, draw),
            "industry_code": pl.Series(["5199"] * n),
            "registration_type": pl.Series(["171" if kind == "1" else "410"] * n),
            "institution_type": pl.Series(["10" if kind == "1" else None] * n, dtype=pl.String),
            "parent_credit_code": pl.Series([None] * n, dtype=pl.String),
            "status": pl.Series([row[2] for row in GONE]).gather(at),
            "opened_on": _opened(months, draw),
            "closed_on": mask(_days("2017-01-05", 600, draw, n), ended),
            "outcome": pl.Series([row[0] for row in GONE]).gather(at),
            "outcome_note": pl.Series([row[1] for row in GONE]).gather(at),
        }
    )


def _record(holders: pl.DataFrame, source: str, extra: dict[str, pl.Series]) -> pl.DataFrame:
    return holders.select(COMMON).with_columns(source=pl.lit(source), **extra)


def _home_records(holders: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return one record a holder in the register of its own department."""
    n = holders.height
    prefix = holders["credit_code"].str.slice(0, 2)
    by_code = prefix.replace_strict(HOME, default="4")
    by_type = holders["institution_type"].replace_strict({"20": "3", "30": "3"}, default="4")
    uncoded = choose(
        holders["institution_type"].is_in(["40", "51", "52", "53", "54", "20", "30"]), by_type, "1"
    )
    home = choose(prefix.is_null(), uncoded, by_code)
    varied = written_otherwise(draw, holders["name"], 0.12)
    keeps = prefix.is_null() | (holders["unit_kind"] != "1")
    capital = pl.Series(np.round(draw.lognormal(1500.0, 1.0, n) / 10) * 10).cast(pl.Int64)
    named = holders.with_columns(name=choose(keeps, holders["name"], varied), source=home)
    market = (home == "1") & (holders["unit_kind"] == "1")
    licence = holders["registration_type"].replace_strict(
        LICENCE, default=None, return_dtype=pl.String
    )
    return named.select(*COMMON, "source").with_columns(
        capital_kyuan=mask(capital, market), licence_type=mask(licence, market)
    )


def _other_records(legal: pl.DataFrame, holders: pl.DataFrame, draw: Draw) -> list[pl.DataFrame]:
    """Return tax, social insurance, business register and electricity records of legal entities."""
    n = legal.height
    firm = legal["institution_type"].is_in(["10", "55"]).to_numpy()
    live = (legal["status"] == "1").to_numpy() & legal["credit_code"].is_not_null().to_numpy()
    active = holders.with_columns(status=pl.lit("1"), closed_on=pl.lit(None, pl.Date))
    workers = legal["employees"].to_numpy()
    sales = tax_sales(legal["revenue_kyuan"].fill_null(0).to_numpy(), draw)
    extras: list[tuple[str, Bools, dict[str, Ints]]] = [
        ("2", firm & live & draw.chance(n, 0.7),
         {"sales_kyuan": sales, "tax_paid_kyuan": sales * 3 // 100}),
        ("5", live & (workers >= 3) & draw.chance(n, 0.55),
         {"insured_persons": np.maximum(1, np.floor(workers * draw.rng.uniform(0.7, 1.0, n)))}),
        ("6", live & ((legal["form"] == "601").to_numpy() | draw.chance(n, 0.25)), {}),
        ("7", firm & live & draw.chance(n, 0.4),
         {"electricity_kwh": np.round(workers * draw.lognormal(2600.0, 0.6, n))}),
    ]  # fmt: skip
    out = []
    for source, keep, values in extras:
        columns = {k: pl.Series(v).cast(pl.Int64) for k, v in values.items()}
        if source == "2":
            columns["taxpayer_status"] = pl.Series(["正常"] * n)
        out.append(_record(active, source, columns).filter(pl.Series(keep)))
    return out


def tax_sales(revenue: Ints, draw: Draw) -> Ints:
    """Return invoiced sales, 0.6 to 1.7 times the census revenue (domain 8.1, trap 9)."""
    ratio = draw.spread(0.62, 1.65, len(revenue))
    return np.where(revenue < 100, revenue, np.round(revenue * ratio)).astype(np.int64)


def _numbered(records: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Sort by department, shuffled inside, and number the records of each."""
    order = draw.rng.permutation(records.height)
    frame = records[order].sort("source", maintain_order=True)
    serial = (pl.int_range(pl.len()) + 1).over("source").cast(pl.String).str.zfill(8)
    return frame.with_columns(
        register_id=pl.lit("R") + pl.col("source") + serial, as_of=pl.lit(AS_OF).str.to_date()
    )


def _sources(records: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the departments of each unit, joined by |."""
    bits = records.select(
        key, bit=pl.lit(1, pl.Int64) * pl.col("source").replace_strict(
            {str(d): 1 << d for d in range(1, 10)}, return_dtype=pl.Int64)
    ).group_by(key, maintain_order=True).agg(pl.col("bit").sum())  # fmt: skip
    table = {
        m: "|".join(str(d) for d in range(1, 10) if m & (1 << d)) for m in bits["bit"].unique()
    }
    return bits.select(key, sources=pl.col("bit").replace_strict(table, return_dtype=pl.String))


def _frame_ids(region: pl.Series, kind: pl.Series) -> pl.Series:
    serial = digits(np.arange(1, len(region) + 1), 7)
    return join_text(region.str.slice(0, 6), kind, serial)


def frame_lines(units: pl.DataFrame, gone: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Return one line a form (outcome 1) and one each for the units without a form."""
    known = units.join(
        _sources(records, "unit_id"), on="unit_id", how="left", maintain_order="left"
    )
    found = known.with_columns(outcome=pl.lit("1"), outcome_note=pl.lit(None, pl.String))
    lost = gone.select(*units.columns, "outcome", "outcome_note").with_columns(sources=pl.lit("1"))
    lines = pl.concat([found, lost.select(found.columns)])
    return lines.with_columns(frame_id=_frame_ids(lines["region_code"], lines["unit_kind"]))


def prior_values(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the values of 2017 for two thirds of the firms that operate: 0.7 to 1.3 of 2018."""
    draw = Draw(seed, "prior values")
    keep = (
        (legal["status"] == "1")
        & legal["credit_code"].is_not_null()
        & (legal["opened_ym"] < "201701")
    )
    known = legal.filter(keep & pl.Series(draw.chance(legal.height, 0.75)))
    n = known.height

    def grown(column: str, low: float) -> pl.Series:
        values = known[column].cast(pl.Float64) * pl.Series(draw.rng.uniform(low, 1.3, n))
        return values.round().cast(pl.Int64)

    return known.select("credit_code", "name", "region_code", "industry_code").with_columns(
        period=pl.lit("2017"),
        employees=grown("employees", 0.8).clip(1),
        revenue_kyuan=grown("revenue_kyuan", 0.7),
        assets_kyuan=grown("assets_kyuan", 0.75),
    )


def macro_aggregates(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the tax department's sales by county and specialty, close to the census totals."""
    sums = (
        legal.filter(pl.col("revenue_kyuan") > 0)
        .group_by(pl.col("region_code").str.slice(0, 6), "specialty")
        .agg(value=pl.col("revenue_kyuan").sum())
        .sort("region_code", "specialty")
    )
    near = Draw(seed, "macro aggregates").rng.uniform(0.95, 1.05, sums.height)
    return sums.with_columns(
        region_code=pl.col("region_code") + "000000",
        indicator=pl.lit("revenue_kyuan"),
        source=pl.lit("2"),
        value=(pl.col("value") * pl.Series(near)).round(),
        period=pl.lit("2018"),
    )


def _listed(units: pl.DataFrame, kind: str, person: str, phone: str) -> pl.DataFrame:
    return units.select(
        "unit_id",
        pl.lit(kind).alias("unit_kind"),
        "credit_code",
        "name",
        pl.col(person).alias("legal_rep"),
        pl.col(phone).alias("phone"),
        "region_code",
        "address",
    )


def make_registers(
    city: City, legal: pl.DataFrame, establishments: pl.DataFrame, households: pl.DataFrame
) -> Registers:
    """Return register records and frame lines for all units and for those that are gone."""
    draw = Draw(city.seed, "registers")
    holders = legal_holders(legal, draw)
    gone = pl.concat(
        [
            gone_holders(city, round(EXTRA_LEGAL * legal.height), "1", draw),
            gone_holders(city, round(EXTRA_HOUSEHOLDS * households.height), "3", draw),
        ]
    )
    branches = branch_holders(establishments, draw)
    shops = household_holders(households, draw)
    every = pl.concat([part.select(COMMON) for part in (holders, branches, shops, gone)])
    parts = [_home_records(every, draw), *_other_records(legal, holders, draw)]
    records = _numbered(pl.concat(parts, how="diagonal"), draw)
    units = pl.concat(
        [
            _listed(legal, "1", "legal_rep", "phone_mobile"),
            _listed(establishments, "2", "person_in_charge", "phone_mobile"),
            _listed(households, "3", "operator", "phone"),
        ]
    )
    known = records.filter(pl.col("unit_id").is_not_null())
    return Registers(records.drop("unit_id", "unit_kind"), frame_lines(units, gone, known))
