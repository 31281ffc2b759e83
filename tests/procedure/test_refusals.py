"""No machine refuses an application, no service collects data or looks for people without a law: `pack check` holds it."""

from __future__ import annotations

import pytest

from chengshu.kernel.resources import shipped
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.loader import check_files

SUBSIDY = shipped("packs", "cn", "childbirth-subsidy")
BY_A_PERSON = "  - id: refuse\n    from: [examining]\n    to: refused\n    by: [examiner]\n"
OFFER = """\
about: certificate
type: birth-data
claims: {born_on: date, child_id: text}
when: claims.born_on != null and full_years(claims.born_on, today) < parameters.under_years
taken: {register: childbirth-subsidy, key: claims.child_id}
elements: [child.born_on]
cite: ["measures:3"]
title: {zh: 生育补贴, en: Childbirth subsidy}
text: {zh: 您可以领取, en: You are entitled}
"""


def faults(**changed):
    files = read_files(SUBSIDY)
    texts = dict(files.texts)
    for path, change in changed.items():
        path = path.replace("__", "/") + ".yaml"
        texts[path] = change(texts.get(path, "")) if callable(change) else change
    return [fault.code for fault in check_files(PackFiles("p", texts), cases=False).faults]


def test_the_shipped_pack_passes():
    assert faults() == []


def test_a_table_that_refuses_at_once_is_refused_itself():
    step = (
        "  - id: confirm-refused\n    command: confirm\n    from: [prepared]\n    to: refused\n    by: [applicant]\n"
        '    decides: [eligibility]\n    when: "decided.says == \'too-old\'"\n    form: confirm\n    cite: ["house:5"]\n'
    )
    found = faults(
        states=lambda text: text.replace("  - id: confirm-examined", step + "  - id: confirm-examined")
    )
    assert "refusal-automatic" in found


@pytest.mark.parametrize("by", ["[system]", "[examiner, system]"])
def test_the_machine_cannot_refuse_when_time_is_up(by):
    found = faults(states=lambda text: text.replace(BY_A_PERSON, BY_A_PERSON.replace("[examiner]", by)))
    assert "refusal-automatic" in found


@pytest.mark.parametrize("says", ["outcome_kind: refused", "outcome_kind: ended, refusal: true"])
def test_a_refusal_under_another_name_is_one_when_it_says_so(says):
    def silence_refuses(text):
        return text.replace("outcome: withdrawn, outcome_kind: withdrawn", f"outcome: withdrawn, {says}")

    found = faults(states=silence_refuses)
    assert found == [
        "refusal-automatic"
    ]  # the machine's `silence`; the applicant's own `withdraw` is no refusal


def test_a_use_without_a_law_or_of_what_nothing_takes_is_a_fault():
    unlawful = "uses:\n  - {elements: [person.name], basis: law, purpose: {zh: 核对, en: check}}\n"
    assert faults(uses=unlawful) == ["ground-missing"]
    curious = "uses:\n  - {elements: [person.sex], basis: consent, purpose: {zh: 好奇, en: curious}}\n"
    assert faults(uses=curious) == ["use-unknown"]
    article = unlawful.replace("basis: law", 'basis: law, cite: ["measures:99"]')
    assert faults(uses=article) == ["article-unknown"]


def test_a_search_for_people_cites_a_law_that_the_pack_executes():
    assert faults(offer=OFFER) == []
    assert faults(offer=OFFER.replace("measures:3", "measures:4")) == ["article-unknown"]
    assert "expression-type" in faults(offer=OFFER.replace("claims.born_on != null and ", "claims.shoe and "))
    closed = faults(
        offer=OFFER, states=lambda text: text.replace("opening:\n", "opening:\n  offered: false\n", 1)
    )
    assert "offer-closed" in closed
