"""Known errors in a clean census, one planter a rule, and the truth about them.

The truth says what was done, not what any check says: nothing here imports the checks.
"""

from __future__ import annotations

import polars as pl

from sample_data import (
    inject_codes,
    inject_confidential,
    inject_direct,
    inject_duplicates,
    inject_forms,
    inject_linkage,
    inject_matched,
    inject_places,
    inject_plausible,
    inject_quality,
    inject_registers,
    inject_returns,
)
from sample_data.draws import Draw
from sample_data.plot import TRUTH, ExhaustedError, Planter, Plot

PLANTERS: dict[str, Planter] = {
    **inject_forms.PLANTERS,
    **inject_linkage.PLANTERS,
    **inject_duplicates.PLANTERS,
    **inject_registers.PLANTERS,
    **inject_matched.PLANTERS,
    **inject_returns.PLANTERS,
    **inject_places.PLANTERS,
    **inject_codes.PLANTERS,
    **inject_confidential.PLANTERS,
    **inject_plausible.PLANTERS,
    **inject_direct.PLANTERS,
    **inject_quality.PLANTERS,
}
"""Rule id to the function that plants its error."""
SCARCE = ("DIR003", "DIR001", "XSP009", "XSP008", "FRM016", "XSP010", "XSP005")
"""Planted first: few units have what they damage."""
ESTABLISHMENT_PLANTERS, HOUSEHOLD_PLANTERS = 12, 6
HOT_SHARE = 0.015


def _share(rate: float, n_units: int, planters: int) -> int:
    return max(2, round(rate * n_units / planters))


def _hot_township(legal: pl.DataFrame) -> str:
    """Return the township that gets errors more often: the largest of those that are not huge."""
    towns = legal.group_by(pl.col("region_code").str.slice(0, 9).alias("town")).len()
    middling = towns.filter(pl.col("len") <= max(30, HOT_SHARE * legal.height))
    return str(middling.sort("len", "town", descending=[True, False])["town"][0])


def _plot(tables: dict[str, pl.DataFrame], seed: int, error_rate: float) -> Plot:
    legal = tables["legal_entity"]
    return Plot(
        tables=dict(tables),
        draw=Draw(seed, "injected errors"),
        per_legal=_share(error_rate, legal.height, len(PLANTERS)),
        per_establishment=_share(
            error_rate, tables["establishment"].height, ESTABLISHMENT_PLANTERS
        ),
        per_household=_share(error_rate, tables["self_employed"].height, HOUSEHOLD_PLANTERS),
        hot_township=_hot_township(legal),
        seed=seed,
    )


def _plant(plot: Plot, rule: str) -> None:
    """Plant one rule's errors, or none of them where too few units are left."""
    before = dict(plot.tables), set(plot.used), list(plot.truth)
    plot.rule = rule
    try:
        PLANTERS[rule](plot)
    except ExhaustedError:
        plot.tables, plot.used, plot.truth = before


def inject(
    tables: dict[str, pl.DataFrame], seed: int, error_rate: float
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the tables with planted errors and the truth; the tables given stay as they are.

    `error_rate` is the share of units touched, in all; each rule gets at least two. Nothing is
    planted at 0. A rule takes what there is where too few units fit it; one that no unit is left
    for has no truth (from about 1,500 legal entities on every rule has).
    """
    if not 0 <= error_rate <= 0.5:
        raise ValueError(f"error rate {error_rate} is not between 0 and 0.5")
    empty = pl.DataFrame(schema=dict.fromkeys(TRUTH, pl.String))
    if error_rate == 0:
        return dict(tables), empty
    plot = _plot(tables, seed, error_rate)
    for rule in (*SCARCE, *(rule for rule in PLANTERS if rule not in SCARCE)):
        _plant(plot, rule)
    truth = pl.concat([empty, *plot.truth]).sort("rule_id", maintain_order=True)
    return plot.tables, truth
