"""A small seeded address library over real communities of Bao'an, for the tests of the matcher."""

from __future__ import annotations

import random

import polars as pl

# 12-digit code, street, community: real ones (statistical codes of 2023-06-30).
COMMUNITIES = (
    ("440306017001", "新安街道", "宝民社区"),
    ("440306017002", "新安街道", "上川社区"),
    ("440306017019", "新安街道", "上合社区"),
    ("440306017020", "新安街道", "安乐社区"),
    ("440306018001", "西乡街道", "固戍社区"),
    ("440306018012", "西乡街道", "流塘社区"),
    ("440306018014", "西乡街道", "麻布社区"),
    ("440306018025", "西乡街道", "桃源社区"),
    ("440306019003", "航城街道", "黄田社区"),
    ("440306019008", "航城街道", "三围社区"),
    ("440306020003", "福永街道", "怀德社区"),
    ("440306020005", "福永街道", "白石厦社区"),
    ("440306021002", "福海街道", "桥头社区"),
    ("440306021004", "福海街道", "塘尾社区"),
    ("440306022003", "沙井街道", "衙边社区"),
    ("440306022020", "沙井街道", "沙井社区"),
    ("440306023001", "新桥街道", "新桥社区"),
    ("440306023006", "新桥街道", "万丰社区"),
    ("440306024003", "松岗街道", "红星社区"),
    ("440306024011", "松岗街道", "碧头社区"),
    ("440306025003", "燕罗街道", "燕川社区"),
    ("440306025004", "燕罗街道", "罗田社区"),
    ("440306026004", "石岩街道", "官田社区"),
    ("440306026018", "石岩街道", "麻布社区"),
)
_HEADS = (
    "创业", "前进", "宝民", "兴华", "建安", "翻身", "流塘", "海城", "洲石", "航城",
    "福海", "永和", "中心", "北环", "沙井", "锦程", "松明", "燕山", "塘前", "宏发",
)  # fmt: skip
_ROADS = ("路", "大道", "一路", "二路", "三路", "东路", "西路", "街")
_ESTATES = (
    "海华", "丽晶", "御景", "锦绣", "金港", "富通", "阳光", "翡翠", "碧海", "桃源",
    "泰华", "冠城", "幸福", "鸿景", "汇龙", "天健", "中粮", "勤诚", "深业", "万科",
)  # fmt: skip
_KINDS = ("花园", "小区", "家园", "公寓", "大厦", "花苑", "广场")


def toy_library(buildings: int = 400, *, seed: int = 7) -> pl.DataFrame:
    """Return a library frame of ``buildings`` buildings with their rooms, in the columns of AddressLibrary."""
    rng = random.Random(seed)
    rows: list[dict[str, object]] = []
    used: set[tuple[str, str, str]] = set()
    serials: dict[str, int] = {}
    count = 0
    while count < buildings:
        code, street, community = rng.choice(COMMUNITIES)
        road = rng.choice(_HEADS) + rng.choice(_ROADS)
        number = f"{rng.randint(1, 300)}号"
        if (street, road, number) in used:
            continue
        used.add((street, road, number))
        estate, blocks = _site(rng, community)
        for block in blocks:
            serials[code] = serials.get(code, 0) + 1
            count += 1
            rows += _building_rows(
                rng, (code, street, community), (road, number, estate, block), serials[code]
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def _site(rng: random.Random, community: str) -> tuple[str | None, list[str | None]]:
    kind = rng.random()
    if kind < 0.35:  # a house of its own: road and number only
        return None, [None]
    if kind < 0.75:
        estate = rng.choice(_ESTATES) + rng.choice(_KINDS)
        return estate, [f"{n}栋" for n in range(1, rng.randint(1, 8) + 1)]
    if kind < 0.9:
        village = community.removesuffix("社区") + rng.choice(("新村", "村", "西区"))
        return village, [f"{n}栋" for n in range(1, rng.randint(3, 20) + 1)]
    park = community.removesuffix("社区") + rng.choice(("第一工业区", "第二工业区", "科技园", "工业园"))
    return park, [f"{letter}栋" for letter in "ABCDEF"[: rng.randint(1, 6)]]


def _building_rows(
    rng: random.Random,
    where: tuple[str, str, str],
    site: tuple[str, str, str | None, str | None],
    serial: int,
) -> list[dict[str, object]]:
    code, street, community = where
    road, number, estate, block = site
    place_code = f"{code}{serial:05d}"
    base: dict[str, object] = {
        "place_code": place_code,
        "province": "广东省",
        "city": "深圳市",
        "district": "宝安区",
        "street": street,
        "community": community,
        "road": road,
        "number": number,
        "estate": estate,
        "building": block,
        "division_code": code[:9],
        "community_code": code,
        "state": "active",
    }
    rows = [base]
    units = rng.choice(([None], [None], ["1单元", "2单元"])) if estate else [None]
    room_serial = 0
    for unit in units:
        for floor in range(1, rng.randint(2, 6)):
            for door in range(1, rng.randint(2, 4)):
                room_serial += 1
                rows.append(
                    base
                    | {
                        "place_code": f"{place_code}{room_serial:04d}",
                        "unit": unit,
                        "floor": f"{floor}层",
                        "room": f"{floor}{door:02d}",
                    }
                )
    return rows


SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(
        (
            "place_code", "province", "city", "district", "street", "community", "road", "number", "estate",
            "building", "unit", "floor", "room", "place", "division_code", "community_code", "cell_code",
        ),
        pl.String,
    ),
    "lon": pl.Float64,
    "lat": pl.Float64,
    "state": pl.String,
    "replaced_by": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}  # fmt: skip
