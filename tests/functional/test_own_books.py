"""Workbooks that the program issued, put where they do not belong: told as what they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from command_line import call
from tiny import entity, write_csv

from audit.errors import InputError
from pipelines.review_reader import read_review


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county's workbook with an answer, saved by another program; its delivery beside it."""
    folder = tmp_path_factory.mktemp("own")
    write_csv(folder / "in" / "legal_entity.csv", [entity()])
    call("run", "--input", folder / "in", "--out", folder / "out", "--rules", "FRM002")
    (issued,) = (folder / "out" / "current" / "workbooks").glob("43*.xlsx")
    book = openpyxl.load_workbook(issued)
    book["单位核查表"]["P4"] = datetime.fromisoformat("2019-03-18")
    book.save(folder / issued.name)
    return folder / issued.name


def test_a_county_workbook_given_to_decide_is_told_as_one(filled: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_review(filled)

    assert f"{filled.name} 是核查册，程序不读入" in refused.value.zh
    assert "verification workbook" in refused.value.en


@pytest.mark.parametrize("folder", ["", "法人单位基本情况"])
def test_a_county_workbook_in_the_delivery_is_told_as_one(
    filled: Path, tmp_path: Path, folder: str
) -> None:
    write_csv(tmp_path / "in" / "legal_entity.csv", [entity()])
    (tmp_path / "in" / folder).mkdir(exist_ok=True)
    (tmp_path / "in" / folder / filled.name).write_bytes(filled.read_bytes())
    out = tmp_path / "out"

    code, _, _ = call("run", "--input", tmp_path / "in", "--out", out, "--rules", "FRM002")
    call("sql", out, "SELECT file, message_zh FROM rejected_row", "-o", tmp_path / "r.csv")
    (told,) = pl.read_csv(tmp_path / "r.csv", infer_schema=False).to_dicts()

    assert 0 == code
    assert filled.name == told["file"].rpartition("/")[2]
    assert told["message_zh"].startswith("这是核查册，程序不读入其中的答复")
    assert told["message_zh"].endswith("请把它移出送达文件夹。")


def test_the_guide_of_the_workbook_says_the_same(filled: Path) -> None:
    guide = openpyxl.load_workbook(filled).worksheets[0]
    texts = [str(cell.value) for (cell, *_) in guide.iter_rows() if cell.value]

    assert [text for text in texts if "程序不读入本册" in text and "重新报送" in text]
