"""What the operating system refused, in the user's words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import EngineError
from audit.model import Label

PACKAGE_SAFE = Label("已发布的数据包未受影响。", "the published package is untouched.")
NOTHING_PUBLISHED = Label("没有发布任何东西。", "nothing was published.")
PUBLISHED = Label(
    "新的数据包已经发布，余下的收尾工作由下次运行补做。",
    "the new package is published, and the next run does what is left.",
)
NOTHING_TAKEN = Label("没有收回任何判定。", "no decision was taken.")
FOLDER_UNFINISHED = Label(
    "输出文件夹中的结果不完整，请另换一个空文件夹。",
    "the results in the output folder are incomplete, so name another empty folder.",
)
_AFTER = "after publishing"


@contextmanager
def already_published() -> Iterator[None]:
    """Mark whatever ends the block, so that nobody is told that nothing was published."""
    try:
        yield
    except BaseException as error:
        error.add_note(_AFTER)
        raise


def state_after(error: BaseException) -> Label:
    """Return what an error, or an interruption, leaves of the night that it ended."""
    cause: BaseException | None = error
    while cause is not None:
        if _AFTER in getattr(cause, "__notes__", ()):
            return PUBLISHED
        cause = cause.__cause__ or cause.__context__
    return NOTHING_PUBLISHED


def _place(error: OSError, folders: Iterable[Path]) -> str:
    """Return the path that an error names, from one of the folders on; empty where in none."""
    if not isinstance(error.filename, str | bytes | os.PathLike):
        return ""
    from pipelines.readers.which import readable

    path = Path(os.fsdecode(error.filename)).resolve()
    for folder in (folder.resolve() for folder in folders):
        if path.is_relative_to(folder):
            return readable(folder.name / path.relative_to(folder))
    return ""


@contextmanager
def system_errors(state: Label, *folders: Path) -> Iterator[None]:
    """Turn an OSError into an EngineError that says what to do and in which state things are.

    Where it names a path in one of `folders`, that is told from there on.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        place = _place(error, folders)
        raise EngineError(
            f"读写{f' {place} ' if place else ''}时出错：{why}。"
            f"请检查磁盘空间和权限后重新运行；{state.zh}",
            f"Reading or writing{f' {place}' if place else ''} failed: {why}. "
            f"Check space and permissions and run again; {state.en}",
        ) from error
