"""What a well-formed pack may still get wrong: reach, owners, terms, grounds, names, texts; and article coverage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from chengshu.procedure.check_effects import check_effects, effects_of, words_of
from chengshu.procedure.check_parts import check_parts, citing_parts
from chengshu.procedure.check_tables import check_table
from chengshu.procedure.check_templates import check_templates
from chengshu.procedure.check_texts import check_texts
from chengshu.procedure.check_watches import check_watches, citing_watches
from chengshu.procedure.files import PackFiles
from chengshu.procedure.functions import parse_length
from chengshu.procedure.model import ENTRY, SYSTEM, Field, Pack, Transition
from chengshu.procedure.ports import Registry
from chengshu.procedure.sheets import Faults

# A regulation has dozens; what is drawn and tried out grows with their product.
MAX_STATES, MAX_STEPS = 200, 500


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which articles the pack executes, by which elements, and which it exempts and why."""

    executed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)
    informative: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def share(self) -> float:
        """Return the share of articles that are executed or exempted with a reason."""
        total = len(self.executed) + len(self.exempt) + len(self.informative) + len(self.missing)
        return 1.0 if not total else 1 - len(self.missing) / total


def check_meaning(
    pack: Pack, files: PackFiles, faults: Faults, ports: Registry, elements: frozenset[str] | None
) -> Coverage:
    """Check everything that needs the whole pack; faults are added, the coverage is returned."""
    checker = _Checker(pack, files, faults)
    checker.size()
    if faults:
        return Coverage()
    checker.head()
    checker.states()
    checker.transitions()
    checker.deadlines()
    checker.lengths()
    checker.grounds()
    if elements is not None:
        checker.elements(elements)
    for table in pack.tables.values():
        check_table(pack, table, faults, files.name(f"decisions/{table.id}.yaml"))
    check_effects(pack, files, faults)
    check_watches(pack, files, faults, elements)
    check_parts(pack, files, faults)
    check_templates(files, faults)
    check_texts(pack, files, faults)
    return checker.coverage()


class _Checker:
    """The checks on states, steps and terms; each writes its faults with file and line."""

    def __init__(self, pack: Pack, files: PackFiles, faults: Faults) -> None:
        self.pack, self.files, self.faults = pack, files, faults

    def fault(self, path: str, line: int, code: str, title: str, detail: str = "", remedy: str = "") -> None:
        self.faults.add(code, title, self.files.name(path), line, detail=detail, remedy=remedy)

    def steps(self) -> Iterator[Transition]:
        yield self.pack.opening
        yield self.pack.administration
        yield from self.pack.transitions

    def head(self) -> None:
        pack = self.pack
        if pack.valid_to is not None and pack.valid_to < pack.valid_from:
            self.fault("pack.yaml", 1, "pack-validity", "The pack ends before it begins")
        for instrument in pack.basis.values():
            if instrument.repealed is not None and instrument.repealed <= pack.valid_from:
                self.fault(
                    "pack.yaml", instrument.line, "reference-expired",
                    f"{instrument.title} was repealed before the pack begins", f"{instrument.repealed}",
                    "cite the text that is in force",
                )  # fmt: skip
            if instrument.in_force > (pack.valid_to or dt.date.max) or instrument.in_force > pack.valid_from:
                self.fault(
                    "pack.yaml", instrument.line, "reference-not-yet",
                    f"{instrument.title} is not in force when the pack begins", f"{instrument.in_force}",
                )  # fmt: skip
        for parameter in pack.parameters.values():
            if not parameter.values or parameter.values[0].start > pack.valid_from:
                self.fault(
                    self._parameter_file(parameter.name), parameter.line, "parameter-gap",
                    f"The parameter {parameter.name!r} has no value when the pack begins",
                )  # fmt: skip

    def size(self) -> None:
        """Refuse a pack that nobody could draw, read or try out."""
        for what, number, most in (
            ("states", len(self.pack.states), MAX_STATES),
            ("steps", len(self.pack.transitions), MAX_STEPS),
        ):
            if number > most:
                self.fault(
                    "states.yaml", 1, "pack-too-large", f"A pack has at most {most} {what}", f"{number}"
                )

    def _parameter_file(self, name: str) -> str:
        for path in self.files.under("parameters"):
            if f"{name}:" in self.files.texts[path]:
                return path
        return "parameters"

    def states(self) -> None:
        pack = self.pack
        if pack.start not in pack.states:
            self.fault("states.yaml", 1, "state-unknown", f"The first state {pack.start!r} is not declared")
            return
        ahead: dict[str, set[str]] = {name: set() for name in pack.states}
        for step in pack.transitions:
            for source in step.sources:
                if source in ahead and step.target in pack.states:
                    ahead[source].add(str(step.target))
        reached = _reach({pack.start}, ahead)
        back: dict[str, set[str]] = {name: set() for name in pack.states}
        for source, targets in ahead.items():
            for target in targets:
                back[target].add(source)
        ends = {name for name, state in pack.states.items() if state.final}
        leads_out = _reach(ends, back)
        for name, state in pack.states.items():
            if name not in reached:
                self.fault(
                    "states.yaml", state.line, "state-unreachable", f"No step leads to the state {name!r}"
                )
            elif name not in leads_out:
                self.fault(
                    "states.yaml", state.line, "state-dead-end", f"No way leads out of {name!r} to an end"
                )
            self._owned(name)

    def _owned(self, name: str) -> None:
        state = self.pack.states[name]
        for role in state.tasks:
            if role not in self.pack.roles:
                self._role(state.line, role)
            elif self.pack.roles[role].holder in ("public", SYSTEM):
                self.fault("states.yaml", state.line, "role-holder", f"Nobody in particular holds {role!r}",
                           remedy="give the task to a role that someone holds")  # fmt: skip
        if state.final:
            return
        if not state.tasks and not self._waits_for_children(name):
            self.fault(
                "states.yaml", state.line, "state-without-owner", f"Nobody has a task while the case is {name!r}",
                remedy="name the roles under tasks:, or let the end of a child case lead on",
            )  # fmt: skip
        if not any(name in item.runs_while | item.suspended_while for item in self.pack.deadlines.values()):
            self.fault(
                "states.yaml", state.line, "state-without-term", f"No term runs while the case is {name!r}",
                remedy="add the state to runs_while of a deadline",
            )  # fmt: skip

    def _waits_for_children(self, name: str) -> bool:
        """Whether the end of a child case, or news of a part, brings a command to this state."""
        if self.pack.parts is not None and (name, self.pack.parts.on_part) in self.pack.steps:
            return True
        ends = {word for effect in effects_of(self.pack) for word in words_of(effect, "on_end")}
        return any((name, command) in self.pack.steps for command in ends)

    def _role(self, line: int, role: str) -> None:
        near = get_close_matches(role, self.pack.roles, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(self.pack.roles)}"
        self.fault("states.yaml", line, "role-unknown", f"No role is called {role!r}", remedy=hint)

    def transitions(self) -> None:
        seen: set[str] = set()
        decided: set[tuple[str, str]] = set()
        for step in self.steps():
            if step.id in seen or (step.id == ENTRY and step is not self.pack.opening):
                self.fault("states.yaml", step.line, "transition-twice", f"The step {step.id!r} stands twice")
            seen.add(step.id)
            for role in sorted(step.by - {SYSTEM}):
                if role not in self.pack.roles:
                    self._role(step.line, role)
            for name in (*step.sources, *([step.target] if step.target else [])):
                if name not in self.pack.states:
                    self.fault("states.yaml", step.line, "state-unknown", f"No state is called {name!r}")
            self._order(step, decided)
        for step in self.pack.transitions:
            for other in (*step.not_who, *step.forwarded_by):
                if other not in seen:
                    self.fault("states.yaml", step.line, "transition-unknown", f"No step is called {other!r}")

    def _order(self, step: Transition, decided: set[tuple[str, str]]) -> None:
        """A step that always holds hides those behind it; out of a final state only the machine acts, and stays."""
        for source in step.sources:
            if (source, step.command) in decided:
                self.fault(
                    "states.yaml", step.line, "transition-hidden",
                    f"An earlier step of {step.command!r} from {source!r} always holds",
                    remedy="give the earlier step a condition, or put it last",
                )  # fmt: skip
            state = self.pack.states.get(source)
            if state is not None and state.final and (step.target is not None or step.by != {SYSTEM}):
                self.fault(
                    "states.yaml",
                    step.line,
                    "state-final",
                    f"{source!r} is final: only the system may note things there",
                )
            if step.when is None:
                decided.add((source, step.command))

    def deadlines(self) -> None:
        for item in self.pack.deadlines.values():
            for name in sorted(item.starts_on | item.runs_while | item.suspended_while):
                if name not in self.pack.states:
                    self.fault("deadlines.yaml", item.line, "state-unknown", f"No state is called {name!r}")
            if not item.starts_on <= item.runs_while | item.suspended_while:
                self.fault(
                    "deadlines.yaml", item.line, "deadline-start", "A term starts where it does not run"
                )
            for name in sorted(item.runs_while):
                steps = self.pack.steps.get((name, item.on_expiry), ())
                if not any(SYSTEM in step.by for step in steps):
                    self.fault(
                        "deadlines.yaml", item.line, "deadline-expiry",
                        f"When the term {item.id!r} ends in {name!r}, the system cannot do {item.on_expiry!r}",
                        remedy=f"add a step {item.on_expiry!r} from {name!r} by [system]",
                    )  # fmt: skip

    def lengths(self) -> None:
        """A parameter that stands where a length is wanted holds lengths."""
        names = {name for expression in self.pack.expressions() for name in expression.lengths}
        for name in sorted(name.removeprefix("parameters.") for name in names):
            for value in self.pack.parameters[name].values:
                try:
                    parse_length(str(value.value))
                except ValueError as error:
                    title = f"The parameter {name!r} is no length: {error}"
                    self.fault(self._parameter_file(name), value.line, "term-form", title)

    def grounds(self) -> None:
        for path, line, what, cites in self.citing():
            if not cites and what.split(" ")[0] not in ("field", "fact"):
                self.fault(
                    path, line, "ground-missing", f"The {what} cites no article",
                    remedy="add cite: [instrument:article]",
                )  # fmt: skip
            for key in cites:
                article = self.pack.articles.get(key)
                if article is None:
                    self.fault(
                        path, line, "article-unknown", f"The {what} cites {key}, which articles.yaml does not list",
                        remedy="list the article, or correct the citation",
                    )  # fmt: skip
                elif article.status != "executed":
                    self.fault(
                        path, line, "article-status", f"The {what} cites {key}, which is {article.status}"
                    )
        for key, article in self.pack.articles.items():
            if key.partition(":")[0] not in self.pack.basis:
                self.fault(
                    "articles.yaml",
                    article.line,
                    "instrument-unknown",
                    f"{key}: pack.yaml names no such instrument",
                )
            if article.status != "executed" and not article.why:
                self.fault(
                    "articles.yaml",
                    article.line,
                    "article-why",
                    f"{key} is {article.status} and does not say why",
                )
        for key in self.coverage().missing:
            self.fault(
                "articles.yaml", self.pack.articles[key].line, "article-unexecuted", f"Nothing executes {key}",
                remedy="cite it where it takes effect, or exempt it with a reason",
            )  # fmt: skip

    def citing(self) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
        """Yield (file, line, what, citations) of every element that cites."""
        pack = self.pack
        for step in self.steps():
            yield "states.yaml", step.line, f"step {step.id!r}", step.cite
        for item in pack.deadlines.values():
            yield "deadlines.yaml", item.line, f"term {item.id!r}", item.cite
        for table in pack.tables.values():
            for row in table.rows:
                yield f"decisions/{table.id}.yaml", row.line, f"row {row.id!r} of {table.id}", row.cite
        for parameter in pack.parameters.values():
            for value in parameter.values:
                path = self._parameter_file(parameter.name)
                yield path, value.line, f"parameter {parameter.name!r} from {value.start}", value.cite
        yield from citing_parts(pack)
        yield from citing_watches(pack)
        for kind, fields in self.fields():
            for item_ in fields.values():
                for line, what, cites in _citing_field(kind, item_):
                    yield "form.yaml", line, what, cites

    def fields(self) -> Iterator[tuple[str, Mapping[str, Field]]]:
        for form, fields in self.pack.fields():
            yield "field" if form else "fact", fields

    def elements(self, known: frozenset[str]) -> None:
        for kind, fields in self.fields():
            for item in fields.values():
                for part in (item, *item.columns.values()):
                    if part.element not in known:
                        self.fault(
                            "form.yaml", part.line, "element-unknown",
                            f"The {kind} {part.name!r} maps to {part.element!r}, which the catalogue does not have",
                        )  # fmt: skip

    def coverage(self) -> Coverage:
        executed: dict[str, list[str]] = {}
        for _, _, what, cites in self.citing():
            for key in cites:
                executed.setdefault(key, []).append(what)
        articles = self.pack.articles
        return Coverage(
            executed={key: tuple(executed[key]) for key, item in articles.items() if key in executed},
            exempt={key: item.why for key, item in articles.items() if item.status == "exempt"},
            informative=tuple(key for key, item in articles.items() if item.status == "informative"),
            missing=tuple(
                k for k, item in articles.items() if item.status == "executed" and k not in executed
            ),
        )


def _citing_field(kind: str, item: Field) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    yield item.line, f"{kind} {item.name!r}", item.cite
    for choice, cites in item.grounds.items():
        yield item.line, f"choice {choice!r} of {item.name!r}", cites
    for column in item.columns.values():
        yield column.line, f"field {item.name!r}.{column.name}", column.cite


def _reach(start: set[str], ahead: Mapping[str, set[str]]) -> set[str]:
    reached, frontier = set(start), list(start)
    while frontier:
        for name in ahead.get(frontier.pop(), ()):
            if name not in reached:
                reached.add(name)
                frontier.append(name)
    return reached
