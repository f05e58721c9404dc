"""Columns that rules need and SQL cannot say portably, computed once at intake.

`derive` is pure: a frame with the delivered columns of one table goes in, the same frame with the
contract's derived columns comes out. The rule cases run through it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from audit import codes, network, trail
from audit.contracts import CONTRACT, Table
from audit.normalise import name_key, note_key

METRES_PER_DEGREE = 111_195.08
"""Of a great circle on a sphere of 6,371,008.8 m, the mean radius of the earth."""
CELL_METRES = 5.0

POLARS_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "code": pl.String(),
    "month": pl.String(),
    "integer": pl.Int64(),
    "money": pl.Float64(),
    "decimal": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "boolean": pl.Boolean(),
}


_NUMBER = r"^[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?$"


@dataclass(frozen=True, slots=True)
class DeriveLists:
    """Reference lists that derived columns look up.

    `industry_profile`: industry_code, in_scope, specialty; one row per class of GB/T 4754-2017.
    """

    industry_profile: pl.DataFrame


def _wide_code(digits: int) -> pl.Expr:
    code = pl.col("region_code")
    return pl.when(code.str.len_chars() >= digits).then(
        code.str.slice(0, digits).str.pad_end(12, "0")
    )


def _point_cell() -> pl.Expr:
    """Return the square of 5 m that a position lies in; columns are as wide as their row's middle.

    One row is 5 m high, so the row tells the latitude at which a degree of longitude is measured.
    """
    row = (pl.col("latitude") * METRES_PER_DEGREE / CELL_METRES).floor()
    middle = ((row + 0.5) * CELL_METRES / METRES_PER_DEGREE).radians().cos()
    column = (pl.col("longitude") * METRES_PER_DEGREE * middle / CELL_METRES).floor()
    return pl.concat_str(
        row.cast(pl.Int64, strict=False), column.cast(pl.Int64, strict=False), separator="|"
    )


def _keys(function: Callable[[pl.Series], pl.Series], column: str) -> pl.Expr:
    return pl.col(column).map_batches(function, return_dtype=pl.String())


def _code_check(function: Callable[[pl.Series], pl.Series], column: str) -> pl.Expr:
    def check(codes: pl.Series) -> pl.Series:
        if codes.null_count() == len(codes):
            return pl.repeat(None, len(codes), dtype=pl.Boolean, eager=True).alias(codes.name)
        return function(codes)

    return pl.col(column).map_batches(check, return_dtype=pl.Boolean())


def _number(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    plain = pl.when(text.str.contains(_NUMBER)).then(text.str.replace_all(",", "", literal=True))
    return plain.cast(pl.Float64, strict=False)


_CLIENT = _keys(network.address_keys, "client_ip")
EXPRESSIONS: dict[str, pl.Expr] = {
    "county_code": _wide_code(6),
    "township_code": _wide_code(9),
    "name_key": name_key(pl.col("name")),
    "parent_name_key": name_key(pl.col("parent_name")),
    "credit_code_shape_ok": _code_check(codes.credit_code_shape_ok, "credit_code"),
    "credit_code_check_ok": _code_check(codes.credit_code_check_ok, "credit_code"),
    "credit_code_org_ok": _code_check(codes.credit_code_org_ok, "credit_code"),
    "org_code_check_ok": _code_check(codes.org_code_check_ok, "org_code"),
    "industry_division": pl.col("industry_code").str.slice(0, 2),
    "industry_known": pl.when(pl.col("industry_code").is_not_null()).then(
        pl.col("_listed").fill_null(value=False)
    ),
    "industry_in_scope": pl.col("_in_scope"),
    "industry_specialty": pl.col("_specialty"),
    "record_id": pl.col("source") + "|" + pl.col("register_id"),
    "opened_day": pl.col("opened_on").cast(pl.Int32()).cast(pl.Int64()),
    "closed_day": pl.col("closed_on").cast(pl.Int32()).cast(pl.Int64()),
    "old_number": _number("old_value"),
    "new_number": _number("new_value"),
    "edited_day": pl.col("edited_at").dt.date().cast(pl.Int32()).cast(pl.Int64()),
    "edited_hour": pl.col("edited_at").dt.hour().cast(pl.Int64()),
    "edited_second": pl.col("edited_at").dt.epoch("s"),
    "reason_key": note_key(pl.col("reason")),
    "digest_ok": pl.struct(trail.TRAIL_COLUMNS).map_batches(
        lambda column: trail.digest_ok(column.struct.unnest()), return_dtype=pl.Boolean()
    ),
    "visited_on": pl.col("started_at").dt.date(),
    "duration_s": (pl.col("ended_at") - pl.col("started_at")).dt.total_seconds(),
    "point_cell": _point_cell(),
    "client_address": _CLIENT,
    "client_public": network.is_public(_CLIENT),
    "first_address": _keys(network.first_keys, "cidr"),
    "last_address": _keys(network.last_keys, "cidr"),
    "submitted_day": pl.col("submitted_at").dt.epoch("d").cast(pl.Int64()),
    "submitted_second": pl.col("submitted_at").dt.epoch("s"),
    "fill_seconds": (pl.col("submitted_at") - pl.col("started_at")).dt.total_seconds(),
}
"""How each derived column is computed from the delivered ones.

Days and seconds count from 1970-01-01, local time.
"""


def _with_industry(frame: pl.DataFrame, lists: DeriveLists) -> pl.DataFrame:
    profile = lists.industry_profile.select(
        industry_code=pl.col("industry_code"),
        _listed=pl.lit(value=True),
        _in_scope=pl.col("in_scope"),
        _specialty=pl.col("specialty"),
    )
    return frame.join(profile, on="industry_code", how="left", maintain_order="left")


def derive(table: str, frame: pl.DataFrame, lists: DeriveLists) -> pl.DataFrame:
    """Return `frame` with the derived columns of `table`, in the contract's column order.

    `frame` holds the delivered columns, typed; other columns (provenance) are kept behind. Derived
    columns that are already there are left as they are.
    """
    contract: Table = CONTRACT.tables[table]
    wanted = [c.name for c in contract.derived if c.name not in frame.columns]
    extra = [c for c in frame.columns if c not in contract.by_name]
    if any(name.startswith("industry_") for name in wanted):
        frame = _with_industry(frame, lists)
    frame = frame.with_columns([EXPRESSIONS[name].alias(name) for name in wanted])
    return frame.select([c.name for c in contract.all_columns] + extra)
