"""Signing in from an outside provider, and linking an identity there to one's account: never by itself, always by the person.

Who comes in for the first time signs in here as well, sees both identities side by side and links them; the provider's verified
claims must agree with what the district holds of that account. From then on the provider alone signs them in.
"""

from __future__ import annotations

import hmac
import time
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.interfaces.oidc import relying, store
from chengshu.interfaces.oidc.authentication import FEDERATED
from chengshu.interfaces.oidc.leaving import leave_for
from chengshu.interfaces.oidc.models import OutsideIdentity
from chengshu.interfaces.oidc.providers import ALWAYS, STAFF_ELEMENTS, Match, Provider, provider, providers
from chengshu.kernel.problems import Problem

ASKED, FOUND = "outside_asked", "outside_found"
ANSWER_SECONDS, LINK_SECONDS = 600, 900
RATE = identity.Rate(capacity=20, per_second=0.2)


def named(code: str) -> Provider:
    """Return a provider, or answer that there is none."""
    found = provider(code)
    if found is None:
        raise Http404
    return found


def back_address(found: Provider) -> str:
    """Return where the provider's answers come to."""
    return store.issuer() + reverse("oidc:outside_back", args=[found.code])


@identity.public_page
@never_cache
@require_POST
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Go to the provider; what proves the answer stays in this session."""
    identity.take_from_bucket("outside", identity.client_address(request), RATE, time.time())
    found = named(code)
    question = relying.ask(found, back_address(found))
    onward = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(onward, {request.get_host()}, request.is_secure())
    request.session[ASKED] = {
        "provider": found.code,
        "state": question.state,
        "nonce": question.nonce,
        "verifier": question.verifier,
        "next": onward if ours else "/",
        "at": int(time.time()),
    }
    return leave_for(request, question.address, found.shown_title)


@identity.public_page
@never_cache
@require_GET
def back(request: HttpRequest, code: str) -> HttpResponse:
    """Take the provider's answer: sign in whom it names, or let them link that identity first."""
    found = named(code)
    asked = request.session.pop(ASKED, None)
    check_answer(request, found, asked)
    answer = relying.believe(
        found, request.GET["code"], asked["verifier"], asked["nonce"], back_address(found)
    )
    linked = (
        OutsideIdentity.objects.select_related("account")
        .filter(provider=found.code, subject=answer.subject)
        .first()
    )
    if linked is None:
        return to_link(request, found, answer, asked["next"])
    if not identity.may_act(linked.account) or linked.account.role not in found.roles:
        raise Problem("outside-sign-in", _("这个账户不能登录"), status=403)
    now = timezone.now()
    with transaction.atomic():
        OutsideIdentity.objects.filter(pk=linked.pk).update(last_used_at=now)
        deposit("oidc.outside-sign-in", found, linked.account, now)
    onward = identity.complete_sign_in(request, linked.account, amr=(FEDERATED,), target=asked["next"])
    return onward or redirect(asked["next"])


def check_answer(request: HttpRequest, found: Provider, asked: dict[str, Any] | None) -> None:
    """Refuse an answer that this browser did not ask for, that is late, or that says no."""
    fresh = (
        asked is not None and asked["provider"] == found.code and time.time() - asked["at"] < ANSWER_SECONDS
    )
    if not fresh or not hmac.compare_digest(
        str(asked["state"]).encode(), request.GET.get("state", "").encode()
    ):
        raise Problem(
            "outside-state", _("这次登录不是从这个浏览器开始的，或者已经过期"),
            remedy=_("请从登录页重新开始"), status=400,
        )  # fmt: skip
    if request.GET.get("iss", found.issuer) != found.issuer:
        raise relying.refused(found, "iss")
    if "error" in request.GET or not request.GET.get("code"):
        raise Problem(
            "outside-refused", _("对方平台没有同意登录"), detail=request.GET.get("error", "")[:60], status=403
        )


def to_link(request: HttpRequest, found: Provider, answer: relying.Answer, onward: str) -> HttpResponse:
    """Keep who was found, and lead to the page that links it; that page asks to sign in here first."""
    claims = answer.claims
    needed = {match.claim for match in found.match} | {match.verified for match in found.match} | {"name"}
    request.session[FOUND] = {
        "provider": found.code,
        "subject": answer.subject,
        "claims": {name: claims[name] for name in needed if name in claims},
        "next": onward,
        "at": int(time.time()),
    }
    return redirect("oidc:link")


@identity.role_required(*identity.ALL_ROLES)
@identity.proof_needed(back="oidc:link")
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Show both identities, and link them when the person says so and the claims agree."""
    waiting = request.session.get(FOUND)
    if not waiting or time.time() - waiting["at"] > LINK_SECONDS:
        raise Problem(
            "outside-nothing", _("没有等待关联的身份"), remedy=_("请从登录页选择该平台重新登录"), status=400
        )
    found = named(waiting["provider"])
    if request.method == "GET":
        context = {"provider": found, "name": str(waiting["claims"].get("name", ""))[:1]}
        return render(request, "oidc/link.html", context)
    del request.session[FOUND]
    make_link(request.user, found, waiting["subject"], waiting["claims"], timezone.now())
    messages.success(request, _("已关联，以后可以用它登录。"))
    return redirect(waiting["next"] if waiting["next"] != "/" else "oidc:identities")


def make_link(
    account: Any, found: Provider, subject: str, claims: dict[str, Any], now: datetime
) -> OutsideIdentity:
    """Link an identity to an account; every claim the provider is matched by must be verified and agree."""
    if account.role not in found.roles:
        raise Problem("outside-role", _("您的角色不能用这个平台登录"), status=403)
    wrong = [match.claim for match in found.match if not agrees(account, match, claims)]
    if wrong:
        raise Problem(
            "outside-mismatch", _("对方平台核实的信息与这个账户不一致，不能关联"), detail=", ".join(wrong),
            remedy=_("请确认登录的是本人账户；数据有误可提出异议"), status=409,
        )  # fmt: skip
    try:
        with transaction.atomic():
            row = OutsideIdentity.objects.create(
                provider=found.code, subject=subject, account=account, linked_at=now
            )
            deposit("oidc.outside-linked", found, account, now)
    except IntegrityError as error:
        raise Problem("outside-linked", _("这个身份或这个账户已经关联过"), status=409) from error
    return row


def agrees(account: Any, match: Match, claims: dict[str, Any]) -> bool:
    """Say whether one claim is verified and equals what the district holds."""
    if match.verified != ALWAYS and claims.get(match.verified) is not True:
        return False
    said, held = normal(claims.get(match.claim)), normal(held_value(account, match.element))
    return bool(said) and hmac.compare_digest(said.encode(), held.encode())


def held_value(account: Any, element: str) -> Any:
    """Return what the district holds: of the account, or of the person's golden record."""
    if element in STAFF_ELEMENTS:
        return getattr(account, STAFF_ELEMENTS[element])
    if not account.subject_id:
        return None
    try:
        return subjects.effective_record(account.subject_id).values.get(element)
    except Problem as problem:
        if problem.code == "subject-unknown":
            return None
        raise


def normal(value: Any) -> str:
    """Return a value as it is compared: no spaces, one case, telephone numbers without the country."""
    text = "".join(str(value if value is not None else "").split()).casefold()
    return text.removeprefix("+86")


def deposit(kind: str, found: Provider, account: Any, now: datetime) -> None:
    """Put what happened to an identity into the ledger; the subject at the provider stays out of it."""
    ledger.deposit(
        kind, f"account:{account.pk}", {"provider": found.code, "account": str(account.pk)}, now=now
    )


@identity.role_required(*identity.ALL_ROLES)
@require_GET
def identities(request: HttpRequest) -> HttpResponse:
    """List the outside identities of this account, and the providers that can be linked."""
    held = {row.provider: row for row in OutsideIdentity.objects.filter(account=request.user)}
    rows = [
        {"provider": each, "identity": held.get(each.code)}
        for each in providers()
        if request.user.role in each.roles or each.code in held
    ]
    return render(request, "oidc/identities.html", {"rows": rows})


@identity.role_required(*identity.ALL_ROLES)
@require_POST
def unlink(request: HttpRequest, identity_id: int) -> HttpResponse:
    """Take a link back."""
    row = OutsideIdentity.objects.filter(pk=identity_id, account=request.user).first()
    if row is None:
        raise Http404
    now = timezone.now()
    with transaction.atomic():
        payload = {"provider": row.provider, "account": str(row.account_id)}
        ledger.deposit("oidc.outside-unlinked", f"account:{row.account_id}", payload, now=now)
        row.delete()
    messages.success(request, _("已取消关联。"))
    return redirect("oidc:identities")
