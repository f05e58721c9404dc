"""The profile of a delivery: counts and rates of every file in every county, no unit's value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any

import polars as pl

from audit.contracts import CONTRACT, Column, Table
from audit.gate import Cell
from audit.quoting import quoted
from audit.scoring import city_prefix
from pipelines.contents import digest
from pipelines.context import RunContext
from pipelines.places import UNIT_PLACE, Counties, variants

REGION = "region_code"
COUNTY = "gate_county"
CREDIT_CODE = "credit_code"
_UNIT_KEYS = ("unit_id", "legal_unit_id")
_CREDIT = {"legal_entity": "TRUE", "establishment": "t.is_headquarters IS DISTINCT FROM '1'"}
_WHOLE = "SELECT file, MIN(reason) FROM census.rejected_row WHERE row = 0 GROUP BY file"
_VARIANT = "gate_variant"
_VARIANT_TYPES: dict[str, Any] = {
    "file": pl.String, "keys": pl.List(pl.String), "region": pl.String, "unit": pl.String,
    "whole": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Refused rows of a file in a county by reason.

    Neither confidential ones nor those that another file has corrected are among them.
    """

    by_reason: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_reason.values())

    def plus(self, other: Refused) -> Refused:
        """Return both together."""
        return Refused(by_reason=Counter(self.by_reason) + Counter(other.by_reason))


def prepare(ctx: RunContext) -> None:
    """Make the scratch table `COUNTY`: profiles are grouped by it and by `unit_place`."""
    vintage, city = quoted(ctx.config.vintage), quoted(city_prefix(ctx.config.city) + "%")
    ctx.engine.materialise(
        COUNTY,
        "SELECT DISTINCT left(region_code, 6) AS county, "
        "left(region_code, 6) || '000000' AS code FROM census.region "
        f"WHERE vintage = {vintage} AND level = '3' AND region_code LIKE {city}",
    )


def _place(ctx: RunContext, table: Table) -> tuple[str, str]:
    """Return the expression of a row's region and the joins that it needs."""
    column = _place_column(table)
    if column == REGION:
        joins = f"LEFT JOIN {COUNTY} AS c ON c.county = left(t.{REGION}, 6)"
    elif column:
        joins = (
            f"LEFT JOIN {UNIT_PLACE} AS u ON u.unit_id = t.{column} "
            f"LEFT JOIN {COUNTY} AS c ON c.county = u.county"
        )
    else:
        return quoted(ctx.config.city), ""
    return "COALESCE(c.code, '')", joins


def _place_column(table: Table) -> str:
    """Return the column that tells a row's county, itself or by its unit; "" for the city."""
    # The list of regions is the city's.
    names = table.by_name if table.name != "region" else {}
    return next((name for name in (REGION, *_UNIT_KEYS) if name in names), "")


def is_placed_by_unit(table: str) -> bool:
    """Tell whether the rows of a table tell their county by their unit only."""
    return _place_column(CONTRACT.tables[table]) in _UNIT_KEYS


def _known_codes(ctx: RunContext, column: Column) -> str:
    """Return the condition that a code is on its list; empty where the list is not at hand."""
    name = f't."{column.name}"'
    if column.code_list == "region":
        listed = (
            f"SELECT region_code FROM census.region WHERE vintage = {quoted(ctx.config.vintage)}"
        )
        # Parents and register records of other cities are right, and not on this list.
        city = quoted(city_prefix(ctx.config.city) + "%")
        return f"{name} NOT LIKE {city} OR rpad({name}, 12, '0') IN ({listed})"
    if column.code_list == "industry":
        return f"{name} IN (SELECT industry_code FROM ref_industry_profile)"
    codes = CONTRACT.code_lists.get(column.code_list, {})
    return f"{name} IN ({', '.join(map(quoted, codes))})" if codes else ""


def _window(ctx: RunContext, column: Column) -> str:
    """Return the condition that a date or month is outside the plausible window."""
    gate, day = ctx.config.gate, date.fromisoformat(ctx.config.reference_date)
    months = day.year * 12 + day.month - 1 + gate.months_after
    name = f't."{column.name}"'
    shown = name if column.type == "month" else f"strftime({name}, '%Y%m')"
    last = f"{months // 12:04d}{months % 12 + 1:02d}"
    return f"{shown} NOT BETWEEN '{gate.earliest_year:04d}01' AND '{last}'"


def _measures(ctx: RunContext, table: Table) -> dict[tuple[str, str], str]:
    """Return what is counted, as conditions on a row, by metric and item."""
    found: dict[tuple[str, str], str] = {}
    for column in table.columns:
        name = f't."{column.name}"'
        if column.mandatory or column.required:
            found["empty", column.name] = f"{name} IS NULL"
        if column.type in ("month", "date", "timestamp"):
            found["dates", column.name] = _window(ctx, column)
        known = _known_codes(ctx, column) if column.code_list else ""
        if known:
            found["unlisted", column.name] = f"{name} IS NOT NULL AND NOT ({known})"
    if "credit_code_shape_ok" in table.by_name:
        found["code_malformed", ""] = "t.credit_code_shape_ok IS FALSE"
    if table.name in _CREDIT:
        found["code_missing", ""] = f"t.credit_code IS NULL AND {_CREDIT[table.name]}"
    return found


def _pointers(ctx: RunContext) -> pl.DataFrame:
    """Return where the refused rows of each header tell their county; `whole` is the city's."""
    rows = []
    for variant in variants(ctx.engine):
        table = CONTRACT.tables[variant.table]
        column = _place_column(table)
        keys = (variant.pointer(key) for key in _UNIT_KEYS if column and key in table.by_name)
        rows.append({
            "file": variant.file,
            "keys": list(variant.keys),
            "region": variant.pointer(REGION) if column == REGION else None,
            "unit": next(filter(None, keys), None),
            "whole": None if column else ctx.config.city,
        })  # fmt: skip
    return pl.DataFrame(rows, schema=_VARIANT_TYPES)


def _refused(ctx: RunContext) -> dict[tuple[str, str], Refused]:
    """Return the refused rows by file and county; '' is a county that the row does not tell."""
    ctx.engine.register(_VARIANT, _pointers(ctx).to_arrow())
    try:
        rows = ctx.engine.rows(
            f"""SELECT r.file, COALESCE(v.whole, c.code, d.code, '') AS place, r.reason, COUNT(*)
FROM census.rejected_row AS r
LEFT JOIN {_VARIANT} AS v ON v.file = r.file AND v.keys = json_keys(r.delivered)
LEFT JOIN {COUNTY} AS c
  ON c.county = left(trim(json_extract_string(r.delivered, v.region)), 6)
LEFT JOIN {UNIT_PLACE} AS u ON u.unit_id = trim(json_extract_string(r.delivered, v.unit))
LEFT JOIN {COUNTY} AS d ON d.county = u.county
WHERE r.row > 0 AND r.reason <> 'confidential' AND r.superseded_by IS NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        )
    finally:
        ctx.engine.unregister(_VARIANT)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for file, region, reason, count in rows:
        found.setdefault((str(file), str(region)), {})[str(reason)] = int(str(count))
    return {key: Refused(by_reason=value) for key, value in found.items()}


def _add_refused(
    values: dict[str, float | None], items: dict[str, str], n_rows: int, refused: Refused
) -> None:
    total = n_rows + refused.total
    form = {r: n for r, n in refused.by_reason.items() if r != "duplicate_key"}
    values["duplicate"] = refused.by_reason.get("duplicate_key", 0) / total if total else None
    values["refused"] = sum(form.values()) / total if total else None
    if form:
        items["refused"] = max(sorted(form), key=form.__getitem__)


def _cell(
    table: str, place: tuple[str, str], counted: Mapping[tuple[str, str], int], refused: Refused
) -> Cell:
    """Make a cell of counts: `counted` has the rows under ("rows", "")."""
    n_rows = counted.get(("rows", ""), 0)
    values: dict[str, float | None] = {}
    items: dict[str, str] = {}
    for (metric, item), count in counted.items():
        if metric == "rows":
            continue
        share = count / n_rows if n_rows else None
        before = values.get(metric)
        if metric not in values or (share or 0.0) > (before or 0.0):
            values[metric] = share
            if share and item:
                items[metric] = item
    _add_refused(values, items, n_rows, refused)
    lost = tuple(
        item or CREDIT_CODE
        for (metric, item), count in counted.items()
        if metric in ("empty", "code_missing") and n_rows and count == n_rows
    )
    return Cell(
        table=table, file=place[0], region_code=place[1], n_rows=n_rows,
        n_refused=refused.total, n_expected=None, values=values, items=items, lost=lost,
    )  # fmt: skip


def _table_counts(
    ctx: RunContext, table: Table, measures: Mapping[tuple[str, str], str]
) -> list[tuple[int, str, list[int]]]:
    region, joins = _place(ctx, table)
    counts = "".join(f", COUNT(*) FILTER (WHERE {test})" for test in measures.values())
    sql = (
        f"SELECT t.file_no, {region} AS region{counts} "
        f"FROM census.{table.name} AS t {joins} GROUP BY 1, 2 ORDER BY 1, 2"
    )

    def count() -> list[tuple[int, str, list[int]]]:
        rows = ctx.engine.rows(sql)
        return [(int(str(row[0])), str(row[1]), [int(str(n)) for n in row[2:]]) for row in rows]

    contents = ctx.contents_tonight
    if contents is None:
        return count()
    read = (table.name, "region", *(name for name in (UNIT_PLACE, COUNTY) if name in joins))
    key = digest(sql, *(contents.of(name) for name in read))
    return contents.counts(f"gate {table.name}", key, count)


def profile(ctx: RunContext) -> list[Cell]:
    """Return one cell per delivered file and county, in the order of files and codes.

    A refused row whose county cannot be told counts in the county of its file where that has but
    one. A file of which nothing is loaded is its path's county's. Files without a table, or
    replaced by a newer one, are none of the gate's: intake names them.
    """
    prepare(ctx)
    refused = _refused(ctx)
    whole = {str(file): str(reason) for file, reason in ctx.engine.rows(_WHOLE)}
    files = {
        int(str(no)): (str(file), str(table), str(unknown or ""))
        for no, file, table, unknown in ctx.engine.rows(
            "SELECT file_no, file, table_name, unknown_columns FROM census.delivered_file "
            "WHERE table_name IS NOT NULL AND superseded_by IS NULL ORDER BY file_no"
        )
    }
    listed = {str(row[0]) for row in ctx.engine.rows(f"SELECT county FROM {COUNTY}")}
    counties = Counties({c: n for c, n in Counties.read(ctx.engine).names.items() if c in listed})
    cells: list[Cell] = []
    for name in sorted({table for _, table, _ in files.values()}):
        table = CONTRACT.tables[name]
        measures = {("rows", ""): "TRUE", **_measures(ctx, table)}
        by_file: dict[int, dict[str, list[int]]] = {n: {} for n, f in files.items() if f[1] == name}
        for file_no, region, counts in _table_counts(ctx, table, measures):
            if file_no in by_file:
                by_file[file_no][region] = counts
        for file_no, regions in by_file.items():
            file, _, unknown = files[file_no]
            owner = _owner(ctx, table, file, counties)
            made = _file_cells(name, (file, owner), regions, (list(measures), refused))
            # 2 has rows, 1 readable without a row, 0 refused as a whole.
            state = 0.0 if file in whole else 1.0 + bool(regions)
            why = {"loaded": whole[file]} if file in whole else {}
            cells += [
                replace(
                    c,
                    values={"loaded": state, **c.values},
                    items={**why, **c.items},
                    unknown_columns=tuple(filter(None, unknown.split("|"))),
                )
                for c in made
            ]
    return cells


def _owner(ctx: RunContext, table: Table, file: str, counties: Counties) -> str:
    """Return whose a file is that tells no county itself; "" where its path names none either."""
    if not _place_column(table):
        return ctx.config.city
    county = counties.in_path(file)
    return f"{county}000000" if county else ""


def _file_cells(
    table: str,
    whose: tuple[str, str],
    regions: dict[str, list[int]],
    rest: tuple[list[tuple[str, str]], Mapping[tuple[str, str], Refused]],
) -> list[Cell]:
    measures, refused = rest
    file, owner = whose
    here = {region: r for (name, region), r in refused.items() if name == file}
    if len(regions) == 1:
        # The one county of the file has all of its rows, those that do not tell included.
        total = reduce(Refused.plus, here.values(), Refused(by_reason={}))
        here = {next(iter(regions)): total}
    elif not regions and owner:
        # Nothing is loaded: what its refused rows do not tell is its path's county's as well.
        unplaced = here.pop("", Refused(by_reason={}))
        known = here.get(owner, Refused(by_reason={}))
        here[owner] = known.plus(unplaced)
    places = sorted({*regions, *here}) or [""]
    return [
        _cell(
            table,
            (file, place),
            dict(zip(measures, regions.get(place, [0] * len(measures)), strict=True)),
            here.get(place, Refused(by_reason={})),
        )
        for place in places
    ]
