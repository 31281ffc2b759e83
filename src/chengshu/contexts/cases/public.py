"""What anyone who is signed in may do with a case without seeing its file: the steps that a pack gives to the public."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, rows, store
from chengshu.contexts.cases.domain import FileIn
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseEvent
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.machine import allowed
from chengshu.procedure.model import Pack, Transition
from chengshu.procedure.ports import Actor

MOST_A_DAY = 20


@dataclass(frozen=True, slots=True)
class PublicReceipt:
    """What a member of the public gets for a step: its place in the ledger, and the cases that it opened for them."""

    case_id: str
    seq: int
    at: dt.datetime
    leaf_id: int
    opened: tuple[str, ...]


def public_commands(case_id: str, account: Account, now: dt.datetime) -> list[Transition]:
    """Return the steps that a member of the public may take on this case now."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    actor = Actor(str(account.pk), account.display_name, _public_roles(pack))
    return allowed(pack, row.case(pack.id), actor, now) if actor.roles else []


def public_command(
    case_id: str,
    name: str,
    data: Mapping[str, Any],
    *,
    actor: Account,
    now: dt.datetime,
    idempotency_key: str,
    files_in: Sequence[FileIn] = (),
) -> PublicReceipt:
    """Take a step that the pack gives to the public. The case file stays closed to them."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    roles = _public_roles(pack)
    steps = pack.steps.get((row.state, name), ())
    if not any(step.by & roles for step in steps):
        raise Problem(
            "command-not-now", _("这个办件现在不接受公众提交"), detail=case_id, status=409,
            remedy=_("请查看公示是否已经结束"),
        )  # fmt: skip
    key = f"{actor.pk}:{idempotency_key}"[: store.MAX_KEY]
    _not_too_often(case_id, actor, now, store.own_key(key, actor))
    done = store.each_conflict_once(
        lambda: store.command(
            case_id, name, data, actor=actor, now=now, idempotency_key=key,
            files_in=files_in,
        )
    )  # fmt: skip
    event = CaseEvent.objects.get(case_id=case_id, seq=done.seq)
    mine = CaseModel.objects.filter(parent_id=case_id, opened_by=str(actor.pk), opened_at=event.at)
    return PublicReceipt(case_id, done.seq, event.at, event.leaf_id, tuple(mine.values_list("pk", flat=True)))


def _public_roles(pack: Pack) -> frozenset[str]:
    return frozenset(name for name, role in pack.roles.items() if role.holder == "public")


def _not_too_often(case_id: str, actor: Account, now: dt.datetime, key: str) -> None:
    """One account does not bury a case under objections; a call sent again gets its receipt again."""
    mine = CaseEvent.objects.filter(case_id=case_id, actor=str(actor.pk))
    often = mine.filter(at__gt=now - dt.timedelta(days=1)).count() >= MOST_A_DAY
    if often and not mine.filter(idempotency_key=key).exists():
        raise Problem("too-often", _("提交过于频繁，请明天再试"), detail=case_id, status=429)
