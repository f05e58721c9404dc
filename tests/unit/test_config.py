"""The configuration of a night: defaults, types, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import ExitCode, UsageError
from pipelines.config import RunConfig, Scoring, Tasks, load_config


def _config(tmp_path: Path, text: str) -> RunConfig:
    path = tmp_path / "census.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_defaults() -> None:
    assert load_config(None) == RunConfig(
        city="430400000000",
        vintage="2018-10-31",
        reference_date="2018-12-31",
        memory="1200MB",
        threads=2,
        keep_runs=30,
        salt_file=None,
        tables={},
        parameters={},
        scoring=Scoring(limit_units=0.03, limit_self_employed=0.05, flag_probability=0.8),
        tasks=Tasks(due_days=7, random_share=0.2, seed=2018),
    )


def test_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert _config(tmp_path, "") == RunConfig()


def test_every_setting_can_be_given(tmp_path: Path) -> None:
    config = _config(
        tmp_path,
        """
[run]
city = "430100000000"
vintage = "2019-01-01"
reference_date = "2019-12-31"
memory = "4GB"
threads = 4
keep_runs = 7
[confidential]
salt_file = "keys/salt"
[tables]
legal_entity = "六〇一*.csv"
establishment = ["a.csv", "b.csv"]
[parameters.LNK001]
minimum = 3
share = 0.5
codes = ["0110", "0111"]
since = 2018-01-01
[scoring]
limit_units = 1
flag_probability = 0.9
[tasks]
due_days = 3
""",
    )

    assert config == RunConfig(
        city="430100000000",
        vintage="2019-01-01",
        reference_date="2019-12-31",
        memory="4GB",
        threads=4,
        keep_runs=7,
        salt_file=tmp_path / "keys" / "salt",
        tables={"legal_entity": "六〇一*.csv", "establishment": "a.csv|b.csv"},
        parameters={
            "LNK001": {
                "minimum": "3", "share": "0.5", "codes": "0110|0111", "since": "2018-01-01",
            }
        },
        scoring=Scoring(limit_units=1.0, flag_probability=0.9),
        tasks=Tasks(due_days=3),
    )  # fmt: skip
    assert type(config.scoring.limit_units) is float


def test_salt_is_beside_the_configuration_unless_absolute(tmp_path: Path) -> None:
    relative = _config(tmp_path, '[confidential]\nsalt_file = "../salt"')
    absolute = _config(tmp_path, '[confidential]\nsalt_file = "/etc/salt"')

    assert relative.salt_file == tmp_path / "../salt"
    assert absolute.salt_file == Path("/etc/salt")


def test_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert _config(tmp_path, "\ufeff[run]\nthreads = 1").threads == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[runs]", "section [census.toml] has unknown keys: runs"),
        ("threads = 2", "section [census.toml] has unknown keys: threads"),
        ("[run]\nthread = 2", "section [run] has unknown keys: thread"),
        ("[run]\nsalt_file = 's'", "section [run] has unknown keys: salt_file"),
        ("[run.scoring]\nlimit_units = 0.1", "section [run] has unknown keys: scoring"),
        ("[scoring]\nlimit = 0.1", "section [scoring] has unknown keys: limit"),
        ("[tasks]\ndue = 1", "section [tasks] has unknown keys: due"),
        ("[confidential]\nsalt = 's'", "section [confidential] has unknown keys: salt"),
        ("[tables.legal_entity]\nglob = 'x'", "section [tables] has unknown keys: legal_entity"),
        ("[parameters.LNK001.minimum]\nx = 1", "section [parameters.LNK001] has unknown keys: min"),
        ("[run]\nthreads = '2'", "value [run] threads should be int"),
        ("[run]\nthreads = 2.0", "value [run] threads should be int"),
        ("[run]\nthreads = true", "value [run] threads should be int"),
        ("[run]\ncity = 430400000000", "value [run] city should be str"),
        ("[run]\nreference_date = 2018-12-31", "value [run] reference_date should be str"),
        ("[scoring]\nlimit_units = '3%'", "value [scoring] limit_units should be float"),
        ("[scoring]\nlimit_units = true", "value [scoring] limit_units should be float"),
        ("[confidential]\nsalt_file = 3", "value [confidential] salt_file should be str"),
        ("run = 1", "[run] in the configuration should be a section"),
        ("[[tables]]\nlegal_entity = 'x'", "[tables] in the configuration should be a section"),
        ("confidential = 's'", "[confidential] in the configuration should be a section"),
        ("parameters = 1", "[parameters] in the configuration should be a section"),
        ("[parameters]\nLNK001 = 1", "[parameters.LNK001] in the configuration should be a sec"),
        ("[run", "Cannot read the configuration"),
    ],
)
def test_refusals(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        _config(tmp_path, text)

    assert told in caught.value.en
    assert caught.value.exit_code is ExitCode.USAGE


def test_unknown_key_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        _config(tmp_path, "[tasks]\ndue = 1")

    assert caught.value.zh == (
        "配置文件 [tasks] 中有不认识的键：due。可用的键：due_days, random_share, seed。"
    )


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "census.toml"
    with pytest.raises(UsageError, match="Cannot read the configuration"):
        load_config(path)

    path.write_bytes('[run]\ncity = "衡阳"'.encode("gb18030"))
    with pytest.raises(UsageError, match="Cannot read the configuration"):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[run]\nthreads = 0", "threads should be between 1 and 256"),
        ("[run]\nkeep_runs = 1", "keep_runs should be between 2"),
        ("[run]\ncity = '4304'", "city is not well formed"),
        ("[run]\nmemory = 'much'", "memory is not well formed"),
        ("[scoring]\nlimit_units = 3.0", "limit_units should be between 0.0 and 1.0"),
        ("[tables]\nlegal = '*.csv'", "unknown keys: legal"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(_config(tmp_path, text))

    assert part in caught.value.en
