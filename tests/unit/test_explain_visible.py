"""What an explanation shows of delivered text: nothing stays hidden."""

from __future__ import annotations

import pytest

from pipelines.explain import visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("甲店（衡阳）", "甲店\\uFF08衡阳\\uFF09"),
        (" 甲 店 ", "\\u0020甲 店\\u0020"),
        ("甲\u3000店", "甲\\u3000店"),
        ("甲\0店", "甲\\u0000店"),
        ("甲\ue81e", "甲\\uE81E"),
        ("甲\u200b店\n", "甲\\u200B店\\u000A"),
        ("  ", "\\u0020\\u0020"),
        ("\U000f0000", "\\U000F0000"),
        ("甲店 1", "甲店 1"),
    ],
)
def test_what_the_eye_cannot_tell_is_escaped(text: str, expected: str) -> None:
    assert expected == visible(text)
