"""The ridge logistic fit of the scorecard, held to the order of `orders.ordered_patterns`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray

from audit.matching.orders import ordered_patterns
from audit.matching.scorecard import N_CELLS, Cells, Floats, cells

_ROUND = 6
_STEPS = 60
_TOLERANCE = 1e-7
_FREE = 1e-3
_ORDER = 1e5
"""Price of a point in the wrong order; what is left of it is below rounding."""
_PRICES = (1.0, 10.0, 100.0, 1e3, 1e4, _ORDER)
_ROUGHLY = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Cells of labelled patterns, and how many of their pairs are the same and are not.

    `group` gives each pattern a base rate of its own (0 that of the intercept), `groups` counts
    them; without it all share the intercept.
    """

    cells: Cells
    same: Floats
    other: Floats
    group: NDArray[np.int32] | None = None
    groups: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Points of each cell, the intercept, and what each group adds to it (group 0 nothing)."""

    points: Floats
    intercept: float
    offsets: Floats


class _Products:
    """Sums the weighted products of two active columns of the design.

    The design has as many ones in each row, so where the products of each row go in a symmetric
    matrix is the same at every step: a matrix of ones, places by rows, sums them for any weights.
    """

    __slots__ = ("_bounds", "_diagonal", "_rows", "_sum_of", "_sums")

    def __init__(self, columns: NDArray[np.int32], width: int) -> None:
        active = np.sort(columns, axis=1)
        first, second = np.triu_indices(active.shape[1])
        cells = active[:, first] * width + active[:, second]
        used = np.zeros(width * width, np.bool_)
        used[cells] = True
        used[:: width + 1] = True
        at = np.flatnonzero(used)
        place = np.zeros(width * width, np.int32)
        place[at] = np.arange(len(at))
        bounds = np.arange(0, cells.size + 1, cells.shape[1])
        ones = np.ones(cells.size)
        shape = len(at), len(cells)
        # By places: each sum is then read in one go.
        self._sums = scipy.sparse.csc_matrix((ones, place[cells].ravel(), bounds), shape).tocsr()
        self._diagonal = place[:: width + 1]
        mirrored = at % width * width + at // width
        place[mirrored] = place[at]
        used[mirrored] = True
        whole = np.flatnonzero(used)
        self._rows, self._sum_of = whole % width, place[whole]
        self._bounds = np.searchsorted(whole, np.arange(width + 1) * width)

    def of(self, weights: Floats, diagonal: Floats) -> scipy.sparse.csc_matrix:
        """Return the products of the columns, rows weighted, with a diagonal added."""
        sums = self._sums @ weights
        sums[self._diagonal] += diagonal
        return scipy.sparse.csc_matrix((sums[self._sum_of], self._rows, self._bounds))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    design: scipy.sparse.csr_matrix
    products: _Products
    same: Floats
    total: Floats
    start: Floats
    ridge: Floats
    order: scipy.sparse.csr_matrix

    def loss(self, beta: Floats, price: float) -> float:
        """Return what is to be made small, with this price on a wrong order."""
        z = self.design @ beta
        wrong = np.minimum(self.order @ beta, 0.0)
        drawn = _dot(self.ridge, (beta - self.start) ** 2) + price * _dot(wrong, wrong)
        soft, other = np.logaddexp(0, z), self.total - self.same
        return _dot(self.same, soft - z) + _dot(other, soft) + drawn / 2

    def step(self, beta: Floats, price: float) -> Floats:
        """Return Newton's step; only the orders that are broken now count."""
        p = 1 / (1 + np.exp(-(self.design @ beta)))
        wrong = self.order[np.flatnonzero(self.order @ beta < 0)]
        gradient = self.design.T @ (self.same - self.total * p)
        gradient -= self.ridge * (beta - self.start) + price * (wrong.T @ (wrong @ beta))
        hessian = self.products.of(self.total * p * (1 - p), self.ridge)
        hessian += price * (wrong.T @ wrong).tocsc()
        # A sixth of it is filled, too much for a sparse factor to be quicker. The ridge keeps it
        # positive definite. A night has its BLAS work in one thread (`pipelines`).
        dense = hessian.toarray(order="F")
        factor = scipy.linalg.cho_factor(dense, lower=True, overwrite_a=True, check_finite=False)
        result: Floats = scipy.linalg.cho_solve(factor, gradient, check_finite=False)
        return result


def _dot(a: Floats, b: Floats) -> float:
    """Return the sum of products without a BLAS, whose idle threads spin."""
    return float(np.einsum("i,i->", a, b))


def fit(labelled: Labelled, points: Floats, intercept: float, strength: float) -> Fitted:
    """Return the ridge logistic fit, drawn towards the points and intercept given.

    `strength` is the ridge: the precision of the given points. Newton's method with halved steps
    on the likelihood and a steep price for weights in the wrong order; rounded to six digits, so
    that the order of additions in a library cannot show.
    """
    n, width = labelled.cells.shape
    group = np.zeros(n, np.int32) if labelled.group is None else labelled.group
    columns = np.column_stack([labelled.cells, np.full(n, N_CELLS), N_CELLS + 1 + group])
    design = scipy.sparse.csr_matrix(
        (np.ones(columns.size), columns.ravel(), np.arange(0, columns.size + 1, width + 2)),
        shape=(n, N_CELLS + 1 + max(1, labelled.groups)),
    )
    start = np.concatenate([points, [intercept], np.zeros(max(1, labelled.groups))])
    ridge = np.full(len(start), strength)
    ridge[N_CELLS:] = _FREE
    ridge[N_CELLS + 1] = _ORDER  # group 0 adds nothing
    order = _differences(len(start))
    # Columns that no pattern and no order speaks of stay as they are.
    live = np.flatnonzero(design.getnnz(axis=0) + order.getnnz(axis=0))
    place = np.zeros(len(start), np.int32)
    place[live] = np.arange(len(live))
    beta = start.copy()
    beta[live] = _newton(
        _Problem(
            design=design[:, live],
            products=_Products(place[columns], len(live)),
            same=labelled.same,
            total=labelled.same + labelled.other,
            start=start[live],
            ridge=ridge[live],
            order=order[:, live],
        )
    )
    beta = np.round(beta, _ROUND)
    return Fitted(
        points=beta[:N_CELLS], intercept=float(beta[N_CELLS]), offsets=beta[N_CELLS + 1 :]
    )


def _differences(width: int) -> scipy.sparse.csr_matrix:
    """Return, one row a pair of ordered patterns, the better one's cells less the worse one's."""
    worse, better = (cells(patterns) for patterns in ordered_patterns())
    n, terms = worse.shape
    columns = np.column_stack([worse, better])
    signs = np.repeat(np.tile([-1.0, 1.0], n), terms)
    rows = np.arange(0, columns.size + 1, 2 * terms)
    matrix = scipy.sparse.csr_matrix((signs, columns.ravel(), rows), shape=(n, width))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _newton(problem: _Problem) -> Floats:
    """Return the minimum; the price of wrong orders rises from turn to turn.

    With the full price at once the steps are tiny: each one breaks other orders.
    """
    beta = problem.start.copy()
    for price in _PRICES:
        tolerance = _TOLERANCE if price == _PRICES[-1] else _ROUGHLY
        beta = _descend(problem, beta, (price, tolerance))
    return beta


def _descend(problem: _Problem, beta: Floats, how: tuple[float, float]) -> Floats:
    price, tolerance = how
    loss = problem.loss(beta, price)
    for _ in range(_STEPS):
        step = problem.step(beta, price)
        scale, trial, new_loss = 1.0, beta, np.inf
        while scale > 1e-4:
            trial = beta + scale * step
            new_loss = problem.loss(trial, price)
            if new_loss <= loss:
                break
            scale /= 2
        if new_loss > loss:
            break
        beta, gained = trial, loss - new_loss
        loss = new_loss
        if gained < tolerance * max(1.0, abs(loss)):
            break
    return beta
