"""A county delivered twice: what replaces what, what never does, and what the records say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_night import GOOD, Files, households, night, refused

from audit.engines.duckdb import DuckDBEngine
from pipelines import ingest
from pipelines.config import Intake, RunConfig
from pipelines.superseding import revision_of

OLD = households(GOOD, "S2,430405010002,乙店,,1,1")
NEW = households(GOOD.replace("甲店", "甲新店"), "S2,430405010002,乙店,,2,1")


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_shipped_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "REGIONS", Path("not-there.csv"))


def names(engine: DuckDBEngine) -> list[str]:
    return [
        str(name) for (name,) in engine.rows("SELECT name FROM census.self_employed ORDER BY 1")
    ]


def replaced(engine: DuckDBEngine) -> dict[str, str]:
    rows = engine.rows(
        "SELECT file, superseded_by FROM census.delivered_file WHERE superseded_by IS NOT NULL"
    )
    return {str(old): str(new) for old, new in rows}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self_employed_430405.csv", "self_employed_430405_v2.csv"),
        ("self_employed_430405_v2.csv", "self_employed_430405_V10.csv"),
        ("self_employed_430405.csv", "self_employed_430405(1).csv"),
        ("self_employed_430405(1).csv", "self_employed_430405（2）.csv"),
        ("个体经营户普查表_珠晖区.csv", "个体经营户普查表_珠晖区_更正.csv"),
        ("个体经营户普查表_珠晖区.csv", "个体经营户普查表_珠晖区（重报）.csv"),
        ("个体经营户普查表_珠晖区_第1次.csv", "个体经营户普查表_珠晖区_第2次.csv"),
        ("个体经营户普查表_珠晖区第一次报送.csv", "个体经营户普查表_珠晖区第三次报送.csv"),
        ("个体经营户普查表_珠晖区_修订1.csv", "个体经营户普查表_珠晖区_修订2.csv"),
        ("self_employed_20190420.csv", "self_employed_20190421.csv"),
        ("self_employed_20190421_0900.csv", "self_employed_20190421_1000.csv"),
        ("self_employed.csv", "self_employed_2019-04-21.csv"),
        ("20190420/self_employed.csv", "20190425/self_employed.csv"),
        ("珠晖区/个体经营户普查表.csv", "珠晖区_更正/个体经营户普查表.csv"),
        ("个体经营户普查表/珠晖区.csv", "个体经营户普查表/珠晖区(更正).csv"),
        ("self_employed_430405.csv", "self_employed_430405_第二次报送.csv"),
        ("4月20日/个体经营户普查表_珠晖区.csv", "4月25日/个体经营户普查表_珠晖区.csv"),
        ("self_employed_9月30日.csv", "self_employed_10月8日.csv"),
        ("self_employed_20190420.csv", "self_employed_2019年4月25日.csv"),
    ],
)
def test_a_newer_delivery_replaces_the_older(
    engine: DuckDBEngine, tmp_path: Path, old: str, new: str
) -> None:
    summary = night(engine, tmp_path / "in", {old: OLD, new: NEW})

    assert {old: new} == replaced(engine)
    assert ["乙店", "甲新店"] == names(engine)
    assert [(old, 0, 0, "superseded")] == refused(engine)
    assert (2, 2, 0) == (summary.rows_delivered, summary.rows_loaded, summary.rows_refused)
    assert [(old, 0, 0, 0), (new, 2, 2, 0)] == sorted(
        engine.rows(
            "SELECT file, rows_delivered, rows_loaded, rows_refused FROM census.delivered_file"
        ),
        key=lambda row: str(row[0]) != old,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Parts, supplements, other counties, other names, marks that do not order.
        ("self_employed_1.csv", "self_employed_2.csv"),
        ("self_employed.csv", "self_employed-2.csv"),
        ("self_employed.csv", "self_employed_补.csv"),
        ("self_employed.csv", "self_employed_补_v2.csv"),
        ("self_employed_430405.csv", "self_employed_430406_v2.csv"),
        ("self_employed_430405.csv", "self_employed_珠晖区_v2.csv"),
        ("self_employed_v2.csv", "self_employed_更正.csv"),
        ("self_employed.csv", "self_employed_v1.csv"),
        ("self_employed_v2_20190401.csv", "self_employed_v1_20190501.csv"),
        ("self_employed.csv", "self_employed_20191399.csv"),
        ("self_employed_12月30日.csv", "self_employed_1月5日.csv"),
        ("self_employed_4月20日.csv", "self_employed_13月25日.csv"),
        ("self_employed_上.csv", "self_employed_下.csv"),
        ("self_employed_430405.csv", "self_employed_430405(补).csv"),
        ("第一批/self_employed.csv", "第二批/self_employed.csv"),
        ("20190420/self_employed_1.csv", "20190425/self_employed_2.csv"),
    ],
)
def test_files_in_no_order_are_both_kept_and_repeated_keys_refused(
    engine: DuckDBEngine, tmp_path: Path, one: str, other: str
) -> None:
    night(engine, tmp_path / "in", {one: OLD, other: NEW})

    assert {} == replaced(engine)
    assert ["duplicate_key"] * 4 == [reason for (reason,) in refused(engine, "reason")]
    zh, en = refused(engine, "message_zh, message_en")[0]
    assert "_v2" in zh
    assert "_v2" in en


def test_parts_whose_names_look_like_revisions_are_all_loaded(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files: Files = {
        f"self_employed_201904{day}.csv": households(GOOD.replace("S1", f"S{day}"))
        for day in (20, 21, 22)
    }

    night(engine, tmp_path / "in", files)

    assert {} == replaced(engine)
    assert 3 == len(names(engine))


def test_a_list_of_corrections_alone_replaces_no_whole_file(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    whole = households(*(GOOD.replace("S1", f"S{n}") for n in range(10)))
    files: Files = {
        "self_employed.csv": whole,
        "self_employed_更正.csv": households(GOOD.replace("S1", "S3")),
    }

    summary = night(engine, tmp_path / "in", files)

    assert {} == replaced(engine)
    assert (9, 2) == (summary.rows_loaded, summary.rows_refused)


def test_a_newer_file_that_cannot_be_read_replaces_nothing(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    night(engine, tmp_path / "in", {"self_employed.csv": OLD, "self_employed_v2.csv": b"\x00\xff"})

    assert {} == replaced(engine)
    assert 2 == len(names(engine))


def test_refused_rows_of_the_older_file_go_with_it(engine: DuckDBEngine, tmp_path: Path) -> None:
    bad = households(GOOD, "S2,430405010002,乙店,,x,1")

    night(engine, tmp_path / "in", {"self_employed.csv": bad, "self_employed_v2.csv": NEW})

    assert [("self_employed.csv", 0, 0, "superseded")] == refused(engine)
    assert 2 == len(names(engine))


def test_of_three_deliveries_the_last_counts(engine: DuckDBEngine, tmp_path: Path) -> None:
    files: Files = {"self_employed.csv": OLD, "self_employed_v2.csv": OLD + "S3,x\n"}

    night(engine, tmp_path / "in", {**files, "self_employed_v3.csv": NEW})

    assert {
        "self_employed.csv": "self_employed_v3.csv",
        "self_employed_v2.csv": "self_employed_v3.csv",
    } == replaced(engine)
    assert ["乙店", "甲新店"] == names(engine)


def test_the_same_bytes_under_two_names_count_once(engine: DuckDBEngine, tmp_path: Path) -> None:
    night(engine, tmp_path / "in", {"self_employed_1.csv": OLD, "self_employed_备份.csv": OLD})

    assert {"self_employed_1.csv": "self_employed_备份.csv"} == replaced(engine)
    assert 2 == len(names(engine))
    ((zh, en),) = refused(engine, "message_zh, message_en")
    assert "内容完全相同" in zh
    assert "self_employed_备份.csv" in en


def test_the_same_bytes_as_two_counties_are_an_error_to_be_shown(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    regions = "region_code,name,level,parent_code,vintage\n" + "".join(
        f"{code}000000,{name},3,430400000000,2018-10-31\n"
        for code, name in (("430405", "珠晖区"), ("430406", "雁峰区"))
    )
    files: Files = {"region.csv": regions, "self_employed_430405.csv": OLD}

    night(engine, tmp_path / "in", {**files, "个体经营户普查表_雁峰区.csv": OLD})

    assert {} == replaced(engine)
    assert ["duplicate_key"] * 4 == [reason for (reason,) in refused(engine, "reason")]


def deliver_twice(
    engine: DuckDBEngine, folder: Path, kept: int, config: RunConfig | None = None
) -> None:
    whole = [GOOD.replace("S1", f"S{n}") for n in range(10)]
    files: Files = {
        "self_employed.csv": households(*whole),
        "self_employed_v2.csv": households(*whole[:kept]),
    }
    night(engine, folder / "in", files, config)


def test_what_a_newer_file_leaves_out_is_counted_and_told(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    deliver_twice(engine, tmp_path, 8)

    assert [(0, 10, 2), (8, None, None)] == engine.rows(
        "SELECT rows_delivered, rows_superseded, keys_lost FROM census.delivered_file ORDER BY file"
    )
    ((zh, en),) = refused(engine, "message_zh, message_en")
    assert "旧文件中有 2 个主键新文件没有" in zh
    assert "2 keys of the older file are not in the newer one" in en


def test_a_file_that_lacks_more_than_a_fifth_of_the_keys_replaces_nothing(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    deliver_twice(engine, tmp_path, 7)

    assert {} == replaced(engine)


def test_how_many_keys_must_be_shared_is_a_setting(engine: DuckDBEngine, tmp_path: Path) -> None:
    deliver_twice(engine, tmp_path, 7, RunConfig(intake=Intake(supersede_share=0.7)))

    assert {"self_employed.csv": "self_employed_v2.csv"} == replaced(engine)


def test_it_can_be_switched_off(engine: DuckDBEngine, tmp_path: Path) -> None:
    config = RunConfig(intake=Intake(supersede="no"))

    night(engine, tmp_path / "in", {"self_employed.csv": OLD, "self_employed_v2.csv": NEW}, config)

    assert {} == replaced(engine)
    assert [] == names(engine)


def test_a_mark_is_only_what_stands_at_the_end() -> None:
    assert {} == revision_of("self_employed_v2_430405.csv").marks
    assert {} == revision_of("self_employed_430405.csv.gz").marks
    assert {} == revision_of("self_employed_dev2.csv").marks
    assert {"version": (2,), "copy": (1,)} == revision_of("self_employed_v2 (1).xlsx").marks


def test_three_alike_across_files_each_name_another_place(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    tabs = households(GOOD).replace(",", "\t")
    files: Files = {
        "self_employed_1.csv": OLD,
        "self_employed_2.tsv": tabs.encode("gb18030"),
        "self_employed_3.csv": households("S9,430405010002,丙\ue81e店,,1,1", GOOD),
    }

    night(engine, tmp_path / "in", files)

    told = dict(refused(engine, "file, message_zh"))
    assert "“self_employed_2.tsv”第1条数据（文件第2行）" in told["self_employed_1.csv"]
    assert "“self_employed_3.csv”第2条数据（文件第3行）" in told["self_employed_2.tsv"]
    assert "“self_employed_1.csv”第1条数据（文件第2行）" in told["self_employed_3.csv"]
    assert ["丙\ue81e店", "乙店"] == sorted(names(engine))
    counted = engine.rows("SELECT rows_private_use FROM census.delivered_file ORDER BY file")
    assert [(0,), (0,), (1,)] == counted
