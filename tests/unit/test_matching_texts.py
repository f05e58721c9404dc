"""Texts that are parsed once: the same features as without, over calls and changed words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from audit.matching import parsing
from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon, may_hold
from audit.matching.parsing import parse_units
from audit.matching.records import RECORD_SCHEMA
from audit.matching.texts import Texts
from benchmarks.firms.make import Options, make
from pipelines.link_kept import FOLDER, Kept

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


def remembered(folder: Path, records: pl.DataFrame, words: Lexicon = SHIPPED) -> Features:
    """Parse records as the night does, which keeps them in `folder`."""
    kept = Kept(folder, PLACES, words)
    found = parse_units(records, gazetteer=PLACES, lexicon=words, kept=kept.fields)
    kept.settle()
    return found


@pytest.mark.parametrize("less", ["建材", "商贸", "第2"])
def test_a_changed_industry_word_changes_the_names_that_may_hold_it(
    records: pl.DataFrame, less: str, tmp_path: Path
) -> None:
    with_word = Lexicon.of((*SHIPPED.words, less))
    without = Lexicon.of(tuple(word for word in SHIPPED.words if word != less))
    remembered(tmp_path, records, with_word)

    found = remembered(tmp_path, records, without)

    assert [] == differing(parsed(records, None, without), found)
    assert [] == differing(parsed(records), remembered(tmp_path, records))


def test_names_may_hold_a_word_whose_characters_they_have_in_any_script() -> None:
    names = pl.Series(["宏达建（本部）材店", "宏達建築材料", "建设", "第二店", None])

    assert may_hold(names, ["建材"]).tolist() == [True, True, False, False, False]
    assert may_hold(names, ["第2"]).tolist() == [False, False, False, True, False]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of names of each call that parses some."""
    counts: list[int] = []
    real = parsing.parse_names

    def counted(column: pl.Series, *rest: object) -> object:
        counts.append(len(column))
        return real(column, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(parsing, "parse_names", counted)
    return counts


def test_only_changed_records_are_parsed_again_in_whatever_order(
    records: pl.DataFrame, tmp_path: Path, seen: list[int]
) -> None:
    remembered(tmp_path, records)
    seen.clear()
    assert [] == differing(parsed(records.reverse()), remembered(tmp_path, records.reverse()))
    seen.clear()
    changed = records.with_columns(
        name=pl.when(pl.col("record_id") == "c").then(pl.lit("宏达建材")).otherwise("name")
    )

    found = remembered(tmp_path, changed)

    assert 1 == sum(seen)
    assert [] == differing(parsed(changed), found)


def test_only_records_of_the_last_night_are_kept(
    records: pl.DataFrame, tmp_path: Path, seen: list[int]
) -> None:
    remembered(tmp_path, records)
    remembered(tmp_path, records.head(10))
    seen.clear()

    found = remembered(tmp_path, records.head(12))

    assert 2 == sum(seen)
    assert [] == differing(parsed(records.head(12)), found)


@pytest.mark.parametrize("damage", ["bytes", "places"])
def test_what_may_not_be_the_same_is_parsed_again(
    records: pl.DataFrame, tmp_path: Path, seen: list[int], damage: str
) -> None:
    rows = records.head(10)
    remembered(tmp_path, rows)
    for file in (tmp_path / FOLDER).iterdir():
        content = file.read_bytes()
        file.write_bytes(content[:-1] + b"x" if damage == "bytes" else content)
    regions = pl.DataFrame({"region_code": ["430422000000"], "name": ["衡南县"]})
    places = Gazetteer.from_regions(regions) if damage == "places" else PLACES
    seen.clear()

    kept = Kept(tmp_path, places, SHIPPED)
    parse_units(rows, gazetteer=places, lexicon=SHIPPED, kept=kept.fields)

    assert 10 == sum(seen)


def test_what_is_kept_is_for_the_office_alone(records: pl.DataFrame, tmp_path: Path) -> None:
    remembered(tmp_path, records.head(10))

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / FOLDER).iterdir()}

    assert {0o600} == modes
    assert 0o700 == (tmp_path / FOLDER).stat().st_mode & 0o777
