"""The command line. Every text in Chinese first, then English; exit codes as in the contract."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audit import __version__
from audit.errors import AuditError, ExitCode, InputError, UsageError
from audit.model import Severity
from pipelines.cli_confidential import confidential_app
from pipelines.cli_rules import rules_app
from pipelines.secrecy import keep_no_dumps
from pipelines.system_errors import PUBLISHED, already_published, state_after

app = typer.Typer(
    name="census-audit",
    help="经济普查数据质量审核：读入普查数据，逐条审核，列出差错和须实地核查的地区。\n\n"
    "Data-integrity audit of an economic census: reads a delivery, runs the rules, lists findings "
    "and the regions to visit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="退出码 exit codes: 0 完成 done; 1 有差错达到 --fail-on; 2 用法 usage; 10 输入 input; "
    "11 规则 rule; 12 引擎 engine; 13 锁 lock",
)
app.add_typer(rules_app, name="rules")
app.add_typer(confidential_app, name="confidential")

_INTERRUPTED = 130
OutArgument = Annotated[Path, typer.Argument(help="run 写出的文件夹 the folder that run wrote")]


class EngineName(StrEnum):
    """Engines that can run the check."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def _version(show: bool) -> None:
    if show:
        typer.echo(f"census-audit {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 version")
    ] = False,
) -> None:
    """Options before the sub-command."""


@app.command()
def sample(
    out: Annotated[Path, typer.Option("--out", help="写到哪个文件夹 folder to write to")],
    units: Annotated[
        int, typer.Option(min=500, max=200_000, help="法人单位数 legal entities")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="随机种子 seed")] = 2018,
    error_rate: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="埋入差错的比例 share of planted errors")
    ] = 0.02,
) -> None:
    """写一份仿真的送达数据及其 truth.csv。 Write a realistic delivery and its truth.csv."""
    from pipelines.show import show_sample
    from sample_data import write_sample

    try:
        summary = write_sample(out, units=units, seed=seed, error_rate=error_rate)
    except FileExistsError as error:
        raise InputError(
            f"{out} 里有不是本程序写的文件；请换一个空文件夹。",
            f"{out} holds files that are not a sample's; name an empty folder.",
        ) from error
    except ValueError as error:
        raise UsageError(
            f"无法生成仿真数据：{error}", f"Cannot make the sample: {error}"
        ) from error
    show_sample(summary)


@app.command()
def run(
    input_dir: Annotated[Path, typer.Option("--input", help="送达文件夹 the delivery")],
    out: Annotated[Path, typer.Option("--out", help="输出文件夹 where to publish")],
    config: Annotated[Path | None, typer.Option(help="配置文件 census.toml settings")] = None,
    engine: Annotated[
        EngineName, typer.Option(help="跑规则的引擎 runs the rules")
    ] = EngineName.DUCKDB,
    rules: Annotated[str, typer.Option(help="只用这些规则 only these, e.g. 'DUP*,LNK003'")] = "*",
    region: Annotated[str, typer.Option(help="只审核此区划 only this region, e.g. 430422")] = "",
    salt_file: Annotated[
        Path | None, typer.Option(help="保密摘要的盐文件 salt of the confidential digests")
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option(help="有此性质及以上差错时退出码为 1 exit 1 from this severity on"),
    ] = None,
    run_id: Annotated[str, typer.Option(help="批次号 run id; 默认取时间 the time by default")] = "",
) -> None:
    """整夜审核：读入、审核、评分、派单、导出、发布。 Run the whole night."""
    from pipelines.config import load_config
    from pipelines.run import NightOptions, run_night
    from pipelines.show import TerminalProgress
    from pipelines.show_night import show_night

    settings = load_config(config)
    if salt_file is not None:
        settings = replace(settings, salt_file=salt_file)
    with TerminalProgress.when_a_person_looks() as progress:
        summary = run_night(
            NightOptions(
                input_dir=input_dir,
                out=out,
                config=settings,
                engine=engine,
                rules=rules,
                region=region,
                run_id=run_id,
                progress=progress,
            )
        )
    with already_published():
        show_night(summary, out)
    raise typer.Exit(summary.exit_code(fail_on))


@app.command()
def sql(
    out: OutArgument,
    statement: Annotated[
        str | None, typer.Argument(help="SELECT …; 不写则逐条输入 omit to type statements")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="写到 .csv 或 .xlsx write to a file")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="最多显示多少行 rows shown")] = 100,
) -> None:
    """对已发布数据包做只读查询。 Read-only SQL on the current package."""
    from pipelines.show import show_table, sql_prompt
    from pipelines.sql import query, write_result

    if statement is None:
        sql_prompt(out, limit)
        return
    table = query(out, statement)
    if output is None:
        show_table(table, limit)
    else:
        write_result(table, output)
        typer.echo(f"{table.num_rows} 行 rows → {output}")


@app.command()
def explain(
    out: OutArgument,
    finding_key: Annotated[str, typer.Argument(help="差错标识（前几位即可） key or its beginning")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="共显示多少数据行 rows shown in all")
    ] = None,
) -> None:
    """一条差错的来龙去脉：规则、语句、数据行、文件与行号。 Explain one finding."""
    from pipelines.explain import explain as explain_finding
    from pipelines.show import show_explanation

    show_explanation(explain_finding(out, finding_key, limit))


@app.command()
def decide(
    out: OutArgument,
    files: Annotated[
        list[Path], typer.Argument(help="填好的待人工判定工作簿 answered review workbooks")
    ],
) -> None:
    """收回待人工判定的工作簿：判定长期有效。 Take answered review workbooks; decisions bind."""
    from pipelines.decide import decide as take_decisions
    from pipelines.show import show_decisions
    from pipelines.system_errors import NOTHING_TAKEN, system_errors

    with system_errors(NOTHING_TAKEN, out, *files):
        summary = take_decisions(out, files)
    show_decisions(summary)
    raise typer.Exit(ExitCode.INPUT if summary.refused else ExitCode.DONE)


@app.command()
def match(
    left: Annotated[
        Path,
        typer.Argument(
            help="单位清单；多张工作表的写明一张：清单.xlsx#工作表 "
            "a list of units: CSV, XLSX (FILE#SHEET), Parquet"
        ),
    ],
    right: Annotated[
        Path | None, typer.Argument(help="另一份清单；不写则在一份内找重复 omit to find duplicates")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="空文件夹 an empty folder to write to")],
    column: Annotated[
        list[str] | None,
        typer.Option(help="指明某列的表头 say which header cell is a column: name=企业名称"),
    ] = None,
    one_to_one: Annotated[
        bool, typer.Option("--one-to-one", help="右表每条至多对应左表一条 one to one")
    ] = False,
    decided: Annotated[
        list[Path] | None, typer.Option(help="填好的待人工判定工作簿 answered review workbook")
    ] = None,
    regions: Annotated[
        Path | None, typer.Option(help="区划表 CSV：region_code, name region list")
    ] = None,
    link_at: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="达到此概率即为同一单位 linked from here on")
    ] = 0.5,
    possible_at: Annotated[
        float, typer.Option(min=0.001, max=0.999, help="达到此概率请人判定 asked from here on")
    ] = 0.05,
) -> None:
    """单独使用匹配：一份清单内找重复，或两份清单对应。 Match one or two lists of units."""
    from pipelines.match import MatchOptions, summary_lines
    from pipelines.match import match as match_lists
    from pipelines.system_errors import FOLDER_UNFINISHED, system_errors

    with system_errors(FOLDER_UNFINISHED, out, left, *([right] if right else [])):
        options = MatchOptions(
            left=left, right=right, out=out, columns=(*(column or ()),), one_to_one=one_to_one,
            decided=(*(decided or ()),), regions=regions, link_at=link_at, possible_at=possible_at,
        )  # fmt: skip
        summary = match_lists(options)
    typer.echo("\n".join([*summary_lines(summary), f"→ {out}: {', '.join(summary.files)}"]))


def _end_in_order() -> None:
    """Let a stop by the scheduler or a closed terminal end like Ctrl-C: folders are cleared."""
    if threading.current_thread() is threading.main_thread():
        for ends in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ends, signal.default_int_handler)


def main() -> None:
    """Run the command line; an AuditError becomes its message and its exit code."""
    os.umask(0o077)
    keep_no_dumps()
    _end_in_order()
    wanted = os.environ.get("CENSUS_AUDIT_LOG", "").upper()
    logging.basicConfig(
        level=wanted if wanted in logging.getLevelNamesMapping() else "WARNING",
        format="%(asctime)s %(levelname)s %(message)s",
    )
    try:
        app()
    except AuditError as error:
        typer.echo(f"错误：{error.zh}\nError: {error.en}", err=True)
        state = state_after(error)
        if state is PUBLISHED and state.zh not in error.zh:
            typer.echo(f"{state.zh}\n{state.en}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        # An interruption comes out of the command as an exit, without a word.
        if isinstance(stop, SystemExit) and stop.code != _INTERRUPTED:
            raise
        state = state_after(stop)
        typer.echo(f"已中断，{state.zh} Interrupted; {state.en}", err=True)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  # the last resort: no traceback, it may hold values
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
        state = state_after(error)
        typer.echo(
            f"错误：程序出错（{where}）；{state.zh}这是程序的缺陷，请报告这一行。\n"
            f"Error: the program failed ({where}); {state.en} Please report this line.",
            err=True,
        )
        sys.exit(ExitCode.ENGINE)


if __name__ == "__main__":
    main()
