"""Rooms and what each may import; sizes of files and functions."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("audit", "reports", "pipelines", "sample_data")
FORBIDDEN = {
    "audit": {"reports", "pipelines", "sample_data"},
    "reports": {"pipelines", "sample_data", "duckdb"},
    "sample_data": {"reports", "pipelines", "duckdb"},
    "pipelines": {"duckdb"},
}
SAMPLE_MAY_USE = {"audit.contracts", "audit.codes", "audit.reference"}
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def _imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    roots = {name.split(".")[0] for name in _imports(path)}
    forbidden = FORBIDDEN[room] if path.name != "duckdb.py" else FORBIDDEN[room] - {"duckdb"}
    if room == "audit" and path.name != "duckdb.py":
        forbidden = forbidden | {"duckdb"}

    assert roots & forbidden == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_are_not_loaded_at_import(path: Path) -> None:
    names = _imports(path, top_level=True)
    roots = {name.split(".")[0] for name in names}

    assert roots & {"great_expectations", "pandas", "pyspark"} == set()
    assert "scipy.stats" not in names


def test_tables_of_rules_and_lists_are_made_without_pandas() -> None:
    code = (
        "import sys, pipelines.run\n"
        "from audit.engines.duckdb import DuckDBEngine\n"
        "from audit.night import create_outputs, create_reference, rule_texts\n"
        "from audit.rulebook import load_rulebook\n"
        "with DuckDBEngine() as engine:\n"
        "    create_outputs(engine), create_reference(engine)\n"
        "    rule_texts(engine, load_rulebook())\n"
        "print(sorted({'pandas', 'scipy.stats'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_injector_knows_nothing_of_the_checks() -> None:
    used = {
        name
        for path in (ROOT / "sample_data").rglob("*.py")
        for name in _imports(path)
        if name.startswith("audit.") and name.count(".") == 1
    }

    assert used <= SAMPLE_MAY_USE


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long_functions = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 45
    ]

    assert len(text.splitlines()) <= 400
    assert long_functions == []
