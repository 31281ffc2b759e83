"""The steward resolves the departments' records: what clerks get wrong is forgiven, strangers alike in much stay apart."""

from __future__ import annotations

import polars as pl
import pytest

from chengshu.batch.linkage import resolve
from chengshu.batch.linkage.codes import (
    credit_code_valid,
    iso_date,
    phone,
    resident_id_valid,
    resident_ids,
    sex,
)
from chengshu.batch.linkage.models import load_model, pinned, save_model
from chengshu.batch.linkage.text import firm_core, person_name, pinyin
from chengshu.kernel.problems import Problem

WEI = "11010519491231002X"
FLAT, OTHER_FLAT = "440306001001000010001", "440306001002000010009"


def people(*rows: dict[str, str | None]) -> pl.DataFrame:
    columns = ("record_id", "source", "name", "resident_id", "phone", "birth_date", "sex", "place_code")
    filled = [
        {name: row.get(name) for name in columns} | {"record_id": f"r{n}"} for n, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String))


def together(records: pl.DataFrame, kind: str = "person", **more) -> list[set[str]]:
    groups = (
        resolve(kind, records, **more).clusters.group_by("cluster").agg("record_id")["record_id"].to_list()
    )
    return sorted((set(group) for group in groups), key=min)


BASE = {"source": "police", "name": "张伟明", "resident_id": WEI, "phone": "13812345678", "place_code": FLAT}


@pytest.mark.parametrize(
    "other",
    [
        {"name": "張偉明", "resident_id": WEI.lower()},
        {"name": "张炜明", "resident_id": WEI},
        {"name": "张伟明", "resident_id": "110105491231002", "phone": "13812345678"},
        {"name": "张伟明", "resident_id": "11010519491213002X", "phone": "13812345678"},
        {"name": "张伟明", "resident_id": "11010519491231003X", "birth_date": "1949-12-31"},
        {"name": "张伟明", "birth_date": "1949年12月31日", "phone": "+86 138-1234-5678"},
        {"name": "张 伟明", "birth_date": "1949-12-31", "place_code": FLAT},
        {"name": "章伟明", "phone": "13812345678", "birth_date": "1949-12-31"},
    ],
    ids=[
        "traditional",
        "homophone",
        "15 digits",
        "transposed",
        "one digit wrong",
        "no id",
        "same flat",
        "name and phone",
    ],
)
def test_one_person_in_spite_of_errors(other):
    assert together(people(BASE, {"source": "health", **other})) == [{"r0", "r1"}]


def test_twins_with_ids_are_two_and_the_row_without_an_id_goes_to_its_namesake():
    home = {"birth_date": "2015-06-01", "phone": "13700000001", "place_code": FLAT}
    first = {"source": "police", "name": "王子轩", "resident_id": with_check("44030620150601001"), **home}
    second = {"source": "police", "name": "王子涵", "resident_id": with_check("44030620150601003"), **home}
    found = together(people(first, second, {"source": "health", "name": "王子涵", **home}))
    assert found == [{"r0"}, {"r1", "r2"}]


def with_check(first17: str) -> str:
    total = sum((2 ** (17 - place)) * int(digit) for place, digit in enumerate(first17))
    return first17 + "10X98765432"[total % 11]


def test_flatmates_of_one_name_stay_two():
    one = {"name": "李静", "place_code": FLAT, "birth_date": "1990-02-03", "source": "police"}
    other = {"name": "李静", "place_code": FLAT, "birth_date": "1996-11-17", "source": "housing"}
    assert together(people(one, other)) == [{"r0"}, {"r1"}]


def test_a_family_that_shares_telephone_and_flat_stays_several():
    home = {"phone": "13700000001", "place_code": FLAT}
    father = {"name": "陈志强", "birth_date": "1980-01-02", "sex": "男", "source": "police", **home}
    son = {"name": "陈志远", "birth_date": "2010-05-06", "sex": "男", "source": "health", **home}
    mother = {"name": "刘芳", "birth_date": "1982-07-08", "sex": "女", "source": "housing", **home}
    assert together(people(father, son, mother)) == [{"r0"}, {"r1"}, {"r2"}]


def test_a_child_entered_with_its_mothers_id_is_not_its_mother():
    mother = {"name": "张伟明", "resident_id": WEI, "source": "police"}
    child = {"name": "刘小宝", "resident_id": WEI, "birth_date": "2018-03-04", "source": "health"}
    assert together(people(mother, mother | {"source": "housing"}, child)) == [{"r0", "r1"}, {"r2"}]


def test_an_agencys_telephone_joins_nobody():
    rows = [
        {"name": name, "phone": "13712345670", "source": "housing"}
        for name in ("王芳", "李强", "赵敏", "孙丽")
    ]
    assert len(together(people(*rows))) == 4


def test_a_person_parts_and_joins_records_and_it_holds():
    records = people(BASE, BASE | {"source": "health"}, {"source": "tax", "name": "钱多多"})
    decisions = pl.DataFrame(
        {"left_id": ["r0", "r1"], "right_id": ["r1", "r2"], "decision": ["different", "same"]}
    )
    assert together(records, decisions=decisions) == [{"r0"}, {"r1", "r2"}]


def test_a_decision_on_a_record_that_is_gone_waits():
    decisions = pl.DataFrame({"left_id": ["r0"], "right_id": ["gone"], "decision": ["same"]})
    assert together(people(BASE), decisions=decisions) == [{"r0"}]


def test_every_link_says_why():
    other = {"source": "health", "name": "章伟明", "phone": "13812345678", "birth_date": "1949-12-31"}
    pair = resolve("person", people(BASE, other)).pairs.row(0, named=True)
    levels = {reason["comparison"]: reason["level"] for reason in pair["reasons"]}
    assert levels == {"name": "same-reading", "birth_date": "same", "contact": "same-phone"}
    assert pair["probability"] > 0.99
    assert all(reason["weight"] > 0 for reason in pair["reasons"])


def firms(*rows: dict[str, str | None]) -> pl.DataFrame:
    columns = ("record_id", "source", "name", "credit_code", "legal_representative", "phone", "place_code")
    filled = [
        {name: row.get(name) for name in columns} | {"record_id": f"r{n}"} for n, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String))


CODE = "91440300708461136T"
FIRM = {"source": "market", "name": "深圳市腾达五金有限公司", "credit_code": CODE, "legal_representative": "王五",
        "phone": "0755-27788888", "place_code": FLAT}  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"name": "腾达五金（深圳）有限责任公司", "legal_representative": "王五"},
        {"name": "深圳市宏图贸易有限公司", "credit_code": CODE, "legal_representative": "王五"},
        {"name": "深圳市腾达五金公司", "credit_code": "91440300708461163T", "place_code": FLAT},
    ],
    ids=["another form of the name", "renamed", "transposed code"],
)
def test_one_firm_in_spite_of_errors(other):
    assert together(firms(FIRM, {"source": "tax", **other}), "firm") == [{"r0", "r1"}]


def test_two_firms_of_one_agent_stay_two():
    other = {
        "source": "tax",
        "name": "深圳市美佳餐饮有限公司",
        "phone": "0755-27788888",
        "legal_representative": "赵六",
    }
    assert together(firms(FIRM, other), "firm") == [{"r0"}, {"r1"}]


def test_a_model_file_with_other_levels_is_refused(tmp_path):
    path = tmp_path / "person.json"
    save_model(pinned("person"), path)
    assert load_model(path) == pinned("person")
    path.write_text(path.read_text(encoding="utf-8").replace("same-reading", "same-sound"), encoding="utf-8")
    with pytest.raises(Problem, match="not those of this version"):
        load_model(path)


def test_an_unknown_kind_is_refused():
    with pytest.raises(Problem, match="Nothing is known"):
        resolve("ship", people(BASE))


def test_no_records_resolve_to_nothing():
    assert resolve("person", people()).clusters.is_empty()


def test_words_are_read_as_clerks_mean_them():
    assert person_name("陳大文 先生") == person_name("陈大文")
    assert person_name("買買提·吐爾遜") == person_name("买买提•吐尔逊")
    assert pinyin("王伟") == pinyin("汪炜")
    assert firm_core("深圳市宝安区腾达五金有限公司") == firm_core("腾达五金（深圳）有限公司") == "腾达五金"


def read(change, *values: str) -> list[str | None]:
    return pl.DataFrame({"v": values}).select(change(pl.col("v"))).to_series().to_list()


def test_dates_telephones_and_sexes_are_read_in_the_forms_that_files_carry():
    same = ["1990-01-02", "1990-01-01", "1990-01-02", "1990-01-02", None]
    assert read(iso_date, "1990年1月2日", "32874", "19900102", "1990/1/2 00:00", "unknown") == same
    assert read(phone, "+86 138-1234-5678", "13812345678.0", "00000000", "12") == [
        "13812345678",
        "13812345678",
        None,
        None,
    ]
    assert read(sex, "男", "1", "2", "女性", "?") == ["M", "M", "F", "F", None]


def test_codes_are_checked_as_the_standards_say():
    ids = pl.DataFrame({"v": [WEI, "11010519491231002x", "110105194912310021", "110105491231002"]})
    standard = ids.with_columns(resident_ids(ids["v"]).alias("v"))
    assert standard.select(resident_id_valid(pl.col("v"))).to_series().to_list() == [True, True, False, True]
    codes = pl.DataFrame({"v": [CODE, "91440300708461136U", "914403007084611360"]})
    assert codes.select(credit_code_valid(pl.col("v"))).to_series().to_list() == [True, False, False]


def test_charging_stations_of_one_list_stay_apart_and_meet_those_of_another():
    spot = {"longitude": 113.85, "latitude": 22.6}
    rows = [
        {"record_id": "a1", "source": "ours", "name": "公共充电站1145号", **spot},
        {
            "record_id": "a2",
            "source": "ours",
            "name": "公共充电站1146号",
            "longitude": 113.8505,
            "latitude": 22.6,
        },
        {
            "record_id": "b1",
            "source": "theirs",
            "name": "公共充电站1146号",
            "longitude": 113.8506,
            "latitude": 22.6,
        },
    ]
    assert together(pl.DataFrame(rows), "facility") == [{"a1"}, {"a2", "b1"}]
