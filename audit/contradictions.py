"""Linear rules against each other: sets that nothing can satisfy, and rules that others imply.

Each relation bounds a sum of items; a set of them is consistent where the linear programme over
their items has a solution (HiGHS) in which every item may be large. A blank form, all zeros,
satisfies whatever has no constants: rules that leave an item nothing but zero, up to their slack,
contradict each other. Of an inconsistent set the irreducible part is told (deletion filter,
Chinneck and Dravnieks 1991); a relation is implied where its sum, pushed as far as the
others allow, stays within its bounds. Items are taken for real numbers: what no real number
satisfies, no whole number does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import linprog

from audit.relations import Relation

_INFEASIBLE, _UNBOUNDED = 2, 3
_ROOM = 1e-6
# An item is large where it is so many times what all slack together could make of it.
_LARGE = 1000.0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Relations that cannot hold together; leaving any one out makes the others possible.

    `items`: those that can be nothing but zero under them; empty where no values at all are left.
    """

    relations: tuple[Relation, ...]
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Implied:
    """A relation that holds wherever the others do."""

    relation: Relation
    by: tuple[Relation, ...]


def _programme(
    relations: Sequence[Relation], signed: frozenset[str], goal: dict[str, float] | None = None
) -> tuple[int, float]:
    """Solve for the least value of `goal`; return HiGHS's status and the value."""
    goal = goal or {}
    items = sorted({name for r in relations for name in r.items} | set(goal))
    place = {name: n for n, name in enumerate(items)}
    rows, limits = [], []
    for relation in relations:
        row = np.zeros(len(items))
        for name, coefficient in relation.terms:
            row[place[name]] = coefficient
        if relation.high is not None:
            rows.append(row)
            limits.append(relation.high)
        if relation.low is not None:
            rows.append(-row)
            limits.append(-relation.low)
    aim = np.array([goal.get(name, 0.0) for name in items])
    bounds = [(None if name in signed else 0, None) for name in items]
    solved = linprog(
        aim,
        A_ub=np.array(rows) if rows else None,
        b_ub=limits or None,
        bounds=bounds,
        method="highs",
    )
    return int(solved.status), float(solved.fun) if solved.fun is not None else float("nan")


def is_consistent(relations: Sequence[Relation], signed: frozenset[str]) -> bool:
    """Return whether some values satisfy all relations."""
    return not relations or _programme(relations, signed)[0] != _INFEASIBLE


def _large(item: str, size: float) -> Relation:
    return Relation(
        rule_id="", table="", where="", terms=((item, 1),),
        low=size if size > 0 else None, high=size if size < 0 else None,
    )  # fmt: skip


def _may_be_large(item: str, relations: Sequence[Relation], signed: frozenset[str]) -> bool:
    bounds = [abs(b) for r in relations for b in (r.low, r.high) if b is not None]
    size = _LARGE * (1 + sum(bounds))
    return any(
        is_consistent([*relations, _large(item, sign * size)], signed)
        for sign in ((1, -1) if item in signed else (1,))
    )


def _irreducible(
    relations: Sequence[Relation], holds: Callable[[Sequence[Relation]], bool]
) -> tuple[Relation, ...]:
    """Return the relations without those that are not needed for `holds` to be false."""
    kept = list(relations)
    for relation in relations:
        rest = [r for r in kept if r is not relation]
        if not holds(rest):
            kept = rest
    return tuple(kept)


def find_conflicts(relations: Sequence[Relation], signed: frozenset[str]) -> list[Conflict]:
    """Return irreducible sets of relations that contradict each other; none where all agree."""

    def some_values(some: Sequence[Relation]) -> bool:
        return is_consistent(some, signed)

    if not some_values(relations):
        return [Conflict(_irreducible(relations, some_values))]
    found: dict[tuple[Relation, ...], list[str]] = {}
    for item in sorted({name for r in relations for name in r.items}):
        may_be_large = partial(_may_be_large, item, signed=signed)
        if not may_be_large(relations):
            found.setdefault(_irreducible(relations, may_be_large), []).append(item)
    return [Conflict(kept, tuple(items)) for kept, items in found.items()]


def _within(
    relation: Relation, bound: float, sign: int, others: Sequence[Relation], signed: frozenset[str]
) -> bool:
    """Return whether `others` keep `sign` x the relation's sum at or above `bound`."""
    goal = {name: float(sign * c) for name, c in relation.terms}
    status, value = _programme(others, signed, goal)
    return status not in (_INFEASIBLE, _UNBOUNDED) and value >= bound - _ROOM


def _is_implied(relation: Relation, others: Sequence[Relation], signed: frozenset[str]) -> bool:
    low, high = relation.low, relation.high
    return (low is None or _within(relation, low, 1, others, signed)) and (
        high is None or _within(relation, -high, -1, others, signed)
    )


def find_implied(relations: Sequence[Relation], signed: frozenset[str]) -> list[Implied]:
    """Return the relations that the others imply, each with the fewest that do it by deletion."""
    found = []
    for relation in relations:
        others = [r for r in relations if r is not relation]
        if not _is_implied(relation, others, signed):
            continue
        needed = list(others)
        for other in others:
            rest = [r for r in needed if r is not other]
            if _is_implied(relation, rest, signed):
                needed = rest
        found.append(Implied(relation, tuple(needed)))
    return found
