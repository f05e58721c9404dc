"""Planting into a delivery that was not generated here: what does not fit is left out and told."""

from __future__ import annotations

import polars as pl

from audit.contracts import CONTRACT
from sample_data.inject import PLANTERS, SCARCE, new_plot, plant
from sample_data.plot import TRUTH


def plant_into(
    tables: dict[str, pl.DataFrame], seed: int, error_rate: float
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, dict[str, str]]:
    """Return copies of the tables with planted errors, their truth, and what was not planted.

    `tables`: contract columns by table; a table that is missing counts as empty. The third value
    tells by rule why: a planter was written for the sample, and a delivery may lack what it needs.
    Planting may fail half way: then the rule's changes are undone.
    """
    whole = {
        table.name: tables.get(
            table.name, pl.DataFrame(schema={c.name: pl.String for c in table.columns})
        )
        for table in CONTRACT.delivered
    }
    plot = new_plot(whole, seed, error_rate)
    left: dict[str, str] = {}
    for rule in (*SCARCE, *(rule for rule in PLANTERS if rule not in SCARCE)):
        try:
            if not plant(plot, rule):
                left[rule] = "no unit"
        except Exception as error:  # noqa: BLE001  # any failure means: it does not fit here
            left[rule] = type(error).__name__
    empty = pl.DataFrame(schema=dict.fromkeys(TRUTH, pl.String))
    truth = pl.concat([empty, *plot.truth]).sort("rule_id", maintain_order=True)
    return plot.tables, truth, left
