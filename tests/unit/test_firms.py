"""The made-up firms that measure the matcher: rates, truth, codes, and the same again."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from audit.codes import credit_code_check_ok, credit_code_org_ok
from audit.matching.records import RECORD_SCHEMA
from benchmarks.firms.english import make_english
from benchmarks.firms.make import make, true_pairs
from benchmarks.firms.pairs import make_pair
from benchmarks.firms.units import Options

FIRMS = Path(__file__).parents[2] / "benchmarks" / "firms"
N = 20_000


@pytest.fixture(scope="module")
def firms() -> tuple[pl.DataFrame, pl.DataFrame]:
    return make(Options(records=N, seed=5))


def originals(firms: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    records, truth = firms
    return records.join(truth, on="record_id").filter(pl.col("copy") == 0)


def rate(firms: tuple[pl.DataFrame, pl.DataFrame], damage: str) -> float:
    copies = firms[1].filter(pl.col("copy") == 1)
    return copies.select(pl.col("damage").list.contains(damage).mean()).item()


def test_records_have_the_columns_that_the_matcher_reads(
    firms: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    assert pl.Schema(RECORD_SCHEMA) == firms[0].schema


def test_one_seed_makes_one_file_and_another_seed_another() -> None:
    options = Options(records=500, seed=3)

    assert make(options)[0].equals(make(options)[0])
    assert not make(options)[0].equals(make(Options(records=500, seed=4))[0])


def test_every_unit_has_a_valid_code_of_its_own(firms: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    codes = originals(firms)["credit_code"]

    assert codes.is_unique().all()
    assert credit_code_check_ok(codes).all()
    assert credit_code_org_ok(codes).all()


def test_truth_covers_every_record_once_and_copies_follow_an_original(
    firms: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    records, truth = firms
    sizes = truth.group_by("unit").agg(n=pl.len(), firsts=(pl.col("copy") == 0).sum())

    assert set(records["record_id"]) == set(truth["record_id"])
    assert truth["record_id"].is_unique().all()
    assert [1] == sizes["firsts"].unique().to_list()
    assert [1, 2, 3, 4] == sizes["n"].unique().sort().to_list()
    assert sum(n * (n - 1) // 2 for n in sizes["n"]) == true_pairs(truth).height


@pytest.mark.parametrize(
    ("damage", "share"),
    [("code_missing", 0.35), ("code_character", 0.12), ("phone_new", 0.25), ("phone_missing", 0.15),
     ("address_rewritten", 0.45), ("address_new", 0.20), ("owner_homophone", 0.08),
     ("owner_changed", 0.12), ("owner_missing", 0.10), ("name_homophone", 0.15)],
)  # fmt: skip
def test_damage_comes_at_its_rate(
    firms: tuple[pl.DataFrame, pl.DataFrame], damage: str, share: float
) -> None:
    assert pytest.approx(share, abs=0.04) == rate(firms, damage)


def test_kinds_and_shared_places_come_at_their_rates(
    firms: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    first = originals(firms)
    kinds = dict(first["kind"].value_counts(normalize=True).iter_rows())
    companies = first.filter(pl.col("kind") == 0)

    assert pytest.approx(70 / 104, abs=0.02) == kinds[0]
    assert pytest.approx(20 / 104, abs=0.02) == kinds[1]
    assert pytest.approx(6 / 104, abs=0.01) == kinds[3]
    assert 0.08 < companies["address"].is_duplicated().mean() < 0.17


def test_a_branch_names_its_parent(firms: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    first = originals(firms)
    branches = first.filter(pl.col("kind") == 3)

    assert branches["parent_credit_code"].is_in(first["credit_code"].to_list()).all()
    assert (branches["parent_credit_code"] != branches["credit_code"]).all()


def test_options_change_what_they_name() -> None:
    rare, _ = make(Options(records=N, seed=5, copies=0.005, coverage=0.3, city="4304"))
    _, truth = make(Options(records=2000, seed=5, copies=0.005))
    alone, units = make(Options(records=5000, seed=5, families=0.0, branches=False))

    assert pytest.approx(0.3, abs=0.02) == rare["credit_code"].is_not_null().mean()
    assert ["4304"] == rare["region_code"].str.slice(0, 4).unique().to_list()
    assert 10 == truth["copy"].sum()
    assert 3 not in units["kind"]
    assert alone["parent_credit_code"].null_count() == alone.height


def test_careless_copies_bear_more_errors_together() -> None:
    plain, careless = (
        make(Options(records=N, seed=5, careless=flag))[1]
        .filter(pl.col("copy") == 1)["damage"]
        .list.len()
        for flag in (False, True)
    )

    assert careless.std() > 1.15 * plain.std()


def test_field_records_are_copies_of_registered_units() -> None:
    field, register, pairs = make_pair(Options(records=1000, seed=5))

    assert (1000, 1000, 900) == (field.height, register.height, pairs.height)
    assert pairs["left_id"].is_in(field["record_id"].to_list()).all()
    assert pairs["right_id"].is_in(register["record_id"].to_list()).all()
    assert pairs["right_id"].is_unique().all()


def test_english_firms_have_a_truth_too() -> None:
    records, truth = make_english(Options(records=1000, seed=5))

    assert pl.Schema(RECORD_SCHEMA) == records.schema
    assert 50 == true_pairs(truth).height


def test_the_generator_knows_nothing_of_the_matcher() -> None:
    assert [] == [p.name for p in FIRMS.glob("*.py") if "audit.matching" in p.read_text("utf-8")]
