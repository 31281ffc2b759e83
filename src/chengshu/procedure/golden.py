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
from chengshu.kernel.terms import legal_day
from chengshu.procedure import golden_parts
from chengshu.procedure.case import RUNNING, Case, Event, Outcome
from chengshu.procedure.children import report_of_child
from chengshu.procedure.clock import Clock
from chengshu.procedure.files import PackFiles
from chengshu.procedure.machine import MACHINE, Command, advance, begin, default_clock
from chengshu.procedure.model import SYSTEM, Field, Pack
from chengshu.procedure.ports import Actor
from chengshu.procedure.sheets import Faults, Sheet, parsed

GIVEN = ("at", "by", "facts", "as", "refused", "because")
STEP = (
    "at", "by", "as", "do", "with", "refused", "because", "child", "ended", "part", "join", "state", "opening", "outcome",
    "record",
)  # fmt: skip
THEN = (
    "state", "outcome", "terms", "kept", "effects", "effects_include", "documents", "children", "label", "department",
    "grounds", "because", "parts", "joins",
)  # fmt: skip


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
    sheets, faults = golden_sheets(files)
    played = [play(pack, sheet, clock) for sheet in sheets]
    touched = {mark for case in played for mark in case.touched}
    return Report(tuple(played), tuple(sorted(_all_marks(pack) - touched)), tuple(faults))


def golden_sheets(files: PackFiles) -> tuple[list[Sheet], Faults]:
    """Return the golden cases as they are written, and what cannot be read."""
    faults: Faults = Faults()
    found: list[Sheet] = []
    for path in files.under("cases"):
        name = files.name(path)
        try:
            sheet = Sheet(faults, name, parsed(files.texts[path], name))
        except Problem as problem:
            faults.append(problem)
            continue
        found += sheet.listed("cases", required=True)
        sheet.close()
    return found, faults


def play(pack: Pack, sheet: Sheet, clock: Clock | None = None) -> Played:
    """Play one golden case; it may be played again, under another pack."""
    return _Player(pack, sheet, clock or default_clock()).play()


def _all_marks(pack: Pack) -> set[str]:
    marks = {f"step {step.id}" for step in (pack.opening, *pack.transitions)}
    marks |= {f"row {table.id}/{row.id}" for table in pack.tables.values() for row in table.rows}
    marks |= {f"end of term {name}" for name in pack.deadlines}
    marks |= {f"watch {item.element}" for item in pack.watches}
    marks |= {f"last day of term {name}" for name in pack.deadlines}
    marks |= {f"value {name} from {v.start}" for name, item in pack.parameters.items() for v in item.values}
    for form, fields in pack.fields():
        for name, item in fields.items():
            marks |= {f"choice {_dotted(form, name)}/{choice}" for choice in item.grounds}
            if item.check is not None:
                marks.add(f"check {_dotted(form, name)} refuses")
    return marks | golden_parts.all_marks(pack)


def _dotted(form: str, name: str) -> str:
    return f"{form}.{name}" if form else name


class _Player:
    """Plays one golden case."""

    def __init__(self, pack: Pack, sheet: Sheet, clock: Clock) -> None:
        self.pack, self.sheet, self.clock = pack, sheet, clock
        self.case: Case | None = None
        self.secrets: dict[str, Any] = {}
        self.effects: list[dict[str, Any]] = []
        # The command that the end of each child brings.
        self.on_end: list[str] = []
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
        refused = given.data.get("refused")
        try:
            outcome = begin(self.pack, "GOLDEN", facts, self._actor(given), self.now, self.clock)
        except Problem as problem:
            self._refused(given, "opening", "", problem, refused)
            return
        if refused:
            self._differs(given, f"the opening was not refused ({refused} was expected)")
        self.secrets = dict(outcome.personal)
        self._took(outcome, self.pack.facts, "")

    def _step(self, step: Sheet) -> None:
        self._known_keys(step, STEP)
        at = _instant(step)
        if at < self.now:
            self._differs(step, "time runs backwards")
        self._let_terms_end(at)
        self.now = at
        self._see_last_days(at)
        name = step.data.get("do")
        refused = step.data.get("refused")
        if self.case is None:
            return
        if "child" in step.data or "record" in step.data:
            command = self._child_ended(step) if "child" in step.data else self._record_says(step)
        elif "part" in step.data or "join" in step.data:
            command = golden_parts.news_of(self.pack, self.case, step, self._differs)
        elif name is not None:
            command = Command(str(name), self._actor(step), _plain(step.data.get("with", {})))
        else:
            return
        if command is None:
            return
        plan = self.pack.plans.get((self.case.state, command.name))
        form = plan.form if plan else None
        try:
            outcome = advance(self.pack, self.case, command, self.secrets, at, self.clock)
        except Problem as problem:
            self._refused(step, command.name, form.name if form else "", problem, refused)
        else:
            if refused:
                self._differs(step, f"{command.name} was not refused ({refused} was expected)")
            self._took(outcome, form.fields if form else {}, form.name if form else "")

    def _refused(self, step: Sheet, what: str, form: str, problem: Problem, wanted: Any) -> None:
        if problem.code != wanted:
            self._differs(step, f"{what} was refused: {problem.code} ({problem.detail})")
        for name, error in problem.extra.get("errors", {}).items():
            if error["code"] == "check":
                self.result.touched.add(f"check {_dotted(form, name)} refuses")

    def _child_ended(self, step: Sheet) -> Command | None:
        """Return the command by which the machine reports the end of the n-th child that was opened."""
        number, outcome = step.data.get("child"), str(step.data.get("ended", ""))
        if self.case is None or not isinstance(number, int) or not 0 < number <= len(self.on_end):
            self._differs(step, f"{len(self.on_end)} child case(s) were opened, not {number!r}", "child")
            return None
        child, name = _child_id(number), self.on_end[number - 1]
        if not name:
            self._differs(
                step, "the end of this child brings no command: its open_case has no on_end", "child"
            )
            return None
        said = {"child": child, "child_outcome": outcome, **_plain(step.data.get("with", {}))}
        data = report_of_child(self.pack, self.case.state, name, said)
        return Command(name, MACHINE, data, children={child: outcome})

    def _record_says(self, step: Sheet) -> Command | None:
        """Return the command that the system gives once a record has a value that the pack watches."""
        said = _plain(step.data["record"])
        for watch in self.pack.watches:
            if isinstance(said, Mapping) and watch.element in said:
                self.result.touched.add(f"watch {watch.element}")
                return Command(watch.command, MACHINE, {watch.field: said[watch.element]})
        self._differs(step, "the pack watches no such element", "record")
        return None

    def _see_last_days(self, at: dt.datetime) -> None:
        """Note the terms that still run on their last day: here the case shows what holds on it."""
        day = legal_day(at).isoformat()
        for term in self.case.terms.values() if self.case else ():
            if term["state"] == RUNNING and term["due_on"] == day:
                self.result.touched.add(f"last day of term {term['id']}")

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
            # A term whose day had passed when it started ends at once, not before it began.
            self.now = max(self.now, dt.datetime.fromisoformat(due_at))
            self._took(advance(self.pack, self.case, command, self.secrets, self.now, self.clock), {}, "")
            self.result.touched.add(f"end of term {term_id}")

    def _took(self, outcome: Outcome, fields: Mapping[str, Field], form: str) -> None:
        event = outcome.event
        self.case = outcome.case
        self.result.events.append(event)
        self.result.touched.add(f"step {event['step']}")
        self.result.touched |= {f"row {table}/{row}" for table, row in event.get("rows", {}).items()}
        self.effects.extend({"do": call.name, "with": call.params} for call in outcome.effects)
        self.grounds.extend(outcome.grounds)
        answers = {**event.get("data", {}), **outcome.personal}
        self.result.touched |= {
            f"field {_dotted(form, name)}" for name, value in answers.items() if value is not None
        }
        for name, item in fields.items():
            value = answers.get(name) if item.grounds else None
            for choice in value if isinstance(value, list) else (value,):
                self.result.touched |= (
                    {f"choice {_dotted(form, name)}/{choice}"} if choice in item.grounds else set()
                )
        self._note_values(event)
        self.result.touched |= golden_parts.opened(self.pack, self.case, event)
        children = {}
        for call in outcome.effects:
            if call.name == "open_case":
                self.on_end.append(str(call.params.get("on_end") or ""))
                children[_child_id(len(self.on_end))] = ""
        if children:
            self.case.children = {**self.case.children, **children}

    def _note_values(self, event: Event) -> None:
        """Note the dated values that a step could read, and the length of a term that it started."""
        steps = {step.id: step for step in (self.pack.opening, *self.pack.transitions)}
        names = {
            name.removeprefix("parameters.")
            for name in steps[event["step"]].reads
            if name.startswith("parameters.")
        }
        read = {(name, event["at"]) for name in names}
        for term in event.get("terms", []):
            started = term["state"] == RUNNING and not term["stops"]
            if started and (name := self.pack.deadlines[term["id"]].parameter):
                read.add((name, term["started"]))
        for name, at in read:
            value = self.pack.parameters[name].on(legal_day(dt.datetime.fromisoformat(at)))
            self.result.touched.add(f"value {name} from {value.start}")

    def _compare(self, then: Sheet, case: Case) -> None:
        self._known_keys(then, THEN)
        wanted = _plain(then.data)
        opened = self.result.events[0]
        for key, found in (
            ("state", case.state),
            ("outcome", case.outcome),
            ("label", case.label),
            ("department", opened.get("department", "")),
        ):
            if key in wanted and wanted[key] != found:
                self._differs(then, f"{key} is {found!r}, not {wanted[key]!r}", key)
        self._compare_numbers(then, case, wanted)
        for text in golden_parts.unlike(
            self.pack, case, {**wanted.get("parts", {}), **wanted.get("joins", {})}
        ):
            self._differs(then, text, "parts" if "parts" in wanted else "joins")
        for name, term in wanted.get("terms", {}).items():
            self._compare_term(then, case, name, term)
        missing = [key for key in wanted.get("grounds", []) if key not in self.grounds]
        if missing:
            self._differs(then, f"no step rests on {', '.join(missing)}", "grounds")
        if "effects" in wanted:
            self._compare_effects(then, wanted["effects"])
        self._include_effects(then, wanted.get("effects_include", []))
        templates = [
            effect["with"]["template"] for effect in self.effects if effect["do"] == "render_document"
        ]
        if "documents" in wanted and templates != wanted["documents"]:
            self._differs(then, f"the documents are {templates}", "documents")

    def _compare_numbers(self, then: Sheet, case: Case, wanted: dict[str, Any]) -> None:
        for name, value in wanted.get("kept", {}).items():
            if case.kept.get(name) != value:
                self._differs(then, f"the case keeps {name} = {case.kept.get(name)!r}, not {value!r}", "kept")
        ended = sum(1 for outcome in case.children.values() if outcome)
        numbers = {"open": len(case.children) - ended, "ended": ended}
        for name, value in wanted.get("children", {}).items():
            if numbers.get(name) != value:
                self._differs(then, f"{numbers.get(name)} child cases are {name}, not {value}", "children")

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

    def _compare_effects(self, then: Sheet, wanted: list[dict[str, Any]]) -> None:
        # What the machine asks for by itself is compared by effects_include only.
        own = [effect for effect in self.effects if effect["do"] not in golden_parts.OF_PARTS]
        found = [effect["do"] for effect in own]
        if found != [effect.get("do") for effect in wanted]:
            self._differs(then, f"the effects are {found}", "effects")
            return
        for effect, want in zip(own, wanted, strict=True):
            for text in _unlike(effect, want):
                self._differs(then, text, "effects")

    def _include_effects(self, then: Sheet, wanted: list[dict[str, Any]]) -> None:
        """Find each wanted effect among those not found yet; order does not matter."""
        left = list(self.effects)
        for want in wanted:
            match = next(
                (item for item in left if item["do"] == want.get("do") and not _unlike(item, want)), None
            )
            if match is None:
                near = [text for item in left if item["do"] == want.get("do") for text in _unlike(item, want)]
                self._differs(
                    then, f"no effect is {want}" + (f" ({near[0]})" if near else ""), "effects_include"
                )
            else:
                left.remove(match)

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


def _child_id(number: int) -> str:
    return f"GOLDEN-{number}"


def _unlike(effect: dict[str, Any], want: dict[str, Any]) -> list[str]:
    """Return how an effect differs from the wanted one; parameters that are not named do not matter."""
    found = []
    for name, value in want.get("with", {}).items():
        shown = effect["with"].get(name)
        parts = value.items() if isinstance(value, Mapping) and isinstance(shown, Mapping) else ()
        same = all(shown.get(key) == part for key, part in parts) if parts else shown == value
        if not same:
            found.append(f"{effect['do']} has {name} = {shown!r}, not {value!r}")
    return found


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
