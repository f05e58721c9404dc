"""Region scores: counts that add up, flags that need own evidence, an order that is fair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from audit.scoring import (
    COUNTS,
    Evidence,
    Limits,
    city_prefix,
    parent_positions,
    score_regions,
)
from pipelines import score
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.score import ScoreSummary

VINTAGE = "2018-10-31"
PROVINCE, CITY, COUNTY, OTHER = "430000000000", "430400000000", "430421000000", "430422000000"
TOWN, VILLAGE = "430421100000", "430421100201"
LIMITS = Limits()


def regions(*rows: tuple[str, str, str]) -> pl.DataFrame:
    data = [(code, f"R{code}", level, parent) for code, level, parent in rows]
    names = ["region_code", "name", "level", "parent_code"]
    return pl.DataFrame(data, schema=dict.fromkeys(names, pl.String), orient="row")


def direct(rows: dict[str, tuple[int, int, int, int, int]]) -> pl.DataFrame:
    data = [(code, *values) for code, values in rows.items()]
    schema = {"region_code": pl.String} | dict.fromkeys(COUNTS, pl.Int64)
    return pl.DataFrame(data, schema=schema, orient="row")


def by_rule(*rows: tuple[str, str, str, str, int]) -> pl.DataFrame:
    columns = ("region_code", "rule_id", "title_zh", "title_en")
    names = dict.fromkeys(columns, pl.String)
    return pl.DataFrame(list(rows), schema=names | {"n_units": pl.Int64}, orient="row")


def scores(listed: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    evidence = Evidence(regions=listed, counts=counts, by_rule=by_rule(), city=CITY)
    return score_regions(evidence, LIMITS)


def value(frame: pl.DataFrame, code: str, column: str) -> object:
    return frame.filter(pl.col("region_code") == code)[column].item()


def country(counts_of_villages: np.ndarray, units: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ten counties of ten townships of ten villages, all legal entities."""
    rows = [(CITY, "2", "")]
    counts: dict[str, tuple[int, int, int, int, int]] = {}
    for c in range(10):
        county = f"4304{c + 10}000000"
        rows.append((county, "3", CITY))
        for t in range(10):
            town = f"{county[:6]}{t + 100}000"
            rows.append((town, "4", county))
            for v in range(10):
                village = f"{town[:9]}{v + 200}"
                rows.append((village, "5", town))
                counts[village] = (units, int(counts_of_villages[c, t, v]), 0, 0, 0)
    return regions(*rows), direct(counts)


def village_and_township() -> tuple[pl.DataFrame, pl.DataFrame]:
    """A village of 12 units with 2 findings, and elsewhere a township of 900 with 70."""
    small = [(f"430421100{n}", "5", TOWN) for n in range(201, 209)]
    big = [(f"430422100{n}", "5", "430422100000") for n in range(201, 210)]
    towns = [(TOWN, "4", COUNTY), ("430422100000", "4", OTHER)]
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY), (OTHER, "3", CITY), *towns, *small, *big)
    counts = {code: (100, 1, 0, 0, 0) for code, _, _ in small}
    counts |= {code: (100, 7 + n % 3, 0, 0, 0) for n, (code, _, _) in enumerate(big)}
    counts[big[0][0]] = (100, 6, 0, 0, 0)
    counts[VILLAGE] = (12, 2, 0, 0, 0)
    return listed, direct(counts)


def test_village_of_12_with_2_does_not_outrank_township_of_900_with_70():
    listed, counts = village_and_township()
    result = scores(listed, counts)
    assert (
        value(result, "430422100000", "n_units"),
        value(result, "430422100000", "n_failed"),
    ) == (900, 71)
    assert 2 / 12 > 70 / 900  # by the raw rate it would
    assert value(result, VILLAGE, "rank") > value(result, "430422100000", "rank")
    assert value(result, "430422100000", "flagged") is True


def test_a_bad_neighbourhood_does_not_lift_a_small_village():
    """Even among villages of 40 % it is its own 2 of 12 that count for the order."""
    listed, counts = village_and_township()
    worse = counts.with_columns(
        n_failed_legal=pl.when(
            pl.col("region_code").str.starts_with(TOWN[:9]) & (pl.col("region_code") != VILLAGE)
        )
        .then(40)
        .otherwise(pl.col("n_failed_legal"))
    )
    result = scores(listed, worse)
    assert value(result, VILLAGE, "rate_low") > value(result, "430422100000", "rate_low")
    assert value(result, VILLAGE, "rank") > value(result, "430422100000", "rank")


def test_no_flag_from_neighbours_alone():
    """One of 40 is within the limit, however bad the villages around it are."""
    listed, counts = village_and_township()
    quiet = "430422100202"
    bad = counts.with_columns(
        n_units_legal=pl.when(pl.col("region_code") == quiet)
        .then(40)
        .otherwise(pl.col("n_units_legal")),
        n_failed_legal=pl.when(pl.col("region_code") == quiet)
        .then(1)
        .when(pl.col("region_code").str.starts_with("430422"))
        .then(20)
        .otherwise(pl.col("n_failed_legal")),
    )
    result = scores(listed, bad)
    assert value(result, quiet, "probability") > 0.8
    assert value(result, quiet, "flagged") is False
    assert value(result, "430422100203", "flagged") is True


@pytest.mark.parametrize("held", ["430413", CITY[:6]])
def test_a_county_held_back_tells_nothing_about_the_others(held):
    """Its counts are shown; the rates of the others are as if it were not there."""
    random = np.random.default_rng(8)
    failed = random.binomial(30, 0.03, size=(10, 10, 10))
    listed, counts = country(failed, 30)
    worse = counts.with_columns(
        n_failed_legal=pl.when(pl.col("region_code").str.starts_with("430413"))
        .then(14)
        .otherwise(pl.col("n_failed_legal"))
    )
    evidence = Evidence(regions=listed, counts=counts, by_rule=by_rule(), city=CITY, held=[held])
    spoilt = replace(evidence, counts=worse)
    others = ~pl.col("region_code").str.starts_with("430413") & (pl.col("region_level") > "2")
    told = ("region_code", "rate", "rate_low", "rate_high", "probability", "flagged")
    quiet, loud = (
        score_regions(one, LIMITS).filter(others).select(told).sort("region_code")
        for one in (evidence, spoilt)
    )
    assert quiet.height == 999
    assert quiet.equals(loud)
    assert value(score_regions(spoilt, LIMITS), "430413000000", "n_failed") == 1400


def test_rates_shrink_towards_the_siblings():
    listed, counts = village_and_township()
    result = scores(listed, counts)
    shrunk = value(result, VILLAGE, "rate")
    assert 0.01 < shrunk < 2 / 12
    assert value(result, VILLAGE, "rate_low") < shrunk < value(result, VILLAGE, "rate_high")


def test_counts_of_a_region_are_the_sum_of_its_childrens():
    random = np.random.default_rng(7)
    listed, counts = country(random.integers(0, 9, size=(10, 10, 10)), 20)
    counts = counts.with_columns(
        n_self_employed=pl.lit(30, pl.Int64),
        n_failed_self_employed=pl.Series(random.integers(0, 5, size=1000)),
        n_register=pl.Series(random.integers(0, 3, size=1000)),
    )
    result = scores(listed, counts)
    columns = [*COUNTS, "n_units", "n_failed"]
    sums = result.group_by("parent_code").agg(pl.sum(*columns)).drop_nulls()
    own = result.select("region_code", *columns)
    compared = sums.join(own, left_on="parent_code", right_on="region_code")
    assert compared.height == 111
    for column in columns:
        assert compared[column].to_list() == compared[f"{column}_right"].to_list()
    assert value(result, CITY, "n_units") == 50_000


def test_units_of_a_township_without_village_count_for_the_township():
    listed = regions(
        (CITY, "2", ""), (COUNTY, "3", CITY), (TOWN, "4", COUNTY), (VILLAGE, "5", TOWN)
    )
    result = scores(listed, direct({TOWN: (4, 1, 0, 0, 0), VILLAGE: (6, 1, 5, 2, 3)}))
    assert result.filter(pl.col("region_code") == TOWN).select(
        "n_units", "n_failed", "n_register"
    ).row(0) == (15, 4, 3)


def test_null_data_gives_few_wrong_flags():
    """All regions at 2 %, limit 3 %: what is flagged is flagged by chance."""
    random = np.random.default_rng(2018)
    flagged = total = 0
    for units in (12, 60):
        listed, counts = country(random.binomial(units, 0.02, size=(10, 10, 10)), units)
        result = scores(listed, counts)
        flagged += int(result["flagged"].sum())
        total += result.height
    assert total == 2222
    assert flagged / total < 0.03


def test_on_null_data_no_village_is_on_top_by_chance():
    random = np.random.default_rng(1)
    listed, counts = country(random.binomial(12, 0.02, size=(10, 10, 10)), 12)
    bad = counts.with_columns(
        n_failed_legal=pl.when(pl.col("region_code").str.starts_with("430410100"))
        .then(2)
        .otherwise(pl.col("n_failed_legal"))
    )
    assert scores(listed, bad)["region_code"][0] == "430410100000"


def test_bad_regions_are_found():
    random = np.random.default_rng(5)
    failed = random.binomial(60, 0.01, size=(10, 10, 10))
    failed[3, 4, :] = random.binomial(60, 0.15, size=10)
    listed, counts = country(failed, 60)
    result = scores(listed, counts)
    assert value(result, "430413104000", "flagged") is True
    assert str(result["region_code"][0]).startswith("430413104")
    assert value(result, "430413104000", "rank_in_level") == 1


def test_order_of_rows_does_not_matter():
    random = np.random.default_rng(3)
    listed, counts = country(random.binomial(30, 0.03, size=(10, 10, 10)), 30)
    shuffled = scores(
        listed.sample(fraction=1, shuffle=True, seed=4),
        counts.sample(fraction=1, shuffle=True, seed=5),
    )
    assert scores(listed, counts).equals(shuffled)


def test_ranks_are_one_order_and_one_a_level():
    listed, counts = village_and_township()
    result = scores(listed, counts)
    assert list(range(1, result.height + 1)) == result["rank"].to_list()
    towns = result.filter(pl.col("region_level") == "4")
    assert towns.select("region_code", "rank_in_level").rows() == [("430422100000", 1), (TOWN, 2)]


def test_region_without_units_is_last_and_has_no_rate():
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY), (OTHER, "3", CITY))
    result = scores(listed, direct({COUNTY: (10, 0, 0, 0, 0)}))
    last = result.row(-1, named=True)
    assert tuple(
        last[k]
        for k in (
            "region_code",
            "n_units",
            "rate",
            "rate_low",
            "rate_high",
            "probability",
            "flagged",
            "rank",
        )
    ) == (OTHER, 0, None, None, None, None, False, 3)
    assert last["kind"] is None
    assert last["reasons"] == "本区域没有登记单位；没有差错率；不参加排序"


def test_reported_kind_is_the_one_furthest_over_its_limit():
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY), (OTHER, "3", CITY))
    result = scores(listed, direct({COUNTY: (500, 40, 500, 20, 0), OTHER: (500, 40, 500, 100, 0)}))
    by_kind = [value(result, code, "reasons_en") for code in (COUNTY, OTHER)]
    assert "Legal entities and establishments: 40/500, direct 8.0 %, shrunk" in str(by_kind[0])
    assert "Self-employed: 100/500, direct 20.0 %, shrunk" in str(by_kind[1])
    assert str(by_kind[1]).endswith("above the limit of 5 %")
    kinds = [value(result, code, "kind") for code in (COUNTY, OTHER)]
    assert kinds == ["units", "self_employed"]
    assert 0.15 < float(str(value(result, OTHER, "rate"))) < 0.2


def test_reasons_name_the_two_rules_with_most_units():
    listed = regions(
        (CITY, "2", ""), (COUNTY, "3", CITY), (TOWN, "4", COUNTY), (VILLAGE, "5", TOWN)
    )
    evidence = Evidence(
        regions=listed,
        counts=direct({VILLAGE: (200, 30, 0, 0, 4), TOWN: (100, 10, 0, 0, 0)}),
        by_rule=by_rule(
            (VILLAGE, "COD002", "信用代码校验位", "Check character", 3),
            (TOWN, "COD002", "信用代码校验位", "Check character", 6),
            (VILLAGE, "DUP001", "法人重码", "Duplicate code", 20),
            (VILLAGE, "FRM001", "必填项", "Required items", 7),
            (VILLAGE, "COD003", "个体代码", "Code of the self-employed", 8),
        ),
    )
    result = score_regions(evidence, LIMITS)
    zh, en = (str(value(result, COUNTY, name)) for name in ("reasons", "reasons_en"))
    first, second, third = zh.split("；")
    assert (
        first == "强制性差错最多的规则：DUP001 法人重码 20 个单位、COD002 信用代码校验位 9 个单位"
    )
    assert second == "部门名录差异 4 个"
    assert third.startswith("法人和产业活动单位 40/300，直接 13.3 %，收缩后 13.")
    assert third.endswith("高于限值 3 %")
    assert "Rules with most failing units: DUP001 Duplicate code 20, COD002 Check character 9" in en
    assert len(en.split("; ")) == 3


def test_the_other_kind_over_its_limit_is_told_before_the_register():
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY), (OTHER, "3", CITY))
    over, under = (300, 90, 186, 27, 5), (300, 90, 186, 9, 5)
    result = scores(listed, direct({COUNTY: over, OTHER: under}))
    assert [value(result, c, "kind") for c in (COUNTY, OTHER)] == ["units", "units"]
    second = [str(value(result, c, "reasons")).split("；")[1] for c in (COUNTY, OTHER)]
    assert second == ["个体经营户 27/186，直接 14.5 %，限值 5 %", "部门名录差异 5 个"]
    assert "; Self-employed: 27/186, direct 14.5 %, limit 5 %; " in str(
        value(result, COUNTY, "reasons_en")
    )


def test_rules_with_most_units_count_units_of_both_kinds(ctx):
    """So that the sentence agrees with what SQL counts for the place."""
    fill(ctx.engine)
    score.run(ctx)
    told = ctx.engine.scalar(f"SELECT reasons FROM audit.region_score WHERE region_code = '{TOWN}'")
    assert str(told).split("；")[0] == "强制性差错最多的规则：COD001 代码格式 2 个单位"


def test_parent_missing_from_the_list_is_found_by_the_digits():
    listed = regions(
        (CITY, "2", PROVINCE),
        (COUNTY, "3", COUNTY),
        (TOWN, "4", "999999999999"),
        (VILLAGE, "5", ""),
    )
    assert parent_positions(listed).tolist() == [-1, 0, 1, 2]


def test_three_reasons_and_never_a_zero():
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY), (OTHER, "3", CITY), (TOWN, "4", COUNTY))
    one, other, clean = (500, 100, 0, 0, 0), (500, 100, 80, 9, 0), (40, 0, 0, 0, 0)
    result = scores(listed, direct({COUNTY: one, OTHER: other, TOWN: clean}))
    told = {code: str(value(result, code, "reasons")).split("；") for code in (COUNTY, OTHER, TOWN)}
    assert [len(reasons) for reasons in told.values()] == [3, 3, 3]
    assert told[COUNTY][1] == "仅凭本区域单位，有 80 % 的把握差错率高于 17.1 %"
    assert told[OTHER][1] == "个体经营户 9/80，直接 11.2 %，限值 5 %"
    assert told[TOWN][:2] == ["法人和产业活动单位未发现强制性差错", "未发现部门名录差异"]
    assert told[TOWN][2].startswith("法人和产业活动单位 40 个，收缩后 ")


def test_no_flag_on_thin_evidence_of_its_own():
    """Two of 40 are 5 %, and likely over among bad villages; alone they do not show it."""
    listed, counts = village_and_township()
    thin, firm = "430422100202", "430422100203"
    bad = counts.with_columns(
        n_units_legal=pl.when(pl.col("region_code").is_in([thin, firm]))
        .then(40)
        .otherwise(pl.col("n_units_legal")),
        n_failed_legal=pl.when(pl.col("region_code") == thin)
        .then(2)
        .when(pl.col("region_code") == firm)
        .then(3)
        .when(pl.col("region_code").str.starts_with("430422"))
        .then(20)
        .otherwise(pl.col("n_failed_legal")),
    )
    result = scores(listed, bad)
    assert value(result, thin, "probability") > 0.8
    assert [value(result, code, "flagged") for code in (thin, firm)] == [False, True]


def test_the_city_itself_is_scored_but_never_flagged():
    listed = regions((CITY, "2", ""), (COUNTY, "3", CITY))
    result = scores(listed, direct({COUNTY: (500, 100, 0, 0, 0)}))
    assert value(result, CITY, "probability") > 0.99
    assert [value(result, code, "flagged") for code in (CITY, COUNTY)] == [False, True]


def test_municipality_shares_two_digits():
    assert [city_prefix(c) for c in (CITY, "110000000000", "")] == ["4304", "11", ""]


def test_regions_outside_the_audited_city_have_no_row():
    listed = regions(
        (PROVINCE, "1", ""),
        (CITY, "2", PROVINCE),
        (COUNTY, "3", CITY),
        ("430100000000", "2", PROVINCE),
        ("110000000000", "1", ""),
    )
    result = scores(listed, direct({COUNTY: (10, 0, 0, 0, 0), "430100000000": (5, 0, 0, 0, 0)}))
    assert sorted(result["region_code"]) == [CITY, COUNTY]
    assert value(result, CITY, "n_units") == 10


def test_no_regions_give_no_scores():
    assert scores(regions(), direct({COUNTY: (3, 1, 0, 0, 0)})).height == 0


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[RunContext]:
    with DuckDBEngine() as engine:
        for name in ("unit", "region"):
            columns = CONTRACT.tables[name].duckdb_columns()
            engine.execute(f"CREATE TABLE census.{name} ({columns})")
        for name in ("audit.finding", "audit.rule", "audit.gate"):
            engine.execute(f"CREATE TABLE {name} ({CONTRACT.outputs[name].duckdb_columns()})")
        info = RunInfo(
            run_id="N1",
            started_at="2019-03-01T01:30:00",
            engine="duckdb",
            code_version="0",
            rulebook_digest="",
            input_digest="",
        )
        yield RunContext(
            input_dir=tmp_path,
            run_dir=tmp_path,
            state_dir=tmp_path,
            engine=engine,
            config=RunConfig(),
            info=info,
        )


def fill(engine: DuckDBEngine) -> None:
    engine.execute(
        "INSERT INTO census.region BY NAME SELECT * FROM (VALUES "
        f"('{CITY}', '{VINTAGE}', '衡阳市', '2', NULL), "
        f"('{COUNTY}', '{VINTAGE}', '衡阳县', '3', '{CITY}'), "
        f"('{TOWN}', '{VINTAGE}', '一镇', '4', '{COUNTY}'), "
        f"('430476000000', '2023-06-30', '新区', '3', '{CITY}')"
        ") AS t(region_code, vintage, name, level, parent_code)"
    )
    engine.execute(
        "INSERT INTO census.unit BY NAME SELECT * FROM (VALUES "
        f"('L1', '1', '{TOWN}'), ('L2', '1', '{TOWN}'), ('E1', '2', '{TOWN}'), "
        f"('S1', '3', '{TOWN}'), ('L3', '1', '430476000000'), ('L4', '1', NULL)"
        ") AS t(unit_id, unit_kind, region_code)"
    )
    engine.execute(
        "INSERT INTO audit.rule BY NAME SELECT * FROM (VALUES "
        "('COD001', 'codes', 'unit', '代码格式', 'Code format'), "
        "('PLA001', 'plausibility', 'unit', '可疑', 'Doubtful'), "
        "('REG001', 'register', 'frame', '名录', 'Register'), "
        "('REG011', 'register', 'frame', '落实', 'Outcome')"
        ") AS t(rule_id, family, grain, title_zh, title_en)"
    )
    engine.execute(
        "INSERT INTO audit.finding BY NAME SELECT * FROM (VALUES "
        f"('k1', 'COD001', 'fatal', 'L1', '{TOWN}', 'new'), "
        f"('k2', 'COD001', 'fatal', 'L1', '{TOWN}', 'new'), "
        f"('k3', 'PLA001', 'query', 'L2', '{TOWN}', 'new'), "
        f"('k4', 'COD001', 'fatal', 'S1', '{TOWN}', 'new'), "
        f"('k5', 'REG001', 'query', 'F1', '{TOWN}', 'new'), "
        f"('k6', 'REG011', 'fatal', 'F1', '{COUNTY}', 'new'), "
        f"('k7', 'COD001', 'fatal', 'E1', '{TOWN}', 'waived'), "
        "('k8', 'COD001', 'fatal', 'L3', '430476000000', 'new')"
        ") AS t(finding_key, rule_id, severity, subject_id, region_code, state)"
    )


def test_stage_counts_units_once_and_leaves_foreign_regions_out(ctx):
    fill(ctx.engine)
    assert ScoreSummary(n_regions=2, n_flagged=2, n_units_outside=2) == score.run(ctx)
    rows = ctx.engine.rows(
        "SELECT region_code, n_units_legal, n_failed_legal, n_self_employed, "
        "n_failed_self_employed, n_register FROM audit.region_score ORDER BY region_code"
    )
    # The frame line is seen by two rules in two regions, and is one discrepancy in one of them.
    assert rows == [(CITY, 3, 1, 1, 1, 1), (COUNTY, 3, 1, 1, 1, 1), (TOWN, 3, 1, 1, 1, 0)]


def test_stage_is_idempotent_and_writes_the_contract(ctx):
    fill(ctx.engine)
    score.run(ctx)
    first = ctx.engine.fetch("SELECT * FROM audit.region_score ORDER BY rank")
    score.run(ctx)
    again = ctx.engine.fetch("SELECT * FROM audit.region_score ORDER BY rank")
    assert first.equals(again)
    assert CONTRACT.outputs["audit.region_score"].arrow_schema().names == first.schema.names


@pytest.mark.parametrize("held", [COUNTY, CITY], ids=["county", "whole city"])
def test_where_units_are_held_back_no_rate_is_judged(ctx, held):
    fill(ctx.engine)
    ctx.engine.execute(
        "INSERT INTO audit.gate BY NAME "
        f"SELECT 'legal_entity' AS table_name, '{held}' AS region_code, 'missing' AS verdict"
    )
    score.run(ctx)

    below = ctx.engine.rows(
        "SELECT flagged, rate, rank FROM audit.region_score WHERE region_level > '2'"
    )
    assert below == 2 * [(False, None, None)]


def test_stage_estimates_nothing_from_a_county_held_back(ctx, monkeypatch):
    fill(ctx.engine)
    ctx.engine.execute(
        "INSERT INTO audit.gate BY NAME SELECT 'legal_entity' AS table_name, 'a.csv' AS file, "
        f"'{COUNTY}' AS region_code, 'quarantine' AS verdict"
    )
    asked: list[Evidence] = []
    monkeypatch.setattr(
        score, "score_regions", lambda e, limits: asked.append(e) or score_regions(e, limits)
    )
    score.run(ctx)
    assert list(asked[0].held) == [COUNTY[:6]]
    assert ctx.engine.rows("SELECT n_units FROM audit.region_score WHERE rank IS NULL") == [
        (4,), (4,)
    ]  # fmt: skip


def test_stage_takes_its_limits_from_the_settings(ctx):
    fill(ctx.engine)
    scoring = RunConfig().scoring
    strict = type(scoring)(limit_units=0.9, limit_self_employed=1.0, flag_probability=0.99)
    ctx.config = RunConfig(scoring=strict)
    assert score.run(ctx).n_flagged == 0
