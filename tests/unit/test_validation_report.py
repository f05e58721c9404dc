"""The ESS validation report: its shape, its three values, its order, its silence about names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from reports.validation_report import ValidationInfo, write_validation_report

INFO = ValidationInfo(
    run_id="r1",
    time="2019-05-20T01:30:00+08:00",
    actor="census-audit 0.1.0",
    agent="430400000000",
    trigger="nightly run",
    measurement="2018-12-31",
)
RULES = pa.table(
    {
        "rule_id": ["FRM002", "REG006", "PLA001"],
        "rule_version": [1, 2, 1],
        "severity": ["fatal", "query", "info"],
        "title_en": ["Women", "Revenue", 'A "quoted" title'],
        "sql": ["SELECT 1\nFROM unit", "SELECT 2", None],
    }
)
KEYS = {"id", "type", "event", "rule", "data", "value"}


def _outcomes(*rows: tuple[Any, ...]) -> pa.Table:
    names = ("rule_id", "county_code", "n_checked", "n_failed", "n_unknown", "status")
    types = [pa.string(), pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.string()]
    schema = pa.schema(list(zip(names, types, strict=True)))
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)


def _findings(*rows: tuple[Any, ...]) -> pa.Table:
    names = ("finding_key", "rule_id", "subject_id", "related_id", "region_code", "variable")
    types = pa.schema([(name, pa.string()) for name in names])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], types)


def _write(path: Path, outcomes: pa.Table, findings: pa.Table) -> list[dict[str, Any]]:
    count = write_validation_report(RULES, outcomes, findings, INFO, path)
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert count == len(entries)
    return entries


def _value(tmp_path: Path, *counts: Any) -> str:
    outcomes = _outcomes(("FRM002", "430405000000", *counts))
    return str(_write(tmp_path / "r.json", outcomes, _findings())[0]["value"])


def test_an_outcome_entry(tmp_path: Path) -> None:
    outcomes = _outcomes(("FRM002", "430405000000", 10, 0, 0, "PASSED"))
    (entry,) = _write(tmp_path / "r.json", outcomes, _findings())

    assert entry == {
        "id": "r1/FRM002/430405000000",
        "type": "validation",
        "event": {
            "time": "2019-05-20T01:30:00+08:00",
            "actor": "census-audit 0.1.0",
            "agent": "430400000000",
            "trigger": "nightly run",
        },
        "rule": {
            "id": "FRM002",
            "language": "SQL",
            "expression": "SELECT 1\nFROM unit",
            "severity": "error",
            "description": "Women",
        },
        "data": {
            "source": ["430405000000", "2018-12-31"],
            "target": ["430405000000", "2018-12-31"],
            "description": "keys: population, measurement; "
            "checked 10, failed 0, unknown 0, status PASSED",
        },
        "value": "1",
    }


def test_a_finding_entry(tmp_path: Path) -> None:
    findings = _findings(("k1", "REG006", "L1", "2|R9", "430405001001", "revenue_kyuan"))
    (entry,) = _write(tmp_path / "r.json", _outcomes(), findings)

    assert set(entry) == KEYS
    assert (entry["id"], entry["value"]) == ("r1/k1", "0")
    assert entry["rule"] == {
        "id": "REG006",
        "language": "census-audit rule",
        "expression": "REG006@2",
        "severity": "warning",
        "description": "Revenue",
    }
    assert entry["data"]["target"] == ["430405001001", "2018-12-31", "L1", "revenue_kyuan"]
    assert entry["data"]["source"] == [*entry["data"]["target"], "2|R9"]


def test_values_are_three(tmp_path: Path) -> None:
    assert _value(tmp_path, 10, 0, 0, "PASSED") == "1"
    assert _value(tmp_path, 10, 1, 3, "FAILED") == "0"
    assert _value(tmp_path, 10, 0, 1, "PASSED") == "NA"
    assert _value(tmp_path, 0, 0, 0, "PASSED") == "NA"
    assert _value(tmp_path, 0, 0, 0, "NOT_APPLICABLE") == "NA"
    assert _value(tmp_path, 0, 0, 0, "ERROR") == "NA"


def test_severities_are_those_of_the_standard(tmp_path: Path) -> None:
    outcomes = _outcomes(
        *((rule, "430405000000", 1, 0, 0, "PASSED") for rule in ("FRM002", "PLA001", "REG006"))
    )
    entries = _write(tmp_path / "r.json", outcomes, _findings())

    assert [e["rule"]["severity"] for e in entries] == ["error", "information", "warning"]
    assert entries[1]["rule"]["expression"] == "PLA001@1"


def test_order_does_not_depend_on_the_input(tmp_path: Path) -> None:
    a, b = ("FRM002", "430405000000", 1, 0, 0, "PASSED"), ("FRM002", "430406000000", 1, 1, 0, "F")
    x = ("k1", "FRM002", "L1", None, "430405001001", None)
    y = ("k2", "FRM002", "L2", None, "430405001001", None)
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    ids = [e["id"] for e in _write(first, _outcomes(a, b), _findings(x, y))]
    _write(second, _outcomes(b, a), _findings(y, x))

    assert ids == ["r1/FRM002/430405000000", "r1/FRM002/430406000000", "r1/k1", "r1/k2"]
    assert first.read_bytes() == second.read_bytes()


def test_quotes_and_control_characters_stay_valid_json(tmp_path: Path) -> None:
    findings = _findings(('k"1', "PLA001", 'a"b\\c\n\x01', None, None, None))
    (entry,) = _write(tmp_path / "r.json", _outcomes(), findings)

    assert entry["id"] == 'r1/k"1'
    assert entry["data"]["target"] == ["", "2018-12-31", 'a"b\\c\n\x01', ""]
    assert entry["rule"]["description"] == 'A "quoted" title'


def test_nothing_to_report_is_an_empty_list(tmp_path: Path) -> None:
    assert _write(tmp_path / "r.json", _outcomes(), _findings()) == []


def test_many_findings_come_in_batches(tmp_path: Path) -> None:
    rows = [(f"k{n:05d}", "FRM002", f"L{n}", None, "430405001001", None) for n in range(10_001)]
    entries = _write(tmp_path / "r.json", _outcomes(), _findings(*rows))

    assert [entries[0]["id"], entries[-1]["id"]] == ["r1/k00000", "r1/k10000"]
