"""The job send_message: a message on people's pages and, where asked, by e-mail; never twice under one key.

Each e-mail is noted as ``sending`` before the server is spoken to. When a worker dies, or the connection breaks, after
that, nobody knows whether it arrived: it becomes ``uncertain``, stays on the operators' page and is not sent again by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages.domain import lasting, surely_not_sent
from chengshu.contexts.messages.models import Delivery, Message
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import EffectRequest

PAGE, EMAIL = "page", "email"
State = Delivery.State
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def send_message(request: EffectRequest) -> Mapping[str, Any]:
    """Deliver a message of the pack to whoever holds a role; returns how many were sent, and how many are in doubt."""
    messages = _messages(request)
    for message in messages:
        for delivery in message.deliveries.filter(channel=EMAIL).order_by("pk"):
            _deliver(delivery, message, request.now)
    keys = [message.pk for message in messages]
    states = list(Delivery.objects.filter(message__in=keys, channel=EMAIL).values_list("state", flat=True))
    again = [state for state in states if state in (State.PENDING, State.SENDING)]
    if again:
        # The outbox comes again, later and later; what was sent meanwhile is not sent again.
        raise Problem("mail-not-sent", "邮件暂时没有送出", detail=f"{len(again)}/{len(states)}", status=503)
    return {
        "messages": len(messages),
        "sent": states.count(State.SENT),
        "uncertain": states.count(State.UNCERTAIN),
        "failed": states.count(State.FAILED),
    }


def _messages(request: EffectRequest) -> list[Message]:
    """Put the message on the pages of those it is for; the same key finds what is there."""
    params, key = request.params, f"texts:{request.params['text']}"
    values: dict[str, Any] = {"facts": request.facts, "data": request.data, "actor": request.actor.name}
    values["case"] = cases.case_facts(request.case_id)["kept"]
    values["decided"] = cases.step_said(request.case_id, request.idempotency_key)["decided"]
    subject = cases.pack_said(request.case_id, f"messages.{params['text']}.subject", values)
    body = cases.pack_said(request.case_id, f"messages.{params['text']}.body", values)
    # A subject is one line: what people wrote into it may hold breaks, which no mail server takes.
    subject = {language: " ".join(text.split()) for language, text in subject.items()}
    owners = cases.role_owners(request.case_id, str(params["to"]), request.now)
    found = []
    with transaction.atomic():
        for owner in owners:
            message, made = Message.objects.get_or_create(
                key=f"{request.idempotency_key}:{owner}"[:160],
                defaults={
                    "owner": owner,
                    "case_id": request.case_id,
                    "subject_zh": (subject["zh"] or key)[:200],
                    "subject_en": (subject["en"] or subject["zh"] or key)[:200],
                    "body_zh": body["zh"],
                    "body_en": body["en"] or body["zh"],
                    "at": request.now,
                },
            )
            if made:
                _note_deliveries(message, str(params.get("channel") or ""), request.now)
            found.append(message)
    return found


def _note_deliveries(message: Message, channel: str, now: dt.datetime) -> None:
    """Note how a message goes: always on the page; by e-mail unless the pack says page, to those who gave an address."""
    Delivery.objects.create(
        message=message, channel=PAGE, key=f"{message.key}:page", state=State.SENT, attempts=1, made_at=now,
        tried_at=now, ended_at=now,
    )  # fmt: skip
    if channel == PAGE:
        return
    for account in people_of(message.owner):
        if not account.email and channel != EMAIL:
            continue
        why = "" if account.email else "这个账号没有邮箱"
        if account.email and not settings.EMAIL_HOST:
            why = "没有设置邮件服务器"
        Delivery.objects.create(
            message=message, channel=EMAIL, key=f"{message.key}:{account.pk}", account_id=account.pk,
            state=State.SKIPPED if why else State.PENDING, made_at=now, error=why,
        )  # fmt: skip


def people_of(owner: str) -> list[identity.Account]:
    """Return the accounts behind an owner."""
    kind, _, name = owner.partition(":")
    if kind == "account" and name.isdigit():
        return identity.accounts(ids=[int(name)])
    if kind == "department":
        return identity.accounts(role="officer", department=name)
    return identity.accounts(role=name) if kind == "role" and name else []


def _deliver(delivery: Delivery, message: Message, now: dt.datetime) -> None:
    """Send one e-mail, once."""
    if delivery.state == State.SENDING:
        # The job's lease is ours alone: whoever noted this is gone, and nobody knows how far it came.
        _end(delivery, State.UNCERTAIN, now, "发送时中断，不知道是否送达")
        return
    if delivery.state != State.PENDING:
        return
    account = identity.account(delivery.account_id or 0)
    if account is None or not account.email:
        _end(delivery, State.SKIPPED, now, "这个账号没有邮箱")
        return
    email = _email(delivery, message, account)
    connection = get_connection(SMTP, fail_silently=False)
    try:
        connection.open()
    except OSError as error:
        # Not even connected: surely not sent.
        _again(delivery, now, error)
        return
    taken = Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(
        state=State.SENDING, attempts=F("attempts") + 1, tried_at=now
    )
    if not taken:
        connection.close()
        return
    try:
        connection.send_messages([email])
    except OSError as error:
        if not surely_not_sent(error):
            _end(delivery, State.UNCERTAIN, now, f"连接中断，不知道是否送达：{type(error).__name__}")
        elif lasting(error):
            _end(delivery, State.FAILED, now, f"邮件服务器拒收：{error}")
        else:
            _again(delivery, now, error, counted=True)
        return
    finally:
        _close(connection)
    _end(delivery, State.SENT, now, "")


def _close(connection: Any) -> None:
    try:
        connection.close()
    except OSError:
        # The message has been accepted or refused by then; a rude good-bye changes nothing.
        return


def _email(delivery: Delivery, message: Message, account: identity.Account) -> EmailMessage:
    """Return the e-mail: subject and where to read the rest. The text itself, with its personal values, stays on the page."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    text = (
        f"{account.display_name[:1]}**：\n\n您有一条新消息：{message.subject_zh}\n请登录查看全文：{settings.PUBLIC_URL}/messages/{message.pk}\n\n"
        f"You have a new message: {message.subject_en}\nSign in to read it: {settings.PUBLIC_URL}/messages/{message.pk}\n\n"
        f"{settings.DISTRICT['name']['zh']}\n本邮件由系统发送，请勿回复。\n"
    )
    stable = hashlib.sha256(delivery.key.encode()).hexdigest()[:40]
    headers = {"Message-ID": f"<{stable}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        message.subject_zh, text, settings.DEFAULT_FROM_EMAIL, [account.email], headers=headers
    )


def _again(delivery: Delivery, now: dt.datetime, error: BaseException, *, counted: bool = False) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.PENDING,
        attempts=F("attempts") + (0 if counted else 1),
        tried_at=now,
        error=f"{type(error).__name__}: {error}"[:300],
    )


def _end(delivery: Delivery, state: str, now: dt.datetime, error: str) -> None:
    # Only from where we left it: a worker that comes back late must not overwrite a doubt.
    Delivery.objects.filter(pk=delivery.pk, state__in=[State.PENDING, State.SENDING]).update(
        state=state, ended_at=now, error=error[:300]
    )


def settle(delivery_id: int, *, arrived: bool, actor: identity.Account, now: dt.datetime) -> None:
    """Settle a doubt by a person's word: it arrived, or it is sent again under the same key."""
    with transaction.atomic():
        row = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
        if row is None or row.state not in (State.UNCERTAIN, State.FAILED):
            raise Problem("delivery-settled", "这次投递不需要确认", detail=str(delivery_id), status=409)
        row.settled_by = actor.display_name
        row.state = State.SENT if arrived else State.PENDING
        row.ended_at = now if arrived else None
        row.save(update_fields=["state", "ended_at", "settled_by"])
    if not arrived:
        _deliver(row, row.message, now)
