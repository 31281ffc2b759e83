"""Moving live cases to another version of their pack: looked at first, then in bulk, each case as an event of its own.

A case fits when its state is known there (or mapped to one), its facts and kept values have the types that the new
version wants, every role that has a task is there, and so is every part of a one-thing that waits or runs. What fits is
moved; what does not stays, and the report says why. A run that was cut short is begun again with the same call:
cases that have moved are no longer found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import administration, packs, routing, rows, sealing
from chengshu.contexts.cases.administration import Held
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import PackMigration, PackVersion
from chengshu.contexts.cases.packs import Runtime
from chengshu.contexts.cases.sql import dump
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import OPEN_TERMS, RUNNING, SUSPENDED, TermState
from chengshu.procedure.clock import stamp
from chengshu.procedure.machine import MACHINE, default_clock
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import MARK, OPEN, WAITING
from chengshu.procedure.types import BadValue, check_value

LEDGER_KIND = "pack.migration"
DROPPED = "dropped"
BATCH = 200


@dataclass(frozen=True, slots=True)
class MigrationLine:
    """Cases of one state that go the same way: how many, whether they fit, and why not."""

    state: str
    target: str
    count: int
    ok: bool
    reason: str


@dataclass(slots=True)
class MigrationReport:
    """What a run would do, or did. ``unfit`` names cases that stay, with the reason of each (the first thousand)."""

    pack: str
    to_version: str
    lines: list[MigrationLine] = field(default_factory=list)
    unfit: dict[str, str] = field(default_factory=dict)
    moved: int = 0
    left: int = 0
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """How one case would stand under the new version, or why it cannot."""

    target: str
    reason: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)
    terms: tuple[TermState, ...] = ()


def version_named(pack: str, version: str) -> PackVersion:
    """Return a loaded version of a pack by its name."""
    row = PackVersion.objects.filter(pack=pack, version=version).first()
    if row is None:
        known = ", ".join(PackVersion.objects.filter(pack=pack).values_list("version", flat=True)) or "none"
        raise Problem(
            "pack-version-unknown", _("没有装载这个版本"), detail=f"{pack} {version}",
            remedy=f"loaded: {known}", status=404,
        )  # fmt: skip
    return row


def dry_run(
    pack: str, to_version_id: int, now: dt.datetime, mapping: Mapping[str, str] | None = None
) -> MigrationReport:
    """Say for every live case whether it fits the version, without changing anything."""
    to = _target(pack, to_version_id, mapping or {})
    report = MigrationReport(pack, to.pack.version)
    counted: dict[tuple[str, str, str], int] = {}
    for case_id in _live(pack, to_version_id):
        row = rows.lock_free(case_id)
        old = packs.pinned(row.pack_version_id, row.pack_hash).pack
        held = Held(row, old, row.case(pack), rows.open_tasks(case_id), MACHINE)
        found = fit(held, to.pack, mapping or {}, now)
        _count(report, counted, case_id, row.state, found)
    report.lines = _lines(counted)
    return report


def migrate(
    pack: str,
    to_version_id: int,
    actor: Account,
    reason: str,
    now: dt.datetime,
    mapping: Mapping[str, str] | None = None,
) -> MigrationReport:
    """Move every live case that fits; each in its own transaction, with an event, its ground and its ledger leaf."""
    if actor.role != "operator":
        raise Problem("migration-not-yours", _("只有区级运行员可以迁移办件"), status=403)
    said, wanted = administration.reason_of(reason), dict(mapping or {})
    to = _target(pack, to_version_id, wanted)
    run = PackMigration.objects.create(
        pack=pack,
        to_version_id=to_version_id,
        mapping=dump(wanted),
        actor=str(actor.pk),
        reason=said,
        started_at=now,
    )
    report = MigrationReport(pack, to.pack.version, run_id=run.pk)
    counted: dict[tuple[str, str, str], int] = {}
    for case_id in _live(pack, to_version_id):
        found, state = _move(case_id, to, wanted, actor, said, now)
        _count(report, counted, case_id, state, found)
    report.lines = _lines(counted)
    end = {"pack": pack, "to": to.pack.version, "hash": to.pack.hash, "moved": report.moved, "left": report.left,
           "mapping": wanted, "actor": str(actor.pk)}  # fmt: skip
    with transaction.atomic():
        leaf = ledger.deposit(LEDGER_KIND, f"pack:{pack}", end, now=now)
        PackMigration.objects.filter(pk=run.pk).update(
            ended_at=now, moved=report.moved, left=report.left, leaf_id=leaf.id
        )
    return report


def migrations_of(pack: str, limit: int = 20) -> list[PackMigration]:
    """Return the runs of a pack, newest first."""
    return list(PackMigration.objects.filter(pack=pack).select_related("to_version").order_by("-pk")[:limit])


def fit(held: Held, to: Pack, mapping: Mapping[str, str], now: dt.datetime) -> Fit:
    """Return how a case stands under another version, or the first thing that does not fit."""
    state = held.row.state
    target = mapping.get(state, state)
    if target not in to.states:
        return Fit(target, _("新版没有状态 %(state)s：用 --map 指到一个状态") % {"state": state})
    if to.states[target].final:
        return Fit(target, _("状态 %(state)s 在新版是终结状态") % {"state": target})
    reason = _facts_fit(held, to) or _children_fit(held, to) or _parts_fit(held, to, target)
    if reason:
        return Fit(target, reason)
    kept, reason = _kept(held, to)
    if reason:
        return Fit(target, reason)
    try:
        terms = _terms(held, to, target, now)
    except (Problem, KeyError) as error:
        return Fit(target, _("期限无法重新计算：%(why)s") % {"why": error})
    return Fit(target, "", kept, terms)


def _facts_fit(held: Held, to: Pack) -> str:
    known = dict(held.case.facts)
    try:
        known.update(sealing.unseal(held.row.id, 1))
    except Problem:
        return _("个人信息已抹去，无法核对")
    for name, wanted in to.facts.items():
        value = known.get(name)
        if value is None:
            if wanted.required and wanted.when is None:
                return _("缺少新版必填的 %(name)s") % {"name": name}
            continue
        try:
            check_value(value, wanted.type)
        except BadValue as bad:
            return f"{name}: {bad}"
    return ""


def _children_fit(held: Held, to: Pack) -> str:
    """A child that is open will send its parent the command that its end brings: the new version must know it."""
    waiting = CaseModel.objects.filter(parent_id=held.row.id, closed_at=None).exclude(on_end="")
    # Parts bring news, no command of their own.
    waiting = waiting.exclude(on_end__startswith=MARK)
    missing = [name for name in waiting.values_list("on_end", flat=True) if name not in to.commands()]
    return _("新版没有派生办件办结时的指令 %(name)s") % {"name": missing[0]} if missing else ""


def _parts_fit(held: Held, to: Pack, target: str) -> str:
    """Parts that wait or run go on under their ids: each must be there in the new version, with the pack that it runs under."""
    running = [name for name, part in held.case.parts.items() if part["state"] in (WAITING, OPEN)]
    if not running:
        return ""
    if to.parts is None or target not in to.parts.runs_while:
        return _("新版在状态 %(state)s 没有事项在办，而这一件还有：%(names)s") % {
            "state": target, "names": "、".join(sorted(running)),
        }  # fmt: skip
    missing = sorted(name for name in running if to.parts.get(name) is None)
    if missing:
        return _("新版没有在办的事项 %(names)s") % {"names": "、".join(missing)}
    for name in running:
        had, has = held.pack.parts and held.pack.parts.get(name), to.parts.get(name)
        if had and has and (had.pack != has.pack or type(had) is not type(has)):
            return _("新版的事项 %(name)s 用另一个规程（%(pack)s）") % {"name": name, "pack": has.pack}
    return ""


def _kept(held: Held, to: Pack) -> tuple[dict[str, Any], str]:
    """Return the kept values that the new version adds or resets, or why one does not fit."""
    added: dict[str, Any] = {}
    for name, type_ in to.keeps.items():
        if name not in held.case.kept:
            added[name] = to.initial.get(name)
            continue
        try:
            check_value(held.case.kept[name], type_)
        except BadValue as bad:
            return {}, f"{name}: {bad}"
    return added, ""


def _terms(held: Held, to: Pack, target: str, now: dt.datetime) -> tuple[TermState, ...]:
    """Return the terms that change: counted anew by the new lengths, dropped where the new version has none."""
    clock = default_clock()
    changed: list[TermState] = []
    for name, term in held.case.terms.items():
        item = to.deadlines.get(name)
        if term["state"] not in OPEN_TERMS:
            continue
        if item is None or not (target in item.runs_while or target in item.suspended_while):
            changed.append({**term, "state": DROPPED})
        elif term["state"] == RUNNING and (item.until is None or "until" in term):
            fresh: TermState = {**clock.recount(item, term), "id": name}
            if fresh != term:
                changed.append(fresh)
        elif term["state"] == SUSPENDED and target not in item.suspended_while:
            stops = [*term["stops"][:-1], [term["stops"][-1][0], stamp(now)]]
            going: TermState = {**term, "stops": stops, "state": RUNNING}
            changed.append({**clock.recount(item, going), "id": name})
    alive = {term["id"] for term in held.case.terms.values() if term["state"] in OPEN_TERMS}
    alive -= {term["id"] for term in changed if term["state"] == DROPPED}
    for item in to.deadlines.values():
        if target in item.starts_on and item.id not in alive and item.until is None:
            before = held.case.terms.get(item.id)
            if before is None or before["state"] in OPEN_TERMS:
                changed.append(clock.start(item, now, before["round"] + 1 if before else 1))
    return tuple(changed)


def _move(
    case_id: str, to: Runtime, mapping: Mapping[str, str], actor: Account, reason: str, now: dt.datetime
) -> tuple[Fit, str]:
    with transaction.atomic():
        held = administration.hold(case_id, actor, now)
        found = fit(held, to.pack, mapping, now)
        state = held.row.state
        if found.reason or held.row.pack_version_id == to.version_id:
            return found, state
        held.pack, old = to.pack, held.pack
        data = {"reason": reason, "from_version": old.version, "to_version": to.pack.version,
                "from_hash": old.hash, "to_hash": to.pack.hash, "from_state": state, "to_state": found.target}  # fmt: skip
        administration.write(
            held, "migrated", now, data=data, terms=found.terms, sets=found.kept, target=found.target,
            grounds=to.pack.administration.cite,
        )  # fmt: skip
        CaseModel.objects.filter(pk=case_id).update(pack_version_id=to.version_id)
        held.row.pack_version_id, held.row.pack_hash = to.version_id, to.pack.hash
        _change_tasks(held, to.pack, found.target, now)
        return found, state


def _change_tasks(held: Held, to: Pack, target: str, now: dt.datetime) -> None:
    wanted = to.states[target].tasks
    have = {role for _task, role, _owner in held.tasks}
    rows.close_tasks([task for task, role, _owner in held.tasks if role not in wanted and role != "job"], now)
    due = rows.earliest(held.case)
    rows.insert_tasks(
        [
            rows.task_values(held.row, role, owner, due, now)
            for role in wanted
            if role not in have
            for owner in routing.owners_for(to.roles[role], held.row, now)
        ]
    )
    rows.date_tasks(held.row.id, due)


def _target(pack: str, to_version_id: int, mapping: Mapping[str, str]) -> Runtime:
    row = PackVersion.objects.filter(pk=to_version_id, pack=pack).first()
    if row is None:
        raise Problem("pack-version-unknown", _("没有装载这个版本"), detail=pack, status=404)
    to = packs.pinned(row.pk, row.hash)
    unknown = [state for state in mapping.values() if state not in to.pack.states]
    if unknown:
        raise Problem(
            "migration-map", _("新版没有这个状态"), detail=", ".join(sorted(unknown)),
            remedy=", ".join(to.pack.states), status=422,
        )  # fmt: skip
    return to


def _live(pack: str, to_version_id: int) -> Iterator[str]:
    """Yield the open cases under other versions, in batches, so that a run of any size holds no long cursor."""
    found = CaseModel.objects.filter(pack=pack, closed_at=None).exclude(pack_version_id=to_version_id)
    after = ""
    while True:
        batch = list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return
        yield from batch
        after = batch[-1]


def _count(
    report: MigrationReport, counted: dict[tuple[str, str, str], int], case_id: str, state: str, found: Fit
) -> None:
    key = (state, found.target, found.reason)
    counted[key] = counted.get(key, 0) + 1
    if not found.reason:
        report.moved += 1
        return
    report.left += 1
    if len(report.unfit) < 1000:
        report.unfit[case_id] = found.reason


def _lines(counted: Mapping[tuple[str, str, str], int]) -> list[MigrationLine]:
    return [
        MigrationLine(state, target, number, not reason, reason)
        for (state, target, reason), number in sorted(counted.items())
    ]
