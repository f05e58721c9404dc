"""Suggestions in words, beside the finding they belong to in the workbooks."""

from __future__ import annotations

MOST_ITEMS = 3
"""Items that are told with their values; with more a suggestion no longer helps to choose."""

MOST_NAMES = 6
"""Items that are named where more than `MOST_ITEMS` may be wrong."""


def _number(column: str) -> str:
    return (
        # Doubled braces, since the statement is formatted once more.
        f"CASE WHEN {column} = round({column}) "
        f"THEN format('{{{{:,}}}}', CAST({column} AS HUGEINT)) "
        f"ELSE format('{{{{:,.2f}}}}', {column}) END"
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


def _named(language: str, joint: str) -> str:
    """Return the names of the first items, each once, without their values."""
    names = f"list_distinct(LIST(i.item_{language} ORDER BY s.form, s.variable))"
    return f"array_to_string(list_sort({names})[:{MOST_NAMES}], '{joint}')"


SUGGESTIONS = f"""
CREATE OR REPLACE TEMP TABLE export_suggestion AS
WITH told AS (
  SELECT s.finding_key, COUNT(DISTINCT s.variable) AS n_items,
    STRING_AGG({_ZH}, '；' ORDER BY s.form, s.variable) AS items_zh,
    STRING_AGG({_EN}, '; ' ORDER BY s.form, s.variable) AS items_en,
    {_named("zh", "、")} AS names_zh, {_named("en", ", ")} AS names_en
  FROM audit.suggestion AS s
  JOIN (
    SELECT finding_key, COUNT(DISTINCT form) AS n_forms FROM audit.suggestion GROUP BY finding_key
  ) AS n ON n.finding_key = s.finding_key
  JOIN export_finding AS f ON f.finding_key = s.finding_key
  JOIN export_item AS i ON i.variable = s.variable
  GROUP BY s.finding_key
)
SELECT finding_key,
  CASE WHEN n_items <= {MOST_ITEMS}
    THEN '。如只有一项填错，可能是：' || items_zh || '（仅供核对）'
    ELSE '。可能填错的有 ' || n_items || ' 项，请逐项核对：' || names_zh
      || CASE WHEN n_items > {MOST_NAMES} THEN '等' ELSE '' END END AS zh,
  CASE WHEN n_items <= {MOST_ITEMS}
    THEN '. If one item alone is wrong, it may be: ' || items_en || ' (to be checked)'
    ELSE '. Any of ' || n_items || ' items may be wrong, check each: ' || names_en
      || CASE WHEN n_items > {MOST_NAMES} THEN ' and others' ELSE '' END END AS en
FROM told
"""
"""SQL that makes `export_suggestion`: finding_key, zh, en; items in the order of their names."""
