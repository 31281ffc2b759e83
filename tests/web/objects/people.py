"""What a person has of their own: ways to sign in, consents, looks, copies, offers, mandates, visits to the window."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from chengshu.contexts.hall.mandates import papers
from chengshu.contexts.hall.models import (
    DataExport,
    Offer,
    OfferRun,
)
from chengshu.contexts.hall.mydata import export as copies
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.models import ApiToken, Mandate, Passkey, SignIn, WindowSession
from chengshu.contexts.subjects.models import (
    Consent,
)
from chengshu.interfaces.oidc.models import Consent as SystemConsent
from chengshu.interfaces.oidc.models import OutsideIdentity
from chengshu.kernel import kept_files
from objects.base import ROW, key, kind, now


def subject_of(owner: Any) -> str:
    """The person whom an account is; staff are nobody's record here."""
    return owner.subject_id or f"P9{owner.pk:07d}5"


@kind("token")
def a_token(world: Any, owner: Any) -> dict[str, Any]:
    made = identity.make_token(owner, "甲", ["cases:read"], dt.timedelta(days=1), now())
    return {"token_id": made.id, ROW: ApiToken.objects.get(pk=made.id)}


@kind("passkey")
def a_passkey(world: Any, owner: Any) -> dict[str, Any]:
    row = Passkey.objects.create(
        account=owner, credential=key(), credential_digest=key(), public_key="x", name="甲", made_at=now()
    )
    return {"passkey_id": row.pk, ROW: row}


@kind("session")
def a_session(world: Any, owner: Any) -> dict[str, Any]:
    row = SignIn.objects.create(
        account=owner, session_key=key()[:32], device="甲", network="10.0.0", since=now(), last_seen_at=now()
    )
    return {"sign_in_id": row.pk, ROW: row}


@kind("allowed-system")
def an_allowed_system(world: Any, owner: Any) -> dict[str, Any]:
    row = SystemConsent.objects.create(account=owner, system=world.system, scopes=["openid"], given_at=now())
    return {"consent_id": row.pk, ROW: row}


@kind("outside-identity")
def an_outside_identity(world: Any, owner: Any) -> dict[str, Any]:
    row = OutsideIdentity.objects.create(provider="x", subject=key(), account=owner, linked_at=now())
    return {"identity_id": row.pk, ROW: row}


@kind("read")
def a_read(world: Any, owner: Any) -> dict[str, Any]:
    read = identity.record_read(owner, owner.subject_id, "own-data", ["person.name"], now())
    return {"read_id": read.id}


@kind("consent")
def a_consent(world: Any, owner: Any) -> dict[str, Any]:
    row = Consent.objects.create(
        subject_id=subject_of(owner), pack="permit-market", purpose_zh="甲", purpose_en="One", scope="case",
        until=now() + dt.timedelta(days=9), given_at=now(), given_by=owner.display_name, given_by_account=owner.pk,
        given_how="self",
    )  # fmt: skip
    return {"consent_id": row.pk}


@kind("data-copy")
def a_copy_of_ones_data(world: Any, owner: Any) -> dict[str, Any]:
    row = DataExport.objects.create(
        subject_id=owner.subject_id,
        account=owner.pk,
        account_name=owner.display_name,
        how="self",
        asked_at=now(),
    )
    copies.make_copies(now())
    return {"copy_id": row.pk}


@kind("offer")
def an_offer(world: Any, owner: Any) -> dict[str, Any]:
    run = OfferRun.objects.create(pack="permit-market", version="1", run_id="r", at=now())
    row = Offer.objects.create(
        subject_id=owner.subject_id, pack="permit-market", about=key(), made_at=now(), run=run
    )
    return {"offer_id": row.pk}


def a_mandate(principal: Any, agent: Any) -> Mandate:
    today = timezone.localdate()
    return Mandate.objects.create(
        principal_id=principal.subject_id, principal_name=principal.display_name, agent=agent, every_matter=True,
        valid_from=today, valid_to=today + dt.timedelta(days=30), given_by=principal,
        given_by_name=principal.display_name, offered_at=now(),
        evidence=kept_files.keep(papers.folder(), b"%PDF-1.7"), evidence_name="a.pdf",
    )  # fmt: skip


@kind("mandate-given")
def a_mandate_given(world: Any, owner: Any) -> dict[str, Any]:
    return {"mandate_id": a_mandate(owner, world.public).pk}


@kind("mandate-received")
def a_mandate_received(world: Any, owner: Any) -> dict[str, Any]:
    return {"mandate_id": a_mandate(world.public, owner).pk}


@kind("window-session")
def a_window_session(world: Any, owner: Any) -> dict[str, Any]:
    """Of the person who was served, or of the clerk who served."""
    clerk = owner if owner.role == "clerk" else world.people["clerk"][0]
    subject = owner.subject_id if owner.role == "resident" else world.public.subject_id
    if owner.role == "clerk" and (
        serving := WindowSession.objects.filter(clerk=clerk, ended_at=None).first()
    ):
        return {"session_id": serving.pk}
    row = WindowSession.objects.create(
        clerk=clerk, subject_id=subject, shown_name="张*", ground="proxy", started_at=now(),
        evidence=kept_files.keep(papers.folder(), b"%PDF-1.7"), evidence_name="a.pdf",
        ends_at=now() + dt.timedelta(minutes=30), ended_at=None if owner.role == "clerk" else now(),
    )  # fmt: skip
    return {"session_id": row.pk}


@kind("served-mandate")
def a_served_mandate(world: Any, owner: Any) -> dict[str, Any]:
    """The clerk serves a person of their own, who has given a mandate."""
    session = WindowSession.objects.get(pk=a_window_session(world, owner)["session_id"])
    WindowSession.objects.filter(pk=session.pk).update(
        subject_id=f"P90000000{owner.pk % 100:02}", ground=WindowSession.Ground.PRESENT
    )
    row = a_mandate(world.public, world.public)
    Mandate.objects.filter(pk=row.pk).update(principal_id=f"P90000000{owner.pk % 100:02}")
    return {"mandate_id": row.pk}
