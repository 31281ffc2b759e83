"""Names of generated people and things: drawn from common characters, with the rare and foreign ones real life has."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The hundred most common surnames with their rough weight in a city of migrants from the south.
_SURNAMES = (
    "李王张刘陈杨黄周吴林罗赵谢郭何曾钟朱邓徐胡梁孙马高彭叶许唐冯郑廖萧董卢苏蔡魏蒋赖余程邹江谭傅曹袁沈吕方温熊丁宋"
    "潘韦莫欧戴刁范石龙汪文姚易龚尹付贺尤秦夏邱侯雷史陶顾毛覃肖洪颜严詹凌万柯申麦区翁阮卓游关洗甘康"
)
_DOUBLE = ("欧阳", "司徒", "上官", "诸葛", "司马", "东方", "皇甫", "尉迟")
_MALE = (
    "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢佳阳建亮成国志文博天浩然子轩宇泽皓梓晨睿铭航"
    "嘉豪振海东立新永春光荣庆祥生发财金水木火土良德仁义礼信忠孝廷锋彬峰毅翔晖权坤雄邦昌盛"
)
_FEMALE = (
    "芳娜敏静丽艳娟霞秀燕玲桂英兰梅红云莲珍雪婷慧莹雨欣悦怡萱梓涵诗琪若曦紫嫣可馨思语依诺妍彤淑惠洁琳蓉菊萍"
    "凤琴素美春花香月爱巧倩颖露瑶佩珊楠蕾薇菲柔晴岚蓓蕊芝茜"
)
# GB 18030-2022: from the basic plane's far corners, extension A, and the supplementary plane.
RARE_COMMON = "喆赟翀彧頔珺淼垚犇骉鑫燚晢堃旻昉弢笪亓郄麴妘甯珲璟瑄瑀玥昇"
RARE_EXTENDED = "㐂㛃㴔㵒䶮䜣䲠䴗𬭁𠅤𫖯𫍯𫘜𬍛𬭎𬱖𫓧𩽾𠮷𬀩𬴂𫄨𬸚"
_DOT_FIRST = (
    "阿卜杜拉", "买买提", "艾合买提", "阿依古丽", "古丽娜尔", "迪丽热巴", "吐尔逊", "努尔古丽", "热依汗", "库尔班",
    "叶尔江", "阿曼古丽", "巴哈尔古丽", "玉素甫", "麦麦提明", "帕提古丽", "萨拉麦提", "木合塔尔", "赛力克", "哈丽旦",
)  # fmt: skip
_DOT_LAST = (
    "买买提", "吾买尔", "艾山", "托合提", "阿布都热合曼", "肉孜", "依明", "卡德尔", "亚森", "赛买提", "努尔买买提", "吐拉洪",
    "哈力克", "司马义", "阿不力孜", "伊布拉音", "沙吾提", "库尔班江", "巴依尔", "热合木",
)  # fmt: skip
_TIBETAN = ("扎西", "多吉", "卓玛", "次仁", "达瓦", "平措", "央金", "旺堆", "德吉", "洛桑", "白玛", "丹增")
_FOREIGN_GIVEN = (
    "JOHN", "MARIA", "AHMED", "YUKI", "MIN-JUN", "PRIYA", "IVAN", "FATIMA", "PETER", "ANNA", "DAVID", "LINH", "OMAR",
    "SOFIA", "CARLOS", "AIKO", "JOSE LUIS", "EMMA", "KOFI", "NGUYEN THI",
)  # fmt: skip
_FOREIGN_LAST = (
    "SMITH", "GARCIA", "KHAN", "TANAKA", "KIM", "SHARMA", "PETROV", "HASSAN", "MUELLER", "O'BRIEN", "SILVA", "TRAN",
    "AL-RASHID", "ROSSI", "DUBOIS", "SATO", "MENSAH", "VAN DER BERG", "LEE", "JOHANSSON",
)  # fmt: skip

TRADE_FIRST = (
    "宏泰华金鑫恒盛隆昌达兴旺瑞祥嘉瑞博创新科锐优卓越中南深粤港湾海天地宇辰星辉耀光明德信诚义和顺通联众合力汇聚源丰茂永"
    "久安康福禄寿喜万千百亿龙凤麒麟鹏翔飞腾跃升启航远景前程东方南北西雅美佳丽维诺思睿智慧云数字蓝绿青红紫"
)
INDUSTRIES: tuple[tuple[str, str, str], ...] = (
    # word in the name, industry, kind of place it works in
    ("科技", "信息技术服务业", "office"), ("电子", "制造业", "factory"), ("贸易", "批发和零售业", "office"),
    ("五金制品", "制造业", "factory"), ("塑胶制品", "制造业", "factory"), ("精密模具", "制造业", "factory"),
    ("物流", "交通运输业", "office"), ("供应链管理", "商务服务业", "office"), ("自动化设备", "制造业", "factory"),
    ("光电", "制造业", "factory"), ("服饰", "制造业", "factory"), ("装饰工程", "建筑业", "office"),
    ("网络科技", "信息技术服务业", "office"), ("文化传播", "文化业", "office"), ("餐饮管理", "餐饮业", "shop"),
    ("建材", "批发和零售业", "shop"), ("新能源", "制造业", "factory"), ("医疗器械", "制造业", "factory"),
    ("教育咨询", "教育", "office"), ("物业管理", "房地产业", "office"), ("包装材料", "制造业", "factory"),
    ("汽车服务", "居民服务业", "shop"), ("生物科技", "制造业", "factory"), ("电子商务", "批发和零售业", "office"),
)  # fmt: skip
SHOPS: tuple[tuple[str, str, str], ...] = (
    ("便利店", "批发和零售业", "shop"), ("餐厅", "餐饮业", "shop"), ("理发店", "居民服务业", "shop"),
    ("五金店", "批发和零售业", "shop"), ("药房", "批发和零售业", "shop"), ("小吃店", "餐饮业", "shop"),
    ("服装店", "批发和零售业", "shop"), ("水果店", "批发和零售业", "shop"), ("维修部", "居民服务业", "shop"),
    ("商行", "批发和零售业", "shop"), ("经营部", "批发和零售业", "shop"), ("工作室", "商务服务业", "office"),
)  # fmt: skip


def _pool(text: str) -> pl.Series:
    return pl.Series(list(text), dtype=pl.String)


def take(pool: pl.Series, at: Ints) -> pl.Series:
    """Return the pool's texts at the positions ``at``."""
    return pool.gather(pl.Series(at, dtype=pl.UInt32))


def surnames(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw surnames by weight; one in two hundred is a double one."""
    pool = pl.concat([_pool(_SURNAMES), pl.Series(_DOUBLE, dtype=pl.String)])
    weight = np.concatenate([1.0 / np.arange(4, 4 + len(_SURNAMES)) ** 0.85, np.zeros(len(_DOUBLE))])
    weight[len(_SURNAMES) :] = weight.sum() * 0.005 / len(_DOUBLE)
    return take(pool, rng.choice(len(pool), count, p=weight / weight.sum()))


def given_parts(rng: np.random.Generator, female: Bools) -> tuple[pl.Series, pl.Series]:
    """Draw the first and the last character of given names; the first is empty for one name in six."""
    count = len(female)
    male_pool, female_pool = _pool(_MALE), _pool(_FEMALE)

    def draw() -> pl.Series:
        # Squaring the uniform draw makes the pool's first characters the popular ones.
        spot = rng.random(count) ** 1.6
        men = take(male_pool, (spot * len(male_pool)).astype(np.int64))
        women = take(female_pool, (spot * len(female_pool)).astype(np.int64))
        return pl.select(pl.when(pl.Series(female)).then(women).otherwise(men)).to_series()

    first, last = draw(), draw()
    single = pl.Series(rng.random(count) < 0.16)
    first = pl.select(pl.when(single).then(pl.lit("")).otherwise(first)).to_series()
    return first, last


def rare_characters(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw rare characters; a third come from the extensions."""
    pool = _pool(RARE_COMMON + RARE_EXTENDED)
    extended = rng.random(count) < 0.35
    common_at = rng.integers(0, len(RARE_COMMON), count)
    extended_at = len(RARE_COMMON) + rng.integers(0, len(RARE_EXTENDED), count)
    return take(pool, np.where(extended, extended_at, common_at))


def minority_names(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw minority names; four in five carry the dot ·."""
    first = take(pl.Series(_DOT_FIRST), rng.integers(0, len(_DOT_FIRST), count))
    last = take(pl.Series(_DOT_LAST), rng.integers(0, len(_DOT_LAST), count))
    one = take(pl.Series(_TIBETAN), rng.integers(0, len(_TIBETAN), count))
    two = take(pl.Series(_TIBETAN), rng.integers(0, len(_TIBETAN), count))
    dotted = pl.Series(rng.random(count) < 0.8)
    return pl.select(pl.when(dotted).then(first + "·" + last).otherwise(one + two)).to_series()


def foreign_names(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw names as passports print them: surname, then given names, in capitals."""
    last = take(pl.Series(_FOREIGN_LAST), rng.integers(0, len(_FOREIGN_LAST), count))
    return last + " " + take(pl.Series(_FOREIGN_GIVEN), rng.integers(0, len(_FOREIGN_GIVEN), count))


def trade_names(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw trade names (字号) of two to four characters."""
    pool = _pool(TRADE_FIRST)
    draws = [take(pool, rng.integers(0, len(pool), count)) for _ in range(4)]
    size = rng.choice([2, 3, 4], count, p=[0.35, 0.45, 0.20])
    three = pl.select(pl.when(pl.Series(size >= 3)).then(draws[2]).otherwise(pl.lit(""))).to_series()
    four = pl.select(pl.when(pl.Series(size >= 4)).then(draws[3]).otherwise(pl.lit(""))).to_series()
    return draws[0] + draws[1] + three + four
