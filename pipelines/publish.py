"""The published folder: one writer at a time, and a package that appears in one step.

    OUT/runs/.<run_id>.partial   the night at work, private
    OUT/runs/<run_id>            published, immutable
    OUT/current                  a link to the newest, switched last
    OUT/state                    private to the writer: ledger, answers, lock

Whatever happens before the link is switched, readers keep the package they had.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from audit.errors import InputError, LockError, UsageError
from pipelines.context import LOG
from pipelines.scratch import remove as _remove

RUNS, STATE, CURRENT, LOCK = "runs", "state", "current", "lock"
SPILL = "tmp"
"""Folder inside a run at work for what the engine spills; never published."""

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What a run may be called, for the whole of its id: it names a folder."""

_PROBE_BYTES = 1 << 20
_FILE_MODE, _FOLDER_MODE = 0o440, 0o550


def _not_writable(out: Path, error: OSError) -> InputError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full:
        return InputError(
            f"输出文件夹 {out} 所在磁盘已满。请清理磁盘后重新运行，已发布的数据包未受影响。",
            f"The disk of the output folder {out} is full. Free space and run again; "
            "the published package is untouched.",
        )
    return InputError(
        f"无法写入输出文件夹 {out}：{error.strerror}。请检查路径和权限，或换一个 --out。",
        f"Cannot write to the output folder {out}: {error.strerror}. "
        "Check path and permissions, or choose another --out.",
    )


def _probe(folder: Path) -> None:
    """Write and remove a file: permission bits say nothing to root, nor about a full disk."""
    probe = folder / f".probe.{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _probe_link(out: Path) -> None:
    """Make, replace and remove a link, as publishing does: not every disk has them."""
    link, probe = out / f".{CURRENT}.{os.getpid()}", out / f".probe.{os.getpid()}"
    try:
        for _ in range(2):
            link.unlink(missing_ok=True)
            link.symlink_to(RUNS)
            link.replace(probe)
    except OSError as error:
        raise InputError(
            f"输出文件夹 {out} 所在磁盘不支持符号链接（{error.strerror}），如 exFAT 或某些网络盘，"
            "无法发布数据包。请换用支持符号链接的磁盘。",
            f"The disk of the output folder {out} has no symbolic links ({error.strerror}), like "
            "exFAT or some network shares: nothing could be published. Use a disk that has them.",
        ) from error
    finally:
        for path in (link, probe):
            path.unlink(missing_ok=True)


def prepare_out(out: Path) -> None:
    """Make OUT, OUT/runs and OUT/state, and see that they can be written; else InputError."""
    try:
        fresh = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        (out / RUNS).mkdir(exist_ok=True)
        # Whatever the umask of the writer: its group reads what is published.
        for folder in (out, out / RUNS) if fresh else ():
            folder.chmod(0o750)
        (out / STATE).mkdir(mode=0o700, exist_ok=True)
        (out / STATE).chmod(0o700)
        for folder in (out, out / RUNS, out / STATE):
            _probe(folder)
        _probe_link(out)
    except OSError as error:
        raise _not_writable(out, error) from error
    current = out / CURRENT
    if current.exists() and not current.is_symlink():
        raise InputError(
            f"{current} 应是指向最新批次的链接，却是一个文件或文件夹。请移走它后重新运行。",
            f"{current} should be the link to the newest run but is a file or folder. "
            "Move it away and run again.",
        )


class RunLock:
    """Holds OUT for one writer; LockError when another run has it. A killed run lets go."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._handle: int | None = None

    def __enter__(self) -> RunLock:
        path = self._out / STATE / LOCK
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise self._refused(error, holder) from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
        self._handle = handle
        return self

    def _refused(self, error: OSError, holder: str) -> LockError:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            return LockError(
                f"无法锁定输出文件夹 {self._out}：{error.strerror}。请换用支持文件锁的磁盘。",
                f"Cannot lock the output folder {self._out}: {error.strerror}. "
                "Use a disk that supports file locks.",
            )
        return LockError(
            f"另一个审核正在写 {self._out}（进程 {holder or '?'}）。请等它结束后再运行。",
            f"Another run is writing {self._out} (process {holder or '?'}). "
            "Wait for it to end and run again.",
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def check_run_id(run_id: str) -> None:
    """Raise UsageError for a run id that could not name a folder."""
    if not RUN_ID.fullmatch(run_id):
        raise UsageError(
            "批次号 --run-id 只能用字母、数字、下划线和连字符，以字母或数字开头，最多 64 个字符。",
            "A run id (--run-id) is letters, digits, underscores and hyphens, 64 at most, and "
            "begins with a letter or digit.",
        )


def partial_dir(out: Path, run_id: str) -> Path:
    """Return where a run works until it is published."""
    return out / RUNS / f".{run_id}.partial"


def begin(out: Path, run_id: str) -> Path:
    """Make the private folder of a run and return it; what killed runs left is removed.

    Call it under the `RunLock`. UsageError for a run id that is no file name or is taken.
    """
    check_run_id(run_id)
    if (out / RUNS / run_id).exists():
        raise UsageError(
            f"批次 {run_id} 已经发布，不能改写。请换一个批次号。",
            f"Run {run_id} is published and never rewritten. Choose another run id.",
        )
    for stale in sorted((out / RUNS).glob(".*.partial")):
        LOG.info("removing what an unfinished run left")
        _remove(stale)
    for link in out.glob(f".{CURRENT}.*"):
        link.unlink()
    partial = partial_dir(out, run_id)
    partial.mkdir(mode=0o700)
    return partial


def discard(out: Path, run_id: str) -> None:
    """Remove the private folder of a run that was not published; nothing when there is none."""
    partial = partial_dir(out, run_id)
    if partial.exists():
        _remove(partial)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def on_its_way(file: Path) -> Iterator[None]:
    """Bring a finished file to the disk during the block; OSError at its end when that failed."""
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(sync, file)
        yield
        written.result()


def _seal(folder: Path) -> None:
    """Bring every file to the disk and take the right to write away, folders last."""
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            file = Path(path) / name
            sync(file)
            file.chmod(_FILE_MODE)
        sync(Path(path))
        Path(path).chmod(_FOLDER_MODE)


def current_run(out: Path) -> str:
    """Return the run id that `current` names; empty before the first night."""
    current = out / CURRENT
    return current.resolve().name if current.is_symlink() else ""


def _point_current(out: Path, run_id: str) -> None:
    link = out / f".{CURRENT}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(RUNS) / run_id)
    link.replace(out / CURRENT)


def _old_runs(out: Path, keep: int) -> Iterator[Path]:
    """Yield the runs beyond the newest `keep`, by time of publication; never the current one."""
    current = (out / CURRENT).resolve()
    runs = [path for path in (out / RUNS).iterdir() if path.is_dir() and path.name[0] != "."]
    runs.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    yield from (path for path in runs[keep:] if path.resolve() != current)


def publish(out: Path, run_id: str) -> Path:
    """Publish the finished run and return its folder.

    The package must be checkpointed and closed. Order: contents to disk, rename, switch the link;
    an error before the switch leaves `current` as it was, and the run unpublished.
    """
    partial = partial_dir(out, run_id)
    shutil.rmtree(partial / SPILL, ignore_errors=True)
    _seal(partial)
    published = out / RUNS / run_id
    partial.rename(published)
    try:
        sync(out / RUNS)
        _point_current(out, run_id)
    except BaseException:
        # Its id would be taken by a run that `current` never named.
        if current_run(out) != run_id:
            published.rename(partial)
        raise
    try:
        sync(out)
    except OSError as error:
        LOG.warning("run %s is out, but may not outlive a power cut: %s", run_id, error.strerror)
    return published


def tidy(out: Path, *, keep: int) -> None:
    """Remove runs beyond `keep`; a failure is only logged, for the new package is out.

    At least the run just replaced is kept, because a reader may be opening it.
    """
    for old in _old_runs(out, max(keep, 2)):
        LOG.info("removing run %s", old.name)
        try:
            _remove(old)
        except OSError as error:
            LOG.warning("run %s could not be removed: %s", old.name, error.strerror)
