"""Workbooks: what a field team opens, fills in and prints."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from workbooks_made import (
    FIRST,
    INFO,
    a_county,
    a_finding,
    a_source,
    a_township,
    a_unit,
    cell_of,
    write_book,
    write_workbooks,
)

from reports import workbook
from reports.workbook import (
    INDEX_FILE,
)
from reports.workbook_book import WorkbookInfo
from reports.workbook_layout import FINDING_COLUMNS
from reports.workbook_texts import RESULTS, TEXTS


def test_sheets_names_and_states(tmp_path: Path) -> None:
    paths = write_workbooks(a_source(a_county()), tmp_path, INFO)
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
    sheet = write_book(tmp_path, a_county())["核查差错一览表"]
    bands = [
        (str(area), sheet[str(area).split(":")[0]].value) for area in sheet.merged_cells.ranges
    ]

    assert sorted(bands) == [
        ("A2:B2", "序号与单位"),
        ("C2:I2", "为何提示"),
        ("J2:N2", "哪个单位"),
        ("O2:R2", "有关数值"),
        ("S2:Y2", "您的答复"),
    ]
    assert [c.value for c in sheet[3]][:2] == ["序号", "单位详细名称"]
    assert [c.value for c in sheet[3]][18:25] == [
        "同一事实",
        "核查结果▼",
        "更正值",
        "依据▼",
        "说明",
        "核查人",
        "日期",
    ]


def test_only_the_answers_are_unlocked_and_yellow(tmp_path: Path) -> None:
    book = write_book(tmp_path, a_county())
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
    answer = cell_of(book["核查差错一览表"], FINDING_COLUMNS, "result")
    assert answer.fill.start_color.rgb == "FFFFFFB3"


def test_dropdowns_cover_the_rows_and_stop_other_values(tmp_path: Path) -> None:
    sheet = write_book(tmp_path, a_county([a_finding("k1"), a_finding("k2")]))["核查差错一览表"]
    rules = {
        str(rule.sqref): (rule.type, rule.errorStyle, rule.formula1)
        for rule in sheet.data_validations.dataValidation
    }
    entries = '"' + ",".join(label.zh for label in RESULTS) + '"'

    assert rules["T4:T5"] == ("list", None, entries)
    assert rules["V4:V5"][0] == "list"
    assert rules["Y4:Y5"][0] == "date"


def test_print_and_view_set_up(tmp_path: Path) -> None:
    sheet = write_book(tmp_path, a_county())["核查差错一览表"]

    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 8)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C4", "A3:Y4")
    assert sheet.print_title_rows == "$2:$3"
    assert "珠晖区" in sheet.oddFooter.left.text
    assert "430405" in sheet.oddFooter.left.text
    assert sheet.oddFooter.center.text == "第 &P 页 共 &N 页"
    assert "签字" in sheet.oddFooter.right.text
    with zipfile.ZipFile(next(tmp_path.glob("430405*"))) as archive:
        assert 'numberStoredAsText="1"' in archive.read("xl/worksheets/sheet4.xml").decode()


def test_summary_counts_answers_by_formula(tmp_path: Path) -> None:
    sheet = write_book(tmp_path, a_county())["核查情况汇总表"]

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
        "=COUNTIFS('核查差错一览表'!$AB$4:$AB$4,A3,'核查差错一览表'!$T$4:$T$4,\"<>\")",
        "=J3-K3",
    ]
    assert sheet["J4"].value == "=SUM(J3:J3)"
    assert [c.value for c in sheet[2]][2:6] == [
        "单位数",
        "须核查单位",
        "其中有差错",
        "其中随机抽查",
    ]


def test_a_unit_has_one_row_and_its_findings_name_it(tmp_path: Path) -> None:
    book = write_book(
        tmp_path,
        a_county(
            [a_finding("k1", place_key="u|L2"), a_finding("k2", place_key="u|L2")],
            [a_unit("u|L1", reason_zh=None, n_findings=0.0), a_unit("u|L2", n_findings=2.0)],
        ),
    )
    units, findings = book["单位核查表"], book["核查差错一览表"]

    assert [c.value for c in units["D"]][3:] == ["L1", "L2"]
    assert [c.value for c in units["M"]][3:] == ["随机抽查", "女性人数不大于期末人数"]
    assert [c.value for c in findings["J"]][3:] == [2, 2]


def test_an_empty_county_gets_a_workbook_that_says_so(tmp_path: Path) -> None:
    county = a_county([], [], [a_township(n_flagged=0.0, n_fatal=0.0, n_findings=0.0)])
    book = write_book(tmp_path, county)
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
    unit = a_unit(reason_zh=None, n_findings=0.0)
    book = write_book(tmp_path, a_county([], [unit], [a_township(n_findings=0.0)]))
    text = _guide_text(book)

    assert "须核查单位 1 个 = 有差错 0 个 + 随机抽查 1 个；差错 0 条" in text
    assert "另有随机抽查单位 1 个须核查" in text
    assert "核对：是否存在、名称、代码、地址、主要业务活动、从业人员、营业收入" in text
    assert book["核查差错一览表"]["A4"].value == TEXTS["no_findings_random"].zh.format(units=1)
    visits = [c.value for c in book["_代码"]["C"]]
    assert visits[-2:] == ["6 相符", "7 不符（写明项目、原值、实际值）"]


def test_the_guide_names_plan_issue_and_what_may_be_right(tmp_path: Path) -> None:
    info = replace(INFO, created=datetime.fromisoformat("2018-12-31"))
    text = _guide_text(write_book(tmp_path, a_county(), info=info))

    assert "《衡阳市第四次全国经济普查预防风险工作预案》（衡经普办〔2019〕19号）" in text
    assert "下发日期\n2019-05-20" in text
    assert "两栏口径不同" in text
    assert "税款跨期" not in text
    assert "随机抽查单位\n" not in text


def test_new_findings_are_told_and_marked(tmp_path: Path) -> None:
    county = a_county([a_finding("0123456789ab"), a_finding("k2", state="reopened")])
    sheet = write_book(tmp_path, county)["核查差错一览表"]
    shown = [
        cell_of(sheet, FINDING_COLUMNS, key).value for key in ("state", "first_run", "short_key")
    ]
    marks = {
        (str(area.sqref), rule.formula[0])
        for area in sheet.conditional_formatting
        for rule in area.rules
    }

    assert shown == ["新增", "20190519-013000", "01234567"]
    assert cell_of(sheet, FINDING_COLUMNS, "state", FIRST + 1).value == "重现"
    assert {("A4:B5", '$D4="新增"'), ("A4:B5", '$D4="重现"')} <= marks


def test_a_county_of_forty_townships(tmp_path: Path) -> None:
    townships = [a_township(f"430405{n:03d}000", township=f"第{n}镇") for n in range(1, 41)]
    sheet = write_book(tmp_path, a_county(townships=townships))["核查情况汇总表"]

    assert [sheet["A42"].value, sheet["B42"].value] == ["430405040000", "第40镇"]
    assert sheet["C43"].value == "=SUM(C3:C42)"


def test_a_large_county_is_split_by_township(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_FINDINGS", 1)
    other = {"township_code": "430405002000", "township": "冶金街道"}
    county = a_county(
        [a_finding("k1"), a_finding("k2", place_key="u|L2", **other)],
        [a_unit("u|L1"), a_unit("u|L2", **other)],
        [a_township(), a_township("430405002000", township="冶金街道")],
    )
    paths = write_workbooks(a_source(county), tmp_path, INFO)
    keys = [
        cell_of(
            openpyxl.load_workbook(path)["核查差错一览表"], FINDING_COLUMNS, "finding_key"
        ).value
        for path in paths[:2]
    ]

    assert [path.name for path in paths[:2]] == [
        "430405001_珠晖区东阳渡街道_20190520-013000.xlsx",
        "430405002_珠晖区冶金街道_20190520-013000.xlsx",
    ]
    assert keys == ["k1", "k2"]


def test_the_index_names_every_file_with_its_digest(tmp_path: Path) -> None:
    paths = write_workbooks(a_source(a_county()), tmp_path, INFO)
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
    paths = write_workbooks(a_source(a_county(), leads=[lead]), tmp_path, INFO)
    index = openpyxl.load_workbook(paths[-1])

    assert [c.value for c in index["线索"][3]][1:5] == [
        "核实性",
        "PAD001",
        "一天登记 80 户",
        "P0501",
    ]
    with zipfile.ZipFile(paths[0]) as archive:
        assert [n for n in archive.namelist() if b"P0501" in archive.read(n)] == []


def test_conclusions_stand_apart_from_leads_and_long_texts_are_shown_in_full(
    tmp_path: Path,
) -> None:
    beside = {"severity": "fatal", "subject": "430405000000", "code": "430405000000"}
    long = "事后质量抽查单位差错率" * 30
    paths = write_workbooks(
        a_source(
            a_county(),
            leads=[{**beside, "rule_id": "PAD009", "message_zh": "线索：可能没有清查"}],
            conclusions=[{**beside, "rule_id": "PES002", "message_zh": long}],
        ),
        tmp_path,
        INFO,
    )
    index = openpyxl.load_workbook(paths[-1])

    assert index.sheetnames == ["目录", "评估结论", "线索"]
    assert [index[name]["C3"].value for name in index.sheetnames[1:]] == ["PES002", "PAD009"]
    # 330 Chinese characters in a column of 70 Latin ones: ten lines.
    assert index["评估结论"].row_dimensions[3].height >= 10 * 13
    assert index["线索"].row_dimensions[3].height == 30
    assert index["评估结论"]["D3"].alignment.wrap_text


def test_the_index_tells_below_the_sum_how_random_visits_were_drawn(tmp_path: Path) -> None:
    draws = [
        {"draw": "random", "n_wanted": 1_200.0, "n_drawn": 1_100.0},
        {"draw": "control", "n_people": 2.0, "n_wanted": 6.0, "n_drawn": 5.0},
    ]
    paths = write_workbooks(a_source(a_county(), draws=draws), tmp_path, INFO)
    sheet = openpyxl.load_workbook(paths[-1])["目录"]

    assert [cell.value for cell in sheet["A"]][3:] == [
        "合计",
        None,
        "随机抽查：应抽 1,200 个单位，实抽 1,100 个",
        "随机对照的普查员回访：普查员 2 人，应抽 6 个单位，实抽 5 个",
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_name_stands_for_one_list_of_answers(tmp_path: Path, lang: str) -> None:
    info = WorkbookInfo(run_id="r1", created=INFO.created, rulebook_digest="ab", lang=lang)
    book = write_book(tmp_path, a_county(), info=info)
    lists: dict[str, set[str]] = {}
    for sheet in book.worksheets:
        for rule in sheet.data_validations.dataValidation:
            if rule.type == "list":
                column = next(iter(rule.sqref.ranges)).min_col
                lists.setdefault(str(sheet.cell(3, column).value), set()).add(rule.formula1)

    assert {name: len(entries) for name, entries in lists.items()} == dict.fromkeys(lists, 1)
    assert len(lists) == 3


def test_a_fact_that_is_asked_twice_is_answered_once(tmp_path: Path) -> None:
    same = {"same_zh": "同一事实，见 XSP001 一行，不必另答", "rule_id": "XSP005"}
    book = write_book(tmp_path, a_county([a_finding("k1"), a_finding("k2", **same)]))
    found = book["核查差错一览表"]

    assert [cell_of(found, FINDING_COLUMNS, "same", row).value for row in (4, 5)] == [
        None,
        "同一事实，见 XSP001 一行，不必另答",
    ]
    outstanding = str(book["核查情况汇总表"]["L3"].value)
    assert outstanding.startswith("=J3-K3-SUMPRODUCT((")
    assert "$S$4:$S$5<>" in outstanding


def test_english_workbooks_have_no_chinese_labels(tmp_path: Path) -> None:
    info = WorkbookInfo(run_id="r1", created=INFO.created, rulebook_digest="ab", lang="en")
    book = write_book(tmp_path, a_county(), info=info)
    sheet = book["Findings"]

    assert book.sheetnames[:4] == ["Instructions", "Summary", "Units", "Findings"]
    assert cell_of(sheet, FINDING_COLUMNS, "severity").value == "fatal"
    assert cell_of(sheet, FINDING_COLUMNS, "message").value == "9 women among 5 employees"
    assert sheet.data_validations.dataValidation[0].formula1.startswith('"1 true as reported,2')
    heads = [str(c.value) for c in sheet[3]]
    assert [head for head in heads if any("\u4e00" <= ch <= "\u9fff" for ch in head)] == []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language: fr"):
        WorkbookInfo(run_id="r", created=INFO.created, rulebook_digest="", lang="fr")


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
