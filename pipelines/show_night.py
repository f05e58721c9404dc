"""The end of a night in the terminal: what came, what was found, and where everything is."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from audit.contracts import CONTRACT
from audit.model import Label, Severity
from pipelines.gate import GateSummary
from pipelines.ingest import IngestSummary
from pipelines.link_tables import DONE, FAILED, OFF
from pipelines.run import NightSummary
from pipelines.show import console, grid
from pipelines.sql import PACKAGE
from reports.html_texts import STILL_OPEN, VERDICTS
from reports.matching import Matching
from reports.reject_texts import FOLDER as REJECTS


def _state(name: str) -> Label:
    """Return a state of findings in words, or why they stay open although nothing was found."""
    return STILL_OPEN.get(name) or CONTRACT.label("finding_state", name)


def _gate_line(gate: GateSummary) -> str:
    """Return the verdicts of the gate in one line, and what the second judge said."""
    verdicts = ", ".join(
        f"{label.zh} {code} {gate.verdicts[code]}"
        for code, label in CONTRACT.code_lists["gate_verdict"].items()
        if gate.verdicts.get(code)
    )
    if gate.following:
        verdicts += f", 随之无法归县 following {gate.following}"
    said = CONTRACT.label("gate_gx", gate.gx)
    return f"{verdicts or '—'}; Great Expectations {said.zh} {said.en}"


def _links(link: Matching) -> str:
    """Return what the matcher found, in a line."""
    if link.state != DONE:
        return {
            OFF: "已关闭 switched off",
            FAILED: "[bold red]未完成，有关规则无法判定 failed: rules over links are undecided[/]",
        }[link.state]
    shares = ", ".join(
        f"{word} {value:.3f}"
        for word, value in (("查准率 precision", link.precision), ("查全率 recall", link.recall))
        if value is not None
    )
    return (
        f"同一单位 the same unit {link.n_units} 对 pairs, {link.n_clusters} 组 clusters; "
        f"名录 registers {link.n_registers}; 待人工判定 to decide {link.n_possible}; "
        f"人工判定 decided {link.n_decided}" + (f"; 估计 estimated {shares}" if shares else "")
    )


def _verdicts(found: dict[str, int]) -> str:
    """Return how many rules came to which verdict, in the words of the report."""
    return ", ".join(
        f"{verdict.name.zh} {verdict.name.en} {found[code]}"
        for code, verdict in VERDICTS.items()
        if found.get(code)
    )


def _add_intake(table: Table, intake: IngestSummary) -> None:
    table.add_row(
        "送达 delivered",
        f"{intake.files} 个文件 files, {intake.rows_delivered} 行 rows; "
        f"装载 loaded {intake.rows_loaded}, 退回 refused {intake.rows_refused}",
    )
    if intake.unchanged:
        table.add_row(
            "未变 unchanged",
            f"{len(intake.unchanged)} 个文件沿用上次读取的数据 files not read again",
        )
    if intake.rows_refused or intake.files_refused:
        table.add_row(
            "退回表 rejects",
            f"更正办法见退回表 how to correct: see the reject workbooks; "
            f"整份未读入 files not read: {intake.files_refused}",
        )
    if intake.salt_in_doubt:
        table.add_row(
            "[bold red]盐值 salt[/]",
            "[bold red]保密单位摘要名册没有盐值校验行，也没有一行与之相符："
            "盐值若有误，保密单位已进入本次结果。"
            "请用 census-audit confidential check 核对，或用 confidential digest 重做名册。 "
            "No digest matched and the list has no check row: with a wrong salt, confidential "
            "units are in tonight's output.[/]",
        )


def _summary_table(summary: NightSummary) -> Table:
    table = grid("", "")
    table.add_row("批次 run", summary.run_id)
    _add_intake(table, summary.intake)
    table.add_row("数据门禁 gate", _gate_line(summary.gate))
    table.add_row("匹配 links", _links(summary.link))
    table.add_row("规则 rules", _verdicts(summary.verdicts))
    if undecided := summary.verdicts.get("UNDECIDED"):
        table.add_row(
            "其中无法判定 undecided",
            f"{undecided} 条规则所有对象都缺数据，不算通过 rules that could judge nothing",
        )
    for severity in Severity:
        count = summary.told.of(severity)
        table.add_row(f"{severity.zh}差错 {severity} findings", str(count))
    table.add_row("线索 leads", str(summary.told.n_leads))
    table.add_row("评估结论 conclusions", str(summary.told.n_conclusions))
    changes = ", ".join(
        f"{_state(state).zh} {_state(state).en} {count}" for state, count in summary.changes.items()
    )
    table.add_row("与上次相比 changes", changes or "—")
    table.add_row("须实地核查地区 flagged regions", f"{summary.n_flagged} / {summary.n_regions}")
    table.add_row("核查任务 tasks", str(summary.n_tasks))
    return table


def show_night(summary: NightSummary, out_dir: Path) -> None:
    """Print the table at the end of a night, and where everything is."""
    out = console()
    out.print(_summary_table(summary))
    places = grid("", "")
    current = out_dir / "current"
    places.add_row("报告 report", escape(str(current / "report.html")))
    places.add_row("工作簿 workbooks", escape(f"{current / 'workbooks'} ({summary.workbooks})"))
    if summary.rejects:
        places.add_row("退回表 rejects", escape(f"{current / REJECTS} ({summary.rejects})"))
    if summary.link.n_possible:
        places.add_row("待人工判定 review", escape(str(current / "review")))
    places.add_row("数据库 database", escape(str(current / PACKAGE)))
    out.print(places)
    seconds = ", ".join(f"{s.stage} {s.wall:.1f}" for s in summary.stages)
    peak = max((s.peak_mb for s in summary.stages), default=0.0)
    out.print(f"用时(秒) seconds: {seconds}; 内存峰值 peak {peak:.0f} MB")
    if summary.check.errors:
        names = ", ".join(summary.check.errors)
        out.print(
            f"[bold red]规则出错 rules crashed: {names}[/] — "
            f"census-audit sql {escape(str(out_dir))} "
            "\"SELECT rule_id, detail FROM outcome WHERE status = 'ERROR'\""
        )
