"""Stage localise: beside findings of linear rules, the single items that would satisfy all."""

from __future__ import annotations

from audit.contracts import CONTRACT
from audit.localising import failing_sql, suggestion_sql
from audit.relations import Relations, load_relations
from audit.rulebook import RuleBook
from pipelines.context import LOG, RunContext

TABLE = "audit.suggestion"
_ROWS, _FOUND = "failing_row", "found_suggestion"
# What another source holds of an item, by its name in the registers and in the previous values.
_REGISTER = {"revenue_kyuan": ("sales_kyuan", "2"), "employees": ("insured_persons", "5")}
_PRIOR = ("revenue_kyuan", "assets_kyuan", "employees")


def _evidence(kind: str) -> str:
    """Return SQL of credit_code, variable, value: what registers or the last period hold."""
    if kind == "register":
        parts = [
            f"SELECT credit_code, '{name}' AS variable, MAX(CAST({column} AS DOUBLE)) AS value "
            f"FROM census.register_unit WHERE source = '{source}' GROUP BY credit_code"
            for name, (column, source) in _REGISTER.items()
            if column in CONTRACT.tables["register_unit"].by_name
        ]
    else:
        parts = [
            f"SELECT credit_code, '{name}' AS variable, "
            f"MAX_BY(CAST({name} AS DOUBLE), period) AS value "
            "FROM census.prior_value GROUP BY credit_code"
            for name in _PRIOR
        ]
    return " UNION ALL ".join(parts)


def _suggest(ctx: RunContext, relations: Relations, table: str) -> int:
    if not ctx.engine.materialise(_ROWS, failing_sql(f"census.{table}", relations.of_table(table))):
        return 0
    ctx.engine.materialise(_FOUND, suggestion_sql(_ROWS, relations, table))
    return ctx.engine.append(
        TABLE,
        f"""
SELECT f.finding_key, '{table}' AS table_name, s.form, s.variable, s.observed, s.value, s.low,
  s.high, r.value AS register_value, p.value AS prior_value
FROM {_FOUND} AS s
JOIN audit.finding AS f ON f.subject_id = s.unit_id
  AND POSITION('|' || f.rule_id || '|' IN s.rule_ids) > 0
LEFT JOIN (SELECT unit_id, MIN(credit_code) AS credit_code FROM census.unit
  WHERE unit_id IN (SELECT unit_id FROM {_FOUND}) GROUP BY unit_id) AS u ON u.unit_id = s.unit_id
LEFT JOIN ({_evidence("register")}) AS r
  ON r.credit_code = u.credit_code AND r.variable = s.variable
LEFT JOIN ({_evidence("prior")}) AS p
  ON p.credit_code = u.credit_code AND p.variable = s.variable""",
    )


def run(ctx: RunContext, book: RuleBook) -> int:
    """Fill `audit.suggestion` from tonight's findings; return its rows. Changes no value."""
    relations = load_relations(book, ctx.info.parameters)
    ctx.engine.execute(f"DELETE FROM {TABLE}")
    written = sum(_suggest(ctx, relations, table) for table in relations.tables)
    for name in (_ROWS, _FOUND):
        ctx.engine.execute(f"DROP TABLE IF EXISTS {name}")
    LOG.info("localise: %d suggestions", written)
    return written
