"""A steward's library over time: retired, split and merged addresses, proposals, broken files."""

import datetime as dt

import polars as pl
import pytest
from toy_library import toy_library

from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.neighbours import neighbours
from chengshu.kernel.problems import Problem

HOME = "440306"
HEAD = {
    "province": "广东省", "city": "深圳市", "district": "宝安区", "street": "新安街道", "community": "宝民社区",
    "community_code": "440306017001",
}  # fmt: skip


def row(serial, state="active", replaced_by=None, **parts):
    blank = dict.fromkeys(("road", "number", "estate", "building", "unit", "floor", "room"))
    return HEAD | blank | parts | {
        "place_code": f"440306017001{serial}", "state": state, "replaced_by": replaced_by and ",".join(
            f"440306017001{each}" for each in replaced_by.split(",")
        ),
    }  # fmt: skip


def build(*rows):
    return AddressLibrary.from_frame(pl.DataFrame(list(rows), infer_schema_length=None))


def one(library, text):
    return library.match_many([text], home=HOME).row(0, named=True)


def test_a_renumbered_house_is_answered_by_its_new_code_and_tells_the_old_one():
    library = build(
        row("00001", "retired", "00002", road="创业一路", number="12号"),
        row("00002", road="创业一路", number="18号"),
    )
    found = one(library, "新安街道创业一路12号")
    assert found["place_code"] == "44030601700100002"
    assert found["retired_code"] == "44030601700100001"


def test_replacements_are_followed_to_the_end_and_a_ring_of_them_is_refused():
    library = build(
        row("00001", "retired", "00002", road="创业一路", number="1号"),
        row("00002", "retired", "00003", road="创业一路", number="2号"),
        row("00003", road="创业一路", number="3号"),
        row("00004", "retired", "00005", road="创业一路", number="4号"),
        row("00005", "retired", "00004", road="创业一路", number="5号"),
    )
    assert one(library, "创业一路1号")["place_code"] == "44030601700100003"
    assert one(library, "创业一路4号")["reason"] == "retired"


def test_a_split_building_is_not_answered_by_one_half_but_its_rooms_by_where_they_went():
    old = {"road": "创业一路", "number": "12号", "building": "3栋"}
    library = build(
        row("00001", "retired", "00002,00003", **old),
        row("000010001", "retired", "000030001", **old, room="503"),
        row("00002", road="创业一路", number="12号", building="3A栋"),
        row("00003", road="创业一路", number="12号", building="3B栋"),
        row("000030001", road="创业一路", number="12号", building="3B栋", room="503"),
    )
    whole = one(library, "创业一路12号3栋")
    assert whole["place_code"] is None and whole["reason"] == "ambiguous"
    assert [each["place_code"][-5:] for each in whole["candidates"]] == ["00002", "00003"]
    assert one(library, "创业一路12号3栋503")["place_code"] == "440306017001000030001"


def test_merged_rooms_lead_to_the_one_they_became():
    house = {"road": "创业一路", "number": "12号"}
    library = build(
        row("00001", **house),
        row("000010001", "retired", "000010003", **house, room="501"),
        row("000010002", "retired", "000010003", **house, room="502"),
        row("000010003", **house, room="501-502"),
    )
    assert one(library, "创业一路12号502室")["place_code"] == "440306017001000010003"


def test_a_house_that_was_pulled_down_is_refused_as_retired():
    library = build(
        row("00001", "retired", road="创业一路", number="12号"), row("00002", road="创业一路", number="14号")
    )
    found = one(library, "创业一路12号")
    assert found["place_code"] is None and found["reason"] == "retired"


def test_what_was_only_proposed_is_not_matched():
    library = build(
        row("00001", "proposed", road="创业一路", number="12号"), row("00002", road="创业一路", number="14号")
    )
    assert one(library, "创业一路12号")["place_code"] is None


def test_another_name_on_file_finds_the_estate():
    rows = pl.DataFrame(
        [
            row("00001", road="创业一路", number="12号", estate="海华花园", building="3栋")
            | {"aliases": "水岸名居|海华苑小区"}
        ]
    )
    assert one(AddressLibrary.from_frame(rows), "水岸名居3栋")["place_code"] == "44030601700100001"


def test_rooms_without_a_building_row_are_still_found_but_no_building_code_is_made_up():
    library = build(row("000010001", road="创业一路", number="12号", room="503"))
    assert one(library, "创业一路12号503")["place_code"] == "440306017001000010001"
    assert one(library, "创业一路12号504")["place_code"] is None


def test_missing_addresses_are_proposed_once_with_their_parent_and_without_a_code():
    library = build(
        row("00001", road="创业一路", number="12号"),
        row("000010001", road="创业一路", number="12号", room="503"),
    )
    proposals = library.propose(
        [
            "新安街道宝民社区创业一路12号503",  # known
            "新安街道宝民社区创业一路12号604",
            "宝民社区创业1路十二号604室",  # the same room
            "新安街道宝民社区创业一路20号",
            "广州市天河区体育西路1号",  # elsewhere
            "新安街道",  # names no house
        ],
        home=HOME,
    )
    assert proposals.select("level", "parent_code", "times").rows() == [
        ("room", "44030601700100001", 2),
        ("building", "440306017001", 1),
    ]
    assert "place_code" not in proposals.columns
    assert proposals["number"].to_list()[1] == "20号"


def test_a_refused_address_shows_what_lies_near_below_the_bound_of_acceptance():
    library = build(*(row(f"0000{n}", road="创业一路", number=f"{n}0号") for n in range(1, 8)))
    near = neighbours(library, "创业一路31号", home=HOME, limit=3)
    assert near[0]["place_code"] == "44030601700100003"
    assert len(near) == 3 and all(each["score"] < 0.75 for each in near)


def test_a_file_without_codes_with_double_codes_or_not_there_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(Problem, match="needs a column place_code"):
        AddressLibrary.from_frame(pl.DataFrame({"address": ["创业一路12号"]}))
    with pytest.raises(Problem, match="one code of its own"):
        build(row("00001", road="创业一路"), row("00001", road="创业二路"))
    with pytest.raises(Problem, match="no such address library"):
        AddressLibrary.load(tmp_path / "none.parquet")


def test_a_csv_library_reads_like_its_parquet(tmp_path):
    frame = toy_library(40)
    frame.write_csv(tmp_path / "library.csv")
    frame.write_parquet(tmp_path / "library.parquet")
    texts = ["新安街道宝民社区创业一路1号", *frame["place_code"].head(1).to_list()]
    left, right = (AddressLibrary.load(tmp_path / f"library.{kind}") for kind in ("csv", "parquet"))
    assert len(left) == len(right)
    assert left.match_many(texts, home=HOME).equals(right.match_many(texts, home=HOME))


def test_on_a_day_of_the_past_the_library_answers_as_it_stood_then():
    days = {"valid_from": dt.date(2020, 1, 1), "valid_to": None}
    library = build(
        row("00001", "retired", "00002", road="创业一路", number="12号")
        | days
        | {"valid_to": dt.date(2024, 5, 1)},
        row("00002", road="创业一路", number="18号") | days | {"valid_from": dt.date(2024, 5, 1)},
    )

    def code(number, on):
        found = library.match_many([f"新安街道创业一路{number}号"], home=HOME, on=on)
        return found["place_code"][0]

    assert code(12, dt.date(2024, 4, 30)) == "44030601700100001" and code(18, dt.date(2024, 4, 30)) is None
    assert code(12, dt.date(2024, 5, 1)) == code(18, dt.date(2024, 5, 1)) == "44030601700100002"
    assert code(12, None) == "44030601700100002"
