"""Linear rules that contradict or imply each other; the shipped ones do neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.contradictions import find_conflicts, find_implied
from audit.relations import Relation, load_relations
from audit.rulebook import load_rulebook
from pipelines.rule_logic import contexts, judge
from pipelines.rulework import linear_judgements, lint_rules

ALL = load_relations(load_rulebook())


def relation(rule_id: str, low: float | None, high: float | None, **terms: int) -> Relation:
    return Relation(
        rule_id=rule_id, table="finance", where="TRUE", terms=tuple(terms.items()), low=low,
        high=high,
    )  # fmt: skip


BALANCE = relation("A", 0, 0, assets=1, debts=-1, equity=-1)
ORDER = relation("B", 0, None, assets=1, stock=-1)


def test_rules_that_agree_have_no_conflict() -> None:
    assert find_conflicts([BALANCE, ORDER], frozenset({"equity"})) == []


def test_conflict_names_the_irreducible_part() -> None:
    more = relation("C", 5, None, debts=1, assets=-1)
    positive = relation("D", 0, None, equity=1)

    (found,) = find_conflicts([ORDER, BALANCE, more, positive], frozenset({"equity"}))

    assert {r.rule_id for r in found.relations} == {"A", "C", "D"}
    assert found.items == ()


def test_item_that_cannot_be_negative_takes_part() -> None:
    more = relation("C", 5, None, debts=1, assets=-1)

    assert find_conflicts([BALANCE, more], frozenset({"equity"})) == []
    assert len(find_conflicts([BALANCE, more], frozenset())) == 1


def test_rules_that_only_a_blank_form_satisfies_contradict() -> None:
    """Stock is assets and cash together, yet within assets: no cash can be left."""
    twice = relation("T", -1, 1, stock=1, assets=-1, cash=-1)

    (found,) = find_conflicts([BALANCE, ORDER, twice], frozenset({"equity"}))

    assert {r.rule_id for r in found.relations} == {"B", "T"}
    assert found.items == ("cash",)


def test_item_of_either_sign_is_free_where_one_sign_is() -> None:
    loss = relation("L", None, 0, equity=1)

    assert find_conflicts([loss], frozenset({"equity"})) == []
    assert [c.items for c in find_conflicts([loss], frozenset())] == [("equity",)]


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


PLANTED = """
signed: []
relations:
  FRM002:
    - {table: employment, relation: employees >= employees_female}
  FRM003:
    - table: employment
      where: form = '602' AND specialty = 'B'
      relation: employees_female = employees + on_post
      slack: 1
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    path = tmp_path / "relations.yaml"
    path.write_text(PLANTED, encoding="utf-8")
    return path


def test_contradiction_in_the_file_is_told_by_judge_and_lint(planted: Path) -> None:
    (found,) = linear_judgements({}, planted)

    assert (found.kind, found.rule_id, found.rules) == ("conflict", "FRM002", ("FRM003",))
    assert (found.situation, found.items) == ("form=602, specialty=B", ("on_post",))
    (problem,) = lint_rules(planted)
    assert problem[0] == "FRM002"
    assert "FRM003" in problem[1].zh
    assert "on_post" in problem[1].en


def test_shipped_rules_have_no_problem() -> None:
    assert lint_rules() == []


def test_contexts_take_every_form_and_standard_once() -> None:
    found = contexts(ALL, "finance")

    rules = [{r.rule_id for r in relations} for relations in found.values()]
    assert {"FRM006", "FRM011", "FRM015"} in rules
    assert any("FRM012" in ids for ids in rules)
    assert len(found) == len({frozenset(relations) for relations in found.values()})
