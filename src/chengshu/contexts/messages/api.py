"""Messages to people and public notices: the only module that others may import.

``wire_effects`` registers publish_notice, end_notice and send_message; the rest reads and settles doubts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db.models import QuerySet

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import notices, sending
from chengshu.contexts.messages.domain import notice_state
from chengshu.contexts.messages.models import Delivery, Message, PublicNotice
from chengshu.contexts.messages.notices import find_notices
from chengshu.contexts.messages.sending import settle
from chengshu.procedure.ports import register_effect

__all__ = [
    "case_panel",
    "doubts",
    "find_notices",
    "messages_of",
    "notice",
    "notice_state",
    "read_message",
    "settle",
    "tell",
    "unread_count",
    "wire_effects",
]


def wire_effects() -> None:
    """Register what this context answers; called once by site/wiring.py."""
    register_effect("publish_notice", notices.publish_notice)
    register_effect("end_notice", notices.end_notice)
    register_effect("send_message", sending.send_message)


def tell(
    account: identity.Account,
    subject: Mapping[str, str],
    body: Mapping[str, str],
    *,
    key: str,
    now: dt.datetime,
    case_id: str = "",
) -> None:
    """Put a message of another context's on someone's page, about a case or none; the same key does so once."""
    message = Message(
        key=key[:160],
        owner=f"account:{account.pk}",
        case_id=case_id,
        subject_zh=subject["zh"][:200],
        subject_en=subject["en"][:200],
        body_zh=body["zh"],
        body_en=body["en"],
        at=now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)


def messages_of(account: identity.Account, now: dt.datetime) -> QuerySet[Message]:
    """Return the messages on someone's page, newest first."""
    return Message.objects.filter(owner__in=_owners(account), at__lte=now).order_by("-at", "-pk")


def unread_count(account: identity.Account, now: dt.datetime) -> int:
    """Return how many of them nobody has read yet."""
    return messages_of(account, now).filter(read_at=None).count()


def read_message(message_id: int, account: identity.Account, now: dt.datetime) -> Message | None:
    """Return one's own message and note that it was read; ``None`` when it is not theirs."""
    found = messages_of(account, now).filter(pk=message_id).first()
    if found is not None and found.read_at is None:
        Message.objects.filter(pk=found.pk, read_at=None).update(read_at=now)
        found.read_at = now
    return found


def notice(notice_id: int) -> PublicNotice | None:
    """Return a public notice."""
    return PublicNotice.objects.filter(pk=notice_id).first()


def doubts() -> QuerySet[Delivery]:
    """Return the deliveries that a person must look at, newest first."""
    wanted = [Delivery.State.UNCERTAIN, Delivery.State.FAILED, Delivery.State.PENDING]
    return Delivery.objects.filter(state__in=wanted).select_related("message").order_by("-made_at", "-pk")


def _owners(account: identity.Account) -> list[str]:
    owners = [f"account:{account.pk}"]
    if account.role == "officer" and account.department_id:
        owners.append(f"department:{account.department_id}")
    return [*owners, f"role:{account.role}"] if account.role != "resident" else owners


def case_panel(case_id: str, viewer: identity.Account, now: dt.datetime) -> list[cases.CasePanelLine]:
    """Return the public notices of a case, for its page."""
    lines = []
    for row in PublicNotice.objects.filter(case_id=case_id).order_by("pk"):
        is_open = notice_state(row.until, row.ended_at, now) == "open"
        until = row.until.isoformat() if row.until else ""
        lines.append(
            cases.CasePanelLine(
                {"zh": row.title, "en": row.title},
                {"zh": f"{row.kind_zh} {until}".strip(), "en": f"{row.kind_en} {until}".strip()},
                f"/notices/{row.pk}",
                {"zh": "公示中" if is_open else "已结束", "en": "open" if is_open else "ended"},
                "info" if is_open else "plain",
            )
        )
    return lines
