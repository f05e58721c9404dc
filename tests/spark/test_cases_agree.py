"""Every case of every rule gives the same on Spark as on DuckDB, and what the case says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlglot
from random_worlds import random_worlds
from spark_worlds import Result, World, batch, on_both, one_by_one, prepared, results
from sqlglot import exp

from audit.engines import spark
from audit.engines.spark import SparkSettings
from audit.engines.spark_sql import to_spark
from audit.night import create_outputs
from audit.rulebook import load_rulebook
from pipelines.rule_cases import all_cases

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1800)]
BOOK = load_rulebook()
FAMILIES = sorted({rule.family for rule in BOOK.rules})


def worlds_of(family: str) -> list[World]:
    cases = [(BOOK.get(case.rule_id), case) for case in all_cases()]
    return [(rule, case) for rule, case in cases if rule.family == family]


def counted(result: Result, worlds: list[World]) -> list[tuple[str, int, int, int]]:
    """Return id, checked, unknown and failed of each world."""
    totals: Counter[tuple[str, str]] = Counter()
    for row in result.outcomes:
        number = row["region_code"].partition("|")[0]
        for name in ("n_checked", "n_unknown", "n_failed"):
            totals[number, name] += row[name]
    return [
        (case.id, *(totals[str(number), n] for n in ("n_checked", "n_unknown", "n_failed")))
        for number, (_, case) in enumerate(worlds)
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_of_a_family_agree(family: str, session: Any, settings: SparkSettings) -> None:
    worlds = worlds_of(family)
    with prepared(worlds) as store:
        on_duckdb, on_spark = on_both(store, batch(worlds), settings, session)
    written = [(c.id, c.checked, c.unknown, len(c.findings)) for _, c in worlds]

    assert counted(on_spark, worlds) == written
    assert on_spark == on_duckdb


@pytest.mark.parametrize("family", FAMILIES)
def test_worlds_put_together_are_the_worlds_one_by_one(family: str) -> None:
    rules = [rule for rule in BOOK.rules if rule.family == family]
    random = [(rule, case) for rule in rules for case in random_worlds(rule)[::3]]
    worlds = [*worlds_of(family), *random]
    with prepared(worlds) as store:
        together = results(store, batch(worlds))
        create_outputs(store)
        apart = results(store, batch(worlds, one_by_one))

    assert together == apart


def null_equals_null(sql: str) -> tuple[str, frozenset[str]]:
    """Translate as the engine does, but let `=` hold between two blanks."""
    text, names = to_spark(sql)
    tree = sqlglot.parse_one(text, read="spark")
    for equals in list(tree.find_all(exp.EQ)):
        equals.replace(exp.NullSafeEQ(this=equals.this, expression=equals.expression))
    return tree.sql(dialect="spark"), names


def test_a_planted_difference_in_null_semantics_is_caught(
    session: Any, settings: SparkSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = BOOK.get("COD013")
    worlds = [world for world in worlds_of(rule.family) if world[0] is rule]
    monkeypatch.setattr(spark, "to_spark", null_equals_null)
    with prepared(worlds) as store:
        on_duckdb, on_spark = on_both(store, batch(worlds), settings, session)
    unknown = [sum(row["n_unknown"] for row in r.outcomes) for r in (on_duckdb, on_spark)]

    assert on_spark != on_duckdb
    assert unknown[0] > 0
    assert unknown[1] == 0
