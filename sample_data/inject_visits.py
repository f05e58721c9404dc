"""Planted errors in the enumerators' visits: family PAD."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.plot import ExhaustedError, Plot, split

NEAR_BITS = 0b1000_0000_0001
"""Two bits by which a photograph taken from another unit differs after scaling."""
INVENTED = 60
"""Visits that an enumerator who stays at a desk invents in one day."""
EMPTY_BLOCK = "990"
CONSTRUCTION = ("47", "48", "49", "50")
A_DAY = 16


def _update(plot: Plot, rows: pl.DataFrame) -> None:
    """Set the columns of `rows` (visit_id first) in the visits of those ids."""
    plot.tables["visit"] = plot["visit"].update(rows, on="visit_id", include_nulls=True)


def _visits_of(plot: Plot, units: pl.DataFrame) -> pl.DataFrame:
    """Return the visits of the units, in their order."""
    return units.select("unit_id").join(
        plot["visit"], on="unit_id", how="inner", maintain_order="left"
    )


def _visited_households(plot: Plot) -> pl.DataFrame:
    """Return untouched households with a visit, builders left out."""
    return plot.households().filter(
        pl.col("unit_id").is_in(plot["visit"]["unit_id"].implode())
        & ~pl.col("industry_code").str.slice(0, 2).is_in(CONSTRUCTION)
    )


def _take_visits(plot: Plot) -> pl.DataFrame:
    return _visits_of(plot, plot.take(_visited_households(plot), plot.per_household))


def pad001(plot: Plot) -> None:
    """No position, and one that says nothing."""
    none, poor = split(_take_visits(plot))
    blank = pl.lit(None, dtype=pl.Float64)
    _update(plot, none.select("visit_id", longitude=blank, latitude=blank, accuracy_m=blank))
    _update(plot, poor.select("visit_id", accuracy_m=pl.lit(340.0)))
    plot.note(none["unit_id"], note="no position")
    plot.note(poor["unit_id"], note="accuracy 340 m")


def pad002(plot: Plot) -> None:
    """A visit registered some two kilometres away."""
    rows = _take_visits(plot)
    _update(plot, rows.select("visit_id", longitude=pl.col("longitude") + 0.02))
    plot.note(rows["unit_id"], rows["visit_id"], note="2 km away")
    plot.also(rows["enumerator_id"], "possible", ("PAD005",))


def pad004(plot: Plot) -> None:
    """A visit of three quarters of a minute."""
    rows = _take_visits(plot)
    _update(plot, rows.select("visit_id", ended_at=pl.col("started_at") + timedelta(seconds=45)))
    plot.note(rows["unit_id"], rows["visit_id"], note="45 seconds")


def pad006(plot: Plot) -> None:
    """A photograph of another unit, hardly changed, and none at all."""
    with_photo, without = split(_take_visits(plot))
    givers = plot.take(_visited_households(plot), with_photo.height)
    given = _visits_of(plot, givers).head(with_photo.height)
    changed = [f"{int(word, 16) ^ NEAR_BITS:016x}" for word in given["photo_hash"]]
    taken = with_photo.head(given.height)
    _update(plot, taken.select("visit_id", photo_hash=pl.Series(changed)))
    _update(
        plot,
        without.select(
            "visit_id", photo_hash=pl.lit(None, pl.String), photo_count=pl.lit(0, pl.Int64)
        ),
    )
    plot.note(taken["unit_id"], given["unit_id"], note="photograph of the other unit")
    plot.note(given["unit_id"], taken["unit_id"], note="photograph of the other unit")
    plot.note(without["unit_id"], note="no photograph")


def pad008(plot: Plot) -> None:
    """A unit without premises and without proof."""
    rows = plot.take(plot.firms(), plot.per_legal)
    for column, value in (("no_fixed_premises", "1"), ("premises_proof", "2")):
        plot.assign("legal_entity", column, rows["unit_id"], value)
    plot.note(rows["unit_id"], note="no premises, no proof")


def pad009(plot: Plot) -> None:
    """A block that nobody listed."""
    blocks = plot["census_block"]
    empty = blocks.filter(pl.col("block_id").str.ends_with(EMPTY_BLOCK))["region_code"]
    places = blocks.filter(~pl.col("region_code").is_in(empty.implode()))
    like = places.unique("region_code", keep="first", maintain_order=True).head(2)
    rows = like.with_columns(
        block_id=pl.col("region_code") + EMPTY_BLOCK,
        zero_explanation=pl.lit(None, dtype=pl.String),
    )
    plot.append("census_block", rows)
    plot.note(rows["block_id"], note="no unit, no sealed explanation")


def _enumerator(plot: Plot) -> pl.DataFrame:
    """Take one enumerator with enough visits of untouched households; return them by time."""
    busy = (
        plot["visit"]
        .filter(pl.col("unit_id").is_in(plot.unused("self_employed")["unit_id"].implode()))
        .sort("enumerator_id", "started_at")
    )
    counts = busy.group_by("enumerator_id", maintain_order=True).len("n_visits")
    pool = plot["enumerator"].join(counts, on="enumerator_id", maintain_order="left")
    free = pool.filter(
        (pl.col("n_visits") >= INVENTED) & ~pl.col("enumerator_id").is_in(list(plot.used))
    )
    if free.height == 0:
        raise ExhaustedError(f"{plot.rule}: no enumerator left with {INVENTED} visits")
    # Townships full of errors are tested for; an enumerator is no error of a township.
    calm = free.filter(~pl.col("region_code").str.starts_with(plot.hot_township))
    chosen = plot.take(calm if calm.height else free, 1, key="enumerator_id")["enumerator_id"][0]
    return busy.filter(pl.col("enumerator_id") == chosen)


def _suspect(plot: Plot, rows: pl.DataFrame, rules: tuple[str, ...]) -> None:
    """Say what else may be found on the enumerator and on the units."""
    plot.also(rows["enumerator_id"].unique(), "possible", ("PAD010", *rules))
    plot.also(rows["unit_id"], "possible", ("PAD002", "PAD004", "PAD006"))


def pad003(plot: Plot) -> None:
    """A few visits of many buildings from one chair."""
    rows = _enumerator(plot).head(12)
    first = rows.head(1)
    _update(
        plot,
        rows.select(
            "visit_id",
            longitude=pl.lit(first["longitude"][0]),
            latitude=pl.lit(first["latitude"][0]),
            accuracy_m=pl.lit(6.0),
        ),
    )
    plot.note(rows["enumerator_id"].head(1), note="one point, many buildings")
    _suspect(plot, rows, ("PAD005",))


def pad005(plot: Plot) -> None:
    """A visit that goes on while the next one is held."""
    rows = _enumerator(plot)
    day = pl.col("started_at").dt.date()
    going = rows.filter(day == day.shift(-1)).head(1)
    longer = pl.col("ended_at") + timedelta(minutes=40)
    _update(plot, going.select("visit_id", ended_at=longer))
    plot.note(going["enumerator_id"], going["unit_id"], note="overlapping visits")
    _suspect(plot, going, ())


def _one_day(rows: pl.DataFrame, seconds: int) -> pl.DataFrame:
    """Put visits on one day that has none, one after the other, so many seconds apart."""
    start = rows["started_at"].cast(pl.Date).cast(pl.Datetime("us")).max()
    begin = pl.lit(start) + timedelta(days=2, hours=8)
    step = pl.int_range(pl.len(), dtype=pl.Int64) * seconds
    return rows.with_columns(started_at=begin + pl.duration(seconds=step))


def pad007(plot: Plot) -> None:
    """Sixty households in one day, each with the time that a form takes."""
    rows = _one_day(_enumerator(plot).head(INVENTED), 420)
    ended = pl.col("started_at") + timedelta(seconds=240)
    _update(plot, rows.select("visit_id", "started_at", ended_at=ended))
    plot.note(rows["enumerator_id"].head(1), note=f"{INVENTED} in one day")
    _suspect(plot, rows, ("PAD005",))


def pad010(plot: Plot) -> None:
    """An enumerator who never went: one point, three photographs, three quarters of a minute."""
    everything = _enumerator(plot)
    rows = _one_day(everything.head(max(INVENTED, everything.height * 4 // 5)), 95)
    photos = rows["photo_hash"].head(3).gather(np.arange(rows.height) % 3)
    made = rows.select(
        "visit_id",
        "started_at",
        ended_at=pl.col("started_at") + timedelta(seconds=45),
        longitude=pl.lit(rows["longitude"][0]),
        latitude=pl.lit(rows["latitude"][0]),
        accuracy_m=pl.lit(6.0),
        photo_hash=photos,
    )
    _update(plot, made)
    plot.used.update(rows["unit_id"])
    who = rows["enumerator_id"].head(1)
    plot.note(who, note=f"{rows.height} visits made up")
    for rule in ("PAD003", "PAD007"):
        plot.note(who, rule=rule, kind="consequence")
    plot.also(who, "possible", ("PAD005",))
    for rule in ("PAD004", "PAD006"):
        plot.note(rows["unit_id"], rows["visit_id"], rule=rule, kind="consequence")
    plot.also(rows["unit_id"], "possible", ("PAD002",))


def give_visits(plot: Plot) -> None:
    """Give a visit to units that other planters added, as an enumerator took their forms too."""
    secret = [row for part in plot.truth for row in part.filter(rule_id="SEC002")["subject_id"]]
    legal = plot["legal_entity"].filter(pl.col("filing_mode") == "2")
    forms = [legal, plot["establishment"], plot["self_employed"]]
    units = pl.concat([form.select("unit_id", "region_code", "block_code") for form in forms])
    new = units.filter(
        ~pl.col("unit_id").is_in(plot["visit"]["unit_id"].implode())
        & ~pl.col("unit_id").is_in(secret)
    )
    like = _like(plot, units, new)
    turn = pl.int_range(pl.len(), dtype=pl.Int64).over("enumerator_id")
    last = plot["visit"]["started_at"].dt.date().max()
    hour = pl.duration(days=3 + turn // A_DAY, minutes=510 + turn % A_DAY * 28)
    begin = pl.lit(last).cast(pl.Datetime("us")) + hour
    photos = np.frombuffer(plot.draw.rng.bytes(8 * like.height).hex().encode(), dtype="S16")
    rows = like.with_columns(
        visit_id=join_text("VN", digits(np.arange(1, like.height + 1), 7)),
        started_at=begin,
        ended_at=begin + timedelta(minutes=9),
        uploaded_at=begin + timedelta(hours=2),
        photo_hash=pl.Series(photos.astype("U16")),
        photo_count=pl.lit(1, pl.Int64),
    )
    plot.append("visit", rows)


def _like(plot: Plot, units: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return for each new unit the visit of a shop in its block or county, as a pattern."""
    shops = plot["self_employed"].filter(
        ~pl.col("unit_id").is_in(list(plot.used))
        & ~pl.col("industry_code").str.slice(0, 2).is_in(CONSTRUCTION)
    )
    good = plot["visit"].drop("visit_id").filter(pl.col("accuracy_m") <= 100)
    seen = good.join(shops.select("unit_id").join(units, on="unit_id"), on="unit_id",
                     maintain_order="left")  # fmt: skip
    good = good.drop("unit_id")
    county = pl.col("region_code").str.slice(0, 6).alias("county")
    block = (pl.col("region_code") + pl.col("block_code")).alias("block_id")
    wanted = new.with_columns(county, block)
    patterns = seen.with_columns(county, block).select("county", "block_id", *good.columns)
    near = patterns.drop("county").unique("block_id", keep="first", maintain_order=True)
    far = patterns.drop("block_id").unique("county", keep="first", maintain_order=True)
    inside = wanted.join(near, on="block_id", how="inner", maintain_order="left")
    outside = wanted.join(near, on="block_id", how="anti", maintain_order="left")
    moved = outside.join(far, on="county", how="inner", maintain_order="left")
    columns = ["unit_id", *good.columns]
    return pl.concat([inside.select(columns), moved.select(columns)])


PLANTERS = {
    "PAD001": pad001,
    "PAD002": pad002,
    "PAD003": pad003,
    "PAD004": pad004,
    "PAD005": pad005,
    "PAD006": pad006,
    "PAD007": pad007,
    "PAD008": pad008,
    "PAD009": pad009,
    "PAD010": pad010,
}
