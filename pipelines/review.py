"""The night's review queue: possible links with both records in words, for the review workbooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa

from audit.contracts import CONTRACT
from audit.matching.relations import RELATIONS
from audit.quoting import quoted
from pipelines.context import RunContext
from pipelines.report_data import vintage
from pipelines.review_taken import add_linked
from reports.review import PAIR_FIELDS, ReviewInfo, write_review
from reports.workbook_book import WorkbookInfo

FOLDER = "review"

_TABLES = {
    "legal_entity": ("unit_id", "legal_rep", "concat_ws(' / ', phone_fixed, phone_mobile)"),
    "establishment": (
        "unit_id", "person_in_charge", "concat_ws(' / ', phone_fixed, phone_mobile)"
    ),
    "self_employed": ("unit_id", "operator", "phone"),
    "register_unit": ("record_id", "legal_rep", "phone"),
    "frame_unit": ("frame_id", "legal_rep", "phone"),
}  # fmt: skip
"""Where each table has its key, the owner and the telephone."""
_INFLUENCE = {"register_unit": "sales_kyuan", "frame_unit": "CAST(NULL AS DOUBLE)"}
"""What a mistake would cost, in thousand yuan; revenue where nothing is said."""


def _details() -> str:
    """Return the SELECT of what people compare, of the records that wait, under one set of names.

    Each table gives its own records alone: to put texts together for all units takes longer.
    """
    return " UNION ALL BY NAME ".join(
        f"SELECT {key} AS record_id, '{table}' AS table_name, name, credit_code, "
        f"{owner} AS owner, {phone} AS phone, address, region_code, "
        f"{_INFLUENCE.get(table, 'revenue_kyuan')} AS influence FROM census.{table} "
        f"WHERE {key} IN (SELECT record_id FROM wanted WHERE table_name = '{table}')"
        for table, (key, owner, phone) in _TABLES.items()
    )


# Probabilities that differ by less than this are alike, and influence decides.
_BAND = 0.05


def _sides(in_use: str) -> str:
    columns = ", ".join(
        f"{side[0]}.{name} AS {side}_{name}"
        for side in ("left", "right")
        for name in ("name", "credit_code", "owner", "phone", "address")
    )
    return f"""
WITH waiting AS (
  SELECT * FROM linkage.link WHERE decision = 'possible_link' AND matcher NOT LIKE 'mention%'
), wanted AS (
  SELECT left_table AS table_name, left_id AS record_id FROM waiting
  UNION SELECT right_table, right_id FROM waiting
),
detail AS ({_details()}),
place AS (
  SELECT region_code, MIN(name) AS name FROM census.region WHERE vintage = {quoted(in_use)}
  GROUP BY region_code
)
SELECT w.left_id, w.right_id, w.left_table, w.right_table, w.probability, w.relation,
  w.comparison, left(l.region_code, 6) AS county_code, c.name AS county, {columns}
FROM waiting AS w
JOIN detail AS l ON l.table_name = w.left_table AND l.record_id = w.left_id
JOIN detail AS r ON r.table_name = w.right_table AND r.record_id = w.right_id
LEFT JOIN place AS c ON c.region_code = left(l.region_code, 6) || '000000'
ORDER BY floor(w.probability / {_BAND}) DESC,
  greatest(COALESCE(l.influence, 0), COALESCE(r.influence, 0)) DESC, w.left_id, w.right_id
"""


# Units alone: a record of a register or the frame is no other unit.
_TAKEN = """
WITH waiting AS (
  SELECT left_id, right_id FROM linkage.link
  WHERE decision = 'possible_link' AND matcher NOT LIKE 'mention%'
), wanted AS (SELECT left_id AS record_id FROM waiting UNION SELECT right_id FROM waiting),
linked AS (
  SELECT left_id AS record_id, right_id AS other_id, right_table AS other_table FROM linkage.link
  WHERE decision = 'link' AND matcher NOT LIKE 'mention%'
  UNION ALL
  SELECT right_id, left_id, left_table FROM linkage.link
  WHERE decision = 'link' AND matcher NOT LIKE 'mention%'
)
SELECT l.record_id, l.other_id, concat_ws(' ', l.other_id, MIN(u.name)) AS other
FROM linked AS l SEMI JOIN wanted AS w ON w.record_id = l.record_id
LEFT JOIN census.unit AS u ON u.unit_id = l.other_id
WHERE l.other_table IN ('legal_entity', 'establishment', 'self_employed')
GROUP BY l.record_id, l.other_id
"""


def table_words(lang: str) -> dict[str, str]:
    """Return the titles of the tables that a pair's records are from."""
    titles = {name: CONTRACT.tables[name].title for name in _TABLES}
    return {name: t.zh if lang == "zh" else t.en for name, t in titles.items()}


def in_words(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add the words of relation, comparison and table, in both languages."""
    columns = []
    for place, lang in enumerate(("zh", "en")):
        words = {key: labels[place] for key, labels in RELATIONS.items()}
        columns += [
            pl.col("relation").replace(words).alias(f"relation_{lang}"),
            pl.col("comparison").str.json_path_match(f"$.{lang}").alias(f"comparison_{lang}"),
            *(
                pl.concat_str(
                    pl.col(f"{side}_table").replace(table_words(lang)),
                    pl.col(f"{side}_id"),
                    separator="\n",
                ).alias(f"{side}_record_{lang}")
                for side in ("left", "right")
            ),
        ]
    return pairs.with_columns(columns)


def waiting_pairs(ctx: RunContext) -> pa.Table:
    """Return the possible links of tonight in queue order, columns PAIR_FIELDS."""
    pairs = pl.DataFrame(pl.from_arrow(ctx.engine.fetch(_sides(vintage(ctx)))))
    taken = pl.DataFrame(pl.from_arrow(ctx.engine.fetch(_TAKEN)))
    return add_linked(in_words(pairs), taken).select(PAIR_FIELDS).to_arrow()


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The pairs that wait for a decision, columns PAIR_FIELDS, and where their workbooks go."""

    pairs: pa.Table
    folder: Path
    info: ReviewInfo

    def write(self) -> list[Path]:
        """Write the review workbooks and return their paths."""
        return write_review(self.pairs, self.folder, self.info)


def queue(ctx: RunContext, lang: str = "zh") -> Queue:
    """Return what the night's review workbooks, in `review/`, are to show."""
    book = WorkbookInfo(
        run_id=ctx.info.run_id,
        created=datetime.fromisoformat(ctx.config.reference_date),
        rulebook_digest=ctx.info.rulebook_digest,
        lang=lang,
    )
    city = ctx.engine.rows(
        f"SELECT MIN(name) FROM census.region WHERE region_code = {quoted(ctx.config.city)}"
    )
    place = str(city[0][0] or ctx.config.city)
    info = ReviewInfo(book=book, place=place)
    return Queue(pairs=waiting_pairs(ctx), folder=ctx.run_dir / FOLDER, info=info)
