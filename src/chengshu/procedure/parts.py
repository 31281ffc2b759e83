"""Parts of a one-thing: which child cases open when, what their ends mean, and where parts meet; pure.

A pack with parts.yaml composes others. Each part is a case of its own pack and office; it opens in the transaction in
which the last of the parts before it has ended well. A join is one shared case of several parts: it opens once each of
them waits in its state, and its end brings each a command. Who ends before leaves it: it goes on for the others, and with
nobody left, or with the parent's own end, it is called off. The parent's events carry what became of every part, so that
folding computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypedDict

from chengshu.procedure.expressions import Expression

WAITING, OPEN, DONE, REFUSED, SKIPPED, BLOCKED = "waiting", "open", "done", "refused", "skipped", "blocked"
PART_STATES = (WAITING, OPEN, DONE, REFUSED, SKIPPED, BLOCKED)
# Nothing more comes of a part in one of these.
SETTLED = (DONE, REFUSED, SKIPPED, BLOCKED)
COUNTED = (WAITING, OPEN, DONE, REFUSED)
# The effects that the machine asks for by itself; no pack writes them.
OPEN_PART, TELL_PART, WITHDRAW_PART = "open_part", "tell_part", "withdraw_part"
# What stands before the part's id in a child's `on_end`.
MARK = "part:"


@dataclass(frozen=True, slots=True)
class Given:
    """A command that a part's case gets, with its data: as expressions, or as text where the child's names are read."""

    command: str
    data: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a case of another pack."""

    id: str
    pack: str
    when: Expression | None
    after: tuple[str, ...]
    # States of the child in which the part has ended well.
    done: tuple[str, ...]
    # Commands that follow the opening at once, in the applicant's name; their data are expressions over the parent.
    then: tuple[Given, ...]
    # The child's command when the parent ends while the part is open.
    withdraw: str
    facts: Mapping[str, Expression]
    # Kept value of the parent → expression over the child, as written: its names are the child pack's.
    returns: Mapping[str, str]
    cite: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Join:
    """Where parts meet: one shared case, opened when each of its parts waits in the state named."""

    id: str
    pack: str
    parts: Mapping[str, str]
    facts: Mapping[str, Expression]
    done: tuple[str, ...]
    # Part → the command that the end of the shared case brings it; data are expressions over the shared case.
    gives: Mapping[str, Given]
    # The command by the system that calls the shared case off when nobody waits for it any more.
    withdraw: str
    # Part → the command by the system that tells the shared case that this part has left it, where others still wait.
    leaves: Mapping[str, str]
    cite: tuple[str, ...]
    line: int

    def awaited(self, states: Mapping[str, PartState]) -> bool:
        """Whether a part that is under way still waits for the shared case."""
        found = (states.get(name, {}) for name in self.parts)
        return any(
            known.get("state") == OPEN and known.get("at") == at
            for known, at in zip(found, self.parts.values(), strict=True)
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a pack, where they run and which command brings their news."""

    runs_while: tuple[str, ...]
    on_part: str
    parts: Mapping[str, Part]
    joins: Mapping[str, Join]
    line: int

    def __iter__(self) -> Iterator[Part | Join]:
        """Yield parts, then joins."""
        yield from self.parts.values()
        yield from self.joins.values()

    def get(self, name: str) -> Part | Join | None:
        """Return a part or join by its id."""
        return self.parts.get(name) or self.joins.get(name)

    def expressions(self) -> Iterator[Expression]:
        """Yield every expression over the parent's names."""
        for item in self:
            yield from item.facts.values()
            if isinstance(item, Part):
                yield from (value for given in item.then for value in given.data.values())
                if item.when is not None:
                    yield item.when

    def reads(self) -> frozenset[str]:
        """Return every name that opening parts may read."""
        return frozenset(name for item in self.expressions() for name in item.reads)

    def joins_of(self, part: str) -> list[Join]:
        """Return the joins that a part takes part in."""
        return [item for item in self.joins.values() if part in item.parts]

    def tells(self, name: str, state: str, final: bool) -> bool:
        """Say whether a child that reached ``state`` has news for the parent."""
        item = self.get(name)
        if item is None:
            return False
        waits = any(join.parts[name] == state for join in self.joins_of(name))
        return final or state in item.done or waits


class PartState(TypedDict, total=False):
    """What became of a part: its state, its case, the last state that its case told of, why it was refused."""

    state: str
    case: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class News:
    """What a part's case tells: the state it reached, what it returns, or that its opening was refused and why."""

    part: str
    state: str = ""
    final: bool = False
    outcome: str = ""
    returned: Mapping[str, Any] = field(default_factory=dict)
    # Part → data of the command that a join's end brings it.
    gives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refused: str = ""


class Values(Protocol):
    """Names and their values."""

    def get(self, name: str, /) -> Any:
        """Return the value of a dotted name."""
        ...


def told(parts: Parts, states: Mapping[str, PartState], news: News) -> dict[str, PartState]:
    """Return what a piece of news changes; news of a part that is settled changes nothing."""
    item, known = parts.get(news.part), states.get(news.part, {})
    if item is None or known.get("state", WAITING) != OPEN:
        return {}
    changed: PartState = {**known, "at": news.state} if news.state else {**known}
    if news.refused:
        changed["state"], changed["reason"] = REFUSED, news.refused
    elif news.state in item.done:
        changed["state"] = DONE
    elif news.final:
        # A shared case that ends once nobody waits for it refuses nothing to anybody.
        needless = isinstance(item, Join) and not item.awaited(states)
        changed["state"], changed["reason"] = SKIPPED if needless else REFUSED, news.outcome
    return {news.part: changed}


def due(
    parts: Parts, states: Mapping[str, PartState], scope: Values
) -> tuple[dict[str, PartState], list[Part | Join]]:
    """Return the states that follow by themselves (skipped, blocked, open), and what opens now.

    A part opens when each part before it has ended well or is not wanted; one refused before it blocks it.
    """
    changed: dict[str, PartState] = {}
    opens: list[Part | Join] = []

    def state_of(name: str) -> str:
        return (changed.get(name) or states.get(name) or {}).get("state", WAITING)

    moved = True
    while moved:
        moved = False
        for part in parts.parts.values():
            if state_of(part.id) != WAITING:
                continue
            following = _following(part, {state_of(name) for name in part.after}, scope)
            if following != WAITING:
                changed[part.id], moved = {"state": following}, True
                if following == OPEN:
                    opens.append(part)
    for join in parts.joins.values():
        if state_of(join.id) == WAITING and (following := _meeting(join, {**states, **changed})) != WAITING:
            changed[join.id] = {"state": following}
            if following == OPEN:
                opens.append(join)
    return changed, opens


def _following(part: Part, before: set[str], scope: Values) -> str:
    if before & {WAITING, OPEN}:
        return WAITING
    if part.when is not None and part.when.evaluate(scope) is not True:
        return SKIPPED
    return BLOCKED if before & {REFUSED, BLOCKED} else OPEN


def _meeting(join: Join, states: Mapping[str, PartState]) -> str:
    """A join opens when all parts that are still under way wait for it; with none left there is nothing to meet for."""
    under_way = [name for name in join.parts if states.get(name, {}).get("state", WAITING) in (WAITING, OPEN)]
    if not under_way:
        return SKIPPED
    waits = all(states.get(name, {}).get("at") == join.parts[name] for name in under_way)
    return OPEN if waits else WAITING


def counts(parts: Parts, states: Mapping[str, PartState]) -> dict[str, int]:
    """Return how many parts wait, are open, done and refused, and how many are left; joins are not counted."""
    found = dict.fromkeys(COUNTED, 0)
    for name in parts.parts:
        state = states.get(name, {}).get("state", WAITING)
        state = REFUSED if state == BLOCKED else state
        if state in found:
            found[state] += 1
    return {**found, "left": found[WAITING] + found[OPEN]}


def part_value(parts: Parts | None, states: Mapping[str, PartState], bucket: str, key: str) -> Any:
    """Return the value of `parts.<count>` or `part.<id>`."""
    if parts is None:
        return None
    return counts(parts, states)[key] if bucket == "parts" else states.get(key, {}).get("state", WAITING)


def opening_params(item: Part | Join, scope: Values) -> dict[str, Any]:
    """Return what opening a part or join takes, computed."""
    facts = {name: value.evaluate(scope) for name, value in item.facts.items()}
    then = [
        {"do": given.command, "with": {name: value.evaluate(scope) for name, value in given.data.items()}}
        for given in (item.then if isinstance(item, Part) else ())
    ]
    return {"part": item.id, "pack": item.pack, "facts": facts, "then": then}


def gives(
    parts: Parts, states: Mapping[str, PartState], news: News
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return (case, command, data) for each part that waits for the join whose shared case has just ended."""
    join = parts.joins.get(news.part)
    if join is None or news.state not in join.done:
        return []
    return [
        (str(known["case"]), given.command, news.gives.get(name, {}))
        for name, given in join.gives.items()
        if (known := states.get(name, {})).get("state") == OPEN
        and known.get("at") == join.parts[name]
        and known.get("case")
    ]


def departures(
    parts: Parts, states: Mapping[str, PartState], news: News | None, *, over: bool
) -> list[tuple[str, str]]:
    """Return (case, command) for each shared case that a part has just left, or that the parent's end (``over``) leaves."""
    left = news.part if news is not None and states.get(news.part, {}).get("state") in SETTLED else ""
    found = []
    for join in parts.joins.values():
        known = states.get(join.id, {})
        if known.get("state") != OPEN or not known.get("case") or not (over or left in join.parts):
            continue
        command = join.leaves.get(left, "") if not over and join.awaited(states) else join.withdraw
        if command:
            found.append((str(known["case"]), command))
    return found


def left_behind(parts: Parts, states: Mapping[str, PartState]) -> list[tuple[str, str]]:
    """Return (case, command) by which each open part is withdrawn when the parent ends."""
    return [
        (str(states[item.id]["case"]), item.withdraw)
        for item in parts.parts.values()
        if item.withdraw
        and states.get(item.id, {}).get("state") == OPEN
        and states.get(item.id, {}).get("case")
    ]


def without(parts: Parts, name: str) -> Parts:
    """Return the parts without one of them, or without a join; nothing waits for it any more."""
    kept = {
        key: replace(item, after=tuple(other for other in item.after if other != name))
        for key, item in parts.parts.items()
        if key != name
    }
    joins = {
        key: replace(
            item,
            parts={other: state for other, state in item.parts.items() if other != name},
            gives={other: given for other, given in item.gives.items() if other != name},
            leaves={other: command for other, command in item.leaves.items() if other != name},
        )
        for key, item in parts.joins.items()
        if key != name
    }
    return replace(parts, parts=kept, joins=joins)
