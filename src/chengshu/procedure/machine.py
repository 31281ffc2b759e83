"""``advance``: one step of a case, pure. Facts are fetched before, time comes in, nothing is read or written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.case import Case, EffectCall, EffectNote, Event, Outcome, TermState, apply
from chengshu.procedure.clock import Clock, expire, stamp
from chengshu.procedure.expressions import Expression
from chengshu.procedure.forms import fill_form
from chengshu.procedure.model import ENTRY, REVERSED, SYSTEM, WITHDRAWN, Effect, Pack, Plan, Transition
from chengshu.procedure.part_steps import Moves, look, run_parts
from chengshu.procedure.parts import News, part_value
from chengshu.procedure.ports import Actor

MACHINE = Actor("system", "系统", frozenset({SYSTEM}))
_default_clock: list[Clock] = []
_UNDECIDED: tuple[dict[str, Any], dict[str, str], tuple[str, ...]] = ({}, {}, ())


@dataclass(slots=True)
class Command:
    """What someone wants done. ``term`` names the term whose end the machine reports."""

    name: str
    actor: Actor
    data: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    term: str = ""
    children: Mapping[str, str] = field(default_factory=dict)
    # What a part of a one-thing tells.
    news: News | None = None


def default_clock() -> Clock:
    """Return the clock of the official calendar that is in force now."""
    calendar = official_calendar()
    if not _default_clock or _default_clock[0].calendar is not calendar:
        _default_clock[:] = [Clock(calendar)]
    return _default_clock[0]


def begin(
    pack: Pack,
    case_id: str,
    facts: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
    clock: Clock | None = None,
) -> Outcome:
    """Open a case: the facts are checked like a form, the first state's terms start, its tasks open."""
    step = pack.opening
    if not pack.in_force(legal_day(now)):
        raise Problem(
            "pack-not-in-force", "This version of the pack is not in force on this day",
            detail=f"{pack.id} {pack.version}: {pack.valid_from} to {pack.valid_to or '…'}", status=409,
        )  # fmt: skip
    if not step.by & actor.roles:
        raise Problem("opening-not-yours", "This role does not open such a case", status=403)
    case = Case(case_id, pack.id, kept=pack.initial)
    plan = pack.plans["", ENTRY]
    clock = clock or default_clock()
    scope = _scope(pack, plan, case, {}, actor, now, {}, clock)
    if "opened_on" in scope:
        scope["opened_on"] = legal_day(now).isoformat()
    clean = fill_form(pack.facts, facts, scope, facts, "facts.")
    decided, rows, cites = _decide(pack, step, scope) if step.decides else _UNDECIDED
    if step.when is not None and step.when.evaluate(scope) is not True:
        raise Problem("opening-refused", "The condition for opening such a case does not hold", status=409)
    outcome = _outcome(pack, case, step, Command(ENTRY, actor, clean), scope, now, clock, None)
    event = outcome.event
    event["sets"] = {**pack.initial, **event.get("sets", {})}
    if pack.department is not None and (department := pack.department.evaluate(scope)):
        outcome.department = event["department"] = str(department)
    cites += _answered(plan, clean)
    return _sealed(case, outcome, clean, pack.personal_facts(), decided, rows, cites)


def advance(
    pack: Pack,
    case: Case,
    command: Command,
    facts: Mapping[str, Any],
    now: dt.datetime,
    clock: Clock | None = None,
) -> Outcome:
    """Carry out one command; raises a ``Problem`` that says why not. ``facts`` add to, or stand for, the case's own."""
    plan = pack.plans.get((case.state, command.name))
    if plan is None:
        raise _no_plan(pack, case, command)
    candidates = _candidates(plan, case, command)
    known = {**case.facts, **facts} if facts else case.facts
    children = {**case.children, **command.children} if command.children else case.children
    clock = clock or default_clock()
    scope = _scope(pack, plan, case, known, command.actor, now, children, clock)
    if plan.form is not None:
        clean = fill_form(plan.form.fields, command.data, scope, known)
    elif command.data:
        raise Problem("form-invalid", "This command carries no data", status=422, errors={})
    else:
        clean = {}
    moves = look(pack, plan, case, command.news, scope) if pack.parts is not None else None
    for step in candidates:
        decided, rows, cites = _decide(pack, step, scope) if step.decides else _UNDECIDED
        if step.when is None or step.when.evaluate(scope) is True:
            break
    else:
        raise Problem(
            "guard-refused", "The conditions of this command do not hold", detail=command.name, status=409
        )
    if plan.grounds:
        cites += _answered(plan, clean)
    expired = expire(case.terms, command.term, now) if command.term else None
    outcome = _outcome(pack, case, step, command, scope, now, clock, expired, moves)
    return _sealed(case, outcome, clean, plan.personal[step.id], decided, rows, cites)


def allowed(pack: Pack, case: Case, actor: Actor, now: dt.datetime) -> list[Transition]:
    """Return one step for each command that ``actor`` may try now; guards that read the answers are left to the try."""
    found: dict[str, Transition] = {}
    clock = default_clock()
    for name in pack.commands():
        plan = pack.plans.get((case.state, name))
        scope = _scope(pack, plan, case, case.facts, actor, now, case.children, clock) if plan else {}
        for step in plan.steps if plan else ():
            if step.once and step.id in case.acted:
                continue
            if step.by & actor.roles and not _own_work(case, step, actor) and _may_hold(step, scope):
                found.setdefault(name, step)
    return list(found.values())


def for_others(pack: Pack, case: Case, actor: Actor, now: dt.datetime) -> list[Transition]:
    """Return the steps that are the actor's to take but for their own part in the case: somebody else must."""
    found: dict[str, Transition] = {}
    for name in pack.commands():
        plan = pack.plans.get((case.state, name))
        if plan is None:
            continue
        scope = _scope(pack, plan, case, case.facts, actor, now, case.children, default_clock())
        mine = [step for step in plan.steps if step.by & actor.roles and _may_hold(step, scope)]
        if mine and all(_own_work(case, step, actor) for step in mine):
            found[name] = mine[0]
    return list(found.values())


def _may_hold(step: Transition, scope: dict[str, Any]) -> bool:
    if step.when is None or any(name.startswith(("data.", "decided.")) for name in step.when.reads):
        return True
    return step.when.evaluate(scope) is True


def _no_plan(pack: Pack, case: Case, command: Command) -> Problem:
    if command.name not in pack.commands():
        return Problem("command-unknown", "The pack knows no such command", detail=command.name, status=404)
    return Problem(
        "command-not-now", "The case is in a state that does not allow this",
        detail=f"{command.name} in {case.state}", remedy="look at the case again", status=409, state=case.state,
    )  # fmt: skip


def _candidates(plan: Plan, case: Case, command: Command) -> list[Transition]:
    actor = command.actor
    mine = [step for step in plan.steps if step.by & actor.roles]
    if not mine:
        raise Problem(
            "command-not-yours", "Your role does not allow this here", detail=command.name, status=403
        )
    free = [step for step in mine if not step.not_who or not _own_work(case, step, actor)]
    if not free:
        raise Problem("own-work", "Nobody decides on their own work", detail=command.name, status=403)
    if not plan.once:
        return free
    first = [step for step in free if not (step.once and step.id in case.acted)]
    if not first:
        raise Problem(
            "already-done", "This is done once in a case, and it was", detail=command.name, status=409
        )
    return first


def _own_work(case: Case, step: Transition, actor: Actor) -> bool:
    acted = case.acted
    return any(
        actor.id in acted.get(other, ()) or (other == ENTRY and case.opened_by == actor.id)
        for other in step.not_who
    )


def _scope(
    pack: Pack,
    plan: Plan,
    case: Case,
    facts: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
    children: Mapping[str, str],
    clock: Clock,
) -> dict[str, Any]:
    """Return the names that this command's steps read, and no others, by their dotted names."""
    scope: dict[str, Any] = {}
    for name, bucket, key in plan.reads:
        if bucket == "facts":
            scope[name] = facts.get(key)
        elif bucket == "case":
            scope[name] = case.kept.get(key)
        elif bucket == "parameters":
            scope[name] = pack.parameters[key].on(legal_day(now)).value
        elif bucket == "actor":
            scope[name] = actor.id if key == "id" else actor.name
        elif bucket == "children":
            scope[name] = _of_children(key, children)
        elif bucket in ("part", "parts"):
            scope[name] = part_value(pack.parts, case.parts, bucket, key)
        elif bucket == "calendar":
            scope[name] = clock.calendar
        elif bucket == "opened_on":
            opened = case.opened_at
            scope[name] = legal_day(dt.datetime.fromisoformat(opened)).isoformat() if opened else None
        else:
            scope[name] = legal_day(now).isoformat()
    return scope


def _of_children(key: str, children: Mapping[str, str]) -> Any:
    """Return how many child cases are open or ended, or the outcome of each that has ended."""
    if key == "outcomes":
        return {child: outcome for child, outcome in children.items() if outcome}
    ended = sum(1 for outcome in children.values() if outcome)
    return ended if key == "ended" else len(children) - ended


def _answered(plan: Plan, clean: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the grounds of the choices that were made."""
    cites: tuple[str, ...] = ()
    for field_ in plan.grounds:
        value = clean.get(field_.name)
        for choice in value if isinstance(value, list) else (value,):
            cites += field_.grounds.get(choice, ()) if choice is not None else ()
    return cites


def _decide(
    pack: Pack, step: Transition, scope: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
    decided: dict[str, Any] = {}
    rows: dict[str, str] = {}
    cites: tuple[str, ...] = ()
    for name in step.decides:
        for row in pack.tables[name].rows:
            if row.when is None or row.when.evaluate(scope) is True:
                decided.update({key: value.evaluate(scope) for key, value in row.then.items()})
                rows[name], cites = row.id, (*cites, *row.cite)
                break
        else:
            raise Problem("table-gap", "No row of a decision table fits", detail=name, status=500)
    scope.update({f"decided.{key}": value for key, value in decided.items()})
    return decided, rows, cites


def _outcome(
    pack: Pack,
    case: Case,
    step: Transition,
    command: Command,
    scope: dict[str, Any],
    now: dt.datetime,
    clock: Clock,
    expired: TermState | None,
    moves: Moves | None = None,
) -> Outcome:
    target = step.target or case.state
    actor = command.actor
    terms = {**case.terms, expired["id"]: expired} if expired else case.terms
    sets = _sets(step, scope, moves)
    days = _last_days(pack, target, scope, sets) if step.target and target in pack.dated else None
    changed = clock.step(pack, terms, target, now, days, expired) if step.target else []
    if expired and all(term["id"] != expired["id"] for term in changed):
        changed.append(expired)
    state = pack.states[target]
    tasks = state.tasks if target != case.state else None
    event: Event = {
        "seq": case.version + 1,
        "step": step.id,
        "command": command.name,
        "at": stamp(now),
        "actor": {"id": actor.id, "name": actor.name},
        "role": _role(step, actor),
        "source": case.state or None,
        "target": target,
        "grounds": list(step.cite),
    }
    if sets:
        event["sets"] = dict(sets)
    if step.relabels and pack.label is not None:
        event["label"] = str(pack.label.evaluate(_after(scope, sets)) or "")
    if changed:
        event["terms"] = changed
    if tasks is not None:
        event["tasks"] = list(tasks)
    if state.final and target != case.state:
        event["outcome"] = state.outcome
        if state.outcome_kind in (WITHDRAWN, REVERSED):
            event["turned"] = state.outcome_kind
    if step.reverses:
        event["turned"] = REVERSED
    _told(event, command)
    calls: list[EffectCall] = []
    if step.effects and (notes := _effects(case.id, event["seq"], step, scope, calls)):
        event["effects"] = notes
    run_parts(pack, case, event, moves, scope, sets, calls)
    return Outcome(event, case, step, changed, tasks, calls, step.cite, {})


def _told(event: Event, command: Command) -> None:
    """Note the files that came with a command, and what it says of children."""
    if command.files:
        event["files"] = list(command.files)
    if command.children:
        event["children"] = dict(command.children)


def _sets(step: Transition, scope: dict[str, Any], moves: Moves | None) -> Mapping[str, Any] | None:
    """Return the kept values that change: what a part brought back, and what the step sets."""
    sets = {name: value.evaluate(scope) for name, value in step.sets.items()} if step.sets else None
    return {**moves.returned, **(sets or {})} if moves is not None and moves.returned else sets


def _role(step: Transition, actor: Actor) -> str:
    roles = step.by & actor.roles
    return next(iter(roles)) if len(roles) == 1 else min(roles)


def _after(scope: dict[str, Any], sets: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the names as they stand once the step's values are kept."""
    return {**scope, **{f"case.{name}": value for name, value in sets.items()}} if sets else scope


def _last_days(
    pack: Pack, target: str, scope: dict[str, Any], sets: Mapping[str, Any] | None
) -> dict[str, str | None]:
    """Return the computed last day of each term that starts in ``target``."""
    after = _after(scope, sets)
    return {
        item.id: item.until.evaluate(after)
        for item in pack.deadlines.values()
        if item.until is not None and target in item.starts_on
    }


def _effects(
    case_id: str, seq: int, step: Transition, scope: dict[str, Any], calls: list[EffectCall]
) -> list[EffectNote]:
    notes: list[EffectNote] = []
    for index, effect in enumerate(step.effects):
        key = f"{case_id}:{seq}:{index}"
        if effect.each is None:
            if effect.when is None or effect.when.evaluate(scope) is True:
                notes.append(_effect(effect, key, scope, calls))
            continue
        for number, item in enumerate(effect.each.evaluate(scope) or ()):
            inner = {**scope, "item": item}
            if isinstance(item, Mapping):
                inner.update({f"item.{name}": value for name, value in item.items()})
            if effect.when is None or effect.when.evaluate(inner) is True:
                notes.append(_effect(effect, f"{key}:{number}", inner, calls))
    return notes


def _effect(effect: Effect, key: str, scope: dict[str, Any], calls: list[EffectCall]) -> EffectNote:
    params = {name: _param(value, scope) for name, value in effect.params.items()}
    calls.append(EffectCall(effect.name, params, key, effect.inside))
    shown = {name: value for name, value in params.items() if name not in effect.personal}
    note: EffectNote = {"do": effect.name, "key": key, "params": shown, "inside": effect.inside}
    if effect.personal:
        note["withheld"] = sorted(effect.personal)
    return note


def _param(value: Expression | Mapping[str, Expression], scope: dict[str, Any]) -> Any:
    if isinstance(value, Expression):
        return value.evaluate(scope)
    return {name: part.evaluate(scope) for name, part in value.items()}


def _sealed(
    case: Case,
    outcome: Outcome,
    clean: Mapping[str, Any],
    personal: frozenset[str],
    decided: dict[str, Any],
    rows: dict[str, str],
    cites: tuple[str, ...],
) -> Outcome:
    """Put what was said and decided into the event, personal values apart, and fold it into the case."""
    event = outcome.event
    if clean and not personal:
        event["data"] = dict(clean)
    elif clean:
        event["data"] = {name: value for name, value in clean.items() if name not in personal}
        outcome.personal = {
            name: clean[name] for name in clean if name in personal and clean[name] is not None
        }
        if outcome.personal:
            event["withheld"] = sorted(outcome.personal)
    if rows:
        event["decided"], event["rows"] = decided, rows
    if cites:
        outcome.grounds = tuple(dict.fromkeys((*outcome.grounds, *cites)))
        event["grounds"] = list(outcome.grounds)
    outcome.case = apply(case, event)
    return outcome
