"""Self-employed households: about 5.8 a legal entity; money in detail for one in eight only."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data import industries, names
from sample_data.draws import Draw, digits, join_text, mask
from sample_data.identifiers import credit_codes, mobiles, persons, registration_numbers
from sample_data.places import locate, settle
from sample_data.units import City

ROWS_PER_LEGAL = 5.78
SAMPLED = 0.125


def make_households(city: City) -> pl.DataFrame:
    """Return the self-employed form, region order; licensed ones carry a 92 code or a number."""
    draw = Draw(city.seed, "households")
    n = round(ROWS_PER_LEGAL * city.legal.height)
    village = np.sort(settle(city.places, n, draw))
    homes, site = city.places.villages[village], locate(city.places, village, draw)
    catalogue = industries.read(industries.HOUSEHOLDS)
    rows = catalogue.rows[draw.index(catalogue.rows.height, n, catalogue.weights)]
    owner = persons(draw, n)
    licence = draw.rng.random(n)
    body = city.pool.take(n)
    old = registration_numbers(homes["county_code"], join_text("6", body.str.slice(1)))
    identity = pl.DataFrame(
        {
            "unit_id": join_text("S", digits(np.arange(1, n + 1), 7)),
            "credit_code": mask(credit_codes("92", homes["county_code"], body), licence < 0.62),
            "licence_no": mask(old, (licence >= 0.62) & (licence < 0.72)),
            "name": names.shop_names(draw, homes, rows["word"], owner),
            "operator": owner,
            "phone": mask(mobiles(draw, n), draw.chance(n, 0.9)),
        }
    )
    trade = rows.select("activity", "industry_code")
    return pl.concat([identity, trade, site, _figures(rows, draw)], how="horizontal")


def _figures(rows: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    n = rows.height
    workers = np.clip(np.round(draw.lognormal(rows["persons"].to_numpy(), 0.45, n)), 1, 60)
    revenue = np.maximum(5, workers * rows["per_head"].to_numpy() * draw.lognormal(0.8, 0.5, n))
    asked = draw.chance(n, SAMPLED)
    spent = revenue * draw.rng.uniform(0.45, 0.85, n)
    pay = (workers - 1) * draw.rng.uniform(18, 34, n)
    status = draw.pick(["1", "2", "3"], n, [0.97, 0.02, 0.01])
    revenue = np.where(status == "3", 0, revenue)
    whole = {"expenditure_kyuan": spent, "pay_kyuan": pay, "taxes_kyuan": revenue * 0.012}
    detail = {k: mask(pl.Series(np.round(v).astype(np.int64)), asked) for k, v in whole.items()}
    women = np.floor(workers * draw.rng.uniform(0.0, 1.0, n))
    return pl.DataFrame(
        {
            "status": status,
            "employees": workers.astype(np.int64),
            "employees_female": women.astype(np.int64),
            "revenue_kyuan": np.round(revenue).astype(np.int64),
            **detail,
        }
    )
