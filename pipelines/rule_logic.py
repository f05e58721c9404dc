"""Linear rules judged against each other in every situation that their scopes tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import pyarrow as pa
import sqlglot
from sqlglot import exp

from audit.contracts import CONTRACT
from audit.contradictions import find_conflicts, find_implied
from audit.engines.duckdb import DuckDBEngine
from audit.relations import Relation, Relations

_OTHER = "其他 other"
Value = str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in one situation.

    `kind`: conflict or implied; `rules` are the others. `items`: those that a conflict leaves
    nothing but zero; empty where it leaves no values at all.
    """

    table: str
    situation: str
    kind: str
    rule_id: str
    rules: tuple[str, ...]
    items: tuple[str, ...] = ()


def _literal(node: exp.Literal) -> Value:
    if node.is_string:
        return str(node.this)
    return int(node.this) if node.is_int else float(node.this)


def _told_apart(relations: Sequence[Relation], table: str) -> dict[str, list[Value | None]]:
    """Return the columns that the scopes name, each with the values that they tell apart."""
    found: dict[str, set[Value | None]] = {}
    for relation in relations:
        for test in sqlglot.parse_one(relation.where, read="duckdb").find_all(exp.Predicate):
            values: set[Value | None] = {_literal(node) for node in test.find_all(exp.Literal)}
            for column in test.find_all(exp.Column):
                missing = {None} if isinstance(test, exp.Is) else set()
                found.setdefault(column.name, set()).update(values | missing)
    if "form" in found:
        found["form"].update(CONTRACT.tables[table].forms)
    return {name: _with_another(values) for name, values in sorted(found.items())}


def _with_another(values: set[Value | None]) -> list[Value | None]:
    """Return the values and one that is none of them."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | float)]
    missing = [value for value in values if value is None]
    another = max(numbers) + 1 if numbers and not texts else _OTHER
    return [*missing, *sorted(numbers), *sorted(texts), another]


def contexts(relations: Relations, table: str) -> dict[str, tuple[Relation, ...]]:
    """Return the relations in force together, by the situation (`form=602, …`).

    Situations with the same relations are told once, by the first.
    """
    of_table = relations.of_table(table)
    columns = _told_apart(of_table, table)
    if not columns:
        return {"": of_table}
    rows = [dict(zip(columns, values, strict=True)) for values in product(*columns.values())]
    scopes = ", ".join(f"COALESCE({r.where}, FALSE)" for r in of_table)
    with DuckDBEngine() as engine:
        engine.register("situation", pa.Table.from_pylist(rows))
        names = " || ', ' || ".join(
            f"'{name}=' || COALESCE(CAST({name} AS STRING), 'NULL')" for name in columns
        )
        told = engine.rows(f"SELECT {names}, {scopes} FROM situation")
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
            conflicts = find_conflicts(here, relations.signed)
            for conflict in conflicts:
                ids = sorted({r.rule_id for r in conflict.relations})
                found.append(
                    Judged(table=table, situation=situation, kind="conflict", rule_id=ids[0],
                           rules=tuple(ids[1:]), items=conflict.items)
                )  # fmt: skip
            # What contradicts itself implies anything.
            found += [
                Judged(table=table, situation=situation, kind="implied", rule_id=i.relation.rule_id,
                       rules=tuple(sorted({r.rule_id for r in i.by})))
                for i in (() if conflicts else find_implied(here, relations.signed))
            ]  # fmt: skip
    return found
