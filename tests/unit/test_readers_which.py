"""Which table a file is of, and which column a header names."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from reading import AGENCY, delivered, opened, whole

from audit.errors import InputError, UsageError
from pipelines.readers.headers import find_header, match_header
from pipelines.readers.model import RefusedFileError
from pipelines.readers.which import delivered_files, is_leftover, table_of


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


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "衡南县" / "locked"
    locked.mkdir(parents=True)
    listed = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError) as caught:
        delivered_files(tmp_path, {})

    assert f"{tmp_path.name}/衡南县/locked cannot be read: Permission denied" in caught.value.en
    assert f"{tmp_path.name}/衡南县/locked 无法读取" in caught.value.zh


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
