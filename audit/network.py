"""Network addresses as text that SQL can compare: 32 hexadecimal digits, IPv4 mapped into IPv6.

Equal addresses have equal keys and the order of the keys is the order of the addresses, so that
"inside a range" is BETWEEN on every engine. IPv4 a.b.c.d is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
"""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl

KEY_DIGITS = 32
MAPPED = "0" * 20 + "ffff"
_OCTETS = r"^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$"
_LOCAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Addresses that say nothing of the place: the same one is used behind many routers.

RFC 1918 (private), 6598 (shared by a carrier), 1122, 3927, 4193, 4291.
"""


def _ipv4_keys(texts: pl.Series) -> pl.Series:
    """Return the keys of what is written a.b.c.d; NULL for the rest."""
    parts = texts.str.extract_groups(_OCTETS).struct.unnest()
    octets = parts.select(pl.all().cast(pl.Int64))
    sound = octets.select(pl.all_horizontal(pl.all().is_not_null() & (pl.all() <= 255)))
    weights = np.array([1 << 24, 1 << 16, 1 << 8, 1], dtype=np.int64)
    numbers = octets.fill_null(0).to_numpy() @ weights
    low = (numbers & 0xFFFFFFFF).astype(">u4").tobytes().hex().encode()
    keys = pl.Series(np.frombuffer(low, dtype="S8").astype("U8"), dtype=pl.String)
    return pl.select(pl.when(sound.to_series()).then(MAPPED + keys)).to_series()


def _odd_key(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return f"{int(address):0{KEY_DIGITS}x}" if address.version == 6 else None


def address_keys(texts: pl.Series) -> pl.Series:
    """Return the key of each address, a Series of text; NULL where it is none.

    IPv4 (zeros in front are decimal) and IPv6 in any spelling.
    """
    keys = _ipv4_keys(texts).alias(texts.name)
    odd = texts.filter(keys.is_null() & texts.is_not_null()).unique()
    if odd.is_empty():
        return keys
    # Few texts are not a.b.c.d; each different one is parsed once.
    known = pl.Series([_odd_key(text) for text in odd], dtype=pl.String)
    return keys.zip_with(
        keys.is_not_null(), texts.replace_strict(odd, known, default=None, return_dtype=pl.String)
    )


def _bounds(cidr: str | None) -> tuple[str | None, str | None]:
    try:
        network = ipaddress.ip_network(cidr or "", strict=False)
    except ValueError:
        return None, None
    lead = MAPPED if network.version == 4 else ""
    width = KEY_DIGITS - len(lead)
    ends = (network.network_address, network.broadcast_address)
    first, last = (f"{lead}{int(end):0{width}x}" for end in ends)
    return first, last


def first_keys(ranges: pl.Series) -> pl.Series:
    """Return the key of the first address of each CIDR range or address; NULL where it is none."""
    return pl.Series(ranges.name, [_bounds(text)[0] for text in ranges], dtype=pl.String)


def last_keys(ranges: pl.Series) -> pl.Series:
    """Return the key of the last address of each CIDR range or address; NULL where it is none."""
    return pl.Series(ranges.name, [_bounds(text)[1] for text in ranges], dtype=pl.String)


def is_public(keys: pl.Expr) -> pl.Expr:
    """Return whether an address key tells one connection from another; NULL for NULL."""
    local = pl.lit(value=False)
    for cidr in _LOCAL:
        first, last = _bounds(cidr)
        local = local | keys.is_between(pl.lit(first), pl.lit(last))
    return keys.is_not_null().replace(old=False, new=None) & ~local
