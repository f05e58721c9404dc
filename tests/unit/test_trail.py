"""The edit trail: what a digest must be, what intake derives, and the bounds edits are held to."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
import pytest

from audit.trail import digest_ok, digest_ok_as_delivered
from pipelines.rule_cases import build

EDIT = {
    "event_id": "7", "unit_id": "L1", "table_name": "legal_entity", "field": "address",
    "old_value": "1栋", "new_value": "1号(甲)", "editor_id": "P1", "editor_role": "2",
    "edited_at": "2019-04-10 11:17:05",
}  # fmt: skip
LINE = "7|L1|legal_entity|address|1栋|1号(甲)|P1|2019-04-10 11:17:05"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _edit(**changed: str) -> pl.DataFrame:
    return build("edit_event", [EDIT | changed])


def test_a_digest_takes_in_the_one_before_and_the_edit() -> None:
    first = _edit(digest=_sha(f"|{LINE}"))
    second = _edit(digest=_sha(f"abc|{LINE}").upper(), previous_digest="abc")

    assert digest_ok(first).to_list() == [True]
    assert digest_ok(second).to_list() == [True]


@pytest.mark.parametrize(
    "changed",
    [
        {"event_id": "8"}, {"unit_id": "L2"}, {"table_name": "finance"}, {"field": "name"},
        {"old_value": ""}, {"new_value": "1号"}, {"editor_id": "P2"},
        {"edited_at": "2019-04-10 11:17:06"}, {"previous_digest": "abc"},
    ],
)  # fmt: skip
def test_a_digest_does_not_fit_a_changed_edit(changed: dict[str, str]) -> None:
    assert digest_ok(_edit(digest=_sha(f"|{LINE}"), **changed)).to_list() == [False]


def test_reason_and_role_are_not_part_of_a_digest() -> None:
    edit = _edit(digest=_sha(f"|{LINE}"), reason="更正", editor_role="4")

    assert digest_ok(edit).to_list() == [True]


def test_without_a_digest_it_is_unknown() -> None:
    assert digest_ok(_edit()).to_list() == [None]


def test_a_digest_over_the_text_as_delivered_fits() -> None:
    delivered = "1号（甲）"
    edit = _edit(digest=_sha(f"|{LINE}".replace("1号(甲)", delivered)))
    texts = edit.with_columns(new_value=pl.lit(delivered))

    assert digest_ok(edit).to_list() == [False]
    assert digest_ok_as_delivered(edit, texts).to_list() == [True]
    assert digest_ok_as_delivered(edit, texts.with_columns(new_value=pl.lit("2"))).to_list() == [
        False
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", 1200.0), ("1,200.5", 1200.5), ("-3", -3.0), ("0", 0.0), ("", None), ("—", None),
        ("1.2e3", None), ("2万", None), ("12,00", None), ("nan", None),
    ],
)  # fmt: skip
def test_values_that_are_numbers(text: str, number: float | None) -> None:
    edit = _edit(old_value=text, new_value=text)

    assert edit.select("old_number", "new_number").rows() == [(number, number)]


def test_times_of_an_edit() -> None:
    edit = _edit(edited_at="2019-04-10 23:17:05")
    columns: dict[str, Any] = edit.select("edited_day", "edited_hour", "edited_second").to_dicts()[
        0
    ]

    seconds = 17996 * 86400 + 23 * 3600 + 17 * 60 + 5
    assert columns == {"edited_day": 17996, "edited_hour": 23, "edited_second": seconds}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("与负责人核对，无误。", "与负责人 核对(无误)", True),
        ("ＡＢＣ", "abc", True),
        ("第12号记录", "第13号记录", False),
    ],
)
def test_reasons_that_are_alike(one: str, other: str, *, same: bool) -> None:
    left, right = (_edit(reason=text)["reason_key"][0] for text in (one, other))

    assert (left == right) is same


def test_a_reason_of_punctuation_is_none() -> None:
    assert _edit(reason="……")["reason_key"].to_list() == [None]
