"""Applying in the hall without a script: only what is not known is asked, each page within fifteen queries, decided at once."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, Draft
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall.models import CaseOrigins
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.models import Mandate, PersonalRead, WindowSession
from chengshu.contexts.subjects.models import Consent, CurrentSnapshot, GoldenRecord, Run
from chengshu.kernel.resources import shipped
from chengshu.site.simulation.samples import read_samples
from tests_support.one_thing_pack import PACKS, write_one_thing

ME = "P0000000017"
NAME, NUMBER, PHONE = "欧阳娜", "440306199001011234", "13800138000"
MOST_QUERIES = 15


class Browser:
    """A browser that counts the queries of every page it opens."""

    def __init__(self, account):
        self.client = Client()
        self.client.force_login(account)
        self.counts = {}

    def _ask(self, method, url, *args, **kwargs):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = getattr(self.client, method)(url, *args, **kwargs)
        if method == "get" and answer.status_code == 200:
            self.counts[url] = len(seen)
            assert len(seen) <= MOST_QUERIES, f"{url}: {len(seen)}\n" + "\n".join(
                q["sql"][:160] for q in seen
            )
        return answer

    def get(self, url):
        answer = self._ask("get", url)
        assert answer.status_code == 200, f"{url}: {answer.status_code} {answer.get('Location')}"
        return answer.content.decode()

    def post(self, url, data=None, status=302):
        answer = self._ask("post", url, data or {})
        body = answer.content.decode()
        assert answer.status_code == status, body[body.find("<main") :][:2000]
        return answer["Location"] if status == 302 else answer.content.decode()


@pytest.fixture
def people(db):
    now = timezone.now()
    for pack in ("childbirth-subsidy", "value-dispute"):
        cases.load_pack_version(shipped("packs", "cn", pack), now)
    for code in ("health", "finance", "public-security", "housing", "data-bureau"):
        identity.save_department(code, code, code)
    run = Run.objects.create(run_id="r1", state=Run.State.PUBLISHED, started_at=now)
    CurrentSnapshot.objects.create(run=run, published_at=now)
    data = {
        "person.name": NAME,
        "person.resident_id": "440306199001010022",
        "person.phone": PHONE,
        "person.birth_date": "1990-01-01",
    }
    GoldenRecord.objects.create(subject_id=ME, kind="person", valid_from=run.number, name=NAME, data=data)
    save = identity.save_account
    return SimpleNamespace(
        me=save("me", display_name=NAME, role="resident", subject_id=ME),
        agent=save("agent", display_name="代办", role="resident", subject_id="P0000000025"),
        officer=save("po", display_name="警官", role="officer", department="public-security"),
    )


def applied(browser, answers, url, until="check"):
    """Answer question after question until the page of answers comes; returns the questions that were asked."""
    asked = []
    while f"/{until}" not in url:
        page = browser.get(url)
        if url.endswith("/data"):
            url = browser.post(url, {"allow": "yes"})
            continue
        name = url.rpartition("/")[2]
        asked.append(name)
        assert page.count("<h1>") == 1
        url = browser.post(url, {name: answers[name]} if name in answers else {})
    return asked, url


CHILD = {
    "child_name": "欧阳小", "child_id": "440306202605010036", "born_on": "2026-05-01", "registered_here": "true",
    "birth_proof": "register", "relation": "mother", "bank_account": "6222000011112222",
}  # fmt: skip


def entered(account):
    """The police have entered the child: its parent holds the entry."""
    said = {
        "child_name": CHILD["child_name"],
        "child_id": CHILD["child_id"],
        "birth_date": CHILD["born_on"],
    }
    claims = [{"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": value, "en": value}}
              for name, value in said.items()]  # fmt: skip
    now = timezone.now()
    Certificate.objects.create(
        number="HE-2026-000001", type="household-entry", case_id="X1", title_zh="户口登记页", title_en="Household entry",
        holder=CHILD["child_name"], holder_account=str(account.pk), claims=json.dumps(claims), department="public-security",
        valid_from=now.date(), issued_at=now, changed_at=now,
    )  # fmt: skip


def test_only_what_the_hall_does_not_know_is_asked_and_the_rules_decide_at_once(people):
    entered(people.me)
    browser = Browser(people.me)
    page = browser.get("/hall/apply/childbirth-subsidy/")
    assert "开始" in page and page.index("资料齐全时通常当场办结；") < page.index("最迟")
    url = browser.post("/hall/apply/childbirth-subsidy/begin")
    asked, url = applied(browser, CHILD, url)
    assert not {
        "applicant_name",
        "applicant_id",
        "applicant_born_on",
        "phone",
        "truthful",
        "guardian_paper",
        "birth_paper",
    } & set(asked)
    page = browser.get(url)
    for text in (NAME, PHONE, "取自", "这个不对", "欧阳小", "自己填"):
        assert text in page, text
    names = re.findall(r'<input type="checkbox" name="([^"]+)"', page)
    assert names == ["truthful", "confirm-agreed"]
    draft = re.search(r'name="draft" value="(\d+)"', page)[1]
    check, said = url, {**dict.fromkeys(names, "on"), "draft": draft}
    url = browser.post(check, said)
    assert browser.post(check, said) == url, "pressed twice: the same receipt"
    page = browser.get(url)
    case = Case.objects.get()
    assert "系统按规则作出的决定" in page
    assert case.state == "approved" and "当场有了决定" in page and case.pk in page and "存证回执" in page
    origins = CaseOrigins.objects.get(case_id=case.pk)
    from_the_entry = {"child_name", "child_id", "born_on", "entry_number"}
    assert (
        set(origins.fields)
        == {"applicant_name", "applicant_id", "applicant_born_on", "phone", "payee"} | from_the_entry
    )
    assert not from_the_entry & set(asked)
    assert not Draft.objects.exists()
    assert "核定" in browser.get(f"/my/cases/{case.pk}")


def test_every_question_saves_and_what_is_wrong_is_told_at_the_field(people):
    browser = Browser(people.me)
    url = browser.post("/hall/apply/childbirth-subsidy/begin")
    if url.endswith("/data"):
        url = browser.post(url, {"allow": "yes"})
    assert url.endswith("/q/child_name")
    page = browser.post(url, {"child_name": ""}, status=422)
    assert 'href="#id_child_name"' in page and "请填写这一项" in page
    url = browser.post(url, {"child_name": "欧阳小"})
    page = browser.post(url, {"child_id": "1"}, status=422)
    assert 'aria-invalid="true"' in page
    url = browser.post(url, {"child_id": CHILD["child_id"]})
    page = browser.post(url, {"born_on": "2999-01-01"}, status=422)
    # Gone and come back: it goes on at the question that was left.
    page = browser.get("/hall/apply/childbirth-subsidy/")
    assert "接着填" in page
    assert browser.post("/hall/apply/childbirth-subsidy/begin").endswith("/q/born_on")
    # The hall's own page leads back to what was begun.
    hall = browser.get("/hall/")
    assert "没填完的申请" in hall and "没填完的申请" not in Browser(people.agent).get("/hall/")
    assert "还有" in browser.get("/hall/apply/childbirth-subsidy/tasks")


def test_a_known_value_may_be_answered_by_oneself_or_disputed(people):
    browser = Browser(people.me)
    url = browser.post("/hall/apply/childbirth-subsidy/begin")
    _, url = applied(browser, CHILD, url)
    page = browser.get(url)
    assert "/my/dispute/person.phone?next=/hall/apply/childbirth-subsidy/check%3Ffresh%3D1" in page
    back = browser.post("/hall/apply/childbirth-subsidy/q/phone?back=check", {"phone": "13900139000"})
    assert back.endswith("/check") and "13900139000" in browser.get(back)


def test_nothing_is_taken_from_departments_without_consent(people):
    pack = cases.current_pack("childbirth-subsidy")
    from chengshu.contexts.subjects import api as subjects

    needed = [use for use in subjects.consent_needed(pack) if use.needs_consent]
    browser = Browser(people.me)
    url = browser.post("/hall/apply/childbirth-subsidy/begin")
    if needed:
        page = browser.get(url)
        assert "需要同意" in page
        assert "请选择同意或者不同意" in browser.post(url, {}, status=422)
        url = browser.post(url, {"allow": "no"})
        assert not Consent.objects.exists()
        asked, _ = applied(
            browser,
            {**CHILD, "applicant_name": NAME, "phone": PHONE, "applicant_id": "440306199001010022"},
            url,
        )
        assert {use.fields[0] for use in needed} <= set(asked)
    else:
        assert "依法调取" in browser.get("/hall/apply/childbirth-subsidy/data")


def test_no_after_yes_is_no_and_one_word_holds_for_one_application(people):
    browser = Browser(people.me)
    browser.post("/hall/apply/childbirth-subsidy/begin")
    page = "/hall/apply/childbirth-subsidy/data"
    for answer in ("yes", "yes", "no"):
        url = browser.post(page, {"allow": answer})
    assert Consent.objects.filter(revoked_at=None).count() == 0
    asked, url = applied(browser, {**CHILD, "phone": "13900139000"}, url)
    assert "phone" in asked and PHONE not in browser.get(url)
    # Begun anew after a yes that came to nothing, another no holds as well.
    browser.post(page, {"allow": "yes"})
    browser.post("/hall/apply/childbirth-subsidy/begin", {"anew": "1"})
    _, url = applied(browser, {**CHILD, "phone": "13900139000"}, browser.post(page, {"allow": "no"}))
    assert PHONE not in browser.get(url)


def test_whoever_acts_by_mandate_applies_for_the_principal_and_reads_nothing_in_clear(people):
    now = timezone.now()
    held = Mandate.objects.create(
        principal_id=ME, principal_name=NAME, agent=people.agent, scope=["childbirth-subsidy"], valid_from=now.date(),
        valid_to=now.date().replace(year=now.year + 1), given_by=people.me, given_by_name=NAME, state="accepted",
        offered_at=now,
    )  # fmt: skip
    browser = Browser(people.agent)
    session = browser.client.session
    session["acting"] = {"by": "mandate", "id": held.pk}
    session.save()
    url = browser.post("/hall/apply/childbirth-subsidy/begin")
    _, url = applied(browser, CHILD, url)
    page = browser.get(url)
    assert PHONE not in page and "440306199001010022" not in page
    # Nor by the way that leads to answering by oneself.
    for name, held in (("phone", PHONE), ("applicant_id", "440306199001010022"), ("applicant_name", NAME)):
        question = browser.get(f"/hall/apply/childbirth-subsidy/q/{name}?back=check")
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', question)
        assert field and held not in field[0], name
    browser.post(url, {"truthful": "on", "confirm-agreed": "on"})
    case = Case.objects.get()
    assert (case.principal, case.opened_by) == (ME, str(people.agent.pk))
    assert "由代办人代为提交" in Browser(people.me).get(f"/my/cases/{case.pk}")
    assert PersonalRead.objects.filter(subject_id=ME, account=people.agent).exists()
    # What was typed for one is not shown to the next: one's own application begins empty.
    session["acting"] = {}
    del session["acting"]
    session.save()
    assert "接着填" not in browser.get("/hall/apply/childbirth-subsidy/")


def test_a_clerk_serves_whoever_has_no_phone_and_keeps_nothing_of_it(people):
    clerk = identity.save_account("cl", display_name="窗口", role="clerk", department="data-bureau")
    now = timezone.now()
    serving = WindowSession.objects.create(
        clerk=clerk,
        subject_id=ME,
        shown_name="欧**",
        ground="present",
        started_at=now,
        ends_at=now + timedelta(minutes=30),
    )
    browser = Browser(clerk)
    session = browser.client.session
    session["acting"] = {"by": "window", "id": serving.pk}
    session.save()
    _, url = applied(browser, CHILD, browser.post("/hall/apply/childbirth-subsidy/begin"))
    assert PHONE not in browser.get(url)
    done = browser.post(url, {"truthful": "on", "confirm-agreed": "on"})
    assert "回执号" in browser.get(done)
    case = Case.objects.get()
    # The clerk typed what no household entry says: a person looks at it.
    assert (case.principal, case.state) == (ME, "examining")
    assert "由窗口人员代为提交" in Browser(people.me).get(f"/my/cases/{case.pk}")
    # The person has left the window.
    WindowSession.objects.update(ended_at=now)
    assert browser.client.get(f"/my/cases/{case.pk}").status_code == 404
    assert browser.client.get(f"/cases/{case.pk}").status_code == 404
    assert "接着填" not in browser.get("/hall/apply/childbirth-subsidy/")


@pytest.fixture
def moving(people, tmp_path):
    write_one_thing(tmp_path)
    for name in PACKS:
        cases.load_pack_version(tmp_path / name, timezone.now())
    return people


def test_a_one_thing_is_applied_for_once_and_followed_part_by_part(moving):
    browser = Browser(moving.me)
    page = browser.get("/hall/apply/move-in/")
    assert "一次申请，同时办 4 件事" in page
    # What joins several services stands first in the hall.
    hall = browser.get("/hall/")
    browser.client.get("/hall/search?q=入住")  # the first search after a change makes the index
    found = browser.get("/hall/search?q=入住一件事")
    # What stands first is not shown above itself.
    assert "/hall/apply/move-in/" in found and 'id="together"' not in found
    assert hall.index("一件事：一次申请") < hall.index("/hall/apply/move-in/") < hall.index("企业和单位")
    url = browser.post("/hall/apply/move-in/begin")
    answers = {"name": NAME, "home": "某处", "since": "2026-01-01", "things": ["card"]}
    _, url = applied(browser, answers, url)
    page = browser.get(url)
    assert "将同时办理" in page and "燃气" not in page.split("将同时办理")[1]
    page = browser.get(browser.post(url, {"declared": "on"}))
    case = Case.objects.get(pack="move-in")
    assert "等待前项" in page and "不需办理" in page
    register = Case.objects.get(parent=case, pack="move-register").pk
    cases.command(register, "ask", {"lacking": "合同"}, actor=moving.officer, expected_version=None,
                  idempotency_key=None, now=timezone.now())  # fmt: skip
    page = browser.get(f"/my/cases/{case.pk}")
    assert "有 1 件等您补充" in page and f"/cases/{register}" in page
    cases.command(
        register,
        "supplement",
        {},
        actor=moving.me,
        expected_version=None,
        idempotency_key=None,
        now=timezone.now(),
    )
    cases.command(
        register,
        "grant",
        {},
        actor=moving.officer,
        expected_version=None,
        idempotency_key=None,
        now=timezone.now(),
    )
    page = browser.get(f"/my/cases/{case.pk}")
    assert "已办好 1 件，共 3 件" in page
    assert "还没有证照和文书" in browser.get(f"/my/cases/{case.pk}/package")
    assert browser.client.get(f"/my/cases/{case.pk}/package.zip").status_code == 404
    assert Browser(moving.agent).client.get(f"/my/cases/{case.pk}").status_code == 404


def test_what_a_part_objects_to_stands_at_its_answer(moving):
    browser = Browser(moving.me)
    url = browser.post("/hall/apply/move-in/begin")
    _, url = applied(browser, {"name": NAME, "home": "某处", "since": "2999-01-01", "things": []}, url)
    page = browser.post(url, {"declared": "on"}, status=422)
    assert "入住日不能晚于今天" in page and "/q/since?back=check" in page
    assert not Case.objects.exists()


@pytest.fixture
def everything(people):
    cases.load_shipped(timezone.now())
    return people


@pytest.mark.full
def test_every_offered_pack_can_be_applied_for_here_and_no_page_asks_the_database_much(everything):
    services = [each.id for each in cases.filling.services_for(everything.me, timezone.now())]
    assert {"newborn", "open-a-restaurant", "data-ip-registration", "app-filing"} <= set(services)
    _applied_for(everything.me, services)


def test_a_form_of_rows_and_files_can_be_applied_for_here(people):
    cases.load_pack_version(shipped("packs", "cn", "data-ip-registration"), timezone.now())
    _applied_for(people.me, ["data-ip-registration"])


def _applied_for(account, services):
    """Each question of the first golden case is opened; its answers are accepted and stand on the page of answers."""
    for pack_id in services:
        browser = Browser(account)
        browser.get(f"/hall/apply/{pack_id}/")
        url = browser.post(f"/hall/apply/{pack_id}/begin")
        if url.endswith("/data"):
            browser.get(url)
            url = browser.post(url, {"allow": "yes"})
        kinds = _walked(browser, cases.current_pack(pack_id), url)
        page = browser.get(f"/hall/apply/{pack_id}/check?stay=1")
        assert "核对填写的内容" in page and "修改" in page, (pack_id, kinds)
        assert "还剩什么" in browser.get(f"/hall/apply/{pack_id}/tasks")


def _walked(browser, pack, url):
    """Answer from the first golden case by which such a case is opened; files and what it lacks are left to the page."""
    facts = dict(read_samples(cases.current_files(pack.id)).openings[0].facts)
    kinds, seen = set(), set()
    while "/q/" in url and url not in seen:
        seen.add(url)
        name = url.rpartition("/")[2]
        item = pack.facts[name]
        # One page of each kind of question is drawn.
        if item.type.kind not in kinds:
            kinds.add(item.type.kind)
            browser.get(url)
        answer = browser.client.post(url, _sent(item, facts.get(name)))
        if answer.status_code != 302:
            break
        url = answer["Location"]
    return kinds


def _sent(item, value):
    if item.type.kind == "files":
        return {item.name: SimpleUploadedFile("a.pdf", b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n")}
    if value is None:
        return {}
    if item.type.kind == "boolean":
        return {item.name: "true" if value else "false"}
    if item.type.kind == "money":
        return {item.name: f"{value // 100}.{value % 100:02d}"}
    if item.type.kind == "rows":
        sent = {f"{item.name}-count": str(len(value))}
        for number, row in enumerate(value):
            for column, cell in row.items():
                sent |= {
                    f"{item.name}-{number}-{key}": text
                    for key, text in _sent(item.columns[column], cell).items()
                }
        return sent
    if item.type.kind in ("texts", "accounts") and not item.type.choices:
        return {item.name: "\n".join(value)}
    return {item.name: value}
