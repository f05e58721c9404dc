"""Review workbooks: what people see, and what comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import polars as pl
import pyarrow as pa
import pytest
from openpyxl.cell.rich_text import TextBlock

from audit.errors import InputError
from pipelines.decide import REASONS, Known, take_in
from pipelines.link_tables import identity_of
from pipelines.review_reader import read_review
from pipelines.review_taken import add_linked
from reports.review import (
    ISSUED_COLUMNS,
    MAX_PAIRS,
    PAIR_COLUMNS,
    PAIR_FIELDS,
    ReviewInfo,
    differing,
    locked_places,
    write_review,
)
from reports.workbook_book import WorkbookInfo
from reports.workbook_cells import row_hash
from reports.workbook_layout import FIRST_ROW, position

BOOK = WorkbookInfo(run_id="r1", created=datetime.fromisoformat("2018-12-31"), rulebook_digest="")
INFO = ReviewInfo(book=BOOK, place="衡阳市")


def pair(left: str = "L1", right: str = "L2", **changes: object) -> dict[str, object]:
    base: dict[str, object] = dict.fromkeys(PAIR_FIELDS)
    base |= {
        "left_id": left, "right_id": right, "left_table": "legal_entity",
        "right_table": "legal_entity", "county_code": "430422", "county": "衡南县",
        "probability": 0.7312, "left_name": "衡南县宏达建材厂", "right_name": "衡南县鸿达建材厂",
        "left_credit_code": "91430422209679931R", "left_phone": "013500000001",
        "left_record_zh": f"法人单位\n{left}", "right_record_zh": f"法人单位\n{right}",
        "relation_zh": "近似", "comparison_zh": "名称音同",
    }  # fmt: skip
    return base | changes


def table(*pairs: dict[str, object]) -> pa.Table:
    schema = {name: pl.Float64 if name == "probability" else pl.String for name in PAIR_FIELDS}
    return pl.DataFrame(list(pairs), schema=schema).to_arrow()


def column(key: str) -> int:
    return position(PAIR_COLUMNS, key) + 1


def fill(path: Path, line: int = FIRST_ROW + 1, **answers: object) -> Path:
    """Answer a row as a person would; `line` is that of the sheet."""
    book = openpyxl.load_workbook(path, rich_text=True)
    for key, value in answers.items():
        book["待人工判定"].cell(line, column(key)).value = value
    filled = path.with_name(f"filled-{path.name}")
    book.save(filled)
    return filled


ANSWER = {"answer": "不同单位", "answer_basis": "现场查看", "answer_person": "王一"}
KEY = ("legal_entity", "L1", "legal_entity", "L2")
KNOWN = Known(issued={"r1": {KEY: ("x", "y")}})


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    (path,) = write_review(table(pair()), tmp_path, INFO)
    return path


def test_differing_characters_are_told_from_common_ones() -> None:
    left, right = differing("衡南县宏达厂", "衡南县鸿达建材厂")

    assert [("衡南县", False), ("宏", True), ("达", False), ("厂", False)] == left
    assert [("衡南县", False), ("鸿", True), ("达", False), ("建材", True), ("厂", False)] == right


def test_differing_characters_are_red_in_the_sheet(issued: Path) -> None:
    sheet = openpyxl.load_workbook(issued, rich_text=True)["待人工判定"]
    name = sheet.cell(FIRST_ROW + 1, column("right_name")).value

    red = [
        str(part)
        for part in name
        if isinstance(part, TextBlock) and part.font.color.rgb == "FFC00000"
    ]

    assert red == ["鸿"]
    assert str(name) == "衡南县鸿达建材厂"


def test_values_that_differ_altogether_are_red_and_equal_ones_black(tmp_path: Path) -> None:
    row = pair(
        left_owner="张三", right_owner="李四", left_phone="13500000000", right_phone="88462",
        left_address="解放路1号", right_address="解放路1号", right_name="衡南县宏达建材厂",
        left_credit_code="91430422209679931R", right_credit_code=None,
    )  # fmt: skip
    (path,) = write_review(table(row), tmp_path, INFO)
    sheet = openpyxl.load_workbook(path, rich_text=True)["待人工判定"]

    red = {
        key
        for key in ("name", "owner", "phone", "address", "credit_code")
        for side in ("left", "right")
        if (color := sheet.cell(FIRST_ROW + 1, column(f"{side}_{key}")).font.color)
        and color.rgb == "FFC00000"
    }

    assert {"owner", "phone"} == red
    assert sheet.cell(FIRST_ROW + 1, column("left_owner")).border.left.style == "thin"


def test_codes_and_telephones_stay_text(issued: Path) -> None:
    sheet = openpyxl.load_workbook(issued)["待人工判定"]

    assert sheet.cell(FIRST_ROW + 1, column("left_phone")).value == "013500000001"
    assert sheet.cell(FIRST_ROW + 1, column("left_credit_code")).value == "91430422209679931R"


def test_a_name_that_looks_like_a_formula_stays_a_name(tmp_path: Path) -> None:
    (path,) = write_review(table(pair(left_name="=1+1", right_name="=1+2")), tmp_path, INFO)

    sheet = openpyxl.load_workbook(path)["待人工判定"]

    assert sheet.cell(FIRST_ROW + 1, column("left_name")).value == "=1+1"
    assert sheet.cell(FIRST_ROW + 1, column("left_name")).data_type != "f"


def test_same_pairs_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_review(table(pair(), pair(right="L3")), tmp_path / "a", INFO)
    second = write_review(table(pair(), pair(right="L3")), tmp_path / "b", INFO)

    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_no_pairs_give_no_workbook(tmp_path: Path) -> None:
    assert write_review(table(), tmp_path, INFO) == []


def test_many_pairs_are_split_by_the_county_of_the_left_unit(tmp_path: Path) -> None:
    pairs = [pair(left=f"L{n}") for n in range(MAX_PAIRS)]

    paths = write_review(
        table(*pairs, pair(left="M1", county_code="430481", county="耒阳市")), tmp_path, INFO
    )

    assert [p.name for p in paths] == [
        "430422_衡南县_待人工判定_r1.xlsx", "430481_耒阳市_待人工判定_r1.xlsx"
    ]  # fmt: skip


def test_a_filled_answer_becomes_a_decision_with_who_when_and_why(issued: Path) -> None:
    file = read_review(fill(issued, **ANSWER, answer_date="2019/3/18", answer_note="两家"))

    (decision,), summary = take_in([file], [], KNOWN)

    assert (decision.left_id, decision.right_id, decision.answer) == ("L1", "L2", "cannot-link")
    assert (decision.person, decision.decided_on, decision.basis) == (
        "王一",
        "2019-03-18",
        "现场查看",
    )
    assert (decision.note, decision.run_id) == ("两家", "r1")
    assert (decision.left_identity, decision.right_identity) == ("x", "y")
    assert summary.refused == ()


@pytest.mark.parametrize(
    "written",
    [
        20190420, 43575, 43575.5, datetime.fromisoformat("2019-04-20"), "20190420", "2019.4.20",
        "2019/04/20", "2019-4-20", "2019年4月20日", "２０１９－４－２０", "2019-04-20 10:30:00",
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(issued: Path, written: object) -> None:
    file = read_review(fill(issued, **ANSWER, answer_date=written))

    assert "2019-04-20" == file.rows[0].date


@pytest.mark.parametrize(
    "written", [4000000, 2019.4, -1, 1e300, "2019-13-01", "2019.4", "19-4-20", "20190431", "43575"]
)
def test_what_is_no_date_is_refused_with_the_form_to_write(issued: Path, written: object) -> None:
    file = read_review(fill(issued, **ANSWER, answer_date=written))

    _, summary = take_in([file], [], KNOWN)

    assert ["bad_date"] == [r.reason for r in summary.refused]
    assert all("2019-04-20" in text for text in REASONS["bad_date"])


@pytest.mark.parametrize("answers", [ANSWER | {"answer": "暂不能定"}, {}])
def test_what_cannot_be_told_yet_waits(issued: Path, answers: dict[str, str]) -> None:
    asked = Known(issued=KNOWN.issued, asked=frozenset([KEY]))

    new, summary = take_in([read_review(fill(issued, **answers))], [], asked)

    assert (new, summary.n_waiting, summary.refused) == ([], 1, ())


def test_pairs_of_the_published_run_wait_once_until_they_are_decided(issued: Path) -> None:
    file, empty = read_review(fill(issued, **ANSWER)), read_review(issued)
    other, turned = ("legal_entity", "L8", "legal_entity", "L9"), (*KEY[2:], *KEY[:2])
    asked = Known(issued=KNOWN.issued, asked=frozenset([KEY, turned, other]))

    _, none_yet = take_in([empty, empty], [], asked)
    before, first = take_in([file, file], [], asked)
    _, again = take_in([empty], before, asked)

    assert (2, 1, 1) == (none_yet.n_waiting, first.n_waiting, again.n_waiting)


def test_another_answer_than_before_is_taken_and_told(issued: Path) -> None:
    before, _ = take_in([read_review(fill(issued, **ANSWER))], [], KNOWN)
    file = read_review(fill(issued, **(ANSWER | {"answer": "同一单位", "answer_person": "李二"})))

    new, summary = take_in([file], before, KNOWN)

    assert ["must-link"] == [d.answer for d in new]
    assert (0, ()) == (summary.n_accepted, summary.refused)
    assert [(FIRST_ROW + 1, before[0], "must-link")] == [
        (c.line, c.before, c.answer) for c in summary.changed
    ]


@pytest.mark.parametrize("begun", ["answer_basis", "answer_note", "answer_person", "answer_date"])
def test_a_row_that_was_begun_without_an_answer_is_told(issued: Path, begun: str) -> None:
    file = read_review(fill(issued, **{begun: "2019-03-18"}))

    new, summary = take_in([file], [], KNOWN)

    assert [] == new
    assert [(FIRST_ROW + 1, "no_answer")] == [(r.line, r.reason) for r in summary.refused]


def test_a_begun_row_does_not_stand_against_an_answer_in_another_file(issued: Path) -> None:
    begun = read_review(fill(issued, answer_person="王一"))
    whole = read_review(fill(issued, **ANSWER))

    new, _ = take_in([begun, whole], [], KNOWN)

    assert ["cannot-link"] == [d.answer for d in new]


def test_a_decision_is_never_of_a_day_to_come(issued: Path) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    dates = (today, today + timedelta(days=2))
    files = [read_review(fill(issued, **ANSWER, answer_date=d.isoformat())) for d in dates]

    told = [[r.reason for r in take_in([f], [], KNOWN)[1].refused] for f in files]

    assert [[], ["future_date"]] == told


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"left_id": "L9"}, "edited"),
        ({"right_name": "衡南县别家"}, "edited"),
        ({"left_phone": "13500000001"}, "edited"),
        ({"answer": "也许"}, "unknown_answer"),
        ({"answer_basis": ""}, "no_basis"),
        ({"answer_basis": "问过了"}, "unknown_basis"),
        ({"answer_person": " "}, "no_person"),
        ({"answer_date": "上周三"}, "bad_date"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_with_why(
    issued: Path, changes: dict[str, str], reason: str
) -> None:
    file = read_review(fill(issued, **(ANSWER | changes)))

    new, summary = take_in([file], [], KNOWN)

    assert new == []
    assert [(r.line, r.reason) for r in summary.refused] == [(FIRST_ROW + 1, reason)]


def test_a_pair_that_no_package_has_is_refused(issued: Path) -> None:
    _, summary = take_in([read_review(fill(issued, **ANSWER))], [], Known(issued={}))

    assert [r.reason for r in summary.refused] == ["unknown_pair"]


def test_two_answers_on_one_pair_are_both_refused(issued: Path) -> None:
    one = read_review(fill(issued, **ANSWER))
    other = read_review(fill(issued, **(ANSWER | {"answer": "同一单位"})))

    new, summary = take_in([one, other], [], KNOWN)

    assert new == []
    assert [r.reason for r in summary.refused] == ["twice", "twice"]


def test_the_same_answer_again_is_no_new_decision(issued: Path) -> None:
    file = read_review(fill(issued, **ANSWER))
    before, _ = take_in([file], [], KNOWN)

    new, summary = take_in([file], before, KNOWN)

    assert (new, summary.n_repeated) == ([], 1)


def test_the_same_answer_on_changed_records_is_a_new_decision_once(issued: Path) -> None:
    file = read_review(fill(issued, **ANSWER))
    first, _ = take_in([file], [], KNOWN)
    changed = Known(issued={"r1": {KEY: ("x", "z")}})

    second, summary = take_in([file], first, changed)
    again, _ = take_in([file], [*first, *second], KNOWN)

    assert (["z"], 0, ()) == (
        [d.right_identity for d in second], summary.n_repeated, summary.refused
    )  # fmt: skip
    assert [] == again


def test_where_the_issuing_run_is_gone_the_locked_cells_say_who_it_was(issued: Path) -> None:
    file = read_review(fill(issued, **ANSWER))

    (decision,), _ = take_in([file], [], Known(issued={}, today=frozenset([KEY])))

    assert identity_of("衡南县宏达建材厂", "91430422209679931R") == decision.left_identity
    assert identity_of("衡南县鸿达建材厂", "") == decision.right_identity


def test_answers_that_contradict_by_way_of_a_third_unit_are_refused(tmp_path: Path) -> None:
    pairs = table(pair("L1", "L2"), pair("L2", "L3"), pair("L1", "L3"))
    (path,) = write_review(pairs, tmp_path, INFO)
    same = ANSWER | {"answer": "同一单位"}
    for line, answers in enumerate((same, same, ANSWER), FIRST_ROW + 1):
        path = fill(path, line, **answers)
    known = {
        ("legal_entity", left, "legal_entity", right): ("", "")
        for left, right in (("L1", "L2"), ("L2", "L3"), ("L1", "L3"))
    }

    new, summary = take_in([read_review(path)], [], Known(issued={"r1": known}))

    assert len(new) == 2
    assert [(r.line, r.reason) for r in summary.refused] == [(FIRST_ROW + 3, "contradicts")]


def test_a_record_that_is_linked_already_says_to_whom(tmp_path: Path) -> None:
    pairs = pl.DataFrame(
        [("L1", "1|R1"), ("L2", "L3"), ("L4", "L5")], schema=["left_id", "right_id"], orient="row"
    )
    taken = pl.DataFrame(
        [
            ("1|R1", "L9", "L9 甲公司"),
            ("1|R1", "L8", "L8 乙公司"),
            ("1|R1", "L1", "L1"),
            ("L2", "L7", "L7"),
            ("L3", "L7", "L7"),
        ],
        schema=["record_id", "other_id", "other"],
        orient="row",
    )
    told = add_linked(pairs, taken)

    assert told["linked_zh"].to_list() == [
        "右侧记录已与 L8 乙公司、L9 甲公司 判为同一单位",
        "左侧记录已与 L7 判为同一单位\n右侧记录已与 L7 判为同一单位",
        None,
    ]
    assert told["linked_en"][1].startswith("the left record is linked to L7 already\n")
    row = table(pair(linked_zh=told["linked_zh"][0]))
    (path,) = write_review(row, tmp_path, INFO)
    sheet = openpyxl.load_workbook(path)["待人工判定"]
    assert sheet.cell(FIRST_ROW, column("linked")).value == "已有的匹配"
    assert sheet.cell(FIRST_ROW + 1, column("linked")).value == told["linked_zh"][0]


def test_answers_in_the_layout_of_before_still_come_in(issued: Path) -> None:
    before = ISSUED_COLUMNS["review/1"]
    book = openpyxl.load_workbook(fill(issued, **ANSWER))
    sheet = book["待人工判定"]
    sheet.delete_cols(column("linked"))
    cells = [cell.value for cell in sheet[FIRST_ROW + 1]][: len(before)]
    sheet.cell(FIRST_ROW + 1, len(before)).value = row_hash(
        [cells[place] for place in locked_places(before)]
    )
    book["_meta"]["B1"] = "review/1"
    book.save(issued)

    (row,) = read_review(issued).rows
    assert (row.answer, row.person, row.left_id, row.intact) == ("different", "王一", "L1", True)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "别的.xlsx"
    openpyxl.Workbook().save(other)
    text = tmp_path / "a.xlsx"
    text.write_text("x")

    for path in (other, text, tmp_path / "none.xlsx"):
        with pytest.raises(InputError, match=path.name):
            read_review(path)


def _rearranged(path: Path, change: str) -> Path:
    book = openpyxl.load_workbook(path)
    sheet = book["待人工判定"]
    if change == "renamed":
        sheet.title = "Sheet1"
    elif change == "inserted":
        sheet.insert_cols(3)
    elif change == "hidden ones deleted":
        sheet.delete_cols(column("left_table"), 5)
    else:
        sheet.insert_rows(1)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("renamed", "缺少工作表“待人工判定”，请改回原名"),
        ("inserted", "插入、删除或移动了列"),
        ("hidden ones deleted", "插入、删除或移动了列"),
        ("row above", "表头以上的行"),
    ],
)
def test_a_rearranged_workbook_is_refused_with_what_was_done_to_it(
    issued: Path, change: str, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_review(_rearranged(fill(issued, **ANSWER), change))

    assert told in refused.value.zh
    assert "损坏" not in refused.value.zh


def test_a_missing_file_and_a_folder_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有文件"):
        read_review(tmp_path / "none.xlsx")
    with pytest.raises(InputError, match="是文件夹"):
        read_review(tmp_path)


def test_every_printed_sheet_is_one_page_wide_with_a_footer_that_fits(issued: Path) -> None:
    book = openpyxl.load_workbook(issued)

    for sheet in (book["填写说明"], book["待人工判定"]):
        setup = sheet.page_setup
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        # One page wide is the default of the format, and not written.
        assert (1, 0, "landscape") == (setup.fitToWidth or 1, setup.fitToHeight, setup.orientation)
        assert "负责人签字：__________" == sheet.oddFooter.right.text
