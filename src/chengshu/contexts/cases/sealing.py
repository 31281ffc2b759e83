"""Personal values apart from events: salted, digested, erasable."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from chengshu.contexts.cases import endings, files, rows
from chengshu.contexts.cases.models import CaseComment, EvidenceFile, Job, PaymentOrder, PersonalPayload
from chengshu.contexts.cases.sql import dump
from chengshu.kernel.problems import Problem

SALT_BYTES = 16


def seal(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return (digest for the event, salt, body for the side table)."""
    salt, body = secrets.token_bytes(SALT_BYTES), dump(values)
    return hashlib.sha256(salt + body.encode()).hexdigest(), salt.hex(), body


def unseal(case_id: str, seq: int) -> dict[str, Any]:
    """Return the personal values of an event; none when it had none. Raises when they were erased."""
    found = rows.payload(case_id, seq)
    if found is None:
        return {}
    body, erased = found
    if erased:
        raise Problem(
            "personal-values-erased",
            "The personal values of this case were erased; this step needs them",
            detail=case_id,
            status=410,
        )
    values: dict[str, Any] = json.loads(body)
    return values


def personal_facts(case_id: str) -> dict[str, Any]:
    """Return the personal facts that a case was opened with; none when they were erased."""
    found = rows.payload(case_id, 1)
    return unseal(case_id, 1) if found and not found[1] else {}


def matches(digest: str, salt: str, body: str) -> bool:
    """Return whether a side-table row is the one that an event names."""
    return hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest() == digest


@transaction.atomic
def erase_personal(case_id: str, now: dt.datetime) -> int:
    """Erase a case's personal values and files. Its events still fold, its leaves still verify. Returns how many."""
    waiting = PersonalPayload.objects.filter(case_id=case_id, erased_at=None)
    number = waiting.update(body="", salt="", erased_at=now)
    papers = EvidenceFile.objects.filter(case_id=case_id, erased_at=None)
    digests = set(papers.values_list("digest", flat=True))
    number += papers.update(erased_at=now, name="")
    # The bytes go when the rows are gone for good: a file cannot be rolled back.
    transaction.on_commit(partial(_drop, digests))
    Job.objects.filter(case_id=case_id, state=Job.State.DEAD).update(payload="{}", last_error="")
    number += CaseComment.objects.filter(case_id=case_id, erased_at=None).update(
        text="", author="", erased_at=now
    )
    # What the treasury must keep stays in its own books; here only the amount, the state and the reference remain.
    number += PaymentOrder.objects.filter(case_id=case_id, erased_at=None).update(
        payee="", account="", erased_at=now
    )
    return number + endings.tell_erased(case_id, now)


def _drop(digests: set[str]) -> None:
    for digest in digests:
        files.drop_unused(digest)
