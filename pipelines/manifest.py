"""The manifest of a run: what went in, by which rules and settings, and what came out."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from audit.contracts import CONTRACT
from audit.engines.duckdb import PackageReader
from audit.model import Rule, RunInfo
from audit.rulebook import RuleBook
from pipelines.config import RunConfig
from pipelines.context import RunContext
from pipelines.publish import SPILL
from pipelines.sql import PACKAGE

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
_PACKAGES = (
    "duckdb",
    "jinja2",
    "numpy",
    "polars",
    "pyarrow",
    "python-calamine",
    "pyyaml",
    "rapidfuzz",
    "scipy",
    "sqlglot",
    "xlsxwriter",
)
_BLOCK = 1 << 20


class Spent(Protocol):
    """Cost of a stage: seconds of wall clock and of all cores, peak memory in MB."""

    @property
    def stage(self) -> str:
        """Name of the stage."""

    @property
    def wall(self) -> float:
        """Seconds of wall clock."""

    @property
    def cpu(self) -> float:
        """Seconds of all cores."""

    @property
    def peak_mb(self) -> float:
        """Peak memory of the process so far."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _parameters(rule: Rule, overrides: Mapping[str, str]) -> dict[str, str]:
    return {p.name: overrides.get(p.name, p.default) for p in rule.parameters}


def _rules(book: RuleBook, info: RunInfo) -> list[dict[str, Any]]:
    return [
        {
            "rule_id": rule.id,
            "version": rule.version,
            "sha256": rule.sha256,
            "severity": rule.severity.value,
            "parameters": _parameters(rule, info.parameters.get(rule.id, {})),
            # What the run's settings asked for, whatever the header of the rule says.
            "overrides": dict(info.parameters.get(rule.id, {})),
        }
        for rule in sorted(book.rules, key=lambda rule: rule.id)
    ]


def _settings(config: RunConfig) -> dict[str, Any]:
    settings = asdict(config)
    # The place of the salt is nobody's business; that there was one is.
    settings["salted"] = settings.pop("salt_file") is not None
    del settings["parameters"]
    return settings


def _stages(stages: Iterable[Spent]) -> list[dict[str, Any]]:
    return [
        {
            "stage": spent.stage,
            "wall_seconds": round(spent.wall, 3),
            "cpu_seconds": round(spent.cpu, 3),
            "peak_mb": round(spent.peak_mb, 1),
        }
        for spent in stages
    ]


def _outputs(run_dir: Path) -> list[dict[str, Any]]:
    files = (path for path in run_dir.rglob("*") if path.is_file())
    named = {path.relative_to(run_dir).as_posix(): path for path in files}
    listed = {
        name: path
        for name, path in sorted(named.items())
        if name != MANIFEST and not name.startswith(f"{SPILL}/")
    }
    # The package is most of it: the others are read beside it.
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(file_digest, listed.values()))
    return [
        {"path": name, "bytes": path.stat().st_size, "sha256": digest}
        for (name, path), digest in zip(listed.items(), digests, strict=True)
    ]


def _contents(package: Path) -> dict[str, Any]:
    """Return what the closed package itself tells: the run, its inputs, its counts."""
    with PackageReader(package) as reader:
        run = reader.fetch(
            "SELECT CAST(finished_at AS VARCHAR) AS finished_at, status FROM audit.run"
        ).to_pylist()
        inputs = reader.fetch(
            "SELECT file, table_name, digest, format, encoding, rows_delivered, rows_loaded, "
            "rows_refused, rows_private_use, superseded_by, rows_superseded, keys_lost "
            "FROM census.delivered_file ORDER BY file, file_no"
        ).to_pylist()
        findings = reader.fetch(
            "SELECT severity, COUNT(*) AS n FROM audit.finding GROUP BY severity ORDER BY severity"
        ).to_pylist()
        names = sorted(
            name
            for name in CONTRACT.outputs
            if name.startswith(("audit.", "linkage.", "estimate."))
        )
        counts = " UNION ALL ".join(f"SELECT '{n}' AS name, COUNT(*) AS n FROM {n}" for n in names)
        tables = reader.fetch(f"SELECT name, n FROM ({counts}) ORDER BY name").to_pylist()
    return {
        "finished_at": run[0]["finished_at"] if run else None,
        "status": run[0]["status"] if run else None,
        "inputs": inputs,
        "counts": {
            "findings": {row["severity"]: row["n"] for row in findings},
            "tables": {row["name"]: row["n"] for row in tables},
        },
    }


def write(
    ctx: RunContext,
    book: RuleBook,
    stages: Iterable[Spent],
    unchanged: frozenset[str] = frozenset(),
) -> Path:
    """Write `manifest.json` beside the closed package and return its path.

    `unchanged`: the delivered files that were not read again.

    Keys are sorted and nothing is read off the clock: the same run gives the same text.
    """
    info = ctx.info
    content = _contents(ctx.run_dir / PACKAGE)
    for file in content["inputs"]:
        file["unchanged"] = file["file"] in unchanged
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "run_id": info.run_id,
            "started_at": info.started_at,
            "finished_at": content.pop("finished_at"),
            "status": content.pop("status"),
            "engine": info.engine,
            "code_version": info.code_version,
            "rulebook_digest": info.rulebook_digest,
            "input_digest": info.input_digest,
        },
        **content,
        "contents": ctx.contents,
        "rules": _rules(book, info),
        "settings": _settings(ctx.config),
        "versions": {name: _version(name) for name in _PACKAGES}
        | {"python": platform.python_version()},
        "stages": _stages(stages),
        "outputs": _outputs(ctx.run_dir),
    }
    path = ctx.run_dir / MANIFEST
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path
