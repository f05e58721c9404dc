"""What the matcher is given tonight: records of units, registers, the frame, and mentions.

A mention is a place where a delivered table names a unit by text without being a list of units: a
clue, a line of a list handed down, the parent that an establishment states. Mentions have ids of
their own (`clue|…`, `external_finding|…`, `parent|unit_id`), so that nobody takes them for units.
"""

from __future__ import annotations

import polars as pl

from audit.engines.duckdb import DuckDBEngine
from audit.matching.gazetteer import Gazetteer
from audit.matching.records import RECORD_SCHEMA

_UNITS = (
    """
SELECT unit_id AS record_id, 'legal_entity' AS table_name, name, credit_code, org_code,
  legal_rep AS owner, phone_fixed, phone_mobile, address, region_code, industry_code,
  CAST(NULL AS BOOLEAN) AS is_headquarters, parent_credit_code
FROM census.legal_entity
""",
    """
SELECT unit_id AS record_id, 'establishment' AS table_name, name, credit_code, org_code,
  person_in_charge AS owner, phone_fixed, phone_mobile, address, region_code, industry_code,
  is_headquarters = '1' AS is_headquarters, parent_credit_code
FROM census.establishment
""",
    """
SELECT unit_id AS record_id, 'self_employed' AS table_name, name, credit_code, operator AS owner,
  phone AS phone_mobile, address, region_code, industry_code
FROM census.self_employed
""",
)

_LISTS = (
    """
SELECT record_id, 'register_unit' AS table_name, name, credit_code, legal_rep AS owner,
  phone AS phone_mobile, address, region_code, industry_code, parent_credit_code
FROM census.register_unit
""",
    """
SELECT 'frame|' || frame_id AS record_id, 'frame_unit' AS table_name, name, credit_code,
  legal_rep AS owner, phone AS phone_mobile, address, region_code
FROM census.frame_unit
""",
)

_NAMED = """
SELECT 'clue|' || clue_id AS record_id, 'clue' AS table_name, unit_name AS name, credit_code,
  region_code
FROM census.clue WHERE unit_name IS NOT NULL OR credit_code IS NOT NULL
UNION ALL BY NAME
SELECT 'external_finding|' || list_id || '|' || CAST(line_no AS VARCHAR) AS record_id,
  'external_finding' AS table_name, unit_name AS name, credit_code, region_code
FROM census.external_finding WHERE unit_name IS NOT NULL OR credit_code IS NOT NULL
"""

# One establishment of each parent as it is written: whoever states the same parent is joined later.
_PARENTS = """
SELECT 'parent|' || e.unit_id AS record_id, 'parent' AS table_name, e.parent_name AS name,
  e.parent_credit_code AS credit_code, e.parent_region_code AS region_code
FROM census.establishment AS e
WHERE e.parent_name IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM census.legal_entity AS l WHERE l.credit_code = e.parent_credit_code
) AND NOT EXISTS (
  SELECT 1 FROM census.legal_entity AS l WHERE l.org_code = e.parent_credit_code
)
"""

_REGIONS = "SELECT region_code, name FROM census.region WHERE vintage = '{vintage}'"
READ = " ".join((*_UNITS, *_LISTS, _NAMED, _PARENTS, _REGIONS))
"""Every SELECT of this module: what the matchers read."""


def _records(engine: DuckDBEngine, *selects: str) -> pl.DataFrame:
    """Return SELECTs as RECORD_SCHEMA, one behind the other, one row an id, in any order."""
    found = pl.concat([_selected(engine, sql) for sql in selects])
    if found["record_id"].n_unique() == found.height:
        return found
    # A form number that two tables share names neither surely; always the same one keeps it.
    last_table_first = [name == "table_name" for name in RECORD_SCHEMA]
    return found.sort(*RECORD_SCHEMA, descending=last_table_first).unique(
        "record_id", keep="first", maintain_order=True
    )


def _selected(engine: DuckDBEngine, sql: str) -> pl.DataFrame:
    given = set(engine.columns(sql))
    columns = ", ".join(
        f"CAST({name if name in given else 'NULL'} AS "
        f"{'BOOLEAN' if kind == pl.Boolean() else 'VARCHAR'}) AS {name}"
        for name, kind in RECORD_SCHEMA.items()
    )
    fetched = engine.fetch(f"SELECT {columns} FROM ({sql})")
    return pl.DataFrame(pl.from_arrow(fetched), schema=pl.Schema(RECORD_SCHEMA))


def unit_records(engine: DuckDBEngine) -> pl.DataFrame:
    """Return all units (RECORD_SCHEMA); `record_id` is the unit_id."""
    return _records(engine, *_UNITS)


def list_records(engine: DuckDBEngine) -> pl.DataFrame:
    """Return register records (`source|register_id`) and frame lines (`frame|frame_id`)."""
    return _records(engine, *_LISTS)


def named_records(engine: DuckDBEngine) -> pl.DataFrame:
    """Return the units that clues and lists handed down name."""
    return _records(engine, _NAMED)


def parent_records(engine: DuckDBEngine) -> pl.DataFrame:
    """Return the parents that establishments state and no legal entity's code confirms."""
    return _records(engine, _PARENTS)


def gazetteer(engine: DuckDBEngine, vintage: str) -> Gazetteer:
    """Return the names of places in the delivery's region list of a vintage."""
    regions = pl.DataFrame(
        pl.from_arrow(engine.fetch(f"{_REGIONS.format(vintage=vintage)} ORDER BY region_code")),
        schema={"region_code": pl.String, "name": pl.String},
    )
    return Gazetteer.from_regions(regions)
