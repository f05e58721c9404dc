"""What the export leaves for programs: package, views, Parquet, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from export_stage import (
    ZHUHUI,
    add_finding,
    add_row,
    open_run,
    run_export,
)

from audit.engines.duckdb import DuckDBEngine, PackageReader
from audit.night import create_outputs
from audit.rulebook import RuleBook
from pipelines import export, manifest, package_views
from pipelines.context import RunContext
from pipelines.package_views import VIEWS
from pipelines.sql import PACKAGE


@dataclass(frozen=True)
class Stage:
    """What the manifest is told of a stage."""

    stage: str = "check"
    wall: float = 1.23456
    cpu: float = 1.0
    peak_mb: float = 99.94


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    with open_run(tmp_path) as opened:
        yield opened


def test_the_whole_export_and_its_manifest(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L1")
    summary = run_export(ctx)
    ctx.engine.checkpoint()
    ctx.engine.close()
    path = manifest.write(ctx, RuleBook(rules=()), [Stage()])
    told = json.loads(path.read_text(encoding="utf-8"))
    outputs = {entry["path"]: entry["sha256"] for entry in told["outputs"]}

    assert (summary.n_workbooks, summary.n_rows, summary.n_validations) == (2, 1, 13)
    assert told["counts"]["findings"] == {"fatal": 1}
    assert told["stages"] == [
        {"stage": "check", "wall_seconds": 1.235, "cpu_seconds": 1.0, "peak_mb": 99.9}
    ]
    assert told["settings"]["salted"] is False
    assert {"census_audit.duckdb", "report.html", "validation_report.json"} <= set(outputs)
    report = ctx.run_dir / "report.html"
    assert outputs["report.html"] == hashlib.sha256(report.read_bytes()).hexdigest()


def test_parquet_holds_the_published_tables(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L1")
    export.write_parquet(ctx, package_views.published_tables())
    names = {path.name for path in (ctx.run_dir / "parquet").iterdir()}
    finding = pq.read_table(ctx.run_dir / "parquet" / "audit.finding.parquet")

    assert {"audit.verification_task.parquet", "linkage.link.parquet"} <= names
    assert "census.legal_entity.parquet" in names
    assert {"census.finance.parquet", "census.unit.parquet"} & names == set()
    assert finding["finding_key"].to_pylist() == ["k1"]


def test_views_and_comments_are_in_the_package(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L1")
    run_export(ctx)
    ctx.engine.checkpoint()
    ctx.engine.close()
    with PackageReader(ctx.run_dir / PACKAGE) as reader:
        current = reader.fetch("SELECT unit_name, county_name FROM findings_current").to_pylist()
        units = reader.fetch("SELECT unit_id, n_fatal FROM units_flagged").to_pylist()
        covered = reader.fetch(
            "SELECT county_name, verdict FROM coverage WHERE rule_id = 'FRM002' "
            "ORDER BY county_code"
        ).to_pylist()
        comment = reader.fetch(
            "SELECT comment FROM duckdb_columns() "
            "WHERE schema_name = 'audit' AND table_name = 'finding' AND column_name = 'rule_id'"
        ).to_pylist()
        for view in VIEWS:
            reader.fetch(f"SELECT * FROM {view}")

    assert current == [{"unit_name": "公司L1", "county_name": "珠晖区"}]
    assert units == [{"unit_id": "L1", "n_fatal": 1}]
    assert covered == [
        {"county_name": "珠晖区", "verdict": "PASSED"},
        {"county_name": "雁峰区", "verdict": "PASSED"},
        {"county_name": "石鼓区", "verdict": "NONE"},
    ]
    assert comment == [{"comment": "规则编号 | Rule"}]


def test_comments_that_stand_are_not_written_again_and_wrong_ones_are(
    ctx: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_views.comment_tables(ctx.engine)
    ctx.engine.execute("COMMENT ON COLUMN audit.finding.rule_id IS 'old words'")
    written: list[list[str]] = []
    real = package_views._at_once
    monkeypatch.setattr(
        package_views, "_at_once", lambda ctx, said: (written.append(said), real(ctx, said))
    )
    package_views.comment_tables(ctx.engine)
    package_views.comment_tables(ctx.engine)

    assert written == [["COMMENT ON COLUMN audit.finding.\"rule_id\" IS '规则编号 | Rule'"]]


def test_comments_of_a_database_beside_it_are_not_those_of_the_package(
    ctx: RunContext, tmp_path: Path
) -> None:
    with DuckDBEngine(tmp_path / "beside.duckdb") as other:
        create_outputs(other)
        package_views.comment_tables(other)
    ctx.engine.execute(f"ATTACH '{tmp_path / 'beside.duckdb'}' AS beside (READ_ONLY)")

    package_views.comment_tables(ctx.engine)

    assert ctx.engine.rows(
        "SELECT database_name, comment FROM duckdb_columns() "
        "WHERE table_name = 'finding' AND column_name = 'rule_id' ORDER BY database_name"
    ) == [("beside", "规则编号 | Rule"), ("package", "规则编号 | Rule")]


def test_double_counting_shows_what_a_cluster_across_counties_counts_twice(ctx: RunContext) -> None:
    for unit, region, revenue in (("D1", ZHUHUI, 500), ("D2", "430422100001", 300)):
        add_row(
            ctx.engine, "census.legal_entity", unit_id=unit, region_code=region,
            industry_code="5211", revenue_kyuan=revenue, employees=7,
        )  # fmt: skip
        add_row(
            ctx.engine, "linkage.cluster", cluster_id="D1", unit_id=unit, table_name="legal_entity"
        )
    export.create_views(ctx)

    rows = ctx.engine.rows(
        "SELECT unit_ids, n_counties, revenue_twice_kyuan, employees_twice FROM double_counting"
    )
    assert rows == [("D1|D2", 2, 300, 7)]
