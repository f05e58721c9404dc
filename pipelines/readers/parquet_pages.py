"""Whether the pages of a Parquet file carry checksums.

Pyarrow verifies those that it finds and says nothing where there are none. A page header is Thrift
in its compact form; its fourth field, where it is there, is the checksum.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pyarrow.parquet as pq

_HEAD = 48
_NEXT_I32 = b"\x15"
"""The next field, a number: what a field's own header says."""
_BEFORE = 3
"""Fields in front of the checksum, all of them there: kind of page, two sizes."""


def _has_checksum(head: bytes) -> bool:
    """Tell whether a page header names a checksum; what is no page header names none."""
    at = 0
    for _ in range(_BEFORE):
        if head[at : at + 1] != _NEXT_I32:
            return False
        at += 1
        while head[at : at + 1] >= b"\x80":
            at += 1
        at += 1
    return head[at : at + 1] == _NEXT_I32


def _first_page(stream: IO[bytes], column: pq.ColumnChunkMetaData) -> bool:
    offsets = [column.data_page_offset]
    if column.has_dictionary_page:
        offsets.append(column.dictionary_page_offset)
    stream.seek(min(offsets))
    return _has_checksum(stream.read(_HEAD))


def has_checksums(path: Path, metadata: pq.FileMetaData) -> bool:
    """Tell whether the pages of a file carry checksums, by the first of each column and row group.

    Where only some do, damage to the others would go unnoticed: False. A file without rows has
    nothing to damage.
    """
    with path.open("rb") as stream:
        chunks = (
            metadata.row_group(group).column(column)
            for group in range(metadata.num_row_groups)
            for column in range(metadata.num_columns)
        )
        return all(_first_page(stream, chunk) for chunk in chunks if chunk.num_values)
