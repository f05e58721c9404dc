"""Deciding: clusters of records that are one unit, and one-to-one assignment to a register.

Clusters are merged best pair first. Two clusters merge only while the mean weight of all pairs
compared between them is positive, no human decision parts them, and they do not hold two valid
different codes; so one doubtful pair cannot chain two families together. What people joined is
together before that, whatever its codes.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from audit.matching.features import U32, U64, Flags
from audit.matching.human import not_in, pair_keys
from audit.matching.scorecard import Floats

Ints = NDArray[np.int64]
_CLIP = 40.0
_MUST = 1e6
_ROUNDS = 50
MAX_WHOLE = 12
"""Components up to this size are compared completely before they are merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Compared pairs of n records: rows, log odds, and what people decided (0 nothing, 1 same,
    -1 different). `codes` holds the valid code of each record as a unit and as a household (n x 2,
    0 for none): two of one kind never meet."""

    n: int
    left: U32
    right: U32
    weight: Floats
    decided: NDArray[np.int8]
    codes: U64


def components(n: int, left: U32, right: U32) -> NDArray[np.int32]:
    """Return the connected component of each of n records."""
    graph = scipy.sparse.coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    result: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return result


def missing_pairs(n: int, left: U32, right: U32, edges: Flags) -> tuple[U32, U32]:
    """Return the pairs within small components of `edges` that were never compared.

    `left`, `right` are all compared pairs, `edges` those that link.
    """
    group = components(n, left[edges], right[edges])
    size = np.bincount(group, minlength=n)[group]
    members = np.flatnonzero((size > 2) & (size <= MAX_WHOLE))
    members = members[np.argsort(group[members], kind="stable")]
    first, second = _pairs_of_runs(members, group[members])
    new = not_in(first, second, pair_keys(left, right))
    return first[new], second[new]


def _pairs_of_runs(members: Ints, group: NDArray[np.int32]) -> tuple[U32, U32]:
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for step in range(1, MAX_WHOLE):
        at = np.flatnonzero(group[step:] == group[:-step])
        first.append(members[at])
        second.append(members[at + step])
    return np.concatenate(first).astype(np.uint32), np.concatenate(second).astype(np.uint32)


def clusters(edges: Edges, link_weight: float) -> Ints:
    """Return the cluster of each record, numbered by its smallest row.

    Components without a doubt inside are accepted whole; the others are merged best first.
    """
    linking = ((edges.weight >= link_weight) & (edges.decided >= 0)) | (edges.decided > 0)
    group = components(edges.n, edges.left[linking], edges.right[linking])
    inside = group[edges.left] == group[edges.right]
    doubtful = np.zeros(group.max(initial=-1) + 1, bool)
    doubtful[group[edges.left[inside & ~linking]]] = True
    doubtful[_with_two_codes(group, edges.codes)] = True
    cluster = _smallest_row(group)
    hard = np.flatnonzero(inside & doubtful[group[edges.left]])
    if len(hard):
        rows = np.flatnonzero(doubtful[group])
        cluster[rows] = rows
        for row, home in _merge(edges, hard, link_weight).items():
            cluster[row] = home
    return _smallest_row(cluster)


def _smallest_row(group: NDArray[np.int32] | Ints) -> Ints:
    smallest = np.full(int(group.max(initial=-1)) + 1, len(group), np.int64)
    np.minimum.at(smallest, group, np.arange(len(group)))
    return smallest[group]


def _with_two_codes(group: NDArray[np.int32], codes: U64) -> Ints:
    found = []
    together = np.bincount(group)[group] > 1
    for code in codes.T:
        has = np.flatnonzero(together & (code != 0))
        order = np.lexsort((code[has], group[has]))
        g, c = group[has][order], code[has][order]
        found.append(g[1:][(g[1:] == g[:-1]) & (c[1:] != c[:-1])].astype(np.int64))
    result: Ints = np.unique(np.concatenate(found))
    return result


def _merge(edges: Edges, hard: Ints, link_weight: float) -> dict[int, int]:
    """Return the home of each row of the doubtful components."""
    weight = np.clip(edges.weight[hard], -_CLIP, _CLIP) - link_weight
    weight[edges.decided[hard] > 0] = _MUST
    left, right = edges.left[hard].tolist(), edges.right[hard].tolist()
    merger = _Merger(edges.codes)
    for a, b, w, cannot in zip(
        left, right, weight.tolist(), (edges.decided[hard] < 0).tolist(), strict=True
    ):
        merger.add(a, b, w, cannot=cannot)
    for at in np.flatnonzero(edges.decided[hard] > 0).tolist():
        merger.unite(left[at], right[at])
    merger.run()
    return {row: merger.find(row) for row in (*left, *right)}


class _Merger:
    """Best-first merging on mean weights, with pairs that must not meet."""

    def __init__(self, codes: U64) -> None:
        self._codes = codes
        self._home: dict[int, int] = {}
        self._held: dict[int, tuple[frozenset[int], ...]] = {}
        self._links: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
        self._apart: dict[int, set[int]] = defaultdict(set)
        self._heap: list[tuple[float, int, int]] = []

    def find(self, row: int) -> int:
        """Return the cluster that a row is in now."""
        home = row
        while (above := self._home.get(home, home)) != home:
            home = above
        while (above := self._home.get(row, row)) != home:
            self._home[row] = home
            row = above
        return home

    def add(self, a: int, b: int, weight: float, *, cannot: bool) -> None:
        """Note a compared pair."""
        for row in (a, b):
            if row not in self._held:
                codes = self._codes[row].tolist()
                self._held[row] = tuple(frozenset([code] if code else ()) for code in codes)
        if cannot:
            self._apart[a].add(b)
            self._apart[b].add(a)
            return
        total, count = self._links[a].get(b, (0.0, 0))
        self._set(a, b, (total + weight, count + 1))

    def _set(self, a: int, b: int, sums: tuple[float, int]) -> None:
        self._links[a][b] = self._links[b][a] = sums
        mean = sums[0] / sums[1]
        if mean > 0:
            heapq.heappush(self._heap, (-mean, min(a, b), max(a, b)))

    def unite(self, a: int, b: int) -> None:
        """Join two rows that a person joined; only another person's word parts them."""
        a, b = self.find(a), self.find(b)
        if a != b and b not in self._apart[a]:
            self._join(a, b)

    def run(self) -> None:
        """Merge until no pair of clusters has a positive mean weight."""
        while self._heap:
            negative, a, b = heapq.heappop(self._heap)
            sums = self._links[a].get(b)
            if sums is None or -sums[0] / sums[1] != negative:
                continue
            if self._may_meet(a, b):
                self._join(a, b)

    def _may_meet(self, a: int, b: int) -> bool:
        # Several codes in one cluster are those that people joined; merging may add none to them.
        held = zip(self._held[a], self._held[b], strict=True)
        return b not in self._apart[a] and all(x <= y or y <= x for x, y in held)

    def _join(self, a: int, b: int) -> None:
        if (len(self._links[a]), -a) < (len(self._links[b]), -b):
            a, b = b, a
        self._home[b] = a
        held = zip(self._held[a], self._held[b], strict=True)
        self._held[a] = tuple(x | y for x, y in held)
        for other in self._apart.pop(b, set()):
            self._apart[other].discard(b)
            self._apart[other].add(a)
            self._apart[a].add(other)
        del self._links[a][b]
        for other, (total, count) in self._links.pop(b).items():
            if other == a:
                continue
            del self._links[other][b]
            known, n_known = self._links[a].get(other, (0.0, 0))
            self._set(a, other, (known + total, n_known + count))


def one_to_one(left: U32, right: U32, order: Ints) -> Flags:
    """Return which pairs greedy one-to-one assignment takes; `order` is distinct, 0 the best.

    Pairs that are the best of both their records are taken together, round by round, which gives
    what taking them one by one would; long chains are finished one by one.
    """
    taken = np.zeros(len(left), bool)
    active = np.arange(len(left))
    best_left = np.empty(int(left.max(initial=0)) + 1, np.int64)
    best_right = np.empty(int(right.max(initial=0)) + 1, np.int64)
    used_left, used_right = np.zeros(len(best_left), bool), np.zeros(len(best_right), bool)
    for _ in range(_ROUNDS):
        if not len(active):
            return taken
        best_left[left[active]] = best_right[right[active]] = len(order)
        np.minimum.at(best_left, left[active], order[active])
        np.minimum.at(best_right, right[active], order[active])
        mutual = (best_left[left[active]] == order[active]) & (
            best_right[right[active]] == order[active]
        )
        won = active[mutual]
        taken[won] = used_left[left[won]] = used_right[right[won]] = True
        active = active[~(used_left[left[active]] | used_right[right[active]])]
    for pair in active[np.argsort(order[active])].tolist():
        if not (used_left[left[pair]] or used_right[right[pair]]):
            taken[pair] = used_left[left[pair]] = used_right[right[pair]] = True
    return taken
