"""The contract as data, and against the published contract."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from audit.contracts import CONTRACT, read_yaml
from audit.derive import EXPRESSIONS


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_scalars_are_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 0110\nb: no\nc: 1e3\n", encoding="utf-8")

    assert read_yaml(path) == {"a": "0110", "b": "no", "c": "1e3"}


def test_every_key_and_code_list_exists() -> None:
    lists = {*CONTRACT.code_lists, "industry", "region"}
    for table in [*CONTRACT.tables.values(), *CONTRACT.outputs.values()]:
        assert set(table.key) <= set(table.by_name)
        assert {c.code_list for c in table.all_columns if c.code_list} <= lists


def test_every_derived_column_has_its_expression() -> None:
    derived = {c.name for table in CONTRACT.tables.values() for c in table.derived}

    assert derived == set(EXPRESSIONS)


def test_labels_are_in_both_languages() -> None:
    for table in [*CONTRACT.tables.values(), *CONTRACT.outputs.values()]:
        for column in table.all_columns:
            assert column.label.zh
            assert column.label.en
            assert column.label.en.isascii()


def test_tables_equal_the_published_contract(shared: Path) -> None:
    published = _rows(shared / "contract" / "tables.csv")

    ours = {
        t.name: (t.title.zh, t.title.en, "|".join(t.forms), "|".join(t.key), t.source)
        for t in CONTRACT.delivered
    }

    assert ours == {
        t["table"]: (t["zh"], t["en"], t["forms"], t["key"], t["source"]) for t in published
    }


def test_columns_equal_the_published_contract(shared: Path) -> None:
    def flag(*, on: bool) -> str:
        return "1" if on else "0"

    ours: dict[tuple[str, str], Any] = {}
    for table in CONTRACT.delivered:
        for c in table.columns:
            ours[table.name, c.name] = (
                c.label.zh, c.item, c.type, str(c.length or ""), flag(on=c.required),
                flag(on=c.mandatory), c.code_list,
            )  # fmt: skip
    published = {
        (c["table"], c["column"]): (
            c["zh"], c["item"], c["type"], c["length"], c["required"], c["mandatory"],
            c["code_list"],
        )
        for c in _rows(shared / "contract" / "columns.csv")
    }  # fmt: skip

    assert ours == published


def test_code_lists_equal_the_published_contract(shared: Path) -> None:
    ours = {
        (name, code, label.zh, label.en)
        for name, codes in CONTRACT.code_lists.items()
        for code, label in codes.items()
    }

    rows = _rows(shared / "contract" / "codes.csv")
    published = {(c["code_list"], c["code"], c["zh"], c["en"]) for c in rows}
    # Reasons and lists that the project has added, and nothing else.
    added = {("reject_reason", "superseded"), ("reject_reason", "bad_cell")}
    own_lists = {
        "gate_verdict", "gate_result", "gate_gx", "coverage_state", "coverage_verdict",
        "statement", "task_draw",
    }  # fmt: skip
    extra = {(name, code) for name, code, _, _ in ours - published}

    assert published <= ours
    assert added == {pair for pair in extra if pair[0] not in own_lists}
