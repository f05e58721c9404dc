"""What the matcher compares: one packed row a record, integers only.

`parsing.parse_units` fills it, everything after it reads nothing else. Hashes are uint64 of the
text; 0 means missing throughout, so that a missing value never equals anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]
Flags = NDArray[np.bool_]

TRADE_CHARS = 8
OWNER_CHARS = 6
KINDS = {
    "legal_entity": 1,
    "establishment": 2,
    "self_employed": 3,
    "frame_unit": 4,
    "register_unit": 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Packed columns of n records, all of length n.

    Codes: `credit` is the hash of the repaired 18 characters, `credit_ok` that both check
    characters are right; `org` the hash of the organisation code (characters 9 to 17, or the
    9-character code by itself), `org_ok` its check; `segment` characters 5 to 8 of the
    organisation code; `code_symbols` n x 18, 0 to 30 in the alphabet of GB 32100, 255 where none.

    Names: `name` the whole normalised name; `core` without region prefix and organisational form;
    `trade` the 字号; `industry` the industry words; `form` the organisational form (0 none);
    `branch` the branch part; `*_sound` the same with homophones and fuzzy syllables made equal.
    `trade_chars` and `trade_sounds` n x TRADE_CHARS code points (representatives), 0 behind the
    end. `name_bag` a 64-bit mask of the core's characters and bigrams. `is_generic`: nothing
    distinctive is in the name (a village committee, a school, a shop by its trade only).

    Persons: `owner`, `owner_sound`, `owner_chars`. Telephones: `phone_a`, `phone_b` as integers.

    Places: `road`, `road_no` (road and number), `room`, `address` (all of it, normalised),
    `address_bag`; `county`, `township`, `village` are codes as integers (6, 9 and 12 digits).

    `industry_code` the four digits of GB/T 4754-2017; `kind` as in KINDS; `parent` the hash of the
    organisation code of the legal entity it belongs to.
    """

    credit: U64
    credit_ok: Flags
    org: U64
    org_ok: Flags
    segment: U64
    code_symbols: U8

    name: U64
    core: U64
    core_sound: U64
    trade: U64
    trade_sound: U64
    trade_chars: U16
    trade_sounds: U16
    trade_head: U64
    trade_tail: U64
    industry: U64
    form: U8
    branch: U64
    is_branch: Flags
    is_headquarters: Flags
    is_generic: Flags
    name_bag: U64

    owner: U64
    owner_sound: U64
    owner_chars: U16
    phone_a: U64
    phone_b: U64

    road: U64
    road_no: U64
    room: U64
    address: U64
    address_bag: U64
    county: U32
    township: U64
    village: U64

    industry_code: U16
    kind: U8
    parent: U64

    def __len__(self) -> int:
        return len(self.name)
