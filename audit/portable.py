"""The portable subset of SQL that rules are written in, and the shape of a rule's SELECT.

A rule must mean the same on every engine. The lint reads the parsed text against
`rules/functions.yaml`; running every case on every engine is the proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import sqlglot
from sqlglot import Token, TokenType, exp

from audit.contracts import read_yaml
from audit.errors import RuleError
from audit.model import Label, Rule

FUNCTIONS_FILE = Path(__file__).resolve().parents[1] / "rules" / "functions.yaml"
REQUIRED_COLUMNS = ("subject_id", "region_code", "observed", "expected", "holds")
OPTIONAL_COLUMNS = ("related_id", "variable", "score", "group_key")
ROW_ALIAS = "t"
MAX_LINES = 60

# What a rule may be built of beside functions. Anything else (regular expressions, GLOB, ILIKE, //,
# [i], QUALIFY, LIMIT, samples, PIVOT, ? …) differs between engines or is not theirs.
_SYNTAX = {
    "Select", "From", "Where", "Join", "With", "CTE", "Table", "TableAlias", "Identifier", "Column",
    "Alias", "Star", "Subquery", "Values", "Tuple", "Union", "Except", "Intersect", "Distinct",
    "Group", "Having", "Order", "Ordered", "Window", "WindowSpec", "Paren", "Literal", "Null",
    "Boolean", "DataType", "DataTypeParam", "Not", "Neg", "Is", "In", "Like", "Between", "EQ",
    "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "Add", "Sub", "Mul", "Div", "Mod",
    "DPipe",
}  # fmt: skip
_NOT_ROW = (exp.Subquery, exp.Window, exp.AggFunc, exp.Exists, exp.Join, exp.CTE, exp.SetOperation)
_ROW_CLAUSES = {"expressions", "from_", "where"}
# Words that no rule over single rows has: most rules need not be parsed to know that.
_NOT_ROW_WORDS = re.compile(
    r"\b(?:JOIN|WITH|OVER|UNION|EXCEPT|INTERSECT|EXISTS)\b|\bSELECT\b.*\bSELECT\b",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*")
_COLOURS = re.compile(r"\x1b\[\d*m")


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
        reason = _COLOURS.sub("", str(error))
        raise RuleError(
            f"规则 {rule_id} 的语句无法解析：{reason}", f"Rule {rule_id} cannot be parsed: {reason}"
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
    for log in tree.find_all(exp.Log):
        if log.expression is None:  # base 10 on one engine, base e on another
            found.append(Label("对数请用 LOG10", "write LOG10, not LOG"))
    for cast in tree.find_all(exp.Cast):
        if cast.to.this.value not in types:
            zh, en = f"不可转换为 {cast.to.sql()}", f"cast to {cast.to.sql()} is not portable"
            found.append(Label(zh, en))
    return found


def _syntax_problems(tree: exp.Query) -> list[Label]:
    kinds = {type(node).__name__ for node in tree.walk() if not isinstance(node, exp.Func)}
    return [
        Label(f"语法 {kind} 不在可移植清单内", f"the syntax {kind} is not portable")
        for kind in sorted(kinds - _SYNTAX)
    ]


def _guarded(divisor: exp.Expression) -> bool:
    if isinstance(divisor, exp.Nullif):
        divisor = divisor.expression
        return isinstance(divisor, exp.Literal) and divisor.to_py() == 0
    return isinstance(divisor, exp.Literal) and divisor.to_py() != 0


def _cut_problems(tree: exp.Query) -> list[Label]:
    """Engines count from the end, or not at all, where a place is not a positive number."""
    places = [(node, node.expression) for node in tree.find_all(exp.Left, exp.Right)]
    places += [(node, node.args["start"]) for node in tree.find_all(exp.Substring)]
    if all(isinstance(place, exp.Literal) and int(place.name) > 0 for _, place in places):
        return []
    zh = "LEFT、RIGHT、SUBSTRING 的位置须写成正整数"
    return [Label(zh, "LEFT, RIGHT and SUBSTRING take a positive number")]


def _rounding_problems(tree: exp.Query) -> list[Label]:
    """One engine rounds a DOUBLE to a BIGINT, another cuts it."""
    found = []
    for cast in tree.find_all(exp.Cast):
        whole = cast.to.this is exp.DataType.Type.BIGINT
        if whole and isinstance(cast.this.unnest(), exp.Div | exp.Avg):
            found.append(Label("商转换为 BIGINT 前请用 ROUND", "ROUND a quotient before BIGINT"))
    return found


def _shape_problems(tree: exp.Query) -> list[Label]:
    found = []
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        found.append(Label("不可用 SELECT *", "SELECT * is not allowed"))
    for division in tree.find_all(exp.Div, exp.Mod):
        if not _guarded(division.expression):
            found.append(Label("除数须用 NULLIF(x, 0)", "a divisor must be NULLIF(x, 0)"))
    names = tree.named_selects
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    extra = [name for name in names if name not in REQUIRED_COLUMNS + OPTIONAL_COLUMNS]
    if missing:
        found.append(Label(f"缺少输出列 {missing}", f"output columns missing: {missing}"))
    if extra:
        found.append(Label(f"多余的输出列 {extra}", f"unknown output columns: {extra}"))
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        found.append(Label(f"输出列重复 {repeated}", f"output columns repeated: {repeated}"))
    if any(not isinstance(item, exp.Alias) for item in tree.selects):
        found.append(Label("每个输出列都要写 AS", "every output column needs AS"))
    return found


def _table_problems(rule: Rule, tree: exp.Query) -> list[Label]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    qualified = sorted({table.sql() for table in tree.find_all(exp.Table) if table.db})
    used = {table.name for table in tree.find_all(exp.Table)} - own
    named = set(rule.tables) | set(rule.optional_tables)
    found = []
    if qualified:
        zh, en = f"表名不要带模式：{qualified}", f"table names without schema, please: {qualified}"
        found.append(Label(zh, en))
    if unnamed := sorted(used - named):
        found.append(Label(f"tables 中缺少 {unnamed}", f"tables does not name {unnamed}"))
    if unused := sorted(named - used):
        found.append(Label(f"tables 中的 {unused} 未用到", f"tables names the unused {unused}"))
    return found


def whole_rows(tree: exp.Query) -> list[str]:
    """Return the tables that are named where a value should be, which reads their whole rows.

    What a rule follows from is told by the columns that it names. Rows of its own WITH name theirs.
    """
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = {t.alias_or_name.lower() for t in tree.find_all(exp.Table) if t.name not in own}
    bare = {column.name.lower() for column in tree.find_all(exp.Column) if not column.table}
    return sorted(tables & bare)


def _whole_row_problems(tree: exp.Query) -> list[Label]:
    return [
        Label(f"{name} 是表不是列，请写出列名", f"{name} is a table, no column: name its columns")
        for name in whole_rows(tree)
    ]


def _is_text_type(before: Token, token: Token) -> bool:
    return before.token_type is TokenType.ALIAS and token.token_type is TokenType.TEXT


def _token_problems(sql: str) -> list[Label]:
    """Look at the words, not at the tree: the parser makes one thing of VARCHAR and STRING."""
    tokens = sqlglot.tokenize(sql, read="duckdb")
    kinds = {token.token_type for token in tokens}
    found = []
    if TokenType.DCOLON in kinds:
        found.append(Label("请用 CAST，不用 ::", "write CAST, not ::"))
    if TokenType.SEMICOLON in kinds:
        found.append(Label("语句末尾不要分号", "no semicolon"))
    texts = [b.text.upper() for a, b in pairwise(tokens) if _is_text_type(a, b)]
    if other := sorted(set(texts) - {"STRING"}):
        zh, en = f"请用 CAST(x AS STRING)，不用 {other}", f"write CAST(x AS STRING), not {other}"
        found.append(Label(zh, en))
    return found


def lint(rule: Rule, sql: str) -> list[Label]:
    """Return what keeps a rule from being portable and well formed; empty when all is right."""
    tree = parse(rule.id, sql)
    found = _function_problems(tree) + _syntax_problems(tree) + _shape_problems(tree)
    found += _cut_problems(tree) + _rounding_problems(tree)
    found += _table_problems(rule, tree) + _whole_row_problems(tree) + _token_problems(sql)
    if (lines := len(rule.sql.splitlines())) > MAX_LINES:
        zh, en = f"语句 {lines} 行，超过 {MAX_LINES} 行", f"{lines} lines, over {MAX_LINES}"
        found.append(Label(zh, en))
    return found


def _is_plain_table(source: exp.Expression) -> bool:
    given = {name for name, value in source.args.items() if value}
    return isinstance(source, exp.Table) and bool(source.name) and given <= {"this", "alias"}


@cache
def row_shape(rule_id: str, sql: str) -> RowShape | None:
    """Return the parts of a rule over single rows of one table; None for any other rule."""
    if _NOT_ROW_WORDS.search(_COMMENT.sub("", sql)):
        return None
    tree = parse(rule_id, sql)
    if not isinstance(tree, exp.Select) or any(tree.find_all(*_NOT_ROW)):
        return None
    # LIMIT, HAVING and the like would be lost with the clauses that are kept.
    if {name for name, value in tree.args.items() if value} - _ROW_CLAUSES:
        return None
    source, where = tree.args.get("from_"), tree.args.get("where")
    if source is None or not _is_plain_table(source.this):
        return None
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(ROW_ALIAS))
    columns = {item.alias_or_name: item.unalias().sql(dialect="duckdb") for item in tree.selects}
    # The scan counts rows under the region of the row.
    if columns.get("region_code") != f"{ROW_ALIAS}.region_code":
        return None
    return RowShape(
        table=source.this.name,
        scope=where.this.sql(dialect="duckdb") if where else "TRUE",
        columns=columns,
    )
