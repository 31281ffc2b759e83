"""How near two characters and two names are: same sound, similar look, or a different place.

The tables are general knowledge of Chinese writing (sounds by pypinyin, families of characters that share a
component); nothing is learned from labelled addresses.
"""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import Indel

TELLING = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ东西南北中上下前后左右内外新老旧大小甲乙丙丁")
"""Characters that tell neighbours apart: 东区 and 西区, 1路 and 2路 are two places, never a slip of the pen."""

# Families that share a component or are drawn alike; each character is mistaken for the others of its family.
_FAMILIES = (
    "塘糖溏搪", "岗冈刚钢纲", "桥侨娇骄", "园圆员", "沙砂纱抄", "围伟违苇", "洲州", "浦埔铺莆辅", "涌捅桶通",
    "未末", "己已巳", "戍戌戊成", "井并", "田由甲申", "宝玉室", "安按案", "福幅富副", "永泳咏水", "和知科", "乐东",
    "海悔梅", "滨缤宾", "浪狼朗郎琅", "石右", "龙尤", "松枀讼颂", "茭交郊", "步涉", "桃挑逃", "源原愿", "径经茎",
    "贝见", "劳荣", "蚝毫耗", "圳训川", "鹤鹳", "坑炕抗", "固因困", "头买实", "兴共", "裕袼浴", "料科", "名各", "罗萝箩",
    "湖胡糊葫", "岭玲铃龄", "麻床庥", "坪平评萍", "坂板版", "埠阜", "堡保", "墩敦", "潭谭", "溪奚", "港巷", "渔鱼", "荔茘",
    "莲连链", "景影", "辉晖挥", "豪毫", "庄压", "华毕", "茂贸", "盛成", "泰秦", "晨辰", "锦棉绵", "翠萃", "碧璧", "珠株",
    "凤风", "凰皇煌", "祥详", "瑞端", "嘉喜", "金全", "星里", "光米", "明朋", "民氏", "主王玉", "建健", "设没", "创仓枪",
)  # fmt: skip
_FAMILY: dict[str, set[int]] = {}
for _index, _family in enumerate(_FAMILIES):
    for _character in _family:
        _FAMILY.setdefault(_character, set()).add(_index)
_NEAR_SOUNDS = (("zh", "z"), ("ch", "c"), ("sh", "s"))


@lru_cache(maxsize=30_000)
def sounds(character: str) -> frozenset[str]:
    """Return the readings of a character without tone; zh/z, ch/c, sh/s, -ng/-n, l/n fall together."""
    # Imported here: its tables take a second to load, and most commands never compare a sound.
    from pypinyin import Style, pinyin

    readings = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(_near(reading) for reading in (readings[0] if readings else ()))


def _near(reading: str) -> str:
    for full, flat in _NEAR_SOUNDS:
        if reading.startswith(full):
            reading = flat + reading[2:]
    if reading.endswith("ng"):
        reading = reading[:-1]
    return "n" + reading[1:] if reading.startswith("l") else reading


@lru_cache(maxsize=100_000)
def slip(left: str, right: str) -> str | None:
    """Say how ``left`` can be a slip for ``right``: "sound", "look", "other"; None when the two tell places apart."""
    telling = (left in TELLING) + (right in TELLING)
    if telling == 2:
        return None
    if sounds(left) & sounds(right):
        return "sound"
    if telling:
        return None
    if _FAMILY.get(left, set()) & _FAMILY.get(right, set()):
        return "look"
    return "other"


@lru_cache(maxsize=200_000)
def sound_key(name: str) -> str:
    """Return the name spelt by its commonest sounds: names that read alike share it."""
    return " ".join(min(sounds(ch), default=ch) for ch in name)


def likeness(left: str, right: str) -> float:
    """Return how much of two names is common and in order, 0 to 1."""
    return float(Indel.normalized_similarity(left, right))
