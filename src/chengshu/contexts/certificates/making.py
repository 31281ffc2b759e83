"""What an issue says in each form: W3C credential, SD-JWT VC, QR text, the second suite. Made in the step that issues."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import (
    credential_types,
    credentials,
    custody,
    domain,
    keys,
    qr,
    selective,
    suites,
    words,
)
from chengshu.contexts.certificates.models import Certificate, Issue
from chengshu.kernel.terms import legal_day


@dataclass(frozen=True, slots=True)
class Texts:
    """The signed texts of an issue."""

    credential: str
    sd_jwt: str
    qr_text: str


def texts_of(issue: Issue, now: dt.datetime) -> Texts:
    """Sign what an issue says; the holder's key in the hall's custody is made where there is none yet."""
    certificate = issue.certificate
    issuer = issuer_of(certificate)
    signing = keys.signing_key(issuer, keys.CREDENTIAL, now).jwk
    content = content_of(issue)
    account = certificate.holder_account
    return Texts(
        credentials.credential(content, signing, now),
        sd_jwt_of(issue, content, custody.public_jwk(account, now) if account else None, now, signing),
        qr.qr_text(settings.PUBLIC_URL, _qr_words(issue), signing, now),
    )


def sd_jwt_of(
    issue: Issue,
    content: credentials.Content,
    holder: Mapping[str, Any] | None,
    now: dt.datetime,
    key: suites.Key | None = None,
) -> str:
    """Return an SD-JWT VC of an issue, bound to a key; ``content`` says which place in which status list it has.

    ``key`` is the issuer's, where the caller has it in hand.
    """
    certificate = issue.certificate
    key = key or keys.signing_key(issuer_of(certificate), keys.CREDENTIAL, now).jwk
    on = legal_day(now)
    always, apart = credential_types.spoken(
        content, certificate.type, vct_of(certificate.type), f"{content.status_list}/token", on
    )
    return selective.issue({**always, "iat": int(now.timestamp())}, apart, key, holder=holder)


def second_suite(issue: Issue, now: dt.datetime) -> str:
    """Return the W3C credential signed by SM2 with SM3."""
    key = keys.signing_key(issuer_of(issue.certificate), keys.SM2, now).jwk
    return credentials.credential(content_of(issue), key, now)


def fresh_sd_jwt(issue: Issue, now: dt.datetime) -> str:
    """Return the SD-JWT VC in custody, signed anew where an age has been reached since; empty without a holder's account."""
    certificate = issue.certificate
    if not certificate.holder_account:
        return ""
    claims = words.raw(json.loads(issue.claims))
    today = credential_types.derived(certificate.type, claims, legal_day(now))
    held = _disclosed(issue.sd_jwt) if issue.sd_jwt else None
    if held is None or any(held.get(name) != value for name, value in today.items()):
        holder = custody.public_jwk(certificate.holder_account, now)
        issue.sd_jwt = sd_jwt_of(issue, content_of(issue), holder, now)
        issue.save(update_fields=["sd_jwt"])
    return str(issue.sd_jwt)


def _disclosed(text: str) -> dict[str, Any]:
    parts = selective.split(text)
    said = (selective.said_by(each) for each in parts.disclosures)
    return {str(each[1]): each[2] for each in said if len(each) == 3}


def with_place(content: credentials.Content, list_id: int, index: int) -> credentials.Content:
    """Return the same content with another place in another status list."""
    return replace(content, status_list=list_url(list_id), status_index=index)


def content_of(issue: Issue) -> credentials.Content:
    """Return what an issue says."""
    certificate = issue.certificate
    issuer = issuer_of(certificate)
    return credentials.Content(
        id=f"{settings.PUBLIC_URL}/certificates/{certificate.number}/{issue.version}",
        type=domain.type_name(certificate.type),
        title={"zh": certificate.title_zh, "en": certificate.title_en},
        issuer=keys.issuer_id(issuer),
        issuer_name=keys.issuer_name(issuer),
        number=certificate.number,
        version=issue.version,
        holder=issue.holder,
        holder_id=certificate.holder_id,
        holder_mark=certificate.holder_mark,
        valid_from=issue.valid_from,
        valid_to=issue.valid_to,
        claims=words.raw(json.loads(issue.claims)),
        status_list=list_url(issue.status_list_id),
        status_index=issue.status_index,
        demo=no_effect(certificate.case_id),
    )


def _qr_words(issue: Issue) -> dict[str, Any]:
    certificate = issue.certificate
    # Each character makes the code denser: no addresses; the key tells the issuer, the issuer the status lists.
    said: dict[str, Any] = {
        "n": certificate.number,
        "tt": certificate.title_zh[:16],
        "ty": certificate.type,
        "h": domain.mask_holder(issue.holder, issue.certificate.holder_id)[:20],
        "f": issue.valid_from.isoformat(),
        "s": f"{issue.status_list_id}.{issue.status_index}",
    }
    if issue.valid_to is not None:
        said["u"] = issue.valid_to.isoformat()
    if no_effect(certificate.case_id):
        said["d"] = 1
    return said


def no_effect(case_id: str) -> bool:
    """Return whether what is issued has no legal effect: a demo district, or a drill."""
    return bool(settings.DEMO) or cases.case_brief(case_id).drill


def issuer_of(certificate: Certificate) -> str:
    """Return the issuer's code: the department, or the district where a case has none."""
    return certificate.department or keys.DISTRICT


def list_url(list_id: int) -> str:
    """Return the address of a status list, without its purpose."""
    return f"{settings.PUBLIC_URL}/status/{list_id}"


def vct_of(type_: str) -> str:
    """Return the address that names a type of SD-JWT VC and answers with its metadata."""
    return f"{settings.PUBLIC_URL}/credential-types/{type_}"
