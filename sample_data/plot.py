"""The ground a planter works on: tables to change, units not yet touched, the truth so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from sample_data.draws import Draw, digits, join_text
from sample_data.identifiers import credit_codes

TRUTH = ("rule_id", "accept", "subject_id", "related_id", "kind", "note")
CODED_TABLES = ("legal_entity", "establishment", "self_employed", "frame_unit", "register_unit",
                "prior_value")  # fmt: skip
HOT_WEIGHT = 14.0
ACCEPTED = {
    "COD001": "COD002", "DUP004": "DUP001", "DUP007": "DUP005|DUP001|DUP006", "REG009": "REG001",
    "REG010": "REG001", "COD015": "COD008",
}  # fmt: skip
"""Other rules that count as found."""
Planter = Callable[["Plot"], None]


class ExhaustedError(ValueError):
    """No unit is left that a planter could damage: the sample is too small for its rule."""


@dataclass
class Plot:
    """Tables under damage. `per_*` say how many errors a planter makes in each kind of unit."""

    tables: dict[str, pl.DataFrame]
    draw: Draw
    per_legal: int
    per_establishment: int
    per_household: int
    hot_township: str
    seed: int
    used: set[str] = field(default_factory=set)
    truth: list[pl.DataFrame] = field(default_factory=list)
    rule: str = ""

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    def unused(self, table: str) -> pl.DataFrame:
        """Return the rows of a unit table that nothing was planted in."""
        return self[table].filter(~pl.col("unit_id").is_in(list(self.used)))

    def firms(self, form: str = "611") -> pl.DataFrame:
        """Return untouched single-establishment enterprises that operate, without any mark."""
        return self.singles(form).filter(pl.col("institution_type") == "10")

    def singles(self, form: str = "611") -> pl.DataFrame:
        """Return untouched legal entities: no establishments, edits, notes or repeated names."""
        return self._plain().filter(
            (pl.col("form") == form) & (pl.col("has_establishments") == "2")
        )

    def parents(self) -> pl.DataFrame:
        """Return untouched legal entities all of whose listed establishments filed a form here."""
        listed = self["establishment_list"].group_by("legal_unit_id").len("listed")
        forms = self["establishment"].group_by("parent_credit_code").len("filed")
        joined = (
            self._plain()
            .filter(pl.col("has_establishments") == "1")
            .join(listed, left_on="unit_id", right_on="legal_unit_id", maintain_order="left")
            .join(
                forms, left_on="credit_code", right_on="parent_credit_code", maintain_order="left"
            )
        )
        return joined.filter((pl.col("listed") == pl.col("filed")) & (pl.col("listed") >= 2))

    def _plain(self) -> pl.DataFrame:
        edited = self["edit_event"]["unit_id"].unique().to_list()
        named = pl.concat([self["external_finding"]["credit_code"], self["agency"]["credit_code"]])
        return self.unused("legal_entity").filter(
            (pl.col("status") == "1")
            & pl.col("credit_code").is_not_null()
            & pl.col("explanation").is_null()
            & pl.col("name").is_unique()
            & (pl.col("no_fixed_premises") != "1").fill_null(value=True)
            & ~pl.col("unit_id").is_in(edited)
            & ~pl.col("credit_code").is_in(named.drop_nulls().to_list())
        )

    def visitors(self) -> pl.DataFrame:
        """Return untouched branches of legal entities outside the city."""
        away = ~pl.col("parent_region_code").str.starts_with("4304")
        known = ~pl.col("parent_credit_code").str.starts_with("111111111")
        return self.unused("establishment").filter(away & known)

    def households(self) -> pl.DataFrame:
        """Return untouched households with a credit code."""
        return self.unused("self_employed").filter(
            pl.col("credit_code").is_not_null() & (pl.col("status") == "1")
        )

    def take(self, pool: pl.DataFrame, k: int, key: str = "unit_id") -> pl.DataFrame:
        """Return k rows of the pool (all of a smaller one) and mark them used.

        The hot township gives more often. Raises ExhaustedError where the pool is empty.
        """
        if pool.height == 0:
            raise ExhaustedError(f"{self.rule}: no unit left to plant an error in; take more units")
        hot = pool["region_code"].str.starts_with(self.hot_township).to_numpy()
        keys = self.draw.rng.random(pool.height) ** (1.0 / np.where(hot, HOT_WEIGHT, 1.0))
        rows = pool[np.sort(np.argsort(-keys, kind="stable")[:k])]
        self.used.update(rows[key].to_list())
        return rows

    def assign(
        self,
        table: str,
        column: str,
        keys: pl.Series,
        values: pl.Series | str | None,
        key: str = "unit_id",
    ) -> None:
        """Set `column` to one value a key (or the same for all) where `key` is among the keys."""
        frame = self[table]
        if values is None or isinstance(values, str):
            values = pl.Series([values] * len(keys), dtype=frame.schema[column])
        mapped = pl.col(key).replace_strict(
            keys, values.cast(frame.schema[column]), default=pl.col(column),
            return_dtype=frame.schema[column],
        )  # fmt: skip
        self.tables[table] = frame.with_columns(mapped.alias(column))

    def recode(self, old: pl.Series, new: pl.Series) -> None:
        """Carry a changed credit code through forms, frame, registers and previous values."""
        for table in CODED_TABLES:
            self.assign(table, "credit_code", old, new, key="credit_code")

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows to a table; columns they lack are empty."""
        schema = self[table].schema
        filled = [
            (pl.col(c) if c in rows.columns else pl.lit(None)).cast(t).alias(c)
            for c, t in schema.items()
        ]
        self.tables[table] = pl.concat([self[table], rows.select(filled)])

    def note(
        self,
        subjects: pl.Series,
        related: pl.Series | None = None,
        *,
        rule: str = "",
        kind: str = "planted",
        note: str | pl.Series = "",
    ) -> None:
        """Write truth rows: the running rule must be found on each subject."""
        n = len(subjects)
        blank = pl.Series([""] * n, dtype=pl.String)
        named = rule or self.rule
        accept = ACCEPTED.get(named, "") if kind == "planted" else ""
        values = {"rule_id": named, "accept": accept, "kind": kind, "note": note}
        texts = {
            k: pl.Series([v] * n, dtype=pl.String) if isinstance(v, str) else v
            for k, v in values.items()
        }
        rows = pl.DataFrame(
            {**texts, "subject_id": subjects, "related_id": blank if related is None else related}
        )
        self.truth.append(rows.select(TRUTH))

    def also(self, subjects: pl.Series, kind: str, rules: Sequence[str]) -> None:
        """Write what else must (`consequence`) or may (`possible`) be found on the subjects."""
        for rule in rules:
            self.note(subjects, rule=rule, kind=kind)

    def next_ids(self, table: str, letter: str, k: int) -> pl.Series:
        """Return k unit ids behind the last one of a table."""
        last = self[table]["unit_id"].max()
        width = len(str(last)) - 1
        start = int(str(last)[1:])
        return join_text(letter, digits(np.arange(start + 1, start + k + 1), width))

    def next_frame_ids(self, region: pl.Series, kind: str) -> pl.Series:
        """Return frame ids behind the last serial of the frame."""
        start = int(str(self["frame_unit"]["frame_id"].str.slice(7).max()))
        serial = digits(np.arange(start + 1, start + len(region) + 1), 7)
        return join_text(region.str.slice(0, 6), kind, serial)

    def fresh_codes(self, prefix: str, authority: pl.Series) -> pl.Series:
        """Return valid credit codes that stand nowhere in the delivery."""
        n = len(authority)
        known = pl.concat([self[t]["credit_code"].str.slice(8, 8) for t in CODED_TABLES]).unique()
        bodies = digits(self.draw.rng.permutation(10**6)[: 20 * n + 2000] * 97 + 1_000_003, 8)
        free = bodies.filter(~bodies.is_in(known.drop_nulls().to_list())).head(n)
        return credit_codes(prefix, authority, free)


def split(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows in even and in odd places, for errors of two kinds."""
    place = pl.Series(np.arange(rows.height) % 2)
    return rows.filter(place == 0), rows.filter(place == 1)


def cycle(values: Sequence[str], n: int) -> pl.Series:
    """Return the values in turn, n of them."""
    return pl.Series(values).gather(np.arange(n) % len(values))
