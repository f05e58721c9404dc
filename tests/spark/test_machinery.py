"""What breaks in Spark itself is tried once more; what is told of it holds no value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from audit.engines.duckdb import DuckDBEngine
from audit.engines.spark import SparkEngine, SparkSettings
from audit.errors import EngineError

pytestmark = pytest.mark.spark
VALUE = "甲厂"


class Breaking:
    """A session whose Java breaks the first times that it is asked."""

    def __init__(self, session: Any, times: int) -> None:
        self._session, self._times, self.asked = session, times, 0

    def sql(self, text: str) -> Any:
        from py4j.protocol import Py4JJavaError

        self.asked += 1
        if self.asked > self._times:
            return self._session.sql(text)
        java = self._session.sparkContext._jvm.java.lang
        cause = java.StackOverflowError(VALUE)
        raise Py4JJavaError(VALUE, java_exception=java.IllegalStateException(VALUE, cause))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@pytest.fixture
def store() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as engine:
        engine.materialise("census.unit", "SELECT '1' AS unit_id")
        yield engine


def test_what_broke_once_is_asked_once_more(
    store: DuckDBEngine, session: Any, settings: SparkSettings
) -> None:
    engine = SparkEngine(store, settings, Breaking(session, times=1))

    assert engine.fetch("SELECT unit_id FROM unit").to_pylist() == [{"unit_id": "1"}]
    assert engine.materialise("scratch", "SELECT unit_id FROM unit") == 1
    engine.close()


def test_what_breaks_again_is_told_by_its_classes(
    store: DuckDBEngine, session: Any, settings: SparkSettings
) -> None:
    broken = Breaking(session, times=9)
    engine = SparkEngine(store, settings, broken)
    with pytest.raises(EngineError) as error:
        engine.fetch("SELECT unit_id FROM unit")
    engine.close()

    assert broken.asked == 2
    assert "java.lang.IllegalStateException java.lang.StackOverflowError" in str(error.value)
    assert VALUE not in str(error.value)


def test_a_wrong_statement_is_asked_once(
    store: DuckDBEngine, session: Any, settings: SparkSettings
) -> None:
    whole = Breaking(session, times=0)
    engine = SparkEngine(store, settings, whole)
    with pytest.raises(EngineError):
        engine.fetch("SELECT nothing_like_it FROM unit")
    engine.close()

    assert whole.asked == 1
