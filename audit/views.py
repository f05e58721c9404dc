"""Views of the night's database: all units in one list, and the reference lists by name."""

from __future__ import annotations

from audit.contracts import CONTRACT

UNIT_SOURCES = {"legal_entity": "1", "establishment": "2", "self_employed": "3"}
"""Tables of units and their code in the list unit_kind."""

_RENAMED = {
    ("legal_entity", "person"): "legal_rep",
    ("establishment", "person"): "person_in_charge",
    ("self_employed", "person"): "operator",
    ("self_employed", "phone_mobile"): "phone",
    ("self_employed", "specialty"): "industry_specialty",
}


def delivered_as(table: str, name: str) -> str:
    """Return the column of a table of units that the view `unit` shows under a name."""
    return _RENAMED.get((table, name), name)


def _column(table: str, name: str) -> str:
    if name == "unit_kind":
        return f"'{UNIT_SOURCES[table]}' AS unit_kind"
    if (table, name) == ("self_employed", "form"):
        return "'个体' AS form"
    source = delivered_as(table, name)
    if source in CONTRACT.tables[table].by_name:
        return f"{source} AS {name}"
    return f"NULL AS {name}"


def unit_view(schema: str = "census") -> str:
    """Return the SELECT of the view `unit` over the three tables of units."""
    columns = [c.name for c in CONTRACT.tables["unit"].all_columns]
    parts = [
        f"SELECT {', '.join(_column(table, name) for name in columns)} FROM {schema}.{table}"
        for table in UNIT_SOURCES
    ]
    return "\nUNION ALL\n".join(parts)
