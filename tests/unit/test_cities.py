"""Cities made of one sample: what must differ between two of them, and what must stay."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import polars as pl
import pytest

from audit.codes import credit_code_check_ok, credit_code_org_ok, org_code_check_ok
from audit.contracts import CONTRACT
from benchmarks.cities.codes import CITIES, moved_codes, moved_networks
from benchmarks.cities.transform import (
    SALT,
    Trail,
    chained,
    hidden_digests,
    is_known,
    make_city,
    moved,
)
from benchmarks.ten_cities import BEFORE, page
from sample_data.generate import generate
from sample_data.process import salt

PLACES = {"4304": "3602"}
RIGHT = "91430405770008674" + "5"
WRONG = "91430405770008674" + "6"


def _one(code: str, number: int = 1) -> str:
    return str(moved_codes(pl.Series([code]), PLACES, number)[0])


def test_right_credit_code_stays_right_in_the_region_of_the_city() -> None:
    made = pl.Series([_one(RIGHT)])
    assert made[0].startswith("91360205")
    assert credit_code_check_ok(made).to_list() == [True]
    assert credit_code_org_ok(made).to_list() == credit_code_org_ok(pl.Series([RIGHT])).to_list()


@pytest.mark.parametrize("number", range(CITIES))
def test_wrong_check_character_stays_wrong(number: int) -> None:
    assert credit_code_check_ok(pl.Series([_one(WRONG, number)])).to_list() == [False]


def test_code_of_another_region_keeps_its_region() -> None:
    assert _one("914401065551234560")[2:8] == "440106"


def test_one_body_is_never_given_in_two_cities() -> None:
    bodies = {_one(RIGHT, number)[8:16] for number in range(CITIES)}
    assert len(bodies) == CITIES


def test_codes_that_differ_in_one_place_still_do() -> None:
    first, second = _one("770008674", 5), _one("780008674", 5)
    assert [a == b for a, b in zip(first[:8], second[:8], strict=True)] == [True, False] + 6 * [
        True
    ]


def test_organisation_code_of_a_headquarters_goes_with_the_credit_code() -> None:
    assert _one("77000867B", 7) == _one(RIGHT, 7)[8:16] + "B"


def test_organisation_code_stays_right() -> None:
    assert org_code_check_ok(pl.Series(["770008674"])).to_list() == [True]
    assert org_code_check_ok(pl.Series([_one("770008674", 8)])).to_list() == [True]


def test_code_for_a_parent_not_found_and_code_of_odd_length_stay() -> None:
    codes = pl.Series(["1" * 18, "1" * 9, "9143", None])
    assert moved_codes(codes, PLACES, 3).to_list() == codes.to_list()


def test_networks_of_cities_are_apart_and_private_ones_stay() -> None:
    given = pl.Series(["58.1.2.3", "222.240.12.0/24", "10.0.0.7", None])
    first, second = (moved_networks(given, n).to_list() for n in (0, 1))
    assert first == ["20.1.2.3", "25.240.12.0/24", "10.0.0.7", None]
    assert second == ["26.1.2.3", "31.240.12.0/24", "10.0.0.7", None]


def _edits(rows: list[tuple[int, str, str]]) -> pl.DataFrame:
    """Return edits of event_id, previous digest and digest."""
    return pl.DataFrame(
        {
            "event_id": [row[0] for row in rows],
            "previous_digest": [row[1] or None for row in rows],
            "digest": [row[2] for row in rows],
            **{name: ["x"] * len(rows) for name in ("unit_id", "table_name", "field", "old_value",
                                                    "new_value", "editor_id")},
            "edited_at": ["2019-03-10 08:00:00"] * len(rows),
        }
    ).with_columns(pl.col("edited_at").str.to_datetime())  # fmt: skip


def _digest(before: str, number: int, unit: str = "x") -> str:
    return sha256(f"{before}|{number}|{unit}|x|x|x|x|x|2019-03-10 08:00:00".encode()).hexdigest()


def test_trail_of_the_next_city_goes_on_behind_the_first() -> None:
    one = _digest("", 1)
    old = _edits([(1, "", one), (2, one, _digest(one, 2))])
    trail = Trail(event_id=7, digest="end of the first")
    made = chained(old, old.with_columns(unit_id=pl.lit("Bx")), trail)
    first = _digest("end of the first", 8, "Bx")
    assert made["event_id"].to_list() == [8, 9]
    assert made["previous_digest"].to_list() == ["end of the first", first]
    assert made["digest"].to_list() == [first, _digest(first, 9, "Bx")]
    assert (trail.event_id, trail.digest) == (9, made["digest"][1])


def test_rewritten_entry_of_a_trail_stays_wrong_and_the_next_follows_it() -> None:
    old = _edits([(1, "", "rewritten"), (2, "rewritten", _digest("rewritten", 2))])
    made = chained(old, old, Trail())
    first = made["digest"][0]
    assert first != _digest("", 1)
    assert made["digest"][1] == _digest(first, 2)


def test_confidential_unit_is_hidden_by_its_new_code() -> None:
    old = pl.DataFrame({"name": ["样本保密单位1"], "credit_code": ["old"]})
    new = pl.DataFrame({"name": ["乙样本保密单位1"], "credit_code": ["new"]})
    listed = pl.DataFrame({"digest": [sha256(f"{salt(5)}old".encode()).hexdigest(), "other"]})
    city = make_city(1, 5, pl.DataFrame(schema={"name": pl.String, "level": pl.String}))
    made = hidden_digests(city, old, new, listed).to_list()
    assert made[0] == sha256(f"{SALT}new".encode()).hexdigest()
    assert made[1] != hidden_digests(replace(city, number=2), old, new, listed)[1]


def test_every_key_column_is_told_apart_or_known_to_need_nothing() -> None:
    unknown = [
        f"{table.name}.{name}"
        for table in CONTRACT.delivered
        for name in table.key
        if not is_known(table.by_name[name])
    ]
    assert unknown == []


@pytest.fixture(scope="module")
def cities() -> list[dict[str, pl.DataFrame]]:
    made = generate(500, 3)
    towns = made["region"].filter(pl.col("level") < "5")
    trail = Trail()
    return [moved(made, make_city(number, 3, towns), trail) for number in (0, 1)]


def test_two_cities_of_one_sample_share_no_key(cities: list[dict[str, pl.DataFrame]]) -> None:
    for table in CONTRACT.delivered:
        keys = [city[table.name].select(table.key) for city in cities]
        shared = keys[0].join(keys[1], on=table.key, how="semi")
        assert shared.height == 0, table.name


def test_what_refers_to_each_other_still_does(cities: list[dict[str, pl.DataFrame]]) -> None:
    made = cities[1]
    for column, table, key in (
        ("frame_id", "frame_unit", "frame_id"),
        ("enumerator_id", "enumerator", "enumerator_id"),
        ("region_code", "region", "region_code"),
    ):
        known = made[table][key].to_list()
        assert made["self_employed"].filter(~pl.col(column).is_in(known)).height == 0, column
    blocks = made["census_block"]["block_id"].to_list()
    at = pl.col("region_code") + pl.col("block_code")
    assert made["establishment"].filter(~at.is_in(blocks)).height == 0
    own = made["legal_entity"]["credit_code"].drop_nulls().to_list()
    inside = made["establishment"].filter(pl.col("parent_region_code").str.starts_with("3602"))
    assert inside.height > 0
    assert inside.filter(~pl.col("parent_credit_code").is_in(own)).height == 0


def measured(cities: int, cpu: float, **failed: int) -> dict[str, object]:
    rules = [
        {"rule_id": rule, "cpu": cpu / 4, "failed": count} for rule, count in sorted(failed.items())
    ]
    spent = {stage: {"wall": 1.0, "cpu": 1.0} for stage in BEFORE}
    spent["ingest"] |= {"rows": 100 * cities, "refused": cities}
    return {
        "cities": cities, "before": spent, "wall": cpu, "cpu": cpu, "peak_mb": 1.0, "rules": rules,
    }  # fmt: skip


def test_page_tells_the_ratio_each_rule_and_what_grows_faster_than_the_cities() -> None:
    told = page(
        {
            "date": "2019-06-01", "machine": "m", "versions": "v", "units": 9, "checks": 2,
            "one": measured(1, 20.0, DUP001=20, PAD002=10),
            "many": measured(10, 210.0, DUP001=210, PAD002=400),
        }
    )  # fmt: skip
    assert "Check stage: 20.0 s CPU for one city, 10.5 × that for 10." in told
    assert "in each of 10 cities as in the one: PAD002.\n" in told
    assert "| DUP001 | 5.00 | 52.50 | 10.5 | 20 | 210 |" in told
