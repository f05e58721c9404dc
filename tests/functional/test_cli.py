"""The command line as a person or a script meets it: exit codes, messages, what it shows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from command_line import call
from tiny import entity, write_csv


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    write_csv(folder / "legal_entity.csv", [entity(), entity(unit_id="L2", employees_female="1")])
    return folder


def test_night_publishes_and_tells_where(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    code, shown, _ = call("run", "--input", delivery, "--out", out, capsys=capsys)

    assert code == 0
    for name in ("report.html", "workbooks", "census_audit.duckdb"):
        assert str(out / "current" / name) in shown
        assert (out / "current" / name).exists()


def test_the_end_of_a_night_tells_undecided_rules_from_passed_ones_and_leads_from_findings(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """FRM002 fails, FRM018 passes; without a specialty XSP005 can judge no developer."""
    builder = {"industry_code": "7010", "specialty": ""}
    rows = [entity(**builder), entity(unit_id="L2", employees_female="1", **builder)]
    write_csv(delivery / "legal_entity.csv", rows)
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out")

    shown = call(*arguments, "--rules", "FRM002,FRM018,XSP005", capsys=capsys)[1]

    told = {row[0]: row[1] for line in shown.splitlines() if len(row := line.split("  ", 1)) == 2}
    assert told["规则 rules"].strip() == "有差错 findings 1, 无法判定 undecided 1, 通过 passed 1"
    assert told["其中无法判定 undecided"].strip().startswith("1 条规则")
    assert told["强制性差错 fatal findings"].strip() == "1"
    assert told["线索 leads"].strip() == told["评估结论 conclusions"].strip() == "0"


def test_fail_on_gives_exit_code_one(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--rules", "FRM002")

    assert call(*arguments, "--fail-on", "fatal", capsys=capsys)[0] == 1


def test_second_night_tells_what_changed(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--rules", "FRM002")
    call(*arguments, "--run-id", "first", capsys=capsys)
    write_csv(delivery / "legal_entity.csv", [entity(), entity(unit_id="L3")])

    call(*arguments, "--run-id", "second", capsys=capsys)
    sql = "SELECT subject_id, state, first_run_id FROM finding ORDER BY subject_id"
    _, shown, _ = call("sql", tmp_path / "out", sql, capsys=capsys)

    lines = [line.split() for line in shown.splitlines()]
    assert ["L1", "│", "persisting", "│", "first"] in lines
    assert ["L3", "│", "new", "│", "second"] in lines


def test_explain_goes_down_to_the_line(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)
    sql = "SELECT finding_key FROM finding"
    call("sql", out, sql, "--output", tmp_path / "keys.csv", capsys=capsys)
    key = (tmp_path / "keys.csv").read_text(encoding="utf-8-sig").splitlines()[1]

    code, shown, _ = call("explain", out, key[:8], capsys=capsys)

    assert code == 0
    for part in ("FRM002", "legal_entity.csv: 数据行 row 1, 文件行 line 2", "holds = False"):
        assert part in shown


@pytest.mark.parametrize("key", ["zzzzzzzz", "a", "", "______%"])
def test_explain_of_no_finding_says_so(
    delivery: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    code, _, errors = call("explain", out, key, capsys=capsys)

    assert code == 2
    assert "差错标识" in errors


def test_sql_is_read_only(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    for statement in (
        "DELETE FROM audit.finding",
        f"COPY audit.finding TO '{tmp_path / 'leak.csv'}'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SET enable_external_access = true",
    ):
        assert call("sql", out, statement, capsys=capsys)[0] == 12


def test_log_holds_no_unit(
    delivery: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        _, shown, errors = call(
            "run", "--input", delivery, "--out", tmp_path / "out", capsys=capsys
        )

    told = caplog.text + shown + errors
    for secret in ("衡南县甲厂", "91430422209679931R", "王一", "13500000001", "L1 "):
        assert secret not in told


@pytest.mark.parametrize("region", ["430422", "430422000000", "430422100"])
def test_region_may_be_written_short_or_in_full(
    delivery: Path, tmp_path: Path, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--rules", "FRM002")

    code, _, _ = call(*arguments, "--region", region, "--fail-on", "fatal", capsys=capsys)

    assert code == 1


def test_sql_shows_columns_of_one_name_under_their_own_values(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    _, shown, _ = call("sql", out, "SELECT 'a' AS x, 'b' AS x, 'c' AS y", capsys=capsys)

    assert shown.splitlines()[2].split() == ["a", "│", "b", "│", "c"]


def test_same_input_and_run_id_give_the_same_bytes(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        arguments = ("run", "--input", delivery, "--out", tmp_path / name)
        call(*arguments, "--run-id", "same", capsys=capsys)

    def contents(name: str) -> dict[str, bytes]:
        folder = tmp_path / name / "current"
        files = [*folder.glob("workbooks/*"), *folder.glob("parquet/audit.finding*.parquet")]
        files += folder.glob("parquet/census.*.parquet")
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    one, two = contents("one"), contents("two")

    assert one
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([entity(unit_id="L2", employees="五")], ("L2", "persisting", "not_checked")),
        ([entity(unit_id="L2"), entity(unit_id="L2")], ("L2", "persisting", "not_checked")),
        ([entity(unit_id="L2", employees_female="1")], ("L2", "resolved", "value_corrected")),
        ([entity(unit_id="L2", employees_female="")], ("L2", "resolved", "value_emptied")),
        ([entity(unit_id="L3")], ("L2", "resolved", "unit_gone")),
    ],
    ids=["refused", "same key twice", "corrected", "emptied", "gone"],
)
def test_why_a_finding_is_no_more(
    tmp_path: Path,
    second: list[dict[str, str]],
    expected: tuple[str, str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, out = tmp_path / "in" / "legal_entity.csv", tmp_path / "out"
    arguments = ("run", "--input", tmp_path / "in", "--out", out)
    write_csv(file, [entity(), entity(unit_id="L2")])
    call(*arguments, "--run-id", "first", capsys=capsys)
    write_csv(file, [entity(), *second])

    call(*arguments, "--run-id", "second", capsys=capsys)

    history = "SELECT subject_id, state, COALESCE(cause, '-') AS cause FROM finding_history "
    sql = history + "WHERE rule_id = 'FRM002'"
    call("sql", out, sql, "--output", tmp_path / "h.csv", capsys=capsys)
    lines = (tmp_path / "h.csv").read_text(encoding="utf-8-sig").splitlines()
    assert ",".join(expected) in lines


def test_partial_night_judges_no_region(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call("run", "--input", delivery, "--out", out, "--rules", "LNK*", capsys=capsys)

    sql = "SELECT COUNT(rate) AS rates, COUNT_IF(flagged) AS flags FROM region_score"
    _, shown, _ = call("sql", out, sql, capsys=capsys)

    assert shown.splitlines()[2].split() == ["0", "│", "0"]
