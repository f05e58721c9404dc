"""What rules gave on an earlier night, as the check asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from audit.engines.base import Engine
from audit.model import Rule


class Memory(Protocol):
    """Results of rules, put back where a rule would give the same again."""

    def recall(self, engine: Engine, rules: Mapping[str, tuple[Rule, str]]) -> frozenset[str]:
        """Stage the findings and outcomes of rules that need not run; return their ids.

        `rules`: by id, with the SQL that would run.
        """

    def keep(self, engine: Engine) -> None:
        """Keep what is staged, when all rules have run."""
