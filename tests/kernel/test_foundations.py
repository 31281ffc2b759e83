"""An engineer relies on canonical JSON, problems, strict YAML and shipped data."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.canonical import MAX_SAFE_INTEGER, canonical_json, digest, salted_digest
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml, parse_yaml

SAFE = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@given(VALUES)
def test_canonical_json_reads_back_and_is_stable(value):
    data = canonical_json(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


@given(st.dictionaries(TEXT, SAFE, min_size=2))
def test_the_order_of_keys_does_not_matter(value):
    assert digest(dict(reversed(list(value.items())))) == digest(value)


def test_keys_are_ordered_by_utf16_units():
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_times_are_written_in_utc():
    china = dt.timezone(dt.timedelta(hours=8))
    assert canonical_json(dt.datetime(2026, 1, 1, 8, tzinfo=china)) == b'"2026-01-01T00:00:00.000000Z"'
    assert canonical_json(dt.date(2026, 1, 1)) == b'"2026-01-01"'


@pytest.mark.parametrize(
    "value", [1.5, b"x", {1: 2}, 2**53, dt.datetime(2026, 1, 1), {"a": object()}, float("nan")]
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        canonical_json(value)


def test_a_salt_hides_a_small_value():
    assert salted_digest({"a": 1}, b"s" * 16) != salted_digest({"a": 1}, b"t" * 16)
    with pytest.raises(ValueError):
        salted_digest({}, b"short")


def test_a_problem_is_one_line_and_one_object():
    problem = Problem(
        "row-refused", "Refused", detail="why", remedy="mend it", where=Where("f.csv", 3, 2, "xm"), n=1
    )
    assert str(problem) == "f.csv, line 3, row 2, field xm: Refused (why) → mend it"
    body = problem.to_dict("/x")
    assert body["type"].endswith("/row-refused") and body["where"] == {
        "file": "f.csv",
        "line": 3,
        "row": 2,
        "field": "xm",
    }
    assert body["status"] == 400 and body["instance"] == "/x" and body["n"] == 1
    assert Problem("a", "b").to_dict() == {"type": body["type"].replace("row-refused", "a"), "title": "b",
                                           "status": 400, "code": "a"}  # fmt: skip


def test_yaml_keeps_lines():
    data = parse_yaml("a: 1\nb:\n  - x\n  - {c: on}\n")
    assert data["a"] == 1 and data["b"][1]["c"] == "on"  # YAML 1.2: `on` is text
    assert data.lines == {"a": 1, "b": 2} and data["b"].lines == [3, 4]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\na: 2\n", "yaml-duplicate-key", 2),
        ("a: &x 1\nb: *x\n", "yaml-alias", 1),
        ("a: !!python/object 1\n", "yaml-tag", 1),
        ("a: 1\n---\nb: 2\n", "yaml-documents", 2),
        ("a: [1\n", "yaml-syntax", 2),
        ("1: a\n", "yaml-key", 1),
        ("%YAML 1.1\n---\na: on\n", "yaml-directive", 1),
        ("a: " + "[" * 5_000, "yaml-depth", 1),
        ("a: 2026-02-30\n", "yaml-date", 1),
    ],
)
def test_loose_yaml_is_refused_with_its_line(text, code, line):
    with pytest.raises(Problem) as caught:
        parse_yaml(text, "f.yaml")
    assert (caught.value.code, caught.value.where.line) == (code, line)


def test_yaml_files_that_cannot_be_read(tmp_path):
    (tmp_path / "gbk.yaml").write_bytes("名: 值\n".encode("gbk"))
    (tmp_path / "big.yaml").write_bytes(b"a" * 2_000_001)
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_yaml(tmp_path / "bom.yaml") == {"a": 1}
    for name, code in (("gbk", "yaml-not-utf8"), ("big", "yaml-too-large"), ("none", "file-missing")):
        with pytest.raises(Problem) as caught:
            load_yaml(tmp_path / f"{name}.yaml")
        assert caught.value.code == code


def test_shipped_data_is_found():
    assert (shipped("districts").parent / "packs") == shipped("packs")
