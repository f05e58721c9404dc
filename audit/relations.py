"""Rules that are linear relations between the items of one return (`rules/relations.yaml`).

A relation is a sum of items, each added or taken away once, that lies in an interval: `assets =
debts + equity` with a slack of 2 is -2 <= assets - debts - equity <= 2. A missing item leaves it
unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.contracts import CONTRACT, read_yaml
from audit.errors import RuleError
from audit.rulebook import RULES_DIR, RuleBook

RELATIONS = RULES_DIR / "relations.yaml"
_SIDES = re.compile(r"\s*(>=|<=|=)\s*")
_TERM = re.compile(r"([+-]?)\s*([a-z_]+)\s*")
_TOLERANCE = "tolerance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`low <= sum of coefficient x item <= high` in the rows of `table` where `where` holds.

    Coefficients are 1 or -1. None for `low` or `high` is no bound.
    """

    rule_id: str
    table: str
    where: str
    terms: tuple[tuple[str, int], ...]
    low: float | None
    high: float | None

    @property
    def items(self) -> tuple[str, ...]:
        """The columns of the table that it is about."""
        return tuple(name for name, _ in self.terms)

    @property
    def is_equation(self) -> bool:
        """Whether it bounds the sum from both sides."""
        return self.low is not None and self.high is not None

    @property
    def slack(self) -> float:
        """How far the sum may be off for rounding alone."""
        return self.high if self.high is not None else -(self.low or 0.0)

    @property
    def total(self) -> str:
        """The sum as an SQL expression; NULL where an item is missing."""
        return " ".join(f"{'-' if c < 0 else '+'} {name}" for name, c in self.terms).lstrip("+ ")


@dataclass(frozen=True, slots=True)
class Relations:
    """All linear relations, and the items that may be negative."""

    relations: tuple[Relation, ...]
    signed: frozenset[str]

    def of_table(self, table: str) -> tuple[Relation, ...]:
        """Return the relations of a table."""
        return tuple(r for r in self.relations if r.table == table)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that have relations, each once."""
        return tuple(dict.fromkeys(r.table for r in self.relations))


def _terms(text: str, sign: int, found: dict[str, int], where: str) -> None:
    if "".join(m[0] for m in _TERM.finditer(text)).strip() != text.strip():
        raise RuleError(
            f"{where}：不是线性关系：{text}", f"{where}: this is no linear relation: {text}"
        )
    for match in _TERM.finditer(text):
        found[match[2]] = found.get(match[2], 0) + (-sign if match[1] == "-" else sign)


def parse(text: str, where: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return the terms of `left - right` and the sign between them.

    RuleError where there is no sign, or an item stands twice.
    """
    sides = _SIDES.split(text)
    if len(sides) != 3:
        raise RuleError(f"{where}：缺少 =、>= 或 <=", f"{where}: there is no =, >= or <=")
    found: dict[str, int] = {}
    _terms(sides[0], 1, found, where)
    _terms(sides[2], -1, found, where)
    if twice := [name for name, c in found.items() if abs(c) != 1]:
        raise RuleError(
            f"{where}：{twice[0]} 在关系中只能出现一次",
            f"{where}: {twice[0]} may stand in a relation once only",
        )
    return tuple(found.items()), sides[1]


def _tolerance(
    book: RuleBook | None, rule_id: str, settings: Mapping[str, Mapping[str, str]]
) -> float:
    if book is None:
        return 1.0
    defaults = {p.name: p.default for p in book.get(rule_id).parameters}
    value = {**defaults, **settings.get(rule_id, {})}.get(_TOLERANCE, "1")
    return float(value)


def load_relations(
    book: RuleBook | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    path: Path = RELATIONS,
) -> Relations:
    """Read the relations of the rules of `book`, with the parameters in force.

    Without a book: those of all rules, at a tolerance of 1. RuleError where an entry is not linear
    or names a column that its table has not.
    """
    data = read_yaml(path)
    wanted = None if book is None else {rule.id for rule in book.rules}
    found = [
        _relation(rule_id, entry, _tolerance(book, rule_id, settings or {}), path)
        for rule_id, entries in data["relations"].items()
        if wanted is None or rule_id in wanted
        for entry in entries
    ]
    return Relations(tuple(found), frozenset(data["signed"]))


def _relation(rule_id: str, entry: Mapping[str, str], tolerance: float, path: Path) -> Relation:
    terms, sign = parse(entry["relation"], f"{path.name} {rule_id}")
    table = CONTRACT.tables[entry["table"]]
    if unknown := [name for name, _ in terms if name not in table.by_name]:
        raise RuleError(
            f"{path.name} {rule_id}：{table.name} 没有列 {unknown[0]}",
            f"{path.name} {rule_id}: {table.name} has no column {unknown[0]}",
        )
    slack = float(entry.get("slack", 0)) * tolerance
    return Relation(
        rule_id=rule_id,
        table=table.name,
        where=entry.get("where", "TRUE"),
        terms=terms,
        low=-slack if sign != "<=" else None,
        high=slack if sign != ">=" else None,
    )
