"""Returns: what a department finds of the corrections to its records; disputes and who decides them, by when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import Account, department_name, is_personal, mask, record_read
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects import disputing
from chengshu.contexts.subjects.corrections import (
    DECIDER,
    DISPUTE_TERM,
    apply_correction,
    last_day,
    withdraw_correction,
)
from chengshu.contexts.subjects.labels import element_label
from chengshu.contexts.subjects.models import Correction, Dispute, Return
from chengshu.contexts.subjects.reading import effective_record, provenance
from chengshu.kernel.problems import Problem

PAGE = 50
OF_PLACE = "premises."
MOST_PLACES_A_DAY = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """How a department's returns stand."""

    open: int
    accepted: int
    disputed: int
    overdue: int


def returns(department: str | None, *, state: str | None = None) -> QuerySet[Return]:
    """Return a department's returns (all departments' for None), the most urgent first."""
    found = Return.objects.select_related("correction").order_by("due_on", "pk")
    if department is not None:
        found = found.filter(department=department)
    return found.filter(state=state) if state else found


def page_of_returns(department: str | None, state: str | None, number: Any) -> Page[Return]:
    """Return one page."""
    return Paginator(returns(department, state=state), PAGE).get_page(number)


def returns_summary(department: str, on: dt.date) -> Summary:
    """Count a department's returns by state."""
    counted = (
        returns(department)
        .order_by()
        .aggregate(
            open=Count("pk", filter=Q(state=Return.State.OPEN)),
            accepted=Count("pk", filter=Q(state__in=[Return.State.ACCEPTED, Return.State.FULFILLED])),
            disputed=Count("pk", filter=Q(state=Return.State.DISPUTED)),
            overdue=Count("pk", filter=Q(state=Return.State.OPEN, due_on__lt=on)),
        )
    )
    return Summary(**counted)


def one_return(return_id: int, department: str | None) -> Return:
    """Return one return that the department may see."""
    row = returns(department).filter(pk=return_id).first()
    if row is None:
        raise Problem("return-unknown", _("没有这条返还"), status=404)
    return row


def seen_in_full(return_id: int, department: str, *, actor: Account, now: dt.datetime) -> Return:
    """Return a return that somebody sees with whole values: the read is put on record for the person it is about."""
    row = one_return(return_id, department)
    if is_personal(row.correction.element):
        record_read(actor, row.correction.subject_id, "correction-review", [row.correction.element], now)
    return row


def accept(return_id: int, *, department: str, actor: Account, note: str = "", now: dt.datetime) -> Return:
    """The department takes the correction over; it is fulfilled once its next delivery has the value."""
    with transaction.atomic():
        row = _open(return_id, department)
        row.state, row.answered_at, row.answered_by, row.answer = (
            Return.State.ACCEPTED,
            now,
            actor.display_name,
            note,
        )
        row.save()
        deposit(
            "return-accepted", f"return:{row.pk}", {"correction": row.correction_id, "by": actor.pk}, now=now
        )
    return row


def dispute(return_id: int, *, department: str, actor: Account, reason: str, now: dt.datetime) -> Dispute:
    """The department stands by its value: a named decider has a term, and readers see that it is disputed."""
    if not reason.strip():
        raise Problem("dispute-reason", _("请写明异议的理由"), status=422)
    with transaction.atomic():
        row = _open(return_id, department)
        row.state, row.answered_at, row.answered_by, row.answer = (
            Return.State.DISPUTED,
            now,
            actor.display_name,
            reason,
        )
        row.save()
        made = Dispute.objects.create(
            subject_id=row.correction.subject_id, element=row.correction.element, claimed=row.record_value or "",
            reason=reason, raised_by=actor.display_name, raised_at=now, case_id=row.correction.case_id, answered=row,
            stage=Dispute.Stage.DECIDER, decider=DECIDER, decide_by=last_day(DISPUTE_TERM, now),
            idempotency_key=f"return:{row.pk}",
        )  # fmt: skip
        disputing.open_dispute_case(
            made, effective_record(row.correction.subject_id), value=row.correction.value,
            source_title=department_name(department)["zh"],
            department=department, actor=actor, now=now,
        )  # fmt: skip
        deposit(
            "return-disputed",
            f"return:{row.pk}",
            {"dispute": made.pk, "by": actor.pk, "reason": reason},
            now=now,
        )
    made.refresh_from_db()
    return made


def _open(return_id: int, department: str) -> Return:
    row = Return.objects.select_for_update().select_related("correction").filter(pk=return_id).first()
    if row is None or row.department != department:
        raise Problem("return-unknown", _("没有这条返还"), status=404)
    if row.state != Return.State.OPEN:
        raise Problem("return-answered", _("这条返还已经答复过"), detail=row.get_state_display(), status=409)
    return row


def dispute_value(
    subject_id: str,
    element: str,
    *,
    claimed: str,
    reason: str,
    actor: Account,
    now: dt.datetime,
    idempotency_key: str,
    raised_for: str = "",
) -> int:
    """Someone says that a value is wrong. It goes to the source department; readers see that it is disputed.

    ``raised_for``: in whose room it was said, where the value is not about them.
    """
    known = Dispute.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known.pk
    record = effective_record(subject_id)
    if element not in record.values:
        raise Problem("element-unknown", _("这条记录没有该数据元"), detail=element, status=404)
    first = next((cell for cell in provenance(record) if cell.element == element and cell.department), None)
    with transaction.atomic():
        row = Dispute.objects.create(
            subject_id=record.subject_id, element=element, claimed=claimed, reason=reason, raised_by=actor.display_name,
            raised_by_account=actor.pk, raised_for=raised_for, raised_at=now,
            stage=Dispute.Stage.SOURCE if first else Dispute.Stage.DECIDER,
            decider=first.department if first else DECIDER, decide_by=last_day(DISPUTE_TERM, now),
            idempotency_key=idempotency_key,
        )  # fmt: skip
        disputing.open_dispute_case(
            row, record, value=record.values[element], department=row.decider, actor=actor, now=now,
            source_title=department_name(first.department)["zh"] if first else "",
        )  # fmt: skip
        deposit(
            "value-disputed",
            f"dispute:{row.pk}",
            {"element": element, "by": actor.pk, "claimed": claimed},
            now=now,
        )
    return row.pk


def dispute_place(
    subject_id: str,
    element: str,
    *,
    claimed: str,
    reason: str,
    actor: Account,
    raised_for: str,
    now: dt.datetime,
    idempotency_key: str,
) -> int:
    """Someone who knows a place says that its register is wrong; ``raised_for``: whose matter they see to.

    Of oneself one disputes each value once; places are many, so one account does not bury a register under disputes.
    """
    lately = Dispute.objects.filter(raised_by_account=actor.pk, raised_at__gt=now - dt.timedelta(days=1))
    of_places = lately.filter(element__startswith=OF_PLACE)
    if (
        of_places.count() >= MOST_PLACES_A_DAY
        and not of_places.filter(idempotency_key=idempotency_key).exists()
    ):
        raise Problem("too-often", _("提交过于频繁，请明天再试"), detail=subject_id, status=429)
    return dispute_value(
        subject_id, element, claimed=claimed, reason=reason, actor=actor, now=now, idempotency_key=idempotency_key,
        raised_for=raised_for,
    )  # fmt: skip


def disputes_raised(subject_id: str, account_id: int) -> QuerySet[Dispute]:
    """Return what is disputed about a person or firm, and of places in their matters, newest first.

    Whoever has no record of their own (``subject_id`` empty) sees what their account raised.
    """
    mine = Q(raised_by_account=account_id, raised_for="", element__startswith=OF_PLACE)
    about = Q(subject_id=subject_id) | Q(raised_for=subject_id) if subject_id else mine
    return Dispute.objects.filter(about).order_by("-raised_at", "-pk")


def disputes(decider: str | None) -> QuerySet[Dispute]:
    """Return the open disputes that a department decides, the most urgent first."""
    found = Dispute.objects.filter(closed_at=None).select_related("answered").order_by("decide_by", "pk")
    return found.filter(decider=decider) if decider is not None else found


def decide(
    dispute_id: int, *, department: str, actor: Account, uphold: bool, reason: str, now: dt.datetime
) -> Dispute:
    """Decide a dispute. ``uphold``: the one who raised it is right.

    A source that rejects what someone claims does not have the last word: the dispute goes on to the decider.
    """
    if not reason.strip():
        raise Problem("decision-reason", _("请写明决定的理由"), status=422)
    running = Dispute.objects.filter(pk=dispute_id, decider=department, closed_at=None).first()
    if running is not None and disputing.has_case(running):
        disputing.answer(running, actor=actor, uphold=uphold, reason=reason, now=now)
        running.refresh_from_db()
        return running
    # Raised before disputes were cases.
    with transaction.atomic():
        row = (
            Dispute.objects.select_for_update()
            .select_related("answered__correction")
            .filter(pk=dispute_id)
            .first()
        )
        if row is None or row.decider != department:
            raise Problem("dispute-unknown", _("没有这条异议"), status=404)
        if row.closed_at is not None:
            raise Problem("dispute-decided", _("这条异议已经决定"), status=409)
        if actor.display_name == row.raised_by:
            raise Problem("dispute-own", _("不得决定本人提出的异议"), status=403)
        if row.stage == Dispute.Stage.SOURCE and not uphold:
            row.stage, row.decider, row.decide_by = (
                Dispute.Stage.DECIDER,
                DECIDER,
                last_day(DISPUTE_TERM, now),
            )
            row.outcome = reason[:300]
            row.save()
        else:
            _close(row, uphold, reason, actor, now)
        seen = {"dispute": row.pk, "uphold": uphold, "stage": row.stage, "by": actor.pk, "reason": reason}
        deposit("dispute-decided", f"dispute:{row.pk}", seen, now=now)
    return row


def _close(row: Dispute, uphold: bool, reason: str, actor: Account, now: dt.datetime) -> None:
    row.closed_at, row.outcome = now, reason[:300]
    row.save()
    answered = row.answered
    if answered is not None:
        answered.state = Return.State.OVERRULED if uphold else Return.State.UPHELD
        answered.save(update_fields=["state"])
        if uphold:
            withdraw_correction(answered.correction_id, reason=reason, actor_name=actor.display_name, now=now)
    elif uphold:
        apply_correction(
            row.subject_id, row.element, row.claimed or None, reason=reason, actor_name=actor.display_name,
            actor_id=actor.pk, now=now, idempotency_key=f"dispute:{row.pk}",
        )  # fmt: skip


def view_of(row: Return, *, full: bool) -> dict[str, Any]:
    """Return a return as pages and the API show it; personal values masked unless ``full``."""
    item: Correction = row.correction

    def shown(value: str | None) -> str | None:
        return value if full or value is None else mask(item.element, value)

    return {
        "id": row.pk, "source": row.source, "record": row.record_id.split(":", 1)[-1], "subject_id": item.subject_id,
        "element": item.element, "your_value": shown(row.record_value), "corrected_value": shown(item.value),
        "confirms": item.confirms, "made_at": item.made_at, "case_id": item.case_id, "state": row.state,
        "due_on": row.due_on, "answer": row.answer, "department": department_name(row.department),
    }  # fmt: skip


def disputes_of(subject_id: str) -> list[dict[str, Any]]:
    """Return the disputes about a subject, newest first, as its own page shows them."""
    rows = Dispute.objects.filter(subject_id=subject_id).order_by("-pk")
    return [
        {
            "element": row.element, "label": element_label(row.element), "claimed": row.claimed,
            "raised_at": row.raised_at, "decide_by": row.decide_by, "decider": department_name(row.decider),
            "closed_at": row.closed_at, "outcome": row.outcome,
            "case_id": row.case_id if disputing.has_case(row) else "",
        }
        for row in rows
    ]  # fmt: skip
