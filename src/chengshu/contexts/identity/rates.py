"""Rates: a bucket of calls for each account or network address, that refills evenly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from chengshu.contexts.identity.buckets import buckets
from chengshu.kernel.problems import Problem


@dataclass(frozen=True, slots=True)
class Rate:
    """``capacity`` calls at once, then ``per_second``."""

    capacity: int
    per_second: float


def take_from_bucket(kind: str, key: str, rate: Rate, now: float) -> None:
    """Take one call from a bucket; an empty one answers 429 and says when to come back.

    All web processes of this machine share the buckets (``buckets.py``); several machines count each for itself, so there
    the real rate is at most ``rate`` times their number.
    """
    # Named so that no backup takes it along.
    shared = buckets(Path(settings.VAR_DIR) / "tmp-rates.bin")
    short = shared.take(f"{kind}:{key}", rate.capacity, rate.per_second, now)
    if short:
        wait = max(1, round(short))
        raise Problem(
            "too-many-calls",
            _("请求过于频繁"),
            remedy=_("%(wait)s 秒后再试") % {"wait": wait},
            status=429,
            retry_after=wait,
        )


def client_address(request: HttpRequest) -> str:
    """Return the caller's network address; behind a trusted proxy (``settings.TRUSTED_PROXY``) the one it names."""
    if getattr(settings, "TRUSTED_PROXY", False):
        # The last entry is the one that our own proxy wrote; those before it are the caller's word.
        named = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
        if named:
            return named
    return str(request.META.get("REMOTE_ADDR", ""))
