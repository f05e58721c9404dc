"""Pairs to decide of `census-audit match`: out in a review workbook, back as decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from audit.errors import InputError
from audit.matching.relations import RELATIONS
from pipelines.decide import REASONS
from pipelines.review_reader import read_review
from pipelines.review_taken import add_linked
from reports.review import PAIR_FIELDS, ReviewInfo, write_review
from reports.review_texts import OPEN, SAME
from reports.workbook_book import WorkbookInfo

FOLDER = "review"
# Not the clock: identical input gives identical bytes.
_CREATED = datetime.fromisoformat("2018-12-31")
_SIDES = {"left": ("左表", "left list"), "right": ("右表", "right list")}


def _words(pairs: pl.DataFrame) -> pl.DataFrame:
    columns = []
    for place, lang in enumerate(("zh", "en")):
        words = {key: labels[place] for key, labels in RELATIONS.items()}
        sides = {key: labels[place] for key, labels in _SIDES.items()}
        columns += [
            pl.col("relation").replace(words).alias(f"relation_{lang}"),
            pl.col("comparison").str.json_path_match(f"$.{lang}").alias(f"comparison_{lang}"),
        ]
        for side in ("left", "right"):
            parts = pl.col(f"{side}_id").str.split_exact("|", 1).struct
            where = parts.field("field_0").replace(sides)
            record = pl.concat_str(
                where, pl.col(f"{side}_id").str.replace(r"^\w+\|", ""), separator="\n"
            )
            columns.append(record.alias(f"{side}_record_{lang}"))
    return pairs.with_columns(columns)


def _taken(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return what each record of a pair is linked to: record_id, other_id, other."""
    linked = pairs.filter(pl.col("decision") == "link")
    ways = (("left", "right"), ("right", "left"))
    return pl.concat(
        linked.select(
            record_id=pl.col(f"{own}_id"),
            other_id=pl.col(f"{other}_id"),
            other=pl.concat_str(
                pl.col(f"{other}_id").str.replace(r"^\w+\|", ""),
                pl.col(f"{other}_name"),
                separator=" ",
                ignore_nulls=True,
            ),
        )
        for own, other in ways
    )


def write_pairs_to_decide(pairs: pl.DataFrame, out: Path, lang: str) -> list[str]:
    """Write the possible links of `pairs` for people to decide; return the files, below `out`."""
    waiting = pairs.filter(pl.col("decision") == "possible_link")
    if waiting.is_empty():
        return []
    phones = [
        pl.concat_str(f"{s}_phone_fixed", f"{s}_phone_mobile", separator=" / ", ignore_nulls=True)
        .replace("", None)
        .alias(f"{s}_phone")
        for s in ("left", "right")
    ]
    rows = _words(waiting).with_columns(
        *phones,
        county_code=pl.col("left_region_code").str.slice(0, 6),
        county=pl.col("left_region_code").str.slice(0, 6),
    )
    info = ReviewInfo(
        book=WorkbookInfo(run_id="match", created=_CREATED, rulebook_digest="", lang=lang),
        place="",
        how="match",
    )
    rows = add_linked(rows, _taken(pairs))
    paths = write_review(rows.select(PAIR_FIELDS).to_arrow(), out / FOLDER, info)
    return [str(path.relative_to(out)) for path in paths]


def answered_pairs(paths: Sequence[Path]) -> pl.DataFrame:
    """Return the decided pairs of answered workbooks: left_id, right_id, same.

    InputError for a file that is no review workbook, or a row whose locked cells were changed.
    """
    rows = [row for path in paths for row in read_review(path).rows]
    if any(not row.intact for row in rows if row.answer not in ("", OPEN)):
        zh, en = REASONS["edited"]
        raise InputError(
            f"填好的工作簿不可用：{zh}。", f"The answered workbook cannot be used: {en}."
        )
    known = [row for row in rows if row.answer not in ("", OPEN, "?")]
    return pl.DataFrame(
        {
            "left_id": [row.left_id for row in known],
            "right_id": [row.right_id for row in known],
            "same": [row.answer == SAME for row in known],
        },
        schema={"left_id": pl.String, "right_id": pl.String, "same": pl.Boolean},
    )
