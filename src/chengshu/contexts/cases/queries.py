"""Work lists: what someone may see, filtered by the database in one indexed query, however many cases there are."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chengshu.contexts.cases import packs, routing
from chengshu.contexts.cases.domain import NOBODY, TaskPage, TaskRow, owner_account
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case, Job, Notice, Task
from chengshu.contexts.cases.wording import LANGUAGES, both, sayer
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.procedure.model import Pack
from chengshu.procedure.wording import fill

PAGE = 20
LIGHTS = ("red", "amber", "green")
VIEWS = ("mine", "nobody", "all")
QUEUES = {
    "role:operator": gettext_noop("区级运行员"),
    "role:steward": gettext_noop("数据专员"),
    "nobody": gettext_noop("（无人）"),
}
_FIELDS = (
    "pk", "case_id", "role", "owner", "due_at", "amber_at", "opened_at", "case__pack", "case__state", "case__body",
    "case__area", "case__cell_code", "case__department", "case__pack_version_id", "case__pack_version__hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asks of a list. ``view``: their own work; work nobody has; all of it (operators only)."""

    view: str = "mine"
    light: str = ""
    pack: str = ""
    kind: str = ""
    text: str = ""


def tasks_for(
    account: Account, *, now: dt.datetime, filters: Filters | None = None, page: int = 1, size: int = PAGE
) -> TaskPage:
    """Return one page of open work, what is due first standing first."""
    filters = filters or Filters()
    found = _narrowed(_visible(account, filters, now), filters)
    counts = _counts(found, now)
    chosen = _by_light(found, filters.light, now)
    total = counts[filters.light] if filters.light in LIGHTS else sum(counts.values())
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    ordered = chosen.order_by("due_at", "pk").values(*_FIELDS)[(page - 1) * size : page * size]
    found_rows = list(ordered)
    names = owner_names({values["owner"] for values in found_rows})
    return TaskPage([_row(values, names, now) for values in found_rows], total, page, pages, counts)


def all_tasks(account: Account, *, now: dt.datetime, filters: Filters) -> Iterator[TaskRow]:
    """Yield every line of a list (for a file), without holding them in memory."""
    found = _by_light(_narrowed(_visible(account, filters, now), filters), filters.light, now)
    names: dict[str, str] = {}
    for values in found.order_by("due_at", "pk").values(*_FIELDS).iterator(chunk_size=1000):
        if values["owner"] not in names:
            names.update(owner_names({values["owner"]}))
        yield _row(values, names, now)


def owner_names(owners: set[str]) -> dict[str, str]:
    """Return how people call these owners; accounts are asked for once, together."""
    ids = {owner: account_id for owner in owners if (account_id := owner_account(owner)) is not None}
    people = (
        {account.pk: account.display_name for account in identity.accounts(ids=list(ids.values()))}
        if ids
        else {}
    )
    names = {owner: people.get(account_id, owner) for owner, account_id in ids.items()}
    for owner in owners - ids.keys():
        if owner.startswith("department:"):
            names[owner] = identity.department_name(owner.removeprefix("department:"))["zh"]
        else:
            names[owner] = _(QUEUES[owner]) if owner in QUEUES else owner
    return names


def _visible(account: Account, filters: Filters, now: dt.datetime) -> QuerySet[Task]:
    waiting = Task.objects.filter(open=True)
    if account.role == "operator" and filters.view == "nobody":
        return waiting.filter(owner=NOBODY)
    if account.role == "operator" and filters.view == "all":
        return waiting
    return waiting.filter(owner__in=routing.owners_of(account, now))


def _narrowed(found: QuerySet[Task], filters: Filters) -> QuerySet[Task]:
    if filters.pack:
        found = found.filter(case__pack=filters.pack)
    if filters.kind:
        found = found.filter(case__kind=filters.kind)
    if text := filters.text.strip()[:100]:
        found = found.filter(
            Q(case__label__icontains=text)
            | Q(case__area__icontains=text)
            | Q(case_id=text.upper())
            | Q(case__subject_id=text.upper())
            | Q(case__cell_code=text.upper())
        )
    return found


def _by_light(found: QuerySet[Task], colour: str, now: dt.datetime) -> QuerySet[Task]:
    if colour == "red":
        return found.filter(due_at__lte=now)
    if colour == "amber":
        return found.filter(due_at__gt=now, amber_at__lte=now)
    if colour == "green":
        return found.filter(Q(amber_at__gt=now) | Q(due_at=None))
    return found


def _counts(found: QuerySet[Task], now: dt.datetime) -> dict[str, int]:
    return found.aggregate(
        red=Count("pk", filter=Q(due_at__lte=now)),
        amber=Count("pk", filter=Q(due_at__gt=now, amber_at__lte=now)),
        green=Count("pk", filter=Q(amber_at__gt=now) | Q(due_at=None)),
    )


def _row(values: Mapping[str, Any], names: Mapping[str, str], now: dt.datetime) -> TaskRow:
    pack = packs.pinned(values["case__pack_version_id"], values["case__pack_version__hash"]).pack
    return TaskRow(
        task_id=values["pk"],
        case_id=values["case_id"],
        pack=values["case__pack"],
        title=title_of(pack, json.loads(values["case__body"])["facts"]),
        state=both(pack, f"states.{values['case__state']}"),
        role=both(pack, f"roles.{values['role']}"),
        area=values["case__area"],
        cell_code=values["case__cell_code"],
        department=values["case__department"],
        owner=values["owner"],
        owner_name=names[values["owner"]],
        due_at=values["due_at"],
        light=light(values["due_at"], values["amber_at"], now),
        opened_at=values["opened_at"],
    )


def title_of(pack: Pack, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what a case is called; made of facts that are not personal."""
    return {
        language: fill(pack.text("case", language), sayer(pack, language, facts, {}, "", {}))
        for language in LANGUAGES
    }


def load_summary(now: dt.datetime) -> dict[str, Any]:
    """Return how much work is open, due soon, late and without anyone; and what failed in the outbox."""
    found = Task.objects.filter(open=True)
    counts = _counts(found, now)
    return {
        "open": Case.objects.filter(closed_at=None).count(),
        "overdue": counts["red"],
        "due_soon": counts["amber"],
        "in_time": counts["green"],
        "unowned": found.filter(owner=NOBODY).count(),
        "dead_jobs": Job.objects.filter(state=Job.State.DEAD).count(),
    }


def open_by_cell(cells: list[str] | None = None) -> dict[str, int]:
    """Return the number of open cases in each cell (or in those asked for)."""
    found = Case.objects.filter(closed_at=None).exclude(cell_code="")
    if cells is not None:
        found = found.filter(cell_code__in=cells)
    return dict(found.values_list("cell_code").annotate(Count("pk")).order_by())


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list that is not a work list."""

    case_id: str
    pack: str
    title: dict[str, str]
    state: dict[str, str]
    outcome: dict[str, str]
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    due_at: dt.datetime | None
    department: str


def cases_about(subject_id: str, limit: int = 50) -> list[CaseLine]:
    """Return the cases about a subject, newest first; for its own page and the steward's."""
    return _lines(Case.objects.filter(subject_id=subject_id).order_by("-opened_at", "-pk")[:limit])


def cell_of(case_id: str) -> str:
    """Return the grid cell of a case, or nothing."""
    return Case.objects.filter(pk=case_id).values_list("cell_code", flat=True).first() or ""


def subject_merged(old: str, new: str) -> int:
    """Let the cases about a merged subject be found under the id it goes by now; their facts and events stay."""
    return Case.objects.filter(subject_id=old).update(subject_id=new)


def unstarted(case_ids: Sequence[str]) -> set[str]:
    """Return those of these open cases on which nobody has taken a step yet."""
    found: set[str] = set()
    for start in range(0, len(case_ids), 500):
        some = Case.objects.filter(pk__in=case_ids[start : start + 500], closed_at=None, version=1)
        found.update(some.values_list("pk", flat=True))
    return found


def cases_opened_by(account: Account, limit: int = 50) -> list[CaseLine]:
    """Return the cases that an account opened (a worker's findings), newest first."""
    return _lines(Case.objects.filter(opened_by=str(account.pk)).order_by("-opened_at", "-pk")[:limit])


def outcomes(case_ids: Sequence[str]) -> dict[str, str]:
    """Return the outcome of those of the cases that have ended."""
    ended = Case.objects.filter(pk__in=list(case_ids)).exclude(closed_at=None)
    return dict(ended.values_list("pk", "outcome"))


def children_of(case_id: str) -> list[CaseLine]:
    """Return the child cases of a case, oldest first."""
    return _lines(Case.objects.filter(parent_id=case_id).order_by("opened_at", "pk"))


def cases_by_state(pack: str) -> dict[str, int]:
    """Return how many cases of a pack stand in each state."""
    return dict(Case.objects.filter(pack=pack).values_list("state").annotate(Count("pk")).order_by())


def _lines(found: QuerySet[Case]) -> list[CaseLine]:
    return [_line(case) for case in found.select_related("pack_version")]


def _line(case: Case) -> CaseLine:
    pack = packs.pinned(case.pack_version_id, case.pack_version.hash).pack
    return CaseLine(
        case.pk, case.pack, title_of(pack, json.loads(case.body)["facts"]), both(pack, f"states.{case.state}"),
        both(pack, f"outcomes.{case.outcome}"), case.opened_at, case.closed_at, case.due_at, case.department,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice on someone's page."""

    id: int
    case_id: str
    text: dict[str, str]
    at: dt.datetime
    read: bool


def notices_for(account: Account, *, now: dt.datetime, limit: int = 50) -> list[NoticeLine]:
    """Return the newest notices of an account and of its queues."""
    found = Notice.objects.filter(owner__in=routing.owners_of(account, now)).order_by("-at", "-pk")[:limit]
    return [
        NoticeLine(
            row.pk, row.case_id, {"zh": row.text_zh, "en": row.text_en}, row.at, row.read_at is not None
        )
        for row in found
    ]


def unread_notices(account: Account, *, now: dt.datetime) -> int:
    """Return how many notices an account has not read."""
    return Notice.objects.filter(owner__in=routing.owners_of(account, now), read_at=None).count()


def read_notice(account: Account, notice_id: int, now: dt.datetime) -> bool:
    """Mark a notice as read."""
    mine = Notice.objects.filter(pk=notice_id, owner__in=routing.owners_of(account, now), read_at=None)
    return bool(mine.update(read_at=now))


def dead_jobs(limit: int = 100) -> list[Job]:
    """Return the jobs that failed for good, newest first."""
    return list(Job.objects.filter(state=Job.State.DEAD).order_by("-made_at")[:limit])
