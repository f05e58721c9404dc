"""Every case of every rule: what it checks, cannot decide and finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from told_checks import another_items_value, badly_told

from audit.engines.duckdb import DuckDBEngine
from audit.model import Rule
from audit.rulebook import load_rulebook
from pipelines.rule_cases import Case, all_cases, case_engine, comes_out, run_case
from pipelines.workbook_items import items

BOOK = load_rulebook()
ERRORS = [rule for rule in BOOK.rules if rule.statement == "error"]


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with case_engine() as engine:
        yield engine


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case_comes_out_as_written(case: Case, engine: DuckDBEngine) -> None:
    total, findings = run_case(case, BOOK.get(case.rule_id), engine)

    seen = [
        {name: finding[name] for name in wanted}
        for finding, wanted in zip(findings, case.findings, strict=False)
    ]
    wanted = [{name: value or None for name, value in row.items()} for row in case.findings]
    assert len(findings) == len(case.findings), findings
    assert seen == wanted
    assert total["failed"] == len(case.findings)
    assert (total["checked"], total["unknown"]) == (case.checked, case.unknown)
    rule = BOOK.get(case.rule_id)
    if rule in ERRORS:
        assert [told for f in findings if (told := another_items_value(f, case))] == []
    assert [told for f in findings if (told := badly_told(f, rule))] == []


@pytest.mark.parametrize("rule", ERRORS, ids=lambda rule: rule.id)
def test_the_item_of_a_rule_has_a_name(rule: Rule) -> None:
    names = items([rule.variable]).to_pylist()[0]

    assert rule.variable not in (names["item_zh"], names["item_en"])


def test_case_that_says_something_else_does_not_come_out(engine: DuckDBEngine) -> None:
    case = next(case for case in all_cases() if case.rule_id == "FRM006" and case.findings)
    other = Case(case.rule_id, case.name, case.given, case.checked, case.unknown + 1, case.findings)

    assert comes_out(case, BOOK.get("FRM006"), engine)
    assert not comes_out(other, BOOK.get("FRM006"), engine)
