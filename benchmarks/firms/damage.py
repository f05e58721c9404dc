"""Damaged copies of units: several fields at once, each kind of damage noted.

Rates are those of the published design of the benchmark (benchmarks/MATCHING.md); none was chosen
by looking at the matcher.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from benchmarks.firms import pools, text
from benchmarks.firms.units import Options, persons, phones, trade_names
from sample_data.draws import Bools, Draw, choose, join_text, mask

SHORTENED = 0.1
"""Share of trade names of three and more characters that lose one."""
CARELESS_SHARE, CARELESS, CAREFUL = 0.35, 1.9, 0.5


@dataclass(slots=True)
class Copies:
    """Copies under damage: their parts, then their texts, and what happened to each."""

    frame: pl.DataFrame
    draw: Draw
    options: Options
    factor: pl.Series
    kinds: dict[str, Bools] = field(default_factory=dict)

    def hit(self, name: str, share: float, among: Bools | None = None) -> Bools:
        """Return the copies that get this damage."""
        n = self.frame.height
        drawn: Bools = self.draw.rng.random(n) < share * self.factor.to_numpy()
        self.kinds[name] = drawn if among is None else drawn & among
        return self.kinds[name]

    def put(self, name: str, where: Bools, values: pl.Series | str) -> None:
        """Put the values into a column where the damage is."""
        self.frame = self.frame.with_columns(choose(where, values, self.frame[name]).alias(name))

    def empty(self, name: str, where: Bools) -> None:
        """Empty a column where the damage is."""
        self.frame = self.frame.with_columns(mask(self.frame[name], ~where).alias(name))

    def labels(self) -> pl.Series:
        """Return the kinds of damage of each copy."""
        frame = pl.DataFrame(dict(self.kinds))
        named = [pl.when(pl.col(k)).then(pl.lit(k)) for k in self.kinds]
        return frame.select(pl.concat_list(named).list.drop_nulls()).to_series()


def start(frame: pl.DataFrame, draw: Draw, options: Options) -> Copies:
    """Return copies to damage; careless ones share one cause behind all their errors."""
    n = frame.height
    factor = np.ones(n)
    if options.careless:
        factor = np.where(draw.chance(n, CARELESS_SHARE), CARELESS, CAREFUL)
    return Copies(frame, draw, options, pl.Series(factor))


def damage_parts(copies: Copies) -> None:
    """Damage what names and addresses are made of."""
    _damage_names(copies)
    _damage_owners(copies)
    _damage_phones(copies)
    _damage_addresses(copies)


def damage_texts(copies: Copies) -> None:
    """Damage the written texts and the codes."""
    _rewrite_names(copies)
    _damage_codes(copies)


def _character(copies: Copies, name: str, kind: str, where: Bools) -> None:
    """Exchange one character of a column; damage that found nothing to exchange is not noted."""
    column, label = name, next(k for k, v in copies.kinds.items() if v is where)
    rows = np.flatnonzero(where)
    if not len(rows):
        return
    changed, done = text.substitute(copies.draw, copies.frame[column].gather(rows), kind)
    values = copies.frame[column].scatter(rows, changed.to_list())
    copies.frame = copies.frame.with_columns(values.alias(column))
    copies.kinds[label] = where.copy()
    copies.kinds[label][rows[~done]] = False


def _damage_names(copies: Copies) -> None:
    frame, draw = copies.frame, copies.draw
    n = frame.height
    alphabet = pools.WORDS[copies.options.words].characters
    renamed = copies.hit("name_renamed", 0.03)
    copies.put("trade", renamed, trade_names(draw, n, alphabet))
    has_trade = (copies.frame["trade"] != "").to_numpy()
    homophone = copies.hit("name_homophone", 0.16, has_trade)
    _character(copies, "trade", "sound", homophone)
    fuzzy = copies.hit("name_fuzzy_sound", 0.02, has_trade)
    _character(copies, "trade", "fuzzy", fuzzy)
    shape = copies.hit("name_shape", 0.06, has_trade)
    _character(copies, "trade", "shape", shape)
    _shorten(copies)
    has_region = (frame["region"] != "").to_numpy()
    dropped = copies.hit("region_dropped", 0.2, has_region & (frame["kind"] != 4).to_numpy())
    copies.put("region", dropped, "")
    changed = copies.hit("region_changed", 0.1, ~dropped)
    bare = copies.frame["city"].str.replace("(市|州)$", "")
    other = choose(
        draw.chance(n, 0.5),
        copies.frame["county_name"],
        join_text(bare, copies.frame["county_name"]),
    )
    other = choose(draw.chance(n, 0.4), copies.frame["city"], other)
    changed &= (other != copies.frame["region"]).to_numpy()
    copies.put("region", changed, other)
    synonym = copies.hit("industry_synonym", 0.12)
    word = copies.frame["word"]
    replaced = word.str.replace_many(
        [a for a, _ in pools.SYNONYMS], [b for _, b in pools.SYNONYMS], leftmost=True
    )
    synonym &= (replaced != word).to_numpy()
    copies.put("word", synonym, replaced)
    _damage_forms(copies)


def _shorten(copies: Copies) -> None:
    """Leave one character out of some trade names of three and more."""
    n = copies.frame.height
    own = Draw(copies.options.seed, "shortened")
    length = copies.frame["trade"].str.len_chars().to_numpy()
    where = (own.rng.random(n) < SHORTENED * copies.factor.to_numpy()) & (length >= 3)
    copies.kinds["name_shortened"] = where
    at = (own.rng.random(n) * length).astype(np.int64)
    frame = pl.DataFrame({"t": copies.frame["trade"], "at": at})
    short = pl.col("t").str.slice(0, pl.col("at")) + pl.col("t").str.slice(pl.col("at") + 1)
    copies.put("trade", where, frame.select(short).to_series())


def _damage_forms(copies: Copies) -> None:
    frame, draw = copies.frame, copies.draw
    n = frame.height
    form = copies.hit(
        "form_changed", 0.22, (frame["ending"].str.contains("公司|合作社")).to_numpy()
    )
    ending = frame["ending"]
    other = choose(
        ending == "有限公司", "有限责任公司", choose(ending == "有限责任公司", "有限公司", "公司")
    )
    other = choose(
        ending.str.contains("农民专业合作社"),
        "专业合作社",
        choose(ending.str.contains("合作社"), "合作社", other),
    )
    other = choose(draw.chance(n, 0.25), choose(draw.chance(n, 0.4), "", "公司"), other)
    copies.put("ending", form, other)
    sign = copies.hit(
        "sign_only", 0.08, (frame["kind"] != 4).to_numpy() & (frame["trade"] != "").to_numpy()
    )
    for name in ("region", "ending", "branch"):
        copies.put(name, sign, "")
    bare = sign & draw.chance(n, 0.4)
    copies.put("word", bare, "")
    brackets = copies.hit(
        "parentheses",
        0.05,
        (frame["kind"] == 0).to_numpy() & (copies.frame["region"] != "").to_numpy(),
    )
    flipped = copies.frame["bracketed"] ^ pl.Series(brackets)
    copies.frame = copies.frame.with_columns(flipped.alias("bracketed"))


def _damage_owners(copies: Copies) -> None:
    draw, n = copies.draw, copies.frame.height
    homophone = copies.hit("owner_homophone", 0.08)
    _character(copies, "owner", "sound", homophone)
    changed = copies.hit("owner_changed", 0.12)
    copies.put("owner", changed, persons(draw, n))
    missing = copies.hit("owner_missing", 0.10)
    copies.empty("owner", missing)


def _damage_phones(copies: Copies) -> None:
    draw, n = copies.draw, copies.frame.height
    what = draw.rng.random(n)
    factor = copies.factor.to_numpy()
    new, gone = what < 0.25 * factor, (what >= 0.25 * factor) & (what < 0.40 * factor)
    wrong = ~new & ~gone & (draw.rng.random(n) < 0.07 / 0.6 * factor)
    copies.kinds |= {"phone_new": new, "phone_missing": gone, "phone_digit": wrong}
    fixed, mobile = phones(draw, n)
    copies.put("phone_fixed", new, fixed)
    copies.put("phone_mobile", new, mobile)
    for name in ("phone_fixed", "phone_mobile"):
        copies.empty(name, gone)
        copies.put(
            name, wrong, _kept_null(copies.frame[name], text.digit(draw, copies.frame[name]))
        )
    form = copies.hit("phone_format", 0.25)
    kind = draw.index(3, n)
    mobile = copies.frame["phone_mobile"]
    split = join_text(mobile.str.slice(0, 3), "-", mobile.str.slice(3, 4), "-", mobile.str.slice(7))
    written = choose(
        kind == 0, join_text("+86", mobile), choose(kind == 1, split, join_text(mobile, " "))
    )
    copies.put("phone_mobile", form, written)
    fixed = copies.frame["phone_fixed"]
    plain = choose(kind == 0, fixed.str.replace("-", ""), fixed.str.replace(r"^(\d+)-", "(${1})"))
    copies.put("phone_fixed", form, choose(kind == 2, fixed.str.slice(5), plain))


def _kept_null(before: pl.Series, after: pl.Series) -> pl.Series:
    return mask(after, before.is_not_null())


def _damage_addresses(copies: Copies) -> None:
    draw, n = copies.draw, copies.frame.height
    rewritten = copies.hit("address_rewritten", 0.45)
    copies.frame = copies.frame.with_columns(
        head_style=_where(rewritten, draw.index(4, n), copies.frame["head_style"]),
        room_style=_where(rewritten, draw.index(4, n), copies.frame["room_style"]),
        number_style=_where(
            rewritten, draw.index(4, n, [55.0, 15.0, 10.0, 20.0]), copies.frame["number_style"]
        ),
        town_style=copies.frame["town_style"] ^ pl.Series(rewritten & draw.chance(n, 0.4)),
        has_room=copies.frame["has_room"] & ~pl.Series(rewritten & draw.chance(n, 0.4)),
    )
    copies.put("building", rewritten & draw.chance(n, 0.3), "")
    new = copies.hit("address_new", 0.20)
    other = copies.frame[draw.rng.permutation(n)]
    for name in ("street", "number", "building", "block", "room", "village"):
        copies.put(name, new & (copies.frame["urban"] == other["urban"]).to_numpy(), other[name])
    copies.put("number", new, pl.Series(draw.whole(1, 300, n)).cast(pl.String))
    far = copies.hit("county_moved", 0.04, new)
    for name in ("region_code", "city", "county_name", "town"):
        copies.put(name, far, other[name])
    industry = copies.hit("industry_code_changed", 0.15)
    copies.put("industry_code", industry, other["industry_code"])


def _where(where: Bools, left: object, right: pl.Series) -> pl.Series:
    return pl.Series(np.where(where, np.asarray(left), right.to_numpy()))


def _rewrite_names(copies: Copies) -> None:
    rows_of = copies.hit("name_swap", 0.04)
    swapped, done = text.swap(copies.draw, copies.frame["name"])
    copies.kinds["name_swap"] = rows_of & done
    copies.put("name", copies.kinds["name_swap"], swapped)
    old = copies.hit("traditional", 0.05)
    copies.put("name", old, text.traditional(copies.frame["name"]))
    half = copies.hit("half_width", 0.05, copies.frame["name"].str.contains("（").to_numpy())
    flat = copies.frame["name"].str.replace_all("（", "(").str.replace_all("）", ")")
    copies.put("name", half, flat)
    wide = copies.hit("full_width", 0.05)
    copies.put("address", wide, text.widened(copies.frame["address"]))
    copies.put("name", wide & ~half, text.widened(copies.frame["name"]))


def _damage_codes(copies: Copies) -> None:
    draw, n = copies.draw, copies.frame.height
    kind = draw.rng.random(n)
    missing_share = np.full(n, 0.35)
    if copies.options.careless:
        shop = (copies.frame["kind"] == 1).to_numpy()
        careless = copies.factor.to_numpy() > 1
        missing_share = np.where(careless, 0.55, 0.22) + np.where(shop, 0.12, 0.0)
    edges = missing_share[:, None] + np.array([0.0, 0.12, 0.15, 0.19, 0.24])
    names = ("code_missing", "code_character", "code_transposed", "code_ocr", "code_org_only")
    low = np.zeros(n)
    for number, name in enumerate(names):
        copies.kinds[name] = (kind >= low) & (kind < edges[:, number])
        low = edges[:, number]
    code = copies.frame["credit_code"]
    copies.put("credit_code", copies.kinds["code_character"], text.digit(draw, code))
    transposed, done = text.swap(draw, code)
    copies.kinds["code_transposed"] &= done
    copies.put("credit_code", copies.kinds["code_transposed"], transposed)
    misread = code.str.slice(8).str.replace_many(["0", "1", "2", "5"], ["O", "I", "Z", "S"])
    copies.put("credit_code", copies.kinds["code_ocr"], join_text(code.str.slice(0, 8), misread))
    only = copies.kinds["code_org_only"]
    in_place = only & draw.chance(n, 0.5)
    copies.put("credit_code", in_place, copies.frame["full_org"])
    copies.empty("credit_code", copies.kinds["code_missing"] | (only & ~in_place))
    copies.empty(
        "org_code",
        copies.kinds["code_missing"]
        | copies.kinds["code_character"]
        | copies.kinds["code_transposed"],
    )
    copies.put("org_code", only & ~in_place, copies.frame["full_org"])
