"""Ingest: the files of a delivery into typed tables, or refused with a reason, row by row.

Every row is accounted for: delivered = loaded + refused, for each file, or the run stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from audit.contracts import CONTRACT
from audit.derive import POLARS_TYPES, DeriveLists
from audit.engines.duckdb import DuckDBEngine
from audit.errors import AuditError, InputError
from audit.reference import load_reference
from audit.views import UNIT_SOURCES
from pipelines.confidential import TABLE as DIGESTS
from pipelines.confidential import Confidential, read_confidential
from pipelines.config import RunConfig
from pipelines.contents import digest
from pipelines.context import LOG, RunContext, bar
from pipelines.duplicates import n_repeated, refuse_duplicates
from pipelines.loading import OTHERS, REJECTED, FileReport, Loader, digest_of, input_digest
from pipelines.parts import SHIFT, Part, Store
from pipelines.places import place_units
from pipelines.readers.model import RefusedFileError, Source
from pipelines.readers.opening import open_source
from pipelines.readers.which import delivered_files, is_leftover
from pipelines.superseded_rows import supersede_rows
from pipelines.superseding import supersede
from pipelines.writing import append, writing

DELIVERED = CONTRACT.outputs["census.delivered_file"]
REGIONS = Path(__file__).parents[1] / "sample_data" / "regions_hengyang.csv"
FIRST = (DIGESTS, "region", *UNIT_SOURCES)
"""Read before the others, in this order: a confidential unit's returns are known by its form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSummary:
    """What came in. `rows_confidential` is part of `rows_refused`.

    `unchanged`: the files that were not read again, because the last night had read them.
    `salt_in_doubt`: no row met a digest of the list, which cannot tell a wrong salt by itself.
    """

    files: int
    files_refused: int
    rows_delivered: int
    rows_loaded: int
    rows_refused: int
    rows_confidential: int
    input_digest: str
    rows_by_table: dict[str, int]
    unknown_columns: dict[str, tuple[str, ...]]
    unchanged: frozenset[str] = frozenset()
    salt_in_doubt: bool = False


def _find(folder: Path, config: RunConfig) -> list[Source]:
    if not folder.is_dir():
        raise InputError(
            f"找不到输入文件夹：{folder}。请检查 --input 的路径。",
            f"There is no input folder {folder}. Check the path given with --input.",
        )
    sources = delivered_files(folder, config.tables, config.encoding)
    if all(is_leftover(source.file.rsplit("/", maxsplit=1)[-1]) for source in sources):
        raise InputError(
            f"输入文件夹是空的：{folder}。请放入报送文件（CSV、TSV、XLSX 或 Parquet）后重新运行。",
            f"The input folder is empty: {folder}. Put the delivered files (CSV, TSV, XLSX or "
            "Parquet) there and run again.",
        )
    return _named_apart(sources)


def _named_apart(sources: Sequence[Source]) -> list[Source]:
    """Return the files with names that differ: what is refused is told by the name of its file."""
    taken: set[str] = set()
    apart = []
    for source in sources:
        file, number = source.file, 2
        while file in taken:
            file, number = f"{source.file} ({number})", number + 1
        taken.add(file)
        apart.append(replace(source, file=file))
    return apart


def derive_lists() -> DeriveLists:
    """Return the reference lists that derived columns look up."""
    return DeriveLists(pl.DataFrame(pl.from_arrow(load_reference()["industry_profile"])))


def create_tables(engine: DuckDBEngine, *, restored: bool = False) -> None:
    """Create all delivered tables anew, typed and raw, and the two that account for the rows.

    Of a database `restored` from the last night only the latter two.
    """
    statements = []
    for table in () if restored else CONTRACT.delivered:
        statements.append(f"CREATE OR REPLACE TABLE census.{table.name} ({table.duckdb_columns()})")
        texts = ", ".join(f'"{column.name}" VARCHAR' for column in table.columns)
        statements.append(
            f"CREATE OR REPLACE TABLE raw.{table.name} "
            f"(file_no INTEGER, row_no BIGINT, file_line BIGINT, {texts}, {OTHERS} VARCHAR)"
        )
    for name in (DELIVERED.name, REJECTED):
        columns = CONTRACT.outputs[name].duckdb_columns()
        statements.append(f"CREATE OR REPLACE TABLE {name} ({columns})")
    # At once: each alone would wait for the disk.
    engine.execute("BEGIN TRANSACTION")
    engine.execute(";\n".join(statements))
    engine.execute("COMMIT")


def load_shipped_regions(engine: DuckDBEngine, lists: DeriveLists, path: Path) -> int:
    """Load the shipped sample of regions (file_no 0) where none were delivered; return the rows."""
    if engine.scalar("SELECT count(*) FROM census.region") or not path.is_file():
        return 0
    loader = Loader(engine, lists, Confidential())
    source = Source(file_no=0, file=path.name, path=path, table="region")
    with writing(engine) as writer:
        for batch in open_source(source).batches:
            loader.load_batch(source, batch, writer)
    return int(str(engine.scalar("SELECT count(*) FROM census.region")))


def _delivered(report: FileReport, loaded: int, refused: int) -> dict[str, object]:
    return {
        "file_no": report.source.file_no,
        "file": report.source.file,
        "table_name": report.source.table or None,
        "digest": report.digest,
        "format": report.format or None,
        "encoding": report.encoding or None,
        "rows_delivered": report.rows_delivered,
        "rows_loaded": loaded,
        "rows_refused": report.rows_delivered if report.whole else refused,
        "unknown_columns": "|".join(report.unknown) or None,
        "rows_private_use": report.private_use,
        "page_checksums": report.checksums,
        "superseded_by": report.superseded_by or None,
        "rows_superseded": report.rows_superseded if report.superseded_by else None,
        "keys_lost": report.keys_lost if report.superseded_by else None,
    }


def _count(engine: DuckDBEngine, sql: str) -> dict[object, int]:
    return {key: int(str(rows)) for key, rows in engine.rows(sql)}


def account(engine: DuckDBEngine, reports: Sequence[FileReport]) -> pl.DataFrame:
    """Write census.delivered_file from what the database holds.

    AuditError naming a file whose rows are not all loaded or refused, each exactly once.
    """
    refused = _count(engine, f"SELECT file, count(*) FROM {REJECTED} WHERE row > 0 GROUP BY file")
    loaded: dict[object, int] = {}
    for table in {report.source.table for report in reports if report.source.table}:
        loaded |= _count(engine, f"SELECT file_no, count(*) FROM census.{table} GROUP BY file_no")
    records = []
    for report in reports:
        source = report.source
        record = _delivered(report, loaded.get(source.file_no, 0), refused.get(source.file, 0))
        parts = int(str(record["rows_loaded"])) + int(str(record["rows_refused"]))
        if report.rows_delivered != parts:
            raise AuditError(
                f"“{source.file}”的行数对不上：送达 {report.rows_delivered} 行，"
                f"装载与退回共 {parts} 行。这是程序错误，请保留该文件并报告。",
                f"The rows of “{source.file}” do not add up: {report.rows_delivered} delivered, "
                f"{parts} loaded or refused. This is a defect: keep the file and report it.",
            )
        records.append(record)
    schema = {column.name: POLARS_TYPES[column.type] for column in DELIVERED.columns}
    frame = pl.DataFrame(records, schema=schema)
    append(engine, DELIVERED.name, frame)
    return frame


def _may_repeat(ctx: RunContext, name: str, reports: Sequence[FileReport]) -> bool:
    """Tell whether keys of a table may be repeated: last night's were not, and its rows are these.

    The rows follow from its files and from which of them are replaced.
    """
    contents = ctx.contents_tonight
    if contents is None:
        return True
    replaced = (r.source.file_no for r in reports if r.superseded_by and r.source.table == name)
    key = digest(contents.store.contents[name], *sorted(replaced))
    table = CONTRACT.tables[name]
    return contents.counts(f"repeated {name}", key, lambda: [n_repeated(ctx.engine, table)]) != [0]


def _refuse_duplicates(ctx: RunContext, reports: Sequence[FileReport]) -> None:
    sources = {report.source.file_no: report.source for report in reports}
    labels = {report.source.file_no: report.labels for report in reports}
    for name in sorted({report.source.table for report in reports if not report.whole}):
        if _may_repeat(ctx, name, reports):
            rows = refuse_duplicates(ctx.engine, CONTRACT.tables[name], sources, labels)
            append(ctx.engine, REJECTED, rows)


def _nothing_readable(reports: Sequence[FileReport]) -> InputError:
    names = [report.source.file for report in reports]
    shown = "、".join(names[:10]) + (" …" if len(names) > 10 else "")
    return InputError(
        f"没有一个文件可以读取：{shown}。文件名应以表名开头，文件应完整并含有必需的列；请更正后重新报送。",
        f"Not one file can be read: {shown}. Names should begin with a table's name, and files be "
        "whole and have the required columns. Correct them and deliver again.",
    )


def _summary(
    frame: pl.DataFrame, reports: Sequence[FileReport], secret: int, unchanged: frozenset[str]
) -> IngestSummary:
    tables = frame.drop_nulls("table_name").group_by("table_name").agg(pl.col("rows_loaded").sum())
    return IngestSummary(
        files=len(reports),
        files_refused=sum(report.whole for report in reports),
        rows_delivered=int(frame["rows_delivered"].sum()),
        rows_loaded=int(frame["rows_loaded"].sum()),
        rows_refused=int(frame["rows_refused"].sum()),
        rows_confidential=secret,
        input_digest=input_digest({r.source.file: r.digest for r in reports}),
        rows_by_table={str(name): int(rows) for name, rows in sorted(tables.iter_rows())},
        unknown_columns={r.source.file: r.unknown for r in reports if r.unknown},
        unchanged=unchanged,
    )


def _part(loader: Loader, store: Store | None, source: Source) -> tuple[Part, bool]:
    """Return what a file gives, and whether it had to be read."""
    told, digest = loader.hidden.begin(), digest_of(source)
    key = f"{digest}|{source.table}|{source.encoding}|{told}"
    kept = store.take(key, source.file) if store and digest else None
    if kept is not None:
        kept.report.source = source
        loader.hidden.add(kept.secrets)
        return kept, False
    report = loader.load(source, digest)
    return Part(key=key, report=report, secrets=loader.hidden.file), True


def _take_in(
    ctx: RunContext, loader: Loader, sources: Sequence[Source]
) -> tuple[list[FileReport], frozenset[str]]:
    """Bring all files into the database, repeated keys too; return the reports and unread files."""
    places = {table: place for place, table in enumerate(FIRST)}
    order = sorted(sources, key=lambda s: (places.get(s.table, len(places)), s.file_no))
    parts: list[tuple[Part, bool]] = []
    with bar(ctx.progress, "读取报送文件", "Reading files", len(order)) as progress:
        for source in order:
            parts.append(_part(loader, ctx.store, source))
            progress.advance()
    if ctx.store:
        ctx.store.settle(ctx.engine, [part for part, was_read in parts if was_read])
    reports = sorted((part.report for part, _ in parts), key=lambda r: r.source.file_no)
    return reports, frozenset(p.report.source.file for p, was_read in parts if not was_read)


def _regions(engine: DuckDBEngine, lists: DeriveLists) -> None:
    try:
        load_shipped_regions(engine, lists, REGIONS)
    except RefusedFileError as error:
        raise InputError(error.zh, error.en) from error


def run(ctx: RunContext) -> IngestSummary:
    """Read the delivery into census.*, raw.*, census.delivered_file and census.rejected_row.

    A file that the last night read is not read again; the result is that of a full reading.
    InputError where there is nothing to read, or confidential units cannot be told.
    """
    sources = _find(ctx.input_dir, ctx.config)
    confidential = read_confidential(sources, ctx.config.salt_file)
    # One look at all names: only where any of them names a unit is each looked at.
    if confidential.in_cells(source.file for source in sources):
        sources = [confidential.without_name(source) for source in sources]
    lists = derive_lists()
    restored = ctx.store is not None and ctx.store.restored
    if ctx.store and restored:
        ctx.store.open(ctx.engine)
    create_tables(ctx.engine, restored=restored)
    loader = Loader(ctx.engine, lists, confidential, SHIFT if restored else 0)
    reports, unchanged = _take_in(ctx, loader, sources)
    if all(report.whole for report in reports):
        raise _nothing_readable(reports)
    _regions(ctx.engine, lists)
    if ctx.config.intake.supersede == "yes":
        supersede(ctx.engine, reports, ctx.config.intake.supersede_share)
    _refuse_duplicates(ctx, reports)
    # Once more: the rows of a delivered list may all have been refused for their keys.
    _regions(ctx.engine, lists)
    supersede_rows(ctx.engine, reports)
    place_units(ctx.engine)
    frame = account(ctx.engine, reports)
    secret = f"SELECT count(*) FROM {REJECTED} WHERE reason = 'confidential'"
    summary = _summary(frame, reports, int(str(ctx.engine.scalar(secret))), unchanged)
    if confidential.digests and not confidential.checked and not summary.rows_confidential:
        summary = replace(summary, salt_in_doubt=True)
        LOG.warning(
            "保密单位摘要名册没有盐值校验行，也没有一行与之相符：请核对盐值文件 "
            "no digest matched and the list has no check row: see that the salt is the right one"
        )
    LOG.info(
        "ingest: %d files, %d rows delivered, %d loaded, %d refused",
        summary.files, summary.rows_delivered, summary.rows_loaded, summary.rows_refused,
    )  # fmt: skip
    return summary
