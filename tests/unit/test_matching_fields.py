"""Codes, telephones, addresses and persons as the matcher reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from audit.codes import CREDIT_ALPHABET, ORG_ALPHABET
from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.parsing import parse_units
from audit.matching.records import RECORD_SCHEMA

REGIONS = pl.DataFrame(
    {
        "region_code": ["430408000000", "430408001000", "430422000000", "430422113000"],
        "name": ["蒸湘区", "红湘街道", "衡南县", "鸡笼镇"],
    }
)
GAZETTEER = Gazetteer.from_regions(REGIONS)
LEXICON = Lexicon.shipped()
RIGHT = "9144030071526726XG"


def parse(*rows: dict[str, Any]) -> Features:
    records = pl.DataFrame(list(rows), schema=RECORD_SCHEMA)
    return parse_units(records, gazetteer=GAZETTEER, lexicon=LEXICON)


def column(field: str, source: str, values: list[str | None], **others: str) -> list[int]:
    found: list[int] = getattr(parse(*({source: v, **others} for v in values)), field).tolist()
    return found


@settings(max_examples=30)
@given(st.lists(st.text(CREDIT_ALPHABET, min_size=17, max_size=17), min_size=1, max_size=20))
def test_credit_check_agrees_with_stdnum(bodies: list[str]) -> None:
    codes = []
    for body in bodies:
        organ = body[8:16] + _org_check(body[8:16])
        whole = body[:8] + organ
        codes += [whole + uscc.calc_check_digit(whole), whole + "0"]
    expected = [_is_valid(code) for code in codes]

    assert expected == column("credit_ok", "credit_code", codes)


def _org_check(body: str) -> str:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * ORG_ALPHABET.index(c) for w, c in zip(weights, body, strict=True))
    return "0123456789X0"[11 - total % 11]


def _is_valid(code: str) -> bool:
    return code[17] == str(uscc.calc_check_digit(code[:17])) and len(set(code)) > 1


def test_credit_code_is_right_only_with_both_check_characters() -> None:
    wrong_organ = RIGHT[:16] + "1"
    wrong_organ += uscc.calc_check_digit(wrong_organ)
    units = parse({"credit_code": RIGHT}, {"credit_code": wrong_organ}, {"credit_code": None})

    assert [True, False, False] == units.credit_ok.tolist()
    assert [True, False, False] == units.org_ok.tolist()


def test_misread_characters_are_repaired() -> None:
    writings = [
        "9144O3OO7IS26726XG",
        "９１４４０３００７１５２６７２６ｘｇ",
        " 91440300-71526726-XG",
    ]

    assert column("credit", "credit_code", [RIGHT]) * 3 == column("credit", "credit_code", writings)


def test_organisation_code_is_the_same_from_every_place() -> None:
    rows = [{"credit_code": RIGHT}, {"org_code": "71526726-X"}, {"credit_code": "71526726x"}]
    units = parse(*rows, {"parent_credit_code": RIGHT})

    assert 1 == len({*units.org[:3].tolist(), int(units.parent[3])} - {0})
    assert [True, True, True, False] == units.org_ok.tolist()
    assert 0 == units.org[3]


def test_placeholder_codes_are_missing() -> None:
    units = parse({"credit_code": "0" * 18}, {"org_code": "1" * 9}, {"org_code": "无"})

    assert [0, 0, 0] == units.org.tolist()
    assert [0, 0, 0] == units.credit.tolist()


def test_code_symbols_are_places_in_the_alphabet() -> None:
    units = parse({"credit_code": RIGHT}, {"credit_code": RIGHT[:17]})

    assert [CREDIT_ALPHABET.index(c) for c in RIGHT] == units.code_symbols[0].tolist()
    assert [255] * 18 == units.code_symbols[1].tolist()


@pytest.mark.parametrize(
    "writing",
    [
        "0734-8123457",
        "07348123457",
        "8123457",
        "+86 734 8123457",
        "0086-734-8123457",
        "（０７３４）8123457",
        "0734-8123457-801",
        "8123457转801",
        "电话：8123457",
        "0734 8123457、13807341234",
        "8123457/8123468",
    ],
)
def test_fixed_number_has_one_way_of_writing(writing: str) -> None:
    found = column("phone_a", "phone_fixed", [writing], region_code="430408001001")

    assert [7348123457] == found


@pytest.mark.parametrize(
    "writing",
    [
        "13807341234",
        "+8613807341234",
        "138-0734-1234",
        "013807341234",
        "138 0734 1234",
        "8613807341234",
    ],
)
def test_mobile_number_has_one_way_of_writing(writing: str) -> None:
    assert [13807341234] == column("phone_b", "phone_mobile", [writing])


def test_second_number_of_a_cell_takes_the_free_place() -> None:
    cells = ["0734-8123457、13807341234", "0734-8123457 13807341234", "13807341234；0734-8123457"]
    units = parse(*({"phone_fixed": cell} for cell in cells))

    assert [7348123457, 7348123457, 13807341234] == units.phone_a.tolist()
    assert [13807341234, 13807341234, 7348123457] == units.phone_b.tolist()


@pytest.mark.parametrize(
    "writing", ["无", "1234567", "00000000000", "8888888", "0734", "12345678", None]
)
def test_number_that_cannot_be_is_missing(writing: str | None) -> None:
    assert [0] == column("phone_a", "phone_fixed", [writing], region_code="430408001001")


def test_area_code_is_not_guessed_for_an_unknown_city() -> None:
    assert [8123457] == column("phone_a", "phone_fixed", ["8123457"], region_code="999900000000")


@pytest.mark.parametrize(
    ("field", "writings"),
    [
        ("road", ["湖南省衡阳市蒸湘区解放路35号", "解放路", "衡阳市红湘街道解放路三十五号"]),
        ("road_no", ["衡阳市蒸湘区解放路35号", "解放路３５号", "解放路三十五号301室（二楼）"]),
        ("road_no", ["五一路一百零八号", "五一路108号", "五一路108"]),
        ("road_no", ["船山大道10号", "船山大道十号", "蒸湘区船山大道（北）10号"]),
        ("road_no", ["衡南县鸡笼镇笑一村三组", "鸡笼镇笑一村3组"]),
        ("road_no", ["12 High Street, Leeds", "12 High St., Leeds LS1", "12 HIGH STREET"]),
        ("room", ["解放路35号301室", "解放路35号3栋301", "解放路三十五号三〇一室"]),
        ("address", ["衡阳市解放路35号301室", "解放路35号301", "解放路三十五号三〇一"]),
    ],
)
def test_ways_to_write_an_address_are_one(field: str, writings: list[str]) -> None:
    values = column(field, "address", list(writings))

    assert values[0] != 0
    assert [values[0]] * len(values) == values


def test_addresses_stay_apart() -> None:
    units = parse(*({"address": a} for a in ("解放路35号", "解放路3-5号", "华新路35号", "解放路")))

    assert 3 == len(set(units.road_no[:3].tolist()) - {0})
    assert 0 == units.road_no[3]
    assert [True, True, False, True] == (units.road == units.road[0]).tolist()


def test_place_codes_reach_as_far_as_they_are_written() -> None:
    codes = ["430422113201", "430422113000", "430422", None, "4304"]
    units = parse(*({"region_code": code} for code in codes))

    assert [430422, 430422, 430422, 0, 430400] == units.county.tolist()
    assert [430422113, 430422113, 0, 0, 0] == units.township.tolist()
    assert [430422113201, 0, 0, 0, 0] == units.village.tolist()


def test_owner_is_the_first_person_however_written() -> None:
    writings: list[str | None] = [
        "张三",
        "张 三",
        "張三",
        "张三、李四",
        "张三（店长）",
        "章三",
        "无",
        None,
    ]
    units = parse(*({"owner": w} for w in writings))

    assert [True] * 5 + [False] * 3 == (units.owner == units.owner[0]).tolist()
    assert [True] * 6 + [False] * 2 == (units.owner_sound == units.owner_sound[0]).tolist()
    assert [0, 0] == units.owner[6:].tolist()
    assert [ord("张"), ord("三"), 0, 0, 0, 0] == units.owner_chars[3].tolist()


def test_kind_and_industry_are_read() -> None:
    units = parse(
        {"table_name": "self_employed", "industry_code": "0511"},
        {"table_name": "elsewhere", "industry_code": "51"},
    )

    assert [3, 0] == units.kind.tolist()
    assert [511, 0] == units.industry_code.tolist()


def test_masks_share_most_bits_of_like_texts() -> None:
    units = parse(*({"address": a} for a in ("解放路35号", "解放路36号", "船山大道万达广场")))
    shared = np.bitwise_count(units.address_bag & units.address_bag[0]).tolist()

    assert shared[0] > shared[1] > shared[2]
