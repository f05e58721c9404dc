"""Parsed texts over the nights, so that a name that came last night is not parsed again.

    OUT/state/texts/<what changes a parsing>-<sha256 of the file>.npz

It holds hashes and parsed parts of the names, persons and addresses that last night's tables held,
never more: each night leaves its own. Whatever is not surely from the same program, packages and
places is removed. A file that cannot be written costs time the next night and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import platform
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

import audit.matching
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon, may_hold
from audit.matching.parsing import NAME
from audit.matching.texts import Known, Texts
from pipelines.context import LOG

FOLDER = "texts"
MOST_CHANGED = 100
"""Industry words that came or went; with more of them all names are parsed again."""
_PACKAGES = ("numpy", "polars")
_WORDS = "words"
_KEYS = ("first", "second")


def _fingerprint(places: Gazetteer) -> str:
    """Return the digest of all but the industry words that the parts of a text follow from."""
    whole = hashlib.sha256()
    for file in sorted(Path(audit.matching.__path__[0]).iterdir()):
        if file.is_file():
            whole.update(file.name.encode() + b"\0" + file.read_bytes())
    packages = [version(name) for name in _PACKAGES]
    whole.update("|".join([*packages, platform.python_version(), places.digest]).encode())
    return whole.hexdigest()[:32]


def clear(state_dir: Path) -> None:
    """Remove what is kept."""
    for file in _files(state_dir):
        file.unlink(missing_ok=True)


def _files(state_dir: Path) -> list[Path]:
    folder = state_dir / FOLDER
    return sorted(folder.iterdir()) if folder.is_dir() else []


def restore(state_dir: Path, places: Gazetteer, words: Lexicon) -> Texts:
    """Return the texts of last night; none where they may not be what parsing gives tonight."""
    wanted = _fingerprint(places)
    for file in _files(state_dir):
        name, _, digest = file.stem.partition("-")
        if name != wanted:
            continue
        try:
            content = file.read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() == digest:
            return _with_doubts(*_unpacked(content), words)
        # Under its name the sound one would be taken for kept.
        file.unlink(missing_ok=True)
    return Texts()


def _unpacked(content: bytes) -> tuple[dict[str, Known], list[str]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        words = arrays[_WORDS].tobytes().decode().split("\n")
        for name in arrays.files:
            kind, _, column = name.partition(".")
            if column:
                found.setdefault(kind, {})[column] = arrays[name]
    known = {
        kind: Known(
            first=columns["first"],
            second=columns["second"],
            row=np.arange(len(columns["first"])),
            fields={name.removeprefix("of."): v for name, v in columns.items() if "." in name},
        )
        for kind, columns in found.items()
    }
    return known, words


def _with_doubts(known: dict[str, Known], then: list[str], words: Lexicon) -> Texts:
    """Return the texts; names that may hold an industry word that came or went are in doubt."""
    changed = set(then) ^ set(words.words)
    if len(changed) > MOST_CHANGED:
        known.pop(NAME, None)
    if not changed or NAME not in known:
        return Texts(known)
    return Texts(known, {NAME: partial(may_hold, words=sorted(changed))})


def _packed(known: Mapping[str, Known], words: Lexicon) -> bytes:
    said = "\n".join(words.words).encode()
    arrays = {_WORDS: np.frombuffer(said, dtype=np.uint8)}
    for kind, one in known.items():
        arrays |= {f"{kind}.{key}": getattr(one, key) for key in _KEYS}
        arrays |= {f"{kind}.of.{name}": values for name, values in one.fields.items()}
    whole = io.BytesIO()
    np.savez(whole, **arrays)  # type: ignore[arg-type]  # numpy's stub takes a flag by name
    return whole.getvalue()


def keep(state_dir: Path, texts: Texts, places: Gazetteer, words: Lexicon) -> None:
    """Keep the texts of tonight in the place of all others."""
    content = _packed(texts.used(), words)
    name = f"{_fingerprint(places)}-{hashlib.sha256(content).hexdigest()}.npz"
    try:
        (state_dir / FOLDER).mkdir(parents=True, exist_ok=True)
        if not (state_dir / FOLDER / name).exists():
            clear(state_dir)
            unfinished = state_dir / FOLDER / "unfinished"
            unfinished.write_bytes(content)
            unfinished.replace(state_dir / FOLDER / name)
    except OSError as error:
        LOG.warning("link: parsed texts cannot be kept: %s", error.strerror)
        clear(state_dir)
