"""Public pages of the registers: search, one entry with its history, the whole as open data."""

from __future__ import annotations

import datetime as dt
import json

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.certificates import queries
from chengshu.contexts.certificates.models import Register, RegisterEntry
from chengshu.contexts.certificates.panels import ENTRY_WORDS, TONES
from chengshu.contexts.identity.api import public_page
from chengshu.kernel.spreadsheet import csv_lines
from chengshu.kernel.terms import legal_day

PAGE = 30
EVENT_WORDS = {
    "enter": {"zh": "登记", "en": "Entered"},
    "update": {"zh": "变更", "en": "Changed"},
    "cancelled": {"zh": "注销", "en": "Cancelled"},
    "lapsed": {"zh": "失效", "en": "Lapsed"},
    "replaced": {"zh": "替换", "en": "Replaced"},
    "transferred": {"zh": "转移", "en": "Transferred"},
}


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the registers."""
    context = {"registers": queries.registers(), "breadcrumbs": [(_("登记簿"), "")]}
    return render(request, "certificates/registers.html", context)


@public_page
@require_GET
def register(request: HttpRequest, code: str) -> HttpResponse:
    """Search a register."""
    found = _register(code)
    text, state = request.GET.get("q", "").strip()[:100], request.GET.get("state", "")
    page = Paginator(queries.entries(code, text=text, state=state), PAGE).get_page(request.GET.get("page"))
    on = legal_day(timezone.now())
    context = {
        "register": found,
        "title": {"zh": found.title_zh, "en": found.title_en},
        "page": page,
        "lines": [(row, _state(row, on), json.loads(row.fields)[:3]) for row in page],
        "q": text,
        "state": state,
        "states": [(value, ENTRY_WORDS[value]) for value in RegisterEntry.State.values],
        "breadcrumbs": [(_("登记簿"), reverse("registers:home")), (found.title_zh, "")],
    }
    return render(request, "certificates/register.html", context)


@public_page
@require_GET
def entry(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show one entry: exactly its fields, and its history."""
    found = _register(code)
    row = queries.entry(code, number)
    if row is None:
        raise Http404
    on = legal_day(timezone.now())
    context = {
        "register": found,
        "title": {"zh": found.title_zh, "en": found.title_en},
        "entry": row,
        "state": _state(row, on),
        "fields": json.loads(row.fields),
        "events": queries.entry_events(row),
        "kinds": EVENT_WORDS,
        "breadcrumbs": [
            (_("登记簿"), reverse("registers:home")),
            (found.title_zh, reverse("registers:register", args=[code])),
            (str(number), ""),
        ],
    }
    return render(request, "certificates/entry.html", context)


@public_page
@require_GET
def export(request: HttpRequest, code: str) -> StreamingHttpResponse:
    """Give the register as open data: CSV, what its pages show."""
    _register(code)
    on = legal_day(timezone.now())
    answer = StreamingHttpResponse(
        csv_lines(queries.open_rows(code, on)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="register-{code}.csv"'
    return answer


def _register(code: str) -> Register:
    found = queries.register(code)
    if found is None:
        raise Http404
    return found


def _state(row: RegisterEntry, on: dt.date) -> tuple[dict[str, str], str]:
    state = queries.entry_state(row, on)
    return ENTRY_WORDS[state], TONES.get(state, "plain")
