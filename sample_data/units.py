"""Legal entities: who they are, what they do, and their size. One row each, in region order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sample_data import industries, institutions, names
from sample_data.draws import Bools, Draw, Floats, Ints, choose, digits, join_text, mask
from sample_data.identifiers import CodePool, credit_codes, landlines, mobiles, org_codes, persons
from sample_data.places import Places, locate, settle
from sample_data.thresholds import above_threshold, counts_persons, panel_revenue, size_class

KINDS = {
    # kind: prefix, institution type, accounting standard, registration type, median persons
    "enterprise": ("91", "10", "1", "", 6.0),
    "cooperative": ("93", "55", "1", "190", 8.0),
    "government": ("11", "30", "3", "110", 14.0),
    "institution": ("12", "20", "2", "110", 20.0),
    "society": ("51", "40", "4", "190", 4.0),
    "private": ("52", "51", "4", "190", 9.0),
    "foundation": ("53", "52", "4", "190", 4.0),
    "residents": ("55", "53", "2", "190", 7.0),
    "villagers": ("54", "54", "2", "190", 5.0),
}
SHARES = {"government": 0.03, "institution": 0.045, "society": 0.02, "private": 0.04,
          "foundation": 0.001, "cooperative": 0.085}  # fmt: skip
STATUS = (("1", 0.942), ("2", 0.022), ("3", 0.012), ("4", 0.010), ("5", 0.001), ("6", 0.011),
          ("7", 0.002))  # fmt: skip
OFF_PANEL_NOTE = "2018年下半年营业收入达到规模标准，审批资料已备，2019年入库，由普查员登记"
NO_CODE_SHARE = 0.005
ELSEWHERE = ("430102", "430103", "430111", "430202", "430302", "440106", "440305", "110105")


@dataclass(frozen=True)
class City:
    """What all tables are made from: seed, places, codes not yet given, legal entities."""

    seed: int
    places: Places
    pool: CodePool
    legal: pl.DataFrame


def _committees(places: Places, draw: Draw) -> pl.DataFrame:
    homes = places.villages
    bare = draw.chance(homes.height, 0.35)
    return pl.DataFrame(
        {
            "village_no": np.arange(homes.height),
            "industry_code": choose(homes["urban"], "9610", "9620"),
            "name": names.committee_names(homes, bare),
            "kind": choose(homes["urban"], "residents", "villagers"),
        }
    )


def _others(places: Places, n_units: int, draw: Draw) -> list[pl.DataFrame]:
    """Return all legal entities that are neither enterprises nor cooperatives."""
    count = {kind: max(2, round(share * n_units)) for kind, share in SHARES.items()}
    parts = [_committees(places, draw)]
    for kind in ("government", "institution", "society"):
        found = institutions.sampled(places, kind, count[kind], draw)
        parts.append(found.with_columns(kind=pl.lit(kind)))
    clinics = institutions.private_units(places, settle(places, count["private"], draw), draw)
    funds = institutions.foundations(places, settle(places, count["foundation"], draw), draw)
    parts += [clinics.with_columns(kind=pl.lit("private"))]
    parts += [funds.with_columns(kind=pl.lit("foundation"))]
    return [p.with_columns(pl.col("village_no").cast(pl.Int64)) for p in parts]


def _firms(places: Places, n: int, draw: Draw) -> pl.DataFrame:
    village = settle(places, n, draw)
    homes = places.villages[village]
    catalogue = industries.read(industries.ENTERPRISES)
    rows = catalogue.rows[draw.index(catalogue.rows.height, n, catalogue.weights)]
    form = draw.index(len(names.FORMS), n, [share for *_, share in names.FORMS])
    endings = pl.Series([ending for ending, *_ in names.FORMS]).gather(form)
    return rows.select("industry_code", "activity", "per_head", "persons").with_columns(
        village_no=pl.Series(village),
        name=names.firm_names(draw, homes, rows["word"], endings),
        kind=pl.lit("enterprise"),
        registration_type=pl.Series([code for _, code, _ in names.FORMS]).gather(form),
    )


def _cooperatives(places: Places, n: int, draw: Draw) -> pl.DataFrame:
    village = settle(places, n, draw)
    catalogue = industries.read(industries.COOPERATIVES)
    rows = catalogue.rows[draw.index(catalogue.rows.height, n, catalogue.weights)]
    return rows.select("industry_code", "activity", "per_head", "persons").with_columns(
        village_no=pl.Series(village),
        name=names.cooperative_names(draw, places.villages[village], rows["word"]),
        kind=pl.lit("cooperative"),
    )


def _listed(places: Places, n_units: int, draw: Draw) -> pl.DataFrame:
    """Return all legal entities with kind, industry and name, in region order."""
    others = _others(places, n_units, draw)
    coops = max(2, round(SHARES["cooperative"] * n_units))
    firms = n_units - coops - sum(part.height for part in others)
    parts = [_firms(places, firms, draw), _cooperatives(places, coops, draw), *others]
    frame = pl.concat(parts, how="diagonal")
    order = draw.rng.permutation(frame.height)
    frame = frame[order].sort("village_no", maintain_order=True)
    known = pl.col("industry_code").replace_strict(institutions.ACTIVITIES, default=None)
    return frame.with_columns(activity=pl.coalesce("activity", known))


def _by_kind(frame: pl.DataFrame, position: int) -> pl.Series:
    table = {kind: row[position] for kind, row in KINDS.items()}
    return frame["kind"].replace_strict(table)


def _uncoded(frame: pl.DataFrame, draw: Draw) -> Bools:
    """Return which firms have an old organisation code only: few, and never a developer."""
    fits = _business(frame) & (frame["industry_code"] != "7010")
    keys = np.where(fits.to_numpy(), draw.rng.random(frame.height), 2.0)
    few = max(4, round(NO_CODE_SHARE * frame.height))
    return np.isin(np.arange(frame.height), np.argsort(keys, kind="stable")[:few])


def _identity(frame: pl.DataFrame, places: Places, pool: CodePool, draw: Draw) -> pl.DataFrame:
    n = frame.height
    village = frame["village_no"].to_numpy()
    county = places.villages[village]["county_code"]
    city_registered = choose(draw.chance(n, 0.25), "430400", county)
    bodies = pool.take(n)
    coded = ~_uncoded(frame, draw)
    kind_type = pl.coalesce(
        pl.lit(frame["registration_type"]), pl.lit(_by_kind(frame, 3).alias("k"))
    )
    registration = pl.select(kind_type).to_series()
    codes = credit_codes(_by_kind(frame, 0), city_registered, bodies)
    return frame.with_columns(
        unit_id=join_text("L", digits(np.arange(1, n + 1), 6)),
        credit_code=mask(codes, coded),
        org_code=mask(org_codes(bodies), ~coded),
        institution_type=_by_kind(frame, 1),
        accounting_standard=_by_kind(frame, 2),
        registration_type=registration,
        holding=registration.replace_strict(names.HOLDING, default=None),
        specialty=industries.specialty(frame["industry_code"]),
        legal_rep=persons(draw, n),
        phone_fixed=mask(landlines(draw, n), draw.chance(n, 0.7)),
        phone_mobile=mobiles(draw, n),
    )


def _business(frame: pl.DataFrame) -> pl.Series:
    return frame["kind"].is_in(["enterprise", "cooperative"])


def _opened(draw: Draw, n: int) -> pl.Series:
    year = 2018 - np.minimum(draw.rng.exponential(6.5, n).astype(np.int64), 60)
    return pl.Series(year * 100 + draw.whole(1, 12, n)).cast(pl.String)


def _statuses(frame: pl.DataFrame, draw: Draw) -> pl.Series:
    n = frame.height
    drawn = draw.pick([code for code, _ in STATUS], n, [share for _, share in STATUS])
    return choose(_business(frame), drawn, "1")


def _keep_off(values: Floats, bound: Floats) -> Floats:
    """Move values out of the band around their bound, where a definition would decide."""
    near = (values > 0.9 * bound) & (values < 1.12 * bound)
    return np.where(near, np.where(values < bound, values * 0.85, values * 1.15), values)


def _sizes(frame: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return persons, revenue and assets (thousand yuan) that fit status and kind."""
    n = frame.height
    given = frame["persons"].fill_null(0.0).to_numpy()
    median = np.where(given > 0, given, _by_kind(frame, 4).to_numpy())
    workers = np.clip(np.round(draw.lognormal(median, 1.05, n)), 1, 3500)
    serves = counts_persons(frame["industry_code"]) & (workers > 45) & (workers < 55)
    workers = np.where(serves, np.where(workers < 50, 44, 56), workers)
    head = frame["per_head"].fill_null(0.0).to_numpy()
    smallest = draw.rng.uniform(40, 140, n)
    revenue = np.maximum(smallest, workers**0.92 * head * draw.lognormal(1.0, 0.45, n))
    revenue = np.round(_keep_off(revenue, panel_revenue(frame["industry_code"])))
    status = frame["status"].to_numpy()
    revenue = np.where(status == "3", 0, np.where(status == "2", np.round(revenue * 0.1), revenue))
    revenue = np.where(np.isin(status, ("4", "5", "6", "7")), np.round(revenue * 0.3), revenue)
    workers = np.where(np.isin(status, ("4", "5", "6", "7")), 0, workers)
    workers = np.where(np.isin(status, ("2", "3")), np.minimum(workers, 6), workers)
    base = np.where(_business(frame), np.maximum(revenue, 200), workers * 90 + 60)
    assets = np.round(base * draw.lognormal(0.9, 0.5, n)) + 5
    share = np.where(draw.chance(n, 0.35), draw.rng.uniform(0.97, 1.0, n), 1.0)
    business = _business(frame).to_numpy()
    female = np.floor(workers * draw.rng.uniform(0.1, 0.65, n))
    return frame.with_columns(
        employees=pl.Series(workers.astype(np.int64)),
        employees_female=pl.Series(female.astype(np.int64)),
        revenue_kyuan=mask(pl.Series(revenue.astype(np.int64)), business),
        main_revenue_kyuan=mask(pl.Series(np.floor(revenue * share).astype(np.int64)), business),
        assets_kyuan=pl.Series(assets.astype(np.int64)),
    )


def _sized(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the size class; where revenue and main revenue disagree on it, make them equal."""
    values = [frame[c].fill_null(0).to_numpy().astype(float) for c in ("employees", "assets_kyuan")]
    total, main = (frame[c].fill_null(0).to_numpy().astype(float)
                   for c in ("revenue_kyuan", "main_revenue_kyuan"))  # fmt: skip
    by_total = size_class(frame["industry_code"], values[0], total, values[1])
    by_main = size_class(frame["industry_code"], values[0], main, values[1])
    same = pl.when(pl.lit(by_total.alias("a")) == pl.lit(by_main.alias("b")))
    return frame.with_columns(
        main_revenue_kyuan=same.then("main_revenue_kyuan").otherwise("revenue_kyuan"),
        size_class=mask(by_total, _business(frame)),
    )


def _panel(frame: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Decide who files 601: firms over the threshold, qualified builders, estate developers."""
    n = frame.height
    code = frame["industry_code"]
    firm = (frame["kind"] == "enterprise").to_numpy() & (frame["status"] == "1").to_numpy()
    firm &= frame["credit_code"].is_not_null().to_numpy()
    revenue, workers = (frame[c].fill_null(0).to_numpy().astype(float)
                        for c in ("main_revenue_kyuan", "employees"))  # fmt: skip
    over = above_threshold(code, revenue, workers)
    qualified = (
        (frame["specialty"] == "C").to_numpy() & firm & (workers >= 12) & draw.chance(n, 0.5)
    )
    single = over & firm
    keys = np.where(single, draw.rng.random(n), 2.0)
    off = np.isin(
        np.arange(n), np.argsort(keys, kind="stable")[: max(6, round(0.08 * single.sum()))]
    )
    panel = firm & ((over & ~off) | qualified | (code == "7010").to_numpy())
    noted = over & ~panel & (frame["kind"] == "enterprise").to_numpy()
    return frame.with_columns(
        form=choose(panel, "601", "611"),
        filing_mode=choose(panel, "1", "2"),
        construction_qualified=choose(qualified & panel, "1", "2"),
        explanation=mask(pl.Series([OFF_PANEL_NOTE]).gather(np.zeros(n, dtype=np.int64)), noted),
    )


def _sited(frame: pl.DataFrame, places: Places, draw: Draw) -> pl.DataFrame:
    """Add where the unit stands and where it is registered (elsewhere for some)."""
    village: Ints = frame["village_no"].to_numpy()
    n = len(village)
    here = locate(places, village, draw)
    moved = draw.chance(n, 0.04) & _business(frame).to_numpy()
    moved &= frame["credit_code"].is_not_null().to_numpy()
    other = settle(places, n, draw)
    far = draw.chance(n, 0.3)
    outside = join_text(draw.pick(ELSEWHERE, n), "000000")
    elsewhere = choose(far, outside, places.villages[other]["region_code"])
    premises = draw.chance(n, 0.01) & (frame["form"] == "611").to_numpy()
    # A body or a committee pays no value-added tax and always sits somewhere.
    noted = premises & (frame["institution_type"] == "10").to_numpy()
    noted &= frame["explanation"].is_null().to_numpy()
    return pl.concat([frame, here], how="horizontal").with_columns(
        register_region_code=choose(moved, elsewhere, here["region_code"]),
        register_address=choose(moved, "住所另行登记", here["address"]),
        no_fixed_premises=choose(noted, "1", "2"),
        premises_proof=mask(pl.Series(["1"]).gather(np.zeros(n, dtype=np.int64)), noted),
        has_establishments=pl.lit("2"),
        n_establishments=pl.lit(1, pl.Int64),
    )


def make_city(n_units: int, seed: int, places: Places) -> City:
    """Return n legal entities with everything that other tables need to know about them."""
    pool = CodePool(seed, 10 * n_units + 4000)
    draw = Draw(seed, "legal entities")
    frame = _identity(_listed(places, n_units, draw), places, pool, draw)
    frame = frame.with_columns(opened_ym=_opened(draw, n_units), status=_statuses(frame, draw))
    frame = _panel(_sized(_sizes(frame, draw)), draw)
    return City(seed, places, pool, _sited(frame, places, draw))
