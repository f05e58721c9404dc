"""The rulebook: rule files read, checked and rendered (style: one SQL file with a YAML header)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from audit.contracts import CONTRACT
from audit.errors import RuleError
from audit.model import GRAINS, Label, Parameter, Rule, RuleStatus, Severity
from audit.reference import load_families, load_owners

RULES_DIR = Path(__file__).resolve().parents[1] / "rules"
REFERENCE_VIEWS = (
    "ref_industry",
    "ref_industry_profile",
    "ref_specialty_of_industry",
    "ref_threshold",
    "ref_size_class",
    "ref_credit_code_prefix",
)
LINK_TABLES = ("link", "cluster", "large_block")
OWNER_BY_SPECIALTY = "specialty"

_HEADER = re.compile(r"\A/\* ---\n(?P<header>.*?)\n--- \*/\n(?P<sql>.*)\Z", re.DOTALL)
_REQUIRED = {
    "id", "name", "title", "family", "severity", "clause", "level", "grain", "variable", "tables",
    "owner", "version", "status", "message", "verify", "false_positives",
}  # fmt: skip
_OPTIONAL = {"parameters", "optional_tables", "always_decidable"}
_FIELD = re.compile(r"\{([^}]*)\}")
_MESSAGE_FIELDS = {"observed", "expected", "related", "variable"}
# Quoted text and comments are matched first so that a colon inside them is left alone.
_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(?<!:):([a-z_][a-z0-9_]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules in the order of their ids."""

    rules: tuple[Rule, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over ids and file digests: names this set of rules."""
        text = "\n".join(f"{rule.id} {rule.sha256}" for rule in self.rules)
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, rule_id: str) -> Rule:
        """Return one rule; RuleError where there is none of that id."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise RuleError(
            f"没有编号为 {rule_id} 的规则。用 census-audit rules list 查看全部规则。",
            f"There is no rule {rule_id}. See census-audit rules list.",
        )

    def select(self, patterns: str) -> RuleBook:
        """Return the active rules that match a comma-separated list of globs (`DUP*,LNK003`)."""
        globs = [part.strip() for part in patterns.split(",") if part.strip()]
        chosen = tuple(
            rule
            for rule in self.rules
            if rule.status is RuleStatus.ACTIVE and any(fnmatch(rule.id, glob) for glob in globs)
        )
        if not chosen:
            raise RuleError(
                f"没有规则与 {patterns} 相符。用 census-audit rules list 查看全部规则。",
                f"No rule matches {patterns}. See census-audit rules list.",
            )
        return RuleBook(chosen)


def _fail(path: Path, line: int, zh: str, en: str) -> RuleError:
    return RuleError(f"{path.name} 第 {line} 行：{zh}", f"{path.name}, line {line}: {en}")


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith(f"{key}:"):
            return number
    return 1


def _label(path: Path, header: Mapping[str, Any], key: str, text: str) -> Label:
    entry = header[key]
    if not isinstance(entry, Mapping) or set(entry) != {"zh", "en"} or not all(entry.values()):
        line = _line_of(text, key)
        raise _fail(path, line, f"{key} 须有中英文 zh 和 en", f"{key} needs zh and en")
    return Label(entry["zh"], entry["en"])


def _parameters(path: Path, entry: Mapping[str, Any], text: str) -> tuple[Parameter, ...]:
    found = []
    for name, spec in entry.items():
        if not isinstance(spec, Mapping) or set(spec) != {"type", "default", "note"}:
            line = _line_of(text, name)
            raise _fail(path, line, f"参数 {name} 须有 type、default、note",
                        f"parameter {name} needs type, default and note")  # fmt: skip
        literal(spec["type"], spec["default"], f"{path.name} {name}")
        found.append(Parameter(name=name, **spec))
    return tuple(found)


def _check_choice(path: Path, text: str, key: str, value: str, known: Iterable[str]) -> None:
    if value not in (choices := list(known)):
        line = _line_of(text, key)
        raise _fail(path, line, f"{key} 的值 {value} 不在清单内：{', '.join(choices)}",
                    f"{key} is {value}, not one of {', '.join(choices)}")  # fmt: skip


def _check_header(path: Path, header: Mapping[str, Any], text: str) -> None:
    if missing := sorted(_REQUIRED - set(header)):
        raise _fail(path, 2, f"缺少：{', '.join(missing)}", f"missing: {', '.join(missing)}")
    if extra := sorted(set(header) - _REQUIRED - _OPTIONAL):
        line = _line_of(text, extra[0])
        raise _fail(path, line, f"不认识的键：{', '.join(extra)}", f"unknown: {', '.join(extra)}")
    families = {family.id: family for family in load_families()}
    if not path.name.startswith(f"{header['id']}_"):
        raise _fail(path, _line_of(text, "id"), "文件名须以规则编号开头",
                    "the file name must begin with the rule id")  # fmt: skip
    family = families.get(header["id"][:3])
    if family is None or header["family"] != family.folder or path.parent.name != family.folder:
        raise _fail(path, _line_of(text, "family"), "规则类与编号前缀、文件夹不一致",
                    "family, id prefix and folder disagree")  # fmt: skip
    owners = [owner.id for owner in load_owners()] + [OWNER_BY_SPECIALTY]
    tables = [*CONTRACT.tables, *REFERENCE_VIEWS, *LINK_TABLES]
    _check_choice(path, text, "owner", header["owner"], owners)
    _check_choice(path, text, "severity", header["severity"], list(Severity))
    _check_choice(path, text, "status", header["status"], list(RuleStatus))
    _check_choice(path, text, "grain", header["grain"], GRAINS)
    _check_choice(path, text, "level", header["level"], list("012345"))
    for table in [*header["tables"], *header.get("optional_tables", [])]:
        _check_choice(path, text, "tables", table, tables)


def _check_messages(path: Path, rule: Rule) -> None:
    for text in (rule.message.zh, rule.message.en):
        if unknown := set(_FIELD.findall(text)) - _MESSAGE_FIELDS:
            raise _fail(path, 1, f"message 中有不认识的字段 {sorted(unknown)}",
                        f"message has unknown fields {sorted(unknown)}")  # fmt: skip


def read_rule(path: Path) -> Rule:
    """Read one rule file; RuleError names the file, the line and what is wrong."""
    text = path.read_text(encoding="utf-8")
    match = _HEADER.match(text)
    if match is None:
        raise _fail(path, 1, "文件须以 /* --- 开头的 YAML 说明开始",
                    "the file must begin with a YAML header in /* --- … --- */")  # fmt: skip
    try:
        header = yaml.load(match["header"], Loader=yaml.BaseLoader)  # noqa: S506  # strings only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 2
        raise _fail(path, line, "说明不是有效的 YAML", "the header is not valid YAML") from error
    _check_header(path, header, text)
    rule = Rule(
        **{key: header[key] for key in ("id", "name", "family", "clause", "grain", "variable")},
        title=_label(path, header, "title", text),
        message=_label(path, header, "message", text),
        verify=_label(path, header, "verify", text),
        false_positives=_label(path, header, "false_positives", text),
        severity=Severity(header["severity"]),
        status=RuleStatus(header["status"]),
        level=int(header["level"]),
        version=int(header["version"]),
        tables=tuple(header["tables"]),
        optional_tables=tuple(header.get("optional_tables", ())),
        owner=header["owner"],
        parameters=_parameters(path, header.get("parameters", {}), text),
        always_decidable=header.get("always_decidable") == "true",
        sql=match["sql"].strip(),
        path=path.name,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
    _check_messages(path, rule)
    return rule


def load_rulebook(folder: Path = RULES_DIR) -> RuleBook:
    """Read all rule files below a folder; duplicate ids or names are an error."""
    rules = sorted((read_rule(path) for path in folder.glob("*/*.sql")), key=lambda r: r.id)
    for field in ("id", "name"):
        values = [getattr(rule, field) for rule in rules]
        if repeated := sorted({value for value in values if values.count(value) > 1}):
            raise RuleError(
                f"规则的 {field} 重复：{', '.join(repeated)}",
                f"Rules share the {field}: {', '.join(repeated)}",
            )
    return RuleBook(tuple(rules))


def literal(kind: str, value: str, where: str) -> str:
    """Return a parameter as a SQL literal; RuleError where the text is not of its type."""
    patterns = {
        "integer": r"-?\d+",
        "number": r"-?\d+(\.\d+)?",
        "date": r"\d{4}-\d{2}-\d{2}",
        "text": r"[^\0]*",
        "list": r"[^\0]*",
    }
    if kind not in patterns or not re.fullmatch(patterns[kind], value, re.DOTALL):
        raise RuleError(
            f"{where}：参数值不是 {kind} 类型", f"{where}: the parameter value is not {kind}"
        )
    quoted = "'" + value.replace("'", "''") + "'"
    if kind == "list":
        items = ("'" + item.replace("'", "''") + "'" for item in value.split("|"))
        return "(" + ", ".join(items) + ")"
    return {"date": f"DATE {quoted}", "text": quoted}.get(kind, value)


def render(rule: Rule, overrides: Mapping[str, str] | None = None) -> str:
    """Return the rule's SQL with every `:name` replaced by its literal.

    The result needs nothing beside it: it is stored as evidence and can become a view.
    """
    overrides = overrides or {}
    known = {parameter.name: parameter for parameter in rule.parameters}
    if unknown := sorted(set(overrides) - set(known)):
        raise RuleError(
            f"规则 {rule.id} 没有参数 {', '.join(unknown)}",
            f"Rule {rule.id} has no parameter {', '.join(unknown)}",
        )

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0]
        if name not in known:
            raise RuleError(
                f"规则 {rule.id} 的语句用了未声明的参数 :{name}",
                f"Rule {rule.id} uses the undeclared parameter :{name}",
            )
        parameter = known[name]
        value = overrides.get(name, parameter.default)
        return literal(parameter.type, value, f"{rule.id} {name}")

    return _PLACEHOLDER.sub(replace, rule.sql)
