"""Great Expectations' Data Docs in the office's words: Chinese, and a remark is no failure.

Great Expectations knows two outcomes and speaks English.
Ours are 通过, 有备注, 隔离, 无法判定 and 未能检查.
"""

from __future__ import annotations

import re

from audit.gate import QUARANTINE, REMARK, UNKNOWN

STATED = {
    UNKNOWN: "应可判定 should be known",
    REMARK: "超出则备注 else a remark",
    QUARANTINE: "超出则隔离 else quarantine",
}
"""How the text of an expectation says what failing it means."""

SPARED = "行数太少或不属于任何县的不隔离 not where rows are few or in no county"
"""Added to what quarantines for a rate, which the verdict then does not follow."""

_PASSED = ("check-circle text-success", "通过")
_CRASHED = ("exclamation-triangle text-muted", "未能检查")
_MISSED = {
    UNKNOWN: ("exclamation-triangle text-warning", "无法判定"),
    REMARK: ("exclamation-triangle text-warning", "有备注"),
    QUARANTINE: ("times text-danger", "隔离"),
}
# fmt: off
_TEXTS = {
    "Home": "首页",
    "Expectation Validation Result": "检查结果",
    "Evaluates whether a batch of data matches expectations.":
    "各文件、各县的统计数是否在界限之内。",
    "Expectation Suite": "检查项与界限",
    "A collection of Expectations defined for batches of data.":
    "对每个文件在每个县的统计数所作的检查。",
    "Actions": "操作",
    "Validation Filter:": "显示：",
    "Show All": "全部",
    "Failed Only": "只看未通过的",
    "Table of Contents": "目录",
    "Overview": "概况",
    "Expectation Suite:": "检查项：",
    "Expectation Suite Name": "检查项名称",
    "Status:": "结论：",
    "Status": "结果",
    "Expectation": "检查项与界限",
    "Observed Value": "测得情况",
    "Statistics": "统计",
    "Evaluated Expectations": "检查项数",
    "Successful Expectations": "全部文件通过的",
    "Unsuccessful Expectations": "有备注、隔离或无法判定的",
    "Success Percent": "全部文件通过的占比",
    "Show more info...": "更多信息",
    "Info": "信息",
    "Great Expectations Version": "Great Expectations 版本",
    "Run Name": "批次名称",
    "Run Time": "检查时间",
    "Batch Markers": "数据标记",
    "Batch Parameters": "数据参数",
    "Batch Spec": "数据来源",
    "ge_load_time": "装载时间",
    "pandas_data_fingerprint": "数据摘要",
    "dataframe": "数据框",
    "batch_data": "数据",
    "Notes": "说明",
    "Notes:": "依据：",
    "__none__": "—",
    "None": "—",
}
# fmt: on
_NODE = re.compile(r">(\s*)([^<>]*[A-Za-z][^<>]*?)(\s*)<")
_PATTERNS = (
    (re.compile(r"^Validations / "), "检查结果 / "),
    (re.compile(r"^Expectations / "), "检查项 / "),
    (re.compile(r"__none__"), "—"),
    (re.compile(r"^Data asset: .*$"), "对象：各文件在各县的统计数"),
    (
        re.compile(r"^(\d+) unexpected values? found\. (\S+) of (\d+) total rows\.$"),
        r"\1 处未达到，占可判定的 \2（共 \3 处；一处为一个文件在一个县）",
    ),
    (re.compile(r"^0% unexpected$"), "全部达到"),
    (re.compile(r"^(\S+%) unexpected$"), r"\1 未达到"),
    (
        re.compile(
            r"^This Expectation suite currently contains (\d+) total Expectations across "
            r"(\d+) columns\.$"
        ),
        r"共 \1 项检查，涉及 \2 个统计数。",
    ),
)
_RESULT = re.compile(r"<tr\b(?:(?!</tr>).)*?<i class=\"fas fa-(?:(?!</tr>).)*</tr>", re.DOTALL)
_ICON = re.compile(r'<i class="fas fa-[^"]*"([^>]*)></i>')
_OVERALL = re.compile(r'<i class="fas fa-[^"]*"[^>]*></i>\s*(?:Failed|Succeeded|Success)\b')
_EXCEPTION = re.compile(
    r"<strong\b[^>]*>(?:(?!</strong>).)*raised an exception:.*?(?=</td>)", re.DOTALL
)
_NO_FAULT = "<br><br>未能检查：Great Expectations 内部出错，不是数据的错误；以自带的判定为准</div>"


def _shown(look: tuple[str, str], rest: str = "") -> str:
    return f'<i class="fas fa-{look[0]}"{rest}></i> {look[1]}'


def _result(row: str) -> str:
    """Return what a row's expectation came to, as a key of the looks; "" for passed."""
    if "raised an exception:" in row:
        return "crashed"
    if "fa-check-circle" in row:
        return ""
    return next((result for result, text in STATED.items() if text in row), QUARANTINE)


def _told(row: str) -> str:
    looks = {"": _PASSED, "crashed": _CRASHED, **_MISSED}
    result = _result(row)
    row = _EXCEPTION.sub(_NO_FAULT, row)
    row = _ICON.sub(lambda icon: _shown(looks[result], icon[1]), row, count=1)
    if result in (REMARK, UNKNOWN):
        row = row.replace('<strong class="text-danger"', '<strong class="text-warning"')
    return row


def _overall(page: str) -> tuple[str, str]:
    """Return the look of the worst result of a page."""
    results = {_result(row[0]) for row in _RESULT.finditer(page)}
    if QUARANTINE in results:
        return ("times text-danger", "有隔离")
    if results & {REMARK, UNKNOWN}:
        return ("exclamation-triangle text-warning", "有备注")
    return _CRASHED if "crashed" in results else _PASSED


def _word(node: re.Match[str]) -> str:
    text = node[2]
    if text in _TEXTS:
        return f">{node[1]}{_TEXTS[text]}{node[3]}<"
    for pattern, words in _PATTERNS:
        text = pattern.sub(words, text)
    return f">{node[1]}{text}{node[3]}<"


def in_our_words(page: str) -> str:
    """Return a page of the Data Docs with our words for its results and labels."""
    page = _OVERALL.sub(_shown(_overall(page)), page)
    page = _RESULT.sub(lambda row: _told(row[0]), page)
    return _NODE.sub(_word, page)
