"""Keeps a row for every service to a person, in the same transaction as its case: what begins, ends and was promised."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.ratings import tickets
from chengshu.contexts.hall.ratings.channels import current_channel
from chengshu.contexts.hall.ratings.models import Channel, Rating, Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import EXPIRED, LATE, MET

HOTLINE, FOLLOW_UP = "citizen-hotline", "rating-return-visit"
# A request to the hotline is rated once it is answered and called back, not after the days to have it opened again.
SETTLED = "settled"
OVER_TIME = (EXPIRED, LATE)
# Roles of the person served: a term in which only they have a task is not the office's.
PERSONS = frozenset({"opener", "party", "public", "assignee"})
HOTLINE_CHANNELS = {
    "phone": Channel.HOTLINE,
    "hall": Channel.HALL,
    "mobile": Channel.MOBILE,
    "portal": Channel.PORTAL,
}


def follow(step: cases.StepTaken) -> None:
    """Note a step of any case: its opening, a visit to the window, its end."""
    if step.case.pack == FOLLOW_UP:
        _follow_up_moved(step)
        return
    if step.event["seq"] == 1:
        _begun(step)
    elif step.event["actor"]["id"].isdigit() and current_channel() == Channel.HALL:
        _visited(step.case.id, step.now)
    if "outcome" in step.event or (step.case.pack == HOTLINE and step.case.state == SETTLED):
        _ended(step)
    elif any(
        term["state"] in OVER_TIME and term["id"] in office_terms(step)
        for term in step.event.get("terms", ())
    ):
        # A case that nobody ends is late all the same, and one whose term begins anew has been late.
        rows = Service.objects.filter(reference=f"case:{step.case.id}", round=1)
        rows.update(late=True, department=step.department)


def _begun(step: cases.StepTaken) -> None:
    opener = step.case.opened_by
    account = identity.account(int(opener)) if opener.isdigit() else None
    behalf = step.event.get("on_behalf") or {}
    resident = account is not None and account.role == "resident"
    if not (resident or behalf or step.case.pack == HOTLINE):
        # What the office opens for itself is no service to a person.
        return
    channel = _channel(step)
    subject = str(behalf.get("subject_id") or (account.subject_id if resident and account else ""))
    Service.objects.create(
        reference=f"case:{step.case.id}",
        case_id=step.case.id,
        pack=step.case.pack,
        department=step.department,
        channel=channel,
        account_id=account.pk if account is not None and resident else None,
        subject_id=subject,
        papers=len(step.event.get("files", [])) + _papers(step.case.facts) + _papers(step.personal),
        visit_days=[legal_day(step.now).isoformat()] if channel == Channel.HALL else [],
        began_at=step.now,
    )


def _channel(step: cases.StepTaken) -> str:
    if step.case.pack == HOTLINE:
        said = str(step.case.facts.get("channel") or "")
        return HOTLINE_CHANNELS.get(said, Channel.PORTAL).value
    by = (step.event.get("on_behalf") or {}).get("by")
    return Channel.HALL.value if by == "window" else current_channel()


def _papers(values: Any) -> int:
    """Count the files among the answers: digests of 64 characters in lists."""
    lists = [value for value in dict(values or {}).values() if isinstance(value, list)]
    return sum(1 for value in lists for item in value if isinstance(item, str) and len(item) == 64)


def _visited(case_id: str, now: dt.datetime) -> None:
    row = Service.objects.filter(reference=f"case:{case_id}", round=1).first()
    day = legal_day(now).isoformat()
    if row is not None and day not in row.visit_days:
        Service.objects.filter(pk=row.pk).update(visit_days=[*row.visit_days, day])


def _ended(step: cases.StepTaken) -> None:
    row = Service.objects.filter(reference=f"case:{step.case.id}", round=1).first()
    if row is None:
        return
    first_end = row.ended_at is None
    own = office_terms(step)
    over = [
        term for name, term in step.case.terms.items() if name in own and term["state"] in (MET, *OVER_TIME)
    ]
    if first_end:
        # What a person has time for after that, such as having it opened again, was not promised to them.
        due = [dt.datetime.fromisoformat(term["due_at"]) for term in over if term["due_at"]]
        row.promised_at = max(due, default=None)
    row.department = step.department or row.department
    row.outcome = step.case.outcome or row.outcome
    row.late = row.late or any(term["state"] in OVER_TIME for term in over)
    row.served_by = _servers(step)
    row.ended_at = row.ended_at or step.now
    if first_end and invite(row, step.now):
        row.invited_at = step.now
    row.save(
        update_fields=["department", "outcome", "promised_at", "late", "served_by", "ended_at", "invited_at"]
    )


_known: dict[str, frozenset[str]] = {}


def office_terms(step: cases.StepTaken) -> frozenset[str]:
    """Return the terms that the office has to keep, by the case's own version of its pack: not the person's own."""
    pack = step.pack
    if pack.hash not in _known:

        def of_office(state: str) -> bool:
            roles = pack.states[state].tasks
            return not roles or any(pack.roles[role].holder not in PERSONS for role in roles)

        _known[pack.hash] = frozenset(
            term
            for term, item in pack.deadlines.items()
            if any(of_office(each) for each in item.runs_while)
            and not (item.until and pack.only_passes(term))
        )
    return _known[pack.hash]


def _servers(step: cases.StepTaken) -> list[str]:
    """Return the accounts that took steps for the office: whoever the case belongs to is not among them."""
    found = {actor for actors in step.case.acted.values() for actor in actors} | {step.event["actor"]["id"]}
    return sorted(actor for actor in found if actor.isdigit() and actor != step.case.opened_by)


def invite(row: Service, now: dt.datetime) -> bool:
    """Ask for a rating by a message, always and of everyone: nobody chooses who is asked. The caller notes when."""
    account = identity.account(row.account_id) if row.account_id is not None else None
    if account is None:
        return False
    link = f"{settings.PUBLIC_URL}/hall/ratings/give/{tickets.link_code(row.pk)}"
    again = row.round > 1
    messages.tell(
        account,
        {
            "zh": "整改结果请您再评价" if again else "请您评价这次服务",
            "en": "Please rate what was mended" if again else "Please rate this service",
        },
        {
            "zh": f"一共五个等级，可以匿名，每次服务评价一次。打开：{link}",
            "en": f"Five grades, anonymous if you like, once a service. Open: {link}",
        },
        key=f"rating:{row.reference}:{row.round}",
        now=now,
        case_id=row.case_id if row.round == 1 else "",
    )
    return True


def _follow_up_moved(step: cases.StepTaken) -> None:
    """A follow-up has ended: set the rating aside where that was decided, else let its result be rated once."""
    if "outcome" not in step.event:
        return
    rating = Rating.objects.select_related("service").filter(follow_up=step.case.id).first()
    if rating is None:
        return
    if step.case.outcome == "set-aside":
        ground = str(step.case.kept.get("contest") or "")
        Rating.objects.filter(pk=rating.pk).update(set_aside=ground, set_aside_at=step.now)
        return
    if rating.service is not None:
        second_round(rating.service, step)


def second_round(first: Service, step: cases.StepTaken) -> Service | None:
    """Make the second round of a service; None where it is there already."""
    try:
        with transaction.atomic():
            row = Service.objects.create(
                reference=first.reference,
                round=first.round + 1,
                case_id=step.case.id,
                pack=first.pack,
                department=first.department,
                channel=first.channel,
                account_id=first.account_id,
                subject_id=first.subject_id,
                served_by=_servers(step),
                began_at=dt.datetime.fromisoformat(step.case.opened_at),
                ended_at=step.now,
                outcome=step.case.outcome,
            )
    except IntegrityError:
        return None
    if invite(row, step.now):
        Service.objects.filter(pk=row.pk).update(invited_at=step.now)
    return row


def window_service(
    session_id: int,
    *,
    clerk_id: int,
    subject_id: str,
    department: str,
    began_at: dt.datetime,
    ended_at: dt.datetime | None,
) -> Service:
    """Keep a turn at the window as a service of its own; the same turn finds its row."""
    values = {
        "pack": "window",
        "department": department,
        "channel": Channel.HALL,
        "subject_id": subject_id,
        "served_by": [str(clerk_id)],
        "visit_days": [legal_day(began_at).isoformat()],
        "began_at": began_at,
        "ended_at": ended_at,
    }
    row, made = Service.objects.get_or_create(reference=f"window:{session_id}", round=1, defaults=values)
    if not made and ended_at is not None and row.ended_at is None:
        Service.objects.filter(pk=row.pk).update(ended_at=ended_at)
        row.ended_at = ended_at
    return row
