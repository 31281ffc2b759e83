"""The list of recognised signature authorities is kept: taken in, renewed, suspended, resumed, withdrawn; each on record.

Ground: 《电子签名法》 article 26 (certificates of authorities abroad count by agreement or reciprocity once approved),
《粤港两地电子签名证书互认办法》 (粤府〔2012〕82号) part 2 (recognition by a published trust list).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chengshu.contexts.certificates.domain import day_of, optional_day
from chengshu.contexts.certificates.signatures import chains, domain
from chengshu.contexts.certificates.signatures.models import (
    HeldRevocationList,
    SignatureAuthority,
    SignatureAuthorityChange,
)
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

KIND = "trust.signature-authority"
_NUMBER = re.compile(r"[0-2](\.\d+)+")
# What may be done in which state, and what the state is from then on.
ACTS = {
    "suspend": ({domain.IN_FORCE}, domain.SUSPENDED),
    "resume": ({domain.SUSPENDED}, domain.IN_FORCE),
    "withdraw": ({domain.IN_FORCE, domain.SUSPENDED}, domain.WITHDRAWN),
}
_HOW = {"suspended": domain.SUSPENDED, "resumed": domain.IN_FORCE, "withdrawn": domain.WITHDRAWN}
_PAST = {"suspend": "suspended", "resume": "resumed", "withdraw": "withdrawn"}
MAX_CRL = 30_000_000
# As many as their column holds.
MOST_POINTS = 20


@dataclass(frozen=True, slots=True)
class AuthorityLine:
    """An authority as lists show it."""

    code: str
    name: dict[str, str]
    jurisdiction: dict[str, str]
    state: str
    policy: str
    marks: tuple[domain.Mark, ...]
    valid_from: dt.date
    valid_to: dt.date | None
    ground: str
    demo: bool
    # The newest revocation list that is held: of when, good until when.
    list_made_at: dt.datetime | None
    list_until: dt.datetime | None
    stale: bool


def believed() -> domain.Believed:
    """Return the list as the verifier takes it; revocation lists are looked up when it has a certificate in hand."""
    return domain.Believed(_authorities(), lookups=(lists_for,))


def published() -> domain.Believed:
    """Return the list as an offline verifier takes it along: with the newest revocation list of each issuer and part.

    Of a certificate that was over before the newest list was made, that verifier says that it does not know.
    """
    same = HeldRevocationList.objects.filter(
        issuer=OuterRef("issuer"), only=OuterRef("only"), points=OuterRef("points")
    )
    newer = same.filter(
        Q(made_at__gt=OuterRef("made_at")) | Q(made_at=OuterRef("made_at"), pk__gt=OuterRef("pk"))
    )
    newest = HeldRevocationList.objects.filter(~Exists(newer))
    return domain.Believed(_authorities(), tuple(_contents(newest)))


def _authorities() -> tuple[domain.Authority, ...]:
    rows = SignatureAuthority.objects.prefetch_related("changes").order_by("code")
    return tuple(authority_of(row) for row in rows)


def lists_for(certificate: x509.Certificate, issuer: x509.Certificate) -> list[bytes]:
    """Return the lists that tell how a certificate stood and stands, oldest first; three at most, however many are held.

    A list names all that is revoked and not yet over, so the newest tells of a certificate that is not over. One that is may
    have been left out since, but not before the first list after its end (RFC 5280, 3.3): that one and the last before count.
    """
    points = [Q(points__contains=_short(each)) for each in chains.points_of(certificate)]
    held = HeldRevocationList.objects.filter(
        reduce(or_, points, Q(points="")),
        issuer=chains.digest_of_issuer(issuer) or "-",
        only__in=("", chains.kind_of(certificate)),
    )
    newest = held.order_by("-made_at", "-pk").values_list("pk", "made_at").first()
    if newest is None:
        return []
    wanted, over = [newest[0]], certificate.not_valid_after_utc
    if newest[1] > over:
        wanted += held.filter(made_at__lte=over).order_by("-made_at", "-pk").values_list("pk", flat=True)[:1]
        wanted += held.filter(made_at__gt=over).order_by("made_at", "pk").values_list("pk", flat=True)[:1]
    return _contents(HeldRevocationList.objects.filter(pk__in=wanted))


def _contents(rows: QuerySet[HeldRevocationList]) -> list[bytes]:
    found = rows.order_by("made_at", "pk").values_list("content", flat=True)
    return [base64.b64decode(each) for each in found]


def _short(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def authority_of(row: SignatureAuthority) -> domain.Authority:
    """Return a row of the list as the verifier takes it."""
    changes = tuple(
        domain.Change(_HOW[each.how], each.at, each.ground) for each in row.changes.all() if each.how in _HOW
    )
    return domain.Authority(
        row.code, {"zh": row.name_zh, "en": row.name_en}, row.jurisdiction, tuple(split(row.certificates)), row.policy,
        tuple(domain.Mark(**each) for each in json.loads(row.marks)), row.valid_from, row.valid_to, row.ground,
        changes, row.demo,
    )  # fmt: skip


def recognise(said: domain.Authority, *, fingerprint: str, by: str, now: dt.datetime) -> SignatureAuthority:
    """Put an authority on the list; ``fingerprint`` (SHA-256 of one of its certificates) was compared by another way."""
    _check(said)
    prints = {fingerprint_of(each) for each in said.certificates}
    if re.sub(r"[^0-9a-f]", "", fingerprint.lower()) not in prints:
        raise Problem(
            "authority-fingerprint",
            _("证书的指纹与核对的不一致"),
            detail="、".join(sorted(prints)),
            remedy=_("请用另一种方式（官方公布的信任列表、公函）再核对一次 SHA-256 指纹"),
            status=422,
        )
    with transaction.atomic():
        if SignatureAuthority.objects.filter(code=said.code).exists():
            raise Problem(
                "authority-known",
                _("名单上已有这个机构"),
                detail=said.code,
                remedy=_("更新证书或条款请用 chengshu certificate authority renew"),
                status=409,
            )
        row = SignatureAuthority(code=said.code, demo=said.demo)
        _fill(row, said, said.certificates)
        _note(row, "recognised", now, said.ground, by, now)
    return row


def renew(said: domain.Authority, *, by: str, now: dt.datetime) -> SignatureAuthority:
    """Put newer certificates and terms on the list; certificates that stand there stay: what they signed is still verified."""
    _check(said)
    with transaction.atomic():
        row = locked(said.code)
        held = split(row.certificates)
        more = [each for each in said.certificates if fingerprint_of(each) not in map(fingerprint_of, held)]
        _fill(row, said, [*held, *more])
        _note(row, "renewed", now, said.ground, by, now)
    return row


def terms(
    code: str, *, name: str, jurisdiction: str, certificates: Iterable[Path | str], policy: str, ground: str,
    now: dt.datetime, name_en: str = "", person: Iterable[str] = (), organisation: Iterable[str] = (),
    valid_from: dt.date | None = None, until: dt.date | None = None,
) -> domain.Authority:  # fmt: skip
    """Return the terms that an operator typed, as the list keeps them; certificates are PEM texts or files of them."""
    texts = (each.read_text("ascii", "replace") if isinstance(each, Path) else each for each in certificates)
    marks = [domain.Mark(domain.PERSON, each.strip()) for each in person]
    marks += [domain.Mark(domain.ORGANISATION, each.strip()) for each in organisation]
    return domain.Authority(
        code, {"zh": name, "en": name_en or name}, jurisdiction, tuple(pem for text in texts for pem in split(text)),
        policy.strip(), tuple(marks), day_of(valid_from or legal_day(now)), optional_day(until), ground,
    )  # fmt: skip


def change(
    code: str, act: str, *, ground: str, by: str, now: dt.datetime, since: dt.datetime | None = None
) -> SignatureAuthority:
    """Suspend, resume or withdraw an authority, from an instant on: what was signed before still counts."""
    allowed, _after = ACTS[act]
    at = since or now
    with transaction.atomic():
        row = locked(code)
        held = [each for each in row.changes.all() if each.how in _HOW]
        state = _HOW[max(held, key=lambda each: each.recorded_at).how] if held else domain.IN_FORCE
        if state not in allowed:
            raise Problem(
                "authority-state",
                _("这个机构现在不能这样变更"),
                detail=_in_words(domain.STATES[state]),
                status=409,
            )
        if not ground.strip():
            raise Problem("authority-ground", _("请写明变更的依据"), status=422)
        if at > now or any(each.at > at for each in held):
            raise Problem("authority-since", _("起算时间不能在将来，也不能早于上一次变更"), status=422)
        _note(row, _PAST[act], at, ground, by, now)
    return row


def load_revocations(content: bytes, *, by: str, now: dt.datetime, of: str = "") -> HeldRevocationList:
    """Take in a revocation list (DER or PEM) that one of the authorities on the list has signed; ``of``: this one."""
    if len(content) > MAX_CRL:
        raise Problem("revocations-large", _("吊销列表超过 30 MB"), status=422)
    try:
        pem = b"-----BEGIN X509 CRL" in content[:200]
        found = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
        _readable(found)
    except ValueError as error:
        raise Problem(
            "revocations-unread", _("这不是能用的证书吊销列表（CRL）"), detail=str(error)[:200], status=422
        ) from error
    der = found.public_bytes(serialization.Encoding.DER)
    row, issuer = _signed_by(der, found)
    if of and row.code != of:
        raise Problem("revocations-other", _("这份吊销列表是另一个机构的"), detail=row.code, status=422)
    digest, (only, points) = hashlib.sha256(der).hexdigest(), chains.scope_of(found)
    with transaction.atomic():
        kept, new = HeldRevocationList.objects.get_or_create(
            digest=digest,
            defaults={
                "authority": row, "issuer": chains.digest_of_issuer(issuer), "only": only,
                "points": " ".join(sorted(map(_short, points))), "content": base64.b64encode(der).decode("ascii"),
                "made_at": found.last_update_utc, "until": found.next_update_utc, "revoked": len(found), "loaded_at": now,
                "loaded_by": by[:80],
            },
        )  # fmt: skip
        if new:
            ledger.deposit(
                KIND,
                f"signature-authority:{row.code}",
                {"how": "revocations", "digest": digest, "by": by},
                now=now,
            )
    return kept


def lines(now: dt.datetime) -> list[AuthorityLine]:
    """Return the list by code."""
    last = (
        HeldRevocationList.objects.filter(authority=OuterRef("pk"))
        .order_by("-made_at", "-pk")
        .values("pk")[:1]
    )
    wanted = SignatureAuthority.objects.values_list(Subquery(last), flat=True)
    newest = {
        each.authority_id: each
        for each in HeldRevocationList.objects.defer("content").filter(pk__in=list(wanted))
    }
    return [
        _line(row, newest.get(row.pk), now)
        for row in SignatureAuthority.objects.prefetch_related("changes").order_by("jurisdiction", "code")
    ]


def _line(row: SignatureAuthority, held: HeldRevocationList | None, now: dt.datetime) -> AuthorityLine:
    one = authority_of(row)
    stale = held is None or (held.until is not None and held.until < now)
    return AuthorityLine(
        row.code, dict(one.name), dict(domain.JURISDICTIONS[row.jurisdiction]), one.standing(now), row.policy, one.marks,
        row.valid_from, row.valid_to, row.ground, row.demo, held.made_at if held else None,
        held.until if held else None, stale,
    )  # fmt: skip


def locked(code: str) -> SignatureAuthority:
    """Return an authority on the list, locked, or refuse."""
    row = SignatureAuthority.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise Problem("authority-unknown", _("名单上没有这个机构"), detail=code, status=404)
    return row


def split(text: str) -> list[str]:
    """Return the PEM certificates in a text, one each."""
    return [
        f"{each}\n"
        for each in re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", text, re.S)
    ]


def fingerprint_of(pem: str) -> str:
    """Return the SHA-256 fingerprint of a certificate, as authorities publish it."""
    return x509.load_pem_x509_certificate(pem.encode("ascii")).fingerprint(hashes.SHA256()).hex()


def _check(said: domain.Authority) -> None:
    """Refuse terms that could recognise nobody, or anybody."""
    _need(
        bool(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,39}", said.code)),
        _("代码只能用小写字母、数字和连字符"),
        said.code,
    )
    _need(said.jurisdiction in domain.JURISDICTIONS, _("法域只能是 CN-GD、HK 或 MO"), said.jurisdiction)
    _need(bool(said.ground.strip()), _("请写明认可的依据"), "")
    _need(
        said.valid_to is None or said.valid_to >= said.valid_from,
        _("有效期的止日早于起日"),
        str(said.valid_to),
    )
    _need(
        bool(_NUMBER.fullmatch(said.policy)),
        _("互认策略标识要写成数字和点，例如 2.16.344.8.2.2008.810.2"),
        said.policy,
    )
    _need(bool(said.marks), _("请至少写明一类个人或机构证书的标识"), "")
    for mark in said.marks:
        known = bool(_NUMBER.fullmatch(mark.said)) or mark.said.startswith(tuple(chains.SUBJECT_PARTS))
        _need(
            known and mark.holder in domain.HOLDERS,
            _("证书类别的标识要写成策略标识，或 O=…、OU=…"),
            mark.said,
        )
    try:
        held = chains.load(said)
    except ValueError as error:
        raise Problem(
            "authority-certificate", _("证书无法读取"), detail=str(error)[:200], status=422
        ) from error
    _need(bool(held), _("请给出机构的证书（PEM）"), "")
    for each in held:
        _need(chains.is_authority(each), _("这不是签发机构的证书（CA）"), each.subject.rfc4514_string()[:200])


def _need(kept: bool, title: str, detail: str) -> None:
    if not kept:
        raise Problem("authority-terms", title, detail=detail, status=422)


def _readable(found: x509.CertificateRevocationList) -> None:
    """Refuse lists that say only a part of what they seem to: changes since another list, some reasons, others' certificates."""
    names = {each.oid for each in found.extensions}
    if x509.DeltaCRLIndicator.oid in names:
        raise ValueError("a delta list")
    if x509.IssuingDistributionPoint.oid in names:
        point = found.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
        if point.indirect_crl or point.only_some_reasons:
            raise ValueError("an indirect list, or one for some reasons only")
        if point.relative_name or len(point.full_name or ()) > MOST_POINTS:
            raise ValueError("distribution points that are not read here")


def _signed_by(
    der: bytes, found: x509.CertificateRevocationList
) -> tuple[SignatureAuthority, x509.Certificate]:
    """Return the authority on the list, and which of its certificates, that has signed a revocation list, or refuse."""
    for row in SignatureAuthority.objects.prefetch_related("changes").order_by("code"):
        issuer = chains.issuer_of_list(chains.load(authority_of(row)), der)
        if issuer is not None:
            return row, issuer
    raise Problem(
        "revocations-unknown",
        _("签发这份吊销列表的机构不在名单上"),
        detail=found.issuer.rfc4514_string()[:200],
        status=422,
    )


def _fill(row: SignatureAuthority, said: domain.Authority, certificates: Sequence[str]) -> None:
    row.name_zh, row.name_en = said.name["zh"][:120], said.name["en"][:160]
    row.jurisdiction, row.policy, row.ground = said.jurisdiction, said.policy, said.ground[:300]
    row.valid_from, row.valid_to = said.valid_from, said.valid_to
    row.certificates = "".join(certificates)
    row.marks = json.dumps(
        [{"holder": each.holder, "said": each.said} for each in said.marks], ensure_ascii=False
    )
    row.save()


def _in_words(words: Mapping[str, str]) -> str:
    return words["en" if (get_language() or "").startswith("en") else "zh"]


def _note(row: SignatureAuthority, how: str, at: dt.datetime, ground: str, by: str, now: dt.datetime) -> None:
    said = {
        "authority": row.code,
        "how": how,
        "at": at.astimezone(dt.UTC).isoformat(),
        "ground": ground,
        "policy": row.policy,
        "certificates": [fingerprint_of(each) for each in split(row.certificates)],
        "by": by,
    }
    leaf = ledger.deposit(KIND, f"signature-authority:{row.code}", said, now=now)
    SignatureAuthorityChange.objects.create(
        authority=row, how=how, at=at, ground=ground[:300], by=by[:80], recorded_at=now, leaf_id=leaf.id
    )
