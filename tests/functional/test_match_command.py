"""`census-audit match`: an analyst with one list or two, however they are written."""

from __future__ import annotations

import codecs
import resource
import time
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from tiny import write_csv
from typer.testing import CliRunner

from audit.errors import EngineError, ExitCode, InputError, UsageError
from pipelines.cli import app
from pipelines.match import MatchOptions, match, summary_lines
from reports.review import PAIR_COLUMNS
from reports.workbook_layout import FIRST_ROW, position

SHOP = {
    "企业名称": "衡南县宏达建材有限公司", "统一社会信用代码（18位）": "91430422209679931R",
    "法人代表": "王一", "联系电话": "13574700001", "地址": "衡南县云集镇解放路12号",
    "区划": "430422100001",
}  # fmt: skip
AGAIN = SHOP | {"企业名称": "衡南县宏达建材有限责任公司", "统一社会信用代码（18位）": ""}
FARM = {
    "企业名称": "耒阳市远望农机厂", "统一社会信用代码（18位）": "91430481MA4L16JQ9B",
    "法人代表": "周五", "联系电话": "13574700003", "地址": "耒阳市蔡子池街道五一路3号",
    "区划": "430481001001",
}  # fmt: skip


def lines(out: Path, name: str = "pairs") -> list[dict[str, str]]:
    return pl.read_csv(out / f"{name}.csv", infer_schema=False).to_dicts()


def one(path: Path, **options: object) -> MatchOptions:
    return MatchOptions(left=path, out=path.parent / "out", **options)  # type: ignore[arg-type]


def test_a_firm_that_stands_twice_in_a_list_is_found_by_any_header(tmp_path: Path) -> None:
    summary = match(one(write_csv(tmp_path / "a.csv", [SHOP, FARM, AGAIN])))

    (pair,) = [p for p in lines(tmp_path / "out") if p["decision"] == "link"]
    assert (pair["left_id"], pair["right_id"]) == ("1", "3")
    assert (pair["left_name"], pair["right_name"]) == (SHOP["企业名称"], AGAIN["企业名称"])
    assert [row["record_id"] for row in lines(tmp_path / "out", "clusters")] == ["1", "3"]
    assert summary.lists[0].columns == {
        "name": "企业名称", "credit_code": "统一社会信用代码（18位）", "owner": "法人代表",
        "phone_mobile": "联系电话", "address": "地址", "region_code": "区划",
    }  # fmt: skip
    assert (tmp_path / "out" / "pairs.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert (
        pl.read_parquet(tmp_path / "out" / "pairs.parquet").height
        == summary.n_links + summary.n_possible
    )


def test_two_lists_are_matched_one_to_one_by_the_ids_of_their_columns(tmp_path: Path) -> None:
    left = write_csv(tmp_path / "l.csv", [{"id": "A", **SHOP}, {"id": "B", **FARM}], "gb18030")
    names = {"企业名称": "单位名称", "法人代表": "经营者"}
    rows = [{"id": "A", **FARM}, {"id": "Z", **SHOP}]
    right = write_csv(
        tmp_path / "r.csv", [{names.get(k, k): v for k, v in row.items()} for row in rows]
    )

    match(MatchOptions(left=left, right=right, out=tmp_path / "out", one_to_one=True))

    linked = {
        (p["left_id"], p["right_id"]) for p in lines(tmp_path / "out") if p["decision"] == "link"
    }
    assert linked == {("A", "Z"), ("B", "A")}


def test_two_lists_without_one_to_one_give_pairs_across_them_only(tmp_path: Path) -> None:
    left = write_csv(tmp_path / "l.csv", [SHOP, AGAIN])
    right = write_csv(tmp_path / "r.csv", [FARM, SHOP])

    match(MatchOptions(left=left, right=right, out=tmp_path / "out"))

    linked = {
        (p["left_id"], p["right_id"]) for p in lines(tmp_path / "out") if p["decision"] == "link"
    }
    assert linked == {("1", "2"), ("2", "2")}


def test_a_column_can_be_named_by_its_header_or_its_number(tmp_path: Path) -> None:
    rows = [
        {"甲": r["企业名称"], "乙": r["法人代表"], "联系电话": r["联系电话"]} for r in (SHOP, AGAIN)
    ]
    path = write_csv(tmp_path / "a.csv", rows)

    summary = match(one(path, columns=("name=1", "owner=乙")))

    assert summary.lists[0].columns["name"] == "甲"
    assert summary.lists[0].columns["owner"] == "乙"


def test_a_spreadsheet_with_a_title_above_its_header_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["某县企业名单"])
    sheet.append(list(SHOP))
    for row in (SHOP, AGAIN, FARM):
        sheet.append(list(row.values()))
    book.save(tmp_path / "a.xlsx")

    summary = match(one(tmp_path / "a.xlsx"))

    assert (summary.lists[0].records.height, summary.n_links) == (3, 1)


def test_a_code_that_a_spreadsheet_made_a_number_is_taken_as_empty_and_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["单位名称", "统一社会信用代码"])
    book.active.append(["甲厂", 914304222096799310])
    book.active.append(["乙厂", "91430422209679931R"])
    book.save(tmp_path / "a.xlsx")

    summary = match(one(tmp_path / "a.xlsx"))

    assert summary.lists[0].n_damaged == 1
    assert summary.lists[0].records["credit_code"].to_list() == [None, "91430422209679931R"]


def test_rows_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    heads = list(SHOP)
    rows = [
        ",".join(heads), ",".join(SHOP.values()), "," * 5, '"  "' + "," * 5,
        ",".join([*FARM.values(), "多一格"]), ",,王一,,,", ",".join(FARM.values()),
    ]  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    match(one(tmp_path / "a.csv"))
    told = (tmp_path / "out" / "summary.txt").read_text(encoding="utf-8")

    assert "a.csv: 3 行 rows" in told
    assert "空行，未用 blank rows, not used: 2" in told
    assert "列数不对，未用 rows with too many or too few fields, not used: 1" in told
    assert "名称和代码都为空，无从比较 rows with neither name nor code: 1" in told
    assert "无法读取" not in told


def test_blank_rows_of_a_spreadsheet_are_counted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (list(SHOP), list(SHOP.values()), [None] * 6, ["", " "], list(FARM.values())):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")

    read = match(one(tmp_path / "a.xlsx")).lists[0]
    assert (read.records.height, read.n_blank) == (2, 2)


def test_answers_in_the_review_workbook_bind_the_next_match(tmp_path: Path) -> None:
    moved = AGAIN | {"联系电话": "13574788888", "地址": "", "企业名称": "衡南县宏大建材有限公司"}
    path = write_csv(tmp_path / "a.csv", [SHOP, moved, FARM])
    match(one(path, link_at=0.999999, possible_at=0.001))
    (issued,) = (tmp_path / "out" / "review").glob("*.xlsx")
    book = openpyxl.load_workbook(issued, rich_text=True)
    sheet = book["待人工判定"]
    for key, value in (("answer", "不同单位"), ("answer_basis", "其他"), ("answer_person", "王一")):
        sheet.cell(FIRST_ROW + 1, position(PAIR_COLUMNS, key) + 1).value = value
    book.save(tmp_path / "answered.xlsx")

    match(MatchOptions(left=path, out=tmp_path / "again", decided=(tmp_path / "answered.xlsx",)))

    assert ("1", "2") not in {(p["left_id"], p["right_id"]) for p in lines(tmp_path / "again")}


def test_a_list_without_any_code_is_matched_and_says_so(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if "代码" not in k} for row in (SHOP, AGAIN, FARM)]

    summary = match(one(write_csv(tmp_path / "a.csv", rows)))

    assert summary.n_links == 1
    assert "no code at all" in (tmp_path / "out" / "summary.txt").read_text("utf-8")


def test_empty_names_match_nothing(tmp_path: Path) -> None:
    rows = [
        {"单位名称": "" if n % 5 < 2 else f"第{n}号商店", "区划": "430422100001"} for n in range(50)
    ]

    summary = match(one(write_csv(tmp_path / "a.csv", rows)))

    named = {pair[f"{side}_name"] for pair in lines(tmp_path / "out") for side in ("left", "right")}
    assert summary.lists[0].records["name"].null_count() == 20
    assert None not in named


def test_columns_that_say_nothing_to_the_matcher_are_named(tmp_path: Path) -> None:
    match(one(write_csv(tmp_path / "a.csv", [SHOP | {"开户行": "某行"}, FARM | {"开户行": ""}])))

    summary = (tmp_path / "out" / "summary.txt").read_text("utf-8")
    assert "columns not used: 开户行" in summary
    assert "某行" not in summary


def test_pairs_say_in_chinese_what_agrees(tmp_path: Path) -> None:
    match(one(write_csv(tmp_path / "a.csv", [SHOP, FARM, AGAIN])))

    (pair,) = lines(tmp_path / "out")
    assert pair["comparison_zh"].startswith("名称全称相同；")
    assert "代码一方未填" in pair["comparison_zh"]


def many(n: int, **changes: pl.Expr) -> pl.DataFrame:
    """Return n firms of one village, persons and places drawn apart from the names.

    (With a modulus that shares a factor with the words, like names would have like persons.)
    """
    words = "云南海山林泉松柏梅兰竹菊江河湖溪金银铜铁东西春夏秋冬日月星辰"
    at = pl.col("n")

    def chars(number: pl.Expr) -> list[pl.Expr]:
        return [
            pl.lit(list(words)).list.get(number // len(words) ** k % len(words)) for k in range(3)
        ]

    char, other = chars(at), chars(at * 7_919 % 26_993)
    return (
        pl.DataFrame({"n": range(n)})
        .with_columns(
            单位名称=pl.concat_str(pl.lit("衡南县"), *char, pl.lit("商贸有限公司")),
            法人代表=pl.concat_str(other),
            联系电话=(13_500_000_000 + at * 104_729_117 % 10**8).cast(pl.String),
            地址=pl.concat_str(pl.lit("衡南县"), *other[:2], pl.lit("路"), at, pl.lit("号")),
            区划=pl.lit("430422100001"),
        )
        .with_columns(**changes)
        .drop("n")
    )


@pytest.mark.parametrize("names", ["all", "empty"])
def test_one_county_without_any_code_ends_in_time_and_finds_what_stands_twice(
    tmp_path: Path, names: str
) -> None:
    part = pl.when(pl.col("n") % 5 > 1).then(pl.col("单位名称"))
    firms = many(20_000, **({"单位名称": part} if names == "empty" else {}))
    pl.concat([firms, firms.head(100)]).write_csv(tmp_path / "a.csv")
    began = time.process_time()

    summary = match(one(tmp_path / "a.csv"))

    assert time.process_time() - began < 60
    twice = [{str(n), str(20_000 + n)} for n in range(1, 101)]
    linked = [p for p in lines(tmp_path / "out") if p["decision"] == "link"]
    found = [{p["left_id"], p["right_id"]} for p in linked]
    assert [pair for pair in twice if pair not in found] == []
    assert summary.n_links + summary.n_possible <= 105


@pytest.mark.parametrize("region", [None, "430422", "430422100"])
def test_firms_that_stand_twice_are_linked_though_no_region_tells_them_apart(
    tmp_path: Path, region: str | None
) -> None:
    firms = many(2_000, 区划=pl.lit(region, pl.String))
    pl.concat([firms, firms.head(20)]).write_csv(tmp_path / "a.csv")

    summary = match(one(tmp_path / "a.csv"))

    linked = [p for p in lines(tmp_path / "out") if p["decision"] == "link"]
    assert len(linked) == summary.n_links == 20
    assert {2_000} == {abs(int(p["left_id"]) - int(p["right_id"])) for p in linked}


def test_two_long_lists_are_matched_one_to_one_in_time(tmp_path: Path) -> None:
    firms = many(20_000)
    firms.write_csv(tmp_path / "l.csv")
    firms.reverse().write_csv(tmp_path / "r.csv")
    began = time.process_time()

    summary = match(
        MatchOptions(
            left=tmp_path / "l.csv", right=tmp_path / "r.csv", out=tmp_path / "out", one_to_one=True
        )
    )

    assert time.process_time() - began < 60
    assert (summary.n_links, summary.n_possible) == (20_000, 0)
    assert {int(p["left_id"]) + int(p["right_id"]) for p in lines(tmp_path / "out")} == {20_001}


def test_a_list_of_one_row_has_no_pairs(tmp_path: Path) -> None:
    summary = match(one(write_csv(tmp_path / "a.csv", [SHOP])))

    assert (summary.n_links, summary.n_possible, summary.precision) == (0, 0, None)


def test_one_name_on_very_many_rows_ends_in_time_and_is_told(tmp_path: Path) -> None:
    names = pl.DataFrame({"单位名称": ["小卖部"] * 100_000, "区划": ["430422100001"] * 100_000})
    names.write_csv(tmp_path / "a.csv")
    began = time.process_time()

    summary = match(one(tmp_path / "a.csv"))

    assert time.process_time() - began < 60
    assert summary.n_links == 0
    assert summary.n_large_blocks >= 1


@pytest.mark.parametrize(
    ("content", "columns", "error", "told"),
    [
        ("甲,乙\n1,2\n", (), InputError, "--column name"),
        ("单位名称\n", (), InputError, "no rows"),
        ("单位名称\n甲厂\n", ("name=别的",), UsageError, "--column name"),
        ("单位名称\n甲厂\n", ("nome=单位名称",), UsageError, "COLUMN=HEADER"),
        ("编号,单位名称\n1,甲厂\n1,乙厂\n", ("id=编号",), InputError, "row numbers"),
        ("", (), InputError, "empty"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_what_to_do(
    tmp_path: Path, content: str, columns: tuple[str, ...], error: type[Exception], told: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(error, match=told) as caught:
        match(one(path, columns=columns))

    assert "甲厂" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"one_to_one": True}, {"possible_at": 0.9}])
def test_options_that_do_not_fit_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        match(one(write_csv(tmp_path / "a.csv", [SHOP]), **wrong))


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [SHOP, FARM, AGAIN])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        result = CliRunner().invoke(app, ["match", str(path), "--out", str(tmp_path / "out")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert isinstance(result.exception, EngineError)
    assert "空文件夹" in result.exception.zh


def test_a_folder_that_holds_something_is_never_written_into(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "out" / "a.csv", [SHOP])

    with pytest.raises(InputError, match="not empty"):
        match(MatchOptions(left=path, out=tmp_path / "out"))


def test_the_command_prints_no_value_of_a_unit(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [SHOP, AGAIN, FARM])

    result = CliRunner().invoke(app, ["match", str(path), "--out", str(tmp_path / "out")])

    assert result.exit_code == ExitCode.DONE, result.output
    assert "同一单位 the same unit: 1" in result.output
    assert not any(text in result.output for text in ("宏达", "13574700001", "91430422209679931R"))


def test_a_region_list_may_be_given_and_must_be_one(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [SHOP, FARM, AGAIN])
    regions = write_csv(tmp_path / "r.csv", [{"region_code": "430422000000", "name": "衡南县"}])

    assert match(one(path, regions=regions)).n_links == 1
    with pytest.raises(InputError, match="region_code"):
        match(MatchOptions(left=path, out=tmp_path / "again", regions=path))


def _two_sheets(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "法人"
    for sheet, rows in ((book.active, [SHOP, FARM]), (book.create_sheet("登记"), [AGAIN])):
        sheet.append(list(SHOP))
        for row in rows:
            sheet.append(list(row.values()))
    book.create_sheet("说明").append(["由市局导出"])
    book.save(path)
    return path


def test_several_lists_in_one_workbook_are_not_joined_and_can_be_named(tmp_path: Path) -> None:
    path = _two_sheets(tmp_path / "名单.xlsx")

    with pytest.raises(InputError) as refused:
        match(one(path))
    summary = match(
        MatchOptions(
            left=Path(f"{path}#法人"), right=Path(f"{path}#登记"), out=tmp_path / "between"
        )
    )

    assert "法人、登记" in refused.value.zh
    assert "名单.xlsx#法人" in refused.value.zh
    assert "说明" not in refused.value.zh
    assert [2, 1] == [listed.records.height for listed in summary.lists]
    assert ["名单.xlsx#法人", "名单.xlsx#登记"] == [listed.file for listed in summary.lists]
    assert 1 == summary.n_links


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = _two_sheets(tmp_path / "名单.xlsx")

    with pytest.raises(InputError, match="法人、登记"):
        match(one(Path(f"{path}#普查")))


def test_a_file_with_the_mark_in_its_name_is_that_file(tmp_path: Path) -> None:
    summary = match(one(write_csv(tmp_path / "名单#1.csv", [SHOP, AGAIN])))

    assert 1 == summary.n_links


def test_ids_that_repeat_are_not_said_to_be_recognised(tmp_path: Path) -> None:
    rows = [{"单位标识": "1"} | SHOP, {"单位标识": "1"} | FARM]
    told = summary_lines(match(one(write_csv(tmp_path / "a.csv", rows))))

    assert not [line for line in told if "id=单位标识" in line]
    assert [line for line in told if "以行号为标识" in line and "“单位标识”列有空值或重复" in line]


def test_groups_within_one_of_two_lists_have_a_word(tmp_path: Path) -> None:
    left = write_csv(tmp_path / "a.csv", [SHOP, AGAIN])
    right = write_csv(tmp_path / "b.csv", [FARM])
    found = match(one(left, right=right))
    again = match(MatchOptions(left=left, out=tmp_path / "alone"))

    assert (0, 1, 1) == (found.n_links, found.n_clusters, found.n_within_one)
    assert [line for line in summary_lines(found) if "其中 1 组的记录都在同一份清单内" in line]
    assert (1, 0) == (again.n_clusters, again.n_within_one)
