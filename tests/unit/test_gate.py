"""The gate's verdicts: bounds, unknowns, few rows, and what two judges are made to agree on."""

from __future__ import annotations

import math

import pytest

from audit.contracts import CONTRACT
from audit.gate import (
    COULD_NOT_CHECK,
    QUARANTINE,
    REMARK,
    UNKNOWN,
    WITHIN,
    Bounds,
    Cell,
    GateSettings,
    expectations,
    judge,
    judge_value,
    missing,
    verdict,
    worse,
)

SETTINGS = GateSettings()
CHECKS = expectations(SETTINGS)


def cell(values: dict[str, float | None], **changes: object) -> Cell:
    given: dict[str, object] = {
        "table": "legal_entity", "file": "a.csv", "region_code": "430422000000", "n_rows": 500,
        "n_refused": 0, "n_expected": None, "values": values, "items": {},
    }  # fmt: skip
    return Cell(**(given | changes))  # type: ignore[arg-type]


def code(values: dict[str, float | None], **changes: object) -> str:
    one = cell(values, **changes)
    return verdict(one, judge(one, CHECKS), SETTINGS).code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, WITHIN), (0.1, WITHIN), (0.11, REMARK), (0.5, REMARK), (0.51, QUARANTINE),
        (None, UNKNOWN), (math.nan, UNKNOWN),
    ],
)  # fmt: skip
def test_bounds_grade_a_metric_and_null_is_unknown(value: float | None, expected: str) -> None:
    assert expected == judge_value(value, Bounds(high=0.1, worst_high=0.5))


def test_one_percent_without_credit_code_is_a_remark_and_a_lost_column_quarantine() -> None:
    assert "accept" == code({"code_missing": 0.01})
    assert "remarks" == code({"code_missing": 0.011})
    assert "quarantine" == code({"code_missing": 1.0})


def test_half_of_the_expected_rows_is_quarantine() -> None:
    assert "accept" == code({"rows": 0.96})
    assert "remarks" == code({"rows": 0.8})
    assert "quarantine" == code({"rows": 0.5})
    assert "remarks" == code({"rows": 2.5})


def test_unknown_metric_is_no_pass() -> None:
    assert "remarks" == code({"empty": None})


def test_metric_that_does_not_apply_is_not_asked() -> None:
    assert {"empty": WITHIN} == judge(cell({"empty": 0.0}), CHECKS)


def test_a_handful_of_rows_or_no_county_is_never_quarantined_for_a_rate() -> None:
    assert "remarks" == code({"empty": 1.0}, n_rows=3)
    assert "remarks" == code({"empty": 1.0}, region_code="")
    assert "quarantine" == code({"empty": 1.0}, n_rows=20)


def test_refused_file_is_quarantined_however_small() -> None:
    assert "quarantine" == code({"loaded": 0.0}, n_rows=0)
    assert "remarks" == code({"loaded": 1.0}, n_rows=0)


def test_reasons_name_the_worst_item_in_both_languages() -> None:
    one = cell({"empty": 0.6}, items={"empty": "industry_code"})
    told = verdict(one, judge(one, CHECKS), SETTINGS).reasons

    assert "必填项空值率（最差的一项）（行业代码） 60.0%" == told.zh
    assert "empty mandatory items (the worst one) (Industry class) 60.0%" == told.en


def reasons(values: dict[str, float | None], **changes: object) -> tuple[str, str]:
    one = cell(values, **changes)
    told = verdict(one, judge(one, CHECKS), SETTINGS).reasons
    return told.zh, told.en


def test_reasons_say_why_a_rate_did_not_quarantine() -> None:
    few = reasons({"unlisted": 1.0}, n_rows=2)
    nowhere = reasons({"unlisted": 1.0}, region_code="")

    assert few[0].endswith(" 100.0%；行数太少（不足 20 行），不隔离")
    assert few[1].endswith(" 100.0%; fewer than 20 rows: not quarantined")
    assert nowhere[0].endswith(" 100.0%；不属于本市任何县，不隔离")
    assert nowhere[1].endswith(" 100.0%; in no county of the city: not quarantined")
    assert "不隔离" not in reasons({"unlisted": 0.1}, n_rows=2)[0]
    assert "不隔离" not in reasons({"loaded": 0.0, "rows": 0.0}, n_rows=0)[0]


def test_file_that_cannot_be_opened_is_told_in_plain_words() -> None:
    nothing = {"loaded": 0.0, "rows": 0.0, "refused": None, "empty": None}

    told = reasons(nothing, n_rows=0, items={"loaded": "unreadable_file"})
    refused = reasons(nothing, n_rows=0, items={"loaded": "missing_column"})

    assert "文件打不开，未读入；行数与应到行数之比 0.0%" == told[0]
    assert told[1].startswith("the file cannot be opened: nothing was read; rows against")
    assert refused[0].startswith("整个文件被退回（缺少必需列）；")
    assert refused[1].startswith("the whole file was refused (missing column); ")


def test_changed_header_is_named_before_what_follows_from_it() -> None:
    lost = {"lost": ("credit_code",), "unknown_columns": ("信用号码",)}

    zh, en = (text.split(mark)[0] for text, mark in zip(
        reasons({"code_missing": 1.0}, **lost), "；;", strict=True
    ))  # fmt: skip

    assert "缺列（或整列为空）统一社会信用代码，未识别的列 信用号码：请改回表头重报" == zh
    assert en.startswith("missing or empty throughout: Unified social credit code, unknown headers")
    for changed in ({"unknown_columns": ()}, {"lost": ()}, {"n_rows": 0}):
        assert "缺列" not in reasons({"code_missing": 1.0}, **(lost | changed))[0]
    assert ("", "") == reasons({"code_missing": 0.0}, **lost)


def test_missing_names_the_rows_owed() -> None:
    assert "应到 120 行，本次未送达" == missing(120).reasons.zh


def test_judge_that_could_not_check_has_no_say() -> None:
    assert REMARK == worse(REMARK, COULD_NOT_CHECK)
    assert WITHIN == worse(WITHIN, None)
    assert QUARANTINE == worse(WITHIN, QUARANTINE)


def test_every_verdict_and_result_has_its_words() -> None:
    assert {"accept", "remarks", "quarantine", "missing"} == set(
        CONTRACT.code_lists["gate_verdict"]
    )
    assert {WITHIN, REMARK, QUARANTINE, UNKNOWN, COULD_NOT_CHECK} == set(
        CONTRACT.code_lists["gate_result"]
    )
