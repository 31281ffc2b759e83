"""Who sees what of whom: papers of a stranger, remarks of the office."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import CaseTerm, EvidenceFile
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER, handed, officer, opened, resident, state, take

PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"
DAY = dt.timedelta(days=1)


@pytest.fixture
def objection(district):
    """A stranger objects to a data registration during its notice, with a paper."""
    district.ip1, district.zhao = officer("ip1", "ip-office"), resident("zhao")
    district.case_id = opened("data-ip-registration", district.resident, MONDAY)
    take(district.case_id, "pass", district.ip1, MONDAY)
    said = {"objector": "赵某某本人", "objection_ground": "ownership", "objection": "由我采集，电话一二三"}
    receipt = cases.public_command(
        district.case_id, "object", said, actor=district.zhao, now=MONDAY + DAY, idempotency_key="object:1",
        files_in=[cases.FileIn("证据.pdf", PDF, "objection_proof")],
    )  # fmt: skip
    (district.child,) = receipt.opened
    return district


def said_to(case_id, account, now):
    """Everything that a case's view tells an account."""
    view = cases.case_view(case_id, account, now=now)
    events = [(event.sentence, event.answers, event.note, event.files) for event in view.events]
    return json.dumps([view.facts, events], ensure_ascii=False, default=str)


def file_of(client, case_id, account):
    client.force_login(account)
    row = EvidenceFile.objects.get(case_id=case_id)
    return client.get(f"/cases/{case_id}/files/{row.pk}").status_code


def test_an_applicant_gets_an_objection_when_it_is_forwarded_not_before(objection, client):
    people, now = objection, MONDAY + DAY
    for secret in ("赵某某", "由我采集", "证据.pdf", people.zhao.display_name):
        assert secret not in said_to(people.case_id, people.resident, now)
    assert file_of(client, people.case_id, people.resident) == 404
    with pytest.raises(Problem) as caught:
        cases.case_view(people.child, people.resident, now=now)
    assert caught.value.status == 404
    assert people.child not in [line.case_id for line in cases.my_cases(people.resident, now)]
    # The office and whoever objects see it at once, with its papers.
    for account in (people.ip1, people.zhao):
        assert "由我采集" in said_to(people.child, account, now)
        assert file_of(client, people.child, account) == 200
    assert "由我采集" in said_to(people.case_id, people.ip1, now)
    take(people.child, "forward", people.ip1, now)
    assert "由我采集" in said_to(people.child, people.resident, now)
    assert file_of(client, people.child, people.resident) == 200
    assert people.child in [line.case_id for line in cases.my_cases(people.resident, now)]


def test_whoever_objects_reads_the_answer_when_it_is_forwarded_not_before(objection):
    people, now = objection, MONDAY + DAY
    take(people.child, "forward", people.ip1, now)
    take(people.child, "answer", people.resident, now, answer="有采集记录", answer_proof=PAPER)
    assert "有采集记录" not in said_to(people.child, people.zhao, now)
    assert "paper.pdf" not in said_to(people.child, people.zhao, now)
    for account in (people.ip1, people.resident):
        assert "有采集记录" in said_to(people.child, account, now)
    take(people.child, "forward_answer", people.ip1, now)
    assert "有采集记录" in said_to(people.child, people.zhao, now)


def test_whoever_names_anothers_paper_by_its_digest_does_not_get_it(objection):
    (paper,) = EvidenceFile.objects.filter(case_id=objection.case_id)
    thief = resident("thief")
    said = {
        "objector": "别人",
        "objection_ground": "other",
        "objection": "看看",
        "objection_proof": [paper.digest],
    }
    with pytest.raises(Problem) as caught:
        cases.public_command(
            objection.case_id, "object", said, actor=thief, now=MONDAY + DAY, idempotency_key="object:2"
        )
    assert (caught.value.code, set(caught.value.extra["errors"])) == ("file-not-sent", {"objection_proof"})


def test_nobody_takes_the_key_under_which_the_machine_ends_a_term(district):
    clerk, applicant = officer("ip1", "ip-office"), resident("lazy")
    case_id = opened("data-ip-registration", applicant, MONDAY)
    take(case_id, "correct", clerk, MONDAY, lacking="请补充来源证明")
    (term,) = CaseTerm.objects.filter(case_id=case_id, state="running")
    cases.command(
        case_id, "plead", handed({"cause": "出差", "cause_proof": PAPER}, applicant, MONDAY), actor=applicant,
        expected_version=None,
        idempotency_key=f"end:{term.term}:{term.round}", now=MONDAY,
    )  # fmt: skip
    cases.sweep(MONDAY + 60 * DAY)
    assert state(case_id) == "deemed_withdrawn"


def test_whoever_objects_does_not_see_the_application(objection, client):
    with pytest.raises(Problem):
        cases.case_view(objection.case_id, objection.zhao, now=MONDAY + DAY)
    assert file_of(client, objection.case_id, objection.zhao) == 404


def test_staff_who_apply_do_not_read_what_the_office_remarks(district):
    applicant, clerk = officer("curious", "health"), officer("ip1", "ip-office")
    case_id = opened("data-ip-registration", applicant, MONDAY)
    cases.comments.add_comment(case_id, clerk, "材料可疑", MONDAY)
    assert cases.case_view(case_id, applicant, now=MONDAY).withheld is False
    for refused in (
        lambda: cases.comments.comments_of(case_id, applicant, MONDAY),
        lambda: cases.comments.add_comment(case_id, applicant, "我也说一句", MONDAY),
    ):
        with pytest.raises(Problem) as caught:
            refused()
        assert caught.value.code == "comments-inside"
    assert len(cases.comments.comments_of(case_id, clerk, MONDAY)) == 1


@pytest.mark.parametrize(
    "pack", ["data-ip-objection", "data-ip-change", "expert-review", "project-application", "listed-project",
             "department-finding", "value-dispute"],
)  # fmt: skip
def test_nobody_begins_a_case_that_only_another_one_opens(district, client, pack):
    account = officer("in1", "industry")
    assert cases.current_pack(pack).offered is False
    with pytest.raises(Problem) as caught:
        cases.drafts.start(account, pack, MONDAY)
    assert caught.value.code in ("opening-not-offered", "opening-not-yours")
    client.force_login(account)
    answer = client.post(
        f"/api/v1/services/{pack}/cases", {"facts": {}}, "application/json", headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "opening-not-offered")
    assert client.post(f"/services/{pack}/start").status_code == 404


def test_whoever_sees_no_personal_values_sees_no_names_of_files(objection):
    """People name their papers after themselves."""
    view = cases.case_view(objection.child, objection.operator, now=MONDAY + DAY)
    names = [file.name for event in view.events for file in event.files]
    assert view.withheld and names == ["****.pdf"]
