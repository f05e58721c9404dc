"""Refused rows that another row of their key counts instead of: corrected in another file.

A refused row is replaced where tonight a row of its table and key is loaded from another file; and
of rows of one key that are refused in several files, the last is asked about and no other. Nothing
is replaced where file names or regions tell of different counties, nor a row of a correction by the
file that it corrects. A row whose key cannot be read is replaced by nothing: it stays refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from audit.contracts import CONTRACT, Table
from audit.engines.duckdb import DuckDBEngine
from pipelines.loading import REJECTED, FileReport
from pipelines.parsing import normalise_text, parse
from pipelines.places import Counties, Variant, variants
from pipelines.superseding import is_supplement, revision_of

REGION = "region_code"
_VARIANT, _KEY, _FILE, _FOUND = (
    "superseded_variant", "superseded_key", "superseded_file", "superseded_row"
)  # fmt: skip
_ASKED = "r.row > 0 AND r.reason NOT IN ('confidential', 'duplicate_key')"


def _cells(engine: DuckDBEngine, table: Table, headers: Sequence[Variant]) -> pl.DataFrame:
    """Return file, row, region and the delivered key cells of a table's refused rows."""
    names = (*table.key, *((REGION,) if REGION in table.by_name else ()))
    rows = [
        {"file": v.file, "keys": list(v.keys)} | {f"at_{name}": v.pointer(name) for name in names}
        for v in headers
        if v.table == table.name
    ]
    schema: dict[str, Any] = {"file": pl.String, "keys": pl.List(pl.String)}
    schema |= {f"at_{name}": pl.String for name in names}
    engine.register(_VARIANT, pl.DataFrame(rows, schema=schema).to_arrow())
    cells = ", ".join(
        f'json_extract_string(r.delivered, v."at_{name}") AS "{name}"' for name in names
    )
    found = engine.fetch(
        f"SELECT r.file, r.row, {cells} FROM {REJECTED} AS r JOIN {_VARIANT} AS v "
        f"ON v.file = r.file AND v.keys = json_keys(r.delivered) "
        f"WHERE r.table_name = '{table.name}' AND {_ASKED} ORDER BY r.file, r.row"
    )
    engine.unregister(_VARIANT)
    return pl.DataFrame(pl.from_arrow(found))


def _keys(table: Table, cells: pl.DataFrame) -> pl.DataFrame:
    """Return file, row, region (six digits) and the typed key of the rows whose key can be read."""
    columns = tuple(column for column in table.columns if column.name in table.key)
    texts = normalise_text(
        cells.select(table.key), exact=frozenset(c.name for c in columns if c.type != "text")
    )
    narrow = replace(table, columns=columns, derived=())
    parsed = parse(narrow, texts)
    region = pl.col(REGION) if REGION in cells.columns else pl.lit(None, dtype=pl.String)
    county = region.str.strip_chars().str.extract(r"^([0-9]{6})").alias("county")
    frame = cells.select("file", "row", county).with_columns(
        parsed.values[name] for name in table.key
    )
    return frame.filter(~parsed.refused).drop_nulls(table.key)


def _files(engine: DuckDBEngine, reports: Sequence[FileReport]) -> None:
    """Register what each file's name tells: its county, and whether it corrects another."""
    counties = Counties.read(engine)
    rows = [
        {
            "file_no": report.source.file_no,
            "file": (file := report.source.file),
            "named": counties.in_path(file) or None,
            "corrects": is_supplement(file) or "correction" in revision_of(file).marks,
        }
        for report in reports
    ]
    schema: dict[str, Any] = {
        "file_no": pl.Int64, "file": pl.String, "named": pl.String, "corrects": pl.Boolean,
    }  # fmt: skip
    engine.register(_FILE, pl.DataFrame(rows, schema=schema).to_arrow())


def _found_sql(table: Table) -> str:
    keys = ", ".join(f'"{name}"' for name in table.key)
    county = f"LEFT(t.{REGION}, 6)" if REGION in table.by_name else "NULL"
    return f"""
WITH loaded AS (
  SELECT k.file, k.row, MIN(n.file) AS instead
  FROM {_KEY} AS k JOIN census.{table.name} AS t USING ({keys})
  JOIN {_FILE} AS o ON o.file = k.file
  JOIN {_FILE} AS n ON n.file_no = t.file_no
  WHERE n.file <> k.file AND (n.corrects OR NOT o.corrects)
    AND COALESCE(n.named = o.named, TRUE) AND COALESCE({county} = k.county, TRUE)
  GROUP BY k.file, k.row
), again AS (
  SELECT k.file, k.row, LAST_VALUE(k.file) OVER (
    PARTITION BY {keys}, o.named, k.county ORDER BY o.corrects, o.file_no, k.row
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS instead
  FROM {_KEY} AS k JOIN {_FILE} AS o ON o.file = k.file
)
SELECT file, row, COALESCE(loaded.instead, again.instead) AS instead
FROM again LEFT JOIN loaded USING (file, row)
WHERE loaded.instead IS NOT NULL OR again.instead <> file
"""


def supersede_rows(engine: DuckDBEngine, reports: Sequence[FileReport]) -> int:
    """Write into `superseded_by` which file counts instead of a refused row; return how many.

    Call it when repeated keys are refused, so that every key is loaded once at most.
    """
    tables = engine.rows(f"SELECT DISTINCT r.table_name FROM {REJECTED} AS r WHERE {_ASKED}")
    names = sorted(str(name) for (name,) in tables if name in CONTRACT.tables)
    if not names or len(reports) == 1:
        return 0
    count = 0
    _files(engine, reports)
    headers = variants(engine)
    for name in names:
        table = CONTRACT.tables[name]
        keys = _keys(table, _cells(engine, table, headers))
        if keys.is_empty():
            continue
        engine.register(_KEY, keys.to_arrow())
        count += engine.materialise(_FOUND, _found_sql(table))
        engine.execute(
            f"UPDATE {REJECTED} SET superseded_by = f.instead FROM {_FOUND} AS f "
            f"WHERE f.file = rejected_row.file AND f.row = rejected_row.row"
        )
        engine.execute(f"DROP TABLE {_FOUND}")
        engine.unregister(_KEY)
    engine.unregister(_FILE)
    return count
