"""REST calls of mandates: who acts for me, for whom I act; offer, accept, decline, revoke.

A call that acts for another names the mandate in the header ``X-Mandate``; without it one acts for oneself.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Path, Router, Schema

from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.wording import SAID, TEXT, refused

router = Router(tags=["mandates"])
TRIES = identity.Rate(capacity=10, per_second=1 / 60)
# What both databases hold as a key.
Number = Annotated[int, Path(..., ge=1, le=2**63 - 1)]
READ, WRITE = guard("resident", scope="mandates:read"), guard("resident", scope="mandates:write")


class MandateOut(Schema):
    """A mandate as it stands today."""

    id: int
    principal_id: str
    principal_name: str
    agent_name: str
    side: Literal["principal", "agent"] = Field(description="Which side of it the caller is.")
    basis: str
    packs: list[str] = Field(description="Matters covered; empty where it covers every one.")
    every_matter: bool
    valid_from: dt.date
    valid_to: dt.date
    standing: str = Field(
        description="offered, accepted, refused, revoked; by its days also later, ended; lapsed when a side died or is wound up."
    )
    in_force: bool
    reason: str


class MandatesOut(Schema):
    """Mandates in both directions, newest first."""

    items: list[MandateOut]
    firms: list[str] = Field(
        description="Firms that the record says the caller legally represents: no mandate needed."
    )


class MandateIn(Schema):
    """A mandate to offer."""

    agent: str = Field(
        min_length=1, max_length=60, pattern=SAID, description="User name of whoever is to act."
    )
    agent_name: str = Field(
        min_length=1, max_length=80, pattern=SAID, description="Their name, to be sure that it is them."
    )
    firm: str = Field(
        "", max_length=20, description="A firm that the caller legally represents; empty for oneself."
    )
    packs: list[str] = Field([], max_length=100)
    every_matter: bool = False
    valid_from: dt.date | None = Field(None, description="Today when it is not given.")
    valid_to: dt.date


class ReasonIn(Schema):
    """Why."""

    reason: str = Field("", max_length=300, pattern=TEXT)


@router.get("", auth=READ, response=MandatesOut, summary="Mandates given and received")
def list_mandates(request: HttpRequest) -> MandatesOut:
    """Return the caller's mandates, given and received."""
    me, now = request.auth, timezone.now()  # type: ignore[attr-defined]
    firms = [firm.subject_id for firm in identity.represented(me)]
    given = mandates.from_subjects([me.subject_id, *firms])
    received = mandates.to_me(me)
    lines = [(row, "agent") for row in received] + [(row, "principal") for row in given]
    newest = sorted(lines, key=lambda line: -line[0].pk)
    over = mandates.ended_with([row for row, _ in newest], now)
    return MandatesOut(items=[_out(row, side, now, over) for row, side in newest], firms=firms)


def _out(
    row: identity.Mandate, side: str, now: dt.datetime, over: frozenset[int] = frozenset()
) -> MandateOut:
    standing = mandates.standing(row, now, over)
    return MandateOut(
        id=row.pk,
        principal_id=row.principal_id,
        principal_name=row.principal_name,
        agent_name=row.agent.display_name,
        side=side,
        basis=row.basis,
        packs=row.scope,
        every_matter=row.every_matter,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        standing=standing,
        in_force=standing == "accepted",
        reason=row.reason,
    )


@router.post(
    "",
    auth=WRITE,
    response={201: MandateOut},
    summary="Offer a mandate",
    openapi_extra=refused("No such person, firm or matter, or days that cannot be"),
)
def offer(request: HttpRequest, body: MandateIn) -> tuple[int, MandateOut]:
    """Offer a mandate for oneself or for a firm that one represents; it holds once the agent accepts it."""
    me, now = request.auth, timezone.now()  # type: ignore[attr-defined]
    identity.take_from_bucket("mandate", str(me.pk), TRIES, time.time())
    agent = mandates.agent_named(body.agent, body.agent_name, now)
    first = body.valid_from or timezone.localdate(now)
    terms = identity.Terms(tuple(body.packs), body.every_matter, first, body.valid_to)
    row = mandates.offer(mandates.principal_for(me, body.firm), agent, terms, by=me, now=now)
    return 201, _out(row, "principal", now)


@router.post("/{mandate_id}/accept", auth=WRITE, response=MandateOut, summary="Accept a mandate")
def accept(request: HttpRequest, mandate_id: Number) -> MandateOut:
    """Accept a mandate that was offered to the caller."""
    now = timezone.now()
    return _out(mandates.accept(mandate_id, request.auth, now), "agent", now)  # type: ignore[attr-defined]


@router.post("/{mandate_id}/refuse", auth=WRITE, response=MandateOut, summary="Decline a mandate")
def refuse(request: HttpRequest, mandate_id: Number, body: ReasonIn) -> MandateOut:
    """Decline a mandate that was offered to the caller."""
    now = timezone.now()
    return _out(mandates.refuse(mandate_id, request.auth, body.reason, now), "agent", now)  # type: ignore[attr-defined]


@router.post("/{mandate_id}/revoke", auth=WRITE, response=MandateOut, summary="Revoke a mandate")
def revoke(request: HttpRequest, mandate_id: Number, body: ReasonIn) -> MandateOut:
    """End a mandate from either side; it holds no longer from this moment."""
    me, now = request.auth, timezone.now()  # type: ignore[attr-defined]
    row = mandates.revoke(mandate_id, me, body.reason, now)
    return _out(row, "agent" if row.agent_id == me.pk else "principal", now)
