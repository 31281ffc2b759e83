"""The generated town: estates, urban villages, industrial parks, towers and street buildings in real zones.

Divisions, communities and zones are real; roads, buildings and rooms are made. Which zones belong to a street is
schematic (the nearest street centre), and so is the spread of communities over them.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from chengshu.batch.grid import CellIndex, Zone, clean_zones

PROVINCE, CITY, DISTRICT = "广东省", "深圳市", "宝安区"
_BIGRAMS = (  # noqa: SIM905
    "宏发 泰华 金泓 华丰 鸿荣 碧海 海雅 桃源 御景 天骄 丽景 锦绣 中粮 花样 阳光 幸福 翠湖 西城 滨海 财富 名城 圣淘 "
    "尚都 雅然 富通 风临 金域 冠城 熙龙 深业 万科 招商 星河 卓越 龙光 佳华 满京 盛世 江南 书香 春天 世纪 假日 新锦 "
    "广兴 福盈 裕安 鸿景 双龙 君汇 绿海 凯旋 前海 湾厦 荣超 时代 缤纷 天悦 云海 听涛 观澜 揽月 松茂 石岩 羊台 立新 "
    "凤凰 怀德 永和 塘尾 和平 新和 稔田 茅洲 罗田 燕川 洪桥 塘下 东宝 沙浦 潭头 楼岗 溪头 黄埔 南洞 上星 新桥 万丰 "
    "壆岗 步涌 后亭 蚝乡 沙井 马安"
).split()
_ROAD_STEMS = (  # noqa: SIM905
    "创业 裕安 前进 新湖 翻身 宝民 流塘 建安 甲岸 罗田 海城 兴业 锦花 西乡 银田 共乐 航城 洲石 固戍 宝源 金湾 碧湾 "
    "悦和 永福 桥和 政丰 德丰 凤塘 福洲 立新 怀德 塘尾 桥南 展景 新沙 沙井 帝堂 环镇 锦程 南环 西环 东环 北环 中心 "
    "万安 新玉 大洋 芙蓉 松明 松福 楼岗 沙江 东方 广田 红星 塘下 燕罗 朝阳 象山 洪桥 石岩 吉祥 宝石 如意 育才 羊台 "
    "塘头 料坑 水田 官田 爱群 罗租 松白 明金 径贝 麻布 文昌 公园 工业 教育 人民 解放 和谐 玉律 龙井 宝城 上川 公岭 "
    "安乐 海秀 海天 海滨 金科 领航 滨港 宝华 兴华 湖滨 罗岗"
).split()
_MAIN_ROADS = ("宝安大道", "广深公路", "前进二路", "松白路", "沿江大道")
_ROAD_ENDS = ("路", "路", "路", "大道", "街", "一路", "二路", "三路", "东路", "西路", "北路", "南路")
_ESTATE_ENDS = ("花园", "家园", "雅苑", "名苑", "豪庭", "公馆", "小区", "华府", "花苑", "新苑", "城", "湾")
_PARK_ENDS = ("工业园", "工业区", "科技园", "产业园", "创新园", "第一工业区", "第二工业区")
_TOWER_ENDS = ("大厦", "中心", "商务大厦", "国际大厦", "广场")
_VILLAGE_ENDS = ("一村", "二村", "新村", "旧村", "老围", "一区", "二区", "三区", "南区", "北区")
_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class District:
    """The real frame of the district, read from its folder."""

    folder: Path
    streets: dict[str, str]
    communities: pl.DataFrame  # code, name, street
    zones: list[Zone]
    street_zones: dict[str, list[int]]

    @classmethod
    def read(cls, folder: Path) -> District:
        """Read divisions, zones and the schematic assignment of zones to streets."""
        table = pl.read_csv(folder / "divisions" / "divisions.csv", infer_schema=False)
        streets = table.filter((pl.col("level") == "street") & (pl.col("parent") == "440306"))
        communities = table.filter(pl.col("level") == "community").select(
            "code", "name", pl.col("parent").alias("street")
        )
        tree = json.loads((folder / "geography" / "baoan_taz.geojson").read_text("utf-8"))
        zones = [Zone(f"Z{f['properties']['taz']}", shape(f["geometry"])) for f in tree["features"]]
        zones = clean_zones(sorted(zones, key=lambda zone: zone.code))
        position = {zone.code: number for number, zone in enumerate(zones)}
        street_zones: dict[str, list[int]] = defaultdict(list)
        with (folder / "geography" / "zone_streets.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                street_zones[row["street"]].append(position[f"Z{row['taz']}"])
        names = dict(zip(streets["code"], streets["name"], strict=True))
        return cls(folder, names, communities, zones, dict(street_zones))


@dataclass(frozen=True, slots=True)
class Town:
    """Buildings and rooms. ``buildings`` has one row a building; ``rooms`` one a room, ``building`` its row."""

    buildings: pl.DataFrame
    rooms: pl.DataFrame


@dataclass(slots=True)
class _Block:
    kind: str
    community: int
    road: str | None
    estate: str | None
    lon: float
    lat: float
    buildings: list[tuple[str | None, str | None, str | None, int, int, int]] = field(default_factory=list)
    # each: road, number, building, units, floors, rooms a floor


class _Builder:
    """Draws blocks until the town has the wanted number of homes and business units."""

    def __init__(self, district: District, people: int, rng: np.random.Generator) -> None:
        self.district, self.rng = district, rng
        self.scale = min(1.0, people / 1_000_000)
        self.codes = district.communities["code"].to_list()
        self.names = district.communities["name"].to_list()
        self.street_of = district.communities["street"].to_list()
        self.used: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.places = self._places()
        self.roads = self._roads()
        self.order = self._order(max(4000, people // 20))
        self.turn = 0
        self.blocks: list[_Block] = []

    def _draw(self, low: int, high: float) -> int:
        """Draw a whole number from ``low`` up to but not including ``high``."""
        return int(self.rng.integers(low, max(int(high), low + 1)))

    def _places(self) -> list[NDArray[np.float64]]:
        """Return, for each community, points inside the zones of its street that it is given."""
        spots = [self._inside(zone.polygon, 300) for zone in self.district.zones]
        count_of: dict[str, int] = defaultdict(int)
        places = []
        for street in self.street_of:
            zones = self.district.street_zones[street]
            members = sum(1 for other in self.street_of if other == street)
            turn = count_of[street]
            count_of[street] += 1
            # Few communities share out all zones of the street; many take turns.
            mine = zones[turn::members] if members < len(zones) else [zones[turn % len(zones)]]
            places.append(np.concatenate([spots[zone] for zone in mine]))
        return places

    def _inside(self, polygon: shapely.Geometry, count: int) -> NDArray[np.float64]:
        west, south, east, north = shapely.bounds(polygon)
        found = np.empty((0, 2))
        while len(found) < count:
            draw = self.rng.random((count * 3, 2)) * [east - west, north - south] + [west, south]
            found = np.concatenate([found, draw[shapely.contains_xy(polygon, draw[:, 0], draw[:, 1])]])
        return found[:count]

    def _roads(self) -> list[list[str]]:
        """Name five to eight roads for each community; main roads pass through several."""
        names = [stem + end for stem in _ROAD_STEMS for end in dict.fromkeys(_ROAD_ENDS)]
        self.rng.shuffle(names)
        supply = iter(names)
        roads = []
        for _ in self.codes:
            own = [next(supply, None) or self._fresh_road() for _ in range(self._draw(4, 8))]
            roads.append([*own, str(self.rng.choice(_MAIN_ROADS))])
        return roads

    def _fresh_road(self) -> str:
        return str(self.rng.choice(_BIGRAMS)) + str(self.rng.choice(_ROAD_STEMS)) + "路"

    def _order(self, count: int) -> list[int]:
        """Return communities in the order in which blocks go to them: each once, then by weight."""
        size = len(self.codes)
        airport = [number for number, street in enumerate(self.street_of) if street.endswith("400")]
        weight = self.rng.gamma(3.0, 1.0, size)
        weight[airport] *= 0.1
        once = [int(number) for number in self.rng.permutation(size)]
        return once + [int(n) for n in self.rng.choice(size, count, p=weight / weight.sum())]

    def _next(self, kind: str, road: bool, estate: str | None = None) -> _Block:
        community = self.order[self.turn % len(self.order)]
        self.turn += 1
        spot = self.places[community][self.rng.integers(len(self.places[community]))]
        name = str(self.rng.choice(self.roads[community])) if road else None
        block = _Block(kind, community, name, estate, float(spot[0]), float(spot[1]))
        self.blocks.append(block)
        return block

    def _number(self, road: str) -> str:
        self.numbers[road] = self.numbers.get(road, 0) + self._draw(1, 4)
        return f"{self.numbers[road]}号"

    def _unique(self, ends: tuple[str, ...]) -> str:
        while True:
            name = str(self.rng.choice(_BIGRAMS))
            if self.rng.random() < 0.4:
                name += str(self.rng.choice(_BIGRAMS))
            name += str(self.rng.choice(ends))
            if name not in self.used:
                self.used.add(name)
                return name

    def village(self) -> int:
        """Add an urban village: lanes of narrow houses, or houses numbered through."""
        block = self._next("village", road=False)
        core = self.names[block.community].removesuffix("社区")
        stem = (
            core
            if self.rng.random() < 0.5
            else core + str(self.rng.choice(["塘", "围", "岭", "坑", "上", "下"]))
        )
        options = [stem + end for end in _VILLAGE_ENDS if stem + end not in self.used]
        block.estate = str(self.rng.choice(options)) if options else self._unique(("新村", "村"))
        self.used.add(block.estate)
        homes = 0
        if self.rng.random() < 0.75:
            for lane in range(self._draw(1, 3 + 8 * self.scale)):
                for number in range(1, self._draw(1, 4 + 10 * self.scale) + 1):
                    homes += self._house(block, f"{_lane(lane + 1)}巷", f"{number}号", None)
        else:
            for number in range(1, self._draw(3, 6 + 44 * self.scale) + 1):
                homes += self._house(block, None, None, f"{number}栋")
        return homes

    def _house(self, block: _Block, road: str | None, number: str | None, building: str | None) -> int:
        floors, width = self._draw(4, 9), self._draw(2, 6)
        block.buildings.append((road, number, building, 0, floors, width))
        return (floors - 1) * width

    def estate(self) -> int:
        """Add a housing estate on one number of a road."""
        block = self._next("estate", road=True, estate=self._unique(_ESTATE_ENDS))
        number = self._number(str(block.road))
        letters = self.rng.random() < 0.3
        units = int(self.rng.choice([0, 0, 2, 3])) if self.scale > 0.02 else 0
        homes = 0
        for turn in range(self._draw(1, 2.9 + 10 * self.scale)):
            floors, width = self._draw(6, 9 + 24 * self.scale**0.4), self._draw(2, 5)
            name = f"{'ABCDEFGHJKLMNP'[turn]}栋" if letters else f"{turn + 1}栋"
            block.buildings.append((block.road, number, name, units, floors, width))
            homes += floors * width * max(units, 1)
        return homes

    def street_building(self) -> int:
        """Add one building with a number on a road."""
        block = self._next("street", road=True)
        floors, width = self._draw(5, 10), self._draw(2, 7)
        block.buildings.append((block.road, self._number(str(block.road)), None, 0, floors, width))
        return (floors - 1) * width

    def park(self) -> int:
        """Add an industrial park; every fourth building is a dormitory. Returns its business units."""
        block = self._next("park", road=True, estate=self._unique(_PARK_ENDS))
        number = self._number(str(block.road))
        made = 0
        for turn in range(self._draw(3, 6 + 10 * self.scale)):
            name = f"{'ABCDEFGHJKLMNPQR'[turn]}栋"
            floors, width = self._draw(4, 8), self._draw(2, 6)
            block.buildings.append((block.road, number, name, 0, floors, width))
            made += 0 if turn % 4 == 3 else floors * width
        return made

    def tower(self) -> int:
        """Add an office tower, sometimes of two or three blocks. Returns its business units."""
        block = self._next("tower", road=True, estate=self._unique(_TOWER_ENDS))
        number = self._number(str(block.road))
        made = 0
        for name in [None] if self.rng.random() < 0.7 else ["A座", "B座", "C座"][: self._draw(2, 4)]:
            floors, width = self._draw(6, 10 + 20 * self.scale), self._draw(3, 10)
            block.buildings.append((block.road, number, name, 0, floors, width))
            made += floors * width
        return made


def _lane(number: int) -> str:
    return _NUMERALS[number - 1] if number <= 10 else "十" + _NUMERALS[number - 11]


def build_town(district: District, people: int, rng: np.random.Generator) -> Town:
    """Build a town for ``people``: about .27 homes and .03 business units a person."""
    builder = _Builder(district, people, rng)
    wanted_homes, wanted_units = int(people * 0.265), int(people * 0.026)
    makers = {"village": (0.46, builder.village), "estate": (0.43, builder.estate)}
    makers["street"] = (0.11, builder.street_building)
    made = dict.fromkeys(makers, 0)
    while sum(made.values()) < wanted_homes:
        # The kind that lags most behind its share of homes comes next.
        kind = min(makers, key=lambda name: made[name] / makers[name][0])
        made[kind] += makers[kind][1]()
    units = 0
    while units < wanted_units:
        units += builder.park() if rng.random() < 0.6 else builder.tower()
    buildings = _hospital_buildings(builder, _lay_out(builder, rng))
    return Town(buildings, _rooms(buildings))


def _lay_out(builder: _Builder, rng: np.random.Generator) -> pl.DataFrame:
    """Turn blocks into one row a building with code and position."""
    rows = []
    serial: dict[int, int] = defaultdict(int)
    for block in builder.blocks:
        for order, (road, number, building, units, floors, width) in enumerate(block.buildings):
            serial[block.community] += 1
            code = f"{builder.codes[block.community]}{serial[block.community]:05d}"
            dormitory = block.kind == "park" and order % 4 == 3
            rows.append(
                (code, builder.codes[block.community], builder.district.streets[builder.street_of[block.community]],
                 builder.names[block.community], road, number, block.estate, building, None, units, floors, width,
                 "dormitory" if dormitory else block.kind, order, block.lon, block.lat)
            )  # fmt: skip
    columns = ["place_code", "community_code", "street", "community", "road", "number", "estate", "building",
               "place", "units", "floors", "width", "kind", "order", "lon", "lat"]  # fmt: skip
    frame = pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
    frame = frame.with_columns(pl.col("place").cast(pl.String))
    # Buildings of a block stand in a loose lattice of 30 m around its centre.
    turn = frame["order"].to_numpy()
    side = 6
    jitter = rng.uniform(-5e-5, 5e-5, (len(turn), 2))
    lon = frame["lon"].to_numpy() + (turn % side - side / 2) * 2.9e-4 + jitter[:, 0]
    lat = frame["lat"].to_numpy() + (turn // side - 1) * 2.7e-4 + jitter[:, 1]
    zones = builder.district.zones
    index = CellIndex.build([zone.code for zone in zones], [zone.polygon for zone in zones], pixels=1_000_000)
    centre_lon, centre_lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    home = index.locate(centre_lon, centre_lat)
    for nearer in (0.25, 0.0):  # a building that strays into another zone moves towards its block's centre
        strayed = index.locate(lon, lat) != home
        lon[strayed] = centre_lon[strayed] + (lon - centre_lon)[strayed] * nearer
        lat[strayed] = centre_lat[strayed] + (lat - centre_lat)[strayed] * nearer
    return frame.with_columns(lon=pl.Series(lon).round(7), lat=pl.Series(lat).round(7)).drop("order")


def _hospital_buildings(builder: _Builder, buildings: pl.DataFrame) -> pl.DataFrame:
    """Add a building for each real hospital of the district.

    Its address is real; where in the street it lies is not known to us, so its position is schematic.
    """
    district = builder.district
    table = pl.read_csv(district.folder / "health" / "hospitals.csv", infer_schema=False)
    taken = dict(buildings.group_by("community_code").len().iter_rows())
    by_name = {name: code for code, name in district.streets.items()}
    rows: list[dict[str, object]] = []
    for row in table.filter(pl.col("county") == DISTRICT).iter_rows(named=True):
        written = _hospital_address(row["address"])
        if written is None:
            continue
        street, road, number = written
        members = [
            at for at, code in enumerate(builder.street_of) if code == by_name.get(street or "新安街道")
        ]
        community = members[len(rows) % len(members)]
        code = builder.codes[community]
        taken[code] = taken.get(code, 0) + 1
        lon, lat = builder.places[community][0]
        rows.append(
            {"place_code": f"{code}{taken[code]:05d}", "community_code": code,
             "street": district.streets[builder.street_of[community]], "community": builder.names[community],
             "road": road, "number": number, "estate": None, "building": None, "place": row["name"].strip(),
             "units": 0, "floors": 0, "width": 0, "kind": "hospital", "lon": round(lon, 7), "lat": round(lat, 7)}
        )  # fmt: skip
    return pl.concat([buildings, pl.DataFrame(rows, schema=buildings.schema)]) if rows else buildings


def _hospital_address(text: str | None) -> tuple[str | None, str, str] | None:
    """Read street, road and number from a real hospital's address; None where it has no single number."""
    found = pl.Series([(text or "").replace(" ", "")]).str.extract_groups(
        r"^(?:深圳市)?宝安区(?:(\p{Han}{2}街道))?(\p{Han}+?(?:路|大街|大道|街)(?:西乡段)?)(\d+号)"
    )[0]
    if found is None or found["2"] is None:
        return None
    return found["1"], found["2"], found["3"]


def _rooms(buildings: pl.DataFrame) -> pl.DataFrame:
    """Give every building its rooms, with unit, floor, number and what they are for."""
    units = np.maximum(buildings["units"].to_numpy(), 1)
    floors, width = buildings["floors"].to_numpy(), buildings["width"].to_numpy()
    count = units * floors * width
    at = np.repeat(np.arange(len(count)), count)
    serial = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    door = serial % width[at] + 1
    floor = serial // width[at] % floors[at] + 1
    unit = serial // (width[at] * floors[at]) + 1
    kind = buildings["kind"].gather(pl.Series(at, dtype=pl.UInt32))
    has_units = buildings["units"].to_numpy()[at] > 0
    code = buildings["place_code"].gather(pl.Series(at, dtype=pl.UInt32))
    ground = pl.Series(floor == 1) & kind.is_in(["village", "street"])
    text = pl.Series(unit).cast(pl.String) + "单元"
    frame = pl.DataFrame(
        {
            "building_row": at,
            "place_code": code + pl.Series(serial + 1).cast(pl.String).str.zfill(4),
            "unit": pl.select(pl.when(pl.Series(has_units)).then(text)).to_series(),
            "floor": pl.Series(floor).cast(pl.String) + "层",
            "room": pl.Series(floor * 100 + door).cast(pl.String),
            "kind": kind,
        }
    )
    use = (
        pl.when(ground).then(pl.lit("商铺"))
        .when(pl.col("kind").is_in(["village", "street", "estate"])).then(pl.lit("住宅"))
        .when(pl.col("kind") == "dormitory").then(pl.lit("宿舍"))
        .when(pl.col("kind") == "park").then(pl.lit("厂房"))
        .otherwise(pl.lit("办公"))
    )  # fmt: skip
    return frame.with_columns(use=use)


def library_frame(town: Town, cells: list[str | None]) -> pl.DataFrame:
    """Return the address library: building rows, then room rows, in the columns the matcher reads."""
    buildings = town.buildings.with_columns(cell_code=pl.Series(cells, dtype=pl.String))
    shared = ["street", "community", "road", "number", "estate", "building", "place", "community_code",
              "cell_code", "lon", "lat"]  # fmt: skip
    top = buildings.select("place_code", *shared).with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in ("unit", "floor", "room")
    )
    of_room = buildings.select(shared)[town.rooms["building_row"]]
    rooms = town.rooms.select("place_code", "unit", "floor", "room").hstack(of_room.get_columns())
    rows = pl.concat([top, rooms.select(top.columns)])
    return rows.select(
        "place_code",
        pl.lit(PROVINCE).alias("province"),
        pl.lit(CITY).alias("city"),
        pl.lit(DISTRICT).alias("district"),
        "street", "community", "road", "number", "estate", "building", "unit", "floor", "room", "place",
        "community_code", "cell_code", "lon", "lat",
        pl.lit("active").alias("state"),
        pl.lit(None, dtype=pl.String).alias("replaced_by"),
        pl.lit("2016-05-01").alias("valid_from"),
        pl.lit(None, dtype=pl.String).alias("valid_to"),
    )  # fmt: skip
