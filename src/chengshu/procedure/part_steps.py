"""How a step of a one-thing moves its parts: what its news changes, which parts open, join, are told, are withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chengshu.procedure.case import Case, EffectCall, EffectNote, Event
from chengshu.procedure.parts import (
    OPEN_PART,
    TELL_PART,
    WITHDRAW_PART,
    Join,
    News,
    Part,
    Parts,
    PartState,
    departures,
    due,
    gives,
    left_behind,
    opening_params,
    part_value,
    told,
)

if TYPE_CHECKING:
    from chengshu.procedure.model import Pack, Plan


@dataclass(slots=True)
class Moves:
    """What a command's news changes among the parts, before a step is chosen: its condition may ask for it."""

    changed: dict[str, PartState]
    opens: list[Part | Join]
    news: News | None = None
    returned: Mapping[str, Any] = field(default_factory=dict)


def look(pack: Pack, plan: Plan, case: Case, news: News | None, scope: dict[str, Any]) -> Moves | None:
    """Work out what moves; ``scope`` gets the parts as they stand then, and the values that came back."""
    parts = pack.parts
    if parts is None or (news is None and case.state not in parts.runs_while):
        return None
    changed = told(parts, case.parts, news) if news is not None else {}
    moves = Moves(changed, [], news if changed else None)
    if changed and news is not None:
        moves.returned = news.returned
        scope.update({f"case.{name}": value for name, value in news.returned.items()})
    if case.state in parts.runs_while:
        more, moves.opens = due(parts, {**case.parts, **changed}, scope)
        changed.update(more)
    states = {**case.parts, **changed}
    for name, bucket, key in plan.reads:
        if bucket in ("part", "parts"):
            scope[name] = part_value(parts, states, bucket, key)
    return moves


def run_parts(
    pack: Pack,
    case: Case,
    event: Event,
    moves: Moves | None,
    scope: dict[str, Any],
    sets: Mapping[str, Any] | None,
    calls: list[EffectCall],
) -> None:
    """Write what becomes of the parts into the event, and ask for what follows; what the step ``sets`` is read already."""
    parts = pack.parts
    if parts is None:
        return
    scope = {**scope, **{f"case.{name}": value for name, value in (sets or {}).items()}}
    changed, opens = (dict(moves.changed), moves.opens) if moves is not None else ({}, [])
    runs = event["target"] in parts.runs_while
    if runs and case.state not in parts.runs_while:
        more, opens = due(parts, {**case.parts, **changed}, scope)
        changed.update(more)
    elif not runs:
        for item in opens:
            changed.pop(item.id)
        opens = []
    states = {**case.parts, **changed}
    wanted = [
        *_openings(opens, scope),
        *_tellings(parts, states, moves),
        *_departures(pack, event, states, moves),
        *_leavings(pack, event, states),
    ]
    for name, key, params in wanted:
        call = EffectCall(name, params, f"{case.id}:{event['seq']}:{key}", True)
        calls.append(call)
        event.setdefault("effects", []).append(_note(call))
    if changed:
        event["parts"] = changed
    if moves is not None and moves.news is not None:
        event["news"] = {"part": moves.news.part, "state": changed[moves.news.part]["state"]}


Wanted = tuple[str, str, dict[str, Any]]


def _openings(opens: list[Part | Join], scope: dict[str, Any]) -> list[Wanted]:
    return [(OPEN_PART, item.id, opening_params(item, scope)) for item in opens]


def _tellings(parts: Parts, states: Mapping[str, PartState], moves: Moves | None) -> list[Wanted]:
    news = moves.news if moves is not None else None
    found = gives(parts, states, news) if news is not None else []
    return [
        (TELL_PART, f"tell:{case_id}", {"case": case_id, "do": command, "with": dict(data)})
        for case_id, command, data in found
    ]


def _departures(
    pack: Pack, event: Event, states: Mapping[str, PartState], moves: Moves | None
) -> list[Wanted]:
    if pack.parts is None:
        return []
    over = pack.states[event["target"]].final
    found = departures(pack.parts, states, moves.news if moves is not None else None, over=over)
    return [
        (TELL_PART, f"left:{case_id}", {"case": case_id, "do": command, "with": {}})
        for case_id, command in found
    ]


def _leavings(pack: Pack, event: Event, states: Mapping[str, PartState]) -> list[Wanted]:
    if pack.parts is None or not pack.states[event["target"]].final:
        return []
    return [
        (WITHDRAW_PART, f"withdraw:{case_id}", {"case": case_id, "do": command})
        for case_id, command in left_behind(pack.parts, states)
    ]


def _note(call: EffectCall) -> EffectNote:
    note: EffectNote = {"do": call.name, "key": call.key, "params": dict(call.params), "inside": call.inside}
    if call.name == OPEN_PART:
        # What the part is opened with is in the part's own event, sealed there where it is personal.
        note["params"] = {"part": call.params["part"], "pack": call.params["pack"]}
        note["withheld"] = ["facts", "then"]
    return note
