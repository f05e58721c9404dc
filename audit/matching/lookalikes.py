"""Characters that are read or copied for one another because they look alike (形近字).

Written down by hand for this package: characters of a few strokes that differ by one of them, and
characters of one component that differ in the radical. Those that also sound alike are known as
homophones already; here they do no harm.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from audit.matching.features import U16, U32, Flags

_GROUPS = """
人入八 大太犬天夫 土士 干千于午牛 己已巳 日曰目白自 末未 王玉主五 田由甲申电 刀力刁 厂广
几九凡丸 儿几 上土止 小少 木本术禾 水永冰 火灭 手毛 日旦 石右古后 万方 乌鸟岛 兔免 午牛 云去
元无天 见贝 今令 风凤 半丰羊 东乐 车东 全金 生主 平半 兵乒乓 丘兵 住往佳 侯候 仓仑 代伐 化北比
仁任 仿防妨访 仪议义 但旦担 何河荷 位拉泣 体休 佳住桂 伟纬炜玮 优忧 伦轮论沦 伯柏拍泊怕 亨享
京凉晾 亮高 享亨 卓草 宁宇 宇字宁 宏宠 安按 完宗 宗宋 宜宣 官宫管 宝宇 定淀绽 室宣 客容 密蜜
富福 宾宝 居届 展屋 尚当 岗冈刚 岳兵 峰锋蜂烽 崇祟 川州 巨臣 市布 帅师 希布 常堂 幸辛 康庚 庆厌
店庄 府俯腑 座坐 建健键 弘私 张涨 强弱 形刑 彩采菜 徐除涂 得德 微徽 志忘 忠患 思恩 恒垣桓 恩思
悦说锐税脱 惠慧 想相 戊戌戍成 成城诚 戴载 才寸 拓拆 振震 捷健 换焕涣 措错 提堤 搏博 撤撒 支友
敏繁 文丈 新析 旭旮 旺汪 昌晶 明朋 易昜 星显 春舂 昊吴 昕听 映央 晋普 晓浇烧绕饶 晨辰 景影 智知
晴睛清情请靖 暖缓援 曼慢漫 朗郎浪 望忘 朝潮 材村 杉彬 李季 杨扬场汤 林森 松私 枝技 柏拍 柳聊
桃挑 栋拣 格恪 桥侨骄娇 梁粱 梅海 棉绵锦 森林 楼搂 概慨 欣欧 欢次 正止 武贰 汇江 汉汊 江红 池地
沈沉 沙纱 沛市 泰秦奉春 泉皇 波坡 泽译择 洋祥详样 洁结 洪供 津律 海诲梅 涛寿 润闰 淘陶掏 清青请
渊洲 渔鱼 湖糊胡 源原愿 滨宾 潭谭 澜斓 灵炅 炎焱 炬矩 烁铄砾 烨晔 煌惶 照昭 熙照 熊态 爱受 牧枚
特持 狮师 珍诊 珠株殊 班斑 琪淇棋祺 瑞端湍 瑶遥谣 瑾谨 璟景 璧壁 甜恬 甬角 男思 畅场 百白 皇皂
盈盆 盛成 真直 眉睛 知和 砂沙 硕顾 碧碎 祥详 福富副 禄绿录 秀季 秋称 科料 程逞 稳隐 稻稽 立产
章竟 童章 竹林 笑竺 第弟 策荣 签答 米来 粤奥 精清 紫柴 红江 纪记 纳呐 纯钝 组祖 细田 织职 绍昭
经轻 绿缘录 维惟 罗萝 群郡 翔详 翠碎 老考 耀跃 联朕 聚骤 肖尚 胜性 胡湖 航杭 良艮 色包 艺亿 节苦
芝乏 芬纷 芳若 苏办 若苦 英央 范苑 茂戊 茗若 荣菜 莉利 莲连 菱凌陵 萍苹 营荣莹 蓝篮 蕾雷 藤腾滕
虎虚 虹红 裕浴 西酉四 诺若 诗待 诚城 谊宜 谷各 豪毫 贝见 贤坚 贵责 赛寨 赢羸 超起 越赵 跃妖 辉浑
辰晨 辽疗 达送 迁迂 运远 连莲 迪由 逸免 通涌桶 速束 道首 遇偶 邦帮 郑邓 郭敦 都郁 采彩 里黑 金全
钢钧 钰玉 铁轶 铜桐 铭名茗 银根跟 锋峰 锐悦 锦棉绵 镇填 长卡 闪闲 闽闸 阳阴 陆阵 陈阵
隆降 雅稚 集隼 雨两 雪雷 雷霄 露霜 霖霜 霞震 青春 静净 韵钧 顺须 顶项 颖颍 频须 飞气 馨磬 驰弛池
骏俊峻竣 高亮 鲁鱼 鲜鲁 鸣呜 鸿鸣 鹏朋 鹤鹊 麒麟 麦表 黎藜 龙尤
"""
_SHIFT = np.uint32(16)


@cache
def _pairs() -> U32:
    """Return the pairs of characters that look alike, both ways, packed and in order."""
    pairs = {
        ord(a) << 16 | ord(b) for group in _GROUPS.split() for a, b in permutations(set(group), 2)
    }
    return np.array(sorted(pairs), np.uint32)


def look_alike(left: U16, right: U16) -> Flags:
    """Say which characters look like those of the other side; simplified characters are known."""
    wanted = left.astype(np.uint32) << _SHIFT | right
    pairs = _pairs()
    at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    result: Flags = pairs[at] == wanted
    return result
