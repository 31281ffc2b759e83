"""The engineer links two tables of their own with `chengshu link`: no labels, no threshold, and errors that say where."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from chengshu.batch import datum
from chengshu.batch.linkage.place_text import take_apart
from chengshu.batch.linkage.spec import read_spec
from chengshu.batch.linkage.tables import link_tables
from chengshu.kernel.problems import Problem
from chengshu.site.cli.link import app

PLACES = Path(__file__).parents[2] / "benchmarks" / "_pois.py"


def write(path: Path, rows: list[dict]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def persons(count: int, seed: int) -> tuple[list[dict], list[dict]]:
    """Two clean lists of people; the second has typing errors, and a third of it are others."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word(length: int) -> str:
        return "".join(rng.choice(letters) for _ in range(length))

    first, second = [], []
    names, towns = [word(6) for _ in range(80)], [word(8) for _ in range(30)]
    for number in range(count):
        row = {"no": f"a{number}", "given": rng.choice(names), "family": rng.choice(names),
               "born": f"19{rng.randint(40, 99)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
               "town": rng.choice(towns), "postcode": str(rng.randint(1000, 1200))}  # fmt: skip
        first.append(row)
        if rng.random() < 0.66:
            column = rng.choice(["given", "family", "town"])
            spot = rng.randrange(5)
            mistyped = row[column][:spot] + rng.choice(letters) + row[column][spot + 1 :]
            second.append({**row, column: mistyped, "no": f"b{number}"})
        else:
            second.append({**row, "given": rng.choice(names), "family": rng.choice(names), "no": f"x{number}",
                           "born": f"19{rng.randint(40, 99)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"})  # fmt: skip
    rng.shuffle(second)
    return first, second


SPEC = """
kind: person
left: {id: no, given_name: given, surname: family, birth_date: born, town: town, postcode: postcode}
right: {id: no, given_name: given, surname: family, birth_date: born, town: town, postcode: postcode}
"""


@pytest.fixture
def linked(tmp_path):
    first, second = persons(400, 5)
    left, right = write(tmp_path / "left.csv", first), write(tmp_path / "right.csv", second)
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC, encoding="utf-8")

    def call(*more: str) -> list[dict[str, str]]:
        out = tmp_path / "pairs.csv"
        result = CliRunner().invoke(
            app, [str(left), str(right), "--spec", str(spec), "--out", str(out), *more]
        )
        assert result.exit_code == 0, result.output
        with out.open(encoding="utf-8") as handle:
            return list(csv.DictReader(handle))

    return call


def test_two_tables_are_linked_without_labels_or_threshold(linked):
    pairs = linked()
    right = sum(row["left_id"][1:] == row["right_id"][1:] and row["right_id"][0] == "b" for row in pairs)
    true = sum(1 for row in persons(400, 5)[1] if row["no"][0] == "b")
    assert right / len(pairs) > 0.97
    assert right / true > 0.97
    assert list(pairs[0]) == ["left_id", "right_id", "probability", "reasons"]
    assert all(float(row["probability"]) > 0.5 for row in pairs)
    assert {"comparison", "level", "weight"} == set(json.loads(pairs[0]["reasons"])[0])


def test_the_same_tables_give_the_same_pairs(linked):
    assert linked() == linked()


def test_all_adds_the_candidates_that_were_not_held(linked):
    rows = linked("--all")
    held = [row for row in rows if row["held"] == "yes"]
    assert 0 < len(held) < len(rows)
    assert rows[: len(held)] == held


def test_duplicates_in_one_table_are_found():
    first, second = persons(300, 6)
    table = pl.DataFrame(first + second).rename({"no": "id"})
    pairs = link_tables("person", table).pairs
    right = sum(
        a[1:] == b[1:] and {a[0], b[0]} == {"a", "b"}
        for a, b in pairs.select("left_id", "right_id").iter_rows()
    )
    assert right / pairs.height > 0.97
    assert right > 150


def test_chinese_firms_are_linked_by_what_tells_them_apart():
    rng = random.Random(2)
    cores = ["".join(rng.sample("鑫旺福顺达佳美宏源兴隆盛金玉祥瑞康乐", 3)) for _ in range(300)]
    left = pl.DataFrame({"id": [f"a{n}" for n in range(300)], "name": [f"深圳市{core}贸易有限公司" for core in cores],
                         "phone": [f"138{rng.randint(10**7, 10**8 - 1)}" for _ in cores]})  # fmt: skip
    right = left.with_columns(
        id=pl.col("id").str.replace("a", "b"),
        name=pl.Series([f"{core}贸易（深圳）有限责任公司" for core in cores]),
        phone=pl.when(pl.int_range(pl.len()) % 3 > 0).then("phone"),
    )
    pairs = link_tables("firm", left, right).pairs
    right_ones = sum(a[1:] == b[1:] for a, b in pairs.select("left_id", "right_id").iter_rows())
    assert right_ones / pairs.height > 0.97
    assert right_ones > 270


def places():
    spec = importlib.util.spec_from_file_location("pois", PLACES)
    module = importlib.util.module_from_spec(spec)
    sys.modules["pois"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def listed(seed: int, count: int = 900) -> tuple[pl.DataFrame, pl.DataFrame]:
    pois = places()
    town = pois.town(count, seed)
    frames = []
    for style in "ab":
        frame = pl.DataFrame(pois.listing(town, style, 0.75, seed))
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        frames.append(frame.rename({"tel": "phone", "lon": "longitude", "lat": "latitude"}))
    return frames[0], frames[1]


def place_f1(left: pl.DataFrame, right: pl.DataFrame) -> float:
    pairs = link_tables("place", left.drop("truth"), right.drop("truth")).pairs
    truth = dict(
        zip(pl.concat([left["id"], right["id"]]), pl.concat([left["truth"], right["truth"]]), strict=True)
    )
    hits = sum(truth[a] == truth[b] for a, b in pairs.select("left_id", "right_id").iter_rows())
    return 2 * hits / (pairs.height + len(set(left["truth"]) & set(right["truth"])))


@pytest.mark.parametrize("declared", ["GCJ-02", "WGS-84"], ids=["datum declared", "datum wrongly declared"])
def test_places_of_two_maps_are_linked_across_datums(declared):
    left, right = listed(31)
    lon, lat = (right[name].cast(pl.Float64).to_numpy() for name in ("longitude", "latitude"))
    lon, lat = datum.wgs84_to_gcj02(lon, lat)
    right = right.with_columns(longitude=pl.Series(lon), latitude=pl.Series(lat), datum=pl.lit(declared))
    assert place_f1(left.with_columns(datum=pl.lit("WGS-84")), right) > 0.93


def test_places_are_linked_by_name_and_position_alone():
    left, right = (frame.drop("phone", "address") for frame in listed(32))
    assert place_f1(left, right) > 0.88


def test_a_place_is_linked_to_one_place_only():
    pairs = link_tables("place", *(frame.drop("truth") for frame in listed(33))).pairs
    assert pairs["left_id"].is_unique().all()
    assert pairs["right_id"].is_unique().all()


def test_names_of_places_are_taken_apart():
    names = pl.Series(
        ["麦当劳(西乡店)", "麦当劳西乡店", "宝安区人民医院停车场", "桥头第二小学", "深圳市海雅缤纷城"]
    )
    parts = take_apart(names)
    assert parts["core"].to_list()[:2] == ["麦当劳", "麦当劳"]
    assert parts["branch"].to_list()[:2] == ["西乡", "西乡"]
    assert parts["part"].to_list()[2] == "停车场"
    assert parts["numerals"].to_list()[3] == "2"
    assert parts["core"].to_list()[4] == "海雅缤纷城"


@pytest.mark.parametrize(
    ("spec", "title", "line"),
    [
        ("kind: person\nleft: {id: no}\nlable: 1\n", "no such key", 3),
        ("kind: ship\nleft: {id: no}\n", "kind is missing or unknown", 1),
        ("kind: person\nleft:\n  id: no\n  name: {column: x}\n", "a list of columns or", 4),
        ("kind: person\n", "columns of the left table", 1),
    ],
)
def test_a_wrong_spec_is_refused_with_its_line(tmp_path, spec, title, line):
    path = tmp_path / "spec.yaml"
    path.write_text(spec, encoding="utf-8")
    with pytest.raises(Problem, match=title) as caught:
        read_spec(path)
    assert caught.value.where.line == line


def test_a_column_that_is_not_there_is_named(tmp_path):
    left = write(tmp_path / "left.csv", [{"no": "1", "name": "x"}])
    spec = tmp_path / "spec.yaml"
    spec.write_text("kind: person\nleft: {id: no, name: title}\n", encoding="utf-8")
    result = CliRunner().invoke(app, [str(left), "--spec", str(spec), "--out", str(tmp_path / "out.csv")])
    assert isinstance(result.exception, Problem)
    assert "no column 'title'" in str(result.exception)


def test_ids_that_repeat_are_refused(tmp_path):
    left = write(tmp_path / "left.csv", [{"no": "1", "name": "x"}, {"no": "1", "name": "y"}])
    spec = tmp_path / "spec.yaml"
    spec.write_text("kind: person\nleft: {id: no, name: name}\n", encoding="utf-8")
    result = CliRunner().invoke(app, [str(left), "--spec", str(spec), "--out", str(tmp_path / "out.csv")])
    assert "ids are not unique" in str(result.exception)


def test_a_gbk_file_is_read(tmp_path):
    path = tmp_path / "left.csv"
    path.write_bytes(
        "编号,姓名,电话\n1,张伟,13812345678\n2,张伟,13812345678\n3,李芳,13900001111\n".encode("gb18030")
    )
    spec = tmp_path / "spec.yaml"
    spec.write_text("kind: person\nleft: {id: 编号, name: 姓名, phone: 电话}\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(app, [str(path), "--spec", str(spec), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert pl.read_csv(out).select("left_id", "right_id").rows() == [(1, 2)]


def test_an_unknown_datum_is_refused():
    table = pl.DataFrame(
        {"id": ["1"], "name": ["x"], "longitude": ["113.8"], "latitude": ["22.6"], "datum": ["Mars"]}
    )
    with pytest.raises(Problem, match="datum 'Mars' is not known"):
        link_tables("place", table, table)
