"""Who sent a refused row: a county, a department, or nobody that can be told.

The rule, first that tells: 1. a departmental register's row belongs to its department (`source`);
2. a file or folder that names one county of the region list, by code or name, is that county's;
3. the row's own region; 4. the region of the unit that the row is about; 5. the one county (or
department) of all rows loaded from the file; else the sender is unidentified.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from audit.contracts import CONTRACT
from audit.model import Label
from pipelines.contents import digest
from pipelines.context import RunContext
from pipelines.places import UNIT_PLACE, UNKNOWN, Counties
from reports.reject_texts import UNIDENTIFIED

REGISTER, SOURCE = "register_unit", "source"
SOURCES = CONTRACT.code_lists["register_source"]
DEPARTMENT = "部门"
"""Key of a sender: six digits of a county, `部门<source>` of a department, or UNKNOWN."""


def department(source: str) -> str:
    """Return the key of a department."""
    return f"{DEPARTMENT}{source}"


def sender_label(key: str, counties: Counties) -> Label:
    """Return the name of a sender."""
    if key.startswith(DEPARTMENT):
        label = SOURCES.get(key.removeprefix(DEPARTMENT))
        return Label(label.zh, label.en) if label else Label(key, key)
    return Label(counties.names[key], counties.names[key]) if key else UNIDENTIFIED


@dataclass(slots=True)
class Senders:
    """The senders of a night's files, and those that all loaded rows speak of."""

    counties: Counties
    by_path: dict[str, str] = field(default_factory=dict)
    by_rows: dict[str, str] = field(default_factory=dict)
    all: set[str] = field(default_factory=set)

    def of_file(self, file: str) -> str:
        """Return the sender of a file as a whole."""
        return self.by_path.get(file) or self.by_rows.get(file, UNKNOWN)


def _one_region(table: str) -> str:
    """Return a SELECT of file_no and the least and the greatest county of a table's loaded rows."""
    columns = CONTRACT.tables[table].by_name
    if table == REGISTER:
        place = f"'{DEPARTMENT}' || t.{SOURCE}"
    elif "region_code" in columns:
        place = "LEFT(t.region_code, 6)"
    elif "unit_id" in columns:
        return (
            f"SELECT t.file_no, MIN(u.county) AS low, MAX(u.county) AS high FROM census.{table} t "
            f"JOIN {UNIT_PLACE} u ON u.unit_id = t.unit_id GROUP BY t.file_no"
        )
    else:
        return ""
    return (
        f"SELECT t.file_no, MIN({place}) AS low, MAX({place}) AS high "
        f"FROM census.{table} t GROUP BY t.file_no"
    )


def _counties_of_files(ctx: RunContext, table: str, sql: str) -> list[tuple[int, str]]:
    """Return the files of a table whose rows are all of one county or department, and which."""

    def count() -> list[tuple[int, str]]:
        rows = ctx.engine.rows(sql)
        return [(int(str(n)), str(low)) for n, low, high in rows if low is not None and low == high]

    contents = ctx.contents_tonight
    if contents is None:
        return count()
    key = digest(sql, contents.of(table), contents.of(UNIT_PLACE))
    return contents.counts(f"senders {table}", key, count)


def _rows_of_files(ctx: RunContext, tables: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for table in sorted(tables):
        # The list of regions is nobody's county, even where only one is left in it.
        if table != "region" and (sql := _one_region(table)):
            found |= _counties_of_files(ctx, table, sql)
    return found


def read_senders(ctx: RunContext) -> Senders:
    """Return the senders of all delivered files; reads `unit_place`."""
    engine = ctx.engine
    senders = Senders(Counties.read(engine))
    files = pl.DataFrame(
        engine.rows("SELECT file_no, file, table_name FROM census.delivered_file"),
        schema={"file_no": pl.Int64, "file": pl.String, "table_name": pl.String},
        orient="row",
    )
    rows = _rows_of_files(ctx, files["table_name"].drop_nulls().unique().to_list())
    for number, file, table in files.iter_rows():
        if table != REGISTER:
            senders.by_path[file] = senders.counties.in_path(file)
        key = rows.get(number, UNKNOWN)
        known = key in senders.counties.names or key.startswith(DEPARTMENT)
        senders.by_rows[file] = key if known else UNKNOWN
    counties = engine.rows(f"SELECT DISTINCT county FROM {UNIT_PLACE} WHERE county IS NOT NULL")
    departments = engine.rows(f"SELECT DISTINCT {SOURCE} FROM census.{REGISTER}")
    senders.all = {str(code) for (code,) in counties if code in senders.counties.names}
    senders.all |= {department(str(code)) for (code,) in departments if code in SOURCES}
    return senders
