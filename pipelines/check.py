"""Stage check: the rulebook against tonight's tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from audit.arrow_tables import of_columns
from audit.check_plan import CheckPlan, LinkState
from audit.checking import CheckSummary, check
from audit.engines.base import Engine
from audit.engines.spark import SparkEngine, SparkSettings
from audit.errors import InputError, UsageError
from audit.estimating.registry import inputs, making
from audit.model import Rule
from audit.night import create_unit_view, filled_tables, rule_texts
from audit.rulebook import RuleBook, load_rulebook, render
from audit.scoring import city_prefix
from pipelines import estimate
from pipelines.config import RunConfig
from pipelines.context import LOG, RunContext
from pipelines.link_tables import state_of
from pipelines.rule_memory import FOLDER, RuleMemory
from pipelines.scratch import private_folder

Parameters = dict[str, dict[str, str]]


def parameters_in_force(config: RunConfig, book: RuleBook) -> dict[str, dict[str, str]]:
    """Return what each rule's parameters are set to tonight, where that is not their default.

    Parameters that every rule shares (the audited city, the vintage of the region list, the
    reference date) follow the run's settings, unless `[parameters.RULE]` says otherwise.
    """
    shared = {
        "city": city_prefix(config.city),
        "vintage": config.vintage,
        "reference_date": config.reference_date,
    }
    unknown = sorted(set(config.parameters) - {rule.id for rule in load_rulebook().rules})
    if unknown:
        raise UsageError(
            f"配置文件 [parameters] 中没有这些规则：{', '.join(unknown)}。",
            f"The configuration sets parameters of unknown rules: {', '.join(unknown)}.",
        )
    return {
        rule.id: {p.name: shared[p.name] for p in rule.parameters if p.name in shared}
        | dict(config.parameters.get(rule.id, {}))
        for rule in book.rules
    }


def _tables(rule: Rule) -> tuple[str, ...]:
    """Return every table that a rule reads, and those that its estimates are made of.

    The gate holds back a rule whose tables are in quarantine, however it comes by their rows.
    """
    named = (*rule.tables, *rule.optional_tables)
    return tuple(dict.fromkeys((*named, *inputs(named))))


def _optional(rule: Rule) -> tuple[str, ...]:
    """Return those of a rule's tables that it can do without."""
    behind = (table for e in making(frozenset(rule.tables)) for table in e.needs)
    needed = {*rule.tables, *behind}
    return tuple(table for table in _tables(rule) if table not in needed)


def _write_rules(ctx: RunContext, book: RuleBook, parameters: Parameters) -> None:
    rules = book.rules
    columns: dict[str, list[Any]] = {
        "rule_id": [rule.id for rule in rules],
        "rule_version": [rule.version for rule in rules],
        "name": [rule.name for rule in rules],
        "family": [rule.family for rule in rules],
        "severity": [str(rule.severity) for rule in rules],
        "level": [rule.level for rule in rules],
        "grain": [rule.grain for rule in rules],
        "statement": [rule.statement for rule in rules],
        "same_fact": ["|".join(rule.same_fact) for rule in rules],
        "clause": [rule.clause for rule in rules],
        "owner": [rule.owner for rule in rules],
        "variable": [rule.variable for rule in rules],
        "tables": ["|".join(_tables(rule)) for rule in rules],
        "optional_tables": ["|".join(_optional(rule)) for rule in rules],
        "title_zh": [rule.title.zh for rule in rules],
        "title_en": [rule.title.en for rule in rules],
        "verify_zh": [rule.verify.zh for rule in rules],
        "verify_en": [rule.verify.en for rule in rules],
        "false_positives_zh": [rule.false_positives.zh for rule in rules],
        "false_positives_en": [rule.false_positives.en for rule in rules],
        "sql": [render(rule, parameters[rule.id]) for rule in rules],
    }
    types = {"rule_version": pa.int64(), "level": pa.int64()}
    ctx.engine.register("incoming", of_columns(columns, **types))
    ctx.engine.append("audit.rule", "SELECT * FROM incoming")
    ctx.engine.unregister("incoming")


def region_prefix(ctx: RunContext, region: str) -> str:
    """Return the digits that all regions inside `region` begin with; empty for everything.

    InputError where the region list has no region of the vintage, UsageError for an unknown region.
    """
    vintage = ctx.config.vintage
    listed = f"SELECT 1 FROM census.region WHERE vintage = '{vintage}'"
    if not ctx.engine.rows(f"{listed} LIMIT 1"):
        raise InputError(
            f"区划名册中没有 {vintage} 版本的区划，无法按地区评分。"
            "请送达该版本的统计用区划代码，或在配置 [run] vintage 中改用名册里有的版本。",
            f"The region list has no region of the vintage {vintage}. Deliver that list, or set "
            "[run] vintage to one that it has.",
        )
    code = region.ljust(12, "0") if region else ""
    if code and not ctx.engine.rows(f"{listed} AND region_code = '{code}' LIMIT 1"):
        raise UsageError(
            f"区划名册中没有 {code}。请用 2、4、6、9 或 12 位区划代码，例如 430422。",
            f"The region list has no {code}. Give a code of 2, 4, 6, 9 or 12 digits.",
        )
    # A township 100 and a county 20 end in zeros too: only a whole empty segment is cut.
    for level in (9, 6, 4, 2):
        if code[level:].strip("0"):
            break
        code = code[:level]
    return code


def _memory(ctx: RunContext, prefix: str) -> RuleMemory | None:
    if ctx.store is None or ctx.contents_tonight is None:
        return None
    return RuleMemory(
        folder=ctx.state_dir / FOLDER,
        fingerprint=ctx.store.fingerprint,
        run_id=ctx.info.run_id,
        asked=f"{ctx.config.city} {prefix}",
        contents=ctx.contents_tonight,
    )


@contextmanager
def checking_engine(ctx: RunContext) -> Iterator[Engine]:
    """Give the engine that runs the rules: the night's database, or Spark over its tables."""
    if ctx.info.engine != SparkEngine.name:
        yield ctx.engine
        return
    chosen = ctx.config.spark
    with private_folder("spark-", Path(chosen.folder or ctx.run_dir.resolve())) as folder:
        engine = SparkEngine(
            ctx.engine,
            SparkSettings(
                folder=folder,
                master=chosen.master or f"local[{ctx.config.threads}]",
                memory=chosen.driver_memory,
            ),
        )
        try:
            yield engine
        finally:
            engine.close()


def run(ctx: RunContext, book: RuleBook, region: str = "") -> CheckSummary:
    """Check all rules of `book`; with `region`, only rows of that region."""
    create_unit_view(ctx.engine)
    prefix = region_prefix(ctx, region)
    parameters = parameters_in_force(ctx.config, book)
    _write_rules(ctx, book, parameters)
    rule_texts(ctx.engine, book)
    plan = CheckPlan(
        book=book,
        run_id=ctx.info.run_id,
        filled_tables=filled_tables(ctx.engine),
        whole_region=ctx.config.city,
        region_prefix=prefix,
        estimates=estimate.states(ctx.engine),
        links=LinkState(state_of(ctx.engine) or LinkState.DONE),
        parameters=parameters,
    )
    with checking_engine(ctx) as engine:
        # What rules gave is kept under the engine that keeps it.
        memory = _memory(ctx, prefix) if engine is ctx.engine else None
        summary = check(engine, plan, memory)
    if summary.repeated:
        LOG.warning(
            "规则对同一疑点提示了两次，两条都已列出，请修改规则 "
            "rules told one doubt twice, both are listed, mend the rules: %s",
            ", ".join(summary.repeated),
        )
    return summary
