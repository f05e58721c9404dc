"""Made-up firms of a second country, in Latin script; no number has a check digit."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.firms import text
from benchmarks.firms.damage import Copies, start
from benchmarks.firms.pools import listed
from benchmarks.firms.render import MATCHER_COLUMNS
from benchmarks.firms.units import Options
from sample_data.draws import Draw, choose, digits, join_text, mask

FIRST = listed("""
Ash Black Blue Bright Brook Castle Clear Cross East Edge Elm Fair Fern Field Fox Glen Gold Grand
Green Grey Harbour Hart Haven Hazel High Hill Holly Iron Ivy Kings Lake Lark Lime Long Maple Marsh
Mill Moor New North Oak Old Orchard Park Pine Queens Raven Red River Rock Rose Royal Silver South
Spring Star Stone Summer Sun Swan Thorn Valley Water West White Wild Willow Winter Wood York
""")
SECOND = listed("""
bank borough bourne bridge brook bury by combe cote croft dale den don field ford gate grove ham
hill holm hurst land leigh ley low mere minster mouth ridge shaw side stead stoke ton wall way
well wick win wood worth yard
""")
TRADES = listed(
    "Builders|Building Services|Construction|Carpentry|Joinery|Roofing|Plumbing|Heating|"
    "Electrical|Electrical Services|Engineering|Motors|Motor Repairs|Garage|Transport|Haulage|"
    "Logistics|Catering|Foods|Bakery|Butchers|Fisheries|Farms|Dairy|Nurseries|Landscapes|"
    "Consulting|Consultants|Management|Accountants|Solicitors|Insurance Brokers|Properties|"
    "Estates|Lettings|Software|Technologies|Systems|Media|Design|Printing|Publishing|Textiles|"
    "Fashions|Furniture|Interiors|Flooring|Cleaning|Security|Recruitment|Training|Travel|Hotels|"
    "Inns|Pharmacy|Dental Care|Veterinary Centre|Nursing Homes|Pumps|Tools|Plastics|Packaging|"
    "Chemicals|Steel|Glass",
    "|",
)
SUFFIXES = ("Limited", "Ltd", "Ltd.", "PLC", "LLP", "& Sons Ltd", "& Co Ltd", "Group Limited")
SUFFIX_SHARES = (40.0, 30.0, 4.0, 4.0, 6.0, 6.0, 6.0, 4.0)
OTHER_SUFFIX = ("Limited", "Ltd", "LTD", "ltd.", "Co Ltd", "Company Limited", "")
SHORT = (
    ("Services", "Svcs"), ("Construction", "Constr"), ("Engineering", "Eng"),
    ("Management", "Mgmt"),
    ("Technologies", "Tech"), ("Consultants", "Consulting"), ("Properties", "Property"),
    ("Transport", "Trans"), ("Electrical", "Elec"), ("& ", "and "), ("Building", "Bldg"),
)  # fmt: skip
STREETS = listed(
    "High Street|Station Road|Church Lane|London Road|Mill Lane|Victoria Road|Park Avenue|"
    "Queen Street|King Street|Bridge Street|Market Place|The Green|Manor Road|School Lane|"
    "Chapel Street|New Road|Albert Road|West Street|North Street|Springfield Way",
    "|",
)
SHORT_STREETS = (("Street", "St"), ("Road", "Rd"), ("Avenue", "Ave"), ("Lane", "Ln"))
NAMES = listed("""
James John Robert Michael David William Richard Thomas Mark Charles Steven Andrew Paul Joshua
Kevin Brian George Edward Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen
Nancy Lisa Margaret Sandra Ashley Emily Donna Michelle
""")
FAMILY = listed("""
Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans
Walker White Roberts Green Hall Thomas Clarke Jackson Wood Harris Edwards Turner Martin Cooper
Hill Ward Hughes Moore Clark King Harrison Lewis Baker Lee Allen
""")
TOWNS = 60


def _phones(draw: Draw, n: int) -> pl.Series:
    return join_text("01", digits(draw.whole(100_000_000, 999_999_999, n), 9))


def _units(draw: Draw, n: int) -> pl.DataFrame:
    """Return true firms: parts of name and address; one in ten is of a family of two."""
    leader = np.arange(n)
    paired = draw.rng.permutation(n)[: n // 10]
    leader[paired[1::2]] = paired[: 2 * (len(paired) // 2) : 2]
    owner = join_text(draw.pick(NAMES, n), " ", draw.pick(FAMILY, n))
    made = join_text(draw.pick(FIRST, n), draw.pick(SECOND, n))
    personal = join_text(draw.pick(NAMES, n).str.slice(0, 1), " ", draw.pick(FAMILY, n))
    trade = choose(draw.chance(n, 0.12), personal, made)
    town = draw.index(TOWNS, n)
    towns = pl.Series([a + b for a in FIRST for b in SECOND]).gather(town * 37)
    letters = join_text(draw.pick(list("ABDEHJLNPQRSTUWXYZ"), n), draw.pick(list("ABDEHJLN"), n))
    area = towns.str.slice(0, 2).str.to_uppercase()
    outward = join_text(area, digits(draw.whole(1, 20, n), 1))
    return pl.DataFrame(
        {
            "unit": np.arange(n),
            "trade": trade.gather(leader),
            "word": draw.pick(TRADES, n),
            "suffix": draw.pick(SUFFIXES, n, SUFFIX_SHARES),
            "owner": owner.gather(leader),
            "phone_fixed": _phones(draw, n).gather(leader),
            "number": digits(draw.whole(1, 220, n), 1),
            "street": draw.pick(STREETS, n),
            "town": towns,
            "postcode": join_text(outward, " ", digits(draw.whole(1, 9, n), 1), letters),
            "region_code": digits(900_000 + town, 6),
            "industry_code": digits(draw.whole(1000, 9800, n), 4),
            "org_code": digits(np.arange(n) * 48_271 % 10**8, 8),
        }
    )  # fmt: skip


def _written(frame: pl.DataFrame) -> pl.DataFrame:
    name = join_text(frame["trade"], " ", frame["word"], " ", frame["suffix"]).str.strip_chars()
    address = join_text(
        frame["number"], " ", frame["street"], ", ", frame["town"], " ", frame["postcode"]
    ).str.strip_chars()
    return frame.with_columns(name=name, address=address)


def _damage_parts(copies: Copies) -> None:
    draw, n = copies.draw, copies.frame.height
    copies.put("suffix", copies.hit("suffix", 0.4), draw.pick(OTHER_SUFFIX, n))
    shorter = copies.frame["word"].str.replace_many([a for a, _ in SHORT], [b for _, b in SHORT])
    copies.put("word", copies.hit("abbreviation", 0.3), shorter)
    street = copies.frame["street"].str.replace_many(
        [a for a, _ in SHORT_STREETS], [b for _, b in SHORT_STREETS]
    )
    copies.put("street", copies.hit("street_form", 0.4), street)
    copies.put("postcode", copies.hit("postcode_missing", 0.25), "")
    moved = copies.hit("address_new", 0.15)
    copies.put("street", moved, draw.pick(STREETS, n))
    copies.put("number", moved, digits(draw.whole(1, 220, n), 1))
    copies.put(
        "owner",
        copies.hit("owner_initial", 0.15),
        copies.frame["owner"].str.replace(r"^(.)\S+", "${1}"),
    )
    copies.empty("owner", copies.hit("owner_missing", 0.15))
    copies.put("phone_fixed", copies.hit("phone_new", 0.2), _phones(draw, n))
    copies.empty("phone_fixed", copies.hit("phone_missing", 0.15))
    copies.empty("org_code", copies.hit("id_missing", 0.4))


def _damage_texts(copies: Copies) -> None:
    typo = copies.hit("typo", 0.2)
    swapped, done = text.swap(copies.draw, copies.frame["name"])
    copies.kinds["typo"] = typo & done
    copies.put("name", copies.kinds["typo"], swapped)
    upper = copies.hit("upper_case", 0.2)
    copies.put("name", upper, copies.frame["name"].str.to_uppercase())


def make_english(options: Options) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return records and truth of English firms, as `make.make` does."""
    draw = Draw(options.seed, "english")
    n_copies = round(options.records * options.copies)
    frame = _units(draw, options.records - n_copies)
    source = draw.rng.permutation(frame.height)[:n_copies]
    copies = start(frame[source], draw, options)
    _damage_parts(copies)
    copies.frame = _written(copies.frame)
    _damage_texts(copies)
    again = copies.frame.with_columns(copy=pl.lit(1, pl.Int8), damage=copies.labels())
    whole = _written(frame).with_columns(
        copy=pl.lit(0, pl.Int8), damage=pl.lit([], pl.List(pl.String))
    )
    both = pl.concat([whole, again])[draw.rng.permutation(options.records)]
    nothing = pl.lit(None, pl.String)
    both = both.with_columns(
        record_id="e" + pl.Series(np.arange(options.records)).cast(pl.String).str.zfill(8),
        table_name=pl.lit("legal_entity"),
        credit_code=nothing,
        phone_mobile=nothing,
        is_headquarters=pl.lit(None, pl.Boolean),
        parent_credit_code=nothing,
    )
    return both.select(MATCHER_COLUMNS), both.select("record_id", "unit", "copy", "damage")


def without_ids(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records without their company numbers."""
    return records.with_columns(mask(records["org_code"], np.zeros(records.height, np.bool_)))
