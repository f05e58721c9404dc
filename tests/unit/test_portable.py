"""The lint of rule SQL, and what counts as a rule over single rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audit.errors import RuleError
from audit.estimating.registry import ESTIMATES
from audit.model import Label, Rule, RuleStatus, Severity
from audit.portable import RowShape, lint, parse, row_shape, whole_rows

HEAD = "e.unit_id AS subject_id, e.region_code AS region_code"
TEXT = Label("文", "text")
RULE = Rule(
    id="FRM001", name="form.x", title=TEXT, family="form", severity=Severity.FATAL,
    clause="三(三)1", level=1, grain="unit", variable="x", tables=("legal_entity",),
    owner="specialty", version=1, status=RuleStatus.ACTIVE, message=TEXT, verify=TEXT,
    false_positives=TEXT, sql="", path="x.sql", sha256="0",
)  # fmt: skip


def _sql(observed: str = "e.name", holds: str = "TRUE", tail: str = "") -> str:
    return (
        f"SELECT {HEAD}, {observed} AS observed, '1' AS expected, {holds} AS holds "
        f"FROM legal_entity AS e{tail}"
    )


def _lint(sql: str, **changes: Any) -> list[str]:
    return [problem.en for problem in lint(replace(RULE, sql=sql, **changes), sql)]


@pytest.mark.parametrize(
    "observed",
    [
        "CAST(e.employees AS STRING)",
        "CAST(CAST(e.revenue_kyuan AS DECIMAL(18, 2)) AS STRING)",
        "CAST(ROUND(e.a / 12) AS BIGINT)",
        "CAST(DATE '2018-12-31' AS STRING)",
        "e.a / NULLIF(e.b, 0)",
        "e.a / 12",
        "e.a % NULLIF(e.b, 0)",
        "CASE WHEN e.a > 0 THEN LOG10(e.a) END",
        "UPPER(TRIM(e.a)) || LPAD(REPLACE(e.b, '-', ''), 3, '0')",
        "SUBSTRING(e.a, 1, 2) || LEFT(e.a, 1) || RIGHT(e.a, 1) || TRANSLATE(e.a, 'x', 'y')",
        "MD5('DUP001|' || e.credit_code)",
        "GREATEST(ABS(e.a), ROUND(e.b, 1), LEAST(e.c, LENGTH(e.d)))",
        "e.a LIKE '4304%' AND e.b IN ('1', '2') AND NOT e.c BETWEEN 1 AND 2",
        "e.a IS DISTINCT FROM e.b OR e.c IS NULL",
        "COALESCE(e.a, ';') || '::' || '--;'",
        "ROW_NUMBER() OVER (PARTITION BY e.a ORDER BY e.b, e.unit_id)",
        "COUNT(*) OVER (PARTITION BY e.a)",
        "EXISTS (SELECT 1 AS one FROM legal_entity AS o WHERE o.a = e.a)",
        "e.a /* one; two::three */",
        "e.a -- one; two::three\n",
    ],
)
def test_portable_text_passes(observed: str) -> None:
    assert _lint(_sql(observed)) == []


def test_a_column_may_be_called_as_rows_that_name_theirs() -> None:
    sql = "WITH origin AS (SELECT l.a AS origin FROM legal_entity AS l), "
    sql += "own AS (SELECT origin FROM origin) " + _sql(tail=" JOIN own ON own.origin = e.a")

    assert _lint(sql) == []


def test_estimates_name_the_columns_that_they_read() -> None:
    """Like rules, they are taken over where the columns that they name did not change."""
    selects = [sql for estimate in ESTIMATES for sql in estimate.selects.values()]

    assert selects
    assert [sql for sql in selects if whole_rows(parse("estimate", sql))] == []


@pytest.mark.parametrize(
    "sql",
    [
        _sql() + " UNION ALL " + _sql(),
        "WITH n AS (SELECT o.parent AS parent, COUNT(*) AS n FROM legal_entity AS o "
        "GROUP BY o.parent HAVING COUNT(*) > 1) " + _sql(tail=" LEFT JOIN n ON n.parent = e.a"),
        _sql(tail=" JOIN (VALUES (1), (2)) AS two(n) ON two.n = e.a"),
    ],
)
def test_portable_statements_pass(sql: str) -> None:
    assert _lint(sql) == []


@pytest.mark.parametrize(
    ("observed", "told"),
    [
        ("e.a::BIGINT", "write CAST, not ::"),
        ("CAST(e.a AS VARCHAR)", "write CAST(x AS STRING), not ['VARCHAR']"),
        ("TRY_CAST(e.a AS text)", "write CAST(x AS STRING), not ['TEXT']"),
        ("TRY_CAST(e.name AS BIGINT)", "TRY_CAST is not portable"),
        ("SUBSTRING(e.a, 0, 2)", "LEFT, RIGHT and SUBSTRING take a positive number"),
        ("RIGHT(e.a, -1)", "LEFT, RIGHT and SUBSTRING take a positive number"),
        ("LEFT(e.a, LENGTH(e.a) - 1)", "LEFT, RIGHT and SUBSTRING take a positive number"),
        ("CAST((e.a / 12) AS BIGINT)", "ROUND a quotient before BIGINT"),
        ("CAST(AVG(e.a) AS BIGINT)", "ROUND a quotient before BIGINT"),
        ("CAST(e.a AS INTEGER)", "cast to INT is not portable"),
        ("regexp_matches(e.a, 'x')", "REGEXP_LIKE is not portable"),
        ("REGEXP_REPLACE(e.a, 'x', 'y')", "REGEXP_REPLACE is not portable"),
        ("e.a ~ 'x'", "REGEXP_LIKE is not portable"),
        ("e.a SIMILAR TO 'x'", "the syntax SimilarTo is not portable"),
        ("e.a GLOB 'x*'", "the syntax Glob is not portable"),
        ("e.a ILIKE 'x%'", "the syntax ILike is not portable"),
        ("STRPOS(e.a, 'x')", "STR_POSITION is not portable"),
        ("CONCAT(e.a, 'x')", "CONCAT is not portable"),
        ("levenshtein(e.a, e.b)", "LEVENSHTEIN is not portable"),
        ("my_own(e.a)", "my_own is not portable"),
        ("STRING_AGG(e.a, ',')", "GROUP_CONCAT is not portable"),
        ("CURRENT_DATE", "CURRENT_DATE is not portable"),
        ("e.a + INTERVAL 1 DAY", "the syntax Interval is not portable"),
        ("e.a / e.b", "a divisor must be NULLIF(x, 0)"),
        ("e.a / 0", "a divisor must be NULLIF(x, 0)"),
        ("e.a / NULLIF(e.b, 1)", "a divisor must be NULLIF(x, 0)"),
        ("e.a % e.b", "a divisor must be NULLIF(x, 0)"),
        ("e.a // e.b", "the syntax IntDiv is not portable"),
        ("LOG(e.a)", "write LOG10, not LOG"),
        ("e.a[1]", "the syntax Bracket is not portable"),
        ("?", "the syntax Placeholder is not portable"),
        ("SUM(e.a) FILTER (WHERE e.b)", "the syntax Filter is not portable"),
    ],
)  # fmt: skip
def test_what_is_not_portable_is_told(observed: str, told: str) -> None:
    assert told in _lint(_sql(observed))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM legal_entity", "SELECT * is not allowed"),
        (_sql().replace("legal_entity", "(SELECT o.* FROM legal_entity AS o)"),
         "SELECT * is not allowed"),
        (_sql(tail=";"), "no semicolon"),
        (_sql(tail=" QUALIFY TRUE"), "the syntax Qualify is not portable"),
        (_sql(tail=" LIMIT 5"), "the syntax Limit is not portable"),
        (_sql(tail=" USING SAMPLE 5"), "the syntax TableSample is not portable"),
        (_sql().replace("'1' AS expected, ", ""), "output columns missing: ['expected']"),
        (_sql().replace("AS expected", "AS wanted"), "unknown output columns: ['wanted']"),
        (_sql().replace("AS observed", "AS expected"), "output columns repeated: ['expected']"),
        (_sql().replace("e.region_code AS region_code", "e.region_code"),
         "every output column needs AS"),
        (_sql().replace(" legal_entity", " census.legal_entity"),
         "table names without schema, please: ['census.legal_entity AS e']"),
        (_sql(tail=" JOIN unit AS u ON TRUE"), "tables does not name ['unit']"),
        (_sql().replace(" legal_entity", " 'x.csv'"), "tables does not name ['x.csv']"),
        (_sql(holds="e IS NOT DISTINCT FROM o", tail=" JOIN legal_entity AS o ON TRUE"),
         "e is a table, no column: name its columns"),
        (_sql("COUNT(DISTINCT E)"), "e is a table, no column: name its columns"),
        (_sql().replace("AS e", "").replace("e.", "").replace("TRUE", "legal_entity IS NULL"),
         "legal_entity is a table, no column: name its columns"),
        (_sql(tail="\n" * 60 + " WHERE TRUE"), "61 lines, over 60"),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_told(sql: str, told: str) -> None:
    assert told in _lint(sql)


def test_sixty_lines_are_not_too_many() -> None:
    assert _lint(_sql(tail="\n" * 59 + " WHERE TRUE")) == []


def test_table_named_but_not_used_is_told() -> None:
    assert _lint(_sql(), tables=("legal_entity", "unit")) == ["tables names the unused ['unit']"]
    assert _lint(_sql(), optional_tables=("link",)) == ["tables names the unused ['link']"]


def test_optional_tables_and_ctes_count_as_named() -> None:
    sql = "WITH own AS (SELECT l.a AS a FROM link AS l) " + _sql(tail=" JOIN own ON own.a = e.a")

    assert _lint(sql, optional_tables=("link",)) == []


@pytest.mark.parametrize(
    "sql",
    [
        _sql() + "; " + _sql(),
        "INSERT INTO legal_entity " + _sql(),
        "CREATE TABLE x AS " + _sql(),
        "DROP TABLE legal_entity",
        "COPY legal_entity TO 'x.csv'",
        "ATTACH 'x.db' AS x",
        "",
    ],
)
def test_rule_is_one_select(sql: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse("FRM001", sql)

    assert caught.value.en == "Rule FRM001 must be one SELECT or WITH statement"


def test_syntax_error_is_told_in_plain_text() -> None:
    with pytest.raises(RuleError) as caught:
        parse("FRM001", "SELECT a b c FROM t")

    assert caught.value.en.startswith("Rule FRM001 cannot be parsed: Invalid expression")
    assert "\x1b" not in str(caught.value)


def test_row_shape_takes_a_rule_apart() -> None:
    sql = _sql("CAST(e.a AS STRING)", "e.a <= b", " WHERE e.form = '611' OR e.c IS NULL -- why")

    assert row_shape("FRM001", sql) == RowShape(
        table="legal_entity",
        scope="t.form = '611' OR t.c IS NULL /* why */",
        columns={
            "subject_id": "t.unit_id",
            "region_code": "t.region_code",
            "observed": "CAST(t.a AS TEXT)",
            "expected": "'1'",
            "holds": "t.a <= t.b",
        },
    )


def test_row_shape_without_scope_takes_every_row() -> None:
    sql = _sql().replace("e.region_code AS region_code", "e.region_code").replace("AS e", "")

    shape = row_shape("FRM001", sql)

    assert shape is not None
    assert shape.scope == "TRUE"
    assert shape.columns["region_code"] == "t.region_code"


@pytest.mark.parametrize(
    "sql",
    [
        _sql(tail=" JOIN unit AS u ON u.unit_id = e.unit_id"),
        _sql(tail=", unit AS u"),
        _sql() + " UNION ALL " + _sql(),
        "WITH n AS (SELECT 1 AS one) " + _sql(),
        _sql().replace(" legal_entity", " (SELECT a FROM legal_entity)"),
        _sql(holds="e.a IN (SELECT o.a FROM legal_entity AS o)"),
        _sql(holds="EXISTS (SELECT 1 AS one FROM unit AS u)"),
        _sql(holds="(SELECT 1 AS one) = 1"),
        _sql("MAX(e.a)"),
        _sql("COUNT(*) OVER (PARTITION BY e.a)"),
        _sql(tail=" GROUP BY e.a"),
        _sql(tail=" HAVING TRUE"),
        _sql(tail=" QUALIFY TRUE"),
        _sql(tail=" LIMIT 5"),
        _sql(tail=" ORDER BY e.a"),
        _sql(tail=" USING SAMPLE 5"),
        _sql(tail=" TABLESAMPLE 10%"),
        _sql().replace("SELECT", "SELECT DISTINCT"),
        _sql().replace(" legal_entity", " census.legal_entity"),
        _sql().replace(" legal_entity", " range(3)"),
        _sql().replace(" legal_entity", " (VALUES (1))"),
        _sql().partition(" FROM")[0],
    ],
)
def test_row_shape_leaves_other_rules_alone(sql: str) -> None:
    assert row_shape("FRM001", sql) is None
