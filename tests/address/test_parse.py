"""Addresses as people write them, and what must be read from each."""

from __future__ import annotations

from datetime import date

import pytest

from chengshu.batch.address.model import FIELDS
from chengshu.batch.address.parse import parse

FULL = "广东省深圳市宝安区新安街道海裕社区海天路15-3号卓越时代花园二期3栋2单元5层503"

# name of what is parsed: (text, fields that must be exactly so)
WRITTEN = {
    "every level from province to room": (
        FULL,
        {
            "province": "广东省", "city": "深圳市", "district": "宝安区", "street": "新安街道", "community": "海裕社区",
            "road": "海天路", "number": "15-3号", "estate": "卓越时代花园二期", "building": "3栋", "unit": "2单元",
            "floor": "5层", "room": "503", "place": None, "division_code": "440306017023",
        },
    ),
    "a lane and a house in it": (
        "上海市静安区共和新路街道柳营路669弄14号1102室",
        {"city": "上海市", "road": "柳营路", "number": "669弄", "building": "14号", "room": "1102"},
    ),
    "a yard": ("北京市朝阳区望京街道阜通东大街6号院3号楼2303", {"number": "6号院", "building": "3号楼", "room": "2303"}),
    "building, unit and room by dashes": (
        "竹海水韵春风里3-2-501",
        {"estate": "竹海水韵春风里", "building": "3栋", "unit": "2单元", "room": "501"},
    ),
    "a lettered tower and a room by a dash": (
        "宝安区海天路15号卓越时代广场A座-1203",
        {"place": "卓越时代广场", "building": "A座", "room": "1203"},
    ),
    "Chinese numerals that count": (
        "宝安区创业一路十二号三栋二单元五楼五零三室",
        {"road": "创业一路", "number": "12号", "building": "3栋", "unit": "2单元", "floor": "5层", "room": "503"},
    ),
    "Chinese numerals that belong to a road": ("宝安区裕安二路一号", {"road": "裕安二路", "number": "1号"}),
    "a numbered road": ("杭州经济开发区5号大街118号", {"road": "5号大街", "number": "118号"}),
    "a national road": ("宝安区107国道88号", {"road": "107国道", "number": "88号"}),
    "full width letters, digits and dashes": (
        "宝安区海天路１５号Ａ座－１２０３",
        {"number": "15号", "building": "A座", "room": "1203"},
    ),
    "an odd number with a suffix": ("西城区广外三义里甲2号", {"number": "甲2号"}),
    "a number of a number": ("沙坪坝区小龙坎正街12号附3号", {"road": "小龙坎正街", "number": "12号附3号"}),
    "a village and its group": (
        "江阳区邻玉街道天堂村2组823号",
        {"community": "天堂村", "road": "2组", "number": "823号"},
    ),
    "a residents' committee written out": (
        "宝安区新安街道海裕社区居委会",
        {"community": "海裕社区", "division_code": "440306017023"},
    ),
    "a development zone where a street would stand": (
        "浙江省湖州市德清县武康经济开发区",
        {"district": "德清县", "street": "武康经济开发区"},
    ),
    "an industrial park": ("宝安区石岩街道宝石西路恒通发工业园8栋", {"estate": "恒通发工业园", "building": "8栋"}),
    "a landmark": ("宝安区新安街道宝安体育馆", {"street": "新安街道", "place": "宝安体育馆"}),
    "a basement floor": ("宝安区海城路5号天虹商场负一楼", {"floor": "负1层", "place": "天虹商场"}),
    "a shop": ("宝安区海城路5号天虹商场B12商铺", {"number": "5号", "place": "天虹商场", "room": "B12商铺"}),
    "a note about the neighbourhood": (
        "宝安区新安街道创业一路12号对面",
        {"road": "创业一路", "number": "12号", "place": None},
    ),
    "a remark in brackets": (
        "宝安区创业一路12号(近地铁站)3栋503",
        {"number": "12号", "building": "3栋", "room": "503", "place": "近地铁站"},
    ),
    "a crossing": ("宝安区创业一路与新安四路交叉口", {"road": "创业一路", "place": "新安四路"}),
    "a label before the address": ("注册地址：深圳市宝安区创业一路12号", {"district": "宝安区", "number": "12号"}),
    "parts repeated": (
        "广东省深圳市广东省深圳市宝安区西乡街道西乡街道共乐社区",
        {"city": "深圳市", "district": "宝安区", "street": "西乡街道", "community": "共乐社区"},
    ),
    "a second, whole address behind the first": (
        "安徽省宿州市萧县中国浙江省宁波市江北区洪大路5号",
        {"province": "浙江省", "city": "宁波市", "district": "江北区", "road": "洪大路"},
    ),
    "parts reversed": (
        "12号创业一路宝安区深圳",
        {"city": "深圳市", "district": "宝安区", "road": "创业一路", "number": "12号"},
    ),
    "parts reversed with commas": (
        "102室，2单元，16栋，165号，前进东路，三围社区，航城街道，宝安区，深圳市，广东省",
        {"street": "航城街道", "community": "三围社区", "road": "前进东路", "building": "16栋", "unit": "2单元", "room": "102"},
    ),
    "parts by slashes": (
        "广东省/深圳市/宝安区/石岩街道/幸福公寓/8栋/1单元/101",
        {"street": "石岩街道", "estate": "幸福公寓", "building": "8栋", "unit": "1单元", "room": "101"},
    ),
    "a name before the divisions": (
        "北京市和平里医院东城区和平里北街18号",
        {"district": "东城区", "road": "和平里北街", "number": "18号", "place": "和平里医院"},
    ),
    "Hong Kong": ("香港特别行政区油尖旺区弥敦道100号", {"district": "油尖旺区", "road": "弥敦道", "number": "100号"}),
    "Taiwan": ("台北市大安区忠孝东路5号", {"province": "台湾省", "city": "台北市", "district": "大安区"}),
}  # fmt: skip


@pytest.mark.parametrize("what", WRITTEN)
def test_what_is_written_is_read(what: str) -> None:
    text, wanted = WRITTEN[what]
    found = parse(text)
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert found.error is None


COLLOQUIAL = {
    "深圳宝安新安": ("广东省", "深圳市", "宝安区", "新安街道"),
    "沪静安区南京西路": ("上海市", "上海市", "静安区", None),
    "粤深圳宝安": ("广东省", "深圳市", "宝安区", None),
    "北京朝阳望京街道": ("北京市", "北京市", "朝阳区", "望京街道"),
    "新疆乌鲁木齐天山区": ("新疆维吾尔自治区", "乌鲁木齐市", "天山区", None),
    "德宏州瑞丽市": ("云南省", "德宏傣族景颇族自治州", "瑞丽市", None),
    "湖南芷江县": ("湖南省", "怀化市", "芷江侗族自治县", None),
    "内蒙古察右前旗": ("内蒙古自治区", "乌兰察布市", "察哈尔右翼前旗", None),
}


@pytest.mark.parametrize("text", COLLOQUIAL)
def test_short_forms_stand_for_the_official_names(text: str) -> None:
    found = parse(text)
    assert (found.province, found.city, found.district, found.street) == COLLOQUIAL[text]


@pytest.mark.parametrize(
    "text", ["南京东路100号", "中山路12号", "北京路5号", "上海大厦", "朝阳路9号", "新华书店"]
)
def test_a_road_or_house_named_after_a_city_is_not_in_it(text: str) -> None:
    found = parse(text)
    assert (found.city, found.district) == (None, None)


def test_a_district_unique_in_the_country_gives_city_and_province() -> None:
    found = parse("宝安区创业一路12号")
    assert (found.province, found.city, found.division_code) == ("广东省", "深圳市", "440306")
    assert found.inferred == ("province", "city")


def test_a_district_of_two_cities_gives_neither() -> None:
    found = parse("朝阳区某某街99号")
    assert (found.province, found.city, found.district) == (None, None, "朝阳区")
    assert found.division_code is None
    assert found.inferred == ()


def test_a_street_tells_which_of_two_districts_is_meant() -> None:
    found = parse("朝阳区望京街道阜通东大街6号")
    assert (found.city, found.district, found.street) == ("北京市", "朝阳区", "望京街道")
    assert "city" in found.inferred


def test_a_community_gives_its_street() -> None:
    found = parse("深圳市宝安区海裕社区海天路15号")
    assert (found.street, found.division_code) == ("新安街道", "440306017023")
    assert "street" in found.inferred


def test_nothing_is_inferred_from_a_full_address() -> None:
    assert parse(FULL).inferred == ()


def test_short_addresses_of_a_districts_own_files_are_completed() -> None:
    found = parse("新安上合松明西路154号", home="440306")
    assert (found.city, found.district, found.street, found.community) == (
        "深圳市",
        "宝安区",
        "新安街道",
        "上合社区",
    )
    assert set(found.inferred) >= {"province", "city", "district"}


def test_an_address_of_another_district_stays_there_whatever_home_is() -> None:
    assert parse("南山区科技园路1号", home="440306").district == "南山区"
    assert parse("杭州市西湖区文三路1号", home="440306").city == "杭州市"


RENAMED = {
    "浙江省绍兴县柯桥街道": ("绍兴县", "柯桥区", 2013),
    "浙江省宁波市江东区园丁街67号": ("江东区", "鄞州区", 2016),
    "浙江省杭州市下城区文晖路195号": ("下城区", "拱墅区", 2021),
    "北京市崇文区崇外大街1号": ("崇文区", "东城区", 2010),
    "上海市闸北区共和新路1号": ("闸北区", "静安区", 2015),
    "浙江省奉化市岳林街道": ("奉化市", "奉化区", 2016),
    "深圳市光明新区公明街道": ("光明新区", "光明区", 2018),
    "重庆市大足县宝兴镇": ("大足县", "大足区", 2011),
}


@pytest.mark.parametrize("text", RENAMED)
def test_a_former_name_stays_without_a_day_and_todays_is_told(text: str) -> None:
    before, now, _ = RENAMED[text]
    found = parse(text)
    assert found.district == before
    assert f"district={now}" in found.renamed


@pytest.mark.parametrize("text", RENAMED)
def test_a_former_name_becomes_the_one_of_the_day(text: str) -> None:
    before, now, year = RENAMED[text]
    later = parse(text, on=date(2026, 1, 1))
    assert later.district == now
    assert "district" in later.inferred
    assert parse(text, on=date(year - 1, 1, 1)).district == before


def test_both_give_the_code_in_force() -> None:
    text = "浙江省宁波市江东区园丁街67号"
    assert parse(text).division_code == parse(text, on=date(2026, 1, 1)).division_code == "330212"


def test_a_divided_district_follows_its_street() -> None:
    found = parse("杭州市余杭区临平街道荷禹路77号", on=date(2026, 1, 1))
    assert found.district == "临平区"
    assert found.division_code is not None
    assert found.division_code.startswith("330113")
    assert parse("杭州市余杭区五常街道荷禹路77号", on=date(2026, 1, 1)).district == "余杭区"


def test_a_renamed_city_is_renamed() -> None:
    assert parse("湖北省襄樊市樊城区", on=date(2026, 1, 1)).city == "襄阳市"


def test_a_street_that_became_a_subdistrict_is_corrected() -> None:
    found = parse("海宁市盐官镇")
    assert found.street == "盐官镇"
    found = parse("余杭区乔司镇三鑫工业园")
    assert found.street == "乔司街道"
    assert "street" in found.inferred


@pytest.mark.parametrize(
    "text", ["", "   ", "-", "无", "asdf", "12345678901234567890", "?!", "\x00\x1f", "null", "()"]
)
def test_nothing_is_made_of_nothing(text: str) -> None:
    found = parse(text)
    assert found.error in ("empty", "unrecognised")
    assert all(getattr(found, name) is None for name in FIELDS)


def test_none_is_an_empty_address() -> None:
    assert parse(None).error == "empty"
