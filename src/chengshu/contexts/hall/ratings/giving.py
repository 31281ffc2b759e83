"""Giving a rating: once a service by the database, anonymous where one likes; a bad one opens its follow-up at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.ratings import tickets
from chengshu.contexts.hall.ratings.domain import FAIR, FOLLOWED, GRADES, reasons_of
from chengshu.contexts.hall.ratings.following import FOLLOW_UP, HOTLINE
from chengshu.contexts.hall.ratings.models import Channel, Rating, Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, legal_day

MOST_COMMENT = 1000
RECEIPT = "rating-receipt"
# The department that keeps the hotline.
CENTRE = "data-bureau"


@dataclass(frozen=True, slots=True)
class Given:
    """What a rating brought: its number, and for who stays anonymous the receipt, shown once."""

    rating_id: int
    receipt: str
    follow_up: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a service."""

    grade: int
    reasons: tuple[str, ...] = ()
    comment: str = ""
    anonymous: bool = False
    contact: str = ""


def rate(service: Service, said: Said, *, via: str, account_id: int | None, now: dt.datetime) -> Given:
    """Keep a rating, its ledger leaf and, where it is bad, its follow-up; all of it or nothing.

    Raises ``already-rated`` (409) for a second one, ``not-ended`` (409) before the service has ended, ``rating-form``
    (422) for a grade or reason that does not exist.
    """
    _check(service, said)
    mark = tickets.ticket(service.reference, service.round)
    receipt = tickets.new_code() if account_id is None or said.anonymous else ""
    try:
        with transaction.atomic():
            row = Rating.objects.create(ticket=mark, **_values(service, said, via, account_id, receipt, now))
            leaf = ledger.deposit("rating", f"rating:{row.pk}", rating_payload(row), now=now)
            row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
            if row.grade < FAIR and row.round == 1:
                row.follow_up = _open_follow_up(row, service, now)
            row.save(update_fields=["leaf_id", "leaf_salt", "follow_up"])
            Service.objects.filter(pk=service.pk).update(rated_on=legal_day(now))
    except IntegrityError as error:
        if Rating.objects.filter(ticket=mark).exists():
            raise Problem(
                "already-rated", _("这次服务已经评价过了"), status=409, remedy=_("每次服务评价一次。")
            ) from error
        raise
    return Given(row.pk, receipt, row.follow_up)


def _check(service: Service, said: Said) -> None:
    if service.ended_at is None:
        raise Problem("not-ended", _("服务还没有结束，结束以后再评价"), status=409)
    known = reasons_of(said.grade) if said.grade in GRADES else {}
    if not known or not set(said.reasons) <= set(known):
        raise Problem("rating-form", _("请选择一个等级和列出的原因"), status=422)
    if len(said.comment) > MOST_COMMENT:
        raise Problem("rating-form", _("意见不超过 1000 字"), status=422)


def _values(
    service: Service, said: Said, via: str, account_id: int | None, receipt: str, now: dt.datetime
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "round": service.round,
        "pack": service.pack,
        "department": service.department,
        "channel": service.channel,
        "via": Channel(via),
        "grade": said.grade,
        "reasons": list(said.reasons),
        "comment": said.comment,
        "anonymous": said.anonymous,
        "receipt_digest": tickets.digest_of(RECEIPT, receipt) if receipt else "",
        "given_at": now,
    }
    if said.anonymous:
        # Midnight of the day: the very moment would lead to the person through the server's log.
        values["given_at"] = dt.datetime.combine(legal_day(now), dt.time(), LEGAL_ZONE)
    else:
        values |= {"service": service, "account_id": account_id, "contact": said.contact}
    return values


def rating_payload(row: Rating) -> dict[str, Any]:
    """Return what the ledger's leaf digests: the grade cannot be changed afterwards without its showing."""
    return {
        "rating": str(row.pk),
        "department": row.department,
        "pack": row.pack,
        "channel": row.channel,
        "grade": str(row.grade),
        "reasons": list(row.reasons),
        "round": str(row.round),
        "day": legal_day(row.given_at).isoformat(),
    }


def _open_follow_up(row: Rating, service: Service, now: dt.datetime) -> str:
    facts = {
        "rating_id": row.pk,
        "department": row.department or "data-bureau",
        "item": item_title(row.pack)["zh"],
        "channel": row.channel,
        "grade": FOLLOWED[row.grade],
        "reasons": row.reasons or None,
        "comment": row.comment or None,
        "reachable": not row.anonymous and bool(row.account_id or row.contact),
        "contact": row.contact or None,
        "service_case": None if row.anonymous else (service.case_id or None),
        "served_by": [str(each) for each in service.served_by] or None,
    }
    return cases.open_case(
        FOLLOW_UP,
        {name: value for name, value in facts.items() if value is not None},
        subject_id=None if row.anonymous else (service.subject_id or None),
        department=row.department or "data-bureau",
        idempotency_key=f"rating:{row.pk}",
        now=now,
    )


def item_title(pack: str) -> dict[str, str]:
    """Return what a pack calls its service; a turn at the window has no pack."""
    if pack == "window":
        return {"zh": "窗口服务", "en": "Service at the window"}
    try:
        found = cases.current_pack(pack)
    except Problem:
        return {"zh": pack, "en": pack}
    return {"zh": found.title(), "en": found.title("en")}


def service_for(account: identity.Account, case_id: str) -> Service | None:
    """Return the newest round of a case's service that this account may rate; None where there is none."""
    rows = Service.objects.filter(reference=f"case:{case_id}").order_by("-round")
    return next((row for row in rows if may_rate(account, row)), None)


def may_rate(account: identity.Account, row: Service) -> bool:
    """Whoever began it, or whose matter it was; never the office."""
    own = bool(row.subject_id) and account.subject_id == row.subject_id
    return account.role == "resident" and (row.account_id == account.pk or own)


def may_press(account: identity.Account, row: Service) -> bool:
    """Whether an account that is signed in may give the rating of a link that it holds: those who served never do.

    The hotline's centre asks who has no account by telephone, where another department served.
    """
    if account.role == "resident":
        return True
    centre = row.pack == HOTLINE and account.department_id == CENTRE != row.department
    return centre and account.role != "clerk"


def is_rated(row: Service) -> bool:
    """Return whether this round has its rating."""
    return row.rated_on is not None


def by_receipt(code: str) -> Rating | None:
    """Return the rating of a receipt."""
    if not 10 <= len(code) <= 40:
        return None
    return Rating.objects.filter(receipt_digest=tickets.digest_of(RECEIPT, code)).first()


def answer_to(row: Rating) -> dict[str, Any]:
    """Return how far the follow-up of a rating is and what the department answered, as its person may read it."""
    if not row.follow_up:
        return {}
    brief = cases.case_brief(row.follow_up)
    words = cases.pack_words(row.follow_up, [f"states.{brief.state}"])
    answer = str(cases.case_facts(row.follow_up)["kept"].get("answer") or "") if brief.ended else ""
    return {"state": words[f"states.{brief.state}"], "ended": brief.ended, "answer": answer}


def rate_again(first: Rating, said: Said, now: dt.datetime) -> Given:
    """Rate once, by the receipt, what was done about an anonymous rating."""
    if not first.follow_up or not cases.case_brief(first.follow_up).ended:
        raise Problem("not-ended", _("整改还没有结束，结束以后再评价"), status=409)
    if first.set_aside:
        raise Problem("rating-set-aside", _("这次评价没有采纳，不再评价整改结果"), status=409)
    known = reasons_of(said.grade) if said.grade in GRADES else {}
    if not known or not set(said.reasons) <= set(known):
        raise Problem("rating-form", _("请选择一个等级和列出的原因"), status=422)
    row = Service(
        reference=f"receipt:{first.pk}", round=2, pack=first.pack, department=first.department,
        channel=first.channel, ended_at=now,
    )  # fmt: skip
    mark = tickets.ticket(row.reference, 2)
    try:
        with transaction.atomic():
            values = _values(
                row, Said(said.grade, said.reasons, said.comment, True), first.via, None, "", now
            )
            made = Rating.objects.create(ticket=mark, **values)
            leaf = ledger.deposit("rating", f"rating:{made.pk}", rating_payload(made), now=now)
            Rating.objects.filter(pk=made.pk).update(leaf_id=leaf.id, leaf_salt=leaf.salt)
    except IntegrityError as error:
        raise Problem("already-rated", _("整改结果已经评价过了"), status=409) from error
    return Given(made.pk, "", "")


def reasons_in_words(grade: int, reasons: Sequence[str]) -> list[str]:
    """Return the reasons as they stand on the page."""
    known = reasons_of(grade)
    return [_(known[each]) for each in reasons if each in known]


__all__ = [
    "HOTLINE",
    "Given",
    "Said",
    "answer_to",
    "by_receipt",
    "is_rated",
    "item_title",
    "may_rate",
    "rate",
    "rate_again",
    "rating_payload",
    "reasons_in_words",
    "service_for",
]
