"""Money in cases: what a case asks for and what it pays out, in fen, until a finance officer notes that it moved.

Nothing here moves money. ``request_fee`` and ``order_payment`` write an order in the step's own transaction; officers
of the finance department note payment with its reference; the case then gets its ``on_paid`` command from the outbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from chengshu.contexts.cases import jobs, packs, rows
from chengshu.contexts.cases.models import PaymentOrder
from chengshu.contexts.cases.sql import sql
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.money import yuan
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import EffectRequest

FINANCE = "finance"
LEDGER_KIND = "case.payment"
MAX_AMOUNT = 10**13
PAGE = 20
IN, OUT = PaymentOrder.Direction.IN, PaymentOrder.Direction.OUT
State = PaymentOrder.State
_CANCEL = "UPDATE cases_paymentorder SET state = %s, settled_at = %s WHERE case_id = %s AND direction = %s AND state = %s"


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """An order in a list."""

    id: int
    case_id: str
    direction: str
    amount: int
    payee: str
    account: str
    purpose: str
    state: str
    ordered_at: dt.datetime
    settled_at: dt.datetime | None
    reference: str
    reason: str

    @property
    def yuan(self) -> str:
        """The amount as people write it."""
        return yuan(self.amount)


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One page of orders, with number and sum of each state over all of them."""

    rows: list[PaymentLine]
    total: int
    page: int
    pages: int
    sums: Mapping[str, tuple[int, int]]


def request_fee_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Ask the applicant for a fee; its payment brings the pack's command ``on_paid``."""
    return _order(request, IN, "", "", str(request.params.get("on_paid") or ""))


def order_payment_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Order money to be paid out; the case hears of it where it has the command ``paid``."""
    params = request.params
    return _order(request, OUT, str(params["payee"]), str(params.get("account") or ""), "paid")


def _order(
    request: EffectRequest, direction: str, payee: str, account: str, on_paid: str
) -> Mapping[str, Any]:
    amount = request.params["amount"]
    if not isinstance(amount, int) or not 0 < amount <= MAX_AMOUNT:
        raise Problem("payment-amount", _("金额须大于零"), detail=str(amount), status=422)
    row, _made = PaymentOrder.objects.get_or_create(
        key=request.idempotency_key,
        defaults={
            "case_id": request.case_id, "direction": direction, "amount": amount, "payee": payee[:200],
            "account": account[:80], "purpose": str(request.params["purpose"])[:200], "on_paid": on_paid,
            "ordered_at": request.now,
        },
    )  # fmt: skip
    return {"payment": str(row.pk)}


def may_settle(account: Account) -> bool:
    """Return whether an account notes payments: officers of the finance department."""
    return account.role == "officer" and account.department_id == FINANCE


def may_list(account: Account) -> bool:
    """Return whether an account sees the list of payments: finance, and the operator who supervises."""
    return may_settle(account) or account.role == "operator"


def mark_paid(order_id: int, actor: Account, reference: str, now: dt.datetime) -> PaymentLine:
    """Note that the money of an order moved, under the bank's or treasury's reference."""
    said = reference.strip()
    if not said or len(said) > 120:
        raise _needs("reference", _("请填写支付凭证号"))
    return _settle(order_id, actor, State.PAID, said, "", now)


def mark_failed(order_id: int, actor: Account, reason: str, now: dt.datetime) -> PaymentLine:
    """Note that an order was sent back; it can be paid again later, the case hears of payment only."""
    said = reason.strip()
    if not said or len(said) > 300:
        raise _needs("reason", _("请写明退回的原因"))
    return _settle(order_id, actor, State.FAILED, "", said, now)


def _settle(
    order_id: int, actor: Account, state: str, reference: str, reason: str, now: dt.datetime
) -> PaymentLine:
    if not may_settle(actor):
        raise Problem("payment-not-yours", _("只有财政经办人员可以登记支付"), status=403)
    with transaction.atomic():
        row = PaymentOrder.objects.select_for_update().filter(pk=order_id).first()
        if row is None:
            raise Problem("payment-unknown", _("没有这笔款项"), detail=str(order_id), status=404)
        if row.state == state == State.PAID and row.reference == reference:
            return _line(row)
        if row.state not in (State.ORDERED, State.FAILED):
            raise Problem("payment-settled", _("这笔款项已经办结"), detail=row.state, status=409)
        if str(actor.pk) in (row.case.opened_by, row.case.assignee):
            raise Problem("own-work", _("不能登记本人办件的支付"), status=403)
        row.state, row.reference, row.reason = state, reference, reason
        row.settled_at, row.settled_by = now, str(actor.pk)
        row.save(update_fields=["state", "reference", "reason", "settled_at", "settled_by"])
        said = {
            "order": str(row.pk),
            "state": state,
            "amount": row.amount,
            "reference": reference,
            "by": str(actor.pk),
        }
        ledger.deposit(LEDGER_KIND, f"case:{row.case_id}", said, now=now)
        if state == State.PAID:
            _tell_case(row, now)
        return _line(row)


def _tell_case(row: PaymentOrder, now: dt.datetime) -> None:
    """Send the case its command, where its pack has one: out of the outbox, so that a busy case does not stop finance."""
    case = rows.lock_free(row.case_id)
    pack = packs.pinned(case.pack_version_id, case.pack_hash).pack
    if row.on_paid not in pack.commands():
        return
    data = {
        "order": str(row.pk),
        "amount": row.amount,
        "reference": row.reference,
        "paid_on": now.isoformat(),
    }
    jobs.enqueue_command(row.case_id, row.on_paid, data, f"paid:{row.pk}", now)


def case_ended(case_id: str, _pack: str, _outcome: str, now: dt.datetime) -> None:
    """Cancel the fees that an ended case still asked for; what it ordered to be paid out stays ordered."""
    # Plain SQL: this runs in every last step, and mostly finds nothing.
    db = sql()
    db.run(_CANCEL, (State.CANCELLED.value, db.instant(now), case_id, IN.value, State.ORDERED.value))


def payments_of(case_id: str) -> list[PaymentLine]:
    """Return the orders of a case, oldest first."""
    return [_line(row) for row in PaymentOrder.objects.filter(case_id=case_id).order_by("pk")]


def payment_orders(
    account: Account, *, state: str = "", direction: str = "", page: int = 1, size: int = PAGE
) -> PaymentPage:
    """Return one page of orders, the oldest open ones first, for finance and the operator."""
    found = _narrowed(account, state, direction)
    sums = {
        item["state"]: (item["number"], item["sum"] or 0)
        for item in found.order_by().values("state").annotate(number=Count("pk"), sum=Sum("amount"))
    }
    total = sum(number for number, _sum in sums.values())
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    chosen = found.order_by("ordered_at", "pk")[(page - 1) * size : page * size]
    return PaymentPage([_line(row) for row in chosen], total, page, pages, sums)


def _narrowed(account: Account, state: str, direction: str) -> QuerySet[PaymentOrder]:
    if not may_list(account):
        raise Problem("payment-not-yours", _("只有财政经办人员可以查看款项"), status=403)
    found = PaymentOrder.objects.all()
    if state:
        found = found.filter(state=state)
    return found.filter(direction=direction) if direction else found


def _line(row: PaymentOrder) -> PaymentLine:
    return PaymentLine(
        row.pk, row.case_id, row.direction, row.amount, row.payee, row.account, row.purpose, row.state, row.ordered_at,
        row.settled_at, row.reference, row.reason,
    )  # fmt: skip


def _needs(field: str, text: str) -> Problem:
    return Problem("form-invalid", text, status=422, errors={field: {"code": "required", "text": text}})
