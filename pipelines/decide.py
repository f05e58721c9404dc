"""Intake of answered review workbooks: what is accepted binds, what is not is refused with why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from audit.engines.duckdb import PackageReader
from audit.errors import EngineError, InputError
from pipelines import decisions as said
from pipelines import publish
from pipelines.link_tables import IDENTITIES, identity_of
from pipelines.review_reader import Answered, ReviewFile, read_review
from pipelines.sql import PACKAGE, current_package
from reports.review_texts import OPEN, SAME
from reports.workbook_texts import EVIDENCE, LANGUAGES, choices

REASONS = {
    "edited": (
        "锁定的列被改动，或行被拼接；请用下发的原文件重填此行",
        "locked cells were changed; answer this row again in the file as it was issued",
    ),
    "unknown_answer": (
        "判定结果不在可选项内；请从下拉列表中选择",
        "the decision is none of the choices; choose from the list",
    ),
    "no_answer": (
        "判定结果为空，却填了依据、说明、判定人或日期；请选判定结果，不判定的请清空该行",
        "basis, note, person or date are filled in, but there is no decision; choose one, or clear "
        "the row",
    ),
    "no_basis": ("缺少依据；请从下拉列表中选择", "the basis is missing; choose from the list"),
    "unknown_basis": (
        "依据不在可选项内；请从下拉列表中选择，另有说明的写在“说明”栏",
        "the basis is none of the choices; choose from the list, and put more under Note",
    ),
    "no_person": ("缺少判定人；请填写姓名", "who decided is missing; write the name"),
    "bad_date": (
        "日期认不出，请写成 2019-04-20",
        "the date cannot be read; write it as 2019-04-20",
    ),
    "future_date": (
        "日期晚于今天；请写判定的日期",
        "the date is after today; write the day of the decision",
    ),
    "unknown_pair": (
        "数据包中没有这一对；请用最近一次下发的工作簿",
        "the package has no such pair; use the workbook issued last",
    ),
    "twice": (
        "交回的文件对同一对有不同判定；请商定后只留一个",
        "the files decide the pair in two ways; agree, and leave one answer",
    ),
    "contradicts": (
        "与其他判定矛盾（经由第三个单位推得相反的结论）；请核对后改正其中之一，改正哪个交回哪个",
        "contradicts other decisions, by way of third units; look again and hand in the one that "
        "was wrong, corrected",
    ),
}
"""Why a row is refused, Chinese and English."""

Key = tuple[str, str, str, str]
_BASES = frozenset(word for lang in LANGUAGES for word in choices(EVIDENCE, lang))


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """A row that was not accepted: file, line of the sheet, key of REASONS.

    `others` are the decisions that it contradicts.
    """

    file: str
    line: int
    reason: str
    others: tuple[said.Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """A row that was accepted and overturns an earlier decision: `before`, with who decided it."""

    file: str
    line: int
    before: said.Decision
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSummary:
    """Counts of an intake.

    `n_accepted`: pairs decided for the first time, `changed` those that are decided in another way
    now. `n_waiting`: pairs of the published run that nobody has decided.
    """

    n_accepted: int
    changed: tuple[ChangedAnswer, ...]
    n_repeated: int
    n_waiting: int
    refused: tuple[RefusedAnswer, ...]


def _key(row: Answered) -> Key:
    return row.left_table, row.left_id, row.right_table, row.right_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The pairs that may be decided: with both identities by run, and those of today.

    `asked`: those of today for which a person is asked.
    """

    issued: dict[str, dict[Key, tuple[str, str]]]
    today: frozenset[Key] = frozenset()
    asked: frozenset[Key] = frozenset()

    def identities(self, run_id: str, row: Answered) -> tuple[str, str] | None:
        """Return who both records were for the person who answered; None for an unknown pair.

        That is what the run which issued the workbook says; where that run is gone, it is what
        stands in the locked cells.
        """
        if run_id in self.issued:
            return self.issued[run_id].get(_key(row))
        if _key(row) not in self.today:
            return None
        return (
            identity_of(row.left_name, row.left_credit_code),
            identity_of(row.right_name, row.right_credit_code),
        )


def _fault(row: Answered, is_known: bool, today: str) -> str:
    """Return why an answered row cannot be taken by itself; empty where it can."""
    checks = (
        ("edited", not row.intact),
        ("no_answer", not row.answer),
        ("unknown_answer", row.answer == "?"),
        ("unknown_pair", not is_known),
        ("no_basis", not row.basis),
        ("unknown_basis", row.basis not in _BASES),
        ("no_person", not row.person),
        ("bad_date", row.date == "?"),
        ("future_date", row.date > today),
    )
    return next((reason for reason, wrong in checks if wrong), "")


_PAIRS = f"""
WITH identity AS ({IDENTITIES})
SELECT k.left_table, k.left_id, k.right_table, k.right_id,
  COALESCE(l.identity, '') AS left_identity, COALESCE(r.identity, '') AS right_identity,
  k.decision = 'possible_link' AS asked
FROM linkage.link AS k
LEFT JOIN identity AS l ON l.table_name = k.left_table AND l.record_id = k.left_id
LEFT JOIN identity AS r ON r.table_name = k.right_table AND r.record_id = k.right_id
WHERE k.matcher NOT LIKE 'mention%'"""


def _pairs(package: Path) -> tuple[dict[Key, tuple[str, str]], frozenset[Key]]:
    """Return the pairs of a package with both identities, and those for which it asks a person."""
    with PackageReader(package) as reader:
        rows = pl.DataFrame(pl.from_arrow(reader.fetch(_PAIRS))).rows()
    return {row[:4]: row[4:6] for row in rows}, frozenset(row[:4] for row in rows if row[6])


def _known_pairs(out: Path, files: list[ReviewFile]) -> Known:
    """Return the pairs of the packages that issued the workbooks and of the current one."""
    issued: dict[str, dict[Key, tuple[str, str]]] = {}
    for run in sorted({file.run_id for file in files if publish.RUN_ID.fullmatch(file.run_id)}):
        package = out / publish.RUNS / run / PACKAGE
        # A package of an older version has no such tables: as good as gone.
        with suppress(EngineError):
            if package.is_file():
                issued[run], _ = _pairs(package)
    today, asked = _pairs(current_package(out))
    return Known(issued=issued, today=frozenset(today), asked=asked)


def _decision(
    row: Answered, file: ReviewFile, identities: tuple[str, str], today: str
) -> said.Decision:
    left, right = identities
    return said.Decision(
        left_id=row.left_id,
        right_id=row.right_id,
        left_table=row.left_table,
        right_table=row.right_table,
        answer=said.SAME if row.answer == SAME else said.DIFFERENT,
        person=row.person,
        decided_on=row.date or today,
        basis=row.basis,
        note=row.note,
        run_id=file.run_id,
        file=file.name,
        left_identity=left,
        right_identity=right,
    )


About = frozenset[tuple[str, str, str]]


class _Standing:
    """The last word on each pair, with all the identities for which it has been given."""

    def __init__(self, decisions: Iterable[said.Decision]) -> None:
        self._last: dict[tuple[said.Node, said.Node], said.Decision] = {}
        self._about: dict[tuple[said.Node, said.Node], set[About]] = {}
        for decision in decisions:
            self.add(decision)

    @staticmethod
    def _of(decision: said.Decision) -> About:
        return frozenset(
            [
                (decision.left_table, decision.left_id, decision.left_identity),
                (decision.right_table, decision.right_id, decision.right_identity),
            ]
        )

    def add(self, decision: said.Decision) -> None:
        if self.overturned_by(decision):
            del self._about[decision.pair]
        self._last[decision.pair] = decision
        self._about.setdefault(decision.pair, set()).add(self._of(decision))

    def overturned_by(self, decision: said.Decision) -> said.Decision | None:
        """Return the earlier decision on the same pair where it says otherwise."""
        last = self._last.get(decision.pair)
        return last if last is not None and last.answer != decision.answer else None

    def repeats(self, decision: said.Decision) -> bool:
        """Tell whether this was said before of the same records as they were then."""
        return self.overturned_by(decision) is None and self._of(decision) in self._about.get(
            decision.pair, ()
        )

    def n_open(self, asked: Iterable[Key]) -> int:
        """Return how many pairs nobody has decided; a decision binds whatever its records became.

        Each pair counts once, whichever side is left.
        """
        pairs = {tuple(sorted([key[:2], key[2:]])) for key in asked}
        return len(pairs - self._last.keys())


def _twice(rows: list[tuple[ReviewFile, Answered]]) -> set[Key]:
    """Return the pairs that the files decide in two ways."""
    answers: dict[Key, set[str]] = defaultdict(set)
    for _, row in rows:
        answers[_key(row)].add(row.answer)
    return {key for key, given in answers.items() if len(given) > 1}


@dataclass(slots=True, kw_only=True)
class _Intake:
    """What has been judged so far of the answers of review workbooks."""

    known: Known
    standing: _Standing
    agreement: said.Agreement
    today: str
    new: list[said.Decision] = field(default_factory=list)
    changed: list[ChangedAnswer] = field(default_factory=list)
    refused: list[RefusedAnswer] = field(default_factory=list)
    n_repeated: int = 0

    def judge(self, file: ReviewFile, row: Answered, is_twice: bool) -> None:
        """Take a row, or refuse it with why."""
        identities = self.known.identities(file.run_id, row)
        reason = _fault(row, identities is not None, self.today) or ("twice" if is_twice else "")
        if reason or identities is None:
            self.refused.append(RefusedAnswer(file.name, row.line, reason))
            return
        decision = _decision(row, file, identities, self.today)
        if self.standing.repeats(decision):
            self.n_repeated += 1
        elif others := self.agreement.against(decision):
            told = tuple(others)
            self.refused.append(RefusedAnswer(file.name, row.line, "contradicts", told))
        else:
            if before := self.standing.overturned_by(decision):
                self.changed.append(ChangedAnswer(file.name, row.line, before, decision.answer))
            self.standing.add(decision)
            self.new.append(decision)


def take_in(
    files: list[ReviewFile], before: list[said.Decision], known: Known
) -> tuple[list[said.Decision], DecideSummary]:
    """Judge the answers of review workbooks; return the new decisions and the counts."""
    filled = [
        (file, row)
        for file in files
        for row in file.rows
        if row.answer != OPEN and (row.answer or row.is_begun)
    ]
    twice = _twice([(file, row) for file, row in filled if row.answer])
    intake = _Intake(
        known=known,
        standing=_Standing(before),
        agreement=said.Agreement(said.in_force(before)),
        today=datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat(),
    )
    for file, row in filled:
        intake.judge(file, row, _key(row) in twice)
    summary = DecideSummary(
        n_accepted=len(intake.new) - len(intake.changed),
        changed=tuple(intake.changed),
        n_repeated=intake.n_repeated,
        n_waiting=intake.standing.n_open(known.asked),
        refused=tuple(intake.refused),
    )
    return intake.new, summary


def _check_out(out: Path) -> None:
    """Refuse a folder that has a package but is not the one that `run` keeps its answers in."""
    current_package(out)
    if not (out / publish.STATE).is_dir():
        raise InputError(
            f"{out} 是一个批次的文件夹，不收判定。请写输出文件夹，即 run 的 --out 所写的文件夹。",
            f"{out} is the folder of one run and takes no decisions. Name the output folder, the "
            "one given to run with --out.",
        )


def decide(out: Path, paths: list[Path]) -> DecideSummary:
    """Take answered review workbooks into OUT/state; all that is accepted binds the next night.

    Errors: InputError for a file that is no review workbook (then nothing is taken from any) or
    an OUT without package, LockError while a night runs.
    """
    _check_out(out)
    files = [read_review(path) for path in paths]
    with publish.RunLock(out):
        before = said.load(out / publish.STATE)
        new, summary = take_in(files, before, _known_pairs(out, files))
        said.append(out / publish.STATE, new)
    return summary
