"""Suggestions in words, beside the finding they belong to in the workbooks."""

from __future__ import annotations


def _number(column: str) -> str:
    return (
        f"CASE WHEN {column} = round({column}) THEN CAST(CAST({column} AS HUGEINT) AS VARCHAR) "
        f"ELSE CAST(round({column}, 2) AS VARCHAR) END"
    )


def _other(column: str, name: str) -> str:
    return f"CASE WHEN {column} IS NOT NULL THEN '，{name} ' || {_number(column)} END"


def _towards(least: str, most: str) -> str:
    """Return how the value is meant: a bound where only one side is held, else the value itself."""
    return (
        f"CASE WHEN s.high IS NULL THEN ' → {least} ' "
        f"WHEN COALESCE(s.low, 0) = 0 AND s.value < s.observed THEN ' → {most} ' ELSE ' → ' END"
    )


def _item(language: str, words: tuple[str, str], others: tuple[str, str]) -> str:
    """Return the words for one item: as reported, as it would fit, what other sources hold.

    The form is named where the finding is about several.
    """
    form = {"zh": "s.form || ' 表 '", "en": "'form ' || s.form || ' '"}[language]
    parts = [
        f"CASE WHEN n.n_forms > 1 THEN {form} END",
        f"i.item_{language}",
        "' '",
        _number("s.observed"),
        _towards(*words),
        _number("s.value"),
        _other("s.register_value", others[0]),
        _other("s.prior_value", others[1]),
    ]
    return f"concat({', '.join(parts)})"


_ZH = _item("zh", ("不小于", "不大于"), ("部门登记", "上期"))
_EN = _item("en", ("at least", "at most"), ("register", "last period"))
SUGGESTIONS = f"""
CREATE OR REPLACE TEMP TABLE export_suggestion AS
SELECT s.finding_key,
  '。如只有一项填错，可能是：'
    || STRING_AGG({_ZH}, '；' ORDER BY s.form, s.variable)
    || '（仅供核对）' AS zh,
  '. If one item alone is wrong, it may be: '
    || STRING_AGG({_EN}, '; ' ORDER BY s.form, s.variable)
    || ' (to be checked)' AS en
FROM audit.suggestion AS s
JOIN (
  SELECT finding_key, COUNT(DISTINCT form) AS n_forms FROM audit.suggestion GROUP BY finding_key
) AS n ON n.finding_key = s.finding_key
JOIN export_finding AS f ON f.finding_key = s.finding_key
JOIN export_item AS i ON i.variable = s.variable
GROUP BY s.finding_key
"""
"""SQL that makes `export_suggestion`: finding_key, zh, en; items in the order of their names."""
