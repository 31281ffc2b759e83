"""Sign-ins of an account: where it is signed in, since when, and what ends a session.

``settings.SESSION_LIMITS`` says for each role after how many idle minutes, and after how many hours at most, a session ends.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from chengshu.contexts.identity import windows
from chengshu.contexts.identity.models import Account, SignIn
from chengshu.contexts.identity.rates import client_address

ROW_KEY, SEEN_KEY = "sign_in", "seen_at"
AMR_KEY, AT_KEY, SECOND_KEY = "amr", "signed_in_at", "second_factor_at"
# A page a second would otherwise be a write a second.
SEEN_EVERY = 60
REMEMBERED = timedelta(days=180)
BROWSERS = (
    ("MicroMessenger/", "微信"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
NewSignIn = Callable[[Account, str, str, datetime], None]
_heard: list[NewSignIn] = []


@dataclass(frozen=True, slots=True)
class Place:
    """One place where an account is signed in."""

    id: int
    device: str
    network: str
    since: datetime
    last_seen_at: datetime
    here: bool


def register_on_new_device(handler: NewSignIn) -> None:
    """Say who tells an account about a sign-in from a device and network it was not seen on before."""
    _heard[:] = [handler]


def device_of(request: HttpRequest) -> str:
    """Name browser and system, roughly: enough to know one's own devices by."""
    agent = str(request.META.get("HTTP_USER_AGENT", ""))
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part) or re.sub(r"[^\w./ -]", "", agent)[:40]


def network_of(address: str) -> str:
    """Shorten an address to its network: /24 of IPv4, /48 of IPv6. Where one is to the street is nobody's business."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((known, 24 if known.version == 4 else 48), strict=False))


def note_sign_in(request: HttpRequest, account: Account, now: datetime) -> None:
    """Put a sign-in on record, in the session and for its owner; each door that signs in comes past here."""
    stamp = int(now.timestamp())
    amr = list(getattr(request, "sign_in_amr", ("pwd",)))
    request.session.update({AMR_KEY: amr, AT_KEY: stamp, SEEN_KEY: stamp})
    if "mfa" in amr:
        request.session[SECOND_KEY] = stamp
    if request.session.session_key is None:
        request.session.create()
    device, network = device_of(request), network_of(client_address(request))
    earlier = SignIn.objects.filter(account=account, since__gt=now - REMEMBERED)
    known = {(row.device, row.network) for row in earlier}
    # Whoever signs in again without having signed out keeps the session, and its line.
    row, _made = SignIn.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "account": account,
            "device": device,
            "network": network,
            "since": now,
            "last_seen_at": now,
            "ended_at": None,
            "how_ended": "",
        },
    )
    request.session[ROW_KEY] = row.pk
    # The first sign-in of all is expected; so is one from where one was seen before.
    if known and (device, network) not in known:
        for handler in _heard:
            handler(account, device, network, now)


def on_sign_in(sender: Any, request: HttpRequest, user: Account, **_named: Any) -> None:
    """Hear from Django that somebody signed in: the password page, a passkey, another provider, all come past here."""
    note_sign_in(request, user, timezone.now())


def on_sign_out(sender: Any, request: HttpRequest, user: Account | None, **_named: Any) -> None:
    """Hear from Django that a session ends: signed out here or by another system, idle, or over.

    With a clerk's session ends whom they serve: nobody is served by a window that is closed.
    """
    now = timezone.now()
    note_end(request.session, "signed-out", now)
    if user is not None:
        windows.end(user, now)


def limits_of(role: str) -> tuple[timedelta, timedelta]:
    """Return how long a session of this role may lie idle, and how long it may last."""
    idle, longest = settings.SESSION_LIMITS[role]
    return timedelta(minutes=idle), timedelta(hours=longest)


def over(session: Any, role: str, now: datetime) -> str:
    """Say why this session of somebody in this role is over ("idle", "longest"); empty while it is not."""
    stamp = now.timestamp()
    idle, longest = limits_of(role)
    if stamp - session.get(SEEN_KEY, stamp) > idle.total_seconds():
        return "idle"
    return "longest" if stamp - session.get(AT_KEY, stamp) > longest.total_seconds() else ""


def touch(session: Any, now: datetime) -> None:
    """Note that the session is in use, at most once a minute."""
    stamp = int(now.timestamp())
    if SEEN_KEY in session and stamp - session[SEEN_KEY] > SEEN_EVERY:
        session[SEEN_KEY] = stamp
        SignIn.objects.filter(pk=session.get(ROW_KEY)).update(last_seen_at=now)


def note_end(session: Any, how: str, now: datetime) -> None:
    """Note that this session ends."""
    SignIn.objects.filter(pk=session.get(ROW_KEY), ended_at=None).update(ended_at=now, how_ended=how)


def rekeyed(request: HttpRequest) -> None:
    """Follow the session to its new key."""
    key = request.session.session_key
    SignIn.objects.filter(pk=request.session.get(ROW_KEY)).update(session_key=key)


def places(account: Account, session: Any, now: datetime) -> list[Place]:
    """Return where the account is signed in, this place first, then the latest."""
    rows = list(SignIn.objects.filter(account=account, ended_at=None).order_by("-last_seen_at"))
    keys = [row.session_key for row in rows]
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=now).values_list(
            "session_key", flat=True
        )
    )
    here = session.get(ROW_KEY)
    found = [
        Place(row.pk, row.device, row.network, row.since, row.last_seen_at, row.pk == here)
        for row in rows
        if row.session_key in alive or row.pk == here
    ]
    return sorted(found, key=lambda place: not place.here)


def end(account: Account, sign_in_id: int, now: datetime) -> bool:
    """End one of the account's sessions; false when there is none of this number."""
    rows = list(SignIn.objects.filter(account=account, pk=sign_in_id, ended_at=None))
    _end(rows, "by-owner", now)
    return bool(rows)


def end_others(account: Account, session: Any, how: str, now: datetime) -> int:
    """End all sessions of the account but this one; returns how many."""
    rows = list(SignIn.objects.filter(account=account, ended_at=None).exclude(pk=session.get(ROW_KEY)))
    _end(rows, how, now)
    return len(rows)


def end_all(account: Account, how: str, now: datetime) -> int:
    """End all sessions of an account: it left, or somebody took its rights away."""
    rows = list(SignIn.objects.filter(account=account, ended_at=None))
    _end(rows, how, now)
    windows.end(account, now)
    return len(rows)


def _end(rows: list[SignIn], how: str, now: datetime) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for row in rows:
        store(session_key=row.session_key).delete()
    SignIn.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=now, how_ended=how)
