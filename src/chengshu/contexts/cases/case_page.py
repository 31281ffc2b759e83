"""What the page of a case shows beside the case itself: its drawing, people, remarks, money, files and what hangs on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import get_language

from chengshu.contexts.cases import claiming, comments, packs, rows
from chengshu.contexts.cases.access import OWN, Access, access_case
from chengshu.contexts.cases.command_forms import CommentForm, Seen
from chengshu.contexts.cases.domain import CaseView, EventView, FileView, TermView
from chengshu.contexts.cases.field_views import scope_of, seen
from chengshu.contexts.cases.panels import CasePanelLine, notes_on_files, panel_lines
from chengshu.contexts.cases.parties import PartyLine, parties_of
from chengshu.contexts.cases.payments import payments_of
from chengshu.contexts.cases.sealing import personal_facts
from chengshu.contexts.cases.trace import ask_person_url, decisions_of
from chengshu.contexts.cases.what_if import what_if_case
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity.api import STAFF_ROLES, Account
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import OPEN_TERMS
from chengshu.procedure.drawing import Drawing, draw
from chengshu.procedure.machine import for_others
from chengshu.procedure.model import Pack, Transition


def page_of(view: CaseView, viewer: Account, now: dt.datetime) -> dict[str, Any]:
    """Return the parts of the page that are not the case itself; who sees the state only gets no more than that."""
    access = access_case(view.case_id, viewer, now)
    if access.level == OWN:
        return {"drawing": drawing(access.pack, view), **_terms(view)}
    remarks = comments.may_comment(view.case_id, viewer, now)
    return {
        "drawing": drawing(access.pack, view),
        **_terms(view),
        "for_others": [both(access.pack, f"commands.{step.command}") for step in _for_others(access, now)],
        "parties": _parties(access.pack, view.case_id, now),
        "may": claiming.may_claim(view.case_id, viewer, now),
        "claimed_by": claiming.holder_name(view.case_id, viewer) if viewer.role == "officer" else "",
        "remarks": comments.comments_of(view.case_id, viewer, now) if remarks else None,
        "remark_form": CommentForm() if remarks else None,
        "payments": [] if view.withheld else payments_of(view.case_id),
        "hanging": panel_lines(view.case_id, viewer, now),
        "decisions": decisions_of(view.case_id, viewer, now),
        "ask_person": ask_person_url(view.case_id, viewer, now),
        "files": _files(view, viewer, now),
        "foresight": None if view.closed_at else what_if_case(view.case_id, now),
        "staff": viewer.role in STAFF_ROLES,
    }


def _files(
    view: CaseView, viewer: Account, now: dt.datetime
) -> list[tuple[EventView, FileView, Sequence[CasePanelLine]]]:
    """Return the files with what is said beside each; photographs bear no signatures."""
    files = [(event, file) for event in view.events for file in event.files]
    papers = {file.digest for _, file in files if not file.erased and file.media_type == "application/pdf"}
    notes = notes_on_files(papers if not view.withheld else (), viewer, now)
    return [(event, file, notes.get(file.digest, ())) for event, file in files]


def _terms(view: CaseView) -> dict[str, list[TermView]]:
    """Part the terms: those that run, or ended late, are read first; what ended in time is folded away."""
    going = [term for term in view.terms if term.state in OPEN_TERMS]
    late = [term for term in view.terms if term not in going and term.light.colour == "red"]
    return {
        "terms_now": sorted(going, key=lambda term: term.due_on or "9999") + late,
        "terms_over": [term for term in view.terms if term not in going and term not in late],
    }


def _for_others(access: Access, now: dt.datetime) -> list[Transition]:
    """Whoever took part may look in vain for the step that is due: the page says that it is another's."""
    return for_others(access.pack, access.row.case(access.pack.id), access.actor, now)


def _parties(pack: Pack, case_id: str, now: dt.datetime) -> list[tuple[dict[str, str], PartyLine]]:
    """Return who takes part beside the office and the applicant; nobody is asked of a pack that knows no such roles."""
    if not any(role.holder == "party" for role in pack.roles.values()):
        return []
    return [(both(pack, f"roles.{line.role}"), line) for line in parties_of(case_id, legal_day(now))]


def drawing(pack: Pack, view: CaseView) -> Drawing:
    """Return the pack's states with the case's own way through them."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return draw(pack, language, here=view.state, past={event.target for event in view.events} - {view.state})


def asked_in(case_id: str, command: str, viewer: Account, now: dt.datetime) -> Seen:
    """Return which fields of a command are asked, given the case and the answers so far."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    case = row.case(pack.id)
    form = next((step.form for step in pack.steps.get((row.state, command), ()) if step.form), None)
    fields = list(form.fields.values()) if form else []
    base = scope_of(pack, {**case.facts, **personal_facts(case_id)}, viewer, now)
    base |= {f"case.{name}": value for name, value in case.kept.items()}

    def names(answers: Any) -> set[str]:
        return seen(fields, base | {f"data.{name}": value for name, value in answers.items()})

    return names
