"""The work list and the supervisor's list as exports: filtered as on their pages, rows read as they are written.

Both show what a case is called, where it stands and in which area: never a personal value in clear, in no role. Whom a case is
about finds the export on record all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.exports.lists import Line, Table
from chengshu.contexts.identity import api as identity

# So many rows of a list go into one file, the most urgent ones; the file says when there are more.
MOST_LISTED = 50_000
OF_TASKS = ("view", "light", "pack", "kind", "q", "state", "department")
OF_SUPERVISION = ("kind", "pack", "department", "article")
# What the rows say of the person a case is about: its title (names masked) and its area.
SHOWN = ("person.name", "person.address")
LABELS = {
    "view": _n("范围"),
    "light": _n("期限"),
    "pack": _n("规程"),
    "kind": _n("事由"),
    "q": _n("查找"),
    "state": _n("状态"),
    "department": _n("部门"),
    "article": _n("依据"),
}
WORDS = {
    "view": {
        "mine": _n("我的任务"),
        "claimed": _n("我领取的"),
        "unclaimed": _n("待领取"),
        "nobody": _n("无人网格"),
        "all": _n("全区"),
    },
    "light": {"red": _n("已超期"), "amber": _n("临期"), "green": _n("正常")},
}
SUPERVISED = {
    "overdue": _n("已超期"),
    "soon": _n("临近期限"),
    "open": _n("在办"),
    "withdrawn": _n("撤回或视为撤回"),
    "reversed": _n("被撤销或改变"),
    "ended": _n("办结"),
}


def tasks(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """The work list of an account as its page shows it, with the page's filters."""
    columns = ("办件", "事项", "状态", "期限", "灯色", "区域", "网格", "部门")
    filters = cases.Filters(
        view=asked.get("view") or "mine",
        light=asked.get("light", ""),
        pack=asked.get("pack", ""),
        kind=asked.get("kind", ""),
        text=asked.get("q", ""),
        state=asked.get("state", ""),
        department=asked.get("department", ""),
    )
    rows = cases.all_tasks(actor, now=now, filters=filters)
    return Table(columns, _task_lines(rows), SHOWN, most=MOST_LISTED)


def _task_lines(rows: Iterator[cases.TaskRow]) -> Iterator[Line]:
    for row in rows:
        yield (
            row.case_id, row.title["zh"], row.state["zh"], _minute(row.due_at), row.light.colour, row.area,
            row.cell_code, row.department,
        ), row.subject_id  # fmt: skip


def supervision(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """The cases behind a figure of the supervisor's page, with the step and the ground that say why."""
    columns = ("办件号", "规程", "办件", "状态", "部门", "灯色", "办结时间", "最近一步", "依据")
    wanted = cases.Asked(
        _kind(asked), asked.get("pack", ""), asked.get("department", ""), asked.get("article", "")
    )
    rows = cases.all_supervised(wanted, now)
    return Table(columns, _supervised_lines(rows), SHOWN, most=MOST_LISTED)


def _supervised_lines(rows: Iterator[cases.Supervised]) -> Iterator[Line]:
    for row in rows:
        yield (
            row.case_id, row.pack, row.title["zh"], row.state["zh"], row.department,
            row.light.colour if row.light else "", _minute(row.closed_at), row.why["zh"],
            "；".join(each.citation["zh"] for each in row.grounds),
        ), row.subject_id  # fmt: skip


def _kind(asked: Mapping[str, str]) -> str:
    kind = asked.get("kind", "")
    return kind if kind in SUPERVISED else "overdue"


def _minute(at: dt.datetime | None) -> str:
    return timezone.localtime(at).isoformat(timespec="minutes") if at is not None else ""


def tasks_in_words(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the filters of a work list as its page says them."""
    given = {name: asked[name] for name in OF_TASKS if asked.get(name)}
    return [
        (
            _(LABELS[name]),
            _(WORDS[name][value]) if value in WORDS.get(name, {}) else _named(name, value, given),
        )
        for name, value in given.items()
    ]


def supervision_in_words(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return which of the supervisor's lists it is, and how it is narrowed."""
    given = {name: asked[name] for name in OF_SUPERVISION if asked.get(name)} | {"kind": _kind(asked)}
    return [
        (_("看哪些"), _(SUPERVISED[value]))
        if name == "kind"
        else (_(LABELS[name]), _named(name, value, given))
        for name, value in given.items()
    ]


def _named(name: str, value: str, given: Mapping[str, str]) -> str:
    """Return what people call a pack, a state of it or a department; what is not known stands as it was given."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    if name == "department":
        return identity.department_name(value)[language]
    if name in ("pack", "state") and given.get("pack") in cases.loaded_packs():
        pack = cases.current_pack(given["pack"])
        if name == "pack" or value in pack.states:
            return pack.text("title" if name == "pack" else f"states.{value}", language)
    return value
