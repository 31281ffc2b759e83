"""Someone looks where they are signed in, and ends what they do not know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chengshu.contexts.identity import sessions
from chengshu.contexts.identity.models import SignIn
from chengshu.contexts.messages import api as messages

RIGHT = {"username": "resident", "password": "a long password"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Safari/604.1"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


def sign_in(client, agent, address):
    client.post("/sign-in", RIGHT, headers={"User-Agent": agent}, REMOTE_ADDR=address)


def test_i_see_device_network_and_time_and_end_one(client, django_test_client_factory, people):
    phone = django_test_client_factory()
    sign_in(phone, PHONE, "203.0.113.77")
    sign_in(client, DESK, "2001:db8:1:2::3")
    page = client.get("/account/security").content.decode()
    for said in ("Safari · iPhone", "203.0.113.0/24", "Chrome · Windows", "2001:db8:1::/48"):
        assert said in page, said
    assert "203.0.113.77" not in page
    lost = SignIn.objects.get(device="Safari · iPhone")
    client.post(f"/account/security/sessions/{lost.pk}/end")
    assert phone.get("/account").status_code == 302
    assert client.get("/account").status_code == 200
    assert "Safari · iPhone" not in client.get("/account/security").content.decode()


def test_i_end_all_others_and_nobody_ends_mine(client, django_test_client_factory, people):
    others = [django_test_client_factory() for _ in range(2)]
    for other in others:
        sign_in(other, PHONE, "203.0.113.77")
    sign_in(client, DESK, "198.51.100.1")
    stranger = django_test_client_factory()
    stranger.post("/sign-in", {**RIGHT, "username": "steward"})
    mine = SignIn.objects.get(device="Chrome · Windows")
    stranger.post(f"/account/security/sessions/{mine.pk}/end")
    assert client.get("/account").status_code == 200
    client.post("/account/security/sessions/end-others")
    assert [other.get("/account").status_code for other in others] == [302, 302]
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(("key", "beyond"), [("seen_at", 61 * 60), ("signed_in_at", 12 * 3600 + 60)])
def test_a_session_ends_after_idle_minutes_and_after_its_longest_time(client, people, key, beyond):
    sign_in(client, DESK, "198.51.100.1")
    session = client.session
    session[key] -= beyond
    session.save()
    assert "/sign-in" in client.get("/account")["Location"]
    assert SignIn.objects.get().how_ended == ("idle" if key == "seen_at" else "longest")


def test_every_role_has_its_limits(settings, people):
    for role in people:
        idle, longest = sessions.limits_of(role)
        assert timedelta(minutes=5) < idle < longest <= timedelta(hours=12)


def test_a_sign_in_from_where_one_was_not_seen_is_told_and_a_known_one_is_not(client, people):
    account, now = people["resident"], timezone.now() + timedelta(minutes=1)
    for agent, address in ((DESK, "198.51.100.1"), (DESK, "198.51.100.9"), (PHONE, "203.0.113.77")):
        sign_in(client, agent, address)
    (told,) = messages.messages_of(account, now)
    assert "Safari · iPhone" in told.body_zh and "203.0.113.0/24" in told.body_en
    client.get(f"/messages/{told.pk}")


def test_changing_the_password_ends_and_notes_the_other_sessions(client, django_test_client_factory, people):
    other = django_test_client_factory()
    sign_in(other, PHONE, "203.0.113.77")
    sign_in(client, DESK, "198.51.100.1")
    client.post("/account/password", {"old": RIGHT["password"], "new": "穿过 another long one"})
    assert SignIn.objects.get(device="Safari · iPhone").how_ended == "password"
    assert "Chrome · Windows" in client.get("/account/security").content.decode()
