"""Golden cases: what was given, what was done when, and what must be so then; and what they leave untouched.

The clock runs between the commands: every term that ends before the next one expires at its own instant, as the
sweep of a running installation would let it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Listed, parse_yaml
from chengshu.procedure.case import RUNNING, Case, Event, Outcome
from chengshu.procedure.clock import Clock
from chengshu.procedure.files import PackFiles
from chengshu.procedure.machine import MACHINE, Command, advance, begin, default_clock
from chengshu.procedure.model import SYSTEM, Pack
from chengshu.procedure.ports import Actor
from chengshu.procedure.sheets import Faults, Sheet

GIVEN = ("at", "by", "facts", "as")
STEP = ("at", "by", "as", "do", "with", "refused", "because")
THEN = ("state", "outcome", "terms", "kept", "effects", "grounds", "because")


@dataclass(slots=True)
class Played:
    """One golden case after it ran: what differed, and what it went through."""

    name: str
    file: str
    line: int
    differences: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Report:
    """All golden cases of a pack. ``untouched`` names steps, rows and term ends that no case goes through."""

    played: tuple[Played, ...]
    untouched: tuple[str, ...]
    faults: tuple[Problem, ...]

    def good(self) -> bool:
        """Return whether every case holds and nothing is left untouched."""
        return not self.faults and not self.untouched and not any(case.differences for case in self.played)


def run_golden(pack: Pack, files: PackFiles, clock: Clock | None = None) -> Report:
    """Play every golden case of a pack."""
    faults, played = Faults(), []
    for path in files.under("cases"):
        name = files.name(path)
        try:
            sheet = Sheet(faults, name, parse_yaml(files.texts[path], name))
        except Problem as problem:
            faults.append(problem)
            continue
        for item in sheet.listed("cases", required=True):
            played.append(_Player(pack, item, clock or default_clock()).play())
        sheet.close()
    touched = {mark for case in played for mark in case.touched}
    return Report(tuple(played), tuple(sorted(_all_marks(pack) - touched)), tuple(faults))


def _all_marks(pack: Pack) -> set[str]:
    marks = {f"step {step.id}" for step in (pack.opening, *pack.transitions)}
    marks |= {f"row {table.id}/{row.id}" for table in pack.tables.values() for row in table.rows}
    marks |= {f"end of term {name}" for name in pack.deadlines}
    marks |= {f"last day of term {name}" for name in pack.deadlines}
    return marks


class _Player:
    """Plays one golden case."""

    def __init__(self, pack: Pack, sheet: Sheet, clock: Clock) -> None:
        self.pack, self.sheet, self.clock = pack, sheet, clock
        self.case: Case | None = None
        self.secrets: dict[str, Any] = {}
        self.effects: list[dict[str, Any]] = []
        self.grounds: list[str] = []
        self.now = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.result = Played(sheet.text("case"), sheet.file, sheet.line)

    def play(self) -> Played:
        """Run given, when and then."""
        self.sheet.text("about", "")
        given, then = self.sheet.sheet("given", required=True), self.sheet.sheet("then", required=True)
        steps = list(self.sheet.listed("when"))
        self.sheet.close()
        if given is None or then is None:
            return self.result
        try:
            self._open(given)
            for step in steps:
                self._step(step)
            if self.case is not None:
                self._compare(then, self.case)
        except Problem as problem:
            self.result.differences.append(f"line {problem.where.line if problem.where else '?'}: {problem}")
        return self.result

    def _open(self, given: Sheet) -> None:
        self._known_keys(given, GIVEN)
        self.now = _instant(given)
        facts = _plain(given.data.get("facts", {}))
        outcome = begin(self.pack, "GOLDEN", facts, self._actor(given), self.now, self.clock)
        self.secrets = dict(outcome.personal)
        self._took(outcome)

    def _step(self, step: Sheet) -> None:
        self._known_keys(step, STEP)
        at = _instant(step)
        if at < self.now:
            self._differs(step, "time runs backwards")
        self._let_terms_end(at)
        self.now = at
        name = step.data.get("do")
        if name is None or self.case is None:
            return
        refused = step.data.get("refused")
        command = Command(str(name), self._actor(step), _plain(step.data.get("with", {})))
        try:
            self._took(advance(self.pack, self.case, command, self.secrets, at, self.clock))
        except Problem as problem:
            if problem.code != refused:
                self._differs(step, f"{name} was refused: {problem.code} ({problem.detail})")
        else:
            if refused:
                self._differs(step, f"{name} was not refused ({refused} was expected)")

    def _let_terms_end(self, at: dt.datetime) -> None:
        while self.case is not None:
            ending = [
                (term["due_at"], term["id"])
                for term in self.case.terms.values()
                if term["state"] == RUNNING
                and term["due_at"]
                and dt.datetime.fromisoformat(term["due_at"]) <= at
            ]
            if not ending:
                return
            due_at, term_id = min(ending)
            command = Command(self.pack.deadlines[term_id].on_expiry, MACHINE, term=term_id)
            instant = dt.datetime.fromisoformat(due_at)
            self._took(advance(self.pack, self.case, command, self.secrets, instant, self.clock))
            self.result.touched.add(f"end of term {term_id}")

    def _took(self, outcome: Outcome) -> None:
        before, event = self.case, outcome.event
        self.case = outcome.case
        self.result.events.append(event)
        self.result.touched.add(f"step {event['step']}")
        self.result.touched |= {f"row {table}/{row}" for table, row in event.get("rows", {}).items()}
        self.effects.extend({"do": call.name, "with": call.params} for call in outcome.effects)
        self.grounds.extend(outcome.grounds)
        for term in event.get("terms", []):
            old = before.terms.get(term["id"]) if before else None
            day = dt.datetime.fromisoformat(event["at"]).astimezone(dt.timezone(dt.timedelta(hours=8))).date()
            if old is not None and term["state"] == "met" and old["due_on"] == day.isoformat():
                self.result.touched.add(f"last day of term {term['id']}")

    def _compare(self, then: Sheet, case: Case) -> None:
        self._known_keys(then, THEN)
        for key, found in (("state", case.state), ("outcome", case.outcome)):
            if key in then.data and then.data[key] != found:
                self._differs(then, f"{key} is {found!r}, not {then.data[key]!r}", key)
        for name, wanted in then.data.get("kept", {}).items():
            if case.kept.get(name) != wanted:
                self._differs(
                    then, f"the case keeps {name} = {case.kept.get(name)!r}, not {wanted!r}", "kept"
                )
        for name, wanted in then.data.get("terms", {}).items():
            self._compare_term(then, case, name, wanted)
        missing = [key for key in then.data.get("grounds", []) if key not in self.grounds]
        if missing:
            self._differs(then, f"no step rests on {', '.join(missing)}", "grounds")
        if "effects" in then.data:
            self._compare_effects(then, then.data["effects"])

    def _compare_term(self, then: Sheet, case: Case, name: str, wanted: Any) -> None:
        term = case.terms.get(name)
        if term is None:
            self._differs(then, f"the term {name} never started", "terms")
            return
        for key, value in wanted.items():
            if key == "because":
                continue
            found = term["due_on"] if key == "due" else term.get(key)
            if str(found) != str(value):
                self._differs(then, f"the term {name} has {key} {found}, not {value} ({term['en']})", "terms")

    def _compare_effects(self, then: Sheet, wanted: Listed) -> None:
        found = [effect["do"] for effect in self.effects]
        if found != [effect.get("do") for effect in wanted]:
            self._differs(then, f"the effects are {found}", "effects")
            return
        for effect, want in zip(self.effects, wanted, strict=True):
            for name, value in _plain(want.get("with", {})).items():
                if effect["with"].get(name) != value:
                    shown = effect["with"].get(name)
                    self._differs(then, f"{effect['do']} has {name} = {shown!r}, not {value!r}", "effects")

    def _actor(self, sheet: Sheet) -> Actor:
        role = str(sheet.data.get("by", SYSTEM))
        if role == SYSTEM:
            return MACHINE
        name = str(sheet.data.get("as", role))
        return Actor(name, name, frozenset({role}))

    def _known_keys(self, sheet: Sheet, keys: tuple[str, ...]) -> None:
        for key in sheet.data:
            if key not in keys:
                self._differs(sheet, f"the key {key!r} is not known; known: {', '.join(keys)}", key)

    def _differs(self, sheet: Sheet, text: str, key: str = "") -> None:
        self.result.differences.append(f"line {sheet.at(key)}: {text}")


def _instant(sheet: Sheet) -> dt.datetime:
    """Read `at`; a time without a zone is that of the law, Asia/Shanghai."""
    value = sheet.data.get("at")
    try:
        instant = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        where = Where(file=sheet.file, line=sheet.at("at"))
        raise Problem("golden-time", f"{value!r} is no time like 2026-11-23 09:00", where=where) from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))
    return instant.astimezone(dt.UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
