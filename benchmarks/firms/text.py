"""Changes of single characters, over arrays of code points."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.firms.pools import SHAPES
from sample_data.draws import Bools, Draw, Ints

Points = npt.NDArray[np.uint32]
FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


def points(values: pl.Series) -> Points:
    """Return an (n, width) array of code points, zeros behind the end (and for NULL)."""
    filled = values.fill_null("")
    width = max(1, int(filled.str.len_chars().max() or 1))
    return filled.to_numpy().astype(f"U{width}").view(np.uint32).reshape(len(values), width).copy()


def texts(array: Points) -> pl.Series:
    """Return the texts of an array of code points."""
    width = array.shape[1]
    return pl.Series(np.ascontiguousarray(array).view(f"U{width}").reshape(-1).astype(object))


def positions(draw: Draw, allowed: Bools) -> tuple[Ints, Bools]:
    """Return one allowed position a row, and whether there is any."""
    keys = draw.rng.random(allowed.shape) * allowed
    return keys.argmax(axis=1), allowed.any(axis=1)


@cache
def common_characters() -> str:
    """Return the 3 755 characters of level 1 of GB 2312."""
    raw = [bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return b"".join(raw).decode("gb2312", errors="ignore")


@cache
def _syllables() -> dict[str, str]:
    from pypinyin import lazy_pinyin

    return {char: lazy_pinyin(char)[0] for char in common_characters()}


def _folded(syllable: str) -> str:
    for long, short in FUZZY:
        syllable = syllable.replace(long, short)
    return syllable


@cache
def _alternatives(kind: str) -> tuple[Ints, Points]:
    """Return, by code point, how many characters may stand for it, and which."""
    groups: dict[str, list[str]] = {}
    if kind == "shape":
        members = list(SHAPES)
    else:
        for char, syllable in _syllables().items():
            key = syllable if kind == "sound" else _folded(syllable)
            groups.setdefault(key, []).append(char)
        members = ["".join(group) for group in groups.values()]
    other: dict[str, list[str]] = {}
    for group in members:
        for char in group:
            same = [c for c in group if c != char]
            if kind == "fuzzy":
                same = [c for c in same if _syllables()[c] != _syllables()[char]]
            other.setdefault(char, []).extend(same)
    counts = np.zeros(65536, dtype=np.int64)
    width = max(len(group) for group in other.values())
    table = np.zeros((65536, width), dtype=np.uint32)
    for char, same in other.items():
        counts[ord(char)] = len(same)
        table[ord(char), : len(same)] = [ord(c) for c in same]
    return counts, table


def substitute(draw: Draw, values: pl.Series, kind: str) -> tuple[pl.Series, Bools]:
    """Return the texts with one character exchanged (sound, fuzzy, shape), and where it was."""
    array = points(values)
    counts, table = _alternatives(kind)
    at, any_there = positions(draw, counts[array.clip(max=65535)] > 0)
    rows = np.arange(len(array))
    old = array[rows, at].clip(max=65535)
    choice = (draw.rng.random(len(array)) * counts[old]).astype(np.int64)
    array[rows, at] = np.where(any_there, table[old, choice], array[rows, at])
    return texts(array), any_there


def swap(draw: Draw, values: pl.Series) -> tuple[pl.Series, Bools]:
    """Return the texts with two neighbouring, different characters exchanged."""
    array = points(values)
    if array.shape[1] < 2:
        return values, np.zeros(len(values), dtype=np.bool_)
    differ = (array[:, 1:] != 0) & (array[:, 1:] != array[:, :-1])
    at, any_there = positions(draw, differ)
    rows = np.arange(len(array))[any_there]
    at = at[any_there]
    array[rows, at], array[rows, at + 1] = array[rows, at + 1], array[rows, at].copy()
    return texts(array), any_there


def digit(draw: Draw, values: pl.Series) -> pl.Series:
    """Return the texts with one digit changed."""
    array = points(values)
    at, any_there = positions(draw, (array >= 48) & (array <= 57))
    rows = np.arange(len(array))
    shift = draw.whole(1, 9, len(array)).astype(np.uint32)
    changed = 48 + (array[rows, at] - 48 + shift) % 10
    array[rows, at] = np.where(any_there, changed, array[rows, at])
    return texts(array)


@cache
def _wide_table() -> Points:
    table = np.arange(65536, dtype=np.uint32)
    table[0x21:0x7F] = np.arange(0xFF01, 0xFF5F)
    table[0x20] = 0x3000
    return table


@cache
def _traditional_table() -> Points:
    from opencc import OpenCC

    table = np.arange(65536, dtype=np.uint32)
    convert = OpenCC("s2t").convert
    extra = "鑫淼馨昇堃晟昊煜烨瀚瑾瑜璟铭钰骥麟麒澧耒"
    for char in common_characters() + extra:
        table[ord(char)] = ord(convert(char)[0])
    return table


def widened(values: pl.Series) -> pl.Series:
    """Return the texts with full-width letters, digits and brackets."""
    return texts(_wide_table()[points(values).clip(max=65535)])


def traditional(values: pl.Series) -> pl.Series:
    """Return the texts in traditional characters."""
    return texts(_traditional_table()[points(values).clip(max=65535)])
