"""The portable subset of SQL that rules are written in, and the shape of a rule's SELECT.

A rule must mean the same on every engine. The lint reads the parsed text against
`rules/functions.yaml`; running every case on every engine is the proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from audit.contracts import read_yaml
from audit.errors import RuleError
from audit.model import Label, Rule

FUNCTIONS_FILE = Path(__file__).resolve().parents[1] / "rules" / "functions.yaml"
REQUIRED_COLUMNS = ("subject_id", "region_code", "observed", "expected", "holds")
OPTIONAL_COLUMNS = ("related_id", "variable", "score", "group_key")
ROW_ALIAS = "t"
MAX_LINES = 60

_NOT_ROW = (exp.Subquery, exp.Window, exp.AggFunc, exp.Exists, exp.Join, exp.CTE, exp.SetOperation)


@dataclass(frozen=True, slots=True)
class RowShape:
    """A rule over the rows of one table: expressions over that table, aliased `t`.

    `scope` is the WHERE condition, `columns` the SELECT expressions by output name.
    """

    table: str
    scope: str
    columns: dict[str, str]


@cache
def _allowed() -> tuple[frozenset[str], frozenset[str]]:
    data = read_yaml(FUNCTIONS_FILE)
    return frozenset(data["functions"]), frozenset(data["types"])


def parse(rule_id: str, sql: str) -> exp.Query:
    """Parse rendered rule SQL; RuleError unless it is one SELECT or WITH."""
    try:
        statements = sqlglot.parse(sql, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise RuleError(
            f"规则 {rule_id} 的语句无法解析：{error}", f"Rule {rule_id} cannot be parsed: {error}"
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise RuleError(
            f"规则 {rule_id} 须为一条 SELECT 或 WITH 语句",
            f"Rule {rule_id} must be one SELECT or WITH statement",
        )
    return statements[0]


def _function_problems(tree: exp.Query) -> list[Label]:
    functions, types = _allowed()
    found = []
    for node in tree.find_all(exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if name.upper() not in functions:
            found.append(Label(f"函数 {name} 不在可移植清单内", f"{name} is not portable"))
    for cast in tree.find_all(exp.Cast):
        if cast.to.this.value not in types:
            zh, en = f"不可转换为 {cast.to.sql()}", f"cast to {cast.to.sql()} is not portable"
            found.append(Label(zh, en))
    return found


def _shape_problems(tree: exp.Query) -> list[Label]:
    found = []
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        found.append(Label("不可用 SELECT *", "SELECT * is not allowed"))
    for division in tree.find_all(exp.Div):
        if not isinstance(division.expression, exp.Nullif | exp.Literal):
            found.append(Label("除数须用 NULLIF(x, 0)", "a divisor must be NULLIF(x, 0)"))
    names = tree.named_selects
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    extra = [name for name in names if name not in REQUIRED_COLUMNS + OPTIONAL_COLUMNS]
    if missing:
        found.append(Label(f"缺少输出列 {missing}", f"output columns missing: {missing}"))
    if extra:
        found.append(Label(f"多余的输出列 {extra}", f"unknown output columns: {extra}"))
    return found


def _table_problems(rule: Rule, tree: exp.Query) -> list[Label]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    used = {table.name for table in tree.find_all(exp.Table)} - own
    named = set(rule.tables) | set(rule.optional_tables)
    found = []
    if unnamed := sorted(used - named):
        found.append(Label(f"tables 中缺少 {unnamed}", f"tables does not name {unnamed}"))
    if unused := sorted(named - used):
        found.append(Label(f"tables 中的 {unused} 未用到", f"tables names the unused {unused}"))
    return found


def lint(rule: Rule, sql: str) -> list[Label]:
    """Return what keeps a rule from being portable and well formed; empty when all is right."""
    tree = parse(rule.id, sql)
    found = _function_problems(tree) + _shape_problems(tree) + _table_problems(rule, tree)
    if "::" in rule.sql:
        found.append(Label("请用 CAST，不用 ::", "write CAST, not ::"))
    if ";" in "".join(line.split("--")[0] for line in rule.sql.splitlines()):
        found.append(Label("语句末尾不要分号", "no semicolon"))
    if (lines := len(rule.sql.splitlines())) > MAX_LINES:
        zh, en = f"语句 {lines} 行，超过 {MAX_LINES} 行", f"{lines} lines, over {MAX_LINES}"
        found.append(Label(zh, en))
    return found


def row_shape(rule_id: str, sql: str) -> RowShape | None:
    """Return the parts of a rule over single rows of one table; None for any other rule."""
    tree = parse(rule_id, sql)
    if not isinstance(tree, exp.Select) or any(tree.find_all(*_NOT_ROW)):
        return None
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None or tree.args.get("group") or tree.args.get("distinct"):
        return None
    where = tree.args.get("where")
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(ROW_ALIAS))
    return RowShape(
        table=source.this.name,
        scope=where.this.sql(dialect="duckdb") if where else "TRUE",
        columns={item.alias: item.unalias().sql(dialect="duckdb") for item in tree.selects},
    )


def canonical(rule_id: str, sql: str) -> str:
    """Return the SQL without comments and layout: what the lock looks at."""
    return parse(rule_id, sql).sql(dialect="duckdb", comments=False)
