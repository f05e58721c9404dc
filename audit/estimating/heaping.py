"""Round endings and first digits of what one enumerator or one account has filed.

People who make figures up like round ones (heaping), and do not draw first digits as life does
(Benford 1938; for interviewers Schraepler and Wagner 2005). Neither is compared with a theory but
with what the others filed: the cell is an item by the number of digits of the value, the subject
itself left out. Tail probabilities are binomial for endings and chi-square for first digits; the
false discovery rate over all subjects and features is that of Benjamini and Hochberg (1995).
Natural areas differ in first digits too: a weak hint, which the literature could not build on.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import special

from audit.estimating.model import Estimate, Frames
from audit.estimating.tails import binomial_tail, discovery_rates

FEWEST = 20
"""Values of one subject below which nothing is tested."""
PRIOR = 20.0
"""Values that the share of a cell is worth before anybody filed in it."""
ENDINGS = {"end_000": (4, 0.001), "end_00": (3, 0.01), "end_05": (2, 0.2)}
"""By feature: digits that a value needs for it, and the share of even endings."""
BENFORD = {str(d): float(np.log10(1 + 1 / d)) for d in range(1, 10)}

_ITEMS = {
    "self_employed": ("revenue_kyuan", "expenditure_kyuan", "pay_kyuan"),
    "legal_entity": ("revenue_kyuan", "assets_kyuan"),
    "establishment": ("revenue_kyuan",),
}
_FILED = {
    "legal_entity": ("revenue_kyuan", "assets_kyuan"),
    "finance": ("cost_kyuan", "admin_expenses_kyuan", "pay_kyuan"),
}
_BY_ENUMERATOR = (
    "SELECT 'enumerator' AS subject_kind, enumerator_id AS subject_id, region_code, "
    "'{table}.{item}' AS item, CAST(CAST(ROUND({item}, 0) AS BIGINT) AS STRING) AS shown "
    "FROM {table} WHERE {item} >= 1 AND enumerator_id IS NOT NULL"
)
_BY_ACCOUNT = (
    "SELECT 'account' AS subject_kind, a.account AS subject_id, l.region_code, "
    "'account.{item}' AS item, CAST(CAST(ROUND(t.{item}, 0) AS BIGINT) AS STRING) AS shown "
    "FROM (SELECT DISTINCT account, unit_id FROM submission WHERE account IS NOT NULL) AS a "
    "JOIN legal_entity AS l ON l.unit_id = a.unit_id "
    "JOIN {table} AS t ON t.unit_id = a.unit_id WHERE t.{item} >= 1"
)
_VALUES = " UNION ALL ".join(
    select.format(table=table, item=item)
    for select, tables in ((_BY_ENUMERATOR, _ITEMS), (_BY_ACCOUNT, _FILED))
    for table, items in tables.items()
    for item in items
)
COUNTS = f"""
SELECT subject_kind, subject_id, region_code, item, digits, first, COUNT(*) AS n,
  SUM(CASE WHEN RIGHT(shown, 3) = '000' THEN 1 ELSE 0 END) AS end_000,
  SUM(CASE WHEN RIGHT(shown, 2) = '00' THEN 1 ELSE 0 END) AS end_00,
  SUM(CASE WHEN RIGHT(shown, 1) IN ('0', '5') THEN 1 ELSE 0 END) AS end_05
FROM (
  SELECT subject_kind, subject_id, region_code, item, shown, LENGTH(shown) AS digits,
    LEFT(shown, 1) AS first
  FROM ({_VALUES}) AS v
) AS w
GROUP BY subject_kind, subject_id, region_code, item, digits, first"""

_SUBJECT, _CELL = ["subject_kind", "subject_id"], ["item", "digits"]


def _by_cell(counts: pl.DataFrame) -> pl.DataFrame:
    """Return each subject's values in each cell: `n`, those of each ending and each first digit.

    Sums of fractions follow the order of rows: it is that of the rows' own keys.
    """
    first = (pl.col("n").filter(pl.col("first") == digit).sum().alias(digit) for digit in BENFORD)
    keys = [*_SUBJECT, *_CELL]
    return counts.group_by(keys).agg(pl.sum("n", *ENDINGS), *first).sort(keys)


def _endings(by_cell: pl.DataFrame, feature: str) -> pl.DataFrame:
    """Return subject, n_values, n_found, n_expected and p_value of one kind of ending."""
    least, even = ENDINGS[feature]
    mine = (
        by_cell.filter(pl.col("digits") >= least)
        .rename({feature: "k"})
        .with_columns(
            n_cell=pl.col("n").sum().over(_CELL) - pl.col("n"),
            k_cell=pl.col("k").sum().over(_CELL) - pl.col("k"),
        )
        .with_columns(share=(pl.col("k_cell") + PRIOR * even) / (pl.col("n_cell") + PRIOR))
    )
    found = mine.group_by(_SUBJECT).agg(
        pl.sum("n").alias("n_values"),
        pl.sum("k").alias("n_found"),
        (pl.col("n") * pl.col("share")).sum().alias("n_expected"),
    )
    n, k, expected = (found[c].to_numpy() for c in ("n_values", "n_found", "n_expected"))
    p_value = binomial_tail(k, n, expected / np.maximum(n, 1))
    return found.with_columns(feature=pl.lit(feature), p_value=pl.Series(p_value, dtype=pl.Float64))


def _first_digits(by_cell: pl.DataFrame) -> pl.DataFrame:
    """Return the same of first digits; found and expected are those of the digits in excess."""
    every = (pl.col(name).sum().over(_CELL).alias(f"{name}_all") for name in ("n", *BENFORD))
    sizes = by_cell.with_columns(*every)
    # A row for each cell and digit; within a digit the cells keep their order.
    full = pl.concat(
        sizes.select(
            *_SUBJECT, "n", "n_all", first=pl.lit(digit), even=even, k=digit, k_all=f"{digit}_all"
        )
        for digit, even in BENFORD.items()
    ).with_columns(
        share=(pl.col("k_all") - pl.col("k") + PRIOR * pl.col("even"))
        / (pl.col("n_all") - pl.col("n") + PRIOR)
    )
    by_digit = (
        full.group_by(*_SUBJECT, "first")
        .agg(pl.sum("k"), (pl.col("n") * pl.col("share")).sum().alias("e"))
        .sort(*_SUBJECT, "first")
    )
    k, e = pl.col("k"), pl.col("e")
    found = by_digit.group_by(_SUBJECT).agg(
        k.sum().alias("n_values"),
        k.filter(k > e).sum().alias("n_found"),
        e.filter(k > e).sum().alias("n_expected"),
        ((k - e) ** 2 / e).sum().alias("chi"),
    )
    tail = special.chdtrc(len(BENFORD) - 1, found["chi"].to_numpy())
    return found.drop("chi").with_columns(
        feature=pl.lit("first_digit"), p_value=pl.Series(tail, dtype=pl.Float64)
    )


def heaping(frames: Frames) -> Frames:
    """Return for each subject each feature, what is usual, and its tails where it is tested.

    `counts`: subject_kind, subject_id, region_code, item, digits, first, n, end_000, end_00,
    end_05; numbers of values.
    """
    counts = frames["counts"].with_columns(
        pl.col("n", "digits", *ENDINGS).cast(pl.Int64), pl.col("region_code").fill_null("")
    )
    where = (
        counts.group_by(*_SUBJECT, "region_code")
        .agg(pl.sum("n"))
        .sort("n", "region_code", descending=[True, False])
        .group_by(_SUBJECT, maintain_order=True)
        .agg(pl.first("region_code"))
    )
    cells = _by_cell(counts)
    parts = [*(_endings(cells, feature) for feature in ENDINGS), _first_digits(cells)]
    every = pl.concat([part.select(sorted(part.columns)) for part in parts], how="vertical_relaxed")
    enough = pl.col("n_values") >= FEWEST
    tested, few = every.filter(enough), every.filter(~enough)
    unknown = pl.lit(None, pl.Float64)
    found = pl.concat(
        [
            tested.with_columns(q_value=discovery_rates(tested["p_value"])),
            few.with_columns(p_value=unknown, q_value=unknown),
        ]
    )
    return {"heaping": found.join(where, on=_SUBJECT, how="left")}


ESTIMATE = Estimate(
    makes=("heaping",),
    # Any one of the tables holds values of its own.
    needs=(),
    uses=("self_employed", "legal_entity", "establishment", "submission", "finance"),
    selects={"counts": COUNTS},
    make=heaping,
)
