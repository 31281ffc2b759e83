"""Whether a document is a conforming credential of the W3C: VC Data Model 2.0, Recommendation of 2025-05-15.

An issuer must not sign what does not conform (section 1.3), a verifier must refuse it even where the signature holds (section
7.1, MALFORMED_VALUE_ERROR). Section numbers are those of the Recommendation; what another standard says is cited by its name.
Nothing is fetched: a context or a related resource counts when it is known here. Pure.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chengshu.contexts.certificates import json_ld
from chengshu.contexts.certificates.json_ld import BASE, Malformed, Terms

ENVELOPE, MEDIA_TYPE = "EnvelopedVerifiableCredential", "application/vc+jwt"
# XML Schema 1.1, part 2, 3.4.28: a date, a time with seconds and a zone; fractions of any length.
_STAMP = re.compile(
    r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)
# Characters of a place that are told: below a name of ten million each place would be as long again.
LONGEST = 200
# BCP 47 in its well-formed shape, without the grandfathered tags.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|[xX](-[A-Za-z0-9]{1,8})+")
_DATA_URL = re.compile(r"data:([^,;]+)((?:;[^,;]+)*),(.*)", re.DOTALL)
# Appendix B.1 fixes the bytes of the base context. A resource that is not known here is not fetched, so not compared.
_DIGESTS: Mapping[str, Mapping[str, str]] = {
    BASE: {
        "sha256": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        "sha384": (
            "97f1eb8e5042356c805fdd61afa2c557663785e0794dcafa21e138fd38def18cb360133c221aa31d6896a6bf3e65b614"
        ),
        "sha512": (
            "5d55452bd2dcf8a29f5a290473eb242b1c5fb77d4e68f1a0aa87baa4dba2694852d65ec63d48ac04a99d956f9f7153b9"
            "406f84d2d04c74869b02c239a1d81305"
        ),
    }
}
# A member → whether each of its objects needs an ``id`` as well as a ``type``, and the section that says so.
MEMBERS: Mapping[str, tuple[bool, str]] = {
    "credentialStatus": (False, "4.10"),
    "credentialSchema": (True, "4.11"),
    "proof": (False, "4.12"),
    "refreshService": (False, "5.4"),
    "termsOfUse": (False, "5.5"),
    "evidence": (False, "5.6"),
}


def check(body: Any, known: Mapping[str, Terms] = json_ld.KNOWN) -> None:
    """Refuse, with ``Malformed``, what is no conforming credential. ``known``: the contexts whose terms are known here."""
    if not isinstance(body, dict):
        raise Malformed("", "4.2", "凭证不是一个对象", "a credential is an object")
    terms = json_ld.active(body.get("@context"), known)
    for name in ("vc", "vp"):
        if name in body:
            raise Malformed(
                name,
                "VC-JOSE-COSE",
                "不允许旧版的 vc、vp 成员",
                "the members vc and vp of version 1.1 are forbidden",
            )
    _identifier(body, "")
    _types(body, "", terms)
    if "VerifiableCredential" not in _listed(body["type"]):
        raise Malformed(
            "type", "4.5", "类型中没有 VerifiableCredential", "VerifiableCredential is not among its types"
        )
    _issuer(body)
    _texts(body, "")
    _subjects(body, terms)
    _validity(body)
    for name, (with_id, section) in MEMBERS.items():
        for place, each in _objects(body, name, section):
            _typed(each, place, terms, with_id, section)
    _related(body)


def envelope_text(said: Any, known: Mapping[str, Terms] = json_ld.KNOWN) -> str:
    """Return the compact JWS in an enveloped verifiable credential (section 4.13.1); raises ``Malformed`` when it is none."""
    section = "4.13.1"
    if not isinstance(said, dict):
        raise Malformed("", section, "封装不是一个对象", "an envelope is an object")
    json_ld.active(said.get("@context"), known, lone=True)
    if _listed(said.get("type")) != [ENVELOPE]:
        raise Malformed(
            "type", section, f"封装的类型必须是 {ENVELOPE}", f"the type of an envelope is {ENVELOPE}"
        )
    found = _DATA_URL.fullmatch(str(said.get("id", "")))
    if found is None or found[1].lower() != MEDIA_TYPE or found[2]:
        raise Malformed(
            "id",
            section,
            f"封装的 id 必须是 {MEDIA_TYPE} 的 data: 地址",
            f"its id is a data: URL of {MEDIA_TYPE}",
        )
    return found[3]


def envelope(text: str) -> dict[str, Any]:
    """Return a compact JWS as an enveloped verifiable credential (section 4.13.1)."""
    return {"@context": [BASE], "id": f"data:{MEDIA_TYPE},{text}", "type": ENVELOPE}


def read_timestamp(text: Any, place: str = "", section: str = "4.9") -> dt.datetime:
    """Read a ``dateTimeStamp`` of XML Schema 1.1; raises ``Malformed`` when it is none."""
    if isinstance(text, str) and _STAMP.fullmatch(text):
        try:
            return dt.datetime.fromisoformat(text)
        except ValueError:
            pass
    raise Malformed(
        place, section, "不是带时区的日期时间", "not a date and time with seconds and a zone (dateTimeStamp)"
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _objects(body: Mapping[str, Any], name: str, section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a member with their places; a member that is absent has none."""
    if name not in body:
        return
    found = _listed(body[name])
    if not found:
        raise Malformed(name, section, "不能为空", "it must not be empty")
    for place, each in enumerate(found):
        where = f"{name}[{place}]" if isinstance(body[name], list) else name
        if not isinstance(each, dict):
            raise Malformed(where, section, "必须是对象", "it must be an object")
        yield where, each


def _identifier(said: Mapping[str, Any], place: str, *, needed: str = "") -> None:
    """Section 4.4: an ``id`` is one URL. ``needed``: the section that asks for one."""
    if "id" not in said:
        if needed:
            raise Malformed(f"{place}.id", needed, "缺少 id", "the id is missing")
        return
    if not json_ld.is_url(said["id"]):
        raise Malformed(f"{place}.id".lstrip("."), "4.4", "id 必须是一个网址（URL）", "an id is a single URL")


def _types(said: Mapping[str, Any], place: str, terms: Terms) -> None:
    """Section 4.5: one type or more, each a term that the context defines or an absolute URL."""
    where = f"{place}.type".lstrip(".")
    found = _listed(said.get("type"))
    if not found or None in found:
        raise Malformed(where, "4.5", "缺少 type", "the type is missing")
    for each in found:
        if not isinstance(each, str) or not terms.names(each):
            raise Malformed(
                where,
                "4.5",
                f"类型既不是网址，@context 也没有定义：{each}",
                f"a type is a URL or a term that the context defines: {each}",
            )


def _typed(said: Mapping[str, Any], place: str, terms: Terms, with_id: bool, section: str) -> None:
    _types(said, place, terms)
    _identifier(said, place, needed=section if with_id else "")
    if place.startswith("credentialStatus") and "BitstringStatusListEntry" in _listed(said["type"]):
        _status_entry(said, place)


def _status_entry(said: Mapping[str, Any], place: str) -> None:
    """Bitstring Status List 1.0, section 2.1: purpose, index as digits, list as a URL."""
    section = "BitstringStatusList 2.1"
    if not isinstance(said.get("statusPurpose"), str) or not said["statusPurpose"]:
        raise Malformed(f"{place}.statusPurpose", section, "缺少状态用途", "the purpose is missing")
    index = said.get("statusListIndex")
    if not isinstance(index, str) or re.fullmatch(r"0|[1-9][0-9]{0,11}", index) is None:
        raise Malformed(
            f"{place}.statusListIndex", section, "序号必须是数字串", "the index is a string of digits"
        )
    listed = said.get("statusListCredential")
    if not json_ld.is_url(listed):
        raise Malformed(f"{place}.statusListCredential", section, "必须是网址（URL）", "it must be a URL")
    if said.get("id") == listed:
        raise Malformed(f"{place}.id", section, "不得是状态列表的网址", "it must not be the URL of the list")


def _issuer(body: Mapping[str, Any]) -> None:
    """Section 4.7: a URL, or an object with one as its ``id``."""
    issuer = body.get("issuer")
    if isinstance(issuer, dict):
        if not json_ld.is_url(issuer.get("id")):
            raise Malformed("issuer.id", "4.7", "签发者的 id 必须是网址（URL）", "the issuer's id is a URL")
        _texts(issuer, "issuer")
    elif not json_ld.is_url(issuer):
        raise Malformed(
            "issuer", "4.7", "缺少签发者，或签发者不是网址（URL）", "the issuer is missing or no URL"
        )


def _texts(said: Mapping[str, Any], place: str) -> None:
    """Section 4.6: name and description are strings or language value objects, one or several."""
    for name in ("name", "description"):
        for each in _listed(said[name]) if name in said else []:
            if not isinstance(each, str):
                _language_value(each, f"{place}.{name}".lstrip("."))


def _language_value(said: Any, place: str) -> None:
    """Section 11.1: ``@value``, perhaps ``@language`` and ``@direction``, and nothing else."""
    good = (
        isinstance(said, dict)
        and isinstance(said.get("@value"), str)
        and said.keys() <= {"@value", "@language", "@direction"}
        and ("@language" not in said or _LANGUAGE.fullmatch(str(said["@language"])) is not None)
        and said.get("@direction", "ltr") in ("ltr", "rtl")
    )
    if not good:
        raise Malformed(
            place,
            "11.1",
            "必须是文字，或只含 @value、@language、@direction 的对象",
            "a text, or an object of @value, @language and @direction alone",
        )


def _subjects(body: Mapping[str, Any], terms: Terms) -> None:
    """Section 4.8: one subject or more, each with a claim; what lies inside keeps to 4.4 and 4.5."""
    if "credentialSubject" not in body:
        raise Malformed("credentialSubject", "4.8", "缺少凭证主体", "the subject is missing")
    for place, subject in _objects(body, "credentialSubject", "4.8"):
        if not subject:
            raise Malformed(place, "4.8", "凭证主体没有任何内容", "a subject without a claim")
        # No recursion: a hostile document may be nested as deeply as JSON allows.
        waiting: list[tuple[str, Any]] = [(place, subject)]
        while waiting:
            where, value = waiting.pop()
            if isinstance(value, list):
                waiting.extend((f"{where}[{number}]"[-LONGEST:], each) for number, each in enumerate(value))
            elif isinstance(value, dict):
                _identifier(value, where)
                if "type" in value and "@context" not in value:
                    _types(value, where, terms)
                waiting.extend(
                    (f"{where}.{name}"[-LONGEST:], each) for name, each in value.items() if name != "type"
                )


def _validity(body: Mapping[str, Any]) -> None:
    """Section 4.9: instants with a zone; the end not before the beginning."""
    found = {name: read_timestamp(body[name], name) for name in ("validFrom", "validUntil") if name in body}
    if len(found) == 2 and found["validUntil"] < found["validFrom"]:
        raise Malformed("validUntil", "4.9", "有效期的止日早于起日", "it ends before it begins")


def _related(body: Mapping[str, Any]) -> None:
    """Section 5.3: each resource once, by its URL, with a digest; a digest of a resource known here must be right."""
    seen: set[str] = set()
    for place, each in _objects(body, "relatedResource", "5.3"):
        _identifier(each, place, needed="5.3")
        if each["id"] in seen:
            raise Malformed(f"{place}.id", "5.3", "同一资源写了两次", "the same resource twice")
        seen.add(each["id"])
        digests = [each[name] for name in ("digestSRI", "digestMultibase") if name in each]
        if not digests or not all(isinstance(one, str) for digest in digests for one in _listed(digest)):
            raise Malformed(
                place,
                "5.3",
                "缺少摘要（digestSRI 或 digestMultibase）",
                "neither digestSRI nor digestMultibase",
            )
        for one in (one for digest in digests for one in _listed(digest)):
            if each["id"] in _DIGESTS and not json_ld.digest_holds(one, _DIGESTS[each["id"]]):
                raise Malformed(place, "5.3", "摘要与该资源不符", "the digest is not that of the resource")
