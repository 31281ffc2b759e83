"""An engineer makes the next day's files: about one row in a hundred changes, and the truth follows."""

import hashlib
from datetime import date, timedelta

import polars as pl
import pytest

from chengshu.batch.generate import daily, generate
from chengshu.batch.generate.writing import KINDS, path_of, read_table

AS_OF = date(2026, 11, 21)
PEOPLE = "public-security.residents"


@pytest.fixture(scope="module")
def two_days(tmp_path_factory):
    first = generate(tmp_path_factory.mktemp("first"), 12_000, 3, AS_OF)
    return first, daily(tmp_path_factory.mktemp("second"), first.out, AS_OF + timedelta(days=1), 3)


def changed(first, second, source):
    before, after = read_table(first.out, source), read_table(second.out, source)
    same = before.join(after, on=before.columns, how="semi", nulls_equal=True).height
    return (before.height - same) / before.height


def test_about_one_row_in_a_hundred_changes(two_days):
    for source in ("public-security.residents", "housing.tenancies", "health.patients"):
        assert 0.006 < changed(*two_days, source) < 0.015
    for source in ("market.firms", "tax.taxpayers"):
        assert 0.003 < changed(*two_days, source) < 0.02


def test_files_that_do_not_change_come_again_byte_for_byte(two_days):
    first, second = two_days
    for source in ("housing.premises", "health.hospitals", "development.charging_stations"):
        assert path_of(first.out, source).read_bytes() == path_of(second.out, source).read_bytes()


def test_keys_stay_and_new_rows_have_new_ones(two_days):
    for source in KINDS:
        rows = read_table(two_days[1].out, source)
        assert not rows[rows.columns[0]].is_duplicated().any(), source


def test_children_are_born_into_households_and_old_people_die(two_days):
    first, second = (truth.entities("person") for truth in two_days)
    babies = second.filter(pl.col("birth_date") == AS_OF + timedelta(days=1))
    assert babies.height >= 1 and babies["place_code"].is_not_null().all()
    assert second["died_on"].is_not_null().sum() > first["died_on"].is_not_null().sum()
    assert second["resident_id"].n_unique() == second.height


def test_movers_keep_their_former_place_in_the_truth(two_days):
    first, second = (truth.entities("person") for truth in two_days)
    both = first.join(second, on="entity", suffix="_after")
    moved = both.filter(pl.col("place_code") != pl.col("place_code_after"))
    assert moved.height > 50 and (moved["former_place_after"] == moved["place_code"]).all()


def test_firms_are_renamed_and_names_stay_distinct(two_days):
    first, second = (truth.entities("firm") for truth in two_days)
    both = first.join(second, on="entity", suffix="_after")
    renamed = both.filter(pl.col("name") != pl.col("name_after"))
    assert renamed.height >= 1 and (renamed["former_name_after"] == renamed["name"]).all()


def test_a_split_room_names_its_successors(two_days):
    library = two_days[1].library
    ended = library.filter(pl.col("state") == "retired")
    assert ended.height >= 1
    for codes in ended["replaced_by"]:
        assert set(codes.split(",")) <= set(library.filter(pl.col("state") == "active")["place_code"])


def test_the_truth_still_names_every_row(two_days):
    for (source,), truth in two_days[1].rows("person").group_by("source"):
        rows = read_table(two_days[1].out, source)
        assert truth.sort("row")["key"].to_list() == rows[rows.columns[0]].to_list()


def test_ten_days_in_a_row_are_the_same_each_time(tmp_path):
    def run(folder):
        previous = generate(folder / "0", 600, 9, AS_OF).out
        for number in range(1, 11):
            previous = daily(folder / str(number), previous, AS_OF + timedelta(days=number), 9).out
        return hashlib.sha256(path_of(previous, PEOPLE).read_bytes()).hexdigest(), previous

    (one, folder), (other, _) = run(tmp_path / "a"), run(tmp_path / "b")
    assert one == other
    assert read_table(folder, PEOPLE).height > 500
