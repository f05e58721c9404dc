"""The link stage of a night: what is published, decisions that stick, and a matcher that fails."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from dataclasses import fields
from pathlib import Path

import openpyxl
import pytest
from deliveries import Night, run
from link_stage import Linked
from link_stage import linked as link_alone
from tiny import entity, write_csv
from typer.testing import CliRunner

from audit.errors import EngineError, ExitCode, InputError, LockError
from pipelines import carried_links, link
from pipelines.cli import app
from pipelines.config import Linking, RunConfig
from pipelines.decide import decide
from pipelines.decisions import FILE, SAME, Decision, append, load
from pipelines.link_tables import identity_of
from pipelines.publish import RunLock
from reports.review import PAIR_COLUMNS
from reports.workbook_layout import FIRST_ROW, position

FIRST = entity(
    name="衡南县宏达建材有限公司", address="衡南县云集镇解放路12号", phone_mobile="13574700001"
)
# The same firm once more: no code, 责任 put in, the rest as before.
SECOND = FIRST | {"unit_id": "L2", "name": "衡南县宏达建材有限责任公司", "credit_code": ""}
# And in another way: a homophone, another telephone, no address. A person should look.
DOUBTFUL = SECOND | {
    "name": "衡南县鸿达建材有限公司", "phone_mobile": "13574788888", "address": ""
}  # fmt: skip
OTHER = entity(
    unit_id="L3", name="耒阳市远望农机厂", credit_code="91430481MA4L16JQ9B", legal_rep="周五",
    phone_mobile="13574700003", address="耒阳市蔡子池街道五一路3号", region_code="430481001001",
)  # fmt: skip
REGISTERED = {
    "source": "1", "register_id": "R1", "credit_code": "", "name": "耒阳市远望农机厂",
    "legal_rep": "周五", "phone": "13574700003", "region_code": "430481001001",
    "address": "耒阳市蔡子池街道五一路3号",
}  # fmt: skip
# From here on a pair is linked; so high that tiny deliveries have pairs to decide.
ASK = RunConfig(link=Linking(link_at=0.999999, possible_at=0.001))
OFF = RunConfig(link=Linking(enabled=False))


def deliver(folder: Path, *entities: dict[str, str]) -> Path:
    write_csv(folder / "legal_entity.csv", entities or (FIRST, SECOND, OTHER))
    write_csv(folder / "register_unit.csv", [REGISTERED])
    clue = {"clue_id": "C1", "received_on": "2019-01-02", "unit_name": OTHER["name"],
            "region_code": OTHER["region_code"]}  # fmt: skip
    write_csv(folder / "clue.csv", [clue])
    return folder


def night(folder: Path, config: RunConfig | None = None, run_id: str = "r1") -> Night:
    return run(folder / "in", folder / "out", config=config or RunConfig(), run_id=run_id)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("linked")
    deliver(folder / "in")
    return night(folder)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose first night has the pair L1, L2 to decide."""
    folder = tmp_path_factory.mktemp("asking")
    deliver(folder / "in", FIRST, DOUBTFUL, OTHER)
    night(folder, ASK)
    return folder


def pairs(night: Night | Linked, where: str = "TRUE") -> list[tuple[str, ...]]:
    return night.table(
        f"SELECT left_id, right_id, decision, decided_by FROM linkage.link WHERE {where} "
        "ORDER BY left_id, right_id"
    ).rows()


def linkage(folder: Path) -> list[list[tuple[object, ...]]]:
    """Return what the link stage leaves behind, with the texts that the state keeps."""
    with link_alone(folder / "in", folder / "state") as found:
        return [
            found.table(f"SELECT * FROM linkage.{name} ORDER BY ALL").rows()
            for name in ("link", "cluster", "quality")
        ]


def answered(folder: Path, answer: str, name: str = "answered.xlsx") -> Path:
    """Answer the pair L1, L2 in the workbook of the current night."""
    (issued,) = (folder / "out" / "current" / "review").glob("*.xlsx")
    book = openpyxl.load_workbook(issued, rich_text=True)
    sheet = book["待人工判定"]
    at = {c.key: position(PAIR_COLUMNS, c.key) + 1 for c in PAIR_COLUMNS}
    for line in range(FIRST_ROW + 1, sheet.max_row + 1):
        ids = {sheet.cell(line, at[key]).value for key in ("left_id", "right_id")}
        if ids == {"L1", "L2"}:
            for key, value in (
                ("answer", answer), ("answer_basis", "现场查看"), ("answer_person", "王一")
            ):  # fmt: skip
                sheet.cell(line, at[key]).value = value
    book.save(folder / name)
    return folder / name


def test_one_firm_enumerated_twice_is_linked_and_clustered(linked: Night) -> None:
    assert ("L1", "L2", "link", "matcher") in pairs(linked)
    cluster = linked.table("SELECT unit_id, table_name FROM linkage.cluster ORDER BY unit_id")
    assert cluster.rows() == [("L1", "legal_entity"), ("L2", "legal_entity")]


def test_a_register_record_without_code_finds_its_unit(linked: Night) -> None:
    assert ("L3", "1|R1", "link", "matcher") in pairs(linked, "right_table = 'register_unit'")


def test_a_clue_finds_the_unit_that_it_names(linked: Night) -> None:
    named = pairs(linked, "right_table = 'clue' AND decision <> 'non_link'")

    assert [pair[:2] for pair in named] == [("L3", "clue|C1")]


def test_what_an_establishment_and_a_list_name_as_parent_is_found_among_legal_entities(
    tmp_path: Path,
) -> None:
    folder = deliver(tmp_path / "in", FIRST, OTHER)
    shop = {
        "unit_id": "E1", "form": "611", "name": "衡南县宏达建材有限公司城关门市部",
        "region_code": "430422100001", "parent_name": "衡南县宏达建材有限责任公司",
        "parent_region_code": "430422100001",
    }  # fmt: skip
    write_csv(folder / "establishment.csv", [shop])
    listed = {"list_id": "X1", "line_no": "1", "unit_name": "衡南县宏達建材有限公司",
              "region_code": "430422100001"}  # fmt: skip
    write_csv(folder / "external_finding.csv", [listed])

    with link_alone(folder, tmp_path / "state") as linked:
        found = pairs(linked, "matcher = 'mention@1' AND decision <> 'non_link'")

    assert {pair[:2] for pair in found} == {
        ("L1", "parent|E1"), ("L1", "external_finding|X1|1"), ("L3", "clue|C1")
    }  # fmt: skip


def test_texts_of_last_night_change_nothing_and_only_tonights_are_kept(tmp_path: Path) -> None:
    deliver(tmp_path / "in")
    first = linkage(tmp_path)
    kept = tmp_path / "state" / "texts"
    before = {file.name for file in kept.iterdir()}
    again = linkage(tmp_path)
    deliver(tmp_path / "in", FIRST, DOUBTFUL)
    changed = linkage(tmp_path)
    shutil.rmtree(kept)
    alone = linkage(tmp_path)

    assert first[0]
    assert again == first
    assert changed == alone
    after = {file.name for file in kept.iterdir()}
    assert len(before) == len(after)
    assert before != after


@pytest.mark.parametrize("harm", ["damaged", "of another program", "no archive"])
def test_kept_texts_that_are_not_surely_right_are_not_used(tmp_path: Path, harm: str) -> None:
    deliver(tmp_path / "in")
    first = linkage(tmp_path)
    folder = tmp_path / "state" / "texts"
    names = sorted(file.name for file in folder.iterdir())
    for kept in sorted(folder.iterdir()):
        if harm == "of another program":
            kept.rename(kept.with_name("0" * 32 + kept.name[32:]))
        else:
            kept.write_bytes(b"" if harm == "no archive" else kept.read_bytes()[:-100] + bytes(100))

    again = linkage(tmp_path)

    assert names
    assert again == first
    for now in folder.iterdir():
        assert hashlib.sha256(now.read_bytes()).hexdigest() == now.stem.rpartition("-")[2]
    assert names == sorted(file.name for file in folder.iterdir())


def test_the_night_says_how_good_its_matching_is(linked: Night) -> None:
    quality = linked.table("SELECT matcher, metric, value, text FROM linkage.quality")
    metrics = set(quality.select("matcher", "metric").rows())

    assert {("unit@1", "estimated_precision"), ("unit@1", "candidate_pairs")} <= metrics
    assert quality.filter(metric="state")["text"].to_list() == ["done"]
    report = (linked.out / "current" / "report.html").read_text("utf-8")
    assert "单位匹配" in report
    assert linked.summary.link.n_units == 1


def test_links_and_workbooks_depend_on_the_delivery_alone(linked: Night, tmp_path: Path) -> None:
    deliver(tmp_path / "in")

    part = run(tmp_path / "in", tmp_path / "out", region="430422", run_id="r1")

    assert pairs(linked) == pairs(part)
    books = [sorted((n.out / "current" / "review").glob("*.xlsx")) for n in (linked, part)]
    assert [p.read_bytes() for p in books[0]] == [p.read_bytes() for p in books[1]]


@pytest.mark.parametrize(
    ("answer", "entities", "expected"),
    [
        (
            "同一单位",
            (FIRST, DOUBTFUL | {"address": "解放路"}, OTHER),
            ("link", "in_force"),
        ),
        (
            "不同单位",
            (FIRST, DOUBTFUL | {"name": "衡南县宏达建材厂"}, OTHER),
            ("non_link", "values_changed"),
        ),
        ("不同单位", (FIRST, OTHER), ("", "unit_gone")),
    ],
)
def test_an_answer_binds_is_kept_and_not_asked_again(
    asking: Path,
    tmp_path: Path,
    answer: str,
    entities: tuple[dict[str, str], ...],
    expected: tuple[str, str],
) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    summary = decide(tmp_path / "out", [answered(tmp_path, answer)])
    deliver(tmp_path / "in", *entities)

    with link_alone(tmp_path / "in", tmp_path / "out" / "state", ASK) as later:
        decided = later.table("SELECT person, basis, run_id, state FROM linkage.decision").rows()
        found = [pair[2:] for pair in pairs(later) if pair[:2] == ("L1", "L2")]

    decision, state = expected
    assert (summary.n_accepted, summary.refused) == (1, ())
    assert decided == [("王一", "现场查看", "r1", state)]
    assert found == ([(decision, "person")] if decision else [])


def test_the_command_takes_workbooks_and_says_what_it_refused(asking: Path, tmp_path: Path) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    good, bad = answered(tmp_path, "同一单位"), answered(tmp_path, "也许", "bad.xlsx")

    taken = CliRunner().invoke(app, ["decide", str(tmp_path / "out"), str(good)])
    refused = CliRunner().invoke(app, ["decide", str(tmp_path / "out"), str(bad)])

    assert (taken.exit_code, refused.exit_code) == (ExitCode.DONE, ExitCode.INPUT)
    assert "接受 accepted 1" in taken.output
    assert "bad.xlsx" in refused.output
    assert "宏达" not in refused.output


def test_a_refused_contradiction_names_the_decisions_by_ids_alone(
    asking: Path, tmp_path: Path
) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    legal = {"left_table": "legal_entity", "right_table": "legal_entity"}
    empty = dict.fromkeys((f.name for f in fields(Decision)), "") | legal
    for pair in (("L1", "L9"), ("L9", "L2")):
        ids = {"left_id": pair[0], "right_id": pair[1], "answer": SAME}
        told = {"file": "older.xlsx", "run_id": "r0", "decided_on": "2019-03-01", "person": "赵六"}
        append(tmp_path / "out" / "state", [Decision(**(empty | ids | told))])

    path = answered(tmp_path, "不同单位")
    refused = CliRunner().invoke(app, ["decide", str(tmp_path / "out"), str(path)])

    assert ExitCode.INPUT == refused.exit_code
    assert "older.xlsx (r0), L1 = L9, 2019-03-01" in refused.output
    assert "older.xlsx (r0), L9 = L2, 2019-03-01" in refused.output
    assert not [word for word in ("宏达", "鸿达", "赵六") if word in refused.output]


def test_a_decision_is_about_the_records_of_the_run_that_asked(
    asking: Path, tmp_path: Path
) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    path = answered(tmp_path, "不同单位")
    deliver(tmp_path / "in", FIRST, DOUBTFUL | {"name": "衡南县远望农机厂"}, OTHER)
    night(tmp_path, ASK, "r2")
    without = tmp_path / "without"
    shutil.copytree(tmp_path / "out", without, symlinks=True)
    shutil.rmtree(without / "runs" / "r1")

    for out in (tmp_path / "out", without):
        assert 1 == decide(out, [path]).n_accepted

    kept, gone = (load(out / "state") for out in (tmp_path / "out", without))
    names = {"L1": FIRST["name"], "L2": DOUBTFUL["name"]}
    codes = {"L1": FIRST["credit_code"], "L2": ""}
    expected = {unit: identity_of(names[unit], codes[unit]) for unit in names}
    assert expected == {
        kept[0].left_id: kept[0].left_identity, kept[0].right_id: kept[0].right_identity
    }  # fmt: skip
    assert kept == gone


def test_a_decision_that_is_overturned_is_told_by_row_without_names(
    asking: Path, tmp_path: Path
) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    first = answered(tmp_path, "不同单位", "first.xlsx")
    second = answered(tmp_path, "同一单位", "second.xlsx")

    one, two = (
        CliRunner().invoke(app, ["decide", str(tmp_path / "out"), str(path)])
        for path in (first, second)
    )

    decided = load(tmp_path / "out" / "state")[0].decided_on
    assert "accepted 1; 改判 changed 0" in one.output
    assert "仍未判定 pairs still to decide 0" in one.output
    assert "accepted 0; 改判 changed 1" in two.output
    assert f"原判 不同单位（first.xlsx，{decided}）改为 同一单位" in two.output
    assert "second.xlsx 第 " in two.output
    assert not [word for word in ("宏达", "鸿达", "L1", "王一") if word in two.output]


def test_the_folder_of_one_run_takes_no_decisions(asking: Path, tmp_path: Path) -> None:
    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)

    with pytest.raises(InputError, match="run 的 --out 所写的文件夹"):
        decide(tmp_path / "out" / "runs" / "r1", [answered(tmp_path, "同一单位")])


def test_decisions_wait_while_a_night_runs(asking: Path) -> None:
    path = answered(asking, "同一单位", "locked.xlsx")

    with RunLock(asking / "out"), pytest.raises(LockError):
        decide(asking / "out", [path])


def test_a_full_disk_is_told_as_such(
    asking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shutil.copytree(asking / "out", tmp_path / "out", symlinks=True)
    monkeypatch.setattr("pipelines.decisions.append", full)
    path = answered(tmp_path, "同一单位")

    taken = CliRunner().invoke(app, ["decide", str(tmp_path / "out"), str(path)])

    assert isinstance(taken.exception, EngineError)
    assert "No space left on device" in taken.exception.en
    assert "没有收回任何判定" in taken.exception.zh


def _fail(*_: object, **__: object) -> None:
    raise ValueError("衡南县宏达建材有限公司")


def test_a_failing_matcher_stops_neither_night_nor_other_rules(
    linked: Night,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copytree(linked.out, tmp_path / "out", symlinks=True)
    deliver(tmp_path / "in")
    monkeypatch.setattr(carried_links, "_take_over", lambda ctx, key: False)
    monkeypatch.setattr(link, "match_units", _fail)

    with caplog.at_level(logging.WARNING):
        later = night(tmp_path, run_id="r2")

    status = dict(later.table("SELECT rule_id, MIN(status) FROM outcome GROUP BY rule_id").rows())
    assert (status["REG001"], status["FRM002"]) == ("ERROR", "FAILED")
    assert later.summary.exit_code(None) == ExitCode.RULE
    assert pairs(later) == []
    assert "the matcher failed" in caplog.text
    assert "宏达" not in caplog.text
    # What rules over links had found stays open: nobody looked.
    open_before = linked.table("SELECT finding_key FROM finding WHERE rule_id = 'REG002'")
    causes = later.table("SELECT finding_key, cause FROM finding_history WHERE run_id = 'r2'")
    known = dict(causes.rows())
    assert open_before.height
    assert {known.get(key) for key in open_before["finding_key"]} == {"not_checked"}


@pytest.mark.parametrize("damaged", ["{", json.dumps({f.name: 1 for f in fields(Decision)})])
def test_damaged_decisions_stop_the_night_with_what_to_do(tmp_path: Path, damaged: str) -> None:
    deliver(tmp_path / "in")
    state = tmp_path / "out" / "state"
    state.mkdir(parents=True)
    (state / FILE).write_text(damaged + "\n", encoding="utf-8")

    with pytest.raises(InputError, match="备份") as caught:
        night(tmp_path)

    assert str(state / FILE) in caught.value.en
    assert not (tmp_path / "out" / "current").exists()


def test_matching_can_be_switched_off(tmp_path: Path) -> None:
    deliver(tmp_path / "in")

    found = run(tmp_path / "in", tmp_path / "out", config=OFF, rules="REG*,DUP*")

    assert pairs(found) == []
    assert found.summary.link.state == "off"
    assert found.summary.check.errors == ()
