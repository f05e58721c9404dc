"""Where the units stand: counties, townships, villages, streets and houses."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.firms import pools
from sample_data.draws import Draw, Ints, choose, digits, join_text

TOWNSHIPS, URBAN_TOWNSHIPS, VILLAGES = 24, 15, 30
PLACE_COLUMNS = (
    "region_code", "city", "county_name", "town", "village", "urban", "street", "number",
    "building", "block", "room", "has_room", "head_style", "town_style", "room_style",
    "number_style",
)  # fmt: skip


def county_table(words: pools.Words, city: str | None = None) -> pl.DataFrame:
    """Return county_code, city, county_name of a province or of one of its cities."""
    schema = ["county_code", "city", "county_name"]
    return pl.DataFrame(pools.counties(words, city), schema=schema, orient="row")


def _place_names() -> pl.Series:
    return pl.Series([a + b for a in pools.PLACE_FIRST for b in pools.PLACE_LAST])


def town_names(county: Ints, township: Ints) -> pl.Series:
    """Return the name of each township: streets in town, then towns in the country."""
    names = _place_names()
    ending = choose(township <= URBAN_TOWNSHIPS, "街道", "镇")
    return join_text(names.gather((county * 131 + township * 29) % len(names)), ending)


def village_names(county: Ints, township: Ints, village: Ints) -> pl.Series:
    """Return the name of each village."""
    names = _place_names()
    at = (county * 977 + township * 613 + village * 71) % len(names)
    return join_text(names.gather(at), "村")


def settle(
    draw: Draw, county: Ints, places: pl.DataFrame, villages: int | None = None
) -> dict[str, pl.Series]:
    """Return a place for each unit in its county (a position in `places`).

    With `villages` all stand in so many of the county's first township.
    """
    n = len(county)
    home = places[county]
    township = draw.whole(1, 1 if villages else TOWNSHIPS, n)
    village = draw.whole(1, villages or VILLAGES, n)
    urban = township <= URBAN_TOWNSHIPS
    roads, tails = pl.Series(pools.ROADS), pl.Series(pools.ROAD_TAILS)
    road = (draw.rng.random(n) ** 1.6 * 70).astype(np.int64) + county * 17
    street = join_text(
        roads.gather(road % len(roads)), tails.gather((road * 7 + county) % len(tails))
    )
    number = (draw.rng.random(n) ** 1.5 * 600).astype(np.int64) + 1
    group = draw.whole(1, 16, n)
    last = digits(np.where(urban, village, 200 + village), 3)
    return {
        "region_code": join_text(home["county_code"], digits(township, 3), last),
        "city": home["city"],
        "county_name": home["county_name"],
        "town": town_names(county, township),
        "village": village_names(county, township, village),
        "urban": pl.Series(urban),
        "street": choose(urban, street, ""),
        "number": digits(np.where(urban, number, group), 1),
        "building": choose(draw.chance(n, 0.3), draw.pick(pools.BUILDINGS, n), ""),
        "block": digits(draw.whole(1, 20, n), 1),
        "room": digits(draw.whole(1, 30, n) * 100 + draw.whole(1, 12, n), 1),
        "has_room": pl.Series(draw.chance(n, 0.45)),
    }


def region_list(words: pools.Words, city: str | None = None) -> pl.DataFrame:
    """Return the statistical regions: region_code (12 digits), name, from province to village."""
    places = county_table(words, city)
    code = pl.col("county_code")
    county = np.arange(places.height)
    town = np.repeat(county, TOWNSHIPS)
    township = np.tile(np.arange(1, TOWNSHIPS + 1), len(county))
    towns = pl.DataFrame({"t": town_names(town, township), "n": township}).with_columns(
        county_code=places["county_code"].gather(town)
    )
    at = np.repeat(np.arange(len(town)), VILLAGES)
    village = np.tile(np.arange(1, VILLAGES + 1), len(town))
    rural = township[at] > URBAN_TOWNSHIPS
    villages = pl.DataFrame(
        {
            "region_code": join_text(
                places["county_code"].gather(town[at]),
                digits(township[at], 3),
                digits(np.where(rural, 200 + village, village), 3),
            ),
            "name": join_text(village_names(town[at], township[at], village), "委会"),
        }
    ).filter(pl.Series(rural))
    parts = [
        places.select(region_code=code.str.slice(0, 2) + "0" * 10, name=pl.lit(words.province)),
        places.select(region_code=code.str.slice(0, 4) + "0" * 8, name="city"),
        places.select(region_code=code + "0" * 6, name="county_name"),
        towns.select(region_code=code + pl.col("n").cast(pl.String).str.zfill(3) + "000", name="t"),
        villages,
    ]
    return pl.concat(parts).unique("region_code").sort("region_code")
