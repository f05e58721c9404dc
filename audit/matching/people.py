"""Names of owners and persons in charge, as written and as they sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from audit.matching.characters import (
    U16,
    U64,
    Hashes,
    Text,
    folded,
    hashed,
    matrix,
)
from audit.matching.features import OWNER_CHARS
from audit.matching.words import PLACEHOLDERS

_COMMA, _OPEN = np.uint32(ord(",")), np.uint32(ord("("))


@dataclass(frozen=True, slots=True)
class Owners:
    """Hashes and characters of n owners as in `Features`; `text` their letters."""

    owner: U64
    owner_sound: U64
    owner_chars: U16


@cache
def placeholders() -> U64:
    """Return the hashes of what stands for no name."""
    return hashed(PLACEHOLDERS)


def parse_owners(column: pl.Series) -> Owners:
    """Return the first person of each cell: what stands before a comma or a bracket."""
    text = folded(column)
    part = (text.codes == _COMMA) | (text.codes == _OPEN)
    stop = text.first(part)
    ends = np.where(stop > text.starts, stop, text.ends)
    letters = Text(text.codes, text.starts, ends).letters()
    hashes, heard_in = Hashes(letters), Hashes(letters.sounding())
    owner = hashes.of(letters.starts, letters.ends)
    none = np.isin(owner, placeholders())
    heard = heard_in.of(letters.starts, letters.ends)
    chars = matrix(hashes, letters.starts, letters.ends, OWNER_CHARS)
    chars[none] = 0
    return Owners(
        np.where(none, 0, owner).astype(np.uint64),
        np.where(none, 0, heard).astype(np.uint64),
        chars,
    )
