"""How trade names (字号) differ that are not the same: a slip, a character more, a beginning."""

from __future__ import annotations

import numpy as np

from audit.matching import levels as lv
from audit.matching.distances import within_one
from audit.matching.features import U8, U16, U32, Features, Flags
from audit.matching.lookalikes import look_alike

_LEVEL = lv.numbers(lv.NAME)
_LATIN_END = 0x250
_HEAD = 2
"""Characters that a trade name has by law, and that two must begin with."""
_FAR = 2
"""Characters that the longer one has behind them."""


def _told(characters: str) -> Flags:
    """Return a table that says of each code point whether it is one of some characters."""
    table: Flags = np.zeros(1 << 16, np.bool_)
    table[[ord(c) for c in characters]] = True
    return table


_NUMERALS = _told("0123456789一二三四五六七八九十")
_PLACES = _told("县区镇乡街村")


def near_levels(features: Features, left: U32, right: U32) -> U8:
    """Return the level of trade names that are one edit apart or begin alike, 0 of others.

    `trade_cut` where one has a character more, `trade_slip` where one has a look-alike in its
    place or two are swapped, `trade_near` where it is any other, `differs` where it is a numeral;
    `trade_head` where more differs behind the first two. Written or spoken; two characters at
    least, of which one may be lost (a 字号 has two by law).
    """
    a, b = (_by_place(features.trade_chars, rows) for rows in (left, right))
    c, d = (_by_place(features.trade_sounds, rows) for rows in (left, right))
    near = within_one(a, b)
    near |= within_one(c, d)
    longer = _length(a) != _length(b)
    near &= longer | (a[1] != 0)
    level = np.where(longer, _LEVEL["trade_cut"], _LEVEL["trade_near"]).astype(np.uint8)
    even = np.flatnonzero(near & ~longer)
    level[even[_slips(a[:, even], b[:, even])]] = _LEVEL["trade_slip"]
    level[_other_numbers(a, b, longer)] = _LEVEL["differs"]
    level[~near] = 0
    level[~near & _begin_alike(c, d, a)] = _LEVEL["trade_head"]
    return level


def _by_place(chars: U16, rows: U32) -> U16:
    """Return the characters of some rows, turned so that those of one place lie together."""
    return np.ascontiguousarray(chars[rows].T)


def _length(chars: U16) -> U8:
    length: U8 = (chars != 0).sum(axis=0, dtype=np.uint8)
    return length


def _slips(a: U16, b: U16) -> Flags:
    """Say which trade names of one length differ by a look-alike, or by two swapped neighbours."""
    unlike = a != b
    n = unlike.sum(axis=0, dtype=np.uint8)
    first = unlike.argmax(axis=0)
    rows = np.arange(len(n))
    result: Flags = (n == 1) & look_alike(a[first, rows], b[first, rows])
    second = np.minimum(first + 1, len(a) - 1)
    swapped = (a[first, rows] == b[second, rows]) & (a[second, rows] == b[first, rows])
    result |= (n == 2) & swapped
    return result


def _begin_alike(a: U16, b: U16, written: U16) -> Flags:
    """Say which sounds begin alike, and part where industry words stand that no lexicon knows.

    杰迅超市 and 杰迅购物广场. Not where they begin with a place: its schools and offices do; nor in
    Latin letters, two of which say little.
    """
    result: Flags = (a[:_HEAD] == b[:_HEAD]).all(axis=0) & (a[_HEAD - 1] != 0)
    result &= np.maximum(_length(a), _length(b)) >= _HEAD + _FAR
    result &= written[0] >= _LATIN_END
    at = np.flatnonzero(result)
    result[at] = ~_PLACES[written[:, at]].any(axis=0)
    return result


def _other_numbers(a: U16, b: U16, longer: Flags) -> Flags:
    """Say which trade names carry numerals that differ (第12号 and 第22号, 一店 and 二店)."""
    x, y = _NUMERALS[a], _NUMERALS[b]
    # A numeral for another, or one more of them; a letter that becomes a digit is a slip.
    result: Flags = (x.sum(axis=0) != y.sum(axis=0)) & longer
    result |= (x & y & (a != b)).any(axis=0)
    return result
