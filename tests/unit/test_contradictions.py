"""Linear rules that contradict or imply each other; the shipped ones do neither."""

from __future__ import annotations

import pytest

from audit.contradictions import find_conflict, find_implied
from audit.relations import Relation, load_relations
from audit.rulebook import load_rulebook
from pipelines.rule_logic import contexts, judge

ALL = load_relations(load_rulebook())


def relation(rule_id: str, low: float | None, high: float | None, **terms: int) -> Relation:
    return Relation(
        rule_id=rule_id, table="finance", where="TRUE", terms=tuple(terms.items()), low=low,
        high=high,
    )  # fmt: skip


BALANCE = relation("A", 0, 0, assets=1, debts=-1, equity=-1)
ORDER = relation("B", 0, None, assets=1, stock=-1)


def test_rules_that_agree_have_no_conflict() -> None:
    assert find_conflict([BALANCE, ORDER], frozenset({"equity"})) is None


def test_conflict_names_the_irreducible_part() -> None:
    more = relation("C", 5, None, debts=1, assets=-1)
    positive = relation("D", 0, None, equity=1)

    found = find_conflict([ORDER, BALANCE, more, positive], frozenset({"equity"}))

    assert found is not None
    assert {r.rule_id for r in found.relations} == {"A", "C", "D"}


def test_item_that_cannot_be_negative_takes_part() -> None:
    more = relation("C", 5, None, debts=1, assets=-1)

    assert find_conflict([BALANCE, more], frozenset({"equity"})) is None
    assert find_conflict([BALANCE, more], frozenset()) is not None


def test_implied_rule_is_named_with_what_implies_it() -> None:
    chain = [
        relation("B", 0, None, assets=1, stock=-1),
        relation("C", 0, None, stock=1, cash=-1),
        relation("D", 0, None, assets=1, cash=-1),
        relation("E", 0, None, debts=1, cash=-1),
    ]

    found = find_implied(chain, frozenset())

    assert [(i.relation.rule_id, {r.rule_id for r in i.by}) for i in found] == [("D", {"B", "C"})]


def test_slack_matters() -> None:
    loose = relation("L", -2, None, assets=1, stock=-1)

    assert [i.relation.rule_id for i in find_implied([ORDER, loose], frozenset())] == ["L"]


@pytest.mark.parametrize("table", ALL.tables)
def test_shipped_rules_contradict_nowhere(table: str) -> None:
    assert [] == [c for c in judge(ALL) if c.table == table and c.kind == "conflict"]


def test_contexts_take_every_form_and_standard_once() -> None:
    found = contexts(ALL, "finance")

    rules = [{r.rule_id for r in relations} for relations in found.values()]
    assert {"FRM006", "FRM011", "FRM015"} in rules
    assert any("FRM012" in ids for ids in rules)
    assert len(found) == len({frozenset(relations) for relations in found.values()})
