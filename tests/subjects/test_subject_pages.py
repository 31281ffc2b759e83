"""Pages and calls of runs, subjects, links and returns, for those who may open them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity.api import make_token, reads_of
from chengshu.contexts.subjects import api
from chengshu.contexts.subjects.models import Dispute, Finding, Return

from .conftest import ANNA, FAR, NOW


@pytest.fixture
def run(base, staff):
    base.tables["public-security.residents"].append(["", "没有号", "", "", FAR, "2026-10-01"])
    return base.build()


def test_a_steward_sees_the_run_with_its_sources_refusals_and_findings(client, base, staff, run):
    client.force_login(staff.steward)
    assert run.run_id in client.get(reverse("subjects:runs")).content.decode()
    page = client.get(reverse("subjects:run", args=[run.run_id])).content.decode()
    assert "public-security.residents" in page and "主键为空" in page and "一人两处居住" in page
    assert f"list=refused&amp;run={run.run_id}&amp;source=public-security.residents" in page


def test_personal_values_are_masked_until_a_purpose_is_given_and_the_read_is_on_record(
    client, base, staff, run
):
    subject = base.find("王安娜")
    client.force_login(staff.steward)
    address = reverse("subjects:subject", args=[subject])
    page = client.get(address).content.decode()
    assert ANNA not in page and "王安娜" not in page and "residents.csv" in page
    assert reads_of(subject)[1] == 0
    shown = client.post(address, {"purpose": "stewardship"})
    assert ANNA in shown.content.decode() and shown["Cache-Control"] == "no-store"
    assert reads_of(subject)[1] == 1


def test_a_purpose_that_the_role_may_not_have_is_refused(client, base, staff, run):
    client.force_login(staff.steward)
    answer = client.post(reverse("subjects:subject", args=[base.find("王安娜")]), {"purpose": "own-data"})
    assert answer.status_code >= 400 and ANNA not in answer.content.decode()


def test_a_steward_corrects_by_hand_and_looks_at_the_links(client, base, staff, run):
    subject = base.find("王安娜")
    client.force_login(staff.steward)
    form = {"value": "13911111111", "reason": "本人来电"}
    assert client.post(reverse("subjects:correct", args=[subject, "person.phone"]), form).status_code == 302
    assert api.effective_record(subject).values["person.phone"] == "13911111111"
    page = client.get(reverse("subjects:links", args=[subject])).content.decode()
    assert "health.patients:a" in page
    form = {"act": "unlink", "u-records": ["health.patients:a"], "u-reason": "不是同一人"}
    assert client.post(reverse("subjects:links", args=[subject]), form).status_code == 302
    assert api.decisions(subject)


def test_the_search_page_finds_by_the_beginning_of_a_name(client, base, staff, run):
    client.force_login(staff.operator)
    page = client.get(reverse("subjects:search"), {"q": "深圳市腾达"}).content.decode()
    assert "深圳市腾达科技有限公司" in page
    assert "没有找到" in client.get(reverse("subjects:search"), {"q": "没有这个"}).content.decode()


def test_a_department_works_its_returns_on_pages_and_by_the_api(client, base, staff, run):
    subject = base.find("李伯特")
    api.apply_correction(subject, "person.address", FAR, actor_name="核查", now=NOW, idempotency_key="1")
    api.apply_correction(
        base.find("王安娜"), "person.phone", "=1+1", actor_name="核查", now=NOW, idempotency_key="2"
    )
    first, second, third = Return.objects.order_by("department", "pk")
    client.force_login(staff.public_security)
    page = client.get(reverse("subjects:returns")).content.decode()
    assert second.record_id in page and first.record_id not in page
    assert "list=returns" in page
    asked = {"purpose": "correction-review", "reason": "登记到本局的系统", "now": timezone.now()}
    for full in (False, True):
        export = hall.exports.ask(staff.public_security, "returns", {}, full=full, **asked)
        hall.exports.run(timezone.now())
        text = (
            hall.exports.file_of(export.number, staff.public_security, timezone.now())[1]
            .read_bytes()
            .decode("utf-8-sig")
        )
        assert (("'=1+1" in text) and (FAR in text)) is full and export.number in text
    assert reads_of(subject)[1] > 0
    assert client.get(reverse("subjects:return", args=[first.pk])).status_code == 404
    client.post(reverse("subjects:return", args=[second.pk]), {"act": "dispute", "reason": "走访过"})
    dispute = Dispute.objects.get()
    client.force_login(staff.data_bureau)
    assert client.get(reverse("subjects:dispute", args=[dispute.pk])).status_code == 200
    form = {"uphold": "no", "reason": "照片为证"}
    assert client.post(reverse("subjects:dispute", args=[dispute.pk]), form).status_code == 302
    second.refresh_from_db()
    assert second.state == "upheld"
    from datetime import timedelta

    token = make_token(
        staff.public_security, "x", ["returns:read", "returns:write"], timedelta(days=1), timezone.now()
    )
    call = {"HTTP_AUTHORIZATION": f"Bearer {token.secret}"}
    client.logout()
    listed = client.get("/api/v1/returns", {"state": "open"}, **call).json()
    assert listed["total"] == 1 and listed["items"][0]["corrected_value"] != "=1+1"
    whole = client.get(f"/api/v1/returns/{third.pk}", **call).json()
    assert (
        whole["corrected_value"] == "=1+1"
        and client.get(f"/api/v1/returns/{first.pk}", **call).status_code == 404
    )
    done = client.post(
        f"/api/v1/returns/{third.pk}/accept", {"note": ""}, content_type="application/json", **call
    )
    assert done.json()["state"] == "accepted"
    assert (
        client.post(
            f"/api/v1/returns/{first.pk}/accept", {}, content_type="application/json", **call
        ).status_code
        == 404
    )


def test_findings_are_listed_by_kind(client, base, staff, run):
    client.force_login(staff.steward)
    page = client.get(reverse("subjects:findings"), {"kind": "two-homes"}).content.decode()
    assert Finding.objects.get(kind="two-homes").case_id in page
