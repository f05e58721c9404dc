"""The rule lock: no rule changes its meaning without a new version.

`rules/rules.lock` has one line a rule: id, version, digest of its meaning (SQL without layout,
parameters, severity, tables). Texts may be mended freely.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from audit.errors import LockError
from audit.model import Label, Rule
from audit.rulebook import RULES_DIR, RuleBook

LOCK_FILE = RULES_DIR / "rules.lock"
# Quoted text comes first: comment marks and blanks inside it are part of the meaning.
_LAYOUT = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|(?:--[^\n]*|/\*.*?\*/|\s)+", re.DOTALL)
_LINE = re.compile(r"([A-Z]{3}[0-9]{3}) ([1-9][0-9]*) ([0-9a-f]{32})")


def meaning(rule: Rule) -> str:
    """Return the digest of what a rule means."""
    sql = _LAYOUT.sub(lambda match: match[1] or " ", rule.sql).strip()
    parameters = [f"{p.name}:{p.type}={p.default}" for p in rule.parameters]
    parts = [
        rule.severity,
        rule.grain,
        rule.variable,
        str(rule.always_decidable),
        *rule.tables,
        *[f"optional {table}" for table in rule.optional_tables],
        *parameters,
        sql,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def read_lock(path: Path = LOCK_FILE) -> dict[str, tuple[int, str]]:
    """Return version and digest by rule id; empty where there is no lock yet.

    LockError names a line that is not one of the lock's.
    """
    if not path.exists():
        return {}
    locked = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in locked:
            raise LockError(
                f"{path.name} 第 {number} 行无效。请从版本库恢复该文件。",
                f"{path.name}, line {number} is not valid. Restore the file from the repository.",
            )
        locked[match[1]] = (int(match[2]), match[3])
    return locked


def problems(book: RuleBook, locked: dict[str, tuple[int, str]]) -> list[Label]:
    """Return where rules and lock disagree."""
    found = []
    for rule in book.rules:
        version, digest = locked.get(rule.id, (0, ""))
        if not version:
            found.append(Label(f"{rule.id} 未登记", f"{rule.id} is not in the lock"))
        elif digest != meaning(rule) and rule.version <= version:
            zh = f"{rule.id} 的含义变了而版本号没有提高"
            found.append(Label(zh, f"{rule.id} changed its meaning under the same version"))
        elif (version, digest) != (rule.version, meaning(rule)):
            found.append(Label(f"{rule.id} 的登记已过时", f"{rule.id} is out of date in the lock"))
    for rule_id in sorted(set(locked) - {rule.id for rule in book.rules}):
        zh = f"{rule_id} 已登记而规则文件不见了；停用的规则请改为 retired"
        found.append(Label(zh, f"{rule_id} is locked but gone; retire rules, never delete them"))
    return found


def write_lock(book: RuleBook, path: Path = LOCK_FILE) -> int:
    """Write the lock; LockError where a meaning changed without a new version."""
    locked = read_lock(path)
    wrong = [p for p in problems(book, locked) if "版本号没有提高" in p.zh]
    if wrong:
        raise LockError(
            "；".join(p.zh for p in wrong) + "。请把 version 加一后再登记。",
            "; ".join(p.en for p in wrong) + ". Raise `version` and lock again.",
        )
    # A rule that is gone stays in the lock, so that its id is not taken for a new one.
    locked |= {rule.id: (rule.version, meaning(rule)) for rule in book.rules}
    lines = ["# rule, version, digest of its meaning. Written by `census-audit rules lock`."]
    lines += [
        f"{rule_id} {version} {digest}" for rule_id, (version, digest) in sorted(locked.items())
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(book.rules)
