from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from ninja import Router

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.rest import authentication
from chengshu.interfaces.rest.authentication import OF_ACCOUNT, TokenGuard, guard
from chengshu.kernel.problems import Problem


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def steward(browsers):
    return identity.account_named("web-steward")


@pytest.fixture
def call(rf):
    """Call the token guard as the API would: it answers an account, nothing, or raises a problem."""

    def calling(secret, *roles, scope="catalogue:read"):
        request = rf.get("/api/v1/x", headers=bearer(secret))
        return TokenGuard(frozenset(roles or identity.ALL_ROLES), scope)(request)

    return calling


def make(account, *scopes, life=timedelta(days=7), now=None):
    return identity.make_token(account, "test", scopes, life, now or timezone.now())


def test_a_token_calls_as_its_owner(call, steward):
    assert call(make(steward, "catalogue:read").secret, "steward") == steward


def test_a_token_without_the_scope_is_refused(call, steward):
    with pytest.raises(Problem) as caught:
        call(make(steward, "ledger:read").secret)
    assert (caught.value.code, caught.value.status) == ("scope-missing", 403)


def test_a_token_of_another_role_is_refused(call, steward):
    with pytest.raises(Problem) as caught:
        call(make(steward, "catalogue:read").secret, "officer")
    assert caught.value.code == "role-not-allowed"


def test_an_expired_a_revoked_and_an_invented_token_are_unknown(call, steward):
    now = timezone.now()
    expired = make(steward, "catalogue:read", now=now - timedelta(days=8))
    revoked = make(steward, "catalogue:read")
    assert identity.revoke_token(steward, revoked.id, now)
    assert call(expired.secret) is None
    assert call(revoked.secret) is None
    assert call("cs_invented") is None


def test_a_token_of_someone_who_has_left_is_unknown(call, steward):
    token = make(steward, "catalogue:read")
    identity.depart(steward, timezone.localdate())
    assert call(token.secret) is None


def test_nobody_revokes_anothers_token(steward):
    token = make(steward, "catalogue:read")
    assert not identity.revoke_token(identity.account_named("web-officer"), token.id, timezone.now())


def test_only_the_digest_of_a_token_is_kept(steward):
    token = make(steward, "catalogue:read")
    row = steward.api_tokens.get()
    assert token.secret not in str(vars(row))


def test_a_token_lives_a_year_at_most(steward):
    with pytest.raises(Problem):
        make(steward, "catalogue:read", life=timedelta(days=367))


def test_the_page_shows_a_new_token_once(browsers):
    form = {"name": "下载", "scopes": ["catalogue:read"], "life": "30"}
    page = browsers["officer"].post("/account/tokens", form)
    secret = page.content.decode().split('id="secret">')[1].split("<")[0]
    assert secret.startswith("cs_")
    assert "no-store" in page["Cache-Control"]
    assert secret not in browsers["officer"].get("/account/tokens").content.decode()


def test_a_token_is_revoked_on_the_page(browsers, steward):
    token = make(steward, "catalogue:read")
    browsers["steward"].post(f"/account/tokens/{token.id}/revoke")
    assert identity.token_holder(token.secret, timezone.now()) is None


def test_after_the_bucket_is_empty_calls_wait_and_are_told_how_long(call, steward, monkeypatch):
    monkeypatch.setattr(authentication, "OF_ACCOUNT", identity.Rate(capacity=3, per_second=0.1))
    secret = make(steward, "catalogue:read").secret
    for _ in range(3):
        call(secret)
    with pytest.raises(Problem) as caught:
        call(secret)
    assert caught.value.status == 429
    assert 1 <= caught.value.extra["retry_after"] <= 10
    assert OF_ACCOUNT.capacity == 300


def test_a_guard_with_a_misspelt_role_does_not_load():
    with pytest.raises(ValueError):
        guard("stewart", scope="catalogue:read")
    assert Router()  # the guard fails where it is written, before a router ever holds it


def test_the_description_is_openapi_3_1_and_open(client, db):
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert "Problem" in schema["components"]["schemas"]


def test_the_reference_page_asks_no_other_host(client, db):
    page = client.get("/api/v1/docs").content.decode()
    assert '<script src="/static/' in page
    assert "https://" not in page.split("<main")[1]


def test_a_session_call_that_changes_something_needs_the_csrf_token(browsers, steward, rf):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(steward)
    from ninja.errors import HttpError

    from chengshu.interfaces.rest.authentication import SessionGuard

    request = rf.post("/api/v1/x")
    request.COOKIES["sessionid"] = "x"
    request.user = steward
    with pytest.raises(HttpError):
        SessionGuard(frozenset(identity.ALL_ROLES))(request)
