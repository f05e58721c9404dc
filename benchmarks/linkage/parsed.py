"""Give Splink our parsed columns: `python -m benchmarks.linkage.parsed FOLDER OUT`.

Hashes stand for the parts that are compared for equality; names, owners and addresses come as
normalised text, so that Splink's own string distances can work on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

from audit.matching.features import Features
from audit.normalise import name_key
from benchmarks.linkage.ours import Clock, features_of

HASHES = (
    "credit", "org", "core", "core_sound", "trade_sound", "trade_head", "trade_tail", "industry",
    "branch", "owner_sound", "phone_a", "phone_b", "road", "road_no", "county", "township",
    "industry_code", "form",
)  # fmt: skip
NOISE = r"[\p{P}\p{S}\s]"


def trade_text(features: Features) -> pl.Series:
    """Return the trade names as text, at most eight characters."""
    chars = features.trade_chars.astype(np.uint32)
    points = np.where((chars >= 0xD800) & (chars < 0xE000), 0x3F, chars).astype(np.uint32)
    return pl.Series("trade", points.view(f"U{points.shape[1]}").reshape(-1).astype(object))


def parsed(records: pl.DataFrame, features: Features) -> pl.DataFrame:
    """Return the parsed columns of records; zero and empty are NULL."""
    texts = records.select(
        unique_id="record_id",
        name=name_key(pl.col("name")),
        owner=pl.col("owner").str.normalize("NFKC").str.replace_all(NOISE, ""),
        address=pl.col("address").str.normalize("NFKC").str.replace_all(NOISE, ""),
    )
    numbers = pl.DataFrame({name: getattr(features, name) for name in HASHES})
    trade = trade_text(features).cast(pl.String)
    flags = {
        "credit_ok": features.credit_ok,
        "credit_text": records["credit_code"].str.normalize("NFKC").str.to_uppercase(),
    }
    frame = pl.concat([texts, numbers], how="horizontal").with_columns(trade, **_series(flags))
    empty = [pl.when(pl.col(c) != 0).then(pl.col(c)).alias(c) for c in HASHES]
    filled = [pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in ("owner", "trade")]
    return frame.with_columns(*empty, *filled).with_columns(
        label=pl.when("credit_ok").then("credit"),
        phone=pl.coalesce("phone_b", "phone_a"),
    )


def _series(flags: dict[str, object]) -> dict[str, pl.Series]:
    return {name: pl.Series(name, values) for name, values in flags.items()}


def main() -> None:
    """Write parsed.parquet (or parsed_field and parsed_register) and normalise.json."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    pair = (folder / "register.parquet").exists()
    names = ("field", "register") if pair else ("records",)
    records = [pl.read_parquet(folder / f"{name}.parquet") for name in names]
    for name, one, features in zip(names, records, features_of(folder, *records), strict=True):
        target = f"parsed_{name}.parquet" if pair else "parsed.parquet"
        parsed(one, features).write_parquet(out / target)
    clock.lap("normalise")
    clock.write(out / "normalise.json")


if __name__ == "__main__":
    main()
