"""The division gazetteer: names, short forms, former names and street tables, indexed for longest match."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import polars as pl

from chengshu.kernel.resources import shipped

MUNICIPALITIES = frozenset(("11", "12", "31", "50"))
ABBREVIATIONS = {
    "京": "11", "津": "12", "冀": "13", "晋": "14", "内蒙": "15", "辽": "21", "吉": "22", "黑": "23", "沪": "31",
    "苏": "32", "浙": "33", "皖": "34", "闽": "35", "赣": "36", "鲁": "37", "豫": "41", "鄂": "42", "湘": "43",
    "粤": "44", "桂": "45", "琼": "46", "渝": "50", "川": "51", "蜀": "51", "黔": "52", "贵": "52", "滇": "53",
    "云": "53", "藏": "54", "陕": "61", "秦": "61", "甘": "62", "陇": "62", "青": "63", "宁": "64", "新": "65",
    "台": "71", "港": "81", "澳": "82",
}  # fmt: skip
# Districts named by a mere direction or kind mean nothing without their city.
GENERIC = frozenset(
    ("城区", "郊区", "矿区", "新区", "东区", "西区", "南区", "北区", "中区", "市区", "市辖区")
)
# Short forms that are common words or names: they count only behind their city or before more of the address.
COMMON = frozenset(
    """
    七星 万全 三明 东城 东山 东方 东海 东湖 东风 中原 中山 中心 丰收 云龙 五一 五华 光明 八一
    兴宁 兴庆 兴隆 凤凰 前进 北城 北山 千山 华山 南城 南山 南海 南湖 友好 双流 古城 向阳 和平
    团结 城东 城中 城北 城南 城西 大兴 大同 大通 天心 天河 太平 安定 宝塔 山东 工农 市中 市北
    市南 平安 建设 开发 振兴 文化 新兴 新区 新华 新城 新安 新市 新民 新都 明珠 星河 朝阳 桥东
    桥西 民族 水城 永丰 永安 永定 江东 江北 江南 江岸 江西 河东 河北 河南 河西 泰山 海南 海港
    海湾 海珠 清河 清泉 温泉 湖北 湖南 湖滨 湖里 滨江 滨海 玉泉 白云 白山 盘龙 站前 站北 红旗
    胜利 西城 西山 西湖 解放 路北 路南 路桥 通州 郊区 金凤 金山 金水 钟楼 铁东 铁西 银川 银河
    长安 长江 雨花 青云 青山 顺义 高新 黄山 黄河 鼓楼 龙城 龙泉 龙湖 龙门
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
_PEOPLES = (
    "蒙古族|蒙古|回族|藏族|维吾尔族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|哈萨克|"
    "傣族|黎族|傈僳族|佤族|畲族|高山族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜|土族|达斡尔族|仫佬族|羌族|布朗族|"
    "撒拉族|毛南族|仡佬族|锡伯族|锡伯|阿昌族|普米族|塔吉克族|塔吉克|怒族|鄂温克族|德昂族|保安族|裕固族|独龙族|鄂伦春|"
    "赫哲族|门巴族|珞巴族|基诺族|各族"
)
_KIND = re.compile(
    f"(?:{_PEOPLES})*(特别行政区|自治区|自治州|自治县|自治旗|省|市|地区|盟|新区|林区|特区|区|县|旗)$"
)
_WING = re.compile("(.).+([左右])翼([前中后]旗)$")
STREET_KIND = re.compile(
    f"(?:(?:{_PEOPLES})*民族乡|(?:{_PEOPLES})+乡|街道办事处|街道|地区办事处|地区|镇|乡|苏木|"
    "(?:省|市|国家级)?(?:高新技术产业|高新技术|经济技术|经济|技术|产业)*(?:开发区|园区)(?:管委会|管理委员会)?)$"
)


@dataclass(frozen=True, slots=True)
class Division:
    """One division as it is, or as it was until ``until`` when ``successor`` took its place."""

    code: str
    civil_code: str | None
    level: int
    name: str
    until: int | None = None
    successor: str | None = None

    @property
    def prefix(self) -> str:
        """Return the digits that all divisions under this one share."""
        if len(self.code) > 6:
            return self.code
        return self.code[: 2 * self.level]


def short_name(name: str) -> str:
    """Return a division's colloquial name: 深圳市 → 深圳, 恩施土家族苗族自治州 → 恩施."""
    if len(name) < 3:
        return name
    short = _KIND.sub("", name)
    return short if len(short) > 1 else name.removesuffix("自治区")  # 内蒙古 is no people's name here


def _aliases(division: Division) -> Iterator[tuple[str, bool]]:
    """Yield each way a division is written, and whether it is a full form (one that ends in its kind)."""
    name, short = division.name, short_name(division.name)
    yield name, True
    if len(short) < 2 or short == name or name in GENERIC:
        return
    yield short, False
    for kind, colloquial in (("自治州", "州"), ("自治县", "县"), ("自治旗", "旗"), ("自治区", "省")):
        if name.endswith(kind):
            yield short + colloquial, True
            yield short + kind, True
    wing = _WING.match(name)
    if wing:
        yield wing[1] + wing[2] + wing[3], True  # 察哈尔右翼前旗 → 察右前旗
        yield name.replace("翼", ""), True


def _mistaken(division: Division) -> Iterator[str]:
    """Yield a district's name with the kind mistaken (兰溪县 for 兰溪市); it counts inside its city only."""
    short = short_name(division.name)
    if division.level == 3 and len(short) > 1 and division.name not in GENERIC:
        for kind in "区县市":
            if short + kind != division.name:
                yield short + kind


# A short form that more streets have is as likely a road's or a village's own word.
FEW_STREETS = 6


class Names:
    """Names indexed by their first two characters, for longest match at a position."""

    __slots__ = ("entries", "lengths")

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, ...]] = {}
        self.lengths: dict[str, tuple[int, ...]] = {}

    def fill(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Index (name, value) pairs; one name may stand for several values."""
        entries = self.entries
        lengths: dict[str, set[int]] = {}
        for name, value in pairs:
            held = entries.get(name)
            if held is None:
                entries[name] = (value,)
                start = name[:2]
                if start in lengths:
                    lengths[start].add(len(name))
                else:
                    lengths[start] = {len(name)}
            elif value not in held:
                entries[name] = (*held, value)
        self.lengths = {start: tuple(sorted(sizes, reverse=True)) for start, sizes in lengths.items()}


class Gazetteer:
    """All divisions in force ``on`` a day, with the former names that lead to them."""

    def __init__(self, on: date | None = None) -> None:
        self.year = on.year if on else 9999
        self.by_key: dict[str, Division] = {}
        self.current: dict[str, Division] = {}
        self.splits: dict[tuple[str, str], str] = {}
        self.official: dict[str, tuple[str, str]] = {}
        self.split_into: dict[str, set[str]] = defaultdict(set)
        self.heads = Names()
        self.full: set[tuple[str, str]] = set()
        self.mistaken: set[str] = set()
        self._streets: dict[str, list[Division]] = defaultdict(list)
        self._former_cities: dict[str, Division] = {}
        self._under: dict[tuple[str, ...], Names] = {}
        self.overseas: set[str] = set()
        self.areas: dict[str, str] = {}
        self.colloquial: dict[str, str] = {}
        self._load_current()
        self._load_overseas()
        self._load_former()
        self._index_heads()

    # -- loading -------------------------------------------------------------------------------------------
    def _load_current(self) -> None:
        table = pl.read_parquet(shipped("districts", "cn", "divisions", "divisions.parquet"))
        for level, code, civil, name, other in table.iter_rows():
            if level == 3 and code.endswith("00"):
                continue  # 东莞市 and its like have no districts: they are cities only
            division = Division(code, civil, level, name)
            self.current[code] = self.by_key[code] = division
            if level == 4:
                self._streets[code[:6]].append(division)
                self.official[code] = (name, other or name)
                if other and other != name:
                    self._streets[code[:6]].append(Division(code, civil, 4, other))

    def _load_overseas(self) -> None:
        """Load the districts of Hong Kong, Macao and Taiwan: without codes of their own, so inside them only."""
        table = pl.read_parquet(shipped("districts", "cn", "divisions", "overseas.parquet"))
        cities: dict[str, str] = {}
        for number, (province, city, name) in enumerate(table.iter_rows()):
            if city is None:
                above = province
            else:
                above = cities.setdefault(city, f"{province}.{len(cities):02d}")
                self.current[above] = self.by_key[above] = Division(above, None, 2, city)
                self.overseas.add(above)
            code = f"{above}.{number:03d}"
            self.current[code] = self.by_key[code] = Division(code, None, 3, name)
            self.overseas.add(code)

    def _load_former(self) -> None:
        folder = shipped("districts", "cn", "divisions")
        events = pl.read_parquet(folder / "changes.parquet").filter(
            (pl.col("year") >= 1988)
            & pl.col("old_name").is_not_null()
            & pl.col("new_name").is_not_null()
            & ~pl.col("kind").is_in(["码位改派"])
        )
        steps: dict[tuple[str, str], tuple[int, str, str]] = {}
        for row in events.iter_rows(named=True):
            if (row["old_code"], row["old_name"]) != (row["new_code"], row["new_name"]) and row["old_code"]:
                steps[row["old_code"], row["old_name"]] = (
                    row["year"],
                    row["new_code"] or "",
                    row["new_name"],
                )
        with (folder / "supplement.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                if line["kind"] in ("area", "alias"):
                    self._add_local(line["kind"], line["old_name"], line["new_code"])
                elif line["kind"] == "split":
                    for street in line["streets"].split():
                        if int(line["year"]) <= self.year:
                            self.splits[line["old_code"], street] = line["new_code"]
                    self.split_into[line["old_code"]].add(line["new_code"])
                else:
                    target = self.current[line["new_code"]]
                    steps[line["old_code"], line["old_name"]] = (int(line["year"]), target.code, target.name)
        for (code, name), step in steps.items():
            self._add_former(code, name, step, steps)

    def _add_local(self, kind: str, name: str, code: str) -> None:
        """Add a new area without a legal level (江北新区 in 南京市), or what people call a division (巴州)."""
        if kind == "alias":
            self.colloquial[name] = code
            return
        area = f"{code}n{len(self.areas)}"
        self.areas[area] = code
        self.current[area] = self.by_key[area] = Division(area, None, 3, name)

    def _add_former(
        self,
        code: str,
        name: str,
        step: tuple[int, str, str],
        steps: dict[tuple[str, str], tuple[int, str, str]],
    ) -> None:
        year, end, end_name = step
        seen = {(code, name)}
        while (
            (end, end_name) in steps and (end, end_name) not in seen and steps[end, end_name][0] <= self.year
        ):
            seen.add((end, end_name))
            _, end, end_name = steps[end, end_name]
        now = self.current.get(code)
        if now is not None and now.name == name:
            return  # the name came back, or never went: it is in force
        target = self.current.get(end)
        if target is None or target.name != end_name:
            return
        if name == end_name and (year < 2000 or code[:4] == target.code[:4]):
            return  # only the code changed
        if name in GENERIC and year < 2010:
            return
        level = 2 if code.endswith("00") else 3
        former = Division(code, None, level, name, until=year, successor=target.code)
        self.by_key[f"{code}/{name}"] = former
        if level == 2 and year >= 2000:
            self._former_cities[code[:4]] = former

    # -- indexes -------------------------------------------------------------------------------------------
    def _index_heads(self) -> None:
        pairs = [*self._pairs(former=False)]
        # Forms of divisions in force: a former division must not take them as its short form.
        held = {alias for alias, _, _ in pairs}
        pairs += [
            (alias, key, full) for alias, key, full in self._pairs(former=True) if full or alias not in held
        ]
        pairs += [(alias, code, True) for alias, code in self.colloquial.items()]
        held.update(alias for alias, _, _ in pairs)
        for division in self.current.values():
            for alias in _mistaken(division):
                if alias not in held:
                    pairs.append((alias, division.code, True))
                    self.mistaken.add(alias)
        self.full = {(alias, key) for alias, key, full in pairs if full}
        self.heads.fill((alias, key) for alias, key, _ in pairs)

    def _pairs(self, *, former: bool) -> Iterator[tuple[str, str, bool]]:
        """Yield each form of each division in force, or of each former one, with its key."""
        for key, division in self.by_key.items():
            if division.level < 4 and (division.until is not None) == former:
                for alias, full in _aliases(division):
                    yield alias, key, full

    @cached_property
    def street_names(self) -> Names:
        """Full forms of all streets in the country."""
        names = Names()
        names.fill(
            (alias, street.code)
            for streets in self._streets.values()
            for street in streets
            for alias, full in street_aliases(street.name)
            if full
        )
        return names

    @cached_property
    def _street_stems(self) -> dict[str, set[str]]:
        """Short forms of all streets, each with the codes of those that have it."""
        found: dict[str, set[str]] = defaultdict(set)
        for streets in self._streets.values():
            for street in streets:
                for alias, full in street_aliases(street.name):
                    if not full:
                        found[alias].add(street.code)
        return found

    @cached_property
    def lone_streets(self) -> Names:
        """Short forms that few streets in the country have, and no division or common word; all codes of each."""
        names = Names()
        names.fill(
            (alias, code)
            for alias, codes in self._street_stems.items()
            if len(codes) <= FEW_STREETS and alias not in COMMON and alias not in self.heads.entries
            for code in sorted(codes)
        )
        return names

    @cached_property
    def risky(self) -> frozenset[str]:
        """Short forms of divisions that four or more districts have a street named after (和平, 新华 …)."""
        return frozenset(
            stem
            for stem, codes in self._street_stems.items()
            if len(codes) >= 4 and stem in self.heads.entries and len({code[:6] for code in codes}) >= 4
        )

    def _districts_under(self, prefixes: tuple[str, ...]) -> list[str]:
        if all(len(prefix) == 6 for prefix in prefixes):
            return [prefix for prefix in prefixes if prefix in self._streets]
        return [district for district in self._streets if district.startswith(prefixes)]

    def streets_under(self, prefixes: tuple[str, ...]) -> Names:
        """Return the streets under some code prefixes (district or city), short forms included."""
        found = self._under.get(prefixes)
        if found is not None:
            return found
        full: list[tuple[str, str]] = []
        short: list[tuple[str, str]] = []
        for district in self._districts_under(prefixes):
            for division in self._streets[district]:
                for alias, is_full in street_aliases(division.name):
                    (full if is_full else short).append((alias, division.code))
        taken = {alias for alias, _ in full}
        names = self._under[prefixes] = Names()
        names.fill([*full, *((alias, code) for alias, code in short if alias not in taken)])
        return names

    # -- lookups -------------------------------------------------------------------------------------------
    def in_force(self, key: str) -> Division:
        """Return the division that a written name stands for on the gazetteer's day."""
        division = self.by_key[key]
        if division.until is not None and division.successor and self.year >= division.until:
            return self.current[division.successor]
        return division

    def _city_of(self, code: str) -> Division | None:
        """Return the city of a district, also of one that went with its city (莱芜市 and its 莱城区)."""
        if "." in code:
            above = self.current[code.rpartition(".")[0]]
            return above if above.level == 2 else None
        return self.current.get(code[:4] + "00") or self._former_cities.get(code[:4])

    def chain(self, division: Division) -> tuple[str | None, str | None, str | None]:
        """Return the names of province, city and district of a division of any level."""
        code = division.code
        province = self.current.get(code[:2] + "0000")
        if division.level == 1:
            same = province.name if province and code[:2] in MUNICIPALITIES else None
            return division.name, same, None
        city = (
            province
            if code[:2] in MUNICIPALITIES
            else division
            if division.level == 2
            else self._city_of(code)
        )
        district = None
        if division.level == 3:
            district = division
        elif division.level == 4:
            district = self.current.get(code[:6])
            if district is not None and district.level != 3:
                district = None
        return (
            province.name if province else None,
            city.name if city else None,
            district.name if district else None,
        )


_STREET_FULL = ("街道", "镇", "乡", "苏木", "地区", "办事处")


def _street_stem(name: str) -> str:
    for kind in ("街道", "镇"):  # nine in ten
        if name.endswith(kind):
            return name[: -len(kind)]
    return STREET_KIND.sub("", name)


@lru_cache(maxsize=65536)
def street_aliases(name: str) -> tuple[tuple[str, bool], ...]:
    """Return the ways a street's name is written, and whether each is a full form."""
    short = _street_stem(name)
    forms: dict[str, bool] = {name: True}
    if len(short) >= 2 and short != name:
        if short[-1] not in "路街道巷":  # 南京东路 is the road, not 南京东路街道
            forms[short] = False
        if name.endswith(("街道", "地区")):
            for kind in ("街道办事处", "街道办", "街办事处", "街办", "办事处"):
                forms[short + kind] = True
        if name.endswith(_STREET_FULL):
            for kind in ("街道", "镇", "乡"):
                forms[short + kind] = True
        if name.endswith("民族乡"):
            forms[short + "民族乡"] = True
        if name.endswith("开发区"):
            forms[short + "开发区"] = forms[short + "经济开发区"] = True
    return tuple(forms.items())


@lru_cache(maxsize=8)
def gazetteer(on: date | None = None) -> Gazetteer:
    """Return the gazetteer of a day (default: all changes that are known)."""
    return Gazetteer(on)
