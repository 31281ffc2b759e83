from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import store
from chengshu.contexts.cases.models import (
    Case,
    CaseEvent,
    CaseTerm,
    EvidenceFile,
    Job,
    Notice,
    PersonalPayload,
    Task,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.models import PersonalRead
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.ledger.models import LeafRow
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import EffectSpec, registry
from tests_support.casework import CELL, MONDAY, days_later, firm_facts, person_facts

TAX = "新安街道甲岸路25号1栋101"


def do(case_id, name, data, actor, now=MONDAY, version=None, key=None, files=()):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=version, idempotency_key=key, now=now, files=files
    )


def test_worker_confirms_a_value_and_everything_is_written_together(district, opened, corrected):
    view = do(opened, "confirm", {"value": TAX, "note": "门面在一楼"}, district.worker)
    assert (view.state, view.outcome, view.version) == ("confirmed", "confirmed", 2)
    assert [request.params["value"] for request in corrected] == [TAX]
    assert corrected[0].idempotency_key == f"{opened}:2:0"
    assert not Task.objects.filter(case_id=opened, open=True).exists()
    assert CaseTerm.objects.get(case_id=opened).state == "met"
    assert LeafRow.objects.filter(reference=f"case:{opened}").count() == 2
    assert cases.check_case(opened) == []
    assert "甲岸路25号1栋101" in view.events[1].sentence["zh"]


def test_a_failing_effect_leaves_nothing_behind(district, opened, monkeypatch):
    def broken(request):
        Notice.objects.create(
            owner="nobody", case_id=request.case_id, key="half", text_zh="", text_en="", at=request.now
        )
        raise RuntimeError("disk full")

    monkeypatch.setitem(registry.effect_handlers, "correct_fact", broken)
    with pytest.raises(RuntimeError, match="disk full"):
        do(opened, "confirm", {"value": TAX}, district.worker)
    assert Case.objects.get(pk=opened).version == 1
    assert CaseEvent.objects.filter(case_id=opened).count() == 1
    assert not Notice.objects.exists()
    assert cases.check_case(opened) == []


def test_two_workers_answer_the_same_case_and_the_second_is_told(district, opened):
    identity.set_absence(district.worker, district.colleague, MONDAY.date(), MONDAY.date())
    do(opened, "cannot_verify", {"reason": "nobody-home"}, district.worker, version=1)
    with pytest.raises(Problem) as caught:
        do(opened, "confirm", {"value": TAX}, district.colleague, version=1)
    assert (caught.value.code, caught.value.status) == ("case-changed", 409)
    assert caught.value.extra["version"] == 2
    assert caught.value.remedy


def test_sending_an_answer_twice_takes_one_step(district, opened, corrected):
    first = do(opened, "confirm", {"value": TAX}, district.worker, version=1, key="k")
    again = do(opened, "confirm", {"value": TAX}, district.worker, version=1, key="k")
    assert first.version == again.version == 2
    assert len(corrected) == 1
    with pytest.raises(Problem) as caught:
        do(opened, "confirm", {"value": "新安街道创业一路12号3栋503"}, district.worker, version=1, key="k")
    assert caught.value.code == "idempotency-key-reused"


def test_opening_under_one_key_opens_one_case(district, opened):
    again = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:1", now=MONDAY
    )
    assert again == opened
    assert Case.objects.count() == 1


def test_a_stranger_does_not_even_see_the_case(district, opened):
    for viewer in (district.stranger, district.officer, district.resident):
        with pytest.raises(Problem) as caught:
            cases.case_view(opened, viewer, now=MONDAY)
        assert caught.value.status == 404
        with pytest.raises(Problem):
            do(opened, "confirm", {"value": TAX}, viewer)


def test_operator_and_steward_see_steps_but_no_personal_value(district, opened):
    for viewer in (district.operator, district.steward):
        view = cases.case_view(opened, viewer, now=MONDAY)
        assert view.withheld and not view.values and not view.address
        assert view.terms and view.events


def test_looking_at_a_persons_values_is_on_record(district):
    case_id = cases.open_case(
        "grid-verification", person_facts(), cell_code=CELL, idempotency_key="p", now=MONDAY
    )
    view = cases.case_view(case_id, district.worker, now=MONDAY)
    assert len(view.values) == 2
    read = PersonalRead.objects.get()
    assert (read.subject_id, read.purpose, read.case_id) == ("P000000025", "verification", case_id)
    own = cases.case_view(case_id, district.resident, now=MONDAY)
    assert own.withheld and own.terms and not own.events


def test_finding_becomes_the_departments_case_and_the_result_comes_back(district, opened):
    view = do(opened, "report", {"finding": "unlicensed", "description": "正在营业，无执照"}, district.worker)
    child = view.children[0].case_id
    assert Case.objects.get(pk=child).department == "market"
    page = cases.tasks_for(district.officer, now=MONDAY)
    assert [row.case_id for row in page.rows] == [child]
    do(opened, "confirm", {"value": TAX}, district.worker)
    do(child, "accept", {}, district.officer)
    do(
        child,
        "result",
        {"result": "guided", "result_text": "已指导其申领执照"},
        district.officer,
        now=days_later(2),
    )
    assert cases.run_jobs(days_later(2)) == 1
    parent = cases.case_view(opened, district.worker, now=days_later(2))
    assert "已督促、引导办理证照" in parent.events[-1].sentence["zh"]
    notices = cases.notices_for(district.worker, now=days_later(2))
    assert any("处理结果" in line.text["zh"] for line in notices)
    assert cases.check_case(opened) == [] and cases.check_case(child) == []
    assert cases.run_jobs(days_later(3)) == 0


def test_returned_finding_goes_to_the_operator_and_to_another_department(district, opened):
    child = (
        do(opened, "report", {"finding": "unlicensed", "description": "x"}, district.worker)
        .children[0]
        .case_id
    )
    do(child, "return", {"why_not": "属消防职责"}, district.officer)
    assert [row.case_id for row in cases.tasks_for(district.operator, now=MONDAY).rows] == [child]
    do(child, "route", {"to_department": "fire"}, district.operator)
    assert Case.objects.get(pk=child).department == "fire"
    assert [row.case_id for row in cases.tasks_for(district.fireman, now=MONDAY).rows] == [child]
    assert cases.tasks_for(district.officer, now=MONDAY).total == 0
    assert cases.check_case(child) == []


def test_question_goes_to_the_finder_and_stops_the_departments_clock(district, opened):
    child = (
        do(opened, "report", {"finding": "unlicensed", "description": "x"}, district.worker)
        .children[0]
        .case_id
    )
    do(child, "accept", {}, district.officer)
    do(child, "ask", {"question": "有几名店员"}, district.officer, now=days_later(1))
    mine = {row.case_id for row in cases.tasks_for(district.worker, now=days_later(1)).rows}
    assert child in mine
    view = cases.case_view(child, district.officer, now=days_later(1))
    assert next(term for term in view.terms if term.id == "handle").light.colour == "paused"
    do(child, "answer", {"answer": "两名"}, district.worker, now=days_later(3))
    assert cases.check_case(child) == []


def test_terms_end_once_however_many_sweep(district, opened):
    late = days_later(8)
    assert cases.sweep(days_later(7, hour=15)) == 0
    assert cases.sweep(late) == 1
    assert cases.sweep(late) == 0
    view = cases.case_view(opened, district.worker, now=late)
    assert view.state == "overdue"
    assert [event.step for event in view.events] == ["opened", "expired"]
    assert Notice.objects.filter(owner="role:operator").count() == 1
    assert cases.check_case(opened) == []


def test_who_comes_after_the_last_day_is_late_even_before_the_clock_came_by(district, opened):
    late = days_later(8)
    with pytest.raises(Problem) as refused:
        do(opened, "confirm", {}, district.worker, now=late, version=1)
    assert refused.value.code != "case-changed"
    assert CaseEvent.objects.filter(case_id=opened).count() == 1, "a refused step writes nothing"
    do(opened, "confirm", {"value": TAX}, district.worker, now=late, version=1)
    view = cases.case_view(opened, district.worker, now=late)
    assert [event.step for event in view.events] == ["opened", "expired", "confirm-firm"]
    assert CaseTerm.objects.filter(case_id=opened).earliest("due_at").state == "late"
    assert cases.sweep(late) == 0
    assert cases.check_case(opened) == []


def test_work_of_someone_absent_is_on_the_substitutes_list(district, opened):
    identity.set_absence(district.worker, district.colleague, MONDAY.date(), days_later(3).date())
    assert cases.tasks_for(district.colleague, now=MONDAY).total == 1
    assert cases.tasks_for(district.colleague, now=days_later(5)).total == 0
    do(opened, "confirm", {"value": TAX}, district.colleague)
    assert cases.case_view(opened, district.worker, now=MONDAY).state == "confirmed"


def test_cell_without_anyone_is_on_the_operators_list_until_someone_is_posted(district):
    from chengshu.contexts.places import api as places

    case_id = cases.open_case(
        "grid-verification", firm_facts(), cell_code="Z559-002", idempotency_key="e", now=MONDAY
    )
    nobody = cases.Filters(view="nobody")
    assert cases.tasks_for(district.operator, now=MONDAY, filters=nobody).total == 1
    places.post(
        district.stranger, "Z559-002", "main", on=dt.date(2026, 11, 23), actor=district.operator, now=MONDAY
    )
    cases.sweep(MONDAY)
    assert [row.case_id for row in cases.tasks_for(district.stranger, now=MONDAY).rows] == [case_id]
    assert cases.tasks_for(district.operator, now=MONDAY, filters=nobody).total == 0


def test_operator_reassigns_with_a_reason_on_record(district, opened):
    cases.reassign(opened, district.stranger, actor=district.operator, reason="熟悉该楼", now=MONDAY)
    assert cases.tasks_for(district.stranger, now=MONDAY).total == 1
    view = cases.case_view(opened, district.operator, now=MONDAY)
    assert "改派给旁人" in view.events[-1].sentence["zh"]
    assert view.events[-1].grounds
    with pytest.raises(Problem):
        cases.reassign(opened, district.worker, actor=district.worker, reason="还给我", now=MONDAY)
    assert cases.check_case(opened) == []


def test_work_is_handed_over_when_someone_leaves(district, opened):
    done = cases.hand_over(
        district.worker, district.colleague, actor=district.operator, reason="离岗", now=days_later(1)
    )
    assert (done.moved, done.refused) == (1, 0)
    assert cases.tasks_for(district.worker, now=days_later(1)).total == 0
    assert cases.tasks_for(district.colleague, now=days_later(1)).total == 1


def test_erasing_personal_values_leaves_a_case_that_folds_and_a_ledger_that_verifies(district, opened):
    do(opened, "correct", {"corrected": "西乡街道共和工业路1号", "note": "本人口述"}, district.worker)
    bodies = "".join(CaseEvent.objects.values_list("body", flat=True)) + "".join(
        Case.objects.values_list("body", flat=True)
    )
    assert "共和工业路" not in bodies and "甲岸路" not in bodies and "创业一路" not in bodies
    assert cases.erase_personal(opened, MONDAY) == 2
    assert not PersonalPayload.objects.exclude(body="").exists()
    assert cases.check_case(opened) == []
    view = cases.case_view(opened, district.worker, now=MONDAY)
    assert view.erased and "▇" in view.events[-1].sentence["zh"]


def test_a_step_that_needs_erased_values_says_so(district, opened):
    cases.erase_personal(opened, MONDAY)
    with pytest.raises(Problem) as caught:
        do(opened, "confirm", {"value": TAX}, district.worker)
    assert caught.value.code == "personal-values-erased"


def test_tampering_with_an_event_or_a_payload_is_found(district, opened):
    CaseEvent.objects.filter(case_id=opened).update(
        body=CaseEvent.objects.get().body.replace("F000000017", "F000000018")
    )
    assert any("not what the ledger digested" in fault for fault in cases.check_case(opened))
    PersonalPayload.objects.filter(case_id=opened).update(body='{"values":[]}')
    assert any("were changed" in fault for fault in cases.check_case(opened))


def test_outside_effect_runs_at_least_once_under_one_key_and_failure_is_seen(district, opened, monkeypatch):
    calls = []

    def flaky(request):
        calls.append(request.idempotency_key)
        raise ConnectionError("mail server is away")

    spec = registry.effects["correct_fact"]
    monkeypatch.setitem(registry.effect_handlers, "correct_fact", flaky)
    from chengshu.contexts.cases import packs

    def compile_anew():
        packs._compiled.cache_clear()
        packs._packs.clear()

    # Only while the step is taken: a pack compiled meanwhile would stay for the tests that follow.
    with monkeypatch.context() as patch:
        outside = EffectSpec("correct_fact", spec.params, inside=False)
        patch.setitem(registry.effects, "correct_fact", outside)
        compile_anew()
        do(opened, "confirm", {"value": TAX}, district.worker)
    compile_anew()
    assert calls == []
    now = MONDAY
    for _ in range(12):
        cases.run_jobs(now)
        now += dt.timedelta(hours=7)
    assert len(calls) == 10 and len(set(calls)) == 1
    job = Job.objects.get()
    assert job.state == Job.State.DEAD and "mail server is away" in job.last_error
    assert cases.load_summary(now)["dead_jobs"] == 1
    assert Task.objects.filter(case_id=opened, role="job", owner="role:operator", open=True).exists()
    assert cases.retry(job.pk, now)
    monkeypatch.setitem(registry.effect_handlers, "correct_fact", lambda request: calls.append("done"))
    assert cases.run_jobs(now) == 1


def test_a_dead_workers_job_is_taken_over_when_its_lease_ends(district, opened):
    from chengshu.contexts.cases import jobs

    child = (
        do(opened, "report", {"finding": "unlicensed", "description": "x"}, district.worker)
        .children[0]
        .case_id
    )
    do(child, "accept", {}, district.officer)
    do(child, "result", {"result": "unfounded", "result_text": "x"}, district.officer)
    job = Job.objects.get()
    assert jobs._lease(job.pk, MONDAY) is not None
    assert jobs._lease(job.pk, MONDAY) is None
    assert cases.run_jobs(MONDAY + dt.timedelta(minutes=1)) == 0
    assert cases.run_jobs(MONDAY + dt.timedelta(minutes=6)) == 1


def test_many_cases_open_in_batches_and_again_changes_nothing(district):
    openings = [cases.Opening(firm_facts(), f"finding:{n}", cell_code=CELL) for n in range(300)]
    first = cases.open_many("grid-verification", openings, now=MONDAY)
    again = cases.open_many("grid-verification", openings, now=MONDAY)
    assert (first.opened, first.existing) == (300, 0)
    assert (again.opened, again.existing) == (0, 300)
    assert first.case_ids == again.case_ids
    some = first.case_ids["finding:7"]
    assert cases.check_case(some) == []
    assert LeafRow.objects.filter(kind="case.step").count() == 300
    assert cases.unstarted(list(first.case_ids.values())) == set(first.case_ids.values())


def test_a_wrong_finding_in_a_batch_opens_none_and_names_its_key(district):
    openings = [cases.Opening(firm_facts(), "good"), cases.Opening(firm_facts(kind="no-such-kind"), "bad")]
    with pytest.raises(Problem) as caught:
        cases.open_many("grid-verification", openings, now=MONDAY)
    assert caught.value.extra["idempotency_key"] == "bad"
    assert not Case.objects.exists()


def test_vanished_findings_are_withdrawn_and_answered_ones_stay(district):
    opened = cases.open_many(
        "grid-verification",
        [cases.Opening(firm_facts(), key, cell_code=CELL) for key in ("a", "b", "c")],
        now=MONDAY,
    ).case_ids
    do(opened["a"], "correct", {"corrected": "x"}, district.worker)
    assert cases.withdraw_vanished("grid-verification", {"b"}, run_id="R2", now=days_later(1)) == 1
    states = {key: Case.objects.get(pk=case_id).state for key, case_id in opened.items()}
    assert states == {"a": "corrected", "b": "to_visit", "c": "withdrawn"}


def test_my_list_takes_a_bounded_number_of_queries(district):
    openings = [cases.Opening(firm_facts(), f"f{n}", cell_code=CELL) for n in range(60)]
    cases.open_many("grid-verification", openings, now=MONDAY)
    counts = []
    for size in (5, 50):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = cases.tasks_for(district.worker, now=MONDAY, size=size)
        assert (len(page.rows), page.total) == (size, 60)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


def test_lights_sort_and_filter_the_list(district, opened):
    now = days_later(4)
    later = cases.open_case("grid-verification", firm_facts(), cell_code=CELL, idempotency_key="2", now=now)
    page = cases.tasks_for(district.worker, now=now)
    assert [row.case_id for row in page.rows] == [opened, later]
    assert page.counts == {"red": 0, "amber": 1, "green": 1}
    amber = cases.tasks_for(district.worker, now=now, filters=cases.Filters(light="amber"))
    assert [row.case_id for row in amber.rows] == [opened]
    assert "还剩 1 个工作日" in amber.rows[0].light.zh
    assert cases.tasks_for(district.worker, now=now, filters=cases.Filters(text="示例商贸")).total == 2
    assert cases.tasks_for(district.worker, now=now, filters=cases.Filters(text="没有这个")).total == 0


def test_a_pack_changes_for_new_cases_only(district, opened, tmp_path):
    import shutil

    from chengshu.kernel.resources import shipped

    folder = tmp_path / "grid-verification"
    shutil.copytree(shipped("packs", "cn", "grid-verification"), folder)
    deadlines = folder / "deadlines.yaml"
    deadlines.write_text(
        deadlines.read_text("utf-8").replace("term: 5 workdays", "term: 10 workdays"), "utf-8"
    )
    with pytest.raises(Problem, match="Another content"):
        cases.load_pack_version(folder, MONDAY)
    head = folder / "pack.yaml"
    head.write_text(re.sub(r"version: .*", "version: 9.9.9", head.read_text("utf-8"), count=1), "utf-8")
    cases.load_pack_version(folder, MONDAY)
    newer = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="n", now=MONDAY
    )
    due = {
        case_id: cases.case_view(case_id, district.worker, now=MONDAY).terms[0].due_on
        for case_id in (opened, newer)
    }
    assert due == {opened: "2026-11-30", newer: "2026-12-07"}


def test_each_step_of_a_case_has_a_leaf_in_the_ledger(district, opened):
    do(opened, "confirm", {"value": TAX}, district.worker)
    events = list(CaseEvent.objects.filter(case_id=opened).order_by("seq"))
    assert [entry.id for entry in ledger.entries_for(f"case:{opened}")] == [event.leaf_id for event in events]
    assert store.LEDGER_KIND == "case.step"
    assert not EvidenceFile.objects.exists()


def test_a_child_s_late_news_leaves_a_closed_case_closed(district, opened, corrected):
    do(opened, "report", {"finding": "unlicensed", "description": "无照"}, district.worker)
    child = Case.objects.get(parent_id=opened).pk
    do(opened, "confirm", {"value": TAX}, district.worker)
    closed = Case.objects.get(pk=opened).closed_at
    do(child, "accept", {}, district.officer)
    do(child, "result", {"result": "unfounded", "result_text": "有照"}, district.officer, now=days_later(1))
    cases.run_jobs(days_later(1))
    parent = Case.objects.get(pk=opened)
    assert (parent.state, parent.closed_at, parent.version) == ("confirmed", closed, 4)
    assert cases.open_without_owner() == [] and cases.check_case(opened) == []
