"""What people see in the terminal: progress bars, tables, the end of a night."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from audit.errors import AuditError
from audit.model import Rule, Severity
from audit.rulebook import RuleBook, render
from pipelines.context import NoProgress, Progress
from pipelines.decide import REASONS, ChangedAnswer, DecideSummary
from pipelines.decisions import DIFFERENT, SAME
from pipelines.explain import Explanation, SourceRow, pretty_sql
from pipelines.sql import query
from reports.review_texts import ANSWERS
from sample_data import SampleSummary

PAGE = 100
OTHERS = 5  # decisions named with an answer that contradicts them
NARROW = 12  # characters that a column needs to be read
WIDTH = 160  # of output that goes to a file or a pipe


def console() -> Console:
    """Return a console on standard output; plain when it is not a terminal."""
    width = None if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False)


class TerminalProgress:
    """Bars on standard error, so that output can still be piped."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    @classmethod
    @contextmanager
    def when_a_person_looks(cls) -> Iterator[Progress]:
        """Yield bars on a terminal, and nothing elsewhere."""
        if not sys.stderr.isatty():
            yield NoProgress()
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with RichProgress(*columns, console=Console(stderr=True), transient=True) as bars:
            yield cls(bars)

    def start(self, zh: str, en: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self._task = self._bars.add_task(f"{zh} {en}", total=total)

    def advance(self, steps: int = 1) -> None:
        """Tell that steps are done."""
        if self._task is not None:
            self._bars.advance(self._task, steps)

    def stop(self) -> None:
        """End the stage."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


def grid(*columns: str) -> Table:
    """Return a table without lines; without a head where all `columns` are empty."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def show_sample(summary: SampleSummary) -> None:
    """Say what the sample holds and where it is."""
    out = console()
    out.print(f"仿真数据 sample: {escape(str(summary.folder))}")
    out.print(f"埋入的差错 planted errors: {escape(str(summary.truth))}")


def show_decisions(summary: DecideSummary) -> None:
    """Say what an intake of review workbooks took and what it refused, by line of the sheet."""
    out = console()
    out.print(
        f"接受 accepted {summary.n_accepted}; 改判 changed {len(summary.changed)}; "
        f"重复 repeated {summary.n_repeated}; 退回 refused {len(summary.refused)}; "
        f"本批次仍未判定 pairs still to decide {summary.n_waiting}"
    )
    for changed in summary.changed[:PAGE]:
        _show_changed(out, changed)
    for refused in summary.refused[:PAGE]:
        zh, en = REASONS[refused.reason]
        out.print(f"{escape(refused.file)} 第 {refused.line} 行 line: {zh} {en}")
        for other in refused.others[:OTHERS]:
            sign = "=" if other.answer == SAME else "≠"
            pair = f"{other.left_id} {sign} {other.right_id}"
            text = f"    {other.file} ({other.run_id}), {pair}, {other.decided_on}"
            out.print(escape(text), soft_wrap=True)
    for shown in (summary.changed, summary.refused):
        if len(shown) > PAGE:
            out.print(f"另有 {len(shown) - PAGE} 行 more rows")


def _show_changed(out: Console, changed: ChangedAnswer) -> None:
    """Say which decision a row overturns: a decision is binding, so nobody may miss it."""
    words = {SAME: ANSWERS["same"], DIFFERENT: ANSWERS["different"]}
    was, now, told = words[changed.before.answer], words[changed.answer], changed.before
    out.print(
        escape(
            f"{changed.file} 第 {changed.line} 行 line: 原判 {was.zh}"
            f"（{told.file}，{told.decided_on}）改为 {now.zh}；如属误判，请改正后再交回 "
            f"was {was.en} ({told.file}, {told.decided_on}), now {now.en}; if that is a mistake, "
            "correct it and hand it in again"
        ),
        soft_wrap=True,
    )


def show_table(result: pa.Table, limit: int = PAGE) -> None:
    """Print the first rows of a result, and say how many more there are."""
    out = console()
    if result.num_columns > out.width // NARROW:
        _show_records(out, result, limit)
        return
    table = Table(header_style="bold", show_edge=False)
    for name in result.column_names:
        table.add_column(escape(name), overflow="fold")
    for row in _rows(result, limit):
        table.add_row(*(_shown(v) for v in row))
    out.print(table)
    out.print(_rows_told(result, limit))


def _shown(value: object) -> str:
    """Return a value for the terminal; control characters of the data never reach it."""
    text = "" if value is None else str(value)
    return escape("".join(c if c.isprintable() or c in "\n\t" else "�" for c in text))


def _rows(result: pa.Table, limit: int) -> Iterator[tuple[object, ...]]:
    """Yield rows by position: two columns may bear one name."""
    columns = [column.to_pylist() for column in result.slice(0, limit).columns]
    return zip(*columns, strict=True)


def _rows_told(result: pa.Table, limit: int) -> str:
    more = result.num_rows - limit
    tail = f"，另有 {more} 行未显示 more rows (--limit, --output)" if more > 0 else ""
    return f"{result.num_rows} 行 rows{tail}"


def _show_records(out: Console, result: pa.Table, limit: int) -> None:
    """Show a wide result a field a line: columns of a few characters tell nothing."""
    for number, row in enumerate(_rows(result, limit), 1):
        out.print(f"[bold]— {number} —[/]")
        table = grid("", "")
        for name, value in zip(result.column_names, row, strict=True):
            table.add_row(escape(name), _shown(value))
        out.print(table)
    out.print(_rows_told(result, limit))


def sql_prompt(out_dir: Path, limit: int) -> None:
    """Read statements until the end of input; a wrong one is told and the next one read."""
    out = console()
    if sys.stdin.isatty():
        out.print("以分号结束一条语句，Ctrl-D 退出。 End a statement with ; and leave with Ctrl-D.")
    buffer = ""
    for line in sys.stdin:
        buffer += line
        if line.rstrip().endswith(";"):
            _one_statement(out_dir, buffer, limit)
            buffer = ""
    if buffer.strip():
        _one_statement(out_dir, buffer, limit)


def _one_statement(out_dir: Path, statement: str, limit: int) -> None:
    try:
        show_table(query(out_dir, statement), limit)
    except AuditError as error:
        console().print(f"[red]{escape(error.zh)}[/]\n{escape(error.en)}")


def show_rules(book: RuleBook) -> None:
    """List rules, a line each."""
    table = grid("编号 id", "性质 severity", "条款 clause", "名称 title", "")
    for rule in book.rules:
        severity = f"{rule.severity.zh} {rule.severity}"
        table.add_row(rule.id, severity, rule.clause, rule.title.zh, rule.title.en)
    out = console()
    out.print(table)
    out.print(f"{len(book.rules)} 条规则 rules")


def show_rule(rule: Rule) -> None:
    """Show one rule in full."""
    table = grid("", "")
    for name, value in (
        ("规则 rule", f"{rule.id} v{rule.version} {rule.name}"),
        ("名称 title", f"{rule.title.zh}\n{rule.title.en}"),
        ("性质 severity", f"{rule.severity.zh} {rule.severity}"),
        ("条款 clause", rule.clause),
        ("对象 grain", rule.grain),
        ("所用的表 tables", ", ".join((*rule.tables, *rule.optional_tables))),
        ("责任组 owner", rule.owner),
        ("核查要点 verify", f"{rule.verify.zh}\n{rule.verify.en}"),
        ("易误判 false positives", f"{rule.false_positives.zh}\n{rule.false_positives.en}"),
    ):
        table.add_row(name, escape(value))
    for parameter in rule.parameters:
        text = f"{parameter.name} = {parameter.default} ({parameter.type}) {parameter.note}"
        table.add_row("参数 parameter", escape(text))
    out = console()
    out.print(table)
    out.print()
    out.print(escape(render(rule)))


def _show_row(out: Console, source: SourceRow) -> None:
    place = (
        f"{escape(source.file)}: 数据行 row {source.row}, 文件行 line {source.line}, "
        f"{escape(source.encoding)}"
        if source.file
        else "由本批次从送达数据算出 computed from the delivery"
    )
    out.print()
    out.print(f"[bold]{source.table.title.zh} {source.table.name}[/] ({source.role}) — {place}")
    table = grid("项目 item", "列 column", "值 value", "送达原文 as delivered")
    for cell in source.cells:
        same = cell.delivered == cell.value
        shown = "" if same else _shown(cell.delivered)
        if cell.visible != cell.delivered:
            shown = f"{_shown(cell.delivered)}\n{escape(cell.visible)}"
        table.add_row(escape(cell.label), cell.column, _shown(cell.value), shown)
    out.print(table)


def _show_rest(out: Console, explanation: Explanation) -> None:
    """Say of which tables more rows speak of the finding, and how to see them all."""
    for rest in explanation.rest:
        shown = sum(row.table.name == rest.table.name for row in explanation.rows)
        out.print()
        out.print(
            f"{rest.table.title.zh} {rest.table.name}: 共 {rest.n_rows} 行，只列 {shown} 行；"
            "多看用 --limit，全部用下面的语句查询\n"
            f"{shown} of {rest.n_rows} rows shown; more with --limit, all with this statement "
            "(census-audit sql OUT):"
        )
        out.print(_shown(rest.sql), soft_wrap=True)


def _show_suggestions(out: Console, explanation: Explanation) -> None:
    if not explanation.suggestions:
        return
    out.print()
    out.print(
        "[bold]如只有一项填错，可能是 if one item alone is wrong[/]（仅供核对，不会自动改动）"
    )
    table = Table(
        "指标 item", "填报 reported", "建议 fits", "可取范围 range", "部门 register", "上期 last"
    )
    for row in explanation.suggestions:
        low, high = (("" if row[k] is None else f"{row[k]:g}") for k in ("low", "high"))
        shown = [f"{row[k]:.12g}" if row[k] is not None else "" for k in
                 ("observed", "value", "register_value", "prior_value")]  # fmt: skip
        table.add_row(row["variable"], shown[0], shown[1], f"{low} – {high}", shown[2], shown[3])
    out.print(table)


def show_explanation(explanation: Explanation) -> None:
    """Show a finding from its message down to the line of the file it came from."""
    out = console()
    finding, rule = explanation.finding, explanation.rule
    head = grid("", "")
    severity = Severity(finding["severity"])
    for name, value in (
        ("差错 finding", finding["finding_key"]),
        ("规则 rule", f"{rule['rule_id']} v{rule['rule_version']} {rule['title_zh']}"),
        ("", rule["title_en"]),
        ("性质 severity", f"{severity.zh} {severity}"),
        ("预案条款 clause", rule["clause"]),
        ("说明 message", f"{finding['message_zh']}\n{finding['message_en']}"),
        ("核查要点 verify", f"{rule['verify_zh']}\n{rule['verify_en']}"),
        ("首次/最近 first/last", f"{finding['first_run_id']} / {finding['last_run_id']}"),
    ):
        head.add_row(name, _shown(value))
    out.print(head)
    for source in explanation.rows:
        _show_row(out, source)
    if not explanation.rows:
        out.print(
            f"没有单独的数据行可列：对象是 {_shown(finding['subject_id'])} 的全部记录，"
            "或是没有保存的行。见下面的语句。\n"
            "No single row to show: it is about all records of that subject, or a row that is not "
            "stored. See the statement."
        )
    _show_rest(out, explanation)
    _show_suggestions(out, explanation)
    out.print()
    out.print("[bold]规则语句 SQL[/]")
    out.print(escape(pretty_sql(rule["sql"])))
    verdicts = {str(row["holds"]) for row in explanation.again}
    out.print(f"在本数据包上重新运行 run again on this package: holds = {', '.join(verdicts)}")
