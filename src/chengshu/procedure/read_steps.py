"""Reads states.yaml, deadlines.yaml and decisions/: the moving parts of a pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.kernel.strict_yaml import Mapped
from chengshu.kernel.terms import Term, Unit, parse_term
from chengshu.procedure.expressions import Expression
from chengshu.procedure.functions import CALENDAR_UNITS
from chengshu.procedure.model import (
    ENTRY,
    OUTCOME_KINDS,
    SYSTEM,
    Deadline,
    Effect,
    Form,
    Row,
    State,
    Table,
    Transition,
    Watch,
)
from chengshu.procedure.ports import EffectSpec, Registry
from chengshu.procedure.read_forms import Names, read_columns, read_type
from chengshu.procedure.sheets import Sheet
from chengshu.procedure.syntax import parse
from chengshu.procedure.types import BadValue, Type, check_value
from chengshu.procedure.typing_rules import narrowed

BOOLEAN = Type("boolean")


def read_keeps(sheet: Sheet, names: Names) -> dict[str, Any]:
    """Read `keeps`: the values that a case carries along, with what they start from."""
    initial: dict[str, Any] = {}
    for name, item in sheet.named("keeps"):
        start = item.get("initial")
        type_ = read_type(item, optional=start is None)
        if type_.kind == "rows":
            columns = read_columns(item, "case.kept", "none")
            type_ = replace(type_, columns=tuple((key, column.type) for key, column in columns.items()))
        try:
            initial[name] = check_value(start, type_)
        except BadValue as bad:
            item.fault("pack-value", f"The initial value does not fit: {bad}", "initial")
        item.close()
        names.keeps[name] = type_
    return initial


def read_states(sheet: Sheet) -> dict[str, State]:
    """Read `states`."""
    found = {}
    for name, item in sheet.named("states", required=True):
        final = item.boolean("final", False)
        tasks = item.words("tasks")
        outcome = item.name("outcome", "")
        refusal = item.boolean("refusal", False)
        kind = item.word("outcome_kind", OUTCOME_KINDS, "")
        if final and (tasks or not outcome):
            item.fault("state-final", "A final state has an outcome and no tasks")
        if not final and outcome:
            item.fault("state-final", "Only a final state has an outcome", "outcome")
        if refusal and not final:
            item.fault("state-final", "Only a final state is a refusal", "refusal")
        if kind and not final:
            item.fault("state-final", "Only a final state has a kind of outcome", "outcome_kind")
        item.close()
        found[name] = State(name, tasks, final, outcome, item.line, refusal, kind)
    return found


def read_table(sheet: Sheet, names: Names) -> Table:
    """Read one decision table."""
    table_id = sheet.name("id")
    form = names.forms.get(sheet.text("form", "")) if "form" in sheet.data else None
    form_name = sheet.text("form", "")
    if form_name and form is None:
        sheet.fault("form-unknown", f"No form is called {form_name!r}", "form")
    outputs = {}
    for name, item in sheet.named("outputs", required=True):
        outputs[name] = read_type(item, optional=item.boolean("optional", False))
        item.close()
    known = names.known(form)
    rows = tuple(_row(item, known, outputs) for item in sheet.listed("rows", required=True))
    sheet.close()
    names.outputs[table_id] = outputs
    return Table(table_id, form_name, outputs, rows, sheet.line)


def _row(item: Sheet, known: Mapping[str, Type], outputs: Mapping[str, Type]) -> Row:
    when = item.expression("when", known, BOOLEAN)
    then: dict[str, Expression] = {}
    inner = item.sheet("then", required=True)
    if inner is not None:
        for name, type_ in outputs.items():
            value = inner.expression(name, known, type_)
            if value is not None:
                then[name] = value
            elif name not in inner.data and not type_.optional:
                inner.fault("table-output", f"The row gives no {name!r}")
        inner.close()
    row = Row(item.name("id"), when, then, item.words("cite"), item.line)
    item.close()
    return row


class StepReader:
    """Reads transitions with everything they name."""

    def __init__(self, names: Names, ports: Registry, states: Iterable[str]) -> None:
        self.names, self.ports, self.states = names, ports, tuple(states)
        self.department: Expression | None = None
        self.offered = True

    def opening(self, sheet: Sheet, start: str) -> Transition:
        """Read `opening`: how a case begins."""
        inner = sheet.sheet("opening", required=True) or _empty(sheet)
        self.department = inner.expression(
            "department", self._lasting(kept=False), Type("text", optional=True)
        )
        if self.department is not None and self.department.type.personal:
            inner.fault("privacy", "A department does not follow from personal data", "department")
        self.offered = inner.boolean("offered", True)
        return self._step(inner, ENTRY, ENTRY, (), start, has_form=False)

    def label(self, sheet: Sheet) -> Expression | None:
        """Read `label`: what lists call a case. Lists show it to whoever finds the case, so nothing personal is in it."""
        label = sheet.expression("label", self._lasting(), Type("text", optional=True))
        if label is not None and label.type.personal:
            sheet.fault("privacy", "A label shows no personal data", "label")
        return label

    def returns(self, sheet: Sheet) -> tuple[str, ...]:
        """Read `returns`: kept values that a child case hands to its parent."""
        found = sheet.words("returns")
        for name in found:
            if name not in self.names.keeps:
                sheet.fault(
                    "pack-value", f"The case keeps no {name!r}", "returns", remedy="declare it under keeps:"
                )
        return found

    def watches(self, sheet: Sheet) -> tuple[Watch, ...]:
        """Read `watches`: what of the record of whom a case is about brings a command."""
        found = []
        for item in sheet.listed("watches"):
            found.append(
                Watch(
                    item.text("element"), item.text("do"), item.text("field"), item.words("cite"), item.line
                )
            )
            item.close()
        return tuple(found)

    def _lasting(self, kept: bool = True) -> dict[str, Type]:
        """Return the names that do not belong to one step."""
        buckets = ("facts.", "case.", "parameters.") if kept else ("facts.", "parameters.")
        return {name: type_ for name, type_ in self.names.known().items() if name.startswith(buckets)}

    def administration(self, sheet: Sheet) -> Transition:
        """Read `administration`: who may reassign and hand over, and on what ground."""
        inner = sheet.sheet("administration", required=True) or _empty(sheet)
        by, cite = frozenset(inner.words("by", required=True)), inner.words("cite")
        inner.close()
        return _plain_step("reassigned", by, cite, inner.line)

    def transitions(self, sheet: Sheet) -> tuple[Transition, ...]:
        """Read `transitions`."""
        found = []
        for item in sheet.listed("transitions", required=True):
            step_id = item.name("id")
            command = item.name("command", step_id)
            sources = item.words("from", required=True)
            if sources == ("any",):
                sources = self.states
            target = item.text("to", "stay")
            found.append(self._step(item, step_id, command, sources, None if target == "stay" else target))
        return tuple(found)

    def _step(
        self,
        item: Sheet,
        step_id: str,
        command: str,
        sources: tuple[str, ...],
        target: str | None,
        has_form: bool = True,
    ) -> Transition:
        form = self._form(item) if has_form else None
        decides = item.words("decides")
        for table in decides:
            if table not in self.names.outputs:
                item.fault("table-unknown", f"No decision table is called {table!r}", "decides")
        known = self.names.known(form, decides)
        when = item.expression("when", known, BOOLEAN)
        if when is not None:
            known = narrowed(known, parse(when.source))
        sets = self._sets(item, known)
        effects = tuple(self._effect(effect, known) for effect in item.listed("effects"))
        by = frozenset(item.words("by", required=True))
        once = item.boolean("once", False) if has_form else False
        step = Transition(
            step_id, command, sources, target, by, item.words("not_who") if has_form else (), when, form, decides,
            sets, effects, item.words("cite"), item.line, once=once,
            forwarded_by=item.words("forwarded_by") if has_form else (),
            reverses=item.boolean("reverses", False) if has_form else False,
        )  # fmt: skip
        item.close()
        return step

    def _form(self, item: Sheet) -> Form | None:
        name = item.text("form", "")
        if name and name not in self.names.forms:
            item.fault("form-unknown", f"No form is called {name!r}", "form")
        return self.names.forms.get(name)

    def _sets(self, item: Sheet, known: Mapping[str, Type]) -> dict[str, Expression]:
        found: dict[str, Expression] = {}
        inner = item.sheet("sets")
        if inner is None:
            return found
        for name in inner.data:
            if name not in self.names.keeps:
                inner.fault(
                    "pack-value", f"The case keeps no {name!r}", name, remedy="declare it under keeps:"
                )
                inner.get(name)
                continue
            value = inner.expression(name, known, self.names.keeps[name])
            if value is not None and value.type.personal:
                inner.fault("privacy", "Personal data is not kept in the case's own values", name)
            elif value is not None:
                found[name] = value
        return found

    def _effect(self, item: Sheet, known: Mapping[str, Type]) -> Effect:
        name = item.text("do")
        spec = self.ports.effects.get(name)
        if spec is None:
            known_effects = ", ".join(sorted(self.ports.effects))
            item.fault(
                "effect-unknown", f"No effect is called {name!r}", "do", remedy=f"known: {known_effects}"
            )
            spec = EffectSpec(name, {})
            item.get("with")
        each = item.expression("for_each", known)
        if each is not None:
            known = {**known, **self._items(item, each)}
        when = item.expression("when", known, BOOLEAN)
        if when is not None:
            known = narrowed(known, parse(when.source))
        params = self._params(item, spec, known)
        item.close()
        personal = frozenset(key for key, value in params.items() if _is_personal(value))
        return Effect(name, params, personal, spec.inside, item.line, when, each)

    def _items(self, item: Sheet, each: Expression) -> dict[str, Type]:
        """Return the names that stand for one item of a list."""
        personal = each.type.personal
        if each.type.kind == "rows":
            return {f"item.{name}": replace(type_, personal=personal) for name, type_ in each.type.columns}
        if each.type.kind == "texts" and each.type.choices:
            return {"item": Type("choice", each.type.choices, personal=personal)}
        if each.type.kind not in ("texts", "accounts", "files"):
            item.fault(
                "expression-type", "'for_each' goes over a list: texts, accounts, files or rows", "for_each"
            )
        return {"item": Type("text", personal=personal)}

    def _params(
        self, item: Sheet, spec: EffectSpec, known: Mapping[str, Type]
    ) -> dict[str, Expression | Mapping[str, Expression]]:
        params: dict[str, Expression | Mapping[str, Expression]] = {}
        inner = item.sheet("with") if spec.params else None
        for name, type_ in spec.params.items():
            if inner is None or name not in inner.data:
                if not type_.optional:
                    item.fault("effect-params", f"The effect {spec.name!r} needs {name!r}", "with")
                continue
            if type_.kind == "map":
                params[name] = inner.expressions(name, known)
            elif (value := inner.expression(name, known, type_)) is not None:
                params[name] = value
        if inner is not None:
            inner.close()
        return params


def read_deadlines(sheet: Sheet, states: Iterable[str], names: Names) -> dict[str, Deadline]:
    """Read deadlines.yaml."""
    found = {}
    known = {
        name: type_
        for name, type_ in names.known().items()
        if name.startswith(("facts.", "case.", "parameters.")) or name in ("today", "opened_on")
    }
    for name, item in sheet.named("deadlines", required=True):
        runs = frozenset(item.words("runs_while", required=True))
        terms, parameter = _lengths(item, names)
        until = item.expression("until", known, Type("date", optional=True))
        if ("until" in item.data) is ("term" in item.data):
            item.fault("deadline-length", "A deadline has either a term: or an until:")
        before = item.term("before") if "before" in item.data else None
        if before is not None and ("until" not in item.data or before.unit not in CALENDAR_UNITS):
            item.fault(
                "deadline-length", "'before' goes with until: and counts days, months or years", "before"
            )
        found[name] = Deadline(
            id=name,
            starts_on=frozenset(item.words("starts_on", required=True)),
            runs_while=runs,
            suspended_while=frozenset(item.words("suspended_while")),
            restarts=item.boolean("restarts", False),
            terms=terms,
            amber=_amber(item),
            on_expiry=item.text("on_expiry"),
            cite=item.words("cite"),
            line=item.line,
            parameter=parameter,
            until=until,
            before=before,
        )
        item.close()
    return found


def _amber(item: Sheet) -> Term:
    amber = item.term("amber", "2 workdays")
    if amber.unit in (Unit.MONTHS, Unit.YEARS, Unit.AT_ONCE):
        item.fault("term-form", "'amber' is given in workdays, days or hours", "amber")
    return amber


def _lengths(item: Sheet, names: Names) -> tuple[tuple[tuple[dt.date, Term], ...], str]:
    """Read `term`: written, or the dated values of a parameter."""
    value = item.get("term")
    if value is None:
        return (), ""
    if not isinstance(value, Mapped):
        return ((dt.date.min, item.term("term")),), ""
    inner = item.sheet("term")
    name = inner.text("parameter") if inner is not None else ""
    if inner is not None:
        inner.close()
    parameter = names.parameters.get(name)
    if parameter is None or parameter.type.kind != "text":
        item.fault("deadline-length", f"No parameter {name!r} holds terms as text", "term")
        return (), name
    try:
        return tuple((value.start, parse_term(str(value.value))) for value in parameter.values), name
    except Problem as problem:
        item.fault(problem.code, f"{problem.title} (parameter {name!r})", "term", remedy=problem.remedy)
        return (), name


def _plain_step(step_id: str, by: frozenset[str], cite: tuple[str, ...], line: int) -> Transition:
    return Transition(step_id, step_id, (), None, by, (), None, None, (), {}, (), cite, line)


def _empty(sheet: Sheet) -> Sheet:
    inner = Sheet(type(sheet.faults)(), sheet.file, sheet.data)
    inner.data = type(sheet.data)(line=sheet.line)
    return inner


def _is_personal(value: Expression | Mapping[str, Expression]) -> bool:
    if isinstance(value, Expression):
        return value.type.personal
    return any(part.type.personal for part in value.values())


__all__ = ["SYSTEM", "StepReader", "read_deadlines", "read_keeps", "read_states", "read_table"]
