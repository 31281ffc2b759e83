"""A certificate is issued, made whole, renewed, changed, suspended, resumed, revoked."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.certificates import api
from chengshu.contexts.certificates.models import Certificate, Issue

CLAIMS = {"dataset": "停车泊位数据集"}


def issue(step, case_id, **more):
    said = {
        "type": "data-ip",
        "holder": "示例公司",
        "valid_from": dt.date(2026, 11, 23),
        "claims": CLAIMS,
    } | more
    return step(case_id, "issue_certificate", **said)


def test_an_applicant_gets_a_number_at_once_and_the_files_by_job(step, certificate):
    issue_ = certificate.issues.get()
    assert certificate.number == "DI-2026-000001"
    assert issue_.made_at and issue_.pdf_size > 20_000 and issue_.leaf_id
    assert api.verify(issue_.credential.encode(), step.now).ok
