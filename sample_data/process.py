"""How the data came about: enumerators, visits, submissions, edits, rechecks; reference lists."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from sample_data.draws import Draw, Ints, choose, digits, join_text, mask
from sample_data.identifiers import mobiles, persons
from sample_data.places import Places

AGENCY_IP = ("220.169.10.2", "220.169.10.3", "220.169.11.8", "220.169.12.5")
SHARED_EXIT = "218.77.40.9"
RANGES = (
    ("218.76.33.0/24", "2", "衡阳松木经济开发区管委会"),
    ("222.240.12.0/24", "1", "耒阳市人民政府"),
    ("218.76.40.0/24", "1", "衡阳市统计局"),
    ("222.240.18.0/24", "1", "衡阳县人民政府"),
    (f"{SHARED_EXIT}/32", "4", "综保区园区共享出口"),
)
VISITS_A_DAY = 18
EDITED_SHARE = 0.1
CORRECTED_FROM = 10_000
"""Main revenue (thousand yuan) from which on a firm may have corrected it by a trifle."""
SALT_CHECK = "census-audit salt check"
"""Text of the row by which a salt is checked, as `census-audit confidential digest` writes it."""


def salt(seed: int) -> str:
    """Return the salt of the confidential digests of a sample."""
    return f"census-audit-sample-{seed}"


def enumerators(places: Places, seed: int) -> pl.DataFrame:
    """Return one enumerator for every two blocks."""
    draw = Draw(seed, "enumerators")
    first = places.blocks.unique("enumerator", keep="first", maintain_order=True)
    n = first.height
    number = digits(np.arange(n) % 100, 2)
    return pl.DataFrame(
        {
            "enumerator": first["enumerator"],
            "enumerator_id": join_text("P", first["region_code"].str.slice(4), number),
            "name": persons(draw, n),
            "region_code": first["region_code"],
            "device_id": join_text("PAD", digits(np.arange(1, n + 1), 6)),
        }
    )


def assigned(units: pl.DataFrame, places: Places, staff: pl.DataFrame) -> pl.Series:
    """Return the enumerator of each unit, by its block."""
    owner = places.blocks.join(staff, on="enumerator", maintain_order="left").select(
        "block_id", "enumerator_id"
    )
    keyed = units.select(block_id=pl.col("region_code") + pl.col("block_code"))
    return keyed.join(owner, on="block_id", how="left", maintain_order="left")["enumerator_id"]


def accepted(n: int, seed: int, name: str) -> pl.Series:
    """Return the time when the county accepted each form: late April 2019."""
    draw = Draw(seed, f"accepted {name}")
    second = draw.whole(0, 8 * 3600, n) + draw.whole(0, 6, n) * 86400
    start = np.datetime64("2019-04-23T09:00:00")
    return pl.Series((start + second.astype("timedelta64[s]")).astype("datetime64[us]"))


def _schedule(units: pl.DataFrame, places: Places) -> pl.DataFrame:
    """Order the units of each block and give each a working day of its enumerator."""
    blocks = places.blocks.select("block_id", "enumerator", "longitude", "latitude")
    listed = units.join(blocks, on="block_id", maintain_order="left").sort(
        "block_id", maintain_order=True
    )
    inside = listed.with_columns(place=pl.int_range(pl.len()).over("block_id"))
    days = inside.group_by("block_id", "enumerator", maintain_order=True).agg(
        days=(pl.len() + VISITS_A_DAY - 1) // VISITS_A_DAY
    )
    offset = days.with_columns(
        first=pl.col("days").cum_sum().over("enumerator") - pl.col("days")
    ).select("block_id", "first")
    return inside.join(offset, on="block_id", maintain_order="left")


def visits(units: pl.DataFrame, places: Places, staff: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return one visit per unit: unit_id, household, builder, region and block code are needed."""
    draw = Draw(seed, "visits")
    shuffled = units[draw.rng.permutation(units.height)]
    plan = _schedule(shuffled, places).join(
        staff.select("enumerator", "enumerator_id", "device_id"),
        on="enumerator",
        maintain_order="left",
    )
    n = plan.height
    start_day = draw.whole(0, 45, staff.height)[plan["enumerator"].to_numpy()]
    place, first = plan["place"].to_numpy(), plan["first"].to_numpy()
    day = start_day + first + place // VISITS_A_DAY
    second = 8 * 3600 + 1800 + (place % VISITS_A_DAY) * 1680 + draw.whole(0, 240, n)
    household = plan["household"].to_numpy()
    length = np.where(household, draw.whole(200, 560, n), draw.whole(420, 1080, n))
    begin = np.datetime64("2019-01-04T00:00:00") + (day * 86400 + second).astype("timedelta64[s]")
    sent = begin + (length + draw.whole(600, 20000, n)).astype("timedelta64[s]")
    # A builder stands where it is registered; the PAD may have met it at a site elsewhere.
    astray = plan["builder"].to_numpy() & draw.chance(n, 0.2)
    east = plan["longitude"].to_numpy() + draw.rng.normal(0, 0.0004, n) + astray * 0.03
    north = plan["latitude"].to_numpy() + draw.rng.normal(0, 0.0004, n) + astray * 0.02
    photos = np.frombuffer(draw.rng.bytes(8 * n).hex().encode(), dtype="S16").astype("U16")
    return pl.DataFrame(
        {
            "visit_id": join_text("V", digits(np.arange(1, n + 1), 8)),
            "unit_id": plan["unit_id"],
            "enumerator_id": plan["enumerator_id"],
            "device_id": plan["device_id"],
            "started_at": begin.astype("datetime64[us]"),
            "ended_at": (begin + length.astype("timedelta64[s]")).astype("datetime64[us]"),
            "longitude": np.round(east, 7),
            "latitude": np.round(north, 7),
            "accuracy_m": np.round(draw.rng.uniform(4, 35, n), 1),
            "photo_hash": photos,
            "photo_count": draw.whole(1, 3, n),
            "uploaded_at": sent.astype("datetime64[us]"),
            "upload_device_id": plan["device_id"],
        }
    )


def _panel_forms(legal: pl.DataFrame) -> pl.DataFrame:
    """Return one row per panel unit and form that it files."""
    panel = legal.filter(pl.col("form") == "601").select("unit_id", "specialty", "client_ip")
    last = (
        pl.when(pl.col("specialty") == "F")
        .then(pl.lit("F608"))
        .otherwise(pl.col("specialty") + "604")
    )
    forms = pl.concat_list(pl.lit("601"), pl.lit("602"), pl.col("specialty") + "603", last)
    return panel.with_columns(form=forms).explode("form")


def submissions(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the direct-report log of the panel; a few late ones carry their permit."""
    draw = Draw(seed, "submissions")
    rows = _panel_forms(legal)
    n, n_units = rows.height, rows.height // 4
    owner, turn = np.arange(n) // 4, np.arange(n) % 4
    late = draw.chance(n_units, 0.02)
    day = np.where(late, draw.whole(66, 75, n_units), draw.whole(5, 58, n_units))[owner]
    clock = draw.whole(8 * 60, 14 * 60, n_units)[owner] + turn * 50
    begin = np.datetime64("2019-01-01T00:00:00") + ((day * 1440 + clock) * 60).astype(
        "timedelta64[s]"
    )
    length = draw.whole(600, 2600, n).astype("timedelta64[s]")
    number = digits(owner + 101, 1)
    return pl.DataFrame(
        {
            "submission_id": join_text("B", digits(np.arange(1, n + 1), 7)),
            "unit_id": rows["unit_id"],
            "form": rows["form"],
            "account": join_text("HY", rows["unit_id"].str.slice(1)),
            "client_ip": rows["client_ip"],
            "device_id": join_text("DEV-", rows["unit_id"]),
            "started_at": begin.astype("datetime64[us]"),
            "submitted_at": (begin + length).astype("datetime64[us]"),
            "saves": draw.whole(1, 6, n),
            "cells": draw.whole(38, 62, n),
            "late_permit": mask(join_text("衡经普补报许可第", number, "号"), late[owner]),
        }
    )


def client_ips(legal: pl.DataFrame, seed: int) -> pl.Series:
    """Return the address each panel unit files from; the bonded zone shares one exit."""
    draw = Draw(seed, "addresses on the net")
    n = legal.height
    parts = [digits(draw.whole(1, 254, n), 1) for _ in range(3)]
    own = join_text("58.", parts[0], ".", parts[1], ".", parts[2])
    return choose(legal["region_code"].str.slice(0, 6) == "430471", SHARED_EXIT, own)


def edits(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the edit trail before acceptance, with reason and proof: telephones, and a few sums.

    A corrected sum stays within its hundred, so it crosses no threshold and moves no total.
    """
    draw = Draw(seed, "edits")
    n = max(20, round(EDITED_SHARE * legal.height))
    rows = legal[np.sort(draw.rng.choice(legal.height, n, replace=False))]
    rows = rows[draw.rng.permutation(n)]
    second = np.sort(draw.whole(0, 40, n) * 86400 + draw.whole(0, 9 * 3600, n))
    when = np.datetime64("2019-03-10T08:30:00") + second.astype("timedelta64[s]")
    panel = rows["form"] == "601"
    account = join_text("HY", rows["unit_id"].str.slice(1))
    number = pl.Series(np.arange(1, n + 1)).cast(pl.String)
    proof = digits(draw.whole(10_000, 99_999, n), 5)
    main = rows["main_revenue_kyuan"].fill_null(0).cast(pl.Int64)
    before = main // 100 * 100 + pl.Series(draw.whole(0, 99, n))
    summed = (main >= CORRECTED_FROM) & (before != main)
    frame = pl.DataFrame(
        {
            "event_id": np.arange(1, n + 1),
            "unit_id": rows["unit_id"],
            "table_name": pl.Series(["legal_entity"] * n),
            "field": choose(summed, "main_revenue_kyuan", "phone_mobile"),
            "old_value": choose(summed, before.cast(pl.String), mobiles(draw, n)),
            "new_value": choose(summed, main.cast(pl.String), rows["phone_mobile"]),
            "editor_id": choose(panel, account, rows["enumerator_id"].fill_null("P00")),
            "editor_role": choose(panel, "1", "2"),
            "edited_at": when.astype("datetime64[us]"),
            "reason": join_text("与被调查单位负责人核对，第", number, "号记录"),
            "evidence": join_text("核实单", proof),
            "client_ip": join_text("59.51.28.", digits(draw.whole(1, 254, n), 1)),
        }
    )
    return chained(frame)


def chained(frame: pl.DataFrame, previous: str = "") -> pl.DataFrame:
    """Return edits with their digests, each of which takes in that of the edit before it."""
    parts = [pl.col(c).fill_null("") for c in ("unit_id", "table_name", "field", "old_value",
                                               "new_value", "editor_id")]  # fmt: skip
    time = pl.col("edited_at").dt.strftime("%Y-%m-%d %H:%M:%S")
    text = pl.concat_str([pl.col("event_id").cast(pl.String), *parts, time], separator="|")
    first, digests = previous, []
    # A hash chain is made one link after the other: each digest needs the one before it.
    for line in frame.select(text).to_series():
        previous = hashlib.sha256(f"{previous}|{line}".encode()).hexdigest()
        digests.append(previous)
    own = pl.Series(digests, dtype=pl.String)
    before = own.shift(1, fill_value=first or None)
    return frame.with_columns(previous_digest=before, digest=own)


def agencies(legal: pl.DataFrame) -> pl.DataFrame:
    """Return book-keeping agencies: the first firms of class 7241, with the phone clients give."""
    firms = legal.filter((pl.col("industry_code") == "7241") & pl.col("credit_code").is_not_null())
    chosen = firms.filter((pl.col("status") == "1") & (pl.col("has_establishments") == "2")).head(
        max(1, min(40, legal.height // 1000))
    )
    n = chosen.height
    return chosen.select("name", "credit_code", "address").with_columns(
        agency_id=join_text("A", digits(np.arange(1, n + 1), 4)),
        phone=join_text("0734-811", digits(np.arange(1, n + 1) * 37 % 10_000, 4)),
        client_ip=pl.Series([AGENCY_IP[i % len(AGENCY_IP)] for i in range(n)], dtype=pl.String),
    )


def with_agencies(legal: pl.DataFrame, listed: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Give the phone of an agency to some micro firms of the towns (domain 8.1, trap 5)."""
    if listed.height == 0:
        return legal
    draw = Draw(seed, "agency clients")
    n = legal.height
    small = (
        (legal["form"] == "611")
        & (legal["size_class"] == "4")
        & (legal["institution_type"] == "10")
    )
    client = (
        small & ~legal["credit_code"].is_in(listed["credit_code"]) & pl.Series(draw.chance(n, 0.03))
    )
    phone = listed["phone"].gather(draw.index(listed.height, n))
    return legal.with_columns(phone_fixed=choose(client, phone, legal["phone_fixed"]))


def rechecks(units: pl.DataFrame, places: Places, seed: int) -> pl.DataFrame:
    """Return the post-enumeration check of a few blocks: everything agrees."""
    draw = Draw(seed, "rechecks")
    n_blocks = max(3, places.blocks.height // 100)
    chosen = places.blocks["block_id"].gather(
        np.sort(draw.rng.choice(places.blocks.height, n_blocks, replace=False))
    )
    rows = units.filter(pl.col("block_id").is_in(chosen.to_list())).sort("block_id", "unit_id")
    n = rows.height
    asked = pl.Series(draw.chance(n, 0.4))
    day = draw.whole(0, 20, n)
    value = mask(rows["employees"].cast(pl.Float64), asked)
    return pl.DataFrame(
        {
            "recheck_id": join_text("Q", digits(np.arange(1, n + 1), 6)),
            "block_id": rows["block_id"],
            "unit_kind": rows["unit_kind"],
            "unit_id": rows["unit_id"],
            "name": rows["name"],
            "result": pl.Series(["1"] * n),
            "indicator": mask(pl.Series(["employees"] * n), asked),
            "census_value": value,
            "recheck_value": value,
            "checked_on": pl.Series(np.datetime64("2019-06-17") + day).cast(pl.Date),
            "team": join_text("第", digits(day % 5 + 1, 1), "组"),
        }
    )


def blocks(places: Places, used: pl.Series) -> pl.DataFrame:
    """Return the census blocks; one without any unit is explained under seal."""
    empty = ~places.blocks["block_id"].is_in(used.unique().to_list())
    note = pl.Series(["拆迁区域，经核实无普查对象，已盖章说明"] * places.blocks.height)
    return places.blocks.drop("enumerator").with_columns(zero_explanation=mask(note, empty))


def ranges() -> pl.DataFrame:
    """Return known network ranges."""
    return pl.DataFrame(list(RANGES), schema=["cidr", "kind", "holder"], orient="row")


def digests(seed: int) -> pl.DataFrame:
    """Return digests of a dozen confidential units, of which the delivery holds none.

    And the row by which a salt is checked.
    """
    texts = [SALT_CHECK, *(f"C{i:017}" for i in range(12))]
    made = [hashlib.sha256(f"{salt(seed)}{text}".encode()).hexdigest() for text in texts]
    return pl.DataFrame({"digest": made, "kind": ["0"] + ["1"] * 12})


def clues() -> pl.DataFrame:
    """Return reported clues; none names a unit of the sample."""
    row = (
        "X2019001",
        "2019-05-10",
        "5",
        "某园区企业",
        "430473000000",
        "反映园区统一填报普查表",
        "2",
    )
    names = ["clue_id", "received_on", "channel", "unit_name", "region_code", "content", "state"]
    return pl.DataFrame([row], schema=names, orient="row").with_columns(
        pl.col("received_on").str.to_date()
    )


def external(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return a list handed down by the province: units to look at, no verdict."""
    draw = Draw(seed, "external findings")
    coded = legal.filter(
        pl.col("credit_code").is_not_null() & (pl.col("has_establishments") == "2")
    )
    rows = coded[np.sort(draw.rng.choice(coded.height, min(12, coded.height // 50), replace=False))]
    n = rows.height
    numbers: Ints = np.arange(1, n + 1)
    return rows.select(
        "credit_code", "region_code", pl.col("name").alias("unit_name")
    ).with_columns(
        list_id=pl.lit("HN2019-05"),
        line_no=pl.Series(numbers),
        issuer=pl.lit("湖南省第四次全国经济普查领导小组办公室"),
        rule_ref=pl.lit("PLA002"),
        description=pl.lit("请核实主要指标"),
    )
