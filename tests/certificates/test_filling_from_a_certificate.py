"""A form is filled from a certificate that the person holds; only one in force, and the look is on record."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.certificates import api
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import SourceRequest

CHILD = "P000000003X"


@pytest.fixture
def parent(certificate, district):
    Certificate.objects.update(
        type="birth-data", holder_account=str(district.resident.pk), holder_id=district.resident.subject_id
    )
    return district.resident


def filled(account, field, now, *, subject_id="", type_="birth-data"):
    params = {"account": str(account.pk), "type": type_, "field": field}
    return api.certificate_field(
        SourceRequest("", "child", "person.name", params, now, subject_id=subject_id)
    )


def test_a_claim_and_what_every_certificate_says_fill_a_field(step, parent):
    assert filled(parent, "rows", step.now) == 12_000_000
    assert filled(parent, "number", step.now).startswith("DI-2026-")
    assert filled(parent, "valid_to", step.now) == "2029-11-22"
    assert filled(parent, "no_such_claim", step.now) is None
    assert filled(parent, "rows", step.now, type_="food-permit") is None


def test_a_certificate_that_is_suspended_revoked_or_over_fills_nothing(step, certificate, parent):
    assert filled(parent, "rows", dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) is None
    for state in ("suspended", "revoked"):
        Certificate.objects.update(state=state)
        assert filled(parent, "rows", step.now) is None


def test_a_stranger_gets_nothing_and_who_acts_for_another_their_certificates_only(step, parent, district):
    assert filled(district.worker, "rows", step.now) is None
    # Acting for the child, the parent's own certificates stay out of the form.
    assert filled(parent, "rows", step.now, subject_id=CHILD) is None
    # And without a mandate the gatekeeper gives out nothing of the child's.
    Certificate.objects.update(holder_id=CHILD)
    with pytest.raises(Problem):
        filled(parent, "rows", step.now, subject_id=CHILD)


def test_the_look_is_on_the_holders_record(step, parent):
    filled(parent, "rows", step.now)
    reads, total = identity.reads_of(parent.subject_id)
    assert total == 1 and reads[0].purpose == "own-data"
