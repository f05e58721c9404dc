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
    cases that come out so), planted, found, recall, alone (errors that no other rule finds), yield
    (findings on the delivery itself), extra (new findings that no planted error explains), seconds.
    `missed`: kinds of error, by the rule that owes them, of which no rule at all found any. `left`:
    rules without planted errors, and why.
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


def _hits(clean: Path, planted: Path) -> pl.DataFrame:
    """Return rule and subject of what only the night over the copy finds."""
    sql = "SELECT DISTINCT rule_id, subject_id FROM audit.finding"
    return _fetch(planted, sql).join(_fetch(clean, sql), on=["rule_id", "subject_id"], how="anti")


def _judged(truth: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Return the owed rows of the truth with `own` (its rule found it) and `others` (who else)."""
    owed = truth.filter(pl.col("kind").is_in(_OWED)).with_row_index("row")
    accepted = pl.concat_str(pl.lit("|"), "rule_id", pl.lit("|"),
                             pl.col("accept").fill_null(""), pl.lit("|"))  # fmt: skip
    named = pl.concat(
        owed.select("row", subject_id=pl.col(name), accepted=accepted)
        for name in ("subject_id", "related_id")
    ).drop_nulls("subject_id")
    found = named.join(hits.rename({"rule_id": "hit"}), on="subject_id")
    by_row = found.group_by("row").agg(
        own=pl.col("accepted").str.contains(
            pl.concat_str(pl.lit("|"), "hit", pl.lit("|")), literal=True
        ).any(),
        n_rules=pl.col("hit").n_unique(),
    )  # fmt: skip
    return owed.join(by_row, on="row", how="left", maintain_order="left").with_columns(
        own=pl.col("own").fill_null(False), n_rules=pl.col("n_rules").fill_null(0)
    )


def _extra(hits: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    named = pl.concat([truth["subject_id"], truth["related_id"]]).drop_nulls().unique().to_list()
    outside = hits.filter(~pl.col("subject_id").is_in(named))
    return outside.group_by("rule_id").len("extra")


def _by_rule(clean: Path, planted: Path, judged: pl.DataFrame, extra: pl.DataFrame) -> pl.DataFrame:
    rules = _fetch(planted, "SELECT rule_id, title_zh, title_en FROM audit.rule")
    cost = _fetch(
        planted, "SELECT rule_id, MAX(seconds) AS seconds FROM audit.outcome GROUP BY rule_id"
    )
    own = _fetch(clean, 'SELECT rule_id, COUNT(*) AS "yield" FROM audit.finding GROUP BY rule_id')
    owed = judged.group_by("rule_id").agg(
        planted=pl.len(), found=pl.col("own").sum(),
        alone=(pl.col("own") & (pl.col("n_rules") == 1)).sum(),
    )  # fmt: skip
    whole = rules
    for part in (_cases(rules["rule_id"].to_list()), owed, own, extra, cost):
        whole = whole.join(part, on="rule_id", how="left")
    counts = ("cases", "cases_ok", "planted", "found", "alone", "yield", "extra")
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
        hits = _hits(work / "clean", work / "planted")
        in_force = _fetch(work / "planted", "SELECT rule_id FROM audit.rule")["rule_id"].to_list()
        judged = _judged(placed.filter(pl.col("rule_id").is_in(in_force)), hits)
        rules = _by_rule(work / "clean", work / "planted", judged, _extra(hits, placed))
    return _result(rules, judged, left)


def _result(rules: pl.DataFrame, judged: pl.DataFrame, left: Mapping[str, str]) -> BenchResult:
    nobody = judged.group_by("rule_id").agg(caught=(pl.col("n_rules") > 0).any())
    missed = nobody.filter(~pl.col("caught"))["rule_id"].sort().to_list()
    return BenchResult(
        rules=rules,
        missed=tuple(missed),
        left=dict(left),
        n_owed=judged.height,
        n_found=int(judged["own"].sum()),
    )
