"""Packs as services: which ones an account may open, their forms section by section, how far a draft is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, routing
from chengshu.contexts.cases.command_forms import FieldsForm, posted
from chengshu.contexts.cases.domain import FieldView, Ground
from chengshu.contexts.cases.field_views import field_view, first_value, scope_of, seen
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.wording import both, grounds
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import SYSTEM, Field, Pack

# The one section of a form that names none.
WHOLE = "form"
TODO, BEGUN, DONE, LATER = "todo", "begun", "done", "later"


@dataclass(frozen=True, slots=True)
class Service:
    """A pack as a service that one may apply for."""

    id: str
    title: dict[str, str]
    about: dict[str, str]
    basis: list[str]
    grounds: list[Ground]
    version: str
    # Several services applied for at once.
    one_thing: bool = False


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section of an opening form, and how far it is."""

    id: str
    title: dict[str, str]
    fields: list[FieldView]
    status: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the page on which answers are checked."""

    name: str
    label: dict[str, str]
    shown: Any
    wrong: str


def services_for(account: identity.Account, now: dt.datetime) -> list[Service]:
    """Return the packs in force that this account may open in the browser."""
    running = [
        packs.pinned(row.pk, row.hash).pack
        for row in PackVersion.objects.filter(current=True).defer("files").order_by("pack")
    ]
    children = _opened_by_others(running)
    return [service(pack) for pack in running if pack.id not in children and offered(pack, account, now)]


def services_to_begin(acting: identity.Acting, now: dt.datetime) -> list[Service]:
    """Return the services to show to whoever acts: an agent what the mandate covers, staff what their post may begin.

    A clerk begins in a person's name while serving them, and otherwise what clerks take in. What a member of staff may ask
    for in their own life is not on the pages of their work.
    """
    account = acting.account
    found = [each for each in services_for(account, now) if acting.may(each.id)]
    if account.role == identity.Account.Role.RESIDENT or acting.for_other:
        return found
    running = packs.current_many({each.id for each in found}) if found else {}
    return [each for each in found if _by_post(running[each.id], account)]


def _by_post(pack: Pack, account: identity.Account) -> bool:
    """Whether an account may begin a case by its post, not as anybody who comes with a matter of their own."""
    known = routing.actor_opening(pack, account, account.department_id or "").roles & pack.opening.by
    return any(pack.roles[name].holder not in ("opener", "public") for name in known)


def _opened_by_others(running: Sequence[Pack]) -> set[str]:
    """Return the packs that another one opens as a step of its own: one gets there from that case."""
    found = set()
    for pack in running:
        for step in (pack.opening, *pack.transitions):
            for effect in step.effects:
                child = effect.written("pack") if effect.name == "open_case" else None
                if child and child != pack.id:
                    found.add(child)
    return found


def offered(pack: Pack, account: identity.Account, now: dt.datetime) -> bool:
    """Say whether a pack is a service for this account."""
    return refusal(pack, account, now) is None


def refusal(pack: Pack, account: identity.Account, now: dt.datetime) -> Problem | None:
    """Return why an account may not ask for such a case now: one that machines open is a service only by its sections."""
    if not pack.in_force(legal_day(now)):
        return Problem(
            "pack-not-in-force", _("这个事项今天不能办理"), status=409,
            detail=f"{pack.id} {pack.version}: {pack.valid_from} – {pack.valid_to or '…'}",
        )  # fmt: skip
    if not pack.offered or (SYSTEM in pack.opening.by and not pack.sections):
        return Problem(
            "opening-not-offered", _("这个事项不能单独提出"), detail=pack.id, status=403,
            remedy=_("请在所属的办件中提出"),
        )  # fmt: skip
    actor = routing.actor_opening(pack, account, account.department_id or "")
    if not pack.opening.by & actor.roles:
        return Problem("opening-not-yours", _("你不能提出这个事项"), detail=pack.id, status=403)
    return None


def service(pack: Pack) -> Service:
    """Return a pack as a service."""
    basis = [f"《{item.title}》{item.number}".strip() for item in pack.basis.values()]
    cites = grounds(pack, pack.opening.cite)
    return Service(
        pack.id, both(pack, "title"), both(pack, "about"), basis, cites, pack.version, pack.parts is not None
    )


class Opening:
    """A half-filled opening form of one account: its fields, what is asked given the answers, its sections."""

    def __init__(
        self,
        pack: Pack,
        account: identity.Account,
        answers: Mapping[str, Any],
        files: Mapping[str, Sequence[Any]],
        now: dt.datetime,
        subject_id: str = "",
    ) -> None:
        self.pack, self.account, self.answers, self.files, self.now = pack, account, answers, files, now
        # For whom the account acts; empty: for itself.
        self.subject_id = subject_id

    def scope(self, answers: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what conditions may read."""
        return scope_of(self.pack, self.answers if answers is None else answers, self.account, self.now)

    def parts(self) -> list[tuple[str, list[Field]]]:
        """Return the sections with their fields; a pack without sections has one."""
        facts = self.pack.facts
        if not self.pack.sections:
            return [(WHOLE, [item for item in facts.values() if item.type.kind != "map"])]
        return [(part.id, [facts[name] for name in part.fields]) for part in self.pack.sections]

    def fields(self, part: str) -> list[Field]:
        """Return the fields of a section; none when there is no such section."""
        return next((found for name, found in self.parts() if name == part), [])

    def all_fields(self) -> list[Field]:
        """Return the fields of all sections."""
        return [item for _, fields in self.parts() for item in fields]

    def views(self, fields: Sequence[Field], prefill: bool = False) -> list[FieldView]:
        """Return fields ready to draw, with what was answered or, on an empty form, what is known already."""
        found = []
        scope = self.scope()
        for item in fields:
            value, source = self.answers.get(item.name), ""
            if value is None and prefill and item.prefill is not None:
                value = first_value(
                    item, scope, "", self.now, lenient=True, subject_id=self.subject_id, pack=self.pack.id
                )
                source = item.prefill.source
            found.append(field_view(self.pack, item, self.answers, value, source))
        return found

    def seen(self, answers: Mapping[str, Any]) -> set[str]:
        """Return the names of the fields that are asked, whatever their section."""
        return seen(self.pack.facts.values(), self.scope({**self.answers, **answers}))

    def asked(self, fields: Collection[Field]) -> list[Field]:
        """Return those of the fields that are asked now."""
        names = seen(fields, self.scope())
        return [item for item in fields if item.name in names]

    def judged(self, fields: Sequence[Field]) -> FieldsForm:
        """Return the answers as a form that has looked at them."""
        views = self.views(fields)
        have = {name for name, sent in self.files.items() if sent}
        form = FieldsForm(views, posted(views, self.answers), have=have, seen=self.seen)
        form.is_valid()
        return form

    def sections(self) -> list[SectionView]:
        """Return every section with how far it is; one in which nothing is asked is left for later."""
        return [
            SectionView(
                part,
                both(self.pack, f"sections.{part}") if part != WHOLE else both(self.pack, "title"),
                self.views(fields),
                self._status(fields),
            )
            for part, fields in self.parts()
        ]

    def _status(self, fields: Sequence[Field]) -> str:
        asked = self.asked(fields)
        if not asked:
            return LATER
        begun = any(self.answers.get(item.name) is not None or self.files.get(item.name) for item in asked)
        if not begun:
            return TODO
        return BEGUN if self.judged(asked).errors else DONE

    def facts(self, form: FieldsForm) -> dict[str, Any] | None:
        """Return what a case would be opened with, its files by their digests; ``None`` while something is wrong."""
        if form.errors:
            return None
        papers = {name: [item.digest for item in sent] for name, sent in self.files.items() if sent}
        return {**papers, **form.data_for_engine()}

    def complete(self) -> bool:
        """Say whether everything that is asked has a sound answer."""
        return not self.judged(self.asked(self.all_fields())).errors

    def after(self, part: str) -> str | None:
        """Return the section that follows and asks something."""
        names = [name for name, _fields in self.parts()]
        for name, fields in self.parts()[names.index(part) + 1 :]:
            if self.asked(fields):
                return name
        return None
