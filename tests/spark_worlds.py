"""Many small worlds in one database: the cases of a rule, told apart by a number, run at once.

Every table holds the rows of all worlds beside the world's number, and a rule's text reads
`(SELECT * FROM world_unit WHERE world_no IN (…)) AS unit` for `unit`. `one_by_one` repeats the
text for every world and changes nothing else; that costs Spark a plan for each. `at_once` puts the
worlds into one SELECT where that is the same, which DuckDB shows on every case. Subjects and
regions come out as `7|…`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pytest
import sqlglot
from spark_merge import NUMBER, NotMerged, merged
from sqlglot import exp

from audit.checking import CheckPlan, check
from audit.contracts import CONTRACT, Table
from audit.derive import POLARS_TYPES
from audit.engines.base import Engine
from audit.engines.duckdb import DuckDBEngine
from audit.engines.spark import SparkEngine, SparkSettings
from audit.model import Rule
from audit.night import create_outputs, create_reference, rule_texts
from audit.portable import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from audit.rulebook import ESTIMATE_TABLES, RuleBook, render
from audit.views import UNIT_SOURCES
from pipelines.rule_cases import Case, build, case_engine, load, value_of

World = tuple[Rule, Case]
CITY = "430400000000"
COLUMNS = {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS} - {"subject_id", "region_code"}


@dataclass(frozen=True, slots=True)
class Result:
    """What a check published: outcomes without their time, and findings, in a fixed order."""

    outcomes: list[dict[str, Any]]
    findings: list[dict[str, Any]]


def contract(name: str) -> Table:
    """Return a table of the contract by the bare name that rules use."""
    if name in CONTRACT.tables:
        return CONTRACT.tables[name]
    return next(t for key, t in CONTRACT.outputs.items() if key.rpartition(".")[2] == name)


def _frame(name: str, rows: list[dict[str, str]]) -> pl.DataFrame:
    if name in CONTRACT.tables:
        return build(name, rows)
    columns = contract(name).all_columns
    return pl.DataFrame(
        {c.name: [value_of(c.type, row.get(c.name, "")) for row in rows] for c in columns},
        schema={c.name: POLARS_TYPES[c.type] for c in columns},
    )


def named(rule: Rule) -> list[str]:
    named = {*rule.tables, *rule.optional_tables}
    return sorted(name for name in named if not name.startswith("ref_"))


def _specialties(frames: Mapping[str, pl.DataFrame], number: int) -> Iterable[pl.DataFrame]:
    """Yield the units of one world as findings are joined to them."""
    sources = ["unit"] if "unit" in frames else sorted(set(UNIT_SOURCES) & set(frames))
    for name in sources:
        column = "industry_specialty" if name == "self_employed" else "specialty"
        yield frames[name].select(
            unit_id=pl.lit(f"{number}|") + pl.col("unit_id"), specialty=pl.col(column)
        )


def _estimated(engine: DuckDBEngine, rule: Rule, case: Case) -> dict[str, pl.DataFrame]:
    """Return the estimates of a case that gives none: made of its rows, as the night makes them."""
    wanted = [t for t in named(rule) if t in ESTIMATE_TABLES and t not in case.given]
    if not wanted:
        return {}
    create_outputs(engine)
    load(engine, rule, case.given)
    return {
        name: pl.DataFrame(pl.from_arrow(engine.fetch(f"SELECT * FROM estimate.{name}"))).cast(
            {c.name: POLARS_TYPES[c.type] for c in contract(name).all_columns}
        )
        for name in wanted
    }


def fill(store: DuckDBEngine, worlds: Sequence[World]) -> None:
    """Create the tables of all worlds in `store`; the number of a world is its place."""
    tables: dict[str, list[pl.DataFrame]] = {}
    units = [pl.DataFrame(schema={"unit_id": pl.String(), "specialty": pl.String()})]
    with case_engine() as engine:
        for number, (rule, case) in enumerate(worlds):
            frames = {name: _frame(name, case.given.get(name, [])) for name in named(rule)}
            frames |= _estimated(engine, rule, case)
            units += _specialties(frames, number)
            for name, frame in frames.items():
                numbered = frame.with_columns(pl.lit(number, pl.Int64()).alias(NUMBER))
                tables.setdefault(f"census.world_{name}", []).append(numbered)
    for name, parts in {**tables, "census.unit": units}.items():
        store.register("incoming", pl.concat(parts).to_arrow())
        store.materialise(name, "SELECT * FROM incoming")
        store.unregister("incoming")


def _of_worlds(tree: exp.Expr, numbers: Sequence[int]) -> exp.Expr:
    """Let a rule's SELECT read the rows of some worlds; nothing else in it changes."""
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    chosen = ", ".join(map(str, numbers))
    for table in list(tree.find_all(exp.Table)):
        if table.name not in own and not table.name.startswith("ref_"):
            rows = sqlglot.parse_one(
                f"SELECT * FROM world_{table.name} WHERE {NUMBER} IN ({chosen})", read="duckdb"
            )
            table.replace(rows.subquery(table.alias or table.name))
    return tree


def _told_apart(tree: exp.Expr, number: str) -> str:
    names = [name for name in tree.named_selects if name in COLUMNS]
    return (
        f"SELECT {number} || '|' || w.subject_id AS subject_id, "
        f"{number} || '|' || COALESCE(w.region_code, '') AS region_code, "
        f"{', '.join(f'w.{name} AS {name}' for name in names)} "
        f"FROM ({tree.sql(dialect='duckdb')}) AS w"
    )


def one_by_one(sql: str, numbers: Sequence[int]) -> list[str]:
    """Return one SELECT a world: the rule's own text over that world's rows."""
    trees = ((number, sqlglot.parse_one(sql, read="duckdb")) for number in numbers)
    return [_told_apart(_of_worlds(tree, [number]), f"'{number}'") for number, tree in trees]


def at_once(sql: str, numbers: Sequence[int]) -> list[str]:
    """Return one SELECT over all worlds, or one a world where they cannot be put together."""
    try:
        tree = merged(sql)
    except NotMerged:
        return one_by_one(sql, numbers)
    return [_told_apart(_of_worlds(tree, numbers), f"CAST(w.{NUMBER} AS STRING)")]


def batch(
    worlds: Sequence[World], how: Callable[[str, Sequence[int]], list[str]] = at_once
) -> RuleBook:
    """Return one rule for each rule of `worlds`, over all its worlds."""
    texts: dict[str, dict[str, list[int]]] = {}
    for number, (rule, case) in enumerate(worlds):
        sql = render(rule, case.parameters)
        texts.setdefault(rule.id, {}).setdefault(sql, []).append(number)
    rules = {rule.id: rule for rule, _ in worlds}
    parts = {
        rule_id: [text for sql, numbers in by_sql.items() for text in how(sql, numbers)]
        for rule_id, by_sql in sorted(texts.items())
    }
    return RuleBook(
        tuple(
            replace(rules[rule_id], sql="\nUNION ALL\n".join(selects), parameters=())
            for rule_id, selects in parts.items()
        )
    )


def results(engine: Engine, book: RuleBook) -> Result:
    """Run `check` on an engine and return what it published."""
    plan = CheckPlan(
        book=book,
        run_id="R",
        filled_tables=frozenset((*CONTRACT.tables, *ESTIMATE_TABLES)),
        whole_region=CITY,
    )
    check(engine, plan)
    return published(engine)


def published(engine: Engine) -> Result:
    """Return the published outcomes and findings of an engine's database."""
    outcomes = engine.fetch("SELECT * FROM audit.outcome").drop_columns(["seconds"]).to_pylist()
    findings = engine.fetch("SELECT * FROM audit.finding").to_pylist()
    return Result(
        sorted(outcomes, key=lambda row: (row["rule_id"], row["region_code"])),
        sorted(findings, key=lambda row: row["finding_key"]),
    )


def prepared(worlds: Sequence[World]) -> DuckDBEngine:
    """Return a database with the worlds and all that a check needs around them."""
    store = DuckDBEngine()
    create_outputs(store)
    create_reference(store)
    fill(store, worlds)
    rule_texts(store, RuleBook(tuple({rule.id: rule for rule, _ in worlds}.values())))
    return store


def on_both(
    store: DuckDBEngine, book: RuleBook, settings: SparkSettings, session: Any
) -> tuple[Result, Result]:
    """Return what a check publishes on DuckDB and on Spark; a rule that crashes fails the test."""
    on_duckdb = results(store, book)
    create_outputs(store)
    engine = SparkEngine(store, settings, session)
    on_spark = results(engine, book)
    engine.close()
    crashed = [
        (row["rule_id"], row["detail"])
        for row in (*on_duckdb.outcomes, *on_spark.outcomes)
        if row["status"] == "ERROR"
    ]
    # Not a test module: pytest would not show what an `assert` compared.
    if crashed:
        pytest.fail(f"crashed: {crashed}")
    return on_duckdb, on_spark
