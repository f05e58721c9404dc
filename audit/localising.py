"""Error localisation: which single item, changed, would satisfy every relation that it is in.

For one item x with coefficient c in a relation whose sum is s, the values that satisfy it are an
interval around x: from x + (low - s) / c to x + (high - s) / c. The item is a candidate where the
intervals of all its relations meet and it is in every relation that fails. The intersection is
exact: big-M integer programming loses it at census magnitudes. Source: Fellegi and Holt (1976),
restricted to one field; where several items qualify, all are told.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.contracts import CONTRACT
from audit.relations import Relation, Relations

COLUMNS = ("unit_id", "form", "variable", "rule_ids", "observed", "value", "low", "high")


def _sums(relations: Sequence[Relation]) -> str:
    """Columns s0, s1, … of a row: the sum of each relation; NULL where unknown or out of scope."""
    return ", ".join(
        f"CASE WHEN {r.where} THEN CAST({r.total} AS DOUBLE) END AS s{n}"
        for n, r in enumerate(relations)
    )


def _fails(number: int, relation: Relation) -> str:
    bounds = [f"s{number} < {relation.low}"] if relation.low is not None else []
    bounds += [f"s{number} > {relation.high}"] if relation.high is not None else []
    return f"({' OR '.join(bounds)})"


def failing_sql(table: str, relations: Sequence[Relation]) -> str:
    """Return the rows of a table in which a relation fails, with the sum of each relation."""
    fails = " OR ".join(f"COALESCE({_fails(n, r)}, FALSE)" for n, r in enumerate(relations))
    return f"SELECT * FROM (SELECT t.*, {_sums(relations)} FROM {table} AS t) AS r WHERE {fails}"


def _bounds(item: str, relations: Sequence[Relation]) -> tuple[list[str], list[str]]:
    """Return the lower and upper bounds of an item, one each relation that bounds it so."""
    lows, highs = [], []
    for n, relation in enumerate(relations):
        c = dict(relation.terms).get(item)
        if c is None:
            continue
        below, above = (relation.low, relation.high) if c > 0 else (relation.high, relation.low)
        lows += [f"{item} + ({below} - s{n}) / {c}"] if below is not None else []
        highs += [f"{item} + ({above} - s{n}) / {c}"] if above is not None else []
    return lows, highs


def _exact(item: str, relations: Sequence[Relation]) -> list[str]:
    """Return the values under which failing relations just hold, without any slack."""
    return [
        f"CASE WHEN {_fails(n, r)} THEN {item} - s{n} / {dict(r.terms)[item]} END"
        for n, r in enumerate(relations)
        if item in r.items
    ]


def _item_sql(item: str, rows: str, relations: Sequence[Relation], *, signed: bool) -> str:
    form = "form" if "form" in CONTRACT.tables[relations[0].table].by_name else "''"
    others = [_fails(n, r) for n, r in enumerate(relations) if item not in r.items]
    own = [(n, r) for n, r in enumerate(relations) if item in r.items]
    lows, highs = _bounds(item, relations)
    lows += [] if signed else ["0"]
    low = f"GREATEST({', '.join([*lows, '-1e18'])})"
    high = f"LEAST({', '.join([*highs, '1e18'])})"
    wrong = " OR ".join(f"COALESCE({_fails(n, r)}, FALSE)" for n, r in own)
    spared = "".join(f" AND NOT COALESCE({fail}, FALSE)" for fail in others)
    rules = " || ".join(f"CASE WHEN {_fails(n, r)} THEN '|{r.rule_id}' ELSE '' END" for n, r in own)
    exact = ", ".join([*_exact(item, relations), item])
    return f"""
SELECT unit_id, {form} AS form, '{item}' AS variable, ({rules}) || '|' AS rule_ids,
  CAST({item} AS DOUBLE) AS observed, COALESCE({exact}) AS wanted, {low} AS low, {high} AS high
FROM {rows} WHERE ({wrong}){spared} AND {item} IS NOT NULL"""


def suggestion_sql(rows: str, relations: Relations, table: str) -> str:
    """Return SQL over `rows` (from `failing_sql`): every single item that would satisfy all.

    Columns `COLUMNS`: `rule_ids` those that fail, each between `|`; `low` and `high` the exact
    interval, NULL where there is no bound; `value` in it, closest to where the first relation that
    fails would just hold without slack.
    """
    of_table = relations.of_table(table)
    names = dict.fromkeys(name for r in of_table for name in r.items)
    items = [_item_sql(name, rows, of_table, signed=name in relations.signed) for name in names]
    return f"""
SELECT unit_id, form, variable, rule_ids, observed,
  LEAST(GREATEST(wanted, low), high) AS value,
  CASE WHEN low > -1e17 THEN low END AS low, CASE WHEN high < 1e17 THEN high END AS high
FROM ({" UNION ALL ".join(items)}) AS c WHERE low <= high"""
