"""The ledger over many nights, nights begun again and nights that died."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from ledger_office import (
    EAST,
    WEST,
    Night,
    Office,
    open_office,
)

from audit.errors import InputError
from audit.ledger import LEDGER
from pipelines import ledger


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as opened:
        yield opened


def test_ten_nights_with_scripted_edits(office):
    k1, k2, k3 = "COD001:L1", "FRM003:L2", "COD001:L3"
    script = [
        (Night(found=(k1, k2, k3)), {k1: "new", k2: "new", k3: "new"}),
        (Night(found=(k1, k2, k3)), {k1: "persisting", k2: "persisting", k3: "persisting"}),
        (Night(found=(k2, k3)), {k1: "value_corrected", k2: "persisting", k3: "persisting"}),
        (Night(found=(k1, k2, k3)), {k1: "reopened", k2: "persisting", k3: "persisting"}),
        (
            Night(units={"L1": EAST, "L2": EAST}, statuses={("COD001", WEST): ""}, found=(k1, k2)),
            {k1: "persisting", k2: "persisting", k3: "not_checked"},
        ),
        (
            Night(units={"L1": EAST, "L2": EAST, "L4": WEST}, found=(k1, k2)),
            {k1: "persisting", k2: "persisting", k3: "unit_gone"},
        ),
        (
            Night(rules={"COD001": 1, "FRM003": 2}, found=(k1,)),
            {k1: "persisting", k2: "rule_changed"},
        ),
        (
            Night(rules={"COD001": 1, "FRM003": 2}, found=(k1, k2)),
            {k1: "persisting", k2: "reopened"},
        ),
        (Night(rules={"COD001": 1, "FRM003": 2}), {k1: "value_corrected", k2: "value_corrected"}),
        (Night(), {}),
    ]
    for night, expected in script:
        office.play(night)
        assert {k: cause or state for k, (state, cause) in office.history().items()} == expected


@pytest.mark.parametrize(
    ("related", "is_lost", "cause"),
    [
        ("L3", True, "not_checked"),
        ("L3", False, "value_corrected"),
        # A visit or an address is in no list: a lost file of units says nothing of it.
        ("V1", True, "value_corrected"),
    ],
)
def test_while_a_file_is_lost_only_findings_about_another_unit_stay_open(
    office: Office, related: str, is_lost: bool, cause: str
) -> None:
    key = "COD001:L1"
    office.play(Night(found=(key,), related={key: related}))
    if is_lost:
        office.ctx.engine.execute(
            "INSERT INTO census.rejected_row BY NAME "
            "SELECT 'self_employed' AS table_name, 0 AS row, 'unreadable_file' AS reason"
        )

    office.play(Night(units={"L1": EAST, "L2": EAST}))

    assert office.history()[key][1] == cause


def test_same_run_again_gives_the_same_before_and_after_commit(office):
    office.play(Night(found=("COD001:L1", "COD001:L2")))
    night = Night(found=("COD001:L2", "COD001:L3"))
    office.play(night, commit=False)
    first = office.history()
    for _ in range(3):
        office.again(night, commit=True)
        assert office.history() == first
    assert office.findings() == {
        "COD001:L2": ("persisting", "N1", "N2"),
        "COD001:L3": ("new", "N2", "N2"),
    }


def test_first_run_again_after_commit_is_still_new(office):
    office.play(Night(found=("COD001:L1",)))
    office.again(Night(found=("COD001:L1",)))
    assert office.history() == {"COD001:L1": ("new", None)}


def test_night_that_was_not_published_changes_nothing(office):
    office.play(Night(found=("COD001:L1",)))
    before = (office.ctx.state_dir / "ledger.parquet").read_bytes()
    office.play(Night(), commit=False)  # crashes before it is published
    assert (office.ctx.state_dir / "ledger.parquet").read_bytes() == before
    office.play(Night(found=("COD001:L1",)))
    assert office.findings() == {"COD001:L1": ("persisting", "N1", "N3")}


def test_night_that_died_between_publishing_and_commit_is_recovered(office):
    state = office.ctx.state_dir
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(found=("COD001:L1", "COD001:L2")), commit=False)
    assert ledger.recover(state, "N1") is False  # N2 was not published
    assert ledger.recover(state, "N2") is True
    assert ledger.recover(state, "N2") is False
    office.play(Night(found=("COD001:L2",)))
    assert office.findings() == {"COD001:L2": ("persisting", "N2", "N3")}


def test_commit_twice_is_once_and_without_run_is_refused(office):
    office.play(Night(found=("COD001:L1",)))
    ledger.commit(office.ctx)
    assert pq.read_table(office.ctx.state_dir / "ledger.parquet").num_rows == 1
    office.ctx.info = replace(office.ctx.info, run_id="N9")
    with pytest.raises(InputError, match="N9 has staged no ledger"):
        ledger.commit(office.ctx)


def test_state_file_is_private_and_holds_the_ledger_columns(office):
    office.play(Night(found=("COD001:L1",)))
    office.play(Night(found=("REG003:2|R1",)))
    for name in ("ledger.parquet", "ledger.previous.parquet"):
        path = office.ctx.state_dir / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert pq.read_schema(path).names == LEDGER.names()
    assert office.ctx.state_dir.stat().st_mode & 0o777 == 0o700
    kept = pl.read_parquet(office.ctx.state_dir / "ledger.parquet")
    assert kept.select("finding_key", "universe", "state").rows() == [
        ("COD001:L1", "unit|1", "resolved"),
        ("REG003:2|R1", "register|2", "new"),
    ]


def test_unreadable_ledger_is_named_and_left_alone(office):
    office.play(Night(found=("COD001:L1",)))
    path = office.ctx.state_dir / "ledger.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"ledger\.parquet cannot be read"):
        office.play(Night(found=("COD001:L1",)))
    assert path.read_bytes() == b"no parquet"


@pytest.mark.parametrize("step", ["read_schema", "ParquetFile"])
def test_a_ledger_without_permission_is_not_to_be_moved_away(office, monkeypatch, step):
    office.play(Night(found=("COD001:L1",)))

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pq, step, refuse)
    with pytest.raises(InputError, match=r"ledger\.parquet may not be read by this user") as caught:
        office.play(Night(found=("COD001:L1",)))
    assert "move it away" not in caught.value.en
