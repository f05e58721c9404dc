"""Export stage: everything that people read, made from the tables of the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from audit.errors import EngineError
from pipelines import rejects, report_data, review, workbook_data
from pipelines.context import LOG, RunContext, bar
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
from reports.workbook import write_workbooks
from reports.workbook_book import WorkbookInfo

ACTOR = "census-audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What was written. `n_workbooks` without the index; `n_rows` findings in the workbooks.

    `n_reviews`: workbooks of pairs that people are to decide.
    """

    n_parquet: int
    n_workbooks: int
    n_reviews: int
    n_rows: int
    n_leads: int
    n_validations: int
    n_rejects: int


def write_parquet(ctx: RunContext) -> int:
    """Write the published tables to Parquet; census tables that are empty are left out.

    A table with the rows of the last published run is that run's file under a second name.
    """
    folder = ctx.run_dir / "parquet"
    folder.mkdir(exist_ok=True)
    there = ctx.engine.tables()
    written = 0
    published = Published(ctx.state_dir.parent / CURRENT)
    for name in sorted(set(published_tables()) & there):
        if name.startswith("census.") and not ctx.engine.scalar(f"SELECT COUNT(*) FROM {name}"):
            continue
        path = folder / f"{name}.parquet"
        if content := content_of(ctx, name):
            ctx.contents[name] = content
        if not (content and published.link(name, content, path)):
            ctx.engine.write(name, path, published_tables()[name].key)
        written += 1
    return written


def write_county_workbooks(ctx: RunContext, lang: str = "zh") -> tuple[int, int, int]:
    """Write the workbooks; return how many, their findings, and what stands in the index.

    EngineError when a finding of the run would be in none of them.
    """
    gathered = workbook_data.gather(ctx)
    total = int(str(ctx.engine.scalar("SELECT COUNT(*) FROM audit.finding")))
    beside = gathered.n_leads + gathered.n_conclusions + gathered.n_closed
    if gathered.n_rows + beside != total:
        raise EngineError(
            "核查册的差错条数与审核差错表不符，未发布。请报告此问题。",
            "The workbooks do not hold every finding; nothing was published. Please report this.",
        )
    info = WorkbookInfo(
        run_id=ctx.info.run_id,
        # Not the clock: identical input gives identical bytes.
        created=datetime.fromisoformat(ctx.config.reference_date),
        rulebook_digest=ctx.info.rulebook_digest,
        lang=lang,
    )
    paths = write_workbooks(gathered.source, ctx.run_dir / "workbooks", info)
    workbook_data.forget(ctx)
    return len(paths) - 1, gathered.n_rows, gathered.n_leads + gathered.n_conclusions


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


def run(ctx: RunContext) -> ExportSummary:
    """Write views, Parquet, workbooks, reviews, rejects, validation report and HTML."""
    with bar(ctx.progress, "导出", "export", 7) as progress:
        create_views(ctx)
        create_plain_names(ctx)
        comment_tables(ctx)
        progress.advance()
        n_parquet = write_parquet(ctx)
        progress.advance()
        n_workbooks, n_rows, n_leads = write_county_workbooks(ctx)
        progress.advance()
        n_reviews = len(review.write_review_workbooks(ctx))
        progress.advance()
        n_validations = write_validations(ctx)
        progress.advance()
        returned = rejects.run(ctx)
        progress.advance()
        report = replace(report_data.collect(ctx), rejects=returned.books)
        write_report(report, ctx.run_dir / "report.html")
        progress.advance()
    LOG.info("export: %d workbooks, %d rows, %d leads", n_workbooks, n_rows, n_leads)
    return ExportSummary(
        n_parquet=n_parquet,
        n_workbooks=n_workbooks,
        n_reviews=n_reviews,
        n_rows=n_rows,
        n_leads=n_leads,
        n_validations=n_validations,
        n_rejects=returned.n_books,
    )
