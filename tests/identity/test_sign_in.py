from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from chengshu.contexts.identity import api, store
from chengshu.contexts.identity.models import Account, SignInBucket

RIGHT = {"username": "steward", "password": "a long password"}
WRONG = {"username": "steward", "password": "not the password"}


def test_an_official_signs_in_with_name_and_password(client, people):
    answer = client.post("/sign-in", {**RIGHT, "next": "/account"})
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    assert client.get("/account").status_code == 200


def test_passwords_are_kept_as_argon2(people):
    assert people["steward"].password.startswith("argon2$argon2id$")


def test_a_session_planted_before_signing_in_is_worth_nothing_afterwards(client, people):
    client.get("/sign-in")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.post("/sign-in", RIGHT)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client, people):
    wrong = client.post("/sign-in", WRONG)
    unknown = client.post("/sign-in", {"username": "nobody", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 422
    assert "用户名或密码不对" in wrong.content.decode() and "用户名或密码不对" in unknown.content.decode()


def test_after_five_failures_even_the_right_password_waits(client, people):
    for _ in range(5):
        client.post("/sign-in", WRONG)
    answer = client.post("/sign-in", RIGHT)
    assert answer.status_code == 422
    assert "分钟后再试" in answer.content.decode()


def test_the_lock_opens_after_a_quarter_of_an_hour(client, people):
    for _ in range(5):
        client.post("/sign-in", WRONG)
    SignInBucket.objects.update(since=timezone.now() - timedelta(minutes=16))
    assert client.post("/sign-in", RIGHT).status_code == 302


def test_one_address_guessing_many_names_is_locked_out(client, people):
    client.post("/sign-in", {"username": "guess", "password": "x"}, REMOTE_ADDR="192.0.2.7")
    assert SignInBucket.objects.get(key="address:192.0.2.7").failures == 1
    for number in range(49):
        store.note_failure(f"guess{number}", "192.0.2.7", timezone.now())
    assert "分钟后再试" in client.post("/sign-in", RIGHT, REMOTE_ADDR="192.0.2.7").content.decode()
    assert client.post("/sign-in", RIGHT, REMOTE_ADDR="192.0.2.8").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_sign_in_never_leads_to_another_host(client, people, target):
    assert client.post("/sign-in", {**RIGHT, "next": target})["Location"] == "/"


def test_signing_out_ends_the_session(client, people):
    client.post("/sign-in", RIGHT)
    client.post("/sign-out")
    assert client.get("/account").status_code == 302


def test_signing_out_by_a_link_is_refused(client, people):
    client.post("/sign-in", RIGHT)
    assert client.get("/sign-out").status_code == 405


def test_who_has_left_can_neither_sign_in_nor_go_on(client, people):
    client.post("/sign-in", RIGHT)
    api.depart(people["steward"], date.today())
    assert client.get("/account").status_code == 302
    assert client.post("/sign-in", RIGHT).status_code == 422


def test_changing_the_password_ends_other_sessions(client, django_test_client_factory, people):
    other = django_test_client_factory()
    other.post("/sign-in", RIGHT)
    client.post("/sign-in", RIGHT)
    new = "穿过 another long one"
    answer = client.post("/account/password", {"old": RIGHT["password"], "new": new})
    assert answer.status_code == 302
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert Account.objects.get(username="steward").check_password(new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", "穿过 another long one", "密码不对"),
        ("a long password", "short", "10"),
        ("a long password", "1234567890", "常见"),
    ],
)
def test_a_weak_new_password_or_a_wrong_old_one_is_refused(client, people, old, new, said):
    client.post("/sign-in", RIGHT)
    answer = client.post("/account/password", {"old": old, "new": new})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Account.objects.get(username="steward").check_password("a long password")


def test_the_old_password_cannot_be_found_out_by_trying_at_an_open_browser(client, people):
    client.force_login(people["resident"])
    for _ in range(5):
        assert (
            client.post("/account/password", {"old": "wrong", "new": "穿过 another long one"}).status_code
            == 422
        )
    right = client.post("/account/password", {"old": "a long password", "new": "穿过 another long one"})
    assert right.status_code == 422 and "分钟后再试" in right.content.decode()


def test_the_one_press_door_is_not_there_outside_the_demo(client, people):
    people["resident"].set_password(api.DEMO_PASSWORD)
    people["resident"].save()
    for name in ("resident", "x" * 5000, "\0"):
        assert client.post("/sign-in", {"demo": name}).status_code == 422
    assert "_auth_user_id" not in client.session
