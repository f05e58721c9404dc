"""Composed names of firms, cooperatives, institutions and shops; no real one on purpose."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Draw, choose, join_text

CHARACTERS = list(
    "鑫源兴隆盛达宏顺昌泰恒丰裕和祥瑞康宁安平永久长荣华茂富贵金银宝通运亨利发旺吉庆福禄寿嘉美佳雅韵博信诚义仁德智慧创新锐"
    "腾飞翔跃凯捷迅远航天宇星辰阳光明亮晨曦旭东方南岳湘雁衡蒸耒洣江河湖海川山峰岭岩石松柏竹梅兰菊荷莲桂枫林森木禾谷穗稻香甘"
    "泉溪润泽霖雨云霞虹彩凤凰龙麟鹏鹤鸿燕骏驰骥铭钰锦绣绿青蓝紫朗清静逸轩亭阁楼台城邦国泓晟昊煜烨皓博瀚瑾瑜璟琪"
)
BRANCHES = ("分公司", "门市部", "营业部", "经营部", "门店")
FORMS = (
    ("有限公司", "173", 52.0),
    ("有限责任公司", "173", 12.0),
    ("有限公司", "159", 12.0),
    ("有限责任公司", "159", 5.0),
    ("有限责任公司", "151", 1.2),
    ("股份有限公司", "160", 1.2),
    ("股份有限公司", "174", 0.8),
    ("经营部", "171", 5.0),
    ("服务部", "171", 3.0),
    ("中心", "171", 2.5),
    ("商行", "171", 2.0),
    ("合伙企业", "172", 1.2),
    ("总公司", "110", 0.5),
    ("公司", "120", 0.6),
    ("股份合作公司", "130", 0.3),
    ("有限公司", "230", 0.3),
    ("有限公司", "210", 0.2),
    ("有限公司", "330", 0.2),
    ("有限公司", "310", 0.2),
)
"""Ending of the name, registration type (list 2.6), share."""
HOLDING = {
    "110": "1", "120": "2", "130": "2", "151": "1", "159": "3", "160": "3", "171": "3", "172": "3",
    "173": "3", "174": "3", "210": "4", "230": "4", "310": "5", "330": "5",
}  # fmt: skip


def trade_names(draw: Draw, n: int, long_share: float = 0.45) -> pl.Series:
    """Return n trade names (字号) of two or three characters."""
    third = choose(draw.chance(n, long_share), draw.pick(CHARACTERS, n), "")
    return join_text(draw.pick(CHARACTERS, n), draw.pick(CHARACTERS, n), third)


def unique_stems(draw: Draw, words: pl.Series) -> pl.Series:
    """Return a trade name for each word such that no two names with the same word are equal."""
    stems = trade_names(draw, len(words))
    for _ in range(20):
        again = ~join_text(stems, "|", words).is_first_distinct()
        if not again.any():
            return stems
        stems = choose(again, trade_names(draw, len(words), 1.0), stems)
    raise ValueError("too few trade names for so many units")


def firm_prefixes(draw: Draw, homes: pl.DataFrame) -> pl.Series:
    """Return the place in front of a firm's name: city, county or province."""
    n = homes.height
    kind = draw.index(4, n, [0.46, 0.34, 0.14, 0.06])
    county = choose(kind == 1, homes["short"], join_text("衡阳", homes["short"]))
    return choose(kind == 0, "衡阳市", choose(kind == 3, "湖南", county))


def firm_names(draw: Draw, homes: pl.DataFrame, words: pl.Series, endings: pl.Series) -> pl.Series:
    """Return firm names: place, trade name, industry word, ending; some with the place inside."""
    place, stem = firm_prefixes(draw, homes), unique_stems(draw, words)
    usual = join_text(place, stem, words, endings)
    inside = join_text(stem, "（", homes["short"], "）", words, endings)
    return choose(draw.chance(len(words), 0.04), inside, usual)


def cooperative_names(draw: Draw, homes: pl.DataFrame, words: pl.Series) -> pl.Series:
    """Return names of farmers' cooperatives."""
    return join_text(homes["short"], unique_stems(draw, words), words, "专业合作社")


def committee_names(homes: pl.DataFrame, bare: np.typing.NDArray[np.bool_]) -> pl.Series:
    """Return names of village and residents' committees; bare ones repeat across townships."""
    body = choose(homes["urban"], "居民委员会", "村民委员会")
    short = join_text(homes["village"], body)
    return choose(bare, short, join_text(homes["county"], homes["township"], short))


def shop_names(draw: Draw, homes: pl.DataFrame, words: pl.Series, owners: pl.Series) -> pl.Series:
    """Return names of households: with a sign, after the owner, or generic without a sign."""
    n = len(words)
    kind = draw.index(4, n, [0.52, 0.16, 0.14, 0.18])
    signed = join_text(trade_names(draw, n, 0.3), words)
    owner = join_text(owners.str.slice(0, 1), "记", words)
    placed = join_text(homes["short"], homes["township"], signed)
    return choose(kind == 0, signed, choose(kind == 1, placed, choose(kind == 2, owner, words)))


def written_otherwise(draw: Draw, names: pl.Series, share: float) -> pl.Series:
    """Return the names as a department may write them: other brackets, a blank, with 责任."""
    frame = pl.DataFrame({"name": names, "kind": draw.index(3, len(names))})
    half = pl.col("name").str.replace_all("（", "(").str.replace_all("）", ")")
    longer = pl.col("name").str.replace("([^责任份])有限公司$", "${1}有限责任公司")
    spaced = pl.col("name").str.slice(0, 3) + " " + pl.col("name").str.slice(3)
    varied = pl.when(pl.col("kind") == 0).then(half).when(pl.col("kind") == 1).then(longer)
    other = frame.select(varied.otherwise(spaced)).to_series()
    return choose(draw.chance(len(names), share), other, names)
