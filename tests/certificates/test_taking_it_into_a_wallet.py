"""A wallet of somebody else's making takes a certificate over real HTTP; a thief of the code, the token or a nonce does not."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest
from joserfc.jwk import ECKey
from wallet import Wallet

from chengshu.contexts.certificates import api, offers, selective
from chengshu.contexts.certificates.models import Certificate, Offer, WalletCredential
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem


@pytest.fixture
def held(step, opened, district, settings, live_server, monkeypatch):
    settings.PUBLIC_URL = live_server.url
    monkeypatch.setattr(
        "chengshu.contexts.certificates.issuing._applicant", lambda case_id: str(district.resident.pk)
    )
    step.now = dt.datetime.now(dt.UTC)
    step(
        opened, "issue_certificate", type="training", holder="张晓明", valid_from=step.now.date() - dt.timedelta(days=2),
        claims={"name": "张晓明", "course": "消防设施操作", "birth_date": "1990-01-05"},
    )  # fmt: skip
    return Certificate.objects.get()


@pytest.fixture
def offered(held, district):
    offer, tx_code = offers.make_offer(held, district.resident, dt.datetime.now(dt.UTC))
    return Wallet(offers.offer_link(offer)), tx_code


def test_the_wallet_takes_three_credentials_bound_to_three_keys_of_its_own(offered, held):
    wallet, tx_code = offered
    taken = wallet.take(tx_code, 3)
    now = dt.datetime.now(dt.UTC)
    places = set()
    for text, key in zip(taken, wallet.keys, strict=True):
        shown = selective.present(text, ["age_over_18"], key, audience="bar", nonce="n", now=now)
        verdict = api.verify(shown.encode(), now)
        assert (verdict.ok, verdict.claims) == (True, {"age_over_18": True})
        import json

        from chengshu.contexts.certificates import suites

        body = json.loads(suites.unb64(text.split(".")[1]))
        places.add((body["status"]["status_list"]["uri"], body["status"]["status_list"]["idx"]))
    assert len(places) == 3
    assert set(WalletCredential.objects.values_list("told", flat=True)) == {"credential_accepted"}


def test_a_revoked_certificate_and_a_lost_phone_are_refused_at_the_next_look(offered, held, step):
    wallet, tx_code = offered
    first, second = wallet.take(tx_code, 2)
    now = dt.datetime.now(dt.UTC)
    offers.withdraw(held, WalletCredential.objects.order_by("pk").first().pk, now)
    assert api.verify(first.encode(), now).state == "revoked" and api.verify(second.encode(), now).ok
    step(held.case_id, "suspend_certificate", type="training", reason="核查")
    assert api.verify(second.encode(), now).state == "suspended"
    step(held.case_id, "revoke_certificate", type="training", reason="撤销")
    assert api.verify(second.encode(), now).state == "revoked"


def test_without_the_six_digits_the_offer_opens_nothing_and_closes_after_five_tries(offered):
    wallet, tx_code = offered
    wrong = f"{(int(tx_code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert wallet.get_token(wrong).json()["error"] == "invalid_grant"
    assert wallet.get_token(tx_code).status_code == 400


def test_an_offer_is_taken_once_and_ends(offered, held, district):
    wallet, tx_code = offered
    wallet.take(tx_code)
    assert wallet.get_token(tx_code).json()["error"] == "invalid_grant"
    offer, tx_code = offers.make_offer(held, district.resident, dt.datetime.now(dt.UTC))
    Offer.objects.filter(pk=offer.pk).update(expires_at=dt.datetime.now(dt.UTC))
    import requests

    assert requests.get(f"{offers.issuer_id()}/offers/{offer.reference}").status_code == 404
    with pytest.raises(offers.WalletRefusal):
        offers.take_token(offers.PRE_AUTHORIZED, offer.code, tx_code, dt.datetime.now(dt.UTC))


def test_a_proof_that_is_old_foreign_replayed_or_of_a_private_key_is_refused(offered):
    wallet, tx_code = offered
    wallet.get_token(tx_code)
    key, nonce = ECKey.generate_key("P-256"), wallet.nonce()

    def error(*proofs, **more):
        return wallet.get_credentials(list(proofs), **more).json()["error"]

    good = wallet.proof(nonce, key)
    assert error(wallet.proof(nonce, key, aud="https://elsewhere.example")) == "invalid_proof"
    assert error(wallet.proof(nonce, key, iat=int(time.time()) - 4000)) == "invalid_proof"
    assert error(wallet.proof("1.made-up.ffff", key)) == "invalid_nonce"
    assert error(good, good) == "invalid_proof"
    assert error(good, credential_identifier="TRAINI-2026-999999") == "unknown_credential_identifier"
    assert error() == "invalid_proof" and error("x.y.z") == "invalid_proof"
    assert wallet.get_credentials([good]).status_code == 200
    assert error(wallet.proof(nonce, ECKey.generate_key("P-256"))) == "invalid_nonce"
    wallet.token["access_token"] = "stolen"
    refused = wallet.get_credentials([good])
    assert refused.status_code == 401 and "invalid_token" in refused.headers["WWW-Authenticate"]


def test_only_the_holder_makes_an_offer_and_the_page_shows_code_and_digits(held, district, client):
    with pytest.raises(Problem):
        offers.make_offer(held, district.worker, dt.datetime.now(dt.UTC))
    client.force_login(district.resident)
    page = client.post(f"/my/certificates/{held.number}/wallet").content.decode()
    assert re.search(r">\d{6}<", page) and "<svg" in page and "openid-credential-offer://" in page
    stranger = identity.save_account("other", display_name="旁人", role="resident")
    other = type(client)()
    other.force_login(stranger)
    assert other.get(f"/my/certificates/{held.number}/wallet").status_code == 404


def test_the_metadata_says_what_the_specification_asks(held, client):
    said = client.get("/.well-known/openid-credential-issuer/oid4vci").json()
    training = said["credential_configurations_supported"]["training"]
    assert training["format"] == "dc+sd-jwt" and training["vct"].endswith("/credential-types/training")
    assert training["proof_types_supported"] == {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
    assert said["batch_credential_issuance"]["batch_size"] == 10
    assert (
        client.get("/.well-known/oauth-authorization-server/oid4vci")
        .json()["token_endpoint"]
        .endswith("/token")
    )


def test_a_wallet_that_signed_its_holder_in_fetches_with_that_token_and_only_their_own(
    held, district, offered
):
    from oauth2_provider.models import get_access_token_model, get_application_model

    app = get_application_model().objects.create(
        name="wallet", client_type="public", authorization_grant_type="authorization-code"
    )
    wallet, _ = offered
    key, now = ECKey.generate_key("P-256"), dt.datetime.now(dt.UTC)

    def fetch(account, scope):
        token = f"token-{account.pk}-{scope}"
        get_access_token_model().objects.create(
            user=account, token=token, application=app, scope=scope, expires=now + dt.timedelta(hours=1)
        )
        wallet.token = {"access_token": token, "authorization_details": [{"credential_identifiers": ["x"]}]}
        proof = wallet.proof(wallet.nonce(), key)
        return wallet.get_credentials(
            [proof], credential_identifier=None, credential_configuration_id="training"
        )

    assert wallet.metadata["authorization_servers"][1] == wallet.issuer.removesuffix("/oid4vci")
    taken = fetch(district.resident, "openid openid4vci")
    assert taken.status_code == 200, taken.text
    assert fetch(district.resident, "openid").status_code == 401
    assert fetch(district.worker, "openid4vci").json()["error"] == "unknown_credential_identifier"


def test_a_certificate_that_has_run_out_does_not_stand_before_one_in_force_and_its_keeping_is_told(
    held, district
):
    now = dt.datetime.now(dt.UTC)
    identity.relink(district.resident, "P000000002Z")
    Certificate.objects.update(holder_account="", holder_id="P000000002Z")
    over = Certificate.objects.get(pk=held.pk)
    over.pk, over.number, over.case_id, over.valid_to = None, "T-OVER", "other", dt.date(2020, 1, 1)
    over.issued_at = held.issued_at + dt.timedelta(days=1)
    over.save()
    grant = offers.Grant(str(district.resident.pk))
    found = offers._asked_for(grant, {"credential_configuration_id": "training"}, now)
    assert found.number == held.number
    issue = held.issues.get()
    WalletCredential.objects.create(
        issue=issue, holder_kid="k", status_list=issue.status_list, status_index=7, notification="n-1", issued_at=now
    )  # fmt: skip
    offers.take_notice(grant, {"event": "credential_accepted", "notification_id": "n-1"})
    assert WalletCredential.objects.get().told == "credential_accepted"


def test_what_no_database_could_look_for_is_refused(client, db):
    for text in ('{"notification_id": "\\u0000"}', '{"notification_id": "\\ud800"}', "[" * 5_000):
        for path in ("credential", "notification"):
            answer = client.generic(
                "POST",
                f"/oid4vci/{path}",
                text,
                content_type="application/json",
                headers={"Authorization": "Bearer x"},
            )
            assert answer.status_code in (400, 401), answer.content
