"""What the command line refuses: exit codes, messages, and what stays in place."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import pytest
from command_line import call
from tiny import entity, write_csv

from pipelines import publish


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    write_csv(folder / "legal_entity.csv", [entity(), entity(unit_id="L2", employees_female="1")])
    return folder


def _nothing_published(out: Path) -> bool:
    return not (out / "current").exists()


def test_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()

    code, _, errors = call(
        "run", "--input", tmp_path / "empty", "--out", tmp_path / "out", capsys=capsys
    )

    assert code == 10
    assert "错误" in errors
    assert "Error" in errors
    assert _nothing_published(tmp_path / "out")


def test_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = call(
        "run", "--input", tmp_path / "nowhere", "--out", tmp_path / "out", capsys=capsys
    )

    assert code == 10


def _refusals(out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    sql = "SELECT file, row, reason, column_name FROM rejected_row ORDER BY file, row"
    return call("sql", out, sql, capsys=capsys)[1]


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

    code, _, _ = call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

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

    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    assert "unreadable_file" in _refusals(out, capsys)


def test_same_key_in_two_files_refuses_both(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(delivery / "legal_entity_2.csv", [entity(), entity(unit_id="L9")])
    out = tmp_path / "out"

    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)
    sql = "SELECT count(*) AS n, min(message_zh) AS m FROM rejected_row"
    _, shown, _ = call("sql", out, sql, capsys=capsys)

    assert "legal_entity" in shown
    assert " 2 " in shown


def test_code_in_exponent_form_is_refused(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(delivery / "legal_entity_2.csv", [entity(unit_id="L7", credit_code="9.1E+17")])
    out = tmp_path / "out"

    call("run", "--input", delivery, "--out", out, "--rules", "FRM002", capsys=capsys)

    assert "bad_code" in _refusals(out, capsys)


def test_second_run_while_one_is_going(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    publish.prepare_out(out)

    with publish.RunLock(out):
        code, _, errors = call("run", "--input", delivery, "--out", out, capsys=capsys)

    assert code == 13
    assert "错误" in errors


def test_output_that_cannot_be_written(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    code, _, _ = call("run", "--input", delivery, "--out", tmp_path / "file", capsys=capsys)

    assert code == 10


def test_full_disk_leaves_the_last_package(
    delivery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    arguments = ("run", "--input", delivery, "--out", out, "--rules", "FRM002")
    call(*arguments, "--run-id", "first", capsys=capsys)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.export.run", full)
    code, _, errors = call(*arguments, "--run-id", "second", capsys=capsys)

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

    assert call(*arguments, capsys=capsys)[0] == 2


def test_unknown_region_is_refused_before_the_long_stages(
    delivery: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--region", "990000")

    with caplog.at_level(logging.INFO):
        code, _, _ = call(*arguments, capsys=capsys)

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

    code, _, errors = call(*arguments, capsys=capsys)

    assert code == 10
    assert "2018-10-30" in errors


def test_output_inside_the_delivery_is_refused(
    delivery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = call("run", "--input", delivery, "--out", delivery / "out", capsys=capsys)

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

    code, shown, errors = call("run", "--input", delivery, "--out", tmp_path / "out", capsys=capsys)

    assert code == 12
    assert "Traceback" not in shown + errors
    assert "衡南县甲厂" not in shown + errors
