"""`census-audit rules`: the rulebook for its authors, before a rule goes out and after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.errors import ExitCode

rules_app = typer.Typer(
    help="规则库：列出、查看、检查、登记、试验、比较。 The rulebook.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@rules_app.command("list")
def rules_list(
    pattern: Annotated[str, typer.Argument(help="如 DUP* 或 DUP e.g. DUP* or DUP")] = "*",
) -> None:
    """列出规则。 List the rules."""
    from audit.rulebook import load_rulebook
    from pipelines.show import show_rules

    # Letters alone are a family: no rule is named so.
    globs = (part.strip().upper() for part in pattern.split(","))
    show_rules(load_rulebook().select(",".join(g + "*" if g.isalpha() else g for g in globs)))


@rules_app.command("show")
def rules_show(rule_id: Annotated[str, typer.Argument(help="如 LNK003 e.g. LNK003")]) -> None:
    """查看一条规则：说明、语句、核查要点。 Show one rule."""
    from audit.rulebook import load_rulebook
    from pipelines.show import show_rule

    show_rule(load_rulebook().get(rule_id.upper()))


@rules_app.command("lint")
def rules_lint() -> None:
    """检查全部规则的格式、可移植性和登记。 Check all rules."""
    from pipelines.rulework import lint_rules

    found = lint_rules()
    for rule_id, problem in found:
        typer.echo(f"{rule_id}: {problem.zh} / {problem.en}", err=True)
    typer.echo(f"{len(found)} 个问题 problems")
    raise typer.Exit(ExitCode.RULE if found else ExitCode.DONE)


@rules_app.command("lock")
def rules_lock() -> None:
    """登记全部规则的版本。 Write rules.lock."""
    from audit.rulebook import load_rulebook
    from audit.rulelock import LOCK_FILE, write_lock

    typer.echo(f"{write_lock(load_rulebook())} 条规则已登记 rules locked → {LOCK_FILE}")


@rules_app.command("bench")
def rules_bench(
    delivery: Annotated[Path, typer.Option("--input", help="送达文件夹 the delivery")],
    config: Annotated[Path | None, typer.Option(help="配置文件 census.toml settings")] = None,
    rules: Annotated[str, typer.Option(help="只用这些规则 only these, e.g. 'FRM*'")] = "*",
    salt_file: Annotated[
        Path | None, typer.Option(help="保密摘要的盐文件 salt of the confidential digests")
    ] = None,
    seed: Annotated[int, typer.Option(help="随机种子 seed")] = 2018,
    error_rate: Annotated[
        float, typer.Option(min=0.001, max=0.2, help="埋入差错的比例 share of planted errors")
    ] = 0.02,
    work: Annotated[
        Path | None, typer.Option(help="副本暂存文件夹，用后删除 where the copy lies for a while")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="另存为 .csv write the table to a file")
    ] = None,
) -> None:
    """在送达数据的副本中埋入已知差错，看每条规则能否查出。 Which planted errors each rule finds."""
    from dataclasses import replace

    from pipelines.config import load_config
    from pipelines.rule_bench import BenchOptions, bench
    from pipelines.rulework import linear_judgements
    from pipelines.show_rules import show_bench

    settings = load_config(config)
    if salt_file is not None:
        settings = replace(settings, salt_file=salt_file)
    result = bench(
        BenchOptions(
            delivery=delivery, config=settings, rules=rules, seed=seed, error_rate=error_rate,
            work=work,
        )
    )  # fmt: skip
    judged = linear_judgements(settings.parameters)
    if output is not None:
        result.rules.write_csv(output, include_bom=True)
    show_bench(result, judged)
    broken = bool(result.missed) or any(found.kind == "conflict" for found in judged)
    raise typer.Exit(ExitCode.RULE if broken else ExitCode.DONE)


@rules_app.command("preview")
def rules_preview(
    old: Annotated[str, typer.Argument(help="规则编号或 .sql 文件 rule id or file, as it is")],
    new: Annotated[str, typer.Argument(help="改动后的 .sql 文件 the changed file")],
    out: Annotated[Path, typer.Option("--out", help="run 写出的文件夹 the folder that run wrote")],
) -> None:
    """改动一条规则之前：各县会多出和减少哪些差错。 Findings gained and lost by county."""
    from pipelines.rule_preview import named_rule, preview
    from pipelines.show_rules import show_preview

    show_preview(preview(out, named_rule(old), named_rule(new)))
