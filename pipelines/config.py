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

T = TypeVar("T")

_FORMS = {
    "city": r"\d{12}",
    "vintage": r"\d{4}-\d{2}-\d{2}",
    "reference_date": r"\d{4}-\d{2}-\d{2}",
    "memory": r"\d+(\.\d+)? ?([KMGT]i?)?B",
}
_RANGES = {
    "threads": (1, 256),
    "keep_runs": (2, 10_000),
    "limit_units": (0.0, 1.0),
    "limit_self_employed": (0.0, 1.0),
    "flag_probability": (0.0, 1.0),
    "due_days": (0, 365),
    "random_share": (0.0, 1.0),
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
class Linking:
    """Whether units are matched, and the probabilities from which a pair is one unit or asked."""

    enabled: bool = True
    link_at: float = 0.5
    possible_at: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """All settings; a key that is not one of these is refused."""

    city: str = "430400000000"
    vintage: str = "2018-10-31"
    reference_date: str = "2018-12-31"
    memory: str = "1500MB"
    threads: int = 2
    keep_runs: int = 30
    salt_file: Path | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scoring: Scoring = field(default_factory=Scoring)
    tasks: Tasks = field(default_factory=Tasks)
    link: Linking = field(default_factory=Linking)


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
        raise UsageError(
            f"配置文件 [{section}] {name} 的写法不对，例如 {getattr(RunConfig(), name)}。",
            f"The configuration value [{section}] {name} is not well formed; "
            f"for example {getattr(RunConfig(), name)}.",
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


def load_config(path: Path | None) -> RunConfig:
    """Read `census.toml`; UsageError names what is wrong. Without a path: the defaults.

    Sections: [run] the plain settings, [tables] table = glob, [parameters.RULE] name = value,
    [scoring], [tasks], [link], [confidential] salt_file.
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
    sections = {"run", "tables", "parameters", "scoring", "tasks", "link", "confidential"}
    _unknown("census.toml", set(data), sections)
    given = {name: _mapping(name, data.get(name, {})) for name in sorted(sections)}
    _unknown("confidential", set(given["confidential"]), {"salt_file"})
    plain = {"city", "vintage", "reference_date", "memory", "threads", "keep_runs"}
    _unknown("run", set(given["run"]), plain)
    salt = given["confidential"].get("salt_file", "")
    if not isinstance(salt, str):
        raise UsageError(
            "配置文件 [confidential] salt_file 的类型不对，应为 str。",
            "The configuration value [confidential] salt_file should be str.",
        )
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
        scoring=_section("scoring", base.scoring, given["scoring"]),
        tasks=_section("tasks", base.tasks, given["tasks"]),
        link=_linking(given["link"]),
    )
