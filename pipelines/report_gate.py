"""The gate's part of the report: verdicts by file and county."""

from __future__ import annotations

import pyarrow as pa

from audit.quoting import quoted
from pipelines.context import RunContext
from pipelines.gate_worker import DOCS


def gate_rows(ctx: RunContext, in_use: str) -> pa.Table:
    """Return `audit.gate` with the county's name, the worst verdicts first."""
    return ctx.engine.fetch(f"""
SELECT g.table_name, g.file, g.region_code, p.name, g.verdict, g.n_rows, g.n_refused, g.n_expected,
  g.n_came, g.gx, g.because, g.reasons, g.reasons_en
FROM audit.gate AS g
LEFT JOIN (SELECT region_code, MIN(name) AS name FROM census.region
  WHERE vintage = {quoted(in_use)} GROUP BY region_code) AS p ON p.region_code = g.region_code
ORDER BY CASE g.verdict WHEN 'missing' THEN 0 WHEN 'quarantine' THEN 1 WHEN 'remarks' THEN 2
  ELSE 3 END, g.table_name, g.region_code, g.file""")


def gate_docs(ctx: RunContext) -> str:
    """Return the relative address of the Data Docs; empty where there are none."""
    return f"{DOCS}/index.html" if (ctx.run_dir / DOCS / "index.html").is_file() else ""
