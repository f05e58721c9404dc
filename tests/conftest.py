"""Shared by all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Wall time says nothing on a shared machine; the number of examples is the budget.
settings.register_profile("census", deadline=None, derandomize=True)
settings.load_profile("census")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def shared() -> Path:
    """The folder of reference material; tests that check against it need it beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: only the reference material's checks need it")
    return SHARED
