"""The errors a user can meet, each with an exit code, a place and a remedy in two languages.

Messages name files, rows, columns, rules and regions, never a unit's name, code or value.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line (contract, section 3)."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    INPUT = 10
    RULE = 11
    ENGINE = 12
    LOCK = 13


class AuditError(Exception):
    """Base of all errors that are shown to the user.

    `zh` and `en` say what happened, where, and what to do about it.
    """

    exit_code = ExitCode.ENGINE

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


class UsageError(AuditError):
    """The command line or the configuration cannot be understood."""

    exit_code = ExitCode.USAGE


class InputError(AuditError):
    """The delivery, or the place to write to, cannot be used."""

    exit_code = ExitCode.INPUT


class RuleError(AuditError):
    """A rule file is wrong, or a rule crashed."""

    exit_code = ExitCode.RULE


class EngineError(AuditError):
    """The database engine refused a statement."""

    exit_code = ExitCode.ENGINE


class LockError(AuditError):
    """Another run holds the output folder, or the rule lock is not current."""

    exit_code = ExitCode.LOCK
