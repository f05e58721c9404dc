"""Workbooks: what a field team opens, and what must never happen in it."""

from __future__ import annotations

import hashlib
import os
import resource
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pytest

from reports import workbook
from reports.workbook import (
    FINDING_FIELDS,
    INDEX_FILE,
    LEAD_FIELDS,
    TOWNSHIP_FIELDS,
    UNIT_FIELDS,
    CountyData,
    WorkbookSource,
    write_workbooks,
)
from reports.workbook_book import WorkbookInfo
from reports.workbook_cells import clean_texts, line_counts, row_hash, safe_name
from reports.workbook_layout import FINDING_COLUMNS, UNIT_COLUMNS, list_rule, position
from reports.workbook_texts import RESULTS, TEXTS

INFO = WorkbookInfo(
    run_id="20190520-013000",
    created=datetime.fromisoformat("2019-05-20T01:30:00"),
    rulebook_digest="ab12" * 16,
)
FIRST = 4
NUMBERS = {
    "n_findings",
    "n_fatal",
    "n_units",
    "n_visit",
    "n_flagged",
    "n_random",
    "n_query",
    "n_info",
    "observed_number",
    "expected_number",
    "difference",
}


def _table(fields: tuple[str, ...], rows: list[dict[str, Any]]) -> pa.Table:
    types = {f: pa.float64() if f in NUMBERS else pa.string() for f in fields}
    types |= {"due_on": pa.date32()} if "due_on" in fields else {}
    columns = {f: pa.array([row.get(f) for row in rows], types[f]) for f in fields}
    return pa.table(columns)


def _finding(key: str, **values: Any) -> dict[str, Any]:
    return {
        "finding_key": key,
        "place_key": "u|L1",
        "rule_id": "FRM002",
        "severity": "fatal",
        "clause": "三(三)1",
        "message_zh": "女性人数 9 大于期末人数 5",
        "message_en": "9 women among 5 employees",
        "township_code": "430405001000",
        "township": "东阳渡街道",
        "place_id": "L1",
        "credit_code": "014304000000000018",
        "name": "衡阳市甲公司",
        "state": "new",
        "first_run": "20190519-013000",
        "item_zh": "其中：女性",
        "item_en": "of which women",
        "observed": "9",
        "observed_number": 9.0,
        "expected": "5",
        "expected_number": 5.0,
        "difference": 4.0,
        **values,
    }


def _unit(key: str = "u|L1", **values: Any) -> dict[str, Any]:
    return {
        "place_key": key,
        "place_id": key[2:],
        "credit_code": "014304000000000018",
        "name": "衡阳市甲公司",
        "kind_zh": "法人单位",
        "kind_en": "legal entity",
        "township_code": "430405001000",
        "township": "东阳渡街道",
        "address": "东阳渡街道1号",
        "phone": "0734-8110000",
        "contact": "张三",
        "enumerator": "李四（P05）",
        "n_findings": 1.0,
        "n_fatal": 1.0,
        "reason_zh": "女性人数不大于期末人数",
        "reason_en": "Women at most employees",
        "due_on": date(2019, 5, 27),
        **values,
    }


def _township(code: str = "430405001000", **values: Any) -> dict[str, Any]:
    return {
        "township_code": code,
        "township": "东阳渡街道",
        "n_units": 40.0,
        "n_visit": 3.0,
        "n_flagged": 1.0,
        "n_random": 2.0,
        "n_fatal": 1.0,
        "n_query": 0.0,
        "n_info": 0.0,
        "n_findings": 1.0,
        **values,
    }


def _county(
    findings: list[dict[str, Any]] | None = None,
    units: list[dict[str, Any]] | None = None,
    townships: list[dict[str, Any]] | None = None,
    name: str = "珠晖区",
) -> CountyData:
    return CountyData(
        code="430405",
        name=name,
        townships=_table(TOWNSHIP_FIELDS, [_township()] if townships is None else townships),
        units=_table(UNIT_FIELDS, [_unit()] if units is None else units),
        findings=_table(FINDING_FIELDS, [_finding("k1")] if findings is None else findings),
    )


def _source(*counties: CountyData, leads: list[dict[str, Any]] | None = None) -> WorkbookSource:
    rules = pa.table(
        {
            "rule_id": ["FRM002", "REG006"],
            "severity": ["fatal", "query"],
            "clause": ["三(三)1", "三(一)3"],
            "title_zh": ["女性人数不大于期末人数", "营业收入与税务差异"],
            "title_en": ["Women at most employees", "Revenue against tax"],
            "verify_zh": ["看工资表", "看利润表"],
            "verify_en": ["See the payroll", "See the accounts"],
            "false_positives_zh": ["两栏口径不同", "税款跨期"],
            "false_positives_en": ["Two definitions", "Tax of another year"],
        }
    )
    return WorkbookSource(counties=counties, rules=rules, leads=_table(LEAD_FIELDS, leads or []))


def _write(folder: Path, *counties: CountyData, info: WorkbookInfo = INFO) -> Any:
    paths = write_workbooks(_source(*counties), folder, info)
    return openpyxl.load_workbook(paths[0])


def _cell(sheet: Any, columns: Any, key: str, row: int = FIRST) -> Any:
    return sheet.cell(row, position(columns, key) + 1)


def test_sheets_names_and_states(tmp_path: Path) -> None:
    paths = write_workbooks(_source(_county()), tmp_path, INFO)
    book = openpyxl.load_workbook(paths[0])

    assert [path.name for path in paths] == ["430405_珠晖区_20190520-013000.xlsx", INDEX_FILE]
    assert {sheet.title: sheet.sheet_state for sheet in book.worksheets} == {
        "填写说明": "visible",
        "核查情况汇总表": "visible",
        "单位核查表": "visible",
        "核查差错一览表": "visible",
        "_代码": "veryHidden",
        "_meta": "veryHidden",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(p.name for p in paths)


def test_four_bands_with_merged_titles(tmp_path: Path) -> None:
    sheet = _write(tmp_path, _county())["核查差错一览表"]
    bands = [
        (str(area), sheet[str(area).split(":")[0]].value) for area in sheet.merged_cells.ranges
    ]

    assert sorted(bands) == [
        ("A2:B2", "序号与单位"),
        ("C2:I2", "为何提示"),
        ("J2:N2", "哪个单位"),
        ("O2:R2", "有关数值"),
        ("S2:X2", "您的答复"),
    ]
    assert [c.value for c in sheet[3]][:2] == ["序号", "单位详细名称"]
    assert [c.value for c in sheet[3]][18:24] == [
        "核查结果▼",
        "更正值",
        "依据▼",
        "说明",
        "核查人",
        "日期",
    ]


def test_codes_stay_text_and_values_are_numbers(tmp_path: Path) -> None:
    sheet = _write(tmp_path, _county())["核查差错一览表"]
    code = _cell(sheet, FINDING_COLUMNS, "credit_code")
    observed = _cell(sheet, FINDING_COLUMNS, "observed")

    assert (code.value, code.data_type, code.number_format) == ("014304000000000018", "s", "@")
    assert (observed.value, observed.data_type, observed.number_format) == (9, "n", "#,##0")


def test_a_value_that_is_no_number_stays_text(tmp_path: Path) -> None:
    finding = _finding("k1", observed="007", observed_number=None, difference=None)
    sheet = _write(tmp_path, _county([finding]))["核查差错一览表"]

    assert _cell(sheet, FINDING_COLUMNS, "observed").value == "007"
    assert _cell(sheet, FINDING_COLUMNS, "difference").value is None


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "{=1+1}",
        "http://example.com/a",
        "mailto:a@b.cn",
        "internal:_meta!A1",
        "0123",
        "1E5",
        "<r><t>x</t></r> ",
    ],
)
def test_hostile_names_stay_what_they_are(tmp_path: Path, name: str) -> None:
    county = _county([_finding("k1", name=name, message_zh=name)], [_unit(name=name, address=name)])
    book = _write(tmp_path, county)
    shown = [
        _cell(book["核查差错一览表"], FINDING_COLUMNS, "name"),
        _cell(book["核查差错一览表"], FINDING_COLUMNS, "message"),
        _cell(book["单位核查表"], UNIT_COLUMNS, "address"),
    ]

    assert [(c.data_type, c.value, c.hyperlink) for c in shown] == [("s", name, None)] * 3
    formulas = [
        c.value
        for sheet in book.worksheets
        if sheet.title != "核查情况汇总表"
        for row in sheet.iter_rows()
        for c in row
        if c.data_type == "f"
    ]
    assert formulas == []


def test_markup_in_a_name_cannot_break_the_file(tmp_path: Path) -> None:
    name = "<r><t>甲</t></r>"
    sheet = _write(tmp_path, _county([_finding("k1", name=name)]))["核查差错一览表"]

    assert _cell(sheet, FINDING_COLUMNS, "name").value == name + " "


def test_a_name_that_looks_like_an_escape_is_escaped(tmp_path: Path) -> None:
    _write(tmp_path, _county([_finding("k1", name="_x0041_")]))
    with zipfile.ZipFile(next(tmp_path.glob("430405*"))) as archive:
        text = archive.read("xl/worksheets/sheet4.xml").decode()

    assert "<t>_x005F_x0041_</t>" in text


def test_characters_that_xml_forbids_are_shown() -> None:
    texts = pl.Series(["甲\x01乙", "a\tb\r\nc", "\ufffe", None, "丙"])

    assert ["甲␁乙", "a\tb\nc", "\ufffd", None, "丙"] == clean_texts(texts).to_list()


def test_texts_too_long_for_a_cell_are_cut_visibly() -> None:
    text = clean_texts(pl.Series(["长" * 40_000]))[0]

    assert (len(text), text[-1]) == (32_001, "…")


def test_only_the_answers_are_unlocked_and_yellow(tmp_path: Path) -> None:
    book = _write(tmp_path, _county())
    unlocked = {
        sheet.title: {c.column for row in sheet.iter_rows() for c in row if not c.protection.locked}
        for sheet in book.worksheets
    }
    answers = {i for i, c in enumerate(FINDING_COLUMNS, 1) if c.is_answer}

    assert {s.title: s.protection.sheet for s in book.worksheets} == {
        s.title: True for s in book.worksheets
    }
    assert {s.title: s.protection.password for s in book.worksheets if s.protection.password} == {}
    assert unlocked["核查差错一览表"] == answers
    assert unlocked["单位核查表"] == {14, 15, 16, 17}
    assert unlocked["填写说明"] | unlocked["核查情况汇总表"] == set()
    answer = _cell(book["核查差错一览表"], FINDING_COLUMNS, "result")
    assert answer.fill.start_color.rgb == "FFFFFFB3"


def test_dropdowns_cover_the_rows_and_stop_other_values(tmp_path: Path) -> None:
    sheet = _write(tmp_path, _county([_finding("k1"), _finding("k2")]))["核查差错一览表"]
    rules = {
        str(rule.sqref): (rule.type, rule.errorStyle, rule.formula1)
        for rule in sheet.data_validations.dataValidation
    }
    entries = '"' + ",".join(label.zh for label in RESULTS) + '"'

    assert rules["S4:S5"] == ("list", None, entries)
    assert rules["U4:U5"][0] == "list"
    assert rules["X4:X5"][0] == "date"


def test_long_lists_come_from_the_hidden_sheet() -> None:
    where = "='_代码'!$A$2:$A$9"

    assert list_rule(["甲" * 200, "乙" * 60], "zh", where)["source"] == where
    assert list_rule(["a, b", "c"], "en", where)["source"] == where
    assert list_rule(["甲", "乙"], "zh", where)["source"] == ["甲", "乙"]


def test_print_and_view_set_up(tmp_path: Path) -> None:
    sheet = _write(tmp_path, _county())["核查差错一览表"]

    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 8)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C4", "A3:X4")
    assert sheet.print_title_rows == "$2:$3"
    assert "珠晖区" in sheet.oddFooter.left.text
    assert "430405" in sheet.oddFooter.left.text
    assert sheet.oddFooter.center.text == "第 &P 页 共 &N 页"
    assert "签字" in sheet.oddFooter.right.text
    with zipfile.ZipFile(next(tmp_path.glob("430405*"))) as archive:
        assert 'numberStoredAsText="1"' in archive.read("xl/worksheets/sheet4.xml").decode()


def test_summary_counts_answers_by_formula(tmp_path: Path) -> None:
    sheet = _write(tmp_path, _county())["核查情况汇总表"]

    assert [c.value for c in sheet[3]] == [
        "430405001000",
        "东阳渡街道",
        40,
        3,
        1,
        2,
        1,
        0,
        0,
        1,
        "=COUNTIFS('核查差错一览表'!$AA$4:$AA$4,A3,'核查差错一览表'!$S$4:$S$4,\"<>\")",
        "=J3-K3",
    ]
    assert sheet["J4"].value == "=SUM(J3:J3)"
    assert [c.value for c in sheet[2]][2:6] == [
        "单位数",
        "须核查单位",
        "其中有差错",
        "其中随机抽查",
    ]


def test_rows_carry_key_and_hash_and_meta_tells_the_export(tmp_path: Path) -> None:
    book = _write(tmp_path, _county([_finding("k2"), _finding("k1", severity="query")]))
    sheet = book["核查差错一览表"]
    meta = {row[0].value: row[1].value for row in book["_meta"].iter_rows()}
    key = _cell(sheet, FINDING_COLUMNS, "finding_key")
    locked = [
        None if cell.value is None else cell.value
        for cell, column in zip(sheet[FIRST], FINDING_COLUMNS, strict=True)
        if column.kind in ("text", "number")
    ]
    digest = hashlib.sha256(b"k1\nk2").hexdigest()

    assert key.value == "k2"
    assert sheet.column_dimensions["Y"].hidden
    assert _cell(sheet, FINDING_COLUMNS, "row_hash").value == row_hash(locked)
    assert meta["keys_digest"] == digest
    assert meta["export_id"] == f"20190520-013000-430405-{digest[:8]}"
    assert (meta["rulebook_digest"], meta["findings"]) == ("ab12" * 16, "2")
    assert {p.name: p.value for p in book.custom_doc_props.props}["export_id"] == meta["export_id"]


def test_row_hash_takes_numbers_as_they_are_shown() -> None:
    assert row_hash(["甲", 9.0, None]) == row_hash(["甲", "9", ""])
    assert row_hash(["甲", 9.0, None]) != row_hash(["甲", 8.0, None])
    assert len(row_hash([])) == 16


def test_a_unit_has_one_row_and_its_findings_name_it(tmp_path: Path) -> None:
    book = _write(
        tmp_path,
        _county(
            [_finding("k1", place_key="u|L2"), _finding("k2", place_key="u|L2")],
            [_unit("u|L1", reason_zh=None, n_findings=0.0), _unit("u|L2", n_findings=2.0)],
        ),
    )
    units, findings = book["单位核查表"], book["核查差错一览表"]

    assert [c.value for c in units["D"]][3:] == ["L1", "L2"]
    assert [c.value for c in units["M"]][3:] == ["随机抽查", "女性人数不大于期末人数"]
    assert [c.value for c in findings["J"]][3:] == [2, 2]


def test_an_empty_county_gets_a_workbook_that_says_so(tmp_path: Path) -> None:
    county = _county([], [], [_township(n_flagged=0.0, n_fatal=0.0, n_findings=0.0)])
    book = _write(tmp_path, county)
    text = TEXTS["no_findings"].zh

    assert text.startswith("无差错")
    assert [book[name].cell(FIRST, 1).value for name in ("单位核查表", "核查差错一览表")] == [
        text
    ] * 2
    assert text in [c.value for c in book["填写说明"]["A"]]
    assert book["核查情况汇总表"]["K3"].value.startswith("=COUNTIFS(")


def _guide_text(book: Any) -> str:
    return "\n".join(
        str(cell) for row in book["填写说明"].iter_rows(values_only=True) for cell in row if cell
    )


def test_random_units_do_not_contradict_the_good_news(tmp_path: Path) -> None:
    unit = _unit(reason_zh=None, n_findings=0.0)
    book = _write(tmp_path, _county([], [unit], [_township(n_findings=0.0)]))
    text = _guide_text(book)

    assert "须核查单位 1 个 = 有差错 0 个 + 随机抽查 1 个；差错 0 条" in text
    assert "另有随机抽查单位 1 个须核查" in text
    assert "核对：是否存在、名称、代码、地址、主要业务活动、从业人员、营业收入" in text
    assert book["核查差错一览表"]["A4"].value == TEXTS["no_findings_random"].zh.format(units=1)
    visits = [c.value for c in book["_代码"]["C"]]
    assert visits[-2:] == ["6 相符", "7 不符（写明项目、原值、实际值）"]


def test_the_guide_names_plan_issue_and_what_may_be_right(tmp_path: Path) -> None:
    info = replace(INFO, created=datetime.fromisoformat("2018-12-31"))
    text = _guide_text(_write(tmp_path, _county(), info=info))

    assert "《衡阳市第四次全国经济普查预防风险工作预案》（衡经普办〔2019〕19号）" in text
    assert "下发日期\n2019-05-20" in text
    assert "两栏口径不同" in text
    assert "税款跨期" not in text
    assert "随机抽查单位\n" not in text


def test_new_findings_are_told_and_marked(tmp_path: Path) -> None:
    county = _county([_finding("0123456789ab"), _finding("k2", state="reopened")])
    sheet = _write(tmp_path, county)["核查差错一览表"]
    shown = [
        _cell(sheet, FINDING_COLUMNS, key).value for key in ("state", "first_run", "short_key")
    ]
    marks = {
        (str(area.sqref), rule.formula[0])
        for area in sheet.conditional_formatting
        for rule in area.rules
    }

    assert shown == ["新增", "20190519-013000", "01234567"]
    assert _cell(sheet, FINDING_COLUMNS, "state", FIRST + 1).value == "重现"
    assert {("A4:B5", '$D4="新增"'), ("A4:B5", '$D4="重现"')} <= marks


def test_a_code_among_the_values_does_not_break(tmp_path: Path) -> None:
    values = {"observed": "91430405568242774C", "observed_number": None, "expected": "甲乙 丙"}
    finding = _finding("k1", **values, expected_number=None)
    sheet = _write(tmp_path, _county([finding]))["核查差错一览表"]
    looks = [_cell(sheet, FINDING_COLUMNS, key).alignment for key in ("observed", "expected")]

    assert [bool(look.wrap_text) for look in looks] == [False, True]
    assert sheet.column_dimensions["P"].width >= 20


def test_a_county_of_forty_townships(tmp_path: Path) -> None:
    townships = [_township(f"430405{n:03d}000", township=f"第{n}镇") for n in range(1, 41)]
    sheet = _write(tmp_path, _county(townships=townships))["核查情况汇总表"]

    assert [sheet["A42"].value, sheet["B42"].value] == ["430405040000", "第40镇"]
    assert sheet["C43"].value == "=SUM(C3:C42)"


def test_a_large_county_is_split_by_township(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_FINDINGS", 1)
    other = {"township_code": "430405002000", "township": "冶金街道"}
    county = _county(
        [_finding("k1"), _finding("k2", place_key="u|L2", **other)],
        [_unit("u|L1"), _unit("u|L2", **other)],
        [_township(), _township("430405002000", township="冶金街道")],
    )
    paths = write_workbooks(_source(county), tmp_path, INFO)
    keys = [
        _cell(openpyxl.load_workbook(path)["核查差错一览表"], FINDING_COLUMNS, "finding_key").value
        for path in paths[:2]
    ]

    assert [path.name for path in paths[:2]] == [
        "430405001_珠晖区东阳渡街道_20190520-013000.xlsx",
        "430405002_珠晖区冶金街道_20190520-013000.xlsx",
    ]
    assert keys == ["k1", "k2"]


def test_the_index_names_every_file_with_its_digest(tmp_path: Path) -> None:
    paths = write_workbooks(_source(_county()), tmp_path, INFO)
    index = openpyxl.load_workbook(paths[-1])
    row = [c.value for c in index["目录"][3]]

    assert row == [
        "430405",
        "珠晖区",
        40,
        3,
        1,
        2,
        1,
        0,
        0,
        1,
        paths[0].name,
        hashlib.sha256(paths[0].read_bytes()).hexdigest(),
    ]
    assert index.sheetnames == ["目录"]
    assert [index["目录"].cell(row, 1).font.bold for row in (3, 4)] == [False, True]


def test_leads_stay_in_the_index(tmp_path: Path) -> None:
    lead = {
        "severity": "query",
        "rule_id": "PAD001",
        "message_zh": "一天登记 80 户",
        "message_en": "80 in a day",
        "subject": "P0501",
        "code": "430405001001",
        "place": "东阳渡",
    }
    paths = write_workbooks(_source(_county(), leads=[lead]), tmp_path, INFO)
    index = openpyxl.load_workbook(paths[-1])

    assert [c.value for c in index["线索"][3]][1:5] == [
        "核实性",
        "PAD001",
        "一天登记 80 户",
        "P0501",
    ]
    with zipfile.ZipFile(paths[0]) as archive:
        assert [n for n in archive.namelist() if b"P0501" in archive.read(n)] == []


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_workbooks(_source(_county()), tmp_path / "a", INFO)
    mask = os.umask(0o077)
    second = write_workbooks(_source(_county()), tmp_path / "b", INFO)
    os.umask(mask)

    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_english_workbooks_have_no_chinese_labels(tmp_path: Path) -> None:
    info = WorkbookInfo(run_id="r1", created=INFO.created, rulebook_digest="ab", lang="en")
    book = _write(tmp_path, _county(), info=info)
    sheet = book["Findings"]

    assert book.sheetnames[:4] == ["Instructions", "Summary", "Units", "Findings"]
    assert _cell(sheet, FINDING_COLUMNS, "severity").value == "fatal"
    assert _cell(sheet, FINDING_COLUMNS, "message").value == "9 women among 5 employees"
    assert sheet.data_validations.dataValidation[0].formula1.startswith('"1 true as reported,2')
    heads = [str(c.value) for c in sheet[3]]
    assert [head for head in heads if any("\u4e00" <= ch <= "\u9fff" for ch in head)] == []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language: fr"):
        WorkbookInfo(run_id="r", created=INFO.created, rulebook_digest="", lang="fr")


def test_place_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    paths = write_workbooks(_source(_county(name="../..\\甲:乙 & 丙")), tmp_path, INFO)

    assert paths[0].name == "430405_甲乙&丙_20190520-013000.xlsx"
    assert safe_name("a/b\x00c") == "abc"
    sheet: Any = openpyxl.load_workbook(paths[0])["单位核查表"]
    assert "&&" in sheet.oddFooter.left.text


def test_rows_are_as_high_as_their_longest_text() -> None:
    columns: list[Any] = [(["甲" * 10, "a", None], 11.0), ([7.0, "a\nb\nc", "b"], 11.0)]

    assert line_counts(columns) == [2, 3, 1]


def test_every_text_is_given_in_both_languages() -> None:
    missing = [key for key, label in TEXTS.items() if not (label.zh and label.en)]
    mixed = [
        key
        for key, label in TEXTS.items()
        if any("\u4e00" <= character <= "\u9fff" for character in label.en)
    ]

    assert (missing, mixed) == ([], [])


def test_texts_that_a_dropdown_shows_fit_its_limits() -> None:
    titles = [TEXTS[key] for key in TEXTS if key.endswith("_title")]
    texts = [TEXTS[key] for key in ("stop_text", "date_text", "explain_text", "correct_text")]

    assert max(len(t) for label in titles for t in (label.zh, label.en)) <= 32
    assert max(len(t) for label in texts for t in (label.zh, label.en)) <= 255


@pytest.mark.parametrize("limit", [2_000, 8_000])
def test_a_full_disk_is_an_os_error_and_leaves_no_scratch(tmp_path: Path, limit: int) -> None:
    findings = [_finding(f"k{n}") for n in range(60)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_workbooks(_source(_county(findings)), tmp_path, INFO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".scratch")] == []
