"""Find who is entitled: the rule of each pack over golden records or certificates, after each build, on record.

Only the elements that the rule names are looked at, by the law that it cites. What comes out is one offer for each person,
which nobody else sees, and numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.offers.models import Offer, OfferRun
from chengshu.contexts.hall.offers.store import rule_of
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Pack
from chengshu.procedure.offers import PERSON, OfferRule

HINT = {"zh": "在“我的 · 可享服务”里查看或者申请。", "en": "See or take it up under My data · Offers."}
PIECE = 500
# (subject, what it is about, the values that the rule reads)
Candidate = tuple[str, str, Mapping[str, Any]]


def find_entitled(run_id: str, now: dt.datetime, packs: list[str] | None = None) -> list[OfferRun]:
    """Run the rules of all packs (or of those named) over what stands now; tell who is entitled. Safe to repeat."""
    found = []
    for pack_id in packs if packs is not None else cases.loaded_packs():
        known = rule_of(pack_id)
        if known is not None:
            found.append(_run(*known, run_id, now))
    return found


def _run(pack: Pack, rule: OfferRule, run_id: str, now: dt.datetime) -> OfferRun:
    today = legal_day(now)
    looked, entitled = 0, []
    for subject_id, about, values in candidates(rule, today):
        looked += 1
        if rule.when.evaluate(rule.scope(pack, values, today)) is True:
            key = str(rule.key.evaluate(rule.scope(pack, values, today)) or "") if rule.key else ""
            entitled.append((subject_id, about, key))
    held = (
        certificates.keys_held(rule.register, [key for *_, key in entitled if key])
        if rule.register
        else set()
    )
    free = [(subject_id, about) for subject_id, about, key in entitled if not key or key not in held]
    with transaction.atomic():
        run = OfferRun.objects.create(
            pack=pack.id, version=pack.version, run_id=run_id, at=now, grounds=list(rule.cite),
            elements=list(rule.elements), looked_at=looked, entitled=len(free),
        )  # fmt: skip
        run.fresh = _offer(pack, run, free, now)
        # What was searched, by which law: the ledger can show that no other list was made.
        said = {
            "pack": f"{pack.id} {pack.version}", "grounds": list(rule.cite), "elements": list(rule.elements),
            "looked_at": looked, "entitled": len(free),
        }  # fmt: skip
        run.leaf_id = ledger.deposit("entitled-searched", f"offers:{pack.id}", said, now=now).id
        run.save(update_fields=["fresh", "leaf_id"])
        _lapse(pack, {*free}, now)
    _tell(pack, rule, now)
    return run


def candidates(rule: OfferRule, today: dt.date) -> Iterator[Candidate]:
    """Yield whoever the rule looks at: people of the golden records, or holders of a certificate in force."""
    if rule.about == PERSON:
        names = {f"person.{name}": name for name in ("birth_date", "sex")}
        for subject_id, values in subjects.people_with(list(names)):
            yield subject_id, "", {short: values.get(code) for code, short in names.items()}
    else:
        held = certificates.holders_in_force(rule.type, today)
        # A piece at a time: a city has more accounts than holders of any one certificate.
        while piece := list(islice(held, PIECE)):
            # A child's certificate lies with the parent's account: whose page it is on is who is told.
            ids = sorted({int(account) for account, *_ in piece if account.isdigit()})
            owners = {str(each.pk): each.subject_id for each in identity.accounts(role="resident", ids=ids)}
            found = [
                (owners.get(account) or holder, number, claims) for account, holder, number, claims in piece
            ]
            own = _of_holders(rule, {subject_id for subject_id, *_ in found if subject_id})
            for subject_id, number, claims in found:
                if subject_id:
                    yield subject_id, number, {**claims, **own.get(subject_id, {})}


def _of_holders(rule: OfferRule, subject_ids: set[str]) -> dict[str, dict[str, Any]]:
    """Return what the rule holds against the certificates of these holders, by subject; nothing where it reads nothing."""
    names = rule.of_holder()
    if not names or not subject_ids:
        return {}
    people = subjects.people_with([f"person.{name}" for name in names], subject_ids)
    return {
        subject_id: {f"holder.{name}": values.get(f"person.{name}") for name in names}
        for subject_id, values in people
    }


def _offer(pack: Pack, run: OfferRun, free: list[tuple[str, str]], now: dt.datetime) -> int:
    """Make an offer to each who has none yet, answered or not; a declined one stays declined.

    One that has lapsed opens again: an application refused meanwhile, a build in which a table was missing.
    """
    known: dict[tuple[str, str], tuple[int, str]] = {
        (subject_id, about): (number, state)
        for number, subject_id, about, state in Offer.objects.filter(pack=pack.id)
        .values_list("pk", "subject_id", "about", "state")
        .iterator(chunk_size=5000)
    }
    wanted = list(dict.fromkeys(free))
    lapsed = [known[item][0] for item in wanted if item in known and known[item][1] == Offer.State.LAPSED]
    again = 0
    for start in range(0, len(lapsed), 500):
        rows = Offer.objects.filter(pk__in=lapsed[start : start + 500], state=Offer.State.LAPSED)
        again += rows.update(state=Offer.State.OPEN, answered_at=None, run=run)
    fresh = [item for item in wanted if item not in known]
    # Another process may offer the same at the same time: theirs stands, and nobody else's is lost for it.
    Offer.objects.bulk_create(
        [
            Offer(subject_id=subject_id, pack=pack.id, about=about, made_at=now, run=run)
            for subject_id, about in fresh
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )
    return len(fresh) + again


def _lapse(pack: Pack, entitled: set[tuple[str, str]], now: dt.datetime) -> None:
    """Take back open offers of those who are not entitled any more (or have it by now)."""
    for row in Offer.objects.filter(pack=pack.id, state=Offer.State.OPEN).iterator():
        if (row.subject_id, row.about) not in entitled:
            Offer.objects.filter(pk=row.pk, state=Offer.State.OPEN).update(
                state=Offer.State.LAPSED, answered_at=now
            )


def _tell(pack: Pack, rule: OfferRule, now: dt.datetime) -> None:
    """Tell those who have an account, once for each offer; whoever gets one later is told by the next search."""
    waiting = Offer.objects.filter(pack=pack.id, state=Offer.State.OPEN, told_at=None)
    body = {language: f"{rule.text[language]} {hint}" for language, hint in HINT.items()}
    last = 0
    # All of them, a piece at a time: those who have no account stay, and must not stand before the others.
    while rows := list(waiting.filter(pk__gt=last).order_by("pk")[:PIECE]):
        last = rows[-1].pk
        accounts = identity.accounts_of_subjects(sorted({row.subject_id for row in rows}))
        of_subject = {account.subject_id: account for account in accounts}
        for row in rows:
            if (account := of_subject.get(row.subject_id)) is not None:
                messages.tell(account, rule.title, body, key=f"offer:{row.pk}", now=now)
                Offer.objects.filter(pk=row.pk).update(told_at=now)
