"""Random small tables of the contract, made for one rule: typed, with blanks, at its own bounds.

Values come from small pools so that joins meet and groups form: the codes of the column's list, the
words and numbers of the rule's own text and their neighbours, and texts that engines treat
differently (full-width blanks, backslashes, wildcards, characters beyond the basic plane).
"""

from __future__ import annotations

import sqlglot
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from spark_worlds import contract, named
from sqlglot import exp

from audit.contracts import CONTRACT, Column
from audit.model import Rule
from audit.rulebook import render
from pipelines.rule_cases import Case

WORLDS = 32
ROWS = 3
TEXTS = ("甲厂", "乙　厂", "　", " ", "a_b%", "\\", "𬭎业", "A1", "1", "2")
NUMBERS = ("0", "1", "-1", "2", "10", "41", "20", "999", "1000", "5000000")
POOLS = {
    "integer": NUMBERS,
    "money": (*NUMBERS, "0.5", "1.005"),
    "decimal": (*NUMBERS, "0.5", "0.25"),
    "date": ("2018-12-31", "2019-01-01", "2018-01-01", "1900-01-01", "2000-02-29"),
    "month": ("201812", "200002", "201901", "190001"),
    "timestamp": ("2019-01-01 00:00:00", "2018-12-31 23:59:59", "2019-03-01 08:30:00"),
    "boolean": ("true", "false"),
}
BY_NAME = {
    "credit_code": ("91430422209679931R", "914304222096799318", "9143042220967993IO"),
    "region_code": ("430422100001", "430422100001", "430405001001", "110101001001"),
    "county_code": ("430422000000", "430405000000"),
    "industry_code": ("3391", "5211", "4710", "7010", "9999"),
    "specialty": ("B", "E", "S", "X"),
}


def _literals(sql: str) -> tuple[list[str], list[str]]:
    """Return the words of a text, and its numbers with those beside them."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    words = {node.name for node in tree.find_all(exp.Literal) if node.is_string and node.name}
    found = {node.name for node in tree.find_all(exp.Literal) if not node.is_string}
    numbers = {int(float(text)) + more for text in found for more in (-1, 0, 1)}
    return sorted(words), [str(number) for number in sorted(numbers)]


def _compared(sql: str) -> dict[str, list[str]]:
    """Return by column the texts that it is compared with: what brings a row into scope."""
    found: dict[str, list[str]] = {}
    for node in sqlglot.parse_one(sql, read="duckdb").find_all(exp.EQ, exp.NEQ, exp.In, exp.Is):
        texts = [part.name for part in node.find_all(exp.Literal) if part.is_string and part.name]
        for column in node.find_all(exp.Column):
            found.setdefault(column.name, []).extend(texts)
    return found


def _pool(column: Column, words: list[str], numbers: list[str]) -> list[str]:
    if column.type in ("integer", "money", "decimal"):
        return [*POOLS[column.type], *numbers]
    if column.type in POOLS:
        return list(POOLS[column.type])
    if column.name.endswith("_id") or column.name in ("left_id", "right_id"):
        return ["U1", "U2", "U3"]
    for name, values in BY_NAME.items():
        if column.name.endswith(name):
            return list(values)
    listed = [*CONTRACT.code_lists.get(column.code_list, {})][:6]
    return [*listed, *TEXTS, *words]


def world(rule: Rule) -> st.SearchStrategy[Case]:
    """Return worlds of the tables that a rule names, with the columns that it reads."""
    sql = render(rule)
    words, numbers = _literals(sql)
    compared = _compared(sql)
    read = {node.name for node in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Column)}
    tables = {}
    for name in named(rule):
        table = contract(name)
        fields = {}
        for column in table.all_columns:
            pool = _pool(column, words, numbers)
            texts = compared.get(column.name) if column.type not in POOLS else None
            values = st.sampled_from(texts * 4 + pool[:4] if texts else pool)
            if column.name in table.key:
                fields[column.name] = values
            elif column.name in read | {"region_code", "unit_id"}:
                fields[column.name] = st.one_of(st.just(""), values, values, values)
        # Two rows of one key would leave the order of windows to chance.
        rows = st.lists(
            st.fixed_dictionaries(fields),
            min_size=2,
            max_size=ROWS,
            unique_by=lambda row, key=table.key: tuple(row[part] for part in key),
        )
        tables[name] = rows
    return st.fixed_dictionaries(tables).map(lambda rows: Case(rule.id, "random", rows, 0, 0, []))


def random_worlds(rule: Rule) -> list[Case]:
    """Return the same worlds of a rule on every run.

    They are run together afterwards: a plan of Spark costs more than a hundred worlds.
    """
    found: list[Case] = []

    @settings(
        max_examples=WORLDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        database=None, deadline=None, derandomize=True,
    )  # fmt: skip
    @given(world(rule))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found
