"""Hand-made units for the tests of the matcher: features without a parser."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from audit.matching.features import KINDS, OWNER_CHARS, TRADE_CHARS, Features
from audit.matching.records import RECORD_SCHEMA

_SOUNDS = str.maketrans("鸿红张章名明", "宏宏章章明明")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_HASHES = (
    *("credit", "org", "segment", "name", "core", "core_sound", "trade"),
    *("trade_sound", "trade_head", "trade_tail", "industry", "branch", "name_bag", "owner"),
    *("owner_sound", "phone_a", "phone_b", "road", "road_no", "room", "address", "address_bag"),
    *("township", "village", "parent"),
)


def digest(text: str | None) -> int:
    """64-bit hash of a text, 0 of none."""
    return (
        int.from_bytes(hashlib.blake2b((text or "").encode(), digest_size=8).digest())
        if text
        else 0
    )


def bag(text: str) -> int:
    """64-bit mask of the characters and bigrams of a text."""
    parts = [*text, *(text[i : i + 2] for i in range(len(text) - 1))]
    mask = 0
    for part in parts:
        mask |= 1 << (digest(part) % 64)
    return mask


def chars(text: str, width: int) -> list[int]:
    """Code points of a text, cut or filled with 0."""
    points = [ord(c) for c in text[:width]]
    return points + [0] * (width - len(points))


def unit(**given: Any) -> dict[str, Any]:
    """One unit: any of id, trade, industry, form, branch, owner, phone, road, no, room, region,
    activity, code, valid, kind, parent, headquarters, generic."""
    return {
        "id": "u0",
        "trade": "宏达",
        "industry": "建材",
        "form": 1,
        "branch": "",
        "owner": "",
        "phone": 0,
        "phone_b": 0,
        "road": "",
        "no": "",
        "room": "",
        "region": "430102001001",
        "activity": 5000,
        "code": "",
        "valid": True,
        "kind": "legal_entity",
        "parent": "",
        "headquarters": False,
        "generic": False,
        "table": "legal_entity",
        **given,
    }


def _row(u: dict[str, Any]) -> dict[str, Any]:
    core = u["trade"] + u["industry"]
    name = core and f"{core}{u['form']}{u['branch']}"
    sound = core.translate(_SOUNDS)
    address = f"{u['road']}{u['no']}{u['room']}"
    org = u["code"][8:17] if len(u["code"]) == 18 else u["code"]
    region = u["region"] or "0"
    texts = {
        "credit": u["code"] if len(u["code"]) == 18 else "", "org": org,
        "segment": org[4:8], "name": name, "core": core,
        "core_sound": sound, "trade": u["trade"], "trade_sound": u["trade"].translate(_SOUNDS),
        "trade_head": u["trade"][:2], "trade_tail": u["trade"][-2:], "industry": u["industry"],
        "branch": u["branch"], "owner": u["owner"], "owner_sound": u["owner"].translate(_SOUNDS),
        "road": u["road"], "road_no": u["no"] and u["road"] + u["no"], "room": u["room"],
        "address": address, "parent": u["parent"],
    }  # fmt: skip
    return {
        **{key: digest(text) for key, text in texts.items()},
        "name_bag": bag(core), "address_bag": bag(address), "phone_a": u["phone"],
        "phone_b": u["phone_b"], "township": int(region[:9]), "village": int(region[:12]),
    }  # fmt: skip


def units(rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, Features]:
    """Records and features of units made by `unit`."""
    packed = [_row(u) for u in rows]
    symbols = np.full((len(rows), 18), 255, np.uint8)
    for i, u in enumerate(rows):
        for k, symbol in enumerate(u["code"] if len(u["code"]) == 18 else ""):
            symbols[i, k] = _ALPHABET.find(symbol) if symbol in _ALPHABET else 255
    valid = np.array([bool(u["code"]) and u["valid"] for u in rows], bool)
    hashes: dict[str, Any] = {
        key: np.array([row[key] for row in packed], np.uint64) for key in _HASHES
    }
    trades = [u["trade"] for u in rows]
    features = Features(
        **hashes,
        credit_ok=valid & np.array([len(u["code"]) == 18 for u in rows], bool),
        org_ok=valid,
        code_symbols=symbols,
        trade_chars=_points(trades, TRADE_CHARS),
        trade_sounds=_points([t.translate(_SOUNDS) for t in trades], TRADE_CHARS),
        owner_chars=_points([u["owner"] for u in rows], OWNER_CHARS),
        form=np.array([u["form"] for u in rows], np.uint8),
        is_branch=np.array([bool(u["branch"]) for u in rows], bool),
        is_headquarters=np.array([u["headquarters"] for u in rows], bool),
        is_generic=np.array([u["generic"] for u in rows], bool),
        county=np.array([int((u["region"] or "0")[:6]) for u in rows], np.uint32),
        industry_code=np.array([u["activity"] for u in rows], np.uint16),
        kind=np.array([KINDS[u["kind"]] for u in rows], np.uint8),
    )
    return _records(rows), features


def _points(texts: list[str], width: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return np.array([chars(t, width) for t in texts], np.uint16).reshape(len(texts), width)


def _records(rows: list[dict[str, Any]]) -> pl.DataFrame:
    given = [
        {
            **dict.fromkeys(RECORD_SCHEMA),
            "record_id": u["id"],
            "table_name": u["table"],
            "name": f"{u['trade']}{u['industry']}",
            "credit_code": u["code"] or None,
        }
        for u in rows
    ]
    return pl.DataFrame(given, schema=RECORD_SCHEMA)
