"""A delivery into the database: what is loaded, what is refused and why, what stops the run."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_night import CODE, GOOD, HEADER, Files, context, households, night, refused

from audit.engines.duckdb import DuckDBEngine
from audit.errors import AuditError, InputError
from pipelines import ingest
from pipelines.loading import FileReport
from pipelines.readers.model import Source


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_shipped_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "REGIONS", Path("not-there.csv"))


def test_a_sound_row_is_loaded_typed_and_kept_as_delivered(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    row = 'S1, 430405 ,"　甲（店） ",92430407481415820B,"1,003",—'

    summary = night(engine, tmp_path / "in", {"self_employed.csv": households(row)})

    assert (1, 1, 1, 0) == (
        summary.files, summary.rows_delivered, summary.rows_loaded, summary.rows_refused,
    )  # fmt: skip
    assert [("S1", "430405000000", "甲(店)", 1003, None, "430405000000", 1, 1)] == engine.rows(
        "SELECT unit_id, region_code, name, employees, revenue_kyuan, county_code, file_no, row_no "
        "FROM census.self_employed"
    )
    assert [(" 430405 ", "　甲（店） ", "1,003", "—", None, 1, 1, 2)] == engine.rows(
        "SELECT region_code, name, employees, revenue_kyuan, activity, file_no, row_no, file_line "
        "FROM raw.self_employed"
    )


def test_the_digest_of_an_edit_is_that_of_its_text_as_delivered(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    header = "修改流水号,填报单位标识,表名,指标,修改前,修改后,修改人,修改人角色,修改时间,本条摘要"
    edit = "L1|legal_entity|address|１栋|1号（甲）|P1|2019-04-10 11:17:05"
    rows = [
        f"{n},{edit[:-23].replace('|', ',')},P1,2,2019-04-10T11:17:05,"
        f"{hashlib.sha256(f'|{told}|{edit}'.encode()).hexdigest()}"
        for n, told in ((1, 1), (2, 1))
    ]

    night(engine, tmp_path / "in", {"edit_event.csv": "\n".join((header, *rows)) + "\n"})

    assert [(1, "1号(甲)", True), (2, "1号(甲)", False)] == engine.rows(
        "SELECT event_id, new_value, digest_ok FROM census.edit_event ORDER BY event_id"
    )


def test_all_tables_stand_also_those_not_delivered(engine: DuckDBEngine, tmp_path: Path) -> None:
    night(engine, tmp_path / "in", {"self_employed.csv": households(GOOD)})

    assert 27 == len([name for name in engine.tables() if name.startswith("raw.")])
    assert {"census.visit", "census.delivered_file", "census.rejected_row"} < engine.tables()
    assert 0 == engine.scalar("SELECT count(*) FROM census.visit")


def test_a_refused_row_names_place_reason_and_remedy(engine: DuckDBEngine, tmp_path: Path) -> None:
    bad = "S2,4.30405E+11,乙店,,12人,1"

    night(engine, tmp_path / "in", {"self_employed.csv": households(GOOD, bad)})

    assert [("region_code", "4.30405E+11", "bad_code", "self_employed", 2, 3)] == refused(
        engine, "column_name, value, reason, table_name, row, line"
    )
    ((zh, en, delivered),) = refused(engine, "message_zh, message_en, delivered")
    assert zh == (
        "第2条数据（文件第3行） 经营地区划代码：代码被电子表格改成了科学计数法。"
        "请把该列设为文本格式后重新录入代码。本行有误的列：经营地区划代码、从业人员数。"
    )
    assert "Data row 2 (line 3 of the file), Region code (region_code): a spreadsheet" in en
    assert dict(zip(HEADER.split(","), bad.split(","), strict=True)) == json.loads(delivered)


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ("S2,,乙店,,1,1", "missing_required", "region_code"),
        ("S2,43040500201,乙店,,1,1", "bad_code", "region_code"),
        ("S2,430405010002,乙店,,1,3千万", "bad_number", "revenue_kyuan"),
        ("S2,430405010002,乙店", "too_few_fields", None),
        ("S2,430405010002,乙店,,1,1,", "too_many_fields", None),
        ('S2,430405010002,"乙店,,1,1', "too_few_fields", None),
    ],
)
def test_each_kind_of_bad_row(
    engine: DuckDBEngine, tmp_path: Path, row: str, reason: str, column: str | None
) -> None:
    summary = night(engine, tmp_path / "in", {"self_employed.csv": households(row, GOOD)})

    assert [(1, 2, reason, column)] == refused(engine, "row, line, reason, column_name")
    assert (2, 1, 1) == (summary.rows_delivered, summary.rows_loaded, summary.rows_refused)


def test_bad_bytes_are_shown_and_spoil_one_row(engine: DuckDBEngine, tmp_path: Path) -> None:
    content = households(GOOD, "S2,430405010002,乙店,,1,1").encode()
    content = content.replace("乙".encode(), b"\xff\xfe")

    night(engine, tmp_path / "in", {"self_employed.csv": content})

    ((reason, column, value, delivered),) = refused(engine, "reason, column_name, value, delivered")
    assert ("bad_bytes", "name", "\\xff\\xfe店") == (reason, column, value)
    assert "\\xff\\xfe店" == json.loads(delivered)["户名"]


def test_the_same_key_in_two_files_refuses_both_and_names_the_other(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed_1.csv": households("S0,430405010002,丙店,,1,1", GOOD),
        "self_employed_2.csv": households("S1,430405010002,另店,,5,1"),
        "self_employed_3.csv": households("S1,430405010002,坏店,,x,1"),
    }

    summary = night(engine, tmp_path / "in", files)

    assert [
        ("self_employed_1.csv", 2, 3, "duplicate_key"),
        ("self_employed_2.csv", 1, 2, "duplicate_key"),
        ("self_employed_3.csv", 1, 2, "bad_number"),
    ] == refused(engine)
    messages = [text for (text,) in refused(engine, "message_zh")]
    assert "“self_employed_2.csv”第1条" in messages[0]
    assert "“self_employed_1.csv”第2条" in messages[1]
    assert [("unit_id", "S1")] * 2 == refused(engine, "column_name, value")[:2]
    assert "另店" == json.loads(refused(engine, "delivered")[1][0])["户名"]
    assert [("S0",)] == engine.rows("SELECT unit_id FROM census.self_employed")
    assert [("S0",)] == engine.rows("SELECT unit_id FROM raw.self_employed")
    assert (1, 3) == (summary.rows_loaded, summary.rows_refused)


def test_keys_of_several_columns(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows = ("L1,1,甲", "L1,2,乙", "L1,01,丙")
    content = households(*rows, header="legal_unit_id,line_no,name")

    night(engine, tmp_path / "in", {"establishment_list.csv": content})

    assert [(1, "legal_unit_id|line_no", "L1|1"), (3, "legal_unit_id|line_no", "L1|01")] == refused(
        engine, "row, column_name, value"
    )


def test_files_that_cannot_be_read_are_refused_by_name_and_the_rest_goes_on(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed.csv": households(GOOD),
        "self_employed_x.xlsx": b"PK\x03\x04 cut short",
        "self_employed_y.csv": bytes([0x80, 0xFF, 0x2C, 0x0A]) * 100,
        "self_employed_z.csv": "户名,经营者\n甲,乙\n丙,丁\n",
        "~$self_employed.xlsx": b"lock",
        "会议纪要.csv": "日期,内容\n1,2\n",
    }

    summary = night(engine, tmp_path / "in", files)

    assert [
        ("self_employed_x.xlsx", 0, 0, "unreadable_file", "self_employed", None),
        ("self_employed_y.csv", 0, 0, "bad_bytes", "self_employed", None),
        ("self_employed_z.csv", 0, 0, "missing_column", "self_employed", "unit_id"),
        ("~$self_employed.xlsx", 0, 0, "unknown_table", None, None),
        ("会议纪要.csv", 0, 0, "unknown_table", None, None),
    ] == refused(engine, "file, row, line, reason, table_name, column_name")
    assert [
        ("self_employed.csv", 1, 1, 0),
        ("self_employed_x.xlsx", 0, 0, 0),
        ("self_employed_y.csv", 0, 0, 0),
        ("self_employed_z.csv", 2, 0, 2),
        ("~$self_employed.xlsx", 0, 0, 0),
        ("会议纪要.csv", 0, 0, 0),
    ] == engine.rows(
        "SELECT file, rows_delivered, rows_loaded, rows_refused FROM census.delivered_file "
        "ORDER BY file"
    )
    assert (6, 5, 3, 1, 2) == (
        summary.files, summary.files_refused, summary.rows_delivered, summary.rows_loaded,
        summary.rows_refused,
    )  # fmt: skip


def test_a_file_that_breaks_half_way_leaves_nothing_behind(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.readers.encodings.CHUNK", 64)
    monkeypatch.setattr("pipelines.readers.encodings.MAX_LINE", 2000)
    long = households(*(GOOD.replace("S1", f"S{n}") for n in range(50)), "x" * 5000)

    night(
        engine,
        tmp_path / "in",
        {"self_employed_1.csv": long, "agency.csv": "机构编号,机构名称\n1,2\n"},
    )

    assert [("self_employed_1.csv", 0, 0, "unreadable_file")] == refused(engine)
    assert 0 == engine.scalar("SELECT count(*) FROM census.self_employed")


def test_small_pieces_give_the_same_as_one(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f'S{n},430405010002,"店\n{n}",,{n},1' for n in range(40)] + ["S99,x"]
    content = households(*rows)
    night(engine, tmp_path / "in", {"self_employed.csv": content})
    once = engine.rows("SELECT * FROM raw.self_employed ORDER BY ALL"), refused(engine)
    monkeypatch.setattr("pipelines.readers.encodings.CHUNK", 100)

    night(engine, tmp_path / "in", {"self_employed.csv": content})

    assert once == (engine.rows("SELECT * FROM raw.self_employed ORDER BY ALL"), refused(engine))
    assert [("self_employed.csv", 41, 82, "too_few_fields")] == once[1]


def test_unknown_columns_are_reported_not_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    content = households(GOOD + ",a,b", header=HEADER + ",备用,remarks")

    summary = night(engine, tmp_path / "in", {"self_employed.csv": content})

    assert {"self_employed.csv": ("备用", "remarks")} == summary.unknown_columns
    assert "备用|remarks" == engine.scalar("SELECT unknown_columns FROM census.delivered_file")
    assert [] == refused(engine)


REGIONS = "区划代码,版本,名称,级别,上级代码\n43,2018-10-31,湖南省,1,\n"


def test_shipped_regions_stand_in_where_none_are_delivered(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped.csv"
    shipped.write_text(REGIONS + "4304,2018-10-31,衡阳市,2,43\n", encoding="utf-8")
    monkeypatch.setattr(ingest, "REGIONS", shipped)
    files: Files = {"self_employed.csv": households(GOOD)}

    night(engine, tmp_path / "in", files)
    assert [(0, 1, "430000000000"), (0, 2, "430400000000")] == engine.rows(
        "SELECT file_no, row_no, region_code FROM census.region ORDER BY row_no"
    )

    night(engine, tmp_path / "in", files | {"region.csv": REGIONS})
    assert [(1, 1, "430000000000")] == engine.rows(
        "SELECT file_no, row_no, region_code FROM census.region"
    )


def test_digests_are_those_of_the_bytes(engine: DuckDBEngine, tmp_path: Path) -> None:
    content = households(GOOD).encode("gb18030")

    summary = night(engine, tmp_path / "in", {"self_employed.csv": content})

    digest = hashlib.sha256(content).hexdigest()
    total = hashlib.sha256(f"self_employed.csv\0{digest}\n".encode()).hexdigest()
    assert [(digest, "csv", "gb18030")] == engine.rows(
        "SELECT digest, format, encoding FROM census.delivered_file"
    )
    assert total == summary.input_digest


def test_a_missing_or_empty_folder_says_so(engine: DuckDBEngine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--input"):
        ingest.run(context(engine, tmp_path / "nowhere"))
    with pytest.raises(InputError, match="is empty"):
        night(engine, tmp_path / "in", {".DS_Store": "x"})


def test_a_delivery_of_which_nothing_can_be_read_names_its_files(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="self_employed"):
        night(engine, tmp_path / "in", {"self_employed.xlsx": b"PK\x03\x04 cut"})


def test_rows_that_do_not_add_up_stop_the_run(engine: DuckDBEngine) -> None:
    ingest.create_tables(engine)
    source = Source(file_no=1, file="agency.csv", path=Path(), table="agency")

    with pytest.raises(AuditError, match="agency"):
        ingest.account(engine, [FileReport(source, rows_delivered=1)])


def test_a_second_night_over_the_same_database_starts_afresh(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {"self_employed.csv": households(GOOD, "S2,x")}
    first = night(engine, tmp_path / "in", files)

    assert first == night(engine, tmp_path / "in", files)


def test_logs_hold_counts_only(
    engine: DuckDBEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        night(engine, tmp_path / "in", {"self_employed.csv": households(GOOD, "S2,坏店")})

    assert "ingest: 1 files, 2 rows delivered, 1 loaded, 1 refused" in caplog.text
    assert not any(text in caplog.text for text in ("甲店", "坏店", CODE))


def test_files_whose_names_read_the_same_are_told_apart(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, codec in enumerate(("utf-8", "gb18030")):
        name = os.fsencode(folder) + b"/" + "self_employed_户.csv".encode(codec)
        row = f"S{number},430405010002,店,,x,1"
        with open(name, "wb") as file:  # noqa: PTH123  # pathlib cannot say a name in bytes
            file.write(households(row).encode())

    summary = night(engine, folder, {"self_employed_户.csv (2)": households(GOOD, "S9,43")})

    assert (3, 4, 1, 3) == (
        summary.files, summary.rows_delivered, summary.rows_loaded, summary.rows_refused,
    )  # fmt: skip
    assert 3 == len(engine.rows("SELECT DISTINCT file FROM census.delivered_file"))


def test_a_repeated_key_keeps_the_cells_of_columns_nobody_knows(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        "self_employed_1.csv": households(GOOD + ",见附件", header=HEADER + ",备注"),
        "self_employed_2.csv": households(GOOD),
    }

    night(engine, tmp_path / "in", files)

    first, second = (json.loads(text) for (text,) in refused(engine, "delivered"))
    assert "见附件" == first.pop("备注")
    assert first == second
    assert "甲店" == first["户名"]
