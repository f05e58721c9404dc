"""Ways of writing that do not make another unit: the normalised name.

All functions are polars expressions: total (any text), idempotent, vectorised.
"""

from __future__ import annotations

import polars as pl

# Brackets, quotes, dots, dashes and blanks that offices put in or leave out at will.
_NOISE = r"[\p{P}\p{S}\p{M}\s\p{C}]"
# Beyond capitals, digits and the common characters, which have no other form and no noise.
_ODD = r"[^0-9A-Z\x{4e00}-\x{9fff}]"


def clean_text(text: pl.Expr) -> pl.Expr:
    """Fold widths and compatibility forms (NFKC) and trim blanks; an empty text becomes NULL."""
    folded = text.str.normalize("NFKC").str.strip_chars()
    return pl.when(folded != "").then(folded)


def name_key(name: pl.Expr) -> pl.Expr:
    """Return the normalised name: what remains when two ways to write a name are the same.

    Widths, blanks, brackets and punctuation go; 有限责任公司 and 有限公司 are one form; the mark
    本部 of a headquarters goes, as it shares its legal entity's name by right (domain 1.3).
    """
    odd = name.str.contains(_ODD)
    # Folding is dear and changes few names; the others are NULL to it.
    some = pl.when(odd).then(name)
    folded = some.str.normalize("NFKC").str.to_uppercase().str.normalize("NFKC")
    # Taking noise out can bring characters together that compose, hence once more.
    bare = folded.str.replace_all(_NOISE, "").str.normalize("NFKC")
    bare = pl.when(odd).then(bare).otherwise(name)
    unmarked = bare.str.replace(r"(本部)+$", "")
    key = unmarked.str.replace_all("有限责任公司", "有限公司", literal=True)
    return pl.when(key != "").then(key)


def note_key(note: pl.Expr) -> pl.Expr:
    """Return a remark without widths, case, blanks and punctuation; figures in it stay.

    The number of a record or the date of a call is what makes one remark differ from another.
    """
    folded = note.str.normalize("NFKC").str.to_uppercase()
    bare = folded.str.replace_all(_NOISE, "").str.normalize("NFKC")
    return pl.when(bare != "").then(bare)
