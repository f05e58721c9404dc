"""Stage estimate: figures over many rows, for the rules to read as tables.

An estimate without its input is left out, and rules over it are not applicable; one that fails is
logged, and rules over it were not decided. Neither stops the night.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import cast

import polars as pl
import pyarrow as pa

from audit.arrow_tables import of_rows
from audit.check_plan import Estimated, EstimateState
from audit.contracts import CONTRACT
from audit.derive import POLARS_TYPES
from audit.engines.base import Engine
from audit.engines.duckdb import DuckDBEngine
from audit.estimating.model import Estimate
from audit.estimating.registry import ESTIMATES
from audit.night import create_unit_view, filled_tables
from pipelines.contents import Contents, digest
from pipelines.context import LOG, RunContext, bar
from pipelines.parts import Store
from pipelines.publish import CURRENT
from pipelines.reuse import Published
from pipelines.standing import stands

SCHEMA = "estimate"
STATES = f"{SCHEMA}.estimate_state"
_PACKAGES = tuple(f"{name} {version(name)}" for name in ("numpy", "polars", "scipy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSummary:
    """Tables by how they ended."""

    n_made: int
    n_no_input: int
    n_failed: int


def _append(engine: Engine, name: str, rows: pa.Table) -> None:
    engine.register("incoming", rows)
    engine.append(name, "SELECT * FROM incoming")
    engine.unregister("incoming")


def _write(engine: Engine, table: str, rows: pl.DataFrame) -> int:
    contract = CONTRACT.outputs[f"{SCHEMA}.{table}"]
    if set(rows.columns) != set(contract.by_name):
        raise ValueError(f"{table}: {sorted(set(rows.columns) ^ set(contract.by_name))}")
    schema = pl.Schema({column.name: POLARS_TYPES[column.type] for column in contract.columns})
    typed = rows.select(schema.names()).cast(schema).sort(*contract.key)
    _append(engine, f"{SCHEMA}.{table}", typed.to_arrow())
    return typed.height


def _state(engine: Engine, table: str, state: EstimateState, n_rows: int, missing: str) -> None:
    engine.execute(f"DELETE FROM {STATES} WHERE table_name = '{table}'")
    row = {"table_name": table, "state": state, "missing": missing or None, "n_rows": n_rows}
    schema = CONTRACT.outputs[STATES].arrow_schema()
    _append(engine, STATES, of_rows([row], schema))


def _make(engine: Engine, estimate: Estimate) -> dict[str, int]:
    rows = {
        name: cast("pl.DataFrame", pl.from_arrow(engine.fetch(sql)))
        for name, sql in estimate.selects.items()
    }
    made = estimate.make(rows)
    return {table: _write(engine, table, made[table]) for table in estimate.makes}


def _renew(engine: Engine, estimate: Estimate, earlier: Earlier | None) -> Mapping[str, int]:
    clear(engine, estimate.makes)
    return (earlier and earlier.take_over(estimate)) or _make(engine, estimate)


def _failed(estimate: Estimate, error: BaseException) -> None:
    """Log where an estimate failed; what the error says may hold values of a unit."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    LOG.warning(
        "估计量 %s 未算出，依赖它的规则本次无法判定 an estimate failed, rules over it cannot be "
        "decided: %s, %s:%d",
        ", ".join(estimate.makes),
        type(error).__name__,
        Path(place.filename).name,
        place.lineno or 0,
    )


def clear(engine: Engine, tables: Iterable[str]) -> None:
    """Empty tables of the schema, so that they can be made again."""
    for table in tables:
        engine.execute(f"DELETE FROM {SCHEMA}.{table}")


def fill(
    engine: Engine, estimate: Estimate, filled: frozenset[str], earlier: Earlier | None = None
) -> EstimateState:
    """Make the tables of one estimate and record their state; safe to run again.

    `filled`: the tables that hold rows. The tables of `estimate.*` must exist. What would come out
    as it did before is taken from `earlier`.
    """
    missing = [table for table in estimate.needs if table not in filled]
    rows: Mapping[str, int] = {}
    state = EstimateState.NO_INPUT if missing else EstimateState.MADE
    if missing:
        clear(engine, estimate.makes)
    else:
        try:
            standing = earlier.rows_standing(estimate) if earlier else None
            rows = standing or _renew(engine, estimate, earlier)
        # The night goes on without it, whatever it was; a fault inside polars is no Exception.
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # see above
            _failed(estimate, error)
            clear(engine, estimate.makes)
            state = EstimateState.FAILED
    for table in estimate.makes:
        _state(engine, table, state, rows.get(table, 0), "|".join(missing))
    return state


def states(engine: Engine) -> dict[str, Estimated]:
    """Return how each table ended; a table that nobody made is not among them."""
    rows = engine.fetch(f"SELECT table_name, state, missing FROM {STATES}").to_pylist()
    return {
        row["table_name"]: Estimated(
            EstimateState(row["state"]), tuple(filter(None, (row["missing"] or "").split("|")))
        )
        for row in rows
    }


@dataclass(slots=True)
class Earlier:
    """Estimates of the last published run. `keys`: by table, what tonight's follow from."""

    published: Published
    engine: DuckDBEngine
    contents: Contents
    store: Store
    keys: dict[str, str] = field(default_factory=dict)

    def rows_standing(self, estimate: Estimate) -> dict[str, int]:
        """Return the rows of each table of an estimate where tonight's lie there already."""
        key = self._key(estimate)
        names = {table: f"{SCHEMA}.{table}" for table in estimate.makes}
        self.keys |= dict.fromkeys(names.values(), key)
        if not all(stands(self.engine, self.store, name, key) for name in names.values()):
            return {}
        count = "SELECT COUNT(*) FROM"
        return {t: int(str(self.engine.scalar(f"{count} {n}"))) for t, n in names.items()}

    def take_over(self, estimate: Estimate) -> dict[str, int]:
        """Fill the tables of an estimate as last made; nothing where it reads other rows tonight.

        Return the rows of each table.
        """
        found = {}
        for table in estimate.makes:
            name = f"{SCHEMA}.{table}"
            if path := self.published.sound(name, name, self.keys[name]):
                found[table] = path
        if len(found) < len(estimate.makes):
            return {}
        return {t: self.engine.append_file(f"{SCHEMA}.{t}", path) for t, path in found.items()}

    def _key(self, estimate: Estimate) -> str:
        said = " ".join(estimate.selects.values())
        read = self.contents.read(said, (*estimate.needs, *estimate.uses))
        lists = self.contents.reference(said)
        return digest(self.contents.store.fingerprint, *_PACKAGES, said, read, lists)


def _earlier(ctx: RunContext) -> Earlier | None:
    if ctx.store is None or ctx.contents_tonight is None:
        return None
    published = Published(ctx.state_dir.parent / CURRENT)
    return Earlier(published, ctx.engine, ctx.contents_tonight, ctx.store)


def run(ctx: RunContext) -> EstimateSummary:
    """Fill `estimate.*`; safe to run again.

    An estimate that reads what it read in the last published run is taken over from there, or
    stands where the kept database brought it.
    """
    create_unit_view(ctx.engine)
    filled = filled_tables(ctx.engine)
    earlier = _earlier(ctx)
    found = []
    with bar(ctx.progress, "估计", "estimate", len(ESTIMATES)) as progress:
        for estimate in ESTIMATES:
            state = fill(ctx.engine, estimate, filled, earlier)
            if earlier and state is EstimateState.MADE:
                names = (f"{SCHEMA}.{table}" for table in estimate.makes)
                ctx.contents |= {name: earlier.keys[name] for name in names}
            found += [state] * len(estimate.makes)
            progress.advance()
    return EstimateSummary(
        n_made=found.count(EstimateState.MADE),
        n_no_input=found.count(EstimateState.NO_INPUT),
        n_failed=found.count(EstimateState.FAILED),
    )
