"""One city's tables as those of another city: nothing of two cities is the same by accident.

A sample is always Hengyang, whatever its seed. Here its regions get the codes of a prefecture of a
province of their own, all ids a mark, names of places a character in front, organisation codes,
networks and coordinates a range of their own. What refers to each other still does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import polars as pl

from audit.contracts import CONTRACT, Column
from benchmarks.cities.codes import moved_codes, moved_networks
from sample_data.places import COMMITTEE, SHORT_NAMES
from sample_data.process import salt

PROVINCE, PROVINCE_NAME = "36", "江西"
MARKS = "甲乙丙丁戊己庚辛壬癸"
LETTERS = "ABCDEFGHJK"
SALT = "census-audit-ten-cities"
HOME, HOME_PROVINCE, HOME_NAME, HOME_PROVINCE_NAME = "4304", "43", "衡阳", "湖南"
HOME_AREA = "0734-"
DEGREES = 2
"""Degrees of longitude between two cities; one is a little more than one wide."""
SECRET = "样本保密"  # noqa: S105  # what names of confidential units in a sample begin with
IDS = frozenset({
    "unit_id", "legal_unit_id", "register_id", "submission_id", "visit_id", "recheck_id", "clue_id",
    "agency_id", "list_id", "enumerator_id", "editor_id", "account", "device_id",
    "upload_device_id",
})  # fmt: skip
"""Columns with ids that a system of one city has given."""
PLACED = frozenset({"frame_id", "block_id", "region_code", "parent_code"})
"""Columns with codes that begin with a region, beside those of the code list `region`."""
CODES = frozenset({"credit_code", "parent_credit_code", "finance_unit_code", "org_code",
                   "licence_no", "registration_no"})  # fmt: skip
NETWORK = frozenset({"client_ip", "cidr"})
KEPT = frozenset({
    "digest", "previous_digest", "event_id", "photo_hash", "table_name", "field", "period",
    "vintage", "indicator", "project_id", "energy_code", "sources", "line_no", "form",
})  # fmt: skip
"""Columns that mean the same in every city, or that are dealt with apart."""


@dataclass(slots=True)
class Trail:
    """Where the trail of edits of the cities before ends: one platform numbers all."""

    event_id: int = 0
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class City:
    """City `number` (from 0), made with `seed`. `names`: what is written otherwise in its texts."""

    number: int
    seed: int
    names: dict[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The first four digits of its regions."""
        return f"{PROVINCE}{self.number + 1:02}"

    @property
    def mark(self) -> str:
        """The character in front of its places."""
        return MARKS[self.number]


def _place_names(regions: pl.DataFrame) -> list[str]:
    """Return names that stand for a place in names and addresses, the longest first."""
    plain = regions.filter(pl.col("level").is_in(["3", "4", "5"]))["name"]
    base = plain.str.replace_all(r"[()（）]", "").str.replace(COMMITTEE, "")
    bare = base.str.replace(r"(社区|村)$", "")
    found = {HOME_NAME, SECRET, *SHORT_NAMES.values(), *plain}
    for ending in ("社区", "村"):
        found |= set((bare + ending).to_list())
    return sorted((name for name in found if len(name) > 1), key=lambda n: (-len(n), n))


def make_city(number: int, seed: int, regions: pl.DataFrame) -> City:
    """Return a city whose place names have a mark in front.

    A department writes a blank behind the third character of some names, also inside a place.
    """
    mark = MARKS[number]
    names: dict[str, str] = {}
    for name in _place_names(regions):
        for at in range(1, min(len(name), 4)):
            spaced = f"{name[:at]} {name[at:]}"
            names[spaced] = mark + spaced
        names[name] = mark + name
    longest = dict(sorted(names.items(), key=lambda pair: -len(pair[0])))
    longest[HOME_PROVINCE_NAME] = PROVINCE_NAME
    longest[HOME_AREA] = f"079{number}-"
    return City(number=number, seed=seed, names=longest)


def _placed(column: pl.Series, city: City) -> pl.Series:
    """Return codes with the region in front as the city's; regions elsewhere stay."""
    whole = pl.col("v").is_in([HOME_PROVINCE, HOME_PROVINCE + "0" * 10])
    inside = pl.col("v").str.starts_with(HOME)
    return column.alias("v").to_frame().select(
        pl.when(inside).then(city.prefix + pl.col("v").str.slice(4))
        .when(whole).then(PROVINCE + pl.col("v").str.slice(2))
        .otherwise("v")
    ).to_series()  # fmt: skip


def _renamed(column: pl.Series, city: City) -> pl.Series:
    known = column.drop_nulls().unique()
    new = known.str.replace_many(list(city.names), list(city.names.values()), leftmost=True)
    changed = known != new
    return column.replace(known.filter(changed), new.filter(changed))


def _moved(column: pl.Series, meta: Column, city: City) -> pl.Series:
    name = meta.name
    if name in IDS:
        return LETTERS[city.number] + column
    if meta.code_list == "region" or name in PLACED:
        return _placed(column, city)
    if name in CODES:
        return moved_codes(column, {HOME: city.prefix}, city.number)
    if name in NETWORK:
        return moved_networks(column, city.number)
    if name == "longitude":
        return column + DEGREES * city.number
    if name == "boundary_wkt":
        degrees = {f"{d}.": f"{d + DEGREES * city.number}." for d in (111, 112, 113)}
        return column.str.replace_many(list(degrees), list(degrees.values()))
    if meta.type != "text" or name in KEPT:
        return column
    return _renamed(column, city)


def is_known(column: Column) -> bool:
    """Tell whether a key column is told apart by city, or known to need nothing."""
    known = IDS | PLACED | CODES | NETWORK | KEPT
    return bool(column.code_list) or column.name in known


def _regions(frame: pl.DataFrame, city: City, original: pl.DataFrame) -> pl.DataFrame:
    """Return the list with the mark on each region; the province comes with the first city."""
    inside = original["region_code"].str.starts_with(HOME)
    name = (
        pl.when(inside).then(city.mark + original["name"]).otherwise(pl.lit(PROVINCE_NAME + "省"))
    )
    named = frame.with_columns(name=name)
    return named if city.number == 0 else named.filter(inside)


def hidden_digests(
    city: City, old: pl.DataFrame, new: pl.DataFrame, listed: pl.DataFrame
) -> pl.Series:
    """Return the digests of the confidential units of the sample by their new codes and names."""
    secret = old["name"].str.starts_with(SECRET)
    again: dict[str, str] = {}
    for column in ("credit_code", "name"):
        pairs = zip(old.filter(secret)[column], new.filter(secret)[column], strict=True)
        again |= {_sha(salt(city.seed) + was): _sha(SALT + now) for was, now in pairs}
    made = [again.get(d, _sha(f"{d}{city.prefix}")) for d in listed["digest"]]
    return pl.Series(made, dtype=pl.String)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def chained(old: pl.DataFrame, new: pl.DataFrame, trail: Trail) -> pl.DataFrame:
    """Return the edits numbered on, with digests that are right where they were right before."""
    order = old["event_id"].arg_sort()
    old, new = old[order], new[order].with_columns(pl.col("event_id") + trail.event_id)
    was, made = _lines(old), _lines(new)
    digests, befores, last_old = [], [], ""
    last = trail.digest
    # A chain of digests is made one link after the other.
    for row in range(old.height):
        given, before = old["digest"][row], old["previous_digest"][row] or ""
        prior = last if before == last_old else _sha(before)
        right = given == _sha(f"{before}|{was[row]}")
        last, last_old = (_sha(f"{prior}|{made[row]}") if right else _sha(given)), given
        digests.append(last)
        befores.append(prior or None)
    trail.event_id, trail.digest = int(new["event_id"][-1]), last
    return new.with_columns(
        digest=pl.Series(digests, dtype=pl.String),
        previous_digest=pl.Series(befores, dtype=pl.String),
    )


def _lines(edits: pl.DataFrame) -> list[str]:
    """Return what each digest is over, without the digest before."""
    names = ("unit_id", "table_name", "field", "old_value", "new_value", "editor_id")
    time = pl.col("edited_at").dt.strftime("%Y-%m-%d %H:%M:%S")
    parts = [pl.col("event_id").cast(pl.String), *(pl.col(n).fill_null("") for n in names), time]
    return edits.select(pl.concat_str(parts, separator="|")).to_series().to_list()


def moved(tables: dict[str, pl.DataFrame], city: City, trail: Trail) -> dict[str, pl.DataFrame]:
    """Return all tables of a sample as those of `city`; `trail` goes on behind its edits."""
    made = {}
    for table in CONTRACT.delivered:
        frame = tables[table.name]
        columns = [_moved(frame[c.name], c, city).alias(c.name) for c in table.columns]
        made[table.name] = pl.DataFrame(columns)
    made["region"] = _regions(made["region"], city, tables["region"])
    made["edit_event"] = chained(tables["edit_event"], made["edit_event"], trail)
    # Without the row that checks the salt: all cities have one salt, and no key twice.
    listed = tables["confidential_digest"].filter(pl.col("kind") != "0")
    hidden = hidden_digests(city, tables["legal_entity"], made["legal_entity"], listed)
    made["confidential_digest"] = listed.with_columns(digest=hidden)
    return made
