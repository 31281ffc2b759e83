"""An engineer matches a CSV from the command line: one row a row, in order, safe to open in a spreadsheet."""

import csv
import json

import pytest
from click.testing import CliRunner
from toy_library import toy_library

from chengshu.batch.generate.address_noise import full_text
from chengshu.site.cli.address import app
from chengshu.site.cli.address_match import safe_cell

FRAME = toy_library(30, seed=4)
KNOWN = [(row["place_code"], full_text(row)) for row in FRAME.head(6).iter_rows(named=True)]


@pytest.fixture
def var(tmp_path, monkeypatch):
    monkeypatch.setenv("CHENGSHU_VAR", str(tmp_path / "var"))
    (tmp_path / "var" / "libraries").mkdir(parents=True)
    FRAME.write_parquet(tmp_path / "var" / "libraries" / "toy.parquet")
    return tmp_path


def write(path, cells, encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["id", "住址"])
        writer.writerows([number, cell] for number, cell in enumerate(cells))
    return path


def run(var, source, *more):
    out = var / "out.csv"
    call = ["match", str(source), "--column", "住址", "--library", "toy", "--out", str(out), *more]
    return CliRunner().invoke(app, call), out


def rows(out):
    return list(csv.DictReader(out.open(encoding="utf-8-sig")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_each_row_is_answered_in_order_whatever_the_encoding(var, encoding):
    cells = [text for _, text in KNOWN] + ["", "不存在路1号", KNOWN[0][1]]
    done, out = run(var, write(var / "in.csv", cells, encoding), "--json")
    assert done.exit_code == 0, done.output
    answers = rows(out)
    assert [each["code"] for each in answers] == [code for code, _ in KNOWN] + ["", "", KNOWN[0][0]]
    assert [each["row"] for each in answers] == [str(number) for number in range(1, len(cells) + 1)]
    assert answers[-2]["reason"] == "not_found" and answers[0]["reason"] == ""
    assert json.loads(done.stdout)["matched"] == len(KNOWN) + 1


def test_a_cell_that_starts_like_a_formula_cannot_run(var):
    bad = ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", " =1"]
    _, out = run(var, write(var / "in.csv", bad))
    assert all(each["address"].startswith("'") for each in rows(out))
    assert safe_cell("创业一路-1") == "创业一路-1"


def test_a_library_by_path_does_as_well_as_one_by_name(var):
    source = write(var / "in.csv", [KNOWN[0][1]])
    out = var / "out.csv"
    library = str(var / "var" / "libraries" / "toy.parquet")
    call = ["match", str(source), "--column", "住址", "--library", library, "--out", str(out)]
    assert CliRunner().invoke(app, call).exit_code == 0
    assert rows(out)[0]["code"] == KNOWN[0][0]


def test_an_unknown_library_or_column_is_refused_and_leaves_no_half_file(var):
    source, out = write(var / "in.csv", ["x"]), var / "out.csv"
    for call in (
        ["match", str(source), "--column", "住址", "--library", "none", "--out", str(out)],
        ["match", str(source), "--column", "无此列", "--library", "toy", "--out", str(out)],
    ):
        assert CliRunner().invoke(app, call).exit_code != 0
        assert not out.exists() and not list(var.glob("*.part"))


def test_two_addresses_are_compared_with_a_reason_and_an_exit_code():
    same = CliRunner().invoke(app, ["compare", "创业一路12号", "创业1路十二号", "--json"])
    assert same.exit_code == 0 and json.loads(same.stdout)["verdict"] == "exact"
    other = CliRunner().invoke(app, ["compare", "创业一路12号", "和平路99号金港大厦"])
    assert other.exit_code == 1 and other.stdout.startswith("different: ")
