"""One file after the other into census.* and raw.*: what is sound is loaded, the rest refused."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from audit import trail
from audit.contracts import CONTRACT, Table
from audit.derive import DeriveLists, derive
from audit.engines.duckdb import DuckDBEngine
from audit.errors import AuditError
from pipelines import refusals
from pipelines.confidential import Confidential
from pipelines.hidden import Hidden
from pipelines.own_books import own_book
from pipelines.parsing import Fault, damaged_cells, fold_figures, normalise_text, parse
from pipelines.readers.ahead import ahead
from pipelines.readers.model import (
    LINE,
    ROW,
    Batch,
    Header,
    Reading,
    RefusedFileError,
    Source,
    position,
)
from pipelines.readers.opening import open_source
from pipelines.readers.which import is_leftover
from pipelines.writing import Writer, append, writing

LOG = logging.getLogger("census_audit")
_PANIC = "PanicException"
PRIVATE_USE = "[\ue000-\uf8ff]"
REJECTED = "census.rejected_row"
OTHERS = "other_cells"
"""Column of `raw.*`: the cells of columns that the contract does not have, as JSON by header."""


@dataclass(slots=True)
class FileReport:
    """What became of one file. `whole` tells that the file was refused as a whole."""

    source: Source
    digest: str = ""
    format: str = ""
    encoding: str = ""
    rows_delivered: int = 0
    unknown: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    superseded_by: str = ""
    rows_superseded: int = 0
    keys_lost: int = 0
    private_use: int = 0
    checksums: bool | None = None

    def to_json(self) -> str:
        """Return what `from_json` needs; the file's place is not part of it."""
        known = ("digest", "format", "encoding", "rows_delivered", "unknown", "labels", "whole",
                 "private_use", "checksums")  # fmt: skip
        report = {name: getattr(self, name) for name in known}
        return json.dumps(report | {"table": self.source.table}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> FileReport:
        """Return the report of a file whose place is not known yet."""
        report = json.loads(text)
        source = Source(file_no=0, file="", path=Path(), table=report.pop("table"))
        return cls(source, **report | {"unknown": tuple(report["unknown"])})


def digest_of(source: Source) -> str:
    """Return the SHA-256 of a file; "" where it cannot be read, or would never end (a pipe)."""
    try:
        if not source.path.is_file():
            return ""
        with source.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def labels_of(header: Header) -> dict[str, str]:
    """Return the header cell of each contract column that a file has."""
    named = zip(header.columns, header.labels, strict=True)
    return {column: label for column, label in named if column}


def _exact(table: Table) -> frozenset[str]:
    """Return the columns whose characters mean figures: there a small 2 is not a 2."""
    return frozenset(c.name for c in table.columns if c.type != "text")


def _texts(batch: Batch, table: Table) -> pl.DataFrame:
    """Return the delivered text of the contract's columns, one not delivered all NULL."""
    where = {name: index for index, name in enumerate(batch.header.columns) if name}
    return batch.frame.select(
        pl.col(position(where[column.name])).alias(column.name)
        if column.name in where
        else pl.lit(None, dtype=pl.String).alias(column.name)
        for column in table.columns
    )


def _private_use(texts: pl.DataFrame, table: Table) -> int:
    """Count the rows with a character that no standard knows: its glyph is its maker's own."""
    names = [column.name for column in table.columns if column.type == "text"]
    private = pl.col(names).str.contains(PRIVATE_USE)
    met = texts.select(private.any()).row(0, named=True) if names else {}
    if not any(met.values()):
        return 0
    rows = texts.select(pl.any_horizontal(private))
    return int(rows.to_series().sum() or 0)


def _others(batch: Batch) -> pl.Series:
    """Return what the columns hold that the contract does not have; NULL where there are none."""
    header = batch.header
    places = [index for index, name in enumerate(header.columns) if not name]
    if not places:
        return pl.repeat(None, batch.frame.height, dtype=pl.String, eager=True).alias(OTHERS)
    cells = batch.frame.select(position(index) for index in places)
    labels = [header.labels[index] for index in places]
    return refusals.delivered_json(cells, labels).alias(OTHERS)


def _damage(batch: Batch) -> tuple[Fault, ...]:
    if not batch.damaged:
        return ()
    header = batch.header
    return tuple(
        Fault(header.columns[index] or header.labels[index], found.reason, found.kind, found.rows)
        for index in range(len(header.columns))
        for found in damaged_cells(batch.frame, [position(index)])
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """One batch read, typed and checked.

    `batch`: its sound rows only; `texts`: their cells as delivered, by the contract's columns;
    `sound`: the same cells typed; `rejected`: one rejected_row for each other row.
    """

    batch: Batch
    texts: pl.DataFrame
    sound: pl.DataFrame
    rejected: pl.DataFrame


def normal_texts(table: Table, batch: Batch) -> pl.DataFrame:
    """Return the normalised text of the contract's columns of a batch."""
    return normalise_text(_texts(batch, table), exact=_exact(table))


def check(source: Source, batch: Batch, normal: pl.DataFrame) -> Checked:
    """Type the rows of a batch and part those that are refused from the sound ones.

    `normal` is what `normal_texts` gives of them.
    """
    table = CONTRACT.tables[source.table]
    rejected = [refusals.broken_rows(source, batch.header, list(batch.broken))]
    texts = _texts(batch, table)
    parsed = parse(table, normal)
    faults = (*_damage(batch), *parsed.faults)
    sound = parsed.values
    if faults:
        bad = pl.select(pl.any_horizontal(fault.rows for fault in faults)).to_series()
        rejected.append(_refused(source, batch, faults, bad))
        texts, sound = texts.filter(~bad), sound.filter(~bad)
        batch = Batch(header=batch.header, frame=batch.frame.filter(~bad))
    return Checked(batch, texts, sound, pl.concat(rejected))


@dataclass(slots=True)
class Loader:
    """Loads files of one delivery into one database. `shift` is added to their numbers."""

    engine: DuckDBEngine
    lists: DeriveLists
    confidential: Confidential
    shift: int = 0
    hidden: Hidden = field(init=False)

    def __post_init__(self) -> None:
        self.hidden = Hidden(self.confidential)

    def load(self, source: Source, digest: str | None = None) -> FileReport:
        """Read one file; a file that cannot be read to its end leaves nothing behind.

        `digest` is that of its bytes where it is known already.
        """
        report = FileReport(source, digest_of(source) if digest is None else digest)
        try:
            self._read(source, report)
        except OSError:
            self._refuse(report, unreadable())
        except RefusedFileError as error:
            self._refuse(report, error)
        except (AuditError, MemoryError):
            # The engine's trouble, or the machine's: not this file's.
            raise
        except BaseException as error:
            # Readers raise what nobody foresaw; one odd file must not end a night.
            # Each package in Rust panics with a class of its own, equal only in its name.
            if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
                raise
            place = traceback.extract_tb(error.__traceback__)[-1]
            # Never the message: it may quote a value.
            LOG.warning(
                "ingest: file %d unreadable: %s in %s line %s",
                source.file_no, type(error).__name__, Path(place.filename).name, place.lineno,
            )  # fmt: skip
            self._refuse(report, unreadable_inside())
        return report

    def _read(self, source: Source, report: FileReport) -> None:
        if source.path.is_dir():
            raise read_before()
        if not report.digest:
            raise unreadable()
        if (own := own_book(source.path)) is not None:
            raise own
        if not source.table:
            raise unknown_table(source)
        reading = open_source(source)
        report.format, report.encoding = reading.format, reading.encoding
        report.checksums = reading.checksums
        header = self.confidential.without_names(reading.header)
        report.unknown = header.unknown
        if reading.header.missing:
            report.rows_delivered = sum(batch.rows for batch in reading.batches)
            raise missing_columns(source.table, reading.header.missing)
        report.labels = labels_of(header)
        self._load_whole(source, reading, report)

    def _load_whole(self, source: Source, reading: Reading, report: FileReport) -> None:
        self.engine.execute("BEGIN TRANSACTION")
        try:
            with writing(self.engine) as writer:
                for batch in ahead(reading.batches):
                    report.rows_delivered += batch.rows
                    report.private_use += self.load_batch(source, batch, writer)
        except BaseException:
            report.rows_delivered = report.private_use = 0
            self.engine.execute("ROLLBACK")
            raise
        self.engine.execute("COMMIT")

    def _refuse(self, report: FileReport, error: RefusedFileError) -> None:
        report.whole = True
        append(self.engine, REJECTED, refusals.refused_file(report.source, error))

    def load_batch(self, source: Source, batch: Batch, writer: Writer) -> int:
        """Split one batch into confidential, refused and sound rows, and write the latter two.

        Return how many of the sound rows have characters of private use in a text.
        """
        table = CONTRACT.tables[source.table]
        normal = normal_texts(table, batch)
        batch, hidden, secret = self._without_confidential(table, batch, normal)
        if hidden is not None:
            normal = normal.filter(~hidden)
        checked = check(source, batch, normal)
        batch, texts = checked.batch, checked.texts
        writer.add(REJECTED, checked.rejected)
        writer.add(REJECTED, refusals.confidential_rows(source, secret))
        file_no = pl.lit(source.file_no + self.shift, dtype=pl.Int32).alias("file_no")
        numbers = batch.frame.get_column(ROW)
        sound = checked.sound
        if source.table == trail.TABLE:
            sound = sound.with_columns(trail.digest_ok_as_delivered(sound, texts))
        typed = derive(source.table, sound, self.lists)
        writer.add(f"census.{source.table}", typed.with_columns(numbers, file_no))
        raw = texts.with_columns(numbers, batch.frame.get_column(LINE), file_no, _others(batch))
        writer.add(f"raw.{source.table}", raw)
        return _private_use(texts, table)

    def _without_confidential(
        self, table: Table, batch: Batch, normal: pl.DataFrame
    ) -> tuple[Batch, pl.Series | None, list[int]]:
        """Take out the rows of confidential units, whatever else is wrong with them.

        Return the other rows, which of `normal` were taken out, and the numbers of all of them.
        """
        if not self.confidential.digests:
            return batch, None, []
        secret = self.confidential.pieces(batch.broken)
        folded = fold_figures(_texts(batch, table), normal)
        header = self.confidential.without_names(batch.header)
        known = {position(i) for i, name in enumerate(header.columns) if name}
        others = [c for c in batch.frame.columns if c not in (*known, ROW, LINE)]
        hidden = self.confidential.rows(table, folded)
        # A column that nobody asked for is kept with a refused row, so it is looked at as well.
        if others:
            more = normalise_text(batch.frame.select(others))
            hidden = hidden | self.confidential.in_any_cell(more)
        self.hidden.note(table, folded.filter(hidden))
        self.hidden.note_cells(row.cells for row in batch.broken if row.row_no in secret)
        if not hidden.any() and not secret:
            return replace(batch, header=header), None, []
        rows = [*secret, *batch.frame.get_column(ROW).filter(hidden)]
        kept = Batch(
            header=header,
            frame=batch.frame.filter(~hidden),
            broken=tuple(row for row in batch.broken if row.row_no not in secret),
            damaged=batch.damaged,
        )
        return kept, hidden, sorted(rows)


def _refused(
    source: Source, batch: Batch, faults: tuple[Fault, ...], bad: pl.Series
) -> pl.DataFrame:
    part = Batch(header=batch.header, frame=batch.frame.filter(bad), damaged=batch.damaged)
    cut = [Fault(f.column, f.reason, f.kind, f.rows.filter(bad)) for f in faults]
    return refusals.refused_rows(source, part, cut)


def unreadable() -> RefusedFileError:
    """Return the refusal of a file that the system does not let us read."""
    return RefusedFileError(
        "unreadable_file",
        "文件无法打开。请检查读取权限和磁盘后重新报送。",
        "The file cannot be opened. Check that it may be read and that the disk is sound.",
    )


def unreadable_inside() -> RefusedFileError:
    """Return the refusal of a file that no reader copes with."""
    return RefusedFileError(
        "unreadable_file",
        "文件内容无法解析，可能已损坏或写法不常见，整个文件未装载。"
        "请在原电脑上打开，另存为 XLSX 或 CSV 后重新报送。",
        "The contents of the file cannot be parsed: it may be damaged or unusual, so none of it is "
        "loaded. Open it where it was made, save it as XLSX or CSV and deliver it again.",
    )


def read_before() -> RefusedFileError:
    """Return the refusal of a link to a folder whose files are read under another name."""
    return RefusedFileError(
        "unreadable_file",
        "这是指向另一文件夹的链接，其中的文件已按另一路径读入，未重复读取。请删除该链接。",
        "This is a link to a folder whose files are read under another path already, so they are "
        "not read twice. Delete the link.",
    )


def missing_columns(table: str, names: tuple[str, ...]) -> RefusedFileError:
    """Return the refusal of a file without required columns; the first names its column."""
    labels = [refusals.column_label(table, name) for name in names]
    zh = "、".join(f"“{label.zh}”" for label in labels)
    en = ", ".join(label.en for label in labels)
    return RefusedFileError(
        "missing_column",
        f"文件缺少必需的列：{zh}。请补上该列（列名用中文名、项目编号加中文名或英文名均可）后重新报送。",
        f"The file lacks required columns: {en}. Add them (Chinese name, item number and Chinese "
        "name, or English name) and deliver the file again.",
        names[0],
    )


def unknown_table(source: Source) -> RefusedFileError:
    """Return the refusal of a file that belongs to no table."""
    if is_leftover(source.file.rsplit("/", maxsplit=1)[-1]):
        return RefusedFileError(
            "unknown_table",
            "这是隐藏文件或办公软件的临时文件，不是报送数据。请关闭打开的表格并删除该文件。",
            "This is a hidden file or a lock file of an office program, not data. Close the open "
            "spreadsheet and delete the file.",
        )
    return RefusedFileError(
        "unknown_table",
        "无法判断属于哪张表：文件名或文件夹名应以表的中文名或英文名开头，例如“法人单位基本情况_衡南县.xlsx”。"
        "请改名，或在配置 [tables] 中指定。",
        "Which table it belongs to cannot be told: the file's or its folder's name should begin "
        "with the table's Chinese or English name, such as legal_entity_430422.csv. Rename it, or "
        "name it in the configuration under [tables].",
    )


def input_digest(reports: Mapping[str, str]) -> str:
    """Return sha256 over the sorted paths of a delivery and the digests of their bytes."""
    total = hashlib.sha256()
    for file, digest in sorted(reports.items()):
        total.update(f"{file}\0{digest}\n".encode())
    return total.hexdigest()
