"""Estimates: made for the rules, honest about missing input and failures."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlglot
from sqlglot import exp

from audit.check_plan import CheckPlan, EstimateState
from audit.checking import check
from audit.engines.duckdb import DuckDBEngine
from audit.estimating.cells import industry_levels, place, summaries
from audit.estimating.model import Estimate, Frames
from audit.estimating.registry import ESTIMATES, making
from audit.night import create_outputs, create_reference, rule_texts
from audit.rulebook import ESTIMATE_TABLES, RuleBook, load_rulebook
from pipelines.estimate import fill, states
from pipelines.rule_cases import build

(HEADS,) = making(frozenset({"revenue_per_head"}))
SHOP = {"unit_id": "L1", "industry_code": "5212", "employees": "2", "revenue_kyuan": "400"}


@pytest.fixture
def engine() -> Any:
    with DuckDBEngine() as engine:
        create_outputs(engine)
        create_reference(engine)
        engine.register("incoming", build("legal_entity", [SHOP]).to_arrow())
        engine.materialise("census.legal_entity", "SELECT * FROM incoming")
        engine.materialise(
            "census.unit", "SELECT unit_id, specialty FROM census.legal_entity LIMIT 0"
        )
        yield engine


def _crash(_: Frames) -> Frames:
    raise ValueError("L1 revenue 400")


def _outcome(engine: DuckDBEngine) -> tuple[str, str]:
    book = RuleBook((load_rulebook().get("PLA002"),))
    rule_texts(engine, book)
    plan = CheckPlan(
        book=book,
        run_id="R",
        filled_tables=frozenset({"legal_entity"}),
        whole_region="430400000000",
        estimates=states(engine),
    )
    check(engine, plan)
    (row,) = engine.fetch("SELECT status, detail FROM audit.outcome").to_pylist()
    return row["status"], row["detail"]


def test_every_estimate_of_the_contract_is_made_once() -> None:
    made = [table for estimate in ESTIMATES for table in estimate.makes]

    assert sorted(ESTIMATE_TABLES) == sorted(made)


@pytest.mark.parametrize("estimate", ESTIMATES, ids=lambda e: e.makes[0])
def test_an_estimate_reads_only_what_it_names(estimate: Estimate) -> None:
    named = {*estimate.needs, *estimate.uses}
    for sql in estimate.selects.values():
        tree = sqlglot.parse_one(sql, read="duckdb")
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        tables = {table.name for table in tree.find_all(exp.Table)} - own
        assert {name for name in tables if not name.startswith("ref_")} <= named


def test_the_stage_can_run_again(engine: DuckDBEngine) -> None:
    for _ in range(2):
        state = fill(engine, HEADS, frozenset({"legal_entity"}))

    assert state is EstimateState.MADE
    assert engine.rows("SELECT unit_id, ratio FROM estimate.revenue_per_head") == [("L1", 200.0)]
    assert engine.rows("SELECT table_name, state, n_rows FROM estimate.estimate_state") == [
        ("revenue_per_head", "made", 1)
    ]


def test_without_its_input_a_rule_is_not_applicable(engine: DuckDBEngine) -> None:
    fill(engine, replace(HEADS, needs=("legal_entity", "finance")), frozenset({"legal_entity"}))

    assert _outcome(engine) == ("NOT_APPLICABLE", "未送达 not delivered: finance")


def test_accounts_are_looked_at_for_round_figures_without_any_household(
    engine: DuckDBEngine,
) -> None:
    (heaping,) = making(frozenset({"heaping"}))
    given: dict[str, list[dict[str, str]]] = {
        **{table: [] for table in heaping.uses},
        "legal_entity": [SHOP],
        "submission": [{"submission_id": "S1", "unit_id": "L1", "account": "Q1"}],
    }
    for table, rows in given.items():
        engine.register("incoming", build(table, rows).to_arrow())
        engine.materialise(f"census.{table}", "SELECT * FROM incoming")

    state = fill(engine, heaping, frozenset({"legal_entity", "submission"}))

    assert state is EstimateState.MADE
    told = engine.rows("SELECT DISTINCT subject_kind, subject_id FROM estimate.heaping")
    assert told == [("account", "Q1")]
    engine.execute("DELETE FROM census.submission")
    assert fill(engine, heaping, frozenset()) is EstimateState.MADE
    assert engine.rows("SELECT COUNT(*) FROM estimate.heaping") == [(0,)]


def test_a_failed_estimate_leaves_its_rules_undecided_and_tells_no_value(
    engine: DuckDBEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="census_audit"):
        state = fill(engine, replace(HEADS, make=_crash), frozenset({"legal_entity"}))

    assert state is EstimateState.FAILED
    assert "ValueError" in caplog.text
    assert "400" not in caplog.text
    status, detail = _outcome(engine)
    assert status == "ERROR"
    assert detail.startswith("估计量未算出")


def _industries(*codes: str) -> pl.DataFrame:
    return pl.DataFrame({"industry_code": codes}).with_columns(
        section=pl.lit("F"), specialty=pl.lit("E"), band=pl.lit("1")
    )


def test_cells_are_widened_until_they_are_large_enough() -> None:
    rows = _industries("5211", "5212", "5213", "5213", "5110", "5229")

    placed = place(rows, industry_levels("band"), 2)

    assert [
        *["group|521|1", "group|521|1", "class|5213|1", "class|5213|1"],
        *["section_size|F|E|1", "division_size|52|E|1"],
    ] == placed["cell"].to_list()
    figures = dict(summaries(placed, industry_levels("band"), pl.len()).iter_rows())
    assert (figures["group|521|1"], figures["class|5213|1"], figures["section_size|F|E|1"]) == (
        *(4, 2),
        6,
    )


def test_too_few_units_have_no_cell() -> None:
    placed = place(_industries("5211"), industry_levels("band"), 2)

    assert [None] == placed["cell"].to_list()


def test_round_figures_do_not_depend_on_the_order_of_rows() -> None:
    (heaping,) = making(frozenset({"heaping"}))
    draw = np.random.default_rng(5)
    n = 400
    counts = pl.DataFrame(
        {
            "subject_kind": ["account"] * n,
            "subject_id": draw.integers(0, 9, n).astype(str),
            "region_code": ["430405001001"] * n,
            "item": draw.integers(0, 7, n).astype(str),
            "digits": draw.integers(3, 6, n),
            "first": draw.integers(1, 10, n).astype(str),
            "n": draw.integers(20, 90, n),
            "end_000": draw.integers(0, 5, n),
            "end_00": draw.integers(5, 9, n),
            "end_05": draw.integers(9, 20, n),
        }
    )

    made, again = (
        heaping.make({"counts": frame})["heaping"]
        for frame in (counts, counts.sample(fraction=1, shuffle=True, seed=3))
    )

    assert made.sort(made.columns).equals(again.sort(again.columns))
