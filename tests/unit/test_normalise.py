"""Normalised names: what counts as the same writing, and what must not."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.normalise import clean_text, name_key


def _key(text: str | None) -> str | None:
    return pl.select(name_key(pl.lit(text, dtype=pl.String))).item()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("天湖（衡阳）文化有限公司", "天湖(衡阳)文化有限公司"),
        ("天湖（衡阳）文化有限公司", "天湖衡阳文化有限公司"),
        ("衡阳宏达建材有限责任公司", "衡阳宏达建材有限公司"),
        ("衡阳 宏达　建材有限公司", "衡阳宏达建材有限公司"),
        ("衡阳宏达建材有限公司（本部）", "衡阳宏达建材有限公司"),
        ("ＡＢＣ超市", "abc超市"),
        ("宏达·建材*店", "宏达建材店"),
    ],
)
def test_same_writing(one: str, other: str) -> None:
    assert _key(one) == _key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("衡阳宏达建材有限公司", "衡阳宏远建材有限公司"),
        ("衡阳宏达建材有限公司", "衡阳宏达建材有限公司珠晖分公司"),
        ("衡阳宏达建材厂", "衡阳宏达建材有限公司"),
    ],
)
def test_other_units_stay_apart(one: str, other: str) -> None:
    assert _key(one) != _key(other)


def test_nothing_left_is_no_name() -> None:
    assert _key("（本部）") is None
    assert _key(" — ") is None
    assert _key(None) is None


@given(st.text())
def test_total_and_idempotent(text: str) -> None:
    key = _key(text)

    assert key is None or _key(key) == key


@given(st.text())
def test_clean_text_is_idempotent(text: str) -> None:
    once = pl.select(clean_text(pl.lit(text))).item()

    assert pl.select(clean_text(pl.lit(once, dtype=pl.String))).item() == once
