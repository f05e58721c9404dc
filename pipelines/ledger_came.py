"""For which counties a delivered table came: the ledger closes nothing where it did not."""

from __future__ import annotations

from audit.contracts import CONTRACT

_BY_COUNTY = ("unit", "legal_entity", "establishment", "self_employed", "frame_unit")


def counties_of(name: str) -> str:
    """Return the SELECT of the counties that a delivered table came for; '' is any."""
    table = f"census.{name}"
    if name in _BY_COUNTY:
        counties = f"SELECT DISTINCT left(region_code, 6) AS county FROM {table}"
    elif "unit_id" in CONTRACT.tables[name].by_name:
        counties = (
            f"SELECT DISTINCT left(u.region_code, 6) AS county FROM {table} AS t "
            "JOIN census.unit AS u ON u.unit_id = t.unit_id"
        )
    else:
        # Lists and registers come for the whole census at once.
        counties = (
            "SELECT DISTINCT left(region_code, 6) AS county FROM census.region "
            f"WHERE EXISTS (SELECT 1 FROM {table})"
        )
    anywhere = f"SELECT '' WHERE EXISTS (SELECT 1 FROM {table})"
    return f"SELECT '{name}' AS table_name, county FROM ({counties} UNION ALL {anywhere}) AS q"
