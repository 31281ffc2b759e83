"""The engine over REST: an applicant types, submits and asks; officers claim and remark; finance pays; the operator migrates."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import holidays
from chengshu.contexts.cases.files import path_of
from chengshu.contexts.cases.models import EvidenceFile, PaymentOrder
from chengshu.contexts.identity import api as identity
from tests_support.casework import MONDAY
from tests_support.engine_pack import OPINION, PERMIT, write_pack


@pytest.fixture
def call(tmp_path, district, client):
    """Returns a function that calls the API as somebody."""
    cases.load_pack_version(write_pack(tmp_path / "opinion", OPINION), MONDAY)
    cases.load_pack_version(write_pack(tmp_path / "permit", PERMIT), MONDAY)
    identity.save_department("finance", "财政局", "Finance")
    identity.save_account("ap", display_name="顾晓", role="resident")
    identity.save_account("ob", display_name="梁辉", role="resident")
    identity.save_account("fi", display_name="蒋芳", role="officer", department="finance")
    identity.save_account("o3", display_name="孙二", role="officer", department="market")

    def send(who, method, path, body=None, key="", version=None):
        client.force_login(identity.account_named(who))
        headers = {"Idempotency-Key": key} if key else {}
        if version:
            headers["If-Match"] = f'"{version}"'
        sent = {"data": json.dumps(body or {}), "content_type": "application/json"} if method != "get" else {}
        answer = getattr(client, method)(f"/api/v1{path}", headers=headers, **sent)
        return answer.status_code, (json.loads(answer.content) if answer.content else None)

    yield send
    holidays.forget()


def test_an_applicant_types_submits_and_asks_when_it_is_decided(call):
    status, draft = call("ap", "post", "/drafts", {"pack": "permit"})
    assert status == 201
    path = f"/drafts/{draft['id']}"
    assert call("ap", "put", path, {"facts": {"payee": "王五"}})[1]["facts"] == {"payee": "王五"}
    assert call("ob", "get", path)[0] == 404
    status, problem = call("ap", "post", f"{path}/submit", key="k")
    assert (status, set(problem["errors"])) == (422, {"title"})
    call("ap", "put", path, {"facts": {"title": "甲"}})
    status, opened = call("ap", "post", f"{path}/submit", key="k")
    assert status == 201 and call("ap", "post", f"{path}/submit", key="k")[1] == opened
    assert call("ap", "get", "/drafts")[1] == []
    status, found = call("ap", "get", f"/cases/{opened['case_id']}/foresight")
    assert status == 200 and found["decided_by"] and found["lines"][0]["grounds"][0]["key"] == "law:2"
    assert call("ob", "get", f"/cases/{opened['case_id']}/foresight")[0] == 404
    assert call("ap", "get", "/services/permit/foresight")[0] == 200
    again = call("ap", "post", "/services/permit/cases", {"facts": {"title": "乙"}}, key="one")
    assert again == call("ap", "post", "/services/permit/cases", {"facts": {"title": "乙"}}, key="one")
    assert call("ap", "post", "/services/nothing/cases", {}, key="two")[0] == 404
    # The department seals what is issued: the pack says which one, not the applicant.
    chosen = {"facts": {"title": "丙"}, "department": "finance"}
    status, problem = call("ap", "post", "/services/permit/cases", chosen, key="three")
    assert (status, problem["code"]) == (422, "opening-department")
    assert call("ap", "delete", f"/drafts/{2**40}")[0] == 404


def test_a_call_takes_no_case_and_no_answer_that_the_page_would_refuse(call, client, tmp_path):
    plain = write_pack(
        tmp_path / "plain", PERMIT,
        ("pack.yaml", "version: 1.0.0", "version: 1.2.0"),
        ("form.yaml", "sections:\n  - {id: what, fields: [title, payee, reviewers, papers]}\n", ""),
        ("form.yaml", "  papers: {type: files, element: case.photo, accept: document, most: 2}\n",
         "  papers: {type: files, element: case.photo, accept: document, most: 2}\n"
         "  helper: {type: accounts, element: case.party, role: officer, department: market, most: 1}\n"
         "  more: {type: map, element: case.photo}\n"),
        ("texts/zh.yaml", "sections: {what: 事项}\n", ""),
        ("texts/zh.yaml", "  reviewers: {label: 评审人}\n",
         "  reviewers: {label: 评审人}\n  helper: {label: 协办}\n  more: {label: 其他}\n"),
    )  # fmt: skip
    cases.load_pack_version(plain, MONDAY)
    # Machines open it as well, and it has no sections: it is no service, on the page, as a draft or by a call.
    client.force_login(identity.account_named("ap"))
    assert client.post("/services/permit/start").status_code == 404
    for path, body in (
        ("/services/permit/cases", {"facts": {"title": "甲"}}),
        ("/drafts", {"pack": "permit"}),
    ):
        status, problem = call("ap", "post", path, body, key=path[1:5])
        assert (status, problem["code"]) == (403, "opening-not-offered")
    alone = write_pack(
        tmp_path / "alone", {name: (plain / name).read_text() for name in PERMIT},
        ("pack.yaml", "version: 1.2.0", "version: 1.3.0"),
        ("states.yaml", "by: [applicant, system]", "by: [applicant]"),
    )  # fmt: skip
    cases.load_pack_version(alone, MONDAY)
    wrong = {"helper": ["fi"], "more": {"a": 1}, "reviewers": list("abcdef")}
    status, problem = call("ap", "post", "/services/permit/cases", {"facts": wrong}, key="w")
    assert status == 422 and {name: error["code"] for name, error in problem["errors"].items()} == {
        "title": "required", "helper": "not-an-option", "more": "unknown", "reviewers": "too-long",
    }  # fmt: skip
    draft = call("ap", "post", "/drafts", {"pack": "permit"})[1]["id"]
    call("ap", "put", f"/drafts/{draft}", {"facts": wrong})
    again = call("ap", "post", f"/drafts/{draft}/submit", key="w")
    assert (again[0], again[1]["errors"]) == (422, problem["errors"])
    right = {"facts": {"title": "甲", "helper": ["o1"]}}
    assert call("ap", "post", "/services/permit/cases", right, key="r")[0] == 201


def test_a_paper_is_named_only_by_whoever_sent_it(call, client):
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    client.force_login(identity.account_named("ap"))
    sent = {"file": SimpleUploadedFile("a.png", picture.getvalue()), "accept": "document"}
    answer = client.post("/api/v1/files", sent)
    assert answer.status_code == 201
    digest = answer.json()["digest"]
    case_id = call("ap", "post", "/services/permit/cases", {"facts": {"title": "甲"}}, key="a")[1]["case_id"]
    objection = {"data": {"why": "不实", "papers": [digest]}}
    status, problem = call("ob", "post", f"/cases/{case_id}/public/object", objection, key="p")
    assert (status, problem["code"], set(problem["errors"])) == (422, "file-not-sent", {"papers"})
    status, said = call("ap", "post", f"/cases/{case_id}/public/object", objection, key="p")
    assert status == 201
    assert EvidenceFile.objects.get(case_id=case_id, seq=said["seq"]).name == "a.png"
    assert cases.uploads.discard(timezone.now() + 2 * cases.uploads.LIFE) == 1
    assert path_of(digest).exists()  # the case keeps it


def test_officers_claim_remark_and_finance_pays(call):
    case_id = call("ap", "post", "/services/permit/cases", {"facts": {"title": "甲"}}, key="a")[1]["case_id"]
    at = f"/cases/{case_id}"
    assert call("o1", "post", f"{at}/claim", version=1) == (200, {"case_id": case_id, "version": 2})
    status, problem = call("o3", "post", f"{at}/claim")
    assert (status, problem["code"]) == (409, "task-claimed")
    assert call("o1", "post", f"{at}/delegate", {"to": "o3", "reason": "专长"})[0] == 200
    assert call("o3", "post", f"{at}/give-back", {"reason": "回避"}, version=9)[0] == 409
    assert call("o3", "post", f"{at}/give-back", {"reason": "回避"})[0] == 200
    assert call("o1", "post", f"{at}/comments", {"text": "已电话核实"})[0] == 201
    assert [item["text"] for item in call("o3", "get", f"{at}/comments")[1]] == ["已电话核实"]
    assert call("ap", "get", f"{at}/comments")[0] == 403
    said = call("ob", "post", f"{at}/public/object", {"data": {"why": "不实"}}, key="p")
    assert said[0] == 201 and said == call(
        "ob", "post", f"{at}/public/object", {"data": {"why": "不实"}}, key="p"
    )
    assert call("ob", "get", at)[0] == 404 and call("ob", "get", f"/cases/{said[1]['opened'][0]}")[0] == 200
    assert call("o1", "post", f"{at}/commands/charge", key="c", version=5)[0] == 200
    order = PaymentOrder.objects.get()
    assert (
        call("fi", "get", "/payments?state=ordered")[1]["total"] == 1
        and call("o1", "get", "/payments")[0] == 403
    )
    assert call("o1", "post", f"/payments/{order.pk}/paid", {"reference": "B1"})[0] == 403
    assert call("fi", "post", f"/payments/{order.pk}/paid", {"reference": "B1"})[1]["state"] == "paid"
    assert call("fi", "post", f"/payments/{order.pk}/failed", {"reason": "x"})[0] == 409


def test_the_operator_loads_a_year_and_moves_live_cases(call, tmp_path):
    year = dt.date.today().year + 3
    body = {"year": year, "reference": "通知", "days_off": [f"{year}-01-01"]}
    assert call("op", "post", "/calendars", body)[1]["changed_from"] == f"{year}-01-01"
    assert call("op", "post", "/calendars", {**body, "days_off": ["2020-01-01"]})[0] == 422
    assert year in {line["year"] for line in call("o1", "get", "/calendars")[1]}
    call("ap", "post", "/services/permit/cases", {"facts": {"title": "甲"}}, key="a")
    cases.load_pack_version(
        write_pack(tmp_path / "v2", PERMIT, ("pack.yaml", "version: 1.0.0", "version: 1.1.0")), MONDAY
    )
    status, look = call("op", "post", "/packs/permit/migrations", {"to": "1.1.0"})
    assert (status, look["moved"], look["left"]) == (200, 1, 0)
    assert call("op", "post", "/packs/permit/migrations", {"to": "1.1.0", "dry_run": False})[0] == 422
    done = call("op", "post", "/packs/permit/migrations", {"to": "1.1.0", "dry_run": False, "reason": "修订"})
    assert done[1]["moved"] == 1
    assert call("op", "post", "/packs/permit/migrations", {"to": "9"})[0] == 404
