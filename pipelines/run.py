"""The night: ingest, gate, link, estimate, check, ledger, score, dispatch, export, publish."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from audit import __version__
from audit.checking import CheckSummary
from audit.engines.duckdb import DuckDBEngine, Limits
from audit.engines.spark import SparkEngine, require
from audit.errors import ExitCode, UsageError
from audit.ledger import KEPT_OPEN_SQL
from audit.model import RunInfo, Severity
from audit.night import create_outputs, create_reference
from audit.rulebook import RuleBook, load_rulebook
from pipelines import (
    carried_links,
    check,
    coverage,
    dispatch,
    estimate,
    export,
    gate,
    gate_worker,
    ingest,
    ledger,
    link_kept,
    localise,
    manifest,
    parts,
    publish,
    rule_memory,
    score,
    standing,
)
from pipelines.config import RunConfig
from pipelines.contents import Contents
from pipelines.context import LOG, NoProgress, Progress, RunContext
from pipelines.finding_places import FindingCounts
from pipelines.ingest import IngestSummary
from pipelines.reuse import Published
from pipelines.sql import PACKAGE
from pipelines.system_errors import PACKAGE_SAFE, PUBLISHED, already_published, system_errors
from reports.matching import Matching

T = TypeVar("T")
OFFICE_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class NightOptions:
    """What `census-audit run` was asked. `engine` runs the rules: `duckdb` or `spark`."""

    input_dir: Path
    out: Path
    config: RunConfig
    engine: str = DuckDBEngine.name
    rules: str = "*"
    region: str = ""
    run_id: str = ""
    progress: Progress = field(default_factory=NoProgress)


@dataclass(frozen=True, slots=True)
class StageTime:
    """Cost of one stage: seconds of wall clock and of all cores, peak memory so far in MB."""

    stage: str
    wall: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSummary:
    """What the night did, for the table at its end and for the exit code.

    `verdicts`: rules by verdict, as the report tells them. `findings`: all by severity, `told` as
    people count them.
    """

    run_id: str
    run_dir: Path
    intake: IngestSummary
    link: Matching
    check: CheckSummary
    verdicts: dict[str, int]
    findings: dict[str, int]
    told: FindingCounts
    n_flagged: int
    n_regions: int
    n_tasks: int
    workbooks: int
    rejects: int
    changes: dict[str, int]
    gate: gate.GateSummary
    stages: tuple[StageTime, ...]

    def exit_code(self, fail_on: str | None) -> ExitCode:
        """Return the contract's exit code: a crashed rule first, then `--fail-on`."""
        if self.check.errors:
            return ExitCode.RULE
        if fail_on:
            limit = Severity(fail_on).rank
            if any(n and Severity(s).rank <= limit for s, n in self.findings.items()):
                return ExitCode.FINDINGS
        return ExitCode.DONE


class _Clock:
    """Measures the stages of a night."""

    def __init__(self) -> None:
        self.stages: list[StageTime] = []

    def time(self, stage: str, work: Callable[[], T]) -> T:
        """Run a stage and keep what it cost."""
        LOG.info("stage %s", stage)
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        scale = 1024 * 1024 if sys.platform == "darwin" else 1024
        spent = StageTime(
            stage, time.perf_counter() - wall, time.process_time() - cpu, peak / scale
        )
        self.stages.append(spent)
        return result


def _check_options(options: NightOptions) -> None:
    """Refuse ids that could not name a folder, and regions that are no code."""
    if options.run_id:
        publish.check_run_id(options.run_id)
    inside, outside = options.input_dir.resolve(), options.out.resolve()
    if outside == inside or inside in outside.parents:
        raise UsageError(
            "输出文件夹不能在送达文件夹里面：下一次运行会把它当成送达数据。请换一个 --out。",
            "The output folder may not lie inside the delivery: the next run would read it as "
            "data. Choose another --out.",
        )
    if options.region and not re.fullmatch(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}", options.region):
        raise UsageError(
            "--region 须为 2、4、6、9 或 12 位数字的区划代码，例如 430422。",
            "--region takes a region code of 2, 4, 6, 9 or 12 digits, for example 430422.",
        )


def _run_info(options: NightOptions, book: RuleBook) -> RunInfo:
    now = datetime.now(OFFICE_TIME)
    return RunInfo(
        run_id=options.run_id or now.strftime("%Y%m%d-%H%M%S"),
        started_at=now.strftime("%Y-%m-%d %H:%M:%S"),
        engine=options.engine,
        code_version=__version__,
        rulebook_digest=book.digest,
        input_digest="",
        parameters=check.parameters_in_force(options.config, book),
    )


def _context(
    options: NightOptions, engine: DuckDBEngine, run_dir: Path, info: RunInfo
) -> RunContext:
    return RunContext(
        input_dir=options.input_dir,
        run_dir=run_dir,
        state_dir=options.out / "state",
        engine=engine,
        config=options.config,
        info=info,
        progress=options.progress,
    )


def _write_run(ctx: RunContext, status: str) -> None:
    info = ctx.info
    finished = datetime.now(OFFICE_TIME).strftime("%Y-%m-%d %H:%M:%S")
    values = {
        "run_id": info.run_id,
        "engine": info.engine,
        "code_version": info.code_version,
        "rulebook_digest": info.rulebook_digest,
        "input_digest": info.input_digest,
        "status": status,
    }
    texts = ", ".join(f"'{value}' AS {name}" for name, value in values.items())
    ctx.engine.execute("DELETE FROM audit.run")
    ctx.engine.append(
        "audit.run",
        f"SELECT {texts}, TIMESTAMP '{info.started_at}' AS started_at, "
        f"TIMESTAMP '{finished}' AS finished_at",
    )


def _counts(ctx: RunContext, sql: str) -> dict[str, int]:
    return {str(name): int(str(count)) for name, count in ctx.engine.rows(sql)}


def _findings(ctx: RunContext) -> dict[str, int]:
    return _counts(
        ctx, "SELECT severity, COUNT(*) FROM audit.finding GROUP BY severity ORDER BY severity"
    )


def _verdicts(ctx: RunContext) -> dict[str, int]:
    verdict = coverage.VERDICT.format(nothing="'NOT_APPLICABLE'")
    return _counts(
        ctx,
        f"SELECT verdict, COUNT(*) FROM (SELECT {verdict} AS verdict FROM audit.outcome AS o "
        "GROUP BY o.rule_id) AS r GROUP BY verdict",
    )


def _changes(ctx: RunContext) -> dict[str, int]:
    return _counts(
        ctx,
        f"SELECT CASE WHEN cause IN ({KEPT_OPEN_SQL}) THEN cause ELSE state END AS name, "
        "COUNT(*) FROM audit.finding_history GROUP BY name ORDER BY name",
    )


def _stages(ctx: RunContext, book: RuleBook, options: NightOptions, clock: _Clock) -> NightSummary:
    create_outputs(ctx.engine, replace=False)
    create_reference(ctx.engine)
    if ctx.store:
        folder = ctx.state_dir / rule_memory.FOLDER
        ctx.contents_tonight = Contents(ctx.engine, ctx.store, folder)
    intake = clock.time("ingest", lambda: ingest.run(ctx))
    # A mistyped code fails before the long stages.
    check.region_prefix(ctx, options.region)
    ctx.info = replace(ctx.info, input_digest=intake.input_digest)
    begun = clock.time("gate", lambda: gate.begin(ctx))
    try:
        summary = _after_gate(ctx, book, options, clock, (intake, begun))
    finally:
        gate_worker.stop(begun.worker)
    if ctx.contents_tonight:
        ctx.contents_tonight.keep()
    return summary


def _after_gate(
    ctx: RunContext,
    book: RuleBook,
    options: NightOptions,
    clock: _Clock,
    came: tuple[IngestSummary, gate.Begun],
) -> NightSummary:
    intake, begun = came
    linked = clock.time("link", lambda: carried_links.run(ctx))
    clock.time("estimate", lambda: estimate.run(ctx))
    checked = clock.time("check", lambda: check.run(ctx, book, options.region))
    clock.time("localise", lambda: localise.run(ctx, book))
    awaited = options.config.gate.judge == "gx"
    judged = clock.time("gate verdict", lambda: gate.finish(ctx, begun, collect=awaited))
    _write_run(ctx, "rule_error" if checked.errors else "done")
    # A night of some rules or one region says nothing of the others: it closes no finding.
    partial = options.rules != "*" or bool(options.region)
    with export.processes(ctx) as workers:
        queue = clock.time("review", lambda: export.begin_reviews(ctx, workers))
        clock.time("ledger", lambda: ledger.run(ctx, partial=partial))
        scored = clock.time("score", lambda: score.run(ctx, partial=partial))
        tasks = clock.time("dispatch", lambda: dispatch.run(ctx))
        clock.time("coverage", lambda: coverage.run(ctx, check.region_prefix(ctx, options.region)))
        exporting = clock.time("export", lambda: export.begin(ctx, queue, workers))
        if begun.worker and not awaited:
            judged = clock.time("gx", lambda: gate.finish(ctx, begun, collect=True))
        exported = clock.time("report", lambda: export.finish(ctx, exporting))
    return NightSummary(
        run_id=ctx.info.run_id,
        run_dir=options.out / "runs" / ctx.info.run_id,
        intake=intake,
        link=linked,
        check=checked,
        verdicts=_verdicts(ctx),
        findings=_findings(ctx),
        told=exported.told,
        n_flagged=scored.n_flagged,
        n_regions=scored.n_regions,
        n_tasks=tasks.n_tasks,
        workbooks=exported.n_workbooks,
        gate=judged,
        rejects=exported.n_rejects,
        changes=_changes(ctx),
        stages=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One night's work, which may have to begin again."""

    options: NightOptions
    book: RuleBook
    info: RunInfo
    partial: Path

    def limits(self, spill: Path | None) -> Limits:
        """Return what the engine may use, and where it may put what does not fit."""
        config = self.options.config
        return Limits(memory=config.memory, threads=config.threads, temp_directory=spill)

    def run(self, clock: _Clock, store: parts.Store) -> tuple[RunContext, NightSummary]:
        """Run all stages over a package that is closed in the end."""
        limits = self.limits(self.partial / publish.SPILL)
        with DuckDBEngine(self.partial / PACKAGE, limits) as engine:
            ctx = _context(self.options, engine, self.partial, self.info)
            ctx.store = store
            summary = _stages(ctx, self.book, self.options, clock)
            engine.checkpoint()
        return ctx, summary

    def run_safely(self, clock: _Clock) -> tuple[RunContext, NightSummary]:
        """Run on the rows of the last night, or anew where these may not show any more."""
        name = parts.fingerprint(self.options.input_dir, self.options.config)
        package = self.partial / PACKAGE
        state = self.options.out / publish.STATE
        # What a changed list makes confidential goes at once, also where this night fails.
        rule_memory.clear(state / rule_memory.FOLDER, made=name)
        try:
            return self.run(clock, parts.restore(state, package, name))
        except parts.UnsafeError:
            LOG.info("intake: kept rows are confidential now, all files are read")
            package.unlink()
            clock.stages.clear()
            store = parts.Store(state / parts.FOLDER, name, package)
            parts.clear(store.folder)
            rule_memory.clear(state / rule_memory.FOLDER)
            link_kept.clear(state)
            return self.run(clock, store)


def run_night(options: NightOptions) -> NightSummary:
    """Run the whole night and publish it; on any error before, the last published package stays.

    Errors: InputError (10) for the delivery or the output folder, RuleError (11) for a broken rule
    file, EngineError (12), LockError (13) while another run is going.
    """
    _check_options(options)
    if options.engine == SparkEngine.name:
        require(options.config.spark.master)
    book = load_rulebook().select(options.rules)
    info = _run_info(options, book)
    clock = _Clock()
    publish.prepare_out(options.out)
    with publish.RunLock(options.out):
        with system_errors(PACKAGE_SAFE, options.out, options.input_dir):
            ledger.recover(options.out / "state", publish.current_run(options.out))
            partial = publish.begin(options.out, info.run_id)
            work = _Work(options=options, book=book, info=info, partial=partial)
            try:
                ctx, summary = work.run_safely(clock)
                with publish.on_its_way(partial / PACKAGE):
                    manifest.write(ctx, book, clock.stages, summary.intake.unchanged)
                lasting = standing.taken_over(ctx, Published(options.out / publish.CURRENT))
                published = publish.publish(options.out, info.run_id)
            finally:
                publish.discard(options.out, info.run_id)
        with system_errors(PUBLISHED, options.out), already_published():
            ledger.commit(ctx)
            if ctx.store:
                standing.hold(ctx.store, published / PACKAGE, lasting, work.limits(None))
            publish.tidy(options.out, keep=options.config.keep_runs)
    return replace(summary, stages=tuple(clock.stages))
