"""The package opens in DuckDB 1.5, the newest that many offices can install."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from deliveries import run
from tiny import entity, write_csv

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements-duckdb-1.5.txt"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

QUERIES = re.findall(
    r"```sql\n(.*?)```",
    (REQUIREMENTS.parents[1] / "docs" / "queries.md").read_text("utf-8"),
    re.DOTALL,
)
ASK = """
import json, sys
import duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
views = ["findings_current", "region_flags", "coverage", "units_flagged"]
counts = {v: con.execute(f"SELECT COUNT(*) FROM {v}").fetchone()[0] for v in views}
found = con.execute("SELECT rule_id, subject_id FROM audit.finding").fetchall()
for query in json.loads(sys.argv[2]):
    con.execute(query).fetchall()
print(json.dumps([duckdb.__version__, counts, found]))
"""


def test_package_opens_in_duckdb_1_5(tmp_path: Path) -> None:
    old = tmp_path / "old"
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    subprocess.run(
        [sys.executable, *install, "--require-hashes", "--target", str(old), "-r", REQUIREMENTS],
        check=True,
    )
    write_csv(tmp_path / "in" / "legal_entity.csv", [entity()])
    night = run(tmp_path / "in", tmp_path / "out", rules="FRM002")
    package = night.out / "current" / "census_audit.duckdb"

    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(old)!r})\n{ASK}",
            package,
            json.dumps(QUERIES),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    version, counts, found = json.loads(done.stdout)

    assert version.startswith("1.5.")
    assert found == [["FRM002", "L1"]]
    assert counts["findings_current"] == 1
