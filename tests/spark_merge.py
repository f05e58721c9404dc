"""One SELECT over many worlds: every join, group and window keeps to one world.

The text stays the rule's own; what is added is `AND b.world_no = a.world_no` to a join, `world_no`
to a group, a window and the columns. Where that would not be the same (a COUNT(*) of a whole table
is 0 in a world without rows, and GROUP BY gives no row for it) `NotMerged` is raised.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

NUMBER = "world_no"


class NotMerged(Exception):  # noqa: N818  # not an error: the worlds are run one beside the other
    """The worlds of this text cannot be put into one SELECT."""


def _column(alias: str) -> exp.Expr:
    return exp.column(NUMBER, table=alias)


def _reads_worlds(source: exp.Expr, without: set[str]) -> bool:
    if isinstance(source, exp.Table):
        return not source.name.startswith("ref_") and source.name not in without
    if isinstance(source, exp.Subquery):
        return any(_reads_worlds(table, without) for table in source.find_all(exp.Table))
    return False


def _bears(source: exp.Expr, without: set[str]) -> bool:
    bears = _reads_worlds(source, without)
    if bears and source.args.get("alias") and source.args["alias"].args.get("columns"):
        raise NotMerged
    return bears


def _join(join: exp.Join, anchor: exp.Expr | None) -> exp.Expr:
    """Keep a join to one world; return what tells the world after it."""
    own, side = _column(join.this.alias_or_name), join.side
    if join.args.get("using") or (anchor is None and side):
        raise NotMerged
    if anchor is None:
        return own
    same = exp.EQ(this=own.copy(), expression=anchor.copy())
    on = join.args.get("on")
    join.set("on", exp.and_(exp.paren(on), same) if on else same)
    join.set("kind", None if join.kind == "CROSS" else join.args.get("kind"))
    return exp.func("COALESCE", anchor.copy(), own) if side in ("RIGHT", "FULL") else anchor


def _anchor(select: exp.Select, without: set[str]) -> exp.Expr | None:
    source = select.args.get("from_")
    if source is None:
        return None
    anchor = _column(source.this.alias_or_name) if _bears(source.this, without) else None
    for join in select.args.get("joins") or []:
        if _bears(join.this, without):
            anchor = _join(join, anchor)
        elif join.side in ("RIGHT", "FULL"):
            raise NotMerged
    return anchor


def _mine(select: exp.Select, kind: type[exp.Expr]) -> list[exp.Expr]:
    return [node for node in select.find_all(kind) if node.find_ancestor(exp.Select) is select]


def _as_condition(select: exp.Select) -> bool:
    """Whether a SELECT is part of an expression: EXISTS, IN, or one value."""
    around = select.parent
    if isinstance(around, exp.Subquery):
        around = around.parent
    return not isinstance(around, exp.From | exp.Join | exp.CTE | exp.SetOperation | None)


def _merge_select(select: exp.Select, without: set[str]) -> None:
    anchor = _anchor(select, without)
    if anchor is None:
        return
    for window in _mine(select, exp.Window):
        parts = [*(window.args.get("partition_by") or []), anchor.copy()]
        window.set("partition_by", parts)
    if _as_condition(select):
        outer = select.find_ancestor(exp.Select)
        if outer is None or "anchor" not in outer.meta:
            raise NotMerged
        select.where(exp.EQ(this=anchor.copy(), expression=outer.meta["anchor"].copy()), copy=False)
        select.meta["anchor"] = anchor
        return
    group = select.args.get("group")
    if group:
        group.append("expressions", anchor.copy())
    elif any(not node.find_ancestor(exp.Window) for node in _mine(select, exp.AggFunc)):
        raise NotMerged
    select.append("expressions", exp.alias_(anchor.copy(), NUMBER))
    select.meta["anchor"] = anchor


def _worldless(tree: exp.Expr) -> set[str]:
    """Return the names of WITH that read no world."""
    without: set[str] = set()
    for cte in tree.find_all(exp.CTE):
        if not any(_reads_worlds(table, without) for table in cte.this.find_all(exp.Table)):
            without.add(cte.alias)
    return without


def merged(sql: str) -> exp.Expr:
    """Return a rule's SELECT over all worlds, with the world's number as its last column."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    without = _worldless(tree)
    for operation in tree.find_all(exp.SetOperation):
        if not (_reads(operation.left, without) and _reads(operation.right, without)):
            raise NotMerged
    # From outside inwards: a condition's SELECT needs to know the world of the one around it.
    for select in list(tree.find_all(exp.Select)):
        _merge_select(select, without)
    return tree


def _reads(query: exp.Expr, without: set[str]) -> bool:
    return any(_reads_worlds(table, without) for table in query.find_all(exp.Table))
