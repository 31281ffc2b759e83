"""What must hold for any text: nothing raises, order is kept, one way gives what the other gives, twice gives the same."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.batch.address.model import FIELDS, ParsedAddress
from chengshu.batch.address.parse import parse, parse_column, parse_many

CHARACTERS = (
    "省市区县旗镇乡街道路巷弄号栋幢座单元层楼室村社区组院里一二三四五六七八九十百零〇甲乙丙附之东南西北中新安宝深圳广东浙江杭州"
    "0123456789AB-#、/() ,{}\ue000\ue001"
)
PIECES = (
    "广东省 深圳市 深圳 宝安区 宝安 新安街道 新安 西乡街道 海裕社区 创业一路 12号 15-3号 669弄 3栋 A座 2单元 五楼 "
    "503 503室 3-2-501 卓越花园 "
    "天虹商场 对面 (旁边) 浙江省 杭州市 余杭区 朝阳区 北京 绍兴县 ， null - / 中国 沪 天堂村 2组 5号大街 经济开发区"
)
addressy = st.one_of(
    st.text(alphabet=CHARACTERS, max_size=40),
    st.lists(st.sampled_from([*PIECES.split(), " "]), max_size=12).map("".join),
    st.text(max_size=60),
)


def compared(row: ParsedAddress) -> tuple[object, ...]:
    return (*(getattr(row, name) for name in FIELDS), row.inferred, row.renamed, row.error)


@given(addressy)
@settings(max_examples=1500, deadline=None)
def test_no_text_raises_and_a_field_is_never_blank(text: str) -> None:
    row = parse(text)
    for name in FIELDS:
        value = getattr(row, name)
        assert value is None or (value and value == value.strip())
    assert row.error is None or all(getattr(row, name) is None for name in FIELDS)
    assert all(getattr(row, name) is not None for name in row.inferred)


@given(addressy)
@settings(max_examples=300, deadline=None)
def test_home_and_day_raise_nothing_either(text: str) -> None:
    from datetime import date

    parse(text, home="440306", on=date(2019, 5, 1))
    parse(text, home="999999")


@given(st.lists(st.one_of(st.none(), addressy), max_size=30))
@settings(max_examples=100, deadline=None)
def test_one_by_one_many_and_column_give_the_same_in_order(texts: list[str | None]) -> None:
    one_by_one = [compared(parse(text)) for text in texts]
    assert [compared(row) for row in parse_many(texts)] == one_by_one
    frame = parse_column(pl.Series(texts, dtype=pl.String))
    rows = [(*row[:14], tuple(row[14]), tuple(row[15]), row[16]) for row in frame.iter_rows()]
    assert rows == one_by_one


streets = st.sampled_from(["新安街道", "西乡街道", "福永街道", "沙井街道", "石岩街道"])
roads = st.sampled_from(["创业一路", "前进东路", "宝民二路", "海天路", "107国道", "松柏大道"])
estates = st.sampled_from(["锦绣花园", "泰华小区", "翻身新村", "西城上筑苑", "恒通发工业园"])
small = st.integers(1, 99)


@given(streets, roads, small, estates, small, small, small, st.integers(101, 3299))
@settings(max_examples=300, deadline=None)
def test_parsing_the_canonical_form_again_changes_nothing(
    street: str, road: str, number: int, estate: str, building: int, unit: int, floor: int, room: int
) -> None:
    text = f"广东省深圳市宝安区{street}{road}{number}号{estate}{building}栋{unit}单元{floor}层{room}"
    first = parse(text)
    canonical = "".join(getattr(first, name) or "" for name in FIELDS[:-1])
    assert canonical == text
    assert parse(canonical) == first


@given(streets, roads, small)
@settings(max_examples=100, deadline=None)
def test_large_to_small_and_small_to_large_mean_the_same(street: str, road: str, number: int) -> None:
    forward = parse(f"深圳市宝安区{street}{road}{number}号")
    backward = parse(f"{number}号{road}{street}宝安区深圳市")
    assert [getattr(forward, name) for name in FIELDS] == [getattr(backward, name) for name in FIELDS]


def test_many_rows_in_several_processes_keep_their_order() -> None:
    texts = [f"深圳市宝安区新安街道创业一路{number}号" for number in range(20_000)]
    frame = parse_column(pl.Series(texts), processes=2)
    assert frame["number"].to_list() == [f"{number}号" for number in range(20_000)]
    assert frame["error"].null_count() == 20_000


def test_progress_counts_every_row() -> None:
    seen: list[int] = []
    parse_column(pl.Series(["宝安区"] * 20_000), processes=1, progress=seen.append)
    assert sum(seen) == 20_000


def test_an_empty_column_gives_an_empty_table() -> None:
    frame = parse_column(pl.Series([], dtype=pl.String))
    assert frame.height == 0
    assert set(FIELDS) < set(frame.columns)
