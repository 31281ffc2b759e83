"""What the engine does around the steps: money, drafts, foresight, calendars, moving cases to a new pack version."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import endings, files, holidays, jobs, packs
from chengshu.contexts.cases.models import (
    CalendarYear,
    Case,
    CaseEvent,
    CaseTerm,
    DraftFile,
    Notice,
    PackVersion,
    PaymentOrder,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import workdays
from chengshu.kernel.one_look import one_look, seen
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import Actor, EffectRequest, registry
from tests_support.casework import CELL, MONDAY, days_later, firm_facts
from tests_support.engine_pack import OPINION, PERMIT, write_pack

PDF = b"%PDF-1.4 test"


@pytest.fixture
def permits(tmp_path, district):
    """The permit and its child pack, an applicant and a cashier; the folder, to write new versions in."""
    cases.load_pack_version(write_pack(tmp_path / "opinion", OPINION), MONDAY)
    cases.load_pack_version(write_pack(tmp_path / "permit", PERMIT), MONDAY)
    identity.save_department("finance", "财政局", "Finance")
    district.applicant = identity.save_account("ap", display_name="顾晓", role="resident")
    district.cashier = identity.save_account("fi", display_name="蒋芳", role="officer", department="finance")
    district.folder = tmp_path
    return district


@pytest.fixture
def own_calendar():
    """Loaded years must not outlive the test's database."""
    yield
    holidays.forget()


def permit(people, key="p1", **facts):
    return cases.open_case(
        "permit", {"title": "甲", **facts}, opened_by=people.applicant, idempotency_key=key, now=MONDAY
    )


def charge(people, **facts):
    case_id = permit(people, **facts)
    cases.command(
        case_id, "charge", {}, actor=people.officer, expected_version=1, idempotency_key=None, now=MONDAY
    )
    return case_id, PaymentOrder.objects.get(case_id=case_id)


def refused(call, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_a_fee_is_asked_for_paid_and_the_case_goes_on(permits):
    case_id, fee = charge(permits, payee="=王五")
    assert (fee.direction, fee.amount, fee.state) == ("in", 12000, "ordered")
    assert refused(cases.payments.mark_paid, fee.pk, permits.officer, "B1", MONDAY) == "payment-not-yours"
    assert refused(cases.payments.mark_paid, fee.pk, permits.cashier, " ", MONDAY) == "form-invalid"
    line = cases.payments.mark_paid(fee.pk, permits.cashier, "B1", MONDAY)
    assert line.yuan == "120.00"
    assert cases.payments.mark_paid(fee.pk, permits.cashier, "B1", MONDAY).state == "paid", "twice is once"
    assert refused(cases.payments.mark_paid, fee.pk, permits.cashier, "B2", MONDAY) == "payment-settled"
    assert cases.run_jobs(MONDAY) == 1
    case = Case.objects.get(pk=case_id)
    assert case.outcome == "granted" and json.loads(case.body)["kept"]["fee"] == 12000
    out = PaymentOrder.objects.get(case_id=case_id, direction="out")
    assert (out.payee, out.amount) == ("=王五", 5000)
    assert "=王五" not in CaseEvent.objects.filter(case_id=case_id).latest("seq").body
    cases.payments.mark_failed(out.pk, permits.cashier, "账号有误", MONDAY)
    cases.payments.mark_paid(out.pk, permits.cashier, "B3", MONDAY)
    assert not cases.check_case(case_id)
    page = cases.payments.payment_orders(permits.cashier, direction="out")
    assert page.total == 1 and page.sums == {"paid": (1, 5000)}
    assert refused(cases.payments.payment_orders, permits.officer) == "payment-not-yours"
    cases.erase_personal(case_id, MONDAY)
    assert not PaymentOrder.objects.exclude(payee="").exists()


def test_a_case_that_ends_asks_for_no_fee_any_more(permits):
    case_id, fee = charge(permits)
    cases.sweep(days_later(40))
    fee.refresh_from_db()
    assert Case.objects.get(pk=case_id).outcome == "lapsed" and fee.state == "cancelled"


def test_who_listens_hears_of_an_end_in_its_transaction(permits, monkeypatch):
    heard = []
    monkeypatch.setitem(endings._listeners, "test", lambda *said: heard.append(said[:3]))
    case_id = permit(permits)
    cases.command(
        case_id, "refuse", {}, actor=permits.officer, expected_version=1, idempotency_key=None, now=MONDAY
    )
    assert heard == [(case_id, "permit", "refused")]


def submit(draft, account):
    return cases.drafts.open_ready(cases.drafts.ready_draft(draft, account, now=MONDAY, idempotency_key="s"))


def test_a_draft_is_saved_as_one_types_and_submitted_whole(permits):
    drafts, me = cases.drafts, permits.applicant
    draft = drafts.start(me, "permit", MONDAY)
    drafts.save(draft, me, {"title": "", "payee": "王"}, MONDAY)
    (stored,) = files.store_files([cases.FileIn("a.pdf", PDF, "papers")], "document")
    drafts.add_file(draft, me, "papers", stored, MONDAY)
    drafts.add_file(draft, me, "papers", stored, MONDAY)
    assert [item.digest for item in drafts.load(draft, me).files] == [stored.digest]
    assert refused(drafts.load, draft, permits.resident) == "draft-unknown"
    assert refused(drafts.save, draft, me, {"title": "长" * 11_000}, MONDAY) == "draft-form"
    assert (
        refused(drafts.save, draft, me, {f"f{n}": "长" * 9_000 for n in range(9)}, MONDAY)
        == "draft-too-large"
    )
    with pytest.raises(Problem) as caught:
        submit(draft, me)
    assert set(caught.value.extra["errors"]) == {"title"} and drafts.load(draft, me).files
    drafts.save(draft, me, {"title": "甲", "payee": "王五"}, MONDAY)
    case_id = submit(draft, me)
    assert submit(draft, me) == case_id
    assert not drafts.drafts_of(me) and not DraftFile.objects.exists()
    evidence = cases.case_view(case_id, me, now=MONDAY).events[0].files
    assert [item.digest for item in evidence] == [stored.digest]
    assert not cases.check_case(case_id)


def test_a_draft_that_was_changed_while_it_was_looked_at_opens_no_case(permits):
    drafts, me = cases.drafts, permits.applicant

    def ready():
        draft = drafts.start(me, "permit", MONDAY)
        drafts.save(draft, me, {"title": "甲"}, MONDAY)
        (stored,) = files.store_files([cases.FileIn("a.pdf", PDF, "papers")], "document")
        drafts.add_file(draft, me, "papers", stored, MONDAY)
        return draft, stored, drafts.ready_draft(draft, me, now=MONDAY)

    draft, stored, looked = ready()
    drafts.drop_file(draft, me, stored.digest)
    assert refused(drafts.open_ready, looked) == "draft-changed", "its bytes are gone"
    draft, _stored, looked = ready()
    drafts.delete(draft, me, MONDAY)
    assert refused(drafts.open_ready, looked) == "draft-deleted"
    draft, _stored, looked = ready()
    # Two presses that both have looked before either opened: one case.
    assert drafts.open_ready(looked) == drafts.open_ready(looked)
    assert Case.objects.filter(pack="permit").count() == 1


def test_what_was_seen_before_a_step_or_inside_one_that_failed_is_looked_at_again(permits):
    with one_look():
        assert seen("thing", lambda: 0) == 0
        case_id = permit(permits)
        assert seen("thing", lambda: 1) == 1
        assert refused(cases.command, case_id, "nothing", {}, actor=permits.officer, expected_version=None,
                       idempotency_key=None, now=MONDAY)  # fmt: skip
        assert seen("thing", lambda: 2) == 2


def test_forgotten_drafts_go_with_their_files_and_a_deleted_one_comes_back(permits):
    drafts, me = cases.drafts, permits.applicant
    kept, old = drafts.start(me, "permit", MONDAY), drafts.start(me, "permit", MONDAY)
    (stored,) = files.store_files([cases.FileIn("a.pdf", PDF, "papers")], "document")
    drafts.add_file(old, me, "papers", stored, MONDAY)
    drafts.delete(kept, me, MONDAY)
    assert [line.id for line in drafts.drafts_of(me)] == [old]
    assert [line.id for line in drafts.drafts_of(me, deleted=True)] == [kept]
    drafts.restore(kept, me)
    drafts.save(kept, me, {"title": "x"}, days_later(60))
    assert drafts.discard(days_later(89)) == 0 and files.path_of(stored.digest).exists()
    assert drafts.discard(days_later(91)) == 1 and not files.path_of(stored.digest).exists()
    assert [line.id for line in drafts.drafts_of(me)] == [kept]
    assert refused(drafts.start, me, "grid-verification", MONDAY) == "opening-not-offered"


def test_what_if_it_is_submitted_today_says_each_leg_and_its_ground(permits):
    found = cases.what_if_pack("permit", MONDAY)
    # 23 Nov + 10 workdays = 7 Dec; 7 Dec + 30 days = 6 Jan 2027 (Wednesday), a year without a notice yet.
    assert [(line.due_on.isoformat(), line.grounds[0].key) for line in found.lines] == [
        ("2026-12-07", "law:2"),
        ("2027-01-06", "law:2"),
    ]
    assert found.decided_by in (dt.date(2027, 1, 6), dt.date(2027, 1, 7)) and found.provisional
    case_id, _fee = charge(permits)
    later = cases.what_if_case(case_id, days_later(3))
    assert [line.due_on.isoformat() for line in later.lines] == ["2026-12-23"] and not later.provisional
    assert later.lines[0].zh.startswith("2026-11-23 + 30日")


def test_a_published_year_makes_provisional_terms_firm_and_tells_those_concerned(permits, own_calendar):
    late = dt.datetime(2026, 12, 28, 1, tzinfo=dt.UTC)
    case_id = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="late", now=late
    )
    term = CaseTerm.objects.get(case_id=case_id)
    assert term.provisional and term.due_on == dt.date(2027, 1, 4)
    year = workdays.CalendarYear(
        2027,
        frozenset({dt.date(2027, 1, 1), dt.date(2027, 1, 4)}),
        frozenset({dt.date(2027, 1, 3)}),
        "国办发明电〔2026〕9号",
    )
    done = cases.calendars.load_year(year, actor=permits.operator, now=late)
    assert (done.recounted, done.changed_from) == (1, dt.date(2027, 1, 1))
    term.refresh_from_db()
    # 28 Dec + 5 workdays: 29, 30, 31 Dec, 3 Jan (worked), 5 Jan.
    assert not term.provisional and term.due_on == dt.date(2027, 1, 5)
    event = cases.case_view(case_id, permits.worker, now=late).events[-1]
    assert event.step == "recounted" and "2027-01-04 → 2027-01-05" in event.sentence["zh"] and event.grounds
    assert Notice.objects.filter(case_id=case_id, owner=f"account:{permits.worker.pk}").count() == 1
    assert not cases.check_case(case_id)
    again = cases.calendars.load_year(year, actor=permits.operator, now=late)
    assert (again.changed_days, again.recounted) == (0, 0) and cases.calendars.recount(late) == 0
    # New terms of this process count by the loaded year at once.
    fresh = cases.open_case("grid-verification", firm_facts(), cell_code=CELL, idempotency_key="n", now=late)
    assert CaseTerm.objects.get(case_id=fresh).due_on == dt.date(2027, 1, 5)


def test_a_holiday_moved_in_mid_year_moves_the_terms_it_touches_and_no_others(permits, own_calendar):
    touched = permit(permits)
    early = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="e", now=days_later(-10)
    )
    assert CaseTerm.objects.get(case_id=touched).due_on == dt.date(2026, 12, 7)
    known = cases.calendars.supplied_year(2026)
    moved = workdays.CalendarYear(
        2026, known.days_off | {dt.date(2026, 12, 3)}, known.days_on, "临时放假一天"
    )
    done = cases.calendars.load_year(moved, actor=permits.operator, now=MONDAY)
    assert (done.changed_days, done.changed_from, done.recounted) == (1, dt.date(2026, 12, 3), 1)
    assert CaseTerm.objects.get(case_id=touched).due_on == dt.date(2026, 12, 8)
    assert CaseEvent.objects.filter(case_id=early).count() == 1
    assert not cases.check_case(touched)
    # A pass that died after the notice was written is taken up by the clock.
    CalendarYear.objects.update(recounted_at=None)
    assert cases.calendars.recount(MONDAY) == 0


def new_permit(folder, name, version, *changes):
    change = ("pack.yaml", "version: 1.0.0", f"version: {version}")
    return cases.load_pack_version(write_pack(folder / name, PERMIT, change, *changes), MONDAY)


def test_live_cases_move_to_a_new_version_after_a_look(permits):
    waiting, paying = permit(permits), charge(permits, key="p2")[0]
    to = new_permit(
        permits.folder, "v2", "1.1.0",
        ("deadlines.yaml", "term: 10 workdays", "term: 15 workdays"),
        ("states.yaml", "keeps:\n", "keeps:\n  extra: {type: integer, initial: 7}\n"),
        ("states.yaml", "  paying: {tasks: [applicant, cashier]}", "  settling: {tasks: [applicant, cashier]}"),
        ("states.yaml", "to: paying", "to: settling"),
        ("states.yaml", "from: [paying]", "from: [settling]"),
        ("states.yaml", "from: [received, paying]", "from: [received, settling]"),
        ("deadlines.yaml", "[paying]", "[settling]"),
        ("texts/zh.yaml", "paying: 待缴费", "settling: 待缴费"),
    )  # fmt: skip
    look = cases.migration.dry_run("permit", to.pk, MONDAY)
    assert (look.moved, look.left) == (1, 1) and "paying" in look.unfit[paying]
    assert Case.objects.exclude(pack_version=to).filter(pack="permit").count() == 2, "a look changes nothing"
    assert (
        refused(cases.migration.migrate, "permit", to.pk, permits.officer, "x", MONDAY)
        == "migration-not-yours"
    )
    assert refused(cases.migration.dry_run, "permit", to.pk, MONDAY, {"paying": "nowhere"}) == "migration-map"
    done = cases.migration.migrate("permit", to.pk, permits.operator, "期限延长", MONDAY)
    assert (done.moved, done.left) == (1, 1)
    rest = cases.migration.migrate(
        "permit", to.pk, permits.operator, "期限延长", MONDAY, {"paying": "settling"}
    )
    assert (rest.moved, rest.left) == (1, 0)
    for case_id in (waiting, paying):
        case = Case.objects.get(pk=case_id)
        assert case.pack_version_id == to.pk and json.loads(case.body)["kept"]["extra"] == 7
        assert not cases.check_case(case_id)
    # 23 Nov + 15 workdays = 14 Dec.
    assert CaseTerm.objects.get(case_id=waiting, term="review").due_on == dt.date(2026, 12, 14)
    assert Case.objects.get(pk=paying).state == "settling"
    event = cases.case_view(waiting, permits.officer, now=MONDAY).events[-1]
    assert "1.1.0" in event.sentence["zh"] and event.grounds and ledger.entry(event.leaf_id)
    run = cases.migration.migrations_of("permit")[0]
    assert run.moved == 1 and run.leaf_id
    cases.payments.mark_paid(PaymentOrder.objects.get(case_id=paying).pk, permits.cashier, "B", MONDAY)
    cases.run_jobs(MONDAY)
    assert Case.objects.get(pk=paying).outcome == "granted"


def test_a_case_stays_when_a_fact_or_a_childs_command_would_not_fit(permits):
    with_child = permit(permits, reviewers=["o1"])
    plain = permit(permits, key="p2")
    to = new_permit(
        permits.folder, "v3", "1.2.0",
        ("form.yaml", "payee: {type: text, element: case.payee,", "payee: {type: text, required: true, element: case.payee,"),
    )  # fmt: skip
    report = cases.migration.dry_run("permit", to.pk, MONDAY)
    assert report.left == 2 and "payee" in report.unfit[plain]
    assert {line.ok for line in report.lines} == {False} and with_child in report.unfit
    assert PackVersion.objects.get(pk=to.pk).current


def test_an_upgrade_brings_new_regulations_and_leaves_what_a_district_chose(permits, monkeypatch):
    own = new_permit(permits.folder, "v4", "2.0.0")
    ship = permits.folder / "ship"
    write_pack(ship / "permit", PERMIT)
    write_pack(ship / "note", OPINION, ("pack.yaml", "id: opinion", "id: note"))
    monkeypatch.setattr(packs, "shipped", lambda *parts: ship)
    assert cases.load_missing(MONDAY) == ["note"]
    assert cases.load_missing(MONDAY) == [] and PackVersion.objects.get(pk=own.pk).current


def test_a_worker_that_dies_before_it_reports_runs_the_job_again_under_its_key(permits, monkeypatch):
    case_id, ran, told = permit(permits), [], []
    cases.run_jobs(MONDAY)

    def report(job, name, data, now):
        told.append((name, data["effect"]))
        if len(told) == 1:
            raise ConnectionError("gone")

    monkeypatch.setitem(
        registry.effect_handlers, "send_message", lambda request: ran.append(request.idempotency_key) or {}
    )
    monkeypatch.setattr(jobs, "_report", report)
    who = Actor("system", "系统")
    cases.enqueue_effect(EffectRequest(case_id, "send_message", {}, {}, {}, who, MONDAY, "mail:1"))
    assert cases.run_jobs(MONDAY) == 0
    assert cases.run_jobs(MONDAY + dt.timedelta(minutes=10)) == 1
    assert ran == ["mail:1", "mail:1"] and told == [("effect_done", "mail:1")] * 2
