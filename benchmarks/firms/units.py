"""The true units: families of one owner, branches, shops, cooperatives and institutions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from benchmarks.firms import pools
from benchmarks.firms.places import PLACE_COLUMNS, county_table, settle
from benchmarks.firms.render import styles
from sample_data.draws import Bools, Draw, Ints, choose, digits, join_text, mask
from sample_data.identifiers import GIVEN, MOBILE, close_credit_codes, org_codes

KINDS = ("company", "shop", "cooperative", "branch", "institution")
SHARES = (70.0, 20.0, 4.0, 6.0, 4.0)
TABLES = ("legal_entity", "self_employed", "legal_entity", "establishment", "legal_entity")
PREFIXES = ("91", "92", "93", "91", "12")
CODE_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"[:30]
ADDED = 0.2
"""Share of names one off that have a character more, not another one."""
FAMILY_SIZES, FAMILY_SHARES = (2, 3, 4, 5, 6), (50.0, 25.0, 13.0, 8.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to make: rates as shares of units or records.

    `city` is the code of a city or county that all stand in; `villages` crowds each county's
    units into so many.
    """

    records: int
    seed: int = 1
    copies: float = 0.05
    families: float = 0.14
    branches: bool = True
    coverage: float = 1.0
    careless: bool = False
    city: str | None = None
    villages: int | None = None
    words: str = "main"


@dataclass(slots=True)
class Parts:
    """Columns of the units before they are written as text; all of one length."""

    kind: Ints
    county: Ints
    columns: dict[str, pl.Series] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kind)

    def frame(self) -> pl.DataFrame:
        """Return the columns with kind and county."""
        return pl.DataFrame({"kind": self.kind, "county": self.county, **self.columns})


def characters(draw: Draw, n: int, alphabet: str) -> pl.Series:
    """Return n characters, the first of the alphabet far more often than the last."""
    chars = list(dict.fromkeys(alphabet))
    weights = 1.0 / (np.arange(len(chars)) + 8.0) ** 0.9
    return draw.pick(chars, n, weights)


def trade_names(draw: Draw, n: int, alphabet: str) -> pl.Series:
    """Return n trade names: two characters (70 %), three, four, or a popular one."""
    length = draw.index(4, n, [64.0, 22.0, 6.0, 8.0])
    first, second = characters(draw, n, alphabet), characters(draw, n, alphabet)
    third = choose(length >= 1, characters(draw, n, alphabet), "")
    fourth = choose(length >= 2, characters(draw, n, alphabet), "")
    popular = draw.pick(pools.POPULAR, n, 1.0 / (np.arange(len(pools.POPULAR)) + 4.0))
    return choose(length == 3, popular, join_text(first, second, third, fourth))


def persons(draw: Draw, n: int) -> pl.Series:
    """Return n names of persons, common surnames more often."""
    surnames = list(pools.SURNAMES)
    weights = 1.0 / (np.arange(len(surnames)) + 6.0)
    second = choose(draw.chance(n, 0.7), draw.pick(list(GIVEN), n), "")
    first = draw.pick(surnames, n, weights)
    return join_text(first, draw.pick(list(GIVEN), n), second)


def phones(draw: Draw, n: int) -> tuple[pl.Series, pl.Series]:
    """Return fixed and mobile numbers: most units have one of them, some both."""
    kind = draw.index(3, n, [60.0, 22.0, 18.0])
    mobile = join_text(draw.pick(MOBILE, n), digits(draw.whole(0, 99_999_999, n), 8))
    area = digits(draw.whole(730, 746, n), 4)
    fixed = join_text(area, "-8", digits(draw.whole(0, 999_999, n), 6))
    return mask(fixed, kind != 0), mask(mobile, kind != 1)


def _kinds(draw: Draw, n: int, branches: bool) -> Ints:
    shares = [s if branches or k != "branch" else 0.0 for k, s in zip(KINDS, SHARES, strict=True)]
    return draw.index(len(KINDS), n, shares)


def _families(draw: Draw, kind: Ints, share: float) -> Ints:
    """Return the first member of each unit's family, or the unit itself."""
    leader = np.arange(len(kind))
    companies = draw.rng.permutation(np.flatnonzero(kind == 0))
    members = companies[: int(len(companies) * share)]
    sizes = np.array(FAMILY_SIZES)[draw.index(5, len(members), FAMILY_SHARES)]
    ends = np.cumsum(sizes)
    family = np.searchsorted(ends, np.arange(len(members)), side="right")
    starts = np.searchsorted(family, family)
    leader[members] = members[starts]
    return leader


def _inherit(column: pl.Series, leader: Ints, takes: Bools) -> pl.Series:
    return column.gather(np.where(takes, leader, np.arange(len(leader))))


def _words(draw: Draw, kind: Ints) -> tuple[pl.Series, pl.Series]:
    """Return the industry word and the industry code of each unit."""
    n = len(kind)
    word = code = pl.Series([""]).gather(np.zeros(n, dtype=np.int64))
    shuffle = np.random.default_rng(1)
    lists = (pools.FIRM_WORDS, pools.SHOP_WORDS, pools.COOP_WORDS, "", pools.INSTITUTIONS)
    for number, text in enumerate(lists):
        if not text:
            continue
        words, codes = pools.coded(text)
        at = draw.index(len(words), n, 1.0 / (shuffle.permutation(len(words)) + 3.0))
        word = choose(kind == number, pl.Series(words).gather(at), word)
        base = pl.Series(codes).gather(at)
        code = choose(kind == number, base, code)
    return word, code


def _endings(draw: Draw, kind: Ints, word: pl.Series) -> pl.Series:
    n = len(kind)
    forms, shares = zip(*pools.ENDINGS, strict=True)
    company = draw.pick(forms, n, shares)
    coop = choose(draw.chance(n, 0.8), "专业合作社", "农民专业合作社")
    return choose(kind == 0, company, choose(kind == 2, coop, ""))


def _regions_in_names(draw: Draw, parts: Parts, province: str) -> pl.Series:
    n = len(parts)
    city, county = parts.columns["city"], parts.columns["county_name"]
    bare_city = city.str.replace("(市|州)$", "")
    two = county.str.len_chars() <= 2
    bare_county = choose(two, county, county.str.replace("(区|县|市)$", ""))
    layout = draw.index(7, n, [28.0, 12.0, 14.0, 20.0, 8.0, 12.0, 6.0])
    region = choose(layout == 0, city, "")
    options = (bare_city, join_text(bare_city, county), county, bare_county, province[:2], province)
    for number, option in enumerate(options, start=1):
        region = choose(layout == number, option, region)
    bare = (parts.kind == 1) & draw.chance(n, 0.45)
    return choose(bare, "", choose((parts.kind == 1), join_text(city, county), region))


def _shop_trades(draw: Draw, owners: pl.Series, alphabet: str) -> pl.Series:
    n = len(owners)
    kind = draw.index(4, n, [48.0, 30.0, 14.0, 8.0])
    popular = draw.pick(pools.POPULAR, n, 1.0 / (np.arange(len(pools.POPULAR)) + 3.0))
    trade = choose(kind == 1, popular, trade_names(draw, n, alphabet))
    return choose(
        kind == 2, join_text(owners.str.slice(0, 1), "记"), choose(kind == 3, owners, trade)
    )


def _one_off(draw: Draw, trades: pl.Series, alphabet: str) -> pl.Series:
    """Return the trade names with one character exchanged for any other, one in five with it added.

    Companies of one owner are called 宏达 and 宏远, and 宏达 and 宏达兴.
    """
    n = len(trades)
    drawn = draw.rng.random(n) * trades.str.len_chars().to_numpy()
    at = drawn.astype(np.int64)
    behind = at + (drawn - at >= ADDED)
    frame = pl.DataFrame(
        {"t": trades, "c": characters(draw, n, alphabet), "at": at, "behind": behind}
    )
    head = pl.col("t").str.slice(0, pl.col("at"))
    return frame.select(head + pl.col("c") + pl.col("t").str.slice(pl.col("behind"))).to_series()


def _family_ties(draw: Draw, parts: Parts, leader: Ints, alphabet: str) -> None:
    n = len(parts)
    member = leader != np.arange(n)
    columns = parts.columns
    columns["owner"] = _inherit(columns["owner"], leader, member & draw.chance(n, 0.8))
    shared = member & draw.chance(n, 0.7)
    for name in ("phone_fixed", "phone_mobile"):
        columns[name] = _inherit(columns[name], leader, shared)
    same_place = member & draw.chance(n, 0.6)
    for name in PLACE_COLUMNS:
        columns[name] = _inherit(columns[name], leader, same_place)
    _related_trades(draw, parts, leader, member)
    kind = draw.rng.random(n)
    alike = _inherit(columns["trade"], leader, member & (kind < 0.85))
    off = member & (kind >= 0.6) & (kind < 0.85)
    columns["trade"] = choose(off, _one_off(draw, alike, alphabet), alike)


def _related_trades(draw: Draw, parts: Parts, leader: Ints, member: Bools) -> None:
    """Let a quarter of a family's members work in its trade, another quarter in its division."""
    words, codes = pools.coded(pools.FIRM_WORDS)
    order = np.argsort(np.array([code[:2] for code in codes]), kind="stable")
    division = np.array([code[:2] for code in codes])[order]
    word, code = parts.columns["word"], parts.columns["industry_code"]
    home = code.gather(leader).str.slice(0, 2).to_numpy().astype("U2")
    low = np.searchsorted(division, home, side="left")
    high = np.searchsorted(division, home, side="right")
    n = len(parts)
    at = order[
        np.minimum(low + (draw.rng.random(n) * (high - low)).astype(np.int64), len(order) - 1)
    ]
    kind = draw.rng.random(n)
    close = member & (kind >= 0.25) & (kind < 0.5) & (high > low)
    word = choose(close, pl.Series(words).gather(at), word)
    code = choose(close, pl.Series(codes).gather(at), code)
    same = member & (kind < 0.25)
    parts.columns["word"] = _inherit(word, leader, same)
    parts.columns["industry_code"] = _inherit(code, leader, same)


def _shared_services(draw: Draw, parts: Parts) -> None:
    """Give 5 % of the units an agency's telephone and 3 % a cluster address."""
    n = len(parts)
    agent = draw.chance(n, 0.05)
    agencies = draw.index(max(2, n // 400), n)
    numbers = join_text("0731-8", digits((agencies * 7919) % 1_000_000, 6))
    columns = parts.columns
    columns["phone_fixed"] = choose(agent, numbers, columns["phone_fixed"])
    columns["phone_mobile"] = mask(columns["phone_mobile"], ~agent)
    order = np.argsort(parts.county, kind="stable")
    hosts = np.arange(0, n, 200)
    place = np.empty(n, dtype=np.int64)
    place[order] = order[hosts[np.arange(n) // 200]]
    clustered = draw.chance(n, 0.03)
    for name in PLACE_COLUMNS:
        columns[name] = _inherit(columns[name], place, clustered)


def _codes(draw: Draw, parts: Parts, first: int) -> None:
    """Give every unit an organisation code of its own and the credit code around it.

    Seven in ten are of the recent kind (MA and six characters). Multiplying the unit's number by
    a number coprime to the size of the code's space never meets itself.
    """
    n = len(parts)
    number = np.arange(first, first + n)
    old = digits(number * 48_271 % 10**8, 8)
    place, left = [], number * 69_621_031 % 30**6
    for _ in range(6):
        place.append(pl.Series(list(CODE_SYMBOLS)).gather(left % 30))
        left //= 30
    recent = draw.chance(n, 0.7) & (parts.kind != 4)
    org = org_codes(choose(recent, join_text("MA", *place), old))
    county = parts.columns["region_code"].str.slice(0, 6)
    code = close_credit_codes(join_text(pl.Series(PREFIXES).gather(parts.kind), county, org))
    parts.columns |= {"credit_code": code, "full_org": org}


def _branches(draw: Draw, parts: Parts) -> None:
    """Make branches out of parent companies: 分公司, 门市部 and the like."""
    n = len(parts)
    branch = parts.kind == 3
    companies = np.flatnonzero(parts.kind == 0)
    columns = parts.columns
    parent = np.arange(n)
    if branch.any():
        heads = companies[: max(1, int(branch.sum()) // 4)]
        parent[branch] = heads[draw.index(len(heads), int(branch.sum()))]
    for name in ("region", "trade", "word", "ending", "industry_code"):
        columns[name] = columns[name].gather(parent)
    columns["owner"] = _inherit(columns["owner"], parent, branch & draw.chance(n, 0.35))
    shared = branch & draw.chance(n, 0.25)
    for name in ("phone_fixed", "phone_mobile"):
        columns[name] = _inherit(columns[name], parent, shared)
    ends = ("分公司", "分公司", "分公司", "门市部", "营业部", "经营部", "分店", "项目部")
    where = draw.index(3, n, [50.0, 35.0, 15.0])
    county = columns["county_name"].str.replace("(区|县|市)$", "")
    place = choose(where == 0, county, choose(where == 1, columns["town"].str.slice(0, 2), "第一"))
    columns["branch"] = choose(branch, join_text(place, draw.pick(ends, n)), "")
    columns["parent_credit_code"] = mask(columns["credit_code"].gather(parent), branch)
    head = np.zeros(n, dtype=np.bool_)
    head[parent[branch]] = True
    columns["is_headquarters"] = mask(pl.Series(head), branch | head)


def make_units(options: Options, n: int, chunk: int) -> Parts:
    """Return n units as parts of names and addresses."""
    draw = Draw(options.seed * 1000 + chunk, "units")
    words = pools.WORDS[options.words]
    places = county_table(words, options.city)
    kind = _kinds(draw, n, options.branches)
    weights = draw.rng.permutation(places.height) + 10.0
    leader = _families(draw, kind, options.families)
    county = draw.index(places.height, n, weights)
    county = np.where(draw.chance(n, 0.9), county[leader], county)
    parts = Parts(kind, county)
    parts.columns |= settle(draw, county, places, options.villages) | styles(draw, n)
    owner = persons(draw, n)
    word, code = _words(draw, kind)
    fixed, mobile = phones(draw, n)
    trade = choose(
        kind == 1,
        _shop_trades(draw, owner, words.characters),
        trade_names(draw, n, words.characters),
    )
    parts.columns |= {
        "owner": owner, "phone_fixed": fixed, "phone_mobile": mobile,
        "word": word, "industry_code": code, "trade": trade,
    }  # fmt: skip
    _family_ties(draw, parts, leader, words.characters)
    _shared_services(draw, parts)
    parts.columns["ending"] = _endings(draw, kind, word)
    parts.columns["region"] = _regions_in_names(draw, parts, words.province)
    _institutions(draw, parts)
    _codes(draw, parts, chunk * 1_000_000)
    _distinct_companies(draw, parts, words.characters)
    _branches(draw, parts)
    return parts


def _institutions(draw: Draw, parts: Parts) -> None:
    """Give institutions their place for a name; some stand bare."""
    columns = parts.columns
    public = parts.kind == 4
    village = columns["word"].str.contains("村").to_numpy()
    body = choose(village, columns["village"].str.replace("村$", ""), "")
    own = choose(draw.chance(len(parts), 0.3), columns["trade"], "")
    columns["trade"] = choose(public, choose(village, body, own), columns["trade"])
    full = join_text(columns["county_name"], columns["town"])
    columns["region"] = choose(public, full, columns["region"])


def _distinct_companies(draw: Draw, parts: Parts, alphabet: str) -> None:
    """Give companies another trade name where registration would have refused theirs.

    Within one registering authority no two firms of an industry have one trade name (企业名称登记
    管理实施办法, 2004, art. 31 (1)), whatever words say the industry (建筑工程 and 建设工程). The
    county stands for the authority, the class of GB/T 4754 for the industry.
    """
    columns = parts.columns
    firms = pl.Series((parts.kind == 0) | (parts.kind == 2))
    authority = columns["region_code"].str.slice(0, 6)
    for _ in range(4):
        name = join_text(authority, columns["trade"], columns["industry_code"])
        again = firms & ~name.is_first_distinct()
        if not again.any():
            return
        columns["trade"] = choose(again, trade_names(draw, len(parts), alphabet), columns["trade"])
