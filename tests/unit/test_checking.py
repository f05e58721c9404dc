"""The check engine: counts, findings, missing tables, crashing rules, fused scans."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checking import CheckPlan, CheckSummary, check
from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label, Rule, RuleStatus, Severity
from audit.night import create_outputs, rule_texts
from audit.portable import row_shape
from audit.rulebook import RuleBook
from pipelines.rule_cases import build

WOMEN = """
SELECT e.unit_id AS subject_id, e.region_code AS region_code,
  CAST(e.employees_female AS STRING) AS observed, CAST(e.employees AS STRING) AS expected,
  e.employees_female <= e.employees AS holds
FROM legal_entity AS e WHERE e.form = '611'"""
# The same rule, written so that it cannot share a scan.
WOMEN_ALONE = WOMEN.replace("FROM legal_entity AS e", "FROM (SELECT * FROM legal_entity) AS e")


def _rule(rule_id: str, sql: str, **changes: object) -> Rule:
    words = Label("填报 {observed}，应为 {expected}", "{observed} against {expected}")
    rule = Rule(
        id=rule_id, name=f"form.{rule_id.lower()}", title=words, family="form",
        severity=Severity.FATAL, clause="三(三)1", level=1, grain="unit", variable="employees",
        tables=("legal_entity",), owner="specialty", version=1, status=RuleStatus.ACTIVE,
        message=words, verify=words, false_positives=words, sql=sql, path="x.sql", sha256="0",
    )  # fmt: skip
    return replace(rule, **changes)


def _unit(number: int, women: int | None, staff: int | None, form: str = "611") -> dict[str, str]:
    texts = {"employees_female": women, "employees": staff}
    return {
        "unit_id": f"L{number}", "form": form, "region_code": f"43042210{number % 3}001",
        "specialty": "B", **{k: "" if v is None else str(v) for k, v in texts.items()},
    }  # fmt: skip


def _check(
    rules: list[Rule], rows: list[dict[str, str]], **changes: object
) -> tuple[CheckSummary, pl.DataFrame, pl.DataFrame]:
    book = RuleBook(tuple(rules))
    plan = CheckPlan(
        book=book, run_id="R", filled_tables=frozenset({"legal_entity"}),
        whole_region="430400000000",
    )  # fmt: skip
    with DuckDBEngine() as engine:
        create_outputs(engine)
        engine.register("incoming", build("legal_entity", rows).to_arrow())
        engine.materialise("census.legal_entity", "SELECT * FROM incoming")
        engine.materialise("census.unit", "SELECT unit_id, specialty FROM census.legal_entity")
        rule_texts(engine, book)
        summary = check(engine, replace(plan, **changes))
        outcome = pl.from_arrow(engine.fetch("SELECT * FROM audit.outcome ORDER BY ALL"))
        finding = pl.from_arrow(engine.fetch("SELECT * FROM audit.finding ORDER BY finding_key"))
    return summary, outcome, finding


def test_unknown_is_neither_passed_nor_failed() -> None:
    rows = [_unit(1, 2, 3), _unit(2, 4, 3), _unit(3, None, 3), _unit(4, 9, 1, form="601")]

    summary, outcome, finding = _check([_rule("FRM002", WOMEN)], rows)

    counts = outcome.select("n_checked", "n_failed", "n_unknown").sum().row(0)
    assert counts == (3, 1, 1)
    assert summary.statuses == {"FAILED": 1}
    assert finding.select("subject_id", "observed", "expected", "message_zh", "owner").rows() == [
        ("L2", "4", "3", "填报 4，应为 3", "industry")
    ]


def test_row_of_no_region_is_told_to_whoever_asks_for_a_region() -> None:
    sql = (
        "SELECT e.unit_id AS subject_id, NULL AS region_code, NULL AS observed, NULL AS expected, "
        "FALSE AS holds FROM legal_entity AS e"
    )
    rule = replace(_rule("SEC002", sql), grain="row")

    summary, _, finding = _check([rule], [_unit(1, 1, 3)], region_prefix="430422")

    assert ["L1"] == finding["subject_id"].to_list()
    assert {"FAILED": 1} == summary.statuses


def test_missing_table_is_not_applicable() -> None:
    summary, outcome, _ = _check([_rule("FRM002", WOMEN)], [], filled_tables=frozenset())

    assert summary.statuses == {"NOT_APPLICABLE": 1}
    assert outcome["detail"].to_list() == ["未送达 not delivered: legal_entity"]


def test_nothing_in_scope_is_not_applicable() -> None:
    summary, _, _ = _check([_rule("FRM002", WOMEN)], [_unit(1, 1, 2, form="601")])

    assert summary.statuses == {"NOT_APPLICABLE": 1}


@pytest.mark.parametrize("alone", [False, True])
def test_crashing_rule_is_an_error_and_the_others_go_on(alone: bool) -> None:
    broken = WOMEN.replace("e.employees_female <= e.employees", "CAST(e.form || 'x' AS BIGINT) = 1")
    if alone:
        broken = broken.replace("FROM legal_entity AS e", "FROM (SELECT * FROM legal_entity) AS e")

    summary, outcome, finding = _check(
        [_rule("FRM002", WOMEN), _rule("FRM999", broken)], [_unit(1, 4, 3)]
    )

    assert summary.errors == ("FRM999",)
    statuses = dict(outcome.select("rule_id", "status").rows())
    assert statuses == {"FRM002": "FAILED", "FRM999": "ERROR"}
    assert finding["rule_id"].to_list() == ["FRM002"]


def test_error_detail_holds_no_value_of_a_unit() -> None:
    broken = WOMEN.replace("e.employees_female <= e.employees", "CAST(e.name AS BIGINT) = 1")
    row = _unit(1, 4, 3) | {"name": "衡阳秘密单位"}

    _, outcome, _ = _check([_rule("FRM999", broken)], [row])

    assert "秘密" not in str(outcome.rows())


def test_one_key_gives_one_finding() -> None:
    doubled = WOMEN.replace(
        "FROM legal_entity AS e", "FROM legal_entity AS e JOIN legal_entity AS o ON o.form = e.form"
    )

    summary, _, finding = _check([_rule("FRM002", doubled)], [_unit(1, 4, 3), _unit(2, 1, 3)])

    assert finding["subject_id"].to_list() == ["L1"]
    assert summary.repeated == ("FRM002",)


def test_nothing_that_a_rule_says_twice_in_other_words_is_lost() -> None:
    of_each_form = WOMEN.replace("e.unit_id AS subject_id", "e.phone_fixed AS subject_id")
    rows = [{**_unit(n, 4 + n, 3), "phone_fixed": "L"} for n in (1, 2)]

    summary, outcome, finding = _check([_rule("FRM002", of_each_form)], rows)

    assert outcome["n_failed"].sum() == finding.height == 2
    assert sorted(finding["observed"].to_list()) == ["5", "6"]
    assert finding["finding_key"].n_unique() == 2
    assert summary.repeated == ("FRM002",)
    assert _check([_rule("FRM002", of_each_form)], rows[:1])[0].repeated == ()


def test_key_does_not_depend_on_run_or_version() -> None:
    rows = [_unit(1, 4, 3)]

    _, _, first = _check([_rule("FRM002", WOMEN)], rows)
    _, _, second = _check([_rule("FRM002", WOMEN, version=2)], rows, run_id="S")

    assert first["finding_key"].to_list() == second["finding_key"].to_list()


def test_region_keeps_to_its_rows() -> None:
    rows = [_unit(1, 4, 3), _unit(2, 4, 3)]

    _, outcome, finding = _check([_rule("FRM002", WOMEN)], rows, region_prefix="430422101")

    assert outcome["region_code"].to_list() == ["430422101001"]
    assert finding["subject_id"].to_list() == ["L1"]


def test_row_rules_share_a_scan_and_others_do_not() -> None:
    shape = row_shape("FRM002", WOMEN)

    assert shape is not None
    assert shape.table == "legal_entity"
    assert row_shape("FRM002", WOMEN_ALONE) is None


NUMBERS = st.one_of(st.none(), st.integers(0, 5))


@settings(max_examples=12)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(["601", "611"])), max_size=20))
def test_shared_scan_equals_rule_alone(values: list[tuple[int | None, int | None, str]]) -> None:
    rows = [_unit(n, w, s, form) for n, (w, s, form) in enumerate(values)]

    _, fused, found = _check([_rule("FRM002", WOMEN)], rows)
    _, single, alone = _check([_rule("FRM002", WOMEN_ALONE)], rows)

    columns = ["region_code", "n_checked", "n_failed", "n_unknown", "status"]
    assert fused.select(columns).rows() == single.select(columns).rows()
    assert found.rows() == alone.rows()


def test_item_is_called_by_its_name_in_the_message() -> None:
    words = Label("指标 {variable}", "item {variable}")

    _, _, finding = _check([_rule("FRM002", WOMEN, message=words)], [_unit(1, 4, 3)])

    name = CONTRACT.tables["legal_entity"].by_name["employees"].label
    assert [(f"指标 {name.zh}", f"item {name.en}")] == finding.select(
        "message_zh", "message_en"
    ).rows()
