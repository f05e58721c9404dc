"""From records as written to packed features, and to the parts of names as text.

Records are parsed in blocks that fit a processor's cache, on two threads; a record's features
depend on the record, the gazetteer and the lexicon only. Texts that come again may be parsed once
(`texts.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from audit.matching.addresses import parse_addresses
from audit.matching.cells import Cells, numbers
from audit.matching.characters import U64, Flags, Text, folded, written
from audit.matching.credit_codes import organisation
from audit.matching.features import KINDS, Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.latin import is_latin, latin_texts
from audit.matching.lexicon import Lexicon
from audit.matching.names import split_names
from audit.matching.naming import name_by_owner, parse_names
from audit.matching.people import parse_owners
from audit.matching.phones import both
from audit.matching.texts import Arrays, Texts, blockwise, in_one

NAME, OWNER, ADDRESS = "name", "owner", "address"
"""Kinds of texts that `Texts` remembers."""
Keeper = Callable[[pl.DataFrame, Callable[[pl.DataFrame], Arrays]], Arrays]
"""Returns the fields of records that a function, given records, parses."""
_INDUSTRY, _REGION = r"^\s*[A-Z]?([0-9]{4})\s*$", r"^\s*([0-9]{2,12})"


def parse_units(
    records: pl.DataFrame,
    *,
    gazetteer: Gazetteer,
    lexicon: Lexicon | None = None,
    texts: Texts | None = None,
    kept: Keeper | None = None,
) -> Features:
    """Return the features of records (RECORD_SCHEMA), in their order.

    Without a lexicon it is learnt from these records. `texts` remembers names, persons and
    addresses from call to call (with the same gazetteer and lexicon); `kept` is asked for the
    fields of these three and need not have all records parsed. Any text is parsed; none raises.
    """
    known = lexicon or Lexicon.learn(records, gazetteer=gazetteer)
    parser = _Parser(gazetteer, known, Texts() if texts is None and kept else texts)
    found = in_one(blockwise(records, parser.parse), len(records))
    if kept is not None:
        found.update(kept(records, parser.remembered))
    elif texts is not None:
        found.update(parser.remembered(records))
    return Features(**found)


@dataclass(frozen=True, slots=True)
class _Parser:
    """Parses blocks of records; with `texts` only what is not remembered from text to text."""

    gazetteer: Gazetteer
    lexicon: Lexicon
    texts: Texts | None

    def parse(self, records: pl.DataFrame) -> Arrays:
        """Return the arrays of `Features` for one block."""
        codes = organisation(records["credit_code"], records["org_code"])
        places = _places(records["region_code"])
        phone_a, phone_b = both(records["phone_fixed"], records["phone_mobile"], places["county"])
        kinds = pl.col("table_name").replace_strict(KINDS, default=0, return_dtype=pl.UInt8)
        found = {
            **arrays_of(codes),
            **places,
            "phone_a": phone_a,
            "phone_b": phone_b,
            "industry_code": _numbers(records["industry_code"], 4, _INDUSTRY).astype(np.uint16),
            "kind": records.select(kinds.fill_null(0)).to_series().to_numpy(),
            "parent": _parents(records["parent_credit_code"]),
        }
        if self.texts is None:
            owners, names = self._owners(records["owner"]), self._names(records["name"])
            found |= self._addresses(records["address"]) | _named(records, names, owners)
        return found

    def remembered(self, records: pl.DataFrame) -> Arrays:
        """Return the arrays that come from names, persons and addresses, each text parsed once."""
        texts = self.texts or Texts()
        owners = texts.fields(OWNER, records["owner"], self._owners)
        names = texts.fields(NAME, records["name"], self._names)
        addresses = texts.fields(ADDRESS, records["address"], self._addresses)
        return addresses | _named(records, names, owners)

    def _owners(self, column: pl.Series) -> Arrays:
        return arrays_of(parse_owners(column))

    def _names(self, column: pl.Series) -> Arrays:
        return parse_names(column, self.gazetteer, self.lexicon)

    def _addresses(self, column: pl.Series) -> Arrays:
        return arrays_of(parse_addresses(column, self.gazetteer))


def arrays_of(parsed: Any) -> Arrays:
    """Return the arrays of a dataclass by name."""
    return {f.name: getattr(parsed, f.name) for f in fields(parsed)}


def _named(records: pl.DataFrame, names: Arrays, owners: Arrays) -> Arrays:
    """Return the arrays of names and owners, the one standing in for the other where it lacks."""
    name_by_owner(names, owners)
    names["is_headquarters"] = names["is_headquarters"] | _flags(records["is_headquarters"])
    return owners | names


def _flags(column: pl.Series) -> Flags:
    if column.null_count() == len(column):
        return np.zeros(len(column), dtype=np.bool_)
    flags: Flags = column.fill_null(value=False).to_numpy()
    return flags


def _parents(column: pl.Series) -> U64:
    """Return the hashes of the organisation codes in a column that most records leave empty."""
    result = np.zeros(len(column), dtype=np.uint64)
    if column.null_count() < len(column):
        rows = np.flatnonzero(column.is_not_null().to_numpy())
        none = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
        result[rows] = organisation(column[rows], none).org
    return result


def _numbers(column: pl.Series, width: int, pattern: str) -> U64:
    """Return codes of so many digits as numbers, 0 of none.

    What is not written in these digits alone is read by the pattern and filled up with zeros.
    """
    result = np.zeros(len(column), dtype=np.uint64)
    cells = Cells(column)
    rows, chars = cells.of_width(width)
    value, plain = numbers(chars)
    rows = rows[plain]
    result[rows] = value[plain]
    other = cells.given.copy()
    other[rows] = False
    rest = np.flatnonzero(other)
    if len(rest):
        found = column[rest].str.normalize("NFKC").str.extract(pattern)
        result[rest] = found.str.pad_end(width, "0").cast(pl.UInt64).fill_null(0).to_numpy()
    return result


def _places(column: pl.Series) -> Arrays:
    """Return county, township and village as numbers; 0 where the code does not reach so far."""
    village = _numbers(column, 12, _REGION)
    county = village // np.uint64(10**6)
    township = village // np.uint64(1000)
    return {
        "county": county.astype(np.uint32),
        "township": np.where(township % np.uint64(1000) == 0, np.uint64(0), township),
        "village": np.where(village % np.uint64(1000) == 0, np.uint64(0), village),
    }


def name_parts(
    names: pl.Series, gazetteer: Gazetteer, lexicon: Lexicon | None = None
) -> pl.DataFrame:
    """Return the parts of names as text, in the order of `names`, NULL where a part is missing.

    Columns: name_core, trade_name, industry_words, org_form, branch_part, region_prefix. They are
    folded (simplified characters, upper case, 有限责任公司 as 有限公司).
    """
    text = folded(names)
    parts = split_names(text, gazetteer, (lexicon or Lexicon.shipped()).phrases)
    line, region = parts.line, parts.region
    begin = np.where(parts.own_place, region.place_start, parts.trade[0])
    frame = pl.DataFrame(
        {
            "name_core": written(line, begin, parts.industry[1]),
            "trade_name": written(line, begin, parts.trade[1]),
            "industry_words": written(line, *parts.industry),
            "org_form": written(line, *parts.form_at),
            "branch_part": written(line, *parts.branch),
            "region_prefix": written(line, line.starts, begin),
        }
    )
    rows = np.flatnonzero(is_latin(text))
    if not len(rows):
        return frame
    other = latin_texts(Text(text.codes, text.starts[rows], text.ends[rows]))
    return frame.with_columns(
        frame[name].scatter(rows.tolist(), other.get(name, [None] * len(rows)))
        for name in frame.columns
    )
