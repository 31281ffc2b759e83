"""An engineer generates the demo district: seeded, true to its committed error rates, impossible to take for real."""

import hashlib
from datetime import date

import numpy as np
import polars as pl
import pytest
import shapely
from stdnum.cn import ric, uscc

from chengshu.batch.declarations import load_declarations
from chengshu.batch.generate import generate
from chengshu.batch.generate.demo import error_rates
from chengshu.batch.generate.town import District
from chengshu.batch.generate.writing import FILES, path_of, read_table
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped

AS_OF = date(2026, 11, 21)
PEOPLE = 30_000
BAOAN = shipped("districts", "baoan")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("district"), PEOPLE, 7, AS_OF)


def share(rows, kind, among=None):
    """The share of rows that carry an error; ``among`` narrows what the share is taken of."""
    rows = rows if among is None else rows.filter(among)
    return rows["errors"].str.split(",").list.contains(kind).mean()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    def digest(folder, seed):
        generate(folder, 400, seed, AS_OF)
        paths = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".parquet", ".geojson"))
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}

    first, again, other = digest(tmp_path / "a", 3), digest(tmp_path / "b", 3), digest(tmp_path / "c", 4)
    assert first == again
    assert first["public-security/residents.csv"] != other["public-security/residents.csv"]


@pytest.mark.parametrize("kind", ["person", "firm", "premises"])
def test_every_kind_of_error_reaches_its_committed_floor(made, kind):
    rows, floors = made.rows(kind), error_rates(BAOAN)[kind]
    narrower = {}
    if kind == "person":
        truth = made.entities("person").select("entity", "rare", "name", "birth_date", "resident_id")
        rows = rows.join(truth, on="entity")
        narrower = {
            "name_rare_substituted": pl.col("rare"),
            "name_dot_variant": pl.col("name").str.contains("·", literal=True),
            "id_fifteen": pl.col("birth_date") < date(1990, 1, 1),
            "id_lower_x": pl.col("resident_id").str.ends_with("X"),
        }
    for error, floor in floors.items():
        found = share(rows, error, narrower.get(error))
        among = rows.height if error not in narrower else rows.filter(narrower[error]).height
        # Three standard deviations of chance: the floor itself is held by the rate drawn with.
        assert found >= floor - 3 * (floor * (1 - floor) / among) ** 0.5 * 0.5, (error, found, floor)


def test_the_situations_that_make_linking_hard_are_there_in_number(made):
    people, firms = made.entities("person"), made.entities("firm")
    floors = error_rates(BAOAN)["situations"]
    minors = people.filter(pl.col("birth_date") > date(2008, 11, 21)).height
    mates = people.filter(pl.col("household_kind").is_in(["flatmates", "dormitory"]))
    one_name = mates.group_by("household", "name").len().filter(pl.col("len") > 1)["len"].sum()
    crowded = firms.group_by("place_code").len().filter(pl.col("len") >= 12).height
    shared = people.filter(pl.col("phone").is_duplicated()).height - minors
    counts = {
        "twins": people["twin"].sum(),
        "flatmates_of_one_name": one_name,
        "rare_characters": people["rare"].sum(),
        "names_with_dot": people["name"].str.contains("·", literal=True).sum(),
        "hong_kong_macao_taiwan": (people["group"] == 2).sum(),
        "foreigners": (people["group"] == 3).sum(),
        "minors": minors,
        "deceased": people["died_on"].is_not_null().sum(),
        "two_homes": people["second_place"].is_not_null().sum(),
        "moved": people["former_place"].is_not_null().sum(),
        "firms_renamed": firms["former_name"].is_not_null().sum(),
        "firms_moved": firms["former_place"].is_not_null().sum(),
        "crowded_flats": crowded,
        "reused_phones": shared,
    }
    assert set(counts) == set(floors)
    for name, floor in floors.items():
        needed = floor * PEOPLE / 100_000
        assert counts[name] >= needed - 2 * needed**0.5, (name, counts[name], needed)


def test_no_number_can_belong_to_anyone(made):
    people, firms = made.entities("person"), made.entities("firm")
    mainland = people.filter(pl.col("group") <= 1)["resident_id"]
    assert mainland.str.slice(2, 4).eq("0000").all()
    assert all(ric.is_valid(number) for number in mainland)
    assert mainland.n_unique() == len(mainland) and people["resident_id"].n_unique() == people.height
    others = people.filter(pl.col("group") > 1)["resident_id"]
    assert others.str.contains(r"^(8[123]\d{12}000.|9\d{13}000.|H00\d{6}|M00\d{6}|00\d{6}|XP00\d{7})$").all()
    assert people["phone"].str.slice(0, 3).is_in(["160", "161", "163", "164"]).all()
    assert firms["credit_code"].str.slice(8, 2).eq("XQ").all() and all(
        map(uscc.is_valid, firms["credit_code"])
    )


def test_twins_share_birthday_and_surname_but_neither_name_nor_number(made):
    twins = made.entities("person").filter(pl.col("twin"))
    for _, pair in twins.group_by("household"):
        assert pair["birth_date"].n_unique() == 1
        assert pair["name"].str.slice(0, 1).n_unique() == 1
        assert pair["name"].n_unique() == pair.height and pair["resident_id"].n_unique() == pair.height


def test_rare_characters_come_from_the_supplementary_plane_too(made):
    names = "".join(made.entities("person").filter(pl.col("rare"))["name"])
    assert any(ord(character) > 0xFFFF for character in names)
    assert names.encode("gb18030").decode("gb18030") == names


def test_every_building_lies_in_a_real_zone_and_every_place_in_a_cell(made):
    library = made.library
    whole = shapely.union_all([zone.polygon for zone in District.read(BAOAN).zones])
    assert shapely.intersects_xy(whole, library["lon"].to_numpy(), library["lat"].to_numpy()).all()
    assert library["cell_code"].is_not_null().all() and library["place_code"].n_unique() == library.height
    assert library["place_code"].str.len_chars().is_in([17, 21]).all()


def test_no_two_places_have_one_address(made):
    slots = ["community", "road", "number", "estate", "building", "unit", "room", "place"]
    assert made.library.select(slots).n_unique() == made.library.height


def test_each_source_file_is_declared_and_carries_the_declared_columns(made):
    declared = load_declarations(BAOAN / "sources").sources
    assert set(declared) == set(FILES)
    for name, source in declared.items():
        rows = read_table(made.out, name)
        assert set(rows.columns) <= source.known_columns(), name
        assert set(source.required_columns()) <= set(rows.columns), name
        assert path_of(made.out, name).name == source.file


def test_the_truth_names_every_row_of_every_file(made):
    for kind in ("person", "firm", "premises", "facility"):
        for (source,), truth in made.rows(kind).group_by("source"):
            rows = read_table(made.out, source)
            key = rows.columns[0]
            assert truth.sort("row")["key"].to_list() == rows[key].to_list(), source


def test_department_files_come_in_the_encodings_departments_use(made):
    raw = {name: path_of(made.out, name).read_bytes() for name in FILES}
    assert raw["public-security.residents"].startswith(b"\xef\xbb\xbf")
    with pytest.raises(UnicodeDecodeError):
        raw["housing.tenancies"].decode("utf-8")
    assert raw["development.charging_stations"].startswith(b"PK")


def test_about_five_rows_come_for_each_two_people(made):
    rows = sum(read_table(made.out, name).height for name in FILES)
    assert 2.3 < rows / PEOPLE < 2.9
    rooms = made.rows("premises").filter(pl.col("source") == "housing.premises")
    assert 0.27 < rooms.height / PEOPLE < 0.36
    assert abs(made.entities("firm").height / PEOPLE - 0.12) < 0.01


def test_addresses_that_exist_nowhere_have_no_true_place(made):
    rows = made.rows("person")
    nowhere = rows.filter(pl.col("errors").str.split(",").list.contains("address_nowhere"))
    assert nowhere.height > 0 and nowhere["place_code"].is_null().all()


def test_staff_leave_some_cells_without_anyone(made):
    posts = pl.read_csv(made.out / "staff" / "posts.csv")
    cells = made.library["cell_code"].unique()
    assert posts.filter(pl.col("post") == "main")["cell"].is_duplicated().sum() == 0
    assert set(posts["cell"]) - set(cells.to_list()) <= set(_all_cells(made))


def _all_cells(made):
    import json

    tree = json.loads((made.out / "library" / "cells.geojson").read_text("utf-8"))
    return [feature["properties"]["code"] for feature in tree["features"]]


def test_loads_stay_near_a_thousand_residents_where_people_live_densely(tmp_path):
    made = generate(tmp_path, 60_000, 1, AS_OF)
    people = made.entities("person").join(
        made.library.select("place_code", "cell_code"), on="place_code", how="left"
    )
    load = people.group_by("cell_code").len()["len"].to_numpy()
    assert np.median(load) < 1500 and load.max() < 3000


def test_too_few_people_are_refused_with_a_remedy(tmp_path):
    with pytest.raises(Problem, match="200"):
        generate(tmp_path, 10, 1, AS_OF)


def test_registers_know_some_shops_some_owners_and_some_houses(made):
    acceptances = read_table(made.out, "housing.fire_acceptances")
    rooms = read_table(made.out, "housing.premises").filter(pl.col("fwyt").is_in(["商铺", "办公", "厂房"]))
    assert 0.5 < acceptances.height / rooms.height < 0.9
    truth = made.rows("premises").filter(pl.col("source") == "housing.fire_acceptances")
    assert 0 < share(truth, "exits_wrong") < 0.06 and share(truth, "address_nowhere") > 0
    assert 5 <= read_table(made.out, "market.revoked_permits").height <= 20
    listed = made.rows("premises").filter(pl.col("source") == "urban-management.protected_places")
    assert (
        listed["place_code"].str.len_chars().eq(17).all() and 1 <= listed.height < made.library.height / 100
    )
