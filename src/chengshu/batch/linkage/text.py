"""Words made comparable: width, case, traditional characters, pinyin, names of persons and firms.

Everything here is a pure function of one string; frames map their distinct values only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl

_DATA = Path(__file__).parent / "data"
_PUNCTUATION = re.compile(r"[\s·•・‧∙●．.。,，、;；:：'’`\"“”\-_—–~～/\\|*#@!！?？&+=]+")
_BRACKETS = re.compile(r"[\(\[【〔（《<「].*?[\)\]】〕）》>」]")
_TITLES = re.compile(r"(先生|女士|小姐|老师|医生|\(已故\)|（已故）)$")
_CJK = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U000323af]")

# What a firm's name says about its form and trade in general, not about this firm.
_FORM = re.compile(
    "有限责任公司分公司|股份有限公司分公司|有限公司分公司|股份有限公司|有限责任公司|集团有限公司|"
    "农民专业合作社|专业合作社|个人独资企业|普通合伙|有限合伙|特殊普通合伙|个体工商户|有限公司|"
    "责任公司|股份公司|控股公司|总公司|分公司|子公司|个体户|公司|集团|工作室|经营部|商行|"
    "co ltd|company limited|limited|ltd|inc|llc"
)
_REGION = re.compile(
    r"^(中国|中华人民共和国)?((广东|北京|上海|天津|重庆|湖北|湖南|江西|江苏|浙江|福建|四川|山东|河南|河北|安徽|广西)(省|市)?)?"
    r"((深圳|广州|东莞|惠州|佛山|珠海|中山|武汉|成都|杭州|南京)(市|特区)?)?"
    r"((宝安|福田|罗湖|南山|龙岗|龙华|盐田|坪山|光明|大鹏)(新区|区)?)?"
)


@cache
def _simplified() -> dict[int, str]:
    table: dict[int, str] = {}
    for name in ("TSCharacters.txt", "variants.txt"):
        for line in (_DATA / name).read_text(encoding="utf-8").splitlines():
            form, _, standard = line.partition("\t")
            if standard:
                table[ord(form)] = standard.split()[0]
    return table


def has_cjk(text: str) -> bool:
    """Say whether ``text`` holds a Chinese character."""
    return _CJK.search(text) is not None


def plain(text: str) -> str:
    """Return ``text`` in half width, lower case and simplified characters, each run of blanks one blank."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_simplified())
    return " ".join(folded.split())


def written(text: str) -> str:
    """Return ``text`` without what does not count in a comparison: brackets' content stays, punctuation goes."""
    kept = " ".join(_PUNCTUATION.sub(" ", plain(text)).split())
    return kept.replace(" ", "") if has_cjk(kept) else kept


def person_name(text: str) -> str:
    """Return a person's name to compare: no titles, no bracketed remarks, no dots; Latin names keep single blanks."""
    bare = _TITLES.sub("", _BRACKETS.sub(" ", plain(text)).strip())
    name = " ".join(_PUNCTUATION.sub(" ", bare).split())
    return name.replace(" ", "") if has_cjk(name) else name


def firm_core(text: str) -> str:
    """Return what tells one firm's name from another's: no region, no form of organisation, no brackets.

    A name that is nothing but region and form keeps all of it.
    """
    # Imported here: its tables take a second to load, and most commands never compare a sound.

    whole = written(_BRACKETS.sub(" ", plain(text))) or written(text)
    core = _FORM.sub("", _REGION.sub("", whole)).strip()
    return core if len(core) >= 2 else whole


@cache
def _reading(character: str) -> str:
    # Imported here: its tables take a second to load, and most commands never compare a sound.
    from pypinyin import Style, lazy_pinyin

    return lazy_pinyin(character, style=Style.NORMAL)[0] if has_cjk(character) else character


def pinyin(text: str) -> str:
    """Return the reading without tones, character by character: the same for 王伟 and 汪炜; other scripts as they are."""
    return "".join(_reading(character) for character in text)


def mapped(values: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Return ``change`` of each value, worked out once for each distinct one; blank becomes null."""
    distinct = values.drop_nulls().unique(maintain_order=True)
    results = [change(value) or None for value in distinct.to_list()]
    return values.replace_strict(
        distinct, pl.Series(results, dtype=pl.String), return_dtype=pl.String, default=None
    )


def each(values: pl.Series, change: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """Return a Polars expression of each value, worked out once for each distinct one."""
    table = values.drop_nulls().unique().to_frame("v").with_columns(change(pl.col("v")).alias("w"))
    return values.to_frame("v").join(table, on="v", how="left", maintain_order="left")["w"].alias(values.name)
