"""A key of a printed sheet that is no open finding any more: what the history says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from audit.engines.duckdb import PackageReader
from audit.errors import EngineError, UsageError
from audit.quoting import quoted
from pipelines.publish import RUNS
from pipelines.sql import PACKAGE, current_package
from reports.html_texts import CAUSES, STILL_OPEN

NIGHTS = 31
"""How many nights are looked through for what became of a finding."""
LEAST = 6
"""Characters of a key that are needed to name a finding."""


def _packages(out: Path) -> Iterator[Path]:
    """Yield the current package, then those of other nights, the newest first."""
    current = current_package(out)
    yield current
    others = [path for path in (out / RUNS).glob(f"*/{PACKAGE}") if path.resolve() != current]
    yield from sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[: NIGHTS - 1]


def _last_word(out: Path, key: str) -> list[dict[str, Any]]:
    """Return what the latest night that knows of a key says: up to two findings of its history."""
    for package in _packages(out):
        # A package of an older version, or one that is being removed, has nothing to say.
        with suppress(EngineError), PackageReader(package) as reader:
            rows = reader.fetch(
                "SELECT finding_key, run_id, state, cause FROM audit.finding_history "
                f"WHERE starts_with(finding_key, {quoted(key)}) ORDER BY finding_key LIMIT 2"
            ).to_pylist()
            if rows:
                return [dict(row) for row in rows]
    return []


def _gone(key: str, row: dict[str, Any]) -> UsageError | None:
    run, cause = row["run_id"], row["cause"]
    if row["state"] == "resolved":
        why = CAUSES[cause]
        return UsageError(
            f"差错 {key} 已于批次 {run} 消除：{why.zh}。",
            f"The finding {key} was resolved in run {run}: {why.en}.",
        )
    if cause in STILL_OPEN:
        why = STILL_OPEN[cause]
        return UsageError(
            f"差错 {key} 在批次 {run} {why.zh}，仍未消除。数据包中没有它的明细；"
            "可用 census-audit explain 输出文件夹/runs/较早批次 查看。",
            f"The finding {key} was {why.en} in run {run} and stays open. The package has no "
            "details of it; look with census-audit explain OUT/runs/EARLIER_RUN.",
        )
    return None


def not_found(out: Path, key: str, n_found: int) -> UsageError:
    """Return the error of a key that does not name one finding of the current package.

    `n_found`: how many it names. Where it names none, the history says what became of it.
    """
    if len(key) < LEAST:
        return UsageError(
            f"差错标识至少写前 {LEAST} 位；见核查册“差错标识”栏。",
            f"Give at least the first {LEAST} characters of a key; see the column Finding of the "
            "verification workbook.",
        )
    told = [] if n_found else _last_word(out, key)
    if n_found > 1 or len(told) > 1:
        return UsageError(
            f"以 {key} 开头的差错不止一条，请多写几位。完整标识见 audit.finding 的 finding_key。",
            f"The key {key} names more than one finding; give more characters. Whole keys are in "
            "audit.finding.finding_key.",
        )
    gone = _gone(key, told[0]) if told else None
    return gone or UsageError(
        f"没有差错标识为 {key} 的差错；见核查册“差错标识”栏。",
        f"No finding has the key {key}; see the column Finding of the verification workbook.",
    )
