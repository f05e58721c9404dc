"""The rule loader: what it refuses and where; parameters as literals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.engines.duckdb import DuckDBEngine
from audit.errors import RuleError
from audit.model import Label, Parameter, Rule, RuleStatus, Severity
from audit.portable import row_shape
from audit.rulebook import RuleBook, literal, load_rulebook, read_rule, render

TEXT = """/* ---
id: LNK001
name: linkage.sample
title: {zh: 样例, en: Sample}
family: linkage
severity: fatal
clause: 三(三)2
level: 2
grain: unit
variable: employees
tables: [legal_entity]
owner: data_quality
version: 3
status: active
parameters:
  division: {type: text, default: 0110, note: a class}
  least: {type: integer, default: 007, note: a number}
message: {zh: 填报 {observed}, en: is {observed}}
verify: {zh: 核对, en: look}
false_positives: {zh: 无, en: none}
--- */
-- Scope: all.
SELECT e.unit_id AS subject_id
FROM legal_entity AS e
WHERE e.industry_code = :division AND e.employees > :least
""".replace(
    "{zh: 填报 {observed}, en: is {observed}}", "{zh: '填报 {observed}', en: 'is {observed}'}"
)
LINES = TEXT.splitlines()


def _write(folder: Path, text: str, name: str = "linkage/LNK001_sample.sql") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _line(start: str) -> int:
    return next(n for n, line in enumerate(LINES, 1) if line.strip().startswith(start))


def _rule(sql: str, *parameters: tuple[str, str, str]) -> Rule:
    words = Label("文", "text")
    return Rule(
        id="FRM001", name="form.x", title=words, family="form", severity=Severity.FATAL,
        clause="三(三)1", level=1, grain="unit", variable="x", tables=("legal_entity",),
        owner="specialty", version=1, status=RuleStatus.ACTIVE,
        parameters=tuple(Parameter(name=n, type=t, default=d, note="") for n, t, d in parameters),
        message=words, verify=words, false_positives=words, sql=sql, path="x.sql", sha256="0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as opened:
        yield opened


def test_header_scalars_stay_text(tmp_path: Path) -> None:
    rule = read_rule(_write(tmp_path, TEXT))

    assert rule.parameters == (
        Parameter(name="division", type="text", default="0110", note="a class"),
        Parameter(name="least", type="integer", default="007", note="a number"),
    )
    assert (rule.version, rule.level, rule.clause) == (3, 2, "三(三)2")
    assert rule.sql.splitlines()[0] == "-- Scope: all."
    assert rule.path == "LNK001_sample.sql"
    assert rule.always_decidable is False


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ("/* ---\n", "/* --\n", 1, "the file must begin with a YAML header"),
        ("--- */\n", "", 1, "the file must begin with a YAML header"),
        ("level: 2", "level: [2", 9, "the header is not valid YAML"),
        ("owner: data_quality\n", "", 2, "missing: owner"),
        ("severity: fatal", "severity: fatal\nsevere: yes", 7, "unknown: severe"),
        ("severity: fatal", "severity: fatal\nseverity: query", 7, "severity stands twice"),
        ("zh: 样例, en: Sample", "zh: 样例, en: Sample, en: Two", 4, "en stands twice"),
        ("title: {zh: 样例, en: Sample}", "title: Sample", 4, "title needs zh and en"),
        ("title: {zh: 样例, en: Sample}", "title: {zh: 样例}", 4, "title needs zh and en"),
        ("title: {zh: 样例, en: Sample}", "title: {zh: 样例, en: ''}", 4, "title needs zh and en"),
        ("title: {zh: 样例, en: Sample}", "title: {zh: 样例, en: [a]}", 4, "title needs zh and en"),
        ("verify: {zh: 核对, en: look}", "verify: {zh: 核对}", 19, "verify needs zh and en"),
        ("id: LNK001", "id: LNK002", 2, "the file name must begin with the rule id"),
        ("id: LNK001", "id: [LNK001]", 2, "id must be one text"),
        ("variable: employees", "variable: ''", 10, "variable must be one text"),
        ("family: linkage", "family: form", 5, "family, id prefix and folder disagree"),
        ("severity: fatal", "severity: deadly", 6, "severity is deadly, not one of fatal, query"),
        ("status: active", "status: on", 14, "status is on, not one of draft, active, retired"),
        ("grain: unit", "grain: town", 9, "grain is town, not one of unit"),
        ("level: 2", "level: 6", 8, "level is 6, not one of 0, 1, 2, 3, 4, 5"),
        ("owner: data_quality", "owner: me", 12, "owner is me, not one of"),
        ("tables: [legal_entity]", "tables: [legal]", 11, "tables is legal, not one of"),
        ("tables: [legal_entity]", "tables: legal_entity", 11, "tables must be a list"),
        ("tables: [legal_entity]", "tables: []", 11, "tables must be a list"),
        ("owner: data_quality", "optional_tables: [x]\nowner: data_quality", 12,
         "optional_tables is x, not one of"),
        ("version: 3", "version: three", 13, "version must be a whole number from 1"),
        ("version: 3", "version: 0", 13, "version must be a whole number from 1"),
        ("status: active", "status: active\nalways_decidable: yes", 15,
         "always_decidable is yes, not one of true, false"),
        ("default: 007", "default: seven", 17, "the default of parameter least is not integer"),
        ("type: integer", "type: whole", 17, "the default of parameter least is not whole"),
        (", note: a number", "", 17, "parameter least needs type, default and note"),
        ("default: 007", "default: [7]", 17, "parameter least needs type, default and note"),
        ("'is {observed}'", "'is {seen}'", 18, "message has unknown fields ['seen']"),
        (":division", ":division_code", 25, "undeclared parameter :division_code"),
        (":division", ":Division", 25, "undeclared parameter :Division"),
        (" AND e.employees > :least", "", 17, "parameter least is never used"),
    ],
)  # fmt: skip
def test_refusal_names_file_and_line(
    tmp_path: Path, old: str, new: str, at: int, told: str
) -> None:
    assert TEXT.count(old) == 1
    path = _write(tmp_path, TEXT.replace(old, new))

    with pytest.raises(RuleError) as caught:
        read_rule(path)

    assert caught.value.en.startswith(f"LNK001_sample.sql, line {at}: {told}")
    assert caught.value.zh.startswith(f"LNK001_sample.sql 第 {at} 行：")


def test_parameters_must_be_named(tmp_path: Path) -> None:
    start, end = _line("parameters:"), _line("message:")
    text = "\n".join([*LINES[: start - 1], "parameters: [a]", *LINES[end - 1 :]])

    with pytest.raises(RuleError, match="line 15: parameters must be name: entry"):
        read_rule(_write(tmp_path, text))


@pytest.mark.parametrize("header", ["- id", "id", ""])
def test_header_must_be_keys_and_values(tmp_path: Path, header: str) -> None:
    with pytest.raises(RuleError, match="line 2: the header must be key: value"):
        read_rule(_write(tmp_path, f"/* ---\n{header}\n--- */\nSELECT 1"))


def test_id_must_be_letters_and_digits(tmp_path: Path) -> None:
    path = _write(tmp_path, TEXT.replace("id: LNK001", "id: LNK01"), "linkage/LNK01_sample.sql")

    with pytest.raises(RuleError, match="line 2: id must be three letters and three digits"):
        read_rule(path)


def test_folder_must_be_the_family(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="line 5: family, id prefix and folder disagree"):
        read_rule(_write(tmp_path, TEXT, "form/LNK001_sample.sql"))


def test_file_must_be_utf8(tmp_path: Path) -> None:
    path = _write(tmp_path, "")
    path.write_bytes(TEXT.encode("gb18030"))

    with pytest.raises(RuleError, match="line 4: the file is not UTF-8"):
        read_rule(path)


def test_same_id_or_name_twice_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, TEXT)
    again = _write(tmp_path, TEXT.replace("linkage.sample", "linkage.b"), "linkage/LNK001_b.sql")

    with pytest.raises(RuleError, match=r"share the id: LNK001 \(LNK001_b.sql, LNK001_sample.sql"):
        load_rulebook(tmp_path)

    again.unlink()
    _write(tmp_path, TEXT.replace("id: LNK001", "id: LNK002"), "linkage/LNK002_sample.sql")
    with pytest.raises(RuleError, match=r"share the name: linkage.sample \(LNK001_sample.sql, LNK"):
        load_rulebook(tmp_path)


def _book(tmp_path: Path) -> RuleBook:
    for number, status in ((3, "active"), (1, "active"), (2, "retired")):
        text = TEXT.replace("LNK001", f"LNK00{number}").replace(
            "linkage.sample", f"linkage.{number}"
        )
        text = text.replace("status: active", f"status: {status}")
        _write(tmp_path, text, f"linkage/LNK00{number}_x.sql")
    return load_rulebook(tmp_path)


def test_rulebook_is_in_the_order_of_ids(tmp_path: Path) -> None:
    book = _book(tmp_path)

    assert [rule.id for rule in book.rules] == ["LNK001", "LNK002", "LNK003"]
    assert book.get("LNK002").status is RuleStatus.RETIRED
    with pytest.raises(RuleError, match="There is no rule LNK009"):
        book.get("LNK009")


def test_digest_changes_with_any_file(tmp_path: Path) -> None:
    before = _book(tmp_path).digest
    path = tmp_path / "linkage/LNK003_x.sql"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")

    assert load_rulebook(tmp_path).digest != before


def test_select_takes_active_rules_by_globs(tmp_path: Path) -> None:
    book = _book(tmp_path)

    assert [rule.id for rule in book.select("LNK*").rules] == ["LNK001", "LNK003"]
    assert [rule.id for rule in book.select(" LNK003 , LNK00[1]").rules] == ["LNK001", "LNK003"]


@pytest.mark.parametrize(
    ("patterns", "named"),
    [("DUP*", "DUP*"), ("LNK001,LNK030", "LNK030"), ("LNK002", "LNK002"), ("", "")],
)
def test_select_tells_which_pattern_matches_nothing(
    tmp_path: Path, patterns: str, named: str
) -> None:
    with pytest.raises(RuleError) as caught:
        _book(tmp_path).select(patterns)

    assert caught.value.en == f"No rule matches {named}. See census-audit rules list."


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", "12", "12"),
        ("integer", "-3", "(-3)"),
        ("number", "0.50", "0.50"),
        ("number", "-0.5", "(-0.5)"),
        ("text", "0110", "'0110'"),
        ("text", "它's", "'它''s'"),
        ("text", "", "''"),
        ("date", "2018-12-31", "DATE '2018-12-31'"),
        ("list", "0110", "('0110')"),
        ("list", "A|它's|", "('A', '它''s', '')"),
    ],
)
def test_literal_of_each_kind(kind: str, value: str, expected: str) -> None:
    assert literal(kind, value, "here") == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1.5"),
        ("integer", "1 OR TRUE"),
        ("integer", ""),
        ("integer", "1\n"),
        ("integer", "٣"),
        ("number", "1e5"),
        ("number", "1."),
        ("number", "NaN"),
        ("date", "31.12.2018"),
        ("date", "2018-02-30"),
        ("date", "2018-12-31'"),
        ("text", "a\0b"),
        ("list", "a\0b"),
        ("column", "unit_id"),
    ],
)
def test_value_of_another_kind_is_refused_without_showing_it(kind: str, value: str) -> None:
    with pytest.raises(RuleError) as caught:
        literal(kind, value, "LNK001 least")

    assert caught.value.en == f"LNK001 least: the parameter value is not {kind}"


def test_render_leaves_colons_in_quotes_and_comments() -> None:
    rule = _rule(
        "SELECT ':x' AS a, 'it''s :x' AS b, \":x\" AS c, e.d::BIGINT -- :x and :y\n"
        "/* :x\n :y */ FROM t WHERE e.f=:x",
        ("x", "integer", "1"),
    )

    assert render(rule) == (
        "SELECT ':x' AS a, 'it''s :x' AS b, \":x\" AS c, e.d::BIGINT -- :x and :y\n"
        "/* :x\n :y */ FROM t WHERE e.f=1"
    )


def test_render_tells_names_apart_that_begin_alike() -> None:
    rule = _rule("SELECT :a, :a_b, :a", ("a", "integer", "1"), ("a_b", "integer", "2"))

    assert render(rule) == "SELECT 1, 2, 1"
    assert render(rule, {"a": "5"}) == "SELECT 5, 2, 5"


def test_render_does_not_look_into_what_it_put_in() -> None:
    rule = _rule("SELECT :a, :b", ("a", "text", ":b"), ("b", "text", ":a"))

    assert render(rule) == "SELECT ':b', ':a'"


@pytest.mark.parametrize(
    ("sql", "overrides", "told"),
    [
        ("SELECT :y", {}, "Rule FRM001 uses the undeclared parameter :y"),
        ("SELECT :x", {"y": "1"}, "Rule FRM001 has no parameter y"),
        ("SELECT :x", {"x": "1; DROP TABLE t"}, "FRM001 x: the parameter value is not integer"),
    ],
)
def test_render_refuses(sql: str, overrides: dict[str, str], told: str) -> None:
    with pytest.raises(RuleError) as caught:
        render(_rule(sql, ("x", "integer", "1")), overrides)

    assert caught.value.en == told


def test_negative_number_after_a_minus_is_no_comment(engine: DuckDBEngine) -> None:
    sql = render(_rule("SELECT 3-:x AS y", ("x", "integer", "-1")))

    assert engine.scalar(sql) == 4


def test_list_works_after_in(engine: DuckDBEngine) -> None:
    rule = _rule("SELECT '0110' IN :codes, 'x' IN :codes", ("codes", "list", "0110|a'b"))

    assert engine.rows(render(rule)) == [(True, False)]


# DuckDB keeps NUL out of text, and so does the loader.
ANY_TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
) | st.sampled_from(
    [
        "'",
        "''",
        "\\",
        "\\'",
        "' OR TRUE --",
        "'; DROP TABLE t; --",
        ":x",
        "--",
        "/*",
        "$$",
        "\n",
        "\\n",
    ]
)


@given(ANY_TEXT)
def test_any_text_survives_rendering(engine: DuckDBEngine, value: str) -> None:
    sql = render(_rule("SELECT :x AS subject_id, 1 AS one", ("x", "text", value)))

    assert engine.rows(sql) == [(value, 1)]


@given(ANY_TEXT)
def test_any_text_survives_the_fused_scan(engine: DuckDBEngine, value: str) -> None:
    rule = _rule(
        "SELECT e.region_code, :x AS observed FROM legal_entity AS e WHERE e.a <> :x",
        ("x", "text", value),
    )

    shape = row_shape("FRM001", render(rule))

    assert shape is not None
    assert engine.scalar(f"SELECT {shape.columns['observed']}") == value


@given(st.lists(ANY_TEXT.filter(lambda text: "|" not in text), min_size=1))
def test_any_list_survives_rendering(engine: DuckDBEngine, values: list[str]) -> None:
    sql = render(_rule("SELECT * FROM (VALUES :x)", ("x", "list", "|".join(values))))

    assert engine.rows(sql) == [tuple(values)]


@pytest.mark.parametrize(
    ("same", "said"),
    [
        ({"LNK001": "LNK001"}, "not itself"),
        ({"LNK001": "LNK002", "LNK002": "LNK001"}, "all that LNK002 points to"),
        ({"LNK001": "LNK002", "LNK002": "LNK003"}, "all that LNK002 points to"),
    ],
)
def test_a_fact_is_always_answered_somewhere(
    tmp_path: Path, same: dict[str, str], said: str
) -> None:
    for number in "123":
        rule_id = f"LNK00{number}"
        text = TEXT.replace("LNK001", rule_id).replace("linkage.sample", f"linkage.sample{number}")
        if rule_id in same:
            text = text.replace("version: 3", f"version: 3\nsame_fact: [{same[rule_id]}]")
        _write(tmp_path, text, f"linkage/{rule_id}_sample{number}.sql")
    with pytest.raises(RuleError, match=said):
        load_rulebook(tmp_path)
