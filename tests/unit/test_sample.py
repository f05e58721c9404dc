"""The sample: complete, deterministic, clean before the injector and truthful after it."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from stdnum.cn import uscc

from audit.contracts import CONTRACT
from audit.reference import RULES_DIR, load_reference
from audit.rulebook import load_rulebook
from sample_data import PLANTERS, generate, inject, write_delivery, write_sample
from sample_data.write import fatal_rules

UNITS, SEED = 1500, 5
RULE_IDS = sorted(path.name[:6] for path in RULES_DIR.glob("*/*.sql"))
Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def clean() -> Tables:
    return generate(UNITS, SEED)


@pytest.fixture(scope="module")
def damaged(clean: Tables) -> tuple[Tables, pl.DataFrame]:
    return inject(clean, SEED, 0.02)


@pytest.fixture(scope="module")
def truth(damaged: tuple[Tables, pl.DataFrame]) -> pl.DataFrame:
    return damaged[1]


def all_units(tables: Tables) -> pl.DataFrame:
    names = ("legal_entity", "establishment", "self_employed")
    return pl.concat([tables[n].select("unit_id", "region_code", "block_code") for n in names])


def test_every_table_has_the_columns_of_the_contract(clean: Tables) -> None:
    expected = {t.name: [c.name for c in t.columns] for t in CONTRACT.delivered}
    assert expected == {name: frame.columns for name, frame in clean.items()}
    assert len(clean) == 27
    assert [] == [name for name, frame in clean.items() if frame.height == 0]


def test_sizes_are_those_of_a_city(clean: Tables) -> None:
    sizes = {n: clean[n].height for n in ("legal_entity", "establishment", "self_employed")}
    assert {"legal_entity": 1500, "establishment": 1740, "self_employed": 8670} == sizes


def test_keys_are_unique_and_required_values_are_there(clean: Tables) -> None:
    for table in CONTRACT.delivered:
        frame = clean[table.name]
        assert frame.height == frame.select(table.key).n_unique(), table.name
        owed = [c.name for c in table.columns if c.required or c.mandatory]
        assert [0] * len(owed) == list(frame.select(owed).null_count().row(0)), table.name


def test_codes_are_valid_by_another_implementation(clean: Tables) -> None:
    for name in ("legal_entity", "establishment", "self_employed", "agency"):
        codes = clean[name]["credit_code"].drop_nulls()
        assert codes.len() == codes.n_unique()
        assert [] == [code for code in codes.to_list() if not uscc.is_valid(code)]


def test_prefixes_fit_institution_types(clean: Tables) -> None:
    legal = clean["legal_entity"].drop_nulls("credit_code")
    pairs = set(legal.select(pl.col("credit_code").str.slice(0, 2), "institution_type").iter_rows())
    assert {
        ("91", "10"), ("93", "55"), ("11", "30"), ("12", "20"), ("51", "40"), ("52", "51"),
        ("53", "52"), ("54", "54"), ("55", "53"),
    } == pairs  # fmt: skip


def test_industries_exist_in_scope_with_their_specialty(clean: Tables) -> None:
    profile = pl.DataFrame(pl.from_arrow(load_reference()["industry_profile"]))
    known = profile.filter(pl.col("in_scope")).select("industry_code", "specialty")
    for name in ("legal_entity", "establishment"):
        used = clean[name].select("industry_code", "specialty").unique()
        wrong = used.join(known, on=["industry_code", "specialty"], how="anti")
        assert [] == wrong.rows()


def test_every_unit_stands_in_a_block_of_the_list(clean: Tables) -> None:
    placed = all_units(clean).select(block_id=pl.col("region_code") + pl.col("block_code"))
    assert 0 == placed.join(clean["census_block"], on="block_id", how="anti").height
    regions = clean["region"].select("region_code")
    assert 0 == all_units(clean).join(regions, on="region_code", how="anti").height


def test_establishments_add_up_to_their_legal_entity(clean: Tables) -> None:
    sums = (
        clean["establishment_list"]
        .group_by("legal_unit_id")
        .agg(
            pl.col("employees", "revenue_kyuan").sum(),
            lines=pl.len(),
            headquarters=(pl.col("is_headquarters") == "1").sum(),
        )
    )
    legal = clean["legal_entity"].filter(pl.col("has_establishments") == "1")
    both = legal.join(sums, left_on="unit_id", right_on="legal_unit_id", how="full")
    wrong = both.filter(
        (pl.col("employees") != pl.col("employees_right"))
        | (pl.col("revenue_kyuan").fill_null(0) != pl.col("revenue_kyuan_right"))
        | (pl.col("n_establishments") != pl.col("lines"))
        | (pl.col("headquarters") != 1)
        | pl.col("lines").is_null()
        | pl.col("unit_id").is_null()
    )
    assert 0 == wrong.height


def test_finance_and_employment_identities_hold(clean: Tables) -> None:
    full = clean["finance"].filter(pl.col("form") != "611-3")
    balance = full["assets_kyuan"] - full["liabilities_kyuan"] - full["equity_kyuan"]
    assert [0] == balance.unique().to_list()
    staff = clean["employment"].filter(pl.col("form") == "602")
    groups = staff["on_post"] + staff["dispatched"] + staff["other_staff"]
    assert staff["employees"].to_list() == groups.to_list()
    average = (staff["wages_kyuan"] * 1000 / staff["employees_average"]).round().cast(pl.Int64)
    assert 0 == (average - staff["average_wage_yuan"]).abs().max()
    joined = clean["legal_entity"].join(clean["employment"], on="unit_id")
    assert joined["employees"].to_list() == joined["employees_right"].to_list()
    assert joined.height == UNITS


def test_the_false_positive_traps_are_there(clean: Tables) -> None:
    legal, branches = clean["legal_entity"], clean["establishment"]
    repeated = legal.filter(pl.col("name").is_duplicated())
    assert {"20", "51", "53", "54"} >= set(repeated["institution_type"].to_list())
    assert repeated.height >= 2
    headquarters = branches.filter(pl.col("is_headquarters") == "1")
    assert headquarters.join(legal, on="name").height > 10
    outside = branches.filter(~pl.col("parent_region_code").str.starts_with("4304"))
    assert outside.height > 50
    assert clean["finance"].filter(pl.col("equity_kyuan") < 0).height > 0
    assert legal.filter(pl.col("region_code") != pl.col("register_region_code")).height > 5
    assert legal.filter(pl.col("status").is_in(["4", "6"])).height > 2
    assert legal.filter((pl.col("form") == "611") & pl.col("explanation").is_not_null()).height >= 6
    shared = legal.join(clean["agency"], left_on="phone_fixed", right_on="phone")
    assert shared.height >= 5
    sales = clean["register_unit"].filter(pl.col("source") == "2")
    ratio = sales.join(legal, on="credit_code").filter(pl.col("revenue_kyuan") > 200)
    band = [
        sold / earned for sold, earned in ratio.select("sales_kyuan", "revenue_kyuan").iter_rows()
    ]
    assert 0.6 <= min(band) < 0.8
    assert 1.4 < max(band) <= 1.7


def test_every_rule_has_a_planter_and_every_planter_plants(truth: pl.DataFrame) -> None:
    assert RULE_IDS == sorted(PLANTERS)
    planted = truth.filter(pl.col("kind") == "planted").group_by("rule_id").len()
    assert RULE_IDS == sorted(planted["rule_id"].to_list())
    # An area, an account or an enumerator stands for all its units.
    leads = {rule.id for rule in load_rulebook().rules if rule.statement != "error"}
    assert set(planted.filter(pl.col("len") < 2)["rule_id"]) <= leads


def test_truth_names_units_that_exist(damaged: tuple[Tables, pl.DataFrame]) -> None:
    tables, truth = damaged
    records = tables["register_unit"].select(pl.col("source") + "|" + pl.col("register_id"))
    known = {
        *all_units(tables)["unit_id"].to_list(),
        *tables["frame_unit"]["frame_id"].to_list(),
        *tables["visit"]["visit_id"].to_list(),
        *records.to_series().to_list(),
        *tables["region"]["region_code"].to_list(),
        *tables["edit_event"]["event_id"].cast(pl.String).to_list(),
        *tables["edit_event"]["editor_id"].to_list(),
        *tables["census_block"]["block_id"].to_list(),
        *tables["enumerator"]["enumerator_id"].to_list(),
        *tables["submission"]["submission_id"].to_list(),
        *tables["submission"]["account"].to_list(),
        *tables["legal_entity"]["specialty"].to_list(),
    }
    named = {*truth["subject_id"].to_list(), *truth["related_id"].to_list()} - {""}
    assert set() == named - known
    assert {"planted", "consequence", "possible"} == set(truth["kind"].to_list())


def test_no_unit_carries_two_planted_errors(damaged: tuple[Tables, pl.DataFrame]) -> None:
    tables, truth = damaged
    areas = tables["region"]["region_code"].to_list()
    planted = truth.filter((pl.col("kind") == "planted") & ~pl.col("subject_id").is_in(areas))
    assert [] == planted.filter(pl.col("subject_id").is_duplicated()).rows()


def test_planted_errors_are_in_the_tables(damaged: tuple[Tables, pl.DataFrame]) -> None:
    tables, truth = damaged
    legal = tables["legal_entity"]

    def planted(rule: str) -> list[str]:
        rows = truth.filter((pl.col("rule_id") == rule) & (pl.col("kind") == "planted"))
        return sorted(rows["subject_id"].to_list())

    women = legal.filter(pl.col("employees_female") > pl.col("employees"))["unit_id"]
    households = tables["self_employed"].filter(pl.col("employees_female") > pl.col("employees"))[
        "unit_id"
    ]
    branches = tables["establishment"].filter(pl.col("employees_female") > pl.col("employees"))[
        "unit_id"
    ]
    assert planted("FRM002") == sorted([*women, *households, *branches])
    late = [f.filter(pl.col("opened_ym") > "201812")["unit_id"]
            for f in (legal, tables["establishment"])]  # fmt: skip
    assert planted("FRM018") == sorted([*late[0], *late[1]])
    open_lines = tables["frame_unit"].filter(pl.col("outcome").is_null())["frame_id"]
    assert sorted([*planted("REG010"), *planted("REG011")]) == sorted(open_lines)
    twice = legal.drop_nulls("credit_code").filter(pl.col("credit_code").is_duplicated())
    assert sorted([*planted("DUP001"), *planted("DUP004")]) == sorted(twice["unit_id"])


def test_the_clean_tables_are_left_alone(clean: Tables) -> None:
    again = generate(UNITS, SEED)
    assert [] == [name for name in clean if not clean[name].equals(again[name])]


def test_nothing_is_planted_at_rate_zero(clean: Tables) -> None:
    tables, truth = inject(clean, SEED, 0.0)
    assert 0 == truth.height
    assert [] == [name for name in clean if not clean[name].equals(tables[name])]


@pytest.mark.parametrize("rate", [-0.1, 0.6])
def test_a_rate_out_of_range_is_refused(clean: Tables, rate: float) -> None:
    with pytest.raises(ValueError, match="error rate"):
        inject(clean, SEED, rate)


def test_too_small_a_city_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        generate(20, SEED)


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_a_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sample(tmp_path / name, units=500, seed=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a_truth") == contents(tmp_path / "b_truth")
    visits = [generate(500, seed)["visit"] for seed in (1, 2)]
    assert not visits[0].equals(visits[1])


def test_a_delivery_mixes_formats_and_keeps_the_truth_outside(
    damaged: tuple[Tables, pl.DataFrame], tmp_path: Path
) -> None:
    folder = tmp_path / "delivery"
    write_delivery(*damaged, folder)
    files = contents(folder)
    assert {".csv", ".gz", ".parquet", ".tsv", ".xlsx"} == {Path(name).suffix for name in files}
    assert "统一社会信用代码".encode("gb18030") in files["register_unit/部门2.csv"]
    assert (
        "填报单位标识".encode("utf-16")[2:]
        in files["行政事业及民间非营利组织主要经济指标_全市.csv"]
    )
    assert "01 从业人员期末人数" in gzip.decompress(files["employment.csv.gz"]).decode()
    assert [] == [name for name in files if "truth" in name or "clean_ids" in name]
    beside = contents(tmp_path / "delivery_truth")
    assert {"truth.csv", "clean_ids.csv", "regions_truth.csv", "delivered.csv"} == set(beside)
    listed = pl.read_csv(beside["delivered.csv"])
    assert set(files) == set(listed["file"].to_list())
    rows = dict(listed.group_by("table").agg(pl.col("rows").sum()).iter_rows())
    delivered = {name: frame.height for name, frame in damaged[0].items()}
    assert delivered == rows


def test_a_former_sample_is_replaced_and_foreign_files_are_not(
    damaged: tuple[Tables, pl.DataFrame], tmp_path: Path
) -> None:
    folder = tmp_path / "delivery"
    write_delivery(*damaged, folder)
    write_delivery(*damaged, folder)
    (folder / "notes.docx").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="not of a sample"):
        write_delivery(*damaged, folder)
    assert b"mine" == (folder / "notes.docx").read_bytes()


def test_rules_whose_errors_must_be_corrected_are_those_of_the_rulebook() -> None:
    book = load_rulebook()
    fatal = [r.id for r in book.rules if r.severity == "fatal" and r.grain == "unit"]

    assert fatal == sorted(fatal_rules())
