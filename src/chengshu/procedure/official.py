"""The official forms that a pack covers: how each of their fields is met, and the rules that the checker holds it to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import Effect, Pack
from chengshu.procedure.parts import Part
from chengshu.procedure.read_forms import BUILT_IN
from chengshu.procedure.sheets import Faults, Sheet, parsed
from chengshu.procedure.types import Type

FILE = "official_forms.yaml"
# How a field is met: a fact of the pack holds it, it follows by a rule, the office fills it in, or the applicant writes it
# although the pack does not ask: that counts as asked.
FACT, DERIVED, OFFICE, APPLICANT = "fact", "derived", "office", "applicant"
HOW = (FACT, DERIVED, OFFICE, APPLICANT)
# Who fills the form: the person, somebody with their mandate, a clerk at a window.
ACTING = ("self", "mandate", "window")
# What every certificate says beside its claims.
FRAME = ("number", "holder", "valid_from", "valid_to", "issued_on", "department")


@dataclass(frozen=True, slots=True)
class OfficialField:
    """One field of an official form. ``fact`` is a fact of the pack, or part.fact of one of its parts."""

    name: str
    fact: str
    element: str
    how: str
    line: int
    # From what the value follows: an expression, a fact that a part gets unasked, a line of a certificate of a part.
    rule: Expression | None = None
    part: str = ""
    certificate: str = ""
    # Where it says no, the form leaves the field empty.
    when: Expression | None = None
    # Which of the three was written first, though it may make no sense; and its line.
    said: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class OfficialForm:
    """An official form as its office prints it."""

    id: str
    title: str
    issuer: str
    source: str
    edition: str
    fields: tuple[OfficialField, ...]


def official_forms(
    files: PackFiles, faults: Faults | None = None, pack: Pack | None = None
) -> tuple[OfficialForm, ...]:
    """Return the official forms that a pack lists; what is wrong is added to ``faults``. Rules are read over ``pack``."""
    text = files.texts.get(FILE)
    if text is None:
        return ()
    name = files.name(FILE)
    sheet = Sheet(faults if faults is not None else Faults(), name, parsed(text, name))
    known = names_of(pack) if pack is not None else {}
    forms = tuple(_form(item, known) for item in sheet.listed("forms", required=True))
    sheet.close()
    return forms


def names_of(pack: Pack) -> dict[str, Type]:
    """Return what a rule may read: the facts, what the case keeps, the parameters, who applies, for whom, and the day."""
    found = dict(BUILT_IN)
    found |= {f"facts.{name}": item.type for name, item in pack.facts.items()}
    found |= {"acting.by": Type("choice", ACTING), "acting.name": Type("text")}
    found |= {f"case.{name}": type_ for name, type_ in pack.keeps.items()}
    return found | {f"parameters.{name}": item.type for name, item in pack.parameters.items()}


def _form(item: Sheet, known: Mapping[str, Type]) -> OfficialForm:
    form = OfficialForm(
        item.name("id"),
        item.text("title"),
        item.text("issuer"),
        item.text("source", ""),
        item.text("edition", ""),
        tuple(_field(field, known) for field in item.listed("fields", required=True)),
    )
    item.close()
    return form


def _field(item: Sheet, known: Mapping[str, Type]) -> OfficialField:
    said = next((key for key in ("rule", "part", "certificate") if key in item.data), "")
    field = OfficialField(
        item.text("name"),
        item.text("fact", ""),
        item.text("element"),
        item.word("how", HOW),
        item.line,
        item.expression("rule", known),
        item.text("part", ""),
        item.text("certificate", ""),
        item.expression("when", known, Type("boolean")),
        said,
        item.at(said or "how"),
    )
    item.close()
    return field


def check_official(
    pack: Pack,
    files: PackFiles,
    faults: Faults,
    elements: frozenset[str] | None,
    children: Mapping[str, Pack],
) -> None:
    """Hold that what an official form names exists and that each rule says from what. ``children``: part's id → its pack."""
    checker = _Official(pack, files.name(FILE), faults, elements, children)
    for form in official_forms(files, faults, pack):
        for field in form.fields:
            checker.field(field)


@dataclass(frozen=True, slots=True)
class _Official:
    pack: Pack
    # Of the file that is checked.
    name: str
    faults: Faults
    elements: frozenset[str] | None
    children: Mapping[str, Pack]

    def fault(self, code: str, title: str, line: int, remedy: str) -> None:
        self.faults.add(code, title, self.name, line, remedy=remedy)

    def field(self, field: OfficialField) -> None:
        if self.elements is not None and field.element not in self.elements:
            self.fault(
                "element-unknown", f"{field.name} maps to {field.element!r}, which the catalogue does not have",
                field.line, "name an element of the catalogue",
            )  # fmt: skip
        if (field.how == FACT) != bool(field.fact):
            told = "is met by a fact, but none is named" if field.how == FACT else "names a fact besides"
            self.fault(
                "official-fact", f"{field.name} {told}", field.line, "a field has fact: when it is how: fact"
            )
        elif field.fact:
            self.fact(field)
        self.rule(field)

    def fact(self, field: OfficialField) -> None:
        """The fact is one of the pack, or of the pack of a part."""
        part, _, name = field.fact.rpartition(".")
        known = self._part(part)
        # A child that is missing is a fault of its own.
        if name not in self.pack.facts if not part else known is None or not self._has(part, name):
            self.fault(
                "official-fact", f"{field.name} names the fact {field.fact!r}, which there is not", field.line,
                "name a fact of this pack, or part.fact of one of its parts",
            )  # fmt: skip

    def rule(self, field: OfficialField) -> None:
        """A derived field has one rule, which rests on what there is; a fact may have one for where it is not asked."""
        rules = [kind for kind in ("rule", "part", "certificate") if getattr(field, kind)]
        if (
            len(rules) > 1
            or (rules and field.how not in (FACT, DERIVED))
            or (not rules and field.how == DERIVED)
        ):
            told = "has no rule" if not rules else f"has {' and '.join(rules)}"
            # An expression that does not compile has been told already.
            if rules or field.said != "rule":
                self.fault(
                    "official-rule", f"{field.name} is {field.how!r} and {told}", field.at,
                    "say from what it follows by one of rule:, part:, certificate:; or that it is how: office or applicant",
                )  # fmt: skip
        elif field.rule is not None and not field.rule.reads:
            self.fault(
                "official-rule", f"The rule of {field.name} reads nothing: {field.rule.source!r}", field.at,
                "let it read the facts, case fields or day that it follows from",
            )  # fmt: skip
        elif field.part:
            self.from_part(field)
        elif field.certificate:
            self.from_certificate(field)

    def from_part(self, field: OfficialField) -> None:
        """The fact of a part is one that nobody is asked: computed from other values here, or drawn from a source there."""
        part, _, name = field.part.rpartition(".")
        known = self._part(part)
        if known is None or not self._has(part, name):
            self.fault(
                "official-rule", f"{field.name} follows from {field.part!r}, which there is not", field.at,
                "name part.fact of one of the parts",
            )  # fmt: skip
            return
        given, child = known.facts.get(name), self.children.get(part)
        fact = child.facts[name] if child is not None else None
        drawn = fact is not None and fact.prefill is not None and (given is None or fact.prefill.only)
        if not drawn and (given is None or not given.reads):
            self.fault(
                "official-rule", f"{field.name} follows from {field.part!r}, which rests on nothing", field.at,
                "name a fact that the part gets from other facts or a source; or count it as how: applicant",
            )  # fmt: skip

    def from_certificate(self, field: OfficialField) -> None:
        """The certificate is one that a part issues, and it says that."""
        type_, _, name = field.certificate.rpartition(".")
        claims = {claim for _part, held in issued(self.children, type_) for claim in held}
        if name not in claims:
            told = f"says no {name!r}" if claims else "is issued by no part"
            self.fault(
                "official-rule", f"{field.name} follows from the certificate {type_!r}, which {told}", field.at,
                "name type.field of a certificate that a part issues",
            )  # fmt: skip

    def _part(self, part: str) -> Part | None:
        known = self.pack.parts.parts.get(part) if self.pack.parts is not None else None
        return known if isinstance(known, Part) else None

    def _has(self, part: str, name: str) -> bool:
        child = self.children.get(part)
        return child is None or name in child.facts


def issued(children: Mapping[str, Pack], type_: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (part, what the certificate says) of each part whose pack issues a certificate of a type."""
    for part, child in children.items():
        for step in (child.opening, *child.transitions):
            for effect in step.effects:
                if effect.name == "issue_certificate" and effect.written("type") == type_:
                    yield part, (*FRAME, *_claims(effect))


def _claims(effect: Effect) -> tuple[str, ...]:
    claims = effect.params.get("claims")
    return tuple(claims) if isinstance(claims, Mapping) else ()
