"""For whom an account acts on this page: for itself, by a mandate, or at the window for whoever stands there.

The session keeps only the number of the mandate or of the window session; whether it is in force is read each time, so
what was revoked or has ended holds no longer on the very next page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.identity.lifetimes import ended
from chengshu.contexts.identity.models import Account, Mandate, WindowSession
from chengshu.kernel.problems import Problem

SELF, MANDATE, WINDOW, RECORD = "self", "mandate", "window", "record"
SESSION_KEY = "acting"
# Digits that no number of ours has.
LONG = 16


@dataclass(frozen=True, slots=True)
class Acting:
    """Whose matter it is on this page, and on what ground ``account`` may see to it.

    ``by`` is "self", "mandate" or "window". ``mandate_id`` is the number of the mandate; a legal representative whom
    the golden record names acts ``by`` "mandate" without one. ``scope`` None stands for every matter.
    """

    account: Account
    subject_id: str
    name: str
    by: str = SELF
    mandate_id: int | None = None
    scope: frozenset[str] | None = None
    window_id: int | None = None
    until: datetime | date | None = None

    def may(self, pack_id: str) -> bool:
        """Say whether a matter of this pack is covered."""
        return self.scope is None or pack_id in self.scope

    @property
    def for_other(self) -> bool:
        """Whether it is somebody else's matter."""
        return self.by != SELF

    def on_behalf(self) -> dict[str, Any] | None:
        """Return what ``cases.api.open_case(on_behalf=…)`` keeps; None for one's own matters."""
        if not self.for_other:
            return None
        return {"subject_id": self.subject_id, "by": self.by, "mandate": self.mandate_id or self.window_id}


@dataclass(frozen=True, slots=True)
class Represented:
    """A firm that the golden record says this person legally represents."""

    subject_id: str
    name: str


# The second argument narrows to one firm; empty: all of them.
Firms = Callable[[Account, str], list[Represented]]
_firms: list[Firms] = []


def register_firms(handler: Firms) -> None:
    """Say who knows which firms a person legally represents; ``site`` wires it, identity knows no golden record."""
    _firms[:] = [handler]


def represented(account: Account, firm: str = "") -> list[Represented]:
    """Return the firms that this account acts for because the record says so; with ``firm`` that one, if it is so."""
    if account.role != Account.Role.RESIDENT or not account.subject_id:
        return []
    return _firms[0](account, firm) if _firms else []


def acting(request: HttpRequest) -> Acting:
    """Return for whom the account of this request acts; read once a request.

    What is not in force any more counts as one's own matters, and is forgotten; a call of the API that names a mandate
    not in force (``X-Mandate``) is refused.
    """
    kept: Acting | None = getattr(request, "_acting", None)
    account = request.user
    if not isinstance(account, Account):
        raise TypeError("acting() needs a signed-in account")
    if kept is None or kept.account.pk != account.pk:
        kept = _read(request, account, timezone.now())
        request._acting = kept  # type: ignore[attr-defined]
    return kept


def _read(request: HttpRequest, account: Account, now: datetime) -> Acting:
    if (named := request.META.get("HTTP_X_MANDATE")) and request.path.startswith("/api/"):
        found = resolve(
            account,
            {
                "by": MANDATE,
                "id": int(named) if named.isascii() and named.isdigit() and len(named) < LONG else None,
            },
            now,
        )
        if found is None:
            # A program that asks to act for another must never act for itself instead.
            raise Problem("mandate-not-in-force", _("这个授权现在无效"), detail=named[:20], status=403)
        return found
    chosen = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    if isinstance(chosen, dict):
        found = resolve(account, chosen, now)
        if found is not None:
            return found
        del request.session[SESSION_KEY]
        request.acting_ended = True  # type: ignore[attr-defined]
    return own(account)


def own(account: Account) -> Acting:
    """Return acting for oneself."""
    return Acting(account, account.subject_id, account.shown_name)


def resolve(account: Account, chosen: dict[str, Any], now: datetime) -> Acting | None:
    """Return what a choice kept in the session stands for at ``now``; None when it holds no longer."""
    if chosen.get("by") == MANDATE and isinstance(chosen.get("id"), int):
        row = in_force(now).filter(agent=account, pk=chosen["id"]).first()
        if row is None or ended([row.principal_id, account.subject_id], now):
            return None
        return by_mandate(account, row)
    if chosen.get("by") == RECORD:
        firms = represented(account, str(chosen.get("id") or "-"))
        return Acting(account, firms[0].subject_id, firms[0].name, MANDATE) if firms else None
    if chosen.get("by") == WINDOW and isinstance(chosen.get("id"), int):
        open_now = WindowSession.objects.filter(
            clerk=account, pk=chosen["id"], ended_at=None, ends_at__gt=now
        )
        served = open_now.first()
        return at_window(account, served) if served else None
    return None


def in_force(now: datetime) -> Any:
    """Return the mandates in force at ``now``: accepted, not revoked, within their days (both included).

    Whether their two sides still live is another question: ``lifetimes.ended``.
    """
    today = timezone.localdate(now)
    return Mandate.objects.filter(state=Mandate.State.ACCEPTED, valid_from__lte=today, valid_to__gte=today)


def by_mandate(account: Account, row: Mandate) -> Acting:
    """Return acting by a mandate."""
    scope = None if row.every_matter else frozenset(row.scope)
    return Acting(
        account, row.principal_id, row.principal_name, MANDATE, row.pk, scope, until=row.valid_to
    )  # fmt: skip


def at_window(account: Account, served: WindowSession) -> Acting:
    """Return acting for the person at the window."""
    return Acting(
        account, served.subject_id, served.shown_name, WINDOW, window_id=served.pk, until=served.ends_at
    )  # fmt: skip


def act_as(request: HttpRequest, chosen: dict[str, Any]) -> Acting | None:
    """Begin to act for another; None (and nothing changed) where that is not in force."""
    account = request.user
    found = resolve(account, chosen, timezone.now()) if isinstance(account, Account) else None
    if found is not None:
        request.session[SESSION_KEY] = chosen
        request._acting = found  # type: ignore[attr-defined]
    return found


def act_for_oneself(request: HttpRequest) -> None:
    """Leave: from here on the account sees to its own matters."""
    request.session.pop(SESSION_KEY, None)
    if isinstance(request.user, Account):
        request._acting = own(request.user)  # type: ignore[attr-defined]
