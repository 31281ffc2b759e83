"""A person rates a service: once, in five grades, anonymously if they like; a bad grade is followed up."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.ratings import api as ratings
from chengshu.contexts.hall.ratings import giving, statistics, tickets
from chengshu.contexts.hall.ratings.domain import Count
from chengshu.contexts.hall.ratings.giving import Said
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.identity.api import windows
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY, days_later
from tests_support.hall_people import HOUR, withdrawn_case

BAD = Said(2, ("slow", "too-many-visits"), "等了三周", False)


def service_of(case_id, number=1):
    return Service.objects.get(reference=f"case:{case_id}", round=number)


def rate(case_id, said, account=None, number=1, via="portal"):
    return giving.rate(
        service_of(case_id, number),
        said,
        via=via,
        account_id=account.pk if account else None,
        now=MONDAY + 2 * HOUR,
    )


def test_everyone_whose_case_ended_is_invited_and_nobody_is_picked(people):
    case_ids = [withdrawn_case(account, key=f"k{n}") for n, account in enumerate((people.me, people.other))]
    assert [row.invited_at for row in Service.objects.order_by("pk")] == [MONDAY + HOUR] * 2
    told = messages.messages_of(people.me, MONDAY + 2 * HOUR).filter(subject_zh="请您评价这次服务").get()
    assert tickets.link_code(service_of(case_ids[0]).pk) in told.body_zh


def test_what_the_office_opens_for_itself_is_no_service(people):
    cases.open_case(
        "rating-return-visit",
        {"rating_id": 1, "department": "housing", "item": "x", "channel": "hall", "grade": "dissatisfied", "reachable": False},
        idempotency_key="own", now=MONDAY,
    )  # fmt: skip
    assert not Service.objects.exists()


def test_a_service_is_rated_once_and_the_database_holds_it(people):
    case_id = withdrawn_case(people.me)
    rate(case_id, Said(5, ("fast",)), people.me)
    with pytest.raises(Problem) as refused:
        rate(case_id, Said(1, anonymous=True))
    assert refused.value.code == "already-rated"
    ticket = Rating.objects.values_list("ticket", flat=True).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(ticket=ticket, grade=1, pack="x", given_at=MONDAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(ticket="0" * 64, grade=6, pack="x", given_at=MONDAY)


def test_an_open_case_is_not_rated_and_no_reason_is_made_up(people):
    case_id = withdrawn_case(people.me)
    row = service_of(case_id)
    row.ended_at = None
    with pytest.raises(Problem, match="还没有结束"):
        giving.rate(row, Said(5), via="portal", account_id=None, now=MONDAY)
    for said in (Said(5, ("rude",)), Said(1, ("fast",)), Said(6), Said(3, comment="长" * 1001)):
        with pytest.raises(Problem) as refused:
            rate(case_id, said)
        assert refused.value.code == "rating-form"


def test_an_anonymous_rating_leads_to_nobody_and_still_counts_once(people):
    case_id = withdrawn_case(people.me)
    given = rate(case_id, Said(1, ("rude",), "窗口没人理", True), people.me)
    row = Rating.objects.get()
    assert (row.service_id, row.account_id, row.contact) == (None, None, "")
    assert row.given_at.astimezone(timezone.get_default_timezone()).strftime("%H:%M") == "00:00"
    facts = cases.case_facts(given.follow_up)["facts"]
    assert facts.get("service_case") is None and facts["reachable"] is False
    assert case_id not in str(facts)
    # The row cannot be made to name somebody afterwards.
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.filter(pk=row.pk).update(account_id=people.me.pk)
    with pytest.raises(Problem):
        rate(case_id, Said(5))


def test_a_bad_grade_is_mended_called_back_by_others_and_rated_once_more(people):
    case_id = withdrawn_case(people.me)
    # The hotline centre's officer took part in serving: the return visit is not theirs.
    Service.objects.filter(reference=f"case:{case_id}").update(
        served_by=[str(people.visitor.pk)], department="housing"
    )
    given = rate(case_id, BAD, people.me)
    follow_up, day = given.follow_up, days_later(1)

    def step(name, data, actor):
        return cases.command(
            follow_up, name, data, actor=actor, expected_version=None, idempotency_key=None, now=day
        )

    step("accept", {}, people.officer)
    step("mend", {"cause": "delay", "measures": "增加窗口"}, people.second)
    visit = {"visit": "satisfied", "visit_text": "电话回访"}
    with pytest.raises(Problem) as refused:
        step("visit", visit, people.visitor)
    assert refused.value.code == "guard-refused"
    step("visit", visit, people.desk)
    again = service_of(case_id, 2)
    assert again.account_id == people.me.pk and again.invited_at == day
    rate(case_id, Said(4), people.me, number=2)
    with pytest.raises(Problem):
        rate(case_id, Said(1), people.me, number=2)
    # A bad second grade opens no third round, and second grades do not wash the first ones.
    assert statistics.counted("department")[0].figures.bad == 1
    assert statistics.second_ratings().good == 1


def test_a_grade_that_is_set_aside_stays_in_the_total_with_its_ground(people):
    case_id = withdrawn_case(people.me)
    given = rate(case_id, BAD, people.me)
    department = Rating.objects.get().department
    officer = people.officer
    officer.department_id = department
    officer.save()

    def step(name, data, actor):
        cases.command(
            given.follow_up,
            name,
            data,
            actor=actor,
            expected_version=None,
            idempotency_key=None,
            now=days_later(1),
        )

    step("accept", {}, officer)
    step("contest", {"contest": "not-this-service", "contest_text": "说的是公交"}, officer)
    with pytest.raises(Problem):
        step("set_aside", {"examined": "自己说了算"}, officer)
    step("set_aside", {"examined": "与本事项无关"}, people.operator)
    figures = statistics.counted("department")[0].figures
    assert (figures.ended, figures.rated, figures.set_aside, figures.bad, figures.good) == (1, 1, 1, 0, 0)
    assert statistics.set_aside() == {"not-this-service": 1}


def test_no_rating_is_not_a_good_one(people):
    for number in range(4):
        withdrawn_case(people.me, key=f"n{number}")
    rate(cases.case_of_key("n0"), Said(5), people.me)
    figures = statistics.counted("pack")[0].figures
    assert (figures.ended, figures.rated, figures.unrated, figures.good) == (4, 1, 3, 1)
    assert Count(ended=10, grades={5: 4, 4: 0, 3: 0, 2: 0, 1: 0}).telling is False


def test_a_rating_of_an_earlier_service_does_not_stand_for_one_of_the_month(people):
    for number in range(3):
        withdrawn_case(people.me, key=f"n{number}")
    Service.objects.filter(reference=f"case:{cases.case_of_key('n0')}").update(ended_at=days_later(-60))
    rate(cases.case_of_key("n0"), Said(5), people.me)
    rate(cases.case_of_key("n1"), Said(4, anonymous=True), people.me)
    figures = statistics.counted("pack", since=days_later(-30))[0].figures
    assert (figures.ended, figures.rated, figures.unrated, figures.answered) == (2, 2, 1, 1)
    ever = statistics.whole(statistics.counted("pack"))
    assert (ever.ended, ever.unrated, ever.heard) == (3, 1, 3)


def test_whoever_stays_anonymous_reads_and_rates_the_result_by_the_receipt(people):
    case_id = withdrawn_case(people.me)
    Service.objects.filter(reference=f"case:{case_id}").update(department="housing")
    given = rate(case_id, Said(2, ("slow",), anonymous=True))

    def step(name, data, actor):
        cases.command(
            given.follow_up,
            name,
            data,
            actor=actor,
            expected_version=None,
            idempotency_key=None,
            now=days_later(1),
        )

    step("accept", {}, people.officer)
    step("mend", {"cause": "delay", "measures": "增加窗口"}, people.officer)
    step("publish", {"result_text": "已增加两个窗口"}, people.desk)
    browser = Client()
    page = browser.post("/hall/ratings/receipt", {"code": given.receipt.lower().replace("-", " ")})
    assert "已增加两个窗口" in page.content.decode()
    browser.post("/hall/ratings/receipt", {"code": given.receipt, "grade": "4"})
    browser.post("/hall/ratings/receipt", {"code": given.receipt, "grade": "1"})
    assert [row.grade for row in Rating.objects.filter(round=2)] == [4]
    assert browser.post("/hall/ratings/receipt", {"code": "AAAA-AAAA-AAAA-AAAA"}).status_code == 422


def test_rating_by_the_link_works_without_a_script_in_two_short_pages(people, client):
    case_id = withdrawn_case(people.me)
    link = f"/hall/ratings/give/{tickets.link_code(service_of(case_id).pk)}"
    assert "非常不满意" in client.get(link).content.decode()
    page = client.get(f"{link}?grade=1").content.decode()
    assert "窗口无人" in page and "办得快" not in page
    done = client.post(f"{link}?grade=1", {"reasons": ["slow"], "comment": "慢", "anonymous": "on"})
    assert "回执号" in done.content.decode()
    assert "已经评价过" in client.get(link).content.decode()
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert client.get(forged).status_code == 404


def test_the_person_finds_the_rating_on_the_case_and_nobody_else_does(people, client):
    case_id = withdrawn_case(people.me)
    assert ratings.case_panel(case_id, people.officer, MONDAY) == []
    assert ratings.case_panel(case_id, people.other, MONDAY) == []
    (line,) = ratings.case_panel(case_id, people.me, MONDAY)
    client.force_login(people.me)
    assert client.get(f"/my/ratings/new?case={case_id}").url == line.url
    client.force_login(people.other)
    assert client.get(f"/my/ratings/new?case={case_id}").status_code == 404


def test_each_turn_at_the_window_counts_whether_or_not_the_clerk_shows_the_code(people, client):
    now = timezone.now()
    served = windows.begin(people.clerk, people.me.subject_id, "王*", windows.Ground("present"), now)
    client.force_login(people.clerk)
    assert client.get(f"/window/ratings/{served.pk}").status_code == 302
    windows.end(people.clerk, now)
    assert ratings.take_in_windows(now) == 1
    assert ratings.take_in_windows(now) == 0
    page = client.get(f"/window/ratings/{served.pk}").content.decode()
    assert "<svg" in page and "at=hall" in page
    (row,) = Service.objects.all()
    assert (row.channel, row.served_by, row.department) == ("hall", [str(people.clerk.pk)], "data-bureau")


def test_whoever_serves_does_not_rate_for_the_person(people, client):
    now = timezone.now()
    served = windows.begin(people.clerk, people.me.subject_id, "王*", windows.Ground("present"), now)
    windows.end(people.clerk, now)
    ratings.take_in_windows(now)
    link = f"/hall/ratings/give/{tickets.link_code(Service.objects.get().pk)}"
    for account in (people.clerk, people.officer, people.desk, people.operator):
        client.force_login(account)
        refused = client.post(f"{link}?grade=5&at=hall", {})
        assert refused.status_code == 403 and "自己的手机" in refused.content.decode()
    assert served.pk and not Rating.objects.exists()
    assert "谢谢" in Client().post(f"{link}?grade=5&at=hall", {"comment": ""}).content.decode()


def test_the_grade_is_bound_to_the_ledger(people):
    rate(withdrawn_case(people.me), Said(3), people.me)
    row = Rating.objects.get()
    assert ledger.entries_for(f"rating:{row.pk}")
    assert giving.rating_payload(row)["grade"] == "3"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_give_one_rating(people):
    case_id = withdrawn_case(people.me)
    row, failed = service_of(case_id), []

    def once():
        try:
            giving.rate(row, Said(5), via="portal", account_id=people.me.pk, now=MONDAY + 2 * HOUR)
        except (Problem, DatabaseError) as refused:
            # The database in memory may also say that the table is locked; a file waits.
            failed.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Rating.objects.count() == 1 and len(failed) == 1
