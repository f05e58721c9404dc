"""What the command line refuses: exit codes, messages, and what stays in place."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import polars as pl
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


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    code, _, errors = call("run", "--input", tmp_path / "empty", "--out", tmp_path / "out")

    assert code == 10
    assert "错误" in errors
    assert "Error" in errors
    assert _nothing_published(tmp_path / "out")


def test_missing_folder(tmp_path: Path) -> None:
    code, _, _ = call("run", "--input", tmp_path / "nowhere", "--out", tmp_path / "out")

    assert code == 10


BAD_FILES = {
    "会议纪要.csv": ("甲,乙\n1,2\n".encode(), "unknown_table"),
    "establishment.xlsx": (b"PK\x03\x04 cut short", "unreadable_file"),
    "establishment.csv": (b"\x81\x00\xff\xfe\x9f" * 40, "bad_bytes"),
    "establishment.parquet": (b"PAR1 not really", "unreadable_file"),
    "establishment.csv.gz": (b"\x1f\x8b\x08 cut", "unreadable_file"),
}


def _workbook_cut_short(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "x" * 5000)
    path.write_bytes(path.read_bytes()[:200])


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[dict[str, str]]]:
    """A night over much that is refused: its exit code, and what was refused by file and row."""
    folder = tmp_path_factory.mktemp("refused")
    for name, (content, _) in BAD_FILES.items():
        path = folder / "delivery" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    _workbook_cut_short(folder / "delivery" / "agency.xlsx")
    write_csv(folder / "delivery" / "legal_entity.csv", [entity(), entity(unit_id="L2")])
    write_csv(folder / "delivery" / "legal_entity_2.csv", [entity(), entity(unit_id="L9")])
    odd = [entity(unit_id="L7", credit_code="9.1E+17")]
    write_csv(folder / "delivery" / "legal_entity_3.csv", odd)
    out = folder / "out"
    code, _, _ = call("run", "--input", folder / "delivery", "--out", out, "--rules", "FRM002")
    call("sql", out, "SELECT * FROM rejected_row", "--output", folder / "refused.csv")
    return code, pl.read_csv(folder / "refused.csv", infer_schema=False).to_dicts()


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_refused_by_name_and_the_night_goes_on(
    night: tuple[int, list[dict[str, str]]], name: str
) -> None:
    code, refused = night

    assert code == 0
    assert [row["reason"] for row in refused if row["file"] == name] == [BAD_FILES[name][1]]


def test_truncated_workbook_is_refused_by_name(night: tuple[int, list[dict[str, str]]]) -> None:
    reasons = [row["reason"] for row in night[1] if row["file"] == "agency.xlsx"]

    assert reasons == ["unreadable_file"]


def test_same_key_in_two_files_refuses_both(night: tuple[int, list[dict[str, str]]]) -> None:
    told = {row["file"]: row["message_zh"] for row in night[1] if row["reason"] == "duplicate_key"}

    assert "“legal_entity_2.csv”" in told["legal_entity.csv"]
    assert "“legal_entity.csv”" in told["legal_entity_2.csv"]
    assert len(told) == 2


def test_code_in_exponent_form_is_refused(night: tuple[int, list[dict[str, str]]]) -> None:
    (odd,) = [row for row in night[1] if row["file"] == "legal_entity_3.csv"]

    assert (odd["reason"], odd["column_name"]) == ("bad_code", "credit_code")


def test_second_run_while_one_is_going(delivery: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish.prepare_out(out)

    with publish.RunLock(out):
        code, _, errors = call("run", "--input", delivery, "--out", out)

    assert code == 13
    assert "错误" in errors


def test_output_that_cannot_be_written(delivery: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    code, _, _ = call("run", "--input", delivery, "--out", tmp_path / "file")

    assert code == 10


def test_full_disk_leaves_the_last_package(
    delivery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    arguments = ("run", "--input", delivery, "--out", out, "--rules", "FRM002")
    call(*arguments, "--run-id", "first")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.export.begin", full)
    code, _, errors = call(*arguments, "--run-id", "second")

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
) -> None:
    monkeypatch.chdir(tmp_path)

    assert call(*arguments)[0] == 2


def test_unknown_region_is_refused_before_the_long_stages(
    delivery: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--region", "990000")

    with caplog.at_level(logging.INFO):
        code, _, _ = call(*arguments)

    assert code == 2
    assert "stage link" not in caplog.text
    assert "stage ingest" in caplog.text
    assert _nothing_published(tmp_path / "out")


def test_vintage_that_no_list_has_is_refused(delivery: Path, tmp_path: Path) -> None:
    config = tmp_path / "census.toml"
    config.write_text("[run]\nvintage = '2018-10-30'\n", encoding="utf-8")
    arguments = ("run", "--input", delivery, "--out", tmp_path / "out", "--config", config)

    code, _, errors = call(*arguments)

    assert code == 10
    assert "2018-10-30" in errors


def test_output_inside_the_delivery_is_refused(delivery: Path) -> None:
    code, _, _ = call("run", "--input", delivery, "--out", delivery / "out")

    assert code == 2


def test_a_defect_shows_no_traceback(
    delivery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("衡南县甲厂")

    monkeypatch.setattr("pipelines.score.run", broken)

    code, shown, errors = call("run", "--input", delivery, "--out", tmp_path / "out")

    assert code == 12
    assert "Traceback" not in shown + errors
    assert "衡南县甲厂" not in shown + errors
