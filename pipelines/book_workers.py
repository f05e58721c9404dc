"""Workbooks written by processes of their own, beside the rest of the export."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from audit.errors import EngineError
from pipelines.context import LOG
from pipelines.review import Queue
from reports.workbook import BookSet, CountyData
from reports.workbook_cells import Cell
from reports.workbook_process import receive_answer, send_county, send_review, send_set

COMMAND = (sys.executable, "-P", "-m", "reports.workbook_process")
WORTH = 2_000
"""Findings from which on a process, that takes most of a second to start, saves time."""
MOST = 3
"""Processes at the most: more would wait for the counties to be read."""

Rows = list[list[Cell]]
_Process = subprocess.Popen[bytes]


def how_many(threads: int, n_findings: int) -> int:
    """Return how many processes write beside the night's own, which needs one thread itself."""
    return min(threads - 1, MOST) if n_findings >= WORTH else 0


def _failed(kind: str) -> EngineError:
    return EngineError(
        f"写工作簿的进程出错（{kind}），未发布。请检查内存后重新运行；仍出错请报告此问题。",
        f"The process that writes the workbooks failed ({kind}); nothing was published. "
        "Check the memory and run again; please report this if it happens again.",
    )


class BookWorkers:
    """Processes that write workbooks of counties and of pairs to decide.

    What one of them could not do fails the night.
    """

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count)
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._told: list[Future[None]] = []
        self._asked: list[Future[Rows]] = []
        self._review: Future[Rows] | None = None
        self._processes: list[_Process] = []
        try:
            for _ in range(count):
                self._processes.append(self._start())
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _start() -> _Process:
        root = str(Path(__file__).resolve().parents[1])
        paths = [root, os.environ.get("PYTHONPATH", "")]
        # Its frames are small: threads of its own would only take the night's.
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "POLARS_MAX_THREADS": "1"}
        return subprocess.Popen(  # noqa: S603  # our own module, no text of the delivery
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **own},
        )  # fmt: skip

    def open(self, shared: BookSet) -> None:
        """Tell every process what the workbooks share, before the first county; returns at once."""
        self._told = [self._threads.submit(self._tell, p, shared) for p in self._processes]

    def _tell(self, process: _Process, shared: BookSet) -> None:
        try:
            # One that ended cannot be told, and fails by the first county that it is asked for.
            with suppress(BrokenPipeError):
                if process.stdin:
                    send_set(process.stdin, shared)
        finally:
            # Who waits for it would wait forever.
            self._idle.put(process)

    def write(self, county: CountyData) -> None:
        """Have the workbook of a county written; returns at once."""
        self._asked.append(self._threads.submit(self._ask, partial(send_county, county=county)))

    def review(self, queue: Queue) -> None:
        """Have the review workbooks written; returns at once."""
        send = partial(send_review, pairs=queue.pairs, folder=queue.folder, place=queue.info.place)
        self._review = self._threads.submit(self._ask, send)

    def _ask(self, send: Callable[[IO[bytes]], None]) -> Rows:
        process = self._idle.get()
        try:
            answer = None
            if process.stdin and process.stdout:
                send(process.stdin)
                answer = receive_answer(process.stdout)
        except BrokenPipeError as error:
            raise _failed("ended") from error
        finally:
            self._idle.put(process)
        if answer is None:
            raise _failed("ended")
        if answer.get("errno"):
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        if "failed" in answer:
            raise _failed(str(answer["failed"]))
        rows: Rows = answer["rows"]
        return rows

    def rows(self) -> Rows:
        """Wait for all workbooks; return the lines of the index in the order of the counties.

        EngineError where a process failed or was killed, OSError where the disk is full.
        """
        for told in self._told:
            told.result()
        return [row for asked in self._asked for row in asked.result()]

    def n_reviews(self) -> int:
        """Wait for the review workbooks and return how many there are; errors as `rows`."""
        return len(self._review.result()) if self._review else 0

    def close(self) -> None:
        """End the processes, also those at work, so that none outlives the night."""
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            # Closed behind the threads, that may be about to write.
            process.communicate()


@contextmanager
def book_workers(count: int) -> Iterator[BookWorkers | None]:
    """Give `count` processes, None for none; they have ended when the block ends."""
    if count < 1:
        yield None
        return
    LOG.info("export: %d processes write workbooks", count)
    workers = BookWorkers(count)
    try:
        yield workers
    finally:
        workers.close()
