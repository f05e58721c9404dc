"""Random bytes and random damage to every format: no crash, no lost row, no value made up."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from biff import biff8
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ingest_night import HEADER
from xlsxwriter.worksheet import Worksheet

from audit.engines.duckdb import DuckDBEngine
from pipelines import ingest
from pipelines.confidential import Confidential
from pipelines.loading import Loader
from pipelines.readers.model import Source

ROWS = [[f"S{n}", "430405010002", f"第{n}号小吃店", "", str(n), f"{n}50"] for n in range(12)]
GRID = [HEADER.split(","), *ROWS]
BASE = "".join(",".join(row) + "\r\n" for row in GRID)
ODD = [
    "",
    "#N/A",
    "=1+1",
    "\0",
    "4.3E+11",
    "－１２",
    "\ue81e",
    "12人",
    "a,b",
    "\n",
    "  ",
    "NULL",
    '"',
    '""',
    '"a',
    'a"b',
    'a"',
    '","',
    '"a,b"',
    '"a\nb"',
    '"a""b"',
    '"\n',
]


def workbook() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for index, row in enumerate(GRID):
            page.write_row(index, 0, row)
    return stream.getvalue()


def parquet(*, checked: bool = True) -> bytes:
    stream = io.BytesIO()
    columns = zip(*ROWS, strict=True)
    table = pa.table(dict(zip(GRID[0], map(list, columns), strict=True)))
    pq.write_table(table, stream, write_page_checksum=checked)
    return stream.getvalue()


GOOD = {
    "self_employed.csv": BASE.encode(),
    "self_employed_gb.csv": BASE.encode("gb18030"),
    "self_employed_16.csv": BASE.encode("utf-16"),
    "self_employed.csv.gz": gzip.compress(BASE.encode(), mtime=0),
    "self_employed.xlsx": workbook(),
    "self_employed.xls": biff8(GRID),
    "self_employed.parquet": parquet(),
    "self_employed_unchecked.parquet": parquet(checked=False),
}
NAMES = [*GOOD, "self_employed.et", "self_employed.tsv"]
MAGIC = [
    b"",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"PAR1",
    b"\x1f\x8b\x08",
    b"\xff\xfe",
]
DAMAGE = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert", "swap", "double"]), st.integers(0, 10**6),
              st.binary(min_size=1, max_size=6)),
    min_size=1, max_size=5,
)  # fmt: skip
CASES = (
    pytest.param(40, id="fast"),
    pytest.param(600, id="long", marks=pytest.mark.slow),
)
COSTLY = (CASES[0], pytest.param(300, id="long", marks=pytest.mark.slow))
"""For cases most of which are read to their end."""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Loader, Path]]:
    with DuckDBEngine() as opened:
        ingest.create_tables(opened)
        loader = Loader(opened, ingest.derive_lists(), Confidential())
        yield loader, tmp_path_factory.mktemp("fuzz")


def take_in(workplace: tuple[Loader, Path], name: str, content: bytes) -> dict[str, str]:
    """Load one file; every row must be loaded or refused. Return the names loaded, by unit."""
    loader, folder = workplace
    engine = loader.engine
    for table in ("census.self_employed", "raw.self_employed", "census.rejected_row"):
        engine.execute(f"DELETE FROM {table}")
    path = folder / name
    path.write_bytes(content)

    report = loader.load(Source(file_no=1, file=name, path=path, table="self_employed"))

    loaded = int(str(engine.scalar("SELECT count(*) FROM census.self_employed")))
    gone = int(str(engine.scalar("SELECT count(*) FROM census.rejected_row WHERE row > 0")))
    files = int(str(engine.scalar("SELECT count(*) FROM census.rejected_row WHERE row = 0")))
    if report.whole:
        assert (0, 1) == (loaded, files)
    else:
        assert (report.rows_delivered, 0) == (loaded + gone, files)
    rows = engine.rows("SELECT unit_id, name FROM raw.self_employed")
    return {str(unit): str(text) for unit, text in rows}


def damaged(content: bytes, damages: list[tuple[str, int, bytes]]) -> bytes:
    data = bytearray(content)
    for kind, number, extra in damages:
        place = number % max(len(data), 1)
        if kind == "flip" and data:
            data[place] ^= extra[0] or 1
        elif kind == "cut":
            del data[place : place + len(extra) * 3]
        elif kind == "insert":
            data[place:place] = extra
        elif kind == "swap":
            data[place : place + 8] = data[place : place + 8][::-1]
        else:
            data[place:place] = data[max(0, place - 60) : place]
    return bytes(data)


def budget(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


@pytest.mark.parametrize("count", CASES)
def test_random_bytes_never_crash(workplace: tuple[Loader, Path], count: int) -> None:
    @budget(count)
    @given(st.sampled_from(NAMES), st.sampled_from(MAGIC), st.binary(max_size=400))
    def check(name: str, magic: bytes, body: bytes) -> None:
        take_in(workplace, name, magic + body)

    check()


@pytest.mark.parametrize("count", CASES)
def test_random_damage_never_loses_a_row(workplace: tuple[Loader, Path], count: int) -> None:
    @budget(count)
    @given(st.sampled_from(list(GOOD)), DAMAGE)
    def check(name: str, damages: list[tuple[str, int, bytes]]) -> None:
        take_in(workplace, name, damaged(GOOD[name], damages))

    check()


@pytest.mark.parametrize("count", CASES)
def test_damage_that_checksums_guard_loads_nothing_else(
    workplace: tuple[Loader, Path], count: int
) -> None:
    truth = {row[0]: row[2] for row in ROWS}

    @budget(count // 2)
    @given(
        st.sampled_from([n for n in GOOD if n.endswith((".gz", ".xlsx", "yed.parquet"))]), DAMAGE
    )
    def check(name: str, damages: list[tuple[str, int, bytes]]) -> None:
        there = take_in(workplace, name, damaged(GOOD[name], damages))
        assert there in ({}, truth)

    check()


@pytest.mark.parametrize("count", COSTLY)
def test_odd_cells_leave_the_other_rows_as_they_are(
    workplace: tuple[Loader, Path], count: int
) -> None:
    ends = st.sampled_from(["\n", "\r\n", "\r"])

    @budget(count)
    @given(
        st.sampled_from(["utf-8", "gb18030", "utf-16"]),
        st.dictionaries(st.integers(0, 11), st.tuples(st.integers(0, 5), st.sampled_from(ODD))),
        st.lists(ends, min_size=13, max_size=13),
    )
    def check(codec: str, odd: dict[int, tuple[int, str]], breaks: list[str]) -> None:
        grid = [list(row) for row in ROWS]
        for line, (column, text) in odd.items():
            grid[line][column] = text
        lines = [",".join(row) for row in (GRID[0], *grid)]
        text = "".join(map(str.__add__, lines, breaks))

        there = take_in(workplace, "self_employed.csv", text.encode(codec))

        sound = {row[0]: row[2] for line, row in enumerate(ROWS) if line not in odd}
        assert sound.items() <= there.items()

    check()


@pytest.mark.parametrize("count", COSTLY)
def test_cells_are_those_of_an_independent_reader(
    workplace: tuple[Loader, Path], count: int
) -> None:
    texts = st.text(st.sampled_from('甲乙, \t"\n;\u3000Ａ'), max_size=5)

    @budget(count)
    @given(
        st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-8-sig"]),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        st.sampled_from(["\n", "\r\n"]),
        st.lists(texts, max_size=12),
    )
    def check(codec: str, quoting: Literal[0, 1], end: str, names: list[str]) -> None:
        rows = [[*row[:2], name, *row[3:]] for row, name in zip(ROWS, names, strict=False)]
        stream = io.StringIO()
        csv.writer(stream, lineterminator=end, quoting=quoting).writerows([GRID[0], *rows])
        content = stream.getvalue().encode(codec)

        there = take_in(workplace, "self_employed.csv", content)

        reader = csv.reader(io.StringIO(content.decode(codec), newline=""))
        assert {row[0]: row[2] for row in list(reader)[1:]} == there

    check()


def typed(page: Worksheet, place: tuple[int, int], value: object) -> None:
    """Write what a clerk's spreadsheet may hold."""
    formula, result = value if isinstance(value, tuple) else ("", None)
    if formula:
        page.write_formula(*place, formula, None, result)
    else:
        page.write(*place, value)


VALUES: list[tuple[object, str | None]] = [
    (1, "1"),
    (-0.0, "0"),
    (0.25, "0.25"),
    (1e300, "1" + "0" * 300),
    (430405010002.0, "430405010002"),
    (True, "TRUE"),
    (dt.datetime(2019, 4, 20, tzinfo=None), "2019-04-20"),  # noqa: DTZ001 - Excel has no zones
    ("=1+1", "=1+1"),
    ("#N/A", "#N/A"),
    ("0012", "0012"),
    ("甲\n所", "甲\n所"),
    ('"a', '"a'),
    (("=A1", "乙"), "乙"),
    (("=NA()", "#N/A"), None),
    (("=1/0", "#DIV/0!"), None),
]
"""What is written, and what is to be loaded: None where the row is refused."""


@pytest.mark.parametrize("count", COSTLY)
def test_odd_cells_of_a_workbook_load_as_shown_or_refuse_their_row(
    workplace: tuple[Loader, Path], count: int
) -> None:
    odd_cells = st.dictionaries(st.integers(0, 11), st.sampled_from(VALUES), max_size=6)

    @budget(count)
    @given(odd_cells)
    def check(odd: dict[int, tuple[object, str | None]]) -> None:
        stream = io.BytesIO()
        settings = {"in_memory": True, "strings_to_formulas": False,
                    "default_date_format": "yyyy-mm-dd"}  # fmt: skip
        with xlsxwriter.Workbook(stream, settings) as book:
            page = book.add_worksheet()
            for index, row in enumerate(GRID):
                page.write_row(index, 0, row)
            for index, (value, _) in odd.items():
                typed(page, (index + 1, 2), value)

        there = take_in(workplace, "self_employed.xlsx", stream.getvalue())

        wanted = {row[0]: row[2] for row in ROWS}
        wanted |= {ROWS[index][0]: shown for index, (_, shown) in odd.items() if shown is not None}
        for index, (_, shown) in odd.items():
            if shown is None:
                del wanted[ROWS[index][0]]
        assert wanted == there

    check()
