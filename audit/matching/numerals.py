"""Numbers written in Chinese numerals, as digits: 三十五号 is 35号, 一百零八 is 108."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.matching.build_tables import SIZE
from audit.matching.characters import Ints, Text

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0}
_TEN, _HUNDRED = ord("十"), ord("百")
_COUNTED = np.array([ord(c) for c in "号栋幢座室楼层单组队弄排门铺房间之-"], dtype=np.uint32)
_NONE, _IS_TEN, _IS_HUNDRED = -1, 10, 100


def _table() -> NDArray[np.int8]:
    """Return for code points 0 to 9 of numerals, 10 and 100 of 十 and 百, -1 of all else."""
    table = np.full(SIZE, _NONE, dtype=np.int8)
    for numeral, value in _DIGITS.items():
        table[ord(numeral)] = value
    table[_TEN], table[_HUNDRED] = _IS_TEN, _IS_HUNDRED
    return table


_VALUES = _table()


def _counting(text: Text, spots: Ints) -> Ints:
    """Return where numerals count something: before 号, 栋, 组 … or at the end of a record.

    Others are part of a name and stay (五一路, 笑一村).
    """
    apart = np.flatnonzero(np.diff(spots, prepend=-2) > 1)
    sizes = np.diff(apart, append=len(spots))
    behind = np.repeat(spots[apart] + sizes, sizes)
    last = behind >= text.ends[text.row_of(spots)]
    return spots[last | np.isin(text.at(behind), _COUNTED)]


def with_digits(text: Text) -> Text:
    """Return the text with Chinese numerals up to the hundreds written as digits.

    Only those that count something, as `_counting` says.
    """
    spots = np.flatnonzero(_VALUES.take(text.codes) >= 0)
    spots = _counting(text, spots) if len(spots) else spots
    if not len(spots):
        return text
    before, after, second = (
        _VALUES[codes].astype(np.int64) for codes in text.beside(spots, -1, 1, 2)
    )
    here = _VALUES[text.codes[spots]].astype(np.int64)
    led = (before >= 1) & (before <= 9)
    followed = (after >= 1) & (after <= 9)
    ten, hundred = here == _IS_TEN, (here == _IS_HUNDRED) & led
    # 十: 二十五 25, 二十 20, 十五 15, 十 10. 百: 一百零八, 一百二十, 一百.
    size = np.ones(len(spots), dtype=np.int64)
    size[ten & led & followed] = 0
    size[ten & ~led & ~followed] = 2
    tens_follow = (after == 0) | (after == _IS_TEN) | (followed & (second == _IS_TEN))
    size[hundred & tens_follow] = 0
    size[hundred & (after == _NONE)] = 2
    first = np.where(ten, np.where(led, 0, 1), np.where(hundred, 0, here))
    known = (here <= 9) | ten | (hundred & (tens_follow | (after == _NONE)))
    codes = text.codes.copy()
    codes[spots[known]] = (first[known] + ord("0")).astype(np.uint32)
    if (size == 1).all():
        return Text(codes, text.starts, text.ends)
    counts = np.ones(len(codes), dtype=np.int64)
    counts[spots] = size
    places = np.concatenate([[0], np.cumsum(counts)])
    codes = np.repeat(codes, counts)
    codes[places[spots[size == 2]] + 1] = ord("0")
    return Text(codes, places[text.starts], places[text.ends])
