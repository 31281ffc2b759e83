"""Names and addresses of places taken apart: core, branch, numerals, part of something, weighted character pairs."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from chengshu.batch.address.parse import parse_many
from chengshu.batch.linkage import text

_BRACKETED = re.compile(r"[\(\[【〔（《<「](.*?)[\)\]】〕）》>」]?\s*$")
_BRANCH_END = re.compile(
    r"(旗舰|专卖|加盟|直营|总|分|新)?"
    r"(店|支行|分行|分理处|营业厅|营业部|营业所|分公司|网点|餐厅|校区|院区|中心店)$"
)
_REGION = re.compile(
    r"^(?:[一-鿿]{2,3}省)?"
    r"(?:北京|上海|天津|重庆|广州|深圳|杭州|南京|武汉|成都|西安|苏州|东莞|佛山|宁波|青岛|长沙|郑州|济南|厦门)"
    r"市?(?!湾|北|南|西|东|大学|路|通)"
)
_FORM = re.compile(r"(股份有限公司|有限责任公司|有限公司|股份公司|集团公司|分公司)$")
_NUMERAL = re.compile(
    r"[0-9]+|[一二三四五六七八九十]+(?=[路期号栋座区街楼店小中])"
    r"|(?<=第)[一二三四五六七八九十百]+|(?<![a-z])[a-z](?=[座栋区馆门口])"
)
_DIGITS = str.maketrans("一二三四五六七八九", "123456789")
# A thing's part or companion is another thing, however alike the names and near the places.
_PART = re.compile(
    "停车场|停车库|车库|出入口|入口|出口|[东南西北]{1,2}[1-9]?门|正门|"
    "侧门|公交站|公交总站|地铁站|充电站|充电桩|atm|自助银行|自助服务|洗手间|"
    "卫生间|公厕|收费站|宿舍|食堂|门诊|急诊|住院部|体检中心|物业|管理处|派出所|"
    "警务室|居委会|工作站|党群服务|幼儿园|小学|中学|社康|社区健康服务中心|图书馆|"
    "体育馆|篮球场|足球场|游泳池|售楼|营销中心|垃圾|配电|快递柜"
)


def take_apart(names: pl.Series) -> pl.DataFrame:
    """Return whole, core, branch, numerals and part of each name; a branch without brackets is found by known cores."""
    distinct = names.drop_nulls().unique(maintain_order=True).to_list()
    first = [_bracketed(name) for name in distinct]
    known = {core for core, branch in first if branch and len(core) >= 2}
    rows = [_row(name, core, branch, known) for name, (core, branch) in zip(distinct, first, strict=True)]
    schema = dict.fromkeys(
        ("name", "whole", "core", "branch", "numerals", "branch_numerals", "part"), pl.String
    )
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return pl.DataFrame({"name": names}).join(table, on="name", how="left", maintain_order="left")


def _bracketed(name: str) -> tuple[str, str]:
    folded = text.plain(name)
    found = _BRACKETED.search(folded)
    core = folded[: found.start()] if found and found.start() >= 2 else folded
    branch = found.group(1) if found and found.start() >= 2 else ""
    return _core(core), text.written(branch)


def _core(name: str) -> str:
    bare = text.written(re.sub(r"[\(\)（）\[\]【】]", " ", name))
    shorter = _FORM.sub("", _REGION.sub("", bare))
    return shorter if len(shorter) >= 2 else bare


def _row(name: str, core: str, branch: str, known: set[str]) -> tuple[str, ...]:
    whole = text.written(re.sub(r"[\(\)（）\[\]【】]", " ", text.plain(name)))
    if not branch and _BRANCH_END.search(core):
        for length in range(len(core) - 2, 1, -1):
            if core[:length] in known:
                core, branch = core[:length], core[length:]
                break
    place = _BRANCH_END.sub("", _REGION.sub("", branch)) or branch
    return (
        name,
        whole,
        core,
        place,
        _numerals(core),
        _numerals(place),
        ",".join(sorted(set(_PART.findall(whole)))),
    )


def _numerals(value: str) -> str:
    return ",".join(sorted(found.translate(_DIGITS) for found in _NUMERAL.findall(value)))


def address_parts(addresses: pl.Series) -> pl.DataFrame:
    """Return the standard address, and road and house number as the address parser reads them."""
    distinct = addresses.drop_nulls().unique(maintain_order=True)
    parsed = parse_many(distinct.to_list())
    table = pl.DataFrame(
        {
            "raw": distinct,
            "road": pl.Series([one.road for one in parsed], dtype=pl.String),
            "house": pl.Series([one.number for one in parsed], dtype=pl.String),
        }
    )
    standard = text.mapped(addresses, text.written)
    frame = pl.DataFrame({"raw": addresses, "address": standard})
    return frame.join(table, on="raw", how="left", maintain_order="left").select("address", "road", "house")


def grams(values: pl.Series) -> pl.DataFrame:
    """Return row, gram, idf: the distinct character pairs of each value, rarer ones weighing more."""
    rows: list[int] = []
    found: list[str] = []
    for row, value in enumerate(values.to_list()):
        if value:
            pieces = {value[i : i + 2] for i in range(len(value) - 1)} or {value}
            rows += [row] * len(pieces)
            found += sorted(pieces)
    table = pl.DataFrame({"row": pl.Series(rows, dtype=pl.Int64), "gram": pl.Series(found, dtype=pl.String)})
    total = max(len(values), 1)
    return table.with_columns((np.log(1 + total) - pl.len().over("gram").log()).clip(0.3).alias("idf"))
