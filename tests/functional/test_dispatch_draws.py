"""Re-visits in a night: whom the database sends on is whom the draw would choose among all."""

from __future__ import annotations

from datetime import date
from hashlib import md5
from pathlib import Path

import polars as pl
from export_stage import ZHUHUI, add_finding, add_rule, open_run

from audit.tasking import TaskPlan, draw_revisits
from pipelines import dispatch

PEOPLE, EACH = 43, 4
NAMED = "E7"


def _key(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _all_visited(seed: int, suspected: set[str]) -> pl.DataFrame:
    seen = [(f"E{n % PEOPLE}", f"V{n}") for n in range(PEOPLE * EACH)]
    rows = [
        {
            "enumerator_id": person,
            "is_named": person == NAMED,
            "enumerator_key": _key(f"{seed}|{person}"),
            "unit_id": unit,
            "task_id": _key(f"task|{unit}"),
            "region_code": ZHUHUI,
            "draw_key": _key(f"{seed}|{unit}"),
        }
        for person, unit in seen
        if unit not in suspected
    ]
    return pl.DataFrame(rows)


def test_revisits_are_those_of_a_draw_among_all_who_visited(tmp_path: Path) -> None:
    suspected = {"V3", "V50", "V7"}
    with open_run(tmp_path) as ctx:
        engine = ctx.engine
        n = f"FROM range({PEOPLE * EACH}) AS r(n)"
        engine.append(
            "census.self_employed", f"SELECT 'V' || n AS unit_id, '{ZHUHUI}' AS region_code {n}"
        )
        engine.append(
            "census.visit",
            f"SELECT n AS visit_id, 'E' || (n % {PEOPLE}) AS enumerator_id, 'V' || n AS unit_id {n}"
            f" UNION ALL SELECT 1000 + n, 'E' || (n % {PEOPLE}), 'V' || n {n}",
        )
        for unit in sorted(suspected):
            add_finding(engine, f"k{unit}", "FRM002", unit)
        add_rule(engine, "PAD002", "enumerator", "query")
        add_finding(engine, "lead", "PAD002", NAMED)
        dispatch.run(ctx)
        plan = TaskPlan(due_on=date(2019, 6, 3))
        expected, draws = draw_revisits(_all_visited(ctx.config.tasks.seed, suspected), plan)
        tasks = engine.rows(
            "SELECT task_id FROM audit.verification_task "
            "WHERE arm = 'random' AND owner = 'enforcement' ORDER BY task_id"
        )
        told = engine.rows(
            "SELECT draw, n_people, n_wanted, n_drawn FROM audit.task_draw WHERE draw <> 'random' "
            "ORDER BY draw DESC"
        )

    assert [str(row[0]) for row in tasks] == sorted(expected["task_id"])
    assert len(tasks) == 11
    assert told == [(d.draw, d.n_people, d.n_wanted, d.n_drawn) for d in draws]
