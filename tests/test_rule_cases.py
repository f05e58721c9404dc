"""Every case of every rule: what it checks, cannot decide and finds."""

from __future__ import annotations

import pytest
from rule_cases import Case, all_cases, run_case

from audit.rulebook import load_rulebook

BOOK = load_rulebook()


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case_comes_out_as_written(case: Case) -> None:
    total, findings = run_case(case, BOOK.get(case.rule_id))

    seen = [
        {name: finding[name] for name in wanted}
        for finding, wanted in zip(findings, case.findings, strict=False)
    ]
    wanted = [{name: value or None for name, value in row.items()} for row in case.findings]
    assert len(findings) == len(case.findings), findings
    assert seen == wanted
    assert total["failed"] == len(case.findings)
    assert (total["checked"], total["unknown"]) == (case.checked, case.unknown)
