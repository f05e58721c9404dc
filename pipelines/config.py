"""The settings of a night: `census.toml` and the command line, as one frozen object."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from audit.contracts import CONTRACT
from audit.errors import UsageError
from audit.gate import JUDGES, GateSettings

T = TypeVar("T")

_FORMS = {
    "city": r"\d{12}",
    "vintage": r"\d{4}-\d{2}-\d{2}",
    "reference_date": r"\d{4}-\d{2}-\d{2}",
    "supersede": r"yes|no",
    "memory": r"\d+(\.\d+)? ?([KMGT]i?)?B",
    "judge": "|".join(JUDGES),
    "driver_memory": r"\d+[mg]",
}
ENCODINGS = ("utf-8", "gb18030", "big5", "big5hkscs", "utf-16-le", "utf-16-be")
SECTIONS = (
    *("run", "tables", "encoding", "intake", "parameters", "scoring", "tasks", "gate"),
    "link",
    "confidential",
    "spark",
)
PLAIN = {"city", "vintage", "reference_date", "memory", "threads", "keep_runs"}
_RANGES = {
    "threads": (1, 256),
    "keep_runs": (2, 10_000),
    "limit_units": (0.0, 1.0),
    "limit_self_employed": (0.0, 1.0),
    "flag_probability": (0.0, 1.0),
    "due_days": (0, 365),
    "random_share": (0.0, 0.9),
    "supersede_share": (0.01, 1.0),
    "timeout_seconds": (1, 3600),
    "min_rows": (0, 1_000_000),
    "earliest_year": (1800, 2100),
    "months_after": (0, 1200),
    "rows_high": (1.0, 1e9),
    **{
        f.name: (0.0, 1.0)
        for f in fields(GateSettings)
        if f.type == "float" and f.name != "rows_high"
    },
    "link_at": (0.01, 0.999),
    "possible_at": (0.001, 0.999),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Limits of the region scores. Rates are shares, not percent."""

    limit_units: float = 0.03
    limit_self_employed: float = 0.05
    flag_probability: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """How verification tasks are made. `due_days` counts from the run."""

    due_days: int = 7
    random_share: float = 0.2
    seed: int = 2018


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """How files are taken in. `supersede`: whether a newer delivery of a file replaces it.

    `supersede_share`: the part of the older file's keys that the newer one has at least.
    """

    supersede: str = "yes"
    supersede_share: float = 0.8


@dataclass(frozen=True, slots=True)
class Linking:
    """Whether units are matched, and the probabilities from which a pair is one unit or asked."""

    enabled: bool = True
    link_at: float = 0.5
    possible_at: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """Where Spark runs with `--engine spark`.

    `master`: empty for this machine with the run's threads; `driver_memory`: `2g`; `folder`: where
    large tables are handed over, empty for the run's own; all machines of a cluster must see it.
    """

    master: str = ""
    driver_memory: str = "2g"
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """All settings; a key that is not one of these is refused."""

    city: str = "430400000000"
    vintage: str = "2018-10-31"
    reference_date: str = "2018-12-31"
    memory: str = "1200MB"
    threads: int = 2
    keep_runs: int = 30
    salt_file: Path | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    encoding: Mapping[str, str] = field(default_factory=dict)
    intake: Intake = field(default_factory=Intake)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scoring: Scoring = field(default_factory=Scoring)
    tasks: Tasks = field(default_factory=Tasks)
    gate: GateSettings = field(default_factory=GateSettings)
    expected_rows: Mapping[str, int] = field(default_factory=dict)
    link: Linking = field(default_factory=Linking)
    spark: Spark = field(default_factory=Spark)


def _unknown(section: str, keys: set[str], known: set[str]) -> None:
    if extra := sorted(keys - known):
        raise UsageError(
            f"配置文件 [{section}] 中有不认识的键：{', '.join(extra)}。"
            f"可用的键：{', '.join(sorted(known))}。",
            f"The configuration section [{section}] has unknown keys: {', '.join(extra)}. "
            f"Known keys: {', '.join(sorted(known))}.",
        )


def _mapping(section: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(
            f"配置文件中 [{section}] 应为一节（键 = 值）。",
            f"[{section}] in the configuration should be a section of key = value.",
        )
    return value


def _check_value(section: str, name: str, value: Any) -> None:
    if name in _FORMS and not re.fullmatch(_FORMS[name], value):
        holder = {"gate": GateSettings(), "spark": Spark()}.get(section, RunConfig())
        example = getattr(holder, name)
        raise UsageError(
            f"配置文件 [{section}] {name} 的写法不对，例如 {example}。",
            f"The configuration value [{section}] {name} is not well formed; "
            f"for example {example}.",
        )
    low, high = _RANGES.get(name, (value, value))
    if not low <= value <= high:
        raise UsageError(
            f"配置文件 [{section}] {name} 应在 {low} 与 {high} 之间。",
            f"The configuration value [{section}] {name} should be between {low} and {high}.",
        )


def _section(section: str, default: T, values: Mapping[str, Any]) -> T:
    known = {f.name: f for f in fields(default)}  # type: ignore[arg-type]  # dataclass by use
    _unknown(section, set(values), set(known))
    typed: dict[str, Any] = {}
    for name, value in values.items():
        wanted = type(getattr(default, name))
        # To Python, true is an integer.
        fits = isinstance(value, int | float if wanted is float else wanted)
        if not fits or isinstance(value, bool) != (wanted is bool):
            raise UsageError(
                f"配置文件 [{section}] {name} 的类型不对，应为 {wanted.__name__}。",
                f"The configuration value [{section}] {name} should be {wanted.__name__}.",
            )
        typed[name] = wanted(value)
        _check_value(section, name, typed[name])
    return replace(default, **typed)  # type: ignore[type-var]  # dataclass by use


def _linking(values: Mapping[str, Any]) -> Linking:
    link = _section("link", Linking(), values)
    if link.possible_at > link.link_at:
        raise UsageError(
            "配置文件 [link] possible_at 不能大于 link_at。",
            "The configuration value [link] possible_at may not be above link_at.",
        )
    return link


def _texts(section: str, values: Mapping[str, Any]) -> dict[str, str]:
    if any(isinstance(value, dict) for value in values.values()):
        _unknown(section, {k for k, v in values.items() if isinstance(v, dict)}, set())
    return {
        key: "|".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in values.items()
    }


def _expected_rows(value: object) -> dict[str, int]:
    """Return the delivery note: rows by `table` or `table/county` (six digits)."""
    note = _mapping("gate.expected_rows", value)
    names = {table.name for table in CONTRACT.delivered}
    for key, rows in note.items():
        table, _, county = key.partition("/")
        fits = table in names and re.fullmatch(r"(\d{6})?", county)
        if not fits or isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
            raise UsageError(
                f"配置文件 [gate.expected_rows] 的 {key} 应写作 表名 = 行数，"
                '或 "表名/六位县代码" = 行数。',
                f"{key} in [gate.expected_rows] should be table = rows or "
                '"table/county of six digits" = rows.',
            )
    return note


def _encodings(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the encoding of files by glob; UsageError for one that is not known."""
    if wrong := sorted(glob for glob, name in values.items() if name not in ENCODINGS):
        raise UsageError(
            f"配置文件 [encoding] 中 {', '.join(wrong)} 的编码不认识。"
            f"可用的编码：{', '.join(ENCODINGS)}。",
            f"The configuration section [encoding] gives {', '.join(wrong)} an unknown encoding. "
            f"Known: {', '.join(ENCODINGS)}.",
        )
    return dict(values)


def _salt(values: Mapping[str, Any]) -> str:
    _unknown("confidential", set(values), {"salt_file"})
    salt = values.get("salt_file", "")
    if not isinstance(salt, str):
        raise UsageError(
            "配置文件 [confidential] salt_file 的类型不对，应为 str。",
            "The configuration value [confidential] salt_file should be str.",
        )
    return salt


def load_config(path: Path | None) -> RunConfig:
    """Read `census.toml`; UsageError names what is wrong. Without a path: the defaults.

    Sections: [run] the plain settings, [tables] table = glob, [encoding] glob = encoding,
    [intake], [parameters.RULE] name = value, [scoring], [tasks], [link], [gate] and
    [gate.expected_rows], [confidential] salt_file, [spark].
    """
    base = RunConfig()
    if path is None:
        return base
    try:
        # Editors on Windows put a byte order mark in front.
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"无法读取配置文件 {path}：{error}", f"Cannot read the configuration {path}: {error}"
        ) from error
    sections = set(SECTIONS)
    _unknown("census.toml", set(data), sections)
    given = {name: _mapping(name, data.get(name, {})) for name in sorted(sections)}
    _unknown("run", set(given["run"]), PLAIN)
    salt = _salt(given["confidential"])
    expected = _expected_rows(given["gate"].pop("expected_rows", {}))
    tables = _texts("tables", given["tables"])
    _unknown("tables", set(tables), {table.name for table in CONTRACT.delivered})
    return replace(
        _section("run", base, given["run"]),
        salt_file=(path.parent / salt) if salt else None,
        tables=tables,
        parameters={
            rule: _texts(f"parameters.{rule}", _mapping(f"parameters.{rule}", values))
            for rule, values in given["parameters"].items()
        },
        encoding=_encodings(given["encoding"]),
        intake=_section("intake", base.intake, given["intake"]),
        scoring=_section("scoring", base.scoring, given["scoring"]),
        tasks=_section("tasks", base.tasks, given["tasks"]),
        gate=_section("gate", base.gate, given["gate"]),
        expected_rows=expected,
        link=_linking(given["link"]),
        spark=_section("spark", base.spark, given["spark"]),
    )
