"""A certificate is issued, made whole by its job, renewed, changed, suspended, resumed, revoked."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api
from chengshu.contexts.certificates.models import Certificate, Document, Issue
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import registry
from tests_support.casework import CELL, firm_facts

TYPE = {"type": "data-ip"}


def issue(step, case_id, **more):
    said = {
        **TYPE, "holder": "示例公司", "valid_from": dt.date(2026, 11, 23), "valid_to": dt.date(2029, 11, 22),
        "claims": {"dataset": "停车泊位数据集"},
    }  # fmt: skip
    return step(case_id, "issue_certificate", **(said | more))


def credential(certificate):
    return certificate.issues.get(version=certificate.version).credential.encode()


def test_an_applicant_gets_a_number_at_once_and_the_files_by_job(step, certificate):
    made = certificate.issues.get()
    assert certificate.number == "DI-2026-000001"
    assert made.pdf_size > 20_000
    verdict = api.verify(made.credential.encode(), step.now)
    assert (verdict.ok, verdict.number, verdict.holder) == (True, "DI-2026-000001", "示例数据科技有限公司")
    assert verdict.claims == {"dataset": "停车泊位数据集", "rows": 12_000_000}


def test_numbers_have_no_gaps_when_a_step_fails(step, opened):
    issue(step, opened)
    with pytest.raises(Problem, match="同类证照"):
        issue(step, opened)
    other = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:2", now=step.now
    )
    assert issue(step, other)["certificate"] == "DI-2026-000002"


def test_the_job_run_twice_makes_nothing_new(step, certificate):
    made = certificate.issues.get()
    request = step.request(
        certificate.case_id, "produce_certificate", {"number": certificate.number, "version": 1}, key=made.key
    )
    assert registry.effect_handler("produce_certificate")(request)["digest"] == made.pdf_digest
    assert certificate.issues.get().credential == made.credential
    kinds = [entry.kind for entry in ledger.entries_for(f"certificate:{certificate.number}")]
    assert kinds.count("certificate.made") == 1


def test_a_renewal_keeps_the_number_and_ends_the_old_credential(step, certificate):
    old = credential(certificate)
    step(certificate.case_id, "renew_certificate", **TYPE, valid_to=dt.date(2032, 11, 22))
    step.run_jobs()
    certificate.refresh_from_db()
    new = api.verify(credential(certificate), step.now)
    assert (certificate.version, new.ok, new.valid_to) == (2, True, "2032-11-22")
    assert api.verify(old, step.now).state == "revoked"


def test_a_change_of_holder_is_another_issue(step, certificate):
    step(
        certificate.case_id, "change_certificate", **TYPE, holder="受让公司", claims={"dataset": "改名数据集"}
    )
    step.run_jobs()
    certificate.refresh_from_db()
    verdict = api.verify(credential(certificate), step.now)
    assert (verdict.holder, verdict.claims["dataset"], verdict.claims["rows"]) == (
        "受让公司",
        "改名数据集",
        12_000_000,
    )


def test_whoever_verifies_learns_of_suspension_and_revocation_at_once(step, certificate):
    text = credential(certificate)
    step(certificate.case_id, "suspend_certificate", **TYPE, reason="核查中")
    assert api.verify(text, step.now).state == "suspended"
    with pytest.raises(Problem, match="现在不能"):
        step(certificate.case_id, "suspend_certificate", **TYPE, reason="再次")
    step(certificate.case_id, "resume_certificate", **TYPE)
    assert api.verify(text, step.now).ok
    step(certificate.case_id, "revoke_certificate", **TYPE, reason="骗取登记")
    assert api.verify(text, step.now).state == "revoked"
    with pytest.raises(Problem, match="没有这类"):
        step(certificate.case_id, "resume_certificate", **TYPE)


def test_a_certificate_is_in_force_to_the_end_of_its_last_day_in_china(step, certificate):
    text = credential(certificate)
    last = dt.datetime(2029, 11, 22, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert api.verify(text, last).ok
    assert api.verify(text, last + dt.timedelta(minutes=1)).state == "expired"


def test_evidence_is_deposited_once_and_has_a_receipt(step, opened):
    done = step(opened, "deposit_evidence", name="数据样本.csv", digest="ab" * 32)
    ledger.sequence(step.now, takeover=True)
    proof = ledger.receipt(done["leaf"])
    assert proof is not None and "evidence" in proof.leaf


def test_a_receipt_proves_the_pdf_and_the_credential(step, certificate):
    made = certificate.issues.get()
    ledger.sequence(step.now, takeover=True)
    entry = ledger.entry(made.leaf_id)
    from chengshu.kernel.canonical import salted_digest

    payload = {
        "number": certificate.number, "version": 1, "pdf": made.pdf_digest, "credential": made.credential,
    }  # fmt: skip
    assert salted_digest(payload, bytes.fromhex(made.leaf_salt)) == entry.digest
    assert ledger.receipt(made.leaf_id) is not None


def test_a_pack_without_the_template_gets_no_document(step, opened):
    request = step.request(opened, "render_document", {"template": "decision", "title": "决定书"})
    with pytest.raises(Problem, match="没有这个文书模板"):
        registry.effect_handler("render_document")(request)
    assert Document.objects.get().made_at is None


def test_what_a_step_did_is_undone_with_the_step(step, opened):
    from django.db import transaction

    with transaction.atomic():
        issue(step, opened)
        transaction.set_rollback(True)
    assert Certificate.objects.count() == Issue.objects.count() == 0
    assert cases.run_jobs(step.now + dt.timedelta(minutes=1)) == 0
    assert issue(step, opened)["certificate"] == "DI-2026-000001"
