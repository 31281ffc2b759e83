"""Certificates and documents, and what is shown of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import store as papers_of_certificates
from chengshu.contexts.certificates.models import Certificate, Document, Issue, Presentation, WalletCredential
from chengshu.contexts.identity import api as identity
from chengshu.procedure.ports import Actor, EffectRequest, registry
from objects.base import ROW, key, kind, now
from objects.matters import a_case


def issue(world: Any, owner: Any) -> Certificate:
    """Issue a training certificate to the owner, or by the officer's department to somebody else; its files are made at once."""
    officer = owner.role == "officer"
    case_id = a_case(world, owner)["case_id"]
    params = {
        "type": "training", "holder": "张晓明", "valid_from": timezone.localdate(),
        "department": owner.department_id if officer else "market",
        "claims": {"name": "张晓明", "course": "消防设施操作", "birth_date": "1990-01-05"},
    }  # fmt: skip
    request = EffectRequest(
        case_id, "issue_certificate", params, {}, {}, Actor("system", "系统"), now(), key()
    )
    with transaction.atomic():
        done = registry.effect_handler("issue_certificate")(request)
    cases.run_jobs(now() + dt.timedelta(seconds=1))
    return Certificate.objects.get(number=done["certificate"])


def issued(world: Any, owner: Any) -> Certificate:
    """The certificate of a resident or of an officer's department; other staff look at a resident's."""
    place = world.people[owner.role].index(owner)
    holder = owner if owner.role in ("resident", "officer") else world.people["resident"][place]
    if holder.pk not in world.certificates:
        world.certificates[holder.pk] = issue(world, holder)
    return world.certificates[holder.pk]


@kind("certificate")
def a_certificate(world: Any, owner: Any) -> dict[str, Any]:
    found = issued(world, owner)
    return {"number": found.number, "case_id": found.case_id}


@kind("presentation")
def a_presentation(world: Any, owner: Any) -> dict[str, Any]:
    """Shown by whoever holds the certificate."""
    certificate = issued(world, owner)
    holder = identity.account(int(certificate.holder_account))
    row = Presentation.objects.create(
        token=key(), issue=Issue.objects.filter(certificate=certificate).latest("pk"), account=holder.pk,
        audience="甲", disclosed=["name"], nonce="n", text="a~b~", made_at=now(),
        expires_at=now() + dt.timedelta(minutes=9), leaf_id=1, leaf_salt="s",
    )  # fmt: skip
    return {"presentation_id": row.pk, ROW: row}


@kind("wallet-credential")
def a_wallet_credential(world: Any, owner: Any) -> dict[str, Any]:
    certificate = issued(world, owner)
    last = Issue.objects.filter(certificate=certificate).latest("pk")
    row = WalletCredential.objects.create(
        issue=last, holder_kid=key(), status_list=last.status_list, status_index=9_000 + owner.pk,
        notification=key(), issued_at=now(),
    )  # fmt: skip
    return {"number": certificate.number, "credential_id": row.pk, ROW: row}


@kind("document")
def a_document(world: Any, owner: Any) -> dict[str, Any]:
    row = Document.objects.create(
        case_id=a_case(world, owner)["case_id"], template="decision", title_zh="甲", number=key()[:12],
        department=owner.department_id or "market", key=key(), asked_at=now(),
        pdf_digest=papers_of_certificates.keep(b"%PDF-1.7"), pdf_size=8, made_at=now(),
    )  # fmt: skip
    return {"document_id": row.pk}
