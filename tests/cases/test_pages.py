from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.files import path_of
from chengshu.contexts.cases.models import Case, EvidenceFile
from chengshu.contexts.identity import api as identity
from tests_support.casework import CELL, firm_facts, person_facts


@pytest.fixture
def mine(district):
    """A case of today in the worker's cell."""
    return cases.open_case(
        "grid-verification",
        firm_facts(longitude="113.885", latitude="22.555"),
        cell_code=CELL,
        idempotency_key="today",
        now=timezone.now() - dt.timedelta(minutes=5),
    )


def browser(account):
    client = Client()
    client.force_login(account)
    return client


def hidden(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]


def photo(size=(400, 300)):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (22.0, 33.0, 44.0)}
    Image.new("RGB", size, (200, 30, 30)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def upload(name, content):
    file = io.BytesIO(content)
    file.name = name
    return file


def test_worker_finds_the_case_on_the_list_and_reads_why_by_when_and_on_what_ground(district, mine):
    page = browser(district.worker).get("/cases/").content.decode()
    assert "企业地址不一致：示例商贸有限公司" in page and "个工作日" in page
    case = browser(district.worker).get(f"/cases/{mine}").content.decode()
    for text in (
        "上门看企业实际在哪里经营",
        "甲岸路25号1栋101",
        "税务局",
        "首次上门核查",
        "第三条",
        "首日不计",
        "核实无误",
    ):
        assert text in case
    assert "places/map?lon=113.885" in case


def test_worker_confirms_with_a_photo_whose_hidden_data_is_gone(district, mine, corrected):
    client = browser(district.worker)
    form = client.get(f"/cases/{mine}/do/confirm").content.decode()
    assert 'capture="environment"' in form
    answer = client.post(
        f"/cases/{mine}/do/confirm",
        {
            "version": hidden(form, "version"),
            "key": hidden(form, "key"),
            "value": "新安街道甲岸路25号1栋101",
            "note": "门面在一楼",
            "photo": [upload("门面.jpg", photo()), upload("a.png", photo((5000, 100)))],
        },
        follow=True,
    )
    page = answer.content.decode()
    assert answer.status_code == 200 and "已记录：核实无误" in page and "门面在一楼" in page
    assert Case.objects.get(pk=mine).state == "confirmed"
    files = list(EvidenceFile.objects.order_by("pk"))
    assert [file.name for file in files] == ["门面.jpg", "a.png"]
    for file in files:
        stored = path_of(file.digest).read_bytes()
        assert b"SecretCamera" not in stored and not Image.open(io.BytesIO(stored)).getexif()
        assert max(Image.open(io.BytesIO(stored)).size) <= 2560
    got = client.get(f"/cases/{mine}/files/{files[0].pk}")
    assert got.status_code == 200 and got["Content-Type"] == "image/jpeg"
    assert browser(district.operator).get(f"/cases/{mine}/files/{files[0].pk}").status_code == 404
    assert cases.check_case(mine) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("not a photo.jpg", b"<html>"), ("cut.jpg", photo()[:200]), ("script.svg", b"<svg onload='x'/>")],
)
def test_what_is_no_photo_is_refused_at_its_field(district, mine, name, content):
    client = browser(district.worker)
    form = client.get(f"/cases/{mine}/do/confirm").content.decode()
    sent = {"version": hidden(form, "version"), "key": "k", "value": "新安街道甲岸路25号1栋101"}
    answer = client.post(f"/cases/{mine}/do/confirm", {**sent, "photo": upload(name, content)})
    assert answer.status_code == 422
    assert Case.objects.get(pk=mine).version == 1 and not EvidenceFile.objects.exists()


def test_an_answer_to_a_case_that_moved_on_is_refused_in_plain_words(district, mine):
    client = browser(district.worker)
    form = client.get(f"/cases/{mine}/do/correct").content.decode()
    cases.command(
        mine, "cannot_verify", {"reason": "nobody-home"}, actor=district.worker, expected_version=1,
        idempotency_key=None, now=timezone.now(),
    )  # fmt: skip
    sent = {
        "version": hidden(form, "version"),
        "key": hidden(form, "key"),
        "corrected": "西乡街道共和工业路1号",
    }
    answer = client.post(f"/cases/{mine}/do/correct", sent)
    assert answer.status_code == 422 and "刚刚被别人处理过" in answer.content.decode()
    assert Case.objects.get(pk=mine).version == 2


def test_empty_answers_are_named_field_by_field(district, mine):
    answer = browser(district.worker).post(f"/cases/{mine}/do/report", {"version": 1, "key": "k"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "error-summary" in page and page.count("请填写这一项") >= 2


def test_officer_works_the_finding_and_the_worker_reads_the_result(district, mine):
    worker, officer = browser(district.worker), browser(district.officer)
    form = worker.get(f"/cases/{mine}/do/report").content.decode()
    worker.post(
        f"/cases/{mine}/do/report",
        {
            "version": hidden(form, "version"),
            "key": hidden(form, "key"),
            "finding": "unlicensed",
            "description": "无照",
        },
    )
    child = Case.objects.get(parent_id=mine).pk
    assert "无照经营" in officer.get("/cases/").content.decode()
    for command, data in (("accept", {}), ("result", {"result": "filed", "result_text": "立案"})):
        form = officer.get(f"/cases/{child}/do/{command}").content.decode()
        sent = {"version": hidden(form, "version"), "key": hidden(form, "key"), **data}
        assert officer.post(f"/cases/{child}/do/{command}", sent).status_code == 302
    cases.run_jobs(timezone.now())
    assert "已立案查处" in worker.get("/cases/notices").content.decode()


def test_operator_sees_cells_without_anyone_reassigns_and_hands_over(district):
    now = timezone.now()
    alone = cases.open_case(
        "grid-verification", firm_facts(), cell_code="Z559-002", idempotency_key="x", now=now
    )
    operator = browser(district.operator)
    assert "示例商贸有限公司" in operator.get("/cases/?view=nobody").content.decode()
    answer = operator.post(
        f"/cases/{alone}/reassign", {"account": district.colleague.pk, "reason": "就近"}, follow=True
    )
    assert "已改派给黄丽" in answer.content.decode()
    answer = operator.post(
        "/cases/hand-over",
        {"leaver": district.colleague.pk, "to": district.worker.pk, "reason": "离岗"},
        follow=True,
    )
    assert "交接 1 件" in answer.content.decode()
    assert cases.tasks_for(district.worker, now=now).total == 1
    assert operator.get("/cases/failed-jobs").status_code == 200


def test_person_concerned_sees_the_state_of_a_case_and_no_ones_values(district):
    case_id = cases.open_case(
        "grid-verification", person_facts(), cell_code=CELL, idempotency_key="p", now=timezone.now()
    )
    page = browser(district.resident).get(f"/cases/{case_id}").content.decode()
    assert "待上门" in page and "甲岸路" not in page and "/do/confirm" not in page


def test_pages_speak_english_when_asked(district, mine):
    client = browser(district.worker)
    client.cookies["django_language"] = "en"
    page = client.get(f"/cases/{mine}").content.decode()
    assert "addresses disagree" in page and "First visit" in page


def test_pack_page_shows_where_each_article_takes_effect(district):
    client = browser(district.steward)
    assert "网格核查" in client.get("/cases/packs").content.decode()
    page = client.get("/cases/packs/grid-verification").content.decode()
    assert "第二十一条" in page and "步骤“" in page
    assert client.get("/cases/packs/none").status_code == 404


def test_a_page_of_a_case_takes_a_bounded_number_of_queries(district, mine, django_assert_max_num_queries):
    client = browser(district.worker)
    with django_assert_max_num_queries(30):
        client.get(f"/cases/{mine}")
    with django_assert_max_num_queries(16):
        client.get("/cases/")


def test_rest_lists_shows_and_works_a_case(district, mine):
    token = identity.make_token(
        district.worker, "t", ["cases:read", "cases:write"], dt.timedelta(days=1), timezone.now()
    ).secret
    client = Client(headers={"Authorization": f"Bearer {token}"})
    listed = client.get("/api/v1/cases/tasks").json()
    assert listed["total"] == 1 and listed["items"][0]["light"]["colour"] == "green"
    shown = client.get(f"/api/v1/cases/{mine}")
    assert shown["ETag"] == '"1"' and len(shown.json()["values"]) == 2
    url, body = f"/api/v1/cases/{mine}/commands/correct", {"data": {"corrected": "西乡街道1号"}}

    def send(match, key):
        return client.post(
            url, body, content_type="application/json", headers={"If-Match": match, "Idempotency-Key": key}
        )

    stale = send('"7"', "k0")
    assert stale.status_code == 409 and stale.json()["code"] == "case-changed"
    assert send("any", "k0").status_code == 422
    done = send('"1"', "k1")
    assert done.status_code == 200 and done.json()["state"] == "corrected"
    assert send('"1"', "k1").json()["version"] == 2
    missing = client.post(url, body, content_type="application/json")
    assert missing.status_code == 422
    assert client.get("/api/v1/cases/C0000000000000000").status_code == 404
    assert Client().get(f"/api/v1/cases/{mine}").status_code == 401
