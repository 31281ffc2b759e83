"""Pages of recognised signature authorities: the published list, and the operator's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography import x509
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.certificates.signatures import attached, domain, keeping
from chengshu.contexts.certificates.signatures.forms import AuthorityForm, ChangeForm
from chengshu.contexts.certificates.signatures.models import SignatureAuthority
from chengshu.contexts.identity.api import public_page, role_required
from chengshu.kernel.problems import Problem

TONES = {
    domain.IN_FORCE: "good", domain.SUSPENDED: "warn", domain.WITHDRAWN: "bad", domain.OVER: "bad", domain.NOT_YET: "wait",
}  # fmt: skip
DONE = {
    "recognised": {"zh": "加入名单", "en": "put on the list"},
    "renewed": {"zh": "更新证书或条款", "en": "certificates or terms renewed"},
    "suspended": {"zh": "暂停认可", "en": "suspended"},
    "resumed": {"zh": "恢复认可", "en": "resumed"},
    "withdrawn": {"zh": "停止认可", "en": "withdrawn"},
}


@public_page
@require_GET
def public_list(request: HttpRequest) -> HttpResponse:
    """Publish the list: recognition is by a published list of those who are trusted."""
    crumbs = [(_("核验证照"), reverse("certificates:verify")), (_("认可的电子签名认证机构"), "")]
    return render(request, "certificates/signers.html", {"lines": _lines(), "breadcrumbs": crumbs})


@role_required("operator")
@require_GET
def manage(request: HttpRequest) -> HttpResponse:
    """Show the operator the list, each authority with its page."""
    context = {"lines": _lines(), "manage": True, "breadcrumbs": [(_("认可的电子签名认证机构"), "")]}
    return render(request, "certificates/signers.html", context)


def _lines() -> list[tuple[keeping.AuthorityLine, Any, str]]:
    return [(line, domain.STATES[line.state], TONES[line.state]) for line in keeping.lines(timezone.now())]


@role_required("operator")
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Put an authority on the list."""
    now = timezone.now()
    form = AuthorityForm(request.POST, request.FILES) if request.method == "POST" else AuthorityForm()
    if request.method == "POST" and form.is_valid():
        try:
            row = keeping.recognise(
                form.said(now), fingerprint=form.cleaned_data["fingerprint"], by=_by(request), now=now
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            attached.judge_again(row, now)
            messages.success(request, _("已加入名单，并已存证。"))
            return redirect("certificates:signer", row.code)
    crumbs = [(_("认可的电子签名认证机构"), reverse("certificates:manage_signers")), (_("加入名单"), "")]
    context = {"form": form, "breadcrumbs": crumbs}
    return render(request, "certificates/add_signer.html", context, status=422 if form.errors else 200)


@role_required("operator")
@require_http_methods(["GET", "POST"])
def authority(request: HttpRequest, code: str) -> HttpResponse:
    """Show an authority with its history; change how it stands, or load its revocation list."""
    now = timezone.now()
    row = SignatureAuthority.objects.filter(code=code).first()
    if row is None:
        raise Problem("authority-unknown", _("名单上没有这个机构"), detail=code, status=404)
    form = ChangeForm(request.POST, request.FILES) if request.method == "POST" else ChangeForm()
    if request.method == "POST" and form.is_valid():
        try:
            _change(row, form.cleaned_data, _by(request), now)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("已保存，并已存证；办件里的签名会重新核验。"))
            return redirect("certificates:signer", code)
    line = next(each for each in keeping.lines(now) if each.code == code)
    crumbs = [(_("认可的电子签名认证机构"), reverse("certificates:manage_signers")), (row.name_zh, "")]
    context = {
        "form": form, "line": line, "words": domain.STATES[line.state], "tone": TONES[line.state], "breadcrumbs": crumbs,
        "marks": [(mark, domain.HOLDERS[mark.holder]) for mark in line.marks], "certificates": _certificates(row),
        "changes": [(each, DONE[each.how]) for each in row.changes.order_by("-recorded_at", "-pk")],
    }  # fmt: skip
    return render(request, "certificates/signer.html", context, status=422 if form.errors else 200)


def _change(row: SignatureAuthority, said: dict[str, Any], by: str, now: dt.datetime) -> None:
    if said["act"] == "crl":
        # One byte more than is taken: what is larger is refused without being read whole.
        content = said["revocations"].read(keeping.MAX_CRL + 1)
        held = keeping.load_revocations(content, by=by, now=now, of=row.code)
        attached.judge_again(row, now, by_list=held)
        return
    keeping.change(row.code, said["act"], ground=said["ground"], by=by, now=now, since=said["since"])
    attached.judge_again(row, now, since=said["since"] or now)


def _certificates(row: SignatureAuthority) -> list[tuple[str, dt.datetime, str]]:
    found = [
        (pem, x509.load_pem_x509_certificate(pem.encode("ascii"))) for pem in keeping.split(row.certificates)
    ]
    return [
        (each.subject.rfc4514_string()[:200], each.not_valid_after_utc, keeping.fingerprint_of(pem))
        for pem, each in found
    ]


def _by(request: HttpRequest) -> str:
    return str(request.user.username)


def shown(found: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Any, str, Any, Any]]:
    """Return the signatures of a verdict with their words, for the page of verification."""
    return [
        (
            each, domain.OUTCOMES[each["outcome"]], attached.TONES[each["outcome"]], domain.HOLDERS.get(each["holder"]),
            domain.JURISDICTIONS.get(each["jurisdiction"]),
        )
        for each in found
    ]  # fmt: skip
