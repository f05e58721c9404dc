"""The same county delivered twice: which file replaces which, and only where it is beyond doubt.

A file replaces another of its table where their bytes are the same, or where their paths differ by
nothing but marks of a revision (`_v2`, `(2)`, `_第2次`, `_更正`, `_20190420`, a dated folder) and
enough of the older file's keys are in the newer one (`[intake] supersede_share`). Keys tell a
revision from a part, a supplement or a list of corrections, whatever their names. See
docs/decisions/0008.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.contracts import CONTRACT, Table
from audit.engines.duckdb import DuckDBEngine
from audit.quoting import quoted
from pipelines.confidential import TABLE as DIGESTS
from pipelines.loading import REJECTED, FileReport
from pipelines.places import Counties
from pipelines.readers.model import RefusedFileError
from pipelines.refusals import refused_file
from pipelines.writing import append

HALF_A_YEAR = 6

_ENDINGS = re.compile(r"\.(?:gz|csv|tsv|txt|xlsx|xlsm|xls|et|parquet)$")
_DATE = r"(20[1-4]\d)[-_.]?(\d\d)[-_.]?(\d\d)"
_MARKS = (
    ("version", re.compile(r"(?:^|[-_ .]|(?<=[^\x00-\x7f]))v(?:er)?\.?(\d{1,3}(?:\.\d{1,3})?)$")),
    ("copy", re.compile(r" ?\((\d{1,3})\)$")),
    ("time", re.compile(rf"[-_ .]*{_DATE}(?:[-_ .t]?(\d\d)[-.:]?(\d\d)(?:[-.:]?(\d\d))?)?$")),
    ("time", re.compile(r"[-_ .]*(20[1-4]\d)年(\d{1,2})月(\d{1,2})[日号]$")),
    ("day", re.compile(r"[-_ .]*(?<!\d)(?<!年)(\d{1,2})月(\d{1,2})[日号]$")),
    (
        "round",
        re.compile(r"[-_ .]*\(?第([0-9]{1,3}|[一二三四五六七八九十])次(?:上报|报送|报)?\)?$"),
    ),
    (
        "correction",
        re.compile(r"[-_ .]*\(?(?:更正|修正|订正|修订|重报|重新报送)(?:版|稿|件)?([0-9]{0,3})\)?$"),
    ),
)  # fmt: skip
_CHINESE_DIGITS = dict(zip("一二三四五六七八九十", range(1, 11), strict=True))
_COUNTED = ("version", "round")
Marks = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Newer:
    """The file that counts instead of another, and how many keys of the other it lacks."""

    report: FileReport
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Revision:
    """What a path says: `base` without marks, equal for all deliveries of one thing; its marks."""

    base: tuple[str, ...]
    marks: Marks

    def is_after(self, other: Revision) -> bool:
        """Tell whether this is beyond doubt the later one; no mark is before any mark.

        Where one mark says so and another the contrary, or two have marks of different kinds,
        neither is.
        """
        kinds = self.marks.keys() | other.marks.keys()
        pairs = [(self.marks.get(kind, ()), other.marks.get(kind, ())) for kind in kinds]
        days = [pair for kind, pair in zip(kinds, pairs, strict=True) if kind.endswith("day")]
        if any(all(pair) and abs(pair[0][0] - pair[1][0]) > HALF_A_YEAR for pair in days):
            # Days without a year, December and January: either may be the older.
            return False
        return all(mine >= theirs for mine, theirs in pairs) and any(
            # A first version beside one that has no number: either may be the older.
            mine > theirs and (theirs or mine != (1,) or not kind.endswith(_COUNTED))
            for kind, (mine, theirs) in zip(kinds, pairs, strict=True)
        )


def _value(kind: str, groups: Sequence[str | None]) -> tuple[int, ...] | None:
    """Return what a mark counts as; None where its digits are no date."""
    if kind == "round" and groups[0] in _CHINESE_DIGITS:
        return (_CHINESE_DIGITS[str(groups[0])],)
    if kind == "version":
        return tuple(int(part) for part in str(groups[0]).split("."))
    numbers = tuple(int(group or 0) for group in groups)
    if kind == "correction":
        return (max(numbers[0], 1),)
    if kind in ("time", "day"):
        # A day without a year may be the 29th of February.
        full = (2020, *numbers) if kind == "day" else numbers
        try:
            year, month, day, hour, minute, second = (*full, 0, 0, 0)[:6]
            dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
        except ValueError:
            return None
        return numbers if kind == "day" else (year, month, day, hour, minute, second)
    return numbers


def _strip(name: str) -> tuple[str, Marks]:
    """Take the marks off the end of a name, one after the other."""
    marks: Marks = {}
    found = True
    while found:
        found = False
        for kind, pattern in _MARKS:
            match = pattern.search(name)
            value = _value(kind, match.groups()) if match and kind not in marks else None
            if match and value is not None:
                marks[kind], name, found = value, name[: match.start()], True
    return name, marks


def revision_of(file: str) -> Revision:
    """Return what a file's path says of its revision. A trailing `_2` is a part and is no mark."""
    *folders, name = unicodedata.normalize("NFKC", file).casefold().split("/")
    while match := _ENDINGS.search(name):
        name = name[: match.start()]
    marks: Marks = {}
    base = []
    for place, part in enumerate((*folders, name)):
        rest, found = _strip(part)
        where = "" if place == len(folders) else "folder "
        for kind, value in found.items():
            marks[where + kind] = max(value, marks.get(where + kind, ()))
        base.append(rest.strip("-_ ."))
    # A folder that is nothing but its date stands for the folder around it.
    return Revision((*filter(None, base[:-1]), base[-1]), marks)


def is_supplement(file: str) -> bool:
    """Tell whether a name says that its file adds to another: 补, 补报, 补充, 增补."""
    return "补" in file.rsplit("/", maxsplit=1)[-1]


def _lost(engine: DuckDBEngine, table: Table, older: int, newer: int) -> tuple[int, float]:
    """Return how many of one file's keys another lacks, and the share that it has; 1 of none."""
    keys = ", ".join(f'"{name}"' for name in table.key)
    of_file = f"SELECT DISTINCT {keys} FROM census.{table.name} WHERE file_no = "
    rows = engine.rows(
        f"SELECT count(*), count(n.there) FROM ({of_file}{older}) AS o "
        f"LEFT JOIN (SELECT *, 1 AS there FROM ({of_file}{newer})) AS n USING ({keys})"
    )
    total, shared = (int(str(number)) for number in rows[0])
    return total - shared, shared / total if total else 1.0


def _loaded(engine: DuckDBEngine, table: Table) -> set[object]:
    return {no for (no,) in engine.rows(f"SELECT DISTINCT file_no FROM census.{table.name}")}


def _same_bytes(reports: Iterable[FileReport], counties: Counties) -> dict[int, FileReport]:
    """Return the files whose bytes a later one of the table has.

    Not where their names tell of different counties: then one of them was sent in error.
    """
    alike: dict[str, list[FileReport]] = defaultdict(list)
    for report in reports:
        alike[report.digest].append(report)
    found: dict[int, FileReport] = {}
    for group in alike.values():
        places = {counties.named(report.source.file) for report in group}
        if len(places - {frozenset()}) <= 1:
            found |= {report.source.file_no: group[-1] for report in group[:-1]}
    return found


def _replaced(
    engine: DuckDBEngine, table: Table, reports: Sequence[FileReport], share: float
) -> dict[int, Newer]:
    """Return the newer file by the number of the file that it replaces."""
    ordered = sorted(reports, key=lambda report: _order(report))
    loaded = _loaded(engine, table)
    alike = _same_bytes(
        (report for report in ordered if report.source.file_no in loaded), Counties.read(engine)
    )
    found = {number: Newer(report) for number, report in alike.items()}
    groups: dict[tuple[str, ...], list[tuple[Revision, FileReport]]] = defaultdict(list)
    for report in ordered:
        if report.source.file_no not in found and not is_supplement(report.source.file):
            revision = revision_of(report.source.file)
            groups[revision.base].append((revision, report))
    for group in groups.values():
        for revision, report in group:
            number = report.source.file_no
            later = [
                other for its, other in reversed(group)
                if its.is_after(revision) and other.source.file_no in loaded
            ]  # fmt: skip
            for other in later:
                lost, shared = _lost(engine, table, number, other.source.file_no)
                if shared >= share:
                    found[number] = Newer(other, lost)
                    break
    return found


def _order(report: FileReport) -> tuple[list[tuple[str, tuple[int, ...]]], int]:
    return sorted(revision_of(report.source.file).marks.items()), report.source.file_no


def _message(newer: Newer, *, same: bool) -> RefusedFileError:
    name = newer.report.source.file
    why_zh = "内容完全相同" if same else "文件名只有报送次序不同，主键大半重合"
    why_en = (
        "their bytes are the same"
        if same
        else "their names differ only by a mark of revision, and most keys are the same"
    )
    if newer.lost:
        why_zh += f"；旧文件中有 {newer.lost} 个主键新文件没有"
        why_en += f"; {newer.lost} keys of the older file are not in the newer one"
    return RefusedFileError(
        "superseded",
        f"已被“{name}”替代（{why_zh}），本文件的行未装载。如两份都应保留，请改用不同的文件名并去掉重复的行。",
        f"Replaced by “{name}” ({why_en}), so none of its rows is loaded. Where both should count, "
        "give them different names and leave out the rows that repeat.",
    )


def _take_out(engine: DuckDBEngine, report: FileReport, newer: Newer) -> None:
    """Leave nothing of a replaced file but the line that says by what, and its rows' number."""
    source = report.source
    for schema in ("census", "raw"):
        engine.execute(f"DELETE FROM {schema}.{source.table} WHERE file_no = {source.file_no}")
    engine.execute(f"DELETE FROM {REJECTED} WHERE file = {quoted(source.file)}")
    same = report.digest == newer.report.digest
    append(engine, REJECTED, refused_file(source, _message(newer, same=same)))
    report.superseded_by = newer.report.source.file
    report.rows_superseded, report.keys_lost = report.rows_delivered, newer.lost
    report.rows_delivered = report.private_use = 0
    report.whole = False


def supersede(engine: DuckDBEngine, reports: Sequence[FileReport], share: float) -> int:
    """Take the files that a newer one replaces out of the database; return how many.

    `reports` of all files, loaded, before keys that repeat are refused; `share` of the older file's
    keys that a newer one has at least. Digests of confidential units are never replaced: a digest
    too many harms nobody.
    """
    by_table: dict[str, list[FileReport]] = defaultdict(list)
    for report in reports:
        if report.source.table not in ("", DIGESTS) and report.digest:
            by_table[report.source.table].append(report)
    count = 0
    for name, group in by_table.items():
        if len(group) == 1:
            continue
        replaced = _replaced(engine, CONTRACT.tables[name], group, share)
        for report in group:
            if report.source.file_no in replaced:
                _take_out(engine, report, replaced[report.source.file_no])
        count += len(replaced)
    return count
