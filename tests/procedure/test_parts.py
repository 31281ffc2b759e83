"""The parts of a one-thing are checked, compared, drawn and taken away like every other part of a pack."""

from __future__ import annotations

import pytest

from chengshu.procedure.diagram import mermaid_parts
from chengshu.procedure.diff import differences
from chengshu.procedure.golden import run_golden
from chengshu.procedure.loader import check_folder, load_pack, read_files
from chengshu.procedure.mutation import SURVIVED, mutate
from chengshu.procedure.official import official_forms
from chengshu.procedure.official_count import count
from tests_support.one_thing_pack import write_one_thing

PARTS = "parts.yaml"
FAULTS = {
    "a fact that the child lacks": (("facts: {what: \"'gas'\"", "facts: {wat: \"'gas'\""), "part-fact", "what"),
    "a fact that the child needs": (
        ("facts: {what: \"'gas'\", home: facts.home}", "facts: {what: \"'gas'\"}"),
        "part-fact-missing",
        "home",
    ),
    "a value of another kind": (("what: \"'gas'\"", "what: \"'tap'\""), "expression-type", "tap"),
    "a name that is not declared": (("since: facts.since", "since: facts.when"), "expression-type", "facts.when"),
    "a part that waits for itself": (("after: [register]", "after: [register, card]"), "part-cycle", "card"),
    "parts that meet, and one opens after the other": (
        ("parts: {meter: to_inspect, gas: to_inspect}", "parts: {meter: to_inspect, card: to_inspect, register: granted}"),
        "part-cycle", "'card' opens after 'register' has ended",
    ),
    "a visit that would stand for ever": (("    withdraw: call_off\n", ""), "join-stands", "'visit'"),
    "a visit that the machine cannot call off": (
        ("withdraw: call_off", "withdraw: report"), "part-command", "'report' to move-visit in 'planned'",
    ),
    "a visit that knows nothing of leaving": (("gas: one_left", "gas: gas_left"), "part-command", "gas_left"),
    "a part that cannot leave where it never was": (("gas: one_left", "card: one_left"), "part-unknown", "card"),
    "a part that is not there": (("after: [register]", "after: [registr]"), "part-unknown", "register"),
    "a pack that is not there": (("pack: move-card", "pack: move-cart"), "part-pack", "move-cart"),
    "an end that the child lacks": (
        ("done: [granted]\n    then", "done: [grantd]\n    then"),
        "state-unknown",
        "granted",
    ),
    "a command that the applicant may not give": (("{do: confirm,", "{do: grant,"), "part-command", "grant"),
    "a result for a part that does not wait": (
        ("gas: {do: inspected", "card: {do: inspected"),
        "part-unknown",
        "card",
    ),
    "a value that the child does not keep": (("number: case.number}", "number: case.nummer}"), "expression-type", "case.number"),
    "no article": (
        ("    returns: {number: case.number}\n    cite: [\"law:1\"]", "    returns: {number: case.number}"),
        "ground-missing",
        "register",
    ),
    "news that find no step": (("on_part: moved", "on_part: moving"), "part-news", "moving"),
}  # fmt: skip


@pytest.mark.parametrize("change", FAULTS, ids=list(FAULTS))
def test_what_is_wrong_with_a_part_is_told_with_its_line(tmp_path, change):
    (old, new), code, hint = FAULTS[change]
    checked = check_folder(write_one_thing(tmp_path, move_in={PARTS: (old, new)}))
    found = [fault for fault in checked.faults if fault.code == code]
    assert found, [str(fault) for fault in checked.faults]
    assert any(hint in f"{fault} {fault.detail}" for fault in found)
    assert all(fault.where and fault.where.line and fault.where.file.endswith(PARTS) for fault in found)


def test_an_official_form_names_only_what_is_there(tmp_path):
    folder = write_one_thing(tmp_path, move_in={"official_forms.yaml": ("register.since", "register.sinse")})
    (fault,) = check_folder(folder).faults
    assert fault.code == "official-fact" and "register.sinse" in str(fault)


RULED = "rule: \"plus(today, '1 day')\""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (", how: derived}", "official-rule"),
        (', how: derived, rule: "true"}', "official-rule"),
        (", how: derived, rule: facts.nobody}", "expression-type"),
        (", how: derived, part: register.sinse}", "official-rule"),
        (", how: derived, certificate: passport.number}", "official-rule"),
        (", how: office, rule: today}", "official-rule"),
        (", how: fact}", "official-fact"),
    ],
)
def test_a_derived_field_of_an_official_form_says_from_what_it_follows(tmp_path, said, code):
    change = {"official_forms.yaml": (f", how: derived, {RULED}}}", said)}
    (fault,) = check_folder(write_one_thing(tmp_path, move_in=change)).faults
    assert fault.code == code
    assert fault.where and fault.where.file.endswith("official_forms.yaml") and fault.where.line == 8


def test_what_the_office_fills_in_counts_for_nothing_and_what_nobody_asks_counts_as_asked(tmp_path):
    folder = write_one_thing(tmp_path)
    pack, children = load_pack(folder), {}
    forms = official_forms(read_files(folder), pack=pack)
    known = {"facts.name": "甲", "today": "2026-11-23"}
    found = count(pack, forms, children, known, {"register.since"})
    assert found.out == ("case.reason_text",) and found.unasked == ("subject.id",)
    assert found.asked == ("case.date", "subject.id") and set(found.spared) == {"case.note", "person.name"}
    assert found.share == 0.5
    # A rule spares nothing while it gives no value; nor does a fact that is not known.
    without = count(pack, forms, children, {}, {"register.since"})
    assert without.spared == () and without.share == 0


def test_each_part_is_played_and_missed_when_it_is_taken_away(tmp_path):
    folder = write_one_thing(tmp_path)
    pack, files = load_pack(folder), read_files(folder)
    report = run_golden(pack, files)
    assert report.good(), [(case.name, case.differences) for case in report.played] + list(report.untouched)
    verdicts = mutate(pack, files)
    assert [each.mutant.key for each in verdicts if each.how == SURVIVED] == []
    kinds = {each.mutant.kind for each in verdicts}
    assert {"part", "order of part", "condition of part", "join"} <= kinds


def test_two_versions_are_compared_part_by_part_and_drawn(tmp_path):
    old = load_pack(write_one_thing(tmp_path / "old"))
    changed = {PARTS: ("after: [register]", "after: [register, meter]")}
    new = load_pack(write_one_thing(tmp_path / "new", move_in=changed))
    (found,) = [each for each in differences(old, new) if each.part == "parts"]
    assert found.text["zh"] == "组成事项“居住卡”（card）：先办事项由“register”改为“register, meter”"
    assert "meter --> card" in mermaid_parts(new, "zh") and "visit{{" in mermaid_parts(new, "zh")
    # Golden cases and official forms test and measure a version; they are no part of it.
    again = {"official_forms.yaml": ("姓名", "名字")}
    assert load_pack(write_one_thing(tmp_path / "again", move_in=again)).hash == old.hash
