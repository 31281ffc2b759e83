"""Someone signs in with a second factor: by app, by recovery code; tries are counted, codes hold once."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from chengshu.contexts.identity import api, authenticators
from chengshu.contexts.identity.models import Authenticator, RecoveryCode, SignInBucket
from chengshu.kernel.problems import Problem

RIGHT = {"username": "steward", "password": "a long password"}


@pytest.fixture
def enrolled(client, people):
    """The steward has set up an authenticator; returns the app and the recovery codes. Nobody is signed in."""
    steward, now = people["steward"], timezone.now()
    authenticators.begin(steward, now)
    app = pyotp.TOTP(authenticators.waiting_secret(steward))
    assert authenticators.confirm(steward, app.at(now - timedelta(seconds=30)), now)
    return app, authenticators.new_recovery_codes(steward, now)


def sign_in(client, **extra):
    return client.post("/sign-in", {**RIGHT, **extra})


def test_setting_up_shows_a_qr_code_and_ten_recovery_codes_once(client, people):
    sign_in(client)
    client.post("/account/security/authenticator")
    page = client.get("/account/security/authenticator").content.decode()
    assert "<svg" in page and " style=" not in page.split("<main")[1]
    app = pyotp.TOTP(authenticators.waiting_secret(people["steward"]))
    assert app.secret not in Authenticator.objects.get().sealed_secret
    done = client.post("/account/security/authenticator", {"code": app.now()})
    codes = done.content.decode().split('<ul class="codes">')[1].split("</ul>")[0].count("<code>")
    assert codes == 10 == RecoveryCode.objects.count()
    assert client.get("/account/security/authenticator").status_code == 302


def test_the_password_alone_no_longer_signs_in(client, enrolled):
    app, _codes = enrolled
    answer = sign_in(client, next="/account/tokens")
    assert answer["Location"] == "/sign-in/second"
    assert client.get("/account").status_code == 302
    answer = client.post("/sign-in/second", {"code": app.now()})
    assert answer["Location"] == "/account/tokens"
    assert client.get("/account").status_code == 200
    assert client.session["amr"] == ["pwd", "otp", "mfa"]


def test_a_code_is_taken_once_and_older_ones_never(client, django_test_client_factory, enrolled):
    app, _codes = enrolled
    code, older = app.now(), app.at(timezone.now() - timedelta(seconds=30))
    sign_in(client)
    assert client.post("/sign-in/second", {"code": code}).status_code == 302
    thief = django_test_client_factory()
    sign_in(thief)
    for stolen in (code, older):
        assert thief.post("/sign-in/second", {"code": stolen}).status_code == 422
    assert thief.get("/account").status_code == 302


def test_a_recovery_code_stands_in_once_and_is_kept_as_a_digest_only(client, enrolled):
    _app, codes = enrolled
    sign_in(client)
    assert client.post("/sign-in/second", {"code": codes[3].lower()}).status_code == 302
    client.post("/sign-out")
    sign_in(client)
    assert client.post("/sign-in/second", {"code": codes[3]}).status_code == 422
    assert codes[3] not in "".join(RecoveryCode.objects.values_list("digest", flat=True))
    assert authenticators.recovery_codes_left(api.account_named("steward")) == 9


def test_after_five_wrong_codes_even_the_right_one_waits(client, enrolled):
    app, _codes = enrolled
    sign_in(client)
    for _ in range(5):
        client.post("/sign-in/second", {"code": "000000"})
    answer = client.post("/sign-in/second", {"code": app.now()})
    assert answer.status_code == 422 and "分钟后再试" in answer.content.decode()
    SignInBucket.objects.update(since=timezone.now() - timedelta(minutes=16))
    assert client.post("/sign-in/second", {"code": app.now()}).status_code == 302


def test_the_second_step_is_nobodys_without_the_first_and_runs_out(client, enrolled, monkeypatch):
    app, _codes = enrolled
    assert client.get("/sign-in/second")["Location"] == "/sign-in"
    sign_in(client)
    session = client.session
    session["second_pending"] = {**session["second_pending"], "at": session["second_pending"]["at"] - 400}
    session.save()
    assert client.post("/sign-in/second", {"code": app.now()})["Location"] == "/sign-in"


def test_a_role_that_must_have_a_second_factor_is_led_to_set_it_up(client, people, settings):
    settings.SECOND_FACTOR_ROLES = ["steward"]
    sign_in(client)
    assert client.get("/runs/")["Location"] == "/account/security"
    refused = client.get("/api/v1/cases/tasks")
    assert refused.status_code == 403 and refused.json()["code"] == "second-factor-missing"
    assert "须设置第二重验证" in client.get("/account/security").content.decode()
    client.post("/account/security/authenticator")
    app = pyotp.TOTP(authenticators.waiting_secret(people["steward"]))
    client.post("/account/security/authenticator", {"code": app.now()})
    assert client.get("/runs/").status_code == 200
    client.post("/account/security/authenticator/remove")
    assert authenticators.confirmed(people["steward"]), "the last one stays"


def test_setting_up_ends_the_other_sessions(client, django_test_client_factory, people):
    other = django_test_client_factory()
    sign_in(other)
    sign_in(client)
    client.post("/account/security/authenticator")
    app = pyotp.TOTP(authenticators.waiting_secret(people["steward"]))
    client.post("/account/security/authenticator", {"code": app.now()})
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


def test_a_sensitive_act_asks_again_after_ten_minutes(client, enrolled):
    app, codes = enrolled
    sign_in(client)
    client.post("/sign-in/second", {"code": app.now()})
    assert client.get("/account/tokens").status_code == 200
    session = client.session
    session["second_factor_at"] = session["signed_in_at"] = session["signed_in_at"] - 700
    session.save()
    assert client.get("/account/tokens")["Location"] == "/sign-in/again?next=%2Faccount%2Ftokens"
    again = client.post("/sign-in/again?next=/account/tokens", {"code": codes[0]})
    assert again["Location"] == "/account/tokens"
    assert client.get("/account/tokens").status_code == 200


def test_without_a_second_factor_the_password_is_asked_again_and_tries_are_counted(client, people):
    sign_in(client)
    session = client.session
    session["signed_in_at"] -= 700
    session.save()
    assert client.get("/account/tokens").status_code == 302
    for _ in range(5):
        client.post("/sign-in/again", {"password": "wrong"})
    assert client.post("/sign-in/again", {"password": RIGHT["password"]}).status_code == 422
    SignInBucket.objects.all().delete()
    assert client.post("/sign-in/again", {"password": RIGHT["password"]}).status_code == 302
    assert client.get("/account/tokens").status_code == 200


def test_who_lost_phone_and_codes_starts_again_from_the_password(client, enrolled):
    app, codes = enrolled
    sign_in(client)
    client.post("/sign-in/second", {"code": app.now()})
    api.reset_second_factors(api.account_named("steward"), timezone.now())
    assert client.get("/account").status_code == 302
    assert sign_in(client, next="/account")["Location"] == "/account"
    assert not authenticators.use_recovery_code(api.account_named("steward"), codes[0], timezone.now())


def test_a_demo_account_takes_no_second_factor(client, db, settings):
    settings.DEMO = True
    api.seed_demo()
    client.post("/sign-in", {"demo": "steward"})
    client.post("/account/security/authenticator")
    assert not Authenticator.objects.exists()
    assert "演示区不要求" in client.get("/account/security").content.decode()


def test_the_security_page_asks_the_database_little(client, enrolled, django_assert_max_num_queries):
    app, _codes = enrolled
    sign_in(client)
    client.post("/sign-in/second", {"code": app.now()})
    with django_assert_max_num_queries(15):
        client.get("/account/security")


def test_whoever_is_given_another_role_has_its_duties_at_once(client, people, settings):
    settings.SECOND_FACTOR_ROLES = ["operator"]
    client.force_login(people["officer"])
    assert client.get("/account").status_code == 200
    people["officer"].role = "operator"
    people["officer"].save()
    assert client.get("/account")["Location"] == "/account/security"


def test_a_secret_that_is_confirmed_at_this_very_moment_is_not_replaced(people, monkeypatch):
    account, now = people["officer"], timezone.now()
    authenticators.begin(account, now)
    kept, seal = Authenticator.objects.get().sealed_secret, authenticators.seal

    def meanwhile(*said):
        Authenticator.objects.update(confirmed_at=now)
        return seal(*said)

    monkeypatch.setattr(authenticators, "seal", meanwhile)
    with pytest.raises(Problem) as refused:
        authenticators.begin(account, now)
    assert refused.value.code == "authenticator-there"
    assert Authenticator.objects.get().sealed_secret == kept
