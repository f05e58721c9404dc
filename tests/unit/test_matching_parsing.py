"""Laws of parsing: any text, any order, any block, twice the same."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.matching import texts
from audit.matching.build_tables import build
from audit.matching.characters import folded, tables, written
from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.parsing import name_parts, parse_units
from audit.matching.records import RECORD_SCHEMA

REGIONS = pl.DataFrame(
    {"region_code": ["430422000000", "430422113000"], "name": ["衡南县", "鸡笼镇"]}
)
GAZETTEER = Gazetteer.from_regions(REGIONS)
LEXICON = Lexicon.shipped()
PIECES = st.sampled_from(
    [
        *("衡阳市", "衡南县", "鸡笼镇", "宏达", "鑫", "建材", "小吃", "有限责任公司", "有限公司"),
        *(
            "分公司",
            "第二门市部",
            "（本部）",
            "(湖南)",
            "村委会",
            "第八中学",
            "店",
            "公",
            "司",
            "第",
        ),
        *("解放路", "大道", "道", "街", "三十五号", "十", "百", "-", "0734-", "8123457", "1380734"),
        *(
            " ",
            "Co., Ltd.",
            "St. Mary's",
            "PH",
            "h",
            "&",
            "㈱",
            "ß",
            "𬭎",
            "😀",
            "\0",
            "(",
            "）",
            "转",
        ),
    ]
)
TEXTS = st.one_of(st.none(), st.text(max_size=12), st.lists(PIECES, max_size=8).map("".join))
TEXT_COLUMNS = [name for name, kind in RECORD_SCHEMA.items() if kind == pl.String()]
RECORDS = st.lists(st.fixed_dictionaries(dict.fromkeys(TEXT_COLUMNS, TEXTS)), max_size=6)


def parse(rows: list[dict[str, Any]]) -> Features:
    records = pl.DataFrame(rows, schema=RECORD_SCHEMA)
    return parse_units(records, gazetteer=GAZETTEER, lexicon=LEXICON)


def same(one: Features, other: Features) -> list[str]:
    """Names of the fields that differ."""
    names = [f.name for f in fields(Features)]
    return [n for n in names if not np.array_equal(getattr(one, n), getattr(other, n))]


def rows_of(units: Features, rows: list[int]) -> Features:
    return Features(**{f.name: getattr(units, f.name)[rows] for f in fields(Features)})


@settings(max_examples=25)
@given(RECORDS)
def test_any_text_is_parsed_and_alone_or_among_others_alike(rows: list[dict[str, Any]]) -> None:
    together = parse(rows)

    assert len(rows) == len(together)
    for place, row in enumerate(rows):
        assert [] == same(parse([row]), rows_of(together, [place]))


@settings(max_examples=25)
@given(RECORDS, st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)

    assert [] == same(rows_of(parse(rows), order), parse([rows[i] for i in order]))


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_folded_writing_parses_like_the_original(names: list[str | None]) -> None:
    text = folded(pl.Series(names, dtype=pl.String))
    again = written(text, text.starts, text.ends).to_list()

    first, second = (parse([{"name": n} for n in some]) for some in (names, again))

    assert [] == same(first, second)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"name": f"衡阳宏达{i}建材有限公司", "address": f"解放路{i}号"} for i in range(50)]
    whole = parse(rows)
    monkeypatch.setattr(texts, "BLOCK", 7)

    assert [] == same(whole, parse(rows))


def test_long_text_is_parsed() -> None:
    rows = [{"name": "衡阳" * 50_000, "address": "路" * 100_000, "phone_fixed": "1" * 100_000}]

    assert 1 == len(parse([*rows]))


def test_no_records_give_no_features() -> None:
    units = parse([])

    assert 0 == len(units)
    assert (0, 8) == units.trade_chars.shape


def test_fields_have_their_types() -> None:
    units = parse([{"name": "宏达建材"}])
    wide = ("code_symbols", "trade_chars", "trade_sounds", "owner_chars")
    sizes = {f.name: getattr(units, f.name).dtype.itemsize for f in fields(Features)}
    bytes_a_record = sum(getattr(units, f.name).nbytes for f in fields(Features))

    assert np.uint64 == units.name.dtype
    assert [1, 2, 2, 2] == [sizes[name] for name in wide]
    assert {4} == {sizes["county"]}
    assert bytes_a_record <= 300


@settings(max_examples=30)
@given(st.lists(TEXTS, max_size=5))
def test_parts_of_a_name_make_up_the_name(names: list[str | None]) -> None:
    parts = name_parts(pl.Series(names, dtype=pl.String), GAZETTEER, LEXICON)

    assert len(names) == parts.height
    for row in parts.iter_rows(named=True):
        assert (row["trade_name"] or "") == (row["name_core"] or "")[: len(row["trade_name"] or "")]


def test_character_tables_are_those_that_the_build_gives() -> None:
    fold, sound, names = tables()
    built = build()
    own = np.arange(len(fold), dtype=np.uint32)

    assert np.array_equal(built["fold_less_own"] + own, fold)
    assert np.array_equal(built["sound"] > 0, sound != own)
    assert " ".join(names).encode() == built["syllables"].tobytes()


def test_folding_twice_is_folding_once() -> None:
    fold, _, _ = tables()
    letters = fold[(fold >= 0x30) & (fold < len(fold))]

    assert np.array_equal(letters, fold[letters])


DIGITS = st.text("0123456789", min_size=9, max_size=13)
NUMBERS = st.one_of(
    DIGITS,
    st.from_regex(r"0[0-9]{2,3}-[0-9]{7,8}", fullmatch=True),
    st.from_regex(r"1[0-9]{10}", fullmatch=True),
    st.sampled_from(["0734-1234567", "021-11111111", "01098765432", "91430100MA4L2X3Y5Z"]),
)


@settings(max_examples=40)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(TEXT_COLUMNS, NUMBERS)), max_size=6))
def test_codes_and_numbers_in_full_width_are_the_same(rows: list[dict[str, str]]) -> None:
    wide = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "0123456789AGLMYXZ"})

    assert [] == same(
        parse(rows), parse([{k: v.translate(wide) for k, v in r.items()} for r in rows])
    )


def test_missing_values_that_hide_a_text_stay_missing() -> None:
    code, wanted = "91430100MA4L2X3Y5Z", [True, False]
    records = pl.DataFrame([{"credit_code": code}] * 2, schema=RECORD_SCHEMA)
    masked = records.with_columns(pl.when(pl.Series(wanted)).then(pl.col("credit_code")))

    units = parse_units(masked, gazetteer=GAZETTEER, lexicon=LEXICON)

    assert wanted == (units.credit != 0).tolist()
