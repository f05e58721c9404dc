"""From records as written to packed features."""

from __future__ import annotations

import numpy as np
import polars as pl

from audit import codes
from audit.matching.features import KINDS, OWNER_CHARS, TRADE_CHARS, Features
from audit.matching.gazetteer import Gazetteer
from audit.matching.lexicon import Lexicon
from audit.normalise import name_key

FORMS = ("股份有限公司", "有限公司", "专业合作社", "合作社", "公司", "村民委员会", "居民委员会", "委员会", "学校", "医院", "商店", "超市", "店", "厂", "部", "局", "所", "中心")


def _hash(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_null() | (text == "")).then(0).otherwise(text.hash(7)).cast(pl.UInt64)


def _chars(text: pl.Series, width: int) -> np.ndarray:
    padded = text.fill_null("").str.slice(0, width).str.pad_end(width, "\0")
    flat = np.frombuffer("".join(padded.to_list()).encode("utf-32-le"), dtype=np.uint32)
    return flat.reshape(-1, width).astype(np.uint16)


def _bag(text: pl.Series, width: int = 24) -> np.ndarray:
    chars = _chars(text, width).astype(np.uint64)
    both = np.concatenate([chars, chars[:, :-1] * np.uint64(65599) + chars[:, 1:]], axis=1)
    used = np.concatenate([chars > 0, chars[:, 1:] > 0], axis=1)
    bits = np.uint64(1) << ((both * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58))
    return np.bitwise_or.reduce(np.where(used, bits, np.uint64(0)), axis=1)


def parse_units(records: pl.DataFrame, *, gazetteer: Gazetteer, lexicon: Lexicon | None = None) -> Features:
    """Return the features of records (RECORD_SCHEMA), row by row."""
    words = (lexicon or Lexicon.learn(records)).words
    col = pl.col
    region = r"^(?:" + "|".join(sorted({n for n in gazetteer.names}, key=lambda n: (-len(n), n)) or ["\0"]) + r")+"
    region_suffix = r"^(?:[\p{Han}]{2,3}省)?(?:[\p{Han}]{2}市)?(?:[\p{Han}]{2}[县区])?"
    form = r"(" + "|".join(FORMS) + r")"
    branch = r"公司(.+)$"
    f = records.with_columns(
        credit=col("credit_code").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "").str.replace_many(["I", "O", "Z", "S"], ["1", "0", "2", "5"]),
        orgc=col("org_code").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", ""),
        full=name_key(col("name")),
    ).with_columns(
        branch=col("full").str.extract(branch, 1),
        head=col("full").str.replace(r"(公司).+$", "${1}").str.replace(region, "").str.replace(region_suffix, ""),
        addr=col("address").str.normalize("NFKC").str.replace_all(r"[\p{P}\s]", ""),
    ).with_columns(
        form=col("head").str.extract(form + "$", 1),
        core=col("head").str.replace(form + "$", ""),
    ).with_columns(
        industry=col("core").str.extract("(" + "|".join(words) + ")$", 1),
        trade=col("core").str.replace("(" + "|".join(words) + ")$", ""),
        org=pl.when(col("credit").str.len_chars() == 18).then(col("credit").str.slice(8, 9)).otherwise(col("orgc")),
    )
    phone = lambda c: col(c).str.replace_all(r"\D", "").str.slice(-11).cast(pl.UInt64, strict=False).fill_null(0)  # noqa: E731
    road = col("addr").str.extract(r"([\p{Han}]{2}(?:路|街|道|巷))", 1)
    number = col("addr").str.extract(r"(\d+)号", 1)
    parent = col("parent_credit_code").str.slice(8, 9)
    h = f.select(
        credit=_hash(pl.when(col("credit").str.len_chars() == 18).then(col("credit"))), org=_hash(col("org")),
        segment_a=_hash(col("org").str.slice(0, 4)), segment_b=_hash(col("org").str.slice(4, 4)),
        name=_hash(col("full")), core=_hash(col("core")), trade=_hash(col("trade")),
        trade_head=_hash(col("trade").str.slice(0, 2)), trade_tail=_hash(col("trade").str.slice(-2)),
        industry=_hash(col("industry")), branch=_hash(col("branch")), owner=_hash(col("owner")),
        phone_a=phone("phone_fixed"), phone_b=phone("phone_mobile"), road=_hash(road),
        road_no=_hash(road + number), room=_hash(col("addr").str.extract(r"(\d+)室", 1)), address=_hash(col("addr")),
        county=col("region_code").str.slice(0, 6).cast(pl.UInt32, strict=False).fill_null(0),
        township=col("region_code").str.slice(0, 9).cast(pl.UInt64, strict=False).fill_null(0),
        village=col("region_code").cast(pl.UInt64, strict=False).fill_null(0),
        industry_code=col("industry_code").str.extract(r"(\d{4})", 1).cast(pl.UInt16, strict=False).fill_null(0),
        kind=col("table_name").replace_strict(KINDS, default=0, return_dtype=pl.UInt8), parent=_hash(parent),
        form=pl.coalesce(col("form").replace_strict({k: i + 1 for i, k in enumerate(FORMS)}, default=0, return_dtype=pl.UInt8), pl.lit(0, pl.UInt8)),
    )
    a = {c: h[c].fill_null(0).to_numpy() for c in h.columns}
    symbols = codes._CREDIT_VALUES[codes.characters(f["credit"].fill_null(""), 18)] if len(f) else np.zeros((0, 18))
    symbols = np.where(symbols < 0, 255, symbols).astype(np.uint8)
    trade = _chars(f["trade"], TRADE_CHARS)
    return Features(
        **a, code_symbols=symbols,
        credit_ok=codes.credit_code_check_ok(f["credit"]).fill_null(False).to_numpy(),
        org_ok=codes.org_code_check_ok(f["org"].fill_null("")).fill_null(False).to_numpy(),
        core_sound=a["core"], trade_sound=a["trade"], owner_sound=a["owner"], trade_chars=trade, trade_sounds=trade,
        is_branch=f["branch"].is_not_null().to_numpy(),
        is_headquarters=(f["is_headquarters"].fill_null(False) | f["name"].str.contains("本部").fill_null(False)).to_numpy(),
        is_generic=(f["trade"].fill_null("") == "").to_numpy(), name_bag=_bag(f["core"]),
        owner_chars=_chars(f["owner"], OWNER_CHARS), address_bag=_bag(f["addr"], 32),
    )
