"""Cells of a text column that hold a few ASCII characters each: codes and telephone numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from audit.matching.characters import U8, U64, Flags, Ints, in_utf8

_ZEROS, _HIGH, _SIX = (np.uint64(int(byte * 8, 16)) for byte in ("30", "f0", "06"))
_LANES = (
    # Factor of the left neighbour, bits to the right one, what remains.
    (np.uint64(10), np.uint64(8), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(100), np.uint64(16), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(10_000), np.uint64(32), np.uint64(0x00000000FFFFFFFF)),
)


class Cells:
    """A text column as UTF-8 bytes; `given` tells which cells are not NULL."""

    __slots__ = ("_bytes", "_lengths", "_starts", "given")

    def __init__(self, column: pl.Series) -> None:
        self._bytes, bounds, self.given = in_utf8(column)
        self._starts, self._lengths = bounds[:-1], np.diff(bounds)
        self._lengths[~self.given] = -1

    def of_width(self, width: int) -> tuple[Ints, U8]:
        """Return the cells of so many ASCII characters, and these (n x width)."""
        rows = np.flatnonzero(self._lengths == width)
        if not len(rows):
            return rows, np.zeros((0, width), dtype=np.uint8)
        # One item is all of a cell: it begins at any byte.
        size = self._bytes.nbytes - width + 1
        windows = np.ndarray(size, np.dtype((np.void, width)), self._bytes, strides=(1,))
        chars = windows[self._starts[rows]].view(np.uint8).reshape(-1, width)
        if chars.max() >= 0x80:
            plain = np.flatnonzero((chars < 0x80).all(axis=1))
            rows, chars = rows[plain], chars[plain]
        return rows, chars


def numbers(chars: U8) -> tuple[U64, Flags]:
    """Return the numbers that rows of ASCII characters (n x up to 19) write.

    The flags tell where all of them are digits; of other rows the number says nothing.
    """
    n, width = chars.shape
    padded = np.full((n, -(-width // 8) * 8), ord("0"), dtype=np.uint8)
    padded[:, padded.shape[1] - width :] = chars
    total, plain = np.zeros(n, dtype=np.uint64), np.ones(n, dtype=np.bool_)
    for words in padded.view("<u8").T:
        value, digits = _eight_digits(words)
        total = total * np.uint64(10**8) + value
        plain &= digits
    return total, plain


def _eight_digits(words: U64) -> tuple[U64, Flags]:
    """Return the numbers of eight characters each, the first in the lowest byte; all at once."""
    plain = ((words & _HIGH) == _ZEROS) & (((words + _SIX) & _HIGH) == _ZEROS)
    value = words - _ZEROS
    for factor, shift, kept in _LANES:
        value = (value * factor + (value >> shift)) & kept
    return value, plain
