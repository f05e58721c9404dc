"""Refused rows and files, with messages that say where, why, and what the sender should do."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from audit.contracts import CONTRACT
from audit.derive import POLARS_TYPES
from audit.model import Label
from pipelines.parsing import Fault
from pipelines.readers.encodings import MARKED, show_marks
from pipelines.readers.model import (
    LINE,
    ROW,
    Batch,
    BrokenRow,
    Header,
    RefusedFileError,
    Source,
    position,
)

REJECTED = CONTRACT.outputs["census.rejected_row"]
SCHEMA = {
    column.name: POLARS_TYPES[column.type]
    for column in REJECTED.columns
    if column.name != "superseded_by"
}
"""The columns of a refused row as it is read; what counts instead is known when all are."""
SEPARATOR = "|"
_OTHERS = " Faulty columns of this row: "
OTHERS_SQL = (
    f"CASE WHEN CONTAINS(r.message_en, '{_OTHERS}') "
    f"THEN CONCAT('{_OTHERS}', SPLIT_PART(r.message_en, '{_OTHERS}', 2)) END"
)
"""What `faulty_columns` reads of the message of `census.rejected_row AS r`, without its place."""

TEXTS = {
    ("missing_required", ""): Label(
        "必需项为空，该行无法使用。请补填后重新报送。",
        "a required value is empty, so the row means nothing. Fill it in and deliver it again.",
    ),
    ("bad_code", "exponent"): Label(
        "代码被电子表格改成了科学计数法。请把该列设为文本格式后重新录入代码。",
        "a spreadsheet turned the code into exponent form. Make the column text and enter the "
        "code again.",
    ),
    ("bad_code", "decimal"): Label(
        "代码被当作数值保存，带上了小数点或位数不对。请把该列设为文本格式后重新录入代码。",
        "the code was stored as a number and got a decimal point or lost digits. Make the column "
        "text and enter the code again.",
    ),
    ("bad_code", "short"): Label(
        "代码位数不足，可能丢失了前面的0。请把该列设为文本格式后按规定位数录入。",
        "the code has too few digits; zeros in front may be lost. Make the column text and enter "
        "all digits.",
    ),
    ("bad_number", "integer"): Label(
        "应填整数，不能带单位、汉字或小数。请只填数字。",
        "should be a whole number without unit, words or fraction. Enter digits only.",
    ),
    ("bad_number", "money"): Label(
        "应填数值（千元），不能带单位、汉字或约数。请只填数字。",
        "should be a number of thousand yuan without unit or words. Enter digits only.",
    ),
    ("bad_number", "decimal"): Label(
        "应填数值，不能带单位、汉字或约数。请只填数字。",
        "should be a number without unit or words. Enter digits only.",
    ),
    ("bad_date", "month"): Label(
        "不是有效的年月。请按 YYYYMM 填写，例如 201806。",
        "is not a month. Write it as YYYYMM, for example 201806.",
    ),
    ("bad_date", "date"): Label(
        "不是有效的日期。请按 YYYY-MM-DD 填写，例如 2018-12-31。",
        "is not a date of the calendar. Write it as YYYY-MM-DD, for example 2018-12-31.",
    ),
    ("bad_date", "timestamp"): Label(
        "不是有效的时间。请按 YYYY-MM-DD HH:MM:SS 填写，例如 2019-04-25 09:30:00。",
        "is not a time. Write it as YYYY-MM-DD HH:MM:SS, for example 2019-04-25 09:30:00.",
    ),
    ("bad_cell", ""): Label(
        "单元格是错误值，或公式没有计算结果（以 = 标出）。请在原表中改为数值，保存后重新报送。",
        "the cell holds an error, or a formula whose result was never computed (shown as =). "
        "Replace it by its value, save and deliver it again.",
    ),
    ("bad_bytes", ""): Label(
        "含有无法识别的字节（以 \\x 标出），文字已损坏。请在原系统中核对该单元格，重新导出后报送。",
        "holds bytes that are no text (shown as \\x), so it is damaged. Check the cell at its "
        "source, export and deliver it again.",
    ),
}
_FEW = Label(
    "字段数少于表头（应为{width}个，实为{count}个），该行可能被截断。请核对该行后重新报送。",
    "the row has fewer fields than the header ({count} of {width}) and may be cut short. "
    "Check the row and deliver it again.",
)
_MANY = Label(
    "字段数多于表头（应为{width}个，实为{count}个），单元格中可能有未加引号的分隔符。请核对该行后重新报送。",
    "the row has more fields than the header ({count} for {width}); a cell may hold a separator "
    "without quotes. Check the row and deliver it again.",
)
_QUOTES = Label(
    "引号不配对，无法确定各字段的界限。请核对该行的引号后重新报送。",
    "the quotes do not match, so the fields cannot be told apart. Check the quotes of the row and "
    "deliver it again.",
)
_REDELIVERY = Label(
    "如是整份重报，请沿用原文件名并在末尾加“_v2”（再报加“_v3”），系统以次序最新的一份为准。",
    " A whole file delivered again should keep its name with “_v2” behind it (then “_v3”): the "
    "latest counts.",
)


def empty() -> pl.DataFrame:
    """Return rejected_row without rows."""
    return pl.DataFrame(schema=SCHEMA)


def column_label(table: str, column: str) -> Label:
    """Return how messages name a column; one the contract does not have names itself."""
    known = CONTRACT.tables[table].by_name.get(column)
    if known is None:
        return Label(column, column)
    return Label(known.label.zh, f"{known.label.en} ({column})")


def _place(row: int, line: int, *, chinese: bool) -> str:
    if chinese:
        return f"第{row}条数据（文件第{line}行）"
    return f"Data row {row} (line {line} of the file)"


def faulty_columns(column: str | None, message_en: str | None) -> tuple[str, ...]:
    """Return the columns that a refused row's `column_name` and message name as faulty."""
    _, found, listed = (message_en or "").rpartition(_OTHERS)
    if found:
        return tuple(listed.removesuffix(".").split(", "))
    return tuple(column.split(SEPARATOR)) if column else ()


def faulty_label(table: str, columns: Sequence[str]) -> Label:
    """Return how messages name several columns of one row."""
    names = [column_label(table, name) for name in columns]
    return Label("、".join(n.zh for n in names), ", ".join(n.en for n in names))


def advice(table: str, row: int, line: int, message: Label, column: str | None) -> Label:
    """Return a refused row's message without the place it begins with: what is wrong, what to do.

    `column` is the row's `column_name`, empty where the message names none.
    """
    names = faulty_label(table, column.split(SEPARATOR)) if column else None
    zh = _place(row, line, chinese=True) + (f" {names.zh}：" if names else "：")
    en = _place(row, line, chinese=False) + (f", {names.en}: " if names else ": ")
    return Label(message.zh.removeprefix(zh), message.en.removeprefix(en))


def _shown(texts: pl.Series) -> pl.Series:
    if not texts.str.contains(MARKED).any():
        return texts
    shown = [None if text is None else show_marks(text) for text in texts.to_list()]
    return pl.Series(texts.name, shown, dtype=pl.String)


def delivered_json(cells: pl.DataFrame, labels: Sequence[str]) -> pl.Series:
    """Return each row as JSON, its cells named by `labels`."""
    named = {
        label: _shown(column) for label, column in zip(labels, cells.get_columns(), strict=True)
    }
    return pl.DataFrame(named).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _place_zh(label: str) -> pl.Expr:
    place = pl.format("第{}条数据（文件第{}行）", ROW, LINE)
    return pl.concat_str(place, pl.lit(f" {label}：" if label else "："))


def _place_en(label: str) -> pl.Expr:
    place = pl.format("Data row {} (line {} of the file)", ROW, LINE)
    return pl.concat_str(place, pl.lit(f", {label}: " if label else ": "))


def _others(faults: Sequence[Fault], table: str, *, chinese: bool) -> pl.Series:
    """Name the faulty columns of rows that have more than one."""
    names = []
    for fault in faults:
        label = column_label(table, fault.column)
        text = pl.lit(label.zh if chinese else fault.column)
        names.append(pl.when(fault.rows).then(text))
    counted = [fault.rows.cast(pl.Int32) for fault in faults]
    several = pl.sum_horizontal(*counted) > 1
    opening, closing = ("本行有误的列：", "。") if chinese else (_OTHERS, ".")
    listed = pl.concat_str(*names, separator="、" if chinese else ", ", ignore_nulls=True)
    return pl.select(
        pl.when(several).then(pl.lit(opening) + listed + closing).otherwise(pl.lit(""))
    ).to_series()


def refused_rows(source: Source, batch: Batch, faults: Sequence[Fault]) -> pl.DataFrame:
    """Return one rejected_row for each row of `batch.frame`, all of which have a fault.

    The first fault names the row's column, value and reason; the message names the other columns.
    """
    header, frame = batch.header, batch.frame
    cells = frame.select(position(index) for index in range(len(header.columns)))
    frame = frame.with_columns(
        delivered_json(cells, header.labels).alias("delivered"),
        _others(faults, source.table, chinese=True).alias("others_zh"),
        _others(faults, source.table, chinese=False).alias("others_en"),
    )
    first = pl.coalesce(pl.when(fault.rows).then(i) for i, fault in enumerate(faults))
    frame = frame.with_columns(first.alias("fault"))
    parts = [
        _one_fault(source, header, fault, frame.filter(pl.col("fault") == index))
        for index, fault in enumerate(faults)
    ]
    return pl.concat([empty(), *parts])


def _one_fault(source: Source, header: Header, fault: Fault, rows: pl.DataFrame) -> pl.DataFrame:
    text = TEXTS[fault.reason, fault.kind]
    label = column_label(source.table, fault.column)
    names = header.columns if fault.column in header.columns else header.labels
    value = pl.lit(None, dtype=pl.String)
    if fault.column in names:
        value = pl.col(position(names.index(fault.column)))
    found = rows.select(
        pl.lit(source.file).alias("file"),
        pl.col(ROW).alias("row"),
        pl.col(LINE).alias("line"),
        pl.lit(source.table).alias("table_name"),
        pl.lit(fault.column).alias("column_name"),
        value.alias("value"),
        pl.lit(fault.reason).alias("reason"),
        (_place_zh(label.zh) + text.zh + pl.col("others_zh")).alias("message_zh"),
        (_place_en(label.en) + text.en + pl.col("others_en")).alias("message_en"),
        "delivered",
    )
    shown = _shown(found.get_column("value"))
    return found.with_columns(shown.set(shown == "", None).alias("value"))


def _broken_text(row: BrokenRow, width: int) -> Label:
    if row.quotes:
        return _QUOTES
    text = _MANY if len(row.cells) > width else _FEW
    numbers = {"width": width, "count": len(row.cells)}
    return Label(text.zh.format(**numbers), text.en.format(**numbers))


def broken_rows(source: Source, header: Header, rows: Sequence[BrokenRow]) -> pl.DataFrame:
    """Return rejected_row for rows that are not as long as their header."""
    width = len(header.columns)
    records = []
    for row in rows:
        labels = [*header.labels, *(f"列{n + 1}" for n in range(width, len(row.cells)))]
        # A row cut short still names every column of its header, the lost ones as null.
        cells = dict.fromkeys(labels) | dict(zip(labels, map(show_marks, row.cells), strict=False))
        text = _broken_text(row, width)
        records.append(
            {
                "file": source.file,
                "row": row.row_no,
                "line": row.line_no,
                "table_name": source.table,
                "reason": row.reason,
                "message_zh": f"{_place(row.row_no, row.line_no, chinese=True)}：{text.zh}",
                "message_en": f"{_place(row.row_no, row.line_no, chinese=False)}: {text.en}",
                "delivered": json.dumps(cells, ensure_ascii=False, separators=(",", ":")),
            }
        )
    return pl.DataFrame(records, schema=SCHEMA)


def confidential_rows(source: Source, numbers: Sequence[int]) -> pl.DataFrame:
    """Return rejected_row for rows of confidential units: file and row number, nothing else."""
    records = [{"file": source.file, "row": row, "reason": "confidential"} for row in numbers]
    return pl.DataFrame(records, schema=SCHEMA)


def refused_file(source: Source, error: RefusedFileError) -> pl.DataFrame:
    """Return rejected_row for a whole file."""
    record = {
        "file": source.file,
        "row": 0,
        "line": 0,
        "table_name": source.table or None,
        "column_name": error.column or None,
        "reason": error.reason,
        "message_zh": error.zh,
        "message_en": error.en,
    }
    return pl.DataFrame([record], schema=SCHEMA)


def duplicate_rows(source: Source, labels: dict[str, str], rows: pl.DataFrame) -> pl.DataFrame:
    """Return rejected_row for rows of one file whose key is elsewhere too.

    `rows`: row_no, file_line, the delivered text of every column, and `other_file`, `other_row`,
    `other_line`, `n_alike` of the next row with this key. `labels`: header cell by column.
    """
    key = CONTRACT.tables[source.table].key
    names = faulty_label(source.table, key)
    zh_text = pl.format(
        "与“{}”第{}条数据（文件第{}行）的主键相同（共{}条），无法判断以哪一条为准，均未装载。请只保留正确的一条后重新报送。",
        "other_file", "other_row", "other_line", "n_alike",
    )  # fmt: skip
    en_text = pl.format(
        "the same key is in “{}”, data row {}, line {} ({} rows in all). Which one counts cannot "
        "be told, so none is loaded. Keep the right one and deliver it again.",
        "other_file", "other_row", "other_line", "n_alike",
    )  # fmt: skip
    elsewhere = pl.col("other_file") != source.file
    zh_text += pl.when(elsewhere).then(pl.lit(_REDELIVERY.zh)).otherwise(pl.lit(""))
    en_text += pl.when(elsewhere).then(pl.lit(_REDELIVERY.en)).otherwise(pl.lit(""))
    return rows.select(
        pl.lit(source.file).alias("file"),
        pl.col(ROW).alias("row"),
        pl.col(LINE).alias("line"),
        pl.lit(source.table).alias("table_name"),
        pl.lit(SEPARATOR.join(key)).alias("column_name"),
        pl.concat_str(list(key), separator=SEPARATOR).alias("value"),
        pl.lit("duplicate_key").alias("reason"),
        (_place_zh(names.zh) + zh_text).alias("message_zh"),
        (_place_en(names.en) + en_text).alias("message_en"),
        delivered_json(rows.select(list(labels)), list(labels.values())).alias("delivered"),
    )
