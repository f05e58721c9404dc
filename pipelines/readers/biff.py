"""What the records of an XLS or ET workbook tell that its reader does not.

As in XLSX, cells with an error and formulas that were never computed come out of the reader as
empty. Only the records that may hold one are looked at; a workbook without any is only searched.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.readers.sheet_xml import Facts, Place, damaged

_BOF, _EOF, _BOUNDSHEET, _BOOLERR, _FORMULA, _STRING = 0x0809, 0x0A, 0x85, 0x0205, 0x06, 0x0207
_BETWEEN = {0x04BC, 0x0221, 0x0236, 0x3C}
"""Records that may stand between a formula and its text: shared, array, table, continued."""
_SUSPECT = re.compile(
    rb"\x05\x02\x08\x00.{7}\x01|\x06\x00..(?:.{6})[\x00\x02\x03].{5}\xff\xff", re.DOTALL
)
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_NO_SECTOR = 0xFFFFFFFA
"""From here on a number marks the end of a chain or a sector of another kind."""
Record = tuple[int, int, int]
"""Kind, where its content begins, how long that is."""


@dataclass(frozen=True, slots=True)
class _Compound:
    """A compound file (OLE): its sectors, and where each chain of sectors goes on."""

    data: bytes
    size: int
    fat: tuple[int, ...]

    def sector(self, number: int) -> bytes:
        """One sector; the last may be cut."""
        return self.data[(number + 1) * self.size : (number + 2) * self.size]

    def stream(self, start: int) -> bytes:
        """All sectors of the chain from `start`; ValueError where it goes in a circle."""
        return b"".join(map(self.sector, _chain(self.fat, start)))


def _chain(table: tuple[int, ...], start: int) -> Iterator[int]:
    number = start
    for _ in range(len(table) + 1):
        if number >= _NO_SECTOR:
            return
        yield number
        number = table[number]
    raise ValueError("chain without end")


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _compound(data: bytes) -> _Compound:
    size = 1 << min(struct.unpack_from("<H", data, 30)[0], 16)
    bare = _Compound(data, size, ())
    (more,) = struct.unpack_from("<I", data, 68)
    places = list(_numbers(data[76:512]))
    for _ in range(len(data) // size + 1):
        if more >= _NO_SECTOR:
            break
        *further, more = _numbers(bare.sector(more))
        places += further
    fat = b"".join(bare.sector(place) for place in places if place < _NO_SECTOR)
    return _Compound(data, size, _numbers(fat))


def _workbook_stream(data: bytes) -> bytes:
    file = _compound(data)
    first, cutoff, mini_fat = struct.unpack_from("<I4xII", data, 48)
    directory = file.stream(first)
    entries = [directory[place : place + 128] for place in range(0, len(directory) - 127, 128)]
    for name in ("Workbook", "Book"):
        wanted = (name + "\0").encode("utf-16-le")
        for entry in entries:
            if entry[: len(wanted)].lower() != wanted.lower() or entry[66] != 2:
                continue
            start, length = struct.unpack_from("<II", entry, 116)
            if length >= cutoff:
                return file.stream(start)[:length]
            small = file.stream(struct.unpack_from("<I", entries[0], 116)[0])
            links = _numbers(file.stream(mini_fat))
            parts = (small[64 * n : 64 * n + 64] for n in _chain(links, start))
            return b"".join(parts)[:length]
    raise ValueError("no workbook")


def _records(stream: bytes, place: int) -> Iterator[Record]:
    """Give the records of one part of the stream, to its end; of parts inside it too."""
    depth = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        yield kind, place + 4, length
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        place += 4 + length


@dataclass(slots=True)
class _Formulas:
    """Of one sheet: formulas with an empty text for a value, and whether any has another."""

    empty: set[Place] = field(default_factory=set)
    computed: bool = False


def _formula(stream: bytes, at: int, facts: Facts, formulas: _Formulas) -> bool:
    """Note what a formula's value is; return whether its text must follow."""
    place = struct.unpack_from("<HH", stream, at)
    value = stream[at + 6 : at + 14]
    kind = value[0] if value[6:] == b"\xff\xff" else -1
    if kind == 2:
        facts.errors[place] = _ERRORS.get(value[2], "#ERR")
    if kind == 3:
        formulas.empty.add(place)
    else:
        formulas.computed = True
    if kind == 0:
        facts.formulas.add(place)
    return kind == 0


def _look(stream: bytes, start: int) -> tuple[Facts, _Formulas]:
    facts, formulas = Facts(), _Formulas()
    waiting: Place | None = None
    for kind, at, length in _records(stream, start):
        if kind == _STRING and waiting is not None:
            facts.formulas.discard(waiting)
        if kind not in _BETWEEN:
            waiting = None
        if kind == _BOOLERR and length >= 8 and stream[at + 7]:
            place = struct.unpack_from("<HH", stream, at)
            facts.errors[place] = _ERRORS.get(stream[at + 6], "#ERR")
        elif kind == _FORMULA and length >= 14 and _formula(stream, at, facts, formulas):
            waiting = struct.unpack_from("<HH", stream, at)
    return facts, formulas


def biff_facts(path: Path) -> list[Facts]:
    """Return what each sheet of a BIFF workbook holds, in the order of its sheets.

    A formula whose value is an empty text counts as never computed where no formula of the
    workbook has another value: programs that cannot compute write such. RefusedFileError where
    the file is damaged.
    """
    try:
        stream = _workbook_stream(path.read_bytes())
        places = [
            struct.unpack_from("<I", stream, at)[0]
            for kind, at, _ in _records(stream, 0)
            if kind == _BOUNDSHEET
        ]
        if not _SUSPECT.search(stream):
            return [Facts() for _ in places]
        found = [_look(stream, place) for place in places]
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise damaged() from error
    if not any(formulas.computed for _, formulas in found):
        for facts, formulas in found:
            facts.formulas |= formulas.empty
    return [facts for facts, _ in found]
