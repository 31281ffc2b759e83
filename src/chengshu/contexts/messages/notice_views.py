"""Public pages of notices: those open, the archive, one notice with what the public may do, and the feed."""

from __future__ import annotations

import json

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page
from chengshu.contexts.messages import api
from chengshu.contexts.messages.models import PublicNotice

PAGE, FEED = 20, 50


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the notices that are open, or the archive."""
    now = timezone.now()
    ended, text = request.GET.get("state") == "ended", request.GET.get("q", "").strip()[:100]
    page = Paginator(api.find_notices(now=now, ended=ended, text=text), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "lines": [(row, {"zh": row.kind_zh, "en": row.kind_en}, _issuer(row)) for row in page],
        "ended": ended,
        "q": text,
        "breadcrumbs": [(_("公示公告"), "")],
    }
    return render(request, "messaging/notices.html", context)


@public_page
@require_http_methods(["GET", "POST"])
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show one notice: exactly its fields; while it is open, what the public may do about it."""
    row = api.notice(notice_id)
    if row is None:
        raise Http404
    state = api.notice_state(row.until, row.ended_at, timezone.now())
    panel = cases.public_panel(request, row.case_id, back=request.path) if state == "open" else None
    if isinstance(panel, HttpResponse):
        return panel
    context = {
        "notice": row,
        "kind": {"zh": row.kind_zh, "en": row.kind_en},
        "body": {"zh": row.body_zh, "en": row.body_en},
        "fields": json.loads(row.fields),
        "open": state == "open",
        "issuer": _issuer(row),
        "panel": panel,
        "breadcrumbs": [(_("公示公告"), reverse("notices:home")), (row.title, "")],
    }
    return render(request, "messaging/notice.html", context, status=422 if panel and panel.wrong else 200)


@public_page
@require_GET
def feed(request: HttpRequest) -> HttpResponse:
    """Give the newest notices as an Atom feed."""
    base = settings.PUBLIC_URL
    atom = Atom1Feed(
        title=f"{settings.DISTRICT['name']['zh']} 公示公告",
        link=f"{base}{reverse('notices:home')}",
        description="",
        feed_url=f"{base}{reverse('notices:feed')}",
        language="zh-hans",
    )
    for row in api.find_notices(now=timezone.now())[:FEED]:
        link = f"{base}{reverse('notices:notice', args=[row.pk])}"
        lines = [f"{item['label']['zh']}：{item['value']['zh']}" for item in json.loads(row.fields)]
        atom.add_item(
            title=f"{row.kind_zh}：{row.title}",
            link=link,
            unique_id=link,
            description="\n".join([row.body_zh, *lines]).strip(),
            pubdate=row.published_at,
            updateddate=row.published_at,
            author_name=_issuer(row)["zh"],
        )
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _issuer(row: PublicNotice) -> dict[str, str]:
    if row.department:
        return identity.department_name(row.department)
    return dict(settings.DISTRICT["name"])
