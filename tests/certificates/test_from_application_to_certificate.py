"""The real pack data-ip-registration, from application to certificate, register and notices, with the outbox at work."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api
from chengshu.contexts.certificates.models import Certificate, Document
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml
from tests_support.casework import MONDAY


@pytest.fixture
def people(district):
    for folder in sorted(shipped("packs", "cn").glob("data-ip-*")):
        cases.load_pack_version(folder, MONDAY)
    identity.save_account("ip1", display_name="赵审", role="officer", department="ip-office")
    identity.save_account("ip2", display_name="钱核", role="officer", department="ip-office")
    return identity.account_named("re"), identity.account_named("ip1"), identity.account_named("ip2")


@pytest.fixture
def facts():
    golden = load_yaml(shipped("packs", "cn", "data-ip-registration", "cases", "4-registered.yaml"))
    return dict(golden["cases"][0]["given"]["facts"])


def take(case_id, name, account, now, **data):
    return cases.command(
        case_id, name, data, actor=account, expected_version=None, idempotency_key=None, now=now
    )


def test_an_application_becomes_a_certificate_an_entry_and_notices(people, facts):
    resident, first, second = people
    case_id = cases.open_case(
        "data-ip-registration", facts, opened_by=resident, idempotency_key="application:1", now=MONDAY
    )
    with pytest.raises(Problem) as refused:
        cases.open_case(
            "data-ip-registration", facts, opened_by=resident, idempotency_key="application:2", now=MONDAY
        )
    assert refused.value.code == "register-taken"
    take(case_id, "pass", first, MONDAY)
    assert messages.find_notices(now=MONDAY).get().title == facts["name"]
    later = MONDAY + dt.timedelta(days=30)
    cases.sweep(later)
    cases.run_jobs(later)
    take(case_id, "approve", second, later)
    while cases.run_jobs(later):
        pass
    certificate = Certificate.objects.get()
    assert (certificate.title_zh, certificate.holder_account) == ("数据知识产权登记证书", str(resident.pk))
    assert certificate.holder_mark == "911***********AM0X"
    made = certificate.issues.get()
    verdict = api.verify(made.credential.encode(), later)
    assert verdict.ok and verdict.issuer == "ip-office" and facts["applicant_id"] not in made.credential
    assert api.entry("data-ip", 1).title == facts["name"]
    assert [row.kind for row in messages.find_notices(now=later)] == ["announced"]
    assert {row.template for row in Document.objects.all()} == {"receipt"}
    assert messages.unread_count(resident, later) == 3
    assert cases.dead_jobs() == []


def test_a_document_is_for_those_who_see_the_case_whole(people, facts, client, district):
    resident, first, _second = people
    cases.open_case("data-ip-registration", facts, opened_by=resident, idempotency_key="a:1", now=MONDAY)
    cases.run_jobs(MONDAY)
    address = f"/certificates/documents/{Document.objects.get().pk}.pdf"
    for account, status in ((resident, 200), (first, 200), (district.operator, 404), (district.officer, 404)):
        client.force_login(account)
        assert client.get(address).status_code == status, account.username
