"""The national divisions that ship: both code systems, former names, communities."""

from __future__ import annotations

import polars as pl
import pytest

from chengshu.batch.address.communities import communities_of, plain
from chengshu.batch.address.gazetteer import gazetteer, short_name
from chengshu.batch.address.parse import parse
from chengshu.batch.address.text import arabic, clean
from chengshu.kernel.resources import shipped


def divisions() -> pl.DataFrame:
    return pl.read_parquet(shipped("districts", "cn", "divisions", "divisions.parquet"))


def test_a_streets_two_codes_are_on_one_row() -> None:
    row = divisions().filter(pl.col("code") == "440306017").row(0, named=True)
    assert (row["name"], row["civil_code"]) == ("新安街道", "440306001")


def test_codes_are_unique() -> None:
    table = divisions().filter(
        ~((pl.col("level") == 3) & pl.col("code").str.ends_with("00"))
    )  # 东莞市 is listed twice
    assert table["code"].n_unique() == table.height


def test_all_of_bao_an_has_streets_and_communities() -> None:
    codes = divisions().filter(pl.col("code").str.starts_with("440306") & (pl.col("level") == 4))["code"]
    assert len(codes) == 11
    near = communities_of("440306")
    assert near is not None
    assert near.code_of("海裕社区", None) == "440306017023"
    assert near.code_of("海裕社区居委会", "440306017") == "440306017023"
    assert near.code_of("海裕社区", "440306018") is None


def test_every_former_name_leads_to_a_division_in_force() -> None:
    known = gazetteer()
    former = [division for division in known.by_key.values() if division.until is not None]
    assert len(former) > 500
    assert all(division.successor in known.current for division in former)


def test_the_licence_and_the_sources_lie_beside_the_data() -> None:
    folder = shipped("districts", "cn", "divisions")
    sources = (folder / "SOURCES.md").read_text("utf-8")
    for file in folder.iterdir():
        if file.suffix in (".parquet", ".csv"):
            assert file.name in sources


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("深圳市", "深圳"),
        ("恩施土家族苗族自治州", "恩施"),
        ("内蒙古自治区", "内蒙古"),
        ("浦东新区", "浦东"),
        ("沙县", "沙县"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.parametrize(
    ("numeral", "digits"),
    [("三", "3"), ("十二", "12"), ("二十", "20"), ("一百零三", "103"), ("二〇三", "203")],
)
def test_numerals(numeral: str, digits: str) -> None:
    assert arabic(numeral) == digits


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("Ａ座－１２０３", "A座-1203"),
        ("浙江省　杭州市，余杭区", "浙江省 杭州市 余杭区"),
        ("浙江省null杭州市", "浙江省 杭州市"),
        ("寶安區", "宝安区"),
        ("陆家嘴叁号", "陆家嘴三号"),
    ],
)
def test_cleaning(written: str, cleaned: str) -> None:
    assert clean(written) == cleaned


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("海裕社区居委会", "海裕社区"),
        ("沿山村委会", "沿山村"),
        ("沿山村民委员会", "沿山村"),
        ("八一居委会", "八一居委会"),
        ("张家庄村委会", "张家庄"),
    ],
)
def test_community_names(written: str, short: str) -> None:
    assert plain(written) == short


def test_a_name_said_again_is_no_former_county_of_that_name():
    found = parse("临汾市滨河西路8号 临汾市人民医院")
    assert (found.city, found.district, found.division_code) == ("临汾市", None, "141000")
    assert parse("临汾地区临汾市解放路3号").district == "临汾市"


def test_a_district_with_one_wrong_letter_is_read_as_the_only_one_it_can_be_and_said_to_be_inferred():
    found = parse("南京市梄霞区和燕路290号")
    assert (found.district, found.division_code) == ("栖霞区", "320113") and "district" in found.inferred
    assert parse("苏州市高新区狮山路1号").district == "高新区"


def test_a_street_s_short_form_counts_before_a_road_and_not_in_the_name_of_a_hill():
    assert parse("北苑望道路1255号").street == "北苑"
    assert parse("玉皇山莲花峰路100号").street is None
