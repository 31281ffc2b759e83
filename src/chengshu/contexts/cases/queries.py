"""Work lists: what someone may see, filtered by the database in one indexed query, however many cases there are."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from chengshu.contexts.cases import lists, packs, routing, words
from chengshu.contexts.cases.domain import NOBODY, TaskPage, TaskRow, account_owner, owner_account
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case, Job, Notice, PackVersion, Task
from chengshu.contexts.cases.sql import sql
from chengshu.contexts.cases.wording import LANGUAGES, both, sayer
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.procedure.wording import fill

PAGE = 20
LIGHTS = ("red", "amber", "green")
VIEWS = ("mine", "claimed", "unclaimed", "nobody", "all")
QUEUES = {
    "role:operator": gettext_noop("区级运行员"),
    "role:steward": gettext_noop("数据专员"),
    "nobody": gettext_noop("（无人）"),
}
_FIELDS = (
    "pk", "case_id", "role", "owner", "due_at", "amber_at", "opened_at", "case__pack", "case__state", "case__body",
    "case__area", "case__cell_code", "case__department", "case__subject_id", "case__principal", "case__pack_version_id",
    "case__pack_version__hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asks of a list.

    ``view``: their own work, of that what they have claimed or what lies in a queue; for operators also work that
    nobody has, and all of it. ``department`` narrows what operators see to a department's queue and people.
    """

    view: str = "mine"
    light: str = ""
    pack: str = ""
    kind: str = ""
    text: str = ""
    state: str = ""
    department: str = ""


def tasks_for(
    account: Account,
    *,
    now: dt.datetime,
    filters: Filters | None = None,
    page: int = 1,
    size: int = PAGE,
    after: str = "",
) -> TaskPage:
    """Return one page of open work, what is due first standing first; ``after`` is the ``last`` of the page before."""
    asked = _asked(account, filters or Filters(), now)
    # A page far down is reached by its key; by its number only as far as is counted.
    page = min(max(page, 1), max(lists.MOST // size, 1))
    offset = 0 if after else (page - 1) * size
    found = lists.page_of(asked, now, offset, size, _key(after))
    total = found.counts[asked.light] if asked.light else sum(found.counts.values())
    pages = max(1, -(-total // size))
    if page > pages and not after:
        return tasks_for(account, now=now, filters=filters, page=pages, size=size)
    rows = _rows_of(found.ids, now)
    last = f"{found.last.block},{found.last.id},{found.last.due or ''}" if found.last else ""
    cut = found.cut & {asked.light} if asked.light else found.cut
    return TaskPage(rows, total, page, pages, found.counts, bool(cut), last, found.cut)


def all_tasks(account: Account, *, now: dt.datetime, filters: Filters) -> Iterator[TaskRow]:
    """Yield every line of a list (for a file), without holding them in memory."""
    asked, after = _asked(account, filters, now), None
    while True:
        found = lists.page_of(asked, now, 0, 1_000, after)
        yield from _rows_of(found.ids, now)
        after = found.last
        if len(found.ids) < 1_000:
            return


def _key(after: str) -> lists.Key | None:
    if not after:
        return None
    block, task, due = [*after.split(",", 2), "", ""][:3]
    if not (block in "01" and task.isdecimal() and len(task) < 20):
        raise Problem("page-key", _("没有这一页"), detail=after[:40], status=400)
    try:
        instant = dt.datetime.fromisoformat(due) if due else None
    except ValueError as error:
        raise Problem("page-key", _("没有这一页"), detail=after[:40], status=400) from error
    return lists.Key(
        int(block),
        sql().instant(instant.replace(tzinfo=instant.tzinfo or dt.UTC)) if instant else None,
        int(task),
    )


def _asked(account: Account, filters: Filters, now: dt.datetime) -> lists.Asked:
    """Return which tasks an account may see and asks for."""
    owners: list[str] | None = routing.owners_of(account, now)
    if account.role == "operator" and filters.view in ("nobody", "all"):
        owners = [NOBODY] if filters.view == "nobody" else _of_department(filters.department)
    elif filters.view in ("claimed", "unclaimed") and owners is not None:
        claimed = filters.view == "claimed"
        owners = [owner for owner in owners if (owner_account(owner) is not None) is claimed]
    light = filters.light if filters.light in LIGHTS else ""
    text = filters.text.strip()[:100]
    packs_there = [] if owners is not None or filters.pack else _packs_there()
    found = words.cases_with(text) if text else None
    return lists.Asked(owners, packs_there, light, filters.pack, filters.kind, text, found, filters.state)


def _of_department(department: str) -> list[str] | None:
    """Return the owners of a department: its queue and its people; ``None`` for all there are."""
    if not department:
        return None
    people = identity.accounts(department=department)
    return [f"department:{department}", *(account_owner(each.pk) for each in people)]


def _packs_there() -> list[str]:
    return sorted({*PackVersion.objects.values_list("pack", flat=True).distinct(), ""})


def _rows_of(ids: Sequence[int], now: dt.datetime) -> list[TaskRow]:
    values = {row["pk"]: row for row in Task.objects.filter(pk__in=ids).values(*_FIELDS)}
    names = owner_names({row["owner"] for row in values.values()})
    return [_row(values[pk], names, now) for pk in ids if pk in values]


def said_here(text: Mapping[str, str]) -> str:
    """Return a bilingual text in the reader's language."""
    return text["en" if (get_language() or "").startswith("en") else "zh"]


def owner_names(owners: set[str], viewer: Account | None = None) -> dict[str, str]:
    """Return how people call these owners; accounts are asked for once, together. ``viewer`` is known already."""
    ids = {owner: account_id for owner in owners if (account_id := owner_account(owner)) is not None}
    people = {viewer.pk: viewer.shown_name} if viewer is not None else {}
    if others := sorted(set(ids.values()) - people.keys()):
        people |= {account.pk: account.shown_name for account in identity.accounts(ids=others)}
    names = {owner: people.get(account_id, owner) for owner, account_id in ids.items()}
    for owner in owners - ids.keys():
        if owner.startswith("department:"):
            names[owner] = said_here(identity.department_name(owner.removeprefix("department:")))
        else:
            names[owner] = _(QUEUES[owner]) if owner in QUEUES else owner
    return names


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
        subject_id=values["case__subject_id"] or values["case__principal"],
    )


def title_of(pack: Pack, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what a case is called; made of facts that are not personal."""
    return {
        language: fill(pack.text("case", language), sayer(pack, language, facts, {}, "", {}))
        for language in LANGUAGES
    }


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


def with_children(case_id: str) -> tuple[Case, list[Case]]:
    """Return a case and its child cases, oldest first, in one look at the database."""
    found = Case.objects.filter(Q(pk=case_id) | Q(parent_id=case_id)).order_by("opened_at", "pk")
    found = found.select_related("pack_version").defer("pack_version__files")
    rows = {row.pk: row for row in found}
    return rows.pop(case_id), list(rows.values())


def children_of(case_id: str) -> list[CaseLine]:
    """Return the child cases of a case, oldest first."""
    return _lines(Case.objects.filter(parent_id=case_id).order_by("opened_at", "pk"))


def _lines(found: QuerySet[Case]) -> list[CaseLine]:
    return [case_line(case) for case in found.select_related("pack_version").defer("pack_version__files")]


def case_line(case: Case) -> CaseLine:
    """Return a case, read with its pack version, as a line of a list."""
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
