"""Work on the rulebook for the command line."""

from __future__ import annotations

from collections.abc import Mapping

from audit.errors import RuleError
from audit.model import Label
from audit.portable import lint
from audit.relations import load_relations
from audit.rulebook import load_rulebook, render
from audit.rulelock import problems, read_lock
from pipelines.rule_logic import Judged, judge


def lint_rules() -> list[tuple[str, Label]]:
    """Return every problem of every rule, and where the lock is not current."""
    book = load_rulebook()
    found: list[tuple[str, Label]] = []
    for rule in book.rules:
        try:
            found += [(rule.id, problem) for problem in lint(rule, render(rule))]
        except RuleError as error:
            found.append((rule.id, Label(error.zh, error.en)))
    found += [("rules.lock", problem) for problem in problems(book, read_lock())]
    return found


def linear_judgements(parameters: Mapping[str, Mapping[str, str]]) -> list[Judged]:
    """Return which linear rules contradict or imply each other, with these parameters."""
    return judge(load_relations(load_rulebook(), parameters))
