"""Planted rows of confidential units: family SEC. None of them may ever be loaded."""

from __future__ import annotations

import hashlib

import polars as pl

from sample_data.draws import join_text
from sample_data.plot import Plot, cycle
from sample_data.process import salt


def _digests(plot: Plot, texts: list[str], kind: str) -> pl.DataFrame:
    made = [hashlib.sha256(f"{salt(plot.seed)}{text}".encode()).hexdigest() for text in texts]
    return pl.DataFrame({"digest": made, "kind": [kind] * len(made)})


def _strangers(plot: Plot, k: int, beginning: str) -> pl.DataFrame:
    """Return forms like those of other firms, with ids, codes and names of their own."""
    like = plot.firms().head(k)
    codes = plot.fresh_codes("91", like["region_code"].str.slice(0, 6))
    serial = cycle([str(n) for n in range(1, k + 1)], like.height)
    return like.with_columns(
        unit_id=plot.next_ids("legal_entity", "L", like.height),
        frame_id=pl.lit(None, dtype=pl.String),
        credit_code=codes,
        name=join_text(beginning, serial),
    )


def _enter(plot: Plot, beginning: str) -> pl.DataFrame:
    """Add two confidential forms: one that the list knows by its code, one by its name."""
    rows = _strangers(plot, 2, beginning)
    plot.append("legal_entity", rows)
    plot.used.update(rows["unit_id"])
    plot.append("confidential_digest", _digests(plot, rows["credit_code"].to_list()[:1], "1"))
    # Names without brackets and blanks are their own normalised form.
    plot.append("confidential_digest", _digests(plot, rows["name"].to_list()[1:], "2"))
    return rows


def sec001(plot: Plot) -> None:
    """A visit with position and photographs to each of two confidential units."""
    rows = _enter(plot, "样本保密现场")
    visits = plot["visit"].head(rows.height)
    made = visits.with_columns(unit_id=rows["unit_id"], visit_id=join_text("V", rows["unit_id"]))
    plot.append("visit", made)
    plot.note(made["visit_id"], note="visit of a confidential unit")
    plot.note(made["visit_id"], rule="SEC002", kind="consequence")
    plot.note(rows["unit_id"], rule="SEC002", kind="consequence")


def sec002(plot: Plot) -> None:
    """Two forms of confidential units among the legal entities."""
    rows = _enter(plot, "样本保密单位")
    plot.note(rows["unit_id"], note="form of a confidential unit; must not be loaded")


PLANTERS = {"SEC001": sec001, "SEC002": sec002}
