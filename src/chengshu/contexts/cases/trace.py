"""A decision of rules told so that a layman can follow it: each question of the table, its answer, the values that it looked
at with where they come from, and the article (个人信息保护法第二十四条：有权要求说明).

Nothing is computed again: the event says which row decided; those before it did not hold.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chengshu.contexts.cases import case_file
from chengshu.contexts.cases.access import FULL, Access, access_case, hidden_steps
from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.field_views import field_view
from chengshu.contexts.cases.models import CaseEvent
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.cases.wording import LANGUAGES, both, grounds
from chengshu.contexts.identity import api as identity
from chengshu.kernel.money import in_yuan
from chengshu.kernel.terms import legal_day
from chengshu.procedure.check_refusals import automatic
from chengshu.procedure.model import ENTRY, Field, Pack, Row, Table

Said = Mapping[str, str]
# (case id) → field → where its answer came from; contexts above know.
Origins = Callable[[str], Mapping[str, Said]]
_origins: list[Origins] = []
AskPerson = Callable[[str, identity.Account, dt.datetime], str]
_ask_person: list[AskPerson] = []
NOT_SO = {"zh": "不属于：{row}", "en": "Not so: {row}"}
OTHERWISE = {"zh": "以上情形都没有", "en": "None of the above"}
NO_NAME = {"zh": "第 {number} 条规则", "en": "Rule {number}"}
WITHHELD = {"zh": "（只给经办人和本人看）", "en": "(shown to the office and the person only)"}
OPENED = {"zh": "提交时", "en": "At submission"}
TODAY = {"zh": "当天日期", "en": "the day"}


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A value that a rule looked at: what it is called, the value, and where it comes from."""

    label: Said
    value: Any
    origin: Said


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One question of a decision table: ``held`` is whether it decided; the ones before it did not hold."""

    words: Said
    held: bool
    values: tuple[LookedAt, ...]
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision by a table: when, by rules alone or by an official, what it says, and how it came about."""

    case_id: str
    seq: int
    step: str
    at: dt.datetime
    automatic: bool
    says: tuple[tuple[Said, Any], ...]
    lines: tuple[TraceLine, ...]
    leaf_id: int
    # What the step is called that the table decided on.
    title: Said


def register_origins(handler: Origins) -> None:
    """Say who knows where the answers of a form came from; ``site`` wires it."""
    _origins[:] = [handler]


def register_ask_person(handler: AskPerson) -> None:
    """Say where one asks that a person looks at a decision again; ``site`` wires it."""
    _ask_person[:] = [handler]


def ask_person_url(case_id: str, viewer: identity.Account, now: dt.datetime) -> str:
    """Return where this viewer may ask for a person; empty where they may not."""
    return _ask_person[0](case_id, viewer, now) if _ask_person else ""


def decisions_of(
    case_id: str, viewer: identity.Account, now: dt.datetime, access: Access | None = None
) -> list[Decision]:
    """Return every decision by a table in a case, oldest first; values only for whoever sees the file."""
    access = access or access_case(case_id, viewer, now)
    rows = case_file.events_of(case_id)
    if not any('"rows"' in row.body for row in rows):
        return []
    full = access.level == FULL
    hidden = hidden_steps(access, viewer) if full else set()
    sealed = case_file.sealed_of(case_id) if full else []
    personal = {item.seq: json.loads(item.body) for item in sealed if item.body}
    told = _Told(access, {**access.row.case(access.pack.id).facts, **personal.get(1, {})}, full, case_id)
    found = []
    for row in rows:
        event = json.loads(row.body)
        if row.seq not in hidden:
            data = {**event.get("data", {}), **personal.get(row.seq, {})}
            found += [told.decision(row, event, data, name) for name in event.get("rows", {})]
    return found


class _Told:
    """Tells the decisions of one case."""

    def __init__(self, access: Access, facts: Mapping[str, Any], full: bool, case_id: str) -> None:
        self.pack: Pack = access.pack
        self.facts, self.full, self.case_id = facts, full, case_id
        self.origins = _origins[0](case_id) if _origins and full else {}

    def decision(
        self, row: CaseEvent, event: Mapping[str, Any], data: Mapping[str, Any], name: str
    ) -> Decision:
        table, chosen = self.pack.tables[name], event["rows"][name]
        step = next((each for each in self.pack.transitions if each.id == event["step"]), None)
        if event["step"] == ENTRY:
            step = self.pack.opening
        return Decision(
            self.case_id, row.seq, event["step"], row.at,
            step is not None and automatic(self.pack, step, event["role"]),
            tuple(self._says(table, event.get("decided", {}))),
            tuple(self._lines(table, chosen, data, legal_day(row.at))), row.leaf_id,
            both(self.pack, f"commands.{step.command}") if step is not None and event["step"] != ENTRY else OPENED,
        )  # fmt: skip

    def _says(self, table: Table, decided: Mapping[str, Any]) -> Iterable[tuple[Said, Any]]:
        for name, type_ in table.outputs.items():
            value = decided.get(name)
            if value is None:
                continue
            choice = both(self.pack, f"choices.{name}.{value}") if type_.kind == "choice" else None
            if choice and choice["zh"]:
                yield both(self.pack, f"fields.{name}.label"), choice
            elif type_.kind == "money":
                yield both(self.pack, f"fields.{name}.label"), _yuan(value)

    def _lines(self, table: Table, chosen: str, data: Mapping[str, Any], on: dt.date) -> Iterable[TraceLine]:
        for number, row in enumerate(table.rows, start=1):
            held = row.id == chosen
            values = tuple(self._values(row, data, on))
            cites = tuple(grounds(self.pack, row.cite))
            yield TraceLine(self._words(table, row, number, held), held, values, cites)
            if held:
                return

    def _words(self, table: Table, row: Row, number: int, held: bool) -> Said:
        """The pack's own words for a row that decides or does not; else those of what it would have said."""
        passed = both(self.pack, f"passed.{table.id}.{row.id}")
        if not held and passed["zh"]:
            return passed
        named = both(self.pack, f"rows.{table.id}.{row.id}")
        if not named["zh"]:
            named = self._of_outputs(table, row) if row.when is not None else dict(OTHERWISE)
        if not named["zh"]:
            named = {language: text.format(number=number) for language, text in NO_NAME.items()}
        if held:
            return named
        return {language: NOT_SO[language].format(row=named[language]) for language in LANGUAGES}

    def _of_outputs(self, table: Table, row: Row) -> dict[str, str]:
        for name, type_ in table.outputs.items():
            value = row.then.get(name)
            if type_.kind == "choice" and value is not None and not value.reads:
                return both(self.pack, f"choices.{name}.{value.constant}")
        return dict.fromkeys(LANGUAGES, "")

    def _values(self, row: Row, data: Mapping[str, Any], on: dt.date) -> Iterable[LookedAt]:
        if row.when is None:
            return
        for name in row.when.reads:
            bucket, _, key = name.partition(".")
            if bucket == "facts" and key in self.pack.facts:
                yield self._field(self.pack.facts[key], self.facts.get(key), self.origins.get(key, {}))
            elif bucket == "data":
                field = next((f.fields[key] for f in self.pack.forms.values() if key in f.fields), None)
                if field is not None:
                    yield self._field(field, data.get(key), {})
            elif bucket == "parameters":
                value = self.pack.parameters[key].on(on)
                label = both(self.pack, f"fields.{key}.label")
                shown = _yuan(value.value) if self.pack.parameters[key].type.kind == "money" else value.value
                places = [self.pack.place(cite) for cite in value.cite]
                origin = {language: "、".join(place[language] for place in places) for language in LANGUAGES}
                if label["zh"] or places:
                    yield LookedAt(label if label["zh"] else _standard(), shown, origin)
            elif name == "today":
                yield LookedAt(TODAY, on.isoformat(), {})

    def _field(self, field: Field, value: Any, origin: Said) -> LookedAt:
        view = field_view(self.pack, field, self.facts, value)
        if field.type.personal and not self.full:
            return LookedAt(view.label, WITHHELD, {})
        chosen = dict(view.choices).get(value) if isinstance(value, str) else None
        # The label alone; a choice's own article stands at the row.
        return LookedAt(view.label, chosen or shown_value(replace(view, choices=[]), value), origin)


def _standard() -> Said:
    return {"zh": "标准", "en": "the rule's value"}


def _yuan(fen: Any) -> Said:
    return in_yuan(fen) if isinstance(fen, int) else {"zh": "", "en": ""}
