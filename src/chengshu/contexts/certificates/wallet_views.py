"""Hold and show: choose what to show to whom, look at what was shown, take a certificate into one's own wallet."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.certificates import domain, offers, presenting, queries, status, verification
from chengshu.contexts.certificates.models import Certificate, Issue, Presentation
from chengshu.contexts.certificates.views import claim_lines, tone_of
from chengshu.contexts.certificates.wallet_forms import ShowForm
from chengshu.contexts.identity.api import ALL_ROLES, public_page, role_required
from chengshu.kernel.qr import qr_svg

PAGE = 30
SD_JWT = "application/dc+sd-jwt"
STATES = {
    "open": ({"zh": "有效", "en": "open"}, "good"),
    "over": ({"zh": "已到期", "en": "over"}, "plain"),
    "withdrawn": ({"zh": "已收回", "en": "withdrawn"}, "warn"),
}


def _own(request: HttpRequest, number: str) -> Certificate:
    """Return a certificate that lies in the viewer's own account: nobody shows another's."""
    row = queries.certificate(number)
    if row is None or row.holder_account != str(request.user.pk):
        raise Http404
    return row


def _crumbs(row: Certificate, last: str) -> list[tuple[str, str]]:
    return [
        (_("我的证照"), reverse("certificates:mine")),
        (row.number, reverse("certificates:certificate", args=[row.number])),
        (last, ""),
    ]


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, number: str) -> HttpResponse:
    """Choose what to show, to whom and until when."""
    row, now = _own(request, number), timezone.now()
    issue = Issue.objects.select_related("certificate").get(certificate=row, version=row.version)
    able = presenting.may_present(row, request.user, now)
    choices = presenting.choices(row, issue, now) if able else []
    # A verifier's link may name itself and its request; what is shown is the holder's choice alone.
    asked = {"audience": request.GET.get("to", "")[:200], "nonce": request.GET.get("nonce", "")[:80]}
    form = ShowForm(choices, get_language() or "", request.POST or None, initial=asked)
    if request.method == "POST" and able and form.is_valid():
        said = form.cleaned_data
        made = presenting.present(
            row, request.user, said["disclosed"], audience=said["audience"], purpose=said["purpose"],
            life=said["life"], nonce=said["nonce"], now=now,
        )  # fmt: skip
        return redirect("certificates:presentation", made.pk)
    context = {
        "form": form,
        "able": able,
        "certificate": row,
        "title": {"zh": row.title_zh, "en": row.title_en},
        "breadcrumbs": _crumbs(row, _("出示")),
    }
    return render(request, "certificates/show.html", context, status=422 if form.errors else 200)


@role_required(*ALL_ROLES)
@require_GET
def presentations(request: HttpRequest) -> HttpResponse:
    """List what one has shown: to whom, what of it, how often it was looked at."""
    now = timezone.now()
    page = Paginator(presenting.presentations_of(request.user), PAGE).get_page(request.GET.get("page"))
    lines = [(row, *STATES[presenting.state_of(row, now)]) for row in page]
    crumbs = [(_("我的证照"), reverse("certificates:mine")), (_("出示记录"), "")]
    return render(
        request, "certificates/presentations.html", {"page": page, "lines": lines, "breadcrumbs": crumbs}
    )


def _presentation(request: HttpRequest, presentation_id: int) -> Presentation:
    row = presenting.of_account(request.user, presentation_id)
    if row is None:
        raise Http404
    return row


@role_required(*ALL_ROLES)
@require_GET
def presentation(request: HttpRequest, presentation_id: int) -> HttpResponse:
    """Show a presentation to its maker: code, link and file, and how often it was looked at."""
    row, now = _presentation(request, presentation_id), timezone.now()
    certificate, link = row.issue.certificate, presenting.link(row)
    names = set(row.disclosed.split())
    state = presenting.state_of(row, now)
    chosen = [each for each in presenting.choices(certificate, row.issue, now) if each.name in names]
    context = {
        "presentation": row,
        "certificate": certificate,
        "title": {"zh": certificate.title_zh, "en": certificate.title_en},
        "chosen": chosen,
        "link": link,
        "qr": qr_svg(link) if state == "open" else "",
        "state": state,
        "state_words": STATES[state],
        "breadcrumbs": [
            (_("我的证照"), reverse("certificates:mine")),
            (_("出示记录"), reverse("certificates:presentations")),
            (row.audience[:40], ""),
        ],
    }
    return render(request, "certificates/presentation.html", context)


@role_required(*ALL_ROLES)
@require_GET
def presentation_file(request: HttpRequest, presentation_id: int) -> HttpResponse:
    """Give a presentation as a file, to send or to hand over: it verifies without a network."""
    return _text(_presentation(request, presentation_id))


@role_required(*ALL_ROLES)
@require_POST
def withdraw(request: HttpRequest, presentation_id: int) -> HttpResponse:
    """End a presentation before its time."""
    presenting.withdraw(_presentation(request, presentation_id), timezone.now())
    messages.success(request, _("已收回。用链接或二维码再也看不到；已经下载的文件到期失效。"))
    return redirect("certificates:presentation", presentation_id)


@public_page
@require_GET
def shown(request: HttpRequest, token: str) -> HttpResponse:
    """Show whoever has the address what the holder chose, verified, and nothing else."""
    now = timezone.now()
    row = presenting.opened(token, now)
    if row is None:
        return render(request, "certificates/not_shown.html", status=404)
    found = verification.verify(row.text.encode(), status.trust_list(now), now)
    context = {
        "verdict": found,
        "claims": claim_lines(found, json.loads(row.issue.claims)),
        "tone": tone_of(found),
        "state": domain.WORDS_OF_STATE.get(found.state, {}),
        "presentation": row,
        "breadcrumbs": [(_("核验证照"), reverse("certificates:verify")), (_("出示的证照"), "")],
    }
    answer = render(request, "certificates/shown.html", context)
    answer["Cache-Control"] = "private, no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer


@public_page
@require_GET
def shown_file(request: HttpRequest, token: str) -> HttpResponse:
    """Give what is shown as a file, to verify without a network."""
    row = presenting.opened(token, timezone.now())
    if row is None:
        raise Http404
    return _text(row)


def _text(row: Presentation) -> HttpResponse:
    answer = HttpResponse(row.text, content_type=SD_JWT)
    answer["Content-Disposition"] = f'attachment; filename="shown-{row.pk}.sd-jwt"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def wallet(request: HttpRequest, number: str) -> HttpResponse:
    """Offer a certificate to the holder's own wallet: a code to scan and six digits to type."""
    row, now = _own(request, number), timezone.now()
    context = {
        "certificate": row,
        "title": {"zh": row.title_zh, "en": row.title_en},
        "taken": offers.wallet_credentials(row),
        "told": TOLD,
        "able": presenting.may_present(row, request.user, now),
        "breadcrumbs": _crumbs(row, _("放进钱包")),
    }
    if request.method == "POST":
        offer, tx_code = offers.make_offer(row, request.user, now)
        link = offers.offer_link(offer)
        context |= {"offer": offer, "tx_code": tx_code, "link": link, "qr": qr_svg(link)}
    answer = render(request, "certificates/wallet.html", context)
    answer["Cache-Control"] = "private, no-store"
    return answer


TOLD = {
    "": {"zh": "已取走", "en": "taken"},
    "credential_accepted": {"zh": "已存入钱包", "en": "accepted"},
    "credential_failure": {"zh": "钱包未能存入", "en": "the wallet failed to keep it"},
    "credential_deleted": {"zh": "已从钱包删除", "en": "deleted from the wallet"},
}


@role_required(*ALL_ROLES)
@require_POST
def withdraw_from_wallet(request: HttpRequest, number: str, credential_id: int) -> HttpResponse:
    """Withdraw what one wallet took: a lost phone's credential is refused from now on."""
    row = _own(request, number)
    offers.withdraw(row, credential_id, timezone.now())
    messages.success(request, _("已撤回。那部手机里的凭证从现在起核验不通过。"))
    return redirect("certificates:wallet", row.number)
