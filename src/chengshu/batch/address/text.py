"""The written form of addresses: widths, blanks, look-alikes, Chinese numerals."""

from __future__ import annotations

import re

D = "0-9\ue000-\uf8ff"
"""What a digit is to the rules, inside [ ]: a digit, or the private character that stands for one (`core`)."""

# Full-width ASCII, odd dashes and brackets; what cannot be part of an address becomes a blank.
_MAP: dict[int, str] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_MAP.update(dict.fromkeys(map(ord, "‐‑‒–—―−－─━﹣~～_＿"), "-"))
_MAP.update({ord(a): b for a, b in zip("（【［〔｛〈《「『", "(" * 9, strict=True)})
_MAP.update({ord(a): b for a, b in zip("）】］〕｝〉》」』", ")" * 9, strict=True)})
_MAP.update(dict.fromkeys(map(ord, "[{<"), "("))
_MAP.update(dict.fromkeys(map(ord, "]}>"), ")"))
_MAP.update(
    dict.fromkeys(
        map(ord, " \t\r\n\f\v\u3000\xa0\u200b\u200c\u200d\ufeff\u2028\u2029,，。;；!！?？\"'“”‘’|^`·•"), " "
    )
)
_MAP.update(dict.fromkeys(map(ord, "⼀"), "一"))
_MAP.update({ord(a): b for a, b in zip("①②③④⑤⑥⑦⑧⑨", "123456789", strict=True)})
_TRADITIONAL = (
    "號号棟栋樓楼層层單单區区縣县鎮镇鄉乡國国東东廣广灣湾龍龙華华寶宝門门園园莊庄廳厅館馆廠厂際际陽阳漢汉濱滨蘇苏"
    "遼辽寧宁滬沪義义烏乌衛卫場场體体學学醫医業业電电車车機机長长馬马雲云貴贵陝陕肅肃慶庆內内臺台島岛濟济無无錫锡"
    "溫温紹绍興兴麗丽蓮莲鳳凤銀银鐵铁錦锦橋桥過过運运達达遠远進进連连選选邊边鄰邻頭头順顺願愿顧顾風风飛飞駐驻魯鲁"
    "鹽盐齊齐豐丰嶺岭岡冈崗岗圓圆壩坝塢坞堯尧夢梦實实審审對对將将專专導导幾几庫库應应張张強强後后從从愛爱懷怀戰战"
    "戶户攝摄據据數数時时書书會会條条來来構构樂乐榮荣歐欧歲岁歸归漁渔潔洁瀋沈灘滩燈灯爾尔獅狮環环產产畫画發发礦矿"
    "禮礼積积種种穩稳節节範范簡简紅红級级紀纪約约純纯紙纸線线組组經经綠绿維维網网緯纬練练總总羅罗聖圣聯联職职臨临"
    "舊旧藍蓝藝艺術术裡里觀观覽览計计記记設设訪访證证識识讀读變变讓让財财貨货買买賣卖質质贊赞趙赵輝辉農农鄭郑醬酱"
    "鍾钟鎖锁關关陳陈陸陆隊队隨随階阶隱隐雙双雜杂餘余"
)
_MAP.update({ord(a): b for a, b in zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True)})
ODD = re.compile(f"[^\u4e00-\u9fff{D}A-Za-z#()-]|[{_TRADITIONAL[::2]}]")
# Numerals against forgery are numerals before what they count only: 陆家嘴 is no number.
_CAPITAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰", "一二三四五六七八九十百")
_CAPITALS = re.compile("[零壹贰叁肆伍陆柒捌玖拾佰]+(?=号|栋|幢|座|单元|层|楼|室|弄|巷|组)")
_JOIN = re.compile(rf"(?<=[{D}A-Za-z]) +(?=[{D}A-Za-z])| *(-) *(?:- *)*")
_JUNK = re.compile(
    "省直辖县级行政区划|自治区直辖县级行政区划|市辖[区县]|其[它他](?:地区|区)|(?<=[\u4e00-\u9fff])/|/(?=[\u4e00-\u9fff])|"
    "(?:null|NULL|undefined|None|NaN|\\\\[nrt])+|<[^>]*>"
)
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "○": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = re.compile("[〇零一二三四五六七八九十百千两]+")
# The few things that `clean` would change in a text without odd characters; a set of first letters makes it quick.
RARE = re.compile(
    "[市直其nNu零壹贰叁肆伍陆柒捌玖拾佰-](?:(?<=市)辖[区县]|(?<=直)辖县级|(?<=其)[它他](?:地区|区)|(?<=n)ull|(?<=N)(?:ULL|one|aN)|"
    "(?<=u)ndefined|(?<=-)-|(?<=[零壹贰叁肆伍陆柒捌玖拾佰])[零壹贰叁肆伍陆柒捌玖拾佰]*(?:号|栋|幢|座|单元|层|楼|室|弄|巷|组))"
)


def clean(text: str) -> str:
    """Return the text in half width, with one blank where blanks or punctuation parted it."""
    if ODD.search(text) is None and RARE.search(text) is None:
        return text
    text = _JUNK.sub(" ", text.translate(_MAP))
    text = _CAPITALS.sub(lambda found: found[0].translate(_CAPITAL), text)
    text = _JOIN.sub(lambda found: "-" if found[1] else " ", text)
    return " ".join(text.split()).strip(" -")


def arabic(numeral: str) -> str:
    """Turn a Chinese numeral into digits: 三 → 3, 十二 → 12, 一百零三 → 103, 二〇三 → 203."""
    if not any(c in _UNITS for c in numeral):
        return "".join(str(_DIGITS.get(c, c)) for c in numeral)
    total = digit = 0
    for char in numeral:
        if char in _UNITS:
            total += (digit or (1 if total == 0 else 0)) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return str(total + digit)


def with_digits(text: str) -> str:
    """Return the text with each Chinese numeral in it written in digits."""
    if text.isascii():
        return text
    return NUMERAL.sub(lambda found: arabic(found[0]), text)
