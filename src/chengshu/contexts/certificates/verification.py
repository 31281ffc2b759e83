"""Verifies a PDF, a credential or a QR text against a trust list: by whom, for what, in force or why not. Pure and offline."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chengshu.contexts.certificates import credentials, data_model, domain, json_ld, qr, selective
from chengshu.contexts.certificates.domain import WORDS_OF_STATE, Verdict
from chengshu.contexts.certificates.signatures import checking
from chengshu.contexts.certificates.signatures import domain as signatures
from chengshu.contexts.certificates.trust import Status, TrustList
from chengshu.kernel.terms import LEGAL_ZONE

MAX_BYTES, MAX_ENVELOPE = 20_000_000, 1_000_000
# pyHanko writes a stack trace for each file that does not hold; our verdict says it in words.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
_REFUSALS = {
    "unknown-key": ("签发者不在信任名单内", "The issuer is not on the trust list"),
    "key-not-in-use": ("签署时这把密钥不在有效期内或已被停用", "The key was not in use when this was signed"),
    "wrong-issuer": ("密钥不属于所写的签发者", "The key does not belong to the issuer that is named"),
    "out-of-scope": (
        "不认可该地区签发的这类证照",
        "This type of certificate of that region is not recognised here",
    ),
    "region-over": ("对该地区证照的互认已到期", "The recognition of that region has ended"),
    "region-not-yet": ("对该地区证照的互认尚未开始", "The recognition of that region has not begun"),
    "region-withdrawn": ("已停止认可该地区的证照", "The recognition of that region was withdrawn"),
    "binding-missing": ("没有持有人密钥的签名", "The holder's key has not signed it"),
    "binding-without-key": ("凭证没有写明持有人的密钥", "The credential names no key of the holder"),
    "binding-broken": ("持有人的签名不成立", "The holder's signature does not hold"),
    "binding-other-text": ("持有人签的是另一份内容", "The holder has signed another text"),
    "binding-too-early": ("出示时间在将来", "It is said to be shown in the future"),
    "binding-over": ("出示的期限已过", "The time for which it was shown is over"),
    "wrong-list": (
        "状态列表与凭证所写的不是同一份",
        "The status list is not the one that the credential names",
    ),
    "no-certificate": (
        "签名有效，但这不是一份证照",
        "The signature holds, but what it says is no certificate",
    ),
    "list-malformed": (
        "状态列表不合 W3C 数据模型",
        "The status list does not conform to the W3C's data model",
    ),
    "other-type": ("这不是 vc+jwt 格式的凭证", "It is not of the type vc+jwt"),
    "signature-over": ("签名的有效期已过或尚未开始", "The term of the signature is over or has not begun"),
    "other-audience": ("这份出示是给别人的", "It was shown to someone else"),
    "other-nonce": ("这份出示不是回应你的请求", "It does not answer your request"),
}
# Whatever a trusted but careless or hostile issuer has written, the answer is a verdict: numbers without end, values of other
# kinds than the standard's, nesting without end.
_ILL_MADE = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, OSError, RecursionError,
)  # fmt: skip
_BROKEN = ("内容被改动过，或不是本系统签发的", "The content was changed, or nobody known has signed it")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a verifier asked for: a presentation to somebody else, or of another time, is refused."""

    audience: str = ""
    nonce: str = ""


def verify(content: bytes, trust: TrustList, now: dt.datetime, expected: Expected | None = None) -> Verdict:
    """Verify what a person has: a PDF file, a credential (JWT, SD-JWT with or without a holder's key) or a QR text."""
    if len(content) > MAX_BYTES:
        return Verdict("unknown").refuse("文件超过 20 MB", "The file is larger than 20 MB")
    if content.lstrip()[:5] == b"%PDF-":
        return verify_pdf(content, trust, now)
    try:
        text = content.decode("utf-8").strip()
        if text.startswith("{") and len(text) < MAX_ENVELOPE:
            # As other systems hand it over: JSON around the signed text.
            text = _enveloped(json.loads(text))
        if "~" in text:
            return verify_sd_jwt(text, trust, now, expected or Expected())
        signed = qr.signed_part(text)
        typ = credentials.header_of(signed).get("typ")
    except data_model.Malformed as error:
        return Verdict("credential").refuse(error.zh, error.en)
    except (ValueError, RecursionError):
        return Verdict("unknown").refuse(
            "这不是 PDF、凭证或二维码文字", "This is neither a PDF nor a credential nor the text of a QR code"
        )
    if typ == qr.TYPE:
        return verify_qr(signed, trust, now)
    return verify_credential(signed, trust, now)


def verify_credential(text: str, trust: TrustList, now: dt.datetime) -> Verdict:
    """Verify a credential and how it stands."""
    verdict = Verdict("credential")
    try:
        body = open_conforming(text, trust, now)
    except data_model.Malformed as error:
        return verdict.refuse(error.zh, error.en)
    except _ILL_MADE as error:
        return verdict.refuse(*_REFUSALS.get(str(error), _BROKEN))
    try:
        _within(trust, text, _own_type(body), now)
        _describe(verdict, body, trust, trust.issuer_of(text))
        verdict.region = _region(trust, text)
        list_id, index = _place(body)
        _judge(verdict, body, list_id, index, trust, now)
    except ValueError as error:
        return verdict.refuse(*_REFUSALS.get(str(error), _BROKEN))
    except _ILL_MADE:
        # It conforms, but it says something else: a status list, a credential of another system.
        return verdict.refuse(*_REFUSALS["no-certificate"])
    return verdict


def open_conforming(
    text: str, trust: TrustList, now: dt.datetime, known: Mapping[str, json_ld.Terms] = json_ld.KNOWN
) -> dict[str, Any]:
    """Return what a ``vc+jwt`` of anybody on the trust list says (VC Data Model 2.0, section 7.1).

    Raises ``ValueError`` unless a trusted key signed it, and ``Malformed`` where it does not conform to the data model.
    """
    # RFC 7515, 4.1.9: "application/" may be left out.
    if str(credentials.header_of(text).get("typ")).removeprefix("application/") != credentials.TYPE:
        raise ValueError("other-type")
    body = trust.open_credential(text)
    data_model.check(body, known)
    # The signature's own term (RFC 7519, 4.1.4 and 4.1.5), where a foreign issuer has set one.
    begins, ends = _date(body, "nbf", -math.inf), _date(body, "exp", math.inf)
    if not begins <= now.timestamp() < ends:
        raise ValueError("signature-over")
    return body


def _date(body: Mapping[str, Any], name: str, otherwise: float) -> float:
    """Return a NumericDate (RFC 7519, section 2); a text or no number at all is none."""
    said = body.get(name, otherwise)
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise ValueError(f"{name} is no number")
    return float(said)


def _enveloped(said: Mapping[str, Any]) -> str:
    if data_model.ENVELOPE not in str(said.get("type")):
        raise ValueError("some other JSON")
    return data_model.envelope_text(said)


def _own_type(body: Mapping[str, Any]) -> str:
    """Return the type beside ``VerifiableCredential``; their order means nothing (section 4.5)."""
    own = [each for each in body["type"] if each != "VerifiableCredential"]
    return str(own[0]) if isinstance(body["type"], list) and own else ""


def _place(body: Mapping[str, Any]) -> tuple[str, int]:
    """Return the status list, without its purpose, and the place in it: the same for each purpose."""
    entries = body["credentialStatus"]
    places = {
        (
            str(each["statusListCredential"]).removesuffix(f"/{each['statusPurpose']}"),
            int(each["statusListIndex"]),
        )
        for each in (entries if isinstance(entries, list) else [entries])
        if each["statusPurpose"] in credentials.PURPOSES
    }
    if len(places) != 1:
        raise ValueError("wrong-list")
    return places.pop()


def verify_qr(text: str, trust: TrustList, now: dt.datetime) -> Verdict:
    """Verify the signed text of a QR code; it says less than the credential: the holder is masked."""
    verdict = Verdict("qr")
    try:
        body = trust.open_credential(text)
        issuer = trust.issuer_of(text)
        _within(trust, text, str(body.get("ty") or str(body["n"]).partition("-")[0]), now)
        verdict.type, verdict.region = str(body.get("ty", "")), _region(trust, text)
        verdict.genuine, verdict.issuer, verdict.issuer_name = True, issuer, dict(trust.names[issuer])
        verdict.number, verdict.title = str(body["n"]), str(body["tt"])
        verdict.holder, verdict.demo = str(body["h"]), body.get("d") == 1
        verdict.valid_from, verdict.valid_to = str(body["f"]), str(body.get("u", ""))
        span = {
            "validFrom": credentials.start_of(dt.date.fromisoformat(body["f"])),
            **({"validUntil": credentials.end_of(dt.date.fromisoformat(body["u"]))} if body.get("u") else {}),
        }
        number, _, index = str(body["s"]).partition(".")
        _judge(verdict, span, trust.list_url(issuer, number), int(index), trust, now)
    except _ILL_MADE as error:
        return verdict.refuse(*_REFUSALS.get(str(error), _BROKEN))
    return verdict


def verify_sd_jwt(text: str, trust: TrustList, now: dt.datetime, expected: Expected) -> Verdict:
    """Verify an SD-JWT VC: the issuer's signature, each disclosure, the holder's key, how it stands."""
    verdict = Verdict("sd-jwt")
    try:
        parts = selective.split(text)
        if credentials.header_of(parts.jwt).get("typ") != selective.TYPE:
            raise ValueError("not an SD-JWT VC")
        body = trust.open_credential(parts.jwt)
        _within(trust, parts.jwt, str(body["vct"]), now)
        said = selective.open_claims(body, parts.disclosures)
        _bind(verdict, parts, body, now, expected)
        issuer = trust.issuer_of(parts.jwt)
        verdict.genuine, verdict.issuer, verdict.issuer_name = True, issuer, dict(trust.names[issuer])
        verdict.type, verdict.title = str(body["vct"]).rpartition("/")[2], str(body.get("title", ""))
        verdict.region, verdict.demo = _region(trust, parts.jwt), body.get("demo") is True
        verdict.number, verdict.holder = str(said.pop("number", "")), str(said.pop("holder", ""))
        verdict.claims = {name: value for name, value in said.items() if name not in _FRAME}
        span, place = _span(body), body["status"]["status_list"]
        verdict.valid_from, verdict.valid_to = _day(span["validFrom"]), _day(span.get("validUntil", ""))
        status = trust.token_status(issuer, str(place["uri"]), int(place["idx"]), now)
        _judge_by(verdict, span, status, now)
    except _ILL_MADE as error:
        return verdict.refuse(*_REFUSALS.get(str(error), _BROKEN))
    return verdict


# What an SD-JWT VC says of itself; the rest are claims.
_FRAME = frozenset({"iss", "iat", "nbf", "exp", "vct", "title", "status", "cnf", "demo"})


def _bind(
    verdict: Verdict, parts: selective.Parts, body: dict[str, Any], now: dt.datetime, expected: Expected
) -> None:
    """Judge the holder's own signature: to whom it was shown, until when, in answer to which request."""
    if not parts.binding:
        if expected.audience or expected.nonce:
            raise ValueError("binding-missing")
        verdict.bound = False
        verdict.note(
            "没有持有人密钥的签名：拿着它的人不一定是持有人",
            "Not signed by the holder's key: whoever brings it need not be the holder",
        )
        return
    shown = selective.open_binding(parts, body, now)
    verdict.kind, verdict.bound, verdict.shown_to = "presentation", True, str(shown.get("aud", ""))
    if "exp" in shown:
        until = dt.datetime.fromtimestamp(int(shown["exp"]), LEGAL_ZONE)
        verdict.shown_until = until.strftime("%Y-%m-%d %H:%M")
    if expected.audience and verdict.shown_to != expected.audience:
        raise ValueError("other-audience")
    if expected.nonce and str(shown.get("nonce", "")) != expected.nonce:
        raise ValueError("other-nonce")


def _span(body: dict[str, Any]) -> dict[str, str]:
    """Return the validity of an SD-JWT VC in the words of the W3C's."""
    span = {"validFrom": dt.datetime.fromtimestamp(int(body["nbf"]), LEGAL_ZONE).isoformat()}
    if "exp" in body:
        span["validUntil"] = dt.datetime.fromtimestamp(int(body["exp"]), LEGAL_ZONE).isoformat()
    return span


def _day(instant: str) -> str:
    return instant[:10]


def _within(trust: TrustList, text: str, said: str, now: dt.datetime) -> None:
    """Refuse what its region may not issue here, or no longer."""
    kid = str(credentials.header_of(text)["kid"])
    refusal = trust.refusal(kid, trust.codes(kid, said), now)
    if refusal:
        raise ValueError(refusal)


def _region(trust: TrustList, text: str) -> dict[str, str]:
    recognition = trust.keys[str(credentials.header_of(text)["kid"])].recognition
    return dict(recognition.name) if recognition else {}


def _describe(verdict: Verdict, body: dict[str, Any], trust: TrustList, issuer: str) -> None:
    subject = body["credentialSubject"]
    verdict.genuine, verdict.issuer, verdict.issuer_name = True, issuer, dict(trust.names[issuer])
    verdict.type, verdict.number, verdict.holder = _own_type(body), subject["number"], subject["name"]
    verdict.title = next((word["@value"] for word in body["name"] if word["@language"] == "zh"), "")
    verdict.claims, verdict.demo = dict(subject["claims"]), body.get("demo") is True
    verdict.valid_from, verdict.valid_to = body["validFrom"][:10], str(body.get("validUntil", ""))[:10]


def _judge(
    verdict: Verdict, span: dict[str, Any], list_id: str, index: int, trust: TrustList, now: dt.datetime
) -> None:
    """Set whether it is in force, by its validity and by the W3C status lists at hand."""
    _judge_by(verdict, span, trust.status(verdict.issuer, list_id, index, now), now)


def _judge_by(verdict: Verdict, span: dict[str, Any], status: Status | None, now: dt.datetime) -> None:
    """Set whether it is in force, by its validity and by how it stood."""
    if verdict.demo:
        verdict.note("演示数据，不具法律效力", "Demonstration data, of no legal effect")
    if now < credentials.read_instant(span["validFrom"]):
        _not_in_force(verdict, "pending")
    elif span.get("validUntil") and now > credentials.read_instant(span["validUntil"]):
        _not_in_force(verdict, "expired")
    elif status is not None and status.revoked:
        _not_in_force(verdict, "revoked", "已撤销，或已被新版替换", "revoked, or replaced by a newer issue")
    elif status is not None and status.suspended:
        _not_in_force(verdict, "suspended")
    elif status is None:
        verdict.state, verdict.in_force = "unknown", None
        verdict.reasons.append(
            {
                "zh": "手头没有状态列表，不知道是否已被撤销或暂停",
                "en": "No status list is at hand: it may be revoked",
            }
        )
    else:
        verdict.state, verdict.in_force = "active", True
    if status is not None:
        day = status.as_of.astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m-%d %H:%M")
        verdict.note(f"状态列表的时间：{day}", f"Status list as of {day} (China)")
        if not status.fresh:
            verdict.note(
                "状态列表已过其有效时间：请取得新的信任名单",
                "The status list is out of date: get a newer trust list",
            )


def _not_in_force(verdict: Verdict, state: str, zh: str = "", en: str = "") -> None:
    words = WORDS_OF_STATE[state]
    verdict.state, verdict.in_force = state, False
    verdict.reasons.append({"zh": zh or words["zh"], "en": en or words["en"]})


def verify_pdf(content: bytes, trust: TrustList, now: dt.datetime) -> Verdict:
    """Verify the seal of a PDF, that nothing was changed or added after it, and the credential inside."""
    verdict = Verdict("pdf")
    try:
        found = _read_pdf(content, trust, now)
    except Exception as error:
        # A hostile file may break the reader in any way; whatever it does, it is not genuine.
        return verdict.refuse("无法读取这个 PDF", f"The PDF cannot be read: {type(error).__name__}")
    refusal, issuer, title, credential = found
    if refusal is _OTHERS:
        return _verify_signatures(content, trust, now)
    if refusal:
        return verdict.refuse(*refusal)
    foreign = next((key.recognition for key in trust.keys.values() if key.issuer == issuer), None)
    if foreign and not credential:
        # Documents have no type: another region is recognised for types of certificates.
        return verdict.refuse(*_REFUSALS["out-of-scope"])
    if credential:
        inner = verify_credential(credential, trust, now)
        inner.kind = "pdf"
        if inner.genuine and inner.issuer != issuer:
            return inner.refuse("印章与凭证的签发者不是同一个", "Seal and credential have different issuers")
        return inner
    verdict.genuine, verdict.in_force, verdict.state = True, True, "active"
    verdict.issuer, verdict.issuer_name, verdict.title = issuer, dict(trust.names[issuer]), title
    verdict.note(
        "文书没有期限和状态，只核验印章与内容", "A document has no term: its seal and content were verified"
    )
    return verdict


def verify_detached(content: bytes, signature: bytes, trust: TrustList, now: dt.datetime) -> Verdict:
    """Verify a file of any kind by the signature that lies beside it (CMS)."""
    try:
        found = checking.check_detached(content, signature, trust.signers, now)
    except Exception as error:
        return Verdict("signed").refuse(
            "无法读取这个签名", f"The signature cannot be read: {type(error).__name__}"
        )
    return _signed(found)


def _verify_signatures(content: bytes, trust: TrustList, now: dt.datetime) -> Verdict:
    """Verify a PDF that others than the departments here have signed."""
    try:
        found = checking.check_pdf(content, trust.signers, now)
    except Exception as error:
        return Verdict("signed").refuse("无法读取这个 PDF", f"The PDF cannot be read: {type(error).__name__}")
    return _signed(found)


def _signed(found: list[signatures.SignatureFound]) -> Verdict:
    """Return the verdict on a signed file: as good as its weakest signature."""
    verdict, outcome = Verdict("signed"), signatures.outcome_of(found)
    verdict.genuine, verdict.in_force = outcome != signatures.REFUSED, _COUNTS[outcome]
    verdict.state = "active" if verdict.in_force else "unknown"
    verdict.signatures = [asdict(each) for each in found]
    verdict.demo = any(each.demo for each in found)
    verdict.reasons = [reason for each in found for reason in each.reasons]
    for each in found:
        verdict.notes += [note for note in each.notes if note not in verdict.notes]
    return verdict


_COUNTS = {signatures.RECOGNISED: True, signatures.DOUBTFUL: None, signatures.REFUSED: False}
# The last signature is not by a seal of the departments that are known: by a person or a firm, perhaps.
_OTHERS = ("", "")
_Found = tuple[tuple[str, str] | None, str, str, str]


def _read_pdf(content: bytes, trust: TrustList, now: dt.datetime) -> _Found:
    """Return (why refused, issuer, title, credential inside)."""
    from cryptography import x509
    from pyhanko.pdf_utils.reader import PdfFileReader

    from chengshu.contexts.certificates import authority

    reader = PdfFileReader(io.BytesIO(content))
    signatures = reader.embedded_regular_signatures
    if not signatures:
        return ("文件没有电子印章", "The file bears no seal"), "", "", ""
    signature = signatures[-1]
    certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
    key = trust.seal_key(authority.certificate_pem(certificate))
    if key is None:
        return _OTHERS, "", "", ""
    status = _validated(signature, trust, now)
    if not (status.intact and status.valid):
        return ("内容在盖章后被改动", "The content was changed after it was sealed"), "", "", ""
    if not _whole(status):
        return ("盖章后有内容被追加", "Something was added after it was sealed"), "", "", ""
    if not status.trusted:
        return ("印章证书不被信任", "The seal's certificate is not trusted"), "", "", ""
    signed_at = status.signer_reported_dt
    if signed_at is None or not key.signed_in_time(signed_at):
        return _REFUSALS["key-not-in-use"], "", "", ""
    info = _direct(reader.trailer_view.get("/Info")) or {}
    return None, key.issuer, str(info.get("/Title", "")), _attachment(reader)


def _validated(signature: Any, trust: TrustList, now: dt.datetime) -> Any:
    from asn1crypto import pem
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    roots = [asn1_x509.Certificate.load(pem.unarmor(text.encode("ascii"))[2]) for text in trust.authorities()]
    # The chain is judged at the time of signing: a seal that was good then stays good when its certificate has ended.
    at = signature.self_reported_timestamp or now
    context = ValidationContext(
        trust_roots=roots, allow_fetching=False, revocation_mode="soft-fail", moment=at
    )
    return validate_pdf_signature(signature, signer_validation_context=context)


def _whole(status: Any) -> bool:
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    return bool(status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


def _attachment(reader: Any) -> str:
    """Return the credential inside, or an empty text."""
    found = reader.root
    for key in ("/Names", "/EmbeddedFiles", "/Names"):
        found = _direct(found.get(key))
        if found is None:
            return ""
    for place in range(0, len(found) - 1, 2):
        if str(_direct(found[place])) == domain.ATTACHMENT:
            files = _direct(_direct(found[place + 1])["/EF"])
            return bytes(_direct(files["/F"]).data).decode("ascii").strip()
    return ""


def _direct(value: Any) -> Any:
    """Return what a reference of the file points to."""
    return value.get_object() if hasattr(value, "get_object") else value
