"""The life of findings over the nights: every state, every cause, and nothing lost in a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import md5
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.errors import InputError
from audit.ledger import FACTS, LEDGER, compare, judge, vanished
from audit.model import RunInfo
from audit.views import unit_view
from pipelines import ledger
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.ledger import LedgerSummary

EAST, WEST = "430421100201", "430422100201"
TABLES = ("legal_entity", "establishment", "self_employed", "frame_unit", "register_unit")


@dataclass
class Night:
    """What is delivered and found on one night."""

    units: dict[str, str] = field(default_factory=lambda: {"L1": EAST, "L2": EAST, "L3": WEST})
    frames: dict[str, str] = field(default_factory=lambda: {"F1": EAST, "F2": EAST})
    registers: tuple[str, ...] = ("2|R1", "2|R2")
    returns: tuple[str, ...] = ("L1", "L2", "L3")
    rules: dict[str, int] = field(
        default_factory=lambda: {"COD001": 1, "FRM003": 1, "REG003": 1, "REG011": 1}
    )
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    found: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


GRAINS = {"COD001": "unit", "FRM003": "unit", "REG003": "register", "REG011": "frame"}
READS = {
    "COD001": "legal_entity",
    "FRM003": "legal_entity|employment",
    "REG003": "register_unit|legal_entity",
    "REG011": "frame_unit",
}
SUBJECT = {
    "COD001": ("unit_id", "legal_entity"),
    "FRM003": ("unit_id", "legal_entity"),
    "REG003": ("source || '|' || register_id", "register_unit"),
    "REG011": ("frame_id", "frame_unit"),
}


def rule_sql(rule_id: str, night: Night) -> str:
    """Return a rule that holds for all but the subjects found, emptied and out of scope."""
    subject, table = SUBJECT[rule_id]
    failed, unknown, outside = (
        ", ".join(["''", *(f"'{key[7:]}'" for key in keys if key.startswith(rule_id))])
        for keys in (night.found, night.emptied, night.outside)
    )
    holds = f"CASE WHEN {subject} IN ({unknown}) THEN NULL ELSE {subject} NOT IN ({failed}) END"
    return (
        f"SELECT {subject} AS subject_id, {holds} AS holds FROM {table} "
        f"WHERE {subject} NOT IN ({outside})"
    )


@dataclass
class Office:
    """Plays nights one after the other on one state folder."""

    ctx: RunContext
    n: int = 0

    def play(self, night: Night, *, partial: bool = False, commit: bool = True) -> LedgerSummary:
        self.n += 1
        self.ctx.info = replace(self.ctx.info, run_id=f"N{self.n}")
        return self.again(night, partial=partial, commit=commit)

    def again(self, night: Night, *, partial: bool = False, commit: bool = True) -> LedgerSummary:
        self._deliver(night)
        self._check(night)
        summary = ledger.run(self.ctx, partial=partial)
        if commit:
            ledger.commit(self.ctx)
        return summary

    def insert(self, table: str, rows: list[dict[str, object]]) -> None:
        engine = self.ctx.engine
        engine.execute(f"DELETE FROM {table}")
        if rows:
            engine.register("given", pl.DataFrame(rows).to_arrow())
            engine.append(table, "SELECT * FROM given")
            engine.unregister("given")

    def _deliver(self, night: Night) -> None:
        units = [{"unit_id": u, "region_code": r} for u, r in night.units.items()]
        self.insert("census.legal_entity", units)
        frames = [{"frame_id": f, "region_code": r} for f, r in night.frames.items()]
        self.insert("census.frame_unit", frames)
        registers = [
            dict(zip(("source", "register_id"), r.split("|"), strict=True)) for r in night.registers
        ]
        self.insert("census.register_unit", registers)
        self.insert("census.employment", [{"unit_id": u} for u in night.returns])

    def _check(self, night: Night) -> None:
        rules = [
            {
                "rule_id": r,
                "rule_version": v,
                "grain": GRAINS[r],
                "tables": READS[r],
                "sql": rule_sql(r, night),
            }
            for r, v in night.rules.items()
        ]
        self.insert("audit.rule", rules)
        places = {(r, code): "PASSED" for r in night.rules for code in (EAST, WEST)}
        outcomes = [
            {"rule_id": r, "region_code": code, "status": status}
            for (r, code), status in (places | night.statuses).items()
            if status
        ]
        self.insert("audit.outcome", outcomes)
        regions = night.units | night.frames
        findings = []
        for key in night.found:
            rule, subject = key.split(":")
            findings.append(
                {
                    "finding_key": key,
                    "rule_id": rule,
                    "rule_version": night.rules[rule],
                    "subject_id": subject,
                    "region_code": regions.get(subject, EAST),
                    "observed": "1",
                }
            )
        self.insert("audit.finding", findings)

    def history(self) -> dict[str, tuple[str, str | None]]:
        rows = self.ctx.engine.rows("SELECT finding_key, state, cause FROM audit.finding_history")
        return {str(key): (str(state), cause) for key, state, cause in rows}

    def findings(self) -> dict[str, tuple[str, str, str]]:
        sql = "SELECT finding_key, state, first_run_id, last_run_id FROM audit.finding"
        return {str(k): (str(s), str(a), str(b)) for k, s, a, b in self.ctx.engine.rows(sql)}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with DuckDBEngine() as engine:
        for table in CONTRACT.delivered:
            engine.execute(f"CREATE TABLE census.{table.name} ({table.duckdb_columns()})")
        rejected = CONTRACT.outputs["census.rejected_row"].duckdb_columns()
        engine.execute(f"CREATE TABLE census.rejected_row ({rejected})")
        engine.execute(f"CREATE VIEW census.unit AS {unit_view()}")
        for name in ("finding", "finding_history", "rule", "outcome", "gate", "gate_check"):
            columns = CONTRACT.outputs[f"audit.{name}"].duckdb_columns()
            engine.execute(f"CREATE TABLE audit.{name} ({columns})")
        engine.execute(
            "INSERT INTO census.region BY NAME SELECT * FROM (VALUES "
            "('430421000000', '2018-10-31'), ('430422000000', '2018-10-31'), "
            "('430476000000', '2023-06-30')) AS t(region_code, vintage)"
        )
        info = RunInfo(
            run_id="N0",
            started_at="2019-03-01 01:30:00",
            engine="duckdb",
            code_version="0",
            rulebook_digest="",
            input_digest="",
        )
        yield Office(
            RunContext(
                input_dir=tmp_path,
                run_dir=tmp_path,
                state_dir=tmp_path / "state",
                engine=engine,
                config=RunConfig(),
                info=info,
            )
        )


def test_first_night_makes_every_finding_new(office):
    summary = office.play(Night(found=("COD001:L1", "COD001:L3")))
    assert summary == LedgerSummary(
        n_new=2, n_persisting=0, n_reopened=0, n_resolved=0, n_not_checked=0
    )
    assert office.findings() == {
        "COD001:L1": ("new", "N1", "N1"),
        "COD001:L3": ("new", "N1", "N1"),
    }


def test_new_persisting_resolved_reopened_persisting(office):
    key, found, none = "COD001:L1", Night(found=("COD001:L1",)), Night()
    states = []
    for night in (found, found, none, none, found, found):
        office.play(night)
        states.append(office.history().get(key))
    assert states == [
        ("new", None),
        ("persisting", None),
        ("resolved", "value_corrected"),
        None,
        ("reopened", None),
        ("persisting", None),
    ]
    assert office.findings() == {key: ("persisting", "N1", "N6")}


@pytest.mark.parametrize(
    ("key", "then"),
    [
        ("COD001:L1", Night(units={"L2": EAST, "L3": WEST})),
        ("REG011:F1", Night(frames={"F2": EAST})),
        ("REG003:2|R1", Night(registers=("2|R2",))),
    ],
)
def test_subject_that_left_its_list_is_gone(office, key, then):
    office.play(Night(found=(key,)))
    office.play(then)
    assert office.history() == {key: ("resolved", "unit_gone")}


@pytest.mark.parametrize("key", ["COD001:L1", "REG011:F1", "REG003:2|R1"])
def test_subject_still_in_its_list_was_corrected(office, key):
    office.play(Night(found=(key,)))
    office.play(Night())
    assert office.history() == {key: ("resolved", "value_corrected")}


@pytest.mark.parametrize("key", ["COD001:L1", "REG011:F1", "REG003:2|R1"])
def test_value_that_was_blanked_or_left_the_scope_is_no_correction(office, key):
    for then in (Night(emptied=(key,)), Night(outside=(key,))):
        office.play(Night(found=(key,)))
        summary = office.play(then)
        assert office.history() == {key: ("resolved", "value_emptied")}
        assert summary.n_resolved == 1


def test_each_finding_of_a_subject_has_its_own_verdict(office):
    """One item was corrected, the other blanked: the keys tell which is which."""
    sql = (
        "SELECT unit_id AS subject_id, v.variable, CASE v.variable WHEN 'a' THEN TRUE END AS holds "
        "FROM legal_entity, (VALUES ('a'), ('b')) AS v(variable)"
    )
    keys = {v: md5(f"COD001|L1||{v}".encode(), usedforsecurity=False).hexdigest() for v in "ab"}
    office.play(Night())
    office.insert("audit.rule", [{"rule_id": "COD001", "variable": "c", "sql": sql}])
    gone = [{"finding_key": k, "rule_id": "COD001", "subject_id": "L1"} for k in keys.values()]
    told = ledger._verdicts(office.ctx, pl.DataFrame(gone))
    assert dict(told.rows()) == {keys["a"]: True, keys["b"]: False}


@pytest.mark.parametrize(
    "rules", [{"COD001": 2, "FRM003": 1}, {"FRM003": 1}], ids=["new version", "retired"]
)
def test_rule_edit_alone_is_never_a_correction(office, rules):
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(rules=rules))
    assert office.history() == {"COD001:L1": ("resolved", "rule_changed")}


NOT_CHECKED = {
    "rule crashed": Night(statuses={("COD001", EAST): "ERROR", ("COD001", WEST): ""}),
    "rule left out": Night(statuses={("COD001", EAST): "", ("COD001", WEST): ""}),
    "no unit of the county": Night(units={"L3": WEST}, statuses={("COD001", EAST): ""}),
    "no unit at all": Night(
        units={}, statuses={("COD001", EAST): "NOT_APPLICABLE", ("COD001", WEST): ""}
    ),
}


@pytest.mark.parametrize("then", NOT_CHECKED.values(), ids=NOT_CHECKED.keys())
def test_what_was_not_checked_stays_open(office, then):
    office.play(Night(found=("COD001:L1",)))
    summary = office.play(then)
    assert office.history() == {"COD001:L1": ("persisting", "not_checked")}
    assert summary.n_not_checked == 1
    assert office.findings() == {}
    office.play(Night(found=("COD001:L1",)))
    assert office.findings() == {"COD001:L1": ("persisting", "N1", "N3")}


def test_return_of_another_table_that_did_not_come_leaves_the_finding_open(office):
    """L1 is delivered, but not the employment returns of its county."""
    office.play(Night(found=("FRM003:L1",)))
    office.play(Night(returns=("L3",), statuses={("FRM003", EAST): ""}))
    assert office.history() == {"FRM003:L1": ("persisting", "not_checked")}


def test_correction_that_empties_the_scope_of_a_county_is_a_correction(office):
    office.play(Night(found=("FRM003:L1",)))
    office.play(Night(statuses={("FRM003", EAST): ""}))
    assert office.history() == {"FRM003:L1": ("resolved", "value_corrected")}


def test_corrected_region_code_is_a_correction(office):
    """The unit stood in a county of another vintage and now stands in its own."""
    foreign = {"L1": "430476100201", "L2": EAST, "L3": WEST}
    office.play(Night(units=foreign, found=("COD001:L1",)))
    office.play(Night())
    assert office.history() == {"COD001:L1": ("resolved", "value_corrected")}


def test_unit_that_moved_is_looked_for_where_it_is_now(office):
    office.play(Night(found=("COD001:L3",)))
    moved = {"L1": EAST, "L2": EAST, "L3": EAST}
    office.play(Night(units=moved, statuses={("COD001", WEST): ""}))
    assert office.history() == {"COD001:L3": ("resolved", "value_corrected")}


def test_county_without_its_legal_entities_is_not_a_county_without_errors(office):
    """The rule judged other units there; L1 has not left, its file did not come."""
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(units={"L3": WEST}))
    assert office.history() == {"COD001:L1": ("persisting", "not_checked")}


def test_partial_night_closes_nothing(office):
    office.play(Night(found=("COD001:L1", "FRM003:L2")))
    office.play(Night(rules={"COD001": 1}, found=("COD001:L1", "COD001:L3")), partial=True)
    assert office.history() == {
        "COD001:L1": ("persisting", None),
        "COD001:L3": ("new", None),
        "FRM003:L2": ("persisting", "not_checked"),
    }


def test_ten_nights_with_scripted_edits(office):
    k1, k2, k3 = "COD001:L1", "FRM003:L2", "COD001:L3"
    script = [
        (Night(found=(k1, k2, k3)), {k1: "new", k2: "new", k3: "new"}),
        (Night(found=(k1, k2, k3)), {k1: "persisting", k2: "persisting", k3: "persisting"}),
        (Night(found=(k2, k3)), {k1: "value_corrected", k2: "persisting", k3: "persisting"}),
        (Night(found=(k1, k2, k3)), {k1: "reopened", k2: "persisting", k3: "persisting"}),
        (
            Night(units={"L1": EAST, "L2": EAST}, statuses={("COD001", WEST): ""}, found=(k1, k2)),
            {k1: "persisting", k2: "persisting", k3: "not_checked"},
        ),
        (
            Night(units={"L1": EAST, "L2": EAST, "L4": WEST}, found=(k1, k2)),
            {k1: "persisting", k2: "persisting", k3: "unit_gone"},
        ),
        (
            Night(rules={"COD001": 1, "FRM003": 2}, found=(k1,)),
            {k1: "persisting", k2: "rule_changed"},
        ),
        (
            Night(rules={"COD001": 1, "FRM003": 2}, found=(k1, k2)),
            {k1: "persisting", k2: "reopened"},
        ),
        (Night(rules={"COD001": 1, "FRM003": 2}), {k1: "value_corrected", k2: "value_corrected"}),
        (Night(), {}),
    ]
    for night, expected in script:
        office.play(night)
        assert {k: cause or state for k, (state, cause) in office.history().items()} == expected


def test_same_run_again_gives_the_same_before_and_after_commit(office):
    office.play(Night(found=("COD001:L1", "COD001:L2")))
    night = Night(found=("COD001:L2", "COD001:L3"))
    office.play(night, commit=False)
    first = office.history()
    for _ in range(3):
        office.again(night, commit=True)
        assert office.history() == first
    assert office.findings() == {
        "COD001:L2": ("persisting", "N1", "N2"),
        "COD001:L3": ("new", "N2", "N2"),
    }


def test_first_run_again_after_commit_is_still_new(office):
    office.play(Night(found=("COD001:L1",)))
    office.again(Night(found=("COD001:L1",)))
    assert office.history() == {"COD001:L1": ("new", None)}


def test_night_that_was_not_published_changes_nothing(office):
    office.play(Night(found=("COD001:L1",)))
    before = (office.ctx.state_dir / "ledger.parquet").read_bytes()
    office.play(Night(), commit=False)  # crashes before it is published
    assert (office.ctx.state_dir / "ledger.parquet").read_bytes() == before
    office.play(Night(found=("COD001:L1",)))
    assert office.findings() == {"COD001:L1": ("persisting", "N1", "N3")}


def test_night_that_died_between_publishing_and_commit_is_recovered(office):
    state = office.ctx.state_dir
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(found=("COD001:L1", "COD001:L2")), commit=False)
    assert ledger.recover(state, "N1") is False  # N2 was not published
    assert ledger.recover(state, "N2") is True
    assert ledger.recover(state, "N2") is False
    office.play(Night(found=("COD001:L2",)))
    assert office.findings() == {"COD001:L2": ("persisting", "N2", "N3")}


def test_commit_twice_is_once_and_without_run_is_refused(office):
    office.play(Night(found=("COD001:L1",)))
    ledger.commit(office.ctx)
    assert pq.read_table(office.ctx.state_dir / "ledger.parquet").num_rows == 1
    office.ctx.info = replace(office.ctx.info, run_id="N9")
    with pytest.raises(InputError, match="N9 has staged no ledger"):
        ledger.commit(office.ctx)


def test_state_file_is_private_and_holds_the_ledger_columns(office):
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(found=("REG003:2|R1",)))
    for name in ("ledger.parquet", "ledger.previous.parquet"):
        path = office.ctx.state_dir / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert pq.read_schema(path).names == LEDGER.names()
    assert office.ctx.state_dir.stat().st_mode & 0o777 == 0o700
    kept = pl.read_parquet(office.ctx.state_dir / "ledger.parquet")
    assert kept.select("finding_key", "universe", "state").rows() == [
        ("COD001:L1", "unit|1", "resolved"),
        ("REG003:2|R1", "register|2", "new"),
    ]


def test_unreadable_ledger_is_named_and_left_alone(office):
    office.play(Night(found=("COD001:L1",)))
    path = office.ctx.state_dir / "ledger.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"ledger\.parquet cannot be read"):
        office.play(Night(found=("COD001:L1",)))
    assert path.read_bytes() == b"no parquet"


def _row(key: str, state: str = "new", version: int = 1) -> dict[str, object]:
    text = dict.fromkeys(LEDGER.names(), "x")
    return text | {"finding_key": key, "state": state, "rule_version": version}


def test_vanished_are_the_open_ones_that_were_not_found_again():
    before = pl.DataFrame(
        [_row("a"), _row("b", "persisting"), _row("c", "resolved"), _row("d", "reopened")],
        schema=LEDGER,
    )
    tonight = pl.DataFrame([_row("a")], schema=LEDGER)
    assert sorted(vanished(tonight, before)["finding_key"]) == ["b", "d"]


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ((False, None, False, True, False, True, None), "rule_changed"),
        ((True, 1, False, False, True, False, None), "not_checked"),
        ((True, 1, True, False, False, False, None), "not_checked"),
        ((True, 2, True, False, True, False, None), "unit_gone"),
        ((True, 2, True, False, True, True, None), "not_delivered"),
        ((True, 1, False, False, True, True, None), "not_delivered"),
        ((True, 2, True, True, True, True, True), "rule_changed"),
        ((True, 1, True, True, True, True, True), "value_corrected"),
        ((True, 1, True, True, True, False, False), "value_emptied"),
        ((True, 1, True, True, True, False, None), "value_emptied"),
    ],
)
def test_causes_in_order(facts, cause):
    missing = pl.DataFrame([_row("a")], schema=LEDGER)
    known = pl.DataFrame([("a", *facts)], schema=FACTS, orient="row")
    assert judge(missing, known)["cause"].to_list() == [cause]


def test_resolved_rows_stay_in_the_ledger_unchanged():
    old = _row("a", "resolved") | {"last_run_id": "N3", "first_run_id": "N1"}
    before = pl.DataFrame([old], schema=LEDGER)
    night = compare(before.clear(), before, FACTS.to_frame(), "N9")
    assert night.ledger.rows(named=True) == [old]
    assert night.history.height == 0
