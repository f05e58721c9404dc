"""A seeded census of Hengyang: all tables of the contract, clean of fatal findings."""

from __future__ import annotations

import polars as pl

from audit.contracts import CONTRACT
from sample_data import process, registers, returns
from sample_data.establishments import make_establishments
from sample_data.households import make_households
from sample_data.places import Places, make_places
from sample_data.units import City, make_city

MIN_UNITS = 500
POLARS_TYPES: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "money": pl.Int64(),
    "decimal": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}


def shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the contract's columns in order, typed; missing ones are NULL."""
    columns = CONTRACT.tables[name].columns
    types = {c.name: POLARS_TYPES.get(c.type, pl.String()) for c in columns}
    return frame.select(
        (pl.col(c) if c in frame.columns else pl.lit(None)).cast(t).alias(c)
        for c, t in types.items()
    )


def _with_frame_ids(units: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    keys = lines.select("unit_id", "frame_id").drop_nulls("unit_id")
    return units.join(keys, on="unit_id", how="left", maintain_order="left")


def _enumerated(legal: pl.DataFrame, others: list[pl.DataFrame]) -> pl.DataFrame:
    """Return what visits and rechecks need of every unit."""
    parts = []
    for kind, frame in enumerate((legal, *others), start=1):
        builder = pl.col("specialty") == "C" if kind < 3 else pl.lit(value=False)
        panel = pl.col("form") == "601" if kind == 1 else pl.lit(value=False)
        parts.append(
            frame.select(
                "unit_id",
                "name",
                "employees",
                unit_kind=pl.lit(str(kind)),
                block_id=pl.col("region_code") + pl.col("block_code"),
                household=pl.lit(kind == 3),
                builder=builder,
                panel=panel,
            )
        )
    return pl.concat(parts)


def _process_tables(
    tables: dict[str, pl.DataFrame], places: Places, staff: pl.DataFrame, seed: int
) -> None:
    units = _enumerated(tables["legal_entity"], [tables["establishment"], tables["self_employed"]])
    tables["visit"] = process.visits(units.filter(~pl.col("panel")), places, staff, seed)
    tables["recheck"] = process.rechecks(units, places, seed)
    tables["census_block"] = process.blocks(places, units["block_id"])
    tables["enumerator"] = staff
    tables["region"] = places.regions
    tables["network_range"] = process.ranges()
    tables["confidential_digest"] = process.digests(seed)
    tables["clue"] = process.clues()


def _units(city: City) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the unit tables, registers and frame, and the enumerators."""
    seed, places = city.seed, city.places
    branching = make_establishments(city)
    households = make_households(city)
    listed = process.agencies(branching.legal)
    legal = process.with_agencies(branching.legal, listed, seed)
    made = registers.make_registers(city, legal, branching.establishments, households)
    staff = process.enumerators(places, seed)
    tables = {"agency": listed, "frame_unit": made.frame_unit, "register_unit": made.register_unit}
    for name, frame in (("legal_entity", legal), ("establishment", branching.establishments),
                        ("self_employed", households)):  # fmt: skip
        units = _with_frame_ids(frame, made.frame_unit)
        visited = process.assigned(units, places, staff)
        units = units.with_columns(
            enumerator_id=visited, accepted_at=process.accepted(units.height, seed, name)
        )
        tables[name] = units
    tables["establishment_list"] = branching.lists
    return tables, staff


def generate(n_units: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return every table of the contract for a city of n legal entities.

    Establishments are about 1.16 and households about 5.8 times the legal entities. The same
    arguments give the same frames. Raises ValueError below MIN_UNITS legal entities.
    """
    if n_units < MIN_UNITS:
        raise ValueError(
            f"{n_units} legal entities are too few for a city; take {MIN_UNITS} or more"
        )
    places = make_places(n_units, seed)
    city = make_city(n_units, seed, places)
    tables, staff = _units(city)
    legal = tables["legal_entity"].with_columns(
        enumerator_id=pl.when(pl.col("form") == "611").then("enumerator_id"),
        client_ip=process.client_ips(tables["legal_entity"], seed),
    )
    tables["legal_entity"] = legal
    staffing = returns.employment(legal, seed)
    money = returns.finance(legal, staffing, seed)
    tables["employment"], tables["finance"] = staffing, money
    tables["institution_finance"] = returns.institution_finance(legal, seed)
    tables["production"] = returns.production(legal, seed)
    tables["energy"] = returns.energy(legal, seed)
    tables["research"] = returns.research(legal, money, seed)
    tables["research_project"] = returns.research_project(tables["research"], seed)
    tables["prior_value"] = registers.prior_values(legal, seed)
    tables["macro_aggregate"] = registers.macro_aggregates(legal, seed)
    tables["submission"] = process.submissions(legal, seed)
    tables["edit_event"] = process.edits(legal, seed)
    tables["external_finding"] = process.external(legal, seed)
    _process_tables(tables, places, staff, seed)
    return {t.name: shaped(t.name, tables[t.name]) for t in CONTRACT.delivered}
