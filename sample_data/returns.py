"""Specialty returns: employment, finance, production, energy, research. Identities hold exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sample_data.draws import Draw, Ints, choose, digits, join_text, mask

FULL_FINANCE = ("current_assets", "cash", "receivables", "inventory", "inventory_opening",
                "buildings", "machinery", "vehicles", "depreciation_total", "equity",
                "capital_state", "capital_collective", "capital_corporate", "capital_personal",
                "capital_hmt", "capital_foreign", "research_expenses", "financial_expenses",
                "impairment", "fair_value_gain", "disposal_gain", "investment_income",
                "other_income", "nonoperating_income", "nonoperating_expense", "total_profit",
                "income_tax")  # fmt: skip
"""Items that 603 asks and 611-3 does not."""
CAPITAL_OWNER = {"1": "state", "2": "collective", "4": "hmt", "5": "foreign"}
ENERGY = (("33", "电力", 1.229, 1.0), ("01", "原煤", 0.7143, 0.3), ("15", "天然气", 1.33, 0.2),
          ("20", "柴油", 1.4571, 0.35))  # fmt: skip
"""Code, name, tonnes of coal equivalent a unit, share of industrial firms that use it."""


def _whole(values: npt.NDArray[Any]) -> Ints:
    return np.round(values).astype(np.int64)


def _part(draw: Draw, of: Ints, low: float, high: float) -> Ints:
    return np.floor(of * draw.rng.uniform(low, high, len(of))).astype(np.int64)


def _frame(ids: pl.Series, values: dict[str, Ints], money: set[str]) -> pl.DataFrame:
    named = {f"{k}_kyuan" if k in money else k: pl.Series(v) for k, v in values.items()}
    return pl.DataFrame({"unit_id": ids, **named})


def employment(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 602 for the panel and 611-2 (persons only) for all other legal entities."""
    draw = Draw(seed, "employment")
    n = legal.height
    total = legal["employees"].to_numpy()
    v: dict[str, Ints] = {
        "employees": total,
        "employees_female": legal["employees_female"].to_numpy(),
    }
    v["part_time"] = _part(draw, total, 0.0, 0.05)
    v["dispatched"], v["other_staff"] = _part(draw, total, 0.0, 0.1), _part(draw, total, 0.0, 0.06)
    v["on_post"] = total - v["dispatched"] - v["other_staff"]
    v["managers"], v["professionals"] = _part(draw, total, 0.04, 0.1), _part(draw, total, 0.1, 0.3)
    v["clerks"] = _part(draw, total, 0.08, 0.18)
    rest = total - v["managers"] - v["professionals"] - v["clerks"]
    v["service_workers"] = _part(draw, rest, 0.2, 0.8)
    v["production_workers"] = rest - v["service_workers"]
    v["employees_average"] = np.maximum(1, _whole(total * draw.rng.uniform(0.95, 1.03, n)))
    wages = _whole(v["employees_average"] * draw.lognormal(44.0, 0.2, n))
    v["wages_dispatched"] = _whole(wages * v["dispatched"] / np.maximum(total, 1) * 0.9)
    v["wages_other"] = _whole(wages * v["other_staff"] / np.maximum(total, 1) * 0.7)
    v["wages_on_post"] = wages - v["wages_dispatched"] - v["wages_other"]
    v["wages"] = wages
    v["average_wage_yuan"] = _whole(wages * 1000 / v["employees_average"])
    money = {"wages", "wages_on_post", "wages_dispatched", "wages_other"}
    frame = _frame(legal["unit_id"], v, money)
    panel = legal["form"] == "601"
    kept = {"unit_id", "employees", "employees_female"}
    only = [mask(frame[c], panel) for c in frame.columns if c not in kept]
    return frame.with_columns(only, form=choose(panel, "602", "611-2"))


def _costs(draw: Draw, revenue: Ints, panel: np.typing.NDArray[np.bool_]) -> dict[str, Ints]:
    n = len(revenue)
    zero = np.zeros(n, dtype=np.int64)
    v = {
        "cost": _part(draw, revenue, 0.66, 0.86),
        "taxes_surcharges": _part(draw, revenue, 0.002, 0.01),
    }
    v["selling_expenses"] = _part(draw, revenue, 0.01, 0.05)
    v["admin_expenses"] = _part(draw, revenue, 0.03, 0.08)
    v["research_expenses"] = np.where(
        panel & draw.chance(n, 0.8), _part(draw, revenue, 0.001, 0.03), 0
    )
    v["financial_expenses"] = np.where(panel, _part(draw, revenue, 0.0, 0.012), 0)
    full = panel & draw.chance(n, 0.4)
    for name in ("impairment", "fair_value_gain", "disposal_gain", "other_income"):
        v[name] = np.where(full & draw.chance(n, 0.3), _part(draw, revenue, 0.0, 0.006), zero)
    v["investment_income"] = np.where(full, _part(draw, revenue, 0.0, 0.004), zero)
    v["accounting_system"] = np.where(full, 1, 2)
    return v


def _profits(v: dict[str, Ints], draw: Draw) -> None:
    """Add operating and total profit, which the items before them decide."""
    n = len(v["cost"])
    minus = ("cost", "taxes_surcharges", "selling_expenses", "admin_expenses", "research_expenses",
             "financial_expenses", "impairment")  # fmt: skip
    plus = ("revenue", "fair_value_gain", "disposal_gain", "investment_income", "other_income")
    v["operating_profit"] = sum((v[k] for k in plus), np.zeros(n, np.int64)) - sum(
        (v[k] for k in minus), np.zeros(n, np.int64)
    )
    v["nonoperating_income"] = _part(draw, v["revenue"], 0.0, 0.004)
    v["nonoperating_expense"] = _part(draw, v["revenue"], 0.0, 0.003)
    v["total_profit"] = v["operating_profit"] + v["nonoperating_income"] - v["nonoperating_expense"]
    v["income_tax"] = np.where(v["total_profit"] > 0, _whole(v["total_profit"] * 0.2), 0)
    v["vat"] = _part(draw, v["revenue"], 0.005, 0.07)


def _balance(draw: Draw, assets: Ints) -> dict[str, Ints]:
    n = len(assets)
    v = {"assets": assets, "current_assets": _part(draw, assets, 0.35, 0.65)}
    v["cash"] = _part(draw, v["current_assets"], 0.1, 0.3)
    v["receivables"] = _part(draw, v["current_assets"], 0.1, 0.3)
    v["inventory"] = _part(draw, v["current_assets"], 0.05, 0.35)
    v["inventory_opening"] = _whole(v["inventory"] * draw.rng.uniform(0.7, 1.4, n))
    v["fixed_assets"] = _part(draw, assets - v["current_assets"], 0.5, 1.0)
    v["buildings"] = _part(draw, v["fixed_assets"], 0.3, 0.5)
    v["machinery"] = _part(draw, v["fixed_assets"], 0.1, 0.3)
    v["vehicles"] = _part(draw, v["fixed_assets"], 0.02, 0.15)
    v["depreciation_total"] = _part(draw, v["fixed_assets"], 0.15, 0.5)
    v["depreciation_year"] = _part(draw, v["depreciation_total"], 0.1, 0.4)
    # Negative equity is legal (domain 8.1, trap 7): one firm in twelve owes more than it has.
    indebted = draw.chance(n, 0.08)
    share = np.where(indebted, draw.rng.uniform(1.05, 1.5, n), draw.rng.uniform(0.2, 0.85, n))
    v["liabilities"] = _whole(assets * share)
    v["equity"] = assets - v["liabilities"]
    return v


def _capital(draw: Draw, legal: pl.DataFrame, assets: Ints) -> dict[str, Ints]:
    n = len(assets)
    v = {"capital": _part(draw, assets, 0.2, 0.5)}
    holding = legal["holding"].fill_null("9").to_numpy()
    for code, name in CAPITAL_OWNER.items():
        v[f"capital_{name}"] = np.where(holding == code, v["capital"], 0)
    private = ~np.isin(holding, list(CAPITAL_OWNER))
    v["capital_corporate"] = np.where(
        private & draw.chance(n, 0.3), _part(draw, v["capital"], 0.2, 0.6), 0
    )
    v["capital_personal"] = np.where(private, v["capital"] - v["capital_corporate"], 0)
    return v


def finance(legal: pl.DataFrame, staff: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 603 for the panel and the short list 611-3 for other enterprises and cooperatives."""
    draw = Draw(seed, "finance")
    rows = legal["institution_type"].is_in(["10", "55"])
    legal, staff = legal.filter(rows), staff.filter(rows)
    panel = (legal["form"] == "601").to_numpy()
    revenue = legal["revenue_kyuan"].to_numpy()
    v = {"revenue": revenue, "main_revenue": legal["main_revenue_kyuan"].to_numpy()}
    v |= _costs(draw, revenue, panel)
    _profits(v, draw)
    v |= _balance(draw, legal["assets_kyuan"].to_numpy())
    v |= _capital(draw, legal, v["assets"])
    wages = staff["wages_kyuan"].fill_null(0).to_numpy()
    own = _whole(legal["employees"].to_numpy() * draw.lognormal(36.0, 0.3, legal.height))
    v["pay"] = np.where(panel, _whole(wages * draw.rng.uniform(1.05, 1.35, len(wages))), own)
    system = pl.Series(v.pop("accounting_system")).cast(pl.String)
    frame = _frame(legal["unit_id"], v, set(v))
    short = [mask(frame[f"{k}_kyuan"], panel) for k in FULL_FINANCE]
    letters = join_text(legal["specialty"], "603")
    return frame.with_columns(
        short,
        form=choose(panel, letters, "611-3"),
        specialty=legal["specialty"],
        accounting_system=system,
        employees_average=staff["employees_average"],
    )


def institution_finance(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 611-5 (institutions, bodies, committees) and 611-6 (non-profit units)."""
    draw = Draw(seed, "institution finance")
    legal = legal.filter(~pl.col("institution_type").is_in(["10", "55"]))
    n = legal.height
    workers, assets = legal["employees"].to_numpy(), legal["assets_kyuan"].to_numpy()
    v: dict[str, Ints] = {"assets": assets, "current_assets": _part(draw, assets, 0.15, 0.4)}
    v["inventory"] = _part(draw, v["current_assets"], 0.02, 0.3)
    v["inventory_opening"] = _whole(v["inventory"] * draw.rng.uniform(0.7, 1.3, n))
    v["fixed_assets"] = _part(draw, assets - v["current_assets"], 0.5, 1.0)
    v["land_buildings"] = _part(draw, v["fixed_assets"], 0.4, 0.6)
    v["machinery"] = _part(draw, v["fixed_assets"], 0.1, 0.2)
    v["vehicles"] = _part(draw, v["fixed_assets"], 0.05, 0.15)
    v["liabilities"] = _part(draw, assets, 0.05, 0.6)
    v["net_assets"] = assets - v["liabilities"]
    v["income"] = _whole((workers * 75 + 120) * draw.lognormal(1.0, 0.3, n))
    v["fiscal_income"] = _part(draw, v["income"], 0.6, 0.9)
    v["service_income"] = _part(draw, v["income"] - v["fiscal_income"], 0.2, 0.6)
    v["business_income"] = _part(draw, v["income"] - v["fiscal_income"], 0.0, 0.3)
    v["expenditure"] = _part(draw, v["income"], 0.85, 1.05)
    v["pay"] = _part(draw, v["expenditure"], 0.4, 0.55)
    v["goods_services"] = _part(draw, v["expenditure"], 0.15, 0.3)
    v["transfers"] = _part(draw, v["expenditure"], 0.03, 0.12)
    for name, top in (("labour_fees", 0.3), ("union_fees", 0.1), ("welfare", 0.1), ("taxes", 0.05)):
        v[name] = _part(draw, v["goods_services"], 0.0, top)
    v["pensions"], v["medical"] = (
        _part(draw, v["transfers"], 0.2, 0.5),
        _part(draw, v["transfers"], 0.1, 0.3),
    )
    v["business_expenditure"] = _part(draw, v["expenditure"], 0.0, 0.05)
    public = legal["accounting_standard"].is_in(["2", "3"])
    frame = _frame(legal["unit_id"], v, set(v))
    return frame.with_columns(form=choose(public, "611-5", "611-6"))


def production(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the specialty return of each panel unit (B604, C604, E604, S604, X604, F608)."""
    draw = Draw(seed, "production")
    panel = legal.filter(pl.col("form") == "601")
    n, kind = panel.height, panel["specialty"]
    revenue = panel["revenue_kyuan"].to_numpy()
    near = _whole(revenue * draw.rng.uniform(0.97, 1.12, n))
    area = np.round(revenue * draw.rng.uniform(0.1, 0.4, n)) + 60
    return pl.DataFrame(
        {
            "unit_id": panel["unit_id"],
            "form": choose(kind == "F", "F608", join_text(kind, "604")),
            "specialty": kind,
            "gross_output_kyuan": mask(pl.Series(near), kind.is_in(["B", "C"])),
            "sales_kyuan": mask(pl.Series(_whole(near * 1.01)), kind.is_in(["B", "E"])),
            "turnover_kyuan": mask(pl.Series(near), kind == "S"),
            "floor_area_m2": mask(pl.Series(area), kind.is_in(["E", "S", "X"])),
            "contracts_kyuan": mask(pl.Series(_whole(revenue * 1.6)), kind == "C"),
            "sold_area_m2": mask(pl.Series(np.round(revenue / 4.6)), kind == "X"),
            "investment_kyuan": mask(pl.Series(_whole(revenue * 0.7)), kind == "X"),
        }
    )


def energy(legal: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 605-1: electricity for every industrial panel unit, other kinds for some."""
    draw = Draw(seed, "energy")
    firms = legal.filter((pl.col("form") == "601") & (pl.col("specialty") == "B"))
    parts = []
    for code, name, factor, share in ENERGY:
        users = firms.filter(pl.Series(draw.chance(firms.height, share) | (share == 1.0)))
        n = users.height
        used = np.round(users["revenue_kyuan"].to_numpy() * draw.rng.uniform(0.004, 0.02, n), 2)
        stock = np.zeros(n) if code == "33" else np.round(used * 0.06, 2)
        parts.append(
            users.select(
                "unit_id",
                energy_code=pl.lit(code),
                energy_name=pl.lit(name),
                opening_stock=pl.Series(stock),
                purchased=pl.Series(used),
                consumed=pl.Series(used),
                closing_stock=pl.Series(stock),
                consumed_tce=pl.Series(np.round(used * factor, 2)),
            )
        )
    return pl.concat(parts).sort("unit_id", "energy_code")


def research(legal: pl.DataFrame, money: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 607-2 for panel units of specialties B, C and F with research expenses."""
    draw = Draw(seed, "research")
    spent = money.filter(pl.col("research_expenses_kyuan") > 0).select(
        "unit_id", "research_expenses_kyuan"
    )
    asked = pl.col("specialty").is_in(["B", "C", "F"])
    firms = legal.filter((pl.col("form") == "601") & asked).join(
        spent, on="unit_id", how="inner", maintain_order="left"
    )
    n = firms.height
    staff = np.maximum(1, _part(draw, firms["employees"].to_numpy(), 0.04, 0.12))
    expense = firms["research_expenses_kyuan"].to_numpy()
    patents = draw.whole(0, 6, n)
    return firms.select(
        "unit_id",
        rd_staff=pl.Series(staff),
        rd_staff_female=pl.Series(_part(draw, staff, 0.0, 0.5)),
        rd_expense_kyuan=pl.Series(expense),
        rd_pay_kyuan=pl.Series(_part(draw, expense, 0.3, 0.6)),
        projects=pl.Series(draw.whole(1, 3, n)),
        new_product_sales_kyuan=pl.Series(
            _part(draw, firms["revenue_kyuan"].to_numpy(), 0.02, 0.2)
        ),
        patents_applied=pl.Series(patents),
        patents_invention=pl.Series(patents // 2),
    )


def research_project(work: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return 607-1: the projects that 607-2 counts; their expenses add up to its total."""
    draw = Draw(seed, "research projects")
    row = np.repeat(np.arange(work.height), work["projects"].to_numpy())
    n = len(row)
    inside = np.arange(n) - np.searchsorted(row, row) + 1
    owner = work[row]
    share = owner["rd_expense_kyuan"].to_numpy() // owner["projects"].to_numpy()
    first = share + owner["rd_expense_kyuan"].to_numpy() % owner["projects"].to_numpy()
    running = draw.chance(n, 0.3)
    number = pl.Series(inside).cast(pl.String)
    topic = draw.pick(["工艺改进", "新产品试制", "节能改造", "质量提升", "装备更新"], n)
    return pl.DataFrame(
        {
            "unit_id": owner["unit_id"],
            "project_id": join_text("P", digits(inside, 2)),
            "name": join_text(topic, "项目", number),
            "start_ym": pl.Series(201701 + draw.whole(0, 11, n)).cast(pl.String),
            "end_ym": choose(
                running, "000000", pl.Series(201802 + draw.whole(0, 10, n)).cast(pl.String)
            ),
            "staff": np.maximum(1, owner["rd_staff"].to_numpy() // owner["projects"].to_numpy()),
            "expense_kyuan": np.where(inside == 1, first, share),
        }
    )
