from __future__ import annotations

import pytest
from django.test import RequestFactory

from chengshu.kernel.problems import Problem, Where
from chengshu.site.middleware import problem_response


def test_the_process_says_that_it_lives(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readiness_needs_the_schema_of_this_program(client, db, monkeypatch):
    assert client.get("/readyz").json() == {"status": "ready"}
    from django.db.migrations.executor import MigrationExecutor

    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("one", False)])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "old-schema")


def test_metrics_count_requests_by_route_and_never_by_address(client, db):
    client.get("/about")
    client.get("/no-such-page/110101199001011234")
    text = client.get("/metrics").content.decode()
    assert 'route="about"' in text
    assert "110101199001011234" not in text


@pytest.mark.parametrize("address", ["/", "/sign-in", "/api/v1/openapi.json", "/no-such-page"])
def test_no_page_may_load_or_run_anything_from_outside(client, db, address):
    policy = client.get(address)["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "style-src 'self';" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_pages_of_someone_signed_in_are_kept_in_no_cache(browsers):
    assert browsers["steward"].get("/")["Cache-Control"] == "private, no-store"


def test_a_problem_becomes_a_page_that_says_what_to_do(client, db):
    request = RequestFactory().get("/runs/9")
    request.user = None
    problem = Problem(
        "run-unknown", "没有这次运行", remedy="回到运行列表", where=Where("a.csv", row=3), status=404
    )
    page = problem_response(request, problem)
    assert page.status_code == 404
    text = page.content.decode()
    assert (
        "没有这次运行" in text and "回到运行列表" in text and "a.csv, row 3" in text and "run-unknown" in text
    )


def test_the_same_problem_is_rfc_9457_json_for_a_program():
    problem = Problem("too-many-calls", "请求过于频繁", status=429, retry_after=7)
    answer = problem_response(RequestFactory().get("/api/v1/x"), problem)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "7"


def test_an_unknown_page_answers_404_in_our_own_page(client, db):
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert "没有这一页" in answer.content.decode()


def test_a_program_hears_of_an_unknown_path_and_of_a_method_not_taken_as_problems(client, db, settings):
    for settings.DEBUG in (False, True):
        for address in ("/api/v1/no-such-call", "/api/v1/cases/", "/api/v2/cases"):
            answer = client.get(address)
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), address
            assert answer.json()["code"] == "call-unknown" and answer.json()["instance"] == address
        answer = client.delete("/api/v1/drafts")
        assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
        assert answer.json()["code"] == "method-not-allowed" and {"GET", "POST"} <= {
            each.strip() for each in answer["Allow"].split(",")
        }
    # What a call itself says about what is not there stays its own.
    assert client.get("/api/v1/catalogue/elements/none").json()["code"] != "call-unknown"


def test_a_reported_error_reaches_the_operator_and_is_settled(browsers):
    browsers[""].post("/report-an-error", {"text": "地图是空的", "page": "/places/map"})
    page = browsers["operator"].get("/reports").content.decode()
    assert "地图是空的" in page and "/places/map" in page
    answer = browsers["operator"].post("/reports/1/settle", {"answer": "已修复"})
    assert answer.status_code == 302
    assert "已修复" in browsers["operator"].get("/reports").content.decode()


def test_reports_from_one_address_are_limited(browsers):
    codes = [browsers[""].post("/report-an-error", {"text": "x"}).status_code for _ in range(11)]
    assert codes == [302] * 10 + [429]


def test_the_display_choice_is_kept_and_leads_to_no_other_host(client, db):
    answer = client.post("/display", {"theme": "dark", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert 'data-theme="dark"' in client.get("/about").content.decode()
    client.post("/display", {"theme": '"><script>', "next": "/"})
    assert 'data-theme="dark"' in client.get("/about").content.decode()
