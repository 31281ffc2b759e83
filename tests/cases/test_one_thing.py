"""A one-thing at run time: parts open in their order, report, meet, are refused, corrected and withdrawn; all by real steps."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, CaseEvent, Job, Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity import lifetimes
from chengshu.contexts.identity.models import Mandate
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY, days_later
from tests_support.one_thing_pack import PACKS, write_one_thing

FACTS = {"name": "甲", "home": "某处 1 号", "since": "2026-11-01", "things": ["card", "gas"]}
MANY = int(os.environ.get("CHENGSHU_EXAMPLES", "12"))


@pytest.fixture
def people(tmp_path, district):
    write_one_thing(tmp_path)
    for name in PACKS:
        cases.load_pack_version(tmp_path / name, MONDAY)
    save = identity.save_account
    for code in ("public-security", "data-bureau"):
        identity.save_department(code, code, code)
    return SimpleNamespace(
        applicant=save("mover", display_name="顾晓", role="resident", subject_id="P000000033"),
        principal=save("elder", display_name="长辈", role="resident", subject_id="P000000041"),
        police=save("po", display_name="警官", role="officer", department="public-security"),
        housing=save("ho", display_name="住建", role="officer", department="housing"),
        stranger=district.resident,
        operator=district.operator,
    )


def move_in(people, key="m1", **facts):
    return cases.open_case(
        "move-in", {**FACTS, **facts}, opened_by=people.applicant, idempotency_key=key, now=MONDAY
    )


def do(case_id, name, actor, now=MONDAY, **data):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )


def parts(case_id):
    body = json.loads(Case.objects.get(pk=case_id).body)
    return {name: state["state"] for name, state in body["parts"].items()}


def child(case_id, part):
    return json.loads(Case.objects.get(pk=case_id).body)["parts"][part]["case"]


def jobs(now=MONDAY):
    while cases.run_jobs(now):
        pass


def sound(case_id):
    for found in [case_id, *Case.objects.filter(parent=case_id).values_list("pk", flat=True)]:
        assert cases.check_case(found) == []


def refused(call, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    return caught.value


def test_parts_open_with_the_one_thing_and_are_confirmed_in_the_applicants_name(people):
    case_id = move_in(people)
    assert parts(case_id) == {"register": "open", "meter": "open", "gas": "open"}
    first = Case.objects.get(pk=child(case_id, "register"))
    assert (first.state, first.opened_by, first.department) == ("examining", str(people.applicant.pk), "")
    assert CaseEvent.objects.filter(case_id=first.pk).order_by("seq").last().actor == str(people.applicant.pk)
    sound(case_id)


def test_a_part_opens_in_the_transaction_in_which_the_one_before_it_ends_well(people):
    case_id = move_in(people)
    do(child(case_id, "register"), "grant", people.police)
    # No job ran.
    assert parts(case_id)["register"] == "done"
    card = child(case_id, "card")
    facts = json.loads(Case.objects.get(pk=card).body)["facts"]
    assert facts["number"] == "R-1"
    assert cases.case_view(case_id, people.applicant, now=MONDAY).events[-1].sentence["zh"] == "登记已办结"
    assert Case.objects.filter(parent=case_id, pack="move-card").count() == 1
    sound(case_id)


def test_parts_that_meet_wait_for_one_visit_and_each_gets_its_result(people):
    case_id = move_in(people)
    meter, gas = child(case_id, "meter"), child(case_id, "gas")
    do(meter, "ready", people.housing)
    assert "visit" not in parts(case_id)
    do(gas, "ready", people.housing)
    visit = child(case_id, "visit")
    do(visit, "report", people.housing, meter_sound=True, gas_sound=False)
    jobs()
    for part, wanted in ((meter, True), (gas, False)):
        last = json.loads(CaseEvent.objects.filter(case_id=part).order_by("seq").last().body)
        assert (last["step"], last["data"]) == ("inspected", {"sound": wanted})
    do(meter, "grant", people.housing)
    do(gas, "refuse", people.housing)
    do(child(case_id, "register"), "grant", people.police)
    do(child(case_id, "card"), "grant", people.police)
    row = Case.objects.get(pk=case_id)
    assert (row.state, row.outcome) == ("partly", "partly")
    assert parts(case_id) == {
        "register": "done", "card": "done", "meter": "done", "gas": "refused", "visit": "done",
    }  # fmt: skip
    sound(case_id)


def both_wait(people):
    case_id = move_in(people)
    for part in ("meter", "gas"):
        do(child(case_id, part), "ready", people.housing)
    return case_id, child(case_id, "visit")


def test_who_leaves_a_shared_visit_leaves_it_to_the_others_and_the_last_calls_it_off(people):
    case_id, visit = both_wait(people)
    do(child(case_id, "meter"), "withdraw", people.applicant)
    jobs()
    view = cases.case_view(visit, people.housing, now=MONDAY)
    # It goes on for the other, and says so on its page.
    assert view.state == "planned" and "一件退出" in [event.sentence["zh"] for event in view.events]
    do(child(case_id, "gas"), "refuse", people.housing)
    jobs()
    row = Case.objects.get(pk=visit)
    assert (row.state, row.outcome, parts(case_id)["visit"]) == ("called_off", "called_off", "skipped")
    assert not Task.objects.filter(case_id=visit, open=True).exists()
    # The rest of the one-thing goes on.
    do(child(case_id, "register"), "grant", people.police)
    do(child(case_id, "card"), "grant", people.police)
    assert Case.objects.get(pk=case_id).state == "partly"
    sound(case_id)


def test_withdrawing_the_whole_calls_the_shared_visit_off(people):
    case_id, visit = both_wait(people)
    do(case_id, "withdraw", people.applicant)
    jobs()
    assert Case.objects.get(pk=visit).outcome == "called_off"
    assert not Task.objects.filter(case__parent=case_id, open=True).exists()
    sound(case_id)


def test_a_visit_that_has_reported_is_not_called_off_by_what_ends_after_it(people):
    case_id, visit = both_wait(people)
    do(visit, "report", people.housing, meter_sound=True, gas_sound=True)
    jobs()
    do(child(case_id, "meter"), "grant", people.housing)
    do(child(case_id, "gas"), "withdraw", people.applicant)
    jobs()
    assert Case.objects.get(pk=visit).outcome == "reported" and parts(case_id)["visit"] == "done"
    sound(case_id)


def test_a_part_that_its_own_pack_refuses_to_open_does_not_lose_the_others(people):
    other = move_in(people, key="m0")
    case_id = move_in(people)
    # The home is reserved by the first application.
    assert parts(other)["register"] == "open"
    assert parts(case_id) == {
        "register": "refused", "card": "blocked", "meter": "open", "gas": "open",
    }  # fmt: skip
    assert not Case.objects.filter(parent=case_id, pack="move-register").exists()
    sound(case_id)


def test_what_a_part_objects_to_is_told_by_the_field_of_the_questionnaire(people):
    problem = refused(move_in, people, since="2027-01-01")
    assert problem.code == "form-invalid"
    assert problem.extra["errors"]["since"]["text"] == "入住日不能晚于今天"
    assert not Case.objects.filter(pack="move-in").exists()


def test_a_supplement_request_of_a_part_reaches_the_applicant_and_the_rest_goes_on(people):
    case_id = move_in(people)
    register = child(case_id, "register")
    do(register, "ask", people.police, lacking="合同")
    progress = cases.progress_of(case_id, people.applicant, now=MONDAY)
    line = next(line for line in progress.lines if line.id == "register")
    assert (line.asks, line.case_id) == (True, register)
    # The day that the part's own page names, not the midnight after it.
    dated = [each for each in progress.lines if each.due_on]
    assert dated
    for each in dated:
        terms = cases.case_view(each.case_id, people.applicant, now=MONDAY).terms
        assert each.due_on.isoformat() in [term.due_on for term in terms if term.state == "running"]
    assert progress.asks == 1
    do(register, "supplement", people.applicant)
    do(register, "grant", people.police)
    assert parts(case_id)["card"] == "open"


def test_withdrawing_the_whole_withdraws_the_parts_that_can_still_be_withdrawn(people):
    case_id = move_in(people)
    do(child(case_id, "register"), "grant", people.police)
    do(case_id, "withdraw", people.applicant)
    jobs()
    states = dict(Case.objects.filter(parent=case_id).values_list("pack", "state"))
    assert states == {"move-register": "granted", "move-card": "withdrawn", "move-check": "withdrawn"}
    assert Case.objects.get(pk=case_id).outcome == "withdrawn"
    assert not Job.objects.exclude(state="done").exists()
    sound(case_id)


def test_the_whole_is_foreseen_by_its_longest_path_and_told_part_by_part(people):
    told = cases.what_if_pack("move-in", MONDAY)
    days = {part.id: part.decided_by for part in told.parts}
    assert told.promised_by is not None
    assert told.decided_by == max(day for day in days.values() if day is not None)
    slow = [part for part in told.parts if part.slowest]
    assert slow[-1].decided_by == told.decided_by and told.lines
    # Every leg names the part it belongs to, and none begins before the part in front of it has ended.
    assert {line.state["zh"].partition("：")[0] for line in told.lines} == {part.title["zh"] for part in slow}
    assert [line.due_on for line in told.lines] == sorted(line.due_on for line in told.lines)

    case_id = move_in(people, things=["gas"])
    running = cases.what_if_case(case_id, MONDAY)
    # What the answers do not call for is not waited for; what has ended is not either.
    assert "card" in days and {part.id for part in running.parts} == {"register", "meter", "gas"}
    do(child(case_id, "register"), "grant", people.police)
    assert {part.id for part in cases.what_if_case(case_id, MONDAY).parts} == {"meter", "gas"}
    assert running.decided_by is not None and running.decided_by <= told.decided_by


def test_the_interface_tells_each_part_with_state_due_day_and_result(people, client):
    case_id = move_in(people)
    client.force_login(people.applicant)
    told = client.get(f"/api/v1/cases/{case_id}").json()["progress"]
    known = cases.progress_of(case_id, people.applicant, now=MONDAY)
    assert [part["id"] for part in told["parts"]] == [line.id for line in known.lines]
    assert (told["done"], told["total"]) == (known.done, known.total)
    opened = next(part for part in told["parts"] if part["state"] == "open")
    assert opened["case_id"] and opened["due_on"] and opened["stands"]["zh"] and opened["results"] == []
    child = client.get(f"/api/v1/cases/{opened['case_id']}").json()
    assert child["progress"] is None
    ahead = client.get("/api/v1/services/move-in/foresight").json()
    assert ahead["decided_by"] and any(part["slowest"] for part in ahead["parts"])
    page = client.get("/hall/apply/move-in/").content.decode()
    assert "各件都有结果" in page and ahead["decided_by"] in page


def test_news_comes_once_however_often_it_is_brought(people):
    case_id = move_in(people)
    register = child(case_id, "register")
    done = [
        cases.command(
            register,
            "grant",
            {},
            actor=people.police,
            expected_version=None,
            idempotency_key="same",
            now=MONDAY,
        )
        for _ in range(2)
    ]
    assert done[0].version == done[1].version
    assert Case.objects.filter(parent=case_id, pack="move-card").count() == 1


def mandate(people, **more):
    given = {
        "principal_id": "P000000041", "principal_name": "长辈", "agent": people.applicant, "scope": ["move-in"],
        "valid_from": dt.date(2026, 1, 1), "valid_to": dt.date(2027, 12, 31), "given_by": people.principal,
        "given_by_name": "长辈", "state": "accepted", "offered_at": MONDAY, **more,
    }  # fmt: skip
    return Mandate.objects.create(**given)


def test_the_matter_of_another_is_theirs_to_see_and_the_office_sees_who_acts(people):
    held = mandate(people)
    case_id = cases.open_case(
        "move-in", FACTS, opened_by=people.applicant, idempotency_key="b1", now=MONDAY,
        on_behalf={"subject_id": "P000000041", "by": "mandate", "mandate": held.pk},
    )  # fmt: skip
    opened = json.loads(CaseEvent.objects.get(case_id=case_id, seq=1).body)
    assert opened["on_behalf"] == {"subject_id": "P000000041", "by": "mandate", "mandate": str(held.pk)}
    register = child(case_id, "register")
    for seen in (case_id, register):
        view = cases.case_view(seen, people.principal, now=MONDAY)
        assert view.on_behalf["by"] == "mandate"
    for account in (people.principal, people.applicant):
        assert [line.case_id for line in cases.my_cases(account, MONDAY)] == [case_id]
    assert cases.case_view(register, people.police, now=MONDAY).on_behalf["subject_id"] == "P000000041"
    assert refused(cases.case_view, case_id, people.stranger, now=MONDAY).status == 404
    assert cases.case_view(case_id, people.applicant, now=MONDAY).commands
    # Once the mandate is revoked it is no matter of the agent's any more.
    Mandate.objects.update(state="revoked")
    for seen in (case_id, register):
        assert refused(cases.case_view, seen, people.applicant, now=MONDAY).status == 404
    assert cases.my_cases(people.applicant, MONDAY) == []
    do(register, "grant", people.police)
    assert parts(case_id)["card"] == "open"
    do(case_id, "withdraw", people.principal)
    jobs()
    assert Case.objects.get(parent=case_id, pack="move-card").outcome == "withdrawn"
    sound(case_id)


def test_what_an_agent_had_in_hand_leaves_them_when_their_agency_ends(people, monkeypatch):
    held = mandate(people)
    case_id = cases.open_case(
        "move-in", FACTS, opened_by=people.applicant, idempotency_key="b1", now=MONDAY,
        on_behalf={"subject_id": "P000000041", "by": "mandate", "mandate": held.pk},
    )  # fmt: skip
    register = child(case_id, "register")
    do(register, "ask", people.police, lacking="照片")
    mine = Task.objects.filter(case=register, owner=f"account:{people.applicant.pk}", open=True)
    assert mine.exists() and cases.follow_agents(MONDAY) == 0
    dead = set()
    monkeypatch.setattr(lifetimes, "_known", [lambda ids, _on: frozenset(dead & set(ids))])
    dead.add("P000000041")
    assert cases.follow_agents(MONDAY) == 1 and not mine.exists()
    assert Task.objects.filter(case=register, owner="nobody", open=True).exists(), "not to the dead either"
    assert cases.follow_agents(MONDAY) == 0
    sound(case_id)


STEPS = st.lists(
    st.sampled_from(
        [
            ("register", "grant"), ("register", "refuse"), ("register", "ask"), ("register", "supplement"),
            ("card", "grant"), ("card", "refuse"), ("meter", "ready"), ("gas", "ready"), ("visit", "report"),
            ("meter", "grant"), ("gas", "grant"), ("gas", "refuse"), ("meter", "withdraw"), ("", "withdraw"), ("", "jobs"),
        ]
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, things=st.sets(st.sampled_from(["card", "gas"])), late=st.booleans())
def test_whatever_the_parts_do_in_whatever_order_events_fold_to_what_is_stored(people, steps, things, late):
    number = Case.objects.count()
    case_id = move_in(people, key=f"h{number}", home=f"某处 {number} 号", things=sorted(things))
    people.applicant.refresh_from_db()
    codes: set[str] = set()
    data = {"ask": {"lacking": "合同"}, "report": {"meter_sound": True, "gas_sound": True}}
    for part, name in steps:
        body = json.loads(Case.objects.get(pk=case_id).body)
        target = body["parts"].get(part, {}).get("case") if part else case_id
        if name == "jobs":
            jobs()
        elif target:
            actor = people.applicant if name in ("withdraw", "supplement") else people.police
            actor = people.housing if part in ("meter", "gas", "visit") and name != "withdraw" else actor
            try:
                do(target, name, actor, **data.get(name, {}))
            except Problem as problem:
                codes.add(problem.code)
    if late:
        cases.sweep(days_later(60))
    jobs(days_later(60))
    assert codes <= {"command-not-now", "command-not-yours", "guard-refused"}
    sound(case_id)
    _nothing_is_lost(case_id)


def _nothing_is_lost(case_id):
    """Each part has one case at most; the one-thing has ended just when nothing is left; what was before came before."""
    row = Case.objects.get(pk=case_id)
    body = json.loads(row.body)
    held = [state["case"] for state in body["parts"].values() if "case" in state]
    assert sorted(held) == sorted(Case.objects.filter(parent=case_id).values_list("pk", flat=True))
    states = {name: state["state"] for name, state in body["parts"].items()}
    left = [
        name
        for name in ("register", "card", "meter", "gas")
        if states.get(name, "waiting") in ("waiting", "open")
    ]
    assert bool(row.closed_at) == (not left or row.outcome == "withdrawn")
    if "card" in states and states["card"] in ("open", "done"):
        assert states["register"] == "done"
    for name, state in states.items():
        if "case" in body["parts"][name] and not row.outcome:
            ended = Case.objects.get(pk=body["parts"][name]["case"]).outcome
            assert (state == "open") == (not ended)


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_it_is_the_same_on_postgresql(own_var, postgres_url):
    env = {**os.environ, "CHENGSHU_VAR": str(own_var), "DATABASE_URL": postgres_url, "CHENGSHU_EXAMPLES": "6"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not postgresql", __file__],
        env=env, capture_output=True, text=True, timeout=580, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def version(folder, number, *changes):
    """Another version of the one-thing, beside the packs of its parts."""
    at = folder / "move-in"
    texts = {path: path.read_text("utf-8") for path in at.rglob("*.yaml")}
    texts[at / "pack.yaml"] = texts[at / "pack.yaml"].replace("version: 1.0.0", f"version: {number}")
    for path, text in texts.items():
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text, "utf-8")
    made = cases.load_pack_version(at, MONDAY)
    for path in at.rglob("*.yaml"):
        path.unlink()
    write_one_thing(folder)
    return made


def test_a_running_part_without_a_counterpart_keeps_its_case_under_the_old_version(people, tmp_path):
    with_gas, without = move_in(people), move_in(people, key="m2", home="某处 2 号", things=["card"])
    fuel = [
        (text, text.replace("gas", "fuel", 1))
        for text in (
            "id: gas\n", "gas: to_inspect", "gas: {do", "gas, visit", "  gas: {title", "gas: 燃气, visit", "part: gas",
            "gas: done", "gas: skipped", "gas: refused", "gas: {sound", "gas: one_left",
        )
    ]  # fmt: skip
    renamed = version(tmp_path, "1.1.0", *fuel)
    look = cases.migration.dry_run("move-in", renamed.pk, MONDAY)
    # In the one the gas part runs; in the other it was never wanted: its other parts all go on under their ids.
    assert set(look.unfit) == {with_gas} and "gas" in look.unfit[with_gas] and look.moved == 1
    done = cases.migration.migrate("move-in", renamed.pk, people.operator, "更名", MONDAY)
    assert (done.moved, done.left) == (1, 1)
    assert Case.objects.get(pk=with_gas).pack_version.version == "1.0.0"
    do(child(without, "register"), "grant", people.police)
    assert parts(without)["card"] == "open"
    sound(without)
