"""Workbooks of the old binary kind (XLS, ET), written record by record."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def compound(name: str, stream: bytes, *, small: bool = False) -> bytes:
    """Return a compound file (OLE) of one stream: of at least 4096 bytes, or in small sectors."""
    length = len(stream) if small else max(len(stream), 4096)
    stream = stream.ljust(-(-length // 512) * 512, b"\0")
    count = len(stream) // 512
    none, end, fat_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    chain = [fat_sector, end, *range(3, count + 2), end, end]
    fat = struct.pack("<128I", *chain, *[none] * (128 - len(chain)))
    links = [*range(1, len(stream) // 64), end]
    small_fat = struct.pack("<128I", *links, *[none] * (128 - len(links))) if small else b""

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        raw = title.encode("utf-16-le") + b"\0\0"
        head = raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw), kind, 1)
        return (
            head
            + struct.pack("<III", none, none, child)
            + b"\0" * 36
            + struct.pack("<IQ", start, size)
        )

    root = entry("Root Entry", 5, 1, 2 if small else end, len(stream) if small else 0)
    directory = root + entry(name, 2, none, 0 if small else 2, length)
    directory += (b"\0" * 68 + struct.pack("<III", none, none, none) + b"\0" * 48) * 2
    header = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    place = count + 2 if small else end
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, place, int(small), end, 0)
    header += struct.pack("<109I", 0, *[none] * 108)
    return header + fat + directory + stream + small_fat


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def biff8(
    rows: Sequence[Sequence[str | float]],
    *,
    password: bool = False,
    more: bytes = b"",
    small: bool = False,
) -> bytes:
    """Return an XLS workbook of one sheet: texts as LABEL records, numbers as NUMBER.

    `more`: further records of the sheet.
    """
    bof = struct.pack("<HHHHII", 0x600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    locked = record(0x002F, b"\1\0\1\0" + b"\0" * 48) if password else b""
    head = record(0x0809, bof) + locked + record(0x0042, struct.pack("<H", 1200))
    name = "Sheet1".encode("utf-16-le")
    place = len(head) + 4 + 8 + len(name) + 4
    head += record(0x0085, struct.pack("<IHBB", place, 0, 6, 1) + name) + record(0x000A)
    body = record(0x0809, struct.pack("<HHHHII", 0x600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            where = struct.pack("<HHH", line, column, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                body += record(0x0204, where + struct.pack("<HB", len(value), 1) + text)
            else:
                body += record(0x0203, where + struct.pack("<d", value))
    return compound("Workbook", head + body + more + record(0x000A), small=small)
