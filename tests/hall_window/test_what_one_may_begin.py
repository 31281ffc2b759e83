"""The list of services shows each only what they may begin; all that is one's own stands one tab away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates, windows

SUBSIDY, CARD, HOTLINE = "childbirth-subsidy", "social-security-card", "citizen-hotline"
MOTHER = "P0000000017"


def browser(username, role, **fields):
    account = identity.save_account(username, role=role, **{"display_name": username, **fields})
    client = Client()
    client.force_login(account)
    client.account = account
    return client


@pytest.fixture
def town(db):
    for pack in (SUBSIDY, "seconds-service", CARD, HOTLINE):
        cases.need_shipped(pack, timezone.now())
    for code in ("health", "data-bureau"):
        identity.save_department(code, code, code)


def offered(client, address="/services/"):
    page = client.get(address).content.decode()
    return {pack for pack in (SUBSIDY, CARD, HOTLINE) if f"/hall/apply/{pack}/" in page}


def acting(client, **chosen):
    session = client.session
    session["acting"] = chosen
    session.save()


def test_a_resident_is_shown_everything_and_an_agent_what_the_mandate_covers(town):
    mother = browser("mother", "resident", subject_id=MOTHER)
    agent = browser("agent", "resident")
    assert offered(mother) == offered(agent) == {SUBSIDY, CARD, HOTLINE}
    now, today = timezone.now(), timezone.localdate()
    row = mandates.offer(
        identity.Principal(MOTHER, "欧阳娜"), agent.account,
        identity.Terms((CARD,), False, today, today + timedelta(days=9)), by=mother.account, now=now,
    )  # fmt: skip
    mandates.accept(row.pk, agent.account, now)
    acting(agent, by="mandate", id=row.pk)
    assert offered(agent) == offered(agent, "/hall/") == {CARD}


def test_a_clerk_is_shown_what_clerks_take_in_and_all_of_it_while_serving(town):
    clerk = browser("许佳", "clerk", department="data-bureau")
    assert offered(clerk) == offered(clerk, "/hall/") == {HOTLINE}
    assert "请先在窗口开始服务" in clerk.get("/services/").content.decode()
    row = windows.begin(clerk.account, MOTHER, "欧阳*", windows.Ground("present"), timezone.now())
    acting(clerk, by="window", id=row.pk)
    assert offered(clerk) == offered(clerk, "/hall/") == {SUBSIDY, CARD, HOTLINE}


def test_staff_are_shown_what_their_post_may_begin(town):
    assert offered(browser("desk", "officer", department="data-bureau")) == {HOTLINE}
    assert offered(browser("nurse", "officer", department="health")) == set()
    assert offered(browser("walker", "grid_worker")) == set()


def test_the_room_of_ones_own_data_leads_to_mandates_and_the_code_and_back(town):
    mother = browser("mother", "resident", subject_id=MOTHER)
    for address in ("/my/cases", "/my/mandates/", "/my/code"):
        page = mother.get(address).content.decode()
        assert 'class="room"' in page, address
        assert "代办与授权" in page and "市民码" in page and "我的异议" in page
