"""Writes workbooks in a process of its own: counties come in, lines of the index go out.

A message is a line of JSON and the tables that it tells the sizes of, as Arrow streams. Nothing is
pickled, and nothing of a county is ever on disk but in its workbook. An error goes out by its kind
alone: its words could hold what is delivered.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from reports.review import ReviewInfo, write_review
from reports.workbook import BookSet, CountyData, write_county
from reports.workbook_book import WorkbookInfo
from reports.workbook_cells import Cell


def _packed(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _send(target: IO[bytes], facts: Mapping[str, Any], tables: Sequence[pa.Table] = ()) -> None:
    packed = [_packed(table) for table in tables]
    told = {**facts, "sizes": [buffer.size for buffer in packed]}
    target.write(json.dumps(told).encode() + b"\n")
    for buffer in packed:
        target.write(buffer)
    target.flush()


def _receive(source: IO[bytes]) -> tuple[dict[str, Any], list[pa.Table]] | None:
    """Return the next message; None at the end, also at one in the middle of a message."""
    line = source.readline()
    if not line.endswith(b"\n"):
        return None
    facts: dict[str, Any] = json.loads(line)
    packed = [source.read(size) for size in facts["sizes"]]
    if [len(each) for each in packed] != facts["sizes"]:
        return None
    return facts, [pa.ipc.open_stream(each).read_all() for each in packed]


def send_set(target: IO[bytes], shared: BookSet) -> None:
    """Tell a process, once, what all its workbooks share."""
    info = shared.info
    facts = {
        "folder": str(shared.folder),
        "run_id": info.run_id,
        "created": info.created.isoformat(),
        "rulebook_digest": info.rulebook_digest,
        "lang": info.lang,
    }
    _send(target, facts, [shared.rules])


def send_county(target: IO[bytes], county: CountyData) -> None:
    """Ask a process for the workbook of a county."""
    facts = {"code": county.code, "name": county.name}
    _send(target, facts, [county.townships, county.units, county.findings])


def send_review(target: IO[bytes], pairs: pa.Table, folder: Path, place: str) -> None:
    """Ask a process for the review workbooks of pairs; their names come as lines of one cell."""
    _send(target, {"review": str(folder), "place": place}, [pairs])


def receive_answer(source: IO[bytes]) -> dict[str, Any] | None:
    """Return `rows`, the lines of the index, or `failed` and `errno`; None from a dead process."""
    answer = _receive(source)
    return answer[0] if answer else None


def _read_set(source: IO[bytes]) -> BookSet | None:
    message = _receive(source)
    if message is None:
        return None
    facts, (rules,) = message
    info = WorkbookInfo(
        run_id=facts["run_id"],
        created=datetime.fromisoformat(facts["created"]),
        rulebook_digest=facts["rulebook_digest"],
        lang=facts["lang"],
    )
    return BookSet(folder=Path(facts["folder"]), info=info, rules=rules)


def _written(facts: Mapping[str, Any], tables: list[pa.Table], shared: BookSet) -> list[list[Cell]]:
    if "review" in facts:
        info = ReviewInfo(book=shared.info, place=facts["place"])
        return [[path.name] for path in write_review(tables[0], Path(facts["review"]), info)]
    townships, units, findings = tables
    county = CountyData(
        code=facts["code"],
        name=facts["name"],
        townships=townships,
        units=units,
        findings=findings,
    )
    return write_county(county, shared)


def _answer(facts: Mapping[str, Any], tables: list[pa.Table], shared: BookSet) -> dict[str, Any]:
    try:
        return {"rows": _written(facts, tables, shared)}
    except Exception as error:  # noqa: BLE001  # the night fails by it, and tells its kind
        number = error.errno if isinstance(error, OSError) else None
        return {"failed": type(error).__name__, "errno": number}


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Write what is asked for, until no more comes."""
    shared = _read_set(source)
    while shared and (message := _receive(source)):
        _send(target, _answer(*message, shared))


def main() -> None:
    """Serve the night that started this process; a stop at the keyboard is for the night."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as target:
        # Whatever a package prints is no answer.
        os.dup2(2, 1)
        serve(sys.stdin.buffer, target)


if __name__ == "__main__":
    main()
