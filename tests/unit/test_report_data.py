"""What the report is told: counts by rule, region and file from the night's tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from audit.views import unit_view
from pipelines import coverage, finding_places
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.report_data import collect
from reports.html import FlagChanges, ReportData, Totals, render_report

RUN = "20190318-013000"
CITY, COUNTY, TOWN, VILLAGE = "430400000000", "430405000000", "430405007000", "430405007001"
OTHER_COUNTY, OUTSIDE = "430406000000", "430476001001"
PLACES = [
    (CITY, "衡阳市", "2", "430000000000"),
    (COUNTY, "珠晖区", "3", CITY),
    (OTHER_COUNTY, "雁峰区", "3", CITY),
    (TOWN, "衡州路街道", "4", COUNTY),
    (VILLAGE, "新联社区", "5", TOWN),
]
UNITS = {
    "legal_entity": [("L1", VILLAGE), ("L2", VILLAGE), ("L3", OUTSIDE)],
    "establishment": [("E1", VILLAGE)],
    "self_employed": [("S1", VILLAGE), ("S2", "430406001001")],
}
RULES = [
    ("COD001", "codes", "fatal", "unit", "error"), ("COD002", "codes", "fatal", "unit", "error"),
    ("COD003", "codes", "query", "unit", "error"),
    ("DUP001", "duplicate", "fatal", "unit", "error"),
    ("DUP008", "duplicate", "query", "enumerator", "lead"),
    ("REG001", "register", "query", "frame", "error"),
]  # fmt: skip
OUTCOMES = [
    # rule, region, checked, failed, unknown, status, detail
    ("COD001", VILLAGE, 4, 1, 1, "FAILED", None),
    ("COD001", "430406001001", 1, 0, 0, "PASSED", None),
    ("COD001", OUTSIDE, 1, 1, 0, "FAILED", None),
    ("COD002", VILLAGE, 4, 0, 4, "PASSED", None),
    ("COD003", VILLAGE, 4, 0, 1, "PASSED", None),
    ("DUP001", CITY, 0, 0, 0, "ERROR", "The database refused a statement"),
    ("DUP008", CITY, 0, 0, 0, "NOT_APPLICABLE", "未送达 not delivered: enumerator"),
    ("REG001", VILLAGE, 2, 0, 0, "PASSED", None),
]
FINDINGS = [
    # key, rule, severity, subject, region, state
    ("f1", "COD001", "fatal", "L1", VILLAGE, "new"),
    ("f2", "COD001", "fatal", "L3", OUTSIDE, "persisting"),
    ("f3", "COD003", "query", "L1", VILLAGE, "reopened"),
    ("f4", "COD003", "query", "S1", VILLAGE, "waived"),
    ("f5", "DUP008", "query", "P1", VILLAGE, "persisting"),
    ("f6", "COD001", "fatal", "L1", VILLAGE, "persisting"),
]
HISTORY = [
    ("f7", RUN, "COD001", "resolved", "value_corrected"),
    ("f8", RUN, "COD002", "resolved", "rule_changed"),
    ("f9", "20190316-013000", "COD001", "resolved", "unit_gone"),
    ("f10", RUN, "DUP001", "persisting", "not_checked"),
    ("f11", RUN, "DUP099", "resolved", "rule_changed"),
]


def fill(engine: DuckDBEngine, table: str, columns: str, rows: list[tuple[object, ...]]) -> None:
    names = columns.split()
    data = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    engine.register("incoming", pa.table(data))
    engine.append(table, "SELECT * FROM incoming")


def create(engine: DuckDBEngine) -> None:
    for table in CONTRACT.delivered:
        engine.execute(f"CREATE TABLE census.{table.name} ({table.duckdb_columns()})")
    for name, table in CONTRACT.outputs.items():
        engine.execute(f"CREATE TABLE {name} ({table.duckdb_columns()})")
    engine.execute(f"CREATE VIEW census.unit AS {unit_view()}")


def fill_night(engine: DuckDBEngine) -> None:
    region = "region_code name level parent_code vintage"
    fill(engine, "census.region", region, [(*place, "2018-10-31") for place in PLACES])
    fill(engine, "census.region", region, [(OUTSIDE, "新村", "5", TOWN, "2023-06-30")])
    for table, units in UNITS.items():
        fill(engine, f"census.{table}", "unit_id region_code", list(units))
    rule = "rule_id family severity grain statement clause title_zh title_en"
    fill(engine, "audit.rule", rule, [(*r, "三（三）2", "甲", "a") for r in RULES])
    outcome = "run_id rule_id region_code n_checked n_failed n_unknown status detail"
    fill(engine, "audit.outcome", outcome, [(RUN, *row) for row in OUTCOMES])
    finding = "finding_key rule_id severity subject_id region_code state"
    fill(engine, "audit.finding", finding, list(FINDINGS))
    fill(engine, "audit.finding_history", "finding_key run_id rule_id state cause", list(HISTORY))
    fill(engine, "audit.run", "run_id status", [(RUN, "rule_error")])
    engine.execute("UPDATE audit.run SET finished_at = TIMESTAMP '2019-03-18 01:31:12'")


def fill_scores_and_files(engine: DuckDBEngine) -> None:
    score = (
        "region_code region_name region_level parent_code n_units n_register flagged rank_in_level"
    )
    scores: list[tuple[object, ...]] = [
        (COUNTY, "珠晖区", "3", CITY, 4, 7, True, 1),
        (OTHER_COUNTY, "雁峰区", "3", CITY, 1, 0, False, 2),
        (TOWN, "衡州路街道", "4", COUNTY, 4, 7, True, 1),
    ]
    scores.append(("430200000000", "株洲市", "3", None, 0, 0, False, 3))
    scores += [(f"430405007{i:03d}", "村", "5", TOWN, 4, 0, i < 3, i) for i in range(1, 206)]
    fill(engine, "audit.region_score", score, scores)
    engine.execute("UPDATE audit.region_score SET rate = 0.02 WHERE n_units > 0")
    files = (
        "file_no file table_name rows_delivered rows_loaded rows_refused unknown_columns "
        "format encoding"
    )
    fill(engine, "census.delivered_file", files, [
        (1, "a.csv", "legal_entity", 3, 3, 0, "", "csv", "UTF-8"),
        (2, "b.csv", "establishment", 4, 1, 3, "", "csv", "UTF-8"),
        (3, "c.csv", None, 0, 0, 0, "", "csv", "UTF-8"),
        (4, "d.csv", "agency", 2, 0, 2, "", "csv", "UTF-8"),
    ])  # fmt: skip
    reject = "file row table_name reason value"
    fill(engine, "census.rejected_row", reject, [
        ("b.csv", 1, "establishment", "confidential", None),
        ("b.csv", 2, "establishment", "bad_code", "secret"),
        ("b.csv", 3, "establishment", "bad_code", "secret"),
        ("c.csv", 0, None, "unknown_table", None),
        ("d.csv", 1, "agency", "bad_number", "secret"),
        ("d.csv", 2, "agency", "bad_number", "secret"),
    ])  # fmt: skip


def context(engine: DuckDBEngine, folder: Path) -> RunContext:
    info = RunInfo(
        run_id=RUN, started_at="2019-03-18 01:30:00", engine="duckdb", code_version="0.1.0",
        rulebook_digest="9f2c51d07ab34e66", input_digest="4be1907cc23d",
    )  # fmt: skip
    return RunContext(
        input_dir=folder, run_dir=folder, state_dir=folder / "out" / "state", engine=engine,
        config=RunConfig(), info=info,
    )  # fmt: skip


def _collected(engine: DuckDBEngine, folder: Path) -> ReportData:
    ctx = context(engine, folder)
    finding_places.create(ctx)
    return collect(ctx)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as engine:
        create(engine)
        yield engine


@pytest.fixture
def night(engine: DuckDBEngine, tmp_path: Path) -> ReportData:
    fill_night(engine)
    fill_scores_and_files(engine)
    coverage.run(context(engine, tmp_path))
    return _collected(engine, tmp_path)


def pick(table: pa.Table, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def test_totals_count_units_once_and_leave_waived_out(night: ReportData) -> None:
    assert Totals(
        n_units=6, n_legal=3, n_establishments=1, n_self_employed=2, n_fatal_units=2,
        n_fatal_lines=0, n_fatal=3, n_query_units=1, n_query_lines=0, n_query=1, n_info=0,
        n_leads=1, n_conclusions=0, n_outside=2,
    ) == night.totals  # fmt: skip


def test_counties_all_listed_and_the_rest_last(night: ReportData) -> None:
    names = (
        "county_code", "name", "n_units", "n_fatal_units", "n_fatal", "n_query", "n_new",
        "n_persisting", "n_beside", "n_flagged", "n_register",
    )  # fmt: skip
    assert [
        (COUNTY, "珠晖区", 4, 1, 2, 1, 1, 1, 1, 4, 7),
        (OTHER_COUNTY, "雁峰区", 1, 0, 0, 0, 0, 0, 0, 0, 0),
        ("", "", 1, 1, 1, 0, 0, 1, 0, 0, None),
    ] == pick(night.counties, *names)
    assert [0.25, 0.0, 1.0] == night.counties["unit_rate"].to_pylist()


def test_rule_verdicts(night: ReportData) -> None:
    names = ("rule_id", "verdict", "n_checked", "n_failed", "n_unknown", "failure_rate")
    assert [
        ("COD001", "FAILED", 6, 2, 1, 0.4),
        ("COD002", "UNDECIDED", 4, 0, 4, None),
        ("COD003", "PARTLY", 4, 0, 1, 0.0),
        ("DUP001", "ERROR", 0, 0, 0, None),
        ("DUP008", "NOT_APPLICABLE", 0, 0, 0, None),
        ("REG001", "PASSED", 2, 0, 0, 0.0),
    ] == pick(night.rules, *names)
    states = ("n_new", "n_persisting", "n_reopened", "n_waived")
    assert [(1, 2, 0, 0), (0, 0, 0, 0), (0, 0, 1, 1)] == pick(night.rules, *states)[:3]


def test_coverage_has_every_rule_in_every_county(night: ReportData) -> None:
    found: dict[object, list[object]] = {}
    for rule, verdict in pick(night.coverage, "rule_id", "verdict"):
        found.setdefault(rule, []).append(verdict)
    # The order of the counties here is by code: '' first.
    assert {
        "COD001": ["FAILED", "FAILED", "PASSED"],
        "COD002": ["NONE", "UNDECIDED", "NONE"],
        "COD003": ["NONE", "PARTLY", "NONE"],
        "DUP001": ["ERROR"] * 3,
        "DUP008": ["MISSING"] * 3,
        "REG001": ["NONE", "PASSED", "NONE"],
    } == found


def test_changes_and_causes_are_tonights(night: ReportData) -> None:
    assert [
        ("new", "fatal", 1), ("not_checked", "fatal", 1), ("persisting", "fatal", 2),
        ("persisting", "query", 1), ("reopened", "query", 1), ("resolved", "", 1),
        ("resolved", "fatal", 2), ("waived", "query", 1),
    ] == pick(night.changes, "state", "severity", "n")  # fmt: skip
    assert [("rule_changed", 2), ("value_corrected", 1)] == pick(night.causes, "cause", "n")


def test_previous_run_is_the_one_compared_with(engine: DuckDBEngine, tmp_path: Path) -> None:
    assert "" == _collected(engine, tmp_path).previous_run
    run = tmp_path / "out" / "runs" / "20190312-013000"
    run.mkdir(parents=True)
    (tmp_path / "out" / "current").symlink_to(run)
    # A package without its ledger: everything counts as new, so nothing was compared.
    assert "" == _collected(engine, tmp_path).previous_run
    (tmp_path / "out" / "state").mkdir()
    (tmp_path / "out" / "state" / "ledger.parquet").touch()
    assert "20190312-013000" == _collected(engine, tmp_path).previous_run


def test_villages_are_cut_and_counted(night: ReportData) -> None:
    levels = pick(night.levels, "region_level", "n_regions", "n_flagged")
    assert [("3", 2, 1), ("4", 1, 1), ("5", 205, 2)] == levels
    shown = pick(night.regions, "region_level", "rank_in_level", "parent_name")
    assert 203 == len(shown)
    assert ("5", 200, "衡州路街道") == shown[-1]


def test_files_in_need_of_attention_come_first(night: ReportData) -> None:
    assert ["d.csv", "c.csv", "b.csv", "a.csv"] == night.files["file"].to_pylist()
    assert (4, 9, 4, 5) == tuple(
        getattr(night.intake, f"n_{what}") for what in ("files", "delivered", "loaded", "refused")
    )
    assert [
        ("b.csv", "bad_code", 2), ("b.csv", "confidential", 1), ("c.csv", "unknown_table", 0),
        ("d.csv", "bad_number", 2),
    ] == pick(night.refusals, "file", "reason", "n")  # fmt: skip


def test_tables_say_whether_they_came(night: ReportData) -> None:
    states = {row["table_name"]: row["state"] for row in night.tables.to_pylist()}
    assert len(list(CONTRACT.delivered)) == len(states)
    wanted = ("legal_entity", "region", "agency", "edit_event")
    assert ["unused", "shipped", "empty", "missing"] == [states[name] for name in wanted]


def test_table_that_a_rule_reads_is_not_called_unused(engine: DuckDBEngine, tmp_path: Path) -> None:
    fill_night(engine)
    fill_scores_and_files(engine)
    engine.execute("UPDATE audit.rule SET tables = 'unit|region' WHERE rule_id = 'COD001'")
    found = _collected(engine, tmp_path).tables.to_pylist()
    assert "delivered" == next(r["state"] for r in found if r["table_name"] == "legal_entity")


def test_place_with_the_same_units_as_its_parent_shares_its_line(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    columns = "region_code region_name region_level parent_code n_units flagged rank"
    fill(engine, "audit.region_score", columns, [
        (CITY, "衡阳市", "2", None, 9, False, 4), (COUNTY, "珠晖区", "3", CITY, 9, True, 3),
        (TOWN, "石亭子镇", "4", COUNTY, 4, True, 1),
        (VILLAGE, "东风街居委会", "5", TOWN, 4, True, 2),
    ])  # fmt: skip
    found = _collected(engine, tmp_path).flagged
    assert [("石亭子镇", "东风街居委会"), ("珠晖区", "")] == pick(
        found, "region_name", "only_child"
    )


def publish_scores(engine: DuckDBEngine, tmp_path: Path, rate: str = "rate") -> None:
    """Publish last night's scores: tonight's with two flags the other way round."""
    parquet = tmp_path / "out" / "runs" / "20190312-013000" / "parquet"
    parquet.mkdir(parents=True)
    (tmp_path / "out" / "current").symlink_to(parquet.parent)
    before = engine.fetch(
        f"SELECT region_code, region_name, region_level, n_units, {rate} AS rate, "
        f"CASE region_code WHEN '{TOWN}' THEN FALSE WHEN '{OTHER_COUNTY}' THEN TRUE "
        "ELSE flagged END AS flagged FROM audit.region_score"
    )
    pq.write_table(before, parquet / "audit.region_score.parquet")


def test_flags_are_compared_with_the_last_package(engine: DuckDBEngine, tmp_path: Path) -> None:
    fill_scores_and_files(engine)
    assert _collected(engine, tmp_path).flag_changes is None
    publish_scores(engine, tmp_path)
    changes = _collected(engine, tmp_path).flag_changes
    assert FlagChanges(became=("衡州路街道",), ceased=("雁峰区",)) == changes


def test_flags_are_not_compared_with_a_night_of_some_rules(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    """Such a night judges no region, so all would be new."""
    fill_scores_and_files(engine)
    publish_scores(engine, tmp_path, rate="CAST(NULL AS DOUBLE)")
    assert _collected(engine, tmp_path).flag_changes is None


def test_flags_of_a_night_of_some_rules_are_not_compared(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    fill_scores_and_files(engine)
    publish_scores(engine, tmp_path)
    engine.execute("UPDATE audit.region_score SET rate = NULL, flagged = FALSE")
    assert _collected(engine, tmp_path).flag_changes is None


def test_region_that_is_not_judged_tonight_is_not_told_as_gone(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    fill_scores_and_files(engine)
    publish_scores(engine, tmp_path)
    engine.execute(
        f"UPDATE audit.region_score SET rate = NULL WHERE region_code = '{OTHER_COUNTY}'"
    )
    changes = _collected(engine, tmp_path).flag_changes
    assert FlagChanges(became=("衡州路街道",), ceased=()) == changes


def test_run_and_place(night: ReportData) -> None:
    assert ("衡阳市", "2018-10-31") == (night.city, night.vintage)
    assert ("2019-03-18 01:31:12", "rule_error") == (night.finished_at, night.status)
    assert [(OUTSIDE, 1), ("430406001001", 1)] != night.outside.to_pylist()
    assert [("", 1), (OTHER_COUNTY, 1)] == pick(night.outside, "county_code", "n_units")


def test_nothing_of_a_unit_reaches_the_page(night: ReportData) -> None:
    for column in fields(night):
        value = getattr(night, column.name)
        if isinstance(value, pa.Table):
            assert not {"unit_id", "subject_id", "credit_code", "value"} & set(value.column_names)
    page = render_report(night)
    assert "衡州路街道" in page
    assert not {"secret", "L1", "S1", "E1"} & set(page.replace("<", " ").replace(">", " ").split())


def test_other_vintage_is_used_where_the_wanted_one_is_missing(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    region = "region_code name level parent_code vintage"
    fill(engine, "census.region", region, [(CITY, "衡阳市", "2", "430000000000", "2023-06-30")])
    found = _collected(engine, tmp_path)
    assert ("2023-06-30", "衡阳市") == (found.vintage, found.city)
