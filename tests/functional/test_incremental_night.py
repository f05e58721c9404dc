"""Nights in which little changed: what is published is what a full night publishes."""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ingest_night import context
from small_delivery import FILES
from tiny import write_csv

from audit.contracts import Table
from audit.engines.duckdb import DuckDBEngine
from audit.night import create_outputs, create_reference
from audit.rulebook import RuleBook, load_rulebook
from pipelines import (
    carried_links,
    check,
    contents,
    estimate,
    ingest,
    parts,
    rule_memory,
)
from pipelines.config import RunConfig
from pipelines.contents import Contents, words

ROOT = Path(__file__).resolve().parents[2]
BOOK = load_rulebook().select("COD0*,DUP001,DUP005,DUP008,DUP011,FRM*,REG003")
Results = dict[str, list[Any]]


@dataclass
class Office:
    """An office's state over the nights, from intake to the findings."""

    root: Path
    files: dict[str, list[dict[str, str]]] = field(default_factory=lambda: dict(FILES))
    nights: int = 0
    carried: list[str] = field(default_factory=list)

    @property
    def recalled(self) -> int:
        return len(self.carried)

    def deliver(self) -> Path:
        folder = self.root / "in"
        shutil.rmtree(folder, ignore_errors=True)
        for name, rows in self.files.items():
            write_csv(folder / name, rows)
        (self.root / "state").mkdir(exist_ok=True)
        return folder

    def night(
        self, book: RuleBook = BOOK, config: RunConfig | None = None, region: str = ""
    ) -> Results:
        """Take in what changed and check it, as the night does."""
        delivery, config = self.deliver(), config or RunConfig()
        self.nights += 1
        database = self.root / f"night{self.nights}.duckdb"
        store = parts.restore(self.root / "state", database, parts.fingerprint(delivery, config))
        with DuckDBEngine(database) as engine:
            return self._work(engine, store, (book, config, region))

    def whole(
        self, book: RuleBook = BOOK, config: RunConfig | None = None, region: str = ""
    ) -> Results:
        """Read and check everything with an empty state."""
        self.deliver()
        with DuckDBEngine() as engine:
            return self._work(engine, None, (book, config or RunConfig(), region))

    def _work(
        self,
        engine: DuckDBEngine,
        store: parts.Store | None,
        asked: tuple[RuleBook, RunConfig, str],
    ) -> Results:
        book, config, region = asked
        ctx = context(engine, self.root / "in", config)
        ctx.state_dir, ctx.store = self.root / "state", store
        create_outputs(engine)
        create_reference(engine)
        if store:
            folder = ctx.state_dir / rule_memory.FOLDER
            ctx.contents_tonight = Contents(engine, store, folder)
        ingest.run(ctx)
        carried_links.run(ctx)
        estimate.run(ctx)
        check.run(ctx, book, region)
        self.carried = [
            str(rule_id)
            for (rule_id,) in engine.rows(
                "SELECT DISTINCT rule_id FROM audit.outcome WHERE seconds = 0"
                " AND status IN ('PASSED', 'FAILED')"
            )
        ]
        selects = {
            "finding": "SELECT * FROM audit.finding ORDER BY ALL",
            "outcome": "SELECT * EXCLUDE (seconds) FROM audit.outcome ORDER BY ALL",
            "link": "SELECT * FROM linkage.link ORDER BY ALL",
        }
        return {name: engine.rows(sql) for name, sql in selects.items()}

    @property
    def kept(self) -> list[Path]:
        return sorted((self.root / "state" / rule_memory.FOLDER).glob("*.parquet"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_rules_over_unchanged_tables_are_not_run_again(office: Office) -> None:
    first = office.night()
    assert 0 == office.recalled
    assert first["finding"]

    assert first == office.night()
    everything = office.recalled
    office.files["finance.csv"] = [{"unit_id": "L1", "form": "611-3", "revenue_kyuan": "8"}]
    assert office.whole() == office.night()
    assert 0 < office.recalled < everything


def test_a_corrected_value_concerns_only_what_reads_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []
    monkeypatch.setattr(carried_links, "_take_over", lambda _, key: keys.append(key))
    office.night()
    office.night()
    everything = set(office.carried)
    edit(office, "legal_entity_1.csv", "women")
    assert office.whole() == office.night()
    assert everything - set(office.carried) == {"DUP011", "FRM001", "FRM002", "FRM017"}
    edit(office, "legal_entity_1.csv", "code")
    assert office.whole() == office.night()
    assert keys[0] == keys[2] != keys[3]


@pytest.mark.parametrize(
    ("first", "second"), [((585, "U000017"), (1052, "U000464")), ((1, "A"), (2, "B"))]
)
def test_values_that_two_units_exchanged_are_seen(
    first: tuple[int, str], second: tuple[int, str]
) -> None:
    (few, one), (many, other) = first, second
    digests = []
    for rows in ((one, few), (other, many)), ((one, many), (other, few)):
        with DuckDBEngine() as engine:
            engine.execute("CREATE TABLE census.finance (unit_id VARCHAR, form VARCHAR, n BIGINT)")
            values = ", ".join(f"('{unit}', '611-3', {n})" for unit, n in rows)
            engine.execute(f"INSERT INTO census.finance VALUES {values}")
            digests.append(contents.by_column(engine, "finance"))
    assert digests[0]["unit_id"] == digests[1]["unit_id"]
    assert digests[0]["n"] != digests[1]["n"]


def test_other_reference_lists_or_relations_leave_nothing_to_carry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "in" / "agency.csv", FILES["agency.csv"])
    program = tmp_path / "program"
    for name in ("rules/reference/industry.csv", "rules/relations.yaml", "audit/a.py"):
        (program / name).parent.mkdir(parents=True, exist_ok=True)
        (program / name).write_text("1", encoding="utf-8")
    monkeypatch.setattr(parts, "ROOT", program)
    made = [parts.fingerprint(tmp_path / "in", RunConfig())]
    for name in ("rules/reference/industry.csv", "rules/relations.yaml", "audit/a.py"):
        (program / name).write_text("2", encoding="utf-8")
        made.append(parts.fingerprint(tmp_path / "in", RunConfig()))
    assert 4 == len(set(made))


def test_whatever_selects_all_columns_reads_all() -> None:
    assert {"select", "a", "x", "from", "b"} == words("SELECT A * x FROM b")
    assert words("SELECT COUNT(*) AS n FROM b") is not None
    assert words("SELECT COALESCE(a, 0) * b AS n FROM c") is not None
    for sql in (
        "SELECT * FROM b",
        "SELECT t.* FROM b AS t",
        "SELECT a, * FROM b",
        "SELECT DISTINCT ON (a) * FROM b",
        "FROM b",
        "WITH x AS (FROM b) SELECT a FROM x",
        "SELECT a FROM b NATURAL JOIN c",
        "SELECT COLUMNS('x') FROM b",
    ):
        assert words(sql) is None


def test_repeated_keys_are_looked_for_where_rows_may_have_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = ingest.refuse_duplicates

    def look(engine: DuckDBEngine, table: Table, *others: Any) -> Any:
        looked.append(table.name)
        return real(engine, table, *others)

    office.night()
    monkeypatch.setattr(ingest, "refuse_duplicates", look)
    office.files["finance.csv"] = [{"unit_id": "L1", "form": "611-3"}] * 2
    twice = office.night()
    assert ["finance"] == looked
    assert twice == office.night()
    assert ["finance", "finance"] == looked
    assert office.whole() == twice


def test_keys_of_a_file_that_counts_again_are_looked_at(office: Office) -> None:
    finance = [{"unit_id": "L1", "form": "611-3", "revenue_kyuan": "5"}]
    office.files = {**office.files, "finance.csv": finance, "finance_v2.csv": finance}
    assert office.whole() == office.night()

    apart = RunConfig(intake=replace(RunConfig().intake, supersede="no"))
    assert office.whole(config=apart) == office.night(config=apart)


def test_a_reference_list_counts_for_what_names_it(tmp_path: Path) -> None:
    with DuckDBEngine() as engine:
        create_outputs(engine)
        create_reference(engine)
        store = parts.Store(tmp_path, "made", tmp_path / "night.duckdb")
        sqls = (
            "SELECT a FROM finance JOIN ref_threshold",
            "SELECT a FROM finance",
            "SELECT * FROM finance",
        )
        before = [Contents(engine, store, tmp_path).reference(sql) for sql in sqls]
        engine.execute("DELETE FROM ref.threshold WHERE specialty = 'B'")
        after = [Contents(engine, store, tmp_path).reference(sql) for sql in sqls]
    assert [False, True, False] == [one == other for one, other in zip(before, after, strict=True)]


def test_counts_stand_while_what_they_follow_from_does(tmp_path: Path) -> None:
    made: list[str] = []

    def count(name: str) -> list[Any]:
        made.append(name)
        return [[1, "430422", [7, 0]]]

    def night(key: str) -> list[Any]:
        with DuckDBEngine() as engine:
            store = parts.Store(tmp_path, "made", tmp_path / "night.duckdb")
            held = contents.Contents(engine, store, tmp_path)
            rows = held.counts("gate visit", key, lambda: count(key))
            held.keep()
        return rows

    assert night("a") == night("a") == [[1, "430422", [7, 0]]]
    assert ["a"] == made
    night("b")
    kept = tmp_path / "made-contents.json"
    kept.write_text(kept.read_text(encoding="utf-8").replace("[7, 0]", "[8, 0]"), encoding="utf-8")
    assert [[1, "430422", [7, 0]]] == night("b")
    kept.write_text('{"counts": 1', encoding="utf-8")
    night("b")
    assert ["a", "b", "b", "b"] == made


HOWS = ("drop", "restore", "repeat", "women", "code", "name")


def edit(office: Office, name: str, how: str) -> None:
    """Change one file the way a county would."""
    if how == "drop" and len(office.files) > 1:
        office.files.pop(name, None)
        return
    rows = FILES[name]
    if how == "repeat":
        rows = [*rows, rows[0]]
    elif how == "women" and "employees" in rows[0]:
        rows = [row | {"employees": "900"} for row in rows]
    elif how == "code" and "credit_code" in rows[0]:
        rows = [row | {"credit_code": "91430422209679932R"} for row in rows]
    elif how == "name":
        rows = [row | ({"name": row["name"] + "部"} if "name" in row else {}) for row in rows]
    office.files[name] = rows


@pytest.mark.parametrize("seed", range(2))
def test_findings_and_outcomes_are_those_of_a_full_night(office: Office, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # draws edits, keeps no secret
    office.night()
    for _ in range(3):
        edit(office, chance.choice(sorted(FILES)), chance.choice(HOWS))
        assert office.whole() == office.night()


def test_a_changed_rule_or_parameter_or_region_runs_again(office: Office) -> None:
    office.night()
    stricter = RunConfig(parameters={"DUP008": {"least": "2"}})

    assert office.whole(config=stricter) == office.night(config=stricter)
    assert office.whole(region="4304") == office.night(region="4304")
    assert 0 == office.recalled


def test_a_damaged_memory_is_not_trusted(office: Office) -> None:
    office.night()
    content = bytearray(office.kept[0].read_bytes())
    content[len(content) // 2] ^= 1
    office.kept[0].write_bytes(content)

    assert office.whole() == office.night()
    assert 0 == office.recalled
    assert 1 == len(office.kept)
    assert 0o600 == office.kept[0].stat().st_mode & 0o777


def test_everything_that_links_follow_from_is_looked_at() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "pipelines").glob("link*.py")]
    read = {name for text in texts for name in re.findall(r"census\.([a-z_]+)", text)}

    assert read == set(carried_links.INPUTS)
