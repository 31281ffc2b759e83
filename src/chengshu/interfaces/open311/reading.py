"""What a call says: the query of a list, and a request that is sent. Everything bounded, nothing fetched."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.http import QueryDict

from chengshu.contexts.hall.api import hotline
from chengshu.interfaces.open311.services import BY_CODE, KIND_NAMES, split

WINDOW = dt.timedelta(days=90)
MOST_URL = 2000
FIRST_YEAR, LAST_YEAR = 1970, 2200
_PHONE = re.compile(r"^(1\d{10}|0\d{2,3}-?\d{7,8})$")


class Wrong(Exception):
    """A call that cannot be answered: the code of the specification and why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def instant(text: str, name: str) -> dt.datetime | None:
    """Read a time of the specification (ISO 8601 with a zone)."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(400, f"{name} is no ISO 8601 time") from error
    if found.tzinfo is None:
        raise Wrong(400, f"{name} needs a time zone")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        # Nothing is reckoned at the ends of the calendar.
        raise Wrong(400, f"{name} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return found


def wanted(query: Mapping[str, str], now: dt.datetime) -> hotline.open311.Wanted:
    """Read the query of a list: ids alone, or types, days (90 at most) and status."""
    ids = [text for text in query.get("service_request_id", "").split(",") if text]
    if ids:
        return hotline.open311.Wanted(ids=ids[:50])
    codes = [text for text in query.get("service_code", "").split(",") if text]
    unknown = [code for code in codes if code not in BY_CODE]
    if unknown:
        raise Wrong(404, f"service_code not found: {unknown[0][:40]}")
    until = instant(query.get("end_date", ""), "end_date") or now
    since = instant(query.get("start_date", ""), "start_date") or until - WINDOW
    status = {text for text in query.get("status", "").split(",") if text}
    if not status <= {"open", "closed"}:
        raise Wrong(400, "status is open, closed or both")
    closed = None if len(status) != 1 else status == {"closed"}
    return hotline.open311.Wanted(
        kinds=[code for code in codes if code in KIND_NAMES],
        topics=[code for code in codes if code not in KIND_NAMES],
        since=max(since, until - WINDOW),
        until=until,
        closed=closed,
    )


def asked(sent: QueryDict) -> tuple[hotline.Asked, str]:
    """Read a request that is sent; returns it and the type's way (realtime or batch)."""
    code = sent.get("service_code", "")
    if not code:
        raise Wrong(400, "service_code was not provided")
    found = BY_CODE.get(code)
    if found is None:
        raise Wrong(404, "service_code provided was not found")
    kind, topic = split(code)
    given = {each.code: sent.get(f"attribute[{each.code}]", "") for each in found.attributes}
    for each in found.attributes:
        if each.required and not given[each.code]:
            raise Wrong(400, f"attribute[{each.code}] is required")
        if given[each.code] and given[each.code] not in dict(each.values):
            raise Wrong(400, f"attribute[{each.code}] is none of its values")
    lat, long = _point(sent)
    place = sent.get("address_string", "")
    if lat is None and not place and not sent.get("address_id"):
        raise Wrong(400, "lat and long, address_string or address_id is required")
    name = " ".join(part for part in (sent.get("last_name", ""), sent.get("first_name", "")) if part)[:60]
    phone = sent.get("phone", "")
    if phone and not _PHONE.match(phone):
        raise Wrong(400, "phone is no telephone number")
    open_name = bool(name and phone)
    request = hotline.Asked(
        kind=kind,
        topic=topic or given.get("topic", "other"),
        content=sent.get("description", "").strip(),
        channel="open311",
        urgent=given.get("urgent") == "yes",
        place=(place or sent.get("address_id", ""))[:301],
        latitude=lat,
        longitude=long,
        anonymous=not open_name,
        confidential=open_name and given.get("confidential") == "yes",
        name=name if open_name else "",
        phone=phone if open_name else "",
        media_url=media_url(sent.get("media_url", "")),
    )
    return request, found.type


def _point(sent: QueryDict) -> tuple[float | None, float | None]:
    texts = sent.get("lat", ""), sent.get("long", "")
    if not any(texts):
        return None, None
    try:
        lat, long = float(texts[0]), float(texts[1])
    except ValueError as error:
        raise Wrong(400, "lat and long are two numbers") from error
    if not (math.isfinite(lat) and math.isfinite(long) and abs(lat) <= 90 and abs(long) <= 180):
        raise Wrong(400, "lat and long are WGS-84 degrees")
    return lat, long


def media_url(text: str) -> str:
    """Check a link to a picture: kept for the hotline centre as text, opened by nothing here."""
    if not text:
        return ""
    parts = urlsplit(text) if len(text) <= MOST_URL and text.isprintable() else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Wrong(400, "media_url is an http address of at most 2000 characters")
    try:
        local = not ipaddress.ip_address(parts.hostname).is_global
    except ValueError:
        local = parts.hostname == "localhost" or "." not in parts.hostname
    if local:
        raise Wrong(400, "media_url leads to no public address")
    return text
