"""Someone comes in from an outside provider: what the answer and the link must be for that."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import outside, relying
from chengshu.interfaces.oidc.models import OutsideIdentity

DECLARED = """\
providers:
  - code: province
    title: {zh: 省统一身份认证平台, en: Provincial identity platform}
    issuer: https://id.example.gov.cn
    client_id: chengshu
    roles: [resident]
    match:
      - {claim: phone_number, verified: phone_number_verified, element: person.phone}
"""


@pytest.fixture
def linked(db, settings, tmp_path, monkeypatch):
    """A resident who has linked an identity of the province, and a browser that has just been there."""
    settings.VAR_DIR = tmp_path
    (tmp_path / "providers.yaml").write_text(DECLARED, encoding="utf-8")
    account = identity.save_account("zhou", display_name="周敏", role="resident")
    OutsideIdentity.objects.create(
        provider="province", subject="s-1", account=account, linked_at=timezone.now()
    )
    monkeypatch.setattr(relying, "believe", lambda *_said: relying.Answer("s-1", {"sub": "s-1"}))
    return account


def come_back(state="right"):
    browser = Client()
    session = browser.session
    session[outside.ASKED] = {
        "provider": "province", "state": "right", "nonce": "n", "verifier": "v", "next": "/account", "at": int(time.time()),
    }  # fmt: skip
    session.save()
    return browser, browser.get("/sign-in/outside/province/back", {"state": state, "code": "c"})


def test_a_link_signs_in_while_its_provider_may_sign_this_role_in(linked):
    browser, answer = come_back()
    assert answer["Location"] == "/account" and browser.get("/account").status_code == 200
    linked.role = "officer"
    linked.save()
    browser, answer = come_back()
    assert answer.status_code == 403 and "_auth_user_id" not in browser.session


def test_an_answer_with_any_other_state_is_refused(linked):
    for state in ("wrong", "é", ""):
        assert come_back(state)[1].status_code == 400


def test_a_link_is_made_only_by_whoever_has_just_proved_themselves(linked):
    browser = Client()
    browser.force_login(linked)
    session = browser.session
    session["signed_in_at"] -= 3600
    session[outside.FOUND] = {
        "provider": "province", "subject": "s-2", "claims": {}, "next": "/", "at": int(time.time()),
    }  # fmt: skip
    session.save()
    assert "/sign-in/again" in browser.post("/account/identities/link")["Location"]
