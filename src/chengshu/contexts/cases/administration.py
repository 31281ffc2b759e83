"""Steps that no pack declares: work changes hands, terms are counted anew, a case moves to another cell or pack version.

Each is an event like any other: it has a ground (that of the pack's administration), a version and a ledger leaf.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, routing, rows, store
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.rows import CaseRow
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import Case, Event, TermState, apply
from chengshu.procedure.clock import stamp
from chengshu.procedure.machine import MACHINE
from chengshu.procedure.model import SYSTEM, Pack
from chengshu.procedure.ports import Actor

MAX_REASON = 300
# What the history says of these steps, where the pack has no sentence of its own.
SENTENCES = {
    "reassigned": {"zh": "{actor}改派给{owner}，原因：{reason}。", "en": "{actor} reassigned it to {owner}: {reason}."},
    "claimed": {"zh": "{actor}领取了任务。", "en": "{actor} claimed the task."},
    "released": {"zh": "{actor}把任务退回{owner}。", "en": "{actor} gave the task back to {owner}."},
    "delegated": {
        "zh": "{actor}把任务转交给{owner}，原因：{reason}。",
        "en": "{actor} delegated the task to {owner}: {reason}.",
    },
    "returned": {
        "zh": "{actor}把任务退回{owner}，原因：{reason}。",
        "en": "{actor} returned the task to {owner}: {reason}.",
    },
    "handed-over": {
        "zh": "{actor}交接{leaver}的工作，由{owner}承接，原因：{reason}。",
        "en": "{actor} handed over the work of {leaver} to {owner}: {reason}.",
    },
    "recounted": {
        "zh": "放假安排已公布（{reference}），期限重新计算：{change}。",
        "en": "The holidays were published ({reference}); terms were counted anew: {change}.",
    },
    "relocated": {
        "zh": "网格调整，办件由 {before} 转入 {after}：{reason}。",
        "en": "The grid changed; the case moved from {before} to {after}: {reason}.",
    },
    "migrated": {
        "zh": "{actor}把办件转到规程 {to_version} 版（原 {from_version} 版），原因：{reason}。",
        "en": "{actor} moved the case to version {to_version} of its pack (from {from_version}): {reason}.",
    },
    "party-ended": {"zh": "{role}的授权到期，不再参与本办件。", "en": "The authority of {role} ended; they no longer take part."},
}  # fmt: skip


@dataclass(slots=True)
class Held:
    """A case that an administrative step holds: locked, with its pack, its open tasks and who acts."""

    row: CaseRow
    pack: Pack
    case: Case
    tasks: Sequence[tuple[int, str, str]]
    actor: Actor


def hold(case_id: str, actor: Account | None, now: dt.datetime, expected_version: int | None = None) -> Held:
    """Lock a case for an administrative step; inside the caller's transaction."""
    row = rows.lock(case_id)
    if row is None:
        raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
    if expected_version is not None and expected_version != row.version:
        raise store.changed(case_id, row.version)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    tasks = rows.open_tasks(case_id)
    who = MACHINE if actor is None else routing.actor_in_case(pack, row, tasks, actor, now)
    return Held(row, pack, row.case(pack.id), tasks, who)


def reason_of(text: str) -> str:
    """Return a reason as it goes on record; none, or a novel, is refused."""
    reason = text.strip()
    if not reason or len(reason) > MAX_REASON:
        raise Problem(
            "form-invalid", _("请写明原因"), status=422,
            errors={"reason": {"code": "required", "text": _("请写明原因")}},
        )  # fmt: skip
    return reason


def write(
    held: Held,
    step: str,
    now: dt.datetime,
    *,
    data: Mapping[str, Any] | None = None,
    owner: Mapping[str, str] | None = None,
    terms: Sequence[TermState] = (),
    sets: Mapping[str, Any] | None = None,
    target: str = "",
    grounds: Sequence[str] = (),
    key: str | None = None,
) -> store.Done:
    """Append the event of an administrative step and bring the case's row up to it."""
    row, pack, before = held.row, held.pack, held.row.version
    roles = pack.administration.by & held.actor.roles
    event: Event = {
        "seq": before + 1,
        "step": step,
        "command": step,
        "at": stamp(now),
        "actor": {"id": held.actor.id, "name": held.actor.name},
        "role": min(roles) if roles else min(held.actor.roles, default=SYSTEM),
        "source": row.state,
        "target": target or row.state,
        "grounds": list(grounds or pack.administration.cite),
    }
    if data:
        event["data"] = dict(data)
    if owner:
        event["owner"] = dict(owner)
    if terms:
        event["terms"] = list(terms)
    if sets:
        event["sets"] = dict(sets)
    held.case = apply(held.case, event)
    store.write_event(row.id, event, now, key=key, request="")
    closed = pack.states[held.case.state].final if held.case.state in pack.states else False
    if not rows.update_case(held.case, row.department, before, now, closed):
        raise store.changed(row.id, before)
    if terms:
        rows.upsert_terms([rows.term_values(row.id, term) for term in terms])
        rows.date_tasks(row.id, rows.earliest(held.case))
    row.version = before + 1
    return store.Done(row.id, before + 1)


def administrative_sentence(event: Event, language: str) -> str:
    """Return what the history says of a step that no pack declares."""
    template = SENTENCES.get(event["step"], {}).get(language)
    if template is None:
        return event["step"]
    known = {name: str(value) for name, value in event.get("data", {}).items()}
    spoken = {"actor": event["actor"]["name"], "owner": event.get("owner", {}).get("name", ""), "reason": ""}
    return template.format_map({**spoken, **known})


def may_administer(held: Held) -> None:
    """Refuse whoever the pack does not name under ``administration``."""
    if not held.pack.administration.by & held.actor.roles:
        raise Problem("command-not-yours", _("你的角色不能改派这个办件"), detail=held.row.id, status=403)


def pack_of(case_id: str) -> str:
    """Return the pack of a case, or nothing when there is no such case."""
    return CaseModel.objects.filter(pk=case_id).values_list("pack", flat=True).first() or ""
