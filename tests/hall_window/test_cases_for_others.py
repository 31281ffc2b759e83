"""What is applied for at the window or under a mandate is the person's own: theirs to see, the other's while they act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import services
from chengshu.contexts.cases.models import Case
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates, windows
from chengshu.site.simulation.samples import read_samples

PACK, MOTHER = "childbirth-subsidy", "P0000000017"


def browser(username, role, **fields):
    account = identity.save_account(username, role=role, **{"display_name": username, **fields})
    client = Client()
    client.force_login(account)
    client.account = account
    return client


@pytest.fixture
def town(db):
    cases.need_shipped(PACK, timezone.now())
    for code in ("health", "data-bureau"):
        identity.save_department(code, code, code)


@pytest.fixture
def mother(town):
    return browser("mother", "resident", display_name="欧阳娜", subject_id=MOTHER)


def apply_for(client, key="k1", **headers):
    facts = dict(read_samples(cases.current_files(PACK)).openings[0].facts)
    return client.post(
        f"/api/v1/services/{PACK}/cases", {"facts": facts}, content_type="application/json",
        headers={"Idempotency-Key": key, **headers},
    )  # fmt: skip


def test_a_case_taken_in_at_the_window_is_the_persons_and_the_clerk_sees_it_while_serving(mother):
    clerk = browser("许佳", "clerk", department="data-bureau")
    row = windows.begin(clerk.account, MOTHER, "欧阳*", windows.Ground("present"), timezone.now())
    session = clerk.session
    session["acting"] = {"by": "window", "id": row.pk}
    session.save()
    opened = apply_for(clerk)
    assert opened.status_code == 201, opened.content
    case_id = opened.json()["case_id"]
    kept = Case.objects.get(pk=case_id)
    assert (kept.principal, kept.opened_by) == (MOTHER, str(clerk.account.pk))
    assert '"window"' in kept.on_behalf and "许佳" in str(
        cases.case_view(case_id, mother.account, now=timezone.now())
    )
    assert clerk.get(f"/cases/{case_id}").status_code == 200
    clerk.post("/acting/leave")
    assert clerk.get(f"/cases/{case_id}").status_code == 404
    assert mother.get(f"/cases/{case_id}").status_code == 200


def test_an_agent_applies_within_the_scope_and_sees_it_until_the_mandate_ends(mother):
    agent = browser("agent", "resident", display_name="李明")
    today = timezone.localdate()
    numbers = []
    for scope in ((PACK,), ("newborn",)):
        terms = identity.Terms(scope, False, today, today + timedelta(days=9))
        row = mandates.offer(
            identity.Principal(MOTHER, "欧阳娜"), agent.account, terms, by=mother.account, now=timezone.now()
        )
        numbers.append(mandates.accept(row.pk, agent.account, timezone.now()).pk)
    refused = apply_for(agent, "k2", **{"X-Mandate": str(numbers[1])})
    assert refused.status_code == 403 and refused.json()["code"] == "acting-scope"
    opened = apply_for(agent, "k3", **{"X-Mandate": str(numbers[0])})
    assert opened.status_code == 201, opened.content
    case_id = opened.json()["case_id"]
    assert Case.objects.get(pk=case_id).principal == MOTHER
    assert agent.get(f"/cases/{case_id}").status_code == 200
    mandates.revoke(numbers[0], mother.account, "", timezone.now())
    assert agent.get(f"/cases/{case_id}").status_code == 404
    assert mother.get(f"/cases/{case_id}").status_code == 200
    late = apply_for(agent, "k4", **{"X-Mandate": str(numbers[0])})
    assert late.status_code == 403 and late.json()["code"] == "mandate-not-in-force"


def test_a_draft_begun_under_one_mandate_is_not_submitted_under_another_that_does_not_cover_it(mother):
    agent = browser("agent", "resident", display_name="李明")
    today = timezone.localdate()
    numbers = []
    for scope in ((PACK,), ("newborn",)):
        terms = identity.Terms(scope, False, today, today + timedelta(days=9))
        row = mandates.offer(
            identity.Principal(MOTHER, "欧阳娜"), agent.account, terms, by=mother.account, now=timezone.now()
        )
        numbers.append(mandates.accept(row.pk, agent.account, timezone.now()).pk)
    agent.post("/my/mandates/act", {"for": f"mandate:{numbers[0]}"})
    draft = agent.post(f"/services/{PACK}/start")["Location"]
    facts = read_samples(cases.current_files(PACK)).openings[0].facts
    cases.drafts.save(int(draft.rstrip("/").rpartition("/")[2]), agent.account, facts, timezone.now())
    assert agent.get(f"{draft.rstrip('/')}/check").status_code == 200
    mandates.revoke(numbers[0], mother.account, "", timezone.now())
    agent.post("/my/mandates/act", {"for": f"mandate:{numbers[1]}"})
    for address in (draft, f"{draft.rstrip('/')}/check"):
        assert agent.get(address).status_code == 403
        assert agent.post(f"{draft.rstrip('/')}/check").status_code == 403
    assert not Case.objects.exists()


def test_whoever_acts_for_another_does_not_fill_in_what_is_held_about_themselves(mother, monkeypatch):
    asked = []
    monkeypatch.setattr(services, "first_value", lambda *_args, **named: asked.append(named["subject_id"]))
    opening = services.Opening(
        cases.current_pack(PACK), mother.account, {}, {}, timezone.now(), "P0000000025"
    )
    opening.views(opening.all_fields(), prefill=True)
    assert set(asked) == {"P0000000025"}
