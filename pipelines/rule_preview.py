"""`census-audit rules preview`: findings gained and lost before a changed rule goes out."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from audit.engines.duckdb import PackageReader
from audit.errors import RuleError, UsageError
from audit.model import Rule
from audit.portable import lint
from audit.reference import load_families
from audit.rulebook import load_rulebook, read_rule, render
from pipelines.reuse import MANIFEST
from pipelines.sql import current_package

_ID = re.compile(r"^id: *([A-Z]{3}[0-9]{3}) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one text of the rule says of the package: subjects in scope, failing, unknown."""

    n_checked: int
    n_failed: int
    n_unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Both texts on the same package. `counties`: county_code, county_name, n_old, n_new, gained,
    lost, in the order of the most change. `parameters`: name, old and new value where they differ.
    """

    run_id: str
    old: Side
    new: Side
    counties: pa.Table
    parameters: tuple[tuple[str, str, str], ...] = ()


def named_rule(text: str) -> Rule:
    """Return a rule by its id, or read it from a file; RuleError where neither is there.

    A file may lie anywhere and have any name: its family is told by its id.
    """
    path = Path(text)
    if path.suffix != ".sql":
        return load_rulebook().get(text.upper())
    if not path.is_file():
        raise RuleError(f"没有规则文件 {path}", f"There is no rule file {path}")
    folders = {family.id: family.folder for family in load_families()}
    said = _ID.search(path.read_text(encoding="utf-8", errors="replace"))
    name = path.name if said is None else f"{said[1]}_{path.name.removeprefix(f'{said[1]}_')}"
    folder = folders.get(name[:3], path.parent.name)
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / folder / name
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        rule = read_rule(copy)
    if found := lint(rule, render(rule)):
        raise RuleError(
            f"{path.name}：" + "；".join(p.zh for p in found),
            f"{path.name}: " + "; ".join(p.en for p in found),
        )
    return rule


def _side(reader: PackageReader, sql: str) -> Side:
    row = reader.fetch(
        "SELECT COUNT(*) AS n_checked, COUNT(*) FILTER (WHERE NOT holds) AS n_failed, "
        f"COUNT(*) FILTER (WHERE holds IS NULL) AS n_unknown FROM ({sql}\n) AS r"
    ).to_pylist()[0]
    return Side(**row)


def _failing(sql: str, side: str) -> str:
    return (
        f"SELECT CAST(subject_id AS VARCHAR) AS subject_id, region_code, '{side}' AS side "
        f"FROM ({sql}\n) AS r WHERE NOT holds"
    )


def _told(package: Path, rule_id: str) -> dict[str, dict[str, str]]:
    """Return what the manifest tells of a rule; nothing where the run did not have it."""
    manifest = json.loads((package.parent / MANIFEST).read_text(encoding="utf-8"))
    return next((entry for entry in manifest["rules"] if entry["rule_id"] == rule_id), {})


def _fitting(rule: Rule, values: Mapping[str, str]) -> dict[str, str]:
    names = {parameter.name for parameter in rule.parameters}
    return {name: value for name, value in values.items() if name in names}


def _in_force(package: Path, rule: Rule) -> dict[str, str]:
    """Return the values with which the run rendered the rule."""
    return _fitting(rule, _told(package, rule.id).get("parameters", {}))


def _overrides(package: Path, old: Rule, new: Rule) -> dict[str, str]:
    """Return what the office's settings give the rule: they hold for the changed text as well.

    A manifest that does not tell them apart: every value that is not the old text's default.
    """
    told = _told(package, new.id)
    defaults = {parameter.name: parameter.default for parameter in old.parameters}
    differing = {k: v for k, v in told.get("parameters", {}).items() if defaults.get(k) != v}
    return _fitting(new, told.get("overrides", differing))


def _values(rule: Rule, given: Mapping[str, str]) -> dict[str, str]:
    return {p.name: given.get(p.name, p.default) for p in rule.parameters}


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    names = sorted({*old, *new})
    told = ((name, old.get(name, "—"), new.get(name, "—")) for name in names)
    return tuple(row for row in told if row[1] != row[2])


def preview(out: Path, old: Rule, new: Rule) -> Preview:
    """Run both texts of a rule on the current package.

    The old one with the parameters that the run had; the new one as the next run would have it:
    with its own defaults, but for what the office's settings say. A subject counts once.
    RuleError where a text fails on the package's tables, UsageError for two different rules.
    """
    if old.id != new.id:
        raise UsageError(
            f"{old.id} 与 {new.id} 是两条不同的规则，无法比较。请给出同一条规则的改动文件。",
            f"{old.id} and {new.id} are different rules. Give the changed file of the same rule.",
        )
    package = current_package(out)
    had, gets = _in_force(package, old), _overrides(package, old, new)
    before, after = render(old, had), render(new, gets)
    with PackageReader(package) as reader:
        counties = reader.fetch(f"""
WITH both_sides AS (
  SELECT subject_id, LEFT(MIN(region_code), 6) || '000000' AS county_code,
    BOOL_OR(side = 'old') AS in_old, BOOL_OR(side = 'new') AS in_new
  FROM ({_failing(before, "old")} UNION ALL {_failing(after, "new")}) AS f GROUP BY subject_id
), named AS (
  SELECT region_code, ARG_MAX(name, vintage) AS name FROM census.region
  WHERE level = '3' GROUP BY region_code
)
SELECT b.county_code, MIN(n.name) AS county_name, COUNT(*) FILTER (WHERE in_old) AS n_old,
  COUNT(*) FILTER (WHERE in_new) AS n_new, COUNT(*) FILTER (WHERE in_new AND NOT in_old) AS gained,
  COUNT(*) FILTER (WHERE in_old AND NOT in_new) AS lost
FROM both_sides AS b LEFT JOIN named AS n ON n.region_code = b.county_code
GROUP BY b.county_code ORDER BY gained + lost DESC, b.county_code""")
        run = reader.fetch("SELECT run_id FROM audit.run").to_pylist()
        return Preview(
            run_id=str(run[0]["run_id"]) if run else "",
            old=_side(reader, before),
            new=_side(reader, after),
            counties=counties,
            parameters=_moved(_values(old, had), _values(new, gets)),
        )
