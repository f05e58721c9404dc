"""The findings as an ESS validation report (ValidatReport 1.0.0, JSON).

One `validation` for each rule in each county, and one for each finding. Values are `1` (passed),
`0` (failed) and `NA` (unknown, not applicable, crashed). A data point is named by the four keys of
the standard: population, measurement, unit, variable; no names of units are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

SEVERITIES = {"fatal": "error", "query": "warning", "info": "information"}
"""The plan's severities in the words of the standard."""

_FINDING_COLUMNS = ["finding_key", "rule_id", "subject_id", "related_id", "region_code", "variable"]
_BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationInfo:
    """What every entry says about the event. `time` in ISO 8601; `measurement`: the census date."""

    run_id: str
    time: str
    actor: str
    agent: str
    trigger: str
    measurement: str


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _event(info: ValidationInfo) -> dict[str, str]:
    return {
        "time": info.time,
        "actor": info.actor,
        "agent": info.agent,
        "trigger": info.trigger,
    }


def _rule(row: dict[str, Any], *, full: bool) -> dict[str, Any]:
    """Return the rule of an entry: its SQL once a county, a reference to it at each finding."""
    reference = f"{row['rule_id']}@{row['rule_version']}"
    return {
        "id": row["rule_id"],
        "language": "SQL" if full else "census-audit rule",
        "expression": (row["sql"] or reference) if full else reference,
        "severity": SEVERITIES.get(row["severity"], "information"),
        "description": row["title_en"] or "",
    }


def outcome_value(row: dict[str, Any]) -> str:
    """Return the value of a rule in a county; three-valued: unknown and no failure is `NA`."""
    if row["n_failed"]:
        return "0"
    if row["status"] not in ("PASSED", "FAILED") or row["n_unknown"] or not row["n_checked"]:
        return "NA"
    return "1"


def _outcome_entries(
    outcomes: pa.Table, rules: dict[str, dict[str, Any]], info: ValidationInfo
) -> Iterator[str]:
    event = _event(info)
    texts = {rule_id: _rule(row, full=True) for rule_id, row in rules.items()}
    for row in outcomes.sort_by(
        [("rule_id", "ascending"), ("county_code", "ascending")]
    ).to_pylist():
        keys = [row["county_code"] or "", info.measurement]
        yield _dump(
            {
                "id": f"{info.run_id}/{row['rule_id']}/{row['county_code']}",
                "type": "validation",
                "event": event,
                "rule": texts[row["rule_id"]],
                "data": {
                    "source": keys,
                    "target": keys,
                    "description": (
                        "keys: population, measurement; "
                        f"checked {row['n_checked']}, failed {row['n_failed']}, "
                        f"unknown {row['n_unknown']}, status {row['status']}"
                    ),
                },
                "value": outcome_value(row),
            }
        )


def _finding_entries(
    findings: pa.Table, rules: dict[str, dict[str, Any]], info: ValidationInfo
) -> Iterator[str]:
    event = _dump(_event(info))
    frame = {
        rule_id: f',"type":"validation","event":{event},"rule":{_dump(_rule(row, full=False))}'
        for rule_id, row in rules.items()
    }
    tail = '"description":"keys: population, measurement, unit, variable; source adds the related"}'
    ordered = findings.select(_FINDING_COLUMNS).sort_by(
        [("rule_id", "ascending"), ("finding_key", "ascending")]
    )
    for batch in ordered.to_batches(max_chunksize=_BATCH):
        columns = (column.to_pylist() for column in batch.columns)
        for key, rule_id, subject, related, region, variable in zip(*columns, strict=True):
            target = [region or "", info.measurement, subject or "", variable or ""]
            source = [*target, related] if related else target
            yield (
                f'{{"id":{_dump(f"{info.run_id}/{key}")}{frame[rule_id]},"data":{{"source":{_dump(source)},'
                f'"target":{_dump(target)},{tail},"value":"0"}}'
            )


def write_validation_report(
    rules: pa.Table, outcomes: pa.Table, findings: pa.Table, info: ValidationInfo, path: Path
) -> int:
    """Write the report entry by entry and return how many there are.

    `rules`: rule_id, rule_version, severity, title_en, sql. `outcomes`, by county: rule_id,
    county_code, n_checked, n_failed, n_unknown, status. `findings`: finding_key, rule_id,
    subject_id, related_id, region_code, variable. Order: outcomes by rule and county, then findings
    by rule and key. OSError when the file cannot be written.
    """
    by_id = {row["rule_id"]: row for row in rules.to_pylist()}
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for entries in (
            _outcome_entries(outcomes, by_id, info),
            _finding_entries(findings, by_id, info),
        ):
            for entry in entries:
                file.write(("," if count else "") + "\n" + entry)
                count += 1
        file.write("\n]\n")
    return count
