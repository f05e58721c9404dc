"""Texts that are parsed once: the same features as without, over calls and changed words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon, may_hold
from audit.matching.parsing import parse_units
from audit.matching.records import RECORD_SCHEMA
from audit.matching.texts import Texts
from benchmarks.firms.make import Options, make
from pipelines import link_kept

PLACES = Gazetteer.from_regions(pl.DataFrame(schema={"region_code": pl.String, "name": pl.String}))
SHIPPED = Lexicon.shipped()


@pytest.fixture(scope="module")
def records() -> pl.DataFrame:
    made, _ = make(Options(records=1_500, seed=31))
    odd = pl.DataFrame(
        {
            "record_id": ["a", "b", "c", "d"], "name": [None, "", "ACME Ltd", "第二建材（北京）店"],
            "owner": ["张三", None, "张三", ""], "address": [None, "", "x", "x"],
        },
        schema_overrides=RECORD_SCHEMA,
    )  # fmt: skip
    return pl.concat([made.select(list(RECORD_SCHEMA)), odd], how="diagonal")


def differing(one: Features, other: Features) -> list[str]:
    return [
        name
        for name in Features.__dataclass_fields__
        if not np.array_equal(getattr(one, name), getattr(other, name))
    ]


def parsed(
    records: pl.DataFrame, texts: Texts | None = None, lexicon: Lexicon = SHIPPED
) -> Features:
    return parse_units(records, gazetteer=PLACES, lexicon=lexicon, texts=texts)


def test_texts_parsed_once_have_the_features_of_texts_parsed_each_time(
    records: pl.DataFrame,
) -> None:
    texts = Texts()
    parsed(records.head(500), texts)
    again = pl.concat([records.reverse(), records])

    assert differing(parsed(again, texts), parsed(again)) == []


def test_two_texts_with_one_first_hash_keep_their_own_features(
    records: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pl.Series.hash

    def narrow(self: pl.Series, seed: int = 0, *rest: int) -> pl.Series:
        found = real(self, seed, *rest)
        return found % 100 if seed == 0x5EED else found

    texts = Texts()
    with monkeypatch.context() as patched:
        patched.setattr(pl.Series, "hash", narrow)
        once, twice = parsed(records, texts), parsed(records.reverse(), texts)

    assert differing(once, parsed(records)) == []
    assert differing(twice, parsed(records.reverse())) == []


@pytest.mark.parametrize("less", ["建材", "商贸", "第2"])
def test_a_changed_industry_word_changes_the_names_that_may_hold_it(
    records: pl.DataFrame, less: str, tmp_path: Path
) -> None:
    with_word = Lexicon.of((*SHIPPED.words, less))
    without = Lexicon.of(tuple(word for word in SHIPPED.words if word != less))
    texts = Texts()
    parsed(records, texts, with_word)
    link_kept.keep(tmp_path, texts, PLACES, with_word)

    kept = link_kept.restore(tmp_path, PLACES, without)

    assert set(kept.known) == {"name", "owner", "address"}
    assert differing(parsed(records, kept, without), parsed(records, None, without)) == []


def test_names_may_hold_a_word_whose_characters_they_have_in_any_script() -> None:
    names = pl.Series(["宏达建（本部）材店", "宏達建築材料", "建设", "第二店", None])

    assert may_hold(names, ["建材"]).tolist() == [True, True, False, False, False]
    assert may_hold(names, ["第2"]).tolist() == [False, False, False, True, False]


def test_only_texts_that_were_asked_for_are_kept(records: pl.DataFrame, tmp_path: Path) -> None:
    texts = Texts()
    parsed(records, texts)
    link_kept.keep(tmp_path, texts, PLACES, SHIPPED)
    last = link_kept.restore(tmp_path, PLACES, SHIPPED)
    parsed(records.head(10), last)
    link_kept.keep(tmp_path, last, PLACES, SHIPPED)

    kept = link_kept.restore(tmp_path, PLACES, SHIPPED).known

    assert len(kept["name"]) == records["name"].head(10).n_unique()


def test_other_places_find_nothing_kept(records: pl.DataFrame, tmp_path: Path) -> None:
    texts = Texts()
    parsed(records, texts)
    link_kept.keep(tmp_path, texts, PLACES, SHIPPED)
    regions = pl.DataFrame({"region_code": ["430422000000"], "name": ["衡南县"]})

    assert link_kept.restore(tmp_path, Gazetteer.from_regions(regions), SHIPPED).known == {}
