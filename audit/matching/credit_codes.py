"""Credit and organisation codes as written, repaired and checked.

Sources: GB 32100-2015 (alphabet without I O S V Z, 5.4 check character), GB 11714-1997 (4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.codes import CREDIT_WEIGHTS, ORG_WEIGHTS
from audit.matching.cells import Cells
from audit.matching.characters import U64, Flags, Ints, Text, folded, mixed

LENGTH, ORG_LENGTH = 18, 9
MISREAD = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}
"""Letters outside the alphabet of GB 32100, and what they were."""

_CREDIT_WEIGHTS, _ORG_WEIGHTS = CREDIT_WEIGHTS.astype(np.int32), ORG_WEIGHTS.astype(np.int32)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_BASE_4 = np.uint64(pow(0x9E3779B97F4A7C15, 4, 2**64))
Symbols = NDArray[np.uint8]
Rows = tuple[Ints, Symbols]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of n records, as in `Features`; `org_symbols` n x 9 values 0 to 35, 255 of none."""

    credit: U64
    credit_ok: Flags
    org: U64
    org_ok: Flags
    segment: U64
    code_symbols: Symbols


_SKIPPED = "IOSV"
"""Letters of GB 32100 that are left out before others (Z is the last)."""


def _values(chars: Symbols, skipped: str = "") -> Symbols:
    """Return the numbers of digits and capital letters; these go on from 10, less those skipped.

    Arithmetic on bytes is many times as fast as a table.
    """
    values = chars - np.uint8(ord("0"))
    values -= (chars >= ord("A")).view(np.uint8) * np.uint8(ord("A") - ord("0") - 10)
    for letter in skipped:
        values -= (chars > ord(letter)).view(np.uint8)
    return values


def _repaired(chars: Symbols) -> Symbols:
    """Return the characters with misread letters put right."""
    chars = chars.copy()
    for wrong, right in MISREAD.items():
        chars -= (chars == ord(wrong)).view(np.uint8) * np.uint8(ord(wrong) - ord(right))
    return chars


def _plain(chars: Symbols) -> Flags:
    """Return which records have only digits and capital letters."""
    digits, letters = chars - np.uint8(ord("0")) < 10, chars - np.uint8(ord("A")) < 26
    answer: Flags = np.all(digits | letters, axis=0)
    return answer


def _rows_of(column: pl.Series) -> tuple[Rows, Rows]:
    """Return the records with 18 and those with 9 letters or digits, and these, repaired.

    Characters are by place (length x n), so that each step runs along the records.
    """
    if column.null_count() == len(column):
        none = np.zeros(0, dtype=np.int64)
        return (none, np.zeros((LENGTH, 0), np.uint8)), (none, np.zeros((ORG_LENGTH, 0), np.uint8))
    found = []
    cells = Cells(column)
    other = cells.given.copy()
    for length in (LENGTH, ORG_LENGTH):
        rows, chars = cells.of_width(length)
        turned = np.ascontiguousarray(chars.T)
        plain = _plain(turned)
        if not plain.all():
            rows, turned = rows[plain], turned[:, plain]
        other[rows] = False
        found.append((rows, turned))
    rest = np.flatnonzero(other)
    if len(rest):
        text = folded(column[rest])
        text = text.only((text.codes >= ord("0")) & (text.codes <= ord("Z")))
        found = [_with_odd(rows, chars, rest, text) for rows, chars in found]
    credit, org = ((rows, _repaired(chars)) for rows, chars in found)
    return credit, org


def _with_odd(rows: Ints, chars: Symbols, rest: Ints, text: Text) -> Rows:
    """Add the records of `rest` whose folded text is as long as these."""
    length = len(chars)
    more = np.flatnonzero(text.lengths == length)
    odd = text.codes[text.starts[more] + np.arange(length)[:, None]].astype(np.uint8)
    return np.concatenate([rows, rest[more]]), np.concatenate([chars, odd], axis=1)


def _total(chars: Symbols) -> U64:
    """Return the sums of the characters of each record times powers of a base."""
    total = np.zeros(chars.shape[1], dtype=np.uint64)
    for place in chars:
        total *= _BASE
        total += place
    return total


def _weighted(values: Symbols, weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the sums of values times the weight of their place."""
    total = np.zeros(values.shape[1], dtype=np.int32)
    for place, weight in zip(values, weights, strict=True):
        total += place * weight
    return total


def _org_right(chars: Symbols) -> Flags:
    check = 11 - _weighted(_values(chars[:8]), _ORG_WEIGHTS) % 11
    expected = np.frombuffer(b"0123456789X0", dtype=np.uint8)[check]
    right: Flags = expected == chars[8]
    return right


def _same(chars: Symbols) -> Flags:
    """Return where one character is in every place."""
    answer: Flags = (chars == chars[0]).all(axis=0)
    return answer


def _put(target: Symbols, rows: Ints, chars: Symbols) -> None:
    """Write characters by place (length x n) into these rows of a table (… x length)."""
    # One item is all of a row.
    row = np.dtype((np.void, len(chars)))
    target.view(row)[rows, 0] = np.ascontiguousarray(chars.T).view(row)[:, 0]


def organisation(credit: pl.Series, org: pl.Series) -> Codes:
    """Return the codes of records from their credit code, or else their organisation code.

    An organisation code of one digit nine times over (an orphan's parent) is missing.
    """
    n = len(credit)
    (rows, chars), in_credit = _rows_of(credit)
    symbols = np.full((n, LENGTH), 255, dtype=np.uint8)
    values = _values(chars, _SKIPPED)
    _put(symbols, rows, values)
    check = (31 - _weighted(values[:17], _CREDIT_WEIGHTS) % 31) % 31
    hashes, right = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.bool_)
    hashes[rows] = np.where(_same(chars), np.uint64(0), mixed(_total(chars)))
    sources = np.zeros((n, ORG_LENGTH), dtype=np.uint8)
    for found, nine in (_rows_of(org)[1], in_credit, (rows, chars[8:17])):
        _put(sources, found, nine)
    organs = np.ascontiguousarray(sources.T)
    filled = np.flatnonzero((organs.min(axis=0) > 0) & ~_same(organs))
    known = organs[:, filled]
    whole, segment = np.zeros((2, n), dtype=np.uint64)
    org_ok = np.zeros(n, dtype=np.bool_)
    org_ok[filled] = _org_right(known)
    left, middle = _total(known[:4]), _total(known[4:8])
    segment[filled] = mixed(middle)
    whole[filled] = mixed((left * _BASE_4 + middle) * _BASE + known[8])
    right[rows] = (check == values[17]) & org_ok[rows]
    return Codes(
        credit=hashes, credit_ok=right, org=whole, org_ok=org_ok,
        segment=segment, code_symbols=symbols,
    )  # fmt: skip
