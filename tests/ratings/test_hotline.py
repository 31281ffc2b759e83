"""A person turns to the hotline, with or without an account; it comes to its end, is opened again, rated."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline import alike, taking
from chengshu.contexts.hall.hotline.models import ContactLook, HotlineContact, HotlineRequest
from chengshu.contexts.hall.hotline.taking import Asked
from chengshu.contexts.hall.ratings import giving
from chengshu.contexts.hall.ratings.giving import Said
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.hall_people import HOUR, say

FORM = {
    "kind": "complaint", "topic": "roads", "content": "路灯不亮", "place": "创业一路", "contact": "open", "name": "王五",
    "phone": "13700000001",
}  # fmt: skip
NAMED = {"anonymous": False, "name": "王五", "phone": "13700000001"}
DISPATCH = {"to_department": "housing", "kind": "complaint", "urgent": False}
REPLY = {"result": "solved", "reply": "已修好", "public_reply": "路灯已修复"}


def asked(**changed):
    return Asked(
        **{
            "kind": "complaint",
            "topic": "roads",
            "content": "路灯不亮",
            "channel": "portal",
            "anonymous": True,
            **changed,
        }
    )


def settled(people, case_id):
    say(case_id, "dispatch", DISPATCH, people.desk, MONDAY + HOUR)
    say(case_id, "claim", {}, people.officer, MONDAY + 2 * HOUR)
    say(case_id, "reply", REPLY, people.officer, MONDAY + 3 * HOUR)
    say(case_id, "visit", {"visit": "satisfied", "visit_text": "满意"}, people.visitor, MONDAY + 4 * HOUR)


def code_in(page):
    return re.search(r'code receipt">([A-Z2-7-]{19})<', page.content.decode())[1]


def test_without_an_account_one_asks_and_follows_by_a_code(people):
    browser = Client()
    form = {**FORM, "key": str(uuid.uuid4())}
    wrong = browser.post("/hotline/new", {**form, "phone": ""})
    assert wrong.status_code == 422 and "请填写，或者选择匿名" in wrong.content.decode()
    done = browser.post("/hotline/new", form)
    row, code = HotlineRequest.objects.get(), code_in(done)
    key = {"number": row.pk, "code": code.lower()}
    assert "待派单" in browser.post("/hotline/follow", key).content.decode()
    assert (
        browser.post("/hotline/follow", {"number": row.pk, "code": "AAAA-AAAA-AAAA-AAAA"}).status_code == 422
    )
    browser.post("/hotline/follow", {**key, "do": "supplement", "text": "今晚又不亮", "key": "a"})
    settled(people, row.pk)
    page = browser.post("/hotline/follow", key).content.decode()
    assert "要求重办" in page and "路灯已修复" in page and "/hall/ratings/give/" in page
    browser.post("/hotline/follow", {**key, "do": "reopen", "text": "还是不亮", "key": "b"})
    row.refresh_from_db()
    assert row.state == "working" and not row.closed
    # Opened again it is still one service, rated once.
    assert Service.objects.filter(case_id=row.pk).count() == 1


@pytest.mark.parametrize("contact", ["anonymous", "confidential"])
def test_signed_in_one_stays_unknown_to_the_department_all_the_same(people, client, contact):
    people.me.display_name = "欧阳某"
    people.me.save()
    client.force_login(people.me)
    named = {"name": "", "phone": ""} if contact == "anonymous" else {}
    done = client.post("/hotline/new", {**FORM, **named, "contact": contact, "key": str(uuid.uuid4())})
    row = HotlineRequest.objects.get()
    assert code_in(done) and f"/cases/{row.pk}" not in done.content.decode()
    settled(people, row.pk)
    view = cases.case_view(row.pk, people.officer, now=MONDAY + 5 * HOUR)
    assert "欧阳某" not in str(view)
    assert cases.case_brief(row.pk).opened_by == "system" and not Service.objects.get().account_id
    assert client.post("/hotline/follow", {"number": row.pk, "code": code_in(done)}).status_code == 200


def test_pressed_twice_it_is_one_request_with_its_code_and_changed_it_is_another(client, people):
    form = {**FORM, "contact": "anonymous", "name": "", "phone": "", "key": str(uuid.uuid4())}
    first, second = client.post("/hotline/new", form), client.post("/hotline/new", form)
    assert HotlineRequest.objects.count() == 1 and code_in(first) == code_in(second)
    # Back on the page and another matter written: it is not lost under the number of the first.
    other = client.post("/hotline/new", {**form, "content": "井盖松动"})
    assert HotlineRequest.objects.count() == 2 and code_in(other) != code_in(first)


def test_a_confidential_contact_and_its_request_are_kept_both_or_neither(people, monkeypatch):
    def broken(**_values):
        raise RuntimeError("disk full")

    kept = HotlineContact.objects.get_or_create
    monkeypatch.setattr(HotlineContact.objects, "get_or_create", broken)
    with pytest.raises(RuntimeError):
        taking.take(asked(confidential=True, **NAMED), opened_by=None, key="k", now=MONDAY)
    monkeypatch.setattr(HotlineContact.objects, "get_or_create", kept)
    taken = taking.take(asked(confidential=True, **NAMED), opened_by=None, key="k", now=MONDAY)
    assert taken.code and HotlineContact.objects.get(pk=taken.case_id).phone == NAMED["phone"]


def test_a_clerk_types_for_whoever_calls_and_reads_out_the_code(people, client):
    client.force_login(people.clerk)
    done = client.post(
        "/hotline/new", {**FORM, "contact": "anonymous", "name": "", "phone": "", "key": str(uuid.uuid4())}
    )
    assert "读给来电人" in done.content.decode() and code_in(done)
    row = HotlineRequest.objects.get()
    assert row.channel == "phone" and Service.objects.get().channel == "hotline"
    assert cases.case_brief(row.pk).opened_by == str(people.clerk.pk)


def test_the_person_with_an_account_follows_it_and_is_asked_to_rate(people, client):
    client.force_login(people.me)
    client.post("/hotline/new", {**FORM, "key": str(uuid.uuid4())})
    row = HotlineRequest.objects.get()
    settled(people, row.pk)
    assert messages.messages_of(people.me, MONDAY + 9 * HOUR).filter(subject_zh="请您评价这次服务").exists()
    assert client.get(f"/cases/{row.pk}").status_code in (200, 301)
    say(row.pk, "reopen", {"again": "还是不亮"}, people.me, MONDAY + 5 * HOUR)
    assert HotlineRequest.objects.get().state == "working"


def test_everyone_sees_what_was_asked_about_and_nobody_by_whom(people, client):
    taken = taking.take(asked(**NAMED), opened_by=people.me, key="k", now=MONDAY)
    settled(people, taken.case_id)
    page = client.get("/hotline/").content.decode()
    assert taken.case_id in page and "路灯已修复" in page
    assert "王五" not in page and "13700000001" not in page and "路灯不亮" not in page


def test_confidence_holds_against_the_department_and_each_look_is_on_record(people, client):
    taken = taking.take(
        asked(confidential=True, **NAMED),
        opened_by=None,
        key="k",
        now=MONDAY,
    )
    settled(people, taken.case_id)
    view = cases.case_view(taken.case_id, people.officer, now=MONDAY + 5 * HOUR)
    assert "王五" not in str(view) and "13700000001" not in str(view)
    client.force_login(people.officer)
    assert client.get(f"/hotline/desk/{taken.case_id}").status_code == 404
    client.force_login(people.desk)
    assert "13700000001" not in client.get(f"/hotline/desk/{taken.case_id}").content.decode()
    assert "13700000001" in client.post(f"/hotline/desk/{taken.case_id}", {"reason": "回访"}).content.decode()
    look = ContactLook.objects.get()
    assert (look.account_id, look.reason) == (people.desk.pk, "回访") and ledger.entries_for(
        f"case:{taken.case_id}"
    )
    HotlineContact.objects.update(erased_at=MONDAY)
    with pytest.raises(Problem):
        alike.look_at_contact(taken.case_id, people.desk, "再看", MONDAY)


def test_the_same_matter_is_merged_into_one_and_everyone_is_told(people):
    first = taking.take(asked(), opened_by=None, key="1", now=MONDAY).case_id
    second = taking.take(asked(**NAMED), opened_by=people.me, key="2", now=MONDAY).case_id
    other = taking.take(asked(topic="market"), opened_by=None, key="3", now=MONDAY).case_id
    assert [row.pk for row in alike.alike(HotlineRequest.objects.get(pk=second))] == [first]
    for wrong in (second, "C000", ""):
        with pytest.raises(Problem):
            say(second, "merge", {"into": wrong}, people.desk, MONDAY + HOUR)
    say(second, "merge", {"into": first}, people.desk, MONDAY + HOUR)
    with pytest.raises(Problem):
        say(other, "merge", {"into": second}, people.desk, MONDAY + HOUR)
    settled(people, first)
    told = (
        messages.messages_of(people.me, MONDAY + 9 * HOUR)
        .filter(case_id=second)
        .values_list("body_zh", flat=True)
    )
    assert "路灯已修复" in list(told)


def test_a_guide_is_offered_where_somebody_knows_guides(people, client):
    taken = taking.take(
        asked(kind="consultation", topic="service", content="怎么办居住证"),
        opened_by=None,
        key="k",
        now=MONDAY,
    )
    known = list(alike._answers)
    try:
        alike.register_answers(lambda text: [alike.Guide("440306-1", "居住证办理", "/hall/items/440306-1")])
        client.force_login(people.desk)
        assert "居住证办理" in client.get(f"/hotline/desk/{taken.case_id}").content.decode()
    finally:
        alike._answers[:] = known


def test_what_is_erased_in_a_case_is_erased_beside_it(people):
    taken = taking.take(asked(confidential=True, **NAMED), opened_by=people.me, key="k", now=MONDAY)
    settled(people, taken.case_id)
    service = Service.objects.get(case_id=taken.case_id)
    said = Said(5, ("polite",), "谢谢王师傅")
    giving.rate(service, said, via="portal", account_id=people.me.pk, now=MONDAY + 6 * HOUR)
    cases.erase_personal(taken.case_id, MONDAY + 7 * HOUR)
    contact = HotlineContact.objects.get(pk=taken.case_id)
    assert (contact.name, contact.phone) == ("", "") and contact.erased_at is not None
    rating = Rating.objects.get()
    assert (rating.comment, rating.grade) == ("", 5)
