"""What the site wires of ratings: the listener, the panel of cases, the clock, and what other parts of the hall ask."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.ratings import following, giving, tickets
from chengshu.contexts.hall.ratings.following import follow
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.hall.ratings.statistics import counted
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import windows

__all__ = ["case_panel", "counted", "follow", "open_link", "rating_link", "take_in_windows", "wire"]

LOOK_BACK = dt.timedelta(days=2)


def wire() -> None:
    """Listen to the steps of all cases, and stand on their pages."""
    cases.register_on_step(cases.EVERY_PACK, "ratings", follow)
    cases.register_panel("ratings", case_panel)
    cases.register_on_erase("ratings", erase)


def erase(case_id: str, now: dt.datetime) -> int:
    """Erase what the person of a case wrote in a rating, and their number; the grade stays, it names nobody."""
    of_case = Q(service__case_id=case_id) | Q(follow_up=case_id)
    numbers = list(
        Rating.objects.filter(of_case).exclude(comment="", contact="").values_list("pk", flat=True)
    )
    return Rating.objects.filter(pk__in=numbers).update(comment="", contact="")


def case_panel(case_id: str, viewer: identity.Account, now: dt.datetime) -> list[cases.CasePanelLine]:
    """Invite the person of an ended case to rate it; the office sees nothing here."""
    if viewer.role != "resident":
        return []
    service = giving.service_for(viewer, case_id)
    if service is None or service.ended_at is None:
        return []
    rated = giving.is_rated(service)
    title = (
        {"zh": "整改结果再评价", "en": "Rate what was mended"}
        if service.round > 1
        else {"zh": "评价这次服务", "en": "Rate this service"}
    )
    state = {"zh": "已评价", "en": "Rated"} if rated else {"zh": "待评价", "en": "To be rated"}
    text = {"zh": "五个等级，可以匿名，评价一次", "en": "Five grades, anonymous if you like, once"}
    url = f"/hall/ratings/give/{tickets.link_code(service.pk)}"
    return [cases.CasePanelLine(title, text, url, state, "good" if rated else "wait")]


def rating_link(case_id: str, account: identity.Account) -> str:
    """Return the address at which an account rates the service of a case; empty where there is nothing to rate."""
    service = giving.service_for(account, case_id)
    if service is None or service.ended_at is None or giving.is_rated(service):
        return ""
    return f"/hall/ratings/give/{tickets.link_code(service.pk)}"


def open_link(case_id: str) -> str:
    """Return the address at which the service of a case is rated, for whoever follows it without an account; or nothing."""
    rows = Service.objects.filter(reference=f"case:{case_id}", ended_at__isnull=False, rated_on=None)
    row = rows.order_by("-round").first()
    return f"/hall/ratings/give/{tickets.link_code(row.pk)}?at=hotline" if row else ""


def take_in_windows(now: dt.datetime) -> int:
    """Keep every turn at the window that has ended as a service, whether or not the clerk showed the code."""
    rows = windows.ended_since(now - LOOK_BACK, now)
    known = set(
        Service.objects.filter(
            reference__in=[f"window:{row.pk}" for row in rows], ended_at__isnull=False
        ).values_list("reference", flat=True)
    )
    new = [row for row in rows if f"window:{row.pk}" not in known]
    for row in new:
        following.window_service(
            row.pk,
            clerk_id=row.clerk_id,
            subject_id=row.subject_id,
            department=row.clerk.department_id or "data-bureau",
            began_at=row.started_at,
            ended_at=row.ended_at or row.ends_at,
        )
    return len(new)
