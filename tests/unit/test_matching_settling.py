"""What is settled without comparing, and hashes that two texts share."""

from __future__ import annotations

import numpy as np
import polars as pl

from audit.matching.features import Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.pairs import same_names
from audit.matching.parsing import parse_units
from audit.matching.records import RECORD_SCHEMA
from audit.matching.settling import settle

PLACES = Gazetteer.from_regions(pl.DataFrame(schema={"region_code": pl.String, "name": pl.String}))
CODE = "91430422209679931R"
SHOP = {"name": "老王小吃店", "owner": "王一", "address": "解放路12号"}
UNIT, LIST = {"table_name": "self_employed"}, {"table_name": "register_unit"}


def settled(*rows: dict[str, str]) -> list[tuple[int, int]]:
    ids = [{"record_id": str(n)} | row for n, row in enumerate(rows)]
    records = pl.DataFrame(ids, schema=RECORD_SCHEMA)
    features: Features = parse_units(records, gazetteer=PLACES, lexicon=Lexicon.shipped())
    source = np.array([0 if row["table_name"] == "register_unit" else -1 for row in rows], np.int16)
    found = settle(features, source, np.zeros(len(rows), np.bool_))
    found = found.verified(features, records["name"])
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_a_record_without_code_is_settled_by_name_person_and_address() -> None:
    assert settled(UNIT | SHOP, LIST | SHOP) == [(0, 1)]
    assert settled(UNIT | SHOP, LIST | SHOP | {"owner": "王二"}) == []
    assert settled(UNIT | SHOP, LIST | SHOP | {"address": ""}) == []


def test_what_two_units_or_two_records_share_is_not_settled() -> None:
    assert settled(UNIT | SHOP, UNIT | SHOP, LIST | SHOP) == []
    assert settled(UNIT | SHOP, LIST | SHOP, LIST | SHOP) == []


def test_a_record_with_the_units_code_has_the_better_claim() -> None:
    coded = {"credit_code": CODE}

    assert settled(UNIT | SHOP | coded, LIST | SHOP, LIST | coded | {"name": "别家"}) == []
    assert settled(UNIT | SHOP | coded, LIST | SHOP, LIST | SHOP | coded) == [(0, 2)]


def test_two_texts_with_one_hash_are_not_one_name() -> None:
    left = pl.Series(["宏达建材有限公司", "宏達建材有限责任公司", "Smith & Sons Limited", None])
    right = pl.Series(["远望农机厂", "宏达建材有限公司(本部)", "SMITH SONS LTD", "远望农机厂"])

    assert same_names(left, right).tolist() == [False, True, True, False]


def test_a_settled_pair_whose_names_only_share_a_hash_is_dropped() -> None:
    coded = {"credit_code": CODE, "name": "宏达建材有限公司"}
    records = pl.DataFrame(
        [{"record_id": "0"} | UNIT | coded, {"record_id": "1"} | LIST | coded], schema=RECORD_SCHEMA
    )
    features = parse_units(records, gazetteer=PLACES, lexicon=Lexicon.shipped())
    found = settle(features, np.array([-1, 0], np.int16), np.zeros(2, np.bool_))

    other = pl.Series(["宏达建材有限公司", "远望农机厂"])

    assert len(found.verified(features, records["name"]).left) == 1
    assert len(found.verified(features, other).left) == 0
