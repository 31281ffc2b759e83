"""Draft declarations for files that have none: a guess from headers and values, for a person to read and mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chengshu.batch.declarations import KINDS, Column, Source, Text
from chengshu.batch.pipeline import readers, values
from chengshu.batch.pipeline.encoding import scan
from chengshu.kernel.problems import Problem

SAMPLE = 2_000
# Element (without its kind) → words that its columns are called by, in Chinese, pinyin initials and English.
WORDS: dict[str, tuple[str, ...]] = {
    "resident_id": ("身份证", "证件号", "证件号码", "身份证号", "sfzh", "zjhm", "id_no", "idcard", "id_card", "resident_id"),
    "credit_code": ("统一社会信用代码", "信用代码", "tyshxydm", "xydm", "credit_code", "uscc"),
    "name": ("姓名", "名称", "企业名称", "单位名称", "xm", "mc", "qymc", "name", "full_name", "title"),
    "phone": ("电话", "手机", "联系电话", "手机号", "lxdh", "sjh", "phone", "mobile", "tel"),
    "birth_date": ("出生日期", "生日", "csrq", "birth_date", "birthday", "dob", "born"),
    "sex": ("性别", "xb", "sex", "gender"),
    "death_date": ("死亡日期", "swrq", "death_date"),
    "address": ("地址", "住址", "住所", "居住地址", "经营地址", "dz", "jzdz", "address", "addr", "home"),
    "legal_representative": ("法定代表人", "法人", "负责人", "fddbr", "legal_representative"),
    "status": ("状态", "登记状态", "经营状态", "zt", "status"),
    "established_on": ("成立日期", "设立日期", "clrq", "established_on", "established"),
    "industry": ("行业", "hy", "industry"),
    "use": ("用途", "房屋用途", "fwyt", "use"),
    "owner_name": ("业主", "业主姓名", "产权人", "yzxm", "owner", "owner_name"),
    "owner_id": ("业主证件号", "yzzjh", "owner_id"),
    "area_m2": ("面积", "建筑面积", "mj", "area", "area_m2"),
    "rented": ("是否出租", "出租", "sfcz", "rented"),
    "kind": ("类别", "类型", "lb", "kind", "type", "category"),
    "longitude": ("经度", "jd", "lon", "lng", "longitude"),
    "latitude": ("纬度", "wd", "lat", "latitude"),
    "capacity": ("数量", "床位", "桩数", "充电桩数", "capacity"),
}  # fmt: skip
OF_KIND: dict[str, tuple[str, ...]] = {
    "person": ("name", "resident_id", "birth_date", "sex", "phone", "address", "death_date"),
    "firm": (
        "name",
        "credit_code",
        "legal_representative",
        "phone",
        "address",
        "status",
        "established_on",
        "industry",
    ),
    "premises": ("address", "use", "owner_name", "owner_id", "area_m2", "rented"),
    "facility": ("name", "kind", "address", "longitude", "latitude", "capacity"),
}
KEYS = ("编号", "序号", "记录号", "注册号", "id", "no", "key", "code", "record_no", "bh", "jlbh")
UPDATED = ("更新时间", "更新日期", "修改时间", "gxsj", "gxrq", "updated", "updated_on", "updated_at")


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted declaration: where to write it and its text."""

    path: Path
    text: str
    kind: str


def undeclared(folder: Path, declared: Iterable[Source]) -> list[Path]:
    """Return the tables under ``folder`` that no declaration names."""
    import fnmatch

    patterns = [source.file for source in declared if source.file]
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in readers.ENDINGS
    ]
    return [
        path
        for path in found
        if "truth" not in path.relative_to(folder).parts
        and "library" not in path.relative_to(folder).parts
        and not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
    ]


def draft(path: Path, folder: Path, target: Path) -> Draft:
    """Guess the declaration of one table."""
    sample = _sample(path)
    columns = [name for name in sample.columns if name != "_row"]
    guessed = {name: _guess(name, sample[name]) for name in columns}
    kind = _kind({word for word in guessed.values() if word}, path.stem)
    department = _slug(path.parent.name if path.parent != folder else "department")
    table = _slug(path.stem)
    key = _key(sample, guessed)
    updated = next((name for name in columns if name.strip().lower() in UPDATED), None)
    taken: dict[str, str] = {}
    for name, word in guessed.items():
        if word in OF_KIND[kind] and word not in taken.values() and name not in (key, updated):
            taken[name] = word
    text = _write(path, department, table, kind, key, updated, taken, columns)
    return Draft(target / department / f"{table}.yaml", text, kind)


def _sample(path: Path) -> pl.DataFrame:
    source = Source("draft.table", "draft", Text("", ""), "person", (), (Column("", ""),), Text("", ""))
    for frame in readers.read_file(path, source, scan(path), readers.Reading()):
        return frame.head(SAMPLE)
    raise Problem("table-empty", f"{path.name} has no rows to guess from")


def _guess(name: str, column: pl.Series) -> str | None:
    plain = re.sub(r"[\s_()（）]", "", name).lower()
    for word, names in WORDS.items():
        if any(plain == re.sub("_", "", known).lower() for known in names):
            return word
    filled = column.filter(column != "")
    for word, test in (("resident_id", values.is_resident_id), ("credit_code", values.is_credit_code)):
        if len(filled) >= 3:
            standard = values.standard(f"person.{word}" if word == "resident_id" else f"firm.{word}", filled)
            share = standard.to_frame("x").select(test(pl.col("x")).fill_null(False).mean()).item()
            if share is not None and share > 0.8 and standard.str.len_chars().median() == 18:
                return word
    return next(
        (word for word, names in WORDS.items() if any(len(k) > 1 and k in name for k in names[:2])), None
    )


def _kind(words: set[str], stem: str) -> str:
    for kind in KINDS:
        if kind in stem.lower():
            return kind
    if "credit_code" in words or "legal_representative" in words:
        return "firm"
    if "rented" in words or {"use", "area_m2"} <= words or "owner_name" in words:
        return "premises"
    if "resident_id" in words or "birth_date" in words or "sex" in words:
        return "person"
    return "facility" if {"longitude", "latitude"} & words or "kind" in words else "person"


def _key(sample: pl.DataFrame, guessed: Mapping[str, str | None]) -> str:
    """Guess the key: a column called so, else one that nothing else explains, else an identifier; nearly unique."""
    named = [name for name in guessed if name.strip().lower() in KEYS]
    other = [name for name, word in guessed.items() if word is None and name.strip().lower() not in UPDATED]
    codes = [name for name, word in guessed.items() if word in ("credit_code", "resident_id")]
    for name in [*named, *other, *codes, *guessed]:
        filled = sample[name].filter(sample[name] != "")
        # A few repeated or empty keys are refused later; they do not make another column the key.
        if len(filled) > 0.7 * sample.height and filled.n_unique() > 0.7 * len(filled):
            return name
    return next(iter(guessed))


def _slug(text: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return slug if slug and slug[0].isalpha() else f"table-{slug}".strip("-") if slug else "table"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write(
    path: Path, department: str, table: str, kind: str, key: str, updated: str | None,
    taken: dict[str, str], columns: list[str],
) -> str:  # fmt: skip
    lines = [
        "# Drafted from the file's header. Read it, correct what was guessed wrongly, and remove this line.",
        f"source: {department}.{table}",
        f"department: {department}",
        f"title: {{zh: {_quote(path.stem)}, en: {_quote(path.stem)}}}",
        f"kind: {kind}  # person, firm, premises or facility",
        f"file: {_quote(path.name)}",
        f"key: [{_quote(key)}]",
    ]
    if updated:
        lines.append(f"updated: {_quote(updated)}")
    if {"longitude", "latitude"} & set(taken.values()):
        lines.append("datum: WGS-84  # or GCJ-02, when a Chinese map vendor supplied the coordinates")
    lines.append("delivery: full  # delta: rows that are not in a delivery stay as they are")
    lines.append("columns:")
    lines += [f"  {_quote(name)}: {{element: {kind}.{word}}}" for name, word in taken.items()]
    left = [name for name in columns if name not in taken and name not in (key, updated)]
    if left:
        lines.append("ignore:  # move a column up and give it an element to take it in")
        lines += [f"  {_quote(name)}: not mapped yet" for name in left]
    lines.append("rules: []")
    lines.append(
        'purpose: {zh: "（请写明持有这些数据的依据）", en: "(say why these data are held, and by which article)"}'
    )
    return "\n".join(lines) + "\n"
