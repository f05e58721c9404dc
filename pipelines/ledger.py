"""Ledger stage: gives every finding its life over the nights.

`run` compares tonight with the ledger of the last published night and stages the next ledger;
`commit` puts it in force once the package is published. Until then a crash changes nothing, and a
night that runs again under the same id compares with the same ledger again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from audit.contracts import CONTRACT
from audit.errors import InputError
from audit.ledger import FACTS, KEPT_OPEN, LEDGER, Night, compare, vanished
from audit.quoting import quoted
from pipelines.context import LOG, RunContext
from pipelines.gate_held import HELD_RULES, SHORT_LISTS
from pipelines.ledger_came import counties_of
from pipelines.ledger_facts import FACTS_SQL, TONIGHT_SQL
from pipelines.publish import sync
from pipelines.score import fetch_frame, replace_output

IN_FORCE = "ledger.parquet"
PREVIOUS = "ledger.previous.parquet"
STAGED = "ledger.next.parquet"
_RUN_ID = b"census_audit_run_id"

# A finding's own verdict where the rule still has a row for it, else that of its subject. The key
# is made as the check stage makes it.
_VERDICT_SQL = """
WITH judged AS (
  SELECT q.subject_id, q.holds,
    MD5('{rule_id}|' || q.subject_id || '|' || {related} || '|' || COALESCE({variable}, '')) AS own
  FROM ({sql}) AS q
  WHERE q.subject_id IN (SELECT subject_id FROM candidate WHERE rule_id = '{rule_id}')
)
SELECT c.finding_key,
  CASE WHEN COUNT_IF(j.own = c.finding_key) > 0
    THEN COUNT_IF(j.own = c.finding_key AND j.holds IS NOT TRUE) = 0
    ELSE COUNT_IF(j.holds) > 0 AND COUNT_IF(j.holds IS NULL) = 0 END AS holds
FROM candidate AS c JOIN judged AS j ON j.subject_id = c.subject_id
WHERE c.rule_id = '{rule_id}' GROUP BY c.finding_key
"""
_SETTLED = pl.col("looked") & pl.col("delivered") & pl.col("present") & pl.col("rule_known")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSummary:
    """Findings by what became of them tonight."""

    n_new: int
    n_persisting: int
    n_reopened: int
    n_resolved: int
    n_not_checked: int


def _run_of(path: Path) -> str | None:
    """Return the run that wrote a ledger; None where there is no file."""
    if not path.exists():
        return None
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    return str(metadata.get(_RUN_ID, b"").decode())


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, PermissionError):
        return InputError(
            f"没有权限读取差错台账 {path}。请由写它的用户运行，或改正权限后重新运行；不要移走它。",
            f"The ledger {path} may not be read by this user. Run as the user who wrote it, or "
            "mend its permissions and run again; leave it in its place.",
        )
    return InputError(
        f"差错台账 {path} 无法读取。请从备份恢复，或将其移走后重新运行（此后所有差错将记为新增）。",
        f"The ledger {path} cannot be read. Restore it from a backup, or move it away and run "
        "again (all findings then count as new).",
    )


def _read(path: Path) -> pl.DataFrame:
    if not path.exists():
        return LEDGER.to_frame()
    try:
        # `read_table` would load all that pyarrow knows of data sets, and pandas with it.
        with pq.ParquetFile(path) as file:
            held = pl.DataFrame(file.read())
        # Earlier ledgers do not know the other unit of a finding.
        if "related_id" not in held.columns:
            held = held.with_columns(related_id=pl.lit(None))
        return held.select(LEDGER.names()).cast(LEDGER)
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from error


def _last_published(ctx: RunContext) -> pl.DataFrame:
    """Read the ledger to compare with: not the one that this very run has already committed."""
    in_force = ctx.state_dir / IN_FORCE
    again = _run_of(in_force) == ctx.info.run_id
    return _read(ctx.state_dir / PREVIOUS if again else in_force)


def _private(path: Path) -> Path:
    """Create an empty file that only its owner can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    return path


def _stage(ctx: RunContext, ledger: pl.DataFrame) -> None:
    ctx.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    table = ledger.to_arrow().replace_schema_metadata({_RUN_ID: ctx.info.run_id.encode()})
    part = _private(ctx.state_dir / (STAGED + ".part"))
    pq.write_table(table, part, compression="zstd")
    sync(part)
    part.replace(ctx.state_dir / STAGED)


def _register_tables(ctx: RunContext, missing: pl.DataFrame) -> str:
    """Register `table_came` for what the rules of `missing` read; return its names as SQL."""
    ctx.engine.register("missing_rule", missing.select("rule_id").unique().to_arrow())
    read = ctx.engine.rows(
        "SELECT DISTINCT UNNEST(string_split(tables, '|')) FROM audit.rule "
        "SEMI JOIN missing_rule USING (rule_id)"
    )
    ctx.engine.unregister("missing_rule")
    names = sorted({str(row[0]) for row in read} & set(CONTRACT.tables)) or ["unit"]
    union = " UNION ALL ".join(counties_of(name) for name in names)
    ctx.engine.register("table_came", ctx.engine.fetch(union))
    return ", ".join(f"'{name}'" for name in names)


def _verdict_sql(ctx: RunContext, rule_id: str, variable: str, sql: str) -> str:
    names = ctx.engine.fetch(f"SELECT * FROM ({sql}) AS q LIMIT 0").column_names
    related = "COALESCE(q.related_id, '')" if "related_id" in names else "''"
    if "group_key" in names:
        related = f"CASE WHEN q.group_key IS NULL THEN {related} ELSE '' END"
    return _VERDICT_SQL.format(
        rule_id=rule_id,
        related=related,
        variable="q.variable" if "variable" in names else quoted(variable),
        sql=sql,
    )


def _verdicts(ctx: RunContext, candidates: pl.DataFrame) -> pl.DataFrame:
    """Ask the rules again about the subjects of findings that are no more: finding_key, holds."""
    none = pl.DataFrame(schema={"finding_key": pl.String, "holds": pl.Boolean})
    if candidates.is_empty():
        return none
    ctx.engine.register("candidate", candidates.to_arrow())
    rules = ctx.engine.rows(
        "SELECT rule_id, COALESCE(variable, ''), sql FROM audit.rule "
        "SEMI JOIN candidate USING (rule_id) WHERE sql IS NOT NULL ORDER BY rule_id"
    )
    told = [
        fetch_frame(ctx.engine, _verdict_sql(ctx, str(rule_id), str(variable), str(sql)))
        for rule_id, variable, sql in rules
    ]
    ctx.engine.unregister("candidate")
    return pl.concat([none, *told])


def _facts(ctx: RunContext, missing: pl.DataFrame) -> pl.DataFrame:
    """Return what `judge` wants to know of each vanished finding."""
    if missing.is_empty():
        return FACTS.to_frame()
    facts = _presence(ctx, missing)
    same_rule = pl.col("version_now").eq_missing(pl.col("rule_version"))
    ids = missing.select("finding_key", "rule_id", "rule_version", "subject_id")
    settled = ids.join(facts, on="finding_key").filter(_SETTLED & same_rule)
    verdicts = _verdicts(ctx, settled.select("finding_key", "rule_id", "subject_id"))
    return facts.join(verdicts, on="finding_key", how="left")


def _presence(ctx: RunContext, missing: pl.DataFrame) -> pl.DataFrame:
    tables = _register_tables(ctx, missing)
    ctx.engine.register("vanished_rows", missing.to_arrow())
    vintage = quoted(ctx.config.vintage)
    sql = FACTS_SQL.format(
        vintage=vintage, delivered_tables=tables, held=HELD_RULES, short=SHORT_LISTS,
        city=ctx.config.city[:6],
    )  # fmt: skip
    facts = fetch_frame(ctx.engine, sql)
    ctx.engine.unregister("vanished_rows")
    ctx.engine.unregister("table_came")
    return facts


def _write(ctx: RunContext, night: Night) -> None:
    ctx.engine.register("night_states", night.states.to_arrow())
    ctx.engine.execute(
        "UPDATE audit.finding SET state = s.state, first_run_id = s.first_run_id, "
        "last_run_id = s.last_run_id FROM night_states AS s "
        "WHERE s.finding_key = finding.finding_key"
    )
    ctx.engine.unregister("night_states")
    replace_output(ctx.engine, "audit.finding_history", night.history)


def run(ctx: RunContext, *, partial: bool = False) -> LedgerSummary:
    """Set the state of tonight's findings, write their history and stage the next ledger.

    On a whole night `audit.rule` holds every rule in force, and a finding whose rule is missing
    there is closed as `rule_changed`. `partial` says that rules or regions were selected: then
    nothing is closed, and what was not found again counts as not checked.
    """
    before = _last_published(ctx)
    tonight = fetch_frame(ctx.engine, TONIGHT_SQL)
    missing = vanished(tonight, before)
    if partial:
        unasked = missing.select("finding_key", looked=pl.lit(value=False))
        facts = pl.concat([FACTS.to_frame(), unasked], how="diagonal").with_columns(
            rule_known=pl.lit(value=True)
        )
    else:
        facts = _facts(ctx, missing)
    night = compare(tonight, before, facts, ctx.info.run_id)
    _write(ctx, night)
    _stage(ctx, night.ledger)
    states = dict(night.history.filter(pl.col("cause").is_null())["state"].value_counts().rows())
    causes = night.history["cause"].drop_nulls()
    kept = int(causes.is_in(KEPT_OPEN).sum())
    summary = LedgerSummary(
        n_new=states.get("new", 0),
        n_persisting=states.get("persisting", 0),
        n_reopened=states.get("reopened", 0),
        n_resolved=len(causes) - kept,
        n_not_checked=kept,
    )
    LOG.info("ledger: %d new, %d resolved", summary.n_new, summary.n_resolved)
    return summary


def _put_in_force(state_dir: Path, run_id: str) -> None:
    in_force = state_dir / IN_FORCE
    if _run_of(in_force) not in (None, run_id):
        part = _private(state_dir / (PREVIOUS + ".part"))
        shutil.copyfile(in_force, part)
        sync(part)
        part.replace(state_dir / PREVIOUS)
    (state_dir / STAGED).replace(in_force)
    sync(state_dir)


def commit(ctx: RunContext) -> None:
    """Put the staged ledger in force; call it after the package is published.

    Needs no database. Calling it twice for one run does nothing the second time. InputError where
    this run has staged none.
    """
    run_id = ctx.info.run_id
    if _run_of(ctx.state_dir / STAGED) == run_id:
        _put_in_force(ctx.state_dir, run_id)
    elif _run_of(ctx.state_dir / IN_FORCE) != run_id:
        raise InputError(
            f"批次 {run_id} 没有待生效的差错台账。请重新运行该批次。",
            f"Run {run_id} has staged no ledger. Run it again.",
        )


def recover(state_dir: Path, published_run_id: str) -> bool:
    """Put in force what a night staged that died between publishing and `commit`.

    Call it before a night begins, with the id of the package that `current` names. Returns whether
    there was something to do.
    """
    if _run_of(state_dir / STAGED) != published_run_id:
        return False
    _put_in_force(state_dir, published_run_id)
    return True
