"""How far a sum of money lies from another source, in powers of ten.

Sums written in yuan, in ten thousand yuan or in tens of them instead of thousand yuan stand at a
power of ten from what other sources say of the same sum.
"""

from __future__ import annotations

import polars as pl

from audit.estimating.model import Estimate, Frames

POWERS = (1, 3, 4)
"""Slips of the unit either way: thousand yuan against 万元, yuan, and yuan against 万元."""

_LEGAL = "SELECT l.unit_id, '{item}' AS item, l.{item} AS value, "
PAIRS = f"""
{_LEGAL.format(item="revenue_kyuan")}r.sales_kyuan AS reference, 'register' AS source, '' AS period
FROM legal_entity AS l
JOIN register_unit AS r ON r.credit_code = l.credit_code AND r.source = '2'
WHERE l.revenue_kyuan > 0 AND r.sales_kyuan > 0
UNION ALL
{_LEGAL.format(item="revenue_kyuan")}p.revenue_kyuan, 'prior', p.period
FROM legal_entity AS l JOIN prior_value AS p ON p.credit_code = l.credit_code
WHERE l.revenue_kyuan > 0 AND p.revenue_kyuan > 0
UNION ALL
{_LEGAL.format(item="assets_kyuan")}p.assets_kyuan, 'prior', p.period
FROM legal_entity AS l JOIN prior_value AS p ON p.credit_code = l.credit_code
WHERE l.assets_kyuan > 0 AND p.assets_kyuan > 0
UNION ALL
{_LEGAL.format(item="revenue_kyuan")}f.revenue_kyuan, 'return', ''
FROM legal_entity AS l JOIN finance AS f ON f.unit_id = l.unit_id
WHERE l.revenue_kyuan > 0 AND f.revenue_kyuan > 0
UNION ALL
{_LEGAL.format(item="assets_kyuan")}f.assets_kyuan, 'return', ''
FROM legal_entity AS l JOIN finance AS f ON f.unit_id = l.unit_id
WHERE l.assets_kyuan > 0 AND f.assets_kyuan > 0
UNION ALL
SELECT e.unit_id, 'wages_kyuan', e.wages_kyuan, f.pay_kyuan, 'return', ''
FROM employment AS e JOIN finance AS f ON f.unit_id = e.unit_id
WHERE e.wages_kyuan > 0 AND f.pay_kyuan > 0"""


def unit_error(frames: Frames) -> Frames:
    """Return each pair with its distance in powers of ten, and from the nearest slip of the unit.

    `pairs`: unit_id, item, value and reference (thousand yuan, above zero), source, period (of a
    previous value, else an empty text).
    """
    distance = (pl.col("value") / pl.col("reference")).log10().abs()
    pairs = frames["pairs"].unique().with_columns(distance=distance)
    away = pl.min_horizontal((pl.col("distance") - power).abs() for power in POWERS)
    return {"unit_error": pairs.with_columns(power_distance=away)}


ESTIMATE = Estimate(
    makes=("unit_error",),
    needs=("legal_entity",),
    uses=("register_unit", "prior_value", "finance", "employment"),
    selects={"pairs": PAIRS},
    make=unit_error,
)
