"""The rule lock: meanings are held to their versions, texts are free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import LockError
from audit.model import Label, Parameter, Rule, RuleStatus, Severity
from audit.rulebook import RuleBook
from audit.rulelock import meaning, problems, read_lock, write_lock

TEXT = Label("文", "text")
LEAST = Parameter(name="least", type="integer", default="2", note="a number")
SQL = """-- Scope: all.
SELECT e.unit_id AS subject_id, 'a -- b' AS observed
FROM legal_entity AS e WHERE e.employees<=(:least)"""
RULE = Rule(
    id="FRM001", name="form.x", title=TEXT, family="form", severity=Severity.FATAL,
    clause="三(三)1", level=1, grain="unit", variable="x", tables=("legal_entity", "unit"),
    optional_tables=("link",), owner="specialty", version=2, status=RuleStatus.ACTIVE,
    parameters=(LEAST,), message=TEXT, verify=TEXT, false_positives=TEXT, sql=SQL, path="x.sql",
    sha256="0",
)  # fmt: skip
OTHER = replace(RULE, id="FRM002")


def _sql(old: str, new: str) -> Rule:
    assert SQL.count(old) == 1
    return replace(RULE, sql=SQL.replace(old, new))


def _book(*rules: Rule) -> RuleBook:
    return RuleBook(rules)


def _locked(tmp_path: Path, *rules: Rule) -> Path:
    path = tmp_path / "rules.lock"
    write_lock(_book(*rules), path)
    return path


def _told(book: RuleBook, path: Path) -> list[str]:
    return [problem.en for problem in problems(book, read_lock(path))]


@pytest.mark.parametrize(
    "mended",
    [
        replace(RULE, title=Label("新", "new"), message=Label("新", "new"), sha256="1"),
        replace(RULE, verify=Label("新", "new"), false_positives=Label("新", "new")),
        replace(RULE, parameters=(replace(LEAST, note="another word"),)),
        _sql("-- Scope: all.", "-- Scope: everything; it's all"),
        _sql("-- Scope: all.", "/* Scope:\n all. */"),
        _sql("FROM legal_entity AS e WHERE", "FROM legal_entity AS e -- why\n  WHERE"),
        _sql("(:least)", "(:least)  /* why */ -- and how\n"),
        _sql("e.unit_id AS subject_id, ", "e.unit_id AS subject_id,\n\n    "),
    ],
)
def test_texts_and_layout_may_change(mended: Rule) -> None:
    assert meaning(mended) == meaning(RULE)


@pytest.mark.parametrize(
    "changed",
    [
        replace(RULE, severity=Severity.QUERY),
        replace(RULE, grain="frame"),
        replace(RULE, tables=("legal_entity",)),
        replace(RULE, optional_tables=()),
        replace(RULE, parameters=(replace(LEAST, default="3"),)),
        replace(RULE, parameters=(replace(LEAST, type="number"),)),
        _sql("<=", "<"),
        _sql("e.employees", "e.employees_female"),
        _sql("a -- b", "a -- c"),
        _sql("a -- b", "a --  b"),
    ],
)
def test_change_of_meaning_under_the_same_version_is_refused(tmp_path: Path, changed: Rule) -> None:
    path = _locked(tmp_path, RULE)
    before = path.read_text(encoding="utf-8")

    assert _told(_book(changed), path) == ["FRM001 changed its meaning under the same version"]
    with pytest.raises(LockError) as caught:
        write_lock(_book(changed), path)
    assert caught.value.en == (
        "FRM001 changed its meaning under the same version. Raise `version` and lock again."
    )
    assert path.read_text(encoding="utf-8") == before


def test_change_of_meaning_under_a_lower_version_is_refused(tmp_path: Path) -> None:
    path = _locked(tmp_path, RULE)
    changed = replace(_sql("<=", "<"), version=1)

    with pytest.raises(LockError):
        write_lock(_book(changed), path)


def test_change_of_meaning_with_a_new_version_is_locked(tmp_path: Path) -> None:
    path = _locked(tmp_path, RULE, OTHER)
    changed = replace(_sql("<=", "<"), version=3)

    assert _told(_book(changed, OTHER), path) == ["FRM001 is out of date in the lock"]
    assert write_lock(_book(changed, OTHER), path) == 2
    assert read_lock(path) == {"FRM001": (3, meaning(changed)), "FRM002": (2, meaning(OTHER))}
    assert _told(_book(changed, OTHER), path) == []


def test_rule_that_is_not_in_the_lock_is_told(tmp_path: Path) -> None:
    path = _locked(tmp_path, RULE)

    assert _told(_book(RULE, OTHER), path) == ["FRM002 is not in the lock"]
    assert problems(_book(RULE), read_lock(tmp_path / "no.lock")) == [
        Label("FRM001 未登记", "FRM001 is not in the lock")
    ]


def test_deleted_rule_is_told_and_not_forgotten(tmp_path: Path) -> None:
    path = _locked(tmp_path, RULE, OTHER)
    told = ["FRM002 is locked but gone; retire rules, never delete them"]

    assert _told(_book(RULE), path) == told
    assert write_lock(_book(RULE), path) == 1
    assert _told(_book(RULE), path) == told


def test_retired_rule_is_right(tmp_path: Path) -> None:
    path = _locked(tmp_path, RULE)

    assert _told(_book(replace(RULE, status=RuleStatus.RETIRED)), path) == []


def test_lock_is_one_line_a_rule_in_the_order_of_ids(tmp_path: Path) -> None:
    path = _locked(tmp_path, OTHER, RULE)

    assert path.read_text(encoding="utf-8") == (
        "# rule, version, digest of its meaning. Written by `census-audit rules lock`.\n"
        f"FRM001 2 {meaning(RULE)}\n"
        f"FRM002 2 {meaning(OTHER)}\n"
    )


@pytest.mark.parametrize(
    "line", ["<<<<<<< HEAD", "FRM001 two 0123", "FRM001 1", f"FRM001 1 {'0' * 32}"]
)
def test_line_that_is_not_the_locks_is_told(tmp_path: Path, line: str) -> None:
    path = _locked(tmp_path, RULE)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")

    with pytest.raises(LockError, match=r"rules.lock, line 3 is not valid"):
        read_lock(path)
