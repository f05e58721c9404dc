"""Stage gate: per delivered file and region, whether tonight's audit may speak about it.

`begin` takes the profile and has Great Expectations judge it beside the night; `finish` judges and
writes `audit.gate` and `audit.gate_check`. Where Great Expectations is but the second judge, it is
asked for its answer at the end of the night; where it is the judge, before anything is concluded.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from audit.contracts import CONTRACT
from audit.derive import POLARS_TYPES
from audit.gate import (
    COULD_NOT_CHECK,
    HELD,
    QUARANTINE,
    Cell,
    Expectation,
    GateSettings,
    Verdict,
    expectations,
    judge,
    missing,
    unplaced,
    verdict,
    worse,
)
from audit.views import UNIT_SOURCES
from pipelines import gate_answered, gate_worker
from pipelines.context import LOG, RunContext
from pipelines.gate_profile import is_placed_by_unit, profile
from pipelines.score import replace_output

LAST = "current/parquet/audit.gate.parquet"
Row = dict[str, object]
Expected = dict[tuple[str, str], tuple[int, str]]
"""Rows that a table should have in a region, and the file that brought them last."""

ROWS_LOST = 3
"""Rows fewer than expected that are worth a remark however few were expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The profile, what the last night or the note lets expect, and who judges it besides us.

    That is a `worker` that was asked, or the `answer` of the last run to the same; or nobody.
    `asked` tells all that the answer follows from; empty where that is not known.
    """

    cells: list[Cell]
    owed: Expected
    worker: gate_worker.Worker | None = None
    answer: gate_worker.Answer | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSummary:
    """Cells by verdict, and what Great Expectations said: a code of the list `gate_gx`.

    `following` cells are in no verdict's count: their units' files are, which alone are wrong.
    """

    verdicts: Mapping[str, int]
    following: int
    gx: str
    has_docs: bool


def _last_night(ctx: RunContext) -> Expected:
    """Return what the last published night had; what was held back or came short is no yardstick.

    Else a short file that comes twice would pass for the whole, and its lost units for gone. What
    was owed by the city as a whole stays owed by it: no county is told what it owes of that.
    """
    path = ctx.state_dir.parent / LAST
    if not path.is_file():
        return {}
    try:
        last = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        LOG.warning(
            "上次发布的 %s 已损坏，本次不与上次的行数比较 "
            "it is damaged: tonight's rows are compared with no last night",
            LAST,
        )
        return {}
    rows = (
        last.lazy()
        .group_by("table_name", "region_code")
        .agg(
            pl.sum("n_rows").alias("own"),
            pl.max("n_came").alias("came"),
            pl.max("n_expected").alias("owed"),
            pl.col("verdict").is_in(HELD).any().alias("held"),
            pl.min("file"),
        )
        .with_columns(lost=pl.col("owed") - pl.col("came"))
        .with_columns(wanting=pl.col("held") | _came_short(ctx.config.gate))
        .with_columns(by_city=pl.col("wanting") & (pl.col("came") > pl.col("own")))
        .select(
            "table_name",
            pl.when("by_city").then(pl.lit(ctx.config.city)).otherwise("region_code"),
            pl.when("wanting").then(pl.coalesce("owed", "own")).otherwise("own").alias("n"),
            "file",
        )
        .filter(pl.col("n") > 0)
        .sort("file", descending=True)
        .collect()
    )
    return {(t, r or ""): (int(n), file) for t, r, n, file in rows.iter_rows()}


def _came_short(settings: GateSettings) -> pl.Expr:
    """Tell whether rows are missing that are worth a remark, as `_compare` does."""
    told = (pl.col("owed") >= settings.min_rows) | (pl.col("lost") >= ROWS_LOST)
    return told & (pl.col("came") < settings.rows_low * pl.col("owed"))


def _expected(ctx: RunContext) -> Expected:
    """Return the expected rows: the delivery note before the last night.

    A note of the whole city's rows goes before the last night of every county.
    """
    found = _last_night(ctx)
    city, note = ctx.config.city, ctx.config.expected_rows
    owed = {place: rows for place, rows in found.items() if place[0] not in note}
    for key, rows in note.items():
        table, _, county = key.partition("/")
        region = f"{county}000000" if county else city
        owed[table, region] = (rows, found.get((table, region), (0, ""))[1])
    return owed


def _compare(ctx: RunContext, cells: Sequence[Cell], owed: Expected) -> list[Cell]:
    """Give each cell the rows of its table and region against those expected.

    Few expected rows say nothing as a ratio, unless `ROWS_LOST` of them or more are gone; none at
    all is told as missing.
    """
    totals: dict[tuple[str, str], int] = {}
    for cell in cells:
        key = (cell.table, cell.region_code)
        totals[key] = totals.get(key, 0) + cell.n_rows
        if cell.region_code != ctx.config.city:
            whole = (cell.table, ctx.config.city)
            totals[whole] = totals.get(whole, 0) + cell.n_rows
    compared = []
    for cell in cells:
        county, whole = (cell.table, cell.region_code), (cell.table, ctx.config.city)
        key = whole if county not in owed and whole in owed else county
        n_expected = owed[key][0] if key in owed else None
        values = dict(cell.values)
        if n_expected and (
            n_expected >= ctx.config.gate.min_rows or n_expected - totals[key] >= ROWS_LOST
        ):
            values["rows"] = totals[key] / n_expected
        compared.append(
            replace(cell, n_expected=n_expected, values=values, n_came=totals.get(key, 0))
        )
    return compared


def begin(ctx: RunContext) -> Begun:
    """Profile what intake loaded, and have Great Expectations judge it where it is wanted."""
    owed = _expected(ctx)
    cells = _compare(ctx, profile(ctx), owed)
    if not gate_worker.wanted(ctx):
        return Begun(cells=cells, owed=owed)
    asked = gate_answered.asked(ctx, cells)
    answer = gate_answered.again(ctx, asked)
    worker = None if answer else gate_worker.start(ctx, cells)
    return Begun(cells=cells, owed=owed, worker=worker, answer=answer, asked=asked)


def _gx_state(own: Mapping[str, str], gx: Mapping[str, str] | None) -> str:
    if gx is None:
        return "not_asked"
    if any(gx.get(name, COULD_NOT_CHECK) == COULD_NOT_CHECK for name in own):
        return COULD_NOT_CHECK
    return "agreed" if all(gx[name] == result for name, result in own.items()) else "differs"


def _follow(rows: Sequence[Row], alone: Container[tuple[object, ...]]) -> None:
    """Give what is only short for want of its units their files as `because`.

    `alone`: table, file and region of rows that are held back for their number and nothing else.
    Rows without a county must be there: else the returns themselves did not come.
    """
    came_apart = {row["table_name"] for row in rows if not row["region_code"] and row["n_rows"]}
    roots: dict[object, list[Row]] = {}
    for row in rows:
        if row["table_name"] in UNIT_SOURCES and row["verdict"] in HELD and _is_short(row):
            roots.setdefault(row["region_code"], []).append(row)
    for row in rows:
        name = str(row["table_name"])
        units = roots.get(row["region_code"], [])
        key = (row["table_name"], row["file"], row["region_code"])
        if units and name in came_apart and key in alone and is_placed_by_unit(name):
            tables = [CONTRACT.tables[str(unit["table_name"])].title for unit in units]
            files = sorted({str(unit["file"]) for unit in units})
            told = unplaced(list(dict.fromkeys(tables)), files, int(str(row["n_expected"])))
            row |= {
                "because": "|".join(files) or str(units[0]["table_name"]),
                "reasons": told.zh,
                "reasons_en": told.en,
            }


def _is_short(row: Row) -> bool:
    came, owed = row["n_rows"], row["n_expected"]
    return not came or (owed is not None and int(str(came)) < int(str(owed)))


def _gate_row(cell: Cell, said: Verdict, gx: str) -> Row:
    return {
        "table_name": cell.table,
        "file": cell.file,
        "region_code": cell.region_code,
        "verdict": said.code,
        "n_rows": cell.n_rows,
        "n_refused": cell.n_refused,
        "n_came": cell.n_came,
        "n_expected": cell.n_expected,
        "gx": gx,
        "because": None,
        "reasons": said.reasons.zh,
        "reasons_en": said.reasons.en,
    }


def _check_rows(
    cell: Cell,
    final: Mapping[str, str],
    gx: Mapping[str, str] | None,
    checks: Iterable[Expectation],
) -> list[Row]:
    return [
        {
            "table_name": cell.table,
            "file": cell.file,
            "region_code": cell.region_code,
            "check_id": check.id,
            "title_zh": check.title.zh,
            "title_en": check.title.en,
            "item": cell.items.get(check.id),
            "value": cell.values[check.id],
            "low": check.bounds.low,
            "high": check.bounds.high,
            "worst_low": check.bounds.worst_low,
            "worst_high": check.bounds.worst_high,
            "result": final[check.id],
            "gx_result": None if gx is None else gx.get(check.id, COULD_NOT_CHECK),
        }
        for check in checks
        if check.id in final
    ]


def _missing_rows(ctx: RunContext, begun: Begun) -> list[Row]:
    came = {(c.table, c.region_code) for c in begun.cells}
    came |= {(c.table, ctx.config.city) for c in begun.cells}
    rows: list[Row] = []
    for (table, region), (n, file) in sorted(begun.owed.items()):
        if (table, region) in came or not n or not region:
            continue
        gone = Cell(
            table=table, file=file, region_code=region, n_rows=0, n_refused=0, n_expected=n,
            values={}, items={},
        )  # fmt: skip
        rows.append(_gate_row(gone, missing(n), "not_asked"))
    return rows


def _write(ctx: RunContext, name: str, rows: list[Row]) -> None:
    schema = {c.name: POLARS_TYPES[c.type] for c in CONTRACT.outputs[name].columns}
    replace_output(ctx.engine, name, pl.DataFrame(rows, schema=schema))


def finish(ctx: RunContext, begun: Begun, *, collect: bool) -> GateSummary:
    """Judge and write both tables; `collect` waits for the other judge first. Safe to run again.

    Without `collect` our own evaluator's results stand alone: they must not wait for the other.
    """
    answer = gate_worker.collect(ctx, begun.worker) if collect and begun.worker else begun.answer
    if answer and answer.is_whole and begun.asked:
        ctx.contents[gate_answered.KEY] = begun.asked
    checks = expectations(ctx.config.gate)
    gates: list[Row] = []
    tests: list[Row] = []
    alone: set[tuple[object, ...]] = set()
    for cell in begun.cells:
        own = judge(cell, checks)
        gx = None if answer is None else answer.results.get(cell.key, {})
        counts = gx if ctx.config.gate.judge == "gx" else None
        final = {name: worse(result, (counts or {}).get(name)) for name, result in own.items()}
        said = verdict(cell, final, ctx.config.gate)
        gates.append(_gate_row(cell, said, _gx_state(own, gx)))
        tests += _check_rows(cell, final, gx, checks)
        if {name for name, result in final.items() if result == QUARANTINE} == {"rows"}:
            alone.add((cell.table, cell.file, cell.region_code))
    gone = _missing_rows(ctx, begun)
    alone |= {(row["table_name"], row["file"], row["region_code"]) for row in gone}
    gates += gone
    _follow(gates, alone)
    _write(ctx, "audit.gate", gates)
    _write(ctx, "audit.gate_check", tests)
    return _summary(gates, has_docs=bool(answer and answer.has_docs))


def _summary(gates: Sequence[Row], *, has_docs: bool) -> GateSummary:
    verdicts: dict[str, int] = {}
    for row in gates:
        if row["because"] is None:
            code = str(row["verdict"])
            verdicts[code] = verdicts.get(code, 0) + 1
    states = {str(row["gx"]) for row in gates}
    gx = next((s for s in (COULD_NOT_CHECK, "differs", "agreed") if s in states), "not_asked")
    held = sum(verdicts.get(code, 0) for code in HELD)
    LOG.info("gate: %d files and regions, %d held back, gx %s", len(gates), held, gx)
    return GateSummary(
        verdicts=verdicts, following=len(gates) - sum(verdicts.values()), gx=gx, has_docs=has_docs
    )
