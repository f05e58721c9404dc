"""Build characters.npz: how characters fold together, and how they sound.

Run as `python -m audit.matching.build_tables` after a new edition of pypinyin or OpenCC; both are
needed here only, never where units are matched.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZE = 0x32400
"""Code points of the table: planes 0 to 3, all that hold letters."""

SEVERAL = 0xFFFFFFFF
"""Mark of a character that folds to more than one."""

OPENING, CLOSING = "([{〔【〖", ")]}〕】〗"
COMMAS = ",、;/|，；"
JOINING = ".'`’‘·•・‧∙⋅ʼ。"
"""Dropped without parting two words: St. Mary's, 买买提·阿卜杜拉."""

FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"))
NASALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))

Folds = NDArray[np.uint32]
Sounds = NDArray[np.uint16]


def _without_marks(text: str) -> str:
    base = unicodedata.normalize("NFD", text)
    plain = "".join(c for c in base if not unicodedata.combining(c))
    return plain if plain.isascii() else text


def _written(char: str) -> str:
    text = unicodedata.normalize("NFKC", char).upper()
    return _without_marks(unicodedata.normalize("NFKC", text))


def _separator(char: str) -> int:
    for group, sign in ((OPENING, "("), (CLOSING, ")"), (COMMAS, ","), ("&", "&")):
        if char in group:
            return ord(sign)
    category = unicodedata.category(char)
    if category == "Pd" or char == "−":
        return ord("-")
    return 0 if char in JOINING or category[0] == "M" or category in ("Cc", "Cf", "Cn") else 32


def folds() -> Folds:
    """Return for each code point the one it folds to; separators below 0x30, 0 if it goes."""
    from opencc import OpenCC

    simplified = OpenCC("t2s")
    table = np.zeros(SIZE, dtype=np.uint32)
    for code in range(SIZE):
        if 0xD800 <= code < 0xE000:
            continue
        text = simplified.convert(simplified.convert(_written(chr(code))))
        if len(text) != 1:
            blank = text.strip() == ""
            table[code] = 32 if blank else SEVERAL
        elif chr(code) in "\t\n\r\v\f" or text.isspace():
            table[code] = 32
        elif unicodedata.category(text)[0] in "LN" or 0xE000 <= code < 0xF900:
            table[code] = ord(text)
        else:
            table[code] = _separator(text)
    return table


def syllable(reading: str) -> str:
    """Return a reading without tone, and with the syllables that dialects confuse made one."""
    marks = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    text = "".join(c for c in marks if not unicodedata.combining(c))
    for long, short in FUZZY:
        text = short + text[len(long) :] if text.startswith(long) else text
    for long, short in NASALS:
        text = text.removesuffix(long) + short if text.endswith(long) else text
    return text


def sounds() -> tuple[Sounds, list[str]]:
    """Return for each code point its syllable's number (from 1, 0 none), and the syllables."""
    from pypinyin.pinyin_dict import pinyin_dict

    readings = {
        code: syllable(text.split(",")[0]) for code, text in pinyin_dict.items() if code < SIZE
    }
    names = sorted(set(readings.values()))
    numbers = {name: number for number, name in enumerate(names, 1)}
    table = np.zeros(SIZE, dtype=np.uint16)
    for code, name in readings.items():
        table[code] = numbers[name]
    return table, names


def build() -> dict[str, NDArray[np.generic]]:
    """Return the arrays of characters.npz; folds as differences, which pack better."""
    fold = folds()
    sound, names = sounds()
    own = np.arange(SIZE, dtype=np.uint32)
    text = np.frombuffer(" ".join(names).encode(), dtype=np.uint8)
    return {"fold_less_own": fold - own, "sound": sound, "syllables": text}


def main() -> None:
    """Write characters.npz beside this module."""
    path = Path(__file__).with_name("characters.npz")
    np.savez_compressed(path, **build())  # type: ignore[arg-type]  # numpy types **kwds as bool


if __name__ == "__main__":
    main()
