"""The types of credentials, as data: titles, claims, what may be disclosed apart, the ages derived from a birth date. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from chengshu.contexts.certificates.credentials import Content
from chengshu.kernel.money import in_yuan
from chengshu.kernel.strict_yaml import load_yaml

FILE = Path(__file__).parent / "credential_types.yaml"
AGE = "age_over_"
# What every certificate says beside its claims, each disclosed apart.
FRAME: Mapping[str, Mapping[str, str]] = {
    "number": {"zh": "证照编号", "en": "Number"},
    "holder": {"zh": "持有人", "en": "Holder"},
    "holder_mark": {"zh": "证件号码（遮盖）", "en": "Identity number, masked"},
}
# Claims of a pack that would hide one of ours are given another name.
_TAKEN = frozenset(
    {*FRAME, "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "status", "vct", "title", "demo", "_sd", "_sd_alg"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CredentialType:
    """A type of certificate: what it is called, what its claims are called, which claim is a date of birth."""

    code: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    claims: Mapping[str, Mapping[str, str]]
    birth: str = ""


@lru_cache(maxsize=1)
def _file() -> Any:
    return load_yaml(FILE)


@lru_cache(maxsize=1)
def known_types() -> Mapping[str, CredentialType]:
    """Return the declared types by code."""
    return {
        code: CredentialType(code, said["title"], said["about"], said["claims"], str(said.get("birth", "")))
        for code, said in _file()["types"].items()
    }


def ages() -> list[int]:
    """Return the ages in years that are derived from a date of birth."""
    return [int(each) for each in _file()["ages"]]


def is_over(birth: dt.date, years: int, on: dt.date) -> bool:
    """Return whether someone is past an age: from the day after the birthday, as Chinese courts count full years.

    Fa Shi (2006) no. 1, article 2. Whoever was born on 29 February is past it on 1 March of any year.
    """
    return (on.year - birth.year, (on.month, on.day) > (birth.month, birth.day)) >= (years, True)


def claim_name(name: str) -> str:
    """Return what a claim of a certificate is called in an SD-JWT VC."""
    return f"claim_{name}" if name in _TAKEN or name.startswith(AGE) else name


def derived(type_: str, claims: Mapping[str, Any], on: dt.date) -> dict[str, bool]:
    """Return the claims on age as they hold on a day; none where the certificate names no date of birth.

    They stay true for ever; one that was false when it was signed may have become true: never the other way round.
    """
    known = known_types().get(type_)
    birth = claims.get(known.birth if known and known.birth else "birth_date")
    try:
        born = dt.date.fromisoformat(str(birth))
    except ValueError:
        return {}
    return {f"{AGE}{years}": is_over(born, years, on) for years in ages()}


def spoken(
    content: Content, type_: str, vct: str, status_uri: str, on: dt.date
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an SD-JWT VC says in clear (no person in it) and what may be disclosed, claim by claim."""
    from chengshu.contexts.certificates.credentials import end_of, read_instant, start_of

    always: dict[str, Any] = {
        "iss": content.issuer,
        "vct": vct,
        "title": content.title["zh"],
        "nbf": int(read_instant(start_of(content.valid_from)).timestamp()),
        "status": {"status_list": {"idx": content.status_index, "uri": status_uri}},
    }
    if content.valid_to is not None:
        always["exp"] = int(read_instant(end_of(content.valid_to)).timestamp())
    if content.demo:
        always["demo"] = True
    apart: dict[str, Any] = {"number": content.number, "holder": content.holder}
    if content.holder_mark:
        apart["holder_mark"] = content.holder_mark
    apart |= {claim_name(name): value for name, value in content.claims.items() if value not in (None, "")}
    return always, apart | derived(type_, content.claims, on)


def label(type_: str, name: str) -> Mapping[str, str]:
    """Return what a claim is called; its own name where nobody says."""
    if name in FRAME:
        return FRAME[name]
    if name.startswith(AGE):
        years = name.removeprefix(AGE)
        return {"zh": f"已满 {years} 周岁", "en": f"Over {years}"}
    known = known_types().get(type_)
    plain = name.removeprefix("claim_")
    return known.claims.get(plain, {"zh": plain, "en": plain}) if known else {"zh": plain, "en": plain}


def said(type_: str, name: str, value: Any) -> dict[str, str]:
    """Return the plain value of a claim in words; money, which claims hold in fen, in yuan."""
    if isinstance(value, bool):
        return {"zh": "是" if value else "否", "en": "yes" if value else "no"}
    known = known_types().get(type_)
    claim = known.claims.get(name.removeprefix("claim_"), {}) if known else {}
    if isinstance(value, int) and claim.get("unit") == "fen":
        return in_yuan(value)
    return {"zh": str(value), "en": str(value)}


def metadata(
    type_: str, vct: str, title: Mapping[str, str], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the type metadata of SD-JWT VC. ``title`` and ``labels``: of the packs, for what the file does not know."""
    known = known_types().get(type_)
    called = known.title if known else title
    about = known.about if known else title
    names = [*FRAME, *(known.claims if known else {}), *labels]
    paths = list(dict.fromkeys(claim_name(name) if name not in FRAME else name for name in names))
    if (known and known.birth) or "birth_date" in labels:
        paths += [f"{AGE}{years}" for years in ages()]
    return {
        "vct": vct,
        "name": called["en"],
        "description": about["en"],
        "display": [
            {"locale": locale, "name": called[language], "description": about[language]}
            for locale, language in (("zh-CN", "zh"), ("en", "en"))
        ],
        "claims": [_claim(path, type_, labels) for path in paths],
    }


def _claim(path: str, type_: str, labels: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    called = labels.get(path.removeprefix("claim_")) or label(type_, path)
    # What holds fen says so: a wallet shows the bare number.
    unit = (
        {"zh": "（分）", "en": " (fen)"} if label(type_, path).get("unit") == "fen" else {"zh": "", "en": ""}
    )
    return {
        "path": [path],
        "display": [
            {"locale": "zh-CN", "label": called["zh"] + unit["zh"]},
            {"locale": "en", "label": (called["en"] or called["zh"]) + unit["en"]},
        ],
        "sd": "always",
    }
