"""Pages that must stay true: generated pages, queries, settings, commands."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest
import typer
from deliveries import Night, run
from tiny import entity, write_csv

from audit.gate import GateSettings
from audit.rulebook import load_rulebook, render
from pipelines.cli import app
from pipelines.config import Linking, RunConfig, Scoring, Spark, Tasks, load_config
from reports.pages import pages, stale_pages

ROOT = Path(__file__).resolve().parents[1]
QUERIES = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "queries.md").read_text("utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("docs")
    write_csv(folder / "in" / "legal_entity.csv", [entity(), entity(unit_id="L2", name="乙　厂")])
    return run(folder / "in", folder / "out", rules="FRM002")


def test_generated_pages_are_current() -> None:
    assert stale_pages() == []


def test_page_of_a_rule_tells_what_a_field_team_asks() -> None:
    text = next(text for path, text in pages().items() if path.name == "FRM006.md")
    rule = load_rulebook().get("FRM006")

    told = (rule.title.zh, rule.clause, rule.verify.zh, rule.false_positives.en, "Unknown:")
    assert [part for part in (*told, render(rule), "v1: 首次登记") if part not in text] == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.split("\n")[0][:50])
def test_worked_query_runs(night: Night, query: str) -> None:
    assert isinstance(night.table(query), pl.DataFrame)


def test_there_are_worked_queries() -> None:
    assert len(QUERIES) >= 12


def test_configuration_page_names_every_setting_with_its_default(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    text = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    path = tmp_path / "census.toml"
    path.write_text(text, encoding="utf-8")

    shown = tomllib.loads(text)
    config = load_config(path)

    for section, kind in (
        ("scoring", Scoring),
        ("tasks", Tasks),
        ("link", Linking),
        ("spark", Spark),
    ):
        assert set(shown[section]) == {field.name for field in fields(kind)}
    assert set(shown["gate"]) - {"expected_rows"} == {field.name for field in fields(GateSettings)}
    assert GateSettings() == config.gate
    assert (config.scoring, config.tasks, config.link) == (Scoring(), Tasks(), Linking())
    assert config.spark == Spark()
    for name, value in shown["run"].items():
        assert value == getattr(RunConfig(), name)
    for rule_id, values in config.parameters.items():
        assert render(load_rulebook().get(rule_id), values)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_readme_names_every_command(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    group = typer.main.get_command(app)
    commands = set(group.commands) - {"sample"}  # type: ignore[attr-defined]

    assert {c for c in commands if f"census-audit {c}" not in text} == set()


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8"))

    assert [link for link in links if not (ROOT / link).exists()] == []
