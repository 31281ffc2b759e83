"""Naming people in a form: by the name they sign in with, staff by the name they go by; the public reads no account."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from chengshu.contexts.cases.domain import FieldView
from chengshu.contexts.cases.form_fields import form_field
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.identity import api as identity
from tests_support.packwork import officer, resident

BOTH = {"zh": "专家", "en": "Experts"}


def naming(most):
    return FieldView(
        "experts", "accounts", BOTH, {"zh": "", "en": ""}, True, [], None, "", most, False, "x.y", []
    )


@pytest.fixture
def people(district):
    officer("officer-standards", "standards")
    identity.save_account(
        "officer-fire2",
        display_name="丁宁（消防审核）",
        role="officer",
        department="fire",
        name_en="Ding Ning",
    )
    resident("applicant")
    return district


def test_the_number_that_a_field_takes_counts_names_and_not_letters(people):
    one = form_field(naming(1))
    assert one.clean("officer-standards") == ["officer-standards"] and "maxlength" not in str(
        one.widget.attrs
    )
    assert form_field(naming(3)).clean("officer-standards\n applicant \n丁宁（消防审核）") == [
        "officer-standards",
        "applicant",
        "officer-fire2",
    ]
    with pytest.raises(ValidationError, match="最多 1 项"):
        one.clean("officer-standards\napplicant")


def test_a_name_that_nobody_has_is_told_beside_the_field_and_residents_are_not_found_by_name(people):
    identity.save_account("hui", display_name="梁辉", role="resident")
    for nobody in ("nobody", "梁辉"):
        with pytest.raises(ValidationError, match=f"没有这个账户：{nobody}"):
            form_field(naming(2)).clean(nobody)


def test_who_was_named_is_read_by_name(people):
    assert shown_value(naming(2), ["officer-fire2", "gone"]) == ["丁宁（消防审核）", "gone"]
