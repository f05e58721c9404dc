"""One Spark for all tests: starting it costs more than any of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from audit.engines.spark import SparkSettings, start

# Compiling a plan takes longer than running it over a few rows; the night's test compiles.
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.constraintPropagation.enabled": "false",
}


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> SparkSettings:
    return SparkSettings(folder=tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="session")
def session(settings: SparkSettings) -> Iterator[Any]:
    running = start(settings)
    for name, value in SMALL.items():
        running.conf.set(name, value)
    yield running
    running.stop()


@pytest.fixture
def compiling(session: Any) -> Iterator[None]:
    """Let Spark compile its plans, as it does at night."""
    for name in SMALL:
        session.conf.unset(name)
    yield
    for name, value in SMALL.items():
        session.conf.set(name, value)
