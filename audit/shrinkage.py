"""Error rates of small regions, shrunk towards the regions beside them.

The regions under one parent share a Beta(a, b) distribution of rates with mean m = a / (a + b) and
strength s = a + b, the number of units that the prior is worth. Both maximise the beta-binomial
marginal likelihood of the siblings times a hyper-prior: m is distributed like the rate of the
parent itself, s like the strengths usual at that level, which all regions of the level tell
together. So both stay finite when siblings are few, all clean, all equal or huge. A region with x
failing units of n then has the posterior Beta(a + x, b + n - x).
Method note: `docs/method/scoring.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_SIBLINGS = 3
TAIL = 0.025
USUAL_STRENGTH = 50.0
STRENGTH_RANGE = (2.0, 1000.0)
STRENGTH_SPREAD = 0.5
ROOT_STRENGTH = 10.0
_LOGIT_RANGE = (-12.0, 12.0)
_STRENGTHS = np.geomspace(*STRENGTH_RANGE, 60)


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """A Beta distribution of rates: worth `a` failing units of `a + b`."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """The rate the siblings have on average."""
        return self.a / (self.a + self.b)

    @property
    def strength(self) -> float:
        """The number of units the prior is worth."""
        return self.a + self.b


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What is known of the rates of n regions; arrays of height n, shares between 0 and 1."""

    mean: Floats
    low: Floats
    high: Floats
    over: Floats


def root_prior(failed: int, units: int, limit: float) -> BetaPrior:
    """Return the prior above all regions: the pooled rate, or the limit where there is no unit."""
    mean = (failed + limit) / (units + 1)
    return BetaPrior(ROOT_STRENGTH * mean, ROOT_STRENGTH * (1 - mean))


def level_strength(failed: Ints, units: Ints, means: Floats) -> float:
    """Return the strength that all regions of a level have in common, around their own means.

    One township has too few villages to tell chance from difference; all villages together do.
    """
    order = np.lexsort((means, failed, units))
    x, n, mean = failed[order], units[order], means[order]
    a, b = np.outer(_STRENGTHS, mean), np.outer(_STRENGTHS, 1 - mean)
    likelihood = (special.betaln(a + x, b + n - x) - special.betaln(a, b)).sum(axis=1)
    hyper = -0.5 * np.log(_STRENGTHS / USUAL_STRENGTH) ** 2
    return float(_STRENGTHS[np.argmax(likelihood + hyper)])


def negative_log_posterior(
    point: Floats, counts: tuple[Floats, Floats], above: BetaPrior, usual: float
) -> tuple[float, Floats]:
    """Return minus the log posterior of (logit m, log s), and its gradient.

    `counts` are the failing and all units of the siblings.
    """
    failed, units = counts
    mean, strength = special.expit(point[0]), np.exp(point[1])
    a, b = mean * strength, (1 - mean) * strength
    clean = units - failed
    likelihood = (special.betaln(a + failed, b + clean) - special.betaln(a, b)).sum()
    total = special.digamma(strength + units) - special.digamma(strength)
    d_a = (special.digamma(a + failed) - special.digamma(a) - total).sum()
    d_b = (special.digamma(b + clean) - special.digamma(b) - total).sum()
    off = (point[1] - np.log(usual)) / STRENGTH_SPREAD
    hyper = above.a * special.log_expit(point[0]) + above.b * special.log_expit(-point[0])
    d_logit = strength * mean * (1 - mean) * (d_a - d_b) + above.a * (1 - mean) - above.b * mean
    d_log = a * d_a + b * d_b - off / STRENGTH_SPREAD
    return -float(likelihood + hyper - 0.5 * off**2), -np.array([d_logit, d_log])


def fit_prior(
    failed: Ints, units: Ints, above: BetaPrior, usual: float = USUAL_STRENGTH
) -> BetaPrior:
    """Return the prior that siblings share; `above` where fewer than three of them have units.

    `above` is the prior one level up: how the rate of their parent is distributed. `usual` is the
    strength usual at the level of the siblings.
    """
    seen = units > 0
    if int(seen.sum()) < FEWEST_SIBLINGS:
        return above
    # Sums of floats depend on their order; the order of the siblings must not.
    order = np.lexsort((failed[seen], units[seen]))
    x, n = failed[seen][order].astype(np.float64), units[seen][order].astype(np.float64)
    pooled = (x.sum() + above.a) / (n.sum() + above.strength)
    found = optimize.minimize(
        negative_log_posterior,
        np.array([special.logit(pooled), np.log(usual)]),
        args=((x, n), above, usual),
        jac=True,
        method="L-BFGS-B",
        bounds=[_LOGIT_RANGE, tuple(np.log(STRENGTH_RANGE))],
    )
    mean, strength = float(special.expit(found.x[0])), float(np.exp(found.x[1]))
    return BetaPrior(mean * strength, (1 - mean) * strength)


def _children(parents: Ints) -> dict[int, Ints]:
    order = np.argsort(parents, kind="stable")
    heads, starts = np.unique(parents[order], return_index=True)
    return dict(zip(heads.tolist(), np.split(order, starts[1:]), strict=True))


def _usual(families: list[tuple[Ints, BetaPrior]], failed: Ints, units: Ints) -> float:
    """Return the level strength over the families that are large enough to be fitted."""
    fitted = [(k, above) for k, above in families if (units[k] > 0).sum() >= FEWEST_SIBLINGS]
    if not fitted:
        return USUAL_STRENGTH
    means = [
        np.full(len(k), (failed[k].sum() + above.a) / (units[k].sum() + above.strength))
        for k, above in fitted
    ]
    members = np.concatenate([k for k, _ in fitted])
    return level_strength(failed[members], units[members], np.concatenate(means))


def fit_tree(parents: Ints, failed: Ints, units: Ints, root: BetaPrior) -> tuple[Floats, Floats]:
    """Return a and b of each region's prior, fitted over the children of its parent.

    `parents` holds the position of each region's parent, -1 at the top; no cycles.
    """
    a, b = np.empty(len(parents)), np.empty(len(parents))
    if not len(parents):
        return a, b
    children = _children(parents)
    level = [(children[-1], root)]
    while level:
        usual = _usual(level, failed, units)
        below = []
        for siblings, above in level:
            prior = fit_prior(failed[siblings], units[siblings], above, usual)
            a[siblings], b[siblings] = prior.a, prior.b
            below += [(children[i], prior) for i in siblings.tolist() if i in children]
        level = below
    return a, b


def posterior(failed: Ints, units: Ints, prior: tuple[Floats, Floats], limit: float) -> Posterior:
    """Return the shrunk rates, their 95 % intervals and the probability of being over `limit`."""
    a, b = prior[0] + failed, prior[1] + units - failed
    return Posterior(
        mean=a / (a + b),
        low=special.betaincinv(a, b, TAIL),
        high=special.betaincinv(a, b, 1 - TAIL),
        over=special.betainc(b, a, 1 - limit),
    )


def own_low(failed: Ints, units: Ints, tail: float) -> Floats:
    """Return the exact one-sided lower bound (Clopper-Pearson) of each region's own rate.

    `tail` is the chance of being below the bound: 0.2 is what 80 % confidence leaves.
    """
    some = failed > 0
    bound = special.betaincinv(np.where(some, failed, 1), units - failed + 1, tail)
    return np.where(some, bound, 0.0)
