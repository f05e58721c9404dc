"""Random damage to a sound file: never a crash, never a lost row, never a neighbour spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_night import households

from audit.engines.duckdb import DuckDBEngine
from audit.errors import EngineError
from pipelines import ingest, loading
from pipelines.confidential import Confidential
from pipelines.loading import FileReport, Loader
from pipelines.readers.model import Batch, Reading, Source
from pipelines.readers.opening import open_source

BASE = households(*(f"S{n},430405010002,第{n}号小吃店,,{n},{n}50" for n in range(12)))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Loader, Path]]:
    with DuckDBEngine() as opened:
        folder = tmp_path_factory.mktemp("damage")
        yield Loader(opened, ingest.derive_lists(), Confidential()), folder


def take_in(loader: Loader, folder: Path, content: bytes) -> tuple[FileReport, int, int]:
    path = folder / "self_employed.csv"
    path.write_bytes(content)
    ingest.create_tables(loader.engine)
    source = Source(file_no=1, file=path.name, path=path, table="self_employed")
    report = loader.load(source)
    loaded = loader.engine.scalar("SELECT count(*) FROM census.self_employed")
    gone = loader.engine.scalar("SELECT count(*) FROM census.rejected_row WHERE row > 0")
    return report, int(str(loaded)), int(str(gone))


quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
    st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=4)), max_size=6
    ),
)
def test_random_damage_never_crashes_and_never_loses_a_row(
    workplace: tuple[Loader, Path], codec: str, damages: list[tuple[int, int, bytes]]
) -> None:
    content = bytearray(BASE.encode(codec))
    for where, length, instead in damages:
        start = where % len(content)
        content[start : start + length] = instead

    report, loaded, gone = take_in(*workplace, bytes(content))

    assert report.whole or report.rows_delivered == loaded + gone


@quick
@given(
    st.sampled_from(["utf-8", "gb18030"]),
    st.dictionaries(
        st.integers(0, 11), st.binary(min_size=1, max_size=6).filter(lambda b: b'"' not in b)
    ),
)
def test_rows_beside_a_damaged_one_are_loaded_as_they_are(
    workplace: tuple[Loader, Path], codec: str, damages: dict[int, bytes]
) -> None:
    header, *rows = BASE.encode(codec).splitlines()
    for index, instead in damages.items():
        clean = instead.replace(b"\n", b"").replace(b"\r", b"")
        rows[index] = rows[index][:18] + clean + rows[index][20:]

    report, loaded, gone = take_in(*workplace, b"\n".join((header, *rows)))

    assert (12, 12) == (report.rows_delivered, loaded + gone)
    there = workplace[0].engine.rows("SELECT unit_id, name FROM raw.self_employed")
    whole = {(f"S{n}", f"第{n}号小吃店") for n in range(12) if n not in damages}
    assert whole <= set(there)


class PanicException(BaseException):  # the name by which Rust readers panic
    """Every Rust package has a class of its own under this name."""


@pytest.mark.parametrize("error", [ValueError("S7 第7号"), RecursionError(), PanicException("S7")])
def test_what_no_reader_foresaw_refuses_one_file_and_tells_no_value(
    workplace: tuple[Loader, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    def odd(source: Source) -> Reading:
        reading = open_source(source)

        def batches() -> Iterator[Batch]:
            yield from reading.batches
            raise error

        return replace(reading, batches=batches())

    monkeypatch.setattr(loading, "open_source", odd)

    report, loaded, _ = take_in(*workplace, BASE.encode())

    assert report.whole
    assert 0 == loaded
    assert [("self_employed.csv", 0, "unreadable_file")] == workplace[0].engine.rows(
        "SELECT file, row, reason FROM census.rejected_row"
    )
    assert type(error).__name__ in caplog.text
    assert "test_ingest_damage.py line" in caplog.text
    assert "S7" not in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), EngineError("坏", "bad")])
def test_trouble_that_is_not_the_files_is_not_laid_at_its_door(
    workplace: tuple[Loader, Path], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stopped(_: Source) -> Reading:
        raise error

    monkeypatch.setattr(loading, "open_source", stopped)

    with pytest.raises(type(error)):
        take_in(*workplace, BASE.encode())
