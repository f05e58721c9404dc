"""Leads and figures are explained as well: rows of an account, of an editor, an estimate."""

from __future__ import annotations

import pytest
from deliveries import Night, run
from tiny import entity, write_csv
from typer.testing import CliRunner

from audit.gate import GateSettings
from pipelines.cli import app
from pipelines.config import RunConfig
from pipelines.explain import Explanation, explain

OWN = RunConfig(gate=GateSettings(judge="own"))
EAST, CITY = "430405000000", "430400000000"


def edit(number: int) -> dict[str, str]:
    return {
        "event_id": str(number), "unit_id": "L1", "table_name": "legal_entity",
        "field": "revenue_kyuan", "old_value": "100", "new_value": "118", "editor_id": "P1",
        "editor_role": "2", "edited_at": f"2019-04-18 09:00:{number:02}",
    }  # fmt: skip


def recheck(number: int) -> dict[str, str]:
    missed = number < 5
    return {
        "recheck_id": f"Q{number}", "block_id": "430405001001011", "unit_kind": "1",
        "unit_id": "" if missed else f"A{number}", "name": f"厂{number}",
        "result": "2" if missed else "1", "indicator": "" if missed else "employees",
    }  # fmt: skip


def submission(number: int) -> dict[str, str]:
    return {
        "submission_id": f"S{number}", "unit_id": f"L{number}", "form": "602",
        "account": f"H{number}", "submitted_at": f"2019-03-01 09:0{number}:00",
        "client_ip": "175.1.2.3", "device_id": "D1",
    }  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("leads")
    write_csv(folder / "in" / "legal_entity.csv", [entity(unit_id=f"L{n}") for n in range(1, 8)])
    write_csv(folder / "in" / "edit_event.csv", [edit(n) for n in range(1, 22)])
    write_csv(folder / "in" / "recheck.csv", [recheck(n) for n in range(15)])
    blocks = [
        {"block_id": f"43040500100101{n}", "region_code": "430405001001"} for n in range(1, 9)
    ]
    write_csv(folder / "in" / "census_block.csv", blocks)
    write_csv(folder / "in" / "submission.csv", [submission(n) for n in range(1, 8)])
    rules = "DIR001,FRM002,PES002,TRL005"
    return run(folder / "in", folder / "out", config=OWN, rules=rules)


def explained(night: Night, rule: str, subject: str) -> Explanation:
    key = night.table(
        "SELECT finding_key FROM audit.finding "
        f"WHERE rule_id = '{rule}' AND subject_id = '{subject}'"
    ).item()
    return explain(night.out, key)


def places(found: Explanation) -> list[tuple[str, str, str, int, int]]:
    return [(row.role, row.table.name, row.file, row.row, row.line) for row in found.rows]


def test_lead_about_an_editor_leads_to_its_edits(night: Night) -> None:
    told = places(explained(night, "TRL005", "P1"))

    assert told[0] == ("subject", "edit_event", "edit_event.csv", 1, 2)
    assert {place[1] for place in told} == {"edit_event"}


def test_of_a_lead_the_first_rows_are_shown_and_where_the_others_are(night: Night) -> None:
    found = explained(night, "TRL005", "P1")
    (rest,) = found.rest

    assert len(found.rows) == 10
    assert (rest.table.name, rest.n_rows) == ("edit_event", 21)
    assert night.table(rest.sql).height == 21
    short = explain(night.out, found.finding["finding_key"], limit=3)
    assert [row.row for row in short.rows] == [1, 2, 3]
    told = CliRunner().invoke(app, ["explain", str(night.out), found.finding["finding_key"]]).output
    assert "共 21 行，只列 10 行" in told
    assert len(explained(night, "TRL005", "P1").again) == 1


def test_of_an_error_every_row_is_shown(night: Night) -> None:
    found = explained(night, "FRM002", "L1")

    # All seven bear one code.
    assert (len(found.rows), found.rest) == (7, ())


def test_lead_about_an_account_leads_to_its_submissions(night: Night) -> None:
    told = places(explained(night, "DIR001", "H2"))

    assert told == [("subject", "submission", "submission.csv", 2, 3)]


def test_figure_of_a_region_is_shown_as_it_was_computed(night: Night) -> None:
    for region in (CITY, EAST):
        rows = explained(night, "PES002", region).rows

        assert {(row.role, row.table.name, row.file) for row in rows} == {
            ("estimate", "estimate.recheck_rate", "")
        }
        cells = [{cell.column: cell.value for cell in row.cells} for row in rows]
        assert {(cell["region_code"], cell["measure"]) for cell in cells} == {
            (region, "unit"), (region, "item"),
        }  # fmt: skip


def test_terminal_tells_that_a_figure_came_from_no_file(night: Night) -> None:
    key = explained(night, "PES002", CITY).finding["finding_key"]

    shown = CliRunner().invoke(app, ["explain", str(night.out), str(key)]).output

    assert "estimate.recheck_rate" in shown
    assert "computed from the delivery" in shown
    assert "line 0" not in shown
