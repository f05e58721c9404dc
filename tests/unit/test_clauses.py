"""Every clause of the plan is covered by a rule, a capability, or a written reason."""

from __future__ import annotations

import re
from pathlib import Path

from audit.rulebook import load_rulebook
from reports.clauses import load_clauses, load_history

BOOK = load_rulebook()
NUMERALS = "一二三四五六七八九"


def test_every_clause_is_covered() -> None:
    cited = {rule.clause for rule in BOOK.rules}

    bare = [c.id for c in load_clauses() if not (c.id in cited or c.capability or c.reason)]

    assert bare == []


def test_every_rule_cites_a_clause_of_the_plan() -> None:
    assert {rule.clause for rule in BOOK.rules} <= {clause.id for clause in load_clauses()}


def test_clauses_are_those_of_the_plan(shared: Path) -> None:
    text = (shared / "plan.md").read_text("utf-8")
    chapter = text[text.index("三、各环节") : text.index("四、组织领导")]
    found, section = [], ""
    for line in chapter.splitlines():
        if head := re.match(rf"（([{NUMERALS}])）", line):
            section = head[1]
        elif item := re.match(r"(\d+)\.", line):
            found.append(f"三({section}){item[1]}")

    assert [clause.id for clause in load_clauses()] == found


def test_every_version_above_the_first_has_its_history() -> None:
    history = load_history()

    told = {(rule, change.version) for rule, changes in history.items() for change in changes}

    assert told == {(r.id, v) for r in BOOK.rules for v in range(2, r.version + 1)}
