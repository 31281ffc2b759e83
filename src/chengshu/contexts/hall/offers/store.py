"""Offers as the person sees them, taken up and declined; figures for statistics, without people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.offers.models import Offer, OfferRun
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.procedure.offers import OfferRule, read_offer

Said = Mapping[str, str]
# Fewer people than this are not counted out: a small number points at somebody.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class MyOffer:
    """An offer on the page of the one person who sees it."""

    id: int
    pack: str
    title: Said
    text: Said
    grounds: list[Said]
    elements: list[str]
    about: str
    state: str
    made_at: dt.datetime
    answered_at: dt.datetime | None
    case_id: str

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state == Offer.State.OPEN


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of a pack's offers; ``None`` where the number is too small to tell."""

    pack: str
    title: Said
    made: int | None
    accepted: int | None
    declined: int | None
    runs: int
    last: dt.datetime | None


def rule_of(pack_id: str) -> tuple[Pack, OfferRule] | None:
    """Return the rule by which a pack is offered, if it has one."""
    pack = cases.current_pack(pack_id)
    rule = read_offer(pack, cases.current_files(pack_id))
    return (pack, rule) if rule is not None else None


def offers_of(subject_id: str) -> list[MyOffer]:
    """Return one person's offers, newest first."""
    if not subject_id:
        return []
    rows = Offer.objects.filter(subject_id=subject_id).select_related("run").order_by("-pk")[:50]
    rules: dict[str, tuple[Pack, OfferRule] | None] = {}
    found = []
    for row in rows:
        if row.pack not in rules:
            rules[row.pack] = rule_of(row.pack)
        known = rules[row.pack]
        if known is None:
            continue
        pack, rule = known
        found.append(
            MyOffer(
                row.pk, row.pack, rule.title, rule.text, [pack.place(key) for key in rule.cite],
                list(row.run.elements), row.about, row.state, row.made_at, row.answered_at, row.case_id,
            )
        )  # fmt: skip
    return found


def accept(account: Account, offer_id: int, now: dt.datetime) -> str:
    """Take an offer up; returns where the prefilled application is."""
    with transaction.atomic():
        row = _mine(account, offer_id)
        if row.state == Offer.State.OPEN:
            row.state, row.answered_at = Offer.State.ACCEPTED, now
            row.save(update_fields=["state", "answered_at"])
            _note("offer-accepted", row, now)
    return where(row.pack)


def where(pack: str) -> str:
    """Return the page on which one applies for a pack: the hall's journey, else the form."""
    try:
        return reverse("apply:start", args=[pack])
    except NoReverseMatch:
        return reverse("services:service", args=[pack])


def decline(account: Account, offer_id: int, now: dt.datetime) -> None:
    """Decline an offer; the next search does not bring it back."""
    with transaction.atomic():
        row = _mine(account, offer_id)
        if row.state == Offer.State.OPEN:
            row.state, row.answered_at = Offer.State.DECLINED, now
            row.save(update_fields=["state", "answered_at"])
            _note("offer-declined", row, now)


def _mine(account: Account, offer_id: int) -> Offer:
    row = Offer.objects.select_for_update().filter(pk=offer_id, subject_id=account.subject_id or "-").first()
    if row is None:
        raise Problem("offer-unknown", _("没有这项推送"), detail=str(offer_id), status=404)
    return row


def _note(kind: str, row: Offer, now: dt.datetime) -> None:
    ledger.deposit(
        kind, f"offer:{row.pk}", {"offer": str(row.pk), "pack": row.pack, "state": row.state}, now=now
    )


def figures() -> list[Figures]:
    """Return what became of offers by pack: numbers only, small ones withheld."""
    counts: dict[str, dict[str, int]] = {}
    for pack, state, number in (
        Offer.objects.order_by()
        .values_list("pack", "state")
        .annotate(n=Count("pk"))
        .values_list("pack", "state", "n")
    ):
        counts.setdefault(pack, {})[state] = number
    found = []
    for pack, states in sorted(counts.items()):
        runs = OfferRun.objects.filter(pack=pack).order_by("-at")
        known = cases.current_pack(pack)
        last = runs.first()
        found.append(
            Figures(
                pack, {"zh": known.title(), "en": known.title("en")}, _told(sum(states.values())),
                _told(states.get("accepted", 0)), _told(states.get("declined", 0)), runs.count(),
                last.at if last else None,
            )
        )  # fmt: skip
    return found


def _told(number: int) -> int | None:
    return number if number >= FEWEST or number == 0 else None


def follow_case(step: cases.StepTaken) -> None:
    """Tie an offer that was taken up to the case that came of it; one applied for without it counts as taken up too."""
    if step.event["seq"] != 1 or not step.case.opened_by.isdigit():
        return
    whose = str((step.event.get("on_behalf") or {}).get("subject_id") or "")
    if not whose:
        opener = Account.objects.filter(pk=int(step.case.opened_by)).exclude(subject_id="")
        mine = Offer.objects.filter(subject_id__in=opener.values("subject_id"))
    else:
        mine = Offer.objects.filter(subject_id=whose)
    rows = list(
        mine.filter(
            pack=step.case.pack, case_id="", state__in=[Offer.State.ACCEPTED, Offer.State.OPEN]
        ).order_by("-answered_at", "pk")[:20]
    )
    taken_up = [row for row in rows if row.state == Offer.State.ACCEPTED]
    # Of several that nobody answered (two children) none is guessed at: what is applied for lapses by its key.
    row = taken_up[0] if taken_up else rows[0] if len(rows) == 1 else None
    if row is not None:
        Offer.objects.filter(pk=row.pk).update(
            case_id=step.case.id, state=Offer.State.ACCEPTED, answered_at=row.answered_at or step.now
        )
