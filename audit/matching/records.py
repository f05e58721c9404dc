"""What goes into the matcher and what comes out of it, as frames."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

RECORD_SCHEMA = {
    "record_id": pl.String(),  # unit_id, frame_id, or source|register_id
    "table_name": pl.String(),
    "name": pl.String(),
    "credit_code": pl.String(),
    "org_code": pl.String(),
    "owner": pl.String(),  # legal_rep, person_in_charge, operator
    "phone_fixed": pl.String(),
    "phone_mobile": pl.String(),
    "address": pl.String(),
    "region_code": pl.String(),  # 6 to 12 digits
    "industry_code": pl.String(),
    "is_headquarters": pl.Boolean(),
    "parent_credit_code": pl.String(),
}
"""Columns of a record; any but `record_id` and `name` may be all NULL."""

LINK_SCHEMA = {
    "left_id": pl.String(),
    "right_id": pl.String(),
    "left_table": pl.String(),
    "right_table": pl.String(),
    "matcher": pl.String(),  # "unit@1", "register@1": id and version
    "weight": pl.Float64(),
    "probability": pl.Float64(),
    "decision": pl.String(),  # link, possible_link, non_link
    "relation": pl.String(),  # same_unit, headquarters, branch, same_owner, market … (why not one)
    "comparison": pl.String(),  # JSON: levels in words (zh, en), points a field, keys, versions
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Pairs that people decided: columns left_id, right_id, same (bool)."""

    pairs: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Result of one matcher over one or two sets of records.

    `links` as LINK_SCHEMA, sorted by left_id, right_id; left_id < right_id within one set.
    `clusters`: cluster_id, record_id, table_name, only clusters of two and more.
    `large_blocks`: block_key (kind and digest, never the value), kind, n_records, n_counties,
    record_ids not compared for that key alone; house numbers propose no pairs alone at all.
    `quality`: metric, value - estimated precision, recall, candidate pairs a record, labels used,
    yield by key kind, weights version, EM diagnostic.
    """

    links: pl.DataFrame
    clusters: pl.DataFrame
    large_blocks: pl.DataFrame
    quality: pl.DataFrame
