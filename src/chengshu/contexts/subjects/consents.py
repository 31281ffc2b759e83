"""Consents: what a service may use of a person's data, on what ground, and the person's own word where it is needed.

The field sources ask ``may_use`` before they hand anything out. Without a law that the pack cites, and without the word of
whoever the data are about, they refuse; the field is then asked. Giving and revoking are leaves of the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.identity.api import Account, Acting
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects.labels import label, labels
from chengshu.contexts.subjects.models import Consent
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import DeclaredUse, Pack
from chengshu.procedure.uses import CONSENT, LAW, Taken, taken

# House rules of the demo district: a consent for a period ends after a year, one for an application with its draft.
LONGEST = dt.timedelta(days=366)
DRAFT_LIFE = dt.timedelta(days=90)
# Where the catalogue knows no table of an element, the word is for the golden record, whatever it comes from.
ANY_TABLE = "*"
# Field sources that ask the golden record, and with it the tables that hold the element.
FROM_RECORDS = ("own_record", "listed")
SELF = "self"
CASE, PERIOD = Consent.Scope.CASE, Consent.Scope.PERIOD
Said = Mapping[str, str]
PURPOSE = {"zh": "办理“{title}”", "en": "To deal with “{title}”"}
SOURCE_NAMES = {
    "certificate": {"zh": "本人的电子证照", "en": "your electronic certificates"},
    "earlier_case": {"zh": "本人以前的申请", "en": "your earlier applications"},
}


@dataclass(frozen=True, slots=True)
class ElementUse:
    """One element that a service uses: from whom, for what, and whether a law or the person's consent allows it."""

    element: str
    label: Said
    source: str
    sources: tuple[str, ...]
    source_title: Said
    purpose: Said
    basis: str
    grounds: tuple[Said, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def needs_consent(self) -> bool:
        """Whether it may be used only with the person's word."""
        return self.basis == CONSENT


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent as its giver sees it."""

    id: int
    subject_id: str
    pack: str
    pack_title: Said
    elements: tuple[str, ...]
    sources: tuple[str, ...]
    purpose: Said
    scope: str
    until: dt.date
    case_id: str
    given_at: dt.datetime
    given_by: str
    given_how: str
    revoked_at: dt.datetime | None
    in_force: bool
    leaf_id: int | None = None
    labels: tuple[Said, ...] = field(default=())


def consent_needed(pack: str | Pack) -> list[ElementUse]:
    """Return every use that a service makes of personal data, those that need the person's word among them."""
    known = cases.current_pack(pack) if isinstance(pack, str) else pack
    return consent_needed_by([known])[0]


def consent_needed_by(packs: Sequence[Pack]) -> list[list[ElementUse]]:
    """Return the uses of several services (a one-thing and its parts), in their order; the catalogue is read once."""
    texts, tables = labels(), _tables()
    return [_uses(pack, texts, tables) for pack in packs]


def _uses(pack: Pack, texts: Mapping[str, Said], tables: _Tables) -> list[ElementUse]:
    found: dict[tuple[str, str], list[Taken]] = {}
    for item in taken(pack):
        found.setdefault((item.element, source_code(item.source, item.kind)), []).append(item)
    return [
        _use(pack, element, source, items, texts, tables)
        for (element, source), items in found.items()
    ]  # fmt: skip


def source_code(source: str, kind: str = "") -> str:
    """Return how a consent names a field source: by its kind, certificates by their type."""
    return f"{source}:{kind}" if kind else source


def _use(
    pack: Pack,
    element: str,
    source: str,
    items: Sequence[Taken],
    texts: Mapping[str, Said],
    tables: _Tables,
) -> ElementUse:
    declared = declared_for(pack, element)
    purpose = dict(declared.purpose) if declared else _own_purpose(pack)
    from_records = source in FROM_RECORDS
    sources = (tables.holding(element) or (ANY_TABLE,)) if from_records else (source,)
    title = tables.title(sources) if from_records else SOURCE_NAMES[source.partition(":")[0]]
    return ElementUse(
        element=element,
        label=label(element, texts),
        source=sources[0],
        sources=sources,
        source_title=title,
        purpose=purpose,
        basis=declared.basis if declared else CONSENT,
        grounds=tuple(pack.place(key) for key in declared.cite) if declared else (),
        fields=tuple(dict.fromkeys(item.field for item in items)),
    )


def declared_for(pack: Pack, element: str) -> DeclaredUse | None:
    """Return what a pack says about its use of an element."""
    return next((use for use in pack.uses if element in use.elements), None)


def _own_purpose(pack: Pack) -> dict[str, str]:
    return {language: text.format(title=pack.title(language)) for language, text in PURPOSE.items()}


class _Tables:
    """Which departments' tables hold an element, and what they are called."""

    def __init__(self) -> None:
        rows = catalogue.sources()
        self.titles: dict[str, Said] = {row.name: {"zh": row.title_zh, "en": row.title_en} for row in rows}
        self.columns = {row.name: {column["element"] for column in row.body["columns"]} for row in rows}

    def holding(self, element: str) -> tuple[str, ...]:
        return tuple(name for name, elements in self.columns.items() if element in elements)

    def title(self, sources: Sequence[str]) -> Said:
        named = [self.titles[name] for name in sources if name in self.titles]
        if not named:
            return {"zh": "本人的标准记录", "en": "your golden record"}
        return {"zh": "、".join(each["zh"] for each in named), "en": ", ".join(each["en"] for each in named)}


def _tables() -> _Tables:
    return _Tables()


def consent_given(
    subject_id: str,
    pack: str,
    elements: Iterable[str],
    purpose: Said | str = "",
    *,
    by: Account | Acting,
    now: dt.datetime,
    until: dt.date | None = None,
    case_id: str = "",
) -> int:
    """Keep a person's word: for this application, or with ``until`` for every one up to that day. Returns its number.

    Only elements that the pack uses with consent can be allowed: nobody collects a word for more than is asked.
    """
    who = _who(subject_id, pack, by)
    wanted = sorted(set(elements))
    asked: dict[str, list[ElementUse]] = {}
    for use in consent_needed(pack):
        if use.needs_consent:
            asked.setdefault(use.element, []).append(use)
    if not wanted or not set(wanted) <= set(asked):
        raise Problem(
            "consent-elements", _("只能同意该事项所需的数据"), detail=", ".join(set(wanted) - set(asked)), status=422,
            remedy=_("按页面列出的数据逐项同意"),
        )  # fmt: skip
    last = _last_day(until, now)
    said = _purpose_of(purpose, asked, wanted)
    sources = sorted({source for name in wanted for use in asked[name] for source in use.sources})
    with transaction.atomic():
        row = Consent.objects.create(
            subject_id=subject_id, pack=pack, elements=wanted, sources=sources, purpose_zh=said["zh"][:200],
            purpose_en=said["en"][:200], scope=PERIOD if until else CASE, until=last, case_id=case_id, given_at=now,
            given_by=who.account.display_name, given_by_account=who.account.pk, given_how=who.by,
            mandate_id=who.mandate_id or who.window_id,
        )  # fmt: skip
        leaf = deposit("consent-given", f"consent:{row.pk}", consent_payload(row), now=now)
        row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
        row.save(update_fields=["leaf_id", "leaf_salt"])
    return int(row.pk)


def _who(subject_id: str, pack: str, by: Account | Acting) -> Acting:
    """Return who gives the word: the person, or who acts for them in this matter; others are refused."""
    who = by if isinstance(by, Acting) else Acting(by, by.subject_id, by.shown_name)
    own = {who.subject_id, who.account.subject_id} if who.by != "window" else {who.subject_id}
    if not subject_id or subject_id not in own or not who.may(pack):
        raise Problem("consent-not-yours", _("只有本人或者其受托人可以同意使用本人的数据"), status=403)
    return who


def _last_day(until: dt.date | None, now: dt.datetime) -> dt.date:
    today = legal_day(now)
    if until is None:
        return today + DRAFT_LIFE
    if not today <= until <= today + LONGEST:
        raise Problem("consent-period", _("同意的期限最长一年"), detail=until.isoformat(), status=422)
    return until


def _purpose_of(
    purpose: Said | str, asked: Mapping[str, Sequence[ElementUse]], wanted: Sequence[str]
) -> Said:
    """Return the purpose that the person was shown; the pack's own words where the page gives none."""
    if isinstance(purpose, str):
        uses = [use for name in wanted for use in asked[name]]
        own = {
            language: "；".join(dict.fromkeys(use.purpose[language] for use in uses))
            for language in ("zh", "en")
        }
        return {"zh": purpose or own["zh"], "en": purpose or own["en"]}
    return purpose


def consent_payload(row: Consent) -> dict[str, Any]:
    """Return what the ledger's leaf digests."""
    return {
        "consent": str(row.pk),
        "subject": row.subject_id,
        "pack": row.pack,
        "elements": list(row.elements),
        "sources": list(row.sources),
        "purpose": row.purpose_zh,
        "scope": row.scope,
        "until": row.until.isoformat(),
        "by": str(row.given_by_account),
        "how": row.given_how,
        "at": row.given_at.astimezone(dt.UTC).isoformat(),
    }


def revoke_consent(consent_id: int, *, by: Account | Acting, now: dt.datetime) -> bool:
    """Take a word back, at once; what was used before stays on record. False where it was revoked already."""
    row = Consent.objects.filter(pk=consent_id).first()
    if row is None:
        raise Problem("consent-unknown", _("没有这项授权"), detail=str(consent_id), status=404)
    who = _who(row.subject_id, row.pack, by)
    with transaction.atomic():
        changed = Consent.objects.filter(pk=row.pk, revoked_at=None).update(
            revoked_at=now, revoked_by=who.account.display_name
        )
        if changed:
            said = {
                "consent": str(row.pk),
                "by": str(who.account.pk),
                "at": now.astimezone(dt.UTC).isoformat(),
            }
            deposit("consent-revoked", f"consent:{row.pk}", said, now=now)
    return bool(changed)


def take_back_unused(subject_id: str, pack: str, *, by: Account | Acting, now: dt.datetime) -> int:
    """Take back what this account said for an application that has not become a case: it says otherwise now."""
    who = _who(subject_id, pack, by)
    rows = Consent.objects.filter(
        subject_id=subject_id,
        pack=pack,
        given_by_account=who.account.pk,
        scope=CASE,
        case_id="",
        revoked_at=None,
    )
    numbers = list(rows.values_list("pk", flat=True))
    return sum(revoke_consent(number, by=by, now=now) for number in numbers)


def consents_of(subject_id: str, now: dt.datetime) -> list[ConsentView]:
    """Return every word that a person gave, newest first."""
    texts, packs = labels(), {}
    found = []
    for row in Consent.objects.filter(subject_id=subject_id).order_by("-pk"):
        if row.pack not in packs:
            packs[row.pack] = _pack_title(row.pack)
        found.append(_view(row, packs[row.pack], texts, now))
    return found


def consents_in_force(subject_id: str, now: dt.datetime) -> int:
    """Return how many words of a person hold for further applications; one query."""
    mine = Consent.objects.filter(subject_id=subject_id, case_id="", revoked_at=None)
    return mine.filter(until__gte=legal_day(now)).count()


def _pack_title(pack: str) -> Said:
    try:
        found = cases.current_pack(pack)
    except Problem:  # a pack that is no longer offered here
        return {"zh": pack, "en": pack}
    return {"zh": found.title(), "en": found.title("en")}


def _view(row: Consent, title: Said, texts: Mapping[str, Said], now: dt.datetime) -> ConsentView:
    return ConsentView(
        id=row.pk, subject_id=row.subject_id, pack=row.pack, pack_title=title, elements=tuple(row.elements),
        sources=tuple(row.sources), purpose={"zh": row.purpose_zh, "en": row.purpose_en}, scope=row.scope,
        until=row.until, case_id=row.case_id, given_at=row.given_at, given_by=row.given_by, given_how=row.given_how,
        revoked_at=row.revoked_at, in_force=row.revoked_at is None and legal_day(now) <= row.until and not row.case_id,
        leaf_id=row.leaf_id, labels=tuple(label(name, texts) for name in row.elements),
    )  # fmt: skip


def allowed_elements(
    subject_id: str, pack: Pack, now: dt.datetime, case_id: str = ""
) -> dict[str, frozenset[str]]:
    """Return element → tables that this pack may use of this person now with their consent; one query."""
    return seen(
        ("allowed-elements", subject_id, pack.id, now, case_id),
        lambda: _allowed(subject_id, pack, now, case_id),
    )


def _allowed(subject_id: str, pack: Pack, now: dt.datetime, case_id: str) -> dict[str, frozenset[str]]:
    usable = Q(case_id="", until__gte=legal_day(now))
    if case_id:  # a word given for one application holds as long as its case
        usable |= Q(case_id=case_id)
    rows = Consent.objects.filter(usable, subject_id=subject_id, pack=pack.id, revoked_at=None)
    found: dict[str, frozenset[str]] = {}
    for elements, sources in rows.values_list("elements", "sources"):
        for name in elements:
            found[name] = found.get(name, frozenset()) | frozenset(sources)
    return found


def may_use(
    pack: Pack, element: str, source: str, allowed: Mapping[str, frozenset[str]], subject_id: str
) -> None:
    """Refuse a use that neither a law that the pack cites nor the person's word covers."""
    declared = declared_for(pack, element)
    if declared is not None and declared.basis == LAW:
        return
    # A value that a person put right comes from no table: the word for the element covers it.
    if element in allowed and (not source or {source, ANY_TABLE} & allowed[element]):
        return
    raise Problem(
        "consent-needed",
        _("使用这项数据需要本人同意"),
        detail=f"{pack.id}: {element}",
        remedy=_("在办事页面同意，或者自己填写"),
        status=403,
        element=element,
    )


def bind_consents(step: cases.StepTaken) -> None:
    """Tie the words given for one application to the case that it became; another application asks again."""
    if step.event["seq"] != 1 or not step.case.opened_by.isdigit():
        return
    behalf = step.event.get("on_behalf") or {}
    given = Consent.objects.filter(
        pack=step.case.pack,
        given_by_account=int(step.case.opened_by),
        given_how=str(behalf.get("by") or SELF),
        scope=CASE,
        case_id="",
        revoked_at=None,
    )
    if subject := str(behalf.get("subject_id") or ""):
        # Whoever acts for a firm allows the use of their own data beside the firm's.
        own = Account.objects.filter(pk=int(step.case.opened_by)).exclude(subject_id="").values("subject_id")
        given = given.filter(Q(subject_id=subject) | Q(subject_id__in=own))
    given.update(case_id=step.case.id)
