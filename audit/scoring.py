"""Which regions to visit first: counts, shrunk error rates, flags and ranks of all regions.

Units are of two kinds with a limit each: legal entities with establishments, and the self-employed.
A region is reported by the kind that is furthest over its limit. Method: `docs/method/scoring.md`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from audit.contracts import CONTRACT
from audit.shrinkage import TAIL, Floats, Ints, fit_tree, own_low, posterior, root_prior

COUNTS = (
    "n_units_legal",
    "n_failed_legal",
    "n_self_employed",
    "n_failed_self_employed",
    "n_register",
)
KINDS = ("units", "self_employed")
VISITED_LEVELS = ("3", "4", "5")
_PREFIXES = (9, 6, 4, 2)
_COUNTY_DIGITS = 6
_DECIMALS = 6
_FIELDS = ("rate", "rate_low", "rate_high", "probability", "excess", "own_low", "flagged")
_TOP_RULES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Highest tolerated shares of units with a fatal finding, and when to flag."""

    units: float = 0.03
    self_employed: float = 0.05
    flag_probability: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What regions are scored from.

    `regions`: region_code, name, level, parent_code, one row a region of the delivery's vintage.
    `counts`: region_code and `COUNTS`, of the units that carry exactly that code.
    `by_rule`: region_code, rule_id, title_zh, title_en, n_units of any kind with a fatal finding of
    the rule. `city`: the audited city; regions outside it have no score.
    `held`: counties (six digits) whose units say nothing about others; the city's six are all.
    """

    regions: pl.DataFrame
    counts: pl.DataFrame
    by_rule: pl.DataFrame
    city: str = ""
    held: Collection[str] = ()

    @property
    def heard(self) -> pl.DataFrame:
        """The rows of `counts` that may tell what is usual: those of no held county."""
        if self.city[:_COUNTY_DIGITS] in self.held:
            return self.counts.clear()
        county = pl.col("region_code").str.head(_COUNTY_DIGITS)
        return self.counts.filter(~county.is_in(list(self.held)))


def parent_positions(regions: pl.DataFrame) -> Ints:
    """Return the position of each region's parent, -1 where the list holds none.

    The parent is the one the list names; where that is missing from the list or not of a higher
    level, the nearest listed region by the digits of the code. So there can be no cycle.
    """
    codes, levels = regions["region_code"].to_list(), regions["level"].to_list()
    named = regions["parent_code"].to_list()
    position = {code: i for i, code in enumerate(codes)}

    def parent(i: int) -> int:
        candidates = [named[i], *(codes[i][:k].ljust(12, "0") for k in _PREFIXES)]
        found = (position[code] for code in candidates if code in position)
        return next((p for p in found if levels[p] < levels[i]), -1)

    return np.array([parent(i) for i in range(len(codes))], dtype=np.int64)


def city_prefix(city: str) -> str:
    """Return the digits that all codes of a city share; of a municipality, those of the province.

    Empty for no city.
    """
    return city[:2] if city[2:4] == "00" else city[:4]


def with_ancestors(parents: Ints) -> tuple[Ints, Ints]:
    """Return pairs (region, region that contains it), each region with itself included."""
    below = above = np.arange(len(parents), dtype=np.int64)
    pairs = [(below, above)]
    while len(above):
        up = parents[above]
        below, above = below[up >= 0], up[up >= 0]
        pairs.append((below, above))
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def score_regions(evidence: Evidence, limits: Limits) -> pl.DataFrame:
    """Return `audit.region_score`: one row a region, all columns of the contract, by rank."""
    inside = pl.col("region_code").str.starts_with(city_prefix(evidence.city))
    regions = evidence.regions.filter(inside).sort("region_code")
    parents = parent_positions(regions)
    below, above = with_ancestors(parents)
    totals = _roll_up(regions, evidence.counts, (below, above))
    heard = _roll_up(regions, evidence.heard, (below, above)) if evidence.held else totals
    scored = pl.concat(
        [regions, totals, _rates(parents, (totals, heard), limits)], how="horizontal"
    ).with_columns(
        flagged=pl.col("flagged") & pl.col("level").is_in(VISITED_LEVELS),
        parent_code=_codes_at(regions, parents),
        n_units=pl.col("n_units_legal") + pl.col("n_self_employed"),
        n_failed=pl.col("n_failed_legal") + pl.col("n_failed_self_employed"),
    )
    codes = regions["region_code"]
    nesting = pl.DataFrame({"region_code": codes.gather(below), "within": codes.gather(above)})
    top = _top_rules(evidence.by_rule, nesting)
    ranked = _ranked(scored).join(top, on="region_code", how="left")
    told = _reasons(ranked, limits)
    columns = [c.name for c in CONTRACT.outputs["audit.region_score"].columns]
    renamed = told.rename({"name": "region_name", "level": "region_level"})
    return renamed.select(columns).sort("rank")


def _codes_at(regions: pl.DataFrame, positions: Ints) -> pl.Series:
    known = pl.Series(positions)
    return regions["region_code"].gather(known.set(known < 0, None))


def _roll_up(regions: pl.DataFrame, counts: pl.DataFrame, pairs: tuple[Ints, Ints]) -> pl.DataFrame:
    own = regions.select("region_code").join(
        counts, on="region_code", how="left", maintain_order="left"
    )
    direct = own.select(pl.col(*COUNTS).fill_null(0).cast(pl.Int64)).to_numpy()
    totals = np.zeros_like(direct)
    np.add.at(totals, pairs[1], direct[pairs[0]])
    return pl.DataFrame(totals, schema=list(COUNTS), orient="row")


def _kind_rates(
    parents: Ints, counts: tuple[Ints, Ints], heard: tuple[Ints, Ints], limit: float, flag_at: float
) -> Floats:
    """Return the `_FIELDS` of one kind of unit as rows, one column a region.

    `counts` are units and failing units; `heard` those of them that priors are estimated from.
    """
    units, failed = counts
    top = parents < 0
    root = root_prior(int(heard[1][top].sum()), int(heard[0][top].sum()), limit)
    known = posterior(failed, units, fit_tree(parents, heard[1], heard[0], root), limit)
    # Only what a region's own units show counts for its place: neighbours shrink, never accuse.
    low = np.minimum(known.low, own_low(failed, units, TAIL))
    own = own_low(failed, units, 1 - flag_at)
    flagged = (known.over.round(_DECIMALS) >= flag_at) & (own > limit)
    excess = low / limit
    fields = [known.mean, known.low, known.high, known.over, excess, own, flagged]
    return np.stack(fields).round(_DECIMALS)


def _rates(
    parents: Ints, totals: tuple[pl.DataFrame, pl.DataFrame], limits: Limits
) -> pl.DataFrame:
    counts, heard = ([frame[name].to_numpy() for name in COUNTS[:4]] for frame in totals)
    flag_at = limits.flag_probability
    legal, households = (
        _kind_rates(parents, (counts[i], counts[i + 1]), (heard[i], heard[i + 1]), limit, flag_at)
        for i, limit in ((0, limits.units), (2, limits.self_employed))
    )
    second = _further_over((counts[0], legal), (counts[2], households))
    values = np.where(second, households, legal)
    frame = pl.DataFrame(values.T, schema=list(_FIELDS), orient="row")
    empty = pl.Series((counts[0] == 0) & (counts[2] == 0))
    return frame.with_columns(
        pl.when(~empty).then(pl.col(*_FIELDS[:-1])),
        flagged=pl.col("flagged") > 0,
        kind=pl.when(empty)
        .then(pl.lit(None, pl.String))
        .when(pl.Series(second))
        .then(pl.lit(KINDS[1]))
        .otherwise(pl.lit(KINDS[0])),
    )


def _further_over(first: tuple[Ints, Floats], second: tuple[Ints, Floats]) -> npt.NDArray[np.bool_]:
    """Return where the second kind is reported: it has units, is flagged, is further over."""
    by_name = {name: i for i, name in enumerate(_FIELDS)}
    keys = [(first[0] > 0, second[0] > 0)]
    keys += [(first[1][by_name[k]], second[1][by_name[k]]) for k in ("flagged", "excess")]
    keys.append((first[1][by_name["probability"]], second[1][by_name["probability"]]))
    chosen = np.zeros(len(first[0]), dtype=np.bool_)
    undecided = np.ones(len(first[0]), dtype=np.bool_)
    for one, other in keys:
        chosen |= undecided & (other > one)
        undecided &= other == one
    return chosen


def _ranked(scored: pl.DataFrame) -> pl.DataFrame:
    by = ["excess", "probability", "n_failed", "region_code"]
    ordered = scored.sort(by, descending=[True, True, True, False], nulls_last=True)
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return ordered.with_columns(rank=place, rank_in_level=place.over("level"))


def _top_rules(by_rule: pl.DataFrame, nesting: pl.DataFrame) -> pl.DataFrame:
    """Return for each region the rules with most failing units, as a phrase a language."""
    item = pl.col("rule_id") + " "
    n = pl.col("n_units").cast(pl.String)
    sums = (
        by_rule.join(nesting, on="region_code")
        .group_by(pl.col("within").alias("region_code"), "rule_id", "title_zh", "title_en")
        .agg(pl.col("n_units").sum())
        .sort(["region_code", "n_units", "rule_id"], descending=[False, True, False])
    )
    return (
        sums.group_by("region_code", maintain_order=True)
        .head(_TOP_RULES)
        .group_by("region_code", maintain_order=True)
        .agg(
            top_zh=(item + pl.col("title_zh") + " " + n + " 个单位").str.join("、"),
            top_en=(item + pl.col("title_en") + " " + n).str.join(", "),
        )
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences of one language; polars `format` templates. A zero is never a reason."""

    kinds: tuple[str, str]
    rules: str
    no_rules: str
    register: str
    other: str
    own: str
    no_register: str
    rate: str
    clean: str
    no_units: tuple[str, str, str]
    verdicts: tuple[str, str, str, str]
    join: str


_ZH = _Words(
    kinds=("法人和产业活动单位", "个体经营户"),
    rules="强制性差错最多的规则：{}",
    no_rules="{}未发现强制性差错",
    register="部门名录差异 {} 个",
    other="{} {}/{}，直接 {}，限值 {}",
    own="仅凭本区域单位，有 {} 的把握差错率高于 {}",
    no_register="未发现部门名录差异",
    rate="{} {}/{}，直接 {}，收缩后 {}（区间 {}–{}），{} {}",
    clean="{} {} 个，收缩后 {}（区间 {}–{}），{} {}",
    no_units=("本区域没有登记单位", "没有差错率", "不参加排序"),
    verdicts=("高于限值", "很可能高于限值", "低于限值", "尚不能判定是否超过限值"),
    join="；",
)
_EN = _Words(
    kinds=("Legal entities and establishments", "Self-employed"),
    rules="Rules with most failing units: {}",
    no_rules="{}: no unit with a fatal finding",
    register="Register discrepancies: {}",
    other="{}: {}/{}, direct {}, limit {}",
    own="From its own units alone the rate is, with {} confidence, above {}",
    no_register="No register discrepancy",
    rate="{}: {}/{}, direct {}, shrunk {} ({} to {}), {} {}",
    clean="{}: {}, shrunk {} ({} to {}), {} {}",
    no_units=("No unit enumerated here", "No rate", "Not ranked"),
    verdicts=(
        "above the limit of", "likely above the limit of", "below the limit of", "not clear of",
    ),
    join="; ",
)  # fmt: skip


def _percent(share: pl.Expr) -> pl.Expr:
    return (share * 100).round(1).cast(pl.String) + " %"


def _verdict(limit: pl.Expr, flag_at: float, words: tuple[str, str, str, str]) -> pl.Expr:
    over, likely, under, unclear = (pl.lit(word) for word in words)
    return (
        pl.when(pl.col("rate_low") > limit)
        .then(over)
        .when(pl.col("probability") >= flag_at)
        .then(likely)
        .when(pl.col("rate_high") < limit)
        .then(under)
        .otherwise(unclear)
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is said of one kind of unit, which may differ from region to region."""

    name: pl.Expr
    failed: pl.Expr
    units: pl.Expr
    limit: pl.Expr

    @property
    def counts(self) -> tuple[pl.Expr, ...]:
        """Name, failing units, units, direct rate."""
        return self.name, self.failed, self.units, _percent(self.failed / self.units)


def _kinds(words: _Words, limits: Limits) -> tuple[_Kind, _Kind]:
    """Return the kind that the rate of a region is about, and the other one."""
    households = pl.col("kind") == KINDS[1]

    def kind(first: int) -> _Kind:
        def of(values: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
            return pl.when(households).then(values[1 - first]).otherwise(values[first])

        return _Kind(
            of((pl.lit(words.kinds[0]), pl.lit(words.kinds[1]))),
            of((pl.col("n_failed_legal"), pl.col("n_failed_self_employed"))),
            of((pl.col("n_units_legal"), pl.col("n_self_employed"))),
            of((pl.lit(limits.units), pl.lit(limits.self_employed))),
        )

    return kind(0), kind(1)


def _shown(limit: pl.Expr) -> pl.Expr:
    return (limit * 100).round(2).cast(pl.String).str.strip_suffix(".0") + " %"


def _second(words: _Words, kinds: tuple[_Kind, _Kind], flag_at: float) -> pl.Expr:
    """Return the strongest thing there is to say beside the rules and the rate."""
    own, other = kinds
    about_other = pl.format(words.other, *other.counts, _shown(other.limit))
    return (
        pl.when(other.failed > other.limit * other.units)
        .then(about_other)
        .when(pl.col("n_register") > 0)
        .then(pl.format(words.register, pl.col("n_register")))
        .when(other.failed > 0)
        .then(about_other)
        .when(own.failed > 0)
        .then(pl.format(words.own, pl.lit(f"{flag_at * 100:g} %"), _percent(pl.col("own_low"))))
        .otherwise(pl.lit(words.no_register))
    )


def _sentences(words: _Words, top: str, limits: Limits) -> pl.Expr:
    own, other = _kinds(words, limits)
    shrunk = [_percent(pl.col(name)) for name in ("rate", "rate_low", "rate_high")]
    verdict = _verdict(own.limit, limits.flag_probability, words.verdicts)
    against = (*shrunk, verdict, _shown(own.limit))
    told = pl.concat_str(
        pl.when(pl.col(top).is_null())
        .then(pl.format(words.no_rules, own.name))
        .otherwise(pl.format(words.rules, pl.col(top))),
        _second(words, (own, other), limits.flag_probability),
        pl.when(own.failed > 0)
        .then(pl.format(words.rate, *own.counts, *against))
        .otherwise(pl.format(words.clean, own.name, own.units, *against)),
        separator=words.join,
    )
    register = pl.format(words.register, pl.col("n_register"))
    nobody, no_rate, no_rank = (pl.lit(word) for word in words.no_units)
    idle = pl.concat_str(
        nobody,
        no_rate,
        pl.when(pl.col("n_register") > 0).then(register).otherwise(no_rank),
        separator=words.join,
    )
    return pl.when(pl.col("kind").is_null()).then(idle).otherwise(told)


def _reasons(ranked: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    return ranked.with_columns(
        reasons=_sentences(_ZH, "top_zh", limits), reasons_en=_sentences(_EN, "top_en", limits)
    )
