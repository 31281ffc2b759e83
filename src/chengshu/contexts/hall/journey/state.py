"""Where somebody is in an application: what is known, what is still to be asked, what they said to the use of their data."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.api import filling
from chengshu.contexts.hall.mydata.prefill import REASONS, Prefill, Prefilled, prefill
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Field, Pack
from chengshu.procedure.parts import Part
from chengshu.procedure.uses import taken

# Kept in the draft beside the answers: optional questions passed over, and the answer to the page on data.
PASSED, DATA = "_passed", "_data"
# What was found without asking, as it stood when it was looked for: no page looks twice.
FILLED = "_filled"
ALLOWED, DECLINED = "allowed", "declined"


class Journey:
    """One application of one account, for itself or for whoever it acts for."""

    def __init__(self, request: HttpRequest, pack_id: str) -> None:
        self.now = timezone.now()
        self.acting = identity.acting(request)
        self.account = self.acting.account
        pack = filling.offered_pack(pack_id, self.account, self.now)
        if pack is None:
            raise Http404
        if not self.acting.may(pack_id):
            raise Problem(
                "acting-scope",
                _("授权不包括这个事项"),
                detail=pack_id,
                status=403,
                remedy=_("请回到本人，或请授权人增加这个事项"),
            )
        self.pack: Pack = pack
        self.subject = self.acting.subject_id if self.acting.for_other else ""
        draft_id = cases.drafts.latest(self.account, pack_id, self.subject)
        self.draft = cases.drafts.load(draft_id, self.account) if draft_id is not None else None

    # --- what is kept ---

    @property
    def kept(self) -> Mapping[str, Any]:
        """Everything in the draft."""
        return self.draft.values if self.draft is not None else {}

    @cached_property
    def typed(self) -> dict[str, Any]:
        """The answers that were given."""
        return {name: value for name, value in self.kept.items() if not name.startswith("_")}

    @property
    def passed(self) -> set[str]:
        """Optional questions that were left empty."""
        return set(self.kept.get(PASSED) or ())

    @cached_property
    def files(self) -> dict[str, list[Any]]:
        """The files of the draft by field."""
        found: dict[str, list[Any]] = {}
        for item in self.draft.files if self.draft is not None else ():
            found.setdefault(item.field, []).append(item)
        return found

    def keep(self, **changes: Any) -> None:
        """Save into the draft; ``None`` forgets."""
        if self.draft is None:
            raise Http404
        values = {name: value for name, value in {**self.kept, **changes}.items() if value is not None}
        cases.drafts.save(self.draft.id, self.account, values, self.now)
        self.draft = replace(self.draft, values=values)
        self._forget()

    def _forget(self) -> None:
        for name in ("typed", "filled", "known", "form", "asked"):
            self.__dict__.pop(name, None)

    # --- what is known ---

    @cached_property
    def filled(self) -> Prefill:
        """What is known without asking, as ``look`` found it."""
        kept = self.kept.get(FILLED) or {}
        found = {
            name: Prefilled(**item) for name, item in kept.get("found", {}).items() if name in self.pack.facts
        }
        return Prefill(found, kept.get("asked", {}), kept.get("choices", {}))

    def look(self) -> None:
        """Find out what need not be asked and keep it; nothing before the page on data has been seen."""
        if self.draft is None or (self.uses_data and not self.kept.get(DATA)):
            return
        found = prefill(self.pack, self.acting, self.now, answers=self.typed)
        kept = {name: asdict(item) for name, item in found.found.items()}
        kept_too = {"asked": dict(found.asked), "choices": dict(found.choices)}
        learnt = {"found": kept, **kept_too}
        # As it is kept: what was found before is not written again.
        if json.dumps(learnt, sort_keys=True) != json.dumps(self.kept.get(FILLED), sort_keys=True):
            self.keep(**{FILLED: learnt})

    def look_again(self, name: str) -> None:
        """Look again when a source hangs on the answer that was just given."""
        hanging = (item.prefill for item in self.pack.facts.values() if item.prefill is not None)
        if any(f"facts.{name}" in value.reads for one in hanging for value in one.params.values()):
            self.look()

    def held(self, name: str) -> Prefilled | None:
        """Return what is known of a field that nobody answered by themselves; a disputed value is asked."""
        found = self.filled.found.get(name)
        if found is not None and self.bound(name):
            return found
        return None if found is None or found.disputed or name in self.typed else found

    def bound(self, name: str) -> bool:
        """Whether only its source may say what a field is: nothing that is typed counts there."""
        source = self.pack.facts[name].prefill
        return source is not None and source.only and name in self.filled.found

    @cached_property
    def known(self) -> dict[str, Any]:
        """Every value, given or known."""
        held = {name: item.value for name, item in self.filled.found.items() if not item.disputed}
        bound = {name: item.value for name, item in self.filled.found.items() if self.bound(name)}
        return {**held, **self.typed, **bound}

    @cached_property
    def form(self) -> Any:
        """The opening form with all that is known."""
        return filling.OpeningForm(self.pack, self.account, self.known, self.files, self.now)

    # --- what is asked ---

    @cached_property
    def declared(self) -> list[Field]:
        """What is declared at the end and not asked."""
        return filling.declarations(self.pack.facts)

    @cached_property
    def asked(self) -> list[Field]:
        """The fields that the answers so far call for, in the order of the form."""
        apart = {item.name for item in self.declared}
        fields = [item for item in self.form.asked(self.form.all_fields()) if item.name not in apart]
        return [item for item in fields if not self._idle(item)]

    def _idle(self, item: Field) -> bool:
        """Whether asking is idle: the field may stay empty, only its source could fill it, and the source knows nothing."""
        source = item.prefill
        if source is None or not source.only or item.required:
            return False
        # Where there are several the person chooses.
        return item.name not in self.filled.found and item.name not in self.filled.choices

    @property
    def questions(self) -> list[Field]:
        """The fields that must be asked: nothing is known of them, or the person answers by themselves."""
        return [item for item in self.asked if self.held(item.name) is None]

    def answered(self, item: Field) -> bool:
        """Whether a question needs no page any more."""
        if item.type.kind == "files":
            return bool(self.files.get(item.name)) or item.name in self.passed
        return item.name in self.typed or item.name in self.passed

    def pending(self) -> Field | None:
        """Return the next question."""
        return next((item for item in self.questions if not self.answered(item)), None)

    def before(self, name: str) -> Field | None:
        """Return the question before this one."""
        names = [item.name for item in self.questions]
        at = names.index(name) if name in names else len(names)
        return self.questions[at - 1] if at else None

    def why_asked(self, item: Field) -> str:
        """Say why a field that has a source is asked all the same."""
        found = self.filled.found.get(item.name)
        if found is not None and found.disputed:
            return _("这一项您提出过异议，请填写正确的内容")
        reason = self.filled.asked.get(item.name, "")
        said = _(REASONS[reason]) if reason in REASONS else ""
        choices = self.filled.choices.get(item.name, ())
        return _("%(why)s：%(choices)s") % {"why": said, "choices": "、".join(choices)} if choices else said

    def scope(self) -> dict[str, Any]:
        """Return what expressions over the answers may read."""
        found: dict[str, Any] = self.form.scope()
        return found

    # --- the use of data ---

    @cached_property
    def children(self) -> list[tuple[Part, Pack]]:
        """The parts of a one-thing with their packs."""
        return filling.part_packs(self.pack)

    @cached_property
    def uses_data(self) -> bool:
        """Whether anything is taken from what others hold about the person."""
        if not self.acting.subject_id:
            return False
        return bool(taken(self.pack)) or any(
            _from_source(part, child, item.field) for part, child in self.children for item in taken(child)
        )

    @cached_property
    def uses(self) -> list[tuple[Pack, subjects.ElementUse]]:
        """What this service and its parts use of data that others hold, with the pack that uses it."""
        if not self.uses_data:
            return []
        own_uses, *others = subjects.consent_needed_by([self.pack, *(child for _, child in self.children)])
        found = [(self.pack, use) for use in own_uses]
        seen = {(use.element, use.source) for _, use in found}
        for (part, child), uses in zip(self.children, others, strict=True):
            for use in uses:
                own = [name for name in use.fields if name in child.facts and _from_source(part, child, name)]
                if own and ((use.element, use.source) not in seen or use.needs_consent):
                    seen.add((use.element, use.source))
                    found.append((child, use))
        return found

    def decide(self, allowed: bool) -> None:
        """Keep what was said to the use of data; a word is kept for each pack that needs it, and of whom it is about.

        What one said before for this application is taken back: no is no, and yes is said once.
        """
        wanted: dict[tuple[str, str], set[str]] = {}
        for pack, use in self.uses:
            if use.needs_consent:
                wanted.setdefault((pack.id, self._whose(use)), set()).add(use.element)
        for (pack_id, subject_id), elements in wanted.items():
            subjects.take_back_unused(subject_id, pack_id, by=self.acting, now=self.now)
            if allowed:
                subjects.consent_given(subject_id, pack_id, sorted(elements), by=self.acting, now=self.now)
        self.keep(**{DATA: ALLOWED if allowed else DECLINED})
        self.look()

    def _whose(self, use: subjects.ElementUse) -> str:
        """Return whose data a use is of: for a firm one allows its data, and beside them one's own."""
        from_record = use.source.partition(":")[0] not in subjects.SOURCE_NAMES
        own = subjects.subject_for(self.acting, use.element) if from_record else ""
        return own or self.acting.subject_id

    # --- where to ---

    def next_url(self) -> str:
        """Return the page that follows: data, the next question, or the answers."""
        here = self.pack.id
        if self.draft is None:
            return reverse("apply:start", args=[here])
        if self.uses_data and not self.kept.get(DATA):
            return reverse("apply:data", args=[here])
        item = self.pending()
        return (
            reverse("apply:question", args=[here, item.name]) if item else reverse("apply:check", args=[here])
        )

    def back_url(self, name: str) -> str:
        """Return the page before a question."""
        item = self.before(name)
        if item is not None:
            return reverse("apply:question", args=[self.pack.id, item.name])
        return reverse("apply:data" if self.uses_data else "apply:start", args=[self.pack.id])

    def ready(self, values: Mapping[str, Any]) -> cases.drafts.Ready:
        """Return the application looked at once more, ready to be sent."""
        if self.draft is None:
            raise Http404
        return cases.drafts.ready_draft(
            self.draft.id,
            self.account,
            now=self.now,
            idempotency_key=str(self.draft.id),
            values=values,
            subject_id=self.acting.subject_id or None,
            on_behalf=self.acting.on_behalf(),
        )

    def submit(self, ready: cases.drafts.Ready) -> str:
        """Open the case; what was declared covers the confirmation that the pack asks for, so the rules decide at once."""
        case_id = cases.drafts.open_ready(ready)
        step = filling.confirmation(self.pack)
        if step is not None and step.form is not None:
            cases.take_step(
                case_id, step.command, dict.fromkeys(step.form.fields, True), actor=self.account,
                idempotency_key=f"declared:{case_id}", now=self.now,
            )  # fmt: skip
        return case_id

    def origins(self, names: Sequence[str]) -> dict[str, Any]:
        """Return where the answers came from that nobody had to give; no values."""
        held = {name: self.held(name) for name in names}
        return {name: item.origin for name, item in held.items() if item is not None}


def pack_titles(pack: Pack) -> dict[str, str]:
    """Return the title of a pack in both languages."""
    return {"zh": pack.title(), "en": pack.title("en")}


def draft_instant(journey: Journey) -> dt.datetime | None:
    """Return when the draft was saved last."""
    return journey.draft.saved_at if journey.draft is not None else None


def _from_source(part: Part, child: Pack, name: str) -> bool:
    """Whether a part's own source fills a field: one that the questionnaire does not hand over, or that only a record may say."""
    field = child.facts.get(name)
    return name not in part.facts or (field is not None and field.prefill is not None and field.prefill.only)
