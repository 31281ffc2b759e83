"""No table grants on what is merely typed: `pack check` finds the fact, the row and the line."""

from __future__ import annotations

import pytest

from chengshu.kernel.resources import shipped
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.loader import check_files

SUBSIDY = shipped("packs", "cn", "childbirth-subsidy")
NO_ENTRY = "  - {id: no-entry, when: facts.entry_number == null,"


def faults(path="form.yaml", old="", new="", **more):
    files = read_files(SUBSIDY)
    assert old in files.texts[path]
    texts = {**files.texts, path: files.texts[path].replace(old, new, 1)}
    return [
        (fault.code, fault.where.file.removeprefix("p/"), fault.where.line, fault.title)
        for fault in check_files(PackFiles("p", texts), **more).faults
    ]


def test_the_shipped_pack_grants_on_records_and_on_what_only_people_can_say():
    assert faults() == []


def test_a_fact_that_is_merely_typed_is_named_with_row_and_line():
    why = "A no goes to a person; a yes counts for nothing without the number of the household entry."
    (found,) = faults(old=f'    typed: "{why}"\n')
    assert found[0] == "grant-typed" and "facts.registered_here" in found[3] and "'in-order'" in found[3]
    assert found[1] == "decisions/eligibility.yaml" and found[2] > 10


def test_a_record_that_nobody_asks_for_is_no_record():
    """Without the row that hands over, what was typed of a required fact would stand."""
    found = faults("decisions/eligibility.yaml", NO_ENTRY, NO_ENTRY.replace("== null", "== 'x'"))
    assert {code for code, *_ in found} == {"grant-unrecorded"}
    assert any("facts.born_on" in title for *_, title in found)
    assert any("facts.child_id" in title and file == "states.yaml" for _, file, _, title in found)


@pytest.mark.parametrize("condition", ["facts.entry_number == null and facts.relation == 'mother'"])
def test_handing_over_in_some_cases_only_is_not_enough(condition):
    found = faults(
        "decisions/eligibility.yaml",
        NO_ENTRY,
        NO_ENTRY.replace("facts.entry_number == null", f'"{condition}"'),
    )
    assert {code for code, *_ in found} == {"grant-unrecorded"}


def test_whoever_applies_is_known_from_the_register_or_a_person_looks():
    row = "{id: no-applicant, when: facts.applicant_born_on == null"
    found = faults("decisions/eligibility.yaml", row, row.replace("==", "!="))
    assert {code for code, *_ in found} == {"grant-unrecorded"}
    assert any("facts.applicant_id" in title for *_, title in found)


def test_another_child_s_record_does_not_vouch():
    found = faults(
        old="      where: {child_name: facts.child_name}\n    cite: [house:3]", new="    cite: [house:3]"
    )
    assert any(code == "grant-unrecorded" and "facts.born_on" in title for code, *_, title in found)


def test_what_is_sourced_only_is_not_typed_as_well():
    found = faults(old="    element: child.born_on\n", new="    element: child.born_on\n    typed: so\n")
    assert ("pack-value", "form.yaml") in [fault[:2] for fault in found]


def test_only_certificates_are_chosen_by_what_stands_in_them():
    old = "prefill: {source: own_record, with: {account: actor.id, element: \"'person.phone'\"}}"
    found = faults(old=old, new=old[:-1] + ", where: {name: \"'x'\"}}")
    assert found[0][0] == "source-params"


def test_what_may_be_typed_does_not_stand_unasked_before_what_is_said():
    """``facts.listed ?? facts.said`` stands on the first: it may stand there unasked only where its source alone says it."""
    files = read_files(shipped("packs", "cn", "food-permit"))
    old = "      source: listed\n      only: true\n"
    assert old in files.texts["form.yaml"]
    texts = {**files.texts, "form.yaml": files.texts["form.yaml"].replace(old, "      source: listed\n")}
    found = check_files(PackFiles("p", texts)).faults
    assert any(fault.code == "grant-typed" and "facts.barred_listed" in fault.title for fault in found)


def test_versions_that_run_already_go_on():
    assert (
        faults("decisions/eligibility.yaml", NO_ENTRY, NO_ENTRY.replace("== null", "== 'x'"), cases=False)
        == []
    )
