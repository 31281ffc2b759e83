"""A build finds that two records are one person: what was kept under the old id is found under the new one."""

import datetime as dt

import pytest

from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall.citizen_code.models import CodeUse
from chengshu.contexts.hall.offers.models import Offer, OfferRun
from chengshu.contexts.subjects.models import Consent
from chengshu.contexts.subjects.publishing import _follow

OLD, NEW = "P0000000011", "P0000000022"
NOW = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_certificates_words_and_offers_follow_a_merged_subject():
    Certificate.objects.create(
        number="BD-2026-1", type="birth-data", case_id="C1", title_zh="出生", title_en="Birth", holder="林静",
        holder_id=OLD, claims="[]", valid_from=NOW.date(), issued_at=NOW, changed_at=NOW,
    )  # fmt: skip
    Consent.objects.create(
        subject_id=OLD, pack="newborn", elements=["person.name"], sources=["*"], purpose_zh="办事", purpose_en="a",
        scope="period", until=NOW.date(), given_at=NOW, given_by="林静", given_by_account=1, given_how="page", leaf_id=1,
    )  # fmt: skip
    run = OfferRun.objects.create(pack="newborn", at=NOW, leaf_id=1)
    for subject, about in ((OLD, "a"), (OLD, "b"), (NEW, "b")):
        Offer.objects.create(subject_id=subject, pack="newborn", about=about, made_at=NOW, run=run)
    _follow({OLD: NEW})
    assert Certificate.objects.get().holder_id == NEW
    assert Consent.objects.get().subject_id == NEW
    assert sorted(Offer.objects.values_list("subject_id", "about")) == [(NEW, "a"), (NEW, "b")]
    assert not CodeUse.objects.filter(subject_id=OLD).exists()
