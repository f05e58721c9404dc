"""Where units stand: the villages of Hengyang that the sample uses, census blocks, addresses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from sample_data.draws import Draw, Floats, Ints, choose, digits, join_text

REGIONS_FILE = Path(__file__).parent / "regions_hengyang.csv"
VINTAGE = "2018-10-31"
LEGAL_PER_VILLAGE = 16
OBJECTS_PER_BLOCK = 80

COUNTY_SHARES = {
    "430405": 2900, "430406": 2900, "430407": 2300, "430408": 3700, "430412": 496,
    "430421": 4300, "430422": 4306, "430423": 2104, "430424": 3500, "430426": 4000,
    "430471": 300, "430472": 3600, "430473": 844, "430481": 4444, "430482": 5106,
}  # fmt: skip
"""Legal entities by county (domain 4: published shares, the rest divided by hand)."""

SHORT_NAMES = {"430471": "综保区", "430472": "高新区", "430473": "松木经开区"}
CENTRES = {
    "430405": (112.65, 26.90), "430406": (112.61, 26.86), "430407": (112.60, 26.92),
    "430408": (112.57, 26.90), "430412": (112.73, 27.24), "430421": (112.37, 26.97),
    "430422": (112.68, 26.74), "430423": (112.87, 27.23), "430424": (112.95, 27.08),
    "430426": (112.12, 26.80), "430471": (112.63, 26.84), "430472": (112.57, 26.86),
    "430473": (112.61, 26.97), "430481": (112.85, 26.42), "430482": (112.40, 26.41),
}  # fmt: skip
STREETS = (
    "解放路", "人民路", "蒸湘路", "雁城路", "环城路", "建设路", "文化路",
    "工业大道", "沿江路", "府前街", "新正街", "芙蓉路", "红湘路", "船山路",
    "衡山路", "桥头街", "农贸街", "迎宾路", "振兴路", "蔡伦路",
)  # fmt: skip
COMMITTEE = r"(村民委员会|社区居民委员会|居民委员会|社区居委会|居委会|村委会)$"


@dataclass(frozen=True)
class Places:
    """The region list, the villages in use (with weights) and their blocks."""

    regions: pl.DataFrame
    villages: pl.DataFrame
    blocks: pl.DataFrame


def read_regions() -> pl.DataFrame:
    """Return the list of statistical regions, all vintages."""
    return pl.read_csv(REGIONS_FILE, infer_schema=False)


def _all_villages(regions: pl.DataFrame) -> pl.DataFrame:
    current = regions.filter(pl.col("vintage") == VINTAGE)
    names = current.select("region_code", "name")
    villages = current.filter(pl.col("level") == "5").select(
        "region_code",
        base=pl.col("name").str.replace_all(r"[()（）]", "").str.replace(COMMITTEE, ""),
        county_code=pl.col("region_code").str.slice(0, 6),
        township_code=pl.col("region_code").str.slice(0, 9),
        urban=pl.col("region_code").str.slice(9, 3) < "200",
    )
    bare = pl.col("base").str.replace(r"(社区|村)$", "")
    whole = pl.when(bare == "").then(pl.col("base")).otherwise(bare)
    ending = pl.when("urban").then(pl.lit("社区")).otherwise(pl.lit("村"))
    kept = pl.col("base").str.contains("(管理处|农场|林场)$")
    return (
        villages.with_columns(village=pl.when(kept).then("base").otherwise(whole + ending))
        .join(_named(names, "county", 6), on="county_code", how="left", maintain_order="left")
        .join(_named(names, "township", 9), on="township_code", how="left", maintain_order="left")
        .unique(["township_code", "village"], keep="first", maintain_order=True)
    )


def _named(names: pl.DataFrame, column: str, width: int) -> pl.DataFrame:
    ends = pl.col("region_code").str.slice(width) == "0" * (12 - width)
    return names.filter(ends).select(
        pl.col("region_code").str.slice(0, width).alias(f"{column}_code"),
        pl.col("name").alias(column),
    )


def _quotas(available: pl.DataFrame, wanted: int) -> dict[str, int]:
    """Return how many villages each county gives, at least one, at most what it has."""
    total = sum(COUNTY_SHARES.values())
    counts = dict(available.group_by("county_code").len().iter_rows())
    return {
        county: min(counts.get(county, 0), max(1, round(wanted * share / total)))
        for county, share in COUNTY_SHARES.items()
    }


def _used_villages(regions: pl.DataFrame, n_units: int, draw: Draw) -> pl.DataFrame:
    villages = _all_villages(regions)
    quotas = _quotas(villages, max(len(COUNTY_SHARES), n_units // LEGAL_PER_VILLAGE))
    favour = villages["urban"].to_numpy() * 3.0 + 1.0
    keys = draw.rng.random(villages.height) ** (1.0 / favour)
    ranked = villages.with_columns(key=pl.Series(keys)).with_columns(
        place=pl.col("key").rank("ordinal", descending=True).over("county_code"),
        quota=pl.col("county_code").replace_strict(quotas, default=0),
    )
    used = ranked.filter(pl.col("place") <= pl.col("quota")).sort("region_code")
    size = draw.rng.gamma(1.6, 1.0, used.height) * (used["urban"].to_numpy() + 0.6) + 0.15
    used = used.with_columns(size=pl.Series(size))
    share = pl.col("county_code").replace_strict(COUNTY_SHARES, return_dtype=pl.Float64)
    weight = pl.col("size") / pl.col("size").sum().over("county_code") * share
    return _with_blocks(used.with_columns(weight=weight / weight.sum()), n_units, draw)


def _with_blocks(used: pl.DataFrame, n_units: int, draw: Draw) -> pl.DataFrame:
    objects = used["weight"].to_numpy() * n_units * 8
    n_blocks = np.maximum(1, np.round(objects / OBJECTS_PER_BLOCK)).astype(np.int64)
    centres = np.array([CENTRES[c] for c in used["county_code"].to_list()])
    reach = np.where(used["urban"].to_numpy()[:, None], 0.04, 0.12)
    shift = draw.rng.uniform(-1.0, 1.0, (used.height, 2)) * reach
    return used.drop("key", "place", "quota", "size").with_columns(
        n_blocks=pl.Series(n_blocks),
        longitude=pl.Series(centres[:, 0] + shift[:, 0]).round(6),
        latitude=pl.Series(centres[:, 1] + shift[:, 1]).round(6),
        short=pl.col("county_code").replace_strict(SHORT_NAMES, default=pl.col("county")),
    )


def _blocks(villages: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    row = np.repeat(np.arange(villages.height), villages["n_blocks"].to_numpy())
    inside = np.arange(len(row)) - np.searchsorted(row, row)
    homes = villages[row].select("region_code", "village", "longitude", "latitude")
    grid = np.stack([inside % 12, inside // 12], axis=1) * 0.0045
    n = len(row)
    radius = mask_radius(draw, n)
    lon, lat = homes["longitude"].to_numpy() + grid[:, 0], homes["latitude"].to_numpy() + grid[:, 1]
    code = digits(inside + 1, 3)
    return pl.DataFrame(
        {
            "block_id": join_text(homes["region_code"], code),
            "region_code": homes["region_code"],
            "name": join_text(
                homes["village"], "第", pl.Series(inside + 1).cast(pl.String), "小区"
            ),
            "longitude": np.round(lon, 6),
            "latitude": np.round(lat, 6),
            "radius_m": radius,
            "boundary_wkt": choose(radius.is_null(), _squares(lon, lat), ""),
            "enumerator": np.arange(n) // 2,
        }
    ).with_columns(pl.col("boundary_wkt").replace("", None))


def mask_radius(draw: Draw, n: int) -> pl.Series:
    """Return 250 m for the blocks that have no boundary, NULL for the others."""
    return pl.Series(np.where(draw.chance(n, 0.6), 250.0, np.nan)).fill_nan(None)


def _squares(lon: Floats, lat: Floats) -> pl.Series:
    east, west = digits_of(lon + 0.0022), digits_of(lon - 0.0022)
    north, south = digits_of(lat + 0.002), digits_of(lat - 0.002)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    parts: list[pl.Series | str] = ["POLYGON (("]
    for number, (x, y) in enumerate(corners):
        parts += [", " if number else "", x, " ", y]
    return join_text(*parts, "))")


def digits_of(values: Floats) -> pl.Series:
    """Return decimals with six places as text."""
    return pl.Series(np.round(values, 6)).cast(pl.String)


def make_places(n_units: int, seed: int) -> Places:
    """Return the places of a city with n legal entities."""
    draw = Draw(seed, "places")
    regions = read_regions()
    villages = _used_villages(regions, n_units, draw)
    return Places(regions, villages, _blocks(villages, draw))


def settle(places: Places, n: int, draw: Draw) -> Ints:
    """Return n positions in `places.villages`, by weight."""
    return draw.index(places.villages.height, n, places.villages["weight"].to_numpy())


def addresses(places: Places, village: Ints, draw: Draw) -> pl.Series:
    """Return an address for each village position: a street in town, a group in the country."""
    n = len(village)
    home = places.villages[village]
    town = join_text(draw.pick(STREETS, n), digits(draw.whole(1, 399, n), 1), "号")
    group, number = digits(draw.whole(1, 12, n), 1), digits(draw.whole(1, 60, n), 1)
    country = join_text("第", group, "组", number, "号")
    head = choose(draw.chance(n, 0.2), "湖南省衡阳市", "衡阳市")
    where = join_text(head, home["county"], home["township"], home["village"])
    return join_text(where, choose(home["urban"], town, country))


def locate(places: Places, village: Ints, draw: Draw) -> pl.DataFrame:
    """Return region, block, building and address columns for village positions."""
    n = len(village)
    home = places.villages[village]
    block = (draw.rng.random(n) * home["n_blocks"].to_numpy()).astype(np.int64) + 1
    return pl.DataFrame(
        {
            "region_code": home["region_code"],
            "address": addresses(places, village, draw),
            "block_code": digits(block, 3),
            "building_code": digits(draw.whole(1, 60, n), 3),
        }
    )
