"""`census-audit match`: the matcher by itself, on one list of units or on two."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from audit import __version__
from audit.errors import InputError, UsageError
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.matching.matcher import match_units
from audit.matching.pairs import concatenate
from audit.matching.parsing import parse_units
from audit.matching.records import Decisions, Matched
from audit.matching.registers import Side, match_registers
from audit.matching.settings import MatchSettings
from audit.matching.texts import Texts
from pipelines.match_lists import UnitList, parse_overrides, read_list
from pipelines.match_review import answered_pairs, write_pairs_to_decide

LEFT, RIGHT = "left", "right"
PAIRS = "pairs"
CLUSTERS = "clusters"
SUMMARY = "summary.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOptions:
    """What `census-audit match` was asked; without `right` a list is matched with itself."""

    left: Path
    right: Path | None = None
    out: Path
    columns: tuple[str, ...] = ()
    one_to_one: bool = False
    decided: tuple[Path, ...] = ()
    regions: Path | None = None
    link_at: float = 0.5
    possible_at: float = 0.05
    lang: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSummary:
    """What was read and found. Estimates are None where there are no pairs.

    `n_within_one`: clusters of two lists whose records are all of one of them, so without a pair.
    """

    lists: tuple[UnitList, ...]
    n_links: int
    n_possible: int
    n_clusters: int
    n_within_one: int
    precision: float | None
    recall: float | None
    n_large_blocks: int
    files: tuple[str, ...] = field(default=())


def _check(options: MatchOptions) -> None:
    """Refuse options that do not fit together."""
    if options.one_to_one and options.right is None:
        raise UsageError("--one-to-one 需要两份清单。", "--one-to-one needs two lists.")
    if options.possible_at > options.link_at:
        raise UsageError(
            "--possible-at 不能大于 --link-at。", "--possible-at may not be above --link-at."
        )


def _prepare_out(out: Path) -> None:
    """Make the folder; one that holds anything is refused: it may hold answered workbooks."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        is_empty = not any(out.iterdir())
    except OSError as error:
        raise InputError(
            f"无法写入 {out}：{error.strerror}", f"Cannot write to {out}: {error.strerror}"
        ) from error
    if not is_empty:
        raise InputError(
            f"{out} 不是空文件夹；为免覆盖填好的工作簿，请换一个空文件夹。",
            f"{out} is not empty; name an empty folder, so that no answered workbook is lost.",
        )


def _prefixed(lists: tuple[UnitList, ...]) -> list[pl.DataFrame]:
    """Return the records of each list with ids that no other list has."""
    return [
        one.records.with_columns(record_id=side + "|" + pl.col("record_id"))
        for side, one in zip((LEFT, RIGHT), lists, strict=False)
    ]


def _match(options: MatchOptions, lists: tuple[UnitList, ...]) -> Matched:
    frames = _prefixed(lists)
    places = Gazetteer.from_regions(_regions(options.regions))
    words = Lexicon.learn(pl.concat(frames), gazetteer=places)
    settings = MatchSettings(
        matcher="register@1" if options.one_to_one else "unit@1",
        link_at=options.link_at,
        possible_at=options.possible_at,
    )
    decisions = Decisions(pairs=answered_pairs(options.decided))
    texts = Texts()
    features = [parse_units(one, gazetteer=places, lexicon=words, texts=texts) for one in frames]
    if options.one_to_one:
        left, right = (
            Side(records=one, features=parsed) for one, parsed in zip(frames, features, strict=True)
        )
        return match_registers(left, right, settings=settings, decisions=decisions)
    together = features[0] if len(features) == 1 else concatenate(*features)
    return match_units(pl.concat(frames), together, settings=settings, decisions=decisions)


_REGIONS = {"region_code": pl.String, "name": pl.String}


def _regions(path: Path | None) -> pl.DataFrame:
    """Return the region list of `--regions`: CSV in UTF-8 with columns region_code and name.

    InputError for what is no such file. Without one only provinces and cities are known.
    """
    if path is None:
        return pl.DataFrame(schema=_REGIONS)
    try:
        return pl.read_csv(path, infer_schema=False).select(list(_REGIONS))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{path} 不是区划表：须为 UTF-8 的 CSV，含 region_code、name 两列。",
            f"{path} is no region list: a CSV in UTF-8 with columns region_code and name.",
        ) from error


def _across(links: pl.DataFrame, n_lists: int) -> pl.DataFrame:
    """Keep the pairs that are asked for: between two lists where there are two."""
    links = links.filter(pl.col("decision") != "non_link")
    if n_lists == 1:
        return links
    sides = [pl.col(f"{side}_id").str.starts_with(f"{LEFT}|") for side in (LEFT, RIGHT)]
    return links.filter(sides[0] != sides[1])


def _with_values(links: pl.DataFrame, lists: tuple[UnitList, ...]) -> pl.DataFrame:
    """Add the values of both records, in the order of decision and probability."""
    known = pl.concat(_prefixed(lists)).select(
        "record_id", "name", "credit_code", "owner", "phone_fixed", "phone_mobile", "address",
        "region_code",
    )  # fmt: skip
    for side in (LEFT, RIGHT):
        values = known.rename({name: f"{side}_{name}" for name in known.columns})
        links = links.join(values, left_on=f"{side}_id", right_on=f"{side}_record_id", how="left")
    links = links.with_columns(comparison_zh=pl.col("comparison").str.json_path_match("$.zh"))
    order = pl.col("decision").replace_strict({"link": 0, "possible_link": 1}, default=2)
    return links.sort(
        order, "probability", "left_id", "right_id", descending=[False, True, False, False]
    )


def _plain_ids(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).str.replace(r"^(left|right)\|", "") for name in names)


def _write(frame: pl.DataFrame, out: Path, name: str) -> list[str]:
    frame.write_csv(out / f"{name}.csv", include_bom=True)
    frame.write_parquet(out / f"{name}.parquet")
    return [f"{name}.csv", f"{name}.parquet"]


_SHOWN = (
    "left_id", "right_id", "decision", "probability", "weight", "relation", "comparison_zh",
    "comparison",
    *(
        f"{side}_{name}"
        for name in ("name", "credit_code", "owner", "phone_fixed", "phone_mobile", "address",
                     "region_code")
        for side in (LEFT, RIGHT)
    ),
)  # fmt: skip


def _clusters(found: Matched) -> pl.DataFrame:
    rows = found.clusters.with_columns(
        list=pl.col("record_id").str.extract(r"^(left|right)\|", 1)
    ).select("cluster_id", "list", "record_id")
    # A cluster is named by one of its members, whose id may stand in both lists.
    names = rows["cluster_id"].unique().sort()
    numbers = {name: str(number) for number, name in enumerate(names.to_list(), 1)}
    rows = rows.with_columns(pl.col("cluster_id").replace_strict(numbers, return_dtype=pl.String))
    return _plain_ids(rows, ["record_id"])


def _within_one(found: Matched, n_lists: int) -> int:
    """Return how many clusters hold records of one of two lists alone."""
    if n_lists == 1:
        return 0
    sides = pl.col("record_id").str.starts_with(f"{LEFT}|")
    alone = found.clusters.group_by("cluster_id").agg(n=sides.n_unique()).filter(pl.col("n") == 1)
    return alone.height


def _quality(found: Matched, metric: str) -> float | None:
    values = found.quality.filter(pl.col("metric") == metric)["value"]
    return float(values[0]) if len(values) and values[0] is not None else None


def match(options: MatchOptions) -> MatchSummary:
    """Match one list with itself or two lists; write pairs, clusters, review workbook, summary.

    Errors: InputError for lists that cannot be read or a folder that is not empty, UsageError for
    options that do not fit.
    """
    _check(options)
    wanted = parse_overrides(options.columns)
    _prepare_out(options.out)
    paths = [options.left, *([options.right] if options.right else [])]
    tables = ("legal_entity", "register_unit" if options.one_to_one else "legal_entity")
    lists = tuple(read_list(p, wanted, t) for p, t in zip(paths, tables, strict=False))
    found = _match(options, lists)
    pairs = _with_values(_across(found.links, len(lists)), lists)
    files = _write(_plain_ids(pairs.select(_SHOWN), ["left_id", "right_id"]), options.out, PAIRS)
    if not options.one_to_one:
        files += _write(_clusters(found), options.out, CLUSTERS)
    files += write_pairs_to_decide(pairs, options.out, options.lang)
    summary = MatchSummary(
        lists=lists,
        n_links=pairs.filter(pl.col("decision") == "link").height,
        n_possible=pairs.filter(pl.col("decision") == "possible_link").height,
        n_clusters=found.clusters["cluster_id"].n_unique(),
        n_within_one=_within_one(found, len(lists)),
        precision=_quality(found, "estimated_precision") if pairs.height else None,
        recall=_quality(found, "estimated_recall") if pairs.height else None,
        n_large_blocks=found.large_blocks.height,
        files=(*files, SUMMARY),
    )
    text = "\n".join(summary_lines(summary)) + "\n"
    (options.out / SUMMARY).write_text(text, encoding="utf-8")
    return summary


def _list_lines(one: UnitList) -> list[str]:
    # Of a column of ids that are not unique nothing is used.
    known = {k: label for k, label in one.columns.items() if k != "id" or not one.by_row}
    columns = ", ".join(f"{name}={label}" for name, label in known.items())
    lines = [
        f"{one.file}: {one.records.height} 行 rows; 认出的列 recognised: {columns}",
        f"  名称为空 without a name: {one.records['name'].null_count()}; "
        f"无代码 without a credit code: {one.records['credit_code'].null_count()}",
    ]
    if one.unused:
        lines.append(f"  未用的列 columns not used: {', '.join(one.unused)}")
    lines += [
        f"  {zh} {en}: {count}"
        for zh, en, count in (
            ("空行，未用", "blank rows, not used", one.n_blank),
            ("列数不对，未用", "rows with too many or too few fields, not used", one.n_broken),
            ("含无法读取的字符，未用", "rows that cannot be read, not used", one.n_unreadable),
            ("名称和代码都为空，无从比较", "rows with neither name nor code", one.n_mute),
        )
        if count
    ]
    if one.n_damaged:
        lines.append(
            f"  {one.n_damaged} 个代码已被电子表格改成数字，按空处理 codes that a spreadsheet "
            "turned into numbers are taken as empty"
        )
    if one.by_row:
        why = "（“{0}”列有空值或重复） (the column {0} has empty or repeated values)"
        told = why.format(one.columns["id"]) if "id" in one.columns else ""
        lines.append(f"  以行号为标识 rows are named by their number{told}")
    return lines


def summary_lines(summary: MatchSummary) -> list[str]:
    """Return the summary in lines, Chinese and English; no value of a unit is in it."""
    lines = [f"census-audit {__version__} match"]
    for one in summary.lists:
        lines += _list_lines(one)
    lines.append(
        f"同一单位 the same unit: {summary.n_links} 对 pairs, {summary.n_clusters} 组 clusters; "
        f"待人工判定 to decide: {summary.n_possible}"
    )
    if summary.n_within_one:
        lines.append(
            f"  其中 {summary.n_within_one} 组的记录都在同一份清单内，只列在 clusters 中，不成对 "
            "of these, groups within one list: only in clusters, without a pair"
        )
    for word, value in (
        ("估计查准率 estimated precision", summary.precision),
        ("估计查全率 estimated recall", summary.recall),
    ):
        lines.append(f"{word}: {'—' if value is None else f'{value:.3f}'}")
    if summary.n_large_blocks:
        lines.append(f"过大的分块 large blocks: {summary.n_large_blocks}")
    if all(one.records["credit_code"].null_count() == one.records.height for one in summary.lists):
        lines.append(
            "没有任何代码：权重为随程序附带的，估计仅供参考 no code at all: the weights are the "
            "shipped ones, and the estimates are rough"
        )
    return lines
