"""Write names and addresses out of their parts."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Draw, choose, join_text, mask

MATCHER_COLUMNS = (
    "record_id", "table_name", "name", "credit_code", "org_code", "owner", "phone_fixed",
    "phone_mobile", "address", "region_code", "industry_code", "is_headquarters",
    "parent_credit_code",
)  # fmt: skip
"""The columns of a record, in the order of the matcher's input."""


def styles(draw: Draw, n: int) -> dict[str, pl.Series]:
    """Return how each record writes its name and its address."""
    return {
        "bracketed": pl.Series(draw.chance(n, 0.04)),
        "head_style": pl.Series(draw.index(4, n, [25.0, 40.0, 25.0, 10.0])),
        "town_style": pl.Series(draw.chance(n, 0.45)),
        "room_style": pl.Series(draw.index(4, n, [45.0, 20.0, 20.0, 15.0])),
        "number_style": pl.Series(draw.index(10, n, [88.0, 4.0, 3.0, 5.0, 0, 0, 0, 0, 0, 0])),
    }


def names(parts: pl.DataFrame) -> pl.Series:
    """Return the names: place, trade name, industry words, form, branch."""
    inside = parts["bracketed"] & (parts["region"] != "") & (parts["kind"] == 0)
    usual = join_text(*(parts[c] for c in ("region", "trade", "word", "ending", "branch")))
    bracket = join_text(
        parts["trade"], "（", parts["region"], "）", parts["word"], parts["ending"], parts["branch"]
    )
    return choose(inside, bracket, usual)


def addresses(parts: pl.DataFrame, province: str) -> pl.Series:
    """Return the addresses, each in its own style."""
    city, county = parts["city"], parts["county_name"]
    head = choose(parts["head_style"] == 0, join_text(province, city, county), "")
    head = choose(parts["head_style"] == 1, join_text(city, county), head)
    head = choose(parts["head_style"] == 2, county, head)
    number, style = parts["number"], parts["number_style"]
    text = choose(style == 1, join_text(number, "#"), join_text(number, "号"))
    text = choose(style == 2, join_text("No.", number), choose(style == 3, number, text))
    building = parts["building"]
    urban = join_text(
        choose(parts["town_style"], parts["town"], ""),
        parts["street"],
        text,
        building,
        _rooms(parts),
    )
    country = join_text(parts["town"], parts["village"], number, "组")
    return join_text(head, choose(parts["urban"], urban, country))


def _rooms(parts: pl.DataFrame) -> pl.Series:
    block, room, style = parts["block"], parts["room"], parts["room_style"]
    full = choose(
        style == 0, join_text(block, "栋", room, "室"), join_text(block, "幢", room, "号房")
    )
    short = choose(style == 2, join_text(block, "-", room), join_text(room, "室"))
    return choose(parts["has_room"], choose(style < 2, full, short), "")


def write_columns(parts: pl.DataFrame, province: str) -> pl.DataFrame:
    """Return the frame with `name` and `address` filled from their parts."""
    return parts.with_columns(name=names(parts), address=addresses(parts, province))


def own_org_codes(draw: Draw, parts: pl.DataFrame) -> pl.Series:
    """Return the organisation code beside the credit code, filled by three units in ten."""
    return mask(parts["full_org"], np.asarray(draw.chance(parts.height, 0.3)))
