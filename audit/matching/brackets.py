"""What stands in brackets in a name: a region, a mark, an alias, or a piece of the name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.matching.characters import LETTERS_FROM, Flags, Hashes, Ints, Phrases, Text
from audit.matching.gazetteer import Gazetteer
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
    opening, closing = text.codes == _OPEN, text.codes == _CLOSE
    spots = np.flatnonzero(opening | closing)
    if not len(spots):
        return spots, spots
    rows = np.searchsorted(text.ends, spots, side="right")
    first = np.searchsorted(rows, rows)
    turn = (np.arange(len(spots)) - first) % 2 == 0
    wrong = turn != opening[spots]
    count = np.bincount(rows, minlength=len(text))
    bad = (np.bincount(rows, weights=wrong, minlength=len(text)) > 0) | (count % 2 == 1)
    good = ~bad[rows]
    return spots[good & opening[spots]], spots[good & closing[spots]]


@dataclass(frozen=True, slots=True)
class Unbracketed:
    """Letters of names less what brackets add; positions are in `text`.

    `headquarters`: a bracket marks a 本部. `branch`: where a branch in a last bracket begins, -1
    where there is none.
    """

    text: Text
    headquarters: Flags
    branch: Ints


def without_brackets(text: Text, gazetteer: Gazetteer) -> Unbracketed:
    """Return names without brackets.

    Dropped: a region, a mark, an alias behind the name. Kept in line: a branch, the rest.
    """
    headquarters = np.zeros(len(text), dtype=np.bool_)
    branches = np.full(len(text), -1, dtype=np.int64)
    opened, closed = pairs(text)
    letters = text.codes >= LETTERS_FROM
    plain = text.only(letters)
    if not len(opened):
        return Unbracketed(plain, headquarters, branches)
    places = np.concatenate([[0], np.cumsum(letters)])
    hashes = Hashes(plain)
    rows = np.searchsorted(text.ends, opened, side="right")
    starts, ends = places[opened], places[closed]
    lengths, marks = _MARKS.longest(hashes, starts, ends)
    marked = (lengths > 0) & (lengths == ends - starts)
    headquarters[rows[marked & (marks == 2)]] = True
    branch = _BRANCHES.longest(hashes, starts, ends, at_end=True)[0] > 0
    branch &= _ALIASES.longest(hashes, starts, ends)[0] == 0
    last = (ends == plain.ends[rows]) & (starts > plain.starts[rows])
    dropped = marked | is_region(hashes, starts, ends, gazetteer) | (last & ~branch)
    # A name that is nothing but its brackets keeps them.
    dropped &= ends - starts < plain.lengths[rows]
    change = np.zeros(len(plain.codes) + 1, dtype=np.int64)
    np.add.at(change, starts[dropped], 1)
    np.add.at(change, ends[dropped], -1)
    keep = np.cumsum(change[:-1]) == 0
    begun = last & branch & ~dropped
    branches[rows[begun]] = np.concatenate([[0], np.cumsum(keep)])[starts[begun]]
    return Unbracketed(plain.only(keep), headquarters, branches)
