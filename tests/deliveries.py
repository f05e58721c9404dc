"""Truth of a delivery: what was planted, against what the night found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from audit.engines.duckdb import PackageReader
from pipelines.config import RunConfig
from pipelines.run import NightOptions, NightSummary, run_night


@dataclass(frozen=True, slots=True)
class Night:
    """A published night and its tables."""

    out: Path
    summary: NightSummary

    def table(self, sql: str) -> pl.DataFrame:
        with PackageReader((self.out / "current" / "census_audit.duckdb").resolve()) as reader:
            frame = pl.from_arrow(reader.fetch(sql))
        assert isinstance(frame, pl.DataFrame)
        return frame


def run(delivery: Path, out: Path, salt: Path | None = None, **options: Any) -> Night:
    config = options.pop("config", RunConfig())
    if salt is not None:
        config = RunConfig(salt_file=salt)
    summary = run_night(NightOptions(input_dir=delivery, out=out, config=config, **options))
    return Night(out, summary)


def read_truth(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "truth.csv", infer_schema=False)


def _names(row: dict[str, str | None]) -> set[tuple[str, str]]:
    """Every (rule, subject) under which a truth row counts as found.

    A region by specialty is written in two columns there, and as `region|specialty` in a finding.
    """
    rules = [row["rule_id"], *(row["accept"] or "").split("|")]
    subjects = [row["subject_id"], row["related_id"]]
    if all(subjects):
        subjects.append("|".join(filter(None, subjects)))
    return {(rule, subject) for rule in rules for subject in subjects if rule and subject}


def missed(night: Night, truth: pl.DataFrame) -> list[dict[str, str | None]]:
    """Truth rows of tonight's rules that must be found and were not."""
    found = set(night.table("SELECT rule_id, subject_id FROM audit.finding").rows())
    rules = set(night.table("SELECT rule_id FROM audit.rule")["rule_id"])
    owed = truth.filter(
        pl.col("rule_id").is_in(list(rules)) & pl.col("kind").is_in(["planted", "consequence"])
    )
    return [row for row in owed.to_dicts() if not _names(row) & found]


def unexplained(night: Night, truth: pl.DataFrame) -> pl.DataFrame:
    """Findings that no truth row speaks of, `possible` ones included."""
    named = {name for row in truth.to_dicts() for name in _names(row)}
    findings = night.table("SELECT rule_id, severity, subject_id FROM audit.finding")
    unnamed = [pair not in named for pair in findings.select("rule_id", "subject_id").rows()]
    return findings.filter(pl.Series(unnamed, dtype=pl.Boolean))
