"""The data contract: tables, columns, types, labels and code lists, read from `audit/contract`.

Everything that names a column derives from here: the Arrow schemas, the DuckDB tables, the header
mapping, the intake checks, workbook labels and the data dictionary page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from audit.model import Label

CONTRACT_DIR = Path(__file__).parent / "contract"
INPUT_FILES = ("units", "returns", "registers", "process", "reference", "derived")
OUTPUT_FILES = ("output", "estimate")

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "code": pa.string(),
    "month": pa.string(),
    "integer": pa.int64(),
    "money": pa.float64(),
    "decimal": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
}
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "month": "VARCHAR",
    "integer": "BIGINT",
    "money": "DOUBLE",
    "decimal": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}
# Base loaders build only strings, lists and dicts: the safe choice, stricter than SafeLoader. That
# of libyaml is ten times faster; not every build of PyYAML has it.
TEXT_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
PROVENANCE = (("file_no", pa.int32(), "INTEGER"), ("row_no", pa.int64(), "BIGINT"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its type, labels, and what the form asks of it."""

    name: str
    label: Label
    type: str
    item: str = ""
    length: int | None = None
    required: bool = False
    mandatory: bool = False
    code_list: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: `columns` as delivered, `derived` as computed at intake from the same row."""

    name: str
    title: Label
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: tuple[Column, ...] = ()
    source: str = ""
    forms: tuple[str, ...] = ()
    note: str = ""

    @cached_property
    def all_columns(self) -> tuple[Column, ...]:
        """Delivered columns, then derived ones."""
        return self.columns + self.derived

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name, derived ones included."""
        return {column.name: column for column in self.all_columns}

    def arrow_schema(self, *, derived: bool = True) -> pa.Schema:
        """Return the Arrow schema of the typed table."""
        columns = self.all_columns if derived else self.columns
        return pa.schema([(c.name, ARROW_TYPES[c.type]) for c in columns])

    def duckdb_columns(self, *, provenance: bool = True) -> str:
        """Return the column list of a CREATE TABLE for the typed table."""
        parts = [f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in self.all_columns]
        if provenance and self.source not in ("output", "derived"):
            parts += [f"{name} {sql_type}" for name, _, sql_type in PROVENANCE]
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """All tables and code lists."""

    tables: Mapping[str, Table]
    outputs: Mapping[str, Table]
    code_lists: Mapping[str, Mapping[str, Label]]

    @property
    def delivered(self) -> Iterator[Table]:
        """The tables that an office delivers."""
        return (table for table in self.tables.values() if table.source != "derived")

    @cached_property
    def items(self) -> Mapping[str, Label]:
        """What columns of delivered tables are called, by name; the first table that has it says.

        Derived columns are among them.
        """
        named = (
            (c.name, c.label) for t in reversed([*self.tables.values()]) for c in t.all_columns
        )
        return dict(named)

    def label(self, code_list: str, code: str) -> Label:
        """Return the name of a code; the code itself where the list does not know it."""
        return self.code_lists.get(code_list, {}).get(code, Label(code, code))


def read_yaml(path: Path) -> Any:
    """Read YAML with every scalar as text, so that `0110` stays a code."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=TEXT_LOADER)  # noqa: S506  # strings only


def _label(entry: Mapping[str, str]) -> Label:
    return Label(entry["zh"], entry["en"])


def _column(name: str, entry: Mapping[str, str]) -> Column:
    known = {"zh", "en", "type", "item", "length", "required", "mandatory", "list", "note"}
    if unknown := set(entry) - known:
        raise ValueError(f"column {name}: unknown keys {sorted(unknown)}")
    if entry["type"] not in ARROW_TYPES:
        raise ValueError(f"column {name}: unknown type {entry['type']}")
    return Column(
        name=name,
        label=_label(entry),
        type=entry["type"],
        item=entry.get("item", ""),
        length=int(entry["length"]) if "length" in entry else None,
        required=entry.get("required") == "yes",
        mandatory=entry.get("mandatory") == "yes",
        code_list=entry.get("list", ""),
        note=entry.get("note", ""),
    )


def _table(name: str, entry: Mapping[str, Any]) -> Table:
    return Table(
        name=name,
        title=_label(entry["title"]),
        key=tuple(entry["key"]),
        columns=tuple(_column(n, c) for n, c in entry["columns"].items()),
        derived=tuple(_column(n, c) for n, c in entry.get("derived", {}).items()),
        source=entry["source"],
        forms=tuple(entry.get("forms", ())),
        note=entry.get("note", ""),
    )


def load_contract(folder: Path = CONTRACT_DIR) -> Contract:
    """Read the contract; a mistake in it raises ValueError naming the column."""
    tables: dict[str, Table] = {}
    for stem in INPUT_FILES:
        entries = read_yaml(folder / f"{stem}.yaml")
        tables |= {name: _table(name, entry) for name, entry in entries.items()}
    outputs: dict[str, Any] = {}
    for stem in OUTPUT_FILES:
        outputs |= read_yaml(folder / f"{stem}.yaml")
    lists = read_yaml(folder / "code_lists.yaml")
    return Contract(
        tables=tables,
        outputs={name: _table(name, entry) for name, entry in outputs.items()},
        code_lists={
            name: {code: _label(label) for code, label in codes.items()}
            for name, codes in lists.items()
        },
    )


CONTRACT = load_contract()
