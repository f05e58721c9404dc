"""Parsed records over the nights, so that a record that came last night is not parsed again.

    OUT/state/texts/<what changes a parsing>-<table>-<sha256 of the file>.npz

It holds hashes and parsed parts of the names, persons and addresses of last night's records, found
by two 64-bit hashes of the whole record; never more: each night leaves its own. Whatever is not
surely from the same program, packages and places is removed. A file that cannot be written costs
time the next night and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import audit.matching
from audit.matching.features import U64, Flags
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon, may_hold
from audit.matching.texts import Arrays
from pipelines.context import LOG

FOLDER = "texts"
MOST_CHANGED = 100
"""Industry words that came or went; with more of them all records are parsed again."""
_PACKAGES = ("numpy", "polars")
_WORDS, _FIRST, _SECOND = "words", "first", "second"
_SEEDS = {_FIRST: 0x5EED, _SECOND: 0xC0DE}
_FIELD = "of."
Parse = Callable[[pl.DataFrame], Arrays]


def _fingerprint(places: Gazetteer) -> str:
    """Return the digest of all but the industry words that the parts of a text follow from."""
    whole = hashlib.sha256()
    for file in sorted(Path(audit.matching.__path__[0]).iterdir()):
        if file.is_file():
            whole.update(file.name.encode() + b"\0" + file.read_bytes())
    packages = [version(name) for name in _PACKAGES]
    whole.update("|".join([*packages, platform.python_version(), places.digest]).encode())
    return whole.hexdigest()[:32]


def clear(state_dir: Path, but: Sequence[str] = ()) -> None:
    """Remove what is kept, except files of these names."""
    for file in _files(state_dir):
        if file.name not in but:
            file.unlink(missing_ok=True)


def _files(state_dir: Path) -> list[Path]:
    folder = state_dir / FOLDER
    return sorted(folder.iterdir()) if folder.is_dir() else []


Keys = dict[str, U64]


@dataclass(frozen=True, slots=True)
class _Known:
    """Parsed records of a night: their hashes, their fields, and the words they were split by."""

    keys: Keys
    fields: Arrays
    words: tuple[str, ...]

    def find(self, keys: Keys) -> tuple[NDArray[np.int64], Flags]:
        """Return the row of each record here, and which records are here at all."""
        first = self.keys[_FIRST]
        if all(np.array_equal(keys[name], values) for name, values in self.keys.items()):
            return np.arange(len(first)), np.ones(len(first), np.bool_)
        if not len(first):
            none = np.zeros(len(keys[_FIRST]), np.int64)
            return none, none > 0
        order = np.argsort(first)
        at = np.minimum(first[order].searchsorted(keys[_FIRST]), len(order) - 1)
        rows = order[at]
        there = np.ones(len(rows), np.bool_)
        for name, values in self.keys.items():
            there &= values[rows] == keys[name]
        return rows, there


@dataclass(slots=True)
class Kept:
    """What last night left and what tonight leaves, by table."""

    state_dir: Path
    places: Gazetteer
    words: Lexicon
    _names: list[str] = field(default_factory=list)
    """Files that stay."""

    def fields(self, records: pl.DataFrame, parse: Parse) -> Arrays:
        """Return what `parse` says of records (RECORD_SCHEMA), of known ones what it said.

        What a record's fields are may depend on nothing but the record, places and words.
        """
        if records.is_empty():
            return parse(records)
        tables = records["table_name"].fill_null("")
        found: Arrays = {}
        for table in tables.unique(maintain_order=True):
            here = tables == table
            rows = np.flatnonzero(here.to_numpy())
            for name, values in self._of_table(table, records.filter(here), parse).items():
                if name not in found:
                    found[name] = np.empty((len(records), *values.shape[1:]), values.dtype)
                found[name][rows] = values
        return found

    def _of_table(self, table: str, records: pl.DataFrame, parse: Parse) -> Arrays:
        keys = {name: records.hash_rows(seed).to_numpy() for name, seed in _SEEDS.items()}
        known, name = self._restore(table)
        if known is None:
            fields = parse(records)
            self._keep(table, keys, fields)
            return fields
        rows, there = known.find(keys)
        there &= ~self._doubtful(known, records["name"])
        fields = {name: values.take(rows, axis=0) for name, values in known.fields.items()}
        new = np.flatnonzero(~there)
        if len(new):
            for field_name, values in parse(records[new]).items():
                fields[field_name][new] = values
        if len(new) or len(rows) < len(known.keys[_FIRST]) or known.words != self.words.words:
            self._keep(table, keys, fields)
        else:
            self._names.append(name)
        return fields

    def _doubtful(self, known: _Known, names: pl.Series) -> Flags:
        """Say which names may hold an industry word that came or went since."""
        changed = sorted(set(known.words) ^ set(self.words.words))
        if not changed:
            return np.zeros(len(names), np.bool_)
        if len(changed) > MOST_CHANGED:
            return np.ones(len(names), np.bool_)
        return may_hold(names, words=changed)

    def _restore(self, table: str) -> tuple[_Known | None, str]:
        """Return last night's records; none where they may not be what parsing gives tonight."""
        made = f"{_fingerprint(self.places)}-{table}"
        for file in _files(self.state_dir):
            name, _, digest = file.stem.rpartition("-")
            if name != made:
                continue
            try:
                content = file.read_bytes()
            except OSError:
                continue
            if hashlib.sha256(content).hexdigest() == digest:
                return _unpacked(content), file.name
            # Under its name the sound one would be taken for kept.
            file.unlink(missing_ok=True)
        return None, ""

    def _keep(self, table: str, keys: Keys, fields: Arrays) -> None:
        content = _packed(keys, fields, self.words)
        digest = hashlib.sha256(content).hexdigest()
        name = f"{_fingerprint(self.places)}-{table}-{digest}.npz"
        folder = self.state_dir / FOLDER
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = folder / f"unfinished-{table}"
            unfinished.unlink(missing_ok=True)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            unfinished.replace(folder / name)
        except OSError as error:
            LOG.warning("link: parsed records cannot be kept: %s", error.strerror)
        else:
            self._names.append(name)

    def settle(self) -> None:
        """Remove all that is not of tonight."""
        try:
            clear(self.state_dir, but=self._names)
        except OSError as error:
            LOG.warning("link: parsed records cannot be removed: %s", error.strerror)


def _unpacked(content: bytes) -> _Known:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _Known(
            keys={name: arrays[name] for name in _SEEDS},
            fields={n.removeprefix(_FIELD): arrays[n] for n in arrays.files if "." in n},
            words=tuple(arrays[_WORDS].tobytes().decode().split("\n")),
        )


def _packed(keys: Keys, fields: Arrays, words: Lexicon) -> memoryview:
    said = "\n".join(words.words).encode()
    arrays = {_WORDS: np.frombuffer(said, dtype=np.uint8), **keys}
    arrays |= {f"{_FIELD}{name}": values for name, values in fields.items()}
    whole = io.BytesIO()
    np.savez(whole, **arrays)  # type: ignore[arg-type]  # numpy's stub takes a flag by name
    return whole.getbuffer()
