"""Great Expectations as second judge: the same results, its traps, its pages, and its absence."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.gate import COULD_NOT_CHECK, UNKNOWN, WITHIN, Cell, GateSettings, expectations, judge
from pipelines.gate_gx import crashed, results_by_cell
from pipelines.gate_worker import request
from reports.data_docs import offline, outside_addresses

pytestmark = pytest.mark.skipif(
    find_spec("great_expectations") is None, reason="the extra [gx] is not installed"
)
ROOT = Path(__file__).resolve().parents[2]
CHECKS = expectations(GateSettings())
# A socket that may not be opened: the judge runs with every way out closed.
SERVE = """
import socket, sys
def closed(*_):
    raise RuntimeError("a connection was tried")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = closed
from pipelines.gate_gx import main
main()
"""


class Judge:
    """One process of Great Expectations that is asked again and again."""

    def __init__(self, folder: Path) -> None:
        script = folder / "serve.py"
        script.write_text(SERVE, encoding="utf-8")
        self.log = folder / "stderr"
        self.stderr = self.log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.stderr, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        )  # fmt: skip

    def ask(self, line: str) -> dict[str, Any]:
        source, target = self.process.stdin, self.process.stdout
        assert source is not None
        assert target is not None
        source.write(line.encode() + b"\n")
        source.flush()
        answer = target.readline()
        assert answer, self.log.read_text("utf-8")[-2000:]
        return dict(json.loads(answer))


@pytest.fixture(scope="module")
def gx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    judge_process = Judge(tmp_path_factory.mktemp("gx"))
    yield judge_process
    assert judge_process.process.stdin is not None
    judge_process.process.stdin.close()
    judge_process.process.wait(30)
    assert judge_process.process.stdout is not None
    judge_process.process.stdout.close()
    judge_process.stderr.close()


def cell(number: int, values: dict[str, float | None]) -> Cell:
    return Cell(
        table="legal_entity", file=f"f{number}.csv", region_code="430422000000", n_rows=100,
        n_refused=0, n_expected=None, values=values, items={},
    )  # fmt: skip


EDGES = [
    edge
    for check in CHECKS
    for edge in (
        check.bounds.low, check.bounds.high, check.bounds.worst_low, check.bounds.worst_high
    )
    if edge is not None
]  # fmt: skip
VALUES = st.one_of(
    st.none(), st.just(math.nan), st.sampled_from(EDGES), st.floats(0, 3, allow_nan=False)
)
PROFILES = st.lists(
    st.dictionaries(st.sampled_from([check.id for check in CHECKS]), VALUES),
    min_size=1,
    max_size=60,
)


@settings(max_examples=6)
@given(profile=PROFILES)
def test_both_judges_say_the_same_of_any_profile(
    gx: Judge, profile: list[dict[str, float | None]]
) -> None:
    cells = [cell(number, values) for number, values in enumerate(profile)]

    told = gx.ask(request(cells, CHECKS))["results"]

    assert {one.key: judge(one, CHECKS) for one in cells} == told


def test_more_than_200_files_and_regions_are_all_reported(gx: Judge) -> None:
    cells = [cell(number, {"empty": 0.9}) for number in range(450)]

    told = gx.ask(request(cells, CHECKS))["results"]

    assert 450 == sum(result == {"empty": "quarantine"} for result in told.values())


def test_crash_inside_is_could_not_check_and_touches_no_other_check(gx: Judge) -> None:
    asked = json.loads(request([cell(1, {"empty": 0.9, "dates": 0.0})], CHECKS))
    for check in asked["checks"]:
        if check["id"] == "empty":
            # Great Expectations cannot compare a share with a text.
            check["bounds"] |= {"high": "2018-01-01", "worst_high": "2018-01-01"}

    told = gx.ask(json.dumps(asked))["results"]

    assert [{"empty": COULD_NOT_CHECK, "dates": WITHIN}] == list(told.values())


def _one(check_id: str, details: dict[str, Any], info: dict[str, Any]) -> SimpleNamespace:
    meta = {"check_id": check_id, "result": "quarantine"}
    return SimpleNamespace(
        expectation_config=SimpleNamespace(meta=meta), result=details, exception_info=info
    )


def test_exception_info_is_read_flat_and_by_metric() -> None:
    assert crashed({"raised_exception": True})
    assert crashed({"MetricConfigurationID(x)": {"raised_exception": True}})
    assert not crashed({"raised_exception": False, "exception_message": None})
    assert not crashed(None)


def test_result_without_a_count_is_no_result() -> None:
    asked = {"rows": [{"cell": "a", "values": {"empty": 0.1}}]}

    told = results_by_cell(asked, [_one("empty", {}, {"raised_exception": False})])

    assert {"a": {"empty": COULD_NOT_CHECK}} == told


def test_unknown_is_told_where_it_applies_only(gx: Judge) -> None:
    cells = [cell(1, {"dates": None}), cell(2, {"empty": 0.0})]

    told = gx.ask(request(cells, CHECKS))["results"]

    assert [{"dates": UNKNOWN}, {"empty": WITHIN}] == list(told.values())


def test_data_docs_are_offline_chinese_and_without_values(gx: Judge, tmp_path: Path) -> None:
    target = tmp_path / "gx"
    gx.ask(request([cell(7, {"empty": 0.123456})], CHECKS, str(target)))
    pages = {path.name: path.read_text("utf-8") for path in target.iterdir()}

    assert {"index.html", "suite1.html", "validation0.html"} == set(pages)
    for page in pages.values():
        assert [] == outside_addresses(page)
        assert "f7.csv" not in page
        assert "0.123456" not in page
        assert "Content-Security-Policy" in page
    assert "必填项空值率" in pages["validation0.html"]


def results_shown(page: str) -> dict[str, str]:
    """The result that a page shows for each expectation, by its text."""
    rows = re.findall(r"<tr\b.*?</tr>", page, re.DOTALL)
    found = {}
    for row in rows:
        cells = [
            " ".join(re.sub(r"<[^>]*>", " ", cell).split())
            for cell in re.findall(r"<td\b.*?</td>", row, re.DOTALL)
        ]
        if len(cells) == 3 and cells[0] in ("通过", "有备注", "隔离", "无法判定", "未能检查"):
            found[cells[1]] = cells[0]
    return found


def test_data_docs_speak_of_remarks_and_quarantine_and_never_of_failures(
    gx: Judge, tmp_path: Path
) -> None:
    values = {"loaded": 2.0, "empty": 0.2, "dates": 0.9, "refused": None, "duplicate": 0.0}
    asked = json.loads(request([cell(1, values)], CHECKS, str(tmp_path / "gx")))
    for check in asked["checks"]:
        if check["id"] == "duplicate":
            check["bounds"] |= {"high": "2018-01-01"}
    gx.ask(json.dumps(asked))
    page = (tmp_path / "gx" / "validation0.html").read_text("utf-8")

    shown = results_shown(page)
    titles = {check.id: f"{check.title.zh} {check.title.en}" for check in CHECKS}
    told = {
        key: next(result for text, result in shown.items() if text.startswith(key))
        for key in (
            f"{titles['empty']}: 超出则备注",
            f"{titles['empty']}: 超出则隔离",
            f"{titles['dates']}: 超出则隔离",
            f"{titles['refused']}: 应可判定",
            f"{titles['duplicate']}: 超出则备注",
        )
    }
    assert ["有备注", "通过", "隔离", "无法判定", "未能检查"] == list(told.values())
    spared = {text.split(" ")[0]: "县的不隔离" in text for text in shown if "超出则隔离" in text}
    assert spared["日期超出合理范围的占比（最差的一项）"]
    assert not spared["文件可用程度"]
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert "有隔离" in text
    for word in ("Failed", "Succe", "None", "unexpected", "Status", "exception", "Traceback"):
        assert word not in text
    assert str(ROOT) not in page


@pytest.mark.parametrize(
    "text",
    [
        '<link rel="x" href="https://unpkg.com/a.css">',
        '<script src="//cdn.example.org/a.js" integrity="x" crossorigin="y"></script>',
        '<img src="https://s3.example.org/logo.png?d=1">',
        "<style>a{background:url('https://example.org/a.png')}</style>",
        '<a href="https://example.org/newsletter">x</a>',
        '<footer><a href="http://example.org">x</a></footer>',
    ],
)
def test_outside_addresses_are_found_and_taken_out(text: str) -> None:
    page = f"<html><head><title>t</title></head><body>{text}</body></html>"

    assert outside_addresses(page)
    assert not outside_addresses(offline(page))
