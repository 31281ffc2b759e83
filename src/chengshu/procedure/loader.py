"""Files in, a ready pack out, or every fault that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chengshu.kernel.citations import parse_citation
from chengshu.kernel.problems import Problem
from chengshu.kernel.strict_yaml import Mapped
from chengshu.procedure import official, ports
from chengshu.procedure.check_outcomes import check_outcomes
from chengshu.procedure.check_parts import FindPack, check_children
from chengshu.procedure.check_refusals import check_refusals
from chengshu.procedure.check_sourced import check_sourced
from chengshu.procedure.checker import Coverage, check_meaning
from chengshu.procedure.expressions import Expression
from chengshu.procedure.extending import merge
from chengshu.procedure.files import BASE, BESIDE, SINGLE, PackFiles, read_files
from chengshu.procedure.model import (
    ENTRY,
    HOLDERS,
    Article,
    Deadline,
    Field,
    Instrument,
    Pack,
    Plan,
    Role,
    Table,
    Transition,
)
from chengshu.procedure.offers import check_offer
from chengshu.procedure.parts import Parts
from chengshu.procedure.read_forms import ACCOUNT_ROLES, Names, read_facts, read_forms, read_parameters
from chengshu.procedure.read_parts import part_ids, read_parts
from chengshu.procedure.read_steps import StepReader, read_deadlines, read_keeps, read_states, read_table
from chengshu.procedure.sheets import PACK_ID, Faults, Sheet, parsed
from chengshu.procedure.uses import check_uses, read_uses
from chengshu.procedure.wording import plain_texts

INSTRUMENT_KINDS = ("law", "regulation", "rule", "policy", "house-rule")
STATUSES = ("executed", "informative", "exempt")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check: a pack when nothing is wrong, every fault otherwise, and the article coverage."""

    pack: Pack | None
    faults: tuple[Problem, ...]
    coverage: Coverage


def load_pack(folder: Path) -> Pack:
    """Read a pack that must be right; raises its first fault."""
    return load_files(read_files(folder))


def load_files(files: PackFiles) -> Pack:
    """Like ``load_pack`` for files that are already in memory (an old version from the database)."""
    checked = check_files(files, cases=False)
    if checked.pack is None:
        first = checked.faults[0]
        first.extra["faults"] = [str(fault) for fault in checked.faults[:50]]
        raise first
    return checked.pack


def check_folder(
    folder: Path, *, elements: frozenset[str] | None = None, find: FindPack | None = None
) -> Checked:
    """Check a pack; ``elements`` are the catalogue's data elements, when they are known.

    The packs of its parts lie in folders beside it, or ``find`` gives them.
    """
    try:
        files = read_files(folder)
    except Problem as problem:
        return Checked(None, (problem,), Coverage())
    checked = check_files(files, elements=elements)
    if checked.pack is None or not (checked.pack.parts or official.FILE in files.texts):
        return checked
    faults = Faults()
    check_composition(checked.pack, files, faults, beside(folder, find), elements)
    return Checked(None if faults else checked.pack, tuple(faults), checked.coverage)


def check_composition(
    pack: Pack, files: PackFiles, faults: Faults, find: FindPack, elements: frozenset[str] | None = None
) -> None:
    """Check a pack against the packs of its parts, and the official forms against all of them."""
    check_children(pack, files, faults, find)
    parts = pack.parts.parts.values() if pack.parts is not None else ()
    children = {part.id: child for part in parts if (child := find(part.pack)) is not None}
    official.check_official(pack, files, faults, elements, children)


def beside(folder: Path, find: FindPack | None = None) -> FindPack:
    """Return a finder of packs: folders beside ``folder`` first, then ``find``."""
    known: dict[str, Pack | None] = {}

    def found(pack: str) -> Pack | None:
        if pack not in known:
            sibling = folder.resolve().parent / pack
            there = bool(PACK_ID.match(pack)) and (sibling / "pack.yaml").is_file()
            known[pack] = load_pack(sibling) if there else find(pack) if find is not None else None
        return known[pack]

    return found


def check_files(files: PackFiles, *, elements: frozenset[str] | None = None, cases: bool = True) -> Checked:
    """Check a pack's files. Faults of form come first; meaning is looked at only when the form is right.

    Golden cases are more than half of all text and change nothing in a pack: what only runs it leaves them unread.
    """
    faults = Faults()
    paths = dict.fromkeys(path.removeprefix(BASE) for path in files.texts if path.endswith(".yaml"))
    if not cases:
        paths = {path: None for path in paths if not path.startswith(BESIDE)}
    sheets = {path: _sheet(files, path, faults) for path in paths}
    for path in SINGLE:
        if path not in sheets:
            faults.add("pack-file-missing", f"The pack has no {path}", files.name(path), None)
    for language in LANGUAGES:
        if f"texts/{language}.yaml" not in sheets:
            faults.add(
                "pack-file-missing", f"The pack has no texts/{language}.yaml", files.name("texts"), None
            )
    if faults:
        return Checked(None, tuple(faults), Coverage())
    pack = _read(files, sheets, faults)
    if faults:
        return Checked(None, tuple(faults), Coverage())
    coverage = check_meaning(pack, files, faults, ports.registry, elements)
    check_uses(pack, files, faults)
    check_offer(pack, files, faults)
    check_refusals(pack, files, faults)
    if cases:
        # Only of a version that enters: old ones run on as they are.
        check_sourced(pack, files, faults)
        check_outcomes(pack, files, faults)
    return Checked(None if faults else pack, tuple(faults), coverage)


def _sheet(files: PackFiles, path: str, faults: Faults) -> Sheet:
    name = files.name(path)
    try:
        data = parsed(files.texts[path], name) if path in files.texts else Mapped(line=1)
        if BASE + path in files.texts:
            base = files.name(BASE + path)
            data = merge(path, parsed(files.texts[BASE + path], base), base, data, name)
        return Sheet(faults, name, data)
    except Problem as problem:
        faults.append(problem)
        return Sheet(Faults(), name, Mapped(line=1))


def _read(files: PackFiles, sheets: Mapping[str, Sheet], faults: Faults) -> Pack:
    names = Names()
    head, states_sheet = sheets["pack.yaml"], sheets["states.yaml"]
    parts_sheet = sheets.get("parts.yaml")
    for path in files.under("parameters"):
        read_parameters(sheets[path], names)
    initial = read_keeps(states_sheet, names)
    read_facts(sheets["form.yaml"], names, ports.registry)
    read_forms(sheets["form.yaml"], names, ports.registry)
    sheets["form.yaml"].close()
    names.parts = part_ids(parts_sheet) if parts_sheet is not None else ()
    tables = {}
    for path in files.under("decisions"):
        table = read_table(sheets[path], names)
        tables[table.id] = table
    states = read_states(states_sheet)
    steps = StepReader(names, ports.registry, states)
    start = states_sheet.text("start")
    opening, administration = steps.opening(states_sheet, start), steps.administration(states_sheet)
    label, returns = steps.label(states_sheet), steps.returns(states_sheet)
    transitions, watches = steps.transitions(states_sheet), steps.watches(states_sheet)
    states_sheet.close()
    deadlines = read_deadlines(sheets["deadlines.yaml"], states, names)
    sheets["deadlines.yaml"].close()
    parts = read_parts(parts_sheet, names) if parts_sheet is not None else None
    linked = Linked(tables, deadlines, label, steps.department, parts)
    opening = linked.step(opening, opens=True)
    transitions = tuple(linked.step(step) for step in transitions)
    pack = Pack(
        id=head.name("id", pattern=PACK_ID),
        version=head.text("version"),
        hash=files.hash(),
        jurisdiction=head.text("jurisdiction"),
        valid_from=head.day("valid_from"),
        valid_to=head.date("valid_to", required=False),
        basis=_basis(head),
        articles=_articles(sheets["articles.yaml"]),
        roles=_roles(head),
        facts=names.facts,
        forms=names.forms,
        keeps=names.keeps,
        initial=initial,
        start=start,
        opening=opening,
        administration=administration,
        states=states,
        transitions=transitions,
        deadlines=deadlines,
        tables=tables,
        parameters=names.parameters,
        texts={language: plain_texts(sheets[f"texts/{language}.yaml"].data) for language in LANGUAGES},
        steps=_steps(transitions),
        plans=_plans(opening, transitions, names.facts),
        label=label,
        department=steps.department,
        offered=steps.offered,
        returns=returns,
        sections=tuple(names.sections),
        templates={
            path.removeprefix("templates/").removesuffix(".typ"): files.texts[path]
            for path in files.under("templates")
        },
        extends=_extends(head),
        dated=_dated_in(deadlines),
        parts=parts,
        watches=watches,
        uses=read_uses(files),
    )
    head.close()
    return pack


def rebuilt(pack: Pack, **changes: Any) -> Pack:
    """Return the pack with parts changed, and everything that follows from them made anew."""
    changed = replace(pack, **changes)
    linked = Linked(changed.tables, changed.deadlines, changed.label, changed.department, changed.parts)
    opening = linked.step(changed.opening, opens=True)
    transitions = tuple(linked.step(step) for step in changed.transitions)
    return replace(
        changed,
        opening=opening,
        transitions=transitions,
        steps=_steps(transitions),
        plans=_plans(opening, transitions, changed.facts),
        dated=_dated_in(changed.deadlines),
    )


def _dated_in(deadlines: Mapping[str, Deadline]) -> frozenset[str]:
    """Return the states in which a term starts whose last day is computed."""
    return frozenset(name for item in deadlines.values() if item.until is not None for name in item.starts_on)


def _steps(transitions: tuple[Transition, ...]) -> dict[tuple[str, str], tuple[Transition, ...]]:
    found: dict[tuple[str, str], tuple[Transition, ...]] = {}
    for step in transitions:
        for source in step.sources:
            found[source, step.command] = (*found.get((source, step.command), ()), step)
    return found


def _plans(
    opening: Transition, transitions: tuple[Transition, ...], facts: Mapping[str, Field]
) -> dict[tuple[str, str], Plan]:
    plans = {("", ENTRY): _plan((opening,), facts)}
    plans.update({key: _plan(steps, {}) for key, steps in _steps(transitions).items()})
    return plans


def _plan(steps: tuple[Transition, ...], facts: Mapping[str, Field]) -> Plan:
    # An opening's form is its facts: their conditions and checks may ask for the day, or for a parameter.
    asked = {
        name for item in facts.values() for part in (item.when, item.check) if part for name in part.reads
    }
    read = asked.union(*(step.reads for step in steps))
    names = sorted(name for name in read if not name.startswith(("data.", "decided.", "item")))
    reads = tuple((name, name.partition(".")[0], name.partition(".")[2]) for name in names)
    personal = {
        step.id: frozenset(name for name, item in step.form.fields.items() if item.type.personal)
        if step.form
        else frozenset()
        for step in steps
    }
    form = steps[0].form
    fields = form.fields if form is not None else facts
    grounds = tuple(item for item in fields.values() if item.grounds)
    return Plan(steps, form, reads, personal, any(step.once for step in steps), grounds)


@dataclass(frozen=True, slots=True)
class Linked:
    """What a step reads besides its own expressions: its tables, the terms that it starts, the label."""

    tables: Mapping[str, Table]
    deadlines: Mapping[str, Deadline]
    label: Expression | None
    department: Expression | None
    parts: Parts | None = None

    def step(self, step: Transition, opens: bool = False) -> Transition:
        """Return the step with every name that taking it needs."""
        expressions = [step.when, *step.sets.values()]
        for effect in step.effects:
            expressions.extend(effect.expressions())
        for table in (self.tables[name] for name in step.decides if name in self.tables):
            for row in table.rows:
                expressions.extend([row.when, *row.then.values()])
        relabels = self.label is not None and (
            opens or any(f"case.{name}" in self.label.reads for name in step.sets)
        )
        if relabels:
            expressions.append(self.label)
        if opens:
            expressions.append(self.department)
        # A step that stays starts no term.
        expressions.extend(item.until for item in self.deadlines.values() if step.target in item.starts_on)
        fields = step.form.fields.values() if step.form else ()
        for item in fields:
            expressions.extend([item.when, item.check])
        reads = {name for expression in expressions if expression is not None for name in expression.reads}
        reads.update(f"facts.{item.options}" for item in fields if item.options)
        if self.parts is not None and {*step.sources, step.target} & set(self.parts.runs_while):
            # Any step there may open a part.
            reads |= self.parts.reads()
        return replace(step, reads=frozenset(reads), relabels=relabels)


def _extends(head: Sheet) -> tuple[str, str] | None:
    inner = head.sheet("extends")
    if inner is None:
        return None
    found = (inner.name("pack", pattern=PACK_ID), inner.text("version"))
    inner.close()
    return found


def _basis(head: Sheet) -> dict[str, Instrument]:
    found = {}
    for item in head.listed("basis", required=True):
        instrument = Instrument(
            id=item.name("id"),
            title=item.text("title"),
            title_en=item.text("title_en", ""),
            number=item.text("number", ""),
            issuer=item.text("issuer"),
            kind=item.word("kind", INSTRUMENT_KINDS),
            date=item.day("date"),
            in_force=item.day("in_force"),
            repealed=item.date("repealed", required=False),
            source=item.text("source", ""),
            line=item.line,
            numbered=_both(item, "numbered", required=False),
        )
        item.close()
        if instrument.id in found:
            item.fault("pack-value", f"The instrument {instrument.id!r} stands twice", "id")
        found[instrument.id] = instrument
    return found


def _roles(head: Sheet) -> dict[str, Role]:
    found = {}
    for name, item in head.named("roles", required=True):
        holder = item.word("holder", HOLDERS)
        account_role = item.word("role", ACCOUNT_ROLES) if holder == "role" else ""
        department = item.name("department", "") if holder == "department" else ""
        item.close()
        found[name] = Role(name, holder, account_role, item.line, department)
    return found


def _articles(sheet: Sheet) -> dict[str, Article]:
    found: dict[str, Article] = {}
    for item in sheet.listed("articles", required=True):
        key = item.text("article")
        try:
            key = parse_citation(key).key()
        except Problem as problem:
            item.fault(problem.code, problem.title, "article", remedy=problem.remedy)
        if key in found:
            item.fault("article-twice", f"The article {key} stands twice", "article")
        found[key] = Article(key, _both(item, "gist"), item.word("status", STATUSES),
                             item.text("why", ""), item.line)  # fmt: skip
        item.close()
    sheet.close()
    return found


def _both(item: Sheet, key: str, required: bool = True) -> dict[str, str]:
    inner = item.sheet(key, required=required)
    if inner is None:
        return {}
    found = {language: inner.text(language) for language in LANGUAGES}
    inner.close()
    return found
