"""What tables hold tonight, as digests: what follows from equal ones need not be made again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.contracts import CONTRACT
from audit.engines.duckdb import DuckDBEngine
from audit.reference import load_reference
from audit.views import UNIT_SOURCES, delivered_as
from pipelines.parts import Store

FORMS = frozenset({*UNIT_SOURCES, "employment", "finance", "institution_finance", "production"})
"""Tables told column by column: most nights correct a few values of what units report."""
UNIT = "unit"
_WORD = re.compile(r"\w+")
_ALL_COLUMNS = re.compile(
    r"(?:\bSELECT|\bDISTINCT|,|\.)\s*\*|\)\s*\*\s*(?:,|\bFROM\b)"
    r"|\bNATURAL\b|\bCOLUMNS\s*\(|(?:^|[(;])\s*FROM\b",
    re.IGNORECASE,
)
Words = frozenset[str]
_COLUMNS, _COUNTS = "columns", "counts"


def digest(*texts: object) -> str:
    """Return the SHA-256 of texts, each told apart from its neighbours."""
    total = hashlib.sha256()
    for text in texts:
        total.update(f"{len(str(text))} {text}\n".encode())
    return total.hexdigest()


def words(sql: str) -> Words | None:
    """Return the words of a SELECT, all columns that it reads among them.

    None where it may read columns that it does not name.
    """
    return None if _ALL_COLUMNS.search(sql) else frozenset(_WORD.findall(sql.lower()))


def _sums(values: str) -> str:
    """Return SQL of what stands for `values` of all rows, in any order.

    The hash of several values is the exclusive or of theirs: summed as it is, what two rows
    exchange may cancel out. So it is hashed once more.
    """
    mixed = f"hash(hash({values}))"
    return f"CAST(SUM({mixed}) AS VARCHAR) || ' ' || BIT_XOR(hash(1, {mixed}))"


def rows_left(engine: DuckDBEngine, name: str, row: str) -> str:
    """Return the count of a table's rows and two sums over `row`, an expression of each."""
    return str(engine.rows(f"SELECT COUNT(*), {_sums(row)} FROM {name} AS t"))


@dataclass(slots=True)
class Contents:
    """The digests of tonight's tables, by the names that rules use; each is made once.

    A delivered table is told by the bytes of its files, by all that changes a reading
    (`Store.contents`) and by which rows are left; any other table by its rows. Of `FORMS` it is
    also known what each column holds: the digests of those that did not change lie in `folder`, and
    counts that follow from unchanged tables.
    """

    engine: DuckDBEngine
    store: Store
    folder: Path
    _known: dict[str, str] = field(default_factory=dict)
    _columns: dict[str, dict[str, str]] = field(default_factory=dict)
    _counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _earlier: dict[str, dict[str, Any]] | None = None

    def of(self, name: str) -> str:
        """Return the digest of a table."""
        if name not in self._known:
            self._known[name] = self._digest(name)
        return self._known[name]

    def read(self, sql: str, tables: Iterable[str]) -> str:
        """Return the digest of all that a SELECT reads of the tables that it names.

        Any column whose name is among its words counts as read, and which rows there are.
        """
        said = words(sql)
        return digest(*(f"{name} {self._of_columns(name, said)}" for name in tables))

    def reference(self, sql: str) -> str:
        """Return the digest of the reference lists that a SELECT names."""
        said = words(sql)
        lists = (f"ref_{name}" for name in load_reference())
        return digest(*(self.of(name) for name in lists if said is None or name in said))

    def counts(self, name: str, key: str, count: Callable[[], list[Any]]) -> list[Any]:
        """Return what `count` gives, made anew where `key` is not that of last night.

        `key` stands for all that the counts follow from; they are numbers and codes of regions and
        files, nothing of a unit.
        """
        held = self._kept(_COUNTS, name)
        if held.get("key") != key or held.get("sound") != _sound(key, held.get("rows")):
            rows = count()
            held = {"key": key, "rows": rows, "sound": _sound(key, rows)}
        self._counts[name] = held
        rows_kept: list[Any] = held["rows"]
        return rows_kept

    def _of_columns(self, name: str, said: Words | None) -> str:
        if said is None or name not in FORMS | {UNIT}:
            return self.of(name)
        if name == UNIT:
            return digest(*(self._of_columns(t, _as_delivered(t, said)) for t in UNIT_SOURCES))
        held = self._of_table(name)
        key = CONTRACT.tables[name].key
        return digest(*(f"{c} {value}" for c, value in held.items() if c in said or c in key))

    def _of_table(self, name: str) -> dict[str, str]:
        content = self.of(name)
        held = self._columns.get(name) or self._kept(_COLUMNS, name)
        if held.get("") != content:
            held = {"": content, **by_column(self.engine, name)}
        self._columns[name] = held
        return {column: value for column, value in held.items() if column}

    def _digest(self, name: str) -> str:
        if name == UNIT:
            return digest(*(self.of(source) for source in UNIT_SOURCES))
        if name not in CONTRACT.tables:
            return digest(name, rows_left(self.engine, name, "t"))
        # Without a file its rows come from the program, or there are none.
        came = self.store.contents.get(name, self.store.fingerprint)
        return digest(name, came, rows_left(self.engine, f"census.{name}", "file_no, row_no"))

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.store.fingerprint}-contents.json"

    def _kept(self, kind: str, name: str) -> dict[str, Any]:
        """Return what the last night kept under a name; nothing where it is damaged."""
        held = self._all_kept(kind).get(name)
        return held if isinstance(held, dict) else {}

    def _all_kept(self, kind: str) -> dict[str, Any]:
        if self._earlier is None:
            try:
                self._earlier = dict(json.loads(self._file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self._earlier = {}
        held = self._earlier.get(kind)
        return held if isinstance(held, dict) else {}

    def keep(self) -> Path:
        """Keep the digests of columns and the counts for the next night; return the file."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        waiting = self.folder / ".contents"
        waiting.touch(mode=0o600)
        tonight = {_COLUMNS: self._columns, _COUNTS: self._counts}
        text = json.dumps({kind: self._all_kept(kind) | held for kind, held in tonight.items()})
        waiting.write_text(text, encoding="utf-8")
        return waiting.rename(self._file)


def _sound(key: str, rows: object) -> str:
    return digest(key, json.dumps(rows))


def _as_delivered(table: str, said: Words) -> Words:
    return said | {delivered_as(table, word) for word in said}


def by_column(engine: DuckDBEngine, name: str) -> dict[str, str]:
    """Return what stands for each column of a delivered table, its values told by their key."""
    key = ", ".join(CONTRACT.tables[name].key)
    columns = engine.columns(f"SELECT * FROM census.{name}")
    sums = ", ".join(_sums(f"{key}, {column}") for column in columns)
    found = engine.rows(f"SELECT {sums} FROM census.{name}")[0]
    return dict(zip(columns, map(str, found), strict=True))
