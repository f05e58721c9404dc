"""From records to weighed pairs: block, compare, weigh. Shared by both matchers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cpdist

from audit.matching import levels as lv
from audit.matching.blocking import Candidates, Rows, candidates
from audit.matching.characters import folded, written
from audit.matching.comparing import compare, labels, pack_rows
from audit.matching.features import U8, U32, U64, Features, Flags
from audit.matching.keys import CODE_KINDS, KINDS
from audit.matching.relations import headquarters_among
from audit.matching.scorecard import Floats, level_parts
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Counted, Weighed, Weights, probability, weigh, weights_of

CODE_KEYS = np.uint64(sum(1 << i for i, kind in enumerate(KINDS) if kind.rstrip("*") in CODE_KINDS))
_ONE_KIND = (lv.number_of(lv.KIND, "same"), lv.number_of(lv.KIND, "list"))
_BY_HASH = tuple(
    (field, tuple(lv.number_of(field, level) for level in levels), hashed)
    for field, levels, hashed in (
        (lv.NAME, ("trade", "trade_similar", "trade_alone"), "trade"),
        (lv.NAME, ("trade_sound", "trade_sound_similar"), "trade_sound"),
        (lv.NAME, ("core_sound",), "core_sound"),
        (lv.NAME, ("core",), "core"),
        (lv.OWNER, ("sound",), "owner_sound"),
        (lv.ADDRESS, ("other_room", "crowded", "number"), "road_no"),
        (lv.ADDRESS, ("full_crowded", "full"), "address"),
    )
)
"""Levels that say that two hashes are equal."""
SURE = 6.0
"""Weight (log odds) beyond which pairs are told apart by their evidence."""
_LATIN_END = 0x250
_LEAST_ALIKE = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Candidate pairs of one pass over `features`, compared.

    `origin` gives the row among all records of each row of the pass.
    """

    features: Features
    origin: NDArray[np.int64]
    packed: NDArray[np.void]
    rows: Rows
    found: Candidates
    patterns: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Weighed pairs; arrays of equal length, candidates in the order of their ranks.

    `gain` is the part of the weight that comes from the other pairs of both records.
    """

    left: U32
    right: U32
    keys: U64
    patterns: U64
    weight: Floats
    probability: Floats
    gain: Floats

    def where(self, wanted: Flags | NDArray[np.int64]) -> Scored:
        """Return some of the pairs."""
        return Scored(**{f.name: getattr(self, f.name)[wanted] for f in fields(self)})


def merit(scored: Scored) -> Floats:
    """Return by what pairs are preferred to each other: the weight, and beyond doubt the evidence.

    Few different units share all of name, owner and telephone, so the highest weights rest on few
    labels; there what agrees and what contradicts is counted instead.
    """
    parts = level_parts(scored.patterns)
    evidence = parts["agree"] - parts["contradict"]
    sure = 8.0 + 0.1 * (scored.weight - SURE) + evidence
    result: Floats = np.where(scored.weight > SURE, sure, scored.weight)
    return result


def joined(parts: list[Scored]) -> Scored:
    """Return the pairs of all parts, one behind the other."""
    return Scored(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Scored)}
    )


def concatenate(left: Features, right: Features) -> Features:
    """Return the records of both, one behind the other."""
    return Features(
        **{
            f.name: np.concatenate([getattr(left, f.name), getattr(right, f.name)])
            for f in fields(Features)
        }
    )


def take(features: Features, rows: NDArray[np.int64]) -> Features:
    """Return some records."""
    return Features(**{f.name: getattr(features, f.name)[rows] for f in fields(Features)})


def ranked(ids: pl.Series, side: U8 | None = None) -> Rows:
    """Return the order of records by id, on which alone ties are decided."""
    order = ids.arg_sort().to_numpy().astype(np.uint32)
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    by_rank = None if side is None else side[order]
    return Rows(rank=rank, row_of_rank=order, side=side, side_of_rank=by_rank)


def compare_candidates(features: Features, rows: Rows, settings: MatchSettings) -> Compared:
    """Propose and compare the pairs of one set (or across two, where rows have sides)."""
    found = candidates(features, rows, settings)
    packed = pack_rows(features, found.holders)
    found = replace(found, holders={})
    patterns = compare(features, packed, (found.left, found.right), settings)
    return Compared(
        features=features,
        origin=np.arange(len(features)),
        packed=packed,
        rows=rows,
        found=found,
        patterns=patterns,
    )


def emptied(compared: Compared) -> Compared:
    """Return a pass without its pairs and packed rows, when nothing more is compared."""
    none = np.empty(0, np.uint32)
    keys = np.empty(0, np.uint64)
    found = replace(compared.found, left=none, right=none, keys=keys)
    return replace(compared, found=found, patterns=keys, packed=compared.packed[:0].copy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The pairs of one pass, and `which` of the distinct patterns of all passes each shows.

    `by_right` has the places of the pairs that are a legal entity and its own headquarters.
    """

    compared: Compared
    which: U32
    by_right: NDArray[np.int64]

    def scored(self, weighed: Weighed, at: NDArray[np.int64] | slice = slice(None)) -> Scored:
        """Return the pairs at some places with their weights."""
        found, which = self.compared.found, self.which[at]
        return Scored(
            left=found.left[at],
            right=found.right[at],
            keys=found.keys[at],
            patterns=self.compared.patterns[at],
            weight=weighed.weight[which],
            probability=weighed.probability[which],
            gain=np.zeros(len(which)),
        )


def weigh_compared(
    passes: list[Compared], start: Weights, settings: MatchSettings
) -> tuple[Weighed, list[Placed]]:
    """Weigh the patterns of all passes together; one Placed a pass."""
    distinct, which, counts = lv.pattern_counts(_one([p.patterns for p in passes]))
    placed = []
    for one in passes:
        here, which = which[: len(one.patterns)], which[len(one.patterns) :]
        pairs = one.found.left, one.found.right
        by_right = headquarters_among(one.features, pairs, distinct, here)
        placed.append(Placed(compared=one, which=here, by_right=by_right))
    return weigh(_count(placed, (distinct, counts)), start, settings), placed


def _count(placed: list[Placed], patterns: tuple[U64, NDArray[np.int64]]) -> Counted:
    """Count the pairs of each pattern, but for units and their own headquarters."""
    distinct, counts = patterns
    pairs, learnable = counts.copy(), counts.copy()
    for one in placed:
        by_code = (one.compared.found.keys & ~CODE_KEYS) == 0
        pairs -= np.bincount(one.which[one.by_right], minlength=len(distinct))
        learnable -= np.bincount(one.which[by_code], minlength=len(distinct))
    # Nor a unit and its headquarters: they are of two kinds.
    learnable[~np.isin(lv.level_of(distinct, lv.KIND), _ONE_KIND)] = 0
    features = [one.compared.features for one in placed]
    return Counted(
        patterns=distinct,
        pairs=pairs,
        learnable=learnable,
        coverage=coverage(features),
        latin=_latin(features),
    )


def _one(parts: list[U64]) -> U64:
    """Return the arrays one behind the other; a single one is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def coverage(parts: list[Features]) -> float:
    """Return the share of records with a valid code."""
    valid = np.concatenate([f.credit_ok | f.org_ok for f in parts])
    return float(valid.mean()) if len(valid) else 0.0


def _latin(parts: list[Features]) -> bool:
    first = np.concatenate([f.trade_chars[:, 0] for f in parts])
    given = first[first != 0]
    return bool(len(given)) and float((given < _LATIN_END).mean()) > 0.5


def add_pairs(
    compared: Compared,
    scored: Scored,
    pairs: tuple[U32, U32],
    weights: Weights,
    settings: MatchSettings,
) -> Scored:
    """Compare further pairs of rows that no key proposed, and put them behind the others."""
    left, right = pairs
    rank = compared.rows.rank
    first = np.where(rank[left] <= rank[right], left, right)
    second = np.where(rank[left] <= rank[right], right, left)
    patterns = compare(compared.features, compared.packed, (first, second), settings)
    weight = weights_of(patterns, weights)
    more = Scored(
        left=first,
        right=second,
        keys=np.zeros(len(first), np.uint64),
        patterns=patterns,
        weight=weight,
        probability=probability(weight),
        gain=np.zeros(len(first)),
    )
    return joined([scored, more])


def verified(features: Features, scored: Scored, names: pl.Series) -> Flags:
    """Say which pairs keep their levels when not 32 bits of hashes but more is compared.

    Codes, persons and whole names are verified on their characters; `names` as written, row by
    row of `features`. Two of them of one hash can so never make a link. Parts of names, roads and
    addresses are verified on all 64 bits: of 10 million compared pairs of different texts with ten
    hashes each, 5 in a trillion runs would show one equal by chance.
    """
    name, owner, code = (lv.level_of(scored.patterns, f) for f in (lv.NAME, lv.OWNER, lv.CODE))
    left, right = scored.left, scored.right
    result: Flags = np.ones(len(left), np.bool_)
    at = np.flatnonzero(owner >= lv.OWNER_SAME)
    result[at] = (features.owner_chars[left[at]] == features.owner_chars[right[at]]).all(axis=1)
    at = np.flatnonzero(code == lv.CODE_SAME)
    result[at] &= (features.code_symbols[left[at]] == features.code_symbols[right[at]]).all(axis=1)
    at = np.flatnonzero(name == lv.NAME_WHOLE)
    result[at] &= features.name[left[at]] == features.name[right[at]]
    result[at] &= same_names(names.gather(left[at]), names.gather(right[at]))
    for field, levels, hashed in _BY_HASH:
        at = np.flatnonzero(np.isin(lv.level_of(scored.patterns, field), levels))
        column = getattr(features, hashed)
        result[at] &= column[left[at]] == column[right[at]]
    at = np.flatnonzero(name == lv.NAME_BRANCH)  # one of two hashes is equal
    result[at] &= (features.core[left[at]] == features.core[right[at]]) | (
        features.core_sound[left[at]] == features.core_sound[right[at]]
    )
    return result


def same_names(left: pl.Series, right: pl.Series) -> Flags:
    """Say which pairs of names, as written, may be one name in two ways of writing.

    Folding and what is written alike (责任, 本部, LTD) leave at least half of the characters.
    """
    same: Flags = left.eq_missing(right).to_numpy().copy()
    other = np.flatnonzero(~same)
    if len(other):
        texts = [folded(side.gather(other)).letters() for side in (left, right)]
        a, b = (written(one, one.starts, one.ends).fill_null("").to_list() for one in texts)
        same[other] = cpdist(a, b, scorer=ratio) >= _LEAST_ALIKE
    return same


def blocking_quality(compared: list[Compared]) -> dict[str, float]:
    """Return pairs a record, recall on equal codes, and pairs and yield of each key kind."""
    n_pairs = sum(len(c.patterns) for c in compared)
    n_records = sum(len(c.features) for c in compared)
    keys = np.concatenate([_keys_of_same(c) for c in compared])
    by_other = (keys & ~CODE_KEYS) != 0
    result = {
        "candidate_pairs": float(n_pairs),
        "candidate_pairs_per_record": n_pairs / max(n_records, 1),
        "blocking_recall": float(by_other.sum() + 1) / float(len(keys) + 1),
    }
    for bit, kind in enumerate(KINDS):
        result[f"key_pairs:{kind}"] = float(sum(c.found.proposed.get(kind, 0) for c in compared))
        result[f"key_same_code:{kind}"] = float((keys >> np.uint64(bit) & np.uint64(1)).sum())
    for one in compared:
        for kind, (blocks, records) in one.found.capped.items():
            result[f"capped_blocks:{kind}"] = result.get(f"capped_blocks:{kind}", 0.0) + blocks
            result[f"capped_records:{kind}"] = result.get(f"capped_records:{kind}", 0.0) + records
    return result


def _keys_of_same(compared: Compared) -> U64:
    """Return the keys of the pairs of one kind of unit with two valid equal codes."""
    _, same = labels(compared.patterns)
    at = np.flatnonzero(same)
    one_kind = np.isin(lv.level_of(compared.patterns[at], lv.KIND), _ONE_KIND)
    return compared.found.keys[at[one_kind]]
