"""What an estimate is: the rows that it asks for, the tables that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One topic.

    `makes`: tables of the schema `estimate`, by their bare names. `needs`: tables without whose
    rows nothing can be made; `uses`: tables that may be empty. `selects`: by name, the SELECTs of
    the rows, in the SQL that rules are written in; they may name `needs`, `uses` and `ref_*` only.
    `make` is pure: it gets those rows by name, in no order, and returns for each table of `makes`
    a frame with exactly the columns of the contract.
    """

    makes: tuple[str, ...]
    needs: tuple[str, ...]
    selects: Mapping[str, str]
    make: Callable[[Frames], Frames]
    uses: tuple[str, ...] = ()
