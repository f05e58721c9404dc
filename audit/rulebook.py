"""The rulebook: rule files read, checked and rendered (style: one SQL file with a YAML header)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from audit.contracts import CONTRACT, TEXT_LOADER
from audit.errors import RuleError
from audit.model import GRAINS, Label, Parameter, Rule, RuleStatus, Severity
from audit.quoting import quoted, quoted_list
from audit.reference import load_families, load_owners

RULES_DIR = Path(__file__).resolve().parents[1] / "rules"
REFERENCE_VIEWS = (
    "ref_industry",
    "ref_industry_profile",
    "ref_specialty_of_industry",
    "ref_threshold",
    "ref_size_class",
    "ref_credit_code_prefix",
    "ref_licence_type",
    "ref_activity_word",
    "ref_minimum_wage",
)
LINK_TABLES = ("link", "cluster", "large_block")
INTAKE_TABLES = ("delivered_file", "rejected_row")
"""Tables that the night itself makes: there even where they are empty."""
ESTIMATE_TABLES = tuple(
    name.removeprefix("estimate.")
    for name in CONTRACT.outputs
    if name.startswith("estimate.") and name != "estimate.estimate_state"
)
"""Figures over many rows: there where their own input is."""
OWNER_BY_SPECIALTY = "specialty"

_HEADER = re.compile(r"\A/\* ---\n(?P<header>.*?)\n--- \*/\n(?P<sql>.*)\Z", re.DOTALL)
_REQUIRED = {
    "id", "name", "title", "family", "severity", "clause", "level", "grain", "variable", "tables",
    "owner", "version", "status", "message", "verify", "false_positives",
}  # fmt: skip
_OPTIONAL = {"parameters", "optional_tables", "always_decidable", "conclusion", "same_fact"}
_TEXTS = _REQUIRED - {"title", "message", "verify", "false_positives", "tables"}
_FIELD = re.compile(r"\{([^}]*)\}")
_MESSAGE_FIELDS = {"observed", "expected", "related", "variable"}
# Quoted text and comments are matched first so that a colon inside them is left alone.
_PLACEHOLDER = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|(?<!:):([A-Za-z_][A-Za-z0-9_]*)", re.DOTALL
)
_LITERALS = {
    "integer": r"-?[0-9]+",
    "number": r"-?[0-9]+(\.[0-9]+)?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "text": r"[^\0]*",
    "list": r"[^\0]*",
}


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
        # A mistyped id among right ones must not pass for a check that was done.
        idle = [glob for glob in globs if not any(fnmatch(rule.id, glob) for rule in chosen)]
        if idle or not chosen:
            named = ", ".join(idle) or patterns
            raise RuleError(
                f"没有规则与 {named} 相符。用 census-audit rules list 查看全部规则。",
                f"No rule matches {named}. See census-audit rules list.",
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
    whole = isinstance(entry, Mapping) and set(entry) == {"zh", "en"}
    if not whole or not all(text and isinstance(text, str) for text in entry.values()):
        line = _line_of(text, key)
        raise _fail(path, line, f"{key} 须有中英文 zh 和 en", f"{key} needs zh and en")
    return Label(entry["zh"], entry["en"])


def _parameters(path: Path, header: Mapping[str, Any], text: str) -> tuple[Parameter, ...]:
    entry = header.get("parameters", {})
    if not isinstance(entry, Mapping):
        raise _fail(path, _line_of(text, "parameters"), "parameters 须为“名称: 内容”",
                    "parameters must be name: entry")  # fmt: skip
    found = []
    for name, spec in entry.items():
        line = _line_of(text, name)
        whole = isinstance(spec, Mapping) and set(spec) == {"type", "default", "note"}
        if not whole or not all(isinstance(value, str) for value in spec.values()):
            raise _fail(path, line, f"参数 {name} 须有 type、default、note",
                        f"parameter {name} needs type, default and note")  # fmt: skip
        if not _is_literal(spec["type"], spec["default"]):
            raise _fail(path, line, f"参数 {name} 的 default 不是 {spec['type']} 类型",
                        f"the default of parameter {name} is not {spec['type']}")  # fmt: skip
        found.append(Parameter(name=name, **spec))
    return tuple(found)


def _check_use(path: Path, rule: Rule, text: str) -> None:
    declared = {parameter.name for parameter in rule.parameters}
    used = {match[1]: match.start() for match in _PLACEHOLDER.finditer(rule.sql) if match[1]}
    for name in sorted(set(used) - declared):
        line = text.count("\n", 0, text.rindex(rule.sql) + used[name]) + 1
        raise _fail(path, line, f"未声明的参数 :{name}", f"undeclared parameter :{name}")
    if idle := sorted(declared - set(used)):
        raise _fail(path, _line_of(text, idle[0]), f"参数 {idle[0]} 未用到",
                    f"parameter {idle[0]} is never used")  # fmt: skip


def _check_choice(path: Path, text: str, key: str, value: str, known: Iterable[str]) -> None:
    if value not in (choices := list(known)):
        line = _line_of(text, key)
        raise _fail(path, line, f"{key} 的值 {value} 不在清单内：{', '.join(choices)}",
                    f"{key} is {value}, not one of {', '.join(choices)}")  # fmt: skip


def _check_keys(path: Path, header: Mapping[str, Any], text: str) -> None:
    if missing := sorted(_REQUIRED - set(header)):
        raise _fail(path, 2, f"缺少：{', '.join(missing)}", f"missing: {', '.join(missing)}")
    if extra := sorted(set(header) - _REQUIRED - _OPTIONAL):
        line = _line_of(text, extra[0])
        raise _fail(path, line, f"不认识的键：{', '.join(extra)}", f"unknown: {', '.join(extra)}")
    for key in sorted(_TEXTS):
        if not header[key] or not isinstance(header[key], str):
            raise _fail(path, _line_of(text, key), f"{key} 须为一个文本", f"{key} must be one text")
    for key in ("tables", "optional_tables", "same_fact"):
        value = header.get(key, ["-"])
        if not value or not isinstance(value, list):
            raise _fail(path, _line_of(text, key), f"{key} 须为非空清单 [..]",
                        f"{key} must be a list [..] with entries")  # fmt: skip


def _check_header(path: Path, header: Mapping[str, Any], text: str) -> None:
    families = {family.id: family for family in load_families()}
    if not path.name.startswith(f"{header['id']}_"):
        raise _fail(path, _line_of(text, "id"), "文件名须以规则编号开头",
                    "the file name must begin with the rule id")  # fmt: skip
    family = families.get(header["id"][:3])
    if family is None or header["family"] != family.folder or path.parent.name != family.folder:
        raise _fail(path, _line_of(text, "family"), "规则类与编号前缀、文件夹不一致",
                    "family, id prefix and folder disagree")  # fmt: skip
    owners = [owner.id for owner in load_owners()] + [OWNER_BY_SPECIALTY]
    tables = [
        *CONTRACT.tables, *REFERENCE_VIEWS, *LINK_TABLES, *INTAKE_TABLES, *ESTIMATE_TABLES
    ]  # fmt: skip
    _check_choice(path, text, "owner", header["owner"], owners)
    _check_choice(path, text, "severity", header["severity"], list(Severity))
    _check_choice(path, text, "status", header["status"], list(RuleStatus))
    _check_choice(path, text, "grain", header["grain"], GRAINS)
    _check_choice(path, text, "level", header["level"], list("012345"))
    for key in ("always_decidable", "conclusion"):
        _check_choice(path, text, key, header.get(key, "false"), ["true", "false"])
    if not re.fullmatch(r"[A-Z]{3}[0-9]{3}", header["id"]):
        raise _fail(path, _line_of(text, "id"), "id 须为三个字母加三位数字",
                    "id must be three letters and three digits")  # fmt: skip
    if not re.fullmatch(r"[1-9][0-9]*", header["version"]):
        raise _fail(path, _line_of(text, "version"), "version 须为从 1 起的整数",
                    "version must be a whole number from 1")  # fmt: skip
    for key in ("tables", "optional_tables"):
        for table in header.get(key, []):
            _check_choice(path, text, key, table, tables)


def _check_messages(path: Path, rule: Rule, text: str) -> None:
    for message in (rule.message.zh, rule.message.en):
        if unknown := set(_FIELD.findall(message)) - _MESSAGE_FIELDS:
            line = _line_of(text, "message")
            raise _fail(path, line, f"message 中有不认识的字段 {sorted(unknown)}",
                        f"message has unknown fields {sorted(unknown)}")  # fmt: skip


def _repeated(node: yaml.Node | None) -> yaml.Node | None:
    # YAML would take the last of two equal keys in silence.
    if not isinstance(node, yaml.MappingNode):
        return None
    seen: set[str] = set()
    for key, value in node.value:
        twice: yaml.Node | None = key if key.value in seen else _repeated(value)
        if twice is not None:
            return twice
        seen.add(key.value)
    return None


def _header(path: Path, text: str, body: str) -> dict[str, Any]:
    try:
        twice = _repeated(yaml.compose(body, Loader=TEXT_LOADER))
        header = yaml.load(body, Loader=TEXT_LOADER)  # noqa: S506  # strings only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 2
        raise _fail(path, line, "说明不是有效的 YAML", "the header is not valid YAML") from error
    if twice is not None:
        line = twice.start_mark.line + 2
        raise _fail(path, line, f"{twice.value} 写了两次", f"{twice.value} stands twice")
    if not isinstance(header, dict):
        raise _fail(path, 2, "说明须为“键: 值”", "the header must be key: value")
    _check_keys(path, header, text)
    _check_header(path, header, text)
    return header


def _split(path: Path) -> tuple[str, str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _fail(path, line, "文件不是 UTF-8 编码", "the file is not UTF-8") from error
    match = _HEADER.match(text)
    if match is None:
        raise _fail(path, 1, "文件须以 /* --- 开头的 YAML 说明开始",
                    "the file must begin with a YAML header in /* --- … --- */")  # fmt: skip
    return text, match["header"], match["sql"].strip()


def read_rule(path: Path) -> Rule:
    """Read one rule file; RuleError names the file, the line and what is wrong."""
    return _rule(path, *_split(path))


@cache
def _rule(path: Path, text: str, body: str, sql: str) -> Rule:
    header = _header(path, text, body)
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
        parameters=_parameters(path, header, text),
        always_decidable=header.get("always_decidable") == "true",
        conclusion=header.get("conclusion") == "true",
        same_fact=tuple(header.get("same_fact", ())),
        sql=sql,
        path=path.name,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
    _check_messages(path, rule, text)
    _check_use(path, rule, text)
    return rule


def load_rulebook(folder: Path = RULES_DIR) -> RuleBook:
    """Read all rule files below a folder; duplicate ids or names are an error."""
    rules = sorted((read_rule(path) for path in folder.glob("*/*.sql")), key=lambda r: r.id)
    for field in ("id", "name"):
        values = [getattr(rule, field) for rule in rules]
        if repeated := sorted({value for value in values if values.count(value) > 1}):
            files = ", ".join(rule.path for rule in rules if getattr(rule, field) in repeated)
            raise RuleError(
                f"规则的 {field} 重复：{', '.join(repeated)}（{files}）",
                f"Rules share the {field}: {', '.join(repeated)} ({files})",
            )
    book = RuleBook(tuple(rules))
    for rule in rules:
        _check_statement(rule, book)
    return book


def _check_statement(rule: Rule, book: RuleBook) -> None:
    """Refuse what cannot be: a conclusion on something to visit, a fact that is nobody's answer."""
    if rule.conclusion and rule.statement == "error":
        raise RuleError(
            f"{rule.path}：对象为 {rule.grain} 的规则不能是评估结论 conclusion",
            f"{rule.path}: a rule of grain {rule.grain} is no conclusion",
        )
    for other in rule.same_fact:
        # A rule that points on, to one not named here, or back would leave nobody to answer.
        if rule.id == other or not set(book.get(other).same_fact) <= set(rule.same_fact):
            raise RuleError(
                f"{rule.path}：same_fact 须写全 {other} 所指的规则，且不能指回本规则",
                f"{rule.path}: same_fact must name all that {other} points to, and not itself",
            )
        if rule.statement != "error" or book.get(other).statement != "error":
            raise RuleError(
                f"{rule.path}：same_fact 只用于单位、底册行和名录记录的规则",
                f"{rule.path}: same_fact is for rules about units, frame lines and records",
            )


def _is_literal(kind: str, value: str) -> bool:
    if kind not in _LITERALS or not re.fullmatch(_LITERALS[kind], value):
        return False
    try:
        return kind != "date" or bool(date.fromisoformat(value))
    except ValueError:
        return False


def literal(kind: str, value: str, where: str) -> str:
    """Return a parameter as a SQL literal; RuleError where the text is not of its type."""
    if not _is_literal(kind, value):
        raise RuleError(
            f"{where}：参数值不是 {kind} 类型", f"{where}: the parameter value is not {kind}"
        )
    if kind == "list":
        return f"({quoted_list(value.split('|'))})"
    # `-:x` must not become the comment `--1`.
    number = f"({value})" if value.startswith("-") else value
    return {"date": f"DATE {quoted(value)}", "text": quoted(value)}.get(kind, number)


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
