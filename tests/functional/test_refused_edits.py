"""Refused rows of the edit log, as intake keeps them, explain the gaps that they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.engines.duckdb import DuckDBEngine
from audit.estimating.registry import making
from audit.night import create_outputs
from pipelines.estimate import fill
from tests.ingest_night import night, refused

HEADERS = (
    "修改流水号,填报单位标识,表名,指标,修改前,修改后,修改人,修改人角色,修改时间",
    "event_id,unit_id,table_name,field,old_value,new_value,editor_id,editor_role,edited_at",
)
SOUND = "{},L1,legal_entity,name,甲,乙,P1,2,2019-04-01 10:00:00"
NO_DAY = "{},L1,legal_entity,name,甲,乙,P1,2,昨天"
NO_NUMBER = "x{},L1,legal_entity,name,甲,乙,P1,2,2019-04-01 10:00:00"


@pytest.mark.parametrize("header", HEADERS)
def test_a_refused_edit_is_told_by_its_number_and_one_without_is_counted(
    tmp_path: Path, header: str
) -> None:
    lines = [
        *(SOUND.format(1), NO_DAY.format(2), SOUND.format(3)),
        *(NO_NUMBER.format(4), SOUND.format(5), SOUND.format(7), SOUND.format(7)),
        *(f"{8},L1,legal_entity", SOUND.format(9)),
    ]
    (replay,) = making(frozenset({"edit_replay"}))
    with DuckDBEngine() as engine:
        create_outputs(engine)
        night(engine, tmp_path / "in", {"edit_event.csv": "\n".join((header, *lines)) + "\n"})
        assert len(refused(engine)) == 5

        fill(engine, replay, frozenset({"edit_event"}))

        gaps = engine.rows(
            "SELECT event_id, n_missing, n_refused, n_untold FROM estimate.edit_replay "
            "ORDER BY event_id"
        )
    assert gaps == [(1, None, None, 1), (3, 1, 1, 1), (5, 1, 0, 1), (9, 3, 2, 1)]
