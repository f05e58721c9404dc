"""The gate: per delivered file and region, whether tonight's audit may speak about it.

One definition of the checks for both judges: `judge` here, and Great Expectations in a process of
its own. Both see the profile only: counts and rates of a file in a county, never a unit's value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.contracts import CONTRACT
from audit.model import Label

WITHIN, REMARK, QUARANTINE, UNKNOWN = "within", "remark", "quarantine", "unknown"
COULD_NOT_CHECK = "could_not_check"
ACCEPT, REMARKS, MISSING = "accept", "remarks", "missing"
HELD = (QUARANTINE, MISSING)
"""Verdicts under which a county is not judged."""

HELD_SQL = ", ".join(f"'{code}'" for code in HELD)
"""The same as a list for SQL."""

UNREADABLE = "unreadable_file"
"""Reason of refusal of a file that cannot be opened."""

JUDGES = ("auto", "own", "gx")
_RANK = {WITHIN: 0, UNKNOWN: 1, REMARK: 1, QUARANTINE: 2}
_REASONS = 6
_HEADERS, _HEADER = 4, 30
"""Unknown headers that a reason names, and the characters of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is still within: `low`..`high` without remark, `worst_low`..`worst_high` at all."""

    low: float | None = None
    high: float | None = None
    worst_low: float | None = None
    worst_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One check of the profile: the metric `id` should lie within `bounds`.

    `certain` checks hold for any number of rows; the others cannot quarantine a handful of rows.
    """

    id: str
    bounds: Bounds
    title: Label
    note: Label
    percent: bool = True
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The profile of one file in one region: what it should tell, and what it tells.

    `values` holds the metrics that apply, by the id of their expectation; None is unknown.
    `items` names the worst item of a metric. `region_code` is "" for rows in no listed county.
    `lost`: columns that should be filled in and are empty in every row. `unknown_columns`: headers
    of the file that are no column of the table.
    `n_expected` is what the delivery note or last night lets expect; None without either. `n_came`
    of all files is what it is compared with.
    """

    table: str
    file: str
    region_code: str
    n_rows: int
    n_refused: int
    n_expected: int | None
    values: Mapping[str, float | None]
    items: Mapping[str, str]
    n_came: int = 0
    lost: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What names the cell: table, file and region."""
        return f"{self.table}|{self.file}|{self.region_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a cell, and why."""

    code: str
    reasons: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Section `[gate]`: bounds as shares, ratios against what was expected, who judges."""

    judge: str = "auto"
    timeout_seconds: int = 120
    min_rows: int = 20
    rows_low: float = 0.95
    rows_high: float = 1.5
    rows_worst: float = 0.7
    duplicate: float = 0.001
    duplicate_worst: float = 0.1
    refused: float = 0.01
    refused_worst: float = 0.2
    empty: float = 0.05
    empty_worst: float = 0.5
    unlisted: float = 0.02
    unlisted_worst: float = 0.3
    dates: float = 0.01
    dates_worst: float = 0.3
    code_malformed: float = 0.01
    code_malformed_worst: float = 0.3
    code_missing: float = 0.01
    code_missing_worst: float = 0.5
    earliest_year: int = 1900
    months_after: int = 24


_RATES = {
    "duplicate": (
        Label("主键重复的行占比", "share of rows whose key repeats"),
        Label(
            "每个填报单位、每张报表只应有一行", "a unit has one row in each table; keys are unique"
        ),
    ),
    "refused": (
        Label("格式错误退回的行占比", "share of rows refused for their form"),
        Label("数据契约：代码、数值、日期的写法", "the data contract: forms of codes and numbers"),
    ),
    "empty": (
        Label("必填项空值率（最差的一项）", "empty mandatory items (the worst one)"),
        Label("普查表必填指标应填报齐全", "mandatory items of the forms are to be filled in"),
    ),
    "unlisted": (
        Label("代码不在目录内的占比（最差的一项）", "codes on no list (the worst item)"),
        Label(
            "国家标准目录：GB/T 4754-2017、统计用区划代码、普查表代码",
            "GB/T 4754-2017, the region list, the lists of the forms",
        ),
    ),
    "dates": (
        Label("日期超出合理范围的占比（最差的一项）", "dates outside the window (the worst item)"),
        Label("对照普查时点", "measured from the reference date"),
    ),
    "code_malformed": (
        Label("统一社会信用代码格式错误的占比", "malformed credit codes"),
        Label("GB 32100-2015", "GB 32100-2015"),
    ),
    "code_missing": (
        Label("无统一社会信用代码的单位占比", "units without a credit code"),
        Label(
            "超过1%应组织清理（各地名录库清理做法）",
            "above 1% a clean-up of the register is called for",
        ),
    ),
}


def expectations(settings: GateSettings) -> tuple[Expectation, ...]:
    """Return the checks with the bounds in force."""
    rows = Bounds(low=settings.rows_low, high=settings.rows_high, worst_low=settings.rows_worst)
    read = Expectation(
        id="loaded",
        bounds=Bounds(low=2.0, worst_low=1.0),
        title=Label("文件可用程度", "usability of the file"),
        note=Label(
            "2 有可用的行；1 可读但没有一行；0 整个文件被退回",
            "2 it has usable rows; 1 readable without a row; 0 refused as a whole",
        ),
        percent=False,
        certain=True,
    )
    expected = Expectation(
        id="rows",
        bounds=rows,
        title=Label("行数与应到行数之比", "rows against those expected"),
        note=Label(
            "应到行数取自送达清单，无清单则取上一批次", "from the note, else from last night"
        ),
    )
    rates = (
        Expectation(
            id=name,
            bounds=Bounds(
                high=getattr(settings, name), worst_high=getattr(settings, f"{name}_worst")
            ),
            title=title,
            note=note,
        )
        for name, (title, note) in _RATES.items()
    )
    return (read, expected, *rates)


def _outside(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)


def judge_value(value: float | None, bounds: Bounds) -> str:
    """Return the result of one metric; NULL and NaN are unknown, never a pass."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if _outside(value, bounds.worst_low, bounds.worst_high):
        return QUARANTINE
    return REMARK if _outside(value, bounds.low, bounds.high) else WITHIN


def judge(cell: Cell, checks: Iterable[Expectation]) -> dict[str, str]:
    """Return the result of every check that applies to a cell, by its id."""
    return {
        check.id: judge_value(cell.values[check.id], check.bounds)
        for check in checks
        if check.id in cell.values
    }


def worse(own: str, other: str | None) -> str:
    """Return the worse of two judges' results; one that could not check has no say."""
    if other is None or other == COULD_NOT_CHECK:
        return own
    return max(own, other, key=_RANK.__getitem__)


def _shown(value: float | None, check: Expectation) -> str:
    if value is None:
        return "—"
    return f"{value:.1%}" if check.percent else f"{value:.0f}"


def _item(cell: Cell, check_id: str) -> Label | None:
    name = cell.items.get(check_id, "")
    if name in CONTRACT.code_lists["reject_reason"]:
        return Label(CONTRACT.label("reject_reason", name).zh, name.replace("_", " "))
    column = CONTRACT.tables[cell.table].by_name.get(name)
    return column.label if column else None


def _unread(item: Label | None, code: str) -> Label:
    if code == UNREADABLE:
        return Label("文件打不开，未读入", "the file cannot be opened: nothing was read")
    why = item or Label("", "")
    return Label(
        "整个文件被退回" + (f"（{why.zh}）" if item else ""),
        "the whole file was refused" + (f" ({why.en})" if item else ""),
    )


def _renamed(cell: Cell) -> list[Label]:
    """Return what to do where a header was changed, so that its column is lost and it is unknown.

    A header is no unit's data; what is no header was not loaded.
    """
    if not (cell.lost and cell.unknown_columns and cell.n_rows):
        return []
    columns = CONTRACT.tables[cell.table].by_name
    labels = [columns[name].label for name in cell.lost]
    zh, en = "、".join(one.zh for one in labels), ", ".join(one.en for one in labels)
    unknown = [name[:_HEADER] for name in cell.unknown_columns[:_HEADERS]]
    return [
        Label(
            f"缺列（或整列为空）{zh}，未识别的列 {'、'.join(unknown)}：请改回表头重报",
            f"missing or empty throughout: {en}, unknown headers: {', '.join(unknown)}: "
            "put the headers right and deliver again",
        )
    ]


def _reason(cell: Cell, check: Expectation, result: str) -> Label:
    item = _item(cell, check.id)
    if check.id == "loaded" and result == QUARANTINE:
        return _unread(item, cell.items.get(check.id, ""))
    zh = check.title.zh + (f"（{item.zh}）" if item else "")
    en = check.title.en + (f" ({item.en})" if item else "")
    if result == UNKNOWN:
        return Label(f"{zh}：无法判定", f"{en}: unknown")
    shown = _shown(cell.values[check.id], check)
    return Label(f"{zh} {shown}", f"{en} {shown}")


def verdict(cell: Cell, results: Mapping[str, str], settings: GateSettings) -> Verdict:
    """Return the verdict on a cell from the results of its checks.

    A handful of rows, or rows that name no listed county, are never quarantined for a rate: there
    is nobody to send them back to, or one row would decide.
    """
    known = {check.id: check for check in expectations(settings)}
    spared = _spared(cell, settings)
    ranks = [
        min(_RANK[result], 1) if spared and not known[name].certain else _RANK[result]
        for name, result in results.items()
    ]
    code = (ACCEPT, REMARKS, QUARANTINE)[max(ranks, default=0)]
    order = sorted(results, key=lambda name: -_RANK[results[name]])
    if results.get("loaded") == QUARANTINE:
        # Of a file that nothing was read from no rate can be known: that says nothing more.
        order = [name for name in order if results[name] != UNKNOWN]
    told = [_reason(cell, known[n], results[n]) for n in order if results[n] != WITHIN]
    told = [*(_renamed(cell) if told else []), *told][:_REASONS]
    if spared and code != QUARANTINE and QUARANTINE in results.values():
        told.append(spared)
    return Verdict(code=code, reasons=_join(told))


def _spared(cell: Cell, settings: GateSettings) -> Label | None:
    """Return why the rows of a cell are not quarantined for a rate; None where they may be."""
    if not cell.region_code:
        return Label("不属于本市任何县，不隔离", "in no county of the city: not quarantined")
    if cell.n_rows + cell.n_refused < settings.min_rows:
        return Label(
            f"行数太少（不足 {settings.min_rows} 行），不隔离",
            f"fewer than {settings.min_rows} rows: not quarantined",
        )
    return None


def missing(n_expected: int) -> Verdict:
    """Return the verdict on a table that a county owes and did not deliver."""
    return Verdict(
        code=MISSING,
        reasons=Label(
            f"应到 {n_expected} 行，本次未送达", f"{n_expected} rows expected, none delivered"
        ),
    )


def unplaced(tables: Sequence[Label], files: Sequence[str], n_expected: int) -> Label:
    """Return the reason of rows that came but tell no county, as their units did not come.

    `tables` and `files` are those of the units.
    """
    zh, en = "、".join(t.zh for t in tables), ", ".join(t.en for t in tables)
    named = "、".join(filter(None, files))
    return Label(
        f"因“{zh}”未送达或不全{f'（{named}）' if named else ''}，本表各行无法归县"
        f"（应到 {n_expected} 行）；该文件补齐后自行恢复",
        f"“{en}” did not come or is short{f' ({named})' if named else ''}, so these rows tell no "
        f"county ({n_expected} expected); nothing else to deliver",
    )


def _join(told: Sequence[Label]) -> Label:
    return Label("；".join(t.zh for t in told), "; ".join(t.en for t in told))
