"""Figures behind the field-visit rules: distances, areas, photographs, volumes, discovery rates."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.derive import derive
from audit.estimating.enumerator_risk import VISITS, enumerator_risk
from audit.estimating.geodesy import edges, metres_apart, outside_by
from audit.estimating.hamming import MOST_BITS, near_pairs
from audit.estimating.photo_reuse import photo_reuse
from audit.estimating.visit_places import visit_places
from audit.estimating.visit_volumes import area_kind, visit_volumes
from pipelines.rule_cases import LISTS

SQUARE = "POLYGON ((112 27, 112.01 27, 112.01 27.01, 112 27.01, 112 27))"
HOLED = (
    "POLYGON ((112 27, 112.01 27, 112.01 27.01, 112 27.01, 112 27), "
    "(112.004 27.004, 112.006 27.004, 112.006 27.006, 112.004 27.006, 112.004 27.004))"
)
TWO = (
    "MULTIPOLYGON (((112 27, 112.01 27, 112.01 27.01, 112 27)), "
    "((112.1 27, 112.11 27, 112.11 27.01, 112.1 27.01, 112.1 27)))"
)


def _outside(boundary: str, longitude: float, latitude: float) -> float | None:
    points = pl.DataFrame(
        {"visit_id": ["V"], "block_id": ["B"], "longitude": [longitude], "latitude": [latitude]}
    )
    areas = pl.DataFrame({"block_id": ["B"], "boundary_wkt": [boundary]})
    found = outside_by(points, edges(areas))
    return None if found.height == 0 else round(found["outside_m"][0])


@pytest.mark.parametrize(
    ("boundary", "longitude", "latitude", "expected"),
    [
        (SQUARE, 112.005, 27.005, 0),
        (SQUARE, 112.005, 27.011, 111),
        (SQUARE, 112.011, 27.005, 99),
        (SQUARE, 112.011, 27.011, 149),
        (HOLED, 112.001, 27.001, 0),
        (HOLED, 112.005, 27.005, 99),
        (TWO, 112.105, 27.005, 0),
        (TWO, 112.12, 27.005, 991),
        (SQUARE.lower(), 112.005, 27.011, 111),
        (SQUARE.replace(", 112 27))", "))"), 111.999, 27.005, 99),
    ],
)
def test_a_point_is_so_many_metres_outside_its_block(
    boundary: str, longitude: float, latitude: float, expected: int
) -> None:
    assert expected == _outside(boundary, longitude, latitude)


@pytest.mark.parametrize("boundary", ["", "POINT (112 27)", "POLYGON EMPTY", "(1 2, 3 4, 5 6)"])
def test_a_text_that_is_no_polygon_bounds_nothing(boundary: str) -> None:
    assert _outside(boundary, 112.005, 27.005) is None


def test_a_degree_of_longitude_is_shorter_than_one_of_latitude() -> None:
    frame = pl.DataFrame({"x": [112.0, 112.0, None], "y": [27.0, 27.0, 27.0]})
    other = frame.with_columns(
        ox=pl.Series([112.01, 112.0, 112.0]), oy=pl.Series([27.0, 27.01, 27.0])
    )

    away = other.select(
        metres_apart(pl.col("x"), pl.col("y"), pl.col("ox"), pl.col("oy")).round(0)
    ).to_series()

    assert [991.0, 1112.0, None] == away.to_list()


def test_a_polygon_comes_before_the_circle() -> None:
    block = {"block_id": "B", "longitude": 112.5, "latitude": 27.5, "radius_m": 10.0}
    visit = {"visit_id": "V", "unit_id": "S", "block_id": "B", "accuracy_m": 5.0}
    made = visit_places(
        {
            "visits": pl.DataFrame([visit | {"longitude": 112.005, "latitude": 27.005}]),
            "blocks": pl.DataFrame([block | {"boundary_wkt": SQUARE}]),
        }
    )["visit_place"]

    assert [(0.0, "boundary")] == made.select("outside_m", "measured_to").rows()


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12, unique=True),
    st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 63), max_size=6)), max_size=12),
)
def test_near_pairs_are_those_of_comparing_all(
    seeds: list[int], damaged: list[tuple[int, set[int]]]
) -> None:
    near = {seeds[i % len(seeds)] ^ sum(1 << bit for bit in bits) for i, bits in damaged}
    words = sorted({*seeds, *near})

    i, j, bits = near_pairs(np.array(words, dtype=np.uint64))

    wanted = {
        (a, b, (words[a] ^ words[b]).bit_count())
        for a in range(len(words))
        for b in range(a + 1, len(words))
        if (words[a] ^ words[b]).bit_count() <= MOST_BITS
    }
    assert wanted == set(zip(i.tolist(), j.tolist(), bits.tolist(), strict=True))


def test_a_shared_picture_is_told_by_the_nearest_of_another_family() -> None:
    pictures = {
        "V1": ("F1", 0x0F),
        "V2": ("F1", 0x0F),  # the same family: no other holder of this very picture
        "V3": ("F2", 0x0D),  # one bit from it
        "V4": ("F3", 0x0D),
        "V5": ("F4", 0xFFFF_0000_0000_0000),  # like none
    }
    visits = pl.DataFrame(
        [
            {"visit_id": v, "unit_id": f"U{v}", "photo_hash": f"{word:016x}", "family": family}
            for v, (family, word) in pictures.items()
        ]
    )

    made = photo_reuse({"visits": visits})["photo_reuse"].sort("visit_id")

    assert made.select("visit_id", "other_visit_id", "bits").rows() == [
        ("V1", "V3", 1), ("V2", "V3", 1), ("V3", "V4", 0), ("V4", "V3", 0),
    ]  # fmt: skip


def test_pairs_of_a_crowded_bucket_come_once_and_in_order() -> None:
    i, j, bits = near_pairs(np.arange(64, dtype=np.uint64))

    pairs = list(zip(i.tolist(), j.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert len(pairs) == sum((a ^ b).bit_count() <= 4 for a in range(64) for b in range(a))
    assert bits.tolist() == [(a ^ b).bit_count() for a, b in pairs]


def test_a_cell_is_five_metres_wide_and_a_set_back_clock_is_negative() -> None:
    start = datetime.fromisoformat("2019-01-10 23:59:00")
    metre = 1 / 111_195.08
    frame = pl.DataFrame(
        {
            "longitude": [112.0, 112.0 + 0.1 * metre, 112.0 + 9 * metre, None],
            "latitude": [27.0, 27.0, 27.0, 27.0],
            "started_at": [start] * 4,
            "ended_at": [start + timedelta(minutes=2), start - timedelta(seconds=5), None, start],
        }
    ).with_columns(pl.lit("x").alias(c) for c in ("visit_id", "unit_id", "enumerator_id"))
    rest = {"device_id": pl.String, "accuracy_m": pl.Float64, "photo_hash": pl.String,
            "photo_count": pl.Int64, "uploaded_at": pl.Datetime("us"),
            "upload_device_id": pl.String}  # fmt: skip
    full = frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in rest.items())

    made = derive("visit", full, LISTS)

    cells = made["point_cell"].to_list()
    assert cells[0] == cells[1] != cells[2]
    assert cells[3] is None
    assert [120, -5, None, 0] == made["duration_s"].to_list()
    assert [date(2019, 1, 10)] * 4 == made["visited_on"].to_list()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("430405001001", "community"),
        ("430405001199", "community"),
        ("430405001200", "village"),
        ("430405001399", "village"),
        ("430405001400", "community"),
        ("430405001500", "village"),
        ("430405001000", None),
        ("430405", None),
    ],
)
def test_villages_and_communities_are_told_by_the_last_three_digits(
    code: str, kind: str | None
) -> None:
    assert [kind] == pl.select(area_kind(pl.lit(code))).to_series().to_list()


def _days(counts: list[int]) -> pl.DataFrame:
    rows = [
        (f"P{person}", date(2019, 1, 10), f"P{person}-{unit}", "430405001001")
        for person, count in enumerate(counts)
        for unit in range(count)
    ]
    names = ["enumerator_id", "visited_on", "unit_id", "region_code"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_the_upper_point_of_a_stratum_is_blind_to_its_extremes() -> None:
    common = [8, 10, 10, 10, 10, 10, 12, 12, 12, 12] * 2

    def point(counts: list[int]) -> float:
        made = visit_volumes({"visits": _days(counts)})["enumerator_day"]
        return float(made["upper_point"][0])

    assert point([*common, 200]) == pytest.approx(point([*common, 13]))
    assert 12 < point(common) < 30


NO_EDITS = pl.DataFrame(schema={"unit_id": pl.String})


def _usual_visits() -> pl.DataFrame:
    """Visits of thirty enumerators who all work alike."""
    draw = np.random.default_rng(5)
    n = 30 * 40
    start = datetime.fromisoformat("2019-01-10 09:00:00")
    unit = np.arange(n).astype(str)
    return pl.DataFrame(
        {
            "visit_id": unit,
            "unit_id": unit,
            "enumerator_id": (np.arange(n) % 30).astype(str),
            "started_at": [start] * n,
            "duration_s": draw.integers(200, 560, n),
            "accuracy_m": draw.uniform(4, 120, n),
            "point_cell": unit,
            "photo_hash": unit,
            "photo_count": draw.integers(1, 3, n),
            "region_code": ["430405001001"] * n,
            "unit_kind": ["3"] * n,
            "industry_code": ["5212"] * n,
            "employees": draw.integers(1, 4, n),
            "employees_female": draw.integers(0, 2, n),
            "revenue_kyuan": draw.integers(20, 400, n).astype(float),
            "family": unit,
            "building": unit,
        }
    )


def test_an_enumerator_like_the_others_is_not_named() -> None:
    frame = _usual_visits()

    made = enumerator_risk({"visits": frame, "edits": NO_EDITS})["enumerator_risk"]

    assert all(f" AS {name}" in VISITS or f".{name}" in VISITS for name in frame.columns)
    assert made["q_value"].min() > 0.1
    assert made["edits"].null_count() == 30


def test_scores_do_not_depend_on_the_order_of_visits() -> None:
    visits = _usual_visits()

    made, again = (
        enumerator_risk({"visits": frame, "edits": NO_EDITS})["enumerator_risk"]
        for frame in (visits, visits.sample(fraction=1, shuffle=True, seed=3))
    )

    assert made.sort("enumerator_id").equals(again.sort("enumerator_id"))


def test_enumerators_with_few_visits_make_no_score() -> None:
    rows = {name: [None] for name in ("industry_code", "employees", "employees_female")}
    text = {"visit_id": ["V"], "unit_id": ["S"], "enumerator_id": ["P"], "photo_hash": ["a"]}
    text |= {"region_code": ["430405001001"], "unit_kind": ["3"], "family": ["S"]}
    frame = pl.DataFrame(
        rows
        | text
        | {"started_at": [datetime.fromisoformat("2019-01-10 09:00:00")], "duration_s": [300]}
        | {"accuracy_m": [5.0], "point_cell": ["1|1"], "photo_count": [1], "building": ["b"]}
        | {"revenue_kyuan": pl.Series([None], dtype=pl.Float64)}
    )

    made = enumerator_risk({"visits": frame, "edits": NO_EDITS})["enumerator_risk"]

    assert [("P", 1, None)] == made.select("enumerator_id", "n_visits", "q_value").rows()
