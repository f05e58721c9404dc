"""Shared by all tests."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Wall time says nothing on a shared machine; the number of examples is the budget.
settings.register_profile("census", deadline=None, derandomize=True)
settings.load_profile("census")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def gate_judges_alone() -> Iterator[None]:
    """Nights of tests start no Great Expectations of their own: its tests ask for it by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.gate_worker.find_spec", lambda _: None)
        yield


@pytest.fixture
def shared() -> Path:
    """The folder of reference material; tests that check against it need it beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: only the reference material's checks need it")
    return SHARED


@pytest.fixture(autouse=True)
def no_outward_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing calls out: a connection to any other machine fails the test that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if host not in ("local", "127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a connection to {host} was tried")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
