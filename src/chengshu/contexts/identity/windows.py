"""Window sessions: a clerk serves one person for at most half an hour, on a recorded ground.

The person sees the session among who read their data; begin and end each have a leaf in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from chengshu.contexts.identity.lifetimes import ended
from chengshu.contexts.identity.models import Account, WindowSession
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem

LONGEST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Ground:
    """Why the clerk may serve: the person is there, or somebody for them with a paper (digest and name of the file)."""

    kind: str
    proxy_name: str = ""
    evidence: str = ""
    evidence_name: str = ""


def begin(clerk: Account, subject_id: str, shown_name: str, ground: Ground, now: datetime) -> WindowSession:
    """Begin to serve a person; whoever was served before is no longer."""
    if clerk.role != Account.Role.CLERK:
        raise Problem("not-a-clerk", _("只有窗口人员可以开始窗口服务"), status=403)
    proxy = ground.kind == WindowSession.Ground.PROXY
    if proxy and not (ground.proxy_name and ground.evidence):
        raise Problem("proxy-without-paper", _("代办须登记代办人姓名并上传委托书"), status=422)
    if proxy and ended([subject_id], now):
        # Whoever stands there alive is served whatever the record says; a letter of the dead carries nobody.
        raise Problem("letter-ended", _("档案记载委托人已死亡，委托书不再有效"), status=409)
    with transaction.atomic():
        # Two presses at once: the second waits, and ends what the first began.
        Account.objects.select_for_update().get(pk=clerk.pk)
        end(clerk, now)
        row = WindowSession.objects.create(
            clerk=clerk,
            subject_id=subject_id,
            shown_name=shown_name,
            ground=WindowSession.Ground(ground.kind),
            proxy_name=ground.proxy_name if proxy else "",
            evidence=ground.evidence if proxy else "",
            evidence_name=ground.evidence_name if proxy else "",
            started_at=now,
            ends_at=now + LONGEST,
        )
        leaf = ledger.deposit("window-session", f"window:{row.pk}", payload_of(row, "began", now), now=now)
        row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
        row.save(update_fields=["leaf_id", "leaf_salt"])
    return row


def payload_of(row: WindowSession, act: str, at: datetime) -> dict[str, str]:
    """Return what the ledger's leaf digests."""
    return {
        "session": str(row.pk),
        "clerk": str(row.clerk_id),
        "subject": row.subject_id,
        "ground": str(row.ground),
        "evidence": row.evidence,
        "act": act,
        "at": at.astimezone(UTC).isoformat(),
    }


def end(clerk: Account, now: datetime) -> bool:
    """End whatever this clerk has open; one that ran out is closed at the moment it did."""
    with transaction.atomic():
        row = WindowSession.objects.select_for_update().filter(clerk=clerk, ended_at=None).first()
        if row is None:
            return False
        row.ended_at = min(now, row.ends_at)
        row.save(update_fields=["ended_at"])
        ledger.deposit("window-session", f"window:{row.pk}", payload_of(row, "ended", row.ended_at), now=now)
    return True


def window_session(session_id: int) -> WindowSession | None:
    """Return a window session by its number."""
    return WindowSession.objects.select_related("clerk__department").filter(pk=session_id).first()


def of_subject(subject_id: str, limit: int = 20) -> list[WindowSession]:
    """Return the window sessions in which a person was served, newest first."""
    rows = WindowSession.objects.filter(subject_id=subject_id).select_related("clerk__department")
    return list(rows.order_by("-started_at")[:limit]) if subject_id else []


def of_clerk(clerk: Account, limit: int = 10) -> list[WindowSession]:
    """Return whom a clerk served lately, newest first; their names are masked."""
    return list(WindowSession.objects.filter(clerk=clerk).order_by("-started_at")[:limit])


def ended_since(since: datetime, now: datetime) -> list[WindowSession]:
    """Return the window sessions that have ended, or run out, since a time."""
    over = WindowSession.objects.filter(ends_at__gte=since).filter(
        Q(ended_at__lte=now) | Q(ended_at=None, ends_at__lte=now)
    )
    return list(over.select_related("clerk").order_by("pk"))
