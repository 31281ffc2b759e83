"""A case as one page or one API answer shows it: sentences, grounds, lights, competing values, commands with forms."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from chengshu.contexts.cases import case_file, queries
from chengshu.contexts.cases.access import FULL, OWN, Access, access_case, hidden_steps, note_read
from chengshu.contexts.cases.administration import administrative_sentence
from chengshu.contexts.cases.domain import (
    CaseView,
    ChildView,
    CommandView,
    EventView,
    FieldView,
    FileView,
    Light,
    TermView,
    ValueView,
)
from chengshu.contexts.cases.field_views import SOURCES, field_view, first_value
from chengshu.contexts.cases.form_fields import said as said_here
from chengshu.contexts.cases.lights import term_light
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseEvent, EvidenceFile
from chengshu.contexts.cases.place_field import holds_place
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.cases.wording import (
    LANGUAGES,
    both,
    child_end,
    grounds,
    outcomes_in_words,
    sayer,
    spoken,
)
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import EXPIRED, LATE, Case, TermState
from chengshu.procedure.machine import allowed
from chengshu.procedure.model import ENTRY, Pack, Transition
from chengshu.procedure.wording import fill

_NOT_SHOWN = (
    "values",
    "longitude",
    "latitude",
    "finding_id",
    "run_id",
    "subject_label",
    "kind",
    "element",
)
TOOK_PART = {"zh": "本办件中的账户：{names}", "en": "Accounts in this case: {names}"}


def case_view(case_id: str, viewer: identity.Account, *, now: dt.datetime) -> CaseView:
    """Return a case for a viewer. Full personal values only for those who work on it, and then on record."""
    access = access_case(case_id, viewer, now)
    row, pack = access.row, access.pack
    model, children = queries.with_children(case_id)
    case = row.case(pack.id)
    secrets, erased = secrets_of(case_id) if access.level == FULL else ({}, False)
    hidden = hidden_steps(access, viewer) if access.level == FULL else set()
    secrets = {seq: values for seq, values in secrets.items() if seq not in hidden}
    own = {**case.facts, **secrets.get(1, {})}
    commands = [] if access.level == OWN else _commands(access, case, own, now)
    read = _elements(pack, case) if any(secrets.values()) else []
    # A form that begins with what the record says shows it before anything is pressed.
    read += [
        item.element
        for command in commands
        for item in command.fields
        if item.source == SOURCES["golden_record"] and item.value not in (None, "")
    ]
    if read:
        note_read(access, viewer, read, now)
    values = [_value(item) for item in own.get("values") or []]
    return CaseView(
        case_id=case_id,
        pack=pack.id,
        pack_title=both(pack, "title"),
        pack_version=pack.version,
        version=row.version,
        title=queries.title_of(pack, case.facts),
        reason=_reason(pack, case.facts),
        state=row.state,
        state_title=both(pack, f"states.{row.state}"),
        outcome=row.outcome,
        outcome_title=both(pack, f"outcomes.{row.outcome}") if row.outcome else {"zh": "", "en": ""},
        opened_at=model.opened_at,
        closed_at=model.closed_at,
        subject_id=row.subject_id,
        cell_code=row.cell_code,
        area=row.area,
        department=row.department,
        facts=facts_of(pack, own),
        values=values,
        address=str(own.get("address") or ""),
        point=_point(own),
        grounds=grounds(pack, pack.opening.cite),
        terms=case_terms(pack, case, now),
        owners=_owners(pack, case_id, viewer),
        commands=commands,
        events=events_of(access, secrets, hidden, children) if access.level != OWN else [],
        children=_children(children) if access.level != OWN else [],
        parent=_parent(access, viewer, now),
        withheld=access.level != FULL,
        erased=erased,
        may_reassign=bool(pack.administration.by & access.actor.roles) and not model.closed_at,
        element=str(case.facts.get("element") or ""),
        on_behalf=row.behalf or {},
        one_thing=pack.parts is not None,
    )


def _parent(access: Access, viewer: identity.Account, now: dt.datetime) -> str | None:
    """Return the case that opened this one, for whoever may open that page too: an applicant's call is the office's."""
    if access.level != FULL or not access.row.parent_id:
        return None
    try:
        access_case(access.row.parent_id, viewer, now)
    except Problem:
        return None
    return access.row.parent_id


def secrets_of(case_id: str) -> tuple[dict[int, dict[str, Any]], bool]:
    """Return the personal values of a case by step, and whether any were erased."""
    found: dict[int, dict[str, Any]] = {}
    erased = False
    for payload in case_file.sealed_of(case_id):
        erased = erased or payload.erased_at is not None
        found[payload.seq] = json.loads(payload.body) if payload.body else {}
    return found, erased


def _elements(pack: Pack, case: Case) -> list[str]:
    """Which data elements the personal values of the case are."""
    named = str(case.facts.get("element") or "")
    return [named] if named else ["person.address"]


def _reason(pack: Pack, facts: Mapping[str, Any]) -> dict[str, str]:
    for name, fact in pack.facts.items():
        if fact.type.kind == "choice" and facts.get(name):
            found = {
                language: fill(
                    pack.text(f"reasons.{name}.{facts[name]}", language),
                    sayer(pack, language, facts, {}, "", {}),
                )
                for language in LANGUAGES
            }
            if found["zh"]:
                return found
    return dict.fromkeys(LANGUAGES, "")


def facts_of(pack: Pack, own: Mapping[str, Any]) -> list[tuple[str, dict[str, str], Any]]:
    """Return what a case was opened with, each with its label and as people read it."""
    shown = []
    for name, fact in pack.facts.items():
        value = own.get(name)
        # Files stand among the files of the case; a map is what machines tell each other.
        if value is None or name in _NOT_SHOWN or fact.type.kind in ("files", "map"):
            continue
        view = field_view(pack, fact, own, value)
        text = (_in_words(pack, name, view, value) if isinstance(value, str) else None) or shown_value(
            view, value
        )
        # A place reads as its address; where the case says the same address anyway, once is enough.
        if not (holds_place(view) and text in (own.get("address"), value)):
            shown.append((name, view.label, text))
    return shown


def _in_words(pack: Pack, name: str, view: FieldView, value: str) -> dict[str, str] | None:
    """Return what a choice is called; a text that holds a code of the case that opened this one has words as well."""
    found = dict(view.choices).get(value) or both(pack, f"choices.{name}.{value}")
    return found if found["zh"] else None


def _value(item: Any) -> ValueView:
    if not isinstance(item, Mapping):
        return ValueView(str(item), "", "", "")
    return ValueView(
        str(item.get("value") or ""),
        str(item.get("source") or ""),
        str(item.get("source_title") or item.get("source") or ""),
        str(item.get("at") or ""),
    )


def _point(own: Mapping[str, Any]) -> tuple[str, str] | None:
    longitude, latitude = own.get("longitude"), own.get("latitude")
    return (str(longitude), str(latitude)) if longitude and latitude else None


def case_terms(pack: Pack, case: Case, now: dt.datetime) -> list[TermView]:
    """Return every term of a case as people see it."""
    return [
        TermView(
            id=name,
            title=both(pack, f"terms.{name}"),
            state=term["state"],
            due_on=term["due_on"],
            light=_light(pack, name, term, now),
            arithmetic={"zh": term["zh"], "en": term["en"]},
            provisional=term["provisional"],
            cite=grounds(pack, pack.deadlines[name].cite),
        )
        for name, term in case.terms.items()
        if name in pack.deadlines
    ]


def _light(pack: Pack, name: str, term: TermState, now: dt.datetime) -> Light:
    """Return a term's light; one that is only waited for (a public notice) is over at its end, not late."""
    if pack.only_passes(name) and term["state"] in (LATE, EXPIRED):
        return Light("green", "期满", "over")
    return term_light(term["state"], term["due_at"], term["amber_at"], now)


def _owners(pack: Pack, case_id: str, viewer: identity.Account) -> list[tuple[dict[str, str], str]]:
    tasks = case_file.tasks_of(case_id)
    names = queries.owner_names({owner for _, _, owner in tasks}, viewer)
    return [(both(pack, f"roles.{role}"), names[owner]) for _, role, owner in tasks]


def _commands(access: Access, case: Case, own: Mapping[str, Any], now: dt.datetime) -> list[CommandView]:
    pack = access.pack
    case.facts = own
    return [
        CommandView(
            name=step.command,
            title=both(pack, f"commands.{step.command}"),
            help=both(pack, f"help.{step.command}"),
            fields=_fields(access, step, own, now),
            grounds=grounds(pack, step.cite),
        )
        for step in allowed(pack, case, access.actor, now)
    ]


def _fields(access: Access, step: Transition, own: Mapping[str, Any], now: dt.datetime) -> list[FieldView]:
    if step.form is None:
        return []
    scope = {f"facts.{name}": value for name, value in own.items()}
    found = [
        field_view(
            access.pack,
            item,
            own,
            first_value(item, scope, access.row.id, now, pack=access.pack.id),
            item.prefill.source if item.prefill else "",
        )
        for item in step.form.fields.values()
    ]
    return [
        _with_people(access, view) if view.kind == "accounts" and not view.choices else view for view in found
    ]


def _with_people(access: Access, view: FieldView) -> FieldView:
    """Name, beside a field of accounts, who took a step in this case from outside: their sign-in names are known to nobody."""
    actors = {row.actor for row in case_file.events_of(access.row.id)}
    people = identity.accounts(ids=[int(each) for each in actors if each.isdecimal()], role="resident")
    if access.level != FULL or not people:
        return view
    names = "、".join(f"{each.username}（{each.shown_name}）" for each in people)
    told = {language: TOOK_PART[language].format(names=names) for language in LANGUAGES}
    return replace(
        view, help={key: " ".join(filter(None, [text, told[key]])) for key, text in view.help.items()}
    )


def events_of(
    access: Access,
    secrets: Mapping[int, dict[str, Any]],
    hidden: set[int],
    children: Sequence[CaseModel],
) -> list[EventView]:
    """Return the history of a case as sentences, with grounds and files, but for the steps that are hidden."""
    pack, case_id, cell = access.pack, access.row.id, access.row.cell_code
    files: dict[int, list[FileView]] = {}
    for item in EvidenceFile.objects.filter(case_id=case_id).exclude(seq__in=hidden).order_by("pk"):
        view = FileView(
            item.pk,
            # People name their papers after themselves.
            item.name if access.level == FULL else f"****{PurePath(item.name).suffix}",
            item.media_type,
            item.size,
            item.digest,
            item.erased_at is not None,
            item.scanned,
        )
        files.setdefault(item.seq, []).append(view)
    found = [(row, json.loads(row.body)) for row in case_file.events_of(case_id)]
    said = [{**event.get("data", {}), **secrets.get(row.seq, {})} for row, event in found]
    # One child may end twice (it was reopened): each of its ends has its own words.
    ends = {tuple(end.items()) for data in said if (end := child_end(data))}
    words = {end: outcomes_in_words(dict(end), children) for end in ends}
    return [
        event_view(
            pack, row, event, data, cell, secrets.get(row.seq, {}), files.get(row.seq, []),
            anonymous=row.seq in hidden, children=words.get(tuple(child_end(data).items()), {}),
        )
        for (row, event), data in zip(found, said, strict=True)
    ]  # fmt: skip


def event_view(
    pack: Pack,
    row: CaseEvent,
    event: Mapping[str, Any],
    data: Mapping[str, Any],
    cell: str,
    hidden: Mapping[str, Any],
    files: list[FileView],
    *,
    anonymous: bool = False,
    children: Mapping[str, Mapping[str, str]],
) -> EventView:
    """Return one event as a sentence with its grounds; of personal values only what ``data`` and ``hidden`` hold of them.

    An anonymous one calls whoever took the step by their role.
    """
    sentence = sentence_of(pack, event, data, cell, anonymous=anonymous, children=children)
    return EventView(
        seq=row.seq,
        at=row.at,
        sentence=sentence,
        grounds=grounds(pack, event.get("grounds", [])),
        note=str(hidden.get("note") or hidden.get("description") or ""),
        files=files,
        leaf_id=row.leaf_id,
        step=row.step,
        target=event.get("target", ""),
        answers=_answers(pack, event["step"], data) if event["step"] != ENTRY else [],
    )


def sentence_of(
    pack: Pack,
    event: Mapping[str, Any],
    data: Mapping[str, Any],
    cell: str,
    *,
    anonymous: bool = False,
    children: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """Return an event as a sentence; ``children``: how the ends of child cases are worded, where many are asked for at once."""
    facts = {**(data if event["step"] == ENTRY else {})}
    sentence = {}
    if children is None:
        children = outcomes_in_words(end) if (end := child_end(data)) else {}
    for language in LANGUAGES:
        told = spoken(data, language, children)
        name = pack.text(f"roles.{event['role']}", language) if anonymous else event["actor"]["name"]
        said = sayer(pack, language, facts, told, name, event.get("decided", {}), cell, event.get("news"))
        template = pack.text(f"sentences.{event['step']}", language)
        sentence[language] = fill(template, said) if template else administrative_sentence(event, language)
    return sentence


def _answers(pack: Pack, step_id: str, data: Mapping[str, Any]) -> list[tuple[dict[str, str], Any]]:
    """Return what was answered in a step, by the labels of its form; files stand by themselves."""
    step = next((each for each in pack.transitions if each.id == step_id), None)
    found = []
    for item in step.form.fields.values() if step is not None and step.form else ():
        value = data.get(item.name)
        if value in (None, "", []) or item.type.kind in ("files", "map"):
            continue
        view = field_view(pack, item, {}, value)
        said = _in_words(pack, item.name, view, value) if isinstance(value, str) else None
        found.append((view.label, said_here(said) if said else shown_value(view, value)))
    return found


def _children(found: Sequence[CaseModel]) -> list[ChildView]:
    lines = [queries.case_line(row) for row in found]
    return [ChildView(line.case_id, line.title, line.state, line.department) for line in lines]
