"""Names in Latin letters: words, company forms, and how they sound.

Henan Trading Co., Ltd. is one firm with HENAN TRADING COMPANY LIMITED.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from audit.matching import words as lists
from audit.matching.characters import (
    LETTERS_FROM,
    U64,
    Flags,
    Hashes,
    Ints,
    Text,
    hashed,
    joined,
    written,
)

_S = np.uint32(ord("S"))
_AND = np.uint32(ord("&"))
_HAN = 0x2E80


@dataclass(frozen=True, slots=True)
class Words:
    """Words of all records: the record of each, its place in the text, its hash."""

    rows: Ints
    starts: Ints
    ends: Ints
    hashes: U64
    n: int

    def only(self, keep: Flags) -> Words:
        """Return these words only."""
        return Words(self.rows[keep], self.starts[keep], self.ends[keep], self.hashes[keep], self.n)

    def ranks(self) -> Ints:
        """Return each word's place in its record, from 0."""
        first = np.searchsorted(self.rows, self.rows)
        return np.arange(len(self.rows)) - first

    def sequence(self, keep: Flags | None = None) -> U64:
        """Return the hash of each record's words in order, 0 where it has none."""
        kept = self if keep is None else self.only(keep)
        salt = (kept.ranks().astype(np.uint64) * np.uint64(2) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        sums = np.zeros(self.n, dtype=np.uint64)
        np.add.at(sums, kept.rows, kept.hashes * salt)
        return joined(sums, np.where(sums != 0, np.uint64(1), np.uint64(0)))


def is_latin(text: Text) -> Flags:
    """Return whether names have Latin letters and no East Asian ones."""
    found = np.flatnonzero(text.codes - np.uint32(ord("A")) < np.uint32(26))
    answer: Flags = text.first_of(found) >= 0
    rows = np.flatnonzero(answer)
    if len(rows):
        some = text.some(rows)
        answer[rows] = some.first(some.codes >= _HAN) < 0
    return answer


def words(text: Text) -> Words:
    """Return the words of names: runs of letters and digits, & as AND."""
    solid = np.zeros(len(text.codes) + 2, dtype=np.int8)
    inside = np.zeros(len(text.codes), dtype=np.bool_)
    for bound, step in ((text.starts, 1), (text.ends, -1)):
        np.add.at(solid, bound, step)
    inside = np.cumsum(solid)[: len(text.codes)] > 0
    letters = inside & (text.codes >= LETTERS_FROM)
    loose = inside & (text.codes == _AND)
    rows = np.searchsorted(text.ends, np.arange(len(text.codes)), side="right")
    before = np.concatenate([[False], letters[:-1] & (rows[1:] == rows[:-1])])
    begins = np.flatnonzero((letters & ~before) | loose)
    after = np.concatenate([letters[1:] & (rows[1:] == rows[:-1]), [False]])
    ends = np.flatnonzero((letters & ~after) | loose) + 1
    hashes = Hashes(text).of(begins, _stem_ends(text, begins, ends))
    return Words(
        rows[begins],
        begins,
        ends,
        _canonical(np.where(loose[begins], hashed(["AND"])[0], hashes)),
        len(text),
    )


def _stem_ends(text: Text, begins: Ints, ends: Ints) -> Ints:
    """Return the ends less the S of a plural or a genitive: CARS, SMITHS; not of GLASS, GAS."""
    plural = (text.at(ends - 1) == _S) & (text.at(ends - 2) != _S) & (ends - begins > 3)
    stems: Ints = ends - plural
    return stems


def _stem(word: str) -> str:
    plural = word.endswith("S") and not word.endswith("SS") and len(word) > 3
    return word[:-1] if plural else word


@cache
def _synonyms() -> tuple[U64, U64]:
    keys, values = (
        hashed(map(_stem, some)) for some in (lists.LATIN_SAME, lists.LATIN_SAME.values())
    )
    order = np.argsort(keys)
    return keys[order], values[order]


def _canonical(hashes: U64) -> U64:
    keys, values = _synonyms()
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return np.where(keys[at] == hashes, values[at], hashes)


def canonical(known: Iterable[str]) -> U64:
    """Return the hashes of known words as `words` gives them."""
    return _canonical(hashed(map(_stem, known)))


_VOWELS = np.array([ord(c) for c in "AEIOUYHW"], dtype=np.uint32)
_LETTERS_SAME = {
    "C": "K",
    "Q": "K",
    "X": "K",
    "G": "K",
    "V": "F",
    "Z": "S",
    "D": "T",
    "B": "P",
    "M": "N",
}
_SOFT = np.array([ord(c) for c in "EIY"], dtype=np.uint32)


def sounding(text: Text) -> Text:
    """Return the text with each word's rough sound: PH as F, C as K or S, no inner vowels.

    Double letters are one. Separators and digits stay as they are.
    """
    codes = text.codes.copy()
    following, leading = text.after(), text.before()
    codes[(text.codes == ord("P")) & (following == ord("H"))] = ord("F")
    soft = (text.codes == ord("C")) & np.isin(following, _SOFT)
    for letter, sound in _LETTERS_SAME.items():
        codes[text.codes == ord(letter)] = ord(sound)
    codes[soft] = ord("S")
    first = ~((leading >= ord("A")) & (leading <= ord("Z")))
    keep = first | ~np.isin(text.codes, _VOWELS)
    codes[first & np.isin(text.codes, _VOWELS)] = ord("A")
    thin = Text(codes, text.starts, text.ends).only(keep)
    return thin.only((thin.codes != thin.before()) | (thin.codes < ord("A")))


@dataclass(slots=True)
class LatinParts:
    """Hashes and the letters of the 字号 of names in Latin letters."""

    name: U64
    core: U64
    trade: U64
    head: U64
    tail: U64
    industry: U64
    branch: U64
    form: Ints
    letters: Text
    core_letters: Text
    words: dict[str, Words]


def split_latin(text: Text) -> LatinParts:
    """Return the parts of names in Latin letters.

    Forms (CO LTD) and THE, OF go; the 字号 is the words before the first industry word, or all
    of them where the name begins with one.
    """
    tokens = words(text)
    forms, groups = _groups(tokens)
    branch = np.isin(tokens.hashes, canonical(lists.LATIN_BRANCHES)) | _behind(tokens, forms)
    empty = np.isin(tokens.hashes, canonical(lists.LATIN_MARKS))
    weak = forms | empty | branch
    alone = np.bincount(tokens.rows[~weak], minlength=len(text)) == 0
    core = tokens.only(~weak | alone[tokens.rows])
    industry = np.isin(core.hashes, canonical(lists.LATIN_INDUSTRIES))
    rank = core.ranks()
    cut = np.full(len(text), 1 << 30, dtype=np.int64)
    np.minimum.at(cut, core.rows[industry & (rank > 0)], rank[industry & (rank > 0)])
    own = rank < cut[core.rows]
    trade = core.only(own)
    form = np.zeros(len(text), dtype=np.int64)
    np.maximum.at(form, tokens.rows, groups)
    named = ~empty | alone[tokens.rows]
    return LatinParts(
        name=_renamed(tokens.only(named), groups[named]),
        core=core.sequence(),
        trade=trade.sequence(),
        head=trade.sequence(trade.ranks() == 0),
        tail=_last(trade),
        industry=core.sequence(~own),
        branch=tokens.sequence(branch),
        form=form,
        letters=_letters_of(text, trade),
        core_letters=_letters_of(text, core),
        words={
            "name_core": core,
            "trade_name": trade,
            "industry_words": core.only(~own),
            "org_form": tokens.only(forms),
            "branch_part": tokens.only(branch),
        },
    )


def _behind(tokens: Words, forms: Flags) -> Flags:
    """Return which words stand behind a form: TESCO STORES LTD - LEEDS; & CO KG is none."""
    last = np.full(tokens.n, -1, dtype=np.int64)
    np.maximum.at(last, tokens.rows[forms], np.flatnonzero(forms))
    end = last[tokens.rows]
    answer: Flags = (end >= 0) & (np.arange(len(tokens.rows)) > end)
    return answer


def _groups(tokens: Words) -> tuple[Flags, Ints]:
    """Return which words are forms, not the first of a name, and their group's number."""
    table = lists.form_phrases(latin=True)
    keys = canonical(table)
    order = np.argsort(keys)
    values = np.array(list(table.values()))[order]
    at = np.minimum(np.searchsorted(keys[order], tokens.hashes), len(keys) - 1)
    found = (keys[order][at] == tokens.hashes) & (tokens.ranks() > 0)
    return found, np.where(found, values[at], 0)


def _renamed(tokens: Words, groups: Ints) -> U64:
    """Return the hash of whole names, a form's group in its words' place (LTD, LIMITED)."""
    company = lists.form_phrases(latin=True)["CO"]
    keep = groups != company
    hashes = np.where(groups > 0, groups.astype(np.uint64), tokens.hashes)
    return Words(tokens.rows, tokens.starts, tokens.ends, hashes, tokens.n).sequence(keep)


def _last(tokens: Words) -> U64:
    final = np.append(tokens.rows[1:] != tokens.rows[:-1], True)[: len(tokens.rows)]
    return tokens.sequence(final)


def _letters_of(text: Text, tokens: Words) -> Text:
    """Return the letters of these words only, a blank between two."""
    change = np.zeros(len(text.codes) + 1, dtype=np.int64)
    np.add.at(change, tokens.starts, 1)
    np.add.at(change, tokens.ends, -1)
    return text.only(np.cumsum(change[:-1]) > 0)


def latin_texts(text: Text) -> dict[str, list[str | None]]:
    """Return the parts of names in Latin letters as words with blanks between, by column."""
    return {column: _texts_of(text, tokens) for column, tokens in split_latin(text).words.items()}


def _texts_of(text: Text, tokens: Words) -> list[str | None]:
    frame = pl.DataFrame({"row": tokens.rows, "word": written(text, tokens.starts, tokens.ends)})
    joined_words = frame.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))
    found = dict(joined_words.iter_rows())
    return [found.get(row) for row in range(len(text))]
