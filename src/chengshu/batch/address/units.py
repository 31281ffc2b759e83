"""The words that cut an address: units behind a number, and the words that end a road's or a community's name."""

from __future__ import annotations

import re

from chengshu.batch.address.text import D

_UNITS = {
    "building": "号楼 号栋 号幢 号座 幢楼 栋楼 栋 幢 座 排 号库 号厂房 号仓库 号别墅 号写字楼",
    "unit": "单元门 单元 梯口 梯 门",
    "floor": "楼层 层楼 层 楼",
    "room": (
        "号商铺 号店铺 号门面 号门市 号摊位 号商位 号房间 号铺 号房 号室 号档 号店 号户 号摊 号柜 房间 "
        "商铺 店面 铺面 摊位 商位 档口 房号 包间 工位 室 房 铺 档 户 卡"
    ),
    "yard": "号大院 号院",
    "lane": "支弄 弄 巷",
    "group": "村民小组 小组 组 生产队 小队 大队 队 社",
    "numbered_road": (
        "号公路 号支路 号大街 号大道 号路 号街 国道 省道 县道 乡道 大道 大街 环路 支路 马路 经路 纬路 街坊 路 街 道"
    ),
    "number": "号",
}
KINDS: dict[str, str] = {unit: kind for kind, units in _UNITS.items() for unit in units.split()}
"""The kind of each unit: 栋 → building, 号商铺 → room."""

# What may not follow a unit: 3门 is a door, 3门市 is not.
_NOT_BEFORE = {
    "号路": "口", "号街": "口道", "门": "市店面诊头口", "楼": "盘上", "社": "区会", "道": "口路", "房": "地产东", "户": "外",
    "层": "次",    "卡": "丁车", "组": "团织合", "队": "部", "路": "口车", "室": "内外", "街": "道口",
}  # fmt: skip
_ALTERNATION = "|".join(
    f"{unit}(?![{_NOT_BEFORE[unit]}])" if unit in _NOT_BEFORE else unit
    for unit in sorted(KINDS, key=len, reverse=True)
)
CN = "〇零一二三四五六七八九十百两"
_ARABIC = f"[附]?[A-Za-z]{{0,3}}[{D}]+[A-Za-z]{{0,2}}"
_NUMBER = (
    f"(?:自编|附|负|(?<![家姓])[甲乙丙丁])?(?:{_ARABIC}(?:[-、/#]+{_ARABIC}|[-、/#]+[A-Za-z](?![A-Za-z]))*|"
    f"[A-Za-z]{{1,2}}(?:-?[{D}]+)?(?=座|栋|幢|单元|楼|梯|室|铺|号楼|-[{D}])|"
    f"[{CN}]+(?=号|栋|幢|座|单元|层|楼|室|弄|组|队|排|巷|梯))"
)
_ROAD = (
    f"大道|大街|国道|省道|公路(?!局)|胡同|(?:(?<![铁公])路|路(?=[{D}]))(?![桥灯由牌政虎]|小区|社区|村)|"
    f"街(?![道坊镇村]|社区|支路|[东南西北中]路)|巷(?![道村])|弄(?![堂村])|道(?=[{D} (]|$)|里(?=[{D}]+[号弄])|"
    f"(?<![路号专热在])线(?=[{D}]+号|$)|[组队](?=$|[{D}]+号)"
)
_COMMUNITY = (
    "社区(?:居民委员会|居委会|工作站|居委)?|居民委员会|居委会?|村民委员会|村委会?|嘎查|"
    "(?<![新假农乡])村(?![东南西北中]?[路街]|[镇委民里口]|.村)"
)
TOKEN = re.compile(f"({_NUMBER})#?-?({_ALTERNATION})?|({_ROAD})|({_COMMUNITY})|([ ]+)")
"""One cut; its last group tells the kind: 1 a bare number, 2 a number with a unit, 3 a road, 4 a community, 5 a blank."""
