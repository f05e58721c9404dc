"""The command line as a person or a script meets it: exit codes, messages, what stays in place."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import pytest
from tiny import entity, write_csv

from pipelines import cli, publish


def _call(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, output, errors."""
    code = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["census-audit", *map(str, arguments)])
        patch.setattr("os.umask", lambda _: 0)
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    write_csv(folder / "legal_entity.csv", [entity(), entity(unit_id="L2", employees_female="1")])
    return folder


def test_night_publishes_and_tells_where(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    code, shown, _ = _call("run", "--input", delivery, "--out", out, capsys=capsys)

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

    shown = _call(*arguments, "--rules", "FRM002,FRM018,XSP005", capsys=capsys)[1]

    told = {row[0]: row[1] for line in shown.splitlines() if len(row := line.split("  ", 1)) == 2}
    assert told["规则 rules"].strip() == "有差错 findings 1, 无法判定 undecided 1, 通过 passed 1"
    assert told["其中无法判定 undecided"].strip().startswith("1 条规则")
    assert told["强制性差错 fatal findings"].strip() == "1"
    assert told["线索 leads"].strip() == told["评估结论 conclusions"].strip() == "0"


def test_fail_on_gives_exit_code_one(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--rules", "FRM002")

    assert _call(*arguments, "--fail-on", "fatal", capsys=capsys)[0] == 1


def test_second_night_tells_what_changed(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--rules", "FRM002")
    _call(*arguments, "--run-id", "first", capsys=capsys)
    write_csv(delivery / "legal_entity.csv", [entity(), entity(unit_id="L3")])

    _call(*arguments, "--run-id", "second", capsys=capsys)
    sql = "SELECT subject_id, state, first_run_id FROM finding ORDER BY subject_id"
    _, shown, _ = _call("sql", tmp_path / "out", sql, capsys=capsys)

    lines = [line.split() for line in shown.splitlines()]
    assert ["L1", "│", "persisting", "│", "first"] in lines
    assert ["L3", "│", "new", "│", "second"] in lines


def test_explain_goes_down_to_the_line(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)
    sql = "SELECT finding_key FROM finding"
    _call("sql", out, sql, "--output", tmp_path / "keys.csv", capsys=capsys)
    key = (tmp_path / "keys.csv").read_text(encoding="utf-8-sig").splitlines()[1]

    code, shown, _ = _call("explain", out, key[:8], capsys=capsys)

    assert code == 0
    for part in ("FRM002", "legal_entity.csv: 数据行 row 1, 文件行 line 2", "holds = False"):
        assert part in shown


@pytest.mark.parametrize("key", ["zzzzzzzz", "a", "", "______%"])
def test_explain_of_no_finding_says_so(
    delivery: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    code, _, errors = _call("explain", out, key, capsys=capsys)

    assert code == 2
    assert "差错标识" in errors


def _nothing_published(out: Path) -> bool:
    return not (out / "current").exists()


def test_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()

    code, _, errors = _call(
        "run", "--input", tmp_path / "empty", "--out", tmp_path / "out", capsys=capsys
    )

    assert code == 10
    assert "错误" in errors
    assert "Error" in errors
    assert _nothing_published(tmp_path / "out")


def test_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = _call(
        "run", "--input", tmp_path / "nowhere", "--out", tmp_path / "out", capsys=capsys
    )

    assert code == 10


def _refusals(out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    sql = "SELECT file, row, reason, column_name FROM rejected_row ORDER BY file, row"
    return _call("sql", out, sql, capsys=capsys)[1]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("会议纪要.csv", "甲,乙\n1,2\n".encode(), "unknown_table"),
        ("establishment.xlsx", b"PK\x03\x04 cut short", "unreadable_file"),
        ("establishment.csv", b"\x81\x00\xff\xfe\x9f" * 40, "bad_bytes"),
        ("establishment.parquet", b"PAR1 not really", "unreadable_file"),
        ("establishment.csv.gz", b"\x1f\x8b\x08 cut", "unreadable_file"),
    ],
)
def test_bad_file_is_refused_by_name_and_the_night_goes_on(
    delivery: Path,
    tmp_path: Path,
    name: str,
    content: bytes,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (delivery / name).write_bytes(content)
    out = tmp_path / "out"

    code, _, _ = _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    assert code == 0
    shown = _refusals(out, capsys)
    assert name in shown
    assert reason in shown


def test_truncated_workbook_is_refused_by_name(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = delivery / "establishment.xlsx"
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("xl/workbook.xml", "x" * 5000)
    whole.write_bytes(whole.read_bytes()[:200])
    out = tmp_path / "out"

    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    assert "unreadable_file" in _refusals(out, capsys)


def test_same_key_in_two_files_refuses_both(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(delivery / "legal_entity_2.csv", [entity(), entity(unit_id="L9")])
    out = tmp_path / "out"

    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)
    sql = "SELECT count(*) AS n, min(message_zh) AS m FROM rejected_row"
    _, shown, _ = _call("sql", out, sql, capsys=capsys)

    assert "legal_entity" in shown
    assert " 2 " in shown


def test_code_in_exponent_form_is_refused(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(delivery / "legal_entity_2.csv", [entity(unit_id="L7", credit_code="9.1E+17")])
    out = tmp_path / "out"

    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    assert "bad_code" in _refusals(out, capsys)


def test_second_run_while_one_is_going(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    publish.prepare_out(out)

    with publish.RunLock(out):
        code, _, errors = _call("run", "--input", delivery, "--out", out, capsys=capsys)

    assert code == 13
    assert "错误" in errors


def test_output_that_cannot_be_written(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    code, _, _ = _call("run", "--input", delivery, "--out", tmp_path / "file", capsys=capsys)

    assert code == 10


def test_full_disk_leaves_the_last_package(
    delivery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    arguments = ("run", "--input", delivery, "--out", out, "--rules", "FRM002")
    _call(*arguments, "--run-id", "first", capsys=capsys)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.export.run", full)
    code, _, errors = _call(*arguments, "--run-id", "second", capsys=capsys)

    assert code == 12
    assert "No space left" in errors
    assert (out / "current").resolve().name == "first"
    assert [path.name for path in (out / "runs").iterdir()] == ["first"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("run",),
        ("run", "--input", ".", "--out", ".", "--engine", "oracle"),
        ("run", "--input", ".", "--out", "x", "--run-id", "../up"),
        ("run", "--input", ".", "--out", "x", "--region", "衡南"),
        ("run", "--input", ".", "--out", "x", "--region", "4304221"),
    ],
)
def test_usage_errors_give_two(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert _call(*arguments, capsys=capsys)[0] == 2


def test_sql_is_read_only(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    for statement in (
        "DELETE FROM audit.finding",
        f"COPY audit.finding TO '{tmp_path / 'leak.csv'}'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SET enable_external_access = true",
    ):
        assert _call("sql", out, statement, capsys=capsys)[0] == 12


def test_log_holds_no_unit(
    delivery: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        _, shown, errors = _call(
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

    code, _, _ = _call(*arguments, "--region", region, "--fail-on", "fatal", capsys=capsys)

    assert code == 1


def test_unknown_region_is_refused_before_the_long_stages(
    delivery: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--region", "990000")

    with caplog.at_level(logging.INFO):
        code, _, _ = _call(*arguments, capsys=capsys)

    assert code == 2
    assert "stage link" not in caplog.text
    assert "stage ingest" in caplog.text
    assert _nothing_published(tmp_path / "out")


def test_vintage_that_no_list_has_is_refused(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "census.toml"
    config.write_text("[run]\nvintage = '2018-10-30'\n", encoding="utf-8")
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--config", config)

    code, _, errors = _call(*arguments, capsys=capsys)

    assert code == 10
    assert "2018-10-30" in errors


def test_output_inside_the_delivery_is_refused(
    delivery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = _call("run", "--input", delivery, "--out", delivery / "out", capsys=capsys)

    assert code == 2


def test_a_defect_shows_no_traceback(
    delivery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("衡南县甲厂")

    monkeypatch.setattr("pipelines.score.run", broken)

    code, shown, errors = _call(
        "run", "--input", delivery, "--out", tmp_path / "out", capsys=capsys
    )

    assert code == 12
    assert "Traceback" not in shown + errors
    assert "衡南县甲厂" not in shown + errors


def test_sql_shows_columns_of_one_name_under_their_own_values(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    _, shown, _ = _call("sql", out, "SELECT 'a' AS x, 'b' AS x, 'c' AS y", capsys=capsys)

    assert shown.splitlines()[2].split() == ["a", "│", "b", "│", "c"]


def test_same_input_and_run_id_give_the_same_bytes(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        arguments = ("run", "--input", delivery, "--out", tmp_path / name)
        _call(*arguments, "--run-id", "same", capsys=capsys)

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
    _call(*arguments, "--run-id", "first", capsys=capsys)
    write_csv(file, [entity(), *second])

    _call(*arguments, "--run-id", "second", capsys=capsys)

    history = "SELECT subject_id, state, COALESCE(cause, '-') AS cause FROM finding_history "
    sql = history + "WHERE rule_id = 'FRM002'"
    _call("sql", out, sql, "--output", tmp_path / "h.csv", capsys=capsys)
    lines = (tmp_path / "h.csv").read_text(encoding="utf-8-sig").splitlines()
    assert ",".join(expected) in lines


def test_partial_night_judges_no_region(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _call("run", "--input", delivery, "--out", out, "--rules", "LNK*", capsys=capsys)

    sql = "SELECT COUNT(rate) AS rates, COUNT_IF(flagged) AS flags FROM region_score"
    _, shown, _ = _call("sql", out, sql, capsys=capsys)

    assert shown.splitlines()[2].split() == ["0", "│", "0"]
