"""Made-up ReportData of a city: 15 counties, 192 townships, 2,789 villages, 45 rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from audit.contracts import CONTRACT
from audit.model import RunInfo
from reports.html import FlagChanges, Intake, ReportData, Tasks, Totals

COUNTIES = {
    "430405": "珠晖区",
    "430406": "雁峰区",
    "430407": "石鼓区",
    "430408": "蒸湘区",
    "430412": "南岳区",
    "430421": "衡阳县",
    "430422": "衡南县",
    "430423": "衡山县",
    "430424": "衡东县",
    "430426": "祁东县",
    "430471": "衡阳综合保税区",
    "430472": "湖南衡阳高新技术产业园区",
    "430473": "湖南衡阳松木经济开发区",
    "430481": "耒阳市",
    "430482": "常宁市",
}
RULES = """
COD001 codes fatal 统一社会信用代码格式|Credit code well formed
COD002 codes fatal 统一社会信用代码校验位|Check character of the credit code
COD003 codes query 主体标识码校验|Embedded organisation code
COD004 codes query 代码前缀与机构类型|Prefix and type of institution
COD005 codes query 个体代码填入单位表|Self-employed code on a unit form
COD006 codes fatal 原组织机构代码|Former organisation code
COD008 codes fatal 区划与普查小区存在|Region and block exist
COD010 codes fatal 行业代码有效且在普查范围|Industry class valid and in scope
COD011 codes fatal 登记注册类型有效|Registration type valid
DUP001 duplicate fatal 法人单位重码|Legal entities with the same code
DUP002 duplicate fatal 产业活动单位重码|Establishments with the same code
DUP003 duplicate fatal 法人与产业活动单位互重|Legal entity and establishment with the same code
DUP004 duplicate fatal 一套表与非一套表重复|On both the panel and the short form
DUP005 duplicate query 同县重名|Same name in a county
DUP006 duplicate query 跨县跨专业重名|Same name across counties or specialties
DUP008 duplicate query 多单位同一电话|One phone at many units
DUP011 duplicate query 财务数据雷同|Identical financial figures
LNK001 linkage fatal 多产业法人应有两个以上产业活动单位|Several establishments stated, fewer listed
LNK002 linkage fatal 单产业法人不应有下属产业活动单位|One establishment stated, children found
LNK003 linkage fatal 产业活动单位清单与到表一致|List of establishments and forms received
LNK004 linkage fatal 归属法人存在|The parent exists
LNK006 linkage fatal 本部唯一|Exactly one headquarters
LNK008 linkage query 从业人数分解|Employees of establishments add up
LNK010 linkage query 法人消亡产业存续|Dead parent, live establishment
FRM001 form fatal 必填项|Mandatory items
FRM002 form fatal 女性不大于期末人数|Women not more than employees
FRM003 form fatal 从业人员分组合计|Groups of employees add up
FRM004 form fatal 工资总额分组合计|Groups of wages add up
FRM006 form fatal 资产恒等|Assets equal liabilities and equity
FRM007 form fatal 流动资产不小于存货|Current assets cover inventories
FRM011 form fatal 营业收入不小于主营业务收入|Revenue covers main revenue
FRM018 form fatal 开业时间|Opening date
PLA001 plausibility query 计量单位错误|Wrong unit of measure
PLA004 plausibility fatal 单位规模重算|Size class recomputed
XSP001 cross_specialty fatal 专业与行业对应|Specialty fits the industry
XSP002 cross_specialty query 达标未入库|Above the threshold, not on the panel
XSP003 cross_specialty query 不达标在库|Below the threshold, on the panel
XSP006 cross_specialty fatal 跨表从业人数一致|Same employees on all forms
XSP012 cross_specialty fatal 同一单位多专业报送|One unit, two specialties
REG001 register query 名录有普查无|In the registers, not in the census
REG002 register query 普查有名录无|In the census, in no register
REG003 register query 注销吊销仍正常营业|Dead in the register, operating here
REG006 register query 收入与税务差异|Revenue and tax sales differ
REG008 register query 名称或法定代表人不符|Other name or representative in the register
REG011 register fatal 底册逐条落实|Every frame line resolved
""".strip().splitlines()
LATIN = {
    "duplicate": "三（三）2",
    "linkage": "三（三）2",
    "cross_specialty": "三（三）2",
    "register": "三（一）3",
}


def _region_rows(rng: np.random.Generator) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for i, (code, name) in enumerate(COUNTIES.items()):
        rows.append(_region(rng, code + "000000", name, "3", ("430400000000", "衡阳市", 60_000)))
        for j in range((12, 7, 7, 5, 3, 25, 23, 12, 19, 24, 1, 1, 1, 30, 22)[i]):
            place = f"{code}{100 + j:03d}000"
            town = "金石泉茶洪江台云"[j % 8] + "溪塘桥山市"[j % 5] + ("镇" if j % 3 else "街道")
            rows.append(_region(rng, place, town, "4", (code + "000000", name, 1_800)))
    towns = [row for row in rows if row["region_level"] == "4"]
    for k in range(200):
        above = towns[k % len(towns)]
        place = f"{str(above['region_code'])[:9]}{200 + k:03d}"
        village = "新联和平双龙红光"[k % 8] + "星华泉岭塘"[k % 5] + ("村" if k % 4 else "社区")
        parent = (str(above["region_code"]), str(above["region_name"]), 90)
        rows.append(_region(rng, place, village, "5", parent))
    return _ranked(rows)


def _region(
    rng: np.random.Generator, code: str, name: str, level: str, parent: tuple[str, str, int]
) -> dict[str, object]:
    above, above_name, size = parent
    n = int(size * rng.uniform(0.2, 1.6)) + 1
    rate = float(rng.beta(2.0, 70.0))
    failed = int(rng.binomial(n, rate))
    spread = 1.96 * (rate / (n + 40)) ** 0.5
    low, high = max(rate - spread, 0.0), rate + spread
    probability = float(np.clip((high - 0.03) / (high - low), 0, 1))
    register = int(n * rng.uniform(0, 0.05))
    zh = (
        f"法人和产业活动单位差错率 {rate:.1%}（区间 {low:.1%}–{high:.1%}），很可能高于限值 3%；"
        f"名录差异 {register} 条；差错最多：DUP001 法人单位重码 {failed} 个单位"
    )
    en = (
        f"Legal entities and establishments {rate:.1%} ({low:.1%}–{high:.1%}), likely above the "
        f"limit of 3%; {register} register discrepancies; most findings: DUP001 {failed}"
    )
    return {
        "region_code": code, "region_name": name, "region_level": level, "parent_code": above,
        "parent_name": above_name, "n_units": n, "n_failed": failed, "n_register": register,
        "rate": rate, "rate_low": low, "rate_high": high, "probability": probability,
        "kind": "units", "n_units_legal": n, "n_failed_legal": failed, "n_self_employed": 0,
        "n_failed_self_employed": 0, "flagged": probability >= 0.8, "reasons": zh, "reasons_en": en,
    }  # fmt: skip


def _ranked(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    rows.sort(key=lambda row: (str(row["region_level"]), -float(str(row["rate_low"]))))
    place: dict[object, int] = {}
    for number, row in enumerate(rows, start=1):
        level = row["region_level"]
        place[level] = place.get(level, 0) + 1
        row |= {"rank": number, "rank_in_level": place[level]}
    return rows


def _rule_rows(rng: np.random.Generator) -> list[dict[str, object]]:
    rows = []
    for line in RULES:
        rule_id, family, severity, titles = line.split(" ", 3)
        zh, en = titles.split("|")
        checked = int(rng.integers(9_000, 357_000))
        unknown = int(checked * rng.choice([0, 0, 0.002, 0.08]))
        failed = int(rng.choice([0, 0, *(rng.integers(1, 900, size=6))]))
        verdict = "FAILED" if failed else "PARTLY" if unknown else "PASSED"
        rows.append({
            "rule_id": rule_id, "family": family, "severity": severity, "level": 1, "grain": "unit",
            "clause": LATIN.get(family, "三（三）1"), "title_zh": zh, "title_en": en,
            "verdict": verdict, "detail": None, "n_checked": checked, "n_failed": failed,
            "n_unknown": unknown, "failure_rate": failed / (checked - unknown),
            "n_new": failed // 5, "n_persisting": failed - failed // 5, "n_reopened": 0,
            "n_waived": 0,
        })  # fmt: skip
    _stop(rows[4], "ERROR", "The database refused a statement: Binder Error")
    _stop(rows[16], "NOT_APPLICABLE", "未送达 not delivered: prior_value")
    _stop(rows[32], "NOT_APPLICABLE", "无适用对象 nothing in scope")
    rows[21] |= {
        "verdict": "UNDECIDED", "n_failed": 0, "n_unknown": rows[21]["n_checked"],
        "failure_rate": None,
    }  # fmt: skip
    return rows


def _stop(row: dict[str, object], verdict: str, detail: str) -> None:
    row |= dict.fromkeys(("n_checked", "n_failed", "n_unknown", "n_new", "n_persisting"), 0)
    row |= {"verdict": verdict, "detail": detail, "failure_rate": None}


def _cells(rng: np.random.Generator, rules: list[dict[str, object]]) -> list[dict[str, object]]:
    cells = []
    for rule in rules:
        for code in [*(code + "000000" for code in COUNTIES), ""]:
            verdict = str(rule["verdict"])
            if verdict not in ("ERROR", "NOT_APPLICABLE", "UNDECIDED"):
                kinds = ["PASSED", "PARTLY", "NONE", *(["FAILED"] * (verdict == "FAILED") * 3)]
                verdict = str(rng.choice(kinds)) if code else "NONE"
            failed = int(rng.integers(1, 60)) if verdict == "FAILED" else 0
            cells.append({
                "rule_id": rule["rule_id"], "county_code": code, "verdict": verdict,
                "n_checked": 900, "n_failed": failed, "n_unknown": 3,
            })  # fmt: skip
    return cells


def _county_rows(rng: np.random.Generator) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for code, name in COUNTIES.items():
        n = int(rng.integers(900, 46_000))
        fatal = int(n * rng.uniform(0.004, 0.04))
        query = int(n * rng.uniform(0.02, 0.09))
        rows.append({
            "county_code": code + "000000", "name": name, "n_units": n, "n_fatal_units": fatal,
            "unit_rate": fatal / n, "n_fatal": int(fatal * 1.2), "n_query": query,
            "n_info": query // 9, "n_new": query // 6, "n_persisting": query, "n_register": n // 40,
            "n_flagged": int(rng.integers(0, 14)), "n_beside": 4,
        })  # fmt: skip
    rows.append({
        "county_code": "", "name": "", "n_units": 37, "n_fatal_units": 37, "unit_rate": 1.0,
        "n_fatal": 37, "n_query": 4, "n_info": 0, "n_new": 2, "n_persisting": 39,
        "n_register": None, "n_flagged": 0, "n_beside": 0,
    })  # fmt: skip
    return rows


def _files() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    rows: list[dict[str, object]] = []
    refusals: list[dict[str, object]] = []
    names = [table for table in CONTRACT.delivered if table.name != "prior_value"]
    for number, table in enumerate(names, start=1):
        delivered = 700 * number + 13
        refused = (0, 0, 0, 17)[number % 4]
        file = (
            f"{table.title.zh}/{list(COUNTIES.values())[number % 15]}.xlsx"
            if number % 2
            else f"{table.name}.csv"
        )
        rows.append({
            "file_no": number, "file": file, "table_name": table.name,
            "format": "xlsx" if number % 2 else "csv",
            "encoding": "GB18030" if number % 3 else "UTF-8",
            "rows_delivered": delivered, "rows_loaded": delivered - refused,
            "rows_refused": refused, "unknown_columns": "备注|审核人" if number % 5 == 0 else None,
            "page_checksums": False if number == 4 else None,
            "superseded_by": "法人单位_重报.xlsx" if number == 3 else None,
            "rows_superseded": 2_113 if number == 3 else None,
            "keys_lost": 7 if number == 3 else None,
        })  # fmt: skip
        if refused:
            refusals += [
                {
                    "file": file,
                    "reason": "duplicate_key",
                    "n": 10,
                    "whole": False,
                    "n_corrected": 0,
                },
                {"file": file, "reason": "bad_number", "n": 4, "whole": False, "n_corrected": 2},
                {"file": file, "reason": "confidential", "n": 3, "whole": False, "n_corrected": 0},
            ]
    rows.insert(0, {
        "file_no": 99, "file": "会议纪要.csv", "table_name": None, "format": "csv",
        "encoding": "UTF-8", "rows_delivered": 0, "rows_loaded": 0, "rows_refused": 0,
        "unknown_columns": "甲公司|乙公司", "page_checksums": None,
        "superseded_by": None, "rows_superseded": None, "keys_lost": None,
    })  # fmt: skip
    refusals.append({
        "file": "会议纪要.csv", "reason": "unknown_table", "n": 0, "whole": True, "n_corrected": 0,
    })  # fmt: skip
    return rows, refusals


def _changes() -> pa.Table:
    counts = {
        "new": (212, 1_930, 160), "persisting": (1_204, 7_718, 902), "reopened": (9, 31, 0),
        "resolved": (388, 1_270, 95), "not_checked": (11, 3, 0), "not_delivered": (7, 2, 1),
        "waived": (0, 144, 12),
    }  # fmt: skip
    return pa.Table.from_pylist(
        [
            {"state": state, "severity": severity, "n": n}
            for state, values in counts.items()
            for severity, n in zip(("fatal", "query", "info"), values, strict=True)
        ]
    )


def _gate() -> list[dict[str, object]]:
    """Verdicts of the gate: one county's file half empty, one with remarks, one in order."""
    base = {
        "table_name": "legal_entity", "file": "legal_entity_430421.csv", "name": "衡阳县",
        "region_code": "430421000000", "n_rows": 3_600, "n_refused": 0, "n_came": 3_600,
        "n_expected": 3_600, "because": None,
        "gx": "agreed", "reasons": "", "reasons_en": "", "verdict": "accept",
    }  # fmt: skip
    held = {
        "file": "legal_entity_430422.csv", "region_code": "430422000000", "name": "衡南县",
        "n_rows": 1_500, "n_came": 1_500, "verdict": "quarantine",
        "reasons": "行数与应到行数之比 41.7%",
        "reasons_en": "rows against those expected 41.7%",
    }  # fmt: skip
    remark = {
        "file": "self_employed.parquet", "table_name": "self_employed", "verdict": "remarks",
        "reasons": "格式错误退回的行占比 1.2%", "reasons_en": "share of rows refused 1.2%",
    }  # fmt: skip
    follows = {
        "file": "employment.csv", "table_name": "employment", "because": "legal_entity_430422.csv",
    }  # fmt: skip
    return [base | held, base | held | follows, base | remark, base]


def _level_rows(flagged: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            "region_level": level,
            "n_regions": n,
            "n_flagged": sum(r["flagged"] for r in flagged if r["region_level"] == level),
        }
        for level, n in (("3", 15), ("4", 192), ("5", 2_789))
    ]


def _table_rows() -> list[dict[str, object]]:
    return [
        {
            "table_name": table.name,
            "n_rows": 0 if table.name == "prior_value" else 3_600,
            "n_files": 0 if table.name in ("prior_value", "region") else 1,
            "state": {"prior_value": "missing", "region": "shipped"}.get(table.name, "delivered"),
        }
        for table in CONTRACT.delivered
    ]


INFO = RunInfo(
    run_id="20190318-013000",
    started_at="2019-03-18 01:30:00",
    engine="duckdb",
    code_version="0.1.0",
    rulebook_digest="9f2c51d07ab34e66f0c1",
    input_digest="4be1907cc23d8a55e912",
)
TOTALS = Totals(
    n_units=357_044, n_legal=45_020, n_establishments=52_011, n_self_employed=260_013,
    n_fatal_units=1_288, n_fatal_lines=14, n_fatal=1_425, n_query_units=8_102,
    n_query_lines=33, n_query=9_679, n_info=1_062, n_leads=71, n_conclusions=6,
    n_outside=37,
)  # fmt: skip
TASKS = Tasks(
    n_priority=1_200, n_random=240, due_on="2019-03-25",
    draws=(
        {"draw": "random", "n_people": None, "n_wanted": 300, "n_drawn": 225},
        {"draw": "control", "n_people": 5, "n_wanted": 15, "n_drawn": 15},
    ),
)  # fmt: skip


def city_report() -> ReportData:
    """Return the made-up data of a city on its second night; the same at every call."""
    rng = np.random.default_rng(2018)
    regions = pa.Table.from_pylist(_region_rows(rng))
    rules = _rule_rows(rng)
    files, refusals = _files()
    flagged = regions.to_pylist()
    return ReportData(
        city="衡阳市",
        reference_date="2018-12-31",
        vintage="2018-10-31",
        info=INFO,
        finished_at="2019-03-18 01:31:12",
        status="rule_error",
        previous_run="20190317-013000",
        limits=(0.03, 0.05),
        flag_probability=0.8,
        totals=TOTALS,
        intake=Intake(n_files=27, n_delivered=271_000, n_loaded=270_881, n_refused=119),
        tasks=TASKS,
        flag_changes=FlagChanges(became=("新联村",), ceased=()),
        flagged=pa.Table.from_pylist(
            [r | {"only_child": ""} for r in flagged if r["flagged"]]
        ),
        levels=pa.Table.from_pylist(_level_rows(flagged)),
        regions=regions,
        counties=pa.Table.from_pylist(_county_rows(rng)),
        rules=pa.Table.from_pylist(rules),
        coverage=pa.Table.from_pylist(_cells(rng, rules)),
        changes=_changes(),
        causes=pa.Table.from_pylist([
            {"cause": "value_corrected", "n": 1_602},
            {"cause": "unit_gone", "n": 97},
            {"cause": "rule_changed", "n": 40},
        ]),
        tables=pa.Table.from_pylist(_table_rows()),
        files=pa.Table.from_pylist(files),
        refusals=pa.Table.from_pylist(refusals),
        outside=pa.Table.from_pylist([{"county_code": "", "n_units": 37}]),
        gate=pa.Table.from_pylist(_gate()),
    )  # fmt: skip


def first_night() -> ReportData:
    """Return the same city without a night before it."""
    data = city_report()
    new = [row for row in data.changes.to_pylist() if row["state"] == "new"]
    return replace(
        data,
        previous_run="",
        flag_changes=None,
        changes=pa.Table.from_pylist(new),
        causes=data.causes.slice(0, 0),
    )
