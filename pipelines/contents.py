"""What tables hold tonight, as digests: what follows from equal ones need not be made again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.views import UNIT_SOURCES
from pipelines.parts import Store


def digest(*texts: object) -> str:
    """Return the SHA-256 of texts, each told apart from its neighbours."""
    total = hashlib.sha256()
    for text in texts:
        total.update(f"{len(str(text))} {text}\n".encode())
    return total.hexdigest()


def rows_left(engine: DuckDBEngine, name: str, row: str) -> str:
    """Return the count of a table's rows and two sums over `row`, an expression of each."""
    return str(
        engine.rows(
            f"SELECT COUNT(*), CAST(SUM(hash({row})) AS VARCHAR), "
            f"CAST(BIT_XOR(hash(1, {row})) AS VARCHAR) FROM {name} AS t"
        )
    )


@dataclass(slots=True)
class Contents:
    """The digests of tonight's tables, by the names that rules use; each is made once.

    A delivered table is told by the bytes of its files, by all that changes a reading
    (`Store.contents`) and by which rows are left; any other table by its rows.
    """

    engine: DuckDBEngine
    store: Store
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return the digest of a table."""
        if name not in self._known:
            self._known[name] = self._digest(name)
        return self._known[name]

    def _digest(self, name: str) -> str:
        if name == "unit":
            return digest(*(self.of(source) for source in UNIT_SOURCES))
        if name not in CONTRACT.tables:
            return digest(name, rows_left(self.engine, name, "t"))
        # Without a file its rows come from the program, or there are none.
        came = self.store.contents.get(name, self.store.fingerprint)
        return digest(name, came, rows_left(self.engine, f"census.{name}", "file_no, row_no"))
