"""Rules of which a county's findings follow from that county's rows, run over some counties only.

Such a rule names in its header (`by_county`) the tables of which it needs no other county's rows;
its other tables are read whole. A row lies in the county of its region code; one without a region
of its own in each county of its unit; one of neither in the county ''. See docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from audit.engines.base import Engine
from audit.model import Rule
from audit.portable import RowShape
from audit.views import UNIT_SOURCES

COUNTY = "COALESCE(LEFT(region_code, 6), '')"
UNIT = "unit"
PLACED = (UNIT, *UNIT_SOURCES)
"""Tables whose rows have a region."""
FOLLOWING = {
    "employment": "unit_id", "finance": "unit_id", "institution_finance": "unit_id",
    "production": "unit_id", "energy": "unit_id", "research": "unit_id",
    "research_project": "unit_id", "edit_event": "unit_id", "submission": "unit_id",
    "visit": "unit_id", "establishment_list": "legal_unit_id",
    "visit_place": "unit_id", "unit_error": "unit_id",
}  # fmt: skip
"""Tables whose rows lie where their unit does, with the column that names it."""
SPLIT = (*PLACED, *FOLLOWING)
PLACES = f"SELECT DISTINCT unit_id, {COUNTY} AS county FROM census.unit"
_PART = "part_"


@dataclass(frozen=True, slots=True)
class Recalled:
    """Rules by what is left to do: `whole` nothing; `partly` only the `counties`."""

    whole: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()
    counties: tuple[str, ...] = ()


def part(table: str) -> str:
    """Return the name of the scratch table with some counties' rows of a table."""
    return _PART + table


def in_counties(column: str, counties: Iterable[str]) -> str:
    """Return the condition that a region code lies in one of the counties."""
    listed = ", ".join("'" + county.replace("'", "''") + "'" for county in counties)
    return f"COALESCE(LEFT({column}, 6), '') IN ({listed})"


def _rows(table: str, counties: tuple[str, ...]) -> str:
    if table in PLACED:
        return f"SELECT * FROM {table} WHERE {in_counties('region_code', counties)}"
    unit = f"t.{FOLLOWING[table]}"
    inside = f"SELECT unit_id FROM unit WHERE {in_counties('region_code', counties)}"
    rows = f"SELECT t.* FROM {table} AS t WHERE {unit} IN ({inside})"
    if "" in counties:
        # Also those whose unit nobody sent in.
        rows += f" UNION ALL SELECT t.* FROM {table} AS t ANTI JOIN unit AS u ON u.unit_id = {unit}"
    return rows


def make_parts(engine: Engine, tables: Iterable[str], counties: tuple[str, ...]) -> None:
    """Make the scratch tables that rules over some counties read."""
    for table in sorted(set(tables)):
        engine.materialise(part(table), _rows(table, counties))


def drop_parts(engine: Engine, tables: Iterable[str]) -> None:
    """Remove the scratch tables."""
    for table in sorted(set(tables)):
        engine.execute(f"DROP TABLE IF EXISTS {part(table)}")


def over_parts(rule: Rule, sql: str) -> str:
    """Return the SQL of a rule over the parts of those tables that it names in `by_county`."""
    named = (f"{table} AS (SELECT * FROM {part(table)})" for table in rule.by_county)
    return f"WITH {', '.join(named)} SELECT * FROM ({sql}) AS whole"


def shape_over_parts(rule: Rule, shape: RowShape | None) -> RowShape | None:
    """Return the shape of a rule over single rows, over the part of its table."""
    if shape is None or shape.table not in rule.by_county:
        return None
    return replace(shape, table=part(shape.table))
