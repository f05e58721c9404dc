"""`census-audit explain`: from a finding to its rule, its SQL, the rows, the file and line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlglot

from audit.contracts import CONTRACT, Table
from audit.engines.duckdb import PackageReader
from audit.quoting import quoted
from audit.views import UNIT_SOURCES
from pipelines.finding_gone import LEAST, not_found
from pipelines.sql import current_package

_IDS = (
    "unit_id", "frame_id", "record_id", "event_id", "visit_id", "enumerator_id", "block_id",
    "legal_unit_id", "editor_id", "account", "submission_id",
)  # fmt: skip
_REGIONS = ("region_code", "county_code", "township_code")
_CODES = ("credit_code", "parent_credit_code")
MOST_ROWS = 20
"""Rows of one table that are shown of a finding about a unit."""

MOST_OF_A_LEAD = 10
"""Rows of all tables together that are shown where a finding is about very many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value of a row: as loaded and as delivered, `visible` with nothing hidden in it."""

    label: str
    column: str
    value: str
    delivered: str

    @property
    def visible(self) -> str:
        """The delivered text with what the eye cannot tell apart written as escapes."""
        return visible(self.delivered)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One row behind a finding, with the place it came from.

    A figure that the night made (`role` estimate) came from no file: `file` is empty, the line 0.
    """

    role: str
    table: Table
    file: str
    row: int
    line: int
    encoding: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Rows of a table that are not shown: how many there are in all, and the SQL of them."""

    table: Table
    n_rows: int
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that is known about one finding. `rest`: where more rows are than `rows` shows."""

    finding: dict[str, Any]
    rule: dict[str, Any]
    rows: tuple[SourceRow, ...]
    rest: tuple[Rest, ...]
    again: list[dict[str, Any]]
    suggestions: list[dict[str, Any]]


def visible(text: str) -> str:
    """Return text with blanks at its ends, full-width forms and invisible characters as escapes.

    Escaped as `\\uXXXX`: controls, blanks other than a single plain one inside, characters that
    NFKC folds (full width, circled digits), those of private use or of no width.
    """
    inner = len(text) - len(text.strip(" "))
    start = len(text) - len(text.lstrip(" "))
    end = len(text) - (inner - start) if text.strip(" ") else 0
    return "".join(
        _escaped(char) if _hidden(char) or (char == " " and not start <= place < end) else char
        for place, char in enumerate(text)
    )


def _hidden(char: str) -> bool:
    category = unicodedata.category(char)
    is_other = category.startswith(("C", "Z")) and char != " "
    return is_other or unicodedata.normalize("NFKC", char) != char


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04X}" if ord(char) < 0x10000 else f"\\U{ord(char):08X}"


def _find(reader: PackageReader, key: str) -> tuple[dict[str, Any] | None, int]:
    """Return the finding that a key names, and how many it names, up to two."""
    rows = reader.fetch(
        f"SELECT * FROM audit.finding WHERE starts_with(finding_key, {quoted(key)}) "
        "ORDER BY finding_key LIMIT 2"
    ).to_pylist()
    named = len(key) >= LEAST and len(rows) == 1
    return (dict(rows[0]) if named else None), len(rows)


def _tables(rule: dict[str, Any]) -> Iterator[Table]:
    for name in str(rule["tables"]).split("|"):
        for table in UNIT_SOURCES if name == "unit" else [name]:
            if table in CONTRACT.tables:
                yield CONTRACT.tables[table]


def _condition(table: Table, key: object, code: object) -> str:
    """Return which rows of a table belong to a subject: by its id, or by its credit code."""
    parts = [f"CAST(t.{c} AS VARCHAR) = {quoted(key)}" for c in _IDS if c in table.by_name]
    if code is not None:
        parts += [f"t.{c} = {quoted(code)}" for c in _CODES if c in table.by_name]
    return " OR ".join(parts)


def _credit_code(reader: PackageReader, key: object) -> object:
    found = reader.fetch(
        f"SELECT credit_code FROM census.unit WHERE unit_id = {quoted(key)} "
        f"UNION ALL SELECT credit_code FROM census.frame_unit WHERE frame_id = {quoted(key)} "
        f"UNION ALL SELECT credit_code FROM census.register_unit WHERE record_id = {quoted(key)}"
    ).to_pylist()
    return found[0]["credit_code"] if found else None


@dataclass(frozen=True, slots=True)
class _Behind:
    """The rows of one table that speak of the subject or of the unit it is compared with."""

    table: Table
    where: str
    n_rows: int

    @property
    def sql(self) -> str:
        """Return the query of all of them."""
        return f"SELECT * FROM census.{self.table.name} AS t WHERE {self.where}"


def _behind(reader: PackageReader, table: Table, keys: Sequence[object]) -> _Behind | None:
    conditions = [_condition(table, key, _credit_code(reader, key)) for key in keys]
    if table.name == "region" or not any(conditions):
        return None
    where = " OR ".join(condition for condition in conditions if condition)
    counted = f"SELECT COUNT(*) AS n FROM census.{table.name} AS t WHERE {where}"
    n_rows = int(reader.fetch(counted).to_pylist()[0]["n"])
    return _Behind(table, where, n_rows) if n_rows else None


def _shown_rows(
    reader: PackageReader, behind: _Behind, finding: dict[str, Any], most: int
) -> Iterator[SourceRow]:
    """Yield the first rows of a table: those that hold the finding's item, in order of delivery."""
    table, keys = behind.table, _keys(finding)
    item = finding["variable"] or ""
    filled = f"t.{item} IS NULL, " if item in table.by_name else ""
    found = reader.fetch(
        f"SELECT t.*, f.file, f.format, f.encoding, r.file_line FROM census.{table.name} AS t "
        f"LEFT JOIN census.delivered_file AS f ON f.file_no = t.file_no "
        f"LEFT JOIN raw.{table.name} AS r ON r.file_no = t.file_no AND r.row_no = t.row_no "
        f"WHERE {behind.where} ORDER BY {filled}t.file_no, t.row_no LIMIT {most}"
    ).to_pylist()
    for row in found:
        raw = reader.fetch(
            f"SELECT * FROM raw.{table.name} "
            f"WHERE file_no = {row['file_no']} AND row_no = {row['row_no']}"
        ).to_pylist()
        own = any(str(row.get(c)) == str(keys[0]) for c in _IDS)
        yield SourceRow(
            role="subject" if own else "related",
            table=table,
            file=row["file"] or "",
            row=row["row_no"],
            line=row["file_line"],
            encoding=row["encoding"] or row["format"] or "",
            cells=tuple(_cells(table, row, raw[0] if raw else {})),
        )


def _estimates(rule: dict[str, Any]) -> Iterator[Table]:
    for name in str(rule["tables"]).split("|"):
        if f"estimate.{name}" in CONTRACT.outputs:
            yield CONTRACT.outputs[f"estimate.{name}"]


def _figures(reader: PackageReader, table: Table, subject: object) -> Iterator[SourceRow]:
    """Yield the rows of an estimate that are about the subject, by the columns of its key."""
    names = [name for name in table.key if name in (*_IDS, *_REGIONS, "subject_id")]
    parts = [f"CAST({name} AS VARCHAR) = {quoted(subject)}" for name in names]
    if "specialty" in table.key:
        parts += [f"{name} || '|' || specialty = {quoted(subject)}" for name in names]
    if not parts:
        return
    found = reader.fetch(
        f"SELECT * FROM {table.name} WHERE {' OR '.join(parts)} "
        f"ORDER BY {', '.join(table.key)} LIMIT {MOST_ROWS}"
    ).to_pylist()
    for row in found:
        told = {name: _shown(value) for name, value in row.items()}
        yield SourceRow(
            role="estimate", table=table, file="", row=0, line=0, encoding="",
            cells=tuple(_cells(table, row, told)),
        )  # fmt: skip


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _cells(table: Table, row: dict[str, Any], raw: dict[str, Any]) -> Iterator[Cell]:
    for column in table.all_columns:
        value, delivered = row[column.name], raw.get(column.name)
        if value is not None or delivered:
            yield Cell(
                label=column.label.zh,
                column=column.name,
                value=_shown(value),
                delivered=delivered or "",
            )


def _again(reader: PackageReader, rule: dict[str, Any], subject: object) -> list[dict[str, Any]]:
    """Run the stored SQL once more for this subject: the verdict re-derived from the package."""
    again = f"SELECT * FROM ({rule['sql']}\n) AS r WHERE subject_id = {quoted(subject)} LIMIT 20"
    return [dict(row) for row in reader.fetch(again).to_pylist()]


def _keys(finding: dict[str, Any]) -> list[object]:
    return [finding[c] for c in ("subject_id", "related_id") if finding[c] is not None]


def _most(rule: dict[str, Any], n_tables: int, limit: int | None) -> int:
    """Return how many rows of each table are shown: the most telling ones of a lead, which is about
    very many, and all that fit of an error. `limit` is for all tables together.
    """
    if limit is None and rule.get("statement", "error") == "error":
        return MOST_ROWS
    return max(1, (limit or MOST_OF_A_LEAD) // max(1, n_tables))


def explain(out: Path, key: str, limit: int | None = None) -> Explanation:
    """Explain one finding of the current package; `key` may be cut to its first characters.

    `limit`: rows shown of all tables together, at least one of each; without it, up to MOST_ROWS of
    each table, and of a lead MOST_OF_A_LEAD in all. UsageError for a key that names no finding,
    with what became of it.
    """
    key = key.strip().lower()
    with PackageReader(current_package(out)) as reader:
        finding, n_found = _find(reader, key)
        if finding is not None:
            return _explained(reader, finding, limit)
    raise not_found(out, key, n_found)


def _explained(reader: PackageReader, finding: dict[str, Any], limit: int | None) -> Explanation:
    rule_id = quoted(finding["rule_id"])
    rule = reader.fetch(f"SELECT * FROM audit.rule WHERE rule_id = {rule_id}").to_pylist()[0]
    there = [
        behind for table in _tables(rule) if (behind := _behind(reader, table, _keys(finding)))
    ]
    most = _most(rule, len(there), limit)
    rows = [row for behind in there for row in _shown_rows(reader, behind, finding, most)]
    figures = [
        row for table in _estimates(rule) for row in _figures(reader, table, finding["subject_id"])
    ]
    again = _again(reader, rule, finding["subject_id"])
    suggestions = reader.fetch(
        "SELECT * FROM audit.suggestion "
        f"WHERE finding_key = {quoted(finding['finding_key'])} ORDER BY form, variable"
    ).to_pylist()
    return Explanation(
        finding=finding,
        rule=dict(rule),
        rows=(*figures, *rows),
        rest=tuple(
            Rest(table=one.table, n_rows=one.n_rows, sql=one.sql)
            for one in there
            if one.n_rows > most
        ),
        again=again,
        suggestions=suggestions,
    )


def pretty_sql(sql: str) -> str:
    """Return rule SQL laid out for reading."""
    return sqlglot.parse_one(sql, read="duckdb").sql(dialect="duckdb", pretty=True, comments=False)
