"""What each rule gave, so that a rule over unchanged rows is not run again.

    OUT/state/check/<what changes a reading>-<sha256 of the file>.parquet

A rule's result follows from its file, its parameters, the region asked for and the rows of its
tables; where all of these are those of the last night, so is the result. Of a rule that goes by
county, so is the result of each county whose rows are. See docs/decisions/0010.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from audit.by_county import FOLLOWING, UNIT, Recalled, in_counties
from audit.checking import FINDING_COLUMNS, STAGED
from audit.engines.base import Engine
from audit.model import Rule
from audit.views import UNIT_SOURCES
from pipelines.contents import Contents, digest

FOLDER = "check"
EARLIER = "earlier_result"
_PLACES = "unit and county"
_COUNTS = ("n_checked", "n_failed", "n_unknown")
_TONIGHT = f"""
SELECT 'finding' AS kind, {", ".join(FINDING_COLUMNS)} FROM {STAGED}
UNION ALL BY NAME
SELECT 'outcome' AS kind, rule_id, region_code, {", ".join(_COUNTS)}, status FROM audit.outcome
WHERE status IN ('PASSED', 'FAILED')
"""


@dataclass(frozen=True, slots=True)
class _Held:
    """What a table holds, and what each county of it holds; empty where that was not looked at."""

    whole: str
    counties: Mapping[str, str]


_NOTHING = _Held("", {})


def _together(sources: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return what the view over tables holds by county."""
    parts = list(sources)
    counties = sorted({county for part in parts for county in part})
    return {county: digest(*(part.get(county, "") for part in parts)) for county in counties}


def _rows(held: Mapping[str, _Held]) -> pl.DataFrame:
    """Return what tables hold as rows of the kept file: a table by its name, then its counties."""
    rows: list[tuple[str, str, str | None, str]] = [
        ("table", name, None, table.whole) for name, table in held.items()
    ]
    rows += [
        ("county", name, county, part)
        for name, table in held.items()
        for county, part in table.counties.items()
    ]
    columns = ("kind", "table_name", "region_code", "key")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")


def _held(kept: pl.DataFrame) -> dict[str, _Held]:
    """Return what tables held, from the rows of the kept file."""
    tables = kept.filter(pl.col("kind") == "table").select("table_name", "key").rows()
    counties = kept.filter(pl.col("kind") == "county")
    return {
        name: _Held(
            whole,
            dict(counties.filter(pl.col("table_name") == name).select("region_code", "key").rows()),
        )
        for name, whole in tables
    }


def _frame(keys: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"rule_id": list(keys), "key": list(keys.values())},
        schema={"rule_id": pl.String(), "key": pl.String()},
    )


@dataclass(slots=True)
class RuleMemory:
    """Results of rules under the key of what they follow from. `asked`: the region of tonight."""

    folder: Path
    fingerprint: str
    run_id: str
    asked: str
    contents: Contents
    _keys: dict[str, str] = field(default_factory=dict)
    _held: dict[str, _Held] = field(default_factory=dict)

    def _key(self, rule: Rule, sql: str) -> str:
        """Return the digest of all that a rule follows from, but the rows that go by county."""
        tables = (*rule.tables, *rule.optional_tables)
        held = (self.contents.of(name) for name in tables if name not in rule.by_county)
        return digest(self.fingerprint, rule.sha256, sql, self.asked, *tables, *held)

    def _look(self, name: str, earlier: Mapping[str, _Held]) -> _Held:
        """Return what a table holds; its counties are those of the last night where it does."""
        if name in self._held:
            return self._held[name]
        whole, before = self.contents.of(name), earlier.get(name)
        if before is not None and before.whole == whole:
            # Rows without a region are where their units are: that they moved, the units tell.
            stands = name not in FOLLOWING or not self._moved(earlier)
            counties = before.counties if stands else {}
        elif name == UNIT:
            counties = _together([self._look(t, earlier).counties for t in UNIT_SOURCES])
        else:
            counties = self.contents.counties(name)
        self._held[name] = _Held(whole, counties)
        return self._held[name]

    def _moved(self, earlier: Mapping[str, _Held]) -> bool:
        """Return whether units came, went or moved to another county."""
        return earlier.get(_PLACES) != self._places()

    def _places(self) -> _Held:
        """Return where units lie; with an entry where one of them lies in two counties."""
        if _PLACES not in self._held:
            scattered = {"": "scattered"} if self.contents.scattered() else {}
            self._held[_PLACES] = _Held(self.contents.places(), scattered)
        return self._held[_PLACES]

    def _changed(self, name: str, earlier: Mapping[str, _Held]) -> frozenset[str] | None:
        """Return the counties of which a table does not hold the same rows; None: not known."""
        now, before = self._look(name, earlier), earlier.get(name)
        if before is None:
            return None
        found = frozenset[str]()
        if before.whole != now.whole:
            if not before.counties:
                return None
            found = frozenset(
                county for county, _ in now.counties.items() ^ before.counties.items()
            )
        if name in FOLLOWING and self._moved(earlier):
            units = self._changed(UNIT, earlier)
            if units is None:
                return None
            found |= units | {""}
        # What lies in two counties ties them together.
        scattered = self._places().counties or earlier.get(_PLACES, _NOTHING).counties
        return None if found and scattered else found

    def _changes(
        self, rules: Mapping[str, tuple[Rule, str]], earlier: Mapping[str, _Held]
    ) -> dict[str, frozenset[str] | None]:
        """Return by rule the counties to run it over; None for all of them."""
        self._places()
        tables = {name for rule, _ in rules.values() for name in rule.by_county}
        changed = {name: self._changed(name, earlier) for name in sorted(tables)}
        found: dict[str, frozenset[str] | None] = {}
        for rule_id, (rule, _) in rules.items():
            parts = [changed[name] for name in rule.by_county]
            known = [part for part in parts if part is not None]
            found[rule_id] = frozenset[str]().union(*known) if len(known) == len(parts) else None
        return found

    def recall(self, engine: Engine, rules: Mapping[str, tuple[Rule, str]]) -> Recalled:
        """Put back what rules gave that would come out again. `rules`: with their SQL."""
        self._keys = {rule_id: self._key(rule, sql) for rule_id, (rule, sql) in rules.items()}
        earlier = self._load()
        changes = self._changes(rules, _held(earlier) if earlier is not None else {})
        if earlier is None:
            return Recalled()
        ran = earlier.filter(pl.col("kind") == "rule")
        same = set(ran.join(_frame(self._keys), on=["rule_id", "key"])["rule_id"])
        recalled = self._left(same, changes)
        self._put_back(engine, earlier, recalled)
        return recalled

    def _left(self, same: set[str], changes: Mapping[str, frozenset[str] | None]) -> Recalled:
        """Return which of the rules with `same` keys stand, and the counties of the others."""
        whole = frozenset(rule_id for rule_id in same if changes[rule_id] == frozenset())
        some = {rule_id: changes[rule_id] for rule_id in same if changes[rule_id]}
        counties = frozenset[str]().union(*(found for found in some.values() if found))
        there = {county for held in self._held.values() for county in held.counties}
        # Beyond half of them, parts of the tables cost more than they spare.
        if 2 * len(counties) > len(there):
            return Recalled(whole)
        return Recalled(whole, frozenset(some), tuple(sorted(counties)))

    def _put_back(self, engine: Engine, earlier: pl.DataFrame, recalled: Recalled) -> None:
        results = earlier.filter(pl.col("rule_id").is_in([*recalled.whole, *recalled.partly]))
        engine.register(EARLIER, results.to_arrow())
        stands = "TRUE"
        if recalled.partly:
            partly = ", ".join(f"'{name}'" for name in sorted(recalled.partly))
            inside = in_counties("region_code", recalled.counties)
            stands = f"NOT (rule_id IN ({partly}) AND {inside})"
        engine.append(
            STAGED,
            f"SELECT {', '.join(FINDING_COLUMNS)} FROM {EARLIER} "
            f"WHERE kind = 'finding' AND {stands}",
        )
        engine.append(
            "audit.outcome",
            f"SELECT '{self.run_id}' AS run_id, rule_id, region_code, {', '.join(_COUNTS)}, "
            f"status, CAST(0 AS DOUBLE) AS seconds FROM {EARLIER} "
            f"WHERE kind = 'outcome' AND {stands}",
        )
        engine.unregister(EARLIER)

    def keep(self, engine: Engine) -> None:
        """Keep what the rules gave tonight, instead of what was kept before."""
        failed = {
            row["rule_id"]
            for row in engine.fetch(
                "SELECT DISTINCT rule_id FROM audit.outcome WHERE status = 'ERROR'"
            ).to_pylist()
        }
        found = pl.DataFrame(pl.from_arrow(engine.fetch(_TONIGHT)))
        keys = {rule_id: key for rule_id, key in self._keys.items() if rule_id not in failed}
        ran = _frame(keys).with_columns(kind=pl.lit("rule"))
        found = found.join(ran.select("rule_id"), on="rule_id", how="semi")
        self._store(pl.concat([ran, found, _rows(self._held)], how="diagonal"))

    def _store(self, results: pl.DataFrame) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        waiting = self.folder / ".next"
        waiting.touch(mode=0o600)
        results.write_parquet(waiting)
        kept = self.folder / f"{self.fingerprint}-{_sha256(waiting)}.parquet"
        waiting.rename(kept)
        clear(self.folder, but=kept)

    def _load(self) -> pl.DataFrame | None:
        """Return what was kept where its bytes are sound; what is of no use tonight goes."""
        for path in sorted(self.folder.glob("*.parquet")):
            made, _, whole = path.stem.partition("-")
            if made == self.fingerprint and _sha256(path) == whole:
                return pl.read_parquet(path)
        clear(self.folder)
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clear(folder: Path, *, but: Path | None = None, made: str = "") -> None:
    """Remove everything that is kept, but one file, or what was `made` under a fingerprint."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path != but and not (made and path.name.startswith(f"{made}-")):
            path.unlink()
