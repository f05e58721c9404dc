"""Runs Great Expectations in a process of its own, and lives without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from typing import Any

from audit.gate import Cell, Expectation, expectations
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
    deadline: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Results by cell and check id; what is not in there could not be checked."""

    results: Mapping[str, Mapping[str, str]]
    has_docs: bool


def request(cells: Iterable[Cell], checks: Iterable[Expectation], docs: str = "") -> str:
    """Return the profile and its checks as one line of JSON; `docs` is a folder to build in."""
    rows = [{"cell": cell.key, "values": dict(cell.values)} for cell in cells]
    return json.dumps(
        {"rows": rows, "checks": [asdict(check) for check in checks], "docs": docs},
        ensure_ascii=False,
    )


def start(ctx: RunContext) -> Worker | None:
    """Start the process, which takes seconds until it can judge; None where none is wanted.

    None as well where `auto` finds nothing installed.
    """
    judge = ctx.config.gate.judge
    if judge == "own" or (judge == "auto" and find_spec("great_expectations") is None):
        return None
    folder = ctx.run_dir / "tmp" / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "False", "PYTHONUTF8": "1"}
    try:
        with (folder / "answer.json").open("wb") as target:
            process = subprocess.Popen(  # noqa: S603  # our own module, no text of the delivery
                COMMAND, stdin=subprocess.PIPE, stdout=target, stderr=subprocess.DEVNULL,
                cwd=folder, env=_importable(environment),
            )  # fmt: skip
    except OSError:
        return Worker(process=None, folder=folder)
    return Worker(process=process, folder=folder)


def ask(ctx: RunContext, worker: Worker, cells: list[Cell]) -> Worker:
    """Have the profile judged; returns at once. Its time limit begins now."""
    asked = worker.folder / "request.json"
    docs = (ctx.run_dir / DOCS).resolve()  # the process works in a folder of its own
    line = request(cells, expectations(ctx.config.gate), str(docs))
    asked.write_text(line, encoding="utf-8")
    # A process that is dead already has checked nothing, which is told when it is asked for.
    with suppress(BrokenPipeError):
        if worker.process and worker.process.stdin:
            worker.process.stdin.write(json.dumps({"at": str(asked.resolve())}).encode() + b"\n")
            worker.process.stdin.close()
    return replace(worker, deadline=time.monotonic() + ctx.config.gate.timeout_seconds)


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
    if worker.process and worker.process.stdin:
        with suppress(BrokenPipeError):
            worker.process.stdin.close()
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
        LOG.warning("gate: Great Expectations gave no answer; our own evaluator's verdict stands")
        return nothing
    return Answer(results=results, has_docs=(ctx.run_dir / DOCS / "index.html").is_file())
