"""How well the matcher does on made-up firms with known truth; floors may only rise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml
from deliveries import run

from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.matcher import match_units
from audit.matching.parsing import parse_units
from audit.matching.records import Matched
from audit.matching.registers import Side, match_registers
from benchmarks.firms import pools
from benchmarks.firms.english import make_english
from benchmarks.firms.make import make, true_pairs
from benchmarks.firms.pairs import make_pair
from benchmarks.firms.places import region_list
from benchmarks.firms.units import Options
from benchmarks.linkage.scoring import Quality, hard, quality

FLOORS = yaml.safe_load((Path(__file__).parents[1] / "matching_floors.yaml").read_text("utf-8"))
BASE = Options(records=20_000, seed=11)
SMALL = replace(BASE, records=6_000)
NO_REGIONS = pl.DataFrame(schema={"region_code": pl.String, "name": pl.String})


def places(options: Options) -> Gazetteer:
    regions = region_list(pools.WORDS[options.words], options.city)
    return Gazetteer.from_regions(regions.filter(pl.col("region_code").str.ends_with("000")))


def linked(found: Matched) -> pl.DataFrame:
    return found.links.filter(pl.col("decision") == "link")


def matched(options: Options) -> tuple[Matched, pl.DataFrame, pl.DataFrame]:
    records, truth = make(options)
    found = match_units(records, parse_units(records, gazetteer=places(options)))
    return found, records, true_pairs(truth)


@pytest.fixture(scope="module")
def base() -> tuple[Matched, pl.DataFrame, pl.DataFrame]:
    return matched(BASE)


def test_pairs_of_the_usual_file_keep_their_floor(
    base: tuple[Matched, pl.DataFrame, pl.DataFrame],
) -> None:
    found, _, truth = base
    likely = found.links.filter(pl.col("probability") >= 0.5)

    assert quality(likely, truth).f1 >= FLOORS["pairs"]
    assert quality(linked(found), truth).f1 >= FLOORS["links"]


def test_pairs_without_one_code_keep_their_floor(
    base: tuple[Matched, pl.DataFrame, pl.DataFrame],
) -> None:
    found, records, truth = base

    assert quality(hard(linked(found), records), hard(truth, records)).f1 >= FLOORS["hard"]


def test_what_the_matcher_says_of_itself_is_near_the_truth(
    base: tuple[Matched, pl.DataFrame, pl.DataFrame],
) -> None:
    found, _, truth = base
    stated = dict(found.quality.select("metric", "value").iter_rows())
    real = quality(linked(found), truth)

    assert abs(stated["estimated_precision"] - real.precision) <= 0.004
    assert abs(stated["estimated_recall"] - real.recall) <= 0.02


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("careless", replace(SMALL, careless=True)),
        ("one_city", replace(SMALL, city="4304")),
        ("families", replace(SMALL, families=0.3)),
        ("few_codes", replace(SMALL, coverage=0.3)),
        ("other_words", replace(SMALL, words="other")),
    ],
)
def test_other_circumstances_keep_their_floor(name: str, options: Options) -> None:
    found, _, truth = matched(options)

    assert quality(linked(found), truth).f1 >= FLOORS[name]


def test_field_records_find_their_register_entries() -> None:
    options = replace(BASE, records=6_000)
    field, register, truth = make_pair(options)
    gazetteer = places(options)
    words = Lexicon.learn(pl.concat([field, register]), gazetteer=gazetteer)
    left, right = (
        Side(records=one, features=parse_units(one, gazetteer=gazetteer, lexicon=words))
        for one in (field, register)
    )

    found = quality(linked(match_registers(left, right)), truth)

    assert found.f1 >= FLOORS["register"]


def test_english_firms_without_any_label_keep_their_floor() -> None:
    records, truth = make_english(Options(records=5_000, seed=11))
    features = parse_units(records, gazetteer=Gazetteer.from_regions(NO_REGIONS))

    found = quality(linked(match_units(records, features)), true_pairs(truth))

    assert found.f1 >= FLOORS["english"]


@pytest.mark.slow
def test_one_hundred_thousand_firms_keep_their_floor() -> None:
    found, records, truth = matched(replace(BASE, records=100_000))
    hundred: Quality = quality(linked(found), truth)

    assert hundred.f1 >= FLOORS["links"]
    assert quality(hard(linked(found), records), hard(truth, records)).f1 >= FLOORS["hard"]


@pytest.mark.slow
def test_links_of_a_delivery_are_right_and_hard_pairs_are_at_least_asked(tmp_path: Path) -> None:
    root = Path(__file__).parents[3] / "shared" / "deliveries"
    if not root.exists():
        pytest.skip("../shared is not here: the made-up deliveries are kept outside the project")
    found = run(root / "small", tmp_path / "out", root / "small_truth" / "salt.txt")
    rows = found.table(
        "SELECT left_id, right_id, decision FROM linkage.link "
        "WHERE matcher = 'unit@1' AND decision <> 'non_link'"
    ).rows()
    named = pl.read_csv(root / "small_truth" / "pairs_truth.csv")
    named = named.filter(pl.col("kind") != "register_pair")
    truth = {tuple(sorted(pair)) for pair in named.select("left_id", "right_id").rows()}
    asked = {tuple(sorted(row[:2])) for row in rows}
    links = {tuple(sorted(row[:2])) for row in rows if row[2] == "link"}

    assert len(links & truth) >= 0.98 * len(links)
    assert truth <= asked
