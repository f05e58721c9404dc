"""Bytes of a delivered file to rows of text: encodings, records, headers, formats."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.errors import UsageError
from pipelines.readers import records
from pipelines.readers.encodings import GB18030_PRIVATE, show_marks
from pipelines.readers.headers import find_header, match_header
from pipelines.readers.model import Reading, RefusedFileError, Source
from pipelines.readers.opening import open_source
from pipelines.readers.parquet import open_parquet
from pipelines.readers.which import delivered_files, is_leftover, table_of

AGENCY = "机构编号,机构名称,电话\r\nA1,甲所,0734\r\nA2,乙所,0735\r\n"
ROWS = [("A1", "甲所", "0734"), ("A2", "乙所", "0735")]
CELLS = ("c0", "c1", "c2")


def opened(path: Path, table: str = "agency") -> Reading:
    return open_source(Source(file_no=1, file=path.name, path=path, table=table))


def delivered(folder: Path, content: bytes, name: str = "agency.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def whole(reading: Reading) -> list[tuple[object, ...]]:
    """Cells, row and line of every whole row."""
    return [row for batch in reading.batches for row in batch.frame.rows()]


def cells(path: Path, table: str = "agency") -> list[tuple[object, ...]]:
    return [row[:-2] for row in whole(opened(path, table))]


def broken(path: Path) -> list[tuple[int, int, str, int]]:
    return [
        (row.row_no, row.line_no, row.reason, len(row.cells))
        for batch in opened(path).batches
        for row in batch.broken
    ]


@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (lambda text: text.encode(), "utf-8"),
        (lambda text: text.encode("utf-8-sig"), "utf-8-sig"),
        (lambda text: text.encode("gb18030"), "gb18030"),
        (lambda text: text.encode("utf-16"), "utf-16"),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "utf-16"),
        (lambda text: gzip.compress(text.encode("gb18030")), "gb18030"),
        (lambda text: text.replace("\r\n", "\n").encode(), "utf-8"),
        (lambda text: text.replace("\r\n", "\r").encode("gb18030"), "gb18030"),
        (lambda text: text.removesuffix("\r\n").replace(",", "\t").encode(), "utf-8"),
        (lambda text: text.replace(",", ";").encode(), "utf-8"),
    ],
)
def test_encodings_line_ends_and_delimiters(
    tmp_path: Path, encode: Callable[[str], bytes], name: str
) -> None:
    reading = opened(delivered(tmp_path, encode(AGENCY)))

    assert name == reading.encoding
    assert [(*ROWS[0], 1, 2), (*ROWS[1], 2, 3)] == whole(reading)


def test_a_long_ascii_beginning_does_not_hide_gb18030(tmp_path: Path) -> None:
    many = "agency_id,name,phone\n" + "A,B,1\n" * 60_000

    result = cells(delivered(tmp_path, (many + "Z,甲所有限公司,9\n").encode("gb18030")))

    assert 60_001 == len(result)
    assert ("Z", "甲所有限公司", "9") == result[-1]


def test_private_points_of_gb18030_become_their_characters(tmp_path: Path) -> None:
    content = (
        "机构编号,机构名称,电话\nA1,".encode("gb18030") + bytes.fromhex("A8BCFE59FE51") + b",1\n"
    )

    assert [("A1", "\u1e3f\u9fb4\U00020087", "1")] == cells(delivered(tmp_path, content))
    assert 25 == len(GB18030_PRIVATE)


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_bytes_that_are_no_text_spoil_their_cell_only(tmp_path: Path, codec: str) -> None:
    content = AGENCY.encode(codec).replace("乙所".encode(codec), b"\xff\x81,", 1)
    content = content.replace(b"\x81,,", b"\x81,", 1)

    batch = next(opened(delivered(tmp_path, content)).batches)

    assert batch.damaged
    names = [show_marks(name) for name in batch.frame["c1"].to_list()]
    assert ["甲所", "\\xff\\x81"] == names


def test_nul_bytes_are_marked(tmp_path: Path) -> None:
    content = AGENCY.encode().replace(b"0735", b"07\x0035")

    batch = next(opened(delivered(tmp_path, content)).batches)

    assert ["0734", "07\\x0035"] == [show_marks(text) for text in batch.frame["c2"].to_list()]


def test_bytes_of_no_encoding_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(RefusedFileError) as refused:
        opened(delivered(tmp_path, bytes([0x80, 0xFF, 0xFE, 0x2C, 0x0A]) * 200))

    assert "bad_bytes" == refused.value.reason


@pytest.mark.parametrize(
    "content", [b"", gzip.compress(AGENCY.encode(), mtime=0)[:-12]], ids=["empty", "cut"]
)
def test_empty_and_cut_files_are_unreadable(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RefusedFileError) as refused:
        whole(opened(delivered(tmp_path, content)))

    assert "unreadable_file" == refused.value.reason


def test_lines_count_blank_lines_and_quoted_breaks_and_rows_do_not(tmp_path: Path) -> None:
    text = '机构编号,机构名称,电话\n\nA1,"甲\n所",1\n\n,,\n"A2",乙所,2\nA3,"丙""所",3\n'

    assert [
        ("A1", "甲\n所", "1", 1, 3),
        ("A2", "乙所", "2", 2, 7),
        ("A3", '丙"所', "3", 3, 8),
    ] == whole(opened(delivered(tmp_path, text.encode())))


def test_short_and_long_rows_are_broken_and_numbered(tmp_path: Path) -> None:
    path = delivered(tmp_path, (AGENCY + "A3,丙所\r\nA4,丁所,1,2\r\nA5,戊所,5\r\n").encode())

    assert [(3, 4, "too_few_fields", 2), (4, 5, "too_many_fields", 4)] == broken(path)
    assert [1, 2, 5] == [row[3] for row in whole(opened(path))]


@pytest.mark.parametrize("bad", ['A3,"丙所,3', 'A3,"丙"所,3', '"A3,丙所,3'])
def test_a_bad_quote_spoils_its_own_line_only(tmp_path: Path, bad: str) -> None:
    path = delivered(tmp_path, (AGENCY + bad + "\r\nA4,丁所,4\r\nA5,戊所,5\r\n").encode())

    assert [(3, 4)] == [row[:2] for row in broken(path)]
    assert ["A1", "A2", "A4", "A5"] == [row[0] for row in cells(path)]


@pytest.mark.parametrize(
    ("rows", "good", "bad"),
    [
        # Two stray quotes in one column: what is between them are rows, not a cell.
        (['A1,",1', "A2,乙,2", 'A3,",3'], ["A2"], [1, 3]),
        (['A1,",1', 'A2,",2'], [], [1, 2]),
        (["A1,乙,1", 'A2,"乙,2', 'A3,",3', "A4,丁,4"], ["A1", "A4"], [2, 3]),
        # A properly quoted cell may span lines and hold separators.
        (['A1,"甲\n所",1', "A2,乙,2"], ["A1", "A2"], []),
        (['A1,"甲\n\n,所",1', "A2,乙,2"], ["A1", "A2"], []),
        (['A1,甲,"1\n2"', '"A\n2",乙,2'], ["A1", "A\n2"], []),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotes_that_would_swallow_rows_do_not_count(
    tmp_path: Path, rows: list[str], good: list[str], bad: list[int], end: str
) -> None:
    text = "\n".join(["机构编号,机构名称,电话", *rows, ""]).replace("\n", end)
    path = delivered(tmp_path, text.encode())

    assert [name.replace("\n", end) for name in good] == [row[0] for row in cells(path)]
    assert bad == [row[0] for row in broken(path)]


def test_quotes_in_a_header_swallow_no_row(tmp_path: Path) -> None:
    path = delivered(tmp_path, '机构编号,机构名称,"电话\nA1,甲,"\nA2,乙,2\n'.encode())

    assert ('"电话',) == opened(path).header.unknown
    assert [("A2", "乙", "2", 2, 3)] == whole(opened(path))
    assert [1] == [row[0] for row in broken(path)]


def test_a_quote_inside_a_cell_is_text(tmp_path: Path) -> None:
    path = delivered(tmp_path, (AGENCY + 'A3,丙"所,3\r\n').encode())

    assert ("A3", '丙"所', "3") == cells(path)[-1]


def test_a_quote_that_never_closes_in_a_long_file_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.readers.encodings.CHUNK", 512 << 10)
    body = [f"B{number},某某代理记账有限公司,{number}\n" for number in range(60_000)]
    body[100] = 'B100,"某某代理记账有限公司,100\n'
    path = delivered(tmp_path, ("机构编号,机构名称,电话\n" + "".join(body)).encode())

    assert [(101, 102, "too_few_fields", 3)] == broken(path)
    assert 59_999 == len(cells(path))


safe = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
LABELS = ["agency_id", "name", "phone"]


@given(st.lists(st.tuples(safe, safe, safe), max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_both_ways_of_reading_agree_on_sound_text(
    rows: list[tuple[str, str, str]], end: str
) -> None:
    # Both in one row may look like whole rows between stray quotes, which are refused.
    assume(not any("," in "".join(row) and re.search("[\r\n]", "".join(row)) for row in rows))
    stream = io.StringIO()
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    text = stream.getvalue()

    found, used = records.exact_records(text, ",", 3)
    spans = records.regular_records(text.encode(), ",", 3)

    assert [list(row) for row in rows] == [record.cells for record in found]
    assert len(records.split_lines(text)) == used
    lonely = text.count("\r") != text.count("\r\n")
    assert (lonely or not rows) == (spans is None)
    if spans is not None:
        assert [record.line for record in found] == spans.lines.tolist()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("legal_entity_430405.csv", "legal_entity"),
        ("法人单位基本情况/衡南县.xlsx", "legal_entity"),
        ("法人单位所属产业活动单位情况.csv", "establishment_list"),
        ("establishment_list.csv", "establishment_list"),
        ("ESTABLISHMENT_430405.CSV", "establishment"),
        ("research_project.csv", "research_project"),
        ("2018/第一批/企业财务状况/衡南县.tsv", "finance"),
        ("establishment/employment.csv", "employment"),
        ("会议纪要.csv", ""),
        ("unit.csv", ""),
        ("法人单位基本情况/~$衡南县.xlsx", ""),
        ("人员.csv", "enumerator"),
    ],
)
def test_which_table(file: str, expected: str) -> None:
    assert expected == table_of(file, {"enumerator": "x.csv|人员*.csv"})


def test_files_are_found_at_any_depth_and_named_as_people_see_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/agency.csv", "clue.csv", ".DS_Store"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    zipped = tmp_path / b"\xbf\xaa.csv".decode("utf-8", "surrogateescape")
    zipped.write_text("x", encoding="utf-8")

    found = [(source.file_no, source.file) for source in delivered_files(tmp_path, {})]

    assert [(1, ".DS_Store"), (2, "a/agency.csv"), (3, "clue.csv"), (4, "开.csv")] == found
    assert is_leftover(".DS_Store")


def test_a_glob_for_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing_such"):
        delivered_files(tmp_path, {"nothing_such": "*.csv"})


def test_headers_in_every_style() -> None:
    header = match_header(
        ["　109 \n统一社会信用代码 ", "单位详细名称", "UNIT_ID", "开业（成立）时间", "备用", ""],
        "legal_entity",
    )

    assert ("credit_code", "name", "unit_id", "opened_ym", "", "") == header.columns
    assert ("备用", "列6") == header.unknown
    assert ("form", "region_code") == header.missing


def test_a_column_named_twice_refuses_the_file() -> None:
    with pytest.raises(RefusedFileError) as refused:
        match_header(["机构编号", "agency_id", "机构名称"], "agency")

    assert ("unreadable_file", "agency_id") == (refused.value.reason, refused.value.column)


def test_title_rows_above_the_header_are_passed_over() -> None:
    rows = [["代理记账机构名册", ""], ["", ""], ["机构编号", "机构名称"], ["A1", "甲"]]

    assert (2, 2) == find_header(rows, "agency")


def test_a_title_row_in_a_text_file_keeps_lines_right(tmp_path: Path) -> None:
    path = delivered(tmp_path, ("代理记账机构名册,,\n" + AGENCY).encode())

    assert [1, 2] == [row[3] for row in whole(opened(path))]
    assert [3, 4] == [row[4] for row in whole(opened(path))]


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


def test_many_open_quotes_in_one_piece_take_time_in_proportion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MAX_RECORD", 200)

    def seconds(blocks: int) -> float:
        text = ('a,"x\n' + 'a,""\n' * 50) * blocks
        start = time.process_time()
        records.exact_records(text, ",", 2, final=False)
        return time.process_time() - start

    assert min(seconds(800) for _ in range(2)) < 12 * min(seconds(200) for _ in range(3))


@pytest.mark.parametrize("filling", ["x", "\0", "\n", "\r", "\r\n"])
def test_what_is_no_table_takes_time_in_proportion(tmp_path: Path, filling: str) -> None:
    path = delivered(tmp_path, (AGENCY + filling * (12 << 20)).encode())
    start = time.process_time()

    rows = sum(batch.rows for batch in opened(path).batches)

    assert (3 if filling.strip("\r\n") else 2) == rows
    assert time.process_time() - start < 10
