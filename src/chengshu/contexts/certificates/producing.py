"""The jobs: a certificate's credential, QR code and sealed PDF; a case's document. At least once, made once.

A job that was cut off runs again: what stands in its row is never made anew, and what another worker made first stands.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import keys, making, qr, store, words
from chengshu.contexts.certificates.making import issuer_of
from chengshu.contexts.certificates.models import Certificate, Document, Issue
from chengshu.contexts.certificates.numbering import next_number
from chengshu.contexts.certificates.seal import seal_svg
from chengshu.contexts.certificates.typesetting.press import Sheet, print_sheet, shipped_template
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.qr import qr_svg
from chengshu.kernel.terms import LEGAL_ZONE, legal_day
from chengshu.procedure.ports import EffectRequest


def produce_certificate(request: EffectRequest) -> Mapping[str, Any]:
    """Make what an issue of a certificate consists of; the end comes back to the case as ``effect_done``."""
    issue = (
        Issue.objects.select_related("certificate", "status_list")
        .filter(key=request.idempotency_key, certificate__number=request.params["number"])
        .first()
    )
    if issue is None:
        raise Problem("issue-missing", "没有这次签发", detail=str(request.params["number"]), status=404)
    if issue.made_at is None:
        _make(issue, request)
        issue.refresh_from_db()
    return {"certificate": issue.certificate.number, "version": issue.version, "digest": issue.pdf_digest}


def _make(issue: Issue, request: EffectRequest) -> None:
    """Typeset, seal, sign by the second suite, then note all of it in one transaction: whoever comes second changes nothing."""
    certificate, now = issue.certificate, request.now
    issuer = issuer_of(certificate)
    # The step has signed them. An issue of before that was so has neither yet.
    credential, code = issue.credential, issue.qr_text
    if not credential:
        texts = making.texts_of(issue, now)
        credential, code = texts.credential, texts.qr_text
    second = making.second_suite(issue, now)
    pdf = _certificate_pdf(issue, issuer, credential, code, request)
    digest = store.keep(pdf)
    with transaction.atomic():
        row = Issue.objects.select_for_update().get(pk=issue.pk)
        if row.made_at is not None:
            return
        payload = {
            "number": certificate.number,
            "version": issue.version,
            "pdf": digest,
            "credential": credential,
        }
        leaf = ledger.deposit("certificate.made", f"certificate:{certificate.number}", payload, now=now)
        row.made_at, row.credential, row.qr_text, row.credential_sm2 = now, credential, code, second
        row.pdf_digest, row.pdf_size, row.leaf_id, row.leaf_salt = digest, len(pdf), leaf.id, leaf.salt
        row.save()


def _certificate_pdf(issue: Issue, issuer: str, credential: str, code: str, request: EffectRequest) -> bytes:
    certificate = issue.certificate
    data = {
        **_common(certificate.case_id, issuer, request.now),
        "title": certificate.title_zh,
        "title_en": certificate.title_en if certificate.title_en != certificate.title_zh else "",
        "number": certificate.number,
        "version": issue.version,
        "holder": issue.holder,
        "rows": [*_marked(certificate), *_rows(json.loads(issue.claims))],
        "valid_from": issue.valid_from.isoformat(),
        "valid_to": issue.valid_to.isoformat() if issue.valid_to else None,
        "verify_at": f"{settings.PUBLIC_URL}{qr.PATH}",
    }
    own = cases.pack_templates(certificate.case_id)
    template = own.get("certificate.typ") or shipped_template("certificate")
    extra = {**own, "qr.svg": qr_svg(code)}
    sheet = print_sheet(template, data, now=request.now, seal=_seal(issuer, certificate.case_id), extra=extra)
    return _sealed(sheet, issuer, certificate.title_zh, credential, request.now)


def render_document(request: EffectRequest) -> Mapping[str, Any]:
    """Typeset a document of the case from its pack's template and seal it."""
    name, now = str(request.params["template"]), request.now
    document = _document_row(request, name)
    if document.made_at is None:
        own = cases.pack_templates(request.case_id)
        if f"{name}.typ" not in own:
            raise Problem("template-unknown", "办件的规则包没有这个文书模板", detail=name, status=422)
        issuer = document.department or keys.DISTRICT
        sheet = print_sheet(
            own[f"{name}.typ"],
            _document_data(request, document, issuer),
            now=now,
            seal=_seal(issuer, request.case_id),
            extra={**own, **{f"{each}.typ": shipped_template(each) for each in ("decision", "notice")}},
        )
        _note_document(document, _sealed(sheet, issuer, document.title_zh, "", now), now)
    return {"document": document.number}


def _document_row(request: EffectRequest, name: str) -> Document:
    """Return the document's row; its number is taken once, before the file is made."""
    with transaction.atomic():
        known = Document.objects.filter(key=request.idempotency_key).first()
        if known is not None:
            return known
        department = cases.case_brief(request.case_id).department
        year = request.now.astimezone(LEGAL_ZONE).year
        serial = next_number(f"document:{department or keys.DISTRICT}", year)
        return Document.objects.create(
            case_id=request.case_id,
            template=name,
            title_zh=str(request.params["title"])[:200],
            number=f"{keys.issuer_name(department or keys.DISTRICT)['zh'][:20]}〔{year}〕{serial}号",
            department=department,
            key=request.idempotency_key,
            asked_at=request.now,
        )


def _note_document(document: Document, pdf: bytes, now: dt.datetime) -> None:
    digest = store.keep(pdf)
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        if row.made_at is not None:
            return
        payload = {"number": row.number, "template": row.template, "pdf": digest}
        leaf = ledger.deposit("document.made", f"case:{row.case_id}", payload, now=now)
        row.made_at, row.pdf_digest, row.pdf_size = now, digest, len(pdf)
        row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
        row.save()


def _document_data(request: EffectRequest, document: Document, issuer: str) -> dict[str, Any]:
    held = cases.case_facts(request.case_id)
    step = cases.step_said(request.case_id, request.idempotency_key)
    values = {
        "decided": step["decided"],
        "facts": held["facts"],
        "case": held["kept"],
        "data": dict(request.data),
        "actor": request.actor.name,
        "title": document.title_zh,
    }
    body = cases.pack_said(request.case_id, f"documents.{document.template}", values)["zh"]
    shown = cases.described(request.case_id, held["facts"])
    brief = cases.case_brief(request.case_id)
    return {
        **_common(request.case_id, issuer, request.now),
        "title": document.title_zh,
        "title_en": "",
        "number": document.number,
        "case_id": request.case_id,
        "label": brief.label,
        "to": brief.label or None,
        "paragraphs": [line.strip() for line in body.splitlines() if line.strip()],
        "grounds": [each["zh"] for each in step["grounds"]],
        "rows": _rows(shown),
        "facts": {item["name"]: item["value"]["zh"] for item in shown},
        "kept": cases.plain_values(held["kept"]),
        "said": cases.plain_values(request.data),
    }


def _common(case_id: str, issuer: str, now: dt.datetime) -> dict[str, Any]:
    return {
        "issuer": keys.issuer_name(issuer)["zh"],
        "district": settings.DISTRICT["name"]["zh"],
        "date": legal_day(now).isoformat(),
        "demo": making.no_effect(case_id),
        "drill": cases.case_brief(case_id).drill,
    }


def _rows(shown: list[words.Shown]) -> list[list[str]]:
    return [[item["label"]["zh"], item["value"]["zh"]] for item in shown]


def _marked(certificate: Certificate) -> list[list[str]]:
    return [["证件号码", certificate.holder_mark]] if certificate.holder_mark else []


def _no_effect(case_id: str) -> bool:
    """Return whether what is issued has no legal effect: a demo district, or a drill."""
    return bool(settings.DEMO) or cases.case_brief(case_id).drill


def _seal(issuer: str, case_id: str) -> str:
    return seal_svg(keys.issuer_name(issuer)["zh"], demo=making.no_effect(case_id))


def _sealed(sheet: Sheet, issuer: str, reason: str, credential: str, now: dt.datetime) -> bytes:
    key = keys.signing_key(issuer, keys.SEAL, now)
    # Late: the library behind it takes half a second to load, and only what makes papers needs it.
    from chengshu.contexts.certificates.pdf_signing import seal_pdf

    return seal_pdf(
        sheet.pdf,
        key.private,
        key.chain,
        reason=reason,
        place=sheet.seal_at,
        appearance=sheet.seal_pdf,
        credential=credential,
        now=now,
    )
