"""The calls of Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2): services, requests, tokens."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.api import hotline
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page
from chengshu.interfaces.open311 import reading, rendering
from chengshu.interfaces.open311.reading import Wrong
from chengshu.interfaces.open311.services import BATCH, BY_CODE, code_of, service_types
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import day_end

OF_ADDRESS = identity.Rate(capacity=60, per_second=2)
OF_KEY = identity.Rate(capacity=30, per_second=0.5)
MOST_BODY = 20_000
DECIMALS = 3
View = Callable[..., HttpResponse]


def georeport(view: View) -> View:
    """Answer in the format asked for, within the rate of the caller's address, refusals in the specification's form."""

    @wraps(view)
    def called(request: HttpRequest, *args: Any, format_: str, **kwargs: Any) -> HttpResponse:
        if format_ not in (rendering.JSON, rendering.XML):
            raise Http404
        try:
            identity.take_from_bucket("open311", identity.client_address(request), OF_ADDRESS, time.time())
            if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BODY:
                raise Wrong(400, "the request is too long")
            _jurisdiction(request)
            return view(request, *args, format_=format_, **kwargs)
        except Wrong as wrong:
            return rendering.errors(format_, wrong.code, wrong.text)
        except Problem as problem:
            if problem.status >= 500:
                raise
            response = rendering.errors(
                format_, 400 if problem.status == 422 else problem.status, str(problem.title)
            )
            if "retry_after" in problem.extra:
                response["Retry-After"] = str(problem.extra["retry_after"])
            return response

    return public_page(called)


def _jurisdiction(request: HttpRequest) -> None:
    """There is one jurisdiction, so nobody has to name it; whoever names another one is told so."""
    named = request.GET.get("jurisdiction_id") or (
        request.POST.get("jurisdiction_id") if request.method == "POST" else ""
    )
    if named and named != jurisdiction():
        raise Wrong(404, "jurisdiction_id provided was not found")


def jurisdiction() -> str:
    """Return the district's code, which is our jurisdiction_id."""
    return str(settings.DISTRICT.get("code") or "440306")


@require_GET
@georeport
def discovery(request: HttpRequest, *, format_: str) -> HttpResponse:
    """Say where the interface is, in which formats, and how to get a key."""
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{settings.PUBLIC_URL}/open311/v2",
        "changeset": "2026-11-22T00:00:00Z",
        "type": "test" if settings.DEMO else "production",
        "formats": ["text/xml", "application/json"],
    }
    record = {
        "changeset": endpoint["changeset"],
        "contact": "12345",
        "key_service": f"{settings.PUBLIC_URL}/hotline/",
        "endpoints": [endpoint],
    }
    return rendering.single(format_, "discovery", record)


@require_GET
@georeport
def services(request: HttpRequest, *, format_: str) -> HttpResponse:
    """List the service types."""
    records = [
        {
            "service_code": each.code,
            "service_name": each.name,
            "description": each.description,
            "metadata": bool(each.attributes),
            "type": each.type,
            "keywords": each.keywords,
            "group": each.group,
        }
        for each in service_types()
    ]
    return rendering.answer(format_, "services", "service", records)


@require_GET
@georeport
def service(request: HttpRequest, code: str, *, format_: str) -> HttpResponse:
    """Say what a service type asks for."""
    found = BY_CODE.get(code)
    if found is None:
        raise Wrong(404, "service_code provided was not found")
    attributes = [
        {
            "variable": True,
            "code": each.code,
            "datatype": each.datatype,
            "required": each.required,
            "datatype_description": None,
            "order": order,
            "description": each.description,
            "values": [{"key": key, "name": name} for key, name in each.values],
        }
        for order, each in enumerate(found.attributes, start=1)
    ]
    return rendering.single(format_, "service_definition", {"service_code": code, "attributes": attributes})


@csrf_exempt
@require_http_methods(["GET", "POST"])
@georeport
def requests(request: HttpRequest, *, format_: str) -> HttpResponse:
    """List requests, or take one from a program that has a key."""
    now = timezone.now()
    if request.method == "POST":
        return _take(request, format_, now)
    rows = hotline.open311.public_requests(reading.wanted(request.GET.dict(), now))
    return rendering.answer(format_, "service_requests", "request", _records(rows))


def _take(request: HttpRequest, format_: str, now: dt.datetime) -> HttpResponse:
    key = hotline.open311.key_of(request.POST.get("api_key") or request.GET.get("api_key", ""))
    if key is None:
        raise Wrong(403, "Missing or Invalid API Key")
    identity.take_from_bucket("open311-key", str(key.pk), OF_KEY, time.time())
    sent, way = reading.asked(request.POST)
    hotline.open311.check(sent, now)
    notice = "两小时内派单；凭 service_request_id 查询进展。"
    if way == BATCH:
        token = hotline.open311.take_later(sent, key, now)
        return rendering.answer(
            format_,
            "service_requests",
            "request",
            [{"token": token, "service_notice": notice, "account_id": None}],
            201,
        )
    # The same request sent again within the minute, by a program that saw no answer, is the same case.
    said = json.dumps([f"{now:%Y%m%d%H%M}", sorted(request.POST.lists())])
    same = hashlib.sha256(said.encode()).hexdigest()[:40]
    taken = hotline.open311.take_now(sent, key, same, now)
    record = {"service_request_id": taken.case_id, "service_notice": notice, "account_id": None}
    return rendering.answer(format_, "service_requests", "request", [record], 201)


@require_GET
@georeport
def one_request(request: HttpRequest, number: str, *, format_: str) -> HttpResponse:
    """Show one request, as everyone may see it."""
    row = hotline.open311.public_request(number)
    if row is None:
        raise Wrong(404, "service_request_id provided was not found")
    return rendering.answer(format_, "service_requests", "request", _records([row]))


@require_GET
@georeport
def token(request: HttpRequest, token: str, *, format_: str) -> HttpResponse:
    """Tell the number of a request that was taken in under a token."""
    row = hotline.open311.of_token(token)
    if row is None:
        raise Wrong(404, "token provided was not found")
    record = {"service_request_id": row.case_id or None, "token": row.token}
    return rendering.answer(format_, "service_requests", "request", [record])


def _records(rows: list[Any]) -> list[dict[str, Any]]:
    """Return requests in the specification's fields: no words of the person, no address, the point to a hundred metres."""
    names = {row.code: row.name_zh for row in identity.departments()}
    words = hotline.state_words()
    return [_record(row, names, words) for row in rows]


def _record(row: Any, names: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    code = code_of(row.kind, row.topic)
    known = BY_CODE.get(code)
    due = day_end(row.due_on) if row.due_on else None
    return {
        "service_request_id": row.case_id,
        "status": "closed" if row.closed else "open",
        "status_notes": "：".join(part for part in (words.get(row.state, ""), row.public_reply) if part)
        or None,
        "service_name": known.name if known else row.topic,
        "service_code": code,
        "description": None,
        "agency_responsible": names.get(row.department),
        "service_notice": None,
        "requested_datetime": _said(row.requested_at),
        "updated_datetime": _said(row.updated_at),
        "expected_datetime": _said(due) if due else None,
        "address": row.cell_code or None,
        "address_id": None,
        "zipcode": None,
        "lat": None if row.latitude is None else round(row.latitude, DECIMALS),
        "long": None if row.longitude is None else round(row.longitude, DECIMALS),
        "media_url": None,
    }


def _said(at: dt.datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")
