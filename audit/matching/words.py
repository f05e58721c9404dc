"""Words that names are made of: forms, industries, branches, marks; written by hand.

Everything is as folded text writes it (simplified, upper case, 有限责任公司 already 有限公司).
"""

from __future__ import annotations

FIRM, SHOP, PLACE, SOCIETY = 1, 2, 3, 4
"""Classes of forms: named by a 字号 (firm, shop), by where it is (place), by its members."""

FORM_GROUPS: tuple[tuple[int, str], ...] = (
    (FIRM, "有限公司"),
    (FIRM, "股份有限公司 股份公司"),
    (FIRM, "集团有限公司 有限公司集团 集团公司 控股集团有限公司 集团"),
    (FIRM, "集团股份有限公司"),
    (FIRM, "公司 总公司"),
    (FIRM, "股份合作公司 股份合作制公司"),
    (FIRM, "合伙企业 有限合伙企业 普通合伙企业 有限合伙 普通合伙 特殊普通合伙"),
    (FIRM, "合作社 专业合作社 农民专业合作社 专业合作联社 农民合作社 股份合作社"),
    (FIRM, "经济合作社 经济联合社 股份经济合作社 集体经济组织 经济组织"),
    (FIRM, "供销合作社 供销社"),
    (FIRM, "信用社 信用合作社 农村信用社 信用联社 信用合作联社"),
    (FIRM, "家庭农场"),
    (FIRM, "农场"),
    (FIRM, "林场"),
    (FIRM, "律师事务所"),
    (FIRM, "会计师事务所 会计事务所"),
    (FIRM, "事务所"),
    (FIRM, "工作室"),
    (FIRM, "设计院 研究设计院 勘察设计院"),
    (FIRM, "研究院 研究所"),
    (FIRM, "厂 总厂"),
    (FIRM, "矿 煤矿"),
    (FIRM, "中心"),
    (SHOP, "店 商店 小店 专卖店 专营店 连锁店 旗舰店 体验店 便民店 专店"),
    (SHOP, "经营部 销售部 经销部 批发部 零售部 营销部 贸易部"),
    (SHOP, "服务部 维修部 修理部 加工部 制作部"),
    (SHOP, "门市部 门市 营业部 门店"),
    (SHOP, "商行 行 车行 货行 洋行"),
    (SHOP, "馆 馆子"),
    (SHOP, "铺 铺子 商铺 档口"),
    (SHOP, "摊 摊位 摊点 摊档"),
    (SHOP, "坊 作坊"),
    (SHOP, "屋 小屋"),
    (SHOP, "吧"),
    (SHOP, "庄 山庄"),
    (SHOP, "厅"),
    (SHOP, "城"),
    (SHOP, "阁 轩 居 楼 堂 府 苑 园"),
    (SHOP, "会所 俱乐部"),
    (SHOP, "诊所 口腔诊所 中医诊所 门诊部 口腔门诊部"),
    (SHOP, "站 服务站 收购站 回收站 加油站 经销站"),
    (SHOP, "点 代销点 销售点 经营点 服务点 网点"),
    (PLACE, "村民委员会 村委会 村村民委员会 村村委会 村委员会 村民委会"),
    (PLACE, "居民委员会 居委会 社区居民委员会 社区居委会 社区 居民委会 社区委员会"),
    (PLACE, "人民政府 政府"),
    (PLACE, "街道办事处 街道办 街道"),
    (PLACE, "局"),
    (PLACE, "委员会 委"),
    (PLACE, "党委 党组 工作委员会 工委 党工委"),
    (PLACE, "人民代表大会常务委员会 人大常委会 人大 人民代表大会"),
    (PLACE, "政治协商会议委员会 政协"),
    (PLACE, "人民法院 法院"),
    (PLACE, "人民检察院 检察院"),
    (PLACE, "公安局 派出所"),
    (PLACE, "司法所"),
    (PLACE, "财政所"),
    (PLACE, "税务所 税务分局"),
    (PLACE, "办公室"),
    (PLACE, "管理处"),
    (PLACE, "管理所"),
    (PLACE, "管理站"),
    (PLACE, "技术推广站 推广站"),
    (PLACE, "水利站 水管站 水利水电管理站"),
    (PLACE, "文化站 综合文化站"),
    (PLACE, "服务中心 便民服务中心 政务服务中心"),
    (PLACE, "卫生院 中心卫生院"),
    (PLACE, "卫生室 卫生所 村卫生室 村卫生所 医务室"),
    (PLACE, "社区卫生服务中心"),
    (PLACE, "社区卫生服务站"),
    (PLACE, "医院"),
    (PLACE, "疾病预防控制中心 疾控中心"),
    (PLACE, "妇幼保健院 妇幼保健计划生育服务中心"),
    (PLACE, "敬老院 养老院 福利院"),
    (PLACE, "小学 完全小学 完小"),
    (PLACE, "教学点"),
    (PLACE, "初级中学 初中"),
    (PLACE, "高级中学 高中"),
    (PLACE, "中学"),
    (PLACE, "九年一贯制学校"),
    (PLACE, "学校"),
    (PLACE, "幼儿园 中心幼儿园 幼稚园"),
    (PLACE, "大学"),
    (PLACE, "学院"),
    (PLACE, "职业中专 中等专业学校 职业中等专业学校 技工学校"),
    (PLACE, "培训学校 培训中心"),
    (PLACE, "图书馆"),
    (PLACE, "博物馆 纪念馆"),
    (PLACE, "文化馆"),
    (PLACE, "档案馆"),
    (PLACE, "消防站 消防队 消防大队"),
    (PLACE, "大队 支队 中队 总队"),
    (PLACE, "邮政所 邮政支局 邮政局"),
    (PLACE, "寺 庙 庵 道观 教堂 清真寺 禅寺"),
    (PLACE, "管理委员会 管委会"),
    (PLACE, "所"),
    (PLACE, "处"),
    (PLACE, "院"),
    (PLACE, "纪律检查委员会 纪委"),
    (SOCIETY, "协会"),
    (SOCIETY, "商会"),
    (SOCIETY, "学会 研究会"),
    (SOCIETY, "联合会"),
    (SOCIETY, "基金会"),
    (SOCIETY, "促进会"),
    (SOCIETY, "工会 工会委员会 总工会 工会联合会"),
    (SOCIETY, "合作联合会 联谊会 理事会"),
    (FIRM, "LIMITED LTD LTDA COLTD"),
    (FIRM, "PLC"),
    (FIRM, "INC INCORPORATED CORP CORPORATION"),
    (FIRM, "LLC LC"),
    (FIRM, "LLP LP"),
    (FIRM, "GMBH AG KG SA BV NV SRL SPA SARL AB OY PTY PTE PVT PRIVATE"),
    (FIRM, "CO COMPANY"),
)  # fmt: skip

PLAIN_PLACE_WORDS = (
    "中心 人民 实验 完全 中医 中医院 第一人民 第二人民 第三人民 妇幼保健 公办 公立 综合 机关 直属 附属 民族 农村 中西医结合"
).split()
"""Words in front of a place's kind that do not tell one from the other."""

BRANCH_ALWAYS = "分公司 分店 分厂 分行 支行 分社 分校 分院 分部 分所 分理处 支公司 子公司 分会 分中心 支局".split()
BRANCH_AFTER_HEAD = (
    "门市部 营业部 经营部 服务部 办事处 项目部 储蓄所 营业所 连锁店 专卖店 店 门店 代办处 办事所 营业厅 加油站 "
    "工程处 项目经理部 营销服务部 收费站 服务站 仓库 销售部 经销部 网点 代办点 销售处 联络处 供应站 工区 车间 厂"
).split()
BRANCH_HEADS = "合作社 信用社 供销社 联社 银行 集团 医院 学院 中学 小学 大学 学校 大药房 药房 超市 事务所 酒店 宾馆".split()

HEADQUARTERS = ("本部", "总部", "公司本部")
DROPPED_IN_BRACKETS = (
    "本部 总部 个体工商户 个体户 个体 集团 普通合伙 有限合伙 特殊普通合伙 个人独资 个人独资企业 私营 独资 合伙 筹 筹建 "
    "普通合伙企业 有限合伙企业 原 新 法人 产业活动单位"
).split()
PLACEHOLDERS = (
    "无 无名 无名称 无字号 无招牌 无店名 无牌 无名店 无照 暂无 未知 不详 不明 没有 待定 空 NULL NONE NA NAN UNKNOWN "
    "无名个体户 无证 未起名 未命名 个体户 个体 个体工商户 个体经营户 个体经营"
).split()
SELF_EMPLOYED_MARKS = "个体工商户 个体经营户 个体户".split()

INDUSTRY_WORDS = (
    # trade
    "贸易 商贸 经贸 工贸 外贸 商业 商务 进出口 进出口贸易 国际贸易 批发 零售 销售 经销 营销 供应链 供应链管理 电子商务 超市 生活超市 便利 "
    "连锁 连锁经营 银行 农村商业银行 村镇银行 百货 日杂 日用品 杂货 副食 副食品 烟酒 酒类 酒业 茶业 茶叶 食品 粮油 粮食 蔬菜 水果 果蔬 肉食 肉类 水产 海鲜 冷冻食品 干货 土特产 特产 "
    "服装 服饰 鞋业 鞋服 童装 女装 男装 内衣 针织 纺织 布艺 窗帘 家纺 床上用品 箱包 皮具 皮鞋 珠宝 首饰 黄金 眼镜 钟表 化妆品 美妆 "
    "文具 文化用品 办公用品 办公设备 图书 书店 体育用品 玩具 母婴 母婴用品 礼品 工艺品 鲜花 花卉 园艺 宠物 药房 大药房 药店 医药 医药连锁 药业 医疗器械 "
    "家电 电器 家用电器 电子 电子产品 数码 手机 通讯 通讯器材 电脑 灯饰 照明 五金 五金交电 五金建材 建材 建筑材料 装饰材料 水暖 卫浴 洁具 陶瓷 瓷砖 "
    "石材 木材 木业 门窗 铝合金门窗 门业 玻璃 涂料 油漆 家具 家居 橱柜 地板 板材 钢材 钢铁 金属材料 化工 化工产品 塑料 塑胶 橡胶 "
    "农资 农业生产资料 种子 种业 化肥 肥料 农药 饲料 农机 兽药 汽车 汽车销售 汽车贸易 汽车配件 汽配 汽车用品 汽车修理 汽车维修 汽修 摩托车 电动车 "
    "自行车 轮胎 二手车 石油 加油 燃气 天然气 液化气 煤炭 能源 新能源 电力 "
    # making
    "制造 机械 机械制造 机电 机电设备 设备 设备制造 电气 仪器 仪表 仪器仪表 模具 铸造 锻造 冶炼 冶金 有色金属 金属 金属制品 铝业 铜业 锌业 铅锌 矿业 采石 砂石 "
    "水泥 水泥制品 混凝土 商品混凝土 预制 砖瓦 页岩砖 机砖 新型建材 耐火材料 纸业 纸品 造纸 包装 包装材料 印刷 印务 彩印 制衣 服装加工 "
    "制品 木制品 竹木制品 塑料制品 橡胶制品 玻璃制品 工艺 食品加工 粮油加工 大米 米业 精米 榨油 油脂 豆制品 米粉 面条 糕点 烘焙 蛋糕 饮料 矿泉水 纯净水 "
    "酿酒 制药 生物 生物科技 生物工程 生物制药 光电 半导体 电源 电池 电缆 线缆 电线 轴承 阀门 泵业 汽车零部件 零部件 加工 来料加工 "
    # building and property
    "建筑 建筑工程 建设 建设工程 工程 工程建设 土木工程 路桥 公路工程 市政 市政工程 园林 园林绿化 绿化 景观 装饰 装饰工程 装饰设计 装饰装修 装修 装潢 建筑装饰 "
    "防水 钢结构 消防 消防工程 安装 安装工程 水电 水电安装 水利 水利水电 劳务 建筑劳务 地基 爆破 机械租赁 房地产 房地产开发 置业 地产 物业 物业管理 物业服务 "
    "房产 房产中介 房地产经纪 中介 租赁 汽车租赁 "
    # transport, eating, sleeping
    "物流 运输 货运 客运 公交 出租车 快递 快运 速递 仓储 搬家 搬运 货运代理 驾驶 驾驶员培训 餐饮 餐饮管理 餐饮服务 餐馆 饭店 餐厅 小吃 面馆 粉馆 粉面 米粉 早餐 "
    "快餐 火锅 烧烤 夜宵 酒楼 饭庄 农家乐 农庄 牛肉面 酒店 大酒店 酒店管理 宾馆 旅馆 旅店 招待所 客栈 公寓 住宿 茶楼 茶馆 茶 咖啡 奶茶 冷饮 甜品 麻辣烫 卤味 炸鸡 汉堡 "
    # services
    "科技 网络 网络科技 信息 信息技术 信息科技 软件 计算机 技术 技术开发 技术服务 科技发展 电子科技 智能科技 智能 数据 通信 通信工程 传媒 文化传媒 文化 文化传播 文化发展 "
    "广告 广告传媒 图文 打印 图文设计 设计 摄影 婚纱摄影 照相 影楼 婚庆 礼仪 会展 策划 咨询 管理咨询 商务咨询 信息咨询 企业管理 管理 投资 投资管理 投资咨询 资产管理 "
    "实业 实业发展 发展 开发 投资发展 产业 控股 经营 服务 技术咨询 旅游 旅行社 旅游开发 教育 教育培训 教育咨询 教育科技 培训 职业培训 艺术 艺术培训 舞蹈 音乐 美术 体育 健身 "
    "游泳 网吧 网咖 娱乐 歌厅 影院 影城 台球 棋牌 麻将 足浴 足疗 按摩 养生 保健 美容 美容美发 美发 理发 发型 美甲 洗浴 桑拿 洗衣 干洗 家政 保洁 清洁 环保 环保科技 环境 环境工程 "
    "环卫 保安 保安服务 人力资源 劳务派遣 劳务服务 财务 财务咨询 会计 税务 代理记账 担保 融资担保 小额贷款 典当 保险 保险代理 拍卖 评估 检测 监理 测绘 勘察 规划 招标代理 "
    "维修 修理 家电维修 手机维修 电动车维修 摩托车修理 补胎 洗车 汽车美容 开锁 裁缝 缝纫 废品 废品回收 再生资源 回收 医疗 口腔 牙科 中医 养老 养老服务 托管 早教 幼教 "
    # farming
    "农业 农业科技 农业开发 农业发展 生态农业 现代农业 种植 养殖 种养 水产养殖 生猪养殖 养猪 养鸡 家禽 畜牧 牧业 林业 油茶 茶油 苗木 花木 果业 水果种植 蔬菜种植 粮食种植 "
    "水稻 水稻种植 农机服务 农机 农产品 农副产品 生态 渔业 中药材 药材 烟叶 烟草 黄花菜 湘莲 莲子 柑橘 "
    # authorities and institutions
    "卫生 民政 财政 审计 统计 公安 司法 人力资源和社会保障 人力资源社会保障 社会保障 国土资源 自然资源 环境保护 生态环境 住房和城乡建设 城乡建设 城市管理 城市管理和综合执法 交通运输 交通 水务 "
    "农业农村 农村经济 林业 商务 文化旅游广电体育 文化体育 卫生健康 卫生和计划生育 计划生育 应急管理 安全生产监督管理 市场监督管理 工商行政管理 食品药品监督管理 质量技术监督 "
    "国家税务 地方税务 医疗保障 退役军人事务 信访 扶贫开发 发展和改革 科学技术 工业和信息化 经济和信息化 教育体育 机关事务 房产管理 公路 公路管理 农村公路 畜牧水产 畜牧兽医 农机管理 移民 粮食 供销 "
    "老龄 残疾人 妇女 科学技术 气象 地震 档案 动物防疫 农业技术 技术推广 农技 规划 城乡规划 农业综合 林业工作 劳动就业 就业 社会事务 安全生产 国土 村镇建设 规划建设 血防 防汛抗旱 水库 灌区 "
    "老年人 老年 个体私营 企业家 志愿者 慈善 红十字 消费者 书法 美术家 作家 摄影家 钓鱼 足球 篮球 羽毛球 乒乓球 青年 建筑业 餐饮业 零售业"
).split()

LATIN_MARKS = "THE OF AND FOR IN AT".split()
LATIN_BRANCHES = "BRANCH OFFICE DEPOT OUTLET DIVISION STORE".split()
LATIN_INDUSTRIES = (
    "TRADING TRADE CONSTRUCTION ENGINEERING HOLDINGS HOLDING SERVICES SERVICE GROUP INTERNATIONAL SCHOOL COLLEGE ACADEMY UNIVERSITY HOSPITAL "
    "CLINIC SURGERY PHARMACY CHURCH CONSULTING CONSULTANTS CONSULTANCY SOLUTIONS TECHNOLOGY TECHNOLOGIES SYSTEMS SOFTWARE MANAGEMENT PROPERTY "
    "PROPERTIES ESTATES INVESTMENT INVESTMENTS CAPITAL PARTNERS PARTNERSHIP ASSOCIATES BROTHERS SONS LOGISTICS TRANSPORT FREIGHT HAULAGE MOTORS "
    "AUTO GARAGE FOODS FOOD BAKERY BUTCHERS CAFE RESTAURANT HOTEL INN PUB BAR CATERING SUPPLIES SUPPLY MATERIALS PRODUCTS INDUSTRIES INDUSTRIAL "
    "MANUFACTURING ELECTRICAL ELECTRONICS PLUMBING HEATING BUILDERS BUILDING ROOFING FURNITURE DESIGN DESIGNS MEDIA MARKETING PRINTING CLEANING "
    "SECURITY CARE DENTAL HAIR BEAUTY SALON FITNESS TRAVEL TOURS FARM FARMS AGRICULTURE ENERGY POWER CHEMICALS PHARMACEUTICALS TEXTILES FASHION "
    "CLOTHING STORES SHOP SUPERMARKET MARKET IMPORT EXPORT ENTERPRISES ENTERPRISE DEVELOPMENTS DEVELOPMENT FINANCE INSURANCE BANK FUND TRUST "
    "FOUNDATION SOCIETY ASSOCIATION CLUB COUNCIL CENTRE LAW SOLICITORS ACCOUNTANTS ACCOUNTING RECRUITMENT TRAINING EDUCATION NURSERY LABORATORIES"
).split()
LATIN_SAME = {
    "ST": "SAINT", "MT": "MOUNT", "INTL": "INTERNATIONAL", "BROS": "BROTHERS", "CENTER": "CENTRE", "CTR": "CENTRE",
    "MFG": "MANUFACTURING", "SVCS": "SERVICES", "SVC": "SERVICE", "TECHNOLOGIES": "TECHNOLOGY", "TECH": "TECHNOLOGY",
    "ENG": "ENGINEERING", "ENGRG": "ENGINEERING", "CONSTR": "CONSTRUCTION", "ASSOC": "ASSOCIATES", "ASSN": "ASSOCIATION",
    "MGMT": "MANAGEMENT", "DEV": "DEVELOPMENT", "DEVELOPMENTS": "DEVELOPMENT", "DIST": "DISTRIBUTION", "GRP": "GROUP",
    "HLDGS": "HOLDINGS", "HOLDING": "HOLDINGS", "UNIV": "UNIVERSITY", "HOSP": "HOSPITAL", "SCH": "SCHOOL",
    "PRIM": "PRIMARY", "SVS": "SERVICES", "ENTERPRISE": "ENTERPRISES", "SOLUTION": "SOLUTIONS", "SYSTEM": "SYSTEMS",
    "CONSULTANTS": "CONSULTING", "CONSULTANCY": "CONSULTING", "INDUSTRIAL": "INDUSTRIES", "IND": "INDUSTRIES",
    "PROPERTY": "PROPERTIES", "INVESTMENT": "INVESTMENTS", "SUPPLY": "SUPPLIES", "TRADE": "TRADING", "LABS": "LABORATORIES",
}  # fmt: skip


def form_phrases() -> dict[str, int]:
    """Return the forms of names in Chinese characters with the number of their group, from 1."""
    return {
        word: number
        for number, (_, words) in enumerate(FORM_GROUPS, 1)
        for word in words.split()
        if not word.isascii()
    }


def form_classes() -> list[int]:
    """Return the class of each group's number; 0 of none."""
    return [0, *(kind for kind, _ in FORM_GROUPS)]


def latin_forms() -> dict[str, int]:
    """Return the forms of names in Latin letters with the number of their group."""
    return {
        word: number
        for number, (_, words) in enumerate(FORM_GROUPS, 1)
        for word in words.split()
        if word.isascii()
    }
