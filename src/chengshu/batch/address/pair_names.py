"""How the names in two addresses relate: the same, much in common, or different, and how far it reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from chengshu.batch.address.pair_facts import Facts
from chengshu.batch.address.similarity import slip

_GENERIC = re.compile(
    r"(?:有限责任公司|股份有限公司|有限公司|分公司|总公司|集团|公司|营业厅|旗舰店|专卖店|总店|分店|店|门诊部|办事处|居委会|"
    r"村委会|宿舍[楼区]?|写字楼|商务楼|生活区|小区|花园|花苑|家园|公寓|大厦|大楼|广场|市场|工业园区?|工业区|科技园|产业园|园区|中心|社区|新村|校区|"
    r"[东西南北]{1,2}大?门|\d*期|大?门|[院苑村厂楼])$"
)
_NO_NAME = re.compile(
    r"[东西南北]{0,2}(?:[大小]?门|侧|面|边|角|段)|[东西南北]{1,2}|门[店口卫岗]?|传达室|保安[室亭]|车位|车库|地下(?:车库)?(?:地下)?|停车场|"
    r"(?:菜|农贸|综合|批发|花卉)?市场|超市|便利店|商铺|门面|底商|宿舍楼?|食堂|医院|学校|小学|中学|幼儿园|商业街|工业[园区]|开发区|小区|"
    r"写字楼|家属院|自建[房楼]|红绿灯|十字|路口|办公[室楼]|一楼|集团|中国|的.*"
)
_PLACE_WORD = re.compile(r"(?:村|社区|庄|屯|镇|乡|组|里|片区|工业园?区|开发区|工业园)$")
_BUSINESS = re.compile(
    r"(?:公司|集团|厂|[^小]店|院|[大中小]学|学校|所|局|中心|部|馆|会|站|超市|银行|酒店|饭店|行|坊|轩|社|堂|吧|屋|分局|支队)$"
)
_CHAIN = re.compile(
    r"菜鸟驿站|顺丰|[申圆中]通快递|韵达|快递|邮政|超市$|便利店|银行|药[店房]|沃尔玛|华联|苏宁|链家|网吧|彩票|加油站|美宜佳|肯德基|麦当劳|"
    r"沙县小吃|兰州拉面|黄焖鸡|中国(?:移动|联通|电信)|^营业厅"
)
_SECTION = re.compile(r"(\d+|[A-Z东西南北])(?:期|区|苑|组团|院|村)")
_TELLING_TAIL = re.compile(r"([东西南北中]|\d+)(?:区|院|村|苑|园|街坊|期)?$")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How names relate, the core they share, whether it is what both mean, and what kind of name it is."""

    kind: str
    core: str = ""
    whole: bool = False
    business: bool = False
    village: bool = False
    chain: bool = False
    section: str = ""


def names_agree(left: Facts, right: Facts) -> Agreement:
    """How the names relate: same | kin (much in common) | differ | one side | none, and how far it reaches."""
    one, other = _telling_names(left), _telling_names(right)
    if not one or not other:
        return Agreement("none" if not one and not other else "one side")
    pairs = [(_name_pair(a, b), a, b) for a in one for b in other]
    same = [(a, b) for kind, a, b in pairs if kind == "same"]
    if not same:
        kin = [_run(a, b) for kind, a, b in pairs if kind == "kin"]
        return Agreement("kin", max(kin, key=len)) if kin else Agreement("differ")
    core = max((_run(a, b) for a, b in same), key=len)
    # What is named last is what is meant; what stands before it is where that lies.
    last = {
        names[-1]
        for names in ([n for n in one if n in left.names], [n for n in other if n in right.names])
        if names
    }
    whole = last <= {name for pair in same for name in pair if not _goes_on(*pair)}
    if not whole and all(_PLACE_WORD.search(a) or _PLACE_WORD.search(b) for a, b in same):
        # Only the village or community is common; what lies in it is not.
        return Agreement("kin")
    names = [name for pair in same for name in pair]
    village = all(_PLACE_WORD.search(name) for name in names)
    return Agreement(
        "same",
        core,
        whole,
        business=not village and any(_BUSINESS.search(name) for name in names),
        village=village,
        chain=all(_CHAIN.search(a) or _CHAIN.search(b) for a, b in same),
        section=_sections(same),
    )


def _goes_on(one: str, other: str) -> bool:
    """The longer name starts with the shorter and names something in it: 西南民族大学, 西南民族大学武侯校区."""
    short, long = sorted((one, other), key=len)
    core = _core(short)
    at = long.find(short if short in long else core)
    rest = long[at + len(short if short in long else core) :] if at >= 0 else ""
    return len(_GENERIC.sub("", rest)) > 1 and rest not in short


def _sections(same: list[tuple[str, str]]) -> str:
    """How phases and sections in matched names relate: "" alike, "one side", "differ" (2期 and 3期)."""
    found = ""
    for one, other in same:
        left, right = set(_SECTION.findall(one)), set(_SECTION.findall(other))
        if left and right and left != right:
            return "differ"
        if left != right:
            found = "one side"
    return found


def _telling_names(side: Facts) -> list[str]:
    return [
        name for name in (*side.names, *side.notes) if len(_core(name)) > 1 and not _NO_NAME.fullmatch(name)
    ]


def _core(name: str) -> str:
    for _ in range(3):
        shorter = _GENERIC.sub("", name)
        if len(shorter) < 2 or shorter == name:
            break
        name = shorter
    return name


def _name_pair(one: str, other: str) -> str:
    left, right = _core(one), _core(other)
    if left == right or one_slip(left, right) or _within(one, other):
        return "same"
    tails = _TELLING_TAIL.search(left), _TELLING_TAIL.search(right)
    stems = [text[: tail.start()] if tail else text for text, tail in zip((left, right), tails, strict=True)]
    if stems[0] == stems[1] and len(stems[0]) > 1:
        return "kin"
    short, long = sorted((left, right), key=len)
    if len(short) >= 3 and short in long:
        return "same"
    if len(short) >= 4 and 2 * len(short) >= len(long) and LCSseq.similarity(short, long) == len(short):
        return "same"  # 康华设备安装, 康华建筑设备安装: words left out
    common = _run(short, long)
    if len(common) >= 3 and 2 * len(common) >= len(short) and len(_GENERIC.sub("", common)) > 1:
        return "kin"
    return "differ"


def _within(one: str, other: str) -> bool:
    """The shorter name, in full or with one slip, ends the longer one: 采菱家园 in 马杭采菱家园."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and (short in long or one_slip(short, long[-len(short) :]))


def _run(one: str, other: str) -> str:
    """The longest run of characters that two names share."""
    short, long = sorted((one, other), key=len)
    for size in range(len(short), 0, -1):
        for at in range(len(short) - size + 1):
            if short[at : at + size] in long:
                return short[at : at + size]
    return ""


def one_slip(one: str, other: str) -> bool:
    """Equal but for one character that sounds or looks alike."""
    if len(one) != len(other) or len(one) < 3:
        return False
    wrong = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(wrong) == 1 and slip(*wrong[0]) in ("sound", "look")
