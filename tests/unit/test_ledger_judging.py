"""How one finding is judged, without a night around it."""

from __future__ import annotations

import polars as pl
import pytest

from audit.ledger import FACTS, LEDGER, compare, judge, vanished


def _row(key: str, state: str = "new", version: int = 1) -> dict[str, object]:
    text = dict.fromkeys(LEDGER.names(), "x")
    return text | {"finding_key": key, "state": state, "rule_version": version}


def test_vanished_are_the_open_ones_that_were_not_found_again():
    before = pl.DataFrame(
        [_row("a"), _row("b", "persisting"), _row("c", "resolved"), _row("d", "reopened")],
        schema=LEDGER,
    )
    tonight = pl.DataFrame([_row("a")], schema=LEDGER)
    assert sorted(vanished(tonight, before)["finding_key"]) == ["b", "d"]


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ((False, None, False, True, False, True, None), "rule_changed"),
        ((True, 1, False, False, True, False, None), "not_checked"),
        ((True, 1, True, False, False, False, None), "not_checked"),
        ((True, 2, True, False, True, False, None), "unit_gone"),
        ((True, 2, True, False, True, True, None), "not_delivered"),
        ((True, 1, False, False, True, True, None), "not_delivered"),
        ((True, 2, True, True, True, True, True), "rule_changed"),
        ((True, 1, True, True, True, True, True), "value_corrected"),
        ((True, 1, True, True, True, False, False), "value_emptied"),
        ((True, 1, True, True, True, False, None), "value_emptied"),
    ],
)
def test_causes_in_order(facts, cause):
    missing = pl.DataFrame([_row("a")], schema=LEDGER)
    known = pl.DataFrame([("a", *facts)], schema=FACTS, orient="row")
    assert judge(missing, known)["cause"].to_list() == [cause]


def test_resolved_rows_stay_in_the_ledger_unchanged():
    old = _row("a", "resolved") | {"last_run_id": "N3", "first_run_id": "N1"}
    before = pl.DataFrame([old], schema=LEDGER)
    night = compare(before.clear(), before, FACTS.to_frame(), "N9")
    assert night.ledger.rows(named=True) == [old]
    assert night.history.height == 0
