"""The edit trail replayed: gaps, links of the digest chain, and what the forms hold in the end.

An append-only log can be checked against itself and against the data: event ids without gaps, each
record naming the digest of the one before, each edit beginning with the value that the last one of
the same item left, and the form holding what the last one wrote (21 CFR 11.10(e), domain 7). Which
of these a rule takes for an error is the rule's affair.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from audit.contracts import CONTRACT, Column
from audit.estimating.model import Estimate, Frames

ITEM = ("unit_id", "table_name", "field")
REPLAYED = (
    "legal_entity", "establishment", "self_employed", "employment", "finance",
    "institution_finance", "production", "energy", "research",
)  # fmt: skip
"""Tables whose rows belong to a unit; an edit does not tell which of several returns it is of."""
NUMBERS = ("integer", "money", "decimal")
EMPTY = ("-", "—", "——", "无", "NULL", "null")
"""What an empty number is written as (contract, section 1)."""
CLOSE = 0.005
"""Amounts are kept to two places."""

EDITS = """
SELECT event_id, unit_id, table_name, field, old_value, new_value, old_number, new_number,
  previous_digest, digest
FROM edit_event"""

REFUSED = """
SELECT r.file, r.row, MAX(r.delivered) AS delivered
FROM rejected_row AS r
JOIN delivered_file AS d ON d.file = r.file
WHERE d.table_name = 'edit_event' AND r.superseded_by IS NULL
GROUP BY r.file, r.row"""
NUMBER = r'"(?:event_id|修改流水号)"\s*:\s*"?\s*([0-9]{1,18})\s*[",}]'
"""The number of an edit in a refused row as delivered (JSON by header)."""


def _rows_of(table: str) -> str:
    names = ", ".join(column.name for column in CONTRACT.tables[table].columns)
    edited = f"SELECT unit_id FROM edit_event WHERE table_name = '{table}'"
    return f"SELECT {names} FROM {table} WHERE unit_id IN ({edited})"


def _fields() -> pl.DataFrame:
    """Return the columns of the replayed tables and how their values are compared."""
    rows = [
        (table, column.name, column.type in NUMBERS, _is_region(column))
        for table in REPLAYED
        for column in CONTRACT.tables[table].columns
    ]
    names = ["table_name", "field", "is_number", "is_region"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _is_region(column: Column) -> bool:
    return column.code_list == "region"


def _plain(text: str) -> pl.Expr:
    """Return the text that two ways of writing the same value have in common."""
    value = pl.col(text)
    dated = value.str.contains(r"^[0-9]{4}[-/][0-9]{2}(?:[-/][0-9]{2})?$")
    empty = pl.col("is_number") & value.is_in(EMPTY)
    return (
        pl.when(empty)
        .then(None)
        .when(dated)
        .then(value.str.replace_all("[-/]", ""))
        .when(pl.col("is_region"))
        .then(value.str.pad_end(12, "0"))
        .otherwise(value)
    )


def _same(left: str, right: str) -> pl.Expr:
    """Return whether two texts of a column are one value; both empty is the same. Never NULL.

    `<left>_number` and `<right>_number` count where the column holds numbers.
    """
    numbers = pl.col("is_number") & (
        (pl.col(f"{left}_number") - pl.col(f"{right}_number")).abs() < CLOSE
    )
    return numbers.fill_null(value=False) | _plain(left).eq_missing(_plain(right))


def _sequence(edits: pl.DataFrame) -> pl.DataFrame:
    """Compare each edit with the one before it in the log."""
    before = pl.col("digest").shift(1)
    named = pl.col("previous_digest")
    first = pl.col("event_id").shift(1).is_null()
    chain = (
        pl.when(first)
        # A log that begins with a name of something before it is an extract.
        .then(pl.when(named.is_null()).then(statement=True))
        .when(named.is_null())
        .then(pl.when(pl.col("digest").is_not_null()).then(statement=False))
        .otherwise((named.str.to_lowercase() == before.str.to_lowercase()).fill_null(value=False))
    )
    return edits.sort("event_id").select(
        "event_id",
        "unit_id",
        previous_event_id=pl.col("event_id").shift(1),
        n_missing=pl.col("event_id") - pl.col("event_id").shift(1) - 1,
        chain_ok=chain,
    )


def _refused(sequence: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Add how many of the numbers missing before an edit intake refused, and how many it hides.

    A refused row explains the gap that its number lies in. One of a confidential unit, or with a
    damaged number, may lie in any gap: it is counted once, over the whole log.
    """
    number = pl.col("delivered").str.extract(NUMBER).cast(pl.Int64)
    told = refused.select(number=number)
    lost = (
        told.drop_nulls()
        .unique()
        .join(sequence, left_on="number", right_on="event_id", how="anti")
        .sort("number")
        .join_asof(sequence.select("event_id"), left_on="number", right_on="event_id",
                   strategy="forward", coalesce=False)
        .group_by("event_id").agg(n_refused=pl.len().cast(pl.Int64))
    )  # fmt: skip
    with_lost = sequence.join(lost, on="event_id", how="left").with_columns(
        n_untold=pl.lit(told["number"].null_count(), pl.Int64)
    )
    return with_lost.with_columns(
        # Before the first edit there is no gap.
        pl.when(pl.col("n_missing").is_not_null()).then(pl.col("n_refused").fill_null(0))
    )


def _follows(items: pl.DataFrame) -> pl.DataFrame:
    """Compare each edit's old value with what the edit before it left in the same item."""
    place = pl.col("event_id")
    within = items.sort(*ITEM, "event_id").with_columns(
        before=pl.col("new_value").shift(1).over(ITEM),
        before_number=pl.col("new_value_number").shift(1).over(ITEM),
        first=place == place.min().over(ITEM),
        is_last=place == place.max().over(ITEM),
    )
    same = _same("before", "old_value")
    return within.select("event_id", "is_last", follows_ok=pl.when(~pl.col("first")).then(same))


def _stored(frames: Frames, items: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield what the forms hold in the edited items, table by table, as text."""
    for table in REPLAYED:
        wanted = items.filter(table_name=table)["field"].unique().to_list()
        rows = frames[table]
        known = [name for name in wanted if name in rows.columns and name != "unit_id"]
        if known and rows.height:
            yield (
                rows.select("unit_id", pl.col(known).cast(pl.String))
                .unpivot(index="unit_id", variable_name="field", value_name="stored")
                .with_columns(table_name=pl.lit(table))
            )


def _ends(frames: Frames, items: pl.DataFrame) -> pl.DataFrame:
    """Compare the last edit of each item with what the form holds."""
    schema = {"unit_id": pl.String, "field": pl.String, "stored": pl.String,
              "table_name": pl.String}  # fmt: skip
    stored = pl.concat([pl.DataFrame(schema=schema), *_stored(frames, items)]).with_columns(
        stored_number=pl.col("stored").cast(pl.Float64, strict=False)
    )
    last = items.filter(pl.col("event_id") == pl.col("event_id").max().over(ITEM))
    return (
        last.join(stored, on=ITEM)
        .with_columns(agrees=_same("new_value", "stored"))
        .group_by("event_id")
        .agg(
            stored_value=pl.col("stored").sort().first().str.strip_suffix(".0"),
            stored_ok=pl.col("agrees").any(),
        )
    )


def edit_replay(frames: Frames) -> Frames:
    """Return one row an edit: its place in the log, in its item, and the value that came of it.

    `edits`: the columns of EDITS; `refused`: file, row, delivered; each table of REPLAYED: its
    rows of the edited units. What cannot be compared (no such unit, table or column) is NULL.
    """
    edits = frames["edits"]
    items = (
        edits.join(_fields(), on=["table_name", "field"], how="left")
        .with_columns(pl.col("is_number", "is_region").fill_null(value=False))
        .rename({"old_number": "old_value_number", "new_number": "new_value_number"})
    )
    made = (
        _refused(_sequence(edits), frames["refused"])
        .join(_follows(items), on="event_id")
        .join(_ends(frames, items), on="event_id", how="left")
    )
    return {"edit_replay": made}


ESTIMATE = Estimate(
    makes=("edit_replay",),
    needs=("edit_event",),
    uses=(*REPLAYED, "rejected_row", "delivered_file"),
    selects={"edits": EDITS, "refused": REFUSED} | {table: _rows_of(table) for table in REPLAYED},
    make=edit_replay,
)
