"""The page of offers: what one is entitled to by the records, taken up by one press or declined for good."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.hall.mydata.room import doors
from chengshu.contexts.hall.offers import store
from chengshu.contexts.identity.api import role_required


@role_required("resident")
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """Show one's offers: open ones, and what became of the others."""
    found = store.offers_of(request.user.subject_id)
    context = {
        "doors": doors("hall:offers"),
        "open": [each for each in found if each.open],
        "past": [each for each in found if not each.open],
    }
    return render(request, "hall/offers.html", context)


@role_required("resident")
@require_POST
def accept(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Take an offer up: the prefilled application opens."""
    return redirect(store.accept(request.user, offer_id, timezone.now()))


@role_required("resident")
@require_POST
def decline(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Decline an offer; it does not come back."""
    store.decline(request.user, offer_id, timezone.now())
    messages.success(request, _("已记下，这项服务不再推送给您。需要时仍可以自己申请。"))
    return redirect("hall:offers")
