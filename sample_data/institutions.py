"""Government bodies, public institutions, societies and private non-enterprise units."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.draws import Draw, Ints, choose, join_text
from sample_data.names import unique_stems
from sample_data.places import Places

OFFICES = (("人民政府", "9221"), ("财政所", "9225"), ("司法所", "9224"), ("国土资源所", "9225"),
           ("人民代表大会", "9210"), ("经济发展办公室", "9225"), ("民政办公室", "9224"),
           ("安全生产监督管理站", "9226"))  # fmt: skip
BUREAUS = (("教育局", "9224"), ("财政局", "9225"), ("民政局", "9224"), ("水利局", "9225"),
           ("农业局", "9225"), ("林业局", "9225"), ("统计局", "9225"), ("审计局", "9226"),
           ("商务局", "9225"), ("司法局", "9224"), ("交通运输局", "9225"), ("文化局", "9224"),
           ("卫生和计划生育局", "9224"), ("住房和城乡建设局", "9225"))  # fmt: skip
STATIONS = (("中学", "8331"), ("中心小学", "8321"), ("卫生院", "8423"), ("文化站", "8870"),
            ("农业技术推广站", "7511"), ("水利管理站", "7690"), ("林业工作站", "7511"),
            ("计划生育服务站", "8436"), ("敬老院", "8514"), ("动物防疫站", "7511"))  # fmt: skip
CENTRES = (("人民医院", "8411"), ("中医医院", "8412"), ("图书馆", "8831"), ("第一中学", "8334"),
           ("疾病预防控制中心", "8431"), ("妇幼保健院", "8433"), ("实验小学", "8321"),
           ("文化馆", "8870"), ("档案馆", "8832"), ("博物馆", "8850"))  # fmt: skip
BARE_SCHOOLS = (
    ("希望小学", "8321"),
    ("中心小学", "8321"),
    ("中心幼儿园", "8310"),
    ("新民小学", "8321"),
    ("育才小学", "8321"),
)
SOCIETIES = (
    ("老年人体育协会", "9529"),
    ("商会", "9522"),
    ("养殖协会", "9521"),
    ("个体劳动者协会", "9522"),
    ("老科技工作者协会", "9521"),
    ("油茶产业协会", "9522"),
    ("书法家协会", "9521"),
    ("志愿者协会", "9529"),
    ("扶贫开发协会", "9529"),
    ("食品行业协会", "9522"),
)
PRIVATE = (
    ("幼儿园", "8310", 34.0),
    ("职业技能培训学校", "8391", 10.0),
    ("养老服务中心", "8514", 8.0),
    ("门诊部", "8425", 10.0),
    ("康复医院", "8415", 4.0),
    ("社会工作服务中心", "8521", 6.0),
    ("艺术培训学校", "8393", 8.0),
)
ACTIVITIES = {
    "9221": "综合事务管理",
    "9225": "经济事务管理",
    "9224": "社会事务管理",
    "9210": "国家权力机构",
    "9226": "行政监督检查",
    "8331": "普通初中教育",
    "8321": "普通小学教育",
    "8423": "乡镇卫生院诊疗",
    "8870": "群众文体活动",
    "7511": "农林牧渔技术推广",
    "7690": "水利管理",
    "8436": "计划生育技术服务",
    "8514": "老年人养护",
    "8411": "综合医院诊疗",
    "8412": "中医医院诊疗",
    "8831": "图书馆",
    "8334": "普通高中教育",
    "8431": "疾病预防控制",
    "8433": "妇幼保健",
    "8832": "档案馆",
    "8850": "博物馆",
    "8310": "学前教育",
    "9529": "社会团体活动",
    "9522": "行业性团体活动",
    "9521": "专业性团体活动",
    "8391": "职业技能培训",
    "8425": "门诊诊疗",
    "8415": "专科医院诊疗",
    "8521": "社会看护与帮助",
    "8393": "文化艺术培训",
    "8424": "村卫生室诊疗",
    "9530": "基金会",
    "9610": "社区自治",
    "9620": "村民自治",
}


def _grid(frame: pl.DataFrame, kinds: tuple[tuple[str, str], ...], place: pl.Expr) -> pl.DataFrame:
    words = pl.DataFrame(list(kinds), schema=["word", "industry_code"], orient="row")
    crossed = frame.join(words, how="cross", maintain_order="left")
    return crossed.select("village_no", "industry_code", name=place + pl.col("word"))


def _seats(places: Places) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return villages with their position, one village a township, and one a county."""
    villages = places.villages.with_row_index("village_no")
    towns = villages.unique("township_code", keep="first", maintain_order=True)
    return villages, towns, villages.unique("county_code", keep="first", maintain_order=True)


def candidates(places: Places, kind: str) -> pl.DataFrame:
    """Return every possible unit of a kind once: village_no, industry_code, name."""
    villages, towns, counties = _seats(places)
    town = pl.col("county") + pl.col("township")
    if kind == "government":
        return pl.concat([_grid(towns, OFFICES, town), _grid(counties, BUREAUS, pl.col("county"))])
    if kind == "institution":
        schools = _grid(villages, (("小学", "8321"),), town + pl.col("village"))
        bare = _grid(towns, BARE_SCHOOLS, pl.lit(""))
        centres = _grid(counties, CENTRES, pl.col("county"))
        return pl.concat([_grid(towns, STATIONS, town), centres, bare, schools])
    return pl.concat([_grid(towns, SOCIETIES, town), _grid(counties, SOCIETIES, pl.col("county"))])


def sampled(places: Places, kind: str, n: int, draw: Draw) -> pl.DataFrame:
    """Return n different units of a kind; fewer where the city has no more of them."""
    every = candidates(places, kind)
    if kind == "institution":
        every = _bare_first(every, draw)
    else:
        every = every[draw.rng.permutation(every.height)]
    return every.head(n)


def _bare_first(every: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Shuffle, bare school names more often in front: they repeat across townships by right."""
    bare = every["name"].is_in([word for word, _ in BARE_SCHOOLS]).to_numpy()
    keys = draw.rng.random(every.height) - 0.06 * bare
    return every[np.argsort(keys, kind="stable")]


def private_units(places: Places, village: Ints, draw: Draw) -> pl.DataFrame:
    """Return private non-enterprise units; village clinics have bare names."""
    n = len(village)
    homes = places.villages[village]
    at = draw.index(len(PRIVATE), n, [share for *_, share in PRIVATE])
    words = pl.Series([word for word, *_ in PRIVATE]).gather(at)
    names = join_text(homes["short"], homes["township"], unique_stems(draw, words), words)
    first = pl.Series(village).is_first_distinct().to_numpy()
    clinic = draw.chance(n, 0.3) & first & ~homes["urban"].to_numpy()
    return pl.DataFrame(
        {
            "village_no": village,
            "industry_code": choose(
                clinic, "8424", pl.Series([code for _, code, _ in PRIVATE]).gather(at)
            ),
            "name": choose(clinic, join_text(homes["village"], "卫生室"), names),
        }
    )


def foundations(places: Places, village: Ints, draw: Draw) -> pl.DataFrame:
    """Return foundations."""
    words = pl.Series(["慈善基金会"] * len(village))
    names = join_text("衡阳市", unique_stems(draw, words), words)
    code = pl.Series(["9530"] * len(village))
    return pl.DataFrame({"village_no": village, "industry_code": code, "name": names})
