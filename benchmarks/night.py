"""Measure the night at city scale, and the check stage beside its peers, in one run.

`make bench` writes `benchmarks/results/<date>.json` and a table in `benchmarks/RESULTS.md`: wall
and CPU seconds and peak memory of each stage, of a full night and of nights in which nothing or one
file changed; the same twenty checks by the audit, by Great
Expectations on pandas, and a bare DuckDB scan of the columns they read.
"""

from __future__ import annotations

import compileall
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.check_plan import CheckPlan
from audit.checking import check
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label, Rule, RuleStatus, Severity
from audit.night import create_outputs, rule_texts
from audit.rulebook import RuleBook
from benchmarks.checks import CHECKS, COLUMNS

HERE = Path(__file__).parent
CITY_UNITS = 45_000
GX_PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
ROOMS = ("audit", "pipelines", "reports")
REPEATS = 3
EMPLOYEES = ("employees", "从业人员期末人数")
N_CORRECTED = 12


def _spent(work: Callable[[], Any]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _best(work: Callable[[], Any]) -> dict[str, float]:
    """Return the run with the least CPU of a few: the others were disturbed."""
    return min((_spent(work) for _ in range(REPEATS)), key=lambda s: s["cpu"])


def _night(folder: Path, run_id: str) -> dict[str, Any]:
    """Run a night in a process of its own, so that its peak memory is its own."""
    code = (
        "import json, sys; from pathlib import Path\n"
        "from pipelines.run import NightOptions, run_night\n"
        "from pipelines.config import RunConfig\n"
        "from dataclasses import asdict\n"
        f"config = RunConfig(salt_file=Path({str(folder / 'city_truth' / 'salt.txt')!r}))\n"
        f"options = NightOptions(input_dir=Path({str(folder / 'city')!r}), "
        f"out=Path({str(folder / 'out')!r}), config=config, run_id={run_id!r})\n"
        "summary = run_night(options)\n"
        "print(json.dumps([asdict(s) for s in summary.stages]))\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.perf_counter()
    # As an installation has it: with its modules compiled.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "stages": json.loads(done.stdout.splitlines()[-1]),
        "wall": time.perf_counter() - wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
    }


def _largest(folder: Path, table: str) -> Path:
    files = [*folder.rglob(f"{table}*.csv"), *folder.rglob(f"{table}*.tsv")]
    return max(files, key=lambda file: file.stat().st_size)


def _without_last_row(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: content.rstrip().rfind(b"\n") + 1])


def _corrected(path: Path) -> None:
    """Count one employee more in some units, far apart."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    column = next(rows[0].index(name) for name in EMPLOYEES if name in rows[0])
    given = [row for row in rows[1:] if row[column].isdigit()]
    for row in given[:: max(len(given) // N_CORRECTED, 1)]:
        row[column] = str(int(row[column]) + 1)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


CHANGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "values of units corrected": ("legal_entity", _corrected),
    "an edit log with a row less": ("edit_event", _without_last_row),
    "a unit gone": ("legal_entity", _without_last_row),
}
"""What happens to the largest file of a table in an incremental night, by what that is called."""


def _nights(folder: Path) -> dict[str, Any]:
    """Run a full night, one in which nothing came, and one a file changed, of each kind.

    One night between is not counted: the first has no last night to compare with, all others do.
    """
    for room in ROOMS:
        compileall.compile_dir(HERE.parent / room, quiet=1)
    nights = {"full": _night(folder, "full")}
    _night(folder, "settled")
    nights["unchanged"] = _night(folder, "unchanged")
    for number, (told, (table, change)) in enumerate(CHANGES.items()):
        file = _largest(folder / "city", table)
        change(file)
        nights[told] = _night(folder, f"changed-{number}") | {"file": file.name}
    return nights


def _sample(folder: Path, units: int) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pipelines.cli",
            "sample",
            "--out",
            str(folder),
            "--units",
            str(units),
        ],
        check=True,
        capture_output=True,
    )


def _twin_book() -> RuleBook:
    words = Label("差错", "finding")
    rules = []
    for twin in CHECKS:
        sql = (
            "SELECT u.unit_id AS subject_id, u.region_code AS region_code, NULL AS observed, "
            f"NULL AS expected, {twin.holds} AS holds FROM unit AS u WHERE {twin.scope}"
        )
        rules.append(
            Rule(
                id=twin.id, name=twin.id, title=words, family="form", severity=Severity.FATAL,
                clause="三(三)1", level=1, grain="unit", variable="", tables=("unit",),
                owner="data_quality", version=1, status=RuleStatus.ACTIVE, message=words,
                verify=words, false_positives=words, sql=sql, path="", sha256="",
            )
        )  # fmt: skip
    return RuleBook(tuple(rules))


def _plan(book: RuleBook, tables: frozenset[str]) -> CheckPlan:
    return CheckPlan(book=book, run_id="bench", filled_tables=tables, whole_region="430400000000")


def _peers(units: Path, folder: Path) -> dict[str, Any]:
    """The twenty checks three ways, on the same rows."""
    book = _twin_book()
    with DuckDBEngine() as engine:
        engine.materialise("census.unit", f"SELECT * FROM read_parquet('{units}')")

        def ours() -> None:
            create_outputs(engine)
            rule_texts(engine, book)
            check(engine, _plan(book, frozenset({"unit"})))

        def bare() -> None:
            counts = ", ".join(f"MIN({c}), MAX({c}), COUNT({c})" for c in COLUMNS)
            engine.fetch(f"SELECT {counts} FROM census.unit")

        audit_spent, scan = _best(ours), _best(bare)
        rows = engine.fetch(
            "SELECT rule_id, CAST(SUM(n_failed) AS BIGINT) AS n FROM audit.outcome GROUP BY rule_id"
        ).to_pylist()
    target = folder / "gx.json"
    subprocess.run(
        [str(GX_PYTHON), str(HERE / "expectations.py"), str(units), str(target)],
        check=True,
        cwd=HERE,
        env={**os.environ, "GX_ANALYTICS_ENABLED": "False"},
        capture_output=True,
    )
    gx = json.loads(target.read_text(encoding="utf-8"))
    failed = {row["rule_id"]: row["n"] for row in rows}
    return {
        "audit": audit_spent,
        "scan": scan,
        "gx": gx,
        "gx_over_audit_cpu": gx["cpu"] / audit_spent["cpu"],
        "audit_over_scan_cpu": audit_spent["cpu"] / scan["cpu"],
        "same_failures": failed == gx["failed"],
    }


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _incremental(nights: dict[str, Any]) -> list[str]:
    """Return the section on nights in which little changed."""
    full = nights["full"]
    names = [stage["stage"] for stage in full["stages"]]
    lines = ["", "Nights in which little changed, over the full one (wall s / CPU s):", ""]
    lines += [_row("stage", *nights), _row("---", *("---:" for _ in nights))]
    for name in names:
        spent = (
            next((s for s in night["stages"] if s["stage"] == name), {"wall": 0, "cpu": 0})
            for night in nights.values()
        )
        lines.append(_row(name, *(f"{s['wall']:.1f} / {s['cpu']:.1f}" for s in spent)))
    whole = (f"{n['wall']:.1f} / {n['cpu']:.1f}" for n in nights.values())
    ratios = (
        f"{n['wall'] / full['wall']:.2f} / {n['cpu'] / full['cpu']:.2f}" for n in nights.values()
    )
    return [*lines, _row("whole process", *whole), _row("ratio to full", *ratios)]


def _page(result: dict[str, Any]) -> str:
    nights, peers = result["nights"], result["peers"]
    night = nights["full"]
    lines = [
        "# Measured",
        "",
        f"{result['date']}, {result['machine']}. One run; the machine is shared, so trust ratios.",
        f"City: {result['units']} legal entities. Sample made in {result['sample']['wall']:.1f} s.",
        "",
        _row("stage", "wall s", "CPU s", "peak MB so far"),
        _row("---", "---:", "---:", "---:"),
    ]
    lines += [
        _row(s["stage"], f"{s['wall']:.1f}", f"{s['cpu']:.1f}", f"{s['peak_mb']:.0f}")
        for s in night["stages"]
    ]
    whole = (f"{night['wall']:.1f}", f"{night['cpu']:.1f}", f"{night['peak_mb']:.0f}")
    lines += [
        _row("whole process", *whole),
        *_incremental(nights),
        "",
        "Twenty single-table checks on all units, validation only:",
        "",
        _row("system", "wall s", "CPU s"),
        _row("---", "---:", "---:"),
        _row("audit", f"{peers['audit']['wall']:.2f}", f"{peers['audit']['cpu']:.2f}"),
        _row(
            "Great Expectations on pandas",
            f"{peers['gx']['wall']:.2f}",
            f"{peers['gx']['cpu']:.2f}",
        ),
        _row("bare DuckDB scan", f"{peers['scan']['wall']:.2f}", f"{peers['scan']['cpu']:.2f}"),
        "",
        f"Great Expectations / audit: {peers['gx_over_audit_cpu']:.1f} × CPU "
        f"(its import and load, {peers['gx']['import_and_load_cpu']:.1f} s CPU, not counted). "
        f"Audit / bare scan: {peers['audit_over_scan_cpu']:.1f} ×. "
        f"Equal failures: {peers['same_failures']}.",
    ]
    return "\n".join(lines) + "\n"


def main(units: int = CITY_UNITS) -> None:
    """Run everything and write the results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = _spent(lambda: _sample(folder / "city", units))
        nights = _nights(folder)
        package = folder / "out" / "current" / "census_audit.duckdb"
        source = folder / "unit.parquet"
        with DuckDBEngine() as engine:
            engine.execute(f"ATTACH '{package}' AS p (READ_ONLY)")
            engine.execute(f"COPY (SELECT * FROM p.census.unit) TO '{source}' (FORMAT parquet)")
        peers = _peers(source, folder)
    result = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "units": units,
        "sample": made,
        "nights": nights,
        "peers": peers,
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{result['date']}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    page = _page(result)
    (HERE / "RESULTS.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CITY_UNITS)
