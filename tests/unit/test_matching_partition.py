"""The matcher a partition at a time finds across partitions what one pass finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from audit.matching.features import Features
from audit.matching.pairs import take
from audit.matching.partition import match_pairs, match_partition, national_keys, national_pairs
from tests.matching_units import unit, units

SAME: dict[str, Any] = {"owner": "王明华", "phone": 13812345678, "road": "东路", "no": "8"}
CODE = "91430102MA0000001X"


def _batch(frame: pl.DataFrame) -> pa.RecordBatch:
    return frame.to_arrow().combine_chunks().to_batches()[0]


def test_two_partitions_and_national_pass_find_what_one_pass_finds() -> None:
    rows = [
        unit(id="a", code=CODE, **SAME),
        unit(id="b", trade="金鑫", owner="李强", phone=13900000001, road="西路", no="9"),
        unit(id="c", code=CODE, **SAME),
    ]
    records, features = units(rows)

    def parse(frame: pl.DataFrame) -> Features:
        known = records["record_id"].to_list()
        return take(features, np.array([known.index(i) for i in frame["record_id"]]))

    one, other = _batch(records[:2]), _batch(records[2:])
    keys = pa.Table.from_batches([national_keys(p, parse) for p in (one, other)])
    pairs = national_pairs(keys)
    apart = match_pairs(_batch(records), pairs, parse)
    whole = match_partition(_batch(records), parse)

    assert [0, 0] == [match_partition(p, parse).num_rows for p in (one, other)]
    assert [("a", "c", "link")] == [
        (r["left_id"], r["right_id"], r["decision"]) for r in apart.to_pylist()
    ]
    assert whole.column("left_id").to_pylist() == apart.column("left_id").to_pylist()


def test_a_second_telephone_of_many_firms_counts_as_in_one_pass() -> None:
    agency = 13900000001
    shops = [
        unit(id=f"u{n}", trade=f"店{n}", phone=13800000000 + n, phone_b=agency) for n in range(38)
    ]
    firm = {**SAME, "phone_b": agency}
    rows = [
        unit(id="a", code=CODE, **{**firm, "phone": 13700000001}),
        unit(id="b", code=CODE, **{**firm, "phone": 13700000002}),
        *shops,
    ]
    records, features = units(rows)
    pair = pa.table({"left_id": ["a"], "right_id": ["b"]})

    def told(links: pa.RecordBatch) -> list[str]:
        return [r["comparison"] for r in links.to_pylist() if r["left_id"] == "a"]

    apart = told(match_pairs(_batch(records), pair, lambda _: features))
    whole = told(match_partition(_batch(records), lambda _: features))

    assert 1 == len(apart) == len(whole)
    for comparison in (*apart, *whole):
        assert "the same, used by many" in comparison
