"""A holder shows part of a certificate to one person for a while; the other sees that part and no more; all is on record."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest

from chengshu.contexts.certificates.models import Certificate, Presentation
from chengshu.contexts.identity import api as identity
from tests_support.casework import MONDAY

NOW = MONDAY + dt.timedelta(days=1)


@pytest.fixture
def clock(monkeypatch):
    now = [NOW]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])
    return now


@pytest.fixture
def held(step, opened, district, monkeypatch, clock):
    identity.relink(district.resident, "P000000002Z")
    monkeypatch.setattr(
        "chengshu.contexts.certificates.issuing._applicant", lambda case_id: str(district.resident.pk)
    )
    step(
        opened, "issue_certificate", type="training", holder="张晓明", holder_id="P000000002Z",
        valid_from=dt.date(2026, 11, 23), claims={"name": "张晓明", "course": "消防设施操作", "birth_date": "1990-01-05"},
    )  # fmt: skip
    return Certificate.objects.get()


@pytest.fixture
def resident(client, district, held):
    client.force_login(district.resident)
    return client


def shown(resident, held, **more):
    said = {"disclosed": ["age_over_18"], "audience": "蓝湾酒吧", "purpose": "进门", "life": "10m"} | more
    return resident.post(f"/my/certificates/{held.number}/show", said)


def test_the_bar_sees_over_eighteen_and_nothing_else(resident, held, client, district):
    page = resident.get(f"/my/certificates/{held.number}/show").content.decode()
    assert "已满 18 周岁" in page and "checked" not in page.split('name="audience"')[0]
    assert shown(resident, held).status_code == 302
    row = Presentation.objects.get()
    visitor = type(client)()
    seen = html.unescape(visitor.get(f"/shown/{row.token}").content.decode())
    assert "真实，有效" in seen and "已满 18 周岁" in seen and "蓝湾酒吧" in seen
    assert not re.search(r"张晓明|1990|消防设施|TRAINI", seen)
    text = visitor.get(f"/shown/{row.token}/file").content.decode()
    assert text.count("~") == 2
    posted = visitor.post("/verify/", {"text": text}).content.decode()
    assert "真实，有效" in posted and "蓝湾酒吧" in posted


def test_it_is_on_the_holders_record_with_how_often_it_was_looked_at(resident, held, client):
    shown(resident, held)
    row = Presentation.objects.get()
    type(client)().get(f"/shown/{row.token}")
    assert "被查看 1 次" in resident.get("/my/certificates/shown/").content.decode()
    reads, _ = identity.reads_of("P000000002Z")
    assert [read for read in reads if read.purpose == "presented"]
    assert "certificate.training.age_over_18" in reads[0].elements
    assert "<svg" in resident.get(f"/my/certificates/shown/{row.pk}").content.decode()


def test_it_ends_by_itself_or_when_the_holder_withdraws_it(resident, held, client, clock):
    shown(resident, held)
    shown(resident, held)
    first, second = Presentation.objects.order_by("pk")
    resident.post(f"/my/certificates/shown/{first.pk}/withdraw")
    assert client.get(f"/shown/{first.token}").status_code == 404
    assert client.get(f"/shown/{second.token}").status_code == 200
    clock[0] = NOW + dt.timedelta(minutes=11)
    assert client.get(f"/shown/{second.token}").status_code == 404
    late = client.post("/verify/", {"text": second.text}).content.decode()
    assert "期限已过" in late


def test_nothing_is_shown_without_a_choice_or_a_name(resident, held):
    assert shown(resident, held, disclosed=[]).status_code == 422
    assert shown(resident, held, audience="").status_code == 422
    assert shown(resident, held, disclosed=["no_such_claim"]).status_code == 422


def test_nobody_shows_or_looks_at_anothers(held, district, client):
    identity.save_account("other", display_name="旁人", role="resident")
    row_page = f"/my/certificates/{held.number}/show"
    for account in (identity.account_named("other"), district.officer):
        visitor = type(client)()
        visitor.force_login(account)
        assert visitor.get(row_page).status_code == 404
        assert visitor.get("/my/certificates/shown/1").status_code == 404
    assert type(client)().get(row_page).status_code == 302


def test_a_suspended_certificate_is_not_shown_and_what_was_shown_says_so(resident, held, step, client):
    shown(resident, held)
    step(held.case_id, "suspend_certificate", type="training", reason="核查")
    assert "现在不能出示" in resident.get(f"/my/certificates/{held.number}/show").content.decode()
    row = Presentation.objects.get()
    assert "已暂停" in client.get(f"/shown/{row.token}").content.decode()


def test_the_list_shows_ones_own_and_asks_the_database_little(resident, held, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        assert held.number in resident.get("/my/certificates/").content.decode()
    with django_assert_max_num_queries(15):
        resident.get(f"/certificates/{held.number}")
    with django_assert_max_num_queries(15):
        resident.get(f"/my/certificates/{held.number}/show")
    shown(resident, held)
    row = Presentation.objects.get()
    for page in ("/my/certificates/shown/", f"/my/certificates/shown/{row.pk}", f"/shown/{row.token}"):
        with django_assert_max_num_queries(15):
            assert resident.get(page).status_code == 200
    with django_assert_max_num_queries(15):
        resident.get(f"/my/certificates/{held.number}/wallet")
    assert resident.get("/certificates/").status_code == 302
