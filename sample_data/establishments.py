"""Establishments: headquarters, branches in the city and outside, branches of parents elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sample_data import names
from sample_data.draws import Draw, Floats, Ints, choose, digits, join_text, mask
from sample_data.identifiers import credit_codes, landlines, mobiles, persons
from sample_data.places import locate, settle
from sample_data.units import City

ROWS_PER_LEGAL = 1.16
MULTI_SHARE = 0.15
OUTSIDE = {
    "430102": "长沙芙蓉区", "430202": "株洲荷塘区", "430302": "湘潭雨湖区",
    "431002": "郴州北湖区", "431103": "永州冷水滩区", "440106": "广州天河区",
}  # fmt: skip
PARENT_SEATS = {
    "430102": "湖南", "430103": "长沙市", "430111": "湖南", "440305": "深圳市", "110105": "北京",
    "310115": "上海",
}  # fmt: skip
PARENT_TRADES = (
    ("大药房连锁有限公司", "5251", "西药零售", "E"),
    ("连锁超市有限公司", "5212", "超级市场零售", "E"),
    ("快递有限公司", "6020", "快递服务", "F"),
    ("物业管理有限公司", "7020", "物业管理", "F"),
    ("通信技术有限公司", "6540", "信息系统运行维护", "F"),
    ("加油站管理有限公司", "5265", "机动车燃油零售", "E"),
    ("房地产经纪有限公司", "7030", "房地产中介", "F"),
    ("餐饮连锁有限公司", "6220", "快餐服务", "S"),
)
ORPHAN_NOTE = "归属法人多方查询未找到，已逐级上报，按无主产业活动单位登记"


@dataclass(frozen=True)
class Branching:
    """Establishment forms, the lists that legal entities filed, and legal entities with flags."""

    legal: pl.DataFrame
    establishments: pl.DataFrame
    lists: pl.DataFrame


def _multi(legal: pl.DataFrame, draw: Draw) -> tuple[Ints, Ints]:
    """Return positions of legal entities with establishments and how many branches each has."""
    workers = legal["employees"].to_numpy()
    open_firm = legal["kind"].is_in(["enterprise", "cooperative", "institution"]).to_numpy()
    bare = legal["name"].is_duplicated().to_numpy()
    status = legal["status"].to_numpy()
    fits = open_firm & ~bare & legal["credit_code"].is_not_null().to_numpy()
    fits &= legal["explanation"].is_null().to_numpy()
    alive = fits & (status == "1") & (workers >= 8)
    ended = fits & np.isin(status, ("4", "6"))
    keys = draw.rng.random(legal.height) ** (1.0 / np.maximum(workers, 1) ** 0.3)
    wanted = min(round(MULTI_SHARE * legal.height), int(alive.sum()))
    chosen = np.argsort(-np.where(alive, keys, -1.0), kind="stable")[:wanted]
    closed = np.flatnonzero(ended)[: max(1, int(ended.sum()) // 4)]
    rows = np.sort(np.concatenate([chosen, closed]))
    branches = np.minimum(draw.rng.geometric(0.19, len(rows)), np.maximum(workers[rows] // 3, 1))
    return rows, np.minimum(branches, 25).astype(np.int64)


def _shares(total: Ints, owner: Ints, weight: Floats, floor: Ints) -> Ints:
    """Divide totals among the children of each owner: at least `floor` each, whole numbers.

    `owner` is the position in `total` of each child, ascending; the first child takes the rest.
    """
    n = len(total)
    spare = total - np.bincount(owner, minlength=n).astype(np.int64) * floor
    of_weight = weight / np.bincount(owner, weights=weight, minlength=n)[owner]
    part = np.floor(of_weight * spare[owner]).astype(np.int64)
    given = np.bincount(owner, weights=part.astype(np.float64), minlength=n).astype(np.int64)
    part[np.searchsorted(owner, np.arange(n))] += spare - given
    return part + floor[owner]


def _children(city: City, draw: Draw) -> pl.DataFrame:
    """Return one row per headquarters and branch: parent position, place, persons and revenue."""
    rows, branches = _multi(city.legal, draw)
    owner = np.repeat(np.arange(len(rows)), branches + 1)
    n = len(owner)
    line = np.arange(n) - np.searchsorted(owner, owner)
    parent = city.legal[rows]
    weight = draw.rng.exponential(1.0, n) + 0.1 + (line == 0) * 1.5
    workers = parent["employees"].to_numpy()
    persons_each = _shares(workers, owner, weight, np.minimum(workers, 1))
    revenue = parent["revenue_kyuan"].fill_null(0).to_numpy()
    money = _shares(revenue, owner, persons_each + 0.01, np.zeros(len(rows), dtype=np.int64))
    home = parent["village_no"].to_numpy()[owner]
    near = draw.chance(n, 0.35)
    village = np.where(line == 0, home, np.where(near, home, settle(city.places, n, draw)))
    spread_out = draw.chance(len(rows), 0.15)[owner]
    away = (line > 0) & spread_out & draw.chance(n, 0.5)
    return pl.DataFrame(
        {
            "row": rows[owner], "line": line, "village_no": village, "away": away,
            "employees": persons_each, "money": money,
        }
    )  # fmt: skip


def _own_codes(city: City, parent: pl.DataFrame, authority: pl.Series) -> pl.Series:
    bodies = city.pool.take(parent.height)
    return credit_codes(parent["credit_code"].str.slice(0, 2), authority, bodies)


def _named(city: City, kids: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Add code, name and region of each child, as its legal entity lists them."""
    n = kids.height
    parent = city.legal[kids["row"].to_numpy()]
    homes = city.places.villages[kids["village_no"].to_numpy()]
    outside = draw.pick(list(OUTSIDE), n)
    region = choose(kids["away"], outside, homes["region_code"])
    place = choose(
        kids["away"], outside.replace_strict(OUTSIDE), join_text(homes["short"], homes["township"])
    )
    kind = choose(parent["kind"] == "institution", "分部", draw.pick(names.BRANCHES, n))
    number = join_text("第", kids["line"].cast(pl.String), kind)
    head = kids["line"] == 0
    marked = join_text(parent["name"], "（本部）")
    own = choose(draw.chance(n, 0.4), marked, parent["name"])
    codes = _own_codes(city, parent, region.str.slice(0, 6))
    return kids.with_columns(
        name=choose(head, own, join_text(parent["name"], place, number)),
        credit_code=mask(codes, ~head),
        region_code=region,
        is_headquarters=choose(head, "1", "2"),
        industry_code=parent["industry_code"],
    )


def _lists(city: City, kids: pl.DataFrame) -> pl.DataFrame:
    parent = city.legal[kids["row"].to_numpy()]
    business = parent["revenue_kyuan"].is_not_null()
    return kids.select(
        pl.lit(parent["unit_id"]).alias("legal_unit_id"),
        (pl.col("line") + 1).alias("line_no"),
        "credit_code", "name", "is_headquarters", "region_code", "industry_code", "employees",
        mask(kids["money"], business).alias("revenue_kyuan"),
    )  # fmt: skip


def _forms(city: City, kids: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return the forms of children that stand in the city."""
    kids = kids.filter(~pl.col("away"))
    n = kids.height
    parent = city.legal[kids["row"].to_numpy()]
    head = kids["line"] == 0
    site = locate(city.places, kids["village_no"].to_numpy(), draw)
    business = parent["revenue_kyuan"].is_not_null()
    same = {c: choose(head, parent[c], site[c]) for c in ("address", "block_code", "building_code")}
    later = np.maximum(
        parent["opened_ym"].cast(pl.Int64).to_numpy(), draw.whole(2010, 2018, n) * 100 + 6
    )
    women = np.floor(kids["employees"].to_numpy() * draw.rng.uniform(0.1, 0.6, n)).astype(np.int64)
    headquarters_code = join_text(parent["credit_code"].str.slice(8, 8), "B")
    return pl.DataFrame(
        {
            "credit_code": kids["credit_code"],
            "org_code": mask(headquarters_code, head),
            "name": kids["name"],
            "is_headquarters": kids["is_headquarters"],
            "person_in_charge": choose(head, parent["legal_rep"], persons(draw, n)),
            "opened_ym": choose(head, parent["opened_ym"], pl.Series(later).cast(pl.String)),
            "phone_fixed": mask(parent["phone_fixed"], head),
            "phone_mobile": choose(head, parent["phone_mobile"], mobiles(draw, n)),
            "activity": parent["activity"],
            "industry_code": parent["industry_code"],
            "specialty": parent["specialty"],
            "region_code": kids["region_code"],
            **same,
            "status": parent["status"],
            "parent_credit_code": parent["credit_code"],
            "parent_name": parent["name"],
            "parent_region_code": parent["region_code"],
            "employees": kids["employees"],
            "employees_female": women,
            "revenue_kyuan": mask(kids["money"], business),
            "expenditure_kyuan": mask(kids["employees"] * 60, ~business),
        }
    )


def _parents_elsewhere(city: City, n: int, draw: Draw) -> pl.DataFrame:
    """Return legal entities outside the city, as their branches name them."""
    seat = draw.pick(list(PARENT_SEATS), n)
    at = draw.index(len(PARENT_TRADES), n)
    trade = pl.DataFrame(
        list(PARENT_TRADES), schema=["word", "industry_code", "activity", "specialty"], orient="row"
    )[at]
    stems = names.unique_stems(draw, trade["word"])
    name = join_text(seat.replace_strict(PARENT_SEATS), stems, trade["word"])
    code = credit_codes("91", seat, city.pool.take(n))
    region = choose(draw.chance(n, 0.4), join_text(seat, "000000"), seat)
    return trade.with_columns(name=name, credit_code=code, region_code=region)


def _visiting(city: City, n: int, draw: Draw) -> pl.DataFrame:
    """Return n branches in the city of legal entities elsewhere; a few of unknown parents."""
    parents = _parents_elsewhere(city, max(4, n // 6), draw)
    parent = parents[draw.index(parents.height, n)]
    village = settle(city.places, n, draw)
    homes, site = city.places.villages[village], locate(city.places, village, draw)
    turn = (pl.int_range(pl.len()).over("name") + 1).cast(pl.String)
    number = parent.select(turn).to_series()
    orphan = draw.chance(n, 0.02)
    workers = np.clip(np.round(draw.lognormal(5.0, 0.8, n)), 1, 200).astype(np.int64)
    money = np.round(workers * draw.lognormal(230.0, 0.5, n)).astype(np.int64)
    women = np.floor(workers * draw.rng.uniform(0.1, 0.6, n)).astype(np.int64)
    place = join_text(homes["short"], homes["township"], "第", number, draw.pick(names.BRANCHES, n))
    return pl.DataFrame(
        {
            "credit_code": credit_codes("91", homes["county_code"], city.pool.take(n)),
            "name": join_text(parent["name"], place),
            "is_headquarters": pl.Series(["2"] * n),
            "person_in_charge": persons(draw, n),
            "opened_ym": pl.Series(draw.whole(2005, 2018, n) * 100 + draw.whole(1, 12, n)).cast(
                pl.String
            ),
            "phone_fixed": mask(landlines(draw, n), draw.chance(n, 0.4)),
            "phone_mobile": mobiles(draw, n),
            **{c: parent[c] for c in ("activity", "industry_code", "specialty")},
            **{c: site[c] for c in site.columns},
            "status": pl.Series(["1"] * n),
            "parent_credit_code": choose(
                orphan, draw.pick(["1" * 18, "1" * 9], n), parent["credit_code"]
            ),
            "parent_name": parent["name"],
            "parent_region_code": choose(orphan, "111111", parent["region_code"]),
            "employees": workers,
            "employees_female": women,
            "revenue_kyuan": money,
            "explanation": mask(pl.Series([ORPHAN_NOTE] * n), orphan),
        }
    )


def _flagged(legal: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """Set item 214 where a list was filed."""
    counts = lists.group_by("legal_unit_id", maintain_order=True).len("listed")
    joined = legal.join(
        counts, left_on="unit_id", right_on="legal_unit_id", how="left", maintain_order="left"
    )
    has = pl.col("listed").is_not_null()
    return joined.with_columns(
        has_establishments=pl.when(has).then(pl.lit("1")).otherwise("has_establishments"),
        n_establishments=pl.coalesce(pl.col("listed").cast(pl.Int64), "n_establishments"),
    ).drop("listed")


def make_establishments(city: City) -> Branching:
    """Return establishments (about 1.16 forms a legal entity) and the lists behind them."""
    draw = Draw(city.seed, "establishments")
    kids = _named(city, _children(city, draw), draw)
    own = _forms(city, kids, draw)
    target = round(ROWS_PER_LEGAL * city.legal.height)
    visiting = _visiting(city, max(20, target - own.height), draw)
    every = pl.concat([own, visiting], how="diagonal").sort("region_code", maintain_order=True)
    n = every.height
    every = every.with_columns(
        unit_id=join_text("E", digits(np.arange(1, n + 1), 6)),
        form=pl.lit("611"),
        filing_mode=pl.lit("2"),
    )
    lists = _lists(city, kids)
    return Branching(_flagged(city.legal, lists), every, lists)
