"""The effects publish_notice and end_notice, inside the step's transaction, and the reading of notices."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from chengshu.contexts.cases import api as cases
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages.models import PublicNotice
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.ports import EffectRequest


def publish_notice(request: EffectRequest) -> Mapping[str, Any]:
    """Publish a notice with exactly the fields given."""
    params, now = request.params, request.now
    known = PublicNotice.objects.filter(key=request.idempotency_key).first()
    if known is not None:
        return {"notice": known.pk}
    until = _day(params.get("until"))
    if until is not None and until < legal_day(now):
        raise Problem("notice-over", "公示的截止日已经过去", detail=str(until), status=422)
    kind, title = str(params["kind"]), str(params["title"])[:300]
    shown = cases.described(request.case_id, params.get("fields"))
    said = {item["name"]: item["value"] for item in shown}
    values = {
        "facts": request.facts,
        "fields": said,
        "case": cases.case_facts(request.case_id)["kept"],
        "title": title,
        "until": until.isoformat() if until else None,
    }
    body = cases.pack_said(request.case_id, f"public.{kind}.body", values)
    name = cases.pack_said(request.case_id, f"public.{kind}.title", values)
    brief = cases.case_brief(request.case_id)
    payload = {
        "kind": kind,
        "title": title,
        "until": str(until or ""),
        "fields": {i["name"]: i["raw"] for i in shown},
    }
    leaf = ledger.deposit("notice.publish", f"case:{request.case_id}", payload, now=now)
    notice = PublicNotice.objects.create(
        case_id=request.case_id,
        kind=kind,
        kind_zh=(name["zh"] or kind)[:120],
        kind_en=(name["en"] or kind)[:200],
        title=title,
        body_zh=body["zh"],
        body_en=body["en"],
        fields=json.dumps(shown, ensure_ascii=False),
        search=" ".join([title, name["zh"], *(each["zh"] for each in said.values())]).lower(),
        department=brief.department,
        drill=brief.drill,
        key=request.idempotency_key,
        published_at=now,
        until=until,
        leaf_id=leaf.id,
    )
    return {"notice": notice.pk}


def end_notice(request: EffectRequest) -> Mapping[str, Any]:
    """End the notices of a kind that this case, or one that it descends from, has open."""
    now = request.now
    line = cases.case_line(request.case_id)
    open_ones = PublicNotice.objects.filter(
        open_at(now), case_id__in=line, kind=str(request.params["kind"])
    ).order_by("pk")
    ended = []
    for notice in open_ones:
        PublicNotice.objects.filter(pk=notice.pk).update(ended_at=now)
        ledger.deposit("notice.end", f"case:{notice.case_id}", {"notice": notice.pk}, now=now)
        ended.append(notice.pk)
    return {"notices": ended}


def open_at(now: dt.datetime) -> Q:
    """Return the condition of being open at an instant."""
    today = legal_day(now)
    return (Q(ended_at__isnull=True) | Q(ended_at__gt=now)) & (Q(until__isnull=True) | Q(until__gte=today))


def find_notices(
    *, now: dt.datetime, ended: bool = False, text: str = "", kind: str = ""
) -> QuerySet[PublicNotice]:
    """Return notices, newest first: those open, or the archive; each word of ``text`` must occur."""
    found = PublicNotice.objects.filter(published_at__lte=now).order_by("-published_at", "-pk")
    found = found.exclude(open_at(now)) if ended else found.filter(open_at(now))
    for word in text.lower().split()[:8]:
        found = found.filter(search__contains=word)
    return found.filter(kind=kind) if kind else found


def _day(value: Any) -> dt.date | None:
    if value in (None, ""):
        return None
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
