"""The scorecard: which combinations of levels earn points, and the ridge logistic fit of them.

Every pattern has exactly one active cell a term, so the design matrix is a matrix of cell numbers:
a score is a sum of look-ups, a gradient a bincount, and only the Hessian needs a sparse matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from audit.matching import levels as lv
from audit.matching.features import U64

Floats = NDArray[np.float64]
Cells = NDArray[np.int32]

# Coarser views of a field, one number a level, for combinations of several fields.
_VIEWS: dict[str, tuple[str, tuple[int, ...]]] = {
    "stem": ("name", (0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3)),
    "person": ("owner", (0, 1, 1, 2, 2, 2)),
    "line": ("phone", (0, 1, 2, 3, 3, 2)),
    "place": ("address", (0, 1, 1, 1, 2, 3, 2, 3, 2)),
}
# How many of owner, telephone and address agree, and how many contradict.
_COUNTS: dict[str, dict[str, tuple[int, ...]]] = {
    "agree": {"owner": (3, 4, 5), "phone": (5,), "address": (6, 8)},
    "contradict": {"owner": (1,), "phone": (1,), "address": (1, 3)},
}
TERMS: tuple[tuple[str, ...], ...] = (
    *(("name",), ("owner",), ("phone",), ("address",), ("region",), ("industry",), ("form",)),
    *(("branch",), ("kind",), ("name", "rarity"), ("name", "agree"), ("name", "contradict")),
    *(("name", "region"), ("name", "industry"), ("name", "owner"), ("owner", "phone")),
    *(("owner", "address"), ("phone", "address"), ("branch", "name"), ("agree", "contradict")),
    ("stem", "person", "line", "place"),
)
EVIDENCE_PARTS = ("agree", "contradict", "place")
"""A term that ends in one of these speaks of the evidence together, not of one field."""
_ROUND = 6
_STEPS = 40
_TOLERANCE = 1e-7


def _size(part: str) -> int:
    if part in _COUNTS:
        return 1 + len(_COUNTS[part])
    if part in _VIEWS:
        return 1 + max(_VIEWS[part][1])
    return len(lv.FIELDS[lv.INDEX[part]].levels)


SIZES = tuple(int(np.prod([_size(part) for part in term])) for term in TERMS)
OFFSETS = tuple(int(x) for x in np.cumsum((0, *SIZES))[:-1])
N_CELLS = sum(SIZES)


def level_parts(patterns: U64) -> dict[str, NDArray[np.int32]]:
    """Return the level of every field, view and count in each pattern."""
    levels = {f.id: lv.level_of(patterns, f).astype(np.int32) for f in lv.FIELDS}
    for part, (field, view) in _VIEWS.items():
        levels[part] = np.array(view, np.int32)[levels[field]]
    for part, wanted in _COUNTS.items():
        hits = [np.isin(levels[field], values) for field, values in wanted.items()]
        levels[part] = np.sum(hits, axis=0, dtype=np.int32)
    return levels


def cells(patterns: U64) -> Cells:
    """Return the active cell of each term: patterns x TERMS."""
    levels = level_parts(patterns)
    result = np.empty((len(patterns), len(TERMS)), np.int32)
    for column, (term, offset) in enumerate(zip(TERMS, OFFSETS, strict=True)):
        cell = np.zeros(len(patterns), np.int32)
        for part in term:
            cell = cell * _size(part) + levels[part]
        result[:, column] = offset + cell
    return result


def cell_names() -> list[str]:
    """Return the name of every cell, such as `name=core*rarity=rare`."""
    names: list[str] = []
    for term in TERMS:
        heads = [""]
        for part in term:
            words = (
                [level[0] for level in lv.FIELDS[lv.INDEX[part]].levels]
                if part in lv.INDEX
                else [str(i) for i in range(_size(part))]
            )
            heads = [f"{h}*{part}={w}" if h else f"{part}={w}" for h in heads for w in words]
        names += heads
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Cells of labelled patterns, and how many of their pairs are the same and are not."""

    cells: Cells
    same: Floats
    other: Floats


def score(points: Floats, intercept: float, at: Cells) -> Floats:
    """Return the log odds of patterns, before their codes are looked at."""
    result = np.full(len(at), intercept)
    for column in range(at.shape[1]):
        result += points[at[:, column]]
    return result


def fit(
    labelled: Labelled, points: Floats, intercept: float, strength: float
) -> tuple[Floats, float]:
    """Return points and intercept of the ridge logistic fit, drawn towards those given.

    `strength` is the ridge: the precision of the given points. Newton's method with halved steps;
    rounded to six digits, so that the order of additions in a library cannot show.
    """
    n, width = labelled.cells.shape
    design = scipy.sparse.csr_matrix(
        (
            np.ones(n * (width + 1)),
            np.column_stack([labelled.cells, np.full(n, N_CELLS, np.int32)]).ravel(),
            np.arange(0, n * (width + 1) + 1, width + 1),
        ),
        shape=(n, N_CELLS + 1),
    )
    used = np.unique(design.indices)
    design = design[:, used]
    start = np.append(points, intercept)[used]
    ridge = np.where(used == N_CELLS, 1e-3, strength)
    beta = _newton(design, (labelled.same, labelled.other), start, ridge)
    result = np.append(points, intercept)
    result[used] = np.round(beta, _ROUND)
    return result[:-1], float(result[-1])


def _loss(z: Floats, counts: tuple[Floats, Floats], penalty: float) -> float:
    same, other = counts
    return float(same @ np.logaddexp(0, -z) + other @ np.logaddexp(0, z)) + penalty


def _newton(
    design: scipy.sparse.csr_matrix,
    counts: tuple[Floats, Floats],
    start: Floats,
    ridge: Floats,
) -> Floats:
    beta = start.copy()
    total = counts[0] + counts[1]
    z = design @ beta
    loss = _loss(z, counts, 0.0)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-z))
        gradient = design.T @ (counts[0] - total * p) - ridge * (beta - start)
        curved = design.multiply((total * p * (1 - p))[:, None]).tocsr()
        hessian = (design.T @ curved + scipy.sparse.diags(ridge)).tocsc()
        # SuperLU works in one thread: no idle threads of a BLAS, and the same digits each time.
        step = scipy.sparse.linalg.splu(hessian).solve(gradient)
        scale, new_loss = 1.0, np.inf
        while scale > 1e-4:
            trial = beta + scale * step
            z = design @ trial
            new_loss = _loss(z, counts, float(ridge @ (trial - start) ** 2) / 2)
            if new_loss <= loss:
                break
            scale /= 2
        beta = trial
        if loss - new_loss < _TOLERANCE * max(1.0, abs(loss)):
            break
        loss = new_loss
    return beta
