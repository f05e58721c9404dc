"""Every case of every rule gives the same on Spark as on DuckDB, and what the case says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from rule_cases import Case, all_cases
from spark_worlds import Result, batch, prepared, results

from audit.engines.spark import SparkEngine, SparkSettings
from audit.model import Rule
from audit.night import create_outputs
from audit.rulebook import load_rulebook

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]
BOOK = load_rulebook()
FAMILIES = sorted({rule.family for rule in BOOK.rules})


def worlds_of(family: str) -> list[tuple[Rule, Case]]:
    cases = [(BOOK.get(case.rule_id), case) for case in all_cases()]
    return [(rule, case) for rule, case in cases if rule.family == family]


def counted(result: Result, worlds: list[tuple[Rule, Case]]) -> list[tuple[str, int, int, int]]:
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
    book = batch(worlds)
    with prepared(worlds) as store:
        on_duckdb = results(store, book)
        create_outputs(store)
        on_spark = results(SparkEngine(store, settings, session), book)
    written = [(c.id, c.checked, c.unknown, len(c.findings)) for _, c in worlds]

    assert [row for row in on_spark.outcomes if row["status"] == "ERROR"] == []
    assert counted(on_spark, worlds) == written
    assert on_spark == on_duckdb
