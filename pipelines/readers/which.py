"""Which table a delivered file belongs to: by a configured glob, by its name, by its folder."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from audit.contracts import CONTRACT
from audit.errors import InputError, UsageError
from pipelines.readers.model import Source

LEFTOVERS = ("~$", ".~", "~wrl", "thumbs.db", "desktop.ini")


def readable(path: Path) -> str:
    """Return a relative path as people see it, also where a zip left its names in GBK."""
    raw = os.fsencode(path.as_posix())
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def is_leftover(name: str) -> bool:
    """Tell whether a name is that of a hidden or lock file, which no table is."""
    return name.startswith(".") or name.casefold().startswith(LEFTOVERS)


@lru_cache(maxsize=1)
def _beginnings() -> list[tuple[str, str]]:
    names = [(_fold(text), t.name) for t in CONTRACT.delivered for text in (t.name, t.title.zh)]
    return sorted(names, key=lambda pair: -len(pair[0]))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _by_name(name: str) -> str:
    folded = _fold(name)
    return next((table for text, table in _beginnings() if folded.startswith(text)), "")


def table_of(file: str, globs: Mapping[str, str]) -> str:
    """Return the table of a relative path, "" where there is none.

    A configured glob overrides names; the file's own name comes before its folders', the nearest
    folder first; of several beginnings the longest counts.
    """
    parts = file.split("/")
    if is_leftover(parts[-1]):
        return ""
    for table, patterns in globs.items():
        for pattern in patterns.split("|"):
            if _fits(file, pattern.strip()):
                return table
    return next((table for part in reversed(parts) if (table := _by_name(part))), "")


def _fits(file: str, pattern: str) -> bool:
    return fnmatchcase(file, pattern) or fnmatchcase(file.rsplit("/", maxsplit=1)[-1], pattern)


def _files(folder: Path) -> Iterator[Path]:
    """Give every file below `folder`; real folders first, then those that links lead to."""
    waiting, links = [folder], deque[Path]()
    seen: set[tuple[int, int]] = set()
    while waiting or links:
        here = waiting.pop() if waiting else links.popleft()
        about = here.stat()
        if (about.st_dev, about.st_ino) in seen:
            yield here
            continue
        seen.add((about.st_dev, about.st_ino))
        for path in sorted(here.iterdir()):
            if not path.is_dir():
                yield path
            elif path.is_symlink():
                links.append(path)
            else:
                waiting.append(path)


def _not_listed(folder: Path, error: OSError) -> InputError:
    here = Path(os.fsdecode(error.filename or folder))
    place = readable(folder.name / here.relative_to(folder)) if here.is_relative_to(folder) else ""
    why = error.strerror or type(error).__name__
    return InputError(
        f"送达文件夹 {place} 无法读取：{why}。请检查路径和权限后重新运行。",
        f"The delivered folder {place} cannot be read: {why}. Check path and permissions and run "
        "again.",
    )


def delivered_files(
    folder: Path, globs: Mapping[str, str], encodings: Mapping[str, str] | None = None
) -> list[Source]:
    """Return every file below `folder`, in the order of its path, with its table.

    `encodings`: the encoding of text files by glob, where it is not to be told from their bytes.
    Linked folders are followed, each folder once; a link to one that was read before is given as a
    file, so that it is refused by name.

    UsageError where a glob is given for a table that the contract does not have, InputError where
    a folder cannot be listed: what lies in it would be missing unsaid.
    """
    known = {table.name for table in CONTRACT.delivered}
    if extra := sorted(set(globs) - known):
        raise UsageError(
            f"配置 [tables] 中有不认识的表：{', '.join(extra)}。",
            f"The configuration [tables] names tables that do not exist: {', '.join(extra)}.",
        )
    try:
        paths = list(_files(folder))
    except OSError as error:
        raise _not_listed(folder, error) from error
    named = sorted((readable(path.relative_to(folder)), path) for path in paths)
    seen: Counter[str] = Counter()
    sources = []
    for number, (file, path) in enumerate(named, start=1):
        seen[file] += 1
        # Two byte names can read the same, one in UTF-8 and one in GBK.
        shown = file if seen[file] == 1 else f"{file} ({seen[file]})"
        table = table_of(file, globs)
        codec = next((name for glob, name in (encodings or {}).items() if _fits(file, glob)), "")
        source = Source(file_no=number, file=shown, path=path, table=table, encoding=codec)
        sources.append(source)
    return sources
