"""A reader without a purpose sees masked values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.masking import mask


@pytest.mark.parametrize(
    ("kind", "value", "internal", "sensitive"),
    [
        ("person.name", "张三", "张*", "张*"),
        ("person.name", "张三丰", "张*丰", "张**"),
        ("name", "欧阳锋", "欧阳*", "欧阳*"),
        ("name", "阿依古丽·买买提", "阿**·**", "阿**·**"),
        ("name", "John Smith", "J** S**", "J** S**"),
        ("person.resident_id", "440306199001010014", "440306********0014", "4***************14"),
        ("person.phone", "13812345678", "138****5678", "138******78"),
        (
            "address",
            "深圳市宝安区新安街道创业一路12号3栋503",
            "深圳市宝安区新安街道创业一路****",
            "深圳市宝安区新安街道****",
        ),
        ("address", "深圳市宝安区创业一路12号", "深圳市宝安区创业一路****", "深圳市宝安区****"),
        ("person.birth_date", "1990-02-03", "1990-02-**", "1990-**-**"),
        ("firm.use", "仓库", "仓****", "仓****"),
    ],
)
def test_each_kind_is_masked_by_its_grade(kind, value, internal, sensitive):
    assert mask(value, kind, 1) == value
    assert mask(value, kind, 2) == internal
    assert mask(value, kind, 3) == sensitive
    assert mask(value, kind, 4) == "****"


@given(
    st.sampled_from(["name", "id", "phone", "address", "date", "text"]),
    st.text(min_size=2),
    st.integers(2, 4),
)
def test_a_masked_value_never_shows_all(kind, value, grade):
    assert mask(value, kind, grade) != value or set(value) <= set("*")
    assert "*" in mask(value, kind, grade)


def test_there_are_four_grades():
    with pytest.raises(ValueError):
        mask("x", "name", 5)
    assert mask("", "name", 4) == ""
