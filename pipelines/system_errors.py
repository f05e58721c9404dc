"""What the operating system refused, in the user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def system_errors(state: Label) -> Iterator[None]:
    """Turn an OSError into an EngineError that says what to do and in which state things are."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise EngineError(
            f"写入时出错：{why}。请检查磁盘空间和权限后重新运行；{state.zh}",
            f"Writing failed: {why}. Check space and permissions and run again; {state.en}",
        ) from error
