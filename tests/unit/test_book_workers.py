"""County workbooks that processes write: the same bytes, and no night without all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from audit.errors import EngineError
from pipelines import book_workers
from pipelines.book_workers import BookWorkers, how_many
from pipelines.book_workers import book_workers as open_workers
from pipelines.review import Queue
from reports import workbook_process
from reports.review import PAIR_FIELDS, ReviewInfo
from reports.workbook import BookSet, CountyData, write_county
from tests.workbooks_made import INFO, a_county, a_finding, a_source


def a_set(folder: Path) -> BookSet:
    return BookSet(folder=folder, info=INFO, rules=a_source().rules)


def counties() -> list[CountyData]:
    second = a_county([a_finding("k9", observed="甲 & 乙"), a_finding("k8", severity="query")])
    return [a_county(), replace(second, code="430406", name="雁峰区")]


@pytest.fixture
def worker() -> Iterator[BookWorkers]:
    with open_workers(1) as workers:
        assert workers
        yield workers


@pytest.mark.parametrize(
    ("threads", "n_findings", "expected"),
    [(1, 9_999, 0), (2, 1_999, 0), (2, 2_000, 1), (3, 2_000, 2), (64, 2_000, 3)],
)
def test_the_processes_leave_one_thread_to_the_night_and_small_nights_have_none(
    threads: int, n_findings: int, expected: int
) -> None:
    assert how_many(threads, n_findings) == expected


def test_a_process_that_cannot_be_told_fails_the_night(
    worker: BookWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_workers, "send_set", lambda *_: (_ for _ in ()).throw(MemoryError))
    worker.open(a_set(tmp_path))
    worker.write(a_county())

    with pytest.raises(MemoryError):
        worker.rows()


def test_no_process_stays_where_the_next_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def once(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        if started:
            raise OSError("no more processes")
        started.append(popen(*args, **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", once)
    with pytest.raises(OSError, match="no more"):
        BookWorkers(2)

    assert started[0].returncode is not None


def test_no_process_is_started_for_none() -> None:
    with open_workers(0) as workers:
        assert workers is None


def test_processes_write_the_bytes_that_this_one_would(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    expected = [row for county in counties() for row in write_county(county, a_set(here))]
    with open_workers(2) as workers:
        assert workers
        workers.open(a_set(there))
        for county in counties():
            workers.write(county)
        rows = workers.rows()

    assert rows == expected
    books = {path.name: path.read_bytes() for path in here.iterdir()}
    assert {path.name: path.read_bytes() for path in there.iterdir()} == books


def _pairs() -> pa.Table:
    values: dict[str, list[object]] = {name: ["甲"] for name in PAIR_FIELDS}
    return pa.table(values | {"probability": [0.7], "right_name": ["乙 & 丙"]})


def test_a_process_writes_the_review_workbooks_that_this_one_would(
    tmp_path: Path, worker: BookWorkers
) -> None:
    info = ReviewInfo(book=INFO, place="衡阳市")
    pairs = _pairs()
    expected = Queue(pairs=pairs, folder=tmp_path / "here", info=info).write()
    worker.open(a_set(tmp_path / "books"))
    worker.review(Queue(pairs=pairs, folder=tmp_path / "there", info=info))

    assert worker.n_reviews() == len(expected) == 1
    there = tmp_path / "there" / expected[0].name
    assert there.read_bytes() == expected[0].read_bytes()


def _ended(process: Any) -> bool:
    return process.poll() is not None


def test_a_killed_process_fails_the_night(tmp_path: Path, worker: BookWorkers) -> None:
    worker.open(a_set(tmp_path))
    os.kill(worker._processes[0].pid, signal.SIGKILL)
    worker.write(counties()[0])

    with pytest.raises(EngineError, match="failed \\(ended\\); nothing was published"):
        worker.rows()


def test_an_error_of_a_process_is_told_by_its_kind_alone(
    tmp_path: Path, worker: BookWorkers
) -> None:
    worker.open(a_set(tmp_path))
    worker.write(replace(counties()[0], townships=a_source().rules))

    with pytest.raises(EngineError, match=r"failed \([A-Z]\w+\)") as caught:
        worker.rows()
    assert "FRM002" not in str(caught.value)


def test_what_the_disk_refuses_a_process_comes_as_the_same_error(
    tmp_path: Path, worker: BookWorkers
) -> None:
    (tmp_path / "file").write_text("")
    worker.open(a_set(tmp_path / "file"))
    worker.write(counties()[0])

    with pytest.raises(FileExistsError):
        worker.rows()


def test_no_process_outlives_a_night_that_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_workers(2) as workers:
        assert workers
        processes = workers._processes
        workers.open(a_set(tmp_path))
        workers.write(counties()[0])
        raise KeyboardInterrupt

    assert all(map(_ended, processes))


def test_a_process_ends_when_the_night_is_killed(tmp_path: Path) -> None:
    process = BookWorkers._start()
    assert process.stdin
    process.stdin.close()

    assert process.wait(timeout=30) == 0
    assert process.stdout
    process.stdout.close()


def test_a_process_lets_the_night_answer_the_keyboard(tmp_path: Path, worker: BookWorkers) -> None:
    worker.open(a_set(tmp_path))
    worker.write(counties()[0])
    worker.rows()
    os.kill(worker._processes[0].pid, signal.SIGINT)
    time.sleep(0.05)
    worker.write(counties()[1])

    assert len(worker.rows()) == 2


def test_a_message_that_breaks_off_is_none() -> None:
    whole = BytesIO()
    workbook_process.send_county(whole, counties()[0])

    for length in (0, 10, len(whole.getvalue()) - 1):
        assert workbook_process.receive_answer(BytesIO(whole.getvalue()[:length])) is None
