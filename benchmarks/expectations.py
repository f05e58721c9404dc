"""The twenty checks by Great Expectations on pandas. Runs in an environment of its own.

`python expectations.py UNITS.parquet RESULT.json` prints nothing; seconds and failures go to the
result file. Import and load are timed apart from validation.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from checks import CHECKS, COLUMNS


def main(source: Path, target: Path) -> None:
    """Validate all checks and write wall and CPU seconds, peak memory and failures."""
    began = time.process_time()
    import great_expectations as gx
    import pandas as pd

    frame = pd.read_parquet(source, columns=COLUMNS)
    loaded = time.process_time()
    context = gx.get_context(mode="ephemeral")
    gx_progress = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    context.variables.progress_bars = gx_progress
    batch = (
        context.data_sources.add_pandas("pandas")
        .add_dataframe_asset("unit")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite(name="twenty"))
    for check in CHECKS:
        words = check.expectation.split("_")
        kind = "".join(word.capitalize() for word in words)
        expectation = getattr(gx.expectations, kind)
        suite.add_expectation(expectation(**check.arguments, meta={"check": check.id}))
    definition = gx.ValidationDefinition(name="all", data=batch, suite=suite)
    wall, cpu = time.perf_counter(), time.process_time()
    # The audit names every failing unit; so must the peer.
    shape = {"result_format": "COMPLETE", "unexpected_index_column_names": ["unit_id"]}
    result = definition.run(batch_parameters={"dataframe": frame}, result_format=shape)
    spent = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "import_and_load_cpu": loaded - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "failed": {
            item.expectation_config.meta["check"]: int(item.result.get("unexpected_count", -1))
            for item in result.results
        },
    }
    target.write_text(json.dumps(spent), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
