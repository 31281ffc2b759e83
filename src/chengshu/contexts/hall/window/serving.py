"""What happens at the window, without pages: find whoever stands there, begin to serve them, take in mandates on paper."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates, windows
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem

FOUND_KEY = "window_found"
FOUND_LIFE = timedelta(minutes=5)
# A queue at a counter, never a list of numbers tried out.
LOOKS = identity.Rate(capacity=20, per_second=1 / 20)
ELEMENTS = ("person.name", "person.resident_id")


def find(clerk: identity.Account, resident_id: str, name: str, now: datetime) -> str | None:
    """Return the person whom number and name, together, belong to; the look is on record for them."""
    identity.take_from_bucket("window", str(clerk.pk), LOOKS, time.time())
    subject_id = subjects.person_of(resident_id, name)
    if subject_id is not None:
        identity.record_read(clerk, subject_id, "window-search", ELEMENTS, now)
    return subject_id


def note_found(request: HttpRequest, subject_id: str, name: str, now: datetime) -> None:
    """Keep in the session who was found until the ground is stated; not in an address, where others could read it."""
    shown = identity.mask("person.name", name)
    request.session[FOUND_KEY] = {"subject": subject_id, "name": shown, "at": int(now.timestamp())}


def found_person(request: HttpRequest, now: datetime) -> dict[str, Any] | None:
    """Return who was found within the last minutes."""
    kept = request.session.get(FOUND_KEY)
    if not kept or now.timestamp() - kept["at"] > FOUND_LIFE.total_seconds():
        return None
    return dict(kept)


def begin(request: HttpRequest, found: dict[str, Any], ground: windows.Ground, now: datetime) -> None:
    """Begin to serve the person who was found."""
    row = windows.begin(request.user, found["subject"], found["name"], ground, now)  # type: ignore[arg-type]
    request.session.pop(FOUND_KEY, None)
    identity.act_as(request, {"by": "window", "id": row.pk})


def take_in(clerk: identity.Account, served: identity.Acting, data: dict[str, Any], terms: identity.Terms | None,
            paper: identity.Paper, now: datetime) -> identity.Mandate:  # fmt: skip
    """Take in a mandate on paper from the person who is being served; guardianship where ``terms`` is None.

    Raises ``Problem`` for unknown people, a child of age, or a guardian who has no account to act with.
    """
    if terms is not None:
        agent = mandates.agent_named(data["username"], data["agent_name"], now)
        principal = identity.Principal(served.subject_id, served.name)
        return mandates.record_on_paper(
            principal, agent, terms, paper=paper, basis="given", by=clerk, now=now
        )
    child = find(clerk, data["child_id"], data["child_name"], now)
    if child is None:
        raise Problem("child-unknown", _("没有找到这个孩子：请核对证件号码和姓名"), status=422)
    guardian = identity.account_of(served.subject_id)
    if guardian is None:
        raise Problem(
            "guardian-without-account", _("监护人还没有账户"), status=422, remedy=_("请先为监护人开通账户"),
        )  # fmt: skip
    today = timezone.localdate(now)
    last_day = mandates.until_adult(subjects.birth_date_of(child), today)
    name = identity.mask("person.name", data["child_name"])
    return mandates.record_on_paper(
        identity.Principal(child, name), guardian, identity.Terms((), True, today, last_day),
        paper=paper, basis="guardian", by=clerk, now=now,
    )  # fmt: skip
