"""Network addresses as keys: equal for equal addresses, ordered as addresses are."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.network import address_keys, first_keys, is_public, last_keys

IPV4 = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
IPV6 = st.integers(2**48, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))


def _key(text: str | None) -> str | None:
    return address_keys(pl.Series([text], dtype=pl.String)).item()


@given(st.lists(st.one_of(IPV4, IPV6), min_size=1))
def test_a_key_is_the_number_of_the_address(texts: list[str]) -> None:
    numbers = [ipaddress.ip_address(text) for text in texts]
    expected = [
        int(n) if n.version == 6 else int(ipaddress.IPv6Address(f"::ffff:{n}")) for n in numbers
    ]

    keys = address_keys(pl.Series(texts))

    assert [int(key, 16) for key in keys] == expected
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("58.20.1.1", "058.020.001.001"),
        ("58.20.1.1", "::ffff:58.20.1.1"),
        ("2001:db8::1", "2001:0DB8:0:0::1"),
    ],
)
def test_spellings_of_one_address_have_one_key(text: str, same: str) -> None:
    assert _key(text) is not None
    assert _key(text) == _key(same)


@pytest.mark.parametrize(
    "text", [None, "", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "内网", "999.999.999.999"]
)
def test_what_is_no_address_has_no_key(text: str | None) -> None:
    assert _key(text) is None


@given(IPV4, st.integers(0, 32))
def test_an_address_is_inside_its_range_by_comparing_keys(text: str, bits: int) -> None:
    network = ipaddress.ip_network(f"{text}/{bits}", strict=False)
    beside = ipaddress.IPv4Address((int(network.broadcast_address) + 1) % 2**32)
    ranges = pl.Series([f"{text}/{bits}"])
    first, last = first_keys(ranges).item(), last_keys(ranges).item()

    assert first <= (_key(text) or "") <= last
    assert bits == 0 or not first <= (_key(str(beside)) or "") <= last


def test_a_bare_address_is_a_range_of_one_and_other_text_is_none() -> None:
    ranges = pl.Series(["58.20.1.1", "机关大院", None, "58.20.1.1/33"])

    assert first_keys(ranges).to_list() == last_keys(ranges).to_list()
    assert first_keys(ranges).is_null().to_list() == [False, True, True, True]


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("10.0.0.0", False),
        ("11.0.0.0", True),
        ("172.15.255.255", True),
        ("172.16.0.0", False),
        ("172.31.255.255", False),
        ("172.32.0.0", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("100.128.0.0", True),
        ("127.0.0.1", False),
        ("fd00::1", False),
        ("2001:db8::1", True),
        ("x", None),
    ],
)
def test_private_and_carrier_addresses_are_not_public(text: str, public: bool | None) -> None:
    keys = address_keys(pl.Series("key", [text]))

    assert keys.to_frame().select(is_public(pl.col("key"))).item() is public
