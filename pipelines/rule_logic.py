"""Linear rules judged against each other in every situation that their scopes tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from audit.contracts import CONTRACT
from audit.contradictions import find_conflict, find_implied
from audit.engines.duckdb import DuckDBEngine
from audit.relations import Relation, Relations


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in one situation. `kind`: conflict or implied; `rules` are the others."""

    table: str
    situation: str
    kind: str
    rule_id: str
    rules: tuple[str, ...]


def contexts(relations: Relations, table: str) -> dict[str, tuple[Relation, ...]]:
    """Return the relations in force together, by the situation (form, accounting standard).

    Situations with the same relations are told once, by the first.
    """
    of_table = relations.of_table(table)
    forms = CONTRACT.tables[table].forms or ("",)
    rows = [
        {"form": form, "accounting_system": system, "research_expenses_kyuan": 0}
        for form in forms
        for system in ("1", "2")
    ]
    scopes = ", ".join(f"COALESCE({r.where}, FALSE)" for r in of_table)
    with DuckDBEngine() as engine:
        engine.register("situation", pa.Table.from_pylist(rows))
        told = engine.rows(f"SELECT form || '/' || accounting_system, {scopes} FROM situation")
    found: dict[tuple[Relation, ...], str] = {}
    for name, *applies in sorted(told, key=lambda row: str(row[0])):
        here = tuple(r for r, yes in zip(of_table, applies, strict=True) if yes)
        found.setdefault(here, str(name))
    return {name: here for here, name in found.items()}


def judge(relations: Relations) -> list[Judged]:
    """Return every conflict, and every relation that others imply, by table and situation."""
    found: list[Judged] = []
    for table in relations.tables:
        for situation, here in contexts(relations, table).items():
            conflict = find_conflict(here, relations.signed)
            if conflict:
                ids = sorted({r.rule_id for r in conflict.relations})
                found.append(
                    Judged(table=table, situation=situation, kind="conflict", rule_id=ids[0],
                           rules=tuple(ids[1:]))
                )  # fmt: skip
                continue
            found += [
                Judged(table=table, situation=situation, kind="implied", rule_id=i.relation.rule_id,
                       rules=tuple(sorted({r.rule_id for r in i.by})))
                for i in find_implied(here, relations.signed)
            ]  # fmt: skip
    return found
