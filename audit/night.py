"""The tables and views that a check needs around the delivered ones."""

from __future__ import annotations

import pyarrow as pa

from audit.arrow_tables import of_columns
from audit.contracts import CONTRACT
from audit.engines.base import Engine
from audit.reference import load_owners, load_reference
from audit.rulebook import RuleBook
from audit.views import UNIT_SOURCES, unit_view

REFERENCE_SCHEMA = "ref"


def create_outputs(engine: Engine, *, replace: bool = True) -> None:
    """Create the empty published tables of the contract (`audit.*`, `linkage.*`, `estimate.*`)."""
    for name, table in CONTRACT.outputs.items():
        if name.startswith("census."):
            continue
        how = "CREATE OR REPLACE TABLE" if replace else "CREATE TABLE IF NOT EXISTS"
        engine.execute(f"{how} {name} ({table.duckdb_columns()})")


def create_reference(engine: Engine) -> None:
    """Load the shipped reference lists into `ref.*` with a view `ref_<name>` each."""
    for name, table in load_reference().items():
        engine.register("incoming", table)
        engine.materialise(f"{REFERENCE_SCHEMA}.{name}", "SELECT * FROM incoming")
        engine.unregister("incoming")
        engine.execute(
            f"CREATE OR REPLACE VIEW ref_{name} AS SELECT * FROM {REFERENCE_SCHEMA}.{name}"
        )


def create_unit_view(engine: Engine) -> None:
    """Create the view `census.unit` over the tables of units; all three must exist."""
    missing = [t for t in UNIT_SOURCES if f"census.{t}" not in engine.tables()]
    if missing:
        raise ValueError(f"tables of units are missing: {missing}")
    engine.execute(f"CREATE OR REPLACE VIEW census.unit AS {unit_view()}")


def filled_tables(engine: Engine) -> frozenset[str]:
    """Return the tables of the contract that hold at least one row, `unit` among them."""
    return frozenset(
        name
        for name in CONTRACT.tables
        if engine.fetch(f"SELECT 1 AS n FROM census.{name} LIMIT 1").num_rows
    )


def rule_texts(engine: Engine, book: RuleBook) -> None:
    """Register the tables that findings take their words from.

    These are `rule_text`, `specialty_owner` and `item_label`: what delivered columns are called.
    """
    engine.register(
        "item_label",
        of_columns(
            {
                "variable": list(CONTRACT.items),
                "label_zh": [label.zh for label in CONTRACT.items.values()],
                "label_en": [label.en for label in CONTRACT.items.values()],
            }
        ),
    )
    engine.register(
        "rule_text",
        of_columns(
            {
                "rule_id": [rule.id for rule in book.rules],
                "rule_version": [rule.version for rule in book.rules],
                "severity": [str(rule.severity) for rule in book.rules],
                "owner": [rule.owner for rule in book.rules],
                "message_zh": [rule.message.zh for rule in book.rules],
                "message_en": [rule.message.en for rule in book.rules],
            },
            rule_version=pa.int64(),
        ),
    )
    pairs = [(code, owner.id) for owner in load_owners() for code in owner.specialties]
    engine.register(
        "specialty_owner",
        of_columns(
            {"specialty": [code for code, _ in pairs], "owner": [owner for _, owner in pairs]}
        ),
    )
