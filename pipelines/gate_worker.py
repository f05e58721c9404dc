"""Runs Great Expectations in a process of its own, and lives without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from typing import Any

from audit.gate import COULD_NOT_CHECK, Cell, Expectation, expectations
from pipelines.context import LOG, RunContext

DOCS = "gx"
"""Folder of the Data Docs in the run folder."""
_FOLDER = "gate"
COMMAND = (sys.executable, "-m", "pipelines.gate_gx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The running process and its folder; None for one that could not be started."""

    process: subprocess.Popen[bytes] | None
    folder: Path
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Results by cell and check id; what is not in there could not be checked."""

    results: Mapping[str, Mapping[str, str]]
    has_docs: bool

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing failed in it: pages are there, and every check was made."""
        said = (result for results in self.results.values() for result in results.values())
        return self.has_docs and COULD_NOT_CHECK not in said


def request(cells: Iterable[Cell], checks: Iterable[Expectation], docs: str = "") -> str:
    """Return the profile and its checks as one line of JSON; `docs` is a folder to build in."""
    rows = [{"cell": cell.key, "values": dict(cell.values)} for cell in cells]
    return json.dumps(
        {"rows": rows, "checks": [asdict(check) for check in checks], "docs": docs},
        ensure_ascii=False,
    )


def wanted(ctx: RunContext) -> bool:
    """Tell whether Great Expectations is to judge; not where `auto` finds it not installed."""
    judge = ctx.config.gate.judge
    return judge == "gx" or (judge == "auto" and find_spec("great_expectations") is not None)


def start(ctx: RunContext, cells: Iterable[Cell]) -> Worker:
    """Have the profile judged beside the night; returns at once. Its time limit begins now."""
    folder = ctx.run_dir / "tmp" / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    docs = (ctx.run_dir / DOCS).resolve()  # the process works in a folder of its own
    asked = folder / "request.json"
    asked.write_text(f"{request(cells, expectations(ctx.config.gate), str(docs))}\n", "utf-8")
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "False", "PYTHONUTF8": "1"}
    deadline = time.monotonic() + ctx.config.gate.timeout_seconds
    try:
        with asked.open("rb") as source, (folder / "answer.json").open("wb") as target:
            process = subprocess.Popen(  # noqa: S603  # our own module, no text of the delivery
                COMMAND, stdin=source, stdout=target, stderr=subprocess.DEVNULL,
                cwd=folder, env=_importable(environment),
            )  # fmt: skip
    except OSError:
        return Worker(process=None, folder=folder, deadline=deadline)
    return Worker(process=process, folder=folder, deadline=deadline)


def _importable(environment: dict[str, str]) -> dict[str, str]:
    """Let the process find this program wherever it was started from."""
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def stop(worker: Worker | None) -> None:
    """End the process if it still runs, and remove its folder, whatever it left there.

    It must not outlive a night, not even one that failed.
    """
    if worker is None:
        return
    if worker.process and worker.process.poll() is None:
        worker.process.kill()
        worker.process.wait()
    rmtree(worker.folder, ignore_errors=True)


def collect(ctx: RunContext, worker: Worker) -> Answer:
    """Wait for the answer until the time limit; a dead or silent process has checked nothing."""
    nothing = Answer(results={}, has_docs=False)
    if worker.process is None:
        return nothing
    try:
        worker.process.wait(max(worker.deadline - time.monotonic(), 0.1))
        answer: dict[str, Any] = json.loads((worker.folder / "answer.json").read_bytes())
        results = {key: dict(value) for key, value in answer["results"].items()}
    except (subprocess.TimeoutExpired, ValueError, KeyError, AttributeError):
        stop(worker)
        rmtree(ctx.run_dir / DOCS, ignore_errors=True)  # pages without the results, or half of them
        LOG.warning("gate: Great Expectations gave no answer; our own evaluator's verdict stands")
        return nothing
    return Answer(results=results, has_docs=(ctx.run_dir / DOCS / "index.html").is_file())
