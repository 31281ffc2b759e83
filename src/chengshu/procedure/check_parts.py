"""Parts of a one-thing: what they name exists, nothing waits in a circle, and each child pack gets what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from chengshu.procedure.expressions import Expression, compile_expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import SYSTEM, Field, Pack
from chengshu.procedure.parts import Given, Join, Part
from chengshu.procedure.sheets import Faults
from chengshu.procedure.syntax import SyntaxFault
from chengshu.procedure.types import Type
from chengshu.procedure.typing_rules import TypeFault, fits

FILE = "parts.yaml"
# Returns a child pack by its id, or None.
FindPack = Callable[[str], Pack | None]
# The account that opens a child is the applicant's.
OPENERS = ("opener", "public")


def check_parts(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Check what needs the pack itself only."""
    if pack.parts is not None:
        checker = _Parts(pack, files, faults)
        checker.states()
        checker.order()
        checker.joins()


def check_children(pack: Pack, files: PackFiles, faults: Faults, find: FindPack) -> None:
    """Check the parts against the packs that they open."""
    for item in pack.parts or ():
        child = find(item.pack)
        if child is None:
            faults.add(
                "part-pack", f"There is no pack {item.pack!r} for {item.id!r}", files.name(FILE), item.line,
                remedy="put its folder beside this one, or load it first",
            )  # fmt: skip
        elif child.parts is not None:
            faults.add(
                "part-pack", f"{item.pack!r} has parts itself", files.name(FILE), item.line,
                remedy="name its parts here: parts have no parts of their own",
            )  # fmt: skip
        else:
            _Child(pack, files, faults, item, child, find).check()


class _Base:
    def __init__(self, pack: Pack, files: PackFiles, faults: Faults) -> None:
        self.pack, self.files, self.faults = pack, files, faults

    def fault(self, line: int, code: str, title: str, remedy: str = "", detail: str = "") -> None:
        self.faults.add(code, title, self.files.name(FILE), line, remedy=remedy, detail=detail)

    def known(self, line: int, code: str, what: str, word: str, names: Mapping[str, Any]) -> bool:
        if word in names:
            return True
        near = get_close_matches(word, list(names), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names)) or 'none'}"
        self.fault(line, code, f"There is no {what} {word!r}", hint)
        return False


class _Parts(_Base):
    """The checks on the pack's own side."""

    def states(self) -> None:
        """News of a part must find a step wherever parts may still be under way."""
        parts = self.pack.parts
        if parts is None:
            return
        for name in parts.runs_while:
            known = self.known(parts.line, "state-unknown", "state", name, self.pack.states)
            if known and self.pack.states[name].final:
                self.fault(parts.line, "part-state", f"Parts cannot run in {name!r}: it is final")
        for name in sorted(self._reached(set(parts.runs_while))):
            state = self.pack.states.get(name)
            steps = self.pack.steps.get((name, parts.on_part), ())
            if state is not None and not state.final and not any(SYSTEM in step.by for step in steps):
                self.fault(
                    parts.line, "part-news", f"News of a part finds no step {parts.on_part!r} in {name!r}",
                    f"add a step {parts.on_part!r} from {name!r} by [system]",
                )  # fmt: skip

    def _reached(self, start: set[str]) -> set[str]:
        reached, frontier = set(start), list(start)
        while frontier:
            source = frontier.pop()
            for step in self.pack.transitions:
                if source in step.sources and step.target and step.target not in reached:
                    reached.add(step.target)
                    frontier.append(step.target)
        return reached

    def order(self) -> None:
        """Parts wait for known parts, and for none that waits for them."""
        parts = self.pack.parts.parts if self.pack.parts is not None else {}
        for part in parts.values():
            for name in part.after:
                self.known(part.line, "part-unknown", "part", name, parts)
        for part in parts.values():
            if part.id in _before(part.id, parts):
                self.fault(
                    part.line, "part-cycle", f"The part {part.id!r} waits for itself",
                    "take one of the names out of after:",
                )  # fmt: skip

    def joins(self) -> None:
        """A join names parts that can all wait for it, and gives only to those that it joins."""
        parts = self.pack.parts.parts if self.pack.parts is not None else {}
        for join in self.pack.parts.joins.values() if self.pack.parts is not None else ():
            for name in join.parts:
                self.known(join.line, "part-unknown", "part", name, parts)
                for other in sorted(_before(name, parts) & set(join.parts) - {name}):
                    self.fault(
                        join.line, "part-cycle", f"{name!r} opens after {other!r} has ended, and both meet in {join.id!r}",
                        f"take {name!r} out of the join, or {other!r} out of its after:",
                    )  # fmt: skip
            for name, given in join.gives.items():
                self.known(given.line, "part-unknown", "part of this join", name, join.parts)
            for name in join.leaves:
                self.known(join.line, "part-unknown", "part of this join", name, join.parts)
            if not join.withdraw:
                self.fault(
                    join.line, "join-stands", f"Nothing calls {join.id!r} off once no part waits for it",
                    f"name under withdraw: a command of {join.pack} by [system]",
                )  # fmt: skip


def _before(name: str, parts: Mapping[str, Part]) -> set[str]:
    """Return every part that must end before ``name`` opens."""
    found: set[str] = set()
    frontier = [name]
    while frontier:
        part = parts.get(frontier.pop())
        for other in part.after if part is not None else ():
            if other not in found:
                found.add(other)
                frontier.append(other)
    return found


class _Child(_Base):
    """The checks of one part or join against its pack."""

    def __init__(
        self, pack: Pack, files: PackFiles, faults: Faults, item: Part | Join, child: Pack, find: FindPack
    ) -> None:
        super().__init__(pack, files, faults)
        self.item, self.child, self.find = item, child, find

    def check(self) -> None:
        """Check opening, ends, and what goes to and fro."""
        self.opening()
        for name in self.item.done:
            self.known(self.item.line, "state-unknown", f"state of {self.child.id}", name, self.child.states)
        self.covered()
        if isinstance(self.item, Part):
            self.commands(self.item)
            for name, source in self.item.returns.items():
                value = self.compiled(self.item.line, self.child, source, self.pack.keeps.get(name))
                if value is not None and value.type.personal:
                    self.fault(self.item.line, "privacy", f"Personal data is not kept: {name!r}")
        else:
            self.gives(self.item)
            self.departures(self.item)

    def opening(self) -> None:
        by = self.child.opening.by
        opens = SYSTEM in by or any(
            self.child.roles[role].holder in OPENERS for role in by if role in self.child.roles
        )
        if not opens:
            self.fault(
                self.item.line, "part-pack", f"Neither an applicant nor the system opens cases of {self.child.id!r}",
                "let its opening be by: a role held by the opener, or by: [system]",
            )  # fmt: skip

    def covered(self) -> None:
        """Every fact that the child needs is given or has a source of its own, fits, and personal data stay personal."""
        for name, value in self.item.facts.items():
            if self.known(self.item.line, "part-fact", f"fact of {self.child.id}", name, self.child.facts):
                self.fitting(name, value, self.child.facts[name])
        for name, fact in self.child.facts.items():
            filled = name in self.item.facts or fact.prefill is not None
            if fact.required and not filled and self._may_ask(fact):
                self.fault(
                    self.item.line, "part-fact-missing",
                    f"{self.item.id!r} does not give the fact {name!r}, which {self.child.id} needs",
                    f"add {name}: under facts:",
                )  # fmt: skip

    def fitting(self, name: str, value: Expression, fact: Field, line: int = 0) -> None:
        """Note a value that does not fit a field of the child."""
        line = line or self.item.line
        wanted = fact.type
        if fact.when is not None and not wanted.optional:
            wanted = Type(wanted.kind, wanted.choices, True, wanted.personal, wanted.columns)
        try:
            fits(value.type, wanted)
        except TypeFault as wrong:
            self.fault(line, "expression-type", f"{name!r} of {self.child.id}: {wrong}", detail=value.source)
        if value.type.personal and not fact.type.personal:
            self.fault(line, "privacy", f"{name!r} of {self.child.id} is not for personal data")

    def _may_ask(self, fact: Field) -> bool:
        """Whether a fact can be asked for at all, where what its condition reads is written in the part."""
        if fact.when is None:
            return True
        given = {f"facts.{name}": value for name, value in self.item.facts.items()}
        if any(name not in given or given[name].reads for name in fact.when.reads):
            return True
        return bool(fact.when.evaluate({name: given[name].evaluate({}) for name in fact.when.reads}) is True)

    def commands(self, part: Part) -> None:
        """The commands given in the applicant's name are the applicant's to give."""
        for given in part.then:
            fields = self._fields(given.line, self.child, given.command, OPENERS)
            self._data(given, fields, {n: v for n, v in given.data.items() if isinstance(v, Expression)})
        if part.withdraw:
            self._fields(part.line, self.child, part.withdraw, OPENERS)

    def gives(self, join: Join) -> None:
        """What a join brings its parts are commands that the machine may give where they wait."""
        for name, given in join.gives.items():
            part = self.pack.parts.parts.get(name) if self.pack.parts is not None else None
            receiver = self.find(part.pack) if part is not None else None
            if receiver is None:
                continue
            waits = join.parts.get(name, "")
            self.known(given.line, "state-unknown", f"state of {receiver.id}", waits, receiver.states)
            fields = self._fields(given.line, receiver, given.command, (SYSTEM,), waits)
            data = {
                key: value
                for key, source in given.data.items()
                if (value := self.compiled(given.line, self.child, str(source), None)) is not None
            }
            _Child(self.pack, self.files, self.faults, join, receiver, self.find)._data(given, fields, data)

    def departures(self, join: Join) -> None:
        """The shared case takes what it is told by leaving parts; it can be called off wherever it may stand."""
        told = [(command, "") for command in join.leaves.values()]
        if join.withdraw:
            alive = (name for name, state in self.child.states.items() if not state.final)
            told += [(join.withdraw, state) for state in alive]
        for command, state in told:
            fields = self._fields(join.line, self.child, command, (SYSTEM,), state)
            self._data(Given(command, {}, join.line), fields, {})

    def _data(self, given: Given, fields: Mapping[str, Field], data: Mapping[str, Expression]) -> None:
        for name, value in data.items():
            if self.known(given.line, "part-fact", f"field of {given.command!r}", name, fields):
                self.fitting(name, value, fields[name], given.line)
        for name, field in fields.items():
            if field.required and field.when is None and name not in given.data:
                self.fault(
                    given.line, "part-fact-missing", f"{given.command!r} of {self.child.id} needs {name!r}",
                    f"add {name}: under with:",
                )  # fmt: skip

    def _fields(
        self, line: int, child: Pack, command: str, holders: tuple[str, ...], state: str = ""
    ) -> Mapping[str, Field]:
        """Return the fields of a command that one of the holders may give (in a state); none where there is no such."""
        for step in child.transitions:
            held = SYSTEM in step.by if SYSTEM in holders else False
            held = held or any(child.roles[role].holder in holders for role in step.by if role in child.roles)
            if step.command == command and held and (not state or state in step.sources):
                return step.form.fields if step.form is not None else {}
        who = "the machine" if SYSTEM in holders else "the applicant"
        self.fault(
            line, "part-command", f"{who} cannot give {command!r} to {child.id}" + (f" in {state!r}" if state else ""),
            f"add such a step to {child.id}, or name another command",
        )  # fmt: skip
        return {}

    def compiled(self, line: int, child: Pack, source: str, wanted: Type | None) -> Expression | None:
        """Compile an expression over a child's case."""
        try:
            return compile_expression(source, child_names(child), wanted)
        except (SyntaxFault, TypeFault) as wrong:
            self.fault(
                line, "expression-type", "The expression makes no sense", detail=f"{source[:80]}: {wrong}"
            )
        return None


def child_names(child: Pack) -> dict[str, Type]:
    """Return what expressions over a child's case may read: what it keeps, its plain facts, how it ended, the day."""
    found = {f"case.{name}": type_ for name, type_ in child.keeps.items()}
    found |= {f"facts.{name}": item.type for name, item in child.facts.items() if not item.type.personal}
    return {**found, "outcome": Type("text"), "state": Type("text"), "today": Type("date")}


def citing_parts(pack: Pack) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
    """Yield (file, line, what, citations) of each part and join."""
    for item in pack.parts or ():
        what = "part" if isinstance(item, Part) else "join"
        yield FILE, item.line, f"{what} {item.id!r}", item.cite
