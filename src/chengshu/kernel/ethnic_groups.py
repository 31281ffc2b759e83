"""The ethnic groups of China as GB/T 3304-1991 names them, and the provinces that a native place begins with."""

from __future__ import annotations

# In the order of the standard's numbers, 01 to 56.
_NAMES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 "
    "佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 "
    "锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNIC_GROUPS = tuple(f"{name}族" for name in _NAMES.split())
# GB/T 2260, the short names.
_PROVINCES = (
    "北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 "
    "海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门"
)
PROVINCES = tuple(_PROVINCES.split())


def ethnic_group(text: str) -> str | None:
    """Return the standard's name for what somebody wrote (``汉`` is ``汉族``), or ``None``."""
    plain = text.strip()
    if plain in ETHNIC_GROUPS:
        return plain
    return f"{plain}族" if f"{plain}族" in ETHNIC_GROUPS else None


def native_place(text: str) -> str | None:
    """Return a place that begins with a province and goes on in Chinese characters, without blanks; else ``None``.

    Which counties there are is not known here: people write names of their grandparents' time.
    """
    plain = "".join(text.split())
    if not plain.startswith(PROVINCES) or not all("\u4e00" <= sign <= "\u9fff" for sign in plain):
        return None
    return plain
