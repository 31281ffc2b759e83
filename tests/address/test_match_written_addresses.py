"""An engineer matches written addresses: what is certain gets its code, what is not is refused with the reason."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_library import toy_library

from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.match import OUTPUT
from chengshu.batch.generate.address_noise import KINDS, full_text, messy

HOME = "440306"
FRAME = toy_library(300, seed=11)
ROWS = list(FRAME.iter_rows(named=True))


@pytest.fixture(scope="module")
def library() -> AddressLibrary:
    return AddressLibrary.from_frame(FRAME)


def one(library, text):
    return library.match_many([text], home=HOME).row(0, named=True)


def fresh(**rows):
    """A library of a few hand-written buildings and rooms in 宝民社区: code suffix → parts."""
    base = dict.fromkeys(("unit", "room", "estate", "building", "road", "number", "replaced_by", "aliases"))
    head = {
        "province": "广东省",
        "city": "深圳市",
        "district": "宝安区",
        "street": "新安街道",
        "community": "宝民社区",
    }
    made = [
        {
            **base,
            **head,
            "community_code": "440306017001",
            "state": "active",
            "place_code": f"440306017001{code[1:]}",
        }
        | parts
        for code, parts in rows.items()
    ]
    return AddressLibrary.from_frame(pl.DataFrame(made, infer_schema_length=None))


def code(suffix):
    return f"440306017001{suffix}"


def test_every_address_written_in_full_gets_its_own_code(library):
    found = library.match_many([full_text(row) for row in ROWS], home=HOME)
    assert found["place_code"].to_list() == FRAME["place_code"].to_list()
    assert found["level"].to_list() == ["room" if row["room"] else "building" for row in ROWS]


def test_the_answer_has_one_row_a_text_in_order_also_for_rubbish(library):
    texts = ["", "  ", "无", "电联", full_text(ROWS[1]), "???", full_text(ROWS[5]), "12345"]
    found = library.match_many(texts, home=HOME)
    assert found["text"].to_list() == texts
    assert tuple(found.columns) == OUTPUT
    assert [bool(value) for value in found["place_code"]] == [False] * 4 + [True, False, True, False]
    refused = found.filter(pl.col("place_code").is_null())
    assert refused["reason"].null_count() == 0


def test_no_texts_give_no_rows(library):
    assert library.match_many([], home=HOME).height == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(ROWS) - 1), st.sets(st.sampled_from(KINDS), max_size=4), st.integers(0, 10_000))
def test_errors_of_writing_never_lead_to_another_building(library, index, kinds, seed):
    row = ROWS[index]
    kinds -= {"dropped_levels", "aliases"}  # what is left out may leave several places that fit
    found = one(library, messy(row, kinds, random.Random(seed)).text)
    if found["place_code"]:
        assert found["place_code"][:17] == row["place_code"][:17]


@pytest.mark.parametrize(
    "text",
    [
        "创业一路12号海华花园3栋2单元503",
        "深圳宝安区新安街道宝民社区创业一路12号海华花园3栋2单元503室",
        "创业1路十二号海华花园三幢二单元５０３房",
        "海华花园3-2-503",
        "创业一路12号3栋2单元503",
        "广东省深圳市宝安区宝安区新安街道海华花园海华花园3栋2单元503(麦当劳旁)",
        "创页一路12号海华花园3栋2单元503",
        "503室 2单元 3栋 海华花园 12号 创业一路 宝民社区 新安街道 宝安区 深圳市",
        "新安镇创业一路12号海华小区3号楼2单元503",
    ],
)
def test_one_flat_is_found_however_it_is_written(text):
    flat = {"road": "创业一路", "number": "12号", "estate": "海华花园", "building": "3栋"}
    library = fresh(
        _00001=flat,
        _000010001={**flat, "unit": "2单元", "floor": "5层", "room": "503"},
        _00002={**flat, "building": "4栋"},
        _00003={"road": "创业二路", "number": "12号"},
    )
    found = one(library, text)
    assert (found["place_code"], found["level"]) == (code("000010001"), "room"), found
    assert found["score"] >= 0.75


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("创业一路13号", "no_such_number"),
        ("创业一路12号海华花园9栋", "no_such_building"),
        ("创业一路", "too_short"),
        ("海华花园", "too_short"),
        ("新安街道宝民社区", "too_short"),
        ("星汉灿烂路8号", "not_found"),
        ("广州市天河区创业一路12号海华花园3栋", "outside"),
        ("南山区粤海街道创业一路12号海华花园3栋", "outside"),
        ("创霄一路12号", "uncertain"),
    ],
)
def test_what_is_not_certain_is_refused_and_says_why(text, reason):
    flat = {"road": "创业一路", "number": "12号", "estate": "海华花园", "building": "3栋"}
    library = fresh(_00001=flat, _00002={**flat, "building": "4栋"})
    found = one(library, text)
    assert found["place_code"] is None
    assert found["score"] is None and found["level"] is None
    assert found["reason"] == reason


def test_two_places_that_fit_alike_are_both_named_and_neither_taken():
    library = fresh(
        _00001={"road": "前进路", "number": "8号", "estate": "丽晶花园", "building": "1栋"},
        _00002={"road": "前进路", "number": "8号", "estate": "丽晶花园", "building": "2栋"},
    )
    found = one(library, "前进路8号503")
    assert found["place_code"] is None and found["reason"] == "ambiguous"
    assert {each["place_code"] for each in found["candidates"]} == {code("00001"), code("00002")}


def test_another_numbered_road_is_another_road():
    library = fresh(_00001={"road": "创业一路", "number": "12号"})
    assert one(library, "创业二路12号")["place_code"] is None
    assert one(library, "创业东路12号")["place_code"] is None


def test_a_room_that_the_building_lacks_is_answered_by_the_building_as_a_new_room():
    flat = {"road": "创业一路", "number": "12号"}
    library = fresh(_00001=flat, _000010001={**flat, "room": "503"})
    found = one(library, "创业一路12号604")
    assert (found["place_code"], found["level"], found["reason"]) == (code("00001"), "building", "new_room")


def test_a_room_in_another_unit_or_on_another_floor_is_not_taken():
    flat = {"road": "创业一路", "number": "12号", "building": "3栋"}
    library = fresh(_00001=flat, _000010001={**flat, "unit": "1单元", "floor": "5层", "room": "503"})
    assert one(library, "创业一路12号3栋2单元503")["level"] == "building"
    assert one(library, "创业一路12号3栋1单元6层503")["level"] == "building"
    assert one(library, "创业一路12号3栋503")["level"] == "room"


def test_without_its_unit_a_room_that_stands_in_two_units_is_not_chosen():
    flat = {"road": "创业一路", "number": "12号", "building": "3栋"}
    library = fresh(
        _00001=flat,
        _000010001={**flat, "unit": "1单元", "room": "503"},
        _000010002={**flat, "unit": "2单元", "room": "503"},
    )
    found = one(library, "创业一路12号3栋503")
    assert (found["level"], found["reason"]) == ("building", "ambiguous_room")
    assert one(library, "创业一路12号3栋2单元503")["place_code"] == code("000010002")


def test_the_same_road_in_two_streets_is_told_apart_by_the_street_and_refused_without_it():
    library = AddressLibrary.from_frame(
        pl.DataFrame(
            [
                {"place_code": f"{community}00001", "city": "深圳市", "district": "宝安区", "street": street,
                 "community": name, "community_code": community, "road": "建设路", "number": "5号"}
                for community, street, name in (
                    ("440306022020", "沙井街道", "沙井社区"), ("440306024003", "松岗街道", "红星社区"),
                )
            ]
        )
    )  # fmt: skip
    assert one(library, "松岗街道建设路5号")["place_code"] == "44030602400300001"
    assert one(library, "沙井建设路5号")["place_code"] == "44030602202000001"
    assert one(library, "建设路5号")["reason"] == "ambiguous"


def test_a_library_of_codes_and_texts_alone_will_do():
    library = AddressLibrary.from_frame(
        pl.DataFrame(
            {
                "place_code": ["A1", "A2"],
                "address": ["深圳市宝安区新安街道创业一路12号", "深圳市宝安区新安街道宝民路7号"],
            }
        )
    )
    assert one(library, "新安街道宝民路7号")["place_code"] == "A2"
