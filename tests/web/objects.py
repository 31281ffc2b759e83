"""One object of each kind for an owner, made by the program's own code where that is short: what the matrix is tried on.

``KINDS[kind](world, owner)`` makes the object that ``owner`` holds. It returns what stands for it in the address and, under ROW,
the row that a press of a button changes: whoever is sent on without a change was not let in. Add a kind here when a new page
shows something that belongs to somebody, and say in ``authorisation.yaml`` under ``objects`` how far each role reaches.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.utils import timezone
from PIL import Image

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, Draft, EvidenceFile, Notice, PackVersion, PaymentOrder, Task
from chengshu.contexts.certificates import store as papers_of_certificates
from chengshu.contexts.certificates.models import Certificate, Document, Issue, Presentation, WalletCredential
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.exports import producing
from chengshu.contexts.hall.mandates import papers
from chengshu.contexts.hall.models import (
    ArchivePackage,
    AutomaticDecision,
    DataExport,
    Export,
    HotlineRequest,
    Item,
    Offer,
    OfferRun,
)
from chengshu.contexts.hall.mydata import export as copies
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.models import ApiToken, Mandate, Passkey, SignIn, WindowSession
from chengshu.contexts.messages.models import Message
from chengshu.contexts.places.models import CellCharge
from chengshu.contexts.subjects.models import (
    Consent,
    Correction,
    CurrentSnapshot,
    Dispute,
    GoldenRecord,
    Return,
    Run,
    SourceHalt,
)
from chengshu.interfaces.oidc import store as oidc
from chengshu.interfaces.oidc.models import Consent as SystemConsent
from chengshu.interfaces.oidc.models import OutsideIdentity
from chengshu.kernel import kept_files
from chengshu.kernel.resources import shipped
from chengshu.procedure.ports import Actor, EffectRequest, registry
from tests_support.casework import CELL, EMPTY_CELL, firm_facts, make_cells
from tests_support.engine_pack import OPINION, PERMIT, write_pack

Maker = Callable[[Any, Any], dict[str, Any]]
KINDS: dict[str, Maker] = {}
ROW = ""


def kind(name: str) -> Callable[[Maker], Maker]:
    """Enter a maker under the name that the table uses."""

    def entering(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return entering


def now() -> dt.datetime:
    return timezone.now()


def key() -> str:
    return uuid.uuid4().hex


def subject_of(owner: Any) -> str:
    """The person whom an account is; staff are nobody's record here."""
    return owner.subject_id or f"P9{owner.pk:07d}5"


@kind("case")
def a_case(world: Any, owner: Any) -> dict[str, Any]:
    """Grid worker: to verify in their cell. Officer: on their desk. Everyone else: they applied. One for each owner."""
    if owner.pk not in world.cases:
        world.cases[owner.pk] = open_case(world, owner)
    case_id = world.cases[owner.pk]
    return {"case_id": case_id, ROW: Case.objects.get(pk=case_id)}


def open_case(world: Any, owner: Any) -> str:
    if owner.role == "grid_worker":
        case_id = cases.open_case(
            "grid-verification",
            firm_facts(),
            cell_code=world.cells[owner.pk],
            idempotency_key=key(),
            now=now(),
        )
    else:
        department = owner.department_id if owner.role == "officer" else "market"
        opener = world.public if owner.role == "officer" else owner
        case_id = cases.open_case(
            f"permit-{department}", {"title": "甲"}, opened_by=opener, subject_id=opener.subject_id,
            idempotency_key=key(), now=now(),
        )  # fmt: skip
        if owner.role == "officer":
            cases.claiming.claim(case_id, owner, now())
    return str(case_id)


@kind("remark")
def a_case_to_remark_on(world: Any, owner: Any) -> dict[str, Any]:
    """A case; a remark on it does not change its row."""
    return {"case_id": a_case(world, owner)["case_id"]}


@kind("open-case")
def a_case_nobody_claimed(world: Any, owner: Any) -> dict[str, Any]:
    """In the queue of the owner's department."""
    department = owner.department_id or "market"
    case_id = cases.open_case(
        f"permit-{department}", {"title": "乙"}, opened_by=world.public, idempotency_key=key(), now=now()
    )
    return {
        "case_id": case_id,
        ROW: Task.objects.filter(case_id=case_id, open=True).exclude(owner="nobody").earliest("pk"),
    }


@kind("case-file")
def a_file_of_a_case(world: Any, owner: Any) -> dict[str, Any]:
    case_id = a_case(world, owner)["case_id"]
    stored = cases.files.store_files([cases.FileIn("a.png", world.png, "papers")], "image")[0]
    row = EvidenceFile.objects.create(
        case_id=case_id,
        seq=1,
        digest=stored.digest,
        name="a.png",
        media_type="image/png",
        size=stored.size,
        at=now(),
    )
    return {"case_id": case_id, "file_id": row.pk}


@kind("draft")
def a_draft(world: Any, owner: Any) -> dict[str, Any]:
    version = PackVersion.objects.get(pack="permit-market", current=True)
    row = Draft.objects.create(
        account=owner.pk,
        pack="permit-market",
        pack_version=version,
        body='{"title": "甲"}',
        made_at=now(),
        saved_at=now(),
    )
    return {"draft_id": row.pk, "pack": "permit-market"}


@kind("reminder")
def a_reminder(world: Any, owner: Any) -> dict[str, Any]:
    case = Case.objects.get(pk=a_case(world, owner)["case_id"])
    row = Notice.objects.create(
        owner=f"account:{owner.pk}", case=case, key=key(), text_zh="甲", text_en="One", at=now()
    )
    return {"notice_id": row.pk, ROW: row}


@kind("payment")
def a_payment(world: Any, owner: Any) -> dict[str, Any]:
    case = Case.objects.get(pk=a_case(world, owner)["case_id"])
    row = PaymentOrder.objects.create(
        case=case, key=key(), direction="out", amount=1, purpose="甲", ordered_at=now()
    )
    return {"order_id": row.pk}


@kind("message")
def a_message(world: Any, owner: Any) -> dict[str, Any]:
    row = Message.objects.create(
        owner=f"account:{owner.pk}", case_id=a_case(world, owner)["case_id"], key=key(), subject_zh="甲",
        subject_en="One", body_zh="甲", body_en="One", at=now(),
    )  # fmt: skip
    return {"message_id": row.pk}


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


@kind("archive")
def an_archive(world: Any, owner: Any) -> dict[str, Any]:
    row = ArchivePackage.objects.create(
        number=key()[:12], case_id=key()[:12], version=1, pack="permit", title_zh="甲", title_en="A", ground="甲",
        department=owner.department_id or "market", opened_at=now(), closed_at=now(),
    )  # fmt: skip
    return {"number": row.number}


@kind("export")
def an_export(world: Any, owner: Any) -> dict[str, Any]:
    digest = hashlib.sha256(key().encode()).hexdigest()
    path = kept_files.path_of(producing.folder(), digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a,b")
    row = Export.objects.create(
        number=key()[:12], kind="cases", account_id=owner.pk, actor_name=owner.display_name, purpose="case-work",
        reason="甲", fingerprint=key(), asked_at=now(), state="ready", digest=digest, ready_at=now(),
        expires_at=now() + dt.timedelta(days=1), leaf_id=1, leaf_salt="s",
    )  # fmt: skip
    return {"number": row.number}


@kind("guide")
def a_guide(world: Any, owner: Any) -> dict[str, Any]:
    row = Item.objects.get(pk=world.item)
    row.pk, row.department = key()[:20], owner.department_id or ""
    row.body = {**row.body, "code": row.pk, "department": row.department}
    row.save(force_insert=True)
    return {"code": row.pk}


@kind("hotline-request")
def a_hotline_request(world: Any, owner: Any) -> dict[str, Any]:
    case_id = a_case(world, owner)["case_id"]
    HotlineRequest.objects.create(
        case_id=case_id, kind="complaint", topic="environment", channel="phone", state="received", requested_at=now(),
        updated_at=now(),
    )  # fmt: skip
    return {"case_id": case_id}


@kind("decision")
def an_automatic_decision(world: Any, owner: Any) -> dict[str, Any]:
    case_id = a_case(world, owner)["case_id"]
    row = AutomaticDecision.objects.create(
        case_id=case_id, seq=1, pack="permit-market", step="refuse", department="market", at=now(), leaf_id=1
    )
    return {"case_id": case_id, ROW: row}


@kind("subject")
def a_subject(world: Any, owner: Any) -> dict[str, Any]:
    """A person who lives in the owner's cell."""
    subject_id = f"P8{uuid.uuid4().int % 10_000_000:07d}5"
    GoldenRecord.objects.create(
        subject_id=subject_id, kind="person", valid_from=world.run.number, name="张晓明",
        cell_code=world.cells.get(owner.pk, CELL), data={"person.name": "张晓明", "person.phone": "13800000000"},
    )  # fmt: skip
    return {"subject_id": subject_id, "element": "person.phone"}


def a_correction(world: Any, owner: Any) -> Correction:
    return Correction.objects.create(
        subject_id=world.people["resident"][0].subject_id, element="person.phone", value="1", previous="2",
        made_by=owner.display_name, made_by_account=owner.pk, made_at=now(), idempotency_key=key(),
    )  # fmt: skip


@kind("halted-source")
def a_halted_source(world: Any, owner: Any) -> dict[str, Any]:
    """A table that is halted; it is nobody's, so each owner has one of another name."""
    row = SourceHalt.objects.create(
        source=f"health.table-{uuid.uuid4().hex[:8]}",
        kind="down",
        reason="停机",
        since=timezone.now(),
        by=owner.display_name,
    )
    return {"source": row.source, ROW: row}


@kind("correction")
def a_correction_made(world: Any, owner: Any) -> dict[str, Any]:
    row = a_correction(world, owner)
    return {"correction_id": row.pk, ROW: row}


@kind("return")
def a_return(world: Any, owner: Any) -> dict[str, Any]:
    """A correction that goes back to the owner's department."""
    row = Return.objects.create(
        correction=a_correction(world, world.people["steward"][0]), department=owner.department_id or "market",
        source="market.firms", record_id="1", created_at=now(), due_on=timezone.localdate(),
    )  # fmt: skip
    return {"return_id": row.pk}


@kind("dispute")
def a_dispute(world: Any, owner: Any) -> dict[str, Any]:
    """A dispute that the owner's department decides."""
    row = Dispute.objects.create(
        subject_id=world.people["resident"][0].subject_id, element="person.phone", raised_by="甲", raised_at=now(),
        stage="source", decider=owner.department_id or "market", decide_by=timezone.localdate(), idempotency_key=key(),
    )  # fmt: skip
    return {"dispute_id": row.pk}


def make_world(folder: Any) -> Any:
    """Make three people of each role, two cells, two departments, and what the kinds need."""
    world = SimpleNamespace(people={}, cells={}, cases={}, certificates={}, png=_png())
    for code in ("market", "housing", "finance", "data-bureau"):
        identity.save_department(code, code, code)
    cases.load_pack_version(write_pack(folder / "opinion", OPINION), now())
    for code in ("market", "housing"):
        changes = [
            ("pack.yaml", "id: permit", f"id: permit-{code}"),
            ("states.yaml", "'market'", f"'{code}'"),
        ]
        cases.load_pack_version(write_pack(folder / f"permit-{code}", PERMIT, *changes), now())
    cases.load_pack_version(shipped("packs", "cn", "grid-verification"), now())
    make_cells()
    world.run = Run.objects.create(run_id="r1", state=Run.State.PUBLISHED, started_at=now())
    CurrentSnapshot.objects.create(pk=1, run=world.run, published_at=now())
    number = 0
    for role in identity.ALL_ROLES:
        world.people[role] = []
        for place in ("market", "market", "housing"):
            number += 1
            subject = f"P00000001{number:02d}7" if role == "resident" else ""
            person = identity.save_account(
                f"{role}-{number}", display_name=f"某{number}", role=role, subject_id=subject,
                department=None if role == "resident" else place,
            )  # fmt: skip
            if subject:
                GoldenRecord.objects.create(
                    subject_id=subject, kind="person", valid_from=world.run.number, name=f"某{number}",
                    data={"person.name": f"某{number}", "person.phone": "13800000000"},
                )  # fmt: skip
            person.refresh_from_db()
            world.people[role].append(person)
    world.public = identity.save_account(
        "public", display_name="公众", role="resident", subject_id="P0000000997"
    )
    mine, peer, stranger = world.people["grid_worker"]
    for worker, cell in ((mine, CELL), (peer, EMPTY_CELL), (stranger, EMPTY_CELL)):
        world.cells[worker.pk] = cell
    for worker, cell in ((mine, CELL), (peer, EMPTY_CELL)):
        CellCharge.objects.create(cell_id=cell, account=worker, post="main", first_day=dt.date(2026, 1, 1))
    world.system = oidc.add_system(
        "甲系统", purpose="乙", redirect_uris=["https://a.example/"], scopes=[], actor=None, now=now()
    ).system
    items = hall.load_items(shipped("districts", "baoan", "items", "own.yaml").parent, now=now())
    assert items is not None
    world.item = Item.objects.exclude(body={}).earliest("pk").pk
    for role in ("resident", "officer"):
        for person in world.people[role]:
            issued(world, person)
    return world


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return out.getvalue()
