"""The fixed texts of the reject workbooks, Chinese with English beside or below."""

from __future__ import annotations

from urllib.parse import quote

from audit.model import Label

FOLDER = "rejects"
INDEX_FILE = "目录.xlsx"

OWN_COLUMNS = (
    (Label("退回原因", "Reason"), 13),
    (Label("有误的列", "Faulty columns"), 18),
    (Label("如何更正", "How to correct"), 46),
    (Label("文件", "File"), 24),
    (Label("行号", "Data row"), 8),
)
"""The columns in front of the sender's own, with their widths."""

SHEETS = {
    "guide": Label("说明", "Instructions"),
    "summary": Label("汇总", "Summary"),
    "unread": Label("未读入的文件", "Files not read"),
    "senders": Label("目录", "Index"),
    "files": Label("各文件情况", "Files"),
}
TITLES = {
    "guide": Label("{sender}退回表", "{sender}: refused rows"),
    "summary": Label("{sender}退回情况汇总", "{sender}: refused rows by file and reason"),
    "unread": Label("{sender}未读入的文件", "{sender}: files that could not be read"),
    "senders": Label("退回表目录  批次 {run}", "Reject workbooks, run {run}"),
    "files": Label("各文件送达、装载、退回情况", "Rows delivered, loaded and refused by file"),
    "table": Label(
        "{table}：退回的行。更正红底的单元格，单独另存后重报",
        "refused rows: correct what is red, save this sheet alone, deliver it",
    ),
    "save": Label("更正后另存为：{name}", "save as this"),
    "hidden": Label(
        "；没有错误的列已折叠，点上方的“＋”展开", "; columns without an error are folded, open at +"
    ),
}
HEADS = {
    "topic": (Label("事项", "Topic"), 16),
    "zh": (Label("说明", "In Chinese"), 70),
    "en": (Label("英文说明", "In English"), 70),
    "file": (Label("文件", "File"), 44),
    "table": (Label("表", "Table"), 26),
    "delivered": (Label("送达行数", "Delivered"), 11),
    "loaded": (Label("装载行数", "Loaded"), 11),
    "refused": (Label("退回行数", "Refused"), 11),
    "asked": (Label("待更正行数", "To be corrected"), 12),
    "settled": (Label("已在其他文件更正", "Corrected in another file"), 18),
    "settled_by": (Label("更正所在的文件", "Corrected in"), 36),
    "reason": (Label("退回原因", "Reason"), 20),
    "rows": (Label("本单位待更正行数", "To be corrected, this sender"), 18),
    "numbers": (Label("行号（保密单位只列行号）", "Data rows (confidential only)"), 26),
    "how": (Label("如何更正", "How to correct"), 90),
    "sender": (Label("报送单位", "Sender"), 26),
    "n_files": (Label("文件数", "Files"), 9),
    "unread": (Label("未读入文件", "Files not read"), 11),
    "confidential": (Label("其中保密单位", "Confidential"), 13),
    "book": (Label("退回表", "Reject workbook"), 50),
}

UNIDENTIFIED = Label("未识别", "unidentified")
CUT = Label(
    "有的单元格过长，这里已截短（以…结尾），请以原文件为准。",
    "A cell too long for a spreadsheet is cut here (it ends in …): take it from your own file.",
)
TORN = Label(
    "本行各格依次如下（以｜隔开），请点上方的“＋”展开折叠的列，逐格核对：",
    "The cells of this row in their order, with ｜ between; open the folded columns at + and check "
    "each:",
)
WHOLE_ROW = Label("整行", "the whole row")
SAVE_TOPIC = Label("第二步：另存", "2. Save")
OF_ROWS = (
    (
        Label("第一步：更正", "1. Correct"),
        Label(
            "在各表的工作表中，按“如何更正”一栏更正红底单元格。各列都是文本格式，代码直接录入，前面的0要保留。"
            "数据只能依据调查对象的原始资料更正，不得编造、代填。",
            "On each table's sheet correct the red cells as “How to correct” says. All cells are "
            "text: enter codes with the zeros in front. Correct from the respondent's own records "
            "only; never make up a value.",
        ),
    ),
    (
        Label("主键重复", "Repeated keys"),
        Label(
            "同一主键出现两次的，两处都已退回，“如何更正”写明另一处的文件和行号。请在原文件中只保留正确的一行、删除其余各行，"
            "重报原文件；不要另报一行，否则仍然重复。",
            "Where a key is there twice both rows are refused, and “How to correct” names the "
            "other's file and row. Keep the right one in your own file, delete the others there "
            "and deliver that file again; one more row would be one more repetition.",
        ),
    ),
    (
        SAVE_TOPIC,
        Label(
            "把更正好的工作表另存为单独的 XLSX 文件（右键工作表标签，“移动或复制”到新工作簿），"
            "文件名照下面所列（也写在各表第2行）。每县、每次更正的文件名都不同，不要改动："
            "同名的文件会互相覆盖。同一张表再次修改的，在末尾加“(2)”“(3)”。"
            "黄色表头的五列和上面的标题可以保留，读入时会略过；折叠的列不要删除。",
            "Save the corrected sheet as an XLSX file of its own (right click on its tab, move or "
            "copy to a new workbook), by the name below, which is also in row 2 of each sheet. It "
            "differs by county and by correction: do not change it, files of one name overwrite "
            "each other. The same sheet once more gets (2), (3) at the end. The five columns with "
            "yellow heads and the title may stay: they are passed over. Keep the folded columns.",
        ),
    ),
    (
        Label("第三步：重报", "3. Deliver"),
        Label(
            "把新文件放入送达文件夹，原文件不要删除（主键重复除外，也不要改动）。已更正的行不再退回，"
            "“汇总”写明由哪个文件更正；仍有错误的行下次还会退回。主键本身有误的行，请在原文件中改正。",
            "Put the new file into the delivery and keep the old one, unchanged but for repeated "
            "keys. A corrected row is not asked about again, and the summary names the file that "
            "brought it; rows still wrong are refused again. Where the key itself is wrong, "
            "correct it in the old file.",
        ),
    ),
)
"""How rows are corrected in the workbook: told only where there are such rows."""

GUIDE = (
    (
        Label("为什么退回", "Why"),
        Label(
            "下列各行有错误，无法装载，审核系统没有更改任何数据。其余各行已经装载，不必再报。",
            "These rows have errors and could not be loaded; nothing was changed. All other rows "
            "are loaded and need not be delivered again.",
        ),
    ),
    *OF_ROWS,
    (
        Label("未读入的文件", "Files not read"),
        Label(
            "整个文件无法读入的，列在“未读入的文件”中，请按提示处理后整份重报。",
            "A file that could not be read at all is listed on “Files not read”: deliver it whole.",
        ),
    ),
    (
        Label("保密单位", "Confidential"),
        Label(
            "保密单位的行只列文件和行号，不留内容。请从报送数据中删除，按保密规定另行处理，不要在本表中填写。",
            "Rows of confidential units are counted by file and row only. Take them out of the "
            "delivery and handle them as the secrecy rules say; write nothing about them here.",
        ),
    ),
    (
        Label("保密要求", "Secrecy"),
        Label(
            "本表含普查对象资料，仅限报送单位更正使用，不得外传。",
            "Contains census data: for the sender's corrections only; do not pass on.",
        ),
    ),
)
"""Topic and text of the instruction sheet, line by line."""


def both(label: Label) -> str:
    """Return a text in Chinese with its English on the next line."""
    return label.zh if label.zh == label.en else f"{label.zh}\n{label.en}"


def title(key: str, sender: Label | None = None, **fields: object) -> str:
    """Return the title of a sheet in both languages, on one line."""
    who = sender or Label("", "")
    zh = TITLES[key].zh.format(sender=who.zh, **fields)
    return f"{zh}  {TITLES[key].en.format(sender=who.en, **fields)}"


def link(book: str) -> tuple[str, str]:
    """Return the name of a reject workbook and its address beside the report."""
    return book, f"{FOLDER}/{quote(book)}"
