"""Keys of blocking: the kinds of tokens, which of them are keys alone and which are joined."""

from __future__ import annotations

import numpy as np

from audit.matching.features import U64, Features

SINGLES = (
    *("credit", "org", "name", "core", "core_sound", "trade", "trade_sound", "head", "tail"),
    *("owner", "owner_sound", "phone", "address"),
)
"""Kinds of tokens that are keys alone where few hold them; LISTED are evidence."""

COUNTED_PARTNERS = ("road_no",)
"""Those of PARTNERS whose holders are counted, and are listed where they are many."""

PARTNERS = (
    *("segment", "road_no", "branch", "road", "industry", "activity", "township", "county"),
    *("village", "character"),
)
"""Kinds of tokens that say too little to be a key alone, however few hold them.

In a province the second half of any code and any house number has a few holders by chance."""

LISTED = frozenset({"credit", "org", "name", "owner", "phone", "road_no", "address"})
CODE_KINDS = ("credit", "org", "segment+township")

JOINTS = (
    *(("core", "county"), ("core", "owner"), ("core", "road"), ("core", "township")),
    *(("core_sound", "owner_sound"), ("core_sound", "county"), ("core_sound", "phone")),
    *(("trade", "road"), ("trade", "owner"), ("trade", "phone")),
    *(("trade_sound", "township"), ("trade_sound", "owner_sound"), ("trade_sound", "road_no")),
    *(("trade_sound", "phone"), ("head", "owner"), ("head", "road"), ("head", "phone")),
    *(("head", "township"), ("tail", "owner"), ("owner", "road"), ("owner", "phone")),
    *(("owner_sound", "road_no"), ("segment", "township")),
    *(("owner_sound", "township"), ("phone", "industry"), ("phone", "activity"), ("phone", "road")),
    *(("road_no", "industry"), ("road_no", "activity"), ("branch", "county"), ("branch", "road")),
    ("village", "activity"),
)
"""Pairs of token kinds that may be joined, chosen by new true pairs a candidate pair.

All but the last say something of the unit itself."""

ONE_SET_ONLY = ("village", "activity")
"""It finds units whose name, person and telephone are all damaged. Where two sets are linked, only
records that share a token of their own are looked at (`settling.may_pair`)."""

REFINED = {("village", "activity"): "character"}
"""Joints whose blocks over the cap are parted by a third token instead of being left out."""

KINDS = (
    *SINGLES,
    *("+".join(joint) for joint in JOINTS),
    *("+".join((*joint, third)) for joint, third in REFINED.items()),
    *("credit*", "org*"),
)
"""All key kinds in order of their bit in `Candidates.keys`; the last two chain over-long blocks."""

ORDER = (*SINGLES, *PARTNERS)
"""All kinds of tokens; the place of each salts its hashes."""

_CHARACTERS = 4
"""Characters of a trade name that part a block; longer ones are rare."""


def tokens(features: Features, kind: str) -> tuple[U64, ...]:
    """Return the token columns of a kind; telephones have two, trade names some characters."""
    if kind == "phone":
        return features.phone_a, features.phone_b
    if kind == "character":
        sounds = features.trade_sounds
        return tuple(sounds[:, place].astype(np.uint64) for place in range(_CHARACTERS))
    if kind in ("head", "tail"):
        return (getattr(features, f"trade_{kind}"),)
    if kind == "activity":
        return (features.industry_code.astype(np.uint64),)
    column = getattr(features, kind)
    return (column if column.dtype == np.uint64 else column.astype(np.uint64),)
