"""An officer takes a list out: masked, watermarked, on record for everyone in it; the statistics leave nobody out."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.exports import lists, producing, watermark
from chengshu.contexts.hall.exports.kinds import KINDS
from chengshu.contexts.hall.exports.models import Export
from chengshu.contexts.hall.hotline import taking
from chengshu.contexts.hall.hotline.models import HotlineRequest
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.ratings import giving, rates, statistics
from chengshu.contexts.hall.ratings.giving import Said
from chengshu.contexts.hall.ratings.models import Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.hall_people import HOUR, ME, say, withdrawn_case

PUBLIC = [
    "/hall/ratings/", "/hall/ratings/?by=pack", "/hall/ratings/?by=channel", "/hall/ratings/receipt", "/hall/statistics",
    "/hotline/", "/hotline/new", "/hotline/follow", "/open311/v2/requests.json", "/api/v1/ratings",
]  # fmt: skip
WHY = {"purpose": "case-work", "reason": "核对本月诉求"}


def request_of(people, number, confidential=False):
    asked = taking.Asked(
        "complaint",
        "roads",
        "路灯不亮",
        "portal",
        name="王五六",
        phone="13700000001",
        confidential=confidential,
    )
    case_id = taking.take(asked, opened_by=people.me, key=f"r{number}", now=MONDAY).case_id
    say(
        case_id,
        "dispatch",
        {"to_department": "housing", "kind": "complaint", "urgent": False},
        people.desk,
        MONDAY + HOUR,
    )
    return case_id


def made(actor, kind="hotline", full=False, now=MONDAY, **filters):
    row = producing.ask(actor, kind, filters, **WHY, full=full, now=now)
    producing.run(now)
    row.refresh_from_db()
    return row


def lines_of(row, actor, now=MONDAY):
    content = producing.file_of(row.number, actor, now)[1].read_bytes()
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_list_comes_masked_with_its_watermark_and_the_persons_see_it(people):
    for number in range(3):
        request_of(people, number)
    row = made(people.officer)
    assert (row.state, row.rows, row.persons) == ("ready", 3, 1)
    top, head, *body, bottom = lines_of(row, people.officer)
    assert (
        row.number in top[0]
        and "核对本月诉求" in top[0]
        and people.officer.display_name in top[0]
        and bottom == top
    )
    assert head[-1] == "校验码" and all("13700000001" not in line and "王五六" not in line for line in body)
    reads, _total = identity.reads_of(ME)
    assert any(
        read.actor_name == people.officer.display_name and read.purpose == "case-work" for read in reads
    )
    assert ledger.entries_for(f"export:{row.number}")


def test_whole_values_only_where_the_role_may_and_said_so(people):
    request_of(people, 1)
    assert any("13700000001" in line for line in lines_of(made(people.officer, full=True), people.officer))
    for actor, kind, full, reason in (
        (people.operator, "hotline", True, "核对本月诉求"),
        (people.me, "hotline", False, "核对本月诉求"),
        (people.officer, "subjects", False, "核对本月诉求"),
        (people.officer, "payments", False, "核对本月诉求"),
        (people.officer, "hotline", False, "看看"),
        (people.officer, "unknown", False, "核对本月诉求"),
    ):
        with pytest.raises(Problem):
            producing.ask(actor, kind, {}, purpose="case-work", reason=reason, full=full, now=MONDAY)


def test_a_department_has_its_own_rows_and_confidence_is_in_no_list(people):
    request_of(people, 1, confidential=True)
    stranger = people.treasurer
    assert made(stranger).rows == 0
    body = lines_of(made(people.officer, full=True), people.officer)
    assert len(body) == 4 and "13700000001" not in str(body)


def test_only_who_asked_fetches_it_and_only_for_a_day(people, client):
    row = made(people.officer, now=timezone.now())
    client.force_login(people.second)
    assert client.get(f"/exports/{row.number}/file").status_code == 404
    client.force_login(people.operator)
    assert row.number in client.get("/exports/").content.decode()
    assert client.get(f"/exports/{row.number}/file").status_code == 404
    client.force_login(people.officer)
    answer = client.get(f"/exports/{row.number}/file")
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    later = timezone.now() + producing.LIFE
    path = next(producing.folder().rglob(row.digest))
    producing.run(later)
    assert not path.exists() and Export.objects.get().state == "expired"
    with pytest.raises(Problem):
        producing.file_of(row.number, people.officer, later)


def test_a_leaked_copy_leads_to_who_took_it_even_by_one_row(people, client):
    for number in range(4):
        request_of(people, number)
    first, second = made(people.officer), made(people.second)
    assert first.fingerprint != second.fingerprint
    leaked = lines_of(second, people.second)[3][-1]
    assert producing.trace(leaked) == second
    assert producing.trace("0" * 10) is None and producing.trace("x") is None
    order = watermark.order_of(first.fingerprint, 50)
    assert sorted(order) == list(range(50)) and order != watermark.order_of(second.fingerprint, 50)
    client.force_login(people.operator)
    assert second.number in client.post("/exports/trace", {"code": leaked}).content.decode()


def test_a_worker_that_dies_leaves_a_job_that_runs_again_and_what_fails_says_so(people, monkeypatch):
    row = producing.ask(people.officer, "ratings", {}, **WHY, full=False, now=MONDAY)
    Export.objects.filter(pk=row.pk).update(leased_until=MONDAY + producing.LEASE, attempts=1)
    assert producing.run(MONDAY) == 0
    assert producing.run(MONDAY + producing.LEASE) == 1
    broken = producing.ask(people.officer, "ratings", {}, **WHY, full=False, now=MONDAY)
    monkeypatch.setattr(KINDS["ratings"].make, "__code__", (lambda actor, asked, full, now: 1 / 0).__code__)
    for number in range(producing.MOST_ATTEMPTS):
        producing.run(MONDAY + (number + 1) * 2 * producing.LEASE)
    broken.refresh_from_db()
    assert broken.state == "failed" and "ZeroDivisionError" in broken.error


def test_a_list_that_is_cut_says_so_and_keeps_the_newest(people, monkeypatch):
    monkeypatch.setattr(lists, "MOST_ROWS", 2)
    numbers = [request_of(people, number) for number in range(3)]
    HotlineRequest.objects.filter(pk=numbers[1]).update(requested_at=MONDAY - HOUR)
    table = lines_of(made(people.desk), people.desk)
    assert "另有 1 行没有导出" in table[0][0]
    assert {line[0] for line in table[2:-1]} == {numbers[0], numbers[2]}


def test_who_changed_the_desk_meanwhile_gets_no_list_of_everyone(people):
    request_of(people, 1)
    row = producing.ask(people.officer, "hotline", {}, **WHY, full=True, now=MONDAY)
    people.officer.role, people.officer.department_id = "grid_worker", None
    people.officer.save()
    producing.run(MONDAY)
    row.refresh_from_db()
    assert row.state == "failed" and row.rows == 0


def test_what_is_on_nobodys_record_does_not_stay_on_the_disk(people, monkeypatch):
    request_of(people, 1)
    row = producing.ask(people.desk, "hotline", {}, **WHY, full=False, now=MONDAY)

    def broken(*_args, **_more):
        raise RuntimeError("the database is away")

    monkeypatch.setattr(identity, "record_reads", broken)
    before = set(producing.folder().rglob("*"))
    assert producing.run(MONDAY) == 0
    assert {path for path in set(producing.folder().rglob("*")) - before if path.is_file()} == set()
    Export.objects.filter(pk=row.pk).update(attempts=producing.MOST_ATTEMPTS, leased_until=None)
    producing.run(MONDAY)
    row.refresh_from_db()
    assert row.state == "failed"


def test_payments_leave_the_pages_only_by_an_export(people, client):
    client.force_login(people.treasurer)
    answer = client.get("/cases/payments.csv?state=paid")
    assert answer.status_code == 302 and answer.url.startswith("/exports/new?list=payments&state=paid")
    page = client.post(
        answer.url, {"purpose": "case-work", "reason": "核对付款情况", "state": "paid", "format": "xlsx"}
    )
    assert page.status_code == 302 and Export.objects.get().filters == {"state": "paid"}


def test_promised_and_actual_times_and_the_three_rates_say_their_numbers(people, client):
    phone = {"HTTP_USER_AGENT": "Mozilla/5.0 (iPhone) Mobile"}
    withdrawn_case(people.me)
    Service.objects.filter(pack="childbirth-subsidy").update(channel="mobile", papers=2)
    withdrawn_case(people.other, key="c2")
    found = statistics.actual_rates()
    assert [(each.part, each.whole) for each in found.values()] == [(1, 2), (2, 2), (1, 2)]
    (line,) = statistics.times()
    # Thirty days to confirm were the applicant's own: the office promised nothing yet.
    assert (line.ended, line.late, line.actual_days, line.promised_days) == (2, 0, 0.0, None)
    assert client.get("/hall/statistics", **phone).status_code == 200


def test_a_matter_that_nobody_ends_stands_in_the_figures_and_was_late_once_and_for_all(people, client):
    case_id = request_of(people, 1)
    say(case_id, "claim", {}, people.officer, MONDAY + 2 * HOUR)
    later = MONDAY + dt.timedelta(days=30)
    cases.sweep(later)
    (line,) = [each for each in statistics.times() if each.code == "housing"]
    assert (line.ended, line.open, line.open_late) == (0, 1, 1)
    assert "在办已超期" in client.get("/hall/statistics").content.decode()
    # Its term begins anew: the service was late all the same.
    say(case_id, "reply", {"result": "solved", "reply": "已修好"}, people.officer, later)
    say(case_id, "visit", {"visit": "dissatisfied", "visit_text": "没修好"}, people.visitor, later + HOUR)
    say(case_id, "reply", {"result": "solved", "reply": "已修好"}, people.officer, later + 2 * HOUR)
    say(case_id, "visit", {"visit": "satisfied", "visit_text": "好了"}, people.visitor, later + 3 * HOUR)
    assert Service.objects.get(case_id=case_id).late


def test_what_was_promised_is_the_answer_not_the_days_to_reopen_it(people):
    case_id = request_of(people, 1)
    say(case_id, "claim", {}, people.officer, MONDAY + 2 * HOUR)
    say(case_id, "reply", {"result": "solved", "reply": "已修好"}, people.officer, MONDAY + 3 * HOUR)
    say(case_id, "visit", {"visit": "satisfied", "visit_text": "满意"}, people.visitor, MONDAY + 4 * HOUR)
    row = Service.objects.get(case_id=case_id)
    # Claimed on 23 November; five working days end on the 30th.
    assert timezone.localtime(row.promised_at).date() <= dt.date(2026, 12, 1) and not row.late
    assert {str(people.officer.pk), str(people.visitor.pk), str(people.desk.pk)} == set(row.served_by)


def test_the_rates_over_items_count_what_is_not_stated_against_them(db):
    def item(code, visits, online, materials, audiences=("自然人",)):
        Item.objects.create(
            code=code, name=code, kind="01", department_name="局", area_code="440306", visits=visits, online=online,
            body={"audiences": list(audiences), "materials": materials}, digest="0" * 64, changed_at=MONDAY, source="t",
        )  # fmt: skip

    item("a-1", 0, True, ["居民身份证原件"])
    item("a-2", None, True, [])
    item("a-3", 1, False, ["身份证", "授权委托书"])
    item("a-4", 0, True, ["营业执照"], ("企业法人",))
    found = rates._counted()
    assert [(each.part, each.whole) for each in found.values()] == [(3, 4), (2, 4), (1, 3)]


def test_the_pages_ask_few_questions_of_the_database(people, client, django_assert_max_num_queries):
    for number in range(6):
        withdrawn_case(people.me, key=f"q{number}")
        request_of(people, number)
        giving.rate(Service.objects.get(reference=f"case:{cases.case_of_key(f'q{number}')}"), Said(1 + number % 5),
                    via="portal", account_id=people.me.pk, now=MONDAY + 2 * HOUR)  # fmt: skip
    made(people.officer)
    code = HOUR and cases.case_of_key("r0")
    pages = {
        None: PUBLIC,
        people.me: ["/my/ratings/"],
        people.officer: ["/hall/ratings/department", "/exports/", "/exports/new?list=hotline",
                         "/exports/new?list=tasks&light=red"],
        people.operator: ["/hall/ratings/department", "/exports/", "/exports/trace", "/hotline/keys"],
        people.desk: [f"/hotline/desk/{code}"],
    }  # fmt: skip
    for account, urls in pages.items():
        if account is not None:
            client.force_login(account)
        for url in urls:
            client.get(url)
            with django_assert_max_num_queries(15):
                assert client.get(url).status_code == 200, url


def test_the_interface_gives_an_export_as_the_pages_do(people, client):
    request_of(people, 1)
    client.force_login(people.officer)
    asked = {"kind": "hotline", **WHY}
    token = identity.make_token(
        people.officer, "t", ["exports:read", "exports:write"], dt.timedelta(days=1), timezone.now()
    )
    head = {"HTTP_AUTHORIZATION": f"Bearer {token.secret}"}
    answer = client.post("/api/v1/exports", asked, content_type="application/json", **head)
    assert answer.status_code == 202
    producing.run(timezone.now())
    (row,) = client.get("/api/v1/exports", **head).json()
    assert row["state"] == "ready"
    answer = client.get(f"/api/v1/exports/{row['number']}/file", **head)
    assert row["number"] in b"".join(answer.streaming_content).decode()
