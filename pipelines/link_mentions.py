"""Units that other tables name by text: many mentions may name one unit, unlike register records.

Mentions written alike are one record of the matcher. Each round assigns one to one; what the units
of a round took is out of their way in the next.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from audit.matching.pairs import take
from audit.matching.records import Matched
from audit.matching.registers import Side, match_registers
from audit.matching.results import empty_result
from audit.matching.settings import MatchSettings
from audit.matching.settling import Counts, may_pair

ROUNDS = 3
"""Different writings of one unit that are all found."""

_ALIKE = ["name", "credit_code", "region_code"]


def _first_of_each(mentions: Side) -> tuple[Side, pl.DataFrame]:
    """Return one mention of each writing, and for every mention the one that stands for it."""
    records = mentions.records.with_row_index("row")
    known = records.with_columns(first=pl.col("record_id").min().over(_ALIKE)).select(
        "row", "record_id", "table_name", "first"
    )
    rows = known.filter(pl.col("record_id") == pl.col("first"))["row"].to_numpy()
    side = _rows(mentions, rows.astype(np.int64))
    return side, known.drop("row")


def _rows(side: Side, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Side:
    return Side(records=side.records[rows], features=take(side.features, rows))


def _near(units: Side, mentions: Side) -> Side:
    """Return the units that share anything with a mention; counts are still those of all units."""
    near = np.flatnonzero(may_pair(units.features, mentions.features))
    counts = units.counts or Counts.over(units.features)
    return replace(_rows(units, near), counts=counts, counted=near)


def _in_rounds(units: Side, mentions: Side, settings: MatchSettings) -> list[Matched]:
    found: list[Matched] = []
    for _ in range(ROUNDS):
        one = match_registers(units, mentions, settings=settings)
        found.append(one)
        linked = one.links.filter(pl.col("decision") == "link")["right_id"]
        open_rows = np.flatnonzero(
            ~mentions.records["record_id"].is_in(linked.implode()).to_numpy()
        )
        if not len(linked) or not len(open_rows):
            break
        mentions = _rows(mentions, open_rows)
    return found


def _best(links: pl.DataFrame) -> pl.DataFrame:
    """Keep of a mention its link, or what else the last round that looked at it said."""
    linked = links.filter(pl.col("decision") == "link")
    waiting = links.filter(pl.col("decision") == "possible_link").join(
        linked, on="right_id", how="anti"
    )
    return pl.concat([linked, waiting]).unique(
        ["left_id", "right_id"], keep="last", maintain_order=True
    )


def match_mentions(units: Side, mentions: list[Side], settings: MatchSettings) -> Matched:
    """Return which unit (left) each mention (right) names; each list of mentions by itself.

    The parent that an establishment states is looked for among legal entities only.
    """
    results: list[pl.DataFrame] = []
    for side in mentions:
        if not len(side.features):
            continue
        candidates = units
        if side.records["table_name"][0] == "parent":
            legal = (units.records["table_name"] == "legal_entity").to_numpy()
            candidates = _rows(units, np.flatnonzero(legal))
        writings, known = _first_of_each(side)
        candidates = _near(candidates, writings)
        rounds = _in_rounds(candidates, writings, settings)
        links = _best(pl.concat([one.links for one in rounds]))
        results.append(
            links.rename({"right_id": "first"})
            .join(known.drop("table_name"), on="first", how="inner")
            .rename({"record_id": "right_id"})
            .select(links.columns)
        )
    empty = empty_result()
    if not results:
        return empty
    return replace(empty, links=pl.concat(results).sort("left_id", "right_id"))
