"""Rule SQL for Spark: what DuckDB's text must become so that it means the same there.

Rules are written in DuckDB's words (`audit.portable` keeps them to a small part of them). sqlglot
knows the grammar of both; this module adds where the same words mean different things.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects import Spark

from audit.errors import EngineError

SPACES = "".join(map(chr, [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]))
"""What TRIM takes away in DuckDB; Spark's takes the plain blank only, and 全角空格 stays."""


class NestedSpark(Spark.Generator):
    """Writes Spark's SQL and leaves WITH where it is.

    sqlglot would move every WITH to the top, where the names of two of them may meet.
    """

    EXPRESSIONS_WITHOUT_NESTED_CTES: ClassVar[set[type[exp.Expr]]] = set()


def view_name(table: str) -> str:
    """Return the name under which Spark knows a table that may be written with its schema."""
    return table.replace(".", "__")


def table_name(table: exp.Table) -> str:
    """Return a table as it is written, without alias: `audit.outcome`, `unit`."""
    return f"{table.db}.{table.name}" if table.db else table.name


def parse(sql: str) -> exp.Expr:
    """Parse one statement of DuckDB; EngineError where it cannot be."""
    try:
        return sqlglot.parse_one(sql, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise EngineError(
            "语句无法译成 Spark 的语句。", "A statement cannot be translated for Spark."
        ) from error


def tables_of(tree: exp.Expr) -> dict[str, list[exp.Table]]:
    """Return the tables that a statement reads, by name as written; WITH's own names left out."""
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    found: dict[str, list[exp.Table]] = {}
    for table in tree.find_all(exp.Table):
        if table.db or table.name not in own:
            found.setdefault(table_name(table), []).append(table)
    return found


def _double(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=exp.Paren(this=node), to=exp.DataType.build("double"))


def _divide(node: exp.Expr) -> exp.Expr:
    """DuckDB divides as DOUBLE whatever the operands; Spark keeps decimals, and rounds them."""
    if not isinstance(node, exp.Div):
        return node
    return exp.Div(this=_double(node.this), expression=_double(node.expression))


def _decimal(node: exp.Expr) -> exp.Expr:
    """DuckDB rounds `x * 10^scale` as a DOUBLE, Spark the shortest text of x: 1.005 differs."""
    if type(node) is not exp.Cast or isinstance(node.this, exp.Literal | exp.Null):
        return node
    sizes = [int(size.name) for size in node.to.expressions]
    if node.to.this is not exp.DataType.Type.DECIMAL or len(sizes) != 2:
        return node
    places = sizes[1]
    if not places:
        return node
    moved = exp.Mul(this=_double(node.this), expression=_double(exp.Literal.number(10**places)))
    whole = exp.Cast(
        this=exp.func("ROUND", moved), to=exp.DataType.build(f"decimal({sizes[0]}, 0)")
    )
    unit = exp.Literal.number(f"0.{'1'.rjust(places, '0')}")
    return exp.Cast(this=exp.Mul(this=whole, expression=unit), to=node.to)


def _log10(node: exp.Expr) -> exp.Expr:
    """sqlglot writes LOG(10, x), a quotient of two logarithms that misses whole powers of ten.

    DuckDB refuses a logarithm of zero, Spark makes it NULL: an unknown that nobody asked for.
    """
    if not isinstance(node, exp.Log) or node.expression is None or node.this.name != "10":
        return node
    value = node.expression
    refusal = exp.Cast(
        this=exp.Anonymous(this="RAISE_ERROR", expressions=[exp.Literal.string("LOG10")]),
        to=exp.DataType.build("double"),
    )
    return exp.If(
        this=exp.LTE(this=exp.Paren(this=value.copy()), expression=exp.Literal.number(0)),
        true=refusal,
        false=exp.Anonymous(this="LOG10", expressions=[value]),
    )


def _trim(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Trim) and node.expression is None:
        return exp.Trim(
            this=node.this, expression=exp.Literal.string(SPACES), position=exp.var("BOTH")
        )
    return node


def _like(node: exp.Expr) -> exp.Expr:
    """A backslash in a pattern is itself in DuckDB and an escape in Spark."""
    if not isinstance(node, exp.Like) or isinstance(node.parent, exp.Escape):
        return node
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" not in pattern.name:
        return node
    doubled = exp.func("REPLACE", pattern, exp.Literal.string("\\"), exp.Literal.string("\\\\"))
    return exp.Like(this=node.this, expression=doubled, negate=node.args.get("negate"))


MEANINGS: tuple[Callable[[exp.Expr], exp.Expr], ...] = (
    _decimal, _divide, _log10, _trim, _like,
)  # fmt: skip


def _apply(tree: exp.Expr, change: Callable[[exp.Expr], exp.Expr]) -> None:
    # The nodes are listed first: what a change puts in must not be changed again.
    for node in list(tree.walk()):
        if (changed := change(node)) is not node:
            node.replace(changed)


def to_spark(sql: str) -> tuple[str, frozenset[str]]:
    """Return a SELECT of DuckDB as Spark's, and the tables that it reads as they were written."""
    tree = parse(sql)
    named = tables_of(tree)
    for name, tables in named.items():
        for table in tables:
            alias = table.alias or table.name
            table.set("db", None)
            table.set("this", exp.to_identifier(view_name(name)))
            if not table.args.get("alias"):
                table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    for change in MEANINGS:
        _apply(tree, change)
    return NestedSpark(dialect="spark").generate(tree), frozenset(named)
