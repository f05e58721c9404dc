"""The settings of a night: `census.toml` and the command line, as one frozen object."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from audit.errors import UsageError

T = TypeVar("T")


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


def _unknown(section: str, keys: set[str], known: set[str]) -> None:
    if extra := sorted(keys - known):
        raise UsageError(
            f"配置文件 [{section}] 中有不认识的键：{', '.join(extra)}。"
            f"可用的键：{', '.join(sorted(known))}。",
            f"The configuration section [{section}] has unknown keys: {', '.join(extra)}. "
            f"Known keys: {', '.join(sorted(known))}.",
        )


def _section(section: str, default: T, values: Mapping[str, Any]) -> T:
    known = {f.name: f for f in fields(default)}  # type: ignore[arg-type]  # dataclass by use
    _unknown(section, set(values), set(known))
    typed: dict[str, Any] = {}
    for name, value in values.items():
        wanted = type(getattr(default, name))
        if not isinstance(value, int | float if wanted is float else wanted):
            raise UsageError(
                f"配置文件 [{section}] {name} 的类型不对，应为 {wanted.__name__}。",
                f"The configuration value [{section}] {name} should be {wanted.__name__}.",
            )
        typed[name] = wanted(value)
    return replace(default, **typed)  # type: ignore[type-var]  # dataclass by use


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
    [scoring], [tasks], [confidential] salt_file.
    """
    base = RunConfig()
    if path is None:
        return base
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"无法读取配置文件 {path}：{error}", f"Cannot read the configuration {path}: {error}"
        ) from error
    sections = {"run", "tables", "parameters", "scoring", "tasks", "confidential"}
    _unknown("census.toml", set(data), sections)
    confidential = data.get("confidential", {})
    _unknown("confidential", set(confidential), {"salt_file"})
    run = data.get("run", {})
    plain = {"city", "vintage", "reference_date", "memory", "threads", "keep_runs"}
    _unknown("run", set(run), plain)
    salt = confidential.get("salt_file")
    return replace(
        _section("run", base, run),
        salt_file=(path.parent / salt) if salt else None,
        tables=_texts("tables", data.get("tables", {})),
        parameters={
            rule: _texts(f"parameters.{rule}", values)
            for rule, values in data.get("parameters", {}).items()
        },
        scoring=_section("scoring", base.scoring, data.get("scoring", {})),
        tasks=_section("tasks", base.tasks, data.get("tasks", {})),
    )
