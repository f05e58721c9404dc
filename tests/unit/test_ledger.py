"""The life of findings over the nights: every state, every cause, and nothing lost in a crash."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import polars as pl
import pytest
from ledger_office import (
    EAST,
    WEST,
    Night,
    Office,
    open_office,
)

from pipelines import ledger
from pipelines.ledger import LedgerSummary


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as opened:
        yield opened


def test_first_night_makes_every_finding_new(office):
    summary = office.play(Night(found=("COD001:L1", "COD001:L3")))
    assert summary == LedgerSummary(
        n_new=2, n_persisting=0, n_reopened=0, n_resolved=0, n_not_checked=0
    )
    assert office.findings() == {
        "COD001:L1": ("new", "N1", "N1"),
        "COD001:L3": ("new", "N1", "N1"),
    }


def test_new_persisting_resolved_reopened_persisting(office):
    key, found, none = "COD001:L1", Night(found=("COD001:L1",)), Night()
    states = []
    for night in (found, found, none, none, found, found):
        office.play(night)
        states.append(office.history().get(key))
    assert states == [
        ("new", None),
        ("persisting", None),
        ("resolved", "value_corrected"),
        None,
        ("reopened", None),
        ("persisting", None),
    ]
    assert office.findings() == {key: ("persisting", "N1", "N6")}


@pytest.mark.parametrize(
    ("key", "then"),
    [
        ("COD001:L1", Night(units={"L2": EAST, "L3": WEST})),
        ("REG011:F1", Night(frames={"F2": EAST})),
        ("REG003:2|R1", Night(registers=("2|R2",))),
    ],
)
def test_subject_that_left_its_list_is_gone(office, key, then):
    office.play(Night(found=(key,)))
    office.play(then)
    assert office.history() == {key: ("resolved", "unit_gone")}


@pytest.mark.parametrize("key", ["COD001:L1", "REG011:F1", "REG003:2|R1"])
def test_subject_still_in_its_list_was_corrected(office, key):
    office.play(Night(found=(key,)))
    office.play(Night())
    assert office.history() == {key: ("resolved", "value_corrected")}


@pytest.mark.parametrize("key", ["COD001:L1", "REG011:F1", "REG003:2|R1"])
def test_value_that_was_blanked_or_left_the_scope_is_no_correction(office, key):
    for then in (Night(emptied=(key,)), Night(outside=(key,))):
        office.play(Night(found=(key,)))
        summary = office.play(then)
        assert office.history() == {key: ("resolved", "value_emptied")}
        assert summary.n_resolved == 1


def test_each_finding_of_a_subject_has_its_own_verdict(office):
    """One item was corrected, the other blanked: the keys tell which is which."""
    sql = (
        "SELECT unit_id AS subject_id, v.variable, CASE v.variable WHEN 'a' THEN TRUE END AS holds "
        "FROM legal_entity, (VALUES ('a'), ('b')) AS v(variable)"
    )
    keys = {v: md5(f"COD001|L1||{v}".encode(), usedforsecurity=False).hexdigest() for v in "ab"}
    office.play(Night())
    office.insert("audit.rule", [{"rule_id": "COD001", "variable": "c", "sql": sql}])
    gone = [{"finding_key": k, "rule_id": "COD001", "subject_id": "L1"} for k in keys.values()]
    told = ledger._verdicts(office.ctx, pl.DataFrame(gone))
    assert dict(told.rows()) == {keys["a"]: True, keys["b"]: False}


@pytest.mark.parametrize(
    "rules", [{"COD001": 2, "FRM003": 1}, {"FRM003": 1}], ids=["new version", "retired"]
)
def test_rule_edit_alone_is_never_a_correction(office, rules):
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(rules=rules))
    assert office.history() == {"COD001:L1": ("resolved", "rule_changed")}


NOT_CHECKED = {
    "rule crashed": Night(statuses={("COD001", EAST): "ERROR", ("COD001", WEST): ""}),
    "rule left out": Night(statuses={("COD001", EAST): "", ("COD001", WEST): ""}),
    "no unit of the county": Night(units={"L3": WEST}, statuses={("COD001", EAST): ""}),
    "no unit at all": Night(
        units={}, statuses={("COD001", EAST): "NOT_APPLICABLE", ("COD001", WEST): ""}
    ),
}


@pytest.mark.parametrize("then", NOT_CHECKED.values(), ids=NOT_CHECKED.keys())
def test_what_was_not_checked_stays_open(office, then):
    office.play(Night(found=("COD001:L1",)))
    summary = office.play(then)
    assert office.history() == {"COD001:L1": ("persisting", "not_checked")}
    assert summary.n_not_checked == 1
    assert office.findings() == {}
    office.play(Night(found=("COD001:L1",)))
    assert office.findings() == {"COD001:L1": ("persisting", "N1", "N3")}


def test_return_of_another_table_that_did_not_come_leaves_the_finding_open(office):
    """L1 is delivered, but not the employment returns of its county."""
    office.play(Night(found=("FRM003:L1",)))
    office.play(Night(returns=("L3",), statuses={("FRM003", EAST): ""}))
    assert office.history() == {"FRM003:L1": ("persisting", "not_checked")}


def test_correction_that_empties_the_scope_of_a_county_is_a_correction(office):
    office.play(Night(found=("FRM003:L1",)))
    office.play(Night(statuses={("FRM003", EAST): ""}))
    assert office.history() == {"FRM003:L1": ("resolved", "value_corrected")}


def test_corrected_region_code_is_a_correction(office):
    """The unit stood in a county of another vintage and now stands in its own."""
    foreign = {"L1": "430476100201", "L2": EAST, "L3": WEST}
    office.play(Night(units=foreign, found=("COD001:L1",)))
    office.play(Night())
    assert office.history() == {"COD001:L1": ("resolved", "value_corrected")}


def test_unit_that_moved_is_looked_for_where_it_is_now(office):
    office.play(Night(found=("COD001:L3",)))
    moved = {"L1": EAST, "L2": EAST, "L3": EAST}
    office.play(Night(units=moved, statuses={("COD001", WEST): ""}))
    assert office.history() == {"COD001:L3": ("resolved", "value_corrected")}


def test_county_without_its_legal_entities_is_not_a_county_without_errors(office):
    """The rule judged other units there; L1 has not left, its file did not come."""
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(units={"L3": WEST}))
    assert office.history() == {"COD001:L1": ("persisting", "not_checked")}


def test_partial_night_closes_nothing(office):
    office.play(Night(found=("COD001:L1", "FRM003:L2")))
    office.play(Night(rules={"COD001": 1}, found=("COD001:L1", "COD001:L3")), partial=True)
    assert office.history() == {
        "COD001:L1": ("persisting", None),
        "COD001:L3": ("new", None),
        "FRM003:L2": ("persisting", "not_checked"),
    }
