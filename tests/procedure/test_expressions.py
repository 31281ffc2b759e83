from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.procedure.expressions import compile_expression
from chengshu.procedure.syntax import SyntaxFault, parse
from chengshu.procedure.types import BadValue, Type, check_value
from chengshu.procedure.typing_rules import TypeFault

KNOWN = {
    "a": Type("integer"),
    "b": Type("integer"),
    "p": Type("boolean"),
    "q": Type("boolean"),
    "s": Type("text"),
    "m": Type("money"),
    "d": Type("date"),
    "o": Type("integer", optional=True),
    "l": Type("texts"),
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a + b * 2", 13),
        ("(a + b) * 2", 16),
        ("a - b - 1", -3),
        ("not (a > b) and p", True),
        ("p ? 'yes' : 'no'", "yes"),
        ("o ?? 7", 7),
        ("o == null or o > 3", True),
        ("s in ['网格', '社区']", True),
        ("s not in ['网格']", False),
        ("contains(s, '格')", True),
        ("startsWith(s, '网')", True),
        ("len(l)", 2),
        ("round(m * 7 / 3)", 233),
        ("floor(-a / 2)", -2),
        ("d + 1", "2026-03-01"),
        ("d - date('2026-01-01')", 58),
        ("d >= date('2026-02-28')", True),
        ("true", True),
        ("-a", -3),
    ],
)
def test_expressions_mean_what_they_say(source, value):
    scope = {"a": 3, "b": 5, "p": True, "q": False, "s": "网格", "m": 100, "d": "2026-02-28", "l": ["x", "y"]}
    found = compile_expression(source, KNOWN).evaluate(scope)
    assert found == value
    assert type(found) is type(value)


NUMBERS = st.integers(-1000, 1000)


def sources(depth: int) -> st.SearchStrategy[str]:
    boolean = st.sampled_from(["p", "q", "true", "false"])
    if depth:
        inner_number = st.deferred(lambda: numbers(depth - 1))
        boolean = st.one_of(
            boolean,
            st.builds(
                "({} {} {})".format,
                inner_number,
                st.sampled_from(["<", "<=", "==", "!=", ">", ">="]),
                inner_number,
            ),
            st.builds(
                "({} {} {})".format, sources(depth - 1), st.sampled_from(["and", "or"]), sources(depth - 1)
            ),
            st.builds("(not {})".format, sources(depth - 1)),
        )
    return boolean


def numbers(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "7", "0"])
    if not depth:
        return leaf
    return st.one_of(
        leaf,
        st.builds(
            "({} {} {})".format, numbers(depth - 1), st.sampled_from(["+", "-", "*"]), numbers(depth - 1)
        ),
    )


@given(sources(3), NUMBERS, NUMBERS, st.booleans(), st.booleans())
def test_the_engine_agrees_with_python(source, a, b, p, q):
    found = compile_expression(source, KNOWN, Type("boolean")).evaluate({"a": a, "b": b, "p": p, "q": q})
    python = source.replace("true", "True").replace("false", "False")
    assert found is eval(python, {"__builtins__": {}}, {"a": a, "b": b, "p": p, "q": q})


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(source):
    with contextlib.suppress(SyntaxFault, TypeFault):
        compile_expression(source, KNOWN)


@given(st.text(alphabet="abpq0179.()[]'<>=!+-*/?:, andortifue", max_size=60))
def test_what_the_reader_takes_the_engine_takes(source):
    try:
        expression = compile_expression(source, KNOWN)
    except (SyntaxFault, TypeFault):
        return
    assert expression.type.kind


def test_values_that_are_too_large_never_reach_the_engine():
    from chengshu.kernel.problems import Problem

    expression = compile_expression("contains(s, 'x')", KNOWN)
    with pytest.raises(Problem, match="too large"):
        expression.evaluate({"s": "x" * 20_000})
    with pytest.raises(BadValue):
        check_value([str(n) for n in range(2_000)], Type("texts"))
    with pytest.raises(BadValue):
        check_value(10**30, Type("integer"))
    with pytest.raises(BadValue):
        check_value({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}, Type("map"))
    with pytest.raises(BadValue):
        check_value({"a": 1.5}, Type("map"))


def test_an_overflow_is_a_problem_and_no_crash():
    from chengshu.kernel.problems import Problem

    expression = compile_expression("a * a * a * a * a * a", KNOWN)
    with pytest.raises(Problem):
        expression.evaluate({"a": 2**52})


def test_a_missing_value_counts_as_empty_and_a_date_is_checked():
    assert compile_expression("o == null", KNOWN).evaluate({}) is True
    with pytest.raises(TypeFault, match="written day"):
        compile_expression("date(s) > d", KNOWN)
    with pytest.raises(TypeFault):
        compile_expression("d + d == d", KNOWN)


def test_precedence_is_read_as_documented():
    tree = parse("a + b * 2 == 3 and not p or q")
    assert tree.value == "or"
    assert tree.parts[0].value == "and"
