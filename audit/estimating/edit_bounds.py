"""How far an edited value stands from the bounds that the rules set, before and after the edit.

For a rule of the form "the sum of some items is at least zero" (or is zero) the slack is that sum;
it says by how much a value passes, or fails where it is negative. The rest of the sum is taken as
it stood when the edit was made: a later edit's old value where there is one, else what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from audit.estimating.model import Estimate, Frames

SIX_CAPITALS = ("state", "collective", "corporate", "personal", "hmt", "foreign")
SERIES_603 = "^.603$"


@dataclass(frozen=True, slots=True)
class Bound:
    """One linear relation of a rule within one row of a table.

    `terms`: items and their signs. `kind`: `at_least` (the sum is zero or more) or `equal`.
    `rounded`: how many items are rounded on their own, each by a thousand yuan at most.
    `forms`: the forms that ask for all items, as a pattern; empty where the table has one form.
    """

    rule: str
    table: str
    terms: Mapping[str, int]
    kind: str
    rounded: int
    forms: str


def _parts(total: str, *parts: str) -> dict[str, int]:
    """Return the terms of a total less its parts."""
    return {total: 1} | dict.fromkeys(parts, -1)


def _money(total: str, *parts: str) -> dict[str, int]:
    return _parts(*(f"{name}_kyuan" for name in (total, *parts)))


CURRENT = _money("current_assets", "inventory")
MAIN = _money("revenue", "main_revenue")
FEMALE = _parts("employees", "employees_female")
GROUPS = _parts("employees", "on_post", "dispatched", "other_staff")
WAGES = _money("wages", "wages_on_post", "wages_dispatched", "wages_other")
FIXED = _money("fixed_assets", "buildings", "machinery", "vehicles")
FIXED_INSTITUTION = _money("fixed_assets", "land_buildings", "machinery", "vehicles")
WORN = _money("depreciation_total", "depreciation_year")
BALANCE = _money("assets", "liabilities", "equity")
NET = _money("assets", "liabilities", "net_assets")
CAPITAL = _money("capital", *(f"capital_{kind}" for kind in SIX_CAPITALS))
PROFIT = _money("total_profit", "operating_profit", "nonoperating_income") | {
    "nonoperating_expense_kyuan": 1
}
INCOME = _money("income", "fiscal_income", "service_income", "business_income")
OUTLAY = _money("expenditure", "pay", "goods_services", "transfers")
GOODS = _money("goods_services", "labour_fees", "union_fees", "welfare", "taxes")
TRANSFERS = _money("transfers", "pensions", "medical")

_LINES: tuple[tuple[str, str, dict[str, int], str, int, str], ...] = (
    ("FRM002", "legal_entity", FEMALE, "at_least", 0, ""),
    ("FRM002", "establishment", FEMALE, "at_least", 0, ""),
    ("FRM002", "self_employed", FEMALE, "at_least", 0, ""),
    ("FRM002", "employment", FEMALE, "at_least", 0, ""),
    ("FRM003", "employment", GROUPS, "equal", 0, "^602$"),
    ("FRM004", "employment", WAGES, "equal", 3, "^602$"),
    ("FRM006", "finance", BALANCE, "equal", 2, SERIES_603),
    ("FRM007", "finance", CURRENT, "at_least", 0, SERIES_603),
    ("FRM007", "institution_finance", CURRENT, "at_least", 0, ""),
    ("FRM008", "finance", FIXED, "at_least", 3, SERIES_603),
    ("FRM008", "institution_finance", FIXED_INSTITUTION, "at_least", 3, ""),
    ("FRM009", "institution_finance", NET, "equal", 2, ""),
    ("FRM010", "institution_finance", INCOME, "at_least", 3, "^611-5$"),
    ("FRM010", "institution_finance", OUTLAY, "at_least", 3, "^611-5$"),
    ("FRM010", "institution_finance", GOODS, "at_least", 4, "^611-5$"),
    ("FRM010", "institution_finance", TRANSFERS, "at_least", 2, "^611-5$"),
    ("FRM011", "legal_entity", MAIN, "at_least", 0, ""),
    ("FRM011", "finance", MAIN, "at_least", 0, ""),
    ("FRM013", "finance", PROFIT, "equal", 3, SERIES_603),
    ("FRM014", "finance", CAPITAL, "equal", 6, SERIES_603),
    ("FRM015", "finance", WORN, "at_least", 1, SERIES_603),
)
BOUNDS = tuple(Bound(*line) for line in _LINES)
"""The linear relations of the form rules, as those rules state them."""
TABLES = tuple(dict.fromkeys(bound.table for bound in BOUNDS))
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


def _rows_of(table: str) -> str:
    items = dict.fromkeys(name for b in BOUNDS if b.table == table for name in b.terms)
    form = "form" if any(b.forms for b in BOUNDS if b.table == table) else "'' AS form"
    edited = f"SELECT unit_id FROM edit_event WHERE table_name = '{table}'"
    names = ", ".join(items)
    return f"SELECT unit_id, {form}, {names} FROM {table} WHERE unit_id IN ({edited})"


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


def _slack(bound: Bound, rest: pl.Expr, sign: int, value: str) -> pl.Expr:
    total = rest + sign * pl.col(value)
    return total if bound.kind == "at_least" else -total.abs()


def _moved(bound: Bound, place: int, edits: pl.DataFrame, rows: pl.DataFrame) -> Iterator[
    pl.DataFrame
]:  # fmt: skip
    """Yield the slack before and after every edit of an item of one bound."""
    kept = rows.filter(pl.col("form").str.contains(bound.forms)) if bound.forms else rows
    # An edit does not tell which of several returns it is of.
    kept = kept.filter(pl.col("unit_id").is_unique())
    for item, sign in bound.terms.items():
        events = edits.filter(field=item).join(kept, on="unit_id")
        if events.height == 0:
            continue
        others = {name: s for name, s in bound.terms.items() if name != item}
        for other in others:
            events = _as_of(events, edits, other)
        rest = pl.sum_horizontal(
            (s * pl.col(name) for name, s in others.items()), ignore_nulls=False
        )
        yield events.select(
            "event_id",
            bound_id=pl.lit(f"{bound.rule}/{bound.table}/{place}"),
            rule_id=pl.lit(bound.rule),
            kind=pl.lit(bound.kind),
            old_slack=_slack(bound, rest, sign, "old_number"),
            new_slack=_slack(bound, rest, sign, "new_number"),
            n_rounded=pl.lit(bound.rounded, dtype=pl.Int64),
        )


def _linear(frames: Frames) -> Iterator[pl.DataFrame]:
    for place, bound in enumerate(BOUNDS):
        edits = frames["edits"].filter(table_name=bound.table)
        if edits.height and frames[bound.table].height:
            yield from _moved(bound, place, edits, frames[bound.table])


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
