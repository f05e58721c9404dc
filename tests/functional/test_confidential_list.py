"""Digests of confidential units, made without showing or keeping the list."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ingest_night import CODE, GOOD, Files, households, night
from typer.testing import CliRunner

from audit.engines.duckdb import DuckDBEngine
from audit.errors import InputError
from pipelines.cli import app
from pipelines.confidential import CANARY, CANARY_KIND, Confidential
from pipelines.confidential_list import make_digests, new_salt, strong_salt
from pipelines.config import RunConfig
from sample_data.process import digests
from sample_data.process import salt as sample_salt

SALT = b"0123456789abcdefghij"


def digest(text: str) -> str:
    return hashlib.sha256(SALT + text.encode()).hexdigest()


@pytest.fixture
def salt(tmp_path: Path) -> Path:
    path = tmp_path / "salt"
    path.write_bytes(SALT + b"\n")
    path.chmod(0o600)
    return path


def test_the_list_from_standard_input_becomes_digests_and_is_never_shown(
    tmp_path: Path, salt: Path
) -> None:
    listed = f"统一社会信用代码,单位名称\n{CODE.lower()},秘密（一）厂\n{CODE[:17]}Z,\n"
    out = tmp_path / "confidential_digest.csv"

    result = CliRunner().invoke(
        app,
        ["confidential", "digest", "-", "--salt-file", str(salt), "--out", str(out)],
        input=listed.encode(),
    )

    wanted = {digest(CODE): "1", digest(CODE[:17] + "Z"): "1", digest("秘密一厂"): "2"}
    rows = [f"{key},{kind}" for key, kind in sorted({**wanted, digest(CANARY): "0"}.items())]
    assert 0 == result.exit_code
    assert ["digest,kind", *rows] == out.read_text().splitlines()
    assert "第 3 行" in result.output
    assert not any(text in result.output for text in (CODE, CODE.lower(), CODE[:17], "秘密"))
    assert 0o600 == out.stat().st_mode & 0o777


@pytest.mark.parametrize("content", [f"{CODE}\n秘密厂\n", f"\ufeff名称\n秘密厂\n{CODE}\n"])
@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_a_list_of_one_column_may_have_a_header_or_none(
    tmp_path: Path, content: str, codec: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content.removeprefix("\ufeff").encode(codec))

    found = make_digests(str(path), SALT)

    assert {digest(CODE), digest("秘密厂"), digest(CANARY)} == set(found.digests)


def test_columns_without_names_are_refused_by_line_number(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("1,秘密厂\n", encoding="utf-8")

    with pytest.raises(InputError, match="line 1") as error:
        make_digests(str(path), SALT)

    assert "秘密" not in error.value.zh + error.value.en


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"a" * 40])
def test_a_salt_that_could_be_guessed_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "salt"
    path.write_bytes(content)

    with pytest.raises(InputError, match="salt"):
        strong_salt(path)


def test_a_new_salt_is_private_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    new_salt(path)
    first = strong_salt(path)

    with pytest.raises(InputError, match="never"):
        new_salt(path)

    assert 0o600 == path.stat().st_mode & 0o777
    assert first == strong_salt(path)


def test_a_new_salt_with_which_nothing_was_made_does_not_stay(tmp_path: Path) -> None:
    listed, salt, out = (tmp_path / name for name in ("list.csv", "salt", "digests.csv"))
    command = ["confidential", "digest", str(listed), "--salt-file", str(salt), "--new-salt"]

    listed.write_text("1,秘密厂\n", encoding="utf-8")
    first = CliRunner().invoke(app, [*command, "--out", str(out)])
    listed.write_text("名称\n秘密厂\n", encoding="utf-8")
    second = CliRunner().invoke(app, [*command, "--out", str(out)])

    assert (1, 0) == (int(first.exit_code != 0), second.exit_code)
    assert salt.is_file()
    third = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert third.exit_code != 0
    assert salt.is_file()


def test_a_wrong_salt_stops_the_run_where_the_list_can_tell(tmp_path: Path, salt: Path) -> None:
    rows = f"digest,kind\n{digest(CODE)},1\n{digest(CANARY)},0\n"
    files: Files = {"confidential_digest.csv": rows, "self_employed.csv": households(GOOD)}
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"another salt, as good as the first")

    with DuckDBEngine() as engine, pytest.raises(InputError, match="not the one") as error:
        night(engine, tmp_path / "in", files, RunConfig(salt_file=wrong))
    with DuckDBEngine() as engine:
        summary = night(engine, tmp_path / "in", files, RunConfig(salt_file=salt))

    assert 10 == error.value.exit_code
    assert 1 == summary.rows_confidential


def test_a_salt_that_may_be_wrong_is_told_where_nothing_matches(tmp_path: Path, salt: Path) -> None:
    rows = f"digest,kind\n{digest(CODE)},1\n"
    files: Files = {"confidential_digest.csv": rows, "self_employed.csv": households(GOOD)}
    other = tmp_path / "other"
    other.write_bytes(b"another salt, as good as the first")

    found = []
    for path in (salt, other):
        with DuckDBEngine() as engine:
            summary = night(engine, tmp_path / "in", files, RunConfig(salt_file=path))
        found.append((summary.rows_confidential, summary.salt_in_doubt))

    assert [(1, False), (0, True)] == found


def test_the_list_of_the_sample_tells_a_wrong_salt() -> None:
    listed = dict(digests(seed=3).iter_rows())
    check = hashlib.sha256(f"{sample_salt(3)}{CANARY}".encode()).hexdigest()

    assert CANARY_KIND == listed[check]


def test_what_is_kept_of_a_form_tells_nothing_of_it() -> None:
    mark = Confidential(salt=SALT).mark("S1")

    assert "S1" not in mark
    assert mark != Confidential(salt=b"other").mark("S1")
