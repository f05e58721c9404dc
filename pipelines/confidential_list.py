"""Digests of confidential units, made where the list is kept: no value of it is shown or written.

The list stays in memory. It is a CSV, TSV or text file, a workbook, or standard input; a header
names its columns, and without one every line is one code or one name.
"""

from __future__ import annotations

import csv
import io
import os
import re
import secrets
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from audit.codes import credit_code_check_ok
from audit.errors import InputError
from audit.normalise import name_key
from pipelines.confidential import CANARY, CANARY_KIND, CODE_KIND, NAME_KIND, digest, read_salt
from pipelines.parsing import BLANKS
from pipelines.readers.headers import fold

STDIN = "-"
SALT_BYTES = 16
SALT_CHARACTERS = 8
HEADER = "digest,kind"
_CODE_HEADS = {"统一社会信用代码", "109统一社会信用代码", "信用代码", "credit_code", "code"}
_NAME_HEADS = {"单位详细名称", "102单位详细名称", "单位名称", "名称", "name", "unit_name"}
_BLANKS = re.compile(rf"[\s{BLANKS}]+")
_CODE = re.compile(r"[0-9A-Z]{18}")


@dataclass(frozen=True, slots=True)
class DigestList:
    """Digests with their kind, and the lines whose code or name looks wrong."""

    digests: dict[str, str]
    bad_lines: tuple[int, ...]

    @property
    def n_units(self) -> int:
        """Digests of codes and names, the check of the salt left out."""
        return sum(kind != CANARY_KIND for kind in self.digests.values())


def _unreadable(why_zh: str, why_en: str) -> InputError:
    return InputError(
        f"保密单位名单无法读取：{why_zh}",
        f"The list of confidential units cannot be read: {why_en}",
    )


def _content(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as error:
        raise _unreadable("请检查路径和权限。", "check its path and permissions.") from error


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    for codec in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    # Nothing of the error is kept: it holds the bytes.
    raise _unreadable("编码应为 UTF-8、GB18030 或 UTF-16。", "it is no UTF-8, GB18030 or UTF-16.")


def _rows(content: bytes) -> list[list[str]]:
    if content.startswith(b"PK"):
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        except (CalamineError, ValueError):
            raise _unreadable("电子表格无法打开。", "the workbook cannot be opened.") from None
        return [[str(cell) for cell in row] for row in cells]
    text = _text(content)
    delimiter = "\t" if "\t" in text else ","
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise _unreadable("分隔符或引号有误。", "its separators or quotes are wrong.") from None


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip(BLANKS)


def _columns(head: Sequence[str]) -> list[int]:
    heads = _CODE_HEADS | _NAME_HEADS
    return [place for place, cell in enumerate(head) if fold(cell) in heads]


def _values(rows: list[list[str]]) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every code and name; InputError where columns have no name."""
    head = next((n for n, row in enumerate(rows) if _columns(row)), -1)
    places = _columns(rows[head]) if head >= 0 else []
    for line, row in enumerate(rows[head + 1 :], head + 2):
        filled = [cell for cell in row if _plain(cell)]
        if not places and len(filled) > 1:
            raise _unreadable(
                f"第 {line} 行有多列而没有表头。请加表头：统一社会信用代码、单位名称。",
                f"line {line} has several columns and there is no header. Add one: credit_code, "
                "unit_name.",
            )
        picked = [row[place] for place in places if place < len(row)] if places else filled
        yield from ((line, text) for cell in picked if (text := _plain(cell)))


def _key(name: str) -> str:
    return str(pl.select(name_key(pl.lit(name))).item() or "")


def _one(text: str) -> tuple[str, str, bool]:
    """Return the form that is digested, its kind, and whether it looks right."""
    code = _BLANKS.sub("", text).upper()
    if _CODE.fullmatch(code):
        return code, CODE_KIND, bool(credit_code_check_ok(pl.Series([code]))[0])
    key = _key(text)
    # A name has letters of Chinese; what has none is more likely a code cut short.
    return key, NAME_KIND, bool(re.search(r"[^\x00-\x7f]", key))


def make_digests(source: str, salt: bytes) -> DigestList:
    """Return the digests of a list, and the check of the salt; InputError where nothing is there.

    `source` is a path, or `-` for standard input. A code is digested in capitals without blanks, a
    name as `audit.normalise.name_key` writes it.
    """
    made: dict[str, str] = {digest(salt, CANARY).hex(): CANARY_KIND}
    bad: list[int] = []
    for line, text in _values(_rows(_content(source))):
        form, kind, right = _one(text)
        if not right:
            bad.append(line)
        if form:
            made[digest(salt, form).hex()] = kind
    if len(made) == 1:
        raise _unreadable("没有一行代码或名称。", "it has no code and no name.")
    return DigestList(made, tuple(dict.fromkeys(bad)))


def new_salt(path: Path) -> None:
    """Write a new salt that only its owner can read; InputError where the file is there already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(
            f"盐值文件 {path} 已经存在。已有的盐值不会改写，否则原来的摘要全部作废。"
            "沿用它请去掉 --new-salt，新建请换一个文件名。",
            f"The salt file {path} is there already. A salt that is there is never replaced: all "
            "digests made with it would be void. Leave out --new-salt to use it, or name another.",
        ) from error
    except OSError as error:
        raise InputError(
            f"盐值文件 {path} 无法新建，请检查路径和权限。",
            f"The salt file {path} cannot be made: {error.strerror}. "
            "Check its path and permissions.",
        ) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(handle, 0o600)
        file.write(secrets.token_hex(32) + "\n")


def strong_salt(path: Path) -> bytes:
    """Return the salt of a file; InputError for one that could be guessed."""
    salt = read_salt(path)
    if len(salt) < SALT_BYTES or len(set(salt)) < SALT_CHARACTERS:
        raise InputError(
            f"盐值文件 {path} 太弱，容易被猜出：至少 {SALT_BYTES} 个字节、"
            f"{SALT_CHARACTERS} 种字符。请用 --new-salt 新建。",
            f"The salt in {path} is weak and could be guessed: at least {SALT_BYTES} bytes and "
            f"{SALT_CHARACTERS} different ones. Make one with --new-salt.",
        )
    return salt


def write_digests(found: DigestList, path: Path) -> None:
    """Write digest and kind in the order of the digests, which tells nothing of the list's."""
    lines = [f"{value},{kind}" for value, kind in sorted(found.digests.items())]
    _replace(path, [HEADER, *lines])


def _replace(path: Path, lines: Iterable[str]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            f"摘要名册 {path} 无法写入：{error.strerror}。",
            f"The list of digests {path} cannot be written: {error.strerror}.",
        ) from error
