"""An official reads and writes where a rule stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.citations import Citation, chinese_number, parse_chinese_number, parse_citation
from chengshu.kernel.problems import Problem

NUMBERS = st.integers(1, 9999)
MAYBE = st.none() | NUMBERS


@given(NUMBERS)
def test_chinese_numerals_read_back(number):
    assert parse_chinese_number(chinese_number(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (101, "一百零一"), (110, "一百一十"), (201, "二百零一"),
     (1010, "一千零一十"), (1260, "一千二百六十"), (9999, "九千九百九十九")],
)  # fmt: skip
def test_numbers_are_written_as_laws_write_them(number, text):
    assert chinese_number(number) == text


@given(st.sampled_from(["civil-code", "cn/data-ip"]), NUMBERS, MAYBE, MAYBE, MAYBE)
def test_a_citation_reads_back_in_every_form(instrument, article, sub, paragraph, item):
    citation = Citation(instrument, article, sub, paragraph, item)
    assert parse_citation(citation.in_chinese()) == citation
    assert parse_citation(citation.in_english()) == citation
    assert parse_citation(citation.key()).item == item


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "《中华人民共和国民法典》第二百零一条第一款第（二）项",
            Citation("中华人民共和国民法典", 201, None, 1, 2),
        ),
        ("民法典第201条", Citation("民法典", 201)),
        ("《行政许可法》第十二条之一第三项", Citation("行政许可法", 12, 1, None, 3)),
        ("Civil Code, Article 201, paragraph 1", Citation("Civil Code", 201, None, 1)),
        ("civil-code:12-1.2.3", Citation("civil-code", 12, 1, 2, 3)),
    ],
)
def test_forms_found_in_the_wild(text, expected):
    assert parse_citation(text) == expected


@pytest.mark.parametrize("text", ["", "第三条", "《民法典》", "民法典第零条", "civil-code:", "hello"])
def test_what_is_no_citation_is_refused(text):
    with pytest.raises(Problem) as caught:
        parse_citation(text)
    assert caught.value.code == "citation-form"


def test_an_article_covers_its_paragraphs():
    article = Citation("a", 3)
    assert article.covers(Citation("a", 3, None, 2)) and article.covers(Citation("a", 3, None, 2, 1))
    assert not Citation("a", 3, None, 2).covers(article)
    assert not article.covers(Citation("a", 4))
    assert not Citation("a", 3, None, 2, 1).covers(Citation("a", 3, None, 2, 2))
