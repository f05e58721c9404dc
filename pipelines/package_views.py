"""What makes the published database readable for analysts: views and comments."""

from __future__ import annotations

from audit.contracts import CONTRACT, Table
from audit.engines.duckdb import DuckDBEngine
from audit.model import Label
from audit.quoting import quoted
from pipelines import finding_places
from pipelines.context import RunContext
from pipelines.finding_places import VIEW

_UNIT_NAMES = """(
  SELECT unit_id, MIN(name) AS name, MIN(credit_code) AS credit_code FROM census.unit
  GROUP BY unit_id
)"""

VIEWS: dict[str, tuple[Label, str]] = {
    "findings_current": (
        Label("当前差错：附规则、单位和地区名称", "Findings with names of rule, unit and region"),
        """
SELECT f.finding_key, f.severity, f.rule_id, r.title_zh, r.title_en, r.grain, f.subject_id,
  COALESCE(u.name, n.name, g.name) AS unit_name,
  COALESCE(u.credit_code, n.credit_code, g.credit_code) AS credit_code, f.related_id,
  c.name AS county_name, t.name AS township_name, v.name AS village_name, f.region_code,
  f.specialty, f.owner, f.variable, f.observed, f.expected, f.priority, f.state, f.first_run_id,
  f.message_zh, f.message_en
FROM audit.finding AS f
LEFT JOIN audit.rule AS r ON r.rule_id = f.rule_id
LEFT JOIN {unit_names} AS u ON u.unit_id = f.subject_id AND r.grain = 'unit'
LEFT JOIN census.frame_unit AS n ON n.frame_id = f.subject_id
LEFT JOIN census.register_unit AS g ON g.record_id = f.subject_id
LEFT JOIN {regions} AS c ON c.region_code = left(f.region_code, 6) || '000000'
LEFT JOIN {regions} AS t ON t.level = '4' AND t.region_code = left(f.region_code, 9) || '000'
LEFT JOIN {regions} AS v ON v.level = '5' AND v.region_code = f.region_code
WHERE f.state IS DISTINCT FROM 'resolved'""",
    ),
    "region_flags": (
        Label("须实地核查的地区，按次序", "Flagged regions in order"),
        """
SELECT s.rank, s.region_level, s.region_code, s.region_name, p.name AS parent_name, s.n_units,
  s.n_failed, s.n_register, s.rate, s.rate_low, s.rate_high, s.probability, s.reasons, s.reasons_en
FROM audit.region_score AS s
LEFT JOIN {regions} AS p ON p.region_code = s.parent_code
WHERE s.flagged ORDER BY s.rank, s.region_code""",
    ),
    "coverage": (
        Label("审核覆盖：规则 × 县", "Coverage: rule by county"),
        """
SELECT v.run_id, v.rule_id, r.title_zh, r.title_en, r.severity, v.county_code, v.county_name,
  v.n_checked, v.n_failed, v.n_unknown, v.state, v.verdict,
  CASE v.state WHEN 'crashed' THEN 'ERROR' WHEN 'input_missing' THEN 'NOT_APPLICABLE'
    WHEN 'not_asked' THEN 'NOT_APPLICABLE' WHEN 'not_applicable' THEN 'NOT_APPLICABLE'
    ELSE CASE WHEN v.n_failed > 0 THEN 'FAILED' ELSE 'PASSED' END END AS status,
  COALESCE(v.detail, v.missing_tables) AS detail,
  CASE WHEN v.state = 'held' THEN 'quarantine' ELSE 'accept' END AS gate
FROM audit.coverage AS v LEFT JOIN audit.rule AS r ON r.rule_id = v.rule_id""",
    ),
    "units_flagged": (
        Label("有差错的单位，一户一行", "Units with findings, one row each"),
        """
SELECT f.place_id AS unit_id, MIN(u.name) AS unit_name, MIN(u.credit_code) AS credit_code,
  MIN(f.region_code) AS region_code, MIN(c.name) AS county_name, COUNT(*) AS n_findings,
  COUNT(*) FILTER (WHERE f.severity = 'fatal') AS n_fatal,
  COUNT(*) FILTER (WHERE f.severity = 'query') AS n_query,
  COUNT(*) FILTER (WHERE f.severity = 'info') AS n_info,
  MAX(p.priority) AS priority, STRING_AGG(DISTINCT f.rule_id, '|' ORDER BY f.rule_id) AS rule_ids
FROM {finding_place} AS f
JOIN audit.finding AS p ON p.finding_key = f.finding_key
LEFT JOIN {unit_names} AS u ON u.unit_id = f.place_id
LEFT JOIN {regions} AS c ON c.region_code = f.county_code
WHERE f.place_kind = 'unit'
GROUP BY f.place_id""",
    ),
    "double_counting": (
        Label(
            "重复登记跨县或跨行业的单位组及多计的数额",
            "Clusters of one unit in two counties or industries, and what is counted twice",
        ),
        """
WITH place AS (
  SELECT unit_id, 'legal_entity' AS table_name, region_code, industry_code, industry_specialty,
    revenue_kyuan, employees FROM census.legal_entity
  UNION ALL BY NAME
  SELECT unit_id, 'establishment' AS table_name, region_code, industry_code, industry_specialty,
    revenue_kyuan, employees FROM census.establishment
  UNION ALL BY NAME
  SELECT unit_id, 'self_employed' AS table_name, region_code, industry_code, industry_specialty,
    revenue_kyuan, employees FROM census.self_employed
)
SELECT k.cluster_id, CAST(COUNT(*) AS BIGINT) AS n_members,
  STRING_AGG(k.unit_id, '|' ORDER BY k.unit_id) AS unit_ids,
  CAST(COUNT(DISTINCT left(p.region_code, 6)) AS BIGINT) AS n_counties,
  STRING_AGG(DISTINCT left(p.region_code, 6), '|' ORDER BY left(p.region_code, 6)) AS county_codes,
  CAST(COUNT(DISTINCT p.industry_code) AS BIGINT) AS n_industries,
  STRING_AGG(DISTINCT p.industry_code, '|' ORDER BY p.industry_code) AS industry_codes,
  STRING_AGG(DISTINCT p.industry_specialty, '|' ORDER BY p.industry_specialty) AS specialties,
  SUM(p.revenue_kyuan) - MAX(p.revenue_kyuan) AS revenue_twice_kyuan,
  SUM(p.employees) - MAX(p.employees) AS employees_twice
FROM linkage.cluster AS k
JOIN place AS p ON p.unit_id = k.unit_id AND p.table_name = k.table_name
GROUP BY k.cluster_id
HAVING COUNT(DISTINCT left(p.region_code, 6)) > 1 OR COUNT(DISTINCT p.industry_code) > 1
  OR COUNT(DISTINCT p.industry_specialty) > 1""",
    ),
}
"""Views of the published database: what they show, and their SELECT."""

VIEW_COLUMNS: dict[str, dict[str, Label]] = {
    "double_counting": {
        "cluster_id": Label("单位组", "Cluster"),
        "n_members": Label("组内单位数", "Units in the cluster"),
        "unit_ids": Label("组内单位", "Units"),
        "n_counties": Label("涉及县数", "Counties"),
        "county_codes": Label("县级代码", "County codes"),
        "n_industries": Label("行业小类数", "Industry classes"),
        "industry_codes": Label("行业代码", "Industry codes"),
        "specialties": Label("专业", "Specialties"),
        "revenue_twice_kyuan": Label(
            "多计营业收入（千元）：合计减最大", "Revenue counted twice, 1,000 yuan: sum - largest"
        ),
        "employees_twice": Label(
            "多计从业人数：合计减最大", "Employees counted twice: sum less largest"
        ),
    }
}
"""Words for columns of views that no published table has."""


def create_views(ctx: RunContext) -> None:
    """Create the views in the database's main schema, over the region list in use."""
    regions = (
        "(SELECT region_code, MIN(name) AS name, MIN(level) AS level FROM census.region "
        f"WHERE vintage = {quoted(ctx.config.vintage)} GROUP BY region_code)"
    )
    if VIEW not in ctx.engine.tables():
        finding_places.create(ctx)
    for name, (title, select) in VIEWS.items():
        body = select.format(
            regions=regions,
            unit_names=_UNIT_NAMES,
            finding_place=VIEW,
        )
        ctx.engine.execute(f"CREATE OR REPLACE VIEW main.{name} AS {body}")
        ctx.engine.execute(f"COMMENT ON VIEW main.{name} IS {quoted(f'{title.zh} | {title.en}')}")
        for column, label in VIEW_COLUMNS.get(name, {}).items():
            ctx.engine.execute(
                f"COMMENT ON COLUMN main.{name}.{column} IS {quoted(f'{label.zh} | {label.en}')}"
            )


def create_plain_names(ctx: RunContext) -> None:
    """Let every published table be asked for without its schema, in any client."""
    names = [*published_tables(), "census.unit"]
    there = ctx.engine.tables()
    views = [
        f"CREATE OR REPLACE VIEW main.{name.split('.')[1]} AS SELECT * FROM {name}"
        for name in names
        if name in there and name.split(".")[1] not in VIEWS
    ]
    _at_once(ctx.engine, views)


def _at_once(engine: DuckDBEngine, statements: list[str]) -> None:
    """Run statements in one transaction: each alone would wait for the disk."""
    engine.execute("BEGIN TRANSACTION")
    try:
        engine.execute(";\n".join(statements))
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    engine.execute("COMMIT")


def published_tables() -> dict[str, Table]:
    """Return the contract's tables as they are called in the package; views are not among them."""
    delivered = {f"census.{table.name}": table for table in CONTRACT.delivered}
    return {**CONTRACT.outputs, **delivered}


def _comments(name: str, table: Table) -> dict[str, tuple[str, str]]:
    """Return the comments that a table shall have: by column, '' the table, where and the text."""
    named = {"": (f"TABLE {name}", table.title)}
    named |= {c.name: (f'COLUMN {name}."{c.name}"', c.label) for c in table.all_columns}
    return {key: (where, f"{label.zh} | {label.en}") for key, (where, label) in named.items()}


def comment_tables(engine: DuckDBEngine) -> None:
    """Write the contract's labels as comments on tables and columns, Chinese first.

    Those that stand there already, in a package that was carried over, are not written again: each
    has DuckDB copy what it knows of the table.
    """
    # A database beside it may have the same tables, with comments of their own.
    own = "database_name = current_database()"
    told: dict[str, dict[str, object]] = {}
    for name, column, comment in engine.rows(
        "SELECT schema_name || '.' || table_name, '', comment FROM duckdb_tables() "
        f"WHERE {own} UNION ALL SELECT schema_name || '.' || table_name, column_name, "
        f"comment FROM duckdb_columns() WHERE {own}"
    ):
        told.setdefault(str(name), {})[str(column)] = comment
    comments = [
        f"COMMENT ON {where} IS {quoted(text)}"
        for name, table in published_tables().items()
        for column, (where, text) in _comments(name, table).items()
        if name in told and column in told[name] and told[name][column] != text
    ]
    if comments:
        _at_once(engine, comments)
