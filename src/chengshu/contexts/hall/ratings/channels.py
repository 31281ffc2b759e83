"""By which channel this request comes: what a case notes when it is opened, and each visit to the window after that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from chengshu.contexts.hall.ratings.models import Channel
from chengshu.contexts.identity.api import Account

_current: ContextVar[str] = ContextVar("channel", default="")
_PHONE = re.compile(r"Mobile|Android|iPhone|HarmonyOS|MicroMessenger", re.IGNORECASE)


class ChannelMiddleware:
    """Say for the time of a request by which channel it comes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request within its channel."""
        token = _current.set(channel_of(request))
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)


def channel_of(request: HttpRequest) -> str:
    """Return the channel of a request: a window clerk's pages are the hall, a phone's browser is mobile, else the portal."""
    account = getattr(request, "user", None)
    if isinstance(account, Account) and account.role == Account.Role.CLERK:
        return Channel.HALL.value
    agent = request.META.get("HTTP_USER_AGENT", "")
    return Channel.MOBILE.value if _PHONE.search(agent) else Channel.PORTAL.value


def current_channel() -> str:
    """Return the channel of the request that is being answered; the portal outside of any."""
    return _current.get() or Channel.PORTAL.value


@contextmanager
def coming_by(channel: Channel) -> Iterator[None]:
    """Take what is done inside as coming by a channel, where no request says so: a demo that is being founded."""
    token = _current.set(channel.value)
    try:
        yield
    finally:
        _current.reset(token)
