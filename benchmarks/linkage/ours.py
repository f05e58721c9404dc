"""Run our matcher in a process of its own: from the raw file to clusters.

`python -m benchmarks.linkage.ours FOLDER OUT [--probe]`. FOLDER holds records.parquet and
regions.parquet; OUT gets links, clusters and quality as Parquet and spent.json. With --probe, all
candidate pairs and their probabilities are written too (not part of what is timed).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.matcher import match_units
from audit.matching.pairs import compare_candidates, ranked, weigh_compared
from audit.matching.parsing import parse_units
from audit.matching.settings import MatchSettings
from audit.matching.weighing import shipped


@dataclass(slots=True)
class Clock:
    """Wall and CPU seconds of the steps since the start."""

    steps: list[dict[str, float | str]] = field(default_factory=list)
    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def lap(self, step: str) -> None:
        """Note a step that has just ended."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.steps.append({"step": step, "wall": wall - self.wall, "cpu": cpu - self.cpu})
        self.wall, self.cpu = wall, cpu

    def write(self, path: Path) -> None:
        """Write the steps, their sums and the peak memory in GB."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        sums = {k: sum(float(s[k]) for s in self.steps) for k in ("wall", "cpu")}
        spent = {"steps": self.steps, **sums, "peak_gb": peak}
        path.write_text(json.dumps(spent, indent=1), encoding="utf-8")


def features_of(folder: Path, *records: pl.DataFrame) -> list[Features]:
    """Return the features of each frame, with the region list of the folder and words of all."""
    places = Gazetteer.from_regions(pl.read_parquet(folder / "regions.parquet"))
    words = Lexicon.learn(pl.concat(records), gazetteer=places)
    return [parse_units(one, gazetteer=places, lexicon=words) for one in records]


def probe(records: pl.DataFrame, features: Features, out: Path) -> None:
    """Write every candidate pair with its probability: recall of candidates, calibration."""
    settings = MatchSettings()
    compared = compare_candidates(features, ranked(records["record_id"]), settings)
    weighed, (placed,) = weigh_compared([compared], shipped(), settings)
    scored = placed.scored(weighed)
    ids = records["record_id"]
    pl.DataFrame(
        {
            "left_id": ids.gather(scored.left),
            "right_id": ids.gather(scored.right),
            "probability": scored.probability,
            "pattern": scored.patterns,
        }
    ).write_parquet(out / "candidates.parquet")


def main() -> None:
    """Run and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--probe", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    records = pl.read_parquet(args.folder / "records.parquet")
    clock.lap("read")
    (features,) = features_of(args.folder, records)
    # What is parsed is not needed as text any more.
    records = records.select("record_id", "table_name", "name")
    clock.lap("parse")
    found = match_units(records, features)
    clock.lap("match")
    for name in ("links", "clusters", "quality"):
        getattr(found, name).write_parquet(args.out / f"{name}.parquet")
    clock.lap("write")
    clock.write(args.out / "spent.json")
    if args.probe:
        probe(records, features, args.out)


if __name__ == "__main__":
    main()
