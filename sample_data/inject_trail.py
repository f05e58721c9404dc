"""Planted errors in the edit trail: family TRL.

Every edit ends with the value that the form holds, and the chain of digests goes on, unless that
is what is planted.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import digits, join_text
from sample_data.identifiers import mobiles
from sample_data.plot import ExhaustedError, Plot
from sample_data.process import chained

BEFORE_ACCEPTANCE = "2019-04-18T09:00:00"
AFTER_ACCEPTANCE = "2019-05-08T10:20:00"
AT_NIGHT = "2019-04-16T23:10:00"
GROWTH = 1.18
BATCH, BURST, ALIKE = 24, 36, 12
ENUMERATOR, TOWNSHIP, COUNTY = "2", "3", "4"
_MANUFACTURERS = [str(division) for division in range(13, 44)]


def _times(start: str, seconds: int, n: int) -> pl.Series:
    step = np.arange(n) * np.timedelta64(seconds, "s")
    return pl.Series((np.datetime64(start) + step).astype("datetime64[us]"))


def _enter(plot: Plot, rows: pl.DataFrame, table: str, field: str) -> pl.DataFrame:
    """Put edits at the end of the log and return them with their ids.

    `rows`: unit_id, old_value, new_value, editor_id, editor_role, edited_at, and what of reason and
    evidence is not to be made up.
    """
    log = plot["edit_event"].sort("event_id")
    first = int(log["event_id"][-1]) + 1
    number = pl.Series(np.arange(first, first + rows.height))
    made = {
        "reason": join_text("与被调查单位负责人核对，第", number.cast(pl.String), "号记录"),
        "evidence": join_text("核实单", digits(number.to_numpy() * 37 % 100_000, 5)),
    }
    frame = rows.with_columns(
        event_id=number,
        table_name=pl.lit(table),
        field=pl.lit(field),
        client_ip=pl.lit("59.51.29.7"),
        **{name: text for name, text in made.items() if name not in rows.columns},
    )
    entered = chained(frame, str(log["digest"][-1]))
    plot.append("edit_event", entered)
    return entered


def _edit(
    rows: pl.DataFrame, old: pl.Series, column: str, role: str, when: pl.Series
) -> pl.DataFrame:
    """Return edits of one column of the units: from `old` to what the form holds."""
    editor = "enumerator_id" if role == ENUMERATOR else "office"
    office = pl.lit(f"GB{role}") + pl.col("region_code").str.slice(0, 6)
    return rows.with_columns(office=office).select(
        "unit_id",
        old_value=old.cast(pl.String),
        new_value=pl.col(column).cast(pl.Int64).cast(pl.String)
        if "phone" not in column
        else pl.col(column),
        editor_id=pl.col(editor),
        editor_role=pl.lit(role),
        edited_at=when,
    )


def _phones(plot: Plot, k: int, when: pl.Series) -> pl.DataFrame:
    """Return corrections of the telephones of k households, by nobody yet."""
    rows = plot.take(plot.households().filter(pl.col("phone").is_not_null()), k)
    if rows.height < k:
        raise ExhaustedError(f"{plot.rule}: {k} households are needed")
    return _edit(rows, mobiles(plot.draw, k), "phone", TOWNSHIP, when)


def _shrunk(rows: pl.DataFrame, column: str, by: float) -> pl.Series:
    return (rows[column] / by).floor().cast(pl.Int64)


def _note_edits(plot: Plot, edits: pl.DataFrame, note: str = "") -> None:
    plot.note(edits["unit_id"], edits["event_id"].cast(pl.String), note=note)


def _may_drift(plot: Plot, rows: pl.DataFrame) -> None:
    """Edits of sums may move a small town's total as well."""
    for digits_kept in (6, 9):
        codes = rows["region_code"].str.slice(0, digits_kept).unique().sort().str.pad_end(12, "0")
        plot.also(codes, "possible", ("TRL007",))


def trl001(plot: Plot) -> None:
    """A telephone changed without a reason or without evidence."""
    rows = plot.take(plot.firms(), plot.per_legal)
    when = _times(BEFORE_ACCEPTANCE, 3600, rows.height)
    edits = _edit(rows, mobiles(plot.draw, rows.height), "phone_mobile", ENUMERATOR, when)
    bare = pl.Series(np.arange(rows.height) % 2 == 0)
    reason = pl.when(~bare).then(pl.lit("被调查单位来电更正号码"))
    edits = edits.with_columns(reason=reason, evidence=pl.lit(None, dtype=pl.String))
    _note_edits(plot, _enter(plot, edits, "legal_entity", "phone_mobile"))


def trl002(plot: Plot) -> None:
    """A county office raised the main revenue."""
    rows = plot.take(plot.firms().filter(pl.col("main_revenue_kyuan") > 100), plot.per_legal)
    when = _times(BEFORE_ACCEPTANCE, 3600, rows.height)
    edits = _edit(
        rows, _shrunk(rows, "main_revenue_kyuan", 1.07), "main_revenue_kyuan", COUNTY, when
    )
    _note_edits(plot, _enter(plot, edits, "legal_entity", "main_revenue_kyuan"))
    plot.also(rows["unit_id"], "possible", ("TRL004",))
    _may_drift(plot, rows)


def trl003(plot: Plot) -> None:
    """A telephone changed when the form had been accepted."""
    rows = plot.take(plot.firms(), plot.per_legal)
    when = _times(AFTER_ACCEPTANCE, 60, rows.height)
    edits = _edit(rows, mobiles(plot.draw, rows.height), "phone_mobile", ENUMERATOR, when)
    _note_edits(plot, _enter(plot, edits, "legal_entity", "phone_mobile"))


def trl004(plot: Plot) -> None:
    """Manufacturers of 19 persons became manufacturers of 20 and more, small and not micro."""
    pool = plot.firms().filter(
        pl.col("industry_code").str.slice(0, 2).is_in(_MANUFACTURERS) & (pl.col("employees") >= 20)
    )
    rows = plot.take(pool, plot.per_legal)
    when = _times(BEFORE_ACCEPTANCE, 3600, rows.height)
    edits = _edit(rows, pl.Series([19] * rows.height), "employees", ENUMERATOR, when)
    _note_edits(plot, _enter(plot, edits, "legal_entity", "employees"), "19 persons before")


def trl005(plot: Plot) -> None:
    """One account raised the revenue of two dozen households of one town in a day."""
    pool = plot.households().filter(pl.col("revenue_kyuan") >= 20)
    town = pl.col("region_code").str.slice(0, 9)
    rows = plot.take(pool.filter(town == town.mode().sort().first()), BATCH)
    if rows.height < BATCH:
        raise ExhaustedError(f"{plot.rule}: {BATCH} households of one town are needed")
    when = _times(BEFORE_ACCEPTANCE, 241, rows.height)
    old = _shrunk(rows, "revenue_kyuan", GROWTH)
    edits = _edit(rows, old, "revenue_kyuan", ENUMERATOR, when).with_columns(
        editor_id=pl.lit("P9900500101")
    )
    _enter(plot, edits, "self_employed", "revenue_kyuan")
    plot.note(edits["editor_id"].head(1), note=f"{BATCH} edits up in one day")
    _may_drift(plot, rows)


def trl006(plot: Plot) -> None:
    """A main revenue above the revenue, lowered step by step until it is not."""
    pool = plot.firms().filter(
        (pl.col("main_revenue_kyuan") <= pl.col("revenue_kyuan"))
        & (pl.col("main_revenue_kyuan") > 100)
    )
    rows = plot.take(pool, plot.per_legal)
    steps = [(rows["revenue_kyuan"] * share).ceil().cast(pl.Int64) for share in (1.5, 1.3, 1.1)]
    values = [*steps, rows["main_revenue_kyuan"].cast(pl.Int64)]
    account = join_text("P99006", digits(np.arange(rows.height), 5))
    for turn in range(3):
        when = _times(f"2019-04-18T10:0{turn}:00", 3600, rows.height)
        edits = _edit(rows, values[turn], "main_revenue_kyuan", ENUMERATOR, when)
        edits = edits.with_columns(new_value=values[turn + 1].cast(pl.String), editor_id=account)
        _enter(plot, edits, "legal_entity", "main_revenue_kyuan")
    plot.note(account, rows["unit_id"], note="three steps down to the revenue")
    plot.also(rows["unit_id"], "possible", ("TRL004",))
    _may_drift(plot, rows)


def _town_to_move(plot: Plot) -> pl.DataFrame:
    """Return the untouched firms of the town whose total they can move most."""
    town = pl.col("region_code").str.slice(0, 9).alias("town")
    summed = [
        plot[table].select(town, amount=pl.col(column).cast(pl.Float64))
        for table, column in (("legal_entity", "main_revenue_kyuan"),
                              ("self_employed", "revenue_kyuan"))
    ]  # fmt: skip
    total = pl.concat(summed).group_by("town").agg(total=pl.col("amount").sum())
    firms = plot.firms().filter(pl.col("main_revenue_kyuan") > 100).with_columns(town)
    firms = firms.filter(
        pl.col("main_revenue_kyuan").rank("ordinal", descending=True).over("town") <= 6
    )
    movable = firms.group_by("town").agg(n=pl.len(), part=pl.col("main_revenue_kyuan").sum())
    shares = movable.join(total, on="town").filter(pl.col("n") >= 3)
    best = shares.sort(pl.col("part") / pl.col("total"), "town", descending=True).head(1)
    if best.height == 0 or best["part"][0] * (1 - 1 / GROWTH) < 0.025 * best["total"][0]:
        raise ExhaustedError(f"{plot.rule}: no town is left whose total a few firms can move")
    return firms.filter(pl.col("town") == best["town"][0]).drop("town")


def trl007(plot: Plot) -> None:
    """The main revenue of a few firms of one town raised, each by its own enumerator."""
    rows = plot.take(_town_to_move(plot), 6)
    when = _times(BEFORE_ACCEPTANCE, 3600, rows.height)
    old = _shrunk(rows, "main_revenue_kyuan", GROWTH)
    edits = _edit(rows, old, "main_revenue_kyuan", ENUMERATOR, when)
    _enter(plot, edits, "legal_entity", "main_revenue_kyuan")
    town = rows["region_code"].head(1).str.slice(0, 9).str.pad_end(12, "0")
    plot.note(town, note="main revenue up by edits")
    plot.also(rows["unit_id"], "possible", ("TRL004",))
    _may_drift(plot, rows)


def trl008(plot: Plot) -> None:
    """One account changed three dozen telephones in ten minutes at night; another each night."""
    burst = _phones(plot, BURST, _times(AT_NIGHT, 15, BURST))
    nightly = _phones(plot, ALIKE, _times("2019-04-01T23:30:00", 86400, ALIKE))
    accounts = ("GB3NIGHT01", "GB3NIGHT02")
    for edits, account in zip((burst, nightly), accounts, strict=True):
        edits = edits.with_columns(editor_id=pl.lit(account))
        _enter(plot, edits, "self_employed", "phone")
    plot.note(pl.Series(accounts), note="edits at night")


def trl009(plot: Plot) -> None:
    """One entry taken out of the log, one rewritten, one bypassed by a change of the form."""
    log = plot["edit_event"].sort("event_id")
    phones = log.filter(
        (pl.col("field") == "phone_mobile")
        & (pl.col("edited_at") < pl.lit(BEFORE_ACCEPTANCE).str.to_datetime())
        & ~pl.col("unit_id").is_in(list(plot.used))
        & (pl.col("event_id") > 1)
    )
    places = phones["event_id"].gather(np.linspace(0, phones.height - 2, 3).astype(np.int64))
    gone, rewritten, bypassed = (int(place) for place in places)
    behind = log.filter(pl.col("event_id") == gone + 1)
    plot.tables["edit_event"] = log.filter(pl.col("event_id") != gone).with_columns(
        editor_id=pl.when(pl.col("event_id") == rewritten)
        .then(pl.lit("P99009"))
        .otherwise("editor_id"),
    )
    units = log.filter(pl.col("event_id") == bypassed)["unit_id"]
    plot.assign("legal_entity", "phone_mobile", units, "13000000009")
    found = pl.Series([str(gone + 1), str(rewritten), str(bypassed)])
    touched = [behind["unit_id"], log.filter(pl.col("event_id") == rewritten)["unit_id"], units]
    plot.note(found, pl.concat(touched), note="gap, rewritten, bypassed")
    plot.used.update(pl.concat(touched).to_list())


def trl010(plot: Plot) -> None:
    """One account gave the same reason for a dozen households, another said nothing each time."""
    alike = _phones(plot, ALIKE, _times(BEFORE_ACCEPTANCE, 3600, ALIKE))
    short = _phones(plot, 4, _times(BEFORE_ACCEPTANCE, 3600, 4))
    accounts, reasons = ("GB3SAME01", "GB3SHORT01"), ("经核实情况属实，予以更正", "已改")
    for edits, account, reason in zip((alike, short), accounts, reasons, strict=True):
        edits = edits.with_columns(editor_id=pl.lit(account), reason=pl.lit(reason))
        _enter(plot, edits, "self_employed", "phone")
    plot.note(pl.Series(accounts), note="boilerplate reasons")


# What takes an entry out of the log comes last: the others put theirs at its end.
PLANTERS = {
    "TRL007": trl007, "TRL004": trl004, "TRL001": trl001, "TRL002": trl002, "TRL003": trl003,
    "TRL005": trl005, "TRL006": trl006, "TRL008": trl008, "TRL010": trl010, "TRL009": trl009,
}  # fmt: skip
