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
_COMMENT = re.compile(r"--[^\n]*")


def meaning(rule: Rule) -> str:
    """Return the digest of what a rule means."""
    sql = " ".join(_COMMENT.sub("", rule.sql).split())
    parameters = [f"{p.name}:{p.type}={p.default}" for p in rule.parameters]
    parts = [rule.severity, rule.grain, *rule.tables, *rule.optional_tables, *parameters, sql]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def read_lock(path: Path = LOCK_FILE) -> dict[str, tuple[int, str]]:
    """Return version and digest by rule id; empty where there is no lock yet."""
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {parts[0]: (int(parts[1]), parts[2]) for parts in lines if parts and parts[0][0] != "#"}


def problems(book: RuleBook, locked: dict[str, tuple[int, str]]) -> list[Label]:
    """Return where rules and lock disagree."""
    found = []
    for rule in book.rules:
        version, digest = locked.get(rule.id, (0, ""))
        if not version:
            found.append(Label(f"{rule.id} 未登记", f"{rule.id} is not in the lock"))
        elif digest != meaning(rule) and version == rule.version:
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
    wrong = [p for p in problems(book, read_lock(path)) if "版本号没有提高" in p.zh]
    if wrong:
        raise LockError(
            "；".join(p.zh for p in wrong) + "。请把 version 加一后再登记。",
            "; ".join(p.en for p in wrong) + ". Raise `version` and lock again.",
        )
    lines = ["# rule, version, digest of its meaning. Written by `census-audit rules lock`."]
    lines += [f"{rule.id} {rule.version} {meaning(rule)}" for rule in book.rules]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(book.rules)
