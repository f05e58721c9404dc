"""Check digits and shapes of the codes on census forms, vectorised over text columns.

Every function takes and returns polars series (or numpy arrays) of the same height; an empty value
gives NULL, never False.

Sources: GB 32100-2015 (unified social credit code), GB 11714-1997 (organisation code),
GS15-2006 with ISO 7064 MOD 11,10 (registration number).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
ORG_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
CREDIT_SHAPE = rf"^[{CREDIT_ALPHABET}]{{18}}$"

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def _lookup(alphabet: str) -> Ints:
    table = np.full(256, -1, dtype=np.int64)
    table[np.frombuffer(alphabet.encode(), dtype=np.uint8)] = np.arange(len(alphabet))
    return table


_CREDIT_VALUES = _lookup(CREDIT_ALPHABET)
_ORG_VALUES = _lookup(ORG_ALPHABET)


def characters(codes: pl.Series, length: int) -> Bytes:
    """Return an (n, length) array of bytes; a code of another length becomes zeros."""
    fixed = codes.set(codes.str.len_bytes() != length, None).fill_null("\0" * length)
    # All of one length, so Arrow has them side by side.
    values = fixed.to_arrow().buffers()[2]
    return np.frombuffer(values, dtype=np.uint8)[: len(codes) * length].reshape(-1, length)


def credit_check_characters(bodies: Bytes) -> Bytes:
    """Return the 18th character for (n, 17) bodies (GB 32100-2015, 5.4); 0 where undefined."""
    values = _CREDIT_VALUES[bodies[:, :17]]
    check = (31 - (values * CREDIT_WEIGHTS).sum(axis=1) % 31) % 31
    letters = np.frombuffer(CREDIT_ALPHABET.encode(), dtype=np.uint8)[check]
    return np.where((values < 0).any(axis=1), np.uint8(0), letters)


def org_check_characters(bodies: Bytes) -> Bytes:
    """Return the 9th character for (n, 8) bodies (GB 11714-1997, 4.2); 0 where undefined."""
    values = _ORG_VALUES[bodies[:, :8]]
    check = 11 - (values * ORG_WEIGHTS).sum(axis=1) % 11
    letters = np.frombuffer(b"0123456789X0", dtype=np.uint8)[check]
    return np.where((values < 0).any(axis=1), np.uint8(0), letters)


def _verdict(known: pl.Series, right: npt.NDArray[np.bool_], name: str) -> pl.Series:
    return pl.select(pl.when(known).then(pl.Series(right)).alias(name)).to_series()


def credit_code_shape_ok(codes: pl.Series) -> pl.Series:
    """Return whether each code has 18 characters of the alphabet; NULL where there is no code."""
    return codes.str.contains(CREDIT_SHAPE)


def credit_code_check_ok(codes: pl.Series) -> pl.Series:
    """Return whether the 18th character is right; NULL where the shape is wrong or missing."""
    chars = characters(codes, 18) if len(codes) else np.zeros((0, 18), dtype=np.uint8)
    right = credit_check_characters(chars[:, :17]) == chars[:, 17]
    return _verdict(credit_code_shape_ok(codes).fill_null(value=False), right, codes.name)


def credit_code_org_ok(codes: pl.Series) -> pl.Series:
    """Return whether characters 9 to 17 are a right organisation code; NULL as above."""
    chars = characters(codes, 18) if len(codes) else np.zeros((0, 18), dtype=np.uint8)
    right = org_check_characters(chars[:, 8:16]) == chars[:, 16]
    return _verdict(credit_code_shape_ok(codes).fill_null(value=False), right, codes.name)


def org_code_check_ok(codes: pl.Series) -> pl.Series:
    """Return whether a 9-character organisation code has its check character; NULL if missing."""
    chars = characters(codes, 9) if len(codes) else np.zeros((0, 9), dtype=np.uint8)
    expected = org_check_characters(chars[:, :8])
    right = (expected == chars[:, 8]) & (expected > 0)
    return _verdict(codes.is_not_null(), right, codes.name)


def registration_check_digits(bodies: Bytes) -> Bytes:
    """Return the 15th digit for (n, 14) registration numbers (ISO 7064 MOD 11,10)."""
    digits = bodies[:, :14].astype(np.int64) - ord("0")
    product = np.full(len(digits), 10, dtype=np.int64)
    for position in range(14):
        total = (product + digits[:, position]) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return ((11 - product) % 10 + ord("0")).astype(np.uint8)
