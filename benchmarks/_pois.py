"""A made-up town of points of interest as two map makers would list it, with the truth (seeded)."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

BRANDS = (
    ("麦当劳", ("餐厅", "")), ("肯德基", ("", "餐厅")), ("星巴克", ("咖啡", "")), ("瑞幸咖啡", ("",)), ("7-ELEVEn", ("便利店", "")),
    ("美宜佳", ("便利店", "")), ("百果园", ("",)), ("沙县小吃", ("",)), ("兰州拉面", ("",)), ("华莱士", ("", "炸鸡汉堡")), ("蜜雪冰城", ("",)),
    ("中国建设银行", ("",)), ("中国工商银行", ("",)), ("中国邮政储蓄银行", ("",)), ("平安银行", ("",)), ("如家酒店", ("",)), ("汉庭酒店", ("",)),
    ("顺丰速运", ("营业点", "")), ("菜鸟驿站", ("",)), ("海王星辰", ("药店", "健康药房")), ("大参林", ("药店", "")), ("中国移动", ("营业厅",)),
    ("正新鸡排", ("",)), ("真功夫", ("",)), ("屈臣氏", ("",)), ("绝味鸭脖", ("",)), ("中石化", ("加油站",)), ("永辉超市", ("",)),
)  # fmt: skip
ROADS = [
    "前进一路",
    "前进二路",
    "宝安大道",
    "新湖路",
    "创业一路",
    "创业二路",
    "建安一路",
    "裕安二路",
    "兴华一路",
    "翻身路",
    "海秀路",
    "罗田路",
    "西乡大道",
    "银田路",
    "固戍一路",
    "航城大道",
    "洲石路",
    "福永大道",
    "桥和路",
    "沙井路",
    "新沙路",
    "环镇路",
    "松福大道",
    "燕川路",
    "石岩大道",
    "宝石东路",
    "凤凰大道",
    "立新路",
    "龙珠路",
    "广深路",
]
AREAS = [
    "新安",
    "西乡",
    "固戍",
    "坪洲",
    "碧海",
    "福永",
    "凤凰",
    "白石厦",
    "沙井",
    "后亭",
    "松岗",
    "燕川",
    "石岩",
    "官田",
    "航城",
    "黄田",
    "翻身",
    "灵芝",
    "洪浪北",
    "宝体",
    "新桥",
    "上星",
    "壆岗",
    "潭头",
    "塘尾",
    "桥头",
    "和平",
    "福海",
]
ESTATES = [
    "中洲华府",
    "西城雅筑",
    "泰华俊庭",
    "幸福海岸",
    "宏发君域",
    "桃源居",
    "金海华府",
    "富通城",
    "丽景城",
    "碧海富通",
    "圣淘沙",
    "招商花园",
    "鸿景园",
    "流塘阳光",
    "海滨新村",
    "雅然居",
    "华盛新沙荟",
    "万科翡丽郡",
    "勤诚达",
    "御景湾",
]
MALLS = [
    "壹方城",
    "海雅缤纷城",
    "天虹商场",
    "宝安大仟里",
    "西乡新天虹",
    "沙井京基百纳",
    "福永新和天虹",
    "松岗佳华",
    "石岩天虹",
    "宝立方",
]
TRADES = [
    "五金店",
    "发廊",
    "理发店",
    "便利店",
    "水果店",
    "药房",
    "牙科诊所",
    "麻辣烫",
    "湘菜馆",
    "川菜馆",
    "烧烤",
    "奶茶店",
    "母婴店",
    "眼镜店",
    "手机维修",
    "汽车美容",
    "洗车行",
    "幼儿园",
    "培训中心",
    "服装店",
    "面包店",
    "饺子馆",
    "肠粉店",
    "鲜花店",
    "宠物店",
]
SURNAMES = [
    "陈",
    "林",
    "黄",
    "李",
    "王",
    "张",
    "刘",
    "吴",
    "周",
    "郑",
    "何",
    "罗",
    "梁",
    "谢",
    "邓",
    "曾",
    "彭",
    "肖",
    "钟",
    "邱",
]
WORDS = [
    "鑫",
    "旺",
    "福",
    "顺",
    "达",
    "佳",
    "美",
    "宏",
    "源",
    "兴",
    "隆",
    "盛",
    "金",
    "玉",
    "祥",
    "瑞",
    "康",
    "乐",
    "吉",
    "安",
    "丰",
    "华",
    "龙",
    "凤",
    "海",
    "天",
    "星",
    "月",
    "阳",
    "光",
    "新",
    "百",
    "万",
    "千",
]
DEPARTMENTS = [
    "停车场",
    "地下停车场",
    "急诊",
    "住院部",
    "门诊部",
    "东门",
    "西门",
    "南门",
    "北门",
    "地面停车场",
    "公交站",
    "体检中心",
]
METRE = 1 / 111195


@dataclass
class Thing:
    """One real thing, with the parts of its name."""

    core: str
    branch: str = ""
    trade: str = ""
    lon: float = 0.0
    lat: float = 0.0
    road: str = ""
    number: int = 1
    area: str = ""
    phone: str = ""
    inside: str = ""
    tail: tuple[str, ...] = field(default=("",))


def town(count: int, seed: int = 1) -> list[Thing]:
    """Return about ``count`` things, crowded around a few centres as in a town."""
    rng = random.Random(seed)
    spread = math.sqrt(count / 3000)
    centres = [
        (113.83 + rng.uniform(-0.05, 0.05) * spread, 22.6 + rng.uniform(-0.06, 0.06) * spread, area)
        for area in AREAS
    ]
    things: list[Thing] = []
    names: set[tuple[str, str, str]] = set()
    while len(things) < count:
        lon, lat, area = rng.choice(centres)
        lon, lat = lon + rng.gauss(0, 500) * METRE, lat + rng.gauss(0, 450) * METRE
        for thing in _at(rng, lon, lat, area):
            # A chain has one branch in one mall; two shops of one name without a branch are rare but happen.
            name = (thing.core, thing.branch, thing.trade)
            if name not in names or (not thing.branch and rng.random() < 0.3):
                names.add(name)
                things.append(thing)
    return things[:count]


def _at(rng: random.Random, lon: float, lat: float, area: str) -> list[Thing]:
    road, number = rng.choice(ROADS), rng.randint(1, 400)

    def thing(core: str, branch: str = "", trade: str = "", near: float = 0.0, **more: object) -> Thing:
        phone = f"0755-{rng.choice('28')}{rng.randint(1000000, 9999999)}" if rng.random() < 0.5 else ""
        phone = phone or f"1{rng.choice('3578')}{rng.randint(100000000, 999999999)}"
        return Thing(
            core, branch, trade, lon + rng.gauss(0, near) * METRE, lat + rng.gauss(0, near) * METRE, road, number, area, phone,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip

    roll = rng.random()
    if roll < 0.35:
        brand, tails = rng.choice(BRANDS)
        where = rng.choice([road, area, rng.choice(ESTATES), rng.choice(MALLS)])
        return [thing(brand, where, tail=tails)]
    if roll < 0.62:
        name = rng.choice(
            [
                rng.choice(SURNAMES) + "记",
                "".join(rng.sample(WORDS, 2)),
                "老" + rng.choice(SURNAMES),
                "".join(rng.sample(WORDS, 3)),
            ]
        )
        return [thing(name, trade=rng.choice(TRADES))]
    if roll < 0.72:
        kind = rng.choice(["小学", "中学", "幼儿园", "社区健康服务中心", "派出所", "公园"])
        core = rng.choice([area, rng.choice(ESTATES), f"{area}第{rng.choice('一二三四')}"])
        first = thing(core, trade=kind)
        return [
            first,
            *([thing(core + kind, trade=rng.choice(DEPARTMENTS), near=60)] if rng.random() < 0.5 else []),
        ]
    if roll < 0.82:
        estate = rng.choice(ESTATES) + rng.choice(["", "一期", "二期", "三期"])
        extra = [
            thing(estate, trade=rng.choice(["停车场", "东门", "南门", "物业管理处"]), near=80)
            for _ in range(rng.randint(0, 2))
        ]
        return [thing(estate), *extra]
    mall = rng.choice(
        [
            rng.choice(MALLS),
            area + rng.choice(MALLS)[2:],
            rng.choice(ESTATES)[:2] + rng.choice(["广场", "天地", "汇", "mall"]),
        ]
    )
    shops = []
    for floor in range(rng.randint(3, 10)):
        brand, tails = rng.choice(BRANDS)
        shops.append(thing(brand, mall, inside=f"{mall}{floor % 5 + 1}层", near=25, tail=tails))
    return [thing(mall, trade="购物中心"), *shops]


def listing(things: list[Thing], style: str, share: float, seed: int) -> list[dict[str, str]]:
    """Return the rows in which one map maker ("a": tidy, "b": loose) lists a share of the things."""
    rng = random.Random(f"{style}{seed}")
    rows = []
    for number, thing in enumerate(things):
        if rng.random() > share:
            continue
        near = 18.0 if style == "a" else rng.choice([30.0, 30.0, 60.0, 60.0, 150.0])
        rows.append(
            {
                "id": f"{style}{len(rows)}",
                "truth": str(number),
                "name": _name(rng, thing, style),
                "tel": _phone(rng, thing, style),
                "address": _address(rng, thing, style),
                "lon": f"{thing.lon + rng.gauss(0, near) * METRE:.6f}",
                "lat": f"{thing.lat + rng.gauss(0, near) * METRE:.6f}",
            }
        )
    rng.shuffle(rows)
    return rows


def _name(rng: random.Random, thing: Thing, style: str) -> str:
    tail = rng.choice(thing.tail)
    core = thing.core
    if core.startswith("中国") and rng.random() < 0.3:
        core = core[2:]
    if style == "b" and rng.random() < 0.12 and len(core) >= 4:
        spot = rng.randrange(len(core))
        core = core[:spot] + core[spot + 1 :]
    if thing.branch:
        end = "支行" if "银行" in core else "店"
        branch = thing.branch if rng.random() < 0.85 else thing.area
        form = rng.random()
        if style == "a" or form < 0.45:
            return f"{core}{tail}({branch}{end})"
        if form < 0.6:
            return f"{core}{branch}{end}"
        if form < 0.7:
            return f"{core}{tail}(深圳{branch}{end})"
        return f"{core}{tail}" if form < 0.85 else f"{core}（{branch}）"
    name = core + thing.trade
    if rng.random() < (0.1 if style == "a" else 0.2):
        name = rng.choice(["深圳市", "宝安区", "深圳", "深圳市宝安区", thing.area]) + name
    if style == "b" and rng.random() < 0.1 and thing.trade and thing.trade not in DEPARTMENTS:
        name = core
    return name


def _phone(rng: random.Random, thing: Thing, style: str) -> str:
    roll = rng.random()
    if roll < (0.35 if style == "a" else 0.5):
        return ""
    if roll > 0.93:
        return f"0755-{rng.randint(20000000, 89999999)}"
    return thing.phone if style == "a" or rng.random() < 0.6 else thing.phone.replace("-", "")


def _address(rng: random.Random, thing: Thing, style: str) -> str:
    roll = rng.random()
    if roll < (0.08 if style == "a" else 0.2):
        return ""
    if style == "a":
        return f"{thing.area}街道{thing.road}{thing.number}号{thing.inside}"
    if roll < 0.6:
        return f"广东省深圳市宝安区{thing.road}{thing.number}号{thing.inside}"
    return (
        f"{thing.road}与{rng.choice(ROADS)}交叉口{rng.choice(['东', '南', '西', '北'])}{rng.randint(2, 30) * 10}米"
        if roll < 0.75
        else (f"{thing.road}{thing.number + rng.choice([0, 0, 2, 1])}号")
    )
