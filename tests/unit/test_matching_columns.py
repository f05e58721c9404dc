"""Columns read at once give what each cell gives by itself: digits, phrases, places in a text."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.matching.cells import Cells, numbers
from audit.matching.characters import Hashes, Text, folded, read, written
from audit.matching.phones import numbers as phone_numbers
from audit.matching.phrases import LONGEST_PHRASE, Phrases

ASCII = st.text(alphabet="0123456789/:AZ -", min_size=11, max_size=11)
WORDS = st.text(alphabet="甲乙丙", min_size=1, max_size=5)


@given(st.lists(ASCII, min_size=1, max_size=9))
def test_only_digits_are_a_number(cells: list[str]) -> None:
    chars = np.array([list(cell.encode()) for cell in cells], dtype=np.uint8)

    value, plain = numbers(chars)

    digits = [set(cell) <= set("0123456789") for cell in cells]
    assert digits == plain.tolist()
    assert [int(c) for c, d in zip(cells, digits, strict=True) if d] == value[plain].tolist()


@pytest.mark.parametrize("text", ["7", "12345678", "123456789", "0000000000000001234"])
def test_numbers_of_any_width_are_read(text: str) -> None:
    value, plain = numbers(np.frombuffer(text.encode(), dtype=np.uint8).reshape(1, -1))

    assert ([int(text)], [True]) == (value.tolist(), plain.tolist())


LADDERS = ["07341234567", "01012345678", "07347654321", "01098765432", "01022345678", "07318888888"]


@given(
    st.lists(
        st.from_regex(r"[01][0-9]{10}", fullmatch=True, alphabet="0123456789"),
        min_size=1,
        max_size=9,
    )
)
def test_the_usual_writing_of_a_telephone_number_says_what_any_does(digits: list[str]) -> None:
    digits += LADDERS
    county = np.full(len(digits), 430408, dtype=np.uint32)
    wide = pl.Series(digits).str.replace_all("0", "０")

    usual, _ = phone_numbers(pl.Series(digits), county)
    other, _ = phone_numbers(wide, county)

    assert [0, 0, 0, 0, 1022345678, 0] == usual[-len(LADDERS) :].tolist()
    assert other.tolist() == usual.tolist()


def test_cells_of_a_width_are_found_in_a_slice_with_gaps() -> None:
    column = pl.Series(["x1", None, "ab", "é", "", None, "abc", "cd"] * 3)[2:23]

    cells = Cells(column)
    rows, chars = cells.of_width(2)

    shown = [column[int(row)] for row in rows]
    assert [v for v in column if v is not None and v.isascii() and len(v) == 2] == shown
    assert shown == [bytes(row).decode() for row in chars]
    assert column.is_not_null().to_list() == cells.given.tolist()


@given(
    st.lists(WORDS, unique=True, max_size=12),
    st.lists(st.text(alphabet="甲乙丙丁", max_size=7), min_size=1, max_size=8),
    st.booleans(),
)
def test_the_longest_phrase_is_found(words: list[str], texts: list[str], at_end: bool) -> None:
    phrases = Phrases({word: number for number, word in enumerate(words, 1)})
    text = folded(pl.Series(texts, dtype=pl.String))

    lengths, found = phrases.longest(Hashes(text), text.starts, text.ends, at_end=at_end)

    fits = [[w for w in words if (t.endswith if at_end else t.startswith)(w)] for t in texts]
    longest = [max(some, key=len, default="") for some in fits]
    assert [len(word) for word in longest] == lengths.tolist()
    assert [1 + words.index(word) if word else 0 for word in longest] == found.tolist()


def test_phrases_that_share_a_slot_are_told_apart() -> None:
    words = [chr(0x4E00 + i) + chr(0x4E00 + i * 7 % 5000) for i in range(5000)]
    text = folded(pl.Series(words))
    phrases = Phrases({word: number for number, word in enumerate(words)})

    _, found = phrases.longest(Hashes(text), text.starts, text.ends)

    # Some are one word in simplified characters.
    simple = written(text, text.starts, text.ends).to_list()
    first = {word: number for number, word in reversed([*enumerate(simple)])}
    assert [first[word] for word in simple] == found.tolist()


def test_a_phrase_is_cut_at_the_longest_length() -> None:
    word = "甲" * (LONGEST_PHRASE + 9)
    text = folded(pl.Series([word]))

    lengths, _ = Phrases({word: 1}).longest(Hashes(text), text.starts, text.ends)

    assert [LONGEST_PHRASE] == lengths.tolist()


@pytest.mark.parametrize("last", [False, True])
def test_first_places_are_the_same_with_and_without_their_records(last: bool) -> None:
    text = Text(np.zeros(12, np.uint32), np.array([0, 4, 4, 9]), np.array([4, 4, 8, 12]))
    spots = np.array([1, 3, 5, 8, 11])

    known = text.first_of(spots, last=last, rows=text.row_of(spots))

    assert [3 if last else 1, -1, 5, 11] == text.first_of(spots, last=last).tolist()
    assert known.tolist() == text.first_of(spots, last=last).tolist()


def test_what_a_null_hides_is_not_read() -> None:
    cells = pa.array(["张三", "13807341234", "李四"], pa.large_string())
    _, bounds, data = cells.buffers()
    shown = np.packbits([1, 0, 1], bitorder="little")
    hidden = pa.Array.from_buffers(cells.type, 3, [pa.py_buffer(shown), bounds, data])
    column = pl.Series(hidden)

    text = read(column)

    assert ["张三", None, "李四"] == written(text, text.starts, text.ends).to_list()
    assert [] == Cells(column).of_width(11)[0].tolist()
