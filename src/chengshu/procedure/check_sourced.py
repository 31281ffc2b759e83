"""A decision of rules alone rests on what a record says, on what only people can say, or it is left to a person.

Looked at are the steps by which a table grants without anybody of the office. Each fact that such a grant reads, in the
rows up to the one that grants, in the step's condition and in what it issues, enters or pays, is one of

- sourced: ``prefill: {…, only: true}``. A required fact keeps what was typed where its source says nothing, so a row before
  must hand over when the record is missing: when an optional fact of the same record is ``null``;
- sourced beside another: ``facts.listed ?? facts.said``, the first by its source only, stands on the second where the record
  is missing, and that one is looked at for itself;
- typed for a reason: ``typed: why`` on the field.

Everything else is an error. Versions that are loaded already go on as they are: this is asked when a version enters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from chengshu.kernel.problems import Problem
from chengshu.procedure.check_refusals import OUTSIDE, of_office, refusal_states
from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import SYSTEM, Effect, Field, Pack, Row, Table, Transition
from chengshu.procedure.sheets import Faults
from chengshu.procedure.syntax import Node, parse

# Effects by which somebody is given something.
GIVES = (
    "issue_certificate", "renew_certificate", "change_certificate", "resume_certificate", "register_entry",
    "update_entry", "order_payment", "keep_key",
)  # fmt: skip
FACTS, DATA, CASE = "facts.", "data.", "case."
Record = tuple[str, ...]
# A fact that is asked for emptiness, and the condition under which; none: always.
Asked = tuple[str, Node | None]


def record_behind(item: Field) -> Record:
    """Return which record fills a field: its source, with everything that says which one is meant."""
    if item.prefill is None:
        return ()
    said = {
        name: value.source for name, value in item.prefill.params.items() if name not in ("element", "field")
    }
    return (item.prefill.source, *(f"{name}={source}" for name, source in sorted(said.items())))


def check_sourced(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note every fact on which a table grants and which is merely typed."""
    if not any(_outside(pack, role) for role in pack.opening.by):
        return  # what it is opened with is the office's own word
    first = _before_any_decision(pack)
    for step in pack.transitions:
        if first & set(step.sources) and granting(pack, step):
            _Grant(pack, step, files, faults).check()


def granting(pack: Pack, step: Transition) -> bool:
    """Whether tables grant by this step and nobody of the office does: one who could still refuse has it handed over."""
    if not step.decides or not any(role == SYSTEM or _outside(pack, role) for role in step.by):
        return False
    if any(effect.name in GIVES for effect in step.effects):
        return True
    if step.target is None or step.target in refusal_states(pack):
        return False
    refusals = refusal_states(pack)
    return not any(
        step.target in other.sources and other.target in refusals and of_office(pack, other)
        for other in pack.transitions
    )


def _before_any_decision(pack: Pack) -> set[str]:
    """Return the states that a case reaches before the office or a granting table has dealt with it."""
    found, stack = {pack.start}, [pack.start]
    while stack:
        state = stack.pop()
        for step in pack.transitions:
            if state in step.sources and not of_office(pack, step) and not granting(pack, step):
                target = step.target or state
                if target not in found:
                    found.add(target)
                    stack.append(target)
    return found


def _outside(pack: Pack, name: str) -> bool:
    role = pack.roles.get(name)
    if role is None or role.holder == SYSTEM:
        return False
    return role.holder in OUTSIDE or (role.holder == "role" and role.account_role == "resident")


class _Grant:
    """One granting step: what it rests on, and what of that nobody vouches for."""

    def __init__(self, pack: Pack, step: Transition, files: PackFiles, faults: Faults) -> None:
        self.pack, self.step, self.files, self.faults = pack, step, files, faults
        self.told: set[str] = set()

    def check(self) -> None:
        common: set[Asked] | None = None
        for table in (self.pack.tables[name] for name in self.step.decides if name in self.pack.tables):
            for at, row in enumerate(table.rows):
                if not self.grants(row, table):
                    continue
                asked = self.asked(table, at)
                self.row(table, at, asked)
                common = asked if common is None else common & asked
        if common is None:
            return
        if self.step.when is not None:
            what = f"The step {self.step.id!r} grants by machine and reads"
            self.each(self.step.when.reads, common, what, "states.yaml", self.step.line, issued=False)
        for effect in self.gifts():
            reads = [name for value in effect.expressions() for name in value.reads]
            what = f"{effect.name} of the step {self.step.id!r}, which grants by machine, reads"
            self.each(reads, common, what, "states.yaml", effect.line, issued=True)

    def gifts(self) -> Iterator[Effect]:
        """Yield what the step gives, and under which key it is had only once."""
        yield from (effect for effect in self.step.effects if effect.name in GIVES)
        yield from (effect for effect in self.pack.opening.effects if effect.name == "reserve_key")

    def row(self, table: Table, at: int, asked: set[Asked]) -> None:
        row = table.rows[at]
        before = [each.when for each in table.rows[: at + 1] if each.when is not None]
        values = [*before, *row.then.values()]
        beside = {name for name in _replaced(values) if self.only_sourced(name)}
        reads = [name for name in _read_in(values) if name not in beside]
        what = f"The row {row.id!r} grants by machine and rests on"
        self.each(reads, asked, what, f"decisions/{table.id}.yaml", row.line, issued=False)

    def only_sourced(self, name: str) -> bool:
        """Whether a fact is what its source says, or nothing: what was typed must not stand before the other."""
        item = self.pack.facts.get(name.removeprefix(FACTS))
        return item is not None and item.prefill is not None and item.prefill.only and not item.required

    def grants(self, row: Row, table: Table) -> bool:
        """Whether the step may be taken when this row decides."""
        when = self.step.when
        if when is None:
            return True
        given = {f"decided.{name}": value for name, value in row.then.items() if not value.reads}
        if any(name not in given for name in when.reads):
            return True
        try:
            return when.evaluate({name: value.evaluate({}) for name, value in given.items()}) is True
        except Problem:
            return True

    def asked(self, table: Table, at: int) -> set[Asked]:
        """Return the facts without which this row is not reached: empty, an earlier row hands over."""
        found = _needed(self.step.when) | _needed(table.rows[at].when)
        for row in table.rows[:at]:
            if not self.grants(row, table):
                found |= _caught(row.when)
        return found

    def each(
        self, reads: Iterable[str], asked: set[Asked], what: str, path: str, line: int, *, issued: bool
    ) -> None:
        for name, item in self.fields(reads):
            if name in self.told or item.typed:
                continue
            if item.prefill is None or not item.prefill.only:
                self.fault("grant-typed", f"{what} {name}, which is merely typed", path, line,
                           "prefill it with only: true, hand over to a person, or say under typed: why it may be")  # fmt: skip
            elif not (issued and not item.required) and not self.anchored(item, asked):
                self.fault("grant-unrecorded", f"{what} {name}, which stays as typed where its record is missing",
                           path, line, f"hand over before: {self.anchor(item)}")  # fmt: skip
            else:
                continue
            self.told.add(name)

    def fields(self, reads: Iterable[str]) -> Iterator[tuple[str, Field]]:
        """Yield the fields behind names; a kept value stands for what the steps of applicants set it from."""
        form = self.step.form.fields if self.step.form is not None else {}
        typed = form if any(_outside(self.pack, role) for role in self.step.by) else {}
        for name in dict.fromkeys(_unfolded(self.pack, reads)):
            known: Mapping[str, Field] = self.pack.facts if name.startswith(FACTS) else typed
            item = known.get(name.partition(".")[2]) if name.startswith((FACTS, DATA)) else None
            if item is not None:
                yield name, item

    def anchored(self, item: Field, asked: set[Asked]) -> bool:
        """Whether an optional fact of the same record is asked for: always, or whenever the field itself is asked."""
        own = parse(item.when.source) if item.when is not None else None
        names = [f"{FACTS}{other.name}" for other in self.pack.facts.values() if _same_record(other, item)]
        return any((name, when) in asked for name in names for when in (None, own))

    def anchor(self, item: Field) -> str:
        names = [other.name for other in self.pack.facts.values() if _same_record(other, item)]
        if names:
            return f"a row with when: {FACTS}{names[0]} == null"
        return "a row that asks an optional fact of the same record (only: true, the same where) for null"

    def fault(self, code: str, title: str, path: str, line: int, remedy: str) -> None:
        self.faults.add(code, title, self.files.name(path), line, remedy=remedy)


def _same_record(other: Field, item: Field) -> bool:
    sourced = other.prefill is not None and other.prefill.only and not other.required
    return sourced and record_behind(other) == record_behind(item)


def _unfolded(pack: Pack, reads: Iterable[str]) -> Iterator[str]:
    """Yield names; a kept value is followed by what the opening and people outside the office set it from."""
    seen: set[str] = set()
    stack = list(reads)[::-1]
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        if not name.startswith(CASE):
            continue
        for step in (pack.opening, *pack.transitions):
            value = step.sets.get(name.removeprefix(CASE))
            if value is not None and not of_office(pack, step):
                stack += [read for read in value.reads if read.startswith((FACTS, CASE))]


def _caught(when: Expression | None) -> set[Asked]:
    """Return the facts whose emptiness makes a condition hold, alone or under one more condition."""
    found: set[Asked] = set()
    for part in _joined(parse(when.source), "or") if when is not None else ():
        both = list(_joined(part, "and"))
        for each in both:
            rest = [other for other in both if other is not each]
            if len(rest) < 2 and (name := _compared(each, "==")):
                found.add((name, rest[0] if rest else None))
    return found


def _needed(when: Expression | None) -> set[Asked]:
    """Return the facts whose emptiness alone makes a condition fail."""
    parts = _joined(parse(when.source), "and") if when is not None else ()
    return {(name, None) for part in parts if (name := _compared(part, "!="))}


def _read_in(values: Iterable[Expression]) -> list[str]:
    return [name for value in values for name in value.reads]


def _replaced(values: Iterable[Expression]) -> set[str]:
    """Return the facts that have another fact in their stead wherever they are read (``facts.a ?? facts.b``)."""
    replaced: set[str] = set()
    bare: set[str] = set()
    stack = [parse(value.source) for value in values]
    while stack:
        node = stack.pop()
        left = _instead(node)
        if left:
            replaced.add(left)
            stack += node.parts[1:]
        elif node.kind == "name":
            bare.add(str(node.value))
        else:
            stack += node.parts
    return replaced - bare


def _instead(node: Node) -> str:
    """Return the fact on the left of ``??`` where another fact stands on its right."""
    if node.kind != "binary" or node.value != "??":
        return ""
    one, other = node.parts
    facts = (
        one.kind == other.kind == "name"
        and str(one.value).startswith(FACTS)
        and str(other.value).startswith(FACTS)
    )
    return str(one.value) if facts else ""


def _joined(node: Node, word: str) -> Iterator[Node]:
    if node.kind == "binary" and node.value == word:
        for part in node.parts:
            yield from _joined(part, word)
    else:
        yield node


def _compared(node: Node, sign: str) -> str:
    """Return the name that a node compares with ``null`` by this sign."""
    sides = {part.kind: part.value for part in node.parts}
    right = node.kind == "binary" and node.value == sign and set(sides) == {"name", "literal"}
    return str(sides["name"]) if right and sides["literal"] is None else ""
