"""What the matcher learns from: which pairs are counted, which may carry a label."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from audit.matching import settling
from audit.matching.keys import JOINTS, ONE_SET_ONLY, SINGLES
from audit.matching.matcher import match_units
from audit.matching.pairs import compare_candidates, ranked, weigh_compared
from audit.matching.registers import Side, match_registers
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Counted, shipped
from tests.matching_units import unit, units

CODE, ORG = "91430102MA4L000018", "MA4L00001"
FIRM = {"trade": "宏鑫达", "industry": "建材", "owner": "王明", "phone": 13_812_345_678}
OTHER = {"trade": "永兴", "industry": "五金", "owner": "李强", "phone": 13_912_345_678}
HEADQUARTERS = {"kind": "establishment", "headquarters": True, "parent": ORG}
ELSEWHERE = {"region": "430103001001", "activity": 1000}


def _counted(*rows: dict[str, Any]) -> Counted:
    records, features = units([unit(id=f"u{i}", **row) for i, row in enumerate(rows)])
    settings = MatchSettings()
    compared = compare_candidates(features, ranked(records["record_id"]), settings)
    return weigh_compared([compared], shipped(), settings)[0].counted


@pytest.mark.parametrize(
    ("pair", "n_pairs", "n_learnable"),
    [
        pytest.param((FIRM, FIRM), 1, 1, id="two of one kind"),
        pytest.param((FIRM, {**FIRM, "kind": "self_employed"}), 1, 0, id="unit and household"),
        pytest.param(
            ({**FIRM, "code": CODE}, {**OTHER, **ELSEWHERE, "code": CODE}), 1, 0, id="code only"
        ),
        pytest.param(({**FIRM, "code": CODE}, FIRM | HEADQUARTERS), 0, 0, id="own headquarters"),
    ],
)
def test_pairs_are_counted_for_what_they_can_teach(
    pair: tuple[dict[str, Any], dict[str, Any]], n_pairs: int, n_learnable: int
) -> None:
    counted = _counted(*pair)

    assert (n_pairs, n_learnable) == (counted.pairs.sum(), counted.learnable.sum())
    assert 1 == len(counted.patterns)


def test_headquarters_that_look_like_another_unit_are_told_all_the_same() -> None:
    rows = [unit(id="a", **FIRM, code=CODE), unit(id="b", **OTHER, **HEADQUARTERS)]
    found = match_units(*units(rows))

    assert ["headquarters"] == found.links["relation"].to_list()
    assert found.links["probability"][0] < MatchSettings().possible_at


def test_whatever_proposes_pairs_brings_units_to_a_register() -> None:
    shared, at = set(settling._SHARED), set(settling._SHARED_AT)
    joints = set(JOINTS) - {ONE_SET_ONLY}

    assert {"head", "tail"} == set(SINGLES) - shared
    assert [] == [joint for joint in joints if not shared & set(joint) and joint not in at]


def test_a_register_without_codes_is_learnt_from_as_a_whole() -> None:
    names = ["宏鑫达", "永兴", "华瑞"]
    fields = [
        unit(id=f"u{i}", trade=name, owner="王明", industry="建材") for i, name in enumerate(names)
    ]
    listed = [
        unit(
            id=f"r|{i}", trade=name, owner="王军", industry="建材", kind="register_unit",
            table="register_unit",
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    made = [units(rows) for rows in (fields, listed)]
    left, right = (Side(records=records, features=features) for records, features in made)
    quality = match_registers(left, right).quality.filter(pl.col("metric") == "records")

    # The sample and the register itself: three records and their three units each.
    assert 12.0 == quality["value"][0]
