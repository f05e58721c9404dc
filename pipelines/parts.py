"""The rows of each file as last read, so that an unchanged file is not read again.

    OUT/state/intake/<what changes a reading>-<sha256 of the file>.duckdb

One database holds the parts of all files, as they were before repeated keys were decided: a night
begins with a copy of it, in which only the parts of changed files are replaced. It is trusted only
where its bytes have the digest of its name and it was made by the same program, contract, settings,
digest list and salt; else it is removed and everything is read again. Rows of confidential units
are taken out before a part is made. Links and estimates of a published night may lie in it as well
(`standing`), those of units that are gone since among them, until others take their place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import polars as pl

from audit.engines.duckdb import DuckDBEngine
from pipelines.confidential import TABLE as DIGESTS
from pipelines.config import RunConfig
from pipelines.hidden import Secrets
from pipelines.loading import REJECTED, FileReport
from pipelines.readers.which import delivered_files
from pipelines.writing import append

LOG = logging.getLogger("census_audit")
FOLDER = "intake"
TABLE = "raw.part"
"""What is known of each part; in the kept database only, never in a published one."""
STANDING = "raw.standing"
"""What the links and estimates that lie in the kept database follow from; nowhere else."""
STANDING_COLUMNS = "name VARCHAR, key VARCHAR, n_rows BIGINT"
EARLIER = "ingest_earlier_refusal"
MOVES = "ingest_move"
SHIFT = 1_000_000_000
"""Added to the numbers of files read into a database that still holds the parts of last night."""
MOST_GROWTH, LITTLE = 1.5, 64 << 20
ROOT = Path(__file__).parents[1]
_CODE = ("audit", "pipelines", "sample_data", "rules/reference", "rules/relations.yaml")
_PACKAGES = ("duckdb", "polars", "pyarrow", "python-calamine")
_NO_MATTER = (
    "memory", "threads", "keep_runs", "scoring", "tasks", "parameters", "salt_file", "gate",
    "expected_rows", "spark",
)  # fmt: skip
_STANDING = {"name": pl.String(), "key": pl.String(), "n_rows": pl.Int64()}
_SCHEMA = {
    "file": pl.String(), "file_no": pl.Int32(), "key": pl.String(), "report": pl.String(),
    "secrets": pl.String(), "built_bytes": pl.Int64(),
}  # fmt: skip


class UnsafeError(Exception):
    """Rows of last night turn out to be confidential: their traces may not stay in the file."""


@dataclass(slots=True, kw_only=True)
class Part:
    """What one file gave. `key`: the bytes, the table, and what the files before it told."""

    key: str
    report: FileReport
    secrets: Secrets
    old_no: int = 0
    old_file: str = ""


@dataclass(slots=True)
class Store:
    """The kept parts of a state folder. `restored`: tonight's database began with them.

    `contents`: by table, the digest of all that its rows of tonight follow from. `standing`: of
    the links and estimates that came with the database, by name what they follow from, and rows.
    """

    folder: Path
    fingerprint: str
    database: Path
    restored: bool = False
    known: list[Part] = field(default_factory=list)
    taken: list[Part] = field(default_factory=list)
    built_bytes: int = 0
    contents: dict[str, str] = field(default_factory=dict)
    standing: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def kept_database(self) -> Path | None:
        """The kept database; None where there is none."""
        return next(self.folder.glob(f"{self.fingerprint}-*.duckdb"), None)

    def open(self, engine: DuckDBEngine) -> None:
        """Take the list of parts out of a restored database, and lay last refusals aside."""
        for row in pl.DataFrame(pl.from_arrow(engine.fetch(f"SELECT * FROM {TABLE}"))).to_dicts():
            self.known.append(_part(row))
            self.built_bytes = row["built_bytes"]
        engine.materialise(EARLIER, f"SELECT * FROM {REJECTED}")
        if STANDING in engine.tables():
            rows = engine.rows(f"SELECT name, key, n_rows FROM {STANDING}")
            self.standing = {str(n): (str(key), int(str(count))) for n, key, count in rows}
        for table in (TABLE, STANDING):
            engine.execute(f"DROP TABLE IF EXISTS {table}")

    def take(self, key: str, file: str) -> Part | None:
        """Return the part of a file with this key, once; that of the same name is preferred."""
        found = [part for part in self.known if part.key == key]
        if not found:
            return None
        part = next((p for p in found if p.old_file == file), found[0])
        self.known.remove(part)
        self.taken.append(part)
        return part

    def settle(self, engine: DuckDBEngine, read: Sequence[Part]) -> None:
        """Make the database what a full reading gives, repeated keys aside, and keep it."""
        if self.restored:
            self._see_that_nothing_shows(read)
            _drop(engine, self.known)
            _move(engine, self.taken, read)
        self._save(engine, [*self.taken, *read])
        self.contents = self._contents([*self.taken, *read])

    def _contents(self, parts: Iterable[Part]) -> dict[str, str]:
        totals: dict[str, list[str]] = {}
        for part in parts:
            source = part.report.source
            totals.setdefault(source.table, []).append(f"{source.file_no} {part.key}")
        return {
            table: hashlib.sha256("\n".join((self.fingerprint, *sorted(keys))).encode()).hexdigest()
            for table, keys in totals.items()
        }

    def _see_that_nothing_shows(self, read: Sequence[Part]) -> None:
        earlier, tonight = Counter[str](), Counter[str]()
        for part in (*self.known, *self.taken):
            earlier.update(part.secrets.rows)
        for part in (*read, *self.taken):
            tonight.update(part.secrets.rows)
        if not tonight <= earlier:
            raise UnsafeError

    def _save(self, engine: DuckDBEngine, parts: Sequence[Part]) -> None:
        # A file refused as a whole is always tried again.
        parts = [part for part in parts if not part.report.whole]
        if self.restored and not self.known and all(_in_place(part) for part in parts):
            return
        engine.execute(f"CREATE TABLE {TABLE} ({_columns()})")
        append(engine, TABLE, _frame(parts, self.built_bytes))
        engine.execute(f"CREATE TABLE {STANDING} ({STANDING_COLUMNS})")
        held = [(name, *told) for name, told in self.standing.items()]
        append(engine, STANDING, pl.DataFrame(held, _STANDING, orient="row"))
        engine.checkpoint()
        if not self.restored:
            self.built_bytes = self.database.stat().st_size
            engine.execute(f"UPDATE {TABLE} SET built_bytes = {self.built_bytes}")
            engine.checkpoint()
        if self.has_room(self.database):
            _keep(self.database, self.folder, self.fingerprint)
        else:
            # Rows deleted night after night leave holes: the next night builds anew.
            clear(self.folder)
        for table in (TABLE, STANDING):
            engine.execute(f"DROP TABLE {table}")

    def has_room(self, database: Path) -> bool:
        """Tell whether a database has not grown too much since all files were read."""
        return database.stat().st_size <= MOST_GROWTH * self.built_bytes + LITTLE


def _in_place(part: Part) -> bool:
    report = part.report
    return part.old_no == report.source.file_no and part.old_file == report.source.file


def _columns() -> str:
    return (
        "file VARCHAR, file_no INTEGER, key VARCHAR, report VARCHAR, secrets VARCHAR, "
        "built_bytes BIGINT"
    )


def _part(row: dict[str, object]) -> Part:
    report = FileReport.from_json(str(row["report"]))
    told = json.loads(str(row["secrets"]))
    return Part(
        key=str(row["key"]),
        report=report,
        secrets=Secrets(set(told["ids"]), Counter(told["rows"])),
        old_no=int(str(row["file_no"])),
        old_file=str(row["file"]),
    )


def _frame(parts: Iterable[Part], built_bytes: int) -> pl.DataFrame:
    rows = [
        {
            "file": part.report.source.file,
            "file_no": part.report.source.file_no,
            "key": part.key,
            "report": part.report.to_json(),
            "secrets": json.dumps(
                {"ids": sorted(part.secrets.ids), "rows": dict(part.secrets.rows)}
            ),
            "built_bytes": built_bytes,
        }
        for part in parts
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _both(table: str) -> tuple[str, str]:
    return f"census.{table}", f"raw.{table}"


def _drop(engine: DuckDBEngine, parts: Iterable[Part]) -> None:
    """Delete the rows of parts whose file changed or is gone."""
    by_table: dict[str, list[int]] = {}
    for part in parts:
        by_table.setdefault(part.report.source.table, []).append(part.old_no)
    for table, numbers in by_table.items():
        for name in _both(table):
            engine.execute(f"DELETE FROM {name} WHERE file_no IN ({_listed(numbers)})")


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _move(engine: DuckDBEngine, taken: Sequence[Part], read: Sequence[Part]) -> None:
    """Give all rows the number that their file has tonight, and bring back the refusals."""
    moves = [(p.report.source, p.old_no) for p in taken]
    moves += [(p.report.source, p.report.source.file_no + SHIFT) for p in read]
    by_table: dict[str, list[tuple[int, int]]] = {}
    for source, old in moves:
        if old != source.file_no:
            by_table.setdefault(source.table, []).append((old, source.file_no))
    for table, pairs in by_table.items():
        cases = " ".join(f"WHEN {old} THEN {new}" for old, new in pairs)
        olds = _listed(old for old, _ in pairs)
        for name in _both(table) if table else ():
            engine.execute(
                f"UPDATE {name} SET file_no = CASE file_no {cases} END WHERE file_no IN ({olds})"
            )
    names = pl.DataFrame(
        [(p.old_file, p.report.source.file) for p in taken],
        schema={"old_file": pl.String(), "new_file": pl.String()},
        orient="row",
    )
    engine.register(MOVES, names.to_arrow())
    engine.append(
        REJECTED,
        f"SELECT e.* REPLACE (m.new_file AS file) FROM {EARLIER} AS e "
        f"JOIN {MOVES} AS m ON m.old_file = e.file",
    )
    engine.unregister(MOVES)
    engine.execute(f"DROP TABLE {EARLIER}")


def fingerprint(input_dir: Path, config: RunConfig) -> str:
    """Return what stands for all that changes a reading besides the file: program, settings, list.

    It is keyed with the salt, of which it tells nothing.
    """
    total = hashlib.sha256(f"{platform.python_version()} {platform.machine()}\n".encode())
    for name in _PACKAGES:
        total.update(f"{name} {version(name)}\n".encode())
    for path in sorted(p for room in _CODE for p in (ROOT / room, *(ROOT / room).rglob("*.*"))):
        if path.suffix != ".pyc" and path.is_file():
            total.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    settings = {k: v for k, v in asdict(config).items() if k not in _NO_MATTER}
    total.update(json.dumps(settings, sort_keys=True, default=str).encode())
    for source in delivered_files(input_dir, dict(config.tables)) if input_dir.is_dir() else ():
        if source.table == DIGESTS and source.path.is_file():
            total.update(hashlib.sha256(source.path.read_bytes()).digest())
    salt = config.salt_file
    key = salt.read_bytes() if salt is not None and salt.is_file() else b""
    return hmac.digest(key, total.digest(), "sha256").hex()[:32]


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, for the eyes of its owner only.

    Nobody waits for the disk: a copy that a crash cuts short has not the digest of its name.
    """
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    shutil.copyfile(source, target)


def _copied_whole(kept: Path, database: Path, digest: str) -> bool:
    try:
        copy_file(kept, database)
    except PermissionError:  # of a night by another user; files are read instead
        return False
    return _sha256(database) == digest


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _keep(database: Path, folder: Path, name: str) -> None:
    """Put a copy of the database into the folder in one step, and remove what was there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    waiting = folder / ".next"
    copy_file(database, waiting)
    put_in_place(waiting, folder, name)


def put_in_place(waiting: Path, folder: Path, name: str) -> None:
    """Give a finished database the name of its bytes, and remove what was kept before."""
    kept = folder / f"{name}-{_sha256(waiting)}.duckdb"
    waiting.rename(kept)
    clear(folder, but=kept)


def clear(folder: Path, *, but: Path | None = None) -> None:
    """Remove everything that is kept, but one file."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path != but:
            path.unlink()


def restore(state: Path, database: Path, name: str) -> Store:
    """Begin tonight's database with the kept parts where they are sound and were made alike."""
    store = Store(state / FOLDER, name, database)
    # A night that was killed left it; it may hold rows that are confidential now.
    for unfinished in store.folder.glob(".*"):
        unfinished.unlink()
    for kept in sorted(store.folder.glob("*.duckdb")) if store.folder.is_dir() else ():
        made, _, digest = kept.stem.partition("-")
        if made == name and not store.restored and _copied_whole(kept, database, digest):
            store.restored = True
            continue
        kept.unlink()
        if not store.restored:
            LOG.info("intake: kept parts are of no use tonight, all files are read")
            database.unlink(missing_ok=True)
    return store
