"""The service finds the person: by a stated law, one offer, which nobody else sees; declined it stays declined."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.offers.models import Offer, OfferRun
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages

from .conftest import NOW, PACK, childbirth_facts

CHILD = "440306202506100028"


def entry(account, number, born="2025-06-10", child=CHILD):
    """Give a parent the certificate that their child stands in the household register."""
    claims = [
        {"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": value, "en": value}}
        for name, value in (("birth_date", born), ("child_id", child), ("child_name", "王小满"))
    ]
    return Certificate.objects.create(
        number=number, type="household-entry", case_id=f"X{number[-4:]}", title_zh="户口登记", title_en="Entry",
        holder="王小满", holder_account=str(account.pk), claims=json.dumps(claims), department="public-security",
        valid_from=dt.date(2026, 1, 1), issued_at=NOW, changed_at=NOW,
    )  # fmt: skip


def search():
    (run,) = hall.find_entitled(f"r{OfferRun.objects.count()}", NOW, [PACK])
    return run


@pytest.fixture
def offered(anna):
    entry(anna, "HK-2026-0001")
    search()
    return Offer.objects.get()


def test_who_is_entitled_is_told_once_and_by_which_law(anna, offered):
    assert offered.subject_id == anna.subject_id
    run = OfferRun.objects.get()
    assert (run.looked_at, run.entitled, run.fresh) == (1, 1, 1)
    assert run.grounds == ["measures:3", "family:27", "house:3"]
    assert ledger.entries_for(f"offers:{PACK}")
    search()
    assert Offer.objects.count() == 1
    assert [message.subject_zh for message in messages.messages_of(anna, NOW)] == ["您可以领取生育补贴"]


def test_a_child_over_three_or_one_that_has_it_brings_no_offer(anna):
    entry(anna, "HK-2026-0002", born="2022-01-01", child="440306202201010028")
    cases.open_case(PACK, childbirth_facts(), opened_by=anna, idempotency_key="c", now=NOW)
    entry(anna, "HK-2026-0001")  # this child's subsidy is applied for already
    run = search()
    assert (run.looked_at, run.entitled) == (2, 0)
    assert not Offer.objects.exists()


def test_nobody_but_me_sees_my_offer(anna, staff, browser, offered):
    assert "您可以领取生育补贴" in browser.get("/my/offers").content.decode()
    other = Client()
    other.force_login(staff.bert)
    assert "您可以领取生育补贴" not in other.get("/my/offers").content.decode()
    assert other.post(f"/my/offers/{offered.pk}/accept").status_code == 404
    (figures,) = hall.offer_figures()
    assert figures.made is None  # one person is too few to count out


def test_one_press_opens_the_application_and_the_case_is_tied_to_the_offer(anna, browser, offered):
    answer = browser.post(f"/my/offers/{offered.pk}/accept")
    assert answer.status_code == 302 and PACK in answer["Location"]
    assert browser.get(answer["Location"]).status_code == 200
    case_id = cases.open_case(PACK, childbirth_facts(), opened_by=anna, idempotency_key="c", now=NOW)
    offered.refresh_from_db()
    assert (offered.state, offered.case_id) == ("accepted", case_id)


def test_declined_it_stays_declined(browser, offered):
    browser.post(f"/my/offers/{offered.pk}/decline")
    search()
    assert [row.state for row in Offer.objects.all()] == ["declined"]


def test_an_offer_lapses_when_the_certificate_is_gone(offered):
    Certificate.objects.update(state="revoked")
    search()
    offered.refresh_from_db()
    assert offered.state == "lapsed"


def test_one_that_lapsed_opens_again_when_one_is_entitled_again(anna, offered):
    Certificate.objects.update(state="revoked")
    search()
    Certificate.objects.update(state="active")
    assert search().fresh == 1
    offered.refresh_from_db()
    assert (offered.state, offered.answered_at) == ("open", None)
    assert messages.messages_of(anna, NOW).count() == 1


def test_of_two_children_the_one_that_was_taken_up_is_tied_and_none_is_guessed(anna, staff, browser):
    entry(anna, "HK-2026-0001")
    entry(anna, "HK-2026-0002", child="440306202506100036")
    search()
    assert messages.messages_of(anna, NOW).count() == 2
    first, second = Offer.objects.order_by("pk")
    # Opened for somebody else, it is nobody's offer here.
    behalf = {"subject_id": staff.bert.subject_id, "by": "mandate", "mandate": 7}
    more = {"child_id": "440306202506100044"}
    cases.open_case(
        PACK, childbirth_facts(**more), opened_by=anna, idempotency_key="b", now=NOW, on_behalf=behalf
    )
    cases.open_case(PACK, childbirth_facts(), opened_by=anna, idempotency_key="c", now=NOW)
    assert set(Offer.objects.values_list("state", "case_id")) == {("open", "")}
    browser.post(f"/my/offers/{second.pk}/accept")
    other = {"child_id": "440306202506100036"}
    case_id = cases.open_case(PACK, childbirth_facts(**other), opened_by=anna, idempotency_key="d", now=NOW)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.case_id) == ("open", case_id)


def test_only_the_accounts_of_holders_are_read_a_piece_at_a_time(anna, monkeypatch):
    from chengshu.contexts.hall.offers import finding
    from chengshu.contexts.identity import api as identity

    for number in range(20):
        identity.save_account(
            f"r{number}", display_name="某", role="resident", subject_id=f"P00000080{number:02}"
        )
    for number in range(3):
        entry(anna, f"HK-2026-000{number}", child=f"44030620250610003{number}")
    read, accounts = [], identity.accounts

    def counted(**how):
        found = accounts(**how)
        read.append(len(found))
        return found

    monkeypatch.setattr(identity, "accounts", counted)
    monkeypatch.setattr(finding, "PIECE", 2)
    _pack, rule = finding.rule_of(PACK)
    assert [subject for subject, *_ in finding.candidates(rule, NOW.date())] == [anna.subject_id] * 3
    assert read == [1, 1], "the holder's, once for each piece; none of the twenty others"


def test_those_without_an_account_do_not_stand_before_the_others(anna, monkeypatch):
    from chengshu.contexts.hall.offers import finding

    monkeypatch.setattr(finding, "PIECE", 2)
    for number in range(3):
        row = entry(anna, f"HK-2026-000{number}", child=f"44030620250610003{number}")
        Certificate.objects.filter(pk=row.pk).update(holder_account="", holder_id=f"P000000009{number}")
    entry(anna, "HK-2026-0009")
    search()
    assert messages.messages_of(anna, NOW).count() == 1
