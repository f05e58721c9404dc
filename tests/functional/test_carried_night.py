"""Published nights that begin with what the last one left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deliveries import Night, run
from small_delivery import FILES
from tiny import entity, write_csv

from audit.engines.duckdb import DuckDBEngine, PackageReader
from audit.errors import InputError
from pipelines import link, localise, parts, rule_memory, standing
from pipelines.link_tables import TABLES


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Path]:
    """A folder for published runs, which are read-only until the end."""
    yield tmp_path
    for path in tmp_path.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


_TABLES = (
    "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables "
    "WHERE table_type = 'BASE TABLE'"
)
_LINKS = "SELECT * FROM linkage.link ORDER BY ALL"
_SUGGESTED = "SELECT * FROM audit.suggestion ORDER BY ALL"


def _standing(out: Path) -> set[str]:
    """Return the names of the links and estimates that lie in the kept database."""
    (kept,) = (out / "state" / parts.FOLDER).glob("*.duckdb")
    with PackageReader(kept) as reader:
        return set(reader.fetch(f"SELECT name FROM {parts.STANDING}")["name"].to_pylist())


def _forget(out: Path) -> None:
    """Take away all that would spare a night work."""
    for name in (parts.FOLDER, rule_memory.FOLDER):
        shutil.rmtree(out / "state" / name)
    manifest = out / "current" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.chmod(0o600)
    manifest.write_text(json.dumps(content | {"contents": {}}), encoding="utf-8")


def _published(night: Night) -> dict[str, Any]:
    """Return what people read: every workbook's bytes, and the rows of every table."""
    folder = night.out / "current"
    books = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.xlsx")
    }
    tables = night.table(
        f"{_TABLES} AND table_schema IN ('census', 'linkage', 'estimate', 'audit')"
    )["name"]
    clock = {"audit.outcome": "seconds", "audit.run": "started_at, finished_at"}
    rows = {
        name: night.table(
            f"SELECT * EXCLUDE ({clock.get(name, '')}) FROM {name} ORDER BY ALL"
            if name in clock
            else f"SELECT * FROM {name} ORDER BY ALL"
        ).rows()
        for name in sorted(tables)
    }
    return books | rows


def deliver(folder: Path) -> None:
    """Write the files of a night."""
    for name, rows in FILES.items():
        write_csv(folder / name, rows)


def test_a_night_of_one_changed_file_publishes_what_a_full_night_does(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(opened / "in")
    run(opened / "in", opened / "out", run_id="r1")
    shutil.copytree(opened / "out", opened / "full", symlinks=True)
    _forget(opened / "full")
    changed = [{"unit_id": "L3", "form": "611-3", "revenue_kyuan": "9"}]
    write_csv(opened / "in" / "finance.csv", changed)
    expected = run(opened / "in", opened / "full", run_id="r2")

    with monkeypatch.context() as patch:
        patch.setattr(link, "run", lambda _: pytest.fail("units were matched again"))
        night = run(opened / "in", opened / "out", run_id="r2")

    assert _published(expected) == _published(night)
    linked = set(TABLES)
    first, second = (opened / "out" / "runs" / name / "parquet" for name in ("r1", "r2"))
    same = {path.name for path in second.iterdir() if path.samefile(first / path.name)}
    assert {f"linkage.{name}.parquet" for name in linked} <= same
    assert "estimate.asset_ratio.parquet" in same
    assert "census.finance.parquet" not in same


def test_links_and_estimates_that_lie_in_the_kept_database_stand(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MANY", 0)
    deliver(opened / "in")
    linked = run(opened / "in", opened / "out", run_id="r1").table(_LINKS).rows()
    assert linked
    # What a night made anew is not put there: the second night loads it.
    assert _standing(opened / "out") == set()
    run(opened / "in", opened / "out", run_id="r2")
    stood = _standing(opened / "out")
    assert {"linkage", "estimate.asset_ratio"} <= stood

    for number in (3, 4):
        changed = [{"unit_id": "L3", "form": "611-3", "revenue_kyuan": str(number)}]
        write_csv(opened / "in" / "finance.csv", changed)
        shutil.copytree(opened / "out", opened / f"full{number}", symlinks=True)
        _forget(opened / f"full{number}")
        with monkeypatch.context() as patch:
            patch.setattr(DuckDBEngine, "append_file", lambda *_: pytest.fail("were loaded"))
            night = run(opened / "in", opened / "out", run_id=f"r{number}")
        # What they follow from stays on record, whatever is put beside it.
        assert _standing(opened / "out") == stood
        expected = run(opened / "in", opened / f"full{number}", run_id=f"r{number}")
        assert _published(expected) == _published(night)
        assert "raw.standing" not in night.table(_TABLES)["name"]

    # What the finance returns alone changed is put beside the others in a night that took it over.
    run(opened / "in", opened / "out", run_id="r5")
    monkeypatch.setattr(DuckDBEngine, "append_file", lambda *_: pytest.fail("were loaded"))
    last = run(opened / "in", opened / "out", run_id="r6")
    assert last.table(_LINKS).rows() == linked


def test_links_stand_again_when_a_unit_that_was_gone_for_a_night_comes_back(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MANY", 0)
    deliver(opened / "in")
    for run_id in ("r1", "r2"):
        linked = run(opened / "in", opened / "out", run_id=run_id).table(_LINKS).rows()
    (opened / "in" / "legal_entity_2.csv").unlink()
    gone = run(opened / "in", opened / "out", run_id="r3")
    assert gone.table(_LINKS).rows() != linked

    write_csv(opened / "in" / "legal_entity_2.csv", FILES["legal_entity_2.csv"])
    shutil.copytree(opened / "out", opened / "full", symlinks=True)
    _forget(opened / "full")
    expected = run(opened / "in", opened / "full", run_id="r4")
    with monkeypatch.context() as patch:
        patch.setattr(link, "run", lambda _: pytest.fail("units were matched again"))
        night = run(opened / "in", opened / "out", run_id="r4")

    assert _published(expected) == _published(night)


@pytest.mark.parametrize("fails", ["copy_file", "comment_tables", "put_in_place"])
def test_a_kept_database_stays_where_links_cannot_be_put_into_it(
    opened: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setattr(standing, "MANY", 1)
    deliver(opened / "in")
    with monkeypatch.context() as patch:
        patch.setattr(standing, fails, lambda *_: (_ for _ in ()).throw(OSError("full")))
        run(opened / "in", opened / "out", run_id="r0")
        linked = run(opened / "in", opened / "out", run_id="r1").table(_LINKS).rows()
    assert _standing(opened / "out") == set()

    second = run(opened / "in", opened / "out", run_id="r2")

    assert set(FILES) == second.summary.intake.unchanged
    assert [] == [*(opened / "out" / "state" / parts.FOLDER).glob(".*")]
    assert linked
    assert linked == second.table(_LINKS).rows()


def test_suggestions_stand_where_nothing_changed_that_they_follow_from(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(opened / "in")
    first = run(opened / "in", opened / "out", run_id="r1").table(_SUGGESTED).rows()
    assert first

    write_csv(opened / "in" / "agency.csv", [{"agency_id": "A1", "name": "所", "phone": "1"}])
    with monkeypatch.context() as patch:
        patch.setattr(localise, "_suggest", lambda *_: pytest.fail("were made again"))
        assert first == run(opened / "in", opened / "out", run_id="r2").table(_SUGGESTED).rows()

    prior = {"credit_code": entity()["credit_code"], "period": "2017", "employees": "41"}
    write_csv(opened / "in" / "prior_value.csv", [prior])
    last = run(opened / "in", opened / "out", run_id="r4").table(_SUGGESTED)
    assert first != last.rows()
    assert 41.0 in last["prior_value"].to_list()

    women = [entity(employees_female="100"), entity(unit_id="L2", name="衡南县乙厂")]
    write_csv(opened / "in" / "legal_entity_1.csv", women)
    assert last.rows() != run(opened / "in", opened / "out", run_id="r3").table(_SUGGESTED).rows()


def test_suggestions_of_a_table_are_made_again_where_its_items_changed(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(opened / "in")
    run(opened / "in", opened / "out", run_id="r1")
    shutil.copytree(opened / "out", opened / "full", symlinks=True)
    _forget(opened / "full")
    write_csv(opened / "in" / "finance.csv", [{"unit_id": "L1", "form": "611-3"}])
    made: list[str] = []
    real = localise._suggest
    monkeypatch.setattr(
        localise, "_suggest", lambda ctx, all_, table: made.append(table) or real(ctx, all_, table)
    )

    suggested = run(opened / "in", opened / "out", run_id="r2").table(_SUGGESTED).rows()

    assert ["finance"] == made
    assert suggested == run(opened / "in", opened / "full", run_id="r2").table(_SUGGESTED).rows()


def test_what_is_counted_late_in_a_night_is_kept(opened: Path) -> None:
    write_csv(opened / "in" / "legal_entity_1.csv", FILES["legal_entity_1.csv"])
    run(opened / "in", opened / "out", run_id="r1", rules="FRM*")

    (kept,) = (opened / "out" / "state" / rule_memory.FOLDER).glob("*-contents.json")
    counts = json.loads(kept.read_text(encoding="utf-8"))["counts"]
    assert counts["repeated legal_entity"]["rows"] == [0]
    assert counts["senders legal_entity"]["rows"] == [[1, "430422"]]


def test_what_rules_gave_under_another_list_goes_when_a_night_begins(opened: Path) -> None:
    write_csv(opened / "in" / "legal_entity_1.csv", FILES["legal_entity_1.csv"])
    run(opened / "in", opened / "out", run_id="r1", rules="FRM*")
    folder = opened / "out" / "state" / rule_memory.FOLDER
    stale = folder / f"other-{'0' * 64}.parquet"
    stale.write_bytes(b"x")
    (opened / "in" / "legal_entity_1.csv").write_bytes(b"")

    with pytest.raises(InputError):
        run(opened / "in", opened / "out", run_id="r2")

    assert [path.name for path in folder.glob("*.parquet")] != [stale.name]
    assert not stale.exists()


@pytest.mark.parametrize("left", [".next", ".standing"])
def test_what_a_killed_night_left_goes_when_the_next_begins(tmp_path: Path, left: str) -> None:
    folder = tmp_path / "state" / parts.FOLDER
    folder.mkdir(parents=True)
    (folder / left).write_bytes(b"rows")

    store = parts.restore(tmp_path / "state", tmp_path / "night.duckdb", "made")

    assert not store.restored
    assert list(folder.iterdir()) == []
