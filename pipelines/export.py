"""Export: everything that people read, made from the tables of the run.

`begin_reviews` has the pairs to decide written, `begin` what waits for nobody, `finish` what tells
of the gate, when its other judge had its say; it waits for the workbooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime

import pyarrow as pa

from audit.errors import EngineError
from pipelines import rejects, report_data, review, workbook_data, workbook_items
from pipelines.book_workers import BookWorkers, book_workers, how_many
from pipelines.context import LOG, RunContext, bar
from pipelines.finding_places import FindingCounts
from pipelines.package_views import (
    comment_tables,
    create_plain_names,
    create_views,
    published_tables,
)
from pipelines.publish import CURRENT
from pipelines.reuse import Published, content_of
from reports.html import write_report
from reports.validation_report import ValidationInfo, write_validation_report
from reports.workbook import BookSet, index_of, write_county, write_index_book
from reports.workbook_book import WorkbookInfo

ACTOR = "census-audit"
LANG = "zh"
GATE = frozenset({"audit.gate", "audit.gate_check"})
"""Tables that the other judge of the gate has a column in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What was written. `n_workbooks` without the index; `n_rows` findings in the workbooks.

    `n_reviews`: workbooks of pairs that people are to decide. `told`: the findings as the report
    counts them.
    """

    n_parquet: int
    n_workbooks: int
    n_reviews: int
    n_rows: int
    n_leads: int
    n_validations: int
    n_rejects: int
    told: FindingCounts


def write_parquet(ctx: RunContext, names: Iterable[str]) -> int:
    """Write published tables to Parquet; census tables that are empty are left out.

    A table with the rows of the last published run is that run's file under a second name.
    """
    folder = ctx.run_dir / "parquet"
    folder.mkdir(exist_ok=True)
    there = ctx.engine.tables()
    written = 0
    published = Published(ctx.state_dir.parent / CURRENT)
    for name in sorted(there.intersection(names)):
        if name.startswith("census.") and not ctx.engine.scalar(f"SELECT COUNT(*) FROM {name}"):
            continue
        path = folder / f"{name}.parquet"
        if content := content_of(ctx, name):
            ctx.contents[name] = content
        if not (content and published.link(name, content, path)):
            ctx.engine.write(name, path, published_tables()[name].key)
        written += 1
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """The county workbooks of a run: what is gathered, and who writes them."""

    gathered: workbook_data.Gathered
    shared: BookSet
    workers: BookWorkers | None

    def finish(self) -> tuple[int, int, int]:
        """Wait for the workbooks, or write them, and then their index; return what is in them."""
        source = self.gathered.source
        rows = (
            self.workers.rows()
            if self.workers
            else [row for county in source.counties for row in write_county(county, self.shared)]
        )
        paths = write_index_book(self.shared, index_of(source, rows))
        beside = self.gathered.n_leads + self.gathered.n_conclusions
        return len(paths) - 1, self.gathered.n_rows, beside


def _shared(ctx: RunContext, lang: str, rules: pa.Table) -> BookSet:
    """Return what all workbooks of the run share."""
    info = WorkbookInfo(
        run_id=ctx.info.run_id,
        # Not the clock: identical input gives identical bytes.
        created=datetime.fromisoformat(ctx.config.reference_date),
        rulebook_digest=ctx.info.rulebook_digest,
        lang=lang,
    )
    return BookSet(folder=ctx.run_dir / "workbooks", info=info, rules=rules)


def _begin_workbooks(ctx: RunContext, lang: str, workers: BookWorkers | None) -> _Books:
    """Gather what the workbooks show, and have them written where somebody else does it."""
    gathered = workbook_data.gather(ctx)
    total = int(str(ctx.engine.scalar("SELECT COUNT(*) FROM audit.finding")))
    beside = gathered.n_leads + gathered.n_conclusions + gathered.n_closed
    if gathered.n_rows + beside != total:
        raise EngineError(
            "核查册的差错条数与审核差错表不符，未发布。请报告此问题。",
            "The workbooks do not hold every finding; nothing was published. Please report this.",
        )
    if workers:
        for county in gathered.source.counties:
            workers.write(county)
    shared = _shared(ctx, lang, gathered.source.rules)
    return _Books(gathered=gathered, shared=shared, workers=workers)


def write_validations(ctx: RunContext) -> int:
    """Write the ESS validation report; the view `coverage` must be there."""
    info = ValidationInfo(
        run_id=ctx.info.run_id,
        time=f"{ctx.info.started_at.replace(' ', 'T')}+08:00",
        actor=f"{ACTOR} {ctx.info.code_version}",
        agent=ctx.config.city,
        trigger="nightly run",
        measurement=ctx.config.reference_date,
    )
    fetch = ctx.engine.fetch
    return write_validation_report(
        fetch("SELECT rule_id, rule_version, severity, title_en, sql FROM audit.rule"),
        fetch(
            "SELECT rule_id, county_code, n_checked, n_failed, n_unknown, status FROM main.coverage"
        ),
        fetch(
            "SELECT finding_key, rule_id, subject_id, related_id, region_code, variable "
            "FROM audit.finding"
        ),
        info,
        ctx.run_dir / "validation_report.json",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An export without what tells of the gate; its workbooks may still be at work."""

    books: _Books
    queue: review.Queue
    returned: rejects.RejectSummary
    n_parquet: int
    n_validations: int


@contextmanager
def processes(ctx: RunContext) -> Iterator[BookWorkers | None]:
    """Start what writes workbooks beside the rest, with more than one thread and many findings.

    Each process takes half a second to be ready. They are given `audit.rule`, and the number of
    findings tells how many there are: so the rules must have run.
    """
    n_findings = int(str(ctx.engine.scalar("SELECT COUNT(*) FROM audit.finding")))
    with book_workers(how_many(ctx.config.threads, n_findings)) as workers:
        if workers:
            workers.open(_shared(ctx, LANG, workbook_items.rules(ctx)))
        yield workers


def begin_reviews(ctx: RunContext, workers: BookWorkers | None) -> review.Queue:
    """Return the pairs to decide, which `workers` begin to write: links, but no finding, tell them.

    Without `workers`, `finish` writes them.
    """
    queue = review.queue(ctx, LANG)
    if workers:
        workers.review(queue)
    return queue


def begin(ctx: RunContext, queue: review.Queue, workers: BookWorkers | None) -> Begun:
    """Write views, Parquet, rejects and validation report, and have the workbooks written.

    `workers` write them beside the rest. EngineError where a finding would be in no workbook.
    """
    with bar(ctx.progress, "导出", "export", 4) as progress:
        create_views(ctx)
        create_plain_names(ctx)
        progress.advance()
        books = _begin_workbooks(ctx, LANG, workers)
        progress.advance()
        n_parquet = write_parquet(ctx, published_tables().keys() - GATE)
        progress.advance()
        n_validations = write_validations(ctx)
        returned = rejects.run(ctx)
        progress.advance()
    return Begun(
        books=books,
        queue=queue,
        returned=returned,
        n_parquet=n_parquet,
        n_validations=n_validations,
    )


def finish(ctx: RunContext, begun: Begun) -> ExportSummary:
    """Write the gate's tables, the comments and the HTML report, and wait for the workbooks.

    Errors of the processes that write them: EngineError where one failed, OSError by a full disk.
    """
    with bar(ctx.progress, "报告", "report", 3) as progress:
        # Now that no table is made anew: its comments would go.
        comment_tables(ctx.engine)
        n_parquet = begun.n_parquet + write_parquet(ctx, GATE)
        progress.advance()
        report = replace(report_data.collect(ctx), rejects=begun.returned.books)
        write_report(report, ctx.run_dir / "report.html")
        progress.advance()
        n_workbooks, n_rows, n_leads = begun.books.finish()
        workers = begun.books.workers
        n_reviews = workers.n_reviews() if workers else len(begun.queue.write())
        progress.advance()
    LOG.info("export: %d workbooks, %d rows, %d leads", n_workbooks, n_rows, n_leads)
    return ExportSummary(
        n_parquet=n_parquet,
        n_workbooks=n_workbooks,
        n_reviews=n_reviews,
        n_rows=n_rows,
        n_leads=n_leads,
        n_validations=begun.n_validations,
        n_rejects=begun.returned.n_books,
        told=FindingCounts(
            **{f.name: getattr(report.totals, f.name) for f in fields(FindingCounts)}
        ),
    )
