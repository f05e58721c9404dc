"""Priorities and verification tasks: one visit a unit, and a random arm that anybody can redo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from audit.tasking import (
    UNKNOWN_INFLUENCE,
    Draw,
    TaskPlan,
    draw_random,
    draw_revisits,
    flagged_counties,
    influences,
    make_tasks,
    prioritise,
)
from pipelines import dispatch
from pipelines.config import RunConfig, Tasks
from pipelines.context import RunContext
from pipelines.dispatch import DispatchSummary

PLAN = TaskPlan(due_on=date(2019, 3, 8))
EAST = "430421"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def units(*rows: tuple[str, str, str | None, float | None, int | None]) -> pl.DataFrame:
    schema = {
        "unit_id": pl.String,
        "county": pl.String,
        "specialty": pl.String,
        "revenue_kyuan": pl.Float64,
        "employees": pl.Int64,
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def influence_of(frame: pl.DataFrame) -> dict[str, float]:
    return dict(influences(frame).sort("unit_id").rows())


def test_influence_is_the_share_of_county_and_specialty():
    frame = units(
        ("a", EAST, "B", 75.0, 1),
        ("b", EAST, "B", 25.0, 99),
        ("c", EAST, "E", 5.0, None),
        ("d", "430422", "B", 10.0, None),
    )
    assert influence_of(frame) == {"a": 0.75, "b": 0.25, "c": 1.0, "d": 1.0}


def test_influence_falls_back_to_employees_and_then_to_a_small_constant():
    frame = units(
        ("a", EAST, "B", None, 30),
        ("b", EAST, "B", 100.0, 10),
        ("c", EAST, "B", None, None),
        ("d", EAST, None, 0.0, None),
        ("e", EAST, "S", -5.0, 3),
        ("f", EAST, "S", 5.0, 3),
    )
    small = UNKNOWN_INFLUENCE
    expected = {"a": 0.75, "b": 1.0, "c": small, "d": small, "e": 0.0, "f": 1.0}
    assert influence_of(frame) == expected


def findings(*rows: tuple[object, ...], columns: tuple[str, ...]) -> pl.DataFrame:
    kinds = {"score": pl.Float64, "priority": pl.Float64}
    schema = {name: kinds.get(name, pl.String) for name in columns}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def test_priority_is_suspicion_times_influence_times_severity():
    frame = findings(
        ("k1", "a", "fatal", None),
        ("k2", "a", "query", 0.4),
        ("k3", "b", "info", 1.0),
        ("k4", "nobody", "fatal", 1.0),
        columns=("finding_key", "subject_id", "severity", "score"),
    )
    known = units(("a", EAST, "B", 36.0, None), ("b", EAST, "B", 64.0, None))
    result = prioritise(frame, known).sort("finding_key")
    assert result.rows() == [
        ("k1", 0.36, 0.8),
        ("k2", 0.36, 0.16),
        ("k3", 0.64, 0.09),
        ("k4", UNKNOWN_INFLUENCE, 0.505),
    ]


COLUMNS = (
    "finding_key", "subject_id", "task_id", "severity", "owner", "priority", "region_code"
)  # fmt: skip


def test_one_task_a_unit_with_all_its_findings():
    frame = findings(
        ("k1", "a", "t1", "query", "industry", 0.9, "430421100201"),
        ("k2", "a", "t1", "fatal", "register", 0.6, "430421100201"),
        ("k3", "a", "t1", "fatal", "trade", 0.7, None),
        ("k4", "a", "t1", "info", "trade", 0.95, "430421100201"),
        ("k5", "2|R1", "t2", "query", "register", 0.3, "430421100000"),
        ("k7", "F1", "t4", "query", "register", None, None),
        columns=COLUMNS,
    )
    tasks = make_tasks(frame, PLAN)
    assert tasks.columns == [c.name for c in CONTRACT.outputs["audit.verification_task"].columns]
    common = ("priority", "OPEN", date(2019, 3, 8))
    assert tasks.sort("task_id").rows() == [
        ("t1", "a", "430421100201", "trade", "k3|k2|k1", 3, 0.9, *common),
        ("t2", "2|R1", "430421100000", "register", "k5", 1, 0.3, *common),
        ("t4", "F1", None, "register", "k7", 1, None, *common),
    ]


def test_tasks_do_not_depend_on_the_order_of_findings():
    rows = [
        (f"k{n}", f"u{n % 5}", f"t{n % 5}", "fatal", f"o{n}", 0.5, "430421100201")
        for n in range(20)
    ]
    one = make_tasks(findings(*rows, columns=COLUMNS), PLAN)
    other = make_tasks(findings(*reversed(rows), columns=COLUMNS), PLAN)
    assert one.sort("task_id").equals(other.sort("task_id"))


def pool(n: int, region: str) -> list[tuple[str, str, str, str]]:
    names = [f"{region}-{i}" for i in range(n)]
    return [(u, f"t{u}", region, md5(f"1|{u}")) for u in names]


def drawn(rows: list[tuple[str, str, str, str]], counties: list[str], wanted: int) -> list[str]:
    schema = dict.fromkeys(("unit_id", "task_id", "region_code", "draw_key"), pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    tasks = draw_random(frame, pl.Series(counties, dtype=pl.String), wanted, PLAN)
    assert set(tasks["arm"]) <= {"random"}
    return tasks["subject_id"].to_list()


def test_random_arm_takes_five_of_each_township_before_more_of_any():
    rows = pool(40, "430421100201") + pool(40, "430421100202") + pool(3, "430421101201")

    assert sum(u.startswith("430421100") for u in drawn(rows, [EAST], 8)) == 5
    assert len(drawn(rows, [EAST], 50)) == 50


@pytest.mark.parametrize(
    ("share", "n_priority", "n_random"),
    [(0.2, 80, 20), (0.2, 81, 21), (0.2, 4, 1), (0.1, 9, 1), (0.5, 7, 7), (0.0, 9, 0), (0.2, 0, 0)],
)
def test_random_arm_is_at_least_its_share_of_all_tasks(
    share: float, n_priority: int, n_random: int
):
    plan = TaskPlan(due_on=date(2019, 3, 8), random_share=share)

    assert plan.n_random(n_priority) == n_random


def test_random_arm_keeps_to_the_counties_and_the_number():
    rows = [r for t in range(100, 120) for r in pool(9, f"430421{t}201")]
    result = drawn(rows + pool(9, "430422100201"), [EAST], 7)
    assert len(result) == 7
    assert {u[:6] for u in result} == {EAST}
    assert drawn(rows, [], 7) == []


def test_random_arm_is_the_lowest_keys_in_any_order():
    rows = [r for t in range(100, 120) for r in pool(5, f"430421{t}201")]
    expected = [r[0] for r in sorted(rows, key=lambda r: r[3])[:10]]
    assert drawn(rows, [EAST], 10) == expected
    assert drawn(rows[::-1], [EAST], 10) == expected


def test_flagged_counties_are_those_that_are_hold_or_lie_in_a_flagged_region():
    schema = {"region_code": pl.String, "region_level": pl.String, "flagged": pl.Boolean}
    rows = [
        ("430400000000", "2", False),
        ("430421000000", "3", False),
        ("430422000000", "3", True),
        ("430423000000", "3", False),
        ("430421100201", "5", True),
        ("430500000000", "2", True),
        ("430502000000", "3", False),
    ]
    scores = pl.DataFrame(rows, schema=schema, orient="row")
    assert flagged_counties(scores).to_list() == ["430421", "430422", "430502"]


# The unit that would be drawn first, were it not the other side of a finding.
PAIRED = min((f"U{i}" for i in range(30, 100)), key=lambda u: md5(f"7|{u}"))


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    with DuckDBEngine() as engine:
        columns = CONTRACT.tables["unit"].duckdb_columns()
        engine.execute(f"CREATE TABLE census.unit ({columns})")
        for name in ("finding", "rule", "region_score"):
            columns = CONTRACT.outputs[f"audit.{name}"].duckdb_columns()
            engine.execute(f"CREATE TABLE audit.{name} ({columns})")
        for name in ("edit_event", "visit", "frame_unit", "register_unit", "region"):
            columns = CONTRACT.tables[name].duckdb_columns()
            engine.execute(f"CREATE TABLE census.{name} ({columns})")
        engine.execute(
            "INSERT INTO census.unit BY NAME SELECT 'U' || i AS unit_id, '1' AS unit_kind, "
            "'430421' || (100 + i // 10) || '201' AS region_code, 'B' AS specialty, "
            "CAST(i AS DOUBLE) AS revenue_kyuan FROM range(100) AS t(i)"
        )
        engine.execute(
            "INSERT INTO audit.region_score BY NAME SELECT region_code, '5' AS region_level, "
            "region_code = '430421100201' AS flagged "
            "FROM (SELECT DISTINCT region_code FROM census.unit) AS q"
        )
        engine.execute(
            "INSERT INTO audit.rule BY NAME SELECT * FROM (VALUES ('COD001', 'unit', 'error'), "
            "('DUP008', 'account', 'lead'), ('TRL009', 'event', 'error')) "
            "AS t(rule_id, grain, statement)"
        )
        engine.execute(
            "INSERT INTO audit.finding BY NAME SELECT 'k' || i AS finding_key, "
            "'COD001' AS rule_id, 'fatal' AS severity, 'U' || i AS subject_id, "
            "'V' || i AS related_id, '' AS region_code, 'industry' AS owner, 1.0 AS score, "
            "CASE WHEN i = 29 THEN 'waived' ELSE 'new' END AS state FROM range(30) AS t(i) "
            f"UNION ALL SELECT 'kx', 'DUP008', 'fatal', 'A1', '{PAIRED}', '', 'inspection', 1.0, "
            "'new'"
        )
        info = RunInfo(
            run_id="N1",
            started_at="2019-03-01 01:30:00",
            engine="duckdb",
            code_version="0",
            rulebook_digest="",
            input_digest="",
        )
        yield RunContext(
            input_dir=tmp_path,
            run_dir=tmp_path,
            state_dir=tmp_path,
            engine=engine,
            config=RunConfig(tasks=Tasks(due_days=7, random_share=0.2, seed=7)),
            info=info,
        )


def tasks_of(ctx: RunContext) -> list[tuple[object, ...]]:
    return ctx.engine.rows("SELECT * FROM audit.verification_task ORDER BY task_id")


def test_stage_makes_both_arms(ctx):
    summary = dispatch.run(ctx)
    assert summary == DispatchSummary(n_priority=29, n_random=8)
    assert summary.n_tasks == 37
    engine = ctx.engine
    clean = {f"U{i}" for i in range(30, 100)} - {PAIRED}
    random = {
        str(row[0])
        for row in engine.rows(
            "SELECT subject_id FROM audit.verification_task WHERE arm = 'random'"
        )
    }
    keys = {md5(f"7|{u}"): u for u in clean}
    assert random == {keys[k] for k in sorted(keys)[:8]}
    first = engine.rows(
        "SELECT task_id, region_code, owner, finding_keys, n_findings, priority, due_on "
        "FROM audit.verification_task WHERE subject_id = 'U28'"
    )
    task_id = md5("task|U28")
    priority = round(0.5 + 0.5 * round(28 / 4950, 9) ** 0.5, 6)
    due = date(2019, 3, 8)
    assert first == [(task_id, "430421102201", "industry", "k28", 1, priority, due)]


def test_stage_fills_influence_and_priority_of_every_finding(ctx):
    dispatch.run(ctx)
    empty = "SELECT COUNT(*) FROM audit.finding WHERE influence IS NULL OR priority IS NULL"
    assert ctx.engine.scalar(empty) == 0
    sql = "SELECT influence, priority FROM audit.finding WHERE finding_key = 'kx'"
    assert ctx.engine.rows(sql) == [(UNKNOWN_INFLUENCE, 0.505)]


def test_stage_is_idempotent_and_does_not_depend_on_the_run(ctx):
    dispatch.run(ctx)
    first = tasks_of(ctx)
    ctx.engine.execute("UPDATE audit.finding SET run_id = 'N2'")
    dispatch.run(ctx)
    assert tasks_of(ctx) == first


def test_a_finding_about_an_edit_is_a_task_at_its_unit_and_no_chance_draws_that(ctx):
    unit = min((f"U{i}" for i in range(30, 100) if f"U{i}" != PAIRED), key=lambda u: md5(f"7|{u}"))
    ctx.engine.execute(
        f"INSERT INTO census.edit_event BY NAME SELECT 7 AS event_id, '{unit}' AS unit_id"
    )
    ctx.engine.execute(
        "INSERT INTO audit.finding BY NAME SELECT 'ke' AS finding_key, 'TRL009' AS rule_id, "
        "'fatal' AS severity, '7' AS subject_id, 'new' AS state, 'inspection' AS owner"
    )
    dispatch.run(ctx)

    told = ctx.engine.rows(
        "SELECT arm, finding_keys, task_id FROM audit.verification_task "
        f"WHERE subject_id = '{unit}'"
    )
    assert told == [("priority", "ke", md5(f"task|{unit}"))]


def test_draws_tell_how_many_units_were_wanted_and_how_many_there_were(ctx):
    ctx.engine.execute("DELETE FROM census.unit WHERE CAST(unit_id[2:] AS INTEGER) >= 35")
    dispatch.run(ctx)

    draws = ctx.engine.rows("SELECT * FROM audit.task_draw ORDER BY draw")
    there = 5 - (int(PAIRED[1:]) < 35)
    assert draws == [("control", 0, 0, 0), ("named", 0, 0, 0), ("random", None, 8, there)]


def test_no_flagged_region_means_no_random_arm(ctx):
    ctx.engine.execute("UPDATE audit.region_score SET flagged = FALSE")
    assert dispatch.run(ctx) == DispatchSummary(n_priority=29, n_random=0)


def test_no_findings_make_no_tasks(ctx):
    ctx.engine.execute("DELETE FROM audit.finding")
    assert dispatch.run(ctx) == DispatchSummary(n_priority=0, n_random=0)
    assert tasks_of(ctx) == []


def visited(**people: bool) -> pl.DataFrame:
    """Five units a person, whose keys run against the order of their ids."""
    return pl.DataFrame(
        [
            {
                "enumerator_id": person,
                "is_named": named,
                "enumerator_key": person,
                "unit_id": f"{person}{i}",
                "task_id": f"t{person}{i}",
                "region_code": "430421100201",
                "draw_key": str(9 - i),
            }
            for person, named in people.items()
            for i in range(5)
        ]
    )


def test_three_units_of_everybody_named_and_of_the_drawn_are_called_on_again():
    tasks, draws = draw_revisits(visited(A=False, B=True, C=False, D=True), PLAN)

    assert sorted(tasks["subject_id"]) == ["A2", "A3", "A4", "B2", "B3", "B4", "D2", "D3", "D4"]
    assert set(tasks["arm"]) == {"random"}
    assert set(tasks["owner"]) == {"enforcement"}
    assert draws == (
        Draw(draw="named", n_people=2, n_wanted=6, n_drawn=6),
        Draw(draw="control", n_people=1, n_wanted=3, n_drawn=3),
    )


def test_a_unit_that_two_people_visited_is_one_task():
    twice = visited(A=True, B=True).with_columns(
        unit_id=pl.lit("U1"), task_id=pl.lit("t1"), draw_key=pl.lit("0")
    )

    tasks, draws = draw_revisits(twice, PLAN)

    assert tasks["task_id"].to_list() == ["t1"]
    assert (draws[0].n_wanted, draws[0].n_drawn) == (6, 1)


def test_stage_calls_again_on_units_of_an_enumerator_that_a_lead_names(ctx):
    ctx.engine.execute("UPDATE audit.region_score SET flagged = FALSE")
    ctx.engine.execute(
        "INSERT INTO census.visit BY NAME SELECT 'V' || i AS visit_id, 'U' || i AS unit_id, "
        "'P1' AS enumerator_id FROM range(27, 40) AS t(i)"
    )
    ctx.engine.execute(
        "INSERT INTO audit.rule BY NAME SELECT 'PAD010' AS rule_id, 'enumerator' AS grain, "
        "'lead' AS statement"
    )
    ctx.engine.execute(
        "INSERT INTO audit.finding BY NAME SELECT 'kp' AS finding_key, 'PAD010' AS rule_id, "
        "'query' AS severity, 'P1' AS subject_id, '' AS region_code, 'enforcement' AS owner, "
        "'new' AS state"
    )

    assert dispatch.run(ctx) == DispatchSummary(n_priority=29, n_random=3)

    again = ctx.engine.rows(
        "SELECT subject_id FROM audit.verification_task WHERE owner = 'enforcement'"
    )
    keys = sorted((md5(f"7|U{i}"), f"U{i}") for i in range(30, 40) if f"U{i}" != PAIRED)
    assert sorted(row[0] for row in again) == sorted(unit for _, unit in keys[:3])


def test_a_lead_that_was_waived_names_nobody(ctx):
    ctx.engine.execute("UPDATE audit.region_score SET flagged = FALSE")
    ctx.engine.execute(
        "INSERT INTO census.visit BY NAME SELECT 'V' || i AS visit_id, 'U' || i AS unit_id, "
        "'P' || (i % 2) AS enumerator_id "
        "FROM range(30, 50) AS t(i)"
    )
    ctx.engine.execute(
        "INSERT INTO audit.rule BY NAME SELECT 'PAD010' AS rule_id, 'enumerator' AS grain, "
        "'lead' AS statement"
    )
    ctx.engine.execute(
        "INSERT INTO audit.finding BY NAME SELECT 'kp' AS finding_key, 'PAD010' AS rule_id, "
        "'query' AS severity, 'P1' AS subject_id, '' AS region_code, 'enforcement' AS owner, "
        "'waived' AS state"
    )

    # One of the two is drawn at random: the five per cent are rounded up.
    assert dispatch.run(ctx) == DispatchSummary(n_priority=29, n_random=3)
