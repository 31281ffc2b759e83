"""Somebody lets another act for them: offered, accepted, used within its days and matters, revoked; all in the ledger."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone
from identity_people import NOW

from chengshu.contexts.identity import acting, api, mandates, windows
from chengshu.contexts.identity.models import MandateEvent, PersonalRead, WindowSession
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.canonical import salted_digest
from chengshu.kernel.problems import Problem

MOTHER, FIRM, CHILD = "P0000000017", "F0000000019", "P0000000033"
TODAY = timezone.localdate(NOW)
TERMS = api.Terms(("newborn",), False, TODAY, TODAY + timedelta(days=30))


@pytest.fixture
def agent(people):
    return api.save_account("agent", display_name="李明", role="resident", subject_id="P0000000025")


@pytest.fixture
def firm():
    """The record names the resident as the firm's legal representative."""
    known = list(acting._firms)

    def firms(account, one=""):
        return [api.Represented(FIRM, "某公司")] if account.subject_id == MOTHER and one in ("", FIRM) else []

    acting.register_firms(firms)
    yield api.Principal(FIRM, "某公司")
    acting._firms[:] = known


def offered(people, agent, terms=TERMS, now=NOW):
    principal = api.Principal(MOTHER, "王芳")
    return mandates.offer(principal, agent, terms, by=people["resident"], now=now)


def request_of(account, **session):
    request = RequestFactory().get("/")
    request.user, request.session = account, session
    return request


def test_a_mandate_holds_only_once_it_is_accepted_and_within_its_days(people, agent):
    row = offered(people, agent)
    assert not mandates.acts_for(agent, MOTHER, NOW)
    mandates.accept(row.pk, agent, NOW)
    assert mandates.acts_for(agent, MOTHER, NOW)
    assert mandates.acts_for(agent, MOTHER, NOW + timedelta(days=30))
    assert not mandates.acts_for(agent, MOTHER, NOW + timedelta(days=31))
    assert not mandates.acts_for(agent, MOTHER, NOW - timedelta(days=1))
    assert not mandates.acts_for(people["resident"], "P0000000025", NOW), (
        "it does not work the other way round"
    )


def test_it_covers_its_matters_and_no_other(people, agent):
    row = offered(people, agent)
    mandates.accept(row.pk, agent, NOW)
    now_acting = acting.resolve(agent, {"by": "mandate", "id": row.pk}, NOW)
    assert now_acting.may("newborn") and not now_acting.may("open-a-restaurant")
    assert (now_acting.subject_id, now_acting.by, now_acting.mandate_id) == (MOTHER, "mandate", row.pk)
    assert now_acting.on_behalf() == {"subject_id": MOTHER, "by": "mandate", "mandate": row.pk}
    assert mandates.acts_for(agent, MOTHER, NOW, "newborn")
    assert not mandates.acts_for(agent, MOTHER, NOW, "open-a-restaurant")


def test_revoking_ends_it_on_the_very_next_page(people, agent):
    row = mandates.accept(offered(people, agent, now=timezone.now()).pk, agent, timezone.now())
    session = {"acting": {"by": "mandate", "id": row.pk}}
    assert api.acting(request_of(agent, **session)).by == "mandate"
    mandates.revoke(row.pk, people["resident"], "不需要了", timezone.now())
    request = request_of(agent, **session)
    assert api.acting(request).by == "self" and api.acting(request).subject_id == agent.subject_id
    assert "acting" not in request.session and request.acting_ended


def test_a_mandate_of_somebody_else_cannot_be_taken_up(people, agent):
    row = mandates.accept(offered(people, agent).pk, agent, NOW)
    for choice in (
        {"by": "mandate", "id": row.pk},
        {"by": "window", "id": 1},
        {"by": "record", "id": FIRM},
        {},
    ):
        assert acting.resolve(people["resident"], choice, NOW) is None


@pytest.mark.parametrize("who", ["officer", "other"])
def test_only_the_two_sides_may_touch_it(people, agent, who):
    row = offered(people, agent)
    stranger = people["officer"] if who == "officer" else api.save_account(
        "other", display_name="某", role="resident", subject_id="P0000000041"
    )  # fmt: skip
    for act in (
        lambda: mandates.accept(row.pk, stranger, NOW),
        lambda: mandates.refuse(row.pk, stranger, "", NOW),
        lambda: mandates.revoke(row.pk, stranger, "", NOW),
        lambda: mandates.proof(row.pk, stranger),
    ):
        with pytest.raises(Problem) as caught:
            act()
        assert caught.value.status == 404


def test_what_was_refused_or_revoked_cannot_be_accepted_later(people, agent):
    row = offered(people, agent)
    mandates.refuse(row.pk, agent, "不方便", NOW)
    with pytest.raises(Problem):
        mandates.accept(row.pk, agent, NOW)
    late = offered(people, agent)
    with pytest.raises(Problem):
        mandates.accept(late.pk, agent, NOW + timedelta(days=31))


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (api.Terms((), False, TODAY, TODAY), "mandate-without-scope"),
        (api.Terms((), True, TODAY, TODAY - timedelta(days=1)), "mandate-days"),
        (api.Terms((), True, TODAY, TODAY + timedelta(days=4 * 366)), "mandate-too-long"),
    ],
)
def test_a_mandate_says_for_what_and_until_when(people, agent, terms, code):
    with pytest.raises(Problem) as caught:
        offered(people, agent, terms)
    assert caught.value.code == code


def test_a_user_name_with_another_name_is_refused_like_an_unknown_one(people, agent):
    assert mandates.agent_named("agent", "李明", NOW) == agent
    answers = set()
    for username, name in (("agent", "李四"), ("nobody", "李明"), ("steward", "某steward")):
        with pytest.raises(Problem) as caught:
            mandates.agent_named(username, name, NOW)
        answers.add((caught.value.code, str(caught.value.title)))
    assert len(answers) == 1


def test_each_act_has_a_leaf_that_the_two_sides_can_prove(people, agent):
    row = mandates.accept(offered(people, agent).pk, agent, NOW)
    mandates.revoke(row.pk, people["resident"], "到期前收回", NOW)
    ledger.sequence(NOW)
    assert [event.act for event in MandateEvent.objects.order_by("pk")] == ["offered", "accepted", "revoked"]
    for said, event in zip(mandates.proof(row.pk, agent), MandateEvent.objects.order_by("pk"), strict=True):
        digest = salted_digest(said["mandate"], bytes.fromhex(said["salt"]))
        assert ledger.entry(event.leaf_id).digest == digest
        assert said["receipt"]


def test_the_legal_representative_acts_at_once_and_gives_mandates_for_the_firm(people, agent, firm):
    me = people["resident"]
    found = acting.resolve(me, {"by": "record", "id": FIRM}, NOW)
    assert (found.subject_id, found.by, found.mandate_id, found.may("anything")) == (
        FIRM,
        "mandate",
        None,
        True,
    )
    row = mandates.accept(mandates.offer(firm, agent, TERMS, by=me, now=NOW).pk, agent, NOW)
    assert mandates.acts_for(agent, FIRM, NOW)
    mandates.revoke(row.pk, me, "", NOW)
    assert not mandates.acts_for(agent, FIRM, NOW)
    with pytest.raises(Problem):
        mandates.principal_for(agent, FIRM)


def test_reading_for_another_needs_a_mandate_in_force_and_is_on_record(people, agent):
    with pytest.raises(Problem) as caught:
        api.record_read(agent, MOTHER, "acting", ["person.name"], NOW)
    assert caught.value.code == "not-acting"
    mandates.accept(offered(people, agent).pk, agent, NOW)
    for _ in range(3):
        api.record_read(agent, MOTHER, "acting", ["person.name"], NOW)
    (read,), total = api.reads_of(MOTHER)
    assert total == 1 and read.actor_name == "李明" and read.purpose == "acting"
    api.record_read(agent, MOTHER, "acting", ["person.phone"], NOW)
    assert api.reads_of(MOTHER)[1] == 2
    with pytest.raises(Problem):
        api.record_read(agent, MOTHER, "acting", ["person.name"], NOW + timedelta(days=31))


def test_a_guardian_acts_until_the_day_before_the_eighteenth_birthday(people, agent):
    assert mandates.until_adult(date(2010, 5, 1), TODAY) == date(2028, 4, 30)
    assert mandates.until_adult(date(2024, 2, 29), TODAY) == date(2042, 2, 28)
    with pytest.raises(Problem):
        mandates.until_adult(date(2008, 11, 20), TODAY)


def test_long_guardianship_is_no_breach_of_the_three_years(people, agent):
    born = date(2026, 1, 5)
    terms = api.Terms((), True, TODAY, mandates.until_adult(born, TODAY))
    row = mandates.record_on_paper(
        api.Principal(CHILD, "王*"), agent, terms, paper=api.Paper("0" * 64, "户口簿.pdf"), basis="guardian",
        by=people["clerk"], now=NOW,
    )  # fmt: skip
    assert mandates.acts_for(agent, CHILD, NOW + timedelta(days=17 * 365)) and row.valid_to == date(
        2044, 1, 4
    )


def test_a_merged_subject_keeps_its_mandates(people, agent):
    mandates.accept(offered(people, agent).pk, agent, NOW)
    api.relink(people["resident"], "P0000000058")
    assert mandates.acts_for(agent, "P0000000058", NOW)


def test_a_clerk_serves_one_person_for_half_an_hour(people):
    clerk, ground = people["clerk"], windows.Ground("present")
    first = windows.begin(clerk, MOTHER, "王*", ground, NOW)
    assert mandates.serves(clerk, MOTHER, NOW + timedelta(minutes=29))
    assert not mandates.serves(clerk, MOTHER, NOW + timedelta(minutes=30))
    windows.begin(clerk, CHILD, "李*", ground, NOW + timedelta(minutes=10))
    assert not mandates.serves(clerk, MOTHER, NOW + timedelta(minutes=11))
    first.refresh_from_db()
    assert first.ended_at == NOW + timedelta(minutes=10)
    assert windows.end(clerk, NOW + timedelta(hours=3))
    assert WindowSession.objects.get(subject_id=CHILD).ended_at == NOW + timedelta(minutes=40)
    assert len(ledger.entries_for(f"window:{first.pk}")) == 2


def test_a_clerk_reads_only_whom_they_serve(people):
    clerk = people["clerk"]
    windows.begin(clerk, MOTHER, "王*", windows.Ground("present"), NOW)
    api.record_read(clerk, MOTHER, "acting", ["person.name"], NOW)
    for subject, when in ((CHILD, NOW), (MOTHER, NOW + timedelta(minutes=31))):
        with pytest.raises(Problem):
            api.record_read(clerk, subject, "acting", ["person.phone"], when)
    assert PersonalRead.objects.count() == 1


def test_a_proxy_needs_name_and_paper_and_only_clerks_serve(people):
    with pytest.raises(Problem):
        windows.begin(people["clerk"], MOTHER, "王*", windows.Ground("proxy", "张三"), NOW)
    with pytest.raises(Problem):
        windows.begin(people["officer"], MOTHER, "王*", windows.Ground("present"), NOW)
