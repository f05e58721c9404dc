"""Pairs of 64-bit hashes that differ in a few bits, without comparing all pairs.

Pigeonhole: cut 64 bits into SEGMENTS pieces; two hashes that differ in at most MOST_BITS bits have
at least SEGMENTS - MOST_BITS pieces in common. So pairs are sought only among hashes that agree in
some KEPT pieces, each choice of pieces in turn.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

MOST_BITS = 4
SEGMENTS = 6
KEPT = SEGMENTS - MOST_BITS
LONGEST_BUCKET = 2_000
"""Members of a bucket beyond which each is compared with that many that follow in value only: a
piece shared by so many is a blank wall, and the cost must stay linear."""
_PLACE_BITS = np.uint64(42)
"""Of a key with its place in one number of 64 bits; two pieces have 22."""
_EDGES = [round(64 * i / SEGMENTS) for i in range(SEGMENTS + 1)]


def _pieces(hashes: Hashes, pieces: tuple[int, ...]) -> Hashes:
    """Return pieces of each hash side by side as one number."""
    key = np.zeros_like(hashes)
    for piece in pieces:
        low, width = _EDGES[piece], _EDGES[piece + 1] - _EDGES[piece]
        key = (key << np.uint64(width)) | ((hashes >> np.uint64(low)) & np.uint64((1 << width) - 1))
    return key


def _in_buckets(keys: Hashes) -> tuple[Places, Hashes]:
    """Return the places of keys that come more than once, by key and then place, and the keys."""
    # Sorting numbers takes a fraction of the time of sorting their places.
    packed = pl.Series((keys << _PLACE_BITS) | np.arange(len(keys), dtype=np.uint64)).sort()
    ordered = packed.to_numpy()
    key = ordered >> _PLACE_BITS
    shared, alike = np.zeros(len(key), dtype=bool), key[1:] == key[:-1]
    shared[1:] |= alike
    shared[:-1] |= alike
    places = ordered[shared] & ((np.uint64(1) << _PLACE_BITS) - np.uint64(1))
    return places.astype(np.int64), key[shared]


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

    `hashes`: distinct values, ascending. Each pair comes once, in the order of i, then j.
    """
    n = max(len(hashes), 1)
    found = [np.empty(0, dtype=np.int64)]
    for pieces in combinations(range(SEGMENTS), KEPT):
        places, keys = _in_buckets(_pieces(hashes, pieces))
        left, right = _bucket_pairs(keys)
        i, j = places[left], places[right]
        near = np.bitwise_count(hashes[i] ^ hashes[j]) <= MOST_BITS
        found.append(i[near] * n + j[near])
    i, j = np.divmod(pl.Series(np.concatenate(found)).unique().sort().to_numpy(), n)
    return i, j, np.bitwise_count(hashes[i] ^ hashes[j]).astype(np.int64)
