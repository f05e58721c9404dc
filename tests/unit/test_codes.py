"""Check digits, against python-stdnum and by property."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from audit import codes

BODY = st.text(alphabet=codes.CREDIT_ALPHABET, min_size=17, max_size=17)


def _with_check(bodies: list[str]) -> list[str]:
    array = np.frombuffer("".join(bodies).encode(), dtype=np.uint8).reshape(-1, 17)
    return [b + chr(c) for b, c in zip(bodies, codes.credit_check_characters(array), strict=True)]


def test_published_codes_pass() -> None:
    known = pl.Series("credit_code", ["11341602003165775Y", "9144030071526726XG"])

    assert codes.credit_code_check_ok(known).to_list() == [True, True]
    assert codes.credit_code_org_ok(known).to_list() == [True, True]


def test_missing_and_misshapen_codes_are_unknown_not_wrong() -> None:
    series = pl.Series("credit_code", [None, "", "9144", "9143O4OO6242O94275", "９１", "张"])

    assert codes.credit_code_shape_ok(series).to_list() == [None, *[False] * 5]
    assert codes.credit_code_check_ok(series).to_list() == [None] * 6


def test_no_rows_give_no_rows() -> None:
    empty = pl.Series("credit_code", [], dtype=pl.String)

    assert codes.credit_code_check_ok(empty).to_list() == []
    assert codes.org_code_check_ok(empty).to_list() == []


@given(st.lists(BODY, min_size=1, max_size=20))
def test_check_character_agrees_with_stdnum(bodies: list[str]) -> None:
    full = _with_check(bodies)

    assert [uscc.calc_check_digit(b) for b in bodies] == [c[-1] for c in full]
    assert codes.credit_code_check_ok(pl.Series("credit_code", full)).to_list() == [True] * len(
        full
    )


@given(BODY, st.integers(0, 16), st.sampled_from(codes.CREDIT_ALPHABET))
def test_one_wrong_character_is_noticed(body: str, place: int, other: str) -> None:
    full = _with_check([body])[0]
    wrong = full[:place] + other + full[place + 1 :]

    verdict = codes.credit_code_check_ok(pl.Series("credit_code", [wrong])).to_list()

    assert verdict == [wrong == full]


def test_organisation_code_examples() -> None:
    series = pl.Series("org_code", ["003165775", "71526726X", "003165776", "00316577B", None, "x"])

    assert codes.org_code_check_ok(series).to_list() == [True, True, False, False, None, False]


def test_registration_number_check_digit() -> None:
    # 110108000000016 is the worked example of GS15-2006.
    body = np.frombuffer(b"11010800000001", dtype=np.uint8).reshape(1, 14)

    assert bytes(codes.registration_check_digits(body)) == b"6"
