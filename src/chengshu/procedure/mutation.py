"""Takes one citing element away at a time and asks whether a golden case notices.

A regulation's article that can vanish from a pack without any golden case failing is not tested. Mutants are made from
the compiled pack, so that only what the element does is missing: texts and coverage, which would complain anyway, are
not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from chengshu.kernel.terms import Term, Unit
from chengshu.procedure.clock import Clock
from chengshu.procedure.files import PackFiles
from chengshu.procedure.golden import Played, golden_sheets, play
from chengshu.procedure.loader import rebuilt
from chengshu.procedure.model import Deadline, Field, Form, Pack, Table
from chengshu.procedure.parts import Parts, without
from chengshu.procedure.sheets import Sheet

GOLDEN, UNLOADED, SURVIVED = "golden", "unloaded", "survived"


@dataclass(frozen=True, slots=True)
class Mutant:
    """An element to take away. ``mark`` is what golden cases that go through it bear."""

    kind: str
    key: str
    line: int
    mark: str
    make: Callable[[], Pack | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: a golden case failed, it would not load, or nobody noticed."""

    mutant: Mutant
    how: str
    case: str = ""


def mutate(pack: Pack, files: PackFiles, clock: Clock | None = None, every: int = 1) -> list[Verdict]:
    """Try every mutant (or every n-th, the same ones each time); golden cases that go through it are asked first."""
    sheets, _ = golden_sheets(files)
    played = [(sheet, play(pack, sheet, clock)) for sheet in sheets]
    return [_tried(mutant, played, clock) for mutant in list(mutants(pack))[::every]]


def _tried(mutant: Mutant, played: list[tuple[Sheet, Played]], clock: Clock | None) -> Verdict:
    pack = mutant.make()
    if pack is None:
        return Verdict(mutant, UNLOADED)
    # A case that fails anyway notices nothing.
    asked = [(sheet, case) for sheet, case in played if mutant.mark in case.touched and not case.differences]
    for sheet, case in asked:
        if play(pack, sheet, clock).differences:
            return Verdict(mutant, GOLDEN, case.name)
    return Verdict(mutant, SURVIVED)


def mutants(pack: Pack) -> Iterator[Mutant]:
    """Yield every element that cites an article."""
    yield from _steps(pack)
    yield from _terms(pack)
    yield from _rows(pack)
    yield from _values(pack)
    yield from _watches(pack)
    yield from _parts(pack)
    for form, fields in pack.fields():
        for name, item in fields.items():
            yield from _of_field(pack, form, name, item)


def _steps(pack: Pack) -> Iterator[Mutant]:
    for step in pack.transitions:
        left = tuple(other for other in pack.transitions if other is not step)
        make = partial(rebuilt, pack, transitions=left)
        yield Mutant("step", step.id, step.line, f"step {step.id}", make)


def _terms(pack: Pack) -> Iterator[Mutant]:
    for name, item in pack.deadlines.items():
        left = {key: other for key, other in pack.deadlines.items() if key != name}
        mark = f"end of term {name}"
        yield Mutant("term", name, item.line, mark, partial(rebuilt, pack, deadlines=left))
        # A term that is one longer must be missed too: the day after the last is then no longer late.
        longer = {**pack.deadlines, name: _longer(item)}
        yield Mutant("length of term", name, item.line, mark, partial(rebuilt, pack, deadlines=longer))


def _watches(pack: Pack) -> Iterator[Mutant]:
    for item in pack.watches:
        left = tuple(other for other in pack.watches if other is not item)
        make = partial(rebuilt, pack, watches=left)
        yield Mutant("watch", item.element, item.line, f"watch {item.element}", make)


def _longer(item: Deadline) -> Deadline:
    terms = tuple((start, _one_more(term)) for start, term in item.terms)
    if item.until is None:
        return replace(item, terms=terms)
    # A day that is computed ends one day earlier, or one more unit before.
    return replace(item, before=_one_more(item.before) if item.before else Term(1, Unit.DAYS))


def _one_more(term: Term) -> Term:
    return Term(1, Unit.WORKDAYS) if term.unit is Unit.AT_ONCE else Term(term.amount + 1, term.unit)


def _rows(pack: Pack) -> Iterator[Mutant]:
    for table in pack.tables.values():
        for row in table.rows:
            smaller: Table = replace(table, rows=tuple(other for other in table.rows if other is not row))
            tables = {**pack.tables, table.id: smaller}
            yield Mutant(
                "row",
                f"{table.id}/{row.id}",
                row.line,
                f"row {table.id}/{row.id}",
                partial(rebuilt, pack, tables=tables),
            )


def _values(pack: Pack) -> Iterator[Mutant]:
    for name, item in pack.parameters.items():
        for value in item.values:
            left = tuple(other for other in item.values if other is not value)
            parameters = {**pack.parameters, name: replace(item, values=left)}
            deadlines = {
                key: replace(term, terms=tuple(pair for pair in term.terms if pair[0] != value.start))
                if term.parameter == name
                else term
                for key, term in pack.deadlines.items()
            }
            yield Mutant(
                "value",
                f"{name} from {value.start}",
                value.line,
                f"value {name} from {value.start}",
                # Without a first value the pack would not load.
                _nothing
                if value is item.values[0]
                else partial(rebuilt, pack, parameters=parameters, deadlines=deadlines),
            )


def _parts(pack: Pack) -> Iterator[Mutant]:
    found = pack.parts
    if found is None:
        return
    for part in found.parts.values():
        mark = f"part {part.id} open"
        read = any(f"part.{part.id}" in expression.reads for expression in pack.expressions())
        less = partial(_with_parts, pack, without(found, part.id))
        yield Mutant("part", part.id, part.line, mark, _nothing if read else less)
        for other in part.after:
            bare = replace(part, after=tuple(name for name in part.after if name != other))
            make = partial(_with_parts, pack, replace(found, parts={**found.parts, part.id: bare}))
            # Whether it waits shows while the other one is under way.
            yield Mutant("order of part", f"{part.id} after {other}", part.line, f"part {other} open", make)
        if part.when is not None:
            wanted = replace(found, parts={**found.parts, part.id: replace(part, when=None)})
            make = partial(_with_parts, pack, wanted)
            yield Mutant("condition of part", part.id, part.line, f"part {part.id} skipped", make)
    for join in found.joins.values():
        make = partial(_with_parts, pack, without(found, join.id))
        yield Mutant("join", join.id, join.line, f"join {join.id} open", make)


def _with_parts(pack: Pack, parts: Parts) -> Pack:
    return rebuilt(pack, parts=parts)


def _nothing() -> None:
    return None


def _of_field(pack: Pack, form: str, name: str, item: Field) -> Iterator[Mutant]:
    dotted = f"{form}.{name}" if form else name
    if item.cite:
        read = f"{'data' if form else 'facts'}.{name}"
        used = any(read in expression.reads for expression in pack.expressions())
        yield Mutant(
            "field", dotted, item.line, f"field {dotted}",
            # What is read elsewhere cannot be taken away: the names would be unknown.
            _nothing if used else partial(_with_field, pack, form, name, None),
        )  # fmt: skip
    if item.check is not None:
        bare = replace(item, check=None)
        yield Mutant(
            "check",
            dotted,
            item.line,
            f"check {dotted} refuses",
            partial(_with_field, pack, form, name, bare),
        )
    for choice in item.grounds:
        type_ = replace(item.type, choices=tuple(other for other in item.type.choices if other != choice))
        grounds = {key: cites for key, cites in item.grounds.items() if key != choice}
        fewer = replace(item, type=type_, grounds=grounds)
        yield Mutant(
            "choice",
            f"{dotted}/{choice}",
            item.line,
            f"choice {dotted}/{choice}",
            partial(_with_field, pack, form, name, fewer),
        )


def _with_field(pack: Pack, form: str, name: str, item: Field | None) -> Pack:
    """Return the pack with a field changed, or taken away."""

    def changed(fields: Mapping[str, Field]) -> dict[str, Field]:
        return {
            key: other if key != name or item is None else item
            for key, other in fields.items()
            if key != name or item is not None
        }

    if not form:
        return rebuilt(pack, facts=changed(pack.facts))
    new = Form(form, changed(pack.forms[form].fields), pack.forms[form].line)
    transitions = tuple(
        replace(step, form=new) if step.form is not None and step.form.name == form else step
        for step in pack.transitions
    )
    return rebuilt(pack, forms={**pack.forms, form: new}, transitions=transitions)
