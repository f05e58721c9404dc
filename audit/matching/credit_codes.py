"""Credit and organisation codes as written, repaired and checked.

Sources: GB 32100-2015 (alphabet without I O S V Z, 5.4 check character), GB 11714-1997 (4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.codes import CREDIT_ALPHABET, CREDIT_WEIGHTS, ORG_ALPHABET, ORG_WEIGHTS
from audit.matching.characters import U64, Flags, Text, folded, mixed

LENGTH, ORG_LENGTH = 18, 9
MISREAD = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}
"""Letters outside the alphabet of GB 32100, and what they were."""

_CREDIT_WEIGHTS, _ORG_WEIGHTS = CREDIT_WEIGHTS.astype(np.int32), ORG_WEIGHTS.astype(np.int32)
_BASE = np.uint64(0x9E3779B97F4A7C15)
Symbols = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of n records, as in `Features`; `org_symbols` n x 9 values 0 to 35, 255 of none."""

    credit: U64
    credit_ok: Flags
    org: U64
    org_ok: Flags
    segment_a: U64
    segment_b: U64
    code_symbols: Symbols


def _symbol_table(alphabet: str) -> Symbols:
    table = np.full(128, 255, dtype=np.uint8)
    for number, letter in enumerate(alphabet):
        table[ord(letter)] = number
    return table


_CREDIT = _symbol_table(CREDIT_ALPHABET)
_ORG = _symbol_table(ORG_ALPHABET)
_REPAIR = np.arange(128, dtype=np.uint8)
for _wrong, _right in MISREAD.items():
    _REPAIR[ord(_wrong)] = ord(_right)


def _letters(column: pl.Series) -> Text:
    text = folded(column)
    plain = (text.codes >= ord("0")) & (text.codes <= ord("Z"))
    return text.only(plain)


def _rows_of(text: Text, length: int) -> tuple[NDArray[np.int64], Symbols]:
    """Return the records with so many characters, and these, repaired, as ASCII."""
    rows = np.flatnonzero(text.lengths == length)
    places = text.starts[rows][:, None] + np.arange(length)
    return rows, _REPAIR[text.codes[places]]


def _number(chars: Symbols) -> U64:
    """Return a hash of each row of characters."""
    total = np.zeros(len(chars), dtype=np.uint64)
    for place in range(chars.shape[1]):
        total = total * _BASE + chars[:, place]
    return mixed(total)


def _org_right(chars: Symbols) -> Flags:
    values = _ORG[chars].astype(np.int32)
    check = 11 - (values[:, :8] * _ORG_WEIGHTS).sum(axis=1) % 11
    expected = np.frombuffer(b"0123456789X0", dtype=np.uint8)[check]
    right: Flags = (values[:, :8] < 255).all(axis=1) & (expected == chars[:, 8])
    return right


def organisation(credit: pl.Series, org: pl.Series) -> Codes:
    """Return the codes of records from their credit code, or else their organisation code.

    An organisation code of one digit nine times over (an orphan's parent) is missing.
    """
    n = len(credit)
    text, other = _letters(credit), _letters(org)
    rows, chars = _rows_of(text, LENGTH)
    symbols = np.full((n, LENGTH), 255, dtype=np.uint8)
    symbols[rows] = _CREDIT[chars]
    values = symbols[rows].astype(np.int32)
    check = (31 - (values[:, :17] * _CREDIT_WEIGHTS).sum(axis=1) % 31) % 31
    same = (chars == chars[:, :1]).all(axis=1)
    hashes, right = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.bool_)
    hashes[rows] = np.where(same, np.uint64(0), _number(chars))
    organs = np.zeros((n, ORG_LENGTH), dtype=np.uint8)
    for source in (other, text):
        found, nine = _rows_of(source, ORG_LENGTH)
        organs[found] = nine
    organs[rows] = chars[:, 8:17]
    known = (organs > 0).all(axis=1) & ~(organs == organs[:, :1]).all(axis=1)
    filled = np.flatnonzero(known)
    whole, first, second = np.zeros((3, n), dtype=np.uint64)
    org_ok = np.zeros(n, dtype=np.bool_)
    org_ok[filled] = _org_right(organs[filled])
    for part, (begin, end) in ((whole, (0, 9)), (first, (0, 4)), (second, (4, 8))):
        part[filled] = _number(organs[filled, begin:end]) ^ np.uint64(begin)
    right[rows] = (values < 255).all(axis=1) & (check == values[:, 17]) & org_ok[rows]
    return Codes(
        credit=hashes, credit_ok=right, org=whole, org_ok=org_ok,
        segment_a=first, segment_b=second, code_symbols=symbols,
    )  # fmt: skip
