"""Spreadsheets and Parquet files to rows of text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from reading import AGENCY, cells, delivered, opened, whole

from pipelines.readers.encodings import show_marks
from pipelines.readers.model import RefusedFileError
from pipelines.readers.parquet import open_parquet


def workbook(path: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for index, row in enumerate(rows):
                sheet.write_row(index, 0, row)
    return path


RECHECK = ["抽查记录号", "普查小区编码", "单位类别", "抽查结果", "普查值", "抽查日期"]


def test_typed_cells_of_a_spreadsheet(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "recheck.xlsx",
        [
            ["事后质量抽查记录"],
            [],
            RECHECK,
            ["Q1", "430405010002001", 1, "1", 12, dt.date(2019, 6, 20)],
            [],
            [2, 430405010002001, 1.0, "1", 1.25, dt.datetime(2019, 6, 20, 0, 0)],  # noqa: DTZ001
            ["Q3", 4304050100020, 1, "1", 1e20, 20190620],
        ],
    )

    result = whole(opened(path, "recheck"))
    assert ("Q1", "430405010002001", "1", "1", "12", "2019-06-20", 1, 4) == result[0]
    assert ("2", "430405010002001", "1", "1", "1.25", "2019-06-20", 2, 6) == result[1]
    assert ("4304050100020.0", "100000000000000000000") == (result[2][1], result[2][4])


def test_every_sheet_of_the_table_is_read_and_others_are_named(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "agency.xlsx",
        [["填表说明"], ["请勿改动"]],
        [["机构编号", "机构名称"], ["A1", "甲"]],
        [["机构名称", "机构编号", "备用"], ["乙", "A2", "x"]],
        [],
    )

    reading = opened(path)

    assert ("备用", "工作表：Sheet1") == reading.header.unknown
    assert [("A1", "甲", 1, 2), ("乙", "A2", "x", 2, 2)] == whole(reading)


def test_a_sheet_without_a_required_column_refuses_the_file(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "agency.xlsx",
        [["机构编号", "机构名称"], ["A1", "甲"]],
        [["机构名称", "电话"], ["乙", "1"]],
    )

    assert ("agency_id",) == opened(path).header.missing


def test_an_error_in_a_cell_is_not_read_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "agency.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("一")
        sheet.write_row(0, 0, ["机构编号", "机构名称"])
        sheet.write_string(1, 0, "A1")
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")

    assert [("A1", "#N/A")] == [tuple(map(show_marks, row)) for row in cells(path)]
    assert next(opened(path).batches).damaged


@pytest.mark.parametrize("name", ["agency.xlsx", "agency.parquet"])
def test_files_cut_short_are_unreadable(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("xlsx"):
        workbook(path, [["机构编号", "机构名称"], ["A1", "甲"]])
    else:
        pq.write_table(pa.table({"agency_id": ["A1"], "name": ["甲"]}), path)
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(RefusedFileError) as refused:
        whole(opened(path))

    assert "unreadable_file" == refused.value.reason


def test_parquet_types_as_the_contract_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "register_unit.parquet"
    table = pa.table(
        {
            "source": pa.array([1, 2, None], pa.int32()),
            "credit_code": pa.array([914304e12, 91430400.5, None]),
            "region_code": pa.array([430405, 43040501000, 4], pa.int64()),
            "opened_on": pa.array([dt.date(2018, 1, 2), None, None]),
            "as_of": pa.array([dt.datetime(2018, 12, 31)] * 3, pa.timestamp("ns")),  # noqa: DTZ001
            "capital_kyuan": pa.array([5.0, 123456789012.5, 1e20]),
            "electricity_kwh": pa.array([float("nan"), 1e-7, None]),
            "name": pa.array(["甲", "乙", None]).dictionary_encode(),
        }
    )
    pq.write_table(table, path)
    code, money = "914304000000000000.0", "123456789012.5"

    assert [
        ("1", code, "430405", "2018-01-02", "2018-12-31", "5", None, "甲", 1, 2),
        ("2", "91430400.5", "43040501000", None, "2018-12-31", money, "0.0000001", "乙", 2, 3),
        (None, None, "4", None, "2018-12-31", "100000000000000000000", None, None, 3, 4),
    ] == whole(opened(path, "register_unit"))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_parquet_without_page_checksums_is_told(tmp_path: Path, version: str) -> None:
    table = pa.table({"agency_id": ["A1", "A2"], "name": ["甲", None]})
    told = {}
    for checked in (True, False):
        path = tmp_path / f"agency_{checked}.parquet"
        pq.write_table(table, path, write_page_checksum=checked, data_page_version=version)
        told[checked] = open_parquet(path, "agency").checksums

    assert {True: True, False: False} == told


def test_parquet_with_a_flipped_bit_under_a_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agency.parquet"
    table = pa.table({"agency_id": ["A1", "A2"], "name": ["甲社", "乙社"]})
    pq.write_table(
        table, path, write_page_checksum=True, compression="none", use_dictionary=False,
        write_statistics=False,
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace("甲".encode(), "田".encode()))

    with pytest.raises(RefusedFileError, match="damaged"):
        list(open_parquet(path, "agency").batches)


def test_parquet_text_that_is_not_utf8_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "agency.parquet"
    names = pa.array([b"\xe7\x94\xb2", b"\xff"], pa.binary())
    pq.write_table(pa.table({"agency_id": ["A1", "A2"], "name": names}), path)

    assert ["甲", "\\xff"] == [show_marks(str(row[1])) for row in cells(path)]


def test_a_text_file_under_the_name_of_a_spreadsheet_is_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(RefusedFileError) as refused:
        opened(delivered(tmp_path, AGENCY.encode(), "agency.xlsx"))

    assert "unreadable_file" == refused.value.reason
