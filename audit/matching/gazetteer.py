"""Names of places: what is taken off the front of a unit's name and of its address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.characters import U64, folded, hashed, written
from audit.matching.phrases import Phrases
from audit.matching.words import CITIES, PROVINCES, ZONES

ENDINGS = (
    "特别行政区",
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治州",
    "地区",
    "省",
    "市",
    "县",
    "区",
)
"""Kinds of regions that a name may leave out."""

PROVINCE, CITY, COUNTY, TOWN, VILLAGE = 1, 2, 3, 4, 5
_VILLAGE_ENDINGS = ("村民委员会", "居民委员会", "村委会", "居委会", "委会", "委员会")


def short_name(name: str) -> str:
    """Return a region's name without its kind, where two characters or more remain."""
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name.removesuffix(ending)
    return name


def _level(code: pl.Expr) -> pl.Expr:
    """Return the level of region codes: by their digits before the zeros at the end."""
    digits = code.str.strip_chars_end("0").str.len_chars()
    return pl.sum_horizontal(1, *(digits > n for n in (2, 4, 6, 9))).cast(pl.Int64)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Places by name: `forms` of writing with the place's number, `levels` 1 to 5 of each number.

    `keys` is the hash of each place's short name, 0 at number 0 (no place); `bare` tells that a
    form of writing leaves the kind of region out. Equal gazetteers have equal `digest`.
    """

    phrases: Phrases = field(repr=False)
    upper: Phrases = field(repr=False)
    levels: NDArray[np.int64]
    keys: U64
    bare: NDArray[np.bool_]
    digest: str

    @classmethod
    def from_regions(cls, regions: pl.DataFrame) -> Gazetteer:
        """Return the gazetteer of a `region` list: columns region_code and name (level unused).

        Provinces and cities of the whole country are known without it.
        """
        forms = _national()
        listed = (
            regions.select("region_code", "name").drop_nulls().unique().sort("region_code", "name")
        )
        text = folded(listed["name"]).letters()
        named = listed.select(
            name=written(text, text.starts, text.ends), level=_level(pl.col("region_code"))
        )
        # Many villages share a name.
        for name, level in named.drop_nulls().unique(maintain_order=True).iter_rows():
            _add(forms, name, level)
        return cls._of(forms)

    @classmethod
    def _of(cls, forms: dict[str, tuple[str, int]]) -> Gazetteer:
        texts = sorted(forms)
        numbers = {text: number for number, text in enumerate(texts, 1)}
        levels = np.array([0, *(forms[text][1] for text in texts)])
        shorts = [forms[text][0] for text in texts]
        said = "\n".join(f"{text}|{forms[text][0]}|{forms[text][1]}" for text in texts)
        return cls(
            digest=hashlib.sha256(said.encode()).hexdigest(),
            phrases=Phrases(numbers),
            upper=Phrases({t: n for t, n in numbers.items() if forms[t][1] <= CITY}),
            levels=levels,
            keys=np.concatenate([np.zeros(1, dtype=np.uint64), hashed(shorts)]),
            bare=np.array(
                [
                    False,
                    *(
                        s == t and forms[t][1] <= COUNTY and t not in ZONES
                        for s, t in zip(shorts, texts, strict=True)
                    ),
                ]
            ),
        )


def _national() -> dict[str, tuple[str, int]]:
    forms: dict[str, tuple[str, int]] = {}
    for city in CITIES:
        _add(forms, city if city.endswith("州") and len(city) > 4 else city + "市", CITY)
    for zone in ZONES:
        forms[zone] = (zone, COUNTY)
    for province in PROVINCES:
        _add(forms, province, PROVINCE)
    return forms


def _add(forms: dict[str, tuple[str, int]], name: str, level: int) -> None:
    """Enter the ways to write a place; the higher place keeps a name that two have."""
    if len(name) < 2 or name in ("市辖区", "县", "省直辖县级行政区划"):
        return
    short = short_name(name) if level <= COUNTY else name
    writings = {name, short}
    if level == TOWN and name.endswith("办事处"):
        writings = {name, name.removesuffix("办事处")}
    if level == VILLAGE:
        bare = next((name.removesuffix(e) for e in _VILLAGE_ENDINGS if name.endswith(e)), name)
        writings = {
            name,
            *(w for w in (bare, bare + "村", bare + "社区") if w[-1] in "村区" and len(w) > 2),
        }
    for writing in sorted(writings):
        if writing not in forms or forms[writing][1] > level:
            forms[writing] = (short, level)
