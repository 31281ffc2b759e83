"""The lists that can be exported: who may have them, what they hold, whom they concern."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline.models import HotlineRequest
from chengshu.contexts.hall.ratings.domain import GRADES
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel import masking
from chengshu.kernel.money import bare_yuan
from chengshu.kernel.problems import Problem

MOST_ROWS = 5_000
SENSITIVE = masking.SENSITIVE


# One row, and which person it concerns ("" for nobody known).
Line = tuple[Sequence[Any], str]


@dataclass(frozen=True, slots=True)
class Table:
    """A list: its columns and its rows, which may be read from the database as they are written."""

    columns: tuple[str, ...]
    lines: Iterable[Line]
    # The personal elements that the rows show, masked or not: what the persons read on their page.
    elements: tuple[str, ...] = ()
    # The head stands in the first line, for a file that comes back and is read by a program.
    head_first: bool = False
    # How many rows there were besides: the file says so.
    left: int = 0
    # So many rows go into the file; where there are more, it says that these are the first.
    most: int = MOST_ROWS


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of list. ``full_roles`` may have the values in clear, where they state a purpose that is theirs."""

    title: str
    roles: frozenset[str]
    make: Callable[[identity.Account, Mapping[str, str], bool, dt.datetime], Table]
    full_roles: frozenset[str] = field(default_factory=frozenset)
    filters: tuple[str, ...] = ()
    # For a list whose filters are those of its page: says them in words. Others ask for them in the form.
    in_words: Callable[[Mapping[str, str]], list[tuple[str, str]]] | None = None
    # The kinds of file that it is given as.
    formats: tuple[str, ...] = ("csv", "xlsx")


def _with(rows: Sequence[Sequence[Any]], persons: Sequence[str]) -> list[Line]:
    """Return rows with the person that each concerns."""
    return list(zip(rows, persons, strict=True))


def _shown(value: str, kind: str, full: bool) -> str:
    return value if full or not value else masking.mask(value, kind, SENSITIVE)


def _own_department(actor: identity.Account) -> str | None:
    """The operator and the stewards have all rows of the lists that are theirs; others those of their own department."""
    return None if actor.role in ("operator", "steward") else str(actor.department_id or "-")


def _newest(rows: QuerySet[Any], by: str = "pk") -> tuple[list[Any], int]:
    """Return the newest rows of a list, oldest first, and how many older ones are left out."""
    found = list(rows.order_by(f"-{by}", "-pk")[:MOST_ROWS])[::-1]
    return found, rows.count() - len(found) if len(found) == MOST_ROWS else 0


def ratings(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """Ratings with reasons and comments; an anonymous one leads to nobody."""
    rows = Rating.objects.select_related("service")
    if department := _own_department(actor) or asked.get("department"):
        rows = rows.filter(department=department)
    found, left = _newest(rows)
    columns = (
        "编号",
        "部门",
        "事项",
        "渠道",
        "等级",
        "原因",
        "意见",
        "电话",
        "匿名",
        "日期",
        "整改件",
        "不予采纳",
    )
    lines = [
        [
            row.pk, row.department, row.pack, row.channel, GRADES[row.grade], "、".join(row.reasons),
            row.comment if full else _shown(row.comment, "text", full), _shown(row.contact, "phone", full),
            "是" if row.anonymous else "", _day(row.given_at), row.follow_up, row.set_aside,
        ]
        for row in found
    ]  # fmt: skip
    persons = [row.service.subject_id if row.service is not None else "" for row in found]
    return Table(columns, _with(lines, persons), ("person.name", "person.phone"), left=left)


def hotline(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """Requests to the hotline; who asked for confidence is never in a list."""
    rows = HotlineRequest.objects.all()
    department = _own_department(actor)
    if department is not None and department != "data-bureau":
        rows = rows.filter(department=department)
    found, left = _newest(rows, "requested_at")
    columns = ("编号", "类别", "主题", "渠道", "紧急", "部门", "状态", "称呼", "电话", "内容", "时间")
    lines, persons = [], []
    owners = dict(
        Service.objects.filter(case_id__in=[row.pk for row in found], round=1).values_list(
            "case_id", "subject_id"
        )
    )
    for row in found:
        facts = cases.case_facts(row.pk)["facts"]
        lines.append(
            [
                row.pk, row.kind, row.topic, row.channel, "是" if row.urgent else "", row.department, row.state,
                _shown(str(facts.get("caller_name") or ""), "name", full),
                _shown(str(facts.get("phone") or ""), "phone", full),
                str(facts.get("content") or "") if full else "",
                timezone.localtime(row.requested_at).isoformat(timespec="minutes"),
            ]
        )  # fmt: skip
        persons.append(owners.get(row.pk, ""))
    return Table(columns, _with(lines, persons), ("person.name", "person.phone"), left=left)


def services(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """Cases that people brought, with their times; who brought them is masked."""
    rows = Service.objects.filter(round=1)
    if department := _own_department(actor) or asked.get("department"):
        rows = rows.filter(department=department)
    found, left = _newest(rows)
    wanted = {row.account_id for row in found if row.account_id is not None}
    names = {row.pk: row.display_name for row in identity.accounts(ids=sorted(wanted))} if wanted else {}
    columns = (
        "办件",
        "事项",
        "部门",
        "渠道",
        "办事人",
        "提出",
        "承诺",
        "办结",
        "结果",
        "超期",
        "材料份数",
        "到窗口天数",
    )
    lines = [
        [
            row.case_id, row.pack, row.department, row.channel,
            _shown(names.get(row.account_id or 0, ""), "name", full), _day(row.began_at), _day(row.promised_at),
            _day(row.ended_at), row.outcome, "是" if row.late else "", row.papers, len(row.visit_days),
        ]
        for row in found
    ]  # fmt: skip
    return Table(columns, _with(lines, [row.subject_id for row in found]), ("person.name",), left=left)


def people(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """What a search for subjects finds."""
    hits = subjects.search(asked.get("query", ""), kind=asked.get("kind") or None, actor=actor, now=now)
    columns = ("编号", "类型", "名称", "证件号码", "电话", "地址")
    lines = []
    for hit in hits:
        values = subjects.effective_record(hit.subject_id).values
        cells = [
            str(values.get(f"{hit.kind}.{name}") or "")
            for name in ("name", _number(hit.kind), "phone", "address")
        ]
        shown = [
            cell if full else identity.mask(f"{hit.kind}.{name}", cell)
            for name, cell in zip(("name", _number(hit.kind), "phone", "address"), cells, strict=True)
        ]
        lines.append([hit.subject_id, hit.kind, *shown])
    persons = [hit.subject_id if hit.subject_id.startswith("P") else "" for hit in hits]
    elements = ("person.name", "person.resident_id", "person.phone", "person.address")
    return Table(columns, _with(lines, persons), elements)


def _number(kind: str) -> str:
    return "resident_id" if kind == "person" else "credit_code"


def payments(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """Payment orders; payee and account masked unless finance needs them whole."""
    page = cases.payments.payment_orders(
        actor, state=asked.get("state", ""), direction=asked.get("direction", ""), size=MOST_ROWS + 1
    )
    columns = (
        "order", "case", "direction", "amount_yuan", "payee", "account", "purpose", "state", "ordered_at", "settled_at",
        "reference", "reason",
    )  # fmt: skip
    owners = dict(
        Service.objects.filter(case_id__in=[row.case_id for row in page.rows], round=1).values_list(
            "case_id", "subject_id"
        )
    )
    lines = [
        [
            row.id, row.case_id, row.direction, bare_yuan(row.amount), _shown(row.payee, "name", full),
            _shown(row.account, "text", full), row.purpose, row.state, row.ordered_at.isoformat(),
            row.settled_at.isoformat() if row.settled_at else "", row.reference, row.reason,
        ]
        for row in page.rows
    ]  # fmt: skip
    persons = [owners.get(row.case_id, "") for row in page.rows]
    return Table(columns, _with(lines, persons), ("person.name",))


def returns(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """The corrections that went back to a department, for its own registers."""
    state = asked.get("state") if asked.get("state") in subjects.Return.State.values else None
    rows, left = _newest(subjects.returns(_own_department(actor), state=state))
    found = [subjects.view_of(row, full=full) for row in rows]
    columns = (
        "return", "source", "record", "subject", "element", "your_value", "corrected_value", "made_at", "case", "state",
        "due_on",
    )  # fmt: skip
    lines = [
        [
            row["id"], row["source"], row["record"], row["subject_id"], row["element"], row["your_value"] or "",
            row["corrected_value"] or "", row["made_at"].isoformat(), row["case_id"], row["state"], row["due_on"],
        ]
        for row in found
    ]  # fmt: skip
    elements = tuple(sorted({row["element"] for row in found if identity.is_personal(row["element"])}))
    return Table(columns, _with(lines, [row["subject_id"] for row in found]), elements, left=left)


def refused(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """The rows of a table that a run refused, to be mended and handed in again; no person could be linked to them.

    A masked copy lacks the digest by which a mended row finds its place: masked values never come back as mends.
    """
    found = subjects.refused_rows(asked.get("run", ""), asked.get("source", ""))
    if found is None:
        raise Problem("refused-unknown", _("这次运行里这张表没有退回的行"), status=404)
    lines = [
        [*lead, *cells] if full else [*lead[:-1], "", *(_shown(cell, "text", full) for cell in cells)]
        for lead, cells in found.rows
    ]
    columns = (*subjects.LEADING, *found.names)
    return Table(columns, _with(lines, [""] * len(lines)), head_first=True, most=max(len(lines), MOST_ROWS))


def _day(at: dt.datetime | None) -> str:
    # The day in Shenzhen: a case of the early morning does not belong to the day before.
    return timezone.localtime(at).date().isoformat() if at is not None else ""
