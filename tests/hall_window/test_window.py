"""A window clerk serves someone without a phone; someone acts for a firm; both on pages, both on record."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from chengshu.contexts.hall.window import codes
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates
from chengshu.contexts.identity.models import Mandate, PersonalRead, WindowSession
from chengshu.contexts.subjects import api as subjects
from chengshu.contexts.subjects.models import Correction, CurrentSnapshot, GoldenRecord, Run
from chengshu.kernel.problems import Problem

MOTHER, CHILD, FIRM, OTHER_FIRM = "P0000000017", "P0000000025", "F0000000019", "F0000000027"
MOTHERS_ID, CHILDS_ID = "440306198503021234", "440306202001021231"
PAPER = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"


def golden(run, subject_id, kind, name, *, number="", phone="", **data):
    GoldenRecord.objects.create(
        subject_id=subject_id, kind=kind, valid_from=run.number, name=name, id_number=number, phone=phone,
        data={f"{kind}.name": name, **data},
    )  # fmt: skip


@pytest.fixture
def town(db):
    """A mother, her child, and two firms whose record names somebody of her name."""
    now = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    run = Run.objects.create(run_id="r1", state=Run.State.PUBLISHED, started_at=now)
    CurrentSnapshot.objects.create(run=run, published_at=now)
    golden(run, MOTHER, "person", "欧阳娜", number=MOTHERS_ID, phone="13800138000",
           **{"person.phone": "13800138000", "person.resident_id": MOTHERS_ID})  # fmt: skip
    born = (timezone.localdate() - timedelta(days=6 * 365)).isoformat()
    golden(run, CHILD, "person", "欧阳小宝", number=CHILDS_ID, **{"person.birth_date": born})
    same = {"firm.legal_representative": "欧阳娜", "firm.status": "存续"}
    golden(
        run,
        FIRM,
        "firm",
        "宝安示例餐饮有限公司",
        phone="13800138000",
        **{**same, "firm.phone": "13800138000"},
    )
    golden(run, OTHER_FIRM, "firm", "别家公司", phone="13900139000", **{**same, "firm.phone": "13900139000"})
    identity.save_department("data-bureau", "政数局", "Data Bureau")


def browser(username, role, **fields):
    account = identity.save_account(username, role=role, **{"display_name": username, **fields})
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def clerk(town):
    return browser("许佳", "clerk", department="data-bureau")


@pytest.fixture
def mother(town):
    return browser("mother", "resident", display_name="欧阳娜", subject_id=MOTHER)


@pytest.fixture
def agent(town):
    return browser("agent", "resident", display_name="李明")


def find_and_serve(clerk, **ground):
    clerk.post("/window/", {"resident_id": MOTHERS_ID, "name": "欧阳娜"})
    return clerk.post("/window/ground", {"ground": "present", **ground})


def test_number_and_name_together_find_the_person_and_the_look_is_on_record(clerk):
    for wrong in ({"resident_id": MOTHERS_ID, "name": "欧阳"}, {"resident_id": CHILDS_ID, "name": "欧阳娜"}):
        assert clerk.post("/window/", wrong).status_code == 422
    assert not PersonalRead.objects.exists()
    found = clerk.post("/window/", {"resident_id": f" {MOTHERS_ID.lower()} ", "name": "欧阳 娜"})
    assert found["Location"] == "/window/ground"
    read = PersonalRead.objects.get()
    assert (read.subject_id, read.purpose, read.actor_name) == (MOTHER, "window-search", "许佳")
    page = clerk.get("/window/ground").content.decode()
    assert "欧阳*" in page and "欧阳娜" not in page and MOTHERS_ID not in page


def test_a_clerk_serves_by_the_banner_and_ends_by_one_button(clerk):
    find_and_serve(clerk)
    page = clerk.get("/window/").content.decode()
    assert "正在窗口为 <b>欧阳*</b> 办理" in page and "结束服务" in page
    assert "正在窗口为" in clerk.get("/services/").content.decode()
    clerk.post("/acting/leave")
    assert "正在窗口为" not in clerk.get("/services/").content.decode()
    assert WindowSession.objects.get().ended_at


def test_a_session_that_ran_out_serves_nobody_and_says_so(clerk):
    find_and_serve(clerk)
    WindowSession.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    page = clerk.get("/window/").content.decode()
    assert "已到期或已撤销" in page and "核对身份" in page


def test_without_a_find_there_is_no_ground_to_state(clerk):
    assert clerk.get("/window/ground")["Location"] == "/window/"
    assert clerk.post("/window/ground", {"ground": "present", "subject": MOTHER})["Location"] == "/window/"
    assert clerk.get("/window/mandates/new")["Location"] == "/window/"


def test_a_proxy_brings_a_letter_that_the_person_sees_at_home(clerk, mother, agent):
    assert find_and_serve(clerk, ground="proxy").status_code == 422
    letter = SimpleUploadedFile("委托书.pdf", PAPER, "application/pdf")
    assert find_and_serve(clerk, ground="proxy", proxy_name="李明", paper=letter).status_code == 302
    row = WindowSession.objects.get()
    assert (row.proxy_name, row.evidence_name) == ("李明", "委托书.pdf")
    paper = mother.get(f"/window/sessions/{row.pk}/paper")
    assert b"".join(paper.streaming_content) == PAPER
    assert agent.get(f"/window/sessions/{row.pk}/paper").status_code == 404
    assert clerk.get(f"/window/sessions/{row.pk}/paper").status_code == 403


def test_a_scanned_citizen_code_leads_to_the_same_place(clerk):
    known = list(codes._readers)
    codes.register_code_reader(lambda text, account, now: (MOTHER if text == "good" else "", "欧阳娜"))
    try:
        assert "市民码" in clerk.get("/window/").content.decode()
        assert clerk.post("/window/scan", {"code": "good"})["Location"] == "/window/ground"
    finally:
        codes._readers[:] = known
    assert PersonalRead.objects.get().subject_id == MOTHER


def test_the_window_takes_in_a_letter_of_authority_that_holds_at_once(clerk, mother, agent):
    find_and_serve(clerk)
    page = clerk.get("/window/mandates/new").content.decode()
    assert page.count("<h1") == 1
    form = {
        "basis": "given", "username": "agent", "agent_name": "李明", "extent": "every",
        "valid_from": timezone.localdate().isoformat(), "valid_to": timezone.localdate().isoformat(),
        "paper": SimpleUploadedFile("letter.pdf", PAPER, "application/pdf"),
    }  # fmt: skip
    assert clerk.post("/window/mandates/new", form).status_code == 302
    assert mandates.acts_for(identity.account_named("agent"), MOTHER, timezone.now())
    row = Mandate.objects.get()
    shown = mother.get(f"/my/mandates/{row.pk}").content.decode()
    assert "letter.pdf" in shown and "许佳" in shown and "凭书面材料登记" in shown
    assert mother.get(f"/my/mandates/{row.pk}/paper").status_code == 200
    mother.post(f"/my/mandates/{row.pk}/revoke", {"reason": "不用了"})
    assert not mandates.acts_for(identity.account_named("agent"), MOTHER, timezone.now())


def test_a_guardian_is_recorded_for_a_minor_and_for_nobody_of_age(clerk, mother):
    find_and_serve(clerk)
    form = {
        "basis": "guardian", "child_id": CHILDS_ID, "child_name": "欧阳小宝", "extent": "every",
        "valid_from": timezone.localdate().isoformat(), "paper": SimpleUploadedFile("户口簿.pdf", PAPER),
    }  # fmt: skip
    assert clerk.post("/window/mandates/new", form).status_code == 302
    row = Mandate.objects.get()
    assert row.principal_id == CHILD and row.valid_to > timezone.localdate() + timedelta(days=11 * 365)
    assert identity.reads_of(CHILD)[1] == 1
    grown = {
        **form,
        "child_id": MOTHERS_ID,
        "child_name": "欧阳娜",
        "paper": SimpleUploadedFile("x.pdf", PAPER),
    }
    assert clerk.post("/window/mandates/new", grown).status_code == 422
    page = mother.get("/my/mandates/").content.decode()
    assert "欧阳**" in page and "监护" in mother.get(f"/my/mandates/{row.pk}").content.decode()


def guardianship(mother):
    """The mother is on record as the guardian of her child, who has an account too."""
    today, child = timezone.localdate(), browser("child", "resident", subject_id=CHILD)
    row = mandates.record_on_paper(
        identity.Principal(CHILD, "欧阳**"), identity.account_named("mother"),
        identity.Terms((), True, today, today + timedelta(days=4000)), paper=identity.Paper("0" * 64, "户口簿.pdf"),
        basis="guardian", by=identity.account_named("许佳"), now=timezone.now(),
    )  # fmt: skip
    return row, child


def test_a_child_cannot_end_the_guardianship_over_them_and_is_told_whom_to_turn_to(clerk, mother):
    row, child = guardianship(mother)
    page = child.get(f"/my/mandates/{row.pk}").content.decode()
    assert f"/my/mandates/{row.pk}/revoke" not in page and "12345" in page and "民政部门" in page
    for side in (child, mother):
        assert side.post(f"/my/mandates/{row.pk}/revoke", {"reason": "x"}).status_code == 403
        answer = side.post(
            f"/api/v1/mandates/{row.pk}/revoke", {"reason": "x"}, content_type="application/json"
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "guardianship-by-law")
    assert mandates.acts_for(identity.account_named("mother"), CHILD, timezone.now())


def test_the_window_ends_a_guardianship_on_a_ground_while_it_serves_a_side(clerk, mother):
    row, _child = guardianship(mother)
    assert clerk.get(f"/window/mandates/{row.pk}/end").status_code == 404, "nobody is served"
    find_and_serve(clerk)
    assert f"/window/mandates/{row.pk}/end" in clerk.get("/window/").content.decode()
    assert clerk.post(f"/window/mandates/{row.pk}/end", {"ground": "court"}).status_code == 422
    said = {"ground": "court", "paper": "（2026）粤0306民特1号判决书"}
    assert clerk.post(f"/window/mandates/{row.pk}/end", said).status_code == 302
    assert not mandates.acts_for(identity.account_named("mother"), CHILD, timezone.now())
    page = mother.get(f"/my/mandates/{row.pk}").content.decode()
    assert "凭材料在窗口终止" in page and "民特1号" in page and "许佳" in page
    assert clerk.get(f"/window/mandates/{row.pk}/end").status_code == 404


def test_whoever_comes_with_a_letter_of_proxy_does_not_end_who_else_may_act(clerk, mother):
    row, _child = guardianship(mother)
    find_and_serve(clerk)
    WindowSession.objects.filter(ended_at=None).update(ground="proxy")
    assert clerk.get(f"/window/mandates/{row.pk}/end").status_code == 404


def test_the_legal_representative_of_record_acts_at_once_another_of_the_same_name_does_not(mother):
    assert [firm.subject_id for firm in subjects.represented_by(MOTHER)] == [FIRM]
    page = mother.get("/my/mandates/").content.decode()
    assert "宝安示例餐饮有限公司" in page and "别家公司" not in page
    assert mother.post("/my/mandates/act", {"for": f"firm:{OTHER_FIRM}"})["Location"] == "/my/mandates/"
    assert mother.post("/my/mandates/act", {"for": f"firm:{FIRM}"})["Location"] == "/hall/"
    assert "您是登记的法定代表人" in mother.get("/services/").content.decode()
    # Nobody represents anything after their death.
    died = say(MOTHER, "person.death_date", "2026-11-01")
    assert subjects.represented_by(MOTHER) == []
    died.delete()
    # The record is corrected: from the next page on nobody acts for the firm by it.
    Correction.objects.create(
        subject_id=FIRM, element="firm.legal_representative", value="王五", previous="欧阳娜", made_by="x",
        made_at=timezone.now(), confirms=False, state=Correction.State.HOLDS,
    )  # fmt: skip
    assert "已到期或已撤销" in mother.get("/services/").content.decode()


def test_a_mandate_from_giving_to_revoking_on_pages(mother, agent):
    page = mother.get("/my/mandates/give").content.decode()
    assert "对方的用户名" in page
    form = {
        "principal": FIRM, "username": "agent", "name": "李明", "extent": "every",
        "valid_from": timezone.localdate().isoformat(),
        "valid_to": (timezone.localdate() + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    assert mother.post("/my/mandates/give", {**form, "name": "李四"}).status_code == 422
    assert mother.post("/my/mandates/give", form).status_code == 302
    row = Mandate.objects.get()
    assert agent.post("/my/mandates/act", {"for": f"mandate:{row.pk}"})["Location"] == "/my/mandates/"
    assert "等您决定" in agent.get("/my/mandates/").content.decode()
    agent.post(f"/my/mandates/{row.pk}/accept")
    agent.post("/my/mandates/act", {"for": f"mandate:{row.pk}"})
    assert "正在代 <b>宝安示例餐饮有限公司</b> 办理" in agent.get("/").content.decode()
    agent.post("/acting/leave")
    assert "正在代" not in agent.get("/").content.decode()
    assert agent.get(f"/my/mandates/{row.pk}/proof").json()[0]["mandate"]["act"] == "offered"
    stranger = browser("stranger", "resident", subject_id="P0000000041")
    for path in ("", "/proof", "/paper"):
        assert stranger.get(f"/my/mandates/{row.pk}{path}").status_code == 404


def say(subject_id, element, value):
    return Correction.objects.create(
        subject_id=subject_id, element=element, value=value, previous="", made_by="x", made_at=timezone.now(),
        confirms=False, state=Correction.State.HOLDS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("principal", "dies", "element", "value"),
    [
        (MOTHER, MOTHER, "person.death_date", "2026-11-01"),
        (MOTHER, CHILD, "person.death_date", "2026-11-01"),
        (FIRM, FIRM, "firm.status", "注销"),
    ],
    ids=["the principal dies", "the agent dies", "the firm is struck off"],
)
def test_a_mandate_ends_with_the_life_of_either_side(mother, agent, principal, dies, element, value):
    giver, taker, now = identity.account_named("mother"), identity.account_named("agent"), timezone.now()
    identity.relink(taker, CHILD)
    terms = identity.Terms((), True, timezone.localdate(), timezone.localdate() + timedelta(days=9))
    row = mandates.offer(identity.Principal(principal, "某"), taker, terms, by=giver, now=now)
    mandates.accept(row.pk, taker, now)
    later = mandates.offer(identity.Principal(principal, "某"), taker, terms, by=giver, now=now)
    agent.post("/my/mandates/act", {"for": f"mandate:{row.pk}"})
    assert "正在代" in agent.get("/").content.decode() and mandates.acts_for(taker, principal, now)
    said = say(dies, element, value)
    assert not mandates.acts_for(taker, principal, now)
    assert "已到期或已撤销" in agent.get("/services/").content.decode()
    assert "第一百七十三条" in agent.get(f"/my/mandates/{row.pk}").content.decode()
    shown = agent.get("/api/v1/mandates").json()["items"]
    assert {each["standing"] for each in shown if each["side"] == "agent"} == {"lapsed"}
    with pytest.raises(Problem):
        mandates.accept(later.pk, taker, now)
    # A record that was wrong: the word of the principal holds again.
    said.delete()
    assert mandates.acts_for(taker, principal, now)


def test_a_letter_of_the_dead_carries_nobody_at_the_window_but_whoever_stands_there_is_served(clerk):
    say(MOTHER, "person.death_date", "2026-11-01")
    letter = SimpleUploadedFile("委托书.pdf", PAPER, "application/pdf")
    refused = find_and_serve(clerk, ground="proxy", proxy_name="李明", paper=letter)
    assert refused.status_code == 422 and "委托书不再有效" in refused.content.decode()
    assert find_and_serve(clerk).status_code == 302


def test_names_cannot_be_tried_out(mother):
    form = {
        "principal": "self", "username": "agent", "name": "某", "extent": "every",
        "valid_from": timezone.localdate().isoformat(), "valid_to": timezone.localdate().isoformat(),
    }  # fmt: skip
    statuses = [
        mother.post("/my/mandates/give", {**form, "username": f"u{n}"}).status_code for n in range(12)
    ]
    assert statuses[:10] == [422] * 10 and statuses[-1] == 429


def test_programs_give_and_use_mandates_by_rest(mother, agent):
    form = {"agent": "agent", "agent_name": "李明", "packs": ["newborn"],
            "valid_to": timezone.localdate().isoformat()}  # fmt: skip
    made = mother.post("/api/v1/mandates", form, content_type="application/json")
    assert made.status_code == 201 and made.json()["standing"] == "offered"
    number = made.json()["id"]
    named = {"X-Mandate": str(number)}
    assert agent.get("/api/v1/mandates").json()["items"][0]["side"] == "agent"
    assert agent.post(f"/api/v1/mandates/{number}/accept").json()["in_force"]
    assert mother.post(f"/api/v1/mandates/{number}/accept").status_code == 404
    assert mother.get("/api/v1/mandates").json()["firms"] == [FIRM]
    revoked = mother.post(
        f"/api/v1/mandates/{number}/revoke", {"reason": ""}, content_type="application/json"
    )
    assert revoked.json()["standing"] == "revoked"
    from django.test import RequestFactory

    request = RequestFactory().get("/api/v1/services/newborn/foresight", headers=named)
    request.user = identity.account_named("agent")
    with pytest.raises(Problem) as caught:
        identity.acting(request)
    assert caught.value.code == "mandate-not-in-force"


@pytest.mark.parametrize(
    "path", ["/my/mandates/", "/my/mandates/give", "/window/", "/window/ground", "/window/mandates/new"]
)
def test_each_page_asks_the_database_little_and_has_one_heading(
    path, clerk, mother, agent, django_assert_max_num_queries
):
    mine = clerk if path.startswith("/window") else mother
    if path.startswith("/window"):
        clerk.post("/window/", {"resident_id": MOTHERS_ID, "name": "欧阳娜"})
        if path.endswith("new"):
            clerk.post("/window/ground", {"ground": "present"})
    with django_assert_max_num_queries(15):
        page = mine.get(path).content.decode()
    assert len(re.findall(r"<h1[ >]", page)) == 1


def test_whoever_signs_out_or_lets_the_window_lie_idle_serves_nobody_any_more(clerk):
    account = identity.account_named("许佳")
    find_and_serve(clerk)
    assert identity.serves(account, MOTHER, timezone.now())
    clerk.post("/sign-out")
    assert not identity.serves(account, MOTHER, timezone.now())
    assert WindowSession.objects.get().ended_at
    clerk.force_login(account)
    find_and_serve(clerk)
    session = clerk.session
    session["seen_at"] -= 21 * 60
    session.save()
    assert "/sign-in" in clerk.get("/window/")["Location"]
    assert not identity.serves(account, MOTHER, timezone.now())
    clerk.force_login(account)
    find_and_serve(clerk)
    identity.end_sessions(account, "left", timezone.now())
    assert not identity.serves(account, MOTHER, timezone.now())


def test_a_code_that_begins_with_a_blank_is_read_and_the_banner_names_its_holder_masked(clerk, monkeypatch):
    scanned = []

    def read(text, account, now):
        scanned.append(text)
        return MOTHER, "欧阳娜"

    monkeypatch.setattr(codes, "_readers", [read])
    # One code in forty-five begins so: a blank is one of the 45 characters.
    clerk.post("/window/scan", {"code": " 4F7:0"})
    assert scanned == [" 4F7:0"]
    assert "欧阳*" in clerk.get("/window/ground").content.decode()


def test_whoever_acts_in_every_matter_sees_what_is_held_and_the_look_is_on_record(mother, agent):
    today = timezone.localdate()
    row = mandates.offer(
        identity.Principal(MOTHER, "欧阳娜"), identity.account_named("agent"),
        identity.Terms((), True, today, today + timedelta(days=9)), by=identity.account_named("mother"),
        now=timezone.now(),
    )  # fmt: skip
    mandates.accept(row.pk, identity.account_named("agent"), timezone.now())
    agent.post("/my/mandates/act", {"for": f"mandate:{row.pk}"})
    assert "13800138000" in agent.post("/my/data/", {"show": "all"}).content.decode()
    assert PersonalRead.objects.get(subject_id=MOTHER).purpose == "acting"


def test_a_paper_that_nobody_needs_is_not_kept(clerk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    letter = SimpleUploadedFile("委托书.pdf", PAPER, "application/pdf")
    assert find_and_serve(clerk, paper=letter).status_code == 302
    assert not [each for each in settings.MEDIA_ROOT.rglob("*") if each.is_file()]
