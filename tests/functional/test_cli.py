"""The command line as a person or a script meets it: exit codes, messages, what it shows."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import call
from tiny import entity, write_csv

from pipelines.show_night import _state


class Told(NamedTuple):
    """A night that the command line ran, and what it said."""

    out: Path
    code: int
    shown: str
    errors: str


def night(delivery: Path, out: Path, *arguments: str) -> Told:
    return Told(out, *call("run", "--input", delivery, "--out", out, *arguments))


def cells(out: Path, sql: str) -> list[list[str]]:
    """Return the cells of what `census-audit sql` shows, line by line."""
    shown = call("sql", out, sql)[1]
    return [[cell.strip() for cell in line.split("│")] for line in shown.splitlines()]


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery")
    write_csv(folder / "legal_entity.csv", [entity(), entity(unit_id="L2", employees_female="1")])
    return folder


class Lines(logging.Handler):
    """Keeps every line of the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


@pytest.fixture(scope="module")
def logged(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, str]:
    """A night of all rules, with what it logged."""
    root, lines = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        told = night(delivery, tmp_path_factory.mktemp("whole") / "out", "--run-id", "same")
    finally:
        root.removeHandler(lines)
        root.setLevel(level)
    return told, "\n".join(lines.told)


@pytest.fixture(scope="module")
def checked(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A night of one rule, which found L1."""
    out = tmp_path_factory.mktemp("checked") / "out"
    return night(delivery, out, "--rules", "FRM002", "--run-id", "first", "--fail-on", "fatal")


def test_night_publishes_and_tells_where(logged: tuple[Told, str]) -> None:
    out, code, shown, _ = logged[0]

    assert code == 0
    for name in ("report.html", "workbooks", "census_audit.duckdb"):
        assert str(out / "current" / name) in shown
        assert (out / "current" / name).exists()


def test_the_end_of_a_night_tells_undecided_rules_from_passed_ones_and_leads_from_findings(
    tmp_path: Path,
) -> None:
    """FRM002 fails, FRM018 passes; without a specialty XSP005 can judge no developer."""
    builder = {"industry_code": "7010", "specialty": ""}
    rows = [entity(**builder), entity(unit_id="L2", employees_female="1", **builder)]
    write_csv(tmp_path / "in" / "legal_entity.csv", rows)

    shown = night(tmp_path / "in", tmp_path / "out", "--rules", "FRM002,FRM018,XSP005").shown

    told = {row[0]: row[1] for line in shown.splitlines() if len(row := line.split("  ", 1)) == 2}
    assert told["规则 rules"].strip() == "有差错 findings 1, 无法判定 undecided 1, 通过 passed 1"
    assert told["其中无法判定 undecided"].strip().startswith("1 条规则")
    assert told["强制性差错 fatal findings"].strip() == "1"
    assert told["线索 leads"].strip() == told["评估结论 conclusions"].strip() == "0"


def test_fail_on_gives_exit_code_one(checked: Told) -> None:
    assert checked.code == 1


def test_second_night_tells_what_changed(checked: Told, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(checked.out, out, symlinks=True)
    write_csv(tmp_path / "in" / "legal_entity.csv", [entity(), entity(unit_id="L3")])

    night(tmp_path / "in", out, "--rules", "FRM002", "--run-id", "second")

    lines = cells(out, "SELECT subject_id, state, first_run_id FROM finding ORDER BY subject_id")
    assert ["L1", "persisting", "first"] in lines
    assert ["L3", "new", "second"] in lines


def test_explain_goes_down_to_the_line(checked: Told, tmp_path: Path) -> None:
    sql = "SELECT finding_key FROM finding"
    call("sql", checked.out, sql, "--output", tmp_path / "keys.csv")
    key = (tmp_path / "keys.csv").read_text(encoding="utf-8-sig").splitlines()[1]

    code, shown, _ = call("explain", checked.out, key[:8])

    assert code == 0
    for part in ("FRM002", "legal_entity.csv: 数据行 row 1, 文件行 line 2", "holds = False"):
        assert part in shown


@pytest.mark.parametrize("key", ["zzzzzzzz", "a", "", "______%"])
def test_explain_of_no_finding_says_so(checked: Told, key: str) -> None:
    code, _, errors = call("explain", checked.out, key)

    assert code == 2
    assert "差错标识" in errors
    assert "见核查册" in errors


def test_sql_is_read_only(checked: Told, tmp_path: Path) -> None:
    for statement in (
        "DELETE FROM audit.finding",
        f"COPY audit.finding TO '{tmp_path / 'leak.csv'}'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SET enable_external_access = true",
    ):
        assert call("sql", checked.out, statement)[0] == 12


def test_log_holds_no_unit(logged: tuple[Told, str]) -> None:
    night, log = logged

    assert "stage export" in log
    told = log + night.shown + night.errors
    for secret in ("衡南县甲厂", "91430422209679931R", "王一", "13500000001", "L1 "):
        assert secret not in told


def test_region_may_be_written_in_full(delivery: Path, tmp_path: Path) -> None:
    arguments = ("--rules", "FRM002", "--region", "430422000000", "--fail-on", "fatal")

    assert night(delivery, tmp_path / "out", *arguments).code == 1


def test_sql_shows_columns_of_one_name_under_their_own_values(checked: Told) -> None:
    assert cells(checked.out, "SELECT 'a' AS x, 'b' AS x, 'c' AS y")[2] == ["a", "b", "c"]


def test_same_input_and_run_id_give_the_same_bytes(
    delivery: Path, logged: tuple[Told, str], tmp_path: Path
) -> None:
    def contents(out: Path) -> dict[str, bytes]:
        folder = out / "current"
        files = [*folder.glob("workbooks/*"), *folder.glob("parquet/audit.finding*.parquet")]
        files += folder.glob("parquet/census.*.parquet")
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    again = night(delivery, tmp_path / "out", "--run-id", "same")
    one, two = contents(logged[0].out), contents(again.out)

    assert one
    assert [name for name in one if one[name] != two[name]] == []


def test_why_a_finding_is_no_more(tmp_path: Path) -> None:
    file, out = tmp_path / "in" / "legal_entity.csv", tmp_path / "out"
    names = ["refused", "twice", "corrected", "emptied", "gone"]
    sound = [entity(unit_id=f"L{n}", employees_female="1") for n in range(8)]
    write_csv(file, [*sound, *(entity(unit_id=name) for name in names)])
    night(tmp_path / "in", out, "--run-id", "first")
    second = [
        entity(unit_id="refused", employees="五"),
        entity(unit_id="twice"),
        entity(unit_id="twice"),
        entity(unit_id="corrected", employees_female="1"),
        entity(unit_id="emptied", employees_female=""),
        *(entity(unit_id=f"come {n}", employees_female="1") for n in range(4)),
    ]
    write_csv(file, [*sound, *second])

    night(tmp_path / "in", out, "--run-id", "second")

    keys = dict(cells(out, "SELECT subject_id, finding_key FROM finding_history")[2:-1])
    told = {s: call("explain", out, keys[s][:8])[2] for s in ("corrected", "gone", "refused")}
    assert f"差错 {keys['corrected'][:8]} 已于批次 second 消除：数值已更正" in told["corrected"]
    assert "已于批次 second 消除：单位已不在数据中" in told["gone"]
    assert "在批次 second 未复核，仍未消除" in told["refused"]
    history = "SELECT subject_id, state, cause FROM finding_history WHERE rule_id = 'FRM002'"
    assert sorted(cells(out, history)[2:-1]) == [
        ["corrected", "resolved", "value_corrected"],
        ["emptied", "resolved", "value_emptied"],
        ["gone", "resolved", "unit_gone"],
        ["refused", "persisting", "not_checked"],
        ["twice", "persisting", "not_checked"],
    ]


def test_a_key_that_was_resolved_some_nights_ago_is_told_as_such(tmp_path: Path) -> None:
    file, out = tmp_path / "in" / "legal_entity.csv", tmp_path / "out"
    for run_id, women in (("first", "99"), ("second", "1"), ("third", "1")):
        write_csv(file, [entity(employees_female=women)])
        night(tmp_path / "in", out, "--run-id", run_id)
    sql = "SELECT finding_key FROM finding WHERE rule_id = 'FRM002'"
    ((key,),) = cells(out / "runs" / "first", sql)[2:-1]

    code, _, errors = call("explain", out, key)

    assert 2 == code
    assert f"差错 {key} 已于批次 second 消除：数值已更正" in errors


def test_a_family_of_rules_is_listed_by_its_letters_in_any_case() -> None:
    listed = [call("rules", "list", pattern) for pattern in ("pad", "PAD*", "pad*")]

    assert [0, 0, 0] == [code for code, _, _ in listed]
    assert "PAD009" in listed[0][1]
    assert "DUP" not in listed[0][1]
    assert listed[0][1] == listed[1][1] == listed[2][1]


def test_why_findings_stay_open_is_said_in_both_languages() -> None:
    told = [_state(name) for name in ("not_delivered", "not_checked", "new")]

    assert ["本次未送达", "未复核", "新增"] == [label.zh for label in told]
    assert "not delivered" == told[0].en


def test_partial_night_judges_no_region(checked: Told) -> None:
    sql = "SELECT COUNT(rate) AS rates, COUNT_IF(flagged) AS flags FROM region_score"

    assert cells(checked.out, sql)[2] == ["0", "0"]
