"""The two deliveries that this project did not make, from folder to findings."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from conftest import SHARED
from deliveries import Night, missed, read_truth, run, unexplained

NEEDED = pytest.mark.skipif(
    not (SHARED / "deliveries").is_dir(), reason="../shared is not here: its deliveries are checked"
)
pytestmark = NEEDED
CONFIDENTIAL = {
    "small": ("法人单位基本情况/衡南县.xlsx", 36, "914304006242094275"),
    "messy": ("法人单位基本情况/衡阳县.csv", 5, "91430400123139387B"),
}


def _texts(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).fill_null("")


@pytest.fixture(scope="module", params=["small", "messy"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def truth_dir(name: str) -> Path:
    return SHARED / "deliveries" / f"{name}_truth"


@pytest.fixture(scope="module")
def night(name: str, truth_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    out = tmp_path_factory.mktemp(name)
    return run(SHARED / "deliveries" / name, out, truth_dir / "salt.txt")


def test_every_planted_error_is_found(night: Night, truth_dir: Path) -> None:
    # The contract names a confidential row by its place, not by the digest that this truth gives.
    truth = read_truth(truth_dir).filter(pl.col("rule_id") != "SEC002")

    assert missed(night, truth) == []


def test_the_confidential_row_is_found_by_its_place(night: Night) -> None:
    counted = night.table("SELECT file, row FROM census.rejected_row WHERE reason = 'confidential'")
    files = dict(night.table("SELECT file, rows_delivered FROM census.delivered_file").rows())

    found = night.table("SELECT subject_id FROM audit.finding WHERE rule_id = 'SEC002'")

    (subject,) = found["subject_id"]
    file, _, row = subject.rpartition("#")
    assert [(file, int(row))] == counted.rows()
    assert 1 <= int(row) <= files[file]


def test_clean_units_have_no_unexplained_finding(night: Night, truth_dir: Path) -> None:
    clean = pl.read_csv(truth_dir / "clean_ids.csv", infer_schema=False)["unit_id"]

    extra = unexplained(night, read_truth(truth_dir))

    assert extra.filter(pl.col("subject_id").is_in(clean.to_list())).rows() == []


def test_no_rule_crashed(night: Night) -> None:
    assert night.summary.check.errors == ()


def test_rows_delivered_are_those_of_the_truth_and_loaded_or_refused(
    night: Night, truth_dir: Path
) -> None:
    delivered = pl.read_csv(truth_dir / "delivered.csv").select("file", "table", "rows")
    files = night.table(
        'SELECT file, table_name AS "table", rows_delivered AS rows, '
        "rows_loaded + rows_refused AS kept, file IN (SELECT file FROM census.rejected_row "
        "WHERE row = 0) AS refused FROM census.delivered_file"
    )
    read = files.filter(~pl.col("refused"))

    assert sorted(delivered.rows()) == sorted(read.select("file", "table", "rows").rows())
    assert files.filter(pl.col("rows") != pl.col("kept")).rows() == []


def test_just_the_rows_of_the_truth_are_refused(night: Night, truth_dir: Path) -> None:
    fields = ("file", "row", "line", "table", "reason", "column", "value")
    rows = _texts(truth_dir / "rejects_truth.csv").filter(
        ~pl.col("reason").is_in(["confidential", "unknown_column"])
    )
    refused = night.table(
        "SELECT file, row, line, table_name, reason, column_name, "
        # The truth cannot write bytes that are no text.
        "CASE reason WHEN 'bad_bytes' THEN '' ELSE value END AS value FROM census.rejected_row "
        "WHERE reason <> 'confidential'"
    )
    told = refused.select(pl.all().cast(pl.String).fill_null(""))

    assert sorted(rows.select(fields).rows()) == sorted(told.rows())


def test_every_refusal_says_why_in_both_languages(night: Night) -> None:
    silent = night.table(
        "SELECT file, row FROM census.rejected_row WHERE reason <> 'confidential' "
        "AND (message_zh IS NULL OR message_en IS NULL OR (row > 0 AND delivered IS NULL))"
    )

    assert silent.rows() == []


def test_unknown_columns_are_reported(night: Night, truth_dir: Path) -> None:
    rows = _texts(truth_dir / "rejects_truth.csv").filter(reason="unknown_column")

    assert {file: (name,) for file, name in rows.select("file", "column").rows()} == (
        night.summary.intake.unknown_columns
    )


def test_delivered_text_is_kept_for_each_loaded_row(night: Night) -> None:
    for table in night.summary.intake.rows_by_table:
        missing = night.table(
            f"SELECT file_no, row_no FROM census.{table} "
            f"EXCEPT SELECT file_no, row_no FROM raw.{table}"
        )
        assert missing.rows() == [], table


def test_the_confidential_unit_is_counted_and_nowhere_else(night: Night, name: str) -> None:
    file, row, code = CONFIDENTIAL[name]

    counted = night.table("SELECT * FROM census.rejected_row WHERE reason = 'confidential'")
    kept = counted.drop("file", "row", "reason").row(0)

    assert counted.select("file", "row", "reason").rows() == [(file, row, "confidential")]
    assert night.summary.intake.rows_confidential == 1
    assert all(value is None for value in kept)
    for path in night.out.rglob("*"):
        assert not path.is_file() or code.encode() not in path.read_bytes()


def test_regions_are_flagged_for_what_is_there(night: Night, truth_dir: Path) -> None:
    expected = pl.read_csv(truth_dir / "regions_truth.csv", infer_schema=False)
    scores = night.table("SELECT region_code, region_level, flagged, rank FROM region_score")

    for region in expected.to_dicts():
        score = scores.filter(region_code=region["region_code"]).to_dicts()[0]
        level = scores.filter(region_level=score["region_level"])
        if region["expect"] == "must_not_flag":
            assert not score["flagged"]
        if region["expect"] == "must_flag":
            assert score["flagged"]
        if region["expect"] == "must_not_rank_first":
            assert score["rank"] > level["rank"].min()


def test_register_records_are_joined_to_their_forms(night: Night, truth_dir: Path) -> None:
    truth = pl.read_csv(truth_dir / "register_truth.csv", infer_schema=False)
    links = night.table(
        "SELECT split_part(right_id, '|', 2) AS register_id, left_id AS unit_id, "
        "right_id AS record_id FROM linkage.link "
        "WHERE decision = 'link' AND right_table = 'register_unit'"
    )

    right = links.join(truth, on=["register_id", "unit_id"], how="semi")
    known = links.join(truth, on="register_id", how="semi")

    assert right.height / truth.height >= 0.97
    assert right.height / known.height >= 0.98
    assert links["record_id"].is_unique().all()


def test_damaged_duplicates_and_forms_are_linked_or_asked(night: Night, truth_dir: Path) -> None:
    pairs = pl.read_csv(truth_dir / "pairs_truth.csv", infer_schema=False)
    links = night.table(
        "SELECT left_id, split_part(right_id, '|', -1) AS right_id, decision FROM linkage.link "
        "WHERE decision <> 'non_link'"
    )
    turned = links.select(left_id="right_id", right_id="left_id", decision="decision")
    found = pairs.join(
        pl.concat([links, turned]), on=["left_id", "right_id"], how="left", maintain_order="left"
    )

    # A household has a code of its own by right: DUP010 finds such pairs by name and building.
    owed = found.filter(pl.col("kind") != "unit_vs_self")

    assert owed.filter(pl.col("decision").is_null()).rows() == []
    assert owed.filter(pl.col("decision") == "link").height / max(owed.height, 1) >= 0.9


def test_forms_that_only_linkage_joins_are_not_reported_as_missing(
    night: Night, truth_dir: Path
) -> None:
    joined = read_truth(truth_dir).filter(pl.col("kind") == "link")["subject_id"].to_list()
    missing = night.table("SELECT subject_id, related_id FROM finding WHERE rule_id = 'REG001'")
    forms = night.table("SELECT unit_id, frame_id FROM census.unit")

    lines = forms.filter(pl.col("unit_id").is_in(joined))["frame_id"].to_list()

    assert missing.filter(pl.col("subject_id").is_in(lines)).rows() == []
