"""What holds for the whole rulebook."""

from __future__ import annotations

from collections import Counter

import pytest

from audit.model import Rule, RuleStatus
from audit.portable import lint
from audit.rulebook import load_rulebook, render
from audit.rulelock import problems, read_lock
from pipelines.rule_cases import all_cases

BOOK = load_rulebook()
CASES = all_cases()
ACTIVE = [rule for rule in BOOK.rules if rule.status is RuleStatus.ACTIVE]
FIRST_RULES = {
    "COD": (1, 2, 3, 4, 5, 6, 8, 10, 11),
    "DUP": (1, 2, 3, 4, 5, 6, 8, 11),
    "LNK": (1, 2, 3, 4, 6, 8, 10),
    "FRM": (1, 2, 3, 4, 6, 7, 11, 18),
    "PLA": (1, 4),
    "XSP": (1, 2, 3, 6, 12),
    "REG": (1, 2, 3, 6, 8, 11),
}


def test_the_first_rules_are_active() -> None:
    first = {f"{prefix}{number:03}" for prefix, ns in FIRST_RULES.items() for number in ns}

    assert first - {rule.id for rule in ACTIVE} == set()
    assert len(first) == 45


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_rule_is_portable_and_well_formed(rule: Rule) -> None:
    assert lint(rule, render(rule)) == []


def test_lock_is_current() -> None:
    assert problems(BOOK, read_lock()) == []


@pytest.mark.parametrize("rule", ACTIVE, ids=lambda rule: rule.id)
def test_rule_has_cases_that_hold_fail_and_are_unknown(rule: Rule) -> None:
    kinds = Counter()
    for case in (case for case in CASES if case.rule_id == rule.id):
        kinds["fails"] += bool(case.findings)
        kinds["unknown"] += case.unknown > 0
        kinds["holds"] += case.checked > case.unknown + len(case.findings)

    wanted = {"holds", "fails"} | (set() if rule.always_decidable else {"unknown"})
    assert {kind for kind, count in kinds.items() if count} >= wanted


@pytest.mark.parametrize("rule", ACTIVE, ids=lambda rule: rule.id)
def test_rule_cites_a_clause_of_the_plan(rule: Rule) -> None:
    assert rule.clause.startswith(("二(", "三("))
