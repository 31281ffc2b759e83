"""An engineer asks whether two written addresses are one place. Every case is made up here, none is contest data."""

import pytest

from chengshu.batch.address.pairs import Verdict, compare

CASES = [
    ("exact", "深圳市宝安区创业一路12号海华花园3栋", "创业一路12号海华花园3幢"),
    ("exact", "宝安区新安街道创业一路12号", "创业一路12号"),
    ("exact", "创业一路12号3栋2单元503", "创业1路十二号三栋二单元503室"),
    ("exact", "海城路与前进一路交叉口", "前进一路与海城路交汇处"),
    ("partial", "创业一路12号海华花园3栋", "创业一路12号海华花园4栋"),
    ("partial", "创业一路12号海华花园", "创业一路12号海华花园3栋"),
    ("partial", "创业一路12号", "创业一路12号老王烧烤店"),
    ("partial", "创业一路12号海华花园", "创业一路12号海华花园(东门)"),
    ("different", "创业一路12号", "前进二路45号"),
    ("different", "深圳市宝安区海华花园3栋", "广州市天河区海华花园3栋"),
    ("different", "创业一路12号海华大药房", "和平路99号金港大厦"),
    ("different", "创业一路12号", "创业二路12号"),
]


@pytest.mark.parametrize(("verdict", "left", "right"), CASES)
def test_two_addresses_relate_as_a_person_would_say(verdict, left, right):
    found = compare(left, right)
    assert found.verdict == verdict, found.reasons


@pytest.mark.parametrize(("verdict", "left", "right"), CASES)
def test_the_order_of_the_two_makes_no_difference(verdict, left, right):
    assert compare(right, left).verdict == compare(left, right).verdict


def test_every_verdict_says_its_reason():
    assert all(compare(left, right).reasons[0] for _, left, right in CASES)


@pytest.mark.parametrize("text", ["", " ", "???", "12", "创业一路", "（", "a" * 500])
def test_no_text_breaks_the_comparison(text):
    assert compare(text, "创业一路12号").verdict in set(Verdict)
    assert compare(text, text).reasons
