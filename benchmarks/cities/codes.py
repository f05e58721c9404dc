"""Codes of a city made elsewhere: credit, organisation and registration codes, network addresses.

Bodies of organisation codes are drawn for each city alone. The first three characters of a body are
put into one of three alphabets each, so that no body is given in two cities; what differed in one
place still does. A right check character stays right, and a wrong one wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import polars as pl

from audit.codes import (
    characters,
    credit_check_characters,
    org_check_characters,
    registration_check_digits,
)

ALPHABETS = ("0123456789", "ABCDEFGHJK", "LMNPQRTUWX")
"""Each stands for the ten digits; all are characters of a credit code."""
CITIES = len(ALPHABETS) ** 3
NETWORKS = ("58", "59", "113", "218", "220", "222")
"""First octets of the addresses in a sample."""
_FIRST_NETWORK = 20
Check = Callable[[pl.Series], pl.Series]


def _letters(check: object) -> pl.Series:
    return pl.Series(np.asarray(check, dtype=np.uint8).view("S1").astype("U1"))


def _credit(bodies: pl.Series) -> pl.Series:
    return _letters(credit_check_characters(characters(bodies, 17)))


def _org(bodies: pl.Series) -> pl.Series:
    return _letters(org_check_characters(characters(bodies, 8)))


def _registration(bodies: pl.Series) -> pl.Series:
    return _letters(registration_check_digits(characters(bodies, 14)))


def _translated(text: pl.Expr, number: int) -> pl.Expr:
    """Return the first three characters of a body in the alphabets of the city."""
    digits = list(ALPHABETS[0])
    alphabets = list(product(ALPHABETS, repeat=3))[number]
    parts = [text.str.slice(i, 1).replace(digits, list(a)) for i, a in enumerate(alphabets)]
    return pl.concat_str(*parts, text.str.slice(3))


def _checked(old: pl.Series, new: pl.Series, at: int, check: Check) -> pl.Series:
    """Return `new` with its character at `at` right where that of `old` was, else wrong."""
    was, now = check(old.str.slice(0, at)), check(new.str.slice(0, at))
    frame = pl.DataFrame({"old": old, "new": new, "was": was, "now": now})
    given = pl.col("old").str.slice(at, 1)
    other = pl.when(pl.col("now") == "0").then(pl.lit("1")).otherwise(pl.lit("0"))
    wrong = pl.when(given == pl.col("now")).then(other).otherwise(given)
    last = pl.when(given == pl.col("was")).then("now").otherwise(wrong)
    text = pl.concat_str(pl.col("new").str.slice(0, at), last, pl.col("new").str.slice(at + 1))
    return frame.select(text).to_series()


def _credit_codes(codes: pl.Series, places: dict[str, str], number: int) -> pl.Series:
    text = pl.col("old")
    region = text.str.slice(2, 4).replace(places)
    body = _translated(text.str.slice(8, 9), number)
    made = pl.concat_str(text.str.slice(0, 2), region, text.str.slice(6, 2), body,
                         text.str.slice(17))  # fmt: skip
    new = codes.alias("old").to_frame().select(made).to_series()
    inner = _checked(codes.str.slice(8, 9), new.str.slice(8, 9), 8, _org)
    joined = pl.DataFrame({"n": new, "i": inner}).select(
        pl.col("n").str.slice(0, 8) + pl.col("i") + pl.col("n").str.slice(17)
    )
    return _checked(codes, joined.to_series(), 17, _credit)


def _org_codes(codes: pl.Series, places: dict[str, str], number: int) -> pl.Series:
    new = codes.alias("old").to_frame().select(_translated(pl.col("old"), number)).to_series()
    return _checked(codes, new, 8, _org)


def _registration_numbers(codes: pl.Series, places: dict[str, str], number: int) -> pl.Series:
    text = pl.col("old")
    made = text.str.slice(0, 4).replace(places) + text.str.slice(4)
    new = codes.alias("old").to_frame().select(made).to_series()
    return _checked(codes, new, 14, _registration)


_BY_LENGTH = {18: _credit_codes, 9: _org_codes, 15: _registration_numbers}


def moved_codes(column: pl.Series, places: dict[str, str], number: int) -> pl.Series:
    """Return credit, organisation and registration codes as city `number` (from 0) gives them.

    `places`: four digits of a region to four others; codes of other regions keep theirs. Codes of
    other lengths, and those that stand for a parent not found (all 1), stay.
    """
    known = column.drop_nulls().unique()
    known = known.filter(~known.str.contains("^1+$"))
    old, new = [], []
    for length, move in _BY_LENGTH.items():
        codes = known.filter(known.str.len_chars() == length)
        if len(codes):
            old.append(codes)
            new.append(move(codes, places, number))
    return column.replace(pl.concat(old), pl.concat(new)) if old else column


def moved_networks(column: pl.Series, number: int) -> pl.Series:
    """Return addresses and ranges in networks of the city's own; private ones stay."""
    first = _FIRST_NETWORK + number * len(NETWORKS)
    own = {f"{octet}.": f"{first + i}." for i, octet in enumerate(NETWORKS)}
    head = column.str.extract(r"^(\d+\.)")
    return pl.DataFrame({"v": column, "h": head}).select(
        pl.when(pl.col("h").is_null()).then("v").otherwise(
            pl.col("h").replace(own) + pl.col("v").str.replace(r"^\d+\.", "")
        )
    ).to_series()  # fmt: skip
