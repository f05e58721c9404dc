"""Rows of confidential units: known by salted digests only, counted and never kept.

The digest is sha256 of the salt followed by the credit code or by the normalised name. Digests
tell only whole texts: a name inside a sentence cannot be seen, a credit code inside one can.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import polars as pl

from audit.contracts import CONTRACT, Table
from audit.errors import InputError
from audit.normalise import name_key
from pipelines.parsing import BLANKS, normalise_text
from pipelines.readers.model import BrokenRow, Header, RefusedFileError, Source, position
from pipelines.readers.opening import open_source

TABLE = "confidential_digest"
CANARY, CANARY_KIND = "census-audit salt check", "0"
"""A public text whose digest, in a row of its own kind, tells a wrong salt from a right one."""
CODE_KIND, NAME_KIND = "1", "2"
NAME_COLUMNS = ("name", "parent_name", "unit_name")
UNIT_COLUMNS = ("unit_id", "legal_unit_id")
_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_BLANKS = rf"[\s{BLANKS}]+"
_WORDS = r"[^\x00-\x7f]|[0-9A-Za-z]{18}"
"""What a Chinese name or a code has, and a figure, a date, an id or a telephone number has not."""
_NOISY = r"[\p{P}\p{S}\p{M}\s\p{C}\p{Ll}\p{Lt}]|本部|有限责任公司"
"""What the normalised name leaves out or writes otherwise (`audit.normalise.name_key`)."""
_RUN = r"[0-9A-Za-z]{18,}"
CODE_LENGTH = 18
MOST_PIECES = 8
_PARTS = re.compile(r"[^\w]+|_")


def digest(salt: bytes, text: str) -> bytes:
    """Return the digest of a code or a normalised name."""
    return hashlib.sha256(salt + text.encode()).digest()


def identifying(table: Table) -> list[str]:
    """Return the columns of a table that name the row's unit, or its parent, by code or name."""
    return [
        c.name for c in table.columns if c.name.endswith("credit_code") or c.name in NAME_COLUMNS
    ]


def _ways(values: pl.Series) -> list[pl.DataFrame]:
    """Return the ways of writing distinct values in NFKC that a list may hold: `value`, `form`.

    Only those are made that differ from the value: nearly all values have one way.
    """
    noisy = values.filter(values.str.contains(_NOISY))
    key = pl.select(name_key(pl.lit(noisy))).to_series()
    holding = values.filter(values.str.contains(r"[0-9A-Za-z]{18}"))
    runs = pl.DataFrame({"value": holding, "form": holding.str.extract_all(_RUN)}).explode("form")
    return [
        pl.DataFrame({"value": values, "form": values}),
        pl.DataFrame({"value": noisy, "form": noisy.str.to_uppercase()}),
        pl.DataFrame({"value": noisy, "form": noisy.str.replace_all(_BLANKS, "")}),
        pl.DataFrame({"value": noisy, "form": key}),
        runs.filter(pl.col("form").str.len_bytes() == 18).with_columns(
            pl.col("form").str.to_uppercase()
        ),
    ]


def _wanted(cells: pl.DataFrame, names: frozenset[str]) -> pl.Series:
    """Return the distinct values to look up: all of the columns `names`, the wordy of others."""
    size, length = pl.all().str.len_bytes(), pl.all().str.len_chars()
    largest = cells.select(size.max()).row(0, named=True)
    beyond = cells.select((size - length).max()).row(0, named=True)
    values = [
        cells.get_column(name).drop_nulls().unique()
        for name, most in largest.items()
        if name in names or (most or 0) >= CODE_LENGTH or beyond[name]
    ]
    wordy = [text.filter(_is_wordy(text)) if text.name not in names else text for text in values]
    return pl.concat([pl.Series(dtype=pl.String), *(text.alias("") for text in wordy)]).unique()


def _is_wordy(text: pl.Series) -> pl.Series:
    size = text.str.len_bytes()
    beyond = size != text.str.len_chars()
    # The pattern is dear, and most cells are short figures.
    some = text.set(beyond | (size < CODE_LENGTH), None)
    return beyond | some.str.contains(_WORDS).fill_null(value=False)


def _joined(text: str) -> Iterator[str]:
    """Yield the pieces of a text between its marks, and neighbours put together."""
    parts = _PARTS.split(text)
    for start in range(len(parts)):
        for end in range(start + 1, min(start + MOST_PIECES, len(parts)) + 1):
            yield "".join(parts[start:end])


@dataclass(frozen=True)
class Confidential:
    """The digests of a delivery and their salt; without digests nothing is confidential."""

    digests: frozenset[str] = frozenset()
    salt: bytes = b""
    checked: bool = False
    """Whether a check row of the list has shown that the salt is the right one."""

    @cached_property
    def _known(self) -> frozenset[bytes]:
        return frozenset(map(bytes.fromhex, self.digests))

    @cached_property
    def _marks(self) -> set[str]:
        """Keyed digests of the ids of the confidential forms met so far."""
        return set()

    @cached_property
    def _met(self) -> set[str]:
        """Ids of the forms met in files that were read tonight: in memory only, never kept."""
        return set()

    @cached_property
    def _recalled(self) -> set[str]:
        """Marks of forms in files that were not read tonight."""
        return set()

    @cached_property
    def _headers(self) -> dict[tuple[Header, int], Header]:
        return {}

    def recall(self, marks: Iterable[str]) -> None:
        """Take up `marks` of an earlier night, for a file that is not read again."""
        self._recalled.update(marks)
        self._marks.update(self._recalled)

    def mark(self, unit_id: str) -> str:
        """Return the keyed digest that a form is remembered by."""
        return hmac.digest(self.salt, f"unit {unit_id}".encode(), "sha256").hex()

    def remember(self, unit_ids: Iterable[str | None]) -> None:
        """Note the forms of confidential units, so that their returns and visits are hidden too."""
        met = {unit_id for unit_id in unit_ids if unit_id}
        self._met.update(met)
        self._marks.update(map(self.mark, met))

    def _matches(self, values: pl.Series) -> list[str]:
        """Return the values that name a confidential unit in one of their ways of writing."""
        if not self.digests or values.is_empty():
            return []
        known, salt, sha = self._known, self.salt, hashlib.sha256
        found: set[str] = set()
        for way in _ways(values):
            whole = way.drop_nulls()
            forms = whole["form"].cast(pl.Binary).to_list()
            hits = [sha(salt + form).digest() in known for form in forms]
            if any(hits):
                found.update(whole.filter(pl.Series(hits))["value"])
        return sorted(found)

    def _unit_matches(self, values: pl.Series) -> list[str]:
        met = self._met.intersection(values) if self._met else set()
        recalled = self._recalled
        return sorted(met.union(v for v in values if self.mark(v) in recalled) if recalled else met)

    def rows(self, table: Table, texts: pl.DataFrame) -> pl.Series:
        """Tell which rows of normalised text name a confidential unit, in whatever column."""
        found = self.in_any_cell(texts, frozenset(identifying(table)))
        for name in UNIT_COLUMNS if self._marks else ():
            if name in texts.columns:
                column = texts.get_column(name)
                if matched := self._unit_matches(column.drop_nulls().unique()):
                    found = found | column.is_in(matched).fill_null(value=False)
        return found

    def in_any_cell(self, cells: pl.DataFrame, names: frozenset[str] = frozenset()) -> pl.Series:
        """Tell which rows have a cell that is a confidential name or code, or holds such a code.

        Outside the columns `names`, a name in Latin letters alone is not looked for.
        """
        found = pl.repeat(value=False, n=cells.height, eager=True, dtype=pl.Boolean)
        if not self.digests or cells.is_empty():
            return found
        # A value in several columns is looked up once.
        matched = pl.Series(self._matches(_wanted(cells, names)), dtype=pl.String)
        if matched.is_empty():
            return found
        wordy = matched.filter(matched.str.contains(_WORDS))
        for column in cells.get_columns():
            told = matched if column.name in names else wordy
            found = found | column.is_in(told.implode()).fill_null(value=False)
        return found

    def in_cells(self, cells: Iterable[str]) -> bool:
        """Tell whether texts of unknown make name a confidential unit, between marks and blanks."""
        if not self.digests:
            return False
        folded = [unicodedata.normalize("NFKC", cell).strip(BLANKS) for cell in cells]
        parts = {part for cell in folded for part in (cell, *_joined(cell)) if part}
        texts = pl.Series(sorted(parts), dtype=pl.String)
        return bool(self._matches(texts) or (self._marks and self._unit_matches(texts)))

    def pieces(self, broken: Sequence[BrokenRow]) -> set[int]:
        """Return the numbers of broken rows that name a unit, and of all that are joined to them.

        A line end inside a cell cuts a row in several, of which one at most names the unit.
        """
        found = {row.row_no for row in broken if self.in_cells(row.cells)}
        rows = sorted(row.row_no for row in broken) if found else []
        for way in (rows, rows[::-1]):
            for before, row in pairwise(way):
                if before in found and abs(row - before) == 1:
                    found.add(row)
        return found

    def without_names(self, header: Header) -> Header:
        """Return a header whose cells tell nothing: one that names a unit becomes its number."""
        key = (header, len(self._marks))
        if key not in self._headers:
            self._headers[key] = self._hide_names(header)
        return self._headers[key]

    def _hide_names(self, header: Header) -> Header:
        if not self.in_cells((*header.labels, *header.unknown)):
            return header
        hidden = {label for label in (*header.labels, *header.unknown) if self.in_cells([label])}
        return replace(
            header,
            labels=tuple(
                f"列{n}（已隐去 hidden）" if label in hidden else label
                for n, label in enumerate(header.labels, 1)
            ),
            unknown=tuple(label for label in header.unknown if label not in hidden),
        )

    def without_name(self, source: Source) -> Source:
        """Return a file whose path tells nothing: one that names a unit goes by its number."""
        if not self.in_cells([source.file]):
            return source
        return replace(source, file=f"（文件名已隐去 name hidden）{source.file_no}")


def _digests(source: Source) -> tuple[set[str], set[str]]:
    """Return the digests of a list, and those of its salt checks."""
    reading = open_source(source)
    if reading.header.missing:
        raise unsafe(source.file)
    found: set[str] = set()
    canaries: set[str] = set()
    for batch in reading.batches:
        columns = [position(batch.header.columns.index(name)) for name in ("digest", "kind")]
        texts, kinds = normalise_text(batch.frame.select(columns)).get_columns()
        values = texts.str.to_lowercase().to_list()
        if batch.broken or any(text is None or not _DIGEST.match(text) for text in values):
            raise unsafe(source.file)
        marked = dict(zip(values, kinds.to_list(), strict=True))
        canaries.update(text for text, kind in marked.items() if kind == CANARY_KIND)
        found.update(values)
    return found - canaries, canaries


def wrong_salt(path: Path | None) -> InputError:
    """Return the error of a salt that is not the one that the digests were made with."""
    return InputError(
        f"盐值文件 {path} 与保密单位摘要名册不符（盐值校验行对不上），用它无法识别保密单位，"
        "本次运行已停止。"
        "请换成制作该名册时所用的盐值文件。",
        f"The salt file {path} is not the one that the list of confidential digests was made with: "
        "its check row does not agree, and no confidential unit would be recognised. The run "
        "stops. Name the right file.",
    )


def unsafe(file: str) -> InputError:
    """Return the error of a list of digests that cannot be relied on."""
    title = CONTRACT.tables[TABLE].title
    return InputError(
        f"{title.zh}“{file}”读不完整：每行必须是 64 位十六进制摘要。"
        "为防止保密单位数据进入，本次运行已停止。请更正该文件后重新运行。",
        f"The list of digests “{file}” cannot be read whole: every row must be 64 hexadecimal "
        "digits. The run stops, so that no confidential data can enter. Correct the file and run "
        "again.",
    )


def read_salt(path: Path | None) -> bytes:
    """Return the salt, without the line end behind it; InputError where there is none."""
    if path is None:
        raise InputError(
            "报送数据中有保密单位摘要名册，但没有指定盐值文件，无法识别保密单位，本次运行已停止。"
            "请用 --salt-file 或配置 [confidential] salt_file 指定盐值文件。",
            "The delivery lists digests of confidential units, but no salt file is named, so they "
            "cannot be recognised; the run stops. Name the file with --salt-file or "
            "[confidential] salt_file.",
        )
    try:
        salt = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"盐值文件 {path} 无法读取。请检查路径和权限。",
            f"The salt file {path} cannot be read. Check its path and permissions.",
        ) from error
    salt = salt.removesuffix(b"\n").removesuffix(b"\r")
    if not salt.strip():
        raise InputError(
            f"盐值文件 {path} 是空的，无法识别保密单位，本次运行已停止。请换成正确的盐值文件。",
            f"The salt file {path} is empty, so confidential units cannot be recognised; the run "
            "stops. Name the right file.",
        )
    return salt


def read_confidential(sources: Iterable[Source], salt_file: Path | None) -> Confidential:
    """Read the digests of a delivery, before anything else of it is read.

    InputError where there are digests and no salt or a wrong one (where a list can tell), or a
    list that cannot be read whole.
    """
    digests: set[str] = set()
    canaries: set[str] = set()
    for source in sources:
        if source.table == TABLE:
            try:
                listed, checks = _digests(source)
            except RefusedFileError as error:
                raise unsafe(source.file) from error
            digests |= listed
            canaries |= checks
    if not digests and not canaries:
        return Confidential()
    salt = read_salt(salt_file)
    if canaries - {digest(salt, CANARY).hex()}:
        raise wrong_salt(salt_file)
    return Confidential(frozenset(digests), salt, bool(canaries))
