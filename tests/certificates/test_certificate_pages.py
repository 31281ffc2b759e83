"""The holder downloads and shows; an officer lists; a stranger learns nothing; anyone verifies."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chengshu.contexts.certificates import store
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from tests_support.casework import MONDAY


@pytest.fixture
def held(certificate, district, monkeypatch):
    # The pages' own clock: the day after it was issued.
    monkeypatch.setattr("django.utils.timezone.now", lambda: MONDAY + dt.timedelta(days=1))
    Certificate.objects.update(
        holder_account=str(district.resident.pk),
        department="ip-office",
        holder="张晓明",
        holder_id="P000000002Z",
    )
    identity.save_account("ip", display_name="赵审", role="officer", department="ip-office")
    certificate.refresh_from_db()
    return certificate


def page(client, address, account=None):
    if account is not None:
        client.force_login(account)
    return client.get(address)


def test_the_holder_sees_and_downloads_it(client, held, district):
    assert "DI-2026-000001" in page(client, "/my/certificates/", district.resident).content.decode()
    shown = page(client, f"/certificates/{held.number}").content.decode()
    assert "停车泊位数据集" in shown and "<svg" in shown
    assert client.get(f"/certificates/{held.number}/pdf").content.startswith(b"%PDF")
    assert client.get(f"/certificates/{held.number}/credential").content.count(b".") == 2
    assert client.get(f"/certificates/{held.number}/receipt").json()["salt"]
    listed = client.get("/api/v1/certificates").json()["items"]
    assert [item["number"] for item in listed] == [held.number]
    assert client.get(f"/api/v1/certificates/{held.number}/credential").json()["format"] == "vc+jwt"


def test_nobody_else_does(client, held, district):
    for account in (district.worker, district.officer, district.operator):
        for part in ("", "/pdf", "/credential", "/receipt"):
            assert page(client, f"/certificates/{held.number}{part}", account).status_code == 404
        assert client.get(f"/api/v1/certificates/{held.number}/credential").status_code == 404


def test_an_officer_lists_masked_and_opens_on_record(client, held, district):
    officer = identity.account_named("ip")
    listed = page(client, "/certificates/issued/", officer).content.decode()
    assert held.number in listed and "张晓明" not in listed and "张**" in listed
    assert "张晓明" in page(client, f"/certificates/{held.number}", officer).content.decode()
    reads, total = identity.reads_of("P000000002Z")
    assert total == 1 and reads[0].actor_name == "赵审"
    assert held.number not in page(client, "/certificates/issued/", district.officer).content.decode()


def test_anyone_verifies_by_file_text_or_number(client, held):
    made = held.issues.get()
    pdf = SimpleUploadedFile("c.pdf", store.read(made.pdf_digest), content_type="application/pdf")
    assert "真实，有效" in client.post("/verify/", {"file": pdf}).content.decode()
    assert "真实，有效" in client.post("/verify/", {"text": made.credential}).content.decode()
    assert "真实，有效" in client.get(made.qr_text.removeprefix("http://hub.example")).content.decode()
    by_number = client.post("/verify/", {"text": held.number.lower()}).content.decode()
    assert "张**" in by_number and "停车泊位" not in by_number
    assert "不是真实的" in client.post("/verify/", {"text": "DI-2026-999999"}).content.decode()
    assert client.post("/verify/", {}).status_code == 422
    assert client.post("/api/v1/verify", {"text": made.credential}, content_type="application/json").json()[
        "in_force"
    ]


def test_machines_find_keys_status_and_trust(client, held):
    # The district issued it, before the test gave it to the office.
    keys = client.get("/issuers/district").json()["keys"]
    assert keys[0]["alg"] == "ES256" and "d" not in keys[0]
    status = client.get("/status/1/revocation")
    assert status.status_code == 200 and status.headers["Content-Type"] == "application/vc+jwt"
    assert client.get("/status/9/revocation").status_code == 404
    assert client.get("/verify/trust-list.json").json()["format"] == "chengshu-trust/1"
    assert client.get("/issuers/nobody").status_code == 404


def test_a_mandate_for_some_matters_does_not_open_all_certificates_and_one_for_every_matter_does(
    client, held, db
):
    agent = identity.save_account("agent", display_name="李明", role="resident")
    client.force_login(agent)
    today, now = MONDAY.date(), MONDAY + dt.timedelta(days=1)
    for scope, every, seen in ((("childbirth-subsidy",), False, False), ((), True, True)):
        row = identity.mandates.offer(
            identity.Principal("P000000002Z", "张晓明"), agent,
            identity.Terms(scope, every, today, today + dt.timedelta(days=30)), by=agent, now=now,
        )  # fmt: skip
        identity.mandates.accept(row.pk, agent, now)
        client.post("/my/mandates/act", {"for": f"mandate:{row.pk}"})
        assert (held.number in client.get("/my/certificates/").content.decode()) is seen


def test_staff_see_their_own_as_their_own_and_a_look_at_anothers_names_what_was_seen(client, held):
    clerk = identity.save_account("c", display_name="许佳", role="clerk", subject_id=held.holder_id)
    assert page(client, f"/certificates/{held.number}", clerk).status_code == 200
    assert identity.reads_of(held.holder_id)[1] == 0
    page(client, f"/certificates/{held.number}", identity.account_named("ip"))
    assert identity.reads_of(held.holder_id)[0][0].elements == ("certificate.data-ip", "person.name")
