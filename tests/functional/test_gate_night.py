"""The gate in the night: half-empty, missing and refused files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from deliveries import Night, run
from gate_judging import EAST, OWN, WEST, Judged, deliver, judge, units, verdicts
from tiny import write_csv

from audit.gate import GateSettings
from pipelines import gate
from pipelines.config import RunConfig


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a first night in which both counties came."""
    folder = tmp_path_factory.mktemp("first")
    delivery = deliver(folder / "in", units(EAST, 40), units(WEST, 40))
    return run(delivery, folder / "out", config=OWN, run_id="n1").out


def ids(night: Night, cause: str) -> int:
    return night.table(
        f"SELECT COUNT(*) FROM audit.finding_history WHERE cause = '{cause}' "
        f"AND run_id = '{night.summary.run_id}'"
    ).item()


def test_damaged_verdicts_of_the_last_night_stop_no_later_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery, out = deliver(tmp_path / "in", units(EAST, 40), units(WEST, 40)), tmp_path / "out"
    first = verdicts(judge(delivery, out))
    published = out / gate.LAST
    published.write_bytes(published.read_bytes()[:-9])

    again = judge(delivery, out)

    assert first == verdicts(again)
    assert "audit.gate.parquet" in caplog.text
    assert again.tables["gate"]["n_expected"].is_null().all()


def test_half_empty_file_is_quarantined_and_closes_nothing(first: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(first, out, symlinks=True)
    half = deliver(tmp_path / "2", units(EAST, 40), units(WEST, 20))
    night = run(half, out, config=OWN, run_id="n2")

    assert {"430421000000": "accept", "430422000000": "quarantine"} == verdicts(night)
    assert 0 == ids(night, "unit_gone")
    assert 0 < ids(night, "not_delivered")
    scores = night.table(
        "SELECT left(region_code, 6) AS county, MAX(rank) AS rank, BOOL_OR(flagged) AS flagged, "
        "MAX(rate) AS rate FROM audit.region_score WHERE region_level IN ('3', '4', '5') "
        "AND left(region_code, 6) IN ('430421', '430422') GROUP BY 1 ORDER BY 1"
    ).rows()
    assert ("430422", None, False, None) == scores[1]
    assert scores[0][3] is not None
    cells = night.table(
        "SELECT county_code, gate FROM coverage WHERE rule_id = 'FRM002' "
        "AND county_code IN ('430421000000', '430422000000') ORDER BY 1"
    ).rows()
    assert [("430421000000", "accept"), ("430422000000", "quarantine")] == cells
    report = (out / "current" / "report.html").read_text("utf-8")
    assert "隔离待核" in report
    assert 'class="v-held"' in report

    assert 'class="state-not_delivered"' in report


def test_changed_header_and_cut_file_stand_in_the_reasons(tmp_path: Path) -> None:
    """The office reads there what to ask the county for."""
    folder = deliver(tmp_path / "in", units(EAST, 40), units(WEST, 40))
    east = folder / "legal_entity_east.csv"
    head, _, rows = east.read_text("utf-8").partition("\n")
    east.write_text(head.replace("credit_code", "信用号码", 1) + "\n" + rows, "utf-8")
    (folder / "legal_entity_石鼓区.xlsx").write_bytes(b"PK\x03\x04 cut short")

    told = dict(judge(folder, tmp_path / "out").table("SELECT file, reasons FROM gate").rows())

    assert told["legal_entity_east.csv"].startswith(
        "缺列（或整列为空）统一社会信用代码，未识别的列 信用号码：请改回表头重报；"
    )
    assert "文件打不开，未读入" == told["legal_entity_石鼓区.xlsx"]
    assert not told["legal_entity_west.csv"].startswith("缺列")


def test_what_was_held_back_is_no_yardstick(tmp_path: Path) -> None:
    judge(deliver(tmp_path / "1", units(EAST, 40), units(WEST, 40)), tmp_path / "out")
    half = deliver(tmp_path / "2", units(EAST, 40), units(WEST, 20))

    told = [verdicts(judge(half, tmp_path / "out"))["430422000000"] for _ in range(2)]

    assert 2 * ["quarantine"] == told


def test_county_that_came_last_night_and_not_tonight_is_missing(
    first: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(first, out, symlinks=True)
    night = run(deliver(tmp_path / "2", units(EAST, 40), []), out, config=OWN, run_id="n2")

    assert "missing" == verdicts(night)["430422000000"]
    assert 0 == ids(night, "unit_gone")


def test_units_gone_with_a_short_file_are_not_resolved_until_the_note_says_so(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    whole = units(EAST, 38)
    wrong = [{**row, "unit_id": f"W{n}", "employees": ""} for n, row in enumerate(units(EAST, 4))]
    run(deliver(tmp_path / "1", [*whole, *wrong], []), out, config=OWN, run_id="n1")
    short = deliver(tmp_path / "2", whole, [])
    told = []
    for number in (2, 3):
        night = run(short, out, config=OWN, run_id=f"n{number}")
        place = verdicts(night)["430421000000"]
        told.append((place, ids(night, "unit_gone"), ids(night, "not_delivered")))
    n_open = night.summary.changes["not_delivered"]
    note = RunConfig(gate=OWN.gate, expected_rows={"legal_entity/430421": 38})
    last = run(short, out, config=note, run_id="n4")

    assert 0 < n_open
    assert 2 * [("remarks", 0, n_open)] == told
    assert ("accept", n_open) == (verdicts(last)["430421000000"], ids(last, "unit_gone"))


def test_a_pair_stays_open_while_one_of_it_did_not_come(tmp_path: Path) -> None:
    east, west = units(EAST, 40, credit_code=""), units(WEST, 40, credit_code="")
    code = {"credit_code": "91430422209679931R"}
    lenient = RunConfig(gate=GateSettings(judge="own", code_missing_worst=1.0, empty_worst=1.0))
    pair = [{**east[0], **code}, *east[1:]], [{**west[0], **code}, *west[1:]]
    became = []
    for number, delivered in enumerate((pair, (pair[0], []), pair, (pair[0], west))):
        folder = deliver(tmp_path / str(number), *delivered)
        night = run(folder, tmp_path / "out", config=lenient, run_id=f"n{number}")
        became += night.table(
            "SELECT state, cause FROM audit.finding_history WHERE rule_id = 'DUP001' "
            f"AND subject_id = '{east[0]['unit_id']}'"
        ).rows()

    assert [("new", None), ("persisting", "not_checked"), ("persisting", None)] == became[:3]
    assert ("resolved", "value_corrected") == became[3]


def test_returns_without_their_units_follow_from_the_units_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    east, west = units(EAST, 40), units(WEST, 40)
    returns = [
        {"unit_id": unit["unit_id"], "form": "602", "employees": "3"} for unit in (*east, *west)
    ]
    for name, units_of_west in (("1", west), ("2", [])):
        folder = deliver(tmp_path / name, east, units_of_west)
        write_csv(folder / "employment.csv", returns)
    run(tmp_path / "1", out, config=OWN, run_id="n1", rules="FRM002")
    night = run(tmp_path / "2", out, config=OWN, run_id="n2", rules="FRM002")

    found = night.table(
        "SELECT table_name, verdict, because FROM audit.gate WHERE region_code = '430422000000' "
        "ORDER BY table_name DESC"
    ).rows()
    file = "legal_entity_west.csv"
    assert [("legal_entity", "missing", None), ("employment", "missing", file)] == found
    assert (1, 1) == (night.summary.gate.verdicts["missing"], night.summary.gate.following)
    report = (out / "current" / "report.html").read_text("utf-8")
    assert "随之无法归县的表 1 张" in report


def test_returns_that_did_not_come_with_their_units_are_owed_as_well(tmp_path: Path) -> None:
    east, west = units(EAST, 40), units(WEST, 40)
    returns = [
        {"unit_id": unit["unit_id"], "form": "602", "employees": "3"} for unit in (*east, *west)
    ]
    write_csv(deliver(tmp_path / "1", east, west) / "employment.csv", returns)
    write_csv(deliver(tmp_path / "2", east, []) / "employment.csv", returns[:40])
    judge(tmp_path / "1", tmp_path / "out")

    again = judge(tmp_path / "2", tmp_path / "out").summary

    assert (2, 0) == (again.verdicts["missing"], again.following)


def test_delivery_note_goes_before_last_night(tmp_path: Path) -> None:
    note = RunConfig(gate=OWN.gate, expected_rows={"legal_entity/430421": 100})
    night = judge(deliver(tmp_path / "1", units(EAST, 50), []), tmp_path / "out", note)

    assert {"430421000000": "quarantine"} == verdicts(night)


def test_a_note_of_the_whole_city_is_owed_by_no_single_county(tmp_path: Path) -> None:
    out, whole = tmp_path / "out", RunConfig(gate=OWN.gate, expected_rows={"legal_entity": 80})
    full = deliver(tmp_path / "1", units(EAST, 40), units(WEST, 40))
    fair = {"430421000000": "accept", "430422000000": "accept"}

    assert 3 * [fair] == [verdicts(judge(full, out, whole)) for _ in range(3)]
    assert fair == verdicts(judge(full, out))


def test_a_note_of_the_whole_city_goes_before_last_night(tmp_path: Path) -> None:
    out, more = tmp_path / "out", RunConfig(gate=OWN.gate, expected_rows={"legal_entity": 200})
    full = deliver(tmp_path / "1", units(EAST, 40), units(WEST, 40))
    judge(full, out)

    assert {"quarantine"} == set(verdicts(judge(full, out, more)).values())
    # What is short for the city is no yardstick for its counties, nor is it for the city.
    assert {"quarantine"} == set(verdicts(judge(full, out)).values())


def test_a_small_county_that_loses_rows_gets_a_remark(tmp_path: Path) -> None:
    found = [
        verdicts(judge(deliver(tmp_path / str(n), units(EAST, n), []), tmp_path / "out"))[
            "430421000000"
        ]
        for n in (8, 6, 3)
    ]

    assert ["accept", "accept", "remarks"] == found


@pytest.mark.parametrize(
    ("city", "elsewhere", "unlisted"),
    [
        ("430400000000", "430102001001", "430499999999"),
        ("430000000000", "440106001001", "430102001001"),
    ],
)
def test_region_codes_outside_the_audited_region_are_not_judged(
    tmp_path: Path, city: str, elsewhere: str, unlisted: str
) -> None:
    rows = units(EAST, 40)
    for row in rows:
        row["register_region_code"] = elsewhere
    for row in rows[:5]:
        row["register_region_code"] = unlisted
    config = replace(OWN, city=city)
    night = run(deliver(tmp_path / "1", rows, []), tmp_path / "out", config=config, rules="COD008")

    found = night.table(
        "SELECT item, ROUND(value, 4) AS value FROM audit.gate_check "
        "WHERE region_code = '430421000000' AND check_id = 'unlisted'"
    ).rows()
    outside = night.table(
        "SELECT COUNT(*) FROM audit.finding WHERE rule_id = 'COD008' AND variable = 'region_code'"
    ).item()

    assert [("register_region_code", 0.125)] == found
    assert outside == 0


def test_profile_counts_what_is_empty_unlisted_refused_and_repeated(tmp_path: Path) -> None:
    rows = units(EAST, 40)
    for row in rows[:10]:
        row["industry_code"] = ""
    for row in rows[10:15]:
        row["status"] = "77"
    rows[20]["opened_ym"] = "203001"
    rows[21]["employees"] = "约三十"
    rows[22]["unit_id"] = rows[23]["unit_id"]
    night = judge(deliver(tmp_path / "1", rows, []), tmp_path / "out")
    found = {
        row[0]: row[1:]
        for row in night.table(
            "SELECT check_id, item, ROUND(value, 4) FROM audit.gate_check "
            "WHERE region_code = '430421000000'"
        ).rows()
    }

    loaded = 37  # both rows with one key are refused
    assert ("industry_code", round(10 / loaded, 4)) == found["empty"]
    assert ("status", round(5 / loaded, 4)) == found["unlisted"]
    assert ("opened_ym", round(1 / loaded, 4)) == found["dates"]
    assert ("bad_number", round(1 / 40, 4)) == found["refused"]
    assert round(2 / 40, 4) == found["duplicate"][1]


def cells_of(night: Night | Judged) -> list[tuple[object, ...]]:
    return night.table(
        "SELECT file, region_code, verdict, n_rows, n_refused FROM audit.gate "
        "WHERE table_name = 'legal_entity' ORDER BY file"
    ).rows()


def test_file_refused_as_a_whole_holds_back_the_county_of_its_path(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "1", units(EAST, 30), [])
    shops = [{"unit_id": f"S{n}", "region_code": WEST, "name": "甲店"} for n in range(30)]
    write_csv(folder / "self_employed.csv", shops)
    (folder / "legal_entity_430422.xlsx").write_bytes(b"PK\x03\x04 cut short")
    (folder / "legal_entity_430405.csv").write_text("unit_id,name\nX1,甲\n", "utf-8")
    night = run(folder, tmp_path / "out", config=OWN)

    assert [
        ("legal_entity_430405.csv", "430405000000", "quarantine", 0, 0),
        ("legal_entity_430422.xlsx", "430422000000", "quarantine", 0, 0),
        ("legal_entity_east.csv", "430421000000", "accept", 30, 0),
    ] == cells_of(night)
    scores = night.table(
        "SELECT left(region_code, 6) AS county, COUNT(rank), COUNT(rate) FROM audit.region_score "
        "WHERE left(region_code, 6) = '430422' AND region_level IN ('3', '4', '5') GROUP BY 1"
    ).rows()
    assert [("430422", 0, 0)] == scores


def test_file_that_a_newer_one_replaces_holds_nothing_back(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    write_csv(folder / "legal_entity_430421.csv", units(EAST, 30))
    write_csv(folder / "legal_entity_430421_v2.csv", units(EAST, 30, name="甲新店"))
    night = judge(folder, tmp_path / "out")

    assert [("legal_entity_430421_v2.csv", "430421000000", "accept", 30, 0)] == cells_of(night)


@pytest.mark.parametrize("header", ["region_code", "单位所在地区划代码", "105 单位所在地区划代码"])
def test_refused_rows_count_in_the_county_that_they_name(tmp_path: Path, header: str) -> None:
    rows = [*units(EAST, 25), *units(WEST, 25)]
    rows[0]["employees"] = rows[30]["employees"] = rows[31]["employees"] = "约三十"
    named = [{header if k == "region_code" else k: v for k, v in row.items()} for row in rows]
    write_csv(tmp_path / "1" / "legal_entity.csv", named)
    night = judge(tmp_path / "1", tmp_path / "out")

    assert [("430421000000", 24, 1), ("430422000000", 23, 2)] == sorted(
        (place, loaded, refused) for _, place, _, loaded, refused in cells_of(night)
    )
