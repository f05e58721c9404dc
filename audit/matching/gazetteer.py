"""Names of places: what is taken off the front of a unit's name and of its address."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audit.matching.characters import U64, Hashes, Phrases, Text, folded, hashed

PROVINCES = (
    "北京市 天津市 上海市 重庆市 河北省 山西省 辽宁省 吉林省 黑龙江省 江苏省 浙江省 安徽省 福建省 江西省 山东省 河南省 湖北省 湖南省 广东省 "
    "海南省 四川省 贵州省 云南省 陕西省 甘肃省 青海省 台湾省 内蒙古自治区 广西壮族自治区 西藏自治区 宁夏回族自治区 新疆维吾尔自治区 "
    "香港特别行政区 澳门特别行政区"
).split()
CITIES = (
    "石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 呼和浩特 包头 乌海 赤峰 通辽 "
    "鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 葫芦岛 长春 吉林 四平 辽源 通化 白山 松原 白城 "
    "哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 "
    "杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 "
    "福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶 济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 "
    "泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 武汉 黄石 "
    "十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西土家族苗族自治州 广州 韶关 深圳 "
    "珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 "
    "河池 来宾 崇左 海口 三亚 三沙 儋州 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 贵阳 六盘水 遵义 安顺 "
    "毕节 铜仁 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 拉萨 日喀则 昌都 林芝 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛 兰州 嘉峪关 金昌 白银 天水 "
    "武威 张掖 平凉 酒泉 庆阳 定西 陇南 西宁 海东 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密"
).split()
ENDINGS = ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "地区", "省", "市", "县", "区")
"""Kinds of regions that a name may leave out."""

PROVINCE, CITY, COUNTY, TOWN, VILLAGE = 1, 2, 3, 4, 5
_VILLAGE_ENDINGS = ("村民委员会", "居民委员会", "村委会", "居委会", "委会", "委员会")


def short_name(name: str) -> str:
    """Return a region's name without its kind, where two characters or more remain."""
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name.removesuffix(ending)
    return name


def _level(code: str) -> int:
    for level, digits in ((PROVINCE, 2), (CITY, 4), (COUNTY, 6), (TOWN, 9)):
        if not code[digits:].strip("0"):
            return level
    return VILLAGE


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Places by name: `forms` of writing with the place's number, `levels` 1 to 5 of each number.

    `keys` is the hash of each place's short name, 0 at number 0 (no place); `bare` tells that a
    form of writing leaves the kind of region out.
    """

    phrases: Phrases = field(repr=False)
    upper: Phrases = field(repr=False)
    levels: NDArray[np.int64]
    keys: U64
    bare: NDArray[np.bool_]

    @classmethod
    def from_regions(cls, regions: pl.DataFrame) -> Gazetteer:
        """Return the gazetteer of a `region` list: columns region_code and name (level unused).

        Provinces and cities of the whole country are known without it.
        """
        forms = _national()
        listed = regions.select("region_code", "name").drop_nulls().unique().sort("region_code", "name")
        for code, name in listed.iter_rows():
            _add(forms, _plain(name), _level(code))
        return cls._of(forms)

    @classmethod
    def _of(cls, forms: dict[str, tuple[str, int]]) -> Gazetteer:
        texts = sorted(forms)
        numbers = {text: number for number, text in enumerate(texts, 1)}
        levels = np.array([0, *(forms[text][1] for text in texts)])
        shorts = [forms[text][0] for text in texts]
        return cls(
            phrases=Phrases(numbers),
            upper=Phrases({t: n for t, n in numbers.items() if forms[t][1] <= CITY}),
            levels=levels,
            keys=np.concatenate([np.zeros(1, dtype=np.uint64), hashed(shorts)]),
            bare=np.array([False, *(s == t and forms[t][1] <= COUNTY for s, t in zip(shorts, texts, strict=True))]),
        )


def _plain(name: str) -> str:
    text = folded(pl.Series([name])).letters()
    return text.codes.astype("<u4").tobytes().decode("utf-32-le")


def _national() -> dict[str, tuple[str, int]]:
    forms: dict[str, tuple[str, int]] = {}
    for city in CITIES:
        _add(forms, city if city.endswith("州") and len(city) > 4 else city + "市", CITY)
    for province in PROVINCES:
        _add(forms, province, PROVINCE)
    return forms


def _add(forms: dict[str, tuple[str, int]], name: str, level: int) -> None:
    """Enter the ways to write a place; the higher place keeps a name that two have."""
    if len(name) < 2 or name in ("市辖区", "县", "省直辖县级行政区划"):
        return
    short = short_name(name) if level <= COUNTY else name
    writings = {name, short}
    if level == TOWN and name.endswith("办事处"):
        writings = {name, name.removesuffix("办事处")}
    if level == VILLAGE:
        bare = next((name.removesuffix(e) for e in _VILLAGE_ENDINGS if name.endswith(e)), name)
        writings = {name, *(w for w in (bare, bare + "村", bare + "社区") if w[-1] in "村区" and len(w) > 2)}
    for writing in sorted(writings):
        if writing not in forms or forms[writing][1] > level:
            forms[writing] = (short, level)
