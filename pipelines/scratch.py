"""Folders for the time of one piece of work, which hold unit records and must not outlive it.

A killed process cannot clean up. Its folder is told by a lock that nobody holds any more, and goes
when the next such work begins in the same place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.context import LOG

_LOCK = ".in-use"


def remove(folder: Path) -> None:
    """Delete a folder, also where its folders are read-only as published ones are."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o700)
    shutil.rmtree(folder)


def _remove_or_warn(folder: Path) -> None:
    try:
        remove(folder)
    except OSError as error:
        LOG.warning("unit records may be left in %s, remove it by hand: %s", folder, error.strerror)


def _left(folder: Path) -> bool:
    """Return whether a folder is this user's and its process has ended."""
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _lock(folder: Path) -> int:
    # Under its name only once it is held: nobody may take a folder that begins for one left behind.
    new = folder / f"{_LOCK}.new"
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    new.rename(folder / _LOCK)
    return handle


@contextmanager
def private_folder(prefix: str, base: Path | None = None) -> Iterator[Path]:
    """Give an empty folder of this user alone in `base` (by default that of temporary files).

    It is removed at the end, and so are those of the same prefix that killed processes left. What
    cannot be removed is told in the log.
    """
    place = base or Path(tempfile.gettempdir())
    for left in sorted(place.glob(f"{prefix}*")):
        if _left(left):
            LOG.info("removing what a killed process left")
            _remove_or_warn(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    handle = _lock(folder)
    try:
        yield folder
    finally:
        _remove_or_warn(folder)
        os.close(handle)
