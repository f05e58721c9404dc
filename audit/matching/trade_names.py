"""How trade names (字号) differ that are not the same: a slip, a character more, a beginning."""

from __future__ import annotations

import numpy as np

from audit.matching import levels as lv
from audit.matching.distances import within_one
from audit.matching.features import U8, U16, U32, Features, Flags
from audit.matching.lookalikes import look_alike

_LEVEL = lv.numbers(lv.NAME)
_NUMERALS = np.array([ord(c) for c in "0123456789一二三四五六七八九十"], np.uint16)
_PLACES = np.array([ord(c) for c in "县区镇乡街村"], np.uint16)
_LATIN_END = 0x250
_HEAD = 2
"""Characters that a trade name has by law, and that two must begin with."""
_FAR = 2
"""Characters that the longer one has behind them."""


def near_levels(features: Features, left: U32, right: U32) -> U8:
    """Return the level of trade names that are one edit apart or begin alike, 0 of others.

    `trade_cut` where one has a character more, `trade_slip` where one has a look-alike in its
    place or two are swapped, `trade_near` where it is any other, `differs` where it is a numeral;
    `trade_head` where more differs behind the first two. Written or spoken; two characters at
    least, of which one may be lost (a 字号 has two by law).
    """
    a, b = features.trade_chars[left], features.trade_chars[right]
    heard = features.trade_sounds[left], features.trade_sounds[right]
    near = within_one(a, b)
    near |= within_one(*heard)
    longer = (a != 0).sum(axis=1) != (b != 0).sum(axis=1)
    near &= longer | (a[:, 1] != 0)
    level = np.where(longer, _LEVEL["trade_cut"], _LEVEL["trade_near"]).astype(np.uint8)
    even = np.flatnonzero(near & ~longer)
    level[even[_slips(a[even], b[even])]] = _LEVEL["trade_slip"]
    level[_other_numbers(a, b, longer)] = _LEVEL["differs"]
    level[~near] = 0
    far = np.flatnonzero(~near)
    level[far[_begin_alike(heard[0][far], heard[1][far], a[far])]] = _LEVEL["trade_head"]
    return level


def _slips(a: U16, b: U16) -> Flags:
    """Say which trade names of one length differ by a look-alike, or by two swapped neighbours."""
    unlike = a != b
    n = unlike.sum(axis=1)
    first = unlike.argmax(axis=1)
    rows = np.arange(len(a))
    result: Flags = (n == 1) & look_alike(a[rows, first], b[rows, first])
    second = np.minimum(first + 1, a.shape[1] - 1)
    swapped = (a[rows, first] == b[rows, second]) & (a[rows, second] == b[rows, first])
    result |= (n == 2) & swapped
    return result


def _begin_alike(a: U16, b: U16, written: U16) -> Flags:
    """Say which sounds begin alike, and part where industry words stand that no lexicon knows.

    杰迅超市 and 杰迅购物广场. Not where they begin with a place: its schools and offices do; nor in
    Latin letters, two of which say little.
    """
    length = np.maximum((a != 0).sum(axis=1), (b != 0).sum(axis=1))
    result: Flags = (a[:, :_HEAD] == b[:, :_HEAD]).all(axis=1) & (a[:, _HEAD - 1] != 0)
    result &= (length >= _HEAD + _FAR) & (written[:, 0] >= _LATIN_END)
    at = np.flatnonzero(result)
    result[at] = ~np.isin(written[at], _PLACES).any(axis=1)
    return result


def _other_numbers(a: U16, b: U16, longer: Flags) -> Flags:
    """Say which trade names carry numerals that differ (第12号 and 第22号, 一店 and 二店)."""
    x, y = np.isin(a, _NUMERALS), np.isin(b, _NUMERALS)
    # A numeral for another, or one more of them; a letter that becomes a digit is a slip.
    result: Flags = (x.sum(1) != y.sum(1)) & longer
    result |= (x & y & (a != b)).any(axis=1)
    return result
