from __future__ import annotations

import pytest

from chengshu.kernel.problems import Problem
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.loader import check_files, check_folder, load_files
from tests_support.small_pack import TEXTS, small_pack

STEP = "    when: \"data.verdict == 'good'\""

# What is changed (file → old, new), the fault that must be named, and the line it must point to (None: the file as a whole).
BAD = {
    "an unknown key": (
        {"states__yaml": ("start: received", "start: received\ncolour: red")},
        "pack-key-unknown",
        2,
    ),
    "a duplicate key": (
        {"states__yaml": ("start: received", "start: received\nstart: late")},
        "yaml-duplicate-key",
        2,
    ),
    "a missing key": ({"pack__yaml": ("version: 1.0.0\n", "")}, "pack-key-missing", 1),
    "a missing file": ({"deadlines__yaml": None}, "pack-file-missing", None),
    "an alias": ({"pack__yaml": ("id: small", "id: &a small")}, "yaml-alias", 1),
    "broken YAML": ({"form__yaml": ("facts:", "facts: [")}, "yaml-syntax", None),
    "a list where a mapping belongs": (
        {"deadlines__yaml": ("deadlines:\n  answer:", "deadlines:\n  - answer:")},
        "pack-value",
        1,
    ),
    "a name with capitals": ({"states__yaml": ("id: expired", "id: Expired")}, "pack-name", 30),
    "a wrong day": ({"pack__yaml": ("valid_from: 2026-01-01", "valid_from: soon")}, "pack-value", 4),
    "a term nobody can read": ({"deadlines__yaml": ("2 workdays", "two workdays")}, "term-form", 5),
    "an unreachable state": (
        {"states__yaml": ("  late: {", "  lost: {tasks: [clerk]}\n  late: {")},
        "state-unreachable",
        8,
    ),
    "an unknown state": ({"states__yaml": ("to: good", "to: better")}, "state-unknown", 12),
    "a state without an owner": (
        {"states__yaml": ("received: {tasks: [clerk]}", "received: {}")},
        "state-without-owner",
        7,
    ),
    "a state without a term": (
        {"deadlines__yaml": ("[received, late]", "[received]")},
        "state-without-term",
        8,
    ),
    "a final state with tasks": (
        {"states__yaml": ("outcome: good,", "outcome: good, tasks: [clerk],")},
        "state-final",
        9,
    ),
    "an end of a kind that nobody knows": (
        {"states__yaml": ("outcome: good, outcome_kind: ended", "outcome: good, outcome_kind: fine")},
        "pack-value",
        9,
    ),
    "a step out of a final state": (
        {
            "states__yaml": (
                "from: [received, late]\n    to: good",
                "from: [received, late, bad]\n    to: good",
            )
        },
        "state-final",
        12,
    ),
    "a step without a ground": (
        {"states__yaml": ('    cite: ["law:2"]\n  - id: decide-bad', "  - id: decide-bad")},
        "ground-missing",
        12,
    ),
    "a term without a ground": ({"deadlines__yaml": ('    cite: ["law:2"]\n', "")}, "ground-missing", 3),
    "an unlisted article": (
        {
            "states__yaml": (
                'opening: {by: [system], cite: ["law:1"]}',
                'opening: {by: [system], cite: ["law:9"]}',
            )
        },
        "article-unknown",
        4,
    ),
    "an article nothing executes": (
        {"articles__yaml": ("status: exempt, why: Not ours", "status: executed")},
        "article-unexecuted",
        4,
    ),
    "an exemption without a reason": ({"articles__yaml": ("why: Not ours, ", "")}, "article-why", 4),
    "an exempt article that is cited": (
        {"articles__yaml": ('"law:2", status: executed', '"law:2", status: exempt, why: x')},
        "article-status",
        None,
    ),
    "an article listed twice": ({"articles__yaml": ('"law:3"', '"law:2"')}, "article-twice", 4),
    "a citation that is none": ({"articles__yaml": ('"law:3"', '"law"')}, "citation-form", 4),
    "an instrument nobody names": ({"articles__yaml": ('"law:3"', '"code:3"')}, "instrument-unknown", 4),
    "a repealed law": (
        {"pack__yaml": ("in_force: 2020-02-01}", "in_force: 2020-02-01, repealed: 2025-01-01}")},
        "reference-expired",
        6,
    ),
    "a law not yet in force": (
        {"pack__yaml": ("in_force: 2020-02-01", "in_force: 2030-02-01")},
        "reference-not-yet",
        6,
    ),
    "a parameter with a gap": (
        {"parameters_in_limits__yaml": ("from: 2026-01-01", "from: 2026-06-01")},
        "parameter-gap",
        None,
    ),
    "parameter values out of order": (
        {
            "parameters_in_limits__yaml": (
                "  values:\n",
                '  values:\n    - {from: 2027-01-01, value: 5, cite: ["law:1"]}\n',
            )
        },
        "parameter-order",
        4,
    ),
    "an unknown role": (
        {"states__yaml": ("received: {tasks: [clerk]}", "received: {tasks: [clark]}")},
        "role-unknown",
        7,
    ),
    "an unknown form": ({"states__yaml": ("form: decide", "form: desired")}, "form-unknown", 18),
    "an unknown table": ({"states__yaml": ("decides: [level]", "decides: [lever]")}, "table-unknown", 26),
    "an unknown effect": ({"states__yaml": ("do: notify", "do: launch")}, "effect-unknown", 35),
    "an effect without a parameter": ({"states__yaml": (", text: \"'late'\"", "")}, "effect-params", 36),
    "an unknown source": (
        {"form__yaml": ("most: 20}", "most: 20, prefill: {source: gossip}}")},
        "source-unknown",
        10,
    ),
    "a source without a parameter": (
        {"form__yaml": ("most: 20}", "most: 20, prefill: {source: case_fact}}")},
        "source-params",
        None,
    ),
    "options that are no list": ({"form__yaml": ("facts.names,", "facts.kind,")}, "pack-value", 9),
    "personal data in kept values": (
        {"states__yaml": ("sets: {tries: case.tries + 1}", "sets: {tries: \"len(facts.names ?? ['x'])\"}")},
        "privacy",
        19,
    ),
    "a step that stands twice": (
        {"states__yaml": ("id: decide-bad", "id: decide-good")},
        "transition-twice",
        21,
    ),
    "a step that is never reached": ({"states__yaml": (STEP + "\n", "")}, "transition-hidden", 20),
    "an unknown step in not_who": (
        {"states__yaml": (STEP, STEP + "\n    not_who: [nobody]")},
        "transition-unknown",
        12,
    ),
    "an expiry that nothing answers": (
        {"deadlines__yaml": ("on_expiry: expired", "on_expiry: decide")},
        "deadline-expiry",
        3,
    ),
    "a term that starts where it does not run": (
        {"deadlines__yaml": ("starts_on: [received]", "starts_on: [good]")},
        "deadline-start",
        3,
    ),
    "a table with a gap": (
        {
            "decisions_in_level__yaml": (
                '  - {id: other, then: {high: "facts.kind == \'odd\'"}, cite: ["law:2"]}\n',
                "",
            )
        },
        "table-gap",
        1,
    ),
    "a row that hides others": (
        {
            "decisions_in_level__yaml": (
                ', when: "facts.amount != null and facts.amount > parameters.limit"',
                "",
            )
        },
        "table-row-hidden",
        4,
    ),
    "two rows of one name": ({"decisions_in_level__yaml": ("id: other", "id: much")}, "table-row-twice", 1),
    "a row without an output": (
        {"decisions_in_level__yaml": ("then: {high: true}", "then: {}")},
        "table-output",
        4,
    ),
    "a missing text": ({"texts_in_en__yaml": ("terms: {answer: 答复}\n", "")}, "text-missing", None),
    "a text that nothing shows": (
        {"texts_in_en__yaml": ("terms: {answer: 答复}", "terms: {answer: 答复, question: 问}")},
        "text-unknown",
        None,
    ),
    "a text that mentions nothing known": (
        {"texts_in_en__yaml": ("{facts.kind}", "{facts.king}")},
        "text-slot",
        2,
    ),
    "a misspelt name": (
        {"states__yaml": ("data.verdict == 'good'", "data.verdikt == 'good'")},
        "expression-type",
        17,
    ),
    "a misspelt choice": (
        {"states__yaml": ("data.verdict == 'good'", "data.verdict == 'goood'")},
        "expression-type",
        17,
    ),
    "text compared with a number": (
        {"states__yaml": ("data.verdict == 'good'", "data.verdict == 3")},
        "expression-type",
        17,
    ),
    "a value that may be empty": (
        {"decisions_in_level__yaml": ("facts.amount != null and ", "")},
        "expression-type",
        4,
    ),
    "a condition that is no yes or no": (
        {"states__yaml": ("\"data.verdict == 'good'\"", "case.tries + 1")},
        "expression-type",
        17,
    ),
    "a range": (
        {"states__yaml": ("data.verdict == 'good'", "case.tries in [1..20000000]")},
        "expression-syntax",
        17,
    ),
    "random numbers": ({"states__yaml": ("data.verdict == 'good'", "rand(2) == 1")}, "expression-syntax", 17),
    "the present time": (
        {"states__yaml": ("data.verdict == 'good'", "date('now') > today")},
        "expression-type",
        17,
    ),
    "a closure": (
        {"states__yaml": ("data.verdict == 'good'", "some(facts.names, # == 'x')")},
        "expression-syntax",
        17,
    ),
    "an assignment": ({"states__yaml": ("data.verdict == 'good'", "a = 1; true")}, "expression-syntax", 17),
    "a template": (
        {"states__yaml": ("data.verdict == 'good'", "`${$root}` == 'x'")},
        "expression-syntax",
        17,
    ),
    "a very long expression": (
        {"states__yaml": ("data.verdict == 'good'", " and ".join(["true"] * 80))},
        "expression-syntax",
        17,
    ),
    "an expression nested too deep": (
        {"states__yaml": ("data.verdict == 'good'", "(" * 50 + "true" + ")" * 50)},
        "expression-syntax",
        17,
    ),
    "a number too large": (
        {"states__yaml": ("data.verdict == 'good'", "case.tries > 99999999999999999999")},
        "expression-syntax",
        17,
    ),
    "money times money": (
        {
            "decisions_in_level__yaml": (
                "facts.amount > parameters.limit",
                "facts.amount * parameters.limit > 1",
            )
        },
        "expression-type",
        4,
    ),
    "a division by a value": (
        {"states__yaml": ("data.verdict == 'good'", "floor(4 / case.tries) > 1")},
        "expression-type",
        17,
    ),
    "a fraction left as it is": (
        {"states__yaml": ("sets: {tries: case.tries + 1}", "sets: {tries: case.tries / 2}")},
        "expression-type",
        19,
    ),
}


def test_a_sound_pack_is_sound():
    checked = check_files(small_pack())
    assert checked.faults == ()
    assert checked.pack is not None
    assert checked.coverage.share() == 1.0
    assert set(checked.coverage.executed) == {"law:1", "law:2"}
    assert checked.coverage.exempt == {"law:3": "Not ours"}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_pack_is_refused_with_file_line_and_reason(name):
    changes, code, line = BAD[name]
    checked = check_files(small_pack(**changes))
    assert checked.pack is None
    found = [fault for fault in checked.faults if fault.code == code]
    assert found, [str(fault) for fault in checked.faults]
    assert found[0].where.file.startswith("small")
    if line is not None:
        assert line in {fault.where.line for fault in found}, [str(fault) for fault in found]
    with pytest.raises(Problem):
        load_files(small_pack(**changes))


def test_a_dead_end_is_refused():
    states = TEXTS["states.yaml"].replace(
        "from: [received, late]\n    to: good", "from: [received]\n    to: good"
    )
    states = states.replace("from: [received, late]\n    to: bad", "from: [received]\n    to: bad")
    checked = check_files(PackFiles("small", {**TEXTS, "states.yaml": states}))
    assert [fault.code for fault in checked.faults] == ["state-dead-end"]


def test_an_unmapped_field_is_refused_when_the_catalogue_is_known():
    elements = frozenset({"case.kind", "case.amount", "case.names", "case.verdict", "case.name"})
    checked = check_files(small_pack(), elements=elements)
    assert [(fault.code, fault.where.line) for fault in checked.faults] == [("element-unknown", 10)]


def test_the_hash_pins_what_runs_and_not_its_tests():
    plain = small_pack()
    with_cases = PackFiles("elsewhere", {**plain.texts, "cases/more.yaml": "cases: []\n"})
    assert plain.hash() == with_cases.hash()
    assert plain.hash() != small_pack(deadlines__yaml=("2 workdays", "3 workdays")).hash()


def test_no_way_from_a_pack_to_the_file_system(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("key", encoding="utf-8")
    folder = tmp_path / "pack"
    for path, text in TEXTS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    assert check_folder(folder).faults == ()
    (folder / "cases").mkdir()
    (folder / "cases" / "link.yaml").symlink_to(secret)
    assert [fault.code for fault in check_folder(folder).faults] == ["pack-file-unknown"]
    (folder / "cases" / "link.yaml").unlink()
    (folder / "run.py").write_text("import os", encoding="utf-8")
    with pytest.raises(Problem, match="no such file"):
        read_files(folder)


def test_every_fault_is_reported_at_once():
    checked = check_files(
        small_pack(
            states__yaml=("do: notify", "do: launch"),
            deadlines__yaml=("2 workdays", "two workdays"),
            form__yaml=("most: 20}", "most: 20, colour: red}"),
        )
    )
    assert {"effect-unknown", "term-form", "pack-key-unknown"} <= {fault.code for fault in checked.faults}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("outcome: good, outcome_kind: ended", "outcome: good", 9),
        ("outcome: bad, outcome_kind: ended", "outcome: good, outcome_kind: refused", 10),
    ],
)
def test_a_version_that_enters_says_what_each_end_means_and_old_ones_run_on(old, new, line):
    files = small_pack(states__yaml=(old, new))
    (fault,) = [each for each in check_files(files).faults if each.code == "outcome-kind"]
    assert fault.where.line == line and fault.remedy
    if "kind" not in new:
        assert load_files(files).states["good"].outcome_kind == ""
