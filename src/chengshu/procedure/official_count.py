"""What of the official forms an application had to write, and what it was spared: counted by elements, not by questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.procedure.expressions import Expression, Values
from chengshu.procedure.model import Pack
from chengshu.procedure.official import APPLICANT, FACT, OFFICE, OfficialField, OfficialForm, issued
from chengshu.procedure.parts import Part

ASKED, SPARED, OUT = "asked", "spared", "out"
EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True, slots=True)
class Count:
    """Each distinct element of the forms stands in one of three: written, spared, or nobody's to write here."""

    asked: tuple[str, ...]
    spared: tuple[str, ...]
    # Filled in by the office, or left empty in this case: counts for nothing.
    out: tuple[str, ...]
    # Of those asked: written by the applicant, though no question asks it.
    unasked: tuple[str, ...] = ()
    # Of those spared: element → how.
    how: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share not asked of what applicants write on these forms."""
        return len(self.spared) / max(len(self.spared) + len(self.asked), 1)


def count(
    pack: Pack,
    forms: Collection[OfficialForm],
    children: Mapping[str, Pack],
    scope: Mapping[str, Any],
    asked: Collection[str],
) -> Count:
    """Count the distinct elements. ``scope``: names as rules read them; ``asked``: facts whose question was put.

    An element of several forms counts once, and as asked as soon as one of them asks it. A rule spares only when it gives
    a value here: one that hangs on what is not known counts as asked.
    """
    teller = _Teller(pack, children, scope, frozenset(asked))
    teller = _Teller(pack, children, {**teller.brought(), **scope}, frozenset(asked))
    found: dict[str, set[str]] = {}
    how: dict[str, str] = {}
    unasked: set[str] = set()
    for form in forms:
        for line in form.fields:
            told = teller.told(line)
            found.setdefault(line.element, set()).add(told)
            if told == SPARED:
                how[line.element] = line.how
            if told == ASKED and line.how == APPLICANT:
                unasked.add(line.element)
    sorts: dict[str, list[str]] = {ASKED: [], SPARED: [], OUT: []}
    for element, told_of in sorted(found.items()):
        sorts[next(sort for sort in (ASKED, SPARED, OUT) if sort in told_of)].append(element)
    spared = {element: how[element] for element in sorts[SPARED]}
    return Count(tuple(sorts[ASKED]), tuple(sorts[SPARED]), tuple(sorts[OUT]), tuple(sorted(unasked)), spared)


@dataclass(frozen=True, slots=True)
class _Teller:
    pack: Pack
    children: Mapping[str, Pack]
    scope: Mapping[str, Any]
    asked: frozenset[str]

    def told(self, line: OfficialField) -> str:
        """Say whether one line of a form is written by the applicant, spared, or neither."""
        if line.how == OFFICE or (line.when is not None and self._value(line.when) is not True):
            return OUT
        if line.how == APPLICANT or line.fact in self.asked:
            return ASKED
        if line.how == FACT and "." not in line.fact and self.scope.get(f"facts.{line.fact}") not in EMPTY:
            return SPARED
        if line.how != FACT or line.rule is not None or line.part or line.certificate:
            return SPARED if self._follows(line) else ASKED
        fact = self.pack.facts.get(line.fact)
        # A question that this application does not call for; what a part asks later is asked.
        called = fact is None or fact.when is None or self._value(fact.when) is True
        return ASKED if called else OUT

    def brought(self) -> dict[str, Any]:
        """Return what the parts that run will have brought the case by the time their forms are due: here only that it is."""
        parts = self.pack.parts.parts if self.pack.parts is not None else {}
        names = {name for part in parts if self._runs(part) for name in parts[part].returns}
        return {f"case.{name}": "…" for name in names if self.pack.keeps[name].kind == "text"}

    def _follows(self, line: OfficialField) -> bool:
        if line.rule is not None:
            return self._value(line.rule) not in EMPTY
        if line.certificate:
            type_ = line.certificate.rpartition(".")[0]
            return any(self._runs(part) for part, _ in issued(self.children, type_))
        part, _, name = line.part.rpartition(".")
        given = self._part(part)
        if given is None or not self._runs(part):
            return False
        if name in given.facts and given.facts[name].reads:
            return self._value(given.facts[name]) not in EMPTY
        return self._drawn(part, name)

    def _drawn(self, part: str, name: str) -> bool:
        """Whether a part draws a fact from a certificate that a part before it issues."""
        child = self.children.get(part)
        prefill = child.facts[name].prefill if child is not None else None
        type_ = prefill.params.get("type") if prefill is not None else None
        if prefill is None or prefill.source != "certificate" or type_ is None:
            return False
        return any(self._runs(other) for other, _ in issued(self.children, str(type_.constant)))

    def _runs(self, part: str) -> bool:
        known = self._part(part)
        return known is not None and (known.when is None or self._value(known.when) is True)

    def _part(self, part: str) -> Part | None:
        return self.pack.parts.parts.get(part) if self.pack.parts is not None else None

    def _value(self, rule: Expression) -> Any:
        try:
            return rule.evaluate(_Scope(self.scope))
        except (Problem, TypeError, ValueError):
            # What cannot be computed is not known.
            return None


@dataclass(frozen=True, slots=True)
class _Scope(Values):
    held: Mapping[str, Any]

    def get(self, name: str, /) -> Any:
        """Return a value as expressions read it; empty ones are none."""
        value = self.held.get(name)
        return None if value in EMPTY else value
