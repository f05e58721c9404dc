"""Distances on code points, vectorised over pairs: the integer kernel of the comparisons.

rapidfuzz is their oracle in the tests; it is used itself where strings are long or pairs few.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.matching.features import U8, U16, U64, Flags

_POWERS = (10 ** np.arange(12)).astype(np.int64)
# One digit changed, or two neighbours swapped (the difference is then 9 times a power of ten).
_DIGIT_STEPS = np.unique(
    np.concatenate(
        [
            np.outer(np.arange(1, 10), _POWERS).ravel(),
            np.outer(9 * np.arange(1, 10), _POWERS).ravel(),
        ]
    )
)


def within_one(left: U16, right: U16) -> Flags:
    """Say which of m pairs are at most one edit apart (optimal string alignment).

    `left`, `right`: at most 8 code points x m, 0 behind the end. Edits are insertion, deletion,
    substitution and the swap of two neighbours. By masks of the places that differ: as they stand,
    and with one side moved up by one.
    """
    width, m = left.shape
    a, b = np.zeros((2, width + 1, m), np.uint16)
    a[:width], b[:width] = left, right
    unlike, left_up, right_up = np.zeros((3, m), np.uint8)
    for place in range(width):
        bit = np.uint8(1 << place)
        unlike |= (a[place] != b[place]) * bit
        left_up |= (a[place + 1] != b[place]) * bit
        right_up |= (a[place] != b[place + 1]) * bit
    first = unlike & -unlike
    # All behind the first difference is the same when moved up, or there is only that one.
    result: Flags = (unlike == first) | (left_up < first) | (right_up < first)
    swapped = (unlike == first | (first << np.uint8(1))) & ((left_up | right_up) & first == 0)
    result |= swapped
    return result


def bag_similarity(left: U64, right: U64) -> NDArray[np.float32]:
    """Return the share of characters and pairs of characters that two 64-bit bags have in common.

    0 where both are empty (Jaccard's coefficient of the masks).
    """
    union = np.bitwise_count(left | right)
    shared = np.bitwise_count(left & right)
    result: NDArray[np.float32] = shared / np.maximum(union, 1).astype(np.float32)
    return result


def one_digit_apart(left: U64, right: U64) -> Flags:
    """Say which pairs of telephone numbers differ by one digit or by two neighbours swapped."""
    a, b = left.astype(np.int64), right.astype(np.int64)
    difference = np.abs(a - b)
    nearest = np.minimum(np.searchsorted(_DIGIT_STEPS, difference), len(_DIGIT_STEPS) - 1)
    hits = np.flatnonzero(_DIGIT_STEPS[nearest] == difference)
    x, y = a[hits][:, None] // _POWERS % 10, b[hits][:, None] // _POWERS % 10
    unlike = x != y
    n_unlike = unlike.sum(axis=1)
    neighbours = (unlike[:, 1:] & unlike[:, :-1]).any(axis=1)
    swapped = (n_unlike == 2) & neighbours & (np.sort(x, axis=1) == np.sort(y, axis=1)).all(axis=1)
    result = np.zeros(len(a), bool)
    result[hits] = (n_unlike == 1) | swapped
    return result


def symbols_apart(left: U8, right: U8) -> NDArray[np.uint8]:
    """Return in how many of 18 places two codes differ; 255 where either has none."""
    apart: NDArray[np.uint8] = (left != right).sum(axis=1).astype(np.uint8)
    apart[(left == 255).all(axis=1) | (right == 255).all(axis=1)] = 255
    return apart
