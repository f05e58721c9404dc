"""Links and estimates that lie in the kept database, so that they need not be written once more.

They are put there after a night is published that took them over, where they are many and not
those that lie there; a night that begins with the kept database finds them in their tables. What a
night made anew is left out: where units come and go every night, it would be put there in vain.
`raw.standing` tells what each follows from; it is in the kept database only, never in a published
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audit.engines.duckdb import DuckDBEngine, Limits, PackageReader
from audit.errors import EngineError
from audit.quoting import quoted
from pipelines.context import LOG, RunContext
from pipelines.link_tables import TABLES
from pipelines.package_views import comment_tables
from pipelines.parts import STANDING, STANDING_COLUMNS, Store, copy_file, put_in_place
from pipelines.reuse import LINKS, Published

MANY = 100_000
"""Rows that are others than those that lie there, from which on they are put there anew."""


def _tables(name: str) -> tuple[str, ...]:
    return tuple(f"{LINKS}.{table}" for table in TABLES) if name == LINKS else (name,)


def _counting(*names: str) -> str:
    counts = " + ".join(f"(SELECT COUNT(*) FROM {t})" for name in names for t in _tables(name))
    return f"SELECT {counts} AS n_rows"


def _n_rows(package: Path, names: list[str]) -> int:
    with PackageReader(package) as reader:
        return int(reader.fetch(_counting(*names)).to_pylist()[0]["n_rows"])


def stands(engine: DuckDBEngine, store: Store, name: str, key: str) -> bool:
    """Tell whether the tables of a name hold what follows from `key` since the night began."""
    held, n_rows = store.standing.get(name, ("", 0))
    return held == key and engine.scalar(_counting(name)) == n_rows


def taken_over(ctx: RunContext, last: Published) -> dict[str, str]:
    """Return what tonight's links and estimates follow from, of those that the last run had.

    Ask before tonight's run takes the place of `last`. Nothing where no rows are kept.
    """
    tonight = ctx.contents.items() if ctx.store else ()
    made = ((n, key) for n, key in tonight if n == LINKS or n.startswith("estimate."))
    return {name: key for name, key in made if last.follows(name, key)}


def _fill(database: Path, package: Path, keys: Mapping[str, str], limits: Limits) -> None:
    with DuckDBEngine(database, limits) as engine:
        engine.execute(f"ATTACH {quoted(package)} AS published (READ_ONLY)")
        engine.execute(f"CREATE TABLE IF NOT EXISTS {STANDING} ({STANDING_COLUMNS})")
        for name, key in keys.items():
            for table in _tables(name):
                engine.execute(f"DELETE FROM {table}")
                engine.append(table, f"SELECT * FROM published.{table}")
            engine.execute(f"DELETE FROM {STANDING} WHERE name = {quoted(name)}")
            told = f"SELECT {quoted(name)} AS name, {quoted(key)} AS key"
            engine.append(STANDING, f"{told}, n_rows FROM ({_counting(name)})")
        # Comments that stand there need not be written in each night either.
        comment_tables(engine)
        engine.checkpoint()


def hold(store: Store, package: Path, keys: Mapping[str, str], limits: Limits) -> None:
    """Put links and estimates of a published package into the kept database.

    `keys`: by name, what they follow from. They are put into a copy that takes its place when it is
    whole: whatever fails, the kept database stays as it was.
    """
    others = {n: key for n, key in keys.items() if store.standing.get(n, ("", 0))[0] != key}
    waiting = store.folder / ".standing"
    try:
        kept = store.kept_database
        if kept is None or not others or _n_rows(package, [*others]) < MANY:
            return
        copy_file(kept, waiting)
        _fill(waiting, package, others, limits)
        if store.has_room(waiting):
            put_in_place(waiting, store.folder, store.fingerprint)
    except (EngineError, OSError) as error:
        LOG.warning(
            "匹配和估计结果未能留存，下次运行要多用几秒 links and estimates could not be kept, "
            "the next night takes some seconds more: %s",
            type(error).__name__,
        )
    finally:
        waiting.unlink(missing_ok=True)
