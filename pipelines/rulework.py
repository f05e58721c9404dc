"""Work on the rulebook for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audit.errors import RuleError
from audit.model import Label
from audit.portable import lint
from audit.relations import RELATIONS, load_relations
from audit.rulebook import load_rulebook, render
from audit.rulelock import problems, read_lock
from pipelines.rule_logic import Judged, judge


def lint_rules(relations: Path = RELATIONS) -> list[tuple[str, Label]]:
    """Return every problem of every rule, where the lock is not current, and contradictions."""
    book = load_rulebook()
    found: list[tuple[str, Label]] = []
    for rule in book.rules:
        try:
            found += [(rule.id, problem) for problem in lint(rule, render(rule))]
        except RuleError as error:
            found.append((rule.id, Label(error.zh, error.en)))
    found += [("rules.lock", problem) for problem in problems(book, read_lock())]
    return found + [
        (one.rule_id, conflict_text(one))
        for one in linear_judgements({}, relations)
        if one.kind == "conflict"
    ]


def conflict_text(found: Judged) -> Label:
    """Return one sentence about rules that cannot hold together, or only where items are zero."""
    rules = ", ".join((found.rule_id, *found.rules))
    where = f"{found.table} {found.situation}".strip()
    if not found.items:
        return Label(
            f"{where}：{rules} 互相矛盾，没有任何数值能同时满足",
            f"{where}: {rules} contradict, no values satisfy them",
        )
    items = ", ".join(found.items)
    return Label(
        f"{where}：{rules} 互相矛盾，同时成立时 {items} 只能为零",
        f"{where}: {rules} contradict, together they leave {items} nothing but zero",
    )


def linear_judgements(
    parameters: Mapping[str, Mapping[str, str]], relations: Path = RELATIONS
) -> list[Judged]:
    """Return which linear rules contradict or imply each other, with these parameters."""
    return judge(load_relations(load_rulebook(), parameters, relations))
