"""Intake of answered review workbooks: what is accepted binds, what is not is refused with why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from audit.engines.duckdb import PackageReader
from audit.errors import EngineError
from pipelines import decisions as said
from pipelines import publish
from pipelines.link_tables import IDENTITIES, identity_of
from pipelines.review_reader import Answered, ReviewFile, read_review
from pipelines.sql import PACKAGE, current_package
from reports.review_texts import OPEN, SAME

REASONS = {
    "edited": (
        "锁定的列被改动，或行被拼接；请用下发的原文件重填此行",
        "locked cells were changed; answer this row again in the file as it was issued",
    ),
    "unknown_answer": (
        "判定结果不在可选项内；请从下拉列表中选择",
        "the decision is none of the choices; choose from the list",
    ),
    "no_basis": ("缺少依据；请从下拉列表中选择", "the basis is missing; choose from the list"),
    "no_person": ("缺少判定人；请填写姓名", "who decided is missing; write the name"),
    "bad_date": (
        "日期认不出，请写成 2019-04-20",
        "the date cannot be read; write it as 2019-04-20",
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


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """A row that was not accepted: file, line of the sheet, key of REASONS.

    `others` are the decisions that it contradicts.
    """

    file: str
    line: int
    reason: str
    others: tuple[said.Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSummary:
    """Counts of an intake; rows without an answer, and those that cannot be decided yet, wait."""

    n_accepted: int
    n_repeated: int
    n_waiting: int
    refused: tuple[RefusedAnswer, ...]


def _key(row: Answered) -> Key:
    return row.left_table, row.left_id, row.right_table, row.right_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The pairs that may be decided: with both identities by run, and those of today."""

    issued: dict[str, dict[Key, tuple[str, str]]]
    today: frozenset[Key] = frozenset()

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


def _fault(row: Answered, is_known: bool) -> str:
    """Return why an answered row cannot be taken by itself; empty where it can."""
    checks = (
        ("edited", not row.intact),
        ("unknown_answer", row.answer == "?"),
        ("unknown_pair", not is_known),
        ("no_basis", not row.basis),
        ("no_person", not row.person),
        ("bad_date", row.date == "?"),
    )
    return next((reason for reason, wrong in checks if wrong), "")


_PAIRS = f"""
WITH identity AS ({IDENTITIES})
SELECT k.left_table, k.left_id, k.right_table, k.right_id,
  COALESCE(l.identity, '') AS left_identity, COALESCE(r.identity, '') AS right_identity
FROM linkage.link AS k
LEFT JOIN identity AS l ON l.table_name = k.left_table AND l.record_id = k.left_id
LEFT JOIN identity AS r ON r.table_name = k.right_table AND r.record_id = k.right_id
WHERE k.matcher NOT LIKE 'mention%'"""


def _pairs(package: Path) -> dict[Key, tuple[str, str]]:
    with PackageReader(package) as reader:
        rows = pl.DataFrame(pl.from_arrow(reader.fetch(_PAIRS))).rows()
    return {row[:4]: row[4:] for row in rows}


def _known_pairs(out: Path, files: list[ReviewFile]) -> Known:
    """Return the pairs of the packages that issued the workbooks and of the current one."""
    issued: dict[str, dict[Key, tuple[str, str]]] = {}
    for run in sorted({file.run_id for file in files if publish.RUN_ID.fullmatch(file.run_id)}):
        package = out / publish.RUNS / run / PACKAGE
        # A package of an older version has no such tables: as good as gone.
        with suppress(EngineError):
            if package.is_file():
                issued[run] = _pairs(package)
    return Known(issued=issued, today=frozenset(_pairs(current_package(out))))


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


class _Standing:
    """The last word on each pair, with all the identities for which it has been given."""

    def __init__(self, decisions: Iterable[said.Decision]) -> None:
        self._words: dict[object, tuple[str, set[frozenset[object]]]] = {}
        for decision in decisions:
            self.add(decision)

    @staticmethod
    def _about(decision: said.Decision) -> frozenset[object]:
        return frozenset(
            [
                (decision.left_table, decision.left_id, decision.left_identity),
                (decision.right_table, decision.right_id, decision.right_identity),
            ]
        )

    def add(self, decision: said.Decision) -> None:
        answer, about = self._words.get(decision.pair, ("", set()))
        if answer != decision.answer:
            about = set()
        self._words[decision.pair] = decision.answer, about | {self._about(decision)}

    def repeats(self, decision: said.Decision) -> bool:
        """Tell whether this was said before of the same records as they were then."""
        answer, about = self._words.get(decision.pair, ("", set()))
        return answer == decision.answer and self._about(decision) in about


def _twice(rows: list[tuple[ReviewFile, Answered]]) -> set[Key]:
    """Return the pairs that the files decide in two ways."""
    answers: dict[Key, set[str]] = defaultdict(set)
    for _, row in rows:
        answers[_key(row)].add(row.answer)
    return {key for key, given in answers.items() if len(given) > 1}


def take_in(
    files: list[ReviewFile], before: list[said.Decision], known: Known
) -> tuple[list[said.Decision], DecideSummary]:
    """Judge the answers of review workbooks; return the new decisions and the counts."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    every = [(file, row) for file in files for row in file.rows]
    answered = [(file, row) for file, row in every if row.answer not in ("", OPEN)]
    twice = _twice(answered)
    standing = _Standing(before)
    agreement = said.Agreement(said.in_force(before))
    new: list[said.Decision] = []
    refused: list[RefusedAnswer] = []
    n_repeated = 0
    for file, row in answered:
        identities = known.identities(file.run_id, row)
        reason = _fault(row, identities is not None) or ("twice" if _key(row) in twice else "")
        if reason or identities is None:
            refused.append(RefusedAnswer(file.name, row.line, reason))
            continue
        decision = _decision(row, file, identities, today)
        if standing.repeats(decision):
            n_repeated += 1
        elif others := agreement.against(decision):
            refused.append(RefusedAnswer(file.name, row.line, "contradicts", tuple(others)))
        else:
            standing.add(decision)
            new.append(decision)
    summary = DecideSummary(
        n_accepted=len(new),
        n_repeated=n_repeated,
        n_waiting=len(every) - len(answered),
        refused=tuple(refused),
    )
    return new, summary


def decide(out: Path, paths: list[Path]) -> DecideSummary:
    """Take answered review workbooks into OUT/state; all that is accepted binds the next night.

    Errors: InputError for a file that is no review workbook (then nothing is taken from any) or
    an OUT without package, LockError while a night runs.
    """
    files = [read_review(path) for path in paths]
    current_package(out)
    with publish.RunLock(out):
        before = said.load(out / publish.STATE)
        new, summary = take_in(files, before, _known_pairs(out, files))
        said.append(out / publish.STATE, new)
    return summary
