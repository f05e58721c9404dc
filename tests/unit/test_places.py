"""Where things belong: counties in paths, and a column in a row's JSON by any of its headers."""

from __future__ import annotations

import pytest

from pipelines.places import Counties, Variant

COUNTIES = Counties({"430405": "珠晖区", "430422": "衡南县"})


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("self_employed_430405_20190420.csv", "430405"),
        ("self_employed_430405000000.csv", "430405"),
        ("法人单位基本情况/衡南县.xlsx", "430422"),
        ("法人单位基本情况衡南县.xlsx", "430422"),
        ("珠晖区/self_employed_430422.csv", "430422"),
        ("珠晖区和衡南县.csv", ""),
        ("self_employed_430999.csv", ""),
        ("self_employed_20190422.csv", ""),
    ],
)
def test_counties_that_paths_name(file: str, expected: str) -> None:
    assert expected == COUNTIES.in_path(file)


def test_a_path_may_name_several_counties() -> None:
    assert {"430405", "430422"} == COUNTIES.named("珠晖区和衡南县.csv")


@pytest.mark.parametrize(
    ("table", "header"),
    [
        ("legal_entity", "region_code"),
        ("legal_entity", "REGION_CODE"),
        ("legal_entity", "单位所在地区划代码"),
        ("legal_entity", "105单位所在地区划代码"),
        ("legal_entity", "105 单位所在地 区划代码"),
        ("legal_entity", "（105）单位所在地区划代码"),
        ("self_employed", "经营地区划代码"),
        ("frame_unit", "区划代码"),
        ("frame_unit", "105区划代码"),
        ("register_unit", "区划代码"),
    ],
)
def test_the_county_of_a_row_is_found_under_every_header(table: str, header: str) -> None:
    assert f"/{header}" == Variant("a.csv", table, ("户名", header)).pointer("region_code")


def test_a_header_with_a_slash_is_pointed_at_and_one_that_is_not_there_is_not() -> None:
    assert "/unit_id" == Variant("a.csv", "legal_entity", ("a/b", "unit_id")).pointer("unit_id")
    assert None is Variant("a.csv", "legal_entity", ("unit_id",)).pointer("region_code")
