"""Nights in which only some files changed: the same result as reading everything, in less time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from deliveries import run
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_night import CODE, GOOD, HEADER, context, households
from tiny import entity, write_csv

from audit.engines.duckdb import DuckDBEngine
from audit.errors import InputError
from audit.gate import GateSettings
from pipelines import ingest, loading, parts
from pipelines.config import RunConfig, Spark
from pipelines.ingest import IngestSummary

SALT = b"salz"
SHIPPED_REGIONS = ingest.REGIONS
Tables = dict[str, list[Any]]


@pytest.fixture(autouse=True)
def no_shipped_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "REGIONS", Path("not-there.csv"))


def digest_list(*texts: str) -> str:
    rows = [f"{hashlib.sha256(SALT + text.encode()).hexdigest()},1\n" for text in texts]
    return "摘要,摘要对象\n" + "".join(rows)


def contents(engine: DuckDBEngine) -> Tables:
    names = sorted(n for n in engine.tables() if n.startswith(("census.", "raw.")))
    counts = " UNION ALL ".join(f"SELECT '{name}', COUNT(*) FROM {name}" for name in names)
    filled = [str(name) for name, rows in engine.rows(counts) if rows]
    return {name: engine.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in filled}


@dataclass
class Office:
    """A folder of delivered files, and the state of an office that takes them in each night."""

    root: Path
    files: dict[str, bytes] = field(default_factory=dict)
    encoding: dict[str, str] = field(default_factory=dict)
    nights: int = 0

    @property
    def kept(self) -> list[Path]:
        return sorted((self.root / "state" / "intake").glob("*"))

    def deliver(self) -> RunConfig:
        folder = self.root / "in"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        (self.root / "salt").write_bytes(SALT)
        (self.root / "state").mkdir(exist_ok=True)
        return RunConfig(salt_file=self.root / "salt", encoding=self.encoding)

    def night(self) -> tuple[IngestSummary, Tables]:
        """Take in what changed, as the night does it."""
        config = self.deliver()
        self.nights += 1
        database = self.root / f"night{self.nights}.duckdb"
        name = parts.fingerprint(self.root / "in", config)
        store = parts.restore(self.root / "state", database, name)
        try:
            return self._ingest(store, config)
        except parts.UnsafeError:
            database.unlink()
            return self._ingest(parts.Store(store.folder, name, database), config)

    def _ingest(self, store: parts.Store, config: RunConfig) -> tuple[IngestSummary, Tables]:
        with DuckDBEngine(store.database) as engine:
            ctx = context(engine, self.root / "in", config)
            ctx.store = store
            return ingest.run(ctx), contents(engine)

    def whole(self) -> tuple[IngestSummary, Tables]:
        """Read everything into a new database."""
        config = self.deliver()
        with DuckDBEngine() as engine:
            return ingest.run(context(engine, self.root / "in", config)), contents(engine)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def see_it_is_whole(office: Office) -> IngestSummary:
    summary, tables = office.night()
    expected, whole = office.whole()
    assert whole == tables
    assert expected.rows_delivered == summary.rows_loaded + summary.rows_refused
    assert expected.rows_by_table == summary.rows_by_table
    assert expected.input_digest == summary.input_digest
    return summary


UNIT_ROWS = [
    *(f"S{n},430405010002,第{n}店,,{n},{n}0" for n in range(4)),
    "S1,430405010002,另店,,5,1",
    "S2,430405010002,坏店,,x,1",
    "S3,4304,短",
    f"S4,430405010002,密店,{CODE},3,418",
    f"S5,430405010002,又密,{CODE},3,418",
]
RETURN_ROWS = [f"S{n},611-3,{n}" for n in range(6)]
unit_file = st.lists(st.sampled_from(UNIT_ROWS), max_size=5).map(
    lambda rows: households(*rows).encode("gb18030")
)
noted_file = st.lists(st.sampled_from(UNIT_ROWS), max_size=3).map(
    lambda rows: households(*(row + ",记" for row in rows), header=HEADER + ",备注").encode()
)
return_file = st.lists(st.sampled_from(RETURN_ROWS), max_size=5, unique=True).map(
    lambda rows: households(*rows, header="unit_id,form,revenue_kyuan").encode()
)
broken_file = st.sampled_from([b"", b"PK\x03\x04cut", b"\x80\xff,\n" * 50, "户名\n甲\n".encode()])
list_file = st.sampled_from([digest_list().encode(), digest_list(CODE).encode()])
edit = st.one_of(
    st.tuples(
        st.sampled_from(["self_employed_1.csv", "self_employed_2.csv", "self_employed_3.csv"]),
        st.one_of(unit_file, noted_file, broken_file, st.none()),
    ),
    st.tuples(
        st.sampled_from(["finance_1.csv", "finance_2.csv"]),
        st.one_of(return_file, broken_file, st.none()),
    ),
    st.tuples(st.just("confidential_digest.csv"), list_file),
    st.tuples(st.sampled_from(["a_self_employed.csv", "会议.csv"]), unit_file),
    st.tuples(st.just("rename"), st.integers(0, 9)),
)


def apply(files: dict[str, bytes], change: tuple[str, Any]) -> None:
    name, content = change
    if name == "rename":
        names = sorted(n for n in files if "_" in n and not n.startswith("conf"))
        if names:
            old = names[content % len(names)]
            table = old.removeprefix("a_").rpartition("_")[0] or "self_employed"
            files[f"{table}_{content}.csv"] = files.pop(old)
    elif content is None:
        files.pop(name, None)
    else:
        files[name] = content


sequences = st.lists(st.lists(edit, min_size=1, max_size=3), min_size=2, max_size=5)


def go_through(nights: list[list[tuple[str, Any]]]) -> None:
    with TemporaryDirectory() as folder:
        office = Office(Path(folder))
        office.files = {
            "agency.csv": "机构编号,机构名称\nA1,所\n".encode(),
            "confidential_digest.csv": digest_list(CODE).encode(),
            "finance_1.csv": households(*RETURN_ROWS, header="unit_id,form,revenue_kyuan").encode(),
            "self_employed_1.csv": households(*UNIT_ROWS[:4]).encode(),
        }
        see_it_is_whole(office)
        for edits in nights:
            for change in edits:
                apply(office.files, change)
            see_it_is_whole(office)


@settings(max_examples=4)
@given(sequences)
def test_any_sequence_of_edits_gives_what_a_full_reading_gives(
    nights: list[list[tuple[str, Any]]],
) -> None:
    go_through(nights)


@pytest.mark.slow
@settings(max_examples=8)
@given(sequences)
def test_many_sequences_of_edits_give_what_a_full_reading_gives(
    nights: list[list[tuple[str, Any]]],
) -> None:
    go_through(nights)


def start(office: Office) -> None:
    office.files = {
        "finance.csv": b"unit_id,form,revenue_kyuan\nS1,611-3,777\nS0,611-3,5\n",
        "self_employed_1.csv": households("S0,430405010002,丙店,,1,1").encode(),
        "self_employed_2.csv": households(GOOD).encode(),
    }
    office.night()


def test_only_the_changed_file_is_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    start(office)
    office.files["self_employed_1.csv"] = households("S0,430405010002,丁店,,1,1").encode()
    opened: list[str] = []
    really = loading.open_source
    monkeypatch.setattr(
        loading, "open_source", lambda source: (opened.append(source.file), really(source))[1]
    )

    summary, tables = office.night()

    assert ["self_employed_1.csv"] == opened
    assert {"finance.csv", "self_employed_2.csv"} == summary.unchanged
    names = [{"丙店", "丁店", "甲店"} & set(row) for row in tables["raw.self_employed"]]
    assert [{"丁店"}, {"甲店"}] == sorted(names, key=str)


def test_a_row_refused_for_a_repeated_key_comes_back_when_the_other_goes(office: Office) -> None:
    start(office)
    office.files["self_employed_3.csv"] = households("S1,430405010002,另店,,5,1").encode()
    assert 2 == see_it_is_whole(office).rows_refused
    del office.files["self_employed_3.csv"]

    summary = see_it_is_whole(office)

    assert (0, 4) == (summary.rows_refused, summary.rows_loaded)
    assert set(office.files) == summary.unchanged


def test_what_is_kept_is_private_and_only_the_newest(office: Office) -> None:
    start(office)
    first = office.kept
    office.files["self_employed_1.csv"] = households("S9,430405010002,丁店,,1,1").encode()
    office.night()

    assert 1 == len(office.kept)
    assert first != office.kept
    assert 0o600 == office.kept[0].stat().st_mode & 0o777
    assert 0o700 == office.kept[0].parent.stat().st_mode & 0o777


@pytest.mark.parametrize("where", [0, 0.3, 0.9999])
def test_damaged_kept_rows_are_never_trusted(office: Office, where: float) -> None:
    start(office)
    content = bytearray(office.kept[0].read_bytes())
    content[int(where * len(content))] ^= 1
    office.kept[0].write_bytes(content)

    assert not see_it_is_whole(office).unchanged
    assert set(office.files) == see_it_is_whole(office).unchanged


def test_a_kept_file_cut_short_is_read_again(office: Office) -> None:
    start(office)
    office.kept[0].write_bytes(office.kept[0].read_bytes()[:5000])

    assert not see_it_is_whole(office).unchanged


def test_other_settings_or_another_program_read_everything_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(office)
    config = office.deliver()
    name = parts.fingerprint(office.root / "in", config)

    monkeypatch.setattr(parts, "version", lambda _: "0.0")
    assert name != parts.fingerprint(office.root / "in", config)
    assert not see_it_is_whole(office).unchanged


def test_settings_that_change_no_reading_leave_rows_where_they_are(office: Office) -> None:
    plain = office.deliver()
    others = replace(
        plain, expected_rows={"self_employed": 9}, gate=GateSettings(rows_low=0.5, judge="own"),
        spark=Spark(driver_memory="3g"), threads=1,
    )  # fmt: skip
    folder = office.root / "in"

    assert parts.fingerprint(folder, plain) == parts.fingerprint(folder, others)
    assert parts.fingerprint(folder, plain) != parts.fingerprint(
        folder, replace(plain, reference_date="2023-12-31")
    )


def test_a_file_that_is_to_be_read_by_another_encoding_is_read_again(office: Office) -> None:
    office.encoding = {"*_cn.csv": "gb18030", "*_tw.csv": "big5"}
    header = "unit_id,region_code,name,credit_code,employees,revenue_kyuan"
    content = households(GOOD.replace("甲店", "臺灣電子"), header=header).encode("big5")
    office.files = {"self_employed_cn.csv": content}
    office.night()

    office.files = {"self_employed_tw.csv": content}

    assert not see_it_is_whole(office).unchanged


def test_of_two_kept_databases_one_is_used(office: Office) -> None:
    start(office)
    (kept,) = office.kept
    second = kept.with_name(kept.name.replace("-", "-z", 1))
    second.write_bytes(kept.read_bytes())

    assert see_it_is_whole(office).unchanged


def test_a_night_that_fails_half_way_leaves_the_kept_rows_as_they_were(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(office)
    before = office.kept, office.kept[0].read_bytes()
    office.files["self_employed_1.csv"] = households("S9,430405010002,丁店,,1,1").encode()

    with monkeypatch.context() as patch:
        patch.setattr(parts.Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            office.night()

    assert before[0] == [path for path in office.kept if path.suffix == ".duckdb"]
    assert before[1] == before[0][0].read_bytes()
    see_it_is_whole(office)


def hidden(office: Office) -> None:
    office.files = {
        "confidential_digest.csv": digest_list(CODE).encode(),
        "finance.csv": b"unit_id,form,revenue_kyuan\nS1,611-3,777\nS0,611-3,5\n",
        "self_employed.csv": households("S0,430405010002,乙店,,1,1", GOOD).encode(),
    }
    office.night()


def test_returns_of_a_confidential_unit_stay_hidden_when_its_form_is_not_read_again(
    office: Office,
) -> None:
    hidden(office)
    office.files["finance.csv"] = b"unit_id,form,revenue_kyuan\nS1,611-3,888\nS0,611-3,6\n"

    summary, tables = office.night()

    assert {"confidential_digest.csv", "self_employed.csv"} == summary.unchanged
    assert ["S0"] == [row[0] for row in tables["census.finance"]]
    assert 2 == summary.rows_confidential


def test_nothing_that_is_kept_holds_a_confidential_unit_or_its_id(office: Office) -> None:
    office.files = {
        "confidential_digest.csv": digest_list(CODE).encode(),
        "finance.csv": b"unit_id,form,revenue_kyuan\nGEHEIM77,611-3,777\n",
        "self_employed.csv": households(
            "S0,430405010002,乙店,,1,1", f"GEHEIM77,430405010002,密店,{CODE},3,418"
        ).encode(),
    }
    office.night()

    kept = office.kept[0].read_bytes()
    for text in ("GEHEIM77", "密店", CODE):
        assert text.encode() not in kept


@pytest.mark.parametrize("how", ["list", "code"])
def test_what_becomes_confidential_leaves_no_trace(office: Office, how: str) -> None:
    secret = f"GEHEIM77,430405010002,密店,{CODE},3,418"
    late = secret if how == "list" else secret.replace(CODE, "92430407481415820X")
    office.files = {
        "confidential_digest.csv": digest_list(*([] if how == "list" else [CODE])).encode(),
        "finance.csv": b"unit_id,form,revenue_kyuan\nGEHEIM77,611-3,777\nS0,611-3,5\n",
        "self_employed.csv": households("S0,430405010002,乙店,,1,1", late).encode(),
    }
    office.night()
    assert b"GEHEIM77" in office.kept[0].read_bytes()
    office.files["confidential_digest.csv"] = digest_list(CODE).encode()
    office.files["self_employed.csv"] = households("S0,430405010002,乙店,,1,1", secret).encode()

    assert 2 == see_it_is_whole(office).rows_confidential

    newest = office.root / "night2.duckdb"
    for path in (*office.kept, newest):
        assert b"GEHEIM77" not in path.read_bytes()


@pytest.fixture
def small_salt(office: Office) -> Iterator[Office]:
    hidden(office)
    yield office


def test_a_salt_that_is_gone_stops_the_run_though_rows_are_kept(small_salt: Office) -> None:
    config = small_salt.deliver()
    (small_salt.root / "salt").unlink()
    name = parts.fingerprint(small_salt.root / "in", config)
    store = parts.restore(small_salt.root / "state", small_salt.root / "n.duckdb", name)

    with DuckDBEngine(store.database) as engine, pytest.raises(InputError):
        ctx = context(engine, small_salt.root / "in", config)
        ctx.store = store
        ingest.run(ctx)


def test_a_second_night_says_what_was_not_read_and_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "REGIONS", SHIPPED_REGIONS)
    delivery, out = tmp_path / "in", tmp_path / "out"
    write_csv(delivery / "legal_entity_1.csv", [entity()])
    write_csv(delivery / "agency.csv", [{"agency_id": "A1", "name": "所"}])
    run(delivery, out, run_id="r1", rules="FRM002")
    write_csv(delivery / "legal_entity_1.csv", [entity(name="衡南县乙厂")])

    run(delivery, out, run_id="r2", rules="FRM002")

    manifest = json.loads((out / "current" / "manifest.json").read_text(encoding="utf-8"))
    assert {"agency.csv": True, "legal_entity_1.csv": False} == {
        file["file"]: file["unchanged"] for file in manifest["inputs"]
    }
    first, second = (out / "runs" / name / "parquet" for name in ("r1", "r2"))
    same = {path.name for path in second.iterdir() if path.samefile(first / path.name)}
    assert "census.agency.parquet" in same
    assert "census.legal_entity.parquet" not in same
    for path in second.iterdir():
        content = path.read_bytes()
        listed = next(o for o in manifest["outputs"] if o["path"] == f"parquet/{path.name}")
        assert hashlib.sha256(content).hexdigest() == listed["sha256"]
