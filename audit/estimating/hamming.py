"""Pairs of 64-bit hashes that differ in a few bits, without comparing all pairs.

Pigeonhole: cut 64 bits into SEGMENTS pieces; two hashes that differ in at most MOST_BITS bits have
at least SEGMENTS - MOST_BITS pieces in common. So pairs are sought only among hashes that agree in
some KEPT pieces, each choice of pieces in turn.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

MOST_BITS = 4
SEGMENTS = 6
KEPT = SEGMENTS - MOST_BITS
LONGEST_BUCKET = 2_000
"""Members of a bucket beyond which each is compared with that many that follow in value only: a
piece shared by so many is a blank wall, and the cost must stay linear."""
_EDGES = [round(64 * i / SEGMENTS) for i in range(SEGMENTS + 1)]


def _mask(pieces: tuple[int, ...]) -> np.uint64:
    bits = sum(
        ((1 << (_EDGES[piece + 1] - _EDGES[piece])) - 1) << _EDGES[piece] for piece in pieces
    )
    return np.uint64(bits)


def _bucket_pairs(keys: Hashes) -> tuple[Places, Places]:
    """Return places (in `keys`, sorted) of every pair with the same key."""
    n = len(keys)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    ends = np.r_[starts[1:], n]
    size = ends - starts
    last = np.repeat(ends, size)
    place = np.arange(n)
    followers = np.minimum(last - place - 1, LONGEST_BUCKET)
    left = np.repeat(place, followers)
    first = np.cumsum(followers) - followers
    right = left + 1 + np.arange(len(left)) - np.repeat(first, followers)
    return left, right


def near_pairs(hashes: Hashes) -> tuple[Places, Places, Places]:
    """Return places i < j and the bits in which two distinct hashes differ, at most MOST_BITS.

    `hashes`: distinct values. Each pair comes once, in the order of i, then j.
    """
    empty = np.empty(0, dtype=np.int64)
    found = [(empty, empty, empty)]
    for pieces in combinations(range(SEGMENTS), KEPT):
        masked = hashes & _mask(pieces)
        order = np.lexsort((hashes, masked))
        left, right = _bucket_pairs(masked[order])
        i, j = order[left], order[right]
        bits = np.bitwise_count(hashes[i] ^ hashes[j]).astype(np.int64)
        near = bits <= MOST_BITS
        i, j = i[near], j[near]
        found.append((np.minimum(i, j), np.maximum(i, j), bits[near]))
    pairs = np.unique(np.stack([np.concatenate(part) for part in zip(*found, strict=True)]), axis=1)
    return pairs[0], pairs[1], pairs[2]
