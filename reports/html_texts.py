"""The words of the report for codes that have no name in the contract, and texts made safe."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from audit.model import Label
from audit.reference import load_families

_CLIP = 60
_NO_TEXT = ("Cc", "Cf", "Co", "Cs")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an outcome is shown: a name, one character for the matrix, a class for its colour."""

    css: str
    name: Label
    letter: Label
    note: Label


VERDICTS = {
    "HELD": Verdict(
        "v-held",
        Label("隔离待核", "held back"),
        Label("隔", "Q"),
        Label(
            "所用的表未过数据门禁：差错保留，但不作结论",
            "a table it reads did not pass the gate: findings are kept, nothing is concluded",
        ),
    ),
    "ERROR": Verdict(
        "v-error",
        Label("规则出错", "rule crashed"),
        Label("错", "E"),
        Label("规则未能执行，没有结论", "the rule crashed: no verdict at all"),
    ),
    "MISSING": Verdict(
        "v-missing",
        Label("缺数据", "input missing"),
        Label("缺", "M"),
        Label(
            "规则所需的表没有该地的数据：没有送达，或确无此类单位",
            "a table it needs has no row from there: not delivered, or there are no such units",
        ),
    ),
    "NOT_ASKED": Verdict(
        "v-unasked",
        Label("本夜未审核", "not asked"),
        Label("未", "—"),
        Label("本夜只审核指定地区", "the night was asked for one region only"),
    ),
    "NOT_APPLICABLE": Verdict(
        "v-na",
        Label("不适用", "not applicable"),
        Label("不", "N"),
        Label(
            "所需的表未送达，或全市没有适用对象", "its tables are missing, or nothing is in scope"
        ),
    ),
    "FAILED": Verdict(
        "v-failed",
        Label("有差错", "findings"),
        Label("差", "F"),
        Label("有差错，数字为差错数", "with findings, and how many"),
    ),
    "UNDECIDED": Verdict(
        "v-undecided",
        Label("无法判定", "undecided"),
        Label("疑", "U"),
        Label("审核过，但因缺值全部无法判定", "looked at, but values are missing in all"),
    ),
    "PARTLY": Verdict(
        "v-partly",
        Label("部分判定", "partly decided"),
        Label("部", "D"),
        Label(
            "已判定的没有差错，其余无法判定或本夜未审核",
            "no finding among the decided; others unknown or not asked",
        ),
    ),
    "PASSED": Verdict(
        "v-passed",
        Label("通过", "passed"),
        Label("通", "P"),
        Label("全部判定，没有差错", "all decided, no finding"),
    ),
    "NONE": Verdict(
        "v-none",
        Label("无对象", "nothing here"),
        Label("·", "·"),
        Label("规则已执行，该地没有适用对象", "the rule ran; nothing is in its scope there"),
    ),
}
"""Verdicts of a rule, in the night or in one county, in order of precedence."""

FAMILIES = {family.folder: family.label for family in load_families()}
"""Names of the families of rules by the name that `audit.rule` gives them."""

LEVELS = {
    "3": Label("县（市、区）", "Counties"),
    "4": Label("乡（镇、街道）", "Townships"),
    "5": Label("村（社区）", "Villages"),
}
"""Levels that the report lists, highest first."""

CAUSES = {
    "value_corrected": Label("数值已更正", "value corrected"),
    "value_emptied": Label(
        "值已清空或不再适用，未判定", "value emptied or no longer applicable, undecided"
    ),
    "unit_gone": Label("单位已不在数据中", "unit gone"),
    "rule_changed": Label("规则有变动", "rule changed"),
}
"""Why a finding is no longer there."""

STILL_OPEN = {
    "not_checked": Label("未复核", "not checked"),
    "not_delivered": Label("本次未送达", "not delivered"),
}
"""Why a finding stays open although nothing was found."""

CLAUSES = {
    "三(二)2": Label(
        "联网直报单位独立填报，不得代填代报", "firms that report online fill in themselves"
    ),
    "三(二)3": Label(
        "PAD 普查单位须到现场逐一核实采集", "data are collected on the spot with the PAD"
    ),
    "三(三)3": Label("数据修改痕迹与日志检查", "traces of edits and logs are watched"),
    "三(九)6": Label(
        "不得对军队系统和保密单位定位、拍照",
        "no position or photograph of military and confidential units",
    ),
}
"""Clauses of the plan that ask for checks of the data and that no rule may yet cite."""

CENSUSES = {
    "2013": Label("第三次全国经济普查", "Third National Economic Census"),
    "2018": Label("第四次全国经济普查", "Fourth National Economic Census"),
    "2023": Label("第五次全国经济普查", "Fifth National Economic Census"),
}
"""The census by its reference year."""

GATE_STYLES = {
    "accept": "v-passed", "remarks": "v-undecided", "quarantine": "v-held", "missing": "v-held",
}  # fmt: skip
"""Class of a verdict of the gate."""

TABLE_STATES = {
    "delivered": ("v-passed", Label("已送达", "delivered")),
    "unused": ("v-undecided", Label("已送达，尚无规则使用", "delivered, used by no rule yet")),
    "shipped": ("v-partly", Label("用内置参考表", "shipped reference list")),
    "empty": ("v-undecided", Label("有文件，无可用行", "files, but no usable row")),
    "missing": ("v-na", Label("未送达", "not delivered")),
}
"""Whether a table of the contract is there."""


def clean(value: object) -> str:
    """Return a text with everything taken out that is no character of a page."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _NO_TEXT else c for c in text
    )


def clip(value: object, length: int = _CLIP) -> str:
    """Return a text from a delivery cleaned, and cut when it is longer than a label would be."""
    text = clean(value)
    return text if len(text) <= length else text[: length - 1] + "…"
