"""The nouns of the audit: rules, outcomes, findings, runs. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How binding a finding is: 强制性, 核实性, 提示性 (design, 2)."""

    FATAL = "fatal"
    QUERY = "query"
    INFO = "info"

    @property
    def zh(self) -> str:
        """The plan's word for it."""
        return {"fatal": "强制性", "query": "核实性", "info": "提示性"}[self.value]

    @property
    def rank(self) -> int:
        """0 is the most binding."""
        return list(Severity).index(self)


class OutcomeStatus(StrEnum):
    """Status of a rule in a region, in order of precedence."""

    ERROR = "ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    FAILED = "FAILED"
    PASSED = "PASSED"


class FindingState(StrEnum):
    """Life of a finding over the nights."""

    NEW = "new"
    PERSISTING = "persisting"
    REOPENED = "reopened"
    WAIVED = "waived"
    RESOLVED = "resolved"


class RuleStatus(StrEnum):
    """Whether a rule runs; retired rules stay in the folder, ids are never reused."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


GRAINS = (
    "unit",
    "frame",
    "register",
    "event",
    "visit",
    "account",
    "enumerator",
    "editor",
    "block",
    "region",
    "row",
)
"""What a rule is about; fixes what `subject_id` means (contract, section 2).

A `row` is a delivered row, as `file#row`.
"""


VISITED_GRAINS = ("unit", "frame", "register", "event", "visit")
"""Grains whose subject is a unit, a line or a record to visit, or belongs to one."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number, text, date or list that a rule's SQL names as `:name`."""

    name: str
    type: str
    default: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One edit rule (审核关系): the header of its file and the SELECT below it."""

    id: str
    name: str
    title: Label
    family: str
    severity: Severity
    clause: str
    level: int
    grain: str
    variable: str
    tables: tuple[str, ...]
    optional_tables: tuple[str, ...] = ()
    owner: str
    version: int
    status: RuleStatus
    parameters: tuple[Parameter, ...] = ()
    message: Label
    verify: Label
    false_positives: Label
    always_decidable: bool = False
    conclusion: bool = False
    same_fact: tuple[str, ...] = ()
    sql: str
    path: str
    sha256: str

    @property
    def statement(self) -> str:
        """What its findings are: `error` of a respondent, `lead`, or `conclusion`.

        A rule that is not about something to visit never tells a respondent's error.
        """
        if self.grain in VISITED_GRAINS:
            return "error"
        return "conclusion" if self.conclusion else "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What identifies a night; goes into every output."""

    run_id: str
    started_at: str
    engine: str
    code_version: str
    rulebook_digest: str
    input_digest: str
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
