"""Random tables of the contract give the same outcomes and findings on Spark as on DuckDB."""

from __future__ import annotations

from typing import Any

import pytest
from random_worlds import random_worlds
from spark_worlds import CITY, batch, on_both, prepared

from audit.engines.spark import SparkSettings
from audit.rulebook import load_rulebook

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1800)]
BOOK = load_rulebook()
FAMILIES = sorted({rule.family for rule in BOOK.rules})


@pytest.mark.parametrize("family", FAMILIES)
def test_random_tables_of_a_family_agree(
    family: str, session: Any, settings: SparkSettings
) -> None:
    rules = [rule for rule in BOOK.rules if rule.family == family]
    worlds = [(rule, case) for rule in rules for case in random_worlds(rule)]
    with prepared(worlds) as store:
        on_duckdb, on_spark = on_both(store, batch(worlds), settings, session)
    judged = {row["rule_id"] for row in on_duckdb.outcomes if row["region_code"] != CITY}

    assert on_spark == on_duckdb
    # Worlds in which nothing is in scope would prove nothing.
    assert len(judged) > len(rules) * 0.8
    assert any(row["n_failed"] for row in on_duckdb.outcomes)
