"""Two deliveries that this project did not make: what their truth folders say must come out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.engines.duckdb import DuckDBEngine
from audit.model import RunInfo
from pipelines import ingest
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.ingest import IngestSummary

SHARED = Path(__file__).resolve().parents[3] / "shared"
INFO = RunInfo(
    run_id="r1", started_at="", engine="", code_version="", rulebook_digest="", input_digest=""
)
CONFIDENTIAL = {
    "small": ("法人单位基本情况/衡南县.xlsx", 36, "914304006242094275"),
    "messy": ("法人单位基本情况/衡阳县.csv", 5, "91430400123139387B"),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery after ingest."""

    name: str
    engine: DuckDBEngine
    summary: IngestSummary
    database: Path

    def truth(self, file: str) -> list[dict[str, str]]:
        path = SHARED / "deliveries" / f"{self.name}_truth" / file
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture(scope="module", params=["small", "messy"])
def taken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taken]:
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: only the reference material's checks need it")
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    deliveries = SHARED / "deliveries"
    with DuckDBEngine(folder / "night.duckdb") as engine:
        ctx = RunContext(
            input_dir=deliveries / name,
            run_dir=folder,
            state_dir=folder,
            engine=engine,
            config=RunConfig(salt_file=deliveries / f"{name}_truth" / "salt.txt"),
            info=INFO,
        )
        yield Taken(name, engine, ingest.run(ctx), folder / "night.duckdb")


def test_rows_of_each_file_are_those_of_the_truth(taken: Taken) -> None:
    expected = {
        (row["file"], row["table"], int(row["rows"])) for row in taken.truth("delivered.csv")
    }
    result = set(
        taken.engine.rows(
            "SELECT file, table_name, rows_delivered FROM census.delivered_file "
            "WHERE file NOT IN (SELECT file FROM census.rejected_row WHERE row = 0)"
        )
    )

    assert expected == result


def test_each_file_adds_up(taken: Taken) -> None:
    assert [] == taken.engine.rows(
        "SELECT file FROM census.delivered_file WHERE rows_delivered <> rows_loaded + rows_refused"
    )


def test_just_the_rows_of_the_truth_are_refused(taken: Taken) -> None:
    rows = [
        row
        for row in taken.truth("rejects_truth.csv")
        if row["reason"] not in ("confidential", "unknown_column")
    ]
    fields = ("file", "row", "line", "table", "reason", "column", "value")
    # The truth cannot write bytes that are no text.
    expected = {tuple(row[name] for name in fields) for row in rows}
    result = taken.engine.rows(
        "SELECT file, row, line, table_name, reason, column_name, "
        "CASE reason WHEN 'bad_bytes' THEN '' ELSE value END FROM census.rejected_row "
        "WHERE reason <> 'confidential'"
    )

    assert expected == {tuple("" if v is None else str(v) for v in row) for row in result}
    assert len(expected) == len(result)


def test_unknown_columns_are_reported(taken: Taken) -> None:
    expected = {
        row["file"]: (row["column"],)
        for row in taken.truth("rejects_truth.csv")
        if row["reason"] == "unknown_column"
    }

    assert expected == taken.summary.unknown_columns


def test_the_confidential_unit_is_a_count_and_nothing_else(taken: Taken) -> None:
    file, row, code = CONFIDENTIAL[taken.name]
    refused = taken.engine.rows("SELECT * FROM census.rejected_row WHERE reason = 'confidential'")

    assert [(file, row, *[None] * 4, "confidential", *[None] * 4)] == refused
    assert 1 == taken.summary.rows_confidential
    taken.engine.checkpoint()
    assert code.encode() not in taken.database.read_bytes()


def test_every_refusal_says_why_in_both_languages(taken: Taken) -> None:
    assert [] == taken.engine.rows(
        "SELECT file, row FROM census.rejected_row WHERE reason <> 'confidential' "
        "AND (message_zh IS NULL OR message_en IS NULL OR (row > 0 AND delivered IS NULL))"
    )


def test_delivered_text_is_kept_for_each_loaded_row(taken: Taken) -> None:
    for table in taken.summary.rows_by_table:
        missing = taken.engine.rows(
            f"SELECT file_no, row_no FROM census.{table} "
            f"EXCEPT SELECT file_no, row_no FROM raw.{table}"
        )
        assert [] == missing, table
