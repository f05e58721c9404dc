"""A rule that says it goes by county: counties one by one give what all give at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from random_worlds import dense_world
from spark_worlds import contract, named

from audit.by_county import drop_parts, in_counties, make_parts, over_parts
from audit.contracts import CONTRACT
from audit.derive import POLARS_TYPES
from audit.engines.duckdb import DuckDBEngine
from audit.model import Rule
from audit.night import create_outputs, create_reference, create_unit_view
from audit.rulebook import RULES_DIR, load_rulebook, read_rule, render
from audit.views import UNIT_SOURCES
from pipelines.rule_cases import Case, all_cases, build, value_of

BOOK = load_rulebook()
BY_COUNTY = [rule for rule in BOOK.rules if rule.by_county]
WORLDS = 1
Verdicts = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as engine:
        create_reference(engine)
        create_outputs(engine)
        for name in UNIT_SOURCES:
            _fill(engine, name, [])
        create_unit_view(engine)
        yield engine


def _tables(rule: Rule) -> list[str]:
    """Return the tables of a world: a unit stands in the table of its kind."""
    return sorted({*named(rule), *UNIT_SOURCES} - {"unit"})


def _fill(engine: DuckDBEngine, name: str, rows: list[dict[str, str]]) -> None:
    if name in CONTRACT.tables:
        frame, schema = build(name, rows), "census"
    else:
        columns = contract(name).all_columns
        frame = pl.DataFrame(
            {c.name: [value_of(c.type, row.get(c.name, "")) for row in rows] for c in columns},
            schema={c.name: POLARS_TYPES[c.type] for c in columns},
        )
        schema = next(n for n in CONTRACT.outputs if n.endswith(f".{name}")).partition(".")[0]
    engine.register("incoming", frame.to_arrow())
    engine.materialise(f"{schema}.{name}", "SELECT * FROM incoming")
    engine.unregister("incoming")


def _load(engine: DuckDBEngine, rule: Rule, case: Case) -> None:
    for name in _tables(rule):
        _fill(engine, name, case.given.get(name, []))


def _verdicts(engine: DuckDBEngine, sql: str, where: str = "TRUE") -> Verdicts:
    return engine.rows(f"SELECT * FROM ({sql}) AS r WHERE {where} ORDER BY ALL")


def _counties(engine: DuckDBEngine) -> list[str]:
    rows = engine.rows("SELECT DISTINCT COALESCE(LEFT(region_code, 6), '') FROM census.unit")
    return sorted({"", *(str(county) for (county,) in rows)})


def differing(engine: DuckDBEngine, rule: Rule, sql: str) -> list[str]:
    """Return the counties whose verdicts are others when they are run alone."""
    found = []
    for county in _counties(engine):
        inside = in_counties("r.region_code", (county,))
        whole = _verdicts(engine, sql, inside)
        make_parts(engine, rule.by_county, (county,))
        if whole != _verdicts(engine, over_parts(rule, sql), inside):
            found.append(county)
        drop_parts(engine, rule.by_county)
    return found


def test_county_by_county_gives_what_all_at_once_do(engine: DuckDBEngine) -> None:
    wrong, kinds = [], set()
    for rule in BY_COUNTY:
        chance = random.Random(rule.id)  # noqa: S311  # draws rows, keeps no secret
        for _ in range(WORLDS):
            _load(engine, rule, dense_world(rule, _tables(rule), chance))
            wrong += [(rule.id, county) for county in differing(engine, rule, render(rule))]
            rows = engine.rows(f"SELECT DISTINCT holds FROM ({render(rule)})")
            kinds |= {(rule.id, holds) for (holds,) in rows}

    assert [] == wrong
    assert 0.6 < len({rule_id for rule_id, holds in kinds if holds is False}) / len(BY_COUNTY)


WRONG = {
    "DUP001": ("legal_entity",),
    "DUP006": ("unit",),
    "LNK010": ("establishment", "legal_entity"),
    "XSP012": ("legal_entity",),
}
"""Rules that need other counties' rows, with a declaration that says they do not."""


@pytest.mark.parametrize("rule_id", WRONG)
def test_a_wrong_declaration_shows(engine: DuckDBEngine, rule_id: str) -> None:
    rule = replace(BOOK.get(rule_id), by_county=WRONG[rule_id])
    chance = random.Random(rule_id)  # noqa: S311  # as above
    worlds = (dense_world(rule, _tables(rule), chance) for _ in range(10 * WORLDS))
    shown = False
    for world in worlds:
        _load(engine, rule, world)
        if shown := bool(differing(engine, rule, render(rule))):
            break

    assert shown


@pytest.mark.slow
def test_cases_give_the_same_county_by_county(engine: DuckDBEngine) -> None:
    by_id = {rule.id: rule for rule in BY_COUNTY}
    for case in all_cases():
        rule = by_id.get(case.rule_id)
        # A case that gives units alone does not say of which kind they are.
        if rule is None or "unit" in case.given:
            continue
        _load(engine, rule, case)
        assert [] == differing(engine, rule, render(rule, case.parameters)), case.id


def test_only_tables_of_the_rule_whose_rows_lie_in_a_county_can_be_named() -> None:
    path = next(RULES_DIR.glob("*/REG003_*.sql"))
    rule = read_rule(path)

    assert ("unit",) == rule.by_county
    assert "register_unit" in rule.tables
