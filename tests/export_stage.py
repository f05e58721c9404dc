"""A tiny run for the tests of the export stage: three counties, some units, findings as asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from audit.night import create_outputs, create_unit_view
from audit.rulebook import load_rulebook
from pipelines import coverage, export, finding_places
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.places import place_units
from pipelines.sql import PACKAGE

INFO = RunInfo(
    run_id="r1",
    started_at="2019-05-20 01:30:00",
    engine="duckdb",
    code_version="0.1.0",
    rulebook_digest="ab" * 32,
    input_digest="cd" * 32,
)
ZHUHUI, YANFENG = "430405001001", "430406001001"


def add_row(engine: DuckDBEngine, table: str, **values: object) -> None:
    shown = ", ".join(f"{'NULL' if v is None else repr(v)} AS {name}" for name, v in values.items())
    engine.append(table, f"SELECT {shown}")


def add_region(engine: DuckDBEngine, code: str, name: str, level: str) -> None:
    add_row(engine, "census.region", region_code=code, vintage="2018-10-31", name=name, level=level)


def add_rule(engine: DuckDBEngine, rule_id: str, grain: str, severity: str = "fatal") -> None:
    rule = load_rulebook().get(rule_id)
    add_row(
        engine,
        "audit.rule",
        rule_id=rule_id,
        rule_version=1,
        severity=severity,
        grain=grain,
        statement=replace(rule, grain=grain).statement,
        same_fact="|".join(rule.same_fact),
        clause="三(三)1",
        title_zh=f"规则{rule_id}",
        title_en=f"rule {rule_id}",
        sql="SELECT 1",
    )


def add_finding(
    engine: DuckDBEngine, key: str, rule_id: str, subject: str, **values: object
) -> None:
    given: dict[str, object] = {
        "run_id": "r1",
        "severity": "fatal",
        "region_code": ZHUHUI,
        "state": "new",
        "priority": 0.5,
        "message_zh": "说明",
        "message_en": "message",
        **values,
    }
    add_row(engine, "audit.finding", finding_key=key, rule_id=rule_id, subject_id=subject, **given)


def _fill(engine: DuckDBEngine) -> None:
    for table in CONTRACT.delivered:
        engine.execute(f"CREATE TABLE census.{table.name} ({table.duckdb_columns()})")
    for name in ("census.delivered_file", "census.rejected_row"):
        engine.execute(f"CREATE TABLE {name} ({CONTRACT.outputs[name].duckdb_columns()})")
    create_outputs(engine)
    create_unit_view(engine)
    for code, name, level in (
        ("430400000000", "衡阳市", "2"),
        ("430405000000", "珠晖区", "3"),
        ("430406000000", "雁峰区", "3"),
        ("430407000000", "石鼓区", "3"),
        ("430405001000", "广东路街道", "4"),
        ("430406001000", "先锋街道", "4"),
    ):
        add_region(engine, code, name, level)
    units = (("L1", ZHUHUI), ("L2", YANFENG), ("L3", "430407001001"), ("L4", "110105000000"))
    for unit_id, region in units:
        add_row(
            engine,
            "census.legal_entity",
            unit_id=unit_id,
            name=f"公司{unit_id}",
            credit_code="014304000000000018",
            region_code=region,
            phone_mobile="13000000000",
            phone_fixed="0734-1",
            legal_rep="张三",
            enumerator_id="P1",
        )
    add_row(engine, "census.enumerator", enumerator_id="P1", name="李四", region_code=ZHUHUI)
    for rule_id, grain in (("FRM002", "unit"), ("REG001", "register"), ("TRL001", "event")):
        add_rule(engine, rule_id, grain)
    add_rule(engine, "PAD001", "enumerator", "query")
    for code in (ZHUHUI, YANFENG):
        add_row(
            engine,
            "audit.outcome",
            run_id="r1",
            rule_id="FRM002",
            region_code=code,
            n_checked=1,
            n_failed=0,
            n_unknown=0,
            status="PASSED",
        )


def run_export(ctx: RunContext) -> export.ExportSummary:
    """Export as a night does, which knows from intake where units are."""
    place_units(ctx.engine)
    coverage.run(ctx)
    with export.processes(ctx) as workers:
        queue = export.begin_reviews(ctx, workers)
        return export.finish(ctx, export.begin(ctx, queue, workers))


def write_county_workbooks(ctx: RunContext, lang: str = "zh") -> None:
    """Write the workbooks of a run alone."""
    export._begin_workbooks(ctx, lang, None).finish()


def read_books(ctx: RunContext) -> dict[str, Any]:
    write_county_workbooks(ctx)
    paths = sorted((ctx.run_dir / "workbooks").glob("*.xlsx"))
    return {path.name.split("_")[0]: openpyxl.load_workbook(path) for path in paths}


def units_of(book: Any) -> list[tuple[Any, ...]]:
    """Unit id, kind, township, phone, enumerator, findings, reason of each row."""
    rows = book["单位核查表"].iter_rows(min_row=4, values_only=True)
    return [(r[3], r[4], r[5], r[7], r[9], r[10], r[12]) for r in rows]


def findings_of(book: Any) -> list[tuple[Any, ...]]:
    """Rule, unit, related, item, observed, expected, difference of each row."""
    rows = book["核查差错一览表"].iter_rows(min_row=4, values_only=True)
    return [(r[4], r[11], *r[13:18]) for r in rows]


@contextmanager
def open_run(folder: Path) -> Iterator[RunContext]:
    """Give the context of a run in a folder of its own, after dispatch could begin."""
    with DuckDBEngine(folder / PACKAGE) as engine:
        _fill(engine)
        ctx = RunContext(
            input_dir=folder,
            run_dir=folder,
            state_dir=folder,
            engine=engine,
            config=RunConfig(),
            info=INFO,
        )
        finding_places.create(ctx)
        yield ctx
