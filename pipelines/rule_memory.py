"""What each rule gave, so that a rule over unchanged tables is not run again.

    OUT/state/check/<what changes a reading>-<sha256 of the file>.parquet

A rule's result follows from its file, its parameters, the region asked for and what it reads of
its tables; where all of these are those of the last night, so is the result. Beside it lies what
the columns of forms hold. See docs/decisions/0010.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from audit.checking import FINDING_COLUMNS
from audit.engines.base import Engine
from audit.model import Rule
from audit.told import STAGED
from pipelines.contents import Contents, digest

FOLDER = "check"
EARLIER = "earlier_result"
_COUNTS = ("n_checked", "n_failed", "n_unknown")
_TONIGHT = f"""
SELECT 'finding' AS kind, {", ".join(FINDING_COLUMNS)} FROM {STAGED}
UNION ALL BY NAME
SELECT 'outcome' AS kind, rule_id, region_code, {", ".join(_COUNTS)}, status FROM audit.outcome
WHERE status IN ('PASSED', 'FAILED')
"""


@dataclass(slots=True)
class RuleMemory:
    """Results of rules under the key of what they follow from. `asked`: the region of tonight."""

    folder: Path
    fingerprint: str
    run_id: str
    asked: str
    contents: Contents
    recalled: int = 0
    _keys: dict[str, str] = field(default_factory=dict)

    def _key(self, rule: Rule, sql: str) -> str:
        tables = (*rule.tables, *rule.optional_tables)
        held = self.contents.read(sql, tables)
        return digest(self.fingerprint, rule.sha256, sql, self.asked, held)

    def recall(self, engine: Engine, rules: Mapping[str, tuple[Rule, str]]) -> frozenset[str]:
        """Put back what rules gave that need not run; return their ids. `rules`: with their SQL."""
        self._keys = {rule_id: self._key(rule, sql) for rule_id, (rule, sql) in rules.items()}
        earlier = self._load()
        if earlier is None:
            return frozenset()
        tonight = pl.DataFrame(
            {"rule_id": list(self._keys), "key": list(self._keys.values())},
            schema={"rule_id": pl.String(), "key": pl.String()},
        )
        same = earlier.filter(pl.col("kind") == "rule").join(tonight, on=["rule_id", "key"])
        results = earlier.join(same.select("rule_id"), on="rule_id", how="semi")
        engine.register(EARLIER, results.to_arrow())
        engine.append(
            STAGED, f"SELECT {', '.join(FINDING_COLUMNS)} FROM {EARLIER} WHERE kind = 'finding'"
        )
        engine.append(
            "audit.outcome",
            f"SELECT '{self.run_id}' AS run_id, rule_id, region_code, {', '.join(_COUNTS)}, "
            f"status, CAST(0 AS DOUBLE) AS seconds FROM {EARLIER} WHERE kind = 'outcome'",
        )
        engine.unregister(EARLIER)
        self.recalled = same.height
        return frozenset(same["rule_id"])

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
        ran = pl.DataFrame(
            {"rule_id": list(keys), "key": list(keys.values())},
            schema={"rule_id": pl.String(), "key": pl.String()},
        ).with_columns(kind=pl.lit("rule"))
        whole = pl.concat([ran, found], how="diagonal")
        self._store(whole.join(ran.select("rule_id"), on="rule_id", how="semi"))

    def _store(self, results: pl.DataFrame) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        waiting = self.folder / ".next"
        waiting.touch(mode=0o600)
        results.write_parquet(waiting)
        kept = self.folder / f"{self.fingerprint}-{_sha256(waiting)}.parquet"
        waiting.rename(kept)
        clear(self.folder, but=(kept, self.contents.keep()))

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


def clear(folder: Path, *, but: Sequence[Path] = (), made: str = "") -> None:
    """Remove everything that is kept, but some files, or what was `made` under a fingerprint."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path not in but and not (made and path.name.startswith(f"{made}-")):
            path.unlink()
