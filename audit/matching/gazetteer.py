"""Names of places: what is taken off the front of a unit's name and of its address."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Names of provinces, cities, counties, townships and villages, normalised and sorted."""

    names: tuple[str, ...]

    @classmethod
    def from_regions(cls, regions: pl.DataFrame) -> Gazetteer:
        """Return the gazetteer of a `region` list: columns region_code, name."""
        names = regions["name"].drop_nulls().str.normalize("NFKC").str.strip_chars().unique().sort()
        return cls(tuple(name for name in names.to_list() if len(name) > 1))
