"""Blocking: which pairs of units are looked at, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import pytest

from audit.matching.blocking import Candidates, candidates
from audit.matching.pairs import CODE_KEYS, ranked
from audit.matching.settings import MatchSettings
from tests.matching_units import unit, units

_VILLAGE, _JOINT = "430102001001", "village+activity"
_PARTED = f"{_JOINT}+character"
_SIGNS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"


def _shop(number: int, trade: str, **given: Any) -> dict[str, Any]:
    """A unit that shares nothing but village and industry with the others."""
    return unit(id=f"u{number:02d}", trade=trade, industry=f"业{number}", form=0, **given)


def _proposed(rows: list[dict[str, Any]], settings: MatchSettings | None = None) -> Candidates:
    records, features = units(rows)
    return candidates(features, ranked(records["record_id"]), settings or MatchSettings())


def _pairs(found: Candidates) -> set[tuple[int, int]]:
    return set(zip(found.left.tolist(), found.right.tolist(), strict=True))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, {(0, 1)}),
        ({"activity": 6000}, set()),
        ({"region": "430102001002"}, set()),
    ],
)
def test_units_of_one_village_and_industry_meet_under_other_names(
    other: dict[str, object], expected: set[tuple[int, int]]
) -> None:
    assert expected == _pairs(_proposed([_shop(0, "宏达"), _shop(1, "永兴", **other)]))


def test_too_many_of_one_village_and_industry_meet_by_a_character_only() -> None:
    rows = [_shop(i, sign * 2) for i, sign in enumerate(_SIGNS)]
    found = _proposed([*rows, _shop(len(rows), "甲庚")])

    assert {(0, 20), (6, 20)} == _pairs(found)
    assert (1, 21) == found.capped[_JOINT]
    assert (0, 0) == found.capped[_PARTED]


def test_too_many_of_one_character_are_counted_as_left_out() -> None:
    found = _proposed([_shop(i, f"甲{sign}") for i, sign in enumerate(_SIGNS)])

    assert set() == _pairs(found)
    assert (1, 20) == found.capped[_PARTED]


def test_a_frequent_person_is_joined_with_the_town_however_the_name_is_heard() -> None:
    elsewhere = [
        unit(id=f"u{i}", trade=sign * 2, industry=sign, owner="张三", region=f"4301{i:02d}001001")
        for i, sign in enumerate(_SIGNS[:8], start=10)
    ]
    pair = [
        unit(id="a", trade="宏达", owner="张三", region="430102001001", activity=1000),
        unit(id="b", trade="永兴", industry="五金", owner="章三", region="430102001002"),
    ]
    found = _proposed([*pair, *elsewhere])

    assert (0, 1) in _pairs(found)
    assert 1 == found.proposed["owner_sound+township"]


def test_a_pair_that_many_keys_propose_is_one_pair() -> None:
    found = _proposed([_shop(0, "宏达"), _shop(1, "宏达"), _shop(2, "宏达")])

    assert [(0, 1), (0, 2), (1, 2)] == list(zip(found.left, found.right, strict=True))
    assert all(keys.bit_count() > 1 for keys in found.keys.tolist())


def test_the_second_half_of_a_code_proposes_pairs_within_a_town_only() -> None:
    half = [
        _shop(
            i, trade, region=f"43010200{town}001", activity=1000 + i, code=f"91430102MA{i}LAB1CX{i}"
        )
        for i, (trade, town) in enumerate([("宏达", 1), ("永兴", 1), ("华瑞", 2)])
    ]
    found = _proposed(half)

    assert {(0, 1)} == _pairs(found)
    assert 1 == found.proposed["segment+township"]
    assert [0] == [keys & ~int(CODE_KEYS) for keys in found.keys.tolist()]


def test_a_house_number_is_counted_but_no_key_alone() -> None:
    rows = [
        _shop(i, trade, road="中山路", no="8", region=f"4301020{i}0001", activity=1000 + i)
        for i, trade in enumerate(["宏达", "永兴"])
    ]
    alone = _proposed([{**row, "room": str(i)} for i, row in enumerate(rows)])
    joined = _proposed([{**row, "room": str(i), "activity": 1000} for i, row in enumerate(rows)])

    assert set() == _pairs(alone)
    assert {(0, 1)} == _pairs(joined)
    assert [2, 2] == joined.holders["road_no"].tolist()
    assert "road_no" not in joined.capped
