"""Pages of certificates: verify one, one's own, those that a department has issued; and what machines verify by."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import (
    credential_types,
    domain,
    keys,
    presenting,
    queries,
    recognising,
    status,
    store,
    verification,
)
from chengshu.contexts.certificates.forms import VerifyForm
from chengshu.contexts.certificates.lookup import by_number
from chengshu.contexts.certificates.models import Certificate, Document, Issue
from chengshu.contexts.certificates.panels import TONES
from chengshu.contexts.certificates.signatures import views as signature_views
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import ALL_ROLES, public_page, role_required
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.qr import qr_svg
from chengshu.kernel.terms import legal_day

PAGE = 30
# A visitor may look up some numbers, not all of them one after the other.
LOOKUPS = identity.Rate(capacity=30, per_second=0.5)


@public_page
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Verify a PDF, a credential, the text of a QR code, or look a number up."""
    now = timezone.now()
    found: domain.Verdict | None = None
    posted = request.method == "POST"
    form = VerifyForm(request.POST, request.FILES) if posted else VerifyForm()
    if posted:
        identity.take_from_bucket("verify", identity.client_address(request), LOOKUPS, time.time())
        if form.is_valid():
            found = _judged(form.cleaned_data)
    elif text := request.GET.get("q", "")[:4000]:
        found = verification.verify(text.encode(), status.trust_list(now), now)
    context = {
        "form": form,
        "verdict": found,
        "claims": _claims(found) if found else [],
        "signatures": signature_views.shown(found.signatures) if found else [],
        "tone": tone_of(found) if found else "",
        "state": domain.WORDS_OF_STATE.get(found.state, {}) if found else {},
        "breadcrumbs": [(_("核验证照"), "")],
    }
    return render(request, "certificates/verify.html", context, status=422 if form.errors else 200)


def _judged(data: dict[str, Any]) -> domain.Verdict:
    now = timezone.now()
    if data.get("file"):
        return verification.verify(data["file"].read(), status.trust_list(now, signers=True), now)
    text = data["text"]
    row = queries.certificate(text.upper()) if "." not in text else None
    if row is not None:
        return by_number(row, now)
    return verification.verify(text.encode(), status.trust_list(now), now)


def _claims(verdict: domain.Verdict) -> list[tuple[Mapping[str, str], Mapping[str, str]]]:
    """Return the claims in the words of our own register, where the certificate is ours and they are its own."""
    row = queries.certificate(verdict.number) if verdict.genuine and verdict.claims else None
    return claim_lines(verdict, json.loads(row.claims) if row else [])


def claim_lines(
    verdict: domain.Verdict, shown: list[dict[str, Any]]
) -> list[tuple[Mapping[str, str], Mapping[str, str]]]:
    """Return the claims of a verdict with what they are called: by the pack's words, else by those of the type."""
    words = {item["name"]: item for item in shown}
    lines = []
    for name, value in verdict.claims.items():
        item = words.get(name.removeprefix("claim_"), {})
        ours = item.get("raw") == value and "value" in item
        said = item["value"] if ours else credential_types.said(verdict.type, name, value)
        lines.append((item.get("label") or credential_types.label(verdict.type, name), said))
    return lines


def tone_of(verdict: domain.Verdict) -> str:
    """Return the tone that a verdict is shown in."""
    if not verdict.genuine:
        return "bad"
    return "good" if verdict.in_force else ("warn" if verdict.in_force is None else "bad")


@public_page
@require_GET
def regions(request: HttpRequest) -> HttpResponse:
    """Show whose certificates count here besides our own: for which types, from when to when."""
    now = timezone.now()
    lines = [(line, *REGION_STATES[line.state]) for line in recognising.regions(now)]
    crumbs = [(_("核验证照"), reverse("certificates:verify")), (_("互认的地区"), "")]
    return render(request, "certificates/regions.html", {"lines": lines, "breadcrumbs": crumbs})


REGION_STATES = {
    "in-force": ({"zh": "互认中", "en": "recognised"}, "good"),
    "over": ({"zh": "已到期", "en": "over"}, "bad"),
    "not-yet": ({"zh": "尚未开始", "en": "not begun"}, "wait"),
    "withdrawn": ({"zh": "已停止", "en": "withdrawn"}, "bad"),
}


@role_required(*ALL_ROLES)
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """List one's own certificates."""
    now, whose = timezone.now(), identity.acting(request)
    on = legal_day(now)
    rows = list(queries.certificates_for(whose, now)[:200])
    context = {
        "lines": queries.lines_of(rows, on, masked=False),
        "for_other": whose.name if whose.for_other else "",
        "tones": TONES,
        "breadcrumbs": [(_("我的证照"), "")],
    }
    return render(request, "certificates/mine.html", context)


@role_required(*ALL_ROLES)
@require_GET
def former_mine(request: HttpRequest) -> HttpResponse:
    """Lead from the former address of one's own certificates to the present one."""
    return redirect("certificates:mine")


@role_required("officer", "operator")
@require_GET
def issued(request: HttpRequest) -> HttpResponse:
    """List what the officer's department has issued; holders masked."""
    text, state = request.GET.get("q", "").strip()[:60], request.GET.get("state", "")
    rows = queries.issued_by(request.user, text=text, type_=request.GET.get("type", "")[:60], state=state)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    on = legal_day(timezone.now())
    context = {
        "page": page,
        "lines": queries.lines_of(list(page), on, masked=True),
        "names": {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()},
        "q": text,
        "state": state,
        "states": [(code, domain.WORDS_OF_STATE[code]) for code in ("active", "suspended", "revoked")],
        "tones": TONES,
        "breadcrumbs": [(_("已签发证照"), "")],
    }
    return render(request, "certificates/issued.html", context)


def _visible(request: HttpRequest, number: str) -> Certificate:
    """Return a certificate that the viewer may see; an officer's look at a person's is put on record."""
    row = queries.certificate(number)
    if row is None or not queries.may_see(row, request.user):
        raise Http404
    if row.holder_id.startswith("P") and not queries.holds(row, request.user):
        elements = ["person.name", f"certificate.{row.type}"]
        identity.record_read(
            request.user, row.holder_id, "case-work", elements, timezone.now(), case_id=row.case_id
        )
    return row


@role_required(*ALL_ROLES)
@require_GET
def certificate(request: HttpRequest, number: str) -> HttpResponse:
    """Show a certificate to its holder and to the department: state, claims, files, history."""
    row = _visible(request, number)
    on = legal_day(timezone.now())
    issues = queries.issues_of(row)
    current = next((each for each in issues if each.version == row.version), None)
    context = {
        "certificate": row,
        "line": queries.line_of(row, on, masked=False),
        "claims": json.loads(row.claims),
        "issuer": keys.issuer_name(row.department or keys.DISTRICT),
        "current": current,
        "qr": qr_svg(current.qr_text) if current and current.qr_text else "",
        "may_present": presenting.may_present(row, request.user, timezone.now()),
        "issues": issues,
        "events": queries.events_of(row),
        "kinds": EVENT_WORDS,
        "tones": TONES,
        "breadcrumbs": [_back(request), (row.number, "")],
    }
    return render(request, "certificates/certificate.html", context)


def _back(request: HttpRequest) -> tuple[str, str]:
    if request.user.role == "officer":
        return _("已签发证照"), reverse("certificates:list")
    return _("我的证照"), reverse("certificates:mine")


def _made(request: HttpRequest, number: str) -> Issue:
    row = _visible(request, number)
    found = row.issues.filter(version=row.version, made_at__isnull=False).first()
    if found is None:
        raise Http404
    return found


@role_required(*ALL_ROLES)
@require_GET
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """Give the sealed PDF."""
    found = _made(request, number)
    return _file(store.read(found.pdf_digest), "application/pdf", f"{number}.pdf")


# What a holder may take home: the form of the address, the field, the media type, the ending.
FORMS = {
    "credential": ("credential", "application/vc+jwt", "vc.jwt"),
    "credential-sm2": ("credential_sm2", "application/vc+jwt", "sm2.vc.jwt"),
    "sd-jwt": ("sd_jwt", "application/dc+sd-jwt", "sd-jwt"),
}


@role_required(*ALL_ROLES)
@require_GET
def credential(request: HttpRequest, number: str, form: str = "credential") -> HttpResponse:
    """Give the verifiable credential in one of its forms; all but the second suite's are there with the number."""
    row = _visible(request, number)
    field, media_type, ending = FORMS[form]
    found = row.issues.filter(version=row.version).values_list(field, flat=True).first()
    if not found:
        raise Http404
    return _file(found.encode(), media_type, f"{number}.{ending}")


@role_required(*ALL_ROLES)
@require_GET
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """Give the receipt: what was deposited, its salt, and the proof that it stands in the ledger."""
    found = _made(request, number)
    proof = ledger.receipt(found.leaf_id) if found.leaf_id else None
    said = {
        "number": number,
        "version": found.version,
        "payload": {
            "number": number,
            "version": found.version,
            "pdf": found.pdf_digest,
            "credential": found.credential,
        },
        "salt": found.leaf_salt,
        "receipt": proof.to_dict() if proof else None,
        "keys": ledger.log_keys(),
    }
    return _file(
        json.dumps(said, ensure_ascii=False, indent=1).encode(), "application/json", f"{number}.receipt.json"
    )


@role_required(*ALL_ROLES)
@require_GET
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """Give a document of a case to those who see the case whole: it names people in clear. The look is put on record."""
    found = Document.objects.filter(pk=document_id, made_at__isnull=False).first()
    if found is None:
        raise Http404
    now = timezone.now()
    access = cases.access_case(found.case_id, request.user, now)
    if access.level != cases.FULL:
        raise Http404
    cases.note_read(access, request.user, ["person.name"], now)
    return _file(store.read(found.pdf_digest), "application/pdf", f"document-{found.pk}.pdf")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


EVENT_WORDS = {
    "issue": {"zh": "签发", "en": "Issued"},
    "renew": {"zh": "续期", "en": "Renewed"},
    "change": {"zh": "变更", "en": "Changed"},
    "suspend": {"zh": "暂停", "en": "Suspended"},
    "resume": {"zh": "恢复", "en": "Resumed"},
    "revoke": {"zh": "撤销", "en": "Revoked"},
}
