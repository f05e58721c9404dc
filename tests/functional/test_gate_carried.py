"""What Great Expectations said of a profile stands where the next night's is the same."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from deliveries import Night, run
from tiny import entity, write_csv

from audit.gate import COULD_NOT_CHECK, REMARK, GateSettings
from pipelines import gate_worker
from pipelines.config import RunConfig

CONFIG = RunConfig(gate=GateSettings(judge="gx"))
JUDGE = """
import json, pathlib, sys
request = json.loads(sys.stdin.readline())
docs = pathlib.Path(request["docs"])
docs.mkdir(exist_ok=True)
(docs / "index.html").write_text("pages")
(docs / "suite1.html").write_text("suite")
with open({log!r}, "a") as log:
    log.write("asked ")
said = {{row["cell"]: dict.fromkeys(row["values"], {result!r}) for row in request["rows"]}}
print(json.dumps({{"results": said}}))
"""


@dataclass(frozen=True, slots=True)
class Nights:
    """Nights with a judge that says one and the same of everything, and counts."""

    folder: Path
    patch: pytest.MonkeyPatch

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def night(self, number: int, said: str = REMARK) -> Night:
        code = JUDGE.format(log=str(self.folder / "log"), result=said)
        self.patch.setattr(gate_worker, "COMMAND", (sys.executable, "-c", code))
        return run(self.folder / "in", self.out, config=CONFIG, run_id=f"r{number}", rules="FRM002")

    def asked(self) -> int:
        return (self.folder / "log").read_text().count("asked")

    def damage(self, place: str) -> None:
        path = (self.out / "current" / place).resolve()
        content = path.read_bytes()
        path.parent.chmod(0o700)
        path.unlink()
        path.write_bytes(content[:-1] + b"?")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of one delivery: the second has a last night's rows to compare with."""
    folder = tmp_path_factory.mktemp("begun")
    write_csv(folder / "in" / "legal_entity.csv", [entity(unit_id=f"L{n}") for n in range(30)])
    with pytest.MonkeyPatch.context() as patch:
        nights = Nights(folder, patch)
        nights.night(1)
        nights.night(2)
    assert 2 == nights.asked()
    return folder


@pytest.fixture
def nights(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    folder = tmp_path / "nights"
    shutil.copytree(begun, folder, symlinks=True)
    yield Nights(folder, monkeypatch)
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


_CHECKS = "SELECT * FROM audit.gate_check ORDER BY ALL"
_GATE = "SELECT * FROM audit.gate ORDER BY ALL"


def test_the_same_profile_is_not_judged_again_and_says_the_same(nights: Nights) -> None:
    before = Night(nights.out, nights.night(3).summary)
    checks, gate = before.table(_CHECKS).rows(), before.table(_GATE).rows()
    assert 2 == nights.asked()

    night = nights.night(4)

    assert 2 == nights.asked()
    assert {REMARK} == set(night.table("SELECT gx_result FROM audit.gate_check")["gx_result"])
    assert checks == night.table(_CHECKS).rows()
    assert gate == night.table(_GATE).rows()
    assert before.summary.gate == night.summary.gate
    assert "suite" == (night.out / "current" / "gx" / "suite1.html").read_text()
    assert 'href="gx/index.html"' in (night.out / "current" / "report.html").read_text("utf-8")


def test_another_profile_is_judged(nights: Nights) -> None:
    fewer = [entity(unit_id=f"L{n}") for n in range(27)]
    write_csv(nights.folder / "in" / "legal_entity.csv", fewer)

    nights.night(3)

    assert 3 == nights.asked()


def test_other_bounds_are_judged(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    stricter = RunConfig(gate=GateSettings(judge="gx", rows_low=0.99))
    monkeypatch.setattr(sys.modules[__name__], "CONFIG", stricter)

    nights.night(3)

    assert 3 == nights.asked()


@pytest.mark.parametrize("place", ["gx/suite1.html", "parquet/audit.gate_check.parquet"])
def test_damaged_answers_are_asked_for_again(nights: Nights, place: str) -> None:
    nights.damage(place)

    night = nights.night(3)

    assert 3 == nights.asked()
    assert "suite" == (night.out / "current" / "gx" / "suite1.html").read_text()


def test_what_could_not_be_checked_is_asked_again(nights: Nights) -> None:
    manifest = nights.out / "current" / "manifest.json"
    held = json.loads(manifest.read_text("utf-8"))
    manifest.chmod(0o600)
    manifest.write_text(json.dumps(held | {"contents": {}}), "utf-8")
    nights.night(3, COULD_NOT_CHECK)

    night = nights.night(4)

    assert 4 == nights.asked()
    assert {REMARK} == set(night.table("SELECT gx_result FROM audit.gate_check")["gx_result"])
