"""The export with workbooks written beside it: the same package, or none."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from deliveries import run
from export_stage import add_finding, add_row, open_run, run_export
from tiny import entity, write_csv

from audit.errors import EngineError
from pipelines import book_workers
from pipelines.config import RunConfig

WAITING = {
    "left_id": "L1", "left_table": "legal_entity", "right_id": "L2", "right_table": "legal_entity",
    "matcher": "unit", "probability": 0.5, "decision": "possible_link",
    "comparison": '{"zh": "名称相近", "en": "names alike"}',
}  # fmt: skip
"""A pair that people are to decide."""


def _exported(folder: Path, threads: int) -> dict[str, bytes]:
    folder.mkdir()
    with open_run(folder) as ctx:
        ctx.config = replace(ctx.config, threads=threads)
        for key, subject in (("k1", "L1"), ("k2", "L2"), ("k3", "L4")):
            add_finding(ctx.engine, key, "FRM002", subject)
        add_row(ctx.engine, "linkage.link", **WAITING)
        summary = run_export(ctx)
        assert summary.n_reviews == len(list((folder / "review").iterdir())) == 1
        assert summary.n_workbooks == len(list((folder / "workbooks").glob("*.xlsx"))) - 1 == 3
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("workbooks", "parquet", "review")
        for path in (folder / name).iterdir()
    }


def test_workbooks_written_beside_the_export_have_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_workers, "WORTH", 1)
    begun: list[int] = []
    real = book_workers.BookWorkers._start
    monkeypatch.setattr(
        book_workers.BookWorkers, "_start", staticmethod(lambda: (begun.append(1), real())[1])
    )

    alone = _exported(tmp_path / "alone", threads=1)
    assert begun == []
    assert _exported(tmp_path / "beside", threads=3) == alone
    assert begun == [1, 1]


def test_a_night_whose_workbooks_could_not_be_written_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "in" / "legal_entity.csv", [entity()])
    monkeypatch.setattr(book_workers, "WORTH", 0)
    monkeypatch.setattr(book_workers, "COMMAND", (sys.executable, "-c", "pass"))

    with pytest.raises(EngineError, match="nothing was published"):
        run(tmp_path / "in", tmp_path / "out", rules="FRM*", config=RunConfig(threads=2))

    assert list((tmp_path / "out" / "runs").iterdir()) == []
    assert not (tmp_path / "out" / "current").exists()
