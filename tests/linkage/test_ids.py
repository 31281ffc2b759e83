"""The steward builds again and again: ids stay with their people, and an old id still leads somewhere."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from chengshu.batch.linkage.ids import assign_ids, is_subject_id, subject_id


def frame(groups: dict[str, str]) -> pl.DataFrame:
    rows = [(record, cluster) for cluster, records in groups.items() for record in records]
    return pl.DataFrame(rows, schema={"record_id": pl.String, "cluster": pl.String}, orient="row")


def ids_of(found) -> dict[str, str]:
    return dict(found.assignment.iter_rows())


def test_ids_carry_the_check_character_of_iso_7064():
    for serial in (0, 1, 42, 123456789, 999999999):
        made = subject_id("F", serial)
        assert mod_37_36.is_valid(made)
        assert is_subject_id(made)
    assert not is_subject_id("P0000000013")
    assert not is_subject_id("X0000000012")


def test_a_rebuild_keeps_ids_whatever_the_clusters_are_called():
    first = assign_ids(frame({"x": "ab", "y": "cd"}), None, 1)
    again = assign_ids(frame({"q": "cd", "r": "ab"}), first.assignment, first.next_serial)
    assert ids_of(again) == ids_of(first)
    assert again.redirects.is_empty()
    assert again.churn == 0


def test_a_merge_keeps_the_id_of_the_greater_part_and_redirects_the_other():
    first = assign_ids(frame({"x": "a", "y": "bcd"}), None, 1)
    old, kept = ids_of(first)["a"], ids_of(first)["b"]
    merged = assign_ids(frame({"z": "abcd"}), first.assignment, first.next_serial)
    assert set(ids_of(merged).values()) == {kept}
    assert merged.redirects.rows() == [(old, kept, "merged")]
    assert merged.churn == 0.25


def test_a_split_keeps_the_id_with_the_greater_part_and_says_where_the_rest_went():
    first = assign_ids(frame({"x": "abc"}), None, 1)
    split = assign_ids(frame({"y": "ab", "z": "c"}), first.assignment, first.next_serial)
    old, new = ids_of(first)["a"], ids_of(split)["c"]
    assert ids_of(split)["a"] == old
    assert new != old
    assert split.redirects.rows() == [(old, new, "split")]


def test_an_id_whose_records_are_gone_is_not_given_again():
    first = assign_ids(frame({"x": "a", "y": "b"}), None, 1)
    second = assign_ids(frame({"x": "a", "z": "c"}), first.assignment, first.next_serial)
    assert second.redirects.rows() == [(ids_of(first)["b"], None, "gone")]
    assert ids_of(second)["c"] not in ids_of(first).values()


clusterings = st.lists(st.integers(0, 5), min_size=8, max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(clusterings, min_size=2, max_size=5))
def test_through_many_rebuilds_no_id_dangles_or_serves_two(runs):
    previous, serial = None, 1
    for labels in runs:
        rows = [(f"r{number}", str(label)) for number, label in enumerate(labels)]
        clusters = pl.DataFrame(rows, schema={"record_id": pl.String, "cluster": pl.String}, orient="row")
        found = assign_ids(clusters, previous, serial)
        by_cluster = found.assignment.join(clusters, on="record_id")
        assert by_cluster.group_by("cluster").agg(pl.col("subject_id").n_unique())[
            "subject_id"
        ].to_list() == [1] * len(set(labels))
        assert by_cluster["subject_id"].n_unique() == len(set(labels))
        if previous is not None:
            alive, before = set(found.assignment["subject_id"]), set(previous["subject_id"])
            redirected = {old: new for old, new, how in found.redirects.iter_rows() if how == "merged"}
            assert before - alive == set(redirected)
            assert set(redirected.values()) <= alive
        previous, serial = found.assignment, found.next_serial
