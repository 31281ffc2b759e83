"""Another system signs people in through us: code flow with PKCE, consent, tokens, logout."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.interfaces.oidc import keys, store
from chengshu.interfaces.oidc.models import Consent, SignIn


def test_a_person_allows_a_system_and_it_learns_only_what_was_allowed(party, signed_in, person):
    page = signed_in.get(party.question("openid profile department"))
    text = page.content.decode()
    assert "区图书馆" in text and "登录后借书" in text and "市场监管局" in text and "手机号码" not in text
    code = party.code(signed_in.post(party.question("openid profile department"), {"decision": "allow"}))
    tokens = party.exchange(code).json()
    claims = party.read(tokens["id_token"])
    assert claims["iss"] == "http://localhost:8000" and claims["aud"] == party.made.system.client_id
    assert claims["nonce"] == "n1" and claims["amr"] == ["pwd"] and "name" not in claims
    assert "refresh_token" not in tokens
    said = party.userinfo(tokens["access_token"]).json()
    assert said == {
        "sub": claims["sub"], "name": "周敏", "department": "market", "department_name": "市场监管局",
    }  # fmt: skip
    assert str(person.pk) != claims["sub"]


def test_two_systems_know_a_person_by_different_names(party, system, person):
    other = store.add_system(
        "乙", purpose="丙", redirect_uris=["https://b.example/"], scopes=[], actor=None, now=timezone.now()
    )
    one = store.pseudonym(person.pk, system.system.pk)
    assert one != store.pseudonym(person.pk, other.system.pk)
    assert one == store.pseudonym(person.pk, system.system.pk)


def test_what_was_allowed_is_not_asked_again_until_it_is_taken_back(party, signed_in, allow, person):
    allow()
    assert party.code(signed_in.get(party.question()))
    assert signed_in.get(party.question("openid profile role")).status_code == 200  # more than was allowed
    row = Consent.objects.get()
    tokens = party.exchange(party.code(signed_in.get(party.question()))).json()
    assert "区图书馆" in signed_in.get("/account/apps").content.decode()
    signed_in.post(f"/account/apps/{row.pk}/revoke")
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert signed_in.get(party.question()).status_code == 200


def test_nobody_takes_back_what_another_allowed(allow, operator, client):
    allow()
    client.force_login(operator)
    assert client.post(f"/account/apps/{Consent.objects.get().pk}/revoke").status_code == 404


def test_each_sign_in_is_on_record_and_in_the_ledger(allow, party, person):
    allow()
    row = SignIn.objects.get(account=person)
    assert row.scopes == ["openid", "profile"] and row.leaf_id
    assert [entry.kind for entry in ledger.entries_for(f"sign-in:{row.pk}")] == ["oidc.sign-in"]


def test_a_refusal_goes_back_to_the_system(party, signed_in):
    answer = signed_in.post(party.question(), {"decision": "deny"})
    assert "error=access_denied" in answer["Location"] and "state=s1" in answer["Location"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_a_wrong_request_is_refused_with_its_state(party, signed_in, wrong, error):
    answer = signed_in.get(party.question(**wrong))
    assert f"error={error}" in answer["Location"], answer["Location"]
    assert "state=s1" in answer["Location"]


def test_an_address_that_is_not_registered_is_never_followed(party, signed_in, system):
    for wrong in (
        "https://evil.example/back",
        "https://library.example/back/../x",
        "https://library.example/back?x=1",
    ):
        answer = signed_in.get(party.question(redirect_uri=wrong))
        assert answer.status_code == 400 and "Location" not in answer
    assert signed_in.get(party.question(client_id="nobody")).status_code == 400


def test_a_visitor_signs_in_first_and_silence_is_answered_with_an_error(party, client, db):
    assert client.get(party.question())["Location"].startswith("/sign-in?")
    assert "error=login_required" in client.get(party.question(prompt="none"))["Location"]


def test_a_code_is_good_once_and_a_stolen_one_voids_what_it_brought(party, allow):
    code = allow("openid profile offline_access")
    first = party.exchange(code).json()
    assert party.exchange(code).json()["error"] == "invalid_grant"
    assert party.userinfo(first["access_token"]).status_code == 401
    again = party.post(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_a_code_needs_its_verifier_and_the_systems_secret(party, allow, system):
    assert party.exchange(allow(), code_verifier="w" * 64).json()["error"] == "invalid_grant"
    code = allow()
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": party.back}
    answer = party.http.post(
        "/oidc/token",
        {
            **fields,
            "code_verifier": party.verifier,
            "client_id": system.system.client_id,
            "client_secret": "x",
        },
    )
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"


def test_a_refresh_token_is_used_once_and_a_second_use_voids_the_family(party, allow):
    first = party.exchange(allow("openid profile offline_access")).json()
    second = party.post(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert party.read(second["id_token"])["sub"] == party.read(first["id_token"])["sub"]
    assert party.read(second["id_token"])["auth_time"] == party.read(first["id_token"])["auth_time"]
    assert party.userinfo(second["access_token"]).status_code == 200
    reused = party.post(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert reused.json()["error"] == "invalid_grant"
    assert party.userinfo(second["access_token"]).status_code == 401
    voided = party.post(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert voided.json()["error"] == "invalid_grant"


def test_who_has_left_has_no_token_any_more(party, allow, person):
    tokens = party.exchange(allow("openid profile offline_access")).json()
    identity.depart(person, timezone.localdate())
    assert party.userinfo(tokens["access_token"]).status_code == 401
    again = party.post(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_a_second_factor_is_told_to_the_system(party, signed_in):
    session = signed_in.session
    at = int(timezone.now().timestamp()) - 120
    session["amr"], session["signed_in_at"] = ["pwd", "otp"], at
    session.save()
    code = party.code(signed_in.post(party.question(), {"decision": "allow"}))
    claims = party.read(party.exchange(code).json()["id_token"])
    assert claims["amr"] == ["pwd", "otp", "mfa"] and claims["acr"].endswith("two-factors")
    assert claims["auth_time"] == at


def test_a_system_that_wants_a_fresh_sign_in_gets_one(party, signed_in, allow, client, person):
    allow()
    for wish in ({"prompt": "login"}, {"max_age": "60"}):
        session = signed_in.session
        session["signed_in_at"] = int((timezone.now() - timedelta(hours=1)).timestamp())
        session.save()
        asked = signed_in.get(party.question(**wish))
        assert asked["Location"].startswith("/sign-in?")
        onward = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
        assert signed_in.get(onward)["Location"].startswith(
            "/sign-in?"
        )  # going on without signing in helps nobody
        session = signed_in.session
        session["signed_in_at"] = int(timezone.now().timestamp()) + 1
        session.save()
        assert party.code(signed_in.get(onward))


def test_after_a_form_of_ours_a_page_goes_on_to_the_system(party, signed_in):
    answer = signed_in.post(
        party.question(), {"decision": "allow"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 200 and 'http-equiv="refresh"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_a_system_ends_the_session_with_proof_and_asks_without(party, signed_in, allow, client):
    tokens = party.exchange(allow()).json()
    bye = "https://library.example/bye"
    asked = signed_in.get("/oidc/logout", {"client_id": party.made.system.client_id})
    assert "也要退出这里吗" in asked.content.decode() and "_auth_user_id" in signed_in.session
    wrong = signed_in.get(
        "/oidc/logout",
        {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://x.example/"},
    )
    assert wrong.status_code == 400
    done = signed_in.get(
        "/oidc/logout",
        {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": bye, "state": "z"},
    )
    assert done["Location"] == f"{bye}?state=z" and "_auth_user_id" not in signed_in.session
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert client.get("/oidc/logout", {"id_token_hint": "a.b.c"}).status_code == 400


def test_an_ended_system_signs_nobody_in(party, signed_in, allow, operator, system):
    tokens = party.exchange(allow()).json()
    store.end_system(system.system, operator, timezone.now())
    assert signed_in.get(party.question()).status_code == 400
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_a_system_voids_its_own_token_only(party, allow, system):
    tokens = party.exchange(allow()).json()
    other = store.add_system(
        "乙", purpose="丙", redirect_uris=["https://b.example/"], scopes=[], actor=None, now=timezone.now()
    )
    fields = {"token": tokens["access_token"]}
    stranger = {"client_id": other.system.client_id, "client_secret": other.secret}
    party.http.post("/oidc/revoke", {**fields, **stranger})
    assert party.userinfo(tokens["access_token"]).status_code == 200
    own = {"client_id": system.system.client_id, "client_secret": system.secret}
    assert party.http.post("/oidc/revoke", {**fields, **own}).status_code == 200
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_discovery_says_what_is_true(client, db, signed_in, party):
    said = client.get("/.well-known/openid-configuration").json()
    assert said["issuer"] == "http://localhost:8000" and said["code_challenge_methods_supported"] == ["S256"]
    assert said["subject_types_supported"] == ["pairwise"] and said["response_types_supported"] == ["code"]
    for name in (
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ):
        path = said[name].removeprefix(said["issuer"])
        assert client.get(path).status_code not in (404, 500), path


def test_keys_change_with_overlap(db, own_var):
    start = timezone.now()
    first = keys.signing_key(start).thumbprint()
    assert (own_var / "keys").glob("oidc-*.pem")
    keys.make_key(start + timedelta(days=1))
    minute = start + timedelta(days=1, minutes=1)
    assert keys.signing_key(minute).thumbprint() == first and len(keys.published_keys(minute)) == 2
    later = start + timedelta(days=1, hours=2)
    second = keys.signing_key(later).thumbprint()
    assert second != first and keys.key_named(first, later) is not None
    much_later = start + timedelta(days=40)
    assert keys.key_named(first, much_later) is None and keys.key_named(second, much_later) is not None
    assert keys.drop_old(much_later) == 1 and len(list((own_var / "keys").glob("oidc-*.pem"))) == 1


def test_too_many_calls_wait(party, allow, monkeypatch):
    from chengshu.interfaces.oidc import views

    monkeypatch.setattr(views, "PER_SYSTEM", identity.Rate(capacity=1, per_second=0.01))
    party.post(grant_type="authorization_code")
    answer = party.post(grant_type="authorization_code")
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 1


def test_the_operator_registers_a_system_and_sees_the_secret_once(
    client, operator, django_assert_max_num_queries
):
    client.force_login(operator)
    form = {
        "name": "区图书馆", "purpose": "借书", "redirect_uris": "https://a.example/x", "scopes": ["profile"],
    }  # fmt: skip
    page = client.post("/systems/new", form).content.decode()
    secret = page.split('id="secret">')[1].split("<")[0]
    client_id = page.split('id="client-id">')[1].split("<")[0]
    assert secret not in str(vars(store.system_named(client_id)))
    assert client.post("/systems/new", {**form, "redirect_uris": "http://a.example/x"}).status_code == 422
    with django_assert_max_num_queries(15):
        assert "区图书馆" in client.get("/systems/").content.decode()
    with django_assert_max_num_queries(15):
        assert secret not in client.get(f"/systems/{client_id}").content.decode()
    renewed = client.post(f"/systems/{client_id}/secret").content.decode()
    assert 'id="secret">' in renewed and secret not in renewed
    client.post(f"/systems/{client_id}/end")
    assert store.system_named(client_id).ended_at is not None


def test_pages_ask_the_database_little(party, signed_in, allow, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        signed_in.get(party.question())
    allow()
    with django_assert_max_num_queries(15):
        signed_in.get("/account/apps")


def test_whoever_asks_for_a_sign_in_of_this_moment_gets_it_once_and_is_not_sent_in_circles(
    party, signed_in, person
):
    asked = party.question(max_age="0")
    away = signed_in.get(asked)
    assert away.status_code == 302 and "/sign-in" in away["Location"]
    back = parse_qs(urlsplit(away["Location"]).query)["next"][0]
    signed_in.post("/sign-in", {"username": "zhou", "password": "a long password", "next": back})
    assert signed_in.get(back).status_code == 200
    assert signed_in.get(party.question(max_age="9" * 20)).status_code == 200


def test_a_program_without_a_secret_that_listens_on_this_machine_is_allowed_anew_each_time(signed_in, party):
    local = store.add_system(
        "某桌面程序", purpose="查看", redirect_uris=["http://127.0.0.1:9000/back"], scopes=["profile"], actor=None,
        now=timezone.now(), public=True,
    )  # fmt: skip
    local_party = type(party)(local, "http://127.0.0.1:9000/back")
    assert local_party.code(signed_in.post(local_party.question(), {"decision": "allow"}))
    # Any program may open this port and take the name: a silent code would be its own.
    assert signed_in.get(local_party.question()).status_code == 200
    silent = signed_in.get(local_party.question(prompt="none"))
    assert "error=consent_required" in silent["Location"]
