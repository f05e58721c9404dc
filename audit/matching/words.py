"""Words that names are made of, read from words.txt: forms, industries, branches, marks."""

from __future__ import annotations

from pathlib import Path

FIRM, SHOP, PLACE, SOCIETY = 1, 2, 3, 4
"""Classes of forms: named by a 字号 (firm, shop), by where it is (place), by its members."""

_CLASSES = {"firm": FIRM, "shop": SHOP, "place": PLACE, "society": SOCIETY}


def _sections() -> dict[str, list[list[str]]]:
    """Return the lines of each section, split into words."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line.split())
    return sections


_TEXT = _sections()


def _flat(section: str) -> tuple[str, ...]:
    return tuple(word for line in _TEXT[section] for word in line)


FORM_GROUPS = tuple((_CLASSES[kind], tuple(words)) for kind, *words in _TEXT["forms"])
"""Class and ways of writing of each form; its number is its place, from 1."""

INDUSTRY_WORDS = _flat("industry")
PLAIN_PLACE_WORDS = _flat("plain_place")
BRANCH_ALWAYS, BRANCH_AFTER_HEAD = _flat("branch_always"), _flat("branch_after_head")
BRANCH_HEADS = _flat("branch_heads")
HEADQUARTERS = _flat("headquarters")
DROPPED_IN_BRACKETS = _flat("dropped_in_brackets")
ALIAS_MARKS = _flat("alias_marks")
PLACEHOLDERS = _flat("placeholders")
SELF_EMPLOYED_MARKS = _flat("self_employed")
PROVINCES, CITIES, ZONES = _flat("provinces"), _flat("cities"), _flat("zones")
LATIN_MARKS, LATIN_BRANCHES = _flat("latin_marks"), _flat("latin_branches")
LATIN_INDUSTRIES = _flat("latin_industry")
LATIN_SAME = {line[0]: line[1] for line in _TEXT["latin_same"]}


def form_phrases(*, latin: bool = False) -> dict[str, int]:
    """Return the forms with the number of their group; those in Latin letters, or the others."""
    return {
        word: number
        for number, (_, words) in enumerate(FORM_GROUPS, 1)
        for word in words
        if word.isascii() == latin
    }


def form_classes() -> list[int]:
    """Return the class of each group's number; 0 of none."""
    return [0, *(kind for kind, _ in FORM_GROUPS)]
