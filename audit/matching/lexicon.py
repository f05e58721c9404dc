"""Industry words: what stands between a 字号 and the organisational form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from audit.matching.characters import U64, Flags, Hashes, Text, folded, written
from audit.matching.gazetteer import Gazetteer
from audit.matching.phrases import Phrases
from audit.matching.texts import blockwise
from audit.matching.words import FIRM, INDUSTRY_WORDS, form_classes

MIN_SHARE = 2e-5
MIN_COUNT = 8
MIN_CONTEXTS = 6
MIN_AFTER_TWO = 0.4
MAX_ONE_CONTEXT = 0.35
"""A learnt word: so many names (and this share of them); so many different characters before it,
none too often (淇淋 follows 冰 only); this share behind a 字号 of two or three characters."""

SAMPLE = 300_000
"""Names to learn from. All of a million teach 1 % more words, which 1 record in 20,000 has."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Industry words in order, and as phrases to look for."""

    words: tuple[str, ...]
    phrases: Phrases = field(repr=False, compare=False)

    @classmethod
    def of(cls, words: tuple[str, ...]) -> Lexicon:
        """Return the lexicon of these words."""
        ordered = tuple(sorted(set(words)))
        return cls(ordered, Phrases(dict.fromkeys(ordered, 1)))

    @classmethod
    def shipped(cls) -> Lexicon:
        """Return the words that come with the matcher."""
        return cls.of(tuple(INDUSTRY_WORDS))

    @classmethod
    def learn(cls, records: pl.DataFrame, *, gazetteer: Gazetteer) -> Lexicon:
        """Return the shipped words and those that the names of these records show.

        A new word ends many names of firms, behind many different words, mostly behind two or
        three characters. The order of records does not matter.
        """
        shipped = cls.shipped()
        ends = _Ends.of(_sampled(records["name"]), gazetteer)
        least = max(MIN_COUNT, int(len(ends.text) * MIN_SHARE))
        found: set[str] = set()
        for size in (2, 3, 4):
            for word in _candidates(ends, size, least):
                known = found.union(shipped.words)
                # 达竹器 is the end of a 字号 and a word.
                if word[1:] not in known:
                    found.add(word)
        return cls.of((*shipped.words, *found))


LONGEST = 4


def may_hold(names: pl.Series, words: Collection[str]) -> Flags:
    """Return which names may hold any of some folded words: all of its characters are in them.

    Of all other names the words say nothing: they are split alike with and without them.
    """
    text = folded(names)
    result = np.zeros(len(text), dtype=np.bool_)
    rows = text.rows()
    where: dict[str, Flags] = {}
    for char in sorted(set("".join(words))):
        where[char] = np.zeros(len(text), dtype=np.bool_)
        where[char][rows[text.codes == ord(char)]] = True
    for word in words:
        # A numeral behind 第 is split as a digit.
        shown = [where[char] for char in word if not char.isdigit()]
        result |= np.logical_and.reduce(shown) if shown else True
    return result


def _sampled(names: pl.Series) -> pl.Series:
    """Return distinct names; of a long list about SAMPLE, chosen by their hash, in any order.

    The choice depends on the names themselves, so that the order of records does not matter.
    """
    step = len(names) // SAMPLE + 1
    kept = names.filter(names.hash(0) % step == 0) if step > 1 else names
    return kept.drop_nulls().unique()


@dataclass(frozen=True, slots=True)
class _Ends:
    """The 字号 with industry words of firms: `text`, their last LONGEST characters and one more."""

    text: Text
    sums: dict[int, U64]

    @classmethod
    def of(cls, names: pl.Series, gazetteer: Gazetteer) -> _Ends:
        """Return those of names, a block at a time on two threads."""
        texts = list(blockwise(names, lambda block: _heads(block, gazetteer)))
        ends = np.cumsum(np.concatenate([text.lengths for text in texts]))
        codes = np.concatenate([text.codes for text in texts])
        text = Text(codes, np.concatenate([[0], ends])[:-1], ends)
        hashes = Hashes(text)
        sums = {}
        for size in range(2, LONGEST + 1):
            begin = np.maximum(text.ends - size, text.starts)
            sums[size] = hashes.raw(begin, text.ends)
        return cls(text, sums)


def _heads(names: pl.Series, gazetteer: Gazetteer) -> Text:
    """Return what firms' names have between region and form, where no industry is known."""
    from audit.matching.names import split_names

    parts = split_names(folded(names), gazetteer, Phrases({}))
    firms = np.flatnonzero(np.array(form_classes())[parts.form] == FIRM)
    starts, ends = parts.trade[0][firms], parts.trade[1][firms]
    return Text(parts.line.codes, starts, ends).some(np.arange(len(firms)))


def _candidates(ends: _Ends, size: int, least: int) -> list[str]:
    """Return the words of a size that end enough names behind enough different words."""
    text, lengths = ends.text, ends.text.lengths
    rows = np.flatnonzero(lengths >= size + 2)
    if not len(rows):
        return []
    counted = (
        pl.DataFrame(
            {
                "suffix": ends.sums[size][rows],
                "last": text.codes[text.ends[rows] - size - 1],
                "after_two": lengths[rows] - size <= 3,
                "row": rows,
            }
        )
        .filter(pl.len().over("suffix") >= least)
        .group_by("suffix", "last")
        .agg(n=pl.len(), after_two=pl.col("after_two").sum(), row=pl.col("row").first())
        .group_by("suffix")
        .agg(
            n=pl.col("n").sum(),
            last=pl.len(),
            most=pl.col("n").max(),
            after_two=pl.col("after_two").sum() / pl.col("n").sum(),
            row=pl.col("row").first(),
        )
        .filter(
            (pl.col("last") >= MIN_CONTEXTS)
            & (pl.col("most") <= MAX_ONE_CONTEXT * pl.col("n"))
            & (pl.col("after_two") >= MIN_AFTER_TWO)
        )
    )
    stop = text.ends[counted["row"].to_numpy()]
    words: list[str] = written(text, stop - size, stop).sort().to_list()
    return words
