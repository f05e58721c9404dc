"""The quick ways of intake give what the exact ones give."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.normalise import _NOISE, name_key
from pipelines.parsing import BLANKS, normalise_text
from pipelines.readers import encodings, iconv, records, text
from pipelines.readers.ahead import ahead
from pipelines.readers.text import open_text

GB = encodings.GB18030
LETTERS = 'ab01,"\t \n\r;-.²①ﬁé\u0301中〇有限责任公司本部（）\u3000Ａ１ｱ㌔\ue000\U00020087'
CELLS = st.lists(
    st.sampled_from([*LETTERS, "本部", "有限责任公司"]), max_size=8
).map("".join)  # fmt: skip
CHARACTERS = ("中", "\U00020087", "\u1e3f", "\ue7c7")
BYTES = (b"a", b"1", b",", b"\n", b"\r\n", b"\r", b'"', b"\0", b"\xff", b"\x81", b"\xa8\xbc")
PIECES = st.lists(
    st.sampled_from([*BYTES, *(character.encode("gb18030") for character in CHARACTERS)]),
    max_size=40,
).map(b"".join)


def four_byte_sample() -> list[bytes]:
    every = (
        bytes((a, b, c, d))
        for a in (*range(0x81, 0x85), *range(0x90, 0xE4))
        for b in range(0x30, 0x3A)
        for c in range(0x81, 0xFF, 11)
        for d in (0x30, 0x37)
    )
    return list(every)


def test_every_two_byte_code_is_decoded_as_by_python() -> None:
    codes = [bytes((a, b)) for a in range(0x80, 0x100) for b in range(0x100)]

    assert [encodings.as_utf8(c, GB) for c in codes] == [encodings.exact_utf8(c, GB) for c in codes]


def test_four_byte_codes_are_decoded_as_by_python() -> None:
    moved = [new.decode().encode("gb18030") for new in encodings.GB18030_PRIVATE.values()]
    codes = [*four_byte_sample(), *moved]

    assert [encodings.as_utf8(c, GB) for c in codes] == [encodings.exact_utf8(c, GB) for c in codes]


@given(piece=PIECES)
def test_a_piece_is_decoded_as_by_python(piece: bytes) -> None:
    assert encodings.as_utf8(piece, GB) == encodings.exact_utf8(piece, GB)


def test_a_library_that_reads_otherwise_is_not_used() -> None:
    assert iconv.converter(lambda data: data, []) is None


def rows_of(path: Path) -> tuple[list[pl.DataFrame], list[object]]:
    batches = list(open_text(path, "self_employed", "utf-8").batches)
    frames = [batch.frame for batch in batches if batch.frame.height]
    return frames, [broken for batch in batches for broken in batch.broken]


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_rows_are_those_of_the_exact_way(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str
) -> None:
    path = tmp_path_factory.mktemp("ways") / "self_employed.csv"
    lines = ["unit_id,name,region_code", *(",".join(cells) for cells in rows)]
    path.write_bytes(end.join(lines).encode())
    with pytest.MonkeyPatch.context() as patch:
        quick = rows_of(path)
        patch.setattr(text, "_parse_regular", lambda *_: None)
        exact = rows_of(path)

    assert quick[1] == exact[1]
    assert [f.rows() for f in quick[0]] == [f.rows() for f in exact[0]]


@given(piece=PIECES)
def test_lines_counted_are_the_records_found(piece: bytes) -> None:
    whole = piece.replace(b"\0", b"0")
    data = encodings.exact_utf8(whole, GB)
    count = records.plain_rows(data)

    assert count is None or count == len(records.exact_records(data.decode(), ",")[0])


@given(cells=st.lists(st.none() | CELLS, min_size=1, max_size=6), exact=st.booleans())
def test_normalising_is_that_of_every_text(cells: list[str | None], exact: bool) -> None:
    def plainly(cell: str | None) -> str | None:
        keep = exact and any(unicodedata.category(c) == "No" for c in cell or "")
        folded = (cell or "") if keep else unicodedata.normalize("NFKC", cell or "")
        return folded.strip(BLANKS) or None

    texts = pl.DataFrame({"c": pl.Series(cells, dtype=pl.String)})
    found = normalise_text(texts, exact={"c"} if exact else frozenset())

    assert found["c"].to_list() == [plainly(cell) for cell in cells]


@given(names=st.lists(st.none() | CELLS, min_size=1, max_size=6))
def test_the_normalised_name_is_that_of_every_name(names: list[str | None]) -> None:
    column = pl.Series(names, dtype=pl.String)
    folded = pl.lit(column).str.normalize("NFKC").str.to_uppercase().str.normalize("NFKC")
    bare = folded.str.replace_all(_NOISE, "").str.normalize("NFKC")
    key = bare.str.replace(r"(本部)+$", "").str.replace_all(
        "有限责任公司", "有限公司", literal=True
    )
    expected = pl.select(pl.when(key != "").then(key)).to_series()

    assert pl.select(name_key(pl.lit(column))).to_series().to_list() == expected.to_list()


def test_characters_left_alone_have_no_other_form() -> None:
    common = [chr(point) for point in (*range(0x21, 0x7F), *range(0x4000, 0xA000))]

    assert [c for c in common if unicodedata.normalize("NFKC", c) != c] == []
    assert [c for c in common if unicodedata.combining(c)] == []


def test_what_is_made_ahead_raises_where_it_is_used() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("late")

    made = ahead(items())

    assert next(made) == 1
    with pytest.raises(ValueError, match="late"):
        next(made)
