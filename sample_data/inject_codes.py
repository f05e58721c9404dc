"""Planted errors in codes: family COD."""

from __future__ import annotations

import polars as pl

from audit.codes import CREDIT_ALPHABET, credit_code_check_ok, credit_code_org_ok
from sample_data.draws import choose, join_text
from sample_data.identifiers import close_credit_codes
from sample_data.plot import Plot, cycle, split


def _other_character(codes: pl.Series, position: int, alphabet: str, plot: Plot) -> pl.Series:
    """Return the codes with another character of the alphabet at a position (from 0)."""
    index = {c: i for i, c in enumerate(alphabet)}
    now = codes.str.slice(position, 1).replace_strict(index, default=0).to_numpy()
    step = plot.draw.whole(1, len(alphabet) - 1, len(codes))
    new = pl.Series(list(alphabet)).gather((now + step) % len(alphabet))
    return join_text(codes.str.slice(0, position), new, codes.str.slice(position + 1))


def _sound(units: pl.DataFrame) -> pl.DataFrame:
    """Return the units whose code is right so far: what is wrong in two ways proves nothing."""
    codes = units["credit_code"]
    return units.filter(credit_code_check_ok(codes) & credit_code_org_ok(codes))


def _coded(plot: Plot) -> pl.DataFrame:
    """Take legal entities, branches of outside parents and households, all with a credit code."""
    columns = ("unit_id", "credit_code", "region_code")
    return pl.concat(
        [
            plot.take(_sound(plot.singles()), plot.per_legal).select(columns),
            plot.take(_sound(plot.visitors()), plot.per_establishment).select(columns),
            plot.take(_sound(plot.households()), plot.per_household).select(columns),
        ]
    )


def cod001(plot: Plot) -> None:
    """A letter that the standard does not use, or a character short."""
    letter, short = split(_coded(plot))
    old = letter["credit_code"]
    wrong = join_text(old.str.slice(0, 10), cycle(("O", "I"), len(old)), old.str.slice(11))
    plot.recode(old, wrong)
    plot.recode(short["credit_code"], short["credit_code"].str.slice(0, 17))
    for rows, note in ((letter, "letter O or I"), (short, "17 characters")):
        plot.note(rows["unit_id"], note=note)
        plot.also(rows["unit_id"], "possible", ("COD002", "COD003"))


def cod002(plot: Plot) -> None:
    """The check character wrong, or one digit of the organisation wrong under the right one."""
    check, digit = split(_coded(plot))
    plot.recode(
        check["credit_code"], _other_character(check["credit_code"], 17, CREDIT_ALPHABET, plot)
    )
    plot.recode(
        digit["credit_code"], _other_character(digit["credit_code"], 12, "0123456789", plot)
    )
    plot.note(check["unit_id"], note="check character wrong")
    plot.note(digit["unit_id"], note="one digit wrong, check left")
    plot.also(digit["unit_id"], "consequence", ("COD003",))


def cod003(plot: Plot) -> None:
    """The organisation's own check wrong, the outer one right."""
    rows = plot.take(_sound(plot.singles()), plot.per_legal)
    body = _other_character(rows["credit_code"], 16, "0123456789X", plot).str.slice(0, 17)
    plot.recode(rows["credit_code"], close_credit_codes(body))
    plot.note(rows["unit_id"], note="organisation check wrong, outer check right")


def cod004(plot: Plot) -> None:
    """A kind of institution that the code's first two characters do not have."""
    pool = plot.singles().filter(pl.col("institution_type").is_in(["40", "55"]))
    rows = plot.take(pool, plot.per_legal)
    other = choose(rows["institution_type"] == "55", "10", "51")
    plot.assign("legal_entity", "institution_type", rows["unit_id"], other)
    note = choose(other == "10", "93 code called an enterprise", "51 code called a private unit")
    plot.note(rows["unit_id"], note=note)


def cod005(plot: Plot) -> None:
    """The code of a self-employed household on a unit's form."""
    rows = plot.take(plot.firms().filter(pl.col("registration_type") == "171"), plot.per_legal)
    body = join_text("92", rows["credit_code"].str.slice(2, 15))
    plot.recode(rows["credit_code"], close_credit_codes(body))
    plot.note(rows["unit_id"])
    plot.also(rows["unit_id"], "consequence", ("COD004",))


def cod006(plot: Plot) -> None:
    """No credit code, and an organisation code that fails its check."""
    pool = plot.unused("legal_entity").filter(
        pl.col("credit_code").is_null() & pl.col("name").is_unique()
    )
    rows = plot.take(pool, min(plot.per_legal, max(2, pool.height // 2)))
    wrong = _other_character(rows["org_code"], 8, "0123456789", plot)
    plot.assign("legal_entity", "org_code", rows["unit_id"], wrong)
    plot.note(rows["unit_id"], note="organisation code fails mod 11")


def cod008(plot: Plot) -> None:
    """A census block that does not exist."""
    for table, pool, k in (
        ("legal_entity", plot.singles(), plot.per_legal),
        ("establishment", plot.visitors(), plot.per_establishment),
        ("self_employed", plot.households(), plot.per_household),
    ):
        rows = plot.take(pool, k)
        plot.assign(table, "block_code", rows["unit_id"], "998")
        plot.note(rows["unit_id"], note="block does not exist")


def cod010(plot: Plot) -> None:
    """An industry class that is not in the standard, or out of the census."""
    unsized = plot.singles().filter(pl.col("size_class").is_null())
    for table, pool, k in (
        ("legal_entity", unsized, plot.per_legal),
        ("establishment", plot.visitors(), plot.per_establishment),
        ("self_employed", plot.households(), plot.per_household),
    ):
        rows = plot.take(pool, k)
        codes = cycle(("9999", "0111", "8888", "0311"), rows.height)
        plot.assign(table, "industry_code", rows["unit_id"], codes)
        plot.note(
            rows["unit_id"],
            note=choose(codes.str.starts_with("0"), "out of scope", "no such class"),
        )
        plot.also(rows["unit_id"], "possible", ("XSP001",))


def cod011(plot: Plot) -> None:
    """A registration type that is not in the list."""
    rows = plot.take(plot.firms(), plot.per_legal)
    plot.assign(
        "legal_entity",
        "registration_type",
        rows["unit_id"],
        cycle(("199", "175", "999"), rows.height),
    )
    plot.note(rows["unit_id"])
    plot.also(rows["unit_id"], "possible", ("COD012",))


PLANTERS = {
    "COD001": cod001, "COD002": cod002, "COD003": cod003, "COD004": cod004, "COD005": cod005,
    "COD006": cod006, "COD008": cod008, "COD010": cod010, "COD011": cod011,
}  # fmt: skip
