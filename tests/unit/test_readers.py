"""Bytes of a delivered file to rows of text: encodings, records, headers, formats."""

from __future__ import annotations

import csv
import gzip
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reading import AGENCY, ROWS, broken, cells, delivered, opened, whole

from pipelines.readers import records
from pipelines.readers.encodings import GB18030_PRIVATE, show_marks
from pipelines.readers.model import RefusedFileError


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
