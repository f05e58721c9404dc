"""What counties send and how: read exactly, or refused with a reason that they can act on."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from biff import biff8, compound, record

from audit.errors import UsageError
from pipelines.config import load_config
from pipelines.readers import sheet_xml
from pipelines.readers.encodings import CELL_MARK, show_marks
from pipelines.readers.headers import match_header
from pipelines.readers.model import Reading, RefusedFileError, Source
from pipelines.readers.opening import open_source
from pipelines.readers.which import delivered_files

AGENCY = "机构编号,机构名称,电话\r\nA1,甲所,0734\r\nA2,乙所,0735\r\n"
HEADER = ["机构编号", "机构名称", "电话"]
BIG5 = "機構編號,機構名稱,電話\r\n" + "A1,臺灣會計師事務所有限公司,02\r\n" * 3


def opened(path: Path, table: str = "agency", encoding: str = "") -> Reading:
    return open_source(Source(file_no=1, file=path.name, path=path, table=table, encoding=encoding))


def cells(path: Path, table: str = "agency", encoding: str = "") -> list[tuple[str | None, ...]]:
    return [
        tuple(None if value is None else show_marks(value) for value in row[:-2])
        for batch in opened(path, table, encoding).batches
        for row in batch.frame.rows()
    ]


def delivered(folder: Path, content: bytes, name: str = "agency.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refusal(path: Path, table: str = "agency") -> RefusedFileError:
    with pytest.raises(RefusedFileError) as refused:
        cells(path, table)
    return refused.value


def sheet(path: Path, rows: Sequence[Sequence[object]], **options: object) -> Path:
    settings = {"default_date_format": "yyyy-mm-dd", **options}
    with xlsxwriter.Workbook(str(path), settings) as book:
        page = book.add_worksheet()
        for index, row in enumerate(rows):
            page.write_row(index, 0, row)
    return path


def package(path: Path, xml: str, *, name: str = "Sheet1") -> Path:
    """Write an XLSX whose one sheet holds just this XML of rows."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
        f'Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{rel}"><sheets><sheet name="{name}" '
        'sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
        f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{xml}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, text in parts.items():
            book.writestr(part, text)
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


TOP = f'<row r="1">{text_cell("A1", "机构编号")}{text_cell("B1", "机构名称")}</row>'


# Compression and encodings.


def test_a_gzip_of_several_members_is_read_whole(tmp_path: Path) -> None:
    first, second = AGENCY.encode()[:40], AGENCY.encode()[40:]
    path = delivered(tmp_path, gzip.compress(first) + gzip.compress(second), "agency.csv.gz")

    assert [("A1", "甲所", "0734"), ("A2", "乙所", "0735")] == cells(path)


def test_a_compressed_workbook_says_what_to_do(tmp_path: Path) -> None:
    book = sheet(tmp_path / "a.xlsx", [HEADER, ["A1", "甲", "1"]])
    path = delivered(tmp_path, gzip.compress(book.read_bytes()), "agency.xlsx.gz")

    assert "解压" in refusal(path).zh


@pytest.mark.parametrize("text", [BIG5, "agency_id,name\n" + "A1,臺灣會計師事務所有限公司\n" * 3])
def test_big5_is_refused_and_not_read_as_other_characters(tmp_path: Path, text: str) -> None:
    refused = refusal(delivered(tmp_path, text.encode("big5")))

    assert "bad_bytes" == refused.reason
    assert "[encoding]" in refused.zh


def test_big5_is_read_where_the_configuration_says_so(tmp_path: Path) -> None:
    path = delivered(tmp_path, BIG5.encode("big5"))

    reading = opened(path, encoding="big5")

    assert "big5" == reading.encoding
    assert ("agency_id", "name", "phone") == reading.header.columns
    assert ("A1", "臺灣會計師事務所有限公司", "02") == cells(path, encoding="big5")[0]


@pytest.mark.parametrize("names", ["臺灣會計師事務所", "衡阳市石鼓区鑫淼代理记账", "镕堃喆囍"])
def test_rare_and_traditional_characters_in_gb18030_are_no_big5(tmp_path: Path, names: str) -> None:
    text = "机构编号,机构名称\n" + f"A1,{names}\n" * 20

    assert ("A1", names) == cells(delivered(tmp_path, text.encode("gb18030")))[0]


def test_encodings_are_given_by_glob_and_only_known_ones(tmp_path: Path) -> None:
    config = tmp_path / "census.toml"
    config.write_text('[encoding]\n"tw/*.csv" = "big5"\n', encoding="utf-8")
    (tmp_path / "in" / "tw").mkdir(parents=True)
    delivered(tmp_path / "in" / "tw", b"x", "agency.csv")
    delivered(tmp_path / "in", b"x", "clue.csv")

    sources = delivered_files(tmp_path / "in", {}, load_config(config).encoding)

    assert [("clue.csv", ""), ("tw/agency.csv", "big5")] == [(s.file, s.encoding) for s in sources]
    config.write_text('[encoding]\n"*" = "latin-1"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="big5hkscs"):
        load_config(config)


@pytest.mark.parametrize(
    "text",
    [
        "机构编号,机构名称\r\nA1,甲\nA2,乙\rA3,丙\r\nA4,丁",
        "机构编号,机构名称\rA1,甲\rA2,乙\r\nA3,丙\nA4,丁\n",
    ],
)
def test_mixed_line_ends(tmp_path: Path, text: str) -> None:
    path = delivered(tmp_path, text.encode())

    assert [("A1", "甲"), ("A2", "乙"), ("A3", "丙"), ("A4", "丁")] == cells(path)


# Other formats under a familiar name.


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("agency.xls", b"<html><table><tr><td>x</td></tr></table></html>", "HTML"),
        ("agency.xls", b"\xef\xbb\xbf\r\n<?xml version='1.0'?><Workbook/>", "XML"),
        ("agency.csv", "<table>".encode("utf-16"), "HTML"),
        ("agency.csv", b"Rar!\x1a\x07\x00", "RAR"),
        ("agency.csv", b"%PDF-1.4", "PDF"),
        ("agency.xls", b"\x09\x04\x06\x00\x00\x00\x10\x00", "Excel 4.0"),
    ],
)
def test_foreign_formats_are_named(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    refused = refusal(delivered(tmp_path, content, name))

    assert word in refused.zh
    assert word in refused.en


@pytest.mark.parametrize(
    ("part", "word"),
    [("xl/workbook.bin", "XLSB"), ("content.xml", "ODS"), ("agency.csv", "ZIP")],
)
def test_zips_that_are_no_xlsx_are_named(tmp_path: Path, part: str, word: str) -> None:
    path = tmp_path / "agency.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(part, "x")

    assert word in refusal(path).zh


def test_a_text_file_and_an_xlsx_under_the_name_of_xls_are_read(tmp_path: Path) -> None:
    text = delivered(tmp_path, AGENCY.encode("gb18030"), "agency.xls")
    assert 2 == len(cells(text))

    sheet(tmp_path / "a.xlsx", [HEADER, ["A1", "甲", "1"]]).rename(tmp_path / "b.xls")
    assert "xlsx" == opened(tmp_path / "b.xls").format
    assert [("A1", "甲", "1")] == cells(tmp_path / "b.xls")


@pytest.mark.parametrize("name", ["agency.xls", "agency.et", "agency.csv"])
def test_biff_workbooks_of_excel_and_wps(tmp_path: Path, name: str) -> None:
    path = delivered(tmp_path, biff8([HEADER, ["A1", "甲所", 734.0], ["A2", "乙所", "0735"]]), name)

    assert ("et" if name.endswith("et") else "xls") == opened(path).format
    assert [("A1", "甲所", "734"), ("A2", "乙所", "0735")] == cells(path)


B2 = struct.pack("<HHH", 1, 1, 0)
SHARED = record(0x04BC, b"\0" * 10)


def biff_formula(value: bytes, place: bytes = B2) -> bytes:
    return record(0x0006, place + value.ljust(6, b"\0").ljust(8, b"\xff") + b"\0" * 8)


def biff_text(text: str) -> bytes:
    return record(0x0207, struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))


COMPUTED = biff_formula(b"\2\0\x17", struct.pack("<HHH", 2, 1, 0))


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        (record(0x0205, B2 + bytes([42, 1])), "#N/A"),
        (record(0x0205, B2 + bytes([1, 0])), "TRUE"),
        (biff_formula(b"\2\0\7"), "#DIV/0!"),
        (biff_formula(b"\0"), "="),
        (biff_formula(b"\0") + SHARED, "="),
        (biff_formula(b"\0") + biff_text("乙所"), "乙所"),
        (biff_formula(b"\0") + SHARED + biff_text("乙所"), "乙所"),
        (biff_formula(struct.pack("<d", 7.0)), "7"),
        (biff_formula(b"\1\0\1"), "TRUE"),
        # An empty text: of a workbook that was computed, or that never was.
        (biff_formula(b"\3") + COMPUTED, ""),
        (biff_formula(b"\3"), "="),
    ],
)
@pytest.mark.parametrize("small", [False, True])
def test_errors_and_formulas_of_biff_workbooks(
    tmp_path: Path, more: bytes, shown: str, small: bool
) -> None:
    book = biff8([HEADER[:2], ["A1"], ["A2"]], more=more, small=small)
    path = delivered(tmp_path, book, "agency.xls")

    batch = next(opened(path).batches)

    assert ("A1", shown) == cells(path)[0]
    assert (shown[:1] in "=#" and shown != "") == batch.frame["c1"][0].startswith(CELL_MARK)


def test_workbooks_with_a_password_say_so(tmp_path: Path) -> None:
    old = delivered(tmp_path, biff8([HEADER], password=True), "agency.xls")
    new = delivered(tmp_path, compound("EncryptedPackage", b"x"), "agency.xlsx")

    assert "密码" in refusal(old).zh
    assert "密码" in refusal(new).zh


def test_a_workbook_in_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "agency.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write_row(0, 0, HEADER)
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            content[start + place] |= 1
            start = content.find(mark, start + 4)
    path.write_bytes(content)

    told = refusal(path)

    assert "unreadable_file" == told.reason
    assert "电子表格设有打开密码" in told.zh


# Sheets.


def test_merged_titles_blank_ends_and_hidden_rows(tmp_path: Path) -> None:
    path = tmp_path / "agency.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.merge_range(0, 0, 0, 2, "代理记账机构名册")
        page.merge_range(1, 0, 1, 2, "填报单位：某局")
        for index, row in enumerate([HEADER, ["A1", "甲", "1"], ["A2", "乙", "2"], ["", " ", ""]]):
            page.write_row(index + 2, 0, row)
        page.set_row(4, None, None, {"hidden": True})

    rows = [row for batch in opened(path).batches for row in batch.frame.rows()]

    assert [("A1", "甲", "1", 1, 4), ("A2", "乙", "2", 2, 5)] == rows


def test_hidden_sheets_are_data_and_named_where_they_are_none(tmp_path: Path) -> None:
    path = tmp_path / "agency.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        pages = [book.add_worksheet(name) for name in ("一", "二", "说明")]
        for page, rows in zip(
            pages,
            [[HEADER, ["A1", "甲", "1"]], [HEADER, ["A2", "乙", "2"]], [["勿改"]]],
            strict=True,
        ):
            for index, row in enumerate(rows):
                page.write_row(index, 0, row)
        pages[1].hide()
        pages[2].hide()

    assert ("工作表：说明（隐藏）",) == opened(path).header.unknown
    assert ["A1", "A2"] == [row[0] for row in cells(path)]


@pytest.mark.parametrize("date_1904", [False, True])
def test_true_dates_in_both_systems_and_booleans(tmp_path: Path, date_1904: bool) -> None:
    header = ["抽查记录号", "普查小区编码", "单位类别", "抽查结果", "普查值", "抽查日期"]
    day = dt.date(2019, 6, 20)
    path = sheet(
        tmp_path / "recheck.xlsx", [header, ["Q1", "430405010002001", "1", "1", True, day]],
        date_1904=date_1904,
    )  # fmt: skip

    assert ("TRUE", "2019-06-20") == cells(path, "recheck")[0][4:]


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("<c r='B2'><f>A2&amp;1</f></c>", "="),
        ('<c r="B2"><f>A2&amp;1</f><v></v></c>', "="),
        ('<c r="B2"><f>A2&amp;1</f><v/></c>', "="),
        ('<c r="B2" t="str"><f>A2&amp;1</f></c>', "="),
        ('<c r="B2"><f t="shared" si="0"/></c>', "="),
        ('<c t="e" r="B2"><f>NA()</f><v>#N/A</v></c>', "#N/A"),
        ('<c r="B2" t="str"><f>A2&amp;1</f><v>甲所</v></c>', "甲所"),
        ('<c r="B2" t="str"><f>IF(1,"")</f><v></v></c>', ""),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
    ],
)
def test_a_formula_counts_with_its_value_only(tmp_path: Path, formula: str, shown: str) -> None:
    path = package(
        tmp_path / "agency.xlsx", f'{TOP}<row r="2">{text_cell("A2", "A1")}{formula}</row>'
    )

    batch = next(opened(path).batches)

    assert [("A1", shown)] == cells(path)
    assert (shown in ("=", "#N/A")) == batch.damaged


def test_one_far_cell_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    far = f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'
    path = package(tmp_path / "agency.xlsx", TOP + far)

    assert "XFD1048576" in refusal(path).zh


@pytest.mark.parametrize(
    "far",
    [
        '<row r="1"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>',
        "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        '<x:row xmlns:x="x" r="1048576"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
    ],
)
def test_far_cells_in_other_spellings_are_seen(tmp_path: Path, far: str) -> None:
    assert "XFD1048576" in refusal(package(tmp_path / "agency.xlsx", TOP + far)).zh


def test_blank_formatted_cells_far_off_do_no_harm(tmp_path: Path) -> None:
    rows = f'<row r="2">{text_cell("A2", "A1")}{text_cell("B2", "甲")}</row>'
    far = '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    path = package(tmp_path / "agency.xlsx", TOP + rows + far)

    assert [("A1", "甲")] == cells(path)


def test_a_zip_bomb_is_not_expanded(tmp_path: Path) -> None:
    path = package(tmp_path / "agency.xlsx", TOP + " " * (sheet_xml.RATIO_FROM + 1))

    assert path.stat().st_size < 1 << 20
    assert "解压" in refusal(path).zh


def test_more_cells_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_xml, "MAX_CELLS", 5)
    path = sheet(tmp_path / "agency.xlsx", [HEADER, ["A1", "甲", "1"]])

    assert "CSV" in refusal(path).zh


# Headers and folders.


@pytest.mark.parametrize(
    "cell",
    [
        "109 统一社会信用代码", "109.统一社会信用代码", "109、统一社会信用代码",
        "（109）统一社会信用代码", "109．统一社会信用代码", "(109) 统一社会\n信用代码",
        "１０９统一社会信用代码", "109:统一社会信用代码",
        "統一社會信用代碼", "CREDIT_CODE", "credit_code",
    ],
)  # fmt: skip
def test_headers_as_people_write_them(cell: str) -> None:
    assert ("credit_code",) == match_header([cell], "legal_entity").columns


def test_a_wrong_item_number_is_no_alias() -> None:
    assert ("",) == match_header(["108 统一社会信用代码"], "legal_entity").columns


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "far" / "agency").mkdir(parents=True)
    delivered(tmp_path / "far" / "agency", AGENCY.encode(), "a.csv")
    (tmp_path / "in" / "county").symlink_to(tmp_path / "far", target_is_directory=True)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "gone.csv").symlink_to(tmp_path / "nowhere")

    found = [source.file for source in delivered_files(tmp_path / "in", {})]

    assert ["county/agency/a.csv", "gone.csv", "loop"] == found


def test_names_that_read_the_same_in_two_encodings_stay_apart(tmp_path: Path) -> None:
    for codec in ("utf-8", "gb18030"):
        name = os.fsdecode("代理机构.csv".encode(codec))
        (tmp_path / name).write_text("x", encoding="utf-8")

    found = [source.file for source in delivered_files(tmp_path, {})]

    assert ["代理机构.csv", "代理机构.csv (2)"] == found
