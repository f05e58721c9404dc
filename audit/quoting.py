"""Texts in SQL."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(value: object) -> str:
    """Return the SQL literal of a text; of anything else, of its text."""
    return "'" + str(value).replace("'", "''") + "'"


def quoted_list(texts: Iterable[object]) -> str:
    """Return the SQL literals of texts with commas between, for IN."""
    return ", ".join(map(quoted, texts))
