"""Linear rules against each other: sets that nothing can satisfy, and rules that others imply.

Each relation bounds a sum of items; a set of them is consistent where the linear programme over
their items has a solution (HiGHS). Of an inconsistent set the irreducible part is told (deletion
filter, Chinneck and Dravnieks 1991); a relation is implied where its sum, pushed as far as the
others allow, stays within its bounds. Items are taken for real numbers: what no real number
satisfies, no whole number does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from audit.relations import Relation

_INFEASIBLE, _UNBOUNDED = 2, 3
_ROOM = 1e-6


@dataclass(frozen=True, slots=True)
class Conflict:
    """Relations that cannot hold together; leaving any one out makes the others possible."""

    relations: tuple[Relation, ...]


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


def find_conflict(relations: Sequence[Relation], signed: frozenset[str]) -> Conflict | None:
    """Return an irreducible set of relations that contradict each other, None where all agree."""
    if is_consistent(relations, signed):
        return None
    kept = list(relations)
    for relation in relations:
        rest = [r for r in kept if r is not relation]
        if not is_consistent(rest, signed):
            kept = rest
    return Conflict(tuple(kept))


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
