"""Photographs of visits that show the same picture as those of another unit."""

from __future__ import annotations

import numpy as np
import polars as pl

from audit.estimating.hamming import near_pairs
from audit.estimating.model import Estimate, Frames
from audit.estimating.visit_legs import FAMILY

_HEX = r"^[0-9a-fA-F]{16}$"

VISITS = f"""
SELECT v.visit_id, v.unit_id, v.photo_hash, {FAMILY} AS family
FROM visit AS v LEFT JOIN unit AS u ON u.unit_id = v.unit_id
WHERE v.photo_hash IS NOT NULL"""


def _words() -> pl.Expr:
    """Return the hash as a 64-bit number, from two halves: one alone may exceed a signed one."""
    high, low = (
        pl.col("photo_hash").str.slice(start, 8).str.to_integer(base=16, strict=False)
        for start in (0, 8)
    )
    return high.cast(pl.UInt64) * (1 << 32) + low.cast(pl.UInt64)


def _in_question(photos: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Leave out pictures of a single visit that resemble no other: nearly all of them."""
    near_another = pl.col("word").is_in(near.filter(pl.col("bits") > 0)["word"].implode())
    return photos.filter(pl.col("word").is_duplicated() | near_another)


def _holders(photos: pl.DataFrame) -> pl.DataFrame:
    """Return for each picture its first visit, and the first one of another family."""
    first = photos.sort("visit_id").group_by("word", "family", maintain_order=True).first()
    ordered = first.sort("visit_id").group_by("word", maintain_order=True)
    return ordered.agg(
        *(
            pl.col(name).first().alias(f"first_{name}")
            for name in ("visit_id", "unit_id", "family")
        ),
        *(
            pl.col(name).get(1, null_on_oob=True).alias(f"second_{name}")
            for name in ("visit_id", "unit_id")
        ),
    )


def _neighbours(words: pl.Series) -> pl.DataFrame:
    """Return word, other_word and bits for near pictures both ways, each with itself as well."""
    left, right, bits = near_pairs(words.to_numpy())
    a, b = words.gather(left), words.gather(right)
    near = pl.Series(bits)
    return pl.concat(
        [
            pl.DataFrame(
                {"word": words, "other_word": words, "bits": np.zeros(len(words), np.int64)}
            ),
            pl.DataFrame({"word": a, "other_word": b, "bits": near}),
            pl.DataFrame({"word": b, "other_word": a, "bits": near}),
        ]
    )


def photo_reuse(frames: Frames) -> Frames:
    """Return visits whose picture another unit has as well, or one that hardly differs.

    `visits`: visit_id, unit_id, photo_hash (64 bits in hexadecimal; others are left out), family
    (a legal entity and its establishments may share a picture). The other visit is the one with
    the fewest bits between, then the first.
    """
    photos = (
        frames["visits"].filter(pl.col("photo_hash").str.contains(_HEX)).with_columns(word=_words())
    )
    near = _neighbours(photos["word"].unique().sort())
    photos = _in_question(photos, near)
    holders = _holders(photos)
    pairs = (
        photos.select("visit_id", "unit_id", "family", "word")
        .join(near, on="word", how="inner")
        .join(holders, left_on="other_word", right_on="word", how="inner")
    )
    own = pl.col("first_family") == pl.col("family")
    found = pairs.with_columns(
        other_visit_id=pl.when(own).then("second_visit_id").otherwise("first_visit_id"),
        other_unit_id=pl.when(own).then("second_unit_id").otherwise("first_unit_id"),
    ).drop_nulls("other_visit_id")
    best = found.sort("bits", "other_visit_id").unique("visit_id", keep="first")
    columns = ("visit_id", "unit_id", "other_visit_id", "other_unit_id", "bits")
    return {"photo_reuse": best.select(columns)}


ESTIMATE = Estimate(
    makes=("photo_reuse",),
    needs=("visit", "unit"),
    selects={"visits": VISITS},
    make=photo_reuse,
)
