"""Suggestions beside findings: in the package, in the workbook, in `explain`; never applied."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from deliveries import Night, run
from tiny import entity, write_csv

from audit.gate import GateSettings
from pipelines.config import RunConfig
from pipelines.explain import explain

CODE = "91430405MA4L000001"
OWN = RunConfig(gate=GateSettings(judge="own"))


PROFIT = (
    "cost_kyuan", "taxes_surcharges_kyuan", "selling_expenses_kyuan", "admin_expenses_kyuan",
    "research_expenses_kyuan", "financial_expenses_kyuan", "impairment_kyuan",
    "fair_value_gain_kyuan", "disposal_gain_kyuan", "investment_income_kyuan",
    "other_income_kyuan",
)  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("suggest")
    other = entity(unit_id="L2", credit_code="91430405MA4L000028", name="衡南县乙厂")
    write_csv(folder / "in" / "legal_entity.csv", [entity(credit_code=CODE), other])
    finance = {
        "unit_id": "L1", "form": "B603", "assets_kyuan": "15016", "liabilities_kyuan": "6692",
        "equity_kyuan": "9324", "current_assets_kyuan": "20", "inventory_kyuan": "5",
    }  # fmt: skip
    profit = dict.fromkeys(finance, "") | {
        "unit_id": "L2", "form": "B603", "accounting_system": "1",
        "operating_profit_kyuan": "999", "revenue_kyuan": "5000", **dict.fromkeys(PROFIT, "10"),
    }  # fmt: skip
    write_csv(folder / "in" / "finance.csv", [dict.fromkeys(profit, "") | finance, profit])
    prior = {"credit_code": CODE, "period": "2017", "assets_kyuan": "16100"}
    write_csv(folder / "in" / "prior_value.csv", [prior])
    return run(folder / "in", folder / "out", config=OWN)


def test_each_single_item_is_told_with_what_others_hold(night: Night) -> None:
    rows = night.table(
        "SELECT s.variable, s.observed, s.value, s.low, s.high, s.prior_value, s.register_value "
        "FROM audit.suggestion AS s JOIN audit.finding AS f USING (finding_key) "
        "WHERE f.rule_id = 'FRM006' ORDER BY 1"
    ).rows()

    assert rows == [
        ("assets_kyuan", 15016, 16016, 16014, 16018, 16100, None),
        ("equity_kyuan", 9324, 8324, 8322, 8326, None, None),
        ("liabilities_kyuan", 6692, 5692, 5690, 5694, None, None),
    ]


def test_census_values_stay_as_delivered(night: Night) -> None:
    kept = night.table("SELECT assets_kyuan, equity_kyuan FROM finance WHERE unit_id = 'L1'")

    assert kept.rows() == [(15016, 9324)]


def test_workbook_tells_it_beside_the_finding(night: Night) -> None:
    book = next((night.out / "current" / "workbooks").glob("4*.xlsx"))
    sheet = openpyxl.load_workbook(book)["核查差错一览表"]
    cells = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell]

    told = [text for text in cells if text.startswith("资产总计 15,016 千元")]
    assert len(told) == 1
    assert "如只有一项填错，可能是：资产总计(千元) 15,016 → 16,016，上期 16,100；" in told[0]


def test_explain_tells_it(night: Night) -> None:
    key = night.table("SELECT finding_key FROM audit.finding WHERE rule_id = 'FRM006'").item()

    found = explain(night.out, key).suggestions

    assert [(s["variable"], s["value"]) for s in found] == [
        ("assets_kyuan", 16016), ("equity_kyuan", 8324), ("liabilities_kyuan", 5692),
    ]  # fmt: skip


def test_bound_on_one_side_is_told_as_a_bound(night: Night) -> None:
    book = next((night.out / "current" / "workbooks").glob("4*.xlsx"))
    sheet = openpyxl.load_workbook(book)["核查差错一览表"]
    cells = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell]

    told = next(text for text in cells if text.startswith("女性从业人员"))
    assert "从业人员期末人数(人) 5 → 不小于 9；其中：女性(人) 9 → 不大于 5" in told


def test_many_items_are_named_without_values(night: Night) -> None:
    """Thirteen items stand in one sum: to suggest a value for each helps nobody to choose."""
    n_items = night.table(
        "SELECT COUNT(*) FROM audit.suggestion AS s JOIN audit.finding AS f USING (finding_key) "
        "WHERE f.rule_id = 'FRM012'"
    ).item()
    book = next((night.out / "current" / "workbooks").glob("4*.xlsx"))
    sheet = openpyxl.load_workbook(book)["核查差错一览表"]
    told = [str(row[5]) for row in sheet.iter_rows(values_only=True) if row[4] == "FRM012"]

    assert n_items == 13
    assert len(told) == 1
    assert "可能填错的有 13 项，请逐项核对：" in told[0]
    assert told[0].endswith("等")
    assert "→" not in told[0]


def test_register_value_is_what_the_rule_compares_with(tmp_path: Path) -> None:
    """Without a code an account is the entity's by its name, person and telephone."""
    codes = {"TWO": CODE, "UNKNOWN": "91430405MA4L000028", "NO CODE": "91430405MA4L000036"}
    own = {
        unit: {"name": f"衡南县{name}厂", "legal_rep": f"王{name}", "phone": f"1350000000{n}"}
        for n, (unit, name) in enumerate(zip(codes, "甲乙丙", strict=True))
    }
    rows = [
        entity(unit_id=unit, credit_code=code, name=own[unit]["name"],
               legal_rep=own[unit]["legal_rep"], phone_mobile=own[unit]["phone"])
        for unit, code in codes.items()
    ]  # fmt: skip
    write_csv(tmp_path / "in" / "legal_entity.csv", rows)
    accounts = [("TWO", CODE, "30"), ("TWO", CODE, "40"), ("UNKNOWN", codes["UNKNOWN"], "30"),
                ("UNKNOWN", codes["UNKNOWN"], ""), ("NO CODE", "", "40")]  # fmt: skip
    records = [
        {"source": "5", "register_id": f"S{n}", "credit_code": code, "insured_persons": persons,
         "region_code": "430422100001", **own[unit]}
        for n, (unit, code, persons) in enumerate(accounts)
    ]  # fmt: skip
    write_csv(tmp_path / "in" / "register_unit.csv", records)
    night = run(tmp_path / "in", tmp_path / "out", config=OWN)

    compared = night.table(
        "SELECT subject_id, expected FROM audit.finding WHERE rule_id = 'REG007'"
    )
    values = night.table(
        "SELECT DISTINCT f.subject_id, s.register_value FROM audit.suggestion AS s "
        "JOIN audit.finding AS f USING (finding_key) WHERE s.variable = 'employees'"
    )
    assert dict(compared.rows()) == {"TWO": "70", "NO CODE": "40"}
    assert dict(values.rows()) == {"TWO": 70, "UNKNOWN": None, "NO CODE": 40}


def test_form_is_named_where_two_forms_are_wrong(tmp_path: Path) -> None:
    revenue = {"revenue_kyuan": "3794", "main_revenue_kyuan": "4363"}
    sound = entity(credit_code=CODE, employees_female="1", **revenue)
    write_csv(tmp_path / "in" / "legal_entity.csv", [sound])
    finance = {"unit_id": "L1", "form": "B603", **revenue}
    write_csv(tmp_path / "in" / "finance.csv", [finance])
    night = run(tmp_path / "in", tmp_path / "out", config=OWN)

    book = next((night.out / "current" / "workbooks").glob("4*.xlsx"))
    sheet = openpyxl.load_workbook(book)["核查差错一览表"]
    cells = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell]

    told = " ".join(text for text in cells if "可能是" in text)
    assert "611 表 " in told
    assert "603 表 " in told
