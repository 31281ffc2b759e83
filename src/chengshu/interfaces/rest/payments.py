"""REST calls of the finance department: orders of fees and payments, and what became of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from chengshu.contexts.cases import api as cases
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.wording import SAID, Number

payments = Router(tags=["payments"])


class SentBackIn(Schema):
    """Why an order came back."""

    reason: str = Field(..., min_length=1, max_length=300, pattern=SAID)


class PaymentOut(Schema):
    """An order in fen."""

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


class PaymentsOut(Schema):
    """One page of orders."""

    items: list[PaymentOut]
    total: int
    page: int
    pages: int


class PaymentQuery(Schema):
    """Which orders to list."""

    state: str = Field("", pattern="^(|ordered|paid|failed|cancelled)$")
    direction: str = Field("", pattern="^(|in|out)$")
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(20, ge=1, le=100)


class PaidIn(Schema):
    """The bank's or treasury's reference."""

    reference: str = Field(..., min_length=1, max_length=120, pattern=SAID)


@payments.get(
    "", auth=guard("officer", "operator", scope="cases:read"), response=PaymentsOut, summary="Payments"
)
def list_payments(request: HttpRequest, query: Query[PaymentQuery]) -> Any:
    """List fees and payments, for the finance department and the operator."""
    found = cases.payments.payment_orders(
        request.user, state=query.state, direction=query.direction, page=query.page, size=query.size
    )
    items = [asdict(row) for row in found.rows]
    return {"items": items, "total": found.total, "page": found.page, "pages": found.pages}


@payments.post(
    "/{order_id}/paid", auth=guard("officer", scope="cases:write"), response=PaymentOut, summary="Paid"
)
def paid(request: HttpRequest, order_id: Number, body: PaidIn) -> Any:
    """Note that the money of an order moved; the case hears of it."""
    return asdict(cases.payments.mark_paid(order_id, request.user, body.reference, timezone.now()))


@payments.post(
    "/{order_id}/failed", auth=guard("officer", scope="cases:write"), response=PaymentOut, summary="Sent back"
)
def failed(request: HttpRequest, order_id: Number, body: SentBackIn) -> Any:
    """Note that an order came back, and why."""
    return asdict(cases.payments.mark_failed(order_id, request.user, body.reason, timezone.now()))
