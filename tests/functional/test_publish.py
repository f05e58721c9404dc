"""Publishing: one writer, one step, and nothing lost whatever happens before it."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.engines.duckdb import DuckDBEngine, PackageReader
from audit.errors import ExitCode, InputError, LockError, UsageError
from pipelines import publish
from pipelines.publish import RunLock, begin, discard, partial_dir, prepare_out
from pipelines.sql import PACKAGE, query

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """An output folder; published runs are read-only, so it is opened up again at the end."""
    folder = tmp_path / "out"
    prepare_out(folder)
    yield folder
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o700)


def _work(out: Path, run_id: str) -> Path:
    partial = begin(out, run_id)
    (partial / "workbooks").mkdir()
    (partial / "workbooks" / "a.xlsx").write_text(run_id)
    (partial / "report.html").write_text(run_id)
    return partial


def _publish(out: Path, run_id: str, keep: int = 30) -> Path:
    _work(out, run_id)
    published = publish.publish(out, run_id)
    publish.tidy(out, keep=keep)
    return published


def _current(out: Path) -> str:
    return (out / "current" / "report.html").read_text()


def _runs(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "runs").iterdir())


def test_a_run_appears_under_current(out: Path) -> None:
    folder = _publish(out, "r1")

    assert folder == out / "runs" / "r1"
    assert (out / "current").readlink() == Path("runs/r1")
    assert _current(out) == "r1"


def test_a_published_run_is_read_only(out: Path) -> None:
    folder = _publish(out, "r1")
    modes = {
        path.relative_to(folder).as_posix(): oct(path.stat().st_mode & 0o777)
        for path in [folder, *folder.rglob("*")]
    }

    assert modes == {
        ".": "0o550",
        "report.html": "0o440",
        "workbooks": "0o550",
        "workbooks/a.xlsx": "0o440",
    }
    assert oct((out / "state").stat().st_mode & 0o777) == "0o700"


def test_work_in_progress_is_private_and_not_seen(out: Path) -> None:
    _publish(out, "r1")
    partial = _work(out, "r2")

    assert oct(partial.stat().st_mode & 0o777) == "0o700"
    assert _current(out) == "r1"


def test_what_the_engine_spilled_is_not_published(out: Path) -> None:
    partial = _work(out, "r1")
    (partial / publish.SPILL).mkdir()
    (partial / publish.SPILL / "spill.tmp").write_text("unit data")

    assert not (publish.publish(out, "r1") / publish.SPILL).exists()


@pytest.mark.parametrize("step", ["_seal", "_point_current"])
def test_a_crash_between_steps_leaves_the_last_package(
    out: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _publish(out, "r1")
    _work(out, "r2")

    def crash(*_: object) -> None:
        raise OSError(errno.EIO, "power cut")

    monkeypatch.setattr(publish, step, crash)
    with pytest.raises(OSError, match="power cut"):
        publish.publish(out, "r2")
    monkeypatch.undo()

    assert _current(out) == "r1"
    assert _runs(out) == [".r2.partial", "r1"]
    _publish(out, "r2")
    assert _current(out) == "r2"


def test_an_interruption_right_after_the_switch_leaves_the_run_published(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _work(out, "r1")
    point = publish._point_current

    def stopped(*given: object) -> None:
        point(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, "_point_current", stopped)
    with pytest.raises(KeyboardInterrupt):
        publish.publish(out, "r1")

    assert _current(out) == "r1"


def test_a_run_that_is_out_stays_so_where_the_disk_does_not_answer(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _work(out, "r1")
    whole = publish.sync

    def broken(path: Path) -> None:
        if path == out:
            raise OSError(errno.EIO, "Input/output error")
        whole(path)

    monkeypatch.setattr(publish, "sync", broken)

    assert publish.publish(out, "r1") == out / "runs" / "r1"
    assert _current(out) == "r1"


def test_a_killed_run_is_tidied_up_by_the_next(out: Path) -> None:
    _work(out, "r1")
    (out / ".current.1").symlink_to("runs/r1")
    begin(out, "r2")

    assert _runs(out) == [".r2.partial"]
    assert not (out / ".current.1").is_symlink()


def test_a_failed_run_is_discarded(out: Path) -> None:
    _work(out, "r1")
    discard(out, "r1")
    discard(out, "r1")

    assert _runs(out) == []


def test_only_the_newest_runs_are_kept(out: Path) -> None:
    for number in range(1, 6):
        folder = _publish(out, f"r{number}", keep=3)
        os.utime(folder, ns=(number * 10**9, number * 10**9))

    assert _runs(out) == ["r3", "r4", "r5"]
    assert _current(out) == "r5"


def test_the_run_just_replaced_is_always_kept(out: Path) -> None:
    _publish(out, "r1", keep=0)
    _publish(out, "r2", keep=0)

    assert _runs(out) == ["r1", "r2"]


@pytest.mark.parametrize("run_id", ["", "../r1", "a b", ".hidden", "a.b", "a\n", "甲", "x" * 65])
def test_run_ids_that_are_no_file_names_are_refused(out: Path, run_id: str) -> None:
    with pytest.raises(UsageError):
        begin(out, run_id)


def test_a_published_run_id_is_refused(out: Path) -> None:
    _publish(out, "r1")

    with pytest.raises(UsageError, match="r1"):
        begin(out, "r1")
    assert _current(out) == "r1"


def test_a_second_run_is_refused_while_one_is_going(out: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from audit.errors import LockError; from pipelines.publish import RunLock\n"
        "try:\n    RunLock(Path(sys.argv[1])).__enter__()\n"
        "except LockError as error:\n    print(error.en); sys.exit(error.exit_code)\n"
    )
    command = [sys.executable, "-c", code, str(out)]
    with RunLock(out):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    free = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, free.returncode) == (ExitCode.LOCK, 0)
    assert f"process {os.getpid()}" in done.stdout


def test_the_lock_is_let_go_after_an_error(out: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunLock(out):
        raise ZeroDivisionError
    with RunLock(out):
        assert (out / "state" / "lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_locked_says_so(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(LockError, match="file locks"), RunLock(out):
        pass


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError) as caught:
        prepare_out(tmp_path / "out")

    assert caught.value.exit_code == ExitCode.INPUT
    assert str(tmp_path / "out") in caught.value.zh


def test_an_output_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(InputError, match="Cannot write to the output folder"):
        prepare_out(tmp_path / "file" / "out")


def test_an_output_folder_that_is_not_writable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(publish, "_probe", refuse)
    with pytest.raises(InputError, match="Read-only file system"):
        prepare_out(tmp_path / "out")


def test_a_disk_without_links_is_refused_before_the_night_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(InputError, match="no symbolic links"):
        prepare_out(tmp_path / "out")


def test_looking_at_an_output_folder_leaves_nothing_in_it(out: Path) -> None:
    _publish(out, "r1")
    prepare_out(out)

    assert sorted(path.name for path in out.iterdir()) == ["current", "runs", "state"]


def test_a_full_disk_is_named_before_the_night_begins(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(InputError, match="is full"):
            prepare_out(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list((tmp_path / "out").glob(".probe*")) == []


def test_a_current_that_is_no_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out" / "current").mkdir(parents=True)

    with pytest.raises(InputError, match="should be the link"):
        prepare_out(tmp_path / "out")


def _package(partial: Path, number: int) -> None:
    with DuckDBEngine(partial / PACKAGE) as engine:
        engine.execute(
            f"CREATE TABLE audit.run AS SELECT {number} AS a FROM range(1000); "
            f"CREATE TABLE audit.rule AS SELECT {number} AS a FROM range(1000)"
        )
        engine.checkpoint()


def test_readers_never_see_an_error_or_a_mixed_state(out: Path) -> None:
    _package(begin(out, "r000"), 0)
    publish.publish(out, "r000")
    stop = threading.Event()
    seen: list[tuple[int, int]] = []
    errors: list[BaseException] = []

    def read() -> None:
        sql = "SELECT (SELECT MIN(a) FROM audit.run) AS x, (SELECT MAX(a) FROM audit.rule) AS y"
        while not stop.is_set():
            try:
                row = query(out, sql).to_pylist()[0]
            except BaseException as error:  # noqa: BLE001 - any error at all fails the test
                errors.append(error)
                return
            seen.append((row["x"], row["y"]))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 21):
        _package(begin(out, f"r{number:03d}"), number)
        publish.publish(out, f"r{number:03d}")
        publish.tidy(out, keep=5)
    stop.set()
    reader.join()

    assert errors == []
    assert [pair for pair in seen if pair[0] != pair[1]] == []
    assert len({pair[0] for pair in seen}) > 1


def test_an_open_reader_keeps_the_package_it_opened(out: Path) -> None:
    for number in range(4):
        _package(begin(out, f"r{number}"), number)
        published = publish.publish(out, f"r{number}")
        if number == 0:
            reader = PackageReader(published / PACKAGE)
        publish.tidy(out, keep=2)
    with reader:
        assert reader.fetch("SELECT MIN(a) AS a FROM audit.run").to_pylist() == [{"a": 0}]
    assert not partial_dir(out, "r3").exists()
    assert _runs(out) == ["r2", "r3"]


def test_a_file_is_on_its_way_to_the_disk_while_other_work_is_done(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, synced = threading.Event(), []

    def sync(path: Path) -> None:
        assert begun.wait(10)
        synced.append(path)

    monkeypatch.setattr(publish, "sync", sync)
    with publish.on_its_way(out / "a"):
        begun.set()

    assert synced == [out / "a"]


def test_a_file_that_cannot_be_brought_to_the_disk_stops_the_night(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(publish, "sync", full)
    with pytest.raises(OSError, match="full"), publish.on_its_way(out / "a"):
        pass
