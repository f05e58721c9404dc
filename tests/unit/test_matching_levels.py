"""The levels of the matcher's fields, and what they say of trade names."""

from __future__ import annotations

import numpy as np
import pytest

from audit.matching import levels as lv
from audit.matching.lookalikes import look_alike
from audit.matching.orders import ordered_patterns
from audit.matching.scorecard import level_parts
from audit.matching.weighing import shipped, weights_of


def _pattern(**levels: str) -> np.uint64:
    fields = {field.id: field for field in lv.FIELDS}
    packed = (
        lv.number_of(fields[name], word) << lv.SHIFTS[lv.INDEX[name]]
        for name, word in levels.items()
    )
    return np.uint64(sum(packed))


def _weight(**levels: str) -> float:
    usual = {"rarity": "rare", "owner": "rare", "phone": "own", "address": "full"}
    usual |= {"region": "village", "industry": "class", "form": "same"}
    return float(weights_of(np.array([_pattern(**(usual | levels))]), shipped())[0])


@pytest.mark.parametrize("pair", ["未末", "己已", "晴清", "陵菱"])
def test_look_alikes_are_known_both_ways(pair: str) -> None:
    left, right = (np.array([ord(c)], np.uint16) for c in pair)

    assert [True] == look_alike(left, right).tolist()
    assert [True] == look_alike(right, left).tolist()


@pytest.mark.parametrize("pair", ["宏远", "鑫达", "未未", "A8"])
def test_other_characters_do_not_look_alike(pair: str) -> None:
    left, right = (np.array([ord(c)], np.uint16) for c in pair)

    assert [False] == look_alike(left, right).tolist()


def test_a_slip_of_the_pen_speaks_for_one_unit_more_than_another_character() -> None:
    slip = _weight(name="trade_slip_industry")

    assert slip > _weight(name="trade_near_industry") + 1
    assert slip > _weight(name="trade_cut_industry")


def test_a_telephone_of_another_leaves_a_slip_one_unit() -> None:
    assert _weight(name="trade_slip_industry", phone="differs") > 0


def test_every_level_has_a_word_of_its_own_and_fits_its_bits() -> None:
    for field in lv.FIELDS:
        words = list(lv.numbers(field))

        assert len(field.levels) == len(words)
        assert len(words) <= 1 << field.bits
        assert list(range(len(words))) == [lv.number_of(field, word) for word in words]


def test_views_put_the_same_trade_name_between_another_and_the_same_core() -> None:
    words = ("similar", "trade_near", "trade_slip", "trade", "core", "name")

    parts = level_parts(np.array([_pattern(name=word) for word in words]))

    assert [0, 1, 2, 2, 3, 3] == parts["stem"].tolist()


def test_patterns_fit_beside_the_places_of_a_chunk() -> None:
    worse, better = ordered_patterns()

    assert max(worse.max(), better.max()) < 1 << lv.PATTERN_BITS
    assert 1 << (64 - lv.PATTERN_BITS) >= lv.CHUNK


def test_patterns_are_counted_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lv, "CHUNK", 2)
    distinct, which, counts = lv.pattern_counts(np.array([7, 3, 3, 9, 7, 7, 1], np.uint64))

    assert [1, 3, 7, 9] == distinct.tolist()
    assert [2, 1, 1, 3, 2, 2, 0] == which.tolist()
    assert [1, 2, 3, 1] == counts.tolist()


def test_no_patterns_are_counted_as_none() -> None:
    assert [0, 0, 0] == [len(part) for part in lv.pattern_counts(np.empty(0, np.uint64))]
