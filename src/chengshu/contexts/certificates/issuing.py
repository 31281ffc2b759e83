"""The effects on certificates: row, number and ledger leaf inside the step's transaction; PDF, seal and credential by job."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from chengshu.batch.linkage.ids import is_subject_id
from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import domain, making, places, words
from chengshu.contexts.certificates.making import issuer_of
from chengshu.contexts.certificates.models import Certificate, CertificateEvent, Evidence, Issue, StatusList
from chengshu.contexts.certificates.numbering import next_number
from chengshu.contexts.certificates.registers import release_kept
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE
from chengshu.procedure.ports import EffectRequest

PRODUCE = "produce_certificate"


def issue_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Issue a certificate of a type: a case has one of each in force."""
    params, now = request.params, request.now
    type_ = str(params["type"])
    valid_from, valid_to = domain.day_of(params["valid_from"]), domain.optional_day(params.get("valid_to"))
    domain.check_validity(valid_from, valid_to)
    brief = cases.case_brief(request.case_id)
    title = words.title(request.case_id, "certificates", type_)
    year = now.astimezone(LEGAL_ZONE).year
    series = domain.series_of(type_)
    certificate = Certificate(
        number=domain.number_of(series, year, next_number(f"certificate:{series}", year)),
        type=type_,
        title_zh=title["zh"][:120],
        title_en=title["en"][:200],
        case_id=request.case_id,
        department=brief.department,
        holder=str(params["holder"])[:200],
        **_identified(params),
        holder_account=_applicant(request.case_id),
        valid_from=valid_from,
        valid_to=valid_to,
        claims=words.dump(cases.described(request.case_id, params.get("claims"))),
        issued_at=now,
        changed_at=now,
    )
    try:
        with transaction.atomic():
            certificate.save()
    except IntegrityError as error:
        raise Problem(
            "certificate-issued",
            "这个办件已有一份有效的同类证照",
            detail=f"{request.case_id} {type_}",
            status=409,
        ) from error
    _note(certificate, "issue", "", now)
    _new_issue(certificate, request)
    return {"certificate": certificate.number}


def renew_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Renew: the same number, a later end, another issue."""
    certificate = _certificate_of(request)
    certificate.valid_to = domain.day_of(request.params["valid_to"])
    domain.check_validity(certificate.valid_from, certificate.valid_to)
    return _reissued(certificate, "renew", request)


def change_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Change holder or claims: the same number, another issue. The former holder sees it no more."""
    certificate, params = _certificate_of(request), request.params
    if params.get("holder"):
        certificate.holder = str(params["holder"])[:200]
        for name, value in _identified(params).items():
            setattr(certificate, name, value)
        account = params.get("account")
        certificate.holder_account = (
            str(cases.parties.resolve(account).pk) if account else _applicant(request.case_id)
        )
    fresh = cases.described(request.case_id, params.get("claims"))
    certificate.claims = words.dump(words.merged(json.loads(certificate.claims), fresh))
    return _reissued(certificate, "change", request)


def suspend_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Suspend: whoever verifies it learns so at once."""
    return _moved("suspend", request)


def resume_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """End a suspension."""
    return _moved("resume", request)


def revoke_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Revoke for good; what could be had only once can be had again."""
    release_kept(request.case_id)
    return _moved("revoke", request)


def deposit_evidence(request: EffectRequest) -> Mapping[str, Any]:
    """Deposit a file's digest in the ledger, in the step's transaction."""
    name, digest = str(request.params["name"])[:200], str(request.params["digest"])[:128]
    known = Evidence.objects.filter(key=request.idempotency_key).first()
    if known is not None:
        return {"evidence": known.pk, "leaf": known.leaf_id}
    payload = {"name": name, "digest": digest, "case": request.case_id}
    leaf = ledger.deposit("evidence", f"case:{request.case_id}", payload, now=request.now)
    row = Evidence.objects.create(
        case_id=request.case_id,
        name=name,
        digest=digest,
        key=request.idempotency_key,
        at=request.now,
        leaf_id=leaf.id,
        leaf_salt=leaf.salt,
    )
    return {"evidence": row.pk, "leaf": leaf.id}


def _identified(params: Mapping[str, Any]) -> dict[str, str]:
    """Return whose certificate it is by number: a subject of ours, else the number masked."""
    given = str(params.get("holder_id") or "").strip()
    known = is_subject_id(given)
    return {"holder_id": given if known else "", "holder_mark": "" if known else domain.mask_number(given)}


def _applicant(case_id: str) -> str:
    """Return the account whose certificate it is: who opened the case, or the one that it descends from."""
    for each in reversed(cases.case_line(case_id)):
        opened_by = cases.case_brief(each).opened_by
        account = identity.account(int(opened_by)) if opened_by.isdigit() else None
        if account is not None and account.role == "resident":
            return opened_by
    return ""


def _certificate_of(request: EffectRequest) -> Certificate:
    found = (
        Certificate.objects.select_for_update()
        .filter(case_id__in=cases.case_line(request.case_id), type=str(request.params["type"]))
        .exclude(state=domain.REVOKED)
        .order_by("-pk")
        .first()
    )
    if found is None:
        raise Problem(
            "certificate-missing",
            "这个办件没有这类有效证照",
            detail=f"{request.case_id} {request.params['type']}",
            status=409,
        )
    return found


def _reissued(certificate: Certificate, act: str, request: EffectRequest) -> Mapping[str, Any]:
    certificate.state = domain.state_after(act, certificate.state)
    Issue.objects.filter(certificate=certificate, version=certificate.version).update(state=domain.REPLACED)
    certificate.version += 1
    certificate.changed_at = request.now
    certificate.save()
    _note(certificate, act, "", request.now)
    _new_issue(certificate, request)
    return {"certificate": certificate.number, "version": certificate.version}


def _moved(act: str, request: EffectRequest) -> Mapping[str, Any]:
    certificate = _certificate_of(request)
    certificate.state = domain.state_after(act, certificate.state)
    certificate.reason = str(request.params.get("reason") or "")[:300]
    certificate.changed_at = request.now
    certificate.save(update_fields=["state", "reason", "changed_at"])
    Issue.objects.filter(certificate=certificate, version=certificate.version).update(state=certificate.state)
    _note(certificate, act, certificate.reason, request.now)
    return {"certificate": certificate.number, "state": certificate.state}


def _new_issue(certificate: Certificate, request: EffectRequest) -> None:
    """Note an issue to be made, with its bit in the status lists, and put the job into the outbox."""
    status_list, index = places.take(issuer_of(certificate), StatusList.Kind.ISSUE, request.now)
    key = f"{request.idempotency_key}:{PRODUCE}"
    issue = Issue(
        certificate=certificate,
        version=certificate.version,
        holder=certificate.holder,
        valid_from=certificate.valid_from,
        valid_to=certificate.valid_to,
        claims=certificate.claims,
        status_list=status_list,
        status_index=index,
        state=certificate.state,
        key=key,
        asked_at=request.now,
    )
    # The credentials are there with the number; typesetting and sealing the PDF take longer and come by job.
    texts = making.texts_of(issue, request.now)
    issue.credential, issue.sd_jwt, issue.qr_text = texts.credential, texts.sd_jwt, texts.qr_text
    issue.save()
    cases.enqueue_effect(
        EffectRequest(
            request.case_id, PRODUCE, {"number": certificate.number, "version": certificate.version}, {}, {},
            request.actor, request.now, key,
        )
    )  # fmt: skip


def _note(certificate: Certificate, kind: str, reason: str, now: dt.datetime) -> None:
    payload = {
        "number": certificate.number,
        "version": certificate.version,
        "state": certificate.state,
        "holder": certificate.holder,
        "valid_from": certificate.valid_from,
        "valid_to": certificate.valid_to,
        "claims": words.raw(json.loads(certificate.claims)),
        "reason": reason,
    }
    said = json.loads(json.dumps(payload, default=str))
    leaf = ledger.deposit(f"certificate.{kind}", f"certificate:{certificate.number}", said, now=now)
    CertificateEvent.objects.create(
        certificate=certificate, kind=kind, reason=reason, leaf_id=leaf.id, leaf_salt=leaf.salt, at=now
    )
