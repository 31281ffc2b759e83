"""The steward fuses the departments' records: who is believed, what is kept of the others, and what corrections do."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.batch.fusion import effective, explain, fuse

RECORDS = pl.DataFrame(
    [
        ("p1", "police", "p.csv", 1, "2020-01-01", "张三", None, "1990-01-01"),
        ("h1", "health", "h.csv", 7, "2024-05-01", "张叁", "13800000001", "1990-01-01"),
        ("h2", "health", "h.csv", 8, "2025-05-01", "张三", "１３８００００ 0002", None),
        ("p2", "police", "p.csv", 2, None, "李四", " ", None),
    ],
    schema=["record_id", "source", "file", "row", "at", "name", "phone", "birth_date"],
    orient="row",
)
ASSIGNMENT = pl.DataFrame({"record_id": ["p1", "h1", "h2", "p2"], "subject_id": ["P1", "P1", "P1", "P2"]})
AUTHORITY = {"person.name": ["police", "health"], "person.phone": ["health"]}


def fused(**more):
    return fuse("person", RECORDS, ASSIGNMENT, AUTHORITY, **more)


def test_the_authoritative_source_is_believed_though_it_is_older():
    assert fused().golden.row(0, named=True)["person.name"] == "张三"


def test_among_rows_of_one_source_the_later_wins():
    assert fused().golden.row(0, named=True)["person.phone"] == "１３８００００ 0002"


def test_a_blank_is_no_value():
    assert fused().golden.row(1, named=True) == {
        "subject_id": "P2", "person.name": "李四", "person.phone": None, "person.birth_date": None,
    }  # fmt: skip


def test_every_value_keeps_file_row_and_time_and_the_losers_stay():
    cells = fused().cells.filter(pl.col("element") == "person.name", pl.col("subject_id") == "P1").collect()
    assert cells.select("value", "file", "row", "at", "rank", "agrees").rows() == [
        ("张三", "p.csv", 1, "2020-01-01", 0, True),
        ("张三", "h.csv", 8, "2025-05-01", 1, True),
        ("张叁", "h.csv", 7, "2024-05-01", 2, False),
    ]


def test_another_way_of_writing_is_no_conflict():
    records = pl.DataFrame(
        {
            "record_id": ["a", "b"],
            "source": ["x", "y"],
            "firm.name": ["深圳市（宝安）ABC 公司", "深圳市(宝安)ａｂｃ公司"],
        }
    )
    assignment = pl.DataFrame({"record_id": ["a", "b"], "subject_id": ["F1", "F1"]})
    assert fuse("firm", records, assignment, {}).conflicts.is_empty()


def test_a_disagreement_is_kept_with_both_sides():
    conflicts = fused().conflicts.filter(pl.col("element") == "person.name")
    assert conflicts.select("values", "sources", "agree").rows() == [
        (["张三", "张三", "张叁"], ["police", "health", "health"], [True, True, False])
    ]


def test_a_disputed_element_says_so():
    disputed = pl.DataFrame({"subject_id": ["P1"], "element": ["person.name"]})
    cells = fused(disputed=disputed).cells.filter("disputed").collect()
    assert set(cells["element"]) == {"person.name"}
    assert set(cells["subject_id"]) == {"P1"}


def test_cells_can_go_to_a_file(tmp_path):
    path = tmp_path / "cells.parquet"
    assert fused(cells_to=path).cells.collect().equals(fused().cells.collect())


def test_the_order_of_the_rows_does_not_matter():
    whole = fused()
    shuffled = fuse(
        "person", RECORDS.reverse(), ASSIGNMENT.sample(fraction=1.0, shuffle=True, seed=4), AUTHORITY
    )
    assert shuffled.golden.equals(whole.golden)
    assert shuffled.cells.collect().equals(whole.cells.collect())


def test_the_steps_can_be_printed_and_read():
    printed = explain("person", RECORDS)
    assert "-- golden: one row a subject" in printed
    assert printed.count("create or replace table ranked_") == 3


def test_an_element_named_like_sql_does_no_harm():
    records = pl.DataFrame({"record_id": ["a"], "source": ["x'; drop table golden"], "na\"me'": ["v"]})
    assignment = pl.DataFrame({"record_id": ["a"], "subject_id": ["P1"]})
    assert fuse("person", records, assignment, {"person.x": ["y'"]}).golden.rows() == [("P1", "v")]


corrections = st.lists(
    st.tuples(st.sampled_from(["P1", "P2", "P9"]), st.sampled_from(["person.name", "person.phone", "person.x"]),
              st.sampled_from(["甲", "乙", None])),
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(corrections)
def test_one_record_and_many_records_are_corrected_alike(made):
    golden = pl.DataFrame(
        {"subject_id": ["P1", "P2"], "person.name": ["张三", None], "person.phone": [None, "1"]},
        schema={"subject_id": pl.String, "person.name": pl.String, "person.phone": pl.String},
    )
    frame = pl.DataFrame(
        made, schema=dict.fromkeys(("subject_id", "element", "value"), pl.String), orient="row"
    )
    many = {row["subject_id"]: row for row in effective(golden, frame).iter_rows(named=True)}
    for row in golden.iter_rows(named=True):
        mine = [
            (element, value)
            for subject, element, value in made
            if subject == row["subject_id"] and element in row
        ]
        assert many[row["subject_id"]] == effective(row, mine)


def test_a_correction_to_nothing_empties_the_element():
    assert effective({"person.phone": "1"}, [("person.phone", None)]) == {"person.phone": None}


def test_frames_and_records_do_not_mix():
    with pytest.raises(TypeError, match="frame of corrections"):
        effective(pl.DataFrame({"subject_id": ["P1"]}), [("a", "b")])
