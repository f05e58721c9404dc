"""Where things belong: the county that a path, a refused row or a unit names. Read once, for all.

`unit_place` is a scratch table of unit_id and county (six digits): intake makes it, the gate and
the reject workbooks read it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from audit.engines.duckdb import DuckDBEngine
from audit.views import UNIT_SOURCES
from pipelines.readers.headers import fold, known_headers

UNKNOWN = ""
UNIT_PLACE = "unit_place"
_VARIANT = "place_variant"
_CODE = re.compile(r"(?<![0-9])([0-9]{6})(?:[0-9]{3}|[0-9]{6})?(?![0-9])")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class Counties:
    """The counties of the region list: name by six digits."""

    names: Mapping[str, str]

    @classmethod
    def read(cls, engine: DuckDBEngine) -> Counties:
        """Read the counties of `census.region`, all vintages, the latest name of each."""
        rows = engine.rows(
            "SELECT LEFT(region_code, 6), ARG_MAX(name, vintage) FROM census.region "
            "WHERE level = '3' GROUP BY 1 ORDER BY 1"
        )
        return cls({str(code): str(name or code) for code, name in rows})

    def named(self, file: str) -> frozenset[str]:
        """Return the counties that a path names by code or name, its file before its folders."""
        for part in reversed(file.split("/")):
            text = _fold(part)
            found = {code for code in _CODE.findall(text) if code in self.names}
            found |= {code for code, name in self.names.items() if _fold(name) in text}
            if found:
                return frozenset(found)
        return frozenset()

    def in_path(self, file: str) -> str:
        """Return the one county that a path names; UNKNOWN for none or several."""
        found = self.named(file)
        return next(iter(found)) if len(found) == 1 else UNKNOWN


@dataclass(frozen=True, slots=True)
class Variant:
    """One header that refused rows of a file came with: its cells as `delivered` names them."""

    file: str
    table: str
    keys: tuple[str, ...]

    def pointer(self, column: str) -> str | None:
        """Return the JSON pointer of a contract column in rows of this header, in any spelling."""
        known = known_headers(self.table)
        label = next((key for key in self.keys if known.get(fold(key)) == column), None)
        return None if label is None else "/" + label.replace("~", "~0").replace("/", "~1")


def variants(engine: DuckDBEngine) -> list[Variant]:
    """Return the headers of all refused rows, by table, the widest first."""
    found = engine.rows(
        "SELECT DISTINCT file, table_name, json_keys(delivered) AS keys FROM census.rejected_row "
        "WHERE delivered IS NOT NULL AND row > 0 ORDER BY table_name, LEN(keys) DESC, keys, file"
    )
    return [Variant(str(file), str(table), _listed(keys)) for file, table, keys in found]


def _listed(keys: object) -> tuple[str, ...]:
    return tuple(str(key) for key in keys) if isinstance(keys, Sequence) else ()


def _refused_units(engine: DuckDBEngine) -> str:
    """Return the SELECT of unit_id and region_code that refused unit forms still tell."""
    rows = [
        {"file": v.file, "keys": list(v.keys), "unit": unit, "region": region}
        for v in variants(engine)
        if v.table in UNIT_SOURCES
        and (unit := v.pointer("unit_id"))
        and (region := v.pointer("region_code"))
    ]
    schema: dict[str, Any] = {"file": pl.String, "keys": pl.List(pl.String)}
    schema |= dict.fromkeys(("unit", "region"), pl.String)
    engine.register(_VARIANT, pl.DataFrame(rows, schema=schema).to_arrow())
    return (
        "SELECT TRIM(json_extract_string(r.delivered, v.unit)) AS unit_id, "
        "TRIM(json_extract_string(r.delivered, v.region)) AS region_code "
        f"FROM census.rejected_row AS r JOIN {_VARIANT} AS v "
        "ON v.file = r.file AND v.keys = json_keys(r.delivered)"
    )


def place_units(engine: DuckDBEngine) -> None:
    """Make `unit_place` anew; of a unit that is told twice the first county counts.

    A unit that is not loaded is where its refused form says, else where the frame line says that
    it answered.
    """
    loaded = " UNION ALL ".join(
        f"SELECT 1 AS rank, unit_id, region_code FROM census.{t}" for t in UNIT_SOURCES
    )
    engine.materialise(
        UNIT_PLACE,
        f"""WITH told AS (
  {loaded}
  UNION ALL SELECT 2, unit_id, region_code FROM ({_refused_units(engine)}) AS r
    WHERE LEFT(region_code, 6) IN (SELECT LEFT(region_code, 6) FROM census.region)
  UNION ALL SELECT 3, unit_id, region_code FROM census.frame_unit
)
SELECT unit_id, ARG_MIN(county, rank || county) AS county
FROM (SELECT rank, unit_id, LEFT(region_code, 6) AS county FROM told) AS u
WHERE unit_id IS NOT NULL AND county IS NOT NULL GROUP BY unit_id""",
    )
    engine.unregister(_VARIANT)
