"""The coverage certificate: what was checked where, and what was not for want of a file."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from deliveries import Night, run
from ingest_night import context
from tiny import entity, write_csv

from audit.engines.duckdb import DuckDBEngine
from audit.gate import GateSettings
from audit.rulebook import load_rulebook
from pipelines.check import region_prefix
from pipelines.config import RunConfig

OWN = RunConfig(gate=GateSettings(judge="own"))
EAST, WEST = "430421100013", "430422100013"
WEST_COUNTY = "430422000000"


def deliver(folder: Path, *regions: str) -> Path:
    for region in regions:
        rows = [entity(unit_id=f"{region[:6]}-{n}", region_code=region) for n in range(3)]
        write_csv(folder / f"legal_entity_{region[:6]}.csv", rows)
    return folder


def cells(night: Night) -> dict[tuple[str, str], tuple[str, str]]:
    rows = night.table("SELECT rule_id, county_code, state, verdict FROM audit.coverage").rows()
    return {(rule, county): (state, verdict) for rule, county, state, verdict in rows}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("whole")
    return run(deliver(folder / "in", EAST, WEST), folder / "out", config=OWN)


def test_every_rule_has_a_cell_in_every_county(whole: Night) -> None:
    counties = whole.table(
        "SELECT COUNT(*) FROM region WHERE level = '3' AND vintage = '2018-10-31' "
        "AND region_code LIKE '4304%'"
    ).item()
    table = whole.table("SELECT * FROM audit.coverage")

    assert table.height == counties * len(load_rulebook().select("*").rules)
    assert table.select(pl.struct("rule_id", "county_code").n_unique()).item() == table.height


def test_missing_file_of_a_county_turns_exactly_its_cells_grey(
    whole: Night, tmp_path: Path
) -> None:
    night = run(deliver(tmp_path / "in", EAST), tmp_path / "out", config=OWN)
    before, after = cells(whole), cells(night)
    turned = {cell for cell in before if after[cell][0] == "input_missing" != before[cell][0]}

    rules = whole.table("SELECT rule_id, tables, COALESCE(optional_tables, '') FROM audit.rule")
    reading = {
        rule
        for rule, tables, optional in rules.rows()
        if {"legal_entity", "unit"} & (set(tables.split("|")) - set(optional.split("|")))
        and before[rule, WEST_COUNTY][0] != "input_missing"
    }
    assert turned == {(rule, WEST_COUNTY) for rule in reading}
    assert len(reading) > 10
    assert {cell for cell in before if before[cell][0] != after[cell][0]} == turned


def test_cells_tell_what_is_missing_and_what_was_checked(whole: Night) -> None:
    told = cells(whole)
    outside = whole.table(
        "SELECT missing_tables FROM audit.coverage "
        "WHERE rule_id = 'COD002' AND county_code = '430423000000'"
    ).item()

    assert told["FRM002", WEST_COUNTY][0] == "checked"
    assert told["FRM006", WEST_COUNTY] == ("input_missing", "MISSING")
    assert told["COD002", "430423000000"] == ("input_missing", "MISSING")
    assert outside == "legal_entity"


def test_night_of_one_region_asks_nothing_of_the_others(tmp_path: Path) -> None:
    night = run(deliver(tmp_path / "in", EAST, WEST), tmp_path / "out", config=OWN, region="430421")
    told = cells(night)

    assert told["FRM002", "430421000000"][0] == "checked"
    assert told["FRM002", WEST_COUNTY] == ("not_asked", "NOT_ASKED")
    assert {state for (_, county), (state, _) in told.items() if county == WEST_COUNTY} == {
        "not_asked"
    }


def test_night_of_one_town_reads_that_town_and_passes_no_county(tmp_path: Path) -> None:
    for town in ("430422100013", "430422101013"):
        rows = [
            entity(unit_id=f"{town}-{n}", region_code=town, employees_female="1") for n in range(3)
        ]
        write_csv(tmp_path / "in" / f"legal_entity_{town}.csv", rows)
    night = run(tmp_path / "in", tmp_path / "out", config=OWN, region="430422100")
    told = cells(night)
    checked = night.table(
        "SELECT n_checked FROM audit.coverage "
        f"WHERE rule_id = 'FRM002' AND county_code = '{WEST_COUNTY}'"
    ).item()

    assert checked == 3
    assert told["FRM002", WEST_COUNTY] == ("partly_asked", "PARTLY")
    assert told["FRM002", "430421000000"] == ("not_asked", "NOT_ASKED")
    west = {verdict for (_, county), (_, verdict) in told.items() if county == WEST_COUNTY}
    assert west & {"PASSED", "NONE", "NOT_APPLICABLE"} == set()


@pytest.mark.parametrize(
    ("region", "prefix"),
    [
        ("", ""),
        ("43", "43"),
        ("4304", "4304"),
        ("430422", "430422"),
        ("430422000000", "430422"),
        ("430422100", "430422100"),
        ("430422110000", "430422110"),
        ("430422100200", "430422100200"),
    ],
)
def test_only_whole_empty_levels_are_cut_from_a_region(region: str, prefix: str) -> None:
    with DuckDBEngine() as engine:
        code = region.ljust(12, "0")
        engine.execute("CREATE SCHEMA IF NOT EXISTS census")
        engine.execute(
            f"CREATE TABLE census.region AS SELECT '{code}' AS region_code, '2018-10-31' AS vintage"
        )
        ctx = context(engine, Path("in"))

        assert region_prefix(ctx, region) == prefix


def test_crashed_rule_is_crashed_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit import checking

    real = checking._check_single

    def crash(engine, item, plan):
        if item.rule.id == "DUP001":
            raise checking.AuditError("坏", "broken")
        real(engine, item, plan)

    monkeypatch.setattr(checking, "_check_single", crash)
    night = run(deliver(tmp_path / "in", EAST), tmp_path / "out", config=OWN, rules="DUP001,DUP002")

    assert {told for (rule, _), told in cells(night).items() if rule == "DUP001"} == {
        ("crashed", "ERROR")
    }
