"""`chengshu address parse` on the files that departments send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chengshu.batch.address.model import FIELDS
from chengshu.kernel.problems import Problem
from chengshu.site.cli.address import app

TABLE = '编号,地址\n1,深圳市宝安区新安街道创业一路12号3栋503\n2,\n3,"浙江省绍兴县\n柯桥街道"\n4\n5,asdf\n'


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["parse", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.output


def objects(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_row_gives_one_object_in_order_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_bytes(TABLE.encode(encoding))
    code, _ = run(source, "--column", "地址", "--out", out)
    rows = objects(out)
    assert code == 0
    assert len(rows) == 5
    assert (rows[0]["district"], rows[0]["street"], rows[0]["room"]) == ("宝安区", "新安街道", "503")
    assert rows[1]["error"] == "empty"
    assert rows[2]["street"] == "柯桥街道"
    assert rows[2]["renamed"] == {"province": None, "city": None, "district": "柯桥区"}
    assert rows[3]["error"] == "empty"
    assert rows[4]["error"] == "unrecognised"
    for row in rows:
        assert set(row) == {*FIELDS, "inferred", "renamed", "error"}


def test_lines_in_two_encodings_are_both_read(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_bytes("address\n宝安区创业一路\n".encode() + "南山区科苑路\n".encode("gb18030"))
    run(source, "--out", out)
    assert [row["district"] for row in objects(out)] == ["宝安区", "南山区"]


def test_broken_bytes_cost_no_row(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_bytes("address\n宝安区创业一路\n".encode() + b"\xff\xfe\x81\n" + "南山区\n".encode())
    run(source, "--out", out)
    assert len(objects(out)) == 3


def test_a_blank_line_of_a_one_column_file_is_a_row(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("address\n宝安区\n\n南山区\n", "utf-8")
    run(source, "--out", out)
    assert [row["error"] for row in objects(out)] == [None, "empty", None]


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("编号,地址\n1,宝安区\n", "utf-8")
    with pytest.raises(Problem) as caught:
        run(source, "--column", "address", "--out", tmp_path / "out.jsonl")
    assert caught.value.code == "column-missing"
    assert "地址" in caught.value.detail
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("address\n宝安区\n", "utf-8")
    with pytest.raises(Problem) as caught:
        run(source, "--out", tmp_path / "no" / "such" / "out.jsonl")
    assert caught.value.code == "cannot-write"


def test_the_summary_is_json_for_machines(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("address\n宝安区\n无\n", "utf-8")
    _, said = run(source, "--out", out, "--json")
    summary = json.loads(said)
    assert (summary["rows"], summary["errors"]) == (2, 1)


def test_home_and_day_reach_the_parser(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("address\n创业一路12号\n绍兴县柯桥街道\n", "utf-8")
    run(source, "--out", out, "--home", "440306", "--on", "2026-01-01")
    first, second = objects(out)
    assert first["district"] == "宝安区"
    assert second["district"] == "柯桥区"


def test_one_address_is_shown_to_a_person() -> None:
    code, said = run("--text", "深圳宝安新安创业一路12号")
    assert code == 0
    assert "新安街道" in said


def test_an_address_of_nothing_exits_with_one() -> None:
    code, said = run("--text", "asdf", "--json")
    assert code == 1
    assert json.loads(said)["error"] == "unrecognised"


@pytest.mark.parametrize(
    "arguments", [[], ["--text", "宝安区", "somewhere.csv"], ["--on", "soon", "--text", "宝安区"]]
)
def test_a_wrong_call_exits_with_two(arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2
