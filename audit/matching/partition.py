"""The matcher a partition at a time, on Arrow batches: for Spark jobs and national files.

One pass a province (`match_partition`), then one pass over few keys for pairs that lie in two
partitions: `national_keys` a partition, `national_pairs` over all of them together (or the same in
SQL: group by key, keep 2 to cap holders), `match_pairs` on the records of those pairs. All are pure
functions, so any scheduler may call them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

from audit.matching.blocking import VILLAGE_UNIT, held, mix
from audit.matching.comparing import compare, pack_rows
from audit.matching.features import U8, U32, U64, Features
from audit.matching.keys import tokens
from audit.matching.matcher import match_units
from audit.matching.pairs import Scored, ranked, verified
from audit.matching.records import LINK_SCHEMA
from audit.matching.relations import headquarters
from audit.matching.results import LINK, NON_LINK, POSSIBLE, links_of_pairs
from audit.matching.settings import MatchSettings
from audit.matching.weighing import Weights, probability, shipped, weights_of

Parse = Callable[[pl.DataFrame], Features]
NATIONAL_KINDS = ("credit", "org", "core_owner", "phone")
KEY_SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("kind", pa.uint8()),
        ("key", pa.uint64()),
        ("holders", pa.uint8()),
    ]
)
_HELD = ("core", "trade", "owner", "phone", "road_no", "address", "village")
_RARE = 5


def match_partition(
    batch: pa.RecordBatch,
    parse: Parse,
    settings: MatchSettings | None = None,
    weights: Weights | None = None,
) -> pa.RecordBatch:
    """Return the links (LINK_SCHEMA) among the records (RECORD_SCHEMA) of one partition."""
    records = _frame(batch)
    found = match_units(records, parse(records), settings, weights=weights)
    return _batch(found.links)


def national_keys(batch: pa.RecordBatch, parse: Parse) -> pa.RecordBatch:
    """Return the keys of one partition by which records of two partitions may meet.

    Record, kind (place in NATIONAL_KINDS), key and how many hold it in this partition: the code,
    the organisation code, core name with owner, and telephone, where few hold them here.
    """
    records = _frame(batch)
    parts = [
        pl.DataFrame({"record_id": records["record_id"].gather(rows), "kind": kind, "key": keys})
        for kind, (rows, keys) in enumerate(_keys(parse(records)))
    ]
    keyed = (
        pl.concat(parts)
        .with_columns(holders=pl.len().over("kind", "key"))
        .filter(pl.col("holders") <= _RARE)
        .sort("record_id", "kind", "key")
    )
    return _batch(keyed, KEY_SCHEMA)


def national_pairs(keys: pa.Table, settings: MatchSettings | None = None) -> pa.Table:
    """Return left_id, right_id of records that share a national key held by at most c2 records.

    Pairs within one partition come out as well; those are known already.
    """
    cap = (settings or MatchSettings()).joint_cap
    frame = pl.DataFrame(pl.from_arrow(keys)).select("record_id", "kind", "key").unique()
    few = frame.filter(pl.len().over("kind", "key").is_between(2, cap))
    pairs = (
        few.join(few, on=["kind", "key"], suffix="_right")
        .filter(pl.col("record_id") < pl.col("record_id_right"))
        .select(left_id="record_id", right_id="record_id_right")
        .unique()
        .sort("left_id", "right_id")
    )
    return pairs.to_arrow()


def match_pairs(
    batch: pa.RecordBatch,
    pairs: pa.Table,
    parse: Parse,
    settings: MatchSettings | None = None,
    weights: Weights | None = None,
) -> pa.RecordBatch:
    """Return the links (LINK_SCHEMA) among given pairs of the records of a batch.

    Weights are taken as they are (those of a large partition, or the shipped ones): a handful of
    pairs teaches nothing. How common a name is, is counted within the batch. What hashes say of a
    link is verified (`pairs.verified`).
    """
    settings = settings or MatchSettings()
    weights = weights or shipped()
    records = _frame(batch)
    features = parse(records)
    left, right = _rows(records, pl.DataFrame(pl.from_arrow(pairs)))
    patterns = compare(features, pack_rows(features, _holders(features)), (left, right), settings)
    weight = weights_of(patterns, weights)
    scored = Scored(
        left=left,
        right=right,
        keys=np.zeros(len(left), np.uint64),
        patterns=patterns,
        weight=weight,
        probability=probability(weight),
        gain=np.zeros(len(left)),
    )
    apart = headquarters(features, left, right) | ~verified(features, scored, records["name"])
    decision = np.full(len(left), NON_LINK, np.int8)
    decision[(scored.probability >= settings.possible_at) & ~apart] = POSSIBLE
    decision[(scored.probability >= settings.link_at) & ~apart] = LINK
    output = decision > NON_LINK
    pairs_out = (scored.where(output), decision[output], np.zeros(int(output.sum()), bool))
    return _batch(links_of_pairs(records, features, pairs_out, (weights, settings)))


def _rows(records: pl.DataFrame, pairs: pl.DataFrame) -> tuple[U32, U32]:
    rank = ranked(records["record_id"]).rank
    ids = pl.DataFrame({"id": records["record_id"]}).with_row_index("row")
    found = pairs.join(ids.rename({"id": "left_id", "row": "l"}), on="left_id").join(
        ids.rename({"id": "right_id", "row": "r"}), on="right_id"
    )
    a, b = found["l"].to_numpy().astype(np.uint32), found["r"].to_numpy().astype(np.uint32)
    turn = rank[a] > rank[b]
    return np.where(turn, b, a), np.where(turn, a, b)


def _keys(features: Features) -> list[tuple[U32, U64]]:
    """Return rows and keys of each of NATIONAL_KINDS."""
    both = np.where(
        (features.core != 0) & (features.owner != 0) & ~features.is_generic,
        mix(mix(features.core) ^ features.owner),
        np.uint64(0),
    )
    codes = [features.credit, features.org, both]
    found = [(np.flatnonzero(c).astype(np.uint32), c[c != 0]) for c in codes]
    phones = [(np.flatnonzero(p), p[p != 0]) for p in (features.phone_a, features.phone_b)]
    rows = np.concatenate([p[0] for p in phones]).astype(np.uint32)
    return [*found, (rows, np.concatenate([p[1] for p in phones]))]


def _holders(features: Features) -> dict[str, U8]:
    """Return how many records of the batch hold each token, as blocking counts them.

    A telephone is one wherever it stands; of a record's two, that with more holders counts.
    """
    result = {}
    for field in _HELD:
        first, *others = tokens(features, field)
        columns = [first, *(np.where(other == first, 0, other) for other in others)]
        count = held(np.concatenate(columns), VILLAGE_UNIT if field == "village" else 1)
        result[field] = count.reshape(len(columns), -1).max(axis=0)
    return result


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))


def _batch(frame: pl.DataFrame, schema: pa.Schema | None = None) -> pa.RecordBatch:
    """Return a frame as one batch of plain Arrow types, also where it has no rows."""
    wanted = schema or pa.schema(
        [(k, pa.float64() if v == pl.Float64() else pa.string()) for k, v in LINK_SCHEMA.items()]
    )
    table = frame.to_arrow().select(wanted.names).cast(wanted).combine_chunks()
    return pa.RecordBatch.from_arrays(
        [c.chunk(0) if c.num_chunks else pa.array([], c.type) for c in table.columns],
        schema=wanted,
    )
