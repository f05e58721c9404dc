"""How values read in the sentences of findings; tests/told_checks.py holds every rule to it."""

from __future__ import annotations

import pytest

from audit.model import Label
from audit.wording import grouped, word


@pytest.mark.parametrize(
    ("variable", "value", "zh", "en"),
    [
        ("registration_type", "159", "159 其他有限责任公司", "159 other limited liability company"),
        (
            "specialty",
            "E S",
            "E 批发和零售业、S 住宿和餐饮业",
            "E wholesale and retail trade and S accommodation and catering",
        ),
        (
            "registration_type",
            "110 或 120",
            "110 国有 或 120 集体",
            "110 state-owned or 120 collective",
        ),
        ("industry_code", "6129", "6129 其他一般旅馆", "6129 Accommodation"),
        ("employees", "12345", "12,345", "12,345"),
        ("outcome", "2679.00", "2,679", "2,679"),
        ("revenue_kyuan", "-1234567.50", "-1,234,567.50", "-1,234,567.50"),
        ("revenue_kyuan", "税务 3912 千元，为其 1000 倍", *["税务 3,912 千元，为其 1000 倍"] * 2),
    ],
)
def test_a_code_has_its_name_and_an_amount_its_separators(
    variable: str, value: str, zh: str, en: str
) -> None:
    assert word(variable, value) == Label(zh, en)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("registration_type", "199"),
        ("credit_code", "924304068844640962"),
        ("opened_ym", "201902"),
        ("employees", "999"),
        ("has_establishments", "1 是"),
        ("region_code", "430476001001"),
    ],
)
def test_what_is_no_known_code_and_no_amount_stays_as_it_stands(variable: str, value: str) -> None:
    assert word(variable, value) is None


def test_a_number_keeps_its_fraction_unless_it_is_empty() -> None:
    assert [grouped(text) for text in ("1000.00", "0.50", "-7", "1234567.89")] == [
        "1,000",
        "0.50",
        "-7",
        "1,234,567.89",
    ]
