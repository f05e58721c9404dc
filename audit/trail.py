"""The edit trail's digests: what an edit's own columns must hash to (contract, section 2)."""

from __future__ import annotations

import hashlib

import polars as pl

TABLE = "edit_event"
_TEXTS = ("unit_id", "table_name", "field", "old_value", "new_value", "editor_id")
TRAIL_COLUMNS = ("previous_digest", "event_id", *_TEXTS, "edited_at", "digest")
"""What a digest is computed from, and the digest itself."""


def digest_ok(trail: pl.DataFrame) -> pl.Series:
    """Return whether each edit's digest is the sha256 of its other columns; NULL without a digest.

    `trail` has the columns of TRAIL_COLUMNS, `event_id` and `edited_at` typed. Whether an edit
    names the digest of the one before it is another question (rule TRL009).
    """
    blank = pl.lit("")
    parts = [
        pl.col("previous_digest").fill_null(blank),
        pl.col("event_id").cast(pl.String).fill_null(blank),
        *(pl.col(name).fill_null(blank) for name in _TEXTS),
        pl.col("edited_at").dt.strftime("%Y-%m-%d %H:%M:%S").fill_null(blank),
    ]
    text = pl.concat_str(parts, separator="|")
    given = trail.select(text=pl.when(pl.col("digest").is_not_null()).then(text), told="digest")
    # hashlib takes one text at a time, about a microsecond each.
    made = [
        None if text is None else hashlib.sha256(text.encode()).hexdigest()
        for text in given["text"].to_list()
    ]
    same = given["told"].str.to_lowercase() == pl.Series(made, dtype=pl.String)
    return same.alias("digest_ok")


def digest_ok_as_delivered(trail: pl.DataFrame, texts: pl.DataFrame) -> pl.Series:
    """Return `digest_ok` of typed edits whose cells as delivered are `texts`, row by row.

    Intake folds widths and trims blanks; a digest was made of what stood there before. Either
    way of writing will do: folding cannot turn one value into another.
    """
    folded = digest_ok(trail)
    if folded.all():
        return folded
    delivered = trail.select(TRAIL_COLUMNS).with_columns(texts.select(_TEXTS))
    return (folded | digest_ok(delivered)).alias("digest_ok")
