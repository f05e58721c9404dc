"""What a night remembers of confidential units between files, as keyed digests and never in clear.

A unit's form tells that its returns and visits are confidential too. Where the form is not read
again, this knowledge comes from the last night: as HMAC-SHA256 under the salt of the digest list.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from audit.contracts import Table
from audit.views import UNIT_SOURCES
from pipelines.confidential import UNIT_COLUMNS, Confidential

_FIELD = "\x1f"


@dataclass(slots=True)
class Secrets:
    """Keyed digests of one file: ids of its confidential units; its confidential rows, counted.

    A row is known by its table and key, one that is not whole by all its cells.
    """

    ids: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Hidden:
    """Confidential ids of all files so far, of files read and of files that need no reading."""

    confidential: Confidential
    ids: set[str] = field(default_factory=set)
    file: Secrets = field(default_factory=Secrets)

    def _mac(self, text: str) -> str:
        return hmac.digest(self.confidential.salt, text.encode(), "sha256").hex()

    def begin(self) -> str:
        """Begin a file; return what stands for all that the files before it have told."""
        self.file = Secrets()
        return hashlib.sha256("".join(sorted(self.ids)).encode()).hexdigest()

    def add(self, secrets: Secrets) -> None:
        """Take over what a file told when it was read in an earlier night."""
        self.file = secrets
        self.ids |= secrets.ids
        self.confidential.recall(secrets.ids)

    def note(self, table: Table, rows: pl.DataFrame) -> None:
        """Note confidential rows of normalised text."""
        if table.name in UNIT_SOURCES:
            units = rows.get_column(UNIT_COLUMNS[0])
            self.confidential.remember(units)
            self.file.ids |= {self.confidential.mark(unit) for unit in units if unit}
            self.ids |= self.file.ids
        self.note_cells((table.name, *key) for key in rows.select(table.key).iter_rows())

    def note_cells(self, rows: Iterable[Iterable[str | None]]) -> None:
        """Note confidential rows as their cells stand."""
        self.file.rows.update(self._mac(_FIELD.join(cell or "" for cell in row)) for row in rows)
