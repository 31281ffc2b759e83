from __future__ import annotations

import pytest

from chengshu.contexts.identity import api
from chengshu.kernel.problems import Problem


@pytest.fixture
def demo_district(db, settings):
    settings.DEMO = True
    return {account.username: account for account in api.seed_demo("P0000000017")}


def test_in_the_demo_one_press_signs_in(client, demo_district):
    page = client.get("/sign-in").content.decode()
    assert 'value="steward"' in page
    assert client.post("/sign-in", {"demo": "steward"}).status_code == 302
    assert client.get("/account").status_code == 200


def test_the_demos_printed_password_signs_in(client, demo_district):
    form = {"username": "worker", "password": api.DEMO_PASSWORD}
    assert client.post("/sign-in", form).status_code == 302


def test_outside_the_demo_its_sign_ins_are_refused_and_not_shown(client, demo_district, settings):
    settings.DEMO = False
    assert "demo" not in client.get("/sign-in").content.decode().split("<main")[1].split("</main")[0]
    assert client.post("/sign-in", {"demo": "steward"}).status_code == 422
    form = {"username": "steward", "password": api.DEMO_PASSWORD}
    assert client.post("/sign-in", form).status_code == 422


def test_a_demo_session_ends_when_the_district_becomes_a_real_one(client, demo_district, settings):
    client.post("/sign-in", {"demo": "steward"})
    settings.DEMO = False
    assert client.get("/account").status_code == 302


def test_a_demo_token_is_refused_outside_the_demo(client, demo_district, settings):
    from datetime import timedelta

    from django.utils import timezone

    token = api.make_token(
        demo_district["steward"], "x", ["catalogue:read"], timedelta(days=1), timezone.now()
    )
    settings.DEMO = False
    answer = client.get("/api/v1/tests/none", headers={"Authorization": f"Bearer {token.secret}"})
    assert answer.status_code in {401, 404}


def test_demo_accounts_cannot_be_made_in_a_real_district(db, settings):
    settings.DEMO = False
    with pytest.raises(Problem) as caught:
        api.seed_demo()
    assert caught.value.code == "not-a-demo"


def test_seeding_again_keeps_passwords_and_the_residents_subject(demo_district):
    again = {account.username: account for account in api.seed_demo()}
    assert again["resident"].subject_id == "P0000000017"
    assert again["steward"].password == demo_district["steward"].password


def test_a_demo_password_cannot_be_changed(client, demo_district):
    client.post("/sign-in", {"demo": "steward"})
    client.post("/account/password", {"old": api.DEMO_PASSWORD, "new": "穿过 another long one"})
    assert api.account_named("steward").check_password(api.DEMO_PASSWORD)


def test_every_department_that_works_packs_has_two_officers_with_english_names(demo_district):
    from django.utils.translation import override

    for department in ("ip-office", "industry", "standards", "culture", "finance", "data-bureau", "health"):
        officers = [
            a for a in demo_district.values() if a.role == "officer" and a.department_id == department
        ]
        assert len(officers) == 2, department
    assert all(account.name_en.isascii() and account.name_en for account in demo_district.values())
    worker = demo_district["worker"]
    assert worker.shown_name == worker.display_name
    with override("en"):
        assert worker.shown_name == worker.name_en
