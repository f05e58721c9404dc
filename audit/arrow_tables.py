"""Arrow tables of Python values.

By way of polars: before pyarrow looks at a Python value it imports pandas wherever that is
installed, half a second of each night for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa


def of_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return a table of rows; a column that a row lacks is NULL there."""
    return pl.DataFrame(rows, schema=pl.Schema(schema), orient="row").to_arrow().cast(schema)


def of_columns(columns: Mapping[str, Sequence[Any]], **others: pa.DataType) -> pa.Table:
    """Return a table of columns; they are text except where `others` gives a type."""
    schema = pa.schema([(name, others.get(name, pa.string())) for name in columns])
    return pl.DataFrame(dict(columns), schema=pl.Schema(schema)).to_arrow().cast(schema)
