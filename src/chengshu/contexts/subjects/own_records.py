"""What forms are filled with from golden records: each value with the table and day it comes from, or why it is asked.

One call serves a whole form: the record, its corrections and disputes, the consents and the halted sources are each
read once, and the look goes on record once, for the person or firm that the matter is about.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from chengshu.batch.pipeline.fuse import CORRECTION
from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account, Acting, mask
from chengshu.contexts.subjects import consents
from chengshu.contexts.subjects.counts import source_titles
from chengshu.contexts.subjects.domain import FullRecord, Record
from chengshu.contexts.subjects.halts import halted_sources
from chengshu.contexts.subjects.models import Correction
from chengshu.contexts.subjects.reading import effective_record, in_force, record_of
from chengshu.contexts.subjects.snapshots import part
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.procedure.ports import SourceRequest

Said = Mapping[str, str]
CORRECTED: Said = {"zh": "核查更正", "en": "corrected after verification"}
PURPOSE_OF = {"self": "own-data", "mandate": "acting", "window": "acting"}
# Why a field that could be filled is asked.
NO_RECORD, NO_VALUE, NO_CONSENT, HALTED = "no-record", "no-value", "no-consent", "halted"
# A page names whose matter it is in the session; a request that names nobody is about whoever fills the form.
MASKED_PREMISES = ("premises.owner_name", "premises.owner_id")
# By what right the premises are used: follows from whether they are let.
DERIVED = ("place_code", "cell_code")
TENURE, TENURE_FROM = "premises.tenure", "premises.rented"


@dataclass(frozen=True, slots=True)
class Held:
    """A value that a record holds: from which table, of which day, and whether somebody disputes it."""

    element: str
    value: str
    source: str
    source_title: Said
    at: str
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Why an element is asked although a record could have it."""

    element: str
    why: str
    source: str = ""


def own_values(
    pack: Pack, acting: Acting, elements: Iterable[str], now: dt.datetime, *, case_id: str = ""
) -> dict[str, Held | Missing]:
    """Return what a pack may use of whoever the matter is about, element by element; the look goes on record.

    When one acts for a firm, what the form asks about a person is about the one who acts.
    """
    wanted = list(dict.fromkeys(elements))
    found: dict[str, Held | Missing] = {}
    by_subject: dict[str, list[str]] = {}
    for element in wanted:
        by_subject.setdefault(subject_for(acting, element), []).append(element)
    halted = halted_sources() if wanted else {}
    for subject_id, names in by_subject.items():
        own = _of_subject(pack, subject_id, names, halted, now, case_id)
        found.update(own)
        used = [name for name, item in own.items() if isinstance(item, Held)]
        note_use(acting, subject_id, used, now, case_id)
    return found


def subject_for(acting: Acting, element: str) -> str:
    """Return whose element it is: of the one acted for, or, beside a firm's, of the person who acts."""
    kind = element.partition(".")[0]
    if kind == "person" and acting.subject_id.startswith("F"):
        return acting.account.subject_id
    if kind == "firm" and not acting.subject_id.startswith("F"):
        return ""
    return acting.subject_id


def note_use(
    acting: Acting, subject_id: str, elements: Iterable[str], now: dt.datetime, case_id: str
) -> None:
    """Put the use of personal values on record, with the purpose that the acting person has."""
    personal = [name for name in elements if identity.is_personal(name)]
    if not personal:
        return
    own = subject_id == acting.account.subject_id
    purpose = "own-data" if own else PURPOSE_OF[acting.by]
    identity.record_read(acting.account, subject_id, purpose, personal, now, case_id=case_id)


def _of_subject(
    pack: Pack,
    subject_id: str,
    elements: list[str],
    halted: Mapping[str, str],
    now: dt.datetime,
    case_id: str,
) -> dict[str, Held | Missing]:
    record = record_held(subject_id)
    if record is None:
        return {name: Missing(name, NO_RECORD) for name in elements}
    allowed = consents.allowed_elements(record.subject_id, pack, now, case_id)
    origins = {**origins_of(record), **_laid_over(record)}
    titles = source_titles()
    found: dict[str, Held | Missing] = {}
    for name in elements:
        value = record.values.get(name)
        source, at = origins.get(name, ("", ""))
        try:
            consents.may_use(pack, name, source, allowed, record.subject_id)
        except Problem:
            found[name] = Missing(name, NO_CONSENT, source)
            continue
        if value in (None, ""):
            found[name] = Missing(name, NO_VALUE)
        elif source in halted:
            found[name] = Missing(name, HALTED, source)
        else:
            title = titles.get(source) or CORRECTED
            found[name] = Held(name, str(value), source, title, at, name in record.disputed)
    return found


def record_held(subject_id: str) -> Record | None:
    """Return a subject's record; none where nobody of that number is known."""
    return seen(("record-held", subject_id), lambda: _record(subject_id)) if subject_id else None


def _record(subject_id: str) -> Record | None:
    try:
        return effective_record(subject_id)
    except Problem as problem:
        if problem.code != "subject-unknown":
            raise
        return None


def _laid_over(record: Record) -> dict[str, tuple[str, str]]:
    """Return the elements that a person put right: no table is their origin."""
    rows = Correction.objects.filter(subject_id=record.subject_id, state=Correction.State.HOLDS)
    return {name: ("", at.date().isoformat()) for name, at in rows.values_list("element", "made_at")}


def origins_of(record: Record) -> dict[str, tuple[str, str]]:
    """Return element → table and day of the value in force."""
    path = part(record.since_run, f"fuse-{record.kind}", "cells.parquet")
    return dict(_winners(path, record.subject_id))


@lru_cache(maxsize=4096)
def _winners(path: Path, subject_id: str) -> tuple[tuple[str, tuple[str, str]], ...]:
    """Read which record won each element. A snapshot's file never changes; values are not kept here."""
    if not path.is_file():
        return ()
    rows = (
        pl.scan_parquet(path)
        .filter((pl.col("subject_id") == subject_id) & (pl.col("rank") == 0))
        .select("element", "source", "at")
        .collect()
    )
    return tuple(
        (element, ("" if source == CORRECTION else source, (at or "")[:10]))
        for element, source, at in rows.iter_rows()
    )


def own_record(request: SourceRequest) -> Any:
    """Answer the field source ``own_record``: one element of whoever the matter is about; refused without consent."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    if account is None:
        return None
    element = str(request.params["element"])
    found = own_values(
        cases.current_pack(request.pack) if request.pack else _no_pack(element),
        acting_of(account, request.subject_id),
        [element],
        request.now,
        case_id=request.case_id,
    )[element]
    if isinstance(found, Held):
        return found.value
    if found.why in (NO_CONSENT, HALTED):
        raise refused(found)
    return None


def _no_pack(element: str) -> Pack:
    raise Problem("use-without-purpose", _("使用个人数据必须说明用于哪个事项"), detail=element, status=403)


def refused(missing: Missing) -> Problem:
    """Return the refusal of a source: whoever fills the form asks the person instead."""
    if missing.why == HALTED:
        return Problem("source-halted", _("数源暂时不可用，请自己填写"), detail=missing.source, status=503)
    return Problem(
        "consent-needed", _("使用这项数据需要本人同意"), detail=missing.element, status=403,
        remedy=_("在办事页面同意，或者自己填写"),
    )  # fmt: skip


def acting_of(account: Account, subject_id: str) -> Acting:
    """Return the acting that a request names by its subject: for oneself, at the window, or by mandate."""
    if not subject_id or subject_id == account.subject_id:
        return Acting(account, account.subject_id, account.shown_name)
    by = "window" if account.role == "clerk" else "mandate"
    return Acting(account, subject_id, "", by)


def consented(handler: Any, source: str) -> Any:
    """Return a source's handler behind the question whether the person allowed this pack to use it."""

    def guarded(request: SourceRequest) -> Any:
        account_id = str(request.params.get("account") or "")
        account = identity.account(int(account_id)) if account_id.isdigit() else None
        if account is None:
            return None
        check_use(request.pack, acting_of(account, request.subject_id), source_of(request, source), request)
        return handler(request)

    return guarded


def source_of(request: SourceRequest, source: str) -> str:
    """Return how consents name the source of a request."""
    return consents.source_code(source, str(request.params.get("type") or ""))


def check_use(pack_id: str, acting: Acting, source: str, request: SourceRequest) -> None:
    """Refuse the use of an element from a source that is no golden record (certificates, earlier cases)."""
    element = str(request.params.get("element") or request.element)
    pack = cases.current_pack(pack_id) if pack_id else _no_pack(element)
    allowed = consents.allowed_elements(acting.subject_id, pack, request.now, request.case_id)
    consents.may_use(pack, element, source, allowed, acting.subject_id)
    if source in halted_sources():
        raise refused(Missing(element, HALTED, source))


def allowed(
    pack: Pack, subject_id: str, now: dt.datetime, case_id: str = ""
) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Return what a pack may use of a subject with their word, and which sources are halted: for a whole form."""
    return consents.allowed_elements(subject_id, pack, now, case_id), halted_sources()


def premises_at(place_code: str) -> str:
    """Return the record of the premises at a place; empty where no register has any."""
    if not place_code:
        return ""
    return seen(
        ("premises-at", place_code),
        lambda: (
            in_force()
            .filter(kind="premises", place_code=place_code)
            .values_list("subject_id", flat=True)
            .first()
            or ""
        ),
    )


def place_record(subject_id: str) -> FullRecord | None:
    """Return the record of premises; none where the number is not that of premises."""
    known = in_force().filter(kind="premises", subject_id=subject_id).exists()
    return record_of(subject_id) if known else None


def place_addresses(subject_ids: Iterable[str]) -> dict[str, str]:
    """Return where premises are, by their number; none for what is no premises."""
    found = (
        in_force().filter(kind="premises", subject_id__in=set(subject_ids)).values_list("subject_id", "data")
    )
    bodies = {number: body if isinstance(body, dict) else json.loads(body) for number, body in found}
    return {number: str(body.get("premises.address") or "") for number, body in bodies.items()}


def premises_values(place_code: str, elements: Iterable[str]) -> dict[str, Held]:
    """Return elements of the premises at a place, its owner masked; nothing where the register has none."""
    subject_id = premises_at(place_code)
    if not subject_id:
        return {}
    record = effective_record(subject_id)
    origins, titles, halted = origins_of(record), source_titles(), halted_sources()
    found = {}
    for name in elements:
        held = TENURE_FROM if name == TENURE else name
        value = record.values.get(held)
        if name == TENURE:
            # That it is not let does not say whether it is owned or lent.
            value = "leased" if value == "是" else None
        source, at = origins.get(held, ("", ""))
        if value not in (None, "") and source not in halted:
            shown = mask(name, value) if name in MASKED_PREMISES else str(value)
            found[name] = Held(
                name, shown, source, titles.get(source) or CORRECTED, at, held in record.disputed
            )
    return found


def may_dispute_place(element: str) -> bool:
    """Whether whoever fills a form about a place may say that a value is wrong: not its owner, nor what follows from another."""
    return element not in MASKED_PREMISES and element != TENURE and not element.endswith(DERIVED)


def premises(request: SourceRequest) -> Any:
    """Answer the field source ``premises``: an element of the premises that a chosen address is."""
    element = str(request.params["element"])
    found = premises_values(str(request.params.get("place_code") or ""), [element]).get(element)
    return found.value if found else None


def earlier_case(request: SourceRequest) -> Any:
    """Answer the field source ``earlier_case``: what the same person answered to this element last time."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    if account is None:
        return None
    element = str(request.params["element"])
    found = cases.earlier_answers(account, request.subject_id, [element]).get(element)
    return found.value if found else None
