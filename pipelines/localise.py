"""Stage localise: beside findings of linear rules, the single items that would satisfy all."""

from __future__ import annotations

from audit.localising import failing_sql, suggestion_sql
from audit.quoting import quoted
from audit.relations import Relations, load_relations
from audit.rulebook import RuleBook
from pipelines.contents import digest, rows_left
from pipelines.context import LOG, RunContext
from pipelines.publish import CURRENT
from pipelines.reuse import LINKS, Published

TABLE = "audit.suggestion"
_ROWS, _FOUND = "failing_row", "found_suggestion"
# What another source holds of an item, as the rules that compare it do: the sum of all records of a
# unit, unknown where one is blank. Tax is joined by code (REG006), insurance by links too (REG007).
_REGISTER = {"revenue_kyuan": ("sales_kyuan", "2"), "employees": ("insured_persons", "5")}
_LINKED = {"5"}
_PRIOR = ("revenue_kyuan", "assets_kyuan", "employees")


def _records(source: str) -> str:
    """Return SQL of unit_id, record_id: the records of a register that are about a unit."""
    by_code = (
        "SELECT u.unit_id, r.record_id FROM u JOIN census.register_unit AS r "
        f"ON r.credit_code = u.credit_code AND r.source = '{source}'"
    )
    if source not in _LINKED:
        return by_code
    return (
        f"{by_code} UNION SELECT u.unit_id, k.right_id FROM u "
        "JOIN linkage.link AS k ON k.left_id = u.unit_id AND k.left_table = 'legal_entity' "
        "AND k.right_table = 'register_unit' AND k.decision = 'link'"
    )


def _register() -> str:
    """Return SQL of unit_id, variable, value: what registers hold of the units in `u`."""
    return " UNION ALL ".join(
        f"SELECT m.unit_id, '{name}' AS variable, CASE WHEN COUNT(*) = COUNT(r.{column}) "
        f"THEN SUM(CAST(r.{column} AS DOUBLE)) END AS value FROM ({_records(source)}) AS m "
        "JOIN census.register_unit AS r ON r.record_id = m.record_id "
        f"AND r.source = '{source}' GROUP BY m.unit_id"
        for name, (column, source) in _REGISTER.items()
    )


def _prior() -> str:
    """Return SQL of unit_id, variable, value: what the units in `u` had in the last period."""
    return " UNION ALL ".join(
        f"SELECT u.unit_id, '{name}' AS variable, "
        f"MAX_BY(CAST(p.{name} AS DOUBLE), p.period) AS value "
        "FROM u JOIN census.prior_value AS p ON p.credit_code = u.credit_code GROUP BY u.unit_id"
        for name in _PRIOR
    )


def _suggest(ctx: RunContext, relations: Relations, table: str) -> int:
    if not ctx.engine.materialise(_ROWS, failing_sql(f"census.{table}", relations.of_table(table))):
        return 0
    ctx.engine.materialise(_FOUND, suggestion_sql(_ROWS, relations, table))
    return ctx.engine.append(
        TABLE,
        f"""
WITH u AS (
  SELECT unit_id, MIN(credit_code) AS credit_code FROM census.unit
  WHERE unit_id IN (SELECT unit_id FROM {_FOUND}) GROUP BY unit_id
), r AS ({_register()}), p AS ({_prior()})
SELECT f.finding_key, '{table}' AS table_name, s.form, s.variable, s.observed, s.value, s.low,
  s.high, r.value AS register_value, p.value AS prior_value
FROM {_FOUND} AS s
JOIN audit.finding AS f ON f.subject_id = s.unit_id
  AND POSITION('|' || f.rule_id || '|' IN s.rule_ids) > 0
LEFT JOIN r ON r.unit_id = s.unit_id AND r.variable = s.variable
LEFT JOIN p ON p.unit_id = s.unit_id AND p.variable = s.variable""",
    )


def _key(ctx: RunContext, relations: Relations, table: str) -> str:
    """Return what stands for all that a table's suggestions follow from; empty if not known.

    These are the findings of the rules, the items of their relations, registers, the last period
    and links.
    """
    contents, links = ctx.contents_tonight, ctx.contents.get(LINKS)
    if contents is None or not links:
        return ""
    of_table = relations.of_table(table)
    said = [f"{r.rule_id} {r.low} {r.high} {r.where} {r.total}" for r in of_table]
    rules = ", ".join(quoted(r.rule_id) for r in of_table)
    found = (
        f"(SELECT finding_key, rule_id, subject_id FROM audit.finding WHERE rule_id IN ({rules}))"
    )
    read = contents.read(f"unit_id form {' '.join(said)}", (table,))
    units = contents.read("unit_id credit_code", ("unit",))
    others = (contents.of(name) for name in ("register_unit", "prior_value"))
    left = rows_left(ctx.engine, found, "t")
    return digest(contents.store.fingerprint, *said, read, units, *others, links, left)


def _carried(ctx: RunContext, published: Published, table: str) -> int | None:
    """Take a table's suggestions from the last published run; None where they may be others."""
    name = f"{TABLE} {table}"
    key = ctx.contents.get(name)
    path = published.sound(TABLE, name, key) if key else None
    if path is None:
        return None
    taken = f"SELECT * FROM read_parquet({quoted(path)}) WHERE table_name = {quoted(table)}"
    return ctx.engine.append(TABLE, taken)


def run(ctx: RunContext, book: RuleBook) -> int:
    """Fill `audit.suggestion` from tonight's findings; return its rows. Changes no value."""
    relations = load_relations(book, ctx.info.parameters)
    ctx.engine.execute(f"DELETE FROM {TABLE}")
    published = Published(ctx.state_dir.parent / CURRENT)
    written = 0
    for table in relations.tables:
        if key := _key(ctx, relations, table):
            ctx.contents[f"{TABLE} {table}"] = key
        carried = _carried(ctx, published, table)
        written += _suggest(ctx, relations, table) if carried is None else carried
    for name in (_ROWS, _FOUND):
        ctx.engine.execute(f"DROP TABLE IF EXISTS {name}")
    LOG.info("localise: %d suggestions", written)
    return written
