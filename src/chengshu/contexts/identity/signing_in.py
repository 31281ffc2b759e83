"""Signing in: the first factor, the second where there is one, and proving oneself again before sensitive acts.

Between the first factor and the second the session holds only who is expected, by what means and where they were going,
for five minutes; nobody is signed in until both have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from chengshu.contexts.identity import authenticators, sessions, store
from chengshu.contexts.identity.access import View, may_act
from chengshu.contexts.identity.models import Account

PENDING_KEY, AGAIN_KEY = "second_pending", "proved_at"
PENDING_LIFE = timedelta(minutes=5)
# How long a proof of oneself carries sensitive acts.
FRESH = timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"


def safe_next(request: HttpRequest) -> str:
    """Return the address to go on to: one of this host, else the front page."""
    return safe(request, request.POST.get("next") or request.GET.get("next") or "/")


def safe(request: HttpRequest, target: str) -> str:
    """Return ``target`` where it leads to this host, else the front page."""
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if ours else "/"


def has_second_factor(account: Account) -> bool:
    """Say whether a second factor is set up."""
    return authenticators.confirmed(account) or account.passkeys.exists()


def reset_second_factors(account: Account, now: datetime) -> None:
    """Forget all second factors of someone who lost them and was checked in person; their sessions end."""
    authenticators.remove(account)
    account.recovery_codes.all().delete()
    account.passkeys.all().delete()
    sessions.end_all(account, "factors-reset", now)


def must_have_second_factor(role: str) -> bool:
    """Say whether this role may work only with a second factor (``settings.SECOND_FACTOR_ROLES``)."""
    return role in settings.SECOND_FACTOR_ROLES


def complete_sign_in(
    request: HttpRequest, account: Account, amr: Sequence[str] = ("pwd",), target: str | None = None
) -> HttpResponse | None:
    """Sign in an account whose first factor has passed; returns the way to the second factor where one is set up.

    ``amr``: the means so far by RFC 8176; "mfa" among them says that they were two factors already. ``target`` is where
    to go afterwards, the request's ``next`` without it. The caller has checked ``may_act``.
    """
    if "mfa" not in amr and has_second_factor(account):
        request.session.cycle_key()
        request.session[PENDING_KEY] = {
            "account": account.pk,
            "amr": list(amr),
            "at": int(timezone.now().timestamp()),
            "next": safe(request, target) if target else safe_next(request),
        }
        return HttpResponseRedirect(reverse("identity:second_step"))
    _begin(request, account, amr)
    return None


def _begin(request: HttpRequest, account: Account, amr: Sequence[str]) -> None:
    # login() gives the session a new key: one planted before signing in is worth nothing afterwards.
    request.sign_in_amr = tuple(amr)  # type: ignore[attr-defined]
    request.session.pop(PENDING_KEY, None)
    if request.user.is_authenticated and request.user.pk != account.pk:
        # A shared desk: whoever was signed in here before is signed out, with all that hangs on it.
        logout(request)
    login(request, account, backend=BACKEND)


def pending(request: HttpRequest, now: datetime) -> dict[str, Any] | None:
    """Return what waits for its second factor in this session, with the account under "who"; None when nothing does."""
    waits = request.session.get(PENDING_KEY)
    if not waits or now.timestamp() - waits["at"] > PENDING_LIFE.total_seconds():
        return None
    account = Account.objects.select_related("department").filter(pk=waits["account"]).first()
    return {**waits, "who": account} if account and may_act(account) else None


def finish_second(request: HttpRequest, waits: dict[str, Any], means: Sequence[str]) -> str:
    """Sign in after the second factor; returns where to go on to."""
    store.forget_failures([f"second:{waits['account']}"])
    amr = list(dict.fromkeys([*waits["amr"], *means, "mfa"]))
    _begin(request, waits["who"], amr)
    return str(waits["next"])


def try_code(account: Account, code: str, now: datetime) -> tuple[str, ...]:
    """Return the means by which ``code`` proves the account, empty when it does not; every failure is counted."""
    if authenticators.accept_code(account, code, now):
        return ("otp",)
    if authenticators.use_recovery_code(account, code, now):
        return ("kba",)
    note_second_failure(account, now)
    return ()


def second_locked_for(account: Account, now: datetime) -> timedelta | None:
    """Say how long the second factor stays closed after too many wrong tries."""
    return store.locked([f"second:{account.pk}"], now)


def note_second_failure(account: Account, now: datetime) -> None:
    """Count a wrong second factor."""
    store.count_failure([f"second:{account.pk}"], now)


def wait_words(wait: timedelta) -> str:
    """Say when to try again after too many wrong tries."""
    minutes = int(wait / timedelta(minutes=1)) + 1
    return _("验证失败次数过多，请 %(minutes)s 分钟后再试。") % {"minutes": minutes}


def password_refusal(account: Account, password: str, address: str, now: datetime) -> str:
    """Say why this password does not prove the account's owner; empty when it does. Counted as at the door.

    Whoever finds a browser open must not find out the password by trying.
    """
    wait = store.locked_for(account.username, address, now)
    if wait is not None:
        return wait_words(wait)
    if account.check_password(password):
        store.note_success(account.username)
        return ""
    store.note_failure(account.username, address, now)
    return _("密码不对。")


def note_proved(request: HttpRequest, now: datetime, *, second: bool) -> None:
    """Note in the session that its owner has just proved themselves (again)."""
    stamp = int(now.timestamp())
    request.session[AGAIN_KEY] = stamp
    if second:
        request.session[sessions.SECOND_KEY] = stamp


def recent_second_factor(request: HttpRequest, within: timedelta = FRESH) -> bool:
    """Say whether this session passed a second factor within the last minutes."""
    return _recent(request, (sessions.SECOND_KEY,), within)


def recent_proof(request: HttpRequest, within: timedelta = FRESH) -> bool:
    """Say whether a sensitive act may go ahead: a recent second factor where there is one, else a recent sign-in.

    Demo sign-ins without a second factor always may: everybody knows their password.
    """
    account = request.user
    if not isinstance(account, Account):
        return False
    if has_second_factor(account):
        return recent_second_factor(request, within)
    return account.is_demo or _recent(request, (AGAIN_KEY, sessions.AT_KEY), within)


def _recent(request: HttpRequest, keys: Sequence[str], within: timedelta) -> bool:
    now = timezone.now().timestamp()
    return any(now - request.session.get(key, 0) < within.total_seconds() for key in keys)


def proof_needed(back: str) -> Callable[[View], View]:
    """Guard a sensitive act: who has not proved themselves lately does so first, and comes back to the page ``back``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if recent_proof(request):
                return view(request, *args, **kwargs)
            target = request.get_full_path() if request.method == "GET" else reverse(back)
            return HttpResponseRedirect(f"{reverse('identity:prove')}?{urlencode({'next': target})}")

        return guarded

    return decorate
