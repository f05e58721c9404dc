"""Decisions of people on pairs, in OUT/state: appended, never rewritten, binding later nights."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from io import FileIO
from pathlib import Path

import polars as pl

from audit.errors import InputError

FILE = "decisions.jsonl"
SAME, DIFFERENT = "must-link", "cannot-link"
Node = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer of a person on one pair.

    `left_identity` and `right_identity` are digests of name and code at that time: whether they
    have changed since can be told without keeping the values. `decided_on` is YYYY-MM-DD.
    """

    left_id: str
    right_id: str
    left_table: str
    right_table: str
    answer: str
    person: str
    decided_on: str
    basis: str
    note: str
    run_id: str
    file: str
    left_identity: str
    right_identity: str

    @property
    def pair(self) -> tuple[Node, Node]:
        """Both records as (table, id), the smaller first."""
        nodes = sorted([(self.left_table, self.left_id), (self.right_table, self.right_id)])
        return nodes[0], nodes[1]


SCHEMA = {field.name: pl.String() for field in fields(Decision)}


def _complete(data: bytes) -> bytes:
    """Return what was written to its end: a line that a crash cut short was never acknowledged."""
    return data[: data.rfind(b"\n") + 1]


def _read(line: bytes) -> Decision:
    """Return the decision of one line; ValueError or TypeError where it is none."""
    decision = Decision(**json.loads(line))
    if not all(isinstance(value, str) for value in asdict(decision).values()):
        raise TypeError("a decision consists of texts")
    return decision


def load(state_dir: Path) -> list[Decision]:
    """Return all decisions, the oldest first; InputError where the file is damaged."""
    path = state_dir / FILE
    if not path.exists():
        return []
    lines = _complete(path.read_bytes()).splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_read(line))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"人工判定文件 {FILE} 第 {number} 行已损坏。请从备份恢复 {path}。",
                f"Line {number} of the file of decisions {FILE} is damaged. "
                f"Restore {path} from a backup.",
            ) from error
    return found


def append(state_dir: Path, decisions: Sequence[Decision]) -> None:
    """Append decisions; they are on the disk when this returns, or not there at all.

    Call it under the `RunLock`. OSError when the disk is full.
    """
    if not decisions:
        return
    lines = "".join(json.dumps(asdict(d), ensure_ascii=False) + "\n" for d in decisions)
    path = state_dir / FILE
    is_new = not path.exists()
    # Unbuffered: what a full disk refused would otherwise be tried again on the way out.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with FileIO(handle, "ab") as file:
        _add(file, lines.encode(), len(_complete(path.read_bytes())))
    if is_new:
        _sync_folder(state_dir)


def _add(file: FileIO, data: bytes, end: int) -> None:
    """Write all of the data behind `end`, or cut the file there again."""
    os.ftruncate(file.fileno(), end)
    try:
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
    except BaseException:
        os.ftruncate(file.fileno(), end)
        raise


def _sync_folder(folder: Path) -> None:
    """Put a new name in a folder on the disk, without which a crash may lose the file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def in_force(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the last word on each pair, in the order of the pairs."""
    last = {decision.pair: decision for decision in decisions}
    return sorted(last.values(), key=lambda d: d.pair)


class Agreement:
    """Decisions that do not contradict each other, also by way of third records."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._words: dict[tuple[Node, Node], Decision] = {d.pair: d for d in decisions}
        self._build()

    def _build(self) -> None:
        self._parent: dict[Node, Node] = {}
        for pair, decision in self._words.items():
            if decision.answer == SAME:
                self._join(pair)
        self._apart = [p for p, d in self._words.items() if d.answer == DIFFERENT]

    def _root(self, node: Node) -> Node:
        while (parent := self._parent.get(node, node)) != node:
            self._parent[node] = self._parent.get(parent, parent)
            node = parent
        return node

    def _join(self, pair: tuple[Node, Node]) -> None:
        left, right = (self._root(node) for node in pair)
        self._parent[max(left, right)] = min(left, right)

    def refuses(self, decision: Decision) -> bool:
        """Tell whether a decision contradicts the others; else take it in.

        Another word on the same pair replaces the earlier one.
        """
        before = self._words.pop(decision.pair, None)
        if before is not None:
            self._build()
        left, right = (self._root(node) for node in decision.pair)
        if decision.answer == DIFFERENT:
            contradicts = left == right
        else:
            wanted = {left, right}
            contradicts = left != right and any(
                {self._root(a), self._root(b)} == wanted for a, b in self._apart
            )
        kept = before if contradicts else decision
        if kept is not None:
            self._words[kept.pair] = kept
            self._build() if before is not None else self._take(kept)
        return contradicts

    def _take(self, decision: Decision) -> None:
        if decision.answer == SAME:
            self._join(decision.pair)
        else:
            self._apart.append(decision.pair)


def frame(decisions: Sequence[Decision]) -> pl.DataFrame:
    """Return decisions as a frame, one text column a field."""
    rows = [asdict(decision) for decision in decisions]
    return pl.DataFrame(rows, schema=SCHEMA)
