"""What stands in brackets in a name: a region, a mark, an alias, or a piece of the name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.matching.characters import LETTERS_FROM, Flags, Hashes, Ints, Text
from audit.matching.gazetteer import Gazetteer
from audit.matching.phrases import Phrases
from audit.matching.regions import is_region
from audit.matching.words import (
    ALIAS_MARKS,
    BRANCH_AFTER_HEAD,
    BRANCH_ALWAYS,
    DROPPED_IN_BRACKETS,
    HEADQUARTERS,
)

_OPEN, _CLOSE = np.uint32(ord("(")), np.uint32(ord(")"))
_MARKS = Phrases({word: 1 + (word in HEADQUARTERS) for word in DROPPED_IN_BRACKETS})
_ALIASES = Phrases(dict.fromkeys(ALIAS_MARKS, 1))
_BRANCHES = Phrases(dict.fromkeys((*BRANCH_ALWAYS, *BRANCH_AFTER_HEAD), 1))


def pairs(text: Text) -> tuple[Ints, Ints]:
    """Return positions of the opening and closing brackets of records that pair them simply."""
    spots = np.flatnonzero((text.codes == _OPEN) | (text.codes == _CLOSE))
    if not len(spots):
        return spots, spots
    opening = text.codes[spots] == _OPEN
    rows = text.row_of(spots)
    first = np.searchsorted(rows, rows)
    turn = (np.arange(len(spots)) - first) % 2 == 0
    wrong = turn != opening
    count = np.bincount(rows, minlength=len(text))
    bad = (np.bincount(rows, weights=wrong, minlength=len(text)) > 0) | (count % 2 == 1)
    good = ~bad[rows]
    return spots[good & opening], spots[good & ~opening]


@dataclass(frozen=True, slots=True)
class Unbracketed:
    """Letters of names less what brackets add; positions are in `text`.

    `bracketed`: records that have brackets. `headquarters`: a bracket marks a 本部. `branch`:
    where a branch in a last bracket begins, -1 where there is none.
    """

    text: Text
    bracketed: Ints
    headquarters: Flags
    branch: Ints


def without_brackets(text: Text, gazetteer: Gazetteer) -> Unbracketed:
    """Return names without brackets.

    Dropped: a region, a mark, an alias behind the name. Kept in line: a branch, the rest.
    """
    headquarters = np.zeros(len(text), dtype=np.bool_)
    branches = np.full(len(text), -1, dtype=np.int64)
    letters = text.codes >= LETTERS_FROM
    plain = text.only(letters)
    opened, closed = pairs(text)
    if not len(opened):
        return Unbracketed(plain, opened, headquarters, branches)
    rows = text.row_of(opened)
    bracketed = rows[np.diff(rows, prepend=-1) != 0]
    separators = np.flatnonzero(~letters)
    starts, ends = (spots - np.searchsorted(separators, spots) for spots in (opened, closed))
    dropped, marks, branch = _kinds(plain, rows, (starts, ends), gazetteer)
    headquarters[rows[marks]] = True
    gone = Text(plain.codes, starts[dropped], ends[dropped]).places()
    keep = np.ones(len(plain.codes), dtype=np.bool_)
    keep[gone] = False
    branches[rows[branch]] = starts[branch] - np.searchsorted(gone, starts[branch])
    return Unbracketed(plain.only(keep), bracketed, headquarters, branches)


def _kinds(
    plain: Text, rows: Ints, bounds: tuple[Ints, Ints], gazetteer: Gazetteer
) -> tuple[Flags, Flags, Flags]:
    """Return which brackets are dropped, which mark a 本部, and which are branches at the end."""
    own, which = np.unique(rows, return_inverse=True)
    some = plain.some(own)
    hashes, starts = Hashes(some), bounds[0] - plain.starts[rows] + some.starts[which]
    ends = starts + bounds[1] - bounds[0]
    lengths, marks = _MARKS.longest(hashes, starts, ends)
    marked = (lengths > 0) & (lengths == ends - starts)
    branch = _BRANCHES.longest(hashes, starts, ends, at_end=True)[0] > 0
    branch &= _ALIASES.longest(hashes, starts, ends)[0] == 0
    last = (ends == some.ends[which]) & (starts > some.starts[which])
    dropped = marked | is_region(hashes, starts, ends, gazetteer) | (last & ~branch)
    # A name that is nothing but its brackets keeps them.
    dropped &= ends - starts < some.lengths[which]
    return dropped, marked & (marks == 2), last & branch & ~dropped
