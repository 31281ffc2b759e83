"""Cases and what hangs on them: files, drafts, orders of money, messages, calls, exports, archives."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, Draft, EvidenceFile, Notice, PackVersion, PaymentOrder, Task
from chengshu.contexts.hall.exports import producing
from chengshu.contexts.hall.models import (
    ArchivePackage,
    AutomaticDecision,
    Export,
    HotlineRequest,
    Item,
)
from chengshu.contexts.messages.models import Message
from chengshu.kernel import kept_files
from objects.base import ROW, key, kind, now
from tests_support.casework import firm_facts


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
