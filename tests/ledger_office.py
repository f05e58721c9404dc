"""An office whose nights a test plays: what is delivered, what is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
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
    related: dict[str, str] = field(default_factory=dict)


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
                    "related_id": night.related.get(key),
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


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """An office with the tables of a night and nothing in them; `folder` keeps its state."""
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
                input_dir=folder,
                run_dir=folder,
                state_dir=folder / "state",
                engine=engine,
                config=RunConfig(),
                info=info,
            )
        )
