"""The export stage over a tiny run: every finding goes somewhere, to the right place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from export_stage import (
    YANFENG,
    ZHUHUI,
    add_finding,
    add_row,
    add_rule,
    findings_of,
    open_run,
    read_books,
    units_of,
    write_county_workbooks,
)

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.errors import EngineError
from pipelines import coverage, dispatch, report_data, workbook_data
from pipelines.context import RunContext
from pipelines.package_views import create_views
from pipelines.places import place_units


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    with open_run(tmp_path) as opened:
        yield opened


def test_a_workbook_for_each_county_that_was_checked(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L1")
    books = read_books(ctx)

    # 石鼓区 has a unit, but nothing was checked there: no good news without evidence.
    assert sorted(books) == ["430405", "430406", "目录.xlsx"]
    assert units_of(books["430405"]) == [
        ("L1", "法人单位", "广东路街道", "13000000000 0734-1", "李四（P1）", 1, "规则FRM002")
    ]
    assert books["430406"]["单位核查表"]["A4"].value.startswith("无差错")


def test_values_are_numbers_where_the_item_is_one(ctx: RunContext) -> None:
    values = {"observed": "9", "expected": "5", "related_id": "L2"}
    add_finding(ctx.engine, "k1", "FRM002", "L1", variable="employees_female", **values)
    add_finding(ctx.engine, "k2", "FRM002", "L1", variable="credit_code|made_up", **values)
    item = CONTRACT.tables["legal_entity"].by_name["credit_code"]
    women = CONTRACT.tables["legal_entity"].by_name["employees_female"].label.zh
    rows = findings_of(read_books(ctx)["430405"])

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
    add_row(engine, "census.edit_event", event_id=7, unit_id="L1")
    add_row(engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    add_row(engine, "census.frame_unit", frame_id="B2", name="底册甲", region_code=ZHUHUI)
    add_row(
        engine,
        "census.register_unit",
        source="1",
        register_id="R1",
        record_id="1|R1",
        name="名录乙",
    )
    add_finding(engine, "k1", "TRL001", "7")
    add_finding(engine, "k2", "REG001", "B1")
    add_finding(engine, "k3", "REG001", "B2")
    add_finding(engine, "k4", "REG001", "1|R1")
    book = read_books(ctx)["430405"]

    assert [(row[0], row[1], row[5]) for row in units_of(book)] == [
        ("B2", "清查底册单位", 1),
        ("R1", "部门名录单位（市场监管）", 1),
        ("L1", "法人单位", 2),
    ]
    assert [row[1] for row in findings_of(book)] == ["B2", "R1", "L1", "L1"]


def test_a_register_record_is_named_by_its_register(ctx: RunContext) -> None:
    add_row(
        ctx.engine,
        "census.register_unit",
        source="1",
        register_id="R1",
        record_id="1|R1",
        name="名录乙",
        credit_code="91X",
    )
    told = {"related_id": "1|R1", "message_zh": "部门记录 1|R1 已注销"}
    add_finding(ctx.engine, "k1", "FRM002", "L1", **told)
    sheet = read_books(ctx)["430405"]["核查差错一览表"]

    assert sheet["N4"].value == "市场监管登记 R1 名录乙（91X）"
    assert sheet["F4"].value == "部门记录 市场监管登记 R1 已注销"


def test_a_township_that_is_unknown_has_a_code_to_count_by(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L4", region_code="110105000000")
    book = read_books(ctx)["000000"]

    assert book["核查情况汇总表"]["A3"].value == "000000000000"
    assert book["核查差错一览表"]["AB4"].value == "000000000000"


def test_a_random_check_is_a_unit_without_findings(ctx: RunContext) -> None:
    add_row(
        ctx.engine,
        "audit.verification_task",
        task_id="t1",
        subject_id="L1",
        region_code=ZHUHUI,
        arm="random",
        due_on="2019-05-27",
    )
    book = read_books(ctx)["430405"]

    assert [(row[0], row[5], row[6]) for row in units_of(book)] == [("L1", 0, "随机抽查")]
    assert "2019-05-27" in [cell.value for cell in book["填写说明"]["B"]]


def test_what_lies_in_no_listed_county_is_not_lost(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "FRM002", "L4", region_code="110105000000")
    add_finding(ctx.engine, "k2", "FRM002", "L9", region_code="")
    books = read_books(ctx)

    assert sorted(row[1] for row in findings_of(books["000000"])) == ["L4", "L9"]


def test_units_in_no_listed_county_are_counted_as_the_report_counts_them(
    ctx: RunContext,
) -> None:
    """So that the units of all workbooks are those of the report."""
    place = "430476100001"
    ctx.engine.execute(
        f"UPDATE census.legal_entity SET region_code = '{place}' WHERE unit_id = 'L4'"
    )
    add_row(ctx.engine, "census.legal_entity", unit_id="L5")
    add_finding(ctx.engine, "k1", "FRM002", "L4", region_code=place)
    summary = list(read_books(ctx)["000000"]["核查情况汇总表"].iter_rows(values_only=True))

    assert ("000000000000", 2) == (summary[2][0], summary[2][2])
    counties = report_data.collect(ctx).counties.to_pylist()
    assert [2] == [row["n_units"] for row in counties if not row["county_code"]]


def test_the_reason_of_a_visit_is_the_most_severe_and_how_many_there_are(ctx: RunContext) -> None:
    add_rule(ctx.engine, "XSP006", "unit")
    add_finding(ctx.engine, "k1", "XSP006", "L1", severity="query", priority=0.9)
    add_finding(ctx.engine, "k2", "FRM002", "L1")
    add_finding(ctx.engine, "k3", "XSP006", "L1", severity="query", related_id="L2")
    add_finding(ctx.engine, "k4", "FRM002", "L2")

    chinese = read_books(ctx)
    reasons = [row[6] for code in ("430405", "430406") for row in units_of(chinese[code])]
    assert reasons == ["规则FRM002等 3 项", "规则FRM002"]
    write_county_workbooks(ctx, "en")
    english = openpyxl.load_workbook(next((ctx.run_dir / "workbooks").glob("430405*")))
    assert english["Units"]["M4"].value == "rule FRM002, and 2 more"


def test_what_asks_about_one_fact_stands_together_and_is_asked_once(ctx: RunContext) -> None:
    for rule_id, grain in (
        ("XSP001", "unit"), ("XSP005", "unit"), ("REG010", "frame"), ("REG011", "frame")
    ):  # fmt: skip
        add_rule(ctx.engine, rule_id, grain)
    add_row(ctx.engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    for rule_id, subject, severity in (
        ("XSP001", "L1", "query"), ("XSP005", "L1", "fatal"), ("FRM002", "L1", "fatal"),
        ("REG001", "B1", "query"), ("REG010", "B1", "fatal"), ("REG011", "B1", "fatal"),
        ("XSP005", "L2", "fatal"),
    ):  # fmt: skip
        add_finding(ctx.engine, rule_id + subject, rule_id, subject, severity=severity)
    books = read_books(ctx)

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
    assert [row[6] for row in units_of(books["430405"])] == ["规则FRM002等 3 项"]


def test_leads_and_answered_findings_are_not_in_the_workbooks(ctx: RunContext) -> None:
    add_finding(ctx.engine, "k1", "PAD001", "P1", severity="query")
    add_finding(ctx.engine, "k2", "FRM002", "L1", state="waived")
    books = read_books(ctx)

    assert books["430405"]["单位核查表"]["A4"].value.startswith("无差错")
    assert [cell.value for cell in books["目录.xlsx"]["线索"][3]][2:5] == ["PAD001", "说明", "P1"]


def _every_grain(engine: DuckDBEngine) -> None:
    """Findings of every grain: at L1 (with its frame line), L2, a frame line and a record alone."""
    add_row(engine, "census.edit_event", event_id=7, unit_id="L1")
    add_row(engine, "census.visit", visit_id="V1", unit_id="L2", enumerator_id="P1")
    add_row(engine, "census.frame_unit", frame_id="B1", unit_id="L1", region_code=ZHUHUI)
    add_row(engine, "census.frame_unit", frame_id="B2", region_code=YANFENG)
    add_row(
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
        add_rule(engine, rule_id, grain)
        for number, subject in enumerate(subjects.get(grain, ("X",))):
            severity = "query" if grain == "visit" else "fatal"
            add_finding(engine, f"{grain}{number}", rule_id, subject, severity=severity)


def test_tasks_books_index_and_report_count_the_same(ctx: RunContext) -> None:
    _every_grain(ctx.engine)
    dispatch.run(ctx)
    place_units(ctx.engine)
    coverage.run(ctx)
    books = read_books(ctx)
    index = books.pop("目录.xlsx")
    report = report_data.collect(ctx)
    units = [row for book in books.values() for row in units_of(book) if row[0]]
    rows = [row for book in books.values() for row in findings_of(book) if row[1]]
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
    add_finding(ctx.engine, "k1", "FRM002", "L1")
    real = workbook_data.gather
    monkeypatch.setattr(workbook_data, "gather", lambda ctx: replace(real(ctx), n_rows=0))

    with pytest.raises(EngineError, match="do not hold every finding"):
        write_county_workbooks(ctx)
