"""What the operating system refused is told with its place, where that lies in a folder we know."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from audit.errors import EngineError
from pipelines.system_errors import PACKAGE_SAFE, system_errors


def _told(path: Path | None, *folders: Path) -> EngineError:
    given = (errno.EACCES, "Permission denied", *([str(path)] if path else []))
    with pytest.raises(EngineError) as caught, system_errors(PACKAGE_SAFE, *folders):
        raise PermissionError(*given)
    return caught.value


def test_a_path_below_a_folder_is_told_from_there_on(tmp_path: Path) -> None:
    told = _told(tmp_path / "out" / "state" / "a.bin", tmp_path / "in", tmp_path / "out")

    assert "Reading or writing out/state/a.bin failed: Permission denied." in told.en
    assert "读写 out/state/a.bin 时出错：Permission denied。" in told.zh
    assert str(tmp_path) not in str(told)


def test_a_folder_itself_is_told_by_its_name(tmp_path: Path) -> None:
    assert "Reading or writing out failed" in _told(tmp_path / "out", tmp_path / "out").en


def test_a_path_elsewhere_or_none_is_not_told(tmp_path: Path) -> None:
    for path in (tmp_path / "elsewhere" / "衡南县甲厂", None):
        told = _told(path, tmp_path / "out")
        assert "Reading or writing failed: Permission denied." in told.en
        assert "读写时出错：" in told.zh
        assert "elsewhere" not in str(told)
