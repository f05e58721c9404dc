"""Measure the matcher beside Splink: `python -m benchmarks.matching --sizes 100000 1000000`.

Makes firms with known truth, runs each system in a process of its own, scores both in one way, and
writes `benchmarks/MATCHING.md` and `benchmarks/results/matching-<date>.json`. `make bench` runs it
after the night. Our threshold is fixed beforehand; Splink's is the best in hindsight.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.firms.make import write
from benchmarks.firms.pairs import write_pair
from benchmarks.firms.units import Options
from benchmarks.linkage.page import page
from benchmarks.linkage.pair_results import pair_figures
from benchmarks.linkage.results import Truth, ours, ratios, splink

HERE = Path(__file__).parent
BENCH_PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
SIZES = (100_000, 1_000_000)
STRESS_SIZE, PAIR_SIZE, SEED = 100_000, 100_000, 7
STRESS = {
    "careless copies": {"careless": True},
    "one city": {"city": "4304"},
    "0.5 % duplicates": {"copies": 0.005},
    "30 % in families": {"families": 0.3},
    "no families, no branches": {"families": 0.0, "branches": False},
    "30 % with a code": {"coverage": 0.3},
    "5 % with a code": {"coverage": 0.05},
    "other province, other words": {"words": "other"},
}


def run_ours(folder: Path, module: str, *more: str) -> Path:
    """Run one of our children; return where its results are."""
    out = folder / "ours"
    command = [sys.executable, "-m", f"benchmarks.linkage.{module}", str(folder), str(out), *more]
    # As the program itself runs, see `pipelines`.
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, check=True, cwd=HERE.parent, env=env)
    return out


def run_splink(folder: Path) -> Path:
    """Normalise for Splink, then run it in its own environment."""
    out = folder / "splink"
    command = [sys.executable, "-m", "benchmarks.linkage.parsed", str(folder), str(out)]
    subprocess.run(command, check=True, cwd=HERE.parent)
    script = HERE / "linkage" / "splink_run.py"
    subprocess.run([str(BENCH_PYTHON), str(script), str(out)], check=True, cwd=HERE)
    return out


def measure(folder: Path, options: Options, peer: bool = True) -> dict[str, Any]:
    """Make firms, run ours and Splink, and return the figures."""
    print(f"… {options}", file=sys.stderr)
    write(options, folder)
    mine, other = run_ours(folder, "ours", "--probe"), run_splink(folder) if peer else None
    truth = Truth.read(folder)
    figures: dict[str, Any] = {"ours": ours(truth, mine)}
    if other is not None:
        figures["splink"] = splink(truth, other)
        figures["ratios"] = ratios(figures["ours"], figures["splink"])
    return figures


def measure_pair(folder: Path, options: Options) -> dict[str, Any]:
    """Link field records to a register with both systems and return the figures."""
    print(f"… link {options}", file=sys.stderr)
    write_pair(options, folder)
    mine, other = run_ours(folder, "ours_pair"), run_splink(folder)
    return pair_figures(folder, mine, other)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    code = "import splink, duckdb; print(splink.__version__, duckdb.__version__)"
    versions = subprocess.run(
        [str(BENCH_PYTHON), "-c", code],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "versions": dict(zip(("splink", "duckdb"), versions, strict=True)),
        "load_at_start": os.getloadavg()[0],
    }


def everything(args: argparse.Namespace) -> dict[str, Any]:
    """Run all that was asked for."""
    result: dict[str, Any] = {**machine(), "seed": args.seed, "sizes": {}, "stress": {}}
    with tempfile.TemporaryDirectory() as name:
        base = Options(records=0, seed=args.seed)
        for size in args.sizes:
            folder = Path(name) / str(size)
            result["sizes"][str(size)] = measure(folder, replace(base, records=size))
        for number, (label, change) in enumerate(STRESS.items() if args.stress else ()):
            options = replace(base, records=args.stress, **change)
            result["stress"][label] = measure(Path(name) / f"stress{number}", options)
        if args.pair:
            options = replace(base, records=args.pair)
            result["pair"] = measure_pair(Path(name) / "pair", options)
    return result


def main() -> None:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--stress", type=int, default=STRESS_SIZE, help="records, 0 for none")
    parser.add_argument("--pair", type=int, default=PAIR_SIZE, help="records a side, 0 for none")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=HERE, help="where page and JSON go")
    args = parser.parse_args()
    result = everything(args)
    results = args.out / "results"
    results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (results / f"matching-{result['date']}.json").write_text(text + "\n", encoding="utf-8")
    written = page(result)
    (args.out / "MATCHING.md").write_text(written, encoding="utf-8")
    sys.stdout.write(written)


if __name__ == "__main__":
    main()
