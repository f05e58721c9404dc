"""Measure the check of all rules on one made-up city and on ten: `python -m benchmarks.ten_cities`.

`make bench` writes `benchmarks/CITIES.md` and `benchmarks/results/cities-<date>.json`. Both
deliveries are made by one route (`benchmarks/cities`), each is taken in, linked, estimated and
checked in processes of its own. With `--work` what is made is kept there and used again. Ten cities
need 16 GB of memory and 20 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.cities.stages import MEMORY

HERE = Path(__file__).parent
CITIES, UNITS, REPEATS = 10, 45_000, 2
PACKAGES = ("duckdb", "polars", "pyarrow")
BEFORE = ("ingest", "link", "estimate")
"""Stages before the check; each is left out where an earlier run in the same folder did it."""
FLOOD, FEW = 1.5, 10
"""Findings above this many times what the cities would give each, and this many more, are told."""


def _child(*arguments: object) -> str:
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, check=True, cwd=HERE.parent, stdout=subprocess.PIPE,
                          text=True).stdout  # fmt: skip


def _kept(path: Path, *arguments: object) -> dict[str, Any]:
    """Return what a child found, from the file of an earlier run where there is one."""
    if not path.is_file():
        path.write_text(_child(*arguments), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def _measure(folder: Path, cities: int, units: int, times: int) -> dict[str, Any]:
    """Make, prepare and check; of a few checks the one with the least CPU counts."""
    delivery, work = folder / f"cities_{cities}", folder / f"work_{cities}"
    if not (folder / f"made_{cities}.json").is_file():
        _child("benchmarks.cities.make", delivery, "--cities", cities, "--units", units)
        (folder / f"made_{cities}.json").write_text("{}", encoding="utf-8")
    before = {
        stage: _kept(
            folder / f"{stage}_{cities}.json", "benchmarks.cities.stages", stage, delivery, work
        )
        for stage in BEFORE
    }
    checks = [
        _kept(
            folder / f"check_{cities}_{turn}.json",
            "benchmarks.cities.stages",
            "check",
            delivery,
            work,
        )
        for turn in range(times)
    ]
    return {"cities": cities, "before": before, **min(checks, key=lambda c: c["cpu"])}


def _by_rule(one: dict[str, Any], many: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    first = {rule["rule_id"]: rule for rule in one["rules"]}
    pairs = [(first[rule["rule_id"]], rule) for rule in many["rules"]]
    return sorted(pairs, key=lambda pair: -pair[1]["cpu"])


def _floods(one: dict[str, Any], many: dict[str, Any]) -> list[str]:
    """Return the rules that find clearly more in each of many cities than in the one."""
    times = many["cities"] / one["cities"]
    return [
        b["rule_id"]
        for a, b in _by_rule(one, many)
        if b["failed"] > FLOOD * times * a["failed"] + FEW
    ]


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(result: dict[str, Any]) -> list[str]:
    one, many = result["one"], result["many"]
    return [
        "# All rules on one city and on ten",
        "",
        f"{result['date']}, {result['machine']}; {result['versions']}.",
        f"Cities of {result['units']} legal entities, made up and told apart by "
        f"`benchmarks/cities`; DuckDB with {MEMORY}.",
        f"Checks of each: {result['checks']}, that with the least CPU counts.",
        "",
        _row("", "one city", f"{many['cities']} cities", "ratio"),
        _row("---", "---:", "---:", "---:"),
        *_lines(one, many),
        "",
        f"Check stage: {one['cpu']:.1f} s CPU for one city, {many['cpu'] / one['cpu']:.1f} × that "
        f"for {many['cities']}.",
    ]


def _lines(one: dict[str, Any], many: dict[str, Any]) -> list[str]:
    both = (one, many)
    counts = {
        "rows loaded": [m["before"]["ingest"]["rows"] for m in both],
        "rows refused": [m["before"]["ingest"]["refused"] for m in both],
        "findings": [sum(rule["failed"] for rule in m["rules"]) for m in both],
    }
    times = {
        f"{stage}, {unit}": [m["before"][stage][key] for m in both]
        for stage in BEFORE
        for unit, key in (("wall s", "wall"), ("CPU s", "cpu"))
    }
    times |= {"check, wall s": [m["wall"] for m in both], "check, CPU s": [m["cpu"] for m in both]}
    times["peak of the check, MB"] = [m["peak_mb"] for m in both]
    return [
        *(_row(name, a, b, f"{b / a:.1f}") for name, (a, b) in counts.items()),
        *(_row(name, f"{a:.1f}", f"{b:.1f}", f"{b / a:.1f}") for name, (a, b) in times.items()),
    ]


def page(result: dict[str, Any]) -> str:
    """Return the page of a result: what each stage and each rule cost, and what grows too fast."""
    one, many = result["one"], result["many"]
    flooding = ", ".join(_floods(one, many)) or "none"
    lines = [
        *_head(result),
        f"Rules that find over {FLOOD} times as much in each of {many['cities']} cities as in the "
        f"one: {flooding}.",
        "",
        "CPU seconds by rule. Rules over the rows of one table share its scan, an equal part each; "
        "what the stage does beside (findings with their words) is the rest of its time.",
        "",
        _row("rule", "one city", f"{many['cities']} cities", "ratio", "findings, one", "many"),
        _row("---", *["---:"] * 5),
    ]
    for a, b in _by_rule(one, many):
        ratio = f"{b['cpu'] / a['cpu']:.1f}" if a["cpu"] else ""
        cells = (f"{a['cpu']:.2f}", f"{b['cpu']:.2f}", ratio, a["failed"], b["failed"])
        lines.append(_row(b["rule_id"], *cells))
    return "\n".join(lines) + "\n"


def _result(folder: Path, cities: int, units: int, times: int) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "units": units,
        "checks": times,
        "one": _measure(folder, 1, units, times),
        "many": _measure(folder, cities, units, times),
    }


def main() -> None:
    """Measure, write the results and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=CITIES)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--checks", type=int, default=REPEATS)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.work or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        result = _result(folder.resolve(), args.cities, args.units, args.checks)
    target = args.out / "results" / f"cities-{result['date']}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    written = page(result)
    (args.out / "CITIES.md").write_text(written, encoding="utf-8")
    sys.stdout.write(written)


if __name__ == "__main__":
    main()
