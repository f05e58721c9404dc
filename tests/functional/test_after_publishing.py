"""What is said where something fails once the new package is out, and where it fails before."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import call
from tiny import entity, write_csv

from audit.errors import InputError
from pipelines.sql import PACKAGE

OUT_ALREADY = "the new package is published"
NOTHING = "nothing was published"
INTERRUPTED = "已中断，没有发布任何东西。 Interrupted; nothing was published."
FULL = (errno.ENOSPC, "No space left on device")


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Arguments of a night whose stages only leave a file; the rest of it is real."""
    write_csv(tmp_path / "delivery" / "legal_entity.csv", [entity()])

    def stages(work: Any, _: Any) -> tuple[Any, Any]:
        (work.partial / PACKAGE).write_bytes(b"package")
        return SimpleNamespace(store=None), SimpleNamespace(intake=SimpleNamespace(unchanged=0))

    monkeypatch.setattr("pipelines.run._Work.run_safely", stages)
    monkeypatch.setattr("pipelines.manifest.write", lambda *_: None)
    monkeypatch.setattr("pipelines.ledger.commit", lambda _: None)
    return "run", "--input", tmp_path / "delivery", "--out", tmp_path / "out", "--run-id", "r1"


def _breaks(monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(step, broken)


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        ("pipelines.ledger.commit", OSError(*FULL), 12),
        ("pipelines.ledger.commit", InputError("坏", "bad"), 10),
        ("pipelines.publish.tidy", KeyboardInterrupt(), 130),
        ("pipelines.publish.tidy", RuntimeError("衡南县甲厂"), 12),
    ],
)
def test_what_fails_after_the_switch_is_told_with_the_package_out(
    night: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
    code: int,
) -> None:
    _breaks(monkeypatch, step, error)
    ended, _, errors = call(*night)

    assert ended == code
    assert errors.count(OUT_ALREADY) == errors.count("新的数据包已经发布") == 1
    assert NOTHING not in errors
    assert "untouched" not in errors
    assert (night[4] / "current").resolve().name == "r1"


def test_a_fault_in_the_last_table_is_told_with_the_package_out(
    night: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.run.run_night", lambda _: None)
    _breaks(monkeypatch, "pipelines.show_night.show_night", ValueError("x"))
    ended, _, errors = call(*night)

    assert ended == 12
    assert OUT_ALREADY in errors


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            KeyboardInterrupt(),
            130,
            "已中断，没有发布任何东西。 Interrupted; nothing was published.",
        ),
        (RuntimeError("衡南县甲厂"), 12, NOTHING),
        (OSError(*FULL), 12, "the published package is untouched"),
    ],
)
def test_what_fails_before_the_switch_is_told_with_nothing_published(
    night: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    told: str,
) -> None:
    _breaks(monkeypatch, "pipelines.manifest.write", error)
    ended, _, errors = call(*night)

    assert ended == code
    assert told in errors
    assert OUT_ALREADY not in errors
    assert not (night[4] / "current").exists()
