"""Units that the census missed, by dual-system estimation in counties and kinds of unit.

Two lists of the same blocks: the census (n1 sound forms) and the quality check (n2 units found),
with m units on both. Chapman (1951), Some properties of the hypergeometric distribution with
applications to zoological sample censuses, Univ. California Publ. Statistics 1, 131-160:
N = (n1 + 1)(n2 + 1) / (m + 1) - 1, with the variance of Seber (1970), Biometrics 26, 13-22. It is
the Lincoln-Petersen estimate n1 n2 / m without its bias. Wolter (1986), Some coverage error models
for census data, JASA 81, 338-346: erroneous forms leave n1 first, and the lists are compared within
cells of like units. A record of the check has no size for a unit that the census missed; its kind
(legal entity, establishment, household) is the only size that both lists know.

The share missed is bounded as a share under the sample of blocks (`design`), since blocks that were
not rechecked are judged by those that were; a bound p of it makes N / n1 - 1 = p / (1 - p).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from audit.estimating.design import share

CONFIDENCE = 0.95


def chapman(n1: int, n2: int, both: int) -> tuple[float, float]:
    """Return the estimated number of units and its standard error."""
    number = (n1 + 1) * (n2 + 1) / (both + 1) - 1
    variance = (n1 + 1) * (n2 + 1) * (n1 - both) * (n2 - both) / ((both + 1) ** 2 * (both + 2))
    return number, float(np.sqrt(variance))


def _odds(part: float) -> float | None:
    return part / (1 - part) if part < 1 else None


def _cell(code: str, kind: str, part: pl.DataFrame) -> dict[str, object]:
    census, found = int(part["n_census"].sum()), int(part["size"].sum())
    both = int((part["size"] - part["hits"]).sum())
    number, error = chapman(census, found, both)
    missed = share(part, CONFIDENCE)
    return {
        "region_code": code.ljust(12, "0"),
        "unit_kind": kind,
        "n_blocks": part.height,
        "n_census": census,
        "n_recheck": found,
        "n_both": both,
        "n_estimated": number,
        "standard_error": error,
        "omission": number / census - 1 if census else None,
        "omission_low": missed and _odds(missed.low),
        "omission_high": missed and _odds(missed.high),
    }


def dual_system(tally: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Return the estimate of each county and kind of unit with rechecked blocks.

    `tally`: block_id, unit_kind, n_checked, n_missed, n_surplus; `listed`: block_id, unit_kind,
    n_census.
    """
    joined = tally.join(listed, on=["block_id", "unit_kind"], how="left")
    both = pl.col("n_checked") - pl.col("n_missed") - pl.col("n_surplus")
    sound = pl.col("n_census").fill_null(0) - pl.col("n_surplus")
    cells = joined.select(
        "block_id",
        "unit_kind",
        stratum=pl.col("block_id").str.slice(0, 6),
        weight=pl.lit(1.0),
        fraction=pl.lit(0.0),
        hits=pl.col("n_missed"),
        size=both + pl.col("n_missed"),
        n_census=pl.max_horizontal(sound, both),
    ).sort("block_id", "unit_kind")
    parts = cells.partition_by("stratum", "unit_kind", as_dict=True)
    rows = [_cell(str(code), str(kind), part) for (code, kind), part in sorted(parts.items())]
    return pl.DataFrame(rows, infer_schema_length=None)
