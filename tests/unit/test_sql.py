"""SQL over the published package, and its results as files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from audit.engines.duckdb import DuckDBEngine
from audit.errors import EngineError, InputError, UsageError
from pipelines import sql as module
from pipelines.sql import current_package, query, write_result

RESULT = pa.table(
    {
        "代码": pa.array(["0110", "=1+1", None, '甲,"乙"'], pa.string()),
        "n": pa.array([1, -2, None, 10**15], pa.int64()),
        "share": pa.array([0.5, float("inf"), None, float("nan")], pa.float64()),
        "right": pa.array([True, False, None, True], pa.bool_()),
        "day": pa.array([date(2018, 12, 31), None, None, None], pa.date32()),
        "total": pa.array([Decimal(7), None, None, Decimal(10**18)], pa.decimal128(38, 0)),
    }
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run = tmp_path / "out" / "runs" / "R1"
    run.mkdir(parents=True)
    with DuckDBEngine(run / "census_audit.duckdb") as engine:
        engine.materialise("audit.finding", "SELECT '0110' AS observed")
    (tmp_path / "out" / "current").symlink_to("runs/R1")
    return tmp_path / "out"


def test_query_reads_the_current_package(out: Path) -> None:
    assert current_package(out) == (out / "runs" / "R1" / "census_audit.duckdb").resolve()
    assert query(out, "SELECT observed FROM finding").to_pylist() == [{"observed": "0110"}]
    with pytest.raises(EngineError):
        query(out, "DELETE FROM audit.finding")


def test_no_package_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        query(tmp_path, "SELECT 1")

    assert caught.value.en == (
        f"No published package in {tmp_path}. Run census-audit run --input DELIVERY "
        f"--out {tmp_path}."
    )
    (tmp_path / "current").mkdir()
    with pytest.raises(InputError):
        current_package(tmp_path)


def test_csv_has_a_byte_order_mark_and_keeps_codes(tmp_path: Path) -> None:
    path = tmp_path / "x.CSV"

    write_result(RESULT.select(["代码", "n", "share"]), path)

    assert path.read_bytes() == (
        b"\xef\xbb\xbf"
        + (
            "代码,n,share\r\n0110,1,0.5\r\n=1+1,-2,inf\r\n,,\r\n"
            '"甲,""乙""",1000000000000000,nan\r\n'
        ).encode()
    )


def test_csv_of_several_batches_is_whole(tmp_path: Path) -> None:
    table = pa.concat_tables([pa.table({"a": ["1"]}), pa.table({"a": ["2"]})])

    write_result(table, tmp_path / "x.csv")

    assert (tmp_path / "x.csv").read_text(encoding="utf-8-sig") == "a\n1\n2\n"


def test_xlsx_keeps_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"

    write_result(RESULT, path)

    sheet = openpyxl.load_workbook(path)["结果"]
    rows = [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows()]
    assert rows == [
        [("s", "代码"), ("s", "n"), ("s", "share"), ("s", "right"), ("s", "day"), ("s", "total")],
        [("s", "0110"), ("n", 1), ("n", 0.5), ("b", True), ("s", "2018-12-31"), ("n", 7)],
        [("s", "=1+1"), ("n", -2), ("s", "inf"), ("b", False), ("n", None), ("n", None)],
        [("n", None)] * 6,
        [
            ("s", '甲,"乙"'), ("s", "1000000000000000"), ("s", "nan"), ("b", True), ("n", None),
            ("s", "1000000000000000000"),
        ],
    ]  # fmt: skip
    assert sheet["A2"].number_format == "@"
    assert sheet.freeze_panes == "A2"


def test_xlsx_refuses_what_a_sheet_cannot_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_result(pa.table({"a": ["x" * 32_767]}), tmp_path / "fits.xlsx")
    assert openpyxl.load_workbook(tmp_path / "fits.xlsx")["结果"]["A2"].value == "x" * 32_767

    with pytest.raises(UsageError, match=r"longer than a cell of a sheet holds \(32767\)"):
        write_result(pa.table({"a": ["x" * 32_768]}), tmp_path / "no.xlsx")
    monkeypatch.setattr(module, "XLSX_ROWS", 2)
    with pytest.raises(UsageError, match="3 rows are more than a sheet holds"):
        write_result(pa.table({"a": [1, 2, 3]}), tmp_path / "no.xlsx")
    assert not (tmp_path / "no.xlsx").exists()


@pytest.mark.parametrize(("name", "told"), [("x.parquet", ".parquet"), ("x", "a file without")])
def test_other_suffixes_are_refused(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"Only .csv and .xlsx can be written, not {told}"):
        write_result(RESULT, tmp_path / name)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_place_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"Cannot write .*: No such file or directory"):
        write_result(RESULT, tmp_path / "nowhere" / name)
