"""`census-audit rules bench`: errors planted into a copy of a delivery, and which rules find them.

Two nights: the delivery as it is, and a copy with errors whose truth is known. What only the second
night finds is due to the planting. The copy and both nights are removed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from audit.contracts import CONTRACT
from audit.engines.duckdb import PackageReader
from audit.rulebook import load_rulebook
from pipelines.config import RunConfig
from pipelines.rule_cases import all_cases, case_engine, comes_out
from pipelines.run import NightOptions, run_night
from pipelines.scratch import private_folder
from pipelines.sql import current_package
from sample_data import generate, write_delivery
from sample_data.foreign import plant_into
from sample_data.process import salt
from sample_data.write import truth_folder

_OWED = ("planted", "consequence")
_SMALLEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What to bench: a delivery, its settings, where the copy may lie for the time being."""

    delivery: Path
    config: RunConfig
    rules: str = "*"
    seed: int = 2018
    error_rate: float = 0.02
    work: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """What the bench found.

    `rules`, every rule of the night once, by id: rule_id, title_zh, cases, cases_ok (its written
    cases that come out so), planted, already, found, recall, alone (errors that no other rule
    finds), yield (findings on the delivery itself), extra (new findings that no planted error
    explains), seconds. `already`: errors on a subject of which the rule told before anything was
    planted; they cannot be judged, and `planted` leaves them out. `missed`: kinds of error, by the
    rule that owes them, of which no rule at all found any. `left`: rules without planted errors,
    and why.
    """

    rules: pl.DataFrame
    missed: tuple[str, ...]
    left: Mapping[str, str]
    n_owed: int
    n_found: int

    @property
    def recall(self) -> float | None:
        """The share of planted errors found by their own rule; None where nothing was planted."""
        return self.n_found / self.n_owed if self.n_owed else None


def _fetch(out: Path, sql: str) -> pl.DataFrame:
    with PackageReader(current_package(out)) as reader:
        return pl.DataFrame(pl.from_arrow(reader.fetch(sql)))


def _cases(rule_ids: list[str]) -> pl.DataFrame:
    """Return how many cases each rule has, and how many come out as written."""
    book = load_rulebook()
    with case_engine() as engine:
        rows = [
            (case.rule_id, comes_out(case, book.get(case.rule_id), engine))
            for case in all_cases()
            if case.rule_id in set(rule_ids)
        ]
    frame = pl.DataFrame(rows, schema={"rule_id": pl.String, "ok": pl.Boolean}, orient="row")
    return frame.group_by("rule_id").agg(cases=pl.len(), cases_ok=pl.col("ok").sum())


def _like(frame: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """Return the frame in the types that planters work on; whole numbers lose nothing."""
    columns = []
    for name, kind in model.schema.items():
        column = frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height)
        if kind.is_integer() and column.dtype.is_float() and (column != column.round()).any():
            kind = pl.Float64()
        columns.append(column.cast(kind).alias(name))
    return pl.DataFrame(columns)


def _tables(out: Path, seed: int) -> dict[str, pl.DataFrame]:
    models = generate(_SMALLEST, seed)
    found = {}
    for table in CONTRACT.delivered:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        frame = _fetch(out, f"SELECT {names} FROM census.{table.name}")
        found[table.name] = _like(frame, models[table.name])
    return found


def _night(options: BenchOptions, delivery: Path, out: Path, config: RunConfig) -> None:
    run_night(NightOptions(input_dir=delivery, out=out, config=config, rules=options.rules))


_FOUND = "SELECT DISTINCT rule_id, subject_id FROM audit.finding"


def _named(truth: pl.DataFrame) -> pl.DataFrame:
    """Return row, subject_id and `accepted` (`|rule|rule|`) of each subject that a row names.

    A region by specialty stands in two columns there, and as `region|specialty` in a finding.
    """
    accepted = pl.concat_str(pl.lit("|"), "rule_id", pl.lit("|"),
                             pl.col("accept").fill_null(""), pl.lit("|"))  # fmt: skip
    both = pl.concat_str("subject_id", pl.lit("|"), "related_id")
    return pl.concat(
        truth.select("row", subject_id=name, accepted=accepted)
        for name in (pl.col("subject_id"), pl.col("related_id"), both)
    ).drop_nulls("subject_id")


def _told(named: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return by row of the truth `own` (an accepted rule tells it) and `n_rules` that do at all."""
    own = pl.col("accepted").str.contains(
        pl.concat_str(pl.lit("|"), "hit", pl.lit("|")), literal=True
    )
    found = named.join(findings.rename({"rule_id": "hit"}), on="subject_id")
    return found.group_by("row").agg(own=own.any(), n_rules=pl.col("hit").n_unique())


def _judged(truth: pl.DataFrame, clean: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Return the owed rows of the truth with `own`, `n_rules` and `already`.

    `already`: the delivery has a finding of the rule on that subject before anything is planted,
    so that nobody can say whether the planted error was found.
    """
    owed = truth.filter(pl.col("kind").is_in(_OWED)).with_row_index("row")
    named = _named(owed)
    before = _told(named, clean).filter("own").select("row", already=pl.lit(value=True))
    return (
        owed.join(_told(named, hits), on="row", how="left", maintain_order="left")
        .join(before, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.col("own", "already").fill_null(value=False), pl.col("n_rules").fill_null(0)
        )
        .with_columns(already=pl.col("already") & ~pl.col("own"))
    )


def _extra(hits: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    outside = hits.join(_named(truth.with_row_index("row")), on="subject_id", how="anti")
    return outside.group_by("rule_id").len("extra")


def _by_rule(clean: Path, planted: Path, judged: pl.DataFrame, extra: pl.DataFrame) -> pl.DataFrame:
    rules = _fetch(planted, "SELECT rule_id, title_zh, title_en FROM audit.rule")
    cost = _fetch(
        planted, "SELECT rule_id, MAX(seconds) AS seconds FROM audit.outcome GROUP BY rule_id"
    )
    own = _fetch(clean, 'SELECT rule_id, COUNT(*) AS "yield" FROM audit.finding GROUP BY rule_id')
    owed = judged.group_by("rule_id").agg(
        planted=(~pl.col("already")).sum(), already=pl.col("already").sum(),
        found=pl.col("own").sum(),
        alone=(pl.col("own") & (pl.col("n_rules") == 1)).sum(),
    )  # fmt: skip
    whole = rules
    for part in (_cases(rules["rule_id"].to_list()), owed, own, extra, cost):
        whole = whole.join(part, on="rule_id", how="left")
    counts = ("cases", "cases_ok", "planted", "already", "found", "alone", "yield", "extra")
    return (
        whole.with_columns(pl.col(name).fill_null(0) for name in counts)
        .with_columns(
            recall=pl.when(pl.col("planted") > 0).then(pl.col("found") / pl.col("planted"))
        )
        .sort("rule_id")
    )


def bench(options: BenchOptions) -> BenchResult:
    """Bench the rulebook on a delivery; nothing of it is changed and nothing is left behind.

    Errors as of a night (InputError, RuleError, EngineError).
    """
    with private_folder("rules-bench-", options.work) as work:
        _night(options, options.delivery, work / "clean", options.config)
        tables = _tables(work / "clean", options.seed)
        # What was hidden is gone; the digests that stay are those of planted units alone.
        tables["confidential_digest"] = tables["confidential_digest"].clear()
        damaged, truth, left = plant_into(tables, options.seed, options.error_rate)
        write_delivery(damaged, truth, work / "copy")
        placed = pl.read_csv(truth_folder(work / "copy") / "truth.csv", infer_schema=False)
        salt_file = work / "salt.txt"
        salt_file.write_text(salt(options.seed), encoding="utf-8")
        _night(
            options, work / "copy", work / "planted", replace(options.config, salt_file=salt_file)
        )
        before = _fetch(work / "clean", _FOUND)
        hits = _fetch(work / "planted", _FOUND).join(
            before, on=["rule_id", "subject_id"], how="anti"
        )
        in_force = _fetch(work / "planted", "SELECT rule_id FROM audit.rule")["rule_id"].to_list()
        judged = _judged(placed.filter(pl.col("rule_id").is_in(in_force)), before, hits)
        rules = _by_rule(work / "clean", work / "planted", judged, _extra(hits, placed))
    return _result(rules, judged, left)


def _result(rules: pl.DataFrame, judged: pl.DataFrame, left: Mapping[str, str]) -> BenchResult:
    judged = judged.filter(~pl.col("already"))
    nobody = judged.group_by("rule_id").agg(caught=(pl.col("n_rules") > 0).any())
    missed = nobody.filter(~pl.col("caught"))["rule_id"].sort().to_list()
    return BenchResult(
        rules=rules,
        missed=tuple(missed),
        left=dict(left),
        n_owed=judged.height,
        n_found=int(judged["own"].sum()),
    )
