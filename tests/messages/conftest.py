"""A small real district with one case, and a real mail server."""

from __future__ import annotations

import socket

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.procedure.ports import Actor, EffectRequest, registry
from tests_support.casework import CELL, MONDAY, firm_facts, make_cells, make_staff


@pytest.fixture
def district(db, settings):
    settings.PUBLIC_URL = "http://hub.example"
    cases.load_shipped(MONDAY)
    make_cells()
    return make_staff()


@pytest.fixture
def opened(district):
    return cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:1", now=MONDAY
    )


@pytest.fixture
def ask(opened):
    """Ask for an effect the way a step or the outbox does."""

    def asked(effect, *, key="step:1", now=MONDAY, case_id=opened, **params):
        request = EffectRequest(case_id, effect, params, {}, {}, Actor("system", "系统"), now, key)
        handler = registry.effect_handler(effect)
        if not registry.effects[effect].inside:
            return handler(request)
        with transaction.atomic():
            return handler(request)

    return asked


class Post:
    """What a mail server does with a message: keep it, refuse it, or keep it and break the line before saying so."""

    def __init__(self) -> None:
        self.kept: list = []
        self.answer = "250 OK"
        self.break_after = False

    async def handle_DATA(self, server, session, envelope):
        if self.answer.startswith("250"):
            self.kept.append(envelope)
        if self.break_after:
            server.transport.abort()
        return self.answer


@pytest.fixture
def post(settings):
    """A mail server on this machine; the installation sends through it."""
    handler = Post()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5
    yield handler
    controller.stop()


@pytest.fixture
def reachable(district):
    """The operator has an address."""
    operator = identity.accounts(role="operator")[0]
    operator.email = "operator@example.com"
    operator.save()
    return operator
