"""Industry words: what stands between a 字号 and the organisational form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from audit.matching.characters import Ints, Text, folded, written
from audit.matching.gazetteer import Gazetteer
from audit.matching.phrases import Phrases
from audit.matching.words import FIRM, INDUSTRY_WORDS, form_classes

MIN_SHARE = 2e-5
MIN_COUNT = 8
MIN_CONTEXTS = 6
MIN_AFTER_TWO = 0.4
MAX_ONE_CONTEXT = 0.35
"""A learnt word: so many names (and this share of them); so many different characters before it,
none too often (淇淋 follows 冰 only); this share behind a 字号 of two or three characters."""

SAMPLE = 2_000_000


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
        from audit.matching.names import split_names

        shipped = cls.shipped()
        distinct = records["name"].drop_nulls().unique().sort()
        if len(distinct) > SAMPLE:
            distinct = distinct.gather_every(len(distinct) // SAMPLE + 1)
        parts = split_names(folded(distinct), gazetteer, Phrases({}))
        firms = np.flatnonzero(np.array(form_classes())[parts.form] == FIRM)
        starts, ends = parts.trade[0][firms], parts.trade[1][firms]
        least = max(MIN_COUNT, int(len(firms) * MIN_SHARE))
        found: set[str] = set()
        for size in (2, 3, 4):
            for word in _candidates(parts.line, starts, ends, size, least):
                known = found.union(shipped.words)
                # 达竹器 is the end of a 字号 and a word.
                if word[1:] not in known:
                    found.add(word)
        return cls.of((*shipped.words, *found))


def _candidates(line: Text, starts: Ints, ends: Ints, size: int, least: int) -> list[str]:
    """Return the words of a size that end enough names behind enough different words."""
    rows = np.flatnonzero(ends - starts >= size + 2)
    if not len(rows):
        return []
    begin, stop = starts[rows], ends[rows]
    suffix = written(line, stop - size, stop)
    before = written(line, begin, stop - size)
    counted = (
        pl.DataFrame({"suffix": suffix, "before": before})
        .group_by("suffix")
        .agg(
            n=pl.len(),
            last=pl.col("before").str.slice(-1).n_unique(),
            most=pl.col("before").str.slice(-1).unique_counts().max(),
            after_two=pl.col("before").str.len_chars().is_between(2, 3).mean(),
        )
        .filter(
            (pl.col("n") >= least)
            & (pl.col("last") >= MIN_CONTEXTS)
            & (pl.col("most") <= MAX_ONE_CONTEXT * pl.col("n"))
            & (pl.col("after_two") >= MIN_AFTER_TWO)
        )
        .sort("suffix")
    )
    words: list[str] = counted["suffix"].to_list()
    return words
