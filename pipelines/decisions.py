"""Decisions of people on pairs, in OUT/state: appended, never rewritten, binding later nights."""

from __future__ import annotations

import json
import os
from collections import defaultdict, deque
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


def _complete(path: Path) -> bytes:
    """Return what was written to its end: a line that a crash cut short was never acknowledged.

    InputError where what stands behind the last whole line is not the beginning of one.
    """
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    rest = data[len(whole) :]
    if rest and (not rest.startswith(b"{") or b"\0" in rest):
        raise _damaged(path, whole.count(b"\n") + 1)
    return whole


def _damaged(path: Path, line: int) -> InputError:
    return InputError(
        f"人工判定文件 {FILE} 第 {line} 行已损坏。请从备份恢复 {path}。",
        f"Line {line} of the file of decisions {FILE} is damaged. Restore {path} from a backup.",
    )


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
    lines = _complete(path).splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_read(line))
        except (ValueError, TypeError) as error:
            raise _damaged(path, number) from error
    return found


def append(state_dir: Path, decisions: Sequence[Decision]) -> None:
    """Append decisions; they are on the disk when this returns, or not there at all.

    Call it under the `RunLock`. OSError when the disk is full, InputError for a damaged file.
    """
    if not decisions:
        return
    lines = "".join(json.dumps(asdict(d), ensure_ascii=False) + "\n" for d in decisions)
    path = state_dir / FILE
    is_new = not path.exists()
    # Unbuffered: what a full disk refused would otherwise be tried again on the way out.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with FileIO(handle, "ab") as file:
        _add(file, lines.encode(), len(_complete(path)))
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


def lost(decisions: Iterable[Decision], published: Path | None) -> int:
    """Return how many pairs of a published `linkage.decision` are not decided on here.

    Decisions are appended only: there is no other reason than a file that is older or was emptied.
    """
    if published is None:
        return 0
    sides = [["left_table", "left_id"], ["right_table", "right_id"]]
    rows = pl.read_parquet(published)
    known = zip(*(rows.select(side).rows() for side in sides), strict=True)
    here = {decision.pair for decision in decisions}
    return sum(tuple(sorted(pair)) not in here for pair in known)


class Agreement:
    """Decisions that do not contradict each other, also by way of third records."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._words: dict[tuple[Node, Node], Decision] = {d.pair: d for d in decisions}
        self._build()

    def _build(self) -> None:
        self._parent: dict[Node, Node] = {}
        self._same: dict[Node, dict[Node, Decision]] = defaultdict(dict)
        # Of each root the roots that it must not meet, with the decision that says so.
        self._apart: dict[Node, dict[Node, Decision]] = defaultdict(dict)
        for wanted in (SAME, DIFFERENT):
            for decision in self._words.values():
                if decision.answer == wanted:
                    self._take(decision)

    def _root(self, node: Node) -> Node:
        while (parent := self._parent.get(node, node)) != node:
            self._parent[node] = self._parent.get(parent, parent)
            node = parent
        return node

    def against(self, decision: Decision) -> list[Decision]:
        """Return the decisions that a decision contradicts; take it in where there are none.

        Another word on the same pair replaces the earlier one.
        """
        before = self._words.get(decision.pair)
        if before is not None and before.answer != decision.answer:
            del self._words[decision.pair]
            self._build()
        found = self._contradicted(decision)
        if not found:
            self._words[decision.pair] = decision
            self._take(decision)
        elif before is not None:
            self._words[before.pair] = before
            self._take(before)
        return found

    def _contradicted(self, decision: Decision) -> list[Decision]:
        left, right = (self._root(node) for node in decision.pair)
        if decision.answer == DIFFERENT:
            return self._chain(*decision.pair) if left == right else []
        apart = self._apart.get(left, {}).get(right)
        return [] if apart is None else [apart]

    def _chain(self, start: Node, end: Node) -> list[Decision]:
        """Return a shortest chain of decisions by which two records are one unit."""
        came: dict[Node, Node] = {start: start}
        waiting = deque([start])
        while end not in came:
            node = waiting.popleft()
            for other in self._same[node]:
                if other not in came:
                    came[other] = node
                    waiting.append(other)
        chain = []
        while end != start:
            chain.append(self._same[end][came[end]])
            end = came[end]
        return chain[::-1]

    def _take(self, decision: Decision) -> None:
        a, b = decision.pair
        left, right = self._root(a), self._root(b)
        if decision.answer == DIFFERENT:
            if left != right:
                self._apart[left][right] = self._apart[right][left] = decision
            return
        self._same[a][b] = self._same[b][a] = decision
        if left != right:
            self._join(left, right)

    def _join(self, left: Node, right: Node) -> None:
        """Join two roots; the one with fewer that it must not meet gives them to the other."""
        if len(self._apart[left]) < len(self._apart[right]):
            left, right = right, left
        self._parent[right] = left
        for other, decision in self._apart.pop(right).items():
            del self._apart[other][right]
            self._apart[other][left] = self._apart[left][other] = decision


def frame(decisions: Sequence[Decision]) -> pl.DataFrame:
    """Return decisions as a frame, one text column a field."""
    rows = [asdict(decision) for decision in decisions]
    return pl.DataFrame(rows, schema=SCHEMA)
