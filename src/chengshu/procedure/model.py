"""What a pack is once it is read: typed, checked, its expressions compiled. Nothing here reads files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel.citations import parse_citation
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import Term
from chengshu.procedure.expressions import Expression
from chengshu.procedure.parts import Parts
from chengshu.procedure.types import Type

SYSTEM = "system"
# How the conditions of a prefill's `where` stand among its parameters.
WHERE = "where."
ENTRY = "opened"
HOLDERS = ("cell", "department", "role", "opener", "public", "party", "assignee", "system")
# What the end of a case means to whoever watches over all of them.
GRANTED, REFUSED, WITHDRAWN, REVERSED, ENDED = "granted", "refused", "withdrawn", "reversed", "ended"
OUTCOME_KINDS = (GRANTED, REFUSED, WITHDRAWN, REVERSED, ENDED)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A law, regulation or house rule that the pack rests on."""

    id: str
    title: str
    # Unofficial; the Chinese title stands where there is none.
    title_en: str
    number: str
    issuer: str
    kind: str
    date: dt.date
    in_force: dt.date
    repealed: dt.date | None
    source: str
    line: int
    # How it is numbered where it has no articles: {zh: 项, en: item}.
    numbered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Article:
    """One article: its gist in our own words, and whether the pack executes it or why not."""

    key: str
    gist: Mapping[str, str]
    status: str
    why: str
    line: int


@dataclass(frozen=True, slots=True)
class Role:
    """Who may hold a role: staff of the case's cell or department, an account role, people of the case, the machine."""

    name: str
    holder: str
    account_role: str
    line: int
    # A holder `department` that names one: always that department, whatever the case's own is.
    department: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, or one fact given at opening."""

    name: str
    type: Type
    element: str
    required: bool
    when: Expression | None
    options: str
    prefill: Prefill | None
    accept: str
    most: int
    privacy: str
    cite: tuple[str, ...]
    line: int
    format: str = ""
    # A condition on the answer, its own and those before it; asked only when there is an answer.
    check: Expression | None = None
    # The columns of rows; they have no condition, source or columns of their own.
    columns: Mapping[str, Field] = field(default_factory=dict)
    # Whom a field of accounts offers.
    offer_role: str = ""
    offer_department: str = ""
    # The articles that a choice rests on, where each has its own (the grounds of a refusal).
    grounds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Why a decision of rules alone may rest on what people type here; empty: it may not (check_sourced).
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the opening form."""

    id: str
    fields: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Prefill:
    """Where the first value of a field comes from: a source of the second seam, or an expression."""

    source: str
    # A condition of `where` stands among them as where.<name>: which one is meant where the source holds several.
    params: Mapping[str, Expression]
    # What the source says stands, whatever is typed: decisions of seconds rest on such facts.
    only: bool = False

    @property
    def picks(self) -> dict[str, Expression]:
        """Return the conditions of `where`, by what the source calls them."""
        return {
            name.removeprefix(WHERE): value for name, value in self.params.items() if name.startswith(WHERE)
        }


@dataclass(frozen=True, slots=True)
class Form:
    """The fields that a command carries."""

    name: str
    fields: Mapping[str, Field]
    line: int


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that a transition asks for; parameters are expressions, `map` parameters are mappings of them."""

    name: str
    params: Mapping[str, Expression | Mapping[str, Expression]]
    personal: frozenset[str]
    inside: bool
    line: int
    when: Expression | None = None
    # One effect for each item of this list.
    each: Expression | None = None

    def expressions(self) -> list[Expression]:
        """Return every expression of the effect."""
        found = [value for value in (self.when, self.each) if value is not None]
        for value in self.params.values():
            found.extend([value] if isinstance(value, Expression) else value.values())
        return found

    def written(self, param: str) -> str | None:
        """Return a parameter that is a written text, or ``None`` when it is computed or absent."""
        value = self.params.get(param)
        constant = value.constant if isinstance(value, Expression) and not value.reads else None
        return constant if isinstance(constant, str) else None


@dataclass(frozen=True, slots=True)
class Transition:
    """A step: who may do what from where, what it needs, what follows and what it rests on."""

    id: str
    command: str
    sources: tuple[str, ...]
    target: str | None
    by: frozenset[str]
    not_who: tuple[str, ...]
    when: Expression | None
    form: Form | None
    decides: tuple[str, ...]
    sets: Mapping[str, Expression]
    effects: tuple[Effect, ...]
    cite: tuple[str, ...]
    line: int
    # Every name that the step's expressions, form and tables read: tells whether personal facts must be fetched.
    reads: frozenset[str] = frozenset()
    # At most once in a case.
    once: bool = False
    # Whether it changes a kept value that the case's label shows.
    relabels: bool = False
    # The steps that pass its answers on; until one is taken they are for the office and whoever gave them.
    forwarded_by: tuple[str, ...] = ()
    # Whether it undoes a decision that was taken before, wherever it leads.
    reverses: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of one command from one state, in the order in which they are tried, and the names that they read."""

    steps: tuple[Transition, ...]
    form: Form | None
    # (dotted name, bucket, key); what the command's own answers give is left out.
    reads: tuple[tuple[str, str, str], ...]
    personal: Mapping[str, frozenset[str]]
    # Whether a step may be taken at most once; which answers add grounds of their own.
    once: bool = False
    grounds: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A state: whose tasks it opens; a final one ends the case with an outcome."""

    name: str
    tasks: tuple[str, ...]
    final: bool
    outcome: str
    line: int
    # A final state that refuses what somebody applied for: only a person of the office may lead there.
    refusal: bool = False
    # With final: one of OUTCOME_KINDS; empty in versions that were loaded before it was asked for.
    outcome_kind: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A term: where it starts, where it runs and where its clock stands, its light and what its end brings."""

    id: str
    starts_on: frozenset[str]
    runs_while: frozenset[str]
    suspended_while: frozenset[str]
    restarts: bool
    # Exactly one of: lengths by the day from which they hold, or an expression that gives the last day.
    terms: tuple[tuple[dt.date, Term], ...]
    amber: Term
    on_expiry: str
    cite: tuple[str, ...]
    line: int
    parameter: str = ""
    until: Expression | None = None
    before: Term | None = None

    def term_on(self, day: dt.date) -> Term:
        """Return the length of a term that starts on ``day``."""
        found = [term for start, term in self.terms if start <= day]
        if not found:
            raise Problem(
                "parameter-not-in-force", "A term of the pack has no length for this day",
                detail=f"{self.id} on {day}", status=500,
            )  # fmt: skip
        return found[-1]

    def words(self, language: str) -> str:
        """Return the length in words: the last one in force, or that it runs until a day."""
        zh = language == "zh"
        if self.terms:
            term = self.terms[-1][1]
            return term.in_chinese() if zh else term.in_english()
        if self.before is None:
            return "至约定之日" if zh else "until the day itself"
        return f"届满前{self.before.in_chinese()}" if zh else f"{self.before.in_english()} before the day"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a decision table, with its ground."""

    id: str
    when: Expression | None
    then: Mapping[str, Expression]
    cite: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table: the first row that holds decides."""

    id: str
    form: str
    outputs: Mapping[str, Type]
    rows: tuple[Row, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Dated:
    """A value of a parameter from a day on, with its ground."""

    start: dt.date
    value: Any
    cite: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class DeclaredUse:
    """What a pack says about some elements that it takes from others: for what, and whether consent is asked."""

    elements: tuple[str, ...]
    basis: str
    purpose: Mapping[str, str]
    cite: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or word that changes by date; values stand oldest first."""

    name: str
    type: Type
    values: tuple[Dated, ...]
    last_checked: dt.date
    line: int

    def on(self, day: dt.date) -> Dated:
        """Return the value in force on ``day``."""
        found = [value for value in self.values if value.start <= day]
        if not found:
            raise Problem(
                "parameter-not-in-force",
                "A parameter of the pack has no value for this day",
                detail=f"{self.name} on {day}",
                status=500,
            )
        return found[-1]


@dataclass(frozen=True, slots=True)
class Watch:
    """An element of the record of whom a case is about: once it has a value, the system gives a command with it."""

    element: str
    command: str
    field: str
    cite: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of a regulation as data, ready to run."""

    id: str
    version: str
    hash: str
    jurisdiction: str
    valid_from: dt.date
    valid_to: dt.date | None
    basis: Mapping[str, Instrument]
    articles: Mapping[str, Article]
    roles: Mapping[str, Role]
    facts: Mapping[str, Field]
    forms: Mapping[str, Form]
    keeps: Mapping[str, Type]
    initial: Mapping[str, Any]
    start: str
    opening: Transition
    administration: Transition
    states: Mapping[str, State]
    transitions: tuple[Transition, ...]
    deadlines: Mapping[str, Deadline]
    tables: Mapping[str, Table]
    parameters: Mapping[str, Parameter]
    texts: Mapping[str, Mapping[str, Any]]
    # (state, command) → transitions in the order in which they are tried.
    steps: Mapping[tuple[str, str], tuple[Transition, ...]] = field(default_factory=dict)
    # The same, ready to run. The opening stands under ("", "opened").
    plans: Mapping[tuple[str, str], Plan] = field(default_factory=dict)
    # What lists call a case; the department of a case that is opened without one.
    label: Expression | None = None
    department: Expression | None = None
    # Whether people begin such a case themselves; else a step of another case does, or the system.
    offered: bool = True
    # Kept values that a child case hands to its parent at its end.
    returns: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    # Documents: name without ending → typst source.
    templates: Mapping[str, str] = field(default_factory=dict)
    # The pack and version that this one is a thin layer over.
    extends: tuple[str, str] | None = None
    # States in which a term starts whose last day is computed.
    dated: frozenset[str] = frozenset()
    # The parts of a one-thing; none in most packs.
    parts: Parts | None = None
    # What of the record of whom a case is about brings a command.
    watches: tuple[Watch, ...] = ()
    # Why personal data that fill the form need no consent, or what consent is asked for; the rest is asked for.
    uses: tuple[DeclaredUse, ...] = ()

    def text(self, key: str, language: str = "zh") -> str:
        """Return the text at a dotted key, such as ``states.to_visit``."""
        node: Any = self.texts[language]
        for part in key.split("."):
            node = node.get(part, "") if isinstance(node, Mapping) else ""
        return node if isinstance(node, str) else ""

    def in_force(self, day: dt.date) -> bool:
        """Return whether cases may be opened under this version on ``day``; running ones go on after it."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def only_passes(self, term: str) -> bool:
        """Say whether a term is a span that is waited for (a public notice, a licence): at its end it is over, not late.

        Nobody has a task in it, or it runs to a day that was named and the system then moves the case on.
        """
        item = self.deadlines[term]
        if not any(self.states[state].tasks for state in item.runs_while):
            return True
        ends = (step for state in item.runs_while for step in self.steps.get((state, item.on_expiry), ()))
        return item.until is not None and any(SYSTEM in step.by and step.target is not None for step in ends)

    def title(self, language: str = "zh") -> str:
        """Return the title of the pack."""
        return self.text("title", language)

    def place(self, key: str) -> dict[str, str]:
        """Return where an article stands, in words: 《…》第…条 and its English."""
        citation = parse_citation(key)
        instrument = self.basis[citation.instrument]
        zh, en = instrument.numbered.get("zh", "条"), instrument.numbered.get("en", "Article")
        return {
            "zh": citation.in_chinese(instrument.title, zh),
            "en": citation.in_english(instrument.title_en or instrument.title, en),
        }

    def commands(self) -> tuple[str, ...]:
        """Return every command, in the order of the file."""
        return tuple(dict.fromkeys(step.command for step in self.transitions))

    def fields(self) -> tuple[tuple[str, Mapping[str, Field]], ...]:
        """Return the facts (under the name "") and the fields of every form."""
        return (("", self.facts), *((name, form.fields) for name, form in self.forms.items()))

    def expressions(self) -> Iterator[Expression]:
        """Yield every expression of the pack."""
        found: list[Expression | None] = [self.label, self.department]
        for step in (self.opening, *self.transitions):
            found += [step.when, *step.sets.values()]
            for effect in step.effects:
                found += effect.expressions()
        for table in self.tables.values():
            for row in table.rows:
                found += [row.when, *row.then.values()]
        for _, fields in self.fields():
            for item in fields.values():
                found += [item.when, item.check, *(item.prefill.params.values() if item.prefill else ())]
        found += [item.until for item in self.deadlines.values()]
        found += self.parts.expressions() if self.parts is not None else ()
        yield from (expression for expression in found if expression is not None)

    def personal_facts(self) -> frozenset[str]:
        """Return the names of the facts that are personal data."""
        return frozenset(name for name, fact in self.facts.items() if fact.type.personal)
