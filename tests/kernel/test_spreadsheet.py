"""A clerk opens an export in a spreadsheet: nothing in it runs, and what was written comes back."""

import csv
import io

import pytest

from chengshu.kernel.spreadsheet import csv_lines, safe_cell, unsafe_cell

FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\r=1", " =1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_cannot_run_and_can_be_had_back(text):
    assert safe_cell(text) == f"'{text}"
    assert unsafe_cell(safe_cell(text)) == text


@pytest.mark.parametrize("text", ["创业一路-1", "a=b", "", "'quoted'"])
def test_other_text_stays_as_it_is(text):
    assert safe_cell(text) == text
    assert unsafe_cell(text) == text


def test_lines_begin_with_the_mark_once_and_read_back():
    lines = list(csv_lines([["名称", "数"], ["=1", None], ["a,b", 2]]))
    assert [line.startswith("\ufeff") for line in lines] == [True, False, False]
    assert list(csv.reader(io.StringIO("".join(lines)[1:]))) == [["名称", "数"], ["'=1", ""], ["a,b", "2"]]
