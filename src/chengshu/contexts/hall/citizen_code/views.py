"""The person's code and where it was read; the operator's devices; the devices' own call."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.hall.citizen_code import codec, store
from chengshu.contexts.hall.citizen_code.forms import EnrolForm
from chengshu.contexts.hall.citizen_code.models import CodeDevice, CodeReplay
from chengshu.contexts.hall.mydata.room import doors
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page, role_required
from chengshu.kernel.problems import Problem
from chengshu.kernel.qr import qr_svg

SYNCS = identity.Rate(capacity=30, per_second=0.5)
CODES = identity.Rate(capacity=30, per_second=0.2)
# Renewed while the old one still holds, so that no scanner meets a code that has just ended.
RENEW_AFTER = 40
MOST = 2_000_000
HERE = "citizen_code:code"


@role_required("resident")
@require_GET
def code(request: HttpRequest) -> HttpResponse:
    """Show one's citizen code, and where it was read."""
    if not request.user.subject_id:
        return render(request, "citizen_code/nobody.html", {"doors": doors(HERE)})
    names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    context = {
        **_drawn(request),
        "uses": store.uses_of(request.user.subject_id, names),
        "breadcrumbs": [(_("我的数据"), reverse("hall:home")), (_("市民码"), "")],
        "doors": doors(HERE),
    }
    return _unkept(render(request, "citizen_code/code.html", context))


@role_required("resident")
@require_GET
def fresh(request: HttpRequest) -> HttpResponse:
    """Give the picture of a new code alone: what the page fetches for itself."""
    if not request.user.subject_id:
        return HttpResponse(status=204)
    return _unkept(render(request, "citizen_code/_picture.html", _drawn(request)))


def _drawn(request: HttpRequest) -> dict[str, Any]:
    identity.take_from_bucket("citizen-code", str(request.user.pk), CODES, time.time())
    now = timezone.now()
    text = store.make_code(request.user.subject_id, store.holder_name(request.user), now)
    return {
        "picture": qr_svg(text, border=3),
        "text": text,
        "until": now + codec.LIFE,
        "seconds": int(codec.LIFE.total_seconds()),
        "renew_after": RENEW_AFTER,
    }


def _unkept(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-store"
    return answer


@role_required("operator")
@require_http_methods(["GET", "POST"])
def devices(request: HttpRequest) -> HttpResponse:
    """List the devices that read codes, enrol one, see what was read twice."""
    now = timezone.now()
    form = EnrolForm(get_language() or "", request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            row = store.enrol(
                said["request"], department=said["department"], place=said["place"], days=said["days"],
                by=request.user.username, now=now,
            )  # fmt: skip
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error("request", str(problem.title))
        else:
            messages.success(request, _("设备已登记。请在设备上同步一次，它就能离线读码。"))
            return redirect(f"{reverse('citizen_code:devices')}#{row.code}")
    names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    rows = list(CodeDevice.objects.order_by("code")[:500])
    replays = CodeReplay.objects.filter(settled_at=None).select_related("first__device", "second__device")
    context = {
        "form": form,
        "rows": [(row, names.get(row.department, row.department), _state(row, now)) for row in rows],
        "replays": list(replays.order_by("-found_at")[:50]),
        "breadcrumbs": [(_("读码设备"), "")],
    }
    return render(request, "citizen_code/devices.html", context, status=422 if form.errors else 200)


def _state(row: CodeDevice, now: Any) -> tuple[dict[str, str], str]:
    if row.revoked_at is not None:
        return {"zh": "已停用", "en": "revoked"}, "bad"
    if row.expires_at <= now:
        return {"zh": "授权到期", "en": "over"}, "warn"
    if row.synced_at is None:
        return {"zh": "等待首次同步", "en": "waiting for its first sync"}, "wait"
    if now - row.synced_at > store.BUNDLE_LIFE:
        return {"zh": "太久没有同步", "en": "not synchronised for too long"}, "warn"
    return {"zh": "可以读码", "en": "reads codes"}, "good"


@role_required("operator")
@require_POST
def revoke(request: HttpRequest, device: str) -> HttpResponse:
    """Revoke a lost device: a new key serves from this moment."""
    store.revoke(device, by=request.user.username, now=timezone.now())
    messages.success(request, _("设备已停用，密钥已更换。其他设备同步后继续读码。"))
    return redirect("citizen_code:devices")


@role_required("operator")
@require_POST
def settle(request: HttpRequest, replay: int) -> HttpResponse:
    """Note that a code read twice was looked into."""
    CodeReplay.objects.filter(pk=replay, settled_at=None).update(
        settled_at=timezone.now(), settled_by=request.user.username
    )
    return redirect("citizen_code:devices")


@csrf_exempt
@public_page
@require_POST
def sync(request: HttpRequest) -> HttpResponse:
    """Take a device's signed log, give it keys for the next days sealed to it; its signature is all that counts."""
    identity.take_from_bucket("code-sync", identity.client_address(request), SYNCS, time.time())
    if len(request.body) > MOST:
        raise Problem("device-log", _("这不是登记设备的记录"), status=413)
    text = request.body.decode("ascii", "replace")
    return HttpResponse(store.sync(text, timezone.now()), content_type="application/jose")
