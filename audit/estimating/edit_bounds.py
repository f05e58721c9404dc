"""How far an edited value stands from the bounds that the rules set, before and after the edit.

For a rule of the form "the sum of some items is at least zero" (or is zero) the slack is that sum;
it says by how much a value passes, or fails where it is negative. The rest of the sum is taken as
it stood when the edit was made: a later edit's old value where there is one, else what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from audit.estimating.model import Estimate, Frames
from audit.relations import Relation, load_relations

RELATIONS = load_relations()
TABLES = RELATIONS.tables
THRESHOLDS = {
    "main_revenue_kyuan": "threshold_main_revenue_kyuan",
    "revenue_kyuan": "threshold_revenue_kyuan",
    "employees": "threshold_employees",
}
"""Items of a legal entity and the panel's thresholds for them."""

EDITS = """
SELECT event_id, unit_id, table_name, field, old_number, new_number FROM edit_event
WHERE COALESCE(old_value, '') <> COALESCE(new_value, '')"""
PANEL = """
SELECT l.unit_id, l.form, l.main_revenue_kyuan, l.revenue_kyuan, l.employees,
  p.threshold_main_revenue_kyuan, p.threshold_revenue_kyuan, p.threshold_employees
FROM legal_entity AS l
JOIN ref_industry_profile AS p ON p.industry_code = l.industry_code
WHERE p.threshold_basis = 'minimum'
  AND l.unit_id IN (SELECT unit_id FROM edit_event WHERE table_name = 'legal_entity')"""
COLUMNS = ("event_id", "bound_id", "rule_id", "kind", "old_slack", "new_slack", "n_rounded")


def _scope(place: int) -> str:
    return f"in_scope_{place}"


def _rows_of(table: str) -> str:
    relations = RELATIONS.of_table(table)
    items = dict.fromkeys(name for relation in relations for name in relation.items)
    scopes = (f"({r.where}) AS {_scope(place)}" for place, r in enumerate(relations))
    edited = f"SELECT unit_id FROM edit_event WHERE table_name = '{table}'"
    columns = ", ".join(["unit_id", *items, *scopes])
    return f"SELECT {columns} FROM {table} WHERE unit_id IN ({edited})"


def _as_of(events: pl.DataFrame, edits: pl.DataFrame, item: str) -> pl.DataFrame:
    """Return the events with `item` (as stored) put back to what it was at each of them."""
    later = edits.filter(field=item).select("unit_id", "event_id", before="old_number", known=True)
    if later.height == 0:
        return events
    joined = events.sort("event_id").join_asof(
        later.sort("event_id"),
        on="event_id",
        by="unit_id",
        strategy="forward",
        check_sortedness=False,
    )
    then = pl.when(pl.col("known")).then("before").otherwise(item)
    return joined.with_columns(then.alias(item)).drop("before", "known")


def _slack(relation: Relation, rest: pl.Expr, sign: int, value: str) -> pl.Expr:
    total = rest + sign * pl.col(value)
    if relation.is_equation:
        return -total.abs()
    return total if relation.low is not None else -total


def _moved(
    relation: Relation, place: int, edits: pl.DataFrame, rows: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Yield the slack before and after every edit of an item of one relation."""
    # An edit does not tell which of several returns it is of.
    kept = rows.filter(pl.col(_scope(place))).filter(pl.col("unit_id").is_unique())
    for item, sign in relation.terms:
        events = edits.filter(field=item).join(kept, on="unit_id")
        if events.height == 0:
            continue
        others = [(name, s) for name, s in relation.terms if name != item]
        for other, _ in others:
            events = _as_of(events, edits, other)
        rest = pl.sum_horizontal((s * pl.col(name) for name, s in others), ignore_nulls=False)
        yield events.select(
            "event_id",
            bound_id=pl.lit(f"{relation.rule_id}/{relation.table}/{place}"),
            rule_id=pl.lit(relation.rule_id),
            kind=pl.lit("equal" if relation.is_equation else "at_least"),
            old_slack=_slack(relation, rest, sign, "old_number"),
            new_slack=_slack(relation, rest, sign, "new_number"),
            n_rounded=pl.lit(round(relation.slack), dtype=pl.Int64),
        )


def _linear(frames: Frames) -> Iterator[pl.DataFrame]:
    for table in TABLES:
        edits = frames["edits"].filter(table_name=table)
        if edits.height and frames[table].height:
            for place, relation in enumerate(RELATIONS.of_table(table)):
                yield from _moved(relation, place, edits, frames[table])


def _panel(frames: Frames) -> Iterator[pl.DataFrame]:
    """Yield the distance to the panel's threshold: up to it on form 601, below it on form 611.

    A unit that another item holds above its threshold is left out: no edit of this one changes it.
    """
    edits = frames["edits"].filter(table_name="legal_entity")
    for item, threshold in THRESHOLDS.items():
        others = [
            (pl.col(name) >= pl.col(bound)).fill_null(value=False)
            for name, bound in THRESHOLDS.items()
            if name != item
        ]
        events = (
            edits.filter(field=item)
            .join(frames["panel"], on="unit_id")
            .filter(pl.col(threshold).is_not_null() & ~pl.any_horizontal(others))
        )
        on_panel = pl.col("form") == "601"
        slack = {
            name: pl.when(on_panel)
            .then(pl.col(value) - pl.col(threshold))
            .otherwise(pl.col(threshold) - 1 - pl.col(value))
            for name, value in (("old_slack", "old_number"), ("new_slack", "new_number"))
        }
        rule = pl.when(on_panel).then(pl.lit("XSP003")).otherwise(pl.lit("XSP002"))
        yield events.select(
            "event_id",
            bound_id=rule + "/legal_entity/" + pl.lit(item),
            rule_id=rule,
            kind=pl.lit("threshold"),
            n_rounded=pl.lit(0, dtype=pl.Int64),
            **slack,
        )


def edit_bounds(frames: Frames) -> Frames:
    """Return for each edit and each bound on its item the slack before and after.

    `edits`: EDITS; each table of TABLES: `_rows_of`; `panel`: PANEL. Amounts in thousand yuan,
    staff in persons. A slack is NULL where a value of the relation is missing or is no number.
    """
    schema = {
        "event_id": pl.Int64, "bound_id": pl.String, "rule_id": pl.String, "kind": pl.String,
        "old_slack": pl.Float64, "new_slack": pl.Float64, "n_rounded": pl.Int64,
    }  # fmt: skip
    found = [
        frame.select(COLUMNS).cast(pl.Schema(schema))
        for frame in (*_linear(frames), *_panel(frames))
    ]
    return {"edit_bound": pl.concat([pl.DataFrame(schema=schema), *found])}


ESTIMATE = Estimate(
    makes=("edit_bound",),
    needs=("edit_event",),
    uses=TABLES,
    selects={"edits": EDITS, "panel": PANEL} | {table: _rows_of(table) for table in TABLES},
    make=edit_bounds,
)
