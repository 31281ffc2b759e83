"""Verifies the signatures of a PDF, or of a file signed beside itself, against the recognised authorities. Pure and offline.

The time of signing is what the signer says: a time stamp of a third party is not read. When the file came in is known better,
and what hangs on the difference is said: such a signature is in doubt, and a person decides.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from chengshu.contexts.certificates.signatures import chains
from chengshu.contexts.certificates.signatures.domain import (
    IN_FORCE,
    PERSON,
    STATES,
    Authority,
    Believed,
    SignatureFound,
)
from chengshu.kernel import masking
from chengshu.kernel.terms import LEGAL_ZONE

MOST_SIGNATURES = 20
# A signer's clock may be ahead of ours.
SLACK = dt.timedelta(minutes=10)
DAY = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class _Seen:
    """One signature as it was read: by which certificate, said to be made when, in the file at the latest when."""

    certificate: x509.Certificate
    said_at: dt.datetime | None
    there_at: dt.datetime

    @property
    def at(self) -> dt.datetime:
        """Return the instant that the signature is judged at."""
        return self.said_at or self.there_at


def check_pdf(
    content: bytes, believed: Believed, now: dt.datetime, received_at: dt.datetime | None = None
) -> list[SignatureFound]:
    """Return what each signature of a PDF is worth, in the order in which they were made; raises where it cannot be read."""
    return [each.found for each in judge_pdf(content, believed, now, received_at)]


def judge_pdf(
    content: bytes, believed: Believed, now: dt.datetime, received_at: dt.datetime | None = None
) -> list[Judged]:
    """Return, with each signature of a PDF, by which certificate it was made."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    signatures = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures
    if len(signatures) > MOST_SIGNATURES:
        raise ValueError("too many signatures")
    there_at = received_at or now
    found: list[Judged] = []
    for place, signature in enumerate(signatures):
        said_at = _instant(signature.self_reported_timestamp)
        seen = _Seen(_certificate(signature.signer_cert), said_at, there_at)

        def judge(context: Any, signature: Any = signature) -> Any:
            from pyhanko.sign.validation import validate_pdf_signature

            return validate_pdf_signature(signature, signer_validation_context=context)

        each = _judged(seen, believed, judge)
        found.append(each)
        if each.status is not None:
            _coverage(each.found, each.status, last=place == len(signatures) - 1)
    return found


def check_detached(
    content: bytes,
    signature: bytes,
    believed: Believed,
    now: dt.datetime,
    received_at: dt.datetime | None = None,
) -> list[SignatureFound]:
    """Return what the signature of a file is worth that lies beside it: CMS, in DER or PEM."""
    from asn1crypto import cms, pem
    from pyhanko.sign.general import extract_certificate_info, extract_signer_info
    from pyhanko.sign.validation import async_validate_detached_cms
    from pyhanko.sign.validation.generic_cms import extract_self_reported_ts

    der = pem.unarmor(signature)[2] if pem.detect(signature) else signature
    signed = cms.ContentInfo.load(der)["content"]
    signer = _certificate(extract_certificate_info(signed).signer_cert)
    seen = _Seen(signer, _instant(extract_self_reported_ts(extract_signer_info(signed))), received_at or now)

    def judge(context: Any) -> Any:
        return asyncio.run(async_validate_detached_cms(content, signed, signer_validation_context=context))

    return [_judged(seen, believed, judge).found]


@dataclass(frozen=True, slots=True)
class Judged:
    """A signature, by which certificate it was made, and what pyHanko says of it where it was asked."""

    found: SignatureFound
    certificate: x509.Certificate
    status: Any = None


def _judged(seen: _Seen, believed: Believed, judge: Any) -> Judged:
    found, status = _found(seen, believed, judge)
    return Judged(found, seen.certificate, status)


def _found(seen: _Seen, believed: Believed, judge: Any) -> tuple[SignatureFound, Any]:
    found = SignatureFound(
        signed_at=seen.said_at.astimezone(LEGAL_ZONE).strftime(DAY) if seen.said_at else ""
    )
    _name(found, seen.certificate, holder="")
    if chains.is_sm2(seen.certificate):
        return found.refuse(
            "签名用的是国密算法 SM2，本系统还不能核验 PDF 中的 SM2 签名",
            "Signed by SM2, which is not read in PDF here",
        ), None
    issued = chains.issuer_of(seen.certificate, believed)
    if issued is None:
        issuer = seen.certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(issuer[0].value) if issuer else seen.certificate.issuer.rfc4514_string()[:120]
        found.authority_name = {"zh": name, "en": name}
        return found.refuse(
            f"签发证书的机构不在信任名单内：{name}",
            f"The authority is not on the list of recognised ones: {name}",
        ), None
    authority, issuer_certificate = issued
    found.authority, found.authority_name = authority.code, dict(authority.name)
    found.jurisdiction, found.ground, found.demo = authority.jurisdiction, authority.ground, authority.demo
    line = chains.line_up(issuer_certificate, chains.load(authority))
    status = judge(_context(line, authority, seen.at))
    if not (status.intact and status.valid):
        return found.refuse(
            "内容在签名后被改动，或签名不成立",
            "The content was changed after signing, or the signature does not hold",
        ), None
    _authority_stood(found, authority, seen)
    _in_time(found, seen)
    _of_class(found, authority, seen.certificate)
    _not_revoked(found, line, seen, believed)
    if not status.trusted and not found.reasons:
        why = getattr(status.trust_problem_indic, "name", "") or "chain"
        found.refuse(f"证书链不成立：{why}", f"The chain of certificates does not hold: {why}")
    if seen.said_at is None:
        found.note(
            "文件没有写明签名时间，按收到时核验", "No time of signing is named: judged as of when it came in"
        )
    else:
        found.note("签名时间以签名人自述为准", "The time of signing is what the signer says")
    if authority.demo:
        found.note(
            "演示用生成的认证机构，不具法律效力",
            "An authority generated for the demonstration, of no legal effect",
        )
    return found, status


def _instant(said: dt.datetime | None) -> dt.datetime | None:
    """Return an instant; the entry of a PDF may leave its zone out, then it is taken as China's."""
    return said.replace(tzinfo=LEGAL_ZONE) if said is not None and said.tzinfo is None else said


def _certificate(read: Any) -> x509.Certificate:
    return x509.load_der_x509_certificate(read.dump())


def _context(line: Sequence[x509.Certificate], authority: Authority, at: dt.datetime) -> Any:
    """Return pyHanko's context: the end of the line is believed, all is judged at the time of signing, nothing is fetched."""
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko_certvalidator import ValidationContext

    read = [asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in line]
    return ValidationContext(
        trust_roots=read[-1:],
        other_certs=read[:-1],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=at,
    )


def _name(found: SignatureFound, certificate: x509.Certificate, holder: str) -> None:
    """Say who has signed: a person masked, an organisation whole; of whom we do not know which it is, as a person."""
    name = chains.name_in(certificate, NameOID.COMMON_NAME)
    organisation = chains.name_in(certificate, NameOID.ORGANIZATION_NAME)
    found.holder = holder
    if holder and holder != PERSON:
        found.organisation = organisation or name
        # Whoever holds the firm's certificate is a person all the same.
        found.signer = masking.mask_name(name) if name and name != found.organisation else ""
    else:
        found.organisation, found.signer = "", masking.mask_name(name)


def _coverage(found: SignatureFound, status: Any, *, last: bool) -> None:
    """Refuse what was added after the signature; a later signature, a filled form or proofs for later are said."""
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return
    level = status.modification_level
    allowed = ModificationLevel.LTA_UPDATES if last else ModificationLevel.FORM_FILLING
    if (
        status.coverage != SignatureCoverageLevel.ENTIRE_REVISION
        or level is None
        or level > allowed
        or not status.docmdp_ok
    ):
        found.refuse(
            "签名没有覆盖整份文件：签名后有内容被追加或改动",
            "It does not cover the whole file: something was added or changed after it",
        )
    elif not last:
        found.note("此后又加了签名或填了表单", "Signatures or answers in the form were added after it")


def _authority_stood(found: SignatureFound, authority: Authority, seen: _Seen) -> None:
    then, later = authority.standing(seen.at), authority.standing(seen.there_at)
    if then != IN_FORCE:
        words, since = STATES[then], _since(authority, seen.at)
        found.refuse(
            f"签名时对该机构的认可{words['zh']}{since}",
            f"Recognition of the authority was {words['en']} at the time of signing{since}",
        )
    elif later != IN_FORCE:
        words, since = STATES[later], _since(authority, seen.there_at)
        found.doubt(
            f"收到时对该机构的认可{words['zh']}{since}，而签名在此之前只是签名人自述",
            f"Recognition of the authority was {words['en']} when it came in{since}; only the signer says that it is older",
        )


def _since(authority: Authority, at: dt.datetime) -> str:
    last = max((each for each in authority.changes if each.at <= at), key=lambda each: each.at, default=None)
    if last is None or last.state == IN_FORCE:
        return ""
    return f" ({last.at.astimezone(LEGAL_ZONE).strftime(DAY)})"


def _in_time(found: SignatureFound, seen: _Seen) -> None:
    begins, ends = seen.certificate.not_valid_before_utc, seen.certificate.not_valid_after_utc
    if seen.at > seen.there_at + SLACK:
        found.refuse("所写的签名时间在将来", "The time of signing lies in the future")
    elif seen.at > ends:
        found.refuse(
            f"签名时证书已过期（{_day(ends)}）",
            f"The certificate had expired at the time of signing ({_day(ends)})",
        )
    elif seen.at < begins - SLACK:
        found.refuse(
            f"签名时证书尚未生效（{_day(begins)}）",
            f"The certificate was not yet valid at the time of signing ({_day(begins)})",
        )
    elif seen.there_at > ends:
        found.doubt(
            f"收到时证书已过期（{_day(ends)}），而签名在此之前只是签名人自述",
            f"The certificate had expired when it came in ({_day(ends)}); that it was signed before, only the signer says",
        )


def _of_class(found: SignatureFound, authority: Authority, certificate: x509.Certificate) -> None:
    policies = chains.policies_of(certificate)
    if not chains.under(authority.policy, policies):
        shown = "、".join(policies) or "—"
        found.refuse(
            f"证书没有互认策略标识 {authority.policy}（只有 {shown}）",
            f"The certificate is not marked with the policy of mutual recognition {authority.policy} (only {shown})",
        )
        return
    holder = chains.class_of(certificate, authority.marks)
    if not holder:
        found.refuse(
            "证书不属于认可的个人或机构证书类别",
            "The certificate is of none of the classes that are recognised",
        )
        return
    _name(found, certificate, holder)


def _not_revoked(
    found: SignatureFound, line: Sequence[x509.Certificate], seen: _Seen, believed: Believed
) -> None:
    """Judge by the revocation lists that are held: of the signer, and of the authority's own certificates above."""
    for below, above in itertools.pairwise(line):
        ended = chains.Revocations(above, believed.lists_for(below, above)).revoked_at(below)
        if ended is not None and ended <= seen.there_at:
            found.refuse(
                f"认证机构自己的证书已被吊销（{_day(ended)}）",
                f"The authority's own certificate was revoked ({_day(ended)})",
            )
    known = chains.Revocations(line[0], believed.lists_for(seen.certificate, line[0]))
    covering, revoked = known.covering(seen.certificate), known.revoked_at(seen.certificate)
    if revoked is not None and revoked <= seen.at:
        found.refuse(
            f"签名时证书已被吊销（{_day(revoked)}）",
            f"The certificate was revoked at the time of signing ({_day(revoked)})",
        )
        return
    if revoked is not None and revoked <= seen.there_at:
        found.doubt(
            f"收到时证书已被吊销（{_day(revoked)}），而签名在此之前只是签名人自述",
            f"The certificate was revoked when it came in ({_day(revoked)}); that it was signed before, only the signer says",
        )
        return
    if not covering:
        found.doubt(
            "手头没有该机构的吊销列表，不知道证书是否已被吊销",
            "No revocation list of the authority is held: it may be revoked",
        )
        return
    # What has expired may be left out of later lists: those say nothing of it.
    speaking = [each for each in covering if each.last_update_utc <= seen.certificate.not_valid_after_utc]
    if not speaking:
        found.doubt(
            "手头的吊销列表都是证书到期以后的，到期前是否已被吊销不能确定",
            "The revocation lists held are all of after the certificate's end: it may have been revoked before",
        )
        return
    newest = speaking[-1]
    made, ends = newest.last_update_utc, newest.next_update_utc
    day = made.astimezone(LEGAL_ZONE).strftime(DAY)
    found.note(f"吊销列表的时间：{day}", f"Revocation list as of {day} (China)")
    if made < seen.at and (ends is None or ends < seen.there_at):
        found.doubt(
            f"吊销列表已过期（{_day(ends or made)}），签名时证书是否已被吊销不能确定：请载入新的吊销列表",
            f"The revocation list is out of date ({_day(ends or made)}): load a newer one to know whether it was revoked",
        )


def _day(at: dt.datetime) -> str:
    return at.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d")
