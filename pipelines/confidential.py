"""Rows of confidential units: known by salted digests only, counted and never kept.

The digest is sha256 of the salt followed by the credit code or by the normalised name.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from audit.contracts import CONTRACT, Table
from audit.errors import InputError
from audit.normalise import name_key
from pipelines.parsing import BLANKS, normalise_text
from pipelines.readers.model import RefusedFileError, Source, position
from pipelines.readers.opening import open_source

TABLE = "confidential_digest"
NAME_COLUMNS = ("name", "parent_name", "unit_name")
_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_BLANKS = rf"[\s{BLANKS}]+"
MOST_CLEARED = 2_000_000
UNIT_COLUMNS = ("unit_id", "legal_unit_id")


def identifying(table: Table) -> list[str]:
    """Return the columns of a table that can name a unit by its credit code or its name."""
    return [
        c.name for c in table.columns if c.name.endswith("credit_code") or c.name in NAME_COLUMNS
    ]


@dataclass(frozen=True)
class Confidential:
    """The digests of a delivery and their salt; without digests nothing is confidential."""

    digests: frozenset[str] = frozenset()
    salt: bytes = b""

    def _matches(self, values: pl.Series) -> list[str]:
        """Return the values that name a confidential unit in one of their ways of writing."""
        ways = (
            values,
            values.str.to_uppercase(),
            values.str.replace_all(_BLANKS, ""),
            pl.select(name_key(pl.lit(values))).to_series(),
        )
        forms = pl.concat([pl.DataFrame({"value": values, "form": form}) for form in ways])
        forms = forms.drop_nulls().unique()
        known = pl.Series([self._is_known(form) for form in forms["form"]], dtype=pl.Boolean)
        return forms.filter(known)["value"].unique().to_list()

    def _is_known(self, form: str) -> bool:
        if form in self._cleared:
            return False
        digest = self._salted.copy()
        digest.update(form.encode())
        if digest.hexdigest() in self.digests:
            return True
        # The same codes and names come in table after table.
        if len(self._cleared) < MOST_CLEARED:
            self._cleared.add(form)
        return False

    @cached_property
    def _salted(self) -> Any:
        return hashlib.sha256(self.salt)

    @cached_property
    def _cleared(self) -> set[str]:
        return set()

    @cached_property
    def _unit_ids(self) -> set[str]:
        """Ids of the confidential units met so far; in memory only."""
        return set()

    def remember(self, unit_ids: Iterable[str | None]) -> None:
        """Note the forms of confidential units, so that their returns and visits are hidden too."""
        self._unit_ids.update(unit_id for unit_id in unit_ids if unit_id)

    def rows(self, table: Table, texts: pl.DataFrame) -> pl.Series:
        """Tell which rows of normalised text name a confidential unit."""
        found = pl.repeat(value=False, n=texts.height, eager=True, dtype=pl.Boolean)
        if not self.digests:
            return found
        for name in identifying(table):
            column = texts.to_series(texts.get_column_index(name))
            if matched := self._matches(column.drop_nulls().unique()):
                found = found | column.is_in(sorted(matched)).fill_null(value=False)
        for name in UNIT_COLUMNS:
            if self._unit_ids and name in texts.columns:
                column = texts.to_series(texts.get_column_index(name))
                found = found | column.is_in(sorted(self._unit_ids)).fill_null(value=False)
        return found

    def in_any_cell(self, cells: pl.DataFrame) -> pl.Series:
        """Tell which rows name a confidential unit in whatever column, known or not."""
        found = pl.repeat(value=False, n=cells.height, eager=True, dtype=pl.Boolean)
        for column in cells.get_columns() if self.digests else ():
            if matched := self._matches(column.drop_nulls().unique()):
                found = found | column.is_in(sorted(matched)).fill_null(value=False)
        return found

    def in_cells(self, cells: Sequence[str]) -> bool:
        """Tell whether any cell names a confidential unit, whatever column it is in."""
        if not self.digests:
            return False
        folded = (unicodedata.normalize("NFKC", cell).strip(BLANKS) for cell in cells)
        texts = pl.Series([cell for cell in folded if cell], dtype=pl.String)
        return bool(self._matches(texts.unique())) or not self._unit_ids.isdisjoint(texts)


def _digests(source: Source) -> set[str]:
    reading = open_source(source)
    if reading.header.missing:
        raise unsafe(source.file)
    found: set[str] = set()
    for batch in reading.batches:
        column = position(batch.header.columns.index("digest"))
        values = normalise_text(batch.frame.select(column)).to_series()
        texts = values.str.to_lowercase().to_list()
        if batch.broken or any(text is None or not _DIGEST.match(text) for text in texts):
            raise unsafe(source.file)
        found.update(texts)
    return found


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


def _salt(path: Path | None) -> bytes:
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

    InputError where there are digests and no salt, or a list that cannot be read whole.
    """
    digests: set[str] = set()
    for source in sources:
        if source.table == TABLE:
            try:
                digests |= _digests(source)
            except RefusedFileError as error:
                raise unsafe(source.file) from error
    return Confidential(frozenset(digests), _salt(salt_file)) if digests else Confidential()
