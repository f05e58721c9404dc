"""What rule authors see in the terminal: the bench, and a changed rule beside the old one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from pipelines.rule_bench import BenchResult
from pipelines.rule_logic import Judged
from pipelines.rule_preview import Preview
from pipelines.rulework import conflict_text
from pipelines.show import console

_COLUMNS = {
    "rule_id": "编号 id",
    "title_zh": "规则 rule",
    "cases": "用例 cases",
    "cases_ok": "相符 as written",
    "planted": "埋入 planted",
    "already": "原已报 told before",
    "found": "查出 found",
    "recall": "查出率 recall",
    "alone": "仅此规则 only this one",
    "extra": "多报 unexplained",
    "yield": "送达数据中的差错 findings",
    "seconds": "用时(秒) seconds",
}


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def show_bench(result: BenchResult, judged: Sequence[Judged]) -> None:
    """Show a row a rule, what nothing catches, and linear rules that clash."""
    out = console()
    table = Table(*_COLUMNS.values())
    for row in result.rules.to_dicts():
        table.add_row(*(_cell(row[name]) for name in _COLUMNS))
    out.print(table)
    share = "—" if result.recall is None else f"{result.recall:.4f}"
    out.print(
        f"埋入 {result.n_owed} 处，查出 {result.n_found} 处，查出率 {share}。 "
        f"{result.n_found} of {result.n_owed} planted errors were found."
    )
    out.print(
        "“仅此规则”一列：去掉该规则就无人查出的差错数。 Errors lost if the rule were removed."
    )
    if n_already := int(result.rules["already"].sum()):
        out.print(
            f"另有 {n_already} 处埋在该规则原已报差错的对象上，无法判断，不计在内。 "
            f"{n_already} more lie on subjects that the rule told of before: they cannot be judged "
            "and do not count."
        )
    if result.missed:
        out.print(f"[bold]没有规则能查出的差错 no rule catches[/]: {', '.join(result.missed)}")
    if result.left:
        left = ", ".join(f"{rule} ({why})" for rule, why in sorted(result.left.items()))
        out.print(f"未埋入（此数据中没有合适的单位） not planted: {left}")
    for found in judged:
        if found.kind == "conflict":
            told = conflict_text(found)
            out.print(f"[bold]{told.zh}。 {told.en}.[/]")
        else:
            where = f"{found.table} {found.situation}".strip()
            by = ", ".join(found.rules)
            out.print(f"{where}：{found.rule_id} 已被 {by} 蕴含。 {found.rule_id} implied by {by}.")
    if not judged:
        out.print("线性规则之间没有矛盾，也没有多余。 Linear rules neither clash nor repeat.")


def show_preview(found: Preview) -> None:
    """Show the counts of both texts, and what each county gains and loses."""
    out = console()
    sides = Table("", "审核 checked", "差错 failed", "无法判定 unknown")
    for name, side in (("改前 old", found.old), ("改后 new", found.new)):
        sides.add_row(name, str(side.n_checked), str(side.n_failed), str(side.n_unknown))
    out.print(f"批次 run {found.run_id}")
    out.print(sides)
    for name, old, new in found.parameters:
        out.print(f"参数 parameter {name}: {old} → {new}")
    if not any(row["gained"] or row["lost"] for row in found.counties.to_pylist()):
        out.print("没有对象增加或减少。 No subject is gained or lost.")
    table = Table("县 county", "改前 old", "改后 new", "增加 gained", "减少 lost")
    for row in found.counties.to_pylist():
        name = f"{row['county_name'] or ''} {row['county_code']}".strip()
        table.add_row(name, *(str(row[k]) for k in ("n_old", "n_new", "gained", "lost")))
    out.print(table)
