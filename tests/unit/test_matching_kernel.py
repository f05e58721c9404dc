"""The kernel of the matcher: distances, blocks, decisions."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from audit.matching.distances import one_digit_apart, within_one
from audit.matching.matcher import match_units
from audit.matching.orders import ordered_patterns
from audit.matching.records import Decisions, Matched
from audit.matching.registers import Side, match_registers
from audit.matching.weighing import shipped, weights_of
from tests.matching_units import chars, unit, units

CODES = [f"91430102MA{i:07d}X" for i in range(4000)]
NAMES = st.text(alphabet="宏鸿达远金鑫源兴", max_size=8)


def _found(rows: list[dict[str, object]], decisions: Decisions | None = None) -> Matched:
    return match_units(*units(rows), decisions=decisions)


def _pair(found: Matched, decision: str) -> list[tuple[str, str]]:
    links = found.links.filter(pl.col("decision") == decision)
    return list(zip(links["left_id"], links["right_id"], strict=True))


def _town(n: int) -> list[dict[str, object]]:
    rng = random.Random(3)  # noqa: S311  # a made-up town, no secret
    rows = []
    for i in range(n):
        one = unit(
            id=f"u{i:05d}",
            trade="".join(rng.choices("宏达鑫源兴盛恒泰华瑞", k=3)),
            owner="王" + "".join(rng.choices("明华强丽芳军", k=2)),
            phone=13_000_000_000 + rng.randrange(10**9),
            road=rng.choice("东西南北") + "路",
            no=str(rng.randrange(200)),
            code=CODES[i],
        )
        rows.append(one)
        if i % 10 == 0:
            rows.append({**one, "id": f"v{i:05d}", "code": "" if i % 20 else CODES[i]})
    return rows


def test_hashes_alike_in_half_of_their_bits_make_no_link() -> None:
    firm = {"trade": "宏鑫达", "industry": "建材", "owner": "王明", "phone": 13_812_345_678}
    rows = [unit(**firm, id=f"u{form}", road="中山路", no="8", form=form) for form in (1, 2)]
    records, features = units(rows)
    half_alike = features.core ^ np.array([0, (1 << 32) | 1], np.uint64)

    found = match_units(records, features)
    other = match_units(records, replace(features, core=half_alike))

    assert [("u1", "u2")] == _pair(found, "link")
    assert [] == _pair(other, "link")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=20))
def test_one_edit_equals_the_oracle(pairs: list[tuple[str, str]]) -> None:
    left, right = (np.array([chars(p[side], 8) for p in pairs], np.uint16) for side in (0, 1))

    assert [OSA.distance(a, b) <= 1 for a, b in pairs] == within_one(left.T, right.T).tolist()


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (13800000000, 13800000001, True),
        (13812345678, 13812354678, True),
        (13899999999, 13900000000, False),
        (13800000000, 13800000000, False),
    ],
)
def test_one_digit_apart(left: int, right: int, expected: bool) -> None:
    found = one_digit_apart(np.array([left], np.uint64), np.array([right], np.uint64))

    assert [expected] == found.tolist()


def test_copies_are_linked_and_strangers_are_not() -> None:
    found = _found(_town(300))

    assert [(f"u{i:05d}", f"v{i:05d}") for i in range(0, 300, 10)] == _pair(found, "link")
    assert 60 == found.clusters.height


def test_order_of_rows_does_not_matter() -> None:
    rows = _town(200)
    one, other = _found(rows), _found(rows[::-1])

    assert one.links.equals(other.links)
    assert one.clusters.equals(other.clusters)
    assert one.links.equals(_found(rows).links)


def test_two_valid_different_codes_never_share_a_cluster() -> None:
    base = unit(owner="王明", phone=13812345678, road="东路", no="8")
    rows = [{**base, "id": f"u{i}", "code": code} for i, code in enumerate([*CODES[:3], ""])]
    found = _found([*rows, *_town(100)])

    held = found.clusters.filter(pl.col("record_id").is_in(["u0", "u1", "u2"]))
    assert held.height == held["cluster_id"].n_unique()


def _joined_by_hand(*extra: dict[str, object]) -> dict[str, str]:
    """Return the cluster of each record where a person joined u0 and u1, whose codes differ."""
    base = unit(owner="王明", phone=13812345678, road="东路", no="8")
    rows = [{**base, "id": f"u{i}", "code": code} for i, code in enumerate(CODES[:2])]
    said = pl.DataFrame({"left_id": ["u0"], "right_id": ["u1"], "same": [True]})
    found = _found([*rows, *({**base, **one} for one in extra)], Decisions(pairs=said))
    return dict(found.clusters.select("record_id", "cluster_id").iter_rows())


def test_what_a_person_joined_is_one_cluster_whatever_its_codes() -> None:
    assert {"u0": "u0", "u1": "u0"} == _joined_by_hand()


def test_every_code_that_a_person_joined_guards_against_a_third() -> None:
    extra = [{"id": "u2", "code": CODES[2]}, {"id": "u3", "code": CODES[1]}, {"id": "u4"}]

    cluster = _joined_by_hand(*extra)

    assert {"u0", "u1", "u3", "u4"} == {row for row in cluster if cluster[row] == "u0"}
    assert "u2" not in cluster


def test_decisions_of_people_bind() -> None:
    rows = _town(100)
    said = pl.DataFrame(
        {
            "left_id": ["u00000", "u00001"],
            "right_id": ["v00000", "u00055"],
            "same": [False, True],
        }
    )
    found = _found([{**r, "code": ""} for r in rows], Decisions(pairs=said))

    assert ("u00000", "v00000") in _pair(found, "non_link")
    assert ("u00001", "u00055") in _pair(found, "link")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_tiny_files_pass(n: int) -> None:
    assert 0 == _found(_town(3)[2 : 2 + n]).clusters.height


def test_one_name_on_many_rows_stays_bounded_and_is_listed() -> None:
    rows = [unit(id=f"u{i:05d}", owner="", code="") for i in range(2000)]
    found = _found(rows)
    listed = found.large_blocks.filter(pl.col("kind") == "name")

    assert [2000] == listed["n_records"].to_list()
    assert found.links.height < 10 * len(rows)


def test_headquarters_is_no_duplicate() -> None:
    shared = {"owner": "王明", "phone": 13812345678, "road": "东路", "no": "8", "code": CODES[0]}
    legal = unit(id="a", **shared)
    local = unit(id="b", kind="establishment", headquarters=True, parent=CODES[0][8:17], **shared)
    found = _found([legal, local])

    assert [("headquarters", "non_link")] == list(
        found.links.select("relation", "decision").iter_rows()
    )


def test_registers_are_assigned_one_to_one() -> None:
    town = [r for r in _town(100) if str(r["id"]).startswith("u")]
    listed = [{**r, "id": f"1|{r['id']}", "kind": "register_unit"} for r in town]
    left, right = (Side(records=r, features=f) for r, f in (units(town), units(listed)))
    found = match_registers(left, right)

    assert [(r["id"], f"1|{r['id']}") for r in town] == _pair(found, "link")


MARKET = {"road": "东路", "no": "8", "kind": "self_employed", "table": "self_employed"}


@pytest.mark.parametrize(
    "other",
    [
        {"trade": "坤川", "owner": "廖春东", "phone": 13900000002},
        {"trade": "", "industry": "旅馆", "generic": True, "owner": "廖春东", "phone": 13900000002},
        {"trade": "第22号", "industry": "商店"},
    ],
)
def test_neighbours_of_one_address_are_two(other: dict[str, object]) -> None:
    first = {
        key: {"trade": "安量", "owner": "江平豪", "phone": 13900000001, "industry": "摩托"}[key]
        for key in ("trade", "owner", "phone", "industry")
    }
    if other["trade"] == "第22号":
        first = {"trade": "第12号", "industry": "商店"}
    if other["trade"] == "":
        first |= {"trade": "", "industry": "旅馆", "generic": True}
    pair = [
        unit(**{**MARKET, **first, "id": "x1"}),
        unit(**{**MARKET, "industry": "摩托", **other, "id": "x2"}),
    ]
    found = _found([*pair, *_town(100)])

    linked = found.links.filter(
        (pl.col("left_id") == "x1") & (pl.col("decision") == "link")
        | (pl.col("left_id") == "x1") & (pl.col("probability") > 0.1)
    )
    assert linked.is_empty()


def test_a_unit_and_a_household_of_one_owner_may_have_a_code_each() -> None:
    shared = {"owner": "王明", "phone": 13812345678, "road": "东路", "no": "8"}
    firm = unit(id="x1", code=CODES[0], **shared)
    shop = unit(id="x2", code=CODES[1], kind="self_employed", table="self_employed", **shared)
    found = _found([firm, shop, *_town(100)[2:]])

    seen = found.links.filter(pl.col("left_id") == "x1").select("relation", "decision").rows()
    assert [("unit_and_household", "link")] == seen


def test_where_names_are_the_same_agreeing_more_never_lowers_the_weight() -> None:
    worse, better = ordered_patterns()
    start = shipped()
    loss = weights_of(worse, start) - weights_of(better, start)

    assert loss.max() <= 0.01


@pytest.mark.parametrize("n", [1, 3000])
def test_files_without_codes_and_names_are_matched_in_time(n: int) -> None:
    rows = [{**row, "code": "", "region": "430102001001"} for row in _town(n)]
    for row in rows[::5] + rows[1::5]:
        row |= {"trade": "", "industry": "", "form": 0}
    began = time.perf_counter()
    found = _found(rows)

    assert time.perf_counter() - began < 30
    assert found.links.height <= 10 * len(rows)


@pytest.mark.parametrize(("n", "level"), [(200, "village"), (300, "crowded"), (2_600, "thronged")])
def test_a_shared_village_is_told_by_how_many_stand_there(n: int, level: str) -> None:
    rows = [{**row, "code": "", "region": "430102001001"} for row in _town(n)]

    (said, *_) = _found(rows).links.filter(pl.col("decision") == "link")["comparison"].to_list()

    assert f'"region": "{level}"' in said


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ({"trade": "宏鑫达"}, {"trade": "宏远达"}, "trade_near_industry"),
        ({"trade": "宏鑫未"}, {"trade": "宏鑫末"}, "trade_slip_industry"),
        ({"trade": "宏鑫达未"}, {"trade": "宏鑫达末", "industry": "五金"}, "trade_slip"),
        ({"trade": "宏鑫达"}, {"trade": "宏达鑫"}, "trade_slip_industry"),
        ({"trade": "杰迅超市"}, {"trade": "杰迅购物"}, "trade_head"),
        ({"trade": "PARKER"}, {"trade": "PALACE"}, "differs"),
        ({"trade": "梅铺街道司法"}, {"trade": "梅铺街道税务"}, "differs"),
        ({"trade": "宏鑫一店"}, {"trade": "宏鑫二店"}, "differs"),
        ({"trade": "宏鑫达"}, {"trade": "宏鑫"}, "trade_cut_industry"),
        ({"trade": "宏鑫达"}, {"trade": "宏鑫达兴", "industry": "五金"}, "trade_cut"),
        (
            {"trade": "善鸿", "industry": "湘莲农机"},
            {"trade": "鸿湘莲", "industry": "农机"},
            "trade_cut_industry",
        ),
        ({"trade": "宏鑫达"}, {"trade": "鸿鑫达", "industry": "五金"}, "trade_sound"),
        ({"trade": "宏鑫达"}, {"trade": "鸿鑫达", "industry": ""}, "trade_sound_similar"),
        ({"trade": "宏鑫达"}, {"trade": "鸿鑫达"}, "core_sound"),
    ],
)
def test_trade_names_are_told_apart_by_how_they_differ(
    first: dict[str, object], second: dict[str, object], level: str
) -> None:
    shared = {"owner": "王明", "phone": 13812345678, "road": "东路", "no": "8"}
    found = _found([unit(id="x1", **shared, **first), unit(id="x2", **shared, **second)])

    (said,) = found.links["comparison"].to_list()

    assert f'"name": "{level}"' in said


def test_a_namesake_with_another_firm_elsewhere_is_no_link() -> None:
    shared = {"owner": "Jennifer Patel", "region": "430102001000"}
    one = unit(trade="Rock", industry="Software", phone=1489935564, road="Manor", no="1", **shared)
    two = unit(trade="Wild", industry="Joinery", phone=1857143899, road="Manor", no="214", **shared)

    found = _found([{**one, "id": "x1"}, {**two, "id": "x2"}])

    assert [] == _pair(found, "link")


def test_labelled_pairs_count_those_that_no_decision_is_near() -> None:
    firms = [("宏达", "五金", CODES[0]), ("金源", "建材", CODES[1])]
    rows = [
        unit(id=code, trade=trade, industry=industry, code=code, phone=13812345678)
        for trade, industry, code in firms
    ]

    counted = dict(_found(rows).quality.select("metric", "value").iter_rows())

    assert 1 == counted["labelled_pairs"]
