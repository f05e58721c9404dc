"""The memory that intake takes does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import resource, sys
from pathlib import Path
from audit.engines.duckdb import DuckDBEngine, Limits
from pipelines import ingest
from pipelines.confidential import Confidential
from pipelines.loading import Loader
from pipelines.readers.model import Source
path = Path(sys.argv[1])
limits = Limits(memory="300MB", temp_directory=path.parent)
with DuckDBEngine(path.with_suffix(".duckdb"), limits) as engine:
    ingest.create_tables(engine)
    loader = Loader(engine, ingest.derive_lists(), Confidential())
    report = loader.load(Source(file_no=1, file=path.name, path=path, table="self_employed"))
    engine.checkpoint()
unit = 20 if sys.platform == "darwin" else 10
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> unit
print()
print(report.rows_delivered, peak)
"""


def peak_mb(folder: Path, rows: int) -> int:
    path = folder / f"self_employed_{rows}.csv"
    line = "S{n},430405010002,衡阳市第{n}号小吃店,解放大道{n}号,{n}.5\n"
    with path.open("w", encoding="gb18030", newline="\n") as file:
        file.write("unit_id,region_code,name,address,revenue_kyuan\n")
        file.writelines(line.replace("{n}", str(n)) for n in range(rows))

    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], check=True, capture_output=True, text=True
    )
    delivered, peak = map(int, done.stdout.splitlines()[-1].split())

    assert delivered == rows
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small = peak_mb(tmp_path, 400_000)
    large = peak_mb(tmp_path, 1_200_000)

    # Rows kept to the end of the file would add some 600 MB.
    assert large < small + 250
