"""The rule bench and the preview, as a rule author uses them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from deliveries import run
from tiny import entity, write_csv
from typer.testing import CliRunner

from audit.codes import credit_code_check_ok, credit_code_org_ok
from audit.contracts import CONTRACT
from audit.errors import UsageError
from audit.gate import GateSettings
from audit.rulebook import RULES_DIR
from pipelines.cli import app
from pipelines.config import Linking, RunConfig
from pipelines.rule_bench import BenchOptions, BenchResult, _judged, _result, bench
from pipelines.rule_preview import named_rule, preview
from sample_data import generate, inject, write_sample
from sample_data.foreign import plant_into
from sample_data.inject import PLANTERS

OWN = RunConfig(gate=GateSettings(judge="own"))
RULES = "FRM002,FRM006,COD002,DUP001"


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    write_sample(folder / "in", units=500, seed=3, error_rate=0.0)
    return folder / "in"


@pytest.fixture(scope="module")
def benched(delivery: Path) -> BenchResult:
    work = delivery.parent / "work"
    work.mkdir()
    before = contents(delivery)
    salt_file = delivery.parent / "in_truth" / "salt.txt"
    # No rule of these reads links.
    config = RunConfig(gate=OWN.gate, link=Linking(enabled=False), salt_file=salt_file)
    result = bench(BenchOptions(delivery=delivery, config=config, rules=RULES, work=work))
    assert contents(delivery) == before
    assert list(work.iterdir()) == []
    return result


def test_every_rule_in_force_finds_what_was_planted_for_it(benched: BenchResult) -> None:
    rows = benched.rules.select("rule_id", "recall", "extra").rows()

    assert rows == [(rule, 1.0, 0) for rule in sorted(RULES.split(","))]
    assert benched.n_found == benched.n_owed == benched.rules["planted"].sum()
    assert benched.missed == ()
    cases = benched.rules.select("cases", "cases_ok").rows()
    assert [n for n, _ in cases] == [ok for _, ok in cases]
    assert min(n for n, _ in cases) >= 3


def test_taking_a_rule_out_lowers_recall_by_what_it_alone_finds(benched: BenchResult) -> None:
    alone = dict(benched.rules.select("rule_id", "alone").rows())
    planted = dict(benched.rules.select("rule_id", "planted").rows())

    assert alone["FRM006"] == planted["FRM006"] > 0
    assert (benched.n_found - alone["FRM006"]) / benched.n_owed < (benched.recall or 0)


def test_error_that_no_rule_finds_is_named() -> None:
    truth = pl.DataFrame(
        {
            "rule_id": ["FRM002", "FRM006", "DUP004"],
            "accept": [None, None, "DUP001"],
            "subject_id": ["A", "B", "C"],
            "related_id": [None, None, "D"],
            "kind": ["planted", "planted", "consequence"],
        },
        schema=dict.fromkeys(("rule_id", "accept", "subject_id", "related_id", "kind"), pl.String),
    )
    hits = pl.DataFrame({"rule_id": ["COD001", "DUP001"], "subject_id": ["B", "D"]})

    found = _judged(truth, hits.clear(), hits).select("rule_id", "own", "n_rules").rows()

    assert found == [("FRM002", False, 0), ("FRM006", False, 1), ("DUP004", True, 1)]


def test_error_on_a_subject_that_was_told_of_before_is_not_called_missed() -> None:
    truth = pl.DataFrame(
        {
            "rule_id": ["PLA005", "PES002", "FRM006"],
            "accept": [None, None, None],
            "subject_id": ["430405000000", "430400000000", "B"],
            "related_id": ["B", None, None],
            "kind": ["planted"] * 3,
        },
        schema=dict.fromkeys(("rule_id", "accept", "subject_id", "related_id", "kind"), pl.String),
    )
    before = pl.DataFrame({"rule_id": ["PES002", "COD001"], "subject_id": ["430400000000", "B"]})
    hits = pl.DataFrame({"rule_id": ["PLA005"], "subject_id": ["430405000000|B"]})

    judged = _judged(truth, before, hits)
    result = _result(pl.DataFrame(), judged, {})

    assert judged.select("rule_id", "own", "already").rows() == [
        ("PLA005", True, False), ("PES002", False, True), ("FRM006", False, False),
    ]  # fmt: skip
    assert (result.n_owed, result.n_found, result.missed) == (2, 1, ("FRM006",))


def test_planter_that_does_not_fit_is_told_and_changes_nothing(
    delivery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(plot):
        plot.tables["agency"] = plot.tables["agency"].clear()
        raise KeyError("a column that this delivery has not")

    monkeypatch.setitem(PLANTERS, "FRM002", broken)
    tables = generate(500, 3)
    damaged, truth, left = plant_into(tables, 3, 0.02)

    assert left["FRM002"] == "KeyError"
    assert truth.filter(rule_id="FRM002").height == 0
    assert damaged["agency"].height == tables["agency"].height > 0


@pytest.fixture(scope="module")
def planted() -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    return inject(generate(700, 77), 77, 0.02)


def test_errors_planted_a_second_time_repeat_no_key_and_can_be_judged(
    planted: tuple[dict[str, pl.DataFrame], pl.DataFrame],
) -> None:
    once = planted[0]
    twice, truth, left = plant_into(once, 2018, 0.02)

    repeated = [
        table.name
        for table in CONTRACT.delivered
        if twice[table.name].select(table.key).is_duplicated().any()
    ]
    right = once["legal_entity"].select(
        "unit_id",
        sound=credit_code_check_ok(once["legal_entity"]["credit_code"])
        & credit_code_org_ok(once["legal_entity"]["credit_code"]),
    )
    codes = truth.filter(pl.col("rule_id").is_in(["COD002", "COD003"]), kind="planted")
    wrong_before = codes.join(right.filter(~pl.col("sound")), left_on="subject_id",
                              right_on="unit_id")  # fmt: skip

    assert [] == repeated
    assert codes.height > 0
    assert wrong_before.height == 0
    assert set(left.values()) == {"no unit"}


def test_visits_of_an_enumerator_at_a_desk_hide_no_other_planted_error(
    planted: tuple[dict[str, pl.DataFrame], pl.DataFrame],
) -> None:
    tables, truth = planted
    bare = truth.filter(rule_id="PAD001", note="no position")
    placed = tables["visit"].filter(pl.col("longitude").is_not_null())

    assert bare.height > 0
    assert bare.join(placed, left_on="subject_id", right_on="unit_id").height == 0


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    rows = [
        entity(unit_id="L1"),
        entity(unit_id="L2", region_code="430422100013", employees_female="9", employees="5"),
    ]
    rows += [entity(unit_id="L3", region_code="430422100013", employees="9", employees_female="9")]
    write_csv(folder / "in" / "legal_entity.csv", rows)
    return run(folder / "in", folder / "out", config=OWN).out


def changed(folder: Path, old: str, new: str) -> Path:
    source = next((RULES_DIR / "form").glob("FRM002_*.sql"))
    path = folder / source.name
    text = source.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["改后.sql", "FRM002.sql"])
def test_a_changed_rule_may_have_any_file_name(tmp_path: Path, name: str) -> None:
    path = changed(tmp_path, "version:", "version:")

    assert "FRM002" == named_rule(str(path.rename(tmp_path / name))).id


def test_preview_tells_gains_and_losses_by_county(package: Path, tmp_path: Path) -> None:
    path = changed(
        tmp_path, "u.employees_female <= u.employees AND", "u.employees_female < u.employees AND"
    )
    found = preview(package, named_rule("FRM002"), named_rule(str(path)))

    told = found.counties.select(["county_code", "n_old", "n_new", "gained", "lost"]).to_pylist()
    west = {"county_code": "430422000000", "n_old": 2, "n_new": 3, "gained": 1, "lost": 0}
    assert [west] == [row for row in told if row["gained"] or row["lost"]]
    assert (found.new.n_failed - found.old.n_failed, found.new.n_checked) == (1, 3)


def balance(folder: Path, config: RunConfig) -> Path:
    """Publish one return whose balance is off by 100; return the output folder."""
    write_csv(folder / "in" / "legal_entity.csv", [entity()])
    finance = {
        "unit_id": "L1", "form": "B603", "assets_kyuan": "1100", "liabilities_kyuan": "600",
        "equity_kyuan": "400",
    }  # fmt: skip
    write_csv(folder / "in" / "finance.csv", [finance])
    return run(folder / "in", folder / "out", config=config, rules="FRM006").out


@pytest.fixture
def generous(tmp_path: Path) -> Path:
    """Return FRM006 with a default of 200."""
    source = next((RULES_DIR / "form").glob("FRM006_*.sql"))
    text = source.read_text("utf-8")
    assert "default: 1," in text
    path = tmp_path / source.name
    path.write_text(text.replace("default: 1,", "default: 200,"), "utf-8")
    return path


def test_preview_keeps_what_the_office_has_set(tmp_path: Path, generous: Path) -> None:
    out = balance(tmp_path, RunConfig(gate=OWN.gate, parameters={"FRM006": {"tolerance": "3"}}))
    told_apart = preview(out, named_rule("FRM006"), named_rule(str(generous)))
    manifest = out / "current" / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    for rule in content["rules"]:
        del rule["overrides"]
    manifest.chmod(0o600)
    manifest.write_text(json.dumps(content), "utf-8")

    of_older_package = preview(out, named_rule("FRM006"), named_rule(str(generous)))

    for found in (told_apart, of_older_package):
        assert (found.old.n_failed, found.new.n_failed) == (1, 1)


def test_preview_takes_the_new_default_where_the_office_has_set_nothing(
    tmp_path: Path, generous: Path
) -> None:
    out = balance(tmp_path, OWN)

    same = preview(out, named_rule("FRM006"), named_rule("FRM006"))
    other = preview(out, named_rule("FRM006"), named_rule(str(generous)))

    assert (same.old.n_failed, same.new.n_failed, same.parameters) == (1, 1, ())
    assert (other.old.n_failed, other.new.n_failed) == (1, 0)
    assert other.parameters == (("tolerance", "1", "200"),)


def test_preview_refuses_two_different_rules(package: Path) -> None:
    arguments = [str(next((RULES_DIR / "form").glob("FRM003_*.sql"))), "--out", str(package)]

    result = CliRunner().invoke(app, ["rules", "preview", "FRM002", *arguments])

    assert isinstance(result.exception, UsageError)
    assert "FRM003" in result.exception.zh


def test_preview_on_the_command_line_refuses_what_is_not_portable(
    package: Path, tmp_path: Path
) -> None:
    path = changed(
        tmp_path,
        "u.region_code AS region_code",
        "regexp_replace(u.region_code, 'a', 'b') AS region_code",
    )
    result = CliRunner().invoke(
        app, ["rules", "preview", "FRM002", str(path), "--out", str(package)]
    )

    assert result.exit_code != 0
