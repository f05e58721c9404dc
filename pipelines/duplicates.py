"""The same key twice in a table: all its rows are refused, each naming the next one's place."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from audit.contracts import Table
from audit.engines.duckdb import DuckDBEngine
from pipelines.loading import OTHERS
from pipelines.readers.model import Source
from pipelines.refusals import duplicate_rows, empty

FOUND = "ingest_duplicate"


def _places(table: Table) -> str:
    """Return the rows whose key is there more than once, with the place of the next one."""
    keys = ", ".join(f'"{name}"' for name in table.key)
    return f"""
        WITH twice AS (
            SELECT {keys}, count(*) AS n_alike FROM census.{table.name}
            GROUP BY {keys} HAVING count(*) > 1
        )
        SELECT file_no, row_no, n_alike,
            coalesce(lead(file_no) OVER alike, first_value(file_no) OVER alike) AS other_no,
            coalesce(lead(row_no) OVER alike, first_value(row_no) OVER alike) AS other_row
        FROM census.{table.name} JOIN twice USING ({keys})
        WINDOW alike AS (PARTITION BY {keys} ORDER BY file_no, row_no)
    """


def n_repeated(engine: DuckDBEngine, table: Table) -> int:
    """Return how many rows have a key that is there more than once."""
    return int(str(engine.scalar(f"SELECT COUNT(*) FROM ({_places(table)})")))


def _whole(refused: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the cells of columns that the contract does not have: refused rows go whole."""
    others = rows.get_column(OTHERS)
    known = pl.col("delivered").str.head(-1) + "," + others.str.slice(1)
    return refused.with_columns(pl.when(others.is_null()).then("delivered").otherwise(known))


def refuse_duplicates(
    engine: DuckDBEngine,
    table: Table,
    sources: Mapping[int, Source],
    labels: Mapping[int, dict[str, str]],
) -> pl.DataFrame:
    """Take the rows with a repeated key out of `census` and `raw`; return their refusals.

    `sources` and `labels` (header cell by column) are by file_no.
    """
    places = engine.fetch(_places(table))
    if not places.num_rows:
        return empty()
    engine.register(FOUND, places)
    try:
        rows = pl.DataFrame(
            pl.from_arrow(
                engine.fetch(
                    f"SELECT raw.*, n_alike, other_no, other_row, other.file_line AS other_line "
                    f"FROM raw.{table.name} AS raw JOIN {FOUND} AS found USING (file_no, row_no) "
                    f"JOIN raw.{table.name} AS other "
                    f"ON other.file_no = other_no AND other.row_no = other_row "
                    f"ORDER BY file_no, row_no"
                )
            )
        )
        for schema in ("census", "raw"):
            engine.execute(
                f"DELETE FROM {schema}.{table.name} WHERE (file_no, row_no) IN "
                f"(SELECT (file_no, row_no) FROM {FOUND})"
            )
    finally:
        engine.unregister(FOUND)
    files = {number: source.file for number, source in sources.items()}
    rows = rows.with_columns(
        pl.col("other_no").replace_strict(files, return_dtype=pl.String).alias("other_file")
    )
    parts = [
        _whole(duplicate_rows(sources[number], labels[number], part), part)
        for number in rows.get_column("file_no").unique(maintain_order=True).to_list()
        for part in [rows.filter(pl.col("file_no") == number)]
    ]
    return pl.concat([empty(), *parts])
