"""Worked examples of docs/method/matching-names.md, and ways of writing that are one name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.parsing import name_parts, parse_units
from audit.matching.records import RECORD_SCHEMA

ROOT = Path(__file__).resolve().parents[2]
REGIONS = pl.read_csv(ROOT / "sample_data" / "regions_hengyang.csv", infer_schema=False)
GAZETTEER = Gazetteer.from_regions(REGIONS)
LEXICON = Lexicon.shipped()
COLUMNS = [
    "region_prefix",
    "trade_name",
    "industry_words",
    "org_form",
    "branch_part",
    "name_core",
]


def parse(*names: str | None, **others: str) -> Features:
    records = pl.DataFrame([{"name": name, **others} for name in names], schema=RECORD_SCHEMA)
    return parse_units(records, gazetteer=GAZETTEER, lexicon=LEXICON)


def _examples() -> list[list[str]]:
    page = (ROOT / "docs" / "method" / "matching-names.md").read_text("utf-8")
    rows = [re.split(r" ?\| ?", line)[1:-1] for line in page.splitlines() if line.startswith("|")]
    return [row for row in rows if row[0] not in ("name", "---")]


@pytest.mark.parametrize("row", _examples(), ids=lambda row: row[0])
def test_worked_example_is_split_as_the_page_says(row: list[str]) -> None:
    parts = name_parts(pl.Series([row[0]]), GAZETTEER, LEXICON).select(COLUMNS)

    assert [cell or None for cell in row[1:]] == list(parts.row(0))


def test_page_has_examples_of_every_kind_of_unit() -> None:
    assert len(_examples()) >= 40


@pytest.mark.parametrize(
    ("field", "writings"),
    [
        ("name", ["ＡＢＣ贸易有限公司", "abc贸易有限公司", "A B C 贸易有限公司"]),
        ("name", ["宏達貿易有限公司", "宏达贸易有限责任公司", "宏达贸易有限公司（本部）"]),
        ("name", ["宏达贸易有限公司", "宏达贸易限有公司", "宏达贸易有限责公任司"]),
        (
            "core",
            ["衡阳市宏达建材有限公司", "湖南省衡阳市宏達建材有限責任公司", "宏达(湖南)建材厂"],
        ),
        ("core", ["宏达建材有限公司", "宏达建材有限公司（原衡阳建材厂）", "【衡阳】宏达建材公司"]),
        ("core_sound", ["衡阳市宏达建材有限公司", "鸿达建材有限公司", "红达建材有限公司"]),
        ("trade_sound", ["章胜小吃店", "张生小吃店", "詹森早餐店"]),
        ("core", ["衡阳市第八中学", "衡阳第8中学", "衡阳市第八中學"]),
        ("core", ["衡南县鸡笼镇笑一堂村民委员会", "鸡笼镇笑一堂村委会", "鸡笼镇笑一堂村村委会"]),
        ("core", ["五一社区", "五一社区居民委员会", "五一居委会"]),
        ("branch", ["宏达公司第二门市部", "宏达公司第2门市部", "宏达公司（第二门市部）"]),
        ("name", ["Henan Trading Co., Ltd.", "HENAN TRADING LIMITED", "Henan Tradíng Company LTD"]),
        ("core", ["Smith & Sons Ltd", "Smith and Sons Limited", "SMITH AND SONS PLC"]),
        ("core", ["St. Mary's School", "Saint Marys School", "ST MARY’S SCHOOL"]),
        ("core", ["Tesco Stores Ltd", "TESCO STORE LIMITED - Leeds", "Tesco Stores"]),
        ("trade_sound", ["Phillips Roofing", "Filips Roofing Ltd", "PHILIPS Roofing Inc"]),
    ],
)
def test_ways_of_writing_are_one(field: str, writings: list[str]) -> None:
    values = getattr(parse(*writings), field)

    assert values[0] != 0
    assert [values[0]] * len(writings) == values.tolist()


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("core", ["衡阳市教育局", "衡南县教育局"]),
        ("core", ["衡南县第八中学", "衡阳市第八中学"]),
        ("core", ["衡南县鸡笼镇林业工作站", "衡南县三塘镇林业工作站"]),
        ("core", ["衡南县鸡笼镇文化中心", "衡南县三塘镇文化中心"]),
        ("core", ["笑一村委会", "笑一村卫生室"]),
        ("core", ["宏达建材有限公司", "宏远建材有限公司"]),
        ("branch", ["宏达公司第二门市部", "宏达公司第三门市部"]),
        ("name", ["Henan Trading Ltd", "Hunan Trading Ltd"]),
        ("trade_chars", ["𬭎达建材有限公司", "𬬭达建材有限公司"]),
    ],
)
def test_different_units_stay_apart(field: str, names: list[str]) -> None:
    first, second = getattr(parse(*names), field)

    assert not np.array_equal(first, second)


def test_sounds_do_not_merge_other_syllables() -> None:
    units = parse("宏达建材有限公司", "宏远建材有限公司")

    assert units.trade_sound[0] != units.trade_sound[1]


def test_trade_characters_are_code_points_and_syllables_share_numbers() -> None:
    units = parse("宏达建材有限公司", "鸿达建材有限公司")

    assert [ord("宏"), ord("达"), 0, 0] == units.trade_chars[0, :4].tolist()
    assert units.trade_sounds[0].tolist() == units.trade_sounds[1].tolist()
    assert units.trade_chars[0].tolist() != units.trade_chars[1].tolist()


def test_long_trade_names_differ_by_more_than_one_place_behind_the_eighth() -> None:
    units = parse("甲乙丙丁戊己庚辛壬店", "甲乙丙丁戊己庚辛癸店")

    assert 2 == int((units.trade_chars[0] != units.trade_chars[1]).sum())


@pytest.mark.parametrize(
    ("name", "generic"),
    [
        ("中心小学", True),
        ("村民委员会", True),
        ("美容美发店", True),
        ("衡阳市建筑工程公司", True),
        ("鸡笼镇中心小学", False),
        ("衡南县教育局", False),
        ("张三小吃店", False),
        ("宏达建材有限公司", False),
        ("Hospital", False),
    ],
)
def test_generic_is_a_name_that_tells_no_unit_from_another(name: str, generic: bool) -> None:
    assert generic == bool(parse(name).is_generic[0])


def test_unit_without_a_sign_is_called_by_its_owner() -> None:
    units = parse("无名", "张三", None, owner="张三")

    assert [True, True, True] == units.is_generic.tolist()
    assert [units.owner[0]] * 3 == units.trade.tolist()
    assert [0, units.owner[0], 0] == units.name.tolist()


def test_headquarters_is_marked_by_name_or_by_column() -> None:
    rows = [
        {"name": "宏达有限公司本部"},
        {"name": "宏达有限公司", "is_headquarters": True},
        {"name": "宏达有限公司"},
    ]
    units = parse_units(
        pl.DataFrame(rows, schema=RECORD_SCHEMA), gazetteer=GAZETTEER, lexicon=LEXICON
    )

    assert [True, True, False] == units.is_headquarters.tolist()
    assert 1 == len(set(units.name.tolist()))


def test_lexicon_learns_words_that_many_trade_names_share() -> None:
    trades = [a + b for a in "宏鑫源盛昌泰" for b in "达远运通和润安"]
    names = [f"衡阳{t}{word}有限公司" for t in trades for word in ("竹器", "冰淇淋")]
    records = pl.DataFrame({"name": names}, schema_overrides={"name": pl.String})

    learnt = Lexicon.learn(records, gazetteer=GAZETTEER)

    assert {"竹器", "冰淇淋"} <= set(learnt.words)
    assert {"达竹器", "淇淋"} & set(learnt.words) == set()
    assert learnt.words == Lexicon.learn(records.reverse(), gazetteer=GAZETTEER).words


def test_gazetteer_knows_a_delivery_s_towns_and_the_country_s_cities() -> None:
    regions = pl.DataFrame({"region_code": ["430422113000"], "name": ["虚构镇"]})
    names = pl.Series(["深圳市虚构镇宏达店", "虚构镇宏达店"])

    with_town = name_parts(names, Gazetteer.from_regions(regions), LEXICON)
    without = name_parts(names, Gazetteer.from_regions(regions.clear()), LEXICON)

    assert ["深圳市虚构镇", "虚构镇"] == with_town["region_prefix"].to_list()
    assert ["深圳市虚构镇", None] == without["region_prefix"].to_list()
