"""One command for many cases: what can be done with all of them, and who of them refused it and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases import queries, routing, rows, store
from chengshu.contexts.cases.access import access_case
from chengshu.contexts.cases.domain import CommandView
from chengshu.contexts.cases.field_views import field_view
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.cases.wording import both, grounds
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.machine import allowed
from chengshu.procedure.model import Pack, Transition

MOST = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """A case that was chosen, as it stands now."""

    case_id: str
    version: int
    title: dict[str, str]
    state: dict[str, str]
    steps: Mapping[str, Transition]
    pack: Pack


@dataclass(frozen=True, slots=True)
class Done:
    """What came of the command in one case."""

    case_id: str
    title: dict[str, str]
    refused: str


def chosen(case_ids: Sequence[str], account: Account, now: dt.datetime) -> list[Chosen]:
    """Return the chosen cases that the account may see, each with the steps it may take."""
    found = []
    for case_id in list(dict.fromkeys(case_ids))[:MOST]:
        try:
            access = access_case(case_id, account, now)
        except Problem as problem:
            if problem.status != 404:
                raise
            continue
        row, pack = access.row, access.pack
        actor = routing.actor_in_case(pack, row, rows.open_tasks(case_id), account, now)
        case = row.case(pack.id)
        steps = {step.command: step for step in allowed(pack, case, actor, now)}
        title = queries.title_of(pack, case.facts)
        found.append(Chosen(case_id, row.version, title, both(pack, f"states.{row.state}"), steps, pack))
    return found


def common_commands(cases: Sequence[Chosen]) -> list[CommandView]:
    """Return the commands that every chosen case allows; only cases of one pack have any in common."""
    if not cases or len({each.pack.hash for each in cases}) != 1:
        return []
    first = cases[0]
    return [
        _command(first.pack, step)
        for name, step in first.steps.items()
        if all(name in each.steps for each in cases) and _plain_form(step)
    ]


def _plain_form(step: Transition) -> bool:
    """A form whose choices hang on the single case, or that must have files, is not for many at once."""
    fields = step.form.fields.values() if step.form else ()
    return all(not item.options and not (item.type.kind == "files" and item.required) for item in fields)


def _command(pack: Pack, step: Transition) -> CommandView:
    asked = [item for item in step.form.fields.values() if item.type.kind != "files"] if step.form else []
    name = step.command
    return CommandView(
        name,
        both(pack, f"commands.{name}"),
        both(pack, f"help.{name}"),
        [field_view(pack, item, {}) for item in asked],
        grounds(pack, step.cite),
    )


def carry_out(
    cases: Sequence[Chosen],
    versions: Mapping[str, int],
    command: str,
    data: Mapping[str, Any],
    *,
    actor: Account,
    key: str,
    now: dt.datetime,
) -> list[Done]:
    """Take the step in each case by itself: one that refuses says why and does not stop the others."""
    found = []
    for each in cases:
        refused = ""
        try:
            store.command(
                each.case_id,
                command,
                data,
                actor=actor,
                now=now,
                expected_version=versions.get(each.case_id, each.version),
                idempotency_key=f"bulk:{key}"[: store.MAX_KEY],
            )
        except Problem as problem:
            if problem.status >= 500:
                raise
            refused = _why(problem)
        found.append(Done(each.case_id, each.title, refused))
    return found


def _why(problem: Problem) -> str:
    errors = problem.extra.get("errors") or {}
    named = "；".join(str(error.get("text", "")) for error in errors.values())
    return f"{in_words(problem)}{'：' + named if named else ''}"
