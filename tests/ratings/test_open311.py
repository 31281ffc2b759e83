"""A program sends requests by Open311 GeoReport v2 and follows them; the shapes are those that the specification documents."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import jsonschema_rs
import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.api import hotline
from chengshu.contexts.hall.hotline.models import HotlineContact, HotlineRequest, Open311Intake
from chengshu.interfaces.open311 import views
from tests_support.casework import CELL, MONDAY

OPTIONAL = {"type": ["string", "null"]}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
# Written from the specification's tables (wiki.open311.org/GeoReport_v2): field, type, required.
SERVICE = {
    "type": "object",
    "required": ["service_code", "service_name", "metadata", "type"],
    "properties": {
        "service_code": {"type": "string"}, "service_name": {"type": "string"}, "description": OPTIONAL,
        "metadata": {"type": "boolean"}, "type": {"enum": ["realtime", "batch", "blackbox"]}, "keywords": OPTIONAL,
        "group": OPTIONAL,
    },
}  # fmt: skip
DEFINITION = {
    "type": "object",
    "required": ["service_code", "attributes"],
    "properties": {
        "attributes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["variable", "code", "datatype", "required", "order", "description"],
                "properties": {
                    "variable": {"type": "boolean"}, "required": {"type": "boolean"}, "order": {"type": "integer"},
                    "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
                    "values": {"type": "array", "items": {"type": "object", "required": ["key", "name"]}},
                },
            },
        },
    },
}  # fmt: skip
REQUEST = {
    "type": "object",
    "required": ["service_request_id", "status", "service_code", "requested_datetime"],
    "properties": {
        "service_request_id": {"type": "string"}, "status": {"enum": ["open", "closed"]}, "status_notes": OPTIONAL,
        "service_name": OPTIONAL, "service_code": {"type": "string"}, "description": OPTIONAL,
        "agency_responsible": OPTIONAL, "service_notice": OPTIONAL, "requested_datetime": TIME,
        "updated_datetime": TIME, "expected_datetime": {"anyOf": [TIME, {"type": "null"}]}, "address": OPTIONAL,
        "address_id": OPTIONAL, "zipcode": OPTIONAL, "lat": {"type": ["number", "null"]},
        "long": {"type": ["number", "null"]}, "media_url": OPTIONAL,
    },
    "additionalProperties": False,
}  # fmt: skip
ERRORS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["code", "description"],
        "properties": {"code": {"type": "integer"}, "description": {"type": "string"}},
        "additionalProperties": False,
    },
}
SENT = {
    "service_code": "roads", "lat": "22.5535", "long": "113.8865", "description": "路灯不亮，联系李四 13912345678",
    "first_name": "四", "last_name": "李", "phone": "13912345678", "attribute[urgent]": "no",
}  # fmt: skip
V2 = "/open311/v2"


def check(schema, response, status=200):
    assert response.status_code == status, response.content
    jsonschema_rs.validate(schema, response.json())
    return response.json()


def many(schema):
    return {"type": "array", "items": schema}


@pytest.fixture
def key(people):
    return hotline.open311.make_key("路灯通", "dev@example.cn", actor=people.operator, now=MONDAY)


@pytest.fixture
def send(client, key):
    def post(format_="json", **changed):
        sent = {**SENT, "api_key": key[1], **changed}
        return client.post(
            f"{V2}/requests.{format_}", {name: value for name, value in sent.items() if value is not None}
        )

    return post


def test_a_program_reads_the_services_and_what_each_asks(client, people):
    found = check(many(SERVICE), client.get(f"{V2}/services.json?jurisdiction_id=440306"))
    assert {each["type"] for each in found} == {"realtime", "batch"}
    for each in found:
        check(DEFINITION, client.get(f"{V2}/services/{each['service_code']}.json"))
    top = fromstring(client.get(f"{V2}/services.xml").content)
    assert (top.tag, top[0].tag, len(top)) == ("services", "service", len(found))
    assert top[0].findtext("metadata") == "true"
    top = fromstring(client.get(f"{V2}/services/help.xml").content)
    assert top.tag == "service_definition" and top.findtext("attributes/attribute/values/value/key")
    assert fromstring(client.get("/open311/discovery.xml").content).tag == "discovery"


def test_a_request_becomes_a_case_in_its_cell_and_shows_nothing_personal(client, send):
    sent = send()
    assert sent.status_code == 201
    case_id = sent.json()[0]["service_request_id"]
    row = HotlineRequest.objects.get()
    assert (row.case_id, row.topic, row.kind, row.cell_code) == (case_id, "roads", "complaint", CELL)
    assert cases.case_facts(case_id)["facts"]["phone"] == "13912345678"
    (shown,) = check(many(REQUEST), client.get(f"{V2}/requests/{case_id}.json"))
    assert (
        round(shown["lat"], 3) == shown["lat"]
        and round(shown["long"], 3) == shown["long"]
        and shown["description"] is None
    )
    for public in (f"{V2}/requests.json", f"{V2}/requests.xml", "/hotline/"):
        text = client.get(public).content.decode()
        assert case_id in text and "13912345678" not in text and "李" not in text
    top = fromstring(client.get(f"{V2}/requests.xml").content)
    assert (top.tag, top[0].tag, top[0].findtext("status")) == ("service_requests", "request", "open")


def test_confidence_keeps_name_and_number_out_of_the_case(send):
    case_id = send(**{"attribute[confidential]": "yes"}).json()[0]["service_request_id"]
    facts = cases.case_facts(case_id)["facts"]
    assert facts.get("caller_name") is None and facts.get("phone") is None
    assert HotlineContact.objects.get(pk=case_id).phone == "13912345678"


def test_praise_comes_under_a_token_and_gets_its_number_by_the_clock(client, send):
    sent = send(service_code="praise", **{"attribute[topic]": "service", "description": "窗口很热心"}).json()[
        0
    ]
    assert "service_request_id" not in sent
    (before,) = client.get(f"{V2}/tokens/{sent['token']}.json").json()
    assert before["service_request_id"] is None
    assert hotline.open311.take_in(MONDAY) == 1 and hotline.open311.take_in(MONDAY) == 0
    (after,) = client.get(f"{V2}/tokens/{sent['token']}.json").json()
    assert after["service_request_id"] == HotlineRequest.objects.get(kind="praise").pk
    assert Open311Intake.objects.get().body == ""


def test_praise_from_elsewhere_is_refused_at_once_and_what_fails_later_stops_no_other(send):
    praise = {"service_code": "praise", "attribute[topic]": "service"}
    check(ERRORS, send(**praise, lat="40.0", long="116.0"), 400)
    assert not Open311Intake.objects.exists()
    send(**praise, description="窗口很热心")
    send(**praise, description="热线也很热心")
    row = Open311Intake.objects.order_by("pk").first()
    Open311Intake.objects.filter(pk=row.pk).update(
        body=row.body.replace('"topic": "service"', '"topic": "gone"')
    )
    assert hotline.open311.take_in(MONDAY) == 1
    assert HotlineRequest.objects.filter(kind="praise").count() == 1


def test_sent_twice_in_a_minute_it_is_one_request(send):
    assert send().json()[0]["service_request_id"] == send().json()[0]["service_request_id"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"api_key": "o311_wrong"}, 403),
        ({"api_key": None}, 403),
        ({"service_code": None}, 400),
        ({"service_code": "dragons"}, 404),
        ({"jurisdiction_id": "nowhere"}, 404),
        ({"lat": None, "long": None}, 400),
        ({"lat": "nan"}, 400),
        ({"lat": "40.0", "long": "116.0"}, 400),
        ({"description": ""}, 400),
        ({"attribute[urgent]": "perhaps"}, 400),
        ({"service_code": "consultation"}, 400),
        ({"phone": "x"}, 400),
        ({"media_url": "file:///etc/passwd"}, 400),
        ({"media_url": "http://127.0.0.1/x.jpg"}, 400),
        ({"media_url": "http://user:pass@example.com/x.jpg"}, 400),
        ({"media_url": "https://example.com/" + "x" * 2000}, 400),
    ],
)
def test_what_is_wrong_is_refused_in_the_form_of_the_specification(send, changed, status):
    found = check(ERRORS, send(**changed), status)
    assert found[0]["code"] == status
    top = fromstring(send("xml", **changed).content)
    assert (top.tag, top[0].tag, top.findtext("error/code")) == ("errors", "error", str(status))
    assert not HotlineRequest.objects.exists()


def test_lists_are_narrowed_by_number_type_time_and_status(client, send):
    first = send().json()[0]["service_request_id"]
    second = send(service_code="safety").json()[0]["service_request_id"]

    def numbers(query):
        return [
            each["service_request_id"]
            for each in check(many(REQUEST), client.get(f"{V2}/requests.json?{query}"))
        ]

    assert set(numbers("")) == {first, second}
    assert numbers("service_code=safety") == [second]
    assert numbers(f"service_request_id={first}") == [first]
    assert numbers("status=closed") == [] and len(numbers("status=open,closed")) == 2
    assert numbers("end_date=2020-01-01T00:00:00Z") == []
    ends = ("end_date=0001-01-01T00:00:00Z", "end_date=9999-12-31T23:59:59Z")
    for wrong in ("start_date=yesterday", "status=lost", "start_date=2026-01-01T00:00:00", *ends):
        check(ERRORS, client.get(f"{V2}/requests.json?{wrong}"), 400)
    check(ERRORS, client.get(f"{V2}/requests/C0.json"), 404)
    check(ERRORS, client.get(f"{V2}/tokens/none.json"), 404)
    assert client.get(f"{V2}/requests.csv").status_code == 404


def test_a_key_is_limited_and_can_be_revoked(client, send, key, people, monkeypatch):
    # All in one instant: on a slow machine the allowance would grow again meanwhile.
    monkeypatch.setattr(views, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))
    for number in range(30):
        assert send(description=f"路灯 {number}").status_code == 201
    refused = send(description="再来")
    assert refused.status_code == 429 and int(refused["Retry-After"]) > 0
    assert hotline.open311.revoke_key(key[0].pk, MONDAY + dt.timedelta(days=1))
    assert send().status_code == 403
    client.force_login(people.operator)
    page = client.post("/hotline/keys", {"name": "另一个", "contact": "a@example.cn"}).content.decode()
    assert "o311_" in page and "o311_" not in client.get("/hotline/keys").content.decode()
