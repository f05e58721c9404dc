"""Small delivered files, and what reading them gives."""

from __future__ import annotations

from pathlib import Path

from pipelines.readers.model import Reading, Source
from pipelines.readers.opening import open_source

AGENCY = "机构编号,机构名称,电话\r\nA1,甲所,0734\r\nA2,乙所,0735\r\n"
ROWS = [("A1", "甲所", "0734"), ("A2", "乙所", "0735")]
CELLS = ("c0", "c1", "c2")


def opened(path: Path, table: str = "agency") -> Reading:
    return open_source(Source(file_no=1, file=path.name, path=path, table=table))


def delivered(folder: Path, content: bytes, name: str = "agency.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def whole(reading: Reading) -> list[tuple[object, ...]]:
    """Cells, row and line of every whole row."""
    return [row for batch in reading.batches for row in batch.frame.rows()]


def cells(path: Path, table: str = "agency") -> list[tuple[object, ...]]:
    return [row[:-2] for row in whole(opened(path, table))]


def broken(path: Path) -> list[tuple[int, int, str, int]]:
    return [
        (row.row_no, row.line_no, row.reason, len(row.cells))
        for batch in opened(path).batches
        for row in batch.broken
    ]
