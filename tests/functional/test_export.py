"""The export stage over a tiny run: every finding goes somewhere, to the right place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine, PackageReader
from audit.errors import EngineError
from audit.model import RunInfo
from audit.night import create_outputs, create_unit_view
from audit.rulebook import RuleBook, load_rulebook
from pipelines import coverage, dispatch, export, manifest, report_data, workbook_data
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.package_views import VIEWS, create_views
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


@dataclass(frozen=True)
class Stage:
    """What the manifest is told of a stage."""

    stage: str = "check"
    wall: float = 1.23456
    cpu: float = 1.0
    peak_mb: float = 99.94


def _insert(engine: DuckDBEngine, table: str, **values: object) -> None:
    shown = ", ".join(f"{'NULL' if v is None else repr(v)} AS {name}" for name, v in values.items())
    engine.append(table, f"SELECT {shown}")


def _region(engine: DuckDBEngine, code: str, name: str, level: str) -> None:
    _insert(engine, "census.region", region_code=code, vintage="2018-10-31", name=name, level=level)


def _rule(engine: DuckDBEngine, rule_id: str, grain: str, severity: str = "fatal") -> None:
    rule = load_rulebook().get(rule_id)
    _insert(
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


def _finding(engine: DuckDBEngine, key: str, rule_id: str, subject: str, **values: object) -> None:
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
    _insert(engine, "audit.finding", finding_key=key, rule_id=rule_id, subject_id=subject, **given)


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
        _region(engine, code, name, level)
    units = (("L1", ZHUHUI), ("L2", YANFENG), ("L3", "430407001001"), ("L4", "110105000000"))
    for unit_id, region in units:
        _insert(
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
    _insert(engine, "census.enumerator", enumerator_id="P1", name="李四", region_code=ZHUHUI)
    for rule_id, grain in (("FRM002", "unit"), ("REG001", "register"), ("TRL001", "event")):
        _rule(engine, rule_id, grain)
    _rule(engine, "PAD001", "enumerator", "query")
    for code in (ZHUHUI, YANFENG):
        _insert(
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


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    with DuckDBEngine(tmp_path / PACKAGE) as engine:
        _fill(engine)
        yield RunContext(
            input_dir=tmp_path,
            run_dir=tmp_path,
            state_dir=tmp_path,
            engine=engine,
            config=RunConfig(),
            info=INFO,
        )


def _export(ctx: RunContext) -> export.ExportSummary:
    """Export as a night does, which knows from intake where units are."""
    place_units(ctx.engine)
    coverage.run(ctx)
    return export.run(ctx)


def _books(ctx: RunContext) -> dict[str, Any]:
    export.write_county_workbooks(ctx)
    paths = sorted((ctx.run_dir / "workbooks").glob("*.xlsx"))
    return {path.name.split("_")[0]: openpyxl.load_workbook(path) for path in paths}


def _units(book: Any) -> list[tuple[Any, ...]]:
    """Unit id, kind, township, phone, enumerator, findings, reason of each row."""
    rows = book["单位核查表"].iter_rows(min_row=4, values_only=True)
    return [(r[3], r[4], r[5], r[7], r[9], r[10], r[12]) for r in rows]


def _findings(book: Any) -> list[tuple[Any, ...]]:
    """Rule, unit, related, item, observed, expected, difference of each row."""
    rows = book["核查差错一览表"].iter_rows(min_row=4, values_only=True)
    return [(r[4], r[11], *r[13:18]) for r in rows]


def test_a_workbook_for_each_county_that_was_checked(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L1")
    books = _books(ctx)

    # 石鼓区 has a unit, but nothing was checked there: no good news without evidence.
    assert sorted(books) == ["430405", "430406", "目录.xlsx"]
    assert _units(books["430405"]) == [
        ("L1", "法人单位", "广东路街道", "13000000000 0734-1", "李四（P1）", 1, "规则FRM002")
    ]
    assert books["430406"]["单位核查表"]["A4"].value.startswith("无差错")


def test_values_are_numbers_where_the_item_is_one(ctx: RunContext) -> None:
    values = {"observed": "9", "expected": "5", "related_id": "L2"}
    _finding(ctx.engine, "k1", "FRM002", "L1", variable="employees_female", **values)
    _finding(ctx.engine, "k2", "FRM002", "L1", variable="credit_code|made_up", **values)
    item = CONTRACT.tables["legal_entity"].by_name["credit_code"]
    women = CONTRACT.tables["legal_entity"].by_name["employees_female"].label.zh
    rows = _findings(_books(ctx)["430405"])

    assert rows[0][:3] == (
        "FRM002",
        "L1",
        "公司L2（014304000000000018；雁峰区先锋街道；填报单位标识 L2）",
    )
    assert rows[0][3].endswith(women + "(人)")
    assert rows[0][4:] == (9, 5, 4)
    assert rows[1][3].endswith(f"{item.label.zh}、made_up")
    assert rows[1][4:] == ("9", "5", None)


def test_findings_beside_units_go_to_their_unit(ctx: RunContext) -> None:
    engine = ctx.engine
    _insert(engine, "census.edit_event", event_id=7, unit_id="L1")
    _insert(engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    _insert(engine, "census.frame_unit", frame_id="B2", name="底册甲", region_code=ZHUHUI)
    _insert(
        engine,
        "census.register_unit",
        source="1",
        register_id="R1",
        record_id="1|R1",
        name="名录乙",
    )
    _finding(engine, "k1", "TRL001", "7")
    _finding(engine, "k2", "REG001", "B1")
    _finding(engine, "k3", "REG001", "B2")
    _finding(engine, "k4", "REG001", "1|R1")
    book = _books(ctx)["430405"]

    assert [(row[0], row[1], row[5]) for row in _units(book)] == [
        ("B2", "清查底册单位", 1),
        ("R1", "部门名录单位（市场监管）", 1),
        ("L1", "法人单位", 2),
    ]
    assert [row[1] for row in _findings(book)] == ["B2", "R1", "L1", "L1"]


def test_a_register_record_is_named_by_its_register(ctx: RunContext) -> None:
    _insert(
        ctx.engine,
        "census.register_unit",
        source="1",
        register_id="R1",
        record_id="1|R1",
        name="名录乙",
        credit_code="91X",
    )
    told = {"related_id": "1|R1", "message_zh": "部门记录 1|R1 已注销"}
    _finding(ctx.engine, "k1", "FRM002", "L1", **told)
    sheet = _books(ctx)["430405"]["核查差错一览表"]

    assert sheet["N4"].value == "市场监管登记 R1 名录乙（91X）"
    assert sheet["F4"].value == "部门记录 市场监管登记 R1 已注销"


def test_a_township_that_is_unknown_has_a_code_to_count_by(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L4", region_code="110105000000")
    book = _books(ctx)["000000"]

    assert book["核查情况汇总表"]["A3"].value == "000000000000"
    assert book["核查差错一览表"]["AB4"].value == "000000000000"


def test_a_random_check_is_a_unit_without_findings(ctx: RunContext) -> None:
    _insert(
        ctx.engine,
        "audit.verification_task",
        task_id="t1",
        subject_id="L1",
        region_code=ZHUHUI,
        arm="random",
        due_on="2019-05-27",
    )
    book = _books(ctx)["430405"]

    assert [(row[0], row[5], row[6]) for row in _units(book)] == [("L1", 0, "随机抽查")]
    assert "2019-05-27" in [cell.value for cell in book["填写说明"]["B"]]


def test_what_lies_in_no_listed_county_is_not_lost(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L4", region_code="110105000000")
    _finding(ctx.engine, "k2", "FRM002", "L9", region_code="")
    books = _books(ctx)

    assert sorted(row[1] for row in _findings(books["000000"])) == ["L4", "L9"]


def test_the_reason_of_a_visit_is_the_most_severe_and_how_many_there_are(ctx: RunContext) -> None:
    _rule(ctx.engine, "XSP006", "unit")
    _finding(ctx.engine, "k1", "XSP006", "L1", severity="query", priority=0.9)
    _finding(ctx.engine, "k2", "FRM002", "L1")
    _finding(ctx.engine, "k3", "XSP006", "L1", severity="query", related_id="L2")
    _finding(ctx.engine, "k4", "FRM002", "L2")

    chinese = _books(ctx)
    reasons = [row[6] for code in ("430405", "430406") for row in _units(chinese[code])]
    assert reasons == ["规则FRM002等 3 项", "规则FRM002"]
    export.write_county_workbooks(ctx, "en")
    english = openpyxl.load_workbook(next((ctx.run_dir / "workbooks").glob("430405*")))
    assert english["Units"]["M4"].value == "rule FRM002, and 2 more"


def test_what_asks_about_one_fact_stands_together_and_is_asked_once(ctx: RunContext) -> None:
    for rule_id, grain in (
        ("XSP001", "unit"), ("XSP005", "unit"), ("REG010", "frame"), ("REG011", "frame")
    ):  # fmt: skip
        _rule(ctx.engine, rule_id, grain)
    _insert(ctx.engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    for rule_id, subject, severity in (
        ("XSP001", "L1", "query"), ("XSP005", "L1", "fatal"), ("FRM002", "L1", "fatal"),
        ("REG001", "B1", "query"), ("REG010", "B1", "fatal"), ("REG011", "B1", "fatal"),
        ("XSP005", "L2", "fatal"),
    ):  # fmt: skip
        _finding(ctx.engine, rule_id + subject, rule_id, subject, severity=severity)
    books = _books(ctx)

    def told(code: str) -> list[tuple[Any, ...]]:
        rows = books[code]["核查差错一览表"].iter_rows(min_row=4, values_only=True)
        return [(row[4], row[18]) for row in rows]

    mark = "同一事实，见 {} 一行，不必另答".format
    assert told("430405") == [
        ("FRM002", None),
        ("REG011", None),
        ("REG001", mark("REG011")),
        ("REG010", mark("REG011")),
        ("XSP001", None),
        ("XSP005", mark("XSP001")),
    ]
    assert told("430406") == [("XSP005", None)]
    assert [row[6] for row in _units(books["430405"])] == ["规则FRM002等 3 项"]


def test_leads_and_answered_findings_are_not_in_the_workbooks(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "PAD001", "P1", severity="query")
    _finding(ctx.engine, "k2", "FRM002", "L1", state="waived")
    books = _books(ctx)

    assert books["430405"]["单位核查表"]["A4"].value.startswith("无差错")
    assert [cell.value for cell in books["目录.xlsx"]["线索"][3]][2:5] == ["PAD001", "说明", "P1"]


def _every_grain(engine: DuckDBEngine) -> None:
    """Findings of every grain: at L1 (with its frame line), L2, a frame line and a record alone."""
    _insert(engine, "census.edit_event", event_id=7, unit_id="L1")
    _insert(engine, "census.visit", visit_id="V1", unit_id="L2", enumerator_id="P1")
    _insert(engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    _insert(engine, "census.frame_unit", frame_id="B2", region_code=YANFENG)
    _insert(
        engine, "census.register_unit", source="1", register_id="R1", record_id="1|R1",
        region_code=YANFENG,
    )  # fmt: skip
    kinds = (
        ("COD001", "unit"), ("TRL009", "event"), ("PAD004", "visit"), ("REG011", "frame"),
        ("REG010", "register"), ("DIR001", "account"), ("PAD010", "enumerator"),
        ("TRL005", "editor"), ("PAD009", "block"), ("PES002", "region"), ("SEC002", "row"),
    )  # fmt: skip
    subjects = {
        "unit": ("L1", "L9"), "event": ("7",), "visit": ("V1",), "frame": ("B1", "B2"),
        "register": ("1|R1",),
    }  # fmt: skip
    for rule_id, grain in kinds:
        _rule(engine, rule_id, grain)
        for number, subject in enumerate(subjects.get(grain, ("X",))):
            severity = "query" if grain == "visit" else "fatal"
            _finding(engine, f"{grain}{number}", rule_id, subject, severity=severity)


def test_tasks_books_index_and_report_count_the_same(ctx: RunContext) -> None:
    _every_grain(ctx.engine)
    dispatch.run(ctx)
    place_units(ctx.engine)
    coverage.run(ctx)
    books = _books(ctx)
    index = books.pop("目录.xlsx")
    report = report_data.collect(ctx)
    units = [row for book in books.values() for row in _units(book) if row[0]]
    rows = [row for book in books.values() for row in _findings(book) if row[1]]
    total = [cell.value for cell in index["目录"]["A"]].index("合计") + 1
    n_visit, n_flagged, n_random, n_fatal, n_query, n_info, n_all = (
        cell.value for cell in index["目录"][total][3:10]
    )

    assert len(rows) == n_all == 7
    assert len(units) == n_visit == n_flagged == 5
    totals = report.totals
    assert (
        (totals.n_fatal, totals.n_query, totals.n_info) == (n_fatal, n_query, n_info) == (6, 1, 0)
    )
    assert (totals.n_fatal_units, totals.n_fatal_lines) == (2, 2)
    assert (totals.n_query_units, totals.n_query_lines) == (1, 0)
    assert (report.tasks.n_priority, report.tasks.n_random) == (n_visit, n_random) == (5, 0)
    tasks = ctx.engine.rows("SELECT subject_id, n_findings FROM audit.verification_task")
    shown = sorted((row[0], row[5]) for row in units)
    assert shown == [("B2", 1), ("L1", 3), ("L2", 1), ("L9", 1), ("R1", 1)]
    assert sorted((str(k).removeprefix("1|"), n) for k, n in tasks) == shown
    by_county = {row["county_code"][:6]: row for row in report.counties.to_pylist()}
    for code, book in books.items():
        sums = [cell.value for cell in book["核查情况汇总表"][book["核查情况汇总表"].max_row]]
        county = by_county["" if code == "000000" else code]
        found = [_severity(book, word) for word in ("强制性", "核实性")]
        assert [county["n_fatal"], county["n_query"]] == found, code
        assert sums[0] == "合计"
    beside = (len(list(index["线索"].rows)) - 2, len(list(index["评估结论"].rows)) - 2)
    assert beside == (totals.n_leads, totals.n_conclusions) == (4, 2)
    assert sum(row["n_beside"] for row in by_county.values()) == 6
    create_views(ctx)
    assert ctx.engine.scalar("SELECT COUNT(*) FROM main.units_flagged") == 3


def _severity(book: Any, word: str) -> int:
    rows = book["核查差错一览表"].iter_rows(min_row=4, values_only=True)
    return sum(row[2] == word for row in rows)


def test_a_finding_that_no_workbook_holds_stops_the_export(
    ctx: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L1")
    real = workbook_data.gather
    monkeypatch.setattr(workbook_data, "gather", lambda ctx: replace(real(ctx), n_rows=0))

    with pytest.raises(EngineError, match="do not hold every finding"):
        export.write_county_workbooks(ctx)


def test_the_whole_export_and_its_manifest(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L1")
    summary = _export(ctx)
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
    _finding(ctx.engine, "k1", "FRM002", "L1")
    export.write_parquet(ctx)
    names = {path.name for path in (ctx.run_dir / "parquet").iterdir()}
    finding = pq.read_table(ctx.run_dir / "parquet" / "audit.finding.parquet")

    assert {"audit.verification_task.parquet", "linkage.link.parquet"} <= names
    assert "census.legal_entity.parquet" in names
    assert {"census.finance.parquet", "census.unit.parquet"} & names == set()
    assert finding["finding_key"].to_pylist() == ["k1"]


def test_views_and_comments_are_in_the_package(ctx: RunContext) -> None:
    _finding(ctx.engine, "k1", "FRM002", "L1")
    _export(ctx)
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


def test_double_counting_shows_what_a_cluster_across_counties_counts_twice(ctx: RunContext) -> None:
    for unit, region, revenue in (("D1", ZHUHUI, 500), ("D2", "430422100001", 300)):
        _insert(
            ctx.engine, "census.legal_entity", unit_id=unit, region_code=region,
            industry_code="5211", revenue_kyuan=revenue, employees=7,
        )  # fmt: skip
        _insert(
            ctx.engine, "linkage.cluster", cluster_id="D1", unit_id=unit, table_name="legal_entity"
        )
    export.create_views(ctx)

    rows = ctx.engine.rows(
        "SELECT unit_ids, n_counties, revenue_twice_kyuan, employees_twice FROM double_counting"
    )
    assert rows == [("D1|D2", 2, 300, 7)]
