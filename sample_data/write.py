"""Writes a delivery as offices send it (files of every format) and, beside it, its truth."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import xlsxwriter

from audit.contracts import CONTRACT
from sample_data.generate import generate
from sample_data.inject import inject
from sample_data.process import salt

XLSX_ROWS = 5_000
CREATED = dt.datetime(2019, 5, 1, tzinfo=dt.UTC).replace(tzinfo=None)
FATAL = {
    "COD": "001 002 006 008 010 011 015",
    "DIR": "005",
    "DUP": "001 002 003 004 012",
    "FRM": "001 002 003 004 005 006 007 008 009 010 011 013 014 015 016 018 019",
    "LNK": "001 002 003 004 006 007 014",
    "PAD": "001 008",
    "PLA": "004",
    "TRL": "001 003",
    "XSP": "001 004 005 006 012",
}
"""Numbers of the rules about units whose errors must be corrected (强制性), by family."""


@dataclass(frozen=True, kw_only=True)
class SampleSummary:
    """What `write_sample` wrote, for the summary table of the command line."""

    folder: Path
    truth: Path
    seed: int
    rows: dict[str, int]
    n_files: int
    n_planted: int
    n_rules: int


@dataclass
class _Delivery:
    """A folder being written, and what went into each file.

    `hidden`: forms and visits whose place (`file#row`) the truth names; `places` are theirs.
    """

    folder: Path
    counties: dict[str, str]
    hidden: list[str] = field(default_factory=list)
    written: list[tuple[str, str, int]] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def save(self, name: str, table: str, content: bytes, rows: int) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.written.append((name, table, rows))

    def locate(self, name: str, keys: pl.Series) -> None:
        """Note where in a file the hidden rows stand."""
        found = keys.to_frame("key").with_row_index("row", offset=1)
        rows = found.filter(pl.col("key").is_in(self.hidden))
        self.places |= {key: f"{name}#{row}" for row, key in rows.iter_rows()}


def _headed(table: str, frame: pl.DataFrame, *, items: bool = False) -> pl.DataFrame:
    """Return the frame with Chinese headers, item numbers in front where asked."""
    names = {
        c.name: f"{c.item} {c.label.zh}" if items and c.item else c.label.zh
        for c in CONTRACT.tables[table].columns
    }
    return frame.rename(names)


def _csv(frame: pl.DataFrame, separator: str = ",") -> str:
    return frame.write_csv(
        separator=separator, datetime_format="%Y-%m-%d %H:%M:%S", date_format="%Y-%m-%d"
    )


def _zipped(text: str) -> bytes:
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _xlsx(frame: pl.DataFrame) -> bytes:
    """Return a workbook of one sheet: codes and dates as text, figures as numbers."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    text = frame.with_columns(
        pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S"),
        pl.col(pl.Date).dt.strftime("%Y-%m-%d"),
    )
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": CREATED})
        sheet = book.add_worksheet("数据")
        sheet.write_row(0, 0, text.columns)
        # A spreadsheet is written cell by cell; only small tables are.
        for number, row in enumerate(text.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def _by_county(frame: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    keyed = frame.with_columns(pl.col(column).str.slice(0, 6).alias("_county"))
    parts = keyed.partition_by("_county", as_dict=True, include_key=False, maintain_order=True)
    return sorted((str(key[0]), part) for key, part in parts.items())


def _write_units(out: _Delivery, tables: dict[str, pl.DataFrame]) -> None:
    legal = tables["legal_entity"]
    small = legal.height <= XLSX_ROWS
    for county, part in _by_county(legal, "region_code"):
        if small:
            name = f"法人单位基本情况/{out.counties.get(county, county)}.xlsx"
            content = _xlsx(_headed("legal_entity", part, items=True))
        else:
            name = f"legal_entity_{county}.csv"
            content = _csv(_headed("legal_entity", part)).encode("utf-8-sig")
        out.save(name, "legal_entity", content, part.height)
        out.locate(name, part["unit_id"])
    for county, part in _by_county(tables["establishment"], "region_code"):
        text = _csv(_headed("establishment", part))
        out.save(f"establishment_{county}.csv", "establishment", text.encode(), part.height)
    households = tables["self_employed"]
    out.save("self_employed.parquet", "self_employed", _parquet(households), households.height)
    lists = tables["establishment_list"]
    text = _csv(_headed("establishment_list", lists))
    out.save(
        "法人单位所属产业活动单位情况.csv",
        "establishment_list",
        text.encode("utf-8-sig"),
        lists.height,
    )


def _write_returns(out: _Delivery, tables: dict[str, pl.DataFrame]) -> None:
    headed = {t: _headed(t, tables[t]) for t in ("finance", "institution_finance", "production")}
    staff = _csv(_headed("employment", tables["employment"], items=True))
    files: dict[str, tuple[str, bytes]] = {
        "employment": ("employment.csv.gz", _zipped(staff)),
        "finance": ("企业财务状况.tsv", _csv(headed["finance"], "\t").encode()),
        "institution_finance": (
            "行政事业及民间非营利组织主要经济指标_全市.csv",
            _csv(headed["institution_finance"]).encode("utf-16"),
        ),
        "production": ("生产经营情况.csv", _csv(headed["production"]).encode("gb18030")),
        "energy": ("energy.parquet", _parquet(tables["energy"])),
        "research": ("research.xlsx", _xlsx(_headed("research", tables["research"]))),
    }
    for table, (name, content) in files.items():
        out.save(name, table, content, tables[table].height)


def _write_registers(out: _Delivery, tables: dict[str, pl.DataFrame]) -> None:
    frame = tables["frame_unit"]
    out.save(
        "frame_unit.csv.gz", "frame_unit", _zipped(_csv(_headed("frame_unit", frame))), frame.height
    )
    parts = tables["register_unit"].partition_by("source", as_dict=True, maintain_order=True)
    for (source,), part in sorted(parts.items()):
        text = _csv(_headed("register_unit", part))
        encoding = "gb18030" if source == "2" else "utf-8"
        out.save(
            f"register_unit/部门{source}.csv", "register_unit", text.encode(encoding), part.height
        )


def _write_rest(out: _Delivery, tables: dict[str, pl.DataFrame]) -> None:
    """Write the visits as Parquet, rechecks as a workbook, and what is left as CSV."""
    visits, rechecks = tables["visit"], tables["recheck"]
    out.save("visit.parquet", "visit", _parquet(visits), visits.height)
    out.locate("visit.parquet", visits["visit_id"])
    done = {table for _, table, _ in out.written}
    if rechecks.height <= XLSX_ROWS:
        content = _xlsx(_headed("recheck", rechecks))
        out.save("事后质量抽查记录.xlsx", "recheck", content, rechecks.height)
        done.add("recheck")
    for table in (t.name for t in CONTRACT.delivered if t.name not in done):
        text = _csv(_headed(table, tables[table]))
        out.save(f"{table}.csv", table, text.encode("utf-8-sig"), tables[table].height)


def truth_folder(folder: Path) -> Path:
    """Return where the truth of a delivery stands: beside it, never inside."""
    return folder.parent / f"{folder.name}_truth"


def _cleared(folder: Path) -> None:
    """Remove a former sample; raise FileExistsError where anything else stands in the folder."""
    listing = truth_folder(folder) / "delivered.csv"
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    own: set[str] = set()
    if listing.is_file():
        own = set(pl.read_csv(listing, infer_schema=False)["file"].to_list())
    if found - own:
        raise FileExistsError(
            f"{folder} holds files that are not of a sample: choose another folder"
        )
    if found:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def write_delivery(tables: dict[str, pl.DataFrame], truth: pl.DataFrame, folder: Path) -> None:
    """Write the delivery into `folder` and the truth into `<folder>_truth` beside it.

    A former sample in the folder is replaced. Raises FileExistsError where other files stand.
    """
    folder = folder.resolve()
    _cleared(folder)
    names = tables["region"].filter(pl.col("level") == "3")
    counties = {c[:6]: n for c, n in names.select("region_code", "name").iter_rows()}
    hidden = truth.filter(pl.col("rule_id").str.starts_with("SEC"))["subject_id"]
    out = _Delivery(folder, counties, hidden.to_list())
    # The list of files comes last: a folder without it is no finished sample.
    _write_units(out, tables)
    _write_returns(out, tables)
    _write_registers(out, tables)
    _write_rest(out, tables)
    _write_truth(tables, truth, out)


def _write_truth(tables: dict[str, pl.DataFrame], truth: pl.DataFrame, out: _Delivery) -> None:
    beside = truth_folder(out.folder)
    beside.mkdir(parents=True, exist_ok=True)
    files = pl.DataFrame(out.written, schema=["file", "table", "rows"], orient="row")
    for name, frame in (
        ("truth", _with_places(truth, out.places)),
        ("clean_ids", clean_ids(tables, truth)),
        ("regions_truth", regions_truth(tables, truth)),
        ("delivered", files),
    ):
        (beside / f"{name}.csv").write_text(frame.write_csv(), encoding="utf-8")


def _with_places(truth: pl.DataFrame, places: dict[str, str]) -> pl.DataFrame:
    """Name the subjects of SEC by file and row: their keys may stand nowhere."""
    placed = pl.col("subject_id").replace(places)
    secret = pl.col("rule_id").str.starts_with("SEC")
    return truth.with_columns(
        pl.when(secret).then(placed).otherwise("subject_id").alias("subject_id")
    )


def _placed(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return unit_id, table and region of all forms."""
    units = ("legal_entity", "establishment", "self_employed")
    return pl.concat([tables[t].select("unit_id", "region_code", table=pl.lit(t)) for t in units])


def clean_ids(tables: dict[str, pl.DataFrame], truth: pl.DataFrame) -> pl.DataFrame:
    """Return units that the truth does not name: a finding there is a false alarm."""
    named = pl.concat([truth["subject_id"], truth["related_id"]]).unique().to_list()
    return _placed(tables).filter(~pl.col("unit_id").is_in(named)).select("unit_id", "table")


def fatal_rules() -> list[str]:
    """Return the ids of the rules about units whose errors must be corrected."""
    return [f"{family}{number}" for family, numbers in FATAL.items() for number in numbers.split()]


def regions_truth(tables: dict[str, pl.DataFrame], truth: pl.DataFrame) -> pl.DataFrame:
    """Return what the scores must say of some townships.

    `must_flag`: at least 8 units and one in ten with a fatal error, households aside;
    `must_not_flag`: at least 40 units and nothing planted.
    """
    planted = truth.filter(pl.col("kind") == "planted")
    fatal = planted.filter(pl.col("rule_id").is_in(fatal_rules()))
    hit = pl.col("unit_id").is_in(fatal["subject_id"].unique().to_list())
    touched = pl.col("unit_id").is_in(planted["subject_id"].unique().to_list())
    firms = _placed(tables).filter(pl.col("table") != "self_employed")
    towns = firms.group_by(pl.col("region_code").str.slice(0, 9)).agg(
        units=pl.len(), damaged=hit.sum(), touched=touched.sum()
    )
    towns = towns.with_columns(share=pl.col("damaged") / pl.col("units")).sort("region_code")
    flagged = towns.filter((pl.col("damaged") >= 8) & (pl.col("share") >= 0.1))
    calm = towns.filter((pl.col("touched") == 0) & (pl.col("units") >= 40))
    parts = [
        (flagged, "must_flag", "many planted errors"),
        (calm, "must_not_flag", "nothing planted"),
    ]
    rows = [
        part.select(
            region_code=pl.col("region_code") + "000", level=pl.lit("township"),
            expect=pl.lit(expect), note=pl.lit(note),
        )
        for part, expect, note in parts
    ]  # fmt: skip
    return pl.concat(rows)


def write_sample(
    out: Path, *, units: int = 2000, seed: int = 2018, error_rate: float = 0.02
) -> SampleSummary:
    """Generate a census, plant errors and write delivery and truth; the same bytes for a seed.

    Raises ValueError for arguments out of range and FileExistsError where other files stand in
    `out`.
    """
    folder = out.resolve()
    _cleared(folder)
    tables, truth = inject(generate(units, seed), seed, error_rate)
    write_delivery(tables, truth, folder)
    beside = truth_folder(folder)
    (beside / "salt.txt").write_text(salt(seed) + "\n", encoding="utf-8")
    planted = truth.filter(pl.col("kind") == "planted")
    return SampleSummary(
        folder=folder,
        truth=beside / "truth.csv",
        seed=seed,
        rows={name: frame.height for name, frame in tables.items()},
        n_files=sum(1 for p in folder.rglob("*") if p.is_file()),
        n_planted=planted.height,
        n_rules=planted["rule_id"].n_unique(),
    )
