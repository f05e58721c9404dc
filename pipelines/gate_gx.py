"""Great Expectations as judge of the profile, in a process of its own: the only module with it.

Reads one JSON request a line from standard input and answers one line each: `results`, by cell and
check. A check that crashed inside Great Expectations is
`could_not_check`, never a failure. The suite is made from the same definition that our own
evaluator judges by.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audit.gate import COULD_NOT_CHECK, QUARANTINE, REMARK, UNKNOWN, WITHIN
from reports.data_docs_words import SPARED, STATED

_RANKED = (WITHIN, REMARK, UNKNOWN, QUARANTINE)
_CHECKPOINT = "gate"
_KNOWN = "（可判定）"
Check = Mapping[str, Any]


def _column(check: Check) -> str:
    """Return the profile's name for a metric: pages show it."""
    return str(check["title"]["zh"])


def _span(low: float | None, high: float | None) -> str:
    return " ".join(f"{sign} {end}" for sign, end in (("≥", low), ("≤", high)) if end is not None)


def _columns(checks: Iterable[Check], rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the profile as columns: the values, and whether each is known where it applies."""
    columns: dict[str, list[Any]] = {"cell": [row["cell"] for row in rows]}
    for check in checks:
        name, column = check["id"], _column(check)
        values = [row["values"].get(name) for row in rows]
        applies = [name in row["values"] for row in rows]
        # NaN and None are one to pandas; both are unknown.
        known = [v is not None and v == v for v in values]  # NaN is no equal
        columns[column] = [float(v) if k else None for v, k in zip(values, known, strict=True)]
        columns[f"{column}{_KNOWN}"] = [
            1 if k or not a else 0 for k, a in zip(known, applies, strict=True)
        ]
    return columns


def _expectations(check: Check) -> Iterator[tuple[str, Any]]:
    """Yield the expectations of a check with the result that failing them means."""
    from great_expectations import expectations

    gxe: Any = expectations

    title, note, bounds = check["title"], check["note"], check["bounds"]

    def words(result: str, severity: str, span: str = "") -> dict[str, Any]:
        told = [f"{title['zh']} {title['en']}: {STATED[result]}", span]
        if result == QUARANTINE and not check["certain"]:
            told.append(SPARED)
        return {
            "severity": severity,
            "description": " ".join(filter(None, told)),
            "notes": f"{note['zh']} {note['en']}",
            "meta": {"check_id": check["id"], "result": result},
        }

    yield (
        UNKNOWN,
        gxe.ExpectColumnValuesToBeInSet(
            column=_column(check) + _KNOWN, value_set=[1], **words(UNKNOWN, "warning")
        ),
    )
    for result, severity, low, high in (
        (REMARK, "warning", "low", "high"),
        (QUARANTINE, "critical", "worst_low", "worst_high"),
    ):
        if bounds[low] is None and bounds[high] is None:
            continue
        yield (
            result,
            gxe.ExpectColumnValuesToBeBetween(
                column=_column(check), min_value=bounds[low], max_value=bounds[high],
                **words(result, severity, _span(bounds[low], bounds[high])),
            ),
        )  # fmt: skip


def _context(folder: Path) -> Any:
    """Return a file context that shows no bars, gives no advice and counts no use."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="file", project_root_dir=str(folder))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.variables.analytics_enabled = False
    for site in (context.variables.data_docs_sites or {}).values():
        site["show_how_to_buttons"] = False
    context.variables.save()
    return context


def _run(context: Any, request: Mapping[str, Any]) -> list[Any]:
    """Validate the profile and return the results of all expectations."""
    import great_expectations as gx
    from pandas import DataFrame  # type: ignore[import-untyped]  # ships no stubs

    frame = DataFrame(_columns(request["checks"], request["rows"]))
    asset = context.data_sources.add_pandas("送达数据概况").add_dataframe_asset("文件与县")
    batch = asset.add_batch_definition_whole_dataframe("全部")
    suite = gx.ExpectationSuite(name="数据门禁")
    for check in request["checks"]:
        for _, expectation in _expectations(check):
            suite.add_expectation(expectation)
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="数据门禁", data=batch, suite=context.suites.add(suite))
    )
    checkpoint = gx.Checkpoint(
        name=_CHECKPOINT,
        validation_definitions=[definition],
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["cell"],
            "partial_unexpected_count": 0,
            "include_unexpected_rows": False,
        },
    )
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    return [result for run in outcome.run_results.values() for result in run.results]


def crashed(exception_info: Mapping[str, Any] | None) -> bool:
    """Tell whether an expectation raised; the information is flat or one entry a metric."""
    info = exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(part, Mapping) and crashed(part) for part in info.values())


def results_by_cell(request: Mapping[str, Any], found: Iterable[Any]) -> dict[str, dict[str, str]]:
    """Return the result of every check that applies to a cell, from what was not met."""
    table = {row["cell"]: dict.fromkeys(row["values"], WITHIN) for row in request["rows"]}
    for one in found:
        meta = one.expectation_config.meta
        check_id, result = meta["check_id"], meta["result"]
        details = one.result or {}
        failed = crashed(one.exception_info) or "unexpected_count" not in details
        if failed:
            for results in table.values():
                if check_id in results:
                    results[check_id] = COULD_NOT_CHECK
            continue
        for entry in details.get("unexpected_index_list") or []:
            results = table[entry["cell"]]
            before = results.get(check_id)
            if before not in (None, COULD_NOT_CHECK):
                results[check_id] = max(str(before), result, key=_RANKED.index)
    return table


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Judge one request; with `docs`, build the Data Docs there, offline."""
    # In the folder it was started in: what a killed process leaves goes with the run's own files.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        context = _context(Path(folder))
        found = _run(context, request)
        results = results_by_cell(request, found)
        docs = ""
        if request["docs"]:
            from reports.data_docs import take_over

            context.build_data_docs()
            site = Path(folder) / "gx" / "uncommitted" / "data_docs" / "local_site"
            take_over(site, Path(request["docs"]))
            docs = request["docs"]
    return {"results": results, "docs": docs}


def _end_with(night: int) -> None:
    """End this process when the one that started it does: a killed night leaves nobody writing."""
    while os.getppid() == night:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    """Answer the requests of standard input; what Great Expectations prints goes nowhere."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    for line in sys.stdin:
        told = json.dumps(answer(json.loads(line)), ensure_ascii=False)
        out.write(told + "\n")
        out.flush()


if __name__ == "__main__":
    # It ends within seconds: to look for garbage, and to take down in the end all that Great
    # Expectations loads, would be a quarter of its work.
    gc.disable()
    main()
    os._exit(0)
