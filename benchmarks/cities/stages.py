"""One stage of the measurement, in a process of its own; the result is one line of JSON.

`python -m benchmarks.cities.stages STAGE DELIVERY WORK`, where STAGE is ingest, link, estimate or
check, in this order; what is done stays in WORK, and the check can be run again.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine, Limits
from audit.model import RunInfo
from audit.night import create_outputs, create_reference
from audit.rulebook import load_rulebook
from benchmarks.cities.transform import PROVINCE
from pipelines import check, estimate, ingest, link
from pipelines.config import RunConfig
from pipelines.context import RunContext

MEMORY = "6GB"
"""DuckDB's share, the same for one city and for ten."""


def _config(delivery: Path) -> RunConfig:
    return RunConfig(
        city=PROVINCE + "0" * 10,
        memory=MEMORY,
        salt_file=delivery.with_name(f"{delivery.name}_salt.txt"),
    )


@contextmanager
def _context(delivery: Path, work: Path) -> Iterator[RunContext]:
    work.mkdir(parents=True, exist_ok=True)
    limits = Limits(memory=MEMORY, temp_directory=work / "spill")
    info = RunInfo(
        run_id="cities", started_at="2019-06-01 00:00:00", engine=DuckDBEngine.name,
        code_version="", rulebook_digest="", input_digest="", parameters={},
    )  # fmt: skip
    with DuckDBEngine(work / "package.duckdb", limits) as engine:
        yield RunContext(
            input_dir=delivery, run_dir=work, state_dir=work / "state", engine=engine,
            config=_config(delivery), info=info,
        )  # fmt: skip
        engine.checkpoint()


def _spent(work: Callable[[], Any]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _ingest(ctx: RunContext) -> dict[str, Any]:
    """Take the delivery in; return what it cost, and the rows by table."""
    create_outputs(ctx.engine)
    create_reference(ctx.engine)
    spent = _spent(lambda: ingest.run(ctx))
    rows = {
        table.name: int(str(ctx.engine.scalar(f"SELECT COUNT(*) FROM census.{table.name}")))
        for table in CONTRACT.delivered
    }
    refused = ctx.engine.scalar("SELECT SUM(rows_refused) FROM census.delivered_file")
    return {**spent, "rows": sum(rows.values()), "tables": rows, "refused": int(str(refused))}


def _check(ctx: RunContext) -> dict[str, Any]:
    """Check all rules; return the cost of the stage and of each rule in CPU seconds of all cores.

    Rules over the rows of one table share its scan, and each has an equal part of it.
    """
    for name in CONTRACT.outputs:
        if name.startswith("audit."):
            ctx.engine.execute(f"DELETE FROM {name}")
    book = load_rulebook()
    with patch("audit.checking.time", SimpleNamespace(perf_counter=time.process_time)):
        spent = _spent(lambda: check.run(ctx, book))
    rules = ctx.engine.fetch(
        "SELECT o.rule_id, MAX(o.seconds) AS cpu, CAST(SUM(o.n_checked) AS BIGINT) AS checked, "
        "CAST(SUM(o.n_failed) AS BIGINT) AS failed, CAST(SUM(o.n_unknown) AS BIGINT) AS unknown, "
        "MIN(o.status) AS status FROM audit.outcome AS o GROUP BY o.rule_id ORDER BY o.rule_id"
    ).to_pylist()
    digest = ctx.engine.scalar(
        "SELECT CAST(SUM(HASH(finding_key, observed, expected) % 1000000007) AS VARCHAR) "
        "FROM audit.finding"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**spent, "peak_mb": peak, "rules": rules, "digest": str(digest)}


STAGES: dict[str, Callable[[RunContext], dict[str, Any]]] = {
    "ingest": _ingest,
    "link": lambda ctx: _spent(lambda: link.run(ctx)),
    "estimate": lambda ctx: _spent(lambda: estimate.run(ctx)),
    "check": _check,
}


def main() -> None:
    """Run the stage that is asked for and print its result."""
    stage, delivery, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with _context(delivery.resolve(), work.resolve()) as ctx:
        result = STAGES[stage](ctx)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
