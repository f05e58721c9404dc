"""Fit the starting weights: `python -m benchmarks.linkage.fit_weights`.

A mixture of made-up worlds with known truth, seeds 901 and up (tests and benchmark use others).
Every world and level of the code has a base rate of its own, as the matcher gives each file its
own; so the points say what a level means whatever the file. Writes audit/matching/weights.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.features import U64
from audit.matching.fitting import Labelled, fit
from audit.matching.gazetteer import Gazetteer
from audit.matching.pairs import CODE_KEYS, compare_candidates, ranked
from audit.matching.parsing import parse_units
from audit.matching.records import RECORD_SCHEMA
from audit.matching.relations import headquarters
from audit.matching.scorecard import N_CELLS, cell_names, cells, score
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Weights, to_dict
from benchmarks.firms import pools
from benchmarks.firms.english import make_english
from benchmarks.firms.make import make
from benchmarks.firms.places import region_list
from benchmarks.firms.units import Options
from sample_data import generate
from sample_data.draws import Draw, digits, join_text, mask
from sample_data.identifiers import credit_codes

TARGET = Path(__file__).parents[2] / "audit" / "matching" / "weights.json"
VERSION = "2026.11.6"
MAIN = Options(records=120_000, seed=901)
CHINESE = (
    MAIN,
    replace(MAIN, records=200_000, seed=902, copies=0.03),
    replace(MAIN, records=40_000, seed=903, coverage=0.3),
    replace(MAIN, records=40_000, seed=904, coverage=0.05),
    replace(MAIN, records=20_000, seed=905, coverage=0.6),
    replace(MAIN, records=40_000, seed=906, careless=True),
    replace(MAIN, records=20_000, seed=907, city="4304"),
    replace(MAIN, records=20_000, seed=908, families=0.3),
    replace(MAIN, records=20_000, seed=909, words="other"),
    replace(MAIN, records=2_000, seed=910, copies=0.01),
    replace(MAIN, records=6_000, seed=911, coverage=0.3),
    replace(MAIN, records=80_000, seed=928, coverage=0.3),
    replace(MAIN, records=80_000, seed=929, coverage=0.05),
)
ENGLISH = (
    Options(records=20_000, seed=912),
    Options(records=5_000, seed=913),
    Options(records=5_000, seed=918),
    Options(records=10_000, seed=919, copies=0.03),
)
CROWDED = (
    replace(MAIN, records=20_000, seed=921, city="430408", villages=1),
    replace(MAIN, records=5_000, seed=922, city="430408", villages=1),
    replace(MAIN, records=20_000, seed=923, city="4304", villages=3),
    replace(MAIN, records=40_000, seed=924, city="4304", villages=8),
)
UNPLACED = (
    replace(MAIN, records=20_000, seed=925),
    replace(MAIN, records=20_000, seed=926, city="4304"),
    replace(MAIN, records=5_000, seed=927, city="430408"),
)
"""Worlds whose records give no region."""
CENSUS = ((3_000, 914), (6_000, 915), (12_000, 916), (9_000, 917))
SHORTENED = 0.05
"""Share of second enumerations whose name lost a character, whichever."""
RIDGE = 1.0
_STEPS = 50
_REGION_SHIFT = lv.SHIFTS[lv.INDEX[lv.REGION.id]]
LABELLED = (lv.CODE_VALID_DIFFER, lv.CODE_SAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Patterns of the candidate pairs of one world, and which are the same unit."""

    patterns: U64
    same: NDArray[np.bool_]


def _world(records: pl.DataFrame, units: pl.Series, places: pl.DataFrame) -> World:
    """Compare the candidates of records; `units` says which unit each record is of."""
    features = parse_units(records, gazetteer=Gazetteer.from_regions(places))
    settings = MatchSettings()
    compared = compare_candidates(features, ranked(records["record_id"]), settings)
    left, right = compared.found.left, compared.found.right
    wanted = (compared.found.keys & ~CODE_KEYS) != 0
    wanted &= ~headquarters(features, left, right)
    unit = units.to_numpy()
    return World(patterns=compared.patterns[wanted], same=(unit[left] == unit[right])[wanted])


def _shortened(names: pl.Series, draw: Draw, where: NDArray[np.bool_]) -> pl.Series:
    """Return the names, some with one character left out."""
    n = len(names)
    at = (draw.rng.random(n) * names.str.len_chars().fill_null(0).to_numpy()).astype(np.int64)
    frame = pl.DataFrame({"name": names, "at": at, "where": where})
    short = pl.col("name").str.slice(0, pl.col("at")) + pl.col("name").str.slice(pl.col("at") + 1)
    return frame.select(pl.when("where").then(short).otherwise("name")).to_series()


def _twice_told(records: pl.DataFrame, truth: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the records with some second enumerations among the other kind of unit.

    A household has a code of its own kind: it is another valid one, or none. Some names lost a
    character.
    """
    draw, n = Draw(seed, "twice"), records.height
    again = truth["copy"].to_numpy() > 0
    told = draw.chance(n, 0.08) & again
    short = Draw(seed, "shortened")
    records = records.with_columns(
        _shortened(records["name"], short, again & short.chance(n, SHORTENED))
    )
    firm = (records["table_name"] == "legal_entity").to_numpy()
    bodies = digits(draw.whole(10_000_000, 99_999_999, n), 8)
    others = credit_codes("92", pl.Series(["430400"] * n), bodies)
    own = mask(others, draw.chance(n, 0.6))
    household = pl.Series("told", told & firm)
    return records.with_columns(
        table_name=pl.when(household).then(pl.lit("self_employed")).otherwise(pl.col("table_name")),
        credit_code=pl.when(household).then(own).otherwise(pl.col("credit_code")),
        org_code=pl.when(household).then(None).otherwise(pl.col("org_code")),
    )


def _chinese(options: Options, *, placed: bool = True) -> World:
    records, truth = make(options)
    if not placed:
        records = records.with_columns(region_code=pl.lit(None, pl.String))
    places = region_list(pools.WORDS[options.words], options.city)
    return _world(_twice_told(records, truth, options.seed), truth["unit"], places)


def _english(options: Options) -> World:
    records, truth = make_english(options)
    nowhere = pl.DataFrame(schema={"region_code": pl.String, "name": pl.String})
    return _world(records, truth["unit"], nowhere)


def _census(n_units: int, seed: int) -> World:
    """A clean census: households, branches, markets and agencies, and few second enumerations."""
    tables = generate(n_units, seed)
    legal = tables["legal_entity"].rename({"legal_rep": "owner"})
    local = tables["establishment"].rename({"person_in_charge": "owner"})
    shops = tables["self_employed"].rename({"operator": "owner", "phone": "phone_mobile"})
    named = (("legal_entity", legal), ("establishment", local), ("self_employed", shops))
    units = pl.concat([_shaped(name, frame) for name, frame in named])
    units = units.with_row_index("unit")
    draw = Draw(seed, "again")
    again = units.filter(pl.Series(draw.chance(units.height, 0.02)))
    n = again.height
    short = Draw(seed, "shortened")
    again = again.with_columns(_shortened(again["name"], short, short.chance(n, SHORTENED)))
    phones = join_text("139", digits(draw.whole(10_000_000, 99_999_999, n), 8))
    again = again.with_columns(
        record_id=again["record_id"] + "x",
        name=pl.when(pl.Series(draw.chance(n, 0.4)))
        .then(pl.col("name").str.replace("^(湖南省|湖南)?(衡阳市|衡阳)?", ""))
        .otherwise(pl.col("name")),
        credit_code=mask(again["credit_code"], draw.chance(n, 0.5)),
        org_code=pl.lit(None, pl.String),
        phone_mobile=pl.when(pl.Series(draw.chance(n, 0.3)))
        .then(phones)
        .otherwise(pl.col("phone_mobile")),
        owner=mask(again["owner"], draw.chance(n, 0.9)),
        address=mask(again["address"], draw.chance(n, 0.85)),
    )
    both = pl.concat([units, again])
    places = tables["region"].select("region_code", "name")
    return _world(both.select(list(RECORD_SCHEMA)), both["unit"], places)


def _shaped(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    given = {"record_id": pl.col("unit_id"), "table_name": pl.lit(table)}
    if "is_headquarters" in frame.columns:
        given["is_headquarters"] = pl.col("is_headquarters") == "1"
    columns = [
        given.get(name, pl.col(name) if name in frame.columns else pl.lit(None))
        .cast(kind)
        .alias(name)
        for name, kind in RECORD_SCHEMA.items()
    ]
    return frame.select(columns)


def worlds() -> Iterator[World]:
    """Make every world in turn, the main one first."""
    yield from map(_chinese, CHINESE)
    yield from map(_english, ENGLISH)
    for n_units, seed in CENSUS:
        yield _census(n_units, seed)


def _group(world: int, patterns: U64) -> NDArray[np.int32]:
    """Return the group of each pattern: its world, and its code level (labelled ones together)."""
    code = lv.level_of(patterns, lv.CODE).astype(np.int32)
    own = np.where(np.isin(code, LABELLED), 0, code + 1)
    world = min(world, len(CHINESE)) if world < len(CHINESE) + len(ENGLISH) else world
    result: NDArray[np.int32] = (world * (len(lv.CODE.levels) + 1) + own).astype(np.int32)
    return result


def fitted(made: list[World]) -> Weights:
    """Return the weights fitted on all worlds; the first one gives base rate and shifts."""
    parts = []
    for number, world in enumerate(made):
        distinct, which = np.unique(_plain(world.patterns), return_inverse=True)
        same = np.bincount(which, world.same, len(distinct)).astype(np.float64)
        other = np.bincount(which, ~world.same, len(distinct)).astype(np.float64)
        parts.append((distinct, same, other, _group(number, distinct)))
    patterns, same, other, group = (np.concatenate(p) for p in zip(*parts, strict=True))
    width = len(lv.CODE.levels) + 1
    labelled = Labelled(
        cells=cells(patterns), same=same, other=other, group=group, groups=width * len(made)
    )
    found = fit(labelled, np.zeros(N_CELLS), -4.0, RIDGE)
    first = group == 0
    shifts = [float(x) for x in found.offsets[1:width]]
    latin = float(found.offsets[width * len(CHINESE) + 1])
    shifts[lv.CODE_VALID_DIFFER], shifts[lv.CODE_SAME] = -9.0, 9.0
    return Weights(
        version=VERSION,
        points=found.points,
        intercept=found.intercept,
        base_rate=float(same[first].sum() / (same[first] + other[first]).sum()),
        shifts=tuple(shifts),
        latin=latin,
    )


def _plain(patterns: U64) -> U64:
    """Return the patterns with a crowded village as any village, a vague region as the county."""
    level = lv.level_of(patterns, lv.REGION)
    plain = np.minimum(
        np.where(level == lv.REGION_VAGUE, lv.REGION_COUNTY, level), lv.REGION_VILLAGE
    )
    return patterns ^ ((level ^ plain).astype(np.uint64) << np.uint64(_REGION_SHIFT))


def with_region(weights: Weights, made: list[World], level: int) -> Weights:
    """Return the weights with the points of one level of the region, all others held.

    One number for the level and, drawn to zero, one for each level of the name: Newton's method
    on the pairs with two valid codes. Apart from the first fit, because worlds where all pairs are
    of one level could not tell it from their base rate.
    """
    patterns = np.concatenate([w.patterns for w in made])
    same = np.concatenate([w.same for w in made])
    wanted = lv.level_of(patterns, lv.REGION) == level
    wanted &= np.isin(lv.level_of(patterns, lv.CODE), LABELLED)
    patterns, same = patterns[wanted], same[wanted]
    given = score(weights.points, weights.intercept, cells(patterns))
    name = lv.level_of(patterns, lv.NAME)
    design = np.column_stack([np.ones(len(name)), np.eye(len(lv.NAME.levels))[name]])
    ridge = np.array([0.0] + [RIDGE] * len(lv.NAME.levels))
    found = np.zeros(len(ridge))
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(given + design @ found)))
        curved = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(ridge)
        found += np.linalg.solve(curved, design.T @ (same - p) - ridge * found).clip(-1, 1)
    points = weights.points.copy()
    cell = {name: i for i, name in enumerate(cell_names())}
    region = f"region={lv.REGION.levels[level][0]}"
    points[cell[region]] = found[0]
    for (name_id, *_), value in zip(lv.NAME.levels, found[1:], strict=True):
        points[cell[f"name={name_id}*{region}"]] = value
    return replace(weights, points=points.round(6))


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    args = parser.parse_args()
    weights, crowded = fitted(list(worlds())), [_chinese(options) for options in CROWDED]
    for level in (lv.REGION_CROWDED, lv.REGION_THRONGED):
        weights = with_region(weights, crowded, level)
    unplaced = [_chinese(options, placed=False) for options in UNPLACED]
    weights = with_region(weights, unplaced, lv.REGION_VAGUE)
    text = json.dumps(to_dict(weights), indent=0, sort_keys=True)
    args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
