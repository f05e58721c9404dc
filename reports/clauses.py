"""What the generated pages say beyond the rules: clauses of the plan, changes of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.contracts import read_yaml
from audit.model import Label
from audit.rulebook import RULES_DIR

COVERAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.yaml"
HISTORY = RULES_DIR / "history.yaml"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of the plan, and what covers it beside rules: a capability, or why nothing does."""

    id: str
    title: Label
    capability: Label | None
    reason: Label | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a version of a rule changed."""

    version: int
    date: str
    text: Label


def _label(entry: Mapping[str, Any] | None) -> Label | None:
    return None if entry is None else Label(entry["zh"], entry["en"])


def load_clauses(path: Path = COVERAGE) -> tuple[Clause, ...]:
    """Return the clauses in the plan's order; KeyError where a text is missing."""
    return tuple(
        Clause(
            id=name,
            title=Label(entry["title"]["zh"], entry["title"]["en"]),
            capability=_label(entry.get("capability")),
            reason=_label(entry.get("reason")),
        )
        for name, entry in read_yaml(path).items()
    )


def load_history(path: Path = HISTORY) -> dict[str, tuple[Change, ...]]:
    """Return the changes of each rule above its first version, the latest first."""
    return {
        rule: tuple(
            sorted(
                (Change(int(e["version"]), e["date"], Label(e["zh"], e["en"])) for e in entries),
                key=lambda change: -change.version,
            )
        )
        for rule, entries in read_yaml(path).items()
    }
